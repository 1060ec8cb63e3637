# SPDX-License-Identifier: Apache-2.0
"""The change of publisher on a device: evidence, policy, consent, the switch, and the way back."""
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import Key, Log, Publisher, Server, canonical, identity, run_tests, sha256  # noqa: E402

LONG = {"timestamp_days": 60, "snapshot_days": 60}  # where witnesses' clocks run ahead
V1, V2, V3 = (bytes([i]) * 100_001 for i in (1, 2, 3))


def _released(case, **more):
    """The vendor's last update, then the handover, then the community's first."""
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    device = more.pop("device", {})
    first = device.pop("first", True)
    d = case.device(image=V1, **device)
    if first:
        d.ok("check")
    product.handover(**more)
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    return d


def a_handover_is_asked_for_accepted_and_installed(case):
    d = _released(case)
    before = d.trusted_root()
    out = d.json("update", status=4)
    h = out["handover"]
    assert out["root_version"] == 1 and d.trusted_root() == before
    assert h["from"]["publisher"]["id"] == "vendor" and h["to"]["publisher"]["id"] == "stewards"
    assert h["to"]["root_version"] == 3 and h["released"] == "yes" and h["allowed"] == "no", h
    assert h["bridge"] == identity(case.product.bridge)
    assert h["after"] == identity(case.product.after)
    assert {d["type"] for d in h["documents"]} == {"deposit", "eol", "approval"}, h
    assert [d["by"] for d in h["documents"] if d["type"] == "approval"] == ["Ann", "Bob"]
    waiting = d.status()["waiting"]
    assert waiting["kind"] == "handover" and waiting["id"] == h["bridge"], waiting
    shown = d.ok("handover", "show").stdout
    for text in ("Stewards", "the last engineer left", "approval by Ann", "log index", h["after"],
                 "signed by a threshold of the old keys"):
        assert text in shown, (text, shown)
    assert d.slot("B", 1) == b"\0"
    d.ok("handover", "accept")
    s = d.status()
    assert s["publisher"] == {"id": "stewards", "kind": "stewards"} and s["root_version"] == 3
    assert s["waiting"] is None
    assert d.trusted_root() == case.product.roots[2]
    d.ok("update")
    assert d.boot() == "B" and d.slot("B", len(V2)) == V2
    d.ok("confirm")
    d.ok("update")
    assert d.status()["installed"]["version"] == "2.0.0"
    d.ok("rollback")
    assert d.boot() == "A" and d.slot("A", len(V1)) == V1, "the way back to the vendor's image"
    why = d.ok("why").stdout
    assert "a final end of life" in why and "yes      the owner consents to exactly this" in why, why


def metadata_of_the_old_publisher_goes_with_it(case):
    product = case.product
    for _ in range(5):
        product.publish()
    d = _released(case)
    d.run("update")
    d.ok("handover", "accept")
    assert [p.name for p in (d.dir / "state/metadata").iterdir()] == ["root.json"]
    d.ok("update")
    targets = json.loads((d.dir / "state/metadata/targets.json").read_text())
    assert targets["signed"]["version"] == 1, "versions start again"


def updates_of_the_old_publisher_go_on_while_it_waits(case):
    product = case.product
    product.image("1.0.0", V1)
    product.image("1.1.0", V3)
    product.publish()
    d = case.device(image=V1)
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    out = d.json("update", status=4)
    assert out["update"]["state"] == "installed" and out["update"]["version"] == "1.1.0", out
    assert d.slot("B", len(V3)) == V3
    assert any("/metadata/held/1/timestamp.json" in r for r in case.server.requests)
    assert not any(r.endswith("/metadata/timestamp.json") for r in case.server.requests)


