/* explain(): each sentence of the contract about the stages of a packet and about the two ends of a question, on a
 * small fleet. An answer is spelled "allow stage", and the texts of the rules behind a colon where some matched. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/explain.h"

#include "suite_main.h"

#define DOCUMENT "tests/unit/analysis/explain.conf"

static struct fleet fleet;
static struct settings settings;
static struct explainer *explainer;

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(str_of(text), &prefix), PREFIX_OK);
	return prefix;
}

static void set_up(void)
{
	static struct prefix management[2];
	struct error *warnings = NULL, *error;
	struct str text = {0};

	error = file_read(arena, STR(DOCUMENT), &text);
	if (error == NULL)
		error = document_read(arena, STR(DOCUMENT), text, &fleet, &warnings);
	none(error);
	fleet.clock = 1767225600; /* 2026-01-01T00:00:00Z */
	management[0] = prefix_of("192.0.2.128/25");
	management[1] = prefix_of("2001:db8:f::/64");
	settings = settings_default();
	settings.management = management;
	settings.management_count = 2;
	explainer = explainer_new(arena, resolve(arena, &fleet), &settings);
}

static void parse(const char *source, const char *destination, const char *what, struct end *from, struct end *to,
                  struct packet_what *packet)
{
	ck_assert_ptr_null(end_parse(explainer, str_of(source), from));
	ck_assert_ptr_null(end_parse(explainer, str_of(destination), to));
	ck_assert_msg(packet_parse(explainer, str_of(what), packet) == NULL, "%s", what);
}

static struct verdict verdict_of(const char *source, const char *destination, const char *what)
{
	struct end from, to;
	struct packet_what packet;
	struct verdict verdict;

	parse(source, destination, what, &from, &to, &packet);
	ck_assert_ptr_null(explain(arena, explainer, &from, &to, &packet, &verdict));
	return verdict;
}

static const char *answer(const char *source, const char *destination, const char *what)
{
	struct verdict verdict = verdict_of(source, destination, what);
	struct buf buf = buf_new(arena);

	buf_add(&buf, verdict.allow ? STR("allow ") : STR("deny "));
	buf_add(&buf, stage_str(verdict.stage));
	for (size_t i = 0; i < verdict.rule_count; i++) {
		buf_add(&buf, i == 0 ? STR(": ") : STR("; "));
		buf_add(&buf, verdict.rules[i]->held->text);
	}
	return str_c(arena, buf_str(&buf));
}

struct question {
	const char *source, *destination, *what, *answer;
};

/* --- towards a machine --- */

