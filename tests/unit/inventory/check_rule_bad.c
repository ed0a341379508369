/* Lines that are refused: where, why, and what is suggested instead; several faults at once; lines at the limits of
 * length. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/rule.h"

#include "suite_main.h"

static struct error *parse(struct str line)
{
	struct rule rule;
	bool stored;

	return rule_parse(arena, line, &rule, &stored, NULL);
}

#define WHAT "expected all, ports/protocol, a protocol, icmp or a service, not "
#define PEER "expected any, an address, a prefix, a range, self, role:NAME, network:NAME or machine:NAME, not "
#define CLAUSE "expected from, to, on, log, limit, since, until or the end, not "
#define V4 "an IPv4 address is four numbers from 0 to 255 without leading zeros: 10.0.0.1, 10.0.0.0/8"
#define V6                                                                                                            \
	"an IPv6 address is eight groups of hexadecimal digits, or fewer and one ::, without brackets and without a " \
	"zone"
#define OCTETS "four parts, numbers from 0 to 255 first, stars only at the end: 10.*.*.*"
#define TIME "ISO 8601 in whole seconds: 2026-03-01, 2026-03-01T12:00, 2026-03-01T12:00:00Z, 2026-03-01T12:00:00+01:00"
#define RANGE "a range is FIRST-LAST, without spaces: 10.0.0.1-10.0.0.9"
#define TYPES                                                                                                 \
	"it is a number from 0 to 254, or echo-request, echo-reply, destination-unreachable, time-exceeded, " \
	"parameter-problem"
#define NAMES "letters, digits, \".\", \"_\" and \"-\", the first a letter or digit; at most 100"
#define HOSTS "a DNS host name in lower case: parts of 1 to 63 letters, digits and \"-\", separated by \".\""

/* One fault each. */
static const struct {
	const char *line;
	unsigned column;
	const char *message, *hint; /* hint "": none */
} bad[] = {
	/* actions */
	{"alow 22/tcp", 1, "expected allow, deny or reject, not \"alow\"", "did you mean allow?"},
	{"accept 22/tcp", 1, "expected allow, deny or reject, not \"accept\"", "did you mean allow?"},
	{"  DROP 22/tcp", 3, "expected allow, deny or reject, not \"DROP\"", "did you mean deny?"},
	{"22/tcp from any", 1, "expected allow, deny or reject, not \"22/tcp\"", ""},
	{", allow tcp", 1, "expected allow, deny or reject, not \",\"", ""},

	/* what */
	{"allow", 6, WHAT "the end of the rule", "write all for every packet"},
	{"allow   # nothing", 6, WHAT "the end of the rule", "write all for every packet"},
	{"allow from 10.0.0.1", 7, WHAT "\"from\"", "write all for every packet"},
	{"allow any", 7, WHAT "\"any\"", "write all for every packet"},
	{"allow self", 7, WHAT "\"self\"", "write all for every packet"},
	{"allow , 22/tcp", 7, WHAT "\",\"", "write all for every packet"},
	{"allow tcp/22", 7, WHAT "\"tcp/22\"", "ports come first: 22/tcp"},
	{"allow mysql/tcp", 7, WHAT "\"mysql/tcp\"",
         "ports are numbers (3306/tcp), and a service stands alone (mysql)"},
	{"allow icpm/8", 7, WHAT "\"icpm/8\"", "did you mean icmp?"},
	{"allow my!sql", 7, "\"my!sql\" is not a valid service name", NAMES},
	{"allow -x", 7, "\"-x\" is not a valid service name", NAMES},
	{"allow /tcp", 7, WHAT "\"/tcp\"", "ports are numbers (3306/tcp), and a service stands alone (mysql)"},

	/* ports */
	{"allow 70000/tcp", 7, "the port 70000 is out of range", "it is a number from 0 to 65535"},
	{"allow 65536/tcp", 7, "the port 65536 is out of range", "it is a number from 0 to 65535"},
	{"allow 80,99999999999999999999/tcp", 10, "the port 99999999999999999999 is out of range",
         "it is a number from 0 to 65535"},
	{"allow 80-70/tcp", 7, "the port range 80-70 ends before it begins", "write 70-80"},
	{"allow 80-/tcp", 10, "expected the port", "it is a number from 0 to 65535"},
	{"allow 80--90/tcp", 10, "expected the port, not \"-90\"", "it is a number from 0 to 65535"},
	{"allow 22x/tcp", 7, "expected the port, not \"22x\"", "it is a number from 0 to 65535"},
	{"allow 080/tcp", 7, "the port \"080\" has a leading zero",
         "write it without; some programs read such a number as octal"},
	{"allow 80,443", 13, "expected \"/\" and a protocol right behind the ports", "write 80,443/tcp"},
	{"allow 80-90 gre", 12, "expected \"/\" and a protocol right behind the ports", "write 80-90/tcp"},
	{"allow 80-90 log", 12, "expected \"/\" and a protocol right behind the ports", "write 80-90/tcp"},
	{"allow 80-90 udp", 12, "expected \"/\" and a protocol right behind the ports", "write 80-90/udp"},
	{"allow 22 TCP", 9, "expected \"/\" and a protocol right behind the ports", "write 22/TCP"},
	{"allow 22 /udp", 9, "expected \"/\" and a protocol right behind the ports", "write 22/udp"},
	{"allow 22 - 23/tcp", 9, "expected \"/\" and a protocol right behind the ports",
         "no space stands inside a range of ports: 80-90/tcp"},
	{"allow 22/ tcp", 10, "expected a protocol behind \"/\"", "for example 80/tcp, without a space"},
	{"allow 22/tpc", 10, "\"tpc\" is no protocol", "did you mean tcp?"},
	{"allow 22/quic", 10, "\"quic\" is no protocol", "protocols with ports are tcp, udp, udplite, sctp and dccp"},
	{"allow 22/tcp/udp", 10, "\"tcp/udp\" is no protocol",
         "protocols with ports are tcp, udp, udplite, sctp and dccp"},
	{"allow 22/256", 10, "\"256\" is no protocol", "protocols with ports are tcp, udp, udplite, sctp and dccp"},
	{"allow 22/0", 10, "protocol 0 is not possible: the kernel reads it as every protocol",
         "write all for every packet"},
	{"allow 80/gre", 10, "the protocol gre has no ports",
         "write gre alone; tcp, udp, udplite, sctp and dccp have ports"},
	{"allow 80/47", 10, "the protocol 47 has no ports",
         "write 47 alone; tcp, udp, udplite, sctp and dccp have ports"},
	{"allow 80/icmp", 10, "icmp has no ports", "its types are written behind it: icmp/echo-request"},
	{"allow 80, from any", 11, "expected the port, not \"from\"", "it is a number from 0 to 65535"},
	{"allow 80,", 10, "expected a port behind the comma, not the end of the rule", ""},
	{"allow 80,,90/tcp", 10, "expected a port behind the comma, not \",\"", ""},
	{"allow 80/tcp,443/tcp", 13, "the protocol ends the list of ports",
         "all ports of a rule have one protocol: 80,443/tcp; write a rule for each protocol"},

	/* protocols */
	{"allow 0", 7, "protocol 0 is not possible: the kernel reads it as every protocol",
         "write all for every packet"},
	{"allow 256", 7, "a number alone is a protocol, and 256 is out of range (1 to 255)",
         "write 256/tcp for the port"},
	{"allow 3306", 7, "a number alone is a protocol, and 3306 is out of range (1 to 255)",
         "write 3306/tcp for the port"},
	{"allow 65536", 7, "the protocol 65536 is out of range", "it is a number from 1 to 255"},
	{"allow 006", 7, "the protocol \"006\" has a leading zero",
         "write it without; some programs read such a number as octal"},

	/* icmp */
	{"allow icmp/255", 12, "the icmp type 255 is not possible: the kernel reads it as every type",
         "leave the type out for every type"},
	{"allow icmp/256", 12, "the icmp type 256 is out of range", "it is a number from 0 to 254"},
	{"allow icmp/", 12, "expected the icmp type", "it is a number from 0 to 254"},
	{"allow icmpv6/echo-requst", 14, "\"echo-requst\" is no icmp type", "did you mean echo-request?"},
	{"allow icmp/ping", 12, "\"ping\" is no icmp type", TYPES},
	{"allow icmp/any", 12, "\"any\" is no icmp type", TYPES},
	{"allow icmp/3/256", 14, "the icmp code 256 is out of range", "it is a number from 0 to 255"},
	{"allow icmp/3/", 14, "expected the icmp code", "it is a number from 0 to 255"},
	{"allow icmp/3/1/1", 14, "expected the icmp code, not \"1/1\"", "it is a number from 0 to 255"},
	{"allow icmp / 8", 12, CLAUSE "\"/\"", ""},

	/* peers */
	{"allow 22/tcp from", 18, PEER "the end of the rule", ""},
	{"allow 22/tcp from log", 19, PEER "\"log\"", ""},
	{"allow 22/tcp from , 10.0.0.1", 19, PEER "\",\"", ""},
	{"allow 22/tcp from 10.0.0.1,", 28, PEER "the end of the rule", ""},
	{"allow 22/tcp from 10.0.0.1, # more", 28, PEER "the end of the rule", ""},
	{"allow 22/tcp from 10.0.0.1 10.0.0.2", 28, CLAUSE "\"10.0.0.2\"", "peers are separated by commas"},
	{"allow 22/tcp from 10.0.0.1/8", 19, "the prefix \"10.0.0.1/8\" has host bits set", "write 10.0.0.0/8"},
	{"allow 22/tcp from 2001:DB8::1/32", 19, "the prefix \"2001:DB8::1/32\" has host bits set",
         "write 2001:db8::/32"},
	{"allow 22/tcp from 10.0.0.1/0", 19, "the prefix \"10.0.0.1/0\" has host bits set", "write 0.0.0.0/0"},
	{"allow 22/tcp from 10.0.0.0/33", 19, "\"10.0.0.0/33\" is no address or prefix",
         "the length of a prefix of this family is a number from 0 to 32"},
	{"allow 22/tcp from ::/129", 19, "\"::/129\" is no address or prefix",
         "the length of a prefix of this family is a number from 0 to 128"},
	{"allow 22/tcp from 10.0.0.0/", 19, "\"10.0.0.0/\" is no address or prefix",
         "the length of a prefix of this family is a number from 0 to 32"},
	{"allow 22/tcp from 10.0.0.0/255.0.0.0", 19, "\"10.0.0.0/255.0.0.0\" is no address or prefix",
         "write 10.0.0.0/8"},
	{"allow 22/tcp from 10.0.0.9/255.255.255.255", 19, "\"10.0.0.9/255.255.255.255\" is no address or prefix",
         "write 10.0.0.9"},
	{"allow 22/tcp from 10.0.0.0/255.0.255.0", 19, "\"10.0.0.0/255.0.255.0\" is no address or prefix",
         "the length of a prefix of this family is a number from 0 to 32"},
	{"allow 22/tcp from 10.0.0", 19, "\"10.0.0\" is no address or prefix", V4},
	{"allow 22/tcp from 10.0.0.256", 19, "\"10.0.0.256\" is no address or prefix", V4},
	{"allow 22/tcp from 010.0.0.1", 19, "\"010.0.0.1\" is no address or prefix", V4},
	{"allow 22/tcp from fe80::1%eth0", 19, "\"fe80::1%eth0\" is no address or prefix",
         "an interface is named by a clause: on eth0"},
	{"allow 22/tcp from [::1]", 19, "\"[::1]\" is no address or prefix", V6},
	{"allow 22/tcp from 1:2:3", 19, "\"1:2:3\" is no address or prefix", V6},
	{"allow 22/tcp from 10.*", 19, "\"10.*\" is no address with stars", OCTETS},
	{"allow 22/tcp from 10.*.1.*", 19, "\"10.*.1.*\" is no address with stars", OCTETS},
	{"allow 22/tcp from *.*.*.1", 19, "\"*.*.*.1\" is no address with stars", OCTETS},
	{"allow 22/tcp from 10.*.*.*.*", 19, "\"10.*.*.*.*\" is no address with stars", OCTETS},
	{"allow 22/tcp from 256.*.*.*", 19, "\"256.*.*.*\" is no address with stars", OCTETS},
	{"allow 22/tcp from 10.1*.*.*", 19, "\"10.1*.*.*\" is no address with stars", OCTETS},
	{"allow 22/tcp from 10.*.*.*/8", 19, "\"10.*.*.*/8\" is no address with stars", OCTETS},
	{"allow 22/tcp from *", 19, "\"*\" is no address with stars", OCTETS},
	{"allow 22/tcp from 10.0.0.9-10.0.0.1", 19, "the range \"10.0.0.9-10.0.0.1\" ends before it begins",
         "write 10.0.0.1-10.0.0.9"},
	{"allow 22/tcp from 10.0.0.1-::1", 19, "the range \"10.0.0.1-::1\" begins in one family and ends in the other",
         ""},
	{"allow 22/tcp from 10.0.0.1-", 28, "expected an address on both sides of \"-\"", RANGE},
	{"allow 22/tcp from 10.0.0.1-9", 28, "expected an address, not \"9\"", RANGE},
	{"allow 22/tcp from 10.0.0.0/8-11.0.0.0/8", 19, "expected an address, not \"10.0.0.0/8\"", RANGE},
	{"allow 22/tcp from 10.0.0.1 - 10.0.0.9", 28, CLAUSE "\"-\"",
         "no space stands inside a range: 10.0.0.1-10.0.0.9"},
	{"allow 22/tcp from office", 19, PEER "\"office\"",
         "a name needs its kind before it: role:office, network:office or machine:office"},
	{"allow 22/tcp from web-1", 19, PEER "\"web-1\"",
         "a name needs its kind before it: role:web-1, network:web-1 or machine:web-1"},
	{"allow 22/tcp from slef", 19, PEER "\"slef\"", "did you mean self?"},
	{"allow 22/tcp from !10.0.0.1", 19, PEER "\"!10.0.0.1\"", ""},
	{"allow 22/tcp from rol:app", 19, PEER "\"rol:app\"", "did you mean role:?"},
	{"allow 22/tcp from group:app", 19, PEER "\"group:app\"", ""},
	{"allow 22/tcp from role:", 24, "expected a name right behind the colon",
         "for example role:web, without a space"},
	{"allow 22/tcp from role:-a", 24, "\"-a\" is not a valid role name", NAMES},
	{"allow 22/tcp from role:a/", 26, "the address label name is empty", ""},
	{"allow 22/tcp from role:a/b/c", 26, "\"b/c\" is not a valid address label name", NAMES},
	{"allow 22/tcp from network:a/b", 27, "\"a/b\" is not a valid network name", NAMES},
	{"allow 22/tcp from machine:a_b", 27, "\"a_b\" is not a valid machine name", HOSTS},
	{"allow 22/tcp from machine:1.2.3.4", 27,
         "\"1.2.3.4\" is not a valid machine name: it reads as an IPv4 address",
         "name the machine, and give it this address"},

	/* other clauses */
	{"allow 22/tcp form 10.0.0.1", 14, CLAUSE "\"form\"", "did you mean from?"},
	{"allow 22/tcp source 10.0.0.1", 14, CLAUSE "\"source\"", "did you mean from?"},
	{"allow 22/tcp allow 23/tcp", 14, CLAUSE "\"allow\"", "write one rule a line"},
	{"allow all tcp", 11, CLAUSE "\"tcp\"", ""},
	{"allow tcp udp", 11, CLAUSE "\"udp\"", ""},
	{"allow 47 50", 10, CLAUSE "\"50\"", ""},
	{"allow 22/tcp 23/tcp", 14, CLAUSE "\"23/tcp\"", ""},
	{"allow icmp 8", 12, CLAUSE "\"8\"", ""},
	{"allow icmp/8 0", 14, CLAUSE "\"0\"", ""},
	{"allow icmp/3/1 1", 16, CLAUSE "\"1\"", ""},
	{"allow mysql redis", 13, CLAUSE "\"redis\"", ""},
	{"allow tcp log x", 15, CLAUSE "\"x\"", ""},
	{"allow tcp on eth0 x", 19, CLAUSE "\"x\"", ""},
	{"allow tcp limit 5/day x", 23, CLAUSE "\"x\"", ""},
	{"allow tcp since 2026-01-01 x", 28, CLAUSE "\"x\"", ""},
	{"allow tcp until 2026-01-01 x", 28, CLAUSE "\"x\"", ""},
	{"allow tcp to any x", 18, CLAUSE "\"x\"", "peers are separated by commas"},
	{"allow tcp, udp", 10, CLAUSE "\",\"", ""},
	{"allow 22/tcp on", 16, "expected the name of an interface, not the end of the rule", ""},
	{"allow 22/tcp on eth0,eth1", 21, CLAUSE "\",\"", ""},
	{"allow 22/tcp on +", 17, "\"+\" is no name of an interface",
         "it has 1 to 15 of A-Z a-z 0-9 _ . @ : - and may end in + as a wildcard, like eth0 or wg+"},
	{"allow 22/tcp on e+h", 17, "\"e+h\" is no name of an interface",
         "it has 1 to 15 of A-Z a-z 0-9 _ . @ : - and may end in + as a wildcard, like eth0 or wg+"},
	{"allow 22/tcp on abcdefghijklmnop", 17, "\"abcdefghijklmnop\" is no name of an interface",
         "it has 1 to 15 of A-Z a-z 0-9 _ . @ : - and may end in + as a wildcard, like eth0 or wg+"},
	{"allow 22/tcp limit", 19, "expected a rate like 10/minute, not the end of the rule", ""},
	{"allow 22/tcp limit 0/minute", 20, "the limit 0 is out of range", "it is a number from 1 to 1000"},
	{"allow 22/tcp limit 1001/minute", 20, "the limit 1001 is out of range", "it is a number from 1 to 1000"},
	{"allow 22/tcp limit 5", 21, "expected /second, /minute, /hour or /day right behind the number",
         "for example limit 5/minute"},
	{"allow 22/tcp limit 5/min", 22, "expected second, minute, hour or day, not \"min\"", "did you mean minute?"},
	{"allow 22/tcp limit 5/s", 22, "expected second, minute, hour or day, not \"s\"", "did you mean second?"},
	{"allow 22/tcp limit 5/hours", 22, "expected second, minute, hour or day, not \"hours\"", "did you mean hour?"},
	{"allow 22/tcp limit 5/week", 22, "expected second, minute, hour or day, not \"week\"",
         "for example limit 10/minute"},
	{"allow 22/tcp limit x/day", 20, "expected the limit, not \"x\"", "it is a number from 1 to 1000"},
	{"deny 22/tcp limit 5/minute", 13, "limit does not go with deny",
         "above its rate a rule does not match, so a limited deny would let floods in; limit an allow rule instead"},
	{"reject all from self limit 5/minute", 22, "limit does not go with reject",
         "above its rate a rule does not match, so a limited deny would let floods in; limit an allow rule instead"},
	{"allow 22/tcp since", 19, "expected a time like 2026-03-01T12:00:00Z, not the end of the rule", ""},
	{"allow 22/tcp since tomorrow", 20, "\"tomorrow\" is no time", TIME},
	{"allow 22/tcp until 2026-02-29", 20, "\"2026-02-29\" is no time", TIME},
	{"allow 22/tcp until 2026-01-01T00:00:00.5Z", 20, "\"2026-01-01T00:00:00.5Z\" is no time", TIME},
	{"allow 22/tcp until 2026-03-01 12:00", 20, "no space stands inside a time", "write 2026-03-01T12:00"},
	{"allow 22/tcp since 2026-03-01 until 2026-03-01", 31,
         "the rule ends before it begins: until must be later than since",
         "it counts from since until just before until"},
	{"allow 22/tcp until 2026-03-01T01:00+02:00 since 2026-03-01", 14,
         "the rule ends before it begins: until must be later than since",
         "it counts from since until just before until"},

	/* once each */
	{"allow 22/tcp log log", 18, "log stands twice in a rule", "leave one of them out"},
	{"allow 22/tcp on a on b", 19, "on stands twice in a rule", "leave one of them out"},
	{"allow 22/tcp from 10.0.0.1 from 10.0.0.2", 28, "from stands twice in a rule",
         "separate several peers by commas"},
	{"allow 22/tcp from self to self", 24, "a rule has either from or to",
         "from speaks of packets coming in, to of packets going out; write one rule for each"},
	{"allow 22/tcp to any from any", 21, "a rule has either from or to",
         "from speaks of packets coming in, to of packets going out; write one rule for each"},

	/* bytes */
	{"allow 22\xe2\x80\x93"
         "23/tcp",
         9, "a rule is written in ASCII; only its comment may hold other characters",
         "this is a dash; write - (the minus sign of the keyboard)"},
	{"allow\xc2\xa0"
         "22/tcp",
         6, "a rule is written in ASCII; only its comment may hold other characters",
         "this is a no-break space; write a plain one"},
	{"allow m\xc3\xbcsql", 8, "a rule is written in ASCII; only its comment may hold other characters", ""},
	{"allow 22/tcp # \xff", 16, "the byte \\xff is not UTF-8", ""},
	{"allow 22/tcp \xc3", 14, "the byte \\xc3 is not UTF-8", ""},
	{"allow 22/tcp # a\nallow all", 17, "a rule is one line; here is a line break in it", "write one rule a line"},
	{"allow 22/tcp\n", 13, "a rule is one line; here is a line break in it", "write one rule a line"},
	{"allow\v22/tcp", 6, "the control character \\x0b can't stand in a rule", ""},
	{"allow 22/tcp # \x1b[31m", 16, "the control character \\x1b can't stand in a rule", ""},
	{"allow 22/tcp\r log", 13, "the control character \\x0d can't stand in a rule", ""},
	{"allow 22/tcp \x7f", 14, "the control character \\x7f can't stand in a rule", ""},
};

