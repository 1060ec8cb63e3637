# SPDX-License-Identifier: Apache-2.0
"""Play the whole story on one machine: vendor, escrow, end of life, release, handover, device.

usage: story.py --bin DIR [--to build/demo] [--inputs build/inputs] [--source F --image F --build F]

Everything is done by the four programs, git and the cross compiler, in commands that are printed
as they are run and kept in story.json, so that anybody can type them again in another folder.
"""
import argparse
import contextlib
import datetime
import glob
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

import inputs

HERE = os.path.dirname(os.path.abspath(__file__))
VENDORS = ("vendor-1", "vendor-2", "vendor-3")
TRUSTEES = ("trustee-1", "trustee-2", "trustee-3")
STEWARDS = ("steward-1", "steward-2", "steward-3")
KEY_TYPES = {"vendor-1": "ed25519", "vendor-2": "ecdsa", "vendor-3": "rsa"}
STEPS = 23


class Story:
    """Runs commands in the demo folder and writes down what was done and what is now true."""

    def __init__(self, folder, programs, found, port):
        self.folder, self.input, self.port = folder, found, port
        self.url = f"http://127.0.0.1:{port}/"
        self.steps, self.step = [], None
        self.log = open(os.path.join(folder, "log.txt"), "w", encoding="utf-8")
        self.env = dict(os.environ, PATH=programs + os.pathsep + "/usr/bin:/bin", LC_ALL="C.UTF-8",
                        HOME=folder, GIT_CONFIG_NOSYSTEM="1")
        for name in ("GNUPGHOME", "http_proxy", "https_proxy", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            self.env.pop(name, None)
        self.colour = sys.stdout.isatty()

    def say(self, text=""):
        print(text, flush=True)
        self.log.write(text + "\n")

    def strong(self, text):
        return f"\033[1m{text}\033[0m" if self.colour else text

    @contextlib.contextmanager
    def at(self, name, actor, title):
        """One step of the story; `facts` and `digests` are filled in by its body."""
        started = time.time()
        self.step = {"n": len(self.steps) + 1, "id": name, "actor": actor, "title": title,
                     "at": datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"), "seconds": 0,
                     "commands": [], "exit": [], "digests": {}, "facts": {}}
        heading = f"{self.step['n']:2}/{STEPS}  {title}"
        print("\n" + self.strong(heading), flush=True)
        self.log.write("\n" + heading + "\n")
        yield self.step
        self.step["seconds"] = round(time.time() - started, 2)
        self.steps.append(self.step)

    def run(self, *argv, wants=0, shown=True):
        """Run one command below the demo folder; any other exit status than wanted ends the story."""
        argv = [str(a) for a in argv]
        if shown:
            print("      $ " + shlex.join(argv), flush=True)
        self.log.write("$ " + shlex.join(argv) + "\n")
        got = subprocess.run(argv, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", check=False)
        self.log.write(got.stdout + f"(exit {got.returncode})\n")
        self.log.flush()
        if got.returncode != wants:
            print(got.stdout, file=sys.stderr)
            raise SystemExit(f"demo: exit {got.returncode}, wanted {wants}: {shlex.join(argv)}\n"
                             f"      the whole log is {os.path.join(self.folder, 'log.txt')}")
        self.step["commands"].append(argv)
        self.step["exit"].append(got.returncode)
        return got.stdout

    def show(self, text, lines=12):
        """What a program said, indented, at most so many lines."""
        said = text.rstrip().splitlines()
        for line in said[:lines]:
            self.say("        " + line)
        if len(said) > lines:
            self.say(f"        … {len(said) - lines} more lines in log.txt")

    def now(self, text):
        """What is true after this step, in plain words."""
        self.say("      → " + text)

    def digest(self, *paths):
        for path in paths:
            self.step["digests"][path] = inputs.sha256(os.path.join(self.folder, path))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def finish(self, result):
        record = {"format": "bequest-story/1", "product": self.input.product, "result": result,
                  "input": {"name": self.input.name,
                            "source_sha256": inputs.sha256(self.input.source),
                            "image_sha256": inputs.sha256(self.input.image)},
                  "steps": self.steps}
        with open(self.path("story.json"), "w", encoding="utf-8") as f:
            json.dump(record, f, indent=1, ensure_ascii=False)
            f.write("\n")


def home(person):
    return f"people/{person}/gnupg"


def work(person, *parts):
    return "/".join((f"people/{person}/work",) + parts)


def sealed(person):
    """The options with which a vendor signs: a key file sealed to the person's OpenPGP key."""
    return ("--key", "sealed:" + work(person, "root.key.gpg"), "--gnupg-home", home(person))


def gpg(person):
    return ("--key", f"gpg:{person}@example.org", "--gnupg-home", home(person))


def make_people(s):
    s.say("      making the keys of ten people …")
    for person in VENDORS + TRUSTEES + STEWARDS + ("maintainer",):
        s.run("mkdir", "-p", work(person), shown=False)
        s.run("bequest-escrow", "key", "new", "--type", "openpgp", "--user-id",
              f"{person} <{person}@example.org>", "--gnupg-home", home(person), shown=False)
    for person in VENDORS:
        s.run("bequest-escrow", "key", "new", "--type", KEY_TYPES[person], "--seal-to",
              f"{person}@example.org", "--gnupg-home", home(person), "--out",
              work(person, "root.key.gpg"), shown=person == "vendor-1")
        s.run("bequest-escrow", "key", "export", *sealed(person), "--out",
              work(person, "root.key.json"), shown=False)
    for person in TRUSTEES + STEWARDS + ("maintainer",):
        s.run("bequest-escrow", "key", "export", *gpg(person), "--name", person, "--cert",
              work(person, "cert.asc"), "--out", work(person, "key.json"), shown=False)
    s.say("      (ten people made their keys the same way: three vendor directors with Ed25519, "
          "P-256 and RSA,\n       three trustees, three stewards and a maintainer with OpenPGP)")


def product_created(s):
    i = s.input
    with s.at("product-created", "vendor-1", f"{i.vendor} registers {i.title}"):
        s.run("bequest-registry", "init", "--data", "registry", "--name", "Demonstration registry",
              "--origin", "registry.example/log", "--admission", "open")
        s.run("bequest-registry", "serve", "--data", "registry", "--listen",
              f"127.0.0.1:{s.port}", "--detach")
        make_people(s)
        roots = [a for v in VENDORS for a in ("--root-key", work(v, "root.key.json"))]
        s.run("bequest-escrow", "product", "new", "--product", i.product, "--name", i.title,
              "--publisher", "vendor", "--publisher-name", i.vendor, *roots, "--threshold", "2",
              "--targets-key", work("vendor-1", "root.key.json"), "--registry", s.url,
              "--hardware", i.hardware, "--support-until", "2030-12-31T00:00:00Z", "--portable",
              "--out", work("vendor-1", "product"))
        for person in VENDORS[:2]:
            for name in ("root.json", "product.json"):
                s.run("bequest-escrow", "root", "sign", work("vendor-1", "product", name),
                      "--root", work("vendor-1", "product", "root.json"), *sealed(person))
        s.show(s.run("bequest-escrow", "submit", "--registry", s.url,
                     work("vendor-1", "product", "root.json"),
                     work("vendor-1", "product", "product.json")))
        s.digest(work("vendor-1", "product", "root.json"))
        s.now("root 1 is public and in the log; two of three vendor keys sign, of three kinds")


def vendor_published(s):
    i = s.input
    with s.at("vendor-published", "vendor-1", f"the vendor publishes firmware {i.version}"):
        s.run("bequest-publish", "checkout", work("vendor-1", "publish"), "--product", i.product,
              "--registry", s.url, "--root", work("vendor-1", "product", "root.json"))
        s.run("bequest-publish", "add", "image/vendor.bin", "--dir", work("vendor-1", "publish"),
              "--name", "firmware.bin", "--version", i.version, "--hardware", i.hardware,
              "--notes", "last release of the vendor")
        s.run("bequest-publish", "sign", "--dir", work("vendor-1", "publish"), *sealed("vendor-1"))
        s.show(s.run("bequest-publish", "submit", "--dir", work("vendor-1", "publish")))
        s.digest("image/vendor.bin")
        s.now("devices can install it; nobody can replace it without the vendor's key")


def import_source(s):
    """The vendor's tree as a git history; fixed dates make its commit the same for everybody."""
    i = s.input
    tree = work("vendor-1", "source")
    when = f"{i.epoch} +0000"
    s.run("mkdir", "-p", tree, shown=False)
    s.run("tar", "xzf", "input/source.tar.gz", "-C", tree, "--strip-components=1", shown=False)
    s.run("git", "init", "-q", "-b", "main", tree, shown=False)
    s.run("git", "-C", tree, "-c", "core.autocrlf=false", "add", "-A", "-f", shown=False)
    s.run("env", f"GIT_AUTHOR_DATE={when}", f"GIT_COMMITTER_DATE={when}", "git", "-C", tree, "-c",
          f"user.name={i.vendor}", "-c", "user.email=firmware@example.org", "commit", "-q", "-m",
          f"Firmware {i.version}, as released", shown=False)
    s.run("mkdir", "-p", work("vendor-1", "build"), shown=False)
    s.run("cp", "input/build.sh", work("vendor-1", "build", "build.sh"), shown=False)
    s.run("cp", "input/LICENCE.txt", work("vendor-1", "LICENCE.txt"), shown=False)


def deposit_sealed(s):
    i = s.input
    with s.at("deposit-sealed", "vendor-1", "the vendor seals what others will need one day"):
        import_source(s)
        stewards = [a for p in STEWARDS for a in ("--stewards", work(p, "key.json"))]
        s.run("bequest-escrow", "root", "bridge", "--root", work("vendor-1", "product", "root.json"),
              *stewards, "--threshold", "2", "--publisher", "stewards", "--publisher-name",
              f"Stewards of {i.title}", "--out", work("vendor-1", "bridge.root.json"))
        for person in VENDORS[:2]:
            s.run("bequest-escrow", "root", "sign", work("vendor-1", "bridge.root.json"), "--root",
                  work("vendor-1", "product", "root.json"), *sealed(person))
        trustees = [a for p in TRUSTEES for a in ("--trustee", f"{p}={work(p, 'cert.asc')}")]
        s.show(s.run("bequest-escrow", "seal", "--product", i.product, "--root",
                     work("vendor-1", "product", "root.json"), "--bridge",
                     work("vendor-1", "bridge.root.json"), "--source", work("vendor-1", "source"),
                     "--recipe", work("vendor-1", "build"), "--licence",
                     work("vendor-1", "LICENCE.txt"), *trustees, "--threshold", "2",
                     "--key-of-vendor", "vendor-1@example.org", "--release-policy",
                     "release/standard",
                     "--support-until", "2030-12-31T00:00:00Z", *sealed("vendor-1"),
                     "--out", "deposit"))
        s.run("bequest-escrow", "root", "sign", "deposit/deposit.json", "--root",
              work("vendor-1", "product", "root.json"), *sealed("vendor-2"))
        s.show(s.run("bequest-escrow", "verify", "deposit", "--root",
                     work("vendor-1", "product", "root.json")))
        s.digest("deposit/deposit.json", "deposit/public/payload.tar.gpg")
        s.now("source, recipe, licence and the bridge root are locked: 2 of 3 trustees can open them")


def deposit_accepted(s):
    with s.at("deposit-accepted", "vendor-1", "the registry takes the deposit, and logs it"):
        s.show(s.run("bequest-escrow", "deposit", "deposit", "--registry", s.url))
        s.now("the deposit is public as ciphertext; anybody can see that it exists, and for which root")


def registry_cannot_open(s):
    with s.at("registry-cannot-open", "registry", "the registry tries to open it, and cannot"):
        s.show(s.run("bequest-escrow", "open", "deposit", "--to", "opened-too-early", wants=2))
        s.run("mkdir", "-m", "700", "registry-gnupg", shown=False)
        share = sorted(os.listdir(s.path("deposit/public/shares")))[0]
        s.step["facts"]["shares"] = 3
        s.step["facts"]["readable_by_registry"] = 0
        s.run("sh", "-c", "for s in deposit/public/shares/*.gpg; do gpg --homedir registry-gnupg "
              "--batch -d $s; done 2>&1 | grep 'No secret key'")
        s.now(f"no share is readable without its trustee's key ({share[:16]}…); the ciphertext alone "
              "is noise")


def device(n, *args):
    return ("bequest-client", *args, "--config", f"device-{n}/client.conf")


def device_ready(s):
    i = s.input
    with s.at("device-ready", "owner", "three owners have the device at home, with the vendor's image"):
        for n in (1, 2, 3):
            s.run("mkdir", "-p", f"device-{n}", shown=n == 1)
            s.run("cp", work("vendor-1", "product", "root.json"), f"device-{n}/factory-root.json",
                  shown=n == 1)
            s.run("cp", "image/vendor.bin", f"device-{n}/slot-a.img", shown=n == 1)
            s.run("truncate", "--size", "1M", f"device-{n}/slot-b.img", shown=n == 1)
            s.run(*device(n, "init"), "--root", f"device-{n}/factory-root.json", "--product",
                  i.product, "--url", s.url, "--hardware", i.hardware, "--installed", i.version,
                  shown=n == 1)
            s.run("bootsim", f"device-{n}", shown=n == 1)
            if n != 3:
                s.run(*device(n, "check"), shown=n == 1)
        s.show(s.run(*device(1, "status")))
        s.now("all three trust the vendor's root and run its image; device 3 is now switched off")


def eol_declared(s):
    with s.at("eol-declared", "vendor-1", "the vendor declares the end of life"):
        s.run("bequest-escrow", "eol", "--product", s.input.product, "--registry", s.url, "--root",
              work("vendor-1", "product", "root.json"), "--date",
              "2026-01-31T00:00:00Z", "--last-security-update", "2025-11-30T00:00:00Z", "--reason",
              "the product is discontinued", *sealed("vendor-1"), "--out",
              work("vendor-1", "eol.json"))
        s.run("bequest-escrow", "root", "sign", work("vendor-1", "eol.json"), "--root",
              work("vendor-1", "product", "root.json"), *sealed("vendor-2"))
        s.show(s.run("bequest-escrow", "submit", "--registry", s.url, work("vendor-1", "eol.json")))
        s.now("from here on the bridge is the only root that may follow, and the vendor said so itself")


def approvals_and_shares(s):
    i = s.input
    for n, person in enumerate(TRUSTEES[:2], 1):
        with s.at(f"approved-{n}", person, f"{person} reads the evidence and approves"):
            s.show(s.run("bequest-escrow", "approve", "--product", i.product, "--registry", s.url,
                         *gpg(person)))
            s.now(f"{n} of 2 approvals are in the log; nothing is decrypted yet")
    with s.at("shares-handed-over", "trustee-1", "both trustees decrypt their shares and hand them over"):
        for person in TRUSTEES[:2]:
            s.show(s.run("bequest-escrow", "share", "--product", i.product, "--registry", s.url,
                         "--gnupg-home", home(person)))
        s.now("the registry took the shares only because the release policy says yes on logged evidence")


def deposit_opened(s):
    with s.at("deposit-opened", "registry", "the deposit opens"):
        s.show(s.run("bequest-escrow", "status", "--product", s.input.product, "--registry", s.url,
                     "--wait-open", "60"))
        s.now("every digest matched the signed manifest; source and bridge root are public")
    with s.at("source-cloned", "maintainer", "the maintainer clones the released source"):
        s.run("git", "clone", "-q", f"{s.url}p/{s.input.product}/source.git", "source")
        s.show(s.run("git", "-C", "source", "log", "--oneline", "-1"))
        s.now("plain git, from the registry: the source is free")


def bridge_published(s):
    i = s.input
    with s.at("bridge-published", "steward-1", "two of three stewards countersign the bridge root"):
        bridge, root3 = work("steward-1", "bridge.root.json"), work("steward-1", "root.json")
        s.run("bequest-escrow", "countersign", "--product", i.product, "--registry", s.url,
              *gpg("steward-1"), "--out", bridge)
        s.run("bequest-escrow", "countersign", bridge, *gpg("steward-2"))
        s.run("bequest-escrow", "appoint", "--product", i.product, "--registry", s.url, "--bridge",
              bridge, "--maintainer", work("maintainer", "key.json"), "--out", root3)
        for person in STEWARDS[:2]:
            s.run("bequest-escrow", "root", "sign", root3, "--root", bridge, *gpg(person))
        s.run("bequest-publish", "checkout", work("maintainer", "first"), "--product", i.product,
              "--registry", s.url, "--root", root3, "--unpublished")
        s.run("bequest-publish", "sign", "--dir", work("maintainer", "first"), *gpg("maintainer"))
        s.show(s.run("bequest-publish", "submit", "--dir", work("maintainer", "first"), "--with",
                     bridge, "--with", root3))
        s.digest(bridge, root3)
        s.now("root 2 (the bridge) and root 3 became public together: no moment in between")
    with s.at("maintainer-appointed", "steward-1", "the maintainer is appointed, for all to see"):
        s.show(s.run("bequest-escrow", "status", "--product", i.product, "--registry", s.url))
        s.now("trust has moved from the vendor to the stewards; no private key ever moved")


def fix_built(s):
    i = s.input
    with s.at("fix-built", "maintainer", "the maintainer applies a fix and builds it"):
        when = f"{i.epoch + 86400} +0000"
        if i.fix:
            s.run("git", "-C", "source", "apply", "--whitespace=nowarn", "../input/fix.patch")
            s.run("git", "-C", "source", "add", "-u")
        s.run("env", f"GIT_AUTHOR_DATE={when}", f"GIT_COMMITTER_DATE={when}", "git", "-C", "source",
              "-c", "user.name=Maintainer", "-c", "user.email=maintainer@example.org", "commit",
              "-q", "--allow-empty", "-m", f"Firmware {i.fixed_version}: {i.fix_says}")
        s.say("      building with the cross compiler, about ten seconds …")
        s.run("sh", "input/build.sh", "source", "image/community.bin")
        s.digest("image/community.bin")
        s.now(f"a real build with the real cross compiler: {os.path.getsize(s.path('image/community.bin'))}"
              f" bytes; it {i.fix_says}")


def fix_published(s):
    i = s.input
    with s.at("fix-published", "maintainer", f"the maintainer publishes {i.fixed_version}"):
        s.run("git", "-C", "source", "bundle", "create", "--version=2", "-q",
              "../" + work("maintainer", "fix.bundle"), "main", "^origin/main")
        s.run("bequest-publish", "checkout", work("maintainer", "publish"), "--product", i.product,
              "--registry", s.url, "--root", work("vendor-1", "product", "root.json"))
        s.run("bequest-publish", "add", work("maintainer", "fix.bundle"), "--dir",
              work("maintainer", "publish"), "--plain", "--name", "source/fix.bundle")
        s.run("bequest-publish", "add", "image/community.bin", "--dir",
              work("maintainer", "publish"), "--name", "firmware.bin", "--version", i.fixed_version,
              "--hardware", i.hardware, "--source", "source", "--recipe", "build/build.sh",
              "--notes", i.fix_says)
        s.run("bequest-publish", "sign", "--dir", work("maintainer", "publish"), *gpg("maintainer"))
        s.show(s.run("bequest-publish", "submit", "--dir", work("maintainer", "publish")))
        s.now("the update names the exact commit it is built from, and that commit is in source.git")


def device_1(s):
    with s.at("handover-refused-by-default", "device-1", "device 1 sees a new publisher, and waits"):
        s.show(s.run(*device(1, "update"), wants=4))
        s.show(s.run(*device(1, "handover", "show")), lines=24)
        s.now("by default nothing happens without the owner; the evidence is there to read")
    with s.at("handover-accepted", "owner-1", "the owner of device 1 accepts"):
        s.show(s.run(*device(1, "handover", "accept")))
        s.now("one atomic write: the device trusts the stewards now")
    with s.at("installed", "device-1", "device 1 installs the fix into its other slot"):
        s.show(s.run(*device(1, "update"), "--yes"))
        s.now("verified while it streamed, read back and hashed again, then marked to be tried")
    with s.at("booted", "device-1", "device 1 boots it"):
        s.show(s.run("bootsim", "device-1"))
        s.now("if it did not come up, the boot counter would bring the old slot back")
    with s.at("confirmed", "device-1", "the health check passes, the update is kept"):
        s.show(s.run(*device(1, "confirm")))
        s.show(s.run(*device(1, "why")), lines=16)
        s.now("device 1 lives on")


def device_2(s):
    with s.at("device-2-stayed", "owner-2", "the owner of device 2 refuses, and stays"):
        s.run(*device(2, "update"), wants=4)
        s.show(s.run(*device(2, "handover", "refuse")))
        s.run(*device(2, "update"), wants=4)
        s.show(s.run(*device(2, "status")))
        s.now("the vendor's image stays, its metadata is still served; nobody forces anybody")


def device_3(s):
    with s.at("device-3-caught-up", "owner-3", "device 3, off all the while, catches up at once"):
        s.run(*device(3, "check"), wants=4)
        s.run(*device(3, "handover", "accept"))
        s.show(s.run(*device(3, "update"), "--yes"))
        s.run("bootsim", "device-3")
        s.show(s.run(*device(3, "confirm")))
        s.now("from the vendor's first root over the whole chain to the community's fix")
        s.run("bequest-registry", "stop", "--data", "registry")


def check_end(s):
    """The end state that the story promises; anything else is a failure."""
    want = {1: (3, "B", "image/community.bin"), 2: (1, "A", "image/vendor.bin"),
            3: (3, "B", "image/community.bin")}
    for n, (root, slot, image) in want.items():
        out = subprocess.run(["bequest-client", "status", "--json", "--config",
                              f"device-{n}/client.conf"], cwd=s.folder, env=s.env,
                             capture_output=True, text=True, check=False)
        status = json.loads(out.stdout)
        got = (status["root_version"], status["installed"]["slot"], status["installed"]["sha256"])
        wanted = (root, slot, inputs.sha256(s.path(image)))
        if got != wanted:
            raise SystemExit(f"demo: device {n} ended as {got}, wanted {wanted}")


def build_script(i):
    """The build recipe of the deposit: sh build.sh SOURCE_TREE RESULT."""
    return (f"#!/bin/sh\n# Builds {i.title} firmware: sh build.sh SOURCE_TREE RESULT\nset -e\n"
            f"export SOURCE_DATE_EPOCH={i.epoch} LC_ALL=C\n"
            f"out=$(realpath -m \"$2\")\ncd \"$1\"\n{shlex.join(i.build)} >build.log 2>&1 || "
            "{ tail -n 5 build.log >&2; exit 1; }\n"
            f"cp {shlex.quote(i.built)} \"$out\"\n")


def lay_out(folder, i):
    """The demo folder with nothing in it but what comes from outside."""
    for name in ("image", "input"):
        os.makedirs(os.path.join(folder, name))
    shutil.copy(i.image, os.path.join(folder, "image/vendor.bin"))
    shutil.copy(i.source, os.path.join(folder, "input/source.tar.gz"))
    if i.fix:
        shutil.copy(i.fix, os.path.join(folder, "input/fix.patch"))
    with open(os.path.join(folder, "input/build.sh"), "w", encoding="utf-8") as f:
        f.write(build_script(i))
    with open(os.path.join(folder, "input/LICENCE.txt"), "w", encoding="utf-8") as f:
        f.write(f"SPDX-License-Identifier: {i.licence}\n\nThe depositor lets anybody use, study, "
                "change and share the sources in this deposit\nunder the terms that they carry.\n")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_processes(folder):
    """Nothing that the story started lives on: the registry, and GnuPG's agents."""
    folder = os.path.realpath(folder)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().decode(errors="replace").split("\0")
            where = os.path.realpath(f"/proc/{pid}/cwd")
        except OSError:
            continue
        name = os.path.basename(words[0]) if words else ""
        if name not in ("gpg-agent", "scdaemon", "bequest-registry"):
            continue
        if any(folder in w for w in words) or where == folder or where.startswith(folder + "/"):
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGTERM)
    remove_socket_folders(folder)


def remove_socket_folders(folder):
    """Homes with long paths have their agents' sockets in /tmp; a file in the home says where."""
    homes = os.path.join(glob.escape(folder), "**/gnupg/S.gpg-agent")
    for path in glob.glob(homes, recursive=True):
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8") as f:
            where = re.search(r"^socket=(/tmp/bequest-[^/]+)/", f.read(), re.MULTILINE)
        if where:
            shutil.rmtree(where[1], ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--to", default="build/demo")
    parser.add_argument("--inputs", default="build/inputs")
    for name in ("--source", "--image", "--build"):
        parser.add_argument(name)
    o = parser.parse_args()
    own = (o.source, o.image, o.build)
    if any(own) and not all(own):
        raise SystemExit("demo: SOURCE, IMAGE and BUILD are given together or not at all")
    for path in filter(None, own):
        if not os.path.isfile(path):
            raise SystemExit(f"demo: {path}: no such file")
    found = inputs.own(o.source, o.image, o.build) if o.source else inputs.find(o.inputs, HERE)
    folder = os.path.abspath(o.to)
    end_processes(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    lay_out(folder, found)
    s = Story(folder, os.path.abspath(o.bin), found, free_port())
    s.say(f"Bequest: how {found.title} outlives its vendor. Everything happens in {o.to}.")
    started = time.time()
    try:
        for part in (product_created, vendor_published, deposit_sealed, deposit_accepted,
                     registry_cannot_open, device_ready, eol_declared, approvals_and_shares,
                     deposit_opened, bridge_published, fix_built, fix_published, device_1, device_2,
                     device_3, check_end):
            part(s)
    except BaseException:
        s.finish("failed")
        raise
    finally:
        end_processes(folder)
    s.finish("ok")
    s.say(f"\nDone in {time.time() - started:.0f} s. Look at:\n"
          f"  {o.to}/story.json                 every command, to be typed again\n"
          f"  {o.to}/deposit/HOWTO.txt          opening the deposit with gpg, gfcombine, tar and git\n"
          f"  {o.to}/registry/public/           what every mirror serves; p/*/index.html for people\n"
          f"  bequest-registry serve --data {o.to}/registry    to look around in it\n"
          "  docs/owners.md, docs/vendors.md, docs/trustees.md, docs/maintainers.md, docs/operators.md")


if __name__ == "__main__":
    main()