static const struct question inbound[] = {
	/* the default */
	{"192.0.2.1", "web1", "81/tcp", "deny default"},
	{"2001:db8::9", "web1", "81/tcp", "deny default"},
	{"192.0.2.1", "web1", "80/udp", "deny default"},
	{"192.0.2.1", "web1", "esp", "deny default"},
	/* housekeeping: what path MTU discovery needs, and nothing like it */
	{"192.0.2.1", "strict1", "icmp/3/4", "allow housekeeping"},
	{"192.0.2.1", "web1", "icmpv4/destination-unreachable/4", "allow housekeeping"},
	{"192.0.2.1", "web1", "icmp/3/3", "deny default"},
	{"192.0.2.1", "web1", "icmp/3", "deny default"},
	{"192.0.2.1", "strict1", "icmp/3", "deny deny: deny icmp"},
	{"2001:db8::9", "web1", "icmp/1", "allow housekeeping"},
	{"2001:db8::9", "web1", "icmp/2", "allow housekeeping"},
	{"2001:db8::9", "web1", "icmpv6/time-exceeded", "allow housekeeping"},
	{"2001:db8::9", "web1", "icmp/parameter-problem/2", "allow housekeeping"},
	{"2001:db8::9", "web1", "icmp/0", "deny default"},
	{"2001:db8::9", "web1", "icmp/5", "deny default"},
	{"192.0.2.1", "web1", "icmp/4", "deny default"},
	/* the number of one family's ICMP inside the other is neither's */
	{"192.0.2.1", "web1", "icmpv6/2", "deny default"},
	{"2001:db8::9", "web1", "icmpv4/3/4", "deny default"},
	/* neighbour and router discovery and MLD */
	{"2001:db8::9", "strict1", "icmpv6/129", "deny deny: deny icmp"},
	{"2001:db8::9", "strict1", "icmpv6/130", "allow housekeeping"},
	{"2001:db8::9", "strict1", "icmpv6/135", "allow housekeeping"},
	{"2001:db8::9", "strict1", "icmpv6/137", "allow housekeeping"},
	{"2001:db8::9", "strict1", "icmpv6/138", "deny deny: deny icmp"},
	{"2001:db8::9", "strict1", "icmpv6/142", "deny deny: deny icmp"},
	{"2001:db8::9", "strict1", "icmpv6/143", "allow housekeeping"},
	{"2001:db8::9", "strict1", "icmpv6/144", "deny deny: deny icmp"},
	{"192.0.2.1", "web1", "icmp/135", "deny default"},
	/* IGMP is housekeeping outbound only; DHCP replies come from a port that no new connection has */
	{"192.0.2.1", "web1", "igmp", "deny default"},
	{"192.0.2.1", "web1", "68/udp", "deny default"},
	{"fe80::1", "web1", "546/udp", "deny default"},
	/* every address is an ordinary one */
	{"127.0.0.1", "web1", "81/tcp", "deny default"},
	{"::1", "web1", "81/tcp", "deny default"},
	{"0.0.0.0", "web1", "80/tcp", "allow allow: allow 80,443/tcp"},
	{"10.0.0.1", "web1", "81/tcp", "deny default"},
	/* management: TCP to the machine's SSH port from the management sources, which no rule takes away */
	{"192.0.2.127", "strict1", "22/tcp", "deny deny: deny 22/tcp"},
	{"192.0.2.128", "strict1", "22/tcp", "allow management"},
	{"192.0.2.255", "strict1", "22/tcp", "allow management"},
	{"192.0.3.0", "strict1", "22/tcp", "deny deny: deny 22/tcp"},
	{"2001:db8:f::1", "strict1", "22/tcp", "allow management"},
	{"2001:db8:f:1::", "strict1", "22/tcp", "deny deny: deny 22/tcp"},
	{"192.0.2.128", "strict1", "22/udp", "deny default"},
	{"192.0.2.128", "web2", "22/tcp", "deny default"},
	{"192.0.2.128", "web2", "2222/tcp", "allow management"},
	/* deny, then reject, then allow, whatever role each is in */
	{"192.0.2.1", "strict1", "443/tcp", "deny deny: deny 443/tcp from 192.0.2.0/24"},
	{"192.0.3.1", "strict1", "443/tcp", "deny reject: reject 443/tcp"},
	{"192.0.3.1", "strict1", "80/tcp", "allow allow: allow 80,443/tcp"},
	{"192.0.3.1", "shared", "443/tcp", "deny reject: reject 443/tcp"},
	{"192.0.3.1", "shared", "80/tcp", "allow allow: allow 80,443/tcp"},
	{"192.0.3.1", "shared", "81/tcp", "deny default"},
	/* ports and services */
	{"10.255.255.255", "web1", "7999/tcp", "deny default"},
	{"10.255.255.255", "web1", "8000/tcp", "allow allow: allow 8000-8010/tcp from 10.0.0.0/8"},
	{"10.0.0.0", "web1", "8010/tcp", "allow allow: allow 8000-8010/tcp from 10.0.0.0/8"},
	{"10.0.0.0", "web1", "8011/tcp", "deny default"},
	{"11.0.0.0", "web1", "8010/tcp", "deny default"},
	{"9.255.255.255", "web1", "8010/tcp", "deny default"},
	{"203.0.113.0", "web1", "701/tcp", "allow allow: allow two from network:office"},
	{"203.0.113.255", "web1", "702/udp", "allow allow: allow two from network:office"},
	{"203.0.113.255", "web1", "702/tcp", "deny default"},
	{"203.0.114.0", "web1", "701/tcp", "deny default"},
	{"2001:db8:1:ffff::", "web1", "703/tcp", "allow allow: allow two from network:office"},
	{"2001:db8:2::", "web1", "703/tcp", "deny default"},
	/* icmp: a name's number differs by family, a number does not; a code is asked for only where one is named */
	{"192.0.2.1", "web1", "icmp", "allow allow: allow icmp/echo-request"},
	{"192.0.2.1", "web1", "icmp/8", "allow allow: allow icmp/echo-request"},
	{"192.0.2.1", "web1", "icmp/8/7", "allow allow: allow icmp/echo-request"},
	{"2001:db8::9", "web1", "icmp", "allow allow: allow icmp/echo-request"},
	{"2001:db8::9", "web1", "icmp/128", "allow allow: allow icmp/echo-request"},
	{"2001:db8::9", "web1", "icmp/8", "deny default"},
	{"192.0.2.1", "web1", "icmp/128", "deny default"},
	{"192.0.2.1", "web1", "icmpv4", "allow allow: allow icmp/echo-request"},
	{"2001:db8::9", "web1", "icmpv6", "allow allow: allow icmp/echo-request"},
	{"2001:db8::9", "web1", "icmpv4", "deny default"},
	{"192.0.2.1", "web1", "icmpv6", "deny default"},
	{"192.0.2.1", "web1", "icmp/9/1", "allow allow: allow icmp/9/1 from 192.0.2.1, 2001:db8::1"},
	{"2001:db8::1", "web1", "icmp/9/1", "allow allow: allow icmp/9/1 from 192.0.2.1, 2001:db8::1"},
	{"192.0.2.1", "web1", "icmp/9", "deny default"},
	{"192.0.2.1", "web1", "icmp/13", "allow allow: allow icmpv4/13"},
	{"2001:db8::1", "web1", "icmp/13", "deny default"},
	{"2001:db8::1", "web1", "icmp/139", "allow allow: allow icmpv6/139"},
	/* other protocols; 43 speaks for IPv4 alone */
	{"192.0.2.1", "web1", "gre", "allow allow: allow gre"},
	{"2001:db8::1", "web1", "47", "allow allow: allow gre"},
	{"192.0.2.1", "web1", "43", "allow allow: allow 43"},
	{"2001:db8::1", "web1", "43", "deny default"},
	/* on: counts only if the question names an interface that it covers */
	{"192.0.2.1", "web1", "5001/tcp", "deny default"},
	{"192.0.2.1", "web1", "5001/tcp on eth0", "allow allow: allow 5001/tcp on eth0"},
	{"192.0.2.1", "web1", "5001/tcp  ON\teth0", "allow allow: allow 5001/tcp on eth0"},
	{"192.0.2.1", "web1", "5001/tcp on eth01", "deny default"},
	{"192.0.2.1", "web1", "5001/tcp on ETH0", "deny default"},
	{"192.0.2.1", "web1", "5002/tcp on wg", "allow allow: allow 5002/tcp on wg+"},
	{"192.0.2.1", "web1", "5002/tcp on wg17", "allow allow: allow 5002/tcp on wg+"},
	{"192.0.2.1", "web1", "5002/tcp on w", "deny default"},
	{"192.0.2.1", "web1", "80/tcp on eth7", "allow allow: allow 80,443/tcp"},
	/* loopback is an interface, not an address */
	{"192.0.2.1", "strict1", "22/tcp on lo", "allow housekeeping"},
	{"127.0.0.1", "strict1", "22/tcp on lo0", "deny deny: deny 22/tcp"},
	/* limit counts as below its rate */
	{"192.0.2.1", "web1", "5003/tcp", "allow allow: allow 5003/tcp limit 1/day"},
	/* peers: self, a label, one machine; disabled ones count for deny alone; nobody is nobody */
	{"10.0.0.2", "web1", "5004/tcp", "allow allow: allow 5004/tcp from self"},
	{"fd00::6", "web1", "5004/tcp", "allow allow: allow 5004/tcp from self"},
	{"10.0.0.4", "web1", "5004/tcp", "deny default"},
	{"10.1.0.1", "web1", "5005/tcp", "allow allow: allow 5005/tcp from role:client/private"},
	{"198.51.100.1", "web1", "5005/tcp", "deny default"},
	{"198.51.100.1", "web1", "5016/tcp", "allow allow: allow 5016/tcp from role:client"},
	{"10.1.0.2", "web1", "5016/tcp", "deny default"},
	{"10.1.0.2", "web1", "5006/tcp", "deny default"},
	{"10.1.0.2", "web1", "5007/tcp", "deny deny: deny 5007/tcp from machine:sleeper"},
	{"10.1.0.1", "web1", "5007/tcp", "allow allow: allow 5007/tcp"},
	{"192.0.2.1", "web1", "5008/tcp", "deny default"},
	{"192.0.2.1", "web1", "5009/tcp", "deny default"},
	/* ranges, one family's /0 */
	{"192.0.2.2", "web1", "5010/tcp", "deny default"},
	{"192.0.2.3", "web1", "5010/tcp", "allow allow: allow 5010/tcp from 192.0.2.3-192.0.2.9"},
	{"192.0.2.9", "web1", "5010/tcp", "allow allow: allow 5010/tcp from 192.0.2.3-192.0.2.9"},
	{"192.0.2.10", "web1", "5010/tcp", "deny default"},
	{"255.255.255.255", "web1", "5011/tcp", "allow allow: allow 5011/tcp from 0.0.0.0/0"},
	{"::ffff:1.2.3.4", "web1", "5011/tcp", "deny default"},
	/* from since until just before until */
	{"192.0.2.1", "web1", "5012/tcp", "deny default"},
	{"192.0.2.1", "web1", "5013/tcp", "allow allow: allow 5013/tcp since 2026-01-01T00:00:00Z"},
	{"192.0.2.1", "web1", "5014/tcp", "allow allow: allow 5014/tcp until 2026-01-01T00:00:01Z"},
	{"192.0.2.1", "web1", "5015/tcp", "deny default"},
	/* a machine without an address in the family, or without any, answers all the same */
	{"192.0.2.1", "six", "80/tcp", "allow allow: allow 80,443/tcp"},
	{"2001:db8::1", "web2", "81/tcp", "deny default"},
	{"2001:db8::1", "bare", "443/tcp", "allow allow: allow 80,443/tcp"},
	/* disabled and unmanaged machines have no ruleset, so no say */
	{"192.0.2.1", "sleeper", "81/tcp", "allow no-ruleset"},
	{"192.0.2.1", "foreign", "443/tcp", "allow no-ruleset"},
	/* monitor refuses nothing; elsewhere the stage is the ordinary one */
	{"192.0.2.1", "watched", "443/tcp", "allow monitor: deny 443/tcp from 192.0.2.0/24"},
	{"192.0.3.1", "watched", "443/tcp", "allow monitor: reject 443/tcp"},
	{"192.0.2.1", "watched", "81/tcp", "allow monitor"},
	{"192.0.2.1", "watched", "80/tcp", "allow allow: allow 80,443/tcp"},
	{"192.0.2.1", "watched", "icmp/3/4", "allow housekeeping"},
	{"192.0.2.128", "watched", "22/tcp", "allow management"},
};

