/* What a push would do: which machines, by what the ledger says of them, and what is not to be done. Contacts nobody.
 */
#include <stdlib.h>

#include "push_fleet.h"

static struct push_plan plan_of(const char *const *words)
{
	struct selection selection = {NULL, 0};
	struct positions *positions;
	struct push_plan plan;
	struct str list[10];

	for (; words[selection.count] != NULL; selection.count++)
		list[selection.count] = str_of(words[selection.count]);
	selection.words = list;
	must(push_plan(arena, db, &push_settings, &selection, &positions, &plan));
	return plan;
}

#define PLAN(...) plan_of((const char *const[]){__VA_ARGS__, NULL})

static bool holds(const struct push_plan *plan, const char *machine)
{
	for (size_t i = 0; i < plan->count; i++)
		if (str_is(plan->items[i].work.machine, machine))
			return true;
	return false;
}

/* As if all machines had confirmed what is published. */
static void all_confirmed(void)
{
	struct push_plan plan = push_planned();
	char ruleset[65], position[65];

	for (size_t i = 0; i < plan.count; i++) {
		digest_hex(&plan.items[i].work.ruleset, ruleset);
		digest_hex(&plan.items[i].work.position, position);
		sql(str_c(
			arena,
			str_format(arena,
		                   "INSERT INTO fleetwall.push_machine (machine, offered_generation, offered_ruleset, "
		                   "offered_position, offered_at, confirmed_generation, confirmed_ruleset, "
		                   "confirmed_position, confirmed_at) VALUES ('%.*s', %llu, '\\x%s', '\\x%s', now(), "
		                   "%llu, '\\x%s', '\\x%s', now())",
		                   STR_ARG(plan.items[i].work.machine), (unsigned long long)plan.generation, ruleset,
		                   position, (unsigned long long)plan.generation, ruleset, position)));
	}
}

START_TEST(nothing_is_published)
{
	struct selection everything = {NULL, 0};
	struct positions *positions;
	struct push_plan plan;
	struct error *error = push_plan(arena, db, &push_settings, &everything, &positions, &plan);

	ck_assert(error != NULL && error->kind == ERROR_SURROUNDINGS);
}
END_TEST

START_TEST(all_that_differ)
{
	struct push_plan plan;
	uint64_t number = push_fleet(6, 1);

	sql("UPDATE fleetwall.machine SET ssh_host = 'gate', ssh_port = 2222 WHERE name = 'm001'");
	plan = push_planned();
	ck_assert_uint_eq(plan.generation, number);
	ck_assert_uint_eq(plan.count, 6);
	ck_assert_uint_gt(plan.waves, 0);
	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_item *item = &plan.items[i];

		ck_assert(digest_eq(&item->work.position, &item->position->digest) && item->first && item->enforce);
		ck_assert_uint_eq(item->contact.ssh_port, str_is(item->work.machine, "m001") ? 2222 : 0);
		ck_assert(str_is(item->contact.host, str_is(item->work.machine, "m001")
		                                             ? "gate"
		                                             : str_c(arena, item->work.machine)));
	}
	all_confirmed();
	plan = push_planned();
	ck_assert_uint_eq(plan.count, 0);
	ck_assert_uint_eq(plan.unchanged, 6);
}
END_TEST

/* What was offered and not confirmed may be there, for all that we know. */
START_TEST(offered_since)
{
	(void)push_fleet(4, 1);
	all_confirmed();
	sql("UPDATE fleetwall.push_machine SET offered_position = sha256('x') WHERE machine = 'm002'");
	ck_assert_uint_eq(push_planned().count, 1);
	ck_assert(str_is(push_planned().items[0].work.machine, "m002") && !push_planned().items[0].first);
}
END_TEST

/* A set that changed is a change of those that name it, and of nobody else. */
START_TEST(a_set_that_changed)
{
	struct push_plan plan;

	(void)push_fleet(6, 1);
	all_confirmed();
	(void)push_fleet_sets(6, 1, 9);
	plan = push_planned();
	ck_assert_uint_eq(plan.count, 3);
	ck_assert(holds(&plan, "m001") && holds(&plan, "m003") && holds(&plan, "m005"));
}
END_TEST

START_TEST(those_that_are_left_out)
{
	struct push_plan plan;

	(void)push_fleet(6, 1);
	all_confirmed();
	(void)push_fleet(4, 2); /* m004 and m005 have no ruleset any more */
	must(ledger_freeze(arena, db, STR("m000"), STR("being moved")));
	sql("UPDATE fleetwall.machine SET enabled = false WHERE name = 'm001'; DELETE FROM fleetwall.machine WHERE "
	    "name = "
	    "'m002'");
	plan = push_planned();
	ck_assert_uint_eq(plan.count, 1);
	ck_assert(holds(&plan, "m003"));
	ck_assert_uint_eq(plan.frozen, 1);
	ck_assert(str_is(plan.frozen_machines[0], "m000"));
	ck_assert_uint_eq(plan.unmanaged_count, 2);
	ck_assert(str_is(plan.unmanaged[0], "m004") && str_is(plan.unmanaged[1], "m005"));
}
END_TEST

