# SPDX-License-Identifier: Apache-2.0
"""
A device loses power at any instant: SIGKILL at random points of check, update, accept, confirm.

After each: what can be booted is the old image or the new one, whole; what is trusted is the
old root or the new one; and the same verbs, started again, bring the device to its end.
"""
import json
import os
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import run_tests  # noqa: E402

POINTS = int(os.environ.get("KILLS", 20 if os.environ.get("SAN") else 200))
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
if os.path.isdir("/dev/shm"):
    tempfile.tempdir = "/dev/shm"  # what is tested is order, not the speed of a disk
V1, V2 = os.urandom(300_000), os.urandom(400_000)


def _story(d):
    """The verbs that lead from the factory to the community's image, as far as they are due."""
    if d.env()["BOOTED"] == "B":
        yield ("confirm",)
    yield ("check",)
    if json.loads(d.trusted_root())["signed"]["version"] == 1:
        yield ("handover", "accept")
    yield ("update",)
    if d.env()["BOOTED"] == "A":
        d.boot()
        yield ("confirm",)


def _whole(d, letter):
    return d.slot(letter, len(V1)) == V1 or d.slot(letter, len(V2)) == V2


def _check(d, roots):
    assert d.trusted_root() in roots, "neither the old root nor the new one"
    env = d.env()
    # Whatever the boot loader may pick, however often it fails, must be whole.
    for letter in env["BOOT_ORDER"].split():
        assert _whole(d, letter), f"slot {letter} can be booted and is torn: {env}"
    assert env["BOOT_ORDER"], env
    status = d.status()
    assert status["root_version"] in (1, 3), status
    kind = "vendor" if status["root_version"] == 1 else "stewards"
    assert status["publisher"]["kind"] == kind
    metadata = d.dir / "state/metadata"
    for path in metadata.glob("[!.]*.json"):
        json.loads(path.read_text())


def _finish(d):
    """Nothing in its way any more, the device comes to its end."""
    for _ in range(3):
        for verb in _story(d):
            p = d.run(*verb)
            assert p.returncode in (0, 4, 5), (verb, p.returncode, p.stderr)
        if d.env()["BOOTED"] == "B":
            break
    d.ok("confirm")
    assert d.status()["root_version"] == 3
    assert d.status()["installed"]["version"] == "2.0.0" and d.slot("B", len(V2)) == V2
    assert d.env()["BOOT_B_LEFT"] == "3"


def a_power_cut_leaves_the_old_or_the_new_and_the_device_goes_on(case):
    rng = random.Random(SEED)
    print(f"seed {SEED}, {POINTS} points", flush=True)
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    roots = (product.roots[0], product.roots[2])
    killed = {}

    # How long each verb takes here, undisturbed.
    took = {}
    d = case.device(image=V1)
    for verb in _story(d):
        began = time.monotonic()
        d.run(*verb)
        took[verb] = max(took.get(verb, 0), time.monotonic() - began)
    _finish(d)

    done = 0
    while done < POINTS:
        d = case.device(image=V1)
        for verb in _story(d):
            while done < POINTS and rng.random() < 0.7:
                p = d.start(*verb)
                time.sleep(rng.random() * took.get(verb, 0.05))
                p.kill()
                status = p.wait()
                done += 1
                if status == -9:
                    killed[verb] = killed.get(verb, 0) + 1
                _check(d, roots)
                if status != -9 or rng.random() < 0.3:
                    break
            if rng.random() < 0.6:
                p = d.run(*verb)
                assert p.returncode in (0, 4, 5), (verb, p.returncode, p.stderr)
                _check(d, roots)
            if rng.random() < 0.2:
                assert d.boot() in "AB"
                assert _whole(d, d.env()["BOOTED"])
        _finish(d)
    print("killed in", {" ".join(k): v for k, v in killed.items()}, flush=True)
    assert sum(killed.values()) >= POINTS // 3, "too few were hit while they ran"


run_tests(globals(), __name__)
