# SPDX-License-Identifier: Apache-2.0
"""A loopback of our own: no other traffic, and no pacing."""
import ctypes
import fcntl
import os
import pathlib
import socket
import struct

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
CONTROL = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")


def own_loopback():
    """
    Move this process and its children into a new network namespace. Where BBR is the
    congestion control, it paces loopback by its idea of a link, and a rate says more about
    its timers than about a server; Reno does not pace, and any namespace may have it.
    False: not allowed here (that takes root), and nothing has changed.
    """
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    CONTROL.write_text("reno")
    return True


def control():
    return CONTROL.read_text().strip()
