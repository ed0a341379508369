/* What the database says by itself: canonical texts of rules, the views that people rely on, the history, and what each
 * of the three database roles may do. Texts are compared with what the rule language prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/rule.h"
#include "postgres.h"

/* --- texts --- */

struct text {
	const char *columns, *values; /* beside role, action and any_peer */
	const char
		*peers; /* rows of (kind, first_address, last_address, machine, network, role, label); NULL: any_peer */
	const char *text;
};

static const char *text_insert(const struct text *text)
{
	struct str rule =
		str_format(arena, "INSERT INTO fleetwall.rule (key, role, any_peer, %s) VALUES (1, 'r', %s, %s)",
	                   text->columns, text->peers == NULL ? "true" : "false", text->values);

	if (text->peers == NULL)
		return str_c(arena, rule);
	return str_c(arena, str_format(arena,
	                               "%.*s; INSERT INTO fleetwall.rule_peer (rule, kind, first_address, "
	                               "last_address, machine, network, role, label)"
	                               " SELECT 1, * FROM (VALUES %s) AS v (a, b, c, d, e, f, g)",
	                               STR_ARG(rule), text->peers));
}

#define LITERAL(first, last) "('literal', '" first "'::inet, '" last "'::inet, NULL, NULL, NULL, NULL)"
#define SELF "('self', NULL::inet, NULL::inet, NULL, NULL, NULL, NULL)"
#define OF_MACHINE(name) "('machine', NULL, NULL, '" name "', NULL, NULL, NULL)"
#define OF_NETWORK(name) "('network', NULL, NULL, NULL, '" name "', NULL, NULL)"
#define OF_ROLE(name) "('role', NULL, NULL, NULL, NULL, '" name "', NULL)"
#define OF_LABEL(name, label) "('role', NULL, NULL, NULL, NULL, '" name "', '" label "')"

/* In no order. */
#define MANY_ROLES OF_LABEL("r", "private") "," OF_ROLE("r-b") "," OF_LABEL("r", "a") "," OF_ROLE("r")
#define MANY_NAMES \
	OF_NETWORK("office") "," OF_MACHINE("m2") "," OF_NETWORK("home") "," OF_MACHINE("m1.example") "," SELF
#define MANY_LITERALS LITERAL("::1", "::1") "," LITERAL("192.0.2.1", "192.0.2.9") "," LITERAL("9.0.0.0", "9.0.0.0")
#define MANY MANY_ROLES "," MANY_NAMES "," MANY_LITERALS

