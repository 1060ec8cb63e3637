# SPDX-License-Identifier: Apache-2.0
"""Rows from a program of ours that measures two sides inside one process (side.h)."""
import statistics
import subprocess

from measure import Row


def run(program, *args):
    """{case: [(ours, peer), ...]} in nanoseconds of CPU; the peer's is 0 if there is none."""
    out = subprocess.run([program, *map(str, args)], text=True, stdout=subprocess.PIPE,
                         check=True).stdout
    got = {}
    for line in out.splitlines():
        what, ours, peer = line.split("\t")
        got.setdefault(what, []).append((int(ours), int(peer)))
    return got


def versus(what, pairs, limit):
    return Row(what, "us", statistics.median(a for a, _ in pairs) / 1000,
               statistics.median(b for _, b in pairs) / 1000, limit,
               ratio=statistics.median(a / b for a, b in pairs))
