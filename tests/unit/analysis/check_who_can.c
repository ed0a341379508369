/* Who is let in: over small worlds, each address by brute force against explain(); over random fleets, the edges of
 * everything against explain(), and all of it against the intent's sets of packets, which come another way; and the
 * names that sources have. */
#include <check.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/intent.h"
#include "fleetwall/who_can.h"
#include "match.h"
#include "random_fleet.h"
#include "rounds.h"
#include "small_world.h"
#include "suite_main.h"

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct settings settings;
static struct explainer *explainer;

static void look_at_fleet(void)
{
	explainer = explainer_new(arena, resolve(arena, &fleet), &settings);
}

static void begin(uint64_t seed)
{
	arena = arena_new();
	rng = (struct rng){seed};
	settings = settings_default();
}

static void end(void)
{
	arena_free(arena);
	error_forget_all();
}

static struct who_can asked(uint32_t machine, const struct packet_what *what)
{
	struct who_can answer;

	ck_assert_ptr_null(who_can(arena, explainer, machine, what, fleet_prefix_names, &fleet, &answer));
	return answer;
}

static void add_prefix(void *context, struct prefix prefix)
{
	struct buf *buf = context;

	buf_char(buf, ' ');
	prefix_print(buf, prefix);
}

/* One line a row: name, machines, prefixes, stage, how many rules. */
static const char *rows_of(uint32_t machine, const struct packet_what *what)
{
	struct who_can answer = asked(machine, what);
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < answer.count; i++) {
		const struct let_in *row = &answer.items[i];

		buf_format(&buf, "%.*s %zu", row->name.n > 0 ? (int)row->name.n : 1,
		           row->name.n > 0 ? row->name.p : "-", row->machines);
		for (size_t family = 0; family < 2; family++)
			addr_set_prefixes(&row->sets[family], add_prefix, &buf);
		buf_format(&buf, " %.*s %zu\n", STR_ARG(stage_str(row->stage)), row->rule_count);
	}
	return str_c(arena, buf_str(&buf));
}

/* --- one source --- */

static bool has_rule(const struct let_in *row, const struct effective_rule *rule)
{
	for (size_t i = 0; i < row->rule_count; i++)
		if (row->rules[i] == rule)
			return true;
	return false;
}

/* The row tells of every rule that lets the address in. */
static bool tells_why(const struct let_in *row, const struct verdict *verdict)
{
	for (size_t i = 0; verdict->stage == STAGE_ALLOW && row->stage == STAGE_ALLOW && i < verdict->rule_count; i++)
		if (!has_rule(row, verdict->rules[i]))
			return false;
	return true;
}

static bool is_let_in(const struct who_can *answer, struct addr addr, const struct verdict *verdict)
{
	bool found = false;

	for (size_t i = 0; i < answer->count; i++) {
		if (!addr_set_has(&answer->items[i].sets[addr.family == FAMILY_6], addr))
			continue;
		found = true;
		if (!tells_why(&answer->items[i], verdict))
			ck_abort_msg("a rule is missing");
	}
	return found;
}

static void same_of(const struct who_can *answer, uint32_t machine, const struct packet_what *what, struct addr addr)
{
	struct end source = {.addr = addr}, destination = {.is_machine = true, .machine = machine};
	struct verdict verdict;
	bool found;

	if (explain(arena, explainer, &source, &destination, what, &verdict) != NULL)
		ck_abort_msg("no answer");
	found = is_let_in(answer, addr, &verdict);
	if (found != verdict.allow)
		ck_abort_msg("%.*s to %.*s is %s, explain says %.*s", STR_ARG(addr_str(arena, addr)),
		             STR_ARG(fleet.machines[machine].name), found ? "let in" : "not let in",
		             STR_ARG(stage_str(verdict.stage)));
}

static void same_about(const struct who_can *answer, uint32_t machine, const struct packet_what *what,
                       struct range range)
{
	addr_bits last = family_last(range.family);
	addr_bits bits[] = {range.first, range.last, range.first > 0 ? range.first - 1 : 0,
	                    range.last < last ? range.last + 1 : last};

