#!/bin/sh
# What generate would do, what it mends, and what guards stop: damage that a dry run must see, links by hand, refusals of the kernel and of
# each guard, a kernel that can't be asked, what a run with nothing new starts, generations that are damaged or unknown, empty options.
# shellcheck disable=SC2317 # functions that holds() calls
set -u
. tests/live/lib/command.sh
out=$home/state/out

sql() {
	"$FLEETWALL" sql -- -X -qAt -v ON_ERROR_STOP=1 -c "$1"
}
listing() { # everything below OUT, with its time of change
	find "$out" -printf '%p %y %s %C@ %l\n' | sort
}
# untouched CODE ARGUMENT…: a dry run with this exit code, which writes nothing
untouched() {
	code=$1
	shift
	listing > "$home/before"
	run "$code" "$@"
	listing > "$home/after"
	cmp -s "$home/before" "$home/after" || fault "writes: $*"
}
object() { # MACHINE: its ruleset in the store
	readlink -f "$out/machines/$1"
}

# --- options that are empty ---
for option in state output config; do
	run 2 "--$option" '' generate
	complains "--$option is empty"
done
run 2 generate --templates=
complains '--templates is empty'
sed 's/^state.*/state = "";/' "$FLEETWALL_CONFIG" > "$home/empty.conf"
run 2 --config "$home/empty.conf" generate
complains 'setting state is empty'

# --- nothing was ever published ---
run 0 init
run 1 generate --dry-run
says 'the first generation would be published'
holds 'it makes no folder' [ ! -e "$out" ]
{
	echo 'roles = ( { name = "all"; selector = { }; rules = [ "allow 22/tcp from role:bastion", "allow 4999/tcp" ]; }, { name = "bastion"; } );'
	echo 'machines = ( { name = "m0"; addresses = [ "10.1.0.1" ]; roles = [ "bastion" ]; },'
	echo ' { name = "mon"; addresses = [ "10.1.0.2" ]; enforcement = "monitor"; }'
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do
		echo ", { name = \"m$i\"; addresses = [ \"10.1.1.$i\" ]; }"
	done
	echo ');'
} > "$home/fleet.conf"
run 0 import "$home/fleet.conf"

# --- what a run starts: stand-ins that say so ---
mkdir "$home/bin"
for program in iptables-restore ip6tables-restore ipset; do
	real=$(command -v "$program") || continue
	printf '#!/bin/sh\necho x >> "%s/started"\nexec "%s" "$@"\n' "$home" "$real" > "$home/bin/$program"
	chmod +x "$home/bin/$program"
done
: > "$home/started"
path=$PATH
PATH=$home/bin:$path
run 0 --json generate
json '.items[0] | .state == "published" and .seconds > 0 and .changed > 20'
if unshare -n true 2> /dev/null; then
	holds 'the first run asks the kernel' [ -s "$home/started" ]
fi
: > "$home/started"
run 0 generate
run 0 generate --full
run 0 generate --dry-run
run 0 rule add bastion allow 5000/tcp
run 0 generate
holds 'nothing new is asked, nothing is started' [ ! -s "$home/started" ]
PATH=$path

# --- damage is told by a dry run, with and without what the last run left, and mended by the next run ---
damage() {
	echo '# damage' >> "$(object m3)/rules.v4"
	rm "$(readlink -f "$out/sets/$(sed -n 1p "$out/machines/m3/sets.list")")"
	rm "$out/machines/m4"
	ln -sfn nowhere "$out/machines/m5"
	ln -s nowhere "$out/sets/stray.v4"
}
name=$(basename "$(object m3)")
damage
for how in '' --full; do
	# shellcheck disable=SC2086 # none, or one
	untouched 1 generate --dry-run $how
	says "! ruleset $name in the store is damaged or gone"
	says '! set file '
	says '! link machines/m4 '
	says '! link machines/m5 '
	says '! link sets/stray.v4 '
	says '5 things would be mended'
done
untouched 1 --json generate --dry-run
json '[.items[] | select(.sign == "!") | .kind] | sort == ["link", "link", "link", "ruleset", "set file"]'
untouched 1 generate --dry-run --only m7
says "! ruleset $name "
run 0 generate --only m7
says 'generation 2 unchanged'
complains '2 objects in the store were damaged or gone'
complains '3 links did not lead'
damage
run 0 rule add all allow 5001/tcp
run 1 generate --dry-run
silent_on "! ruleset $name"
says '! link machines/m4 '
run 0 generate
complains '3 links did not lead where generation 2 says'
complains 'machines/m4, machines/m5'
run 0 generate --dry-run
says 'nothing to do: generation 3 says this already'
rm -r "$out/machines"
mkdir "$out/machines"
run 0 nightly
complains '20 links did not lead where generation 3 says'
complains 'and 10 more'
says 'generation 3 unchanged'
run 0 nightly
empty 'the night after is quiet' "$home/out" "$home/err"

# --- what is no link stays, and the hint says what to do ---
rm "$out/machines/m6"
mkdir "$out/machines/m6"
run 1 generate --dry-run
says '! link machines/m6 '
run 3 generate
complains 'remove it'
rmdir "$out/machines/m6"
run 0 generate

