#!/bin/sh
# generate and explain from the outside: what is published, what guards stop, what --only leaves alone; the digests by sha256sum; every
# machine's files loaded by the stock tools where namespaces can be made; two at once; a killed server.
set -u
. tests/live/lib/command.sh
out=$home/state/out

fleet() {
	echo 'name'
	i=0
	while [ $i -lt "$1" ]; do
		echo "m$i"
		i=$((i + 1))
	done
}
folder=$home/csv
mkdir "$folder"
fleet 30 > "$folder/machines.csv"
{ echo 'machine,address,label' && sed 1d "$folder/machines.csv" | sed 's/^m\(.*\)$/m\1,10.1.0.\1,/'; } > "$folder/addresses.csv"
printf 'name,selector,egress\nall,{},\napp,,\nbastion,,\nlocked,,closed\n' > "$folder/roles.csv"
{ echo 'role,machine' && echo bastion,m0 && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo "app,m$i"; done && echo locked,m20; } > "$folder/members.csv"
cat > "$folder/rules.csv" << 'END'
role,rule,ticket
all,allow 22/tcp from role:bastion,OPS-1
app,"allow 80,443/tcp",OPS-2
app,"deny 80/tcp from 192.0.2.0/24, 198.51.100.7",
locked,allow dns to 10.0.0.53,
END

run 0 init
run 0 import --csv "$folder"
run 1 generate --dry-run
says '+ machine m0'
holds 'a dry run publishes nothing' [ ! -e "$out/current" ]
run 0 generate
says 'generation 1 published: 30 machines'
holds 'the manifest is sorted and speaks of all' sh -c "[ \$(wc -l < '$out/current/manifest') = 30 ] && sort -k 2 -c '$out/current/manifest'"
run 0 generate
says 'unchanged'
run 0 generate --dry-run

