#!/bin/sh
# Packets that neither the old nor the new ruleset lets in, sent all the time: none gets in while rulesets are applied,
# confirmed, undone and loaded at boot, from each mode to each other one that refuses them. The kernel counts them.
set -u
. "$TOP/tests/live/lib/host.sh"
for needed in nft bash; do
	command -v $needed >/dev/null || {
		echo "$needed is not installed"
		exit 77
	}
done
neighbour 10.1.0.1
position exclusive "$home/a" 3306 10.1.0.1 10.1.0.2
position exclusive "$home/b" 3307 10.1.0.1 10.1.0.3
position coexist "$home/c" 3306 10.1.0.1 10.1.0.3
nft -f - <<-'END' || exit 77
	table inet watched {
		counter sent { }
		counter in { }
		chain before {
			type filter hook input priority -300;
			udp dport 5000 counter name sent
		}
		chain behind {
			type filter hook input priority 300;
			udp dport 5000 counter name in
		}
	}
END
packets() { nft list counter inet watched "$1" | sed -n 's/.*packets \([0-9]*\) .*/\1/p'; }
none_in() { # WHAT
	before=$now
	now=$(packets in)
	holds "$1: $((now - before)) got in" [ "$now" -eq "$before" ]
}
now=0
settled "$home/a" '' flags=adopt
nsenter -n -t "$peer" bash -c 'while :; do exec 3>/dev/udp/10.1.0.9/5000; while echo >&3; do :; done; done' 2>/dev/null &
sleep 0.2
for _ in $(seq "${HOST_ROUNDS:-1}"); do
	for to in b a c b c a; do
		bundle "$home/$to" '' flags=adopt
		apply 0
		none_in "applied $to"
		run 0 rollback "$token"
		none_in "undone $to"
		settled "$home/$to" '' flags=adopt
		none_in "settled $to"
		run 0 boot
		none_in "booted $to"
	done
done
holds 'many were sent' [ "$(packets sent)" -gt 20000 ]
finish
