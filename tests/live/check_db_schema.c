/* What plain SQL can and can't write: each constraint is tried with a row that breaks it alone. */
#include <stdio.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "postgres.h"

struct attempt {
	const char *sql;
	const char *reason; /* what the refusal names; NULL: it is taken */
};

static void try_all(const struct attempt *attempts, size_t count, const char *before)
{
	sql(before);
	for (size_t i = 0; i < count; i++)
		if (attempts[i].reason == NULL)
			sql(attempts[i].sql);
		else
			refused(attempts[i].sql, attempts[i].reason);
}
#define TRY_ALL(attempts, before) try_all((attempts), sizeof(attempts) / sizeof *(attempts), (before))

#define MACHINE(values) \
	"INSERT INTO fleetwall.machine (name, labels, mode, enforcement, ssh_port, ssh_host) VALUES (" values ")"
#define NAMED(name) MACHINE(name ", '{}', 'exclusive', 'enforce', NULL, NULL")
#define LABELLED(labels) MACHINE("'labelled', " labels ", 'exclusive', 'enforce', NULL, NULL")
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

START_TEST(machines)
{
	static const struct attempt attempts[] = {
		{NAMED("'db1'"), NULL},
		{NAMED("'1and1'"), NULL},
		{NAMED("'a.b-c.example'"), NULL},
		{NAMED("'" A63 ".example'"), NULL},
		{NAMED("'" A63 "a.example'"), "machine_name"},
		{NAMED("'" A63 "." A63 "." A63 "." A63 "'"), "machine_name"}, /* 255 */
		{NAMED("'db1'"), "machine_pkey"},
		{NAMED("'DB2'"), "machine_name"},
		{NAMED("''"), "machine_name"},
		{NAMED("NULL"), "null value"},
		{NAMED("'-db'"), "machine_name"},
		{NAMED("'db-'"), "machine_name"},
		{NAMED("'a..b'"), "machine_name"},
		{NAMED("'a.'"), "machine_name"},
		{NAMED("'a_b'"), "machine_name"},
		{NAMED("'../etc'"), "machine_name"},
		{NAMED("'a/b'"), "machine_name"},
		{NAMED("E'a\\nb'"), "machine_name"},
		{NAMED("E'a\\n'"), "machine_name"},
		{NAMED("'a;b'"), "machine_name"},
		{NAMED("'10.0.0.1'"), "machine_name"},
		{NAMED("'b\303\244r'"), "machine_name"},
		{MACHINE("'m1', '{}', 'Exclusive', 'enforce', NULL, NULL"), "machine_mode_check"},
		{MACHINE("'m1', '{}', 'exclusive', 'off', NULL, NULL"), "machine_enforcement_check"},
		{MACHINE("'m1', '{}', 'exclusive', NULL, NULL, NULL"), "null value"},
		{MACHINE("'m1', '{}', 'exclusive', 'enforce', 0, NULL"), "machine_ssh_port_check"},
		{MACHINE("'m1', '{}', 'exclusive', 'enforce', 65536, NULL"), "machine_ssh_port_check"},
		{MACHINE("'m1', '{}', 'exclusive', 'enforce', 65535, 'fd00::1'"), NULL},
		{MACHINE("'m2', '{}', 'exclusive', 'enforce', NULL, '-oProxyCommand=x'"), "machine_ssh_host_check"},
		{MACHINE("'m2', '{}', 'exclusive', 'enforce', NULL, 'a b'"), "machine_ssh_host_check"},
		{MACHINE("'m2', '{}', 'exclusive', 'enforce', NULL, ''"), "machine_ssh_host_check"},
		{LABELLED("'[]'"), "machine_labels_check"},
		{LABELLED("'\"x\"'"), "machine_labels_check"},
		{LABELLED("'{\"a\": 1}'"), "machine_labels_check"},
		{LABELLED("'{\"a\": null}'"), "machine_labels_check"},
		{LABELLED("'{\"a\": {\"b\": \"c\"}}'"), "machine_labels_check"},
		{LABELLED("'{\"\": \"x\"}'"), "machine_labels_check"},
		{LABELLED("'{\"a=b\": \"x\"}'"), "machine_labels_check"},
		{LABELLED("'{\"a\\nb\": \"x\"}'"), "machine_labels_check"},
		{LABELLED("'{\"a\": \"x\\ny\"}'"), "machine_labels_check"},
		{LABELLED("'{\"a\": \"\\u007f\"}'"), "machine_labels_check"},
		{LABELLED("jsonb_build_object('a', repeat('x', 256))"), "machine_labels_check"},
		{LABELLED("jsonb_build_object('a', repeat('\303\244', 128))"), "machine_labels_check"},
		{LABELLED("jsonb_build_object(repeat('k', 256), 'x')"), "machine_labels_check"},
		{LABELLED("jsonb_build_object(repeat('k', 255), repeat('x', 255), 'kubernetes.io/x', '', 'q\"', 'a = "
	                  "b')"),
	         NULL},
	};
	TRY_ALL(attempts, "SELECT 1");
}
END_TEST