# --- what is there is what the contract says ---
digests() {
	while read -r digest name; do
		found=$(cd "$out/machines/$name" && sha256sum rules.v4 rules.v6 sets.list | sha256sum | cut -d ' ' -f 1)
		[ "$found" = "$digest" ] || return 1
		while read -r set; do
			grep -q "  $set\$" "$out/current/sets" || return 1
		done < "$out/machines/$name/sets.list"
	done < "$out/current/manifest"
	(cd "$out/sets" && sha256sum --quiet -c "$out/current/sets")
}
holds 'digests are those of sha256sum' digests
load() {
	for machine in "$out"/machines/*; do
		# shellcheck disable=SC2016 # expanded inside
		unshare -n sh -c '
			while read -r set; do ipset -exist restore < "$1/sets/$set" || exit 1; done < "$2/sets.list"
			iptables-restore < "$2/rules.v4" && ip6tables-restore < "$2/rules.v6"' - "$out" "$machine" || return 1
	done
}
if unshare -n true 2> /dev/null; then
	holds 'the stock tools load every machine' load
else
	echo 'no network namespace can be made here: files were not loaded'
fi

rm -rf "$(readlink -f "$out/machines/m7")" "$(readlink -f "$(ls "$out"/sets/* | head -n 1)")"
run 0 generate
says 'unchanged'
holds 'what was removed by hand is back' digests
rules=$(readlink -f "$out/machines/m8")/rules.v4
chmod u+w "$rules" && sed -i s/DROP/QUIT/ "$rules"
run 0 generate
holds 'what was changed by hand is as it was' digests
chmod u+w "$rules" && sed -i s/DROP/QUIT/ "$rules"
run 0 generate --full
complains '1 objects in the store were damaged or gone'
holds 'what was changed by hand is as it was, by a full run' digests
run 2 generate --dry-run --columns nosuch --nosuch
run 2 generate --columns machine
complains 'fleetwall generate has no table, which --columns is about'

# --- the bastion comes and goes: sets change, rulesets do not ---
run 0 explain 10.1.0.0 m5 22/tcp
says 'stage allow'
cp "$out/current/manifest" "$home/manifest"
run 0 machine disable m0
run 1 explain 10.1.0.0 m5 22/tcp
run 1 --json explain 10.1.0.0 m5 22/tcp
json '.items[0].verdict == "deny" and .items[0].stage == "default" and .items[0].rules == []'
run 0 generate
holds 'one set changed, and no ruleset but the one that went' sh -c "grep -v '  m0\$' '$home/manifest' | cmp - '$out/current/manifest'"
holds 'a disabled machine has no folder' [ ! -e "$out/machines/m0" ]
run 0 machine enable m0
run 0 generate
holds 'all as before' cmp "$home/manifest" "$out/current/manifest"

# --- explain - ---
printf '10.1.0.0 m5 22/tcp\n192.0.2.9 m1 80/tcp\nnobody m1 80/tcp\nm20 10.0.0.53 53/udp\nm20 10.0.0.54 53/udp\n' > "$home/questions"
input=$home/questions run 2 explain -
says "$(printf 'error\tnobody m1 80/tcp')"
holds 'five answers' [ "$(grep -c . "$home/out")" = 5 ]
input=$home/questions run 2 explain -
says "$(printf 'deny\t192.0.2.9\tm1\t80/tcp\tdeny\t')"
says "$(printf 'allow\tm20\t10.0.0.53\t53/udp\tallow\t')"
says "$(printf 'deny\tm20\t10.0.0.54\t53/udp\tdefault\t-')"

# --- --only ---
run 0 rule add all allow 9100/tcp
run 0 generate --only '[m]3'
holds 'only this machine changed' sh -c "[ \$(diff '$home/manifest' '$out/current/manifest' | grep -c '^>') = 1 ] && grep -q '9100' '$out/machines/m3/rules.v4' && ! grep -q 9100 '$out/machines/m4/rules.v4'"
run 2 generate --only m33
run 2 generate m3
run 0 generate
holds 'now all did' grep -q 9100 "$out/machines/m4/rules.v4"

# --- guards ---
cp "$out/current/manifest" "$home/manifest"
fleet 12 > "$folder/machines.csv"
{ echo 'machine,address,label' && sed 1d "$folder/machines.csv" | sed 's/^m\(.*\)$/m\1,10.1.0.\1,/'; } > "$folder/addresses.csv"
{ echo 'role,machine' && echo bastion,m0 && echo app,m1; } > "$folder/members.csv"
run 0 import --prune --csv "$folder"
run 4 generate
complains '--force'
holds 'nothing was published' cmp "$home/manifest" "$out/current/manifest"
run 0 generate --force
mkdir "$home/templates"
sed 's/^{{#management}}$/-A INPUT -j DROP\n&/' templates/exclusive.mustache > "$home/templates/exclusive.mustache"
printf 'templates = "%s/templates";\n' "$home" >> "$FLEETWALL_CONFIG"
cp "$out/current/manifest" "$home/manifest"
run 4 generate --force
complains 'management'
holds 'nobody was locked out' cmp "$home/manifest" "$out/current/manifest"
if unshare -n true 2> /dev/null; then
	sed 's/^{{> rules-in}}$/&\n-A INPUT -j MASQUERADE/' templates/exclusive.mustache > "$home/templates/exclusive.mustache"
	run 4 generate --force
	complains 'MASQUERADE'
fi
sed '/^COMMIT/d' templates/exclusive.mustache > "$home/templates/exclusive.mustache"
run 4 generate --force
complains 'does not end with COMMIT'
sed -i '/^templates/d' "$FLEETWALL_CONFIG"
run 4 generate --force --templates "$home/templates"
printf 'templates = "%s/templates";\n' "$home" >> "$FLEETWALL_CONFIG"
printf '*filter\n{{#open}}\nCOMMIT\n' > "$home/templates/exclusive.mustache"
run 2 generate
complains 'exclusive.mustache:2'
sed -i '/^templates/d' "$FLEETWALL_CONFIG"

# --- one clock for all: it never goes back ---
run 0 rule add all allow 9999/tcp until 2099-01-01
says "$(sed -n 1p "$home/out")"
holds 'the id alone on standard output' sh -c "[ \$('$FLEETWALL' rule add all allow 9998/tcp 2> /dev/null | grep -c .) = 1 ]"
run 0 explain 192.0.2.77 m1 9999/tcp
run 0 sql -- -qc "INSERT INTO fleetwall.generation (number, digest, clock, machines) VALUES (1000, sha256('x'), '2099-06-01', 1)"
run 0 generate
holds 'it has ended' sh -c "! grep -q 9999 '$out/machines/m1/rules.v4'"
run 1 explain 192.0.2.77 m1 9999/tcp
run 0 query rules m1
silent_on 9999/tcp
run 0 sql -- -qc 'DELETE FROM fleetwall.generation WHERE number >= 1000'

# --- bad days ---
run 0 database status
server=$(sed -n 's/^pid: //p' "$home/out")
kill -9 "$server"
while kill -0 "$server" 2> /dev/null && ! grep -q 'State:.Z' "/proc/$server/status" 2> /dev/null; do sleep 0.05; done
run 0 generate
for i in 1 2 3 4 5 6 7 8; do
	"$FLEETWALL" rule add all "allow 10$i/tcp" > /dev/null 2>&1 &
done
wait
run 0 rule list --role all
holds 'eight at once, none lost' [ "$(grep -c 'allow 10[1-8]/tcp' "$home/out")" = 8 ]
"$FLEETWALL" generate > /dev/null 2>&1 &
run 0 generate
wait
holds 'two at once leave something whole' digests
chmod 0555 "$out/generations"
[ "$(id -u)" = 0 ] || { run 0 rule add all allow 201/tcp && run 3 generate; }
chmod 0755 "$out/generations"

finish
