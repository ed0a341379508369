/* Bundles: their bytes, as bundle.h says them; what is left out where the machine has it; that they are the same read
 * in any pieces; and how little of them is in memory.
 * no-valgrind: sets of a hundred thousand members, which the sanitizers see. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/buf.h"
#include "push_fixture.h"
#include "suite_main.h"

static struct prefix management[2];

static struct bundle_request request_of(struct positions *now, struct positions *before)
{
	ck_assert_int_eq(prefix_parse(STR("10.0.0.250"), &management[0]), PREFIX_OK);
	ck_assert_int_eq(prefix_parse(STR("fd00::/64"), &management[1]), PREFIX_OK);
	return (struct bundle_request){
		.machine = STR("db1"),
		.machine_id = STR("9f0c"),
		.fence = 17,
		.token = STR("5b1e"),
		.now = now,
		.before = before,
		.deadline = 60,
		.ssh_port = 22,
		.management = management,
		.management_count = 2,
	};
}

static struct bundle *made(const struct bundle_request *request)
{
	struct bundle *bundle;

	none(bundle_make(arena, request, &bundle));
	return bundle;
}

static struct str bytes_of(const struct bundle_request *request)
{
	return bundle_bytes(made(request), 4096);
}

static struct str position_hex(struct positions *positions)
{
	const struct position *position;
	char hex[65];

	none(positions_find(positions, STR("db1"), &position));
	digest_hex(&position->digest, hex);
	return str_format(arena, "%s", hex);
}

static void same(struct str got, struct str wanted)
{
	ck_assert_msg(str_eq(got, wanted), "--- got\n%.*s\n--- wanted\n%.*s", STR_ARG(str_slice(got, 0, 3000)),
	              STR_ARG(str_slice(wanted, 0, 3000)));
}

/* Up to the line of `mode`. */
static struct str head(struct positions *now, struct str confirmed)
{
	return str_format(arena,
	                  "fleetwall-bundle 1\nmachine db1\nmachine-id 9f0c\nfence 17\ngeneration %d\ntoken 5b1e\n"
	                  "position %.*s\nconfirmed %.*s\nmode exclusive\ndeadline 60\nssh-port 22\n"
	                  "management 10.0.0.250 fd00::/64\n",
	                  (int)positions_generation(now)->number, STR_ARG(position_hex(now)), STR_ARG(confirmed));
}

static struct one_set two_sets[] = {{"app-1.v6", {"fd00::1\n", 8}}, {"web-0.v4", {"10.0.0.1\n10.0.0.3\n", 18}}};
#define LIST "app-1.v6\nweb-0.v4\n"

START_TEST(test_whole)
{
	struct positions *now = positions_at(publish_one("x", two_sets, 2));
	struct bundle_request request = request_of(now, NULL);
	struct str rules = rules_of(arena, POSITION_EXCLUSIVE, "x");

	ck_assert(bundle_is_whole(made(&request)));
	same(bytes_of(&request),
	     str_format(arena,
	                "%.*sflags whole\nrules.v4 7\nrules.v6 7\nsets.list 2\nset app-1.v6 whole 6\n"
	                "set web-0.v4 whole 7\n\n%.*s%.*s" LIST "%.*s%.*send\n",
	                STR_ARG(head(now, STR("-"))), STR_ARG(rules), STR_ARG(rules),
	                STR_ARG(set_file_of(arena, STR("app-1.v6"), two_sets[0].members)),
	                STR_ARG(set_file_of(arena, STR("web-0.v4"), two_sets[1].members))));
}
END_TEST

START_TEST(test_options)
{
	struct bundle_request request = request_of(positions_at(publish_one("x", NULL, 0)), NULL);
	const char *bytes;

	request.adopt = request.rollback = request.cut = true;
	request.machine_id = STR("");
	request.management_count = 0;
	request.script = STR("#!/bin/sh\necho\n");
	bytes = str_c(arena, bytes_of(&request));
	ck_assert_ptr_eq(strstr(bytes, "script 2\n#!/bin/sh\necho\nfleetwall-bundle 1\n"), bytes);
	ck_assert_ptr_nonnull(strstr(bytes, "\nmachine-id -\n"));
	ck_assert_ptr_nonnull(strstr(bytes, "\nmanagement\nflags adopt rollback cut whole\n"));
	ck_assert_ptr_nonnull(strstr(bytes, "\nsets.list 0\n\n# iptables-restore\n"));
}
END_TEST

