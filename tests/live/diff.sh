#!/bin/sh
# diff as a command: what opens and closes between generations and now, in words and as JSON, with names and causes; what no packet notices;
# exit codes. Nothing is published by it.
# shellcheck disable=SC2317 # functions that holds() calls
set -u
. tests/live/lib/command.sh
out=$home/state/out

# --- usage ---
run 0 init
run 3 diff
complains 'nothing is published'
run 0 role add app
run 0 role add mysql
for i in 1 2 3; do
	run 0 machine add "db$i" --address "10.2.0.$i" --address "2001:db8::2:$i" --role mysql
	run 0 machine add "app$i" --address "10.1.0.$i" --role app
done
run 0 network add office 198.51.100.0/24 203.0.113.0/24
run 0 rule add mysql allow 3306/tcp from role:app limit 5/second
run 0 rule add mysql allow 22/tcp from network:office
run 0 generate
run 0 diff
says 'generation 1 and now: 0 machines differ'
run 0 --json diff
json '.command == "diff" and .items == []'
run 0 diff 1 1
run 2 diff 2
complains 'there is no generation 2'
complains 'the nearest is 1'
run 2 diff one
complains 'no number of a generation'

# --- a member more, before and after it is published ---
run 0 machine add app7 --address 10.1.0.7 --role app
before=$(ls "$out/generations" "$out/store/sets")
run 1 diff
says 'opens 3306/tcp on 3 machines of role mysql (db1, db2, db3) to 10.1.0.7 (app7): role:app grew by app7'
says 'closes nothing'
says 'machine app7: a ruleset for the first time'
says 'generation 1 and now: 4 machines differ'
says 'role:app grew by app7 (change '
holds 'it publishes nothing' [ "$before" = "$(ls "$out/generations" "$out/store/sets")" ]
run 0 generate
run 0 diff
run 1 diff 1 2
says 'opens 3306/tcp on 3 machines of role mysql (db1, db2, db3) to 10.1.0.7 (app7): role:app grew by app7'
run 1 diff 1
says 'generation 1 and now: 4 machines differ'
run 1 --json diff 1 2
json '.items | length == 2'
json '.items[0] | .change == "opens" and .machines == ["db1", "db2", "db3"] and .machine_count == 3 and .roles == ["mysql"]'
json '.items[0] | .direction == "in" and .what == "3306/tcp" and .peers == ["10.1.0.7"] and .peer_names == ["app7"] and .aside == false'
json '.items[0] | .cause == "role:app grew by app7" and (.rule_id | length == 12)'
json '.items[1] | .change == "new" and .machines == ["app7"] and .changes == []'
# Who did it, and when: the one change between the two that can be it, or all of them.
json '.items[0].changes | length == 1 and (.[0] | (.what | startswith("address app7 ") or . == "member app app7") and .operation == "insert" and .who != null)'
json '.items[0].changes[0] | (.change | test("^[0-9]+$")) and (.at | test("^[0-9-]+T[0-9:]+Z$"))'
run 1 diff 2 1
says 'opens nothing'
says 'closes 3306/tcp on 3 machines of role mysql (db1, db2, db3) to 10.1.0.7 (app7): role:app lost app7'
says 'machine app7: no ruleset any more'
silent_on '(change '

# --- rules that come and go ---
run 0 rule add mysql deny all from 10.1.0.2
deny=$(cat "$home/out")
run 0 rule add app allow dns --ticket OPS-53
run 0 rule add app allow all from 10.6.0.0/16
run 0 rule add app allow icmp/echo-request from network:office on eth0
run 1 diff
says 'opens 53/tcp,udp on 4 machines of role app (app1, app2, app3, …) to any: allow dns of role app is new (change '
says ', ticket OPS-53: insert rule app '
says 'opens all on 4 machines of role app (app1, app2, app3, …) to 10.6.0.0/16, but for what was let through before: allow all from 10.6.0.0/16'
says 'opens icmpv4/echo-request by interface eth0 on 4 machines'
says 'to 198.51.100.0/24, 203.0.113.0/24 (network:office)'
says 'closes 3306/tcp on 3 machines of role mysql (db1, db2, db3) to 10.1.0.2 (app2): deny all from 10.1.0.2 of role mysql is new'
run 0 generate
run 0 rule remove "$deny"
run 1 diff
says 'opens 3306/tcp on 3 machines of role mysql (db1, db2, db3) to 10.1.0.2 (app2):'
says 'of role mysql is gone'
run 0 generate

