# SPDX-License-Identifier: Apache-2.0
"""Witnesses, and a registry that has them cosign its log: what several tests share.

    with tempfile.TemporaryDirectory() as top:
        town = Witnessed(top, 3, threshold=2)
        ...town.url, town.public, town.witnesses[0].stop()...
        town.close()
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.request

from lib_device import Key, canonical, identity, signed, when

BIN = os.environ["BIN"]
REGISTRY = BIN + "/bequest-registry"
LIMIT_S = 20
ORIGIN = "log.test/witnessed"


def run(*args):
    done = subprocess.run([REGISTRY, *map(str, args)], text=True, capture_output=True,
                          timeout=LIMIT_S)
    assert done.returncode == 0, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout


def until(what, say="it never came true", limit=LIMIT_S):
    """What a function returns, once that is true."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(say() if callable(say) else say)


def request(url, body=None, method=None, headers=None):
    """Status, headers and body of one request."""
    q = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(q, timeout=LIMIT_S) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, dict(e.headers), e.read()


class Service:
    """A process that says `listening URL` when it is ready; after the first start at that port."""

    def __init__(self, *args):
        self.args, self.port, self.process, self.url = args, 0, None, None

    def start(self):
        self.process = subprocess.Popen(
            [REGISTRY, *map(str, self.args), "--listen", f"127.0.0.1:{self.port}"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            said = self.process.communicate(timeout=LIMIT_S)[1]
            raise RuntimeError(f"{self.process.returncode}: {said}")
        self.url = re.match(r"listening (http://\S+)", line).group(1)
        self.port = int(self.url.rsplit(":", 1)[1])
        # Nobody reads it while it runs: what it says is little, and is there at the end.
        return self

    def end(self, kill=False):
        if self.process and self.process.poll() is None:
            (self.process.kill if kill else self.process.terminate)()
        return self.process.communicate(timeout=LIMIT_S)[1] if self.process else ""

    def stop(self):
        said = self.end()
        assert self.process.returncode == 0, (self.process.returncode, said)
        return said

    def kill(self):
        return self.end(kill=True)


class Witness(Service):
    """One witness in a folder of its own."""

    def __init__(self, folder, name):
        super().__init__("witness", "--data", folder)
        self.folder, self.name = pathlib.Path(folder), name
        self.vkey = json.loads(run("witness", "--data", folder, "--init", "--name", name,
                                   "--json"))["vkey"]

    def know(self, *vkeys):
        run("witness", "--data", self.folder, *sum((["--log", k] for k in vkeys), []))

    def head(self, origin=ORIGIN):
        """The file of what it cosigned last, or None."""
        at = self.folder / "public" / hashlib.sha256(origin.encode()).hexdigest() / "checkpoint"
        return at.read_text() if at.exists() else None


class Witnessed(Service):
    """A registry with `n` witnesses, all of them running unless `start` says otherwise."""

    def __init__(self, top, n, threshold=None, start=True):
        top = pathlib.Path(top)
        self.data, self.public = top / "registry", top / "registry" / "public"
        super().__init__("serve", "--data", self.data)
        self.witnesses = [Witness(top / f"witness-{i}", f"witness-{i}.test") for i in range(n)]
        for w in self.witnesses:
            w.start()
        cosigners = sum((["--witness", f"{w.vkey}={w.url}"] for w in self.witnesses), [])
        if threshold:
            cosigners += ["--witness-threshold", threshold]
        run("init", "--data", self.data, "--name", "Witnessed", "--origin", ORIGIN,
            "--admission", "open", *cosigners)
        self.vkey = json.loads((self.public / "registry.json").read_text())[
            "signed"]["logs"][0]["vkey"]
        for w in self.witnesses:
            w.know(self.vkey)
        # They look at their file of logs once a second; a new start is quicker.
        for w in self.witnesses:
            w.stop()
            if start:
                w.start()
        if start:
            self.start()

    def close(self):
        for service in (self, *self.witnesses):
            service.end()

    def checkpoint(self):
        """What is published: (size, names of those who signed), or None."""
        at = self.public / "log" / "checkpoint"
        return read_note(at.read_text()) if at.exists() else None

    def cosigned(self, size, count):
        """Wait until a checkpoint of at least `size` with `count` cosignatures is published."""
        def there():
            now = self.checkpoint()
            return now if now and now[0] >= size and len(now[1]) > count else None
        return until(there, lambda: f"want size {size} by {count}, have {self.checkpoint()}")


def read_note(text):
    body, lines = text.rsplit("\n\n", 1)
    return int(body.split("\n")[1]), [line.split(" ")[1] for line in lines.splitlines()]


def times(text):
    """name: seconds, of the cosignatures of a note."""
    found = {}
    for line in text.rsplit("\n\n", 1)[1].splitlines():
        raw = base64.b64decode(line.split(" ")[2])
        if len(raw) == 4 + 8 + 64:
            found[line.split(" ")[1]] = int.from_bytes(raw[4:12], "big")
    return found


class Vendor:
    """A product whose root names the registry's witnesses; each heartbeat is one more leaf."""

    def __init__(self, town, product="acme.x1"):
        self.town, self.product, self.key = town, product, Key()
        self.beats, self.sending = 0, None
        status, _, body = request(f"{town.url}/v1/products/{product}/online-keys",
                                  json.dumps({"publisher": "vendor"}).encode())
        assert status == 200, body
        online = json.loads(body)
        record = json.loads((town.public / "registry.json").read_bytes())["signed"]
        roles = {"root": self.key.id, "targets": self.key.id, "snapshot": online["snapshot"],
                 "timestamp": online["timestamp"]}
        self.root = {"_type": "root", "spec_version": "1.0.31", "version": 1,
                     "expires": when(365), "product": product, "consistent_snapshot": True,
                     "keys": {self.key.id: self.key.object, **online["keys"]},
                     "roles": {r: {"keyids": [k], "threshold": 1} for r, k in roles.items()},
                     "x-bequest": {"publisher": {"id": "vendor", "name": "Vendor",
                                                 "kind": "vendor"},
                                   "logs": record["logs"], "witnesses": record["witnesses"]}}
        self.first = self.post(self.root)

    def post(self, body):
        """The registry's word about one document, which must be published."""
        status, _, answer = request(f"{self.town.url}/v1/documents",
                                    canonical(signed(body, [self.key])))
        assert status == 200, answer
        (one,) = json.loads(answer)["documents"]
        assert one["state"] == "published", one
        return one

    def beat(self):
        """The next heartbeat, or the last one again, if nobody answered."""
        if not self.sending:
            self.beats += 1
            self.sending = {"_type": "heartbeat", "spec_version": "1.0", "product": self.product,
                            "version": self.beats, "issued": when(0),
                            "root": {"version": 1, "id": identity({"signed": self.root})}}
        answer = self.post(self.sending)
        self.sending = None
        return answer

    def proof(self, document):
        """The proof file of a document, or None."""
        at = self.town.public / "p" / self.product / "proofs" / f"{document['id']}.tlog-proof"
        return at.read_text() if at.exists() else None
