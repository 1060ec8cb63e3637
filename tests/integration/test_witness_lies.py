# SPDX-License-Identifier: Apache-2.0
"""Witnesses that lie, stall and drown: below the quorum they change nothing. And old backups.

One registry has two honest witnesses, a quorum of two, and one liar of each kind. Nothing that a
liar says gets into what is published, nor does it stop or slow anything.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import lib_witness
from lib_witness import ORIGIN, REGISTRY, Vendor, Witnessed, request, run, until

DAY = 86400
GIB = 1 << 30


class Liar:
    """Has a good key, and something else to say. What it was asked is in `asked`."""

    def __init__(self, name, lie):
        self.name, self.lie, self.asked = name + ".liar.test", lie, []
        self.key = Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        raw = b"\x04" + self.public
        self.id = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        self.vkey = f"{self.name}+{self.id.hex()}+{base64.b64encode(raw).decode()}"
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.send_error(404)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                liar.asked.append(body)
                try:
                    liar.lie(liar, self, body.split("\n\n", 1)[1])
                except OSError:
                    pass  # the registry has hung up

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/a/prefix"

    def line(self, note, at=None, key=None, who=None, text=None):
        at = int(time.time()) if at is None else at
        text = note.rsplit("\n\n", 1)[0] + "\n" if text is None else text
        sig = (key or self.key).sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        raw = self.id + at.to_bytes(8, "big") + sig
        return f"\u2014 {who or self.name} {base64.b64encode(raw).decode()}\n"


def say(handler, status, body, kind="text/plain"):
    data = body if isinstance(body, bytes) else body.encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def another_key(liar, handler, note):
    say(handler, 200, liar.line(note, key=Ed25519PrivateKey.generate()))


def another_name(liar, handler, note):
    say(handler, 200, liar.line(note, who="witness-0.test"))


def tomorrow(liar, handler, note):
    say(handler, 200, liar.line(note, at=int(time.time()) + DAY))


def yesterday(liar, handler, note):
    say(handler, 200, liar.line(note, at=int(time.time()) - DAY))


def the_year_10000(liar, handler, note):
    say(handler, 200, liar.line(note, at=253402300800))


def another_tree(liar, handler, note):
    say(handler, 200, liar.line(note, text=f"{ORIGIN}\n99\n{base64.b64encode(bytes(32)).decode()}\n"))


def a_second_wrong_line(liar, handler, note):
    say(handler, 200, liar.line(note) + liar.line(note, at=1, key=Ed25519PrivateKey.generate()))


def a_thousand_lines(liar, handler, note):
    say(handler, 200, liar.line(note) * 1000)


def two_lines(liar, handler, note):
    say(handler, 200, liar.line(note) * 2)


def a_whole_note(liar, handler, note):
    say(handler, 200, note + liar.line(note))


def no_newline(liar, handler, note):
    say(handler, 200, liar.line(note)[:-1])


def garbage(liar, handler, note):
    say(handler, 200, os.urandom(500))


def nothing(liar, handler, note):
    say(handler, 200, "")


def four_gib(liar, handler, note):
    handler.send_response(200)
    handler.send_header("Content-Length", str(4 * GIB))
    handler.end_headers()
    for _ in range(4 * GIB // 65536):
        handler.wfile.write(bytes(65536))


def without_end(liar, handler, note):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(65536))


def stall(liar, handler, note):
    time.sleep(60)


def drip(liar, handler, note):
    handler.send_response(200)
    handler.send_header("Content-Length", "60000")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b"x" * 100)
        handler.wfile.flush()
        time.sleep(0.1)


def always_conflict(liar, handler, note):
    say(handler, 409, "0\n", "text/x.tlog.size")


def has_seen_more(liar, handler, note):
    say(handler, 409, "1000000\n", "text/x.tlog.size")


def has_seen_nonsense(liar, handler, note):
    say(handler, 409, "007", "text/x.tlog.size")


def unproven(liar, handler, note):
    say(handler, 422, "no")


def unknown(liar, handler, note):
    say(handler, 404, "no")


def broken(liar, handler, note):
    say(handler, 500, "no")


def elsewhere(liar, handler, note):
    handler.send_response(307)
    handler.send_header("Location", "file:///etc/passwd")
    handler.end_headers()


LIES = [another_key, another_name, tomorrow, yesterday, the_year_10000, another_tree,
        a_second_wrong_line, a_thousand_lines, two_lines, a_whole_note, no_newline, garbage, nothing,
        four_gib, without_end, stall, drip, always_conflict, has_seen_more, has_seen_nonsense,
        unproven, unknown, broken, elsewhere]


def add(town, liars, threshold):
    run("witnesses", "--data", town.data, "--threshold", threshold,
        *sum((["--add", f"{l.vkey}={l.url}"] for l in liars), []))


def liars_change_nothing(town, liars):
    vendor = Vendor(town)
    for _ in range(5):
        began = time.monotonic()
        beat = vendor.beat()
        assert beat["proof"], beat
        assert time.monotonic() - began < 2, "the liars slow it down"
    until(lambda: all(l.asked for l in liars), "some were never asked")
    size, signers = town.checkpoint()
    assert signers == [ORIGIN, "witness-0.test", "witness-1.test"], signers
    # Those that tell one thing by one answer have been judged; nobody's word was taken.
    time.sleep(0.5)
    assert town.checkpoint() == (size, signers)
    status, _, body = request(town.url + "/metrics")
    assert status == 200
    memory = int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(
        f"/proc/{town.process.pid}/status").read_text()).group(1))
    assert os.environ.get("SAN") or memory < 200_000, f"{memory} kB"
    return vendor


def what_was_wrong_is_said(said):
    """A line for each, and no second one while it stays so."""
    for lie, words in {"another_key": "is wrong", "another_name": "wrong|no cosignature",
                       "tomorrow": "its clock is", "garbage": "note:",
                       "two_lines": "more than one", "nothing": "no cosignature by its key", "four_gib": "longer than",
                       "has_seen_more": "checkpoint: HTTP status 404", "unproven": "refuses our",
                       "unknown": "does not know log", "broken": "HTTP status 500"}.items():
        lines = [l for l in said.splitlines() if f"name={lie}.liar.test" in l]
        assert len(lines) == 1 and re.search(words, lines[0]), (lie, lines)


def liars_make_no_quorum(town, vendor):
    """With one honest witness less, all of the others together are not enough."""
    town.witnesses[1].stop()
    shown = town.checkpoint()
    beat = vendor.beat()
    assert beat["proof"] is None, beat
    time.sleep(1)
    assert town.checkpoint() == shown, town.checkpoint()
    town.witnesses[1].start()
    town.cosigned(beat["log_index"] + 1, 2)


def stopping_waits_for_nobody(town):
    began = time.monotonic()
    said = town.stop()
    assert time.monotonic() - began < 6, time.monotonic() - began
    return said


def refused_start(town):
    done = subprocess.run([REGISTRY, "serve", "--data", town.data, "--listen", "127.0.0.1:0"],
                          text=True, capture_output=True, timeout=lib_witness.LIMIT_S)
    assert done.returncode == 3 and not done.stdout, done
    return done.stderr


def an_old_backup_is_found_out(top):
    """Restored whole, so that nothing in the folder itself tells: the witnesses do."""
    town = Witnessed(f"{top}/old", 2, threshold=1)
    vendor = Vendor(town)
    town.cosigned(1, 2)
    try:
        town.stop()
        shutil.copytree(town.data, f"{top}/backup", copy_function=shutil.copy2)
        town.start()
        town.cosigned(vendor.beat()["log_index"] + 1, 2)
        town.stop()
        shutil.rmtree(town.data)
        shutil.copytree(f"{top}/backup", town.data, copy_function=shutil.copy2)
        said = refused_start(town)
        assert "has 1 leaves, but what witness witness-" in said, said
        assert "put the newest registry.db back" in said, said
        nobody_there_at_first(town, vendor)
    finally:
        town.close()


def nobody_there_at_first(town, vendor):
    """Started while no witness answers, it stops to log as soon as one does."""
    for w in town.witnesses:
        w.stop()
    town.start()
    town.witnesses[0].start()

    def closed():
        # Something else than before: going on would be the fork.
        vendor.beats += 1
        vendor.sending = None
        status, _, body = request(f"{town.url}/v1/products/{vendor.product}")
        assert status == 200, body  # reads go on
        try:
            vendor.beat()
        except AssertionError as refused:
            return str(refused)
        return None

    said = until(closed)
    assert "the log is closed" in said and "registry.db" in said, said
    assert "forked" in town.end()


def main():
    with tempfile.TemporaryDirectory() as top:
        os.mkdir(f"{top}/old")
        town = Witnessed(top, 2, threshold=2)
        try:
            liars = [Liar(lie.__name__, lie) for lie in LIES]
            town.stop()
            add(town, liars, 2)
            town.start()
            vendor = liars_change_nothing(town, liars)
            liars_make_no_quorum(town, vendor)
            what_was_wrong_is_said(stopping_waits_for_nobody(town))
            an_old_backup_is_found_out(top)
        finally:
            town.close()
    print("ok")


if __name__ == "__main__":
    main()
