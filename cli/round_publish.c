/* The last steps of a round: the number in the database, the generation, the links, what the next round needs to know,
 * and the end of generations that nobody needs any more. */
#include "generation.h"
#include "round.h"

/* The number is taken in the database first: a generation that it does not know is never pushed. */
static struct error *record(struct round *round, uint64_t of)
{
	struct arena *arena = round->arena;
	struct db *db = round->run->db;
	struct db_rows rows;
	uint64_t highest = 0;
	char hex[65];
	struct str parameters[6];

	TRY(db_begin(db, DB_WRITE));
	TRY(db_query(arena, db, db_sql("generation-highest"), NULL, 0, &rows));
	if (!str_number(db_cell(&rows, 0, 0), INT64_MAX - 1, &highest))
		return error_hint(
			error_new(ERROR_SURROUNDINGS, "the database has no room for another generation number"),
			"look at fleetwall.generation: its highest number can't be right");
	TRY(store_next_number(round->store, highest, &round->next.number));
	digest_hex(&round->next.digest, hex);
	parameters[0] = str_format(arena, "%llu", (unsigned long long)round->next.number);
	parameters[1] = str_of(hex);
	parameters[2] = str_format(arena, "%lld", (long long)round->next.summary.clock);
	parameters[3] = str_format(arena, "%zu", round->next.machine_count);
	parameters[4] = round->news.snapshot;
	parameters[5] = of > 0 ? str_format(arena, "%llu", (unsigned long long)of) : (struct str){NULL, 0};
	TRY(db_query(arena, db, db_sql("generation-add"), parameters, 6, NULL));
	return db_commit(db);
}

/* --- what the next round needs to know --- */

/* A cache that can't be kept costs the next run its head start, and nothing else. */
static void cache_failed(struct round *round, struct error *error)
{
	if (error != NULL)
		error_collect(&round->run->warnings,
		              error_hint(error, "the next run begins from nothing, which takes longer"));
}

struct str round_identity(struct arena *arena, const struct inventory_news *news, struct str last)
{
	return str_format(arena, "%.*s %.*s", STR_ARG(news->identity), STR_ARG(last));
}

struct error *round_head(struct round *round, const struct generation *published)
{
	struct cache_head *head = &round->head;

	*head = (struct cache_head){
		.base = round->rendition.base,
		.identity = round_identity(round->last, &round->news, round->news.newest),
		.snapshot = str_copy(round->last, round->news.snapshot),
		.number = published->number,
		.digest = published->digest,
		.machines = published->machine_count,
		.set_names = published->set_count,
		.clock = round->fleet.clock,
		.next_edge = fleet_next_edge(&round->fleet),
	};
	const struct knowledge *made = &round->product.knowledge;

	head->ruleset_count = known_values(round->last, made->rulesets, made->ruleset_count, &head->rulesets);
	head->set_count = known_values(round->last, made->sets, made->set_count, &head->sets);
	return store_mark(round->store, &head->mark);
}

struct error *round_cache_model(struct round *round, struct str fleet)
{
	struct error *error = cache_prepare(round->store, fleet, &round->product.knowledge, &round->model);

	round->prepared = error == NULL;
	return error;
}

void round_cache(struct round *round, struct str fleet)
{
	struct error *error = round->prepared ? NULL : round_cache_model(round, fleet);

	round->prepared = false;
	round->head.model = round->model;
	cache_failed(round, error != NULL ? error : cache_complete(round->store, &round->head));
}

void round_touch(struct round *round, const struct timespec *mark)
{
	struct error *error;

	round->head.mark = *mark;
	error = cache_write(round->store, &round->head, (struct str){NULL, 0}, NULL);
	if (round->before != NULL)
		round->before->head.mark = round->before->seen = round->head.mark;
	cache_failed(round, error);
}

/* --- publishing --- */

static size_t count_changes(const struct entry *before, size_t before_count, const struct entry *after,
                            size_t after_count)
{
	struct arena *scratch = arena_new();
	struct difference *differences;
	size_t count = entries_compare(scratch, before, before_count, after, after_count, &differences);

	arena_free(scratch);
	return count;
}

size_t round_changes(const struct round *round)
{
	const struct generation *before = &round->published, *after = &round->next;

	return count_changes(before->sets, before->set_count, after->sets, after->set_count) +
	       count_changes(before->manifest, before->machine_count, after->manifest, after->machine_count);
}

/* Links that nobody touched say what the generation before says. */
static bool links_are_known(const struct round *round)
{
	return round->has_head && round->readable && !round->faults.links && round->published.number > 0;
}

/* Before `current` moves on, which they are behind then. What was done to them since the round began would be older
 * than its mark, and no round would look at it again. */
static struct error *look_at_links(struct round *round)
{
	if (round->has_head && !round->faults.links)
		round->faults.links = !store_links_alone(round->run->config.output, &round->head.mark);
	if (links_are_known(round) || !round->readable || round->published.number == 0)
		return NULL;
	return store_links_look(round->arena, round->run->config.output, &round->published, &round->links);
}

enum { LINKS_TOLD = 10 }; /* by name */

static void tell_links(struct round *round)
{
	const struct link_faults *links = &round->links;
	struct buf names = buf_new(round->arena);

	if (links->count == 0)
		return;
	for (size_t i = 0; i < links->count && i < LINKS_TOLD; i++)
		buf_format(&names, "%s%.*s", i > 0 ? ", " : "", STR_ARG(links->names[i]));
	if (links->count > LINKS_TOLD)
		buf_format(&names, ", and %zu more", links->count - LINKS_TOLD);
	error_collect(&round->run->warnings,
	              error_hint(error_new(ERROR_SURROUNDINGS,
	                                   "%zu links did not lead where generation %llu says; they are right again: "
	                                   "%.*s",
	                                   links->count, (unsigned long long)round->published.number,
	                                   STR_ARG(buf_str(&names))),
	                         "somebody changed them by hand, or a run was ended before it had laid them"));
}

static struct error *lay_links(struct round *round, const struct generation *published)
{
	struct store *store = round->store;

	if (links_are_known(round))
		TRY(look_at_links(round)); /* what was done to them while the disk was waited for */
	if (links_are_known(round))
		return store_links_from(round->arena, store, &round->published, published);
	TRY(store_links(round->arena, store, published));
	tell_links(round);
	return NULL;
}

struct error *round_links(struct round *round, const struct generation *published)
{
	TRY(look_at_links(round));
	return lay_links(round, published);
}

/* --- all of it --- */

struct publishing {
	struct round *round;
	uint64_t of;
};

static struct error *record_it(void *context)
{
	const struct publishing *publishing = context;

	return record(publishing->round, publishing->of);
}

static struct error *complete_it(void *context)
{
	const struct round *round = ((const struct publishing *)context)->round;

	return store_complete(round->store, &round->next);
}

static struct error *lay_next(void *context)
{
	struct round *round = context;

	return lay_links(round, &round->next);
}

/* The database and the disk are waited for at the same time. */
static struct error *publish(struct round *round, uint64_t of)
{
	struct publishing publishing = {round, of};

	TRY(look_at_links(round));
	TRY(parallel_both(record_it, &publishing, complete_it, &publishing));
	return store_publish(round->arena, round->store, &round->next);
}

struct error *round_publish(struct round *round, uint64_t of)
{
	TRY(publish(round, of));
	return lay_next(round);
}

struct error *round_publish_beside(struct round *round, parallel_task *beside, void *context)
{
	TRY(publish(round, 0));
	return parallel_both(lay_next, round, beside, context);
}
