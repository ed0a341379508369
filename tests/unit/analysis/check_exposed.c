/* What can be reached from outside: over small worlds, each address, packet and interface by brute force against
 * explain(), and each rule that a row names by a packet of the row that explain() says comes in through it; the
 * internet's addresses; and how rows read. */
#include <check.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/exposed.h"
#include "address_sets.h"
#include "fleetwall/difference.h"
#include "match.h"
#include "rounds.h"
#include "small_world.h"
#include "suite_main.h"

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct settings settings;
static struct resolved *resolved;
static struct explainer *explainer;
static struct intent *intent;
static struct exposed *exposed;
static const struct prefix *from;

static void begin(uint64_t seed)
{
	arena = arena_new();
	rng = (struct rng){seed};
	settings = settings_default();
	from = NULL;
}

static void end(void)
{
	arena_free(arena);
	error_forget_all();
}

static void look_at(struct str text)
{
	struct error *warnings = NULL;

	ck_assert_ptr_null(document_read(arena, STR("small"), text, &fleet, &warnings));
	fleet.clock = 1767225600;
	resolved = resolve(arena, &fleet);
	explainer = explainer_new(arena, resolved, &settings);
	intent = intent_new(arena, &fleet, &settings);
	exposed = exposed_new(arena, intent, &fleet, &settings, from);
}

/* --- who is asked about --- */

static bool is_own(struct addr addr)
{
	for (size_t i = 0; i < fleet.machine_count; i++)
		for (size_t k = 0; fleet.machines[i].enabled && k < fleet.machines[i].address_count; k++)
			if (addr_cmp(fleet.machines[i].addresses[k].addr, addr) == 0)
				return true;
	return false;
}

static bool is_asked_about(struct addr addr)
{
	struct addr_set internet;

	if (from != NULL)
		return range_covers(prefix_range(*from), (struct range){addr.bits, addr.bits, addr.family});
	internet = internet_addresses(arena, addr.family);
	return addr_set_has(&internet, addr) && !is_own(addr);
}

/* --- whom a row speaks of, by its words --- */

static struct addr_set set_of_word(struct str word, enum family family)
{
	struct prefix prefix;
	struct range range;
	struct error *warnings = NULL;
	struct rule rule;
	struct str text;
	bool stored;

	if (str_is(word, "anyone"))
		word = family == FAMILY_4 ? STR("0.0.0.0/0") : STR("::/0");
	if (prefix_parse(word, &prefix) == PREFIX_OK) {
		range = prefix_range(prefix);
		return addr_set_of(arena, family, &range, 1);
	}
	text = str_format(arena, "allow 1/tcp from %.*s", STR_ARG(word));
	ck_assert_ptr_null(rule_parse(arena, text, &rule, &stored, &warnings));
	ck_assert_uint_eq(rule.peer_count, 1);
	return peer_addresses(arena, resolved, &rule.peers[0], NULL, false, family);
}

static struct addr_set set_of_words(const struct str *words, size_t count, enum family family)
{
	struct addr_set set = set_none(family);

	for (size_t i = 0; i < count; i++) {
		struct addr_set word = set_of_word(words[i], family);

		set = set_or(arena, &set, &word);
	}
	return set;
}

static struct addr_set sources_of(const struct exposure *row, enum family family)
{
	struct addr_set sources = set_of_words(row->sources, row->source_count, family);
	struct addr_set except = set_of_words(row->except, row->except_count, family);

	return set_without(arena, &sources, &except);
}

/* --- one packet --- */

static struct sample sample_of(const struct packet *packet)
{
	bool icmp = packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6;

	return (struct sample){
		.family = packet->family,
		.state = STATE_NEW,
		.protocol = packet->protocol,
		.port = icmp ? (unsigned)packet->icmp_type << 8 | packet->icmp_code : packet->port,
		.source_port = 50000,
		.in = packet->interface,
		.source = {0, packet->family},
		.destination = {0, packet->family},
	};
}

static bool names_rule(const struct exposure *row, const char *id)
{
	for (size_t i = 0; i < row->rule_count; i++)
		if (str_is(row->ids[i], id))
			return true;
	return false;
}

