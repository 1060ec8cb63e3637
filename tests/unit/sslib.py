#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What Debian's securesystemslib (the library under python-tuf) thinks, for test_sslib.c.

canon   write [[text, canonical form in hex, or null], ...]
sign    write a document signed by keys of three kinds
verify  read {"signed", "signatures", "keys"}; write the ids of the keys whose signature holds
"""
import copy
import json
import random
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib import formats, hash as sslib_hash, keys
from securesystemslib.exceptions import FormatError
from securesystemslib.gpg import functions as gpg
from securesystemslib.signer import Key, Signature

EDGES = [
    "{}", "[]", "[1.0]", "[1e2]", "[9007199254740993]", "[9223372036854775807]", '["\\ud800"]',
    '["\\u0001\\n\\t\\u007f\\\\\\"\\/"]', '{"\\ufb01":1,"\\ud83d\\ude00":2}', "[-0]",
    '{"ab":1,"a":2,"":3,"B":4}', '{"10":1,"9":2}', '["e\\u0301\\u00e9"]', "[true,false,null]",
    '[[],{},[[]],[{}]]', "[01]", "[NaN]", "[] x", '{"a":{"b":{"c":"-----BEGIN\\nx\\n"}}}',
]
ALPHABET = 'ab\u00e9\u4e2d\ufb01\U0001f600"\\/\n\t\x01\x1f\x7f{}[]:, 09'


def canonical(text):
    """The bytes that would be signed, or None."""
    try:
        return formats.encode_canonical(json.loads(text)).encode()
    except (ValueError, FormatError, UnicodeEncodeError):
        return None


def random_value(rng, depth):
    kind = rng.randrange(6 if depth else 4)
    if kind == 0:
        return rng.randint(-2**63, 2**63 - 1)
    if kind == 1:
        return rng.choice([True, False, None])
    if kind in (2, 3):
        return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(12)))
    if kind == 4:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(5))]
    return {"".join(rng.choice(ALPHABET) for _ in range(rng.randrange(4))):
            random_value(rng, depth - 1) for _ in range(rng.randrange(6))}


def canon():
    rng = random.Random(1)
    texts = EDGES + [json.dumps([random_value(rng, 4)], ensure_ascii=bool(i % 2))
                     for i in range(300)]
    rows = [[text, canonical(text)] for text in texts]
    return [[text, form.hex() if form is not None else None] for text, form in rows]


def key_id(public):
    digest = sslib_hash.digest("sha256")
    digest.update(formats.encode_canonical(public).encode())
    return digest.hexdigest()


def sign():
    ed25519 = Ed25519PrivateKey.generate()
    raw = ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    public = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": raw}}
    listed = {key_id(public): public}
    others = [keys.generate_ecdsa_key(), keys.generate_rsa_key(3072)]
    for key in others:
        public = {"keytype": key["keytype"], "scheme": key["scheme"],
                  "keyval": {"public": key["keyval"]["public"]}}
        key["keyid"] = key_id(public)  # theirs has fields in it that TUF's has not
        listed[key["keyid"]] = public
    signed = {"_type": "root", "spec_version": "1.0.31", "version": 1, "keys": listed,
              "text": ALPHABET}
    data = formats.encode_canonical(signed).encode()
    signatures = [keys.create_signature(key, data) for key in others]
    signatures.append({"keyid": next(iter(listed)), "sig": ed25519.sign(data).hex()})
    return {"signed": signed, "signatures": signatures}


def holds(keyid, key, signature, data):
    """Key by key, as python-tuf does; pgp+ keys by the module that its GPG keys rest on."""
    if key["scheme"].startswith("pgp+"):
        method = key["scheme"]
        info = {"method": method, "type": key["keytype"], "keyid": keyid, "hashes": ["pgp+SHA2"],
                "keyval": key["keyval"]}
        packet = {"keyid": keyid, "signature": signature["sig"],
                  "other_headers": signature["other_headers"]}
        return gpg.verify_signature(packet, info, data)
    try:
        Key.from_dict(keyid, copy.deepcopy(key)).verify_signature(
            Signature.from_dict(dict(signature)), data)
        return key_id(key) == keyid
    except Exception:  # pylint: disable=broad-except
        return False


def verify():
    document = json.load(sys.stdin)
    data = formats.encode_canonical(document["signed"]).encode()
    good = []
    for signature in document["signatures"]:
        keyid = signature["keyid"]
        key = document["keys"][keyid]
        if holds(keyid, key, signature, data) and not holds(keyid, key, signature, data + b" "):
            good.append(keyid)
    return good


print(json.dumps({"canon": canon, "sign": sign, "verify": verify}[sys.argv[1]]()))
