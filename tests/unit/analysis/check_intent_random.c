/* Three ways to the same answer: over random fleets, settings and packets, what the intent says as sets of packets,
 * what it says of one packet (intent_why()), and what explain() says from what the generator resolves, are alike. And
 * sets that are seen by their names come to the same as their addresses. valgrind-apart: many fleets. */
#include <check.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/explain.h"
#include "fleetwall/filter.h"
#include "fleetwall/intent.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

#define MANAGEMENT 3

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct settings settings;
static struct intent *intent;
static struct explainer *explainer;
static struct {
	struct str *items; /* conditions that hold */
	size_t count, capacity;
} holding;

/* --- a fleet --- */

static struct addr any_addr(enum family family)
{
	struct addr addr = {.family = family};

	addr.bits = (addr_bits)rng_next(&rng) << 64 | rng_next(&rng);
	if (family == FAMILY_4)
		addr.bits &= UINT32_MAX;
	return addr;
}

static void random_settings(void)
{
	static struct prefix management[MANAGEMENT];

	settings = (struct settings){
		.management = management, .management_count = rng_below(&rng, MANAGEMENT + 1),
		.ssh_port = 1 + (unsigned)rng_below(&rng, 65535), .loopback = rng_chance(&rng, 80),
		.icmp_errors = rng_chance(&rng, 80), .established = rng_chance(&rng, 80),
		.neighbour_discovery = rng_chance(&rng, 80), .drop_invalid = rng_chance(&rng, 80),
		.dhcp = rng_chance(&rng, 80), .log_rate = 6,
	};
	for (size_t i = 0; i < settings.management_count; i++) {
		struct addr addr = any_addr(rng_chance(&rng, 50) ? FAMILY_4 : FAMILY_6);
		unsigned width = family_width(addr.family), length = (unsigned)rng_below(&rng, 12);

		addr.bits = length == 0 ? 0 : addr.bits >> (width - length) << (width - length);
		management[i] = (struct prefix){addr, length};
	}
}

static const struct role_rule *any_rule(void)
{
	for (size_t i = 0; i < 50; i++) {
		const struct role *role = &fleet.roles[rng_below(&rng, fleet.role_count)];

		if (role->rule_count > 0)
			return &role->rules[rng_below(&rng, role->rule_count)];
	}
	return NULL;
}

/* At an edge of some rule, where there is one. */
static int64_t random_clock(void)
{
	for (size_t i = 0; i < 20; i++) {
		const struct role_rule *held = any_rule();
		int64_t edge = held == NULL             ? TIME_NONE
		               : rng_chance(&rng, 50) ? held->rule.since
		                                      : held->rule.until;

		if (edge != TIME_NONE)
			return edge - 1 + (int64_t)rng_below(&rng, 3);
	}
	return 1767225600;
}

/* Every limit is below its rate, and no rule that counts has ended. */
static void note_conditions(const struct rule *rule)
{
	static const unsigned seconds[] = {
		[LIMIT_SECOND] = 1, [LIMIT_MINUTE] = 60, [LIMIT_HOUR] = 3600, [LIMIT_DAY] = 86400};
	struct filter_rate rate = {.count = rule->limit, .burst = rule->limit < 5 ? rule->limit : 5};

	if (rule->limit > 0) {
		rate.seconds = seconds[rule->limit_unit];
		rate.mode = rule->direction == DIRECTION_IN ? STR("srcip") : STR("dstip");
		APPEND(arena, &holding, filter_hashlimit_name(arena, &rate));
	}
	if (rule->until != TIME_NONE)
		APPEND(arena, &holding, filter_until_name(arena, rule->until - 1));
}

static void new_fleet(uint64_t seed)
{
	rng = (struct rng){seed};
	arena = arena_new();
	fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 9));
	fleet.clock = random_clock();
	random_settings();
	intent = intent_new(arena, &fleet, &settings);
	explainer = explainer_new(arena, resolve(arena, &fleet), &settings);
	holding.items = NULL;
	holding.count = holding.capacity = 0;
	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t j = 0; j < fleet.roles[i].rule_count; j++)
			note_conditions(&fleet.roles[i].rules[j].rule);
}

