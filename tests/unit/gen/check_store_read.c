/* Reading the output tree: generations and objects, whole and damaged, and what differs between two. */
#include <check.h>
#include <string.h>

#include "store_fixture.h"
#include "suite_main.h"

START_TEST(test_nothing)
{
	struct generation generation = published();

	ck_assert_uint_eq(generation.number, 0);
	ck_assert_uint_eq(generation.machine_count, 0);
	ck_assert(!exists("."));
}
END_TEST

START_TEST(test_read_back)
{
	struct output output = first_output();
	struct generation made, read;

	publish(output, &first_summary);
	read = published();
	made = generation_for(arena, &output, &first_summary);
	ck_assert(generation_same(&made, &read));
	ck_assert_uint_eq(read.number, 1);
	ck_assert_uint_eq(read.machine_count, 3);
	ck_assert(str_is(read.manifest[2].name, "c"));
	ck_assert_uint_eq(read.set_count, 2);
	ck_assert_int_eq(read.summary.clock, 1760000000);
	ck_assert_uint_eq(read.summary.machines, 3);
	ck_assert_uint_eq(read.summary.rules, 7);
	ck_assert_uint_eq(read.summary.role_count, 2);
	ck_assert(str_is(read.summary.roles[0].role, "machine:a") && read.summary.roles[1].members == 2);
}
END_TEST

static const struct {
	const char *damage; /* in OUT/current */
	const char *message;
} damages[] = {
	{"sed -i 's/  b$/  bb/' manifest", "manifest and sets are not those that were published"},
	{": >sets", "manifest and sets are not those that were published"},
	{"printf '%s' \"$(cat manifest)\" >m && mv m manifest", "manifest, line 3: this is not what fleetwall wrote"},
	{"tac manifest >m && mv m manifest", "manifest, line 2: this is not what fleetwall wrote"},
	{"sed -i p sets", "sets, line 2: this is not what fleetwall wrote"},
	{"sed -i 's/  a$/ a/' manifest", "manifest, line 1: this is not what fleetwall wrote"},
	{"sed -i 's#  a$#  ../a#' manifest", "manifest, line 1: this is not what fleetwall wrote"},
	{"sed -i 's/  a$/  ./' manifest", "manifest, line 1: this is not what fleetwall wrote"},
	{"sed -i '2s/^./X/' manifest", "manifest, line 2: this is not what fleetwall wrote"},
	{"echo >>manifest", "manifest, line 4: this is not what fleetwall wrote"},
	{"rm manifest", "can't open manifest"},
	{"rm manifest; mkfifo manifest", "manifest is not a file"},
	{"truncate -s 2G manifest", "manifest is too large for a file of fleetwall"},
	{"rm sets; mkdir sets", "sets is not a file"},
	{"sed -i /digest/d summary", "summary: lines are missing"},
	{": >summary", "summary: lines are missing"},
	{"sed -i 's/^machines.*/machines -3/' summary", "summary, line 5: this is not what fleetwall wrote"},
	{"sed -i 's/^clock.*/clock soon/' summary", "summary, line 1: this is not what fleetwall wrote"},
	{"sed -i 's/^role web.*/role a 3/' summary", "summary, line 7: this is not what fleetwall wrote"},
	{"sed -i 's/^role web.*/role web/' summary", "summary, line 7: this is not what fleetwall wrote"},
	{"echo 'more 1' >>summary", "summary, line 9: this is not what fleetwall wrote"},
	{"echo 'rules 1' >>summary", "summary, line 9: this is not what fleetwall wrote"},
	{"sed -i 's/^counts .*/counts 3 2 1/' summary", "summary, line 2: this is not what fleetwall wrote"},
	{"sed -i 's/^counts .*/& 1/' summary", "summary, line 2: this is not what fleetwall wrote"},
	{"sed -i /list/d summary", "summary: lines are missing"},
	{"cd ..; rm -r 1", "can't open the folder generations/1"},
	{"cd ../..; ln -sfn store/rulesets current", "current leads to store/rulesets, which is no generation"},
	{"cd ../..; ln -sfn generations/x current", "current leads to generations/x, which is no generation"},
	{"cd ../..; rm current; mkdir current", "can't read the link current"},
};

