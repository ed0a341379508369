/* Hash tables for membership: names and labels to numbers, and a memory of lists that were looked up already. Nothing
 * is copied; all of it lives as long as the fleet and the arena. */
#include "resolve_index.h"

#include <string.h>

#include "fleetwall/arena.h"

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t hash_str(struct str s)
{
	uint64_t hash = s.n, word;

	for (; s.n >= sizeof word; s.p += sizeof word, s.n -= sizeof word) {
		memcpy(&word, s.p, sizeof word);
		hash = mix(hash, word);
	}
	for (word = 0; s.n > 0; s.n--)
		word = word << 8 | (unsigned char)s.p[s.n - 1];
	return mix(hash, word);
}

static struct table table_new(struct arena *arena, size_t count)
{
	size_t size = 64;

	while (size < count * 2)
		size *= 2;
	return (struct table){ARENA_ARRAY(arena, struct slot, size), size - 1};
}

/* Puts a number that is not there. */
static void table_put(struct table *table, uint64_t hash, size_t number)
{
	size_t at = hash & table->mask;

	while (table->slots[at].number != 0)
		at = (at + 1) & table->mask;
	table->slots[at] = (struct slot){(uint32_t)(hash >> 32), (uint32_t)number + 1};
}

/* --- roles --- */

static uint64_t hash_place(struct str name)
{
	return mix((uintptr_t)name.p, name.n);
}

static void put_place(struct role_index *index, struct str name, uint32_t number)
{
	size_t at = hash_place(name) & index->by_name.mask;

	while (index->by_place[at].p != NULL)
		at = (at + 1) & index->by_name.mask;
	index->by_place[at] = (struct place_slot){name.p, (uint32_t)name.n, number};
}

struct role_index role_index_new(struct arena *arena, const struct fleet *fleet)
{
	struct role_index index = {.fleet = fleet, .by_name = table_new(arena, fleet->role_count)};

	index.by_place = ARENA_ARRAY(arena, struct place_slot, index.by_name.mask + 1);
	for (size_t i = 0; i < fleet->role_count; i++) {
		table_put(&index.by_name, hash_str(fleet->roles[i].name), i);
		put_place(&index, fleet->roles[i].name, (uint32_t)i);
	}
	return index;
}

static uint32_t find_by_name(const struct role_index *index, struct str name)
{
	const struct table *table = &index->by_name;
	uint64_t hash = hash_str(name);

	for (size_t at = hash & table->mask; table->slots[at].number != 0; at = (at + 1) & table->mask) {
		uint32_t number = table->slots[at].number - 1;

		if (table->slots[at].hash == (uint32_t)(hash >> 32) && str_eq(index->fleet->roles[number].name, name))
			return number;
	}
	return NOBODY;
}

uint32_t role_index_find(const struct role_index *index, struct str name)
{
	size_t mask = index->by_name.mask, at = hash_place(name) & mask;

	for (; index->by_place[at].p != NULL; at = (at + 1) & mask)
		if (index->by_place[at].p == name.p && index->by_place[at].n == name.n)
			return index->by_place[at].number;
	return find_by_name(index, name);
}

/* --- labels --- */

static uint64_t hash_label(const struct label *label)
{
	return mix(hash_str(label->key), hash_str(label->value));
}

uint32_t label_index_find(const struct label_index *index, const struct label *label)
{
	const struct table *table = &index->table;
	uint64_t hash = hash_label(label);

	for (size_t at = hash & table->mask; table->slots[at].number != 0; at = (at + 1) & table->mask) {
		uint32_t number = table->slots[at].number - 1;
		const struct label *known = index->labels.items[number];

		if (table->slots[at].hash == (uint32_t)(hash >> 32) && str_eq(known->value, label->value) &&
		    str_eq(known->key, label->key))
			return number;
	}
	return NOBODY;
}

struct label_index label_index_new(struct arena *arena, const struct fleet *fleet)
{
	struct label_index index = {.labels = {0}};
	size_t total = 0;

	for (size_t i = 0; i < fleet->role_count; i++)
		total += fleet->roles[i].selector_count;
	index.table = table_new(arena, total);
	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].selector_count; k++) {
			const struct label *label = &fleet->roles[i].selector[k];

			if (label_index_find(&index, label) != NOBODY)
				continue;
			table_put(&index.table, hash_label(label), index.labels.count);
			APPEND(arena, &index.labels, label);
		}
	return index;
}

/* --- lists --- */

enum { MEMORY_BITS = 13 };

struct memory memory_new(struct arena *arena)
{
	return (struct memory){.arena = arena, .places = ARENA_ARRAY(arena, struct found, (size_t)1 << MEMORY_BITS)};
}

static struct found *place_of(const struct memory *memory, const void *list)
{
	return &memory->places[mix((uintptr_t)list, 0) >> (64 - MEMORY_BITS)];
}

static void begin(struct memory *memory, struct found *found, const void *list, size_t size)
{
	*found = (struct found){.list = list, .size = (uint32_t)size, .first = (uint32_t)memory->count};
}

/* A machine that names a role twice has it once. In a list that is sorted, as it should be, each is above all before.
 */
static bool is_there(const struct memory *memory, const struct found *found, uint32_t number)
{
	if (found->count == 0 || number > found->top)
		return false;
	for (size_t i = 0; i < found->count; i++)
		if (memory->numbers[found->first + i] == number)
			return true;
	return false;
}

static void add(struct memory *memory, struct found *found, uint32_t number)
{
	if (number == NOBODY || is_there(memory, found, number))
		return;
	memory->numbers = arena_grow(memory->arena, memory->numbers, memory->count, &memory->capacity, sizeof number,
	                             _Alignof(uint32_t));
	memory->numbers[memory->count++] = number;
	if (found->count++ == 0 || number > found->top)
		found->top = number;
}

struct found memory_roles(struct memory *memory, const struct role_index *index, const struct machine *machine)
{
	struct found *found = place_of(memory, machine->roles);

	if (found->list == machine->roles && found->size == machine->role_count)
		return *found;
	begin(memory, found, machine->roles, machine->role_count);
	for (size_t i = 0; i < machine->role_count; i++)
		add(memory, found, role_index_find(index, machine->roles[i]));
	return *found;
}

struct found memory_labels(struct memory *memory, const struct label_index *index, const struct machine *machine)
{
	struct found *found = place_of(memory, machine->labels);

	if (found->list == machine->labels && found->size == machine->label_count)
		return *found;
	begin(memory, found, machine->labels, machine->label_count);
	for (size_t i = 0; i < machine->label_count; i++)
		add(memory, found, label_index_find(index, &machine->labels[i]));
	return *found;
}
