# SPDX-License-Identifier: Apache-2.0
"""The monitor beside a real registry, from a product's first root to its stewards' first targets.

At every stage it says what happened and raises no alarm; one that comes only at the end reads the
same story from the log alone.
"""
import json
import subprocess

from lib_escrow import World
from test_escrow_registry import (REGISTRY, Running, deposit, eol_and_votes, handover, product,
                                  shares)

LIMIT_S = 60


def look(w, r, state, status=0):
    done = subprocess.run([REGISTRY, "monitor", "--url", r.url, "--state", state, "--json"],
                          cwd=w.dir, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == status, (done.stdout, done.stderr)
    report = json.loads(done.stdout)
    assert not report["standing"] and report["complete"], report
    return [e["kind"] for e in report["events"]], report


def main():
    w = World()
    r = Running(w)
    try:
        product(w, r)
        assert look(w, r, "watch")[0] == ["trust", "root"]
        deposit(w, r)
        kinds, report = look(w, r, "watch")
        assert kinds == ["deposit"], report
        assert "for root 1 with 3 trustees, of whom 2 open it" in report["events"][0]["text"]
        eol_and_votes(w, r)
        kinds, report = look(w, r, "watch")
        assert kinds == ["eol", "approval", "refusal", "approval"], report
        said = [e["text"] for e in report["events"]]
        assert said[0] == ("end of life on 2026-12-01: sold out; it is final, and names the "
                           "bridge"), said
        assert said[1].startswith("Anna: approves the release of deposit "), said
        assert said[2].startswith("Cärla: refuses "), said
        shares(w, r)
        assert look(w, r, "watch")[0] == ["release"]
        handover(w, r)
        kinds, report = look(w, r, "watch")
        assert kinds == ["root", "publisher", "root"], report
        assert "carried by a logged deposit" in report["events"][1]["text"], report
        kinds, report = look(w, r, "late")
        assert kinds == ["trust", "root", "deposit", "eol", "approval", "refusal", "approval",
                         "release", "root", "publisher", "root"], report
        assert look(w, r, "late")[0] == []
    finally:
        if r.process.poll() is None:
            r.stop()
        w.close()


if __name__ == "__main__":
    main()
