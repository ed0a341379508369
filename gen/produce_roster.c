/* Addresses of a fleet in arrays, by family and machine. */
#include "produce_roster.h"

#include "fleetwall/arena.h"
#include "lines.h"

static void count_addresses(struct roster *roster, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->machine_count; i++) {
		const struct machine *machine = &fleet->machines[i];

		for (size_t k = 0; k < 2; k++)
			roster->families[k].start[i] = (uint32_t)roster->families[k].count;
		for (size_t k = 0; k < machine->address_count; k++)
			roster->families[family_index(machine->addresses[k].addr.family)].count++;
	}
	for (size_t k = 0; k < 2; k++)
		roster->families[k].start[fleet->machine_count] = (uint32_t)roster->families[k].count;
}

/* There are few labels, and each mostly stands at one place in memory. */
struct last_labels {
	struct {
		struct str text;
		uint32_t number;
	} items[4];
	unsigned next; /* the one to overwrite */
};

static uint32_t label_number(struct roster *roster, struct last_labels *last, struct str label)
{
	const unsigned count = sizeof last->items / sizeof *last->items;

	for (unsigned i = 0; i < count; i++)
		if (last->items[i].text.p == label.p && last->items[i].text.n == label.n)
			return last->items[i].number;
	last->next = (last->next + 1) % count;
	last->items[last->next].text = label;
	last->items[last->next].number = names_add(roster->labels, label);
	return last->items[last->next].number;
}

static struct last_labels last_labels_new(struct roster *roster)
{
	return (struct last_labels){.next = names_add(roster->labels, STR(""))}; /* 0, as the places of none say */
}

static void put(struct roster *roster, struct last_labels *last, size_t number, const struct machine *machine)
{
	size_t at[2] = {roster->families[0].start[number], roster->families[1].start[number]};

	roster->enabled[number] = machine->enabled;
	for (size_t k = 0; k < machine->address_count; k++) {
		const struct machine_address *address = &machine->addresses[k];
		unsigned family = family_index(address->addr.family);
		struct roster_family *own = &roster->families[family];

		if (family == 0)
			((uint32_t *)own->bits)[at[0]] = (uint32_t)address->addr.bits;
		else
			((addr_bits *)own->bits)[at[1]] = address->addr.bits;
		own->label[at[family]++] = label_number(roster, last, address->label);
	}
}

static void fill(struct roster *roster, const struct fleet *fleet)
{
	struct last_labels last = last_labels_new(roster);

	for (size_t i = 0; i < fleet->machine_count; i++)
		put(roster, &last, i, &fleet->machines[i]);
}

/* What the addresses of some machines that follow each other add to tallies. */
static void tally_some(struct roster *roster, struct tallier *tallier, enum family family, size_t first, size_t behind)
{
	struct roster_family *own = &roster->families[family_index(family)];
	size_t size = family == FAMILY_4 ? sizeof(uint32_t) : sizeof(addr_bits), from = own->start[first];

	tallier_each(tallier, family, (char *)own->bits + from * size, own->start[behind] - from, own->each + from);
	for (size_t i = first; i < behind; i++) {
		uint64_t sum = 0;

		for (size_t k = own->start[i]; roster->enabled[i] && k < own->start[i + 1]; k++)
			sum += own->each[k];
		own->adds[i] = sum;
	}
}

static void tally(struct roster *roster, struct tallier *tallier, size_t first, size_t behind)
{
	tally_some(roster, tallier, FAMILY_4, first, behind);
	tally_some(roster, tallier, FAMILY_6, first, behind);
}

static void tally_all(struct roster *roster, size_t machine_count)
{
	struct arena *scratch = arena_new();
	struct tallier *tallier = tallier_new(scratch, &roster->secret);

	tally(roster, tallier, 0, machine_count);
	tallier_free(tallier);
	arena_free(scratch);
}

/* Has it as many addresses of each family as there is room for? */
static bool fits(const struct roster *roster, size_t number, const struct machine *machine)
{
	size_t counts[2] = {0, 0};

	for (size_t k = 0; k < machine->address_count; k++)
		counts[family_index(machine->addresses[k].addr.family)]++;
	for (size_t k = 0; k < 2; k++)
		if (counts[k] != roster->families[k].start[number + 1] - roster->families[k].start[number])
			return false;
	return true;
}

static bool update(struct roster *roster, struct tallier *tallier, const struct fleet *fleet, const uint32_t *machines,
                   size_t machine_count)
{
	struct last_labels last = last_labels_new(roster);

	for (size_t i = 0; i < machine_count; i++) {
		if (!fits(roster, machines[i], &fleet->machines[machines[i]]))
			return false;
		put(roster, &last, machines[i], &fleet->machines[machines[i]]);
		tally(roster, tallier, machines[i], machines[i] + 1);
	}
	return true;
}

bool roster_update(struct roster *roster, const struct fleet *fleet, const uint32_t *machines, size_t machine_count)
{
	struct arena *scratch = arena_new();
	struct tallier *tallier = tallier_new(scratch, &roster->secret);
	bool fitting = update(roster, tallier, fleet, machines, machine_count);

	roster->ranked = roster->ranked && machine_count == 0;
	tallier_free(tallier);
	arena_free(scratch);
	return fitting;
}

struct roster roster_new(struct arena *arena, const struct fleet *fleet, const struct secret *secret)
{
	struct roster roster = {.labels = names_new(arena), .secret = *secret};

	roster.enabled = arena_raw(arena, fleet->machine_count * sizeof *roster.enabled);
	for (size_t k = 0; k < 2; k++)
		roster.families[k].start = arena_raw(arena, (fleet->machine_count + 1) * sizeof(uint32_t));
	count_addresses(&roster, fleet);
	for (size_t k = 0; k < 2; k++) {
		struct roster_family *family = &roster.families[k];

		family->label = arena_raw(arena, family->count * sizeof *family->label);
		family->each = arena_raw(arena, family->count * sizeof *family->each);
		family->adds = arena_raw(arena, fleet->machine_count * sizeof *family->adds);
	}
	roster.families[0].bits = arena_raw(arena, roster.families[0].count * sizeof(uint32_t));
	roster.families[1].bits = arena_raw(arena, roster.families[1].count * sizeof(addr_bits));
	fill(&roster, fleet);
	tally_all(&roster, fleet->machine_count);
	return roster;
}

/* Most machines have one address of a family: what a set needs of it then lies in one place. */
static void find_only(struct arena *arena, struct roster *roster, unsigned number, size_t machine_count)
{
	struct roster_family *family = &roster->families[number];
	const uint32_t *of = roster->ranks[number].of;

	family->only_rank = arena_raw(arena, machine_count * sizeof *family->only_rank);
	for (size_t i = 0; i < machine_count; i++) {
		size_t count = roster->enabled[i] ? family->start[i + 1] - family->start[i] : 0;

		family->only_rank[i] = count == 0 ? RANK_NONE : count == 1 ? of[family->start[i]] : RANK_SOME;
	}
}

void roster_rank(struct arena *arena, struct roster *roster, size_t machine_count)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};

	for (unsigned k = 0; k < 2; k++) {
		roster->ranks[k] = ranks_new(arena, families[k], roster->families[k].bits, roster->families[k].count);
		find_only(arena, roster, k, machine_count);
	}
	roster->ranked = true;
}