static void end_fleet(void)
{
	arena_free(arena);
	error_forget_all();
}

/* --- a packet that some rule may speak of --- */

static struct addr edge_of(struct range range)
{
	struct addr addr = {rng_chance(&rng, 50) ? range.first : range.last, range.family};

	if (rng_chance(&rng, 20) && addr.bits < family_last(range.family))
		addr.bits++;
	else if (rng_chance(&rng, 20) && addr.bits > 0)
		addr.bits--;
	return addr;
}

static struct addr random_addr(void)
{
	const struct role_rule *held = any_rule();
	const struct machine *machine = &fleet.machines[rng_below(&rng, fleet.machine_count)];
	const struct network *network = &fleet.networks[rng_below(&rng, fleet.network_count)];
	size_t kind = rng_below(&rng, 4);

	if (kind == 0 && held != NULL && held->rule.peer_count > 0 && held->rule.peers[0].kind == PEER_LITERAL)
		return edge_of(held->rule.peers[0].literal);
	if (kind <= 1 && network->prefix_count > 0)
		return edge_of(prefix_range(network->prefixes[rng_below(&rng, network->prefix_count)]));
	if (kind <= 2 && machine->address_count > 0)
		return machine->addresses[rng_below(&rng, machine->address_count)].addr;
	if (settings.management_count > 0 && rng_chance(&rng, 20))
		return edge_of(prefix_range(settings.management[0]));
	return any_addr(rng_chance(&rng, 50) ? FAMILY_4 : FAMILY_6);
}

static unsigned near(unsigned number)
{
	unsigned step = (unsigned)rng_below(&rng, 8);

	return step == 0 && number < UINT16_MAX ? number + 1 : step == 1 && number > 0 ? number - 1 : number;
}

static void random_ports(struct sample *packet, uint8_t protocol, const struct port_range *ports, size_t count)
{
	const struct port_range *one = &ports[rng_below(&rng, count)];

	packet->protocol = protocol;
	packet->port = near(rng_chance(&rng, 50) ? one->first : one->last);
}

static void random_icmp(struct sample *packet, const struct what *what)
{
	static const uint8_t types[] = {0, 1, 2, 3, 4, 5, 8, 128, 129, 130, 135, 137, 138, 143, 144};
	uint8_t type = types[rng_below(&rng, sizeof types)];
	unsigned code = what != NULL && what->icmp_code >= 0 ? (unsigned)what->icmp_code : rng_chance(&rng, 50) ? 4 : 0;

	if (what != NULL && what->icmp_name == ICMP_NUMBER)
		type = what->icmp_type;
	else if (what != NULL && what->icmp_name != ICMP_ANY)
		icmp_number(what->icmp_name, packet->family, &type);
	packet->protocol = (packet->family == FAMILY_4) == rng_chance(&rng, 95) ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	packet->port = (unsigned)type << 8 | code;
}

static void random_what(struct sample *packet, const struct what *what)
{
	const struct service *service = &fleet.services[rng_below(&rng, fleet.service_count)];
	static const uint8_t protocols[] = {1, 2, 4, 6, 6, 6, 17, 17, 33, 43, 44, 47, 50, 51, 58, 60, 112, 132, 136};

	packet->protocol = protocols[rng_below(&rng, sizeof protocols)];
	packet->port = rng_chance(&rng, 50) ? settings.ssh_port : (unsigned)rng_below(&rng, 65536);
	if (what == NULL || rng_chance(&rng, 15))
		return;
	if (what->kind == WHAT_SERVICE)
		service = fleet_service(&fleet, what->service);
	if (what->kind == WHAT_PORTS)
		random_ports(packet, what->protocol, what->ports, what->port_count);
	else if (what->kind == WHAT_PROTOCOL)
		packet->protocol = what->protocol;
	else if (what->kind == WHAT_SERVICE && service->count > 0)
		random_ports(packet, service->ports[0].protocol, service->ports[0].ports, service->ports[0].port_count);
	else if (what->kind == WHAT_ICMP)
		random_icmp(packet, what);
}

