/* Interned names: an open-addressing hash table from spelling to number, and the list of spellings. Both lie in the
 * caller's arena and only grow; a name is never forgotten. Iteration order is order of arrival, never hash order. */
#include "fleetwall/names.h"

#include "fleetwall/arena.h"

struct names {
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
	uint32_t *slots; /* number + 1; 0 is free */
	size_t slot_count; /* a power of two */
};

#define FIRST_SLOTS 64

struct names *names_new(struct arena *arena)
{
	struct names *names = ARENA_NEW(arena, struct names);

	names->arena = arena;
	names->slots = ARENA_ARRAY(arena, uint32_t, FIRST_SLOTS);
	names->slot_count = FIRST_SLOTS;
	return names;
}

/* FNV-1a, with a last mixing step because the low bits choose the slot. */
static uint64_t hash(struct str s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h ^ (h >> 29);
}

/* The slot that holds `s`, or the free one where it belongs. */
static uint32_t *slot_of(const struct names *names, struct str s)
{
	size_t mask = names->slot_count - 1, at = hash(s) & mask;

	while (names->slots[at] != 0 && !str_eq(names->items[names->slots[at] - 1], s))
		at = (at + 1) & mask;
	return &names->slots[at];
}

static void grow_slots(struct names *names)
{
	names->slot_count *= 2;
	names->slots = ARENA_ARRAY(names->arena, uint32_t, names->slot_count);
	for (size_t i = 0; i < names->count; i++)
		*slot_of(names, names->items[i]) = (uint32_t)i + 1;
}

uint32_t names_add(struct names *names, struct str s)
{
	uint32_t *slot = slot_of(names, s);

	if (*slot != 0)
		return *slot - 1;
	if ((names->count + 1) * 4 > names->slot_count * 3) {
		grow_slots(names);
		slot = slot_of(names, s);
	}
	APPEND(names->arena, names, str_copy(names->arena, s));
	*slot = (uint32_t)names->count;
	return *slot - 1;
}

uint32_t names_find(const struct names *names, struct str s)
{
	return *slot_of(names, s) - 1; /* 0 - 1 is NAMES_NONE */
}

struct str names_get(const struct names *names, uint32_t number)
{
	return names->items[number];
}

uint32_t names_count(const struct names *names)
{
	return (uint32_t)names->count;
}
