/* One round from the inventory to a published generation, as its files share it; see regenerate.h. */
#ifndef ROUND_H
#define ROUND_H

#include <stdatomic.h>
#include <time.h>

#include "fleetwall/assertion.h"
#include "fleetwall/cache.h"
#include "fleetwall/guard.h"
#include "fleetwall/inventory.h"
#include "fleetwall/parallel.h"
#include "fleetwall/produce.h"
#include "fleetwall/store.h"

#include "regenerate.h"

/* What a round leaves: what was published, and all that it was made from. */
struct resident {
	struct arena *fleets; /* the fleet; each round that changes it adds to this, see resident_compact() */
	struct arena *lists[2]; /* but its list of machines, where a round made it anew: in the first */
	struct arena *last;   /* everything else; made anew by each round */
	struct cache_head head;
	struct fleet fleet;
	struct knowledge knowledge;
	struct generation published;
	struct timespec looked; /* when the store was looked at; by the clock that never stands still */
	struct timespec seen;   /* the mark of that look: rounds after it know nothing about objects of others */
	size_t fresh;           /* size of `fleets` when it was new */
	struct producer *producer; /* what it keeps is of this fleet, where that lies in memory */
	bool cached;            /* OUT/cache says all this */
};

struct round {
	struct run *run;
	const struct regenerate_options *options;
	struct arena *arena;   /* until the round ends; run->arena is for what is said */
	struct resident *next_resident; /* what this round leaves */
	struct arena *last;             /* its memory, but for the fleet's */
	struct store *store;   /* NULL: nothing is written */
	struct template_file *template_files;
	size_t template_count;
	struct rendition rendition;

	struct resident *before; /* NULL: nothing is known of the round before */
	bool own_before;         /* read from the cache by this round, which frees it */
	struct cache_head head;  /* of the round before */
	bool has_head;
	struct inventory_news news;
	struct store_faults faults;
	struct arena *looks; /* where they are */
	bool looked;
	size_t mended; /* objects that were found damaged when they were put */
	struct link_faults links; /* that did not say what was published, and were put right */

	struct inventory_changes *changes; /* NULL: there are none, or nobody asked yet */
	atomic_bool reading; /* the model and what is published, while the store is looked at */
	atomic_size_t pieces_begun;
	struct fleet fleet;
	struct inventory_touched touched; /* where the fleet came from the one before */
	struct producer *producer;        /* NULL: there is no next round in this process */
	bool own_producer;
	struct resolved *resolved;
	struct knowledge known; /* what need not be rendered again */
	bool has_known;
	struct guards *guards;
	struct product product;
	struct generation published, next;
	struct error *damage; /* of what is published */
	size_t recorded;      /* machines of the latest generation, where no file tells of it; otherwise 0 */
	bool readable; /* `published` is what is published; otherwise it is the newest that could be read */
	bool prepared; /* OUT/cache holds the model of this digest, where nobody reads it yet */
	struct digest model;
	struct timespec started;
	struct assertions assertions; /* of the setting */
	struct digest assertion_digest;
};

/* --- what is known already: round_know.c --- */

/* What settings and templates are now, whichever program uses them. */
struct error *round_look(struct run *run, struct digest *digest) MUST_CHECK;
/* Templates, and how bytes are made. */
struct error *round_prepare(struct round *round) MUST_CHECK;
/* The head of the round before, the news from the database (a snapshot is open afterwards), and the state of the store.
 * Where something changed and nothing is in memory, what is needed of it is fetched and read meanwhile. */
struct error *round_ask(struct round *round) MUST_CHECK;
/* Is the head of this database, as it is now, of which there are news? Otherwise there is no head any more. */
struct error *round_check_head(struct round *round) MUST_CHECK;
/* Can what was published be other than what the inventory says now? */
bool round_may_differ(const struct round *round);
/* Loads the fleet, whole or what changed, from the open snapshot, and ends that; and what is published. */
struct error *round_load(struct round *round) MUST_CHECK;
/* Is `next` what is published, and known to the database by that number? What it does not know is never pushed: then
 * with a warning, because it will be published anew. In no transaction. */
struct error *round_is_published(struct round *round, bool *is) MUST_CHECK;
/* What is published alone; where that is damaged, the newest generation that is not, and a warning. */
void round_read_published(struct round *round);

/* --- making and judging: round_make.c --- */

/* Resolves and renders what is not known, into `outlet`; sets `next`. */
struct error *round_make(struct round *round, const struct outlet *outlet) MUST_CHECK;
/* The same where `next` is what will be published: its lists are written at once, if they differ from what is. In
 * between, while one processor is enough, `beside` runs; NULL: nothing does. */
struct error *round_make_all(struct round *round, const struct outlet *outlet, parallel_task *beside,
                             void *context) MUST_CHECK;
/* Where rendered pieces go: to the guards, and to the store if there is one. */
struct outlet round_outlet(struct round *round);
struct error *round_guards(struct round *round) MUST_CHECK;

/* --- the fleet's own policy: round_assert.c --- */

struct error *round_read_assertions(struct round *round) MUST_CHECK;
/* Does the loaded inventory keep to it? ERROR_GUARD if not. In no transaction. */
struct error *round_assert(struct round *round) MUST_CHECK;
/* Was that found out of the same assertions and of the inventory of round->head? */
bool round_asserted(const struct round *round);
void round_keep_asserted(struct round *round);

/* --- proving: round_prove.c --- */

/* Does this generation, whose objects are in the store, say what the loaded inventory says? ERROR_GUARD if not. Keeps
 * what was proved. */
struct error *round_prove(struct round *round, const struct generation *generation) MUST_CHECK;
/* `next` for these machines alone; keeps nothing. */
struct error *round_prove_machines(struct round *round, const bool *machines) MUST_CHECK;
/* What is published, where a round found nothing to do: loads the inventory unless all of it was proved before. */
struct error *round_prove_published(struct round *round) MUST_CHECK;

/* --- publishing: round_publish.c --- */

/* Records the generation, publishes it, and lays the links. `of`: the one that is published again; 0: none. */
struct error *round_publish(struct round *round, uint64_t of) MUST_CHECK;
/* The same; `beside` runs while the links are laid. */
struct error *round_publish_beside(struct round *round, parallel_task *beside, void *context) MUST_CHECK;
/* Brings the links in line, with a warning where they were not what was published before. */
struct error *round_links(struct round *round, const struct generation *published) MUST_CHECK;
/* Machines and sets that `next` changes. */
size_t round_changes(const struct round *round);
/* Of the database, as a snapshot knew it whose last change was `last`. */
struct str round_identity(struct arena *arena, const struct inventory_news *news, struct str last);
/* What the next round must know, with a mark of now: round->head. */
struct error *round_head(struct round *round, const struct generation *published) MUST_CHECK;
/* The same head with a new mark: what was touched before it was found whole after it. */
void round_touch(struct round *round, const struct timespec *mark);
/* The packed fleet and what is known of its bytes, in OUT/cache, for round_cache(). */
struct error *round_cache_model(struct round *round, struct str fleet) MUST_CHECK;
/* Keeps the head there, and with it the model, which is prepared now if it was not. A warning if it can't. */
void round_cache(struct round *round, struct str fleet);

/* --- from one round to the next: regenerate.c --- */

struct resident *resident_new(void);
struct round *round_begin(struct run *run, const struct regenerate_options *options, struct resident *before);
/* A warning for what was damaged or gone and is whole again: by name after a look, otherwise round->mended objects. */
void round_tell_mended(struct round *round);
double round_seconds(const struct round *round); /* since it began */
void round_end(struct round *round);

#endif
