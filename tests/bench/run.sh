#!/bin/sh
# The benchmark: one table of what fleetwall does in what time, beside the floor under it (COPY of the same tables, writing the same files) and
# others doing the same work, every ratio from one run on one machine; and a picture of the curves. Leaves bench.tsv (each measurement),
# bench.txt and bench.svg in the build folder.
#
# BUILD is the build folder. T chooses parts, by words: sizes (1000 10000 100000 1000000), shapes (kinds mixed), parts (import generate watch
# peers), places (disk tmpfs); of what no word speaks, everything. A million machines only on request: T=1000000, or BENCH_MILLION=1.
# BENCH_DIR is where it works (default: the build folder), FLEETWALL the program. Database and output are in folders of its own, made anew and
# removed; it stops only what it started.
set -eu
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export LC_ALL PATH
cd "$(dirname "$0")/../.."
here=$PWD/tests/bench
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
program=${FLEETWALL:-$BUILD/fleetwall}
results=$BUILD/bench.tsv
# shellcheck source=tests/bench/machine.sh
. "$here/machine.sh"
# shellcheck source=tests/bench/measure.sh
. "$here/measure.sh"
# shellcheck source=tests/bench/peers.sh
. "$here/peers.sh"

# --- what is wanted ----------------------------------------------------------------------------------------------------------------

sizes='' shapes='' parts='' places=''

choose() {
	for word; do
		case $word in
		1000 | 10000 | 100000 | 1000000) sizes="$sizes $word" ;;
		kinds | mixed) shapes="$shapes $word" ;;
		import | generate | watch | peers) parts="$parts $word" ;;
		disk | tmpfs) places="$places $word" ;;
		*)
			echo "T: \"$word\" is no size (1000 10000 100000 1000000), shape (kinds mixed), part (import generate watch peers) or place (disk tmpfs)" >&2
			exit 2
			;;
		esac
	done
	[ -n "$sizes" ] || sizes='1000 10000 100000'
	[ "${BENCH_MILLION:-0}" != 1 ] || sizes="$sizes 1000000"
	sizes=$(for size in $sizes; do echo "$size"; done | sort -n -u)
	shapes=${shapes:-kinds mixed} parts=${parts:-import generate watch peers} places=${places:-disk tmpfs}
}

# among WORD LIST…
among() {
	word=$1
	shift
	for other; do
		[ "$word" != "$other" ] || return 0
	done
	return 1
}

# --- places ----------------------------------------------------------------------------------------------------------------------------

# As root the private PostgreSQL runs as somebody else, who must be able to pass.
passable() {
	[ "$(id -u)" -eq 0 ] || return 0
	user=postgres
	! id fleetwall >/dev/null 2>&1 || user=fleetwall
	runuser -u "$user" -- test -x "$1"
}

# Has the file system of a folder room for the outputs of so many machines that are there at the same time? KiB and inodes of a machine, as
# measured, and half as much again; of mixed fleets nearly each machine has rulesets of its own.
has_room() {
	room=15 inodes=5
	# shellcheck disable=SC2086 # a list of words
	! among mixed $shapes || room=80 inodes=15
	[ "$(df --output=avail "$1" | tail -n 1)" -ge "$(($2 * room))" ] && [ "$(df --output=iavail "$1" | tail -n 1)" -ge "$(($2 * inodes))" ]
}

# Sets disk, and tmpfs if there is one with room for the largest fleet; filesystems are their names, as the results have them.
find_places() {
	base=${BENCH_DIR:-$BUILD}
	mkdir -p "$base"
	if ! passable "$base"; then
		echo "$base is closed to the user of the database: working below /var/tmp instead" >&2
		base=/var/tmp
	fi
	disk=$(mktemp -d "$base/fleetwall-bench-XXXXXX")
	chmod 711 "$disk"
	disk_name=$(df --output=fstype "$disk" | tail -n 1)
	tmpfs='' filesystems=$disk_name
	among tmpfs $places || return 0
	if [ "$disk_name" = tmpfs ] || [ "$(df --output=fstype /dev/shm 2>/dev/null | tail -n 1)" != tmpfs ]; then
		echo "no other tmpfs at /dev/shm: one column only" >&2
	elif ! has_room /dev/shm "$1"; then
		echo "/dev/shm has not room, or not inodes, for the outputs of $1 machines: no column for tmpfs" >&2
	else
		tmpfs=$(mktemp -d /dev/shm/fleetwall-bench-XXXXXX)
		chmod 711 "$tmpfs"
		filesystems="$disk_name tmpfs"
		among disk $places || filesystems=tmpfs
	fi
}

