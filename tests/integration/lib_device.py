# SPDX-License-Identifier: Apache-2.0
"""A product's public tree made from nothing, a loopback server that can misbehave, and a device.

What a registry, a vendor, trustees and stewards would have made, written by other code
than the one under test: keys are Ed25519 of the cryptography package, JSON is canonical by hand.
"""
import base64
import datetime
import hashlib
import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BIN = pathlib.Path(os.environ.get("BIN", "build"))
SLOT_SIZE = 512 * 1024
LONG = {"timestamp_days": 3650, "snapshot_days": 3650, "targets_days": 3650}


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def when(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def identity(doc):
    return sha256(canonical(doc["signed"]))


class Key:
    def __init__(self):
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.object = {"keytype": "ed25519", "scheme": "ed25519",
                       "keyval": {"public": self.public.hex()}}
        self.id = sha256(canonical(self.object))

    def sign(self, data):
        return self.private.sign(data)


def signed(body, keys):
    return {"signatures": [{"keyid": k.id, "sig": k.sign(canonical(body)).hex()} for k in keys],
            "signed": body}


class Log:
    """An RFC 6962 tree, checkpoints and proofs (C2SP formats), small and slow."""

    def __init__(self, origin="log.test/one"):
        self.origin = origin
        self.key = Key()
        self.key_id = hashlib.sha256(origin.encode() + b"\n\x01" + self.key.public).digest()[:4]
        self.hashes, self.nodes = [], {}
        self.witnesses, self.days = [], 0  # who cosigns, and how far their clocks are ahead
        self.now = None  # what their clocks say; None: what this machine's does
        self.skew = {}  # witness: seconds that its own clock is off besides; None: it does not sign

    def witness(self, n):
        """`n` witnesses from now on; what a root says of them."""
        self.witnesses = [(f"witness.test/{i}", Key()) for i in range(n)]
        return {"threshold": n, "keys": [
            f"{name}+{self.cosigner(name, key).hex()}+"
            + base64.b64encode(b"\x04" + key.public).decode() for name, key in self.witnesses]}

    @staticmethod
    def cosigner(name, key):
        return hashlib.sha256(name.encode() + b"\n\x04" + key.public).digest()[:4]

    def vkey(self):
        raw = base64.b64encode(b"\x01" + self.key.public).decode()
        return f"{self.origin}+{self.key_id.hex()}+{raw}"

    def add(self, data):
        self.hashes.append(hashlib.sha256(b"\x00" + data).digest())
        return len(self.hashes) - 1

    @staticmethod
    def _split(n):
        k = 1
        while 2 * k < n:
            k *= 2
        return k

    def _node(self, low, high):
        """The root over the leaves from `low` to before `high`; whole subtrees are remembered."""
        if high - low == 1:
            return self.hashes[low]
        known = self.nodes.get((low, high))
        if known:
            return known
        k = low + self._split(high - low)
        node = hashlib.sha256(b"\x01" + self._node(low, k) + self._node(k, high)).digest()
        if 2 * (k - low) == high - low:
            self.nodes[low, high] = node
        return node

    def path(self, index, low, high):
        if high - low == 1:
            return []
        k = low + self._split(high - low)
        if index < k:
            return self.path(index, low, k) + [self._node(k, high)]
        return self.path(index, k, high) + [self._node(low, k)]

    def checkpoint(self, size=None):
        size = size or len(self.hashes)
        top = base64.b64encode(self._node(0, size)).decode()
        text = f"{self.origin}\n{size}\n{top}\n"
        sig = base64.b64encode(self.key_id + self.key.sign(text.encode())).decode()
        note = f"{text}\n\u2014 {self.origin} {sig}\n"
        at = (int(time.time()) if self.now is None else self.now) + self.days * 86400
        for i, (name, key) in enumerate(self.witnesses):
            if self.skew.get(i, 0) is None:
                continue
            its = at + self.skew.get(i, 0)
            sig = key.sign(f"cosignature/v1\ntime {its}\n{text}".encode())
            raw = self.cosigner(name, key) + its.to_bytes(8, "big") + sig
            note += f"\u2014 {name} {base64.b64encode(raw).decode()}\n"
        return note

    def proof(self, index):
        lines = [base64.b64encode(h).decode() + "\n" for h in self.path(index, 0, len(self.hashes))]
        return (f"c2sp.org/tlog-proof@v1\nindex {index}\n" + "".join(lines) + "\n"
                + self.checkpoint()).encode()


class Publisher:
    """Who holds the root role: keys for root and targets, and the registry's online keys for it."""

    def __init__(self, name, kind, keys=3, threshold=2):
        self.name, self.kind, self.threshold = name, kind, threshold
        self.root = [Key() for _ in range(keys)]
        self.targets, self.timestamp, self.snapshot = Key(), Key(), Key()
        self.versions = {"targets": 0, "snapshot": 0, "timestamp": 0}


class Product:
    def __init__(self, top, name="acme.x1", hardware="acme,x1"):
        self.name, self.hardware = name, hardware
        self.top = pathlib.Path(top)
        self.tree = self.top / "p" / name
        for folder in ("metadata", "targets", "statements", "proofs"):
            (self.tree / folder).mkdir(parents=True)
        self.log = Log()
        self.prev, self.seq = "0" * 64, 0
        self.leaves, self.entries, self.roots = [], [], []
        self.images = {}
        self.vendor = Publisher("vendor", "vendor")
        self.mirrors = []
        self.logs = None  # (log, url) of the roots that are made from now on; None: the one log
        self.proved_anew = 8  # newest documents whose proofs are renewed with each one more
        self.rebuilders = None  # of the roots that are made from now on
        self.witnesses = {"keys": [], "threshold": 0}
        # A registry logs other products too.
        self.log.add(b"something else")

    # --- the log ---------------------------------------------------------------
    def logged(self, doc, data, role=None):
        """Append to the leaf chain, prove, publish the chain."""
        self.seq += 1
        leaf = {"kind": doc["signed"]["_type"], "product": self.name, "id": identity(doc),
                "sha256": sha256(data), "version": doc["signed"]["version"], "seq": self.seq,
                "prev": self.prev}
        if role:
            leaf["role"] = role
        raw = canonical(leaf)
        index = self.log.add(raw)
        self.prev = self.log.hashes[index].hex()
        self.entries.append((identity(doc), index))
        self.leaves.append(json.dumps({"index": index, "leaf": leaf}, separators=(",", ":"),
                                      sort_keys=True))
        self.put("leaves.jsonl", "".join(line + "\n" for line in self.leaves).encode())
        for one, at in self.entries[-self.proved_anew:]:
            self.put(f"proofs/{one}.tlog-proof", self.log.proof(at))

    def show_log(self, size=None):
        """The log's own checkpoint, as it is now."""
        self.put("../../log/checkpoint", self.log.checkpoint(size).encode())

    def witnessed(self, n, threshold=None):
        """Begin again with a root 1 that names `n` witnesses."""
        self.witnesses = self.log.witness(n)
        self.witnesses["threshold"] = threshold or n
        self.roots, self.leaves, self.seq, self.prev = [], [], 0, "0" * 64
        self.publish_root(self.root(self.vendor, []))

    def logged_in_bulk(self, kind, n, role=None):
        """`n` leaves at once, of documents that nobody will ask for, and without proofs."""
        for i in range(n):
            self.seq += 1
            leaf = {"kind": kind, "product": self.name, "id": sha256(b"%s %d" % (kind.encode(), i)),
                    "sha256": sha256(b"bulk"), "version": 1 + i, "seq": self.seq,
                    "prev": self.prev}
            if role:
                leaf["role"] = role
            index = self.log.add(canonical(leaf))
            self.prev = self.log.hashes[index].hex()
            self.leaves.append(canonical({"index": index, "leaf": leaf}).decode())

    def put(self, path, data):
        at = self.tree / path
        at.parent.mkdir(parents=True, exist_ok=True)
        temp = at.with_name(at.name + ".new")
        temp.write_bytes(data)
        temp.rename(at)

    # --- roots -----------------------------------------------------------------
    def root(self, publisher, signers, bridge=False, expires=365, log=None, threshold=None):
        """The signed next root; `signers`: keys of the old root, the new one's own are added."""
        version = len(self.roots) + 1
        keys = publisher.root + [publisher.targets, publisher.timestamp, publisher.snapshot]
        about = {"publisher": {"id": publisher.name, "name": publisher.name.title(),
                               "kind": publisher.kind},
                 "logs": [{"origin": one.origin, "vkey": one.vkey(), "url": url}
                          for one, url in self.logs or [(log or self.log, "log/")]],
                 "witnesses": self.witnesses}
        if self.mirrors:
            about["mirrors"] = self.mirrors
        if self.rebuilders:
            about["rebuilders"] = {"keys": {k.id: k.object for k in self.rebuilders[0]},
                                   "threshold": self.rebuilders[1]}
        if bridge:
            about["bridge"] = True
        body = {"_type": "root", "spec_version": "1.0.31", "version": version,
                "expires": when(expires), "consistent_snapshot": True, "product": self.name,
                "keys": {k.id: k.object for k in keys},
                "roles": {"root": {"keyids": [k.id for k in publisher.root],
                                   "threshold": threshold or publisher.threshold},
                          "targets": {"keyids": [publisher.targets.id], "threshold": 1},
                          "timestamp": {"keyids": [publisher.timestamp.id], "threshold": 1},
                          "snapshot": {"keyids": [publisher.snapshot.id], "threshold": 1}},
                "x-bequest": about}
        by = {k.id: k for k in list(signers) + publisher.root}
        return signed(body, by.values())

    def publish_root(self, doc, log=True):
        data = json.dumps(doc, indent=1).encode()
        self.roots.append(data)
        self.put(f"metadata/{len(self.roots)}.root.json", data)
        self.put("metadata/root-chain.jsonl", b"".join(
            canonical({"version": i + 1, "root": base64.b64encode(r).decode()}) + b"\n"
            for i, r in enumerate(self.roots)))
        if log:
            self.logged(doc, data, "root")
        return doc

    # --- targets ---------------------------------------------------------------
    def image(self, version, data, **more):
        custom = {"version": version, "hardware": [self.hardware], "kind": "image",
                  "backend": "ab-image"}
        custom.update(more)
        name = f"{self.name}-{version}.bin"
        self.put(f"targets/{sha256(data)}.{name}", data)
        self.images[name] = {"length": len(data), "hashes": {"sha256": sha256(data)},
                             "custom": {"bequest": custom}}
        return data

    def publish(self, publisher=None, folder="metadata", targets_days=90, timestamp_days=1,
                snapshot_days=7, version=None):
        """Targets, snapshot and timestamp of what is in self.images."""
        who = publisher or self.vendor
        for role in who.versions:
            who.versions[role] = version or who.versions[role] + 1
        v = who.versions

        def role(kind, days, body, key):
            full = {"_type": kind, "spec_version": "1.0.31", "version": v[kind],
                    "expires": when(days), "product": self.name}
            full.update(body)
            doc = signed(full, [key])
            return doc, json.dumps(doc, indent=1).encode()

        def entry(version, data):
            return {"version": version, "length": len(data), "hashes": {"sha256": sha256(data)}}

        doc, targets = role("targets", targets_days, {"targets": self.images}, who.targets)
        _, snapshot = role("snapshot", snapshot_days,
                           {"meta": {"targets.json": entry(v["targets"], targets)}}, who.snapshot)
        _, timestamp = role("timestamp", timestamp_days,
                            {"meta": {"snapshot.json": entry(v["snapshot"], snapshot)}},
                            who.timestamp)
        self.put(f"{folder}/{v['targets']}.targets.json", targets)
        self.put(f"{folder}/{v['snapshot']}.snapshot.json", snapshot)
        if folder == "metadata":
            self.logged(doc, targets, "targets")
        self.put(f"{folder}/timestamp.json", timestamp)

    # --- statements --------------------------------------------------------------
    def statement(self, kind, version, body, signers, root=None):
        full = {"_type": kind, "spec_version": "1.0", "product": self.name, "version": version,
                "issued": when(0)}
        if root:
            full["root"] = {"version": root["signed"]["version"], "id": identity(root)}
        full.update(body)
        doc = signed(full, signers)
        data = json.dumps(doc, indent=1).encode()
        self.put(f"statements/{identity(doc)}.json", data)
        self.logged(doc, data)
        return doc

    def handover(self, release=False, approvals=2, final=True, publish=True, notice=None,
                 when_is=lambda what: None, support_until=None, people=lambda bridge, after: None):
        """A deposit, its release, the bridge, the root after it, and first targets under that.

        `people` may change whom the bridge and the root after it list, before they are made.

        `notice`: a trustee's, on this ground, in place of the vendor's end of life. `when_is` is
        told what comes next ("deposit", "notice", "approval", "bridge"), and may set clocks.
        """
        vendor, root = self.vendor, json.loads(self.roots[-1])
        self.stewards = Publisher("stewards", "stewards")
        self.keepers = Publisher("stewards", "stewards")  # the same people, fresh online keys
        self.keepers.root = self.stewards.root
        people(self.stewards, self.keepers)
        bridge = self.root(self.stewards, vendor.root[:2], bridge=True, expires=-1)
        trustees = [Key() for _ in range(3)]
        seats = [{"name": name, "keyid": key.id, "encryption_fingerprint": f"{i:040x}",
                  "number": i + 1, "shares": {"public": sha256(b"share %d" % i)}}
                 for i, (name, key) in enumerate(zip(("Ann", "Bob", "Eve"), trustees))]
        payload = {"path": "public/payload.tar.gpg", "size": 1, "sha256": sha256(b"payload")}
        shares = [{"path": f"public/shares/{i:040X}.gpg", "size": 1, "sha256": sha256(b"%d" % i)}
                  for i in range(3)]
        policy = json.loads((pathlib.Path(__file__).resolve().parents[2] / "policies" / "release"
                             / "standard.json").read_text())
        when_is("deposit")
        self.deposit = self.statement("deposit", 1, {
            "follows_root": {"version": root["signed"]["version"], "id": identity(root)},
            "bridge": identity(bridge), "support_until": support_until or when(-10),
            "refresh_by": when(300),
            "trustees": {"keys": {k.id: k.object for k in trustees}, "threshold": 2,
                         "seats": seats},
            "compartments": {"public": {"out": "public", "sha256": payload["sha256"], "size": 1,
                                        "passphrase_sha256": sha256(b"p")}},
            "items": [{"path": "handover/bridge.root.json", "size": 1, "sha256": sha256(b"b")}],
            "refs": {"refs/heads/main": {"commit": "0" * 40}},
            "release_policy": policy, "files": [payload] + shares}, vendor.root[:2], root)
        self.subject = (self.notice(trustees[0], bridge, notice, when_is) if notice
                        else self.end_of_life(vendor, root, bridge, final, release))
        when_is("approval")
        for i in range(approvals):
            self.approve(trustees[i], bridge)
        self.trustees, self.bridge = trustees, bridge
        if publish:
            when_is("bridge")
            self.publish_handover()

    def end_of_life(self, vendor, root, bridge, final, release):
        eol = {"date": when(-1), "reason": "the last engineer left"}
        if final:
            eol["final"] = {"root": identity(root), "bridge": identity(bridge)}
            eol["release"] = release
        self.eol = self.statement("eol", 1, eol, vendor.root[:2], root)
        return {"eol": identity(self.eol)}

    def notice(self, trustee, bridge, ground, when_is):
        when_is("notice")
        self.given = self.statement("notice", 1, {
            "deposit": identity(self.deposit), "bridge": identity(bridge), "ground": ground,
            "evidence": []}, [trustee])
        return {"notice": identity(self.given)}

    def approve(self, trustee, bridge):
        # Two that are alike but for the signature would be one document.
        self.approvals = getattr(self, "approvals", 0) + 1
        return self.statement("approval", self.approvals, {
            **self.subject, "deposit": identity(self.deposit),
            "bridge": identity(bridge)}, [trustee])

    def publish_handover(self):
        """As a registry does: what is held for those who wait, then all of the new."""
        held = self.tree / "metadata" / "held" / str(len(self.roots))
        held.mkdir(parents=True)
        for name in ("timestamp.json", *(p.name for p in
                                         (self.tree / "metadata").glob("*.snapshot.json")),
                     *(p.name for p in (self.tree / "metadata").glob("*.targets.json"))):
            if (self.tree / "metadata" / name).exists():
                shutil.copy(self.tree / "metadata" / name, held / name)
        self.held_images, self.images = self.images, {}
        self.publish_root(self.bridge)
        self.after = self.root(self.keepers, self.stewards.root[:2])
        self.publish_root(self.after)


def witnessed(case, n=3, threshold=2, days=None, image=b"", **device):
    """A product whose root names witnesses, its first update, and a device."""
    product = case.product
    product.witnessed(n, threshold)
    product.image("1.0.0", image)
    product.publish(**days or LONG)
    product.show_log()
    return case.device(image=image, **device)


class Server:
    """The tree over HTTP/1.1 with ranges, on a free port; `rules` make it misbehave."""

    def __init__(self, top):
        self.requests = []
        self.sent = 0  # bytes of bodies
        self.rules = []  # (regex of the path, function(handler, data) -> data, or None when done)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # header and body in one packet: no delayed acknowledgement between

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.requests.append(self.path)
                at = pathlib.Path(top) / self.path.lstrip("/")
                data = at.read_bytes() if at.is_file() else None
                for pattern, rule in outer.rules:
                    if re.search(pattern, self.path):
                        data = rule(self, data)
                        if data is False:
                            return
                if data is None:
                    self.answer(404, b"")
                    return
                start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
                if start and int(start[1]) < len(data):
                    first = int(start[1])
                    self.answer(206, data[first:], f"bytes {first}-{len(data) - 1}/{len(data)}")
                else:
                    self.answer(200, data)

            def answer(self, status, body, content_range=None):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if content_range:
                    self.send_header("Content-Range", content_range)
                self.end_headers()
                outer.sent += len(body)
                self.wfile.write(body)

            def cut(self, data, keep):
                """Promise all, send `keep` bytes, hang up."""
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[:keep])
                self.close_connection = True

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # clients that are killed hang up

        self.httpd = Quiet(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_address[1]}/"
        threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()


