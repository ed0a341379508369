# shellcheck shell=sh disable=SC2154
# The others, for run.sh: what Debian has that makes iptables rules from data, on the same fleet, exported to what each reads. How far each gets
# is said below the table. Those that start anew for each machine, or take seconds for one, get a part of the fleet; the table says so.

# so many machines for ferm, and for Capirca, which takes longer the more members roles have
ferm_machines=100
capirca_machines() {
	case $machines in
	1000) echo 8 ;;
	10000) echo 2 ;;
	*) echo 0 ;;
	esac
}

have() {
	command -v "$1" >/dev/null || {
		say "SKIPPED: $1 is not installed"
		return 1
	}
}

export_for() {
	/usr/bin/python3 -B "$here/peers/export.py" "$1" "$disk/inventory.json" "$disk/peers" "${2:-0}" >"$disk/said" 2>&1 || quit "exporting for $1"
}

# run_peer NAME DONE COMMAND…: three times, each into a folder of its own; $result is where. On tmpfs if there is one, which is kind to them, and
# where hundreds of thousands of files are removed in no time.
run_peer() {
	name=$1 done=$2 fs=${filesystems##* }
	shift 2
	for round in 1 2 3; do
		result=$(place_of "$fs")/$machines-$name-$round
		mkdir "$result"
		export result
		settle
		rm -f "$disk/took"
		"$BUILD/bench/timed" "$disk/took" "$@" >"$disk/said" 2>&1 || quit "$name"
		# shellcheck disable=SC2046 # two numbers
		record "$fs" "$name" $(cut -f 1,3 "$disk/took") "$done" "$of"
		[ "$fs" != tmpfs ] || rm -rf "$result"
	done
	rm -rf "$disk/peers"
}

# shellcheck disable=SC2016 # the inner shell's variables
measure_peers() {
	ask bench -f "$here/peers/inventory.sql" >"$disk/inventory.json"
	of=$(ask bench -c "SELECT count(*) FROM fleetwall.machine WHERE enabled AND enforcement <> 'unmanaged'")
	export peers="$disk/peers" here
	if /usr/bin/python3 -c 'import jinja2' 2>/dev/null; then
		export_for jinja2
		run_peer jinja2 "$of" sh -c 'exec /usr/bin/python3 -B "$here/peers/render.py" "$peers/fleet.json" "$result"'
	else
		say "SKIPPED: Jinja2 is not installed"
	fi
	if have ferm; then
		export_for ferm "$ferm_machines"
		run_peer ferm "$ferm_machines" sh -ec 'for file in "$peers"/*.ferm; do
			name=${file##*/}
			ferm --remote "$file" >"$result/${name%.ferm}"
		done'
	fi
	if [ "$(capirca_machines)" -gt 0 ] && have aclgen; then
		export_for capirca "$(capirca_machines)"
		run_peer capirca "$(capirca_machines)" sh -c 'exec aclgen --base_directory "$peers" --definitions_directory "$peers/def" --output_directory "$result"'
	fi
	rm -f "$disk/inventory.json"
}
