# SPDX-License-Identifier: Apache-2.0
"""
Sealing and opening 256 MiB against the same work by stock tools:

    tar -c | tee >(sha256sum) | gpg -z0 -c | tee >(sha256sum) > FILE
    tee >(sha256sum) < FILE | gpg -d | tee >(sha256sum) | tar -x

Ours makes and splits passphrases, encrypts shares, bundles a git repository and
checks every item besides. Runs are interleaved; medians are printed. At most
1.6 times the CPU, 3 times the wall time, and 32 MiB in our own process.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

MIB = 1024 * 1024
LIMITS = {"cpu": 1.6, "wall": 3.0, "rss_mib": 32.0}
GPG = "gpg --homedir gh -q --batch --pinentry-mode loopback --passphrase-file pass"
SEAL = (f"tar -c -C big . | tee >(sha256sum >/dev/null) | {GPG} --cipher-algo AES256 -z0 -c"
        " | tee >(sha256sum >/dev/null) > big.gpg")
OPEN = (f"tee >(sha256sum >/dev/null) < big.gpg | {GPG} -d | tee >(sha256sum >/dev/null)"
        " | tar -x -C unpacked")


def measured(w, argv):
    """Wall and CPU seconds of a command and its children; peak RSS of the largest process."""
    p = subprocess.run(["/usr/bin/time", "-q", "-f", "%e %U %S %M", *map(str, argv)], cwd=w.dir,
                       env=w.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                       check=False)
    if p.returncode != 0:
        sys.exit(f"{argv}: exit {p.returncode}: {p.stderr}")
    wall, user, system, rss = map(float, p.stderr.splitlines()[-1].split())
    return {"wall": wall, "cpu": user + system, "rss_mib": rss / 1024}


def prepare(w, size):
    """Keys, roots and a folder of one large file; what the registry would give is made here."""
    from lib_escrow import make_sources
    from test_escrow import make_bridge, make_keys, make_root
    make_keys(w)
    make_root(w)
    make_bridge(w)
    w.run("root", "sign", "bridge.root.json", "--key", "pem:k3")
    make_sources(w)
    (w.dir / "big").mkdir()
    with open(w.dir / "big/blob", "wb") as f:
        for _ in range(size):
            f.write(os.urandom(MIB))
    (w.dir / "pass").write_text("0123456789abcdef" * 4)
    (w.dir / "gh").mkdir(mode=0o700)
    w.homes["bench"] = str(w.dir / "gh")
    (w.dir / "gh/gpg.conf").write_text("s2k-count 65536\n")


def one_round(w, escrow, runs):
    from lib_escrow import seal_args
    for name in ("sealed", "opened", "unpacked"):
        shutil.rmtree(w.dir / name, ignore_errors=True)
    (w.dir / "unpacked").mkdir()
    for share in w.dir.glob("sealed-public.*"):
        share.unlink()
    from test_escrow import shares_of
    seal = seal_args(w, "sealed", recipe="big", restricted=None, beneficiary=None)
    runs["seal"]["stock"].append(measured(w, ["bash", "-c", SEAL]))
    runs["seal"]["ours"].append(measured(w, [escrow, *seal]))
    share = shares_of(w, folder="sealed")
    args = ["open", "sealed", "--to", "opened", "--share", share[1], "--share", share[2]]
    runs["open"]["stock"].append(measured(w, ["bash", "-c", OPEN]))
    runs["open"]["ours"].append(measured(w, [escrow, *args]))


def summary(runs):
    out, good = {}, True
    for what, sides in runs.items():
        mid = {side: {k: round(statistics.median(r[k] for r in rounds), 3) for k in rounds[0]}
               for side, rounds in sides.items()}
        ratio = {k: round(mid["ours"][k] / mid["stock"][k], 2) for k in ("cpu", "wall")}
        good &= all(ratio[k] <= LIMITS[k] for k in ratio)
        good &= mid["ours"]["rss_mib"] <= LIMITS["rss_mib"]
        out[what] = {**mid, "ratio": ratio}
    return out, good


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--bin", required=True, help="the folder of the programs")
    p.add_argument("--mib", type=int, default=256)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    os.environ["BIN"] = a.bin
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
    from lib_escrow import World
    w = World()
    runs = {what: {"stock": [], "ours": []} for what in ("seal", "open")}
    try:
        prepare(w, a.mib)
        for _ in range(a.rounds):
            one_round(w, f"{a.bin}/bequest-escrow", runs)
    finally:
        w.close()
    out, good = summary(runs)
    if a.json:
        print(json.dumps({"mib": a.mib, "limits": LIMITS, "ok": good, **out}))
    else:
        for what, r in out.items():
            print(f"{what} {a.mib} MiB: CPU {r['ours']['cpu']:.2f} s ({r['ratio']['cpu']} of stock),"
                  f" wall {r['ours']['wall']:.2f} s ({r['ratio']['wall']}),"
                  f" RSS {r['ours']['rss_mib']:.0f} MiB")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
