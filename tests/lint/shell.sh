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
scripts=$(echo "$scripts" | grep -v '^BASH ' | grep .)

# What others source has no first line that names a shell. It would be parsed again for each of them, which is most of the work: they
# see, in a copy of the tree, a stand-in that sets the same variables and uses the same. It is checked by itself, as half a program.
sourced=$(find . -path ./.git -prune -o -path ./build -prune -o -type f -name '*.sh' -exec awk '
	FNR == 1 && !/^#!/ { print FILENAME } { nextfile }' {} + | LC_ALL=C sort)
copy=$(mktemp -d) || exit 3
trap 'rm -rf "$copy"' EXIT
trap 'exit 130' INT TERM
printf '%s\n' "$scripts" "$sourced" | grep . | xargs -r -d '\n' cp --parents -t "$copy"
for file in $sourced; do
	{
		echo '# shellcheck shell=sh'
		grep -oE '(^|[^A-Za-z0-9_$-])[A-Za-z_][A-Za-z0-9_]*=' "$file" | grep -oE '[A-Za-z_][A-Za-z0-9_]*=' | LC_ALL=C sort -u
		grep -oE '[$][{]?[A-Za-z_][A-Za-z0-9_]*' "$file" | tr -d '${' | LC_ALL=C sort -u | sed 's/.*/: "$&"/'
		grep -E '^[[:space:]]*(# shellcheck source=|[.] )' "$file"
	} > "$copy/$file"
done
check() {
	xargs -r -d '\n' shellcheck "$@" -s sh -S warning || status=1
}
echo "$sourced" | grep . > "$copy/sourced"
check -e SC2034,SC2154 < "$copy/sourced"
cd "$copy" || exit 3
echo "$scripts" | grep . > "$copy/scripts"
check -x < "$copy/scripts"
exit $status
