# SPDX-License-Identifier: Apache-2.0
"""Command lines and files that a person writes: exit 2, and one line that says what was wanted."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from lib_device import Product

BIN = pathlib.Path(os.environ["BIN"])

GOOD = """product = acme.x1
hardware = acme,x1
url = http://127.0.0.1:1/
factory-root = factory-root.json
slot-a = slot-a.img
slot-b = slot-b.img
boot-env = boot.env
"""


def configurations():
    """(rule, message behind the file's name, the text of client.conf)"""
    def but(key, value):
        return "".join(line + "\n" if not line.startswith(key + " ") else
                       (f"{key} = {value}\n" if value is not None else "")
                       for line in GOOD.splitlines())

    return [
        ("an empty file", "D/bad.conf: product: is missing", ""),
        ("an unknown key", "D/bad.conf: line 8: colour: no such key", GOOD + "colour = red\n"),
        ("a key twice",
         "D/bad.conf: line 9: state: given twice, first in line 8",
         GOOD + "state = a\nstate = b\n"),
        ("a key in capitals", "D/bad.conf: line 8: Policy: no such key", GOOD + "Policy = ask\n"),
        ("no equals sign", "D/bad.conf: line 8: want key = value", GOOD + "policy ask\n"),
        ("no key", "D/bad.conf: line 8: want key = value", GOOD + "= ask\n"),
        ("no value",
         "D/bad.conf: factory-root, state and policy: none may be empty", GOOD + "policy =\n"),
        ("no product", "D/bad.conf: product: is missing", but("product", None)),
        ("no mirror", "D/bad.conf: url: is missing", but("url", None)),
        ("no slot", "D/bad.conf: slot-b: is missing", but("slot-b", None)),
        ("a product that is a path",
         "D/bad.conf: product: want [a-z0-9][a-z0-9.-]*, got ../x", but("product", "../x")),
        ("a mirror that is no URL",
         "D/bad.conf: line 3: url: want http, https or file, got nonsense", but("url", "nonsense")),
        ("a mirror by another protocol",
         "D/bad.conf: line 3: url: want http, https or file, got gopher://x/",
         but("url", "gopher://x/")),
        ("both slots in one file", "slot-a and slot-b: are the same", but("slot-b", "slot-a.img")),
        ("no attempts",
         "D/bad.conf: line 8: boot-tries: want 1 to 100, got 0", GOOD + "boot-tries = 0\n"),
        ("attempts that are no number",
         "D/bad.conf: line 8: boot-tries: want 1 to 100, got many", GOOD + "boot-tries = many\n"),
        ("a number with a sign",
         "D/bad.conf: line 8: boot-tries: want 1 to 100, got +3", GOOD + "boot-tries = +3\n"),
        ("a number beyond 64 bits",
         "D/bad.conf: line 8: byte-budget: want 0 to 9007199254740992, got 99999999999999999999",
         GOOD + "byte-budget = 99999999999999999999\n"),
        ("neither yes nor no",
         "D/bad.conf: line 8: allow-http: want yes or no, got maybe",
         GOOD + "allow-http = maybe\n"),
        ("a clock of another kind",
         "D/bad.conf: line 8: clock: want trusted or untrusted, got broken",
         GOOD + "clock = broken\n"),
        ("a backend that nobody knows",
         "D/bad.conf: backend: want ab-image, got floppy", GOOD + "backend = floppy\n"),
        ("a NUL byte",
         "D/bad.conf: line 8: want text of at most 4096 bytes", GOOD + "policy = a\0sk\n"),
        ("a control character",
         "D/bad.conf: line 8: a control character", GOOD + "policy = a\x1b[2Jsk\n"),
        ("a line without end",
         "D/bad.conf: larger than 65536 bytes", GOOD + "policy = " + "a" * 100_000 + "\n"),
        ("more mirrors than fit",
         "D/bad.conf: line 23: url: want at most 16", GOOD + "url = http://x/\n" * 100),
    ]


def commands(d):
    """(rule, message, program and arguments); `d` has a folder, an empty file and a config."""
    client, escrow = "bequest-client", "bequest-escrow"
    registry, publish = "bequest-registry", "bequest-publish"
    conf = ["--config", d / "client.conf"]
    return [
        ("no verb",
         "bequest-client VERB --help explains one; --version tells the version.", [client]),
        ("a verb that nobody knows",
         "no verb 'explode'; see bequest-client --help", [client, "explode"]),
        ("half a verb", "no verb 'handover'; see bequest-client --help", [client, "handover"]),
        ("an option that nobody knows",
         "check: --force: no such option, or a value it does not take",
         [client, "check", "--force"]),
        ("an option without its value",
         "check: --config: needs a value", [client, "check", "--config"]),
        ("an argument too many",
         "usage: bequest-client check [OPTION...] ", [client, "check", *conf, "now"]),
        ("no configuration",
         "D/absent.conf: No such file or directory",
         [client, "check", "--config", d / "absent.conf"]),
        ("a folder as configuration",
         "D/folder: not a regular file", [client, "check", "--config", d / "folder"]),
        ("an empty configuration",
         "D/empty: product: is missing", [client, "check", "--config", d / "empty"]),
        ("a policy that is not there", "absent.json: No such file or directory",
         [client, "check", "--config", d / "policy.conf"]),
        ("a stick that is not there",
         "D/absent: No such file or directory", [client, "install", *conf, "--from", d / "absent"]),
        ("a data folder that is not there", "D/absent: is no folder",
         [registry, "serve", "--data", d / "absent", "--listen", "127.0.0.1:0"]),
        ("a data folder that is a file", "D/empty: is no folder",
         [registry, "serve", "--data", d / "empty", "--listen", "127.0.0.1:0"]),
        ("a data folder of something else", "D/folder: is no registry; make one with init",
         [registry, "serve", "--data", d / "folder", "--listen", "127.0.0.1:0"]),
        ("an address that is none", "nowhere: want ADDRESS:PORT",
         [registry, "serve", "--data", d / "registry", "--listen", "nowhere"]),
        ("a port that is none", "127.0.0.1:99999: want ADDRESS:PORT",
         [registry, "serve", "--data", d / "registry", "--listen", "127.0.0.1:99999"]),
        ("an admission that nobody knows", "--admission: want open or moderated, got closed",
         [registry, "init", "--data", d / "new", "--admission", "closed"]),
        ("a registry where one is",
         "D/registry: is a registry already", [registry, "init", "--data", d / "registry"]),
        ("a product that is a path",
         "../x: want a product id: a-z 0-9 . - and at most 63",
         [registry, "admit", "--data", d / "registry", "../x"]),
        ("status of nothing",
         "--data: D/folder: is no registry; make one with init",
         [registry, "status", "--data", d / "folder"]),
        ("a deposit that is not there",
         "D/absent: No such file or directory", [escrow, "verify", d / "absent"]),
        ("a deposit that is a file", "D/empty: not a folder", [escrow, "verify", d / "empty"]),
        ("a folder that is no deposit",
         "D/folder: not a deposit: it has no deposit.json", [escrow, "verify", d / "folder"]),
        ("a root that is not there", "D/absent.json: No such file or directory",
         [escrow, "root", "sign", d / "absent.json", "--key", f"pem:{d}/empty"]),
        ("a key of no kind",
         '--key nothing: key: want pem:FILE|sealed:FILE|gpg:WHO, got "nothing"',
         [escrow, "root", "sign", d / "doc.json", "--key", "nothing"]),
        ("a key of an unknown kind",
         '--key card:1: key: want pem:FILE|sealed:FILE|gpg:WHO, got "card:1"',
         [escrow, "root", "sign", d / "doc.json", "--key", "card:1"]),
        ("a key file that is not there", "--key pem:D/absent: D/absent: No such file or directory",
         [escrow, "root", "sign", d / "doc.json", "--key", f"pem:{d}/absent"]),
        ("a key file that is none",
         "--key pem:D/empty: D/empty: private key: want 1 to 16384 bytes, got 0",
         [escrow, "root", "sign", d / "doc.json", "--key", f"pem:{d}/empty"]),
        ("a document that is a folder", "D/folder: not a regular file",
         [escrow, "root", "sign", d / "folder", "--key", f"pem:{d}/empty"]),
        ("a policy that does not load",
         "policy: D/empty: line 1: '[' or '{' expected near end of file",
         [escrow, "policy", "check", d / "empty"]),
        ("a registry that is no URL", "--registry: want http, https or file, got nonsense",
         [escrow, "submit", d / "doc.json", "--registry", "nonsense"]),
        ("a product id that is none", "--product: want [a-z0-9][a-z0-9.-]{0,62}",
         [escrow, "status", "--product", "../x", "--registry", "http://127.0.0.1:1/"]),
        ("a work folder that is not there",
         "D/absent: no such folder; bequest-publish checkout makes one",
         [publish, "sign", "--dir", d / "absent",
                                                  "--key", f"pem:{d}/empty"]),
        ("a work folder of something else",
         "D/folder: not a work folder; bequest-publish checkout makes one",
         [publish, "submit", "--dir", d / "folder"]),
    ]


def run(d, args):
    try:
        done = subprocess.run([BIN / args[0], *args[1:]], capture_output=True, text=True,
                              timeout=10, cwd=d, check=False, env={**os.environ, "LC_ALL": "C"})
    except subprocess.TimeoutExpired:
        return -1, "it runs"
    lines = done.stderr.splitlines()
    said = lines[-1].removeprefix(args[0] + ": ").replace(str(d), "D") if lines else ""
    return done.returncode, said


def listing(d):
    return sorted((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in d.rglob("*")
                  if not {"registry", "state"} & set(p.parts))


def main():
    d = pathlib.Path(tempfile.mkdtemp(prefix="bequest-config-"))
    faults = []
    try:
        product = Product(d / "tree")
        root = product.publish_root(product.root(product.vendor, []))
        (d / "doc.json").write_text(json.dumps(root))
        (d / "factory-root.json").write_bytes(product.roots[0])
        (d / "folder").mkdir()
        (d / "empty").touch()
        (d / "client.conf").write_text(GOOD)
        (d / "policy.conf").write_text(GOOD + "policy = absent.json\n")
        (d / "boot.env").write_text("BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\nBOOTED=A\n")
        for slot in "ab":
            (d / f"slot-{slot}.img").write_bytes(bytes(1000))
        subprocess.run([BIN / "bequest-registry", "init", "--data", d / "registry"], check=True,
                       stdout=subprocess.DEVNULL)
        bad = d / "bad.conf"
        for rule, message, text in configurations():
            bad.write_text(text)
            before = listing(d)
            got = run(d, ["bequest-client", "check", "--config", bad])
            if got != (2, message):
                faults.append(f"{rule}: want {(2, message)}\n      got {got}")
            if listing(d) != before:
                faults.append(f"{rule}: something was written")
        for rule, message, args in commands(d):
            before = listing(d)
            got = run(d, args)
            if got != (2, message):
                faults.append(f"{rule}: want {(2, message)}\n      got {got}")
            if listing(d) != before:
                faults.append(f"{rule}: something was written")
    finally:
        shutil.rmtree(d)
    assert not faults, "\n".join(faults)
    print("ok")


main()
