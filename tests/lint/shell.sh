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
scripts=$(find . -path ./.git -prune -o -path ./build -prune -o -type f -print | LC_ALL=C sort | while read -r file; do
	case $(head -c 20 "$file" | tr -d '\0' | head -n 1) in
	'#!'*bash*) echo "BASH $file" ;;
	'#!'*sh*) echo "$file" ;;
	esac
done)
if echo "$scripts" | grep '^BASH '; then
	echo "these want bash; scripts here are POSIX sh"
	status=1
fi
echo "$scripts" | grep -v '^BASH ' | grep . | xargs -r -d '\n' shellcheck -x -s sh -S warning || status=1
exit $status
