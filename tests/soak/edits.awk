# Random changes to an inventory, as SQL: N of them, from a seed. Which object a change is about is chosen by the hash of its name and a
# random word, so that the same seed does the same to the same inventory. Some are refused (what is used can't go): that is as it should be.
# Every now and then some stand in one transaction.

function random(n) {
	state = (state * 1103515245 + 12345) % 2147483648
	return int(state / 65536) % n
}
function chance(percent) {
	return random(100) < percent
}
function word() {
	return random(30000) "." random(30000)
}
# One of some words.
function among(list,   parts, n) {
	n = split(list, parts, " ")
	return parts[1 + random(n)]
}

# --- things that are there ---

function one(table, column, where) {
	return "(SELECT " column " FROM fleetwall." table (where == "" ? "" : " WHERE " where) \
		" ORDER BY md5(" column " || '" word() "') LIMIT 1)"
}
function machine() {
	return one("machine", "name", "")
}
function role() {
	return one("role", "name", "machine IS NULL")
}
function network() {
	return one("network", "name", "")
}
function service() {
	return one("service", "name", "")
}
function rule() {
	return one("rule", "key::text", "") "::bigint"
}

# --- new things ---

function name(kind) {
	return "'" kind "-" random(30000) "'"
}
function address() {
	return chance(60) ? "'10." random(4) "." random(8) "." random(250) "'" : "'fd00::" random(4) ":" random(900) "'"
}
function prefix() {
	return chance(70) ? "'10." random(4) "." random(8) * 32 ".0/" 19 + random(6) "'" : "'2001:db8:" random(9) "::/" 48 + random(16) "'"
}
function label() {
	return chance(60) ? "NULL" : "'" among("private public management") "'"
}
function labels() {
	return "'{\"" among("env site tier") "\": \"" among("prod test a b c") "\"}'"
}
# Some seconds around now, or long away.
function moment() {
	return chance(60) ? "date_trunc('second', now()) + interval '" random(8) - 1 " s'" : "date_trunc('second', now()) + interval '" random(90) - 45 " days'"
}
function peer_of(key,   kind) {
	kind = among("role role self machine network literal literal")
	if (kind == "role")
		return "INSERT INTO fleetwall.rule_peer (rule, kind, role, label) SELECT " key ", 'role', " role() ", " label()
	if (kind == "self")
		return "INSERT INTO fleetwall.rule_peer (rule, kind) SELECT " key ", 'self'"
	if (kind == "machine")
		return "INSERT INTO fleetwall.rule_peer (rule, kind, machine) SELECT " key ", 'machine', " machine()
	if (kind == "network")
		return "INSERT INTO fleetwall.rule_peer (rule, kind, network) SELECT " key ", 'network', " network()
	kind = "'10.9." random(200) "." random(250) "'"
	return "INSERT INTO fleetwall.rule_peer (rule, kind, first_address, last_address) SELECT " key ", 'literal', " kind ", " kind
}
function new_rule(   what, columns, values, any) {
	what = among("all service ports ports icmp")
	any = chance(25)
	columns = "role, action, direction, what, any_peer, log"
	values = role() ", '" among("allow allow allow deny reject") "', '" among("from from from to") "', '" what "', " \
		(any ? "true" : "false") ", " among("true false false")
	if (what == "service") {
		columns = columns ", service"
		values = values ", " service()
	}
	if (what == "ports") {
		columns = columns ", protocol, ports"
		values = values ", " among("6 17") ", '{[" (what = 1000 + random(400)) "," what + 1 + random(3) ")}'"
	}
	if (chance(35)) {
		columns = columns ", " among("since until until")
		values = values ", " moment()
	}
	what = "INSERT INTO fleetwall.rule (" columns ") VALUES (" values ") RETURNING key"
	return any ? substr(what, 1, length(what) - 14) : "WITH new AS (" what ") " peer_of("key") " FROM new"
}

# --- changes ---

