/* What the inventory says should become of packets: each sentence of the contract about a machine's packets, one by
 * one, on a small fleet. An answer is spelled "accepted stage", and the rules behind a colon where some decided. */
#include <check.h>

#include "intent_fixture.h"
#include "suite_main.h"

static const char *reason_text(const struct intent_reason *reason)
{
	struct buf buf = buf_new(fixture_arena);

	buf_add(&buf, reason->stage);
	for (size_t i = 0; i < reason->count; i++) {
		buf_add(&buf, i == 0 ? STR(": ") : STR("; "));
		buf_add(&buf, reason->rules[i]->text);
	}
	return str_c(fixture_arena, buf_str(&buf));
}

static const char *answer(size_t machine, bool out, const struct sample *packet)
{
	struct intents intents = intent_of(fixture_arena, intent, machine, packet->family, NULL, NULL);
	struct intent_reason reason = intent_why(fixture_arena, intent, machine, out, packet);

	return str_c(fixture_arena,
	             str_format(fixture_arena, "%s %s", outcome_of(out ? &intents.out : &intents.in, packet),
	                        reason_text(&reason)));
}

struct question {
	const char *machine, *packet, *answer;
};

static void answers(const struct question *questions, size_t count, bool out)
{
	for (size_t i = 0; i < count; i++) {
		struct sample packet = packet_text(fixture_arena, questions[i].packet, out);
		const char *said = answer(place_of(questions[i].machine), out, &packet);

		ck_assert_msg(str_is(str_of(said), questions[i].answer), "%s, %s %s: %s, not %s", questions[i].machine,
		              out ? "to" : "from", questions[i].packet, said, questions[i].answer);
	}
}
#define ANSWERS(questions, out) answers(questions, sizeof(questions) / sizeof *(questions), out)

/* --- housekeeping and management --- */

