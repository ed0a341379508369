#!/bin/sh
# What the way through the house costs, on fleets of several sizes: each station of an import in seconds of wall clock and
# of our own CPU, then the command from outside. BUILD is the build folder, T a part of the sizes that are wanted.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
program=$BUILD/fleetwall
tmp=$(mktemp -d "${TMPDIR:-/tmp}/fleetwall-bench-XXXXXX")
chmod 711 "$tmp"

finish() {
	"$program" --state "$tmp/state" database stop >/dev/null 2>&1 || true
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Wall clock of a command; what it prints goes to a file, which is shown if it fails.
timed() {
	what=$1
	shift
	begun=$(date +%s%N)
	"$@" >"$tmp/said" 2>&1 || {
		cat "$tmp/said" >&2
		exit 1
	}
	ended=$(date +%s%N)
	awk -v what="$what" -v ns=$((ended - begun)) 'BEGIN { printf "%-12s %8.3f s wall\n", what, ns / 1e9 }'
}

one() {
	echo
	echo "$1 machines, $2 roles, $3"
	"$BUILD/bench/fleet" --machines "$1" --roles "$2" --shape "$3" --seed 1 --out "$tmp/fleet"
	rm -rf "$tmp/state"
	timed init "$program" --state "$tmp/state" init
	server=$("$program" --state "$tmp/state" database status | sed -n 's/^conninfo: //p')
	"$BUILD/bench/import" "$tmp/fleet" "$server"
	timed import "$program" --state "$tmp/state" import --csv "$tmp/fleet"
	timed generate "$program" --state "$tmp/state" generate
	timed "and again" "$program" --state "$tmp/state" generate
	"$program" --state "$tmp/state" database stop >/dev/null
	rm -rf "$tmp/fleet"
}

for size in 1000:50:kinds 10000:200:kinds 10000:200:mixed 100000:200:kinds; do
	case $size in
	*"${T-}"*)
		shape=${size##*:} rest=${size%:*}
		one "${rest%:*}" "${rest#*:}" "$shape"
		;;
	esac
done
