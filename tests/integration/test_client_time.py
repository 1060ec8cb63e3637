# SPDX-License-Identifier: Apache-2.0
"""What time a device takes it to be, how much of a log it demands to see, and stale metadata."""
import datetime
import json
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import (LONG, Log, Publisher, Server, canonical, identity, preload,  # noqa: E402
                        run_tests, sha256, witnessed)

DAY = 86400
V1, V2, V3 = (bytes([i]) * 100_001 for i in (1, 2, 3))
YEAR_2090 = 3786912000


def _at(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp())


def _witnessed(case, **more):
    return witnessed(case, image=V1, **more)


def _vouched(d):
    return _at(d.status()["time"]["witnessed"])


def _clock(case, d, at):
    """The device's clock says `at` from now on. False: it cannot be set here."""
    library = preload("clock", case.dir)
    if not library:
        return False
    d.env_more = {"LD_PRELOAD": str(library), "CLOCK_AT": str(int(at))}
    return True


# --- witnessed time -------------------------------------------------------------------

def the_threshold_of_witnesses_tells_the_time(case):
    d = _witnessed(case, clock="untrusted")
    assert d.status()["time"]["source"] in ("build", "none")
    before = int(time.time())
    d.ok("check")
    t = d.status()["time"]
    assert t["source"] == "witnesses" and t["now"] == t["witnessed"] and t["age"] is None, t
    assert before - 60 <= _at(t["now"]) <= time.time()
    text = d.ok("status").stdout
    assert "not before" in text and "witnesses of the log" in text, text
    # Nothing of it needs a new root, and it costs one request.
    case.server.requests.clear()
    case.product.log.days = 2
    case.product.show_log()
    d.ok("check")
    assert _vouched(d) >= before + 2 * DAY
    assert [r.rsplit("/", 1)[1] for r in case.server.requests] == \
        ["checkpoint", "2.root.json", "timestamp.json"], case.server.requests


def a_trusted_clock_says_how_old_the_witnesses_word_is(case):
    d = _witnessed(case)
    case.product.log.days = -3
    case.product.show_log()
    d.ok("check")
    t = d.status()["time"]
    assert t["source"] == "clock" and 3 * DAY <= t["age"] < 3 * DAY + 600, t
    assert "3 days before" in d.ok("status").stdout


def one_lying_witness_changes_nothing(case):
    d = _witnessed(case)
    for skew in (40 * 365 * DAY, -40 * 365 * DAY):
        case.product.log.skew = {1: skew}
        case.product.show_log()
        d.ok("check")
        assert abs(_vouched(d) - time.time()) < 600
    # Nor does a stolen key that cosigns alone, however fresh its word.
    case.product.log.skew = {0: None, 2: None, 1: 365 * DAY}
    case.product.show_log()
    d.ok("check")
    assert abs(_vouched(d) - time.time()) < 600


def witnessed_time_never_goes_back(case):
    d = _witnessed(case)
    case.product.log.days = 5
    case.product.show_log()
    d.ok("check")
    high = _vouched(d)
    case.product.log.days = 0
    case.product.show_log()
    d.ok("check")
    assert _vouched(d) == high
    # But for the owner's word.
    d.ok("time", "reset")
    assert d.status()["time"]["witnessed"] is None
    assert "time-reset" in d.ok("history").stdout
    d.ok("check")
    assert abs(_vouched(d) - time.time()) < 600


