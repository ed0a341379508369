/* Which machines words speak of: names, globs, roles, and what is said of words that speak of none. */
#include <check.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "select.h"
#include "suite_main.h"

static const struct str known[] = {{"app1", 4}, {"app2", 4}, {"db1", 3}, {"db2", 3}, {"web.example.net", 15}};
enum { KNOWN = sizeof known / sizeof *known };
static struct str app_roles[] = {{"app", 3}, {"base", 4}}, db_roles[] = {{"base", 4}, {"mysql", 5}};
static const struct contact contacts[] = {
	{.machine = {"app1", 4}, .roles = app_roles, .role_count = 2},
	{.machine = {"app2", 4}, .roles = app_roles, .role_count = 2},
	{.machine = {"db1", 3}, .roles = db_roles, .role_count = 2},
};

static struct error *chosen(const char *const *words, struct str *joined)
{
	struct str list[10];
	struct selection selection = {list, 0};
	struct buf buf = buf_new(arena);
	struct error *error;
	struct str *names;
	size_t count;

	for (size_t i = 0; words[i] != NULL; i++)
		list[selection.count++] = str_of(words[i]);
	error = select_names(arena, &selection, known, KNOWN, contacts, 3, &names, &count);
	for (size_t i = 0; i < count; i++)
		buf_format(&buf, "%s%.*s", i == 0 ? "" : " ", STR_ARG(names[i]));
	*joined = buf_str(&buf);
	return error;
}

static void is_chosen(const char *const *words, const char *wanted)
{
	struct str joined;
	struct error *error = chosen(words, &joined);

	ck_assert_ptr_null(error);
	ck_assert_msg(str_is(joined, wanted), "%.*s instead of %s", STR_ARG(joined), wanted);
}

#define CHOSEN(wanted, ...) is_chosen((const char *const[]){__VA_ARGS__, NULL}, wanted)

START_TEST(words_of_all_kinds)
{
	is_chosen((const char *const[]){NULL}, "app1 app2 db1 db2 web.example.net");
	CHOSEN("db1", "db1");
	CHOSEN("db1", "DB1");
	CHOSEN("app1 app2", "app*");
	CHOSEN("app1 app2 db1 db2", "???[12]", "db?");
	CHOSEN("web.example.net", "*.net");
	CHOSEN("app1 app2", "role:app");
	CHOSEN("app1 app2 db1", "role:base", "db1", "app1");
	CHOSEN("db1 web.example.net", "web.example.net", "role:mysql", "db1");
}
END_TEST

static const struct error *nth(const struct error *error, size_t n)
{
	while (error != NULL && n-- > 0)
		error = error->next;
	return error;
}

static void says(const struct error *error, const char *message, const char *hint)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	ck_assert_msg(str_is(error->message, message), "%.*s", STR_ARG(error->message));
	ck_assert_msg(str_is(error->hint, hint), "%.*s", STR_ARG(error->hint));
}

#define LIST "fleetwall machine list shows those that there are"

/* All of them at once. */
START_TEST(words_that_speak_of_none)
{
	struct str joined;
	struct error *error = chosen((const char *const[]){"ap1", "x*", "db1", "role:mysq", "nonsense", NULL}, &joined);

	ck_assert_uint_eq(error_count(error), 4);
	says(nth(error, 0), "there is no machine \"ap1\"", "did you mean app1?");
	says(nth(error, 1), "no machine's name is like \"x*\"", LIST);
	says(nth(error, 2), "no machine has the role \"mysq\"", "did you mean role:mysql?");
	says(nth(error, 3), "there is no machine \"nonsense\"", LIST);
}
END_TEST

START_TEST(roles_are_told)
{
	struct str words[] = {STR("db1"), STR("role:x")};

	ck_assert(!select_has_roles(&(struct selection){words, 1}));
	ck_assert(select_has_roles(&(struct selection){words, 2}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("select");
	TCase *tests = tcase_create("select");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_test(tests, words_of_all_kinds);
	tcase_add_test(tests, words_that_speak_of_none);
	tcase_add_test(tests, roles_are_told);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
