/* Loads the inventory as the last run of generate left it in OUT/cache, and brings it up to date by the history. Trusts
 * what generate itself goes by: that the head is of this very database, and that changes are in the history. Writes
 * nothing, and asks for nothing that is not there: without a cache the caller reads the tables. */
#include "kept.h"

#include "fleetwall/inventory.h"
#include "fleetwall/parallel.h"

#include "round.h"

struct keeping {
	struct run *run;
	struct arena *memory;
	struct round round; /* of which the head alone */
	struct fleet before;
	bool is;
};

/* In a thread of its own: the connection is opened meanwhile. */
static struct error *read_kept(void *context)
{
	struct keeping *keeping = context;
	struct cache_head *head = &keeping->round.head;
	struct str output = keeping->run->config.output, packed;
	struct knowledge knowledge;

	keeping->is = cache_read_head(keeping->memory, output, head) &&
	              cache_read_model(keeping->memory, output, head, &packed, &knowledge) &&
	              fleet_unpack(keeping->memory, packed, &keeping->before);
	return NULL;
}

static struct error *open_connection(void *context)
{
	struct keeping *keeping = context;

	return keeping->run->db == NULL ? run_connect(keeping->run) : NULL;
}

/* Objects that changed, of all kinds: beyond that a part of the tables is read sooner. */
enum { FEW_CHANGES = 500 };

static struct error *load_changes(struct keeping *keeping, struct fleet *fleet)
{
	struct run *run = keeping->run;
	struct inventory_touched touched;
	struct inventory_changes *changes;

	*fleet = keeping->before;
	fleet->clock = keeping->round.news.clock;
	if (!keeping->round.news.changed)
		return NULL;
	TRY(inventory_find_changes(run->arena, run->db, keeping->round.head.snapshot, keeping->before.machine_count,
	                           &changes));
	keeping->is = inventory_changes_count(changes) <= FEW_CHANGES;
	if (!keeping->is)
		return NULL;
	return inventory_load_found(keeping->memory, NULL, run->db, changes, &keeping->before, fleet, &touched);
}

static struct error *load_from_snapshot(struct keeping *keeping, struct fleet *fleet)
{
	struct round *round = &keeping->round;

	TRY(inventory_news(round->arena, keeping->run->db, round->head.snapshot, &round->news));
	TRY(round_check_head(round));
	keeping->is = round->has_head;
	return keeping->is ? load_changes(keeping, fleet) : NULL;
}

struct error *kept_load(struct run *run, struct arena *memory, struct fleet *fleet, bool *is)
{
	struct keeping keeping = {
		.run = run, .memory = memory, .round = {.run = run, .arena = run->arena, .has_head = true}};

	TRY(parallel_both(open_connection, &keeping, read_kept, &keeping));
	*is = false;
	if (!keeping.is)
		return NULL;
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(load_from_snapshot(&keeping, fleet));
	*is = keeping.is;
	return db_commit(run->db);
}
