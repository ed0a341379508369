/* What becomes of hosts' filters: small ones, with the rules that they give and the fate of each line; names of peers;
 * sets; what is refused. */
#include <check.h>
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "rounds.h"
#include "suite_main.h"
#include "taken_over.h"
#include "takeover.h"

static struct arena *arena;
static struct takeover *takeover;
static struct fleet present, wanted;
static struct settings settings;

static void setup(void)
{
	arena = arena_new();
	packets_begin();
	settings = settings_default();
	present = (struct fleet){.clock = 0};
}

static void teardown(void)
{
	packets_end();
	arena_free(arena);
	error_forget_all();
}

/* --- asking --- */

static struct error *read_them(const struct takeover_file *files, size_t count)
{
	return takeover_read(arena, files, count, &takeover);
}

static void take_over(const struct takeover_file *files, size_t count)
{
	takeover = taken_over(arena, files, count, &settings, &present, &wanted);
}

static struct str rules_of(const char *machine)
{
	return rules_text(arena, &wanted, machine_role_name(arena, str_of(machine)));
}

/* A letter a line: represented, by housekeeping, unreached, left out; a point where it says nothing. */
static struct str fates_of(const struct text *text)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < text->line_count; i++)
		buf_char(&buf, ".uhrx"[text->lines[i].kind]);
	return buf_str(&buf);
}

static void gives_str(struct str got, const char *expected)
{
	ck_assert_msg(str_is(got, expected), "got:\n%.*s\nexpected:\n%s", STR_ARG(got), expected);
}

#define HEAD "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define HEAD_FATES ".rrr"

/* --- lines and rules --- */

struct sample_filter {
	const char *rules; /* behind HEAD */
	const char *fates; /* of these */
	const char *give;
	bool proved;
};

