# SPDX-License-Identifier: Apache-2.0
"""The whole way of a product, from its first root to its maintainer, in a log with witnesses.

What test_escrow_registry.py does without: every root names the witnesses, so each step that asks
for evidence gets it from cosigned proofs only.
"""
import json
import time

from lib_escrow import World
from lib_witness import Witnessed, read_note
from test_escrow_registry import deposit, eol_and_votes, handover, product, shares


def roots_name_the_witnesses(town):
    record = json.loads((town.public / "registry.json").read_text())["signed"]["witnesses"]
    assert record["threshold"] == 2 and len(record["keys"]) == 3, record
    for version in (1, 2, 3):
        at = town.public / "p" / "lego.nxt" / "metadata" / f"{version}.root.json"
        said = json.loads(at.read_text())["signed"]["x-bequest"]["witnesses"]
        assert said == record, (version, said)


def every_proof_has_its_quorum(town):
    index = json.loads((town.public / "p" / "lego.nxt" / "index.json").read_text())
    town.cosigned(max(d["log_index"] for d in index["documents"]) + 1, 2)
    for document in index["documents"]:
        note = (town.public / "p" / "lego.nxt" / document["proof"]).read_text().split("\n\n", 1)[1]
        size, signers = read_note(note)
        assert size > document["log_index"] and len(signers) >= 3, (document, signers)


def main():
    w = World()
    town = Witnessed(w.dir, 3, threshold=2)
    try:
        for step in (product, deposit, eol_and_votes, shares, handover):
            began = time.monotonic()
            step(w, town)
            print(f"ok {step.__name__} {time.monotonic() - began:.1f} s", flush=True)
        roots_name_the_witnesses(town)
        every_proof_has_its_quorum(town)
    finally:
        town.close()
        w.close()


if __name__ == "__main__":
    main()