	for (size_t i = 0; i < 4; i++)
		same_of(answer, machine, what, (struct addr){bits[i], range.family});
}

/* --- the intent's word on it --- */

static struct packets packets_of(const struct packet *packet)
{
	bool icmp = packet_is_icmp(packet, packet->family);
	unsigned port = icmp ? (unsigned)packet->icmp_type << 8 | packet->icmp_code : packet->port;
	struct packets set = packets_and(packets_state(STATE_NEW), intent_compared(packet->family));

	set = packets_and(set, packets_number(FIELD_PROTOCOL, packet->protocol));
	set = packets_and(set, packets_number(FIELD_SOURCE_PORT, 50000));
	set = packets_and(set, packets_number(FIELD_FLAGS, 0));
	set = packets_and(set, packets_interface(FIELD_IN, packet->interface));
	return packet->has_port || icmp ? packets_and(set, packets_number(FIELD_PORT, port)) : set;
}

static struct addr_set union_of_rows(const struct who_can *answer, enum family family)
{
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};

	for (size_t i = 0; i < answer->count; i++) {
		const struct addr_set *set = &answer->items[i].sets[family == FAMILY_6];

		for (size_t j = 0; j < set->count; j++)
			APPEND(arena, &ranges, set->ranges[j]);
	}
	return addr_set_of(arena, family, ranges.items, ranges.count);
}

static void same_as_intent(struct intent *intent, const struct who_can *answer, uint32_t machine,
                           const struct packet_what *what)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};

	for (size_t i = 0; i < 2; i++) {
		struct packet packet = packet_of(what, families[i]);
		struct intents intents = intent_of(arena, intent, machine, families[i], NULL, NULL);
		struct packets let = packets_or(intents.in.accepted, intents.in.passed);
		struct addr_set here = union_of_rows(answer, families[i]), there;

		let = packets_perhaps(packets_and(let, packets_of(&packet)));
		there = packets_addr_set(arena, let, FIELD_SOURCE, families[i]);
		ck_assert_msg(addr_set_eq(&here, &there), "%.*s: protocol %u port %u: IPv%d differs from the intent",
		              STR_ARG(fleet.machines[machine].name), what->protocol, what->port, (int)families[i]);
	}
}

/* --- small worlds --- */

static const char *const whats[] = {"22/tcp", "80/tcp", "80/tcp on eth0", "53/udp", "icmp", "icmpv6/133", "icmpv4",
                                    "icmpv6/3", "esp", "443/tcp on lo", "68/udp"};
enum { WHATS = sizeof whats / sizeof *whats };

static void each_of_small(uint32_t machine, struct intent *intent)
{
	static const addr_bits fd00 = (addr_bits)0xfd00 << 112;

	for (size_t i = 0; i < WHATS; i++) {
		struct packet_what what;
		struct who_can answer;

		ck_assert_ptr_null(packet_parse(explainer, str_of(whats[i]), &what));
		answer = asked(machine, &what);
		for (unsigned j = 0; j < 40; j++) {
			same_of(&answer, machine, &what, (struct addr){0x0a000000u - 4 + j, FAMILY_4});
			same_of(&answer, machine, &what, (struct addr){fd00 - 4 + j, FAMILY_6});
		}
		same_about(&answer, machine, &what, (struct range){0, UINT32_MAX, FAMILY_4});
		same_about(&answer, machine, &what, (struct range){0, ~(addr_bits)0, FAMILY_6});
		same_as_intent(intent, &answer, machine, &what);
	}
}

