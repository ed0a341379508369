#!/bin/sh
# The lock of xtables (legacy backend) held by another program: for 5 seconds, and for ever. The first is waited for; with the
# second nothing is changed, and it is said. And our own lock, by a tool that hangs for ever, with flock and without: the
# timer ends it, and undoes; where the tool can't be ended, as in a kernel that hangs, as soon as it can. All at the same
# time: this script runs itself for each. And a load that fails when half of it is done.
set -u
if [ $# -eq 0 ] && [ "${FLEETWALL_HOST_INSIDE-}" != $$ ]; then
	said=${TMPDIR:-/tmp}/fleetwall-host-lock.$$ code=0 pids=''
	for what in half ever hangs hangs-link hangs-frozen; do
		sh "$0" $what >"$said.$what" 2>&1 &
		pids="$pids $!"
	done
	sh "$0" 5 || code=1
	for pid in $pids; do wait "$pid" || code=1; done
	cat "$said".*
	rm "$said".*
	exit $code
fi
. "$TOP/tests/live/lib/host.sh"
mkdir "$home/legacy"
for program in iptables ip6tables; do
	for tool in '' -save -restore; do
		ln -s "$(command -v "$program-legacy$tool")" "$home/legacy/$program$tool"
	done
done
PATH=$home/legacy:$PATH
XTABLES_LOCKFILE=$home/xtables.lock
export XTABLES_LOCKFILE
: >"$XTABLES_LOCKFILE"
position exclusive "$home/a" 3306 10.1.0.1 10.1.0.2
position exclusive "$home/b" 3307 10.1.0.1 10.1.0.3
settled "$home/a"
kernel >"$home/a.kernel"
if [ "$1" = 5 ]; then
	bundle "$home/b" "$home/a"
	flock "$XTABLES_LOCKFILE" sleep 5 &
	sleep 0.2
	apply 0
	says 'applied'
	kernel >"$home/b.kernel"
	holds 'it is another one' [ "$(cmp -s "$home/a.kernel" "$home/b.kernel"; echo $?)" = 1 ]
	run 0 rollback "$token"
	finish
fi

# The rules are loaded, and what stood at their end until the policy is DROP can't be taken away: they are no more as they
# were, and go back.
if [ "$1" = half ]; then
	mkdir "$home/half"
	iptables -P INPUT ACCEPT
	kernel >"$home/a.kernel"
	cat >"$home/half/iptables-restore" <<-END
		#!/bin/sh
		[ "\$(readlink /proc/self/ns/net)" = $(readlink /proc/self/ns/net) ] && [ ! -e $home/failed ] || exec $(command -v iptables-restore) "\$@"
		case " \$* " in *' --noflush -c '*) echo once >$home/failed && exit 1 ;; *) exec $(command -v iptables-restore) "\$@" ;; esac
	END
	chmod 755 "$home/half/iptables-restore"
	PATH=$home/half:$PATH
	bundle "$home/b" "$home/a"
	apply 5
	says 'everything was undone'
	holds 'it failed there' [ -e "$home/failed" ]
	kernel >"$home/after"
	same 'the kernel' "$home/a.kernel" "$home/after"
	finish
fi

