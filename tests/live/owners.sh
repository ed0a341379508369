#!/bin/sh
# Documents with owners, from the file to the rows and back: adoption, pruning, refusals, export, history, undo, the past.
set -u
. tests/live/lib/command.sh

sql() {
	"$FLEETWALL" sql -- -X -q -A -t -c "$1"
}

# same FILE: the last run said what is in it.
same() {
	cp "$home/out" "$home/got"
	holds "the same as $1" diff "$1" "$home/got"
}

cat > "$home/base.conf" << 'END'
owner = "base";
networks = ( { name = "office"; prefixes = [ "203.0.113.0/24" ]; } );
services = ( { name = "search"; ports = [ "9200/tcp" ]; }, { name = "mysql"; ports = [ "3307/tcp" ]; } );
roles = ( { name = "admin"; rules = [ "allow 22/tcp from network:office" ]; }, { name = "spare"; } );
machines = ( { name = "jump"; addresses = [ "10.0.0.1" ]; roles = [ "admin" ]; rules = [ "allow 80/tcp" ]; } );
END
cat > "$home/shop.conf" << 'END'
owner = "shop";
roles = ( { name = "web"; rules = [ "allow search from role:admin" ]; } );
machines = ( { name = "web1"; addresses = [ "10.0.1.1" ]; roles = [ "admin", "web" ]; } );
END
run 0 init
run 0 machine add own --address 10.0.2.1
run 0 network add office 203.0.113.0/24
run 1 import --dry-run "$home/base.conf"
says '~ network office'
says '    document + base'
run 0 import --prune "$home/base.conf"
run 0 import --prune "$home/shop.conf"
run 0 import --prune --dry-run "$home/base.conf"
run 0 import --prune --dry-run "$home/shop.conf"
run 0 machine show own

# --- what others own ---
printf 'owner = "shop";\nroles = ( { name = "admin"; rules = [ ]; } );\n' > "$home/greedy.conf"
run 2 import "$home/greedy.conf"
complains "greedy.conf:2:11: the role 'admin' belongs to the document of 'base', not to that of 'shop'"
printf 'owner = "base";\nroles = ( { name = "spare"; } );\n' > "$home/short.conf"
run 2 import --prune "$home/short.conf"
complains "the role 'admin' would go, but is still used by machine web1"
run 2 import --prune /dev/null
run 0 export
cp "$home/out" "$home/all.conf"
silent_on 'owner = "base"'
run 0 import --prune --dry-run "$home/all.conf"
printf 'networks = ( { name = "other"; prefixes = [ ]; } );\n' > "$home/empty.conf"
run 1 import --prune --dry-run "$home/empty.conf"
says '- machine own'
silent_on 'web1'

# --- its own document back ---
run 0 export --owner Shop
cp "$home/out" "$home/part.conf"
says 'owner = "shop";'
says 'web1'
silent_on 'jump'
run 0 import --prune --dry-run "$home/part.conf"
run 2 export --owner shpo
complains 'did you mean "shop"?'

# --- the same in a new database: byte for byte ---
run 0 export --owner base
cp "$home/out" "$home/base2.conf"
holds 'a second database' "$FLEETWALL" --state "$home/other" init
holds 'base elsewhere' "$FLEETWALL" --state "$home/other" import "$home/base2.conf"
holds 'shop elsewhere' "$FLEETWALL" --state "$home/other" import "$home/part.conf"
for owner in base shop; do
	run 0 export --owner $owner
	cp "$home/out" "$home/here"
	run 0 --state "$home/other" export --owner $owner
	same "$home/here"
done
"$FLEETWALL" --state "$home/other" database stop > /dev/null 2>&1

# --- history, the past, undo ---
holds 'rows say it' test "$(sql "SELECT string_agg(kind || ' ' || name || ' ' || document, ', ' ORDER BY kind, name) FROM (
	SELECT 'machine' AS kind, name::text, document FROM fleetwall.machine UNION ALL SELECT 'network', name, document FROM fleetwall.network
	UNION ALL SELECT 'role', name, document FROM fleetwall.role UNION ALL SELECT 'service', name, document FROM fleetwall.service) AS o
	WHERE document IS NOT NULL")" = \
	'machine jump base, machine web1 shop, network office base, role admin base, role spare base, role web shop, service mysql base, service search base'
sql "SET ROLE fleetwall_editor; UPDATE fleetwall.service SET document = 'shop' WHERE name = 'search';
	UPDATE fleetwall.network SET document = 'shop' WHERE name = 'office'" > "$home/out" 2> "$home/err"
run 0 export --owner shop
says 'office'
says 'search'
run 0 --json history 'network office'
json '.items[0].before.document == "base" and .items[0].after.document == "shop"'
change=$(jq '.items[0].change' "$home/out")
run 0 undo "$change"
run 0 export --owner shop
silent_on 'office'
sql "UPDATE fleetwall.history_transaction SET at = at - interval '2 days'" > /dev/null
yesterday=$(date -u -d yesterday +%Y-%m-%dT%H:%M:%SZ)
run 0 machine remove web1
run 0 export --owner shop
silent_on 'web1'
run 0 export --owner shop --at "$yesterday"
same "$home/part.conf"
run 0 --json history 'machine web1'
run 0 undo "$(jq '.items[0].change' "$home/out")"
run 0 export --owner shop
same "$home/part.conf"
holds 'a role machine:NAME has no owner' sh -c "! '$FLEETWALL' sql -- -X -q -c \"UPDATE fleetwall.role SET document = 'x' WHERE machine IS NOT NULL\""

finish
