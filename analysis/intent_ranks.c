/* Members' addresses in order, for whoever asks for many sets: each address of a machine has a rank, and a role's set
 * is the ranks that its members mark. So nothing is sorted set by set. What sets hold is as intent_sets.c says it. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "intent_parts.h"

/* An address of a machine, on its way to a rank. */
struct placed {
	addr_bits bits;
	uint32_t slot;
};

static int placed_order(const void *a, const void *b)
{
	const struct placed *one = a, *other = b;

	return one->bits < other->bits ? -1 : one->bits > other->bits;
}

static size_t count_addresses(const struct fleet *fleet)
{
	size_t count = 0;

	for (size_t i = 0; i < fleet->machine_count; i++)
		count += fleet->machines[i].address_count;
	return count;
}

/* Slots are a machine's addresses of that family, one behind the other. */
static size_t lay_out(struct intent *intent, struct ranks *ranks, enum family family, struct placed *placed)
{
	const struct fleet *fleet = intent->fleet;
	uint32_t slot = 0;

	for (size_t i = 0; i < fleet->machine_count; i++) {
		const struct machine *machine = &fleet->machines[i];

		ranks->first[i] = slot;
		for (size_t k = 0; k < machine->address_count; k++) {
			const struct machine_address *address = &machine->addresses[k];

			if (address->addr.family != family)
				continue;
			ranks->labels[slot] = names_add(intent->labels, address->label);
			placed[slot] = (struct placed){address->addr.bits, slot};
			slot++;
		}
	}
	ranks->first[fleet->machine_count] = slot;
	return slot;
}

static void rank(struct arena *scratch, struct intent *intent, enum family family)
{
	struct ranks *ranks = &intent->ranks[family_index(family)];
	size_t most = count_addresses(intent->fleet), count;
	struct placed *placed = ARENA_ARRAY(scratch, struct placed, most);

	ranks->first = ARENA_ARRAY(intent->arena, uint32_t, intent->fleet->machine_count + 1);
	ranks->labels = ARENA_ARRAY(intent->arena, uint32_t, most);
	ranks->of = ARENA_ARRAY(intent->arena, uint32_t, most);
	ranks->bits = ARENA_ARRAY(intent->arena, addr_bits, most);
	count = lay_out(intent, ranks, family, placed);
	if (count > 1)
		qsort(placed, count, sizeof *placed, placed_order);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || placed[i].bits != placed[i - 1].bits)
			ranks->bits[ranks->count++] = placed[i].bits;
		ranks->of[placed[i].slot] = (uint32_t)ranks->count - 1;
	}
}

void intent_hurry(struct intent *intent)
{
	struct arena *scratch;

	if (intent->hurried)
		return;
	scratch = arena_new();
	intent->labels = names_new(intent->arena);
	intent->counts = ARENA_ARRAY(intent->arena, bool, intent->fleet->machine_count);
	for (size_t i = 0; i < intent->fleet->machine_count; i++)
		intent->counts[i] = intent->fleet->machines[i].enabled;
	rank(scratch, intent, FAMILY_4);
	rank(scratch, intent, FAMILY_6);
	intent->hurried = true;
	arena_free(scratch);
}

/* --- a role's set --- */

static size_t mark(const struct intent *intent, const struct ranks *ranks, const struct meant_set *set,
                   const struct number_list *members, uint64_t *marks)
{
	uint32_t label = set->peer.label.n > 0 ? names_find(intent->labels, set->peer.label) : NAMES_NONE;
	size_t count = 0;

	for (size_t i = 0; i < members->count; i++) {
		uint32_t machine = members->items[i];

		if (!intent->counts[machine] && !set->refusing)
			continue;
		for (uint32_t slot = ranks->first[machine]; slot < ranks->first[machine + 1]; slot++) {
			if (set->peer.label.n > 0 && ranks->labels[slot] != label)
				continue;
			marks[ranks->of[slot] / 64] |= UINT64_C(1) << ranks->of[slot] % 64;
			count++;
		}
	}
	return count;
}

static void add_address(struct addr_set *set, addr_bits bits)
{
	struct range *last = set->count > 0 ? &set->ranges[set->count - 1] : NULL;

	if (last != NULL && last->last + 1 == bits)
		last->last = bits;
	else
		set->ranges[set->count++] = (struct range){bits, bits, set->family};
}

struct addr_set ranked_set(struct arena *arena, struct arena *scratch, const struct intent *intent,
                           const struct meant_set *set, const struct number_list *members, enum family family)
{
	const struct ranks *ranks = &intent->ranks[family_index(family)];
	size_t words = (ranks->count + 63) / 64;
	uint64_t *marks = ARENA_ARRAY(scratch, uint64_t, words);
	struct addr_set result = {.family = family};

	result.ranges = ARENA_ARRAY(arena, struct range, mark(intent, ranks, set, members, marks));
	for (size_t i = 0; i < words; i++)
		for (uint64_t word = marks[i]; word != 0; word &= word - 1)
			add_address(&result, ranks->bits[i * 64 + (size_t)__builtin_ctzll(word)]);
	return result;
}
