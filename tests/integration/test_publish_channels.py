# SPDX-License-Identifier: Apache-2.0
"""Channels from the vendor's desk to the device: made, followed, changed hands, ended."""

import hashlib
import json
import time
from datetime import datetime, timedelta, timezone

from lib_vendor import Desk, LIMIT_S

PRODUCT = "acme.x1"
V1, V2, V3 = (bytes([n]) * 4096 for n in (1, 2, 3))


def device(d, name, channel):
    """Its owner follows a channel; it runs the vendor's first image."""
    d.write(f"{name}/slot-a.img", V1)
    d.write(f"{name}/slot-b.img", b"\0" * 8192)
    d.write(f"{name}/factory-root.json", (d.dir / PRODUCT / "root.json").read_bytes())
    d.write(f"{name}/boot.env", b"BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\nBOOTED=A\n")
    d.write(f"{name}/client.conf",
            f"product = {PRODUCT}\nurl = {d.url}\nhardware = acme,x1\nstate = state\n"
            f"factory-root = factory-root.json\npolicy = auto\nbackend = ab-image\n"
            f"slot-a = slot-a.img\nslot-b = slot-b.img\nboot-env = boot.env\nboot-tries = 3\n"
            f"channel = {channel}\nallow-http = yes\nclock = trusted\n".encode())
    return name


def client(d, name, *verb, status=0):
    return d.do("client", *verb, "--config", f"{name}/client.conf", status=status)


def installs(d, name, image):
    client(d, name, "update", "--yes")
    content = (d.dir / name / "slot-b.img").read_bytes()
    assert content[:len(image)] == image, hashlib.sha256(content).hexdigest()


def make_channel(d):
    """The vendor delegates, the maintainer signs a first version, both go in one array."""
    d.key("k1")
    d.key("k2", "rsa")
    d.key("ann", "ed25519")
    d.key("bob", "ecdsa")
    d.product(PRODUCT, ["k1", "k2"], ["k1"], threshold=2)
    d.checkout("work")
    d.image("work", "fw.bin", V1, "1.0")
    d.sign("work", "k1")
    d.submit("work")

    d.checkout("work")
    out = d.do("publish", "delegate", "add", "beta", "--dir", "work", "--path", "beta/*",
               status=2)
    assert "a new channel needs --key" in out, out
    for bad, said in (("beta/[ab]", "not a path pattern"), ("/x", "not a path pattern")):
        out = d.do("publish", "delegate", "add", "beta", "--dir", "work", "--key", "ann.json",
                   "--path", bad, status=2)
        assert said in out, out
    out = d.do("publish", "delegate", "add", "beta", "--dir", "work", "--key", "ann.json",
               "--path", "beta/*", "--threshold", "2", status=2)
    assert "1 of its keys can be used, and its threshold is 2" in out, out
    out = d.do("publish", "delegate", "add", "beta", "--dir", "work", "--key", "ann.json",
               "--path", "beta/*")
    assert "beta 1: started" in out, out
    d.sign("work", "k1")
    out = d.submit("work", status=4)
    assert "beta 1: nobody signed it: left out" in out, out
    assert "post its first version in the same array" in out, out

    # a shell hands over what is no text
    out = d.do("publish", "delegate", "add", "b\udce9ta", "--dir", "work", "--key", "ann.json",
               "--path", "beta/*", status=2)
    assert "NAME: want UTF-8" in out, out
    out = d.do("publish", "bins", "--dir", "work", "--bits", "2", "--key", "ann.json", "--name",
               "b\udce9n", status=2)
    assert "--name: want UTF-8" in out, out
    for option in ("--notes", "--fixes"):
        out = d.image("work", "fw.bin", V2, "2.0", option, "caf\udce9", status=2)
        assert f"{option}: want UTF-8" in out, out
    out = d.image("work", "fw.bin", V2, "2.0", "--name", "caf\udce9", status=2)
    assert "--name" in out and "UTF-8" in out, out

    # by post: the draft travels as a file, and comes back signed
    d.write("at-ann/beta.json", (d.dir / "work/draft.beta.json").read_bytes())
    out = d.do("publish", "sign", "--file", "at-ann/beta.json", "--key", "pem:ann")
    assert f"beta 1 of {PRODUCT}: 0 files" in out, out
    # another copy, on which her signature was spoilt, is not in the way of the true one
    copy = json.loads((d.dir / "at-ann/beta.json").read_bytes())
    copy["signatures"][0]["sig"] = "00" * 64
    d.write("spoilt.json", json.dumps(copy).encode())
    out = d.do("publish", "sign", "--dir", "work", "--from", "spoilt.json")
    assert "0 of 1 signatures" in out, out
    out = d.do("publish", "sign", "--dir", "work", "--from", "at-ann/beta.json")
    assert "1 of 1 signatures" in out, out
    out = d.submit("work")
    assert "targets 2 published" in out and "beta 1 published" in out, out
    out = d.do("publish", "sign", "--dir", "work", "--from", "bob.json", status=2)
    assert "--from: bob.json" in out, out
    out = d.do("publish", "sign", "--dir", "work", "--from", f"{PRODUCT}/root.json", status=2)
    assert "--from: is no copy of a draft in this folder" in out, out