#define ADDRESS(values) "INSERT INTO fleetwall.address (machine, address, label) VALUES (" values ")"
#define ROLE(values) "INSERT INTO fleetwall.role (name, machine, selector, egress, description) VALUES (" values ")"

START_TEST(addresses_roles_members)
{
	static const struct attempt attempts[] = {
		{ADDRESS("'m1', '10.0.0.1', 'private'"), NULL},
		{ADDRESS("'m2', '10.0.0.1', NULL"), NULL}, /* two machines may share one */
		{ADDRESS("'m1', '10.0.0.1', NULL"), "address_pkey"},
		{ADDRESS("'m1', 'fd00::1', NULL"), NULL},
		{ADDRESS("'m1', '10.0.0.0/8', NULL"), "address_address_check"},
		{ADDRESS("'m1', '10.0.0.2/24', NULL"), "address_address_check"},
		{ADDRESS("'m1', 'fd00::/64', NULL"), "address_address_check"},
		{ADDRESS("'m1', '10.0.0.256', NULL"), "inet"},
		{ADDRESS("'m1', '10.0.0.3', 'Private'"), "value for domain fleetwall.name"},
		{ADDRESS("'m1', '10.0.0.3', 'a b'"), "value for domain fleetwall.name"},
		{ADDRESS("'nobody', '10.0.0.3', NULL"), "address_machine_fkey"},
		{ROLE("'mysql', NULL, NULL, 'open', NULL"), NULL},
		{ROLE("'0.a_b-c', NULL, '{}', 'closed', 'x'"), NULL},
		{ROLE("'mysql', NULL, NULL, 'open', NULL"), "role_pkey"},
		{ROLE("'MySQL', NULL, NULL, 'open', NULL"), "role_name"},
		{ROLE("'-o', NULL, NULL, 'open', NULL"), "role_name"},
		{ROLE("'a/b', NULL, NULL, 'open', NULL"), "role_name"},
		{ROLE("repeat('a', 101), NULL, NULL, 'open', NULL"), "role_name"},
		{ROLE("repeat('a', 100), NULL, NULL, 'open', NULL"), NULL},
		{ROLE("'machine:m1', NULL, NULL, 'open', NULL"), "role_name"},
		{ROLE("'own', 'm1', NULL, 'open', NULL"), "role_name"},
		{ROLE("'machine:m1', 'm2', NULL, 'open', NULL"), "role_name"},
		{ROLE("'machine:m1', 'm1', '{}', 'open', NULL"), "role_name"},
		{ROLE("'machine:m1', 'm1', NULL, 'open', NULL"), NULL},
		{ROLE("'machine:m3', 'm3', NULL, 'open', NULL"), "role_machine_fkey"},
		{ROLE("'r', NULL, '{\"a\": 1}', 'open', NULL"), "role_selector_check"},
		{ROLE("'r', NULL, NULL, 'half', NULL"), "role_egress_check"},
		{ROLE("'r', NULL, NULL, 'open', E'two\\nlines'"), "value for domain fleetwall.line"},
		{ROLE("'r', NULL, NULL, 'open', repeat('x', 1001)"), "value for domain fleetwall.line"},
		{"INSERT INTO fleetwall.member VALUES ('mysql', 'm1')", NULL},
		{"INSERT INTO fleetwall.member VALUES ('mysql', 'm1')", "member_pkey"},
		{"INSERT INTO fleetwall.member VALUES ('mysql', 'm3')", "member_machine_fkey"},
		{"INSERT INTO fleetwall.member VALUES ('psql', 'm1')", "member_role_fkey"},
		{"INSERT INTO fleetwall.member VALUES ('machine:m1', 'm1')", "member_role_check"},
		{"INSERT INTO fleetwall.member VALUES ('machine:m1', 'm2')", "member_role_check"},
	};
	TRY_ALL(attempts, "INSERT INTO fleetwall.machine (name) VALUES ('m1'), ('m2')");
}
END_TEST