START_TEST(chosen_ones)
{
	struct push_plan plan;
	struct str word = STR("role:applications");
	struct selection wrong = {&word, 1};
	struct positions *positions;
	struct error *error;

	(void)push_fleet(12, 1);
	sql("INSERT INTO fleetwall.role (name) VALUES ('app'); INSERT INTO fleetwall.member (role, machine) VALUES "
	    "('app', "
	    "'m003'), ('app', 'm007')");
	plan = PLAN("m01?", "role:app");
	ck_assert_uint_eq(plan.count, 4);
	ck_assert(holds(&plan, "m003") && holds(&plan, "m007") && holds(&plan, "m010") && holds(&plan, "m011"));
	error = push_plan(arena, db, &push_settings, &wrong, &positions, &plan);
	ck_assert(error != NULL && error->kind == ERROR_UNKNOWN);
}
END_TEST

START_TEST(names_of_a_selection)
{
	struct str word = STR("m00[12]"), *names;
	struct selection selection = {&word, 1};
	size_t count;

	(void)push_fleet(6, 1);
	must(push_select(arena, db, &selection, &names, &count));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_is(names[0], "m001") && str_is(names[1], "m002"));
	word = STR("m01");
	ck_assert_ptr_nonnull(push_select(arena, db, &selection, &names, &count));
}
END_TEST

/* Those whose ruleset can't be read are told, keep nobody from anything, and are nobody's canary. */
START_TEST(damaged_ones)
{
	struct push_plan plan;
	size_t damaged = 0;

	(void)push_fleet(6, 1);
	all_confirmed();
	(void)push_fleet(6, 2);
	ck_assert_int_eq(system(str_c(arena, str_format(arena,
	                                                "cd %s/out/machines/m001 && f=$(readlink -f rules.v4) && "
	                                                "rm -f $f && echo x >$f",
	                                                push_home))),
	                 0);
	plan = push_planned();
	ck_assert_uint_eq(plan.count, 6);
	ck_assert_uint_eq(plan.damaged, 3);
	for (size_t i = 0; i < plan.count; i++) {
		ck_assert_int_eq(plan.items[i].damaged, plan.items[i].position == NULL);
		ck_assert(!plan.items[i].damaged || plan.items[i].work.wave > 0);
		damaged += plan.items[i].damaged;
	}
	ck_assert_uint_eq(damaged, 3);
	ck_assert_int_eq(plan.items[0].work.wave, 0);
	ck_assert_uint_eq(push_done_all().run.confirmed, 3);
	ck_assert_uint_eq(push_told.failures[FAILURE_DAMAGED], 3);
	ck_assert_str_eq(host_text(1, "calls"), "");
}
END_TEST

/* One that may have something else than it confirmed gets all of it. */
START_TEST(whole_ones)
{
	(void)push_fleet(3, 1);
	(void)push_done_all();
	must(ledger_forget(arena, db, STR("m001")));
	ck_assert_uint_eq(push_planned().count, 1);
	ck_assert(!push_planned().items[0].first);
	ck_assert_uint_eq(push_done_all().run.confirmed, 1);
	ck_assert_uint_eq(host_lines(1, "header", "flags whole"), 1);
	ck_assert_uint_eq(push_planned().count, 0);
}
END_TEST

/* SPEC §7.0 */
START_TEST(without_management)
{
	struct push_plan plan, nothing = {0};
	struct error *error;

	(void)push_fleet(2, 1);
	plan = push_planned();
	must(push_permitted(&push_settings, &plan));
	push_settings.management_count = 0;
	error = push_permitted(&push_settings, &plan);
	ck_assert(error != NULL && error->kind == ERROR_GUARD);
	ck_assert_msg(str_starts(error->hint, STR("set `management`")), "%s", text_of(error));
	must(push_permitted(&push_settings, &nothing));
	plan.items[0].enforce = plan.items[1].enforce = false;
	must(push_permitted(&push_settings, &plan));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("push_plan");
	TCase *tests = tcase_create("push_plan");

	tcase_add_checked_fixture(tests, push_fleet_setup, push_fleet_teardown);
	tcase_add_test(tests, nothing_is_published);
	tcase_add_test(tests, all_that_differ);
	tcase_add_test(tests, offered_since);
	tcase_add_test(tests, a_set_that_changed);
	tcase_add_test(tests, those_that_are_left_out);
	tcase_add_test(tests, chosen_ones);
	tcase_add_test(tests, names_of_a_selection);
	tcase_add_test(tests, damaged_ones);
	tcase_add_test(tests, whole_ones);
	tcase_add_test(tests, without_management);
	suite_add_tcase(suite, tests);
	return postgres_main(suite, NULL);
}
