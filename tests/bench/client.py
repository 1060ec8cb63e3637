# SPDX-License-Identifier: Apache-2.0
"""
The device agent against curl: a check with nothing new, and an installation of 256 MiB.

The floor of an installation is what a shell can do with stock tools:

    curl URL | tee SLOT | sha256sum; sync SLOT; sha256sum SLOT
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

from measure import MIB, Row, cost, interleaved, peak_rss, versus
from nginx import Nginx

CHECKS = 8  # for each run: one takes a few milliseconds


def check_rows(d, url, product, runs):
    """Nothing new: two small requests on one connection, and the same by curl."""
    d.ok("check")
    base = f"{url}p/{product.name}/metadata/"
    ours = [d.bin, "check", "--config", d.conf]
    peer = ["curl", "-s", f"{base}{len(product.roots) + 1}.root.json", f"{base}timestamp.json"]
    time_of = interleaved({"ours": lambda: cost(ours), "peer": lambda: cost(peer)}, CHECKS * runs)
    size_of = interleaved({"ours": lambda: {"rss": peak_rss(ours)},
                           "peer": lambda: {"rss": peak_rss(peer)}}, runs)
    yield versus("check, nothing new: CPU", "ms", time_of, "cpu", 2.0)
    yield versus("check, nothing new: RSS", "MiB", size_of, "rss", 1.5)


class Installation:
    """Both sides write the same image to a file of its size, and end with it on the disk."""

    def __init__(self, d, url, size, digest):
        self.d, self.size = d, size
        self.slot, self.other = d.dir / "slot-b.img", d.dir / "pipeline.img"
        self.other.write_bytes(b"\0" * size)
        self.saved = d.dir.with_name("saved")
        shutil.copytree(d.dir / "state", self.saved)
        self.env = (d.dir / "boot.env").read_bytes()
        target = f"{url}p/acme.x1/targets/{digest}.acme.x1-2.0.0.bin"
        self.pipeline = (f"set -e; curl -s {target} | tee {self.other} | sha256sum; "
                         f"sync {self.other}; sha256sum {self.other} | grep -q {digest}")

    def back(self):
        """As it was before the update; nothing waits for the disk."""
        shutil.rmtree(self.d.dir / "state")
        shutil.copytree(self.saved, self.d.dir / "state")
        (self.d.dir / "boot.env").write_bytes(self.env)
        os.sync()

    def ours(self, how=cost):
        self.back()
        got = how([self.d.bin, "update", "--config", self.d.conf])
        subprocess.run(["cmp", "-n", str(self.size), self.slot, self.d.image], check=True)
        return got

    def peer(self):
        self.back()
        return cost(["sh", "-c", self.pipeline])


def install_rows(d, url, size, digest, runs):
    one = Installation(d, url, size, digest)
    got = interleaved({"ours": one.ours, "peer": one.peer}, runs)
    for side in got.values():
        for run in side:
            run["rate"] = size / MIB / run["wall"] * 1000
    yield versus(f"install {size // MIB} MiB", "MiB/s", got, "rate", 0.8, at_least=True)
    yield versus(f"install {size // MIB} MiB: CPU", "ms", got, "cpu", None)
    yield Row("install: RSS", "MiB", one.ours(how=peak_rss), None, 16)


def fetched(case, d, what, status, *verb):
    """What a verb costs in bodies and requests."""
    before, asked = case.server.sent, len(case.server.requests)
    d.expect(status, *verb)
    yield Row(f"{what}: fetched", "KiB", (case.server.sent - before) / 1024, None, None)
    yield Row(f"{what}: requests", "", len(case.server.requests) - asked, None, None)


def handover_rows(program):
    """What a change of publisher with three witnesses costs a device, until it is accepted."""
    import lib_device
    case = lib_device.Case()
    try:
        case.product.witnessed(3, 2)
        case.product.image("1.0.0", b"1" * 1000)
        case.product.publish(timestamp_days=60)
        d = case.device(image=b"1" * 1000)
        d.bin = program
        d.ok("check")
        yield from fetched(case, d, "nothing new", 0, "check")
        case.product.handover()
        case.product.publish(case.product.keepers, timestamp_days=60)
        yield from fetched(case, d, "handover, shown", 4, "check")
        yield from fetched(case, d, "handover, accepted", 0, "handover", "accept")
    finally:
        case.close()


def rows(bin_dir, runs, size=256 * MIB):
    import lib_device
    yield from handover_rows(bin_dir / "bequest-client")
    with tempfile.TemporaryDirectory(prefix="bequest-bench-") as top:
        top = pathlib.Path(top)
        product = lib_device.Product(top / "tree")
        product.publish_root(product.root(product.vendor, []))
        product.image("1.0.0", b"1" * 1000)
        image = os.urandom(MIB) * (size // MIB)
        digest = lib_device.sha256(image)
        product.publish()
        with Nginx(top / "nginx", top / "tree", cache=False) as nginx:  # its files change
            d = lib_device.Device(top / "device", product, [nginx.url], slot_size=size)
            d.bin = bin_dir / "bequest-client"
            yield from check_rows(d, nginx.url, product, runs)
            product.image("2.0.0", image)
            product.publish()
            d.image = product.tree / "targets" / f"{digest}.acme.x1-2.0.0.bin"
            del image
            yield from install_rows(d, nginx.url, size, digest, runs)