def a_refusal_stands_until_it_is_taken_back(case):
    d = _released(case)
    d.expect(5, "handover", "refuse")
    d.expect(4, "check")
    d.ok("handover", "refuse")
    for _ in range(2):
        out = d.json("update", status=4)
        assert out["handover"]["refused"] and "refused" in out["handover"]["reason"], out
    d.conf.write_text(d.conf.read_text().replace("policy = ask", "policy = auto"))
    d.expect(4, "update")
    assert d.status()["root_version"] == 1, "no policy overrules the owner's word"
    d.ok("handover", "accept")
    assert d.status()["root_version"] == 3


def a_mirror_that_invents_leaves_spoils_nothing_for_later(case):
    """Nobody signs leaves.jsonl: only what a proof reaches may be remembered."""
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1)
    product.publish_root(product.root(product.vendor, product.vendor.root))
    truth = (product.tree / "leaves.jsonl").read_bytes()

    def lie():
        prev, text = product.prev, "".join(line + "\n" for line in product.leaves)
        for i in range(3):
            leaf = {"kind": "heartbeat", "product": product.name, "id": sha256(b"%d" % i),
                    "sha256": sha256(b"no"), "version": i + 1, "seq": product.seq + 1 + i,
                    "prev": prev}
            prev = sha256(b"\0" + canonical(leaf))
            text += json.dumps({"index": 90 + i, "leaf": leaf}) + "\n"
        product.put("leaves.jsonl", text.encode())

    lie()
    d.ok("check")
    assert d.status()["root_version"] == 2
    product.put("leaves.jsonl", truth)
    # Nor does a proof that does not hold make them true.
    product.publish_root(product.root(product.vendor, product.vendor.root))
    truth = (product.tree / "leaves.jsonl").read_bytes()
    proof = product.tree / "proofs" / f"{identity(json.loads(product.roots[2]))}.tlog-proof"
    held = proof.read_bytes()
    proof.write_bytes(held.replace(b"index ", b"index 1"))
    lie()
    d.expect(3, "check")
    proof.write_bytes(held)
    product.put("leaves.jsonl", truth)
    d.ok("check")
    assert d.status()["root_version"] == 3
    # While a handover waits, the proof of its newest leaf is where memory ends.
    product.handover()
    truth = (product.tree / "leaves.jsonl").read_bytes()
    lie()
    d.expect(4, "check")
    product.put("leaves.jsonl", truth)
    d.expect(4, "check")


def nothing_is_accepted_that_was_not_shown(case):
    d = _released(case)
    assert "was shown" in d.expect(5, "handover", "accept").stderr
    assert d.status()["root_version"] == 1


def consent_is_void_when_the_offer_changes(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1)
    product.handover()
    d.expect(4, "check")
    # The same bridge, but another root after it than the one that was shown.
    shown = identity(product.after)
    product.roots.pop()
    first = product.leaves[-1]
    product.leaves.pop()
    product.seq -= 1
    product.entries.pop()
    product.log.hashes.pop()
    product.prev = json.loads(first)["leaf"]["prev"]
    other = product.root(product.keepers, product.stewards.root[1:], expires=200)
    product.publish_root(other)
    assert identity(other) != shown
    # A device that has seen the first chain refuses another in its place.
    state = json.loads((d.dir / "state/state.json").read_text())
    assert state["seq"] and "seen before" in d.expect(3, "handover", "accept").stderr
    assert d.status()["root_version"] == 1
    # One that has not must still not take what it was not asked about.
    state.update(seq=0, leaf="", logs=[])
    (d.dir / "state/state.json").write_text(json.dumps(state))
    p = d.expect(4, "handover", "accept")
    assert "differs from what was shown" in p.stderr, p.stderr
    assert d.status()["root_version"] == 1
    d.ok("handover", "accept")
    assert d.trusted_root() == product.roots[2]


def policy_auto_follows_and_never_does_not(case):
    d = _released(case, device={"policy": "auto"})
    d.ok("update")
    assert d.status()["root_version"] == 3 and d.slot("B", len(V2)) == V2
    never = case.device(image=V1, policy="never")
    assert "never" in never.json("update", status=4)["handover"]["reason"]
    never.expect(4, "handover", "accept")
    assert never.status()["root_version"] == 1