static const struct question housekeeping[] = {
	{"strict1", "127.0.0.1 22/tcp on lo", "accepted housekeeping"},
	{"strict1", "127.0.0.1 22/tcp on lo0", "dropped deny: deny 22/tcp"},
	{"strict1", "127.0.0.1 22/tcp invalid on lo", "accepted housekeeping"},
	{"strict1", "192.0.2.1 icmp/3/4", "accepted housekeeping"},
	{"strict1", "192.0.2.1 icmp/3/4 invalid", "accepted housekeeping"},
	{"strict1", "192.0.2.1 icmp/3/3", "dropped deny: deny icmp"},
	{"strict1", "192.0.2.1 icmp/3/3 invalid", "dropped housekeeping"},
	{"strict1", "2001:db8::9 icmp/0/0", "dropped deny: deny icmp"},
	{"strict1", "2001:db8::9 icmp/1/0 invalid", "accepted housekeeping"},
	{"strict1", "2001:db8::9 icmp/4/255", "accepted housekeeping"},
	{"strict1", "2001:db8::9 icmp/5/0", "dropped deny: deny icmp"},
	{"strict1", "192.0.2.1 1/udp established", "accepted housekeeping"},
	{"strict1", "192.0.2.1 1/udp related", "accepted housekeeping"},
	{"strict1", "192.0.2.1 22/tcp established", "accepted housekeeping"},
	{"strict1", "192.0.2.1 22/tcp untracked", "dropped deny: deny 22/tcp"},
	{"web1", "192.0.2.1 80/tcp untracked", "accepted allow: allow 80,443/tcp"},
	{"web1", "192.0.2.1 80/tcp invalid", "dropped housekeeping"},
	{"strict1", "2001:db8::9 icmp/129/0", "dropped deny: deny icmp"},
	{"strict1", "2001:db8::9 icmp/130/0 untracked", "accepted housekeeping"},
	{"strict1", "2001:db8::9 icmp/135/7 invalid", "accepted housekeeping"},
	{"strict1", "2001:db8::9 icmp/137/0", "accepted housekeeping"},
	{"strict1", "2001:db8::9 icmp/138/0", "dropped deny: deny icmp"},
	{"strict1", "2001:db8::9 icmp/143/0", "accepted housekeeping"},
	{"strict1", "2001:db8::9 icmp/144/0", "dropped deny: deny icmp"},
	{"web1", "192.0.2.1 icmp/135/0", "dropped default"},
	{"web1", "192.0.2.1 igmp", "dropped default"},
	{"web1", "192.0.2.1 68/udp sport 67", "accepted housekeeping"},
	{"web1", "192.0.2.1 68/udp untracked sport 67", "accepted housekeeping"},
	{"web1", "192.0.2.1 68/udp invalid sport 67", "dropped housekeeping"},
	{"web1", "192.0.2.1 68/udp sport 68", "dropped default"},
	{"web1", "192.0.2.1 67/udp sport 68", "dropped default"},
	{"web1", "192.0.2.1 546/udp sport 547", "dropped default"},
	{"web1", "fe80::1 546/udp sport 547", "accepted housekeeping"},
	{"web1", "febf:ffff::1 546/udp sport 547", "accepted housekeeping"},
	{"web1", "fec0::1 546/udp sport 547", "dropped default"},
	{"web1", "2001:db8::9 546/udp sport 547", "dropped default"},
	{"web1", "fe80::1 68/udp sport 67", "dropped default"},
	/* management: no rule takes it away */
	{"strict1", "192.0.2.127 22/tcp", "dropped deny: deny 22/tcp"},
	{"strict1", "192.0.2.128 22/tcp", "accepted management"},
	{"strict1", "192.0.2.128 22/tcp invalid", "dropped housekeeping"},
	{"strict1", "192.0.2.255 22/tcp untracked", "accepted management"},
	{"strict1", "192.0.3.0 22/tcp", "dropped deny: deny 22/tcp"},
	{"strict1", "2001:db8:f::1 22/tcp", "accepted management"},
	{"strict1", "2001:db8:f:1::1 22/tcp", "dropped deny: deny 22/tcp"},
	{"strict1", "192.0.2.128 22/udp", "dropped default"},
	{"web2", "192.0.2.128 22/tcp", "dropped default"},
	{"web2", "192.0.2.128 2222/tcp", "accepted management"},
};

START_TEST(housekeeping_and_management)
{
	ANSWERS(housekeeping, false);
}
END_TEST

static const struct question without_housekeeping[] = {
	{"strict1", "127.0.0.1 22/tcp on lo", "dropped deny: deny 22/tcp"},
	{"strict1", "192.0.2.1 icmp/3/4", "dropped deny: deny icmp"},
	{"strict1", "2001:db8::9 icmp/1/0", "dropped deny: deny icmp"},
	{"strict1", "192.0.2.1 22/tcp established", "dropped deny: deny 22/tcp"},
	{"web1", "192.0.2.1 80/tcp related", "accepted allow: allow 80,443/tcp"},
	{"web1", "192.0.2.1 80/tcp invalid", "accepted allow: allow 80,443/tcp"},
	{"web1", "192.0.2.1 81/tcp invalid", "dropped default"},
	{"web1", "192.0.2.1 81/tcp established", "dropped default"},
	{"strict1", "2001:db8::9 icmp/135/0", "dropped deny: deny icmp"},
	{"web1", "192.0.2.1 68/udp sport 67", "dropped default"},
	{"web1", "fe80::1 546/udp sport 547", "dropped default"},
	{"strict1", "192.0.2.128 22/tcp invalid", "accepted management"},
};
static const struct question without_housekeeping_out[] = {
	{"tight1", "127.0.0.1 80/tcp on lo", "dropped default"},
	{"tight1", "192.0.2.1 80/tcp established", "dropped default"},
	{"tight1", "2001:db8::9 icmp/135/0", "dropped default"},
	{"tight1", "224.0.0.22 igmp", "dropped default"},
	{"tight1", "192.0.2.1 67/udp sport 68", "dropped default"},
	{"tight1", "192.0.2.128 50000/tcp sport 22", "accepted management"},
};

