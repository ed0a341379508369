/* Interned names: an open-addressing hash table from spelling to number, and the list of spellings. Both lie in the
 * caller's arena and only grow; a name is never forgotten. Iteration order is order of arrival, never hash order. */
#include "fleetwall/names.h"

#include <string.h>

#include "fleetwall/arena.h"

/* Part of the hash stands beside the number, so that a look at another name rarely needs its spelling. */
struct slot {
	uint32_t mark;
	uint32_t number; /* + 1; 0 is free */
};

struct names {
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
	struct slot *slots;
	size_t slot_count; /* a power of two */
};

#define FIRST_SLOTS 64

struct names *names_new(struct arena *arena)
{
	struct names *names = ARENA_NEW(arena, struct names);

	names->arena = arena;
	names->slots = ARENA_ARRAY(arena, struct slot, FIRST_SLOTS);
	names->slot_count = FIRST_SLOTS;
	return names;
}

__extension__ typedef unsigned __int128 product;

/* One word of text into the hash: both halves of a product together depend on every bit of its factors. */
static uint64_t stir(uint64_t h, uint64_t word)
{
	product wide = (product)(h ^ word) * 0x9fb21c651e98df25u;

	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

/* Eight bytes at a time; the last ones are read once more where the length is no multiple of eight. */
static uint64_t hash(struct str s)
{
	uint64_t h = stir(0xcbf29ce484222325u, s.n), word = 0;

	for (size_t i = 0; i + 8 <= s.n; i += 8) {
		memcpy(&word, s.p + i, 8);
		h = stir(h, word);
	}
	if (s.n >= 8) {
		memcpy(&word, s.p + s.n - 8, 8);
		return stir(h, word);
	}
	for (size_t i = 0; i < s.n; i++)
		word = word << 8 | (unsigned char)s.p[i];
	return stir(h, word);
}

/* The slot that holds `s`, or the free one where it belongs. */
static struct slot *slot_of(const struct names *names, struct str s, uint64_t h)
{
	size_t mask = names->slot_count - 1, at = h & mask;
	uint32_t mark = (uint32_t)(h >> 32);

	while (names->slots[at].number != 0) {
		if (names->slots[at].mark == mark && str_eq(names->items[names->slots[at].number - 1], s))
			break;
		at = (at + 1) & mask;
	}
	return &names->slots[at];
}

static void grow_slots(struct names *names)
{
	names->slot_count *= 2;
	names->slots = ARENA_ARRAY(names->arena, struct slot, names->slot_count);
	for (size_t i = 0; i < names->count; i++) {
		uint64_t h = hash(names->items[i]);

		*slot_of(names, names->items[i], h) = (struct slot){(uint32_t)(h >> 32), (uint32_t)i + 1};
	}
}

static uint32_t add(struct names *names, struct str s, bool copy)
{
	uint64_t h = hash(s);
	struct slot *slot = slot_of(names, s, h);

	if (slot->number != 0)
		return slot->number - 1;
	if ((names->count + 1) * 4 > names->slot_count * 3) {
		grow_slots(names);
		slot = slot_of(names, s, h);
	}
	APPEND(names->arena, names, copy ? str_copy(names->arena, s) : s);
	*slot = (struct slot){(uint32_t)(h >> 32), (uint32_t)names->count};
	return slot->number - 1;
}

uint32_t names_add(struct names *names, struct str s)
{
	return add(names, s, true);
}

uint32_t names_keep(struct names *names, struct str s)
{
	return add(names, s, false);
}

uint32_t names_find(const struct names *names, struct str s)
{
	return slot_of(names, s, hash(s))->number - 1; /* 0 - 1 is NAMES_NONE */
}

struct str names_get(const struct names *names, uint32_t number)
{
	return names->items[number];
}

uint32_t names_count(const struct names *names)
{
	return (uint32_t)names->count;
}
