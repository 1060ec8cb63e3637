# SPDX-License-Identifier: Apache-2.0
"""Two TUF clients with one command line, and a static server that may lie."""

import http.server
import os
import pathlib
import subprocess
import sys
import threading
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

MODULES = os.environ["INTEROP_MODULES"]
CLIENTS = {
    "tuf-js": ["node", str(HERE / "client.cjs")],
    "bequest": [os.environ["BIN"] + "/bequest-client", "tuf"],
}
LIMIT_S = 90


class Client:
    """One client's metadata and targets folder."""

    def __init__(self, kind, folder, root):
        self.kind, self.folder = kind, pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.run("init", str(root))

    def run(self, *args, status=0):
        done = subprocess.run([*CLIENTS[self.kind], "--metadata-dir", "metadata", *args],
                              cwd=self.folder, text=True, capture_output=True, timeout=LIMIT_S,
                              check=False)
        assert done.returncode == status, (self.kind, args, done.returncode, done.stderr)
        return done.stderr

    def refresh(self, base, status=0):
        return self.run("--metadata-url", f"{base}/metadata/", "refresh", status=status)

    def download(self, base, *names, status=0):
        """What the files have, in order."""
        wanted = [word for name in names for word in ("--target-name", name)]
        said = self.run("--metadata-url", f"{base}/metadata/", "--target-base-url",
                        f"{base}/targets/", "--target-dir", "targets", *wanted, "download",
                        status=status)
        if status:
            return said
        return [(self.folder / "targets" / self.local(n)).read_bytes() for n in names]

    def local(self, name):
        """Each client's own escapes for file names."""
        return urllib.parse.quote(name, safe="!'()*" if self.kind == "tuf-js" else "")

    def version(self, role="root"):
        import json
        return json.loads((self.folder / f"metadata/{role}.json").read_text())["signed"]["version"]


class Static:
    """Serves a folder; `lies` maps URL paths to other bytes, or to None for a 404."""

    def __init__(self, folder):
        self.lies = {}
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def do_GET(self):
                if self.path not in outer.lies:
                    super().do_GET()
                    return
                body = outer.lies[self.path]
                self.send_response(404 if body is None else 200)
                body = body or b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