def a_policy_file_of_the_owner_decides(case):
    d = _released(case)
    d.conf.write_text(d.conf.read_text().replace("policy = ask", "policy = mine.json"))
    assert "mine.json" in d.expect(2, "check").stderr
    (d.dir / "mine.json").write_text('{"policy": "mine", "version": 1, "allow": {"nonsense": 1}}')
    assert "mine.json" in d.expect(2, "check").stderr
    (d.dir / "mine.json").write_text(json.dumps({"policy": "mine", "version": 1, "allow": {
        "all": [{"fact": "action", "==": "handover"}, {"fact": "released"}]}}))
    d.run("check")
    assert d.status()["root_version"] == 3
    p = d.expect(4, "update")
    assert "does not allow it" in p.stderr, "nor does it allow installing"


def policy_rebuilt_installs_what_others_built_too(case):
    """After a handover: the threshold of listed rebuilders, for this commit and these bits."""
    commit, listed, stranger = "c" * 40, [Key() for _ in range(3)], Key()
    product = case.product
    product.rebuilders = (listed, 2)

    def rebuilt(n, by, **more):
        return product.statement("rebuild", n, {"commit": commit, "recipe": "make",
                                                "sha256": sha256(V2), **more}, [by])

    d = _released(case, device={"policy": "rebuilt"})
    d.expect(4, "update")
    d.ok("handover", "accept")
    # The publisher names no source, so nobody can have built it again.
    d.expect(4, "update")
    assert "the commit in the image's metadata" in d.ok("why").stdout
    product.image("2.0.0", V2, source={"commit": commit})
    product.publish(product.keepers)
    d.expect(4, "update")
    assert "rebuilders who got the same bits: none (0 of 2); needs 2 more" in d.ok("why").stdout
    first = rebuilt(1, listed[0])
    rebuilt(2, listed[0], recipe="make again")
    rebuilt(3, stranger)
    rebuilt(4, listed[1], sha256=sha256(V1))
    rebuilt(5, listed[1], commit="d" * 40)
    d.expect(4, "update")
    why = d.ok("why").stdout
    assert "(1 of 2); needs 1 more" in why and "kind of publisher" not in why, why
    assert d.json("why")["update"]["policy"]["answer"] == "no"
    last = rebuilt(6, listed[2])
    path = product.tree / "statements" / f"{identity(last)}.json"
    hidden = path.read_bytes()
    path.unlink()
    d.expect(4, "update")
    assert "a logged rebuild that was not served" in d.ok("why").stdout
    product.put(f"statements/{identity(last)}.json", hidden)
    d.ok("update")
    assert d.boot() == "B" and d.slot("B", len(V2)) == V2

    def find(o):
        return o.get("from") or next(filter(None, map(find, o.get("of", []))), None)

    found = find(d.json("why")["update"]["policy"])
    assert {f["source"] for f in found} >= {identity(last)} and len(found) == 2, found
    assert {f["member"] for f in found} == {listed[0].id, listed[2].id}, found
    assert all(isinstance(f["index"], int) for f in found) and first


def without_enough_approvals_it_waits_even_under_auto(case):
    d = _released(case, approvals=1, device={"policy": "auto"})
    out = d.json("update", status=4)
    assert out["handover"]["released"] in ("no", "unknown"), out
    d.expect(4, "handover", "accept")
    assert d.status()["root_version"] == 1
    # One that is logged after the bridge is too late to have released it.
    case.product.approve(case.product.trustees[2], case.product.bridge)
    d.expect(4, "update")
    assert d.status()["root_version"] == 1


def without_a_final_end_of_life_it_waits(case):
    d = _released(case, final=False, device={"policy": "auto"})
    d.expect(4, "update")
    assert d.status()["root_version"] == 1


def the_vendor_may_release_without_trustees(case):
    d = _released(case, release=True, approvals=0, device={"policy": "auto"})
    d.ok("update")
    assert d.status()["root_version"] == 3


