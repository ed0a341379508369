#!/bin/sh
# Puts the table that `make bench-push` left in the build folder into packaging/doc. For a run on a quiet machine, with every part: it refuses others.
set -eu
cd "$(dirname "$0")/../../.."
table=${BUILD:-build}/bench-push.txt

refuse() {
	echo "$table: $1; nothing was published" >&2
	exit 1
}

[ -s "$table" ] || refuse 'run make bench-push first'
! grep -q '^NOT A QUIET MACHINE' "$table" || [ "${1-}" = --busy ] || refuse 'it is of a busy machine (--busy takes it all the same)'
for part in 'two bare cat FILE' 'push of one changed rule' 'its connections alone' 'x Ansible' 'bytes on the wire' 'where nothing changed' 'in flight'; do
	grep -qF "$part" "$table" || refuse "it lacks \"$part\""
done
mkdir -p packaging/doc
{
	printf '%s\n\n' 'How fast a push is'
	printf '%s\n' 'As `make bench-push` measured it: real OpenSSH servers in network namespaces, all on one machine, which also pushes and has the' \
		'database; the real kernel loads the rules in each. Trust the ratios. Final figures are those of a quiet machine, which the table says if it was none.'
	echo
	cat "$table"
} >packaging/doc/bench-push.txt