static const struct text texts[] = {
	{"action, what", "'allow', 'all'", NULL, "allow all"},
	{"action, what, direction", "'deny', 'all', 'to'", NULL, "deny all to any"},
	{"action, what, protocol, ports", "'allow', 'ports', 6, '{[443,444),[80,81),[1000,1002),[0,1),[65535,65536)}'",
         NULL, "allow 0,80,443,1000-1001,65535/tcp"},
	{"action, what, protocol, ports", "'allow', 'ports', 136, '{[0,65536)}'", NULL, "allow 0-65535/udplite"},
	{"action, what, protocol, ports", "'allow', 'ports', 132, '{[5,6),[6,8)}'", NULL, "allow 5-7/sctp"},
	{"action, what, protocol", "'reject', 'protocol', 6", NULL, "reject tcp"},
	{"action, what, protocol", "'reject', 'protocol', 4", NULL, "reject ipip"},
	{"action, what, protocol", "'reject', 'protocol', 94", NULL, "reject 94"},
	{"action, what, protocol", "'reject', 'protocol', 112", NULL, "reject vrrp"},
	{"action, what, protocol", "'reject', 'protocol', 2", NULL, "reject igmp"},
	{"action, what, protocol", "'reject', 'protocol', 255", NULL, "reject 255"},
	{"action, what, service", "'allow', 'service', 'mysql'", NULL, "allow mysql"},
	{"action, what", "'allow', 'icmp'", NULL, "allow icmp"},
	{"action, what, icmp_type, icmp_code", "'allow', 'icmp', 8, 0", NULL, "allow icmp/8/0"},
	{"action, what, icmp_name", "'allow', 'icmpv4', 'echo-request'", NULL, "allow icmpv4/echo-request"},
	{"action, what, icmp_name, icmp_code", "'allow', 'icmpv6', 'destination-unreachable', 4", NULL,
         "allow icmpv6/destination-unreachable/4"},
	{"action, what, icmp_type", "'allow', 'icmpv6', 254", NULL, "allow icmpv6/254"},
	{"action, what, interface, log, limit_count, limit_unit, since, until",
         "'allow', 'all', 'Eth0.+', true, 5, 'minute', '2026-03-01 13:00:00+01', '2026-12-31 23:59:59Z'", NULL,
         "allow all on Eth0.+ limit 5/minute log since 2026-03-01T12:00:00Z until 2026-12-31T23:59:59Z"},
	{"action, what, since", "'deny', 'all', '0987-01-01Z'", NULL, "deny all since 0987-01-01T00:00:00Z"},
	{"action, what", "'allow', 'all'", LITERAL("10.0.0.0", "10.255.255.255"), "allow all from 10.0.0.0/8"},
	{"action, what", "'allow', 'all'", LITERAL("0.0.0.0", "255.255.255.255"), "allow all from 0.0.0.0/0"},
	{"action, what", "'allow', 'all'", LITERAL("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
         "allow all from ::/0"},
	{"action, what", "'allow', 'all'", LITERAL("10.0.0.1", "10.0.0.1"), "allow all from 10.0.0.1"},
	{"action, what", "'allow', 'all'", LITERAL("10.0.0.1", "10.0.0.2"), "allow all from 10.0.0.1-10.0.0.2"},
	{"action, what", "'allow', 'all'", LITERAL("10.0.0.0", "10.0.0.2"), "allow all from 10.0.0.0-10.0.0.2"},
	{"action, what", "'allow', 'all'", LITERAL("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"),
         "allow all from 2001:db8::/64"},
	{"action, what", "'allow', 'all'", LITERAL("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
         "allow all from ::ffff:1.2.3.4"},
	{"action, what", "'allow', 'all'", LITERAL("1:0:0:2::", "1:0:0:2::1"), "allow all from 1:0:0:2::/127"},
	{"action, what", "'allow', 'all'", LITERAL("1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8"),
         "allow all from 1:2:3:4:5:6:0:8"},
	{"action, what, direction", "'reject', 'all', 'to'", MANY "," LITERAL("192.0.2.1", "192.0.2.8"), NULL},
	{"action, what, direction", "'reject', 'all', 'to'", MANY "," LITERAL("192.0.2.4", "192.0.2.11"),
	 "reject all to 9.0.0.0, 192.0.2.1-192.0.2.9, 192.0.2.4-192.0.2.11, ::1, self, machine:m1.example, machine:m2, "
	 "network:home, network:office, role:r, role:r/a, role:r/private, role:r-b"},
};

START_TEST(texts_are_canonical)
{
	sql("INSERT INTO fleetwall.role (name) VALUES ('r'), ('r-b'); INSERT INTO fleetwall.machine (name) VALUES "
	    "('m1.example'), ('m2');"
	    "INSERT INTO fleetwall.network VALUES ('office'), ('home')");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct error *warnings = NULL;
		struct rule rule;
		bool stored;

		if (texts[i].text == NULL) {
			refused(text_insert(&texts[i]), "lies within another");
			continue;
		}
		sql(text_insert(&texts[i]));
		ck_assert_str_eq(asked("SELECT text FROM fleetwall.rule"), texts[i].text);
		ck_assert_str_eq(asked("SELECT fleetwall.rule_text(1)"), texts[i].text);
		ck_assert_str_eq(asked("SELECT id = left(encode(sha256(convert_to(role, 'UTF8') || '\\x00'::bytea || "
		                       "convert_to(text, 'UTF8')),"
		                       " 'hex'), 12) FROM fleetwall.rule"),
		                 "t");
		must(rule_parse(arena, str_of(texts[i].text), &rule, &stored, &warnings));
		ck_assert_str_eq(str_c(arena, rule_text(arena, &rule)), texts[i].text);
		sql("DELETE FROM fleetwall.rule");
	}
}
END_TEST

/* Whatever is written, by whom ever, the text says what the columns say. */
START_TEST(texts_follow)
{
	const char *text = "SELECT string_agg(text, '; ' ORDER BY key) FROM fleetwall.rule";

	sql("INSERT INTO fleetwall.role (name) VALUES ('r'), ('q'); INSERT INTO fleetwall.network VALUES ('n')");
	sql("INSERT INTO fleetwall.rule (key, role, action, what, any_peer, text, digest) VALUES (1, 'r', 'allow', "
	    "'all', true, 'lies', 'lies'),"
	    " (2, 'r', 'allow', 'icmp', true, NULL, NULL)");
	ck_assert_str_eq(asked(text), "allow all; allow icmp");
	sql("UPDATE fleetwall.rule SET text = 'lies' WHERE key = 1; UPDATE fleetwall.rule SET digest = NULL WHERE key "
	    "= 2");
	ck_assert_str_eq(asked(text), "allow all; allow icmp");
	sql("UPDATE fleetwall.rule SET log = true, text = 'lies'");
	ck_assert_str_eq(asked(text), "allow all log; allow icmp log");
	sql("BEGIN; UPDATE fleetwall.rule SET any_peer = false; INSERT INTO fleetwall.rule_peer (rule, kind) VALUES "
	    "(1, 'self'), (2, 'self'); COMMIT");
	ck_assert_str_eq(asked(text), "allow all from self log; allow icmp from self log");
	sql("INSERT INTO fleetwall.rule_peer (rule, kind, role) VALUES (1, 'role', 'q'); UPDATE fleetwall.role SET "
	    "name = 'p' WHERE name = 'q'");
	ck_assert_str_eq(asked(text), "allow all from self, role:p log; allow icmp from self log");
	sql("UPDATE fleetwall.rule_peer SET rule = 3 - rule WHERE kind = 'role'; DELETE FROM fleetwall.rule_peer WHERE "
	    "rule = 2 AND kind = 'self'");
	ck_assert_str_eq(asked(text), "allow all from self log; allow icmp from role:p log");
	sql("UPDATE fleetwall.role SET name = 'r2' WHERE name = 'r'");
	ck_assert_str_eq(asked("SELECT bool_and(digest = fleetwall.rule_digest('r2', text)) FROM fleetwall.rule"), "t");
	sql("UPDATE fleetwall.rule SET what = 'service', service = 'ssh' WHERE key = 1; UPDATE fleetwall.service SET "
	    "name = 'shell' WHERE name = 'ssh'");
	ck_assert_str_eq(asked(text), "allow shell from self log; allow icmp from role:p log");
	/* Two rules that swap what they say never collide in between. */
	sql("UPDATE fleetwall.rule SET what = 'icmp', service = NULL WHERE key = 1");
	refused("UPDATE fleetwall.rule_peer SET kind = 'self', role = NULL WHERE rule = 2", "rule_once");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.rule AS r JOIN fleetwall.rule_derived AS d USING (key)"
	                       " WHERE (r.text, r.digest) IS DISTINCT FROM (d.text, d.digest)"), "0");
}
END_TEST