START_TEST(every_address_of_small_worlds)
{
	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(60); seed++) {
		static struct prefix management = {{0x0a000008u, FAMILY_4}, 30};
		struct error *warnings = NULL;
		size_t mark = packets_mark();
		struct intent *intent;

		begin(seed * 7919);
		ck_assert_ptr_null(document_read(arena, STR("small"), small_world(arena, &rng, "10.0.0.", "fd00::"),
		                                 &fleet, &warnings));
		fleet.clock = 1767225600;
		settings.management = &management;
		settings.management_count = rng_below(&rng, 2);
		look_at_fleet();
		intent = intent_new(arena, &fleet, &settings);
		for (uint32_t machine = 0; machine < fleet.machine_count; machine++)
			each_of_small(machine, intent);
		end();
		packets_release(mark);
	}
	packets_end();
}
END_TEST

/* --- random fleets --- */

static void at_all_edges(const struct who_can *answer, uint32_t machine, const struct packet_what *what)
{
	for (size_t i = 0; i < answer->count; i++)
		for (size_t family = 0; family < 2; family++)
			for (size_t j = 0; j < answer->items[i].sets[family].count; j++)
				same_about(answer, machine, what, answer->items[i].sets[family].ranges[j]);
	for (size_t i = 0; i < fleet.machine_count; i++)
		for (size_t j = 0; j < fleet.machines[i].address_count; j++)
			same_of(answer, machine, what, fleet.machines[i].addresses[j].addr);
	for (size_t i = 0; i < fleet.network_count; i++)
		for (size_t j = 0; j < fleet.networks[i].prefix_count; j++)
			same_about(answer, machine, what, prefix_range(fleet.networks[i].prefixes[j]));
}

/* Of a rule of the fleet, or any. */
static struct packet_what random_what(void)
{
	struct packet_what what = {.protocol = PROTOCOL_TCP, .has_port = true, .icmp_code = -1,
	                           .port = (uint16_t)rng_below(&rng, 65536)};
	const struct role *role = &fleet.roles[rng_below(&rng, fleet.role_count)];
	const struct rule *rule;

	if (role->rule_count == 0)
		return what;
	rule = &role->rules[rng_below(&rng, role->rule_count)].rule;
	if (rng_chance(&rng, 50) && rule->interface.n > 0 && rule->interface.p[rule->interface.n - 1] != '+')
		what.interface = rule->interface;
	if (rule->what.kind == WHAT_PORTS) {
		what.protocol = rule->what.protocol;
		what.port = rule->what.ports[0].first;
	} else if (rule->what.kind == WHAT_PROTOCOL) {
		what.protocol = rule->what.protocol;
		what.has_port = protocol_has_ports(what.protocol);
	} else if (rule->what.kind == WHAT_ICMP) {
		what = (struct packet_what){.icmp = true, .icmp_name = ICMP_ECHO_REQUEST, .icmp_code = -1};
	}
	return what;
}

START_TEST(edges_of_random_fleets)
{
	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(60); seed++) {
		size_t mark = packets_mark();
		struct intent *intent;

		begin(seed * 104729);
		fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 12));
		fleet.clock = 1767225600;
		look_at_fleet();
		intent = intent_new(arena, &fleet, &settings);
		for (uint32_t machine = 0; machine < fleet.machine_count; machine++)
			for (size_t i = 0; i < 5; i++) {
				struct packet_what what = random_what();
				struct who_can answer = asked(machine, &what);

				at_all_edges(&answer, machine, &what);
				same_as_intent(intent, &answer, machine, &what);
			}
		end();
		packets_release(mark);
	}
	packets_end();
}
END_TEST

/* Everybody refuses two addresses. */
static void refuse_nobody(void)
{
	static const struct str text = {"deny all from 240.0.0.9, fdff:dead::9", 37};
	struct rule rule;
	bool stored;

	ck_assert_ptr_null(rule_parse(arena, text, &rule, &stored, NULL));
	for (size_t i = 0; i < fleet.role_count; i++) {
		struct role *role = &fleet.roles[i];
		struct role_rule *rules = ARENA_ARRAY(arena, struct role_rule, role->rule_count + 1);

		for (size_t j = 0; j < role->rule_count; j++)
			rules[j] = role->rules[j];
		rules[role->rule_count++] =
			(struct role_rule){.rule = rule, .text = text, .enabled = true};
		role->rules = rules;
	}
	look_at_fleet();
}

