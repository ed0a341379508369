/* Finds an address that is in some sets and not in others, without making the sets of what is left: each set says up to
 * where it stays as it is, and whoever says no is passed over in one step. */
#include <assert.h>

#include "policy_parts.h"

/* In the set or not, and the last address for which that is so. */
struct standing {
	bool in;
	addr_bits until;
};

static struct standing in_set(const struct addr_set *set, addr_bits at)
{
	size_t place = addr_set_place(set, at);

	if (place == set->count)
		return (struct standing){false, family_last(set->family)};
	if (set->ranges[place].first <= at)
		return (struct standing){true, set->ranges[place].last};
	return (struct standing){false, set->ranges[place].first - 1};
}

/* In one of them as long as any of these lasts; in none until the first begins. */
static struct standing in_any(const struct set_list *sets, enum family family, addr_bits at)
{
	struct standing standing = {false, family_last(family)};

	for (size_t i = 0; i < sets->count; i++) {
		struct standing one = in_set(sets->items[i], at);
		bool farther = one.until > standing.until;

		if (one.in ? !standing.in || farther : !standing.in && !farther)
			standing = one;
	}
	return standing;
}

void search_add(struct search *search, const struct set_list *sets, bool without)
{
	assert(search->count < sizeof search->terms / sizeof *search->terms);
	search->terms[search->count].sets = sets;
	search->terms[search->count++].without = without;
}

/* Up to which address one of the terms says no; false where none does. */
static bool refused_until(const struct search *search, addr_bits at, addr_bits *until)
{
	bool refused = false;

	for (size_t i = 0; i < search->count; i++) {
		struct standing standing = in_any(search->terms[i].sets, search->family, at);

		if (standing.in != search->terms[i].without)
			continue;
		if (!refused || standing.until > *until)
			*until = standing.until;
		refused = true;
	}
	return refused;
}

bool search_has(const struct search *search, addr_bits at)
{
	addr_bits until;

	return !refused_until(search, at, &until);
}

bool search_next(const struct search *search, addr_bits from, addr_bits *found)
{
	addr_bits until;

	for (*found = from; refused_until(search, *found, &until); *found = until + 1)
		if (until == family_last(search->family))
			return false;
	return true;
}
