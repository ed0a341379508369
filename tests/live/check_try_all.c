/* Every ruleset whole, as the store has it: what no form shows is found, told with its place, and the same with any
 * number of processes. Needs to be allowed to make network namespaces, and iptables and ipset. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/buf.h"
#include "fleetwall/guard.h"
#include "fleetwall/process.h"
#include "store_fixture.h"
#include "kernel_try.h"
#include "suite_main.h"

#define SET "web-0123456789ab"
#define IPSET "fw4-" SET
#define SETS(entries)                                                  \
	"create " IPSET " hash:net family inet maxelem 4294967295\n"   \
	"create " IPSET ".n hash:net family inet maxelem 4294967295\n" \
	"flush " IPSET ".n\n" entries "swap " IPSET ".n " IPSET "\ndestroy " IPSET ".n\n"
#define GOOD_SET SETS("add " IPSET ".n 192.0.2.0/24\n")
#define HEAD "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define FROM_SET "-A INPUT -p tcp -m set --match-set " IPSET " src -j ACCEPT\n"
#define END "COMMIT\n"

/* Not the fixture's: of the two archives of fixtures each has an `arena`. */
static struct arena *memory;
static struct output_build build;

static void setup(void)
{
	store_setup();
	memory = arena_new();
	build = output_build_new(memory);
}

static void teardown(void)
{
	arena_free(memory);
	store_teardown();
}

/* m00, m01, …, each with a ruleset of its own. */
static void add_machine(unsigned number, const char *four, const char *six, const char *sets)
{
	struct ruleset *ruleset =
		output_build_ruleset(&build, str_format(memory, "# %u\n%s", number, four), str_of(six), str_of(sets));

	output_build_machine(&build, str_format(memory, "m%02u", number), ruleset);
}

static void add_good(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		add_machine(i, HEAD FROM_SET END, HEAD END, SET ".v4\n");
}

/* Of the published generation: all rulesets, or the first `most` by digest. */
static struct error *try_some(unsigned workers, size_t most, struct str *skipped)
{
	struct generation generation = published();
	struct output output = output_build_done(&build);
	struct digest *digests = ARENA_ARRAY(memory, struct digest, output.ruleset_count + 1);

	for (size_t i = 0; i < output.ruleset_count; i++)
		digests[i] = output.rulesets[i]->digest;
	return guard_try_all(memory, str_of(out), &generation, digests,
	                     most < output.ruleset_count ? most : output.ruleset_count, workers, skipped);
}

static struct error *try_all(const char *set, unsigned workers)
{
	struct str skipped;
	struct error *error;

	output_build_set(&build, STR(SET ".v4"), str_of(set));
	publish(output_build_done(&build), &first_summary);
	error = try_some(workers, SIZE_MAX, &skipped);
	ck_assert_msg(skipped.n == 0, "%.*s", STR_ARG(skipped));
	return error;
}

static struct str told(const struct error *error)
{
	struct buf buf = buf_new(memory);

	error_print(&buf, STR(""), error);
	return buf_str(&buf);
}