/* Adds a peer to rule 1 in a transaction of its own that is held open for a while. */
static void add_peer(const char *prefix)
{
	struct db *writer = postgres_open(conninfo);

	must(db_begin(writer, DB_WRITE));
	must(db_run(writer, str_format(arena,
	                               "INSERT INTO fleetwall.rule_peer (rule, kind, first_address, last_address)"
	                               " VALUES (1, 'literal', '%s', '%s'); SELECT pg_sleep(0.3)",
	                               prefix, prefix)));
	must(db_commit(writer));
	db_close(writer);
}

/* Neither transaction sees the other's peer when it begins, and yet the text has both. */
START_TEST(texts_of_writers_at_the_same_time)
{
	static const char *const peers[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
	int status;

	sql("BEGIN; INSERT INTO fleetwall.role (name) VALUES ('r'); INSERT INTO fleetwall.rule (key, role, action, "
	    "what) VALUES (1, 'r', 'allow', 'all');"
	    "INSERT INTO fleetwall.rule_peer (rule, kind) VALUES (1, 'self'); COMMIT");
	for (size_t i = 0; i < 3; i++)
		if (fork() == 0) {
			add_peer(peers[i]);
			_exit(0);
		}
	for (size_t i = 0; i < 3; i++)
		ck_assert(wait(&status) > 0 && status == 0);
	ck_assert_str_eq(asked("SELECT text FROM fleetwall.rule"), "allow all from 10.0.0.1, 10.0.0.2, 10.0.0.3, self");
}
END_TEST

/* --- views --- */

static const char *const fleet =
	"INSERT INTO fleetwall.machine (name, enabled, enforcement, labels) VALUES ('m1', true, 'enforce', '{\"env\": "
        "\"prod\", \"os\": \"x\"}'),"
	" ('m2', false, 'enforce', '{\"env\": \"prod\"}'), ('m3', true, 'unmanaged', '{}'), ('m4', true, 'monitor', "
        "'{\"env\": \"test\"}');"
	"INSERT INTO fleetwall.address VALUES ('m1', '10.0.0.1', 'private'), ('m1', 'fd00::1', NULL), ('m2', "
        "'10.0.0.2', NULL),"
	" ('m3', '10.0.0.1', 'private'), ('m4', '10.0.0.4', NULL);"
	"INSERT INTO fleetwall.role (name, machine, selector) VALUES ('all', NULL, '{}'), ('prod', NULL, '{\"env\": "
        "\"prod\"}'),"
	" ('none', NULL, NULL), ('plain', NULL, NULL), ('machine:m1', 'm1', NULL);"
	"INSERT INTO fleetwall.member VALUES ('prod', 'm1'), ('plain', 'm1'), ('plain', 'm3'), ('plain', 'm2');"
	"INSERT INTO fleetwall.rule (role, action, what, any_peer, enabled, since, until) VALUES ('all', 'allow', "
        "'icmp', true, true, NULL, NULL),"
	" ('plain', 'allow', 'all', true, true, NULL, NULL), ('plain', 'deny', 'icmp', true, false, NULL, NULL),"
	" ('plain', 'reject', 'icmp', true, true, '2999-01-01Z', NULL), ('plain', 'allow', 'icmpv4', true, true, NULL, "
        "'2001-01-01Z'),"
	" ('plain', 'allow', 'icmpv6', true, true, '2001-01-01Z', '2999-01-01Z'), ('machine:m1', 'reject', 'all', "
        "true, true, NULL, NULL)";

START_TEST(views)
{
	sql(fleet);
	ck_assert_str_eq(asked("SELECT string_agg(role || ' ' || machine || ' ' || via, ', ' ORDER BY role, machine) "
	                       "FROM fleetwall.role_member"),
	                 "all m1 selector, all m2 selector, all m3 selector, all m4 selector, machine:m1 m1 assigned, "
	                 "plain m1 assigned,"
	                 " plain m2 assigned, plain m3 assigned, prod m1 assigned, prod m2 selector");
	ck_assert_str_eq(asked("SELECT string_agg(role || ' ' || host(address) || coalesce('/' || label, ''), ', ' "
	                       "ORDER BY role, address)"
	                       " FROM fleetwall.role_address WHERE role IN ('plain', 'prod', 'none', 'machine:m1')"),
	                 "machine:m1 10.0.0.1/private, machine:m1 fd00::1, plain 10.0.0.1/private, plain fd00::1, prod "
	                 "10.0.0.1/private,"
	                 " prod fd00::1");
	ck_assert_str_eq(
		asked("SELECT string_agg(machine || ' ' || role || ' ' || rule, ', ' ORDER BY machine, role, rule)"
	              " FROM fleetwall.machine_rule"),
		"m1 all allow icmp, m1 machine:m1 reject all, m1 plain allow all,"
		" m1 plain allow icmpv6 since 2001-01-01T00:00:00Z until 2999-01-01T00:00:00Z, m4 all allow icmp");
	ck_assert_str_eq(
		asked("SELECT count(*) FROM fleetwall.machine_rule AS m JOIN fleetwall.rule AS r ON r.id = m.rule_id"
	              " WHERE r.text = m.rule AND r.role = m.role"),
		"5");
}
END_TEST

/* A question about one machine or role looks at that one, not at all. */
START_TEST(views_are_asked_by_machine_and_role)
{
	static const char *const questions[] = {
		"SELECT * FROM fleetwall.role_member WHERE machine = 'm-500'",
		"SELECT * FROM fleetwall.role_member WHERE role = 'r-1'",
		"SELECT * FROM fleetwall.role_address WHERE role = 'r-1'",
		"SELECT * FROM fleetwall.machine_rule WHERE machine = 'm-500'",
	};

	sql("INSERT INTO fleetwall.machine (name) SELECT 'm-' || i FROM generate_series(1, 20000) AS i;"
	    "INSERT INTO fleetwall.role (name) SELECT 'r-' || i FROM generate_series(1, 2000) AS i;"
	    "INSERT INTO fleetwall.member SELECT 'r-' || i % 2000 + 1, 'm-' || i FROM generate_series(1, 20000) AS i;"
	    "INSERT INTO fleetwall.rule (role, action, what, protocol, any_peer)"
	    " SELECT 'r-' || i, 'allow', 'protocol', 6, true FROM generate_series(1, 2000) AS i; ANALYZE");
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		struct db_rows plan;

		must(db_query(arena, db, str_format(arena, "EXPLAIN %s", questions[i]), NULL, 0, &plan));
		for (size_t line = 0; line < plan.count; line++)
			ck_assert_msg(strstr(str_c(arena, db_cell(&plan, line, 0)), "Seq Scan on member") == NULL, "%s",
			              questions[i]);
	}
	ck_assert_str_eq(asked("SELECT string_agg(role || ' ' || rule, ',') FROM fleetwall.machine_rule WHERE machine "
	                       "= 'm-500'"),
	                 "r-501 allow tcp");
}
END_TEST