function change(   kind) {
	kind = random(46)
	if (kind < 3)
		return "INSERT INTO fleetwall.address VALUES (" machine() ", " address() ", " label() ")"
	if (kind < 5)
		return "DELETE FROM fleetwall.address WHERE (machine || ' ' || address) = " one("address", "(machine || ' ' || address)", "")
	if (kind == 5)
		return "UPDATE fleetwall.address SET label = " label() " WHERE machine = " machine()
	if (kind == 6)
		return "UPDATE fleetwall.address SET address = " address() " WHERE (machine || ' ' || address) = " one("address", "(machine || ' ' || address)", "")
	if (kind < 10)
		return "INSERT INTO fleetwall.member VALUES (" role() ", " machine() ")"
	if (kind < 12)
		return "DELETE FROM fleetwall.member WHERE (role || ' ' || machine) = " one("member", "(role || ' ' || machine)", "")
	if (kind < 14)
		return "UPDATE fleetwall.machine SET labels = labels || " labels() " WHERE name = " machine()
	if (kind == 14)
		return "UPDATE fleetwall.machine SET labels = labels - 'env' WHERE name = " machine()
	if (kind < 17)
		return "UPDATE fleetwall.role SET selector = " (chance(25) ? "NULL" : chance(10) ? "'{}'" : labels()) " WHERE name = " role()
	if (kind == 17)
		return "UPDATE fleetwall.role SET egress = '" among("open open closed") "' WHERE name = " role()
	if (kind < 20)
		return "UPDATE fleetwall.machine SET enabled = NOT enabled WHERE name = " machine()
	if (kind == 20)
		return "UPDATE fleetwall.machine SET mode = '" among("exclusive coexist") "' WHERE name = " machine()
	if (kind == 21)
		return "UPDATE fleetwall.machine SET enforcement = '" among("enforce enforce monitor unmanaged") "' WHERE name = " machine()
	if (kind == 22)
		return "UPDATE fleetwall.machine SET ssh_port = " among("NULL 22 2222") " WHERE name = " machine()
	if (kind < 28)
		return new_rule()
	if (kind < 30)
		return "DELETE FROM fleetwall.rule WHERE key = " rule()
	if (kind == 30)
		return "UPDATE fleetwall.rule SET enabled = NOT enabled WHERE key = " rule()
	if (kind == 31)
		return "UPDATE fleetwall.rule SET until = " (chance(30) ? "NULL" : moment()) ", since = NULL WHERE key = " rule()
	if (kind == 32)
		return "UPDATE fleetwall.rule SET " among("ticket owner comment") " = 'x" random(9) "' WHERE key = " rule()
	if (kind == 33)
		return "INSERT INTO fleetwall.network_prefix VALUES (" network() ", " prefix() ")"
	if (kind == 34)
		return "DELETE FROM fleetwall.network_prefix WHERE (network || ' ' || prefix) = " one("network_prefix", "(network || ' ' || prefix)", "")
	if (kind == 35)
		return "INSERT INTO fleetwall.network VALUES (" name("net") ")"
	if (kind == 36)
		return "DELETE FROM fleetwall.network WHERE name = " network()
	if (kind == 37)
		return "UPDATE fleetwall.service_port SET ports = '{[" (kind = 2000 + random(100)) "," kind + 2 ")}' WHERE service = " service()
	if (kind == 38)
		return "WITH new AS (INSERT INTO fleetwall.service VALUES (" name("svc") ") RETURNING name) INSERT INTO fleetwall.service_port SELECT name, 6, '{[" (kind = 3000 + random(100)) "," kind + 1 ")}' FROM new"
	if (kind == 39)
		return "UPDATE fleetwall.machine SET name = " name("renamed") " WHERE name = " machine()
	if (kind == 40)
		return "UPDATE fleetwall.role SET name = " name("role") " WHERE name = " role()
	if (kind == 41)
		return chance(50) ? "UPDATE fleetwall.network SET name = " name("net") " WHERE name = " network() : \
			"UPDATE fleetwall.service SET name = " name("svc") " WHERE name = " service()
	if (kind == 42)
		return "DELETE FROM fleetwall.machine WHERE name = " machine()
	if (kind == 43)
		return "WITH new AS (INSERT INTO fleetwall.machine (name, labels) VALUES (" name("m") ", " labels() ") RETURNING name) INSERT INTO fleetwall.address SELECT name, " address() " FROM new"
	if (kind == 44)
		return chance(50) ? "DELETE FROM fleetwall.role WHERE name = " role() : \
			"INSERT INTO fleetwall.role (name, selector) VALUES (" name("role") ", " labels() ")"
	return chance(70) ? "UPDATE fleetwall.role SET description = 'd" random(99) "' WHERE name = " role() : \
		"UPDATE fleetwall.machine SET ssh_port = " 2000 + random(3) " WHERE md5(name || '" word() "') < '3'"
}

BEGIN {
	state = seed % 2147483648
	for (i = 0; i < 5; i++)
		random(2)
	while (count > 0) {
		together = chance(25) ? 2 + random(4) : 0
		if (together > 0)
			print "BEGIN;"
		for (i = 0; i < (together > 0 ? together : 1); i++)
			print change() ";"
		if (together > 0)
			print chance(85) ? "COMMIT;" : "ROLLBACK;"
		count -= together > 0 ? together : 1
	}
}