/* Every rule that lets it in is named by the row. */
static void names_all(const struct exposure *row, const struct verdict *verdict)
{
	for (size_t i = 0; verdict->stage == STAGE_ALLOW && i < verdict->rule_count; i++)
		if (row->stage == STAGE_ALLOW && !names_rule(row, verdict->rules[i]->id))
			ck_abort_msg("rule %s is missing", verdict->rules[i]->id);
}

static void same_of(const struct exposures *rows, uint32_t machine, const struct packet_what *what, struct addr addr)
{
	struct end source = {.addr = addr}, destination = {.is_machine = true, .machine = machine};
	struct packet packet = packet_of(what, addr.family);
	struct sample sample = sample_of(&packet);
	struct verdict verdict;
	bool told = false, meant;

	if (!is_asked_about(addr) || str_is(what->interface, "lo"))
		return;
	if (explain(arena, explainer, &source, &destination, what, &verdict) != NULL)
		ck_abort_msg("no answer");
	for (size_t i = 0; i < rows->count; i++) {
		struct addr_set sources;

		if (!packets_have(rows->items[i].packets[addr.family == FAMILY_6], &sample))
			continue;
		sources = sources_of(&rows->items[i], addr.family);
		if (!addr_set_has(&sources, addr))
			continue;
		told = true;
		names_all(&rows->items[i], &verdict);
	}
	meant = verdict.allow && verdict.stage != STAGE_HOUSEKEEPING;
	if (told != meant && verdict.stage != STAGE_HOUSEKEEPING)
		ck_abort_msg("%.*s to %.*s protocol %u port %u is %s, explain says %.*s",
		             STR_ARG(addr_str(arena, addr)), STR_ARG(fleet.machines[machine].name), packet.protocol,
		             packet.port, told ? "told" : "not told", STR_ARG(stage_str(verdict.stage)));
}

/* --- the rules that rows name --- */

static struct packet_what what_of(const struct sample *sample)
{
	uint8_t protocol = (uint8_t)sample->protocol;

	return (struct packet_what){
		.protocol = protocol,
		.icmp_name = ICMP_NUMBER,
		.icmp_type = (uint8_t)(sample->port >> 8),
		.icmp_code = sample->port & 255,
		.has_port = protocol_has_ports(protocol),
		.port = (uint16_t)sample->port,
		.interface = sample->in,
	};
}

/* Packets of the row that are asked about, and that housekeeping does not decide. */
static struct packets asked_of(const struct exposure *row, size_t f)
{
	enum family family = f == 0 ? FAMILY_4 : FAMILY_6;
	struct addr_set sources = sources_of(row, family);
	struct packets set;

	if (from != NULL) {
		struct range range = prefix_range(*from);
		struct addr_set asked = addr_set_of(arena, family, &range, 1);

		sources = addr_set_and(arena, &sources, &asked);
	}
	set = packets_and(row->packets[f], packets_addresses(FIELD_SOURCE, &sources));
	set = packets_and(set, packets_and(packets_state(STATE_NEW), packets_number(FIELD_SOURCE_PORT, 50000)));
	set = packets_without(set, intent_housekeeping(intent, family, false));
	for (size_t i = 0; from == NULL && i < fleet.machine_count; i++)
		for (size_t k = 0; fleet.machines[i].enabled && k < fleet.machines[i].address_count; k++) {
			struct addr addr = fleet.machines[i].addresses[k].addr;
			struct range host = {addr.bits, addr.bits, addr.family};

			set = packets_without(set, packets_range(FIELD_SOURCE, host));
		}
	return set;
}

