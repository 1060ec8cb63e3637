# SPDX-License-Identifier: Apache-2.0
"""A repository that tuf-js's own models wrote, read by us, and by tuf-js to be sure of it."""

import os
import pathlib
import subprocess
import tempfile

from lib_interop import HERE, Client, Static

WANTED = ["top.txt", "a/1.txt", "b/2.txt", "elsewhere/3.txt",
          *(f"many/{n}.txt" for n in range(9))]


def what_its_models_write_is_read(top, form):
    folder = pathlib.Path(top) / form
    subprocess.run(["node", str(HERE / "repository.cjs"), str(folder), form], check=True,
                   env=dict(os.environ))
    static = Static(folder)
    try:
        for kind in ("tuf-js", "bequest"):
            client = Client(kind, pathlib.Path(top) / f"{form}-{kind}", folder / "root.json")
            client.refresh(static.url)
            assert (client.version(), client.version("timestamp"), client.version("snapshot"),
                    client.version("targets")) == (4, 9, 5, 3)
            assert client.download(static.url, *WANTED) == [f"file {n}\n".encode()
                                                            for n in WANTED]
            for name in ("many/10.txt", "a/b/1.txt", "none"):
                client.download(static.url, name, status=1)
    finally:
        static.close()


def main():
    with tempfile.TemporaryDirectory(prefix="bq-") as top:
        for form in ("consistent", "plain"):
            what_its_models_write_is_read(top, form)


if __name__ == "__main__":
    main()
