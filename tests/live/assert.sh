#!/bin/sh
# Assertions from the outside: what assert says and its exit codes; that generate, nightly, watch, --dry-run, --only and generation publish
# keep to the setting, refuse with 4, publish nothing, and go on when it holds again; bad and missing files.
set -u
. tests/live/lib/command.sh

# current N: the published generation is N.
current() {
	if [ "$(readlink "$home/state/out/current")" = "generations/$1" ]; then
		passed=$((passed + 1))
	else
		fault "current leads to $(readlink "$home/state/out/current"), not $1"
	fi
}
# wait_for TEXT FILE: at most six seconds.
wait_for() {
	tries=0
	until grep -qF -- "$1" "$2"; do
		tries=$((tries + 1))
		[ "$tries" -lt 120 ] || { fault "watch does not say: $1"; cat "$2"; return; }
		sleep 0.05
	done
	passed=$((passed + 1))
}

run 0 init
cat > "$home/fleet.conf" <<'CONF'
networks = ( { name = "office"; prefixes = [ "203.0.113.0/24" ]; } );
roles = (
  { name = "bastion"; },
  { name = "everyone"; selector = { }; rules = [ "allow 22/tcp from role:bastion" ]; },
  { name = "app"; },
  { name = "void"; },
  { name = "mysql"; egress = "closed"; rules = ( { rule = "allow 3306/tcp from role:app, network:office"; ticket = "OPS-1"; } ); }
);
machines = (
  { name = "bastion1"; addresses = [ "10.0.0.1" ]; roles = [ "bastion" ]; },
  { name = "app1"; addresses = [ "10.0.1.1" ]; roles = [ "app" ]; },
  { name = "db1"; addresses = [ "10.0.2.1" ]; roles = [ "mysql" ]; },
  { name = "db2"; addresses = [ "10.0.2.2" ]; roles = [ "mysql" ]; },
  { name = "db3"; addresses = [ "10.0.2.3" ]; roles = [ "mysql" ]; enforcement = "monitor"; },
  { name = "db4"; addresses = [ "10.0.2.4" ]; roles = [ "mysql" ]; enabled = false; }
);
CONF
run 0 import "$home/fleet.conf"
cat > "$home/policy" <<'POLICY'
# databases
never any -> role:mysql 22-23/udp
NEVER 198.51.100.0/24 -> role:mysql 3306/tcp   # partners
always role:bastion -> any 22/tcp
only role:app, network:office -> role:mysql 3306/tcp

never role:mysql -> 0.0.0.0/0, ::/0 25/tcp
POLICY

# --- by hand ---
run 2 assert
complains 'the setting assertions'
run 0 assert "$home/policy"
says '5 assertions hold'
says '1 machine without a ruleset'
complains '1 machine of which assertions speak is in monitor, and refuses nothing'
run 0 --json assert "$home/policy"
says '"left_out": 1'
says '"holds": true'
run 2 assert "$home/nothing"
run 0 role assign app bastion1
run 0 assert "$home/policy"
echo 'only role:app -> role:mysql 3306/tcp' > "$home/strict"
run 1 assert "$home/policy" "$home/strict"
says '203.0.113.7 -> db1 3306/tcp passes: it is let in by rule'
says 'of role mysql: allow 3306/tcp from network:office, role:app'
says 'on 3 machines: db1, db2, db3'
says 'insert rule mysql'
says '1 of 6 assertions does not hold'
run 1 --json assert "$home/strict"
says '"rule": "allow 3306/tcp from network:office, role:app"'
says '"machine_count": 3'
says '"ticket": "OPS-1"'
says '"operation": "insert"'
echo 'never role:void -> role:mysql 3306/tcp' > "$home/empty"
run 0 assert "$home/empty"
complains 'speaks of nobody'
cat > "$home/bad" <<'POLICY'
nevr any -> role:mysql 3306/tcp
never any => role:mysql 3306/tcp
always self -> any 22/tcp
never 10.0.0.1 -> 10.0.0.2 22/tcp
POLICY
run 2 assert "$home/bad"
complains 'bad:1:1: expected never, always or only, not "nevr"'
complains 'did you mean never?'
complains 'bad:2:11: expected -> between sources and destinations'
complains 'bad:3:8: self stands for the role of a rule'
complains 'bad:4:7: both ends are addresses'
echo 'only role:ap -> role:mysql mysq' > "$home/bad"
run 2 assert "$home/bad"
complains 'bad:1:6: there is no role "ap"'
complains 'did you mean "app"?'
complains 'there is no service "mysq"'
# One run shows all: what can't be read, and the names of the other lines.
printf 'never any role:mysql 3306/tcp\nonly role:ap -> role:mysql 3306/tcp\nnever\n' > "$home/bad"
run 2 assert "$home/bad"
complains 'bad:1:11: expected ->'
complains 'bad:2:6: there is no role "ap"'
complains 'did you mean "app"?'
complains 'bad:3:6: expected any, an address, a prefix, a range, role:NAME, network:NAME or machine:NAME, not the end of the assertion'
# Nobody writes into the pipe.
mkfifo "$home/pipe"
run 2 assert "$home/pipe"
complains 'is no regular file'
complains 'fleetwall-assertions(5)'
run 2 import "$home/pipe"
complains '/dev/stdin'
run 2 --config "$home/pipe" assert "$home/policy"
run 2 assert "$home"
silent_on '--csv'
input=$home/policy run 0 assert -
run 2 assert --at yesterday "$home/policy"

