#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: [FUZZ_SEED=1] run.sh FOLDER SECONDS - run each fuzz target on a copy of its corpus.
set -u
passed=0 failed=0
for target in "$1"/fuzz_*; do
	case $target in *.o | *.d | *.ok | *.log) continue ;; esac
	name=${target##*/fuzz_}
	work=$(mktemp -d) || exit 1
	cp -r "tests/fuzz/corpus/$name/." "$work/" 2>/dev/null
	if "$target" -seed="${FUZZ_SEED:-1}" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="build/fuzz/" "$work" >"build/fuzz/$name.log" 2>&1; then
		passed=$((passed + 1))
		echo "  FUZZ  $name: $(grep -c . "build/fuzz/$name.log") lines of log, no finding"
	else
		failed=$((failed + 1))
		tail -n 40 "build/fuzz/$name.log"
		echo "  FAIL  $name"
	fi
	rm -rf "$work"
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ]
