# SPDX-License-Identifier: Apache-2.0
"""Logs that are frozen, dead, forked or moved: what stops because of them, and what must not."""
import hashlib
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import LONG, Log, Publisher, Server, identity, run_tests, witnessed  # noqa: E402

V1, V2, V3 = (bytes([i]) * 100_001 for i in (1, 2, 3))


class _Elsewhere:
    """A log server of somebody else's: it shows what it is told to, and nothing but that."""

    def __init__(self, case, name="elsewhere"):
        self.folder = case.dir / name
        (self.folder / "log").mkdir(parents=True)
        self.server = Server(self.folder)
        self.url = self.server.url + "log/"

    def show(self, note):
        (self.folder / "log/checkpoint").write_text(note)

    def asked(self):
        return len(self.server.requests)

    def close(self):
        self.server.close()


def _far_log(case, n=3, **device):
    """A product whose one log is named by an absolute URL, and a device that has seen it."""
    product = case.product
    far = _Elsewhere(case)
    product.logs = [(product.log, far.url)]
    d = witnessed(case, n, image=V1, **device)
    frozen = product.log.checkpoint()
    product.log.add(b"others")
    far.show(product.log.checkpoint())
    d.ok("check")
    assert d.state()["logs"][0]["size"] == len(product.log.hashes)
    far.show(frozen)
    return far, d


def _publish(case, version, image):
    case.product.image(version, image)
    case.product.publish(**LONG)


# --- one log, elsewhere ------------------------------------------------------------------

def updates_go_on_while_the_one_log_is_frozen(case):
    far, d = _far_log(case)
    seen = d.state()["logs"]
    _publish(case, "2.0.0", V2)
    p = d.expect(3, "update")
    assert "it is frozen or was rolled back" in p.stderr and "2.0.0 is installed" in p.stdout, p
    assert d.slot("B", len(V2)) == V2 and d.boot() == "B"
    d.ok("confirm")
    s = d.status()
    assert s["installed"]["version"] == "2.0.0" and "frozen" in s["log"], s
    assert s["waiting"] is None, s
    text = d.ok("status").stdout
    assert "it is frozen or was rolled back" in text and "updates of the present publisher go on" \
        in text, text
    assert d.state()["logs"] == seen, "nothing of it is remembered"
    assert "frozen" in d.json("check", status=3)["log"]
    far.show(case.product.log.checkpoint())
    assert d.json("check")["log"] == ""
    assert d.status()["log"] is None
    far.close()


def updates_go_on_while_the_one_log_has_forked(case):
    far, d = _far_log(case)
    log = case.product.log
    other = Log(log.origin)
    other.key, other.key_id, other.witnesses = log.key, log.key_id, log.witnesses
    for i in range(d.state()["logs"][0]["size"]):
        other.add(b"%d" % i)
    far.show(other.checkpoint())
    _publish(case, "2.0.0", V2)
    assert "it has forked" in d.expect(3, "update").stderr
    assert d.slot("B", len(V2)) == V2
    assert "it has forked" in d.status()["log"]
    far.close()


def updates_go_on_while_the_one_log_is_dead(case):
    far, d = _far_log(case)
    far.close()
    _publish(case, "2.0.0", V2)
    d.ok("update")
    assert d.slot("B", len(V2)) == V2


def a_log_elsewhere_is_asked_once_however_many_mirrors_there_are(case):
    """One that drips costs its time once, and all are held against the same answer."""
    far, d = _far_log(case)
    other = Server(case.dir / "tree")
    d.conf.write_text(d.conf.read_text() + f"url = {other.url}\nurl = http://127.0.0.1:9/\n")
    asked = far.asked()
    _publish(case, "2.0.0", V2)
    p = d.expect(3, "update")
    assert far.asked() == asked + 1, far.server.requests
    assert d.slot("B", len(V2)) == V2 and "frozen" in p.stderr, p.stderr
    # Nor does silence of it.
    far.server.rules.append(("checkpoint", lambda handler, data: handler.cut(data, 20) or False))
    case.server.rules.append(("timestamp", lambda handler, data: data[:-9]))
    d.ok("check")
    assert far.asked() == asked + 2, far.server.requests
    for server in (far, other):
        server.close()


