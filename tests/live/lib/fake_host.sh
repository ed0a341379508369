#!/bin/sh
# Plays ssh and fleetwall-host for one machine of a test: fake_host.sh FOLDER NAME LINE. What it has is in FOLDER/NAME; files there
# make it fail: unreachable, lock, deaf, mute (so often each), key, refuse, forgot, silent, hang. `calls` says what was asked of it; `read` is
# what it answers to that.
set -u
D=$1/$2
line=$3
[ -d "$D" ] || mkdir -p "$D"
exec 9>>"$D/mutex"

case $line in
*"' bootstrap "*) words="apply ${line##*"' bootstrap "}" brings_script=yes ;;
*) words=${line##*/fleetwall-host } brings_script='' ;;
esac
# shellcheck disable=SC2086 # a list of words
set -- $words
word=$1 second=${2-}
echo "$word" >>"$D/calls"

# A test calls this hundreds of times, so it does by itself what the shell can.
# first FILE: its first line into $first; nothing if it is not there
first() {
	first=
	[ ! -e "$D/$1" ] || read -r first <"$D/$1" || :
}
# once FAULT: true as often as its file says
once() {
	first "$1"
	left=${first:-0}
	[ "$left" -gt 0 ] || return 1
	echo $((left - 1)) >"$D/$1"
}
gone() {
	echo "ssh: connect to host $D port 22: Connection refused" >&2
	exit 255
}
fail() {
	echo "error $2: $3"
	exit "$1"
}
# What was sent, its header, and the fields of that which we know.
receive() {
	cat >"$D/sent"
	last=$(awk -v header="$D/header" '
		/^fleetwall-bundle 1$/ { within = 1 }
		within { print >header }
		/^$/ { within = 0 }
		END { print }' "$D/sent")
	[ "$last" = end ] || fail 2 bundle 'it is not complete'
	fence='' confirmed='' position='' token='' generation='' deadline='' flags=''
	while read -r key _value; do
		case $key in
		fence | confirmed | position | token | generation | deadline | flags) eval "$key=\$_value" ;;
		esac
	done <"$D/header"
}
back() { # what was not confirmed in time
	[ -e "$D/pending" ] || return 0
	first pending.until
	[ "$first" -gt "$(date +%s)" ] || rm -f "$D/pending"
}

flock 9
[ ! -e "$D/key" ] || { echo 'Host key verification failed.' >&2 && exit 255; }
! once unreachable || gone
[ ! -e "$D/hang" ] || { echo $$ >"$D/pid" && exec sleep 60 9>&-; }
back
case $word in
apply)
	[ -n "$brings_script" ] || [ -e "$D/script" ] || exit 127
	receive
	! once lock || fail 5 lock 'the lock is held'
	[ ! -e "$D/refuse" ] || fail 4 identity 'this is another machine'
	first fence
	[ "$fence" -ge "${first:-0}" ] || fail 4 fence 'somebody else has taken over'
	first confirmed
	[ "$confirmed" = - ] || [ "$confirmed" = "$first" ] || fail 8 base 'that was not confirmed'
	case $flags in
	*whole*) ;;
	*) [ ! -e "$D/forgot" ] || fail 8 base 'the set is another one' ;;
	esac
	echo "$fence" >"$D/fence"
	echo "$second" >"$D/script"
	echo "machine-id 00ff${D##*/}"
	echo "script $second"
	if [ "$position" = "$first" ]; then
		echo "already $position $generation"
		exit 0
	fi
	echo 'sessions 3'
	echo 'warning this machine is not real'
	echo "$token" >"$D/pending"
	echo "$position" >"$D/pending.position"
	echo "$generation" >"$D/pending.generation"
	echo $(($(date +%s) + deadline)) >"$D/pending.until"
	echo "applied $position $generation" >>"$D/log"
	echo "applied $position $generation"
	;;
confirm)
	! once deaf || gone
	[ ! -e "$D/silent" ] || gone
	first pending
	if [ "$second" = "$first" ]; then
		mv "$D/pending.position" "$D/confirmed"
		mv "$D/pending" "$D/token"
		first fence
		fence=$first
		first confirmed
		echo "confirmed $first $fence" >>"$D/log"
	else
		first token
		[ "$second" = "$first" ] || fail 7 late 'it went back'
	fi
	! once mute || gone
	first confirmed
	confirmed=$first
	first pending.generation
	echo "confirmed $confirmed $first"
	;;
rollback)
	first pending
	[ "$second" = "$first" ] || fail 7 late 'nothing waits'
	rm "$D/pending"
	echo 'undone -'
	;;
status)
	first confirmed
	echo "position ${first:--}"
	;;
read)
	cat "$D/read" 2>/dev/null || fail 2 usage 'what is read?'
	! grep -q '^error' "$D/read" || exit 4
	;;
probe) if [ -e "$D/reaches" ]; then echo open; else echo closed && exit 1; fi ;;
*) fail 2 usage "what is $word?" ;;
esac