static const struct sample_filter samples[] = {
	/* what a rule says as it stands */
	{"-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n", "r", "allow 22/tcp from 0.0.0.0/0\n", true},
	{"-A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 80,443 -m comment --comment \"web\" -j ACCEPT\n", "r",
         "allow 80,443/tcp from 10.0.0.0/8 # web\n", true},
	{"-A INPUT -i eth1 -p udp -j ACCEPT\n-A INPUT -p esp -j ACCEPT\n-A INPUT -i vpn+ -j ACCEPT\n", "rrr",
         "allow all from 0.0.0.0/0 on vpn+\nallow esp from 0.0.0.0/0\nallow udp from 0.0.0.0/0 on eth1\n", true},
	{"-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT\n-A INPUT -p icmp -m icmp --icmp-type 3/1 -j ACCEPT\n", "rr",
         "allow icmpv4/destination-unreachable/1\nallow icmpv4/echo-request\n", true},
	/* lists */
	{"-A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 22 -j ACCEPT\n"
         "-A INPUT -s 10.0.0.2/32 -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n-A "
         "INPUT -s 10.0.0.4/32 -p tcp -m tcp --dport 22 -j "
         "ACCEPT\n",
         "rrrr", "allow 22/tcp from 10.0.0.1, 10.0.0.2, 10.0.0.4\nallow 80/tcp from 0.0.0.0/0\n", true},
	/* housekeeping has it anyway */
	{"-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
         "-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -p udp -m udp --sport 67 --dport 68 -j ACCEPT\n",
         "hhhh", "", true},
	/* which knows nothing of what conntrack does not track, but on lo */
	{"-A INPUT -i lo -m conntrack --ctstate NEW,UNTRACKED -j ACCEPT\n"
         "-A INPUT -m state --state UNTRACKED -j ACCEPT\n"
         "-A INPUT -m conntrack --ctstate ESTABLISHED,UNTRACKED -j ACCEPT\n",
         "hxh", "", true},
	/* a rule that refuses, before what it refuses is let in, and behind it */
	{"-A INPUT -s 192.0.2.0/24 -j DROP\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n", "rr",
         "allow 80/tcp from 0.0.0.0/0\ndeny all from 192.0.2.0/24\n", true},
	{"-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n-A INPUT -s 192.0.2.0/24 -j DROP\n", "rr",
         "allow 80/tcp from 0.0.0.0/0\n", true},
	{"-A INPUT -s 10.0.0.0/16 -p tcp -m tcp --dport 80 -j ACCEPT\n-A INPUT -s 10.0.0.0/8 -j DROP\n"
         "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n",
         "rrr", "allow 80/tcp from 0.0.0.0-10.0.255.255, 11.0.0.0-255.255.255.255\n", true},
	/* answers */
	{"-A INPUT -p tcp -m tcp --dport 113 -j REJECT --reject-with tcp-reset\n", "r",
         "reject 113/tcp from 0.0.0.0/0\n", true},
	{"-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n", "rx",
         "allow 22/tcp from 0.0.0.0/0\n", true},
	/* logs */
	{"-A INPUT -s 192.0.2.0/24 -m limit --limit 3/min -j LOG\n"
         "-A INPUT -s 192.0.2.0/24 -j DROP\n-A INPUT -j ACCEPT\n",
         "rrr", "allow all from 0.0.0.0/0\ndeny all from 192.0.2.0/24 log\n", true},
	{"-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -m limit --limit 3/min -j LOG\n", "rr",
         "allow 22/tcp from 0.0.0.0/0\n", true},
	/* limits */
	{"-A INPUT -p tcp -m tcp --dport 22 -m hashlimit --hashlimit-upto 4/min --hashlimit-burst 4 "
         "--hashlimit-mode srcip --hashlimit-name ssh -j ACCEPT\n",
         "r", "allow 22/tcp from 0.0.0.0/0 limit 4/minute\n", true},
	{"-A INPUT -p tcp -m tcp --dport 22 -m hashlimit --hashlimit-upto 4/min --hashlimit-burst 9 "
         "--hashlimit-mode srcip --hashlimit-name ssh -j ACCEPT\n",
         "x", "", false},
	/* what rules have no words for lets nothing in, */
	{"-A INPUT -p udp -m udp --sport 53 -j ACCEPT\n-A INPUT -d 192.0.2.1/32 -j ACCEPT\n"
         "-A INPUT -m recent --rcheck --name x -j ACCEPT\n",
         "xxx", "", false},
	/* and keeps shut what it may refuse */
	{"-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 -j DROP\n"
         "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n",
         "xxr", "allow 80/tcp from 0.0.0.0/0\n", false},
	/* two that look at the source port are whole together */
	{"-A INPUT -p tcp -m tcp --sport 0:1023 --dport 22 -j ACCEPT\n"
         "-A INPUT -p tcp -m tcp --sport 1024:65535 --dport 22 -j ACCEPT\n",
         "rr", "allow 22/tcp from 0.0.0.0/0\n", true},
	/* no connection is opened by these */
	{"-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP\n"
         "-A INPUT -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT\n",
         "xr", "allow 22/tcp from 0.0.0.0/0\n", true},
	/* nothing comes there */
	{"-A INPUT -j DROP\n-A INPUT -p tcp -j ACCEPT\n", "ru", "", true},
	/* chains: back out of them, by goto, from several rules */
	{":in - [0:0]\n-A INPUT -i eth0 -j in\n-A INPUT -i eth1 -j in\n-A in -s 10.0.0.9/32 -j RETURN\n"
         "-A in -p tcp -m tcp --dport 22 -j ACCEPT\n",
         "rrrrr",
         "allow 22/tcp from 0.0.0.0-10.0.0.8, 10.0.0.10-255.255.255.255 on eth0\n"
         "allow 22/tcp from 0.0.0.0-10.0.0.8, 10.0.0.10-255.255.255.255 on eth1\n",
         true},
	{":in - [0:0]\n-A INPUT -s 10.0.0.0/8 -g in\n-A INPUT -j ACCEPT\n-A in -p tcp -j ACCEPT\n", "rrrr",
         "allow all from 0.0.0.0-9.255.255.255, 11.0.0.0-255.255.255.255\nallow tcp from 0.0.0.0/0\n", true},
	{":never - [0:0]\n-A never -j ACCEPT\n", "uu", "", true},
	/* outbound: open but for a rule; closed */
	{"-A OUTPUT -d 192.0.2.1/32 -j DROP\n", "r", "deny all to 192.0.2.1\n", true},
	{"-A OUTPUT -o lo -j ACCEPT\n-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT\n-A OUTPUT -j DROP\n", "hrr",
         "allow 53/udp to 0.0.0.0/0\n", true},
	/* other tables, forwarding */
	{"COMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j ACCEPT\nCOMMIT\n*raw\n:PREROUTING ACCEPT [0:0]\n",
         "..xx..r", "", true},
	{"-A FORWARD -i eth0 -j ACCEPT\n", "x", "", true},
	/* what a rule refuses is said by no other, where that makes nothing simpler */
	{"-A INPUT -s 192.0.2.0/24 -j DROP\n-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\n"
         "-A INPUT -p tcp -m tcp --dport 20:25 -j DROP\n-A INPUT -p tcp -m tcp --dport 20:30 -j ACCEPT\n",
         "rrrr",
         "allow 22/tcp from 10.0.0.0/8\nallow 26-30/tcp from 0.0.0.0/0\ndeny all from 192.0.2.0/24\n", true},
	/* the interface stands in another chain */
	{":A - [0:0]\n-A INPUT -i eth0 -j A\n-A INPUT -i eth1 -p tcp -m tcp --dport 80 -j ACCEPT\n"
         "-A A -p tcp -m tcp --dport 22 -j ACCEPT\n-A A -s 10.0.0.0/8 -j ACCEPT\n",
         "rrrrr",
         "allow 22/tcp from 0.0.0.0/0 on eth0\nallow 80/tcp from 0.0.0.0/0 on eth1\n"
         "allow all from 10.0.0.0/8 on eth0\n", true},
};

