#!/bin/sh
# fleetwall-host killed with -9 at each of its steps: in apply, confirm, rollback and boot, at every call of a program that
# changes something. Whoever comes next brings it to an end, and the kernel has either what was confirmed before or what
# was confirmed now, whole. HOST_KILLS=all takes every point, before and after the call; else some of them.
set -u
. "$TOP/tests/live/lib/host.sh"
every=${HOST_KILLS:-some}

# Programs that count their calls, and kill the script at the one that $home/at names.
mkdir "$home/deadly"
for program in mv rm ln sync ipset iptables-restore ip6tables-restore mkdir setsid; do
	after=after
	[ $program != setsid ] || after=never # what it starts stays
	cat >"$home/deadly/$program" <<-END
		#!/bin/sh
		read -r number <$home/number
		read -r at <$home/at
		number=\$((number + 1))
		echo \$number >$home/number
		[ \$number != "\$at" ] || {
			read -r when <$home/when
			read -r main <$home/main
			[ "\$when" = $after ] && $(command -v $program) "\$@"
			kill -9 "\$main"
			exit 9
		}
		exec $(command -v $program) "\$@"
	END
	chmod 755 "$home/deadly/$program"
done
# killed AT WHEN WORD…: true if it was killed there; false if it came to its end before. $got is its exit code.
killed() {
	echo "$1" >"$home/at"
	echo "$2" >"$home/when"
	echo 0 >"$home/number"
	shift 2
	# shellcheck disable=SC2086
	PATH=$home/deadly:$PATH HOME_MAIN=$home/main sh -c 'echo $$ >"$HOME_MAIN"; exec "$@"' sh $HOST_SH "$script" "$@" \
		>"$home/out" 2>"$home/err" <"${input:-/dev/null}"
	got=$?
	while ! flock -n "$FLEETWALL_HOST_STATE/lock" true; do sleep 0.01; done # children that it left
	[ $got -eq 137 ]
}
positions_are() { # WHAT FOLDER: the kernel and the disk have this one
	kernel >"$home/after"
	same "$1: the kernel" "$2.kernel" "$home/after"
	holds "$1: the disk" cmp -s "$2/rules.v4" "$FLEETWALL_HOST_STATE/boot/rules.v4"
}
# points STRIDE COMMAND: the command with each AT and WHEN until it says no
points() {
	stride=$1
	[ "$every" = some ] || stride=1
	for when in before after; do
		[ "$every$when" != someafter ] || continue
		at=1
		while "$2"; do
			at=$((at + stride))
			kills=$((kills + 1))
		done
	done
}
kills=0

applying() {
	bundle "$home/b" "$home/a"
	input=$home/bundle
	killed $at $when apply "$sha" '10.0.0.250 40000 10.0.0.9 22' || {
		[ $got -eq 0 ] || fault "apply ended by itself at $at $when, with $got"
		run 0 rollback "$token"
		return 1
	}
	input=
	if [ -e "$FLEETWALL_HOST_STATE/pending" ] && [ $((at % 2)) = 0 ]; then
		run 0 rollback
	elif [ $((at % 3)) = 0 ]; then
		bundle "$home/b" "$home/a"
		apply 0
		kernel >"$home/after"
		same "applied over what was killed" "$home/b.kernel" "$home/after"
		run 0 rollback
	else
		[ ! -e "$FLEETWALL_HOST_STATE/pending" ] || run 0 rollback "$token"
	fi
	positions_are "apply killed $when call $at" "$home/a"
}
confirming() {
	bundle "$home/b" "$home/a"
	apply 0
	if killed $at $when confirm "$token"; then
		again=0
	else
		again=1
	fi
	if [ $((at % 2)) = 0 ]; then
		empty_and_boot # what boot finds: the one or the other, whole
		if cmp -s "$home/b/rules.v4" "$FLEETWALL_HOST_STATE/boot/rules.v4"; then
			positions_are "confirm killed $when call $at, booted" "$home/b"
		else
			positions_are "confirm killed $when call $at, booted" "$home/a"
			bundle "$home/b" "$home/a"
			apply 0
		fi
	fi
	run 0 confirm "$token"
	positions_are "confirm killed $when call $at" "$home/b"
	holds 'nothing waits' [ ! -e "$FLEETWALL_HOST_STATE/pending" ]
	run 0 rollback
	positions_are 'back' "$home/a"
	return $again
}
undoing() {
	bundle "$home/b" "$home/a"
	apply 0
	killed $at $when rollback "$token"
	again=$?
	case $((at % 3)) in
	0) # either it was killed before it had won, and this wins, or this is too late
		$HOST_SH "$script" confirm "$token" >"$home/out" 2>"$home/err" </dev/null
		case $? in
		0) run 0 rollback ;;
		7) good ;;
		*) fault "confirm while rollback killed $when call $at" ;;
		esac
		;;
	1) [ ! -e "$FLEETWALL_HOST_STATE/pending" ] || run 0 rollback ;;
	*) empty_and_boot ;;
	esac
	[ ! -e "$FLEETWALL_HOST_STATE/pending" ] || run 0 rollback
	positions_are "rollback killed $when call $at" "$home/a"
	return $again
}
booting() {
	empty
	killed $at $when boot
	again=$?
	run 0 boot
	positions_are "boot killed $when call $at" "$home/a"
	return $again
}
empty() {
	for program in iptables ip6tables; do
		printf '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n' | "$program-restore"
	done
	ipset destroy
}
empty_and_boot() {
	empty
	run 0 boot
}

# round FROM TO
round() {
	position "$1" "$home/a" 3306 10.1.0.1 10.1.0.2
	position "$2" "$home/b" 3307 10.1.0.1 10.1.0.3
	echo other-bd806c97f0e1.v4 >>"$home/b/sets.list" # a set that is new
	set_file other-bd806c97f0e1.v4 10.2.0.0/16 >"$home/b/other-bd806c97f0e1.v4"
	settled "$home/b"
	kernel >"$home/b.kernel"
	settled "$home/a" '' flags=adopt
	kernel >"$home/a.kernel"
	rm "$FLEETWALL_HOST_STATE/before" # so that a rollback never goes further than what waits
	points 1 applying
	points 2 confirming
	points 2 undoing
	points 2 booting
}
round exclusive exclusive
[ "$every" = some ] || {
	round coexist exclusive
	round exclusive monitor
	HOST_SH='busybox sh'
	round coexist coexist
}
holds "it was killed $kills times" [ $kills -gt 20 ]
echo "killed $kills times"
finish