def a_root_waits_for_the_log_and_updates_do_not(case):
    """Ordinary root 2 was logged before the device saw so much of the log that it sees no more."""
    product = case.product
    far = _Elsewhere(case)
    product.logs = [(product.log, far.url)]
    d = witnessed(case, image=V1)
    step = product.root(product.vendor, product.vendor.root)
    product.publish_root(step)
    _publish(case, "2.0.0", V2)
    hidden = [product.tree / "metadata" / name for name in ("2.root.json", "root-chain.jsonl")]
    away = [(path, path.read_bytes()) for path in hidden]
    for path in hidden:
        path.unlink()
    for i in range(9):
        product.log.add(b"others %d" % i)
    far.show(product.log.checkpoint())
    d.ok("check")
    for path, data in away:
        path.write_bytes(data)
    far.server.rules.append(("checkpoint", lambda handler, data: None))
    p = d.expect(3, "update")
    assert "root 2" in p.stderr and "were seen before" in p.stderr, p.stderr
    assert d.status()["root_version"] == 1 and d.slot("B", len(V2)) == V2
    assert "root 2" in d.status()["log"]
    # The same where the proof is not there yet.
    proof = product.tree / "proofs" / f"{identity(step)}.tlog-proof"
    assert d.boot() == "B"
    d.ok("confirm")
    _publish(case, "3.0.0", V3)
    data = proof.read_bytes()
    proof.unlink()
    assert "log proof is not there" in d.expect(5, "update").stderr
    assert d.status()["root_version"] == 1 and d.slot("A", len(V3)) == V3
    # What contradicts the log is no root and no mirror.
    proof.write_bytes(data)
    far.server.rules.clear()
    far.show(product.log.checkpoint())
    d.ok("check")
    assert d.status()["root_version"] == 2 and d.status()["log"] is None
    far.close()


def updates_under_keys_of_an_unproved_root_are_not_taken(case):
    """Metadata that only the next root vouches for says nothing under this one."""
    product = case.product
    d = witnessed(case, image=V1)
    fresh = Publisher("vendor", "vendor")
    fresh.root, fresh.versions = product.vendor.root, product.vendor.versions
    product.publish_root(product.root(fresh, product.vendor.root), log=False)
    product.image("2.0.0", V2)
    product.publish(fresh, **LONG)
    p = d.expect(5, "update")
    assert "is not in the log yet" in p.stderr, p.stderr
    assert d.slot("B", 1) == b"\0" and d.status()["root_version"] == 1


def a_change_of_publisher_goes_by_no_frozen_log(case):
    far, d = _far_log(case, policy="auto")
    product = case.product
    seen = len(product.log.hashes)
    product.image("1.1.0", V3)
    product.publish(**LONG)
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers, **LONG)
    proofs = {p: p.read_bytes() for p in (product.tree / "proofs").iterdir()}
    for i in range(9):
        product.log.add(b"more %d" % i)
    far.show(product.log.checkpoint())
    for path in (product.tree / "metadata").glob("*root*"):
        path.rename(path.with_name(path.name + ".away"))
    d.run("check")  # its roots are hidden, and it sees how far the log came
    assert d.state()["logs"][0]["size"] > seen
    for path in (product.tree / "metadata").glob("*.away"):
        path.rename(path.with_suffix(""))
    assert {p: p.read_bytes() for p in proofs} == proofs
    far.show(product.log.checkpoint(seen))
    p = d.expect(3, "update")
    assert "were seen before" in p.stderr, p.stderr
    assert d.status()["root_version"] == 1 and d.slot("B", len(V3)) == V3, "the vendor's own"
    far.show(product.log.checkpoint())
    d.ok("update")
    assert d.status()["root_version"] == 3
    far.close()


# --- mirrors and several logs ------------------------------------------------------------

def a_mirror_that_shows_more_of_the_log_comes_first(case):
    product = case.product
    d = witnessed(case, image=V1)
    product.image("1.5.0", V3)
    product.publish(**LONG)
    product.show_log()
    frozen = case.dir / "frozen"
    shutil.copytree(case.dir / "tree", frozen)
    _publish(case, "2.0.0", V2)
    product.show_log()
    d.ok("check")
    old = Server(frozen)
    # The device forgot of the repository what it knew, and of the log nothing.
    for path in (d.dir / "state/metadata").iterdir():
        if path.name != "root.json":
            path.unlink()
    d.conf.write_text(d.conf.read_text().replace("url =", f"url = {old.url}\nurl =", 1))
    d.ok("update")
    assert d.slot("B", len(V2)) == V2 and d.status()["log"] is None
    assert not any("1.5.0" in path for path in old.requests)
    old.close()


def a_second_log_is_asked_where_the_first_is_frozen(case):
    product = case.product
    second, far = Log("log.test/two"), _Elsewhere(case)
    product.logs = [(product.log, "log/"), (second, far.url)]
    second.add(b"one")
    frozen = case.dir / "tree/log/checkpoint"
    d = witnessed(case, image=V1)
    second.witnesses = product.log.witnesses
    data = frozen.read_bytes()
    product.log.add(b"others")
    product.show_log()
    d.ok("check")
    assert len(d.state()["logs"]) == 1 and not far.asked(), "the mirror's own was enough"
    frozen.write_bytes(data)
    second.days = 2
    far.show(second.checkpoint())
    before = d.state()["witnessed"]
    d.expect(3, "check")
    assert far.asked() and len(d.state()["logs"]) == 2
    assert d.state()["witnessed"] > before + 86400, "it tells the time as well"
    far.close()