static bool comes_through(const struct exposure *row, size_t rule, uint32_t machine)
{
	for (size_t f = 0; f < 2; f++) {
		enum family family = f == 0 ? FAMILY_4 : FAMILY_6;
		struct end source = {0}, destination = {.is_machine = true, .machine = machine};
		struct packets set = intent_rule_packets(intent, &row->rules[rule], family, NULL, NULL);
		struct packet_what what;
		struct verdict verdict;
		struct sample sample;

		set = packets_and(packets_perhaps(set), asked_of(row, f));
		set = packets_without(set, intent_management(intent, machine, family, false));
		if (!packets_sample(arena, set, &sample))
			continue;
		source.addr = sample.source;
		what = what_of(&sample);
		ck_assert_ptr_null(explain(arena, explainer, &source, &destination, &what, &verdict));
		ck_assert_int_eq(verdict.stage, STAGE_ALLOW);
		for (size_t i = 0; i < verdict.rule_count; i++)
			if (str_is(row->ids[rule], verdict.rules[i]->id))
				return true;
	}
	return false;
}

static void rules_are_right(const struct exposures *rows, uint32_t machine)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct exposure *row = &rows->items[i];

		ck_assert_uint_gt(row->what_count, 0);
		ck_assert_uint_gt(row->source_count, 0);
		ck_assert((row->rule_count > 0) == (row->stage == STAGE_ALLOW));
		for (size_t k = 0; k < row->rule_count; k++)
			if (!comes_through(row, k, machine))
				ck_abort_msg("nothing comes in through rule %.*s", STR_ARG(row->ids[k]));
	}
}

/* --- small worlds --- */

static const char *const whats[] = {"22/tcp", "80/tcp", "80/tcp on eth0", "80/tcp on eth1", "22/tcp on wg1", "53/udp",
                                    "icmp", "icmpv6/133", "icmpv4", "icmpv6/3", "esp", "101/tcp", "68/udp on eth0"};
enum { WHATS = sizeof whats / sizeof *whats };

static void ask_machine(uint32_t machine, addr_bits four, addr_bits six)
{
	const struct exposures *rows = exposed_at(exposed, machine);
	size_t mark = packets_mark();

	for (size_t i = 0; i < WHATS; i++) {
		struct packet_what what;

		ck_assert_ptr_null(packet_parse(explainer, str_of(whats[i]), &what));
		for (unsigned j = 0; j < 40; j++) {
			same_of(rows, machine, &what, (struct addr){four - 4 + j, FAMILY_4});
			same_of(rows, machine, &what, (struct addr){six - 4 + j, FAMILY_6});
		}
		same_of(rows, machine, &what, (struct addr){0x08080808u, FAMILY_4});
		same_of(rows, machine, &what, (struct addr){(addr_bits)0x2001 << 112 | 1, FAMILY_6});
	}
	rules_are_right(rows, machine);
	packets_release(mark);
}

static void ask_world(uint64_t seed, const char *four, const char *six, const struct prefix *prefix)
{
	static struct prefix management = {{0x09000008u, FAMILY_4}, 30};
	struct addr first4, first6;

	begin(seed);
	from = prefix;
	settings.management = &management;
	settings.management_count = rng_below(&rng, 2);
	look_at(small_world(arena, &rng, four, six));
	ck_assert(addr_parse(str_format(arena, "%s0", four), &first4));
	ck_assert(addr_parse(str_format(arena, "%s0", six), &first6));
	for (uint32_t machine = 0; machine < fleet.machine_count; machine++)
		ask_machine(machine, first4.bits, first6.bits);
	end();
}

START_TEST(every_packet_of_small_worlds)
{
	static const struct prefix private4 = {{0x0a000000u, FAMILY_4}, 27};
	static const struct prefix private6 = {{(addr_bits)0xfd00 << 112, FAMILY_6}, 123};

	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(25); seed++) {
		size_t mark = packets_mark();

		ask_world(seed * 7919, "9.0.0.", "2a00::", NULL);
		ask_world(seed * 7919 + 1, "10.0.0.", "fd00::", seed % 2 == 0 ? &private4 : &private6);
		packets_release(mark);
	}
	packets_end();
}
END_TEST

/* --- the internet --- */