static bool has(struct str text, const char *part)
{
	return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* More than go into one start of a program; the tables of this host are left alone. */
START_TEST(test_good)
{
	const char *const argv[] = {"iptables-save", NULL};
	struct command command = {.argv = argv};
	struct outcome outcome;

	add_good(0, 70);
	none(try_all(GOOD_SET, 1));
	none(process_run(memory, &command, &outcome));
	ck_assert(!has(outcome.output, IPSET));
}
END_TEST

/* A value that no form shows, in the middle of many. */
START_TEST(test_value)
{
	add_good(0, 40);
	add_machine(40, HEAD FROM_SET "-A INPUT -p tcp -m tcp --dport 99999 -j ACCEPT\n" END, HEAD END, SET ".v4\n");
	add_good(41, 70);
	struct error *error = try_all(GOOD_SET, (unsigned)_i);

	ck_assert_uint_eq(error_count(error), 1);
	ck_assert_int_eq(error->kind, ERROR_GUARD);
	ck_assert_msg(has(error->message, "machine m40: the kernel does not take this line: ") &&
	                      has(error->message, "99999"),
	              "%.*s", STR_ARG(error->message));
	ck_assert(str_is(error->place.file, "m40/rules.v4") && error->place.line == 7 && error->hint.n > 0);
	ck_assert(has(error->place.text, "--dport 99999"));
}
END_TEST

/* Who finds what first makes no difference; what is beyond ten is not looked for. */
START_TEST(test_order)
{
	struct str first = {NULL, 0};

	for (unsigned i = 0; i < 36; i++)
		add_machine(i, i % 3 == 0 ? HEAD "-A INPUT -p 300 -j ACCEPT\n" END : HEAD END,
		            i % 4 == 0 ? HEAD "-A INPUT -p 300 -j DROP\n" END : HEAD END, "");
	add_machine(99, HEAD FROM_SET END, HEAD END, SET ".v4\n"); /* a set that is not there */
	publish(output_build_done(&build), &first_summary);
	for (unsigned workers = 1; workers <= 3; workers++) {
		struct str skipped;
		struct error *error = try_some(workers, SIZE_MAX, &skipped);

		ck_assert_uint_eq(error_count(error), 11);
		if (workers == 1)
			first = told(error);
		ck_assert_msg(str_eq(told(error), first), "%.*s\n%.*s", STR_ARG(first), STR_ARG(told(error)));
	}
	ck_assert_msg(has(first, "m00/rules.v4:6: machine m00: ") && has(first, "m00/rules.v6:5: machine m00: ") &&
	                      has(first, "m15/rules.v4:6: ") && !has(first, "m16/") && has(first, "there may be more"),
	              "%.*s", STR_ARG(first));
}
END_TEST

/* Joined with others it would swallow the next. */
START_TEST(test_no_commit)
{
	add_good(0, 3);
	add_machine(3, HEAD, HEAD END, "");
	add_good(4, 6);
	struct error *error = try_all(GOOD_SET, 1);

	ck_assert_uint_eq(error_count(error), 1);
	ck_assert_msg(has(error->message, "machine m03: the kernel does not take rules.v4: "), "%.*s",
	              STR_ARG(error->message));
}
END_TEST

static const struct {
	const char *bytes, *first, *second;
} bad_sets[] = {
	{SETS("add " IPSET ".n 192.0.2.0/33\n"),
         "machine m00 and 1 more: the kernel does not take a set: the set file " SET ".v4: ", NULL},
	{SETS("add " IPSET ".n 2001:db8::/32\n"),
         "machine m00 and 1 more: the kernel does not take a set: the set file " SET ".v4: ", NULL},
	/* Then the rules have nothing to refer to. */
	{"create fw4-other hash:net\n", "machine m00 and 1 more: the kernel does not take this line: ", IPSET},
};

START_TEST(test_bad_set)
{
	struct ruleset *ruleset = output_build_ruleset(&build, STR(HEAD FROM_SET END), STR(HEAD END), STR(SET ".v4\n"));

	output_build_machine(&build, STR("m00"), ruleset);
	output_build_machine(&build, STR("m01"), ruleset);
	struct error *error = try_all(bad_sets[_i].bytes, 2);

	ck_assert_msg(error != NULL && str_starts(error->message, str_of(bad_sets[_i].first)), "%.*s",
	              STR_ARG(told(error)));
	ck_assert(error->kind == ERROR_GUARD && error->hint.n > 0);
	ck_assert(bad_sets[_i].second == NULL || has(error->message, bad_sets[_i].second));
}
END_TEST

/* Rulesets that were tried before are not named, and not read. */
START_TEST(test_some)
{
	struct str skipped;
	struct output output;

	add_good(0, 2);
	none(try_all(GOOD_SET, 1));
	output = output_build_done(&build);
	shell("rm $(grep -rlx '# %c' --include=rules.v4 '%s/store')", output.rulesets[1]->rules[0].p[2], out);
	none(try_some(2, 1, &skipped));
	none(try_some(2, 0, &skipped));
	expect_message(try_some(2, 2, &skipped), "");
}
END_TEST

/* Where nothing can be loaded, that is said. */
START_TEST(test_skipped)
{
	struct str skipped;
	char *path = strdup(getenv("PATH"));

	add_good(0, 2);
	none(try_all(GOOD_SET, 1));
	shell("mkdir -p '%s/tools' && printf '#!/bin/sh\\necho no such module >&2\\nexit 1\\n' >'%s/tools/ipset' && "
	      "chmod 755 '%s/tools/ipset'",
	      out, out, out);
	ck_assert_int_eq(setenv("PATH", str_c(memory, str_format(memory, "%s/tools:%s", out, path)), 1), 0);
	none(try_some(2, SIZE_MAX, &skipped));
	ck_assert_msg(str_is(skipped, "ipset does not work in a namespace here: no such module"), "%.*s",
	              STR_ARG(skipped));
	setenv("PATH", path, 1);
	free(path);
}
END_TEST

int main(void)
{
	if (!can_try()) {
		puts("no network namespace can be made here, or iptables or ipset is missing");
		return 77;
	}
	Suite *suite = suite_create("try_all");
	TCase *all = tcase_create("try_all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, test_good);
	tcase_add_loop_test(all, test_value, 1, 3);
	tcase_add_test(all, test_order);
	tcase_add_test(all, test_no_commit);
	tcase_add_loop_test(all, test_bad_set, 0, sizeof bad_sets / sizeof *bad_sets);
	tcase_add_test(all, test_some);
	tcase_add_test(all, test_skipped);
	suite_add_tcase(suite, all);

	return suite_main(suite);
}
