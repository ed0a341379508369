/* The pieces of the language that others use: ports, protocols, icmp types, interfaces, times, names; and rules made by
 * hand. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/rule.h"

#include "suite_main.h"

/* --- a `what` alone --- */

static const struct {
	const char *text, *canonical; /* NULL: refused */
} whats[] = {
	{"3306/tcp", "3306/tcp"},
	{"443 , 80/TCP", "80,443/tcp"},
	{"icmp/echo-request", "icmp/echo-request"},
	{"icmpv4/8", "icmpv4/echo-request"},
	{"esp", "esp"},
	{"50", "esp"},
	{"58", "icmpv6"},
	{"all", "all"},
	{"MySQL", "mysql"},
	{" 22/tcp ", "22/tcp"},
	{"", NULL},
	{"22/tcp log", NULL},
	{"22/tcp from any", NULL},
	{"22/tcp # ssh", NULL},
	{"22/tcp,", NULL},
	{"0", NULL},
	{"allow 22/tcp", NULL},
	{"22", "22"},
	{"any", NULL},
	{"icmp/255", NULL},
};

static void check_what(size_t i)
{
	struct buf buf = buf_new(arena);
	struct what what;
	struct error *error = what_parse(arena, str_of(whats[i].text), &what);

	ck_assert_msg((error == NULL) == (whats[i].canonical != NULL), "\"%s\"", whats[i].text);
	if (error != NULL) {
		ck_assert_int_eq(error->kind, ERROR_INPUT);
		ck_assert_uint_gt(error->place.column, 0);
		return;
	}
	what_print(&buf, &what);
	ck_assert_msg(str_is(buf_str(&buf), whats[i].canonical), "%.*s", STR_ARG(buf_str(&buf)));
}

START_TEST(parses_a_what_alone)
{
	for (size_t i = 0; i < sizeof whats / sizeof *whats; i++)
		check_what(i);
}
END_TEST

START_TEST(parses_ports_of_services)
{
	struct buf buf = buf_new(arena);
	struct port_range *ports;
	uint8_t protocol;
	size_t count;

	ck_assert_ptr_null(ports_parse(arena, STR("443,80, 8000-8010,8011/UDP"), &protocol, &ports, &count));
	ports_print(&buf, ports, count);
	ck_assert(str_is(buf_str(&buf), "80,443,8000-8011"));
	ck_assert_uint_eq(protocol, PROTOCOL_UDP);
	ck_assert_ptr_nonnull(ports_parse(arena, STR("tcp"), &protocol, &ports, &count));
	ck_assert_ptr_nonnull(ports_parse(arena, STR("mysql"), &protocol, &ports, &count));
	ck_assert_ptr_nonnull(ports_parse(arena, STR("22"), &protocol, &ports, &count));
	ck_assert_ptr_nonnull(ports_parse(arena, STR("22/gre"), &protocol, &ports, &count));
	ck_assert_ptr_nonnull(ports_parse(arena, STR(""), &protocol, &ports, &count));
	ck_assert_ptr_nonnull(ports_parse(arena, STR("22/tcp 23/tcp"), &protocol, &ports, &count));
}
END_TEST

START_TEST(joins_ports)
{
	struct port_range ports[] = {{65535, 65535}, {5, 9}, {0, 0},         {9, 12}, {14, 14},
	                             {13, 13},       {6, 7}, {65534, 65535}, {16, 16}};
	struct buf buf = buf_new(arena);
	size_t count = ports_normalize(ports, sizeof ports / sizeof *ports);

	ports_print(&buf, ports, count);
	ck_assert_msg(str_is(buf_str(&buf), "0,5-14,16,65534-65535"), "%.*s", STR_ARG(buf_str(&buf)));
	ck_assert_uint_eq(ports_normalize(ports, 0), 0);
}
END_TEST

/* --- protocols and types --- */

