#!/bin/sh
# Pushers that end in the middle: killed with -9 at any moment and followed by another push; three on one run, one of them killed and one
# asleep until its machines were taken over, which the machine then refuses to listen to. Whatever happened, every machine is reachable, whole
# and known. PUSH_KILLS (3) says how often, PUSH_SEED where chance begins; it is printed. long: it waits for leases.
set -u
. "$TOP/tests/live/lib/push.sh"
kills=${PUSH_KILLS:-3}
seed=${PUSH_SEED:-$(date +%s)}
machines='m1 m2 m3 m4 m5'
# shellcheck disable=SC2086 # names
lab_begin $machines outsider=198.51.100.9,2001:db8:9::9
{
	# Each has a role of its own, so that all are in the first wave.
	echo 'roles = ( { name = "all"; selector = { }; rules = [ "allow 80/tcp from role:all" ]; }'
	for name in $machines; do printf ', { name = "%s"; }' $name; done
	echo ');'
	# shellcheck disable=SC2086
	lab_machines $machines
} > "$home/fleet.conf"
run 0 import "$home/fleet.conf"
generate
run 0 push
# shellcheck disable=SC2086
confirmed_on "$generation" $machines
state=$seed
random() { # below $1
	state=$(((state * 1103515245 + 12345) % 2147483648))
	drawn=$((state / 65536 % $1))
}
random 2

# Rules and members change at every machine.
change() {
	round=$((${round:-0} + 1))
	run 0 rule add all "allow $((1000 + round))/tcp"
	run 0 machine add "x$round" --address "10.88.$((round / 250)).$((round % 250 + 1))" --enforcement unmanaged
	generate
}
# At any moment every machine lets the pusher in, and has what it had or what it shall have.
one_or_the_other() { # MACHINE; what was on its way to it may still be at work there for a moment
	turns=30
	while [ "$turns" -gt 0 ]; do
		kernel "$1" > "$home/now"
		! cmp -s "$home/now" "$home/kernel.$1" || return 0
		[ "$(grep -c "dport $((1000 + round)) " "$home/now")" -ne 2 ] || return 0
		turns=$((turns - 1))
		sleep 0.1
	done
	diff "$home/kernel.$1" "$home/now"
}
reachable() {
	for name in $machines; do
		holds "$name can be reached" lab_ssh -o ConnectTimeout=5 $name true
		holds "$name has one or the other" one_or_the_other $name
	done
}
# --- killed at any moment ------------------------------------------------------------------------------------------------------
echo "seed $seed"
# Up to five in a row, each of which goes on where the one before was.
while [ "$kills" -gt 0 ]; do
	change
	# shellcheck disable=SC2086
	remember $machines
	how=
	while [ "$kills" -gt 0 ]; do
		kills=$((kills - 1))
		random 3
		# shellcheck disable=SC2086
		begin push $how --parallel $((drawn + 1))
		random 1500
		sleep "$((drawn / 1000)).$(printf %03d $((drawn % 1000)))"
		kill -9 "$beside"
		wait "$beside" 2> /dev/null
		echo "killed after $drawn ms"
		[ $((kills % 5)) -gt 0 ] || break
		random 2
		how=
		[ "$drawn" -eq 0 ] || how=--resume
	done
	reachable
	# What one would do then: go on, or, as nightly does, push again. One that was killed before its run began, or after its end, leaves
	# nothing to go on with.
	random 2
	[ "$drawn" -eq 0 ] || run 0 push --resume
	run 0 push
	# shellcheck disable=SC2086
	{
		current $machines
		has $machines
		idle $machines
	}
done

# --- three on one run -------------------------------------------------------------------------------------------------------------
# Two take a machine each, and what they would send waits for us.
cat > "$home/apply" <<END
#!/bin/sh
echo \$\$ > "$home/waits.\$1"
while [ ! -e "$home/go.\$1" ]; do sleep 0.1; done
ssh -F "$LAB/ssh_config" -o HostKeyAlias="\$1" "\$2" "\$3" > "$home/said.\$1"
echo \$? > "$home/ended.\$1"
END
chmod 0755 "$home/apply"
configure waits 'parallel = 1' "apply = [ \"$home/apply\", \"%n\", \"%h\" ]"
change
# shellcheck disable=SC2086
calls $machines
begin --config "$home/waits.conf" push
killed=$beside
await "$home/waits.m1"
begin --config "$home/waits.conf" push --resume
asleep=$beside
await "$home/waits.m2"
sleep 0.5
kill -9 "$killed"
kill -STOP "$asleep"
run 0 push --resume
says '5 confirmed, 0 failed'
# shellcheck disable=SC2086
{
	confirmed_on "$generation" $machines
	has $machines
	remember $machines
	# Nothing is done twice.
	called 2 $machines
}
# What both began goes on now. The machines have seen a higher fence.
for name in m1 m2; do
	: > "$home/go.$name"
	await "$home/ended.$name"
	holds "$name refuses what is late" grep -q '^error fence: ' "$home/said.$name"
	holds "$name refuses it as it should" grep -qx 4 "$home/ended.$name"
	unchanged $name
done
kill -CONT "$asleep"
ended 0
silent_on 'm2: confirmed'
# shellcheck disable=SC2086
{
	current $machines
	unchanged $machines
	idle $machines
}
finish