START_TEST(each_item_of_housekeeping_is_a_setting)
{
	settings.loopback = settings.icmp_errors = settings.established = false;
	settings.neighbour_discovery = settings.drop_invalid = settings.dhcp = false;
	intent = intent_new(fixture_arena, &fleet, &settings);
	ANSWERS(without_housekeeping, false);
	ANSWERS(without_housekeeping_out, true);
}
END_TEST

/* --- rules --- */

static const struct question whats[] = {
	{"web1", "192.0.2.1 81/tcp", "dropped default"},
	{"web1", "192.0.2.1 80/udp", "dropped default"},
	{"web1", "2001:db8::9 443/tcp", "accepted allow: allow 80,443/tcp"},
	{"web1", "10.255.255.255 7999/tcp", "dropped default"},
	{"web1", "10.255.255.255 8000/tcp", "accepted allow: allow 8000-8010/tcp from 10.0.0.0/8"},
	{"web1", "10.0.0.0 8010/tcp", "accepted allow: allow 8000-8010/tcp from 10.0.0.0/8"},
	{"web1", "11.0.0.0 8010/tcp", "dropped default"},
	{"web1", "fd00::2 8010/tcp", "dropped default"},
	{"web1", "203.0.113.9 701/tcp", "accepted allow: allow two from network:office"},
	{"web1", "203.0.113.9 702/tcp", "dropped default"},
	{"web1", "2001:db8:1::5 702/udp", "accepted allow: allow two from network:office"},
	{"web1", "2001:db8:2::5 702/udp", "dropped default"},
	{"web1", "192.0.2.1 icmp/8/0", "accepted allow: allow icmp/echo-request"},
	{"web1", "192.0.2.1 icmp/8/7", "accepted allow: allow icmp/echo-request"},
	{"web1", "192.0.2.1 icmp/128/0", "dropped default"},
	{"web1", "2001:db8::9 icmp/128/0", "accepted allow: allow icmp/echo-request"},
	{"web1", "2001:db8::9 icmp/8/0", "dropped default"},
	{"web1", "192.0.2.1 icmp/9/1", "accepted allow: allow icmp/9/1"},
	{"web1", "192.0.2.1 icmp/9/0", "dropped default"},
	{"web1", "192.0.2.1 icmp/9/2", "dropped default"},
	{"web1", "2001:db8::9 icmp/9/1", "accepted allow: allow icmp/9/1"},
	{"web1", "192.0.2.1 icmp/13/9", "accepted allow: allow icmpv4/13"},
	{"web1", "2001:db8::9 icmp/13/0", "dropped default"},
	{"web1", "2001:db8::9 icmp/139/0", "accepted allow: allow icmpv6/139"},
	{"web1", "192.0.2.1 icmp/139/0", "dropped default"},
	{"web1", "192.0.2.1 58", "dropped default"},
	{"web1", "2001:db8::9 1", "dropped default"},
	{"web1", "192.0.2.1 gre", "accepted allow: allow gre"},
	{"web1", "2001:db8::9 ah", "accepted allow: allow ah"},
	{"web1", "192.0.2.1 43", "accepted allow: allow 43"},
	{"web1", "2001:db8::9 43", "dropped default"},
	{"web1", "2001:db8::9 44", "dropped default"},
	{"web1", "2001:db8::9 60", "dropped default"},
	{"web1", "2001:db8::9 89", "accepted allow: allow 89"},
	{"web1", "192.0.2.1 5000/sctp", "accepted allow: allow 5000/sctp"},
	{"web1", "192.0.2.1 9/udplite", "accepted allow: allow udplite"},
	{"open1", "2001:db8::9 43", "accepted allow: allow all"},
	{"plain1", "192.0.2.1 80/tcp", "dropped default"},
	/* deny, then reject, then allow, whatever role each is in; what is refused how */
	{"strict1", "192.0.2.1 443/tcp", "dropped deny: deny 443/tcp from 192.0.2.0/24"},
	{"strict1", "192.0.3.1 443/tcp", "reset reject: reject 443/tcp"},
	{"strict1", "192.0.3.1 80/tcp", "accepted allow: allow 80,443/tcp"},
	{"strict1", "192.0.3.1 5000/sctp", "rejected reject: reject 5000-6000/sctp"},
	{"clauses1", "192.0.3.1 5027/udp", "rejected reject: reject 5027/udp log"},
};