static void check_fault(size_t i)
{
	struct error *error = parse(str_of(bad[i].line));

	ck_assert_msg(error != NULL, "\"%s\" is taken", bad[i].line);
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert_msg(str_is(error->message, bad[i].message), "\"%s\": %.*s", bad[i].line, STR_ARG(error->message));
	ck_assert_msg(error->place.column == bad[i].column, "\"%s\": column %u", bad[i].line, error->place.column);
	ck_assert_msg(str_is(error->hint, bad[i].hint), "\"%s\": hint %.*s", bad[i].line, STR_ARG(error->hint));
	ck_assert(str_starts(str_of(bad[i].line), error->place.text));
	ck_assert_msg(error->next == NULL, "\"%s\": also %.*s", bad[i].line, STR_ARG(error->next->message));
}

START_TEST(names_place_reason_and_remedy)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_fault(i);
}
END_TEST

static const struct {
	const char *line;
	unsigned columns[6]; /* of all its faults, 0 ends */
} several[] = {
	{"alow 70000/tcp from 10.0.0.1/8, slef limit 0/day until never", {1, 6, 21, 33, 44, 56}},
	{"allow 70000,80-70/gre log log", {7, 13, 19, 27}},
	{"allow icmp/255 from role:A!, machine:b_c, 10.0.0.0/8", {12, 26, 38}},
	{"allow tcp/22 on + limit 5 since x", {7, 17, 26, 33}},
	{"deny 22/tcp limit 5/day since 2026-01-02 until 2026-01-01", {13, 42}},
	{"allow from self from self", {7, 17}},
	{"allow 22/tcp from role:-/-", {24, 26}},
	{"allow 22/tcp to 1.2.3.4.5, 6.7.8.9.10 from self from x", {17, 28, 39, 49, 54}},
};

