/* What the files that read sets share. Nothing outside filter_sets*.c includes it. */
#ifndef ANALYSIS_FILTER_SETS_H
#define ANALYSIS_FILTER_SETS_H

#include "filter_read.h"

#define SET_NAME_MAX 31

enum set_kind { SET_NET, SET_IP, SET_BITMAP, SET_LIST, SET_OTHER };

/* Ranges of addresses; one of family 0 was deleted. */
struct members {
	struct range *items;
	size_t count, capacity;
	size_t deleted;
	size_t wide;     /* of addresses (not prefixes): so many are more than one */
	uint32_t *index; /* hash table of places + 1; NULL: not made */
	size_t slots;
	size_t indexed; /* so many of the items are in it */
};

/* What a name stands for; swap exchanges them. */
struct content {
	struct str type; /* the whole name: "hash:net" */
	enum set_kind kind;
	enum family family;
	bool modelled, expires;
	unsigned netmask;      /* of addresses; 0: none */
	uint64_t most;         /* maxelem */
	struct range bounds;   /* of a bitmap */
	struct str parameters; /* what must be equal for -exist create and swap */
	struct members members;
	struct {
		uint32_t *items; /* of list:set: names */
		size_t count, capacity;
	} lists;
};

struct set_entry {
	struct str name;
	bool there;
	unsigned uses; /* by list:set */
	struct content *content;
};

struct sets_reader {
	struct reader reader;  /* for faults, and the arena */
	bool exist, exist_now; /* of the call; of it, or of a line of the text so far */
	struct names *names;
	struct {
		struct set_entry *items; /* as `names` numbers them */
		size_t count, capacity;
	} sets;
	struct set_entry *last; /* of the last add: most lines have the same one */
};

/* --- filter_sets_create.c --- */

/* The words of a create line behind the name. NULL after a fault. */
struct content *set_create(struct sets_reader *sets, const struct words *words, size_t from);

/* --- filter_sets_members.c --- */

enum member_change { MEMBER_CHANGED, MEMBER_SAME, MEMBER_FULL };

/* "10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9" as ranges, one for each prefix of a hash:net. False after a fault. */
bool member_read(struct sets_reader *sets, const struct content *content, const struct word *word,
                 struct members *ranges);
enum member_change member_add(struct arena *arena, struct content *content, struct range range, bool exist);
enum member_change member_delete(struct arena *arena, struct content *content, struct range range);
/* The members that are left, as an exact set. */
struct addr_set members_addresses(struct arena *arena, const struct content *content);

#endif
