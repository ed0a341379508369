/* Taking over random filters: what the rules let in is within what the filter lets in, whatever the filter is made of;
 * where no line is left out it is the same; every line is counted once; and no rule has to be taken back by the proof,
 * which goes another way than the choice. valgrind-apart: random models. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/packets.h"
#include "fleetwall/takeover.h"
#include "random_rule.h"
#include "rounds.h"
#include "suite_main.h"

static struct arena *arena;
static struct rng rng;

static unsigned below(unsigned limit)
{
	return (unsigned)rng_below(&rng, limit);
}

#define PICK(list) ((list)[below(sizeof(list) / sizeof *(list))])

/* --- a filter at random --- */

struct making {
	struct buf *buf;
	enum family family;
	bool plain; /* only what rules have words for */
	bool out;   /* what follows is reached from OUTPUT alone */
};

static const char *address(enum family family)
{
	static const char *const v4[] = {"10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32", "10.0.0.0/30",
	                                 "10.0.0.0/8",  "0.0.0.0/1",   "10.1.0.0/16", "192.0.2.0/24"};
	static const char *const v6[] = {"2001:db8::1/128", "2001:db8::2/128", "2001:db8::3/128",
	                                 "2001:db8::/126",  "2001:db8::/32",   "::/1",
	                                 "2001:db8:1::/48", "fd00::/8"};

	return family == FAMILY_4 ? PICK(v4) : PICK(v6);
}

static void say_what(const struct making *making)
{
	static const char *const ports[] = {
		" -p tcp -m tcp --dport 22",
		" -p tcp -m tcp --dport 20:25",
		" -p tcp -m multiport --dports 22,80,443",
		" -p tcp",
		" -p udp -m udp --dport 53",
		" -p udp",
		" -p udp -m udp --dport 68",
		" -p esp",
		" -p tcp -m tcp --dport 0:65535",
	};
	static const char *const icmp4[] = {" -p icmp", " -p icmp -m icmp --icmp-type 8",
	                                    " -p icmp -m icmp --icmp-type 3/4", " -p icmp -m icmp --icmp-type 3"};
	static const char *const icmp6[] = {" -p ipv6-icmp", " -p ipv6-icmp -m icmp6 --icmpv6-type 128",
	                                    " -p ipv6-icmp -m icmp6 --icmpv6-type 135",
	                                    " -p ipv6-icmp -m icmp6 --icmpv6-type 129/3"};

	switch (below(5)) {
	case 0:
		break;
	case 1:
		buf_format(making->buf, "%s", making->family == FAMILY_4 ? PICK(icmp4) : PICK(icmp6));
		break;
	default:
		buf_format(making->buf, "%s", PICK(ports));
	}
}

static void say_interface(const struct making *making)
{
	static const char *const names[] = {"eth0", "eth1", "eth+", "lo", "vpn0"};

	if (below(4) == 0)
		buf_format(making->buf, "%s -%c %s", !making->plain && below(3) == 0 ? " !" : "",
		           making->out ? 'o' : 'i', PICK(names));
}

static void say_state(const struct making *making)
{
	static const char *const states[] = {"NEW", "RELATED,ESTABLISHED", "NEW,ESTABLISHED", "INVALID",
	                                     "NEW,UNTRACKED"};

	if (below(5) == 0)
		buf_format(making->buf, " -m conntrack --ctstate %s", PICK(states));
}

/* Matches that rules have no words for. */
static void say_strange(const struct making *making)
{
	static const char *const strange[] = {
		" -m limit --limit 5/min",
		" -m hashlimit --hashlimit-upto 4/min --hashlimit-burst 4 --hashlimit-mode srcip --hashlimit-name a",
		" -m mark --mark 0x1",
		" -m addrtype --dst-type LOCAL",
		" -m addrtype --src-type BROADCAST",
		" -m addrtype ! --dst-type MULTICAST",
		" -m set --match-set known src",
		" -m set ! --match-set known src",
		" -m set --match-set unknown src",
		" -m set --match-set large src",
		" -m set --match-set large src",
		" -m set ! --match-set large src",
		" -m set --match-set other src",
		" -m set --match-set other dst",
		" -m set --match-set large dst -p tcp -m tcp --dport 22",
		" -m set --match-set large src -m set ! --match-set other src",
		" -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
		" -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN",
		" -p udp -m udp --sport 53",
		" -p udp -m udp ! --sport 53",
		" -p tcp -m multiport --ports 22",
	};

	buf_format(making->buf, "%s", PICK(strange));
}

