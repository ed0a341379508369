/* Lines that are valid, each with its canonical form: every line of the grammar, and every sentence of the canonical
 * form. */
#include <check.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/rule.h"

#include "suite_main.h"

static const struct {
	const char *line, *canonical; /* NULL: the line itself */
} good[] = {
	/* actions, keywords in any case, blanks */
	{"allow all", NULL},
	{"deny tcp", NULL},
	{"reject tcp", NULL},
	{"ALLOW 22/TCP FROM ALL", "allow 22/tcp"},
	{"ALLOW 5606/TCP FROM 10.*.*.*", "allow 5606/tcp from 10.0.0.0/8"},
	{"  aLLow\t 22/tCp  \t LoG  ", "allow 22/tcp log"},
	{"allow 22/tcp\r", "allow 22/tcp"},

	/* ports */
	{"allow 0/tcp", NULL},
	{"allow 65535/udp", NULL},
	{"allow 0-65535/tcp", NULL},
	{"allow 80,443/tcp", NULL},
	{"allow 443 , 80/tcp", "allow 80,443/tcp"},
	{"allow 443 ,80/tcp", "allow 80,443/tcp"},
	{"allow 443, 80/tcp", "allow 80,443/tcp"},
	{"allow 443,80,443,80-80/tcp", "allow 80,443/tcp"},
	{"allow 80,81/tcp", "allow 80-81/tcp"},
	{"allow 80,82/tcp", NULL},
	{"allow 10-20,15-30,31,40-50,42/tcp", "allow 10-31,40-50/tcp"},
	{"allow 65534,65535/tcp", "allow 65534-65535/tcp"},
	{"allow 1/udplite", NULL},
	{"allow 1/sctp", NULL},
	{"allow 1/dccp", NULL},
	{"allow 80/6", "allow 80/tcp"},
	{"allow 80/17", "allow 80/udp"},
	{"allow 80/132", "allow 80/sctp"},
	{"allow 80/136", "allow 80/udplite"},
	{"allow 80/33", "allow 80/dccp"},

	/* protocols */
	{"allow TCP", "allow tcp"},
	{"allow udp", NULL},
	{"allow udplite", NULL},
	{"allow sctp", NULL},
	{"allow dccp", NULL},
	{"allow gre", NULL},
	{"allow esp", NULL},
	{"allow ah", NULL},
	{"allow ipip", NULL},
	{"allow vrrp", NULL},
	{"allow igmp", NULL},
	{"allow 6", "allow tcp"},
	{"allow 17", "allow udp"},
	{"allow 136", "allow udplite"},
	{"allow 132", "allow sctp"},
	{"allow 33", "allow dccp"},
	{"allow 47", "allow gre"},
	{"allow 50", "allow esp"},
	{"allow 51", "allow ah"},
	{"allow 4", "allow ipip"},
	{"allow 112", "allow vrrp"},
	{"allow 2", "allow igmp"},
	{"allow 1", "allow icmpv4"},
	{"allow 58", "allow icmpv6"},
	{"allow 3", NULL},
	{"allow 41", NULL},
	{"allow 43", NULL},
	{"allow 94", NULL},
	{"allow 255", NULL},

	/* services */
	{"allow mysql", NULL},
	{"allow MySQL", "allow mysql"},
	{"allow a.b_c-1", NULL},
	{"allow tpc", NULL}, /* may be a service; whether it exists is asked elsewhere */

	/* icmp */
	{"allow icmp", NULL},
	{"allow ICMPv4", "allow icmpv4"},
	{"allow icmpv6", NULL},
	{"allow icmp/echo-request", NULL},
	{"allow icmp/Echo-Reply", "allow icmp/echo-reply"},
	{"allow icmp/destination-unreachable", NULL},
	{"allow icmp/time-exceeded", NULL},
	{"allow icmp/parameter-problem", NULL},
	{"allow icmp/8", NULL},
	{"allow icmp/128", NULL},
	{"allow icmpv4/8", "allow icmpv4/echo-request"},
	{"allow icmpv4/0", "allow icmpv4/echo-reply"},
	{"allow icmpv4/3", "allow icmpv4/destination-unreachable"},
	{"allow icmpv4/11", "allow icmpv4/time-exceeded"},
	{"allow icmpv4/12", "allow icmpv4/parameter-problem"},
	{"allow icmpv4/128", NULL},
	{"allow icmpv6/128", "allow icmpv6/echo-request"},
	{"allow icmpv6/129", "allow icmpv6/echo-reply"},
	{"allow icmpv6/1", "allow icmpv6/destination-unreachable"},
	{"allow icmpv6/3", "allow icmpv6/time-exceeded"},
	{"allow icmpv6/4", "allow icmpv6/parameter-problem"},
	{"allow icmpv6/8", NULL},
	{"allow icmpv6/254", NULL},
	{"allow icmpv4/3/4", "allow icmpv4/destination-unreachable/4"},
	{"allow icmp/0/0", NULL},
	{"allow icmp/254/255", NULL},
	{"allow icmp/echo-request/0", NULL},

	/* peers */
	{"allow 22/tcp from any", "allow 22/tcp"},
	{"allow 22/tcp to any", NULL},
	{"allow 22/tcp to all", "allow 22/tcp to any"},
	{"allow 22/tcp from 10.0.0.1", NULL},
	{"allow 22/tcp from 10.0.0.1/32", "allow 22/tcp from 10.0.0.1"},
	{"allow 22/tcp from 2001:DB8::1/128", "allow 22/tcp from 2001:db8::1"},
	{"allow 22/tcp from 2001:0db8:0:0:0:0:0:1", "allow 22/tcp from 2001:db8::1"},
	{"allow 22/tcp from ::ffff:10.0.0.1", NULL},
	{"allow 22/tcp from 10.0.0.0/8", NULL},
	{"allow 22/tcp from 0.0.0.0/0", NULL},
	{"allow 22/tcp from ::/0", NULL},
	{"allow 22/tcp to ::/0", NULL},
	{"allow 22/tcp from 0.0.0.0", NULL},
	{"allow 22/tcp from 10.1.*.*", "allow 22/tcp from 10.1.0.0/16"},
	{"allow 22/tcp from 10.1.2.*", "allow 22/tcp from 10.1.2.0/24"},
	{"allow 22/tcp from *.*.*.*", "allow 22/tcp from 0.0.0.0/0"},
	{"allow 22/tcp from 255.*.*.*", "allow 22/tcp from 255.0.0.0/8"},
	{"allow 22/tcp from 10.0.0.1-10.0.0.9", NULL},
	{"allow 22/tcp from fe80::1-FE80::9", "allow 22/tcp from fe80::1-fe80::9"},
	{"allow 22/tcp from 10.0.0.0-10.255.255.255", "allow 22/tcp from 10.0.0.0/8"},
	{"allow 22/tcp from 10.0.0.7-10.0.0.7", "allow 22/tcp from 10.0.0.7"},
	{"allow 22/tcp from ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "allow 22/tcp from ::/0"},
	{"allow 22/tcp from SELF", "allow 22/tcp from self"},
	{"allow 22/tcp from Role:App", "allow 22/tcp from role:app"},
	{"allow 22/tcp from ROLE:app/Private", "allow 22/tcp from role:app/private"},
	{"allow 22/tcp from network:Office", "allow 22/tcp from network:office"},
	{"allow 22/tcp from machine:DB1.example.ORG", "allow 22/tcp from machine:db1.example.org"},
	{"allow 22/tcp from role:0, role:from, role:10.0.0.1", "allow 22/tcp from role:0, role:10.0.0.1, role:from"},

	/* lists of peers */
	{"allow 22/tcp from 10.0.0.2 , 10.0.0.1,10.0.0.3", "allow 22/tcp from 10.0.0.1, 10.0.0.2, 10.0.0.3"},
	{"allow 22/tcp from 10.0.0.1, any", "allow 22/tcp"},
	{"allow 22/tcp to all, role:app", "allow 22/tcp to any"},
	{"allow 22/tcp from ::/0, 0.0.0.0/0", "allow 22/tcp"},
	{"allow 22/tcp from 0.0.0.0-255.255.255.255, role:x, ::/0", "allow 22/tcp"},
	{"allow 22/tcp to *.*.*.*, ::/0", "allow 22/tcp to any"},
	{"allow 22/tcp from 0.0.0.0/1, 128.0.0.0/1, ::/0", NULL}, /* neighbours are not joined */
	{"allow 22/tcp from 0.0.0.0/0, role:app", NULL},
	{"allow 22/tcp from 10.1.1.1, 10.0.0.0/8", "allow 22/tcp from 10.0.0.0/8"},
	{"allow 22/tcp from 10.0.0.0/8, 10.1.1.1, 10.0.0.0/8, 11.0.0.0/8", "allow 22/tcp from 10.0.0.0/8, 11.0.0.0/8"},
	{"allow 22/tcp from 10.0.0.0/9, 10.128.0.0/9", NULL},
	{"allow 22/tcp from 10.0.0.5-10.0.0.9, 10.0.0.1-10.0.0.6",
         "allow 22/tcp from 10.0.0.1-10.0.0.6, 10.0.0.5-10.0.0.9"},
	{"allow 22/tcp from 10.0.0.1-10.0.0.9, 10.0.0.1-10.0.0.3", "allow 22/tcp from 10.0.0.1-10.0.0.9"},
	{"allow 22/tcp from 10.0.0.1-10.0.0.3, 10.0.0.1-10.0.0.9, 10.0.0.2-10.0.0.9",
         "allow 22/tcp from 10.0.0.1-10.0.0.9"},
	{"allow 22/tcp from fe80::/10, 10.0.0.1, ::1", "allow 22/tcp from 10.0.0.1, ::1, fe80::/10"},
	{"allow 22/tcp from 100.0.0.1, 20.0.0.1, 3.0.0.1",
         "allow 22/tcp from 3.0.0.1, 20.0.0.1, 100.0.0.1"}, /* as numbers */
	{"allow 22/tcp from role:b, role:a/y, role:a, role:a/x, network:z, machine:m, self, ::1, 1.1.1.1",
         "allow 22/tcp from 1.1.1.1, ::1, self, machine:m, network:z, role:a, role:a/x, role:a/y, role:b"},
	{"allow 22/tcp from self, Self, role:a, ROLE:A, role:a/b, role:a/B",
         "allow 22/tcp from self, role:a, role:a/b"},
	{"allow 22/tcp from role:a-b, role:a, role:a.b, role:a/0",
         "allow 22/tcp from role:a, role:a/0, role:a-b, role:a.b"},

	/* other clauses, in any order */
	{"allow 22/tcp on eth0", NULL},
	{"allow 22/tcp on Eth0.1@x:Y_-", NULL},
	{"allow 22/tcp on abcdefghijklmno", NULL},
	{"allow 22/tcp on wg+", NULL},
	{"allow 22/tcp on abcdefghijklmn+", NULL},
	{"allow 22/tcp on log log", NULL},
	{"allow 22/tcp on from from self", "allow 22/tcp from self on from"},
	{"allow 22/tcp limit 1/second", NULL},
	{"allow 22/tcp limit 1000/MINUTE", "allow 22/tcp limit 1000/minute"},
	{"allow 22/tcp limit 5/hour", NULL},
	{"allow 22/tcp limit 5/day", NULL},
	{"allow 22/tcp since 2026-03-01", "allow 22/tcp since 2026-03-01T00:00:00Z"},
	{"allow 22/tcp until 2026-03-01T12:00", "allow 22/tcp until 2026-03-01T12:00:00Z"},
	{"allow 22/tcp until 2026-03-01t12:00:07z", "allow 22/tcp until 2026-03-01T12:00:07Z"},
	{"allow 22/tcp until 2026-03-01T00:30+01:00", "allow 22/tcp until 2026-02-28T23:30:00Z"},
	{"allow 22/tcp until 2025-12-31T20:00:01-05:30", "allow 22/tcp until 2026-01-01T01:30:01Z"},
	{"allow 22/tcp since 2026-03-01T12:00:00Z until 2026-03-01T12:00:01Z", NULL},
	{"reject 22/tcp until 2027-01-01 since 2026-01-01 log on eth0 to self",
         "reject 22/tcp to self on eth0 log since 2026-01-01T00:00:00Z until 2027-01-01T00:00:00Z"},
	{"allow 22/tcp log limit 3/minute on eth0 from self", "allow 22/tcp from self on eth0 limit 3/minute log"},

	/* the default, with anything else in the line, is a rule */
	{"deny all to any", NULL},
	{"deny all log", NULL},
	{"deny all on eth0", NULL},
	{"deny all from ::/0", NULL},
	{"deny all since 2026-01-01", "deny all since 2026-01-01T00:00:00Z"},
	{"deny all until 2026-01-01", "deny all until 2026-01-01T00:00:00Z"},
	{"reject all", NULL},
	{"deny 1-65535/tcp", NULL},
};

static void check_canonical(size_t i)
{
	const char *expected = good[i].canonical != NULL ? good[i].canonical : good[i].line;
	struct rule rule, again;
	struct error *warnings = NULL;
	bool stored;
	struct str text;

	ck_assert_msg(rule_parse(arena, str_of(good[i].line), &rule, &stored, &warnings) == NULL, "\"%s\" is refused",
	              good[i].line);
	ck_assert_msg(stored, "\"%s\" is not stored", good[i].line);
	text = rule_text(arena, &rule);
	ck_assert_msg(str_is(text, expected), "\"%s\" gives \"%.*s\"", good[i].line, STR_ARG(text));
	ck_assert_ptr_null(rule_parse(arena, text, &again, &stored, &warnings));
	ck_assert(str_eq(rule_text(arena, &again), text));
}

START_TEST(says_the_canonical_form)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		check_canonical(i);
}
END_TEST

