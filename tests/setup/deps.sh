#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: deps.sh GROUP... - install the packages of these groups of packages.txt.
# Does nothing when all are there; two at once wait for each other.
set -u
cd "$(dirname "$0")/../.." || exit 1

wanted=$(for group; do awk -v g="$group" '!/^#/ && $2 == g { print $1 }' packages.txt; done)

# Another packager's nodejs has npm in it.
provided() {
	dpkg-query -W -f '${db:Status-Status} ${Provides}\n' 2>/dev/null | awk -v p="$1" '
		$1 == "installed" { for (i = 2; i <= NF; i++) if ($i == p || $i == p ",") found = 1 }
		END { exit !found }'
}

missing() {
	for p in $wanted; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
			provided "$p" || echo "$p"
	done
}

[ -z "$(missing)" ] && exit 0
command -v apt-get >/dev/null || {
	echo "deps: this is not Debian; install by hand: $(missing | tr '\n' ' ')" >&2
	exit 1
}
as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps: need root or sudo to install: $(missing | tr '\n' ' ')" >&2
		exit 1
	}
	as_root=sudo
fi
mkdir -p build
exec 9>build/.deps.lock
flock 9
todo=$(missing | tr '\n' ' ')
[ -z "$todo" ] && exit 0
echo "deps: installing $todo"
log=build/deps.log
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 \
		--no-install-recommends "$@" >>"$log" 2>&1
}
: >"$log"
# The list on the machine may be old or absent: refresh it only if it does not do.
# shellcheck disable=SC2086 # a list of words
apt install $todo || { apt update && apt install $todo; } || {
	echo "deps: apt-get could not install the packages (no package server?): $(tail -n 1 "$log")" >&2
	exit 1
}