#define PORT(values) "INSERT INTO fleetwall.service_port (service, protocol, ports) VALUES (" values ")"

START_TEST(networks_and_services)
{
	static const struct attempt attempts[] = {
		{"INSERT INTO fleetwall.network VALUES ('office')", NULL},
		{"INSERT INTO fleetwall.network VALUES ('Office')", "value for domain fleetwall.name"},
		{"INSERT INTO fleetwall.network VALUES ('')", "value for domain fleetwall.name"},
		{"INSERT INTO fleetwall.network_prefix VALUES ('office', '10.0.0.0/8'), ('office', '::/0')", NULL},
		{"INSERT INTO fleetwall.network_prefix VALUES ('office', '10.0.0.0/8')", "network_prefix_pkey"},
		{"INSERT INTO fleetwall.network_prefix VALUES ('office', '10.0.0.1/8')", "cidr"},
		{"INSERT INTO fleetwall.network_prefix VALUES ('home', '10.0.0.0/8')", "network_prefix_network_fkey"},
		{"INSERT INTO fleetwall.service (name) VALUES ('own-port')", NULL},
		{"INSERT INTO fleetwall.service (name) VALUES ('3com')", "value for domain fleetwall.service_name"},
		{"INSERT INTO fleetwall.service (name) VALUES ('allow')", "service_name_check"},
		{"INSERT INTO fleetwall.service (name) VALUES ('tcp')", "service_name_check"},
		{"INSERT INTO fleetwall.service (name) VALUES ('icmpv6')", "service_name_check"},
		{"INSERT INTO fleetwall.service (name) VALUES ('any')", "service_name_check"},
		{"INSERT INTO fleetwall.service (name) VALUES ('self')", "service_name_check"},
		{"INSERT INTO fleetwall.service (name) VALUES ('ssh')", "service_pkey"},
		{PORT("'own-port', 6, '{[1,2),[65535,65536)}'"), NULL},
		{PORT("'own-port', 6, '{[1,2)}'"), "service_port_pkey"},
		{PORT("'own-port', 17, '{[0,65536)}'"), NULL},
		{PORT("'own-port', 33, '{}'"), "service_port_ports_check"},
		{PORT("'own-port', 33, '{[-1,2)}'"), "service_port_ports_check"},
		{PORT("'own-port', 33, '{[1,65537)}'"), "service_port_ports_check"},
		{PORT("'own-port', 33, '{(,2)}'"), "service_port_ports_check"},
		{PORT("'own-port', 33, '{[2,)}'"), "service_port_ports_check"},
		{PORT("'own-port', 1, '{[1,2)}'"), "service_port_protocol_check"},
		{PORT("'nothing', 6, '{[1,2)}'"), "service_port_service_fkey"},
	};
	TRY_ALL(attempts, "SELECT 1");
}
END_TEST

/* A rule from anyone; `columns` and `values` are what it has beside role, action and any_peer. */
#define RULE(columns, values) \
	"INSERT INTO fleetwall.rule (role, any_peer, action, " columns ") VALUES ('r', true, " values ")"

