#!/bin/sh
# A host's own filter, from iptables-save to rules of the fleet: imported, generated, proved; what has no form is named by file and line and
# is not let in; what iptables-restore would refuse imports nothing.
set -u
. tests/live/lib/command.sh

# filter FILE LINE…: a table with these rules.
filter() {
	file=$1
	shift
	{
		printf '*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n'
		[ $# -eq 0 ] || printf '%s\n' "$@"
		echo COMMIT
	} >"$home/$file"
}
# import CODE MACHINE=FILE…
import() {
	wanted=$1
	shift
	(cd "$home" && "$FLEETWALL" import --from iptables-save "$@") >"$home/out" 2>"$home/err" </dev/null
	got=$?
	if [ "$got" -eq "$wanted" ]; then passed=$((passed + 1)); else fault "import $*: exit code $got, not $wanted"; fi
}
# answer QUESTION VERDICT
answer() {
	got=$("$FLEETWALL" explain - <<-END 2>"$home/err" | cut -f 1
		$1
	END
	)
	if [ "$got" = "$2" ]; then passed=$((passed + 1)); else fault "explain $1: $got, not $2"; fi
}

run 0 init
cat >"$home/fleet.conf" <<'END'
roles = ( { name = "app"; }, { name = "wide"; rules = [ "allow 9100/tcp" ]; } );
machines = (
  { name = "app1"; addresses = [ "10.0.0.1", "2001:db8::1" ]; roles = [ "app" ]; },
  { name = "app2"; addresses = [ "10.0.0.2" ]; roles = [ "app" ]; },
  { name = "web1"; addresses = [ "192.0.2.80", "2001:db8::80" ]; } );
END
run 0 import "$home/fleet.conf"

# --- whole ---

filter rules.v4 \
	'-A INPUT -i lo -j ACCEPT' \
	'-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' \
	'-A INPUT -m conntrack --ctstate INVALID -j DROP' \
	'-A INPUT -m set --match-set banned src -j DROP' \
	'-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "ssh for all" -j ACCEPT' \
	'-A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 3306 -j ACCEPT' \
	'-A INPUT -s 10.0.0.2/32 -p tcp -m tcp --dport 3306 -j ACCEPT'
filter rules.v6 \
	'-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' \
	'-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "ssh for all" -j ACCEPT' \
	'-A INPUT -s 2001:db8::1/128 -p tcp -m tcp --dport 3306 -j ACCEPT'
printf 'create banned hash:net family inet\nadd banned 198.51.100.0/24\ncreate old hash:ip family inet\n' >"$home/ipsets"
import 1 --dry-run web1=rules.v4 web1=rules.v6 web1=ipsets
says 'rule + allow 3306/tcp from role:app'
import 0 web1=rules.v4 web1=rules.v6 web1=ipsets
says 'web1: 19 lines: 14 represented, 4 by housekeeping, nothing reaches 1, 0 not represented; 3 rules'
says 'proved: what will be rendered lets in exactly what runs'
empty 'no complaint' "$home/err"
run 0 query rules web1
says 'allow 22/tcp'
says 'deny all from network:banned'
import 0 web1=rules.v4 web1=rules.v6 web1=ipsets
says 'nothing to do'
run 0 generate
run 0 verify web1
answer '203.0.113.5 web1 22/tcp' allow
answer '198.51.100.7 web1 22/tcp' deny
answer '2001:db8::9 web1 22/tcp' allow
answer 'app2 web1 3306/tcp' allow
answer '10.0.0.3 web1 3306/tcp' deny

# --- in part: a machine that is new, several at once ---

filter part \
	'-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT' \
	'-A INPUT -p udp -m udp --sport 53 -j ACCEPT' \
	'-A INPUT -j REJECT --reject-with icmp-host-prohibited'
filter other '-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT' '-A OUTPUT -j DROP'
import 1 new1=part new2=other
complains 'part:6: left out: it looks at the source port'
complains 'part:7: left out: in part: what it refuses is refused'
complains 'new1: the rules of IPv6 were not given'
says 'new1: 6 lines: 4 represented, 0 by housekeeping, nothing reaches 0, 2 not represented; 1 rule'
says 'narrower by, for one: new udp'
# A packet of an interface that no rule names is shown in words.
filter others '-A INPUT -i eth0 -j DROP' '-A INPUT -p udp -m udp --sport 53 -j ACCEPT'
import 1 --dry-run new3=others
says 'in on another interface'
run 0 machine show new2
says 'egress-closed'
answer '10.1.2.3 new1 80/tcp' allow
answer '10.1.2.3 new1 53/udp' deny
answer 'new2 192.0.2.53 53/udp' allow
answer 'new2 192.0.2.53 123/udp' deny
run 0 --json import --dry-run --from iptables-save "new2=$home/other"
json '.taken_over | startswith("new2: ")'

# --- sets that no file has, and sets whose members expire: told once, with what to do ---

filter sets '-A INPUT -m set --match-set banned src -j DROP' '-A INPUT -m set --match-set admins src -p tcp -m tcp --dport 22 -j ACCEPT' \
	'-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT'
import 1 --dry-run new5=sets
complains 'warning: new5: its rules name sets (banned, admins) that no file has'
complains 'hint: give what `ipset save` prints as new5=FILE, too'
complains 'sets:5: left out: it depends on "set banned src", which no file has; what it may refuse is not let in'
printf 'create banned hash:net\ncreate admins hash:ip timeout 600\nadd admins 192.0.2.3 timeout 512\n' >"$home/expiring"
import 1 --dry-run new5=sets new5=expiring
silent_on 'that no file has'
complains 'sets:6: left out: it depends on "set admins src": its members expire, so who is in it is not known'
complains 'expiring:2: left out, with what follows up to line 3 (2 lines): set admins: its members expire'

# --- what other roles of the machine let in is told ---

run 0 role assign wide new1
import 1 new1=part
says 'WIDER than what runs, for one: new tcp'
says 'by role wide'
import 1 new1=part --json
json '.taken_over | contains("\nWIDER than what runs, for one: new tcp")'

# --- firewalls of the real world: every line is counted once, and nobody gets in who did not ---

dumps=$(cd .. && find "$PWD/shared/dumps" -type f -exec grep -l '^COMMIT' {} + 2>/dev/null | grep -v NOTRACK | sort | awk '{ print "real" NR "=" $0 }')
if [ -n "$dumps" ]; then
	# shellcheck disable=SC2086 # names without blanks
	import 1 --dry-run $dumps
	silent_on WIDER
	silent_on 'would let in more'
	grep '^real[0-9]*: [0-9]* line' "$home/out" | sed 's/[^0-9]/ /g' >"$home/counts"
	holds 'each is there' test "$(wc -l <"$home/counts")" -eq "$(echo "$dumps" | wc -l)"
	holds 'counts add up' awk '$2 != $3 + $4 + $5 + $6 || $2 == 0 { exit 1 }' "$home/counts"
else
	echo "SKIP ../shared/dumps is not there"
fi

# --- machines that are alike ---

filter node '-A INPUT -p tcp -m tcp --dport 9200 -j ACCEPT'
filter other '-A INPUT -p tcp -m tcp --dport 9300 -j ACCEPT'
import 0 node1=node node2=node node3=node
says 'node1: 4 lines: 4 represented, 0 by housekeeping, nothing reaches 0, 0 not represented; 1 rule of role node'
import 0 node1=node node2=node node3=node
says 'nothing to do'
import 0 node1=node node2=node node3=other
run 0 machine show node3
says 'roles: machine:node3'
run 0 machine show node2
says 'roles: node'

# --- refused whole ---

filter bad '-A INPUT -p tcp --dprt 22 -j ACCEPT'
import 2 web9=bad
complains 'bad:5:'
import 2 web9=rules.v4 web9=rules.v4
complains 'twice'
import 2 rules.v4
complains 'is not MACHINE=FILE'
import 2 --prune web9=rules.v4
import 2 web9=absent
# A program, an archive: one fault, whoever reads it.
printf '\177ELF\002\001\000\000\n\000\n\000\n' >"$home/program"
for binary in "web9=$home/program --from iptables-save" "$home/program" "--rules app $home/program" "--from aws $home/program"; do
	# shellcheck disable=SC2086 # words
	run 2 import $binary
	complains 'program:1: a NUL byte: this is no text'
	holds 'one fault' test "$(grep -c '^error: ' "$home/err")" -eq 1
done
run 2 machine show web9

finish
