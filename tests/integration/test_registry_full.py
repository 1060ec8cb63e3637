# SPDX-License-Identifier: Apache-2.0
"""A full disk is a clear 507 and no damage: with space again, the same calls go through.

Runs on a small file system of its own, in a mount namespace; where none can be made, says so.
"""
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from test_registry_poller import PRODUCT, REGISTRY, Poller, Server, Vendor, doc_id, document

SIZE = "4m"
CHUNK = 4096


def status(server, path, body):
    request = urllib.request.Request(server.url + path, data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def fill(path, spare):
    """All but `spare` bytes."""
    with open(path, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"\0" * CHUNK)
        except OSError:
            pass
        f.truncate(max(0, f.tell() - spare))


def heartbeat(vendor, root, version):
    signed = {"_type": "heartbeat", "spec_version": "1.0", "version": version, "product": PRODUCT,
              "issued": "2026-01-01T00:00:00Z", "root": root}
    return json.dumps(document(signed, *vendor.root_keys)).encode()


def try_full(server, vendor, root, folder, version, spare):
    """What a call says with so little space; what it says with space again."""
    ballast = os.path.join(folder, "ballast")
    body = heartbeat(vendor, root, version)
    fill(ballast, spare)
    code, answer = status(server, "/v1/documents", body)
    os.unlink(ballast)
    assert code in (200, 507), (spare, code, answer)
    if code == 507:
        assert answer["error"] == "full", answer
    again, answer = status(server, "/v1/documents", body)
    assert again == 200 and answer["documents"][0]["state"] == "published", (spare, again, answer)
    return code


def inside(folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
    data = os.path.join(folder, "data")
    subprocess.run([REGISTRY, "init", "--data", data, "--admission", "open"], check=True,
                   stdout=subprocess.DEVNULL)
    server = Server(data)
    server.start()
    try:
        vendor = Vendor(server)
        first = vendor.next_root()
        vendor.publish([first])
        vendor.publish([vendor.next_targets(b"first")], b"first")
        root = {"version": 1, "id": doc_id(first["signed"])}
        reader = Poller(os.path.join(data, "public"))
        codes = []
        for n in range(12):
            codes.append(try_full(server, vendor, root, folder, n + 1, n * 6 * CHUNK))
            reader.once()
        assert 507 in codes and 200 in codes, codes
    finally:
        server.kill()
    subprocess.run([REGISTRY, "fsck", "--data", data], check=True, stdout=subprocess.DEVNULL)
    print("ok", codes)


def main():
    if len(sys.argv) > 1:
        return inside(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="bequest-full-") as folder:
        probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", folder]
        if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode != 0:
            print("skipped: no mount namespace can be made here")
            return 0
        return subprocess.run(["unshare", "-rm", sys.executable, __file__, folder]).returncode


if __name__ == "__main__":
    sys.exit(main())