START_TEST(rules)
{
	static const struct attempt attempts[] = {
		{RULE("what", "'allow', 'all'"), NULL},
		{RULE("what", "'allow', 'all'"), "rule_once"},
		{RULE("what", "'permit', 'all'"), "rule_action_check"},
		{RULE("what", "'allow', 'everything'"), "rule_what_check"},
		{RULE("what, direction", "'allow', 'all', 'in'"), "rule_direction_check"},
		{RULE("what", "'deny', 'all'"), "rule_not_default"},
		{RULE("what, direction", "'deny', 'all', 'to'"), NULL},
		{RULE("what, log", "'deny', 'all', true"), NULL},
		{RULE("what", "'reject', 'all'"), NULL},
		{RULE("what, protocol", "'allow', 'all', 6"), "rule_protocol"},
		{RULE("what", "'allow', 'protocol'"), "rule_protocol"},
		{RULE("what, protocol", "'allow', 'protocol', 0"), "rule_protocol_check"},
		{RULE("what, protocol", "'allow', 'protocol', 256"), "rule_protocol_check"},
		{RULE("what, protocol", "'allow', 'protocol', 1"), "rule_protocol"},
		{RULE("what, protocol", "'allow', 'protocol', 58"), "rule_protocol"},
		{RULE("what, protocol, ports", "'allow', 'protocol', 6, '{[1,2)}'"), "rule_ports"},
		{RULE("what, protocol", "'allow', 'ports', 6"), "rule_ports"},
		{RULE("what, ports", "'allow', 'ports', '{[1,2)}'"), "rule_protocol"},
		{RULE("what, protocol, ports", "'allow', 'ports', 47, '{[1,2)}'"), "rule_protocol"},
		{RULE("what, protocol, ports", "'allow', 'ports', 6, '{}'"), "rule_ports_check"},
		{RULE("what, protocol, ports", "'allow', 'ports', 6, '{[1,65537)}'"), "rule_ports_check"},
		{RULE("what", "'allow', 'service'"), "rule_service"},
		{RULE("what, service", "'allow', 'all', 'ssh'"), "rule_service"},
		{RULE("what, service", "'allow', 'service', 'nothing'"), "rule_service_fkey"},
		{RULE("what, service, protocol", "'allow', 'service', 'ssh', 6"), "rule_protocol"},
		{RULE("what, icmp_type", "'allow', 'all', 8"), "rule_icmp_type"},
		{RULE("what, icmp_type", "'allow', 'icmp', 255"), "rule_icmp_type_check"},
		{RULE("what, icmp_type", "'allow', 'icmp', -1"), "rule_icmp_type_check"},
		{RULE("what, icmp_code", "'allow', 'icmp', 1"), "rule_icmp_type"},
		{RULE("what, icmp_type, icmp_code", "'allow', 'icmp', 3, 256"), "rule_icmp_code_check"},
		{RULE("what, icmp_type, icmp_name", "'allow', 'icmp', 8, 'echo-request'"), "rule_icmp_type"},
		{RULE("what, icmp_name", "'allow', 'icmp', 'ping'"), "rule_icmp_name_check"},
		{RULE("what, icmp_type", "'allow', 'icmpv4', 8"), "rule_icmp_named"},
		{RULE("what, icmp_type", "'allow', 'icmpv4', 128"), NULL},
		{RULE("what, icmp_type", "'allow', 'icmpv6', 128"), "rule_icmp_named"},
		{RULE("what, icmp_type", "'allow', 'icmpv6', 8"), NULL},
		{RULE("what, icmp_type", "'allow', 'icmp', 8"), NULL},
		{RULE("what, interface", "'allow', 'all', '+'"), "rule_interface_check"},
		{RULE("what, interface", "'allow', 'all', ''"), "rule_interface_check"},
		{RULE("what, interface", "'allow', 'all', 'abcdefghijklmnop'"), "rule_interface_check"},
		{RULE("what, interface", "'allow', 'all', 'e+h'"), "rule_interface_check"},
		{RULE("what, interface", "'allow', 'all', 'eth 0'"), "rule_interface_check"},
		{RULE("what, interface", "'allow', 'all', 'eth+'"), NULL},
		{RULE("what, limit_count", "'allow', 'all', 5"), "rule_limit"},
		{RULE("what, limit_unit", "'allow', 'all', 'hour'"), "rule_limit"},
		{RULE("what, limit_count, limit_unit", "'allow', 'all', 0, 'hour'"), "rule_limit_count_check"},
		{RULE("what, limit_count, limit_unit", "'allow', 'all', 1001, 'hour'"), "rule_limit_count_check"},
		{RULE("what, limit_count, limit_unit", "'allow', 'all', 5, 'week'"), "rule_limit_unit_check"},
		{RULE("what, limit_count, limit_unit", "'reject', 'all', 5, 'hour'"), "rule_limit"},
		{RULE("what, limit_count, limit_unit", "'deny', 'icmp', 5, 'hour'"), "rule_limit"},
		{RULE("what, since", "'allow', 'all', '2026-01-01 00:00:00.5Z'"), "rule_since_check"},
		{RULE("what, until", "'allow', 'all', 'infinity'"), "rule_until_check"},
		{RULE("what, since", "'allow', 'all', '0001-01-01 00:00:00Z BC'"), "rule_since_check"},
		{RULE("what, until", "'allow', 'all', '10000-01-01 00:00:00Z'"), "rule_until_check"},
		{RULE("what, since, until", "'allow', 'all', '2026-01-01Z', '2026-01-01Z'"), "rule_time"},
		{RULE("what, since, until", "'allow', 'all', '2026-01-01Z', '2025-01-01Z'"), "rule_time"},
		{RULE("what, comment", "'allow', 'all', E'x\\ny'"), "value for domain fleetwall.line"},
		{"INSERT INTO fleetwall.rule (role, any_peer, action, what) VALUES ('q', true, 'allow', 'all')",
	         "rule_role_fkey"},
	};
	TRY_ALL(attempts, "INSERT INTO fleetwall.role (name) VALUES ('r')");
}
END_TEST

