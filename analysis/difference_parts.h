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


/* A line of rules, and which packets it matches at most. */
struct line {
	struct str text;
	bool plain;             /* every word of it is known; what follows is nothing otherwise */
	uint32_t chain, target; /* where it stands and leads to: numbers in `chains`, NAMES_NONE */
	struct str comment;     /* with its quotation marks */
	int protocol;           /* -1: any */
	struct numbers *ports;  /* destination ports; none: any */
	size_t port_count;
	struct range ends[2];   /* source, destination */
	bool has_end[2];
	struct str *sets; /* that it names, and at which end */
	size_t *set_ends;
	size_t set_count;
	/* Of the two texts that are looked at: */
	uint64_t look;       /* by which what follows was said */
	uint32_t counts[2];  /* how often it stands in each */
	bool changed;        /* in one alone, or it names a set that changed, or leads to such lines */
	bool kept;
};
struct line_list {
	struct line *items;
	size_t count, capacity;
};
struct chain_mark {
	uint64_t look;
	bool entered; /* by a line */
	bool changed, kept;
};
struct chain_marks {
	struct chain_mark *items;
	size_t count, capacity;
};

/* What pairs had in common that were compared before: by the lines that matter, the groups. */
struct answer {
	uint32_t *groups;
	size_t count, capacity;
};
struct answer_list {
	struct answer *items;
	size_t count, capacity;
};

struct difference {
	struct arena *arena;
	difference_read *read;
	void *context;
	struct names *line_names, *chains; /* and beside them: */
	struct line_list lines;
	struct chain_marks marks;
	uint64_t looks;
	struct names *compared; /* both digests of a set, and beside them what came and left */
	struct {
		struct moved_set {
			struct addr_set removed, added;
		} *items;
		size_t count, capacity;
	} moves;
	struct names *meetings; /* of a concern and a set, and beside them whether they have an address in common */
	struct {
		bool *items;
		size_t count, capacity;
	} met;
	struct names *answer_keys;
	struct answer_list answers;
	struct names *digests; /* of set files that were read, and beside them what they hold */
	struct loaded_sets loaded;
	struct names *keys; /* of groups */
	struct group_list groups;
	uint32_t pairs;
	bool careful, may_open;
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

/* A changed line of a chain that no line leads to, and the addresses that are concerned, where they are few. */
struct concern {
	uint32_t line;
	bool has_end[2];
	struct addr_set ends[2]; /* source, destination */
	struct str names[2];     /* equal ones are of equal addresses; may be empty */
};

/* What is left of a family's two texts. */
struct extract {
	struct str text[2];
	bool whole;               /* all of both */
	struct concern *concerns; /* only packets of one of them can differ */
	size_t count;
};

/* A pair. */
struct comparison {
	struct arena *arena; /* until the pair is done */
	struct difference *difference;
	struct both_sets *sets; /* sorted by name */
	size_t set_count;
	struct filter_sets known[2];  /* for the reader: names alone */
	struct extract extracts[2];   /* [IPv6] */
	struct filter *filters[2][2]; /* [after][IPv6]; of what was left */
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

/* Reads what is left of the rules. */
struct error *comparison_read(struct comparison *comparison) MUST_CHECK;
/* An error of reading sets, or that the bound on packets was passed: then no answer says anything. */
struct error *comparison_bound(const struct comparison *comparison) MUST_CHECK;

/* --- lines: difference_lines.c --- */

/* The number of that line. */
uint32_t lines_add(struct difference *difference, struct str text);
/* Is there, as far as protocols and ports go, a packet that both match? */
bool lines_meet(const struct line *a, const struct line *b);
/* What it matches at most by these. */
struct packets lines_packets(const struct line *line);

/* --- which of them matter: difference_extract.c --- */

/* Fills the extracts, after the sets: lines of both texts are left out that no packet meets which meets a changed one.
 * For all other packets both sides do the same. */
void extract_lines(struct comparison *comparison, const struct difference_pair *pair);
/* Two pairs with the same key are told alike; empty: it says nothing. */
struct str extract_key(struct comparison *comparison);
/* The packets into that chain that can differ, and some more. */
struct packets extract_packets(const struct comparison *comparison, enum family family, struct str chain);
/* All addresses at an end that are concerned there; NULL: they are not few. */
const struct addr_set *extract_peers(struct comparison *comparison, enum family family, struct str chain, size_t end);

/* --- whom changed lines concern: difference_concern.c --- */

struct concern concern_of(struct comparison *comparison, uint32_t line, bool by_set);
bool concern_meets(struct comparison *comparison, const struct concern *concern, const struct line *line);

/* --- sets: difference_sets.c --- */

void sets_prepare(struct comparison *comparison, const struct difference_pair *pair);
/* What the set holds; NULL, with an error kept, if its file can't be read. */
const struct addr_set *sets_addresses(struct comparison *comparison, size_t set, bool after);
size_t sets_find(const struct comparison *comparison, struct str name); /* set_count: none */
bool sets_differ(const struct both_sets *set);
/* What the set holds on both sides together, or what came or left. */
bool sets_held(struct comparison *comparison, size_t set, bool moved, struct addr_set *held);
/* Finds what moved; false where not only the contents of sets differ. */
bool sets_moved(struct comparison *comparison);

/* A set is a condition; what came or went is seen as its addresses. */
struct side_view {
	struct comparison *comparison;
	bool after;
	const struct addr_set *moved; /* only packets whose peers are among these are looked at; NULL: all are */
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
	struct packets entering;      /* what is looked at */
	struct packets before, after; /* what of it is let through */
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
