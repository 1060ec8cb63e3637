#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: sysroot.sh ARCH DIR - unpack the libraries that our programs and tests link, as Debian
# built them for another machine, below DIR, for a cross compiler's --sysroot and qemu's -L.
#
# apt gets folders of its own: the machine's architectures and package lists stay as they are, and
# nothing here needs root. DIR is there when it is whole; two at once wait for each other; what was
# downloaded before an interruption is not downloaded again.
set -eu
arch=$1
case $2 in
/*) dir=$2 ;;
*) dir=$PWD/$2 ;;
esac
cd "$(dirname "$0")/../.."

# What C is compiled against, the locale C.UTF-8 in that machine's byte order, and whatever the
# programs and the unit tests link.
wanted="libc6-dev libc-bin $(awk '!/^#/ && $1 ~ /^lib.*-dev$/ && $2 ~ /^(build|check)$/ { print $1 }' packages.txt | tr '\n' ' ')"

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
[ "$(cat "$dir/packages" 2>/dev/null)" = "$wanted" ] && exit 0

apt=$dir.apt log=$dir.log
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/empty"
: >"$apt/status"
# Debian 12 from where this machine gets its own packages.
# shellcheck disable=SC2016 # apt's own variable
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Codename: bookworm' 'Label: Debian' | head -n 1)
cat >"$apt/sources.list" <<LIST
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian/} bookworm main
LIST

foreign() {
	apt-get -q -y -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o Dir::State="$apt" -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" \
		-o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" \
		-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/empty" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$apt/empty" \
		-o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=0 -o Debug::NoLocking=1 \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@" >>"$log" 2>&1
}

echo "sysroot: downloading the libraries for $arch"
: >"$log"
# shellcheck disable=SC2086 # a list of words
{ foreign update && foreign --download-only install $wanted; } || {
	echo "sysroot: apt-get could not download the packages for $arch: $(tail -n 1 "$log")" >&2
	exit 1
}
rm -rf "$dir.new"
mkdir "$dir.new"
for package in "$apt"/archives/*.deb; do
	dpkg-deb -x "$package" "$dir.new"
done
# Links to the root of a machine have to stay inside.
find "$dir.new" -type l -lname '/*' | while read -r link; do
	ln -snf "$(realpath -m --relative-to="$(dirname "$link")" "$dir.new$(readlink "$link")")" "$link"
done
echo "$wanted" >"$dir.new/packages"
rm -rf "$dir"
mv "$dir.new" "$dir"
rm -rf "$apt"