/* --- history --- */

static const char *const changes =
	"SELECT coalesce(string_agg(operation || ' ' || what, ', ' ORDER BY number), '') FROM fleetwall.change";

START_TEST(history_of_each_table)
{
	sql("INSERT INTO fleetwall.machine (name) VALUES ('m1'), ('m2'); INSERT INTO fleetwall.address VALUES ('m1', "
	    "'10.0.0.1');"
	    "INSERT INTO fleetwall.role (name) VALUES ('r'); INSERT INTO fleetwall.member VALUES ('r', 'm1'); INSERT "
	    "INTO fleetwall.network VALUES ('n');"
	    "INSERT INTO fleetwall.network_prefix VALUES ('n', '10.0.0.0/8'); INSERT INTO fleetwall.service VALUES "
	    "('own');"
	    "INSERT INTO fleetwall.service_port VALUES ('own', 6, '{[1,2)}')");
	ck_assert_str_eq(
		asked(changes),
		"insert machine m1, insert machine m2, insert address m1 10.0.0.1, insert role r, insert member r m1,"
		" insert network n, insert prefix n 10.0.0.0/8, insert service own, insert port own tcp");
	ck_assert_str_eq(asked("SELECT count(DISTINCT transaction) || ' ' || count(DISTINCT at) FROM fleetwall.change"),
	                 "1 1");
	sql("DELETE FROM fleetwall.history");
	sql("UPDATE fleetwall.machine SET ssh_port = 2222 WHERE name = 'm1'; UPDATE fleetwall.machine SET ssh_port = "
	    "2222 WHERE name = 'm1'");
	sql("UPDATE fleetwall.machine SET name = 'm3' WHERE name = 'm1'; DELETE FROM fleetwall.machine WHERE name = "
	    "'m3'");
	ck_assert_str_eq(asked(changes), "update machine m1, update machine m3, update address m3 10.0.0.1, update "
	                                 "member r m3, delete machine m3,"
	                                 " delete address m3 10.0.0.1, delete member r m3");
	ck_assert_str_eq(
		asked("SELECT (before ->> 'ssh_port') || ' ' || (after ->> 'ssh_port') || ' ' || (before ->> 'name') "
	              "|| ' ' ||"
	              " (after ->> 'name') FROM fleetwall.change WHERE what = 'machine m3' AND operation = 'update'"),
		"2222 2222 m1 m3");
	ck_assert_str_eq(asked("SELECT before IS NULL OR after IS NOT NULL FROM fleetwall.change WHERE what = 'machine "
	                       "m3' AND operation = 'delete'"),
	                 "f");
	sql("DELETE FROM fleetwall.history; TRUNCATE fleetwall.network CASCADE");
	ck_assert_msg(strstr(asked(changes), "delete network n") != NULL &&
	                      strstr(asked(changes), "delete prefix n 10.0.0.0/8") != NULL,
	              "%s", asked(changes));
}
END_TEST

