#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# policy check, explain, list, show and facts, statement check: exit status, standard output, --json.
set -u
escrow=$BIN/bequest-escrow
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# want STATUS PATTERN COMMAND...: that status, and the pattern in what it prints
want() {
	status=$1 pattern=$2
	shift 2
	out=$("$@" 2>&1)
	got=$?
	if [ "$got" != "$status" ] || ! printf '%s\n' "$out" | grep -q -e "$pattern"; then
		echo "want $status '$pattern', got $got from: $*"
		printf '%s\n' "$out"
		failed=1
	fi
}

cat >"$work/mine.json" <<'END'
{"policy": "mine", "version": 1, "allow": {"all": [{"fact": "eol.final"}, {"approvals": {"at_least": 2}}]}}
END
echo '{"policy": "mine", "version": 1, "allow": {"fact": "eol.finale"}}' >"$work/bad.json"
echo '{"policy": "mine",' >"$work/cut.json"
echo '{"eol.final": true, "approvals": ["ann"]}' >"$work/one.json"
echo '{"eol.final": true, "approvals": ["ann", "bob"]}' >"$work/two.json"
echo '{"eol.final": 1}' >"$work/wrong.json"
yes ' ' | head -c 70000 >"$work/large.json"

want 0 '^mine: loads$' "$escrow" policy check "$work/mine.json"
want 0 '^release/standard: loads$' "$escrow" policy check release/standard
want 0 '"policy": *"mine"' "$escrow" policy check --json "$work/mine.json"
want 2 'bad.json: allow.fact: "eol.finale" is no fact' "$escrow" policy check "$work/bad.json"
want 2 'cut.json' "$escrow" policy check "$work/cut.json"
want 2 'large.json' "$escrow" policy check "$work/large.json"
want 2 'release/none' "$escrow" policy check release/none
want 2 'usage\|want' "$escrow" policy check

want 0 '^mine: unknown$' "$escrow" policy explain "$work/mine.json"
want 0 '^mine: no$' "$escrow" policy explain "$work/mine.json" --facts "$work/one.json"
want 0 'ann (1 of 2); needs 1 more' "$escrow" policy explain "$work/mine.json" --facts "$work/one.json"
want 0 '^mine: yes$' "$escrow" policy explain "$work/mine.json" --facts "$work/two.json"
want 0 '"answer": *"yes"' "$escrow" policy explain --json "$work/mine.json" --facts "$work/two.json"
want 2 'wrong.json: eol.final: want a boolean' \
	"$escrow" policy explain "$work/mine.json" --facts "$work/wrong.json"
want 2 'none.json' "$escrow" policy explain "$work/mine.json" --facts "$work/none.json"

want 0 '^eol.final  *boolean ' "$escrow" policy facts
want 0 '"name": *"eol.final"' "$escrow" policy facts --json
want 0 '^release/standard  *Opens when' "$escrow" policy list
want 0 '"name": *"class/toy"' "$escrow" policy list --json
"$escrow" policy show release/strict >"$work/strict.json"
want 0 '^release/strict: loads$' "$escrow" policy check "$work/strict.json"
want 2 'see .policy list' "$escrow" policy show release/none
want 0 '^release/strict: loads$' "$escrow" policy check "$work/mine.json" "$work/strict.json"
want 2 'bad.json' "$escrow" policy check "$work/mine.json" "$work/bad.json" "$work/strict.json"
want 2 '"ok": *false' "$escrow" policy check --json "$work/mine.json" "$work/bad.json"

# A no shows what could make it a yes, --whole every rule.
echo '{"eol.final": false, "approvals": ["ann", "bob"]}' >"$work/three.json"
want 0 '^  no       a final end of life' "$escrow" policy explain "$work/mine.json" --facts "$work/three.json"
if "$escrow" policy explain "$work/mine.json" --facts "$work/three.json" | grep -q trustees; then
	echo "what is as it has to be is shown"
	failed=1
fi
want 0 '^  yes      trustees who approve' \
	"$escrow" policy explain "$work/mine.json" --facts "$work/three.json" --whole

cat >"$work/heartbeat.json" <<'END'
{"signatures": [], "signed": {"_type": "heartbeat", "spec_version": "1.0", "product": "acme.x1",
 "version": 1, "issued": "2026-01-01T00:00:00Z", "root": {"version": 1, "id":
 "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"}}}
END
sed 's/acme.x1/Acme/' "$work/heartbeat.json" >"$work/acme.json"
want 0 '^heartbeat: well-formed$' "$escrow" statement check "$work/heartbeat.json"
want 0 '"type": *"heartbeat"' "$escrow" statement check --json "$work/heartbeat.json"
want 2 'acme.json: signed.product: want' "$escrow" statement check "$work/acme.json"
want 2 'cut.json' "$escrow" statement check "$work/heartbeat.json" "$work/cut.json"
exit $failed
