#!/bin/sh
# watch and nightly from the outside: what is published and when, bursts, lost connections, edges of time, guards, signals, kill -9, what
# systemd is told, memory (long: it waits). The last state of the inventory always comes out, and what is published is always whole.
set -u
. tests/live/lib/command.sh
out=$home/state/out
watcher=0

psql() {
	"$FLEETWALL" sql -- -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# await SECONDS WHAT COMMAND…: the command succeeds within so many seconds.
await() {
	turns=$(($1 * 50)) what=$2
	shift 2
	while [ "$turns" -gt 0 ]; do
		if "$@" > /dev/null 2>&1; then
			passed=$((passed + 1))
			return
		fi
		turns=$((turns - 1))
		sleep 0.02
	done
	cp "$home/watch.out" "$home/out"
	cp "$home/watch.err" "$home/err"
	fault "does not come: $what"
}

start() {
	: > "$home/watch.out"
	"$FLEETWALL" "$@" watch > "$home/watch.out" 2> "$home/watch.err" < /dev/null &
	watcher=$!
	await 10 'the first round' grep -q generation "$home/watch.out"
}

# end SIGNAL CODE: it ends, with this exit code
end() {
	kill "-$1" "$watcher"
	wait "$watcher" 2> /dev/null
	got=$?
	holds "exit code $2 after SIG$1, not $got" [ "$got" -eq "$2" ]
}

has() { grep -q -- "$1" "$out/machines/m1/rules.v4"; }
lacks() { ! has "$1"; }
said() { [ "$(grep -cF -- "$1" "$home/watch.err")" = "$2" ]; }
told() { [ "$(grep -cx "$1" "$home/notified")" = "$2" ]; }
quiet() { grep -q "^generation $(basename "$(readlink "$out/current")") " "$home/watch.out"; }
lines() { grep -c . "$home/watch.out"; }
memory() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$watcher/status"; }

# What `current` names is in the store, byte for byte.
whole() {
	while read -r digest _; do
		folder=$out/store/rulesets/$(printf %.2s "$digest")/$(printf %.32s "$digest")
		[ "$(cd "$folder" && sha256sum rules.v4 rules.v6 sets.list | sha256sum | cut -d ' ' -f 1)" = "$digest" ] || return 1
	done < "$out/current/manifest"
	sed 's|^\(..\)\(.\{30\}\)\([^ ]*\) .*|\1\2\3  \1/\1\2|' "$out/current/sets" > "$home/objects"
	(cd "$out/store/sets" && sha256sum --quiet -c "$home/objects")
}
# The links for people lead there; a run that was killed may have left some behind, which the next one mends.
linked() {
	while read -r digest name; do
		[ "$(basename "$(readlink "$out/machines/$name")")" = "$(printf %.32s "$digest")" ] || return 1
	done < "$out/current/manifest"
	(cd "$out/sets" && sha256sum --quiet -c "$out/current/sets")
}

run 3 watch
complains 'fleetwall init'
holds 'without a database nothing is made' [ ! -e "$home/state" ]
run 0 init
{
	echo 'roles = ( { name = "all"; selector = { }; rules = [ "allow 22/tcp from role:bastion" ]; }, { name = "bastion"; } );'
	echo 'machines = ( { name = "m0"; addresses = [ "10.1.0.1" ]; roles = [ "bastion" ]; }'
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
		echo ", { name = \"m$i\"; addresses = [ \"10.1.1.$i\" ]; }"
	done
	echo ');'
} > "$home/fleet.conf"
run 0 import "$home/fleet.conf"

# --- nightly: says what changed, once ---
run 0 nightly
says 'generation 1 published: 20 machines'
run 0 nightly
empty 'a night in which nothing happened says nothing' "$home/out" "$home/err"
run 0 --json nightly
json '.command == "nightly" and .items[0].state == "unchanged" and .items[0].generation == 1'
run 0 machine set m0 --address 10.1.0.2
run 0 nightly
says 'generation 2 published'
says '~ set bastion-'
silent_on 'machine m'
run 0 rule add all allow 1000/tcp
run 0 nightly
says '~ machine m1'
run 2 nightly now

# --- what is damaged while a run looks does not hide behind its mark: the run makes one because a folder was touched ---
turn=0
while [ "$turn" -lt 4 ]; do
	turn=$((turn + 1))
	mkdir "$out/store/rulesets/zz" && rmdir "$out/store/rulesets/zz"
	damaged=$(readlink -f "$out/machines/m1")/rules.v4
	"$FLEETWALL" generate > "$home/out" 2> "$home/err" &
	run=$!
	while kill -0 $run 2> /dev/null && [ ! -e "$out/store/new/mark" ]; do :; done
	echo '# damage' >> "$damaged"
	wait $run
	run 0 generate
	holds 'what was damaged during a run is whole again' whole
done

# --- a change is published; systemd hears of it ---
"$BUILD/tests/live/notified" "$home/notify" > "$home/notified" 2>&1 &
manager=$!
trap 'kill "$manager" "$watcher" 2> /dev/null; rm -rf "$home"' EXIT
await 5 'the manager listens' [ -S "$home/notify" ]
NOTIFY_SOCKET=$home/notify WATCHDOG_USEC=400000 start
await 5 'ready' grep -qx READY=1 "$home/notified"
run 0 rule add all allow 1001/tcp
await 5 'the change' has 1001
await 5 'its line' grep -q 'generation 4 published: 20 machines' "$home/watch.out"
await 5 'its state' grep -q 'STATUS=generation 4' "$home/notified"
await 5 'it is alive' grep -qx WATCHDOG=1 "$home/notified"
run 3 watch
complains "process $watcher"
holds "nobody else can hold its lock" test "$(stat -c %a "$out/.watch")" = 600
run 3 --json watch
json ".error.kind == \"surroundings\" and (.error.message | contains(\"$watcher\"))"
run 0 generate
says 'unchanged'
holds 'it is ready once' told READY=1 1

# --- many commits, few generations, the last state ---
before=$(lines)
key=$(psql -c "SELECT key FROM fleetwall.rule WHERE text = 'allow 1001/tcp'")
i=2000
while [ $i -lt 2050 ]; do
	i=$((i + 1))
	echo "UPDATE fleetwall.rule SET ports = '{[$i,$i]}' WHERE key = $key;"
done > "$home/burst.sql"
holds 'fifty commits' psql -f "$home/burst.sql"
await 5 'the last of fifty' has 2050
holds "few generations for fifty commits: $(($(lines) - before))" [ $(($(lines) - before)) -le 25 ]

# --- a connection is lost, the database goes ---
psql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'fleetwall'" > /dev/null
run 0 rule add all allow 1002/tcp
await 5 'the change after a lost connection' has 1002
await 5 'it says so' said 'connection to the database was lost' 1
run 0 database stop
run 0 rule add all allow 1003/tcp
await 10 'the change after a restart' has 1003
await 5 'it says so again' said 'connection to the database was lost' 2

# --- a rule ends, and nobody says so ---
sleep_until=$(($(date +%s) + 2))
run 0 rule add all allow 1004/tcp until "$(date -u -d "@$sleep_until" +%FT%TZ)"
await 2 'the rule for two seconds' has 1004
await 5 'its end' lacks 1004
late=$(($(date +%s%N) / 1000000 - sleep_until * 1000))
holds "not too early: $late ms late" [ "$late" -ge 0 ]
holds "not too late: $late ms late" [ "$late" -lt 1000 ]

# --- what a guard refuses waits for the next change; it is said once ---
grep -v '"m1[0-9]\?"' "$home/fleet.conf" > "$home/small.conf"
cp "$out/current/manifest" "$home/manifest"
run 0 import --prune "$home/small.conf"
await 5 'the refusal' said 'machines fell' 1
run 0 machine remove m9
run 0 machine set m0 --label a=c
sleep 0.2
holds 'nothing was published' cmp "$home/manifest" "$out/current/manifest"
holds 'it is said once, whatever the numbers' said 'machines fell' 1
run 0 generate --force
run 0 import "$home/fleet.conf"
await 5 'the machines are back' [ -e "$out/machines/m19" ]
await 5 'the round is over' quiet

# --- the disk ---
mv "$out/store" "$out/away"
: > "$out/store"
run 0 rule add all allow 1005/tcp
await 5 'the trouble' said 'Not a directory' 1
sleep 0.3
holds 'it is said once, too' said 'Not a directory' 1
rm "$out/store"
mv "$out/away" "$out/store"
await 10 'the change after that' has 1005

# --- settings are read again ---
sed -i 's/"192.0.2.10"/"192.0.2.10", "192.0.2.77"/' "$FLEETWALL_CONFIG"
kill -HUP "$watcher"
await 5 'the new setting' has 192.0.2.77
await 5 'ready again' told READY=1 2
holds 'it was reloading' grep -q '^RELOADING=1' "$home/notified"
printf 'sshport = 22;\n' >> "$FLEETWALL_CONFIG"
kill -HUP "$watcher"
await 5 'the wrong setting' said 'did you mean ssh_port' 1
sed -i '/^sshport/d' "$FLEETWALL_CONFIG"
run 0 rule add all allow 1006/tcp
await 5 'it goes on' has 1006

# --- memory, under hundreds of commits ---
stream() {
	i=$1
	while [ "$i" -lt "$2" ]; do
		i=$((i + 1))
		echo "UPDATE fleetwall.address SET address = '10.2.$((i / 250)).$((i % 250))' WHERE machine = 'm0'; SELECT pg_sleep(0.008);"
	done
}
stream 0 60 > "$home/first.sql"
stream 60 420 > "$home/second.sql"
psql -f "$home/first.sql" > /dev/null
small=$(memory)
psql -f "$home/second.sql" > /dev/null
large=$(memory)
# Huge pages come and go whole: one more of them is no growth.
holds "memory does not grow: $small kB, then $large kB" [ "$large" -lt $((small + 2048 + 1536)) ]

# --- what somebody damages between two rounds does not hide behind the second ---
run 0 machine set m0 --address 10.1.0.7
await 5 'a round' grep -q 10.1.0.7 "$out"/sets/bastion-*.v4
await 5 'its end: what is done before it is done during a run' quiet
echo '# damage' >> "$(readlink -f "$out/machines/m2")/rules.v4"
rm "$out/machines/m3"
run 0 machine set m0 --address 10.1.0.8
await 5 'a round after the damage' grep -q 10.1.0.8 "$out"/sets/bastion-*.v4
await 5 'the link is there again' linked
end TERM 0
# Where it had a pause before, it has mended it.
holds 'the damage is told' grep -q -e 'somebody changed what is published: 1 rulesets' -e 'was damaged or gone; it is whole again' "$home/watch.err"
run 0 generate
holds 'the next run mends it' whole
start

# --- ends and begins ---
psql -f "$home/first.sql" > /dev/null 2>&1 &
sleep 0.2
end TERM 0
await 5 'it says that it ends' grep -qx STOPPING=1 "$home/notified"
holds 'what it left is whole' whole
holds 'and linked' linked
wait $!
start --json
psql -f "$home/first.sql" > /dev/null 2>&1 &
commits=$!
for pause in 0.11 0.23 0.05; do
	sleep $pause
	end KILL 137
	holds 'what a killed one left is whole' whole
	start --json
done
wait "$commits"
run 0 rule add all allow 1007/tcp
await 5 'the last state after all' has 1007
run 0 machine set m0 --address 10.1.0.9
await 5 'the last set after all' grep -q 10.1.0.9 "$out"/sets/bastion-*.v4
holds 'all is whole' whole
holds 'all is linked' linked
end INT 0
cp "$home/watch.out" "$home/out"
json '.format == 1 and .command == "watch" and (.state == "published" or .state == "unchanged") and .digest and .machines == 20 and .seconds >= 0'
holds 'an object a line' [ "$(grep -c . "$home/out")" = "$(jq -s length "$home/out")" ]
run 0 generate --full
says 'unchanged'
kill "$manager"

finish
