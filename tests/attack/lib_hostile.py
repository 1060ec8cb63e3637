# SPDX-License-Identifier: Apache-2.0
"""A registry with products made by other code, and tables of what it has to refuse.

A case is a rule, the answer that it must get, and the bytes. Whatever the answer, nothing may be
kept: the database, the public tree and the folders beside it are compared before and after.
"""
import copy
import http.client
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile

from lib_device import Key, canonical, identity, sha256, signed, when
from libtuf import canonical as olpc

BIN = pathlib.Path(os.environ["BIN"])
POLICIES = pathlib.Path(__file__).resolve().parents[2] / "policies"
TUS = "application/offset+octet-stream"


def olpc_signed(body, keys):
    """As signed(), in the canonical form that leaves control characters as they are."""
    text = olpc(body)
    return {"signatures": [{"keyid": k.id, "sig": k.sign(text).hex()} for k in keys],
            "signed": body}


def dumped(doc):
    return doc if isinstance(doc, bytes) else canonical(doc)


def files_below(*folders):
    """A line for each file: name and digest."""
    return [f"{path} {sha256(path.read_bytes())}" for folder in folders
            for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()]


class Registry:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bequest-hostile-"))
        self.data = self.dir / "registry"
        self.public = self.data / "public"
        subprocess.run([BIN / "bequest-registry", "init", "--data", self.data, "--name", "test",
                        "--origin", "test.example/log", "--admission", "open"], check=True,
                       stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            [BIN / "bequest-registry", "serve", "--data", self.data, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=open(self.dir / "serve.log", "wb"))
        line = self.process.stdout.readline().decode()
        assert line.startswith("listening http://127.0.0.1:"), f"did not start: {line!r}"
        self.url = line.split()[1]
        self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))
        self.faults = []
        self.record = json.loads((self.public / "registry.json").read_bytes())["signed"]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """It must still live, end without a fault, and find all in order."""
        self.process.terminate()
        if kind:
            self.process.wait(30)
            shutil.rmtree(self.dir)
            return
        assert not self.faults
        code = self.process.wait(30)
        log = (self.dir / "serve.log").read_text()
        assert code == 0 and "ERROR:" not in log and "runtime error" not in log, (code, log[-4000:])
        subprocess.run([BIN / "bequest-registry", "fsck", "--data", self.data], check=True,
                       stdout=subprocess.DEVNULL)
        self.process.stdout.close()
        shutil.rmtree(self.dir)

    def ask(self, method, path, body=None, headers=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def said(self, method, path, body=None, headers=None):
        """(status, error, message), and nothing else in the answer."""
        status, _, text = self.ask(method, path, body, headers)
        answer = json.loads(text or "{}")
        if set(answer) != {"error", "message"}:
            return status, "none", text.decode()[:200]
        return status, answer["error"], answer["message"]

    def post(self, *docs):
        """Send and demand that it is taken; the states."""
        body = canonical(list(docs)) if len(docs) > 1 else canonical(docs[0])
        status, _, text = self.ask("POST", "/v1/documents", body)
        assert status == 200, (status, text)
        return [d["state"] for d in json.loads(text)["documents"]]

    def put(self, data):
        status, _, text = self.ask("PUT", f"/v1/blobs/{sha256(data)}", data)
        assert status == 204, (status, text)

    def stored(self):
        """Every row and every file that is kept, a line each."""
        db = sqlite3.connect(f"file:{self.data}/registry.db?mode=ro", uri=True)
        # A counter that an undone insert leaves behind is no content.
        rows = [row for row in db.iterdump() if '"sqlite_sequence"' not in row]
        db.close()
        folders = [self.data / n for n in ("public", "blobs", "uploads", "shares", "work")]
        return rows + files_below(*folders)

    def refuses(self, cases, ask=None):
        """Every (rule, status, error, message, what is sent) of a table; faults at the end."""
        ask = ask or (lambda doc: self.said("POST", "/v1/documents", dumped(doc)))
        faults, before = [], self.stored()
        for rule, status, error, message, sent in cases:
            got = ask(sent)
            if got != (status, error, message):
                faults.append(f"{rule}: want {(status, error, message)}\n      got {got}")
            after = self.stored()
            if after != before:
                more = sorted(set(after) ^ set(before))
                faults.append(f"{rule}: something was stored: {str(more[:2])[:300]}")
                before = after
        self.faults += faults
        print(*faults, f"{len(cases) - len(faults)} of {len(cases)} refused", sep="\n", flush=True)


class Maker:
    """A product of this registry: its keys, and every document as it ought to be."""

    def __init__(self, registry, product, publisher="vendor", kind="vendor"):
        self.registry, self.product = registry, product
        self.publisher, self.kind = publisher, kind
        self.keys, self.targets_key = [Key() for _ in range(3)], Key()
        self.trustees = [Key() for _ in range(3)]
        self.online = self.ask_online(publisher)
        self.first = None  # the root in force

    def ask_online(self, publisher):
        status, _, text = self.registry.ask("POST", f"/v1/products/{self.product}/online-keys",
                                            canonical({"publisher": publisher}))
        assert status == 200, text
        return json.loads(text)

    def root_body(self, version=1, keys=None, publisher=None, kind=None, online=None, **about):
        keys, online = keys or self.keys, online or self.online
        people = {k.id: k.object for k in [*keys, self.targets_key]}
        who = {"id": publisher or self.publisher, "name": "Somebody", "kind": kind or self.kind}
        roles = {"root": [k.id for k in keys], "targets": [self.targets_key.id],
                 "snapshot": [online["snapshot"]], "timestamp": [online["timestamp"]]}
        return {"_type": "root", "spec_version": "1.0.31", "version": version,
                "expires": when(365), "product": self.product, "consistent_snapshot": True,
                "keys": {**people, **online["keys"]},
                "roles": {r: {"keyids": ids, "threshold": 2 if r == "root" else 1}
                          for r, ids in roles.items()},
                "x-bequest": {"publisher": who, "logs": self.registry.record["logs"],
                              "witnesses": self.registry.record["witnesses"], **about}}

    def statement_body(self, kind, version=1, by_root=True, **fields):
        body = {"_type": kind, "spec_version": "1.0", "product": self.product, "version": version,
                "issued": when(0)}
        if by_root:
            body["root"] = {"version": self.first["signed"]["version"], "id": identity(self.first)}
        return {**body, **fields}

    def targets_body(self, version=1, image=b"image 1", path="image.bin", **bequest):
        custom = {"version": f"1.0.{version}", "hardware": ["acme,x1"], "kind": "image",
                  "backend": "ab-image", **bequest}
        return {"_type": "targets", "spec_version": "1.0.31", "version": version,
                "expires": when(90), "product": self.product,
                "targets": {path: {"length": len(image), "hashes": {"sha256": sha256(image)},
                                   "custom": {"bequest": custom}}}}

    def deposit_body(self, bridge, version=1, files=None):
        """A manifest whose `files` (name: bytes) are the payload, the shares and no more."""
        files = files or self.deposit_files()
        root = {"version": self.first["signed"]["version"], "id": identity(self.first)}
        seats = [{"name": name, "keyid": key.id, "encryption_fingerprint": f"{i:040x}",
                  "number": i + 1, "shares": {"public": sha256(self.share(i))}}
                 for i, (name, key) in enumerate(zip(("Ann", "Bob", "Eve"), self.trustees))]
        payload = files["public/payload.tar.gpg"]
        return self.statement_body(
            "deposit", version, follows_root=root, bridge=identity(bridge),
            support_until=when(-10), refresh_by=when(300),
            trustees={"keys": {k.id: k.object for k in self.trustees}, "threshold": 2,
                      "seats": seats},
            compartments={"public": {"out": "public", "sha256": sha256(payload),
                                     "size": len(payload), "passphrase_sha256": sha256(b"p")}},
            items=[{"path": "handover/bridge.root.json", "size": 1, "sha256": sha256(b"b")}],
            refs={"refs/heads/main": {"commit": "0" * 40}},
            release_policy=json.loads((POLICIES / "release/standard.json").read_text()),
            files=[{"path": p, "size": len(d), "sha256": sha256(d)} for p, d in files.items()])

    @staticmethod
    def share(i):
        return bytes([i + 1]) * 64

    @staticmethod
    def deposit_files():
        return {"public/payload.tar.gpg": b"no payload at all",
                **{f"public/shares/{i:040X}.gpg": b"for seat %d" % i for i in range(3)}}

    def by_root(self, body, keys=None):
        return signed(body, (keys or self.keys)[:2])

    def publish_root(self):
        self.first = self.by_root(self.root_body())
        about = self.by_root(self.statement_body("product", name="X1", hardware=["acme,x1"]))
        assert self.registry.post(self.first, about) == ["published"] * 2

    def publish_targets(self, version=1, image=b"image 1", **bequest):
        doc = signed(self.targets_body(version, image, **bequest), [self.targets_key])
        if self.registry.post(doc) == ["waiting"]:
            self.registry.put(image)
        return doc


def changed(body, *path, to=None, drop=False):
    """A copy with the value at `path` replaced by `to`, or dropped."""
    out = copy.deepcopy(body)
    at = out
    for step in path[:-1]:
        at = at[step]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return out
