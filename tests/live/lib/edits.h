/* Edits of the inventory in plain SQL, to be made at random: of every table, and some that nobody makes. Included
 * once. */
#ifndef FLEETWALL_TESTS_EDITS_H
#define FLEETWALL_TESTS_EDITS_H

/* In each, $ stands for a random number; what the schema refuses at that moment is refused. ORDER BY hashes of names
 * with it chooses objects at random. */
#define ANY(table, column) "(SELECT " column " FROM fleetwall." table " ORDER BY md5(" column " || '$') LIMIT 1)"
#define SOME(table, column) \
	column " IN (SELECT " column " FROM fleetwall." table " ORDER BY md5(" column " || '$') LIMIT 1 + $ % 3)"
#define ONE(table) "ctid = (SELECT ctid FROM fleetwall." table " ORDER BY md5(ctid::text || '$') LIMIT 1)"

static const char *const edits[] = {
	"UPDATE fleetwall.machine SET enabled = NOT enabled WHERE " SOME("machine", "name"),
	"UPDATE fleetwall.machine SET mode = CASE mode WHEN 'coexist' THEN 'exclusive' ELSE 'coexist' END WHERE " SOME(
		"machine", "name"),
	"UPDATE fleetwall.machine SET enforcement = (ARRAY['enforce', 'monitor', 'unmanaged'])[1 + $ % 3] WHERE " SOME(
		"machine", "name"),
	"UPDATE fleetwall.machine SET ssh_port = nullif($ % 7, 0), ssh_host = 'h$' WHERE " SOME("machine", "name"),
	"UPDATE fleetwall.machine SET labels = labels || '{\"k\": \"v$\"}' WHERE " SOME("machine", "name"),
	"UPDATE fleetwall.machine SET name = 'n$' WHERE name = " ANY("machine", "name"),
	"UPDATE fleetwall.machine SET name = 'x' || name",
	"INSERT INTO fleetwall.machine (name, labels) VALUES ('i$', '{\"env\": \"prod\"}'), ('0$.b', '{}'), ('z$', "
        "'{}')",
	"WITH m AS (INSERT INTO fleetwall.machine (name) VALUES ('w$') RETURNING name)"
	" INSERT INTO fleetwall.address SELECT name::text, '10.9.8.7', 'public' FROM m",
	"DELETE FROM fleetwall.machine WHERE name = " ANY("machine", "name"),
	"DELETE FROM fleetwall.machine WHERE name LIKE 'i%'",
	"INSERT INTO fleetwall.address SELECT " ANY(
		"machine", "name") ", ('10.7.0.' || $ % 250)::inet, nullif('l' || $ % 3, 'l0')",
	"INSERT INTO fleetwall.address SELECT name::text, 'fd00::1' FROM fleetwall.machine ON CONFLICT DO NOTHING",
	"UPDATE fleetwall.address SET machine = " ANY("machine", "name") " WHERE " ONE("address"),
	"UPDATE fleetwall.address SET label = 'private' WHERE " ONE("address"),
	"DELETE FROM fleetwall.address WHERE " ONE("address"),
	"TRUNCATE fleetwall.address",
	"INSERT INTO fleetwall.member SELECT " ANY("role",
                                                   "name") ", name::text FROM fleetwall.machine ON CONFLICT DO NOTHING",
	"INSERT INTO fleetwall.member SELECT " ANY("role", "name") ", " ANY("machine", "name"),
	"UPDATE fleetwall.member SET machine = " ANY("machine", "name") " WHERE " ONE("member"),
	"UPDATE fleetwall.member SET role = " ANY("role", "name") " WHERE " ONE("member"),
	"DELETE FROM fleetwall.member WHERE " ONE("member"),
	"TRUNCATE fleetwall.member",
	"INSERT INTO fleetwall.role (name, selector) VALUES ('r$', '{\"env\": \"prod\"}'), ('a$', NULL)",
	"INSERT INTO fleetwall.role (name, machine) SELECT 'machine:' || name, name FROM fleetwall.machine AS m"
	" WHERE NOT EXISTS (SELECT FROM fleetwall.role AS r WHERE r.machine = m.name) ORDER BY md5(name || '$') LIMIT "
        "2",
	"UPDATE fleetwall.role SET egress = CASE egress WHEN 'open' THEN 'closed' ELSE 'open' END WHERE " SOME("role",
                                                                                                               "name"),
	"UPDATE fleetwall.role SET selector = nullif('{\"k\": \"v' || $ % 3 || '\"}', '{\"k\": \"v0\"}')::jsonb WHERE "
        "machine IS NULL AND " SOME("role", "name"),
	"UPDATE fleetwall.role SET name = 'q$' WHERE machine IS NULL AND name = " ANY("role", "name"),
	"UPDATE fleetwall.role SET description = 'd$', owner = 'o$' WHERE " SOME("role", "name"),
	"DELETE FROM fleetwall.role WHERE name = " ANY("role", "name"),
	"DELETE FROM fleetwall.role WHERE machine IS NOT NULL",
	"INSERT INTO fleetwall.rule (role, action, what, protocol, any_peer) SELECT " ANY(
		"role", "name") ", 'allow', 'protocol', 60 + $ % 50, true",
	"WITH r AS (INSERT INTO fleetwall.rule (role, action, direction, what, protocol, ports) SELECT " ANY(
		"role", "name") ", 'reject', 'to', 'ports', 6, int4multirange(int4range($ % 60000, $ % 60000 + 5)) "
                                "RETURNING key)"
				" INSERT INTO fleetwall.rule_peer (rule, kind, role, machine) SELECT key, 'role', " ANY(
					"member", "role") ", NULL FROM r"
							  " UNION ALL SELECT key, 'machine', NULL, " ANY(
								  "machine", "name") " FROM r UNION ALL SELECT key, "
                                                                                     "'self', NULL, NULL FROM r",
	"WITH r AS (INSERT INTO fleetwall.rule (role, action, what, service) SELECT " ANY(
		"role", "name") ", 'allow', 'service', " ANY("service",
                                                             "name") " RETURNING key) INSERT INTO fleetwall.rule_peer "
                                                                     "(rule, kind, network) SELECT key, "
                                                                     "'network', " ANY("network", "name") " FROM r",
	"UPDATE fleetwall.rule SET enabled = NOT enabled WHERE " ONE("rule"),
	"UPDATE fleetwall.rule SET until = '2030-01-01 00:00:00+00'::timestamptz + $ % 1000 * interval '1 hour' "
        "WHERE " ONE("rule"),
	"UPDATE fleetwall.rule SET role = " ANY("role", "name") " WHERE " ONE("rule"),
	"UPDATE fleetwall.rule SET key = (SELECT max(key) + 100 FROM fleetwall.rule) WHERE any_peer AND " ONE("rule"),
	"UPDATE fleetwall.rule_peer SET machine = " ANY("machine", "name") " WHERE kind = 'machine'",
	"DELETE FROM fleetwall.rule_peer AS p WHERE kind = 'self' AND EXISTS (SELECT FROM fleetwall.rule_peer AS o "
        "WHERE o.rule = p.rule AND o.kind <> 'self')",
	"DELETE FROM fleetwall.rule WHERE " ONE("rule"),
	"TRUNCATE fleetwall.rule CASCADE",
	"INSERT INTO fleetwall.network VALUES ('n$')",
	"UPDATE fleetwall.network SET name = 'm$' WHERE name = " ANY("network", "name"),
	"DELETE FROM fleetwall.network WHERE name = " ANY("network", "name"),
	"INSERT INTO fleetwall.network_prefix SELECT " ANY("network", "name") ", ('10.' || $ % 250 || '.0.0/16')::cidr",
	"UPDATE fleetwall.network_prefix SET network = " ANY("network", "name") " WHERE " ONE("network_prefix"),
	"DELETE FROM fleetwall.network_prefix WHERE " ONE("network_prefix"),
	"TRUNCATE fleetwall.network_prefix",
	"INSERT INTO fleetwall.service VALUES ('s$')",
	"UPDATE fleetwall.service SET name = 't$' WHERE name = " ANY("service", "name"),
	"DELETE FROM fleetwall.service WHERE name = " ANY("service", "name"),
	"INSERT INTO fleetwall.service_port SELECT " ANY("service",
                                                         "name") ", 33, int4multirange(int4range($ % 9, $ % 9 + 3))",
	"UPDATE fleetwall.service_port SET ports = ports + '{[7,9)}' WHERE " ONE("service_port"),
	"UPDATE fleetwall.service_port SET service = " ANY("service", "name") " WHERE " ONE("service_port"),
	"DELETE FROM fleetwall.service_port WHERE " ONE("service_port"),
	"TRUNCATE fleetwall.machine CASCADE",
};
enum { EDITS = sizeof edits / sizeof *edits };

#endif