static const char *const unstored[] = {
	"DENY ALL",
	"deny all from any",
	"deny all from all",
	"deny all from 0.0.0.0/0, ::/0",
	"deny all from any, role:app",
	"deny all # the default",
	"",
	"   ",
	"\t",
	"# a comment",
	"  # deny",
	"#",
};

static void check_unstored(size_t i)
{
	struct rule rule;
	bool stored = true;

	ck_assert_ptr_null(rule_parse(arena, str_of(unstored[i]), &rule, &stored, NULL));
	ck_assert(!stored);
}

START_TEST(stores_no_default_and_no_empty_line)
{
	for (size_t i = 0; i < sizeof unstored / sizeof *unstored; i++)
		check_unstored(i);
}
END_TEST

static const struct {
	const char *line, *comment;
} comments[] = {
	{"allow 22/tcp # ssh", "ssh"},
	{"allow 22/tcp#ssh", "ssh"},
	{"allow 22/tcp #", ""},
	{"allow 22/tcp #  a # b \t ", "a # b"},
	{"allow 22/tcp # a\tb", "a b"},
	{"allow 22/tcp # für Zoë, 5 €", "für Zoë, 5 €"},
	{"allow 22/tcp from 10.0.0.1, #comment\r", NULL},
	{"allow 22/tcp", ""},
	{"# alone", "alone"},
};

