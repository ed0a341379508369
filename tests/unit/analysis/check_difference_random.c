/* What a change of a random fleet opens and closes, against explain() before and after, packet by packet: at the edges
 * of what is told, and anywhere. What is told and explain() share no code but the rule language's.
 * valgrind-apart: many fleets. */
#include <check.h>
#include <stdlib.h>

#include "difference_fixture.h"
#include "fleet_change.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

#define ROUNDS 12
#define ADDRESSES_MOST 160
#define NUMBERS_MOST 120

static struct arena *arena;
static struct rng rng;
static struct difference_case change;
static struct explainer *explainers[2];
static size_t told, packets, differ, compared, alike;

/* --- packets --- */

struct candidates {
	struct addr addresses[ADDRESSES_MOST];
	size_t address_count;
	unsigned numbers[NUMBERS_MOST]; /* of ports */
	size_t number_count;
	bool protocols[256];
	struct str interfaces[8];
	size_t interface_count;
};

static void add_address(struct candidates *candidates, addr_bits bits, enum family family)
{
	if (candidates->address_count < ADDRESSES_MOST)
		candidates->addresses[candidates->address_count++] =
			(struct addr){bits & family_last(family), family};
}

static void add_number(struct candidates *candidates, unsigned number)
{
	if (candidates->number_count < NUMBERS_MOST)
		candidates->numbers[candidates->number_count++] = number & 0xffff;
}

static void add_group(struct candidates *candidates, const struct difference_group *group)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < group->peers[i].count && k < 6; k++) {
			const struct range *range = &group->peers[i].ranges[k];

			add_address(candidates, range->first - 1, range->family);
			add_address(candidates, range->first, range->family);
			add_address(candidates, range->last, range->family);
			add_address(candidates, range->last + 1, range->family);
		}
	for (size_t i = 0; i < group->port_count; i++) {
		add_number(candidates, group->ports[i].first - 1);
		add_number(candidates, group->ports[i].first);
		add_number(candidates, group->ports[i].last);
		add_number(candidates, group->ports[i].last + 1);
	}
	for (size_t i = 0; i < group->protocol_count; i++) {
		candidates->protocols[group->protocols[i].first] = true;
		candidates->protocols[group->protocols[i].last] = true;
	}
	if (group->on.n > 0 && candidates->interface_count < 8)
		candidates->interfaces[candidates->interface_count++] = group->on;
}

/* Of machines, and of a few anywhere. */
static void add_any(struct candidates *candidates, const struct fleet *fleet)
{
	for (size_t i = 0; i < 12; i++) {
		const struct machine *machine = &fleet->machines[rng_below(&rng, fleet->machine_count)];

		if (machine->address_count > 0)
			add_address(candidates, machine->addresses[0].addr.bits, machine->addresses[0].addr.family);
		add_address(candidates, ((addr_bits)rng_next(&rng) << 64) | rng_next(&rng),
		            rng_chance(&rng, 50) ? FAMILY_4 : FAMILY_6);
		add_number(candidates, (unsigned)rng_below(&rng, 65536));
	}
	candidates->protocols[PROTOCOL_TCP] = candidates->protocols[PROTOCOL_UDP] = true;
	candidates->protocols[PROTOCOL_ICMP] = candidates->protocols[PROTOCOL_ICMPV6] = true;
	candidates->protocols[PROTOCOL_ESP] = true;
}

/* --- what is told of a packet --- */

struct asked {
	enum difference_way way;
	struct addr peer;
	struct packet_what what;
	unsigned protocol, number; /* port, or ICMP type and code */
};

static bool in_numbers(const struct numbers *numbers, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++)
		if (number >= numbers[i].first && number <= numbers[i].last)
			return true;
	return false;
}

