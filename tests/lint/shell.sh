#!/bin/sh
# Runs shellcheck over every shell script of the tree; scripts are POSIX sh, none may want bash. LINT_ROOT is another tree to
# look at. Prints each fault; exit 1 if there is one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "${LINT_ROOT:-$here/../..}" || exit 3
command -v shellcheck >/dev/null || {
	echo "shellcheck is not installed"
	exit 77
}
status=0
# By their first line, of all files at once: a process for each of them would take longer than shellcheck.
scripts=$(find . -path ./.git -prune -o -path ./build -prune -o -type f -exec awk '
	FNR == 1 && substr($0, 1, 20) ~ /^#!.*sh/ { print (substr($0, 1, 20) ~ /bash/ ? "BASH " : "") FILENAME }
	{ nextfile }' {} + | LC_ALL=C sort)
if echo "$scripts" | grep '^BASH '; then
	echo "these want bash; scripts here are POSIX sh"
	status=1
fi
echo "$scripts" | grep -v '^BASH ' | grep . | xargs -r -d '\n' shellcheck -x -s sh -S warning || status=1
exit $status
