/* What prefixes are by themselves, from a whole fleet: a network's prefix, a machine's address. For who_can(), where no
 * rule names them. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/who_can.h"

/* A prefix that was asked for, and its place in the question. */
struct wanted {
	struct range range;
	size_t place;
};

struct naming {
	struct arena *arena;
	struct wanted *wanted; /* sorted */
	size_t count;
	struct str *names;     /* by place */
};

static int wanted_order(const void *a, const void *b)
{
	return range_cmp(((const struct wanted *)a)->range, ((const struct wanted *)b)->range);
}

static void name(struct naming *naming, struct range range, const char *kind, struct str what)
{
	struct wanted key = {.range = range};
	const struct wanted *found =
		bsearch(&key, naming->wanted, naming->count, sizeof *naming->wanted, wanted_order);
	struct str *at;

	if (found == NULL)
		return;
	at = &naming->names[found->place];
	*at = at->n == 0 ? str_format(naming->arena, "%s:%.*s", kind, STR_ARG(what))
	                 : str_format(naming->arena, "%.*s, %s:%.*s", STR_ARG(*at), kind, STR_ARG(what));
}

static void name_networks(struct naming *naming, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->network_count; i++)
		for (size_t j = 0; j < fleet->networks[i].prefix_count; j++)
			name(naming, prefix_range(fleet->networks[i].prefixes[j]), "network", fleet->networks[i].name);
}

static void name_machines(struct naming *naming, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t j = 0; j < fleet->machines[i].address_count; j++) {
			struct addr addr = fleet->machines[i].addresses[j].addr;

			name(naming, (struct range){addr.bits, addr.bits, addr.family}, "machine",
			     fleet->machines[i].name);
		}
}

struct error *fleet_prefix_names(void *context, struct arena *arena, const struct prefix *prefixes, size_t count,
                                 struct str *names)
{
	struct naming naming = {arena, ARENA_ARRAY(arena, struct wanted, count), count, names};

	for (size_t i = 0; i < count; i++)
		naming.wanted[i] = (struct wanted){prefix_range(prefixes[i]), i};
	qsort(naming.wanted, count, sizeof *naming.wanted, wanted_order);
	name_networks(&naming, context);
	name_machines(&naming, context);
	return NULL;
}
