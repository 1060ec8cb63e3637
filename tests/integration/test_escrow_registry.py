# SPDX-License-Identifier: Apache-2.0
"""A product from its first root to its first maintainer, by files and a registry."""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import time

from lib_escrow import BIN, World, make_sources, seal_args

REGISTRY = BIN.replace("bequest-escrow", "bequest-registry")
PUBLISH = BIN.replace("bequest-escrow", "bequest-publish")
LIMIT_S = 20


def tool(w, *args):
    return w.sh(" ".join(f"'{a}'" for a in args))


class Running:
    """The registry, as long as the test lasts."""

    def __init__(self, w):
        tool(w, REGISTRY, "init", "--data", "registry", "--name", "Test", "--origin",
             "log.test", "--admission", "open")
        self.process = subprocess.Popen([REGISTRY, "serve", "--data", "registry", "--listen",
                                         "127.0.0.1:0"], cwd=w.dir, env=w.env, text=True,
                                        stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.url = re.match(r"listening (http://\S+)", line).group(1)

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT_S)


def submitted(w, r, *files):
    """Send, and demand that all of it is published at once."""
    out = json.loads(w.run("submit", *files, "--registry", r.url, "--json"))
    states = [d["state"] for d in out["documents"]]
    assert states == ["published"] * len(files), out


def product(w, r):
    w.person("vendor")
    for n in (1, 2, 3):
        w.run("key", "new", "--type", "ecdsa", "--out", f"k{n}")
        w.run("key", "export", "--key", f"pem:k{n}", "--out", f"k{n}.json")
    w.run("product", "new", "--product", "lego.nxt", "--name", "NXT", "--publisher", "lego",
          "--publisher-name", "LEGO", "--root-key", "k1.json", "--root-key", "k2.json",
          "--root-key", "k3.json", "--threshold", "2", "--targets-key", "k1.json", "--registry",
          r.url, "--hardware", "lego,nxt", "--support-until", "2027-01-01", "--out", "p")
    out = w.run("submit", "p/root.json", "--registry", r.url, status=3)
    assert "0 of 2" in out, out
    for name in ("root", "product"):
        w.run("root", "sign", f"p/{name}.json", "--key", "pem:k1")
        w.run("root", "sign", f"p/{name}.json", "--key", "pem:k2")
    submitted(w, r, "p/root.json", "p/product.json")
    out = w.run("status", "--product", "lego.nxt", "--registry", r.url)
    assert "no deposit: nobody could carry on" in out, out
    by = ["--key", "pem:k1", "--key", "pem:k3"]
    w.run("product", "edit", "--product", "lego.nxt", "--registry", r.url, "--contact",
          "mailto:x@example.org", *by)
    w.run("heartbeat", "--product", "lego.nxt", "--registry", r.url, *by)


def seal(w, **other):
    """Make a deposit and sign it, but for the last signature that it needs."""
    for name in ("anna", "bert", "carla", "s1", "s2", "s3"):
        w.person(name)
    stewards = sum((["--stewards", f"{s}.json"] for s in ("s1", "s2", "s3")), [])
    w.run("root", "bridge", "--root", "p/root.json", *stewards, "--threshold", "2", "--out",
          "bridge.root.json", "--key", "pem:k1", "--key", "pem:k2")
    make_sources(w)
    w.run(*seal_args(w, "deposit", restricted=None, beneficiary=None, **other), "--key", "pem:k1")


def deposit(w, r):
    seal(w)
    assert "1 of 2 signatures" in w.run("deposit", "deposit", "--registry", r.url, status=5)
    w.run("root", "sign", "deposit/deposit.json", "--key", "pem:k3")
    out = json.loads(w.run("deposit", "deposit", "--registry", r.url, "--json"))
    assert out["state"] == "published" and out["proof"], out
    again = json.loads(w.run("deposit", "deposit", "--registry", r.url, "--json"))
    assert again["id"] == out["id"], again
    w.run("verify", "deposit", "--registry", r.url)
    status = json.loads(w.run("status", "--product", "lego.nxt", "--registry", r.url, "--json"))
    (one,) = status["deposits"]
    assert one["fresh"] and one["released"] != "yes" and one["eol"] is None, one
    return out["id"]


