# SPDX-License-Identifier: Apache-2.0
"""What a command costs, and a row of the table."""
import ctypes
import dataclasses
import os
import signal
import statistics
import subprocess
import sys
import time

MIB = 1024 * 1024
PATIENCE_S = 120
PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass
class Row:
    """Ours against a peer's, or (peer None) against the limit itself."""
    what: str
    unit: str
    ours: float
    peer: float | None
    limit: float | None  # None: only to be known
    at_least: bool = False
    ratio: float | None = None

    def __post_init__(self):
        if self.ratio is None and self.peer:
            self.ratio = self.ours / self.peer

    @property
    def judged(self):
        return self.ours if self.peer is None else self.ratio

    @property
    def ok(self):
        return self.judged >= self.limit if self.at_least else self.judged <= self.limit


def orphans():
    """CPU seconds of finished processes that were left to us."""
    total = 0.0
    while True:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return total
        if pid == 0:
            return total
        total += used.ru_utime + used.ru_stime


def cost(argv, **kw):
    """
    Wall and CPU milliseconds of a command and all its children, as the kernel counted them.
    GPGME forks twice, so that nobody waits for its gpg: such processes become our children.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    orphans()
    start = time.monotonic()
    p = subprocess.Popen([str(a) for a in argv], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, **kw)
    alarm = signal.signal(signal.SIGALRM, lambda *_: p.kill())
    signal.alarm(PATIENCE_S)
    try:
        complaint = p.stderr.read()
        _, status, used = os.wait4(p.pid, 0)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
    wall = time.monotonic() - start
    p.returncode = os.waitstatus_to_exitcode(status)
    p.stderr.close()
    if p.returncode != 0:
        sys.exit(f"{argv}: exit {p.returncode}: {complaint.decode()}")
    return {"wall": 1000 * wall, "cpu": 1000 * (used.ru_utime + used.ru_stime + orphans())}


def peak_rss(argv, **kw):
    """
    MiB of the largest process among a command and its children. By time(1): the kernel counts
    in what a process was before its exec, and that of ours would be this interpreter.
    """
    p = subprocess.run(["/usr/bin/time", "-q", "-f", "%M", *map(str, argv)], text=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                       timeout=PATIENCE_S, **kw)
    if p.returncode != 0:
        sys.exit(f"{argv}: exit {p.returncode}: {p.stderr}")
    return int(p.stderr.split()[-1]) / 1024


def interleaved(sides, runs):
    """
    Call each of `sides` (name: function of no arguments, which returns a dict of numbers)
    `runs` times, in turns that change their order: a busy machine is busy for all of them.
    """
    got = {name: [] for name in sides}
    for n in range(runs):
        for name in sorted(sides, reverse=n % 2 == 1):
            got[name].append(sides[name]())
    return got


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def ratio_of(ours, peer, key):
    """The median of the ratios of neighbours: what both suffered cancels out."""
    return statistics.median(a[key] / b[key] for a, b in zip(ours, peer))


def versus(what, unit, runs, key, limit, at_least=False):
    """A row from interleaved() with the sides "ours" and "peer"."""
    return Row(what, unit, median(runs["ours"], key), median(runs["peer"], key), limit, at_least,
               ratio_of(runs["ours"], runs["peer"], key))
