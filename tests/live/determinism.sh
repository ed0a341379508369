#!/bin/sh
# The same fleet in another order of rows, in another database, gives the same bytes: every object of the store, the
# manifest, the list of sets, and the exported document. Generating again changes nothing, and making it all again from
# the same database neither.
set -eu
tmp=$(mktemp -d "${FLEETWALL_MADE:-/tmp/fleetwall}-test.XXXXXX")
chmod 711 "$tmp"
failed=0 passed=0

# As root the private server runs as somebody else, who must be able to pass; each is stopped, whatever happens.
finish() {
	for state in "$tmp"/state.*; do
		[ ! -d "$state" ] || "$FLEETWALL" --state "$state" database stop >/dev/null 2>&1 || true
	done
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT TERM

check() {
	what=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $what"
		head -n 20 "$tmp/said"
	fi
}

# make_one NAME: a database of its own, and what comes out of it
make_one() {
	name=$1
	run() {
		"$FLEETWALL" --state "$tmp/state.$name" "$@" >>"$tmp/log" 2>&1 || {
			cat "$tmp/log"
			exit 1
		}
	}
	run init
	run import --csv "$tmp/fleet.$name"
	run generate
	"$FLEETWALL" --state "$tmp/state.$name" export >"$tmp/export.$name"
}

# Content of every file below a folder, by name; the summary tells the clock, and is left out.
contents() {
	(cd "$1" && find store current/manifest current/sets -type f | LC_ALL=C sort | xargs sha256sum)
}

"$BUILD/bench/fleet" --machines 400 --roles 60 --seed 11 --out "$tmp/fleet.a"
"$BUILD/bench/fleet" --machines 400 --roles 60 --seed 11 --shuffle 5 --out "$tmp/fleet.b"
for file in machines members rules addresses; do
	check "$file.csv has the same rows" sh -c "LC_ALL=C sort '$tmp/fleet.a/$file.csv' >'$tmp/1' &&
		LC_ALL=C sort '$tmp/fleet.b/$file.csv' | cmp - '$tmp/1'"
	check "$file.csv was shuffled" sh -c "! cmp -s '$tmp/fleet.a/$file.csv' '$tmp/fleet.b/$file.csv'"
done

make_one a
make_one b
contents "$tmp/state.a/out" >"$tmp/contents.a"
contents "$tmp/state.b/out" >"$tmp/contents.b"
check "there are objects" test "$(wc -l <"$tmp/contents.a")" -gt 100
check "the same bytes from shuffled rows" diff "$tmp/contents.a" "$tmp/contents.b"
check "the same export from shuffled rows" cmp "$tmp/export.a" "$tmp/export.b"

before=$(readlink "$tmp/state.a/out/current")
check "generating again" "$FLEETWALL" --state "$tmp/state.a" generate
check "publishes nothing new" test "$(readlink "$tmp/state.a/out/current")" = "$before"
contents "$tmp/state.a/out" >"$tmp/contents.again"
check "and changes nothing" diff "$tmp/contents.a" "$tmp/contents.again"

check "generating into an empty folder" "$FLEETWALL" --state "$tmp/state.a" --output "$tmp/other" generate
contents "$tmp/other" >"$tmp/contents.other"
check "gives the same bytes" diff "$tmp/contents.a" "$tmp/contents.other"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
