# SPDX-License-Identifier: Apache-2.0
"""A vendor falls silent, by the real programs; years pass by what witnesses say of the log."""

import base64
import json
import shutil
import time
import types

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lib_device import Device, Key, Log, identity
from lib_escrow import World
from test_escrow_registry import LIMIT_S, PUBLISH, Running, seal, submitted, tool

DAY = 86400
# What is said here is dated by this machine's clock, so all that witnesses see is before.
NOTICED = int(time.time()) - 60 * DAY
ENDED = time.strftime("%Y-%m-%d", time.gmtime(NOTICED - 300 * DAY))  # the promised support
AT = ["--product", "lego.nxt"]


class Witnesses:
    """Three, of whom two must cosign; they sign what lies in the registry's tree."""

    def __init__(self, public):
        self.public = public
        self.keys = [(f"witness.test/{i}", Key()) for i in range(3)]

    def listed(self):
        return {"threshold": 2, "keys": [
            f"{name}+{Log.cosigner(name, key).hex()}+"
            + base64.b64encode(b"\x04" + key.public).decode() for name, key in self.keys]}

    def cosign(self, path, at, liar=0):
        """All of them at `at`; one is off by `liar` seconds."""
        note = path.read_text()
        before, mark, after = note.partition("\n\n") if note.startswith("c2sp.org") else ("", "", note)
        text, _, lines = after.partition("\n\n")
        text += "\n"
        mine = [f"\u2014 {name} " for name, _ in self.keys]
        kept = [line for line in lines.splitlines() if not line.startswith(tuple(mine))]
        for i, (name, key) in enumerate(self.keys):
            its = at + (liar if i == 1 else 0)
            raw = Log.cosigner(name, key) + its.to_bytes(8, "big") \
                + key.sign(f"cosignature/v1\ntime {its}\n{text}".encode())
            kept.append(f"\u2014 {name} {base64.b64encode(raw).decode()}")
        path.write_text(before + mark + text + "\n" + "".join(f"{line}\n" for line in kept))

    def saw(self, at, *ids, liar=0):
        for one in ids:
            self.cosign(self.public / f"p/lego.nxt/proofs/{one}.tlog-proof", at, liar)
        self.cosign(self.public / "log/checkpoint", at, liar)


def leaves(w):
    text = (w.dir / "registry/public/p/lego.nxt/leaves.jsonl").read_text()
    return [json.loads(line)["leaf"] for line in text.splitlines()]


def newest(w, kind):
    return [leaf["id"] for leaf in leaves(w) if leaf["kind"] == kind][-1]


def product(w, r):
    """Root 1 names the witnesses, and is two years old by their word."""
    w.person("vendor")
    for n in (1, 2, 3):
        w.run("key", "new", "--type", "ed25519", "--out", f"k{n}")
        w.run("key", "export", "--key", f"pem:k{n}", "--out", f"k{n}.json")
    w.run("product", "new", *AT, "--name", "NXT", "--publisher", "lego", "--publisher-name",
          "LEGO", "--root-key", "k1.json", "--root-key", "k2.json", "--root-key", "k3.json",
          "--threshold", "2", "--targets-key", "k1.json", "--registry", r.url, "--hardware",
          "lego,nxt", "--support-until", ENDED, "--out", "p")
    root = w.read("p/root.json")
    root["signed"]["x-bequest"]["witnesses"] = w.witnesses.listed()
    said = w.read("p/product.json")
    said["signed"]["root"]["id"] = identity(root)
    for name, doc in (("root", root), ("product", said)):
        (w.dir / f"p/{name}.json").write_text(json.dumps(doc))
    for name in ("root", "product"):
        w.run("root", "sign", f"p/{name}.json", "--key", "pem:k1")
        w.run("root", "sign", f"p/{name}.json", "--key", "pem:k2")
    submitted(w, r, "p/root.json", "p/product.json")
    seal(w, support_until=ENDED)
    w.run("root", "sign", "deposit/deposit.json", "--key", "pem:k3")
    w.run("deposit", "deposit", "--registry", r.url)
    w.witnesses.saw(NOTICED - 700 * DAY, *[leaf["id"] for leaf in leaves(w)])


