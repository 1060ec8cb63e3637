# SPDX-License-Identifier: Apache-2.0
"""Uploads that resume, and a server that starts, stops and dies."""

import base64
import http.client
import json
import pathlib
import re
import signal
import subprocess
import threading
import urllib.parse

from lib_escrow import World
from test_escrow_registry import LIMIT_S, REGISTRY, Running, product, seal, tool

TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


def ask(url, method, path, body=None, headers=None):
    where = urllib.parse.urlsplit(url)
    c = http.client.HTTPConnection(where.hostname, where.port, timeout=LIMIT_S)
    c.request(method, path, body, headers or {})
    answer = c.getresponse()
    text = answer.read()
    c.close()
    return answer.status, dict(answer.getheaders()), text


def error(url, method, path, body=None, headers=None):
    status, _, text = ask(url, method, path, body, headers)
    said = json.loads(text)
    return status, said["error"], said["message"]


def offset(url, blob):
    status, head, _ = ask(url, "HEAD", blob)
    assert status == 200, status
    return int(head["Upload-Offset"]), int(head["Upload-Length"])


def restart(w, r, how):
    r.process.send_signal(how)
    r.process.wait(LIMIT_S)
    r.process.stdout.close()
    r.process = subprocess.Popen([REGISTRY, "serve", "--data", "registry", "--listen",
                                  "127.0.0.1:0"], cwd=w.dir, env=w.env, text=True,
                                 stdout=subprocess.PIPE)
    r.url = re.match(r"listening (http://\S+)", r.process.stdout.readline()).group(1)


def upload_resumes_and_is_checked(w, r):
    seal(w)
    w.run("root", "sign", "deposit/deposit.json", "--key", "pem:k3")
    manifest = (w.dir / "deposit/deposit.json").read_bytes()
    status, _, text = ask(r.url, "POST", "/v1/documents", manifest)
    (document,) = json.loads(text)["documents"]
    assert status == 200 and document["state"] == "waiting", text
    listed = {f["sha256"]: f for f in json.loads(manifest)["signed"]["files"]}
    assert {m["sha256"] for m in document["missing"]} == set(listed), text

    want = next(f for f in listed.values() if f["path"] == "public/payload.tar.gpg")
    blob = "/v1/blobs/" + want["sha256"]
    data = (w.dir / "deposit" / want["path"]).read_bytes()
    half = len(data) // 2
    assert offset(r.url, blob) == (0, len(data))
    assert error(r.url, "PATCH", blob, data, {"Upload-Offset": "0"})[0] == 415
    assert error(r.url, "PATCH", blob, data, TUS)[0] == 400
    assert error(r.url, "PATCH", blob, data, dict(TUS, **{"Upload-Offset": "1"}))[0] == 409
    assert error(r.url, "PATCH", blob, data + b"x", dict(TUS, **{"Upload-Offset": "0"}))[0] == 413
    assert error(r.url, "PATCH", "/v1/blobs/" + "0" * 64, b"", TUS)[0] == 404
    status, head, _ = ask(r.url, "PATCH", blob, data[:half], dict(TUS, **{"Upload-Offset": "0"}))
    assert status == 204 and head["Upload-Offset"] == str(half), (status, head)
    restart(w, r, signal.SIGTERM)
    assert offset(r.url, blob) == (half, len(data))
    wrong = bytes(len(data) - half)
    status, kind, _ = error(r.url, "PATCH", blob, wrong, dict(TUS, **{"Upload-Offset": str(half)}))
    assert (status, kind) == (403, "untrusted"), (status, kind)
    assert offset(r.url, blob) == (0, len(data))
    status, head, _ = ask(r.url, "PUT", blob, data)
    assert status == 204 and head["Upload-Offset"] == str(len(data)), (status, head)
    assert offset(r.url, blob) == (len(data), len(data))
    assert ask(r.url, "PUT", blob, data)[0] == 204

    last = ""
    for f in listed.values():
        if f is not want:
            last = "/v1/blobs/" + f["sha256"]
            body = (w.dir / "deposit" / f["path"]).read_bytes()
            assert ask(r.url, "PATCH", last, body, dict(TUS, **{"Upload-Offset": "0"}))[0] == 204
    _, _, text = ask(r.url, "GET", "/v1/documents/" + document["id"])
    assert json.loads(text)["state"] == "published", text
    status, _, text = ask(r.url, "GET", f"/p/lego.nxt/deposits/{document['id']}/{want['path']}")
    assert status == 200 and text == data


