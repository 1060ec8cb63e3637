# SPDX-License-Identifier: Apache-2.0
"""
Verifying signatures against the bare calls of libcrypto, parsing against bare jansson, on the
same bytes in the same process.
"""
import inside

ROUNDS = 8  # for each run: short ones, as neighbours in time suffer the same
LIMITS = {"verify": 1.2, "json": 2, "role": 2, "policy": 1, "reasons": None}  # by the first word of the case


def rows(bin_dir, runs):
    for what, pairs in inside.run(bin_dir / "tests/bench/core", ROUNDS * runs).items():
        yield inside.versus(what, pairs, LIMITS[what.split()[0].rstrip(":")])
