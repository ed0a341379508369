/* Lists of objects: the distinct digests that a generation, or what is known of one, names; and one found by its name.
 * Pure. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/store.h"

int digest_cmp(const struct digest *a, const struct digest *b)
{
	return memcmp(a->byte, b->byte, sizeof a->byte);
}

static size_t bucket_of(const struct digest *digest, unsigned bits)
{
	return ((size_t)digest->byte[0] << 16 | (size_t)digest->byte[1] << 8 | digest->byte[2]) >> (24 - bits);
}

/* Digests are spread evenly: by their first bits into about as many buckets as there are digests, and hardly anything
 * is left to do. How many bits. */
static unsigned spread(struct arena *scratch, struct digest *digests, size_t count)
{
	struct digest *from = arena_raw(scratch, count * sizeof *from);
	unsigned bits = 0;
	size_t *place;

	while (bits < 20 && (size_t)1 << bits < count)
		bits++;
	place = ARENA_ARRAY(scratch, size_t, ((size_t)1 << bits) + 1);
	memcpy(from, digests, count * sizeof *from);
	for (size_t i = 0; i < count; i++)
		place[bucket_of(&from[i], bits) + 1]++;
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		place[i + 1] += place[i];
	for (size_t i = 0; i < count; i++)
		digests[place[bucket_of(&from[i], bits)]++] = from[i];
	return bits;
}

static int digest_order(const void *a, const void *b)
{
	return digest_cmp(a, b);
}

/* Those of one bucket, which are few unless they repeat. */
static void sort_bucket(struct digest *digests, size_t count)
{
	enum { FEW = 16 };

	if (count > FEW) {
		qsort(digests, count, sizeof *digests, digest_order);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct digest item = digests[i];
		size_t at = i;

		for (; at > 0 && digest_cmp(&digests[at - 1], &item) > 0; at--)
			digests[at] = digests[at - 1];
		digests[at] = item;
	}
}

static void sort(struct digest *digests, size_t count)
{
	struct arena *scratch = arena_new();
	unsigned bits = spread(scratch, digests, count);

	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1;
		     end < count && bucket_of(&digests[end], bits) == bucket_of(&digests[i], bits); end++)
			;
		sort_bucket(digests + i, end - i);
	}
	arena_free(scratch);
}

size_t digests_sort(struct digest *digests, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		sort(digests, count);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !digest_eq(&digests[kept - 1], &digests[i]))
			digests[kept++] = digests[i];
	return kept;
}

const struct entry *entries_find(const struct entry *entries, size_t count, struct str name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(entries[middle].name, name);

		if (order == 0)
			return &entries[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

size_t digests_place(const struct digest *sorted, size_t count, const struct digest *digest)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (digest_cmp(&sorted[middle], digest) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool digests_have(const struct digest *sorted, size_t count, const struct digest *digest)
{
	size_t place = digests_place(sorted, count, digest);

	return place < count && digest_eq(&sorted[place], digest);
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
