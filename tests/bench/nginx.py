# SPDX-License-Identifier: Apache-2.0
"""nginx on loopback, as one would set it up for a tree of files."""
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

CONF = """
daemon off; worker_processes {workers}; pid {dir}/pid; error_log {dir}/error.log; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; etag on; keepalive_requests 1000000;
  {cache}
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  types {{ application/json json; }} default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {root};
           add_header Cache-Control "public, max-age=60"; }}
}}
"""
CACHE = "open_file_cache max=1000 inactive=60s; open_file_cache_valid 10s;"


def wait_for(url):
    """The headers of the first answer."""
    for _ in range(200):
        try:
            return urllib.request.urlopen(url, timeout=5).headers
        except OSError as e:
            if getattr(e, "code", None):  # it answers, if only that there is no such page
                return e.headers
            time.sleep(0.05)
    raise SystemExit(f"{url}: no answer")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    def __init__(self, folder, root, workers=1, cache=True):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True)
        port = free_port()
        user = "user root;" if os.getuid() == 0 else ""  # who may read a temporary folder
        conf = folder / "nginx.conf"
        conf.write_text(CONF.format(dir=folder, root=root, port=port, workers=workers, user=user,
                                    cache=CACHE if cache else ""))
        self.url = f"http://127.0.0.1:{port}/"
        self.process = subprocess.Popen(["nginx", "-e", folder / "error.log", "-c", conf])

    def __enter__(self):
        wait_for(self.url)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