START_TEST(the_internet_is_what_is_routed)
{
	static const struct {
		const char *addr;
		bool internet;
	} cases[] = {
		{"0.255.255.255", false}, {"1.0.0.0", true}, {"9.255.255.255", true}, {"10.0.0.0", false},
		{"100.63.255.255", true}, {"100.64.0.0", false}, {"100.128.0.0", true}, {"127.0.0.1", false},
		{"169.254.169.254", false}, {"172.15.255.255", true}, {"172.31.255.255", false}, {"172.32.0.0", true},
		{"192.0.0.9", false}, {"192.0.1.0", true}, {"192.0.2.1", false}, {"192.88.99.1", true},
		{"192.168.1.1", false}, {"198.17.255.255", true}, {"198.19.255.255", false}, {"198.51.100.7", false},
		{"203.0.113.7", false}, {"203.0.114.0", true}, {"223.255.255.255", true}, {"224.0.0.1", false},
		{"255.255.255.255", false}, {"::", false}, {"::1", false}, {"::ffff:1.2.3.4", false},
		{"1fff::1", false}, {"2000::", true}, {"2001::1", true}, {"2001:2::1", false}, {"2001:10::1", false},
		{"2001:20::1", true}, {"2001:db8::1", false}, {"2001:db9::", true}, {"2002::1", true},
		{"3fff:fff::1", false}, {"3fff:1000::", true}, {"4000::", false}, {"fd00::1", false},
		{"fe80::1", false}, {"ff02::1", false},
	};

	begin(1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct addr addr;
		struct addr_set set;

		ck_assert(addr_parse(str_of(cases[i].addr), &addr));
		set = internet_addresses(arena, addr.family);
		ck_assert_msg(addr_set_has(&set, addr) == cases[i].internet, "%s", cases[i].addr);
	}
	end();
}
END_TEST

/* --- how rows read --- */

static const char told[] =
	"networks = ( { name = \"office\"; prefixes = [ \"9.1.0.0/24\", \"2a00:1::/48\" ]; },\n"
	"  { name = \"inside\"; prefixes = [ \"10.0.0.0/8\" ]; } );\n"
	"services = ( { name = \"names\"; ports = [ \"53/tcp\", \"53/udp\" ]; } );\n"
	"roles = ( { name = \"app\"; },\n"
	"  { name = \"base\"; rules = [ \"allow 22/tcp from network:office\", \"allow icmp/echo-request\",\n"
	"    \"allow 9100/tcp from network:inside, role:app, 203.0.113.0/24\" ]; },\n"
	"  { name = \"web\"; rules = [ \"allow 80,443/tcp\", \"allow names\", \"allow 8080/tcp\",\n"
	"    \"deny 8080/tcp from 9.0.0.0/8\", \"deny 443/tcp from 10.0.0.0/8\", \"allow 5001/tcp on eth0\",\n"
	"    \"allow 7000-7010/tcp\", \"deny 7005/tcp on eth1\", \"allow 6000/tcp from 0.0.0.0/0\",\n"
	"    \"allow 6001/tcp from 9.9.0.0/16, network:office\", \"allow 81/tcp limit 6/minute\",\n"
	"    \"allow 81/udp\", \"allow 5/tcp on lo\", \"deny 81/udp from 9.8.0.1\",\n"
	"    \"allow icmpv6/135\", \"allow 82/tcp from role:app\", \"allow 83/tcp from 9.8.0.1\" ]; },\n"
	"  { name = \"all\"; rules = [ \"allow all\", \"deny 25/tcp\" ]; } );\n"
	"machines = ( { name = \"app1\"; addresses = [ \"9.8.0.1\" ]; roles = [ \"app\", \"base\" ]; },\n"
	"  { name = \"web1\"; addresses = [ \"9.8.0.2\" ]; roles = [ \"web\" ]; },\n"
	"  { name = \"all1\"; roles = [ \"all\" ]; }, { name = \"bare\"; },\n"
	"  { name = \"watched\"; roles = [ \"web\" ]; enforcement = \"monitor\"; },\n"
	"  { name = \"off\"; roles = [ \"web\" ]; enabled = false; } );\n";

static void add_list(struct buf *buf, const struct str *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_add(buf, i > 0 ? STR(";") : STR(""));
		buf_add(buf, items[i]);
	}
}