START_TEST(samples_come_out)
{
	const struct sample_filter *sample = &samples[_i];
	struct str text = str_format(arena, HEAD "%sCOMMIT\n", sample->rules);
	struct takeover_file file = {STR("m"), STR("rules.v4"), text};
	struct str fates = str_format(arena, HEAD_FATES "%s..", sample->fates), got;

	take_over(&file, 1);
	got = fates_of(&takeover->hosts[0].texts[0]);
	gives_str(rules_of("m"), sample->give);
	/* an unused FORWARD declaration is left out with what it forwards */
	if (str_starts(str_of(sample->rules), STR("-A FORWARD")))
		fates = str_format(arena, ".rxr%s..", sample->fates);
	ck_assert_msg(str_eq(got, fates), "%s: %.*s, not %.*s", sample->rules, STR_ARG(got), STR_ARG(fates));
	ck_assert_int_eq(takeover->hosts[0].proved, sample->proved);
}
END_TEST

/* --- both families --- */

START_TEST(families_join)
{
	static const char v4[] = HEAD "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p icmp -j ACCEPT\n"
				      "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n";
	static const char v6[] = HEAD "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p ipv6-icmp -j ACCEPT\n"
				      "-A INPUT -s 2001:db8::/32 -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n";
	struct takeover_file files[] = {{STR("m"), STR("one"), str_of(v4)}, {STR("m"), STR("two"), str_of(v6)}};

	take_over(files, 2);
	gives_str(rules_of("m"), "allow 22/tcp\nallow 80/tcp from 10.0.0.0/8, 2001:db8::/32\nallow icmp\n");
	ck_assert(takeover->hosts[0].proved);
	ck_assert_ptr_null(takeover_remarks(takeover));
}
END_TEST

static const struct {
	const char *name, *text;
	enum text_kind kind;
} kinds[] = {
	{"x", "# Generated by ip6tables-save v1.8.9\n" HEAD "COMMIT\n", TEXT_RULES_6},
	{"x", "# Generated by iptables-save v1.8.9\n" HEAD "COMMIT\n", TEXT_RULES_4},
	{"x", HEAD "-A INPUT -p ipv6-icmp -j ACCEPT\nCOMMIT\n", TEXT_RULES_6},
	{"x", HEAD "-A INPUT -s fd00::/8 -j ACCEPT\nCOMMIT\n", TEXT_RULES_6},
	{"x.v6", HEAD "-A INPUT -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n", TEXT_RULES_4},
	{"x.v6", HEAD "COMMIT\n", TEXT_RULES_6},
	{"/a.v6/x.v4", HEAD "COMMIT\n", TEXT_RULES_4},
	{"x", HEAD "COMMIT\n", TEXT_RULES_4},
	{"x", "create a hash:net family inet\n", TEXT_SETS},
	{"x", "", TEXT_SETS},
};

