# SPDX-License-Identifier: Apache-2.0
"""The monitor on logs that lie, and on servers that mean harm.

Each test has a registry of its own that holds the log's real key (lib_liar.py), and a monitor with a
new state folder. A test states the whole list of events, so that none comes unasked.
"""
import base64
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from lib_liar import (LIMIT_S, PRODUCT, NoteKey, late, leaf_hash, merkle_root, run_tests)
from test_registry_poller import Key, doc_id

# --- news -------------------------------------------------------------------------------


def quiet_when_nothing_is_new(w):
    w.settle()
    assert w.look() == [] and w.report["standing"] == [] and w.report["complete"], w.report
    done = subprocess.run(w.command(), capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


def first_look_says_what_is_trusted(w):
    w.liar.settle()
    assert w.look() == ["trust", "root"]
    assert w.liar.log.vkey in w.text("trust") and "registry.json" in w.text("trust"), w.report
    assert doc_id(json.loads(w.liar.files[f"p/{PRODUCT}/metadata/1.root.json"])["signed"]) in \
        w.text("root"), w.report


def key_given_by_hand_is_the_one_that_counts(w):
    w.liar.settle()
    other = NoteKey("liar.example/log")
    assert w.look("--vkey", other.vkey, status=3) == ["trust", "log-key", "checkpoint"], w.report
    done = subprocess.run(w.command("--vkey", w.liar.log.vkey), capture_output=True, text=True,
                          timeout=LIMIT_S)
    assert done.returncode == 2 and "state folder of its own" in done.stderr, done


def statements_are_news(w):
    root = w.settle()
    w.liar.say("product", root, name="X1", support_until="2030-01-01T00:00:00Z")
    w.liar.say("heartbeat", root)
    w.liar.say("eol", root, date="2031-01-01T00:00:00Z", reason="sold out")
    w.liar.seal()
    assert w.look() == ["eol"], w.report
    assert w.text("eol") == "end of life on 2031-01-01: sold out", w.report
    w.liar.online_roles(w.liar.targets())
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look("--all") == ["targets", "heartbeat"], w.report


def shortened_promise_is_a_warning(w):
    root = w.settle()
    w.liar.say("product", root, name="X1", support_until="2030-01-01T00:00:00Z")
    w.liar.say("product", root, name="X1", support_until="2031-01-01T00:00:00Z")
    w.liar.seal()
    assert w.look() == [], w.report
    w.liar.say("product", root, name="X1", support_until="2029-12-31T23:59:59Z")
    w.liar.seal()
    assert w.look() == ["promise-shortened"], w.report
    w.liar.say("product", root, name="X1")
    w.liar.seal()
    assert w.look() == ["promise-shortened"], w.report
    assert "no date at all" in w.text("promise-shortened"), w.report


def only_products_that_were_asked_for(w):
    w.settle()
    w.liar.root(version=9)  # no root 9 may follow root 1
    w.liar.seal()
    assert w.look("--product", "other.one") == [], w.report
    assert w.report["complete"], w.report


def product_that_joins_later_is_looked_at_from_its_first_leaf(w):
    root = w.liar.settle()
    w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    assert w.look("--product", "other.one") == ["trust"], w.report
    assert w.look("--product", "other.one", "--product", PRODUCT) == ["root", "eol"], w.report
    w.liar.say("eol", root, date="2032-01-01T00:00:00Z")
    w.liar.seal()
    assert w.look("--product", PRODUCT) == ["eol"], w.report
    assert w.look() == [], w.report  # all of them: nothing of this one is told again


def log_of_any_size_takes_the_same_memory(w):
    """In a process of 300 leaves and in one of 30 000, of other products."""
    w.settle()
    peaks = []
    for leaves in (300, 30_000):
        w.liar.beats("other.one", leaves)
        w.liar.seal()
        p = subprocess.Popen(w.command("--product", PRODUCT, "--follow", "--json"), text=True,
                             stdout=subprocess.PIPE)
        assert json.loads(p.stdout.readline())["complete"]
        used = pathlib.Path(f"/proc/{p.pid}/status").read_text()
        peaks.append(int(re.search(r"VmHWM:\s+(\d+) kB", used).group(1)))
        p.terminate()
        p.communicate(timeout=LIMIT_S)
    if not os.environ.get("SAN"):  # whose allocator keeps what was freed
        assert peaks[1] - peaks[0] < 4096, peaks


def log_of_many_bundles_is_walked_in_parts(w):
    root = w.settle()
    for _ in range(600):
        w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look("--leaves", "100", status=5) == [], w.report
    assert not w.report["complete"], w.report
    seen = []
    for _ in range(20):
        done = subprocess.run(w.command("--leaves", "100", "--all", "--json"),
                              capture_output=True, text=True, timeout=LIMIT_S)
        report = json.loads(done.stdout)
        seen += [e["index"] for e in report["events"]]
        if report["complete"]:
            break
    assert done.returncode == 0 and len(seen) == len(set(seen)), (done, seen)
    assert seen[-1] == 601, seen[-3:]


def killed_monitor_goes_on_where_it_was(w):
    root = w.settle()
    for _ in range(700):
        w.liar.say("heartbeat", root)
    w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    rounds, told = 0, []
    while True:
        p = subprocess.Popen(w.command("--all"), stdout=subprocess.PIPE, text=True)
        try:
            out, _ = p.communicate(timeout=0.02 * (rounds + 1))
        except subprocess.TimeoutExpired:
            p.kill()
            out, _ = p.communicate()
        told += [line.split(":", 3)[-1] for line in out.splitlines() if line.endswith("\n") or 1]
        rounds += 1
        if p.returncode == 0:
            break
        assert rounds < 200
    assert any("end of life" in t for t in told), told[-3:]
    for n in range(1, 701):
        assert any(t.strip() == f"heartbeat version {n}" for t in told), n
    assert rounds > 1, "was never killed"


def follow_looks_again_until_it_is_told_to_end(w):
    root = w.settle()
    p = subprocess.Popen(w.command("--follow", "--every", "1"), stdout=subprocess.PIPE, text=True)
    try:
        w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
        w.liar.seal()
        assert " news eol acme.x1: " in p.stdout.readline()
        p.terminate()
        assert p.wait(LIMIT_S) == 0
    finally:
        p.kill()
        p.communicate()


# --- the log ----------------------------------------------------------------------------


def fork_with_the_real_key(w):
    root = w.settle()
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look() == []
    before = w.liar.files["log/checkpoint"]
    w.liar.leaves[-1:] = [b'{"another":"history"}', b"{}"]
    w.liar.seal()
    for _ in range(2):
        kinds = w.look(status=3)
    assert kinds == [] and [s["kind"] for s in w.report["standing"]] == ["fork"], w.report
    assert w.report["vantages"][0]["followed"] is False, w.report
    found = [p for p in pathlib.Path(w.state, "evidence").glob("fork-*/*")]
    kept = {p.name: p.read_bytes() for p in found}
    assert kept["a.checkpoint"] == before, kept
    assert kept["b.checkpoint"] == w.liar.files["log/checkpoint"], kept
    # What is kept proves it: the first leaves of b have another root than a says.
    first = merkle_root([leaf_hash(e) for e in w.liar.leaves[:3]])
    assert base64.b64encode(first) in kept["about.txt"], kept


def another_root_for_the_same_size(w):
    w.settle()
    w.liar.leaves[-1] = b'{"another":"history"}'
    w.liar.seal()
    assert w.look(status=3) == ["fork"], w.report


def shrunk_log(w):
    root = w.settle()
    w.liar.say("heartbeat", root)
    w.liar.seal()
    w.look()
    long = w.liar.files["log/checkpoint"]
    w.liar.files["log/checkpoint"] = w.liar.checkpoint(2)
    assert w.look(status=3) == ["shrunk"], w.report
    assert set(w.evidence("shrunk")) == {"before.checkpoint", "after.checkpoint"}
    assert w.look(status=3) == [], w.report  # it stands, and was told
    w.liar.files["log/checkpoint"] = long
    assert w.look() == ["shrunk"] and w.text("shrunk").startswith("over: "), w.report


def split_view_between_two_vantage_points(w):
    root = w.settle()
    other = dict(w.liar.files)
    twin = copy.copy(w.liar)
    twin.files, twin.leaves, twin.last = other, list(w.liar.leaves), dict(w.liar.last)
    twin.version = dict(w.liar.version)
    w.serve(other)
    assert w.look() == [], w.report
    w.liar.say("heartbeat", root)
    w.liar.seal()
    twin.say("eol", root, date="2031-01-01T00:00:00Z")
    twin.seal()
    assert w.look(status=3) == ["fork"], w.report
    assert {e["of"] for e in w.report["events"]} == {w.more[0].url}, w.report
    assert w.report["vantages"][0]["followed"] and not w.report["vantages"][1]["followed"]
    # The other one grows on its own: still two histories, and told once.
    twin.say("heartbeat", root)
    twin.seal()
    assert w.look(status=3) == [], w.report
    kept = list(pathlib.Path(w.state, "evidence").iterdir())
    assert len(kept) == 2, kept


def split_view_at_the_very_first_look(w):
    root = w.liar.settle()
    other = dict(w.liar.files)
    twin = copy.copy(w.liar)
    twin.files, twin.leaves, twin.last = other, list(w.liar.leaves), dict(w.liar.last)
    twin.version = dict(w.liar.version)
    w.serve(other)
    w.liar.say("heartbeat", root)
    w.liar.seal()
    twin.say("eol", root, date="2031-01-01T00:00:00Z")
    twin.say("heartbeat", root)
    twin.seal()
    assert sorted(w.look(status=3)) == ["fork", "root", "trust"], w.report
    assert w.report["vantages"][0]["followed"], w.report


def checkpoint_of_a_witness_gives_a_fork_away(w):
    root = w.settle()
    w.serve({})
    url = w.more.pop()
    other = ["--checkpoint", url.url + "witness/checkpoint"]
    try:
        url.files["witness/checkpoint"] = w.liar.files["log/checkpoint"]
        w.liar.say("heartbeat", root)
        w.liar.seal()
        assert w.look(*other) == [] and w.report["complete"], w.report
        url.files["witness/checkpoint"] = w.liar.checkpoint(3, root=bytes(32))
        assert w.look(*other, status=3) == ["fork"], w.report
        assert w.evidence("fork")["a.checkpoint"] == url.files["witness/checkpoint"]
        # One that is ahead is only late news, for a while.
        w.liar.say("heartbeat", root)
        url.files["witness/checkpoint"] = w.liar.checkpoint()
        assert w.look(*other, status=3) == [], w.report
        time.sleep(1.1)
        assert w.look(*other, status=3) == ["ahead"], w.report
        w.liar.seal()
        assert sorted(w.look(*other)) == ["ahead", "fork"], w.report
    finally:
        url.close()


def mirror_that_is_behind_is_no_split(w):
    root = w.settle()
    w.serve(dict(w.liar.files))
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look() == [] and w.report["complete"], w.report


def one_vantage_point_is_down(w):
    w.settle()
    w.serve({})
    assert w.look(status=5) == ["unreachable"], w.report
    assert w.report["vantages"][0]["followed"], w.report


def checkpoint_of_another_key(w):
    w.settle()
    w.liar.log = NoteKey("liar.example/log")
    w.liar.seal()
    assert w.look(status=3) == ["checkpoint"], w.report


def record_that_names_another_key(w):
    w.settle()
    real, w.liar.log = w.liar.log, NoteKey("liar.example/log")
    w.liar.record(2)
    w.liar.log = real
    assert w.look(status=3) == ["registry", "log-key"], w.report


def record_that_goes_back_or_changes_hands(w):
    w.settle()
    w.liar.record(2)
    assert w.look() == ["registry"], w.report
    w.liar.record(1)
    assert w.look(status=3) == ["record"], w.report
    w.liar.record_key = Key()
    w.liar.record(3)
    assert w.look(status=3) == [], w.report
    assert "the record before" in w.report["standing"][0]["text"], w.report


def tiles_that_are_not_of_the_checkpoint(w):
    root = w.settle()
    for _ in range(300):
        w.liar.say("heartbeat", root)
    w.liar.seal()
    w.liar.files["log/tile/0/000"] = bytes(256 * 32)
    assert w.look(status=3) == ["tiles"], w.report


def entries_that_are_not_in_the_tree(w):
    root = w.settle()
    w.liar.say("eol", root, date="2031-01-01T00:00:00Z")
    w.liar.seal()
    name = "log/tile/entries/000.p/3"
    good = w.liar.files[name]
    w.liar.files[name] = good.replace(b'"version":1}', b'"version":2}')
    assert w.look(status=3) == ["entries"], w.report
    w.liar.files[name] = good[:-1]
    assert w.look(status=3) == [], w.report
    w.liar.files[name] = good
    assert w.look() == ["entries", "eol"], w.report


def witness_quorum_is_missing(w):
    witness = [NoteKey(f"w{n}.example", 4) for n in range(3)]
    w.liar.asked_witnesses = {"keys": [k.vkey for k in witness], "threshold": 2}
    w.liar.record(2)
    w.liar.witnesses = witness[:2]
    root = w.settle()
    w.liar.witnesses = witness[:1]
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert late(w, status=3) == ["quorum", "quorum"], w.report
    w.liar.witnesses = witness[1:]
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look() == ["quorum", "quorum"], w.report
    assert all(e["text"].startswith("over: ") for e in w.report["events"]), w.report


def policy_given_by_hand(w):
    witness = [NoteKey(f"w{n}.example", 4) for n in range(2)]
    w.liar.witnesses = witness[:1]
    w.liar.settle()
    path = pathlib.Path(w.state, "policy")

    def ask(need):
        path.write_text(f"log {w.liar.log.vkey}\nwitness a {witness[0].vkey}\n"
                        f"witness b {witness[1].vkey}\ngroup g {need} a b\nquorum g\n")

    ask("any")
    assert w.look("--policy", path) == ["trust", "root"], w.report
    assert "given on the command line" in w.text("trust"), w.report
    ask("all")
    w.look("--policy", path)
    time.sleep(1.1)
    assert w.look("--policy", path, status=3) == ["quorum"], w.report


# --- leaf chains ------------------------------------------------------------------------


def two_leaves_with_one_seq(w):
    root = w.settle()
    beat = w.liar.say("heartbeat", root)
    eol = w.liar.say("eol", root, date="2031-01-01T00:00:00Z", log=False)
    w.liar.leaf(eol, seq=3, prev=leaf_hash(w.liar.leaves[1]))
    w.liar.seal()
    assert sorted(w.look(status=3)) == ["eol", "two-leaves"], w.report
    kept = w.evidence("two-leaves")
    assert json.loads(kept["a.leaf.json"])["id"] == doc_id(beat["signed"]), kept
    assert json.loads(kept["b.leaf.json"])["id"] == doc_id(eol["signed"]), kept
    assert kept["a.tlog-proof"].startswith(b"c2sp.org/tlog-proof@v1\nindex 2\n"), kept
    assert w.look() == [], w.report


def gap_in_a_leaf_chain(w):
    root = w.settle()
    w.liar.last[PRODUCT] = (3, w.liar.last[PRODUCT][1])
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look(status=3) == ["gap"], w.report


def leaf_that_names_another_before_it(w):
    root = w.settle()
    w.liar.last[PRODUCT] = (2, bytes([7]) * 32)
    w.liar.say("heartbeat", root)
    w.liar.seal()
    assert w.look(status=3) == ["broken-chain"], w.report


def leaf_that_is_none(w):
    w.settle()
    w.liar.leaves.append(b'{"kind": "root"}')
    w.liar.seal()
    assert w.look(status=3) == ["bad-leaf"], w.report


def the_same_document_logged_twice(w):
    root = w.settle()
    beat = w.liar.say("heartbeat", root)
    w.liar.leaf(beat)
    w.liar.seal()
    assert w.look(status=3) == ["twice"], w.report


# --- a server that means harm ---------------------------------------------------------------


def answer_of_four_gib(w):
    w.settle()

    def endless(h):
        h.send_response(200)
        h.send_header("Content-Length", str(4 << 30))
        h.end_headers()
        try:
            while True:
                h.wfile.write(bytes(1 << 16))
        except OSError:
            pass

    w.server.hooks["log/checkpoint"] = endless
    assert w.look(status=3) == ["checkpoint"], w.report
    del w.server.hooks["log/checkpoint"]
    w.server.hooks[f"p/{PRODUCT}/metadata/timestamp.json"] = endless
    assert "metadata" in late(w, status=3), w.report


def answer_without_end_or_length(w):
    w.settle()

    def endless(h):
        h.send_response(200)
        h.end_headers()
        try:
            while True:
                h.wfile.write(b"x" * 4096)
        except OSError:
            pass

    w.server.hooks["registry.json"] = endless
    assert w.look(status=3) == ["record"], w.report


def time_of_a_look_is_bounded(w):
    root = w.settle()
    for _ in range(40):
        w.liar.say("heartbeat", root)
    w.liar.seal()
    w.server.delay_s = 0.2
    begin = time.monotonic()
    some = w.look("--seconds", "1", "--all", status=5)
    assert time.monotonic() - begin < 8, some
    w.server.delay_s = 0
    assert (some + w.look("--all")).count("heartbeat") == 40, w.report


def bytes_of_others_do_not_reach_a_terminal(w):
    root = w.settle()
    w.liar.say("eol", root, date="2031-01-01T00:00:00Z", reason="a\u001b[31m\nb")
    w.liar.seal()
    done = subprocess.run(w.command(), capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0 and "\x1b" not in done.stdout, done
    assert done.stdout.count("\n") == 1 and "\\x1b" in done.stdout, done


def wrong_command_lines(w):
    for args in (["--policy", "/dev/null"], ["--policy", "/nowhere"], ["--every", "5"], ["--product", "No Product"],
                 ["--url", "ftp://example.org/"], ["--url", w.server.url], ["--vkey", "x"]):
        done = subprocess.run(w.command(*args), capture_output=True, text=True, timeout=LIMIT_S)
        assert done.returncode == 2, (args, done)


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
