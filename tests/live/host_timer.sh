#!/bin/sh
# What was not confirmed goes back by itself: the timer outlives the shell that started it, with all its descriptors, waits for
# locks, and tries until it is done; too late is too late. With a stand-in where systemd would be. On a full disk nothing is
# touched, or everything is undone; where another program holds the lock of xtables, too.
set -u
. "$TOP/tests/live/lib/host.sh"

wait_for() { # SECONDS COMMAND…
	deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $deadline ] || return 1
		sleep 0.1
	done
}
nothing_waits() { [ ! -e "$FLEETWALL_HOST_STATE/pending" ]; }
position exclusive "$home/a" 3306 10.1.0.1 10.1.0.2
position exclusive "$home/b" 3307 10.1.0.1 10.1.0.3
settled "$home/a"
kernel >"$home/a.kernel"
is_a() {
	kernel >"$home/after"
	same "$1: not as it was confirmed" "$home/a.kernel" "$home/after"
}

# The shell and all that it started are ended, as a lost connection may do. Its standard output is a pipe: nobody holds it open.
bundle "$home/b" "$home/a" deadline=2
setsid sh -c "dash $script apply $sha '10.0.0.250 1 10.0.0.9 22' <$home/bundle; kill -9 0" | cat >"$home/out" 2>&1
says "applied $(digest_of "$home/b")"
kernel >"$home/after"
holds 'it is another one for now' [ "$(cmp -s "$home/a.kernel" "$home/after"; echo $?)" = 1 ]
holds 'it goes back' wait_for 8 nothing_waits
is_a 'lost'
run 7 confirm "$token"
says 'error late:'
holds 'no timer is left' [ "$(pgrep -f "timer $token" | wc -l)" = 0 ]

# An old one does not harm a new one.
bundle "$home/b" "$home/a" deadline=2
apply 0
old=$token
bundle "$home/b" "$home/a"
apply 0
run 7 rollback "$old"
run 0 rollback --timer "$old"
holds 'it waits' [ "$(cat "$FLEETWALL_HOST_STATE/pending/token")" = "$token" ]
run 0 rollback "$token"
is_a 'superseded'

# Another call has the lock when its time is over.
bundle "$home/b" "$home/a" deadline=1
apply 0
flock "$FLEETWALL_HOST_STATE/lock" sleep 3 &
sleep 1.5
holds 'it waits for the lock' [ -e "$FLEETWALL_HOST_STATE/pending" ]
holds 'it goes back then' wait_for 8 nothing_waits
is_a 'locked'
wait

# Undoing fails the first time: it is tried again.
mkdir "$home/broken"
cat >"$home/broken/iptables-restore" <<-END
	#!/bin/sh
	[ -e $home/works ] || exit 1
	exec $(command -v iptables-restore) "\$@"
END
chmod 755 "$home/broken/iptables-restore"
whole_path=$PATH
bundle "$home/b" "$home/a" deadline=1
touch "$home/works"
PATH=$home/broken:$whole_path
apply 0
rm "$home/works"
sleep 2
run 6 rollback
run 6 confirm "$token" # what is being undone can't be confirmed any more
touch "$home/works"
PATH=$whole_path
holds 'it is undone at last' wait_for 10 nothing_waits
is_a 'tried again'

# A failure in the middle.
bundle "$home/b" "$home/a"
cat >"$home/broken/iptables-restore" <<-END
	#!/bin/sh
	[ "\$(readlink /proc/self/ns/net)" != $(readlink /proc/self/ns/net) ] || case "\$*" in *-c*) ;; *) exit 1 ;; esac
	exec $(command -v iptables-restore) "\$@"
END
PATH=$home/broken:$whole_path apply 5
says 'everything was undone'
is_a 'failed'

# systemd's part, played by two scripts.
mkdir -p "$home/systemd" "$home/run"
cat >"$home/systemd/systemd-run" <<-END
	#!/bin/sh
	echo "\$@" >>$home/systemd/calls
	for word; do case \$word in --on-active=*) after=\${word#*=} ;; --setenv=*) export "\${word#*=}" ;; esac; done
	while case \$1 in -*) ;; *) false ;; esac; do shift; done
	(sleep "\$after"; while [ ! -e $home/systemd/stopped ]; do "\$@"; sleep 0.3; done) </dev/null >/dev/null 2>&1 &
END
cat >"$home/systemd/systemctl" <<-END
	#!/bin/sh
	echo "\$@" >>$home/systemd/calls
	case \$1 in stop) touch $home/systemd/stopped ;; esac
END
chmod 755 "$home/systemd/systemd-run" "$home/systemd/systemctl"
mount -t tmpfs none /run && mkdir -p /run/systemd/system
[ -d /etc/systemd/system ] || mkdir -p /etc/systemd/system
PATH=$home/systemd:$whole_path
bundle "$home/b" "$home/a" deadline=1
apply 0
holds 'it goes back' wait_for 8 nothing_waits
is_a 'systemd'
holds 'the accuracy' grep -q -- '--on-active=1 .*AccuracySec=1s' "$home/systemd/calls"
holds 'the timer is stopped' grep -q "stop fleetwall-host-$token.timer" "$home/systemd/calls"
rm "$home/systemd/stopped"
run 0 rollback --timer "$token"
holds 'one that was left stops itself' test -e "$home/systemd/stopped"
rm "$home/systemd/stopped"
settled "$home/b" "$home/a"
holds 'the timer is stopped' grep -q "stop fleetwall-host-$token.timer" "$home/systemd/calls"
holds 'the unit is there' grep -qx "ExecStart=/bin/sh $FLEETWALL_HOST_STATE/fleetwall-host boot" /etc/systemd/system/fleetwall-host.service
holds 'the unit is enabled' grep -q 'enable fleetwall-host.service' "$home/systemd/calls"
command -v systemd-analyze >/dev/null && holds 'systemd understands it' systemd-analyze verify --man=no /etc/systemd/system/fleetwall-host.service
umount /run
PATH=$whole_path
settled "$home/a" "$home/b"