START_TEST(test_inbound)
{
	const struct question *question = &inbound[_i];

	ck_assert_str_eq(answer(question->source, question->destination, question->what), question->answer);
}
END_TEST

/* --- from a machine --- */

static const struct question outbound[] = {
	/* open egress: without a rule it is the default */
	{"web1", "192.0.2.1", "81/tcp", "allow default"},
	{"web1", "2001:db8::1", "esp", "allow default"},
	{"web1", "192.0.2.1", "icmp/3/4", "allow default"},
	{"strict1", "192.0.2.1", "53/udp", "deny deny: deny udp to any"},
	{"strict1", "192.0.2.1", "25/tcp", "deny reject: reject 25/tcp to any"},
	{"strict1", "192.0.2.1", "80/tcp", "allow default"},
	/* inbound rules say nothing of it, and the other way round */
	{"strict1", "192.0.2.1", "443/tcp", "allow default"},
	{"192.0.2.1", "strict1", "25/tcp", "deny default"},
	/* closed egress */
	{"tight1", "192.0.2.1", "81/tcp", "deny default"},
	{"tight1", "203.0.113.9", "53/udp", "allow allow: allow 53/udp to network:office"},
	{"tight1", "2001:db8:1::9", "53/udp", "allow allow: allow 53/udp to network:office"},
	{"tight1", "203.0.113.9", "53/tcp", "deny default"},
	{"tight1", "10.0.0.1", "53/tcp", "deny default"},
	{"tight1", "10.0.0.1", "53/tcp on eth1", "allow allow: allow all to role:web on eth1"},
	/* DNS is not housekeeping, ICMP errors neither; discovery and IGMP are, before deny */
	{"tight1", "192.0.2.1", "53/udp", "deny default"},
	{"tight1", "192.0.2.1", "icmp/3/4", "deny default"},
	{"tight1", "2001:db8::1", "icmp/2", "deny default"},
	{"tight1", "2001:db8::1", "icmp/135", "allow housekeeping"},
	{"tight1", "2001:db8::1", "icmp/130", "allow housekeeping"},
	{"tight1", "2001:db8::1", "icmp/137", "allow housekeeping"},
	{"tight1", "2001:db8::1", "icmp/143", "allow housekeeping"},
	{"tight1", "2001:db8::1", "icmp/129", "deny default"},
	{"tight1", "2001:db8::1", "icmp/138", "deny default"},
	{"tight1", "224.0.0.22", "igmp", "allow housekeeping"},
	{"tight1", "ff02::16", "igmp", "deny default"},
	{"strict1", "224.0.0.22", "igmp", "allow housekeeping"},
	{"strict1", "ff02::16", "igmp", "deny deny: deny igmp to any"},
	{"strict1", "2001:db8::1", "icmp/135", "allow housekeeping"},
	{"strict1", "2001:db8::1", "icmp/128", "deny deny: deny icmpv6 to any"},
	{"strict1", "192.0.2.1", "icmp", "allow default"},
	/* DHCP requests come from a port that no new connection has; nor has one SSH's */
	{"tight1", "255.255.255.255", "67/udp", "deny default"},
	{"tight1", "192.0.2.128", "22/tcp", "deny default"},
	{"tight1", "192.0.2.1", "81/tcp on lo", "allow housekeeping"},
	/* no address of the family, none at all */
	{"web2", "2001:db8::1", "81/tcp", "allow default"},
	{"bare", "192.0.2.1", "81/tcp", "deny default"},
	{"bare", "2001:db8:1::1", "53/udp", "allow allow: allow 53/udp to network:office"},
	/* monitor, coexist, no ruleset */
	{"watched", "192.0.2.1", "81/tcp", "allow monitor"},
	{"watched", "192.0.2.1", "53/udp", "allow monitor: deny udp to any"},
	{"watched", "192.0.2.1", "25/tcp", "allow monitor: reject 25/tcp to any"},
	{"shared", "192.0.2.1", "81/tcp", "deny default"},
	{"shared", "192.0.2.1", "53/udp", "deny deny: deny udp to any"},
	{"sleeper", "192.0.2.1", "81/tcp", "allow no-ruleset"},
	{"foreign", "192.0.2.1", "53/udp", "allow no-ruleset"},
};

