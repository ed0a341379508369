/* Error chains: made, given context, collected, printed with a caret that stands under its column. */
#include <check.h>
#include <errno.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/embedded.h"
#include "fleetwall/error.h"

#include "suite_main.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	error_forget_all();
	arena_free(arena);
}

static const char *printed(const struct error *chain)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR("error: "), chain);
	return str_c(arena, buf_str(&buf));
}

/* The print of one error "m" at column `column` of `text`. */
static const char *caret(struct str text, unsigned column)
{
	return printed(error_at(error_new(ERROR_INPUT, "m"), (struct place){STR("f"), 1, column, text}));
}

START_TEST(prints_message_and_hint)
{
	struct error *error =
		error_hint(error_new(ERROR_INPUT, "port %d is out of range", 70000), "ports end at %d", 65535);

	ck_assert_str_eq(printed(error), "error: port 70000 is out of range\n    hint: ports end at 65535\n");
	ck_assert_str_eq(printed(NULL), "");
	ck_assert_int_eq(error->kind, ERROR_INPUT);
}
END_TEST

START_TEST(prints_what_is_known_of_the_place)
{
	struct str none = {NULL, 0};

	ck_assert_str_eq(printed(error_at(error_new(ERROR_INPUT, "m"), (struct place){STR("f"), 0, 0, none})),
	                 "error: f: m\n");
	ck_assert_str_eq(printed(error_at(error_new(ERROR_INPUT, "m"), (struct place){STR("f"), 3, 0, none})),
	                 "error: f:3: m\n");
	ck_assert_str_eq(printed(error_at(error_new(ERROR_INPUT, "m"), (struct place){none, 3, 4, none})),
	                 "error: line 3:4: m\n");
	ck_assert_str_eq(caret(STR("allow"), 0), "error: f:1: m\n    allow\n");
}
END_TEST

START_TEST(caret_stands_under_its_column)
{
	ck_assert_str_eq(caret(STR("allow 70000/tcp"), 7), "error: f:1:7: m\n    allow 70000/tcp\n          ^\n");
	ck_assert_str_eq(caret(STR("x"), 1), "error: f:1:1: m\n    x\n    ^\n");
	ck_assert_str_eq(caret(STR("x"), 2), "error: f:1:2: m\n    x\n     ^\n");
	ck_assert_str_eq(caret(STR("x"), 99), "error: f:1:99: m\n    x\n     ^\n");
}
END_TEST

START_TEST(caret_minds_tabs_and_wide_spellings)
{
	ck_assert_str_eq(caret(STR("\ta\tb"), 4), "error: f:1:4: m\n    \ta\tb\n    \t \t^\n");
	ck_assert_str_eq(caret(STR("\xc3\xa9=x"), 4), "error: f:1:4: m\n    \xc3\xa9=x\n      ^\n");
	ck_assert_str_eq(caret(STR("\x1b[1mx"), 5), "error: f:1:5: m\n    \\x1b[1mx\n           ^\n");
	ck_assert_str_eq(caret(STR("\xff\xc2\x9bx"), 4), "error: f:1:4: m\n    \\xff\\xc2\\x9bx\n                ^\n");
}
END_TEST

START_TEST(long_lines_show_the_part_around_the_caret)
{
	struct buf line = buf_new(arena);
	struct str text;
	const char *shown;

	for (int i = 0; i < 1000; i++)
		buf_add(&line, STR("\xc3\xa9"));
	text = buf_str(&line);
	shown = caret(text, 1001);
	ck_assert_uint_lt(str_of(shown).n, 500);
	ck_assert_uint_eq(str_utf8_error(str_of(shown)), str_of(shown).n);
	ck_assert(str_ends(str_of(caret(text, 1)), STR("...\n    ^\n")));
	ck_assert(str_starts(str_of(caret(text, 2001)), STR("error: f:1:2001: m\n    ...\xc3\xa9")));
	/* A column inside a character: both ends of what is shown are whole characters all the same. */
	shown = caret(text, 1002);
	ck_assert_uint_eq(str_utf8_error(str_of(shown)), str_of(shown).n);
	shown = caret(text, 1001);
	/* Under the character that begins at byte 1001: 40 characters of 2 bytes before it, and the three dots. */
	ck_assert(str_ends(str_of(shown), str_format(arena, "...\n%*s^\n", 4 + 3 + 40, "")));
}
END_TEST

START_TEST(control_characters_are_shown)
{
	struct error *error = error_new(ERROR_INPUT, "name \"a\nb\x7f\" %s", "\xe2\x82");

	ck_assert_str_eq(printed(error_hint(error, "h\x1b")),
	                 "error: name \"a\\x0ab\\x7f\" \\xe2\\x82\n    hint: h\\x1b\n");
	ck_assert_str_eq(printed(error_at(error_new(ERROR_INPUT, "m"), (struct place){STR("a\nb"), 0, 0, STR("")})),
	                 "error: a\\x0ab: m\n");
}
END_TEST