place_of() {
	if [ "$1" = "$disk_name" ]; then echo "$disk"; else echo "$tmpfs"; fi
}

finish() {
	trap '' INT TERM
	if [ -n "${disk-}" ]; then
		[ ! -e "$disk/state/pg" ] || fleetwall database stop >/dev/null 2>&1 || true
		[ -z "${tmpfs-}" ] || rm -rf "$tmpfs"
		[ -z "${machines-}" ] || [ "$machines" -lt 100000 ] || say "removing $disk; ext4 may take minutes for it, and is slow until it is done"
		rm -rf "$disk"
	fi
}

# --- the database ----------------------------------------------------------------------------------------------------------------------

fleetwall() {
	"$program" --config "$disk/fleetwall.conf" "$@"
}

# conninfo DATABASE
conninfo() {
	echo "$server" | sed "s/dbname=fleetwall/dbname=$1/"
}

# ask DATABASE psql's arguments…
ask() {
	database=$1
	shift
	psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$(conninfo "$database")" "$@"
}

# An empty database with the schema, to make others after. Autovacuum would come into the measurements by chance; each database is
# vacuumed and analyzed once it is filled, as it would have been by then.
start_database() {
	cat >"$disk/fleetwall.conf" <<-END
		state = "$disk/state";
		management = [ "192.0.2.10", "2001:db8:ffff::10" ];
	END
	fleetwall init >"$disk/said" 2>&1 || quit "the database"
	server=$(fleetwall database status | sed -n 's/^conninfo: //p')
	ask postgres -c "ALTER SYSTEM SET autovacuum = off" -c "SELECT pg_reload_conf()" >"$disk/said" 2>&1 || quit "the database"
}

# new_database NAME
new_database() {
	ask postgres -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1 TEMPLATE fleetwall" >"$disk/said" 2>&1 || quit "the database"
}

# --- a fleet -----------------------------------------------------------------------------------------------------------------------------

# Only what is asked for, and what makes sense: others are measured on kinds, which are the same to them, and not on a million machines.
one_fleet() {
	machines=$1 shape=$2 runs=5
	[ "$machines" -lt 100000 ] || runs=3
	roles=$((machines / 50))
	[ "$roles" -ge 20 ] || roles=20
	say "$machines machines, $roles roles, $shape"
	"$BUILD/bench/fleet" --machines "$machines" --roles "$roles" --shape "$shape" --seed 1 --out "$disk/fleet"
	fill_database
	if among peers $parts && [ "$shape" = kinds ] && [ "$machines" -le 100000 ]; then
		measure_peers
	fi
	if among generate $parts || among watch $parts; then
		measure_generate
	fi
	! among watch $parts || measure_watch
	ask postgres -c "DROP DATABASE bench"
	rm -rf "$disk/fleet"
	[ -z "$tmpfs" ] || rm -rf "${tmpfs:?}"/*
}

about() {
	echo "# $("$program" --version 2>/dev/null || echo fleetwall), PostgreSQL $(ask postgres -c 'SHOW server_version' | cut -d' ' -f1) on $disk_name;" \
		"$(this_machine)"
	say_quiet
}

draw() {
	command -v gnuplot >/dev/null || {
		say "SKIPPED: no gnuplot, no picture"
		return 0
	}
	awk -f "$here/median.awk" -f "$here/curves.awk" "$results" >"$disk/curves"
	grep -q '^plot' "$disk/curves" || return 0
	cat "$here/curves.gp" "$disk/curves" | gnuplot >"$BUILD/bench.svg" 2>"$disk/said" || quit "gnuplot"
	say "the table is in $BUILD/bench.txt, the picture in $BUILD/bench.svg, each measurement in $results"
}

# shellcheck disable=SC2086 # lists of words
main() {
	choose $T
	trap finish EXIT
	trap 'exit 130' INT TERM
	find_places "$(echo "$sizes" | tail -n 1)"
	start_database
	about >"$results"
	for size in $sizes; do
		for shape in $shapes; do
			[ "$size" -le 100000 ] || [ "$shape" = kinds ] || continue
			one_fleet "$size" "$shape"
		done
	done
	echo
	awk -f "$here/median.awk" -f "$here/table.awk" "$results" | tee "$BUILD/bench.txt"
	draw
}

# What a million costs is said in terms of 100,000.
T=$(echo "${T-}" | tr ',' ' ')
case " $T " in *' 1000000 '*) T="$T 100000" ;; esac
main