static bool in_group(const struct difference_group *group, const struct asked *asked)
{
	if (group->way != asked->way || !addr_set_has(&group->peers[asked->peer.family == FAMILY_6], asked->peer))
		return false;
	if (!in_numbers(group->protocols, group->protocol_count, asked->protocol))
		return false;
	if (group->port_count > 0 && !in_numbers(group->ports, group->port_count, asked->number))
		return false;
	if (str_is(asked->what.interface, "lo"))
		return str_is(group->on, "lo");
	return group->on.n == 0 || on_interface(group->on, asked->what.interface);
}

/* Opens or closes: 2 of which words say not enough. */
static int told_of(const struct difference_group *groups, size_t count, enum difference_change change_asked,
                   const struct asked *asked, bool *aside)
{
	bool some = false;

	*aside = false;
	for (size_t i = 0; i < count; i++) {
		if (groups[i].change != change_asked || !in_group(&groups[i], asked))
			continue;
		if (groups[i].example.n == 0 && !groups[i].aside)
			return 1;
		some |= groups[i].example.n > 0;
		*aside |= groups[i].aside;
	}
	return some ? 2 : 0;
}

static bool allows(size_t side, struct str machine, const struct asked *asked)
{
	const struct fleet *fleet = &change.fleets[side];
	struct end peer = {.addr = asked->peer};
	struct end self = {.is_machine = true,
	                   .machine = (uint32_t)(fleet_machine(fleet, machine) - fleet->machines)};
	bool in = asked->way == DIFFERENCE_IN;
	struct verdict verdict;

	ck_assert_ptr_null(explain(arena, explainers[side], in ? &peer : &self, in ? &self : &peer, &asked->what,
	                           &verdict));
	return verdict.allow;
}

static void check_packet(const struct difference_group *groups, size_t count, struct str machine,
                         const struct asked *asked, uint64_t seed, const char *name)
{
	const bool allowed[2] = {allows(0, machine, asked), allows(1, machine, asked)};

	for (int closes = 0; closes < 2; closes++) {
		bool really = allowed[!closes] && !allowed[closes], aside;
		int said = told_of(groups, count, closes ? DIFFERENCE_CLOSES : DIFFERENCE_OPENS, asked, &aside);
		/* What was let in before, and is, is no part of what is told. */
		bool must = said == 1 || (aside && !(allowed[0] && allowed[1]));

		ck_assert_msg(said == 2 || must == really,
		              "seed %llu, %s, machine %.*s: %s %u %s %.*s, number %u on \"%.*s\": told %d, aside %d; "
		              "%d before, %d after",
		              (unsigned long long)seed, name, STR_ARG(machine), closes ? "closes" : "opens",
		              asked->protocol, difference_way_str(asked->way).p,
		              STR_ARG(addr_str(arena, asked->peer)), asked->number, STR_ARG(asked->what.interface),
		              said, aside, allowed[0], allowed[1]);
		told += must;
		differ += really;
	}
	packets++;
}

static bool fill_what(struct asked *asked, unsigned protocol, unsigned number)
{
	asked->what.protocol = (uint8_t)protocol;
	asked->protocol = protocol;
	asked->number = number;
	asked->what.icmp_code = -1;
	if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) {
		if ((protocol == PROTOCOL_ICMP) != (asked->peer.family == FAMILY_4))
			return false;
		asked->what.icmp = true;
		asked->what.protocol = 0;
		asked->what.icmp_name = ICMP_NUMBER;
		asked->what.icmp_type = (uint8_t)(number >> 8);
		asked->what.icmp_code = (int)(number & 255);
		return true;
	}
	if (protocol_has_ports((uint8_t)protocol)) {
		asked->what.has_port = true;
		asked->what.port = (uint16_t)number;
	}
	/* DHCP depends on the source port, which explain() does not know. */
	return protocol != PROTOCOL_UDP || (number != 67 && number != 68 && number != 546 && number != 547);
}