def a_forged_statement_is_an_attack(case):
    d = _released(case, device={"policy": "auto"})
    path = case.product.tree / "statements" / f"{identity(case.product.eol)}.json"
    path.write_text(path.read_text().replace("engineer", "intern"))
    d.expect(3, "update")
    assert d.status()["root_version"] == 1


def updates_of_the_old_publisher_go_on_beside_a_forgery(case):
    product = case.product
    product.image("1.0.0", V1)
    product.image("1.1.0", V3)
    product.publish()
    d = case.device(image=V1, policy="auto")
    product.handover()
    path = product.tree / "statements" / f"{identity(product.eol)}.json"
    path.write_text(path.read_text().replace("engineer", "intern"))
    p = d.expect(3, "update")
    assert "was changed since it was logged" in p.stderr, p.stderr
    assert d.slot("B", len(V3)) == V3
    s = d.status()
    assert s["root_version"] == 1 and s["waiting"]["kind"] == "handover", s
    assert s["waiting"]["id"] == identity(product.bridge)
    d.expect(3, "handover", "show")


def a_lying_mirror_does_not_hide_a_true_handover(case):
    d = _released(case, device={"policy": "auto"})
    lying = case.dir / "lying"
    shutil.copytree(case.dir / "tree", lying)
    path = lying / "p/acme.x1/statements" / f"{identity(case.product.eol)}.json"
    path.write_text(path.read_text().replace("engineer", "intern"))
    server = Server(lying)
    d.conf.write_text(d.conf.read_text().replace("url =", f"url = {server.url}\nurl =", 1))
    d.ok("update")
    server.close()
    assert d.status()["root_version"] == 3 and d.slot("B", len(V2)) == V2


def a_bridge_that_is_not_in_the_log_is_not_followed(case):
    d = _released(case, device={"policy": "auto"})
    product = case.product
    (product.tree / "proofs" / f"{identity(product.bridge)}.tlog-proof").unlink()
    assert d.run("update").returncode in (4, 5)
    assert d.status()["root_version"] == 1


def another_log_does_not_vouch(case):
    d = _released(case, device={"policy": "auto"})
    product = case.product
    rogue = Log(product.log.origin)
    rogue.hashes = product.log.hashes
    product.log = rogue
    for one, at in product.entries:
        product.put(f"proofs/{one}.tlog-proof", rogue.proof(at))
    d.expect(3, "update")
    assert d.status()["root_version"] == 1


def a_root_after_the_bridge_by_others_is_refused(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1, policy="auto")
    product.handover(publish=False)
    product.publish_root(product.bridge)
    eve = Publisher("eve", "stewards")
    product.publish_root(product.root(eve, product.stewards.root))
    p = d.expect(3, "update")
    assert "not of those whom the bridge names" in p.stderr, p.stderr
    assert d.status()["root_version"] == 1


def _reusing(case, of_anchor, people):
    """A handover to people who list an online key of the vendor's: of its first or last root."""
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1, policy="auto")
    first, product.vendor.timestamp = product.vendor.timestamp, Key()
    product.publish_root(product.root(product.vendor, []))
    product.publish()
    d.ok("check")
    old = first if of_anchor else product.vendor.timestamp
    product.handover(people=lambda bridge, after: people(bridge, after, old))
    assert "its snapshot key is the old publisher's timestamp key" in d.expect(3, "update").stderr
    assert d.status()["root_version"] == 2


def _in_bridge(bridge, _, old):
    bridge.snapshot = old


def _after_bridge(_, after, old):
    after.snapshot = old


def online_keys_of_the_old_publisher_are_refused(case):
    _reusing(case, False, _after_bridge)


def online_keys_of_the_old_publisher_are_refused_in_the_bridge(case):
    _reusing(case, False, _in_bridge)


def online_keys_that_were_rotated_away_are_refused(case):
    _reusing(case, True, _after_bridge)