def a_root_without_witnesses_tells_no_time(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    product.log.witness(3)
    product.show_log()
    d = case.device(image=V1)
    product.publish_root(product.root(product.vendor, product.vendor.root))
    d.ok("check")
    s = d.status()
    assert s["root_version"] == 2 and s["time"]["witnessed"] is None, s


def only_an_accepted_roots_witnesses_count(case):
    """What is only offered, and whoever it names, binds nothing."""
    d = _witnessed(case, policy="never")
    d.ok("check")
    before = d.state()
    product = case.product
    strangers = Log("log.test/two")
    strangers.days = 20 * 365
    product.witnesses = dict(strangers.witness(2))
    product.handover(publish=False)
    product.publish_root(product.bridge)
    product.after = product.root(product.keepers, product.stewards.root[:2])
    proofs = {path: path.read_bytes() for path in (product.tree / "proofs").iterdir()}
    product.publish_root(product.after)
    for path, data in proofs.items():
        path.write_bytes(data)  # as they were when they were logged
    product.log.witnesses, product.log.days = strangers.witnesses, strangers.days
    one, at = product.entries[-1]
    product.put(f"proofs/{one}.tlog-proof", product.log.proof(at))
    waits = d.json("check", status=4)["handover"]
    assert waits["after"] == identity(product.after), waits
    after = d.state()
    assert after["witnessed"] < time.time() + 600
    assert after["logs"][0]["size"] < len(product.log.hashes), "the leaf under the bridge alone"
    assert after["seq"] < product.seq and after["seq"] > before["seq"]


def a_clock_decades_wrong_moves_no_witnessed_time(case):
    product = case.product
    d = _witnessed(case, days={"timestamp_days": 1, "snapshot_days": 7})
    for at in (5, YEAR_2090):
        if not _clock(case, d, at):
            return
        d.ok("check")
        t = d.status()["time"]
        assert t["source"] == "witnesses" and abs(_at(t["now"]) - time.time()) < 600, t
        assert "cannot be right" in d.ok("status").stdout
        assert t["age"] is None
        assert d.state()["witnessed"] < time.time() + 600
    # Expiry goes by what the witnesses say.
    product.log.days = 2
    product.show_log()
    assert "timestamp.json: expired at" in d.expect(5, "check").stderr


def a_device_without_a_clock_knows_when_it_was_built(case):
    product = case.product
    product.image("2.0.0", V2)
    product.publish(targets_days=-365 * 20)
    d = case.device(image=V1, clock="untrusted")
    t = d.status()["time"]
    assert t["source"] in ("build", "none") and t["witnessed"] is None
    if t["source"] == "build":
        assert _at(t["now"]) <= time.time()
        assert "when this program was made" in d.ok("status").stdout
        assert "targets.json: expired at" in d.expect(5, "update").stderr


# --- waiting periods, at the device ---------------------------------------------------

def _rotation(case, seconds, at=None):
    """A rotation that waited so long by the witnesses; and the device, which may have a bad clock."""
    product = case.product
    again = Publisher("vendor", "vendor")
    again.targets, again.timestamp, again.snapshot = (
        product.vendor.targets, product.vendor.timestamp, product.vendor.snapshot)
    d = _witnessed(case, policy="auto")
    d.ok("check")
    if at is not None and not _clock(case, d, at):
        return None
    old = json.loads(product.roots[-1])
    step = product.root(again, product.vendor.root[:2])
    said = product.statement("rotation", 1, {"from": identity(old), "to": identity(step),
                                             "reason": "moved"}, product.vendor.root[:2])
    path = product.tree / "proofs" / f"{identity(said)}.tlog-proof"
    dated = path.read_bytes()
    began = max(_times(dated.decode())[:2])  # the second lowest of three
    ends = began + seconds
    product.log.skew = {i: ends - int(time.time()) for i in range(3)}
    frozen = product.log.checkpoint
    product.log.checkpoint = lambda size=None: _dated(product.log, frozen, size, ends)
    product.publish_root(step)
    path.write_bytes(dated)
    product.show_log()
    return d


def _times(note):
    """The cosignatures' times of a note, rising."""
    import base64
    found = []
    for line in note.splitlines():
        if line.startswith("\u2014 witness."):
            found.append(int.from_bytes(base64.b64decode(line.split()[2])[4:12], "big"))
    return sorted(found)


def _dated(log, checkpoint, size, at):
    """All witnesses sign at exactly one instant."""
    log.skew = {}
    log.days = 0
    real = time.time
    try:
        time.time = lambda: at
        return checkpoint(size)
    finally:
        time.time = real


def a_rotation_waits_to_the_very_second(case):
    d = _rotation(case, 30 * DAY - 1)
    assert d.json("check", status=4)["handover"]["released"] == "no"
    assert d.status()["root_version"] == 1
    assert "29 so far" in d.ok("why").stdout


def a_rotation_is_taken_at_its_second(case):
    d = _rotation(case, 30 * DAY)
    d.ok("check")
    assert d.status()["root_version"] == 2


def no_clock_of_a_device_shortens_or_lengthens_a_wait(case):
    d = _rotation(case, 30 * DAY - 1, YEAR_2090)
    if d:
        d.expect(4, "check")
        assert d.status()["root_version"] == 1


def nor_does_a_clock_of_1970(case):
    d = _rotation(case, 30 * DAY, 5)
    if d:
        d.ok("check")
        assert d.status()["root_version"] == 2


# --- less than was seen ---------------------------------------------------------------

def a_frozen_log_is_refused_by_every_mirror(case):
    product = case.product
    d = _witnessed(case)
    early = case.dir / "early"
    shutil.copytree(case.dir / "tree", early)
    product.publish(**LONG)
    product.show_log()
    d.ok("check")
    seen = d.state()["logs"]
    assert [(one["size"], one["log"].split("+")[0]) for one in seen] == \
        [(len(product.log.hashes), product.log.origin)], seen
    shutil.copytree(product.tree / "metadata", early / "p/acme.x1/metadata", dirs_exist_ok=True)
    other = Server(early)
    conf = d.conf.read_text()
    d.conf.write_text(conf.replace(case.server.url, other.url))
    p = d.expect(3, "check")
    assert "were seen before: it is frozen or was rolled back" in p.stderr, p.stderr
    assert d.state()["logs"] == seen
    # One attempt, where there is another.
    d.conf.write_text(conf.replace("url =", f"url = {other.url}\nurl =", 1))
    d.ok("check")
    other.close()


def a_fork_of_the_same_size_is_refused(case):
    d = _witnessed(case)
    d.ok("check")
    product = case.product
    product.log.hashes[0] = bytes(32)
    product.log.nodes.clear()
    product.show_log()
    p = d.expect(3, "check")
    assert "it has forked" in p.stderr, p.stderr


def a_missing_or_foreign_checkpoint_stops_no_update(case):
    product = case.product
    d = _witnessed(case)
    d.ok("check")
    product.image("2.0.0", V2)
    product.publish(**LONG)
    at = case.dir / "tree/log/checkpoint"
    for bad in (None, b"", b"nonsense\n", at.read_bytes().replace(b"log.test/one", b"log.test/two")):
        if bad is None:
            at.unlink()
        else:
            at.write_bytes(bad)
        assert d.json("check")["update"]["version"] == "2.0.0"
    assert d.state()["logs"][0]["size"] < len(product.log.hashes)


def a_root_step_needs_as_much_of_the_log_as_was_seen(case):
    product = case.product
    d = _witnessed(case)
    product.publish_root(product.root(product.vendor, product.vendor.root))
    proof = product.tree / "proofs" / f"{identity(json.loads(product.roots[1]))}.tlog-proof"
    old = proof.read_bytes()
    leaves = (product.tree / "leaves.jsonl").read_bytes()
    hidden = [product.tree / "metadata" / name for name in ("2.root.json", "root-chain.jsonl")]
    away = [(path, path.read_bytes()) for path in hidden]
    for path in hidden:
        path.unlink()
    for i in range(5):
        product.log.add(b"others %d" % i)
    product.show_log()
    d.ok("check")  # it knows of the log as it is now
    for path, data in away:
        path.write_bytes(data)
    (case.dir / "tree/log/checkpoint").unlink()
    p = d.expect(3, "check")
    assert "were seen before" in p.stderr and "root 2" in p.stderr, p.stderr
    assert d.status()["root_version"] == 1
    # The old proof is as good as ever beside a checkpoint that is not older than was seen.
    product.show_log()
    assert proof.read_bytes() == old and (product.tree / "leaves.jsonl").read_bytes() == leaves
    d.ok("check")
    assert d.status()["root_version"] == 2


def an_endless_log_binds_nobody(case):
    """No number that a log may claim makes the state unreadable."""
    d = _witnessed(case)
    log = case.product.log
    text = f"{log.origin}\n{1 << 60}\n" + "A" * 43 + "=\n"
    import base64
    sig = base64.b64encode(log.key_id + log.key.sign(text.encode())).decode()
    note = f"{text}\n\u2014 {log.origin} {sig}\n"
    for name, key in log.witnesses:
        at = int(time.time())
        raw = log.cosigner(name, key) + at.to_bytes(8, "big") + \
            key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        note += f"\u2014 {name} {base64.b64encode(raw).decode()}\n"
    case.product.put("../../log/checkpoint", note.encode())
    assert "at most 2^53" in d.expect(3, "check").stderr
    assert d.state()["logs"] == []
    case.product.show_log()
    d.ok("check")


# --- memory sticks --------------------------------------------------------------------

def a_stick_tells_the_time_and_brings_the_log(case):
    product = case.product
    d = _witnessed(case, urls=["http://127.0.0.1:9/"], clock="untrusted")
    product.image("2.0.0", V2)
    product.publish(**LONG)
    product.show_log()
    stick = case.dir / "stick"
    shutil.copytree(case.dir / "tree", stick)
    for place in (stick, stick / "p/acme.x1"):
        d.ok("install", "--from", place)
        assert d.slot("B", len(V2)) == V2
        t = d.status()["time"]
        assert t["source"] == "witnesses" and abs(_at(t["now"]) - time.time()) < 600, t
        d.ok("time", "reset")
    assert d.state()["logs"][0]["size"] == len(product.log.hashes)


def a_stick_without_the_log_shows_it_by_its_newest_proof_or_not_at_all(case):
    product = case.product
    d = _witnessed(case)
    d.ok("check")
    product.image("2.0.0", V2)
    product.publish(**LONG)
    part = case.dir / "part"
    shutil.copytree(product.tree, part)
    d.ok("install", "--from", part)
    assert d.slot("B", len(V2)) == V2
    assert d.state()["logs"][0]["size"] == len(product.log.hashes)
    assert abs(_vouched(d) - time.time()) < 600
    # Nothing newer of this product; but others have grown the log since, and the device knows.
    product.log.add(b"others")
    product.show_log()
    d.ok("check")
    p = d.expect(3, "install", "--from", part)
    assert "were seen before" in p.stderr, p.stderr
    for path in (part / "proofs").iterdir():
        path.unlink()
    p = d.expect(3, "install", "--from", part)
    assert "log/checkpoint has to come with the product" in p.stderr, p.stderr
    (part / "leaves.jsonl").unlink()
    p = d.expect(3, "install", "--from", part)
    assert "log/checkpoint has to come with the product" in p.stderr, p.stderr


def a_stick_that_is_older_than_what_was_seen_is_refused(case):
    product = case.product
    product.witnessed(3, 2)
    product.image("1.0.0", V1)
    product.publish(**LONG)
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers, **LONG)
    product.show_log()
    d = case.device(image=V1, policy="auto")
    stick = case.dir / "stick"
    shutil.copytree(case.dir / "tree", stick)
    # Meanwhile the device saw more of the log, by a mirror that hid the handover.
    for path in (product.tree / "metadata").glob("*.root.json"):
        path.unlink()
    held = product.tree / "metadata/held/1"
    for path in held.iterdir():
        shutil.copy(path, product.tree / "metadata" / path.name)
    for i in range(3):
        product.log.add(b"others %d" % i)
    product.show_log()
    d.ok("check")
    for place in (stick, stick / "p/acme.x1"):
        p = d.expect(3, "install", "--from", place)
        assert "were seen before" in p.stderr, p.stderr
    (stick / "log/checkpoint").unlink()
    p = d.expect(3, "install", "--from", stick)
    assert "were seen before" in p.stderr, p.stderr
    assert d.status()["root_version"] == 1 and d.slot("B", 1) == b"\0"
    shutil.copy(case.dir / "tree/log/checkpoint", stick / "log/checkpoint")
    d.ok("install", "--from", stick)
    assert d.status()["root_version"] == 3 and d.slot("B", len(V2)) == V2


