# SPDX-License-Identifier: Apache-2.0
"""
The log at 10^3 to 10^7 leaves: documents a second through the registry's own HTTP, alone and
64 at once, without witnesses and until two have cosigned; proofs; memory; the time to start.

Flat means: what the largest log does in a second is not much less than what the smallest does.
"""
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import inside
from measure import Row

EXPONENTS = range(3, 8)
SINGLES, TOGETHER = 20, 64  # for each run: posts of one, and of one array
PROOF_ROUNDS = 4
FLAT = 0.6  # a write is mostly waiting for the disk, which varies by more than a log grows
PROOF_LIMIT = 1.5


class Writer:
    """A new product; its heartbeats are signed before the clock runs."""

    def __init__(self, town, name):
        import lib_witness
        self.lib, self.vendor, self.town = lib_witness, lib_witness.Vendor(town, name), town
        self.last = self.vendor.first["log_index"]

    def beats(self, n):
        made = []
        for _ in range(n):
            self.vendor.beats += 1
            body = {"_type": "heartbeat", "spec_version": "1.0", "product": self.vendor.product,
                    "version": self.vendor.beats, "issued": self.lib.when(0),
                    "root": {"version": 1, "id": self.lib.identity({"signed": self.vendor.root})}}
            made.append(self.lib.canonical(self.lib.signed(body, [self.vendor.key])))
        return made

    def post(self, body):
        status, _, answer = self.lib.request(f"{self.town.url}/v1/documents", body)
        assert status == 200, answer
        self.last = json.loads(answer)["documents"][-1]["log_index"]

    def rates(self, runs, cosigned):
        """Documents a second: one by one, and many in one request."""
        single, many = [], []
        for _ in range(runs):
            ones, array = self.beats(SINGLES), b"[" + b",".join(self.beats(TOGETHER)) + b"]"
            start = time.monotonic()
            for one in ones:
                self.post(one)
            single.append(SINGLES / (time.monotonic() - start))
            start = time.monotonic()
            self.post(array)
            if cosigned:
                self.town.cosigned(self.last + 1, cosigned)
            many.append(TOGETHER / (time.monotonic() - start))
        return statistics.median(single), statistics.median(many)


def start(town):
    """Milliseconds until it answers; it may run already."""
    town.end()
    begun = time.monotonic()
    town.start()
    return 1000 * (time.monotonic() - begun)


def peak_mib(town):
    status = pathlib.Path(f"/proc/{town.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


def witnessed(base, top, runs, exponent):
    """A copy of the log, with two new witnesses."""
    import lib_witness
    town = lib_witness.Witnessed(top, 2, start=False)
    shutil.rmtree(town.data)
    subprocess.run(["cp", "-a", "--reflink=auto", base.data, town.data], check=True)
    town.vkey = base.vkey
    for w in town.witnesses:
        w.know(base.vkey)
        w.start()
        lib_witness.run("witnesses", "--data", town.data, "--add", f"{w.vkey}={w.url}",
                        "--threshold", 1)
    try:
        town.start()
        writer = Writer(town, f"seen.e{exponent}")
        town.cosigned(writer.last + 1, 1)
        return writer.rates(runs, 1)
    finally:
        town.close()
        shutil.rmtree(top)


def at_size(tool, base, exponent, runs, top):
    """{column: number} at one size; the registry is stopped before and after."""
    subprocess.run([tool, "fill", base.data, str(10 ** exponent)], check=True)
    got = {"start": statistics.median(start(base) for _ in range(runs))}
    writer = Writer(base, f"bench.e{exponent}")
    got["single"], got["many"] = writer.rates(runs, 0)
    got["rss"] = peak_mib(base)
    base.stop()
    got["proofs"] = inside.run(tool, "prove", base.data, PROOF_ROUNDS * runs)
    top.mkdir()
    got["single seen"], got["many seen"] = witnessed(base, top, runs, exponent)
    return got


def size_rows(n, got):
    yield Row(f"log 10^{n}: one by one", "doc/s", got["single"], None, None)
    yield Row(f"log 10^{n}: 64 at once", "doc/s", got["many"], None, None)
    yield Row(f"log 10^{n}: one by one, cosigned", "doc/s", got["single seen"], None, None)
    yield Row(f"log 10^{n}: 64, cosigned", "doc/s", got["many seen"], None, None)
    build = statistics.median(a for a, _ in got["proofs"]["build"])
    yield Row(f"log 10^{n}: build a proof", "us", build / 1000, None, None)
    yield inside.versus(f"log 10^{n}: verify a proof", got["proofs"]["verify"], PROOF_LIMIT)
    yield Row(f"log 10^{n}: memory", "MiB", got["rss"], None, None)
    yield Row(f"log 10^{n}: start", "ms", got["start"], None, None)


def flat_rows(first, last, exponents):
    span = f"10^{exponents[-1]} by 10^{exponents[0]}"
    for key, what in (("single", "one by one"), ("many", "64 at once"),
                      ("single seen", "one by one, cosigned"), ("many seen", "64, cosigned")):
        yield Row(f"{span}: {what}", "doc/s", last[key], first[key], FLAT, at_least=True)
    yield Row(f"{span}: memory", "MiB", last["rss"], first["rss"], 1 / FLAT)
    yield Row(f"{span}: start", "ms", last["start"], first["start"], 1 / FLAT)


def rows(bin_dir, runs, exponents=tuple(EXPONENTS)):
    import lib_witness
    tool = bin_dir / "tests/bench/biglog"
    with tempfile.TemporaryDirectory(prefix="bequest-bench-") as top:
        top = pathlib.Path(top)
        base = lib_witness.Witnessed(top / "base", 0, start=False)
        all_of_them = []
        try:
            for n in exponents:
                all_of_them.append(at_size(tool, base, n, runs, top / f"seen-{n}"))
                yield from size_rows(n, all_of_them[-1])
        finally:
            base.close()
        yield from flat_rows(all_of_them[0], all_of_them[-1], exponents)