START_TEST(test_outbound)
{
	const struct question *question = &outbound[_i];

	ck_assert_str_eq(answer(question->source, question->destination, question->what), question->answer);
}
END_TEST

/* --- two machines --- */

static const struct question machines[] = {
	/* the stage is the source's if it denies, else the destination's */
	{"tight1", "web2", "80/tcp", "deny default"},
	{"strict1", "web2", "53/udp", "deny deny: deny udp to any"},
	{"web1", "strict1", "80/tcp", "allow allow: allow 80,443/tcp"},
	{"web1", "strict1", "443/tcp", "deny reject: reject 443/tcp"},
	{"web1", "strict1", "81/tcp", "deny default"},
	{"sleeper", "web1", "80/tcp", "allow allow: allow 80,443/tcp"},
	{"watched", "strict1", "81/tcp", "deny default"},
	{"watched", "sleeper", "81/tcp", "allow no-ruleset"},
	{"web1", "foreign", "81/tcp", "allow no-ruleset"},
	{"strict1", "foreign", "53/udp", "deny deny: deny udp to any"},
	{"web1", "watched", "81/tcp", "allow monitor"},
	{"tight1", "web1", "53/tcp on eth1", "deny default"},
	/* no family in common */
	{"six", "web2", "80/tcp", "deny no-address"},
	{"web2", "six", "80/tcp", "deny no-address"},
	{"bare", "web1", "80/tcp", "deny no-address"},
	{"web1", "bare", "80/tcp", "deny no-address"},
	{"six", "foreign", "80/tcp", "deny no-address"},
	{"six", "web1", "80/tcp", "allow allow: allow 80,443/tcp"},
	/* every pair of addresses: allow only if all are */
	{"client1", "web2", "5016/tcp", "allow allow: allow 5016/tcp from role:client"},
	{"client1", "web2", "5005/tcp", "deny default"},
	/* a machine and itself are two ends like others */
	{"web2", "web2", "5004/tcp", "allow allow: allow 5004/tcp from self"},
	{"web2", "web2", "81/tcp", "deny default"},
};

