# SPDX-License-Identifier: Apache-2.0
"""A registry, and a vendor who publishes through it with the programs, with keys in PEM files."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.parse

BIN = os.environ["BIN"]
LIMIT_S = 60


class Desk:
    """A folder, the programs, and a registry that runs in it."""

    def __init__(self, registry_args=()):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bq-", dir="/tmp"))
        self.env = dict(os.environ, LC_ALL="C", HOME=str(self.dir))
        self.do("registry", "init", "--data", "registry", "--name", "Test", "--origin",
                "log.test", "--admission", "open", *registry_args)
        self.serve()

    def serve(self):
        self.process = subprocess.Popen(
            [f"{BIN}/bequest-registry", "serve", "--data", "registry", "--listen", "127.0.0.1:0"],
            cwd=self.dir, env=self.env, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.url = re.match(r"listening (http://\S+)", self.process.stdout.readline()).group(1)

    def close(self):
        self.process.terminate()
        self.process.wait(LIMIT_S)
        self.process.stdout.close()
        shutil.rmtree(self.dir)

    def do(self, program, *args, status=0):
        """Run bequest-<program>; demand the exit status; all that it said."""
        done = subprocess.run([f"{BIN}/bequest-{program}", *map(str, args)], cwd=self.dir,
                              env=self.env, text=True, capture_output=True, timeout=LIMIT_S,
                              check=False)
        assert done.returncode == status, (program, args, done.returncode, done.stdout,
                                           done.stderr)
        return done.stdout + done.stderr

    def report(self, program, *args):
        return json.loads(self.do(program, *args, "--json"))

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return name

    def read(self, name):
        return json.loads((self.dir / name).read_text())

    def key(self, name, kind="ecdsa"):
        """A key pair: `name` is the private half, `name`.json what others get."""
        if kind == "rsa":
            subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
                            "rsa_keygen_bits:2048", "-out", name], cwd=self.dir, check=True)
        else:
            self.do("escrow", "key", "new", "--type", kind, "--out", name)
        self.do("escrow", "key", "export", "--key", f"pem:{name}", "--out", f"{name}.json")
        return name

    def product(self, product, root_keys, targets_keys, *, threshold=1, options=()):
        """The first root and the product statement, published."""
        self.targets_keys = targets_keys
        self.at = ["--product", product, "--registry", self.url]
        root = sum((["--root-key", f"{k}.json"] for k in root_keys), [])
        targets = sum((["--targets-key", f"{k}.json"] for k in targets_keys), [])
        self.do("escrow", "product", "new", "--product", product, "--name", product,
                "--publisher", "acme", "--publisher-name", "ACME", *root, *targets, "--threshold",
                threshold, "--registry", self.url, "--hardware", "acme,x1", "--out", product,
                *options)
        for document in ("root", "product"):
            for key in root_keys[:threshold]:
                self.do("escrow", "root", "sign", f"{product}/{document}.json", "--key",
                        f"pem:{key}")
        self.do("escrow", "submit", f"{product}/root.json", f"{product}/product.json",
                "--registry", self.url)

    def checkout(self, work, *options):
        self.do("publish", "checkout", work, *self.at, *options)

    def sign(self, work, *keys):
        for key in keys:
            self.do("publish", "sign", "--dir", work, "--key", f"pem:{key}")

    def image(self, work, name, content, version, *options, status=0):
        return self.do("publish", "add", self.write(f"in/{name}", content), "--dir", work,
                       "--name", name, "--version", version, "--hardware", "acme,x1", *options,
                       status=status)

    def plain(self, work, name, content, *options):
        return self.do("publish", "add", self.write(f"in/{name}", content), "--dir", work,
                       "--name", name, "--plain", *options)

    def submit(self, work, *options, status=0):
        return self.do("publish", "submit", "--dir", work, *options, status=status)

    def download(self, product, *names, status=0, metadata="tuf"):
        """By the bare TUF client; a list of the files' contents."""
        folder = self.dir / metadata
        base = f"{self.url}p/{product}" if self.url.endswith("/") else f"{self.url}/p/{product}"
        if not folder.exists():
            self.do("client", "tuf", "--metadata-dir", metadata, "init",
                    f"registry/public/p/{product}/metadata/1.root.json")
        wanted = sum((["--target-name", n] for n in names), [])
        self.do("client", "tuf", "--metadata-dir", metadata, "--metadata-url",
                f"{base}/metadata/", "--target-base-url", f"{base}/targets/", "--target-dir",
                f"{metadata}-targets", *wanted, "download" if names else "refresh", status=status)
        if status:
            return []
        return [(self.dir / f"{metadata}-targets" / urllib.parse.quote(n, safe="")).read_bytes()
                for n in names]
