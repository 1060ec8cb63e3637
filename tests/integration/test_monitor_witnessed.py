# SPDX-License-Identifier: Apache-2.0
"""The monitor beside a registry whose witnesses cosign: no alarm, but for a checkpoint without them."""
import hashlib
import json
import subprocess
import tempfile
import time

from lib_liar import Serving
from lib_witness import LIMIT_S, ORIGIN, REGISTRY, Vendor, Witnessed


class Tree:
    """A public folder, with a checkpoint that can be another."""

    def __init__(self, public):
        self.public, self.checkpoint = public, None

    def get(self, path):
        if path == "log/checkpoint" and self.checkpoint:
            return self.checkpoint
        at = self.public / path
        return at.read_bytes() if at.is_file() else None


def look(url, state, *args, status=0):
    done = subprocess.run([REGISTRY, "monitor", "--url", url, "--state", state, "--grace", "1",
                           "--all", "--json", *args], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == status, (done.stdout, done.stderr)
    report = json.loads(done.stdout)
    return [e["kind"] for e in report["events"]], report


def main():
    with tempfile.TemporaryDirectory() as top:
        town = Witnessed(top, 2, threshold=2)
        tree = Tree(town.public)
        server = Serving(None, tree)
        try:
            vendor = Vendor(town)
            vendor.beat()
            town.cosigned(2, 2)
            for url in (town.url, server.url):
                kinds, report = look(url, f"{top}/{len(url)}")
                assert kinds == ["trust", "root", "heartbeat"] and report["complete"], report
            origin = hashlib.sha256(ORIGIN.encode()).hexdigest()
            kinds, report = look(town.url, f"{top}/{len(town.url)}", "--checkpoint",
                                 f"{town.witnesses[0].url}/{origin}/checkpoint")
            assert kinds == [] and report["complete"], report
            assert report["vantages"][1]["size"] == 2, report
            state = f"{top}/{len(server.url)}"
            text, lines = (town.public / "log/checkpoint").read_text().rsplit("\n\n", 1)
            tree.checkpoint = f"{text}\n\n{lines.splitlines()[0]}\n".encode()
            assert look(server.url, state)[0] == []
            time.sleep(1.1)
            kinds, report = look(server.url, state, status=3)
            assert kinds == ["quorum", "quorum"], report
            tree.checkpoint = None
            kinds, report = look(server.url, state)
            assert kinds == ["quorum", "quorum"] and not report["standing"], report
        finally:
            server.close()
            town.close()
    print("ok")


if __name__ == "__main__":
    main()
