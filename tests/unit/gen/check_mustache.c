/* Mustache, what its specification leaves open: values, faults with their place, limits, speed. The specification's own
 * tests are in check_mustache_spec.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/mustache.h"

#include "rounds.h"
#include "suite_main.h"

static void escape_html(struct buf *buf, struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		switch (value.p[i]) {
		case '&':
			buf_add(buf, STR("&amp;"));
			break;
		case '"':
			buf_add(buf, STR("&quot;"));
			break;
		case '<':
			buf_add(buf, STR("&lt;"));
			break;
		case '>':
			buf_add(buf, STR("&gt;"));
			break;
		default:
			buf_char(buf, value.p[i]);
		}
}

/* The partials of a test, compiled. */
struct partial {
	struct str name;
	struct template *template;
};
struct partials {
	struct partial *items;
	size_t count, capacity;
};

static const struct template *find_partial(void *context, struct str name)
{
	const struct partials *partials = context;

	for (size_t i = 0; i < partials->count; i++)
		if (str_eq(partials->items[i].name, name))
			return partials->items[i].template;
	return NULL;
}

static struct template *compiled(const char *text)
{
	struct template *template;
	struct error *error = template_compile(arena, STR("test.mustache"), str_of(text), &template);

	ck_assert_msg(error == NULL, "%s: %.*s", text, error == NULL ? 0 : STR_ARG(error->message));
	return template;
}

static void add_partial(struct partials *partials, const char *name, const char *text)
{
	struct partial partial = {.name = str_copy(arena, str_of(name)), .template = compiled(text)};

	APPEND(arena, partials, partial);
}

static struct error *render(const char *text, const struct value *value, struct partials *partials, struct str *result)
{
	struct template_setup how = {.partial = find_partial, .context = partials, .escape = escape_html};
	struct buf out = buf_new(arena);
	struct error *error = template_render(arena, compiled(text), value, &how, &out);

	*result = buf_str(&out);
	return error;
}

static void expect(const char *text, const struct value *value, struct partials *partials, const char *expected)
{
	struct str result;
	struct partials none = {0};
	struct error *error = render(text, value, partials == NULL ? &none : partials, &result);

	ck_assert_msg(error == NULL, "%s: error", text);
	ck_assert_msg(str_is(result, expected), "template %s\nexpected %s\ngot      %.*s", text, expected,
	              STR_ARG(result));
}

#define OBJECT(...)                                                                     \
	(struct value)                                                                  \
	{                                                                               \
		.kind = VALUE_OBJECT, .members = (struct member[]){__VA_ARGS__},        \
		.count = sizeof((struct member[]){__VA_ARGS__}) / sizeof(struct member) \
	}
#define STRING(text)                                                        \
	{                                                                   \
		.kind = VALUE_STRING, .string = {(text), sizeof(text) - 1 } \
	}

/* What the specification's data can't say, and fleetwall relies on. */
START_TEST(test_values)
{
	struct value items[] = {STRING("a"), STRING("b")};
	struct value data =
		OBJECT({STR("empty"), STRING("")}, {STR("x"), STRING("<&>")}, {STR("yes"), {.kind = VALUE_TRUE}},
	               {STR("list"), {.kind = VALUE_LIST, .items = items, .count = 2}});

	expect("{{#empty}}no{{/empty}}{{^empty}}none{{/empty}}", &data, NULL, "none");
	expect("{{x}} {{{x}}} {{&x}}", &data, NULL, "&lt;&amp;&gt; <&> <&>");
	expect("{{yes}}{{list}}{{nothing}}", &data, NULL, "");
	expect("{{#list}}{{.}}{{x}};{{/list}}", &data, NULL, "a&lt;&amp;&gt;;b&lt;&amp;&gt;;");
	expect("{{#x}}[{{{.}}}]{{/x}}", &data, NULL, "[<&>]");
	expect("{{=<% %>=}}<%{x}%> <%& x %> {{x}}", &data, NULL, "<&> <&> {{x}}");
	expect("no tags at all\n", &data, NULL, "no tags at all\n");
	expect("", &data, NULL, "");
}
END_TEST

