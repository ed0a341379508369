#!/bin/sh
# Firewalls that programs of the trade make (tests/live/firewalls: ufw, Shorewall, firewalld, ferm, Arno's; Docker, Kubernetes, OpenWrt and
# CSF as they print), taken over in a dry run: every line is counted once, nobody gets in who did not, what is damaged is refused with its line.
set -u
. tests/live/lib/command.sh

run 0 init
files=tests/live/firewalls
machines=
for file in "$files"/*; do
	name=$(basename "$file")
	machines="$machines ${name%.*}=$file"
done

# --- whole ---

# shellcheck disable=SC2086 # names without blanks
run 1 import --dry-run --from iptables-save $machines
silent_on WIDER
silent_on 'would let in more'
# "ufw limit": the line that lets in says no port, so the reason does.
complains "ufw.v4:118: left out: line 117 refuses some of it in a way that rules can't say: 2222/tcp"
grep '^[a-z0-9]*: [0-9]* lines: ' "$home/out" >"$home/lines"
for machine in $(ls "$files" | sed 's/\..*//' | sort -u); do
	counts=$(sed -n "s/^$machine: //p" "$home/lines" | sed 's/[^0-9]/ /g')
	given=$(cat "$files/$machine".* | sed '/^#/d; /^$/d; /^\*/d; /^COMMIT$/d' | wc -l)
	# shellcheck disable=SC2086 # its words
	holds "$machine: $given lines, counted $counts" awk -v "given=$given" \
		'BEGIN { exit !(ARGV[1] == given && given == ARGV[2] + ARGV[3] + ARGV[4] + ARGV[5]) }' $counts
done

# --- a line that iptables-restore refuses, in the midst of each ---

for file in "$files"/*.v[46]; do
	number=$(grep -n ' -j ' "$file" | cut -d : -f 1 | sed -n '7p')
	name=$(basename "$file")
	sed "$number s/ -j / --no-such-option -j /" "$file" >"$home/$name"
	run 2 import --dry-run --from iptables-save "host=$home/$name"
	complains "$name:$number:"
	sed '$d' "$file" >"$home/$name"
	run 2 import --dry-run --from iptables-save "host=$home/$name"
	complains 'COMMIT was expected before the end'
done
finish
