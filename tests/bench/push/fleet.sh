# shellcheck shell=sh disable=SC2154
# Pushes to machines of the lab, for push.sh, in turns with what they are compared with: two bare connections to each machine. The first push of
# machines that have nothing of ours, a push after one rule of all of them changed, and the same with a fleetwall-host that answers and
# does nothing, which leaves the transport alone.

# The inventory: three kinds of machines, each with rules that need the members of the others.
write_inventory() {
	mkdir "$home/csv"
	echo 'name' >"$home/csv/machines.csv"
	echo 'machine,address' >"$home/csv/addresses.csv"
	echo 'role,machine' >"$home/csv/members.csv"
	number=0
	for name in $names; do
		number=$((number + 1))
		echo "$name" >>"$home/csv/machines.csv"
		printf '%s,%s\n' "$name" "$(cat "$LAB/$name/four")" "$name" "$(cat "$LAB/$name/six")" >>"$home/csv/addresses.csv"
		case $((number % 3)) in 0) echo "web,$name" ;; 1) echo "app,$name" ;; 2) echo "db,$name" ;; esac >>"$home/csv/members.csv"
	done
	printf 'name,selector\neveryone,{}\nweb,\napp,\ndb,\n' >"$home/csv/roles.csv"
	printf 'name,prefix\noffice,203.0.113.0/24\noffice,2001:db8:1::/48\npartners,198.51.100.0/25\npartners,198.51.100.192/26\n' >"$home/csv/networks.csv"
	cat >"$home/csv/rules.csv" <<-END
		role,rule
		everyone,allow icmp/echo-request
		everyone,allow 22/tcp from network:office
		everyone,allow 9100/tcp from 10.77.255.0/24
		everyone,"allow 8301,8302/tcp from self"
		everyone,"deny 23,135,139,445/tcp"
		web,"allow 80,443/tcp"
		web,allow 8080/tcp from role:app limit 50/second
		app,allow 8000-8009/tcp from role:web
		app,allow 9000/tcp from network:partners log
		db,allow mysql from role:app
		db,allow 5432/tcp from role:app
		db,allow 4567/tcp from self
	END
}

lab_of_machines() {
	names=$(seq -f 'm%03g' 1 "$MACHINES")
	say "$MACHINES machines come up"
	# shellcheck disable=SC2086 # names
	accounted machines lab_up $names || {
		echo 'the lab does not come up' >"$home/said"
		quit 'the lab'
	}
}

# The sum over the machines.
logins() {
	total=0
	for name in $names; do
		read -r process _ <"$LAB/$name/process"
		count=$(grep -c 'Accepted publickey' "/proc/$process/root/var/log/sshd.log" || :)
		total=$((total + count))
	done
	echo "$total"
}

# pushed WORK: a push of all machines, which has to confirm on each of them
pushed() {
	before=$(logins)
	measured "$1" "$MACHINES" fleetwall --json push
	confirmed=$(jq -s '[.[] | select(.event == "confirmed")] | length' "$home/out")
	if [ "$confirmed" -ne "$MACHINES" ]; then
		cat "$home/out" >>"$home/said"
		quit "$1: $confirmed of $MACHINES machines confirmed; all of them"
	fi
	record "$1.bytes" "$(jq -s '[.[] | select(.event == "confirmed") | .bytes] | sort | .[length / 2 | floor]' "$home/out")"
	record "$1.connections" "$(awk -v n=$(($(logins) - before)) -v m="$MACHINES" 'BEGIN { printf "%.2f", n / m }')"
}

# Two connections to each machine that carry as many bytes as the push before and do nothing with them.
# shellcheck disable=SC2016 # for the inner shell
bare() {
	head -c "$(sed -n 's/^change\.bytes\t//p' "$results" | tail -n 1)" /dev/zero >"$home/file"
	measured bare "$MACHINES" accounted client lab_pusher sh -c 'for name in $1; do echo "$name"; echo "$name"; done |
		xargs -P "$2" -I NAME sh -c "cat $3 | ssh -F $4 NAME \"cat >/dev/null\""' bare "$names" "$AT_ONCE" "$home/file" "$LAB/ssh_config"
}

change_rule() {
	changes=$((changes + 1))
	run rule add everyone "allow $((10000 + changes))/tcp from network:office"
	run generate
}

# Machines as before the first push: no rules, no sets, no folder; and the database knows nothing of them.
forget_all() {
	for name in $names; do
		lab_in "$name" sh -c 'for p in iptables ip6tables; do printf "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n" | $p-restore; done
			ipset list -n | xargs -r -n 1 ipset destroy
			rm -rf /var/lib/fleetwall-host /etc/iptables' || quit "making $name as it was"
	done
	ask -c 'DELETE FROM fleetwall.push_machine' -c 'DELETE FROM fleetwall.machine_generation' >"$home/said" 2>&1 || quit 'forgetting machines'
}

# A fleetwall-host that reads what it is sent, and says that it did.
idle_hosts() {
	for name in $names; do
		lab_in "$name" sh -c 'cat >/var/lib/fleetwall-host/fleetwall-host' <"$here/idle_host" || quit "replacing fleetwall-host on $name"
	done
}

measure_fleet() {
	lab_of_machines
	new_state fleet "ssh_options = [ \"-F\", \"$LAB/ssh_config\" ]" "parallel = $AT_ONCE" 'retries = 0'
	write_inventory
	run import --csv "$home/csv"
	run generate
	changes=0
	record machines "$MACHINES"
	! among fleet "$parts" || compare_with_bare
	! among ansible "$parts" || measure_ansible
	end_state
	lab_down || : # a machine may be gone before it is ended
}
# In each round all four, as what others do on this machine changes by the minute.
compare_with_bare() {
	for round in $(seq "$ROUNDS"); do
		say "round $round of $ROUNDS: first push, one changed rule, bare connections, connections alone"
		pushed first
		change_rule
		pushed change
		bare
		idle_hosts
		change_rule
		pushed transport
		forget_all
	done
}
