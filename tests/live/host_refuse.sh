#!/bin/sh
# Whatever fleetwall-host has to refuse, it refuses, and nothing is touched: the wrong machine, another machine-id, digests,
# fence, generation, backends, management, what is others'; programs that are missing, bundles that are damaged.
set -u
. "$TOP/tests/live/lib/host.sh"

refuses() { # WORD CODE [CONNECTION]: the bundle
	if [ $# -gt 2 ]; then apply "$2" "$3"; else apply "$2"; fi
	says "error $1:"
}
# Since the last `so_far` nothing was touched, and nothing is left over.
so_far() { kernel >"$home/before"; }
untouched() {
	kernel >"$home/after"
	same 'touched' "$home/before" "$home/after"
	holds 'nothing waits' [ ! -e "$FLEETWALL_HOST_STATE/pending" ]
	holds 'no rest' [ "$(find "$FLEETWALL_HOST_STATE/r" -mindepth 1 -maxdepth 1 | wc -l)" -le 1 ]
	holds 'no work' [ "$(find "$FLEETWALL_HOST_STATE" -name 'work.*' | wc -l)" -eq 0 ]
}
position exclusive "$home/a" 3306 10.1.0.1 10.1.0.2
position exclusive "$home/b" 3307 10.1.0.1 10.1.0.3
position monitor "$home/m" 3307 10.1.0.1 10.1.0.3

# The first push: what is others'.
iptables -A INPUT -p tcp --dport 9 -j ACCEPT
so_far
bundle "$home/a" && refuses foreign 4
says 'iptables -A INPUT'
untouched
iptables -F
ip6tables -P FORWARD DROP
bundle "$home/a" && refuses foreign 4
ip6tables -P FORWARD ACCEPT
iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
bundle "$home/a" && refuses foreign 4
iptables -t nat -F
nft add table inet theirs
nft add chain inet theirs in '{ type filter hook input priority 10; }'
bundle "$home/a" && refuses foreign 4
says 'nft table inet theirs chain in'
nft delete table inet theirs
nft add table ip filter
nft add chain ip filter input '{ type filter hook input priority 10; }'
bundle "$home/a" && refuses foreign 4
nft delete table ip filter
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
bundle "$home/a" && refuses foreign 4
says 'ip_forward'
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
iptables -A INPUT -p tcp --dport 9 -j ACCEPT
# Our own connection is none that the first ruleset may end. This one has both its ends here, of which one is sshd's.
ip addr add 10.0.0.9/32 dev lo
listen 22 cat
bash -c 'exec 3<>/dev/tcp/10.0.0.9/22; sleep 20' 2>/dev/null &
established() { sed -n 's/^ *[0-9]*: 0900000A:\([0-9A-F]*\) 0900000A:0016 01 .*/\1/p' /proc/net/tcp; }
for _ in $(seq 50); do
	[ -z "$(established)" ] || break
	sleep 0.1
done
for ours in yes no; do
	bundle "$home/a" '' flags=adopt
	if [ $ours = yes ]; then
		apply 0 "10.0.0.9 $(printf %d "0x$(established)") 10.0.0.9 22"
		says 'sessions 1'
	else
		apply 0
		says 'sessions 2'
	fi
	run 0 rollback
done
ip addr del 10.0.0.9/32 dev lo
bundle "$home/a" '' flags=adopt
apply 0
run 0 rollback
holds 'foreign rule is back' iptables -C INPUT -p tcp --dport 9 -j ACCEPT
iptables -F
# What iptables shows and could not load again, and what of nft alone holds a chain.
nft add chain ip filter longer_than_the_names_that_iptables_makes
so_far
bundle "$home/a" '' flags=adopt && refuses kernel 5
says 'could not load again'
untouched
nft delete chain ip filter longer_than_the_names_that_iptables_makes
iptables -N theirs
nft add map ip filter ways '{ type ipv4_addr : verdict; elements = { 192.0.2.1 : jump theirs }; }'
bundle "$home/a" '' flags=adopt
apply 0
run 0 rollback
holds 'foreign chain is back' iptables -X theirs
iptables-legacy -A INPUT -p tcp --dport 9 -j ACCEPT
bundle "$home/a" '' flags=adopt && refuses backends 4
run 1 check
says 'finding backends'
iptables-legacy -F

# Which machine this is.
so_far
bundle "$home/a" '' machine=another && refuses identity 4
bundle "$home/a" '' machine="$(uname -n).example.com" && refuses identity 4
mkdir -p "$FLEETWALL_HOST_STATE"
echo db1.example.com >"$FLEETWALL_HOST_STATE/identity"
bundle "$home/a" && refuses identity 4
bundle "$home/a" '' machine=db1.example.com machine_id=00000000000000000000000000000000 && refuses machine-id 4
bundle "$home/a" '' machine=db1.example.com machine_id="$(cat /etc/machine-id)"
apply 0
run 0 rollback "$token"
rm "$FLEETWALL_HOST_STATE/identity"

# Whom it would let in.
bundle "$home/a" '' management='10.0.0.0/25 fd00::/64' && refuses management 4 '10.0.0.128 40000 10.0.0.9 22'
bundle "$home/a" '' management='10.0.0.0/25 fd00::/64' && refuses management 4 'fd00:0:0:1::1 40000 fd00::9 22'
bundle "$home/a" '' management='10.0.0.0/25 fd00::/64' && refuses management 4 '10.0.0.1 40000 10.0.0.9 2222'
bundle "$home/a" '' management='10.0.0.0/25' && refuses management 4 'fd00::1 40000 fd00::9 22'
bundle "$home/a" '' management='' && refuses management 4
bundle "$home/a" '' management='0.0.0.0/0' && refuses management 4 'fd00::1 40000 fd00::9 22'
for peer in '0.0.0.0/0,10.0.0.128' '10.0.0.0/25,10.0.0.127' 'fd00::/64,fd00::ffff' '10.0.0.7,10.0.0.7'; do
	bundle "$home/a" '' management="${peer%,*}"
	apply 0 "${peer#*,} 40000 10.0.0.9 22"
	run 0 rollback "$token"
done
# What would be loaded has its say, whatever the header says.
bundle "$home/a" '' management='192.0.2.0/24 ::/0' && refuses management 4 '192.0.2.1 40000 10.0.0.9 22'
bundle "$home/a" '' management='192.0.2.0/24 ::/0' && refuses management 4 'fd01::1 40000 fd00::9 22'
from4=192.0.2.0/25 from6=fe80::/64
position exclusive "$home/other" 3306 10.1.0.1
sed -i 's/ -s fe80::\/64 / /' "$home/other/rules.v6"
bundle "$home/other" '' management='192.0.2.0/24' && refuses management 4 '192.0.2.128 40000 10.0.0.9 22'
bundle "$home/other" '' management='192.0.2.0/24 ::/0'
apply 0 '192.0.2.127 40000 10.0.0.9 22'
run 0 rollback "$token"
bundle "$home/other" '' management='192.0.2.0/24 ::/0'
apply 0 'fe80::1%eth0 40000 fe80::9%eth0 22'
run 0 rollback "$token"
unset from4 from6
bundle "$home/m" '' management=''
apply 0
run 0 rollback "$token"
untouched

# Order, and what is known.
settled "$home/a"
holds 'identity is kept' [ "$(cat "$FLEETWALL_HOST_STATE/identity")" = "$machine" ]
so_far
bundle "$home/b" "$home/a" fence=1 && refuses fence 4
fence=100
bundle "$home/b" "$home/a" generation=0 && refuses generation 4
generation=100
bundle "$home/b" "$home/a" bundle_position="$(digest_of "$home/a" | tr 0-9 1-90)" && refuses digest 4
bundle "$home/b" "$home/m" && refuses base 8
bundle "$home/b"
sed -i 's/10\.1\.0\.3/10.1.0.7/' "$home/bundle" && refuses digest 4
bundle "$home/b" && run 9 apply "$(echo x | sha256sum | cut -c 1-64)" - && says 'error script:'
run 7 confirm 00000000000000000000000000000001
run 7 rollback 00000000000000000000000000000001

# Damage: cut anywhere, or changed.
bundle "$home/b" "$home/a"
cp "$home/bundle" "$home/whole"
size=$(wc -c <"$home/whole")
for part in 0 1 3 10 30 50 70 90 99; do
	head -c $((size * part / 100)) "$home/whole" >"$home/bundle" && refuses bundle 2
done
head -c $((size - 1)) "$home/whole" >"$home/bundle" && refuses bundle 2
damage() { # SED: a line is other than it should be
	sed "$1" "$home/whole" >"$home/bundle" && refuses "${2:-bundle}" "${3:-2}"
}
damage 's/^fleetwall-bundle 1/fleetwall-bundle 2/'
damage 's/^machine .*/machine $(id)/'
damage 's/^machine .*/machine ..\/x/'
damage '/^machine /d'
damage 's/^token .*/token ..\/..\/..\/..\/etc\/passwd/'
damage 's/^token .*/token 1/'
damage 's/^fence .*/fence -1/'
damage 's/^fence .*/fence 010/'
damage 's/^mode .*/mode exclusive;id/'
damage 's/^management .*/management `id`/'
damage 's/^deadline .*/deadline 1e9/'
damage 's/^set [^ ]*/set ..\/x.v4/'
damage 's/^rules.v4 .*/rules.v4 99999/'
damage '/^fleetwall-bundle/a unknown key'
damage 's/^end$/end\nrm -rf x/'
damage 's/^\*filter/*nat/'
damage 's/^COMMIT/-X/'
damage 's/^+5 .*/+5 db1.example.com/'
position exclusive "$home/bad" 3306 db1.example.com
bundle "$home/bad" && refuses bundle 2
position exclusive "$home/bad" 3306 10.1.0.1
sed -i 's/^flush.*/flush foreign/' "$home/bad/$W4"
bundle "$home/bad" && refuses bundle 2
position coexist "$home/bad" 3306 10.1.0.1
sed -i 's/-A fleetwall-output/-A OUTPUT/' "$home/bad/rules.v6"
bundle "$home/bad" && refuses bundle 2
position exclusive "$home/bad" 3306 10.1.0.1
sed -i 's/--dport 3306/--dport 70000/' "$home/bad/rules.v6"
bundle "$home/bad" && refuses kernel 5
position coexist "$home/bad" 3306 10.1.0.1
sed -i 's/^-A fleetwall-input -j DROP/-A fleetwall-input -m owner --uid-owner 0 -j DROP/' "$home/bad/rules.v4"
bundle "$home/bad" && refuses kernel 5
says 'rule in chain INPUT): nothing was touched' # nft refuses that only where INPUT leads there
position exclusive "$home/bad" 3306 300.1.0.1
bundle "$home/bad" && refuses kernel 5
untouched

# Programs.
mkdir "$home/few"
for program in sh dash busybox bash mkdir chmod rm cat sed grep readlink ln sleep sha256sum flock wc tail sort uname tr cut diff head; do
	ln -s "$(command -v $program)" "$home/few/"
done
mkdir "$home/sbin"
bundle "$home/b" "$home/a"
input=$home/bundle
for folder in /usr/local/sbin /usr/sbin; do mount --bind "$home/sbin" $folder; done
PATH=$home/few run 4 apply "$sha" '10.0.0.250 40000 10.0.0.9 22'
for folder in /usr/local/sbin /usr/sbin; do umount $folder; done
says 'error programs: missing here: iptables iptables-save'

run 2 confirm x
run 2 nonesuch
run 2
run 2 apply x
run 0 check
says 'backend iptables'
printf '#!/bin/sh\necho "set type not supported" >&2\nexit 1\n' >"$home/sbin/ipset" && chmod 755 "$home/sbin/ipset"
PATH=$home/sbin:$PATH run 1 check
says 'finding ipset does not work here: set type not supported'
rm "$home/sbin/ipset"
iptables -I INPUT 1 -p tcp --dport 81 -j ACCEPT
run 1 check
says 'finding what was confirmed is not what is loaded'

# Its folder was removed: nobody says that anything went back.
bundle "$home/b" "$home/a"
apply 0
rm -rf "$FLEETWALL_HOST_STATE"
for word in confirm rollback; do
	run 7 $word "$token"
	says 'error late: nothing waits here'
done
finish
