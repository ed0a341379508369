#!/bin/sh
# What may happen to generate and watch at any moment: kill -9, a full disk, a database that goes away, two at once, files that people
# damage or remove. After each the published generation is whole and one that was complete, and the next run succeeds.
# BAD_DAYS=N kills N times; SEED tells the moments. long: it waits.
# shellcheck disable=SC2317 # functions that holds() calls
set -u
. tests/live/lib/command.sh
. tests/live/lib/store.sh
out=$home/state/out
kills=${BAD_DAYS:-4}
seed=${SEED:-$(date +%s)}
echo "SEED=$seed"

# A number below $1, the same for the same seed.
random() {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	echo $((seed / 65536 % $1))
}

# The private server has a new socket each time that it is started.
server() {
	conninfo=$("$FLEETWALL" database status | sed -n 's/^conninfo: //p')
}

# Every object that the published generation names is there and has its digest, and so have the manifest and the sets.
whole() {
	generation=$(readlink -f "$out/current") || return 1
	generation_whole "$out" "$generation" || return 1
	found=$(cd "$generation" && sha256sum manifest sets | sha256sum | cut -d ' ' -f 1)
	server
	psql -qAtc "SELECT encode(digest, 'hex') FROM fleetwall.generation WHERE number = ${generation##*/}" "$conninfo" | grep -qx "$found"
}

# links FOLDER LIST KIND: the folder's links are those of the list, and lead to these objects.
links() {
	find "$out/$1" -type l -printf '%l  %f\n' | LC_ALL=C sort > "$home/found"
	sed "s|^\(..\)\(.\{30\}\)[0-9a-f]*  |../store/$3/\1/\1\2  |" "$out/current/$2" | LC_ALL=C sort | cmp - "$home/found"
}

# The links say what the published generation says.
linked() {
	links machines manifest rulesets && links sets sets sets
}

# What stands there is what a run from nothing would make.
same_as_full() {
	rm -rf "$home/full"
	"$FLEETWALL" generate --output "$home/full" --full --force || return 1
	cmp "$out/current/manifest" "$home/full/current/manifest" && cmp "$out/current/sets" "$home/full/current/sets"
}

changes=0
change() {
	changes=$((changes + 1))
	machine="m$(printf %06d "$(random 300)").s$(($(random 300) % 9)).example.net"
	case $(random 4) in
	0) statement="UPDATE fleetwall.machine SET enabled = NOT enabled WHERE name = '$machine'" ;;
	1) statement="INSERT INTO fleetwall.address (machine, address) SELECT name, '198.51.100.$((changes % 250))' FROM fleetwall.machine ORDER BY name LIMIT 1 OFFSET $(random 300)
			ON CONFLICT DO NOTHING" ;;
	2) statement="UPDATE fleetwall.machine SET ssh_port = 2000 + $changes WHERE name = (SELECT name FROM fleetwall.machine ORDER BY name LIMIT 1 OFFSET $(random 300))" ;;
	*) statement="DELETE FROM fleetwall.member WHERE (role, machine) = (SELECT role, machine FROM fleetwall.member ORDER BY 1, 2 LIMIT 1 OFFSET $(random 500))" ;;
	esac
	server
	psql -qAtc "$statement" "$conninfo" > "$home/out" 2> "$home/err" || fault "change: $statement"
}

run 0 init
"$BUILD/bench/fleet" --machines 300 --roles 24 --shape kinds --seed 3 --out "$home/csv"
run 0 import --csv "$home/csv"
run 0 generate
holds 'the first generation is whole' whole

# --- kill -9 ---
i=0
while [ $i -lt "$kills" ]; do
	i=$((i + 1))
	change
	full=
	[ "$(random 3)" != 0 ] || full=--full
	# The shell tells of the kill, which nobody wants to read.
	# shellcheck disable=SC2086 # an option or none
	{ timeout -s KILL "0.0$(printf %02d "$(random 90)")" "$FLEETWALL" generate $full > /dev/null 2>&1; } 2> /dev/null
	holds "whole after kill $i" whole
	if [ $((i % 4)) = 0 ]; then
		run 0 generate
		holds "whole after the run after kill $i" whole
		holds "linked after the run after kill $i" linked
	fi
done
run 0 generate
holds 'what many killed runs led to is what one from nothing makes' same_as_full

# --- kill -9 of watch, while things change ---
i=0
while [ $i -lt $((kills / 3)) ]; do
	i=$((i + 1))
	"$FLEETWALL" watch > "$home/watch" 2>&1 &
	watch=$!
	sleep "0.$(printf %02d "$(random 30)")"
	change
	change
	sleep "0.0$(random 9)"
	kill -9 "$watch"
	wait "$watch" 2> /dev/null
	holds "whole after watch was killed ($i)" whole
done
run 0 generate
holds 'linked after watch was killed' linked
holds 'the same after watch was killed' same_as_full

