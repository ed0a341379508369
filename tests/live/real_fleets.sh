#!/bin/sh
# Real fleets the way that a new user goes: init, import, generate, with no configuration file, as whoever runs this and, when that is root,
# as an ordinary user, too. Each machine's sets and files load with the stock tools in an empty namespace, and `explain -` answers each
# question that comes with the fleet as its own iptables files do. Fleets that are not there are skipped.
set -u
fleets=../shared/fleets
tmp=$(mktemp -d "${FLEETWALL_MADE:-/tmp/fleetwall}-test.XXXXXX")
chmod 711 "$tmp"
unset FLEETWALL_CONFIG XDG_STATE_HOME
failed=0 passed=0 skipped=0

finish() {
	for state in "$tmp"/state.*; do
		[ ! -d "$state" ] || as_owner "$state" "$FLEETWALL" --state "$state" database stop >/dev/null 2>&1
	done
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT TERM

as_owner() {
	owner=$(stat -c %U "$1")
	shift
	if [ "$owner" = "$(id -un)" ]; then
		"$@"
	else
		runuser -u "$owner" -- "$@"
	fi
}

check() {
	what=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $what"
		tail -n 20 "$tmp/said"
	fi
}

skip() {
	echo "SKIP $*"
	skipped=$((skipped + 1))
}

# In a namespace of its own: the sets that it lists, then its rules.
load_one() {
	# shellcheck disable=SC2016 # the inner shell expands
	unshare -rn sh -euc '
		while read -r set; do
			ipset -exist restore <"$2/sets/$set"
		done <"$1/sets.list"
		iptables-restore <"$1/rules.v4"
		ip6tables-restore <"$1/rules.v6"' - "$1" "$2"
}

# Machines that share a ruleset are links to the same folder.
load_each() {
	out=$1
	unshare -rn true 2>/dev/null || {
		skip "loading: no network namespace can be made here"
		return
	}
	export XTABLES_LOCKFILE="$tmp/xtables.lock"
	count=0
	readlink -f "$out"/machines/* | sort -u >"$tmp/rulesets"
	while read -r ruleset; do
		check "loading $ruleset" load_one "$ruleset" "$out"
		count=$((count + 1))
	done <"$tmp/rulesets"
	check "there are rulesets" test "$count" -gt 0
	# shellcheck disable=SC2016
	check "reading every set twice" unshare -rn sh -euc '
		for set in "$1"/sets/* "$1"/sets/*; do
			ipset -exist restore <"$set"
		done' - "$out"
}

# The machine is the destination of what comes in, and the source of what goes out.
questions() {
	tr -d '\r' <"$1" | awk -F, 'NR > 1 {
		what = $5 == "" ? $4 : $5 "/" $4
		print $2 == "in" ? $3 " " $1 " " what : $1 " " $3 " " what
	}'
}

ask_each() {
	questions "$2/queries.csv" >"$tmp/questions"
	tr -d '\r' <"$2/queries.csv" | awk -F, 'NR > 1 { print $6 }' >"$tmp/verdicts"
	check "explain - of $2" sh -c "'$FLEETWALL' --state '$1' explain - <'$tmp/questions' >'$tmp/answers'"
	cut -f 1 "$tmp/answers" >"$tmp/answered"
	check "every answer of $2" diff "$tmp/verdicts" "$tmp/answered"
	check "questions of $2" test "$(wc -l <"$tmp/verdicts")" -gt 1000
}

try_fleet() {
	state=$tmp/state.$1
	check "$1: init" "$FLEETWALL" --state "$state" init
	check "$1: import" "$FLEETWALL" --state "$state" import --csv "$fleets/$1"
	check "$1: generate" "$FLEETWALL" --state "$state" generate
	check "$1: a folder for each machine" test "$(find "$state/out/machines" -mindepth 1 | wc -l)" -eq \
		"$(tail -n +2 "$fleets/$1/machines.csv" | wc -l)"
	load_each "$state/out"
	ask_each "$state" "$fleets/$1"
}

# Everything below the user's own home, as somebody who is not root would have it.
try_ordinary() {
	state=$tmp/state.ordinary
	[ "$(id -u)" -eq 0 ] || return 0
	install -d -o nobody -m 700 "$state"
	if ! runuser -u nobody -- "$FLEETWALL" --help >/dev/null 2>&1 || ! runuser -u nobody -- test -r "$fleets/opendev/rules.csv"; then
		skip "an ordinary user: nobody can't run $FLEETWALL or read $fleets"
		return
	fi
	for command in init "import --csv $fleets/opendev" generate; do
		# shellcheck disable=SC2086 # words
		check "as an ordinary user: $command" runuser -u nobody -- "$FLEETWALL" --state "$state" $command
	done
	check "as an ordinary user: a generation" test -L "$state/out/current"
}

for fleet in opendev fedora-infra; do
	if [ -r "$fleets/$fleet/machines.csv" ]; then
		try_fleet "$fleet"
	else
		skip "$fleet: $fleets/$fleet is not there"
	fi
done
[ ! -r "$fleets/opendev/machines.csv" ] || try_ordinary
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
