# SPDX-License-Identifier: Apache-2.0
"""tuf-js follows a handover at a portable root; and which keys it reads, as `lint` says it."""

import shutil
import sys

from lib_interop import Client

from lib_escrow import World, make_sources, seal_args
from test_escrow_registry import LIMIT_S, PUBLISH, Running, submitted, tool

PRODUCT = "lego.nxt"


def new_key(w, name, kind):
    w.run("key", "new", "--type", kind, "--out", name)
    w.run("key", "export", "--key", f"pem:{name}", "--out", f"{name}.json")
    return name


def publish(w, work, content, key, *options, with_=()):
    tool(w, PUBLISH, "checkout", *w.at, *options, work)
    (w.dir / "fw.txt").write_bytes(content)
    tool(w, PUBLISH, "add", "fw.txt", "--dir", work, "--plain")
    tool(w, PUBLISH, "sign", "--dir", work, "--key", f"pem:{key}")
    tool(w, PUBLISH, "submit", "--dir", work, *sum((["--with", f] for f in with_), []))


def sell(w, r):
    """A vendor with P-256 keys; the deposit is to OpenPGP keys, the roots are not."""
    for name in ("vendor", "anna", "bert", "carla"):
        w.person(name)
    for name in ("k1", "k2", "t1"):
        new_key(w, name, "ecdsa")
    for name in ("s1", "s2", "s3", "m1"):
        new_key(w, name, "ed25519")
    w.run("product", "new", "--product", PRODUCT, "--name", "NXT", "--publisher", "lego",
          "--publisher-name", "LEGO", "--root-key", "k1.json", "--root-key", "k2.json",
          "--targets-key", "t1.json", "--threshold", "2", "--registry", r.url, "--hardware",
          "lego,nxt", "--portable", "--out", "p")
    for name in ("root", "product"):
        for key in ("k1", "k2"):
            w.run("root", "sign", f"p/{name}.json", "--key", f"pem:{key}")
    submitted(w, r, "p/root.json", "p/product.json")
    w.at = ["--product", PRODUCT, "--registry", r.url]
    publish(w, "work", b"the vendor's", "t1")


def seal(w, r):
    stewards = sum((["--stewards", f"{s}.json"] for s in ("s1", "s2", "s3")), [])
    sign = ["--key", "pem:k1", "--key", "pem:k2"]
    w.run("root", "bridge", "--root", "p/root.json", *stewards, "--threshold", "2", "--portable",
          "--out", "bridge.root.json", *sign)
    make_sources(w)
    w.run(*seal_args(w, "deposit", restricted=None, beneficiary=None), *sign)
    w.run("deposit", "deposit", "--registry", r.url)


def a_handover_is_followed(w):
    w.run("eol", *w.at, "--date", "2026-12-01", "--release", "--key", "pem:k1", "--key",
          "pem:k2")
    w.run("share", *w.at, "--vendor", "--gnupg-home", w.homes["vendor"])
    w.run("status", *w.at, "--wait-open", LIMIT_S)
    w.run("countersign", *w.at, "--out", "bridge2.json", "--key", "pem:s1", "--key", "pem:s2")
    w.run("appoint", *w.at, "--bridge", "bridge2.json", "--maintainer", "m1.json", "--portable",
          "--out", "root3.json", "--key", "pem:s1", "--key", "pem:s3")
    publish(w, "first", b"the stewards'", "m1", "--root", "root3.json", "--unpublished",
            with_=("bridge2.json", "root3.json"))


