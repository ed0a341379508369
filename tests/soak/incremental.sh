#!/bin/sh
# What an incremental run of generate makes is what a full run makes, after any edits: a database is changed at random, by SQL and by
# commands; each time generate does what is new, and `generate --full` everything, into another folder. Manifest, sets, every link and
# every object's bytes must be the same. Time passes as well: rules begin and end within seconds.
# SOAK_SECONDS (60) says how long, SOAK_SEED where to begin; the seed is printed. What did not hold is kept, with the edits.
set -u
. tests/live/lib/command.sh
seconds=${SOAK_SECONDS:-60}
seed=${SOAK_SEED:-$(date +%s)}
out=$home/state/out full=$home/full
echo "seed $seed"

psql() {
	"$FLEETWALL" sql -- -X -q -A -t "$@"
}

# Up to $1 - 1, from the seed.
random() {
	state=$(((state * 1103515245 + 12345) % 2147483648))
	drawn=$((state / 65536 % $1))
}
state=$seed
random 2

# --- edits ---

some_machine() {
	psql -c "SELECT name FROM fleetwall.machine ORDER BY md5(name || '$drawn') LIMIT 1"
}
some_role() {
	psql -c "SELECT name FROM fleetwall.role WHERE machine IS NULL ORDER BY md5(name || '$drawn') LIMIT 1"
}

# do_command ARGUMENT…: it may refuse, but not fail.
do_command() {
	echo "fleetwall $*" >> "$home/edits"
	"$FLEETWALL" "$@" > "$home/out" 2> "$home/err" < /dev/null
	code=$?
	[ "$code" -le 2 ] || fault "fleetwall $*: exit code $code"
}

command_edit() {
	random 30000
	machine=$(some_machine) role=$(some_role)
	case $((drawn % 9)) in
	0) do_command machine disable "$machine" ;;
	1) do_command machine enable "$machine" ;;
	2) do_command role assign "$role" "$machine" ;;
	3) do_command role unassign "$role" "$machine" ;;
	4) do_command rule add "$role" "allow $((4000 + drawn % 100))/tcp from role:$role, 10.8.0.0/16" ;;
	5) do_command open "$machine" "allow $((5000 + drawn % 100))/tcp" --for "$((1 + drawn % 4))s" --ticket SOAK-1 ;;
	6) do_command machine set "$machine" --label "site=$((drawn % 3))" --ssh-port "$((2200 + drawn % 3))" ;;
	7) do_command machine remove "$machine" ;;
	8)
		cat > "$home/document" << END
networks = ( { name = "soak"; prefixes = [ "198.51.$((drawn % 100)).0/24" ]; } );
roles = ( { name = "soak"; selector = { env = "prod"; }; rules = [ "allow $((6000 + drawn % 50))/udp from network:soak", "deny 23/tcp" ]; } );
machines = ( { name = "soak-$((drawn % 5))"; addresses = [ "10.7.0.$((drawn % 200))" ]; roles = [ "soak" ]; labels = { env = "test"; }; } );
END
		do_command import "$home/document"
		;;
	esac
}

sql_edits() {
	random 30000
	awk -v seed="$drawn" -v count="$1" -f tests/soak/edits.awk > "$home/sql"
	cat "$home/sql" >> "$home/edits"
	psql -f "$home/sql" > "$home/out" 2> "$home/refused"
	# A mistake in the edits themselves would make them edits of nothing.
	! grep -E 'syntax error|does not exist|is of type' "$home/refused" > "$home/err" || fault "the edits make no sense"
}

# A transaction that began before the next run, and ends after it.
begin_straddling() {
	random 30000
	{
		echo 'BEGIN;'
		awk -v seed="$drawn" -v count=1 -f tests/soak/edits.awk | grep -v -e '^BEGIN' -e '^COMMIT' -e '^ROLLBACK'
		echo 'SELECT pg_sleep(0.6); COMMIT;'
	} > "$home/straddling"
	cat "$home/straddling" >> "$home/edits"
	psql -f "$home/straddling" > "$home/straddled" 2>&1 &
	straddler=$!
	sleep 0.15
}