START_TEST(what_rules_speak_of)
{
	ANSWERS(whats, false);
}
END_TEST

static const struct question peers[] = {
	{"peers1", "10.0.0.6 5004/tcp", "accepted allow: allow 5004/tcp from self"},
	{"peers1", "fd00::6 5004/tcp", "accepted allow: allow 5004/tcp from self"},
	{"peers1", "10.0.0.1 5004/tcp", "dropped default"},
	{"peers1", "10.1.0.1 5005/tcp", "accepted allow: allow 5005/tcp from role:client/private"},
	{"peers1", "198.51.100.1 5005/tcp", "dropped default"},
	{"peers1", "198.51.100.1 5016/tcp", "accepted allow: allow 5016/tcp from role:client"},
	{"peers1", "10.1.0.3 5016/tcp", "accepted allow: allow 5016/tcp from role:client"},
	/* a disabled machine is no peer of allow rules, and one of deny and reject rules */
	{"peers1", "10.1.0.2 5016/tcp", "dropped default"},
	{"peers1", "10.1.0.2 5006/tcp", "dropped default"},
	{"peers1", "10.1.0.2 5007/tcp", "dropped deny: deny 5007/tcp from machine:sleeper"},
	{"peers1", "10.1.0.1 5007/tcp", "accepted allow: allow 5007/tcp"},
	{"peers1", "10.1.0.2 5017/tcp", "dropped deny: deny 5017/tcp from role:client"},
	{"peers1", "10.0.0.1 5017/tcp", "accepted allow: allow 5017/tcp"},
	/* nobody is nobody */
	{"peers1", "10.1.0.2 5008/tcp", "dropped default"},
	{"peers1", "10.1.0.2 5009/tcp", "dropped default"},
	{"peers1", "10.1.0.2 5021/tcp", "dropped default"},
	{"peers1", "192.0.2.2 5010/tcp", "dropped default"},
	{"peers1", "192.0.2.3 5010/tcp", "accepted allow: allow 5010/tcp from 192.0.2.3-192.0.2.9"},
	{"peers1", "192.0.2.10 5010/tcp", "dropped default"},
	/* one family's peers make it speak for that family alone; a list is a union */
	{"peers1", "192.0.2.10 5011/tcp", "accepted allow: allow 5011/tcp from 0.0.0.0/0"},
	{"peers1", "2001:db8::9 5011/tcp", "dropped default"},
	{"peers1", "2001:db8::9 5019/tcp", "accepted allow: allow 5019/tcp from ::/0"},
	{"peers1", "255.255.255.255 5020/tcp", "accepted allow: allow 5020/tcp from network:world"},
	{"peers1", "::1 5020/tcp", "accepted allow: allow 5020/tcp from network:world"},
	{"peers1", "192.0.2.1 5018/tcp",
         "accepted allow: allow 5018/tcp from 192.0.2.1, 2001:db8::/64, self, role:selected"},
	{"peers1", "2001:db8::ff 5018/tcp",
         "accepted allow: allow 5018/tcp from 192.0.2.1, 2001:db8::/64, self, role:selected"},
	{"peers1", "fd00::6 5018/tcp",
         "accepted allow: allow 5018/tcp from 192.0.2.1, 2001:db8::/64, self, role:selected"},
	/* every label of a selector must be there */
	{"peers1", "10.0.0.9 5018/tcp",
         "accepted allow: allow 5018/tcp from 192.0.2.1, 2001:db8::/64, self, role:selected"},
	{"peers1", "10.0.0.10 5018/tcp", "dropped default"},
	{"peers1", "10.0.0.7 5018/tcp", "dropped default"},
	/* an empty selector is every machine's, none is nobody's */
	{"peers1", "10.0.0.7 5028/tcp", "accepted allow: allow 5028/tcp from role:everybody"},
	{"peers1", "10.1.0.3 5028/tcp", "accepted allow: allow 5028/tcp from role:everybody"},
	{"peers1", "10.1.0.2 5028/tcp", "dropped default"},
	{"peers1", "192.0.2.1 5028/tcp", "dropped default"},
	{"peers1", "10.0.0.7 5029/tcp", "dropped default"},
	{"peers1", "10.1.0.2 5018/tcp", "dropped default"},
	{"own1", "10.0.0.11 5030/tcp", "accepted allow: allow 5030/tcp from self"},
	{"own1", "10.0.0.11 5031/tcp", "accepted allow: allow 5031/tcp from machine:own1"},
	{"own1", "10.0.0.10 5030/tcp", "dropped default"},
};

