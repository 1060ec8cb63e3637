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
from lib_device import BIN, preload, run_tests, sha256  # noqa: E402

if os.path.isdir("/dev/shm"):
    tempfile.tempdir = "/dev/shm"  # what is tested is order, not the speed of a disk

V1, V2, V3 = os.urandom(100_000), os.urandom(200_000), os.urandom(100_000)


def _check(d, roots, note):
    assert d.trusted_root() in roots, note
    env = d.env()
    assert env["BOOT_ORDER"], note
    for letter in env["BOOT_ORDER"].split():
        whole = any(d.slot(letter, len(v)) == v for v in (V1, V2, V3))
        assert whole, f"{note}: slot {letter} can be booted and is torn: {env}"


def _everything(d):
    """What must be the same at the end, however often the way there was cut."""
    s = d.status()
    s.pop("last")
    s["time"].pop("now")
    s["time"].pop("age")
    seen = {k: v for k, v in d.state().items() if k in ("logs", "seq", "leaf", "kept", "stale")}
    kept = d.dir / "vendor.img"
    return (s, seen, d.env(), d.slot("A"), d.slot("B"), d.trusted_root(),
            kept.read_bytes() if kept.exists() else None)


def _each_point(d, library, verb, roots, whole=lambda note: None):
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
            whole(note)
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


def _story(case):
    """A handover and the community's first image, under witnesses."""
    product = case.product
    product.witnessed(2)
    product.image("1.0.0", V1)
    product.publish()
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    product.show_log()
    return product


def keeping_and_going_back_may_be_cut(case):
    product = _story(case)
    d = case.device(image=V1, policy="auto", keep_image="vendor.img", slot_size=256 * 1024)
    d.ok("update")
    d.boot()
    d.ok("confirm")
    product.image("3.0.0", V3)
    product.publish(product.keepers)
    library = preload("killpoint", case.dir)
    _each_point(d, library, ("update",), (product.roots[2],))
    assert (d.dir / "vendor.img").read_bytes()[:len(V1)] == V1
    assert d.boot() == "A"
    d.ok("confirm")
    _each_point(d, library, ("restore",), (product.roots[2],))
    assert d.boot() == "B" and d.slot("B", len(V1)) == V1


def keeping_what_ran_last_over_what_was_kept_earlier_may_be_cut(case):
    """Cut wherever it is, the old publisher's last image is in its slot or whole in the file."""
    product = case.product
    product.witnessed(2)
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1, policy="auto", keep_image="vendor.img", slot_size=256 * 1024)
    product.image("1.1.0", V2)
    for publish in (product.publish, lambda: (product.handover(), product.image("2.0.0", V3),
                                              product.publish(product.keepers))):
        publish()
        d.ok("update")
        d.boot()
        d.ok("confirm")
    (d.dir / "vendor.img").write_bytes(V1)
    state = d.state()
    state["kept"] = dict(state["slots"]["B"], version="1.0.0", size=len(V1),
                         sha256=sha256(V1))
    (d.dir / "state/state.json").write_text(json.dumps(state))
    product.image("3.0.0", V1)
    product.publish(product.keepers)

    def whole(note):
        kept, there = d.state()["kept"], (d.dir / "vendor.img").read_bytes()
        assert d.slot("B", len(V2)) == V2 or \
            (there == V2 and kept["sha256"] == sha256(V2) and kept["version"] == "1.1.0"), note

    _each_point(d, preload("killpoint", case.dir), ("update",), (product.roots[2],), whole)
    assert (d.dir / "vendor.img").read_bytes() == V2


def every_change_may_be_the_last(case):
    product = _story(case)
    roots = (product.roots[0], product.roots[2])
    library = preload("killpoint", case.dir)
    d = case.device(image=V1)
    for verb in (("check",), ("handover", "accept"), ("update",), ("confirm",), ("rollback",)):
        _each_point(d, library, verb, roots)
        if verb == ("update",):
            assert d.boot() == "B"
    assert json.loads(d.trusted_root())["signed"]["version"] == 3


run_tests(globals(), __name__)
