#!/bin/sh
# Many machines at once: all are confirmed, what boots them loads in a fresh namespace, and traffic that should flow flows and the rest does
# not, with real connections over both families. PUSH_MACHINES (8) says how many. long: many machines come up.
set -u
. "$TOP/tests/live/lib/push.sh"
fleet=${PUSH_MACHINES:-8}
names=
number=0
while [ "$number" -lt "$fleet" ]; do
	number=$((number + 1))
	names="$names m$number"
done
# shellcheck disable=SC2086 # names
lab_begin $names outsider=198.51.100.9,2001:db8:9::9

# --- the fleet: a third each of web servers, databases, and what talks to both -----------------------------------------------------
role_of() { # NUMBER
	case $(($1 % 3)) in 0) echo web ;; 1) echo database ;; 2) echo client ;; esac
}
mode_of() { # each fifth shares its machine with others
	if [ $(($1 % 5)) -eq 0 ]; then echo coexist; else echo exclusive; fi
}
{
	cat <<-END
		roles = (
		  { name = "everyone"; selector = { }; rules = [ "allow icmp/echo-request from role:everyone", "allow 22/tcp from role:client" ]; },
		  { name = "web"; rules = [ "allow 80/tcp", "deny 80/tcp from 192.0.2.0/24" ]; },
		  { name = "database"; rules = [ "allow 3306/tcp from role:web" ]; },
		  { name = "client"; egress = "closed"; rules = [ "allow 80/tcp to role:web", "allow 22/tcp to role:everyone" ]; } );
		machines = (
	END
	number=0
	for name in $names; do
		number=$((number + 1))
		[ $number -eq 1 ] || echo ','
		printf '{ name = "%s"; addresses = [ "%s", "%s" ]; roles = [ "%s" ]; mode = "%s"; }' $name "$(cat "$LAB/$name/four")" \
			"$(cat "$LAB/$name/six")" "$(role_of $number)" "$(mode_of $number)"
	done
	echo ');'
} > "$home/fleet.conf"
run 0 import "$home/fleet.conf"
generate

# --- pushed, in waves -----------------------------------------------------------------------------------------------------------
began=$(date +%s%N)
run 0 --json push
spent=$((($(date +%s%N) - began) / 1000000))
lines "[.[] | select(.event == \"confirmed\") | .machine] | unique | length == $fleet"
lines ".[-1] | .event == \"summary\" and .state == \"done\" and .confirmed == $fleet and .failed == 0 and .skipped == 0 and .waiting == 0"
lines '[.[] | select(.event == "wave") | .wave] | . == sort and length == .[-1] and length > 1'
echo "$fleet machines in $spent ms"
run 0 --json status
json "[.items[] | select(.state == \"current\" and .confirmed == $generation and .failure == null)] | length == $fleet"
# shellcheck disable=SC2086
has $names

# --- what boots them --------------------------------------------------------------------------------------------------------------
# In a namespace that has nothing, from the machine's own disk, as its boot hook does it.
boots() {
	published "$1" > "$home/wanted"
	# shellcheck disable=SC2016
	lab_in "$1" unshare --net sh -c '[ "$(iptables-save | grep -c "^-A")" -eq 0 ] && [ -z "$(ipset list -n)" ] || exit 1
		sh /var/lib/fleetwall-host/fleetwall-host boot && eval "$1"' boot "$show" > "$home/shown" 2> "$home/err"
	if diff "$home/wanted" "$home/shown" > "$home/out"; then passed=$((passed + 1)); else fault "$1 boots with something else"; fi
}
for name in $names; do boots $name; done

# --- and traffic --------------------------------------------------------------------------------------------------------------------
number=0
for name in $names; do
	number=$((number + 1))
	case $(role_of $number) in
	web) lab_listen $name 80 81 ;;
	database) lab_listen $name 3306 ;;
	esac
done
expect() { # FROM-NUMBER TO-NUMBER: what should become of each port: its rules, and with closed egress those of the source
	from=$(role_of "$1") to=$(role_of "$2")
	for port in 22 80 81 3306; do
		case $from,$to,$port in
		client,*,22 | client,web,80) verdict=open ;;
		client,*) verdict=shut ;;
		web,database,3306 | *,web,80) verdict=open ;;
		*) verdict=shut ;;
		esac
		# Nobody listens there; whether it was let in can't be seen.
		case $to,$port in web,3306 | database,8? | client,80 | client,81 | client,3306) continue ;; esac
		for address in "$(cat "$LAB/m$2/four")" "$(cat "$LAB/m$2/six")"; do
			echo "$verdict $address $port"
		done
	done
}
# Every connection that is to be tried from a machine, all at once there; prints those that turn out otherwise. Namespaces share one table
# of neighbours, which is full with 60 machines unless it is swept.
# shellcheck disable=SC2016
try='while read -r verdict address port; do
	{
		wait=2
		[ $verdict = open ] || wait=0.5
		if timeout $wait bash -c "exec 3<>/dev/tcp/$address/$port" 2>/dev/null; then got=open; else got=shut; fi
		[ $got = $verdict ] || echo "$address port $port is $got"
	} &
done
wait
ip neigh flush all'
# Of a big fleet some of the pairs; each machine is a source and a destination.
pairs() { # NUMBER
	for step in 1 2 3 4 5 6 7 8; do
		other=$((($1 - 1 + step * step) % fleet + 1))
		[ $other -eq "$1" ] || expect "$1" $other
	done | sort -u
}
number=0 tried=0
for name in $names; do
	number=$((number + 1))
	pairs $number > "$home/pairs"
	tried=$((tried + $(wc -l < "$home/pairs")))
	lab_in $name sh -c "$try" < "$home/pairs" > "$home/out" 2> "$home/err"
	if [ -s "$home/out" ]; then fault "from $name"; else passed=$((passed + 1)); fi
done
# A stranger reaches the web servers, and nothing else.
number=0
for name in $names; do
	number=$((number + 1))
	for address in "$(cat "$LAB/$name/four")" "$(cat "$LAB/$name/six")"; do
		echo "shut $address 22"
		[ "$(role_of $number)" != web ] || printf 'open %s 80\nshut %s 81\n' "$address" "$address"
		[ "$(role_of $number)" != database ] || echo "shut $address 3306"
	done
done > "$home/pairs"
tried=$((tried + $(wc -l < "$home/pairs")))
lab_in outsider sh -c "$try" < "$home/pairs" > "$home/out" 2> "$home/err"
if [ -s "$home/out" ]; then fault 'from outside'; else passed=$((passed + 1)); fi
echo "$tried connections were tried"
holds 'both kinds were among them' test "$tried" -gt $((fleet * 10))

# --- nothing is left to do ------------------------------------------------------------------------------------------------------------
# shellcheck disable=SC2086
calls $names
run 0 push
says "nothing to push: $fleet machines"
# shellcheck disable=SC2086
called 0 $names
run 0 drift
says "$fleet machines asked: 0 differ"
# shellcheck disable=SC2086
idle $names
finish