def me(w, name):
    return ["--key", f"gpg:{name}", "--gnupg-home", w.homes[name]]


def the_period_ends_to_the_second(w, r):
    at = [*AT, "--registry", r.url]
    w.run("notice", *at, "--ground", "silence", *me(w, "anna"))
    notice = newest(w, "notice")
    # One witness is forty years ahead: that opens no period earlier, and ends none.
    w.witnesses.saw(NOTICED, notice, liar=-40 * 365 * DAY)
    votes = []
    for name in ("anna", "bert"):
        w.run("approve", *at, "--notice", notice, *me(w, name))
        votes.append(newest(w, "approval"))
    w.witnesses.saw(NOTICED + 30 * DAY - 1, *votes, liar=40 * 365 * DAY)
    for name in ("anna", "bert"):
        w.run("share", *at, "--gnupg-home", w.homes[name], status=5)
    w.witnesses.saw(NOTICED + 30 * DAY, *votes)
    assert "1 of 2" in w.run("share", *at, "--gnupg-home", w.homes["anna"])
    assert "2 of 2" in w.run("share", *at, "--gnupg-home", w.homes["bert"])
    w.run("status", *at, "--wait-open", LIMIT_S)
    w.votes = votes


def stewards_take_over(w, r):
    at = [*AT, "--registry", r.url]
    w.run("countersign", *at, "--out", "b.json", *me(w, "s1"))
    w.run("countersign", "b.json", *me(w, "s3"))
    w.run("appoint", *at, "--bridge", "b.json", "--maintainer", "k2.json", "--out", "r3.json",
          *me(w, "s1"))
    w.run("root", "sign", "r3.json", "--root", "b.json", *me(w, "s2"))
    tool(w, PUBLISH, "checkout", *at, "--root", "r3.json", "--unpublished", "work")
    tool(w, PUBLISH, "sign", "--dir", "work", "--key", "pem:k2")
    tool(w, PUBLISH, "submit", "--dir", "work", "--with", "b.json", "--with", "r3.json")
    late = [leaf["id"] for leaf in leaves(w) if leaf["kind"] in ("root", "release", "targets")]
    w.witnesses.saw(NOTICED + 40 * DAY, *late[1:])


def offer(d):
    return json.loads(d.run("handover", "show", "--json").stdout)["handover"]


def a_device_follows_at_that_second_whatever_its_clock_says(w, r):
    product = types.SimpleNamespace(name="lego.nxt", hardware="lego,nxt",
                                    roots=[(w.dir / "p/root.json").read_bytes()])
    d = Device(w.dir / "device", product, [r.url], clock="untrusted")
    w.witnesses.saw(NOTICED + 30 * DAY - 1, *w.votes)
    assert offer(d)["released"] == "no"
    assert "30 days" in d.run("why").stdout, d.run("why").stdout
    w.witnesses.saw(NOTICED + 30 * DAY, *w.votes)
    assert offer(d)["released"] == "yes"
    d.expect(0, "handover", "accept")
    d.run("update", "--yes")
    assert d.status()["root_version"] == 3, d.status()
    w.device = d