def a_channel_for_an_openpgp_key(w, base, client):
    """One such key among the delegations is enough: the whole targets file is refused."""
    tool(w, PUBLISH, "checkout", *w.at, "channel")
    add = [PUBLISH, "delegate", "add", "beta", "--dir", "channel", "--key", "anna.json", "--path",
           "beta/*"]
    said = w.sh(" ".join(f"'{a}'" for a in [*add, "--portable"]) + " 2>&1 || true")
    assert "--portable: anna.json is an OpenPGP key" in said, said
    said = w.sh(" ".join(f"'{a}'" for a in add) + " 2>&1")
    assert "go-tuf, tough and tuf-js refuse them" in said, said
    tool(w, PUBLISH, "sign", "--dir", "channel", "--key", "pem:ed")
    tool(w, PUBLISH, "sign", "--dir", "channel", "--key", "gpg:anna", "--gnupg-home",
         w.homes["anna"])
    tool(w, PUBLISH, "submit", "--dir", "channel")
    assert "keyval must be a string record" in client.refresh(base, status=1)


def keys_are_read_as_lint_says(w, r):
    """A root of each kind of key, and what tuf-js makes of it."""
    new_key(w, "ed", "ed25519")
    w.sh("openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rs")
    w.run("key", "export", "--key", "pem:rs", "--out", "rs.json")
    w.person("rita", algo="rsa3072", encrypt="rsa3072")
    kinds = {"ed25519": ("ed", True), "ecdsa": ("k1", True), "rsa": ("rs", True),
             "pgp-ed25519": ("anna", False), "pgp-rsa": ("rita", False)}
    for kind, (key, portable) in kinds.items():
        own = ["--product", f"acme.{kind}", "--name", "X", "--publisher", "acme",
               "--publisher-name", "ACME", "--root-key", f"{key}.json", "--targets-key",
               "ed.json", "--registry", r.url, "--out", kind]
        if not portable:
            said = w.run("product", "new", *own, "--portable", status=2)
            assert "is an OpenPGP key, which" in said, said
        w.run("product", "new", *own)
        spec = ["--key", f"pem:{key}"] if portable else \
            ["--key", f"gpg:{key}", "--gnupg-home", w.homes[key]]
        for document in ("root", "product"):
            w.run("root", "sign", f"{kind}/{document}.json", *spec)
        submitted(w, r, f"{kind}/root.json", f"{kind}/product.json")
        w.at = ["--product", f"acme.{kind}", "--registry", r.url]
        publish(w, f"work-{kind}", kind.encode(), "ed")
        said = w.run("lint", f"{kind}/root.json")
        assert ("every TUF client can follow it" in said) == portable, said
        assert ("tuf-js refuse it" in said) == (not portable), said
        base = f"{r.url.rstrip('/')}/p/acme.{kind}"
        client = Client("tuf-js", w.dir / f"js-{kind}", w.dir / kind / "root.json")
        said = client.refresh(base, status=0 if portable else 1)
        assert portable or "keyval must be a string record" in said, said
        own = Client("bequest", w.dir / f"own-{kind}", w.dir / kind / "root.json")
        assert own.download(base, "fw.txt") == [kind.encode()]
        if kind == "ed25519":
            a_channel_for_an_openpgp_key(w, base, client)
            own.refresh(base)
        print(f"{kind}: tuf-js {'reads it' if portable else 'refuses it'}", flush=True)


def main():
    if not shutil.which("gfcombine"):
        sys.exit("gfcombine is missing: libgfshare-bin")
    w = World()
    r = Running(w)
    try:
        sell(w, r)
        base = f"{r.url.rstrip('/')}/p/{PRODUCT}"
        clients = [Client(kind, w.dir / f"c-{kind}", w.dir / "p/root.json")
                   for kind in ("tuf-js", "bequest")]
        for client in clients:
            assert client.download(base, "fw.txt") == [b"the vendor's"]
        seal(w, r)
        a_handover_is_followed(w)
        clients.append(Client("tuf-js", w.dir / "c-late", w.dir / "p/root.json"))
        for client in clients:
            assert client.download(base, "fw.txt") == [b"the stewards'"]
            assert client.version() == 3
        keys_are_read_as_lint_says(w, r)
    finally:
        r.stop()
        w.close()


if __name__ == "__main__":
    main()
