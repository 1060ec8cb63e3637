# SPDX-License-Identifier: Apache-2.0
"""The schemas and the C readers say the same of the same examples.

tests/policy/statements/<type>.json (see tests/unit/test_statement.c) and the golden cases
(tests/policy/test_golden.c) are read by both. A bad example that a schema cannot tell from a good
one, because it compares two places or needs arithmetic, is marked "schema": true.

Beyond what is written there, every good example is changed in every place: the member is left out,
its value becomes each other kind of JSON. `policy check` and `statement check` have to say the same
of each as the schema.
"""
import copy
import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

FOLDER = pathlib.Path("policies/schema").resolve()  # where one schema finds another
problems = []


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def validator(name):
    schema = load(f"policies/schema/{name}.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    beside = jsonschema.RefResolver(FOLDER.as_uri() + "/", schema)
    return jsonschema.Draft202012Validator(schema, resolver=beside)


def edited(good, edit):
    body = copy.deepcopy(good)
    v = body
    for step in edit["at"][:-1]:
        v = v[step]
    last = edit["at"][-1]
    if "to" in edit:
        v[last] = edit["to"]
    else:
        del v[last]
    return body


def expect(check, body, valid, what):
    if check.is_valid(body) != valid:
        reason = next((e.message[:200] for e in check.iter_errors(body)), "it is accepted")
        problems.append(f"{what}: want {'accepted' if valid else 'refused'}: {reason}")


def statements():
    n = 0
    for path in sorted(glob.glob("tests/policy/statements/*.json")):
        name = os.path.basename(path)[: -len(".json")]
        check, cases = validator(name), load(path)
        expect(check, cases["good"], True, f"{name}: the good one")
        for edit in cases["also"]:
            expect(check, edited(cases["good"], edit), True, f"{name}: {json.dumps(edit)}")
        for edit in cases["bad"]:
            body = edited(cases["good"], edit)
            expect(check, body, edit.get("schema", False), f"{name}: {json.dumps(edit)[:300]}")
            n += 1
    return n


def policies():
    check, n = validator("policy"), 0
    for path in sorted(glob.glob("policies/*/*.json")):
        if not path.startswith("policies/schema/"):
            expect(check, load(path), True, path)
            n += 1
    for path in sorted(glob.glob("tests/policy/*/*.json")):
        if "/statements/" in path:
            continue
        case = load(path)
        if isinstance(case["policy"], str):
            continue
        expect(check, case["policy"], case.get("schema", "error" not in case), path)
        n += 1
    return n


def facts():
    """The schema knows the facts that docs/POLICIES.md lists, which a unit test holds to the C table."""
    with open("docs/POLICIES.md", encoding="utf-8") as f:
        rows = re.findall(r"^\| `([a-z_.]+)` \| (?:boolean|integer|date|text|set) \|", f.read(), re.M)
    known = set(re.findall(r'"([a-z_.]+)"', json.dumps(load("policies/schema/policy.json")["$defs"])))
    for name in rows:
        if name not in known:
            problems.append(f"policies/schema/policy.json: does not know the fact {name}")
    return len(rows)


# --- every place changed -------------------------------------------------------------------

KINDS = [None, True, 7, -1, 1.5, "", "x", [], {}]
ABSENT = object()
BIN = os.environ.get("BIN", "build")

# What a schema cannot say, because it compares two places; and what no JSON here may have.
COMPARED = re.compile(
    "with the digest and size in compartments|want the root in signed.root"
    "|is not in signed.trustees.keys|shares.restricted: want 64|trustees.threshold: want 2 to"
    "|at_least: want 1 to|want one of notice and eol|got a number with fraction or exponent")


def places(value, at=()):
    """Every member and element, however deep; of long lists the first two."""
    if isinstance(value, dict):
        for key in value:
            yield at + (key,)
            yield from places(value[key], at + (key,))
    elif isinstance(value, list):
        for i in range(min(2, len(value))):
            yield at + (i,)
            yield from places(value[i], at + (i,))


def changed(good, at, to):
    body = copy.deepcopy(good)
    v = body
    for step in at[:-1]:
        v = v[step]
    if to is ABSENT:
        del v[at[-1]]
    else:
        v[at[-1]] = to
    return body


def mutants(good):
    for at in places(good):
        for to in [ABSENT] + KINDS:
            body = changed(good, at, to)
            if json.dumps(body) != json.dumps(good):
                yield ".".join(map(str, at)), "left out" if to is ABSENT else json.dumps(to), body


def judged_by_c(verb, bodies, wrap):
    """What the C reader says of each, in one call for some hundreds."""
    said = []
    with tempfile.TemporaryDirectory() as folder:
        for begin in range(0, len(bodies), 500):
            paths = []
            for i, body in enumerate(bodies[begin:begin + 500]):
                path = pathlib.Path(folder) / f"{i}.json"
                path.write_text(json.dumps(wrap(body)), encoding="utf-8")
                paths.append(path)
            p = subprocess.run([f"{BIN}/bequest-escrow", *verb, "--json", *paths],
                               capture_output=True, text=True, check=False)
            out = json.loads(p.stdout)
            assert p.returncode == (0 if out["ok"] else 2), (p.returncode, p.stderr)
            said += [f.get("error") for f in out.get("files", [out])]
    return said


def compare(name, schema, good, verb, wrap):
    """How many changes both refuse; a change that only one refuses is a problem."""
    check, all_of_them = validator(schema), list(mutants(good))
    said = judged_by_c(verb, [body for _, _, body in all_of_them], wrap)
    refused = set()
    for (at, to, body), error in zip(all_of_them, said):
        valid = check.is_valid(body)
        if not valid and error:
            refused.add((at, to))
        elif valid != (error is None) and not (error and COMPARED.search(error)):
            problems.append(f"{name}: {at} {to}: schema says {valid}, the reader {error}")
    for field in check.schema["required"]:
        if (field, "left out") not in refused:
            problems.append(f"{name}: {field} is required, and may be left out")
    return len(refused)


def every_statement():
    n = 0
    for path in sorted(glob.glob("tests/policy/statements/*.json")):
        name = os.path.basename(path)[: -len(".json")]
        n += compare(name, name, load(path)["good"], ["statement", "check"],
                     lambda body: {"signatures": [], "signed": body})
    return n


def every_rule():
    """One policy for each form of a rule, gathered from the golden cases and what ships."""
    seen, n = {}, 0
    shipped = [p for p in glob.glob("policies/*/*.json") if not p.startswith("policies/schema/")]
    for path in sorted(glob.glob("tests/policy/language/*.json")) + sorted(shipped):
        case = load(path)
        policy = case.get("policy") if "facts" in case else case
        if not isinstance(policy, dict) or len(json.dumps(policy)) > 3000:
            continue
        forms = set(re.findall(r'"(\w+|[<>=!]+)": ', json.dumps(policy["allow"])))
        if forms - set(seen):
            seen.update(dict.fromkeys(forms, path))
            n += compare(path, "policy", policy, ["policy", "check"], lambda body: body)
    operators = {"all", "any", "not", "at_least", "of", "fact", "approvals", "elapsed", "since",
                 "until", "notice", "signed_by", "keys", "logged", "rebuilt_by", "consent", "in",
                 "==", "!=", "<", "<=", ">", ">="}
    if operators - set(seen):
        problems.append(f"no example has {sorted(operators - set(seen))}")
    return n


def main():
    counts = statements(), policies(), facts(), every_statement(), every_rule()
    if min(counts) == 0:
        problems.append(f"nothing was compared: {counts}")
    for p in problems:
        print(p)
    print(f"{counts[0]} statements, {counts[1]} policies, {counts[2]} facts, {counts[3]} changed "
          f"statements and {counts[4]} changed policies refused by both, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
