# SPDX-License-Identifier: Apache-2.0
"""A registry that is made to lie: it has the log's real key, and signs what a test wants.

The tree is a dictionary of files, served from memory. A test changes leaves, documents, tiles and
answers as it likes; seal() makes the log's files and checkpoint over whatever leaves there are.
"""
import base64
import datetime
import hashlib
import http.server
import inspect
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.formats import encode_canonical

from test_registry_poller import Key, doc_id, document

ORIGIN = "liar.example/log"
PRODUCT = "acme.x1"
REGISTRY = os.path.join(os.environ["BIN"], "bequest-registry")
LIMIT_S = 60
FAR = "2090-01-01T00:00:00Z"
DAY = datetime.timedelta(days=1)


def after(days):
    """An instant so many days from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + days * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(data):
    return sha(b"\0", data)


def merkle_root(hashes):
    """RFC 6962, 2.1, as it is written there."""
    if not hashes:
        return sha()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha(b"\1", merkle_root(hashes[:k]), merkle_root(hashes[k:]))


def tile_number(n):
    text = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03}/{text}"
    return text


def tile_files(leaves):
    """Every tile and entry bundle of a log, as C2SP tlog-tiles has them."""
    files = {}

    def put(level, n, items, content):
        name = f"log/tile/{level}/{tile_number(n)}"
        files[name if len(items) == 256 else f"{name}.p/{len(items)}"] = content

    for n in range(0, len(leaves), 256):
        part = leaves[n:n + 256]
        put("entries", n // 256, part, b"".join(len(e).to_bytes(2, "big") + e for e in part))
    level, hashes = 0, [leaf_hash(e) for e in leaves]
    while hashes:
        for n in range(0, len(hashes), 256):
            put(level, n // 256, hashes[n:n + 256], b"".join(hashes[n:n + 256]))
        level += 1
        hashes = [merkle_root(hashes[n:n + 256]) for n in range(0, len(hashes) // 256 * 256, 256)]
    return files


class NoteKey:
    """A key for signed notes: of a log (type 1) or of a witness (type 4)."""

    def __init__(self, name, kind=1):
        self.name, self.kind = name, kind
        self.private = Ed25519PrivateKey.generate()
        raw = bytes([kind]) + self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.id = sha(name.encode(), b"\n", raw)[:4]
        self.vkey = f"{name}+{self.id.hex()}+{base64.b64encode(raw).decode()}"

    def line(self, text, time=0):
        blob = text.encode()
        if self.kind == 4:
            stamp = time.to_bytes(8, "big")
            blob = stamp + self.private.sign(b"cosignature/v1\ntime %d\n" % time + blob)
        else:
            blob = self.private.sign(blob)
        return f"\u2014 {self.name} {base64.b64encode(self.id + blob).decode()}\n"


class Liar:
    def __init__(self):
        self.files = {}
        self.leaves = []
        self.last = {}  # product: (seq, leaf hash)
        self.log = NoteKey(ORIGIN)
        self.witnesses = []
        self.asked_witnesses = {"keys": [], "threshold": 0}
        self.record_key, self.online = Key(), Key()
        self.root_keys = [Key(), Key()]
        self.targets_key, self.online_key = Key(), Key()
        self.version, self.trustees = {}, None
        self.record(1)

    # --- what it says of itself, and of the log

    def record(self, version, **changes):
        signed = {"_type": "registry", "spec_version": "1.0", "version": version,
                  "issued": after(0), "name": "Liar",
                  "root": {"keys": {self.record_key.id: self.record_key.object}, "threshold": 1},
                  "logs": [{"origin": ORIGIN, "vkey": self.log.vkey, "url": "log/"}],
                  "online": {self.online.id: self.online.object},
                  "witnesses": self.asked_witnesses, "auditors": [], "mirrors": [],
                  "policies": {}}
        signed.update(changes)
        self.put("registry.json", document(signed, self.record_key))

    def put(self, path, doc):
        self.files[path] = doc if isinstance(doc, bytes) else json.dumps(doc).encode()

    def leaf(self, doc, role=None, product=PRODUCT, seq=None, prev=None, **changes):
        """Log it; by default as an honest log would."""
        last_seq, last_hash = self.last.get(product, (0, bytes(32)))
        signed = doc["signed"]
        entry = {"kind": signed["_type"], "product": product, "id": doc_id(signed),
                 "sha256": hashlib.sha256(json.dumps(doc).encode()).hexdigest(),
                 "version": signed["version"], "seq": seq or last_seq + 1,
                 "prev": (prev if prev is not None else last_hash).hex()}
        if role:
            entry["role"] = role
        entry.update(changes)
        data = encode_canonical(entry).encode()
        self.leaves.append(data)
        if seq is None:
            self.last[product] = (entry["seq"], leaf_hash(data))
        return len(self.leaves) - 1

    def beats(self, product, count):
        """Leaves of another product, quickly; there are no documents of it."""
        for _ in range(count):
            seq, last = self.last.get(product, (0, bytes(32)))
            data = (f'{{"id":"{seq:064x}","kind":"heartbeat","prev":"{last.hex()}",'
                    f'"product":"{product}","seq":{seq + 1},"sha256":"{seq:064x}",'
                    f'"version":{seq + 1}}}').encode()
            self.leaves.append(data)
            self.last[product] = (seq + 1, leaf_hash(data))

    def checkpoint(self, size=None, root=None):
        leaves = self.leaves if size is None else self.leaves[:size]
        root = root or merkle_root([leaf_hash(e) for e in leaves])
        text = f"{ORIGIN}\n{len(leaves)}\n{base64.b64encode(root).decode()}\n"
        lines = self.log.line(text) + "".join(w.line(text, 1900000000) for w in self.witnesses)
        return f"{text}\n{lines}".encode()

    def seal(self):
        self.files.update(tile_files(self.leaves))
        self.files["log/checkpoint"] = self.checkpoint()

    # --- an honest product

    def next(self, kind):
        self.version[kind] = self.version.get(kind, 0) + 1
        return self.version[kind]

    def root(self, keys=None, version=None, signers=None, log=True, **changes):
        keys = keys or self.root_keys
        version = version or self.next("root")
        signed = {"_type": "root", "spec_version": "1.0", "version": version, "product": PRODUCT,
                  "expires": FAR, "consistent_snapshot": True,
                  "keys": {k.id: k.object for k in [*keys, self.targets_key, self.online_key]},
                  "roles": {"root": {"keyids": [k.id for k in keys], "threshold": 2},
                            "targets": {"keyids": [self.targets_key.id], "threshold": 1},
                            "snapshot": {"keyids": [self.online_key.id], "threshold": 1},
                            "timestamp": {"keyids": [self.online_key.id], "threshold": 1}},
                  "x-bequest": {"publisher": {"id": "acme", "name": "Acme", "kind": "vendor"},
                                "logs": [{"origin": ORIGIN, "vkey": self.log.vkey, "url": "log/"}],
                                "witnesses": self.asked_witnesses}}
        signed.update(changes)
        doc = document(signed, *(signers or keys))
        if log:
            self.leaf(doc, "root")
        self.put(f"p/{PRODUCT}/metadata/{version}.root.json", doc)
        return doc

    def targets(self, log=True, expires=FAR, signer=None, role="targets", to=None):
        """Of the top-level role or, by its signer, of a delegated one; `to`: {role: key or entry}."""
        version = self.next(role)
        signed = {"_type": "targets", "spec_version": "1.0", "version": version,
                  "product": PRODUCT, "expires": expires, "targets": {}}
        if to:
            entries = {n: e if isinstance(e, dict) else {"key": e} for n, e in to.items()}
            signed["delegations"] = {
                "keys": {e["key"].id: e["key"].object for e in entries.values()},
                "roles": [{"name": n, "keyids": [e["key"].id], "threshold": 1,
                           "terminating": False, "paths": [f"{n}/*"],
                           **{k: v for k, v in e.items() if k != "key"}}
                          for n, e in entries.items()]}
        doc = document(signed, signer or self.targets_key)
        if log:
            self.leaf(doc, role)
        self.put(f"p/{PRODUCT}/metadata/{version}.{role}.json", doc)
        return doc

    def online_roles(self, targets, snapshot_expires=FAR, timestamp_expires=FAR, **channels):
        def listed(doc):
            data = json.dumps(doc).encode()
            return {"version": doc["signed"]["version"], "length": len(data),
                    "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}

        at = f"p/{PRODUCT}/metadata/"
        n = self.next("snapshot")
        snapshot = document({"_type": "snapshot", "spec_version": "1.0", "version": n,
                             "product": PRODUCT, "expires": snapshot_expires,
                             "meta": {"targets.json": listed(targets),
                                      **{f"{n}.json": listed(d) for n, d in channels.items()}}},
                            self.online_key)
        self.put(f"{at}{n}.snapshot.json", snapshot)
        timestamp = document({"_type": "timestamp", "spec_version": "1.0",
                              "version": self.next("timestamp"), "product": PRODUCT,
                              "expires": timestamp_expires,
                              "meta": {"snapshot.json": listed(snapshot)}}, self.online_key)
        self.put(f"{at}timestamp.json", timestamp)

    def say(self, kind, root, signers=None, version=None, log=True, **members):
        signed = {"_type": kind, "spec_version": "1.0", "version": version or self.next(kind),
                  "product": PRODUCT, "issued": after(0), **members}
        if root:
            signed["root"] = {"version": root["signed"]["version"], "id": doc_id(root["signed"])}
        doc = document(signed, *(self.root_keys if signers is None else signers))
        if log:
            self.leaf(doc)
        self.put(f"p/{PRODUCT}/statements/{doc_id(signed)}.json", doc)
        return doc

    def deposit(self, root, bridge="b" * 64, refresh_by=FAR):
        """Of one compartment, for the three trustees, of whom two decide."""
        def digest(*what):
            return hashlib.sha256(repr(what).encode()).hexdigest()

        self.trustees = self.trustees or [Key() for _ in range(3)]
        fingerprints = [digest("fingerprint", n)[:40] for n in range(3)]
        payload = {"sha256": digest("payload"), "size": 9000}
        seats = [{"name": f"trustee-{n + 1}", "keyid": k.id, "number": n + 1,
                  "encryption_fingerprint": fingerprints[n],
                  "shares": {"public": digest("share", n)}}
                 for n, k in enumerate(self.trustees)]
        files = [{"path": f"public/shares/{f.upper()}.gpg", "size": 300, "sha256": digest(f)}
                 for f in fingerprints]
        policy = pathlib.Path(__file__).resolve().parents[2] / "policies/release/standard.json"
        follows = {"version": root["signed"]["version"], "id": doc_id(root["signed"])}
        return self.say(
            "deposit", root, follows_root=follows, bridge=bridge, refresh_by=refresh_by,
            support_until="2030-01-01T00:00:00Z",
            trustees={"keys": {k.id: k.object for k in self.trustees}, "threshold": 2,
                      "seats": seats},
            compartments={"public": {"out": "public", "passphrase_sha256": digest("secret"),
                                     **payload}},
            items=[{"path": "handover/bridge.root.json", "size": 1, "sha256": digest("item")}],
            refs={"refs/heads/main": {"commit": "c" * 40}},
            release_policy=json.loads(policy.read_text()),
            files=[*files, {"path": "public/payload.tar.gpg", **payload}])

    def settle(self):
        """A product with a root, targets and metadata, in the log."""
        root = self.root()
        self.online_roles(self.targets())
        self.seal()
        return root


class Serving:
    """Serve a liar's files. `hooks`: path: what answers instead, given the request handler."""

    def __init__(self, liar, files=None):
        self.files = liar.files if files is None else files
        self.hooks = {}
        self.delay_s = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer: else each waits for the last one's ACK

            def do_GET(self):
                path = self.path.lstrip("/")
                time.sleep(outer.delay_s)
                if path in outer.hooks:
                    self.close_connection = True
                    outer.hooks[path](self)
                    return
                body = outer.files.get(path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Watch:
    """A liar, who serves it, and a monitor's state."""

    def __init__(self):
        self.liar = Liar()
        self.server = Serving(self.liar)
        self.state = tempfile.mkdtemp(prefix="bequest-monitor-")
        self.more = []

    def close(self):
        for s in [self.server, *self.more]:
            s.close()
        shutil.rmtree(self.state)

    def serve(self, files):
        self.more.append(Serving(self.liar, files))
        return self.more[-1]

    def command(self, *args):
        urls = [a for s in [self.server, *self.more] for a in ("--url", s.url)]
        return [REGISTRY, "monitor", *urls, "--state", self.state, "--grace", "1", *args]

    def run(self, *args, status=0):
        done = subprocess.run(self.command(*args, "--json"), capture_output=True, text=True,
                              timeout=LIMIT_S)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def look(self, *args, status=0):
        """The kinds of what a look reports."""
        self.report = self.run(*args, status=status)
        return [e["kind"] for e in self.report["events"]]

    def text(self, kind):
        (event,) = [e for e in self.report["events"] if e["kind"] == kind]
        return event["text"]

    def evidence(self, kind):
        (event,) = [e for e in self.report["events"] if e["kind"] == kind]
        folder = pathlib.Path(self.state, event["evidence"])
        return {f.name: f.read_bytes() for f in folder.iterdir()}

    def settle(self):
        root = self.liar.settle()
        assert self.look() == ["trust", "root"], self.report
        return root


def late(w, *args, status=0):
    """A look at which what waited for its grace has waited long enough."""
    subprocess.run(w.command(*args, "--json"), stdout=subprocess.DEVNULL, timeout=LIMIT_S)
    time.sleep(1.1)  # the monitor's clock has seconds, and its grace here is one
    return w.look(*args, status=status)


def run_tests(module):
    """Every function of `module` that takes a watch and nothing else, or those named as arguments."""
    tests = [f for f in vars(module).values() if inspect.isfunction(f)
             and f.__module__ == module.__name__ and [*inspect.signature(f).parameters] == ["w"]]
    for test in tests:
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        w = Watch()
        begin = time.monotonic()
        try:
            test(w)
        finally:
            w.close()
        print(f"{test.__name__} {time.monotonic() - begin:.1f} s", flush=True)
