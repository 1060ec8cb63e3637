# SPDX-License-Identifier: Apache-2.0
"""A full disk is a clear 507 and no damage: with space again, the same calls go through.

tests/device/fulldisk.c, loaded before the registry, lets the disk be full at the byte that is wanted.
"""
import json
import os
import pathlib
import shlex
import struct
import subprocess
import tempfile
import urllib.error
import urllib.request

from test_registry_poller import PRODUCT, REGISTRY, Poller, Server, Vendor, doc_id, document

PLENTY = 1 << 40
STEPS = 48


class Disk:
    """How much space the registry has left."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "left")
        self.library = os.path.join(folder, "fulldisk.so")
        self.leave(PLENTY)
        source = pathlib.Path(__file__).resolve().parents[1] / "device" / "fulldisk.c"
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=gnu17", "-D_GNU_SOURCE",
                        "-Wall", "-Werror", "-shared", "-fPIC", "-o", self.library, source,
                        "-ldl"], check=True)

    def leave(self, count):
        """In place: the registry has mapped the file."""
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(fd, struct.pack("=q", count), 0)
        os.close(fd)

    def left(self):
        return struct.unpack("=q", pathlib.Path(self.path).read_bytes())[0]

    def start(self, server):
        """With the library loaded: before the sanitizer's own, which minds unless it is told."""
        os.environ.update(LD_PRELOAD=self.library, DISK_LEFT=self.path,
                          ASAN_OPTIONS="verify_asan_link_order=0")
        server.start()
        for name in ("LD_PRELOAD", "DISK_LEFT", "ASAN_OPTIONS"):
            del os.environ[name]


def status(server, path, body):
    request = urllib.request.Request(server.url + path, data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def heartbeat(vendor, root, version):
    signed = {"_type": "heartbeat", "spec_version": "1.0", "version": version, "product": PRODUCT,
              "issued": "2026-01-01T00:00:00Z", "root": root}
    return json.dumps(document(signed, *vendor.root_keys)).encode()


def needs(server, vendor, root, disk, version):
    """How many bytes one call takes."""
    code, answer = status(server, "/v1/documents", heartbeat(vendor, root, version))
    assert code == 200, answer
    used = PLENTY - disk.left()
    disk.leave(PLENTY)
    return used


def try_full(server, vendor, root, disk, version, spare):
    """What a call says with so little space; what it says with space again."""
    body = heartbeat(vendor, root, version)
    disk.leave(spare)
    code, answer = status(server, "/v1/documents", body)
    spent = disk.left() == 0
    disk.leave(PLENTY)
    assert code in (200, 507), (spare, code, answer)
    assert spent or code == 200, (spare, answer)  # 507 only when it is really full
    if code == 507:
        assert answer["error"] == "full", answer
    again, answer = status(server, "/v1/documents", body)
    assert again == 200 and answer["documents"][0]["state"] == "published", (spare, answer)
    return code


def main():
    with tempfile.TemporaryDirectory(prefix="bequest-full-") as folder:
        data = os.path.join(folder, "data")
        subprocess.run([REGISTRY, "init", "--data", data, "--admission", "open"], check=True,
                       stdout=subprocess.DEVNULL)
        disk, server = Disk(folder), Server(data)
        disk.start(server)
        try:
            vendor = Vendor(server)
            first = vendor.next_root()
            vendor.publish([first])
            vendor.publish([vendor.next_targets(b"first")], b"first")
            root = {"version": 1, "id": doc_id(first["signed"])}
            reader = Poller(os.path.join(data, "public"))
            disk.leave(PLENTY)
            enough = 2 * needs(server, vendor, root, disk, 1)  # indexes grow from call to call
            codes = []
            for n in range(STEPS):
                codes.append(try_full(server, vendor, root, disk, n + 2,
                                      enough * n // (STEPS - 1)))
                reader.once()
            assert codes[0] == 507 and codes[-1] == 200, codes
        finally:
            server.kill()
        subprocess.run([REGISTRY, "fsck", "--data", data], check=True, stdout=subprocess.DEVNULL)
        print("ok", codes)


if __name__ == "__main__":
    main()
