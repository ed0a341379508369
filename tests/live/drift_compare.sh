#!/bin/sh
# Bundles and drift against the real tools, on both backends: what is loaded is no drift, for every machine of a fleet that has every kind of
# rule; a machine that was pushed to, whole and by difference, has none; and whatever is changed there by hand is named, and nothing else.
set -u
. "$TOP/tests/live/lib/host.sh"
tool=$BUILD/tests/live/drift_machine
out=$home/store
whole_path=$PATH

backend() { # nft or legacy for all that follows
	mkdir -p "$home/$1"
	for program in iptables ip6tables; do
		for kind in '' -save -restore; do
			ln -sf "$(PATH=$whole_path command -v "$program-$1$kind")" "$home/$1/$program$kind" || exit 1
		done
	done
	PATH=$home/$1:$whole_path
}
empty() {
	for program in iptables ip6tables; do
		printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n' | "$program-restore"
	done
}

# finds TEXT: the drifts of $machine at $generation are just these lines
finds() {
	printf '%s' "$1" >"$home/wanted"
	"$tool" compare "$out" "$generation" "$machine" <"$home/read" >"$home/found" || fault "compare fails: $machine"
	same "$machine, $back: ${2-drift}" "$home/wanted" "$home/found"
}

# --- every kind of rule: loaded by hand, read back ------------------------------------------------------------------------------------

by_hand() {
	for program in iptables ip6tables; do
		file=$folder/rules.v4
		[ $program = iptables ] || file=$folder/rules.v6
		case $(sed 1q "$file") in
		*--noflush*)
			"$program-restore" --noflush <"$file" && "$program" -I INPUT 1 -j fleetwall-input && "$program" -I OUTPUT 1 -j fleetwall-output
			;;
		*) "$program-restore" <"$file" ;;
		esac || fault "$machine: $file does not load"
	done
}
publish() { # DOCUMENT
	generation=$("$tool" publish "$out" "$1") || {
		fault "publish $1"
		finish
	}
}
every_machine() {
	publish "$TOP/tests/fleets/every.conf"
	cat "$out"/sets/* | ipset -exist restore || fault 'sets'
	# The sets are the same for all of them, and on both backends.
	[ -e "$home/all-sets" ] || ipset list -n | grep '^fw[46]-' | while read -r set; do
		echo "$set $(ipset save "$set" | sed -n 's/^add [^ ]* //p' | LC_ALL=C sort | sha256sum | cut -c 1-64) 0"
	done >"$home/all-sets"
	for folder in "$out"/machines/*; do
		machine=${folder##*/}
		by_hand
		{
			for family in 4 6; do
				program=iptables
				[ $family = 4 ] || program=ip6tables
				echo "== rules.v$family"
				"$program-save" -t filter
			done
			echo '== sets'
			sed 's/^\(.*\)\.v\([46]\)$/fw\2-\1 /' "$folder/sets.list" | grep -Ff - "$home/all-sets"
			echo '== end'
		} >"$home/read"
		finds 'boot, position:0: nothing
boot, boot:0: nothing loads it at boot
' 'loaded by hand'
		empty
	done
	ipset destroy
}

# --- pushed to, and then changed by hand -------------------------------------------------------------------------------------------------

document() { # NUMBER…: the members of the role app
	echo '// golden: management=10.0.0.250'
	echo 'roles = ( { name = "web"; rules = [ "allow 80/tcp", "allow 3306/tcp from role:app", "deny gre from 192.0.2.0/24" ]; }, { name = "app"; } );'
	echo 'machines = ( { name = "exclusive"; roles = [ "web" ]; }, { name = "coexist"; mode = "coexist"; roles = [ "web" ]; },'
	echo '  { name = "monitor"; enforcement = "monitor"; roles = [ "web" ]; }'
	for number; do # not next to each other, or they would be one prefix
		echo ", { name = \"app$number\"; addresses = [ \"10.0.9.$number\", \"fd00::$number\" ]; roles = [ \"app\" ]; }"
	done
	echo ');'
}
fences=0
pushed() { # BEFORE|0
	fences=$((fences + 1))
	token=$(printf '%032x' $fences)
	mkdir -p "$FLEETWALL_HOST_STATE" && echo "$machine" >"$FLEETWALL_HOST_STATE/identity"
	"$tool" bundle "$out" "$generation" "$1" "$machine" $fences "$token" >"$home/bundle" || fault 'bundle'
	apply 0
	says "applied "
	run 0 confirm "$token"
}
reads() {
	# shellcheck disable=SC2086
	$HOST_SH "$script" read >"$home/read" 2>"$home/err" || fault 'read'
}
# meddled WHAT-IS-FOUND COMMAND…: and back again to the rules that were confirmed; sets stay as they are
meddled() {
	wanted=$1
	shift
	"$@" || fault "meddling: $*"
	reads
	finds "$wanted" "$*"
	for program in iptables ip6tables; do
		"$program-restore" <"$home/kept.$program" || fault 'back'
	done
}
keep() {
	for program in iptables ip6tables; do "$program-save" -t filter >"$home/kept.$program"; done
}
line_of() { # PATTERN: "rules.v4:12: the line"
	grep -n -- "$1" "$out/machines/$machine/rules.v4" | sed 's/^\([0-9]*\):/rules.v4:\1: /; q'
}