static bool lets_in_those(uint32_t machine, const struct packet_what *what)
{
	static const struct addr v4 = {0xf0000009u, FAMILY_4};
	static const struct addr v6 = {((addr_bits)0xfdffdead << 96) + 9, FAMILY_6};
	struct who_can answer = asked(machine, what);

	for (size_t i = 0; i < answer.count; i++)
		if (addr_set_has(&answer.items[i].sets[0], v4) || addr_set_has(&answer.items[i].sets[1], v6))
			return true;
	return false;
}

enum { TIMES = 8 };

/* A question, and the rows of its answer; NULL: those addresses are in it. */
struct past {
	struct packet_what what;
	const char *rows;
};

static struct past *ask_all(size_t count)
{
	struct past *past = ARENA_ARRAY(arena, struct past, count);

	for (size_t i = 0; i < count; i++) {
		uint32_t machine = (uint32_t)(i / TIMES);

		past[i].what = random_what();
		past[i].rows = lets_in_those(machine, &past[i].what) ? NULL : rows_of(machine, &past[i].what);
	}
	return past;
}

/* Where nothing is refused, the answer comes without putting sets together: it must be the same. */
START_TEST(a_refusal_of_nobody_changes_nothing)
{
	const uint64_t first = 10; /* has answers, as few have: the rounds under valgrind are enough */
	size_t compared = 0;

	for (uint64_t seed = first; seed < first + rounds(100); seed++) {
		struct past *past;

		begin(seed * 15485863);
		fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 12));
		fleet.clock = 1767225600;
		look_at_fleet();
		past = ask_all(fleet.machine_count * TIMES);
		refuse_nobody();
		for (size_t i = 0; i < fleet.machine_count * TIMES; i++) {
			if (past[i].rows == NULL)
				continue;
			ck_assert_str_eq(rows_of((uint32_t)(i / TIMES), &past[i].what), past[i].rows);
			compared += past[i].rows[0] != '\0';
		}
		end();
	}
	ck_assert_uint_ge(compared, rounds(100) / 2);
}
END_TEST

/* --- names --- */

static const char named[] =
	"networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\", \"2001:db8:1::/48\" ]; },\n"
	"  { name = \"lab\"; prefixes = [ \"198.51.100.0/24\" ]; }, { name = \"empty\"; prefixes = [ ]; } );\n"
	"roles = ( { name = \"app\"; }, { name = \"part\"; }, { name = \"nobody\"; },\n"
	"  { name = \"db\"; rules = [ \"allow 3306/tcp from role:app, role:part, role:nobody, network:office\",\n"
	"    \"allow 3306/tcp from network:empty, machine:adm, 10.9.0.9, 198.51.100.0/24, 192.0.2.0/29\",\n"
	"    \"deny 3306/tcp from machine:part2\", \"deny 3306/tcp from 192.0.2.3, 192.0.2.0/31\",\n"
	"    \"deny 80/tcp from 192.0.0.0/2\", \"allow 80/tcp\", \"allow 81/tcp from 0.0.0.0/0\",\n"
	"    \"allow 82/tcp from role:nobody\", \"allow 83/tcp from role:app/public\",\n"
	"    \"allow 84/tcp from self\" ]; } );\n"
	"machines = ( { name = \"db1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"db\" ]; },\n"
	"  { name = \"db2\"; addresses = [ \"10.0.0.2\" ]; roles = [ \"db\" ]; enforcement = \"monitor\"; },\n"
	"  { name = \"db3\"; addresses = [ \"10.0.0.3\" ]; roles = [ \"db\" ]; enabled = false; },\n"
	"  { name = \"app1\"; addresses = [ \"10.1.0.1\", \"fd00::1\" ]; roles = [ \"app\" ]; },\n"
	"  { name = \"app2\"; addresses = ( { address = \"10.1.0.2\"; label = \"public\"; } );\n"
	"    roles = [ \"app\" ]; },\n"
	"  { name = \"app3\"; addresses = [ \"10.1.0.3\" ]; roles = [ \"app\" ]; enabled = false; },\n"
	"  { name = \"part1\"; addresses = [ \"10.2.0.2\", \"10.2.0.3\" ]; roles = [ \"part\" ]; },\n"
	"  { name = \"part2\"; addresses = [ \"10.2.0.1\" ]; roles = [ \"part\" ]; },\n"
	"  { name = \"adm\"; addresses = [ \"10.3.0.1\" ]; }, { name = \"lone\"; addresses = [ \"10.9.0.9\" ]; },\n"
	"  { name = \"twin\"; addresses = [ \"10.9.0.9\" ]; } );\n";

