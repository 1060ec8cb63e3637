#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes point one way, and some libraries are called from one place only.
bad=0
deny() { # PATTERN MESSAGE PATH...
	pattern=$1 message=$2
	shift 2
	if grep -rnE --include='*.[ch]' "$pattern" "$@"; then
		echo "layers: $message" >&2
		bad=1
	fi
}
deny '#include "(policies|registry|client|escrow|tests)/' 'lib stands alone' lib
deny '#include "lib/(json|sign|tuf|tlog|net|git)/' 'base stands alone' lib/base
deny '#include "lib/(sign|tuf|tlog|net|git)/' 'json is on base' lib/json
deny '#include "lib/(tuf|tlog|net|git)/' 'sign is on base and json' lib/sign
deny '#include "lib/(tlog|net|git)/' 'tuf is on base, json and sign' lib/tuf
deny '#include "lib/(net|git)/' 'tlog is on base, json, sign, tuf' lib/tlog
deny '#include "lib/(sign|tuf|tlog|git)/' 'net is on base and json' lib/net
deny '#include "(registry|client|escrow|tests)/' 'policies is on lib' policies
deny '#include "lib/(net|git)/' 'policies does no I/O' policies
deny '#include "(client|escrow|tests)/' 'registry is on policies and lib' registry
deny '#include "(registry|escrow|tests)/' 'client is on policies and lib' client
deny '#include "(registry|client|tests)/' 'escrow is on policies and lib' escrow
if grep -rlE --include='*.[ch]' '#include <gpgme' lib policies registry client escrow |
	grep -v '^lib/sign/gpg.*\.c$'; then
	echo 'layers: GPGME is called from lib/sign/gpg.c only' >&2
	bad=1
fi
if grep -rlE --include='*.[ch]' '#include <curl/' lib policies registry client escrow |
	grep -v '^lib/net/http.*\.c$'; then
	echo 'layers: libcurl is called from lib/net/http.c only' >&2
	bad=1
fi
exit $bad