def eol_and_votes(w, r):
    at = ["--product", "lego.nxt", "--registry", r.url]

    def me(name):
        return ["--key", f"gpg:{name}", "--gnupg-home", w.homes[name]]

    out = w.run("approve", *at, *me("anna"), status=5)
    assert "no final end of life" in out, out
    assert "not to be opened yet" in w.run("share", *at, "--gnupg-home", w.homes["anna"], status=5)
    assert "nothing waits for you" in w.run("inbox", *at, *me("anna"))
    w.run("eol", *at, "--date", "2026-12-01", "--reason", "sold out", "--last-security-update",
          "2026-11-01", "--key", "pem:k2", "--out", "eol.json")
    w.run("root", "sign", "eol.json", "--key", "pem:k3")
    submitted(w, r, "eol.json")
    core = w.run("openeox", *at, "--out", "core.json") or w.read("core.json")
    assert core["end_of_life"] == "2026-12-01T00:00:00Z", core
    assert core["end_of_security_support"] == "2026-11-01T00:00:00Z", core
    w.run("eol", *at, "--openeox", "core.json", "--out", "same.json")
    old, new = (w.read(f)["signed"] for f in ("eol.json", "same.json"))
    assert all(old[k] == new[k] for k in ("date", "last_security_update")), (old, new)
    out = w.run("eol", *at, "--openeox", "core.json", "--date", "2026-12-01", "--out", "x", status=2)
    assert "--openeox FILE alone" in out, out
    out = json.loads(w.run("inbox", *at, *me("anna"), "--json"))
    assert [t["do"] for t in out["tasks"]] == ["approve or refuse"], out
    said = []
    for name in ("anna", "bert"):
        w.run("approve", *at, *me(name), "--version", "9", "--out", f"vote-{name}.json")
        said.append(w.read(f"vote-{name}.json"))
    for one in said:  # else two in one second would be one document, and one vote
        assert one["signed"]["trustee"] == one["signatures"][0]["keyid"], one
    assert said[0]["signed"]["trustee"] != said[1]["signed"]["trustee"], said
    out = w.run("approve", *at, *me("anna"))
    assert "sold out" in out and "published" in out, out
    assert "nothing waits for you" in w.run("inbox", *at, *me("anna"))
    assert "not a trustee" in w.run("approve", *at, *me("s1"), status=2)
    w.run("share", *at, "--gnupg-home", w.homes["anna"], status=5)
    w.run("refuse", *at, *me("carla"))
    w.run("share", *at, "--gnupg-home", w.homes["anna"], status=5)
    w.run("approve", *at, *me("bert"))
    out = json.loads(w.run("inbox", *at, *me("bert"), "--json"))
    assert [t["do"] for t in out["tasks"]] == ["share"], out
    status = json.loads(w.run("status", *at, "--json"))
    assert status["deposits"][0]["released"] == "yes", status
    assert status["deposits"][0]["approvals"] == 2, status


def shares(w, r):
    at = ["--product", "lego.nxt", "--registry", r.url]
    # A registry that shows another product of that name gets nothing; nor from who knows none.
    known = pathlib.Path(w.homes["anna"]) / "bequest-roots.json"
    kept = known.read_text()
    known.write_text(json.dumps({"lego.nxt": "0" * 64}))
    out = w.run("share", *at, "--gnupg-home", w.homes["anna"], status=3)
    assert "was met before" in out, out
    known.unlink()
    assert "want --root FILE" in w.run("share", *at, "--gnupg-home", w.homes["anna"], status=2)
    known.write_text(kept)
    w.run("share", *at, "--gnupg-home", w.homes["anna"], "--out", "share.001")
    listed = w.read("deposit/deposit.json")["signed"]["trustees"]["seats"][0]["shares"]["public"]
    assert hashlib.sha256((w.dir / "share.001").read_bytes()).hexdigest() == listed
    out = w.run("share", *at, "--gnupg-home", w.homes["s1"], status=2)
    assert "is for a key of this GnuPG home" in out, out
    assert "1 of 2" in w.run("share", *at, "--gnupg-home", w.homes["anna"])
    assert "2 of 2" in w.run("share", *at, "--gnupg-home", w.homes["bert"])
    w.run("status", *at, "--wait-open", LIMIT_S)