def a_channel_is_published_and_followed(d):
    make_channel(d)
    d.checkout("at-ann/work", "--role", "beta")
    out = d.image("at-ann/work", "fw.bin", V2, "2.0", "--role", "beta", status=2)
    assert "fw.bin: is not among the paths that are delegated to beta" in out, out
    d.image("at-ann/work", "beta/fw.bin", V2, "2.0", "--role", "beta")
    out = d.do("publish", "sign", "--dir", "at-ann/work", "--key", "pem:bob", status=2)
    assert "is no key of a role" in out, out
    d.sign("at-ann/work", "ann")
    d.submit("at-ann/work")
    assert (d.dir / f"registry/public/p/{PRODUCT}/metadata/2.beta.json").exists()
    listed = {(e["role"], e["version"]) for e in
              d.read(f"registry/public/p/{PRODUCT}/index.json")["documents"] if "role" in e}
    assert ("beta", 2) in listed, listed

    follows, stays = device(d, "dev-1", "beta"), device(d, "dev-2", "")
    for name in (follows, stays):
        client(d, name, "init", "--root", f"{name}/factory-root.json", "--product", PRODUCT,
               "--url", d.url, "--hardware", "acme,x1", "--installed", "1.0")
    installs(d, follows, V2)
    client(d, stays, "update", "--yes")
    assert (d.dir / stays / "slot-b.img").read_bytes() == b"\0" * 8192
    assert d.download(PRODUCT, "fw.bin", "beta/fw.bin") == [V1, V2]


def who_is_removed_publishes_no_more(d):
    d.checkout("at-ann/work", "--role", "beta")
    d.checkout("work")
    out = d.do("publish", "delegate", "add", "beta", "--dir", "work", "--key", "bob.json")
    assert "beta 3: started" in out, out
    d.sign("work", "k1", "bob")
    d.submit("work")
    d.image("at-ann/work", "beta/fw.bin", V3, "3.0", "--role", "beta")
    d.sign("at-ann/work", "ann")  # as far as her folder knows she may
    out = d.submit("at-ann/work", status=3)
    assert "beta 3: 0 of 1 signatures" in out, out
    d.checkout("at-ann/work", "--role", "beta")
    out = d.do("publish", "sign", "--dir", "at-ann/work", "--role", "beta", "--key", "pem:ann",
               status=2)
    assert "is no key of a role" in out, out
    (entry,) = d.report("publish", "delegate", "list", "--dir", "at-ann/work")["roles"]
    assert (entry["version"], entry["draft"], entry["paths"]) == (3, 4, ["beta/*"]), entry
    assert entry["keyids"] == [d.read("bob.json")["keyid"]], entry

    d.checkout("work")
    d.do("publish", "delegate", "remove", "beta", "--dir", "work")
    d.sign("work", "k1")
    d.submit("work")
    out = d.do("publish", "checkout", "at-bob/work", *d.at, "--role", "beta", status=2)
    assert "who delegates to it makes its first version" in out, out
    out = client(d, "dev-1", "check", status=5)
    assert "delegates to no such role" in out, out
    assert d.download(PRODUCT, "fw.bin") == [V1]
    d.download(PRODUCT, "beta/fw.bin", status=1)