static void say_matches(const struct making *making)
{
	bool strange = !making->plain && below(4) == 0;

	if (below(2) == 0)
		buf_format(making->buf, "%s -%c %s", below(6) == 0 ? " !" : "", making->out ? 'd' : 's',
		           address(making->family));
	if (!making->plain && below(12) == 0)
		buf_format(making->buf, " -%c %s", making->out ? 's' : 'd', address(making->family));
	say_interface(making);
	if (strange)
		say_strange(making);
	else
		say_what(making);
	say_state(making);
	if (below(8) == 0)
		buf_format(making->buf, " -m comment --comment \"a \\\"note\\\" %u\"", below(3));
}

static const char *target(const struct making *making, unsigned chain)
{
	static const char *const plain[] = {"ACCEPT", "ACCEPT", "ACCEPT", "DROP"};
	static const char *const strange[] = {"LOG", "REJECT", "NFQUEUE", "MARK --set-xmark 0x1/0xffffffff"};
	static const char *const in[] = {"one", "two"}, *const out[] = {"three", "four"};
	unsigned kind = below(8);

	if (chain < 2 && kind < 2)
		return chain == 1 ? (making->out ? out[1] : in[1]) : (making->out ? PICK(out) : PICK(in));
	if (chain > 0 && kind == 2)
		return "RETURN";
	return !making->plain && kind == 3 ? PICK(strange) : PICK(plain);
}

static void say_rules(const struct making *making, const char *name, unsigned chain)
{
	for (unsigned i = below(6); i > 0; i--) {
		const char *to = target(making, chain);
		bool led = str_is(str_of(to), "one") || str_is(str_of(to), "two") || str_is(str_of(to), "three") ||
		           str_is(str_of(to), "four");

		buf_format(making->buf, "-A %s", name);
		say_matches(making);
		buf_format(making->buf, " -%c %s\n", led && below(4) == 0 ? 'g' : 'j', to);
	}
}

static struct str random_dump(enum family family, bool plain)
{
	static const char *const policies[] = {"ACCEPT", "DROP", "DROP"};
	struct buf buf = buf_new(arena);
	struct making making = {&buf, family, plain, false};

	buf_format(&buf, "*filter\n:INPUT %s [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT %s [0:0]\n", PICK(policies),
	           PICK(policies));
	buf_add(&buf, STR(":one - [0:0]\n:two - [0:0]\n:three - [0:0]\n:four - [0:0]\n"));
	say_rules(&making, "INPUT", 0);
	say_rules(&making, "one", 1);
	say_rules(&making, "two", 2);
	making.out = true;
	say_rules(&making, "OUTPUT", 0);
	say_rules(&making, "three", 1);
	say_rules(&making, "four", 2);
	buf_add(&buf, STR("COMMIT\n"));
	return buf_str(&buf);
}

/* --- what must hold of it --- */

static struct takeover_file files[3];

/* Members within what rules name, beside it, and in both sets; sometimes the whole of a prefix that is named. */
static void say_large(struct buf *buf, enum family family, const char *name)
{
	static const char *const beginnings[] = {"10.0.0.", "10.7.7.", "192.0.2.", "127.0.0.", "224.0.0.", "172.16.9."};
	static const char *const beginnings6[] = {"fd00::", "fe80::", "2001:db8::"};
	bool v4 = family == FAMILY_4;

	buf_format(buf, "create %s hash:net family %s\n", name, v4 ? "inet" : "inet6");
	for (unsigned i = 0; i < 20 && v4; i++)
		buf_format(buf, "add %s %s%u\n", name, PICK(beginnings), below(24));
	for (unsigned i = 0; i < 20 && !v4; i++)
		buf_format(buf, "add %s %s%x\n", name, PICK(beginnings6), below(24));
	if (below(4) == 0)
		buf_format(buf, "add %s %s\n", name, v4 ? "192.0.2.0/24" : "2001:db8:1::/48");
}

