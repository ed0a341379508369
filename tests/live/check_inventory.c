/* The inventory in a real database: what goes in comes back, only differences are written, and writers wait for each
 * other. Whole fleets are check_inventory_fleets.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "importing.h"

static const char *const company =
	"networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\", \"2001:db8::/32\", \"0.0.0.0/0\" ]; }, { "
        "name = \"vpn\"; prefixes = [ ]; } );\n"
	"services = ( { name = \"search\"; ports = [ \"9200/tcp\", \"9300-9310/tcp\", \"9200/udp\" ]; } );\n"
	"roles = ( { name = \"default\"; selector = { }; rules = [ \"allow all from self\" ]; },\n"
	"  { name = \"app\"; owner = \"web\"; description = \"front\"; rules = [ \"allow search from "
        "role:db/private\", \"reject 25/tcp\", \"deny all on eth0\" ]; },\n"
	"  { name = \"db\"; egress = \"closed\"; selector = { tier = \"db\"; env = \"prod\"; };\n"
	"    rules = ( { rule = \"allow 3306,3310-3319/tcp from machine:a, 10.0.0.0/8, 10.1.2.3-10.1.2.9, fd00::/8, "
        "network:office on eth0 log limit 5/minute"
	" since 2020-01-01 until 2037-12-31T23:59:59Z # old\"; ticket = \"OPS-1\"; owner = \"dba\"; enabled = false; "
        "},\n"
	"      \"allow icmp/echo-request\", \"allow icmpv4/13/0 to any\", \"allow icmpv6/200\", \"allow 99\", \"allow "
        "dns to 0.0.0.0/0\" ); } );\n"
	"machines = ( { name = \"a\"; addresses = [ \"10.0.0.1\", \"fd00::1\" ]; roles = [ \"app\" ]; labels = { env = "
        "\"prod\"; }; ssh_port = 2222; },\n"
	"  { name = \"b\"; mode = \"coexist\"; enforcement = \"monitor\"; roles = [ \"app\", \"db\" ]; rules = [ "
        "\"allow 80/tcp\" ];\n"
	"    addresses = ( { address = \"192.0.2.1\"; label = \"public\"; }, { address = \"::ffff:1.2.3.4\"; label = "
        "\"private\"; } );"
	" ssh_host = \"jump.example.net\"; enabled = false; } );\n";

START_TEST(what_goes_in_comes_back)
{
	imports_text(company, &as_it_is);
	struct fleet fleet = loaded();
	const struct machine *b = fleet_machine(&fleet, STR("b"));
	ck_assert(b != NULL && !b->enabled && b->mode == MODE_COEXIST && b->enforcement == ENFORCEMENT_MONITOR);
	ck_assert_uint_eq(b->role_count, 2);
	ck_assert_uint_eq(b->address_count, 2);
	ck_assert(str_is(b->addresses[0].label, "public") && str_is(b->addresses[1].label, "private"));
	const struct role *role = fleet_role(&fleet, STR("db"));
	ck_assert(role != NULL && role->egress == EGRESS_CLOSED && role->selector_count == 2);
	ck_assert_uint_eq(role->rule_count, 6);
	ck_assert(fleet.clock > 1700000000);
}
END_TEST

START_TEST(an_empty_database_has_the_services_that_come_with_it)
{
	struct fleet fleet = loaded();
	ck_assert_uint_eq(fleet.machine_count + fleet.role_count + fleet.network_count, 0);
	const struct service *mysql = fleet_service(&fleet, STR("mysql"));
	ck_assert(mysql != NULL && mysql->builtin && mysql->count == 1 && mysql->ports[0].protocol == PROTOCOL_TCP);
	ck_assert_uint_eq(mysql->ports[0].ports[0].first, 3306);
	ck_assert_uint_eq(mysql->ports[0].ports[0].last, 3306);
	const struct service *dns = fleet_service(&fleet, STR("dns"));
	ck_assert(dns != NULL && dns->count == 2);
}
END_TEST

START_TEST(an_export_is_an_import)
{
	imports_text(company, &as_it_is);
	struct fleet fleet = loaded();
	comes_back_elsewhere(exported(&fleet));
}
END_TEST

START_TEST(each_field_changes_and_is_cleared)
{
	static const char *const steps[] = {
		"machines = ( { name = \"a\"; enabled = false; mode = \"coexist\"; enforcement = \"unmanaged\"; "
	        "ssh_port = 22; ssh_host = \"x\"; } );",
		"machines = ( { name = \"a\"; labels = { a = \"1\"; b = \"\"; }; roles = [ \"db\", \"default\" ]; "
	        "addresses = ( { address = \"10.0.0.1\"; label = \"l\"; } ); } );",
		"machines = ( { name = \"a\"; labels = { }; roles = [ ]; addresses = [ ]; ssh_host = \"\"; }, { name = "
	        "\"b\"; rules = [ ]; } );",
		"machines = ( { name = \"b\"; rules = ( { rule = \"allow 80/tcp\"; ticket = \"T\"; }, \"allow 81/tcp "
	        "from role:app\" ); } );",
		"roles = ( { name = \"app\"; owner = \"\"; description = \"\"; egress = \"closed\"; selector = { x = "
	        "\"y\"; }; } );",
		"roles = ( { name = \"db\"; rules = ( { rule = \"allow icmp/echo-request # why\"; enabled = false; }, "
	        "\"allow 99\" ); } );",
		"roles = ( { name = \"db\"; rules = ( { rule = \"allow icmp/echo-request\"; owner = \"me\"; }, \"allow "
	        "98\" ); } );",
		"roles = ( { name = \"db\"; rules = [ ]; selector = { }; } );",
		"networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\", \"::/0\" ]; }, { name = \"vpn\"; "
	        "prefixes = [ \"10.9.0.0/16\" ]; } );",
		"networks = ( { name = \"office\"; prefixes = [ ]; } );",
		"services = ( { name = \"search\"; ports = [ \"9200/sctp\", \"9200/udp\" ]; }, { name = \"mysql\"; "
	        "ports = [ \"3307/tcp\" ]; } );",
	};
	imports_text(company, &as_it_is);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct fleet wanted = document(steps[i]);
		struct fleet before = loaded();
		struct plan plan;
		must(inventory_plan(arena, &before, &wanted, &as_it_is, &plan));
		ck_assert_msg(plan.count > 0, "step %zu changes nothing", i);
		imports(&wanted, &as_it_is);
	}
	imports_text(company, &pruning);
}
END_TEST

START_TEST(a_rule_keeps_its_row_while_its_text_stays)
{
	imports_text("roles = ( { name = \"r\"; rules = [ \"allow 22/tcp from 10.0.0.0/8\", \"allow 80/tcp\" ]; } );",
	             &as_it_is);
	const char *key = asked("SELECT key FROM fleetwall.rule WHERE text LIKE '%22%'");
	imports_text("roles = ( { name = \"r\"; rules = ( { rule = \"allow 22/tcp from 10.0.0.0/8 # b\"; ticket = "
	             "\"T-1\"; } ); } );",
	             &as_it_is);
	ck_assert_str_eq(asked("SELECT key FROM fleetwall.rule WHERE ticket = 'T-1' AND comment = 'b'"), key);
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.rule"), "1");
	ck_assert_str_eq(
		asked("SELECT string_agg(operation, ',' ORDER BY number) FROM fleetwall.change WHERE kind = 'rule'"),
		"insert,insert,delete,update");
}
END_TEST

START_TEST(strange_texts_come_back)
{
	imports_text("roles = ( { name = \"r\"; description = \"NULL\"; owner = \"\\\\N\"; rules = ( { rule = \"allow "
	             "22/tcp # {\\\"x\\\",'} \\\\. ; -- $1\";"
	             " ticket = \"\\\\.\"; owner = \"a,b}\"; } ); selector = [ "
	             "\"kubernetes.io/\\\"x\\\\\\\"=\\\\{,}\", \"empty=\", \"ü=ß\" ]; },\n"
	             " { name = \"s\"; description = \"null\"; owner = \"{}\"; } );\n"
	             "machines = ( { name = \"null\"; labels = [ \"a b=c d\", \"q=\\\"\", \"b=\\\\\\\\\", \"n=NULL\" "
	             "]; roles = [ \"r\" ]; } );",
	             &as_it_is);
	struct fleet fleet = loaded();
	const struct role *role = fleet_role(&fleet, STR("r"));
	ck_assert(str_is(role->description, "NULL") && str_is(role->owner, "\\N"));
	ck_assert(str_is(role->rules[0].rule.comment, "{\"x\",'} \\. ; -- $1"));
	ck_assert(str_is(role->rules[0].ticket, "\\."));
	ck_assert_uint_eq(role->selector_count, 3);
	ck_assert(str_is(role->selector[1].key, "kubernetes.io/\"x\\\"") && str_is(role->selector[1].value, "\\{,}"));
	imports_text("roles = ( { name = \"r\"; description = \"\\\"\\\\\"; owner = \"NULL\"; rules = ( { rule = "
	             "\"allow 22/tcp # NULL\"; ticket = \"\\\\N\"; } ); } );"
	             "machines = ( { name = \"null\"; labels = [ \"q=\\\\\\\"\" ]; } );",
	             &as_it_is);
	fleet = loaded();
	role = fleet_role(&fleet, STR("r"));
	ck_assert(str_is(role->description, "\"\\") && str_is(role->owner, "NULL") &&
	          str_is(role->rules[0].ticket, "\\N"));
	ck_assert(str_is(role->rules[0].rule.comment, "NULL"));
}
END_TEST

START_TEST(pruning_leaves_what_came_with_the_schema)
{
	imports_text(company, &as_it_is);
	imports_text("machines = ( { name = \"b\"; roles = [ ]; } ); services = ( { name = \"mysql\"; ports = [ "
	             "\"3306/tcp\" ]; } );",
	             &pruning);
	ck_assert_str_eq(asked("SELECT string_agg(name, ',' ORDER BY name) FROM fleetwall.role"), "machine:b");
	ck_assert_str_eq(asked("SELECT string_agg(name, ',' ORDER BY name) FROM fleetwall.machine"), "b");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.service WHERE NOT builtin"), "0");
	ck_assert_str_eq(asked("SELECT builtin FROM fleetwall.service WHERE name = 'mysql'"), "t");
	imports_text("", &pruning);
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.role"), "0");
}
END_TEST

START_TEST(a_rollback_leaves_nothing)
{
	struct fleet wanted = document(company);
	struct fleet before = loaded();
	must(db_begin(db, DB_WRITE));
	imported_by(db, &wanted, &as_it_is);
	db_rollback(db);
	struct fleet after = loaded();
	ck_assert_str_eq(exported(&after), exported(&before));
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.history"), "0");
}
END_TEST

/* --- what plain SQL wrote --- */

