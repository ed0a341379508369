#!/bin/sh
# Every query and change that fleetwall-sql(7) shows runs, on an inventory that has what they speak of; queries of what is there find it.
set -u
. tests/live/lib/command.sh

cat > "$home/fleet.conf" << 'END'
roles = ( { name = "bastion"; }, { name = "mysql"; rules = [ "allow mysql from role:bastion", "allow 22/tcp" ]; } );
machines = ( { name = "db1"; addresses = [ "10.0.0.5" ]; roles = [ "mysql" ]; }, { name = "bastion1"; addresses = [ "10.0.0.9" ]; roles = [ "bastion" ]; } );
END
run 0 init
run 0 import "$home/fleet.conf"
run 0 generate

# The literal displays of the page, one a file.
awk -v home="$home" '/^\.Bd -literal/ { n++; on = 1; next } /^\.Ed/ { on = 0 } on { gsub(/\\e/, "\\"); sub(/^\\&/, ""); print > (home "/display-" n ".sql") }' \
	packaging/man/fleetwall-sql.7
holds 'a dozen queries' [ "$(ls "$home"/display-*.sql | wc -l)" -ge 13 ]
for file in "$home"/display-*.sql; do
	run 0 sql -- -q -v ON_ERROR_STOP=1 -f "$file"
done
run 0 sql -- -q -f "$home/display-2.sql"
says 'allow mysql from role:bastion'
run 0 sql -- -q -f "$home/display-9.sql"
says 'allow mysql from role:bastion'
run 0 query rules db1
says 'allow 3307/tcp from role:bastion'
run 0 --json history --limit 3
json '.items | map(.ticket) | index("OPS-17") != null'

finish
