#!/bin/sh
# The demo: a fleet becomes rulesets that the kernel accepts. FLEET is a document, or a folder with CSV files (tests/fleets/company.conf without
# one), FLEETWALL the program, KNOCK the two ends of a connection (tests/demo/knock.c). Keeps everything in a folder of its own below /var/tmp
# (DEMO), made anew each time, because a clone below /root is closed to the database's user. Opens no port, and leaves the machine's own firewall
# alone. What ends before its end leaves nothing behind.
set -eu
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/../.."
FLEET=${FLEET:-tests/fleets/company.conf}
here=${DEMO:-/var/tmp/fleetwall-demo-$(id -u)}
# shellcheck source=tests/demo/kernel.sh
. tests/demo/kernel.sh

if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

title() {
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

# At most so many columns of each line.
fit() {
	awk -v n="$1" '{ print (length($0) > n + 0 ? substr($0, 1, n - 3) "..." : $0) }'
}

fleetwall() {
	"$FLEETWALL" --config "$here/fleetwall.conf" "$@"
}

now() {
	date +%s%N
}

# Runs a command of ours, shows it as one would type it, with the time that it took and its last line.
show() {
	start=$(now)
	status=0
	said=$(fleetwall "$@" 2>&1) || status=$?
	took=$((($(now) - start) / 10000000))
	printf '%s$ fleetwall %s%s  # %d.%02d s\n' "$bold" "$*" "$plain" $((took / 100)) $((took % 100))
	if [ "$status" -ne 0 ]; then
		printf '%s\n' "$said"
		exit "$status"
	fi
	printf '%s\n' "$said" | tail -n 1 | fit 110 | sed 's/^/    /'
}

ask() {
	psql -X -q -A -t -F "$(printf '\t')" -v ON_ERROR_STOP=1 -d "$conninfo" -c "SET search_path = fleetwall; $1"
}

# --- a state of our own ------------------------------------------------------------------------------------------------------------

# Ends what the demo left running, its own as well as that of a demo before.
remove_state() {
	[ ! -e "$here/state/pg" ] || fleetwall database stop >/dev/null 2>&1 || true
	rm -rf "$here"
}

half_done=''
leave() {
	kernel_stop
	[ -z "$half_done" ] || remove_state
}
trap leave EXIT

fresh_state() {
	if [ -e "$here" ] || [ -L "$here" ]; then
		if [ -z "$(find "$here" -maxdepth 0 -type d -user "$(id -u)")" ]; then
			echo "$here exists and is not a folder of yours; remove it" >&2
			exit 3
		fi
		remove_state
	fi
	half_done=yes
	mkdir -m 0755 "$here"
	cat >"$here/fleetwall.conf" <<-END
		state = "$here/state";
		management = [ "10.10.0.5", "fd00:10::5" ];
	END
}

need_fleet() {
	[ -e "$FLEET" ] || {
		echo "there is no fleet $FLEET: FLEET is a folder with machines.csv and the like, or a document" >&2
		exit 2
	}
}

take_fleet() {
	if [ -d "$FLEET" ]; then
		show import --csv "$FLEET"
	else
		show import "$FLEET"
	fi
}

# --- what is looked at: hand-picked for the company, found by the look of it in any other fleet ------------------------------------------

# The machine with the most rules that name peers, of those that have addresses of both families and a ruleset of the common kind.
pick_machine() {
	ask "SELECT r.machine FROM machine_rule r JOIN machine m ON m.name = r.machine
		WHERE m.mode = 'exclusive' AND m.enforcement = 'enforce'
		GROUP BY r.machine
		ORDER BY (SELECT count(DISTINCT family(a.address)) FROM address a WHERE a.machine = r.machine) DESC,
			count(*) FILTER (WHERE r.rule ~ ' from (role|network):') DESC, r.machine LIMIT 1"
}

# A machine that lets others in by TCP because it is in a role: "role, port, machine". First where the machine that we look at is one of
# those others, then by how many they are for each member.
pick_door() {
	ask "SELECT p.role, min(p.port), (SELECT min(m.machine) FROM role_member m JOIN address a USING (machine)
				WHERE m.role = p.role AND family(a.address) = 4 AND m.machine <> '$machine')
		FROM (SELECT machine, substring(rule FROM '^allow ([0-9]+)[0-9,-]*/tcp') AS port,
				substring(rule FROM '^allow [0-9,-]+/tcp from role:([^ ,/]+)\$') AS role FROM machine_rule) p
		WHERE EXISTS (SELECT FROM role_member m JOIN address a USING (machine)
				WHERE m.role = p.role AND family(a.address) = 4 AND m.machine <> '$machine')
		GROUP BY p.role
		ORDER BY bool_or(p.machine = '$machine') DESC,
			count(DISTINCT p.machine) / (SELECT count(*) FROM role_member m WHERE m.role = p.role) DESC, p.role LIMIT 1"
}

