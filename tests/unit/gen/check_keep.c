/* Which generations stay: by count, by age, and whatever else says, those that somebody needs. A list is written as
 * numbers with marks: "5c" is published, "3h" is held, "2@40" is 40 days old. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/keep.h"

#include "suite_main.h"

#define NOW INT64_C(1772366400)
#define DAY INT64_C(86400)

static struct keep_generation parse_one(struct str word)
{
	struct keep_generation one = {.at = NOW};
	char *end, *text = str_c(arena, word);

	one.number = strtoull(text, &end, 10);
	for (; *end != '\0'; end++) {
		one.current |= *end == 'c';
		one.held |= *end == 'h';
		if (*end == '@') {
			one.at = NOW - DAY * strtoll(end + 1, &end, 10);
			end--;
		}
	}
	return one;
}

/* The numbers that stay, joined by blanks. */
static const char *kept(const char *text, unsigned generations, unsigned days)
{
	const struct keep_limits limits = {.generations = generations, .days = days};
	struct keep_generation list[200];
	struct str rest = str_of(text), word;
	struct buf buf = buf_new(arena);
	size_t listed = 0, count;
	uint64_t *keep;

	while (rest.n > 0 && str_cut(&rest, ' ', &word))
		list[listed++] = parse_one(word);
	keep = keep_choose(arena, list, listed, &limits, NOW, &count);
	for (size_t i = 0; i < count; i++)
		buf_format(&buf, "%s%llu", i > 0 ? " " : "", (unsigned long long)keep[i]);
	return str_c(arena, buf_str(&buf));
}

START_TEST(too_many_go_from_the_old_end)
{
	/* 3 newer ones may exist. */
	ck_assert_str_eq(kept("1 2 3 4 5 6 7c", 3, 90), "4 5 6 7");
	ck_assert_str_eq(kept("4 5 6 7c", 3, 90), "4 5 6 7");
	ck_assert_str_eq(kept("1c", 3, 90), "1");
	ck_assert_str_eq(kept("", 3, 90), "");
	ck_assert_str_eq(kept("1 2 3 4 5c", 1000000, 90), "1 2 3 4 5");
}
END_TEST

START_TEST(the_published_one_and_the_one_before_stay)
{
	ck_assert_str_eq(kept("1 2 3c", 1, 90), "2 3");
	ck_assert_str_eq(kept("1@400 2@300 3c@200", 1, 90), "2 3");
	ck_assert_str_eq(kept("7c@400", 1, 1), "7");
	/* What a killed run left above the published one is none of ours. */
	ck_assert_str_eq(kept("1 2 3c 4 5", 1, 90), "2 3 4 5");
	/* Where nothing is published, nobody knows what is needed. */
	ck_assert_str_eq(kept("1 2 3 4 5 6", 1, 1), "1 2 3 4 5 6");
}
END_TEST

START_TEST(held_ones_stay)
{
	ck_assert_str_eq(kept("1 2h 3 4 5 6 7c", 3, 90), "2 4 5 6 7");
	ck_assert_str_eq(kept("1@900h 2@800 3@700h 4 5c", 3, 90), "1 3 4 5");
}
END_TEST

START_TEST(old_ones_go_however_few)
{
	ck_assert_str_eq(kept("1@120 2@110 3 4 5c", 8, 90), "3 4 5");
	ck_assert_str_eq(kept("1@90 2@90 3 4 5c", 7, 90), "1 2 3 4 5");
	ck_assert_str_eq(kept("1@9000 2@110 3 4 5c", 50, 0), "1 2 3 4 5");
	/* A clock that was set back makes nothing old. */
	ck_assert_str_eq(kept("1@-50000 2@-1 3 4 5c", 50, 1), "1 2 3 4 5");
}
END_TEST

/* 16 generations: up to 2 more are not worth the trouble. 80 days: up to 10 more neither. */
START_TEST(a_few_more_wait)
{
	static const char rest[] = " 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19c";

	ck_assert_str_eq(kept(str_c(arena, str_format(arena, "3%s", rest)), 16, 80),
	                 "3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
	ck_assert_str_eq(kept(str_c(arena, str_format(arena, "1 2%s", rest)), 16, 80),
	                 "1 2 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
	ck_assert_str_eq(kept(str_c(arena, str_format(arena, "1@81 2@90 3%s", rest)), 16, 80),
	                 "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
	ck_assert_str_eq(kept(str_c(arena, str_format(arena, "0 1 2 3%s", rest)), 16, 80),
	                 "3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
	/* Then all go that may. */
	ck_assert_str_eq(kept(str_c(arena, str_format(arena, "1@91 2@81 3@80%s", rest)), 17, 80),
	                 "3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keep");
	TCase *tests = tcase_create("keep");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_test(tests, too_many_go_from_the_old_end);
	tcase_add_test(tests, the_published_one_and_the_one_before_stay);
	tcase_add_test(tests, held_ones_stay);
	tcase_add_test(tests, old_ones_go_however_few);
	tcase_add_test(tests, a_few_more_wait);
	suite_add_tcase(suite, tests);

	return suite_main(suite);
}