/* A rule is one thing in the history, with its peers; it appears when it is complete. */
START_TEST(history_of_rules)
{
	sql("INSERT INTO fleetwall.role (name) VALUES ('r')");
	sql("DELETE FROM fleetwall.history; DELETE FROM fleetwall.history_transaction");
	sql("BEGIN; INSERT INTO fleetwall.rule (key, role, action, what, ticket) VALUES (1, 'r', 'allow', 'all', "
	    "'T-1');"
	    "INSERT INTO fleetwall.rule_peer (rule, kind) VALUES (1, 'self'); COMMIT");
	sql("INSERT INTO fleetwall.rule_peer (rule, kind, role) VALUES (1, 'role', 'r'); UPDATE fleetwall.rule SET "
	    "enabled = false");
	sql("UPDATE fleetwall.rule SET log = true; UPDATE fleetwall.rule SET log = true");
	sql("DELETE FROM fleetwall.rule");
	ck_assert_str_eq(asked("SELECT string_agg(operation || ' ' || coalesce(before ->> 'rule', '-') || ' ' || "
	                       "coalesce(before ->> 'enabled', '-') ||"
	                       " ' > ' || coalesce(after ->> 'rule', '-') || ' ' || coalesce(after ->> 'enabled', "
	                       "'-'), E'\\n' ORDER BY number)"
	                       " FROM fleetwall.change"),
	                 "insert - - > allow all from self true\n"
	                 "update allow all from self true > allow all from self, role:r true\n"
	                 "update allow all from self, role:r true > allow all from self, role:r false\n"
	                 "update allow all from self, role:r false > allow all from self, role:r log false\n"
	                 "delete allow all from self, role:r log false > - -");
	ck_assert_str_eq(asked("SELECT string_agg(DISTINCT (after ->> 'ticket') || (after ->> 'role'), ' ') FROM "
	                       "fleetwall.change"),
	                 "T-1r");
	ck_assert_str_eq(asked("SELECT what = 'rule r ' || left(encode(fleetwall.rule_digest('r', 'allow all from "
	                       "self'), 'hex'), 12)"
	                       " FROM fleetwall.change ORDER BY number LIMIT 1"),
	                 "t");
}
END_TEST