START_TEST(whom_peers_stand_for)
{
	ANSWERS(peers, false);
}
END_TEST

#define DAILY "hashlimit upto 1/day burst 1 srcip expire 86400000"
#define EACH_SECOND "hashlimit upto 1/sec burst 5 srcip expire 60000"

static const struct question clauses[] = {
	{"clauses1", "192.0.2.1 5001/tcp on eth0", "accepted allow: allow 5001/tcp on eth0"},
	{"clauses1", "192.0.2.1 5001/tcp on eth00", "dropped default"},
	{"clauses1", "192.0.2.1 5001/tcp", "dropped default"},
	{"clauses1", "192.0.2.1 5002/tcp on wg", "accepted allow: allow 5002/tcp on wg+"},
	{"clauses1", "192.0.2.1 5002/tcp on wg17", "accepted allow: allow 5002/tcp on wg+"},
	{"clauses1", "192.0.2.1 5002/tcp on w", "dropped default"},
	{"clauses1", "192.0.2.1 5003/tcp", "dropped default"},
	{"clauses1", "192.0.2.1 5003/tcp if " DAILY, "accepted allow: allow 5003/tcp limit 1/day"},
	{"clauses1", "192.0.2.1 5003/tcp if " EACH_SECOND, "dropped default"},
	{"clauses1", "192.0.2.1 5012/tcp", "dropped default"},
	{"clauses1", "192.0.2.1 5012/tcp if time until 2025-12-31T23:59:59Z", "dropped default"},
	{"clauses1", "192.0.2.1 5013/tcp", "accepted allow: allow 5013/tcp since 2026-01-01T00:00:00Z"},
	{"clauses1", "192.0.2.1 5014/tcp", "dropped default"},
	{"clauses1", "192.0.2.1 5014/tcp if time until 2026-01-01T00:00:00Z",
         "accepted allow: allow 5014/tcp until 2026-01-01T00:00:01Z"},
	{"clauses1", "192.0.2.1 5015/tcp", "dropped default"},
	{"clauses1", "192.0.2.1 5022/tcp", "dropped default"},
	{"clauses1", "192.0.2.1 5022/tcp if time until 2038-01-19T03:14:06Z",
         "accepted allow: allow 5022/tcp until 2038-01-19T03:14:07Z"},
	{"clauses1", "192.0.2.1 5023/tcp", "accepted allow: allow 5023/tcp until 2038-01-19T03:14:08Z"},
	{"clauses1", "192.0.2.1 5024/tcp", "dropped deny: deny 5024/tcp until 2026-06-01T00:00:00Z"},
	{"clauses1", "192.0.2.1 5025/tcp", "dropped default"},
	{"clauses1", "192.0.2.1 5026/tcp if " EACH_SECOND, "dropped default"},
};

