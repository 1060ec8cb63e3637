# SPDX-License-Identifier: Apache-2.0
"""libbequest-verify.a verifies what is in memory, linked with nothing else of the project."""
import os
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timezone

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from libtuf import Repository  # noqa: E402

BIN = os.environ["BIN"]
PROGRAM = os.path.join(BIN, "tests", "verifier", "from_memory")


class Verifier(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.repo = Repository()
        self.repo.delegate("channel", ["beta/*"])
        self.repo.add_target("image", b"an image")
        self.repo.add_target("beta/image", b"a new one", "channel")
        self.repo.rotate_root()
        self.repo.release()

    def verify(self, target, content, now=None):
        now = now or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        files = {"root.json": self.repo.files["/metadata/1.root.json"], "target": content}
        for path, data in self.repo.files.items():
            if path.startswith("/metadata/"):
                files[path.rpartition("/")[2]] = data
        for name, data in files.items():
            with open(os.path.join(self.folder, name), "wb") as f:
                f.write(data)
        done = subprocess.run([PROGRAM, now, target,
                               *(os.path.join(self.folder, n) for n in files)],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode == 0, done.stdout + done.stderr

    def test_a_repository_in_memory_is_verified(self):
        self.assertEqual(self.verify("image", b"an image"),
                         (True, "image: vouched for by targets\n"))
        self.assertEqual(self.verify("beta/image", b"a new one"),
                         (True, "beta/image: vouched for by channel\n"))

    def test_what_is_not_vouched_for_is_refused(self):
        for content in (b"", b"an imagE", b"an image "):
            ok, said = self.verify("image", content)
            self.assertFalse(ok)
            self.assertIn("image: ", said)
        self.assertFalse(self.verify("other", b"an image")[0])
        self.assertIn("expired", self.verify("image", b"an image", "2990-01-01T00:00:00Z")[1])
        good = self.repo.files["/metadata/2.targets.json"]
        self.repo.files["/metadata/2.targets.json"] = good.replace(b'"length": 8', b'"length": 9')
        self.assertIn("0 of 1 signatures", self.verify("image", b"an image!")[1])


if __name__ == "__main__":
    unittest.main()
