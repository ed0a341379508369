#!/bin/sh
# What an administrator does wrong, or does not yet know: each command says so in words that lead on, and none says nothing.
set -u
. "$TOP/tests/live/lib/command.sh"

latest() {
	run 0 --json history
	change=$(jq '.items[0].change' "$home/out")
}

run 0 init

# --- names that there are not, and words that are missing ---
for words in 'drift nosuch' 'status nosuch' 'rollback nosuch' 'explain nosuch 10.0.0.1 80/tcp' 'probe add nosuch 80/tcp open'; do
	# shellcheck disable=SC2086
	run 2 $words
	complains 'fleetwall machine list shows those that there are'
done
run 2 status 'x*'
complains 'fleetwall machine list shows those that there are'
run 2 status role:nosuch
complains 'fleetwall role list shows those that there are'
run 2 machine add x --role nosuch
complains 'fleetwall role list shows those that there are'
run 2 rule list machine:x
complains 'fleetwall rule list [--role ROLE] [--at TIME]'
run 2 query rules
complains 'which rules?'

# --- files of another kind ---
printf '*filter\n:INPUT DROP [0:0]\nCOMMIT\n' >"$home/rules.v4"
printf '{ "SecurityGroups": [] }\n' >"$home/groups.json"
printf 'allow 22/tcp\n' >"$home/plain.rules"
for file in rules.v4:iptables-save groups.json:aws plain.rules:--rules; do
	run 2 import "$home/${file%:*}"
	complains "${file#*:}"
done

# --- a time before there was anything ---
for words in export 'query matrix' 'machine list'; do
	# shellcheck disable=SC2086
	run 0 $words --at 2020-01-01
	complains 'as of 2020-01-01 there was no machine, role or network'
done
run 0 export
silent_on 'there was no'

# --- undo of what is in use ---
run 0 role add u1
latest
role_added=$change
run 0 machine add um --address 10.9.0.1
run 0 role assign u1 um
latest
run 2 undo "$role_added"
complains "role u1 is used by machine um, since change $change"
complains "take that one back first: fleetwall undo $change"
silent_on '--alone'
run 0 open um allow 8080/tcp --for 2h --ticket T-1
run 0 --json history um
json '[.items[] | select(.after.role? == "machine:um" and .what != "role machine:um")] | length == 1'
run 0 --json history
opened=$(jq '[.items[] | select(.after.rule? != null)][0].change' "$home/out")
run 0 open um allow 8081/tcp --for 2h --ticket T-2
latest
run 2 undo "$opened"
complains "since change $change"
complains 'role machine:um is used by the rule '
run 0 undo "$change"
run 0 undo "$opened"
run 0 network add un 10.8.0.0/16
latest
network_added=$change
run 0 rule add u1 allow 22/tcp from network:un
run 2 undo "$network_added"
complains "the network 'un' would go, but is still used by role u1"
silent_on 'an import may also name it'

# --- what an import says ---
# fleet ROLES MACHINES
fleet() {
	echo 'roles = ( { name = "app"; rules = ( "allow 80/tcp", "allow 443/tcp" ); }'"$1"' ); machines = ('
	for i in $(seq "$2"); do
		printf '%s{ name = "m%d"; addresses = [ "10.1.0.%d" ]; roles = [ "app" ]; }' "$(test "$i" = 1 || echo ', ')" "$i" "$i"
	done
	echo ');'
}
fleet ', { name = "gone"; rules = ( "allow 22/tcp" ); }' 12 > "$home/fleet.conf"
for i in $(seq 12); do
	printf '%s"m%d": {"ansible_host": "10.1.0.%d"}' "$(test "$i" = 1 || echo ', ')" "$i" "$i"
