#!/bin/sh
# The lab itself: five real machines come up, are reached by ssh with checked host keys over both families, have tables, disks and
# identities of their own, can be hurt in the ways that the tests of pushing need, and go away without a trace. long: it waits.
set -u
. tests/lab/lab.sh
reason=$(lab_missing)
if [ -n "$reason" ]; then
	echo "$reason"
	exit 77
fi
LAB=$(mktemp -d "${FLEETWALL_MADE:-/tmp/fleetwall}-lab.XXXXXX") || exit 3
said=$(mktemp) || exit 3
trap 'lab_down; rm -rf "$LAB" "$said"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

# holds WHAT COMMAND…: it succeeds. fails WHAT COMMAND…: it does not.
holds() {
	what=$1
	shift
	if "$@" > "$said" 2>&1; then passed=$((passed + 1)); else fault "does not hold: $what"; fi
}
fails() {
	what=$1
	shift
	if "$@" > "$said" 2>&1; then fault "holds: $what"; else passed=$((passed + 1)); fi
}
fault() {
	failed=$((failed + 1))
	echo "FAULT: $1"
	sed 's/^/    /' "$said"
}
# is WHAT WANTED COMMAND…: that is what it prints
is() {
	what=$1 wanted=$2
	shift 2
	"$@" > "$said" 2>&1
	if [ "$(cat "$said")" = "$wanted" ]; then passed=$((passed + 1)); else fault "$what: not $wanted"; fi
}

ip -o link > "$said" && links=$(cut -d : -f 2 "$said")
mounts=$(wc -l < /proc/mounts)
lab_up m1 m2 m3 m4 outsider=198.51.100.9,2001:db8:9::9 || exit 1
# --- a second one does not end the first ---
LAB=$LAB tests/lab/lab up > "$said" 2>&1
is 'a second lab' 2 echo $?
holds 'it is still there' lab_pid m1
LAB=$LAB tests/lab/lab try nobody 10.77.0.2 22 > "$said" 2>&1
is 'no such machine' 2 echo $?
processes=$(for name in m1 m2 m3 m4 outsider pusher; do lab_pid "$name"; done)

# --- who they are ---
for name in m1 m2 m3 m4 outsider; do
	is "ssh to $name" "$name" lab_ssh "$name" hostname
done
is 'over IPv6' m2 lab_ssh -o "HostName=$(cat "$LAB/m2/six")" m2 hostname
fails 'another host key passes' lab_ssh -o HostKeyAlias=m1 m2 true
is 'an outsider comes from outside' 198.51.100.9 lab_in outsider sh -c "ip -o -4 address show eth0 | sed 's/.*inet \\([^/]*\\).*/\\1/'"
holds 'five identities' test "$(for n in m1 m2 m3 m4 outsider; do lab_in $n cat /etc/machine-id; done | sort -u | wc -l)" -eq 5
is 'it sees its own processes only' 1 lab_in m1 sh -c 'pgrep -cx sshd'

# --- what is theirs alone ---
holds 'a rule' lab_ssh m1 'iptables -A INPUT -p tcp --dport 8022 -j DROP && ipset create fw4-x hash:net'
holds 'it is there' lab_ssh m1 'iptables -C INPUT -p tcp --dport 8022 -j DROP && ipset list -n fw4-x'
fails 'it is elsewhere' lab_ssh m2 'iptables -C INPUT -p tcp --dport 8022 -j DROP'
fails 'the set is elsewhere' lab_ssh m2 'ipset list -n fw4-x'
fails 'it is here' iptables -C INPUT -p tcp --dport 8022 -j DROP
holds 'files' lab_ssh m1 'mkdir -p /etc/fleetwall-host /var/lib/fleetwall-host && echo m1 > /etc/fleetwall-host/name'
fails 'files elsewhere' lab_ssh m2 'test -e /etc/fleetwall-host || test -e /var/lib/fleetwall-host'
fails 'files here' test -e /etc/fleetwall-host/name
holds 'the other backend' lab_legacy m4
is 'the other backend is at work' '(legacy)' lab_in m4 sh -c "iptables -V | sed 's/.* //'"

# --- packets ---
holds 'machine to machine' lab_tcp m1 "$(cat "$LAB/m2/four")" 22
holds 'over IPv6' lab_tcp outsider "$(cat "$LAB/m2/six")" 22
lab_listen m2 3306
holds 'a port of its own' lab_tcp m1 "$(cat "$LAB/m2/four")" 3306
holds 'over IPv6, too' lab_tcp m1 "$(cat "$LAB/m2/six")" 3306
lab_in m2 iptables -A INPUT -s 198.51.100.0/24 -j DROP
fails 'what is dropped passes' lab_tcp outsider "$(cat "$LAB/m2/four")" 22
holds 'the rest still passes' lab_tcp m1 "$(cat "$LAB/m2/four")" 22

# --- faults ---
lab_cut m3
fails 'a cut cable' lab_tcp pusher "$(cat "$LAB/m3/four")" 22
lab_join m3
holds 'the cable is back' lab_ssh m3 true
lab_slow m3 64kbit
began=$(date +%s%N)
lab_ssh m3 true
holds 'a slow network' test $(($(date +%s%N) - began)) -ge 250000000
lab_slow m3
lab_lose m3 100
fails 'a network that loses all' lab_tcp pusher "$(cat "$LAB/m3/four")" 22
lab_lose m3 10
holds 'one that loses some' lab_ssh m3 true
lab_lose m3
lab_sshd m3 freeze
fails 'a frozen sshd' lab_pusher timeout 2 ssh -F "$LAB/ssh_config" m3 true
holds 'though it takes connections' lab_tcp pusher "$(cat "$LAB/m3/four")" 22
lab_sshd m3 thaw
lab_sshd m3 kill
fails 'a dead sshd' lab_ssh m3 true
lab_sshd m3 start
lab_fill m3
fails 'a full disk' lab_in m3 sh -c 'head -c 8192 /dev/zero > /etc/fleetwall-test'
lab_empty m3
holds 'room again' lab_in m3 sh -c 'head -c 8192 /dev/zero > /etc/fleetwall-test'
holds 'sshd is back' lab_ssh m3 true
lab_in m3 setsid sh -c 'sleep 4711 &'
holds 'a process by its words' lab_kill m3 'sleep 4711'
turns=0
while lab_in m3 pgrep -f 'sleep 4711' > /dev/null && [ "$turns" -lt 100 ]; do
	turns=$((turns + 1))
	sleep 0.05
done
fails 'it is gone' lab_kill m3 'sleep 4711'
lab_hide m3 iptables-restore
fails 'a program that is not there' lab_in m3 iptables-restore --version
lab_new_key m4
sleep 0.3
fails 'a changed key' lab_ssh m4 true

# --- and nothing is left ---
lab_off m4
fails 'its power is off' lab_tcp pusher "$(cat "$LAB/m4/four")" 22
lab_down
for pid in $processes; do
	fails 'a process is left' kill -0 "$pid"
done
holds 'the folder is gone' test ! -e "$LAB"
is 'the links of this machine' "$links" sh -c 'ip -o link | cut -d : -f 2'
is 'the mounts of this machine' "$mounts" sh -c 'wc -l < /proc/mounts'

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