START_TEST(context_goes_before_each_message)
{
	struct error *chain = NULL;

	error_collect(&chain, error_new(ERROR_INPUT, "one"));
	error_collect(&chain, NULL);
	error_collect(&chain, error_new(ERROR_UNKNOWN, "two"));
	error_collect(&chain, error_new(ERROR_GUARD, "three"));
	ck_assert_uint_eq(error_count(chain), 3);
	chain = error_in(error_in(chain, "rule %d", 17), "machine %s", "web-3");
	ck_assert_str_eq(printed(chain), "error: machine web-3: rule 17: one\nerror: machine web-3: rule 17: two\n"
	                                 "error: machine web-3: rule 17: three\n");
	ck_assert_int_eq(chain->next->kind, ERROR_UNKNOWN);
	ck_assert_ptr_null(error_in(NULL, "x"));
	ck_assert_ptr_null(error_hint(NULL, "x"));
	ck_assert_ptr_null(error_at(NULL, (struct place){.line = 1}));
	ck_assert_uint_eq(error_count(NULL), 0);
}
END_TEST

START_TEST(place_fills_in_what_is_not_known)
{
	struct error *error = error_new(ERROR_INPUT, "m");
	char file[] = "file";

	error = error_at(error, (struct place){.line = 4, .column = 2});
	error = error_at(error, (struct place){str_of(file), 9, 9, STR("another line")});
	file[0] = 'x'; /* it has its own copy */
	ck_assert_uint_eq(error->place.line, 4);
	ck_assert_uint_eq(error->place.column, 2);
	ck_assert_uint_eq(error->place.text.n, 0); /* the text of line 9 is not that of line 4 */
	ck_assert(str_is(error->place.file, "file"));
	error = error_at(error, (struct place){.line = 4, .text = STR("the line")});
	ck_assert(str_is(error->place.text, "the line"));
}
END_TEST

START_TEST(errno_is_told)
{
	struct error *error;

	errno = ENOENT;
	error = error_errno("opening %s", "/x");
	ck_assert_str_eq(printed(error), "error: opening /x: No such file or directory\n");
	ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
}
END_TEST

static struct error *tries(struct error *error)
{
	TRY(NULL);
	TRY(error);
	return error_new(ERROR_INPUT, "got past it");
}

START_TEST(try_passes_errors_on)
{
	struct error *error = error_new(ERROR_INPUT, "m");

	ck_assert_ptr_eq(tries(error), error);
	ck_assert(str_is(tries(NULL)->message, "got past it"));
}
END_TEST

START_TEST(alike_ones_are_gathered)
{
	static const char one[] = "one", other[] = "other";
	static const char *const kinds[] = {one, NULL, other, one, one, NULL, other, one};
	struct error *chain = NULL;
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct error *error = error_hint(error_new(ERROR_INPUT, "%zu", i), "%s", i == 3 ? "do" : "");

		error->like = kinds[i];
		error_collect(&chain, error);
	}
	error_gather(chain, 2, "all are there");
	error_print(&buf, STR(""), chain);
	ck_assert_str_eq(str_c(arena, buf_str(&buf)),
	                 "0\n1\n2\n3\n    hint: do; and 2 more like it; all are there\n5\n6\n");
	error_gather(NULL, 2, "");
}
END_TEST

START_TEST(embedded_files_are_found_and_sorted)
{
	const struct embedded *tables[] = {embedded_sql, embedded_templates};

	for (int i = 0; i < 2; i++)
		for (const struct embedded *file = tables[i]; file->name != NULL; file++) {
			struct str found = embedded_find(tables[i], str_of(file->name));

			ck_assert_ptr_eq(found.p, file->data);
			ck_assert_uint_eq(found.n, file->size);
			ck_assert(file[1].name == NULL || str_cmp(str_of(file->name), str_of(file[1].name)) < 0);
		}
	ck_assert_ptr_nonnull(embedded_find(embedded_sql, STR("migrations/0001-schema.sql")).p);
	ck_assert_ptr_null(embedded_find(embedded_sql, STR("migrations/0001-schema.sq")).p);
	ck_assert_ptr_null(embedded_find(embedded_sql, STR("")).p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("error");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, prints_message_and_hint);
	tcase_add_test(tcase, prints_what_is_known_of_the_place);
	tcase_add_test(tcase, caret_stands_under_its_column);
	tcase_add_test(tcase, caret_minds_tabs_and_wide_spellings);
	tcase_add_test(tcase, long_lines_show_the_part_around_the_caret);
	tcase_add_test(tcase, control_characters_are_shown);
	tcase_add_test(tcase, context_goes_before_each_message);
	tcase_add_test(tcase, place_fills_in_what_is_not_known);
	tcase_add_test(tcase, errno_is_told);
	tcase_add_test(tcase, try_passes_errors_on);
	tcase_add_test(tcase, alike_ones_are_gathered);
	tcase_add_test(tcase, embedded_files_are_found_and_sorted);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
