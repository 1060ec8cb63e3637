# SPDX-License-Identifier: Apache-2.0
"""usage: sslib_repo.py DIR - does securesystemslib agree with the metadata files in DIR?

Each *.json must be signed, over securesystemslib's own canonical form, by a threshold of the keys
that the highest N.root.json there lists for its role, and the key ids must be the ones that it
would have made. Prints one line a file; the status is 1 if anything is wrong.
"""
import hashlib
import json
import pathlib
import sys

from securesystemslib import keys
from securesystemslib.formats import encode_canonical


def load(path):
    return json.loads(path.read_text())


def check(document, root):
    signed = document["signed"]
    role = root["roles"][signed["_type"]]
    data = encode_canonical(signed).encode()
    good = set()
    for signature in document["signatures"]:
        keyid = signature["keyid"]
        if keyid not in role["keyids"]:
            continue
        key = {**root["keys"][keyid], "keyid": keyid}
        if keys.verify_signature(key, signature, data):
            good.add(keyid)
    return len(good), role["threshold"]


def main(folder):
    roots = sorted(folder.glob("*.root.json"), key=lambda p: int(p.name.split(".")[0]))
    root = load(roots[-1])["signed"]
    bad = 0
    for keyid, key in root["keys"].items():
        if hashlib.sha256(encode_canonical(key).encode()).hexdigest() != keyid:
            print(f"{keyid}: not the id of its key")
            bad += 1
    for path in sorted(folder.glob("*.json")):
        have, need = check(load(path), root)
        print(f"{path.name}: {have} of {need}")
        bad += have < need
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