def online_keys_that_were_rotated_away_are_refused_in_the_bridge(case):
    _reusing(case, True, _in_bridge)


def a_bridge_alone_waits_for_the_root_after_it(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1, policy="auto")
    product.handover(publish=False)
    product.publish_root(product.bridge)
    out = d.json("update", status=4)
    assert "not published yet" in out["handover"]["reason"]
    assert d.status()["root_version"] == 1
    product.publish_root(product.root(product.keepers, product.stewards.root))
    d.run("update")
    assert d.status()["root_version"] == 3


def keys_exchanged_one_by_one_are_a_change_too(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1)
    vendor = product.vendor
    for i in range(3):
        old = list(vendor.root)
        vendor.root = old[:i] + [Key()] + old[i + 1:]
        product.publish_root(product.root(vendor, old))
    d.expect(4, "check")
    s = d.status()
    assert s["root_version"] == 2, s
    assert s["waiting"]["kind"] == "handover"


def _stepped(case, kind, publisher, days):
    """A witnessed product, a statement that names its next root, `days`, and that root."""
    product = case.product
    product.witnesses = product.log.witness(2)
    product.roots, product.leaves, product.seq, product.prev = [], [], 0, "0" * 64
    product.publish_root(product.root(product.vendor, []))
    product.image("1.0.0", V1)
    for _ in range(5):
        product.publish(**LONG)
    d = case.device(image=V1, policy="auto")
    d.ok("check")
    old = json.loads(product.roots[-1])
    step = product.root(publisher, product.vendor.root[:2])
    signers = product.vendor.root[:2] + (publisher.root[:2] if kind == "succession" else [])
    said = product.statement(kind, 1, {"from": identity(old), "to": identity(step),
                                       "reason": "moved"}, signers)
    proof = product.tree / "proofs" / f"{identity(said)}.tlog-proof"
    dated = proof.read_bytes()
    product.log.days = days
    product.publish_root(step)
    proof.write_bytes(dated)  # the first one, which says when the wait began
    return d


def a_rotation_keeps_what_the_online_keys_signed(case):
    product = case.product
    again = Publisher("vendor", "vendor")
    again.targets, again.timestamp, again.snapshot = (
        product.vendor.targets, product.vendor.timestamp, product.vendor.snapshot)
    again.versions = dict(product.vendor.versions)
    d = _stepped(case, "rotation", again, 31)
    d.ok("check")
    s = d.status()
    assert s["root_version"] == 2 and s["publisher"]["id"] == "vendor", s
    # The mirror replays the first timestamp, which the same key signed.
    again.versions = {"targets": 0, "snapshot": 0, "timestamp": 0}
    product.publish(again, **LONG)
    assert "version 1" in d.expect(3, "check").stderr


def a_rotation_has_to_wait_thirty_witnessed_days(case):
    again = Publisher("vendor", "vendor")
    d = _stepped(case, "rotation", again, 29)
    d.expect(4, "check")
    assert d.status()["root_version"] == 1


def a_succession_needs_online_keys_of_its_own(case):
    vendor = case.product.vendor
    vendor.kind = "stewards"
    heirs = Publisher("heirs", "stewards")
    heirs.snapshot = vendor.snapshot
    d = _stepped(case, "succession", heirs, 15)
    assert "old publisher's snapshot key" in d.expect(3, "check").stderr
    assert d.status()["root_version"] == 1


def a_succession_hands_on_after_fourteen_days(case):
    case.product.vendor.kind = "stewards"
    heirs = Publisher("heirs", "stewards")
    d = _stepped(case, "succession", heirs, 15)
    d.run("check")
    assert d.status()["publisher"] == {"id": "heirs", "kind": "stewards"}
    case.product.image("2.0.0", V2)
    case.product.publish(heirs, **LONG)
    d.ok("update")
    assert d.slot("B", len(V2)) == V2


