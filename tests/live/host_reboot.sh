#!/bin/sh
# The machine goes down between apply and confirm: what was loaded is gone with it, so nothing is confirmed that is not there,
# and nothing of the former boot is put back over what this one loaded. Called by hand, boot undoes what still waits. And
# what must not look like success: a table that can't be read, sets that can't be cut, a lock that nobody gets at boot.
set -u
. "$TOP/tests/live/lib/host.sh"

empty() {
	for program in iptables ip6tables; do
		printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n' | "$program-restore"
	done
	ipset destroy
}
goes_down() { # nothing is loaded by itself: there is no hook yet
	empty
	echo another-boot >"$FLEETWALL_HOST_STATE/booted"
}
kernel_is() { # WHAT FILE
	kernel >"$home/after"
	same "$1" "$2" "$home/after"
}
nothing_waits() { holds "nothing waits $1" [ ! -e "$FLEETWALL_HOST_STATE/pending" ]; }
# failing PROGRAM PATTERN: in front of PATH, one that fails if its arguments are like that
failing() {
	mkdir -p "$home/failing"
	printf '#!/bin/sh\ncase "$*" in %s) exit 1 ;; esac\nexec %s "$@"\n' "$2" "$(PATH=$whole_path command -v "$1")" >"$home/failing/$1"
	chmod 755 "$home/failing/$1"
	PATH=$home/failing:$whole_path
}
mended() {
	rm -r "$home/failing"
	PATH=$whole_path
}
whole_path=$PATH
position exclusive "$home/a" 3306 10.1.0.1 10.1.0.2
position exclusive "$home/b" 3307 10.1.0.1 10.1.0.3
position coexist "$home/c" 3306 10.1.0.1 10.1.0.3
position coexist "$home/d" 3307 10.1.0.1 10.1.0.4

# The first one: it is too late to confirm it, and there is nothing to be undone.
bundle "$home/a"
apply 0
goes_down
iptables -A INPUT -p tcp --dport 99 -j ACCEPT
kernel >"$home/own"
run 7 confirm "$token"
nothing_waits 'of a former boot'
kernel_is 'what this boot loaded stays' "$home/own"
bundle "$home/a" '' flags=adopt
apply 0
goes_down
iptables -A INPUT -p tcp --dport 99 -j ACCEPT
run 0 rollback "$token"
kernel_is 'rolled back: what this boot loaded stays' "$home/own"
bundle "$home/a" '' flags=adopt
apply 0
goes_down
iptables -A INPUT -p tcp --dport 99 -j ACCEPT
bundle "$home/a" '' flags=adopt
apply 0
kernel >"$home/a.kernel"
run 0 rollback "$token"
kernel_is 'applied over it, and undone' "$home/own"

# It was confirmed, but nobody could say so any more: it is loaded, once somebody asks.
bundle "$home/a" '' flags=adopt
apply 0
mv "$FLEETWALL_HOST_STATE/pending/armed" "$FLEETWALL_HOST_STATE/pending/confirmed"
goes_down
run 0 confirm "$token"
kernel_is 'confirmed, and loaded' "$home/a.kernel"

# One that was sent before is not applied again, and what a rollback would bring back is left alone.
cp "$home/bundle" "$home/first"
settled "$home/b" "$home/a"
cp "$home/first" "$home/bundle"
sed -i "s/^fence .*/fence $fence/; s/^generation .*/generation $generation/" "$home/bundle"
apply 4
says 'error fence:'
run 0 rollback
kernel_is 'back' "$home/a.kernel"

# A container that begins anew: the kernel goes on, its first process does not.
read -r kernel_boot <"$FLEETWALL_HOST_STATE/booted"
for began in "$kernel_boot" "${kernel_boot% *}"; do # this one, also as it was written once
	echo "$began" >"$FLEETWALL_HOST_STATE/booted"
	empty
	run 0 boot --once
	holds 'once' [ "$(iptables-save | grep -c DROP)" = 0 ]
done
echo "${kernel_boot% *} 1" >"$FLEETWALL_HOST_STATE/booted"
run 0 boot --once
kernel_is 'another container' "$home/a.kernel"

# Nobody else gives up the lock: it is loaded all the same.
empty
failing flock '*-n*'
printf '#!/bin/sh\n' >"$home/failing/sleep" && chmod 755 "$home/failing/sleep"
run 5 confirm "$token"
says 'error lock:'
run 0 boot
mended
kernel_is 'without the lock' "$home/a.kernel"

# boot by hand, while something waits: that is undone, with what it had replaced of others.
FLEETWALL_HOST_STATE=$home/second
empty
settled "$home/c"
iptables -A INPUT -p tcp --dport 99 -j ACCEPT
kernel >"$home/c.kernel"
for waiting in b d; do
	bundle "$home/$waiting" '' flags=adopt
	apply 0
	run 0 boot
	nothing_waits 'after boot by hand'
	kernel_is "boot by hand over $waiting" "$home/c.kernel"
done

# The table can't be read any more, when it is to be changed: that is no empty one.
bundle "$home/d" "$home/c"
failing iptables-save '-t\ filter'
apply 5
mended
kernel_is 'nothing is half done' "$home/c.kernel"
empty
failing iptables-save '-t\ filter'
run 5 boot
says 'error kernel:'
mended
run 0 boot
iptables -A INPUT -p tcp --dport 99 -j ACCEPT
kernel_is 'booted' "$home/c.kernel"

# Half of a difference is none.
rm -rf "$home/e" && cp -r "$home/c" "$home/e" && set_file $W4 10.1.0.1 10.1.0.9 >"$home/e/$W4"
bundle "$home/e" "$home/c"
failing sed '*+\[0-9\]\*\ /add\ fw4*'
apply 5
says 'everything was undone'
mended
kernel_is 'the set is whole' "$home/c.kernel"
apply 0
run 0 rollback "$token"
finish