# A frozen process does not die, whatever is sent to it: until its shell has been killed, and some seconds more.
frozen_for_a_while() {
	until [ -s "$home/hangs" ]; do sleep 0.1; done
	cat "$home/hangs" >"$freezer/tasks"
	trap 'echo THAWED >"$freezer/freezer.state"' EXIT
	echo FROZEN >"$freezer/freezer.state"
	while [ -d "/proc/$!/fd" ] && [ -n "$(ls "/proc/$!/fd" 2>/dev/null)" ]; do sleep 0.5; done
	sleep 3
	holds 'it is not ended yet' [ -d "/proc/$(cat "$home/hangs")" ]
	holds 'the timer is still at it' pgrep -f "rollback --timer $token"
	kernel >"$home/after"
	holds 'not undone while that may still go on' [ -e "$FLEETWALL_HOST_STATE/pending" ]
	echo THAWED >"$freezer/freezer.state"
	trap - EXIT
	until rmdir "$freezer" 2>/dev/null; do sleep 0.1; done
}
# The first iptables-restore outside the trial hangs, and ignores TERM; its shell waits for it.
case $1 in hangs*)
	mkdir "$home/hanging"
	cat >"$home/hanging/iptables-restore" <<-END
		#!/bin/sh
		[ "\$(readlink /proc/self/ns/net)" != $(readlink /proc/self/ns/net) ] || [ -e $home/hangs ] || {
			trap '' TERM
			echo \$\$ >$home/hangs
			exec sleep 1000
		}
		exec $(command -v iptables-restore) "\$@"
	END
	chmod 755 "$home/hanging/iptables-restore"
	PATH=$home/hanging:$PATH
	freezer=/sys/fs/cgroup/freezer/fleetwall-host-test-${home##*.}
	[ "$1" != hangs-frozen ] || mkdir "$freezer" 2>/dev/null || {
		echo 'no freezer of control groups here: an apply that can not even be killed was not tried'
		finish
	}
	[ "$1" != hangs-link ] || mount -o bind "$home/xtables.lock" "$(command -v flock)" # no program any more
	bundle "$home/b" "$home/a" deadline=2
	$HOST_SH "$script" apply "$sha" '10.0.0.250 1 10.0.0.9 22' <"$home/bundle" >"$home/out.apply" 2>&1 &
	[ "$1" != hangs-frozen ] || frozen_for_a_while
	for second in $(seq 60); do
		[ ! -e "$home/hangs" ] || [ -e "$FLEETWALL_HOST_STATE/pending" ] || break
		sleep 1
	done
	kernel >"$home/after"
	same "undone, in second $second" "$home/a.kernel" "$home/after"
	holds 'nothing waits' [ ! -e "$FLEETWALL_HOST_STATE/pending" ]
	holds 'it did hang, and was ended' [ ! -d "/proc/$(cat "$home/hangs")" ]
	kill -s KILL "$(cat "$home/hangs")" 2>/dev/null # or we should wait for ever
	wait $!
	holds 'so was its shell' [ $? = 137 ]
	settled "$home/b" "$home/a"
	finish
	;;
esac

# From the middle of the apply on: the lock is taken when the sets are done.
mkdir "$home/taking"
printf '#!/bin/sh\ntouch %s\nexec %s "$@"\n' "$home/timed" "$(command -v sync)" >"$home/taking/sync" # the save is on the disk
cat >"$home/taking/ipset" <<-END
	#!/bin/sh
	case "\$*" in
	'-exist restore') [ ! -e $home/timed ] || [ -e $home/taken ] || [ "\$(readlink /proc/self/ns/net)" != $(readlink /proc/self/ns/net) ] || {
		touch $home/taken
		flock $XTABLES_LOCKFILE sleep 60 9>&- </dev/null >/dev/null 2>&1 &
		echo \$! >$home/taker
		while flock -n $XTABLES_LOCKFILE true; do :; done
	} ;;
	esac
	exec $(command -v ipset) "\$@"
END
chmod 755 "$home/taking/ipset" "$home/taking/sync"
position exclusive "$home/c" 3307 10.1.0.1 10.1.0.4
rm "$home/c/$W6" && set_file $W6 fd00::3 >"$home/c/$W6"
bundle "$home/c"
PATH=$home/taking:$PATH apply 5
says 'error lock:'
says 'everything was undone'
kernel >"$home/after"
same 'nothing changed' "$home/a.kernel" "$home/after"
holds 'nothing waits' [ ! -e "$FLEETWALL_HOST_STATE/pending" ]
pkill -P "$(cat "$home/taker")"
finish
