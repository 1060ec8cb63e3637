#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: cross.sh MAKE ARCH... - run the tests of `make run-cross` for each machine.
# Ends with "N passed, N failed"; what did not run has failed.
set -u
make=$1
shift
passed=0 failed=0
for arch; do
	count=$($make -s CROSS="$arch" count-cross) log=build/cross/$arch/check.log
	if ! sh tests/setup/sysroot.sh "$arch" "build/cross/$arch/sysroot"; then
		failed=$((failed + count))
		continue
	fi
	echo "check-cross: $arch"
	bad=0
	$make --no-print-directory -k CROSS="$arch" run-cross >"$log" 2>&1 || {
		cat "$log"
		# Those without a stamp, for whatever reason.
		bad=$($make -s CROSS="$arch" list-cross | while read -r stamp; do
			[ -e "$stamp" ] || echo "$stamp"
		done | grep -c .)
		[ "$bad" -gt 0 ] || bad=1
	}
	echo "check-cross: $arch: $((count - bad)) passed, $bad failed"
	passed=$((passed + count - bad)) failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
