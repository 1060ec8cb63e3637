# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at any point: a witness never cosigns two histories, a witnessed log loses nothing.

First a log that lies: it has two continuations of each tree, and asks for both at once while the
witness is killed. Then an honest registry, killed like its witnesses while documents come. $KILLS
says how many times each: 40, or 12 under sanitizers.
"""
import base64
import hashlib
import http.client
import json
import os
import random
import tempfile
import threading
import time
import urllib.error

from lib_device import Log
from lib_witness import Vendor, Witness, Witnessed, read_note, request, run

KILLS = int(os.environ.get("KILLS") or (12 if os.environ.get("SAN") else 40))


def root(hashes):
    """MTH of RFC 9162 §2.1.1, and in consistency() SUBPROOF of §2.1.4.1."""
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return hashlib.sha256(b"\x01" + root(hashes[:k]) + root(hashes[k:])).digest()


def split(n):
    return 1 << (n - 1).bit_length() - 1


def consistency(old, hashes, whole=True):
    if old == len(hashes):
        return [] if whole else [root(hashes)]
    k = split(len(hashes))
    if old <= k:
        return consistency(old, hashes[:k], whole) + [root(hashes[k:])]
    return consistency(old - k, hashes[k:], False) + [root(hashes[:k])]


def b64(data):
    return base64.b64encode(data).decode()


def body(log, old, hashes):
    """What a witness is sent about this tree."""
    text = f"{log.origin}\n{len(hashes)}\n{b64(root(hashes))}\n"
    proof = consistency(old, hashes) if old else []
    lines = "".join(b64(h) + "\n" for h in proof)
    sig = b64(log.key_id + log.key.sign(text.encode()))
    return f"old {old}\n{lines}\n{text}\n\u2014 {log.origin} {sig}\n".encode()


def leaf(text):
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def ask(url, body, answers, what):
    try:
        status, _, text = request(url + "/add-checkpoint", body)
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        return
    assert status in (200, 409, 422), (status, text)
    if status == 200:
        answers.append(what)


def no_witness_cosigns_two_histories(top, rng):
    log = Log("log.test/two-faced")
    witness = Witness(f"{top}/witness", "witness.test")
    witness.know(log.vkey())
    witness.start()
    hashes, cosigned, both = [], {}, 0
    try:
        for n in range(KILLS):
            grown = [hashes + [leaf(f"{n}.{face}.{i}") for i in range(rng.randrange(1, 4))]
                     for face in "ab"]
            answers, asking = [], []
            bodies = [body(log, len(hashes), g) for g in grown]
            killer = threading.Timer(rng.uniform(0, 0.03), witness.kill)
            for g, sent in zip(grown, bodies):
                what = (len(g), root(g))
                asking.append(threading.Thread(target=ask, args=(witness.url, sent, answers, what)))
            rng.shuffle(asking)
            for thread in asking + [killer]:
                thread.start()
            for thread in asking + [killer]:
                thread.join()
            witness.start()
            both += len(answers) > 1
            head = witness.head(log.origin)
            size, top_hash = head.split("\n")[1:3] if head else ("0", "")
            kept = next((g for g in grown if size == str(len(g))
                         and top_hash == b64(root(g))), hashes)
            assert not head or size == str(len(kept)), (size, len(kept))
            for at, signed in answers:
                assert at <= len(kept) and signed == root(kept[:at]), \
                    f"cosigned {at}, and remembers another"
                assert cosigned.setdefault(at, signed) == signed, f"two roots of size {at}"
            hashes = kept
        assert len(hashes) > KILLS // 8, "hardly anything was cosigned"
        assert both == 0, "both faces were cosigned"
    finally:
        witness.end(kill=True)
    return len(hashes)


def beat(vendor, acknowledged):
    try:
        acknowledged.append(vendor.beat())
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        pass  # nobody answered: the same comes again


class Watch(threading.Thread):
    """Every checkpoint that the public tree shows, all the time."""

    def __init__(self, public):
        super().__init__(daemon=True)
        self.at, self.ended, self.fault = public / "log" / "checkpoint", threading.Event(), None
        self.roots, self.last = {}, 0

    def run(self):
        while not self.ended.wait(0.005):
            text = self.at.read_text()
            origin, size, shown = text.split("\n")[:3]
            if self.roots.setdefault(size, shown) != shown:
                self.fault = f"two roots of size {size}"
            if int(size) < self.last:
                self.fault = f"went back from {self.last} to {size}"
            if len(read_note(text)[1]) < 3:
                self.fault = f"size {size} of {origin} is shown without its quorum"
            self.last = int(size)


def a_witnessed_log_loses_nothing(top, rng):
    town = Witnessed(f"{top}/town", 3, threshold=2)
    vendor, acknowledged = Vendor(town), []
    town.cosigned(1, 2)
    watch = Watch(town.public)
    watch.start()
    try:
        for _ in range(KILLS // 2):
            victims = rng.sample([town, *town.witnesses], rng.randrange(1, 3))
            timers = [threading.Timer(rng.uniform(0, 0.15), v.kill) for v in victims]
            for t in timers:
                t.start()
            while any(t.is_alive() for t in timers):
                beat(vendor, acknowledged)
                time.sleep(0.01)
            for v in rng.sample(victims, len(victims)):
                v.start()
            assert not watch.fault, watch.fault
        beat(vendor, acknowledged)
        town.cosigned(acknowledged[-1]["log_index"] + 1, 2)
        for one in acknowledged:
            answer = json.loads(request(f"{town.url}/v1/documents/{one['id']}")[2])
            assert answer["state"] == "published" and answer["log_index"] == one["log_index"]
            assert answer["proof"] and len(read_note(vendor.proof(one).split("\n\n", 1)[1])[1]) > 2
        watch.ended.set()
        watch.join()
        assert not watch.fault, watch.fault
        for w in town.witnesses:
            size, cosigned = w.head().split("\n")[1:3]
            assert watch.roots.get(size, cosigned) == cosigned, f"{w.name} has another root of {size}"
        town.stop()
        assert json.loads(run("fsck", "--data", town.data, "--json"))["ok"]
    finally:
        watch.ended.set()
        town.close()
    return len(acknowledged)


def main():
    seed = int(os.environ.get("SEED") or time.time_ns())
    print(f"SEED={seed} KILLS={KILLS}", flush=True)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as top:
        os.mkdir(f"{top}/town")
        print(f"{no_witness_cosigns_two_histories(top, rng)} leaves cosigned", flush=True)
        print(f"{a_witnessed_log_loses_nothing(top, rng)} documents", flush=True)


if __name__ == "__main__":
    main()
