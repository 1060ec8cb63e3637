# SPDX-License-Identifier: Apache-2.0
"""
`bequest-client tuf` against tuf-js, on one repository that tuf-js's models wrote.

tuf-js is what `make check-interop` fetches; without it there are no rows. Both are started for each
run, since that is how updaters run; `node -e 0` is in the table to tell the language's share.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from measure import Row, cost, interleaved, median, peak_rss, versus
from nginx import Nginx

INTEROP = pathlib.Path(__file__).resolve().parent.parent / "interop"


class Side:
    """One client in a folder of its own, which each run begins anew."""

    def __init__(self, argv, folder, root, env=None):
        self.argv, self.folder, self.env = argv, folder, {**os.environ, **(env or {})}
        self.fresh = folder.with_name(folder.name + "-fresh")
        self.call("init", root)
        shutil.copytree(folder, self.fresh)

    def call(self, *args, how=cost):
        return how([*self.argv, "--metadata-dir", self.folder, *args], env=self.env)

    def first(self, base, how=cost):
        shutil.rmtree(self.folder)
        shutil.copytree(self.fresh, self.folder)
        return self.again(base, how)

    def again(self, base, how=cost):
        return self.call("--metadata-url", f"{base}metadata/", "refresh", how=how)

    def download(self, base, name, how=cost):
        shutil.rmtree(f"{self.folder}-targets", ignore_errors=True)
        return self.call("--metadata-url", f"{base}metadata/", "--target-base-url",
                         f"{base}targets/", "--target-dir", f"{self.folder}-targets",
                         "--target-name", name, "download", how=how)


def compare(what, sides, runs, act):
    time_of = interleaved({n: lambda s=s: act(s, cost) for n, s in sides.items()}, runs)
    size_of = interleaved({n: lambda s=s: {"rss": act(s, peak_rss)} for n, s in sides.items()},
                          runs)
    yield versus(f"tuf {what}: CPU", "ms", time_of, "cpu", 0.1)
    yield versus(f"tuf {what}: RSS", "MiB", size_of, "rss", 0.25)


def rows(bin_dir, runs):
    modules = bin_dir / "interop"
    if not shutil.which("node") or not (modules / "node_modules/tuf-js").exists():
        print("tuf: no rows: make check-interop fetches tuf-js", file=sys.stderr)
        return
    env = {"INTEROP_MODULES": str(modules)}
    with tempfile.TemporaryDirectory(prefix="bequest-bench-") as top:
        top = pathlib.Path(top)
        subprocess.run(["node", INTEROP / "repository.cjs", top / "tree"], check=True,
                       env={**os.environ, **env})
        root = top / "tree/root.json"
        with Nginx(top / "nginx", top / "tree", cache=False) as nginx:
            sides = {"ours": Side([bin_dir / "bequest-client", "tuf"], top / "ours", root),
                     "peer": Side(["node", INTEROP / "client.cjs"], top / "peer", root, env)}
            yield from compare("first refresh", sides, runs,
                               lambda s, how: s.first(nginx.url, how))
            yield from compare("refresh, nothing new", sides, runs,
                               lambda s, how: s.again(nginx.url, how))
            yield from compare("download", sides, runs,
                               lambda s, how: s.download(nginx.url, "many/3.txt", how))
        idle = interleaved({"node": lambda: cost(["node", "-e", "0"])}, runs)
        yield Row("node -e 0: CPU", "ms", median(idle["node"], "cpu"), None, None)
