# SPDX-License-Identifier: Apache-2.0
"""A device, a real registry and its real witnesses: time, root steps, and a copy that is too old."""

import calendar
import pathlib
import shutil
import tempfile
import time
import types

from lib_device import Device, when
from lib_witness import Vendor, Witnessed


def _witnessed(d):
    text = d.status()["time"]["witnessed"]
    return text and calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def real_witnesses_tell_a_device_the_time(town, vendor, top):
    root = (town.public / "p" / vendor.product / "metadata/1.root.json").read_bytes()
    product = types.SimpleNamespace(name=vendor.product, hardware="acme,x1", roots=[root])
    d = Device(top / "device", product, [town.url + "/"], clock="untrusted")
    size = town.cosigned(1, 2)[0]
    began = int(time.time())
    d.ok("check")
    t = d.status()["time"]
    assert t["source"] == "witnesses" and began - 60 <= _witnessed(d) <= time.time(), t
    (seen,) = d.state()["logs"]
    assert seen["size"] == size and seen["log"].startswith("log.test/witnessed+"), seen
    return d


def a_root_step_is_followed_by_its_cosigned_proof(town, vendor, d):
    answer = vendor.post(dict(vendor.root, version=2, expires=when(300)))
    assert answer["proof"], answer
    d.ok("check")
    assert d.status()["root_version"] == 2
    assert d.state()["logs"][0]["size"] >= answer["log_index"] + 1
    assert d.state()["seq"] == 2
    vendor.root = dict(vendor.root, version=2, expires=when(300))


def an_old_copy_of_the_tree_is_refused(town, vendor, d, top):
    old = top / "old"
    shutil.copytree(town.public, old)
    d.ok("check", "--from", old)
    answer = vendor.post(dict(vendor.root, version=3))
    town.cosigned(answer["log_index"] + 1, 2)
    d.ok("check")
    assert d.status()["root_version"] == 3
    p = d.expect(3, "check", "--from", old)
    assert "were seen before: it is frozen or was rolled back" in p.stderr, p.stderr
    new = top / "new"
    shutil.copytree(town.public, new)
    d.ok("check", "--from", new)


def without_a_quorum_the_time_stands_still(town, vendor, d):
    for w in town.witnesses[1:]:
        w.kill()
    before, seen = _witnessed(d), d.state()["logs"]
    vendor.root = dict(vendor.root, version=4)
    answer = vendor.post(vendor.root)
    assert answer["proof"] is None, answer
    assert "log proof is not there" in d.expect(5, "check").stderr
    assert _witnessed(d) == before and d.state()["logs"] == seen
    assert d.status()["root_version"] == 3
    for w in town.witnesses[1:]:
        w.start()
    town.cosigned(answer["log_index"] + 1, 2)
    d.ok("check")
    assert d.status()["root_version"] == 4 and _witnessed(d) >= before


def main():
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        town = Witnessed(top, 3, threshold=2)
        try:
            vendor = Vendor(town)
            d = real_witnesses_tell_a_device_the_time(town, vendor, top)
            a_root_step_is_followed_by_its_cosigned_proof(town, vendor, d)
            an_old_copy_of_the_tree_is_refused(town, vendor, d, top)
            without_a_quorum_the_time_stands_still(town, vendor, d)
        finally:
            town.close()


main()
