#!/bin/sh
# The lock of xtables (legacy backend) held by another program: for 5 seconds, and for ever. The first is waited for; with the
# second nothing is changed, and it is said. Both at the same time: this
# script runs itself for the second.
set -u
if [ $# -eq 0 ] && [ "${FLEETWALL_HOST_INSIDE-}" != $$ ]; then
	sh "$0" ever >"${TMPDIR:-/tmp}/fleetwall-host-ever.$$" 2>&1 &
	sh "$0" 5
	code=$?
	wait $! || code=1
	cat "${TMPDIR:-/tmp}/fleetwall-host-ever.$$"
	rm "${TMPDIR:-/tmp}/fleetwall-host-ever.$$"
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
