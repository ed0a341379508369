#!/bin/sh
# verify as a command: what is published is proved, a change of the inventory and a broken template show themselves by a packet, folders are
# held against one machine; generate --verify and nightly publish nothing that is not proved, and prove only what is new.
# shellcheck disable=SC2317 # functions that holds() calls
set -u
. tests/live/lib/command.sh
out=$home/state/out

# --- usage, and nothing to prove ---
run 0 init
run 3 verify
complains 'nothing is published'
complains 'fleetwall generate'
run 2 verify --against "$home"
complains 'one machine'
run 2 generate --dry-run --verify
complains 'proved'

# --- every feature of the rule language, in every mode ---
run 0 import tests/fleets/every.conf
run 0 generate
run 0 verify
says 'proved to be what the inventory says'
says 'not compared: other tables'
holds 'it needs no room of its own' [ ! -e "$out/cache/proofs" ]
run 0 --json verify
json '.items == [] and (.compared | contains("conntrack")) and (.not_compared | contains("other tables"))'
run 0 verify PEERS1 'coex*1' 'monit?r1'
says '3 machines in 3 rulesets'
run 2 verify peers1 peers2
complains 'peers2'
complains 'peers1'

# --- what changed since shows as a packet, with the line and the reason ---
run 0 rule add peers deny 1001/tcp from 192.0.2.7
id=$(cat "$home/out")
run 1 verify peers1
says 'machine peers1: rules.v4:'
says 'in INPUT must be dropped, and is accepted'
says 'new tcp 192.0.2.7'
says 'port 1001'
says 'inventory: deny: role peers: deny 1001/tcp from 192.0.2.7'
says 'fleetwall generate'
silent_on 'proved to be'
run 1 --json verify peers1
json '.items[0] | .kind == "packet" and .machine == "peers1" and .file == "rules.v4" and .direction == "in" and .wanted == "dropped"'
json '.items[0] | .got == "accepted" and .line > 3 and (.text | startswith("-A INPUT")) and (.why | contains("1001/tcp"))'
run 1 verify
run 0 generate
run 0 verify
run 0 rule remove "$id"
run 0 machine disable client1
run 1 verify client1
says 'it has a ruleset, and must have none'
run 1 verify
says 'which is no member'
run 0 machine enable client1
run 0 generate --verify
says 'proved to be what the inventory says: '
run 0 generate --verify
says 'proved before'
run 0 machine set client1 --address 10.1.0.77
run 0 generate --verify
says '; 13 anew'
run 0 verify

# --- folders ---
folder() { # MACHINE: $home/dir is what it has
	rm -rf "$home/dir"
	mkdir "$home/dir"
	cp "$out/machines/$1/"* "$home/dir"
	while read -r set; do cp "$out/sets/$set" "$home/dir"; done < "$home/dir/sets.list"
}
folder peers1
run 0 verify peers1 --against "$home/dir"
says 'proved to be what the inventory says of peers1'
run 1 verify closed1 --against "$home/dir"
mkdir "$home/dir/sets"
mv "$home/dir/"*-*.v[46] "$home/dir/sets"
run 0 verify peers1 --against "$home/dir"
rm "$home/dir/sets.list"
run 0 verify peers1 --against "$home/dir"
set=$(find "$home/dir/sets" -name 'client-*.v4' | sort | head -n 1)
sed -i '/^add/d' "$set"
run 1 verify peers1 --against "$home/dir"
says 'must be accepted, and is dropped'
rm "$set"
run 1 --json verify peers1 --against "$home/dir"
json '.items[0].kind == "unreadable" and .items[0].line > 0'
folder peers1
sed -i 's/--dport 1001 /--dport 1009 /' "$home/dir/rules.v6"
run 1 --json verify peers1 --against "$home/dir"
json '[.items[] | select(.file == "rules.v6" and .kind == "packet") | .wanted] == ["accepted", "dropped"]'
folder peers1
sed -i 's/--dport 1001 /--dpart 1001 /' "$home/dir/rules.v4"
run 1 verify peers1 --against "$home/dir"
says 'rules.v4:'
says '--dpart'
rm "$home/dir/rules.v6"
run 2 verify peers1 --against "$home/dir"
complains 'rules.v6'
run 2 verify nobody1 --against "$home/dir"

# --- generate --verify and nightly, with a template that loses a line: guards don't mind, the proof does ---
mkdir "$home/templates"
sed '/INVALID/d' templates/housekeeping-in.mustache > "$home/templates/housekeeping-in.mustache"
number() { readlink "$out/current"; }
before=$(number)
run 4 generate --verify --templates "$home/templates"
complains 'not what the inventory says'
complains 'rules.v4'
complains 'of the inventory decides housekeeping'
holds 'nothing is published' [ "$(number)" = "$before" ]
run 4 --json generate --verify --templates "$home/templates"
json '.error.kind == "guard"'
run 4 generate --verify --templates "$home/templates" --only peers1
holds 'nothing is published for one machine' [ "$(number)" = "$before" ]
cp "$FLEETWALL_CONFIG" "$home/right.conf"
printf 'templates = "%s/templates";\n' "$home" >> "$FLEETWALL_CONFIG"
run 4 nightly
complains 'not what the inventory says'
holds 'nothing is published by night' [ "$(number)" = "$before" ]
run 0 generate
run 4 nightly
complains 'not what the inventory says'
cp "$home/right.conf" "$FLEETWALL_CONFIG"
run 0 nightly
run 0 nightly
empty 'a quiet night' "$home/out" "$home/err"
run 0 generate --verify --only peers1

# --- what was proved is remembered, and damage costs time alone ---
proofs=$out/cache/proofs
run 0 nightly
holds 'it is kept' [ -s "$proofs" ]
size=$(stat -c %s "$proofs")
inode=$(stat -c %i "$proofs")
run 0 nightly
holds 'a quiet night proves nothing' [ "$(stat -c %i "$proofs")" = "$inode" ]
printf 'x' | dd of="$proofs" bs=1 seek=20 conv=notrunc 2> /dev/null
run 0 nightly
empty 'damage is no matter of words' "$home/err"
holds 'it is whole again' [ "$(stat -c %s "$proofs")" = "$size" ]
run 0 machine remove closed1
run 0 nightly
holds 'what is not needed goes' [ "$(stat -c %s "$proofs")" -lt "$size" ]
run 0 verify

# --- another fleet ---
run 0 import --prune tests/golden/management.conf
run 0 generate --force --verify
run 0 verify

finish