static size_t make_files(bool plain)
{
	static const char sets4[] = "create known hash:net family inet\nadd known 10.0.0.0/30\nadd known 192.0.2.7\n"
				    "create unknown hash:ip,port family inet\nadd unknown 10.0.0.1,tcp:22\n";
	static const char sets6[] = "create known hash:net family inet6\nadd known 2001:db8::/126\n"
				    "create unknown hash:ip,port family inet6\nadd unknown 2001:db8::1,tcp:22\n";
	enum family family = below(2) == 0 ? FAMILY_4 : FAMILY_6;
	struct buf sets = buf_new(arena);

	buf_format(&sets, "%s", family == FAMILY_4 ? sets4 : sets6);
	say_large(&sets, family, "large");
	say_large(&sets, family, "other");
	files[0] = (struct takeover_file){STR("web1"), family == FAMILY_4 ? STR("rules.v4") : STR("rules.v6"),
	                                  random_dump(family, plain)};
	files[1] = (struct takeover_file){STR("web1"), STR("sets"), buf_str(&sets)};
	if (!plain || below(2) == 0)
		return 2;
	family = family == FAMILY_4 ? FAMILY_6 : FAMILY_4;
	files[1] = (struct takeover_file){STR("web1"), family == FAMILY_4 ? STR("rules.v4") : STR("rules.v6"),
	                                  random_dump(family, plain)};
	return 2;
}

static void show(size_t count, const struct takeover_summary *summary, const struct fleet *wanted)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < count; i++)
		buf_format(&buf, "--- %.*s\n%.*s", STR_ARG(files[i].name), STR_ARG(files[i].text));
	for (size_t i = 0; i < wanted->role_count; i++)
		for (size_t k = 0; k < wanted->roles[i].rule_count; k++)
			buf_format(&buf, "rule: %.*s\n", STR_ARG(wanted->roles[i].rules[k].text));
	for (size_t i = 0; i < summary->wider_count; i++)
		buf_format(&buf, "wider: %.*s\n", STR_ARG(summary->wider[i]));
	for (size_t i = 0; i < summary->narrower_count; i++)
		buf_format(&buf, "narrower: %.*s\n", STR_ARG(summary->narrower[i]));
	fprintf(stderr, "%.*s", (int)buf.n, buf.p);
}

static bool holds(const struct takeover_summary *summary, bool again)
{
	const struct takeover_counts *counts = &summary->counts;

	return !again && summary->wider_count == 0 &&
	       counts->lines == counts->represented + counts->housekeeping + counts->unreached + counts->left_out &&
	       (counts->left_out > 0 || summary->proved);
}

/* Is it equal, as the proof says? */
static bool one_round(bool plain)
{
	size_t count = make_files(plain), number = 0;
	struct settings settings = settings_default();
	struct takeover_summary *summary;
	struct takeover *takeover;
	struct fleet present = {.clock = 0}, wanted;
	struct error *error = takeover_read(arena, files, count, &takeover);
	bool again = false;

	ck_assert_msg(error == NULL, "%.*s\n%.*s", error == NULL ? 0 : (int)error->message.n,
	              error == NULL ? "" : error->message.p, STR_ARG(files[0].text));
	ck_assert_ptr_null(takeover_fleet(takeover, &present, &settings, &wanted));
	wanted.clock = 0;
	ck_assert_ptr_null(takeover_prove(takeover, &wanted, &settings, &wanted, &again));
	number = takeover_summaries(takeover, &summary);
	ck_assert_uint_eq(number, 1);
	ck_assert_uint_eq(error_count(takeover_left_out(takeover)) == 0, summary->counts.left_out == 0);
	if (!holds(summary, again)) {
		show(count, summary, &wanted);
		ck_abort_msg("not as it must be");
	}
	return summary->proved;
}

static size_t equal_of(size_t count, bool plain, uint64_t seed)
{
	size_t equal = 0;

	rng = (struct rng){seed};
	packets_begin();
	for (size_t i = 0; i < count; i++) {
		size_t mark = packets_mark();

		arena = arena_new();
		equal += one_round(plain);
		arena_free(arena);
		error_forget_all();
		packets_release(mark);
	}
	packets_end();
	return equal;
}

/* TAKEOVER_ROUNDS and TAKEOVER_SEED: as many, and others. */
static size_t environment(const char *name, size_t usual)
{
	const char *given = getenv(name);

	return given != NULL ? strtoul(given, NULL, 10) : usual;
}

/* Of filters that rules have words for nearly all come out whole. */
START_TEST(plain_filters)
{
	size_t count = environment("TAKEOVER_ROUNDS", rounds(150));

	ck_assert_uint_ge(equal_of(count, true, environment("TAKEOVER_SEED", 11)), count * 4 / 5);
}
END_TEST

START_TEST(strange_filters)
{
	(void)equal_of(environment("TAKEOVER_ROUNDS", rounds(150)), false, environment("TAKEOVER_SEED", 12));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_random");
	TCase *all = tcase_create("all");

	tcase_add_test(all, plain_filters);
	tcase_add_test(all, strange_filters);
	suite_add_tcase(suite, all);
	return suite_main(suite);
}
