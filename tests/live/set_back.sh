#!/bin/sh
# The files of the database are set back to a copy: from then on other transactions get the numbers of those that were. A run that does only
# what is new must not take the new ones for those that it has seen.
# shellcheck disable=SC2317 # functions that holds() calls
set -u
. tests/live/lib/command.sh
out=$home/state/out

psql() {
	"$FLEETWALL" sql -- -X -q -v ON_ERROR_STOP=1 "$@" > /dev/null
}
# Transactions that no ruleset shows.
harmless() {
	for i in 1 2 3 4; do
		psql -c "UPDATE fleetwall.role SET description = '$1 $i'" || return 1
	done
}
same_as_full() {
	"$FLEETWALL" generate --output "$home/full" --full && cmp "$out/current/manifest" "$home/full/current/manifest"
}

run 0 init
run 0 role add web
run 0 machine add m1 --address 10.1.0.1 --role web
run 0 generate
run 0 database stop
cp -a "$home/state/pg" "$home/pg"
holds 'changes' harmless before
run 0 generate
says unchanged
run 0 database stop
rm -rf "$home/state/pg" && mv "$home/pg" "$home/state/pg"
holds 'another change' psql -c 'UPDATE fleetwall.machine SET ssh_port = 7777'
holds 'other changes' harmless after
run 0 generate
says published
holds 'the change is published' grep -q 'dport 7777' "$out/machines/m1/rules.v4"
holds 'it is what a full run makes' same_as_full
finish
