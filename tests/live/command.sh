#!/bin/sh
# The command as administrators and scripts use it: exit codes, answers, errors with a place and a hint, edits, JSON. A private server in
# a folder of its own.
set -u
. tests/live/lib/command.sh

# --- before there is a database ---
run 2
complains 'no command was given'
run 0 --help
says 'machine list'
run 0 --version
says 'fleetwall '
run 0 machine --help
says 'machine list'
run 0 generate --help
says '--try-all'
run 2 genrate
complains 'did you mean fleetwall generate?'
run 2 machine lst
complains 'did you mean fleetwall machine list?'
run 2 generate --dryrun
complains 'did you mean --dry-run?'
run 2 machine
run 2 query rules
complains 'which rules?'
run 2 --json nonsense
json '.format == 1 and .error.kind == "usage" and .error.message and .error.hint'
run 3 machine list
complains 'fleetwall init'
run 1 database status
run 2 --config "$home/none" init
printf 'managment = [];\nssh_port = 70000;\nstate = "here";\n' > "$home/bad.conf"
run 2 --config "$home/bad.conf" init
complains 'bad.conf:1: there is no setting managment'
complains 'did you mean management?'
complains 'bad.conf:2: setting ssh_port must be from 1 to 65535'
complains 'bad.conf:3: setting state must be an absolute path'

# --- a database, the example of the contract, and its seed ---
run 0 init
run 0 init
says 'nothing to do'
cat > "$home/example.conf" << 'END'
    networks = ( { name = "office"; prefixes = [ "203.0.113.0/24", "2001:db8:1::/48" ]; } );
    services = ( { name = "search"; ports = [ "9200/tcp", "9300/tcp" ]; } );
    roles = (
      { name = "default"; selector = { }; rules = [ "allow all from self" ]; },
      { name = "bastion"; rules = [ "allow 22/tcp" ]; },
      { name = "monitor"; },
      { name = "mysql"; description = "databases"; owner = "dba"; egress = "open";
        rules = ( { rule = "allow mysql from 10.0.0.0/8"; ticket = "OPS-17"; }, "allow 9104/tcp from role:monitor" ); } );
    machines = (
      { name = "db1"; addresses = [ "10.0.0.5", "fd00::5" ]; roles = [ "mysql" ]; labels = { env = "prod"; };
        mode = "exclusive"; enforcement = "enforce"; ssh_port = 22; } );
END
: > "$home/empty.conf"
run 2 import --prune "$home/empty.conf"
complains 'names nothing'
run 1 import --dry-run "$home/example.conf"
says '+ machine db1'
run 0 import "$home/example.conf"
run 0 import --dry-run "$home/example.conf"
input=$home/example.conf run 0 import -
says 'nothing to do'
printf 'DENY ALL\nALLOW 22/TCP FROM ALL\nALLOW 5606/TCP FROM 10.*.*.*\n' > "$home/seed"
run 0 import --rules bastion "$home/seed"
run 0 rule list --role bastion
says 'allow 5606/tcp from 10.0.0.0/8'
printf 'allow 22/tcp\nallow 99999/tcp\nallow mysq from role:bastio\n' > "$home/faulty"
run 2 import --rules bastion "$home/faulty"
complains "faulty:2:7: the port 99999 is out of range"
complains 'did you mean "mysql"?'
complains 'did you mean "bastion"?'
run 2 --json import --rules bastion "$home/faulty"
json '.error.line == 2 and .error.column == 7 and (.errors | length) == 3'
run 0 export
cp "$home/out" "$home/export.conf"
run 0 import --prune --dry-run "$home/export.conf"

# --- edits: one line each, and what they touch ---
run 0 machine add web1 --address 10.0.1.1=private --address fd00:1::1 --label env=prod --role bastion
says 'touches'
run 0 machine show 'w?b*'
says '10.0.1.1=private'
run 2 machine show 'x*'
run 2 machine add web1
complains 'fleetwall machine set'
run 2 machine set web9 --mode coexist
complains 'did you mean web1?'
run 0 machine set 'd*' web1 --enforcement monitor
says 'touches 2 machines'
run 0 --json machine show 'd*' web1
json '.items | length > 1 and all(.enforcement == "monitor")'
run 0 machine set 'd*' web1 --no-enforcement
run 2 machine set 'd*' web1 --address 10.0.1.9
complains 'would be the same of'
run 2 machine add web2 --address here
run 2 machine add 'web2;rm' --address 10.0.1.2
run 2 machine add web2 --role bastio
complains 'did you mean "bastion"?'
run 0 rule add mysql allow 3307/tcp from role:bastion --ticket OPS-18
id=$(cat "$home/out")
complains 'touches'
run 0 rule show "$id"
says 'OPS-18'
run 0 rule set "$id" --disabled
run 0 query rules db1
silent_on "$id"
run 0 rule set "$id" --enabled --no-ticket
run 0 query rules db1
says "$id"
run 2 role remove bastion
complains 'still used by'
run 0 rule remove "$id"
run 2 rule remove "$id"
run 0 role assign monitor 'web*' db1
run 0 query machines --role monitor
says 'web1'
run 0 role unassign monitor 'web*' db1
run 0 network add vpn 10.9.0.0/16
run 2 network add vpn2 10.9.0.1/16
complains 'the prefix is 10.9.0.0/16'
run 0 network remove vpn
run 2 service remove mysql
run 0 service add sync 873/tcp 873/udp
run 0 service remove sync
run 2 open db1 allow 8080/tcp --for 2h
run 2 open db1 deny 8080/tcp --for 2h --ticket T
run 0 open db1 allow 8080/tcp from 192.0.2.1 --for 2h --ticket OPS-19
run 0 --json query rules db1
cp "$home/out" "$home/rules.json"
json '.items | map(select(.role == "machine:db1" and .ticket == "OPS-19")) | length == 1'
json '.items[0] | has("machine") and has("role") and has("rule_id") and has("rule")'
# A machine's first rule of its own, taken back: its role came with it, and goes with it.
run 0 machine add own1
run 0 open own1 allow 22/tcp from 192.0.2.1 --for 2h --ticket OPS-20
run 0 --json history machine:own1
run 0 undo "$(jq '.items[0].change' "$home/out")"
says '- role machine:own1'
run 2 rule list --role machine:own1
run 0 machine remove own1

