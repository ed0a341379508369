/* Which lines matter to what differs: small tables by hand, with what must be told of them, whatever stands around. */
#include <check.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/difference.h"
#include "fleetwall/error.h"

#include "suite_main.h"

#define BASE                                                                                                        \
	"-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT\n-A INPUT -p udp -m udp --dport 53 " \
	"-j ACCEPT\n"

static const struct {
	const char *name, *head, *before, *after, *told;
} cases[] = {
	{"a line more", "", BASE, BASE "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n", "opens 22/tcp to 0.0.0.0/0\n"},
	{"a line less", "", BASE "-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", BASE,
         "closes all to 10.0.0.0/8, but for what is still let through\n"},
	{"a chain of one's own changed", ":own - [0:0]\n",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -j own\n-A own -s 10.0.0.0/8 -j ACCEPT\n",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -j own\n-A own -s 10.0.0.0/9 -j ACCEPT\n",
         "closes 22/tcp to 10.128.0.0/9\n"},
	{"two steps down", ":own - [0:0]\n:deep - [0:0]\n",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -g own\n-A own -j deep\n-A deep -s 10.0.0.0/8 -j DROP\n-A own -j "
              "ACCEPT\n",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -g own\n-A own -j deep\n-A own -j ACCEPT\n",
         "opens 22/tcp to 10.0.0.0/8\n"},
	{"the same lines in another order", "",
         BASE "-A INPUT -s 10.0.0.0/8 -j DROP\n-A INPUT -s 10.1.0.0/16 -j ACCEPT\n",
         BASE "-A INPUT -s 10.1.0.0/16 -j ACCEPT\n-A INPUT -s 10.0.0.0/8 -j DROP\n",
         "opens all to 10.1.0.0/16, but for what was let through before\n"},
	{"a refusal before", "", BASE "-A INPUT -s 10.9.0.0/16 -p tcp -j DROP\n",
         BASE "-A INPUT -s 10.9.0.0/16 -p tcp -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n",
         "opens 22/tcp to 0.0.0.0/5, 8.0.0.0/7, 10.0.0.0/13, 10.8.0.0/16, 10.10.0.0/15, … (16 prefixes)\n"},
	{"words that are only quoted", "",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -m comment --comment \"role -p udp --dport 53 -j\" -j DROP\n",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -m comment --comment \"role -p udp --dport 53 -j\" -j DROP\n-A INPUT "
              "-p tcp -m multiport --dports 20:23,80 -j ACCEPT\n",
         "opens 20-21,23,80/tcp to 0.0.0.0/0\n"},
	{"negated", "", BASE "-A INPUT ! -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j DROP\n",
         BASE "-A INPUT ! -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j "
              "ACCEPT\n",
         "opens 22/tcp to 10.0.0.0/8\n"},
	{"a line twice", "", BASE "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n", ""},
	{"another way is another chain", "", BASE "-A OUTPUT -p tcp -m tcp --dport 22 -j DROP\n",
         BASE "-A OUTPUT -p tcp -m tcp --dport 22 -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n",
         "opens 22/tcp to 0.0.0.0/0\n"},
	{"a word that nobody knows", "", BASE "-A INPUT -p tcp -m tcp --dport 22 -m nonsense --what ever -j DROP\n",
         BASE "-A INPUT -p tcp -m tcp --dport 22 -j DROP\n-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT\n",
         "opens 23/tcp to 0.0.0.0/0\n"},
};

static struct error *no_set(void *context, struct arena *arena, const struct digest *digest, struct str *bytes)
{
	(void)context;
	(void)arena;
	(void)digest;
	(void)bytes;
	return error_new(ERROR_SURROUNDINGS, "there are no sets");
}

static struct str table(struct arena *arena, const char *head, const char *rules)
{
	return str_format(arena, "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n%s%sCOMMIT\n",
	                  head, rules);
}

static struct str told(struct arena *arena, size_t number)
{
	struct difference *difference = difference_new(arena, no_set, NULL);
	struct difference_pair pair = {0};
	struct difference_group *groups;
	struct buf buf = buf_new(arena);
	size_t count;

	for (size_t side = 0; side < 2; side++) {
		const char *rules = side == 0 ? cases[number].before : cases[number].after;

		pair.rules[side][0] = table(arena, cases[number].head, rules);
		pair.rules[side][1] = table(arena, "", "");
	}
	ck_assert_ptr_null(difference_add(arena, difference, &pair));
	count = difference_groups(difference, &groups);
	for (size_t i = 0; i < count; i++)
		if (groups[i].change != DIFFERENCE_OTHER)
			buf_format(&buf, "%.*s %.*s\n", STR_ARG(difference_change_str(groups[i].change)),
			           STR_ARG(difference_group_str(arena, &groups[i])));
	return buf_str(&buf);
}

START_TEST(only_what_changed_is_told)
{
	struct arena *arena = arena_new();
	struct str wanted, found;

	packets_begin();
	found = told(arena, (size_t)_i);
	wanted = str_of(cases[_i].told);
	ck_assert_msg(str_eq(found, wanted), "%s: \"%.*s\", not \"%.*s\"", cases[_i].name, STR_ARG(found),
	              STR_ARG(wanted));
	packets_end();
	arena_free(arena);
	error_forget_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("difference_lines");
	TCase *tcase = tcase_create("lines");

	tcase_add_loop_test(tcase, only_what_changed_is_told, 0, (int)(sizeof cases / sizeof *cases));
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
