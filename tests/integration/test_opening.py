# SPDX-License-Identifier: Apache-2.0
"""Shares come to the registry; the deposit opens, whatever happens meanwhile."""

import base64
import hashlib
import json
import re
import shlex
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from lib_escrow import BIN, World
from test_escrow_registry import LIMIT_S, REGISTRY, Running, deposit, eol_and_votes, product, tool


def post(url, body):
    q = urllib.request.Request(url + "/v1/shares", json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(q, timeout=LIMIT_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


def shares_of(w, id_):
    """What each trustee would send, decrypted by hand."""
    seats = w.read("deposit/deposit.json")["signed"]["trustees"]["seats"]
    out = {}
    for seat, name in zip(seats, ("anna", "bert", "carla")):
        fpr = seat["encryption_fingerprint"].upper()
        w.sh(f"gpg --batch --quiet -o {name}.share -d deposit/public/shares/{fpr}.gpg",
             home=w.homes[name])
        out[name] = {"product": "lego.nxt", "deposit": id_, "compartment": "public",
                     "number": seat["number"], "approval": "0" * 64,
                     "share": base64.b64encode((w.dir / f"{name}.share").read_bytes()).decode()}
    return out


def approvals(w, shares):
    """The id of each approval goes into its trustee's share."""
    tree = w.dir / "registry/public/p/lego.nxt"
    index = json.loads((tree / "index.json").read_text())
    keys = {w.read(f"{n}.json")["keyid"]: n for n in shares}
    for d in index["documents"]:
        if d["type"] == "approval":
            doc = json.loads((tree / d["path"]).read_text())
            shares[keys[doc["signatures"][0]["keyid"]]]["approval"] = d["id"]


def kept(w):
    return sorted(str(p.relative_to(w.dir / "registry/shares")) for p in
                  (w.dir / "registry/shares").glob("*/*")) if (w.dir / "registry/shares").exists() \
        else []


def nothing_is_kept_before_its_time(w, r, shares):
    status, said = post(r.url, shares["anna"])
    assert status == 409 and "not released" in said["message"], said
    assert kept(w) == []


def bad_shares_are_named(w, r, shares):
    raw = bytearray(base64.b64decode(shares["bert"]["share"]))
    raw[10] ^= 1
    status, said = post(r.url, dict(shares["bert"], share=base64.b64encode(raw).decode()))
    assert status == 400, said
    assert "share 2 (Bert B.): digest does not match the manifest" == said["message"], said
    status, said = post(r.url, dict(shares["anna"], number=2))
    assert status == 400 and "share 2 (Bert B.)" in said["message"], said
    status, said = post(r.url, dict(shares["anna"], number=4))
    assert status == 400 and "no such share" in said["message"], said
    status, said = post(r.url, dict(shares["anna"], approval="1" * 64))
    assert status == 409 and "not in the log" in said["message"], said
    status, said = post(r.url, dict(shares["carla"], approval=shares["anna"]["approval"]))
    assert status == 409 and "is no approval of this deposit by" in said["message"], said
    status, said = post(r.url, dict(shares["anna"], compartment="restricted"))
    assert status == 409, said
    assert kept(w) == []


def own_programs(w, script):
    """A folder with the registry, and beside it a worker of our own."""
    folder = w.dir / "bin"
    folder.mkdir()
    shutil.copy(REGISTRY, folder / "bequest-registry")
    worker = folder / "bequest-escrow"
    worker.write_text("#!/bin/sh\n" + script)
    worker.chmod(0o755)
    return str(folder / "bequest-registry")


def start(w, r, program):
    r.process = subprocess.Popen([program, "serve", "--data", "registry", "--listen",
                                  "127.0.0.1:0"], cwd=w.dir, env=w.env, text=True,
                                 stdout=subprocess.PIPE)
    r.url = re.match(r"listening (http://\S+)", r.process.stdout.readline()).group(1)


def opens_though_killed_on_the_way(w, r, shares):
    """The worker first kills the registry, then is killed itself, then does its work."""
    r.stop()
    program = own_programs(w, f"""
if mkdir {w.dir}/first 2>/dev/null; then kill -9 $PPID; exit 1; fi
if mkdir {shlex.quote(str(w.dir))}/second 2>/dev/null; then kill -9 $PPID; exec sleep 1; fi
exec {shlex.quote(str(BIN))} "$@"
""")
    start(w, r, program)
    status, said = post(r.url, shares["anna"])
    assert status == 200 and (said["have"], said["need"], said["state"]) == (1, 2, "sealed"), said
    assert post(r.url, shares["anna"])[1]["have"] == 1
    assert kept(w) == [f"{shares['anna']['deposit']}/1"]
    r.process.send_signal(signal.SIGKILL)
    r.process.wait(LIMIT_S)
    start(w, r, program)
    status, said = post(r.url, shares["bert"])
    assert status == 200 and (said["have"], said["state"]) == (2, "opening"), said
    for _ in range(2):
        assert r.process.wait(LIMIT_S) == -signal.SIGKILL
        assert len(kept(w)) == 2
        start(w, r, program)
    w.run("status", "--product", "lego.nxt", "--registry", r.url, "--wait-open", LIMIT_S)
    until = time.monotonic() + LIMIT_S
    while kept(w):
        assert time.monotonic() < until, "the shares stay"
        time.sleep(0.05)


def release_is_what_was_opened(w, shares):
    tree = w.dir / "registry/public/p/lego.nxt"
    id_ = shares["anna"]["deposit"]
    index = json.loads((tree / "index.json").read_text())
    manifest = w.read("deposit/deposit.json")["signed"]
    (entry,) = [d for d in index["documents"] if d["type"] == "release"]
    release = json.loads((tree / entry["path"]).read_text())["signed"]
    assert release["deposit"] == id_ and release["items"] == manifest["items"], release
    assert release["approvals"] == [shares[n]["approval"] for n in ("anna", "bert")], release
    digests = [hashlib.sha256((w.dir / f"{n}.share").read_bytes()).hexdigest()
               for n in ("anna", "bert")]
    assert [s["sha256"] for s in release["shares"]] == digests, release
    assert release["refs"] == {n: v["commit"] for n, v in manifest["refs"].items()}, release
    assert index["deposits"][0]["state"] == "open", index["deposits"]
    assert index["source"]["head"] == manifest["refs"]["refs/heads/main"]["commit"], index["source"]
    for item in manifest["items"]:
        data = (tree / "deposits" / id_ / "open" / item["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == item["sha256"], item
    end = time.monotonic() + LIMIT_S  # the release is out before the worker's folder is gone
    while (w.dir / "registry/work/open").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def pages_tell_it(w, r):
    for path, words in (("/", "lego.nxt"), ("/p/lego.nxt/", "what was left in escrow is open")):
        with urllib.request.urlopen(r.url + path, timeout=LIMIT_S) as answer:
            text = answer.read().decode()
            assert words in text and "default-src" in answer.headers["Content-Security-Policy"], text


def git_clones_it(w, r):
    url = r.url + "/p/lego.nxt/source.git"
    want = w.sh("git -C src rev-parse HEAD")
    for name, smart in (("smart", "1"), ("dumb", "0")):
        w.sh(f"GIT_SMART_HTTP={smart} git -c http.proxy= clone -q {url} {name}")
        assert w.sh(f"git -C {name} rev-parse HEAD") == want
        assert "v1" in w.sh(f"git -C {name} tag")


def main():
    w = World()
    r = Running(w)
    try:
        product(w, r)
        shares = shares_of(w, deposit(w, r))
        nothing_is_kept_before_its_time(w, r, shares)
        eol_and_votes(w, r)
        approvals(w, shares)
        bad_shares_are_named(w, r, shares)
        opens_though_killed_on_the_way(w, r, shares)
        release_is_what_was_opened(w, shares)
        git_clones_it(w, r)
        pages_tell_it(w, r)
        status, said = post(r.url, shares["anna"])
        assert status == 200 and said["state"] == "open" and kept(w) == [], said
        r.stop()
        tool(w, REGISTRY, "fsck", "--data", "registry")
    finally:
        if r.process.poll() is None:
            r.stop()
        w.close()
    print("ok")


main()
