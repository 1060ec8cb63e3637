# SPDX-License-Identifier: Apache-2.0
"""Seal, verify, tamper, open: with our verbs, and by hand as HOWTO.txt says."""

import base64
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from lib_escrow import BIN, World, make_sources, seal_args

LIMIT_S = 20


class Registry(http.server.BaseHTTPRequestHandler):
    """Just what `product new` asks of a registry."""

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        pub = b"\x01" + bytes(range(32))
        name = "log.test"
        key_id = hashlib.sha256(name.encode() + b"\n" + pub).hexdigest()[:8]
        log = {"origin": name, "url": "log/",
               "vkey": f"{name}+{key_id}+{base64.b64encode(pub).decode()}"}
        self.answer({"signatures": [],
                     "signed": {"_type": "registry", "spec_version": "1.0", "version": 1,
                                "issued": "2026-01-01T00:00:00Z", "logs": [log], "online": {},
                                "witnesses": {"keys": [], "threshold": 0}}})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        keys = {}
        for role in ("timestamp", "snapshot"):
            value = {"keytype": "ed25519", "scheme": "ed25519",
                     "keyval": {"public": hashlib.sha256(role.encode()).hexdigest()}}
            text = json.dumps(value, sort_keys=True, separators=(",", ":"))
            keys[hashlib.sha256(text.encode()).hexdigest()] = value
        ids = list(keys)
        self.answer({"product": "lego.nxt", "publisher": "lego", "keys": keys,
                     "timestamp": ids[0], "snapshot": ids[1]})

    def log_message(self, *args):
        pass


def make_keys(w):
    for name in ("vendor", "anna", "carla", "fixer", "s1", "s2", "s3"):
        w.person(name)
    w.person("bert", "rsa3072", "rsa3072")
    w.run("key", "new", "--type", "ed25519", "--out", "k1", "--seal-to", "vendor",
          "--gnupg-home", w.homes["vendor"])
    w.run("key", "new", "--type", "ecdsa", "--out", "k2")
    w.run("key", "new", "--type", "rsa", "--out", "k3")
    assert b"PRIVATE" not in (w.dir / "k1").read_bytes()
    assert (w.dir / "k2").stat().st_mode & 0o777 == 0o600
    assert "exists" in w.run("key", "new", "--type", "rsa", "--out", "k3", status=2)
    assert "want ed25519, ecdsa, rsa or openpgp" in w.run("key", "new", "--type", "dsa", "--out", "x", status=2)
    for n, spec in ((1, "sealed:k1"), (2, "pem:k2"), (3, "pem:k3")):
        w.run("key", "export", "--key", spec, "--out", f"k{n}.json", "--gnupg-home",
              w.homes["vendor"])


def make_root(w):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    new = ["product", "new", "--product", "lego.nxt", "--name", "NXT", "--publisher", "lego",
           "--publisher-name", "LEGO", "--threshold", "2", "--registry", url, "--hardware",
           "lego,nxt", "--support-until", "2027-01-01", "--targets-key", "k1.json"]
    roots = ["--root-key", "k1.json", "--root-key", "k2.json"]
    out = w.run(*new, *roots, "--root-key", "anna.json", "--portable", "--out", "p", status=2)
    assert "OpenPGP key" in out, out
    out = w.run(*new, "--root-key", "k1.json", "--out", "p", status=2)
    assert "want 1 to 1 keys, got 2" in out, out
    w.run(*new, *roots, "--root-key", "k3.json", "--portable", "--out", "p")
    assert "exists" in w.run(*new, *roots, "--root-key", "k3.json", "--out", "p", status=2)
    server.shutdown()
    root = w.read("p/root.json")["signed"]
    assert root["roles"]["root"]["threshold"] == 2 and len(root["roles"]["root"]["keyids"]) == 3
    assert w.read("p/product.json")["signed"]["root"]["version"] == 1
    vendor = ["--gnupg-home", w.homes["vendor"]]
    assert "1 of 2" in w.run("root", "sign", "p/root.json", "--key", "sealed:k1", *vendor)
    assert "2 of 2" in w.run("root", "sign", "p/root.json", "--key", "pem:k3")
    out = json.loads(w.run("root", "sign", "p/product.json", "--key", "pem:k2", "--key", "pem:k3",
                           "--root", "p/root.json", "--json"))
    assert out["thresholds"] == [{"root": 1, "have": 2, "need": 2}], out
    assert "every TUF client" in w.run("lint", "p/root.json")
    assert "nobody can say what it must promise" in w.run("lint", "p/product.json")
    out = w.run("lint", "p/product.json", "--class", "toy", "--root", "p/root.json")
    assert "warning: class: class toy needs the beginning and the end of support" in out, out
    assert '"after the end of support it" to be works' in out and "security" not in out, out
    assert "no such class is known" in w.run("lint", "p/product.json", "--class", "teapot")


