# SPDX-License-Identifier: Apache-2.0
"""
Sealing and opening 256 MiB against the same work by stock tools:

    tar -c | tee >(sha256sum) | gpg -z0 -c | tee >(sha256sum) > FILE
    tee >(sha256sum) < FILE | gpg -d | tee >(sha256sum) | tar -x

Ours makes and splits passphrases, encrypts shares, bundles a git repository and
checks every item besides.
"""
import os
import shutil

from measure import MIB, Row, cost, interleaved, peak_rss, versus

GPG = "gpg --homedir gh -q --batch --pinentry-mode loopback --passphrase-file pass"
SEAL = (f"tar -c -C big . | tee >(sha256sum >/dev/null) | {GPG} --cipher-algo AES256 -z0 -c"
        " | tee >(sha256sum >/dev/null) > big.gpg")
OPEN = (f"tee >(sha256sum >/dev/null) < big.gpg | {GPG} -d | tee >(sha256sum >/dev/null)"
        " | tar -x -C unpacked")


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
        for _ in range(size // MIB):
            f.write(os.urandom(MIB))
    (w.dir / "pass").write_text("0123456789abcdef" * 4)
    (w.dir / "gh").mkdir(mode=0o700)
    w.homes["bench"] = str(w.dir / "gh")
    (w.dir / "gh/gpg.conf").write_text("s2k-count 65536\n")


class Deposit:
    """The same payload for both sides; `how` measures a command."""

    def __init__(self, w, program):
        self.w, self.program = w, program

    def measure(self, how, *argv):
        os.sync()
        return how(argv, cwd=self.w.dir, env=self.w.env)

    def seal(self, how=cost):
        from lib_escrow import seal_args
        shutil.rmtree(self.w.dir / "sealed", ignore_errors=True)
        for share in self.w.dir.glob("sealed-public.*"):
            share.unlink()
        return self.measure(how, self.program,
                            *seal_args(self.w, "sealed", recipe="big", restricted=None,
                                       beneficiary=None))

    def open(self, how=cost):
        from test_escrow import shares_of
        shutil.rmtree(self.w.dir / "opened", ignore_errors=True)
        share = shares_of(self.w, folder="sealed")
        return self.measure(how, self.program, "open", "sealed", "--to", "opened",
                            "--share", share[1], "--share", share[2])

    def stock_seal(self):
        return self.measure(cost, "bash", "-c", SEAL)

    def stock_open(self):
        shutil.rmtree(self.w.dir / "unpacked", ignore_errors=True)
        (self.w.dir / "unpacked").mkdir()
        return self.measure(cost, "bash", "-c", OPEN)


def rows(bin_dir, runs, size=256 * MIB):
    from lib_escrow import World
    w = World()
    try:
        prepare(w, size)
        d = Deposit(w, bin_dir / "bequest-escrow")
        for verb, ours, stock in (("seal", d.seal, d.stock_seal), ("open", d.open, d.stock_open)):
            got = interleaved({"ours": ours, "peer": stock}, runs)
            yield versus(f"{verb} {size // MIB} MiB: CPU", "ms", got, "cpu", 1.6)
            yield versus(f"{verb} {size // MIB} MiB: wall", "ms", got, "wall", 3.0)
            yield Row(f"{verb}: RSS", "MiB", ours(peak_rss), None, 32)
    finally:
        w.close()
