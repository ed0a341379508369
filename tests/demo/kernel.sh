# shellcheck shell=sh disable=SC2154,SC2034 # $here comes from, and $knocked goes to, whoever sources this
# Two network namespaces joined by a cable, for the demo: one has a machine's addresses and its ruleset, the other is the rest of the world.
# They belong to two sleeping processes and go with them. Sourced; wants $here (a folder of ours) and $KNOCK (the program).
# An ordinary user gets them inside a user namespace, where the kernel allows that.

kernel_inside='' kernel_outside='' kernel_listener='' kernel_port=''

# The processes have written their own ids, as $! would be that of a shell around them.
kernel_stop() {
	for pid in $kernel_listener $kernel_outside $kernel_inside; do
		kill "$pid" 2>/dev/null || true
	done
}
trap kernel_stop EXIT
trap 'exit 130' INT TERM

# in_namespace PID COMMAND…
in_namespace() {
	target=$1
	shift
	if [ "$(id -u)" -eq 0 ]; then
		nsenter -t "$target" -n -- "$@"
	else
		XTABLES_LOCKFILE=$here/xtables.lock nsenter -t "$target" -U --preserve-credentials -n -- "$@"
	fi
}

inside() {
	in_namespace "$kernel_inside" "$@"
}

outside() {
	in_namespace "$kernel_outside" "$@"
}

# Starts the two sleepers, each below a shell that may say "Terminated" to nobody. The second is made inside the first one's user namespace, so that both are ours to join.
make_namespaces() {
	# shellcheck disable=SC2016 # for the shell inside
	sleeper='echo $$ >"$0"; exec sleep 600'
	if [ "$(id -u)" -eq 0 ]; then
		(unshare -n sh -c "$sleeper" "$here/inside") 2>/dev/null &
	else
		(unshare -rn sh -c "$sleeper" "$here/inside") 2>/dev/null &
	fi
	wait_for "$here/inside" || return 1
	kernel_inside=$(cat "$here/inside")
	(inside unshare -n sh -c "$sleeper" "$here/outside") 2>/dev/null &
	wait_for "$here/outside" || return 1
	kernel_outside=$(cat "$here/outside")
}

# Until the file has a line, at most two seconds.
wait_for() {
	tries=0
	until [ -s "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 40 ] || return 1
		sleep 0.05
	done
}

# address DEVICE PLACE: on one end of the cable. Without duplicate address detection, which takes a second.
give_address() { # inside|outside DEVICE ADDRESS
	case $3 in
	*:*) "$1" ip -6 addr add "$3/128" dev "$2" nodad 2>/dev/null || true ;;
	*) "$1" ip addr add "$3/32" dev "$2" 2>/dev/null || true ;;
	esac
}

lay_cable() {
	inside ip link add eth0 type veth peer name world netns "$kernel_outside"
	inside ip link set lo up
	for address in "$@"; do
		give_address inside eth0 "$address"
	done
	inside ip link set eth0 up
	outside ip link set world up
	for end in 'inside eth0' 'outside world'; do
		# shellcheck disable=SC2086 # two words
		set -- $end
		"$1" ip route add default dev "$2"
		"$1" ip -6 route add default dev "$2" 2>/dev/null || true
	done
}

kernel_load_set() {
	inside ipset -exist restore <"$1"
}

load_ruleset() { # RULESET SETS
	while read -r set; do
		kernel_load_set "$2/$set"
	done <"$1/sets.list"
	inside iptables-restore <"$1/rules.v4"
	inside ip6tables-restore <"$1/rules.v6"
}

# kernel_start RULESET SETS ADDRESS…: false where no namespace can be made.
kernel_start() {
	ruleset=$1 sets=$2
	shift 2
	rm -f "$here/inside" "$here/outside"
	make_namespaces || return 1
	lay_cable "$@"
	load_ruleset "$ruleset" "$sets"
	return 0
}

# Somebody listens on the port, so that what is let in is answered.
listen_on() {
	[ "$1" != "$kernel_port" ] || return 0
	[ -z "$kernel_listener" ] || kill "$kernel_listener"
	rm -f "$here/listening"
	# shellcheck disable=SC2016 # for the shell inside
	(inside sh -c 'echo $$ >"$0"; exec "$@"' "$here/listener" "$KNOCK" listen "$1" >"$here/listening" 2>/dev/null) 2>/dev/null &
	wait_for "$here/listening" || {
		echo "nobody can listen on port $1 in the namespace" >&2
		return 3
	}
	kernel_listener=$(cat "$here/listener")
	kernel_port=$1
}

# knock_from SOURCE DESTINATION PORT: sets knocked to what a client with that address sees: let in, refused, dropped.
knock_from() {
	listen_on "$3"
	give_address outside world "$1"
	knocked=$(outside "$KNOCK" "$1" "$2" "$3")
}
