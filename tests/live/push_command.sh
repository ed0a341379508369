#!/bin/sh
# push, status, drift, rollback, freezes, probes, approvals and nightly as commands: usage, settings, exit codes, what is said. The machines
# are played by a hook (lib/fake_host.sh); real ones are in push.sh.
set -u
. tests/live/lib/command.sh

# settings LINE…: the configuration, with hooks in place of ssh
settings() {
	hook="\"$TOP/tests/live/lib/fake_host.sh\", \"$home/hosts\", \"%n\""
	{
		printf 'state = "%s/state";\n' "$home"
		printf '%s\n' "$@"
		printf 'push = { apply = [ %s ]; confirm = [ %s ]; call = [ %s ]; retries = 0; deadline = 10; drift_sample = 0; };\n' "$hook" "$hook" "$hook"
	} > "$FLEETWALL_CONFIG"
}
asked() { # MACHINE WORD: how often was the machine asked that?
	grep -cx "$2" "$home/hosts/$1/calls" 2> /dev/null || :
}
sql() { # STATEMENT: as the owner
	"$FLEETWALL" sql -- -qAtc "$1"
}
waits() { # somebody for a lock
	sql "SELECT 'waits' FROM pg_locks WHERE NOT granted" | grep -q waits
}
soon() { # COMMAND…: within 20 seconds
	turns=200
	until "$@" || [ "$turns" -eq 0 ]; do
		turns=$((turns - 1))
		sleep 0.1
	done
}
management='management = [ "192.0.2.10" ];'
mkdir "$home/hosts"

# --- settings ---
printf '%s\n' 'transport = "carrier-pigeon";' 'nightly_push = "perhaps";' 'push = { user = "-oProxyCommand=x";' 'parallel = 0;' \
	'deadline = 5;' 'apply = [];' 'call = [ "" ];' 'confirm = "ssh";' 'ssh_options = [ 1 ];' 'paralel = 3; };' > "$home/bad.conf"
run 2 --config "$home/bad.conf" status
complains 'bad.conf:1: setting transport must be "ssh" or "scp"'
complains 'bad.conf:2: setting nightly_push must be "on", "approved" or "off"'
complains 'bad.conf:3: setting push.user must be a login name'
complains 'bad.conf:4: setting push.parallel must be from 1 to 1000'
complains 'bad.conf:5: setting push.deadline must be from 10 to 3600'
complains 'setting push.apply must be a list of strings'
complains 'bad.conf:7: setting push.call must be a list that begins with the program: [ "program", "argument" ]'
complains 'setting push.confirm must be a list of strings'
complains 'setting push.ssh_options must be a list of strings'
complains 'did you mean parallel?'

# --- usage ---
settings "$management"
run 3 push
run 0 init
printf '%s\n' 'roles = ( { name = "web"; rules = [ "allow 80/tcp" ]; }, { name = "db"; rules = [ "allow 3306/tcp from role:web" ]; } );' \
	'machines = ( { name = "web1"; addresses = [ "10.0.0.1" ]; roles = [ "web" ]; },' \
	'  { name = "web2"; addresses = [ "10.0.0.2" ]; roles = [ "web" ]; },' \
	'  { name = "db1"; addresses = [ "10.0.0.3" ]; roles = [ "db" ]; } );' > "$home/fleet.conf"
run 0 import "$home/fleet.conf"
run 2 push --halt --resume
run 2 push --reason why
run 2 push --halt web1
run 2 push --parallel 0
run 2 push --parallel 99999999999
run 2 push --max-failures x
run 2 machine freeze web1
complains '--reason'
run 2 probe add db1 3306/tcp ajar
run 2 probe add db1 3306/tcp open by web1
run 2 probe add db1 3306/udp open
run 2 probe add db9 3306/tcp open
run 2 approve none
run 2 approve 7
run 2 rollback

# --- nothing is published ---
run 3 push
complains 'fleetwall generate'
run 2 push wbe1 --dry-run
complains 'did you mean web1?'
run 0 status
says 'not published'

run 2 rollback web1
complains 'confirmed nothing yet'

# --- no management: nobody is asked ---
run 0 generate
settings
run 4 push
complains 'management'
run 4 push --dry-run
says 'web1'
run 4 nightly
complains "in $FLEETWALL_CONFIG: management"
holds 'nobody was asked' test ! -e "$home/hosts/web1"
settings "$management"

