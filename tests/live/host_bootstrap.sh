#!/bin/sh
# A machine without fleetwall-host, or with another version of it: the constant text brings the script and goes on, whatever
# login shell runs it, from standard input or a file. A damaged script replaces nothing. Sessions that --cut ends, and
# probes, on real connections.
set -u
. "$TOP/tests/live/lib/host.sh"
bootstrap=$(sed '/^#/d' "$TOP/push/bootstrap.sh") # as it is sent
holds 'no single quotes, and nothing that csh expands' [ "$(echo "$bootstrap" | grep -c "['!]")" = 0 ]
position exclusive "$home/a" 3306 10.1.0.1 10.1.0.2
position exclusive "$home/b" 3307 10.1.0.1 10.1.0.3
with_script() { # the bundle begins with it
	{ echo "script $(wc -l <"$script")" && cat "$script" "$home/bundle"; } >"$home/long"
}
flags=flags=
for shell in bash dash 'busybox sh'; do
	FLEETWALL_HOST_STATE=$home/state-${shell%% *}
	bundle "$home/a" '' "$flags"
	with_script
	# As sshd does it: the login shell gets one argument, the line.
	SSH_CONNECTION='10.0.0.250 40000 10.0.0.9 22' $shell -c "exec sh -c '$bootstrap' bootstrap $sha \"\$SSH_CONNECTION\"" \
		<"$home/long" >"$home/out" 2>"$home/err"
	holds "$shell: applied" [ $? = 0 ]
	flags=flags=adopt
	same "$shell: the script" "$script" "$FLEETWALL_HOST_STATE/fleetwall-host"
	$shell "$FLEETWALL_HOST_STATE/fleetwall-host" confirm "$token" >"$home/out" 2>"$home/err"
	says "confirmed $(digest_of "$home/a") $generation"
	holds 'nothing is left' [ -z "$(find "$FLEETWALL_HOST_STATE" -name 'in.*' -o -name 'work.*')" ]
done
run 0 status
says 'live yes'

# From a file, as after scp, where a call was killed before; with the script, and without.
bundle "$home/b" "$home/a"
with_script
touch "$FLEETWALL_HOST_STATE/in.99999999" "$FLEETWALL_HOST_STATE/in.script.99999999"
mv "$home/long" "$home/.fleetwall-bundle-$token"
sh -c "$bootstrap" bootstrap "$sha" - "$home/.fleetwall-bundle-$token" >"$home/out" 2>"$home/err"
says "applied $(digest_of "$home/b") $generation"
holds 'the file is gone' [ ! -e "$home/.fleetwall-bundle-$token" ]
holds 'nothing is left' [ -z "$(find "$FLEETWALL_HOST_STATE" -name 'in.*')" ]
run 0 rollback "$token"
# In the folder of the login: with what a copy that was killed had left there.
cd "$home" || exit
touch .fleetwall-bundle-00ff
highest=$fence
bundle "$home/b" "$home/a" fence=0
fence=$highest
mv bundle ".fleetwall-bundle-$token"
run 4 apply "$sha" - ".fleetwall-bundle-$token"
holds 'a pusher that was taken over takes nothing away' [ -e .fleetwall-bundle-00ff ]
bundle "$home/b" "$home/a"
mv bundle ".fleetwall-bundle-$token"
run 0 apply "$sha" - ".fleetwall-bundle-$token"
holds 'the files are gone' [ -z "$(find "$home" -name '.fleetwall-bundle-*')" ]
run 0 rollback "$token"
cd / || exit

# Damaged on its way.
bundle "$home/b" "$home/a"
with_script
for cut in 5 100 20000 30000; do
	head -c $cut "$home/long" | sh -c "$bootstrap" bootstrap "$sha" - >"$home/out" 2>"$home/err"
	holds "cut at $cut" [ $? = 2 ]
	same 'the script stays' "$script" "$FLEETWALL_HOST_STATE/fleetwall-host"
done
sed 's/fail 4/fail 0/' "$home/long" | sh -c "$bootstrap" bootstrap "$sha" - >"$home/out" 2>"$home/err"
says 'error bundle:'
same 'the script stays' "$script" "$FLEETWALL_HOST_STATE/fleetwall-host"
holds 'nothing is left' [ -z "$(find "$FLEETWALL_HOST_STATE" -name 'in.*')" ]

# Sessions: a peer whose address the next ruleset does not name any more.
neighbour 10.1.0.1 10.1.0.2 10.1.0.4
listen 3306 cat
talk() { # NAME ADDRESS: an open session that says what it hears
	mkfifo "$home/$1"
	nsenter -n -t $peer bash -c '
		exec 3<"$1" 4<>/dev/tcp/10.1.0.9/3306
		(cat <&4 >"$1.heard") &
		cat <&3 >&4' talk "$home/$1" >/dev/null 2>&1 &
	eval "exec $3>$home/$1"
}
hears() { # NAME TEXT [TENTHS]: waits so long for it
	for _ in $(seq "${3:-100}"); do
		grep -qs "$2" "$home/$1.heard" && return
		sleep 0.1
	done
	return 1
}
talk one 10.1.0.1 5
echo first >&5
holds 'a session' hears one first
position exclusive "$home/c" 3306 10.1.0.2 10.1.0.77
bundle "$home/c" "$home/a"
apply 0
run 0 confirm "$token"
echo second >&5
holds 'it goes on' hears one second
run 0 rollback
echo third >&5
holds 'still' hears one third
bundle "$home/c" "$home/a" flags=cut
apply 0
run 0 confirm "$token"
echo fourth >&5
holds 'it was cut' [ "$(hears one fourth 10; echo $?)" = 1 ]
holds 'and nothing is held any more' [ "$(iptables-save | grep -c 'fleetwall cut')" = 0 ]
run 0 status
says 'live yes'
run 0 rollback
talk two 10.1.0.1 6
echo fifth >&6
holds 'a session' hears two fifth
run 0 rollback # to what was confirmed with --cut: that was then
echo sixth >&6
holds 'a rollback ends none' hears two sixth

run 1 probe 10.1.0.9 3399 1
run 0 probe 127.0.0.1 3306 1
kill $listener $peer
finish