def ordinary_rotations_are_followed_however_many(case):
    product = case.product
    product.image("1.0.0", V1)
    for _ in range(70):  # more than are read ahead at once
        product.publish_root(product.root(product.vendor, product.vendor.root))
    product.publish()
    d = case.device(image=V1)
    d.ok("check")
    assert d.status()["root_version"] == 71
    asked = [r for r in case.server.requests if r.endswith(".root.json")]
    assert len(asked) == 3, asked  # 2, the one after those read ahead, and the end
    # From single files, where the mirror has no chain.
    (product.tree / "metadata/root-chain.jsonl").unlink()
    other = case.device(image=V1)
    other.ok("check")
    assert other.status()["root_version"] == 71


def a_rotation_without_a_log_proof_waits_and_another_one_is_refused(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1)
    hidden = product.root(product.vendor, product.vendor.root, expires=300)
    product.publish_root(hidden, log=False)
    assert "not in the log" in d.expect(5, "check").stderr
    assert d.status()["root_version"] == 1
    product.roots.pop()
    product.publish_root(product.root(product.vendor, product.vendor.root))
    product.put("metadata/2.root.json", json.dumps(hidden).encode())
    assert "another one first" in d.expect(3, "check").stderr
    assert d.status()["root_version"] == 1


def a_device_years_late_catches_up(case):
    product = case.product
    d = case.device(image=V1, policy="auto")
    for _ in range(3):
        product.publish_root(product.root(product.vendor, product.vendor.root))
    product.image("1.0.0", V1)
    product.publish()
    product.handover()
    product.image("2.0.0", V2)
    for _ in range(2):
        product.publish_root(product.root(product.keepers, product.keepers.root))
    product.publish(product.keepers)
    d.ok("update")
    assert d.status()["root_version"] == 8
    assert d.status()["installed"]["sha256"] == sha256(d.slot("A"))
    assert d.boot() == "B"


def the_vendors_image_is_kept_before_it_is_overwritten(case):
    d = case.last = _released(case, device={"keep_image": "vendor.img", "policy": "auto"})
    d.ok("update")
    assert not (d.dir / "vendor.img").exists(), "the slot still holds it"
    d.boot()
    d.ok("confirm")
    case.product.image("3.0.0", V3)
    case.product.publish(case.product.keepers)
    d.ok("update")
    assert (d.dir / "vendor.img").read_bytes()[:len(V1)] == V1


def _kept(case):
    """A device that runs the community's third image, and kept the vendor's in a file."""
    the_vendors_image_is_kept_before_it_is_overwritten(case)
    d = case.last
    assert d.boot() == "A"
    d.ok("confirm")
    assert d.slot("A", len(V3)) == V3
    return d


def what_was_kept_can_be_gone_back_to(case):
    d = _kept(case)
    assert d.status()["installed"]["version"] == "3.0.0"
    out = d.json("restore")
    assert out["slot"] == "B" and out["version"] == "1.0.0", out
    assert d.slot("B") == (d.dir / "vendor.img").read_bytes()
    assert d.boot() == "B"
    d.ok("confirm")
    s = d.status()
    assert s["installed"]["version"] == "1.0.0" and s["publisher"]["id"] == "stewards", s
    # What was left behind does not come back by itself; another version may.
    d.ok("update")
    assert d.slot("A", len(V3)) == V3 and d.boot() == "B"
    case.product.image("4.0.0", V2)
    case.product.publish(case.product.keepers)
    d.ok("update")
    assert d.slot("A", len(V2)) == V2
    assert "runs what was kept already" in d.expect(5, "restore").stderr
    assert "restored" in d.ok("history").stdout


def a_kept_image_that_was_changed_is_not_installed(case):
    d = _kept(case)
    path = d.dir / "vendor.img"
    whole = path.read_bytes()
    for bad in (b"\x09" + whole[1:], whole[:-1], whole + b"\0"):
        path.write_bytes(bad)
        assert d.run("restore").returncode in (3, 5)
        assert d.env()["BOOT_ORDER"] == "A", "what can be started is whole"
    path.unlink()
    assert "vendor.img" in d.expect(1, "restore").stderr
    path.write_bytes(whole)
    d.ok("restore")
    assert d.boot() == "B" and d.slot("B") == whole