done > "$home/hosts"
run 0 import "$home/fleet.conf"
says 'imported: 14 added, 0 changed, 0 removed; members +12, addresses +12, rules +3; touches 12 machines'
printf '{"_meta": {"hostvars": {%s}}, "all": {"children": ["ungrouped"]}}' "$(cat "$home/hosts")" > "$home/plain.json"
run 0 import --from ansible --address-variable no_such "$home/plain.json"
says 'nothing to do'
complains 'no host has the variable "no_such"'
printf '{"_meta": {"hostvars": {%s}}, "all": {"children": ["other"]}, "other": {"hosts": []}}' "$(cat "$home/hosts")" > "$home/other.json"
run 1 import --dry-run --from ansible "$home/other.json"
complains '12 of 13 machines with roles lose all of them'
run 0 --json import --from ansible "$home/other.json"
json '.items[0] | .members_removed == 12 and .members_added == 0 and .touches == 12 and .changed == 12' \
	'.warnings[0].message | test("lose all of them")'
fleet '' 9 > "$home/less.conf"
run 0 import --prune "$home/less.conf"
says 'removed: network un, role gone, role other, role u1, machine m10, machine m11, machine m12, machine um'
: > "$home/empty.conf"
run 0 import "$home/empty.conf"
complains 'the document names nothing'
run 0 import --prune "$home/fleet.conf"
printf '{"Reservations": [{"Instances": [' > "$home/instances.json"
for i in 1 2 3 4 5 6 7 8; do
	printf '%s{"InstanceId": "i-%d", "PrivateIpAddress": "10.2.0.%d", "SecurityGroups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]}' \
		"$(test $i = 1 || echo ', ')" $i $i
done >> "$home/instances.json"
printf ']}]}' >> "$home/instances.json"
run 1 import --dry-run --from aws "$home/instances.json"
complains 'no output of describe-security-groups was given: 8 machines stay without their security groups'
holds 'one warning' test "$(grep -c '^warning: ' "$home/err")" -eq 1
printf '{"SecurityGroups": [{"GroupId": "sg-9", "GroupName": "x", "IpPermissions": [], "IpPermissionsEgress": []}]}' > "$home/group.json"
run 1 import --dry-run --from aws "$home/instances.json" "$home/group.json"
complains 'and 11 more like it; --json lists them all'
holds 'five of them' test "$(grep -c 'is not in these files' "$home/err")" -eq 5
run 1 --json import --dry-run --from aws "$home/instances.json" "$home/group.json"
json '.warnings | length == 17'

# --- settings ---
printf 'state = "/x";\nthreads = = 3;\n' > "$home/bad.conf"
run 2 --config "$home/bad.conf" status
complains "$home/bad.conf:2:11: syntax error at"
complains 'threads = = 3;'
complains 'hint: expected a value'
run 2 --config "$home/nope.conf" status
complains 'the configuration'
complains '--config names it'
kept=$FLEETWALL_CONFIG
FLEETWALL_CONFIG=$home/stale.conf run 2 status
FLEETWALL_CONFIG=$kept
complains 'FLEETWALL_CONFIG names it'
printf 'parallel = 5;\n' > "$home/bad.conf"
run 2 --config "$home/bad.conf" status
complains 'it is push.parallel, a number from 1 to 1000'
printf 'push = { parallel = 5000; retries = "x"; };\n' > "$home/bad.conf"
run 2 --config "$home/bad.conf" status
complains 'setting push.parallel must be from 1 to 1000'
complains 'setting push.retries must be a number from 0 to 20'

# --- rules, openings, assertions ---
run 2 rule add app allow 10.0.0.0/8
complains 'not the address "10.0.0.0/8"'
complains 'write all from 10.0.0.0/8'
holds 'one error' test "$(grep -c '^error: ' "$home/err")" -eq 1
run 2 rule add app allow fd00::1
complains 'write all from fd00::1'
run 2 open m1 allow 22/tcp --for 2hours --ticket T
complains '2hours: that is no time'
run 2 open m1 allow 22/tcp --for 9999w --ticket T
complains 'at most 366 days'
complains 'rule add machine:m1'
run 0 open m1 allow 22/tcp --for 366d --ticket T
printf '# nothing\n' > "$home/assertions"
run 0 assert "$home/assertions"
complains 'assertions: the file holds no assertion'
: > "$home/assertions"
printf 'assertions = "%s/assertions";\n' "$home" >> "$FLEETWALL_CONFIG"
run 0 generate --full --force
complains 'assertions: the file holds no assertion'

