# SPDX-License-Identifier: Apache-2.0
"""Deposit folders for bequest-escrow verify and open: signed by the vendor itself, and false.

The first table changes one field of the manifest after another; the second replaces the payload, with
a manifest that fits it, so that only what is inside can be refused.
"""
import copy
import io
import json
import shutil
import subprocess
import tarfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib_device import canonical, sha256
from lib_escrow import BIN, World
from lib_hostile import changed
from test_escrow_registry import Running, product, seal

PASSPHRASE = "ab" * 32


class Vendor:
    """Signs with the vendor's own root keys; other code than the one under test."""

    def __init__(self, w):
        self.keys = []
        for name in ("k1", "k3"):
            key = serialization.load_pem_private_key((w.dir / name).read_bytes(), None)
            self.keys.append((w.read(f"{name}.json")["keyid"], key))

    def sign(self, body):
        return {"signed": body, "signatures": [
            {"keyid": i, "sig": k.sign(canonical(body), ec.ECDSA(hashes.SHA256())).hex()}
            for i, k in self.keys]}


def fields(good):
    """(rule, the message, the manifest)"""
    seats, files = good["trustees"]["seats"], good["files"]

    def but(*path, to=None, drop=False):
        return changed(good, *path, to=to, drop=drop)

    def file(name):
        return next(i for i, f in enumerate(files) if f["path"] == name)

    how, payload = file("HOWTO.txt"), file("public/payload.tar.gpg")
    return [
        ("another type", "deposit.json: signed.date: missing", but("_type", to="eol")),
        ("no product", "deposit.json: signed.product: missing", but("product", drop=True)),
        ("another product",
         "deposit.json: signed.product: not that of p/root.json", but("product", to="other.y2")),
        ("another root",
         "deposit.json: signed.root: version 1, not the root in p/root.json",
         changed(but("root", "id", to="1" * 64), "follows_root", "id",
                                      to="1" * 64)),
        ("follows_root differs",
         "deposit.json: signed.follows_root: want the root in signed.root",
         but("follows_root", "id", to="1" * 64)),
        ("no bridge", "deposit.json: signed.bridge: missing", but("bridge", drop=True)),
        ("one trustee decides",
         "deposit.json: signed.trustees.threshold: want 2 to 2, got 1",
         but("trustees", "threshold", to=1)),
        ("one trustee vetoes",
         "deposit.json: signed.trustees.threshold: want 2 to 2, got 3",
         but("trustees", "threshold", to=3)),
        ("no seats",
         "deposit.json: signed.trustees.seats: want 3 to 64 elements, got 0",
         but("trustees", "seats", to=[])),
        ("one seat twice",
         "deposit.json: signed.trustees.seats[1]: repeats name, key, fingerprint or number of "
         "seat 0", but("trustees", "seats", to=[seats[0], seats[0], seats[1]])),
        ("a share without digest",
         "deposit.json: signed.trustees.seats[0].shares.public: want 64 lower-case hex digits",
         but("trustees", "seats", 0, "shares", to={})),
        ("no compartment",
         "deposit.json: signed.compartments.public: want an object, got nothing",
         but("compartments", to={})),
        ("another way out",
         'deposit.json: signed.compartments.public.out: want one of public, undertaking, got '
         '"nowhere"', but("compartments", "public", "out", to="nowhere")),
        ("another payload",
         "deposit.json: signed.files: want public/payload.tar.gpg with the digest and size in "
         "compartments", but("compartments", "public", "sha256", to="2" * 64)),
        ("another size",
         "deposit.json: signed.files: want public/payload.tar.gpg with the digest and size in "
         "compartments", but("compartments", "public", "size", to=1)),
        ("an item above the folder",
         "deposit.json: signed.items[0].path: want a path below the folder",
         but("items", 0, "path", to="../x")),
        ("an item with a control character",
         "deposit.json: signed.items[0].path: want a path below the folder",
         but("items", 0, "path", to="a\x7fb")),
        ("a file above the folder",
         "deposit.json: signed.files[8].path: want a path below the folder",
         but("files", how, "path", to="../HOWTO.txt")),
        ("a file in the manifest's place",
         'deposit.json: signed.files[8].path: "deposit.json" is not for a file',
         but("files", how, "path", to="deposit.json")),
        ("a file that is not there",
         "HOWTO.md: missing", but("files", how, "path", to="HOWTO.md")),
        ("a file of another digest",
         "HOWTO.txt: want sha256 "
         "3333333333333333333333333333333333333333333333333333333333333333, got <howto>",
         but("files", how, "sha256", to="3" * 64)),
        ("a file of another size",
         "HOWTO.txt: want 1 bytes, got 4090", but("files", how, "size", to=1)),
        ("a file that is not listed",
         "HOWTO.txt: not listed in deposit.json", but("files", to=files[:how] + files[how + 1:])),
        ("a payload that is not listed",
         "deposit.json: signed.files: want public/payload.tar.gpg with the digest and size in "
         "compartments",
         but("files", to=files[:payload] + files[payload + 1:])),
        ("a ref that goes up",
         'deposit.json: signed.refs: "refs/../x" is no ref name',
         but("refs", to={"refs/../x": {"commit": "0" * 40}})),
        ("no release policy",
         "deposit.json: signed.release_policy: missing", but("release_policy", drop=True)),
        ("a rule that nobody knows",
         "deposit.json: signed.release_policy: allow: has no known operator",
         but("release_policy", "allow", to={"moon": "full"})),
        ("a time that is none",
         'deposit.json: signed.support_until: want a time such as 2030-01-31T00:00:00Z, got '
         '"soon"', but("support_until", to="soon")),
    ]