START_TEST(history_says_who_and_why)
{
	must(db_ticket(db, STR("OPS-17")));
	sql("INSERT INTO fleetwall.network VALUES ('n')");
	must(db_ticket(db, STR("")));
	sql("BEGIN; DELETE FROM fleetwall.network; SAVEPOINT s; INSERT INTO fleetwall.network VALUES ('lost'); "
	    "ROLLBACK TO s; COMMIT");
	sql("BEGIN; INSERT INTO fleetwall.network VALUES ('lost'); ROLLBACK");
	ck_assert_str_eq(asked("SELECT string_agg(who || ' ' || (os_user <> '') || ' ' || coalesce(ticket, '-') || ' ' "
	                       "|| what || ' '"
	                       " || (at BETWEEN now() - interval '1 minute' AND now()), ', ' ORDER BY number) FROM "
	                       "fleetwall.change"),
	                 "fleetwall true OPS-17 network n true, fleetwall true - network n true");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.history_transaction"), "2");
}
END_TEST

/* --- rights --- */

static const char *const attempts_to_write[] = {
	"INSERT INTO fleetwall.machine (name) VALUES ('x')",
	"UPDATE fleetwall.machine SET enabled = false",
	"DELETE FROM fleetwall.member",
	"INSERT INTO fleetwall.rule (role, action, what, any_peer) VALUES ('r', 'allow', 'all', true)",
	"UPDATE fleetwall.rule SET enabled = true",
	"DELETE FROM fleetwall.rule_peer",
	"INSERT INTO fleetwall.service (name) VALUES ('x')",
	"DELETE FROM fleetwall.network",
};
static const char *const attempts_to_generate[] = {
	"INSERT INTO fleetwall.generation (number, digest, clock, machines) VALUES (7, sha256('x'), now(), 1)",
};
static const char *const attempts_to_cheat[] = {
	"DELETE FROM fleetwall.history",
	"UPDATE fleetwall.history SET after = NULL",
	"INSERT INTO fleetwall.history (transaction, kind, operation) VALUES (1, 'machine', 'I')",
	"UPDATE fleetwall.history_transaction SET who = 'somebody'",
	"INSERT INTO fleetwall.history_transaction (who) VALUES ('somebody')",
	"SELECT fleetwall.history_begin()",
	"DELETE FROM fleetwall.generation",
	"UPDATE fleetwall.generation SET digest = sha256('y')",
	"INSERT INTO fleetwall.generation (number, digest, clock, machines, who) VALUES (8, '', now(), 1, 'me')",
	"INSERT INTO fleetwall.rule (role, action, what, any_peer, text) VALUES ('r', 'allow', 'all', true, 'lies')",
	"UPDATE fleetwall.rule SET text = 'lies'",
	"UPDATE fleetwall.rule SET digest = 'lies'",
	"UPDATE fleetwall.service SET builtin = true",
	"INSERT INTO fleetwall.migration (number, name, digest) VALUES (99, 'x', 'x')",
	"TRUNCATE fleetwall.machine CASCADE",
	"ALTER TABLE fleetwall.machine DISABLE TRIGGER ALL",
	"ALTER TABLE fleetwall.machine DROP CONSTRAINT machine_mode_check",
	"SET session_replication_role = replica",
	"CREATE TABLE fleetwall.x (i integer)",
	"DROP TABLE fleetwall.member",
};