START_TEST(test_same)
{
	struct positions *before = positions_at(publish_one("x", two_sets, 2));
	struct bundle_request request = request_of(before, before);

	ck_assert(!bundle_is_whole(made(&request)));
	same(bytes_of(&request),
	     str_format(arena, "%.*sflags\nrules.v4 same\nrules.v6 same\nsets.list same\n\nend\n",
	                STR_ARG(head(before, position_hex(before)))));
}
END_TEST

START_TEST(test_difference)
{
	struct positions *before = positions_at(publish_one("x", two_sets, 2)), *now;
	struct one_set sets[] = {{"new-2.v4", STR("")}, two_sets[1]};
	struct str rules = rules_of(arena, POSITION_EXCLUSIVE, "y");

	sets[1].members = STR("10.0.0.3\n10.0.0.7\n");
	now = positions_at(publish_one("y", sets, 2));
	struct bundle_request request = request_of(now, before);

	same(bytes_of(&request),
	     str_format(arena,
	                "%.*sflags\nrules.v4 7\nrules.v6 7\nsets.list 2\nset new-2.v4 whole 5\n"
	                "set web-0.v4 diff 2\n\n%.*s%.*snew-2.v4\nweb-0.v4\n%.*s-4\n+5 10.0.0.7\nend\n",
	                STR_ARG(head(now, position_hex(before))), STR_ARG(rules), STR_ARG(rules),
	                STR_ARG(set_file_of(arena, STR("new-2.v4"), STR("")))));
}
END_TEST

/* However it is read. */
START_TEST(test_pieces)
{
	static const size_t steps[] = {1, 2, 7, 100, 4096, 1 << 20};
	struct bundle_request request = request_of(positions_at(publish_one("x", two_sets, 2)), NULL);
	struct str whole;

	request.script = STR("one\ntwo\n");
	whole = bundle_bytes(made(&request), 1 << 16);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		same(bundle_bytes(made(&request), steps[i]), whole);
}
END_TEST

/* One that is closed early, and twice. */
START_TEST(test_close)
{
	struct bundle_request request = request_of(positions_at(publish_one("x", two_sets, 2)), NULL);
	struct bundle *bundle = made(&request);
	char bytes[2000];
	size_t got = 1;

	none(bundle_read(bundle, bytes, bundle_size(bundle) - 100, &got));
	ck_assert_uint_eq(got, bundle_size(bundle) - 100);
	bundle_close(bundle);
	none(bundle_read(bundle, bytes, sizeof bytes, &got));
	ck_assert_uint_eq(got, 0);
	bundle_close(bundle);
	bundle_close(NULL);
}
END_TEST

/* --- what was confirmed is not there any more --- */

START_TEST(test_before_is_gone)
{
	struct one_set sets[] = {{"web-0.v4", many_members(arena, FAMILY_4, 100)}};
	struct positions *before = positions_at(publish_one("x", sets, 1)), *now;

	sets[0].members = many_members(arena, FAMILY_4, 101);
	now = positions_at(publish_one("x", sets, 1));
	struct bundle_request request = request_of(now, before);
	const struct position *was;

	none(positions_find(before, STR("db1"), &was));
	shell("rm '%.*s'", STR_ARG(store_set_path(arena, str_of(out), &was->sets[0].digest)));
	ck_assert_ptr_nonnull(strstr(str_c(arena, bytes_of(&request)), "set web-0.v4 whole 106\n"));
}
END_TEST

START_TEST(test_before_is_damaged)
{
	struct positions *before = positions_at(publish_one("x", NULL, 0));
	struct positions *now = positions_at(publish_one("y", NULL, 0));
	struct bundle_request request = request_of(now, before);
	const struct generation *was = positions_generation(before);

	shell("rm -rf '%.*s'", STR_ARG(store_ruleset_path(arena, str_of(out), &was->manifest[0].digest, STR(""))));
	ck_assert(bundle_is_whole(made(&request)));
	ck_assert_ptr_nonnull(strstr(str_c(arena, bytes_of(&request)), "\nconfirmed -\n"));
}
END_TEST

START_TEST(test_no_ruleset)
{
	struct bundle_request request = request_of(positions_at(publish_one("x", NULL, 0)), NULL);
	struct bundle *bundle;
	struct error *error;

	request.machine = STR("db2");
	error = bundle_make(arena, &request, &bundle);
	ck_assert(error != NULL && error->kind == ERROR_UNKNOWN);
}
END_TEST