#define PEER(columns, values)                                                                                        \
	"DELETE FROM fleetwall.rule; INSERT INTO fleetwall.rule (key, role, action, what) VALUES (1, 'r', 'allow', " \
	"'all');"                                                                                                    \
	"INSERT INTO fleetwall.rule_peer (rule, kind, " columns ") VALUES (1, " values ")"

START_TEST(peers)
{
	static const struct attempt attempts[] = {
		{PEER("label", "'self', NULL"), NULL},
		{PEER("label", "'other', NULL"), "rule_peer_kind_check"},
		{PEER("label", "'self', 'private'"), "rule_peer_label"},
		{PEER("machine", "'self', 'm1'"), "rule_peer_machine"},
		{PEER("machine", "'machine', NULL"), "rule_peer_machine"},
		{PEER("machine", "'machine', 'm1'"), NULL},
		{PEER("machine", "'machine', 'm2'"), "rule_peer_machine_fkey"},
		{PEER("machine, label", "'machine', 'm1', 'private'"), "rule_peer_label"},
		{PEER("network", "'network', 'n'"), NULL},
		{PEER("network", "'role', 'n'"), "rule_peer_network"},
		{PEER("network", "'network', 'nothing'"), "rule_peer_network_fkey"},
		{PEER("role, label", "'role', 'r', 'private'"), NULL},
		{PEER("role", "'role', NULL"), "rule_peer_role"},
		{PEER("role", "'role', 'nothing'"), "rule_peer_role_fkey"},
		{PEER("role", "'role', 'machine:m1'"), "rule_peer_role"},
		{PEER("first_address, last_address", "'literal', '10.0.0.0', '10.255.255.255'"), NULL},
		{PEER("first_address, last_address", "'literal', '10.0.0.1', '10.0.0.0'"), "rule_peer_literal"},
		{PEER("first_address, last_address", "'literal', '10.0.0.1', 'fd00::1'"), "rule_peer_literal"},
		{PEER("first_address, last_address", "'literal', '10.0.0.0/8', '10.255.255.255'"), "rule_peer_literal"},
		{PEER("first_address, last_address", "'literal', '10.0.0.0', '10.0.0.1/31'"), "rule_peer_literal"},
		{PEER("first_address", "'literal', '10.0.0.0'"), "rule_peer_literal"},
		{PEER("first_address, last_address", "'self', '10.0.0.0', '10.0.0.0'"), "rule_peer_literal"},
		{PEER("machine", "'machine', 'm1'), (1, 'machine', 'm1'"), "rule_peer_once"},
		{PEER("label", "'self', NULL), (1, 'self', NULL"), "rule_peer_once"},
		{PEER("role, label", "'role', 'r', NULL), (1, 'role', 'r', NULL"), "rule_peer_once"},
		{PEER("role, label", "'role', 'r', NULL), (1, 'role', 'r', 'x'), (1, 'role', 'r', 'y'"), NULL},
		{"INSERT INTO fleetwall.rule_peer (rule, kind) VALUES (99, 'self')", "rule_peer_rule_fkey"},
	};
	TRY_ALL(attempts,
	        "INSERT INTO fleetwall.role (name) VALUES ('r'); INSERT INTO fleetwall.machine (name) VALUES ('m1');"
	        "INSERT INTO fleetwall.role (name, machine) VALUES ('machine:m1', 'm1');"
	        "INSERT INTO fleetwall.network VALUES ('n')");
}
END_TEST

