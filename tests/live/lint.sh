#!/bin/sh
# lint from the outside: exit codes, what is shown and what is not, findings that are accepted for good, for a time, and no longer.
set -u
. tests/live/lib/command.sh

id_of() { # CODE: the finding's id
	"$FLEETWALL" --csv --no-headings --columns code,finding lint --all 2> /dev/null | sed -n "s/^$1,//p" | head -n 1
}

run 3 lint
run 0 init
run 0 lint
empty 'nothing to find' "$home/out" "$home/err"
cat > "$home/fleet.conf" <<'CONF'
networks = ( { name = "office"; prefixes = [ "203.0.113.0/24" ]; }, { name = "vpn"; prefixes = [ "203.0.113.128/25" ]; } );
roles = ( { name = "app"; },
  { name = "db"; rules = [ "allow mysql", "allow 9104/tcp from role:app, 10.1.0.0/16", "allow 9104/tcp from 10.1.2.0/24",
                           "allow 9200/tcp from network:office, network:vpn until 2099-01-01", "reject 9104/tcp from 10.1.3.0/24" ]; } );
machines = ( { name = "db1"; addresses = [ "10.0.0.5", "fd00::5" ]; roles = [ "db" ]; },
  { name = "app1"; addresses = [ "10.1.3.7" ]; roles = [ "app" ]; } );
CONF
run 0 import "$home/fleet.conf"

run 1 lint
says 'SEVERITY'
says '1.2.3.4 -> db1 3306/tcp'
silent_on '203.0.113.7'
says 'database-open'
says 'allow 9104/tcp from 10.1.2.0/24'
says 'all of network vpn lies in network office'
says '10.1.3.7 -> db1 9104/tcp: this rule rejects it'
holds 'severity comes first' awk 'NR == 2 && $1 != "error" { exit 1 }' "$home/out"
run 1 --json lint
json '.command == "lint" and ([.items[] | .code] == ["database-open", "covered", "cut-role", "overlapping-networks"])'
json '[.items[] | select((.severity | IN("error", "warning", "notice")) and (.finding | test("^[0-9a-f]{12}$")) and .subject != "" and
      .message != "" and .evidence != "" and .advice != "" and .acceptance == null)] | length == 4'

# What is asked for is what the exit code is about.
run 1 lint --severity error
silent_on covered
run 0 lint --code unused-role
run 1 lint --code cut-role
silent_on database-open
run 0 lint --code expires
run 1 lint --code expires --expiring 36500
run 2 lint --severity eror
complains 'did you mean error?'
run 2 lint --code coverd
complains 'did you mean covered?'
run 2 lint --expiring soon
run 2 lint --nonsense
run 2 lint nonsense
complains 'there is no command "lint nonsense"'
run 2 lint acept 0123456789ab
complains 'did you mean fleetwall lint accept?'
run 2 query exposd
complains 'did you mean fleetwall query exposed?'
run 2 query nonsense
complains 'fleetwall query --help'
run 0 lint --help
says 'lint withdraw ID'

# Accepted, and withdrawn.
covered=$(id_of covered) open=$(id_of database-open)
run 2 lint accept "$covered"
complains 'for a reason'
run 2 lint accept "$covered" --reason ' '
run 2 lint accept "$covered" --reason "$(printf 'two\nlines')"
complains '--reason holds a control character (byte 0x0a)'
complains 'two\x0alines'
complains 'hint: it must be one line of plain text'
run 2 role add web --description "$(printf '\377')"
complains '--description is not valid UTF-8'
run 2 lint accept "$covered" --reason x --until yesterday
run 2 lint accept "$covered" --reason x --until 2020-01-01
complains 'has passed'
run 2 lint accept "$covered" 0123456789ab --reason x
complains 'there is no finding "0123456789ab"'
run 0 lint accepted
silent_on "$covered"
run 0 lint accept "$covered" --reason 'it is to go with the next release'
run 1 lint
silent_on "$covered"
says '1 more is accepted'
run 0 lint --code covered
run 0 lint --code covered --all
says 'accepted: it is to go with the next release'
run 0 lint accept "$covered" "$open" --reason 'a honey pot' --until 2999-12-31T00:00:00Z
run 0 lint --severity warning --code database-open
run 0 --json lint accepted
json "[.items[] | select(.reason == \"a honey pot\" and .until == \"2999-12-31T00:00:00Z\" and .ended == false)] | length == 2"
json "[.items[] | .finding] | contains([\"$covered\", \"$open\"])"
run 0 lint withdraw "$open"
run 1 lint --code database-open
run 2 lint withdraw "$open"
complains "finding \"$open\" is not accepted"
run 2 lint withdraw "${covered%?}"
complains "did you mean $covered?"

# One that has ended counts no more, and says so; another edit leaves it the same finding.
run 0 sql -- -qc "UPDATE fleetwall.lint_acceptance SET until = now() - interval '1 second'"
run 0 rule add db allow 443/tcp
run 1 lint --code covered
says 'was accepted until'
run 0 lint accepted
says ' yes'
run 0 lint accept "$covered" --reason again
run 0 lint --code covered

# What was accepted stays known when it is found no more.
rule=$("$FLEETWALL" --csv --no-headings --columns code,subject lint --all | sed -n 's/^covered,rule //p')
run 0 rule remove "$rule"
run 0 lint --code covered --all
silent_on "$covered"
run 0 lint accepted
says "$covered"
run 2 lint accept "$covered" --reason again
run 0 lint withdraw "$covered"

# What editors may not say: who, and when.
run 0 sql -- -qc "SET ROLE fleetwall_editor; INSERT INTO fleetwall.lint_acceptance (finding, code, subject, reason) VALUES ('0123456789ab', 'covered', 'x', 'y')"
for bad in "INSERT INTO fleetwall.lint_acceptance (finding, code, subject, reason, who) VALUES ('0123456789ac', 'covered', 'x', 'y', 'z')" \
	"UPDATE fleetwall.lint_acceptance SET reason = 'z'" \
	"INSERT INTO fleetwall.lint_acceptance (finding, code, subject, reason) VALUES ('0123456789AC', 'covered', 'x', 'y')" \
	"INSERT INTO fleetwall.lint_acceptance (finding, code, subject, reason) VALUES ('0123456789ac', 'covered', 'x', ' ')" \
	"INSERT INTO fleetwall.lint_acceptance (finding, code, subject, reason, until) VALUES ('0123456789ac', 'covered', 'x', 'y', 'infinity')"; do
	holds "refused: $bad" sh -c '! "$FLEETWALL" sql -- -v ON_ERROR_STOP=1 -qc "SET ROLE fleetwall_editor; $1"' - "$bad"
done
finish
