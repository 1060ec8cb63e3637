# SPDX-License-Identifier: Apache-2.0
"""
The log at 10^3 to 10^7 leaves: documents a second through the registry's own HTTP, alone and
64 at once, without witnesses and until two have cosigned; proofs; memory; the time to start.

Flat means: at each size it does in a second not much less than a log of 10^3 leaves does in the
same minute, and needs not much more memory or time.
"""
import importlib
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import inside
from measure import Row, interleaved, versus

SMALL, EXPONENTS = 3, range(3, 8)
SINGLES, TOGETHER = 20, 64  # for each run: posts of one, and of one array
PROOF_ROUNDS, STARTS = 4, 2
FLAT = 0.6  # a write is mostly waiting for the disk, which varies by more than a log grows
PROOF_LIMIT = 1.5


def lib_witness():
    """Of tests/integration, which wants to know where the programs are when it is imported."""
    return importlib.import_module("lib_witness")


class Writer:
    """A new product; its heartbeats are signed before the clock runs."""

    def __init__(self, town, name):
        self.lib, self.town = lib_witness(), town
        self.vendor = self.lib.Vendor(town, name)
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

    def one_by_one(self):
        ones = self.beats(SINGLES)
        begun = time.monotonic()
        for one in ones:
            self.post(one)
        return {"rate": SINGLES / (time.monotonic() - begun)}

    def together(self, cosigned):
        """Many in one request, until that many witnesses have cosigned them."""
        array = b"[" + b",".join(self.beats(TOGETHER)) + b"]"
        begun = time.monotonic()
        self.post(array)
        if cosigned:
            self.town.cosigned(self.last + 1, cosigned)
        return {"rate": TOGETHER / (time.monotonic() - begun)}


def rate_rows(what, large, small, runs, cosigned):
    got = interleaved({"ours": large.one_by_one, "peer": small.one_by_one}, runs)
    yield versus(f"{what}: one by one", "doc/s", got, "rate", FLAT, at_least=True)
    got = interleaved({"ours": lambda: large.together(cosigned),
                       "peer": lambda: small.together(cosigned)}, runs)
    yield versus(f"{what}: 64 at once", "doc/s", got, "rate", FLAT, at_least=True)


def start(town):
    """Until it answers; it may run already."""
    town.end()
    begun = time.monotonic()
    town.start()
    return {"ms": 1000 * (time.monotonic() - begun)}


def peak_mib(town):
    status = pathlib.Path(f"/proc/{town.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


class Logs:
    """Registries of one size and of the small one, each with and without witnesses."""

    def __init__(self, tool, top):
        self.tool, self.top = tool, top
        self.large = lib_witness().Witnessed(top / "large", 0, start=False)
        self.small = lib_witness().Witnessed(top / "small", 0, start=False)
        self.fill(self.small, SMALL)
        self.small_seen = self.witnessed(self.small, top / "small-seen")
        self.large_seen = None

    def fill(self, town, exponent):
        town.end()
        subprocess.run([self.tool, "fill", town.data, str(10 ** exponent)], check=True)

    @staticmethod
    def witnessed(base, top):
        """A copy of a log that is stopped, with two new witnesses of whom one is enough."""
        top.mkdir()
        town = lib_witness().Witnessed(top, 2, start=False)
        shutil.rmtree(town.data)
        subprocess.run(["cp", "-a", "--reflink=auto", base.data, town.data], check=True)
        town.vkey = base.vkey
        for w in town.witnesses:
            w.know(base.vkey)
            w.start()
            lib_witness().run("witnesses", "--data", town.data, "--add", f"{w.vkey}={w.url}",
                              "--threshold", 1)
        return town.start()

    def grow(self, exponent):
        if self.large_seen:
            self.large_seen.close()
            shutil.rmtree(self.top / "large-seen")
        self.fill(self.large, exponent)
        self.large_seen = self.witnessed(self.large, self.top / "large-seen")

    def close(self):
        for town in (self.large, self.small, self.small_seen, self.large_seen):
            if town:
                town.close()


def size_rows(logs, n, runs):
    what = f"log 10^{n}"
    pairs = inside.run(logs.tool, "prove", logs.large.data, PROOF_ROUNDS * runs)
    yield Row(f"{what}: build a proof", "us", statistics.median(a for a, _ in pairs["build"]) / 1000,
              None, None)
    yield inside.versus(f"{what}: verify a proof", pairs["verify"], PROOF_LIMIT)
    got = interleaved({"ours": lambda: start(logs.large), "peer": lambda: start(logs.small)},
                      STARTS * runs)
    yield versus(f"{what}: start", "ms", got, "ms", 1 / FLAT)
    yield from rate_rows(what, Writer(logs.large, f"alone.e{n}"),
                         Writer(logs.small, f"alone.e{n}"), runs, 0)
    yield Row(f"{what}: memory", "MiB", peak_mib(logs.large), peak_mib(logs.small), 1 / FLAT)
    yield from rate_rows(f"{what}, cosigned", Writer(logs.large_seen, f"seen.e{n}"),
                         Writer(logs.small_seen, f"seen.e{n}"), runs, 1)


def rows(bin_dir, runs, exponents=tuple(EXPONENTS)):
    with tempfile.TemporaryDirectory(prefix="bequest-bench-") as top:
        logs = Logs(bin_dir / "tests/bench/biglog", pathlib.Path(top))
        try:
            for n in exponents:
                logs.grow(n)
                yield from size_rows(logs, n, runs)
        finally:
            logs.close()
