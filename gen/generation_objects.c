/* Lists of objects: the distinct digests that a generation, or what is known of one, names. Pure. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/store.h"

int digest_cmp(const struct digest *a, const struct digest *b)
{
	return memcmp(a->byte, b->byte, sizeof a->byte);
}

static int digest_order(const void *a, const void *b)
{
	return digest_cmp(a, b);
}

size_t digests_sort(struct digest *digests, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(digests, count, sizeof *digests, digest_order);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !digest_eq(&digests[kept - 1], &digests[i]))
			digests[kept++] = digests[i];
	return kept;
}

size_t entries_digests(struct arena *arena, const struct entry *entries, size_t count, struct digest **digests)
{
	*digests = ARENA_ARRAY(arena, struct digest, count);
	for (size_t i = 0; i < count; i++)
		(*digests)[i] = entries[i].digest;
	return digests_sort(*digests, count);
}

size_t known_values(struct arena *arena, const struct known *known, size_t count, struct digest **digests)
{
	*digests = ARENA_ARRAY(arena, struct digest, count);
	for (size_t i = 0; i < count; i++)
		(*digests)[i] = known[i].value;
	return digests_sort(*digests, count);
}