#define WITH_PEERS(any, peers)                                                                                     \
	"INSERT INTO fleetwall.rule (key, role, action, what, any_peer) VALUES (1, 'r', 'allow', 'all', " any ");" \
	"INSERT INTO fleetwall.rule_peer (rule, kind, first_address, last_address) VALUES " peers
#define LITERAL(first, last) "(1, 'literal', '" first "', '" last "')"

/* What is wrong with a rule as a whole shows at the end of the transaction: peers come after their rule. */
START_TEST(whole_rules)
{
	static const struct attempt attempts[] = {
		{"INSERT INTO fleetwall.rule (role, action, what) VALUES ('r', 'allow', 'all')", "it has no peers"},
		{WITH_PEERS("true", LITERAL("10.0.0.1", "10.0.0.1")), "has peers as well"},
		{WITH_PEERS("false", LITERAL("10.0.0.1", "10.0.0.9") "," LITERAL("10.0.0.2", "10.0.0.9")),
	         "lies within another"},
		{WITH_PEERS("false", LITERAL("10.0.0.1", "10.0.0.1") "," LITERAL("10.0.0.1", "10.0.0.1")),
	         "lies within another"},
		{WITH_PEERS("false", LITERAL("10.0.0.0", "10.0.0.9") "," LITERAL("10.0.0.1", "10.0.0.3") "," LITERAL(
					     "10.0.0.5", "10.0.0.6")),
	         "lies within another"},
		{WITH_PEERS("false", LITERAL("0.0.0.0", "255.255.255.255") "," LITERAL("::", "ffff:ffff:ffff:ffff:ffff:"
	                                                                                     "ffff:ffff:ffff")),
	         "that is anyone"},
		/* Overlapping and touching ones stay as they are. */
		{WITH_PEERS("false", LITERAL("10.0.0.1", "10.0.0.5") "," LITERAL("10.0.0.4", "10.0.0.9") "," LITERAL(
					     "10.0.0.10", "10.0.0.10")),
	         NULL},
		{"DELETE FROM fleetwall.rule_peer", "it has no peers"},
		{"UPDATE fleetwall.rule SET any_peer = true", "has peers as well"},
		{"BEGIN; DELETE FROM fleetwall.rule_peer; UPDATE fleetwall.rule SET any_peer = true; COMMIT", NULL},
		{"UPDATE fleetwall.rule SET any_peer = false", "it has no peers"},
		{"BEGIN; UPDATE fleetwall.rule SET any_peer = false; INSERT INTO fleetwall.rule_peer (rule, kind) "
	         "VALUES (1, 'self'); COMMIT",
	         NULL},
	};
	TRY_ALL(attempts, "INSERT INTO fleetwall.role (name) VALUES ('r')");
	ck_assert_str_eq(asked("SELECT text FROM fleetwall.rule"), "allow all from self");
}
END_TEST