static void set_up(void)
{
	static struct prefix management = {{0xc0000280u, FAMILY_4}, 25};
	struct error *warnings = NULL;

	begin(1);
	ck_assert_ptr_null(document_read(arena, STR("named"), str_of(named), &fleet, &warnings));
	fleet.clock = 1767225600;
	settings.management = &management;
	settings.management_count = 1;
	look_at_fleet();
}

static const char *said(const char *machine, const char *text)
{
	struct packet_what what;

	ck_assert_ptr_null(packet_parse(explainer, str_of(text), &what));
	return rows_of((uint32_t)(fleet_machine(&fleet, str_of(machine)) - fleet.machines), &what);
}

START_TEST(sources_have_names)
{
	ck_assert_str_eq(said("db1", "3306/tcp"),
	                 "role:app 2 10.1.0.1 10.1.0.2 fd00::1 allow 1\n"
	                 "network:lab 0 198.51.100.0/24 allow 1\n"
	                 "network:office 0 203.0.113.0/24 2001:db8:1::/48 allow 1\n"
	                 "machine:adm 0 10.3.0.1 allow 1\n"
	                 "machine:lone, machine:twin 0 10.9.0.9 allow 1\n"
	                 "machine:part1 0 10.2.0.2/31 allow 1\n"
	                 "- 0 192.0.2.2 192.0.2.4/30 allow 1\n");
}
END_TEST

START_TEST(whole_families_and_none)
{
	ck_assert_str_eq(said("db1", "80/tcp"), "anyone 0 ::/0 allow 1\n"
	                                        "- 0 0.0.0.0/1 128.0.0.0/2 allow 1\n");
	ck_assert_str_eq(said("db1", "82/tcp"), "");
	ck_assert_str_eq(said("db1", "83/tcp"), "role:app/public 1 10.1.0.2 allow 1\n");
	ck_assert_str_eq(said("db1", "84/tcp"), "role:db 2 10.0.0.1 10.0.0.2 allow 1\n");
	ck_assert_str_eq(said("db1", "22/tcp"), "management 0 192.0.2.128/25 management 0\n");
	ck_assert_str_eq(said("db1", "icmpv6/135"), "anyone 0 ::/0 housekeeping 0\n");
	ck_assert_str_eq(said("db2", "22/tcp"), "anyone 0 0.0.0.0/0 ::/0 monitor 0\n");
	ck_assert_str_eq(said("db3", "22/tcp"), "anyone 0 0.0.0.0/0 ::/0 no-ruleset 0\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("who_can");
	TCase *brute = tcase_create("brute"), *names = tcase_create("names");

	tcase_set_timeout(brute, 120);
	tcase_add_test(brute, every_address_of_small_worlds);
	tcase_add_test(brute, edges_of_random_fleets);
	tcase_add_test(brute, a_refusal_of_nobody_changes_nothing);
	suite_add_tcase(suite, brute);
	tcase_add_checked_fixture(names, set_up, end);
	tcase_add_test(names, sources_have_names);
	tcase_add_test(names, whole_families_and_none);
	suite_add_tcase(suite, names);
	return suite_main(suite);
}
