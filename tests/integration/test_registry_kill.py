# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at any point of uploads and publishes: nothing acknowledged is lost, no reader is misled.

A publisher uploads and publishes version after version of one product while the registry is killed
at random points. A reader follows timestamp -> snapshot -> targets -> files all the time, in the
public tree itself (as a mirror or a web server in front sees it) and over HTTP while it is served.
$KILLS says how many points: 200, or 20 under sanitizers.
"""
import hashlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from lib_device import Key, canonical, identity, sha256, signed, when

BIN = os.environ["BIN"]
KILLS = int(os.environ.get("KILLS") or (20 if os.environ.get("SAN") else 200))
PRODUCT = "kill.test"
POLL_S = 0.02
READY_S = 30


class Registry:
    """The program under test on one data folder; it comes back on the same port."""

    def __init__(self, folder):
        self.data = os.path.join(folder, "registry")
        self.public = pathlib.Path(self.data, "public")
        self.process, self.port = None, 0
        self.log = open(os.path.join(folder, "serve.log"), "wb")
        subprocess.run([f"{BIN}/bequest-registry", "init", "--data", self.data, "--name", "test",
                        "--origin", "test.example/log", "--admission", "open"], check=True,
                       stdout=subprocess.DEVNULL)

    def start(self):
        self.process = subprocess.Popen(
            [f"{BIN}/bequest-registry", "serve", "--data", self.data, "--listen",
             f"127.0.0.1:{self.port}"], stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        assert line.startswith("listening http://127.0.0.1:"), f"did not start: {line!r}"
        self.port = int(line.rsplit(":", 1)[1].strip().rstrip("/"))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0
        self.process.stdout.close()

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body), or None if the registry went away while it was asked."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()


class Reader(threading.Thread):
    """Follows the metadata down to the files, for ever; the first fault that it sees ends it."""

    def __init__(self, registry):
        super().__init__(daemon=True)
        self.registry, self.fault, self.rounds = registry, None, 0
        self.ended = threading.Event()
        self.versions, self.heads = {}, {}

    def run(self):
        sources = (self.from_tree, self.from_http)
        while not self.ended.is_set() and not self.fault:
            for fetch in sources:
                try:
                    self.follow(fetch)
                except AssertionError as fault:
                    self.fault = f"{fetch.__name__}: {fault}"
            self.rounds += 1
            self.ended.wait(POLL_S)

    def from_tree(self, path):
        return self.registry.public.joinpath(path).read_bytes()

    def from_http(self, path):
        answer = self.registry.ask("GET", "/" + path)
        if answer is None:
            return None  # it is down just now; the tree has its own reader
        assert answer[0] == 200, f"{path}: {answer[0]}"
        return answer[2]

    def get(self, fetch, path):
        try:
            return fetch(path)
        except FileNotFoundError as missing:
            raise AssertionError(f"{path}: is not there") from missing

    def role(self, fetch, name, listed):
        """A listed role file, checked against what lists it; None while nobody serves it."""
        data = self.get(fetch, f"p/{PRODUCT}/metadata/{listed['version']}.{name}")
        if data is None:
            return None
        assert sha256(data) == listed["hashes"]["sha256"], f"{name}: digest differs"
        body = json.loads(data)["signed"]
        assert body["version"] == listed["version"], f"{name}: version differs"
        return body

    def rising(self, fetch, name, version):
        key = (fetch.__name__, name)
        assert version >= self.versions.get(key, 0), f"{name}: went back to {version}"
        self.versions[key] = version

    def follow(self, fetch):
        data = self.get(fetch, f"p/{PRODUCT}/metadata/timestamp.json")
        if data is None:
            return
        timestamp = json.loads(data)["signed"]
        self.rising(fetch, "timestamp", timestamp["version"])
        snapshot = self.role(fetch, "snapshot.json", timestamp["meta"]["snapshot.json"])
        targets = snapshot and self.role(fetch, "targets.json", snapshot["meta"]["targets.json"])
        if not targets:
            return
        self.rising(fetch, "targets", targets["version"])
        for name, entry in targets["targets"].items():
            data = self.get(fetch, f"p/{PRODUCT}/targets/{entry['hashes']['sha256']}.{name}")
            if data is None:
                return
            assert len(data) == entry["length"] and sha256(data) == entry["hashes"]["sha256"], name
        self.checkpoint(fetch)

    def checkpoint(self, fetch):
        """Never two heads of one size: that would be a forked log."""
        note = self.get(fetch, "log/checkpoint")
        if note is None:
            return
        size, root = note.decode().split("\n")[1:3]
        assert self.heads.setdefault(size, root) == root, f"two checkpoints of size {size}"


class Publisher:
    """One vendor that never gives up, and remembers what it was promised."""

    def __init__(self, registry, rng):
        self.registry, self.rng, self.key = registry, rng, Key()
        self.version, self.promised = 0, {}
        self.blob, self.doc = None, None

    def register(self):
        answer = self.registry.ask("POST", f"/v1/products/{PRODUCT}/online-keys",
                                   json.dumps({"publisher": "vendor"}))
        online = json.loads(answer[2])
        record = json.loads(self.registry.public.joinpath("registry.json").read_bytes())["signed"]
        roles = {"root": self.key.id, "targets": self.key.id, "snapshot": online["snapshot"],
                 "timestamp": online["timestamp"]}
        root = {"_type": "root", "spec_version": "1.0.31", "version": 1, "expires": when(365),
                "product": PRODUCT, "consistent_snapshot": True,
                "keys": {self.key.id: self.key.object, **online["keys"]},
                "roles": {r: {"keyids": [k], "threshold": 1} for r, k in roles.items()},
                "x-bequest": {"publisher": {"id": "vendor", "name": "Vendor", "kind": "vendor"},
                              "logs": record["logs"], "witnesses": record["witnesses"]}}
        answer = self.registry.ask("POST", "/v1/documents",
                                   canonical(signed(root, [self.key])))
        assert answer[0] in (200, 201, 202), answer
        statement = {"_type": "product", "spec_version": "1.0", "product": PRODUCT, "version": 1,
                     "issued": when(0), "root": {"version": 1, "id": identity({"signed": root})},
                     "name": "Kill test", "hardware": ["kill,test"]}
        answer = self.registry.ask("POST", "/v1/documents",
                                   canonical(signed(statement, [self.key])))
        assert answer[0] in (200, 201, 202), answer

    def prepare(self):
        """The next version: one new image of a few hundred KiB."""
        self.version += 1
        self.blob = self.rng.randbytes(self.rng.randrange(1000, 300_000))
        digest = hashlib.sha256(self.blob).hexdigest()
        custom = {"bequest": {"version": f"1.{self.version}", "hardware": ["kill,test"],
                              "kind": "image", "backend": "ab-image"}}
        targets = {"_type": "targets", "spec_version": "1.0.31", "version": self.version,
                   "expires": when(90), "product": PRODUCT,
                   "targets": {"image.bin": {"length": len(self.blob),
                                             "hashes": {"sha256": digest}, "custom": custom}}}
        self.doc = signed(targets, [self.key])

    def state(self):
        """Post the document (again); its state, or None if nobody answered."""
        answer = self.registry.ask("POST", "/v1/documents", canonical(self.doc))
        if answer is None:
            return None
        assert answer[0] in (200, 201, 202), answer
        entry = json.loads(answer[2])["documents"][0]
        self.promised[identity(self.doc)] = entry["state"]
        return entry

    def upload(self):
        """Send what is missing in two pieces, from where the registry says it is."""
        digest = sha256(self.blob)
        answer = self.registry.ask("HEAD", f"/v1/blobs/{digest}")
        if answer is None:
            return False
        offset = int(answer[1].get("Upload-Offset", len(self.blob)))
        while offset < len(self.blob):
            end = min(len(self.blob), offset + max(1, len(self.blob) // 2))
            answer = self.registry.ask(
                "PATCH", f"/v1/blobs/{digest}", self.blob[offset:end],
                {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)})
            if answer is None:
                return False
            assert answer[0] in (200, 204), answer
            offset = end
            self.promised[digest] = offset
        return True

    def publish(self):
        """Until the registry says that it is published, or goes away. True: published."""
        entry = self.state()
        if entry and entry["state"] == "waiting" and self.upload():
            entry = self.state()
        return bool(entry and entry["state"] == "published")

    def check_promises(self):
        """After a restart: whatever was answered before is still so."""
        public = self.registry.public
        for name, promise in self.promised.items():
            if isinstance(promise, int):
                answer = self.registry.ask("HEAD", f"/v1/blobs/{name}")
                if answer[0] == 200:
                    have = int(answer[1].get("Upload-Offset", promise))
                    assert have >= promise, f"blob {name}: {have} of {promise} acknowledged bytes"
                continue
            answer = self.registry.ask("GET", f"/v1/documents/{name}")
            assert answer[0] == 200, f"{name}: was {promise}, now {answer[0]}"
            entry = json.loads(answer[2])
            if promise == "published":
                assert entry["state"] == "published", f"{name}: was published, now {entry}"
                proof = public / "p" / PRODUCT / "proofs" / f"{name}.tlog-proof"
                assert proof.exists(), f"{name}: no proof"
                leaves = (public / "p" / PRODUCT / "leaves.jsonl").read_text()
                assert name in leaves, f"{name}: not in the leaf chain"
        self.promised = {k: v for k, v in self.promised.items() if v != "published"}


def measure(publisher):
    """How long one undisturbed publish takes, seconds."""
    started = time.monotonic()
    for _ in range(3):
        publisher.prepare()
        assert publisher.publish()
    return (time.monotonic() - started) / 3


def torment(registry, publisher, reader, rng):
    usual = measure(publisher)
    publisher.prepare()
    for n in range(KILLS):
        timer = threading.Timer(rng.uniform(0, 1.5 * usual), registry.kill)
        timer.start()
        while publisher.publish():
            publisher.prepare()
        timer.join()
        registry.start()
        publisher.check_promises()
        assert not reader.fault, f"after {n + 1} kills: {reader.fault}"
    while not publisher.publish():
        pass


def main():
    seed = int(os.environ.get("SEED") or time.time_ns())
    print(f"SEED={seed} KILLS={KILLS}", flush=True)
    rng = random.Random(seed)
    folder = tempfile.mkdtemp(prefix="bequest-kill-")
    registry = Registry(folder)
    try:
        registry.start()
        publisher = Publisher(registry, rng)
        publisher.register()
        publisher.prepare()
        assert publisher.publish(), "the first version is not published"
        reader = Reader(registry)
        reader.start()
        torment(registry, publisher, reader, rng)
        reader.ended.set()
        reader.join()
        assert not reader.fault, reader.fault
        assert reader.rounds > KILLS, "the reader hardly ran"
        registry.stop()
        subprocess.run([f"{BIN}/bequest-registry", "fsck", "--data", registry.data], check=True)
        left = [str(p) for p in registry.public.rglob(".tmp-00000000*")]
        assert not left, f"half-written files of publications: {left}"
        print(f"{publisher.version} versions, {KILLS} kills, {reader.rounds} rounds of the reader")
    finally:
        if registry.process.poll() is None:
            registry.kill()
        shutil.rmtree(folder, ignore_errors=True)


main()
