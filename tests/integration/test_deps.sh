#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh does nothing when all is there, and says in one line why it cannot do more.
set -eu
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
mkdir -p "$top/a tree/tests/setup" "$top/bin"
cp tests/setup/deps.sh "$top/a tree/tests/setup/"
for tool in sh awk cat dirname env flock mkdir tail tr; do
	ln -s "$(command -v $tool)" "$top/bin/$tool"
done
fake() { printf '#!/bin/sh\n%s\n' "$2" >"$top/bin/$1" && chmod +x "$top/bin/$1"; }
list() { printf '# a comment\n%s\n' "$@" >"$top/a tree/packages.txt"; }

# expect STATUS LINES TEXT: what deps.sh gives for the group "build".
expect() {
	got=0
	out=$(PATH="$top/bin" sh "$top/a tree/tests/setup/deps.sh" build 2>&1) || got=$?
	[ "$got" = "$1" ] || { echo "exit $got, wanted $1: $out"; exit 1; }
	lines=$(printf %s "$out" | grep -c '' || true)
	[ "$lines" = "$2" ] || { echo "$lines lines, wanted $2: $out"; exit 1; }
	case $out in *"$3"*) ;; *) echo "'$3' is not in: $out"; exit 1 ;; esac
}

# shellcheck disable=SC2016 # the fake expands it
fake dpkg-query 'case $4 in here) printf installed ;; *) exit 1 ;; esac'
fake id 'echo 1000'
list 'here build' 'absent lint'
expect 0 0 ''

list 'here build' 'absent build'
expect 1 1 'deps: this is not Debian; install by hand: absent'

fake apt-get 'echo "Could not resolve host" >&2; exit 100'
expect 1 1 'deps: need root or sudo to install: absent'

fake id 'echo 0'
expect 1 2 'deps: apt-get could not install the packages (no package server?): Could not resolve host'
