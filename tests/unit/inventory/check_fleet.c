/* The model: looking up, selectors, putting in order, and references. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "random_fleet.h"
#include "suite_main.h"

static void same(struct str s, const char *expected)
{
	ck_assert_msg(str_is(s, expected), "\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

static struct fleet document(const char *text)
{
	struct error *warnings = NULL, *error;
	struct fleet fleet;

	error = document_read(arena, STR("doc"), str_of(text), &fleet, &warnings);
	none(error);
	return fleet;
}

/* --- small things --- */

START_TEST(every_object_is_found_by_name)
{
	struct rng rng = {7};
	struct fleet fleet = random_fleet(arena, &rng, 40);

	for (size_t i = 0; i < fleet.machine_count; i++)
		ck_assert_ptr_eq(fleet_machine(&fleet, fleet.machines[i].name), &fleet.machines[i]);
	for (size_t i = 0; i < fleet.role_count; i++)
		ck_assert_ptr_eq(fleet_role(&fleet, fleet.roles[i].name), &fleet.roles[i]);
	for (size_t i = 0; i < fleet.network_count; i++)
		ck_assert_ptr_eq(fleet_network(&fleet, fleet.networks[i].name), &fleet.networks[i]);
	for (size_t i = 0; i < fleet.service_count; i++)
		ck_assert_ptr_eq(fleet_service(&fleet, fleet.services[i].name), &fleet.services[i]);
	ck_assert_ptr_null(fleet_machine(&fleet, STR("")));
	ck_assert_ptr_null(fleet_role(&fleet, STR("zzz")));
	ck_assert_ptr_null(fleet_network(&(struct fleet){0}, STR("net0")));
}
END_TEST

START_TEST(a_selector_wants_all_its_labels)
{
	const struct label labels[] = {{STR("a"), STR("1")}, {STR("b"), STR("2")}, {STR("d"), STR("")}};
	const struct label b[] = {{STR("b"), STR("2")}}, other[] = {{STR("b"), STR("3")}}, c[] = {{STR("c"), STR("")}},
			   d[] = {{STR("d"), STR("")}}, all[] = {{STR("a"), STR("1")}, {STR("d"), STR("")}},
			   more[] = {{STR("a"), STR("1")}, {STR("e"), STR("")}};

	ck_assert(labels_contain(labels, 3, NULL, 0));
	ck_assert(labels_contain(NULL, 0, NULL, 0));
	ck_assert(labels_contain(labels, 3, b, 1));
	ck_assert(labels_contain(labels, 3, d, 1));
	ck_assert(labels_contain(labels, 3, all, 2));
	ck_assert(!labels_contain(labels, 3, other, 1));
	ck_assert(!labels_contain(labels, 3, c, 1));
	ck_assert(!labels_contain(labels, 3, more, 2));
	ck_assert(!labels_contain(NULL, 0, b, 1));
}
END_TEST

START_TEST(words_there_and_back)
{
	enum mode mode;
	enum enforcement enforcement;
	enum egress egress;

	for (int i = MODE_EXCLUSIVE; i <= MODE_COEXIST; i++)
		ck_assert(mode_parse(mode_str((enum mode)i), &mode) && mode == (enum mode)i);
	for (int i = ENFORCEMENT_ENFORCE; i <= ENFORCEMENT_UNMANAGED; i++)
		ck_assert(enforcement_parse(enforcement_str((enum enforcement)i), &enforcement) &&
		          enforcement == (enum enforcement)i);
	for (int i = EGRESS_OPEN; i <= EGRESS_CLOSED; i++)
		ck_assert(egress_parse(egress_str((enum egress)i), &egress) && egress == (enum egress)i);
	ck_assert(!mode_parse(STR("Exclusive"), &mode) && !mode_parse(STR(""), &mode));
	ck_assert(!enforcement_parse(STR("enforced"), &enforcement));
	ck_assert(!egress_parse(STR("ope"), &egress));
}
END_TEST

START_TEST(roles_of_machines)
{
	same(machine_role_name(arena, STR("m1")), "machine:m1");
	same(machine_of_role(STR("machine:m1")), "m1");
	ck_assert_uint_eq(machine_of_role(STR("machines")).n, 0);
	ck_assert_uint_eq(machine_of_role(STR("machine:")).n, 0);
}
END_TEST

