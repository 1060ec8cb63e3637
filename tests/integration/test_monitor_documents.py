# SPDX-License-Identifier: Apache-2.0
"""The monitor on documents that should not be in the log, or are not served as they are in it."""
import json
import shutil
import sys
import time

from lib_liar import PRODUCT, after, late, run_tests
from test_registry_poller import Key, doc_id

# --- documents --------------------------------------------------------------------------


def two_roots_with_one_version(w):
    w.settle()
    w.liar.root()
    second = w.liar.root(version=2, expires="2089-01-01T00:00:00Z", log=False)
    w.liar.leaf(second, "root")
    first = w.liar.files[f"p/{PRODUCT}/metadata/2.root.json"]
    w.liar.seal()
    assert w.look(status=3) == ["withheld"], w.report  # only one of them can be served there
    assert b"2089" in first
    # Whoever shows the other one at a second vantage point gives it away.
    honest = w.liar.root(version=2, log=False)
    w.serve({**w.liar.files, f"p/{PRODUCT}/metadata/2.root.json": json.dumps(honest).encode()})
    w.liar.files[f"p/{PRODUCT}/metadata/2.root.json"] = json.dumps(second).encode()
    assert "two-roots" in w.look(status=3), w.report
    assert json.loads(w.evidence("two-roots")["b.json"]) == second


def two_targets_with_one_version(w):
    w.settle()
    w.liar.version["targets"] = 0
    w.liar.online_roles(w.liar.targets(expires="2089-01-01T00:00:00Z"))
    w.liar.seal()
    assert "two-versions" in w.look(status=3), w.report


def version_that_falls(w):
    root = w.settle()
    w.liar.say("heartbeat", root, version=5)
    w.liar.say("heartbeat", root, version=4)
    w.liar.seal()
    assert w.look(status=3) == ["version-falls"], w.report


def document_that_nobody_serves(w):
    root = w.settle()
    eol = w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    path = f"p/{PRODUCT}/statements/{doc_id(eol['signed'])}.json"
    kept = w.liar.files.pop(path)
    assert w.look(status=5) == [], w.report  # it may be on its way
    time.sleep(1.1)
    assert w.look(status=3) == ["withheld"], w.report
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look("--all", status=3) == ["heartbeat"], w.report
    w.liar.files[path] = kept
    assert w.look() == ["eol", "withheld"], w.report


def document_from_another_vantage_point(w):
    root = w.settle()
    w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    w.serve(dict(w.liar.files))
    for path in list(w.liar.files):
        if "/statements/" in path:
            w.liar.files[path] = b"not this"
    assert w.look() == ["eol"], w.report


def another_document_in_its_place(w):
    root = w.settle()
    eol = w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    path = f"p/{PRODUCT}/statements/{doc_id(eol['signed'])}.json"
    eol["signed"]["reason"] = "none"
    w.liar.put(path, eol)
    assert w.look(status=3) == ["withheld"], w.report
    assert "another document" in w.text("withheld"), w.report


def signatures_taken_away_or_added(w):
    root = w.settle()
    eol = w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    path = f"p/{PRODUCT}/statements/{doc_id(eol['signed'])}.json"
    eol["signatures"].append(Key().sign(eol["signed"]))
    w.liar.put(path, eol)
    assert w.look(status=3) == ["altered", "eol"], w.report


def leaf_that_lies_about_its_document(w):
    root = w.settle()
    beat = w.liar.say("heartbeat", root, log=False)
    w.liar.leaf(beat, version=7)
    w.liar.seal()
    assert w.look(status=3) == ["false-leaf"], w.report


def statement_without_its_signatures(w):
    root = w.settle()
    w.liar.say("eol", root, signers=w.liar.root_keys[:1], date="2031-01-01T00:00:00Z")
    w.liar.say("eol", root, signers=[Key(), Key()], date="2031-01-01T00:00:00Z")
    w.liar.seal()
    assert w.look(status=3) == ["unsigned", "unsigned"], w.report


def statement_under_a_root_that_is_not_in_force(w):
    root = w.settle()
    w.liar.root()
    w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    assert w.look(status=3) == ["root", "unsigned"], w.report
    assert "root 2 was in force" in w.text("unsigned"), w.report


def root_that_the_last_one_did_not_sign(w):
    w.settle()
    w.liar.root(keys=[Key(), Key()])
    w.liar.seal()
    assert "unsigned" in w.look(status=3), w.report


def root_of_nobody_hides_nothing(w):
    w.settle()
    for version in (99, 2):
        w.liar.root(version=version, keys=[Key(), Key()])
        w.liar.seal()
        assert w.look(status=3) == ["unsigned"], w.report
    w.liar.root()
    w.liar.online_roles(w.liar.targets(), after(2), after(-1))
    w.liar.seal()
    told = w.look(status=3)
    assert told[0] == "root" and "expiry" in told and "two-roots" not in told, w.report


def change_of_publisher_without_a_release(w):
    w.settle()
    new = [Key(), Key()]
    w.liar.root(keys=new, signers=w.liar.root_keys + new)
    w.liar.seal()
    assert w.look(status=3) == ["root", "unreleased"], w.report
    assert [e["level"] for e in w.report["events"]] == ["news", "alarm"], w.report


def targets_of_a_publisher_that_left_are_found_where_they_are_held(w):
    w.settle()
    first = w.liar.files[f"p/{PRODUCT}/metadata/1.targets.json"]
    w.liar.files[f"p/{PRODUCT}/metadata/held/1/1.targets.json"] = first
    name = {"publisher": {"id": "other", "name": "Other", "kind": "vendor"},
            "logs": [{"origin": w.liar.log.name, "vkey": w.liar.log.vkey, "url": "log/"}]}
    w.liar.root(**{"x-bequest": name})
    w.liar.version["targets"] = 0
    w.liar.online_roles(w.liar.targets(expires="2089-01-01T00:00:00Z"))
    w.liar.seal()
    assert w.look("--all", status=3) == ["root", "unreleased", "targets"], w.report
    shutil.rmtree(w.state)
    assert w.look("--all", status=3) == ["trust", "root", "targets", "root", "unreleased",
                                         "targets"], w.report