START_TEST(test_no_escape)
{
	struct value data = OBJECT({STR("x"), STRING("<&>")});
	struct template_setup how = {0};
	struct buf out = buf_new(arena);

	ck_assert_ptr_null(template_render(arena, compiled("{{x}}{{>none}}"), &data, &how, &out));
	ck_assert(str_is(buf_str(&out), "<&>"));
}
END_TEST

START_TEST(test_indentation)
{
	struct value data = OBJECT({STR("two"), STRING("1\n2")}, {STR("yes"), {.kind = VALUE_TRUE}});
	struct partials partials = {0};

	add_partial(&partials, "lines", "a\n{{{two}}}\n{{#yes}}\nb\n{{/yes}}\nc {{! x }}d\n");
	add_partial(&partials, "outer", "o\n  {{>lines}}\n{{>lines}}\n{{! gone }}\n{{yes}}e");
	add_partial(&partials, "crlf", "a\r\nb\r\n");
	expect(" {{>lines}}\n|", &data, &partials, " a\n 1\n2\n b\n c d\n|");
	expect("[{{>lines}}]", &data, &partials, "[a\n1\n2\nb\nc d\n]");
	expect("\t{{>outer}}\n", &data, &partials,
	       "\to\n\t  a\n\t  1\n2\n\t  b\n\t  c d\n\ta\n\t1\n2\n\tb\n\tc d\n\te");
	expect("  {{>crlf}}\r\n|", &data, &partials, "  a\r\n  b\r\n|");
}
END_TEST

static void expect_fault(const char *text, unsigned line, unsigned column, const char *message)
{
	struct template *template;
	struct error *error = template_compile(arena, STR("t.mustache"), str_of(text), &template);

	ck_assert_msg(error != NULL, "%s: no fault", text);
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert_msg(str_is(error->message, message), "%s: %.*s", text, STR_ARG(error->message));
	ck_assert_msg(error->place.line == line && error->place.column == column, "%s: %u:%u", text, error->place.line,
	              error->place.column);
	ck_assert(str_is(error->place.file, "t.mustache"));
}

START_TEST(test_faults)
{
	expect_fault("a\nbc {{x", 2, 4, "the tag is not closed");
	expect_fault("{{{x}}", 1, 1, "the tag is not closed");
	expect_fault("{{=<% %>}}", 1, 1, "the tag is not closed");
	expect_fault("\n\n{{#a}}\n{{x}}", 3, 1, "the section \"a\" is not closed");
	expect_fault("{{#a}}{{#b}}{{/a}}{{/b}}", 1, 13, "the section \"b\" is closed as \"a\"");
	expect_fault("x{{/a}}", 1, 2, "no section is open that \"a\" could close");
	expect_fault("{{}}", 1, 1, "the tag has no name");
	expect_fault("{{# }}", 1, 1, "the tag has no name");
	expect_fault("{{a b}}", 1, 1, "the name \"a b\" has a blank in it");
	expect_fault("{{a..b}}", 1, 1, "the name \"a..b\" has an empty part");
	expect_fault("{{a.}}", 1, 1, "the name \"a.\" has an empty part");
	expect_fault("{{=a=}}", 1, 1, "these are no two delimiters");
	expect_fault("{{=a b c=}}", 1, 1, "these are no two delimiters");
	expect_fault("{{<a}}", 1, 1, "the tag \"<a\" belongs to inheritance, which is not supported");
}
END_TEST

START_TEST(test_all_faults)
{
	struct template *template;
	struct error *error = template_compile(arena, STR("t"), STR("{{a b}}\n{{#x}}\n{{c..d}}\n"), &template);

	ck_assert_uint_eq(error_count(error), 3);
	ck_assert_uint_eq(error->next->place.line, 3);
	ck_assert(str_is(error->next->place.text, "{{c..d}}"));
	ck_assert_uint_eq(error->next->next->place.line, 2);
}
END_TEST

START_TEST(test_limits)
{
	struct value data = OBJECT({STR("yes"), {.kind = VALUE_TRUE}});
	struct partials partials = {0};
	struct buf deep = buf_new(arena);
	struct str result;
	struct template *template;

	add_partial(&partials, "self", "x{{#yes}}{{>self}}{{/yes}}");
	struct error *error = render("{{>self}}", &data, &partials, &result);

	ck_assert(error != NULL && error->kind == ERROR_INPUT &&
	          str_is(error->message, "partials nest more than 100 deep"));
	for (size_t i = 0; i < 65; i++)
		buf_add(&deep, STR("{{#a}}"));
	error = template_compile(arena, STR("t"), buf_str(&deep), &template);
	ck_assert(error != NULL && str_is(error->message, "sections nest more than 64 deep") && error->next == NULL);
}
END_TEST