static struct str random_interface(const struct rule *rule)
{
	static const char *const names[] = {"", "", "lo", "eth0", "eth1", "wg17"};
	struct str name = rule == NULL ? STR("") : rule->interface;

	if (name.n == 0 || rng_chance(&rng, 30))
		return str_of(names[rng_below(&rng, sizeof names / sizeof *names)]);
	if (name.p[name.n - 1] != '+')
		return name;
	return str_format(arena, "%.*s%s", (int)(name.n - 1), name.p,
	                  name.n > 12 || rng_chance(&rng, 30) ? "" : "x-1");
}

/* What opens a connection from an ordinary port: the only packets that explain() speaks of. */
static struct sample random_packet(bool out, unsigned ssh_port)
{
	const struct role_rule *held = any_rule();
	const struct rule *rule = held == NULL ? NULL : &held->rule;
	struct addr addr = random_addr();
	struct sample packet = {.state = STATE_NEW, .family = addr.family,
	                        .source_port = ssh_port == 50000 ? 50001 : 50000,
	                        .conditions = holding.items, .condition_count = holding.count};

	packet.source = packet.destination = (struct addr){.family = addr.family};
	*(out ? &packet.destination : &packet.source) = addr;
	random_what(&packet, rule == NULL ? NULL : &rule->what);
	*(out ? &packet.out : &packet.in) = random_interface(rule);
	return packet;
}

/* --- the three answers --- */

static struct verdict explained(size_t machine, bool out, const struct sample *packet)
{
	struct end self = {.is_machine = true, .machine = (uint32_t)machine};
	struct end other = {.addr = out ? packet->destination : packet->source};
	struct packet_what what = {
		.protocol = (uint8_t)packet->protocol, .icmp_name = ICMP_NUMBER,
		.icmp_type = (uint8_t)(packet->port >> 8), .icmp_code = (int)(packet->port & 255),
		.has_port = protocol_has_ports((uint8_t)packet->protocol), .port = (uint16_t)packet->port,
		.interface = out ? packet->out : packet->in,
	};
	struct verdict verdict;

	ck_assert_ptr_null(explain(arena, explainer, out ? &self : &other, out ? &other : &self, &what, &verdict));
	return verdict;
}

static const char *outcome(const struct intended *intended, const struct sample *packet)
{
	if (packets_have(intended->watched, packet))
		return "watched";
	if (packets_have(intended->accepted, packet) || packets_have(intended->passed, packet))
		return "allowed";
	if (packets_have(intended->reset, packet))
		return "reset";
	return packets_have(intended->rejected, packet) ? "rejected" : "dropped";
}

static const char *expected(const struct verdict *verdict, const struct sample *packet)
{
	if (verdict->stage == STAGE_MONITOR)
		return "watched";
	if (verdict->allow)
		return "allowed";
	if (verdict->stage != STAGE_REJECT)
		return "dropped";
	return packet->protocol == PROTOCOL_TCP ? "reset" : "rejected";
}

static bool among(const struct intent_reason *reason, const struct effective_rule *rule)
{
	for (size_t i = 0; i < reason->count; i++)
		if (reason->rules[i] == rule->held && reason->roles[i] == rule->role)
			return true;
	return false;
}

static bool same_stage(struct str said, enum stage stage, const struct machine *machine)
{
	bool early = str_is(said, "management") || str_is(said, "housekeeping");

	if (stage == STAGE_MONITOR || str_eq(said, stage_str(stage)))
		return true;
	/* Where management comes before everything, it also comes before housekeeping. */
	return early && stage == STAGE_HOUSEKEEPING &&
	       (machine->mode == MODE_COEXIST || machine->enforcement == ENFORCEMENT_MONITOR);
}

static void same_reason(size_t machine, bool out, const struct sample *packet, const struct verdict *verdict)
{
	struct intent_reason reason = intent_why(arena, intent, machine, out, packet);

	ck_assert_msg(same_stage(reason.stage, verdict->stage, &fleet.machines[machine]), "%.*s, not %.*s",
	              STR_ARG(reason.stage), STR_ARG(stage_str(verdict->stage)));
	if (verdict->stage == STAGE_MONITOR && verdict->rule_count == 0)
		return;
	ck_assert_uint_eq(reason.count, verdict->rule_count);
	for (size_t i = 0; i < verdict->rule_count; i++)
		ck_assert(among(&reason, verdict->rules[i]));
}