START_TEST(test_machines)
{
	const struct question *question = &machines[_i];

	ck_assert_str_eq(answer(question->source, question->destination, question->what), question->answer);
}
END_TEST

static void assert_pair(const struct verdict *verdict, const char *source, const char *destination)
{
	ck_assert(verdict->has_source && verdict->has_destination);
	ck_assert_str_eq(str_c(arena, addr_str(arena, verdict->source)), source);
	ck_assert_str_eq(str_c(arena, addr_str(arena, verdict->destination)), destination);
}

/* Of several pairs: the first denied's, else the first's, in address order. */
START_TEST(test_deciding_pair)
{
	struct verdict verdict = verdict_of("client1", "web1", "5005/tcp");

	assert_pair(&verdict, "198.51.100.1", "10.0.0.1");
	verdict = verdict_of("client1", "web1", "80/tcp");
	assert_pair(&verdict, "10.1.0.1", "10.0.0.1");
	verdict = verdict_of("web1", "strict1", "80/tcp");
	assert_pair(&verdict, "10.0.0.1", "10.0.0.3");
	verdict = verdict_of("web1", "strict1", "icmp/9");
	assert_pair(&verdict, "10.0.0.1", "10.0.0.3");
	verdict = verdict_of("web1", "web1", "icmpv4/13");
	assert_pair(&verdict, "fd00::1", "fd00::1");
	ck_assert(!verdict.allow && verdict.stage == STAGE_DEFAULT);
}
END_TEST

