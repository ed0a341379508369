#!/bin/sh
# What may go wrong on a machine, and between it and the pusher, all at once, each on a machine of its own: each ends as it was, reachable and
# known for what it is, in its kernel and in the database; and what one push could not do the next one does. Then the database goes away in
# the middle and comes back. Pushers that are killed are in push_kill.sh. long: it waits for machines that go back by themselves.
set -u
. "$TOP/tests/live/lib/push.sh"
faults='cutoff dead killed full damaged briefly forever missing mixed frozen loud lost'
# shellcheck disable=SC2086 # names
lab_begin well $faults
{
	# Each has a role of its own, so that all are in the first wave. One has no rule that lets the pusher in, whatever is said of management.
	echo 'roles = ('
	number=8000
	for name in well $faults; do
		number=$((number + 1)) in='"allow 22/tcp", '
		[ $name != cutoff ] || in=
		[ $name = well ] || printf ',\n'
		printf '{ name = "%s"; rules = [ %s"allow %s/tcp", "allow 3306/tcp from network:%s" ]; }' $name "$in" $number $name
	done
	printf ');\nnetworks = ('
	for name in well $faults; do
		[ $name = well ] || printf ',\n'
		printf '{ name = "%s"; prefixes = [ "203.0.113.0/24", "198.51.100.0/24", "2001:db8:1::/48" ]; }' $name
	done
	echo ');'
	# shellcheck disable=SC2086
	lab_machines well $faults
} > "$home/fleet.conf"
run 0 import "$home/fleet.conf"

# --- the hooks of this push: ssh, with what goes wrong on the way --------------------------------------------------------------
hub=$(lab_pid pusher)
cat > "$home/apply" <<END
#!/bin/sh
# loud: a program that never stops printing
[ "\$1" != loud ] || exec head -c 1G /dev/zero
exec ssh -F "$LAB/ssh_config" -o HostKeyAlias="\$1" -o ConnectTimeout=2 "\$2" "\$3"
END
# dead: between apply and confirm its sshd ends, with all of its sessions; lost: its cable is pulled
cat > "$home/confirm" <<END
#!/bin/sh
case \$1 in
dead) nsenter -t $(lab_pid dead) --mount --net --uts --pid --wd=/ -- sh -c 'kill -9 \$(pidof sshd)' ;;
lost) nsenter -t $hub --net -- ip link set $(lab_port lost) down ;;
esac
exec ssh -F "$LAB/ssh_config" -o HostKeyAlias="\$1" -o ConnectTimeout=2 "\$2" "\$3"
END
chmod 0755 "$home/apply" "$home/confirm"
configure hooks "apply = [ \"$home/apply\", \"%n\", \"%h\" ]" "confirm = [ \"$home/confirm\", \"%n\", \"%h\" ]"

# --- the faults --------------------------------------------------------------------------------------------------------------
lab_legacy briefly
lab_legacy forever
for name in briefly forever; do # the table is there, so that looking at it needs no lock
	lab_in $name sh -c 'iptables -L -n > /dev/null; ip6tables -L -n > /dev/null'
done
lab_in mixed iptables-legacy -A INPUT -s 192.0.2.66 -j DROP
# shellcheck disable=SC2086
remember well $faults
# What is pushed was made for another pusher, and with a template that says so in its own way: no check sees that it lets in nobody else.
mkdir "$home/templates"
sed 's/--dport {{ssh_port}} -j ACCEPT/--dport {{ssh_port}} -m comment --comment management -j ACCEPT/' "$TOP/templates/exclusive.mustache" \
	> "$home/templates/exclusive.mustache"
printf 'state = "%s/state"; management = [ "192.0.2.1" ]; templates = "%s/templates";\n' "$home" "$home" > "$home/elsewhere.conf"
run 0 --config "$home/elsewhere.conf" generate
# damage FILE: something stands in it that nobody published
damage() {
	object=$(readlink -f "$1")
	chmod u+w "$object"
	echo "$2" >> "$object"
}
# Rules that are damaged are seen when the push is planned, members when they are sent: no such machine is contacted.
calls well damaged
damage "$home/state/out/machines/damaged/rules.v4" '-A INPUT -j ACCEPT'
run 1 --config "$home/hooks.conf" push damaged
complains 'the published files of 1 machine are damaged'
says 'left: damaged: damaged: machine damaged: '
says 'is not what its name says'
says 'generate'
called 0 well damaged
run 0 --config "$home/elsewhere.conf" generate
holds 'it was mended' sh -c "! grep -qx -e '-A INPUT -j ACCEPT' '$home/state/out/machines/damaged/rules.v4'"
damage "$home/state/out/sets/$(grep '^damaged.*v4' "$home/state/out/machines/damaged/sets.list")" 'add fw4-damaged 0.0.0.0/1'
lab_fill full
lab_sshd frozen freeze
lab_in briefly setsid flock /run/xtables.lock sleep 5 &
lab_in forever setsid flock /run/xtables.lock sleep 60 &
# The script is killed when it has begun to change things.
lab_in killed setsid sh -c 'until [ -e /var/lib/fleetwall-host/pending/touched-v6 ]; do sleep 0.01; done; pkill -9 -f "[f]leetwall-host apply"' &
lab_hide missing iptables-restore