static void check_comment(size_t i)
{
	struct error *error;
	struct rule rule;
	bool stored;

	error = rule_parse(arena, str_of(comments[i].line), &rule, &stored, NULL);
	if (comments[i].comment == NULL) {
		ck_assert_ptr_nonnull(error);
		return;
	}
	ck_assert_ptr_null(error);
	ck_assert_msg(str_is(rule.comment, comments[i].comment), "the comment is \"%.*s\"", STR_ARG(rule.comment));
	ck_assert_uint_eq(str_find(rule_text(arena, &rule), '#'), rule_text(arena, &rule).n);
}

START_TEST(keeps_comments)
{
	for (size_t i = 0; i < sizeof comments / sizeof *comments; i++)
		check_comment(i);
}
END_TEST

/* The strings of a rule outlive the line. */
START_TEST(keeps_nothing_of_the_line)
{
	char line[] = "ALLOW search FROM role:App/Priv, machine:DB1, network:Net ON Eth0 # why";
	struct rule rule;
	bool stored;

	ck_assert_ptr_null(rule_parse(arena, str_of(line), &rule, &stored, NULL));
	for (size_t i = 0; i < sizeof line; i++)
		line[i] = 'x';
	ck_assert(str_is(rule_text(arena, &rule), "allow search from machine:db1, network:net, role:app/priv on Eth0"));
	ck_assert(str_is(rule.comment, "why"));
}
END_TEST