def archive(members, manifest=True, last=()):
    """A tar of (name, bytes) or TarInfo; MANIFEST.sha256 first."""
    out = io.BytesIO()
    listed = "".join(f"{sha256(data)}  {name}\n" for name, data in members)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        def add(name, data):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))

        if manifest:
            add("MANIFEST.sha256", listed.encode())
        for name, data in members:
            add(name, data)
        for info, data in last:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def regular(name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def payloads(items):
    """(rule, the message, the items that the manifest lists, the payload)"""
    def but(name, data):
        return {**items, name: data}

    (bundle,) = [n for n in items if n.endswith(".bundle")]
    pack = items[bundle]
    head = pack.index(b"\n\n") + 2
    bridge = "handover/bridge.root.json"

    def last(*member):
        return items, archive(items.items(), last=[member])

    def item(name, data):
        return but(name, data), archive(but(name, data).items())

    lost = {n: d for n, d in items.items() if n != bundle}
    return [
        ("a bundle that is none",
         "source/lego.nxt.bundle: git: error: 'source/lego.nxt.bundle' does not look like a v2 "
         "or v3 bundle file", *item(bundle, b"no bundle\n")),
        ("a bundle that is empty",
         "source/lego.nxt.bundle: git: error: 'source/lego.nxt.bundle' does not look like a v2 "
         "or v3 bundle file", *item(bundle, b"")),
        ("a bundle that is cut off",
         "source/lego.nxt.bundle: damaged, or not whole", *item(bundle, pack[:-30])),
        ("a bundle without its pack",
         "source/lego.nxt.bundle: damaged, or not whole", *item(bundle, pack[:head])),
        ("a pack with one byte changed",
         "source/lego.nxt.bundle: damaged, or not whole", *item(bundle,
                  pack[:head + 40] + bytes([pack[head + 40] ^ 1]) + pack[head + 41:])),
        ("a pack that promises more objects",
         "source/lego.nxt.bundle: damaged, or not whole", *item(bundle,
                  pack[:head + 8] + b"\xff\xff\xff\xff" + pack[head + 12:])),
        ("a ref that leads to another commit",
         "source/lego.nxt.bundle: HEAD: want <head>, got "
         "1111111111111111111111111111111111111111", *item(bundle,
                  pack.replace(pack[pack.index(b"\n") + 1:][:40], b"1" * 40))),
        ("a bridge that is no root",
         "handover/bridge.root.json: signed: missing", *item(bridge, b"{}")),
        ("no bundle at all", "source: HEAD: in no bundle", lost, archive(lost.items())),
        ("no list of the contents",
         "public/payload.tar.gpg: want MANIFEST.sha256 of at most 16777216 bytes here, got "
         "build/build.sh", items, archive(items.items(), manifest=False)),
        ("an archive that is none",
         "public/payload.tar.gpg: want MANIFEST.sha256 of at most 16777216 bytes here, got "
         "nothing", items, b"\0" * 10240),
        ("an archive that is cut off",
         "public/payload.tar.gpg: build/däta/ü.txt: not a good archive: Truncated input file "
         "(needed 510 bytes, only 414 available)", items, archive(items.items())[:4000]),
        ("a file that is not listed",
         "public/payload.tar.gpg: extra: not an item that was signed",
         *last(*regular("extra", b"x"))),
        ("a file that goes up",
         "public/payload.tar.gpg: ../escaped: not an item that was signed",
         *last(*regular("../escaped", b"x"))),
        ("a file that is absolute",
         "public/payload.tar.gpg: /tmp/escaped: not an item that was signed",
         *last(*regular("/tmp/escaped", b"x"))),
        ("a file a second time",
         "public/payload.tar.gpg: handover/bridge.root.json: in the archive twice",
         *last(*regular(bridge, b"{}"))),
        ("a link out of the folder",
         "public/payload.tar.gpg: out: not a regular file",
         *last(*special("out", tarfile.SYMTYPE, "/etc"))),
        ("a hard link to a file outside",
         "public/payload.tar.gpg: out: not a regular file",
         *last(*special("out", tarfile.LNKTYPE, "/etc/passwd"))),
        ("a device",
         "public/payload.tar.gpg: null: not a regular file",
         *last(*special("null", tarfile.CHRTYPE))),
        ("a pipe",
         "public/payload.tar.gpg: pipe: not a regular file",
         *last(*special("pipe", tarfile.FIFOTYPE))),
    ]


def run(w, faults, rule, message, args):
    """Exit 3, this message, and nothing unpacked or left behind."""
    done = subprocess.run([BIN, *args], cwd=w.dir, env=w.env, text=True, capture_output=True,
                          timeout=60, check=False)
    said = done.stderr.strip().removeprefix("bequest-escrow: ")
    for known, name in w.names:
        said = said.replace(known, name)
    got = done.returncode, said
    if got != (3, message):
        faults.append(f"{rule}: want {(3, message)!r}\n      got {got!r}")
    left = [p for p in w.dir.glob("never*")] + list((w.dir / "tmp").iterdir())
    if left or (w.dir / "escaped").exists():
        faults.append(f"{rule}: left {left}")
        shutil.rmtree(w.dir / "never", ignore_errors=True)


def with_payload(w, good, listed, payload):
    """The folder's payload, encrypted anew, and a manifest that says so."""
    folder = w.dir / "lie"
    at = folder / "public/payload.tar.gpg"
    at.unlink()
    (w.dir / "plain").write_bytes(payload)
    w.sh(f"gpg --batch --quiet --pinentry-mode loopback --passphrase-file passphrase --s2k-count "
         f"65536 --cipher-algo AES256 --compress-algo none -o {at} -c plain",
         home=w.homes["vendor"])
    data = at.read_bytes()
    body = copy.deepcopy(good)
    body["compartments"]["public"].update(sha256=sha256(data), size=len(data),
                                          passphrase_sha256=sha256(PASSPHRASE.encode()))
    for f in body["files"]:
        if f["path"] == "public/payload.tar.gpg":
            f.update(sha256=sha256(data), size=len(data))
    body["items"] = [{"path": n, "size": len(d), "sha256": sha256(d)} for n, d in listed.items()]
    return body


def main():
    w = World()
    r = Running(w)
    faults = []
    try:
        product(w, r)
        seal(w)
        r.stop()
        vendor = Vendor(w)
        good = w.read("deposit/deposit.json")["signed"]
        w.names = [(sha256((w.dir / "deposit/HOWTO.txt").read_bytes()), "<howto>"),
                   (good["refs"]["HEAD"]["commit"], "<head>")]
        shutil.copytree(w.dir / "deposit", w.dir / "lie")
        manifest = w.dir / "lie/deposit.json"
        (w.dir / "passphrase").write_text(PASSPHRASE)
        manifest.write_text(json.dumps(vendor.sign(good)))
        w.run("verify", "lie", "--root", "p/root.json")
        for rule, message, body in fields(good):
            manifest.write_text(json.dumps(vendor.sign(body)))
            run(w, faults, rule, message, ["verify", "lie", "--root", "p/root.json"])
        w.run("open", "deposit", "--to", "opened", "--vendor", "--gnupg-home", w.homes["vendor"])
        items = {i["path"]: (w.dir / "opened" / i["path"]).read_bytes() for i in good["items"]}
        opening = ["--passphrase", "passphrase", "--root", "p/root.json"]
        body = with_payload(w, good, items, archive(items.items()))
        manifest.write_text(json.dumps(vendor.sign(body)))
        w.run("open", "lie", "--to", "fine", *opening)
        for rule, message, listed, payload in payloads(items):
            body = with_payload(w, good, listed, payload)
            manifest.write_text(json.dumps(vendor.sign(body)))
            run(w, faults, rule, message, ["open", "lie", "--to", "never", *opening])
    finally:
        if r.process.poll() is None:
            r.stop()
        w.close()
    assert not faults, "\n".join(faults)
    print("ok")


main()
