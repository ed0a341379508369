# For tests of push, end to end: a lab of real machines (tests/lab), fleetwall with the network of its pusher and a private database, and checks
# that look at the machine's kernel and at what the database says of it.
# Sourced, after `set -u`. TOP, BUILD and FLEETWALL come from tests/run. Ends with 77 where there can be no lab.
# shellcheck shell=sh
. "$TOP/tests/lab/lab.sh"
reason=$(lab_missing)
if [ -n "$reason" ]; then
	echo "$reason"
	exit 77
fi
command -v jq > /dev/null || { echo 'jq is not installed'; exit 77; }
. "$TOP/tests/live/lib/command.sh"
LAB=$home/lab
# What OpenSSH does by itself takes four times as much of the processor, a third of all that these tests take.
# shellcheck disable=SC2034 # lab.sh reads it
LAB_SSH='KexAlgorithms curve25519-sha256'
program=$FLEETWALL
# Kept in memory where the runner did not make a place.
trap 'end_pushers; "$program" database stop > /dev/null 2>&1; lab_down; rm -rf "$home"' EXIT
trap 'exit 130' INT TERM
pushers=

# The lab ends before its folder goes, by the trap.
finish() {
	echo "$passed passed, $failed failed, 0 skipped"
	[ "$failed" -eq 0 ]
	exit
}

# configure NAME SETTING…: $home/NAME.conf, the same state with these settings of the group push ("deadline = 20"); NAME bare has no management.
configure() {
	name=$1 sources="\"$LAB_PUSHER4\", \"$LAB_PUSHER6\""
	shift
	[ "$name" != bare ] || sources=
	{
		printf 'state = "%s/state";\nmanagement = [ %s ];\npush = {\n' "$home" "$sources"
		for setting in "ssh_options = [ \"-F\", \"$LAB/ssh_config\" ]" 'deadline = 10' 'connect_timeout = 2' 'retries = 0'; do
			given=
			for other; do [ "${other%% *}" != "${setting%% *}" ] || given=yes; done
			[ -n "$given" ] || printf '\t%s;\n' "$setting"
		done
		for setting; do printf '\t%s;\n' "$setting"; done
		echo '};'
	} > "$home/$name.conf"
}

# lab_begin NAME[=IPV4,IPV6]…: the machines, and fleetwall as it is run on their wire
lab_begin() {
	lab_up "$@" || { echo 'the lab does not come up'; exit 1; }
	FLEETWALL=$home/fleetwall
	# With the kilobytes of memory that $limit says.
	limit=unlimited
	printf '#!/bin/sh\nulimit -v "$limit" && exec nsenter -t %s --net -- "%s" "$@"\n' "$(lab_pid pusher)" "$program" > "$FLEETWALL"
	export limit
	chmod 0755 "$FLEETWALL"
	configure fleetwall
	run 0 init
}

# lab_machines NAME…: the field `machines` of a document: each with its addresses, and with the role that has its name
lab_machines() {
	comma=
	echo 'machines = ('
	for name; do
		printf '%s{ name = "%s"; addresses = [ "%s", "%s" ]; roles = [ "%s" ]; }\n' "$comma" "$name" "$(cat "$LAB/$name/four")" "$(cat "$LAB/$name/six")" "$name"
		comma=', '
	done
	echo ');'
}

# begin ARGUMENT…: fleetwall beside us; its output goes to $home/beside.out, its process id is $beside.
begin() {
	nsenter -t "$(lab_pid pusher)" --net -- "$program" "$@" > "$home/beside.out" 2> "$home/beside.err" < /dev/null &
	beside=$!
	pushers="$pushers $beside"
}
# ended CODE: it ends by itself, with that code.
ended() {
	wait "$beside"
	got=$?
	cp "$home/beside.out" "$home/out"
	cp "$home/beside.err" "$home/err"
	if [ "$got" -eq "$1" ]; then passed=$((passed + 1)); else fault "what ran beside us: exit code $got, not $1"; fi
}
# await FILE: it comes
await() {
	turns=200
	until [ -e "$1" ]; do
		turns=$((turns - 1))
		[ "$turns" -gt 0 ] || { fault "$1 does not come"; return; }
		sleep 0.05
	done
}
end_pushers() {
	for pid in $pushers; do kill -9 "$pid" 2> /dev/null; done
}

# --- what is so --------------------------------------------------------------------------------------------------------

# status MACHINE FILTER…: jq's filters are true of what `status` says of it
status() {
	of=$1
	shift
	"$FLEETWALL" --json status "$of" > "$home/out" 2> "$home/err"
	json_is "status of $of: not " '.items[0] | ' "$@"
}
# current MACHINE…: they confirmed what is published. confirmed_on GENERATION MACHINE…: in this one
all_settled='[.items[] | select((.state == "current" and .confirmed == .offered and (.needs_person | not) and .failure == null
	and .attempts == 0) | not)] | length == 0'
current() {
	"$FLEETWALL" --json status "$@" > "$home/out" 2> "$home/err"
	json "$all_settled" ".items | length == $#"
}
confirmed_on() {
	number=$1
	shift
	"$FLEETWALL" --json status "$@" > "$home/out" 2> "$home/err"
	json "$all_settled" ".items | length == $#" "[.items[] | select(.confirmed != $number)] | length == 0"
}
# Publishes what is new; $generation is its number.
generate() {
	"$FLEETWALL" generate > "$home/out" 2> "$home/err" || fault 'generate'
	# shellcheck disable=SC2034 # for tests
	generation=$(readlink "$home/state/out/current" | grep -o '[0-9]*$')
}