address_of() { # MACHINE FAMILY
	ask "SELECT host(address) FROM address WHERE machine = '$1' AND family(address) = $2 ORDER BY address LIMIT 1"
}

# The port and a host of the set of the first rule line of a file that lets TCP in from a set: "port address".
pick_packet() { # RULES-FILE FAMILY NOT-THIS-ADDRESS
	sed -n "s/^-A INPUT -p tcp .*--dports* \([0-9]*\).*--match-set fw$2-\([^ ]*\) src.*-j ACCEPT\$/\1 \2/p" "$1" |
		while read -r port set; do
			host=$(sed -n 's/^add [^ ]* \([^ /]*\)$/\1/p' "$out/sets/$set.v$2" | grep -vxF -e "$3" | head -n 1)
			[ -z "$host" ] || echo "$port $host"
		done | head -n 1
}

pick_packets() {
	packet4=$(pick_packet "$out/machines/$machine/rules.v4" 4 "$address4")
	packet6=$(pick_packet "$out/machines/$machine/rules.v6" 6 "$address6")
	packets=''
	[ -z "$packet4" ] || packets="${packet4#* },${packet4% *} 192.0.2.99,${packet4% *}"
	[ -z "$packet6" ] || packets="$packets ${packet6#* },${packet6% *} 2001:db8:b:99::99,${packet6% *}"
}

pick() {
	case $FLEET in
	*/company.conf)
		machine=db1 door=bastion1 port=22
		packets='10.10.3.1,3306 fd00:10:3::2,3306 10.30.3.1,3306 2001:db8:b:99::99,3306'
		;;
	*)
		machine=$(pick_machine)
		door=$(pick_door)
		port=${door#*	}
		port=${port%%	*} door=${door##*	}
		;;
	esac
	address4=$(address_of "$machine" 4)
	address6=$(address_of "$machine" 6)
	case $FLEET in */company.conf) ;; *) pick_packets ;; esac
}

# --- one machine's rules beside the rows that they came from -----------------------------------------------------------------------------

# The iptables line of a rule, without what every line has: the chain, and the comment with role and id.
line_of() {
	grep -h -e "--comment \"[^\"]* $1\"" "$out/machines/$machine/rules.v4" "$out/machines/$machine/rules.v6" |
		sed -n '1s/ -m comment --comment "[^"]*"//p' | sed 's/^-A \([^ ]*\) /\1: /'
}

show_rules() {
	ask "SELECT rule_id, role, rule FROM machine_rule r WHERE machine = '$machine'
		ORDER BY (SELECT count(*) FROM role_member m WHERE m.role = r.role), role, rule" >"$here/rules"
	title "$machine: rows of the inventory, the most particular first, and what its kernel gets for each"
	head -n 8 "$here/rules" | while IFS='	' read -r id role rule; do
		printf '  %-17s %s\n      %s\n' "$role" "$rule" "$(line_of "$id")" | fit 110
	done
	count=$(wc -l <"$here/rules")
	[ "$count" -le 8 ] || echo "  and $((count - 8)) more; all of it: $out/machines/$machine/rules.v4 and .v6"
}

# --- packets -----------------------------------------------------------------------------------------------------------------------------

# An address, with the machine that has it; without the address where both would not fit.
called() {
	name=$(ask "SELECT min(machine) FROM address WHERE address = '$1'")
	if [ -z "$name" ]; then
		echo "$1"
	elif [ "${#1}" -lt $((37 - ${#name})) ]; then
		echo "$name $1"
	else
		case $1 in *:*) echo "$name by IPv6" ;; *) echo "$name by IPv4" ;; esac
	fi
}

own_address() { # of the family of $1
	case $1 in *:*) echo "$address6" ;; *) echo "$address4" ;; esac
}

# One line: who, where to, what the model says, what the kernel did.
try_packet() { # SOURCE PORT
	said=$(printf '%s %s %s/tcp\n' "$1" "$machine" "$2" | fleetwall explain - | cut -f 1,5 | sed 's/	/, stage /')
	knock_from "$1" "$(own_address "$1")" "$2"
	printf '  %-38s %-9s  %-24s %s\n' "$(called "$1")" "$2/tcp" "$said" "$knocked"
}