static void ask(size_t machine, bool out, const struct intended intended[2])
{
	const struct machine *asked = &fleet.machines[machine];
	struct sample packet = random_packet(out, asked->ssh_port != 0 ? asked->ssh_port : settings.ssh_port);
	const struct intended *here = &intended[packet.family == FAMILY_6];
	struct verdict verdict = explained(machine, out, &packet);

	ck_assert_msg(str_is(str_of(outcome(here, &packet)), expected(&verdict, &packet)),
	              "%s %.*s: protocol %u port %u is %s, not %s (%.*s)", out ? "from" : "to", STR_ARG(asked->name),
	              packet.protocol, packet.port, outcome(here, &packet), expected(&verdict, &packet),
	              STR_ARG(stage_str(verdict.stage)));
	same_reason(machine, out, &packet, &verdict);
}

START_TEST(three_ways_agree)
{
	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(30); seed++) {
		size_t mark = packets_mark();

		new_fleet(seed * 1000 + (uint64_t)_i);
		for (size_t machine = 0; machine < fleet.machine_count; machine++) {
			struct intents four = intent_of(arena, intent, machine, FAMILY_4, NULL, NULL);
			struct intents six = intent_of(arena, intent, machine, FAMILY_6, NULL, NULL);

			for (size_t i = 0; i < 40; i++) {
				ask(machine, false, (struct intended[]){four.in, six.in});
				ask(machine, true, (struct intended[]){four.out, six.out});
			}
		}
		end_fleet();
		packets_release(mark);
	}
	packets_end();
}
END_TEST

/* --- every state, every source port --- */

static bool is_any(const char *word, const char *one, const char *other)
{
	return str_is(str_of(word), one) || str_is(str_of(word), other);
}

/* What a stage may make of a packet. Where egress is open, the default lets it out. */
static bool fits(struct str stage, const char *became, enum packet_state state, bool out)
{
	if (str_is(stage, "deny"))
		return is_any(became, "dropped", "watched");
	if (str_is(stage, "reject"))
		return is_any(became, "reset", "rejected") || is_any(became, "watched", "");
	if (str_is(stage, "default"))
		return is_any(became, "dropped", "watched") || (out && is_any(became, "allowed", ""));
	if (str_is(stage, "housekeeping") && is_any(became, "dropped", "watched"))
		return state == STATE_INVALID && !out && settings.drop_invalid;
	return is_any(became, "allowed", "");
}

static void ask_why(size_t machine, bool out, const struct intended intended[2])
{
	static const unsigned ports[] = {67, 68, 546, 547, 22, 50000};
	struct sample packet = random_packet(out, settings.ssh_port);
	struct intent_reason reason;
	const char *became;

	packet.state = (enum packet_state)rng_below(&rng, STATE_COUNT);
	packet.source_port = rng_chance(&rng, 20) ? settings.ssh_port : ports[rng_below(&rng, 6)];
	packet.flags = (unsigned)rng_below(&rng, 256);
	packet.condition_count = rng_below(&rng, holding.count + 1);
	became = outcome(&intended[packet.family == FAMILY_6], &packet);
	reason = intent_why(arena, intent, machine, out, &packet);
	ck_assert_msg(fits(reason.stage, became, packet.state, out),
	              "%s %.*s: state %d protocol %u port %u is %s by %.*s", out ? "from" : "to",
	              STR_ARG(fleet.machines[machine].name), (int)packet.state, packet.protocol, packet.port, became,
	              STR_ARG(reason.stage));
}

