/* Which lines matter to what differs: small tables by hand, with what must be told of them, whatever stands around. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "difference_fixture.h"
#include "fleetwall/buf.h"
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

static const char *told(size_t number)
{
	const char *head = cases[number].head;
	struct difference_pair pair;
	struct difference *difference = difference_of_texts(arena, filter_table(arena, head, cases[number].before),
	                                                    filter_table(arena, head, cases[number].after), &pair);
	struct difference_group *groups;
	struct buf buf = buf_new(arena);
	size_t count;

	none(difference_add(arena, difference, &pair));
	count = difference_groups(difference, &groups);
	for (size_t i = 0; i < count; i++)
		if (groups[i].change != DIFFERENCE_OTHER)
			buf_format(&buf, "%.*s %.*s\n", STR_ARG(difference_change_str(groups[i].change)),
			           STR_ARG(difference_group_str(arena, &groups[i])));
	return str_c(arena, buf_str(&buf));
}

START_TEST(only_what_changed_is_told)
{
	const char *found = told((size_t)_i);

	ck_assert_msg(strcmp(found, cases[_i].told) == 0, "%s: \"%s\", not \"%s\"", cases[_i].name, found,
	              cases[_i].told);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("difference_lines");
	TCase *tcase = tcase_create("lines");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tcase, packets_begin, packets_end);
	tcase_add_loop_test(tcase, only_what_changed_is_told, 0, (int)(sizeof cases / sizeof *cases));
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
