# SPDX-License-Identifier: Apache-2.0
"""Nothing of what a mirror said is left when the next one is asked, but for what was verified."""
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import LONG, Server, identity, run_tests, witnessed  # noqa: E402

V1, V2 = (bytes([i]) * 100_001 for i in (1, 2))
NOBODY = "http://127.0.0.1:9/"


def _mirrors(d, *urls):
    lines = [line for line in d.conf.read_text().splitlines() if not line.startswith("url ")]
    d.conf.write_text("\n".join(lines + [f"url = {u}" for u in urls]) + "\n")


def _offered(case, **device):
    """A product that changes hands, a device of before, and a mirror's tree to spoil."""
    product = case.product
    product.image("1.0.0", V1)
    product.publish()
    d = case.device(image=V1, **device)
    d.ok("check")
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers)
    lying = case.dir / "lying"
    shutil.copytree(case.dir / "tree", lying)
    return d, lying / "p/acme.x1", Server(lying)


def _forge(part, doc):
    path = part / "statements" / f"{identity(doc)}.json"
    path.write_text(path.read_text().replace("engineer", "intern"))


def an_offer_that_is_none_is_forgotten_with_its_mirror(case):
    d, part, liar = _offered(case)
    _forge(part, case.product.eol)
    _mirrors(d, liar.url, NOBODY)
    assert "was changed since it was logged" in d.expect(3, "update").stderr
    assert d.status()["waiting"] is None
    # Where nobody else was asked, it is what there is to tell.
    _mirrors(d, NOBODY, liar.url)
    d.expect(3, "update")
    assert d.status()["waiting"]["kind"] == "handover"
    liar.close()


def a_mirror_that_withholds_evidence_voids_no_consent(case):
    d, part, liar = _offered(case)
    d.expect(4, "check")
    agreed = d.state()["offer"]
    _mirrors(d, NOBODY)
    d.expect(5, "handover", "accept")
    assert d.state()["consent"]["to"] == agreed
    # It shows less of the evidence, so another offer, and then turns out to be of no use.
    for path in (part / "statements").iterdir():
        if json.loads(path.read_text())["signed"]["_type"] == "approval":
            path.unlink()
    (part / "metadata/held/1/timestamp.json").write_bytes(b"{}")
    _mirrors(d, liar.url, case.server.url)
    d.ok("update")
    assert d.status()["root_version"] == 3 and d.slot("B", len(V2)) == V2
    liar.close()


def what_was_stale_at_one_mirror_is_not_told_of_the_next(case):
    product = case.product
    product.image("1.0.0", V1)
    product.publish(timestamp_days=-2)
    d = case.device(image=V1)
    stale = case.dir / "stale"
    shutil.copytree(case.dir / "tree", stale)
    old = Server(stale)
    product.handover()
    shutil.rmtree(product.tree / "metadata/held")
    _mirrors(d, old.url, case.server.url)
    out = d.json("check", status=4)
    assert out["stale"] == "" and out["update"] is None, out
    s = d.status()
    assert s["stale"] is None and s["waiting"]["kind"] == "handover", s
    old.close()


def what_waits_by_whole_evidence_stays_when_the_next_mirror_is_dead(case):
    d, part, server = _offered(case)
    (part / "metadata/held/1/timestamp.json").write_bytes(b"{}")
    _mirrors(d, server.url, NOBODY)
    d.run("update")
    assert d.status()["waiting"]["id"] == identity(case.product.bridge)
    server.close()


def one_leaf_chain_is_held_at_a_time(case):
    """Of leaves that are no updates, all have to be kept, and there may be as many as this."""
    product = case.product
    d = witnessed(case, image=V1)
    status, usual = d.peak("check")
    assert status == 0
    product.logged_in_bulk("drill", 12000)
    product.publish_root(product.root(product.vendor, product.vendor.root))
    product.handover()
    product.image("2.0.0", V2)
    product.publish(product.keepers, **LONG)
    product.show_log()
    status, most = d.peak("check")
    assert status == 4 and d.status()["waiting"]["kind"] == "handover"
    size = (product.tree / "leaves.jsonl").stat().st_size
    print(f"leaves.jsonl {size >> 10} KiB; usual {usual} KiB, with the chain {most} KiB", flush=True)
    if not os.environ.get("SAN"):
        assert most - usual < 7 * 1024, "a chain takes 5 MiB"


run_tests(globals(), __name__)
