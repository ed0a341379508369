/* Which rules do the same in other words, and which only look so: small tables by hand. */
#include <check.h>

#include "arena_fixture.h"
#include "difference_fixture.h"
#include "suite_main.h"

#define BEFORE "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
#define RATE(port, name)                                                                                   \
	"-A INPUT -p udp -m udp --dport " port " -m hashlimit --hashlimit-upto 8/sec --hashlimit-burst 5 " \
	"--hashlimit-mode srcip --hashlimit-name " name " -j ACCEPT\n"
#define REFUSE(words) "-A INPUT -p tcp -m tcp --dport 113 -j REJECT --reject-with " words "\n"
#define LOG(words) "-A INPUT -p udp -j LOG --log-prefix \"" words "\"\n"
#define ACCEPT(words) BEFORE, BEFORE "-A INPUT " words " -j ACCEPT\n"

static const struct {
	const char *name, *before, *after;
	bool same;
} cases[] = {
	{"nothing", BEFORE, BEFORE, true},
	{"the default answer", "-A INPUT -j REJECT --reject-with icmp-port-unreachable\n", "-A INPUT -j REJECT\n",
         true},
	{"another answer", BEFORE REFUSE("icmp-port-unreachable"), BEFORE REFUSE("icmp-admin-prohibited"), false},
	{"a reset", BEFORE REFUSE("icmp-port-unreachable"), BEFORE REFUSE("tcp-reset"), false},
	{"an answer of others alone", BEFORE REFUSE("tcp-reset"),
         BEFORE "-A INPUT -p tcp -m tcp --dport 113 -j REJECT --reject-with tcp-reset\n"
                "-A INPUT -p tcp -m tcp --dport 113 -j REJECT\n",
         true},
	{"only what is above the rate is logged", BEFORE LOG("u") RATE("9", "a"), BEFORE RATE("9", "a") LOG("u"),
         false},
	{"logged twice", BEFORE LOG("u"), BEFORE LOG("u") LOG("u"), false},
	{"other words in the log", BEFORE LOG("u"), BEFORE LOG("v"), false},
	{"a log after what is nothing of it", BEFORE LOG("u") REFUSE("tcp-reset"),
         BEFORE REFUSE("tcp-reset") LOG("u"), true},
	{"a rate after what is nothing of it", BEFORE RATE("9", "a") "-A INPUT -p tcp -j ACCEPT\n",
         BEFORE "-A INPUT -p tcp -j ACCEPT\n" RATE("9", "a"), true},
	{"what is established counts as well", RATE("9", "a") BEFORE RATE("10", "b"),
         BEFORE RATE("9", "a") RATE("10", "b"), false},
	{"a bucket of one's own becomes another's", BEFORE RATE("9", "a") RATE("10", "b"),
         BEFORE RATE("9", "a") RATE("10", "a"), false},
	{"a shared bucket becomes two", BEFORE RATE("9", "a") RATE("10", "a"), BEFORE RATE("9", "a") RATE("10", "b"),
         false},
	{"a bucket in which more is counted", BEFORE "-A INPUT -s 10.0.0.0/8 -j ACCEPT\n" RATE("9", "a"),
         BEFORE RATE("9", "a") "-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", false},
	{"a bucket of the line's own in which more is counted",
         BEFORE "-A INPUT -s 10.0.0.0/8 -j ACCEPT\n-A INPUT -m limit --limit 1/sec -j ACCEPT\n",
         BEFORE "-A INPUT -m limit --limit 1/sec -j ACCEPT\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\n", false},
	{"who is remembered", BEFORE, BEFORE "-A INPUT -m recent --set --name x\n", false},
	{"a chain that nothing leads to", BEFORE, BEFORE "-A unused -j ACCEPT\n", true},
	{"a chain that is led to", BEFORE, BEFORE "-A unused -j ACCEPT\n-A INPUT -j unused\n", false},
	{"back before", BEFORE "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n",
         BEFORE "-A INPUT -p tcp -m tcp --dport 22 -j RETURN\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n", false},
	{"fewer states", BEFORE, "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n", false},
	{"fragments", ACCEPT("-f"), false},
	{"a state more", ACCEPT("-m conntrack --ctstate UNTRACKED"), false},
	{"what was forwarded to", ACCEPT("-m conntrack --ctstate DNAT"), false},
	{"a hardware address", ACCEPT("-m mac --mac-source 00:11:22:33:44:55"), false},
	{"a mark", ACCEPT("-m mark --mark 0x1"), false},
	{"a source port", ACCEPT("-p tcp -m tcp --sport 53"), false},
	{"flags", ACCEPT("-p tcp -m tcp --tcp-flags ALL NONE"), false},
	{"an interface", ACCEPT("-i veth0"), false},
	{"a program", ACCEPT("-m bpf --bytecode \"1,6 0 0 1\""), false},
	{"outbound, by its owner", BEFORE, BEFORE "-A OUTPUT -m owner --uid-owner 0 -j DROP\n", false},
	{"forwarded", BEFORE, BEFORE "-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n", false},
	{"a copy elsewhere", BEFORE, BEFORE "-A INPUT -j TEE --gateway 10.0.0.1\n", false},
};

static struct str table(const char *rules)
{
	return filter_table(arena, ":unused - [0:0]\n", rules);
}

START_TEST(the_same_in_other_words)
{
	struct difference_pair pair;
	struct difference *difference =
		difference_of_texts(arena, table(cases[_i].before), table(cases[_i].after), &pair);
	bool same[2];

	none(difference_same(arena, difference, &pair, same));
	ck_assert_msg(same[0] == cases[_i].same, "%s", cases[_i].name);
	ck_assert(same[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("difference_same");
	TCase *tcase = tcase_create("same");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tcase, packets_begin, packets_end);
	tcase_add_loop_test(tcase, the_same_in_other_words, 0, (int)(sizeof cases / sizeof *cases));
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
