# SPDX-License-Identifier: Apache-2.0
"""tuf-js follows what our programs publish, and refuses what was tampered with."""

import json
import shutil

from lib_interop import Client, Static

from lib_vendor import Desk

PRODUCT = "acme.x1"
ODD = "Jörg's #1 & 2?"
MANY = [f"many/file-{n}.txt" for n in range(10)]


def settle(d):
    """Roots by three kinds of keys, a channel, hash prefixes, an odd name, hash bins."""
    for name, kind in (("r1", "ed25519"), ("r2", "ecdsa"), ("r3", "rsa"), ("t1", "ecdsa"),
                       ("ann", "ed25519"), ("bob", "rsa"), ("eve", "ecdsa")):
        d.key(name, kind)
    d.product(PRODUCT, ["r1", "r2", "r3"], ["t1"], threshold=2, options=["--portable"])
    d.checkout("work")
    d.image("work", "fw.bin", b"firmware 1", "1.0")
    d.sign("work", "t1")
    d.submit("work")

    d.checkout("work")
    add = ["publish", "delegate", "add"]
    d.do(*add, "beta", "--dir", "work", "--key", "ann.json", "--path", "beta/*", "--path",
         "b/?/*.txt", "--until", "2099-01-01")
    d.do(*add, "many", "--dir", "work", "--key", "bob.json", "--path", "many/*", "--terminating",
         "--place", "1")
    d.do(*add, ODD, "--dir", "work", "--key", "eve.json", "--key", "ann.json", "--threshold", "2",
         *sum((["--prefix", c] for c in "0123456789abcdef"), []))
    d.do("publish", "bins", "--dir", "work", "--role", "many", "--bits", "2", "--key", "eve.json")
    d.image("work", "beta/fw.bin", b"firmware 2", "2.0", "--role", "beta")
    d.plain("work", "b/x/note.txt", b"a note", "--role", "beta")
    d.plain("work", "hashed file.txt", b"by its hash", "--role", ODD)
    for name in MANY:
        d.plain("work", name, name.encode(), "--role", "many")
    d.sign("work", "t1", "ann", "bob", "eve")
    d.submit("work")


def rotate(d, version, *options):
    out = f"root{version}.json"
    d.do("escrow", "root", "rotate", "--root", d.newest, "--out", out, "--portable", *options,
         "--key", "pem:r1", "--key", "pem:r2")
    d.do("escrow", "submit", out, "--registry", d.url)
    d.newest = out


def roots_channels_and_bins_are_followed(d, base):
    client = Client("tuf-js", d.dir / "js-1", d.dir / PRODUCT / "root.json")
    client.refresh(base)
    assert client.version() == 1
    for version in (2, 3, 4):
        rotate(d, version)
    client.refresh(base)
    assert client.version() == 4
    late = Client("tuf-js", d.dir / "js-2", d.dir / PRODUCT / "root.json")
    wanted = {"fw.bin": b"firmware 1", "beta/fw.bin": b"firmware 2", "b/x/note.txt": b"a note",
              "hashed file.txt": b"by its hash", **{n: n.encode() for n in MANY}}
    for client_now in (client, late, Client("bequest", d.dir / "own", d.dir / PRODUCT /
                                            "root.json")):
        assert client_now.download(base, *wanted) == list(wanted.values())
        assert client_now.version() == 4
    for name in ("many/none.txt", "other.txt", "beta/other/fw.bin"):
        assert "no such target" in late.download(base, name, status=1)
    return late


def news_are_followed(d, base, client):
    """News are followed: a new version, and a channel that ended."""
    d.checkout("work")
    d.image("work", "fw.bin", b"firmware 3", "3.0")
    d.do("publish", "delegate", "remove", "beta", "--dir", "work")
    d.sign("work", "t1")
    d.submit("work")
    assert client.download(base, "fw.bin") == [b"firmware 3"]
    # its cache of targets is by name; the role is not asked any more
    assert "no such target" in client.download(base, "beta/other.bin", status=1)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def what_was_tampered_with_is_refused(d):
    """Every file in turn with one changed byte, or another of the same kind in its place."""
    shutil.copytree(d.dir / f"registry/public/p/{PRODUCT}", d.dir / "copy")
    metadata = d.dir / "copy/metadata"
    static = Static(d.dir / "copy")
    names = {p.name for p in metadata.iterdir() if p.suffix == ".json"}
    newest = {}
    for name in names - {"timestamp.json"}:
        version, role = name.split(".", 1)
        newest[role] = max(newest.get(role, 0), int(version))
    snapshot = f"{newest['snapshot.json']}.snapshot.json"
    tampered = ["timestamp.json", snapshot, f"{newest['targets.json']}.targets.json",
                f"{newest['many.json']}.many.json", "2.root.json", "4.root.json"]
    n = 0
    try:
        for kind in ("tuf-js", "bequest"):
            for name in tampered:
                data = (metadata / name).read_bytes()
                at = data.index(b'"signed"') + len(b'"signed":{"_type":"')
                at = data.index(b"20", at) + 3  # a digit of a date
                static.lies = {f"/metadata/{name}": flipped(data, at)}
                client = Client(kind, d.dir / f"victim-{n}", d.dir / PRODUCT / "root.json")
                client.download(static.url, MANY[0], status=1)
                n += 1
            old = f"{newest['targets.json'] - 1}.targets.json"
            lies = {
                "an older targets file": {f"/metadata/{newest['targets.json']}.targets.json":
                                          (metadata / old).read_bytes()},
                "a root that is skipped": {"/metadata/2.root.json":
                                           (metadata / "3.root.json").read_bytes()},
                "another role's file": {"/metadata/timestamp.json":
                                        (metadata / snapshot).read_bytes()},
                "a role that is missing": {f"/metadata/{newest['many.json']}.many.json": None},
            }
            for what, static.lies in lies.items():
                client = Client(kind, d.dir / f"victim-{n}", d.dir / PRODUCT / "root.json")
                assert client.download(static.url, MANY[0], status=1), what
                n += 1
            static.lies = {}
            client = Client(kind, d.dir / f"victim-{n}", d.dir / PRODUCT / "root.json")
            assert client.download(static.url, MANY[0]) == [MANY[0].encode()]
            n += 1
            file = next((d.dir / "copy/targets").glob("*.fw.bin"))
            static.lies = {f"/targets/{p.name}": b"firmware X"
                           for p in file.parent.glob("*.fw.bin")}
            client.download(static.url, "fw.bin", status=1)
    finally:
        static.close()


def main():
    d = Desk()
    try:
        d.newest = f"{PRODUCT}/root.json"
        settle(d)
        base = f"{d.url.rstrip('/')}/p/{PRODUCT}"
        client = roots_channels_and_bins_are_followed(d, base)
        news_are_followed(d, base, client)
        what_was_tampered_with_is_refused(d)
        roles = {e["role"] for e in json.loads(
            (d.dir / f"registry/public/p/{PRODUCT}/index.json").read_text())["documents"]
            if e["type"] == "targets"}
        assert roles == {"targets", "beta", "many", ODD, *(f"bin-{n}" for n in range(4))}, roles
    finally:
        d.close()


if __name__ == "__main__":
    main()