START_TEST(kinds_are_told)
{
	struct takeover_file file = {STR("m"), str_of(kinds[_i].name), str_of(kinds[_i].text)};
	struct error *error = read_them(&file, 1);

	ck_assert(kinds[_i].kind == TEXT_SETS ? error != NULL : error == NULL);
	ck_assert_int_eq(takeover->hosts[0].texts[0].kind, kinds[_i].kind);
}
END_TEST

START_TEST(faults_are_told)
{
	struct takeover_file bad[] = {
		{STR("m"), STR("rules.v4"), STR(HEAD "-A INPUT -p tcp --dprt 22 -j ACCEPT\nCOMMIT\n")}};
	struct takeover_file twice[] = {{STR("m"), STR("a.v4"), STR(HEAD "COMMIT\n")},
	                                {STR("M"), STR("b.v4"), STR(HEAD "COMMIT\n")}};
	struct takeover_file set[] = {
		{STR("m"), STR("a.v4"), STR(HEAD "-A INPUT -m set --match-set b src -j ACCEPT\nCOMMIT\n")},
		{STR("m"), STR("sets"), STR("create a hash:ip\n")}};
	struct takeover_file name[] = {{STR("-m"), STR("a.v4"), STR(HEAD "COMMIT\n")}};
	struct error *error = read_them(bad, 1);

	ck_assert(error != NULL && error->kind == ERROR_INPUT && error->place.line == 5);
	ck_assert_ptr_nonnull(read_them(twice, 2));
	ck_assert_ptr_nonnull(read_them(set, 2));
	ck_assert_ptr_nonnull(read_them(name, 1));
}
END_TEST

/* Without a filter table nobody knows what runs: nothing is let in, and nothing is proved. */
START_TEST(no_table)
{
	struct takeover_file file = {STR("m"), STR("a.v4"), STR("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n")};

	take_over(&file, 1);
	gives_str(rules_of("m"), "");
	ck_assert(!takeover->hosts[0].proved);
	ck_assert_ptr_nonnull(takeover_remarks(takeover));
}
END_TEST

/* What another role of the machine lets in beside is told, with the role. */
START_TEST(others_are_wider)
{
	static const char wide[] = "roles = ( { name = \"wide\"; selector = { }; rules = [ \"allow 9100/tcp\" ]; } );";
	struct takeover_file file = {STR("m"), STR("a.v4"), STR(HEAD "-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n")};
	struct takeover_summary *summary;
	struct error *warnings = NULL;

	ck_assert_ptr_null(document_read(arena, STR("wide.conf"), str_of(wide), &present, &warnings));
	take_over(&file, 1);
	ck_assert_uint_eq(takeover_summaries(takeover, &summary), 1);
	ck_assert_uint_eq(summary->wider_count, 1);
	ck_assert(!summary->proved && str_ends(summary->wider[0], STR("by role wide")));
}
END_TEST

/* --- peers with names --- */

static const char fleet[] = "roles = ( { name = \"app\"; }, { name = \"all\"; selector = { }; } );\n"
			    "machines = (\n"
			    "  { name = \"app1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"app\" ]; },\n"
			    "  { name = \"app2\"; addresses = [ \"10.0.0.2\", \"10.0.0.3\" ]; roles = [ \"app\" ]; },\n"
			    "  { name = \"both\"; addresses = [ \"10.0.0.4\", \"2001:db8::4\" ]; },\n"
			    "  { name = \"off\"; addresses = [ \"10.0.0.5\" ]; enabled = false; },\n"
			    "  { name = \"twin1\"; addresses = [ \"10.0.0.6\" ]; },\n"
			    "  { name = \"twin2\"; addresses = [ \"10.0.0.6\" ]; } );\n";

static const struct {
	const char *sources; /* of 22/tcp, one a line */
	const char *give;
} named[] = {
	{"10.0.0.1", "allow 22/tcp from machine:app1\n"},
	{"10.0.0.1 10.0.0.9", "allow 22/tcp from 10.0.0.9, machine:app1\n"},
	{"10.0.0.3 10.0.0.1 10.0.0.2", "allow 22/tcp from role:app\n"},
	{"10.0.0.2", "allow 22/tcp from 10.0.0.2\n"},
	{"10.0.0.2 10.0.0.3", "allow 22/tcp from machine:app2\n"},
	{"10.0.0.4", "allow 22/tcp from 10.0.0.4\n"},
	{"10.0.0.5", "allow 22/tcp from 10.0.0.5\n"},
	{"10.0.0.6", "allow 22/tcp from 10.0.0.6\n"},
};