/* --- putting in order --- */

START_TEST(order_and_folding)
{
	struct str roles[] = {STR("B"), STR("a"), STR("b")};
	struct label labels[] = {{STR("z"), STR("1")}, {STR("a"), STR("2")}, {STR("z"), STR("1")}};
	struct machine machines[] = {
		{.name = STR("W2")},
		{.name = STR("w1"), .roles = roles, .role_count = 3, .labels = labels, .label_count = 3},
		{.name = STR("w2")},
	};
	struct fleet fleet = {.machines = machines, .machine_count = 3};

	ck_assert_ptr_null(fleet_normalize(arena, &fleet));
	ck_assert_uint_eq(fleet.machine_count, 2);
	same(fleet.machines[0].name, "w1");
	same(fleet.machines[1].name, "w2");
	ck_assert_uint_eq(fleet.machines[0].role_count, 2);
	same(fleet.machines[0].roles[0], "a");
	ck_assert_uint_eq(fleet.machines[0].label_count, 2);
	same(fleet.machines[0].labels[0].key, "a");
}
END_TEST

static void check_twice(size_t seed)
{
	struct rng rng = {seed + 1};
	struct fleet fleet = random_fleet(arena, &rng, 10);
	struct buf before = buf_new(arena), after = buf_new(arena);

	document_write(&before, &fleet);
	ck_assert_ptr_null(fleet_normalize(arena, &fleet));
	document_write(&after, &fleet);
	ck_assert(str_eq(buf_str(&before), buf_str(&after)));
}

START_TEST(normalizing_twice_changes_nothing)
{
	for (size_t i = 0; i < 20; i++) {
		check_twice(i);
		arena_reset(arena);
		error_forget_all();
	}
}
END_TEST

/* What a hand-made fleet may get wrong, when no reader looked before. */
START_TEST(bad_fleets_are_refused)
{
	struct label equals[] = {{STR("a=b"), STR("")}}, two[] = {{STR("a"), STR("1")}, {STR("a"), STR("2")}};
	struct str roles[] = {STR("machine:m")};
	struct machine_address addresses[] = {{{1, FAMILY_4}, STR("a")}, {{1, FAMILY_4}, STR("b")}},
			       label[] = {{{1, FAMILY_4}, STR("a b")}};
	struct machine machines[] = {
		{.name = STR("a_b")},
		{.name = STR("m"), .labels = equals, .label_count = 1},
		{.name = STR("m"), .labels = two, .label_count = 2},
		{.name = STR("m"), .roles = roles, .role_count = 1},
		{.name = STR("m"), .addresses = addresses, .address_count = 2},
		{.name = STR("m"), .addresses = label, .address_count = 1},
		{.name = STR("m"), .ssh_host = STR("-x")},
		{.name = STR("m"), .ssh_port = 65536},
	};
	struct role bad_roles[] = {
		{.name = STR("a b")}, {.name = STR("machine:a b")}, {.name = STR("machine:m"), .has_selector = true},
		{.name = STR("r"), .description = STR("a\nb")}, {.name = STR("r"), .owner = STR("\xff")},
	};

	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
		struct fleet fleet = {.machines = &machines[i], .machine_count = 1};

		ck_assert_uint_eq(error_count(fleet_normalize(arena, &fleet)), 1);
	}
	for (size_t i = 0; i < sizeof bad_roles / sizeof *bad_roles; i++) {
		struct fleet fleet = {.roles = &bad_roles[i], .role_count = 1};

		ck_assert_uint_eq(error_count(fleet_normalize(arena, &fleet)), 1);
	}
}
END_TEST

/* --- references --- */

#define LIST(kind) "fleetwall " kind " list shows those that there are"

