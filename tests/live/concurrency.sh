#!/bin/sh
# Eight writers and a generator at once. Seven writers use the command, one plain SQL that takes its locks in any order. No command may
# fail: what a deadlock undoes is tried again. No generation may show half of a transaction: two machines, two roles and a network that
# documents always change together agree in each. Now and then, and at the end, with the writers kept out, what was published is
# compared with a run into an empty folder. CONCURRENCY_SECONDS=30 makes it longer.
set -u
. tests/live/lib/command.sh
seconds=${CONCURRENCY_SECONDS:-6}
out=$home/state/out

psql() {
	"$FLEETWALL" sql -- -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# do_one ARGUMENT…: a writer's command; a failure is kept with what it said.
do_one() {
	if "$FLEETWALL" "$@" > "$home/out.$me" 2> "$home/err.$me" < /dev/null; then
		echo "$1" >> "$home/done.$me"
	else
		echo "exit code $?: $*: $(cat "$home/err.$me")" >> "$home/failed.$me"
	fi
}

# The state of the things that go together: everything in it carries the number $1.
twins() {
	cat << END
networks = ( { name = "twin"; prefixes = [ "198.51.100.$(($1 % 250))/32" ]; } );
roles = ( { name = "twin-a"; rules = [ "allow $((10000 + $1 % 250))/tcp from network:twin" ]; },
	{ name = "twin-b"; rules = [ "allow $((10000 + $1 % 250))/udp from network:twin" ]; } );
machines = ( { name = "twin-1"; addresses = [ "192.0.2.$(($1 % 250))" ]; roles = [ "twin-a", "twin-b" ]; },
	{ name = "twin-2"; addresses = [ "192.0.2.$(($1 % 250))" ]; roles = [ "twin-b", "twin-a" ]; mode = "$2"; } );
END
}

# Until the generator has seen enough, which is never before the time is up.
writing() { [ ! -e "$home/rounds" ]; }
write_by_command() {
	me=$1 step=0 id=
	while writing; do
		step=$((step + 1))
		number=$((step * 31 + me * 7))
		case $(((step + me) % 9)) in
		0)
			do_one rule add "own$me" allow "$((1000 + step))/tcp" from role:shared
			id=$(tail -n 1 "$home/out.$me")
			;;
		1) do_one machine add "w$me-$step" --address "10.$me.$((step / 250)).$((step % 250 + 1))" --role shared --role "own$me" ;;
		2) do_one role assign shared 'base*' "base$me" ;;
		3) do_one machine set "base$me" --label "step=$step" --ssh-port "$((2000 + step))" ;;
		4 | 8)
			twins "$number" exclusive > "$home/twins.$me"
			do_one import "$home/twins.$me"
			;;
		5)
			[ -z "$id" ] || do_one rule remove "$id"
			id=
			;;
		6) do_one role unassign shared "base$me" ;;
		7)
			do_one machine disable "base$me"
			do_one machine enable "base$me"
			[ "$step" -lt 9 ] || do_one machine remove "w$me-*"
			;;
		esac
	done
}

# In either order: some of these lose a deadlock against each other or a command, and psql does not try again.
write_by_sql() {
	step=0
	while writing; do
		step=$((step + 1))
		machine="UPDATE fleetwall.machine SET ssh_port = $((3000 + step)) WHERE name = 'base1'"
		role="UPDATE fleetwall.role SET description = 'step $step' WHERE name = 'shared'"
		twin="UPDATE fleetwall.rule SET ports = int4multirange(int4range($((10000 + step % 250)), $((10001 + step % 250)))) WHERE role IN ('twin-a', 'twin-b');
			UPDATE fleetwall.network_prefix SET prefix = '198.51.100.$((step % 250))/32' WHERE network = 'twin';
			UPDATE fleetwall.address SET address = '192.0.2.$((step % 250))' WHERE machine IN ('twin-1', 'twin-2')"
		case $((step % 3)) in
		0) set -- "$machine; $role" ;;
		1) set -- "$role; SELECT pg_sleep(0.02); $machine" ;;
		2) set -- "$twin" ;;
		esac
		if psql -c "BEGIN; $1; COMMIT" > "$home/out.sql" 2> "$home/err.sql"; then
			echo sql >> "$home/done.sql"
		elif ! grep -q 'deadlock detected' "$home/err.sql"; then
			cat "$home/err.sql" >> "$home/failed.sql"
		fi
	done
}

