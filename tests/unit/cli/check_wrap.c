/* Lines for people: broken at blanks and behind commas alone, and as wide as they look. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"

#include "suite_main.h"
#include "wrap.h"

static void setup(void)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
}

static struct str wrapped(const char *text, size_t at, size_t width, size_t indent)
{
	struct buf buf = buf_new(arena);

	add_wrapped(&buf, str_of(text), at, width, indent);
	return buf_str(&buf);
}

static const struct {
	const char *text;
	size_t at, width, indent;
	const char *lines;
} wraps[] = {
	{"", 0, 10, 0, ""},
	{"fits", 0, 10, 0, "fits"},
	{"a row of words", 0, 8, 0, "a row of\nwords"},
	{"a row of words", 4, 10, 2, "a row\n  of words"},
	{"ab9d80ffd395, b86cc6aedd64", 0, 13, 0, "ab9d80ffd395,\nb86cc6aedd64"},
	{"80,443,8080/tcp", 0, 7, 0, "80,443,\n8080/tcp"},
	{"2001:4800:7819:104:be76:4eff:fe04:43d0", 0, 10, 0, "2001:4800:7819:104:be76:4eff:fe04:43d0"},
	{"at 2026-03-01T12:00:00Z", 0, 10, 0, "at\n2026-03-01T12:00:00Z"},
	{"to do: fleetwall rule remove c23460c483f9, or not", 0, 20, 0,
         "to do:\nfleetwall rule remove c23460c483f9,\nor not"},
	{"two  blanks", 0, 40, 0, "two  blanks"},
	{"ééé ééé", 0, 7, 0, "ééé ééé"},
};

START_TEST(breaks_between_words)
{
	struct str lines = wrapped(wraps[_i].text, wraps[_i].at, wraps[_i].width, wraps[_i].indent);

	ck_assert_msg(str_is(lines, wraps[_i].lines), "%.*s", STR_ARG(lines));
}
END_TEST

START_TEST(knows_what_stays_together)
{
	ck_assert_uint_eq(widest_piece(STR("a, bcd, ef")), 4);
	ck_assert_uint_eq(widest_piece(STR("fleetwall init")), 14);
	ck_assert_uint_eq(widest_piece((struct str){NULL, 0}), 0);
}
END_TEST

START_TEST(counts_columns)
{
	ck_assert_uint_eq(text_columns(STR("abc…")), 4);
	ck_assert_uint_eq(text_columns(STR("字")), 2);
	setlocale(LC_CTYPE, "C");
	ck_assert_uint_eq(text_columns(STR("abc…")), 4);
}
END_TEST

START_TEST(shows_nothing_that_a_terminal_obeys)
{
	ck_assert(str_is(text_shown(arena, STR("a\033[31mé\n")), "a\\x1b[31mé\\x0a"));
	ck_assert(str_is(text_shown(arena, STR("\xff")), "\\xff"));
	ck_assert(str_is(text_shown(arena, STR("plain é")), "plain é"));
}
END_TEST

START_TEST(shortens_long_lists)
{
	struct buf buf = buf_new(arena);
	struct str shown;

	buf_add(&buf, STR("allow 5432/tcp from "));
	for (int i = 0; i < 50; i++)
		buf_format(&buf, "%s10.%d.0.0/16", i > 0 ? ", " : "", i);
	shown = text_shortened(arena, buf_str(&buf));
	ck_assert_msg(str_is(shown, "allow 5432/tcp from 10.0.0.0/16, 10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, …"),
	              "%.*s", STR_ARG(shown));
	ck_assert(str_is(text_shortened(arena, STR("allow 22/tcp")), "allow 22/tcp"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wrap");
	TCase *tcase = tcase_create("wrap");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, breaks_between_words, 0, (int)(sizeof wraps / sizeof *wraps));
	tcase_add_test(tcase, knows_what_stays_together);
	tcase_add_test(tcase, counts_columns);
	tcase_add_test(tcase, shows_nothing_that_a_terminal_obeys);
	tcase_add_test(tcase, shortens_long_lists);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