static void as(const char *user)
{
	must(db_run(db, str_format(arena, "SET SESSION AUTHORIZATION %s", user)));
}

static void none_of(const char *const *attempts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct error *error = db_run(db, str_of(attempts[i]));

		ck_assert_msg(error != NULL, "not refused: %s", attempts[i]);
		ck_assert_msg(strstr(text_of(error), "permission denied") != NULL ||
		                      strstr(text_of(error), "must be owner") != NULL,
		              "%s: %s", attempts[i], text_of(error));
		ck_assert(error->kind == ERROR_INPUT);
		db_rollback(db);
	}
}
#define NONE_OF(attempts) none_of((attempts), sizeof(attempts) / sizeof *(attempts))

static void all_of(const char *const *attempts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sql(attempts[i]);
}
#define ALL_OF(attempts) all_of((attempts), sizeof(attempts) / sizeof *(attempts))

static void reads_everything(void)
{
	const char *tables =
		"SELECT string_agg(format('SELECT count(*) FROM fleetwall.%I', relname), '; ') FROM pg_class"
		" WHERE relnamespace = 'fleetwall'::regnamespace AND relkind IN ('r', 'v')";

	sql(asked(tables));
	must(db_check(arena, db));
}

START_TEST(a_reader_reads)
{
	sql("INSERT INTO fleetwall.role (name) VALUES ('r')");
	as("test_reader");
	reads_everything();
	NONE_OF(attempts_to_write);
	NONE_OF(attempts_to_generate);
	NONE_OF(attempts_to_cheat);
}
END_TEST

