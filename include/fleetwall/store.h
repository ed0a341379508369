/* The output tree (SPEC §5): objects by content, numbered generations, `current`, and the links for people. Everything
 * that is published is complete: objects first, one syncfs, then the generation, then one rename of `current`, then the
 * links. A killed run leaves what was published.
 *
 *     OUT/store/rulesets/ab/DIGEST/{rules.v4,rules.v6,sets.list}   OUT/store/sets/ab/DIGEST
 *     OUT/generations/N/{manifest,sets,summary}                    OUT/current -> generations/N
 *     OUT/machines/NAME -> ../store/rulesets/ab/DIGEST             OUT/sets/SET.v4 -> ../store/sets/ab/DIGEST */
#ifndef FLEETWALL_STORE_H
#define FLEETWALL_STORE_H

#include "fleetwall/ruleset.h"

/* One name of a manifest (a machine and its ruleset) or of `sets` (a set file and its content). */
struct entry {
	struct digest digest;
	struct str name;
};

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

/* What publishing `output` would make: manifest, sets, digest. number is 0 still. Pure. */
void generation_of(struct arena *arena, const struct output *output, const struct summary *summary,
                   struct generation *generation);
/* Sets the digest of a generation whose lists were put together otherwise. */
void generation_digest(struct arena *scratch, struct generation *generation);
bool generation_same(const struct generation *a, const struct generation *b); /* manifest and sets */

/* What differs, by name: '+' new, '-' gone, '~' another digest. Both lists sorted. */
struct difference {
	char sign;
	struct str name;
};
size_t entries_compare(struct arena *arena, const struct entry *before, size_t before_count, const struct entry *after,
                       size_t after_count, struct difference **differences);

/* Writes the objects that are not there with exactly these bytes: new ones, and those that were damaged or removed.
 * store_publish() flushes them to disk before it publishes. */
struct error *store_write_objects(struct store *store, const struct output *output) MUST_CHECK;
/* The first number above `at_least` and above every folder under generations/. */
struct error *store_next_number(struct store *store, uint64_t at_least, uint64_t *number) MUST_CHECK;
/* Writes generations/N, flushes, flips `current`. Then store_links(). */
struct error *store_publish(struct arena *arena, struct store *store, const struct generation *generation) MUST_CHECK;
/* Makes OUT/machines and OUT/sets say what the generation says: new sets first, then machines, then old sets go. Mends
 * what a killed run left; touches nothing that is right. */
struct error *store_links(struct arena *arena, struct store *store, const struct generation *generation) MUST_CHECK;

/* Objects, by digest; checked against it. Need no lock. */
struct error *store_read_ruleset(struct arena *arena, struct str output, const struct digest *digest,
                                 struct str rules[2], struct str *sets_list) MUST_CHECK;
struct error *store_read_set(struct arena *arena, struct str output, const struct digest *digest,
                             struct str *bytes) MUST_CHECK;

#endif
