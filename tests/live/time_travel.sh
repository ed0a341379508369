#!/bin/sh
# Scripted days: each day a few edits by command, by documents that prune, by plain SQL, and some taken back. After each day a copy of
# the tables and of the answers is kept. At the end the answers as of each day must be that day's, byte for byte, and so must the rows
# that the history brings back. What was done in a moment is moved into the past by shifting the recorded times.
set -u
. tests/live/lib/command.sh
days=${DAYS:-8} # each kind of edit at least once; make soak: 30
kept=$home/kept

psql() {
	"$FLEETWALL" sql -- -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# The last second of a day of the month.
moment() {
	date -u -d "@$((month + $1 * 86400 + 86399))" +%Y-%m-%dT%H:%M:%SZ
}

# --- the answers ---

# answers FOLDER OPTION…: what people would ask, into files.
answers() {
	folder=$1
	shift
	mkdir -p "$folder"
	{
		"$FLEETWALL" export "$@" > "$folder/export"
		"$FLEETWALL" --json rule list "$@" > "$folder/rules"
		"$FLEETWALL" --json machine list "$@" > "$folder/machines"
		"$FLEETWALL" explain - "$@" < "$home/questions" > "$folder/explained"
	} 2>> "$home/asked"
}

for what in 22/tcp 80/tcp 8000/tcp 8003/tcp 9000/udp icmp; do
	for other in 10.1.0.1 10.1.7.1 192.0.2.77 203.0.113.9 fd00::1; do
		echo "$other edge $what"
		echo "edge $other $what"
	done
done > "$home/questions"

# A copy of every table, its rows in a fixed order; rules as what the history keeps of them.
cat > "$home/copy.sql" << 'END'
SELECT 'machine', to_jsonb(t) FROM fleetwall.machine AS t UNION ALL
SELECT 'address', to_jsonb(t) FROM fleetwall.address AS t UNION ALL
SELECT 'role', to_jsonb(t) FROM fleetwall.role AS t UNION ALL
SELECT 'member', to_jsonb(t) FROM fleetwall.member AS t UNION ALL
SELECT 'network', to_jsonb(t) FROM fleetwall.network AS t UNION ALL
SELECT 'network_prefix', to_jsonb(t) FROM fleetwall.network_prefix AS t UNION ALL
SELECT 'service', to_jsonb(t) FROM fleetwall.service AS t UNION ALL
SELECT 'service_port', to_jsonb(t) FROM fleetwall.service_port AS t UNION ALL
SELECT 'rule', jsonb_build_object('role', role, 'rule', text, 'enabled', enabled, 'ticket', ticket, 'owner', owner, 'comment', comment) FROM fleetwall.rule
ORDER BY 1, 2;
END
cat > "$home/past.sql" << 'END'
SELECT set_config('fleetwall.at', :'at', false) \g /dev/null
SELECT kind, data FROM unnest(ARRAY['machine', 'address', 'role', 'member', 'network', 'network_prefix', 'service', 'service_port', 'rule']) AS kind,
       fleetwall.rows_before(kind) AS data
ORDER BY 1, 2;
END

# Moves what was done since the last day into day $1, a second apart.
cat > "$home/shift.sql" << 'END'
WITH new AS (SELECT number, row_number() OVER (ORDER BY number) AS place FROM fleetwall.history_transaction WHERE at > now() - interval '1 day')
UPDATE fleetwall.history_transaction AS t SET at = to_timestamp(:month + :day * 86400 + 3600 + new.place) FROM new WHERE t.number = new.number;
END

# --- the edits ---

document() {
	day=$1 owner=$2
	echo "owner = \"$owner\";"
	echo "networks = ( { name = \"$owner-net\"; prefixes = [ \"10.$day.0.0/16\", \"fd00:$day::/32\" ]; }, { name = \"$owner-$((day / 3))\"; } );"
	echo "services = ( { name = \"$owner-service\"; ports = [ \"$((9000 + day % 3))/udp\" ]; } );"
	echo "roles = ( { name = \"$owner-role\"; selector = { team = \"$owner\"; }; egress = \"$([ $((day % 2)) -eq 0 ] && echo open || echo closed)\";"
	echo "  rules = ( { rule = \"allow $owner-service from network:$owner-net # day $day\"; ticket = \"DAY-$day\"; }, \"allow $((8000 + day % 4))/tcp from role:front\" ); } );"
	echo "machines = ("
	for i in 0 1 2; do
		echo "  { name = \"$owner$((day / 2 + i))\"; addresses = [ \"10.1.$((day / 2 + i)).1\" ]; labels = { team = \"$owner\"; day = \"$((day / 4))\"; }; rules = [ \"deny 23/tcp from machine:edge\" ]; },"
	done
	echo "  { name = \"$owner-last\"; mode = \"coexist\"; roles = [ \"front\" ]; } );"
}

# By plain SQL, what the command has no words for: names that change, tables that are emptied, several tables at once.
edit_by_sql() {
	case $(($1 % 6)) in
	0) echo "UPDATE fleetwall.machine SET name = 'renamed$1' WHERE name = 'day$(($1 - 1))'" ;;
	1) echo "UPDATE fleetwall.role SET name = 'moved' || $1, owner = 'sql' WHERE name LIKE 'moved%'" ;;
	2) echo "TRUNCATE fleetwall.member" ;;
	3) echo "DELETE FROM fleetwall.address WHERE machine IN (SELECT name FROM fleetwall.machine ORDER BY name LIMIT 3); INSERT INTO fleetwall.address VALUES ('edge', '10.9.9.$1', 'private')" ;;
	4) echo "UPDATE fleetwall.rule SET enabled = NOT enabled, ticket = 'SQL-$1' WHERE key % 2 = 0" ;;
	5) echo "DELETE FROM fleetwall.network_prefix; INSERT INTO fleetwall.network_prefix SELECT name, '172.16.$1.0/24' FROM fleetwall.network" ;;
	esac
}