START_TEST(reasons_fit)
{
	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(30); seed++) {
		size_t mark = packets_mark();

		new_fleet(seed * 31 + 5);
		for (size_t machine = 0; machine < fleet.machine_count; machine++) {
			struct intents four = intent_of(arena, intent, machine, FAMILY_4, NULL, NULL);
			struct intents six = intent_of(arena, intent, machine, FAMILY_6, NULL, NULL);

			for (size_t i = 0; i < 60; i++) {
				ask_why(machine, false, (struct intended[]){four.in, six.in});
				ask_why(machine, true, (struct intended[]){four.out, six.out});
			}
		}
		end_fleet();
		packets_release(mark);
	}
	packets_end();
}
END_TEST

/* --- names for sets --- */

static struct str seen_name(struct str set, enum packet_field field)
{
	return str_format(arena, "%s %.*s", field == FIELD_SOURCE ? "src" : "dst", STR_ARG(set));
}

static struct {
	struct str *items;
	size_t count, capacity;
} asked_for;

static struct packets by_name(void *context, struct str set, enum family family, enum packet_field field)
{
	(void)context, (void)family;
	APPEND(arena, &asked_for, set);
	return packets_condition(seen_name(set, field));
}

static struct packets put_back(struct packets set, enum family family)
{
	for (size_t i = 0; i < asked_for.count; i++) {
		const struct addr_set *addresses = intent_set(intent, asked_for.items[i], family);

		if (addresses == NULL) /* of literals that are a set in the other family alone */
			continue;
		for (enum packet_field field = FIELD_SOURCE; field <= FIELD_DESTINATION; field++)
			set = packets_put(set, seen_name(asked_for.items[i], field),
			                  packets_addresses(field, addresses));
	}
	return packets_and(set, intent_compared(family));
}

static void same_when_put_back(const struct intended *named, const struct intended *plain, enum family family)
{
	ck_assert(packets_eq(put_back(named->accepted, family), plain->accepted));
	ck_assert(packets_eq(put_back(named->passed, family), plain->passed));
	ck_assert(packets_eq(put_back(named->dropped, family), plain->dropped));
	ck_assert(packets_eq(put_back(named->reset, family), plain->reset));
	ck_assert(packets_eq(put_back(named->rejected, family), plain->rejected));
	ck_assert(packets_eq(put_back(named->watched, family), plain->watched));
}

/* Each packet has one outcome. */
static void disjoint_and_whole(const struct intended *intended, enum family family)
{
	struct packets parts[] = {intended->accepted, intended->passed, intended->dropped, intended->reset,
	                          intended->rejected};
	struct packets whole = packets_none();

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		ck_assert(packets_empty(packets_and(whole, parts[i])));
		whole = packets_or(whole, parts[i]);
	}
	ck_assert(packets_eq(whole, intent_compared(family)));
	ck_assert(packets_within(intended->watched, intended->passed));
}

/* All by name at first: what is kept from one machine to the next must be right for both. */
START_TEST(sets_may_be_seen_by_name)
{
	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(25); seed++) {
		size_t mark = packets_mark();
		struct intents *named;

		new_fleet(seed * 77 + (uint64_t)_i);
		asked_for.items = NULL;
		asked_for.count = asked_for.capacity = 0;
		named = ARENA_ARRAY(arena, struct intents, 2 * fleet.machine_count);
		for (size_t i = 0; i < 2 * fleet.machine_count; i++)
			named[i] = intent_of(arena, intent, i / 2, i % 2 == 0 ? FAMILY_4 : FAMILY_6, by_name, NULL);
		for (size_t i = 0; i < 2 * fleet.machine_count; i++) {
			enum family family = i % 2 == 0 ? FAMILY_4 : FAMILY_6;
			struct intents plain = intent_of(arena, intent, i / 2, family, NULL, NULL);

			same_when_put_back(&named[i].in, &plain.in, family);
			same_when_put_back(&named[i].out, &plain.out, family);
			disjoint_and_whole(&plain.in, family);
			disjoint_and_whole(&plain.out, family);
		}
		end_fleet();
		packets_release(mark);
	}
	packets_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intent_random");
	TCase *tcase = tcase_create("random");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, three_ways_agree, 0, 4);
	tcase_add_test(tcase, reasons_fit);
	tcase_add_test(tcase, sets_may_be_seen_by_name);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