static void check_random_packet(const struct candidates *candidates, const struct difference_group *groups,
                                size_t count, struct str machine, uint64_t seed, const char *name)
{
	struct asked asked = {.way = rng_chance(&rng, 60) ? DIFFERENCE_IN : DIFFERENCE_OUT};
	unsigned protocol = (unsigned)rng_below(&rng, 256), number;

	while (!candidates->protocols[protocol])
		protocol = (protocol + 1) % 256;
	asked.peer = candidates->addresses[rng_below(&rng, candidates->address_count)];
	asked.what.interface = candidates->interfaces[rng_below(&rng, candidates->interface_count)];
	number = candidates->numbers[rng_below(&rng, candidates->number_count)];
	if (!fill_what(&asked, protocol, number))
		return;
	check_packet(groups, count, machine, &asked, seed, name);
}

/* --- rounds --- */

static void check_machine(struct str machine, uint64_t seed, const char *name)
{
	struct candidates *candidates = ARENA_NEW(arena, struct candidates);
	struct difference_group *groups;
	size_t count, mark = packets_mark();

	candidates->interfaces[candidates->interface_count++] = STR("");
	count = difference_of_machine(arena, &change, machine, &groups);
	packets_release(mark);
	for (size_t i = 0; i < count; i++)
		add_group(candidates, &groups[i]);
	add_any(candidates, &change.fleets[0]);
	for (size_t i = 0; i < 300; i++)
		check_random_packet(candidates, groups, count, machine, seed, name);
}

/* --- all machines together: the same is told as of each alone --- */

static bool is_of(const struct difference_group *group, uint32_t pair)
{
	for (size_t i = 0; i < group->pair_count; i++)
		if (group->pairs[i] == pair)
			return true;
	return false;
}

static bool is_like(const struct difference_group *a, const struct difference_group *b)
{
	return a->change == b->change && a->way == b->way && a->cause == b->cause && str_eq(a->what, b->what) &&
	       str_eq(a->on, b->on) && str_eq(a->rule, b->rule) && str_eq(a->set, b->set) && a->aside == b->aside &&
	       addr_set_eq(&a->peers[0], &b->peers[0]) && addr_set_eq(&a->peers[1], &b->peers[1]);
}

static bool has_like(const struct difference_group *groups, size_t count, uint32_t pair,
                     const struct difference_group *group)
{
	for (size_t i = 0; i < count; i++)
		if (is_of(&groups[i], pair) && is_like(&groups[i], group))
			return true;
	return false;
}

static size_t count_of(const struct difference_group *groups, size_t count, uint32_t pair)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += is_of(&groups[i], pair);
	return found;
}

static void check_alone(const struct difference_group *together, size_t together_count, struct str machine,
                        uint32_t pair, uint64_t seed)
{
	struct difference_group *alone;
	size_t count, mark = packets_mark();
	bool may_open, opens = false, same;

	count = difference_of_machines(arena, &change, &machine, 1, &alone, &may_open);
	same = difference_is_same(arena, &change, machine);
	packets_release(mark);
	ck_assert_msg(count == count_of(together, together_count, pair), "seed %llu, %.*s: %zu groups alone",
	              (unsigned long long)seed, STR_ARG(machine), count);
	for (size_t i = 0; i < count; i++) {
		opens |= alone[i].change == DIFFERENCE_OPENS;
		ck_assert_msg(has_like(together, together_count, pair, &alone[i]), "seed %llu, %.*s: %.*s",
		              (unsigned long long)seed, STR_ARG(machine), STR_ARG(alone[i].what));
		ck_assert(!same || alone[i].change == DIFFERENCE_OTHER);
	}
	ck_assert(!opens || may_open);
	ck_assert(!same || !may_open);
	compared++;
	alike += same;
}

static void check_together(const struct str *machines, size_t count, uint64_t seed)
{
	struct difference_group *groups;
	size_t mark = packets_mark(), group_count;
	bool may_open;

	group_count = difference_of_machines(arena, &change, machines, count, &groups, &may_open);
	packets_release(mark);
	for (size_t i = 0; i < count; i++)
		check_alone(groups, group_count, machines[i], (uint32_t)i, seed);
}

static bool has_any(const struct output *output, struct str machine)
{
	for (size_t i = 0; i < output->machine_count; i++)
		if (str_eq(output->machines[i].machine->name, machine))
			return true;
	return false;
}

