#!/bin/sh
# Runs each fuzzer for FUZZ_SECONDS. Seeds come from tests/fuzz/corpus/NAME; what is found new, and what crashes, goes to the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 3
BUILD=${BUILD:-build}
failed=0

for source in tests/fuzz/fuzz_*.c; do
	program=$(basename "$source" .c)
	name=${program#fuzz_}
	case $program in *"${T-}"*) ;; *) continue ;; esac
	found=$BUILD/fuzz/found/$name
	mkdir -p "$found" "$BUILD/fuzz/crashes"
	echo "FUZZ $name for ${FUZZ_SECONDS:-60} s"
	if ! "$BUILD/fuzz/fuzzers/$program" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
		-artifact_prefix="$BUILD/fuzz/crashes/$name-" "$found" "tests/fuzz/corpus/$name" >"$found.log" 2>&1; then
		tail -n 40 "$found.log"
		echo "FAILED fuzz/$program: see $BUILD/fuzz/crashes" >&2
		failed=1
	fi
done
exit $failed
