# SPDX-License-Identifier: Apache-2.0
"""`bequest-client tuf` as the tuf-conformance suite drives it: exit status, files, requests."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_device import preload  # noqa: E402
from libtuf import Key, Repository, Server  # noqa: E402

CLIENT = os.path.join(os.environ["BIN"], "bequest-client")
M = "GET /metadata/"


class TufVerb(unittest.TestCase):
    def setUp(self):
        self.repo = Repository({"root": ["ed25519", "ecdsa", "rsa"]})
        self.server = Server(self.repo)
        self.addCleanup(self.server.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.metadata = os.path.join(self.folder, "metadata")
        self.target_dir = os.path.join(self.folder, "targets")
        self.trusted = self.repo.files["/metadata/1.root.json"]

    def run_tuf(self, *args, env=None):
        done = subprocess.run([CLIENT, "tuf", *args], capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, **(env or {})})
        self.error = done.stderr
        self.assertIn(done.returncode, (0, 1), done.stderr)
        if done.returncode:
            self.assertTrue(done.stderr.startswith("bequest-client: "), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.returncode

    def init(self, root=None):
        path = os.path.join(self.folder, "trusted-root")
        with open(path, "wb") as f:
            f.write(self.trusted if root is None else root)
        return self.run_tuf("--metadata-dir", self.metadata, "init", path)

    def refresh(self, env=None):
        return self.run_tuf("--metadata-url", self.server.url + "/metadata/", "--metadata-dir",
                            self.metadata, "refresh", env=env)

    def download(self, *names):
        options = [word for name in names for word in ("--target-name", name)]
        return self.run_tuf("--metadata-url", self.server.url + "/metadata/", "--metadata-dir",
                            self.metadata, *options, "--target-dir", self.target_dir,
                            "--target-base-url", self.server.url + "/targets/", "download")

    def stored(self):
        return sorted(f for f in os.listdir(self.metadata) if f.endswith(".json"))

    def read(self, folder, name):
        with open(os.path.join(folder, name), "rb") as f:
            return f.read()

    def test_init_stores_the_root_and_asks_for_nothing(self):
        self.assertEqual(self.init(), 0)
        self.assertEqual(self.stored(), ["root.json"])
        self.assertEqual(self.read(self.metadata, "root.json"), self.trusted)
        self.assertEqual(self.server.taken(), [])

    def test_init_refuses_broken_and_unsigned_roots(self):
        unsigned = self.repo.document(json.loads(self.trusted)["signed"], [])
        one_of_two = self.repo.document(json.loads(self.trusted)["signed"],
                                        self.repo.keys["root"][:1])
        for root in (b"", b"{}", self.trusted[:-20], unsigned, one_of_two):
            self.assertEqual(self.init(root), 1)
            self.assertEqual(self.refresh(), 1)
        self.assertEqual(self.server.taken(), [])

    def test_plain_refresh_makes_exactly_these_requests(self):
        self.assertEqual(self.init(), 0)
        self.assertEqual(self.refresh(), 0, self.error if hasattr(self, "error") else "")
        self.assertEqual(self.server.taken(), [M + "2.root.json", M + "timestamp.json",
                                               M + "1.snapshot.json", M + "1.targets.json"])
        self.assertEqual(self.stored(),
                         ["root.json", "snapshot.json", "targets.json", "timestamp.json"])
        for local, remote in (("timestamp.json", "timestamp.json"),
                              ("snapshot.json", "1.snapshot.json"),
                              ("targets.json", "1.targets.json")):
            self.assertEqual(self.read(self.metadata, local),
                             self.repo.files["/metadata/" + remote])
        self.assertEqual(self.refresh(), 0)
        self.assertEqual(self.server.taken(), [M + "2.root.json", M + "timestamp.json"])

    def test_options_may_follow_the_operand(self):
        self.assertEqual(self.init(), 0)
        self.assertEqual(self.run_tuf("refresh", "--metadata-dir", self.metadata,
                                      "--metadata-url", self.server.url + "/metadata"), 0)
        self.assertEqual(len(self.server.taken()), 4)

    def test_proxies_of_the_environment_are_ignored(self):
        self.assertEqual(self.init(), 0)
        dead = "http://127.0.0.1:9/"
        self.assertEqual(self.refresh({"http_proxy": dead, "HTTP_PROXY": dead,
                                       "all_proxy": dead}), 0)

    def test_usage_errors_are_failures_like_others(self):
        for args in ((), ("refresh",), ("--metadata-dir", self.metadata),
                     ("--metadata-dir", self.metadata, "refresh"),
                     ("--metadata-dir", self.metadata, "init"),
                     ("--metadata-dir", self.metadata, "dance"),
                     ("--no-such-option", "refresh"),
                     ("--metadata-dir", self.metadata, "--metadata-url", "x", "download")):
            self.assertEqual(self.run_tuf(*args), 1, args)
        self.assertEqual(self.server.taken(), [])

    def test_root_chain_is_followed_and_stored(self):
        self.assertEqual(self.init(), 0)
        self.repo.rotate_root()
        last = self.repo.rotate_root()
        self.repo.release()
        self.assertEqual(self.refresh(), 0)
        self.assertEqual(self.server.taken(),
                         [M + "2.root.json", M + "3.root.json", M + "4.root.json",
                          M + "timestamp.json", M + "2.snapshot.json", M + "2.targets.json"])
        self.assertEqual(self.read(self.metadata, "root.json"), last)

    def test_root_signed_by_new_keys_alone_is_refused(self):
        self.assertEqual(self.init(), 0)
        self.repo.rotate_root()
        self.repo.root_signers = self.repo.keys["root"]
        self.repo.publish_root()
        self.assertEqual(self.refresh(), 1)
        self.assertEqual(self.read(self.metadata, "root.json"), self.trusted)
        self.assertEqual(self.server.taken(), [M + "2.root.json"])

    def test_only_a_404_ends_the_root_chain(self):
        self.assertEqual(self.init(), 0)
        for status in (403, 500, 503):
            self.server.status["/metadata/2.root.json"] = status
            self.assertEqual(self.refresh(), 1)
            self.assertEqual(self.server.taken(), [M + "2.root.json"])

    def test_missing_file_fails_and_keeps_what_came_before(self):
        self.assertEqual(self.init(), 0)
        del self.repo.files["/metadata/1.targets.json"]
        self.assertEqual(self.refresh(), 1)
        self.assertEqual(self.stored(), ["root.json", "snapshot.json", "timestamp.json"])

    def test_endless_answers_are_cut(self):
        def endless(out):
            try:
                while True:
                    out.write(b" " * 65536)
            except OSError:
                pass

        self.assertEqual(self.init(), 0)
        for name in ("2.root.json", "timestamp.json"):
            kept = self.repo.files.get("/metadata/" + name)
            self.repo.files["/metadata/" + name] = endless
            self.assertEqual(self.refresh(), 1)
            if kept is None:
                del self.repo.files["/metadata/" + name]
        self.assertEqual(self.stored(), ["root.json"])

    def test_targets_are_downloaded_in_order_and_only_once(self):
        self.repo.add_target("dir/a file", b"first" * 1000)
        self.repo.add_target("b", b"")
        self.repo.release()
        first = self.repo.targets["dir/a file"]["hashes"]["sha256"]
        second = self.repo.targets["b"]["hashes"]["sha256"]
        self.assertEqual(self.init(), 0)
        self.assertEqual(self.download("dir/a file", "b"), 0)
        self.assertEqual(self.server.taken()[4:],
                         [f"GET /targets/dir/{first}.a%20file", f"GET /targets/{second}.b"])
        self.assertEqual(sorted(os.listdir(self.target_dir)), ["b", "dir%2Fa%20file"])
        self.assertEqual(self.read(self.target_dir, "dir%2Fa%20file"), b"first" * 1000)
        self.assertEqual(self.download("dir/a file", "b"), 0)
        self.assertEqual(self.server.taken(), [M + "2.root.json", M + "timestamp.json"])
        with open(os.path.join(self.target_dir, "b"), "wb") as f:
            f.write(b"spoilt")
        self.assertEqual(self.download("b"), 0)
        self.assertEqual(self.server.taken()[2:], [f"GET /targets/{second}.b"])
        self.assertEqual(self.read(self.target_dir, "b"), b"")

    def test_odd_target_names_are_files_of_one_folder(self):
        names = ["a b", "a%2Fb", "a/b", "%", "a?b#c", "-n", "a\\b", "a\nb", "\u00fc/\u00df", "..a",
                 "a/../../x", "../up", "/abs", "a//b", "~", "*", "a;b&c", "'\"`$(x)", "x" * 150]
        for name in names:
            self.repo.add_target(name, name.encode())
        for name in (".", ".."):
            self.repo.add_target(name, b"")
        self.repo.release()
        self.assertEqual(self.init(), 0)
        self.assertEqual(self.download(*names), 0, getattr(self, "error", ""))
        quoted = {urllib.parse.quote(name, ""): name.encode() for name in names}
        self.assertEqual({f: self.read(self.target_dir, f) for f in os.listdir(self.target_dir)},
                         quoted)
        for name in (".", ".."):
            self.assertEqual(self.download(name), 1)
        self.assertEqual(sorted(os.listdir(self.folder)), ["metadata", "targets", "trusted-root"])

    def test_first_failure_ends_the_download(self):
        for name in ("a", "c"):
            self.repo.add_target(name, name.encode())
        self.repo.release()
        self.assertEqual(self.init(), 0)
        self.assertEqual(self.download("a", "nowhere", "c"), 1)
        self.assertEqual(os.listdir(self.target_dir), ["a"])

    def test_wrong_target_files_leave_nothing_behind(self):
        content = b"the real content"
        self.repo.add_target("a", content)
        self.repo.release()
        path = f"/targets/{self.repo.targets['a']['hashes']['sha256']}.a"
        self.assertEqual(self.init(), 0)
        for wrong in (b"", content[:-1], content + b"x", b"x" * len(content), None):
            if wrong is None:
                del self.repo.files[path]
            else:
                self.repo.files[path] = wrong
            self.assertEqual(self.download("a"), 1)
            self.assertEqual(os.listdir(self.target_dir), [])

    def test_unusual_role_names_are_quoted(self):
        for name in ("?", "#", "/delegatedrole", "../delegatedrole"):
            self.repo.delegate(name, [name.strip("./") + "/*"])
            self.repo.add_target(name.strip("./") + "/x", name.encode(), name)
        self.repo.release()
        self.assertEqual(self.init(), 0)
        self.assertEqual(self.download("?/x"), 0)
        self.assertEqual(self.download("#/x"), 0)
        self.assertEqual(self.download("delegatedrole/x"), 0)
        log = self.server.taken()
        self.assertIn(M + "1.%3F.json", log)
        self.assertIn(M + "1.%23.json", log)
        self.assertIn(M + "1.%2Fdelegatedrole.json", log)
        for name in ("%3F.json", "%23.json", "%2Fdelegatedrole.json"):
            self.assertIn(name, self.stored())
        self.assertEqual(sorted(os.listdir(self.folder)), ["metadata", "targets", "trusted-root"])

    def test_two_clients_may_share_a_folder(self):
        self.assertEqual(self.init(), 0)
        command = [CLIENT, "tuf", "--metadata-dir", self.metadata, "--metadata-url",
                   self.server.url + "/metadata/", "refresh"]
        clients = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
        for client in clients:
            _, err = client.communicate(timeout=60)
            self.assertEqual(client.returncode, 0, err)
        self.assertEqual(self.stored(),
                         ["root.json", "snapshot.json", "targets.json", "timestamp.json"])

    def test_json_is_one_object(self):
        self.assertEqual(self.init(), 0)
        command = [CLIENT, "tuf", "--json", "--metadata-dir", self.metadata, "--metadata-url",
                   self.server.url + "/metadata/", "refresh"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        self.assertEqual(json.loads(done.stdout), {"ok": True, "files": []})
        del self.repo.files["/metadata/timestamp.json"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["error"], "network")

    def test_time_is_the_system_clocks(self):
        """Also of one that was preloaded, as faketime does it; every role of the very second."""
        library = None if os.environ.get("CROSS") else preload("clock", self.folder)
        if not library:
            self.skipTest("the sanitizers want to be loaded first, and so does an emulator")
        end = datetime.strptime(self.repo.expires, "%Y-%m-%dT%H:%M:%SZ")
        end = int(end.replace(tzinfo=timezone.utc).timestamp())

        def at(second):
            return {"LD_PRELOAD": str(library), "CLOCK_AT": str(second)}

        self.assertEqual(self.init(), 0)
        self.assertEqual(self.refresh(at(end)), 1)
        self.assertIn("root.json: expired", self.error)
        self.assertEqual(self.stored(), ["root.json"])
        self.assertEqual(self.server.taken(), [M + "2.root.json"])
        self.assertEqual(self.refresh(at(end - 1)), 0)
        # What expired locally does not hinder what is new.
        self.repo.expires = (datetime.now(timezone.utc)
                             + timedelta(days=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.repo.rotate_root()
        self.assertEqual(self.refresh(at(end)), 1)
        self.assertIn("timestamp.json: expired", self.error)
        self.repo.release()
        self.assertEqual(self.refresh(at(end)), 0, getattr(self, "error", ""))

    def test_timestamp_by_a_stranger_is_refused(self):
        self.assertEqual(self.init(), 0)
        self.repo.keys["timestamp"] = [Key()]
        self.repo.publish()
        self.assertEqual(self.refresh(), 1)
        self.assertIn("timestamp.json: 0 of 1 signatures", self.error)
        self.assertEqual(self.stored(), ["root.json"])


if __name__ == "__main__":
    unittest.main()