START_TEST(generations)
{
#define GENERATION(values) "INSERT INTO fleetwall.generation (number, digest, clock, machines) VALUES (" values ")"
	static const struct attempt attempts[] = {
		{GENERATION("1, sha256('x'), now(), 5"), NULL},
		{GENERATION("1, sha256('x'), now(), 5"), "generation_pkey"},
		{GENERATION("0, sha256('x'), now(), 5"), "generation_number_check"},
		{GENERATION("2, 'x', now(), 5"), "generation_digest_check"},
		{GENERATION("2, sha256('x'), 'infinity', 5"), "generation_clock_check"},
		{GENERATION("2, sha256('x'), now(), -1"), "generation_machines_check"},
	};
	TRY_ALL(attempts, "SELECT 1");
}
END_TEST

/* COMMENT ON says what each object is. */
START_TEST(everything_is_explained)
{
	const char *without =
		"SELECT string_agg(object, ', ') FROM ("
		" SELECT c.relname AS object FROM pg_class AS c WHERE c.relnamespace = 'fleetwall'::regnamespace AND "
	        "c.relkind IN ('r', 'v')"
		"  AND obj_description(c.oid, 'pg_class') IS NULL"
		" UNION ALL SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'fleetwall'::regnamespace"
		"  AND obj_description(p.oid, 'pg_proc') IS NULL"
		" UNION ALL SELECT t.typname FROM pg_type AS t WHERE t.typnamespace = 'fleetwall'::regnamespace AND "
	        "t.typtype = 'd'"
		"  AND obj_description(t.oid, 'pg_type') IS NULL"
		" UNION ALL SELECT c.relname || '.' || a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = "
	        "a.attrelid"
		"  WHERE c.relnamespace = 'fleetwall'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT "
	        "a.attisdropped"
		"  AND col_description(c.oid, a.attnum) IS NULL) AS o";
	ck_assert_str_eq(asked(without), "(null)");
}
END_TEST

/* Each built-in service has ports, and stays built in until somebody changes it. */
START_TEST(services_that_came_with_the_schema)
{
	ck_assert_str_eq(asked("SELECT count(*) >= 60 AND bool_and(builtin) FROM fleetwall.service"), "t");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.service AS s WHERE NOT EXISTS (SELECT FROM "
	                       "fleetwall.service_port AS p"
	                       " WHERE p.service = s.name)"),
	                 "0");
	ck_assert_str_eq(asked("SELECT string_agg(protocol || ' ' || ports::text, ', ' ORDER BY protocol) FROM "
	                       "fleetwall.service_port"
	                       " WHERE service = 'dns'"),
	                 "6 {[53,54)}, 17 {[53,54)}");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.change"), "0");
	sql("UPDATE fleetwall.service_port SET ports = '{[33,34)}' WHERE service = 'dns'");
	sql("DELETE FROM fleetwall.service_port WHERE service = 'ntp'");
	sql("INSERT INTO fleetwall.service_port VALUES ('ssh', 17, '{[22,23)}')");
	sql("UPDATE fleetwall.service SET name = 'www' WHERE name = 'http'");
	sql("UPDATE fleetwall.service_port SET service = 'ldaps' WHERE service = 'imap' AND protocol = 6 AND false");
	sql("INSERT INTO fleetwall.service VALUES ('own', true)");
	ck_assert_str_eq(asked("SELECT string_agg(name, ' ' ORDER BY name) FROM fleetwall.service WHERE NOT builtin"),
	                 "dns ntp own ssh www");
	sql("UPDATE fleetwall.service SET builtin = true");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.service WHERE NOT builtin"), "5");
}
END_TEST

