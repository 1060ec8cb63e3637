# SPDX-License-Identifier: Apache-2.0
"""POST /v1/documents: what no registry may take, and the one reason that it gives."""
import copy
import json

from lib_device import Key, canonical, identity, signed, when
from lib_hostile import POLICIES, Maker, Registry, changed, olpc_signed


def bodies(m):
    """Bytes that are no document, or no JSON that everybody reads alike."""
    good = m.by_root(m.statement_body("heartbeat"))
    text = canonical(good)
    beat = m.statement_body("heartbeat")

    def with_text(old, new):
        assert old in text, old
        return text.replace(old, new, 1)

    def body(key, value):
        return m.by_root({**beat, key: value})

    deep = b'{"signatures":[],"signed":' + b'{"a":' * 40 + b"1" + b"}" * 41
    return [
        ("an empty body", 400, "invalid", "body[0]: want a JSON object", b""),
        ("an empty array", 400, "invalid", "body[0]: want a JSON object", b"[]"),
        ("a body that is cut off", 400, "invalid", "body[0]: want a JSON object", text[:-1]),
        ("something behind the document", 400, "invalid",
         "body: want nothing behind the documents", text + b"x"),
        ("a text", 400, "invalid", "body[0]: want a JSON object", b'"document"'),
        ("two documents without an array", 400, "invalid",
         "body: want nothing behind the documents", text + text),
        ("an array with a hole", 400, "invalid",
         "body[1]: want a JSON object", b"[" + text + b",]"),
        ("an array of an array", 400, "invalid",
         "body[0]: want a JSON object", b"[[" + text + b"]]"),
        ("more documents than fit", 400, "invalid",
         "body: want at most 64 documents", b"[" + b",".join([text] * 300) + b"]"),
        ("one document twice", 400, "invalid",
         "heartbeat 1: is in the array twice", b"[" + text + b"," + text + b"]"),
        ("nesting deeper than 32", 400, "invalid",
         "document 0: signed.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: "
         "nested too deeply", deep),
        ("nesting that would end the stack", 400, "invalid",
         "document 0: so many small values that they take 64000307 bytes of memory, want at most "
         "24016528",
         b'{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}"),
        ("a member twice", 400, "invalid",
         "document 0: line 1: duplicate object key near '\"version\"'",
         with_text(b'"version":1', b'"version":1,"version":2')),
        ("a member twice, once in escapes", 400, "invalid",
         "document 0: line 1: duplicate object key near '\"version\"'",
         with_text(b'"spec_version"', b'"\\u0076ersion":2,"spec_version"')),
        ("not a number", 400, "invalid",
         "document 0: line 1: invalid token near 'NaN'", with_text(b'"version":1',
         b'"version":NaN')),
        ("infinity", 400, "invalid",
         "document 0: line 1: real number overflow near '1e999'", with_text(b'"version":1',
         b'"version":1e999')),
        ("a fraction", 400, "invalid",
         "document 0: signed.root.version: want an integer, got a number with fraction or "
         "exponent", with_text(b'"version":1', b'"version":1.0')),
        ("an exponent", 400, "invalid",
         "document 0: signed.root.version: want an integer, got a number with fraction or "
         "exponent", with_text(b'"version":1', b'"version":1e0')),
        ("an integer beyond 64 bits", 400, "invalid",
         "document 0: line 1: too big integer near '99999999999999999999'",
         with_text(b'"version":1', b'"version":99999999999999999999')),
        ("an integer that not all read exactly", 400, "invalid",
         "document 0: signed.version: want 1 to 9007199254740991, got 9007199254740992",
         body("version", 2**53)),
        ("a leading zero", 400, "invalid",
         "document 0: line 1: invalid token near '0'", with_text(b'"version":1', b'"version":01')),
        ("bytes that are no UTF-8", 400, "invalid",
         "document 0: line 1: unable to decode byte 0xff near '\"'",
         with_text(b'"product":"', b'"note":"\xff","product":"')),
        ("an overlong form", 400, "invalid",
         "document 0: line 1: unable to decode byte 0xc0 near '\"'",
         with_text(b'"product":"', b'"note":"\xc0\xaf","product":"')),
        ("half a surrogate pair", 400, "invalid",
         "document 0: line 1: invalid Unicode '\\uD800' near '\"\\ud800\"'",
         with_text(b'"product":"', b'"note":"\\ud800","product":"')),
        ("NUL in a text", 400, "invalid", "document 0: line 1: NUL in a string",
         with_text(b'"product":"', b'"note":"a\\u0000b","product":"')),
        ("NUL in a name", 400, "invalid",
         "document 0: line 1: NUL byte in object key not supported near '\"no\\u0000te\"'",
         with_text(b'"product":"', b'"no\\u0000te":1,"product":"')),
        ("a NUL byte", 400, "invalid",
         "document 0: line 1: string or '}' expected near end of file", with_text(b'"product"',
         b'\0"product"')),
        ("a comment", 400, "invalid",
         "document 0: line 1: string or '}' expected near '/'", with_text(b'"product"',
         b'/* */"product"')),
        ("no signed part", 400, "invalid", "document 0: signed: missing", b'{"signatures":[]}'),
        ("no signatures", 400, "invalid",
         "document 0: signatures: missing", canonical({"signed": beat})),
        ("signatures that are no array", 400, "invalid",
         "document 0: signatures: want an array, got an object",
         canonical({"signed": beat, "signatures": {}})),
        ("a signature that is no object", 400, "invalid",
         "document 0: signatures[0].keyid: want a string",
         canonical({"signed": beat, "signatures": [1]})),
        ("one key id twice", 400, "invalid", "document 0: signatures[1].keyid: repeated",
         canonical({"signed": beat, "signatures": good["signatures"][:1] * 2})),
        ("more signatures than 128", 400, "invalid",
         "document 0: signatures: want 0 to 128 elements, got 129",
         canonical({"signed": beat, "signatures": [{"keyid": f"{i}", "sig": ""}
                                                   for i in range(129)]})),
        ("a type that nobody knows", 400, "invalid",
         "will 1: signed._type: unknown", body("_type", "will")),
        ("a type that is no name", 400, "invalid",
         "document 0: signed._type: want lower-case letters, digits, '-' and '_'", body("_type",
         "../root")),
        ("a type that is a number", 400, "invalid",
         "document 0: signed._type: want a string, got an integer", body("_type", 7)),
        ("a later specification", 400, "invalid",
         'document 0: signed.spec_version: want 1.x.y, got "2.0"', body("spec_version", "2.0")),
        ("version 0", 400, "invalid",
         "document 0: signed.version: want 1 to 9007199254740991, got 0", body("version", 0)),
        ("a negative version", 400, "invalid",
         "document 0: signed.version: want 1 to 9007199254740991, got -1", body("version", -1)),
        ("a version in quotes", 400, "invalid",
         "document 0: signed.version: want an integer, got a string", body("version", "1")),
        ("a day that does not exist", 400, "invalid",
         'heartbeat 1: signed.issued: want a time such as 2030-01-31T00:00:00Z, got '
         '"2026-02-30T00:00:00Z"',
         body("issued", "2026-02-30T00:00:00Z")),
        ("a time in another form", 400, "invalid",
         'heartbeat 1: signed.issued: want a time such as 2030-01-31T00:00:00Z, got '
         '"2026-02-01 00:00:00"',
         body("issued", "2026-02-01 00:00:00")),
        ("a statement of next week", 400, "invalid",
         "heartbeat 1: signed.issued: lies in the future", body("issued", when(7))),
        ("a root that is named by number", 400, "invalid",
         "heartbeat 1: signed.root: want an object, got an integer", body("root", 1)),
        ("no product", 400, "invalid",
         "heartbeat 1: signed.product: want a product id", m.by_root(changed(beat, "product",
         drop=True))),
        ("a statement too large", 400, "invalid",
         "heartbeat 1: want at most 524288 bytes", body("note", "x" * 600_000)),
        ("a document larger than any", 400, "invalid",
         "document 0: want at most 5242880 bytes", body("note", "x" * 6_000_000)),
        ("what only the registry makes", 409, "denied",
         "timestamp 1: is made by the registry itself",
         signed({**beat, "_type": "timestamp"}, m.keys)),
        ("what only the registry signs", 409, "denied",
         "registry 1: is made by the registry itself",
         m.by_root(m.statement_body("registry", logs=[], online={}))),
    ]


def strangers(m, other):
    """Signatures that are missing, or of others, or of something else."""
    eve = Key()
    beat = m.statement_body("heartbeat", 2)
    good, theirs = m.by_root(beat), identity(other.first)[:12]
    root = identity(m.first)[:12]
    foreign = m.by_root({**beat, "x": 1})

    def of(doc, **signature):
        return {**doc, "signatures": [{**doc["signatures"][0], **signature}, doc["signatures"][1]]}

    return [
        ("unsigned", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role", signed(beat, [])),
        ("signed by a stranger", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role", signed(beat, [eve])),
        ("signed by a stranger under a trusted key id", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role",
         {"signed": beat, "signatures": [
             {"keyid": m.keys[0].id, "sig": eve.sign(canonical(beat)).hex()}]}),
        ("signatures over other bytes", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role",
         {"signed": beat, "signatures": foreign["signatures"]}),
        ("a signature that is no hex", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role",
         {"signed": beat, "signatures": [{"keyid": m.keys[0].id, "sig": "zz"}]}),
        ("an empty signature", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role",
         {"signed": beat, "signatures": [{"keyid": m.keys[0].id, "sig": ""}]}),
        ("a signature that is a number", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role",
         {"signed": beat, "signatures": [{"keyid": m.keys[0].id, "sig": 1}]}),
        ("one key under two ids", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role",
         {"signed": beat, "signatures": [{"keyid": "a" * 64, "sig": good["signatures"][0]["sig"]},
                                         {"keyid": "b" * 64,
                                          "sig": good["signatures"][0]["sig"]}]}),
        ("signed by the keys of another role", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role",
         signed(beat, [m.targets_key])),
        ("signed by another product's publisher", 403, "untrusted",
         "heartbeat 2: 0 of 2 signatures of the current root role", other.by_root(beat)),
        ("an unregistered product", 404, "not-found", "heartbeat 2: nobody.z3: no such product",
         m.by_root({**beat, "product": "nobody.z3"})),
        ("two products in one array", 400, "invalid",
         "heartbeat 1: signed.product: want acme.x1, as in document 0",
         [good, other.by_root(other.statement_body("heartbeat"))]),
        ("a root that was never this product's", 409, "denied",
         f"heartbeat 2: signed.root: want the current root 1 ({root}), got 1 (111111111111)",
         m.by_root(changed(beat, "root", "id", to="1" * 64))),
        ("another product's root", 409, "denied",
         f"heartbeat 2: signed.root: want the current root 1 ({root}), got 1 ({theirs})",
         m.by_root({**beat, "root": other.statement_body("heartbeat")["root"]})),
    ]


def products(m):
    """Rules of product ids: they become names of folders and of links."""
    def root(product):
        body = {**m.root_body(), "product": product}
        return signed(body, m.keys)

    want = "root 1: signed.product: want a product id"
    return [(f"product id {str(p)[:20]!r}", 400, "invalid", want, root(p)) for p in (
        "", ".", "..", "../x", "a/b", "/a", "a\\b", "Acme.x1", "-a", ".a", "a b", "a\nb", "a%2fb",
        "\u00e4", "a_b", "a" * 64, 7, None, ["a"], {"a": 1})]


def versions(m):
    """What was said before is neither said again in other words, nor taken back."""
    return [
        ("the same version with other content", 409, "exists",
         "heartbeat 2: another document has this version",
         m.by_root(m.statement_body("heartbeat", 2, note="other"))),
        ("an older version", 409, "denied", "heartbeat 1: signed.version: want more than 2, got 1",
         m.by_root(m.statement_body("heartbeat", 1, note="older"))),
        ("the first root in other words", 409, "exists",
         "root 1: another document has this version",
         m.by_root(m.root_body(note="other"))),
        ("the same targets version, another image", 409, "exists",
         "targets 1: another document has this version",
         signed(m.targets_body(1, b"image 2"), [m.targets_key])),
        ("a gap in the targets", 400, "invalid", "targets 3: signed.version: want 2, got 3",
         signed(m.targets_body(3, b"image 2"), [m.targets_key])),
    ]


def targets(m):
    """A second version of the targets; only the first line of a reason is checked beyond form."""
    good = m.targets_body(2, b"image 2")
    (entry,) = good["targets"].values()

    def at(path):
        return olpc_signed({**good, "targets": {path: entry}}, [m.targets_key])

    def field(*path, to=None, drop=False):
        body = changed(good, *("targets", "image.bin", *path), to=to, drop=drop)
        return signed(body, [m.targets_key])

    def shown(path):
        return "".join(c if " " <= c <= "~" else "?" for c in path[:80])

    paths = [("that goes up", "../image.bin"), ("that goes up inside", "a/../../image.bin"),
             ("that is absolute", "/etc/passwd"), ("with a backslash", "a\\image.bin"),
             ("with a control character", "a\x1b[2J.bin"), ("with a newline", "a\nb"),
             ("that is empty", ""), ("with an empty part", "a//b"), ("that is a dot", "."),
             ("below a target file", f"{'ab' * 32}.a/b"), ("that ends in a slash", "a/"),
             ("that is too long", "a" * 2000)]
    return [(f"a path {rule}", 400, "invalid",
             f'targets 2: signed.targets: "{shown(path)}": not a path', at(path))
            for rule, path in paths] + [
        ("signed by the root, not by the role", 403, "untrusted",
         "targets 2: 0 of 1 signatures of the targets role, or of one that it delegates to",
         m.by_root(good)),
        ("expired before it came", 400, "invalid", "targets 2: signed.expires: lies in the past",
         signed({**good, "expires": when(-1)}, [m.targets_key])),
        ("no map of targets", 400, "invalid",
         "targets 2: signed.targets: want an object, got an array",
         signed({**good, "targets": []}, [m.targets_key])),
        ("no length", 400, "invalid",
         'targets 2: signed.targets["image.bin"].length: missing', field("length", drop=True)),
        ("a negative length", 400, "invalid",
         'targets 2: signed.targets["image.bin"].length: want 0 to 9007199254740991, got -1',
         field("length", to=-1)),
        ("a length beyond any disk", 400, "invalid",
         'targets 2: signed.targets["image.bin"].length: want 0 to 1099511627776, got '
         '4503599627370496', field("length", to=2**52)),
        ("no digest", 400, "invalid",
         'targets 2: signed.targets["image.bin"].hashes: want 1 to 4096 members, got 0',
         field("hashes", to={})),
        ("a digest that is short", 400, "invalid",
         'targets 2: signed.targets["image.bin"].hashes.sha256: want 64 lower-case hex digits, '
         'got "ab"', field("hashes", "sha256", to="ab")),
        ("a digest in capitals", 400, "invalid",
         'targets 2: signed.targets["image.bin"].hashes.sha256: want 64 lower-case hex digits, '
         'got "ABABABABABABABABABABABABABABABABABABABAB"', field("hashes", "sha256", to="AB" * 32)),
        ("a digest that is a path", 400, "invalid",
         'targets 2: signed.targets["image.bin"].hashes.sha256: want 64 lower-case hex digits, '
         'got "../../../../../../../../../../../../../."',
         field("hashes", "sha256", to="../" * 21 + "x")),
        ("a known digest with another length", 400, "invalid",
         'targets 2: signed.targets["image.bin"]: want 7 bytes, as bdd295acb985 has, got 8',
         signed(changed(m.targets_body(2, b"image 1"), "targets", "image.bin", "length", to=8),
                [m.targets_key])),
        ("a delegation to nobody", 409, "denied",
         "targets: delegates to beta, which has no metadata: post its first version in the "
         "same array",
         signed({**good, "delegations": {"keys": {m.keys[0].id: m.keys[0].object}, "roles": [
             {"name": "beta", "keyids": [m.keys[0].id], "threshold": 1, "terminating": False,
              "paths": ["*"]}]}}, [m.targets_key])),
        ("a delegation that is a path", 400, "invalid",
         "targets: signed.delegations: ../root: not a role name",
         signed({**good, "delegations": {"keys": {m.keys[0].id: m.keys[0].object}, "roles": [
             {"name": "../root", "keyids": [m.keys[0].id], "threshold": 1, "terminating": False,
              "paths": ["*"]}]}}, [m.targets_key])),
        ("a lower image version", 409, "denied",
         "targets 2: image.bin: policy publish/basic: needs \"its version is not lower "
         "than the published one\" to be yes",
         field("custom", "bequest", "version", to="0.9")),
        ("another product's hardware", 409, "denied",
         "targets 2: image.bin: policy publish/basic: needs \"it names hardware, all of "
         "it the product's own\" to be yes",
         field("custom", "bequest", "hardware", to=["other,y2"])),
    ]


def roots(m):
    """The next root of the same publisher; each wrong in one way."""
    keys = m.keys
    body = m.root_body(2)

    def by(doc, who=keys):
        return signed(doc, who)

    new = [Key() for _ in range(3)]
    online = m.ask_online("eve")
    return [
        ("a version is skipped", 400, "invalid",
         "root 3: signed.version: want 2, got 3", by(m.root_body(3))),
        ("signed by the new keys alone", 403, "untrusted",
         "root 2: 0 of 2 signatures of the current root role",
         by(m.root_body(2, keys=new), new)),
        ("signed by the old keys alone", 409, "denied",
         "root 2: changes the publisher (fewer old root keys remain than the old threshold; "
         "new root keys can make up a threshold alone): only the bridge of an accepted, "
         "released deposit may",
         by(m.root_body(2, keys=new))),
        ("other keys, same name", 409, "denied",
         "root 2: changes the publisher (fewer old root keys remain than the old threshold; "
         "new root keys can make up a threshold alone): only the bridge of an accepted, "
         "released deposit may",
         by(m.root_body(2, keys=new), keys + new)),
        ("another publisher by name", 409, "denied",
         "root 2: changes the publisher (the publisher's id or kind is another): only the "
         "bridge of an accepted, released deposit may",
         by(m.root_body(2, publisher="eve", online=online))),
        ("another kind of publisher", 409, "denied",
         "root 2: changes the publisher (the publisher's id or kind is another): only the "
         "bridge of an accepted, released deposit may", by(m.root_body(2, kind="stewards"))),
        ("a lower threshold", 409, "denied",
         "root 2: changes the publisher (the root threshold falls): only the bridge of an "
         "accepted, released deposit may",
         by(changed(body, "roles", "root", "threshold", to=1))),
        ("the log is dropped", 409, "denied",
         "root 2: changes the publisher (logs or witnesses are dropped or outvoted): only the "
         "bridge of an accepted, released deposit may", by(m.root_body(2, logs=[]))),
        ("a bridge of no deposit", 409, "denied",
         "root 2: changes the publisher (the publisher's id or kind is another; fewer old root "
         "keys remain than the old threshold; new root keys can make up a threshold "
         "alone): only the bridge of an accepted, released deposit may",
         by(m.root_body(2, keys=new, publisher="eve", kind="stewards", bridge=True), keys + new)),
        ("a bridge that changes nothing", 400, "invalid",
         "root 2: signed.x-bequest.bridge: a bridge changes the publisher",
         by(m.root_body(2, bridge=True))),
        ("no publisher", 400, "invalid", "root 2: signed.x-bequest.publisher: missing",
         by(changed(body, "x-bequest", "publisher", drop=True))),
        ("no threshold", 400, "invalid",
         "root 2: signed.roles.root.threshold: missing",
         by(changed(body, "roles", "root", "threshold", drop=True))),
        ("a threshold of none", 400, "invalid",
         "root 2: signed.roles.root.threshold: want 1 to 2147483647, got 0",
         by(changed(body, "roles", "root", "threshold", to=0))),
        ("a threshold beyond the keys", 400, "invalid",
         "root 2: signed.roles.root.threshold: want 1 to 3, got 4",
         by(changed(body, "roles", "root", "threshold", to=4))),
        ("a key that is not listed", 400, "invalid",
         "root 2: signed.roles.root.keyids[2]: is not in signed.keys",
         by(changed(body, "roles", "root", "keyids", to=[k.id for k in keys[:2]] + ["f" * 64]))),
        ("no role for the timestamp", 400, "invalid",
         "root 2: signed.roles.timestamp: want an object, got nothing",
         by(changed(body, "roles", "timestamp", drop=True))),
        ("the publisher's own key for the timestamp", 400, "invalid",
         "root 2: signed.roles.timestamp: lists no key of this registry for publisher vendor; "
         "ask POST /v1/products/acme.x1/online-keys",
         by(changed(body, "roles", "timestamp", "keyids", to=[keys[0].id]))),
        ("inconsistent snapshots", 400, "invalid", "root 2: signed.consistent_snapshot: want true",
         by(changed(body, "consistent_snapshot", to=False))),
        ("a log key that is none", 400, "invalid",
         "root 2: signed.x-bequest.logs[0].vkey: verifier key: want name+id+key",
         by(changed(body, "x-bequest", "logs", 0, "vkey", to="x"))),
        ("targets of the old role are no longer signed", 409, "denied",
         "targets 1: not signed as root 2 asks: post new targets in the same array",
         by(changed(body, "roles", "targets", "keyids", to=[keys[0].id]))),
    ]


def deposits(m, bridge):
    """A first manifest, wrong in one field after the other."""
    good, root = m.deposit_body(bridge), identity(m.first)[:12]

    def field(*path, to=None, drop=False):
        return m.by_root(changed(good, *path, to=to, drop=drop))

    seat, file = ("trustees", "seats", 0), ("files", 0)
    return [
        ("no follows_root", 400, "invalid",
         "deposit 1: signed.follows_root: missing", field("follows_root", drop=True)),
        ("it follows another root than the one it is signed under", 400, "invalid",
         "deposit 1: signed.follows_root: want the root in signed.root",
         field("follows_root", "id", to="1" * 64)),
        ("it follows a root that is not in force", 409, "denied",
         f"deposit 1: signed.root: want the current root 1 ({root}), got 2 (111111111111)",
         m.by_root({**good, "root": {"version": 2, "id": "1" * 64},
                    "follows_root": {"version": 2, "id": "1" * 64}})),
        ("a bridge that is no id", 400, "invalid",
         'deposit 1: signed.bridge: want 64 lower-case hex digits, got "bridge"',
         field("bridge", to="bridge")),
        ("no end of support", 400, "invalid",
         "deposit 1: signed.support_until: missing", field("support_until", drop=True)),
        ("one trustee decides", 400, "invalid",
         "deposit 1: signed.trustees.threshold: want 2 to 2, got 1",
         field("trustees", "threshold", to=1)),
        ("one trustee vetoes", 400, "invalid",
         "deposit 1: signed.trustees.threshold: want 2 to 2, got 3",
         field("trustees", "threshold", to=3)),
        ("two trustees", 400, "invalid",
         "deposit 1: signed.trustees.seats: want 3 to 64 elements, got 2",
         field("trustees", "seats", to=good["trustees"]["seats"][:2])),
        ("more seats than keys", 400, "invalid",
         "deposit 1: signed.trustees: want as many seats as different keys",
         field("trustees", "seats", to=good["trustees"]["seats"] + [
             {**good["trustees"]["seats"][0], "name": "Dan", "number": 4}])),
        ("one key on two seats", 400, "invalid",
         "deposit 1: signed.trustees.seats[1]: repeats name, key, fingerprint or number of seat "
         "0",
         field("trustees", "seats", 1, "keyid", to=m.trustees[0].id)),
        ("one share number on two seats", 400, "invalid",
         "deposit 1: signed.trustees.seats[1]: repeats name, key, fingerprint or number of seat "
         "0",
         field("trustees", "seats", 1, "number", to=1)),
        ("share number 0", 400, "invalid",
         "deposit 1: signed.trustees.seats[0].number: want 1 to 255, got 0",
         field(*seat, "number", to=0)),
        ("share number 256", 400, "invalid",
         "deposit 1: signed.trustees.seats[0].number: want 1 to 255, got 256",
         field(*seat, "number", to=256)),
        ("a seat of a stranger", 400, "invalid",
         "deposit 1: signed.trustees.seats[0].keyid: is not in signed.trustees.keys",
         field(*seat, "keyid", to=Key().id)),
        ("a fingerprint in capitals", 400, "invalid",
         'deposit 1: signed.trustees.seats[0].encryption_fingerprint: want 40 lower-case hex '
         'digits, got "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"',
         field(*seat, "encryption_fingerprint", to="A" * 40)),
        ("a seat without a share", 400, "invalid",
         "deposit 1: signed.trustees.seats[0].shares.public: want 64 lower-case hex digits",
         field(*seat, "shares", to={})),
        ("drills that are too few", 400, "invalid",
         "deposit 1: signed.trustees.seats[0].drills.public: want 64 digests",
         field(*seat, "drills", to={"public": ["0" * 64]})),
        ("no public compartment", 400, "invalid",
         "deposit 1: signed.compartments.public: want an object, got nothing",
         field("compartments", to={})),
        ("a way out that nobody knows", 400, "invalid",
         'deposit 1: signed.compartments.public.out: want one of public, undertaking, got '
         '"auction"',
         field("compartments", "public", "out", to="auction")),
        ("an undertaking without beneficiary", 400, "invalid",
         'deposit 1: signed.compartments.public.beneficiary: want one exactly for out '
         '"undertaking"',
         field("compartments", "public", "out", to="undertaking")),
        ("an item above the folder", 400, "invalid",
         "deposit 1: signed.items[0].path: want a path below the folder",
         field("items", 0, "path", to="../bridge.root.json")),
        ("an item that is absolute", 400, "invalid",
         "deposit 1: signed.items[0].path: want a path below the folder",
         field("items", 0, "path", to="/bridge.root.json")),
        ("an item twice", 400, "invalid",
         'deposit 1: signed.items[1].path: repeats "handover/bridge.root.json"',
         field("items", to=good["items"] * 2)),
        ("a file above the folder", 400, "invalid",
         "deposit 1: signed.files[0].path: want a path below the folder",
         field(*file, "path", to="../x")),
        ("a file that is absolute", 400, "invalid",
         "deposit 1: signed.files[0].path: want a path below the folder",
         field(*file, "path", to="/etc/x")),
        ("a file with a backslash", 400, "invalid",
         "deposit 1: signed.files: want public/payload.tar.gpg with the digest and size in "
         "compartments", field(*file, "path", to="a\\x")),
        ("a file in the manifest's place", 400, "invalid",
         'deposit 1: signed.files[4].path: "deposit.json" is not for a file',
         field("files", to=good["files"] + [{**good["files"][0], "path": "deposit.json"}])),
        ("a file where opened items go", 400, "invalid",
         'deposit 1: signed.files[0].path: "open/x" is not for a file',
         field(*file, "path", to="open/x")),
        ("an item below an item", 400, "invalid",
         'deposit 1: signed.items: "handover/bridge.root.json/x" lies below a file',
         field("items", to=good["items"] + [{**good["items"][0],
                                             "path": "handover/bridge.root.json/x"}])),
        ("a file below a file", 400, "invalid",
         'deposit 1: signed.files: "public/payload.tar.gpg/x" lies below a file',
         field("files", to=good["files"] + [
             {**good["files"][0], "path": "public/payload.tar.gpg/x"}])),
        ("a file twice", 400, "invalid",
         'deposit 1: signed.files[4].path: repeats "public/payload.tar.gpg"',
         field("files", to=good["files"] * 2)),
        ("a file of negative size", 400, "invalid",
         "deposit 1: signed.files[0].size: want 0 to 9007199254740991, got -1",
         field(*file, "size", to=-1)),
        ("a payload that is not the compartment's", 400, "invalid",
         "deposit 1: signed.files: want public/payload.tar.gpg with the digest and size in "
         "compartments",
         field("compartments", "public", "sha256", to="2" * 64)),
        ("a share that is not among the files", 400, "invalid",
         "deposit 1: signed.files: want "
         "public/shares/0000000000000000000000000000000000000002.gpg",
         field("files", to=good["files"][:3])),
        ("an empty file that is not empty", 400, "invalid",
         "deposit 1: signed.files[1]: want the digest of nothing for 0 bytes, got 56c0d427ee95",
         field("files", 1, "size", to=0)),
        ("a ref outside refs/", 400, "invalid", 'deposit 1: signed.refs: "main" is no ref name',
         field("refs", to={"main": {"commit": "0" * 40}})),
        ("a ref that goes up", 400, "invalid",
         'deposit 1: signed.refs: "refs/../config" is no ref name',
         field("refs", to={"refs/../config": {"commit": "0" * 40}})),
        ("a commit that is none", 400, "invalid",
         'deposit 1: signed.refs.refs/heads/main.commit: want 40 lower-case hex digits, got '
         '"main"',
         field("refs", "refs/heads/main", "commit", to="main")),
        ("a release policy of unknown rules", 400, "invalid",
         'deposit 1: signed.release_policy: allow.fact: "moon.full" is no fact',
         field("release_policy", "allow", to={"fact": "moon.full"})),
        ("no release policy", 400, "invalid",
         "deposit 1: signed.release_policy: missing", field("release_policy", drop=True)),
        ("signed by the trustees", 403, "untrusted",
         "deposit 1: 0 of 2 signatures of the current root role", signed(good, m.trustees)),
    ]


def rivals(m, deposit, other_bridge):
    """A second deposit on the same root is no way around the first one."""
    body = {**deposit["signed"], "version": 2}
    late = [Key() for _ in range(3)]
    trustees = copy.deepcopy(body["trustees"])
    for key, seat in zip(late, trustees["seats"]):
        seat["keyid"] = key.id
    trustees["keys"] = {k.id: k.object for k in late}
    more = copy.deepcopy(body["trustees"])
    fourth = Key()
    more["keys"][fourth.id] = fourth.object
    more["seats"].append({**more["seats"][0], "name": "Dan", "keyid": fourth.id, "number": 4,
                          "encryption_fingerprint": f"{9:040x}"})
    files = body["files"] + [{**body["files"][1], "path": f"public/shares/{9:040X}.gpg"}]
    strict = json.loads((POLICIES / "release/strict.json").read_text())
    at = identity(deposit)[:12]
    want = f"differs from deposit {at} on the same root: that takes a new root first"
    return [
        ("another bridge", 409, "denied", f"deposit 2: signed.bridge: {want}",
         m.by_root({**body, "bridge": identity(other_bridge)})),
        ("other trustees", 409, "denied", f"deposit 2: signed.trustees.keys: {want}",
         m.by_root({**body, "trustees": trustees})),
        ("another threshold", 409, "denied",
         f"deposit 2: signed.trustees.threshold: {want}",
         m.by_root({**body, "files": files, "trustees": {**more, "threshold": 3}})),
        ("another release policy", 409, "denied", f"deposit 2: signed.release_policy: {want}",
         m.by_root({**body, "release_policy": strict})),
    ]


def early(m, bridge, other_bridge):
    """Before the end is declared and approved, the bridge leads nowhere."""
    at = identity(m.deposit)
    eol = m.statement_body("eol", date=when(-1), reason="over")
    final = {"root": identity(m.first), "bridge": identity(bridge)}
    vote = m.statement_body("approval", 1, False, deposit=at, bridge=identity(bridge),
                            eol="3" * 64)
    return [
        ("the bridge before the release", 409, "denied",
         f"root 2: is the bridge of deposit {at[:12]}, which is not released: needs \"the "
         "vendor itself released the deposit\" to be yes; or \"a final end of life names this root "
         "and this bridge\" to be yes and \"trustees who approve\" to have 2 more; or \"ground of "
         "the notice\" to be one of silence, insolvency, order and witnessed time: the current root "
         "names no witnesses and \"when", bridge),
        ("a bridge that no deposit names", 409, "denied",
         "root 2: changes the publisher (the publisher's id or kind is another; fewer old root "
         "keys remain than the old threshold; new root keys can make up a threshold alone): "
         "only the bridge of an accepted, released deposit may", other_bridge),
        ("a final end under another root", 400, "invalid",
         "eol 1: signed.final.root: want the id in signed.root",
         m.by_root({**eol, "final": {**final, "root": "1" * 64}})),
        ("a final end with another bridge", 409, "denied",
         "eol 1: signed.final.bridge: no accepted deposit has bridge 111111111111",
         m.by_root({**eol, "final": {**final, "bridge": "1" * 64}})),
        ("a final end without a bridge", 400, "invalid", "eol 1: signed.final.bridge: missing",
         m.by_root({**eol, "final": {"root": final["root"]}})),
        ("an end of life that the trustees declare", 403, "untrusted",
         "eol 1: 0 of 2 signatures of the current root role",
         signed({**eol, "final": final}, m.trustees)),
        ("an end without a date", 400, "invalid",
         "eol 1: signed.date: missing", m.by_root(changed(eol, "date", drop=True))),
        ("a notice of last month", 400, "invalid",
         "notice 1: signed.issued: want one of the last 7 days, for periods are counted from it: "
         "make and sign it anew",
         signed(m.statement_body("notice", 1, False, deposit=at, bridge=identity(bridge),
                                 ground="silence", evidence=[], issued=when(-30)),
                m.trustees[:1])),
        ("approval of an end that is not declared", 404, "not-found",
         "approval 1: names no notice or eol of acme.x1: 333333333333",
         signed(vote, m.trustees[:1])),
        ("a notice without ground", 400, "invalid", "notice 1: signed.ground: missing",
         signed(m.statement_body("notice", 1, False, deposit=at, bridge=identity(bridge),
                                 evidence=[]), m.trustees[:1])),
        ("a notice of a stranger", 403, "untrusted",
         "notice 1: 0 of 1 signatures of the deposit's trustees",
         signed(m.statement_body("notice", 1, False, deposit=at, bridge=identity(bridge),
                                 ground="silence", evidence=[]), [Key()])),
        ("a release by the vendor", 403, "untrusted",
         "release 1: 0 of 1 signatures of this registry's online key",
         m.by_root(m.statement_body("release", deposit=at, items=[], shares=[], approvals=[]))),
        ("a succession without a handover", 403, "untrusted",
         "succession 1: 0 of 2 signatures of the current root role",
         signed(m.statement_body("succession", **{"from": identity(m.first)}, to="4" * 64),
                m.trustees)),
    ]


def votes(m, eol, bridge, other):
    """Approvals that do not count for this deposit, this end, this bridge."""
    at, named = identity(m.deposit), identity(bridge)[:12]

    def vote(keys=(m.trustees[0],), **fields):
        body = m.statement_body("approval", 1, False, eol=identity(eol), deposit=at,
                                bridge=identity(bridge))
        return signed({**body, **fields}, keys)

    both = m.statement_body("approval", 1, False, eol=identity(eol), notice="5" * 64, deposit=at,
                            bridge=identity(bridge))
    neither = m.statement_body("approval", 1, False, deposit=at, bridge=identity(bridge))
    return [
        ("approval by a stranger", 403, "untrusted",
         "approval 1: 0 of 1 signatures of the deposit's trustees", vote([Key()])),
        ("approval by the vendor", 403, "untrusted",
         "approval 1: 0 of 1 signatures of the deposit's trustees", vote(m.keys)),
        ("approval by another product's trustee", 403, "untrusted",
         "approval 1: 0 of 1 signatures of the deposit's trustees", vote(other.trustees)),
        ("two trustees in one approval", 400, "invalid",
         "approval 1: signatures: want one of the deposit's trustees", vote(m.trustees[:2])),
        ("approval of another deposit", 404, "not-found",
         "approval 1: signed.deposit: no deposit 666666666666 of acme.x1 here",
         vote(deposit="6" * 64)),
        ("approval of another bridge", 400, "invalid",
         f"approval 1: signed.bridge: want {named}, the deposit's", vote(bridge="6" * 64)),
        ("approval of another end", 404, "not-found",
         "approval 1: names no notice or eol of acme.x1: 666666666666", vote(eol="6" * 64)),
        ("approval of what is no end", 404, "not-found",
         f"approval 1: names no notice or eol of acme.x1: {at[:12]}", vote(eol=at)),
        ("an approval of last month", 400, "invalid",
         "approval 1: signed.issued: want one of the last 7 days, for periods are counted from it: "
         "make and sign it anew", vote(issued=when(-30))),
        ("approval of an end and a notice", 400, "invalid",
         "approval 1: signed: want one of notice and eol", signed(both, m.trustees[:1])),
        ("approval of nothing", 400, "invalid",
         "approval 1: signed: want one of notice and eol", signed(neither, m.trustees[:1])),
        ("approval for another product", 404, "not-found",
         f"approval 1: signed.deposit: no deposit {at[:12]} of other.y2 here",
         vote(product="other.y2")),
    ]


def at_the_end(m, bridge, after, targets_doc):
    """Released: the bridge, the root after it and its first targets, or nothing."""
    named = identity(bridge)[:12]
    new = [Key() for _ in range(3)]
    return [
        ("the bridge with targets but no root after it", 409, "denied",
         "root 2: is a bridge: the root after it and its first targets belong in the same array",
         [bridge, targets_doc]),
        ("the bridge and its root without targets", 409, "denied",
         "root 3: changes the publisher: its first targets belong in the same array",
         [bridge, after]),
        ("the root after the bridge alone", 400, "invalid",
         "root 3: signed.version: want 2, got 3", after),
        ("a root of the vendor after its end", 409, "denied",
         f"root 2: the product has ended: the next root can only be its bridge {named}",
         m.by_root(m.root_body(2))),
        ("another bridge", 409, "denied",
         "root 2: changes the publisher (the publisher's id or kind is another; fewer old root "
         "keys remain than the old threshold; new root keys can make up a threshold alone): "
         "only the bridge of an accepted, released deposit may",
         signed(m.root_body(2, keys=new, publisher="stewards", kind="stewards", bridge=True),
                m.keys + new)),
        ("targets under the bridge itself", 403, "untrusted",
         "targets 1: 0 of 1 signatures of the targets role, or of one that it delegates to",
         [bridge, signed({**targets_doc["signed"], "note": 1}, [m.targets_key])]),
    ]


def tell(m):
    """The way to a deposit: a bridge to stewards, and a second one that nobody chose."""
    stewards = Maker(m.registry, m.product, "stewards", "stewards")
    throw_away = {"keys": {}, "snapshot": "", "timestamp": ""}
    for role in ("snapshot", "timestamp"):
        key = Key()
        throw_away["keys"][key.id] = key.object
        throw_away[role] = key.id

    def bridge(days):
        body = stewards.root_body(2, online=throw_away, bridge=True)
        return signed({**body, "expires": when(days)}, m.keys[:2] + stewards.keys)

    return stewards, bridge(-1), bridge(-2)


def main():
    with Registry() as r:
        m, other = Maker(r, "acme.x1"), Maker(r, "other.y2")
        m.publish_root()
        other.publish_root()
        m.publish_targets()
        m.ask_online("eve")
        stewards, bridge, rival = tell(m)
        r.refuses(products(m) + bodies(m) + strangers(m, other))
        assert r.post(m.by_root(m.statement_body("heartbeat", 2))) == ["published"]
        r.refuses(versions(m) + targets(m) + roots(m) + deposits(m, bridge))
        m.deposit = m.by_root(m.deposit_body(bridge))
        assert r.post(m.deposit) == ["waiting"]
        for data in m.deposit_files().values():
            r.put(data)
        r.refuses(rivals(m, m.deposit, rival) + early(m, bridge, rival))
        eol = m.by_root(m.statement_body("eol", date=when(-1), reason="over", final={
            "root": identity(m.first), "bridge": identity(bridge)}))
        assert r.post(eol) == ["published"]
        r.refuses(votes(m, eol, bridge, other))
        for i in (0, 1):
            vote = m.statement_body("approval", i + 1, False, eol=identity(eol),
                                    deposit=identity(m.deposit), bridge=identity(bridge))
            assert r.post(signed(vote, [m.trustees[i]])) == ["published"]
        after = signed(stewards.root_body(3), stewards.keys)
        first = signed({**stewards.targets_body(), "targets": {}}, [stewards.targets_key])
        r.refuses(at_the_end(m, bridge, after, first))
        assert r.post(bridge, after, first) == ["published"] * 3


main()
