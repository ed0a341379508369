/* Positions of a generation: what they are made of, how modes are told, what is shared, and that damage is found. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/buf.h"
#include "push_fixture.h"
#include "suite_main.h"

static struct position found(struct positions *positions, const char *machine)
{
	const struct position *position;

	none(positions_find(positions, str_of(machine), &position));
	ck_assert_msg(position != NULL, "%s", machine);
	return *position;
}

static struct ruleset *add_mode(struct output_build *build, enum position_mode mode, const char *mark,
                                const char *sets_list)
{
	struct str rules = rules_of(arena, mode, mark);

	return output_build_ruleset(build, rules, rules, str_of(sets_list));
}

static uint64_t publish_some(void)
{
	struct output_build build = output_build_new(arena);
	const char *both = "app-1.v4\nweb-0.v4\n";
	struct ruleset *shared = add_mode(&build, POSITION_EXCLUSIVE, "shared", both);

	output_build_set(&build, STR("app-1.v4"), set_file_of(arena, STR("app-1.v4"), STR("")));
	output_build_set(&build, STR("web-0.v4"), set_file_of(arena, STR("web-0.v4"), STR("10.0.0.1\n")));
	output_build_machine(&build, STR("a"), shared);
	output_build_machine(&build, STR("b"), shared);
	output_build_machine(&build, STR("c"), add_mode(&build, POSITION_COEXIST, "own", both));
	output_build_machine(&build, STR("d"), add_mode(&build, POSITION_MONITOR, "own", "web-0.v4\n"));
	output_build_machine(&build, STR("e"), add_mode(&build, POSITION_EXCLUSIVE, "none", ""));
	return publish(output_build_done(&build), &first_summary);
}

START_TEST(test_find)
{
	struct positions *positions = positions_at(publish_some());
	struct position a = found(positions, "a"), b = found(positions, "b"), c = found(positions, "c");
	const struct position *nobody = &a;

	ck_assert_uint_eq(positions_generation(positions)->machine_count, 5);
	ck_assert(digest_eq(&a.digest, &b.digest) && digest_eq(&a.ruleset, &b.ruleset) && a.sets == b.sets);
	ck_assert(a.sets == c.sets); /* machines with other rules and the same list */
	ck_assert(!digest_eq(&a.digest, &c.digest));
	ck_assert_uint_eq(a.set_count, 2);
	ck_assert(str_is(a.sets[0].name, "app-1.v4") && str_is(a.sets[1].name, "web-0.v4"));
	ck_assert(str_is(found(positions, "d").sets[0].name, "web-0.v4"));
	ck_assert_uint_eq(found(positions, "e").set_count, 0);
	none(positions_find(positions, STR("nobody"), &nobody));
	ck_assert_ptr_null(nobody);
	none(positions_find(positions, STR(""), &nobody));
	ck_assert_ptr_null(nobody);
}
END_TEST

START_TEST(test_modes)
{
	struct positions *positions = positions_at(publish_some());

	ck_assert_int_eq(found(positions, "a").mode, POSITION_EXCLUSIVE);
	ck_assert_int_eq(found(positions, "c").mode, POSITION_COEXIST);
	ck_assert_int_eq(found(positions, "d").mode, POSITION_MONITOR);
	ck_assert(str_is(position_mode_str(POSITION_EXCLUSIVE), "exclusive"));
	ck_assert(str_is(position_mode_str(POSITION_COEXIST), "coexist"));
	ck_assert(str_is(position_mode_str(POSITION_MONITOR), "monitor"));
}
END_TEST

/* A template that leaves out how its file is loaded must not have the whole table replaced. */
START_TEST(test_mode_unsaid)
{
	struct output_build build = output_build_new(arena);
	struct str ours = STR("*filter\n:fleetwall-input - [0:0]\nCOMMIT\n");
	struct str whole = STR("*filter\n:INPUT DROP [0:0]\nCOMMIT\n");
	struct positions *positions;

	output_build_machine(&build, STR("a"), output_build_ruleset(&build, ours, ours, STR("")));
	output_build_machine(&build, STR("b"), output_build_ruleset(&build, whole, whole, STR("")));
	positions = positions_at(publish(output_build_done(&build), &first_summary));
	ck_assert_int_eq(found(positions, "a").mode, POSITION_COEXIST);
	ck_assert_int_eq(found(positions, "b").mode, POSITION_EXCLUSIVE);
}
END_TEST