START_TEST(rows_of_others_are_loaded)
{
	sql("BEGIN;"
	    "INSERT INTO fleetwall.machine (name, labels) VALUES ('z', '{\"b\": \"2\", \"aa\": \"1\"}'), ('a.b', '{}');"
	    "INSERT INTO fleetwall.address (machine, address) VALUES ('z', '10.0.0.9'), ('z', '10.0.0.10'), ('z', "
	    "'fd00::1');"
	    "INSERT INTO fleetwall.address VALUES ('a.b', '10.0.0.1', 'x');"
	    "INSERT INTO fleetwall.role (name) VALUES ('r2'), ('r1');"
	    "INSERT INTO fleetwall.member VALUES ('r2', 'z'), ('r1', 'z');"
	    "INSERT INTO fleetwall.rule (role, action, what, protocol, ports) VALUES ('r1', 'allow', 'ports', 6, "
	    "'{[80,83),[83,90)}');"
	    "INSERT INTO fleetwall.rule_peer (rule, kind, role) SELECT key, 'role', 'r2' FROM fleetwall.rule;"
	    "INSERT INTO fleetwall.rule_peer (rule, kind, first_address, last_address) SELECT key, 'literal', "
	    "'10.0.0.0', '10.255.255.255' FROM fleetwall.rule;"
	    "COMMIT");
	struct fleet fleet = loaded();
	const struct machine *z = fleet_machine(&fleet, STR("z"));
	ck_assert(str_is(z->labels[0].key, "aa") && str_is(z->labels[1].key, "b"));
	ck_assert(str_is(z->roles[0], "r1") && str_is(z->roles[1], "r2"));
	ck_assert(str_is(addr_str(arena, z->addresses[0].addr), "10.0.0.9") &&
	          str_is(addr_str(arena, z->addresses[1].addr), "10.0.0.10"));
	const struct role *role = fleet_role(&fleet, STR("r1"));
	ck_assert(str_is(role->rules[0].text, "allow 80-89/tcp from 10.0.0.0/8, role:r2"));
	ck_assert(role->rules[0].key > 0 && role->rules[0].enabled);
}
END_TEST