/* --- damage --- */

START_TEST(test_damaged_set)
{
	struct positions *now = positions_at(publish_one("x", two_sets, 2));
	struct bundle_request request = request_of(now, NULL);
	struct bundle *bundle;

	shell("cd '%s'/sets && set -- $(readlink -f web-0.v4) && rm $1 && echo >$1", out);
	expect_message(bundle_make(arena, &request, &bundle), "machine db1: set web-0.v4: ");
}
END_TEST

/* Cut short between the header and its turn. */
START_TEST(test_cut_short)
{
	struct bundle_request request = request_of(positions_at(publish_one("x", two_sets, 2)), NULL);
	struct bundle *bundle = made(&request);
	char bytes[8000];
	size_t got;

	shell("cd '%s'/sets && set -- $(readlink -f web-0.v4) && rm $1 && echo >$1", out);
	expect_message(bundle_read(bundle, bytes, sizeof bytes, &got), "was changed");
	bundle_close(bundle);
}
END_TEST

START_TEST(test_last_line)
{
	struct output_build build = output_build_new(arena);
	struct str rules = STR("# iptables-restore\n*filter\nCOMMIT");
	struct bundle *bundle;

	output_build_machine(&build, STR("db1"), output_build_ruleset(&build, rules, rules, STR("")));
	struct bundle_request request =
		request_of(positions_at(publish(output_build_done(&build), &first_summary)), NULL);
	struct error *error = bundle_make(arena, &request, &bundle);

	ck_assert(error != NULL && error->kind == ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(str_c(arena, error->message), "rules.v4: its last line does not end"));
}
END_TEST

/* --- figures --- */

START_TEST(test_one_member)
{
	enum family family = _i == 0 ? FAMILY_4 : FAMILY_6;
	struct one_set sets[] = {{_i == 0 ? "web-0.v4" : "web-0.v6", many_members(arena, family, 100000)}};
	struct positions *before = positions_at(publish_one("x", sets, 1)), *now;
	const char *bytes;

	sets[0].members = many_members(arena, family, 100001);
	now = positions_at(publish_one("x", sets, 1));
	struct bundle_request request = request_of(now, before);

	ck_assert_uint_lt(bundle_size(made(&request)), 1024);
	bytes = str_c(arena, bytes_of(&request));
	ck_assert_ptr_nonnull(strstr(bytes, _i == 0 ? "\n+100003 10.3.13.64\nend\n" : "\n+100003 fd00::3:d40\nend\n"));
}
END_TEST

/* So many under way at once: headers, and one copy of what they all send. */
START_TEST(test_memory)
{
	struct one_set sets[] = {{"web-0.v4", many_members(arena, FAMILY_4, 20000)}};
	struct positions *before = positions_at(publish_one("x", sets, 1));
	struct arena *own = arena_new();
	struct positions *now;
	size_t wire = 0;

	sets[0].members = many_members(arena, FAMILY_4, 10000);
	uint64_t generation = publish_one("y", sets, 1);

	none(positions_open(own, str_of(out), generation, &now));
	for (int i = 0; i < 1000; i++) {
		struct bundle_request request = request_of(now, i % 2 == 0 ? before : NULL);
		struct bundle *bundle;

		none(bundle_make(own, &request, &bundle));
		wire += bundle_size(bundle);
	}
	ck_assert_uint_gt(wire, 100 << 20);
	ck_assert_uint_lt(arena_size(own), 8 << 20);
	arena_free(own);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("bundle");
	TCase *tcase = tcase_create("bundle");

	tcase_add_checked_fixture(tcase, store_setup, store_teardown);
	tcase_add_test(tcase, test_whole);
	tcase_add_test(tcase, test_options);
	tcase_add_test(tcase, test_same);
	tcase_add_test(tcase, test_difference);
	tcase_add_test(tcase, test_pieces);
	tcase_add_test(tcase, test_close);
	tcase_add_test(tcase, test_before_is_gone);
	tcase_add_test(tcase, test_before_is_damaged);
	tcase_add_test(tcase, test_no_ruleset);
	tcase_add_test(tcase, test_damaged_set);
	tcase_add_test(tcase, test_cut_short);
	tcase_add_test(tcase, test_last_line);
	tcase_add_loop_test(tcase, test_one_member, 0, 2);
	tcase_add_test(tcase, test_memory);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