def _next(case, d, publisher, version, image):
    """One more image, installed, started and confirmed."""
    case.product.image(version, image)
    case.product.publish(publisher)
    d.ok("update")
    d.boot()
    d.ok("confirm")
    assert d.status()["installed"]["version"] == version


def _updated_before(case):
    """Both slots have images of the vendor when the community's first one comes; B's runs."""
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1, keep_image="vendor.img", policy="auto")
    _next(case, d, product.vendor, "1.1.0", V2)
    product.handover()
    _next(case, d, product.keepers, "2.0.0", V3)
    return d


def the_image_that_ran_last_is_kept_and_no_older_one(case):
    d = _updated_before(case)
    assert not (d.dir / "vendor.img").exists(), "slot B still holds what ran last"
    _next(case, d, case.product.keepers, "3.0.0", V1)
    assert (d.dir / "vendor.img").read_bytes() == V2
    assert d.json("restore")["version"] == "1.1.0"
    d.boot()
    d.ok("confirm")
    assert d.status()["installed"]["version"] == "1.1.0"


def rollback_and_restore_go_to_the_same_image(case):
    d = _updated_before(case)
    assert d.json("rollback")["version"] == "1.1.0"
    assert d.boot() == "B"
    # From there the community's next one leaves it in its slot, too.
    _next(case, d, case.product.keepers, "3.0.0", V1)
    assert d.slot("B", len(V2)) == V2 and not (d.dir / "vendor.img").exists()
    _next(case, d, case.product.keepers, "4.0.0", V3)
    assert d.json("restore")["version"] == "1.1.0"


def an_image_that_never_ran_is_not_kept(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1, keep_image="vendor.img", policy="auto")
    product.image("1.1.0", V2)
    product.publish()
    d.ok("update")  # and no restart
    product.handover()
    _next(case, d, product.keepers, "2.0.0", V3)
    _next(case, d, product.keepers, "3.0.0", V2)
    assert (d.dir / "vendor.img").read_bytes()[:len(V1)] == V1
    assert d.json("restore")["version"] == "1.0.0"


def _as_if_kept(d, publisher):
    """An earlier image of `publisher` is in the file, and on record."""
    (d.dir / "vendor.img").write_bytes(b"earlier")
    state = d.state()
    state["kept"] = dict(state["slots"]["B"], publisher=publisher, version="0.9.0", size=7,
                         sha256=sha256(b"earlier"))
    (d.dir / "state/state.json").write_text(json.dumps(state))


def what_was_kept_gives_way_to_a_later_image_of_the_same_publisher(case):
    """As after a return of the product to its vendor, and a second handover."""
    d = _updated_before(case)
    _as_if_kept(d, "vendor")
    _next(case, d, case.product.keepers, "3.0.0", V1)
    assert (d.dir / "vendor.img").read_bytes() == V2
    assert d.json("restore")["version"] == "1.1.0"


def what_was_kept_of_the_first_publisher_stays_through_later_ones(case):
    d = _updated_before(case)
    _as_if_kept(d, "maker")
    _next(case, d, case.product.keepers, "3.0.0", V1)
    assert (d.dir / "vendor.img").read_bytes() == b"earlier"
    assert d.state()["kept"]["version"] == "0.9.0"


def nothing_is_restored_where_nothing_was_kept(case):
    d = _released(case, device={"keep_image": "vendor.img", "policy": "auto"})
    assert "nothing was kept" in d.expect(5, "restore").stderr
    # A file of somebody else's by that name stays, and is not taken for the vendor's.
    (d.dir / "vendor.img").write_bytes(b"mine")
    d.ok("update")
    d.boot()
    d.ok("confirm")
    case.product.image("3.0.0", V3)
    case.product.publish(case.product.keepers)
    d.ok("update")
    assert (d.dir / "vendor.img").read_bytes() == b"mine"
    assert "is another file" in d.ok("history").stdout
    d.boot()
    d.ok("confirm")
    assert "nothing was kept" in d.expect(5, "restore").stderr


