/* What a host's rules know of the sets that they name, where that is not who is in them: sets that expire, and sets
 * that no file has. Who is taken over all the same is in check_takeover.c. */
#include <check.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/packets.h"
#include "suite_main.h"
#include "taken_over.h"

static struct arena *arena;
static struct takeover *takeover;
static struct fleet present, wanted;

static void setup(void)
{
	arena = arena_new();
	packets_begin();
	present = (struct fleet){.clock = 0};
}

static void teardown(void)
{
	packets_end();
	arena_free(arena);
	error_forget_all();
}

static void take_over(const struct takeover_file *files, size_t count)
{
	struct settings settings = settings_default();

	takeover = taken_over(arena, files, count, &settings, &present, &wanted);
}

static void gives_str(struct str got, const char *expected)
{
	ck_assert_msg(str_is(got, expected), "got:\n%.*s\nexpected:\n%s", STR_ARG(got), expected);
}

#define HEAD "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define SET "-A INPUT -m set --match-set "

/* The members have a time limit: of the set, or one of their own; so it is with a list that has such a set. */
START_TEST(sets_that_expire)
{
	static const char *const texts[] = {
		"create a hash:ip family inet timeout 600\nadd a 10.0.0.1 timeout 7\n",
		"create a hash:net\nadd a 10.0.0.0/8 timeout 7\n",
		"create a list:set\ncreate b hash:ip timeout 600\nadd a b\n",
	};
	struct takeover_file files[] = {
		{STR("m"), STR("a.v4"), STR(HEAD SET "a src -j ACCEPT\nCOMMIT\n")},
		{STR("m"), STR("sets"), str_of(texts[_i])},
	};
	const struct error *left_out;

	take_over(files, 2);
	gives_str(rules_text(arena, &wanted, STR("machine:m")), "");
	left_out = takeover_left_out(takeover);
	gives_str(left_out->message,
	          "left out: it depends on \"set a src\": its members expire, so who is in it is not known");
	ck_assert(str_ends(left_out->next->message, STR("set a: its members expire, so who is in it is not known; "
	                                                "what is done with it is left out")));
}
END_TEST

/* Another reason why a set says nothing is no reason to speak of time. */
START_TEST(sets_that_do_not)
{
	struct takeover_file files[] = {
		{STR("m"), STR("a.v4"), STR(HEAD SET "a src,dst -j ACCEPT\nCOMMIT\n")},
		{STR("m"), STR("sets"), STR("create a hash:ip,port\nadd a 10.0.0.1,tcp:22\n")},
	};
	const struct error *left_out;

	take_over(files, 2);
	left_out = takeover_left_out(takeover);
	gives_str(left_out->message, "left out: it depends on \"set a src,dst\"");
	ck_assert(str_ends(left_out->next->message, STR("set a: what is done with it is left out")));
}
END_TEST

static const struct error *of_no_file(const struct error *remarks)
{
	while (remarks != NULL && !str_ends(remarks->message, STR("that no file has")))
		remarks = remarks->next;
	return remarks;
}

/* One word for the machine, with the names of both families. */
START_TEST(sets_that_were_not_given)
{
	struct takeover_file files[] = {
		{STR("m"), STR("a.v4"),
	         STR(HEAD SET "a src -j ACCEPT\n" SET "b src,dst -j DROP\n" SET "a src -j DROP\nCOMMIT\n")},
		{STR("m"), STR("a.v6"),
	         STR(HEAD "-A INPUT -s 2001:db8::1/128 -i lo -j ACCEPT\n" SET "c src -j DROP\n" SET
	                  "d src -j DROP\n" SET "e src -j DROP\n" SET "f src -j DROP\nCOMMIT\n")},
	};
	const struct error *remark;

	take_over(files, 2);
	remark = of_no_file(takeover_remarks(takeover));
	ck_assert_ptr_nonnull(remark);
	gives_str(remark->message, "m: its rules name sets (a, b, c, d, e, and 1 more) that no file has");
	gives_str(remark->hint, "give what `ipset save` prints as m=FILE, too");
	ck_assert_ptr_null(of_no_file(remark->next));
	gives_str(takeover_left_out(takeover)->message, "left out: it depends on \"set a src\", which no file has");
}
END_TEST

START_TEST(rules_that_name_none)
{
	struct takeover_file file = {STR("m"), STR("a.v4"), STR(HEAD "-A INPUT -i eth0 -j ACCEPT\nCOMMIT\n")};

	take_over(&file, 1);
	ck_assert_ptr_nonnull(takeover_remarks(takeover)); /* of the other family */
	ck_assert_ptr_null(of_no_file(takeover_remarks(takeover)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_sets");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, sets_that_expire, 0, 3);
	tcase_add_test(all, sets_that_do_not);
	tcase_add_test(all, sets_that_were_not_given);
	tcase_add_test(all, rules_that_name_none);
	suite_add_tcase(suite, all);
	return suite_main(suite);
}
