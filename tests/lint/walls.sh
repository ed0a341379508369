#!/bin/sh
# Holds the walls of the house: which folder may include which header, who may talk to which library, who may spawn, allocate,
# or touch the world. LINT_ROOT is another tree to look at (the lint's own test). Prints each fault; exit 1 if there is one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "${LINT_ROOT:-$here/../..}" || exit 3
faults=$(mktemp) || exit 3
trap 'rm -f "$faults"' EXIT

fault() {
	echo "$1" >>"$faults"
}

# The folder that a shared header belongs to. The model (rule, fleet) is inventory's, and more may use it than the rest of inventory.
owner() {
	case $1 in
	str | arena | buf | error | names | addr | process | parallel | embedded) echo base ;;
	db) echo db ;;
	rule | fleet) echo model ;;
	document | inventory | foreign) echo inventory ;;
	digest) echo digest ;;
	settings | resolve | ruleset | produce) echo rulesets ;;
	mustache | guard) echo gen ;;
	store | cache | keep) echo store ;;
	explain | opens) echo analysis ;;
	ledger | push | bundle) echo push ;;
	*) echo nobody ;;
	esac
}

# What a folder may use (HOUSE §1).
may_use() {
	case $1 in
	base) echo base ;;
	db) echo base db ;;
	inventory) echo base db model inventory ;;
	gen) echo base model digest rulesets gen store ;;
	analysis) echo base model digest rulesets analysis ;;
	push) echo base db digest store analysis push ;;
	cli) echo base db model inventory digest rulesets gen store analysis push ;;
	esac
}

# The room of a shared header itself: what it includes is what all its users get.
room_of_header() {
	case $(owner "$1") in
	model | inventory) echo inventory ;;
	digest | rulesets | gen | store) echo gen ;;
	*) owner "$1" ;;
	esac
}

# The folders and files that may include a library's header; "all" for the C library and the kernel.
may_include() {
	case $1 in
	libpq-fe.h | libpq/*) echo db/ ;;
	libconfig.h) echo inventory/document_read.c cli/config.c ;;
	libsmartcols/* | libsmartcols.h) echo cli/ ;;
	jansson.h) echo cli/ inventory/ ;;
	openssl/*) echo gen/ ;;
	bdd.h) echo analysis/ ;;
	uv.h) echo push/ cli/ ;;
	pthread.h | threads.h) echo base/ ;;
	*) echo all ;;
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
	name=${name%.h}
	belongs=$(owner "$name")
	# shellcheck disable=SC2046 # a list of words
	if [ "$belongs" = nobody ]; then
		fault "$1: the header $3 has no owner in tests/lint/walls.sh"
	elif ! among "$belongs" $(may_use "$2"); then
		fault "$1: $2 may not use $3, which is $belongs's"
	fi
}

check_library() { # FILE HEADER
	for allowed in $(may_include "$2"); do
		case $allowed in all | "$1") return ;; */) case $1 in "$allowed"*) return ;; esac ;; esac
	done
	fault "$1: <$2> is not for this file"
}

check_includes() { # FILE FOLDER
	sed -n 's/^[ \t]*#[ \t]*include[ \t]*\(<[^>]*>\|"[^"]*"\).*/\1/p' "$1" | tr -d '">' >"$faults.includes"
	while read -r header; do
		case $header in
		"<"*) check_library "$1" "${header#<}" ;;
		fleetwall/*) check_shared "$1" "$2" "$header" ;;
		*/*) fault "$1: \"$header\" reaches into another room" ;;
		*) [ -e "$2/$header" ] || [ "$2" = include ] || fault "$1: \"$header\" is not a header of $2" ;;
		esac
	done <"$faults.includes"
	rm -f "$faults.includes"
}

# calls FILE WHY NAME…: a fault for each call of one of these functions
calls() {
	file=$1
	why=$2
	shift 2
	names=$(echo "$*" | tr ' ' '|')
	awk -f "$here/../lib/code.awk" "$file" | grep -nE "(^|[^a-zA-Z0-9_.>])($names)[ ]*\\(" |
		sed "s|^\\([0-9]*\\):[ \\t]*\\(.*\\)|$file:\\1: $why: \\2|" >>"$faults"
}

check_calls() {
	case $1 in
	base/process*.c) ;;
	*) calls "$1" "only base/process spawns" fork vfork clone system popen posix_spawn posix_spawnp \
		execl execlp execle execv execvp execvpe execve fexecve unshare setns ;;
	esac
	# Libraries hand out memory that only free() takes back: jansson's json_dumps(), and libsmartcols takes malloc's lines.
	allocators='malloc calloc realloc strdup strndup asprintf getline free vasprintf'
	if grep -q json_dumps "$1" || [ "${1#cli/writer}" != "$1" ]; then
		allocators='malloc calloc realloc strdup strndup asprintf getline'
	fi
	case $1 in
	base/*) ;;
	*) calls "$1" "memory comes from arenas" "$allocators" ;;
	esac
	case $1 in
	gen/store*.c | gen/cache*.c) ;;
	gen/*) calls "$1" "gen/ up to the bytes does not touch the world" open openat fopen printf fprintf puts write \
		time clock_gettime gettimeofday getenv secure_getenv rand random getpid localtime gmtime ;;
	esac
}

for folder in base db inventory gen analysis push cli; do
	for file in "$folder"/*.c "$folder"/*.h; do
		[ -e "$file" ] || continue
		check_includes "$file" "$folder"
		check_calls "$file"
	done
done
for file in include/fleetwall/*.h; do
	[ -e "$file" ] || continue
	room=$(room_of_header "$(basename "$file" .h)")
	check_includes "$file" "$room"
done

cat "$faults"
[ ! -s "$faults" ]