# lines FILTER…: of the JSON lines of the last run, as one list
lines() { json_is 'JSON lines: ' '[., inputs] | ' "$@"; }

# kernel MACHINE: all that a push might change there. Counters are left out.
kernel() {
	lab_in "$1" sh -c 'for p in iptables ip6tables; do $p-save -t filter | sed "/^#/d; s/\[[0-9:]*\]//"; done; ipset save | sort'
}
# remember MACHINE…; unchanged MACHINE…: since then
remember() {
	for machine; do kernel "$machine" > "$home/kernel.$machine"; done
}
unchanged() {
	for machine; do
		kernel "$machine" > "$home/now"
		if diff "$home/kernel.$machine" "$home/now" > "$home/out" 2> "$home/err"; then
			passed=$((passed + 1))
		else
			fault "$machine was changed"
		fi
	done
}
different() {
	for machine; do
		kernel "$machine" > "$home/now"
		if cmp -s "$home/kernel.$machine" "$home/now"; then fault "$machine was not changed"; else passed=$((passed + 1)); fi
	done
}

# published MACHINE: what a kernel that has what is published for it shows, in the same form as shows(); of coexist only what is ours. Some
# protocols have their names from /etc/protocols there.
published() {
	folder=$home/state/out/machines/$1
	for family in 4 6; do
		if grep -q '^:fleetwall-input' "$folder/rules.v$family"; then
			echo 'INPUT fleetwall-input, OUTPUT fleetwall-output'
			grep '^-A fleetwall' "$folder/rules.v$family"
		else
			sed '/^#/d; s/\[[0-9:]*\]//' "$folder/rules.v$family"
		fi
	done
	while read -r name; do
		family=${name##*.v}
		sed -n "s/^add \([^ ]*\)\.n /add \1 /p" "$home/state/out/sets/$name"
	done < "$folder/sets.list" | sort
}
# The other side of it, for sh on the machine.
# shellcheck disable=SC2016
show='for p in iptables ip6tables; do
	save=$($p-save -t filter)
	if echo "$save" | grep -q "^:fleetwall-input"; then
		echo "INPUT $(echo "$save" | sed -n "s/^-A INPUT -j //p; T; q"), OUTPUT $(echo "$save" | sed -n "s/^-A OUTPUT -j //p; T; q")"
		echo "$save" | grep "^-A fleetwall"
	else
		echo "$save" | sed "/^#/d; s/\[[0-9:]*\]//"
	fi
done | sed "s/-p igmp/-p 2/"
ipset save | grep "^add fw[46]-" | sort'
shows() {
	lab_in "$1" sh -c "$show"
}
# has MACHINE…: its kernel has what is published for it, nothing waits there, and the next boot loads the same
has() {
	for machine; do
		published "$machine" > "$home/wanted"
		shows "$machine" > "$home/shown"
		if diff "$home/wanted" "$home/shown" > "$home/out" 2> "$home/err"; then passed=$((passed + 1)); else fault "$machine has something else"; fi
		lab_in "$machine" sh /var/lib/fleetwall-host/fleetwall-host status > "$home/out" 2> "$home/err"
		if grep -qx 'pending -' "$home/out" && grep -qx 'live yes' "$home/out" && grep -q '^boot /' "$home/out"; then
			passed=$((passed + 1))
		else
			fault "$machine: fleetwall-host says otherwise"
		fi
	done
}
# idle MACHINE…: nothing waits there, no timer is left, no rest of a call
idle() {
	for machine; do
		holds "$machine: something is left" lab_in "$machine" sh -c 'cd /var/lib/fleetwall-host 2> /dev/null || exit 0
			[ ! -e pending ] && [ ! -e pending.new ] && [ "$(ls -d work.* in.* 2> /dev/null)" = "" ] && ! pgrep -f "[f]leetwall-host (timer|rollback)"'
	done
}

# contacts MACHINE: how often somebody logged in there by ssh
contacts() {
	lab_in "$1" grep -c 'Accepted publickey' /var/log/sshd.log || :
}
# calls MACHINE…: from here on they are counted
calls() {
	for machine; do contacts "$machine" > "$home/contacts.$machine"; done
}
# called TIMES MACHINE…: since calls
called() {
	times=$1
	shift
	for machine; do
		now=$(contacts "$machine")
		holds "$machine was contacted $((now - $(cat "$home/contacts.$machine"))) times, not $times" \
			test $((now - $(cat "$home/contacts.$machine"))) -eq "$times"
	done
}

# opens FROM TO PORT, shuts FROM TO PORT: with real connections, over IPv4 and IPv6; FROM is a machine or `pusher`
opens() {
	for address in "$(cat "$LAB/$2/four")" "$(cat "$LAB/$2/six")"; do
		holds "from $1 to $2, port $3 ($address)" lab_tcp "$1" "$address" "$3"
	done
}
# On this wire an answer takes a millisecond.
shuts() {
	for address in "$(cat "$LAB/$2/four")" "$(cat "$LAB/$2/six")"; do
		if lab_in "$1" timeout 0.5 bash -c "exec 3<> /dev/tcp/$address/$3" 2> /dev/null; then
			fault "open: from $1 to $2, port $3 ($address)"
		else
			passed=$((passed + 1))
		fi
	done
}
