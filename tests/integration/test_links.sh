#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each program links only the libraries it is for; the device's has to fit a router.
set -eu
bad=0
never() { # PROGRAM LIBRARY...
	program=$1
	shift
	needed=$(readelf -d "$BIN/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	for library in "$@"; do
		if printf '%s\n' "$needed" | grep -q "^lib$library\.so"; then
			echo "$program: links lib$library" >&2
			bad=1
		fi
	done
	printf "%s: %s\n" "$program" "$(printf "%s" "$needed" | tr "\n" " ")"
}
never bequest-client gpgme git2 sqlite3 microhttpd gfshare pq
never bootsim gpgme git2 sqlite3 microhttpd gfshare curl pq
never bequest-registry gpgme gfshare
never bequest-publish sqlite3 microhttpd gfshare
never bequest-escrow sqlite3 microhttpd
exit $bad