static void check_faults(size_t i)
{
	const struct error *error = parse(str_of(several[i].line));

	for (size_t j = 0; j < 6 && several[i].columns[j] != 0; j++) {
		ck_assert_msg(error != NULL, "\"%s\": fault %zu is missing", several[i].line, j);
		ck_assert_msg(error->place.column == several[i].columns[j], "\"%s\": fault %zu in column %u",
		              several[i].line, j, error->place.column);
		error = error->next;
	}
	ck_assert_msg(error == NULL, "\"%s\": also %.*s", several[i].line, error == NULL ? 0 : (int)error->message.n,
	              error == NULL ? "" : error->message.p);
}

START_TEST(shows_all_faults_at_once)
{
	for (size_t i = 0; i < sizeof several / sizeof *several; i++)
		check_faults(i);
}
END_TEST

START_TEST(refuses_nul)
{
	struct error *error = parse(STR("allow 22/tcp\0 log"));

	ck_assert_ptr_nonnull(error);
	ck_assert_uint_eq(error->place.column, 13);
	ck_assert(str_is(error->message, "a NUL byte can't stand in a rule"));
}
END_TEST

/* --- long lines --- */

static struct str repeated(const char *head, const char *piece, size_t count, const char *tail)
{
	struct buf buf = buf_new(arena);