static void check_change(uint64_t seed, const char *name)
{
	struct str *machines = ARENA_ARRAY(arena, struct str, change.outputs[0].machine_count);
	size_t count = 0;

	for (size_t i = 0; i < 2; i++)
		explainers[i] = explainer_new(arena, change.resolved[i], &change.settings);
	for (size_t i = 0; i < change.outputs[0].machine_count; i++) {
		struct str machine = change.outputs[0].machines[i].machine->name;

		if (!has_any(&change.outputs[1], machine))
			continue;
		check_machine(machine, seed, name);
		machines[count++] = machine;
	}
	if (seed / 4 % 4 == 0)
		check_together(machines, count, seed);
}

static void copy_lists(struct fleet *fleet)
{
	struct machine *machines = ARENA_ARRAY(arena, struct machine, fleet->machine_count + 4);
	struct role *roles = ARENA_ARRAY(arena, struct role, fleet->role_count + 4);
	struct network *networks = ARENA_ARRAY(arena, struct network, fleet->network_count + 4);
	struct service *services = ARENA_ARRAY(arena, struct service, fleet->service_count + 4);

	for (size_t i = 0; i < fleet->machine_count; i++)
		machines[i] = fleet->machines[i];
	for (size_t i = 0; i < fleet->role_count; i++)
		roles[i] = fleet->roles[i];
	for (size_t i = 0; i < fleet->network_count; i++)
		networks[i] = fleet->networks[i];
	for (size_t i = 0; i < fleet->service_count; i++)
		services[i] = fleet->services[i];
	fleet->machines = machines;
	fleet->roles = roles;
	fleet->networks = networks;
	fleet->services = services;
}

/* A change of a service may give it a protocol that has no ports, which no inventory takes. */
static bool is_valid(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->service_count; i++)
		for (size_t k = 0; k < fleet->services[i].count; k++)
			if (!protocol_has_ports(fleet->services[i].ports[k].protocol))
				return false;
	return true;
}

static size_t change_count(void)
{
	size_t count = 0;

	while (fleet_changes[count].name != NULL)
		count++;
	return count;
}

static void one_round(uint64_t seed, const struct templates *templates)
{
	static const struct settings settings = {.ssh_port = 22,
	                                         .loopback = true,
	                                         .icmp_errors = true,
	                                         .established = true,
	                                         .neighbour_discovery = true,
	                                         .drop_invalid = true,
	                                         .dhcp = true,
	                                         .log_rate = 6};
	const struct fleet_change *made;

	rng = (struct rng){seed * 7919 + 1};
	change = (struct difference_case){.settings = settings};
	change.fleets[0] = random_fleet(arena, &rng, 3 + rng_below(&rng, 6));
	change.fleets[0].clock = 1772366400;
	change.fleets[1] = change.fleets[0];
	copy_lists(&change.fleets[1]);
	made = &fleet_changes[seed % change_count()];
	if (!made->make(arena, &rng, &change.fleets[1]) || !is_valid(&change.fleets[1]))
		return;
	difference_case_make(arena, &change, templates);
	check_change(seed, made->name);
}

START_TEST(opens_and_closes_are_what_explain_says)
{
	struct arena *kept = arena_new();
	struct templates *templates = make_templates(kept);
	size_t count = rounds(ROUNDS * change_count() / 4);

	packets_begin();
	for (uint64_t i = 0; i < count; i++) {
		arena = arena_new();
		one_round(i * 4 + (uint64_t)_i, templates);
		arena_free(arena);
	}
	packets_end();
	arena_free(kept);
	error_forget_all();
	ck_assert_msg(count < ROUNDS * change_count() / 4 ||
	                      (told > 50 && packets > 10000 && alike > 10 && compared - alike > 2),
	              "%zu told of %zu packets, %zu alike of %zu: too few", told, packets, alike, compared);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("difference_random");
	TCase *tcase = tcase_create("random");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, opens_and_closes_are_what_explain_says, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