START_TEST(a_text_that_is_not_what_the_columns_say_is_an_error)
{
	imports_text(company, &as_it_is);
	sql("SET session_replication_role = replica; UPDATE fleetwall.rule SET text = 'allow all' WHERE text LIKE "
	    "'reject%'; SET session_replication_role = origin");
	struct fleet fleet;
	must(db_begin(db, DB_SNAPSHOT));
	struct error *error = inventory_load(arena, db, &fleet);
	db_rollback(db);
	ck_assert_ptr_nonnull(error);
	const char *text = text_of(error);
	ck_assert_msg(error->kind == ERROR_SURROUNDINGS && strstr(text, "role app: rule") &&
	                      strstr(text, "'reject 25/tcp'") && strstr(text, "'allow all'"),
	              "%s", text);
}
END_TEST

/* --- rights --- */

START_TEST(an_editor_may_import)
{
	sql("SET ROLE fleetwall_editor");
	imports_text(company, &as_it_is);
	imports_text(
		"machines = ( { name = \"a\"; addresses = [ \"10.0.0.2\" ]; labels = { }; roles = [ \"default\" ]; } );"
		"roles = ( { name = \"default\"; description = \"x\"; rules = ( { rule = \"allow all from self\"; "
	        "ticket = \"T\"; }, \"allow 22/tcp from role:app\" ); } );",
		&as_it_is);
	imports_text("", &pruning);
}
END_TEST