def handover(w, r):
    at = ["--product", "lego.nxt", "--registry", r.url]
    out = w.run("countersign", *at, "--out", "bridge2.json", "--key", "gpg:anna",
                "--gnupg-home", w.homes["anna"], status=2)
    assert "not a steward" in out, out
    w.run("countersign", *at, "--out", "bridge2.json", "--key", "gpg:s1", "--gnupg-home",
          w.homes["s1"])
    out = json.loads(w.run("countersign", "bridge2.json", "--key", "gpg:s3", "--gnupg-home",
                           w.homes["s3"], "--json"))
    assert (out["have"], out["need"]) == (2, 2), out
    w.person("mia")
    out = w.run("appoint", *at, "--bridge", "bridge2.json", "--maintainer", "mia.json",
                "--publisher", "somebody", "--out", "root3.json", status=2)
    assert "one more change of publisher" in out, out
    w.run("appoint", *at, "--bridge", "bridge2.json", "--maintainer", "mia.json", "--out",
          "root3.json", "--key", "gpg:s1", "--gnupg-home", w.homes["s1"])
    w.run("root", "sign", "root3.json", "--root", "bridge2.json", "--key", "gpg:s2",
          "--gnupg-home", w.homes["s2"])
    root = w.read("root3.json")["signed"]
    assert root["version"] == 3 and "bridge" not in root["x-bequest"]
    assert root["roles"]["targets"]["keyids"] == [w.read("mia.json")["keyid"]]
    tool(w, PUBLISH, "checkout", *at, "--root", "root3.json", "--unpublished", "work")
    tool(w, PUBLISH, "sign", "--dir", "work", "--key", "gpg:mia", "--gnupg-home", w.homes["mia"])
    tool(w, PUBLISH, "submit", "--dir", "work", "--with", "bridge2.json", "--with", "root3.json")
    status = json.loads(w.run("status", *at, "--json"))
    assert status["root_version"] == 3 and status["publisher"]["kind"] == "stewards", status


def a_vendor_opens_its_own(w, r):
    """With `eol --release` no trustee is asked."""
    w.run("product", "new", "--product", "lego.ev3", "--name", "EV3", "--publisher", "lego",
          "--publisher-name", "LEGO", "--root-key", "k2.json", "--targets-key", "k2.json",
          "--registry", r.url, "--out", "p2")
    sign = ["--key", "pem:k2"]
    for name in ("root", "product"):
        w.run("root", "sign", f"p2/{name}.json", *sign)
    submitted(w, r, "p2/root.json", "p2/product.json")
    stewards = sum((["--stewards", f"{s}.json"] for s in ("s1", "s2", "s3")), [])
    w.run("root", "bridge", "--root", "p2/root.json", *stewards, "--threshold", "2", "--out",
          "b2.json", *sign)
    w.run(*seal_args(w, "deposit2", product="lego.ev3", root="p2/root.json", bridge="b2.json",
                     restricted=None, beneficiary=None), *sign)
    w.run("deposit", "deposit2", "--registry", r.url)
    at = ["--product", "lego.ev3", "--registry", r.url]
    me = ["--vendor", "--gnupg-home", w.homes["vendor"]]
    w.run("share", *at, *me, status=5)
    w.run("eol", *at, "--date", "2026-12-01", "--release", *sign)
    assert "0 handed over" in w.run("share", *at, *me)
    w.run("status", *at, "--wait-open", LIMIT_S)
    opened = w.dir / "registry/public/p/lego.ev3/deposits"
    assert list(opened.glob("*/open/build/build.sh")), list(opened.glob("*/*"))


def files_do_without_the_registry(w, url):
    """A mirror on a stick is as good to ask, and statements can be made with no registry."""
    stick = f"file://{w.dir}/registry/public"
    out = json.loads(w.run("status", "--product", "lego.nxt", "--registry", stick, "--json"))
    assert out["root_version"] == 3, out
    w.run("heartbeat", "--product", "lego.nxt", "--root", "p/root.json", "--version", "9", "--out",
          "beat.json", "--key", "pem:k1")
    assert w.read("beat.json")["signed"]["version"] == 9
    w.run("eol", "--product", "lego.nxt", "--root", "p/root.json", "--bridge",
          w.read("deposit/deposit.json")["signed"]["bridge"], "--date", "2026-12-01", "--out",
          "eol2.json")
    shutil.copy(w.dir / "eol2.json", w.dir / "eol3.json")
    out = w.run("submit", "eol2.json", "--registry", url, status=5)
    assert url.split("//")[1].split("/")[0] in out, out


def main():
    w = World()
    r = Running(w)
    try:
        for step in (product, deposit, eol_and_votes, shares, handover,
                     a_vendor_opens_its_own):
            began = time.monotonic()
            step(w, r)
            print(f"ok {step.__name__} {time.monotonic() - began:.1f} s", flush=True)
        r.stop()
        files_do_without_the_registry(w, r.url)
        print("ok files_do_without_the_registry")
    finally:
        if r.process.poll() is None:
            r.stop()
        w.close()


if __name__ == "__main__":
    main()
