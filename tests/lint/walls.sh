#!/bin/sh
# Holds the walls of the house: which folder may include which header, who may talk to which library, who may spawn, allocate,
# or touch the world. LINT_ROOT is another tree to look at (the lint's own test). Prints each fault; exit 1 if there is one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "${LINT_ROOT:-$here/../..}" || exit 3
faults=$(mktemp) || exit 3
trap 'rm -f "$faults" "$faults.includes" "$faults.code"' EXIT

fault() {
	echo "$1" >>"$faults"
}

# These set a variable each, as a process for each of some thousand answers would be most of the work.

# Sets belongs: the folder of a shared header. The model (rule, fleet) is inventory's, and more may use it than the rest of inventory.
owner() {
	case $1 in
	str | arena | buf | error | names | addr | process | parallel | embedded | file) belongs=base ;;
	db) belongs=db ;;
	rule | fleet | assertion) belongs=model ;;
	document | inventory | foreign) belongs=inventory ;;
	digest) belongs=digest ;;
	settings | resolve | ruleset | produce) belongs=rulesets ;;
	mustache | guard) belongs=gen ;;
	store | cache | keep) belongs=store ;;
	explain | opens | packets | filter | intent | verify | difference | who_can | exposed | matrix | lint | policy | takeover) belongs=analysis ;;
	ledger | push | bundle) belongs=push ;;
	*) belongs=nobody ;;
	esac
}

# Sets usable: what a folder may use (HOUSE §1).
may_use() {
	case $1 in
	base) usable=base ;;
	db) usable='base db' ;;
	inventory) usable='base db model inventory' ;;
	gen) usable='base model digest rulesets gen store' ;;
	analysis) usable='base model digest rulesets analysis' ;;
	push) usable='base db digest store analysis push' ;;
	cli) usable='base db model inventory digest rulesets gen store analysis push' ;;
	*) usable= ;;
	esac
}

# Sets room: the folder of a source. That of a shared header is its owner's: what it includes is what all its users get.
room_of() {
	room=${1%%/*}
	[ "$room" = include ] || return 0
	belongs=${1##*/}
	owner "${belongs%.h}"
	case $belongs in
	model | inventory) room=inventory ;;
	digest | rulesets | gen | store) room=gen ;;
	*) room=$belongs ;;
	esac
}

# Sets allowed: the folders and files that may include a library's header; "all" for the C library and the kernel.
may_include() {
	case $1 in
	libpq-fe.h | libpq/*) allowed=db/ ;;
	libconfig.h) allowed='inventory/document_read.c cli/config.c' ;;
	libsmartcols/* | libsmartcols.h) allowed=cli/ ;;
	jansson.h) allowed='cli/ inventory/' ;;
	openssl/*) allowed=gen/ ;;
	bdd.h) allowed=analysis/packets.c ;;
	uv.h) allowed='push/ cli/' ;;
	pthread.h | threads.h) allowed=base/ ;;
	*) allowed=all ;;
	esac
}

among() {
	word=$1
	shift
	for other; do
		[ "$word" != "$other" ] || return 0
	done
	return 1
}

check_shared() { # FILE FOLDER HEADER
	name=${3#fleetwall/}
	owner "${name%.h}"
	may_use "$2"
	# shellcheck disable=SC2086 # a list of words
	if [ "$belongs" = nobody ]; then
		fault "$1: the header $3 has no owner in tests/lint/walls.sh"
	elif ! among "$belongs" $usable; then
		fault "$1: $2 may not use $3, which is $belongs's"
	fi
}

check_library() { # FILE HEADER
	may_include "$2"
	for place in $allowed; do
		case $place in all | "$1") return ;; */) case $1 in "$place"*) return ;; esac ;; esac
	done
	fault "$1: <$2> is not for this file"
}

# What all of them include, as FILE:<HEADER or FILE:HEADER, and what all of them do, as FILE:LINE:CODE.
read_sources() {
	grep -EHo '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*(<[^>]*>|"[^"]*")' "$@" |
		sed 's/^\([^:]*:\)[^<"]*"*\(<\{0,1\}[^>"]*\).*/\1\2/' >"$faults.includes"
	awk -v where=1 -f "$here/../lib/code.awk" "$@" >"$faults.code"
}

check_includes() {
	while IFS=: read -r file header; do
		room_of "$file"
		case $header in
		"<"*) check_library "$file" "${header#<}" ;;
		fleetwall/*) check_shared "$file" "$room" "$header" ;;
		*/*) fault "$file: \"$header\" reaches into another room" ;;
		*) [ -e "$room/$header" ] || fault "$file: \"$header\" is not a header of $room" ;;
		esac
	done <"$faults.includes"
}

# calls WHY NAME…: a fault for each call of one of these functions in the code that it reads
calls() {
	why=$1
	shift
	names=$(echo "$*" | tr ' ' '|')
	LC_ALL=C grep -E "^[^:]*:[0-9]*:(.*[^a-zA-Z0-9_.>])?($names) *\\(" |
		sed "s|^\\([^:]*:[0-9]*\\):[ \\t]*\\(.*\\)|\\1: $why: \\2|" >>"$faults"
}

# The code of these files; everything_but: of all others. FILES is the beginning of an extended regular expression.
of() { # FILES
	grep -E "^($1)" "$faults.code"
}
everything_but() { # FILES
	grep -Ev "^($1)" "$faults.code"
}

check_calls() {
	headers='include/'
	everything_but "$headers|base/process[^/:]*\\.c:" | calls "only base/process spawns" fork vfork clone system popen posix_spawn posix_spawnp \
		execl execlp execle execv execvp execvpe execve fexecve unshare setns
	# Libraries hand out memory that only free() takes back: jansson's json_dumps(), and libsmartcols takes malloc's lines.
	libraries="cli/writer$(grep -l json_dumps "$@" | sed 's/.*/|&:/' | tr -d '\n')"
	everything_but "$headers|base/" |
		calls "memory comes from arenas" malloc calloc realloc strdup strndup asprintf getline
	everything_but "$headers|base/|$libraries" | calls "memory comes from arenas" free vasprintf
	of 'gen/' | grep -Ev '^gen/(store|cache)[^/:]*\.c:' |
		calls "gen/ up to the bytes does not touch the world" open openat fopen printf fprintf puts write \
			time clock_gettime gettimeofday getenv secure_getenv rand random getpid localtime gmtime
}

set --
for folder in base db inventory gen analysis push cli include/fleetwall; do
	for file in "$folder"/*.c "$folder"/*.h; do
		[ ! -e "$file" ] || set -- "$@" "$file"
	done
done
[ $# -gt 0 ] || {
	echo "no source is here"
	exit 3
}
read_sources "$@"
check_includes
check_calls "$@"

cat "$faults"
[ ! -s "$faults" ]