# --- what is published ---

# Does all that the generation of $1 names have the digest that names it?
digests_hold() (
	cd "$1/current" || exit 1
	cut -d ' ' -f 1 manifest | sort -u | while read -r digest; do
		in=$1/store/rulesets/$(printf %.2s "$digest")/$(printf %.32s "$digest")
		[ "$(cd "$in" && sha256sum rules.v4 rules.v6 sets.list | sha256sum | cut -d ' ' -f 1)" = "$digest" ] || echo "ruleset $digest"
		sed 's/^/set /' "$in/sets.list" >> "$home/needed"
	done
	cut -d ' ' -f 1 sets | sort -u | while read -r digest; do
		echo "$digest  $1/store/sets/$(printf %.2s "$digest")/$(printf %.32s "$digest")"
	done | sha256sum --quiet -c - 2>&1
	sed -n 's/^[0-9a-f]*  /set /p' sets | LC_ALL=C sort -u > "$home/there"
	LC_ALL=C sort -u "$home/needed" | LC_ALL=C comm -23 - "$home/there"
)

# The number in each of the things that go together, as the generation has it: one, or none at all.
twin_numbers() (
	cd "$out/current" || exit 1
	for name in twin-1 twin-2; do
		digest=$(sed -n "s/^\([0-9a-f]*\)  $name\$/\1/p" manifest)
		[ -z "$digest" ] || sed -n 's/.*-p \(tcp\|udp\) .*--dport 10\([0-9]*\) .*"twin-[ab] .*/\1 \2/p' "$out/store/rulesets/$(printf %.2s "$digest")/$(printf %.32s "$digest")/rules.v4"
	done | sed 's/ 0*\([0-9]\)/ \1/' | sort | uniq -c
	set=$(sed -n 's/^\([0-9a-f]*\)  twin-[0-9a-f]*\.v4$/\1/p' sets)
	[ -z "$set" ] || sed -n 's/^add .* 198\.51\.100\.\([0-9]*\)$/prefix \1/p' "$out/store/sets/$(printf %.2s "$set")/$(printf %.32s "$set")"
)

# Two machines with tcp and udp each, and the prefix: three lines, one number.
twins_agree() {
	twin_numbers > "$home/twins"
	[ "$(awk '{ print $NF }' "$home/twins" | sort -u | wc -l)" -eq 1 ] && [ "$(wc -l < "$home/twins")" -eq 3 ] &&
		[ "$(grep -c '^ *2 ' "$home/twins")" -eq 2 ]
}

# With every writer kept out: the published generation against a full run into an empty folder.
cat > "$home/compare" << 'END'
"$FLEETWALL" generate --force && "$FLEETWALL" --output "$home/fresh" generate --force &&
	cmp "$home/state/out/current/manifest" "$home/fresh/current/manifest" && cmp "$home/state/out/current/sets" "$home/fresh/current/sets" &&
	diff -r "$home/state/out/machines" "$home/fresh/machines" && diff -r "$home/state/out/sets" "$home/fresh/sets" && echo same
END
compare_alone() {
	rm -rf "$home/fresh"
	{
		echo 'BEGIN;'
		cat sql/queries/inventory-lock.sql
		echo ';'
		echo "\\! sh $home/compare < /dev/null 2>&1"
		echo 'COMMIT;'
	} > "$home/alone.sql"
	for _ in 1 2 3 4 5 6; do
		psql -f "$home/alone.sql" > "$home/compared" 2>&1 && grep -qx same "$home/compared" && return
		grep -q 'deadlock detected' "$home/compared" || break
	done
	cat "$home/compared"
	return 1
}