# --- comparing ---

links() {
	(cd "$1" && find machines sets -type l -printf '%p %l\n' | LC_ALL=C sort)
}

same() {
	cmp "$out/current/manifest" "$full/current/manifest" && cmp "$out/current/sets" "$full/current/sets" || return 1
	links "$out" > "$home/links" && links "$full" | diff "$home/links" - && diff -r "$out/machines" "$full/machines" &&
		diff -r "$out/sets" "$full/sets"
}

# Does a rule begin or end within a second of what lies between these times? Then both runs may be right.
edge_between() {
	[ "$(psql -c "SELECT count(*) FROM fleetwall.rule CROSS JOIN LATERAL (VALUES (since), (until)) AS edge (at)
		WHERE at BETWEEN to_timestamp($1) - interval '1 s' AND to_timestamp($2) + interval '1 s'")" != 0 ]
}

generate() {
	if "$FLEETWALL" "$@" > "$home/out" 2> "$home/err" < /dev/null; then
		echo "fleetwall $*: $(tail -n 1 "$home/out")" >> "$home/edits"
		return 0
	fi
	fault "fleetwall $*: exit code $?"
	return 1
}

compare() {
	tries=0
	while :; do
		before=$(date +%s)
		generate generate --force && generate --output "$full" generate --full --force || return 1
		if same > "$home/out" 2>&1; then
			passed=$((passed + 1))
			return 0
		fi
		tries=$((tries + 1))
		if [ "$tries" -gt 5 ] || ! edge_between "$before" "$(date +%s)"; then
			: > "$home/err"
			fault "round $round: an incremental run and a full one differ"
			return 1
		fi
		sleep 1
	done
}

keep() {
	kept=$(mktemp -d /tmp/fleetwall-soak.XXXXXX) && cp -R "$home/edits" "$out" "$full" "$kept"
	echo "seed $seed, round $round: what there was is in $kept"
}

# Rows of peers that were ever read. Backends say it when they go, which is a moment later: the number has to come to rest.
peers_read() {
	rows=none
	while sleep 0.3; do
		now=$(psql -c "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'rule_peer'")
		[ "$now" != "$rows" ] || break
		rows=$now
	done
	echo "$rows"
}

# Full runs that call themselves incremental would always be right: a change of one machine must not need any rule.
check_that_runs_are_incremental() {
	run 0 generate
	psql -c "UPDATE fleetwall.machine SET ssh_port = 2022 WHERE name = (SELECT min(name) FROM fleetwall.machine)"
	reads=$(peers_read)
	run 0 generate
	holds 'an incremental run reads what changed' [ "$(peers_read)" = "$reads" ]
	run 0 generate --full
	holds 'a full run reads everything' [ "$(peers_read)" -gt "$reads" ]
}

# --- the soak ---

"$BUILD/bench/fleet" --machines 120 --roles 24 --seed "$((seed % 1000))" --out "$home/csv" > /dev/null
run 0 init
run 0 import --csv "$home/csv"
check_that_runs_are_incremental
end=$(($(date +%s) + seconds)) round=0 silent=0
while [ "$(date +%s)" -lt "$end" ] && [ "$failed" -eq 0 ]; do
	round=$((round + 1))
	echo "# round $round" >> "$home/edits"
	straddler=
	random 10
	case $drawn in
	0) sleep 1.2 ;;
	1 | 2) command_edit ;;
	3)
		begin_straddling
		generate generate --force
		wait "$straddler"
		;;
	4) sql_edits 12 ;;
	*) sql_edits "$((drawn - 4))" ;;
	esac
	compare || keep
	grep -q unchanged "$home/edits" && silent=1
done

# A soak that changed nothing proves nothing.
changes=$(psql -c 'SELECT count(*) FROM fleetwall.history')
numbers=$(psql -c 'SELECT count(*) FROM fleetwall.generation')
echo "$round rounds, $changes rows of history, $numbers generations"
[ "$silent" -eq 1 ] || [ "$round" -lt 10 ] || fault "no run of $round was one that had nothing to do"
finish