# --- years late -------------------------------------------------------------------------

def years_of_leaves_and_roots_fit_a_router(case):
    """20 000 updates, 100 roots and a handover, seen for the first time after years in a drawer."""
    product = case.product
    product.witnessed(2)
    product.image("1.0.0", V1)
    product.publish(**LONG)
    d = case.device(image=V1, policy="auto")
    status, usual = d.peak("check")
    assert status == 0
    real, product.logged = product.logged, lambda *_: None
    for _ in range(100):
        product.publish_root(product.root(product.vendor, product.vendor.root))
    product.logged = real
    _log_roots(product, 2)
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers, **LONG)
    product.show_log()
    size = (product.tree / "leaves.jsonl").stat().st_size
    status, most = d.peak("update")
    assert status == 0 and d.status()["root_version"] == len(product.roots) == 103
    assert d.slot("B", len(V2)) == V2
    print(f"leaves.jsonl {size >> 10} KiB; usual {usual} KiB, after years {most} KiB", flush=True)
    if not os.environ.get("SAN"):
        assert most - usual < 6 * 1024, "the file alone is twice that"


def _log_roots(product, first):
    """Leaves of the roots from `first` on, updates between them, and the proofs that it takes."""
    for i, data in enumerate(product.roots[first - 1:]):
        doc = json.loads(data)
        product.logged_in_bulk("targets", 200, "targets")
        product.seq += 1
        leaf = {"kind": "root", "role": "root", "product": product.name, "id": identity(doc),
                "sha256": sha256(data), "version": first + i, "seq": product.seq,
                "prev": product.prev}
        index = product.log.add(canonical(leaf))
        product.prev = product.log.hashes[index].hex()
        product.leaves.append(canonical({"index": index, "leaf": leaf}).decode())
        product.entries.append((identity(doc), index))
    for one, at in product.entries[1:]:
        product.put(f"proofs/{one}.tlog-proof", product.log.proof(at))