def make_bridge(w):
    stewards = sum((["--stewards", f"{s}.json"] for s in ("s1", "s2", "s3")), [])
    w.run("root", "bridge", "--root", "p/root.json", *stewards, "--threshold", "2", "--out",
          "bridge.root.json", "--key", "pem:k2")
    bridge = w.read("bridge.root.json")["signed"]
    old = w.read("p/root.json")["signed"]
    assert bridge["version"] == 2 and bridge["x-bequest"]["bridge"] is True
    assert bridge["x-bequest"]["publisher"]["kind"] == "stewards"
    assert bridge["x-bequest"]["logs"] == old["x-bequest"]["logs"]
    for role in ("timestamp", "snapshot"):
        assert not set(bridge["roles"][role]["keyids"]) & set(old["keys"])
    assert set(bridge["roles"]["root"]["keyids"]) == set(bridge["roles"]["targets"]["keyids"])
    out = w.run("root", "bridge", "--root", "p/root.json", "--stewards", "s1.json", "--threshold",
                "2", "--out", "x", status=2)
    assert "1 of its keys can be used, and its threshold is 2" in out, out


def seal_refuses(w):
    """Each with the words that say why; nothing is left behind."""
    two = ["Anna=anna.asc", "Bert=bert.asc"]
    rule = {"fact": "eol.release"}
    for _ in range(15):
        rule = {"all": [rule]}  # 16 levels are a policy, but in a manifest too deep for JSON
    (w.dir / "deep.json").write_text(json.dumps({"policy": "deep", "version": 1, "allow": rule}))
    cases = [
        ({}, 2, "bridge.root.json: "),  # too few vendor signatures so far
        ({"threshold": "1"}, 2, "want 2 to 2, got 1"),
        ({"threshold": "3"}, 2, "want 2 to 2, got 3"),
        ({"trustee": two}, 2, "want 3 to 64, got 2"),
        ({"trustee": two + ["Anna again=anna.asc"]}, 2, "Anna again: the key of Anna"),
        ({"trustee": two + ["Carla"]}, 2, "want NAME=CERT"),
        ({"trustee": two + ["Carla=nowhere.asc"]}, 2, "nowhere.asc"),
        ({"trustee": ["S1=s1.asc", "S2=s2.asc", "Anna=anna.asc"]}, 4, "two locks would be one"),
        ({"product": "lego.ev3"}, 2, "want lego.ev3"),
        ({"bridge": "p/root.json"}, 2, "want 2, got 1"),
        ({"source": "recipe"}, 2, "git in recipe"),
        ({"source": "LICENCE"}, 2, "LICENCE"),
        ({"recipe": "nowhere"}, 2, "nowhere"),
        ({"beneficiary": None}, 2, "--restricted and --beneficiary together"),
        ({"release_policy": "release/none"}, 2, "release/none"),
        ({"release_policy": "deep.json"}, 2, "all: nested too deeply"),
        ({"support_until": "soon"}, 2, "--support-until: want YYYY-MM-DD"),
        ({"key_of_vendor": "nobody"}, 2, "--key-of-vendor"),
        ({"out": "p"}, 2, "--out p: exists"),
    ]
    for i, (other, status, words) in enumerate(cases):
        out = w.run(*seal_args(w, "refused", **other), status=status)
        assert words in out, (other, out)
        if i == 0:  # from here on the bridge is fine
            w.run("root", "sign", "bridge.root.json", "--key", "pem:k3", "--root", "p/root.json")
    shutil.copy(w.dir / "bridge.root.json", w.dir / "used.json")
    for s in ("s1", "s2"):
        w.run("countersign", "used.json", "--key", f"gpg:{s}", "--gnupg-home", w.homes[s])
    out = w.run(*seal_args(w, "refused", bridge="used.json"), status=2)
    assert "stewards have signed already" in out, out
    os.symlink("/etc/passwd", w.dir / "recipe/link")
    assert "a link" in w.run(*seal_args(w, "refused"), status=2)
    (w.dir / "recipe/link").unlink()
    assert not (w.dir / "refused").exists()
    out = w.run(*seal_args(w, "one-lock", trustee=["S1=s1.asc", "S2=s2.asc", "Anna=anna.asc"]),
                "--one-lock")
    assert "warning: one lock" in out, out
    shutil.rmtree(w.dir / "one-lock")