START_TEST(peers_have_names)
{
	struct buf buf = buf_new(arena);
	struct str rest = str_of(named[_i].sources), source;
	struct takeover_file file = {STR("m"), STR("rules.v4"), {0}};
	struct error *warnings = NULL;

	ck_assert_ptr_null(document_read(arena, STR("fleet.conf"), str_of(fleet), &present, &warnings));
	present.clock = 0;
	for (size_t i = 0; i < present.machine_count; i++)
		if ((present.machines[i].given & GIVEN_ENABLED) == 0)
			present.machines[i].enabled = true;
	buf_add(&buf, STR(HEAD));
	while (str_cut(&rest, ' ', &source))
		buf_format(&buf, "-A INPUT -s %.*s/32 -p tcp -m tcp --dport 22 -j ACCEPT\n", STR_ARG(source));
	buf_add(&buf, STR("COMMIT\n"));
	file.text = buf_str(&buf);
	take_over(&file, 1);
	gives_str(rules_of("m"), named[_i].give);
	ck_assert(takeover->hosts[0].proved);
}
END_TEST

/* --- sets --- */

static const char set_rules[] = HEAD "-A INPUT -m set --match-set Bad_Guys src -j DROP\n"
				     "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n";

START_TEST(sets_are_networks)
{
	static const char sets[] = "create Bad_Guys hash:net family inet\nadd Bad_Guys 192.0.2.0/24\n"
				   "add Bad_Guys 198.51.100.7\ncreate idle hash:ip family inet\nadd idle 10.0.0.1\n";
	struct takeover_file files[] = {{STR("m"), STR("a.v4"), str_of(set_rules)},
	                                {STR("m"), STR("sets"), str_of(sets)}};

	take_over(files, 2);
	gives_str(rules_of("m"), "allow 80/tcp from 0.0.0.0/0\ndeny all from network:bad_guys\n");
	ck_assert_uint_eq(wanted.network_count, 1);
	ck_assert_uint_eq(wanted.networks[0].prefix_count, 2);
	gives_str(fates_of(&takeover->hosts[0].texts[1]), "rrruu.");
	ck_assert(takeover->hosts[0].proved);
}
END_TEST

/* Two hosts mean two things by one name: each has its own. */
START_TEST(sets_of_two_hosts)
{
	struct takeover_file files[] = {
		{STR("a"), STR("a.v4"), str_of(set_rules)},
		{STR("b"), STR("b.v4"), str_of(set_rules)},
		{STR("a"), STR("sets"), STR("create Bad_Guys hash:ip\nadd Bad_Guys 10.0.0.1\n")},
		{STR("b"), STR("sets"), STR("create Bad_Guys hash:ip\nadd Bad_Guys 10.0.0.2\n")},
	};

	take_over(files, 4);
	gives_str(rules_of("a"), "allow 80/tcp from 0.0.0.0/0\ndeny all from network:a-bad_guys\n");
	gives_str(rules_of("b"), "allow 80/tcp from 0.0.0.0/0\ndeny all from network:b-bad_guys\n");
}
END_TEST

/* A set of a type with ports: nobody is let in, and its lines are told. */
START_TEST(sets_that_are_not_modelled)
{
	struct takeover_file files[] = {
		{STR("m"), STR("a.v4"), STR(HEAD "-A INPUT -m set --match-set p src,dst -j ACCEPT\nCOMMIT\n")},
		{STR("m"), STR("sets"), STR("create p hash:ip,port\nadd p 10.0.0.1,tcp:22\n")},
	};

	take_over(files, 2);
	gives_str(rules_of("m"), "");
	gives_str(fates_of(&takeover->hosts[0].texts[0]), HEAD_FATES "x..");
	gives_str(fates_of(&takeover->hosts[0].texts[1]), "xx.");
}
END_TEST

/* What a rule adds to a set, the lists that have the set have as well. */
START_TEST(lists_of_sets_that_change)
{
	struct takeover_file files[] = {
		{STR("m"), STR("a.v4"),
	         STR(HEAD "-A INPUT -p tcp -m tcp --dport 81 -j SET --add-set s src\n"
	                  "-A INPUT -m set ! --match-set l src -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n")},
		{STR("m"), STR("sets"), STR("create s hash:ip\nadd s 10.0.0.1\ncreate l list:set\nadd l s\n")},
	};

	take_over(files, 2);
	gives_str(rules_of("m"), "");
	gives_str(fates_of(&takeover->hosts[0].texts[0]), HEAD_FATES "xx..");
}
END_TEST