/* Both must hold, the rate and the time. */
START_TEST(other_clauses)
{
	struct sample packet = packet_text(fixture_arena, "192.0.2.1 5026/tcp", false);

	ANSWERS(clauses, false);
	packet.conditions = (struct str[]){STR("time until 2029-12-31T23:59:59Z"), STR(EACH_SECOND)};
	packet.condition_count = 2;
	ck_assert_str_eq(answer(place_of("clauses1"), false, &packet),
	                 "accepted allow: allow 5026/tcp limit 60/minute log until 2030-01-01T00:00:00Z");
}
END_TEST

/* --- out --- */

static const struct question outbound[] = {
	{"web1", "192.0.2.1 80/tcp", "accepted default"},
	{"web1", "192.0.2.1 80/tcp invalid", "accepted default"},
	{"clauses1", "192.0.2.1 53/udp", "accepted default"},
	{"clauses1", "192.0.2.1 53/udp if hashlimit upto 3/hour burst 3 dstip expire 3600000",
         "accepted allow: allow 53/udp to any limit 3/hour"},
	{"strict1", "192.0.2.1 53/udp", "dropped deny: deny udp to any"},
	{"strict1", "192.0.2.1 25/tcp", "reset reject: reject 25/tcp to any"},
	{"strict1", "192.0.2.1 26/udplite", "rejected reject: reject 26/udplite to any"},
	{"strict1", "192.0.2.1 53/udp established", "accepted housekeeping"},
	{"strict1", "192.0.2.1 53/udp invalid", "dropped deny: deny udp to any"},
	{"strict1", "192.0.2.1 53/udp on lo", "accepted housekeeping"},
	{"strict1", "192.0.2.1 67/udp sport 68", "accepted housekeeping"},
	{"strict1", "ff02::1:2 547/udp sport 546", "accepted housekeeping"},
	{"strict1", "ff02::1:2 546/udp sport 547", "dropped deny: deny udp to any"},
	{"strict1", "ff02::2 icmp/133/0", "accepted housekeeping"},
	{"strict1", "ff02::2 icmp/143/0", "accepted housekeeping"},
	{"strict1", "ff02::2 icmp/1/0", "dropped deny: deny icmpv6 to any"},
	{"strict1", "224.0.0.22 igmp", "accepted housekeeping"},
	/* closed: what is named, and housekeeping */
	{"tight1", "203.0.113.1 53/udp", "accepted allow: allow 53/udp to network:office"},
	{"tight1", "203.0.114.1 53/udp", "dropped default"},
	{"tight1", "203.0.113.1 53/tcp", "dropped default"},
	{"tight1", "10.0.0.1 9/tcp on eth1", "accepted allow: allow all to role:web on eth1"},
	{"tight1", "10.0.0.1 9/tcp on eth0", "dropped default"},
	{"tight1", "192.0.2.1 icmp/3/4", "dropped default"},
	{"tight1", "192.0.2.1 53/udp related", "accepted housekeeping"},
	{"tight1", "192.0.2.128 50000/tcp sport 22", "accepted management"},
	{"tight1", "192.0.2.128 50000/tcp invalid sport 22", "accepted management"},
	{"tight1", "192.0.2.127 50000/tcp sport 22", "dropped default"},
	{"tight1", "192.0.2.128 22/tcp", "dropped default"},
	{"closed1", "192.0.2.128 25/tcp sport 22", "accepted management"},
	{"closed1", "203.0.113.1 53/udp", "dropped deny: deny udp to any"},
};

START_TEST(what_leaves)
{
	ANSWERS(outbound, true);
}
END_TEST

/* --- modes --- */