def a_channel_that_comes_back_goes_on(d):
    """Its versions go on from where they were, since the snapshot never forgot them."""
    d.checkout("work")
    d.do("publish", "delegate", "add", "beta", "--dir", "work", "--key", "bob.json", "--path",
         "beta/*")
    d.sign("work", "k1", "bob")
    assert "beta 4 published" in d.submit("work")


def a_steward_for_a_while_ends(d):
    until = datetime.now(timezone.utc) + timedelta(seconds=4)
    d.checkout("work")
    out = d.do("publish", "delegate", "add", "guest", "--dir", "work", "--key", "ann.json",
               "--path", "guest/*", "--until", "soon", status=2)
    assert "want YYYY-MM-DDTHH:MM:SSZ, YYYY-MM-DD or never" in out, out
    d.do("publish", "delegate", "add", "guest", "--dir", "work", "--key", "ann.json", "--path",
         "guest/*", "--until", until.strftime("%Y-%m-%dT%H:%M:%SZ"))
    d.image("work", "guest/fw.bin", V3, "3.0", "--role", "guest")
    d.sign("work", "k1", "ann")
    d.submit("work")
    name = device(d, "dev-3", "guest")
    client(d, name, "init", "--root", f"{name}/factory-root.json", "--product", PRODUCT, "--url",
           d.url, "--hardware", "acme,x1", "--installed", "1.0")
    d.checkout("at-ann/work", "--role", "guest")
    d.sign("at-ann/work", "ann")
    deadline = time.monotonic() + LIMIT_S
    while datetime.now(timezone.utc) < until:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    out = client(d, name, "update", "--yes", status=5)
    assert "channel guest: what the publisher delegates to it ended on" in out, out
    out = d.submit("at-ann/work", "--role", "guest", status=4)
    assert "guest 2: what is delegated to the guest role ended on" in out, out


def odd_role_names_and_bins_are_followed(d):
    """Percent-encoded names, and a channel spread over hash bins."""
    d.checkout("work")
    for role in ("beta", "guest"):
        d.do("publish", "delegate", "remove", role, "--dir", "work")
    odd = "Jörg's #1 & 2?"
    d.do("publish", "delegate", "add", odd, "--dir", "work", "--key", "ann.json", "--path",
         "many/*", "--terminating", "--place", "1")
    d.do("publish", "bins", "--dir", "work", "--role", odd, "--bits", "3", "--key", "bob.json",
         "--name", "bin")
    files = [f"many/file {n}.txt" for n in range(12)]
    said = [d.plain("work", name, name.encode(), "--role", odd) for name in files]
    assert all("sha256" in s for s in said), said
    d.sign("work", "k1", "ann", "bob")
    d.submit("work")
    roles = d.report("publish", "delegate", "list", "--dir", "work")["roles"]
    assert [r["role"] for r in roles] == [odd] + [f"bin-{n}" for n in range(8)], roles
    assert d.download(PRODUCT, *files) == [f.encode() for f in files]
    d.checkout("work")
    d.do("publish", "remove", files[0], "--dir", "work", "--role", odd)
    out = d.do("publish", "remove", files[0], "--dir", "work", "--role", odd, status=2)
    assert f"does not list {files[0]}" in out, out
    d.sign("work", "bob")
    d.submit("work")
    d.download(PRODUCT, files[0], status=1)


def main():
    d = Desk()
    try:
        a_channel_is_published_and_followed(d)
        who_is_removed_publishes_no_more(d)
        a_channel_that_comes_back_goes_on(d)
        a_steward_for_a_while_ends(d)
        odd_role_names_and_bins_are_followed(d)
        d.process.terminate()
        d.process.wait(LIMIT_S)
        d.do("registry", "fsck", "--data", "registry")
    finally:
        d.close()


if __name__ == "__main__":
    main()
