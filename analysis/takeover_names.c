/* Peers by name: a machine where a rule speaks of all its addresses, a role where a list is exactly its members'.
 * Whoever has an address alone is looked up in the present fleet; a shared address names nobody. */
#include <stdlib.h>

#include "takeover.h"

struct owner {
	struct addr addr;
	uint32_t machine;
};

struct finder {
	struct arena *arena;
	const struct fleet *fleet;
	struct owner *owners; /* sorted by address */
	size_t owner_count;
	struct role_addresses {
		bool known;
		struct addr_set sets[2]; /* v4, v6 */
	} * roles[2];                    /* as fleet->roles; of rules that allow, and that refuse */
};

static int owner_order(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	int order = addr_cmp(x->addr, y->addr);

	return order != 0 ? order : (x->machine > y->machine) - (x->machine < y->machine);
}

struct finder *finder_new(struct arena *arena, const struct fleet *present)
{
	struct finder *finder = ARENA_NEW(arena, struct finder);
	size_t count = 0;

	*finder = (struct finder){.arena = arena, .fleet = present};
	for (size_t i = 0; i < present->machine_count; i++)
		count += present->machines[i].address_count;
	finder->owners = ARENA_ARRAY(arena, struct owner, count);
	for (size_t i = 0; i < present->machine_count; i++)
		for (size_t k = 0; k < present->machines[i].address_count; k++)
			finder->owners[finder->owner_count++] =
				(struct owner){present->machines[i].addresses[k].addr, (uint32_t)i};
	if (count > 1)
		qsort(finder->owners, count, sizeof *finder->owners, owner_order);
	for (unsigned i = 0; i < 2; i++)
		finder->roles[i] = ARENA_ARRAY(arena, struct role_addresses, present->role_count);
	return finder;
}

/* The one machine that has the address; NULL: none, or several. */
static const struct machine *owner_of(const struct finder *finder, struct addr addr)
{
	size_t first = 0, last = finder->owner_count;

	while (first < last) {
		size_t middle = first + (last - first) / 2;

		if (addr_cmp(finder->owners[middle].addr, addr) < 0)
			first = middle + 1;
		else
			last = middle;
	}
	if (first == finder->owner_count || addr_cmp(finder->owners[first].addr, addr) != 0)
		return NULL;
	if (first + 1 < finder->owner_count && addr_cmp(finder->owners[first + 1].addr, addr) == 0)
		return NULL;
	return &finder->fleet->machines[finder->owners[first].machine];
}

/* --- roles --- */

static bool is_member(const struct machine *machine, const struct role *role)
{
	return str_among(role->name, machine->roles, machine->role_count) ||
	       (role->has_selector &&
	        labels_contain(machine->labels, machine->label_count, role->selector, role->selector_count));
}

static const struct role_addresses *addresses_of(struct finder *finder, size_t role, bool refusing)
{
	struct role_addresses *known = &finder->roles[refusing][role];
	struct range_list list = {0};

	if (known->known)
		return known;
	for (size_t i = 0; i < finder->fleet->machine_count; i++) {
		const struct machine *machine = &finder->fleet->machines[i];

		if ((!machine->enabled && !refusing) || !is_member(machine, &finder->fleet->roles[role]))
			continue;
		for (size_t k = 0; k < machine->address_count; k++) {
			struct addr addr = machine->addresses[k].addr;

			APPEND(finder->arena, &list, ((struct range){addr.bits, addr.bits, addr.family}));
		}
	}
	known->known = true;
	for (unsigned i = 0; i < 2; i++)
		known->sets[i] = addr_set_of(finder->arena, i == 0 ? FAMILY_4 : FAMILY_6, list.items, list.count);
	return known;
}

/* Only roles of the machine that has the first address can be it. */
static const struct role *role_of(struct finder *finder, const struct addr_set sets[2], struct range first,
                                  bool refusing)
{
	const struct machine *machine = owner_of(finder, (struct addr){first.first, first.family});

	for (size_t i = 0; machine != NULL && i < finder->fleet->role_count; i++) {
		const struct role *role = &finder->fleet->roles[i];
		const struct role_addresses *known;

		if (machine_of_role(role->name).n > 0 || !is_member(machine, role))
			continue;
		known = addresses_of(finder, i, refusing);
		if (addr_set_eq(&known->sets[0], &sets[0]) && addr_set_eq(&known->sets[1], &sets[1]))
			return role;
	}
	return NULL;
}

/* --- machines --- */

struct wanted_peers {
	struct addr_set sets[2];
	const bool *every;
	bool refusing;
};

static bool stands_for(const struct machine *machine, const struct wanted_peers *wanted)
{
	if (machine == NULL || (!machine->enabled && !wanted->refusing))
		return false;
	for (size_t i = 0; i < machine->address_count; i++) {
		unsigned which = machine->addresses[i].addr.family == FAMILY_6;

		if (!wanted->every[which] && !addr_set_has(&wanted->sets[which], machine->addresses[i].addr))
			return false;
	}
	return true;
}

static void add_literal(struct finder *finder, struct peer_list *peers, struct range range)
{
	APPEND(finder->arena, peers, ((struct peer){.kind = PEER_LITERAL, .literal = range}));
}

void finder_peers(struct finder *finder, const struct range_list *ranges, const bool every[2], bool refusing,
                  struct peer_list *peers)
{
	struct wanted_peers wanted = {.every = every, .refusing = refusing};
	const struct role *role = NULL;

	for (unsigned i = 0; i < 2; i++)
		wanted.sets[i] = addr_set_of(finder->arena, i == 0 ? FAMILY_4 : FAMILY_6, ranges->items, ranges->count);
	if (ranges->count > 1 && !every[0] && !every[1])
		role = role_of(finder, wanted.sets, ranges->items[0], refusing);
	if (role != NULL) {
		APPEND(finder->arena, peers, ((struct peer){.kind = PEER_ROLE, .name = role->name}));
		return;
	}
	for (unsigned i = 0; i < 2; i++)
		if (every[i])
			add_literal(finder, peers, prefix_range((struct prefix){{0, i == 0 ? FAMILY_4 : FAMILY_6}, 0}));
	for (size_t i = 0; i < ranges->count; i++) {
		struct range range = ranges->items[i];
		const struct machine *machine =
			range.first == range.last ? owner_of(finder, (struct addr){range.first, range.family}) : NULL;

		if (stands_for(machine, &wanted))
			APPEND(finder->arena, peers, ((struct peer){.kind = PEER_MACHINE, .name = machine->name}));
		else if (!every[range.family == FAMILY_6])
			add_literal(finder, peers, range);
	}
}