START_TEST(a_reader_may_load_and_no_more)
{
	struct plan plan;
	struct fleet present, wanted = document("machines = ( { name = \"c\"; } );");
	imports_text(company, &as_it_is);
	sql("SET ROLE fleetwall_reader");
	present = loaded();
	ck_assert_uint_eq(present.machine_count, 2);
	must(db_begin(db, DB_WRITE));
	struct error *error = inventory_lock(db);
	ck_assert_ptr_nonnull(error);
	db_rollback(db);
	must(db_begin(db, DB_WRITE));
	present = (struct fleet){0};
	must(inventory_plan(arena, &present, &wanted, &as_it_is, &plan));
	error = inventory_write(arena, db, &present, &plan);
	ck_assert_ptr_nonnull(error);
	db_rollback(db);
}
END_TEST

/* --- at the same time --- */

/* A second import, in a process of its own. */
static pid_t import_elsewhere(const char *text)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	db = postgres_open(conninfo);
	struct fleet wanted = document(text);
	imported(&wanted, &as_it_is);
	db_close(db);
	_exit(0);
}

START_TEST(imports_wait_for_each_other)
{
	struct fleet wanted = document("roles = ( { name = \"r\"; rules = [ \"allow 22/tcp\" ]; } ); machines = ( { "
	                               "name = \"a\"; roles = [ \"r\" ]; } );");
	int status;
	must(db_begin(db, DB_WRITE));
	imported_by(db, &wanted, &as_it_is);
	pid_t child = import_elsewhere("roles = ( { name = \"r\"; rules = [ \"allow 22/tcp\", \"allow 80/tcp\" ]; } ); "
	                               "machines = ( { name = \"b\"; roles = [ \"r\" ]; } );");
	usleep(300000);
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
	must(db_commit(db));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_str_eq(asked("SELECT string_agg(machine, ',' ORDER BY machine) FROM fleetwall.member"), "a,b");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.rule"), "2");
}
END_TEST

START_TEST(plain_sql_waits_for_an_import)
{
	must(db_begin(db, DB_WRITE));
	must(inventory_lock(db));
	struct db *other = postgres_open(conninfo);
	must(db_run(other, STR("SET lock_timeout = '200ms'")));
	struct error *error = db_run(other, STR("INSERT INTO fleetwall.network VALUES ('n')"));
	ck_assert_ptr_nonnull(error);
	must(db_run(other, STR("SELECT count(*) FROM fleetwall.network")));
	must(db_commit(db));
	must(db_run(other, STR("INSERT INTO fleetwall.network VALUES ('n')")));
	db_close(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inventory");
	TCase *cases = tcase_create("inventory");
	tcase_add_checked_fixture(cases, postgres_setup, postgres_teardown);
	tcase_add_test(cases, what_goes_in_comes_back);
	tcase_add_test(cases, an_empty_database_has_the_services_that_come_with_it);
	tcase_add_test(cases, an_export_is_an_import);
	tcase_add_test(cases, each_field_changes_and_is_cleared);
	tcase_add_test(cases, a_rule_keeps_its_row_while_its_text_stays);
	tcase_add_test(cases, strange_texts_come_back);
	tcase_add_test(cases, pruning_leaves_what_came_with_the_schema);
	tcase_add_test(cases, a_rollback_leaves_nothing);
	tcase_add_test(cases, rows_of_others_are_loaded);
	tcase_add_test(cases, a_text_that_is_not_what_the_columns_say_is_an_error);
	tcase_add_test(cases, an_editor_may_import);
	tcase_add_test(cases, a_reader_may_load_and_no_more);
	tcase_add_test(cases, imports_wait_for_each_other);
	tcase_add_test(cases, plain_sql_waits_for_an_import);
	tcase_set_timeout(cases, 30);
	suite_add_tcase(suite, cases);
	return postgres_main(suite, NULL);
}
