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

# _jtx_waits RETRIES: says how long to wait for locks. Those that this replaces tried
# again up to ten times, half a minute in all: so much is a try.
_jtx_waits() {
	case $1 in
	'') ;;
	*[!0-9]*)
		echo "error: RETRIES is a number, and not $1: nothing was read or written" >&2
		return 2
		;;
	*) echo "--lock-timeout=$(($1 * 3))s" ;;
	esac
}

# _jtx_backup BACKUP: each version is kept, and can't be not.
_jtx_backup() {
	case ${1-} in
	'' | 1 | [Tt]rue | TRUE | [Yy]es | YES) return 0 ;;
	esac
	echo "error: BACKUP $1: what stood there before is always kept (jtx forget FILE ends a file's history)" >&2
	return 2
}

# _jtx_heal FILE: heals a protected file that is damaged or was deleted by another
# program, and begins its history where it has none.
_jtx_heal() {
	if jtx protect --check -q -- "$1" 2>/dev/null; then
		jtx protect --heal -q -- "$1"
	fi
}

# safe_json_read FILE [DEFAULT [RETRIES]]: prints the document. A protected file that
# is damaged or gone is healed first; without the file it prints DEFAULT, or null.
# DEFAULT stands for another file that is damaged, too, when that has been said.
safe_json_read() (
	_jtx_ready || exit
	[ $# -ge 1 ] || { _jtx_usage "safe_json_read FILE [DEFAULT [RETRIES]]"; exit; }
	_jtx_wait=$(_jtx_waits "${3-}") || exit
	_jtx_heal "$1" || exit
	if _jtx_doc=$(jtx get ${_jtx_wait:+"$_jtx_wait"} --default "${2:-null}" -- "$1"); then
		printf '%s\n' "$_jtx_doc"
		exit
	else
		_jtx_code=$?
	fi
	case $_jtx_code in
	5 | 6) [ -n "${2-}" ] && [ -e "$1" ] || exit "$_jtx_code" ;;
	*) exit "$_jtx_code" ;;
	esac
	echo "warning: $1 is damaged: the default is used instead, and the file is left as it is" >&2
	printf '%s\n' "$2"
)

# safe_json_write FILE JSON|- [INDENT [RETRIES [BACKUP]]]: makes JSON, or what standard
# input has, the document: as it is written, or with an indent of so many spaces.
safe_json_write() (
	_jtx_ready || exit
	[ $# -ge 2 ] || { _jtx_usage "safe_json_write FILE JSON|- [INDENT [RETRIES [BACKUP]]]"; exit; }
	_jtx_wait=$(_jtx_waits "${4-}") && _jtx_backup "${5-}" || exit
	_jtx_indent=${3-}
	[ "$_jtx_indent" != 0 ] || _jtx_indent=compact
	if [ "$2" = - ]; then
		cat
	else
		printf '%s\n' "$2"
	fi | jtx put -q -p ${_jtx_wait:+"$_jtx_wait"} ${_jtx_indent:+"--indent=$_jtx_indent"} -- "$1" -
)

# safe_json_merge FILE JSON|- [RETRIES [BACKUP]]: sets the members that JSON, or what
# standard input has, has.
safe_json_merge() (
	_jtx_ready || exit
	[ $# -ge 2 ] || { _jtx_usage "safe_json_merge FILE JSON|- [RETRIES [BACKUP]]"; exit; }
	_jtx_wait=$(_jtx_waits "${3-}") && _jtx_backup "${4-}" || exit
	_jtx_heal "$1" || exit
	# From a pipe, since a word of a command line has a largest size.
	# shellcheck disable=SC2016 # $jtx_new is jq's
	if [ "$2" = - ]; then
		cat
	else
		printf '%s\n' "$2"
	fi | jtx update -q -p ${_jtx_wait:+"$_jtx_wait"} --default '{}' --slurpfile jtx_new /dev/stdin -- "$1" '
		if ($jtx_new | length) != 1 then error("want one JSON object to merge")
		else (if type == "object" then . else {} end) + $jtx_new[0] end'
)

# safe_json_update FILE EXPR [DEFAULT [RETRIES [BACKUP]]]: EXPR is a jq program, or
# Python statements that change data.
safe_json_update() (
	_jtx_ready || exit
	[ $# -ge 2 ] || { _jtx_usage "safe_json_update FILE EXPR [DEFAULT [RETRIES [BACKUP]]]"; exit; }
	_jtx_wait=$(_jtx_waits "${4-}") && _jtx_backup "${5-}" || exit
	_jtx_heal "$1" || exit
	_jtx_default=${3-}
	[ -n "$_jtx_default" ] || _jtx_default='{}'
	_jtx_code=0
	_jtx_is_python "$2" || _jtx_code=$?
	case $_jtx_code in
	0) ;;
	1)
		jtx update -q -p ${_jtx_wait:+"$_jtx_wait"} --default "$_jtx_default" -- "$1" "$2"
		exit
		;;
	*) exit 127 ;;
	esac
	jtx pipe -q -p --keep-layout ${_jtx_wait:+"$_jtx_wait"} -- "$1" -- python3 -c '
import copy, datetime, json, math, os, re, sys, time
text = sys.stdin.read()
data = json.loads(text if text.strip() else sys.argv[2])
exec(sys.argv[1])
json.dump(data, sys.stdout, ensure_ascii=False, allow_nan=False)
' "$2" "$_jtx_default"
)

