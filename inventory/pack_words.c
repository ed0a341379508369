/* Distinct words and lists of a fleet, by number, for packing. Much like interned names, but nothing is copied and
 * hashing goes by eight bytes: a fleet of 100,000 machines asks more than a million times. Hashes choose slots and
 * nothing else; numbers come in order of arrival. */
#include <string.h>

#include "fleetwall/arena.h"
#include "pack.h"

enum { FIRST_SLOTS = 1024, MEMOS = 8192 };

/* Both halves of the product: each bit of what comes in reaches the low bits, which choose the slot. */
static uint64_t mix(uint64_t hash, uint64_t more)
{
	addr_bits product = (addr_bits)(hash ^ 0x9e3779b97f4a7c15u) * (more ^ 0xd6e8feb86659fd93u);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t eight_bytes(const char *p)
{
	uint64_t bytes;

	memcpy(&bytes, p, sizeof bytes);
	return bytes;
}

static uint64_t four_bytes(const char *p)
{
	uint32_t bytes;

	memcpy(&bytes, p, sizeof bytes);
	return bytes;
}

/* The last piece overlaps the one before it, so that no length needs a loop over single bytes. */
static uint64_t hash_bytes(struct str s)
{
	uint64_t hash = mix(0, s.n);

	if (s.n < 4)
		return mix(hash, (uint64_t)(unsigned char)s.p[0] << 16 | (uint64_t)(unsigned char)s.p[s.n / 2] << 8 |
		                         (unsigned char)s.p[s.n - 1]);
	if (s.n < 8)
		return mix(hash, four_bytes(s.p) << 32 | four_bytes(s.p + s.n - 4));
	for (size_t i = 0; i + 8 < s.n; i += 8)
		hash = mix(hash, eight_bytes(s.p + i));
	return mix(hash, eight_bytes(s.p + s.n - 8));
}

/* False: the slot is for this thing from now on, and its number still to be filled in. */
static bool recall(struct pack_memo *memos, const void *place, size_t size, struct pack_memo **memo)
{
	*memo = &memos[mix((uintptr_t)place, size) % MEMOS];
	if ((*memo)->place == place && (*memo)->size == size + 1)
		return true;
	(*memo)->place = place;
	(*memo)->size = size + 1;
	return false;
}

/* --- words --- */

struct pack_words pack_words_new(struct arena *arena)
{
	struct pack_words words = {
		.memo = ARENA_ARRAY(arena, struct pack_memo, MEMOS),
		.arena = arena,
		.slots = ARENA_ARRAY(arena, uint32_t, FIRST_SLOTS),
		.slot_count = FIRST_SLOTS,
	};

	APPEND(arena, &words, STR(""));
	return words;
}

static uint32_t *slot_of_word(const struct pack_words *words, struct str s)
{
	size_t mask = words->slot_count - 1, at = hash_bytes(s) & mask;

	while (words->slots[at] != 0 && !str_eq(words->items[words->slots[at] - 1], s))
		at = (at + 1) & mask;
	return &words->slots[at];
}

static void more_word_slots(struct pack_words *words)
{
	words->slot_count *= 2;
	words->slots = ARENA_ARRAY(words->arena, uint32_t, words->slot_count);
	for (size_t i = 1; i < words->count; i++)
		*slot_of_word(words, words->items[i]) = (uint32_t)i + 1;
}

static uint32_t number_word(struct pack_words *words, struct str s)
{
	uint32_t *slot = slot_of_word(words, s);

	if (*slot != 0)
		return *slot - 1;
	APPEND(words->arena, words, s);
	words->bytes += s.n;
	*slot = (uint32_t)words->count;
	if (words->count * 2 > words->slot_count)
		more_word_slots(words);
	return (uint32_t)words->count - 1;
}

uint32_t pack_word(struct pack_words *words, struct str s)
{
	struct pack_memo *memo;

	if (s.n == 0)
		return 0;
	if (!recall(words->memo, s.p, s.n, &memo))
		memo->number = number_word(words, s);
	return memo->number;
}

/* --- lists --- */

/* Room that is not written costs nothing. */
struct pack_lists pack_lists_new(struct arena *arena, size_t lists, size_t units)
{
	struct pack_lists new = {
		.memo = ARENA_ARRAY(arena, struct pack_memo, MEMOS),
		.arena = arena,
		.starts = arena_raw(arena, (lists + 1) * sizeof *new.starts),
		.units = arena_raw(arena, units * sizeof *new.units),
		.slots = ARENA_ARRAY(arena, uint32_t, FIRST_SLOTS),
		.slot_count = FIRST_SLOTS,
	};

	new.starts[0] = 0;
	return new;
}

static uint64_t hash_units(const uint32_t *units, size_t count)
{
	uint64_t hash = mix(0, count);

	for (size_t i = 0; i < count; i++)
		hash = mix(hash, units[i]);
	return hash;
}

static bool is_list(const struct pack_lists *lists, size_t number, const uint32_t *units, size_t count)
{
	const uint32_t *start = &lists->starts[number];

	return start[1] - start[0] == count && memcmp(lists->units + start[0], units, count * sizeof *units) == 0;
}

static uint32_t *slot_of_list(const struct pack_lists *lists, const uint32_t *units, size_t count)
{
	size_t mask = lists->slot_count - 1, at = hash_units(units, count) & mask;

	while (lists->slots[at] != 0 && !is_list(lists, lists->slots[at] - 1, units, count))
		at = (at + 1) & mask;
	return &lists->slots[at];
}

static void more_list_slots(struct pack_lists *lists)
{
	lists->slot_count *= 4;
	lists->slots = ARENA_ARRAY(lists->arena, uint32_t, lists->slot_count);
	for (size_t i = 0; i < lists->count; i++) {
		uint32_t start = lists->starts[i];

		*slot_of_list(lists, lists->units + start, lists->starts[i + 1] - start) = (uint32_t)i + 1;
	}
}

uint32_t pack_list(struct pack_lists *lists, size_t count)
{
	uint32_t *slot = slot_of_list(lists, lists->units + lists->used, count);

	if (*slot != 0)
		return *slot - 1;
	uint32_t number = (uint32_t)lists->count++;

	*slot = number + 1;
	lists->used += count;
	lists->starts[lists->count] = (uint32_t)lists->used;
	if (lists->count * 2 > lists->slot_count)
		more_list_slots(lists);
	return number;
}

bool pack_list_known(struct pack_lists *lists, const void *place, size_t size, struct pack_memo **memo)
{
	return recall(lists->memo, place, size, memo);
}
