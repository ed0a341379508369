/* What watch says again: other names and other kinds at once, other numbers once an hour, the same never. */
#include <check.h>

#include "suite_main.h"
#include "watch_said.h"

static struct said said;

static void setup(void)
{
	said = (struct said){.arena = arena_new()};
	ck_assert(!said_before(&said, STR("the machines fell from 20 to 5, by 75 %\n"), 1000));
}

static void teardown(void)
{
	arena_free(said.arena);
}

START_TEST(the_same_is_never_said_again)
{
	ck_assert(said_before(&said, STR("the machines fell from 20 to 5, by 75 %\n"), 1001));
	ck_assert(said_before(&said, STR("the machines fell from 20 to 5, by 75 %\n"), 90000));
	said_forget(&said);
	ck_assert(!said_before(&said, STR("the machines fell from 20 to 5, by 75 %\n"), 90001));
}
END_TEST

START_TEST(other_numbers_are_said_once_an_hour)
{
	ck_assert(said_before(&said, STR("the machines fell from 20 to 4, by 80 %\n"), 1001));
	ck_assert(said_before(&said, STR("the machines fell from 200 to 40, by 8 %\n"), 4599));
	ck_assert(!said_before(&said, STR("the machines fell from 20 to 3, by 85 %\n"), 4600));
	ck_assert(said_before(&said, STR("the machines fell from 20 to 2, by 90 %\n"), 8199));
	said.exact = true;
	ck_assert(!said_before(&said, STR("the machines fell from 20 to 2, by 90 %\n"), 8199));
}
END_TEST

START_TEST(other_names_and_kinds_are_said)
{
	ck_assert(!said_before(&said, STR("the rules fell from 20 to 5, by 75 %\n"), 1001));
	ck_assert(!said_before(&said, STR("the members of role web-1 fell from 20 to 5\n"), 1002));
	ck_assert(!said_before(&said, STR("the members of role web-2 fell from 20 to 5\n"), 1003));
	ck_assert(!said_before(&said, STR("the members of role web-2 fell from 20 to 5, and 3 more\n"), 1004));
	ck_assert(!said_before(&said, STR("machine m: 10.0.0.1 would not get in\n"), 1005));
	ck_assert(!said_before(&said, STR("machine m: 10.0.0.2 would not get in\n"), 1006));
	ck_assert(!said_before(&said, STR("machine m: 10.0.0.2 would not get in at\n"), 1007));
	ck_assert(!said_before(&said, STR("m/rules.v4:17: bad\n"), 1008));
	ck_assert(!said_before(&said, STR("m/rules.v4:18: bad\n"), 1009));
	ck_assert(!said_before(&said, STR(""), 1010));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch_said");
	TCase *tests = tcase_create("said");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_same_is_never_said_again);
	tcase_add_test(tests, other_numbers_are_said_once_an_hour);
	tcase_add_test(tests, other_names_and_kinds_are_said);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