# --- looking back, and taking back ---
sleep 1.1
before=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1.1
run 0 machine add late1 --address 10.0.9.9 --role monitor --ticket OPS-20
run 0 --json history 'machine late1'
json '.items[0] | .operation == "insert" and .before == null and .after.name == "late1" and .ticket == "OPS-20" and .os_user != null'
change=$(jq '.items[0].change' "$home/out")
run 2 machine show late1 --at "$before"
complains "as of $before: there is no machine \"late1\""
for question in 'query rules db1' 'query networks office' 'who-can db1 22/tcp' 'explain 10.0.9.9 db1 22/tcp' 'query exposed --role mysql'; do
	# shellcheck disable=SC2086 # words
	run 2 $question --at 2020-01-01
	complains 'as of 2020-01-01: '
	complains 'fleetwall history tells what there was'
done
run 2 query rules db2 --at "$before"
complains 'did you mean db1?'
run 1 explain 10.0.9.9 db1 9104/tcp --at "$before"
run 0 explain 10.0.9.9 db1 9104/tcp
run 0 --json explain 10.0.9.9 db1 9104/tcp
json '.items[0].matched[0] | .role == "mysql" and .via == "assigned" and .owner == "dba" and .rule_id'
run 1 --json explain 192.0.2.77 db1 22/tcp
json '.items[0].matched == [] and .items[0].would_allow[0].role == "bastion"'
for question in 'roles' 'roles --unused' 'networks' 'networks --unused' 'rules --unused' 'rules --expiring 1' 'machines --role mysql' 'rules db1'; do
	# shellcheck disable=SC2086 # several words
	run 0 --csv query $question
	cp "$home/out" "$home/present"
	# shellcheck disable=SC2086
	run 0 --csv query $question --at "$(date -u -d '+1 minute' +%Y-%m-%dT%H:%M:%SZ)"
	cp "$home/out" "$home/past"
	holds "the same now and then: $question" diff "$home/past" "$home/present"
done
run 0 --csv query machines --rule "$(jq -r '.items[0].rule_id' "$home/rules.json")"
cp "$home/out" "$home/present"
run 0 --csv query machines --rule "$(jq -r '.items[0].rule_id' "$home/rules.json")" --at "$(date -u -d '+1 minute' +%Y-%m-%dT%H:%M:%SZ)"
cp "$home/out" "$home/past"
holds 'the same now and then: machines of a rule' diff "$home/past" "$home/present"
run 0 machine set late1 --address 10.0.9.10
run 2 undo "$change"
complains 'was changed again since'
run 0 --json history 10.0.9.10
run 0 undo "$(jq '.items[0].change' "$home/out")"
run 0 machine show late1
says '10.0.9.9'
run 0 undo "$change"
says '- machine late1'
run 2 machine show late1
run 2 undo 999999
run 2 history --since yesterday

# --- a name that never was; one that is gone; one that never changed ---
run 2 history db2
complains 'there is no "db2", and there never was'
complains 'did you mean db1?'
run 2 history machine db2
complains 'did you mean db1?'
run 0 history late1
says 'machine late1'
run 0 history late1 --since 2100-01-01
run 0 history ssh
# --- a number alone is a protocol, as in a rule ---
run 1 explain 10.0.9.9 db1 22
complains '22 alone is protocol number 22, not port 22'
complains 'write 22/tcp for the port'
run 0 who-can db1 22
complains 'write 22/tcp for the port'
run 0 query machines --opens 22
complains 'write 22/tcp for the port'
run 0 --json query machines --opens 22
json '.warnings[0].hint == "write 22/tcp for the port"'
echo '10.0.9.9 db1 22' > "$home/lines"
input=$home/lines run 0 explain -
complains 'write 22/tcp for the port'
run 0 query machines --opens 22/tcp
holds 'no warning of a port' [ -z "$(cat "$home/err")" ]
# --- a disk that is full, and options without a table ---
for asked in --help --version 'explain --help' 'machine list' '--json machine list' '--csv machine list'; do
	# shellcheck disable=SC2086 # words
	"$FLEETWALL" $asked > /dev/full 2> "$home/err"
	code=$? said=$(cat "$home/err")
	holds "exit code 3 on a full disk: $asked" [ "$code" -eq 3 ]
	holds "a message of a full disk: $asked" [ -n "$said" ]
done
for asked in '--csv explain 10.0.9.9 db1 22/tcp' '--csv diff' '--csv generate' '--no-headings generate' 'machine list --columns='; do
	# shellcheck disable=SC2086 # words
	run 2 $asked
	complains hint
done
run 0 export
holds 'undone is undone' sh -c "'$FLEETWALL' rule list --at $before > '$home/then' && '$FLEETWALL' rule list | diff '$home/then' -"

finish