/* As the header says it, by sha256sum. */
START_TEST(test_digest)
{
	struct positions *positions = positions_at(publish_some());
	struct position a = found(positions, "a"), e = found(positions, "e");
	char hex[65];

	digest_hex(&a.digest, hex);
	shell("cd '%s'/machines/a && { sha256sum rules.v4 rules.v6 sets.list | sha256sum | sed 's/-$/rules/'; "
	      "cd ../../sets && sha256sum app-1.v4 web-0.v4; } | sha256sum | grep -q '^%s '",
	      out, hex);
	digest_hex(&e.digest, hex);
	shell("cd '%s'/machines/e && sha256sum rules.v4 rules.v6 sets.list | sha256sum | sed 's/-$/rules/' | "
	      "sha256sum | grep -q '^%s '",
	      out, hex);
}
END_TEST

START_TEST(test_all)
{
	struct positions *positions = positions_at(publish_some());
	const struct generation *generation = positions_generation(positions);
	const struct position **all;

	all = positions_all(positions);
	ck_assert(all[0] == all[1]);
	ck_assert_uint_eq(all[0]->set_count, 0); /* nobody asked yet */
	for (size_t i = 0; i < generation->machine_count; i++) {
		const struct position *one;

		none(positions_find(positions, generation->manifest[i].name, &one));
		ck_assert(one == all[i]);
	}
	ck_assert_uint_eq(all[0]->set_count, 2);
}
END_TEST

/* A set that gains a member is another position, of the same ruleset. */
START_TEST(test_member)
{
	struct one_set sets[] = {{"web-0.v4", STR("10.0.0.1\n")}};
	struct position first, second;

	first = found(positions_at(publish_one("x", sets, 1)), "db1");
	sets[0].members = STR("10.0.0.1\n10.0.0.3\n");
	second = found(positions_at(publish_one("x", sets, 1)), "db1");
	ck_assert(digest_eq(&first.ruleset, &second.ruleset));
	ck_assert(!digest_eq(&first.digest, &second.digest));
}
END_TEST

static const struct {
	const char *damage; /* in the store's folder `rulesets` */
	const char *message;
} damages[] = {
	{"for f in */*/rules.v4; do rm -f $f; echo >$f; done", "is not what its name says"},
	{"for f in */*/sets.list; do rm -f $f; echo x-1.v4 >$f; done", "is not what its name says"},
	{"rm -rf */*", "can't open"},
};

START_TEST(test_damaged)
{
	struct positions *positions = positions_at(publish_some());
	const struct position *position;
	const struct position **all;

	shell("cd '%s'/store/rulesets && %s", out, damages[_i].damage);
	expect_message(positions_find(positions, STR("a"), &position), damages[_i].message);
	expect_message(positions_find(positions, STR("a"), &position), "machine a: ");
	all = positions_all(positions);
	for (size_t i = 0; i < positions_generation(positions)->machine_count; i++)
		ck_assert_ptr_null(all[i]);
}
END_TEST

/* What was read once is not read again: a plan over a fleet is as fast as its rulesets are few. */
START_TEST(test_read_once)
{
	struct positions *positions = positions_at(publish_some());
	struct position a = found(positions, "a");

	shell("rm -rf '%s'/store/rulesets/*", out);
	ck_assert(found(positions, "b").sets == a.sets);
}
END_TEST

START_TEST(test_foreign_set)
{
	struct output_build build = output_build_new(arena);
	const struct position *position;

	output_build_machine(&build, STR("a"), add_mode(&build, POSITION_EXCLUSIVE, "x", "gone-0.v4\n"));
	expect_message(positions_find(positions_at(publish(output_build_done(&build), &first_summary)), STR("a"),
	                              &position),
	               "sets.list names gone-0.v4");
}
END_TEST

START_TEST(test_unknown)
{
	struct positions *positions;
	struct error *error;

	publish_some();
	error = positions_open(arena, str_of(out), 77, &positions);
	ck_assert(error != NULL && error->kind == ERROR_UNKNOWN);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("positions");
	TCase *tcase = tcase_create("positions");

	tcase_add_checked_fixture(tcase, store_setup, store_teardown);
	tcase_add_test(tcase, test_find);
	tcase_add_test(tcase, test_modes);
	tcase_add_test(tcase, test_mode_unsaid);
	tcase_add_test(tcase, test_digest);
	tcase_add_test(tcase, test_all);
	tcase_add_test(tcase, test_member);
	tcase_add_loop_test(tcase, test_damaged, 0, sizeof damages / sizeof *damages);
	tcase_add_test(tcase, test_read_once);
	tcase_add_test(tcase, test_foreign_set);
	tcase_add_test(tcase, test_unknown);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
