# SPDX-License-Identifier: Apache-2.0
"""
Print what the tests reach, from gcovr's summary: a row for each folder of modules, the files
that are reached least, and the total.

    coverage.py SUMMARY.json
"""
import json
import pathlib
import sys

LEAST = 15  # files


def share(hit, of):
    return f"{100 * hit / of:6.1f}%" if of else "      -"


def line(name, files):
    total = {k: sum(f[k] for f in files) for k in
             ("line_covered", "line_total", "branch_covered", "branch_total")}
    print(f"{name:32}{len(files):6}{total['line_total']:8,}"
          f"{share(total['line_covered'], total['line_total']):>9}"
          f"{share(total['branch_covered'], total['branch_total']):>9}")


def main():
    files = json.loads(pathlib.Path(sys.argv[1]).read_text())["files"]
    folders = {}
    for f in files:
        parts = f["filename"].split("/")
        folders.setdefault(parts[0], []).append(f)
        if len(parts) > 2:
            folders.setdefault("  " + "/".join(parts[:2]), []).append(f)
    print(f"{'':32}{'files':>6}{'lines':>8}{'lines':>9}{'branches':>9}")
    for name in sorted(folders, key=str.strip):
        line(name, folders[name])
    line("total", files)
    print("reached least:")
    for f in sorted(files, key=lambda f: f["line_percent"])[:LEAST]:
        line("  " + f["filename"], [f])


main()
