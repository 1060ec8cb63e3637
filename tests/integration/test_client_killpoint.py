# SPDX-License-Identifier: Apache-2.0
"""
A device loses power at each single change that a verb makes to its files, one run for each.

Where test_client_kill.py throws dice, this leaves nothing out: before every write (and in the
middle of it), flush, rename and removal.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import BIN, preload, run_tests  # noqa: E402

if os.environ.get("SAN"):
    print("skipped: the sanitizers and a preloaded library do not go together")
    sys.exit(0)
if os.path.isdir("/dev/shm"):
    tempfile.tempdir = "/dev/shm"  # what is tested is order, not the speed of a disk

V1, V2 = os.urandom(100_000), os.urandom(200_000)


def _check(d, roots, note):
    assert d.trusted_root() in roots, note
    env = d.env()
    assert env["BOOT_ORDER"], note
    for letter in env["BOOT_ORDER"].split():
        whole = d.slot(letter, len(V1)) == V1 or d.slot(letter, len(V2)) == V2
        assert whole, f"{note}: slot {letter} can be booted and is torn: {env}"


def _everything(d):
    """What must be the same at the end, however often the way there was cut."""
    s = d.status()
    s.pop("last")
    s["time"].pop("now")
    env = d.env()
    return s, env, d.slot("A"), d.slot("B"), d.trusted_root()


def _each_point(d, library, verb, roots):
    """Cut the verb at its every change; run again, it must come to the same end as uncut."""
    before = d.dir.with_name("before")
    shutil.copytree(d.dir, before)

    def back():
        shutil.rmtree(d.dir)
        shutil.copytree(before, d.dir)

    status = d.run(*verb).returncode
    end = _everything(d)
    points = 0
    for torn in ("", "1"):
        for n in range(1, 1000):
            back()
            env = dict(os.environ, LD_PRELOAD=str(library), KILL_AT=str(n))
            if torn:
                env["KILL_TORN"] = torn
            p = subprocess.run([BIN / "bequest-client", *verb, "--config", d.conf], env=env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
            note = f"{' '.join(verb)} cut at change {n}{' in the middle' if torn else ''}"
            _check(d, roots, note)
            if p.returncode != -9:
                assert p.returncode == status, (note, p.stderr)
                break
            points += 1
            again = d.run(*verb)
            # A handover that was accepted just before the cut needs no second word.
            if verb == ("handover", "accept") and again.returncode == 5:
                assert d.trusted_root() == roots[1], note
            else:
                assert again.returncode == status, (note, again.stdout, again.stderr)
            now = _everything(d)
            for was, is_now in zip(end, now):
                assert was == is_now, (note, str(was)[:500], str(is_now)[:500])
    shutil.rmtree(before)
    assert points > 8, points
    print(f"{' '.join(verb)}: {points} points", flush=True)


def every_change_may_be_the_last(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    roots = (product.roots[0], product.roots[2])
    library = preload("killpoint", case.dir)
    d = case.device(image=V1)
    for verb in (("check",), ("handover", "accept"), ("update",), ("confirm",), ("rollback",)):
        _each_point(d, library, verb, roots)
        if verb == ("update",):
            assert d.boot() == "B"
    assert json.loads(d.trusted_root())["signed"]["version"] == 3


run_tests(globals(), __name__)