class Device:
    def __init__(self, folder, product, urls, policy="ask", image=b"", slot_size=SLOT_SIZE,
                 installed="1.0.0", **more):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir()
        self.env_more = {}  # variables for the client, besides those of the test
        self.slot_size = slot_size
        for slot in "ab":
            (self.dir / f"slot-{slot}.img").write_bytes(b"\0" * slot_size)
        with open(self.dir / "slot-a.img", "r+b") as f:
            f.write(image)
        (self.dir / "factory-root.json").write_bytes(product.roots[0])
        lines = [f"product = {product.name}", f"hardware = {product.hardware}",
                 f"policy = {policy}", "slot-a = slot-a.img", "slot-b = slot-b.img",
                 "boot-env = boot.env"]
        lines += [f"url = {u}" for u in urls]
        lines += [f"{k.replace('_', '-')} = {v}" for k, v in more.items()]
        self.conf = self.dir / "client.conf"
        self.conf.write_text("\n".join(lines) + "\n")
        if installed is not None:
            self.ok("init", *(["--installed", installed] if installed else []))

    def run(self, *verb, timeout=60):
        return subprocess.run([BIN / "bequest-client", *verb, "--config", self.conf],
                              capture_output=True, text=True, timeout=timeout, check=False,
                              env=dict(os.environ, **self.env_more))

    def peak(self, *verb):
        """Exit status, and the most memory that the client had, in KiB."""
        # By time(1): the kernel counts what a process had before exec, and Python has much.
        p = subprocess.run(["/usr/bin/time", "-q", "-f", "%M", BIN / "bequest-client", *verb,
                            "--config", self.conf], capture_output=True, text=True, check=False)
        return p.returncode, int(p.stderr.splitlines()[-1])

    def start(self, *verb):
        return subprocess.Popen([BIN / "bequest-client", *verb, "--config", self.conf],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def expect(self, status, *verb):
        p = self.run(*verb)
        assert p.returncode == status, \
            f"{' '.join(map(str, verb))}: exit {p.returncode}, want {status}\n{p.stdout}{p.stderr}"
        return p

    def ok(self, *verb):
        return self.expect(0, *verb)

    def json(self, *verb, status=0):
        return json.loads(self.expect(status, *verb, "--json").stdout)

    def status(self):
        return self.json("status")

    def boot(self):
        p = subprocess.run([BIN / "bootsim", self.dir], capture_output=True, text=True, check=True)
        return p.stdout.split()[1]

    def env(self):
        return dict(line.split("=", 1) for line in
                    (self.dir / "boot.env").read_text().splitlines())

    def slot(self, letter, size=None):
        return (self.dir / f"slot-{letter.lower()}.img").read_bytes()[:size]

    def state(self):
        return json.loads((self.dir / "state/state.json").read_text())

    def trusted_root(self):
        return (self.dir / "state/metadata/root.json").read_bytes()


def preload(name, folder):
    """A library of tests/device, to be loaded before the client; None under the sanitizers."""
    if os.environ.get("SAN"):
        return None
    source = pathlib.Path(__file__).resolve().parents[1] / "device" / f"{name}.c"
    library = pathlib.Path(folder) / f"{name}.so"
    subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=gnu17", "-D_GNU_SOURCE",
                    "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class Case:
    """A temporary folder with a product, a server, and as many devices as a test wants."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bequest-test-"))
        self.product = Product(self.dir / "tree")
        self.product.publish_root(self.product.root(self.product.vendor, []))
        self.server = Server(self.dir / "tree")
        self.devices = 0

    def device(self, **more):
        self.devices += 1
        urls = more.pop("urls", [self.server.url])
        return Device(self.dir / f"device-{self.devices}", self.product, urls, **more)

    def close(self):
        self.server.close()
        shutil.rmtree(self.dir)


def run_tests(names, module):
    """Every function of the module whose name does not begin with "_" is a test of one case."""
    for name, test in list(names.items()):
        if name.startswith("_") or getattr(test, "__module__", None) != module:
            continue
        case = Case()
        began = time.monotonic()
        try:
            test(case)
        finally:
            case.close()
        print(f"ok {name} {time.monotonic() - began:.1f} s", flush=True)
