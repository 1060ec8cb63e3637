# SPDX-License-Identifier: Apache-2.0
"""The device agent under one publisher: check, update, boot, confirm, rollback, and what it refuses."""
import datetime
import json
import pathlib
import shutil
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import run_tests, sha256  # noqa: E402

V1, V2, V3 = (bytes([i]) * 100_001 for i in (1, 2, 3))


def _published(case, *versions):
    case.product.image("1.0.0", V1)
    for version, data in versions:
        case.product.image(version, data)
    case.product.publish()


def an_update_is_installed_booted_and_confirmed(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1)
    s = d.status()
    assert s["publisher"] == {"id": "vendor", "kind": "vendor"} and s["root_version"] == 1, s
    assert s["installed"]["version"] == "1.0.0" and s["installed"]["slot"] == "A", s
    assert sorted(s) == ["installed", "last", "log", "product", "publisher", "root_version", "stale",
                         "time", "waiting"], s
    found = d.json("check")
    assert found["update"]["state"] == "available" and found["update"]["version"] == "2.0.0"
    assert d.slot("B", 1) == b"\0", "check installs nothing"
    assert d.status()["waiting"]["kind"] == "update"
    assert d.json("update")["update"]["state"] == "installed"
    assert d.slot("B", len(V2)) == V2 and d.slot("A", len(V1)) == V1
    assert d.env()["BOOT_ORDER"] == "B A" and d.env()["BOOTED"] == "A"
    assert d.json("update")["update"]["state"] == "next", "it is not written twice"
    assert d.boot() == "B"
    assert d.env()["BOOT_B_LEFT"] == "2"
    assert d.status()["installed"] == {"version": "2.0.0", "sha256": sha256(V2), "slot": "B"}
    d.ok("confirm")
    assert d.env()["BOOT_B_LEFT"] == "3"
    d.ok("update")
    assert d.status()["waiting"] is None
    events = [e["event"] for e in d.json("history")["history"]]
    assert events == ["init", "installed", "confirmed"], events
    files = sorted(p.name for p in (d.dir / "state/metadata").iterdir())
    assert files == ["root.json", "snapshot.json", "targets.json", "timestamp.json"], files


def nothing_new_costs_two_requests(case):
    _published(case)
    d = case.device(image=V1)
    d.ok("check")
    case.server.requests.clear()
    d.ok("check")
    assert [r.rsplit("/", 1)[1] for r in case.server.requests] == ["2.root.json", "timestamp.json"]


def a_version_that_does_not_come_up_is_not_tried_again(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1)
    d.ok("update")
    assert [d.boot() for _ in range(4)] == ["B", "B", "B", "A"]
    out = d.json("update")
    assert out["update"]["state"] == "postponed" and "did not work" in out["update"]["reason"], out
    assert d.env()["BOOT_ORDER"] == "A"
    assert "fell-back" in d.run("history").stdout
    # Its publisher touches the entry: that is another try.
    case.product.image("2.0.0", V2, notes="now with the right kernel")
    case.product.publish()
    assert d.json("update")["update"]["state"] == "installed"


def an_unconfirmed_slot_is_never_left_without_a_way_back(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1)
    d.ok("update")
    assert d.boot() == "B"
    case.product.image("3.0.0", V3)
    case.product.publish()
    p = d.expect(5, "update")
    assert "is not confirmed yet" in p.stderr
    assert d.slot("A", len(V1)) == V1
    d.ok("confirm")
    d.ok("update")
    assert d.slot("A", len(V3)) == V3


def rollback_goes_to_the_other_slot_and_stays_there(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1)
    assert "holds nothing" in d.expect(5, "rollback").stderr
    d.ok("update")
    d.boot()
    d.ok("confirm")
    d.ok("rollback")
    assert d.boot() == "A"
    d.ok("confirm")
    assert d.json("update")["update"]["state"] == "postponed"
    d.ok("rollback")
    assert d.boot() == "B", "the owner may change his mind"


def rollback_of_what_never_started_stays(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1)
    d.ok("update")
    d.ok("rollback")
    assert d.boot() == "A" and d.env()["BOOT_ORDER"] == "A"


def health_decides_whether_a_slot_is_confirmed(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1, health="test -e well", health_timeout=5)
    d.ok("update")
    d.boot()
    assert "slot B is not confirmed" in d.expect(1, "confirm").stderr
    assert d.env()["BOOT_B_LEFT"] == "2"
    (d.dir / "well").touch()
    d.ok("confirm")
    assert d.env()["BOOT_B_LEFT"] == "3"


def health_that_never_answers_is_given_up(case):
    _published(case)
    d = case.device(image=V1, health="sleep 60", health_timeout=1)
    assert "no answer after 1 seconds" in d.expect(1, "confirm").stderr


def an_image_larger_than_the_slot_is_refused_before_writing(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1[:1000], slot_size=len(V2) - 1)
    p = d.expect(1, "update")
    assert f"holds {len(V2) - 1} bytes, the image has {len(V2)}" in p.stderr, p.stderr
    assert d.slot("B") == b"\0" * (len(V2) - 1)
    assert d.boot() == "A"


