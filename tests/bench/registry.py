# SPDX-License-Identifier: Apache-2.0
"""
Requests a second of bequest-registry against nginx, on the same files with as many threads:
what a polling device asks (304, 600 bytes) and what it downloads (1 MiB).
"""
import os
import pathlib
import re
import subprocess
import tempfile

from measure import MIB, interleaved, versus
from nginx import Nginx, wait_for

SECONDS = 1
ROUNDS = 2  # for each run: many short ones, as neighbours in time suffer the same
THREADS = 1  # the load needs the other CPU
CONNECTIONS = 64
# what, path, bytes, conditional, least ratio
CASES = [("304", "p/bench/metadata/timestamp.json", 600, True, 0.95),
         ("600 bytes", "p/bench/metadata/timestamp.json", 600, False, 1.2),
         ("1 MiB", "p/bench/targets/00.image", MIB, False, 0.95)]


def cpu_ns(pid):
    """Of a process, its children and all their threads, so far."""
    total = 0
    for task in os.scandir(f"/proc/{pid}/task"):
        total += int(pathlib.Path(task.path, "schedstat").read_text().split()[0])
        children = pathlib.Path(task.path, "children").read_text().split()
        total += sum(map(cpu_ns, children))
    return total


def wrk(url, pid, etag):
    """Requests a second, and the server's CPU for each; every answer has to be a good one."""
    args = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s"]
    if etag:
        args += ["-H", f"If-None-Match: {etag}"]
    before = cpu_ns(pid)
    out = subprocess.run([*args, url], text=True, capture_output=True, check=True).stdout
    spent = cpu_ns(pid) - before
    assert not re.search(r"Non-2xx or 3xx|Socket errors", out), out
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "us": spent / 1000 / int(re.search(r"(\d+) requests in", out).group(1))}


def side(server, path, conditional):
    url = server.url + path
    etag = wait_for(url)["ETag"] if conditional else None
    return lambda: wrk(url, server.process.pid, etag)


class Registry:
    def __init__(self, program, data):
        self.process = subprocess.Popen(
            [program, "serve", "--data", data, "--listen", "127.0.0.1:0", "--threads",
             str(THREADS)], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = self.process.stdout.readline().split()[1] + "/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def rows(bin_dir, runs):
    program = bin_dir / "bequest-registry"
    with tempfile.TemporaryDirectory(prefix="bequest-bench-") as top:
        top = pathlib.Path(top)
        data = top / "data"
        subprocess.run([program, "init", "--data", data, "--origin", "log.bench"], check=True,
                       stdout=subprocess.DEVNULL)
        for _, path, size, _, _ in CASES:
            file = data / "public" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * size)
        with Registry(program, data) as ours, Nginx(top / "nginx", data / "public",
                                                    THREADS) as nginx:
            for what, path, _, conditional, least in CASES:
                got = interleaved({"ours": side(ours, path, conditional),
                                   "peer": side(nginx, path, conditional)}, ROUNDS * runs)
                yield versus(f"serve {what}", "req/s", got, "rate", least, at_least=True)
                yield versus(f"serve {what}: CPU", "us", got, "us", None)