def seal_and_verify(w):
    w.run(*seal_args(w, "deposit/"), "--key", "sealed:k1")
    out = w.run("verify", "deposit", "--root", "p/root.json", status=3)
    assert "1 of 2" in out, out
    w.run("root", "sign", "deposit/deposit.json", "--key", "pem:k2", "--root", "p/root.json")
    out = json.loads(w.run("verify", "deposit", "--root", "p/root.json", "--json"))
    assert out["signed"] is True and out["threshold"] == 2, out
    assert "signatures not checked" in w.run("verify", "deposit")
    findings = json.loads(w.run("lint", "deposit", "--root", "p/root.json", "--json"))
    assert [f["rule"] for f in findings["findings"]] == ["no-sbom", "no-vulnerabilities"], findings
    signed = w.read("deposit/deposit.json")["signed"]
    assert set(signed["refs"]) == {"HEAD", "refs/heads/main", "refs/tags/v1"}
    assert signed["refs"]["refs/tags/v1"]["swhid"].startswith("swh:1:rel:")
    head = w.sh("git rev-parse HEAD", cwd=w.dir / "src").strip()
    assert signed["refs"]["HEAD"] == {"commit": head, "swhid": f"swh:1:rev:{head}"}
    assert signed["compartments"]["restricted"]["out"] == "undertaking"
    assert not any("pin" in i["path"] for i in signed["items"])
    for item in signed["items"]:
        if item["path"] == "build/build.sh":
            assert item["sha256"] == hashlib.sha256(b"make\n").hexdigest()


def tampering_is_named(w):
    """Whatever is changed, lost or added in the folder, verify refuses it by name."""
    names = sorted(str(p.relative_to(w.dir / "deposit"))
                   for p in (w.dir / "deposit").rglob("*") if p.is_file())
    assert len(names) == 16, names
    bad = w.dir / "bad"
    for name in names:
        for how in ("flip", "cut", "lose", "link"):
            shutil.copytree(w.dir / "deposit", bad)
            path = bad / name
            data = path.read_bytes()
            if how == "flip":
                middle = len(data) // 2
                path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:])
            elif how == "cut":
                path.write_bytes(data[:-2])  # the last may be a newline
            else:
                path.unlink()
            if how == "link":
                path.symlink_to(w.dir / "deposit" / name)
            status = 3
            if name == "deposit.json" and how == "lose":
                status = 2  # no deposit at all
            if name == "deposit.json" and how == "link":
                status = 0  # the person's own way to the very same manifest
            out = w.run("verify", "bad", "--root", "p/root.json", status=status)
            assert status == 0 or name in out, (name, how, out)
            shutil.rmtree(bad)
    shutil.copytree(w.dir / "deposit", bad)
    (bad / "public/extra").write_text("x")
    assert "public/extra: not listed" in w.run("verify", "bad", status=3)
    shutil.rmtree(bad)


def shares_of(w, compartment="public", folder="deposit"):
    """Each trustee decrypts, as anybody would."""
    out = {}
    for seat, name in enumerate(("anna", "bert", "carla"), 1):
        fpr = w.read(f"{folder}/deposit.json")["signed"]["trustees"]["seats"][seat - 1][
            "encryption_fingerprint"].upper()
        out[seat] = w.dir / f"{folder}-{compartment}.00{seat}"
        if not out[seat].exists():
            w.sh(f"gpg -q -o {out[seat]} -d {folder}/{compartment}/shares/{fpr}.gpg",
                 home=w.homes[name])
    return out


def opens_with_any_two(w):
    share = shares_of(w)
    for n, pair in enumerate(((1, 2), (3, 1), (2, 3))):
        args = sum((["--share", share[i]] for i in pair), [])
        w.run("open", "deposit", "--to", f"o{n}", *args, "--root", "p/root.json")
        got = w.dir / f"o{n}"
        assert (got / "build/build.sh").read_text() == "make\n"
        assert (got / "build/build.sh").stat().st_mode & 0o100
        assert (got / "build/däta/ü.txt").read_text() == "x\n"
        assert (got / "handover/bridge.root.json").read_bytes() == \
            (w.dir / "bridge.root.json").read_bytes()
        w.sh("sha256sum -c --quiet MANIFEST.sha256", cwd=got)
    read, write = os.pipe()
    os.write(write, b"".join(b"%d %s\n" % (i, base64.b64encode(share[i].read_bytes()))
                             for i in (1, 3)))
    os.close(write)
    (w.dir / "empty").mkdir()
    w.run("open", "deposit", "--to", "empty", "--shares-fd", read, pass_fds=(read,))
    os.close(read)
    assert (w.dir / "empty/licence/LICENCE").read_text() == "MIT\n"
    w.run("open", "deposit", "--to", "by-vendor", "--vendor", "--gnupg-home", w.homes["vendor"])


