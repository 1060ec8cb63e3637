# SPDX-License-Identifier: Apache-2.0
"""Go's own sumdb reads our log, and we read a log that it wrote."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import urllib.request

from cryptography.hazmat.primitives import serialization

import lib_interop  # noqa: F401  (finds the other tests' helpers)
from lib_vendor import Desk
from libtuf import canonical

SUMDB, TLOG_READ = os.environ["INTEROP_SUMDB"], os.environ["INTEROP_TLOG_READ"]


def run(*args, status=0):
    done = subprocess.run([str(a) for a in args], text=True, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def heartbeats(d, n):
    """Many small documents: the log is what this is about."""
    key = serialization.load_pem_private_key((d.dir / "k1").read_bytes(), None)
    keyid = d.read("k1.json")["keyid"]
    root = canonical(d.read("acme.x1/root.json")["signed"])
    out = []
    for version in range(1, n + 1):
        signed = {"_type": "heartbeat", "spec_version": "1.0", "version": version,
                  "product": "acme.x1", "issued": "2026-01-01T00:00:00Z",
                  "root": {"version": 1, "id": hashlib.sha256(root).hexdigest()}}
        sig = key.sign(canonical(signed)).hex()
        out.append(json.dumps({"signatures": [{"keyid": keyid, "sig": sig}],
                               "signed": signed}).encode())
    return out


def go_verifies_our_log():
    """More leaves than a tile holds, in batches, and proofs against many checkpoints."""
    d = Desk()
    try:
        d.key("k1", "ed25519")
        d.product("acme.x1", ["k1"], ["k1"])
        beats = heartbeats(d, 300)
        for at in range(0, len(beats), 60):
            body = b"[" + b",".join(beats[at:at + 60]) + b"]"
            urllib.request.urlopen(f"{d.url.rstrip('/')}/v1/documents", body, 60).close()
        public = d.dir / "registry/public"
        vkey = d.read("registry/public/registry.json")["signed"]["logs"][0]["vkey"]
        proofs = sorted((public / "p/acme.x1/proofs").iterdir())
        assert len(proofs) == 302, len(proofs)
        said = run(SUMDB, "check", vkey, public, *proofs)
        assert "size 302" in said and "proofs 302" in said, said

        # what is not as it was signed is refused by Go, too
        checkpoint = public / "log/checkpoint"
        good = checkpoint.read_bytes()
        checkpoint.write_bytes(good.replace(b"\n302\n", b"\n301\n"))
        assert "invalid signature" in run(SUMDB, "check", vkey, public, status=1)
        checkpoint.write_bytes(good)
        tile = public / "log/tile/0/000"
        data = bytearray(tile.read_bytes())
        data[40] ^= 1
        tile.unlink()
        tile.write_bytes(data)
        said = run(SUMDB, "check", vkey, public, status=1)
        assert "inconsistent tile" in said or "invalid transparency proof" in said, said
        data[40] ^= 1
        tile.write_bytes(data)
        other = proofs[0].read_text().replace("index ", "index 1")
        proofs[0].unlink()
        proofs[0].write_text(other)
        run(SUMDB, "check", vkey, public, proofs[0], status=1)
    finally:
        d.close()


def we_verify_a_log_of_go():
    for n in (1, 2, 7, 8, 260):
        with tempfile.TemporaryDirectory(prefix="bq-") as top:
            run(SUMDB, "write", top, n)
            assert f"{n} leaves of go.example/log" in run(TLOG_READ, top, n)
            note = pathlib.Path(top) / "checkpoint"
            good = note.read_text()
            note.write_text(good.replace(f"\n{n}\n", f"\n{n + 1}\n"))
            assert "signature" in run(TLOG_READ, top, n, status=1)


if __name__ == "__main__":
    we_verify_a_log_of_go()
    go_verifies_our_log()
