/* What fleetwall-host prints, read; and that nonsense is nothing. */
#include <check.h>

#include "answer.h"
#include "arena_fixture.h"
#include "suite_main.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct host_answer read_text(const char *text)
{
	return answer_of(arena, str_of(text));
}

START_TEST(an_apply)
{
	struct host_answer answer = read_text("machine db1\nmachine-id 9f0c\nscript " HEX "\ntried yes\nsessions 12\n"
	                                      "warning cut: no conntrack\r\nwarning b\napplied " HEX " 42\n");
	struct digest digest;

	ck_assert(digest_parse(STR(HEX), &digest));
	ck_assert_int_eq(answer.kind, ANSWER_APPLIED);
	ck_assert(digest_eq(&answer.position, &digest) && digest_eq(&answer.script, &digest));
	ck_assert_uint_eq(answer.generation, 42);
	ck_assert_uint_eq(answer.sessions, 12);
	ck_assert(str_is(answer.machine_id, "9f0c"));
	ck_assert_uint_eq(answer.warning_count, 2);
	ck_assert(str_is(answer.warnings[0], "cut: no conntrack"));
	ck_assert_int_eq(read_text("already " HEX " 1").kind, ANSWER_ALREADY);
	ck_assert_int_eq(read_text("confirmed " HEX " 1\n").kind, ANSWER_CONFIRMED);
}
END_TEST

/* One error, and nothing counts but that. */
START_TEST(an_error)
{
	struct host_answer answer = read_text("error fence: fence 3 is \033[1molder: than 4\napplied " HEX " 42\n");

	ck_assert_int_eq(answer.kind, ANSWER_ERROR);
	ck_assert(str_is(answer.word, "fence"));
	ck_assert_msg(str_is(answer.text, "fence 3 is  [1molder: than 4"), "%.*s", STR_ARG(answer.text));
	ck_assert(str_is(read_text("error alone\n").word, "alone"));
}
END_TEST

static const char *const nonsense[] = {
	"", "\n\n\n", "applied", "applied\n", "applied x 1\n", "applied " HEX "\n", "applied " HEX " x\n",
	"applied " HEX " 99999999999999999999\n", "confirmed " HEX "  1\n", "sessions -1\n", "machine-id -\n",
	"machine-id a b\n", "machine-id a'b\n", "script 00\n", "unknown things\n", "\xff\xfe \xff\n",
};

START_TEST(is_nothing)
{
	static const struct digest none = {{0}};
	struct host_answer answer = read_text(nonsense[_i]);

	ck_assert_int_eq(answer.kind, ANSWER_NONE);
	ck_assert(answer.machine_id.n == 0 && answer.sessions == 0 && digest_eq(&answer.script, &none));
}
END_TEST

START_TEST(warnings_end)
{
	struct buf buf = buf_new(arena);

	for (int i = 0; i < 1000; i++)
		buf_format(&buf, "warning %d\n", i);
	ck_assert_uint_eq(answer_of(arena, buf_str(&buf)).warning_count, 10);
}
END_TEST

/* sh has no script to run, or it is another version; and not: the script itself refuses. */
START_TEST(lacks_the_script)
{
	struct host_answer nothing = read_text(""), refuses = read_text("error bundle: damaged\n");

	ck_assert(answer_lacks_script(&nothing, 127) && answer_lacks_script(&nothing, 126));
	ck_assert(answer_lacks_script(&nothing, 2) && answer_lacks_script(&refuses, 9));
	ck_assert(!answer_lacks_script(&refuses, 2) && !answer_lacks_script(&nothing, 255));
	ck_assert(!answer_lacks_script(&nothing, 0) && !answer_lacks_script(&nothing, 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("answer");
	TCase *tests = tcase_create("answer");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_test(tests, an_apply);
	tcase_add_test(tests, an_error);
	tcase_add_loop_test(tests, is_nothing, 0, sizeof nonsense / sizeof *nonsense);
	tcase_add_test(tests, warnings_end);
	tcase_add_test(tests, lacks_the_script);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