/* "1 of 2: 10.1.0.1 -> 10.0.0.1" */
static const struct question pairs[] = {
	{"client1", "web1", "5005/tcp", "1 of 2: 10.1.0.1 -> 10.0.0.1"},
	{"client1", "web1", "80/tcp", "2 of 2: 10.1.0.1 -> 10.0.0.1"},
	{"client1", "web1", "5009/tcp", "0 of 2"},
	{"web1", "web1", "icmpv4/13", "1 of 2: 10.0.0.1 -> 10.0.0.1"},
	{"six", "web2", "80/tcp", "0 of 0"},
	{"10.1.0.1", "web1", "5005/tcp", "0 of 0"},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

START_TEST(test_pairs)
{
	const struct question *question = &pairs[_i];
	struct buf buf = buf_new(arena);
	struct packet_what packet;
	struct end from, to;
	struct pairs found;

	parse(question->source, question->destination, question->what, &from, &to, &packet);
	found = explain_pairs(arena, explainer, &from, &to, &packet);
	buf_format(&buf, "%zu of %zu", found.passing, found.count);
	if (found.passing > 0)
		buf_format(&buf, ": %.*s -> %.*s", STR_ARG(addr_str(arena, found.source)),
		           STR_ARG(addr_str(arena, found.destination)));
	ck_assert_str_eq(str_c(arena, buf_str(&buf)), question->answer);
}
END_TEST

START_TEST(test_ends_of_answer)
{
	struct verdict verdict = verdict_of("web2", "2001:db8::1", "80/tcp");

	ck_assert(!verdict.has_source && verdict.has_destination);
	verdict = verdict_of("192.0.2.1", "web1", "80/tcp");
	assert_pair(&verdict, "192.0.2.1", "10.0.0.1");
	verdict = verdict_of("six", "web2", "80/tcp");
	ck_assert(!verdict.has_source && !verdict.has_destination);
}
END_TEST

/* All rules of the deciding stage, from whatever role, sorted by id, once each. */
START_TEST(test_rules)
{
	struct verdict verdict = verdict_of("192.0.2.1", "web2", "80/tcp");

	ck_assert_uint_eq(verdict.rule_count, 2);
	ck_assert_str_ne(verdict.rules[0]->role->name.p, verdict.rules[1]->role->name.p);
	ck_assert_int_lt(strcmp(verdict.rules[0]->id, verdict.rules[1]->id), 0);
	verdict = verdict_of("192.0.2.1", "web2", "443/tcp");
	ck_assert_uint_eq(verdict.rule_count, 1);
}
END_TEST

/* Each item of housekeeping is a setting. */
START_TEST(test_settings)
{
	settings.icmp_errors = false;
	ck_assert_str_eq(answer("192.0.2.1", "web1", "icmp/3/4"), "deny default");
	ck_assert_str_eq(answer("2001:db8::9", "web1", "icmp/2"), "deny default");
	ck_assert_str_eq(answer("2001:db8::9", "web1", "icmp/135"), "allow housekeeping");
	ck_assert_str_eq(answer("192.0.2.1", "strict1", "22/tcp on lo"), "allow housekeeping");
	settings.loopback = false;
	ck_assert_str_eq(answer("192.0.2.1", "strict1", "22/tcp on lo"), "deny deny: deny 22/tcp");
	settings.neighbour_discovery = false;
	ck_assert_str_eq(answer("2001:db8::9", "web1", "icmp/135"), "deny default");
	ck_assert_str_eq(answer("tight1", "2001:db8::9", "icmp/135"), "deny default");
	settings.ssh_port = 2200;
	ck_assert_str_eq(answer("192.0.2.128", "web1", "22/tcp"), "deny default");
	ck_assert_str_eq(answer("192.0.2.128", "web1", "2200/tcp"), "allow management");
	ck_assert_str_eq(answer("192.0.2.128", "web2", "2222/tcp"), "allow management");
	settings.management_count = 0;
	ck_assert_str_eq(answer("192.0.2.128", "web1", "2200/tcp"), "deny default");
}
END_TEST

/* Asked again, with peers' sets that are there already, the answer is the same. */
START_TEST(test_again)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(answer("10.1.0.2", "web1", "5007/tcp"),
		                 "deny deny: deny 5007/tcp from machine:sleeper");
		ck_assert_str_eq(answer("10.1.0.2", "web1", "5006/tcp"), "deny default");
		ck_assert_str_eq(answer("fd00::6", "web1", "5004/tcp"), "allow allow: allow 5004/tcp from self");
		ck_assert_str_eq(answer("10.0.0.1", "web2", "5004/tcp"), "allow allow: allow 5004/tcp from self");
	}
}
END_TEST

START_TEST(test_stage_names)
{
	static const char *const names[] = {
		"housekeeping", "management", "deny",       "reject",  "allow",
		"default",      "no-address", "no-ruleset", "monitor",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert(str_is(stage_str((enum stage)i), names[i]));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tests = tcase_create("explain");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, test_inbound, 0, COUNT(inbound));
	tcase_add_loop_test(tests, test_outbound, 0, COUNT(outbound));
	tcase_add_loop_test(tests, test_machines, 0, COUNT(machines));
	tcase_add_test(tests, test_deciding_pair);
	tcase_add_loop_test(tests, test_pairs, 0, PAIRS);
	tcase_add_test(tests, test_ends_of_answer);
	tcase_add_test(tests, test_rules);
	tcase_add_test(tests, test_settings);
	tcase_add_test(tests, test_again);
	tcase_add_test(tests, test_stage_names);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
