/* The output tree (SPEC §5): objects by content, numbered generations, `current`, and the links for people. Everything
 * that is published is complete: objects first, one syncfs, then the generation, then one rename of `current`, then the
 * links. A killed run leaves what was published.
 *
 *     OUT/store/rulesets/ab/NAME/{rules.v4,rules.v6,sets.list}   OUT/store/sets/ab/NAME
 *     OUT/generations/N/{manifest,sets,summary}                    OUT/current -> generations/N
 *     OUT/machines/NAME -> ../store/rulesets/ab/NAME               OUT/sets/SET.v4 -> ../store/sets/ab/NAME
 *
 * NAME is the first 32 hexadecimal digits of the object's digest. */
#ifndef FLEETWALL_STORE_H
#define FLEETWALL_STORE_H

#include <time.h>

#include "fleetwall/produce.h"

/* What the guards compare with; kept as generations/N/summary. */
struct role_size {
	struct str role;
	size_t members;
};
struct summary {
	int64_t clock;
	size_t machines;         /* of the inventory, disabled and unmanaged ones too */
	size_t rules;            /* rules that machines get: the sum over machines */
	struct role_size *roles; /* sorted by name */
	size_t role_count;
};

struct generation {
	uint64_t number;      /* 0: nothing was ever published */
	struct digest digest; /* SHA-256 of what `sha256sum manifest sets` prints */
	struct entry *manifest;
	size_t machine_count;
	struct entry *sets;
	size_t set_count;
	struct digest lists[2]; /* of manifest and sets: what the digest is of */
	struct str text[2];     /* as they are printed; nothing where the published generation has the same: */
	bool shared[2];
	struct summary summary;
};

/* An open output folder, locked against other writers (flock on OUT/.lock; waits). Closing it takes away the objects
 * that were written and not published. `arena` must live until then. */
struct store;
struct error *store_open(struct arena *arena, struct str output, struct store **store) MUST_CHECK;
void store_close(struct store *store);

/* The published generation; number 0 if there is none. Reading needs no lock: `store` may be NULL. A damaged one is
 * ERROR_SURROUNDINGS. */
struct error *generation_read(struct arena *arena, struct str output, struct generation *generation) MUST_CHECK;

/* The number that `current` names; 0 if there is none, or it leads to nothing that is a generation's name. */
uint64_t store_current(struct str output);
/* Were the files of this generation left alone since the mark? */
bool store_generation_whole(struct str output, uint64_t number, const struct timespec *mark);

/* What publishing `product` would make: manifest, sets, digest. number is 0 still; the lists are the product's, the
 * text is in `arena`, and published from there. Pure. */
void generation_of(struct arena *arena, const struct product *product, const struct summary *summary,
                   struct generation *generation);
/* The same in two steps, for who has something else to do meanwhile: all but the digest, which generation_name() sets.
 * Lists that say what `published` says, which may be NULL, are not printed: its files must be as they were published.
 */
void generation_begin(struct arena *arena, const struct product *product, const struct summary *summary,
                      const struct generation *published, struct generation *generation);
void generation_name(struct generation *generation);
/* Sets text and digest of a generation whose lists were put together otherwise. */
void generation_digest(struct arena *arena, struct generation *generation);
bool generation_same(const struct generation *a, const struct generation *b); /* manifest and sets */

/* The distinct objects that a manifest or a list of sets names, sorted. */
size_t entries_digests(struct arena *arena, const struct entry *entries, size_t count, struct digest **digests);

/* The one of this name in a sorted list; NULL: there is none. */
const struct entry *entries_find(const struct entry *entries, size_t count, struct str name);

/* What differs, by name: '+' new, '-' gone, '~' another digest. Both lists sorted. */
struct difference {
	char sign;
	struct str name;
};
size_t entries_compare(struct arena *arena, const struct entry *before, size_t before_count, const struct entry *after,
                       size_t after_count, struct difference **differences);

/* Writes an object unless it is there with exactly these bytes; from several threads at once. store_publish() flushes
 * them to disk before it publishes; what is not published by store_close() is taken away. */
struct error *store_put_ruleset(struct store *store, const struct ruleset *ruleset) MUST_CHECK;
struct error *store_put_set(struct store *store, const struct set_file *set) MUST_CHECK;

/* How many objects stood there with other bytes, and were written anew, since the store was opened. */
size_t store_mended(const struct store *store);
/* How many were written that this generation names: they were gone. Before store_publish(). */
size_t store_restored(const struct store *store, const struct generation *published);

/* A time on the clock of the file system that is after everything that was written to the store by now, and before
 * anything that will be. */
struct error *store_mark(struct store *store, struct timespec *mark) MUST_CHECK;

/* What is not as it was left at the time of the mark. */
struct store_faults {
	struct digest *rulesets, *sets; /* objects that are missing, or whose bytes are not what their digest says */
	size_t ruleset_count, set_count;
	bool links;   /* something was done to OUT/machines or OUT/sets: store_links() must look at all of them */
	bool touched; /* something was changed after the mark, harmless or not: a new mark is due */
};
/* Are these objects whole? Those that nobody changed since the mark are not read: a look at the time of change does.
 * The others are read and their digest compared. A clock that is behind the mark means that all are read. Digests
 * sorted. `workers` threads. */
struct error *store_look(struct arena *arena, struct str output, const struct timespec *mark, unsigned workers,
                         const struct digest *rulesets, size_t ruleset_count, const struct digest *sets,
                         size_t set_count, struct store_faults *faults) MUST_CHECK;
