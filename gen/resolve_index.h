/* Private to gen/: numbers of roles and labels, found fast for hundreds of thousands of mentions. */
#ifndef FLEETWALL_GEN_RESOLVE_INDEX_H
#define FLEETWALL_GEN_RESOLVE_INDEX_H

#include "fleetwall/fleet.h"

#define NOBODY UINT32_MAX

struct slot {
	uint32_t hash, number; /* number + 1; 0 is free */
};

/* Numbers by the hash of what they stand for. */
struct table {
	struct slot *slots;
	size_t mask;
};

/* Where a machine's role is the role's own string, its place in memory tells which. */
struct place_slot {
	const char *p; /* NULL is free */
	uint32_t n, number;
};

/* The number of a role by its name. */
struct role_index {
	const struct fleet *fleet;
	struct table by_name;
	struct place_slot *by_place; /* as many as in `by_name` */
};
struct role_index role_index_new(struct arena *arena, const struct fleet *fleet);
uint32_t role_index_find(const struct role_index *index, struct str name); /* NOBODY: there is none */

/* The labels that selectors ask for, numbered. */
struct label_index {
	struct table table;
	struct {
		const struct label **items;
		size_t count, capacity;
	} labels;
};
struct label_index label_index_new(struct arena *arena, const struct fleet *fleet);
uint32_t label_index_find(const struct label_index *index, const struct label *label);

/* Many machines have the very same list of labels or roles in memory: what was found for one is remembered by where the
 * list lies. A place is overwritten by the next list that falls there, so lists of their own cost little more. */
struct found {
	const void *list;
	uint32_t size;
	uint32_t first, count; /* what was found, in the numbers */
	uint32_t top;          /* the highest of them */
};

struct memory {
	struct arena *arena;
	struct found *places;
	uint32_t *numbers;
	size_t count, capacity;
};
struct memory memory_new(struct arena *arena);
/* The numbers of a machine's roles, each once, and of its labels that are asked for. */
struct found memory_roles(struct memory *memory, const struct role_index *index, const struct machine *machine);
struct found memory_labels(struct memory *memory, const struct label_index *index, const struct machine *machine);

#endif