# --- the plan, the push ---
run 1 push --dry-run
says 'first'
holds 'the plan asked nobody' test ! -e "$home/hosts/web1"
run 1 --json push --dry-run 'web*'
json '[.items[].machine] == ["web1", "web2"] and .items[0].why == "first"'
run 2 push --only wbe1
complains 'did you mean web1?'
run 2 push --only 'x*'
run 2 push --only role:webb
run 2 push --adopt nobody
run 0 push web1 --only role:db
says 'web1: confirmed'
says '2 confirmed, 0 failed'
run 1 push --dry-run
silent_on 'db1'
run 0 --json push
jq -s . "$home/out" > "$home/lines"
holds 'each line is an object' jq -e 'length > 3 and all(.[]; .format == 1 and .command == "push")' "$home/lines"
holds 'the last is the summary' jq -e '.[-1] | .event == "summary" and .confirmed == 1 and .state == "done"' "$home/lines"
run 0 push
says 'nothing to push: 3 machines have what is published'
run 0 push --dry-run web1
says 'nothing to push: 1 machine has what is published'
silent_on 'has changed'
holds 'web2 was asked twice: apply, confirm' test "$(wc -l < "$home/hosts/web2/calls")" -eq 2
run 0 --json status
json '[.items[] | select(.state == "current")] | length == 3'
run 0 status --open
silent_on 'web1'

# --- what fails is named, and why ---
run 0 rule add web allow 443/tcp
run 0 push
complains 'the inventory has changed since generation '
complains 'fleetwall generate'
run 0 push --dry-run
complains 'the inventory has changed since generation '
run 0 status
complains 'the inventory has changed since generation '
run 0 rule add db allow 3307/tcp
run 0 generate
touch "$home/hosts/web1/refuse"
# On a terminal: failures as they happen, and below them the line that moves.
echo 1 > "$home/hosts/db1/unreachable"
script -qec "'$FLEETWALL' push --parallel 1 db1 web2" "$home/terminal" > "$home/out" 2> "$home/err" < /dev/null
says 'db1: failed: unreachable: '
says 'wave 1 of 1: 0 of 2 done, 1 failed, 0 running, about 0:0'
says 'wave 1 of 1: 0 of 2 done, 1 failed, 1 running'
says 'wave 1 of 1: 1 of 2 done, 1 failed, 0 running'
says 'left: db1: unreachable'
run 1 push
says 'needs a person: web1: refused: this is another machine'
run 1 status web1
says 'failed'
says 'this is another machine'
rm "$home/hosts/web1/refuse"
run 0 push --resume
says 'web1: confirmed'

# --- halted, frozen ---
run 0 push --halt --reason 'a storm'
run 0 rule add web allow 8443/tcp
run 0 generate
run 4 push
complains 'a storm'
run 0 status
complains 'pushing is halted since'
run 1 nightly
says 'not pushed: pushing is halted by'
run 0 rollback web2
run 0 machine unfreeze web2
run 4 push
run 2 push --halt --unhalt
run 0 push --unhalt
says 'none was begun'
run 0 push web2
run 0 machine freeze web1 --reason 'kernel upgrade'
run 0 push
complains 'machine web1 is frozen'
run 0 status web1
says 'frozen: kernel upgrade'
run 0 machine freeze web1 --reason 'a new disk'
run 0 status web1
says 'frozen: a new disk'
run 0 machine unfreeze web1
run 0 push
says 'web1: confirmed'

# --- back, and back again ---
run 1 rollback web1 --dry-run
run 0 rollback web1
says 'web1: confirmed'
run 0 status web1
says 'rolled back to generation'
run 0 push
says 'nothing to push'
run 0 machine unfreeze web1
run 0 push
says 'web1: confirmed'
# Whoever takes machines back may be killed before all of them are: those that were stay where they are.
for port in 7001 7002; do # so that both go back to the same one
	run 0 rule add web allow $port/tcp
	run 0 generate
	run 0 push
