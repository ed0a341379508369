/* Slices: comparing, cutting, numbers, UTF-8, and the nearest word. */
#include <check.h>
#include <stdlib.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/str.h"

#include "suite_main.h"

static void same(struct str s, const char *expected)
{
	ck_assert_msg(str_is(s, expected), "\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

START_TEST(compares_by_bytes)
{
	ck_assert(str_eq(STR(""), (struct str){NULL, 0}));
	ck_assert(!str_eq(STR("a"), STR("b")));
	ck_assert(!str_eq(STR("a"), STR("a\0")));
	ck_assert_int_eq(str_cmp(STR("abc"), STR("abc")), 0);
	ck_assert_int_lt(str_cmp(STR("ab"), STR("abc")), 0);
	ck_assert_int_gt(str_cmp(STR("b"), STR("abc")), 0);
	ck_assert_int_gt(str_cmp(STR("\xff"), STR("z")), 0);
	ck_assert_int_lt(str_cmp((struct str){NULL, 0}, STR("a")), 0);
	ck_assert(str_is(str_of(NULL), ""));
	ck_assert_ptr_nonnull(str_of(NULL).p);
}
END_TEST

START_TEST(finds_starts_and_ends)
{
	ck_assert(str_starts(STR("role:app"), STR("role:")));
	ck_assert(!str_starts(STR("role"), STR("role:")));
	ck_assert(str_ends(STR("rules.v4"), STR(".v4")));
	ck_assert(!str_ends(STR("4"), STR(".v4")));
	ck_assert(str_ends(STR("x"), STR("")));
	ck_assert_uint_eq(str_find(STR("a/b/c"), '/'), 1);
	ck_assert_uint_eq(str_find(STR("abc"), '/'), 3);
	ck_assert_uint_eq(str_find((struct str){NULL, 0}, '/'), 0);
}
END_TEST

START_TEST(trims_and_slices)
{
	same(str_trim(STR(" \t\r\n a b \n")), "a b");
	same(str_trim(STR(" \n")), "");
	same(str_trim(STR("\vx\f")), "\vx\f");
	same(str_slice(STR("abcdef"), 2, 4), "cd");
	same(str_slice(STR("abc"), 1, 99), "bc");
	same(str_slice(STR("abc"), 7, 9), "");
	same(str_slice(STR("abc"), 2, 1), "");
	ck_assert_ptr_null(str_slice((struct str){NULL, 0}, 0, 1).p);
}
END_TEST

/* Joins the parts with '|', so that one string shows what was cut. */
static struct str cut_up(const char *text, char separator)
{
	struct str rest = str_of(text), part, all = STR("");

	while (str_cut(&rest, separator, &part))
		all = str_format(arena, "%.*s[%.*s]", STR_ARG(all), STR_ARG(part));
	return all;
}

START_TEST(cuts_at_separators)
{
	struct str none = {NULL, 0}, part;

	same(cut_up("a,,b", ','), "[a][][b]");
	same(cut_up("", ','), "[]");
	same(cut_up(",", ','), "[][]");
	same(cut_up("abc", ','), "[abc]");
	same(cut_up("a\nb\n", '\n'), "[a][b][]");
	ck_assert(!str_cut(&none, ',', &part));
}
END_TEST

START_TEST(reads_numbers)
{
	uint64_t n = 7;

	ck_assert(str_number(STR("0"), 10, &n) && n == 0);
	ck_assert(str_number(STR("00065535"), 65535, &n) && n == 65535);
	ck_assert(str_number(STR("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
	n = 7;
	ck_assert(!str_number(STR("18446744073709551616"), UINT64_MAX, &n));
	ck_assert(!str_number(STR("99999999999999999999999"), UINT64_MAX, &n));
	ck_assert(!str_number(STR("65536"), 65535, &n));
	ck_assert(!str_number(STR("10"), 5, &n));
	ck_assert(!str_number(STR("6"), 5, &n));
	ck_assert(!str_number(STR(""), 10, &n));
	ck_assert(!str_number(STR("-1"), 10, &n));
	ck_assert(!str_number(STR("+1"), 10, &n));
	ck_assert(!str_number(STR(" 1"), 10, &n));
	ck_assert(!str_number(STR("1\0"), 100, &n));
	ck_assert(!str_number(STR("0x1"), 100, &n));
	ck_assert_uint_eq(n, 7);
}
END_TEST

static const struct {
	const char *text;
	size_t n, bad;
} utf8[] = {
	{"plain", 5, 5},
	{"", 0, 0},
	{"\xc3\xa9", 2, 2},
	{"\xe2\x82\xac", 3, 3},
	{"\xf0\x9f\x98\x80", 4, 4},
	{"\xf4\x8f\xbf\xbf", 4, 4},
	{"\xed\x9f\xbf", 3, 3},
	{"\xee\x80\x80", 3, 3},
	{"a\0b", 3, 3},
	{"ab\x80", 3, 2},             /* a continuation alone */
	{"\xc0\xaf", 2, 0},           /* overlong */
	{"\xc1\xbf", 2, 0},
	{"\xe0\x9f\xbf", 3, 0},
	{"\xf0\x8f\xbf\xbf", 4, 0},
	{"\xed\xa0\x80", 3, 0},       /* a surrogate */
	{"\xf4\x90\x80\x80", 4, 0},   /* above U+10FFFF */
	{"\xf5\x80\x80\x80", 4, 0},
	{"x\xe2\x82", 3, 1},          /* cut off */
	{"x\xe2\x82z", 4, 1},
	{"\xff", 1, 0},
};

START_TEST(checks_utf8)
{
	ck_assert_uint_eq(str_utf8_error((struct str){utf8[_i].text, utf8[_i].n}), utf8[_i].bad);
}
END_TEST

/* Every code point in its shortest form is good; each with its last byte cut off is not. */
START_TEST(takes_every_code_point)
{
	for (unsigned c = 0x80; c <= 0x10ffff; c++) {
		char b[4];
		size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		for (size_t i = n; i-- > 1;)
			b[i] = (char)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3f));
		b[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | (c >> (6 * (n - 1))));
		if (str_utf8_error((struct str){b, n}) != (c >= 0xd800 && c < 0xe000 ? 0 : n))
			ck_abort_msg("U+%04X", c);
		if (str_utf8_error((struct str){b, n - 1}) != 0)
			ck_abort_msg("U+%04X cut off", c);
	}
}
END_TEST

START_TEST(sees_control_characters)
{
	ck_assert(!str_has_control(STR("plain \xc3\xa9")));
	ck_assert(str_has_control(STR("a\nb")));
	ck_assert(str_has_control(STR("a\0")));
	ck_assert(str_has_control(STR("\x7f")));
	ck_assert(!str_has_control(STR("")));
}
END_TEST

START_TEST(copies_and_formats)
{
	char text[] = "Role-Z[";
	struct str copy = str_copy(arena, str_of(text)), lower = str_lower(arena, str_of(text));
	char *c = str_c(arena, str_of(text));

	text[0] = 'x';
	same(copy, "Role-Z[");
	same(lower, "role-z[");
	ck_assert_str_eq(c, "Role-Z[");
	same(str_format(arena, "%s-%d", "a", 17), "a-17");
	same(str_copy(arena, (struct str){NULL, 0}), "");
	ck_assert_str_eq(str_c(arena, (struct str){NULL, 0}), "");
	same(str_lower(arena, STR("\xc3\x89")), "\xc3\x89");
}
END_TEST

static const struct {
	const char *word, *nearest;
} nearest[] = {
	{"generat", "generate"}, {"genrate", "generate"}, {"genreate", "generate"}, {"geenrrate", "generate"},
	{"roel", "role"},        {"imprt", "import"},     {"xyzzy", NULL},         {"", NULL},
	{"role", "role"},        {"rol", "role"},         {"e", NULL},             {"xolx", NULL},
	{"ip", NULL},            {"initt", "init"},
};

START_TEST(suggests_the_nearest)
{
	static const struct str words[] = {{"import", 6}, {"init", 4}, {"generate", 8},
	                                   {"role", 4},   {"rule", 4}, {"", 0}};
	struct str found = str_nearest(str_of(nearest[_i].word), words, sizeof words / sizeof *words);

	if (nearest[_i].nearest == NULL)
		ck_assert_msg(found.p == NULL, "%s: %.*s", nearest[_i].word, STR_ARG(found));
	else
		same(found, nearest[_i].nearest);
}
END_TEST

START_TEST(suggests_nothing_for_very_long_words)
{
	static char long_word[100];
	struct str words[1] = {{long_word, sizeof long_word}};

	ck_assert_ptr_null(str_nearest(words[0], words, 1).p);
	ck_assert_ptr_null(str_nearest(STR("ab"), words, 1).p);
	ck_assert_ptr_null(str_nearest(STR("ab"), words, 0).p);
}
END_TEST

START_TEST(finds_one_among_many)
{
	const struct str words[] = {STR("db1"), STR(""), STR("db")};

	ck_assert(str_among(STR("db1"), words, 3));
	ck_assert(str_among(STR("db"), words, 3));
	ck_assert(str_among(STR(""), words, 2));
	ck_assert(!str_among(STR("db"), words, 2));
	ck_assert(!str_among(STR("DB1"), words, 3));
	ck_assert(!str_among(STR("db1"), NULL, 0));
}
END_TEST

START_TEST(sorts)
{
	struct str s[] = {STR("b"), STR("ab"), STR("a"), STR("B")};

	qsort(s, 4, sizeof *s, str_order);
	same(s[0], "B");
	same(s[1], "a");
	same(s[2], "ab");
	same(s[3], "b");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("str");
	TCase *tcase = tcase_create("str");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_test(tcase, compares_by_bytes);
	tcase_add_test(tcase, finds_starts_and_ends);
	tcase_add_test(tcase, trims_and_slices);
	tcase_add_test(tcase, cuts_at_separators);
	tcase_add_test(tcase, reads_numbers);
	tcase_add_loop_test(tcase, checks_utf8, 0, sizeof utf8 / sizeof *utf8);
	tcase_add_test(tcase, takes_every_code_point);
	tcase_add_test(tcase, sees_control_characters);
	tcase_add_test(tcase, copies_and_formats);
	tcase_add_loop_test(tcase, suggests_the_nearest, 0, sizeof nearest / sizeof *nearest);
	tcase_add_test(tcase, finds_one_among_many);
	tcase_add_test(tcase, suggests_nothing_for_very_long_words);
	tcase_add_test(tcase, sorts);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