def wrong_shares_are_named(w):
    share = shares_of(w)
    one = share[1].read_bytes()
    (w.dir / "bad.002").write_bytes(bytes([one[0] ^ 1]) + one[1:])
    (w.dir / "renamed.003").write_bytes(one)
    (w.dir / "short.002").write_bytes(one[:-1])
    (w.dir / "noname").write_bytes(one)
    (w.dir / "nobody.009").write_bytes(os.urandom(64))
    secret = shares_of(w, "restricted")[2]
    first = ["--share", share[1]]
    cases = [
        (first, 5, "1 of 2 shares"),
        (first + ["--share", share[1]], 3, "share 1: given twice"),
        (first + ["--share", "bad.002"], 3, "share 2 (Bert B.): damaged, or of another deposit"),
        (first + ["--share", "renamed.003"], 3, "share 3: is share 1 of the public"),
        (first + ["--share", "nobody.009"], 3, "share 9: nobody has this number"),
        (first + ["--share", secret], 3, "share 2: is share 2 of the restricted"),
        (first + ["--share", "short.002"], 2, "want 64 bytes, got 63"),
        (first + ["--share", "noname"], 2, "ends in .001 to .255"),
        (first + ["--share", "absent.002"], 2, "absent.002"),
        ([], 2, "want shares"),
    ]
    for args, status, words in cases:
        out = w.run("open", "deposit", "--to", "never", *args, status=status)
        assert words in out, (args, out)
        assert not (w.dir / "never").exists()
    both = first + ["--share", share[2]]
    assert "not an empty folder" in w.run("open", "deposit", "--to", "o0", *both, status=2)


def a_lying_manifest_opens_nothing(w):
    """The vendor's threshold signed it, and still the archive must be what it says."""
    share = shares_of(w)
    both = ["--share", share[1], "--share", share[2]]
    good = w.read("deposit/deposit.json")

    def item(signed):
        next(i for i in signed["items"] if i["path"] == "licence/LICENCE")["sha256"] = "0" * 64

    def lost(signed):
        signed["items"] = [i for i in signed["items"] if i["path"] != "licence/LICENCE"]

    def ref(signed):
        signed["refs"]["refs/heads/main"]["commit"] = "0" * 40

    def more(signed):
        signed["refs"]["refs/heads/other"] = signed["refs"]["refs/heads/main"]

    def bridge(signed):
        signed["bridge"] = "0" * 64

    for change, words in ((item, "MANIFEST.sha256: not the list"),
                          (lost, "MANIFEST.sha256: not the list"), (ref, "refs/heads/main"),
                          (more, "refs/heads/other: in no bundle"), (bridge, "want id 000")):
        shutil.copytree(w.dir / "deposit", w.dir / "lie")
        doc = json.loads(json.dumps(good))
        change(doc["signed"])
        doc["signatures"] = []
        (w.dir / "lie/deposit.json").write_text(json.dumps(doc))
        w.run("root", "sign", "lie/deposit.json", "--key", "pem:k2", "--key", "pem:k3")
        out = w.run("open", "lie", "--to", "never", *both, "--root", "p/root.json", status=3)
        assert words in out, (words, out)
        assert not (w.dir / "never").exists()
        shutil.rmtree(w.dir / "lie")


def restricted_opens_for_the_beneficiary(w):
    share = shares_of(w, "restricted")
    sealed = [w.dir / f"to-fixer.00{i}.gpg" for i in (1, 3)]
    for i, to in zip((1, 3), sealed):
        w.sh(f"gpg -q --trust-model always -r fixer -o {to} -e {share[i]}",
             home=keyring_with(w, "fixer"))
    for i, path in zip((1, 3), sealed):
        w.sh(f"gpg -q -o mine.00{i} -d {path}", home=w.homes["fixer"])
    w.run("open", "deposit", "--compartment", "restricted", "--to", "mine", "--share", "mine.001",
          "--share", "mine.003")
    assert (w.dir / "mine/unlock/pin").read_text() == "1234\n"
    out = w.run("open", "deposit", "--to", "never", "--share", "mine.001", "--share", "mine.003",
                status=3)
    assert "of the restricted compartment" in out, out