# --- the other way of loading, egress, and outbound ---
run 0 machine set db2 --mode coexist
run 0 machine set db3 --enforcement monitor
run 0 role set app --egress closed
run 0 rule add app allow 123/udp to 192.0.2.123
run 1 diff
says 'opens all forwarded by machine db2: mode becomes coexist'
says 'opens all on machine db3 to any, but for what was let through before: only watched now (monitor)'
says 'closes all out of 4 machines of role app (app1, app2, app3, …) to any, but for what is still let through: egress becomes closed'
run 0 generate
run 0 rule add app allow 8-9/sctp to machine:db1
run 1 diff
says 'opens 8-9/sctp out of 4 machines of role app (app1, app2, app3, …) to 10.2.0.1, 2001:db8::2:1 (db1): allow 8-9/sctp to machine:db1 of role app is new'
run 0 generate

# --- what no packet notices ---
run 0 rule add mysql reject 8080/tcp
run 1 diff
says 'opens nothing'
says 'closes nothing'
says 'no new connection notices: rules, in how packets are refused'
run 0 generate
echo 'log_rate = 30;' >> "$FLEETWALL_CONFIG"
run 1 diff
says 'no new connection notices: what is logged'
run 1 --json diff
json '[.items[] | select(.change != "other")] == [] and (.items | length > 0)'
sed -i 's/"192.0.2.10"/&, "192.0.2.99"/' "$FLEETWALL_CONFIG"
run 1 --json diff
json '[.items[] | select(.change == "opens" and .direction == "out")] | length > 0 and all(.cause == null)'

# --- what an import would open and close: nothing is written by it ---
run 0 generate
printf '%s\n' 'roles = ( { name = "mysql"; rules = [ "allow 3306/tcp from role:app limit 5/second", "allow 22/tcp from network:office", "allow 9104/tcp from role:app", "reject 8080/tcp" ]; } );' \
	'machines = ( { name = "app8"; addresses = [ "10.1.0.8" ]; roles = [ "app" ]; } );' > "$home/more.conf"
held=$("$FLEETWALL" export | sha256sum)
before=$(find "$out" -printf '%p %s %C@ %l\n' | sort)
run 1 import --dry-run --meaning "$home/more.conf"
says 'opens 9104/tcp on 2 machines (db1, db2)'
says '(role:app): allow 9104/tcp from role:app of role mysql is new'
says 'opens 3306/tcp on 2 machines (db1, db2) to 10.1.0.8 (app8): role:app grew by app8'
says 'closes nothing'
says 'machine app8: a ruleset for the first time'
says 'now and after the import: 4 machines differ'
run 1 --json import --dry-run --meaning "$home/more.conf"
json '.command == "import" and (.items | map(.change) | index("opens") != null and index("new") != null)'
holds 'the inventory stays' [ "$held" = "$("$FLEETWALL" export | sha256sum)" ]
holds 'the output stays' [ "$before" = "$(find "$out" -printf '%p %s %C@ %l\n' | sort)" ]
printf '%s\n' 'allow 22/tcp from network:office' > "$home/same.rules"
run 0 import --dry-run --meaning --rules mysql "$home/same.rules"
says 'now and after the import: 0 machines differ'
run 2 import --meaning "$home/more.conf"
complains '--meaning goes with --dry-run'
run 2 import --dry-run --meaning "$home/nowhere.conf"

# --- without a database, names are missing and nothing else ---
run 0 database stop
run 1 --database 'host=/nowhere' diff 1 2
says 'opens 3306/tcp on 3 machines (db1, db2, db3) to 10.1.0.7: the set app-'
complains 'names are missing'
run 3 --database 'host=/nowhere' diff
finish