done
touch "$home/hosts/web2/hang"
"$FLEETWALL" rollback web1 web2 > "$home/night" 2>&1 &
killed=$!
is_frozen() { "$FLEETWALL" status "$1" | grep -q 'rolled back to generation'; }
soon is_frozen web1
soon test -e "$home/hosts/web2/pid"
kill -9 "$killed"
wait "$killed" 2> /dev/null
holds 'it stays' is_frozen web1
before=$(asked web1 apply)
run 0 push web1
complains 'machine web1 is frozen'
says 'nothing to push'
holds 'nothing was sent to it' test "$before" -eq "$(asked web1 apply)"
# The other one was on its way, and is not taken forward either. The leases of what was killed end.
kill "$(cat "$home/hosts/web2/pid")"
rm "$home/hosts/web2/hang" "$home/hosts/web2/pid"
sql 'UPDATE fleetwall.push_work SET lease = now() WHERE lease IS NOT NULL'
run 0 rule add db allow 22/tcp
run 0 generate
run 0 push
run 0 status web2
says 'gave way to run'
run 0 machine unfreeze web1 web2
run 0 push
says '2 confirmed, 0 failed'
# Machines that go back to different generations: the newest first; whoever ends that wants no other.
run 0 rule add web allow 7003/tcp
run 0 generate
run 0 push web1
touch "$home/hosts/web1/hang"
before=$(asked web2 apply)
"$FLEETWALL" rollback web1 web2 > "$home/night" 2>&1 &
killed=$!
soon test -e "$home/hosts/web1/pid"
kill -TERM "$killed"
kill "$(cat "$home/hosts/web1/pid")"
rm "$home/hosts/web1/hang" "$home/hosts/web1/pid"
wait "$killed" 2> /dev/null
holds 'the rest is named' grep -q '1 machine was not begun with' "$home/night"
holds 'nothing was sent to it' test "$before" -eq "$(asked web2 apply)"
run 0 push
run 0 machine unfreeze web1 web2
run 0 push
run 0 status --open

# --- stopped between its turn and the apply ---
printf '#!/bin/sh\nexec "%s" push --halt --reason "on its way"\n' "$FLEETWALL" > "$home/copy"
chmod 0755 "$home/copy"
sed "s|^push = {|transport = \"scp\"; push = { copy = [ \"$home/copy\" ];|" "$FLEETWALL_CONFIG" > "$home/scp.conf"
run 0 rule add web allow 8080/tcp
run 0 generate
before=$(asked web1 apply)
run 1 --config "$home/scp.conf" push web1
says 'on its way'
says '0 confirmed, 0 failed, 0 skipped, 1 waiting'
holds 'nothing was applied' test "$before" -eq "$(asked web1 apply)"
run 0 push --resume
says 'web1: confirmed'
run 0 push

# --- damaged files: the others get what they shall have ---
run 0 rule add web allow 8081/tcp
run 0 rule add db allow 8081/tcp
run 0 generate
object=$(readlink -f "$home/state/out/machines/db1/rules.v4")
chmod u+w "$object"
echo '-A INPUT -j ACCEPT' >> "$object"
before=$(asked db1 apply)
run 1 push --dry-run
says 'damaged'
run 1 push
complains 'the published files of 1 machine are damaged'
complains 'fleetwall generate'
says 'web1: confirmed'
says 'web2: confirmed'
says 'left: db1: damaged: machine db1'
says '2 confirmed, 1 failed'
holds 'it was not asked' test "$before" -eq "$(asked db1 apply)"
run 1 --json status
json '[.items[] | [.machine, .state, .failure]] == [["db1", "behind", "damaged"], ["web1", "current", null], ["web2", "current", null]]'
run 0 generate
run 0 push
says 'db1: confirmed'
run 0 status

# --- what machines answer that are anybody's by now ---
printf 'version 1\nerror lock: \033]0;x\302\233m held\n' > "$home/hosts/web1/read"
printf 'version 1\n== rules.v4\n' > "$home/hosts/web2/read"
run 1 drift web1 web2 db1 --json
json '[.items[] | [.machine, .kind]] == [["db1", "refused"], ["web1", "refused"], ["web2", "unreadable"]]'
json '[.items[].line | explode[] | select(. < 32 or (. > 126 and . < 160))] == []'
run 1 drift web1
says 'lock:'

