# SPDX-License-Identifier: Apache-2.0
"""People with keys, and a deposit for them: what the escrow tests share."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

BIN = os.environ["BIN"] + "/bequest-escrow"


class World:
    """A folder with people, their keys, and a product whose root they made."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bq-", dir="/tmp"))
        self.homes = {}
        (self.dir / "tmp").mkdir()
        self.env = dict(os.environ, TMPDIR=str(self.dir / "tmp"), LC_ALL="C")
        self.env.pop("GNUPGHOME", None)

    def close(self):
        for home in self.homes.values():
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        shutil.rmtree(self.dir)

    def run(self, *args, status=0, pass_fds=()):
        done = subprocess.run([BIN, *map(str, args)], cwd=self.dir, env=self.env, text=True,
                              capture_output=True, pass_fds=pass_fds, timeout=60)
        assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def sh(self, command, cwd=None, home=None):
        env = dict(self.env, GNUPGHOME=str(home)) if home else self.env
        done = subprocess.run(["sh", "-c", command], cwd=cwd or self.dir, env=env, text=True,
                              capture_output=True, timeout=60)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def person(self, name, algo="ed25519", encrypt="cv25519"):
        home = self.dir / "gpg" / name
        home.mkdir(parents=True, mode=0o700)
        self.homes[name] = str(home)
        gpg = f"gpg --homedir {home} --batch --quiet --pinentry-mode loopback --passphrase ''"
        self.sh(f"{gpg} --quick-gen-key '{name} <{name}@example.org>' {algo} sign,cert never")
        fpr = re.search(r"^fpr:+(\w+):", self.sh(f"{gpg} --with-colons -K"), re.M).group(1)
        self.sh(f"{gpg} --quick-add-key {fpr} {encrypt} encr never")
        self.run("key", "export", "--key", f"gpg:{name}", "--gnupg-home", home, "--name", name,
                 "--out", f"{name}.json", "--cert", f"{name}.asc")

    def read(self, path):
        return json.loads((self.dir / path).read_text())


def make_sources(w):
    w.sh("git init -q -b main src && cd src && echo one >a && git add a && "
         "git -c user.name=x -c user.email=x@x commit -qm one && "
         "git -c user.name=x -c user.email=x@x tag -a v1 -m v1")
    w.sh("mkdir recipe && echo make >recipe/build.sh && chmod 755 recipe/build.sh && "
         "mkdir recipe/däta && echo x >recipe/däta/ü.txt && echo MIT >LICENCE && "
         "mkdir -p secret/unlock && echo 1234 >secret/unlock/pin")


def seal_args(w, to, **other):
    """The usual command line; keyword arguments replace or (None) drop options."""
    opt = {"product": "lego.nxt", "root": "p/root.json", "bridge": "bridge.root.json",
           "source": "src", "recipe": "recipe", "licence": "LICENCE",
           "trustee": ["Anna=anna.asc", "Bert B.=bert.asc", "Cärla=carla.asc"],
           "threshold": "2", "key-of-vendor": "vendor", "gnupg-home": w.homes["vendor"],
           "support-until": "2027-01-01", "restricted": "secret",
           "beneficiary": "Fixers=fixer.asc", "out": to}
    opt.update({k.replace("_", "-"): v for k, v in other.items()})
    args = ["seal"]
    for name, value in opt.items():
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            args += [f"--{name}", one]
    return args