def deposit_and_what_trustees_say_of_it_are_news(w):
    root = w.settle()
    deposit = doc_id(w.liar.deposit(root)["signed"])
    about = {"deposit": deposit, "bridge": "b" * 64}
    first, second, _ = w.liar.trustees
    notice = w.liar.say("notice", None, [first], ground="silence", evidence=[], **about)
    notice = doc_id(notice["signed"])
    w.liar.say("approval", None, [second], notice=notice, **about)
    w.liar.say("refusal", None, [first], notice=notice, reason="not yet", **about)
    w.liar.say("objection", root, notice=notice, support_until="2031-01-01T00:00:00Z")
    w.liar.seal()
    assert w.look() == ["deposit", "notice", "approval", "refusal", "objection"], w.report
    assert 'trustee-1 asks for the release' in w.text("notice"), w.report
    assert w.text("approval").startswith("trustee-2: approves "), w.report
    assert w.text("refusal").endswith(": not yet"), w.report
    assert w.text("objection").endswith("support until 2031-01-01T00:00:00Z"), w.report
    w.liar.say("approval", None, [Key()], notice=notice, **about)
    w.liar.say("approval", None, [first], notice=notice, deposit="d" * 64, bridge="b" * 64)
    w.liar.seal()
    assert w.look(status=3) == ["unsigned", "unsigned"], w.report


def deposit_that_no_longer_fits_is_stale(w):
    root = w.settle()
    w.liar.deposit(root, refresh_by="2020-01-01T00:00:00Z")
    w.liar.seal()
    assert w.look() == ["deposit", "stale-escrow"], w.report
    assert "refreshed by 2020" in w.text("stale-escrow"), w.report
    w.liar.deposit(root)
    w.liar.seal()
    assert w.look() == ["deposit", "stale-escrow"], w.report
    assert w.text("stale-escrow").startswith("over: "), w.report
    second = w.liar.root()
    w.liar.seal()
    assert w.look() == ["root", "stale-escrow"], w.report
    assert "does not follow root 2" in w.text("stale-escrow"), w.report
    w.liar.deposit(second, bridge="c" * 64)
    w.liar.seal()
    assert w.look() == ["deposit", "stale-escrow"], w.report


def two_deposits_on_one_root_that_differ(w):
    root = w.settle()
    w.liar.deposit(root)
    w.liar.deposit(root, bridge="c" * 64)
    w.liar.seal()
    assert w.look(status=3) == ["deposit", "two-deposits", "deposit"], w.report
    assert "another bridge" in w.text("two-deposits"), w.report


def rotation_and_succession_are_news(w):
    root = w.settle()
    w.liar.say("rotation", root, to="e" * 64, reason="a lost card",
               **{"from": doc_id(root["signed"])})
    w.liar.say("rotation", root, to="e" * 64, **{"from": "f" * 64})
    w.liar.seal()
    assert w.look(status=3) == ["rotation", "unsigned"], w.report
    assert "a lost card" in w.text("rotation"), w.report


def targets_of_another_hand(w):
    w.settle()
    w.liar.online_roles(w.liar.targets(signer=Key()))
    w.liar.seal()
    assert "unsigned" in w.look(status=3), w.report


# --- what devices are given ---------------------------------------------------------------


def metadata_that_expires(w):
    w.liar.root(expires=after(30))
    w.liar.online_roles(w.liar.targets(expires=after(10)), after(2), after(0.1))
    w.liar.seal()
    assert w.look() == ["trust", "root"] + 4 * ["expiry"], w.report
    assert {e["level"] for e in w.report["events"][2:]} == {"warning"}, w.report
    w.liar.online_roles(w.liar.targets(), after(2), after(-1))
    w.liar.seal()
    assert w.look(status=3) == ["expiry", "expiry"], w.report
    told = {(e["level"], e["text"].split()[0]) for e in w.report["events"]}
    assert told == {("alarm", "timestamp"), ("news", "over:")}, w.report
    assert w.look("--warn-snapshot", "1", status=3) == ["expiry"], w.report


def root_that_is_served_but_not_logged(w):
    w.settle()
    w.liar.root(log=False)
    assert w.look() == [], w.report
    time.sleep(1.1)
    assert w.look(status=3) == ["unlogged"], w.report


def targets_that_are_not_logged(w):
    w.settle()
    w.liar.online_roles(w.liar.targets(log=False))
    assert set(late(w, status=3)) == {"not-as-logged"}, w.report


def targets_that_are_logged_and_held_back(w):
    w.settle()
    w.liar.targets()
    w.liar.seal()
    assert late(w, status=3) == ["not-as-logged"], w.report


def timestamp_that_goes_back(w):
    w.settle()
    old = w.liar.files[f"p/{PRODUCT}/metadata/timestamp.json"]
    w.liar.online_roles(json.loads(w.liar.files[f"p/{PRODUCT}/metadata/1.targets.json"]))
    assert w.look() == [], w.report
    w.liar.files[f"p/{PRODUCT}/metadata/timestamp.json"] = old
    assert w.look(status=3) == ["rollback"], w.report


def metadata_of_another_hand(w):
    w.settle()
    w.liar.online_key = Key()
    w.liar.online_roles(json.loads(w.liar.files[f"p/{PRODUCT}/metadata/1.targets.json"]))
    assert late(w, status=3) == ["metadata"], w.report


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