/* What is in use stays; what belongs to a thing goes, or is renamed, with it. */
START_TEST(references)
{
	sql("INSERT INTO fleetwall.machine (name) VALUES ('m1'), ('m2'); INSERT INTO fleetwall.role (name) VALUES "
	    "('a'), ('b');"
	    "INSERT INTO fleetwall.role (name, machine) VALUES ('machine:m1', 'm1'); INSERT INTO fleetwall.network "
	    "VALUES ('n');"
	    "INSERT INTO fleetwall.member VALUES ('a', 'm1'), ('b', 'm2'); INSERT INTO fleetwall.address VALUES ('m1', "
	    "'10.0.0.1');"
	    "BEGIN; INSERT INTO fleetwall.rule (key, role, action, what) VALUES (1, 'a', 'allow', 'all'), (2, "
	    "'machine:m1', 'allow', 'all');"
	    "INSERT INTO fleetwall.rule_peer (rule, kind, machine, network, role) VALUES (1, 'role', NULL, NULL, 'b'),"
	    " (1, 'network', NULL, 'n', NULL), (1, 'machine', 'm2', NULL, NULL), (2, 'machine', 'm1', NULL, NULL), (2, "
	    "'self', NULL, NULL, NULL);"
	    "COMMIT");
	refused("DELETE FROM fleetwall.role WHERE name = 'b'", "rule_peer_role_fkey");
	refused("DELETE FROM fleetwall.network", "rule_peer_network_fkey");
	refused("DELETE FROM fleetwall.machine WHERE name = 'm2'", "rule_peer_machine_fkey");
	sql("UPDATE fleetwall.machine SET name = 'z' || name; UPDATE fleetwall.role SET name = 'z' || name WHERE "
	    "machine IS NULL;"
	    "UPDATE fleetwall.network SET name = 'zn'");
	ck_assert_str_eq(asked("SELECT string_agg(role || ': ' || text || ' ' || (digest = fleetwall.rule_digest(role, "
	                       "text)), '; ' ORDER BY key)"
	                       " FROM fleetwall.rule"),
	                 "za: allow all from machine:zm2, network:zn, role:zb true; machine:zm1: allow all from self, "
	                 "machine:zm1 true");
	ck_assert_str_eq(asked("SELECT string_agg(role || ' ' || machine || ' ' || via, ', ' ORDER BY role COLLATE "
	                       "\"C\") FROM fleetwall.role_member"),
	                 "machine:zm1 zm1 assigned, za zm1 assigned, zb zm2 assigned");
	/* Its own rules go with a machine or a role, though they speak of it. */
	sql("DELETE FROM fleetwall.machine WHERE name = 'zm1'");
	ck_assert_str_eq(asked("SELECT string_agg(text, '; ') FROM fleetwall.rule"),
	                 "allow all from machine:zm2, network:zn, role:zb");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.address"), "0");
	sql("INSERT INTO fleetwall.rule_peer (rule, kind, role) VALUES (1, 'role', 'za')");
	sql("DELETE FROM fleetwall.role WHERE name = 'za'");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.rule_peer"), "0");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db_schema");
	TCase *tcase = tcase_create("schema");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, postgres_setup, postgres_teardown);
	tcase_add_test(tcase, machines);
	tcase_add_test(tcase, addresses_roles_members);
	tcase_add_test(tcase, networks_and_services);
	tcase_add_test(tcase, rules);
	tcase_add_test(tcase, peers);
	tcase_add_test(tcase, whole_rules);
	tcase_add_test(tcase, generations);
	tcase_add_test(tcase, everything_is_explained);
	tcase_add_test(tcase, services_that_came_with_the_schema);
	tcase_add_test(tcase, references);
	suite_add_tcase(suite, tcase);
	return postgres_main(suite, NULL);
}