/* Templates in which each level renders the next one twice. That the last has many steps saves looking for partials. */
START_TEST(test_doubling)
{
	struct value data = OBJECT({STR("yes"), {.kind = VALUE_TRUE}});
	struct partials partials = {0};
	struct buf steps = buf_new(arena);
	char name[8], text[40];
	struct str result;

	for (size_t i = 0; i < 1000; i++)
		buf_add(&steps, STR("{{x}}"));
	buf_char(&steps, 0);
	add_partial(&partials, "p60", steps.p);
	for (size_t i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "p%zu", i);
		snprintf(text, sizeof text, "{{>p%zu}}{{>p%zu}}", i + 1, i + 1);
		add_partial(&partials, name, text);
	}
	struct error *error = render("{{>p0}}", &data, &partials, &result);

	ck_assert(error != NULL &&
	          str_is(error->message, "templates that repeat each other: more than 4000000 steps in one rendering"));
}
END_TEST

static void count_partial(void *context, struct str name, struct place place)
{
	struct buf *buf = context;

	buf_format(buf, "%.*s %u:%u\n", STR_ARG(name), place.line, place.column);
}

START_TEST(test_partials)
{
	struct buf buf = buf_new(arena);

	template_partials(compiled("{{>a}}\n {{#x}}{{> b }}{{/x}}{{y}}"), count_partial, &buf);
	ck_assert(str_is(buf_str(&buf), "a 1:1\nb 2:8\n"));
}
END_TEST

/* A ruleset of 60 lines, a thousand times; the bound is generous, for slow machines, sanitizers and valgrind. */
START_TEST(test_speed)
{
	struct value match =
		OBJECT({STR("family"), STRING("4")}, {STR("protocol"), STRING("tcp")}, {STR("port"), STRING("443")},
	               {STR("set"), STRING("fw4-web-0123456789ab")}, {STR("comment"), STRING("web 0123456789ab")});
	struct value rules[60];
	struct value data = OBJECT({STR("chain"), STRING("INPUT")},
	                           {STR("rules"), {.kind = VALUE_LIST, .items = rules, .count = 60}});
	struct template *template = compiled(
		"{{#rules}}\n-A {{chain}} -p {{protocol}}{{#set}} -m set --match-set {{set}} src{{/set}} -m comment "
		"--comment {{comment}} --dport {{port}} -j ACCEPT\n{{/rules}}\n");
	struct template_setup how = {.escape = escape_html};
	struct timespec before, after;
	size_t count = in_full(1000);

	for (size_t i = 0; i < 60; i++)
		rules[i] = match;
	struct arena *pass = arena_new();

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (size_t i = 0; i < count; i++) {
		arena_reset(pass);
		struct buf out = buf_new(pass);

		buf_reserve(&out, 16384);
		ck_assert_ptr_null(template_render(pass, template, &data, &how, &out));
		ck_assert_uint_gt(out.n, 6000);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	arena_free(pass);
	double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;

	if (getenv("FLEETWALL_TIMES") != NULL)
		fprintf(stderr, "%.0f ns a tag\n", seconds / (double)(count * 60 * 6) * 1e9);
	ck_assert_msg(seconds < 60, "%zu rulesets took %.1f s", count, seconds);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mustache");
	TCase *own = tcase_create("own");

	tcase_add_checked_fixture(own, arena_setup, arena_teardown);
	tcase_set_timeout(own, 90);
	tcase_add_test(own, test_values);
	tcase_add_test(own, test_no_escape);
	tcase_add_test(own, test_indentation);
	tcase_add_test(own, test_faults);
	tcase_add_test(own, test_all_faults);
	tcase_add_test(own, test_limits);
	tcase_add_test(own, test_doubling);
	tcase_add_test(own, test_partials);
	tcase_add_test(own, test_speed);
	suite_add_tcase(suite, own);

	return suite_main(suite);
}