START_TEST(test_damaged_generation)
{
	struct generation generation;

	publish(first_output(), &first_summary);
	shell("cd -P '%s/current' && %s", out, damages[_i].damage);
	struct error *error = generation_read(arena, str_of(out), &generation);

	expect_message(error, damages[_i].message);
	expect_message(error, "output folder ");
	ck_assert_uint_gt(error->hint.n, 0);
}
END_TEST

START_TEST(test_read_objects)
{
	struct output output = first_output();
	struct generation generation;
	struct str rules[2], sets_list, bytes;

	publish(output, &first_summary);
	generation = published();
	none(store_read_ruleset(arena, str_of(out), &generation.manifest[0].digest, rules, &sets_list));
	ck_assert(str_is(rules[0], "four\n") && str_is(rules[1], "six\n") && str_is(sets_list, "web-0.v4\nweb-0.v6\n"));
	none(store_read_set(arena, str_of(out), &generation.sets[1].digest, &bytes));
	ck_assert(str_is(bytes, "create fw6-web-0\n"));
	shell("cd '%s' && echo FOUR >machines/a/rules.v4 && echo X >sets/web-0.v6", out);
	expect_message(store_read_ruleset(arena, str_of(out), &generation.manifest[0].digest, rules, &sets_list),
	               "is not what its name says");
	expect_message(store_read_set(arena, str_of(out), &generation.sets[1].digest, &bytes),
	               "is not what its name says");
	expect_message(store_read_set(arena, str_of(out), &generation.manifest[0].digest, &bytes), "No such file");
}
END_TEST

START_TEST(test_compare)
{
	struct output first = first_output(), second = second_output();
	struct generation before, after;
	struct difference *found;

	before = generation_for(arena, &first, &first_summary);
	after = generation_for(arena, &second, &second_summary);
	ck_assert_uint_eq(entries_compare(arena, before.manifest, 3, after.manifest, 2, &found), 2);
	ck_assert(found[0].sign == '~' && str_is(found[0].name, "b") && found[1].sign == '-' &&
	          str_is(found[1].name, "c"));
	ck_assert_uint_eq(entries_compare(arena, before.sets, 2, after.sets, 2, &found), 3);
	ck_assert(found[0].sign == '+' && str_is(found[0].name, "db-1.v4") && found[1].sign == '~' &&
	          found[2].sign == '-');
	ck_assert_uint_eq(entries_compare(arena, before.sets, 2, before.sets, 2, &found), 0);
	ck_assert_uint_eq(entries_compare(arena, NULL, 0, before.sets, 2, &found), 2);
	ck_assert(!generation_same(&before, &after));
}
END_TEST

START_TEST(test_find)
{
	static const char *const names[] = {"b", "ba", "d", "dd", "f"};
	static const char *const others[] = {"", "a", "bb", "c", "e", "g"};
	struct entry entries[5];

	for (size_t i = 0; i < 5; i++)
		entries[i] = (struct entry){.name = str_of(names[i])};
	for (size_t count = 0; count <= 5; count++) {
		for (size_t i = 0; i < 5; i++)
			ck_assert(entries_find(entries, count, str_of(names[i])) == (i < count ? &entries[i] : NULL));
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			ck_assert_ptr_null(entries_find(entries, count, str_of(others[i])));
	}
	ck_assert_ptr_null(entries_find(NULL, 0, STR("a")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_read");
	TCase *store = tcase_create("store");

	tcase_add_checked_fixture(store, store_setup, store_teardown);
	tcase_set_timeout(store, 30);
	tcase_add_test(store, test_nothing);
	tcase_add_test(store, test_read_back);
	tcase_add_loop_test(store, test_damaged_generation, 0, sizeof damages / sizeof *damages);
	tcase_add_test(store, test_read_objects);
	tcase_add_test(store, test_compare);
	tcase_add_test(store, test_find);
	suite_add_tcase(suite, store);

	return suite_main(suite);
}
