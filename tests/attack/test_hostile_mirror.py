# SPDX-License-Identifier: Apache-2.0
"""A device against a mirror that lies: the exact reason, and nothing on the device moves.

The update cases begin with a device that has the vendor's metadata and is offered a version more;
the handover cases with one that follows by itself (policy auto) whatever is released. What a case
tells falsely is signed by the right keys where a thief of just those keys could have done so.
"""
import base64
import copy
import json

from lib_device import Case, Key, Log, canonical, identity, sha256, signed, when

V1, V2 = (bytes([i]) * 100_001 for i in (1, 2))
OTHER = "9" * 64


def moved(device, spare):
    """What an attack must leave alone: trust, slots, the boot loader's variables.

    Of timestamp and snapshot each is kept as soon as it is verified, as TUF wants it.
    """
    paths = [device.dir / "state" / name for name in ("metadata/root.json", "anchor.json")]
    paths += [device.dir / "slot-a.img", device.dir / "boot.env"]
    if not spare:
        paths += [device.dir / "slot-b.img", device.dir / "state/metadata/targets.json"]
    return {p.name: sha256(p.read_bytes()) for p in paths if p.exists()}


def updating(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    product.publish()
    device = case.device(image=V1)
    device.ok("check")
    product.image("1.1.0", V2)
    product.publish()
    return device


def rewrite(case, path, change, publisher=None):
    """Sign a role file again after a change of its body, as who holds its key could."""
    at = case.product.tree / path
    doc = json.loads(at.read_text())
    body = change(copy.deepcopy(doc["signed"])) or doc["signed"]
    key = getattr(publisher or case.product.vendor, body["_type"])
    at.write_bytes(canonical(signed(body, [key])))


def member(name, value):
    def change(body):
        body[name] = value
        return body
    return change


def serve(case, path, data):
    (case.product.tree / path).write_bytes(data)


def endless(handler, _):
    """A body without length and without end, as long as somebody listens."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 65536)
    except OSError:
        handler.close_connection = True
    return False


def updates():
    """(rule, exit status, the last line of stderr, what the mirror does)"""
    t, s, g = "metadata/timestamp.json", "metadata/3.snapshot.json", "metadata/3.targets.json"
    return [
        ("a timestamp of a stranger", 3,
         "timestamp.json: 0 of 1 signatures of its role", lambda c: serve(
            c, t, canonical(signed(json.loads((c.product.tree / t).read_text())["signed"],
                                   [Key()])))),
        ("a timestamp of another product", 3,
         'timestamp.json: signed.product: want "acme.x1", got "other.y2"',
         lambda c: rewrite(c, t, member("product", "other.y2"))),
        ("a timestamp of no product", 3,
         'timestamp.json: signed.product: want "acme.x1", got ""',
         lambda c: rewrite(c, t, member("product", ""))),
        ("a timestamp that is older than the one here", 3,
         "timestamp.json: version 1, was 2 before",
         lambda c: rewrite(c, t, member("version", 1))),
        ("a version far ahead", 3,
         "timestamp.json: version 4294967296 is too far ahead of 2",
         lambda c: rewrite(c, t, member("version", 2**32))),
        ("an expired timestamp", 5,
         "timestamp.json: expired at 2026-01-01T00:00:00Z, and there is nothing newer: the "
         "registry has to renew it",
         lambda c: rewrite(c, t, member("expires", "2026-01-01T00:00:00Z"))),
        ("a timestamp larger than any", 3,
         "URL/p/acme.x1/metadata/timestamp.json: longer than 16384 bytes",
         lambda c: serve(c, t, b" " * 20_000)),
        ("a timestamp without end", 3,
         "URL/p/acme.x1/metadata/timestamp.json: longer than 16384 bytes",
         lambda c: c.server.rules.append((t, endless))),
        ("a root without end", 3,
         "URL/p/acme.x1/metadata/2.root.json: longer than 524288 bytes",
         lambda c: c.server.rules.append(("root", endless))),
        ("a timestamp that is no JSON", 3,
         "timestamp.json: line 1: string or '}' expected near end of file",
         lambda c: serve(c, t, b"{")),
        ("a snapshot in the place of the timestamp", 3,
         'timestamp.json: signed._type: want "timestamp", got "snapshot"',
         lambda c: serve(c, t, (c.product.tree / s).read_bytes())),
        ("a snapshot that the timestamp does not list", 3,
         "3.snapshot.json: 580 bytes long, want 581",
         lambda c: serve(c, s, (c.product.tree / "metadata/2.snapshot.json").read_bytes())),
        ("targets that the snapshot does not list", 3, "3.targets.json: 743 bytes long, want 1072",
         lambda c: serve(c, g, (c.product.tree / "metadata/2.targets.json").read_bytes())),
        ("targets of another hand", 3,
         "3.targets.json: 0 of 1 signatures of its role", lambda c: forge_targets(c, [Key()])),
        ("targets of another product", 3,
         '3.targets.json: signed.product: want "acme.x1", got "other.y2"',
         lambda c: forge_targets(c, [c.product.vendor.targets], product="other.y2")),
        ("no snapshot", 5,
         "3.snapshot.json: the repository does not have it",
         lambda c: (c.product.tree / s).unlink()),
        ("nothing at all", 5,
         "timestamp.json: the repository does not have it",
         lambda c: c.server.rules.append((".", lambda *_: None))),
    ]


def forge_targets(case, keys, **fields):
    """Whoever holds the online keys, and they are stolen, still needs the targets role."""
    product = case.product
    path = product.tree / "metadata/3.targets.json"
    body = {**json.loads(path.read_text())["signed"], **fields}
    path.write_bytes(canonical(signed(body, keys)))
    listed = {"version": 3, "length": len(path.read_bytes()),
              "hashes": {"sha256": sha256(path.read_bytes())}}
    rewrite(case, "metadata/3.snapshot.json", member("meta", {"targets.json": listed}))
    snapshot = (product.tree / "metadata/3.snapshot.json").read_bytes()
    rewrite(case, "metadata/timestamp.json", member("meta", {"snapshot.json": {
        "version": 3, "length": len(snapshot), "hashes": {"sha256": sha256(snapshot)}}}))


def images(case):
    return next((case.product.tree / "targets").glob("*.acme.x1-1.1.0.bin"))


def downloads():
    """The spare slot may hold rubbish; the boot loader never hears of it."""
    def change(data):
        return lambda c: images(c).write_bytes(data)

    return [
        ("an image of other bytes", 3,
         "targets/<image>.acme.x1-1.1.0.bin: want sha256 <image>, got "
         "5108afd0c5e3aa707e391d4fa1e30f110c985660740494df85552d3823be63b5",
         change(b"x" * len(V2))),
        ("an image with one bit changed", 3,
         "targets/<image>.acme.x1-1.1.0.bin: want sha256 <image>, got "
         "09f958bb475336a98c99909e06bac881dbdc4cf31d988d22bfd152896d458b1e",
         change(V2[:-1] + b"\3")),
        ("an image that is short", 3,
         "targets/<image>.acme.x1-1.1.0.bin: want 100001 bytes, got 100000", change(V2[:-1])),
        ("an image that is longer", 3,
         "URL/p/acme.x1/targets/<image>.acme.x1-1.1.0.bin: longer than 100001 bytes",
         change(V2 + b"x")),
        ("an image without end", 3,
         "URL/p/acme.x1/targets/<image>.acme.x1-1.1.0.bin: longer than 100001 bytes",
         lambda c: c.server.rules.append((r"1\.1\.0\.bin", endless))),
        ("no image", 5,
         "targets/<image>.acme.x1-1.1.0.bin: the repository does not have it",
         lambda c: images(c).unlink()),
    ]


# --- handovers -------------------------------------------------------------------------


def releasing(case, twist=None, first=None):
    """A device under root 1, and all of a handover with one document twisted before it is signed.

    `twist`: {kind: function(body, signers) -> (body, signers)}; `first` is called before the bridge
    is published.
    """
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    device = case.device(image=V1, policy="auto")
    device.ok("check")
    plain = product.statement

    def twisted(kind, version, body, signers, root=None):
        if twist and kind in twist:
            return plain_with(product, kind, version, body, signers, root, twist[kind])
        return plain(kind, version, body, signers, root)

    product.statement = twisted
    product.handover(publish=False)
    if first:
        first(case)
    product.publish_handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    return device


def plain_with(product, kind, version, body, signers, root, change):
    full = {"_type": kind, "spec_version": "1.0", "product": product.name, "version": version,
            "issued": when(0)}
    if root:
        full["root"] = {"version": root["signed"]["version"], "id": identity(root)}
    full, signers = change({**full, **body}, list(signers))
    doc = signed(full, signers)
    data = json.dumps(doc, indent=1).encode()
    product.put(f"statements/{identity(doc)}.json", data)
    product.logged(doc, data)
    return doc


def says(*path, to):
    """The right people sign it, but it says something else."""
    def change(body, signers):
        at = body
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = to
        return body, signers
    return change


def by(*keys):
    return lambda body, signers: (body, list(keys) or signers[:1])


def both(*path, to):
    """root and follows_root alike."""
    def change(body, signers):
        body["root"][path[0]] = body["follows_root"][path[0]] = to
        return body, signers
    return change


def twists():
    """Documents of another step, deposit or product, all of them logged: they do not count."""
    return [
        ("a deposit of another root", 3,
         "deposit <deposit>: deposit <deposit>: is not made under root 1",
         {"deposit": both("id", to=OTHER)}),
        ("a deposit of another version", 3,
         "deposit <deposit>: deposit <deposit>: is not made under root 1",
         {"deposit": both("version", to=2)}),
        ("a deposit for another bridge", 3,
         "deposit <deposit>: its bridge is another root than the offered one",
         {"deposit": says("bridge", to=OTHER)}),
        ("a deposit below the threshold", 3,
         "deposit <deposit>: statements/<deposit>.json: 1 of 2 signatures of the current root",
         {"deposit": by()}),
        ("a deposit of a stranger", 3,
         "deposit <deposit>: statements/<deposit>.json: 0 of 2 signatures of the current root",
         {"deposit": by(Key(), Key())}),
        ("a deposit of another product", 3,
         'deposit <deposit>: is of product "other.y2"',
         {"deposit": says("product", to="other.y2")}),
        ("an end of another root", 4, "no", {"eol": says("final", "root", to=OTHER)}),
        ("an end for another bridge", 4, "no", {"eol": says("final", "bridge", to=OTHER)}),
        ("an end below the threshold", 4, "no", {"eol": by()}),
        ("an end of a stranger", 4, "no", {"eol": by(Key(), Key())}),
        ("an end of another product", 3,
         'statements/<eol>.json: is of product "other.y2"',
         {"eol": says("product", to="other.y2")}),
        ("approvals of another deposit", 4, "no", {"approval": says("deposit", to=OTHER)}),
        ("approvals of another bridge", 4, "no", {"approval": says("bridge", to=OTHER)}),
        ("approvals of another end", 4, "no", {"approval": says("eol", to=OTHER)}),
        ("approvals of strangers", 4, "no",
         {"approval": lambda body, _: (body, [Key()])}),
        ("approvals without a signature", 4, "no", {"approval": lambda body, _: (body, [])}),
        ("approvals of another product", 3,
         'statements/<statement>.json: is of product "other.y2"',
         {"approval": says("product", to="other.y2")}),
    ]


def chain_without(n):
    def lie(case):
        path = case.product.tree / "leaves.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:n] + lines[n + 1:]))
    return lie


def shorter_chain(case):
    path = case.product.tree / "leaves.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])


def leaf_with(**fields):
    """A leaf that the log never took."""
    def lie(case):
        path = case.product.tree / "leaves.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        lines[-4]["leaf"].update(fields)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return lie


def proof_of(what, change):
    """Replace the proof of the bridge, the deposit, …"""
    def lie(case):
        path = case.product.tree / "proofs" / f"{identity(what(case.product))}.tlog-proof"
        path.write_bytes(change(case, path.read_bytes()))
    return lie


def flipped(_, data):
    """One bit of the root hash that the log signed."""
    lines = data.split(b"\n")
    at = lines.index(b"") + 3  # origin, size, root
    raw = bytearray(base64.b64decode(lines[at]))
    raw[0] ^= 1
    lines[at] = base64.b64encode(bytes(raw))
    return b"\n".join(lines)


def of_other(case, _):
    return (case.product.tree / "proofs" / f"{identity(case.product.eol)}.tlog-proof").read_bytes()


def of_rogue_log(case, _):
    product = case.product
    rogue = Log("rogue.test/log")
    rogue.hashes = product.log.hashes
    return rogue.proof(dict(product.entries)[identity(product.bridge)])


def root_file(n, change):
    def lie(case):
        product = case.product
        doc = json.loads(product.roots[n - 1])
        product.roots[n - 1] = canonical(change(product, doc))
        serve(case, f"metadata/{n}.root.json", product.roots[n - 1])
        (product.tree / "metadata/root-chain.jsonl").unlink()
    return lie


def second_bridge(case):
    """The people behind the stewards log another root 2 first, and offer this one."""
    product = case.product
    other = product.root(product.stewards, product.vendor.root[:2], bridge=True, expires=-3)
    product.logged(other, canonical(other), "root")


def lies():
    """The documents are right; the mirror, or the log, is not."""
    return [
        ("the chain lacks the end of life", 3,
         "leaves.jsonl: line 5: seq: want 5, got 6", chain_without(4)),
        ("a chain that ends before the bridge", 5,
         "root 3: is not in the log yet", shorter_chain),
        ("the chain lacks its first leaf", 3,
         "leaves.jsonl: line 1: seq: want 1, got 2", chain_without(0)),
        ("a leaf of another product", 3,
         "leaves.jsonl: line 6: a leaf of product other.y2", leaf_with(product="other.y2")),
        ("a leaf with another id", 3,
         "leaves.jsonl: line 7: prev: not the hash of the leaf before", leaf_with(id=OTHER)),
        ("two leaves with one number", 3,
         "leaves.jsonl: line 6: seq: want 6, got 2", leaf_with(seq=2)),
        ("no chain", 5,
         "leaves.jsonl: is not there, so no root can be followed",
         lambda c: (c.product.tree / "leaves.jsonl").unlink()),
        ("a chain that is no JSON", 3,
         "leaves.jsonl: line 1: line 1: string or '}' expected near end of file",
         lambda c: serve(c, "leaves.jsonl", b"{\n")),
        ("a chain without end", 3, "leaves.jsonl: line 1: longer than 4160 bytes",
         lambda c: c.server.rules.append((r"leaves\.jsonl", endless))),
        ("a forged checkpoint", 3,
         "proofs/<bridge>.tlog-proof: log proof: checkpoint: note: signature of log.test/one is "
         "wrong", proof_of(lambda p: p.bridge, flipped)),
        ("the proof of another leaf", 3,
         "proofs/<bridge>.tlog-proof: log proof: inclusion proof: leads to another root",
         proof_of(lambda p: p.bridge, of_other)),
        ("a log that root 1 does not name", 3,
         'proofs/<bridge>.tlog-proof: log "rogue.test/log" is none that root 1 names',
         proof_of(lambda p: p.bridge, of_rogue_log)),
        ("a proof that is no proof", 3,
         "proofs/<bridge>.tlog-proof: log proof: first line: want c2sp.org/tlog-proof@v1",
         proof_of(lambda p: p.bridge, lambda *_: b"yes\n")),
        ("a forged checkpoint of the deposit", 3,
         "proofs/<deposit>.tlog-proof: log proof: checkpoint: note: signature of log.test/one "
         "is wrong", proof_of(lambda p: p.deposit, flipped)),
        ("a bridge without the vendor's signatures", 3,
         "2.root.json: 0 of 2 signatures of the root role of version 1",
         root_file(2, lambda p, d: signed(
            d["signed"], p.stewards.root))),
        ("a bridge with one of the vendor's signatures", 3,
         "2.root.json: 1 of 2 signatures of the root role of version 1",
         root_file(2, lambda p, d: signed(
            d["signed"], p.stewards.root + p.vendor.root[:1]))),
        ("a bridge of another product", 3,
         "root 2: signed.product: want acme.x1, got other.y2", root_file(2, lambda p, d: signed(
            {**d["signed"], "product": "other.y2"}, p.stewards.root + p.vendor.root))),
        ("another root after the bridge", 3,
         "root 3: the log has another one first, <after>...", root_file(3, lambda p, d: signed(
            {**d["signed"], "note": "other"}, p.stewards.root))),
    ]


def names(case):
    """What differs from run to run, and the word for it in a table."""
    p = case.product
    known = [(case.server.url, "URL/"), (sha256(V2), "<image>")]
    for name in ("deposit", "eol", "bridge", "after"):
        if hasattr(p, name):
            known += [(identity(getattr(p, name)), f"<{name}>"),
                      (identity(getattr(p, name))[:16], f"<{name}>")]
    for path in p.tree.glob("statements/*.json"):
        known.append((path.stem, "<statement>"))
    return known


def run(faults, rule, status, message, start, lie, verb):
    case = Case()
    try:
        device = start(case)
        lie(case)
        spare = verb == "update" or "expired" in rule
        before = moved(device, spare)
        done = device.run(verb, "--json", timeout=30)
        answer = json.loads(done.stdout)
        said = answer["handover"]["released"] if done.returncode == 4 else answer["message"]
        for known, name in names(case):
            said = said.replace(known, name)
        if (done.returncode, said) != (status, message):
            faults.append(f"{rule}: want {(status, message)}\n      got {(done.returncode, said)}")
        if moved(device, spare) != before:
            faults.append(f"{rule}: something changed")
        if device.status()["root_version"] != 1 or device.status()["installed"]["slot"] != "A":
            faults.append(f"{rule}: the device moved")
    finally:
        case.close()


def main():
    faults = []
    for rule, status, message, lie in updates():
        run(faults, rule, status, message, updating, lie, "check")
    for rule, status, message, lie in downloads():
        run(faults, rule, status, message, updating, lie, "update")
    for rule, status, message, twist in twists():
        run(faults, rule, status, message, lambda c, t=twist: releasing(c, t), lambda c: None,
            "check")
    for rule, status, message, lie in lies():
        run(faults, rule, status, message, releasing, lie, "check")
    run(faults, "a second root 2", 3, "root 2: is not the first of its version in the log",
        lambda c: releasing(c, first=second_bridge), lambda c: None, "check")
    assert not faults, "\n".join(faults)
    print("ok")


main()