# --- lists: found by their time, and by their digest ---
run 0 generation list --columns generation,state --no-headings --csv
says '3,whole'
touch "$out/generations/1/sets"
sed -i '1s/^./x/' "$out/generations/2/manifest"
run 0 --json generation list
json '[.items[] | .state] == ["whole", "damaged", "whole"]'
json '[.warnings[].message] | any(contains("generations that are damaged: 2"))'
run 3 generation pin 2
complains 'generation 2 is damaged'
cp -p "$out/generations/3/manifest" "$home/manifest"
sed -i 1d "$out/generations/3/manifest"
untouched 1 generate --dry-run
says '! generation 3 '
complains 'everything is written anew'
untouched 3 generate --dry-run --only m1
cp -p "$home/manifest" "$out/generations/3/manifest"
run 0 generate

# --- pins ---
run 2 generation pin 3 --reason ''
complains '--reason is empty'
run 2 generation pin 3 --reason 'two
lines'
complains 'control character'
cp -a "$out/generations/3" "$out/generations/9"
run 2 generation pin 9
complains 'the database does not know generation 9'
complains 'the last that it knows is 3'
silent_on 'constraint'
rm -r "$out/generations/9"

# --- what the database does not know is never pushed: the same bytes get a number that it knows ---
holds 'it forgets' sql 'DELETE FROM fleetwall.generation WHERE number = 3'
untouched 1 generate --dry-run
says '! generation 3 is not known to the database'
run 0 generate
says 'generation 4 published'
complains 'the database does not know generation 3'
run 0 generate
says 'generation 4 unchanged'
run 0 generation pin 4 --reason audit
run 0 generation unpin 4 --reason audit

# --- nightly for programs: every name ---
run 0 rule add all allow 5002/tcp
run 0 machine add m99 --address 10.1.2.99
run 0 --json nightly
json '.items[0] | .state == "published" and .generation == 5 and (.changes | length) == .changed and ([.changes[] | select(.kind == "machine")] | length) == 21'
json '.items[0].changes | any(. == {"sign": "+", "kind": "machine", "name": "m99"})'
run 0 --json nightly
json '.items[0] | .state == "unchanged" and .changes == []'
run 0 machine remove m99
run 0 generate

# --- guards: members alone, and the whole of the rules; the plan is shown with the refusal ---
run 0 role add app
run 0 rule add app allow 5003/tcp
run 0 role assign app m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12
run 0 generate
run 0 role unassign app m1 m2 m3 m4 m5 m6 m7
run 4 generate
complains 'the members of role app fell from 12 to 5'
silent_on 'machines fell'
untouched 4 --json generate --dry-run
json '.error.kind == "guard" and (.errors | length) == 1 and .command == "generate" and (.items | length) == 7'
run 0 role assign app m1 m2 m3 m4 m5 m6 m7
i=6000
while [ $i -lt 6010 ]; do
	i=$((i + 1))
	echo "allow $i/tcp"
done > "$home/rules"
run 0 import --rules all "$home/rules"
run 4 generate
complains 'the rules of all machines grew from'
untouched 4 --json generate --dry-run
json '.error.message | contains("grew from")'
json '[.items[] | select(.kind == "machine" and .sign == "~")] | length == 20'
untouched 4 generate --dry-run
says '20 machines and sets would change'
run 0 generate --force

# --- guards: a template of monitors that refuses ---
mkdir "$home/templates"
sed 's/^-A fleetwall-input -g fleetwall-monitor$/-A fleetwall-input -p tcp -m tcp --dport 81 -j DROP\n&/' templates/monitor.mustache > "$home/templates/monitor.mustache"
run 4 generate --force --templates "$home/templates"
complains 'mon/rules.v4'
complains '--dport 81 -j DROP'
rm "$home/templates/monitor.mustache"

# --- the kernel's word ---
if unshare -n true 2> /dev/null; then
	sed 's/^{{> rules-in}}$/&\n-A INPUT -p tcp -m tcp --dport 8077 -j ACCEPT/' templates/exclusive.mustache > "$home/templates/exclusive.mustache"
	run 0 generate --force --templates "$home/templates"
	sed -i s/8077/80770/ "$home/templates/exclusive.mustache"
	find "$out/store" | sort > "$home/before"
	run 4 generate --force --try-all --templates "$home/templates"
	complains 'the kernel does not take this line'
	complains '80770'
	run 4 generate --dry-run --force --try-all --templates "$home/templates"
	complains '80770'
	find "$out/store" | sort > "$home/after"
	holds 'what was refused is not left in the store' cmp "$home/before" "$home/after"
fi

# --- who may make no namespace is told, and what was not asked is asked by the next run that may ---
# shellcheck disable=SC2016 # expanded inside
printf '#!/bin/sh\nunshare -m --propagation private sh -c '"'"'mount --rbind / "$0" && exec chroot "$0" setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"'"'"' "%s" "%s" "$@"\n' \
	"$home/root" "$FLEETWALL" > "$home/unpermitted"
chmod +x "$home/unpermitted"
mkdir "$home/root"
if unshare -n true 2> /dev/null && unshare -m --propagation private mount --rbind / "$home/root" 2> /dev/null; then
	run 0 rule add all allow sctp
	FLEETWALL=$home/unpermitted run 0 generate
	complains 'the kernel was not asked: no network namespace can be made here'
	: > "$home/started"
	PATH=$home/bin:$path run 0 generate --full
	holds 'it is asked now' [ -s "$home/started" ]
fi

finish