/* So do rules of other tables, before the filter looks. */
START_TEST(sets_that_other_tables_change)
{
	static const char *const elsewhere[] = {
		"*raw\n:PREROUTING ACCEPT [0:0]\n"
		"-A PREROUTING -p tcp -m tcp --dport 81 -j SET --add-set s src --exist\n",
		"*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -m udp -j SET --exist --del-set \"s\" src\n",
	};
	struct takeover_file files[] = {
		{STR("m"), STR("a.v4"), {0}},
		{STR("m"), STR("sets"), STR("create s hash:ip\nadd s 10.0.0.1\ncreate t hash:ip\nadd t 10.0.0.2\n")},
	};

	files[0].text = str_format(arena,
	                           "%sCOMMIT\n" HEAD "-A INPUT -m set --match-set s src -j ACCEPT\n"
	                           "-A INPUT -m set --match-set t src -j ACCEPT\nCOMMIT\n",
	                           elsewhere[_i]);
	take_over(files, 2);
	gives_str(rules_of("m"), "allow all from network:t\n");
	gives_str(fates_of(&takeover->hosts[0].texts[0]), ".xx.." "rrr" "xr..");
	ck_assert(!takeover->hosts[0].proved);
	ck_assert_uint_eq(takeover_remarks(takeover)->place.line, 3);
}
END_TEST

/* The packet that shows a difference is a plain one: nothing that nobody knows must hold of it. */
START_TEST(examples_are_plain)
{
	struct takeover_file file = {
		STR("m"), STR("a.v4"),
		STR(HEAD "-A INPUT -m mark --mark 0x1 -j DROP\n-A INPUT -m recent --rcheck --name x -j ACCEPT\n"
	                 "-A INPUT -p udp -m udp --sport 2000 -j ACCEPT\nCOMMIT\n")};
	struct takeover_summary *summary;

	take_over(&file, 1);
	ck_assert_uint_eq(takeover_summaries(takeover, &summary), 1);
	ck_assert_uint_eq(summary->narrower_count, 1);
	gives_str(summary->narrower[0],
	          "new udp 198.51.100.7 -> 192.0.2.1 port 1 from port 2000 in on eth0, while this does not: mark 0x1; "
	          "recent rcheck name x mask 255.255.255.255 rsource");
}
END_TEST

/* --- management sources --- */

static const struct {
	const char *rules, *give;
} beside_management[] = {
	{"-A INPUT -s 10.0.0.5/32 -p tcp -m tcp --dport 22 -j ACCEPT\n", "allow 22/tcp from 10.0.0.5\n"},
	{"-A INPUT -s 10.0.0.5/32 -i eth1 -p tcp -m tcp --dport 22 -j ACCEPT\n",
         "allow 22/tcp from 10.0.0.5 on eth1\n"},
	{"-A INPUT -s 192.0.2.10/32 -j DROP\n-A INPUT -s 10.0.0.5/32 -p tcp -m tcp --dport 22 -j ACCEPT\n",
         "allow 22/tcp from 10.0.0.5\n"},
	/* the line names it, whole or in two halves */
	{"-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n", "allow 22/tcp from 192.0.2.0/24\n"},
	{"-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --sport 1024:65535 --dport 22 -j ACCEPT\n"
         "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --sport 0:1023 --dport 22 -j ACCEPT\n",
         "allow 22/tcp from 192.0.2.0/24\n"},
};

/* They are let in on the SSH port today; a rule would let them in for ever. */
START_TEST(management_is_in_no_rule)
{
	static struct prefix management = {{0xc000020a, FAMILY_4}, 32};
	struct takeover_file file = {
		STR("m"), STR("rules.v4"), str_format(arena, HEAD "%sCOMMIT\n", beside_management[_i].rules)};

	settings.management = &management;
	settings.management_count = 1;
	take_over(&file, 1);
	gives_str(rules_of("m"), beside_management[_i].give);
	ck_assert(takeover->hosts[0].proved);
}
END_TEST

