/* The manual page of the rule language says what is so: its examples are parsed, its canonical forms printed, its
 * refused lines refused, and its error messages are those of the program. */
#include <check.h>
#include <stdio.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/rule.h"

#include "suite_main.h"

#define PAGE "packaging/man/fleetwall-rules.5"

static struct str page;

static void setup(void)
{
	static char bytes[1 << 20];
	FILE *file = fopen(PAGE, "r");

	ck_assert_msg(file != NULL, "%s: it is looked for from the project's root", PAGE);
	page = (struct str){bytes, fread(bytes, 1, sizeof bytes, file)};
	fclose(file);
	ck_assert(page.n > 0 && page.n < sizeof bytes);
}

/* A line of a display without its escapes: "\-" is a minus sign, "\&" nothing. */
static struct str plain(struct str line)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] != '\\' || i + 1 == line.n)
			buf_char(&buf, line.p[i]);
		else if (line.p[++i] != '&')
			buf_char(&buf, line.p[i]);
	}
	return buf_str(&buf);
}

/* Calls `each` with every line of the displays of this kind (".Bd -literal") in the section; the sum of what it
 * returns. */
static size_t each_line(const char *kind, const char *section, size_t (*each)(struct str line))
{
	struct str rest = page, line, now = STR("");
	bool inside = false;
	size_t count = 0;

	while (str_cut(&rest, '\n', &line)) {
		if (str_starts(line, STR(".Sh ")))
			now = str_slice(line, 4, line.n);
		if (str_starts(line, STR(".Bd ")))
			inside = str_starts(str_slice(line, 4, line.n), str_of(kind));
		else if (str_starts(line, STR(".Ed")))
			inside = false;
		else if (inside && str_is(now, section))
			count += each(plain(line));
	}
	return count;
}

/* --- what is right --- */

static size_t is_parsed(struct str line)
{
	struct rule rule;
	struct error *error, *warnings = NULL;
	bool stored;

	if (str_find(line, '"') < line.n) /* the grammar itself */
		return 0;
	error = rule_parse(arena, line, &rule, &stored, &warnings);
	ck_assert_msg(error == NULL, "\"%.*s\": %.*s", STR_ARG(line), STR_ARG(error->message));
	ck_assert_msg(warnings == NULL, "\"%.*s\": %.*s", STR_ARG(line), STR_ARG(warnings->message));
	ck_assert(stored || str_is(line, "DENY ALL"));
	return 1;
}

START_TEST(examples_are_rules)
{
	size_t count = each_line("-literal", "DESCRIPTION", is_parsed);

	ck_assert_uint_ge(count, 3);
	count = each_line("-literal", "GRAMMAR", is_parsed);
	ck_assert_uint_ge(count, 20);
}
END_TEST

/* "rule # its canonical form" */
static size_t is_canonical(struct str line)
{
	struct rule rule;
	bool stored;

	ck_assert_msg(rule_parse(arena, line, &rule, &stored, NULL) == NULL, "\"%.*s\"", STR_ARG(line));
	ck_assert_msg(str_eq(rule_text(arena, &rule), rule.comment), "\"%.*s\" is \"%.*s\"", STR_ARG(line),
	              STR_ARG(rule_text(arena, &rule)));
	return 1;
}

START_TEST(canonical_forms_are_those)
{
	ck_assert_uint_ge(each_line("-literal", "CANONICAL FORM", is_canonical), 10);
}
END_TEST

/* --- what is wrong --- */

static size_t is_refused(struct str line)
{
	struct rule rule;
	bool stored;

	ck_assert_msg(rule_parse(arena, line, &rule, &stored, NULL) != NULL, "\"%.*s\" is taken", STR_ARG(line));
	return 1;
}

START_TEST(refused_lines_are_refused)
{
	ck_assert_uint_ge(each_line("-literal", "WHAT IS REFUSED", is_refused), 15);
}
END_TEST

static struct buf shown;

static size_t collect(struct str line)
{
	buf_add(&shown, line);
	buf_char(&shown, '\n');
	return 1;
}

START_TEST(messages_are_those_of_the_program)
{
	struct buf printed = buf_new(arena);
	struct error *error;
	struct rule rule;
	bool stored;

	shown = buf_new(arena);
	ck_assert_uint_gt(each_line("-unfilled", "DIAGNOSTICS", collect), 4);
	error = rule_parse(arena, STR("allow 70000/tcp from 10.0.0.1/8"), &rule, &stored, NULL);
	error = error_at(error, (struct place){.file = STR("app.rules"), .line = 3});
	error_print(&printed, STR("error: "), error);
	ck_assert_msg(str_eq(buf_str(&printed), buf_str(&shown)), "the page says:\n%.*sthe program says:\n%.*s",
	              STR_ARG(buf_str(&shown)), STR_ARG(buf_str(&printed)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule_manual");
	TCase *tcase = tcase_create("rule_manual");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, examples_are_rules);
	tcase_add_test(tcase, canonical_forms_are_those);
	tcase_add_test(tcase, refused_lines_are_refused);
	tcase_add_test(tcase, messages_are_those_of_the_program);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
