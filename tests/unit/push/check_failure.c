/* Failures in words: each has one, no two the same, made so that the database and people can hold it; and which of them
 * need a person. */
#include <check.h>

#include "fleetwall/ledger.h"

#include "suite_main.h"

static const struct {
	enum failure failure;
	const char *word;
	bool person;
} failures[] = {
	{FAILURE_UNREACHABLE, "unreachable", false}, {FAILURE_HOST_KEY, "host-key", true},
	{FAILURE_AUTH, "auth", true},                {FAILURE_REFUSED, "refused", true},
	{FAILURE_APPLY, "apply", true},              {FAILURE_UNDO, "undo", true},
	{FAILURE_ROLLED_BACK, "rolled-back", true},  {FAILURE_PROBE, "probe", true},
	{FAILURE_HOOK, "hook", false},               {FAILURE_DAMAGED, "damaged", false},
	{FAILURE_BUNDLE, "bundle", false},           {FAILURE_FENCE, "fence", false},
};
enum { FAILURES = sizeof failures / sizeof *failures };

START_TEST(words)
{
	ck_assert_int_eq(FAILURES, FAILURE_FENCE + 1);
	for (size_t i = 0; i < FAILURES; i++) {
		ck_assert_int_eq(failures[i].failure, (int)i);
		ck_assert(str_is(failure_str(failures[i].failure), failures[i].word));
		for (size_t k = 0; k < i; k++)
			ck_assert(!str_eq(failure_str(failures[i].failure), failure_str(failures[k].failure)));
	}
}
END_TEST

START_TEST(persons)
{
	for (size_t i = 0; i < FAILURES; i++)
		ck_assert_int_eq(failure_needs_person(failures[i].failure), failures[i].person);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failure");
	TCase *cases = tcase_create("failure");

	tcase_add_test(cases, words);
	tcase_add_test(cases, persons);
	suite_add_tcase(suite, cases);
	return suite_main(suite);
}