# --- generate ---
printf 'assertions = "%s/policy";\n' "$home" >> "$FLEETWALL_CONFIG"
run 0 generate
current 1
run 0 generate
says 'generation 1 unchanged'
run 0 rule add mysql 'allow 3306/tcp from 198.51.100.8' --ticket OPS-2
run 1 assert
says '198.51.100.8 -> db1 3306/tcp passes'
says 'ticket OPS-2: insert rule mysql'
run 4 generate
complains 'policy:3: an assertion does not hold: 198.51.100.8 -> db1 3306/tcp passes'
complains 'on 3 machines: db1, db2, db3'
complains 'ticket OPS-2'
run 4 generate --force
run 4 generate --full
run 4 generate --only app1
run 4 generate --dry-run
says 'machine db1'
complains 'policy:3:'
run 4 nightly
run 4 --json generate
says '"kind":"guard"'
current 1
id=$("$FLEETWALL" --json rule list --role mysql | grep -B3 -A3 198.51.100.8 | sed -n 's/.*"rule_id": "\([0-9a-f]*\)".*/\1/p')
run 0 rule set "$id" --disabled
run 0 generate
current 1
run 0 rule set "$id" --enabled
run 4 generate
run 0 rule remove "$id"
run 0 rule add app 'allow 80/tcp'
run 0 generate
current 2
run 0 generate --dry-run

# The change that is told is shown to be it: the latest one that touches what takes part was none.
cat > "$home/touched" <<'CONF'
roles = ( { name = "cause"; rules = [ "allow 81/tcp" ]; }, { name = "caller"; }, { name = "other"; } );
machines = ( { name = "c1"; addresses = [ "10.0.9.1" ]; roles = [ "cause" ]; }, { name = "c2"; addresses = [ "10.0.9.2" ]; } );
CONF
run 0 import "$home/touched"
echo 'never role:caller -> role:cause 81/tcp' > "$home/causes"
run 0 assert "$home/causes"
run 0 role assign caller c2 --ticket CAUSE-1
run 0 role assign other c2 --ticket CAUSE-2
run 0 machine set c2 --label color=red --ticket CAUSE-3
run 1 assert "$home/causes"
says 'ticket CAUSE-1: insert member caller c2'
silent_on CAUSE-2
run 1 --json assert "$home/causes"
json '.items[0].violations[0].cause | .ticket == "CAUSE-1" and .what == "member caller c2" and (.change | test("^[0-9]+$"))'
# It was so before all of that: a rule that began to count by its time is no change.
run 0 role unassign other c2
run 0 role unassign caller c2
run 0 role assign caller c2 --ticket CAUSE-4
run 1 assert "$home/causes"
says 'CAUSE-4'
soon=$(($(date +%s) + 2))
run 0 rule add cause "allow 82/tcp since $(date -u -d "@$soon" +%Y-%m-%dT%H:%M:%SZ)" --ticket CAUSE-5
echo 'never role:caller -> role:cause 82/tcp' > "$home/causes"
run 0 assert "$home/causes"
run 0 role assign other c2 --ticket CAUSE-6
sleep 2
run 1 assert "$home/causes"
says 'CAUSE-5'
silent_on CAUSE-6
run 0 --config "$home/fleetwall.conf" machine remove c2
run 0 assert "$home/causes"
run 0 machine remove c1
run 0 role remove cause caller other

