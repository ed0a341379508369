#!/bin/sh
# Wraps the lines that tests/lint/style.sh finds too long, and touches no other: wrap.sh [FOLDER-OR-FILE…] (all without one).
set -u
cd "$(dirname "$0")/../.." || exit 3

tests/lint/style.sh | sed -n 's/^\(.*\):\([0-9]*\): longer than.*/\1 \2/p' |
	awk '{ lines[$1] = lines[$1] " --lines=" $2 ":" $2 } END { for (file in lines) print file lines[file] }' |
	while read -r file lines; do
		wanted=$#
		for part; do
			case $file in "$part" | "${part%/}"/*) wanted=0 ;; esac
		done
		# shellcheck disable=SC2086 # several options
		[ "$wanted" -ne 0 ] || { echo "WRAP $file" && clang-format -i $lines "$file"; }
	done
