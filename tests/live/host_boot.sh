#!/bin/sh
# What is loaded at boot: the confirmed ruleset, never one that waited; once; and where it does not load, on an exclusive
# machine, what lets management in and nothing else. All of it, and apply to rollback, by BusyBox's own programs alone,
# without flock and conntrack.
set -u
. "$TOP/tests/live/lib/host.sh"

empty() {
	for program in iptables ip6tables; do
		printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n' | "$program-restore"
	done
	ipset destroy
}
has_rule() { # PROGRAM RULE
	"$1-save" -t filter | grep -qxF -- "$2"
}
minimal_is_live() {
	for program in iptables ip6tables; do
		for chain in INPUT FORWARD; do
			holds "$program $chain" [ -n "$("$program-save" -t filter | grep "^:$chain DROP ")" ]
		done
		holds "$program loopback" has_rule $program '-A INPUT -i lo -j ACCEPT'
		holds "$program replies" has_rule $program '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'
		holds "$program nobody else" [ "$("$program-save" -t filter | grep -c 3306)" = 0 ]
	done
	holds 'management' has_rule iptables '-A INPUT -s 10.0.0.250/32 -p tcp -m tcp --dport 2222 -j ACCEPT'
	holds 'management' has_rule iptables '-A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 2222 -j ACCEPT'
	holds 'management' has_rule ip6tables '-A INPUT -s fd00::/64 -p tcp -m tcp --dport 2222 -j ACCEPT'
	holds 'neighbours' has_rule ip6tables '-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT'
}

# BusyBox and what it can't replace.
mkdir "$home/applets"
cp "$(command -v busybox)" "$home/applets/busybox"
for applet in $(busybox --list); do
	case $applet in '[' | '[[' | ip | nc | busybox | cmp | diff) ;; *) ln -s busybox "$home/applets/$applet" ;; esac
done
for program in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore ipset; do
	cp "$(readlink -f "$(command -v $program)")" "$home/applets/$program"
done
mkdir "$home/empty"
position exclusive "$home/a" 3306 10.1.0.1 10.1.0.2
position exclusive "$home/b" 3307 10.1.0.1 10.1.0.3
position coexist "$home/c" 3306 10.1.0.1 10.1.0.3
connection='10.0.0.250 40000 10.0.0.9 2222'
whole_path=$PATH
bundle "$home/a" '' ssh_port=2222

folders='/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin'
alone() { # WORD…: with nothing else anywhere
	# shellcheck disable=SC2123 # it is the search path that is meant
	PATH=$home/applets
	HOST_SH='busybox sh'
	for folder in $folders; do mount -o bind "$home/empty" $folder; done
	"$@"
	for folder in $folders; do umount $folder; done
	HOST_SH=dash
	PATH=$whole_path
}
run 0 boot
holds 'nothing is loaded' [ "$(iptables-save | grep -c DROP)" = 0 ]
alone apply 0 "$connection"
says 'applied'
alone run 0 confirm "$token"
says 'confirmed'
kernel >"$home/a.kernel"
run 0 status
says 'live yes'
bundle "$home/b" "$home/a" ssh_port=2222
alone apply 0 "$connection"
alone run 0 rollback "$token"
kernel >"$home/after"
same 'undone' "$home/a.kernel" "$home/after"
bundle "$home/b" "$home/a" ssh_port=2222
alone apply 0 "$connection"
empty
alone run 0 boot
kernel >"$home/after"
same 'the confirmed one' "$home/a.kernel" "$home/after"
holds 'nothing waits' [ ! -e "$FLEETWALL_HOST_STATE/pending" ]
run 7 confirm "$token"
empty
run 0 boot --once
holds 'once' [ "$(iptables-save | grep -c DROP)" = 0 ]
echo another-boot >"$FLEETWALL_HOST_STATE/booted"
hook=/etc/network/if-pre-up.d/fleetwall-host
if [ -e $hook ]; then
	holds 'the hook' sh $hook
	kernel >"$home/after"
	same 'by the hook' "$home/a.kernel" "$home/after"
	mv "$FLEETWALL_HOST_STATE/fleetwall-host" "$home/away"
	holds 'the interface comes up without it' sh $hook
	mv "$home/away" "$FLEETWALL_HOST_STATE/fleetwall-host"
fi

# It does not load.
empty
cp "$home/a/$W6" "$home/good"
sed -i 's/fd00::2/fd00:::2/; /^swap/d' "$FLEETWALL_HOST_STATE/boot/$W6"
rm "$FLEETWALL_HOST_STATE/boot/rules.v4"
sed 's/-m set .* src//; s/^COMMIT/-A INPUT -j nonesuch\nCOMMIT/' "$home/a/rules.v6" >"$FLEETWALL_HOST_STATE/boot/rules.v6"
run 5 boot
says 'error kernel:'
minimal_is_live
# A kernel without conntrack can still do that much.
mkdir "$home/poor"
for program in iptables-restore ip6tables-restore; do
	printf '#!/bin/sh\ncat >%s\n! grep -q conntrack %s && exec %s "$@" <%s\n' "$home/poor/in" "$home/poor/in" \
		"$(command -v $program)" "$home/poor/in" >"$home/poor/$program"
	chmod 755 "$home/poor/$program"
done
empty
PATH=$home/poor:$whole_path run 5 boot
PATH=$whole_path
holds 'closed' [ -n "$(iptables-save -t filter | grep '^:INPUT DROP')" ]
holds 'management' has_rule iptables '-A INPUT -s 10.0.0.250/32 -p tcp -m tcp --dport 2222 -j ACCEPT'

# What is confirmed is lost, or what is known of it: the mode and the management are kept beside.
for lost in meta boot all; do
	empty
	case $lost in
	meta) rm "$FLEETWALL_HOST_STATE/boot/meta" ;;
	boot) mv "$FLEETWALL_HOST_STATE/r" "$home/lost" ;;
	all) rm "$FLEETWALL_HOST_STATE/boot" ;;
	esac
	run 5 boot
	says 'error kernel:'
	minimal_is_live
done

# In coexist the rest of the table is others': nothing is closed.
FLEETWALL_HOST_STATE=$home/second
empty
bundle "$home/c"
apply 0
run 0 confirm "$token"
run 0 status
empty
rm "$FLEETWALL_HOST_STATE/boot/rules.v4"
run 5 boot
holds 'open as it was' [ "$(iptables-save -t filter | grep -c 'DROP')" = 0 ]
holds 'the other family' has_rule ip6tables '-A INPUT -j fleetwall-input'
finish
