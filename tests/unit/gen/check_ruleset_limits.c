/* Where limits stand: a kernel whose table of a limit is full drops the packet, so rules with one come after all that
 * have none, and a monitored machine, where nothing may be dropped, has none. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "make_output.h"
#include "suite_main.h"

/* rules.v4 of the document's only machine. */
static const char *rules(const char *document)
{
	struct made made;

	ck_assert_ptr_null(make_output(arena, STR("test.conf"), str_of(document), &made));
	ck_assert_uint_eq(made.output.machine_count, 1);
	return str_c(arena, made.output.machines[0].ruleset->rules[0]);
}

static void before(const char *text, const char *first, const char *second)
{
	const char *a = strstr(text, first), *b = strstr(text, second);

	ck_assert_msg(a != NULL && b != NULL && a < b, "`%s` does not stand before `%s` in\n%s", first, second, text);
}

#define ROLES                                                                                                        \
	"roles = ( { name = \"a\"; rules = [ \"allow 22/tcp limit 5/day\", \"allow 53/udp to any limit 5/day\" ]; }," \
	" { name = \"b\"; rules = [ \"allow 22/tcp from 10.99.0.0/16\", \"allow 53/udp to 10.0.0.53\" ]; } );"        \
	"machines = ( { name = \"m\"; roles = [ \"a\", \"b\" ]; "

/* In and out, whatever role a rule is in. */
START_TEST(limits_come_last)
{
	static const char *const documents[] = {ROLES "} );", ROLES "mode = \"coexist\"; } );"};
	const char *text = rules(documents[_i]);

	before(text, "-s 10.99.0.0/16", "--dport 22 -m hashlimit");
	before(text, "-d 10.0.0.53", "--dport 53 -m hashlimit");
}
END_TEST

START_TEST(a_monitor_has_no_limits)
{
	const char *text = rules(ROLES "enforcement = \"monitor\"; } );");

	ck_assert_msg(strstr(text, "--dport 22 -m comment") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "--hashlimit-upto 5/day") == NULL, "%s", text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ruleset_limits");
	TCase *cases = tcase_create("limits");

	tcase_add_checked_fixture(cases, arena_setup, arena_teardown);
	tcase_add_loop_test(cases, limits_come_last, 0, 2);
	tcase_add_test(cases, a_monitor_has_no_limits);
	suite_add_tcase(suite, cases);

	return suite_main(suite);
}