	buf_add(&buf, str_of(head));
	for (size_t i = 0; i < count; i++)
		buf_add(&buf, str_of(piece));
	buf_add(&buf, str_of(tail));
	return buf_str(&buf);
}

START_TEST(takes_lines_of_64_kib_and_no_longer)
{
	struct str most = repeated("allow 22/tcp from any", " ", 65536 - 24, "log");
	struct error *error;

	ck_assert_uint_eq(most.n, 65536);
	ck_assert_ptr_null(parse(most));
	error = parse(repeated("allow 22/tcp from any", " ", 65536 - 23, "log"));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(str_is(error->message, "the line is 65537 bytes long; a rule has at most 65536"), "%.*s",
	              STR_ARG(error->message));
	ck_assert_uint_gt(error->hint.n, 0);
	/* Blanks behind the rule do not count. */
	ck_assert_ptr_null(parse(repeated("allow 22/tcp", " ", 70000, "")));
}
END_TEST

START_TEST(takes_only_what_can_be_written_out)
{
	struct buf buf = buf_new(arena);
	struct rule rule;
	struct error *error;
	bool stored;

	/* 6,540 neighbours that are not joined: ", " between them makes the text longer than the line. */
	buf_add(&buf, STR("allow 22/tcp from 0.0.0.1"));
	for (unsigned i = 1; buf.n < 65530 - 12; i++)
		buf_format(&buf, ",%u.%u.%u.1", i >> 16, i >> 8 & 255, i & 255);
	error = rule_parse(arena, buf_str(&buf), &rule, &stored, NULL);
	ck_assert_ptr_nonnull(error);
	ck_assert(str_starts(error->message, STR("the rule is ")) &&
	          str_ends(error->message, STR("bytes long when it is written out; it may have 65536")));
	buf.n = 50000;
	while (buf.p[buf.n - 1] != ',')
		buf.n--;
	buf.n--;
	ck_assert_ptr_null(rule_parse(arena, buf_str(&buf), &rule, &stored, NULL));
	ck_assert_uint_gt(rule.peer_count, 4000);
	ck_assert_ptr_null(parse(rule_text(arena, &rule)));
}
END_TEST