/* One line a row: what, sources, exceptions, stage, how many rules. */
static const char *rows_of(const char *machine)
{
	const struct exposures *rows =
		exposed_at(exposed, (size_t)(fleet_machine(&fleet, str_of(machine)) - fleet.machines));
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < rows->count; i++) {
		const struct exposure *row = &rows->items[i];

		add_list(&buf, row->what, row->what_count);
		buf_add(&buf, STR(" from "));
		add_list(&buf, row->sources, row->source_count);
		if (row->except_count > 0)
			buf_add(&buf, STR(" but "));
		add_list(&buf, row->except, row->except_count);
		buf_format(&buf, " %.*s %zu\n", STR_ARG(stage_str(row->stage)), row->rule_count);
	}
	return str_c(arena, buf_str(&buf));
}

static void set_up(void)
{
	static struct prefix management[] = {{{0x09070000u, FAMILY_4}, 24}, {{0x0a000000u, FAMILY_4}, 24}};

	packets_begin();
	begin(1);
	settings.management = management;
	settings.management_count = 2;
	look_at(str_of(told));
}

static void tear_down(void)
{
	end();
	packets_end();
}

START_TEST(rows_read_well)
{
	ck_assert_str_eq(rows_of("app1"), "icmp/echo-request from anyone allow 1\n"
	                                  "22/tcp from network:office allow 1\n"
	                                  "22/tcp from 9.7.0.0/24 management 0\n");
	ck_assert_str_eq(rows_of("bare"), "22/tcp from 9.7.0.0/24 management 0\n");
	ck_assert_str_eq(rows_of("watched"), "all from anyone monitor 0\n");
	ck_assert_str_eq(rows_of("off"), "all from anyone no-ruleset 0\n");
	ck_assert_str_eq(rows_of("all1"), "protocols 0-5,7-255;0-24,26-65535/tcp from anyone allow 1\n");
	ck_assert_str_eq(rows_of("web1"),
	                 "7000-7010/tcp on any but eth1;7000-7004,7006-7010/tcp on eth1 from anyone allow 1\n"
	                 "53/tcp;53/udp from anyone allow 1\n"
	                 "80,443/tcp from anyone allow 1\n"
	                 "5001/tcp on eth0 from anyone allow 1\n"
	                 "81/tcp from anyone allow 1\n"
	                 "81/udp from anyone allow 1\n"
	                 "6000/tcp from 0.0.0.0/0 allow 1\n"
	                 "8080/tcp from anyone but 9.0.0.0/8 allow 1\n"
	                 "6001/tcp from network:office;9.9.0.0/16 allow 1\n"
	                 "22/tcp from 9.7.0.0/24 management 0\n");
}
END_TEST

START_TEST(of_a_prefix)
{
	static const struct prefix inside = {{0x0a000000u, FAMILY_4}, 16}, app = {{0x09080000u, FAMILY_4}, 30};

	exposed = exposed_new(arena, intent, &fleet, &settings, &inside);
	ck_assert_str_eq(rows_of("app1"), "icmpv4/echo-request from 10.0.0.0/16 allow 1\n"
	                                  "9100/tcp from 10.0.0.0/16 allow 1\n"
	                                  "22/tcp from 10.0.0.0/24 management 0\n");
	exposed = exposed_new(arena, intent, &fleet, &settings, &app);
	ck_assert_str_eq(rows_of("app1"), "icmpv4/echo-request from 9.8.0.0/30 allow 1\n"
	                                  "9100/tcp from role:app allow 1\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exposed");
	TCase *brute = tcase_create("brute"), *rows = tcase_create("rows");

	tcase_set_timeout(brute, 120);
	tcase_add_test(brute, every_packet_of_small_worlds);
	tcase_add_test(brute, the_internet_is_what_is_routed);
	suite_add_tcase(suite, brute);
	tcase_add_checked_fixture(rows, set_up, tear_down);
	tcase_add_test(rows, rows_read_well);
	tcase_add_test(rows, of_a_prefix);
	suite_add_tcase(suite, rows);
	return suite_main(suite);
}