exclusive_meddling() {
	meddled '' iptables -Z
	meddled 'policy, rules.v4:3: :INPUT ACCEPT
' iptables -P INPUT ACCEPT
	meddled 'rule extra, rules.v4:0: -A INPUT -s 6.6.6.6/32 -j ACCEPT
' iptables -I INPUT 3 -s 6.6.6.6 -j ACCEPT
	meddled 'rule extra, rules.v6:0: -A OUTPUT -d 2001:db8::/32 -j DROP
' ip6tables -A OUTPUT -d 2001:db8::/32 -j DROP
	meddled "rule missing, $(line_of ' 80 ')
" iptables -D INPUT -p tcp -m tcp --dport 80 -m comment --comment "$(sed -n 's/.* 80 .*"\(.*\)".*/\1/p' "$out/machines/$machine/rules.v4")" -j ACCEPT
	meddled "rule moved, $(line_of '-i lo')
" moves_first
	meddled 'chain, rules.v4:0: :theirs -
' iptables -N theirs
}
moves_first() { iptables -D INPUT -i lo -j ACCEPT && iptables -A INPUT -i lo -j ACCEPT; }

coexist_meddling() {
	meddled '' iptables -A FORWARD -j DROP
	meddled '' iptables -A INPUT -p tcp --dport 25 -j DROP
	meddled '' iptables -N DOCKER
	meddled 'jump, rules.v4:0: -A INPUT -j fleetwall-input # not at the head
' iptables -I INPUT 1 -p tcp --dport 25 -j DROP
	meddled 'jump, rules.v6:0: -A OUTPUT -j fleetwall-output # missing
' ip6tables -D OUTPUT -j fleetwall-output
	meddled 'jump, rules.v4:0: -A INPUT -j fleetwall-input # more than once
' iptables -A INPUT -j fleetwall-input
	meddled 'rule extra, rules.v4:0: -A fleetwall-input -j ACCEPT
' iptables -I fleetwall-input -j ACCEPT
	meddled 'chain, rules.v4:0: :fleetwall-mine -
' iptables -N fleetwall-mine
}

sets_meddling() {
	set=$(ipset list -n | grep '^fw4-app-')
	file=$(echo "$set" | sed 's/^fw4-\(.*\)/\1.v4/')
	meddled "other, $file:0: $set has other members: 4, of 3
" ipset add "$set" 6.6.6.6
	ipset del "$set" 10.0.9.4
	reads
	# shellcheck disable=SC2086
	$HOST_SH "$script" read-set "$set" >>"$home/read" 2>"$home/err"
	finds "member missing, $file:5: 10.0.9.4
member extra, $file:0: 6.6.6.6
" read-set
	cat "$out"/sets/* | ipset -exist restore
	ipset create fw4-mine-0123456789ab hash:net && ipset create somebody hash:net
	reads
	finds 'set extra, mine-0123456789ab.v4:0: fw4-mine-0123456789ab
' 'sets of others'
	ipset destroy fw4-mine-0123456789ab && ipset destroy somebody
}

status_meddling() {
	find "$FLEETWALL_HOST_STATE/boot/" -name rules.v4 -exec sh -c 'cp "$1" "$1.new" && echo >>"$1.new" && mv "$1.new" "$1"' sh {} \;
	reads
	finds 'boot, ruleset:0: the files for boot were changed
' 'boot files'
}

pushed_to() { # MACHINE
	machine=$1
	document 1 4 >"$home/two.conf"
	document 1 4 7 >"$home/three.conf"
	publish "$home/two.conf"
	pushed 0
	reads
	finds '' 'pushed as a whole'
	before=$generation
	publish "$home/three.conf"
	finds "$(for family in 4 6; do
		set=$(ipset list -n | grep "^fw$family-app-")
		echo "other, ${set#fw?-}.v$family:0: $set has other members: 2, of 3"
	done)
boot, position:0: $(sed -n 's/^position //p' "$home/read")
" 'not pushed yet'
	pushed "$before"
	holds 'a difference is small' [ "$(wc -c <"$home/bundle")" -lt 1024 ]
	reads
	finds '' 'pushed as a difference'
	keep
	sets_meddling
}
# Members at both ends and in between come and go, few and many.
more_differences() {
	# shellcheck disable=SC2046
	for members in '1 7' "4 $(echo $(seq 10 3 250))" "$(echo $(seq 100 3 250))" "$(echo $(seq 99 2 250))"; do
		# shellcheck disable=SC2086
		document $members >"$home/next.conf"
		before=$generation
		publish "$home/next.conf"
		pushed "$before"
		holds 'a difference' grep -q '^set app-[0-9a-f]*.v4 diff ' "$home/bundle"
		reads
		finds '' "pushed as the difference to $members"
	done
}
forgotten() {
	rm -rf "$FLEETWALL_HOST_STATE"
	empty
	ipset destroy
}

for back in nft legacy; do
	if ! command -v iptables-$back-restore >/dev/null; then
		echo "SKIPPED: no iptables-$back here"
		continue
	fi
	backend $back
	every_machine
	pushed_to exclusive
	exclusive_meddling
	[ $back = legacy ] || more_differences
	status_meddling
	forgotten
	[ $back = nft ] || continue # one of the two is enough for what only we look at
	pushed_to coexist
	coexist_meddling
	forgotten
done
finish
