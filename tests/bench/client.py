# SPDX-License-Identifier: Apache-2.0
"""
The device agent against curl: a check with nothing new, and an installation of 256 MiB.

The floor of an installation is what a shell can do with stock tools:

    curl URL | tee SLOT | sha256sum; sync SLOT; sha256sum SLOT

Runs are interleaved, so that a busy machine is busy for both; medians are printed.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
MIB = 1024 * 1024


def measured(argv):
    """Wall seconds, CPU seconds and peak RSS (MiB, largest process) of a command, by time(1)."""
    p = subprocess.run(["/usr/bin/time", "-q", "-f", "%e %U %S %M", *argv],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if p.returncode != 0:
        sys.exit(f"{argv}: exit {p.returncode}: {p.stderr}")
    wall, user, system, rss = map(float, p.stderr.splitlines()[-1].split())
    return {"wall_s": wall, "cpu_s": user + system, "rss_mib": rss / 1024}


def medians(runs):
    return {k: round(statistics.median(r[k] for r in runs), 4) for k in runs[0]}


class Nginx:
    """The tree as a CDN would serve it; the fixture's own server is too slow to measure by."""

    def __init__(self, top, folder):
        self.dir = pathlib.Path(folder)
        import socket
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        conf = self.dir / "nginx.conf"
        conf.write_text(f"""
daemon off; master_process off; pid {self.dir}/pid; error_log {self.dir}/error.log; user root;
events {{}}
http {{ access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {self.dir}/t1; proxy_temp_path {self.dir}/t2; fastcgi_temp_path {self.dir}/t3;
  uwsgi_temp_path {self.dir}/t4; scgi_temp_path {self.dir}/t5;
  server {{ listen 127.0.0.1:{port}; root {top}; }} }}
""")
        os.chmod(self.dir, 0o755)
        self.process = subprocess.Popen(["nginx", "-c", conf], stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}/"
        for _ in range(200):
            if subprocess.run(["curl", "-so/dev/null", self.url], check=False).returncode == 0:
                return
            time.sleep(0.02)
        sys.exit("nginx does not answer")

    def close(self):
        self.process.terminate()
        self.process.wait()


def bench_check(d, url, product, runs):
    """Nothing new: two small requests on one connection, and the same by curl."""
    d.ok("check")
    version = len(product.roots) + 1
    base = f"{url}p/{product.name}/metadata/"
    client, curl = [], []
    for _ in range(runs):
        client.append(measured([d.bin, "check", "--config", d.conf]))
        curl.append(measured(["curl", "-s", f"{base}{version}.root.json", f"{base}timestamp.json"]))
    return medians(client), medians(curl)


def bench_install(d, url, size, digest, runs):
    slot = d.dir / "slot-b.img"
    other = d.dir / "pipeline.img"
    other.write_bytes(b"\0" * size)
    target = f"{url}p/acme.x1/targets/{digest}.acme.x1-2.0.0.bin"
    pipeline = (f"set -e; curl -s {target} | tee {other} | sha256sum; sync {other}; "
                f"sha256sum {other} | grep -q {digest}")
    saved = d.dir.with_name("saved")
    shutil.copytree(d.dir / "state", saved)
    env = (d.dir / "boot.env").read_bytes()
    client, floor = [], []
    for _ in range(runs):
        shutil.rmtree(d.dir / "state")
        shutil.copytree(saved, d.dir / "state")
        (d.dir / "boot.env").write_bytes(env)
        os.sync()
        client.append(measured([d.bin, "update", "--config", d.conf]))
        assert subprocess.run(["cmp", "-n", str(size), slot, d.image], check=False).returncode == 0
        os.sync()
        floor.append(measured(["sh", "-c", pipeline]))
    return medians(client), medians(floor)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build")
    parser.add_argument("--size", type=int, default=256, help="MiB")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    os.environ["BIN"] = args.bin
    import lib_device
    with tempfile.TemporaryDirectory(prefix="bequest-bench-") as top:
        top = pathlib.Path(top)
        product = lib_device.Product(top / "tree")
        product.publish_root(product.root(product.vendor, []))
        product.image("1.0.0", b"1" * 1000)
        image = os.urandom(MIB) * args.size
        digest = lib_device.sha256(image)
        product.publish()
        nginx = Nginx(top / "tree", tempfile.mkdtemp(dir=top))
        try:
            d = lib_device.Device(top / "device", product, [nginx.url], slot_size=len(image))
            d.bin = pathlib.Path(args.bin).resolve() / "bequest-client"
            check = bench_check(d, nginx.url, product, 10 * args.runs)
            product.image("2.0.0", image)
            product.publish()
            d.image = product.tree / "targets" / f"{digest}.acme.x1-2.0.0.bin"
            size = len(image)
            del image
            install = bench_install(d, nginx.url, size, digest, args.runs)
        finally:
            nginx.close()
    result = {"check": dict(zip(("client", "curl"), check)),
              "install": dict(zip(("client", "pipeline"), install))}
    result["install"]["throughput_ratio"] = round(
        install[1]["wall_s"] / install[0]["wall_s"], 3)
    print(json.dumps(result, indent=1))


main()
