#!/bin/sh
# Installs a release of jtx and jtx-plus, with manual pages and completions, below PREFIX:
#
#   sh install.sh [VERSION]
#
# VERSION is one such as v0.1.0, without it the newest. PREFIX is ~/.local without the
# variable of that name. What was fetched is installed only where its checksum is the one
# in the release's SHA256SUMS. JTX_RELEASES is where releases are, for mirrors.
set -eu

fail() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

fetch() { # URL FILE
	if command -v curl >/dev/null; then
		curl -fsSL -o "$2" "$1"
	elif command -v wget >/dev/null; then
		wget -qO "$2" "$1"
	else
		fail "neither curl nor wget is here"
	fi || fail "$1 can't be fetched"
}

checksum() { # FILE
	if command -v sha256sum >/dev/null; then
		sha256sum "$1"
	elif command -v shasum >/dev/null; then
		shasum -a 256 "$1"
	else
		fail "neither sha256sum nor shasum is here"
	fi | cut -d ' ' -f 1
}

main() {
	releases=${JTX_RELEASES:-https://github.com/jtx-project/jtx/releases}
	prefix=${PREFIX:-$HOME/.local}

	case $(uname -s) in
	Linux) os=linux ;;
	Darwin) os=darwin ;;
	*) fail "no release for $(uname -s): see README" ;;
	esac
	case $(uname -m) in
	x86_64 | amd64) arch=amd64 ;;
	aarch64 | arm64) arch=arm64 ;;
	*) fail "no release for $(uname -m): see README" ;;
	esac

	if [ $# -gt 0 ]; then
		from=$releases/download/$1
	else
		from=$releases/latest/download
	fi

	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	fetch "$from/SHA256SUMS" "$work/SHA256SUMS"
	archive=$(sed -n "s/^[0-9a-f]\{64\} [ *]\(jtx_[^ /]*_${os}_$arch\.tar\.gz\)\$/\1/p" "$work/SHA256SUMS")
	case $archive in
	'') fail "$from has no archive for $os/$arch" ;;
	*'
'*) fail "$from has several archives for $os/$arch" ;;
	esac
	fetch "$from/$archive" "$work/$archive"
	want=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$archive\$/\1/p" "$work/SHA256SUMS")
	have=$(checksum "$work/$archive")
	[ "$want" = "$have" ] || fail "$archive has checksum $have, and SHA256SUMS says $want: nothing was installed"

	mkdir "$work/in"
	tar -xzf "$work/$archive" -C "$work/in"
	mkdir -p "$prefix/bin" "$prefix/share"
	for program in jtx jtx-plus; do
		# Renamed into place: one that runs is not written over.
		cp "$work/in/$program" "$prefix/bin/.$program.new"
		chmod 755 "$prefix/bin/.$program.new"
		mv -f "$prefix/bin/.$program.new" "$prefix/bin/$program"
	done
	if [ -d "$work/in/share" ]; then
		cp -R "$work/in/share/." "$prefix/share/"
	fi
	"$prefix/bin/jtx" version
	case :$PATH: in
	*":$prefix/bin:"*) ;;
	*) printf 'note: %s is not in PATH\n' "$prefix/bin" ;;
	esac
}

# All of it has been read before anything is done.
main "$@"