def an_image_as_large_as_the_slot_fits(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1, slot_size=len(V2))
    d.ok("update")
    assert d.slot("B") == V2


def a_wrong_image_is_never_bootable_and_the_next_mirror_helps(case):
    _published(case, ("2.0.0", V2))
    case.server.rules.append(("/targets/", lambda _, data: data[:-1] + b"X"))
    d = case.device(image=V1)
    p = d.expect(3, "update")
    assert "want sha256" in p.stderr, p.stderr
    assert d.env()["BOOT_ORDER"] == "A" and d.boot() == "A"
    case.server.rules.clear()
    d.ok("update")
    assert d.boot() == "B" and d.slot("B", len(V2)) == V2


def a_lying_mirror_costs_one_attempt(case):
    _published(case, ("2.0.0", V2))
    lie = case.dir / "lie"
    shutil.copytree(case.dir / "tree", lie)
    metadata = lie / "p" / case.product.name / "metadata"
    text = (metadata / "timestamp.json").read_text()
    (metadata / "timestamp.json").write_text(text.replace('"version": 1', '"version": 7'))
    d = case.device(image=V1, urls=["http://127.0.0.1:9/", f"file://{lie}", case.server.url])
    d.ok("update")
    assert d.slot("B", len(V2)) == V2


def mirrors_that_the_root_names_are_used_too(case):
    product = case.product
    product.mirrors = [case.server.url, "file:///etc"]
    product.publish_root(product.root(product.vendor, product.vendor.root))
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1)
    d.ok("check")
    d.conf.write_text(d.conf.read_text().replace(case.server.url, "http://127.0.0.1:9/"))
    d.ok("update")
    assert d.status()["root_version"] == 2


def a_broken_transfer_goes_on_where_it_stopped(case):
    big = bytes(range(256)) * 200_000  # 51 MB: several flushes
    _published(case, ("2.0.0", big))
    d = case.device(image=V1, slot_size=len(big))
    case.server.rules.append(("/targets/", lambda h, data: h.cut(data, 40_000_000) or False))
    assert d.run("update").returncode == 5
    case.server.rules.clear()
    asked = []
    case.server.rules.append(("/targets/", lambda h, data: asked.append(h.headers["Range"]) or data))
    d.ok("update")
    assert len(asked) == 1 and int(asked[0][6:-1]) >= 32 * 1024 * 1024, asked
    assert d.slot("B") == big and d.boot() == "B"


def a_spoilt_slot_is_noticed_when_going_on(case):
    big = bytes(range(256)) * 100_000
    _published(case, ("2.0.0", big))
    d = case.device(image=V1, slot_size=len(big))
    case.server.rules.append(("/targets/", lambda h, data: h.cut(data, 20_000_000) or False))
    d.run("update")
    case.server.rules.clear()
    with open(d.dir / "slot-b.img", "r+b") as f:
        f.seek(1000)
        f.write(b"spoilt")
    d.ok("update")
    assert d.slot("B") == big


def only_what_fits_this_device_is_taken(case):
    product = case.product
    product.image("1.0.0", V1)
    product.image("9.1", b"other" * 100, hardware=["other,one"])
    product.image("9.2", b"delta" * 100, kind="delta")
    product.image("9.3", b"rauc" * 100, backend="rauc")
    product.image("9.4", b"needs" * 100, requires=">=5")
    product.image("9.5", b"none" * 100, rollout={"percent": 0})
    product.image("9.6", b"bad rule" * 100, requires="newest")
    product.image("9.7", b"recalled" * 100, recall=True)
    product.image("bad version!", b"bad" * 100)
    product.image("0.9", b"older" * 100)
    product.image("2.0.0", V2, rollout={"percent": 100}, requires=">=1.0, <2")
    product.publish()
    d = case.device(image=V1)
    out = d.json("update")
    assert out["update"]["version"] == "2.0.0", out
    why = {t["version"]: t for t in d.json("why")["update"]["targets"]}
    assert why["9.1"]["text"] == "not for acme,x1" and why["9.4"]["answer"] == "no", why
    assert "rolled out to 0 of 100" in why["9.5"]["text"]


def a_recalled_version_may_be_left_downwards(case):
    product = case.product
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1)
    d.ok("update")
    d.boot()
    d.ok("confirm")
    product.image("2.0.0", V2, recall=True)
    product.image("1.5.0", V3)
    product.publish()
    assert d.json("update")["update"]["version"] == "1.5.0"
    assert d.slot("A", len(V3)) == V3


def a_byte_budget_makes_a_large_image_wait(case):
    _published(case, ("2.0.0", V2))
    d = case.device(image=V1, byte_budget=len(V2) - 1)
    out = d.json("update")
    assert out["update"]["state"] == "postponed" and "byte-budget" in out["update"]["reason"]
    d.conf.write_text(d.conf.read_text().replace(str(len(V2) - 1), str(len(V2))))
    assert d.json("update")["update"]["state"] == "installed"


