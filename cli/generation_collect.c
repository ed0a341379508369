/* Taking away the generations that nobody needs any more, at once or in portions. The database says which ones are
 * held, and holds off whoever would pin another one meanwhile; without its word nothing is taken away. */
#include <stdlib.h>
#include <time.h>

#include "fleetwall/keep.h"

#include "generation.h"
#include "round.h"

struct collection {
	struct run *run;
	struct arena *arena;
	struct store *store;
	struct keep_generation *list; /* ascending */
	size_t count;
	struct keep_limits limits;
	const char *patience; /* the query that says how long to wait for who pins */
	size_t removed;
};

static struct error *list(struct collection *collection)
{
	struct generation_info *all;

	TRY(store_generations(collection->arena, collection->run->config.output, &all, &collection->count));
	collection->list = ARENA_ARRAY(collection->arena, struct keep_generation, collection->count);
	for (size_t i = 0; i < collection->count; i++)
		collection->list[i] =
			(struct keep_generation){.number = all[i].number, .at = all[i].at, .current = all[i].current};
	return NULL;
}

static uint64_t *choose(const struct collection *collection, size_t *kept)
{
	return keep_choose(collection->arena, collection->list, collection->count, &collection->limits,
	                   (int64_t)time(NULL), kept);
}

static int number_order(const void *a, const void *b)
{
	const struct keep_generation *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

/* Held ones that are not here are on another machine's disk. */
static void hold(struct collection *collection, uint64_t number)
{
	const struct keep_generation wanted = {.number = number};
	struct keep_generation *found =
		bsearch(&wanted, collection->list, collection->count, sizeof wanted, number_order);

	if (found != NULL)
		found->held = true;
}

/* From here to the end of the transaction nobody pins, and nobody confirms. */
static struct error *ask_holders(struct collection *collection)
{
	struct db *db = collection->run->db;
	struct db_rows rows;

	TRY(db_begin(db, DB_WRITE));
	TRY(db_query(collection->arena, db, db_sql(collection->patience), NULL, 0, NULL));
	TRY(db_query(collection->arena, db, db_sql("generation-held-lock"), NULL, 0, NULL));
	TRY(db_query(collection->arena, db, db_sql("generation-held"), NULL, 0, &rows));
	for (size_t i = 0; i < rows.count; i++) {
		uint64_t number = 0;

		if (!str_number(db_cell(&rows, i, 0), UINT64_MAX, &number))
			return error_new(ERROR_SURROUNDINGS, "the database holds a generation without a number");
		hold(collection, number);
	}
	return NULL;
}

static struct error *retire(struct collection *collection, const uint64_t *keep, size_t kept)
{
	return store_retire(collection->store, keep, kept, &collection->removed);
}

static struct error *remove_whole(struct collection *collection, const uint64_t *keep, size_t kept)
{
	return store_collect(collection->arena, collection->store, keep, kept, &collection->removed);
}

/* `remove` is not called where all are kept. */
static struct error *collect(struct collection *collection,
                             struct error *(*remove)(struct collection *collection, const uint64_t *keep, size_t kept))
{
	uint64_t *keep;
	size_t kept;

	TRY(list(collection));
	(void)choose(collection, &kept);
	if (kept == collection->count)
		return NULL;
	TRY(ask_holders(collection));
	keep = choose(collection, &kept);
	if (kept < collection->count)
		TRY(remove(collection, keep, kept));
	return db_commit(collection->run->db);
}

static struct collection collection_of(struct run *run, struct arena *arena, struct store *store)
{
	return (struct collection){
		.run = run,
		.arena = arena,
		.store = store,
		.limits = {.generations = run->config.keep_generations, .days = run->config.keep_days},
		.patience = "generation-held-wait",
	};
}

/* Looking at all summaries is some milliseconds of fifty generations: after every fourth publishing is often enough. */
static uint64_t seldom(const struct run *run)
{
	enum { SELDOM = 16 };

	return run->config.keep_generations / SELDOM + 1;
}

static struct error *were_left(struct run *run, struct error *error)
{
	if (error == NULL)
		return NULL;
	db_rollback(run->db);
	return error_hint(error_in(error, "old generations were left as they are"),
	                  "the next run that publishes looks again");
}

void collect_generations(struct run *run, struct store *store)
{
	if (store_current(run->config.output) % seldom(run) != 0)
		return;
	struct arena *arena = arena_new();
	struct collection collection = collection_of(run, arena, store);

	error_collect(&run->warnings, were_left(run, collect(&collection, remove_whole)));
	arena_free(arena);
}

/* --- in portions --- */

enum {
	PORTION = 8,  /* milliseconds */
	PATIENCE = 4, /* times as many generations as it takes to begin: then it does not wait for a pause */
};

static void collecting_begin_anew(struct collecting *collecting, uint64_t published)
{
	collector_free(collecting->collector);
	*collecting = (struct collecting){.since = published, .went_on = collecting->went_on};
}

enum collecting_need collecting_need(struct collecting *collecting, const struct run *run, uint64_t published)
{
	uint64_t every = seldom(run), passed;

	/* At the beginning, and where numbers began anew: soon. */
	if (collecting->since == 0 || collecting->since > published)
		collecting_begin_anew(collecting, published > every ? published - every : 1);
	passed = published - collecting->since;
	if (passed < (collecting->retired ? 1 : every))
		return COLLECT_NOTHING;
	return passed < PATIENCE * every ? COLLECT_IN_PAUSE : COLLECT_NOW;
}

void collecting_end(struct collecting *collecting)
{
	collector_free(collecting->collector);
	collecting->collector = NULL;
}

/* What is published, as the round left it? */
static bool is_as_left(const struct run *run, const struct resident *resident)
{
	const struct cache_head *head = &resident->head;
	struct str output = run->config.output;

	return head->number == store_current(output) && store_links_alone(output, &head->mark) &&
	       store_generation_whole(output, head->number, &head->mark);
}

/* Files that generations share were touched by us: the next round need not read them for that. Objects are still those
 * of the last look. */
static struct error *mark_anew(struct store *store, struct resident *resident)
{
	struct timespec mark;

	TRY(store_mark(store, &mark));
	resident->head.mark = mark;
	resident->cached = false;
	return NULL;
}

static struct error *remove_some(struct run *run, struct store *store, struct resident *resident,
                                 struct collecting *collecting)
{
	bool whole = resident != NULL && is_as_left(run, resident);
	struct collected collected;

	if (collecting->collector == NULL)
		collecting->collector = collector_new();
	TRY(store_collect_some(store, collecting->collector, PORTION, &collected));
	if (collected.done)
		collecting_begin_anew(collecting, collecting->since);
	return whole && collected.folders ? mark_anew(store, resident) : NULL;
}

/* Does it look as if some could go? Whoever holds them was not asked. Needs no lock. */
static struct error *could_any_go(struct collection *collection, bool *could)
{
	size_t kept;

	TRY(list(collection));
	(void)choose(collection, &kept);
	*could = kept < collection->count;
	return NULL;
}

/* The first time there may be something that was left by a process that ended in the middle. */
static struct error *retire_some(struct collection *collection, struct collecting *collecting)
{
	struct run *run = collection->run;
	bool could;

	TRY(could_any_go(collection, &could));
	if (could) {
		TRY(store_open(collection->arena, run->config.output, &collection->store));
		TRY(collect(collection, retire));
	}
	collecting->since = store_current(run->config.output);
	collecting->retired = collection->removed > 0 || !collecting->went_on;
	collecting->went_on = true;
	return NULL;
}

/* The first portion is the moving away, which nobody may pin into. The others wait until something was published since:
 * publishing flushes the disk, and nothing else need be waited for. */
static struct error *do_portion(struct collection *collection, struct resident *resident,
                                struct collecting *collecting)
{
	struct run *run = collection->run;

	if (!collecting->retired)
		return retire_some(collection, collecting);
	if (store_current(run->config.output) <= collecting->since)
		return NULL;
	TRY(store_open(collection->arena, run->config.output, &collection->store));
	return remove_some(run, collection->store, resident, collecting);
}

struct error *collect_portion(struct run *run, struct resident *resident, struct collecting *collecting)
{
	struct arena *arena = arena_new();
	struct collection collection = collection_of(run, arena, NULL);
	struct error *error;

	collection.patience = "generation-held-wait-little";
	error = do_portion(&collection, resident, collecting);
	store_close(collection.store);
	if (error != NULL)
		collecting_begin_anew(collecting, store_current(run->config.output));
	arena_free(arena);
	return were_left(run, error);
}