# What is asserted is another thing, and the inventory the same; and a membership that changes no ruleset.
echo 'never any -> role:app 80/tcp' >> "$home/policy"
run 4 generate
complains 'any -> role:app'
run 4 generate --dry-run
complains 'policy:8:'
current 2
run 0 generation publish 1
sed -i '$d' "$home/policy"
run 0 generate
current 4
echo 'never any -> role:void 22/tcp' >> "$home/policy"
run 0 generate
echo 'only role:void -> role:void 22/tcp' >> "$home/policy"
run 0 generate
run 0 role assign void app1
run 4 generate
complains 'policy:9:'
run 0 role unassign void app1
run 0 generate
sed -i '$d' "$home/policy"
sed -i '$d' "$home/policy"

# --- what an old generation says is judged as well ---
run 0 rule add mysql 'allow 3306/tcp from 198.51.100.9'
sed -i 's/^NEVER/# &/' "$home/policy"
sed -i 's/^only/# &/' "$home/policy"
run 0 generate
current 5
id=$("$FLEETWALL" --json rule list --role mysql | grep -B3 -A3 198.51.100.9 | sed -n 's/.*"rule_id": "\([0-9a-f]*\)".*/\1/p')
run 0 rule remove "$id"
sed -i 's/^# NEVER/NEVER/' "$home/policy"
run 0 generate
current 6
run 4 generation publish 5
run 4 generation publish 5 --force
complains '198.51.100.9 -> db1'
current 6

# --- a file that is not there, or says nothing that can be read, stops the run ---
mv "$home/policy" "$home/aside"
run 2 generate
complains 'policy'
echo 'never' > "$home/policy"
run 2 generate
complains 'policy:1:6: expected any'
run 2 nightly
run 2 generate --dry-run
mv "$home/aside" "$home/policy"
run 0 generate
printf 'assertions = [ "relative" ];\n' > "$home/other.conf"
run 2 --config "$home/other.conf" assert
complains 'assertions must be an absolute path'
grep -v '^assertions' "$FLEETWALL_CONFIG" > "$home/other.conf"
printf 'assertions = [ "%s/policy", "%s/strict" ];\n' "$home" "$home" >> "$home/other.conf"
run 1 --config "$home/other.conf" assert
says '1 of 5 assertions does not hold'
run 4 --config "$home/other.conf" generate
complains 'strict:1:'
current 6
run 2 assert "$home/state"
complains 'is a folder'
complains 'fleetwall-assertions(5)'

# --- watch: says it once, goes on, publishes when it holds again ---
"$FLEETWALL" watch > "$home/watch.out" 2> "$home/watch.err" &
watch=$!
wait_for 'generation 6' "$home/watch.out"
run 0 rule add mysql 'allow 3306/tcp from 198.51.100.10' --ticket OPS-3
wait_for '198.51.100.10 -> db1' "$home/watch.err"
run 0 machine set app1 --label color=red
run 0 rule add app 'allow 443/tcp'
sleep 0.3
current 6
id=$("$FLEETWALL" --json rule list --role mysql | grep -B3 -A3 198.51.100.10 | sed -n 's/.*"rule_id": "\([0-9a-f]*\)".*/\1/p')
run 0 rule remove "$id"
wait_for 'generation 7' "$home/watch.out"
current 7
if [ "$(grep -c '198.51.100.10 -> db1' "$home/watch.err")" -eq 1 ]; then
	passed=$((passed + 1))
else
	fault "watch says it more than once"
	cat "$home/watch.err"
fi
kill "$watch"
wait "$watch"
finish