/* --- long lists --- */

START_TEST(long_lists_are_cut)
{
	struct buf buf = buf_new(arena);
	struct takeover_file file = {STR("m"), STR("rules.v4"), {0}};
	const struct role *role;

	buf_add(&buf, STR(HEAD ":f2b - [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j f2b\n"));
	for (unsigned i = 0; i < 1000; i++)
		buf_format(&buf, "-A f2b -s 10.%u.%u.1/32 -j REJECT --reject-with icmp-port-unreachable\n", i / 200,
		           i % 200);
	buf_add(&buf, STR("-A f2b -j RETURN\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"));
	file.text = buf_str(&buf);
	take_over(&file, 1);
	role = fleet_role(&wanted, STR("machine:m"));
	ck_assert_uint_eq(role->rule_count, 1 + (1000 + 47) / 48);
	ck_assert(takeover->hosts[0].proved);
}
END_TEST

/* Where it ended, as FILE:LINE; nothing: it did not. */
static struct str ended_at(uint64_t bound)
{
	struct takeover_file file = {STR("web"), STR("web.v4"), STR("")};
	struct buf buf = buf_new(arena), place = buf_new(arena);
	struct error *error;
	bool again;

	buf_add(&buf, STR(HEAD));
	for (unsigned i = 0; i < 300; i++)
		buf_format(&buf, "-A INPUT -s %u.%u.0.0/16 -p tcp -m tcp --dport %u -j %s\n", 1 + i * 37 % 200,
		           i * 91 % 256, 1 + i * 173 % 1000, i % 3 == 0 ? "DROP" : "ACCEPT");
	buf_add(&buf, STR("COMMIT\n"));
	file.text = buf_str(&buf);
	packets_end();
	packets_begin();
	ck_assert_ptr_null(read_them(&file, 1));
	takeover_bound(takeover, bound);
	error = takeover_fleet(takeover, &present, &settings, &wanted);
	wanted.clock = 0;
	if (error == NULL)
		error = takeover_prove(takeover, &wanted, &settings, &wanted, &again);
	if (error == NULL)
		return STR("");
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	error_print(&place, STR(""), error);
	ck_assert(str_find(buf_str(&place), '\n') > 0);
	return str_format(arena, "%.*s:%u", STR_ARG(error->place.file), error->place.line);
}

/* The same bound ends at the same rule, and a greater one no earlier in the choice; the usual one does not end. */
START_TEST(work_is_bounded)
{
	static const unsigned bounds[] = {100, 10000, 30000, 60000, 90000, 120000};
	size_t count = in_full(sizeof bounds / sizeof *bounds);
	unsigned ended = 0;

	for (size_t i = 0; i < count; i++) {
		struct str first = ended_at(bounds[i]), again = ended_at(bounds[i]);

		ck_assert_msg(str_eq(first, again), "%.*s, then %.*s", STR_ARG(first), STR_ARG(again));
		ck_assert(first.n == 0 || str_starts(first, STR("web.v4:")));
		ended += first.n > 0;
	}
	ck_assert_uint_ge(ended, count < 3 ? count : 3);
	gives_str(ended_at(PACKETS_WORK_MOST), "");
	ck_assert(takeover->hosts[0].proved);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

int main(void)
{
	Suite *suite = suite_create("takeover");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, samples_come_out, 0, COUNT(samples));
	tcase_add_test(all, families_join);
	tcase_add_loop_test(all, kinds_are_told, 0, COUNT(kinds));
	tcase_add_test(all, faults_are_told);
	tcase_add_test(all, no_table);
	tcase_add_test(all, others_are_wider);
	tcase_add_loop_test(all, peers_have_names, 0, COUNT(named));
	tcase_add_test(all, sets_are_networks);
	tcase_add_test(all, sets_of_two_hosts);
	tcase_add_test(all, sets_that_are_not_modelled);
	tcase_add_test(all, lists_of_sets_that_change);
	tcase_add_loop_test(all, sets_that_other_tables_change, 0, 2);
	tcase_add_test(all, examples_are_plain);
	tcase_add_loop_test(all, management_is_in_no_rule, 0, COUNT(beside_management));
	tcase_add_test(all, long_lists_are_cut);
	tcase_add_test(all, work_is_bounded);
	suite_add_tcase(suite, all);
	return suite_main(suite);
}
