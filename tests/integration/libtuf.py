# SPDX-License-Identifier: Apache-2.0
"""A TUF repository made by other people's code, served over HTTP, for tests of clients.

Canonical JSON and signatures are securesystemslib's (Ed25519 signing is cryptography's, since
Debian's securesystemslib wants another library for that), so that our reading is checked
against somebody else's writing.
"""
import functools
import hashlib
import http.server
import json
import threading
import urllib.parse
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib import keys as sslib_keys
from securesystemslib.formats import encode_canonical


def canonical(value):
    return encode_canonical(value).encode("utf-8")


@functools.cache
def rsa_key(serial):
    """Made once and used by all repositories of a test, because it takes long."""
    return sslib_keys.generate_rsa_key(2048)


class Key:
    """A private key and its TUF key object; kind is ed25519, ecdsa or rsa."""

    def __init__(self, kind="ed25519", serial=0):
        if kind == "ed25519":
            self.private = Ed25519PrivateKey.generate()
            raw = self.private.public_key().public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.object = {"keytype": "ed25519", "scheme": "ed25519",
                           "keyval": {"public": raw.hex()}}
        else:
            self.private = sslib_keys.generate_ecdsa_key() if kind == "ecdsa" else rsa_key(serial)
            self.object = {"keytype": self.private["keytype"], "scheme": self.private["scheme"],
                           "keyval": {"public": self.private["keyval"]["public"]}}
        self.keyid = hashlib.sha256(canonical(self.object)).hexdigest()

    def sign(self, data):
        if isinstance(self.private, dict):
            sig = sslib_keys.create_signature(self.private, data)["sig"]
        else:
            sig = self.private.sign(data).hex()
        return {"keyid": self.keyid, "sig": sig}


class Repository:
    """Files by URL path below /metadata/ and /targets/, and the keys behind them."""

    def __init__(self, kinds=None):
        kinds = {"root": ["ed25519", "ecdsa", "rsa"], "timestamp": ["ed25519"],
                 "snapshot": ["rsa"], "targets": ["ecdsa"], **(kinds or {})}
        self.expires = (datetime.now(timezone.utc) + timedelta(days=30)).strftime(
            "%Y-%m-%dT%H:%M:%SZ")
        self.keys = {role: [Key(kind, f"{role}{i}") for i, kind in enumerate(list_)]
                     for role, list_ in kinds.items()}
        self.thresholds = {"root": 2}
        self.version = {role: 1 for role in kinds}
        self.targets = {}
        self.delegations = None
        self.delegated = {}  # name: its `targets`
        self.files = {}
        self.root_signers = list(self.keys["root"])
        self.publish_root()
        self.publish()

    def head(self, kind, version):
        return {"_type": kind, "spec_version": "1.0.31", "version": version,
                "expires": self.expires}

    @staticmethod
    def document(signed, signers):
        data = canonical(signed)
        return json.dumps({"signatures": [key.sign(data) for key in signers],
                           "signed": signed}, indent=1).encode()

    def publish_root(self):
        roles = ("root", "timestamp", "snapshot", "targets")
        signed = self.head("root", self.version["root"])
        signed["consistent_snapshot"] = True
        signed["keys"] = {k.keyid: k.object for r in roles for k in self.keys[r]}
        signed["roles"] = {r: {"keyids": [k.keyid for k in self.keys[r]],
                               "threshold": self.thresholds.get(r, 1)} for r in roles}
        data = self.document(signed, self.root_signers)
        self.files[f"/metadata/{self.version['root']}.root.json"] = data
        return data

    def rotate_root(self):
        """The next root, with new root keys, signed by the old ones too."""
        old = self.keys["root"]
        self.keys["root"] = [Key() for _ in old]
        self.root_signers = old + self.keys["root"]
        self.version["root"] += 1
        return self.publish_root()

    def add_target(self, path, content, role=None):
        entry = {"length": len(content), "hashes": {"sha256": hashlib.sha256(content).hexdigest(),
                                                    "sha512": hashlib.sha512(content).hexdigest()}}
        (self.delegated[role] if role else self.targets)[path] = entry
        folder, slash, name = path.rpartition("/")
        self.files[f"/targets/{folder}{slash}{entry['hashes']['sha256']}.{name}"] = content

    def delegate(self, name, paths):
        key = Key()
        self.keys[name] = [key]
        self.version[name] = 0
        self.delegated[name] = {}
        self.delegations = self.delegations or {"keys": {}, "roles": []}
        self.delegations["keys"][key.keyid] = key.object
        self.delegations["roles"].append({"name": name, "keyids": [key.keyid], "threshold": 1,
                                          "terminating": False, "paths": paths})

    def publish(self):
        """New targets, snapshot and timestamp of the versions that self.version has."""
        meta = {}
        for name in ["targets", *self.delegated]:
            signed = self.head("targets", max(1, self.version[name]))
            signed["targets"] = self.targets if name == "targets" else self.delegated[name]
            if name == "targets" and self.delegations:
                signed["delegations"] = self.delegations
            data = self.document(signed, self.keys[name])
            quoted = urllib.parse.quote(name, "")
            self.files[f"/metadata/{signed['version']}.{quoted}.json"] = data
            meta[f"{name}.json"] = {"version": signed["version"]}
        snapshot = self.document(self.head("snapshot", self.version["snapshot"]) | {"meta": meta},
                                 self.keys["snapshot"])
        self.files[f"/metadata/{self.version['snapshot']}.snapshot.json"] = snapshot
        entry = {"version": self.version["snapshot"], "length": len(snapshot),
                 "hashes": {"sha256": hashlib.sha256(snapshot).hexdigest()}}
        self.files["/metadata/timestamp.json"] = self.document(
            self.head("timestamp", self.version["timestamp"]) | {"meta": {"snapshot.json": entry}},
            self.keys["timestamp"])

    def release(self):
        for role in ("timestamp", "snapshot", "targets", *self.delegated):
            self.version[role] += 1
        self.publish()


class Server:
    """Serves a repository; `log` has "METHOD /path" of each request, `status` overrides answers."""

    def __init__(self, repository):
        self.repository, self.log, self.status = repository, [], {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.log.append(f"{self.command} {self.path}")
                body = outer.repository.files.get(self.path)
                if body is None:
                    body = outer.repository.files.get(urllib.parse.unquote(self.path))
                status = outer.status.get(self.path, 404 if body is None else 200)
                self.send_response(status)
                body = body if status == 200 else b"no\n"
                if callable(body):  # an endless answer
                    self.end_headers()
                    body(self.wfile)
                    return
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_HEAD = do_POST = do_GET

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def taken(self):
        """The log since the last call, methods and all."""
        log, self.log = self.log, []
        return log

    def close(self):
        self.http.shutdown()
        self.http.server_close()
