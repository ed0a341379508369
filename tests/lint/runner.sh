#!/bin/sh
# The runner must see every way in which a test can fail: made-up tests in a tree of their own, run by a copy of tests/run.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d) || exit 3
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

# test_script GROUP NAME BODY
test_script() {
	mkdir -p "$tree/tests/$1"
	printf '#!/bin/sh\n%s\n' "$3" >"$tree/tests/$1/$2.sh"
	chmod +x "$tree/tests/$1/$2.sh"
}

# test_program NAME BODY: what looks like a libcheck program
test_program() {
	mkdir -p "$tree/tests/unit/base" "$tree/build/tests"
	: >"$tree/tests/unit/base/$1.c"
	printf '#!/bin/sh\n%s\n' "$2" >"$tree/build/tests/$1"
	chmod +x "$tree/build/tests/$1"
}

start() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/tests"
	cp "$here/../run" "$tree/tests/run"
}

# expect EXIT-CODE LAST-LINE WORDS GROUP…: all three
expect() {
	code=$1 last=$2 words=$3
	shift 3
	output=$(BUILD=build T="${name-}" TEST_SECONDS=1 "$tree/tests/run" "$@" 2>&1)
	status=$?
	if [ "$status" -eq "$code" ] && [ "$(printf '%s\n' "$output" | tail -n 1)" = "$last" ] &&
		printf '%s\n' "$output" | grep -qF -e "$words"; then
		passed=$((passed + 1))
	else
		printf 'expected exit code %d, "%s" and "%s", got %d and:\n%s\n' "$code" "$last" "$words" "$status" "$output"
		failed=$((failed + 1))
	fi
	start
}

start
test_script lint good 'echo noise' && test_script lint other 'exit 0'
expect 0 '2 passed, 0 failed, 0 skipped' '' lint
test_script lint good 'exit 0' && test_script lint bad 'echo the reason; exit 1'
expect 1 '1 passed, 1 failed, 0 skipped' '    the reason' lint
test_script live absent 'echo first; echo no kernel here; exit 77'
expect 0 '0 passed, 0 failed, 1 skipped' 'SKIPPED live/absent: no kernel here' live
test_script live slow 'sleep 5'
expect 1 '0 passed, 1 failed, 0 skipped' 'not done after 1 seconds' live
test_script lint counts 'echo "7 passed, 0 failed, 2 skipped"'
expect 0 '7 passed, 0 failed, 2 skipped' '' lint
test_script lint counts 'echo "7 passed, 3 failed, 0 skipped"; exit 1'
expect 1 '7 passed, 3 failed, 0 skipped' 'FAILED lint/counts' lint
test_script lint counts 'echo "0 passed, 0 failed, 0 skipped"'
expect 1 '0 passed, 1 failed, 0 skipped' 'no test was run' lint
test_program check_a 'echo "100%: Checks: 3, Failures: 0, Errors: 0"'
expect 0 '3 passed, 0 failed, 0 skipped' '' unit
test_program check_a 'echo "50%: Checks: 4, Failures: 1, Errors: 1"; exit 1'
expect 1 '2 passed, 2 failed, 0 skipped' 'FAILED unit/base/check_a' unit
test_program check_a 'echo "100%: Checks: 3, Failures: 0, Errors: 0"; exit 99'
expect 1 '3 passed, 1 failed, 0 skipped' 'exit code 99' unit
test_program check_a 'exit 0'
expect 1 '0 passed, 1 failed, 0 skipped' 'FAILED unit/base/check_a' unit
test_program check_a 'kill -9 $$'
expect 1 '0 passed, 1 failed, 0 skipped' 'exit code 137' unit
test_program check_a 'echo "100%: Checks: 0, Failures: 0, Errors: 0"'
expect 1 '0 passed, 1 failed, 0 skipped' 'no test was run' unit
test_program check_a 'exit 0' && rm "$tree/build/tests/check_a"
expect 1 '0 passed, 1 failed, 0 skipped' 'FAILED unit/base/check_a' unit
test_script lint one 'exit 1' && test_script lint two 'exit 0' && name=two
expect 0 '1 passed, 0 failed, 0 skipped' '' lint
test_script lint one 'exit 0' && name=three
expect 2 'no test has "three" in its name' '' lint

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
