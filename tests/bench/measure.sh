# shellcheck shell=sh disable=SC2154
# The measurements of fleetwall itself, for run.sh, which owns the variables: machines, shape, runs, disk, tmpfs, filesystems, results. Each
# measurement is one line of results: machines, shape, file system, work, seconds, KiB at the peak, how many machines of how many.

say() {
	echo "$*" >&2
}

quit() {
	say "bench: $* failed:"
	cat "$disk/said" >&2
	say "what was measured until then is in $results"
	exit 1
}

# record FILESYSTEM WORK SECONDS [KIB [DONE OF]]
record() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$machines" "$shape" "$1" "$2" "$3" "${4:-}" "${5:-}" "${6:-}" >>"$results"
}

# measure FILESYSTEM WORK COMMAND…
measure() {
	filesystem=$1 work=$2
	shift 2
	rm -f "$disk/took"
	"$BUILD/bench/timed" "$disk/took" "$@" >"$disk/said" 2>&1 || quit "$work"
	# shellcheck disable=SC2046 # two numbers
	record "$filesystem" "$work" $(cut -f 1,3 "$disk/took")
}

# What others left to be written must not be written while the next is measured.
settle() {
	sync -f "$disk"
}

# --- import ----------------------------------------------------------------------------------------------------------------------------

# The columns that a row is written with: all but those that the database derives.
columns_of() {
	ask bench -c "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'fleetwall.$1'::regclass AND attnum > 0
		AND NOT attisdropped AND attgenerated = '' AND NOT ('$1' = 'rule' AND attname IN ('text', 'digest'))"
}

# The same rows as \copy reads them, and a script that does, tables in the order of their foreign keys, one transaction.
prepare_rows() {
	mkdir -p "$disk/rows"
	echo "BEGIN;" >"$disk/rows/load.sql"
	for table in machine address role member network network_prefix service service_port rule rule_peer; do
		case $table in
		service) which="WHERE NOT builtin" ;;
		service_port) which="WHERE service IN (SELECT name FROM fleetwall.service WHERE NOT builtin)" ;;
		*) which='' ;;
		esac
		columns=$(columns_of "$table")
		ask bench -c "\\copy (SELECT $columns FROM fleetwall.$table $which) TO '$disk/rows/$table'" >"$disk/said" 2>&1 || quit "exporting $table"
		printf '%s\n' "\\copy fleetwall.$table ($columns) FROM '$disk/rows/$table'" >>"$disk/rows/load.sql"
	done
	echo "COMMIT;" >>"$disk/rows/load.sql"
}

import_into() {
	new_database "$1"
	ask "$1" -c CHECKPOINT
	settle
	measure "$disk_name" import "$program" --config "$disk/fleetwall.conf" --database "$(conninfo "$1")" import --csv "$disk/fleet"
}

load_rows() {
	new_database loaded
	ask loaded -c CHECKPOINT
	settle
	measure "$disk_name" load psql -X -q -v ON_ERROR_STOP=1 -d "$(conninfo loaded)" -f "$disk/rows/load.sql"
	for database in bench loaded; do
		ask "$database" -c "SELECT role, text, digest FROM fleetwall.rule ORDER BY role, text" >"$disk/rules.$database"
	done
	cmp "$disk/rules.bench" "$disk/rules.loaded" >"$disk/said" 2>&1 || quit "comparing what was loaded"
	ask postgres -c "DROP DATABASE loaded"
}

# The database `bench` with the fleet in it; the import is measured if it is wanted, on kinds (to it both shapes are the same).
fill_database() {
	import_into bench
	ask bench -c "VACUUM ANALYZE"
	record "$disk_name" rows "$(ask bench -c "SELECT sum(n) FROM (SELECT count(*) AS n FROM fleetwall.machine UNION ALL
		SELECT count(*) FROM fleetwall.address UNION ALL SELECT count(*) FROM fleetwall.member UNION ALL SELECT count(*) FROM fleetwall.role UNION ALL
		SELECT count(*) FROM fleetwall.rule UNION ALL SELECT count(*) FROM fleetwall.rule_peer UNION ALL SELECT count(*) FROM fleetwall.network_prefix) AS t")"
	if ! among import $parts || [ "$shape" != kinds ] || [ "$machines" -gt 100000 ]; then
		return 0
	fi
	prepare_rows
	load_rows
	for _ in $(seq 2 "$runs"); do
		import_into again
		ask postgres -c "DROP DATABASE again"
		load_rows
	done
	rm -rf "$disk/rows"
}

# --- generate --------------------------------------------------------------------------------------------------------------------------

# generate FILESYSTEM WORK OUTPUT [OPTION]
generate() {
	settle
	measure "$1" "$2" "$program" --config "$disk/fleetwall.conf" --database "$bench" --output "$3" generate ${4:+"$4"}
}

# The server writes each table to a file in binary form; no client has a part in it. Its own word for how long it took counts.
measure_copy() {
	mkdir -m 1777 "$2"
	{
		printf '%s\n' '\timing on'
		echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;'
		for table in machine address role member network network_prefix service service_port rule rule_peer; do
			echo "COPY fleetwall.$table TO '$2/$table' WITH (FORMAT binary);"
		done
		echo 'COMMIT;'
	} >"$disk/copy.sql"
	settle
	ask bench -f "$disk/copy.sql" >"$disk/said" 2>&1 || quit "COPY"
	record "$1" copy "$(awk '/^Time: / { ms += $2 } END { print ms / 1000 }' "$disk/said")"
	rm -rf "$2"
}