# _jtx_is_python EXPR: tells Python statements over data from a jq program. Python itself
# is asked: a jq program that has the word data is hardly ever Python that does anything.
_jtx_is_python() {
	case $1 in
	*data*) ;;
	*) return 1 ;;
	esac
	if command -v python3 >/dev/null 2>&1; then
		python3 -c '
import ast, sys
try:
    tree = ast.parse(sys.argv[1])
except (SyntaxError, ValueError):
    sys.exit(1)
names = any(isinstance(n, ast.Name) and n.id == "data" for n in ast.walk(tree))
does = any(not isinstance(s, ast.Expr) or isinstance(s.value, ast.Call) for s in tree.body)
sys.exit(0 if names and does else 1)
' "$1"
		return
	fi
	case $1 in
	data\[* | data.* | data\ * | "import "* | "for "* | "from "* | "del data"* | "if "*": "*data*)
		echo "error: python3 is not in PATH, and this is Python: $1" >&2
		return 127
		;;
	esac
	return 1
}

# safe_jq [-i] ARGS... [FILE...]: jq on one consistent state of the files. With -i first
# each FILE becomes what jq prints. One FILE may also come before the program.
safe_jq() (
	_jtx_ready || exit
	[ $# -ge 1 ] || { _jtx_usage "safe_jq [-i] ARGS... [FILE...]"; exit; }
	for _jtx_word; do
		case $_jtx_word in
		*.json) _jtx_heal "$_jtx_word" || exit ;;
		esac
	done
	jtx safe-jq "$@"
)

# python_safe_json read FILE [DEFAULT [RETRIES]] | write FILE JSON [INDENT [RETRIES
# [BACKUP]]] | update FILE EXPR [DEFAULT [RETRIES [BACKUP]]]
python_safe_json() (
	case ${1-} in
	load | read) shift && safe_json_read "$@" ;;
	dump | write) shift && safe_json_write "$@" ;;
	update) shift && safe_json_update "$@" ;;
	*) _jtx_usage "python_safe_json read|write|update FILE ..." ;;
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

# _jtx_critical: prints what the older system had on its list.
_jtx_critical() {
	printf '%s\n' memory/enhanced-context.json memory/workspace-memory.json \
		memory/current-session-context.json sync/config.json autonomous/service-status.json \
		intelligence/auto-learnings.json intelligence/auto-decisions.json decisions/decisions.json \
		activity/activity.json settings.local.json auto-projects/current.json projects/project-config.json
}

# is_critical_json_file FILE: tells whether FILE is protected, or was on the older
# system's list: a script that asks must not fall back to unsafe writes.
is_critical_json_file() (
	_jtx_ready || exit
	[ $# -ge 1 ] || { _jtx_usage "is_critical_json_file FILE"; exit; }
	for _jtx_name in $(_jtx_critical); do
		case /$1 in
		*/"$_jtx_name") exit 0 ;;
		esac
	done
	jtx protect --check -q -- "$1" 2>/dev/null
)

# auto_upgrade_json_ops SCRIPT...: replaces unsafe writes in scripts.
auto_upgrade_json_ops() (
	_jtx_ready || exit
	jtx rewrite --write "$@"
)

