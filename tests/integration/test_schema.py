# SPDX-License-Identifier: Apache-2.0
"""The schemas and the C readers say the same of the same examples.

tests/policy/statements/<type>.json (see tests/unit/test_statement.c) and the golden cases
(tests/policy/test_golden.c) are read by both. A bad example that a schema cannot tell from a good
one, because it compares two places or needs arithmetic, is marked "schema": true.
"""
import copy
import glob
import json
import os
import re
import sys

import jsonschema

problems = []


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def validator(name):
    schema = load(f"policies/schema/{name}.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


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


def main():
    counts = statements(), policies(), facts()
    if min(counts) == 0:
        problems.append(f"nothing was compared: {counts}")
    for p in problems:
        print(p)
    print(f"{counts[0]} statements, {counts[1]} policies, {counts[2]} facts, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