static const struct {
	const char *line;
	unsigned column;
	const char *hint; /* NULL: no warning */
} warned[] = {
	{"allow 22", 7, "write 22/tcp for the port"},
	{"allow 25 from self", 7, "write 25/tcp for the port"},
	{"deny  53", 7, "write 53/udp for the port"},
	{"allow 80", 7, "write 80/tcp for the port"},
	{"allow 110", 7, "write 110/tcp for the port"},
	{"allow 123", 7, "write 123/udp for the port"},
	{"allow 143", 7, "write 143/tcp for the port"},
	{"allow 161", 7, "write 161/udp for the port"},
	{"allow 179", 7, "write 179/tcp for the port"},
	{"allow 194", 7, "write 194/tcp for the port"},
	{"allow 41", 0, NULL},
	{"allow 47", 0, NULL},
	{"allow 6", 0, NULL},
	{"allow 89", 0, NULL},
	{"allow 103", 0, NULL},
	{"allow 255", 0, NULL},
	{"allow 22/tcp", 0, NULL},
};

static void check_warning(size_t i)
{
	struct error *warnings = NULL;
	struct rule rule;
	bool stored;

	ck_assert_ptr_null(rule_parse(arena, str_of(warned[i].line), &rule, &stored, &warnings));
	ck_assert(stored);
	ck_assert_uint_eq(error_count(warnings), warned[i].hint != NULL);
	if (warnings == NULL)
		return;
	ck_assert_uint_eq(warnings->place.column, warned[i].column);
	ck_assert(str_is(warnings->place.text, warned[i].line));
	ck_assert_msg(str_is(warnings->hint, warned[i].hint), "the hint is \"%.*s\"", STR_ARG(warnings->hint));
	ck_assert_int_eq(rule.what.kind, WHAT_PROTOCOL);
}