def a_switch_that_was_cut_short_is_finished_at_the_next_start(case):
    d = _released(case)
    d.expect(4, "check")
    before = {p: p.read_bytes() for p in (d.dir / "state/metadata").iterdir()}
    anchor = (d.dir / "state/anchor.json").read_bytes()
    d.ok("handover", "accept")
    after = d.trusted_root()
    agreed = json.loads((d.dir / "state/state.json").read_text())
    # As it was between the rename of root.json and all that follows from it.
    offer = {"from": sha256(b"f"), "bridge": identity(case.product.bridge),
             "after": identity(case.product.after), "evidence": sha256(b"e"),
             "nonce": sha256(b"n"), "shown": 1}
    agreed["consent"] = {"to": offer, "product": "acme.x1", "by": "owner", "at": 1}
    (d.dir / "state/state.json").write_text(json.dumps(agreed))
    for path, data in before.items():
        path.write_bytes(data)
    (d.dir / "state/anchor.json").write_bytes(anchor)
    (d.dir / "state/metadata/root.json").write_bytes(after)
    d.ok("update")
    assert d.status()["root_version"] == 3
    assert (d.dir / "state/anchor.json").read_bytes() == after
    assert d.slot("B", len(V2)) == V2


def a_stick_carries_a_handover(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    stick = case.dir / "stick"
    shutil.copytree(case.dir / "tree", stick)
    d = case.device(image=V1, urls=["http://127.0.0.1:9/"])
    d.expect(5, "check")
    d.expect(4, "install", "--from", stick)
    d.expect(4, "check", "--from", stick)
    assert "Stewards" in d.ok("handover", "show", "--from", stick).stdout
    d.ok("handover", "accept", "--from", stick)
    assert d.status()["root_version"] == 3
    d.ok("install", "--from", stick)
    assert d.slot("B", len(V2)) == V2


def a_lying_stick_is_worth_nothing(case):
    d = _released(case, device={"policy": "auto", "urls": ["http://127.0.0.1:9/"], "first": False})
    product = case.product
    stick = case.dir / "stick"
    part = stick / "p/acme.x1"
    eol = f"statements/{identity(product.eol)}.json"

    def changed(path):
        path.write_bytes(path.read_bytes().replace(b"engineer", b"intern"))

    def fifo(path):
        path.unlink()
        os.mkfifo(path)

    def endless(path):
        path.unlink()
        path.symlink_to("/dev/zero")

    def folder(path):
        path.unlink()
        path.mkdir()

    def huge(path):
        with open(path, "r+b") as f:
            f.truncate(1 << 34)

    for lie, path, statuses in (
            (changed, eol, (3,)), (fifo, eol, (3,)), (fifo, "leaves.jsonl", (3, 5)),
            (endless, "leaves.jsonl", (3, 5)), (folder, "metadata/2.root.json", (3,)),
            (huge, "leaves.jsonl", (3, 5)), (huge, "metadata/root-chain.jsonl", (0,)),
            (pathlib.Path.unlink, "leaves.jsonl", (4, 5)), (pathlib.Path.unlink, eol, (4,))):
        shutil.copytree(case.dir / "tree", stick)
        lie(part / path)
        p = d.run("install", "--from", stick)
        assert p.returncode in statuses, (lie.__name__, path, p.returncode, p.stderr)
        if 0 not in statuses:
            assert d.status()["root_version"] == 1 and d.slot("B", 1) == b"\0", (lie, path)
            shutil.rmtree(stick)
            continue
        assert d.status()["root_version"] == 3
        shutil.rmtree(stick)
        d = case.device(image=V1, policy="auto", urls=["http://127.0.0.1:9/"])


run_tests(globals(), __name__)
