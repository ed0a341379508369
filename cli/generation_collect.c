/* Taking away the generations that nobody needs any more. The database says which ones are held, and holds off whoever
 * would pin another one meanwhile; without its word nothing is taken away. */
#include <stdlib.h>
#include <time.h>

#include "fleetwall/keep.h"

#include "generation.h"

struct collection {
	struct run *run;
	struct arena *arena;
	struct store *store;
	struct keep_generation *list; /* ascending */
	size_t count;
	struct keep_limits limits;
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
	TRY(db_query(collection->arena, db, db_sql("generation-held-wait"), NULL, 0, NULL));
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

static struct error *collect(struct collection *collection)
{
	uint64_t *keep;
	size_t kept, removed;

	TRY(list(collection));
	(void)choose(collection, &kept);
	if (kept == collection->count)
		return NULL;
	TRY(ask_holders(collection));
	keep = choose(collection, &kept);
	if (kept < collection->count)
		TRY(store_collect(collection->arena, collection->store, keep, kept, &removed));
	return db_commit(collection->run->db);
}

/* Looking at all summaries is some milliseconds of fifty generations: after every fourth publishing is often enough. */
static bool is_time_to_look(const struct run *run)
{
	enum { SELDOM = 16 };

	return store_current(run->config.output) % (run->config.keep_generations / SELDOM + 1) == 0;
}

void collect_generations(struct run *run, struct store *store)
{
	if (!is_time_to_look(run))
		return;
	struct arena *arena = arena_new();
	struct collection collection = {
		.run = run,
		.arena = arena,
		.store = store,
		.limits = {.generations = run->config.keep_generations, .days = run->config.keep_days},
	};
	struct error *error = collect(&collection);

	if (error != NULL) {
		db_rollback(run->db);
		error_collect(&run->warnings, error_hint(error_in(error, "old generations were left as they are"),
		                                         "the next run that publishes looks again"));
	}
	arena_free(arena);
}