START_TEST(knows_protocols)
{
	static const struct {
		const char *name;
		uint8_t number;
		bool ports;
	} known[] = {
		{"tcp", 6, true},   {"udp", 17, true},    {"udplite", 136, true}, {"sctp", 132, true},
		{"dccp", 33, true}, {"gre", 47, false},   {"esp", 50, false},     {"ah", 51, false},
		{"ipip", 4, false}, {"vrrp", 112, false}, {"igmp", 2, false},
	};
	unsigned named = 0;
	uint8_t protocol;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct buf buf = buf_new(arena);

		ck_assert(protocol_parse(str_of(known[i].name), &protocol));
		ck_assert_uint_eq(protocol, known[i].number);
		protocol_print(&buf, protocol);
		ck_assert(str_is(buf_str(&buf), known[i].name));
	}
	for (unsigned i = 1; i <= 255; i++) {
		struct buf buf = buf_new(arena);
		bool ports = false;

		ck_assert(protocol_parse(str_format(arena, "%u", i), &protocol) && protocol == i);
		protocol_print(&buf, protocol);
		named += !str_eq(buf_str(&buf), str_format(arena, "%u", i));
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			ports = ports || (known[k].number == i && known[k].ports);
		ck_assert_int_eq(protocol_has_ports((uint8_t)i), ports);
	}
	ck_assert_uint_eq(named, sizeof known / sizeof *known + 2); /* and icmpv4, icmpv6 */
}
END_TEST

START_TEST(refuses_other_protocols)
{
	static const char *const no[] = {
		"", "0", "256", "06", "icmp", "icmpv4", "icmpv6", "all", "tcp ", "-6", "6.", "tc", "tcpp",
	};
	uint8_t protocol;

	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(!protocol_parse(str_of(no[i]), &protocol), "\"%s\"", no[i]);
}
END_TEST

START_TEST(knows_icmp_types)
{
	static const struct {
		const char *name;
		enum icmp_name value;
		uint8_t v4, v6;
	} types[] = {
		{"echo-request", ICMP_ECHO_REQUEST, 8, 128},
		{"echo-reply", ICMP_ECHO_REPLY, 0, 129},
		{"destination-unreachable", ICMP_DESTINATION_UNREACHABLE, 3, 1},
		{"time-exceeded", ICMP_TIME_EXCEEDED, 11, 3},
		{"parameter-problem", ICMP_PARAMETER_PROBLEM, 12, 4},
	};
	enum icmp_name name;
	uint8_t type;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		ck_assert(icmp_name_parse(str_of(types[i].name), &name) && name == types[i].value);
		ck_assert(str_is(icmp_name_str(name), types[i].name));
		ck_assert(icmp_number(name, FAMILY_4, &type) && type == types[i].v4);
		ck_assert(icmp_number(name, FAMILY_6, &type) && type == types[i].v6);
	}
	ck_assert(!icmp_name_parse(STR("any"), &name) && !icmp_name_parse(STR("8"), &name) &&
	          !icmp_name_parse(STR(""), &name));
	ck_assert(!icmp_number(ICMP_ANY, FAMILY_4, &type) && !icmp_number(ICMP_NUMBER, FAMILY_6, &type));
	ck_assert_uint_eq(icmp_name_str(ICMP_ANY).n + icmp_name_str(ICMP_NUMBER).n, 0);
}
END_TEST