def stewards_give_it_back_after_fourteen_days(w, r):
    at = [*AT, "--registry", r.url]
    new = ["--publisher", "lego.again", "--publisher-name", "LEGO", "--targets-key", "k2.json",
           "--threshold", "1"]
    out = w.run("return", *at, *new, "--root-key", "k1.json", "--out", "r4.json", status=2)
    assert "was a key of root 1" in out, out
    w.run("key", "new", "--type", "ed25519", "--out", "k4")
    w.run("key", "export", "--key", "pem:k4", "--out", "k4.json")
    w.run("return", *at, *new, "--root-key", "k4.json", "--out", "r4.json", "--key", "pem:k4")
    out = w.run("succession", "r4.json", *at, "--key", "pem:k4", status=2)
    assert "no key of root 3 signed it yet" in out, out
    for name in ("s1", "s2"):
        w.run("root", "sign", "r4.json", *me(w, name))
    out = w.run("rotation", "r4.json", *at, "--out", "no.json", status=2)
    assert "a rotation keeps them" in out, out
    w.run("succession", "r4.json", *at, "--reason", "they want it back", *me(w, "s1"))
    for by in (me(w, "s2"), ["--key", "pem:k4"]):
        w.run("root", "sign", proposal(w, r, "succession"), *by)
        w.run("submit", "proposal.json", "--registry", r.url)
    said = newest(w, "succession")
    w.witnesses.saw(NOTICED + 50 * DAY, said)
    tool(w, PUBLISH, "checkout", *at, "--root", "r4.json", "--unpublished", "work4")
    tool(w, PUBLISH, "sign", "--dir", "work4", "--key", "pem:k2")
    w.witnesses.saw(NOTICED + 64 * DAY - 1)
    out = w.run("submit", "r4.json", "--registry", r.url, status=5)
    assert "its succession has to be in the log for 14 witnessed days" in out, out
    w.witnesses.saw(NOTICED + 64 * DAY)
    tool(w, PUBLISH, "submit", "--dir", "work4", "--with", "r4.json")
    w.witnesses.saw(NOTICED + 64 * DAY, newest(w, "root"))
    assert offer(w.device)["released"] == "yes"
    w.device.expect(0, "handover", "accept")
    w.device.run("update", "--yes")
    assert w.device.status()["root_version"] == 4, w.device.status()


def witnesses_move_the_log(w, r):
    """A copy of the tree stands for the new log: all that the old one had, under another key."""
    public = w.dir / "registry/public"
    last = public / "log/checkpoint"
    (w.dir / "last").write_bytes(last.read_bytes())
    text = last.read_text().partition("\n\n")[0].replace("log.test", "new.test", 1) + "\n"
    new = Log("new.test")
    raw = base64.b64encode(new.key_id + new.key.sign(text.encode())).decode()
    shutil.copytree(public, w.dir / "moved")
    (w.dir / "moved/log/checkpoint").write_text(f"{text}\n\u2014 new.test {raw}\n")
    for i, (_, key) in enumerate(w.witnesses.keys[:2]):
        (w.dir / f"w{i}").write_bytes(key.private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    move = ["log-move", *AT, "--registry", f"file://{w.dir}/moved", "--last", "last", "--vkey",
            new.vkey(), "--out", "move.json"]
    w.run(*move, "--key", "pem:w0")
    out = w.run("submit", "move.json", "--registry", r.url)
    assert "proposal, 1 of 2" in out, out
    w.run("root", "sign", "move.json", "--key", "pem:w1")
    submitted(w, r, "move.json")
    tile = max((w.dir / "moved/log/tile/0/000.p").iterdir(), key=lambda f: int(f.name))
    data = bytearray(tile.read_bytes())
    data[5] ^= 1
    tile.write_bytes(data)
    out = w.run(*move, status=3)
    assert "leaves are not those of the old one" in out, out


def proposal(w, r, kind):
    """What waits for signatures at the registry, as a file."""
    out = json.loads(w.sh(f"curl -s {r.url}/v1/products/lego.nxt/proposals"))
    (one,) = [p for p in out["proposals"] if p["type"] == kind]
    (w.dir / "proposal.json").write_text(json.dumps(one["document"]))
    return "proposal.json"


def main():
    w = World()
    r = Running(w)
    w.witnesses = Witnesses(w.dir / "registry/public")
    try:
        for step in (product, the_period_ends_to_the_second, stewards_take_over,
                     a_device_follows_at_that_second_whatever_its_clock_says,
                     stewards_give_it_back_after_fourteen_days, witnesses_move_the_log):
            began = time.monotonic()
            step(w, r)
            print(f"ok {step.__name__} {time.monotonic() - began:.1f} s", flush=True)
    finally:
        r.stop()
        w.close()


if __name__ == "__main__":
    main()
