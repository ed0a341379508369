#!/bin/sh
# What an administrator does wrong, or does not yet know: each command says so in words that lead on, and none says nothing.
set -u
. "$TOP/tests/live/lib/command.sh"

latest() {
	run 0 --json history
	change=$(jq '.items[0].change' "$home/out")
}

run 0 init

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

finish