START_TEST(says_little_about_much)
{
	struct error *error = parse(repeated("allow 22/tcp from ", "10.0.0.1/8,", 5900, "x"));
	struct buf buf = buf_new(arena);

	ck_assert_uint_eq(error_count(error), 21);
	error_print(&buf, STR("error: "), error);
	ck_assert_uint_lt(buf.n, 21 * 500);
	error = parse(repeated("allow ", "x", 60000, ""));
	ck_assert_uint_eq(error_count(error), 1);
	ck_assert_uint_lt(error->message.n, 200);
	error = parse(repeated("allow 22/tcp from ", "9", 60000, ""));
	ck_assert_uint_eq(error_count(error), 1);
	ck_assert_uint_lt(error->message.n + error->hint.n, 300);
	error = parse(repeated("", "x", 60000, ""));
	ck_assert_uint_lt(error->message.n, 200);
}
END_TEST

START_TEST(takes_comments_of_1000_characters)
{
	struct error *error;

	ck_assert_ptr_null(parse(repeated("allow 22/tcp # ", "\xe2\x82\xac", 1000, "")));
	error = parse(repeated("allow 22/tcp # ", "\xe2\x82\xac", 1001, ""));
	ck_assert_ptr_nonnull(error);
	ck_assert_uint_eq(error->place.column, 14);
	ck_assert_msg(str_is(error->message, "the comment is 1001 characters long; at most 1000 are kept"), "%.*s",
	              STR_ARG(error->message));
	/* Where there is no rule to keep it with, it may be as long as it likes. */
	ck_assert_ptr_null(parse(repeated("# ", "x", 5000, "")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule_bad");
	TCase *tcase = tcase_create("rule_bad");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_test(tcase, names_place_reason_and_remedy);
	tcase_add_test(tcase, shows_all_faults_at_once);
	tcase_add_test(tcase, refuses_nul);
	tcase_add_test(tcase, takes_lines_of_64_kib_and_no_longer);
	tcase_add_test(tcase, takes_only_what_can_be_written_out);
	tcase_add_test(tcase, says_little_about_much);
	tcase_add_test(tcase, takes_comments_of_1000_characters);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
