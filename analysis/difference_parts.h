/* What the files of difference_*.c share: one pair of rulesets while it is compared. */
#ifndef DIFFERENCE_PARTS_H
#define DIFFERENCE_PARTS_H

#include "fleetwall/arena.h"
#include "fleetwall/difference.h"
#include "fleetwall/error.h"
#include "fleetwall/filter.h"
#include "fleetwall/names.h"

struct loaded_sets {
	struct addr_set *items;
	size_t count, capacity;
};
struct group_list {
	struct difference_group *items;
	size_t count, capacity;
};

struct difference {
	struct arena *arena;
	difference_read *read;
	void *context;
	struct names *digests; /* of set files that were read, and beside them what they hold */
	struct loaded_sets loaded;
	struct names *keys; /* of groups */
	struct group_list groups;
	uint32_t pairs;
};

/* A set by its name in the kernel, as both sides have it. */
struct both_sets {
	struct str name, file;
	enum family family;
	bool have[2];
	struct digest digest[2];
	bool compared;                   /* what follows is known */
	struct addr_set removed, added;
};

struct condition_of_set {
	size_t set;
	enum packet_field field;
};

/* A pair. */
struct comparison {
	struct arena *arena; /* until the pair is done */
	struct difference *difference;
	struct both_sets *sets; /* sorted by name */
	size_t set_count;
	struct filter_sets known[2];  /* for the reader: names alone */
	struct filter *filters[2][2]; /* [after][IPv6] */
	struct names *conditions;     /* of sets, and beside them which */
	struct condition_of_set *condition_sets;
	size_t condition_count, condition_capacity;
	struct names *favoured;       /* all others: rates and dates, which count as holding */
	struct group_list groups;
	bool same_rules; /* only what sets hold differs: packets whose peers are in `moved` alone can */
	struct addr_set moved[2]; /* addresses that came into sets or left them; IPv4, IPv6 */
	bool states; /* packets of other states than NEW differ */
	struct error *error;
};

/* --- sets: difference_sets.c --- */

void sets_prepare(struct comparison *comparison, const struct difference_pair *pair);
/* What the set holds; NULL, with an error kept, if its file can't be read. */
const struct addr_set *sets_addresses(struct comparison *comparison, size_t set, bool after);
size_t sets_find(const struct comparison *comparison, struct str name); /* set_count: none */
bool sets_differ(const struct both_sets *set);
/* Finds what moved; false where not only the contents of sets differ. */
bool sets_moved(struct comparison *comparison);

/* A set is a condition; what came or went is seen as its addresses. */
struct side_view {
	struct comparison *comparison;
	bool after;
	bool moved; /* only packets whose peers are among those that moved are looked at */
	const struct sample *sample; /* for sets_see_sample */
};
struct packets sets_see(void *context, const struct filter_set *set, enum packet_field field);
struct packets sets_see_sample(void *context, const struct filter_set *set, enum packet_field field);
/* Addresses in the place of sets' conditions, as far as they matter to `packets`. */
struct packets sets_put(struct comparison *comparison, struct packets packets);
/* Without any condition but those of sets: whatever the others may be, if that lets it in. */
struct packets sets_favour(struct comparison *comparison, struct packets packets);

/* --- groups: difference_groups.c --- */

struct passing {
	enum family family;
	enum difference_way way;
	struct packets before, after; /* what is let through */
};
void groups_find(struct comparison *comparison, const struct passing *passing);

/* --- words: difference_words.c --- */

/* Sets `what` from the numbers: "3306/tcp", "22,80-90/tcp", "esp", "icmpv4/echo-request", "all". */
void words_what(struct arena *arena, enum family family, struct difference_group *group);
struct str words_packet(struct arena *arena, const struct sample *packet, enum difference_way way);

/* --- causes, and what no packet notices: difference_cause.c --- */

void cause_find(struct comparison *comparison, const struct passing *passing, struct packets part,
                struct difference_group *group);
struct str cause_of_nothing(struct comparison *comparison);
const struct filter_chain *comparison_chain(const struct filter *filter, enum difference_way way);

#endif
