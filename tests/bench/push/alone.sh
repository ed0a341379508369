# shellcheck shell=sh disable=SC2154
# What is not compared with others, for push.sh: one member more in a large set, on real machines; a thousand machines where nothing changed, and a
# thousand in flight, with programs in place of ssh.

# --- one member of a large set --------------------------------------------------------------------------------------------------

MEMBERS=100000

# On the machine, ahead of the real ones: programs that write down what they are told to change.
listen_to() { # NAME
	lab_in "$1" sh -c 'cat >/usr/local/sbin/ipset && chmod 755 /usr/local/sbin/ipset
		for p in iptables-restore ip6tables-restore; do
			printf "#!/bin/sh\necho loaded >>/var/log/rules-loaded\nexec /usr/sbin/%s \"\$@\"\n" $p >/usr/local/sbin/$p && chmod 755 /usr/local/sbin/$p
		done
		rm -f /var/log/sets-changed /var/log/rules-loaded
		: >/var/log/sets-changed
		: >/var/log/rules-loaded' <"$here/ipset"
}
# The packets that each rule has counted, in the order of the rules.
counters() {
	lab_in "$1" sh -c 'iptables-save -c -t filter; ip6tables-save -c -t filter' | sed -n 's/^\[\([0-9]*\):.*\] -A/\1 -A/p'
}
# Did a rule lose what it had counted, or was none there? 0: all of them went on
counters_kept() {
	paste -d ' ' "$home/counted.$1" "$home/counts.$1" | awk '
		{ now = 0; for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/ && $(i + 1) == "-A") now = $i; if ($1 > 0) any = 1; if (now + 0 < $1 + 0) lost = 1 }
		END { exit !any || lost }'
}

write_large() {
	mkdir "$home/large-csv"
	printf 'name\nbig1\nbig2\nbig3\n' >"$home/large-csv/machines.csv"
	{
		echo 'machine,address'
		for name in $names; do printf '%s,%s\n' "$name" "$(cat "$LAB/$name/four")"; done
	} >"$home/large-csv/addresses.csv"
	printf 'name,selector\neveryone,{}\n' >"$home/large-csv/roles.csv"
	# Every other address, as touching ones would be joined.
	awk -v n="$MEMBERS" 'BEGIN { print "name,prefix"
		for (i = 0; i < n; i++) printf "crowd,100.%d.%d.%d\n", 64 + int(i / 32768), int(i / 128) % 256, 2 * (i % 128) }' >"$home/large-csv/networks.csv"
	printf 'role,rule\neveryone,allow 443/tcp from network:crowd\neveryone,allow icmp/echo-request\n' >"$home/large-csv/rules.csv"
}

add_member() { # NUMBER
	ask -c "INSERT INTO fleetwall.network_prefix (network, prefix) VALUES ('crowd', '100.127.0.$1')" >"$home/said" 2>&1 || quit 'the member'
	run generate
}

measure_member() {
	say "one more member in a set of $MEMBERS"
	names='big1 big2 big3'
	# shellcheck disable=SC2034 # lab.sh reads it
	LAB_DISK=128m
	# shellcheck disable=SC2086 # names
	accounted machines lab_up $names >"$home/said" 2>&1 || quit 'the lab'
	new_state large "ssh_options = [ \"-F\", \"$LAB/ssh_config\" ]" "parallel = $AT_ONCE"
	write_large
	run import --csv "$home/large-csv"
	run generate
	run push
	for name in $names; do
		listen_to "$name" || quit "listening to ipset on $name"
		lab_ssh "$name" true >"$home/said" 2>&1 || quit "ssh to $name" # counters that are not zero
		counters "$name" >"$home/counted.$name"
	done
	add_member 77
	fleetwall --json push >"$home/out" 2>"$home/said" || quit 'push'
	for name in $names; do look_at_member "$name"; done
	end_state
	lab_down || : # a machine may be gone before it is ended
}
look_at_member() { # NAME
	record member.bytes "$(jq -s --arg name "$1" '[.[] | select(.event == "confirmed" and .machine == $name)][0].bytes' "$home/out")"
	record member.seconds "$(jq -s --arg name "$1" '[.[] | select(.event == "confirmed" and .machine == $name)][0].seconds' "$home/out")"
	lab_in "$1" cat /var/log/sets-changed >"$home/changed"
	record member.changes "$(wc -l <"$home/changed")"
	grep -qxE 'add fw4-crowd-[0-9a-f]{12} 100\.127\.0\.77' "$home/changed" || {
		cp "$home/changed" "$home/said"
		quit "the member on $1"
	}
	record member.loads "$(lab_in "$1" grep -c . /var/log/rules-loaded || :)"
	counters "$1" >"$home/counts.$1"
	record member.kept "$(counters_kept "$1" && echo 1 || echo 0)"
	# shellcheck disable=SC2016 # for the shell there
	record member.boot "$(lab_in "$1" sh -c 'cd /var/lib/fleetwall-host/boot && grep -qE "^add [^ ]* 100\.127\.0\.77$" crowd-*.v4 && echo 1 || echo 0')"
}