START_TEST(knows_interfaces)
{
	static const char *const yes[] = {
		"a", "eth0", "ETH0.1@x:Y_-", "abcdefghijklmno", "wg+", "abcdefghijklmn+", "-", ".", "0",
	};
	static const char *const no[] = {
		"", "+", "e+h", "eth++", "/a", "!", "+a", "abcdefghijklmnop", "abcdefghijklmno+", "a b", "a/b", "a!",
		"eth0\xc3\xa4", "a,b", "a*",
	};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(interface_valid(str_of(yes[i])), "\"%s\"", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(!interface_valid(str_of(no[i])), "\"%s\"", no[i]);
	ck_assert(!interface_valid(STR("a\0")));
}
END_TEST

/* --- times --- */

static const struct {
	const char *text;
	int64_t time;
	const char *canonical;
} times[] = {
	{"1970-01-01", 0, "1970-01-01T00:00:00Z"},
	{"1970-01-01T00:00:01", 1, "1970-01-01T00:00:01Z"},
	{"1969-12-31T23:59:59Z", -1, "1969-12-31T23:59:59Z"},
	{"1970-01-01 01:02", 3720, "1970-01-01T01:02:00Z"},
	{"1970-01-01T01:00+01:00", 0, "1970-01-01T00:00:00Z"},
	{"1970-01-01 01:00:00+01", 0, "1970-01-01T00:00:00Z"},
	{"1970-01-01T02:30+0230", 0, "1970-01-01T00:00:00Z"},
	{"1969-12-31T23:00:00.000-0100", 0, "1970-01-01T00:00:00Z"},
	{"1970-01-01T00:00:00,0Z", 0, "1970-01-01T00:00:00Z"},
	{"1970-01-01+00:00", 0, "1970-01-01T00:00:00Z"},
	{"1970-01-01Z", 0, "1970-01-01T00:00:00Z"},
	{"1969-12-31T23:30-00:30", 0, "1970-01-01T00:00:00Z"},
	{"2000-02-29", 951782400, "2000-02-29T00:00:00Z"},
	{"2024-02-29T23:59:59z", 1709251199, "2024-02-29T23:59:59Z"},
	{"2038-01-19t03:14:08", 2147483648, "2038-01-19T03:14:08Z"},
	{"1900-03-01", -2203891200, "1900-03-01T00:00:00Z"},
	{"0001-01-01", -62135596800, "0001-01-01T00:00:00Z"},
	{"9999-12-31T23:59:59", 253402300799, "9999-12-31T23:59:59Z"},
};

static void check_time(size_t i)
{
	struct buf buf = buf_new(arena);
	int64_t time = 42;

	ck_assert_msg(time_parse(str_of(times[i].text), &time), "\"%s\"", times[i].text);
	ck_assert_int_eq(time, times[i].time);
	time_print(&buf, time);
	ck_assert_msg(str_is(buf_str(&buf), times[i].canonical), "%.*s", STR_ARG(buf_str(&buf)));
}

START_TEST(reads_and_prints_times)
{
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		check_time(i);
}
END_TEST

static const char *const no_times[] = {
	"",
	"2026",
	"2026-03",
	"2026-3-1",
	"26-03-01",
	"2026-00-01",
	"2026-13-01",
	"2026-01-00",
	"2026-01-32",
	"2026-04-31",
	"2025-02-29",
	"1900-02-29",
	"2026-03-01T",
	"2026-03-01T12",
	"2026-03-01T24:00",
	"2026-03-01T12:60",
	"2026-03-01T12:00:60",
	"2026-03-01T12:00:00.1",
	"2026-03-01T12:00:",
	"2026-03-01T12:00X",
	"2026-03-01T12:00+1",
	"2026-03-01T12:00+010",
	"2026-03-01T12:00+01:",
	"2026-03-01T12:00:00.",
	"2026-03-01T12:00.0",
	"2026-03-01T12:00:00.0001",
	"2026-03-01T12:00+24:00",
	"2026-03-01T12:00+01:60",
	"2026-03-01T12:00ZZ",
	"2026-03-01  12:00",
	"20260301",
	"2026/03/01",
	"0000-01-01",
	"0001-01-01T00:00+00:01",
	"9999-12-31T23:59:59-00:01",
	"10000-01-01",
	"tomorrow",
	"-2026-03-01",
	"2026-03-0a",
	" 2026-03-01",
	"2026-03-01 ",
};

static void check_no_time(size_t i)
{
	int64_t time;

	ck_assert_msg(!time_parse(str_of(no_times[i]), &time), "\"%s\"", no_times[i]);
}

START_TEST(refuses_what_is_no_time)
{
	for (size_t i = 0; i < sizeof no_times / sizeof *no_times; i++)
		check_no_time(i);
}
END_TEST

/* A second of every 998th day of 10,000 years: its text is read back, and sorts behind the one before. */
START_TEST(counts_days)
{
	int64_t time = -62135596800, read;
	struct buf buf = buf_new(arena);
	char before[21] = "";

	for (; time <= 253402300799; time += 86400 * 997 + 86399) {
		buf.n = 0;
		time_print(&buf, time);
		ck_assert_uint_eq(buf.n, 20);
		ck_assert(time_parse(buf_str(&buf), &read));
		ck_assert_int_eq(read, time);
		ck_assert_int_lt(str_cmp(str_of(before), buf_str(&buf)), 0);
		memcpy(before, buf.p, buf.n);
	}
	buf.n = 0;
	time_print(&buf, INT64_MAX);
	time_print(&buf, INT64_MIN);
	ck_assert(str_is(buf_str(&buf), "infinity-infinity"));
}
END_TEST

/* --- names --- */

#define TEN "abcdefghij"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define SIXTY_THREE TEN TEN TEN TEN TEN TEN "abc"

START_TEST(checks_names)
{
	static const char *const yes[] = {"a", "0", "web-1", "Web", "a..b", "a-", "a_", HUNDRED, "all", "10.0.0.1"};
	static const char *const no[] = {
		"", "-a", ".a", "_a", "a b", "a/b", "a:b", "a\n", "\xc3\xa4", HUNDRED "x", "a'b", "a;b", "../x",
		"a,b", "a#",
	};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(name_check(str_of(yes[i]), "role") == NULL, "\"%s\"", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		struct error *error = name_check(str_of(no[i]), "role");

		ck_assert_msg(error != NULL && error->kind == ERROR_INPUT, "\"%s\"", no[i]);
		ck_assert(str_find(error->message, '\n') == error->message.n);
	}
	ck_assert_ptr_nonnull(name_check(STR("a\0b"), "role"));
	ck_assert(str_is(name_check(STR("a\nb\xff"), "network")->message,
	                 "\"a\\x0ab\\xff\" is not a valid network name"));
	ck_assert(str_is(name_check(STR(""), "network")->message, "the network name is empty"));
	ck_assert(str_is(name_check(STR(HUNDRED "x"), "role")->message,
	                 "the role name is 101 bytes long; at most 100 are possible"));
}
END_TEST

START_TEST(checks_machine_names)
{
	static const char *const yes[] = {
		"a", "db1", "0", "10", "a-b", "a--b", "db1.example.org", "1.2.3", "1.2.3.4.5", "1.2.3.a", "x.vpn",
		SIXTY_THREE, SIXTY_THREE "." SIXTY_THREE "." SIXTY_THREE "." TEN TEN TEN TEN TEN TEN "a",
	};
	static const char *const no[] = {
		"", "A", "Db1", "-a", "a-", "a.", ".a", "a..b", "a.-b", "a_b", "a b", "1.2.3.4", "999.1.1.1",
		"fe80::1", "a/b", "../x", "-o", SIXTY_THREE "a",
		SIXTY_THREE "." SIXTY_THREE "." SIXTY_THREE "." TEN TEN TEN TEN TEN TEN "ab",
	};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(machine_name_check(str_of(yes[i])) == NULL, "\"%s\"", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(machine_name_check(str_of(no[i])) != NULL, "\"%s\"", no[i]);
	ck_assert_ptr_nonnull(machine_name_check(STR("a\0")));
}
END_TEST

START_TEST(checks_service_names)
{
	static const char *const yes[] = {"mysql", "X11", "a", "tcp2", "icmp6", "http-alt", "a.b"};
	static const char *const no[] = {
		"", "3com", "-a", "allow", "Deny", "reject", "all", "ANY", "from", "to", "on", "log", "limit",
		"since", "until", "second", "minute", "hour", "day", "self", "role", "network", "machine", "tcp",
		"udp", "udplite", "sctp", "dccp", "gre", "esp", "ah", "ipip", "vrrp", "igmp", "icmp", "icmpv4",
		"ICMPv6",
	};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(service_name_check(str_of(yes[i])) == NULL, "\"%s\"", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(service_name_check(str_of(no[i])) != NULL, "\"%s\"", no[i]);
}
END_TEST

/* --- rules made by hand --- */

static struct rule plain(void)
{
	return (struct rule){.any = true, .what = {.kind = WHAT_ALL}, .since = TIME_NONE, .until = TIME_NONE};
}

static void refused(struct rule rule, const char *message)
{
	bool stored;
	struct error *error = rule_normalize(arena, &rule, &stored);

	ck_assert_msg(error != NULL, "taken, but: %s", message);
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert_msg(str_is(error->message, message), "%.*s", STR_ARG(error->message));
	ck_assert_uint_eq(error->place.column, 0);
}

static void refused_what(struct what what, const char *message)
{
	struct rule rule = plain();

	rule.what = what;
	refused(rule, message);
}

static void refused_peer(struct peer peer, const char *message)
{
	struct rule rule = plain();

	rule.any = false;
	rule.peers = &peer;
	rule.peer_count = 1;
	refused(rule, message);
}

START_TEST(refuses_impossible_whats)
{
	struct port_range backwards = {2, 1}, fine = {1, 2};

	refused_what((struct what){.kind = WHAT_PROTOCOL},
	             "protocol 0 is not possible: the kernel reads it as every protocol");
	refused_what((struct what){.kind = WHAT_PORTS, .protocol = PROTOCOL_TCP},
	             "a rule about ports needs at least one");
	refused_what((struct what){.kind = WHAT_PORTS, .protocol = PROTOCOL_TCP, .ports = &backwards, .port_count = 1},
	             "the port range 2-1 ends before it begins");
	refused_what((struct what){.kind = WHAT_PORTS, .protocol = PROTOCOL_GRE, .ports = &fine, .port_count = 1},
	             "protocol number 47 has no ports");
	refused_what((struct what){.kind = WHAT_SERVICE, .service = STR("tcp")},
	             "\"tcp\" is not a valid service name: it is a word of the rule language");
	refused_what((struct what){.kind = WHAT_ICMP, .icmp_code = -1}, "a rule about icmp needs a family");
	refused_what(
		(struct what){
			.kind = WHAT_ICMP, .icmp4 = true, .icmp_name = ICMP_NUMBER, .icmp_type = 255, .icmp_code = -1},
		"the icmp type 255 is not possible: the kernel reads it as every type");
	refused_what((struct what){.kind = WHAT_ICMP, .icmp4 = true, .icmp_name = ICMP_ECHO_REPLY, .icmp_code = 256},
	             "the icmp code 256 is out of range");
	refused_what((struct what){.kind = WHAT_ICMP, .icmp4 = true, .icmp_name = ICMP_ANY, .icmp_code = 0},
	             "the icmp code 0 has no type before it");
	refused_what((struct what){.kind = (enum what_kind)99}, "a rule speaks of nothing that the language knows");
}
END_TEST

START_TEST(refuses_impossible_peers)
{
	struct rule nobody = plain();

	nobody.any = false;
	refused(nobody, "a rule with no peers would match nobody");
	ck_assert(str_is(rule_text(arena, &nobody), "allow all from (nobody)"));
	refused_peer((struct peer){.kind = PEER_LITERAL, .literal = {2, 1, FAMILY_4}},
	             "an address range ends before it begins, or outside of its family");
	refused_peer((struct peer){.kind = PEER_LITERAL, .literal = {0, (addr_bits)1 << 32, FAMILY_4}},
	             "an address range ends before it begins, or outside of its family");
	refused_peer((struct peer){.kind = PEER_LITERAL, .literal = {0, 1, (enum family)5}},
	             "an address is neither of IPv4 nor of IPv6");
	refused_peer((struct peer){.kind = PEER_ROLE, .name = STR("a b")}, "\"a b\" is not a valid role name");
	refused_peer((struct peer){.kind = PEER_ROLE, .name = STR("a"), .label = STR("/")},
	             "\"/\" is not a valid address label name");
	refused_peer((struct peer){.kind = PEER_NETWORK}, "the network name is empty");
	refused_peer((struct peer){.kind = PEER_MACHINE, .name = STR("1.2.3.4")},
	             "\"1.2.3.4\" is not a valid machine name: it reads as an IPv4 address");
}
END_TEST

START_TEST(refuses_impossible_clauses)
{
	struct rule rule = plain();

	rule.interface = STR("a b");
	refused(rule, "\"a b\" is no name of an interface");
	rule = plain();
	rule.limit_unit = LIMIT_DAY;
	refused(rule, "the limit 0 is out of range");
	rule.limit = 1001;
	refused(rule, "the limit 1001 is out of range");
	rule.limit = 1;
	rule.action = ACTION_REJECT;
	refused(rule, "limit does not go with reject");
	rule = plain();
	rule.since = rule.until = 5;
	refused(rule, "the rule ends before it begins: until must be later than since");
	rule.until = INT64_MAX;
	refused(rule, "a time lies outside of the years 0001 to 9999");
	rule = plain();
	rule.comment = STR("a\nb");
	refused(rule, "a comment is one line of UTF-8 without control characters");
	rule.comment = STR("\xff");
	refused(rule, "a comment is one line of UTF-8 without control characters");
	rule = plain();
	rule.action = (enum action)7;
	refused(rule, "a rule has an action, a direction or a unit that the language does not know");
}
END_TEST

/* What a kind does not use is cleared, so that equal rules are equal in every member. */
START_TEST(leaves_nothing_unused)
{
	struct port_range port = {1, 1};
	struct peer peers[] = {{.kind = PEER_SELF, .name = STR("x"), .label = STR("y"), .literal = {1, 2, FAMILY_4}},
	                       {.kind = PEER_NETWORK, .name = STR("Net"), .label = STR("y")}};
	struct rule rule = plain();
	bool stored;

	rule.what = (struct what){.kind = WHAT_PROTOCOL,
	                          .protocol = 58,
	                          .ports = &port,
	                          .port_count = 1,
	                          .service = STR("x"),
	                          .icmp_type = 3,
	                          .icmp_code = 3};
	rule.any = false;
	rule.peers = peers;
	rule.peer_count = 2;
	rule.limit = 7;
	ck_assert_ptr_null(rule_normalize(arena, &rule, &stored));
	ck_assert(str_is(rule_text(arena, &rule), "allow icmpv6 from self, network:net"));
	ck_assert(rule.what.protocol == 0 && rule.what.ports == NULL && rule.what.port_count == 0 &&
	          rule.what.service.n == 0);
	ck_assert(rule.what.icmp6 && !rule.what.icmp4 && rule.what.icmp_name == ICMP_ANY && rule.what.icmp_type == 0 &&
	          rule.what.icmp_code == -1);
	ck_assert(rule.peers[0].name.n == 0 && rule.peers[0].label.n == 0 && rule.peers[0].literal.family == 0 &&
	          rule.peers[1].label.n == 0);
	ck_assert(peers[0].name.n == 1); /* the caller's own */
	ck_assert_uint_eq(rule.limit, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule_parts");
	TCase *tcase = tcase_create("rule_parts");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_test(tcase, parses_a_what_alone);
	tcase_add_test(tcase, parses_ports_of_services);
	tcase_add_test(tcase, joins_ports);
	tcase_add_test(tcase, knows_protocols);
	tcase_add_test(tcase, refuses_other_protocols);
	tcase_add_test(tcase, knows_icmp_types);
	tcase_add_test(tcase, knows_interfaces);
	tcase_add_test(tcase, reads_and_prints_times);
	tcase_add_test(tcase, refuses_what_is_no_time);
	tcase_add_test(tcase, counts_days);
	tcase_add_test(tcase, checks_names);
	tcase_add_test(tcase, checks_machine_names);
	tcase_add_test(tcase, checks_service_names);
	tcase_add_test(tcase, refuses_impossible_whats);
	tcase_add_test(tcase, refuses_impossible_peers);
	tcase_add_test(tcase, refuses_impossible_clauses);
	tcase_add_test(tcase, leaves_nothing_unused);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
