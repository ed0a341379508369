#!/bin/sh
# who-can and explain from the outside: exit codes, rows, JSON, faults; and what both answer from the part of the inventory that they load
# is what they answer from all of it, as --at loads it. WHO_CAN_ALL=1 asks each question of each machine.
set -u
. tests/live/lib/command.sh

# Every second question; as those about a machine are odd in number, of the next machine the others.
turn=0
skipped() {
	turn=$((turn + 1))
	[ -z "${WHO_CAN_ALL-}" ] && [ $((turn % 2)) -eq 0 ]
}
# sample ARGUMENT…; same ARGUMENT…: now and as of now.
sample() { skipped || same "$@"; }
same() {
	"$FLEETWALL" --json "$@" > "$home/part" 2>&1
	part=$?
	"$FLEETWALL" --json "$@" --at "$now" > "$home/whole" 2>&1
	whole=$?
	if [ "$part" -eq "$whole" ] && cmp -s "$home/part" "$home/whole"; then
		passed=$((passed + 1))
	else
		cp "$home/part" "$home/out"
		cp "$home/whole" "$home/err"
		fault "fleetwall $*: the part says $part, the whole $whole"
	fi
}

run 0 init
sed 's/2026-01-01T00:00:0/2037-01-01T00:00:0/' tests/unit/analysis/explain.conf > "$home/fleet.conf"
run 0 import "$home/fleet.conf"
sleep 1
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

run 0 who-can web1 5016/tcp
says 'role:client'
says '10.1.0.1, 198.51.100.1'
run 0 who-can WEB1 443/tcp
says 'anyone'
run 0 who-can web1 22/tcp
says 'management'
run 1 who-can web1 5009/tcp
says 'nobody'
run 1 who-can web1 5001/tcp
run 0 who-can web1 5001/tcp on eth0
run 0 who-can web1 icmp
run 0 who-can watched 25/tcp
says 'watched only'
run 0 who-can sleeper 25/tcp
says 'disabled'
run 0 who-can foreign 25/tcp
says 'unmanaged'
run 0 --json who-can web1 5005/tcp
says '"command": "who-can"'
says '"role:client/private"'
run 2 who-can wep1 22/tcp
complains 'did you mean web1?'
run 2 who-can web1 tcp
run 2 who-can web1 22/tpc
run 2 who-can web1
run 2 who-can 'a,b' 22/tcp

for machine in web1 web2 strict1 tight1 sleeper watched shared bare; do
	for what in 22/tcp 443/tcp 5005/tcp 5007/tcp 5016/tcp icmp; do
		sample who-can "$machine" "$what"
	done
	sample explain 10.1.0.1 "$machine" 5005/tcp
	sample explain 198.51.100.1 "$machine" 5004/tcp
	sample explain client1 "$machine" 5016/tcp
	sample explain "$machine" web1 443/tcp
	sample explain "$machine" web2 5002/tcp on wg0
	sample explain "$machine" 203.0.113.5 53/udp
	sample explain "$machine" 2001:db8::1 icmp
done

# From what generate keeps, and from that and what changed since.
each_again() {
	for machine in web1 web2 tight1 sleeper watched shared; do
		for what in 22/tcp 443/tcp 5005/tcp 5016/tcp; do
			sample who-can "$machine" "$what"
		done
		sample explain 203.0.113.77 "$machine" 5020/tcp
	done
	sample explain 10.1.0.1 web1 5005/tcp
	sample explain 10.1.0.77 web1 5005/tcp
	sample explain client1 web1 5016/tcp
	sample explain tight1 web2 5002/tcp on wg0
	sample explain tight1 2001:db8::1 icmp
}
run 0 role set web --owner webmasters
run 0 rule add web 'allow 5020/tcp from 203.0.113.77' --ticket OPS-1 --owner ann
noted=$(cat "$home/out")
sleep 1
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
printf 'output = "%s/kept";\n' "$home" >> "$FLEETWALL_CONFIG"
run 0 generate
each_again
run 2 who-can wep1 22/tcp
complains 'did you mean web1?'
run 1 explain client1 web1 5005/tcp
says 'it passes between 1 of 2 pairs of their addresses: 10.1.0.1 -> 10.0.0.1'
run 2 explain wep1 web2 22/tcp
complains 'did you mean web1?'
run 0 explain 203.0.113.77 web1 5020/tcp
says 'ticket OPS-1  owner ann'
run 0 explain 203.0.113.77 web1 80/tcp
says 'owner webmasters'
run 0 machine disable client1
run 0 network add late 10.77.0.0/16
run 0 machine add late1 --address 10.1.0.77 --role client
run 0 rule add web 'deny 5016/tcp from 10.1.0.0/29'
run 0 rule add web 'allow 5005/tcp from network:late, self'
run 0 rule set "$noted" --ticket OPS-2
sleep 1
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
each_again
run 0 explain 203.0.113.77 web1 5020/tcp
says 'ticket OPS-2  owner ann'

# A row with a name shows its first prefixes; programs get all of them.
run 0 network add thirty $(seq -f '172.16.%g.0/24' 2 2 60)
run 0 rule add web 'allow 5030/tcp from network:thirty'
if command -v script > /dev/null; then
	script -qec "stty cols 200; '$FLEETWALL' who-can web1 5030/tcp" /dev/null > "$home/out" < /dev/null
	says '172.16.12.0/24 and 24 more'
fi
run 0 --json who-can web1 5030/tcp
json '[.items[] | select(.source == "network:thirty") | .prefixes | length] == [30]'

# What is kept is damaged: then it is not there.
printf 'damage' | dd of="$home/kept/cache/model" bs=1 seek=2000 conv=notrunc 2> "$home/err" || fault 'the model can not be damaged'
same who-can web1 5005/tcp
same explain 203.0.113.77 web1 5020/tcp
same explain 203.0.113.77 tight1 5020/tcp
finish
