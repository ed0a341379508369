/* What the files of the store share: the open folder, the paths in it, and the text form of a generation's files. */
#ifndef FLEETWALL_GEN_STORE_TREE_H
#define FLEETWALL_GEN_STORE_TREE_H

#include "fleetwall/store.h"

/* An object that this run wrote where none was. */
struct made {
	const char *folder;
	struct digest digest;
};

struct store {
	struct arena *arena;
	int root;          /* OUT */
	int lock;          /* OUT/.lock */
	struct str output; /* its path, for messages */
	bool unflushed;    /* objects were written since the last flush */
	struct {
		struct made *items;
		size_t count, capacity;
	} made; /* not published yet */
};

/* Where things get their bytes before they get their place; emptied by whoever holds the lock. */
#define TREE_NEW "store/new"
#define TREE_RULESETS "store/rulesets"
#define TREE_SETS "store/sets"

enum { TREE_PATH = 160 };

/* Everything that was written goes to disk, if anything was. */
struct error *tree_flush(struct store *store) MUST_CHECK;

/* Removes the objects that were made and not published: a disk that was too full is not left fuller. */
void tree_take_back(struct store *store);

/* "store/rulesets/ab/DIGEST"; `folder` is one of the above. */
void tree_object(char path[TREE_PATH], const char *folder, const struct digest *digest);

/* `digest  name` a line. */
void tree_print_entries(struct buf *buf, const struct entry *entries, size_t count);
void tree_print_summary(struct buf *buf, const struct generation *generation);

#endif