/* The same by threads that come when they have time: each calls store_look_on(), with a number of its own below
 * PARALLEL_MOST, and returns when nothing is left to begin with. Whoever began ends it when all of them are back, at
 * least one after having been there to the end. `arena` is used by the first and the last call. */
struct look;
struct error *store_look_begin(struct arena *arena, struct str output, const struct timespec *mark,
                               const struct digest *rulesets, size_t ruleset_count, const struct digest *sets,
                               size_t set_count, struct look **look) MUST_CHECK;
void store_look_on(struct look *look, unsigned worker);
void store_look_end(struct look *look, struct store_faults *faults);

/* Did nobody add, remove or exchange links in OUT/machines and OUT/sets since the mark? store_look() asks the same. */
bool store_links_alone(struct str output, const struct timespec *mark);

/* The first number above `at_least` and above every folder under generations/. */
struct error *store_next_number(struct store *store, uint64_t at_least, uint64_t *number) MUST_CHECK;
/* The first part of store_publish(), for who knows early what is going to be published, but not yet its digest: writes
 * the lists under names that nobody reads. Uses no memory of the store's arena. */
struct error *store_prepare(struct store *store, const struct generation *generation) MUST_CHECK;
/* The second part, which needs the digest, but no number yet: everything that the generation is goes to disk. */
struct error *store_complete(struct store *store, const struct generation *generation) MUST_CHECK;
/* What is left of both, then moves it to generations/N and flips `current`. Then store_links(). */
struct error *store_publish(struct arena *arena, struct store *store, const struct generation *generation) MUST_CHECK;
/* Makes OUT/machines and OUT/sets say what the generation says: new sets first, then machines, then old sets go. Mends
 * what a killed run left; touches nothing that is right. */
struct error *store_links(struct arena *arena, struct store *store, const struct generation *generation) MUST_CHECK;
/* The same where the links are known to say what `before` says: only what differs is touched. */
struct error *store_links_from(struct arena *arena, struct store *store, const struct generation *before,
                               const struct generation *generation) MUST_CHECK;

/* Links that do not say what a generation says, or that it has none for: "machines/NAME", then "sets/NAME". */
struct link_faults {
	struct str *names;
	size_t count;
};
/* Looks at all of OUT/machines and OUT/sets, and touches nothing. Needs no lock. */
struct error *store_links_look(struct arena *arena, struct str output, const struct generation *generation,
                               struct link_faults *faults) MUST_CHECK;

/* --- old generations --- */

/* A generation that is there, without its lists. */
struct generation_info {
	uint64_t number;
	struct digest digest;
	int64_t clock, at; /* the clock of its rules; when its folder was published; seconds since 1970 */
	size_t machines, rulesets, sets;
	bool current;
	/* It can't be read; only number, at and current are known. Lists are read where they were written to after they
	 * were published, by their time, or are too short. */
	bool damaged;
};
/* All that are there, ascending. Needs no lock. */
struct error *store_generations(struct arena *arena, struct str output, struct generation_info **generations,
                                size_t *count) MUST_CHECK;
/* A generation by number, as generation_read(). ERROR_UNKNOWN if it is not there. */
struct error *generation_read_number(struct arena *arena, struct str output, uint64_t number,
                                     struct generation *generation) MUST_CHECK;
/* Its summary alone, which may be whole where its lists are not. */
struct error *generation_read_summary(struct arena *arena, struct str output, uint64_t number,
                                      struct summary *summary) MUST_CHECK;
/* Removes all generations but these (ascending), which hold the published one (it is an error otherwise), and every
 * object that no generation left names. Killed at any moment, it leaves every generation that is still there complete.
 * *removed counts generations. */
struct error *store_collect(struct arena *arena, struct store *store, const uint64_t *keep, size_t keep_count,
                            size_t *removed) MUST_CHECK;

/* The same in portions, for who has something else to do meanwhile; the store may be closed and opened in between, and
 * others may publish and collect. First the generations go, which takes no time; there may be some that went before a
 * run was killed. They can't be read any more, but nothing that they named may be removed before the disk knows that
 * they are gone: that is, before something was published since. */
struct error *store_retire(struct store *store, const uint64_t *keep, size_t keep_count, size_t *removed) MUST_CHECK;
/* Then what they alone named: some of it, until `most` milliseconds passed or it is done. It has its own memory. */
struct collector;
struct collector *collector_new(void);
void collector_free(struct collector *collector); /* NULL is fine */
struct collected {
	bool done;
	bool folders; /* of generations went: files that they shared with others have another time of change now */
};
struct error *store_collect_some(struct store *store, struct collector *collector, unsigned most,
                                 struct collected *collected) MUST_CHECK;

/* Objects, by digest; checked against it. Need no lock. */
struct error *store_read_ruleset(struct arena *arena, struct str output, const struct digest *digest,
                                 struct str rules[2], struct str *sets_list) MUST_CHECK;
struct error *store_read_set(struct arena *arena, struct str output, const struct digest *digest,
                             struct str *bytes) MUST_CHECK;
/* Where the files of an object lie, for whoever reads them piece by piece, or hands them on. `file` is one of rules.v4,
 * rules.v6, sets.list; empty: their folder. Whether they are there is for the reader to see. */
struct str store_ruleset_path(struct arena *arena, struct str output, const struct digest *digest, struct str file);
struct str store_set_path(struct arena *arena, struct str output, const struct digest *digest);

#endif
