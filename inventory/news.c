/* What a run can know about the inventory before it loads anything: one query, which costs a millisecond or two however
 * large the fleet and its history are. Changes nothing. */
#include "fleetwall/inventory.h"

#include <assert.h>

#include "fleetwall/arena.h"

enum news_column {
	NEWS_CLOCK,
	NEWS_IDENTITY,
	NEWS_SNAPSHOT,
	NEWS_NUMBER,
	NEWS_DIGEST,
	NEWS_CHANGED,
	NEWS_SEEN,
	NEWS_NEWEST,
	NEWS_COLUMNS
};

static uint64_t number_of(struct str cell)
{
	uint64_t number = 0;
	bool good = cell.p == NULL || str_number(cell, INT64_MAX, &number);
	assert(good);
	return number;
}

static struct str word_of(struct str cell)
{
	return cell.p == NULL ? STR("") : cell;
}

/* Statistics of a history that grew, or was cut short, would mislead the planner to read all of it, or to sort it for
 * its last row. */
static struct error *step_along_indexes(struct db *db, bool yes)
{
	return db_run(db, yes ? STR("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "
	                            "SET LOCAL enable_sort = off")
	                      : STR("SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_bitmapscan TO DEFAULT; "
	                            "SET LOCAL enable_sort TO DEFAULT"));
}

struct error *inventory_news(struct arena *arena, struct db *db, struct str since, struct inventory_news *news)
{
	struct db_rows rows;
	struct str parameter = since.n > 0 ? since : (struct str){NULL, 0};

	TRY(step_along_indexes(db, true));
	TRY(db_query(arena, db, db_sql("news"), &parameter, 1, &rows));
	TRY(step_along_indexes(db, false));
	assert(rows.count == 1 && rows.columns == NEWS_COLUMNS);
	*news = (struct inventory_news){
		.clock = (int64_t)number_of(db_cell(&rows, 0, NEWS_CLOCK)),
		.identity = db_cell(&rows, 0, NEWS_IDENTITY),
		.snapshot = db_cell(&rows, 0, NEWS_SNAPSHOT),
		.generation = number_of(db_cell(&rows, 0, NEWS_NUMBER)),
		.digest = word_of(db_cell(&rows, 0, NEWS_DIGEST)),
		.changed = str_is(db_cell(&rows, 0, NEWS_CHANGED), "t"),
		.seen = word_of(db_cell(&rows, 0, NEWS_SEEN)),
		.newest = word_of(db_cell(&rows, 0, NEWS_NEWEST)),
	};
	return NULL;
}
