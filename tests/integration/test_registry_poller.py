# SPDX-License-Identifier: Apache-2.0
"""A root and what it signs change together for every reader, though the registry is killed.

Every fourth publication is a new root that names another targets key, with targets by that key, in
one array. A poller follows timestamp, snapshot, targets and target files on disk, as any web server would
serve them, and checks each against what lists it and against the root. What was acknowledged is in
the log, whatever happened.
"""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.formats import encode_canonical

BIN = os.environ["BIN"]
REGISTRY = os.path.join(BIN, "bequest-registry")
PRODUCT = "acme.x1"
SECONDS = 8
POLL_S = 0.02


class Key:
    def __init__(self):
        self.private = Ed25519PrivateKey.generate()
        public = self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.object = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public.hex()}}
        self.id = hashlib.sha256(encode_canonical(self.object).encode()).hexdigest()

    def sign(self, signed):
        return {"keyid": self.id, "sig": self.private.sign(encode_canonical(signed).encode()).hex()}


def document(signed, *keys):
    return {"signatures": [k.sign(signed) for k in keys], "signed": signed}


def doc_id(signed):
    return hashlib.sha256(encode_canonical(signed).encode()).hexdigest()


class Server:
    def __init__(self, data):
        self.data = data
        self.process = self.url = None

    def start(self):
        self.process = subprocess.Popen(
            [REGISTRY, "serve", "--data", self.data, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening "), line
        self.url = line.split()[1]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def call(self, method, path, body=None):
        """The answer; None if the server went away."""
        request = urllib.request.Request(self.url + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{method} {path}: {e.code} {e.read()!r}") from e
        except (OSError, ValueError, EOFError):
            return None


class Poller(threading.Thread):
    def __init__(self, tree):
        super().__init__()
        self.folder = os.path.join(tree, "p", PRODUCT)
        self.rounds = 0
        self.wrong = None
        self.stopping = threading.Event()

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as f:
            return f.read()

    def newest_root(self):
        version = 1
        while os.path.exists(os.path.join(self.folder, f"metadata/{version + 1}.root.json")):
            version += 1
        return version, json.loads(self.read(f"metadata/{version}.root.json"))["signed"]

    def listed(self, meta, name):
        entry = meta["signed"]["meta"][name]
        data = self.read(f"metadata/{entry['version']}.{name}")
        if hashlib.sha256(data).hexdigest() != entry["hashes"]["sha256"]:
            raise AssertionError(f"{name} {entry['version']}: another digest than is listed")
        return json.loads(data)

    def signed_by(self, root, role, doc):
        wanted = set(root["roles"][role]["keyids"])
        if not wanted & {s["keyid"] for s in doc["signatures"]}:
            raise AssertionError(f"{role}: signed by nobody whom the newest root names")

    def once(self):
        before, root = self.newest_root()
        timestamp = json.loads(self.read("metadata/timestamp.json"))
        snapshot = self.listed(timestamp, "snapshot.json")
        targets = self.listed(snapshot, "targets.json")
        for path, entry in targets["signed"]["targets"].items():
            data = self.read(f"targets/{entry['hashes']['sha256']}.{path}")
            assert hashlib.sha256(data).hexdigest() == entry["hashes"]["sha256"], path
        if self.newest_root()[0] == before:  # else the reader itself was between two moments
            self.signed_by(root, "timestamp", timestamp)
            self.signed_by(root, "targets", targets)
        chain = [json.loads(line) for line in self.read("leaves.jsonl").splitlines()]
        assert [line["leaf"]["seq"] for line in chain] == list(range(1, len(chain) + 1))
        for entry in json.loads(self.read("index.json"))["documents"]:
            self.read(entry["path"])
            self.read(entry["proof"])

    def run(self):
        while not self.stopping.wait(POLL_S):
            try:
                self.once()
            except (OSError, AssertionError, ValueError, KeyError) as e:
                self.wrong = f"{type(e).__name__}: {e}"
                return
            self.rounds += 1


class Vendor:
    def __init__(self, server):
        self.server = server
        self.root_keys = [Key(), Key()]
        self.targets_key = Key()
        self.root = self.targets = 0
        self.acknowledged = []
        self.files = {}
        record = server.call("GET", "/registry.json")["signed"]
        self.log = dict(record["logs"][0], url="https://acme.example/log/")
        self.online = server.call("POST", f"/v1/products/{PRODUCT}/online-keys",
                                  json.dumps({"publisher": "acme"}).encode())

    def next_root(self):
        self.root += 1
        online = self.online
        keys = {k.id: k.object for k in self.root_keys + [self.targets_key]}
        keys.update(online["keys"])
        return document({
            "_type": "root", "spec_version": "1.0", "version": self.root, "product": PRODUCT,
            "expires": "2090-01-01T00:00:00Z", "consistent_snapshot": True, "keys": keys,
            "roles": {"root": {"keyids": [k.id for k in self.root_keys], "threshold": 2},
                      "targets": {"keyids": [self.targets_key.id], "threshold": 1},
                      "snapshot": {"keyids": [online["snapshot"]], "threshold": 1},
                      "timestamp": {"keyids": [online["timestamp"]], "threshold": 1}},
            "x-bequest": {"publisher": {"id": "acme", "name": "Acme", "kind": "vendor"},
                          "logs": [self.log], "witnesses": {"keys": [], "threshold": 0}},
        }, *self.root_keys)

    def next_targets(self, content):
        self.targets += 1
        if content:
            digest = hashlib.sha256(content).hexdigest()
            self.files[f"notes-{self.targets}.txt"] = {
                "length": len(content), "hashes": {"sha256": digest}}
        return document({
            "_type": "targets", "spec_version": "1.0", "version": self.targets, "product": PRODUCT,
            "expires": "2090-01-01T00:00:00Z", "targets": dict(self.files)}, self.targets_key)

    def publish(self, docs, content=None):
        """Ask until it is published, whoever dies meanwhile."""
        body = json.dumps(docs if len(docs) > 1 else docs[0]).encode()
        while True:
            answer = self.server.call("POST", "/v1/documents", body)
            states = {d["state"] for d in answer["documents"]} if answer else set()
            if states == {"published"}:
                self.acknowledged += [doc_id(d["signed"]) for d in docs]
                return
            if states == {"waiting"} and content is not None:
                digest = hashlib.sha256(content).hexdigest()
                self.server.call("PUT", f"/v1/blobs/{digest}", content)
            elif answer:
                raise AssertionError(answer)
            else:
                time.sleep(POLL_S)


def killer(server, stopping, until):
    """Stops in time: on a slow machine nothing is ever published between two deaths."""
    while time.monotonic() < until and not stopping.wait(random.uniform(0.05, 1.5)):
        server.kill()
        server.start()


def story(vendor, until):
    step = 0
    while time.monotonic() < until:
        step += 1
        if step % 4 == 0:  # a new root, and targets by the new key, in one array
            vendor.targets_key = Key()
            vendor.publish([vendor.next_root(), vendor.next_targets(None)])
        else:
            content = os.urandom(1000)
            vendor.publish([vendor.next_targets(content)], content)
    return step


def check_end(server, vendor, poller, data):
    assert poller.wrong is None, poller.wrong
    assert poller.rounds > 0
    with open(os.path.join(data, "public", "p", PRODUCT, "leaves.jsonl")) as f:
        logged = {json.loads(line)["leaf"]["id"] for line in f}
    missing = [i for i in vendor.acknowledged if i not in logged]
    assert not missing, f"acknowledged, and not in the log: {missing}"
    server.kill()
    subprocess.run([REGISTRY, "fsck", "--data", data], check=True, stdout=subprocess.DEVNULL)


def main():
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    random.seed(seed)
    print(f"SEED={seed}", flush=True)
    data = tempfile.mkdtemp(prefix="bequest-poller-")
    server = Server(data)
    stopping = threading.Event()
    try:
        subprocess.run([REGISTRY, "init", "--data", data, "--admission", "open"], check=True,
                       stdout=subprocess.DEVNULL)
        server.start()
        vendor = Vendor(server)
        vendor.publish([vendor.next_root()])
        vendor.publish([vendor.next_targets(b"first")], b"first")
        poller = Poller(os.path.join(data, "public"))
        until = time.monotonic() + SECONDS
        death = threading.Thread(target=killer, args=(server, stopping, until))
        poller.start()
        death.start()
        try:
            steps = story(vendor, until)
        finally:
            stopping.set()
            death.join()
            poller.stopping.set()
            poller.join()
        check_end(server, vendor, poller, data)
        print(f"ok {steps} publications, {len(vendor.acknowledged)} documents, "
              f"{poller.rounds} rounds of the poller")
    finally:
        stopping.set()
        if server.process and server.process.poll() is None:
            server.kill()
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
