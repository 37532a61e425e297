#!/usr/bin/env bash
# The two-minute tour: changes two real files as a unit, is killed in the middle
# many times, and finds both whole and in step. Works on a copy.
#
# Usage: testdata/tour.sh JTX
set -euo pipefail
jtx=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp -r "$here/memory" "$here/sync" "$dir"
cd "$dir"
memory=memory/workspace-memory.json sync=sync/config.json

say() { printf '\n# %s\n' "$*"; }
run() {
	local word line='$ jtx'
	for word in "$@"; do
		case $word in *[!A-Za-z0-9_./-]*) word="'$word'" ;; esac
		line+=" $word"
	done
	printf '%s\n' "$line"
	"$jtx" "$@"
}

say "One file: one line changes, all other bytes stay."
cp $sync before.json
run set $sync /interval 60 -m "sync every minute"
diff before.json $sync || true

say "Two files as a unit."
tx=$("$jtx" begin $memory $sync -m "next revision")
echo "\$ tx=\$(jtx begin $memory $sync)   # $tx"
run apply "$tx" $memory '[{"op":"replace","path":"/revision","value":42}]'
run apply "$tx" $sync '[{"op":"replace","path":"/revision","value":42}]'
run get $memory /revision
run commit "$tx"
run get $memory /revision

say "Killed (kill -9) while it commits, again and again."
kills=0
for _ in $(seq 30); do
	n=$(($("$jtx" get $memory /revision) + 1))
	printf '%s\n' "{\"file\":\"$memory\",\"set\":{\"/revision\":$n}}" "{\"file\":\"$sync\",\"set\":{\"/revision\":$n}}" > step
	"$jtx" do -q step &
	sleep "0.00$((RANDOM % 10))"
	if kill -9 $! 2>/dev/null; then kills=$((kills + 1)); fi
	wait $! 2>/dev/null || true
	a=$("$jtx" snapshot $memory $sync)
	distinct=$(printf '%s' "$a" | grep -o '"revision": *[0-9]*' | sort -u | wc -l)
	if [ "$distinct" != 1 ]; then
		echo "out of step: $a"
		exit 1
	fi
done
echo "$kills kills; both files at revision $("$jtx" get $sync /revision), in step each time"
run recover
run verify