# --- stale ------------------------------------------------------------------------------

def stale_metadata_is_told_plainly_and_asks_the_owner(case):
    product = case.product
    product.image("1.0.0", V1)
    product.image("2.0.0", V2)
    product.publish(targets_days=-2)
    d = case.device(image=V1)
    for policy in ("ask", "auto", "never"):
        d.conf.write_text(d.conf.read_text().replace("policy = ask", f"policy = {policy}"))
        p = d.expect(5, "update")
        assert "targets.json: expired at" in p.stderr and "nothing newer" in p.stderr, p.stderr
        s = d.status()
        assert s["stale"].startswith("targets.json: expired at"), s
        assert s["waiting"]["kind"] == "update" and "--yes" in s["waiting"]["reason"], s
        for verb in ("status", "why"):
            assert "targets.json: expired at" in d.ok(verb).stdout
        assert d.json("why")["stale"] == s["stale"]
        d.conf.write_text(d.conf.read_text().replace(f"policy = {policy}", "policy = ask"))
    assert d.slot("B", 1) == b"\0"
    d.ok("update", "--yes")
    assert d.slot("B", len(V2)) == V2
    product.publish()
    d.ok("check")
    assert d.status()["stale"] is None


def never_asks_nobody_about_stale_metadata(case):
    case.product.image("2.0.0", V2)
    case.product.publish(targets_days=-2)
    d = case.device(image=V1, policy="never")
    assert d.run("update", "--yes").returncode in (4, 5)
    assert d.slot("B", 1) == b"\0"


