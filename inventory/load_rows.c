/* Rows while they come from the server, and to whom they belong. Knows no table. */
#include "load.h"

#include "fleetwall/arena.h"
#include "fleetwall/names.h"

enum { BLOCK = 1024 }; /* rows */

struct rows rows_new(struct arena *arena, size_t size)
{
	return (struct rows){.arena = arena, .size = size};
}

void *rows_add(struct rows *rows)
{
	if (rows->count % BLOCK == 0)
		APPEND(rows->arena, &rows->blocks, arena_raw(rows->arena, BLOCK * rows->size));
	return rows_get(rows, rows->count++);
}

void *rows_get(const struct rows *rows, size_t i)
{
	return rows->blocks.items[i / BLOCK] + i % BLOCK * rows->size;
}

/* Counts first, then where the owner's next row goes: in the end, that is the next owner's start. */
struct grouped load_group(struct arena *scratch, const struct rows *rows, size_t owner_count)
{
	uint32_t *start = ARENA_ARRAY(scratch, uint32_t, owner_count + 2);
	struct grouped grouped = {.start = start, .next = start + 1};
	for (size_t i = 0; i < rows->count; i++)
		grouped.next[*(const uint32_t *)rows_get(rows, i) + 1]++;
	for (size_t owner = 0; owner < owner_count; owner++)
		grouped.next[owner + 1] += grouped.next[owner];
	return grouped;
}

struct error *load_orphan(const struct loading *loading, const char *kind, struct str name)
{
	struct error *error = error_new(
		ERROR_SURROUNDINGS, "the database holds rows of a %s '%.*s' that does not exist", kind, STR_ARG(name));
	if (loading->which != LOAD_CHANGED)
		return error;
	return error_hint(error, "somebody wrote past the history of changes; a full run (--full) reads all of it");
}

struct error *load_owner(const struct loading *loading, const struct names *names, const char *kind, struct str name,
                         uint32_t *owner)
{
	uint32_t guess = *owner == NAMES_NONE ? 0 : *owner;
	for (uint32_t end = guess + 2; guess < end && guess < names_count(names); guess++)
		if (str_eq(names_get(names, guess), name)) {
			*owner = guess;
			return NULL;
		}
	*owner = names_find(names, name);
	return *owner != NAMES_NONE ? NULL : load_orphan(loading, kind, name);
}
