# SPDX-License-Identifier: Apache-2.0
"""Blobs and shares: bytes that nobody asked for, or not these, or not yet."""
import base64
import socket

from lib_device import canonical, identity, sha256, signed, when
from lib_hostile import TUS, Maker, Registry


def at(offset, **more):
    return {"Content-Type": TUS, "Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), **more}


def blobs(listed, data):
    """(method, digest, body, headers); `listed` is waited for, with the length of `data`."""
    here = f"/v1/blobs/{listed}"
    n = len(data)
    unlisted = sha256(b"nobody wants this")
    return [
        ("a blob that nobody lists", 404, "not-found",
         f"{unlisted}: no document lists this blob",
         ("PUT", f"/v1/blobs/{unlisted}", b"nobody wants this", {})),
        ("an unlisted blob in pieces", 404, "not-found",
         f"{unlisted}: no document lists this blob",
         ("PATCH", f"/v1/blobs/{unlisted}", b"nobody", at(0))),
        ("a digest in capitals", 404, "not-found", "no such call",
         ("PUT", f"/v1/blobs/{listed.upper()}", data, {})),
        ("a digest that goes up", 404, "not-found", "no such call",
         ("PUT", "/v1/blobs/..%2f..%2fregistry.db", data, {})),
        ("other bytes of the same length", 403, "untrusted",
         f"{listed}: what came has digest {sha256(b'x' * n)}",
         ("PUT", here, b"x" * n, {})),
        ("more bytes than listed", 413, "invalid",
         f"{listed}: longer than the 28 bytes it is listed with", ("PUT", here, data + b"x", {})),
        ("more bytes than listed, of unknown length", 413, "invalid",
         f"{listed}: longer than the 28 bytes it is listed with",
         ("PUT", here, iter([data, b"x"]), {})),
        ("a length that no disk holds", 413, "invalid",
         f"{listed}: longer than the 28 bytes it is listed with",
         ("PUT", here, None, {"Content-Length": str(2**62)})),
        ("a negative offset", 400, "invalid",
         "Upload-Offset: want a number", ("PATCH", here, data, at(-1))),
        ("an offset that is no number", 400, "invalid",
         "Upload-Offset: want a number", ("PATCH", here, data, at("0x0"))),
        ("an offset beyond 64 bits", 400, "invalid",
         "Upload-Offset: want a number", ("PATCH", here, data, at(2**64))),
        ("an offset ahead of what came", 409, "invalid",
         "Upload-Offset: want 0, got 1", ("PATCH", here, data[1:], at(1))),
        ("an offset behind the end", 409, "invalid",
         "Upload-Offset: want 0, got 29", ("PATCH", here, b"", at(n + 1))),
        ("no offset", 400, "invalid", "Upload-Offset: want a number",
         ("PATCH", here, data, {"Content-Type": TUS, "Tus-Resumable": "1.0.0"})),
        ("another content type", 415, "invalid",
         "Content-Type: want application/offset+octet-stream",
         ("PATCH", here, data, at(0, **{"Content-Type": "text/plain"}))),
        ("another protocol version", 412, "invalid", "Tus-Resumable: want 1.0.0",
         ("PATCH", here, data, at(0, **{"Tus-Resumable": "2.0.0"}))),
    ]


def share_bodies(good):
    """Bodies that are no share."""
    def but(**fields):
        return canonical({k: v for k, v in {**good, **fields}.items() if v is not None})

    return [
        ("no JSON", 400, "invalid", "share: line 1: '[' or '{' expected near 'share'", b"share"),
        ("no product", 400, "invalid", "product: missing", but(product=None)),
        ("a product that is a path", 400, "invalid",
         "product: want a product id", but(product="../x")),
        ("a deposit that is a path", 400, "invalid",
         'deposit: want 64 lower-case hex digits, got "../../../../../../../../../../../../../."',
         but(deposit="../" * 21 + "x")),
        ("another member", 400, "invalid", "note: unknown field", but(note="x")),
        ("a compartment that nobody knows", 400, "invalid",
         'compartment: want one of public, restricted, got "secret"', but(compartment="secret")),
        ("number 0", 400, "invalid",
         "share 0 (the vendor): digest does not match the manifest", but(number=0)),
        ("number 256", 400, "invalid", "number: want 0 to 255, got 256", but(number=256)),
        ("a share that is short", 400, "invalid", "share: want 88 to 88 bytes, got 84",
         but(share=base64.b64encode(bytes(63)).decode())),
        ("a share that is long", 400, "invalid", "share 1 (Ann): want 64 bytes in base64",
         but(share=base64.b64encode(bytes(65)).decode())),
        ("a share that is no base64", 400, "invalid",
         "share 1 (Ann): want 64 bytes in base64", but(share="*" * 88)),
        ("an approval that is no id", 400, "invalid",
         'approval: want 64 lower-case hex digits, got "yes"', but(approval="yes")),
        ("a body without end", 413, "invalid", "the body is too large", b"x" * 20000),
        ("a product that is not here", 404, "not-found",
         f"nobody.z3 has no deposit {good['deposit']}",
         but(product="nobody.z3")),
        ("a deposit that is not here", 404, "not-found",
         "acme.x1 has no deposit "
         "7777777777777777777777777777777777777777777777777777777777777777", but(deposit="7" * 64)),
        ("another product's deposit", 404, "not-found",
         f"other.y2 has no deposit {good['deposit']}",
         but(product="other.y2")),
    ]


def shares_in_time(good, m, notes):
    """Released: but only one's own share, under one's own approval."""
    def but(**fields):
        return canonical({**good, **fields})

    wrong = base64.b64encode(b"\xff" * 64).decode()
    return [
        ("a share that is not the listed one", 400, "invalid",
         "share 1 (Ann): digest does not match the manifest", but(share=wrong)),
        ("Bob's share under Ann's number", 400, "invalid",
         "share 1 (Ann): digest does not match the manifest",
         but(share=base64.b64encode(m.share(1)).decode())),
        ("Ann's share under Bob's number", 400, "invalid",
         "share 2 (Bob): digest does not match the manifest", but(number=2)),
        ("a number without a seat", 400, "invalid",
         "share 4: the manifest has no such share", but(number=4)),
        ("under another's approval", 409, "denied",
         f"{notes[1]} is no approval of "
         "this deposit by Ann", but(approval=notes[1])),
        ("under no approval at all", 409, "denied",
         "approval 8888888888888888888888888888888888888888888888888888888888888888 is not in "
         "the log", but(approval="8" * 64)),
        ("under the end of life itself", 409, "denied",
         f"{notes['eol']} is no approval of "
         "this deposit by Ann", but(approval=notes["eol"])),
        ("a compartment that is not there", 409, "denied",
         "only shares of the public compartment are taken here", but(compartment="restricted")),
    ]


def slow_and_rude(r):
    """Headers without end, and bodies that stop: refused or dropped, and others are served."""
    rude = [b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
            b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"\x16\x03\x01\x00\xa5" + bytes(200), b"\0" * 4096]
    before = r.stored()
    for text in rude:
        with socket.create_connection(("127.0.0.1", r.port), timeout=10) as s:
            try:
                s.sendall(text)
                s.shutdown(socket.SHUT_WR)
                answer = s.recv(4096)
            except OSError:
                answer = b""  # it hung up on us
        assert not answer or answer.split(b" ")[1][:1] == b"4", (text[:40], answer[:80])
    half = socket.create_connection(("127.0.0.1", r.port), timeout=10)
    half.sendall(b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    assert r.ask("GET", "/healthz")[0] == 200
    half.close()
    assert r.stored() == before


def paths_outside(r):
    """What is beside the public tree is not served, however it is asked for."""
    for path in ("/../registry.db", "/%2e%2e/registry.db", "/p/%2e%2e/%2e%2e/registry.db",
                 "/..%2fregistry.db", "//etc/passwd", "/p/../../keys", "/%00", "/p/%00/x",
                 "/p\\..\\registry.db", "/keys/", "/registry.db", "/./../config.json"):
        status, _, text = r.ask("GET", path)
        assert status in (400, 404), (path, status, text[:80])


def main():
    with Registry() as r:
        m, other = Maker(r, "acme.x1"), Maker(r, "other.y2")
        m.publish_root()
        other.publish_root()
        image = b"the image that is waited for"
        waits = signed(m.targets_body(1, image), [m.targets_key])
        assert r.post(waits) == ["waiting"]
        r.refuses(blobs(sha256(image), image), lambda q: r.said(*q))
        status, head, _ = r.ask("PATCH", f"/v1/blobs/{sha256(image)}", image[:5], at(0))
        assert status == 204 and head["Upload-Offset"] == "5"
        r.refuses([("the first piece again", 409, "invalid", "Upload-Offset: want 5, got 0",
                    ("PATCH", f"/v1/blobs/{sha256(image)}", image[:5], at(0))),
                   ("a longer rest than listed", 413, "invalid",
                    f"{sha256(image)}: longer than the 28 bytes it is listed with",
                    ("PATCH", f"/v1/blobs/{sha256(image)}", image[5:] + b"x", at(5)))],
                  lambda q: r.said(*q))
        r.put(image)

        bridge = signed(m.root_body(2, publisher="stewards", kind="stewards", bridge=True), m.keys)
        m.deposit = m.by_root(m.deposit_body(bridge))
        r.post(m.deposit)
        for data in m.deposit_files().values():
            r.put(data)
        good = {"product": m.product, "deposit": identity(m.deposit), "compartment": "public",
                "number": 1, "share": base64.b64encode(m.share(0)).decode(), "approval": "0" * 64}

        def send(body):
            return r.said("POST", "/v1/shares", body)

        r.refuses(share_bodies(good) + [
            ("a share before the release", 409, "denied",
         "the deposit is not released: needs \"the vendor itself released the deposit\" to be yes; or "
         "\"a final end of life names this root and this bridge\" to be yes and \"trustees who approve\" "
         "to have 2 more; or \"ground of the notice\" to be one of silence, insolvency, order and "
         "witnessed time: the current root names no witnesses and \"when the notice was logged\" to "
         "be known and \"trustees who approve\" to have 2 more; or \"ground of the notice\" to be one of "
         "silence and witnessed time: the current root names no witnesses a", canonical(good))], send)
        eol = m.by_root(m.statement_body("eol", date=when(-1), reason="over", final={
            "root": identity(m.first), "bridge": identity(bridge)}))
        assert r.post(eol) == ["published"]
        notes = {"eol": identity(eol)}
        for i in (0, 1):
            vote = signed(m.statement_body("approval", i + 1, False, eol=identity(eol),
                                           deposit=identity(m.deposit), bridge=identity(bridge)),
                          [m.trustees[i]])
            assert r.post(vote) == ["published"]
            notes[i] = identity(vote)
        r.refuses(shares_in_time({**good, "approval": notes[0]}, m, notes), send)
        slow_and_rude(r)
        paths_outside(r)


main()