def a_policy_of_the_owner_may_allow_days(case):
    case.product.image("2.0.0", V2)
    case.product.publish(targets_days=-3)
    d = case.device(image=V1, policy="mine.json")
    for days, status in ((3, 5), (4, 0)):
        (d.dir / "mine.json").write_text(json.dumps({"policy": "mine", "version": 1, "allow": {
            "all": [{"fact": "action", "==": "install"},
                    {"fact": "metadata.stale_days", "<=": days}]}}))
        d.expect(status, "update")
    assert d.slot("B", len(V2)) == V2


def a_mirror_with_fresher_metadata_comes_first(case):
    product = case.product
    product.image("2.0.0", V2)
    product.publish(timestamp_days=-2)
    old = case.dir / "old"
    shutil.copytree(case.dir / "tree", old)
    product.image("3.0.0", V3)
    product.publish()
    frozen = Server(old)
    d = case.device(image=V1, urls=[frozen.url, case.server.url])
    d.ok("update", "--yes")
    assert d.slot("B", len(V3)) == V3
    assert d.status()["stale"] is None
    frozen.close()


def of_stale_mirrors_the_freshest_is_taken(case):
    product = case.product
    product.image("2.0.0", V2)
    product.publish(timestamp_days=-2)
    other = case.dir / "other"
    shutil.copytree(case.dir / "tree", other)
    product.image("3.0.0", V3)
    product.publish(timestamp_days=-1)
    second = Server(other)
    for i, urls in enumerate(([case.server.url, second.url], [second.url, case.server.url])):
        d = case.device(image=V1, urls=urls)
        d.ok("update", "--yes")
        assert d.slot("B", len(V3)) == V3, i
    second.close()


def stale_metadata_leads_to_higher_versions_only(case):
    product = case.product
    product.image("1.0.0", V1)
    product.image("1.5.0", V2, recall=True)
    product.publish(targets_days=-2)
    d = case.device(image=V2, installed="")
    d.expect(5, "update", "--yes")
    assert d.slot("B", 1) == b"\0"
    product.publish()
    d.ok("update")
    assert d.slot("B", len(V1)) == V1, "fresh, it may be left downwards"


def a_handover_does_not_wait_for_what_is_behind_it(case):
    """Nobody renews the old publisher's metadata, nor its root."""
    product = case.product
    product.roots, product.leaves, product.seq, product.prev = [], [], 0, "0" * 64
    product.publish_root(product.root(product.vendor, [], expires=-30))
    product.image("1.0.0", V1)
    product.publish(targets_days=-20, timestamp_days=-29, snapshot_days=-22)
    d = case.device(image=V1, policy="auto")
    d.expect(5, "check")
    assert d.status()["stale"]
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    d.ok("update")
    assert d.status()["root_version"] == 3 and d.slot("B", len(V2)) == V2
    assert d.status()["stale"] is None


run_tests(globals(), __name__)
