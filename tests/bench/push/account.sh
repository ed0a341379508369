# shellcheck shell=sh disable=SC2154
# Processor time by control group, for push.sh: what ends up in a group, it and all of its children, is counted by the kernel, whoever waits for
# it. Version 2 where it is mounted, else cpuacct of version 1. No controller is switched on, and nobody else's process is moved.

account_find() {
	group_type=
	for folder in /sys/fs/cgroup/unified /sys/fs/cgroup /sys/fs/cgroup/cpuacct; do
		if [ -e "$folder/cgroup.controllers" ]; then group_type=2; elif [ -e "$folder/cpuacct.usage" ]; then group_type=1; else continue; fi
		groups=$folder/fleetwall-bench-$$
		return
	done
}
account_missing() {
	account_find
	[ -n "$group_type" ] || {
		echo 'no control groups are mounted, and nothing else counts what ended processes used'
		return
	}
	mkdir "$groups" 2>/dev/null && rmdir "$groups" || echo "no control group can be made in ${groups%/*}"
}
account_name() {
	echo "control group version $group_type"
}
account_begin() {
	account_find
	mkdir "$groups"
	for group in client machines database; do mkdir "$groups/$group"; done
}
# What is still in a group was started by us: connections that Ansible keeps.
account_end() {
	for group in client machines database; do
		while read -r process; do kill "$process" 2>/dev/null; done <"$groups/$group/cgroup.procs"
		turns=100
		until rmdir "$groups/$group" 2>/dev/null || [ "$turns" -eq 0 ]; do
			turns=$((turns - 1))
			sleep 0.05
		done
	done
	rmdir "$groups" 2>/dev/null || say "left behind: $groups"
}

# accounted GROUP COMMAND…: it and what it starts count there
accounted() (
	echo 0 >"$groups/$1/cgroup.procs"
	shift
	"$@"
)
# What the groups used so far, in microseconds: client, machines, database
used() {
	for group in client machines database; do
		if [ "$group_type" = 2 ]; then
			sed -n 's/^usage_usec //p' "$groups/$group/cpu.stat"
		else
			echo $(($(cat "$groups/$group/cpuacct.usage") / 1000))
		fi
	done
}

# measured WORK HOW-MANY COMMAND…: records, for each of so many machines, the milliseconds of each group; and the seconds that all of it took
measured() {
	work=$1 many=$2
	shift 2
	# shellcheck disable=SC2046 # numbers
	set -- $(used | tr '\n' ' ') "$(date +%s%N)" "$@"
	before_client=$1 before_machines=$2 before_database=$3 began=$4
	shift 4
	"$@" >"$home/out" 2>"$home/said" || quit "$work"
	took=$(($(date +%s%N) - began))
	# shellcheck disable=SC2046 # numbers
	set -- $(used | tr '\n' ' ')
	record "$work.client" "$(per_machine $(($1 - before_client)))"
	record "$work.machines" "$(per_machine $(($2 - before_machines)))"
	record "$work.database" "$(per_machine $(($3 - before_database)))"
	record "$work.rate" "$(awk -v n="$many" -v t="$took" 'BEGIN { printf "%.3f", n * 1e9 / t }')"
}
per_machine() { # MICROSECONDS
	awk -v t="$1" -v n="$many" 'BEGIN { printf "%.3f", t / n / 1000 }'
}
