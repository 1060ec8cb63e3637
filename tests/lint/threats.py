# SPDX-License-Identifier: Apache-2.0
"""Every test that the tables of THREATS and CONFORMANCE name exists, each row has one, and no attack
on TUF is left out."""
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
PAGES = ("docs/THREATS.md", "docs/CONFORMANCE.md")


def c_tests(path):
    """Tests that are defined, and used: else nobody runs them."""
    text = path.read_text()
    return {name for name in re.findall(r"^static void (\w+)\(void \*\*", text, re.M)
            if len(re.findall(rf"\b{name}\b", text)) > 1}


def functions():
    names = set()
    for path in TESTS.rglob("test_*.c"):
        names |= c_tests(path)
    for path in TESTS.rglob("*.py"):
        names |= set(re.findall(r"^(?:    )?def (\w+)\(", path.read_text(), re.M))
    return names


def cases():
    """The rules of the tables: the first text of each row, before a status or a message."""
    names = set()
    for path in (TESTS / "attack").glob("test_hostile_*.py"):
        names |= set(re.findall(r'\(\w*,? ?"([^"{}]+)",\s+(?:\d|["\'])',
                            path.read_text()))
    return names


def check(page, known):
    """The tests that a page names, and its faults."""
    named, faults = set(), []
    for number, line in enumerate((TESTS.parent / page).read_text().splitlines(), 1):
        if not line.startswith("|") or line.startswith("|---") or line.endswith("| test |"):
            continue
        tests = re.findall(r"`([^`]+)`", line.rstrip("|").rpartition("|")[2])
        if not tests:
            faults.append(f"{page}: {number}: names no test")
        faults += [f"{page}: {number}: no such test: {t}" for t in tests if t not in known]
        named |= set(tests)
    if not named:
        faults.append(f"{page}: has no table")
    return named, faults


def main():
    known, named, faults = functions() | cases(), {}, []
    for page in PAGES:
        named[page], more = check(page, known)
        faults += more
    for path in sorted((TESTS / "attack").glob("test_*_attacks.c")):
        faults += [f"{PAGES[0]}: does not name {test} of tests/attack/{path.name}"
                   for test in sorted(c_tests(path) - named[PAGES[0]])]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


sys.exit(main())