# --- what differs stays known where it can't be mended ---
printf '%s\n' 'version 1' '== rules.v4' '== sets' '== end' > "$home/hosts/web1/read"
run 1 drift web1
run 1 status web1
says 'drifted'
says 'policy, rules.v4: :INPUT DROP; and '
run 1 --json status
json '[.items[] | select(.drift != null) | [.machine, .state, .needs_person, .confirmed != null, .drifted_at != null]] == [["web1", "drifted", true, true, true]]'
run 0 machine freeze web1 --reason 'kernel upgrade'
run 1 status web1
says 'kernel upgrade; seen at'
run 1 drift web1 --mend
complains 'machine web1 is frozen, and left as it is'
run 0 machine unfreeze web1
run 0 push --halt --reason 'a fire'
run 4 drift web1 --mend
complains 'a fire'
run 0 push
complains 'pushing is halted by '
run 0 push --resume
run 0 push
says 'nothing to push'
touch "$home/hosts/web1/refuse"
run 1 drift web1 --mend
says 'pushed again: 0 confirmed, 1 failed'
run 1 --json status web1
json '.items[0] | .confirmed != null and .drift != null and .failure == "refused"'
rm "$home/hosts/web1/refuse"
# The next push knows that all of it is to be sent.
run 0 push
says '1 confirmed, 0 failed'
holds 'all of it was sent' grep -q '^flags.* whole' "$home/hosts/web1/header"
run 0 --json status web1
json '.items[0] | .state == "current" and .drift == null and .drifted_at == null'
run 0 drift web1 --mend
says 'pushed again: 1 confirmed, 0 failed'
holds 'what was found comes first' test "$(tail -n 1 "$home/out")" = 'pushed again: 1 confirmed, 0 failed'
run 0 status web1
# What was mended there is known when it is looked at again; so does the night know what it sees.
run 1 drift web1
sed -i 's/^push = {\(.*\)drift_sample = 0/push = {\1drift_sample = 9/' "$FLEETWALL_CONFIG"
sql "UPDATE fleetwall.push_machine SET drift = NULL, drifted_at = NULL"
run 1 nightly
says 'web1 differs from what it confirmed'
run 1 status web1
says 'drifted'
run 0 drift web1 --mend
# A damaged file here keeps nobody from being looked at.
cp "$home/hosts/web1/read" "$home/hosts/db1/read"
object=$(readlink -f "$home/state/out/machines/db1/rules.v4")
chmod u+w "$object"
echo '-A INPUT -j ACCEPT' >> "$object"
run 1 --json drift web1 db1
json '[.items[] | [.machine, .kind]] | unique | map(select(.[0] == "db1")) == [["db1", "damaged"]]'
json 'any(.items[]; .machine == "web1" and .kind == "policy")'
run 0 generate
rm "$home"/hosts/*/read
sql "UPDATE fleetwall.push_machine SET drift = NULL, drifted_at = NULL"

# --- psql is told the password where nobody else reads it; a server that was stopped is found again at the same place ---
conninfo=$("$FLEETWALL" database status --json | jq -r '.items[0].conninfo')
cat > "$home/sql.conf" <<END
database = "$conninfo password='it\\\\'s s3cret' sslpassword=other";
END
# shellcheck disable=SC2016 # the shell of psql says it
run 0 --config "$home/sql.conf" sql -- -qAtc '\! tr "\0" " " < /proc/$PPID/cmdline; echo "<$PGPASSWORD>"'
says "dbname='fleetwall'"
says "<it's s3cret>"
silent_on 'password'
silent_on 'other'
run 0 database stop
run 0 database start
holds 'it is where it was' test "$conninfo" = "$("$FLEETWALL" database status --json | jq -r '.items[0].conninfo')"

# --- nights ---
settings "$management" 'nightly_push = "approved";'
run 0 nightly
empty 'it is quiet when nothing happened' "$home/out"
run 0 rule add web allow 9000/tcp
run 1 nightly
says 'opens something, and waits for: fleetwall approve'
says 'it opens 9000/tcp on 2 machines of role web (web1, web2) to any: allow 9000/tcp of role web is new'
run 0 status
says 'nightly waits for: fleetwall approve'
run 1 nightly
says 'opens something'
before=$(asked web1 apply)
holds 'nothing was pushed' test "$before" -eq "$(asked web1 apply)"
run 0 approve "$("$FLEETWALL" generation list --json | jq -r '.items[-1].generation')"
says 'it opens 9000/tcp on 2 machines of role web (web1, web2) to any: allow 9000/tcp of role web is new'
run 0 nightly
says '2 confirmed, 0 failed'
run 0 nightly
empty 'it is quiet again' "$home/out"
run 0 rule add web deny 9000/tcp
run 0 nightly
says '2 confirmed, 0 failed'
# Other words for the same packets open nothing; more than the rate of before, and longer than before, may.
run 0 rule add web allow 443/tcp from 10.0.0.0/8
run 0 rule add web allow 9010/tcp limit 5/minute from 10.0.0.0/8
run 1 nightly
says 'it opens 9010/tcp on 2 machines of role web (web1, web2) to 10.0.0.0/8'
run 0 approve "$("$FLEETWALL" generation list --json | jq -r '.items[-1].generation')"
run 0 nightly
says '2 confirmed, 0 failed'
run 0 rule add web allow 443/tcp from 10.0.0.0/9
run 0 nightly
says '2 confirmed, 0 failed'
run 0 rule add web allow 9010/tcp limit 50/minute from 10.0.0.0/8
run 1 nightly
says 'it may let in more than before: rates'
run 0 approve "$("$FLEETWALL" generation list --json | jq -r '.items[-1].generation')"
run 0 nightly
says '2 confirmed, 0 failed'
run 0 machine set web2 --enforcement monitor
run 1 nightly
says 'it opens: monitor: nothing is refused any more; on 1 machine: web2'
run 0 machine set web2 --enforcement enforce
run 0 nightly
# More get in by the settings: that is in no rule.
settings 'management = [ "192.0.2.0/24" ];' 'nightly_push = "approved";'
run 1 nightly
says 'settings or templates are not known to be those that were pushed last'
settings "$management" 'nightly_push = "approved";'
run 0 nightly
# What they confirmed is gone: so nobody knows whether it let through less.
number=$("$FLEETWALL" status web1 --json | jq '.items[0].confirmed')
run 0 rule add web deny 9002/tcp
run 0 generate
mv "$home/state/out/generations/$number" "$home/kept"
run 1 nightly
says "it opens what can't be told: generation $number, which web1 and 1 other confirmed, is not known any more"
mv "$home/kept" "$home/state/out/generations/$number"
run 0 nightly
says '2 confirmed, 0 failed'
# What it was made from is not known: what it opens is not, either.
run 0 rule add web deny 9003/tcp
run 0 generate
sql "UPDATE fleetwall.generation SET snapshot = NULL WHERE number = (SELECT max(number) FROM fleetwall.generation)"
run 1 nightly
says "what it opens can't be told"
# Published by somebody else while another one is looked at: it is not pushed, what was looked at is.
run 0 rule add web deny 9004/tcp
printf '%s\n' 'BEGIN; LOCK TABLE fleetwall.generation_approval;' "\\! touch $home/locked" \
	"\\! while [ ! -e $home/published ]; do sleep 0.05; done" 'COMMIT;' | "$FLEETWALL" sql -- -q > /dev/null 2>&1 &
soon test -e "$home/locked"
"$FLEETWALL" nightly > "$home/night" 2>&1 &
night=$!
soon waits
run 0 rule add web allow 9005/tcp
run 0 generate
touch "$home/published"
wait "$night"
code=$?
cp "$home/night" "$home/out"
holds "$(cat "$home/night")" test "$code" -eq 0
run 0 --json status web1
json '.items[0].state == "behind"'
run 1 nightly
says 'it opens 9005/tcp on 2 machines of role web'
run 0 approve "$("$FLEETWALL" generation list --json | jq -r '.items[-1].generation')"
run 0 nightly
settings "$management"
run 0 rule add web allow 9001/tcp
echo 9 > "$home/hosts/web2/unreachable"
run 1 --json nightly
json '.items[0].left == ["web2"] and .items[0].confirmed == 1 and .items[0].failed == 1'
run 1 status
says 'unreachable'
run 0 status web1
rm "$home/hosts/web2/unreachable"
run 0 nightly
says 'push '
# Its files are gone from this pusher: nobody knows what machines have.
settings "$management" 'nightly_push = "approved";'
confirmed=$("$FLEETWALL" status web1 --json | jq '.items[0].confirmed')
run 0 rule add web deny 9006/tcp
run 0 generate
rm -r "$home/state/out/generations/$confirmed"
run 1 nightly
says 'it opens: role web: '
run 0 approve "$("$FLEETWALL" generation list --json | jq -r '.items[-1].generation')"
run 0 nightly
settings "$management" 'nightly_push = "off";'
run 0 rule add web allow 9002/tcp
run 0 nightly
says 'generation '
run 1 push --dry-run
settings "$management"
holds 'nobody else can hold its locks' test "$(stat -c %a "$home/state/out/.nightly" "$home/state/out/.lock" | sort -u)" = 600
held() { ! flock -n "$home/state/out/.nightly" true; }
flock --no-fork "$home/state/out/.nightly" sleep 30 &
holder=$!
soon held
run 4 nightly
complains 'another nightly is still at work'
kill "$holder"
wait "$holder" 2> /dev/null
finish
