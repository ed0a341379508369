/* What the files of the store share: the open folder, the paths in it, what was put and not published yet, and the text
 * form of a generation's files. */
#ifndef FLEETWALL_GEN_STORE_TREE_H
#define FLEETWALL_GEN_STORE_TREE_H

#include "fleetwall/store.h"

/* Where things get their bytes before they get their place; emptied by whoever holds the lock. */
#define TREE_NEW "store/new"
/* Is there from before the first object of a run to after the last one was published or taken back: a run that finds
 * it knows that one before it was killed, and may have left objects that no generation names. */
#define TREE_UNPUBLISHED TREE_NEW "/unpublished"
#define TREE_GENERATIONS "generations"
/* Generations that are no longer there, until the objects that they alone named are gone as well. */
#define TREE_OLD "store/old"

enum { TREE_PATH = 160 };

enum object_kind { OBJECT_RULESET, OBJECT_SET, OBJECT_KINDS };
extern const char *const tree_folders[OBJECT_KINDS]; /* "store/rulesets", "store/sets" */

enum { RULESET_FILES = 3 };
extern const char *const tree_ruleset_files[RULESET_FILES];

struct object {
	enum object_kind kind;
	struct digest digest;
};

/* Sorted, each once. */
struct object_list {
	const struct digest *digests[OBJECT_KINDS];
	size_t count[OBJECT_KINDS];
};

struct puts;

/* Lists that lie in TREE_NEW already, and what the summary will say of them. */
struct prepared {
	const struct generation *whose; /* NULL: none do */
	bool complete;                  /* and are on the disk, with the summary */
	const struct entry *manifest, *sets;
	struct digest list;
	size_t objects[OBJECT_KINDS];
};

struct store {
	struct arena *arena;
	int root;          /* OUT */
	int lock;          /* OUT/.lock */
	struct str output; /* its path, for messages */
	bool sweep;        /* a killed run left TREE_UNPUBLISHED */
	struct puts *puts; /* NULL until it is open */
	struct prepared prepared;
};

/* An object is named by the first half of its digest: 128 bits, which nobody makes two files share by chance, and which
 * make a link's target short enough for ext4 to keep it in the link itself (59 bytes). Creating and replacing such a
 * link took a tenth of the time. That it is the right object is checked by the whole digest, by whoever reads it. */
enum { TREE_NAME = 32 };

/* "store/rulesets/ab/NAME" */
void tree_object(char path[TREE_PATH], const struct object *object);
/* "ab/NAME"; gives its length. */
size_t tree_object_below(char *path, const struct digest *digest);
/* Do both have one name? */
bool tree_same_place(const struct digest *a, const struct digest *b);
/* The digest with nothing but what its name says; and from the name. */
struct digest tree_place(const struct digest *digest);
bool tree_name_parse(struct str name, struct digest *place);
/* A ruleset's files, or a set's one, checked against the digest. */
struct error *object_read(struct arena *arena, int root, const struct object *object,
                          struct str files[RULESET_FILES]) MUST_CHECK;

/* --- what was put (store_put.c) --- */

struct puts *puts_new(void);
void puts_free(struct puts *puts);
/* Everything that was written goes to disk. */
struct error *tree_flush(struct store *store) MUST_CHECK;
/* What was put is named by the published generation now, and stays; it goes to disk, if it did not yet. */
struct error *tree_settle(struct store *store) MUST_CHECK;
/* From now on a killed run leaves TREE_UNPUBLISHED; and no longer, unless objects were put that are not published. */
struct error *tree_mark_unpublished(struct store *store) MUST_CHECK;
struct error *tree_unmark(struct store *store) MUST_CHECK;
/* Removes the objects that were made and not published: a disk that was too full is not left fuller. */
void tree_take_back(struct store *store);
/* Was it put, and is not published yet? */
bool tree_is_put(const struct store *store, const struct object *object);

/* --- generations (store_text.c, store_generation.c) --- */

/* What the summary says besides what the guards compare with. */
struct summary_rest {
	struct digest digest;         /* of the generation */
	bool counted;                 /* what follows is there: not in old ones */
	size_t machines, sets;        /* lines of these files */
	size_t objects[OBJECT_KINDS]; /* distinct ones */
	struct digest list;           /* SHA-256 of the file `objects` */
};

/* `digest  name` a line. */
struct str text_of_entries(struct arena *arena, const struct entry *entries, size_t count);
struct str text_of_summary(struct arena *arena, const struct summary *summary, const struct summary_rest *rest);
/* The strings are in `text`. */
struct error *text_read_entries(struct arena *arena, const char *file, struct str text, struct entry **entries,
                                size_t *count) MUST_CHECK;
struct error *text_read_summary(struct arena *arena, struct str text, struct summary *summary,
                                struct summary_rest *rest) MUST_CHECK;
/* Without roles and rules, for a list of generations. */
struct error *text_read_summary_head(struct str text, int64_t *clock, struct summary_rest *rest) MUST_CHECK;

/* The file `objects`: both counts as 8 bytes, big-endian, then the digests. That it is the one that was written is for
 * its digest to say. */
struct str text_of_objects(struct arena *arena, const struct object_list *list);
bool text_read_objects(struct str text, struct object_list *list);

/* By name. */
int entry_order(const struct entry *a, const struct entry *b);
/* The distinct objects that a generation names. */
void generation_objects(struct arena *arena, const struct generation *generation, struct object_list *list);
/* The same of one in the folder `path` below `root`, without its lists where it can be had so. */
struct error *generation_read_objects(struct arena *arena, int root, const char *path,
                                      struct object_list *list) MUST_CHECK;
/* The numbers of all generations that are there, ascending. */
struct error *generation_numbers(struct arena *arena, int root, uint64_t **numbers, size_t *count) MUST_CHECK;
/* Where `current` leads, below the open folder OUT; 0: there is none. */
struct error *generation_current(int root, uint64_t *number) MUST_CHECK;

/* --- collecting (store_collect.c) --- */

/* Removes what killed runs left, if any did. What can't be swept up now stays marked; store_collect() says why. */
void tree_sweep(struct store *store);

#endif