# It would need a gigabyte to keep what the hook prints.
limit=900000
run 1 --config "$home/hooks.conf" --json push --parallel 20 --max-failures 50
limit=unlimited

# --- what became of each ---------------------------------------------------------------------------------------------------------
# ends MACHINE FAILURE PERSON TEXT: in the events, in the summary and in the database. The kernel is looked at below.
ends() {
	lines "[.[] | select(.event == \"failed\" and .machine == \"$1\")] | length == 1 and .[0].failure == \"$2\" and (.[0].message | contains(\"$4\"))"
	lines "[.[] | select(.event == \"left\" and .machine == \"$1\")] | length == 1 and .[0].needs_person == $3"
}
lines '.[-1] | .event == "summary" and .state == "stopped" and .confirmed == 2 and .failed == 11 and .waiting == 0'
lines '[.[] | select(.event == "confirmed") | .machine] | sort == ["briefly", "well"]'
ends cutoff rolled-back true 'timed out'
ends dead rolled-back true 'it went back'
ends lost rolled-back true 'it went back'
ends killed hook false 'exit code 255'
ends full apply true 'make room there'
ends damaged damaged false 'generate'
ends forever apply true 'xtables lock'
ends missing refused true 'missing here: iptables'
ends mixed refused true 'both backends'
ends frozen unreachable false 'timed out'
ends loud hook false 'did not say'
for name in cutoff dead lost full forever missing mixed; do
	status $name '.confirmed == null and .offered == 1 and .needs_person and .state == "failed" and (.error_at != null)'
done
for name in killed damaged frozen loud; do
	status $name '.confirmed == null and (.needs_person | not) and .state == "never pushed" and .why != null'
done
confirmed_on 1 well briefly
run 1 status --open

# The faults end. A machine that was being changed has gone back by itself, at the latest when its time was over.
lab_sshd dead start
lab_sshd frozen thaw
lab_join lost
lab_empty full
lab_in missing sh -c 'umount "$(readlink -f /usr/sbin/iptables-restore)"'
lab_in forever pkill -f '[s]leep 60'
until_idle() {
	turns=150
	while [ "$turns" -gt 0 ] && lab_in "$1" test -e /var/lib/fleetwall-host/pending; do
		turns=$((turns - 1))
		sleep 0.1
	done
}
for name in $faults; do
	until_idle $name
done
for name in $faults; do
	idle $name
	[ $name = briefly ] || unchanged $name
done
lab_in mixed iptables-legacy -D INPUT -s 192.0.2.66 -j DROP
has well briefly

# --- the next push does what this one could not ---------------------------------------------------------------------------------
generate
holds 'generate mended what was damaged' sh -c "! grep -q 0.0.0.0/1 '$home'/state/out/sets/damaged*"
# shellcheck disable=SC2086
set -- well $faults
run 0 push
says "$# confirmed, 0 failed"
confirmed_on "$generation" "$@"
has "$@"
idle "$@"
opens lost well 22
shuts lost cutoff 22
run 0 drift
run 0 status

# --- the database goes away in the middle, and comes back ------------------------------------------------------------------------
cat > "$home/apply" <<END
#!/bin/sh
: > "$home/begun"
sleep 1
exec ssh -F "$LAB/ssh_config" -o HostKeyAlias="\$1" "\$2" "\$3"
END
run 0 rule add well 'allow 9001/tcp'
run 0 rule add full 'allow 9001/tcp'
generate
begin --config "$home/hooks.conf" push
await "$home/begun"
kill -s QUIT "$(sed -n 1p "$home/state/pg/postmaster.pid")"
sleep 2.5
run 0 database start
ended 0
says 'database: '
says 'it answers again'
says '2 confirmed, 0 failed'
confirmed_on "$generation" well full
has well full
finish
