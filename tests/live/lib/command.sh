# For tests of the command: a folder of its own, the program with a private server in it, and checks that count.
# Sourced, after `set -u`. TOP and FLEETWALL come from tests/run.
# shellcheck shell=sh

passed=0 failed=0
# Where the runner made a database there is room in memory; PostgreSQL writes a lot.
home=$(mktemp -d "${FLEETWALL_MADE:-/tmp/fleetwall}-test.XXXXXX") || exit 1
chmod 0711 "$home"
# empty_state DIR: a state folder with a data folder of the private server, as the runner made it, to begin with.
empty_state() {
	mkdir -m 0711 "$1"
	[ ! -d "${FLEETWALL_MADE-}/state/pg" ] || cp -a "$FLEETWALL_MADE/state/pg" "$1/pg"
}
unset FLEETWALL_CONFIG PGHOST PGUSER PGDATABASE PGPORT PGSERVICE
FLEETWALL_CONFIG=$home/fleetwall.conf
export FLEETWALL_CONFIG
printf 'state = "%s/state";\nmanagement = [ "192.0.2.10", "2001:db8:ffff::/48" ];\nnightly_push = "off";\n' "$home" > "$FLEETWALL_CONFIG"

finish() {
	"$FLEETWALL" database stop > /dev/null 2>&1
	rm -rf "$home"
	if [ "$failed" -gt 0 ]; then
		echo "$passed passed, $failed failed, 0 skipped"
		exit 1
	fi
	echo "$passed passed, 0 failed, 0 skipped"
	exit 0
}
trap 'rm -rf "$home"' EXIT

fault() {
	failed=$((failed + 1))
	printf 'FAULT: %s\n' "$1"
	sed 's/^/    out: /' "$home/out"
	sed 's/^/    err: /' "$home/err"
}

# run CODE ARGUMENT…: the exit code must be CODE. Output stays in $home/out and $home/err.
run() {
	code=$1
	shift
	[ "${1-}" != init ] || [ -e "$home/state" ] || empty_state "$home/state"
	"$FLEETWALL" "$@" > "$home/out" 2> "$home/err" < "${input:-/dev/null}"
	got=$?
	if [ "$got" -eq "$code" ]; then
		passed=$((passed + 1))
	else
		fault "fleetwall $*: exit code $got, not $code"
	fi
}

# says TEXT: standard output of the last run has it. complains TEXT: standard error has it. They are fixed strings.
says() {
	if grep -qF -- "$1" "$home/out"; then passed=$((passed + 1)); else fault "does not say: $1"; fi
}
silent_on() {
	if grep -qF -- "$1" "$home/out" "$home/err"; then fault "says: $1"; else passed=$((passed + 1)); fi
}
complains() {
	if grep -qF -- "$1" "$home/err"; then passed=$((passed + 1)); else fault "does not complain: $1"; fi
}
# empty WHAT FILE…: the files are there, and nothing is in them.
empty() {
	what=$1
	shift
	if [ -z "$(cat -- "$@" 2>&1)" ]; then passed=$((passed + 1)); else fault "is not empty: $what"; fi
}
# holds WHAT COMMAND…: the command succeeds. What it says is in $home/out and $home/err, so it cannot look at what was there before.
holds() {
	what=$1
	shift
	if "$@" > "$home/out" 2> "$home/err"; then passed=$((passed + 1)); else fault "does not hold: $what"; fi
}
# json FILTER…: jq's filters of the last run's standard output are true. jq takes longer to begin than to answer, so it is asked for all of
# them at once, and for each only where that is not so. Of no output at all jq says nothing, and ends well.
json() { json_is 'JSON: ' '' "$@"; }
# json_is FAULT BEFORE FILTER…: the same, with what is said, and what each filter is of ("WHAT | ")
json_is() {
	json_says=$1 json_of=$2 json_all=
	shift 2
	for json_filter; do json_all="${json_all:+$json_all and }($json_of$json_filter)"; done
	if [ -s "$home/out" ] && jq -e "$json_all" "$home/out" > /dev/null 2>&1; then
		passed=$((passed + $#))
		return
	fi
	for json_filter; do
		if [ -s "$home/out" ] && jq -e "$json_of$json_filter" "$home/out" > /dev/null 2>&1; then passed=$((passed + 1)); else fault "$json_says$json_filter"; fi
	done
}
