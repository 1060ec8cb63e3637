# SPDX-License-Identifier: Apache-2.0
"""A registry and its witnesses over loopback: all there, some down, some new, some with other ideas."""

import hashlib
import json
import socket
import tempfile
import time
import urllib.parse

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


def a_witness_speaks_the_protocol(town):
    w = town.witnesses[0]
    size, _ = read_note(w.head())
    note = w.head().encode()
    status, head, body = request(w.url + "/add-checkpoint", b"old 0\n\n" + note)
    assert (status, head["Content-Type"], body) == (
        409, "text/x.tlog.size", f"{size}\n".encode()), (status, head, body)
    status, head, body = request(w.url + "/add-checkpoint", f"old {size}\n\n".encode() + note)
    assert status == 200 and body.decode().startswith(f"\u2014 {w.name} "), (status, body)
    for wrong, want in ((b"", 400), (b"old 0\n", 400), (b"old x\n\n" + note, 400),
                        (f"old {size + 1}\n\n".encode() + note, 400),
                        (b"old 0\n\n" + note.replace(b"log.test", b"log.best"), 404),
                        (b"old 0\n\n" + note.replace(f"\n{size}\n".encode(), b"\n1\n"), 403),
                        (b"old 0\n" + b"x" * 100_000, 413)):
        status, head, body = request(w.url + "/add-checkpoint", wrong)
        assert status == want and body, (want, status, body)
    assert request(w.url + "/add-checkpoint")[0] == 405
    assert request(w.url + "/add-checkpoint/", b"x")[0] in (404, 405)
    where = f"{w.url}/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    status, head, body = request(where)
    assert (status, body) == (200, w.head().encode()), (status, body)
    assert head["Content-Type"] == "text/plain; charset=utf-8", head
    assert request(f"{w.url}/{'0' * 64}/checkpoint")[0] == 404
    assert request(w.url + "/v1/documents", b"{}")[0] == 404
    assert request(town.url + "/add-checkpoint", b"old 0\n\n" + note)[0] == 404


def slow_clients_hold_up_nobody(town):
    """A thousandth part of a request on each of many connections, and one who is quick."""
    where = urllib.parse.urlsplit(town.witnesses[0].url)
    slow = [socket.create_connection((where.hostname, where.port)) for _ in range(50)]
    for s in slow:
        s.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nold")
    began = time.monotonic()
    a_witness_speaks_the_protocol(town)
    assert time.monotonic() - began < 5
    for s in slow:
        s.close()


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
            a_witness_speaks_the_protocol(town)
            slow_clients_hold_up_nobody(town)
            times_are_of_now(town)
            all_of_it_is_sound(town)
        finally:
            town.close()
    print("ok")


if __name__ == "__main__":
    main()