# --- a thousand machines ---------------------------------------------------------------------------------------------------------

# thousands NAME MACHINES: a fleet, of which some machines get no ruleset, whose transport is a program that answers as soon as there is $home/go
thousands() {
	rm -rf "$home/answers"
	mkdir -p "$home/answers"
	"$BUILD/bench/fleet" --machines "$2" --roles 20 --shape kinds --seed 1 --out "$home/$1.csv"
	new_state "$1" 'parallel = 1000' "apply = [ \"$BUILD/bench/push_answer\", \"apply\", \"$home/answers/%n\", \"$home/go\" ]" \
		"confirm = [ \"$BUILD/bench/push_answer\", \"confirm\", \"$home/answers/%n\", \"$home/go\" ]"
	run import --csv "$home/$1.csv"
	run generate
}

measure_nothing() {
	say '1,000 machines where nothing changed'
	thousands thousand 1040
	: >"$home/go"
	run push
	ask -c 'VACUUM ANALYZE' >"$home/said" 2>&1 || quit 'VACUUM'
	rm -rf "$home/answers" # so that nobody could be asked
	for _ in 1 2 3 4 5 6 7 8 9; do
		rm -f "$home/took"
		"$BUILD/bench/timed" "$home/took" "$program" --config "$state.conf" push >"$home/out" 2>"$home/said" || quit 'push'
		grep -q '^nothing to push: ' "$home/out" || {
			cp "$home/out" "$home/said"
			quit 'nothing to push'
		}
		record nothing.seconds "$(cut -f 1 "$home/took")"
		record nothing.kib "$(cut -f 3 "$home/took")"
	done
	record nothing.machines "$(sed -n 's/^nothing to push: \([0-9]*\) .*/\1/p' "$home/out")"
	end_state
}

# The last wave has six tenths of the machines: enough of them for a thousand at once.
IN_FLIGHT_OF=1850
measure_memory() {
	say '1,000 machines in flight'
	thousands crowd "$IN_FLIGHT_OF"
	rm -f "$home/took"
	(
		echo 0 >"$groups/client/cgroup.procs"
		exec "$BUILD/bench/timed" "$home/took" "$program" --config "$state.conf" --json push >"$home/out" 2>"$home/said"
	) &
	pusher=$!
	count_processes
	wait "$pusher" || quit 'push'
	record memory.kib "$(cut -f 3 "$home/took")"
	record memory.running "$(jq -s '[.[] | .running // 0] | max' "$home/out")"
	end_state
}
# When most speak to a machine at once: how many, and how many others there are but the pusher and what times it. They may go on when there
# were as many for a second: then all of a wave are there, or as many as may be at once.
count_processes() {
	most=0 besides=0 before=0 same=0
	rm -f "$home/go"
	while kill -0 "$pusher" 2>/dev/null; do
		# shellcheck disable=SC2046 # numbers
		set -- $(processes)
		if [ "$1" -gt "$most" ]; then
			most=$1 besides=$2
		elif [ "$1" -eq "$most" ] && [ "$2" -lt "$besides" ]; then # one that was just being started is none
			besides=$2
		fi
		if [ "$1" -eq "$before" ]; then same=$((same + 1)); else same=0; fi
		if [ "$same" -ge 5 ]; then : >"$home/go"; else rm -f "$home/go"; fi
		before=$1
		sleep 0.2
	done
	record memory.speaking "$most"
	record memory.besides "$besides"
}
processes() {
	while read -r process; do
		read -r name 2>/dev/null <"/proc/$process/comm" && echo "$name"
	done <"$groups/client/cgroup.procs" | awk '{ if ($1 == "push_answer") speaking++; else others++ } END { print speaking + 0, (others > 2 ? others - 2 : 0) }'
}
