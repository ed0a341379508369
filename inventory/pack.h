/* What the files of the packed fleet share: the layout of the block, and distinct words and lists by number. The block
 * is a header and then one section after the other, without gaps: whatever is there once for each machine or address
 * is an array of small records, strings that many share are numbers of words, and the few objects that are of many
 * shapes (roles, networks, services) are one stream of 32-bit units. Numbers are given in the order of the fleet, so
 * that no pointer and no chance reaches the bytes. */
#ifndef INVENTORY_PACK_H
#define INVENTORY_PACK_H

#include "fleetwall/fleet.h"

/* In their order in the block. Those of bytes come last, so that all the others are aligned. */
enum pack_section {
	PACK_MACHINES,     /* struct pack_machine */
	PACK_ADDRESSES,    /* of all machines in their order: PACK_IPV6 or not, and the word of the label shifted */
	PACK_BITS,         /* their bits: one unit for IPv4, four for IPv6, the lowest first */
	PACK_LABEL_STARTS, /* where each distinct list of labels begins in the next section, and where the last ends */
	PACK_LABELS,       /* key, value, key, value, …: words */
	PACK_ROLE_STARTS,  /* the same for lists of roles */
	PACK_ROLES,        /* words */
	PACK_OBJECTS,      /* roles with their rules, networks, services */
	PACK_WORDS,        /* the length of each word; the first is the empty one */
	PACK_SPELLINGS,    /* bytes of the words */
	PACK_NAMES,        /* bytes of the machines' names */
	PACK_SECTIONS,
};

enum {
	PACK_IPV6 = 1,
	PACK_PORTION = 8192, /* machines are written and read so many at a time; fewer are not worth a thread */
};

/* "…1" is the version of the layout. */
#define PACK_MAGIC "fwfleet1"

struct pack_header {
	char magic[8];
	int64_t clock;
	uint64_t roles, networks, services; /* how many of them are in PACK_OBJECTS */
	uint64_t count[PACK_SECTIONS];      /* elements */
};

struct pack_machine {
	uint32_t name_length, address_count, ssh_port;
	uint32_t labels, roles; /* numbers of lists */
	uint8_t enabled, mode, enforcement, zero;
};

_Static_assert(sizeof(struct pack_machine) == 24, "no byte of it is padding");
_Static_assert(sizeof(struct pack_header) == 40 + 8 * PACK_SECTIONS, "no byte of it is padding");

/* Where each section begins, and *size: all of it. False: these numbers can't be, within `most` bytes. */
bool pack_layout(const struct pack_header *header, uint64_t most, uint64_t at[PACK_SECTIONS], uint64_t *size);

/* Which number the thing at this place in memory got: a fleet that was loaded says the same by the same memory, mostly.
 * Only a shortcut; each slot holds the last thing that came its way. */
struct pack_memo {
	const void *place;
	size_t size; /* + 1; 0: nothing came yet */
	uint32_t number;
};

/* Distinct strings, numbered in order of arrival; 0 is the empty one. They are not copied. */
struct pack_words {
	struct pack_memo *memo;
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
	uint32_t *slots; /* number + 1; 0 is free */
	size_t slot_count;
	uint64_t bytes; /* of all spellings */
};

struct pack_words pack_words_new(struct arena *arena);
uint32_t pack_word(struct pack_words *words, struct str s);

/* Distinct lists of units, numbered in the same way. There is room for all that may come. */
struct pack_lists {
	struct pack_memo *memo;
	struct arena *arena;
	uint32_t *starts, *units; /* as PACK_ROLE_STARTS and PACK_ROLES */
	size_t count, used;       /* lists, units */
	uint32_t *slots;
	size_t slot_count;
};

/* For at most so many lists, and so many units in all of them. */
struct pack_lists pack_lists_new(struct arena *arena, size_t lists, size_t units);
/* The number of the list of `count` units that were written behind the used ones. */
uint32_t pack_list(struct pack_lists *lists, size_t count);
/* What stands for the list that lies here, so that its words need not be looked up: *memo holds its number if this is
 * true, and is to be given it otherwise. */
bool pack_list_known(struct pack_lists *lists, const void *place, size_t size, struct pack_memo **memo);

/* Roles, networks and services as units, and back. False: the units do not say that. */
uint32_t *pack_objects(struct arena *arena, struct pack_words *words, const struct fleet *fleet, uint64_t *count);

/* --- reading: pack_block.c; every number is looked at before it is used --- */

/* A block that is read, and its words. */
struct pack_block {
	const char *bytes;
	const struct pack_header *header;
	uint64_t at[PACK_SECTIONS];
	struct str *words; /* their spellings stay in the block */
};

static inline const void *pack_section(const struct pack_block *block, enum pack_section which)
{
	return block->bytes + block->at[which];
}

static inline uint64_t pack_count(const struct pack_block *block, enum pack_section which)
{
	return block->header->count[which];
}

/* False: the bytes can't be a block. Its lists lie in their sections afterwards. */
bool pack_open(struct arena *arena, struct str bytes, struct pack_block *block);
/* Where the list of that number begins, and how many units it has. False: there is none. */
bool pack_list_at(const struct pack_block *block, enum pack_section starts, uint32_t number, uint32_t *from,
                  uint32_t *count);

/* What is left of the sections that machines take from, one after the other. */
struct pack_cursor {
	const char *name;
	uint64_t names;
	const uint32_t *head, *bits;
	uint64_t heads, units;
	struct machine_address *addresses; /* where those go that are read */
};
struct pack_cursor pack_cursor_new(const struct pack_block *block);
/* Goes over the machine; false when there is not so much left. */
bool pack_skip(struct pack_cursor *cursor, const struct pack_machine *packed);
/* Is nothing left? */
bool pack_ends(const struct pack_cursor *cursor);
/* An address from its unit, or its four. */
struct addr pack_address(const uint32_t *bits, bool six);
/* The machine without its labels and roles, of which pack_skip() would say that it is there. */
bool pack_machine_at(const struct pack_block *block, const struct pack_machine *packed, struct pack_cursor *cursor,
                     struct machine *machine);

struct pack_reader {
	struct arena *arena;
	const uint32_t *at, *end;
	const struct str *words;
	size_t word_count;
	bool bad; /* something was read that can't be */
};
/* At the first of the objects. */
struct pack_reader pack_reader_new(struct arena *arena, const struct pack_block *block);
bool unpack_objects(struct pack_reader *reader, const struct pack_header *header, struct fleet *fleet);
/* The same in steps: can there be so many roles; one role after the other; and what is behind them. */
bool unpack_has_roles(const struct pack_reader *reader, const struct pack_header *header);
void unpack_role(struct pack_reader *reader, struct role *role);
bool unpack_rest(struct pack_reader *reader, const struct pack_header *header, struct fleet *fleet);

#endif