# --- the database goes away ---
i=0
while [ $i -lt 2 ]; do
	i=$((i + 1))
	change
	"$FLEETWALL" generate --full > "$home/said" 2>&1 &
	generate=$!
	sleep "0.0$(random 9)"
	"$FLEETWALL" database stop > /dev/null 2>&1
	wait "$generate"
	code=$?
	holds "generate without its database ends with 0 or 3, not $code" [ "$code" = 0 -o "$code" = 3 ]
	run 0 database start
	holds "whole after the database was stopped ($i)" whole
	run 0 generate
done

# --- two at once ---
change
"$FLEETWALL" generate > "$home/one" 2>&1 &
one=$!
"$FLEETWALL" generate --full > "$home/two" 2>&1 &
two=$!
wait "$one"
first=$?
wait "$two"
holds 'both of two at once succeed' [ "$first$?" = 00 ]
holds 'whole after two at once' whole

# --- a full disk ---
if unshare -m true 2> /dev/null; then
	cat > "$home/fill" <<-'END'
		set -u
		mount -t tmpfs -o size=3m tmpfs "$1" || exit 77
		"$FLEETWALL" generate --output "$1" || exit 10
		number=$(readlink "$1/current")
		dd if=/dev/zero of="$1/filler" bs=4k 2> /dev/null
		"$FLEETWALL" generate --output "$1" --full > /dev/null 2>&1 # perhaps nothing is needed
		psql -qAtc "UPDATE fleetwall.machine SET ssh_port = coalesce(ssh_port, 22) + 1" "$3" > /dev/null
		"$FLEETWALL" generate --output "$1" --force > "$2" 2>&1
		code=$?
		[ $code = 3 ] || { echo "exit code $code on a full disk"; cat "$2"; exit 11; }
		[ "$(readlink "$1/current")" = "$number" ] || exit 12
		rm "$1/filler"
		"$FLEETWALL" generate --output "$1" --force || exit 13
		[ "$(readlink "$1/current")" != "$number" ] || exit 14
	END
	mkdir "$home/small"
	holds 'a full disk leaves what was published, and says so' unshare -m sh "$home/fill" "$home/small" "$home/said" "$conninfo"
	run 0 generate --force
else
	echo 'SKIPPED: no mounts can be made here: the full disk was not tried'
fi

# --- damage by hand ---
# after WHAT COMPLAINT…: what was damaged since is mended, and told with these words; then nothing is left to tell.
after() {
	what=$1
	shift
	run 0 generate
	for complaint; do
		complains "$complaint"
	done
	holds "whole after: $what" whole
	holds "linked after: $what" linked
	run 0 generate
	says unchanged
	empty "no warning is left after: $what" "$home/err"
}
digest_of() { sed -n "$2s/ .*//p" "$out/current/$1" | cut -c 1-32; }
ruleset() { find "$out/store/rulesets" -mindepth 2 -maxdepth 2 -type d -name "$(sort -u -k 1,1 "$out/current/manifest" | sed -n "$1s/ .*//p" | cut -c 1-32)"; }
set_file() { find "$out/store/sets" -type f -name "$(digest_of sets "$1")"; }
emptied=$(ruleset 1) changed=$(ruleset 2) short=$(ruleset 3) gone=$(ruleset 4) link=$(ruleset 5)
chmod u+w "$emptied/rules.v4" && : > "$emptied/rules.v4"
chmod u+w "$changed/rules.v6" && sed -i s/ACCEPT/accept/ "$changed/rules.v6" # the size stays
rm -f "$short/sets.list"
rm -rf "$gone" "$link" && ln -s /etc "$link"
absent=$(set_file 1) longer=$(set_file 2)
rm -f "$absent"
chmod u+w "$longer" && echo 'add x 0.0.0.0/1' >> "$longer"
after 'objects were emptied, changed, removed, replaced' "${emptied##*/}" "${changed##*/}" "${short##*/}" "${gone##*/}" "${link##*/}" "${absent##*/}" \
	"${longer##*/}"
rm "$(find "$out/machines" -type l | head -n 1)"
ln -sfn /etc "$(find "$out/machines" -type l | tail -n 1)"
ln -s /etc "$out/machines/nobody"
ln -sfn /etc/passwd "$(find "$out/sets" -type l | head -n 1)"
after 'links were removed, led elsewhere, were too many'
cp -a "$out/store" "$home/backup" && rm -rf "$out/store" && mv "$home/backup" "$out/store"
after 'the store was copied back'
rm -rf "$out/cache"
after 'the cache is gone'
head -c 4000 /dev/urandom > "$out/cache/head"
head -c 4000 /dev/urandom > "$out/cache/model"
after 'the cache is garbage'
manifest=$(readlink -f "$out/current")/manifest
chmod u+w "$manifest" && sed -i 1d "$manifest"
after 'the manifest was changed' 'are not those that were published'
rm -rf "$(readlink -f "$out/current")"
after 'the generation is gone'
ln -sfn /etc "$out/current"
after 'current leads elsewhere'
rm -rf "${out:?}"/*
after 'all is gone'
finish
