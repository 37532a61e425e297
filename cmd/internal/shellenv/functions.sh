# The functions of jtx shellenv, for sh, bash and zsh. Each runs in a subshell, so
# that it leaves no variable behind, and none falls back to an unsafe write.

_jtx_ready() {
	command -v jtx >/dev/null 2>&1 && return 0
	echo "error: jtx is not in PATH: nothing was read or written" >&2
	return 127
}

_jtx_usage() {
	echo "error: usage: $*" >&2
	return 2
}

# _jtx_heal FILE: heals a protected file that is damaged, and begins its history
# where it has none.
_jtx_heal() {
	if jtx protect --check -q -- "$1" 2>/dev/null; then
		jtx protect --heal -q -- "$1"
	fi
}

# safe_json_read FILE [DEFAULT]: prints the document. A protected file that is
# damaged is healed first; without the file it prints DEFAULT, or null.
safe_json_read() (
	_jtx_ready || exit
	[ $# -ge 1 ] || { _jtx_usage "safe_json_read FILE [DEFAULT]"; exit; }
	_jtx_heal "$1" || exit
	_jtx_doc=$(jtx get --default "${2:-null}" -- "$1") || exit
	printf '%s\n' "$_jtx_doc"
)

# safe_json_write FILE JSON: makes JSON the document.
safe_json_write() (
	_jtx_ready || exit
	[ $# -ge 2 ] || { _jtx_usage "safe_json_write FILE JSON"; exit; }
	mkdir -p -- "$(dirname -- "$1")" || exit
	printf '%s\n' "$2" | jtx put -q -- "$1" -
)

# safe_json_merge FILE JSON: sets the members that JSON has.
safe_json_merge() (
	_jtx_ready || exit
	[ $# -ge 2 ] || { _jtx_usage "safe_json_merge FILE JSON"; exit; }
	mkdir -p -- "$(dirname -- "$1")" || exit
	_jtx_heal "$1" || exit
	# shellcheck disable=SC2016 # $jtx_new is jq's
	jtx update -q --default '{}' --argjson jtx_new "$2" -- "$1" '(if type == "object" then . else {} end) + $jtx_new'
)

# safe_json_update FILE EXPR [DEFAULT]: EXPR is a jq program, or Python statements
# that change data.
safe_json_update() (
	_jtx_ready || exit
	[ $# -ge 2 ] || { _jtx_usage "safe_json_update FILE EXPR [DEFAULT]"; exit; }
	mkdir -p -- "$(dirname -- "$1")" || exit
	_jtx_heal "$1" || exit
	_jtx_default='{}'
	[ $# -lt 3 ] || _jtx_default=$3
	if ! _jtx_is_python "$2"; then
		jtx update -q --default "$_jtx_default" -- "$1" "$2"
		exit
	fi
	command -v python3 >/dev/null 2>&1 || {
		echo "error: python3 is not in PATH, and this is Python: $2" >&2
		exit 127
	}
	jtx pipe -q --keep-layout -- "$1" -- python3 -c '
import copy, datetime, json, math, os, re, sys, time
text = sys.stdin.read()
data = json.loads(text if text.strip() else sys.argv[2])
exec(sys.argv[1])
json.dump(data, sys.stdout, ensure_ascii=False, allow_nan=False)
' "$2" "$_jtx_default"
)

# _jtx_is_python EXPR: tells the Python form data[...] = ... from a jq program.
_jtx_is_python() {
	case $1 in
	data\[* | data.* | data\ * | "import "* | "for "* | "from "*) return 0 ;;
	*"; data["* | *"
data["*) return 0 ;;
	esac
	return 1
}

# safe_jq ARGS... FILE: jq on one consistent state of FILE. With -i first FILE
# becomes what jq prints. FILE may also come first.
safe_jq() (
	_jtx_ready || exit
	command -v jq >/dev/null 2>&1 || { echo "error: jq is not in PATH" >&2; exit 127; }
	_jtx_write=
	if [ "${1-}" = -i ]; then
		_jtx_write=1
		shift
	fi
	[ $# -ge 2 ] || { _jtx_usage "safe_jq [-i] ARGS... FILE"; exit; }
	for _jtx_file; do :; done
	if [ ! -e "$_jtx_file" ] && [ -e "$1" ]; then
		_jtx_file=$1
		shift
	else
		# All but the last: each is moved behind the others, and the last is left out.
		_jtx_left=$(($# - 1))
		while [ "$_jtx_left" -gt 0 ]; do
			set -- "$@" "$1"
			shift
			_jtx_left=$((_jtx_left - 1))
		done
		shift
	fi
	_jtx_heal "$_jtx_file" || exit
	if [ -n "$_jtx_write" ]; then
		jtx pipe -q --keep-layout -- "$_jtx_file" -- jq "$@"
		exit
	fi
	_jtx_doc=$(jtx get -- "$_jtx_file") || exit
	printf '%s\n' "$_jtx_doc" | jq "$@"
)

# python_safe_json read FILE [DEFAULT] | write FILE JSON
python_safe_json() (
	case ${1-} in
	load | read) shift && safe_json_read "$@" ;;
	dump | write) shift && safe_json_write "$@" ;;
	*) _jtx_usage "python_safe_json read FILE [DEFAULT] | write FILE JSON" ;;
	esac
)

# show_json_status: what is tracked here, who holds locks, what is open.
show_json_status() (
	_jtx_ready || exit
	_jtx_code=0
	echo "Files:"
	jtx status || _jtx_code=$? # what is damaged is shown, and the rest too
	echo "Locks:"
	jtx locks || _jtx_code=$?
	echo "Open transactions:"
	jtx tx || _jtx_code=$?
	exit "$_jtx_code"
)

# cleanup_orphaned_locks: settles what crashes left. A dead process holds no lock.
cleanup_orphaned_locks() (
	_jtx_ready || exit
	# A file that somebody works on is no orphan.
	jtx recover --lock-timeout 1s || [ $? -eq 4 ]
)

# cleanup_all_locks [force]: the same; with force every lease is ended too.
cleanup_all_locks() (
	_jtx_ready || exit
	unset IFS
	_jtx_ended=0
	if [ "${1-}" = force ] || [ "${1-}" = true ]; then
		for _jtx_tx in $(jtx tx | cut -f 1); do
			if jtx locks -q --break "$_jtx_tx" 2>/dev/null; then
				_jtx_ended=$((_jtx_ended + 1))
			fi
		done
	fi
	cleanup_orphaned_locks || exit
	echo "Cleaned $_jtx_ended locks"
)

# is_critical_json_file FILE: tells whether FILE is protected.
is_critical_json_file() (
	_jtx_ready || exit
	[ $# -ge 1 ] || { _jtx_usage "is_critical_json_file FILE"; exit; }
	jtx protect --check -q -- "$1" 2>/dev/null
)

# auto_upgrade_json_ops SCRIPT...: replaces unsafe writes in scripts.
auto_upgrade_json_ops() (
	_jtx_ready || exit
	jtx rewrite --write "$@"
)

# _jtx_merge_many FILE: merges into FILE from five processes, and counts.
_jtx_merge_many() (
	for _jtx_n in 1 2 3 4 5; do
		safe_json_merge "$1" "{\"worker_$_jtx_n\": true}" &
	done
	wait
	[ "$(safe_json_read "$1" | grep -c worker_)" = 5 ]
)

# test_json_operations: tries every kind of call in a directory of its own.
test_json_operations() (
	_jtx_ready || exit
	_jtx_dir=$(mktemp -d) || exit
	trap 'rm -rf "$_jtx_dir"' EXIT
	_jtx_try() {
		_jtx_what=$1
		shift
		if "$@" >/dev/null; then
			echo "ok: $_jtx_what"
		else
			echo "failed: $_jtx_what"
			exit 1
		fi
	}
	_jtx_try write safe_json_write "$_jtx_dir/t.json" '{
  "counter": 0
}'
	_jtx_try read safe_json_read "$_jtx_dir/t.json"
	_jtx_try update safe_json_update "$_jtx_dir/t.json" '.counter += 1'
	_jtx_try merge safe_json_merge "$_jtx_dir/t.json" '{"merged": true}'
	_jtx_try "concurrent merges" _jtx_merge_many "$_jtx_dir/t.json"
	echo "All tests passed"
)
