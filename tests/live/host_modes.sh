#!/bin/sh
# fleetwall-host in the three modes, from each to each: what is live, what undo and boot bring back, and that coexist and
# monitor leave alone what is others': chains, rules, policies, places, counters. On both backends, by dash and busybox.
set -u
. "$TOP/tests/live/lib/host.sh"

count_counters() { # each rule with its counters; our chains left out
	for program in iptables ip6tables; do
		"$program-save" -c -t filter | grep -v '^#\|fleetwall'
	done
}
# Somebody else's rules, with counters that are not 0.
neighbours() {
	for program in iptables ip6tables; do
		"$program-restore" -c <<-END
			*filter
			:INPUT ACCEPT [7:700]
			:FORWARD DROP [3:300]
			:OUTPUT ACCEPT [0:0]
			:f2b-sshd - [0:0]
			:theirs - [0:0]
			[5:500] -A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
			[6:600] -A FORWARD -j theirs
			[1:60] -A f2b-sshd -j RETURN
			COMMIT
		END
	done
}
clear_all() {
	for program in iptables ip6tables; do
		printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n' | "$program-restore"
	done
	ipset destroy
	for pid in $(cat "$FLEETWALL_HOST_STATE/pending/timer" 2>/dev/null); do kill -s TERM -- "-$pid"; done
	rm -rf "$FLEETWALL_HOST_STATE"
}

# live MODE FOLDER: the kernel has just that
live() {
	for family in 4 6; do
		program=iptables
		[ $family = 4 ] || program=ip6tables
		"$program-save" -t filter >"$home/saved"
		if [ "$1" = exclusive ]; then
			sed '/^#/d; s/\[[0-9:]*\]//' "$home/saved" >"$home/has"
			sed '/^#/d; s/\[[0-9:]*\]//' "$2/rules.v$family" >"$home/wants"
		else
			grep '^-A fleetwall' "$home/saved" >"$home/has"
			grep '^-A fleetwall' "$2/rules.v$family" >"$home/wants"
			holds 'jumps at the head' [ "$(grep -c -- '-j fleetwall-[io]' "$home/saved")" = 2 ]
			holds 'INPUT' [ "$(grep -m 1 '^-A INPUT' "$home/saved")" = '-A INPUT -j fleetwall-input' ]
			holds 'OUTPUT' [ "$(grep -m 1 '^-A OUTPUT' "$home/saved")" = '-A OUTPUT -j fleetwall-output' ]
		fi
		same "$1: rules.v$family" "$home/wants" "$home/has"
	done
	{ sed -n 's/^add [^ ]* //p' "$2/$W4" "$2/$W6" | sort; } >"$home/wants"
	ipset save | sed -n 's/^add fw[46]-web[^ ]* //p' | sort >"$home/has"
	same "$1: members" "$home/wants" "$home/has"
}

from_to() { # FROM TO: change, undo, change and confirm, boot, and back to what was before
	clear_all
	neighbours
	adopt=flags=
	[ "$1$2" = "${1#exclusive}${2#exclusive}" ] || adopt=flags=adopt
	count_counters >"$home/first"
	settled "$home/$1" '' $adopt
	[ "$1" = exclusive ] || { count_counters >"$home/after" && same "$1 leaves what is others'" "$home/first" "$home/after"; }
	live "$1" "$home/$1"
	kernel >"$home/before"
	bundle "$home/$2-2" "$home/$1" $adopt
	apply 0
	live "$2" "$home/$2-2"
	run 0 rollback "$token"
	says "undone $(digest_of "$home/$1")"
	kernel >"$home/after"
	same "$1, $2, undone" "$home/before" "$home/after"
	bundle "$home/$2-2" "$home/$1" $adopt
	apply 0
	run 0 confirm "$token"
	run 0 status
	says 'live yes'
	says "mode $2"
	[ "$1$2" != "${1#exclusive}${2#exclusive}" ] || { count_counters >"$home/after" && same "$1, $2: others'" "$home/first" "$home/after"; }
	kernel >"$home/before"
	empty_and_boot
	run 0 status
	says 'live yes'
	live "$2" "$home/$2-2"
	earlier=$(sed -n 's/^generation //p' "$FLEETWALL_HOST_STATE/before/meta")
	run 0 rollback
	says "confirmed $(digest_of "$home/$1")"
	says "went back from generation $generation to $earlier"
	live "$1" "$home/$1"
	holds 'only the sets of now' [ "$(ipset list -n | wc -l)" = 2 ]
}
empty_and_boot() { # as after a reboot
	for program in iptables ip6tables; do
		printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n' | "$program-restore"
	done
	ipset destroy
	run 0 boot
}

for mode in exclusive coexist monitor; do
	position $mode "$home/$mode" 3306 10.1.0.1 10.1.0.2
	position $mode "$home/$mode-2" 3307 10.1.0.2 10.1.1.0/24 10.1.0.9
done
backend() { # nft or legacy for all that follows
	mkdir -p "$home/$1"
	for program in iptables ip6tables; do
		for tool in '' -save -restore; do
			ln -sf "$(command -v $program-"$1$tool")" "$home/$1/$program$tool"
		done
	done
	PATH=$home/$1:$whole_path
}
whole_path=$PATH
shells='dash busybox'
[ "${HOST_ROUNDS:-1}" -gt 1 ] || shells=mixed
for shell in $shells; do
	for back in nft legacy; do
		backend $back
		HOST_SH=dash
		case $shell,$back in busybox,* | mixed,legacy) HOST_SH='busybox sh' ;; esac
		for old in exclusive coexist monitor; do
			for new in exclusive coexist monitor; do
				# Some of the pairs, unless HOST_ROUNDS gives time.
				case $shell,$back,$old,$new in
				mixed,nft,exclusive,monitor | mixed,nft,coexist,coexist) ;;
				mixed,legacy,exclusive,exclusive | mixed,legacy,monitor,coexist | mixed,nft,coexist,exclusive) ;;
				mixed,*) continue ;;
				esac
				from_to $old $new
			done
		done
		clear_all
	done
done

# What --adopt replaced is kept once it is confirmed, and stays whatever comes later; loaded by hand it is as before.
# shellcheck disable=SC2123 # it is the search path that is meant
PATH=$whole_path
original=$FLEETWALL_HOST_STATE/original
for by in dash 'busybox sh'; do
	HOST_SH=$by
	neighbours
	ipset create theirs hash:ip
	ipset add theirs 192.0.2.1
	kernel >"$home/before"
	count_counters >"$home/first"
	bundle "$home/exclusive" '' flags=adopt
	apply 0
	run 0 rollback "$token"
	holds 'not what was not replaced' [ ! -e "$original" ]
	settled "$home/monitor"
	settled "$home/exclusive" '' flags=adopt
	run 0 status
	says "original $original"
	cp -r "$original" "$home/original"
	settled "$home/exclusive-2" "$home/exclusive"
	settled "$home/coexist" '' flags=adopt
	settled "$home/exclusive" '' flags=adopt
	run 0 rollback
	same 'the first one is kept' "$home/original" "$original"
	rm -r "$home/original"
	empty_and_boot
	ipset restore <"$original/sets"
	ip6tables-restore -c <"$original/rules.v6"
	iptables-restore -c <"$original/rules.v4"
	for set in $(ipset list -n | grep '^fw'); do ipset destroy "$set"; done
	kernel >"$home/after"
	same 'as before fleetwall' "$home/before" "$home/after"
	count_counters >"$home/after"
	same 'with its counters' "$home/first" "$home/after"
	clear_all
done
finish
