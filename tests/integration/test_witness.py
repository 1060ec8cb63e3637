# SPDX-License-Identifier: Apache-2.0
"""A registry and its witnesses over loopback: all there, some down, some new, some with other ideas."""

import json
import tempfile
import time

from lib_witness import ORIGIN, Vendor, Witness, Witnessed, read_note, request, run, times, until


def a_document_is_answered_with_its_cosigned_proof(town):
    vendor = Vendor(town)
    assert vendor.first["proof"] and vendor.first["log_index"] == 0, vendor.first
    beat = vendor.beat()
    proof = vendor.proof(beat)
    assert beat["log_index"] == 1 and beat["proof"].endswith(beat["id"] + ".tlog-proof"), beat
    assert proof.startswith("c2sp.org/tlog-proof@v1\nindex 1\n"), proof
    size, signers = read_note(proof.split("\n\n", 1)[1])
    assert size == 2 and signers[0] == ORIGIN and len(signers) >= 3, signers
    size, signers = town.cosigned(2, 3)
    assert signers == [ORIGIN] + [w.name for w in town.witnesses], signers
    return vendor


def the_record_names_the_witnesses(town):
    record = json.loads((town.public / "registry.json").read_text())["signed"]
    assert record["witnesses"] == {"keys": [w.vkey for w in town.witnesses], "threshold": 2}


def a_quorum_is_enough(town, vendor):
    town.witnesses[2].kill()
    beat = vendor.beat()
    assert beat["proof"], beat
    size, signers = town.checkpoint()
    assert size == beat["log_index"] + 1 and town.witnesses[2].name not in signers, signers


def without_a_quorum_documents_wait_for_their_proof_only(town, vendor):
    town.witnesses[1].kill()
    shown = town.checkpoint()
    beat = vendor.beat()
    assert beat["proof"] is None and beat["log_index"] == shown[0], beat
    began = time.monotonic()
    again = vendor.beat()  # nobody waits in vain twice
    assert time.monotonic() - began < 1 and again["proof"] is None, again
    assert town.checkpoint() == shown and vendor.proof(beat) is None
    # What was accepted is in the tree and in the leaf chain, and reads are served.
    status, _, body = request(f"{town.url}/v1/documents/{beat['id']}")
    assert status == 200 and json.loads(body)["state"] == "published", body
    status, _, leaves = request(f"{town.url}/p/{vendor.product}/leaves.jsonl")
    assert status == 200 and beat["id"] in leaves.decode()
    return beat, again


def one_comes_back_and_all_is_proved(town, vendor, waiting):
    town.witnesses[1].start()
    size, signers = town.cosigned(waiting[-1]["log_index"] + 1, 2)
    for one in waiting:
        under, by = read_note(vendor.proof(one).split("\n\n", 1)[1])
        assert one["log_index"] < under <= size and len(by) == 3, (under, by)
    status, _, body = request(f"{town.url}/v1/documents/{waiting[0]['id']}")
    assert json.loads(body)["proof"], body
    assert vendor.beat()["proof"]
    assert town.witnesses[2].name not in signers, signers


def a_late_line_is_added(town):
    town.witnesses[2].start()
    size, _ = town.checkpoint()
    assert town.cosigned(size, 3)[0] == size


def a_restart_asks_again(town, vendor):
    town.stop()
    for w in town.witnesses:
        w.kill()
    town.start()  # with nobody there
    beat = vendor.beat()
    assert beat["proof"] is None, beat
    town.kill()
    for w in town.witnesses:
        w.start()
    town.start()
    assert town.cosigned(beat["log_index"] + 1, 3)
    until(lambda: vendor.proof(beat), "no proof")


def a_witness_is_added_later(town, vendor, top):
    """It begins with what the log has then; nothing is asked of it about before."""
    new = Witness(f"{top}/new", "new.test").start()
    new.know(town.vkey)
    until(lambda: request(new.url + "/add-checkpoint", b"old 0\n\n" + (
        town.public / "log/checkpoint").read_bytes())[0] == 200, "the log is not known")
    town.stop()
    run("witnesses", "--data", town.data, "--add", f"{new.vkey}={new.url}", "--threshold", 3)
    town.witnesses.append(new)
    town.start()
    record = json.loads((town.public / "registry.json").read_text())["signed"]
    assert record["witnesses"]["threshold"] == 3 and new.vkey in record["witnesses"]["keys"]
    assert record["version"] == 2, record
    beat = vendor.beat()
    assert beat["proof"], beat
    assert town.cosigned(beat["log_index"] + 1, 4)


def times_are_of_now(town):
    at = times((town.public / "log" / "checkpoint").read_text())
    assert len(at) == 4 and all(abs(t - time.time()) < 60 for t in at.values()), at


def all_of_it_is_sound(town):
    town.stop()
    report = json.loads(run("fsck", "--data", town.data, "--json"))
    assert report["ok"] and report["leaves"] > 5, report


def main():
    with tempfile.TemporaryDirectory() as top:
        town = Witnessed(top, 3, threshold=2)
        try:
            vendor = a_document_is_answered_with_its_cosigned_proof(town)
            the_record_names_the_witnesses(town)
            a_quorum_is_enough(town, vendor)
            waiting = without_a_quorum_documents_wait_for_their_proof_only(town, vendor)
            one_comes_back_and_all_is_proved(town, vendor, waiting)
            a_late_line_is_added(town)
            a_restart_asks_again(town, vendor)
            a_witness_is_added_later(town, vendor, top)
            times_are_of_now(town)
            all_of_it_is_sound(town)
        finally:
            town.close()
    print("ok")


if __name__ == "__main__":
    main()