# A full disk.
FLEETWALL_HOST_STATE=$home/small
mkdir "$home/small"
mount -t tmpfs -o size=512k,mode=700 none "$home/small"
position exclusive "$home/big" 3308 $(seq -f '10.3.0.%g' 1 250) $(seq -f '10.3.1.%g' 1 250)
generation=$((generation + 10))
settled "$home/a" '' flags=adopt
kernel >"$home/a.kernel"
applied=0 refused=0
for free in 0 8 60 200; do
	dd if=/dev/zero of="$home/small/fill" bs=1k count=512 2>/dev/null
	head -c $((free * 1024)) </dev/zero >"$home/zero"
	size=$(($(wc -c <"$home/small/fill") - free * 1024))
	truncate -s "$size" "$home/small/fill"
	bundle "$home/big" "$home/a"
	input=$home/bundle
	dash "$script" apply "$sha" '10.0.0.250 1 10.0.0.9 22' <"$home/bundle" >"$home/out" 2>"$home/err"
	code=$?
	case $code in
	0)
		applied=$((applied + 1))
		dd if=/dev/zero of="$home/small/fill2" bs=1k count=512 2>/dev/null # and full again
		if [ $free = 200 ]; then
			run 0 confirm "$token"
			holds 'it is the one for boot' cmp -s "$home/big/rules.v4" "$home/small/boot/rules.v4"
			rm -f "$home/small/fill" "$home/small/fill2"
			run 0 rollback
		else
			run 0 rollback "$token"
		fi
		;;
	5)
		refused=$((refused + 1))
		says 'error disk:'
		if grep -qE 'nothing was touched|everything was undone' "$home/out"; then good; else fault 'what became of it?'; fi
		;;
	*) fault "full disk, $free KiB free: exit code $code" ;;
	esac
	is_a "full disk, $free KiB free"
	rm -f "$home/small/fill" "$home/small/fill2"
	holds 'nothing waits' nothing_waits
done
holds "$applied had room, $refused had not" [ $((applied * refused)) -gt 0 ]

# No folder can be made any more: it is undone, or confirmed and loaded at boot, all the same.
no_inodes() { mount -o "remount,nr_inodes=$(stat -f -c '%c %d' "$home/small" | { read -r all free && echo $((all - free)); })" "$home/small"; }
for word in rollback confirm boot; do
	bundle "$home/big" "$home/a"
	apply 0
	no_inodes
	holds 'no room' [ "$(mkdir "$home/small/x" 2>/dev/null; echo $?)" = 1 ]
	case $word in
	rollback) run 0 rollback "$token" ;;
	boot) run 0 boot ;;
	confirm)
		run 0 confirm "$token"
		holds 'it is the one for boot' cmp -s "$home/big/rules.v4" "$home/small/boot/rules.v4"
		mount -o remount,nr_inodes=1000 "$home/small"
		run 0 rollback
		;;
	esac
	is_a "no room, $word"
	mount -o remount,nr_inodes=1000 "$home/small"
done

# The disk can't be written any more: the kernel's rules go back all the same, and once; it can't be confirmed, not even
# when the disk can be written again.
read_only() { mount -o "remount,$1" "$home/small"; }
for word in timer rollback none; do
	bundle "$home/big" "$home/a" deadline=2
	[ $word = timer ] || bundle "$home/big" "$home/a"
	apply 0
	read_only ro
	run 5 confirm "$token"
	says 'error disk:'
	holds 'it waits on' [ -e "$home/small/pending/armed" ]
	case $word in
	timer) holds 'the timer undoes it' wait_for 8 [ -e "/run/fleetwall-host.undone-$token" ] ;;
	rollback) run 0 rollback "$token" ;;
	none) run 0 rollback ;;
	esac
	is_a "read-only, $word"
	iptables -I INPUT -p udp --dport 9 -j ACCEPT # by hand, afterwards: nobody takes it away
	run 0 rollback --timer "$token"
	run 0 rollback "$token"
	holds 'undone once' iptables -D INPUT -p udp --dport 9 -j ACCEPT
	holds 'no timer is left' [ "$(pgrep -f "timer $token" | wc -l)" = 0 ]
	bundle "$home/big" "$home/a" token="$token"
	apply 5
	says 'error disk:'
	run 5 confirm "$token"
	read_only rw
	run 7 confirm "$token"
	says 'error late:'
	holds 'nothing waits' nothing_waits
	holds 'no mark is left' [ ! -e "/run/fleetwall-host.undone-$token" ]
	is_a "writable again, $word"
done
finish