static const struct reference {
	const char *text;
	unsigned line, column;
	const char *message, *hint;
} references[] = {
	{"machines = (\n { name = \"m\"; roles = [ \"webb\",\n  \"web\" ]; } );\nroles = ( { name = \"web\"; } );", 2,
         27, "machine m: there is no role \"webb\"", "did you mean \"web\"?"},
	{"machines = (\n { name = \"m\"; roles = [ \"WEBB\" ]; } );\nroles = ( { name = \"web\"; } );", 2, 2,
         "machine m: there is no role \"webb\"", "did you mean \"web\"?"},
	{"roles = ( { name = \"a\"; rules = [ \"allow 22/tcp\",\n\"allow 22/tcp from role:bastoin\" ]; }, { name = "
         "\"bastion\"; } );",
         2, 2, "a rule of role a: there is no role \"bastoin\"", "did you mean \"bastion\"?"},
	{"roles = ( { name = \"a\"; rules = [ \"allow 22/tcp from network:office\" ]; } );", 1, 36,
         "a rule of role a: there is no network \"office\"", LIST("network")},
	{"roles = ( { name = \"a\"; rules = [ \"allow 22/tcp from machine:db1\" ]; } );\nmachines = ( { name = "
         "\"db2\"; } );",
         1, 36, "a rule of role a: there is no machine \"db1\"", "did you mean \"db2\"?"},
	{"roles = ( { name = \"a\"; rules = [ \"allow mysqll\" ]; } );\nservices = ( { name = \"mysql\"; } );", 1, 36,
         "a rule of role a: there is no service \"mysqll\"", "did you mean \"mysql\"?"},
	{"roles = ( { name = \"machine:x\"; egress = \"open\"; } );", 1, 11,
         "role machine:x: there is no machine \"x\"", LIST("machine")},
	{"roles = ( { name = \"a\"; rules = [ \"allow 22/tcp from role:bastion/private\", \"deny all from "
         "role:bastion\" ]; } );",
         1, 36, "a rule of role a: there is no role \"bastion\"", LIST("role")},
};

static void check_reference(size_t i)
{
	const struct reference *reference = &references[i];
	struct fleet fleet = document(reference->text);
	struct error *error = fleet_check(arena, &fleet, NULL);

	ck_assert_msg(error_count(error) == 1, "%s", printed(error));
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	same(error->message, reference->message);
	same(error->hint, reference->hint);
	ck_assert_msg(error->place.line == reference->line && error->place.column == reference->column, "%s",
	              printed(error));
	same(error->place.file, "doc");
}

START_TEST(missing_names_are_reported_once_where_they_stand)
{
	for (size_t i = 0; i < sizeof references / sizeof *references; i++)
		check_reference(i);
}
END_TEST

START_TEST(what_the_database_has_need_not_be_said)
{
	struct fleet fleet = document(
		"machines = ( { name = \"m\"; roles = [ \"r\" ]; } );\n"
		"roles = ( { name = \"a\"; rules = [ \"allow s from role:r, network:n, machine:x, self\" ]; } );");
	struct fleet also = document("machines = ( { name = \"x\"; } ); roles = ( { name = \"r\"; } ); networks = ( { "
	                             "name = \"n\"; } ); services = ( { name = \"s\"; } );");

	ck_assert_uint_eq(error_count(fleet_check(arena, &fleet, NULL)), 4);
	ck_assert_ptr_null(fleet_check(arena, &fleet, &also));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fleet");
	TCase *small = tcase_create("small"), *order = tcase_create("order"), *names = tcase_create("references");

	tcase_add_checked_fixture(small, arena_setup, arena_teardown);
	tcase_add_test(small, every_object_is_found_by_name);
	tcase_add_test(small, a_selector_wants_all_its_labels);
	tcase_add_test(small, words_there_and_back);
	tcase_add_test(small, roles_of_machines);
	tcase_add_checked_fixture(order, arena_setup, arena_teardown);
	tcase_add_test(order, order_and_folding);
	tcase_add_test(order, normalizing_twice_changes_nothing);
	tcase_add_test(order, bad_fleets_are_refused);
	tcase_add_checked_fixture(names, arena_setup, arena_teardown);
	tcase_add_test(names, missing_names_are_reported_once_where_they_stand);
	tcase_add_test(names, what_the_database_has_need_not_be_said);
	suite_add_tcase(suite, small);
	suite_add_tcase(suite, order);
	suite_add_tcase(suite, names);
	return suite_main(suite);
}