# protect_critical_json_files: protects what the older system had on its list.
protect_critical_json_files() (
	_jtx_ready || exit
	# shellcheck disable=SC2046 # no name has a blank
	jtx protect -q -- $(_jtx_critical)
)

# test_json_operations [all|basic|concurrent|cleanup|errors|performance]: tries the
# functions in a directory of its own.
test_json_operations() (
	_jtx_ready || exit
	case ${1-all} in
	all) set -- basic concurrent cleanup errors performance ;;
	basic | concurrent | cleanup | errors | performance) ;;
	*) _jtx_usage "test_json_operations [all|basic|concurrent|cleanup|errors|performance]"; exit ;;
	esac
	_jtx_dir=$(mktemp -d) || exit
	trap 'rm -rf "$_jtx_dir"' EXIT
	cd "$_jtx_dir" || exit
	for _jtx_part; do
		"_jtx_test_$_jtx_part" || exit
	done
	echo "All tests passed"
)

# _jtx_try WHAT CMD...: runs CMD, which must succeed.
_jtx_try() {
	_jtx_what=$1
	shift
	if "$@" >/dev/null; then
		echo "ok: $_jtx_what"
	else
		echo "failed: $_jtx_what"
		return 1
	fi
}

# _jtx_refused CODE CMD...: runs CMD, which must end with CODE.
_jtx_refused() {
	_jtx_want=$1
	shift
	"$@" 2>/dev/null && return 1
	[ $? = "$_jtx_want" ]
}

_jtx_test_basic() {
	_jtx_try write safe_json_write t.json '{
  "counter": 0
}' &&
		_jtx_try read safe_json_read t.json &&
		_jtx_try update safe_json_update t.json '.counter += 1' &&
		_jtx_try merge safe_json_merge t.json '{"merged": true}' &&
		_jtx_try "what was written is there" jtx patch -q t.json '[{"op": "test", "path": "", "value": {"counter": 1, "merged": true}}]'
}

_jtx_test_concurrent() { _jtx_try "concurrent merges" _jtx_merge_many shared.json; }

# _jtx_merge_many FILE: merges into FILE from five processes, and counts.
_jtx_merge_many() (
	for _jtx_n in 1 2 3 4 5; do
		safe_json_merge "$1" "{\"worker_$_jtx_n\": true}" &
	done
	wait
	[ "$(safe_json_read "$1" | grep -c worker_)" = 5 ]
)

_jtx_test_cleanup() {
	_jtx_tx=$(jtx begin --lock c.json) &&
		echo "ok: a lease" &&
		_jtx_try "it is waited for" _jtx_refused 4 jtx set -q --lock-timeout=0 c.json /n 1 &&
		_jtx_try "all locks are cleaned" cleanup_all_locks force &&
		_jtx_try "the file is free" jtx set -q --lock-timeout=0 c.json /n 1 &&
		jtx abort "$_jtx_tx"
}

_jtx_test_errors() {
	_jtx_try "a document" safe_json_write e.json '{"n": 1}' &&
		_jtx_try "no JSON is refused" _jtx_refused 5 safe_json_write e.json '{' &&
		_jtx_try "a failing update is refused" _jtx_refused 5 safe_json_update e.json 'error("no")' &&
		_jtx_try "what stood there stands" jtx patch -q e.json '[{"op": "test", "path": "", "value": {"n": 1}}]' &&
		_jtx_try "it can be taken back" _jtx_undone e.json
}

# _jtx_undone FILE: changes FILE and takes that back.
_jtx_undone() {
	safe_json_write "$1" '{"n": 2}' && jtx undo -q "$1@2" && [ "$(jtx get "$1" /n)" = 1 ]
}

# _jtx_test_performance: fifty writes and a hundred reads, as they were counted before.
_jtx_test_performance() {
	_jtx_begun=$(date +%s)
	_jtx_at=0
	while [ "$_jtx_at" -lt 50 ]; do
		_jtx_at=$((_jtx_at + 1))
		safe_json_write p.json "{\"n\": $_jtx_at}" && safe_json_read p.json >/dev/null && safe_json_read p.json >/dev/null || return
	done
	echo "ok: 50 writes and 100 reads in $(($(date +%s) - _jtx_begun))s"
}
