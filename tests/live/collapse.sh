#!/bin/sh
# The guard of a collapse is asked by whatever run would publish it: after one that --force let pass for one machine alone, and where every
# list of what is published is damaged.
set -u
. tests/live/lib/command.sh
out=$home/state/out

run 0 init
run 0 role add all --selector '{}'
{
	echo 'machines = ( { name = "m0"; addresses = [ "10.1.0.1" ]; }'
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
		echo ", { name = \"m$i\"; addresses = [ \"10.1.1.$i\" ]; }"
	done
	echo ');'
} > "$home/document"
run 0 import "$home/document"
run 0 generate
run 0 machine set m0 --ssh-port 2022
run 0 generate
run 0 machine remove m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15 m16 m17 m18 m19
run 4 generate
run 0 machine set m0 --ssh-port 2023
run 4 generate --only m0
run 0 generate --only m0 --force
holds 'one machine has what is new' grep -q 'dport 2023' "$out/machines/m0/rules.v4"
holds 'the others have what they had' [ "$(wc -l < "$out/current/manifest")" = 20 ]
run 4 generate
complains 'the machines fell from 20 to 5'
for list in "$out"/generations/*/sets "$out"/generations/*/manifest; do
	chmod u+w "$list" && echo damage >> "$list"
done
run 4 generate
complains 'the machines fell from 20 to 5'
run 3 generate --only m0 --force
link=$(readlink "$out/current")
rm "$out/current"
run 4 generate
complains 'the link current is gone'
complains 'the machines fell from 20 to 5'
rm -f "$out"/generations/*/summary
run 4 generate
complains 'machines with a ruleset fell from 20 to 5'
ln -s "$link" "$out/current"
run 0 generate --force
holds 'all is new' [ "$(wc -l < "$out/current/manifest")" = 5 ]
finish
