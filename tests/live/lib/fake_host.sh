#!/bin/sh
# Plays ssh and fleetwall-host for one machine of a test: fake_host.sh FOLDER NAME LINE. What it has is in FOLDER/NAME; files there
# make it fail: unreachable, lock, deaf, mute (so often each), key, refuse, forgot, silent, hang. `calls` says what was asked of it; `read` is
# what it answers to that.
set -u
D=$1/$2
line=$3
mkdir -p "$D"
exec 9>>"$D/mutex"

case $line in
*"' bootstrap "*) words="apply ${line##*"' bootstrap "}" brings_script=yes ;;
*) words=${line##*/fleetwall-host } brings_script='' ;;
esac
# shellcheck disable=SC2086 # a list of words
set -- $words
word=$1 second=${2-}
echo "$word" >>"$D/calls"

# once FAULT: true as often as its file says
once() {
	left=$(cat "$D/$1" 2>/dev/null) || return 1
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
field() { sed -n "s/^$1 //p" "$D/header"; }
back() { # what was not confirmed in time
	[ ! -e "$D/pending" ] || [ "$(cat "$D/pending.until")" -gt "$(date +%s)" ] || rm -f "$D/pending"
}

flock 9
[ ! -e "$D/key" ] || { echo 'Host key verification failed.' >&2 && exit 255; }
! once unreachable || gone
[ ! -e "$D/hang" ] || { echo $$ >"$D/pid" && exec sleep 60 9>&-; }
back
case $word in
apply)
	[ -n "$brings_script" ] || [ -e "$D/script" ] || exit 127
	cat >"$D/sent"
	[ "$(tail -n 1 "$D/sent")" = end ] || fail 2 bundle 'it is not complete'
	sed -n '/^fleetwall-bundle 1$/,/^$/p' "$D/sent" >"$D/header"
	! once lock || fail 5 lock 'the lock is held'
	[ ! -e "$D/refuse" ] || fail 4 identity 'this is another machine'
	[ "$(field fence)" -ge "$(cat "$D/fence" 2>/dev/null || echo 0)" ] || fail 4 fence 'somebody else has taken over'
	if [ "$(field confirmed)" != - ] && [ "$(field confirmed)" != "$(cat "$D/confirmed" 2>/dev/null)" ]; then
		fail 8 base 'that was not confirmed'
	fi
	[ ! -e "$D/forgot" ] || grep -q '^flags.* whole' "$D/header" || fail 8 base 'the set is another one'
	field fence >"$D/fence"
	echo "$second" >"$D/script"
	echo "machine-id 00ff$(basename "$D")"
	echo "script $second"
	if [ "$(field position)" = "$(cat "$D/confirmed" 2>/dev/null)" ]; then
		echo "already $(field position) $(field generation)"
		exit 0
	fi
	echo 'sessions 3'
	echo 'warning this machine is not real'
	field token >"$D/pending"
	field position >"$D/pending.position"
	field generation >"$D/pending.generation"
	echo $(($(date +%s) + $(field deadline))) >"$D/pending.until"
	echo "applied $(field position) $(field generation)" | tee -a "$D/log"
	;;
confirm)
	! once deaf || gone
	[ ! -e "$D/silent" ] || gone
	if [ "$second" = "$(cat "$D/pending" 2>/dev/null)" ]; then
		mv "$D/pending.position" "$D/confirmed"
		mv "$D/pending" "$D/token"
		echo "confirmed $(cat "$D/confirmed") $(cat "$D/fence")" >>"$D/log"
	elif [ "$second" != "$(cat "$D/token" 2>/dev/null)" ]; then
		fail 7 late 'it went back'
	fi
	! once mute || gone
	echo "confirmed $(cat "$D/confirmed") $(cat "$D/pending.generation")"
	;;
rollback)
	[ "$second" = "$(cat "$D/pending" 2>/dev/null)" ] || fail 7 late 'nothing waits'
	rm "$D/pending"
	echo 'undone -'
	;;
status) echo "position $(cat "$D/confirmed" 2>/dev/null || echo -)" ;;
read)
	cat "$D/read" 2>/dev/null || fail 2 usage 'what is read?'
	! grep -q '^error' "$D/read" || exit 4
	;;
probe) if [ -e "$D/reaches" ]; then echo open; else echo closed && exit 1; fi ;;
*) fail 2 usage "what is $word?" ;;
esac