START_TEST(an_editor_edits)
{
	sql("INSERT INTO fleetwall.role (name) VALUES ('r')");
	as("test_editor");
	reads_everything();
	ALL_OF(attempts_to_write);
	sql("BEGIN; LOCK TABLE fleetwall.rule, fleetwall.machine, fleetwall.service IN SHARE ROW EXCLUSIVE MODE; "
	    "COMMIT;"
	    "SELECT nextval(pg_get_serial_sequence('fleetwall.rule', 'key'))");
	must(db_copy_in(db, STR("fleetwall.rule (key, role, action, what, log)")));
	must(db_copy_row(db, (struct str[]){STR("55"), STR("r"), STR("allow"), STR("icmp"), STR("t")}, 5));
	ck_assert(strstr(text_of(db_copy_end(db)), "it has no peers") != NULL);
	NONE_OF(attempts_to_generate);
	NONE_OF(attempts_to_cheat);
	ck_assert_str_eq(asked("SELECT string_agg(DISTINCT who, ' ') FROM fleetwall.change WHERE what = 'machine x'"),
	                 "test_editor");
}
END_TEST

START_TEST(an_operator_generates)
{
	sql("INSERT INTO fleetwall.role (name) VALUES ('r')");
	as("test_operator");
	reads_everything();
	NONE_OF(attempts_to_write);
	ALL_OF(attempts_to_generate);
	NONE_OF(attempts_to_cheat);
	ck_assert_str_eq(asked("SELECT who FROM fleetwall.generation"), "test_operator");
}
END_TEST

START_TEST(others_get_nothing)
{
	struct error *error;

	as("test_nobody");
	refused("SELECT * FROM fleetwall.machine", "permission denied");
	refused("SELECT * FROM fleetwall.change", "permission denied");
	error = db_check(arena, db);
	ck_assert(error != NULL && error->kind == ERROR_SURROUNDINGS);
	ck_assert_msg(strstr(text_of(error), "GRANT fleetwall_reader") != NULL, "%s", text_of(error));
}
END_TEST

static struct error *make_people(struct db *connection)
{
	return db_run(connection,
	              STR("CREATE ROLE test_reader LOGIN IN ROLE fleetwall_reader;"
	                  "CREATE ROLE test_editor LOGIN IN ROLE fleetwall_editor;"
	                  "CREATE ROLE test_operator LOGIN IN ROLE fleetwall_operator; CREATE ROLE test_nobody LOGIN"));
}

int main(void)
{
	Suite *suite = suite_create("db_views");
	TCase *tcase = tcase_create("views");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, postgres_setup, postgres_teardown);
	tcase_add_test(tcase, texts_are_canonical);
	tcase_add_test(tcase, texts_follow);
	tcase_add_test(tcase, texts_of_writers_at_the_same_time);
	tcase_add_test(tcase, views);
	tcase_add_test(tcase, views_are_asked_by_machine_and_role);
	tcase_add_test(tcase, history_of_each_table);
	tcase_add_test(tcase, history_of_rules);
	tcase_add_test(tcase, history_says_who_and_why);
	tcase_add_test(tcase, a_reader_reads);
	tcase_add_test(tcase, an_editor_edits);
	tcase_add_test(tcase, an_operator_generates);
	tcase_add_test(tcase, others_get_nothing);
	suite_add_tcase(suite, tcase);
	return postgres_main(suite, make_people);
}