generate_and_look() {
	rounds=0
	while [ "$(date +%s)" -lt "$end" ] || [ "$rounds" -lt 3 ]; do
		rounds=$((rounds + 1))
		"$FLEETWALL" generate --force > "$home/generated" 2>&1 || sed "s/^/generate: exit code $?: /" "$home/generated" >> "$home/wrong"
		: > "$home/needed"
		digests_hold "$out" > "$home/digests"
		[ ! -s "$home/digests" ] || sed 's/^/digest: /' "$home/digests" >> "$home/wrong"
		twins_agree || sed 's/^/half a state: /' "$home/twins" >> "$home/wrong"
		if [ $((rounds % 5)) -eq 0 ]; then
			compare_alone > "$home/different" || sed 's/^/compared: /' "$home/different" >> "$home/wrong"
		fi
	done
	echo "$rounds" > "$home/rounds"
}

# --- the run ---
export home
run 0 init
run 0 role add shared
# The server looks for deadlocks after a second, which is long for a test of many.
cat > "$home/soon.sql" << 'END'
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = %L', current_database(), '50ms'); END $$
END
holds 'deadlocks end soon' psql -f "$home/soon.sql"
{
	echo 'roles = ( { name = "shared"; rules = [ "allow 22/tcp", "allow 80/tcp from self" ]; }'
	for me in 1 2 3 4 5 6 7; do echo ", { name = \"own$me\"; rules = [ \"allow 443/tcp from role:shared\" ]; }"; done
	echo '); machines = ( { name = "base0"; }'
	for me in 1 2 3 4 5 6 7; do echo ", { name = \"base$me\"; addresses = [ \"10.$me.255.1\", \"fd00::$me\" ]; roles = [ \"own$me\", \"shared\" ]; }"; done
	echo ');'
} > "$home/base.conf"
run 0 import "$home/base.conf"
twins 1 coexist > "$home/twins.0"
run 0 import "$home/twins.0"
: > "$home/wrong"
end=$(($(date +%s) + seconds))
for me in 1 2 3 4 5 6 7; do write_by_command "$me" & done
write_by_sql &
generate_and_look
wait
cat "$home"/failed.* > "$home/failed" 2> /dev/null
holds 'no command failed' sh -c "head -n 10 '$home/failed'; test ! -s '$home/failed'"
holds 'each generation was whole' sh -c "head -n 20 '$home/wrong'; test ! -s '$home/wrong'"
for me in 1 2 3 4 5 6 7 sql; do holds "writer $me wrote" test -s "$home/done.$me"; done
holds 'there were generations' test "$(cat "$home/rounds")" -ge 3
echo "$(cat "$home"/done.* | wc -l) edits, $(cat "$home/rounds") generations, $(psql -c 'SELECT pg_stat_clear_snapshot(), deadlocks
	FROM pg_stat_database WHERE datname = current_database()' | cut -d '|' -f 2) deadlocks"

# --- when all is quiet ---
holds 'the last generation is that of a full run' compare_alone
: > "$home/needed"
digests_hold "$out" > "$home/digests"
holds 'its digests' sh -c "cat '$home/digests'; test ! -s '$home/digests'"
holds 'the twins agree' twins_agree
holds 'the database knows the digest' test "$(cd "$out/current/" && sha256sum manifest sets | sha256sum | cut -d ' ' -f 1)" = \
	"$(psql -c "SELECT encode(digest, 'hex') FROM fleetwall.generation WHERE number = $(basename "$(readlink "$out/current")")")"
holds 'every change has its transaction' test "$(psql -c 'SELECT count(*) FROM fleetwall.history AS h
	WHERE NOT EXISTS (SELECT FROM fleetwall.history_transaction AS t WHERE t.number = h.transaction)')" = 0
run 0 export
cp "$home/out" "$home/export.conf"
run 0 import --prune --dry-run "$home/export.conf"
finish