# write_floor FILESYSTEM FOLDER: the published output again, by a plain loop. Removed later: after large removals ext4 creates slowly.
write_floor() {
	settle
	"$BUILD/bench/floor" "$source" "$2" >"$disk/took" 2>"$disk/said" || quit "writing the floor"
	record "$1" write "$(cut -f 1 "$disk/took")"
	record "$1" sync "$(cut -f 2 "$disk/took")"
	[ "$1" != tmpfs ] || rm -rf "$2"
}

describe_output() {
	record "$disk_name" files "$(cut -f 4 "$disk/took")"
	record "$disk_name" links "$(cut -f 5 "$disk/took")"
	record "$disk_name" bytes "$(cut -f 6 "$disk/took")"
	record "$disk_name" rulesets "$(cut -d ' ' -f 1 "$source/current/manifest" | sort -u | wc -l)"
	record "$disk_name" sets "$(wc -l <"$source/current/sets")"
}

# The floor and fleetwall, in turns the one or the other first, on each file system. The last outputs stay, and are what the incremental runs
# go on from.
measure_cold() {
	for round in $(seq "$runs"); do
		for fs in $filesystems; do
			place=$(place_of "$fs")
			[ "$fs" != tmpfs ] || rm -rf "$place/out"
			[ ! -e "$place/out" ] || mv "$place/out" "$place/$machines-$shape-out-$round"
			measure_copy "$fs" "$place/copy"
			[ $((round % 2)) -eq 1 ] || generate "$fs" cold "$place/out"
			write_floor "$fs" "$place/$machines-$shape-floor-$round"
			[ "$round" -gt 1 ] || [ "$fs" != "${filesystems%% *}" ] || describe_output
			[ $((round % 2)) -eq 0 ] || generate "$fs" cold "$place/out"
		done
	done
}

# Every path below the output, with what changes when it is written to.
look_at() {
	find "$1" -printf '%p %i %s %T@ %C@\n' | sort >"$2"
	ask bench -c "SELECT pg_snapshot_xmax(pg_current_snapshot())" >>"$2"
}

measure_nothing() {
	for _ in 1 2 3 4 5; do
		for fs in $filesystems; do
			place=$(place_of "$fs")
			look_at "$place/out" "$disk/before"
			generate "$fs" nothing "$place/out"
			look_at "$place/out" "$disk/after"
			record "$fs" written "$(diff "$disk/before" "$disk/after" | grep -c '^>' || true)"
		done
	done
}

# What is published is proved, all of it; its keys are kept for the proofs of what changes then.
measure_verify() {
	fs=${filesystems##* }
	settle
	measure "$fs" verify "$program" --config "$disk/fleetwall.conf" --database "$bench" --output "$(place_of "$fs")/out" verify
	generate "$fs" keep "$(place_of "$fs")/out" --verify
}

# Behind each round what is new is proved: that is a load and a proof, and nothing else.
measure_change() {
	for round in $(seq 11 $((10 + runs))); do
		ask bench -v "round=$round" -f "$here/change.sql" >"$disk/said" 2>&1 || quit "changing one percent"
		for fs in $filesystems; do
			generate "$fs" change "$(place_of "$fs")/out"
			[ "$fs" != "${filesystems##* }" ] || generate "$fs" proof "$(place_of "$fs")/out" --verify
		done
	done
}

# What small steps led to must be what one large step leads to.
compare_with_full() {
	full=$(place_of "${filesystems##* }")/full
	"$program" --config "$disk/fleetwall.conf" --database "$bench" --output "$full" generate >"$disk/said" 2>&1 || quit "a full run"
	for fs in $filesystems; do
		for list in manifest sets; do
			cmp "$full/current/$list" "$(place_of "$fs")/out/current/$list" >"$disk/said" 2>&1 || quit "comparing with a full run"
		done
	done
	rm -rf "$full"
}

# Begins with a run that is not measured: it warms up the server, and what it publishes is what the floor writes.
measure_generate() {
	bench=$(conninfo bench)
	source=$(place_of "${filesystems##* }")/source
	"$program" --config "$disk/fleetwall.conf" --database "$bench" --output "$source" generate >"$disk/said" 2>&1 || quit "generate"
	if among generate $parts; then
		measure_cold
		measure_nothing
		measure_verify
		measure_change
		compare_with_full
	else
		for fs in $filesystems; do
			generate "$fs" cold "$(place_of "$fs")/out"
		done
	fi
	rm -rf "$source"
}

# --- watch -----------------------------------------------------------------------------------------------------------------------------

measure_watch() {
	if ! "$program" watch --help >/dev/null 2>&1; then
		say "SKIPPED: this program has no command watch"
		return 0
	fi
	first=0
	for fs in $filesystems; do
		out=$(place_of "$fs")/out
		settle
		"$BUILD/bench/watch" "$bench" "$out" "$first" 100 \
			"$program" --config "$disk/fleetwall.conf" --database "$bench" --output "$out" watch >"$disk/took" 2>"$disk/said" || quit "watch"
		while IFS="$(printf '\t')" read -r kind value; do
			if [ "$kind" = peak ]; then record "$fs" watching 0 "$value"; else record "$fs" watch "$value"; fi
		done <"$disk/took"
		first=$((first + 100))
	done
}
