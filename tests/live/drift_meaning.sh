#!/bin/sh
# Drift by packets: what machines have in other words that do the same is no finding; what they have otherwise tells what it opens and closes;
# what can't be read, or is unknown, stays a finding by its text. The machines are played by a hook (lib/fake_host.sh).
set -u
. tests/live/lib/command.sh
out=$home/state/out
hook="\"$TOP/tests/live/lib/fake_host.sh\", \"$home/hosts\", \"%n\""
printf '%s\n' "state = \"$home/state\";" 'management = [ "192.0.2.10" ];' \
	"push = { apply = [ $hook ]; confirm = [ $hook ]; call = [ $hook ]; retries = 0; deadline = 10; drift_sample = 9; };" > "$FLEETWALL_CONFIG"
mkdir "$home/hosts"

run 0 init
printf '%s\n' 'roles = ( { name = "app"; },' \
	' { name = "web"; rules = [ "allow 80/tcp", "allow 3306/tcp from role:app", "deny 9/tcp from 192.0.2.0/24 log", "reject 113/tcp" ]; } );' \
	'machines = ( { name = "web1"; addresses = [ "10.0.0.1" ]; roles = [ "web" ]; },' \
	'  { name = "co1"; addresses = [ "10.0.0.2" ]; mode = "coexist"; roles = [ "web" ]; },' \
	'  { name = "app1"; addresses = [ "10.0.1.1", "2001:db8::1" ]; roles = [ "app" ]; } );' > "$home/fleet.conf"
run 0 import "$home/fleet.conf"
run 0 generate
run 0 push

hash() {
	sha256sum | cut -d' ' -f1
}
# has MACHINE: it has just what it confirmed, as $home/hosts/MACHINE/{rules.v4,rules.v6} say it
has() {
	folder=$out/machines/$1
	ruleset=$(cd "$folder" && sha256sum rules.v4 rules.v6 sets.list | hash)
	position=$({
		echo "$ruleset  rules"
		while read -r set; do echo "$(hash < "$out/sets/$set")  $set"; done < "$folder/sets.list"
	} | hash)
	jumps=
	[ "$1" != co1 ] || jumps='s/^COMMIT/:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -j fleetwall-input\n-A OUTPUT -j fleetwall-output\nCOMMIT/'
	for v in 4 6; do
		[ -e "$home/hosts/$1/rules.v$v" ] || sed "1d;$jumps" "$folder/rules.v$v" > "$home/hosts/$1/rules.v$v"
	done
	{
		printf 'version 1\nposition %s\nruleset %s\nboot yes\n' "$position" "$ruleset"
		for v in 4 6; do
			echo "== rules.v$v"
			cat "$home/hosts/$1/rules.v$v"
		done
		echo '== sets'
		while read -r set; do
			name=$(echo "$set" | sed 's/^\(.*\)\.v\([46]\)$/fw\2-\1/')
			members=$(sed -n "s/^add [^ ]* //p" "$out/sets/$set" | LC_ALL=C sort)
			echo "$name $(printf '%s' "${members:+$members
}" | hash) 1"
		done < "$folder/sets.list"
		echo '== end'
	} > "$home/hosts/$1/read"
}
# meddled MACHINE SCRIPT [FAMILY]: its rules, edited
meddled() {
	rm -f "$home/hosts/$1"/rules.v*
	has "$1"
	sed -i -e "$2" "$home/hosts/$1/rules.v${3:-4}"
	has "$1"
}
comment() { # MACHINE PATTERN: of the line
	sed -n "/$2/{ s/.*--comment \"\([^\"]*\)\".*/\1/p; q; }" "$out/machines/$1/rules.v4"
}

# --- what is there, and the same in other words ---
has web1
has co1
has app1
run 0 drift web1 co1
says '2 machines asked: 0 differ'
same() { # MACHINE SCRIPT [FAMILY]
	meddled "$@"
	run 0 drift "$1"
	says 'spelled otherwise'
	says '1 machine asked: 0 differ from'
}
web=$(comment web1 'dport 80 ')
same web1 "s/\"$web\"/\"other words\"/"
same web1 's/-p tcp -m tcp --dport 80 \(.*\)$/-p tcp -m multiport --dports 80 \1/'
same web1 's/^\(-A INPUT -p tcp -m tcp --dport 80 .*\)$/-A INPUT -p tcp -m tcp --dport 80 -s 0.0.0.0\/1 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -s 128.0.0.0\/1 -j ACCEPT/'
same web1 '/--dport 3306 /{ h; d; }; /^-A INPUT .*--dport 80 /G'
same web1 's/^COMMIT/-A INPUT -j DROP\nCOMMIT/' 6
same co1 "s/\"$web\"/\"other words\"/"
run 0 --json drift co1
json '[.items[].kind] | unique == ["spelled otherwise"]'

# --- what is not the same ---
tells() { # KIND WORDS
	if grep -q "^[^ ]* *$1 .*$2" "$home/out"; then passed=$((passed + 1)); else fault "does not tell: $1 $2"; fi
}
differs() { # MACHINE SCRIPT [FAMILY]
	meddled "$@"
	run 1 drift "$1"
	says '1 machine asked: 1 differs'
}
differs web1 's/^COMMIT/-A INPUT -s 10.2.0.0\/16 -p tcp -m tcp --dport 3306 -j ACCEPT\nCOMMIT/'
says 'rule extra'
tells opens '3306/tcp to 10.2.0.0/16'
differs web1 '/--dport 80 /d'
tells closes '80/tcp to 0.0.0.0/0'
differs web1 's/--dport 80 /--dport 81 /'
tells closes '80/tcp'
tells opens '81/tcp'
differs web1 's/^:INPUT DROP/:INPUT ACCEPT/'
tells opens 'protocols 0,'
# Refused in another way, not logged, logged more: no new connection gets through, and it is not the same.
differs web1 '/dport 113 /s/-j REJECT.*/-j DROP/'
silent_on 'spelled otherwise'
silent_on 'opens'
differs web1 '/ -j LOG /d'
silent_on 'opens'
differs web1 '/^-A INPUT -m hashlimit.*LOG/{ h; d; }; /^-A INPUT -i lo/{ p; x; }'
differs co1 '/^-A fleetwall-input .*--dport 80 /{ p; s/ 80 / 82 /; }'
tells opens '82/tcp to 0.0.0.0/0'
# One family only is otherwise, the other in other words.
meddled web1 '/--dport 80 /d'
sed -i "s/\"$web\"/\"other words\"/" "$home/hosts/web1/rules.v6"
has web1
run 1 drift web1
says 'spelled otherwise'
says 'rule missing'

# --- what nobody can judge is told by its text ---
differs web1 's/^COMMIT/-A INPUT -p tcp -m tcp --dport 7 -j NFQUEUE --queue-num 1\nCOMMIT/'
says 'rule extra'
silent_on 'spelled otherwise'
differs web1 's/^COMMIT/-A INPUT -m nonsense --what -j\nCOMMIT/'
says 'rule extra'
differs web1 's/^COMMIT/-A INPUT -m set --match-set foreign src -j ACCEPT\nCOMMIT/'
says 'rule extra'

# --- others' chains are theirs ---
meddled co1 "s/\"$web\"/\"other words\"/;"'s/^COMMIT/:theirs - [0:0]\n-A INPUT -m set --match-set f2b src -j theirs\nCOMMIT/'
run 0 drift co1
says 'spelled otherwise'

# --- at night ---
meddled web1 "s/\"$web\"/\"other words\"/"
run 0 nightly
empty 'other words are no news' "$home/out"
finish