def keyring_with(w, name):
    home = w.dir / "gpg" / "post"
    if not home.exists():
        home.mkdir(mode=0o700)
        w.homes["post"] = str(home)
        w.sh(f"gpg -q --import {name}.asc", home=home)
    return home


def howto_works_line_by_line(w):
    """Only gpg, gfcombine, sha256sum, tar and git; the keys of all trustees in one home."""
    home = w.dir / "gpg" / "all"
    home.mkdir(mode=0o700)
    w.homes["all"] = str(home)
    for name in ("anna", "bert", "carla"):
        w.sh(f"gpg -q --homedir {w.homes[name]} --batch --export-secret-keys | "
             f"gpg -q --homedir {home} --batch --import")
    shutil.copytree(w.dir / "deposit", w.dir / "by-hand")
    here = w.dir / "by-hand"
    commands = re.findall(r"^    \$ (.*)$", (here / "HOWTO.txt").read_text(), re.M)
    assert len(commands) > 20, commands
    path = w.env["PATH"].replace(os.environ["BIN"], "")
    for command in commands:
        w.sh(f"PATH='{path}'; {command}", cwd=here, home=home)
    assert (here / "opened/build/build.sh").read_text() == "make\n"
    assert (here / "opened/build/build.sh").stat().st_mtime == 0, "times tell nothing"
    assert (here / "opened-restricted/unlock/pin").read_text() == "1234\n"
    assert (here / "source/lego.nxt/a").read_text() == "one\n"
    tools = {re.split(r"[ ;]", c)[0] for c in commands}
    assert tools <= {"gpg", "gfcombine", "echo", "tar", "git", "mkdir", "cmp", "sed", "python3",
                     "cat", "(cd"}, tools


def source_may_be_a_bundle(w):
    w.sh("git -C src bundle create -q ../own.bundle HEAD main")
    w.run(*seal_args(w, "bundled", source="own.bundle", restricted=None, beneficiary=None))
    signed = w.read("bundled/deposit.json")["signed"]
    assert set(signed["refs"]) == {"HEAD", "refs/heads/main"}
    assert "restricted" not in signed["compartments"]
    w.sh("echo two >a && git -c user.name=x -c user.email=x@x commit -qam two && "
         "git bundle create -q ../part.bundle HEAD main ^HEAD~1", cwd=w.dir / "src")
    assert "part.bundle" in w.run(*seal_args(w, "part", source="part.bundle"), status=2)


def nothing_is_left_after_a_signal(w):
    with open(w.dir / "recipe/big", "wb") as f:
        f.truncate(1 << 28)
    for number in (signal.SIGTERM, signal.SIGKILL):
        p = subprocess.Popen([BIN, *map(str, seal_args(w, "cut"))], cwd=w.dir, env=w.env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + LIMIT_S
        while not list(w.dir.glob(".tmp-*/.tmp-*/public/payload.tar.gpg")):
            assert time.monotonic() < end and p.poll() is None
            time.sleep(0.01)
        p.send_signal(number)
        p.wait()
        while list(w.dir.glob(".tmp-*")) or list((w.dir / "tmp").iterdir()):
            assert time.monotonic() < end, (number, list(w.dir.glob(".tmp-*")),
                                            list((w.dir / "tmp").iterdir()))
            time.sleep(0.01)
        assert not (w.dir / "cut").exists()
    (w.dir / "recipe/big").unlink()


def main():
    w = World()
    try:
        for step in (make_keys, make_root, make_bridge, make_sources, seal_refuses,
                     seal_and_verify, tampering_is_named, opens_with_any_two,
                     wrong_shares_are_named, a_lying_manifest_opens_nothing,
                     restricted_opens_for_the_beneficiary, howto_works_line_by_line,
                     source_may_be_a_bundle, nothing_is_left_after_a_signal):
            began = time.monotonic()
            step(w)
            print(f"ok {step.__name__} {time.monotonic() - began:.1f} s", flush=True)
        assert not list((w.dir / "tmp").iterdir()), list((w.dir / "tmp").iterdir())
        assert not list(w.dir.glob(".tmp-*"))
    finally:
        w.close()


if __name__ == "__main__":
    main()