show_packets() {
	if ! kernel_start "$out/machines/$machine" "$out/sets" "$address4" "$address6"; then
		title "No network namespace can be made here: the kernel's part is left out."
		return
	fi
	title "$machine's ruleset is loaded in a network namespace; real connections knock at it"
	printf '  %-38s %-9s  %-24s %s\n' source port 'fleetwall explain' 'the kernel'
	for packet in $packets; do
		try_packet "${packet%,*}" "${packet#*,}"
	done
}

# --- the seed of it all: one machine is disabled, and a door closes everywhere ------------------------------------------------------------------

# How many machines let the door in.
let_in() {
	ask "SELECT name FROM machine WHERE name <> '$door' AND enabled" | sed "s|.*|$door4 & $port/tcp|" |
		fleetwall explain - | grep -c '^allow	.*	allow	' || true
}

changed_sets() { # BEFORE AFTER
	awk 'NR == FNR { before[$2] = $1; next } before[$2] != $1 { print $2 } { delete before[$2] } END { for (s in before) print s }' \
		"$out/generations/$1/sets" "$out/generations/$2/sets" | sort
}

changed_rulesets() { # BEFORE AFTER: of machines that are in both
	awk 'NR == FNR { before[$2] = $1; next } $2 in before && before[$2] != $1' \
		"$out/generations/$1/manifest" "$out/generations/$2/manifest" | wc -l
}

generation() {
	basename "$(readlink "$out/current")"
}

switch_door() { # disable or enable
	before=$(generation)
	was=$(let_in)
	printf '%s$ fleetwall machine %s %s && fleetwall generate%s\n' "$bold" "$1" "$door" "$plain"
	fleetwall machine "$1" "$door" >/dev/null 2>&1
	fleetwall generate >/dev/null 2>&1
	sets=$(changed_sets "$before" "$(generation)")
	printf '    %s/tcp from %s was let in by %d machines, now by %d\n' "$port" "$door" "$was" "$(let_in)"
	printf '    %d rulesets of others changed; sets that changed: %s\n' "$(changed_rulesets "$before" "$(generation)")" \
		"$(echo "$sets" | head -n 4 | tr '\n' ' ')$([ "$(echo "$sets" | wc -l)" -le 4 ] || echo ...)"
	[ -n "${kernel_inside-}" ] && [ -n "$address4" ] || return 0
	for set in $sets; do
		! grep -qxF "$set" "$out/machines/$machine/sets.list" || kernel_load_set "$out/sets/$set"
	done
	knock_from "$door4" "$address4" "$port"
	printf '    loaded in the namespace, the sets alone: %s knocks at %s, %s/tcp: %s\n' "$door" "$machine" "$port" "$knocked"
}

show_door() {
	[ -n "$door" ] || return 0
	door4=$(address_of "$door" 4)
	title "$door leaves the fleet, and comes back"
	switch_door disable
	switch_door enable
}

show_end() {
	title 'To go on by hand:'
	cat <<-END
		    alias fw='$FLEETWALL --config $here/fleetwall.conf'
		    fw query rules $machine;  fw explain ${packets%%,*} $machine $(echo "$packets" | sed 's/^[^,]*,\([0-9]*\).*/\1/')/tcp;  fw --help
		    fw sql -- -c 'SELECT * FROM machine_rule'
		    ls $out/machines $out/sets
		The database keeps running. This ends it and removes all of the demo:
		    $FLEETWALL --config $here/fleetwall.conf database stop && rm -r $here
	END
}

need_fleet
fresh_state
out=$here/state/out
title "A fleet becomes firewalls: $FLEET"
show init
take_fleet
show generate
conninfo=$(fleetwall database status 2>&1 | sed -n 's/^conninfo: //p')
ask "SELECT '    ' || (SELECT count(*) FROM machine) || ' machines, ' || (SELECT count(*) FROM role) || ' roles, ' ||
	(SELECT count(*) FROM rule) || ' rules in the inventory; ' || (SELECT count(*) FROM machine_rule) || ' rules on machines'"
pick
[ -n "$machine" ] || {
	echo 'This fleet has no machine that gets rules.'
	exit 0 # and nothing of it is left
}
show_rules
show_packets
show_door
show_end
half_done=''
