# SPDX-License-Identifier: Apache-2.0
"""The demonstration keeps its contract, and its commands, typed by sh elsewhere, end the same."""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO = os.path.join(ROOT, "tests/demo")
sys.path.insert(0, DEMO)
import inputs  # noqa: E402
import story  # noqa: E402

BIN = os.environ["BIN"]
IDS = """product-created vendor-published deposit-sealed deposit-accepted registry-cannot-open
    device-ready eol-declared approved-1 approved-2 shares-handed-over deposit-opened source-cloned
    bridge-published maintainer-appointed fix-built fix-published handover-refused-by-default
    handover-accepted installed booted confirmed device-2-stayed device-3-caught-up""".split()
PEOPLE = story.VENDORS + story.TRUSTEES + story.STEWARDS + ("maintainer",)
ENDS = {1: (3, "B", "community"), 2: (1, "A", "vendor"), 3: (3, "B", "community")}


def play(folder):
    subprocess.run([sys.executable, os.path.join(DEMO, "story.py"), "--bin", BIN, "--to", folder,
                    "--inputs", os.path.join(ROOT, "build/inputs")], check=True, timeout=600)
    with open(os.path.join(folder, "story.json"), encoding="utf-8") as f:
        return json.load(f)


def check_contract(told, folder):
    assert told["format"] == "bequest-story/1" and told["result"] == "ok", told["result"]
    assert [s["id"] for s in told["steps"]] == IDS
    assert [s["n"] for s in told["steps"]] == list(range(1, len(IDS) + 1))
    for step in told["steps"]:
        assert step["commands"] and len(step["commands"]) == len(step["exit"]), step["id"]
        for path, digest in step["digests"].items():
            assert inputs.sha256(os.path.join(folder, path)) == digest, (step["id"], path)
    refused = next(s for s in told["steps"] if s["id"] == "handover-refused-by-default")
    assert 4 in refused["exit"]
    with open(os.path.join(folder, "log.txt"), encoding="utf-8") as f:
        assert "follows root 1: used, its bridge came next" in f.read()
    for person in PEOPLE:
        assert os.path.isdir(os.path.join(folder, "people", person, "gnupg")), person
    for name in ("registry/registry.db", "deposit/deposit.json", "source/.git", "log.txt",
                 "device-1/boot.env", "device-2/state/state.json", "device-3/client.conf"):
        assert os.path.exists(os.path.join(folder, name)), name


def check_end(folder):
    for n, (root, slot, image) in ENDS.items():
        device = os.path.join(folder, f"device-{n}")
        got = subprocess.run([os.path.join(BIN, "bequest-client"), "status", "--json", "--config",
                              os.path.join(device, "client.conf")], capture_output=True,
                             check=True, text=True)
        status = json.loads(got.stdout)
        image = os.path.join(folder, f"image/{image}.bin")
        assert status["root_version"] == root, (n, status)
        assert status["installed"]["slot"] == slot, (n, status)
        assert status["installed"]["sha256"] == inputs.sha256(image), (n, status)
        with open(os.path.join(device, "boot.env"), encoding="utf-8") as f:
            assert f"BOOTED={slot}\n" in f.read(), n
        with open(os.path.join(device, f"slot-{slot.lower()}.img"), "rb") as f, \
                open(image, "rb") as wanted:
            bits = wanted.read()
            assert f.read(len(bits)) == bits, f"device {n}: slot {slot} holds other bits"


def check_names(folder):
    """What has a version in its name is never another file: a cache may keep it for ever."""
    metadata = os.path.join(folder, "registry/public/p/lego.nxt/metadata")
    for name in os.listdir(os.path.join(metadata, "held/1")):
        if name != "timestamp.json":
            with open(os.path.join(metadata, "held/1", name), "rb") as held, \
                    open(os.path.join(metadata, name), "rb") as now:
                assert held.read() == now.read(), name


def script_of(told, old, new):
    """One sh script of all commands, each with the exit status that it had."""
    lines = []
    for step in told["steps"]:
        lines.append(f"# {step['n']} {step['id']}")
        for argv, want in zip(step["commands"], step["exit"]):
            command = shlex.join(a.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}") for a in argv)
            lines.append(f"{command}; got=$?")
            lines.append(f"[ $got = {want} ] || {{ echo exit $got, wanted {want}: "
                         f"{shlex.quote(command)} >&2; exit 1; }}")
    return "\n".join(lines) + "\n"


def replay(told, played, folder):
    """In a folder that has only what came from outside."""
    os.makedirs(os.path.join(folder, "image"))
    shutil.copytree(os.path.join(played, "input"), os.path.join(folder, "input"))
    shutil.copy(os.path.join(played, "image/vendor.bin"), os.path.join(folder, "image"))
    url = next(a for s in told["steps"] for c in s["commands"] for a in c if a.startswith("http://"))
    old = re.match(r"http://127\.0\.0\.1:(\d+)/", url).group(1)
    with open(os.path.join(folder, "replay.sh"), "w", encoding="utf-8") as f:
        f.write(script_of(told, old, story.free_port()))
    env = dict(os.environ, PATH=BIN + ":/usr/bin:/bin", HOME=folder, LC_ALL="C.UTF-8")
    for name in ("GNUPGHOME", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        env.pop(name, None)
    try:
        subprocess.run(["sh", "replay.sh"], cwd=folder, env=env, check=True, timeout=600,
                       stdin=subprocess.DEVNULL)
    finally:
        story.end_processes(folder)


def main():
    # A blank in the path, and a long one: both are promised to work.
    top = tempfile.mkdtemp(prefix="bequest story ")
    played = os.path.join(top, "demo")
    again = os.path.join(top, "a rather long name for a folder " * 3 + "in which it is typed again")
    try:
        told = play(played)
        check_contract(told, played)
        check_end(played)
        check_names(played)
        replay(told, played, again)
        check_end(again)
    finally:
        story.end_processes(top)
        shutil.rmtree(top, ignore_errors=True)


main()
