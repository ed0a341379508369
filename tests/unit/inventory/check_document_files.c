/* Files of rule lines. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

#include "suite_main.h"

static struct error *warnings;

static void setup(void)
{
	warnings = NULL;
}

/* The oldest example there is. */
START_TEST(reads_the_seed)
{
	struct role_rule *rules;
	size_t count;

	ck_assert_ptr_null(rules_read(arena, STR("seed"),
	                              STR("DENY ALL\nALLOW 22/TCP FROM ALL\nALLOW 5606/TCP FROM 10.*.*.*\n"), &rules,
	                              &count, &warnings));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_is(rules[0].text, "allow 22/tcp"));
	ck_assert(str_is(rules[1].text, "allow 5606/tcp from 10.0.0.0/8"));
	ck_assert_uint_eq(rules[1].place.line, 3);
	ck_assert(rules[1].enabled);
	ck_assert_ptr_null(warnings);
}
END_TEST

START_TEST(reads_blank_lines_comments_and_crlf)
{
	struct role_rule *rules;
	size_t count;

	ck_assert_ptr_null(rules_read(arena, STR("f"),
	                              STR("\xef\xbb\xbf# head\r\n\r\n  allow 22/tcp\t# ssh\r\n   \nallow 80"), &rules,
	                              &count, &warnings));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_is(rules[0].rule.comment, "ssh"));
	ck_assert_uint_eq(error_count(warnings), 1);
	ck_assert_uint_eq(warnings->place.line, 5);
	ck_assert(str_is(warnings->place.file, "f"));
	ck_assert_ptr_null(rules_read(arena, STR("f"), STR(""), &rules, &count, &warnings));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(lines_that_repeat_count_once)
{
	struct role_rule *rules;
	size_t count;
	struct error *error;

	ck_assert_ptr_null(rules_read(arena, STR("f"),
	                              STR("allow 80/tcp\nallow 22/tcp # a\nALLOW 80/tcp\nallow 22/tcp #a"), &rules,
	                              &count, &warnings));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_is(rules[0].text, "allow 22/tcp"));
	error = rules_read(arena, STR("f"), STR("allow 22/tcp # a\nallow 80/tcp\nallow 22/tcp # b"), &rules, &count,
	                   &warnings);
	ck_assert_uint_eq(error_count(error), 1);
	ck_assert_uint_eq(error->place.line, 3);
	ck_assert(str_is(error->hint, "it is given first in f:1"));
}
END_TEST

START_TEST(shows_all_faults_with_places)
{
	static const unsigned lines[] = {1, 2, 4}, columns[] = {19, 7, 8};
	struct role_rule *rules;
	size_t count, i = 0;
	struct error *error = rules_read(
		arena, STR("f"), STR("allow 22/tcp from 10.0.0.1/8\nallow 99999/tcp\nallow 80/tcp\nallow 2\0/tcp\n"),
		&rules, &count, &warnings);

	for (const struct error *e = error; e != NULL; e = e->next, i++) {
		ck_assert_uint_lt(i, 3);
		ck_assert_uint_eq(e->place.line, lines[i]);
		ck_assert_uint_eq(e->place.column, columns[i]);
		ck_assert(str_is(e->place.file, "f"));
	}
	ck_assert_uint_eq(i, 3);
	ck_assert(str_is(error->place.text, "allow 22/tcp from 10.0.0.1/8"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document_files");
	TCase *rules = tcase_create("rules");

	tcase_add_checked_fixture(rules, arena_setup, arena_teardown);
	tcase_add_checked_fixture(rules, setup, NULL);
	tcase_add_test(rules, reads_the_seed);
	tcase_add_test(rules, reads_blank_lines_comments_and_crlf);
	tcase_add_test(rules, lines_that_repeat_count_once);
	tcase_add_test(rules, shows_all_faults_with_places);
	suite_add_tcase(suite, rules);
	return suite_main(suite);
}
