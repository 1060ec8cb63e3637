# SPDX-License-Identifier: Apache-2.0
"""Every manual page has the verbs and options that --help has, and no others."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ["BIN"]
PROGRAMS = "bequest-registry bequest-escrow bequest-publish bequest-client".split()
OPTION = re.compile(r"\*(--[a-z][a-z-]*)\*")


def help_of(*words):
    done = subprocess.run([os.path.join(BIN, words[0]), *words[1:], "--help"], check=True,
                          capture_output=True, text=True, timeout=20)
    return done.stdout


def verbs_of(program):
    """Each verb with its options, as --help tells them."""
    verbs = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)  ?\s*\S", help_of(program), re.M)
    names = [v.strip() for v in verbs]
    assert names and len(names) == len(set(names)), f"{program} --help: {names}"
    return {v: set(re.findall(r"^  (--[a-z][a-z-]*)", help_of(program, *v.split()), re.M))
            for v in names}


def sections(page):
    parts = re.split(r"^# (.*)$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def entries(text, verbs):
    """Each verb with the options that its entry names; an entry may be of several verbs."""
    found, now = {}, []
    for line in text.splitlines():
        if line.startswith("*"):
            now = [b for b in re.findall(r"\*([a-z][a-z -]*)\*", line) if b in verbs]
            assert now, f"entry of no verb: {line}"
        elif line.strip() and not line.startswith("\t"):
            now = []
        for verb in now:
            found.setdefault(verb, set()).update(OPTION.findall(line))
    return found


def check(program):
    with open(os.path.join(ROOT, "docs/man", program + ".1.scd"), encoding="utf-8") as f:
        page = f.read()
    helps = verbs_of(program)
    parts = sections(page)
    told = entries(parts["VERBS"], helps)
    shared = set()
    for title, text in parts.items():
        if title.startswith("OPTIONS OF"):
            shared |= set(OPTION.findall(text))

    wrong = [f"{program}: {v}: not in the manual" for v in helps.keys() - told.keys()]
    for verb, options in told.items():
        wrong += [f"{program} {verb}: {o}: not in the manual"
                  for o in helps[verb] - options - shared]
        wrong += [f"{program} {verb}: {o}: no such option" for o in options - helps[verb]]
    everything = set().union(*helps.values())
    wrong += [f"{program}: {o}: no such option"
              for o in set(OPTION.findall(page)) - everything]
    return wrong


def main():
    wrong = [w for program in PROGRAMS for w in check(program)]
    assert not wrong, "\n".join(wrong)


if __name__ == "__main__":
    main()
