/* Machines whose filters say the same: one role between them, its name, and what becomes of it at the next import. */
#include <check.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/packets.h"
#include "suite_main.h"
#include "taken_over.h"

static struct arena *arena;
static struct takeover *takeover;
static struct fleet present, wanted;

static void setup(void)
{
	arena = arena_new();
	packets_begin();
	present = (struct fleet){.clock = 0};
}

static void teardown(void)
{
	packets_end();
	arena_free(arena);
	error_forget_all();
}

static void take_over(const struct takeover_file *files, size_t count)
{
	struct settings settings = settings_default();

	takeover = taken_over(arena, files, count, &settings, &present, &wanted);
}

static struct str own_rules(const char *machine)
{
	return rules_text(arena, &wanted, machine_role_name(arena, str_of(machine)));
}

static void gives_str(struct str got, const char *expected)
{
	ck_assert_msg(str_is(got, expected), "got:\n%.*s\nexpected:\n%s", STR_ARG(got), expected);
}

#define HEAD "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define SSH_RULES HEAD "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"
#define WEB_RULES HEAD "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n"

/* The machine's roles, with a blank behind each. */
static struct str roles_of(const char *name)
{
	const struct machine *machine = fleet_machine(&wanted, str_of(name));
	struct buf buf = buf_new(arena);

	for (size_t i = 0; machine != NULL && i < machine->role_count; i++)
		buf_format(&buf, "%.*s ", STR_ARG(machine->roles[i]));
	return buf_str(&buf);
}

/* The fleet as it is once what was wanted is there; machines that are in no import stay. */
static void import_wanted(void)
{
	struct error *warnings = NULL;
	struct str text = STR("roles = ( { name = \"web\"; rules = [ \"allow 80/tcp from 0.0.0.0/0\" ];\n"
	                      "description = \"machines whose filters said the same: web1, web2\"; },\n"
	                      "{ name = \"mine\"; } );\n"
	                      "machines = ( { name = \"web1\"; roles = [ \"mine\", \"web\" ]; },\n"
	                      "{ name = \"web2\"; roles = [ \"web\" ]; } );\n");

	ck_assert_ptr_null(document_read(arena, STR("present.conf"), text, &present, &warnings));
	present.clock = 0;
}

START_TEST(alike_machines_share_a_role)
{
	struct takeover_file files[] = {{STR("web1"), STR("1.v4"), STR(WEB_RULES)},
	                                {STR("web2"), STR("2.v4"), STR(WEB_RULES)},
	                                {STR("db"), STR("3.v4"), STR(SSH_RULES)}};
	struct takeover_summary *summaries;
	const struct role *role;
	size_t count;

	take_over(files, 3);
	role = fleet_role(&wanted, STR("web"));
	ck_assert(role != NULL && role->rule_count == 1);
	gives_str(role->description, "machines whose filters said the same: web1, web2");
	gives_str(roles_of("web1"), "web ");
	gives_str(roles_of("web2"), "web ");
	gives_str(roles_of("db"), "");
	gives_str(own_rules("db"), "allow 22/tcp from 0.0.0.0/0\n");
	gives_str(own_rules("web1"), "");
	count = takeover_summaries(takeover, &summaries);
	ck_assert_uint_eq(count, 3);
	for (size_t i = 0; i < count; i++)
		ck_assert(summaries[i].proved && str_is(summaries[i].shared, i == 0 ? "" : "web"));
}
END_TEST

/* Again: the same role, whose rules may be others now; one that is no longer alike leaves it, the others keep it. */
START_TEST(alike_machines_again)
{
	struct takeover_file both[] = {{STR("web1"), STR("1.v4"), STR(SSH_RULES)},
	                               {STR("web2"), STR("2.v4"), STR(SSH_RULES)}};
	struct takeover_file apart[] = {{STR("web1"), STR("1.v4"), STR(SSH_RULES)},
	                                {STR("web3"), STR("3.v4"), STR(SSH_RULES)}};

	import_wanted();
	take_over(both, 2);
	ck_assert_uint_eq(fleet_machine(&wanted, STR("web1"))->given & GIVEN_ROLES, 0);
	gives_str(fleet_role(&wanted, STR("web"))->rules[0].text, "allow 22/tcp from 0.0.0.0/0");
	take_over(apart, 1);
	gives_str(roles_of("web1"), "mine ");
	gives_str(own_rules("web1"), "allow 22/tcp from 0.0.0.0/0\n");
	take_over(apart, 2);
	gives_str(roles_of("web1"), "mine web-alike-2 ");
	ck_assert_ptr_null(fleet_role(&wanted, STR("web")));
}
END_TEST

/* A role of somebody else keeps its name, and names without a common beginning give that of the first. */
START_TEST(names_of_alike_machines)
{
	static const char own[] = "roles = ( { name = \"web\"; } );"
				  "machines = ( { name = \"web1\"; rules = [ \"allow 1/tcp\" ]; } );";
	struct takeover_file web[] = {{STR("web1"), STR("1.v4"), STR(WEB_RULES)},
	                              {STR("web2"), STR("2.v4"), STR(WEB_RULES)}};
	struct takeover_file other[] = {{STR("a"), STR("1.v4"), STR(WEB_RULES)},
	                                {STR("b"), STR("2.v4"), STR(WEB_RULES)}};
	struct error *warnings = NULL;

	take_over(other, 2);
	gives_str(roles_of("a"), "alike-a ");
	ck_assert_ptr_null(document_read(arena, STR("present.conf"), str_of(own), &present, &warnings));
	present.clock = 0;
	take_over(web, 2);
	gives_str(roles_of("web2"), "web-alike-2 ");
	ck_assert_uint_eq(fleet_role(&wanted, STR("machine:web1"))->rule_count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_alike");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, alike_machines_share_a_role);
	tcase_add_test(all, alike_machines_again);
	tcase_add_test(all, names_of_alike_machines);
	suite_add_tcase(suite, all);
	return suite_main(suite);
}