def the_factory_image_is_recognised_by_its_digest(case):
    _published(case, ("0.5", V2))
    d = case.device(image=V1, installed="")
    assert d.status()["installed"]["version"] is None
    d.ok("update")
    assert d.status()["installed"] == {"version": "1.0.0", "sha256": sha256(V1), "slot": "A"}


def expired_metadata_says_which_and_who_and_waits(case):
    case.product.image("2.0.0", V2)
    case.product.publish(targets_days=-2)
    d = case.device(image=V1)
    p = d.expect(5, "update")
    assert "targets.json: expired at" in p.stderr and "its publisher has to" in p.stderr, p.stderr
    d.ok("update", "--yes")
    assert d.slot("B", len(V2)) == V2


def metadata_never_goes_back(case):
    _published(case)
    d = case.device(image=V1)
    d.ok("check")
    case.product.publish()
    d.ok("check")
    case.product.publish(version=1)
    p = d.expect(3, "check")
    assert "timestamp" in p.stderr, p.stderr


def _certificate(folder, days):
    """A self-signed certificate for localhost that ended `days` ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    end = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(end - datetime.timedelta(days=1)).not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .sign(key, hashes.SHA256()))
    path = folder / "server.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                     + cert.public_bytes(Encoding.PEM))
    return path


def an_expired_certificate_will_do_where_the_owner_says_so(case):
    _published(case, ("2.0.0", V2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(case.dir, 400))
    server = case.server.httpd
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://localhost:{server.server_address[1]}/"
    d = case.device(image=V1, urls=[url])
    p = d.expect(5, "update")
    assert "certificate" in p.stderr, p.stderr
    d.conf.write_text(d.conf.read_text() + "tls = unverified\n")
    # It is the signatures that decide.
    image = next((case.product.tree / "targets").glob("*2.0.0.bin"))
    image.write_bytes(b"\x07" * len(V2))
    d.expect(3, "update")
    image.write_bytes(V2)
    d.ok("update")
    assert d.slot("B", len(V2)) == V2


def a_memory_stick_installs_without_a_network(case):
    _published(case, ("2.0.0", V2))
    for i, stick in enumerate(("stick with space", "product only")):
        d = case.device(image=V1, urls=["http://127.0.0.1:9/"])
        to = case.dir / stick
        shutil.copytree(case.dir / "tree" if i == 0 else case.product.tree, to)
        d.ok("install", "--from", to)
        assert d.slot("B", len(V2)) == V2
    d.expect(2, "install", "--from", case.dir)
    d.expect(2, "install", "--from", case.dir / "nowhere")


def losing_the_state_falls_back_to_the_factory_root(case):
    product = case.product
    product.publish_root(product.root(product.vendor, product.vendor.root))
    _published(case)
    d = case.device(image=V1)
    d.ok("check")
    assert d.status()["root_version"] == 2
    shutil.rmtree(d.dir / "state")
    assert d.status()["root_version"] == 1
    d.ok("check")
    assert d.status()["root_version"] == 2 and d.status()["installed"]["version"] == "1.0.0"
    for name in ("state.json", "metadata/root.json"):
        (d.dir / "state" / name).write_text("{}")
        d.ok("check")
        assert d.status()["root_version"] == 2
    assert "reset" in d.run("history").stdout


def init_takes_only_a_root_of_this_product(case):
    _published(case)
    other = json.loads(case.product.roots[0])
    other["signed"]["version"] = 5
    d = case.device(installed=None)
    (d.dir / "factory-root.json").write_text(json.dumps(other))
    assert "signatures" in d.expect(3, "init").stderr
    (d.dir / "factory-root.json").write_bytes(case.product.roots[0])
    d.conf.write_text(d.conf.read_text().replace("acme.x1", "acme.x2"))
    assert "signed.product: want acme.x2" in d.expect(3, "init").stderr
    d.conf.write_text(d.conf.read_text().replace("acme.x2", "acme.x1"))
    d.ok("init")
    assert "initialised already" in d.expect(1, "init").stderr


def init_makes_the_configuration_from_its_options(case):
    _published(case)
    folder = case.dir / "fresh"
    folder.mkdir()
    (folder / "slot-a.img").write_bytes(V1)
    (folder / "slot-b.img").write_bytes(V1)
    root = case.dir / "root.json"
    root.write_bytes(case.product.roots[0])
    d = case.device(installed=None)
    d.conf, d.dir = folder / "client.conf", folder
    d.expect(2, "init", "--root", root)
    d.ok("init", "--root", root, "--product", "acme.x1", "--hardware", "acme,x1", "--url",
         case.server.url)
    d.ok("check")
    assert (folder / "factory-root.json").read_bytes() == case.product.roots[0]


def a_second_process_is_told_to_wait(case):
    import fcntl
    _published(case)
    d = case.device(image=V1)
    with open(d.dir / "state/lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "in use" in d.expect(5, "check").stderr
        d.ok("status")
    d.ok("check")


def a_channel_is_followed_only_as_far_as_it_was_entrusted(case):
    _published(case)
    d = case.device(image=V1, channel="nightly")
    assert "delegates to no such role" in d.expect(5, "check").stderr


run_tests(globals(), __name__)
