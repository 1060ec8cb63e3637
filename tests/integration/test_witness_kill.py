# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at any point: a witness never cosigns two histories, a witnessed log loses nothing.

First a log that lies: it has two continuations of each tree, and asks for both at once while the
witness is killed. Then an honest registry, killed like its witnesses while documents come. $KILLS
says how many times each: 60, or 12 under sanitizers.
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

KILLS = int(os.environ.get("KILLS") or (12 if os.environ.get("SAN") else 60))


class TwoFaced(Log):
    """A log with the proofs that a witness wants, by the definition in RFC 9162."""

    def consistency(self, old, hashes, whole=True):
        if old == len(hashes):
            return [] if whole else [self.root(hashes)]
        k = self._split(len(hashes))
        if old <= k:
            return self.consistency(old, hashes[:k], whole) + [self.root(hashes[k:])]
        return self.consistency(old - k, hashes[k:], False) + [self.root(hashes[:k])]

    def body(self, old, hashes):
        self.hashes = hashes
        proof = self.consistency(old, hashes) if old else []
        lines = "".join(base64.b64encode(h).decode() + "\n" for h in proof)
        return (f"old {old}\n{lines}\n" + self.checkpoint()).encode()


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
    log = TwoFaced("log.test/two-faced")
    witness = Witness(f"{top}/witness", "witness.test")
    witness.know(log.vkey())
    witness.start()
    hashes, cosigned, both = [], {}, 0
    try:
        for n in range(KILLS):
            grown = [hashes + [leaf(f"{n}.{face}.{i}") for i in range(rng.randrange(1, 4))]
                     for face in "ab"]
            answers, asking = [], []
            bodies = [log.body(len(hashes), g) for g in grown]
            killer = threading.Timer(rng.uniform(0, 0.03), witness.kill)
            for g, body in zip(grown, bodies):
                what = (len(g), log.root(g))
                asking.append(threading.Thread(target=ask, args=(witness.url, body, answers, what)))
            rng.shuffle(asking)
            for thread in asking + [killer]:
                thread.start()
            for thread in asking + [killer]:
                thread.join()
            witness.start()
            both += len(answers) > 1
            head = witness.head(log.origin)
            size, root = head.split("\n")[1:3] if head else ("0", "")
            kept = next((g for g in grown if size == str(len(g))
                         and root == base64.b64encode(log.root(g)).decode()), hashes)
            assert not head or size == str(len(kept)), (size, len(kept))
            for at, top_hash in answers:
                assert at <= len(kept) and top_hash == log.root(kept[:at]), \
                    f"cosigned {at}, and remembers another"
                assert cosigned.setdefault(at, top_hash) == top_hash, f"two roots of size {at}"
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
            origin, size, root = text.split("\n")[:3]
            if self.roots.setdefault(size, root) != root:
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
            size, root = w.head().split("\n")[1:3]
            assert watch.roots.get(size, root) == root, f"{w.name} has another root of {size}"
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
