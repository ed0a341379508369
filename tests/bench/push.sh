#!/bin/sh
# The benchmark of pushing: what a push costs beside two bare connections to each machine, beside Ansible doing what it can of the same safety, where
# nothing changed, where one member of a large set changed, and what the pusher needs with a thousand machines in flight. One table, every
# ratio from one run on one machine. Leaves bench-push.tsv (each measurement) and bench-push.txt in the build folder.
#
# Needs root, for the lab of real machines (tests/lab), and control groups, which count processor time: of the pusher with its ssh, of the
# machines, and of PostgreSQL, apart. BUILD is the build folder, FLEETWALL the program; MACHINES is how many there are in the lab (60). T chooses
# parts: fleet ansible nothing member memory; without it all of them. All that it makes is in a folder of its own on tmpfs, and is
# removed; it ends only what it started.
set -eu
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export LC_ALL PATH
cd "$(dirname "$0")/../.."
TOP=$PWD
here=$TOP/tests/bench/push
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$TOP/$BUILD ;; esac
program=${FLEETWALL:-$BUILD/fleetwall}
results=$BUILD/bench-push.tsv
MACHINES=${MACHINES:-60}
AT_ONCE=20
ROUNDS=3
# shellcheck source=tests/lab/lab.sh
. "$TOP/tests/lab/lab.sh"
# shellcheck source=tests/bench/machine.sh
. "$TOP/tests/bench/machine.sh"
# shellcheck source=tests/bench/push/account.sh
. "$here/account.sh"
# shellcheck source=tests/bench/push/fleet.sh
. "$here/fleet.sh"
# shellcheck source=tests/bench/push/ansible.sh
. "$here/ansible.sh"
# shellcheck source=tests/bench/push/alone.sh
. "$here/alone.sh"

say() {
	echo "$*" >&2
}
quit() {
	say "bench-push: $* failed:"
	cat "$home/said" >&2
	say "what was measured until then is in $results"
	exit 1
}
# record WORK VALUE…
record() {
	printf '%s\t%s\n' "$1" "$2" >>"$results"
}
among() {
	case " $2 " in *" $1 "*) ;; *) return 1 ;; esac
}

choose() {
	parts=$(echo "${T-}" | tr ',' ' ')
	for word in $parts; do
		among "$word" 'fleet ansible nothing member memory' || {
			echo "T: \"$word\" is no part (fleet ansible nothing member memory)" >&2
			exit 2
		}
	done
	parts=${parts:-fleet ansible nothing member memory}
}

# fleetwall ARGUMENT…: with the state of $state, in the group of the pusher, on its wire where there is one
fleetwall() {
	if [ -e "$LAB/machines" ]; then
		accounted client lab_pusher "$program" --config "$state.conf" "$@"
	else
		accounted client "$program" --config "$state.conf" "$@"
	fi
}
# new_state NAME SETTING…: an empty database, whose server is in a group of its own
new_state() {
	state=$home/$1
	shift
	{
		printf 'state = "%s";\nmanagement = [ "%s", "%s" ];\npush = {\n' "$state" "$LAB_PUSHER4" "$LAB_PUSHER6"
		[ $# -eq 0 ] || printf '\t%s;\n' "$@"
		echo '};'
	} >"$state.conf"
	accounted database "$program" --config "$state.conf" init >"$home/said" 2>&1 || quit 'the database'
	server=$("$program" --config "$state.conf" database status | sed -n 's/^conninfo: //p')
	ask -c 'ALTER SYSTEM SET autovacuum = off' -c 'SELECT pg_reload_conf()' >"$home/said" 2>&1 || quit 'the database'
}
ask() {
	psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$server" "$@"
}
run() {
	fleetwall "$@" >"$home/said" 2>&1 || quit "$*"
}
end_state() {
	"$program" --config "$state.conf" database stop >/dev/null 2>&1 || :
}

finish() {
	trap '' INT TERM
	[ -z "${state-}" ] || end_state
	lab_down || : # a machine may be gone before it is ended
	account_end
	rm -rf "$home"
}

about() {
	echo "# $("$program" --version), $(ssh -V 2>&1 | sed 's/[ ,].*//; s/_/ /'), iptables $(iptables -V | sed 's/[^(]*v//');" \
		"$(this_machine)"
	say_quiet
	echo "# CPU time is user + system as $(account_name) counts it: of fleetwall with its ssh, and of all that runs on the machines"
}

main() {
	choose
	reason=$(lab_missing)
	[ -n "$reason" ] || reason=$(account_missing)
	[ -z "$reason" ] || {
		say "no bench of pushing here: $reason"
		exit 3
	}
	home=$(mktemp -d "$([ ! -w /dev/shm ] || echo /dev/shm/)fleetwall-push-XXXXXX")
	chmod 711 "$home"
	LAB=$home/lab
	trap finish EXIT
	trap 'exit 130' INT TERM
	account_begin
	about >"$results"
	if among fleet "$parts" || among ansible "$parts"; then measure_fleet; fi
	! among member "$parts" || measure_member
	! among nothing "$parts" || measure_nothing
	! among memory "$parts" || measure_memory
	echo
	awk -f "$here/table.awk" "$results" | tee "$BUILD/bench-push.txt"
	say "the table is in $BUILD/bench-push.txt, each measurement in $results"
}
main
