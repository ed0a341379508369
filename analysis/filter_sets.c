/* What `ipset restore` makes of texts. */
#include "fleetwall/filter.h"
const struct filter_set *filter_set(const struct filter_sets *sets, struct str name)
{
	size_t low = 0, high = sets->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(sets->sets[middle].name, name);

		if (order == 0)
			return &sets->sets[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
