#!/bin/sh
# Puts what `make bench` left in the build folder into the tree: the table and the picture into packaging/doc, the part for 100,000 machines,
# kinds, between the two marks of the README. For a run on a quiet machine, with every part: it refuses others.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
table=$BUILD/bench.txt

refuse() {
	echo "$table: $1; nothing was published" >&2
	exit 1
}

[ -s "$table" ] && [ -s "$BUILD/bench.svg" ] || refuse "run make bench first"
! grep -q '^NOT A QUIET MACHINE' "$table" || [ "${1-}" = --busy ] || refuse "it is of a busy machine (--busy takes it all the same)"
for part in 'floor: COPY' 'generate, nothing changed' 'watch, one change' 'import --csv' 'Jinja2'; do
	awk '/machines, kinds/ { on = /^100,000/ } on' "$table" | grep -qF "$part" || refuse "it lacks \"$part\" for 100,000 machines"
done
mkdir -p packaging/doc
cp "$table" packaging/doc/bench.txt
cp "$BUILD/bench.svg" packaging/doc/bench.svg
awk -v table="$table" '
	$0 == "<!-- /bench -->" { off = 0 }
	!off
	$0 == "<!-- bench -->" {
		off = 1
		print ""
		while ((getline line < table) > 0) {
			if (line == "") heading = 1
			on = line ~ /^[0-9,]+ machines/ ? line ~ /^100,000 machines, kinds/ : on && line != ""
			if (on || !heading) print "    " line
		}
		print ""
	}
' README.md >"$BUILD/README.new"
cat "$BUILD/README.new" >README.md
rm -f "$BUILD/README.new"