# --- what is not there, or is so already ---
run 2 import --csv "$home/fleet.conf"
complains 'fleet.conf is a file, not a folder'
mkdir "$home/csv"
printf 'name,zzzzzz\nm1,x\n' > "$home/csv/machines.csv"
run 2 import --csv "$home/csv"
complains 'unknown column "zzzzzz"'
complains 'there are: name, '
run 2 import "$home/csv"
complains 'is a folder'
complains 'a folder of CSV files is imported with --csv'
run 2 import "$home/state"
silent_on '--csv'
run 2 import --from aws
complains 'aws ec2 describe-security-groups'
run 2 history --limit x
complains '--limit must be a number from 1 to 1000000000, and not "x"'
run 2 query rules --expiring soon
complains '--expiring must be a number from 0 to 36500'
run 2 lint --expiring 36501
complains '--expiring must be a number from 0 to 36500'
run 2 machine set m1 --ssh-port 0
complains '--ssh-port must be a number from 1 to 65535'
echo 'management = [ "10.0.0.1" ];' > "$home/doc.conf"
seq 30 >> "$home/doc.conf"
run 2 import --from iptables-save m1="$home/doc.conf"
complains 'doc.conf is no output of iptables-save, ip6tables-save or ipset save'
holds 'one error' test "$(grep -c '^error: ' "$home/err")" -eq 1
run 2 explain 10.0.0.0/8 m1 80/tcp
complains 'fleetwall query exposed --from 10.0.0.0/8 tells'
run 0 query exposed --from 10.0.0.0/8
run 2 who-can 10.1.0.3 80/tcp
complains 'hint: that is an address of m3'
run 2 who-can 10.1.9.3 80/tcp
silent_on 'that is an address'
run 2 query rules 10.1.0.3
complains 'hint: that is an address of m3'
run 2 query rules m33
complains 'did you mean m3?'
run 2 query roles ap
complains 'did you mean app?'
run 2 query networks nowhere
complains 'fleetwall network list shows those that there are'
run 2 query machines --rule 0123456789ab
complains 'fleetwall rule list shows the ids'
run 2 machine remove 10.1.0.3
complains 'hint: that is an address of m3'
run 0 generation publish 1
says 'generation 1 is the one that is published'
run 0 machine unfreeze m1
says 'machine m1 was not frozen'
# A word that is the value of an option is no switch.
run 0 machine freeze m1 --reason --json
says 'machine m1 is frozen'
run 0 machine unfreeze m1
run 0 machine freeze m1 --reason --help
run 0 machine unfreeze m1
says 'machine m1 may be pushed again'
run 0 database dump "$home/dump"
says 'dump is written'
run 0 database dump "$home/dump"
says 'in place of what was there'
run 3 --database 'host=/nonexistent dbname=x' machine list
complains 'error: PostgreSQL: connection to server on socket'
complains 'hint: Is the server running locally'

# --- where libpq is not installed ---
program=$FLEETWALL
libpq=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p | sed -n 's/.*libpq\.so\.5 .*=> //p' | head -n 1)
cat > "$home/without" << END
#!/bin/sh
exec unshare -m sh -c 'mount --bind /dev/null $libpq && exec "\$@"' sh "$program" "\$@"
END
chmod +x "$home/without"
if [ "$(id -u)" -eq 0 ] && [ -n "$libpq" ] && unshare -m true 2> /dev/null; then
	FLEETWALL=$home/without
	run 3 --database dbname=x machine list
	complains 'libpq.so.5'
	complains 'apt install libpq5'
	FLEETWALL=$program
fi

finish