last_change() {
	"$FLEETWALL" --json history --limit 1 | jq '.items[0].change'
}

edit_by_command() {
	day=$1
	run 0 machine add "day$day" --address "10.2.$day.1=private" --address "fd00:2::$day" --label "day=$day" --role front
	run 0 rule add front allow "$((3000 + day))/tcp" from self, machine:edge on eth0 log
	[ $((day % 2)) -eq 1 ] || run 0 rule set "$(tail -n 1 "$home/out")" --disabled --ticket "DAY-$day"
	run 0 machine set edge --label "day=$((day % 7))" --mode "$([ $((day % 3)) -eq 0 ] && echo coexist || echo exclusive)" --ssh-port $((2000 + day))
	case $((day % 5)) in
	0) run 0 network set office "203.0.113.$day/32" 198.51.100.0/24 ;;
	1) run 0 machine disable edge ;;
	2) run 0 service set mysql "$((3300 + day))/tcp" ;;
	3) run 0 machine enable edge ;;
	4) run 0 open edge allow "$((8000 + day % 4))/tcp" from 192.0.2.77 --for 100d --ticket "DAY-$day" ;;
	esac
	[ "$day" -lt 6 ] || [ $((day % 6)) -eq 4 ] || run 0 machine remove "day$((day - 5))"
}

# Taken back the same day, and an import of the day before.
undo_some() {
	case $(($1 % 4)) in
	1) run 0 undo "$(last_change)" ;;
	3)
		[ -z "$imported" ] || run 0 undo "$imported"
		;;
	esac
	imported=
}

one_day() {
	edit_by_command "$1"
	undo_some "$1"
	edit_by_sql "$1" > "$home/edit.sql"
	holds "SQL of day $1" psql --single-transaction -f "$home/edit.sql"
	if [ $(($1 % 3)) -ne 1 ]; then
		document "$1" "team$(($1 % 2))" > "$home/team.conf"
		run 0 import --prune "$home/team.conf"
		imported=$(last_change)
	fi
}

keep() {
	answers "$kept/$1"
	holds "a copy of day $1" psql -f "$home/copy.sql" -o "$kept/$1/tables"
	holds "day $1 is past" psql -v month="$month" -v day="$1" -f "$home/shift.sql"
}

# --- the days ---
run 0 init
month=$((($(date +%s) / 86400 - days - 5) * 86400))
imported=
cat > "$home/first.conf" << 'END'
networks = ( { name = "office"; prefixes = [ "203.0.113.0/24" ]; } );
roles = ( { name = "front"; rules = [ "allow 80/tcp", "allow 22/tcp from network:office" ]; }, { name = "moved"; rules = [ "allow icmp from self" ]; } );
machines = ( { name = "edge"; addresses = [ "10.1.0.1", "fd00::1" ]; roles = [ "front", "moved" ]; } );
END
run 0 import "$home/first.conf"
keep 0
day=1
while [ "$day" -le "$days" ]; do
	one_day "$day"
	keep "$day"
	day=$((day + 1))
done

# --- looking back ---
same=0
for day in $(seq 0 "$days"); do
	at=$(moment "$day")
	answers "$home/then" --at "$at"
	psql -v at="$at" -f "$home/past.sql" -o "$home/then/tables" 2>> "$home/asked"
	holds "day $day is as it was" diff -r "$kept/$day" "$home/then"
	[ "$day" -eq 0 ] || ! cmp -s "$kept/$day/tables" "$kept/$((day - 1))/tables" || same=$((same + 1))
done
holds 'nothing was refused' sh -c "head '$home/asked'; test ! -s '$home/asked'"
holds 'each day was another' test "$same" -eq 0
holds 'what was explained changed, too' test "$(cat "$kept"/*/explained | wc -l)" -eq $(((days + 1) * $(wc -l < "$home/questions")))
holds 'in some way each few days' test "$(cd "$kept" && sha256sum ./*/explained | cut -d ' ' -f 1 | sort -u | wc -l)" -ge $((days < 12 ? 4 : 5))
before=$(date -u -d "@$((month - 86400))" +%Y-%m-%dT%H:%M:%SZ)
run 0 machine list --at "$before"
silent_on edge
finish