def refusals_name_what_is_wrong(w, r):
    assert error(r.url, "POST", "/v1/documents", b"{")[:2] == (400, "invalid")
    assert error(r.url, "POST", "/v1/documents", b"[]")[0] == 400
    assert error(r.url, "GET", "/v1/products/nobody")[:2] == (404, "not-found")
    assert error(r.url, "GET", "/v1/products/..%2f")[0] == 404
    assert error(r.url, "POST", "/v1/products/a/online-keys", b"{}")[0] == 400
    share = base64.b64encode(bytes(64)).decode()
    body = {"product": "lego.nxt", "deposit": "0" * 64, "compartment": "public", "number": 1,
            "share": share, "approval": "0" * 64}
    assert error(r.url, "POST", "/v1/shares", json.dumps(body))[:2] == (404, "not-found")
    assert error(r.url, "POST", "/v1/shares", json.dumps(dict(body, number=256)))[0] == 400
    assert error(r.url, "POST", "/v1/shares", json.dumps(dict(body, extra=1)))[0] == 400
    assert error(r.url, "POST", "/v1/shares", b"x" * 20000)[0] == 413
    # a body of unknown length that does not end
    endless = (b"x" * 4096 for _ in range(8))
    assert error(r.url, "POST", "/v1/shares", endless)[0] == 413


def one_server_for_one_folder(w, r):
    second = subprocess.run([REGISTRY, "serve", "--data", "registry", "--listen", "127.0.0.1:0"],
                            cwd=w.dir, env=w.env, text=True, capture_output=True, timeout=LIMIT_S)
    assert second.returncode == 5 and not second.stdout, second
    taken = r.url.rsplit(":", 1)[1]
    tool(w, REGISTRY, "init", "--data", "other", "--origin", "log.other")
    second = subprocess.run([REGISTRY, "serve", "--data", "other", "--listen",
                             f"127.0.0.1:{taken}"], cwd=w.dir, env=w.env, text=True,
                            capture_output=True, timeout=LIMIT_S)
    assert second.returncode == 5 and "in use" in second.stderr, second


def stop_finishes_what_is_under_way(w, r):
    """A body that is still coming when SIGTERM arrives gets its answer."""
    where = urllib.parse.urlsplit(r.url)
    c = http.client.HTTPConnection(where.hostname, where.port, timeout=LIMIT_S)
    c.putrequest("POST", "/v1/documents")
    c.putheader("Content-Length", "2")
    c.endheaders()
    c.send(b"{")
    while 'connections 0' in ask(r.url, "GET", "/metrics")[2].decode():
        pass
    ending = threading.Thread(target=lambda: (r.process.terminate(), r.process.wait(LIMIT_S)))
    ending.start()
    while True:  # no new connections from when it stops
        try:
            ask(r.url, "GET", "/healthz")
        except OSError:
            break
    c.send(b"}")
    answer = c.getresponse()
    assert answer.status == 400, answer.status
    answer.read()
    c.close()
    ending.join()
    assert r.process.returncode == 0, r.process.returncode


def detached_server_is_stopped_by_its_folder(w):
    out = tool(w, REGISTRY, "serve", "--data", "registry", "--listen", "127.0.0.1:0", "--detach")
    url = re.match(r"listening (http://\S+)", out).group(1)
    assert ask(url, "GET", "/healthz")[0] == 200
    pid = int((w.dir / "registry/serve.pid").read_text())
    again = subprocess.run([REGISTRY, "serve", "--data", "registry", "--detach"], cwd=w.dir,
                           env=w.env, text=True, capture_output=True, timeout=LIMIT_S)
    assert again.returncode == 5 and "in use" in again.stderr, again
    assert json.loads(tool(w, REGISTRY, "stop", "--data", "registry", "--json"))["stopped"]
    stat = pathlib.Path(f"/proc/{pid}/stat")  # gone, or dead and not yet waited for
    assert not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    assert not (w.dir / "registry/serve.pid").exists()
    assert "no server runs" in tool(w, REGISTRY, "stop", "--data", "registry")


def main():
    w = World()
    r = Running(w)
    try:
        product(w, r)
        upload_resumes_and_is_checked(w, r)
        refusals_name_what_is_wrong(w, r)
        one_server_for_one_folder(w, r)
        restart(w, r, signal.SIGKILL)
        stop_finishes_what_is_under_way(w, r)
        detached_server_is_stopped_by_its_folder(w)
    finally:
        if r.process.poll() is None:
            r.stop()
        w.close()
    print("ok")


main()
