#!/bin/sh
# Old generations from the outside: the list, publishing one again (what it opens, rules whose time has come or gone, other settings, --only,
# guards, kill -9; long: it waits), and what is collected: never what is published, pinned or confirmed.
set -u
. tests/live/lib/command.sh
. tests/live/lib/store.sh
out=$home/state/out

cat > "$home/fleet.conf" << 'END_OF_FLEET'
roles = ( { name = "web"; rules = [ "allow 443/tcp", "allow 22/tcp from role:bastion" ]; }, { name = "bastion"; rules = [ "allow 22/tcp" ]; } );
machines = (
  { name = "b1"; addresses = [ "10.0.0.1" ]; roles = [ "bastion" ]; },
  { name = "w1"; addresses = [ "10.0.1.1" ]; roles = [ "web" ]; },
  { name = "w2"; addresses = [ "10.0.1.2" ]; roles = [ "web" ]; },
  { name = "w3"; addresses = [ "10.0.1.3", "fd00::3" ]; } );
END_OF_FLEET

sql() {
	run 0 sql -- -qAt -v ON_ERROR_STOP=1 -c "$1"
}
current() {
	basename "$(readlink "$out/current")"
}
same() { # A B: two generations say the same
	cmp "$out/generations/$1/manifest" "$out/generations/$2/manifest" && cmp "$out/generations/$1/sets" "$out/generations/$2/sets"
}
# Every generation is whole, by sha256sum, and nothing else is in the store.
whole() {
	for folder in "$out"/generations/*; do
		generation_whole "$out" "$folder" || { echo "$folder" && return 1; }
	done
	find "$out/store" -mindepth 3 -maxdepth 3 -printf '%f\n' | sort > "$home/there"
	cut -c 1-32 "$out"/generations/*/manifest "$out"/generations/*/sets | sort -u > "$home/needed"
	diff "$home/needed" "$home/there"
}
recorded() { # the published generation is the one that the database knows by that number
	digest=$(cd "$out/current/" && sha256sum manifest sets | sha256sum | cut -d ' ' -f 1)
	[ "$("$FLEETWALL" sql -- -qAtc "SELECT encode(digest, 'hex') FROM fleetwall.generation WHERE number = $(current)")" = "$digest" ]
}

run 0 init
run 0 generation list
run 2 generation publish 1
complains 'fleetwall generate makes the first one'
run 0 import "$home/fleet.conf"
run 0 generate # 1
run 0 rule add web allow 80/tcp
run 0 generate # 2
run 0 rule add web deny 443/tcp from 192.0.2.0/24
run 0 machine set w3 --role web
run 0 generate # 3
run 0 --json generation list
json '[.items[].generation] == [1, 2, 3] and [.items[].published] == [false, false, true]'
json '.items[2] | .machines == 4 and .rulesets == 2 and (.digest | length) == 64 and .who != null and .of == null and .confirmed == 0 and .pins == []'

# --- an old one again: what it opens is shown, and the inventory stays ---
run 1 generation publish 2 --dry-run
says 'generation 2 would be published again'
says 'opens 443/tcp on 2 machines (w1, w2) to 192.0.2.0/24: deny 443/tcp from 192.0.2.0/24 of role web is gone'
silent_on 'opens 80/tcp'
holds 'a dry run publishes nothing' [ "$(current)" = 3 ]
run 0 generation publish 2 # 4
says 'generation 4 published, 2 once more'
says 'opens 443/tcp on 2 machines (w1, w2) to 192.0.2.0/24'
holds 'as it was' same 2 4
holds 'the links follow' sh -c "! grep -q 192.0.2.0/24 '$out/machines/w1/rules.v4'"
holds 'the database knows it' recorded
run 0 --json generation publish 1 # 5
json '.items[0] | .generation == 5 and .of == 1 and .state == "published" and .exact and .opens == []'
run 0 --json generation list
json '.items[4].of == 1 and .items[3].of == 2'
run 0 generation publish 4 # 6
says 'opens 80/tcp on 2 machines (w1, w2) to any'
holds 'the copy of a copy' same 2 6
run 0 generation publish 2
says 'nothing to do: generation 6 says'
run 1 --json generation publish 3 --dry-run
json '.items[0] | .generation == null and .state == "would publish" and .exact and ([.difference[] | .change] | index("closes")) != null'
holds 'numbers are not used up' [ "$(current)" = 6 ]
run 0 generate # 7
holds 'generate says what the inventory says' same 3 7
run 0 generate
says 'generation 7 unchanged'
run 2 generation publish 70
complains 'the nearest is 7'
run 2 generation publish seven

# --- times: a rule that has ended does not come back, one that has begun is there ---
begin=$(date -u -d '+8 seconds' +%Y-%m-%dT%H:%M:%SZ)
run 0 rule add web "deny 81/tcp since $begin"
run 0 rule add bastion "allow 9999/tcp until $begin"
run 0 generate # 8
holds 'open until then' sh -c "grep -q 9999 '$out/machines/b1/rules.v4' && ! grep -q 'dport 81 ' '$out/machines/w1/rules.v4'"
cp "$FLEETWALL_CONFIG" "$home/settings"

# --- other settings: the bytes as they were, unless somebody would be locked out ---
printf 'log_rate = 11;\n' >> "$FLEETWALL_CONFIG"
run 0 generation publish 2 # 9
complains 'its bytes are taken as they are'
holds 'as it was, settings too' same 2 9
run 0 --json generation publish 1 --force # 10
json '.items[0].exact and .items[0].opens == [] and (.warnings | length) > 0'
printf 'management = [ "192.0.2.11" ];\nstate = "%s/state";\n' "$home" > "$FLEETWALL_CONFIG"
run 4 generation publish 2 --force
complains '192.0.2.11'
holds 'nobody is locked out' [ "$(current)" = 10 ]
cp "$home/settings" "$FLEETWALL_CONFIG"

# --- --only ---
run 0 rule add web allow 8080/tcp
run 0 generate --only w1 # 11
holds 'one machine' sh -c "grep -q 8080 '$out/machines/w1/rules.v4' && ! grep -q 8080 '$out/machines/w2/rules.v4'"
run 0 generate # 12
left=$(($(date -d "$begin" +%s) - $(date +%s) + 1))
[ "$left" -le 0 ] || sleep "$left"
run 4 generation publish 11
complains 'other rules of its inventory count'
run 0 generation publish 8 # 13
says 'generation 13 published, 8 once more'
holds 'what has ended stays away' sh -c "! grep -q 9999 '$out/machines/b1/rules.v4'"
holds 'what has begun is there' grep -q 'dport 81 ' "$out/machines/w1/rules.v4"
printf 'log_rate = 11;\n' >> "$FLEETWALL_CONFIG"
run 4 generation publish 8
complains "since $begin"
complains 'fleetwall export --at'
cp "$home/settings" "$FLEETWALL_CONFIG"
run 0 rule add web allow 8081/tcp
run 0 generate --only w1 # 14
run 0 generate # 15
run 0 generation publish 14 # 16
complains '--only made it'
holds 'as it was' same 14 16
sql 'UPDATE fleetwall.generation SET snapshot = NULL WHERE number = 3'
run 4 generation publish 3
complains 'does not know which inventory'
object=$(find "$out/store/rulesets" -name "$(sed -n 's/^\(.\{32\}\).*  b1$/\1/p' "$out/generations/15/manifest")")
cp -a "$object" "$home/object" && echo '# oops' >> "$object/rules.v4"
run 0 generation publish 15 # 17
holds 'a damaged object is whole again' cmp "$object/rules.v4" "$home/object/rules.v4"

# --- guards: a fleet of long ago ---
{ echo name && for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "m$i"; done; } > "$home/machines.csv"
mkdir "$home/csv" && mv "$home/machines.csv" "$home/csv"
run 0 import --csv "$home/csv"
run 0 generate # 18
run 4 generation publish 12
complains '--force'
run 0 generation publish 12 --force # 19
run 0 generate # 20
holds 'all of them are whole' whole

# --- what is collected ---
printf 'keep_generations = 3;\n' >> "$FLEETWALL_CONFIG"
run 0 generation pin 2 --reason 'the audit'
run 0 generation pin 2
run 0 generation pin 7
run 2 generation pin 70
sql "INSERT INTO fleetwall.machine_generation (machine, generation) VALUES ('w1', 5), ('w2', 5)"
run 0 --json generation list
json '[.items[] | select(.generation == 2).pins[]] == ["by hand", "the audit"] and [.items[] | select(.confirmed == 2).generation] == [5]'
run 0 rule add web allow 8082/tcp
run 0 generate # 21
run 0 --json generation list
json '[.items[].generation] == [2, 5, 7, 18, 19, 20, 21]'
holds 'the rest is gone, with what it alone needed' whole
run 0 generation unpin 2
run 0 generation unpin 7
run 2 generation unpin 7
complains 'is not pinned'
sql "UPDATE fleetwall.machine_generation SET generation = 20"
run 0 generation publish 2 --force # 22
run 0 --json generation list
json '[.items[].generation] == [2, 19, 20, 21, 22]'
holds 'still whole' whole
run 2 generation publish 12
run 2 generation pin 12
# Without the database's word nothing goes.
sql 'ALTER TABLE fleetwall.generation_pin RENAME TO hidden'
run 0 rule add web allow 8083/tcp
run 0 generate # 23
complains 'old generations were left as they are'
sql 'ALTER TABLE fleetwall.hidden RENAME TO generation_pin'
run 0 rule add web allow 8084/tcp
run 0 generate # 24
run 0 --json generation list
json '[.items[].generation] == [2, 20, 21, 22, 23, 24]'

# --- killed at any moment: what is published is whole ---
last=24
for i in 0 1 2 3 4 5 6 7; do
	"$FLEETWALL" generation publish $((i % 2 == 0 ? 20 : 23)) --force > /dev/null 2>&1 &
	sleep "0.0$i"
	{ kill -9 $! && wait $!; } 2> /dev/null
	[ "$(current)" -ge "$last" ] || fault "generation $(current) came after $last"
	last=$(current)
	recorded || fault "generation $last is not the one that the database knows"
	(cd "$out/sets" && sha256sum --quiet -c "$out/current/sets") > "$home/out" 2> "$home/err" || fault "sets of generation $last"
done
run 0 generate --force
run 0 generation publish 20 --force
holds 'as it was' same 20 "$(current)"
holds 'nothing is left over' whole

finish