# --- memory sticks -----------------------------------------------------------------------

def a_log_that_was_never_seen_says_nothing_about_a_stick(case):
    product = case.product
    second = Log("log.test/two")
    second.add(b"one")
    product.logs = [(product.log, "log/"), (second, "http://log.test/two/")]
    d = witnessed(case, image=V1)
    second.witnesses = product.log.witnesses
    stick = case.dir / "stick"
    _publish(case, "2.0.0", V2)
    shutil.copytree(case.dir / "tree", stick)
    for i in range(9):
        product.log.add(b"others %d" % i)
    product.show_log()
    d.ok("check")  # the network has it; the stick is older than that
    assert [one["log"].split("+")[0] for one in d.state()["logs"]] == [product.log.origin]
    (stick / "log/checkpoint").unlink()
    place = stick / "log" / hashlib.sha256(second.origin.encode()).hexdigest()
    place.mkdir()
    (place / "checkpoint").write_text(second.checkpoint())
    p = d.expect(3, "install", "--from", stick)
    assert "were seen before" in p.stderr and product.log.origin in p.stderr, p.stderr
    assert d.slot("B", 1) == b"\0"
    # From now on that log was seen, too: the stick has to show both.
    assert len(d.state()["logs"]) == 2
    (stick / "log/checkpoint").write_text(product.log.checkpoint())
    (place / "checkpoint").unlink()
    p = d.expect(3, "install", "--from", stick)
    assert f"log {second.origin}" in p.stderr and "no checkpoint here" in p.stderr, p.stderr
    second.add(b"two")
    (place / "checkpoint").write_text(second.checkpoint())
    d.ok("install", "--from", stick)
    assert d.slot("B", len(V2)) == V2


# --- a log that moved ----------------------------------------------------------------------

def _moved(case, **device):
    """A device that saw the log; the one that goes on for it, and what a log-move says of that."""
    product = case.product
    d = witnessed(case, n=3, threshold=2, image=V1, **device)
    d.ok("check")
    old = product.log
    new = Log("log.test/after")
    new.hashes, new.witnesses = list(old.hashes), old.witnesses
    size = len(old.hashes)
    body = {"origin": old.origin, "size": size, "hash": old._node(0, size).hex(),
            "vkey": new.vkey(), "url": "log/"}
    return d, old, new, body


def a_device_follows_a_log_that_its_witnesses_moved(case):
    product = case.product
    d, old, new, body = _moved(case, policy="auto")
    product.logs = [(old, "log/")]
    product.log = new
    product.statement("log-move", 1, body, [key for _, key in old.witnesses[:2]])
    product.publish_root(product.root(product.vendor, product.vendor.root))
    product.show_log()
    d.ok("check")
    s = d.state()
    assert d.status()["root_version"] == 2
    assert {one["log"].split("+")[0]: one["size"] for one in s["logs"]}[new.origin] > body["size"]
    # And a change of publisher after it.
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers, **LONG)
    d.ok("update")
    assert d.status()["root_version"] == 4 and d.slot("B", len(V2)) == V2


def a_log_that_too_few_witnesses_moved_is_not_followed(case):
    product = case.product
    d, old, new, body = _moved(case, policy="auto")
    product.logs = [(old, "log/")]
    product.log = new
    product.statement("log-move", 1, body, [old.witnesses[0][1]])
    product.publish_root(product.root(product.vendor, product.vendor.root))
    product.show_log()
    assert "is none that root 1 names" in d.expect(3, "check").stderr
    assert d.status()["root_version"] == 1


def the_old_log_leads_no_further_than_it_was_moved(case):
    """Whoever has its key goes on with it."""
    product = case.product
    d, old, new, body = _moved(case, policy="auto")
    product.statement("log-move", 1, body, [key for _, key in old.witnesses[:2]])
    product.publish_root(product.root(product.vendor, product.vendor.root))
    product.show_log()
    assert "or it has moved" in d.expect(3, "check").stderr
    assert d.status()["root_version"] == 1


def a_stick_shows_a_moved_log_by_the_one_that_goes_on(case):
    product = case.product
    d, old, new, body = _moved(case)
    product.logs = [(old, "log/")]
    product.log = new
    product.statement("log-move", 1, body, [key for _, key in old.witnesses[:2]])
    _publish(case, "2.0.0", V2)
    product.show_log()
    stick = case.dir / "stick"
    shutil.copytree(case.dir / "tree", stick)
    d.ok("install", "--from", stick)
    assert d.slot("B", len(V2)) == V2
    assert {one["log"].split("+")[0] for one in d.state()["logs"]} == {old.origin, new.origin}


run_tests(globals(), __name__)
