# SPDX-License-Identifier: Apache-2.0
"""
Measure the programs against curl, nginx and gpg, and print one table; docs/BENCHMARKS.md
says what each row compares.

    /usr/bin/python3 tests/bench/bench.py --bin build [--runs 5] [--only client,escrow] [--json]

Exit status 1: a limit was missed.
"""
import argparse
import dataclasses
import importlib
import json
import os
import pathlib
import sys

import network

PARTS = ("core", "client", "tuf", "registry", "escrow", "log")
HERE = pathlib.Path(__file__).resolve().parent


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def line(row):
    if row.limit is None:
        limit, verdict = "", ""
    else:
        limit = f"{'>=' if row.at_least else '<='} {row.limit:g}"
        limit += "" if row.peer is not None else f" {row.unit}"
        verdict = "ok" if row.ok else "MISSED"
    return (f"{row.what:34}{number(row.ours):>10}{number(row.peer):>10} {row.unit:6}"
            f"{'' if row.ratio is None else f'{row.ratio:.2f}':>7}{limit:>11}  {verdict}").rstrip()


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", required=True, type=pathlib.Path, help="the folder of the programs")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    p.add_argument("--json", action="store_true", help="one object for each row")
    a = p.parse_args()
    parts = a.only.split(",")
    if not set(parts) <= set(PARTS) or a.runs < 1:
        p.error(f"want parts among {', '.join(PARTS)}, and at least one run")
    folder = a.bin.resolve()
    os.environ["BIN"] = str(folder)
    os.environ["PATH"] += ":/usr/sbin"  # nginx
    sys.path.insert(0, str(HERE.parent / "integration"))
    missed = 0
    own = network.own_loopback()
    if not a.json:
        print(f"loopback: {'its own' if own else 'shared'}, {network.control()}; "
              f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; medians of {a.runs} runs")
        print(f"{'':34}{'ours':>10}{'peer':>10} {'':6}{'ratio':>7}{'limit':>11}")
    for part in parts:
        for row in importlib.import_module(part).rows(folder, a.runs):
            missed += row.limit is not None and not row.ok
            print(json.dumps({**dataclasses.asdict(row), "ok": row.limit is None or row.ok})
                  if a.json else line(row), flush=True)
    sys.exit(1 if missed else 0)


main()
