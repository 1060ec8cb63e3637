# SPDX-License-Identifier: Apache-2.0
"""How much memory a device needs, when whoever serves it wants it to have none left."""
import base64
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import LONG, canonical, run_tests, sha256, signed, when  # noqa: E402

V1 = b"\1" * 100_001
KIB, MIB = 1024, 1024 * 1024
ROUTER = 512 * KIB  # metadata-max of a router of 32 MiB
BOUND = 2 * MIB + 36 * ROUTER  # lib/tuf/client.h says why
ROOT, SNAPSHOT = 512 * KIB, 2 * MIB  # the largest that the format has


def _dense(body, size, key):
    """A signed document of `size` bytes that takes nearly the most memory a text may take."""
    head = json.dumps(body)[:-1]
    room = size - len(head) - 400
    filler, used, i = [], 0, 0
    while used < room:
        filler.append(f'"{i}":{{}}      ')
        used += len(filler[-1]) + 1
        i += 1
    text = head + ',"x":{' + ",".join(filler[:-1]) + "}}"
    signature = {"keyid": key.id, "sig": key.sign(canonical(json.loads(text))).hex()}
    data = ('{"signatures":[%s],"signed":%s' % (json.dumps(signature), text)).encode()
    return data + b" " * (size - len(data) - 1) + b"}"


def _role(product, kind, version, **body):
    return {"_type": kind, "spec_version": "1.0.31", "version": version, "expires": when(3650),
            "product": product.name, **body}


def _usual(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish(**LONG)
    d = case.device(image=V1)
    with open(d.conf, "a", encoding="ascii") as conf:
        conf.write(f"metadata-max = {ROUTER}\n")
    status, usual = d.peak("check")
    assert status == 0
    return product, d, usual


def _peak(d, usual, what, bound):
    status, most = d.peak("check")
    print(f"{what}: {most - usual} KiB more than usual, exit {status}", flush=True)
    if not os.environ.get("SAN"):
        assert (most - usual) * KIB < bound, what
    return status


def _snapshot(product, size):
    vendor = product.vendor
    v = vendor.versions["snapshot"] = vendor.versions["snapshot"] + 1
    targets = {"version": vendor.versions["targets"]}
    data = _dense(_role(product, "snapshot", v, meta={"targets.json": targets}), size,
                  vendor.snapshot)
    product.put(f"metadata/{v}.snapshot.json", data)
    body = _role(product, "timestamp", v, meta={"snapshot.json": {
        "version": v, "length": len(data), "hashes": {"sha256": sha256(data)}}})
    product.put("metadata/timestamp.json", json.dumps(signed(body, [vendor.timestamp])).encode())


def the_registrys_keys_are_not_enough_to_fill_a_router(case):
    """Whoever has them signs a snapshot as large and as dense as the format allows."""
    product, d, usual = _usual(case)
    _snapshot(product, SNAPSHOT)
    assert _peak(d, usual, "largest snapshot", 4 * MIB) == 3
    p = d.expect(3, "check")
    assert "longer than" in p.stderr, p.stderr
    # All that the format allows is taken where there is memory for it.
    conf = d.conf.read_text()
    for say in "", f"metadata-max = {8 * MIB}\n":
        d.conf.write_text(conf.replace(f"metadata-max = {ROUTER}\n", say))
        assert _peak(d, usual, "largest snapshot, where there is memory", 36 * SNAPSHOT) == 0
    d.conf.write_text(conf)
    for path in (d.dir / "state/metadata").iterdir():
        if path.name != "root.json":
            path.unlink()
    _snapshot(product, ROUTER // 2)
    assert _peak(d, usual, "half of what is allowed at once", BOUND) == 0


def a_mirror_without_keys_is_not_enough_either(case):
    """What has to be read before anything of it is verified: the next root, and many of them."""
    product, d, usual = _usual(case)
    body = json.loads(product.roots[0])["signed"]
    for size, bound in ((ROOT, 4 * MIB), (ROUTER // 2, BOUND)):
        data = _dense(dict(body, version=2), size, product.vendor.targets)
        product.put("metadata/2.root.json", data)
        product.put("metadata/root-chain.jsonl", b"")
        assert _peak(d, usual, f"root of {size >> 10} KiB", bound) == 3
        small = _dense(dict(body, version=2), 4 * KIB, product.vendor.targets)
        product.put("metadata/2.root.json", small)
        line = canonical({"version": 2, "root": base64.b64encode(data).decode()}) + b"\n"
        product.put("metadata/root-chain.jsonl", line)
        assert _peak(d, usual, f"chain of a root of {size >> 10} KiB", bound) == 3
        dense = ",".join(f'"{i}":{{}}      ' for i in range(size * 4 // 3 // 17)).encode()
        product.put("metadata/root-chain.jsonl", b'{"version":2,"x":{' + dense + b"}}\n")
        assert _peak(d, usual, f"chain of a line of {len(dense) >> 10} KiB", bound) == 3


run_tests(globals(), __name__)
