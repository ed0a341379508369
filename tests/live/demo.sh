#!/bin/sh
# The demo of a fleet that is not there, or can't be read: it says so, and leaves neither a server nor a folder behind; and what it made
# before, it takes away only when it begins.
set -u
. tests/live/lib/command.sh

DEMO=$home/demo
export DEMO
demo() { # CODE FLEET
	FLEET=$2 tests/demo/demo.sh > "$home/out" 2> "$home/err" < /dev/null
	got=$?
	if [ "$got" -eq "$1" ]; then passed=$((passed + 1)); else fault "the demo of $2: exit code $got, not $1"; fi
}
mkdir "$DEMO"
touch "$DEMO/of-before"
demo 2 "$home/nowhere"
complains "there is no fleet $home/nowhere"
complains 'machines.csv'
holds 'what was there stays' [ -e "$DEMO/of-before" ]

mkdir "$home/csv"
printf 'name,nonsense\nm1,x\n' > "$home/csv/machines.csv"
demo 2 "$home/csv"
says 'unknown column "nonsense"'
holds 'no folder is left' [ ! -e "$DEMO" ]
holds 'no server is left' [ -z "$(pgrep -f "$DEMO/state/pg")" ]
finish
