# SPDX-License-Identifier: Apache-2.0
"""Requests a second of bequest-registry against nginx, on the same files.

Interleaved runs, medians, ratios: on a busy machine rates mean little. One row
for each kind of request: what a polling device asks (304, 600 bytes) and what it
downloads (1 MiB).

    /usr/bin/python3 tests/bench/registry.py --bin build [--rounds 5] [--seconds 3] [--json]
"""

import argparse
import json
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

NGINX = """
daemon off; master_process on; worker_processes {threads}; pid {dir}/nginx.pid;
error_log {dir}/error.log; events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; etag on;
  open_file_cache max=1000 inactive=60s; open_file_cache_valid 10s;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  types {{ application/json json; }} default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {root};
           add_header Cache-Control "public, max-age=60"; }}
}}
"""

# name, path, bytes, conditional, wanted ratio
CASES = [("304", "p/bench/metadata/timestamp.json", 600, True, 0.95),
         ("600 bytes", "p/bench/metadata/timestamp.json", 600, False, 1.2),
         ("1 MiB", "p/bench/targets/00.image", 1 << 20, False, 0.95)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(url):
    for _ in range(200):
        try:
            return urllib.request.urlopen(url, timeout=5).headers
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url}: no answer")


def wrk(url, connections, seconds, etag=None):
    args = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s"]
    if etag:
        args += ["-H", f"If-None-Match: {etag}"]
    out = subprocess.run(args + [url], text=True, capture_output=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    assert not bad, out
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def measure(urls, connections, rounds, seconds):
    rows = []
    for name, path, _, conditional, want in CASES:
        tags = {who: wait_for(f"{u}/{path}")["ETag"] for who, u in urls.items()}
        rates = {who: [] for who in urls}
        for n in range(rounds):
            for who in sorted(urls, reverse=n % 2 == 1):
                rates[who].append(wrk(f"{urls[who]}/{path}", connections, seconds,
                                      tags[who] if conditional else None))
        median = {who: statistics.median(r) for who, r in rates.items()}
        ratio = statistics.median(a / b for a, b in zip(rates["bequest"], rates["nginx"]))
        rows.append({"case": name, "connections": connections, "bequest": round(median["bequest"]),
                     "nginx": round(median["nginx"]), "ratio": round(ratio, 2), "want": want})
    return rows


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--bin", required=True)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=int, default=3)
    ap.add_argument("--connections", type=int, default=64)
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    registry = str(pathlib.Path(a.bin).resolve() / "bequest-registry")
    top = pathlib.Path(tempfile.mkdtemp(prefix="bq-bench-"))
    data, port = top / "data", free_port()
    top.chmod(0o755)
    subprocess.run([registry, "init", "--data", data, "--origin", "log.bench"], check=True,
                   stdout=subprocess.DEVNULL)
    for _, path, size, _, _ in CASES:
        file = data / "public" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)
    (top / "nginx.conf").write_text(NGINX.format(dir=top, port=port, root=data / "public",
                                                 threads=a.threads))
    nginx = subprocess.Popen(["nginx", "-e", top / "error.log", "-c", top / "nginx.conf"])
    ours = subprocess.Popen([registry, "serve", "--data", data, "--listen", "127.0.0.1:0",
                             "--threads", str(a.threads)], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    try:
        url = ours.stdout.readline().split()[1]
        rows = measure({"bequest": url, "nginx": f"http://127.0.0.1:{port}"}, a.connections,
                       a.rounds, a.seconds)
    finally:
        for p in (ours, nginx):
            p.terminate()
            p.wait(30)
        shutil.rmtree(top)
    if a.json:
        print(json.dumps({"registry": rows}))
        return
    print(f"{'':12}{'bequest/s':>12}{'nginx/s':>12}{'ratio':>8}{'want':>8}")
    for r in rows:
        print(f"{r['case']:12}{r['bequest']:12}{r['nginx']:12}{r['ratio']:8.2f}{r['want']:8.2f}")


main()