static const struct question other_modes[] = {
	{"shared", "192.0.2.128 22/tcp", "accepted management"},
	{"shared", "192.0.2.128 22/tcp invalid", "accepted management"},
	{"shared", "192.0.2.1 22/tcp", "dropped deny: deny 22/tcp"},
	{"shared", "192.0.2.1 80/tcp invalid", "dropped housekeeping"},
	{"shared", "192.0.3.1 80/tcp", "passed allow: allow 80,443/tcp"},
	{"shared", "192.0.3.1 443/tcp", "reset reject: reject 443/tcp"},
	{"shared", "192.0.3.1 443/tcp established", "passed housekeeping"},
	{"shared", "192.0.3.1 81/tcp", "dropped default"},
	{"watched", "192.0.2.128 22/tcp invalid", "passed management"},
	{"watched", "192.0.2.1 22/tcp", "watched deny: deny 22/tcp"},
	{"watched", "192.0.2.1 443/tcp", "watched deny: deny 443/tcp from 192.0.2.0/24"},
	{"watched", "192.0.3.1 443/tcp", "watched reject: reject 443/tcp"},
	{"watched", "192.0.3.1 80/tcp", "passed allow: allow 80,443/tcp"},
	{"watched", "192.0.3.1 80/tcp invalid", "watched housekeeping"},
	{"watched", "192.0.3.1 81/tcp", "watched default"},
	/* limits are not counted; dates are */
	{"watched", "192.0.3.1 5003/tcp", "passed allow: allow 5003/tcp limit 1/day"},
	{"watched", "192.0.3.1 5022/tcp", "watched default"},
	{"watched", "192.0.3.1 5022/tcp if time until 2038-01-19T03:14:06Z",
         "passed allow: allow 5022/tcp until 2038-01-19T03:14:07Z"},
	{"foreign", "192.0.3.1 81/tcp", "passed no-ruleset"},
	{"sleeper", "192.0.3.1 81/tcp", "passed no-ruleset"},
};
static const struct question other_modes_out[] = {
	{"guest", "192.0.2.1 80/tcp", "passed default"},
	{"guest", "192.0.2.128 80/tcp sport 22", "accepted management"},
	{"shared", "192.0.2.128 25/tcp sport 22", "accepted management"},
	{"shared", "192.0.2.1 25/tcp", "reset reject: reject 25/tcp to any"},
	{"shared", "192.0.2.1 26/tcp", "dropped default"},
	{"shared", "192.0.2.1 26/tcp invalid", "dropped default"},
	{"shared", "192.0.2.1 26/tcp established", "passed housekeeping"},
	{"watched", "192.0.2.128 25/tcp sport 22", "passed management"},
	{"watched", "192.0.2.1 26/tcp", "watched default"},
	{"watched", "192.0.2.1 25/tcp", "watched reject: reject 25/tcp to any"},
	{"watched", "192.0.2.1 25/tcp established", "passed housekeeping"},
	{"foreign", "192.0.2.1 25/tcp", "passed no-ruleset"},
};

START_TEST(modes)
{
	ANSWERS(other_modes, false);
	ANSWERS(other_modes_out, true);
}
END_TEST

START_TEST(forwarding)
{
	static const struct {
		const char *machine;
		bool dropped;
	} cases[] = {{"web1", true}, {"shared", false}, {"watched", false}, {"foreign", false}, {"sleeper", false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct intents intents =
			intent_of(fixture_arena, intent, place_of(cases[i].machine), FAMILY_4, NULL, NULL);

		ck_assert_int_eq(intents.forward_dropped, cases[i].dropped);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intent");
	TCase *tcase = tcase_create("packets");

	tcase_add_checked_fixture(tcase, intent_set_up, intent_tear_down);
	tcase_add_test(tcase, housekeeping_and_management);
	tcase_add_test(tcase, each_item_of_housekeeping_is_a_setting);
	tcase_add_test(tcase, what_rules_speak_of);
	tcase_add_test(tcase, whom_peers_stand_for);
	tcase_add_test(tcase, other_clauses);
	tcase_add_test(tcase, what_leaves);
	tcase_add_test(tcase, modes);
	tcase_add_test(tcase, forwarding);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