START_TEST(warns_of_numbers_that_are_ports)
{
	for (size_t i = 0; i < sizeof warned / sizeof *warned; i++)
		check_warning(i);
}
END_TEST

/* All the numbers that a warning is given for, each with the protocol that it suggests. */
START_TEST(knows_the_ports_that_are_protocols)
{
	static const char expected[] =
		"1/tcp 7/tcp 9/tcp 11/tcp 13/tcp 15/tcp 17/tcp 19/tcp 20/tcp 21/tcp 22/tcp 23/tcp 25/tcp 37/tcp "
		"43/tcp 49/tcp 53/udp 67/udp 68/udp 69/udp 70/tcp 79/tcp 80/tcp 88/tcp 102/tcp 104/tcp 106/tcp "
		"109/tcp 110/tcp 111/tcp 113/tcp 119/tcp 123/udp 135/tcp 137/udp 138/udp 139/tcp 143/tcp 161/udp "
		"162/udp 163/tcp 164/tcp 174/tcp 177/udp 179/tcp 194/tcp 199/tcp 209/tcp 210/tcp 213/udp ";
	struct buf buf = buf_new(arena);

	for (unsigned i = 1; i <= 255; i++) {
		struct error *warnings = NULL;
		struct rule rule;
		bool stored;

		ck_assert_ptr_null(rule_parse(arena, str_format(arena, "allow %u", i), &rule, &stored, &warnings));
		if (warnings != NULL) /* "write 22/tcp for the port" */
			buf_add(&buf, str_slice(warnings->hint, 6, str_find(warnings->hint, '/') + 5));
	}
	ck_assert_msg(str_is(buf_str(&buf), expected), "%.*s", STR_ARG(buf_str(&buf)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule_good");
	TCase *tcase = tcase_create("rule_good");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_test(tcase, says_the_canonical_form);
	tcase_add_test(tcase, stores_no_default_and_no_empty_line);
	tcase_add_test(tcase, keeps_comments);
	tcase_add_test(tcase, keeps_nothing_of_the_line);
	tcase_add_test(tcase, warns_of_numbers_that_are_ports);
	tcase_add_test(tcase, knows_the_ports_that_are_protocols);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
