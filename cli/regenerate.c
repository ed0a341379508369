/* One round: asks what is new, does only that, and leaves what the next round needs, in memory or in OUT/cache. The
 * order of the steps is the point: the lock before the snapshot (a run that waited for another must not publish what it
 * read before), objects before the generation, the generation before the links, and nothing before the guards. */
#include "regenerate.h"

#include "generation.h"
#include "round.h"

/* Of packed memory that rounds have added to, bytes: more is given back by beginning anew. */
#define FLEETS_GROW ((size_t)64 << 20)

/* --- from one round to the next --- */

struct resident *resident_new(void)
{
	struct arena *fleets = arena_new(), *last = arena_new();
	struct resident *resident = ARENA_NEW(last, struct resident);

	*resident = (struct resident){.fleets = fleets, .last = last, .lists = {arena_new(), arena_new()}};
	return resident;
}

void resident_free(struct resident *resident)
{
	if (resident == NULL)
		return;
	struct arena *fleets = resident->fleets, *last = resident->last;

	producer_free(resident->producer);
	arena_free(resident->lists[0]);
	arena_free(resident->lists[1]);
	arena_free(fleets);
	arena_free(last);
}

static void copy_names(struct arena *arena, struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		entries[i].name = str_copy(arena, entries[i].name);
}

/* Rounds add to the memory of the fleet and never take away: now and then the fleet is packed, and what was is given
 * up. Names in the published lists are the fleet's, so they are copied first. */
static void resident_compact(struct resident *resident)
{
	struct generation *published = &resident->published;
	struct arena *fresh = arena_new();
	struct fleet fleet;

	if (!fleet_unpack(fresh, fleet_pack(fresh, &resident->fleet), &fleet)) {
		arena_free(fresh); /* a bug, which costs memory and nothing else */
		return;
	}
	copy_names(resident->last, published->manifest, published->machine_count);
	copy_names(resident->last, published->sets, published->set_count);
	for (size_t i = 0; i < published->summary.role_count; i++)
		published->summary.roles[i].role = str_copy(resident->last, published->summary.roles[i].role);
	/* It goes by where things lie, and new ones may come to lie where old ones lay. */
	producer_free(resident->producer);
	resident->producer = producer_new();
	arena_free(resident->fleets);
	for (size_t i = 0; i < 2; i++) {
		arena_free(resident->lists[i]);
		resident->lists[i] = arena_new();
	}
	resident->fleets = fresh;
	resident->fleet = fleet;
	resident->fresh = arena_size(fresh);
}

/* The cache has one mark for all: so everything that was not looked at since is looked at. */
static struct error *look_again(struct arena *scratch, struct run *run, struct store *store,
                                struct resident *resident)
{
	struct cache_head *head = &resident->head;
	struct store_faults faults;
	struct timespec mark;

	TRY(store_mark(store, &mark));
	TRY(store_look(scratch, run->config.output, &resident->seen, parallel_workers(), head->rulesets,
	               head->ruleset_count, head->sets, head->set_count, &faults));
	if (faults.ruleset_count + faults.set_count > 0 || !store_links_alone(run->config.output, &head->mark) ||
	    !store_generation_whole(run->config.output, head->number, &head->mark))
		return error_hint(error_new(ERROR_SURROUNDINGS, "somebody changed what is published: %zu rulesets and "
		                                                "%zu set files are damaged or gone, or links or lists",
		                            faults.ruleset_count, faults.set_count),
		                  "the next run makes everything anew");
	head->mark = resident->seen = mark;
	return NULL;
}

/* What was damaged meanwhile is not for this to mend: without a cache, the next run begins from nothing. */
static struct error *settle(struct arena *scratch, struct run *run, struct store *store, struct resident *resident)
{
	struct error *error;

	if (store_current(run->config.output) != resident->head.number)
		return NULL;
	error = look_again(scratch, run, store, resident);
	if (error != NULL) {
		error_collect(&error, cache_drop(store));
		return error;
	}
	return cache_write(store, &resident->head, fleet_pack(scratch, &resident->fleet), &resident->knowledge);
}

struct error *resident_settle(struct run *run, struct resident *resident)
{
	struct arena *scratch = arena_new();
	struct store *store;
	struct error *error;

	if (resident == NULL || resident->cached) {
		arena_free(scratch);
		return NULL;
	}
	error = store_open(scratch, run->config.output, &store);
	if (error == NULL)
		error = settle(scratch, run, store, resident);
	resident->cached = error == NULL;
	store_close(store);
	arena_free(scratch);
	return error;
}

/* --- a round --- */

struct round *round_begin(struct run *run, const struct regenerate_options *options, struct resident *before)
{
	struct arena *arena = arena_new();
	struct round *round = ARENA_NEW(arena, struct round);

	*round = (struct round){.run = run, .options = options, .arena = arena, .before = before};
	clock_gettime(CLOCK_MONOTONIC, &round->started);
	round->next_resident = resident_new();
	round->last = round->next_resident->last;
	return round;
}

double round_seconds(const struct round *round)
{
	const struct timespec *started = &round->started;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - started->tv_sec) + (double)(now.tv_nsec - started->tv_nsec) / 1e9;
}

void round_end(struct round *round)
{
	store_close(round->store);
	if (round->guards != NULL)
		guards_free(round->guards);
	if (round->own_producer)
		producer_free(round->producer);
	if (round->own_before)
		resident_free(round->before);
	resident_free(round->next_resident);
	arena_free(round->looks);
	arena_free(round->arena);
}

static void swap(struct arena **a, struct arena **b)
{
	struct arena *other = *a;

	*a = *b;
	*b = other;
}

/* The fleet shares memory with the one before. */
static void hand_over_fleet(struct resident *next, struct resident *before, bool listed)
{
	swap(&next->fleets, &before->fleets);
	swap(&next->lists[0], &before->lists[listed]);
	swap(&next->lists[1], &before->lists[!listed]);
	next->fresh = before->fresh;
}

/* What the round leaves, to the caller; what was there before is freed. */
static void hand_over(struct round *round, struct resident **resident)
{
	struct resident *next = round->next_resident, *before = round->before;

	if (before != NULL && round->has_known)
		hand_over_fleet(next, before, round->fleet.machines != before->fleet.machines);
	next->producer = round->producer;
	round->own_producer = false;
	if (before != NULL)
		before->producer = NULL;
	if (next->fresh == 0)
		next->fresh = arena_size(next->fleets);
	next->head = round->head;
	next->fleet = round->fleet;
	next->knowledge = round->product.knowledge;
	next->published = round->next;
	clock_gettime(CLOCK_BOOTTIME, &next->looked);
	if (!round->looked && before != NULL)
		next->looked = before->looked;
	/* A new mark says nothing about objects that this round did not look at. */
	next->seen = !round->looked && round->has_known ? before->seen : round->head.mark;
	if (arena_size(next->fleets) > next->fresh + FLEETS_GROW)
		resident_compact(next);
	resident_free(before);
	round->before = NULL;
	round->own_before = false;
	round->next_resident = NULL;
	*resident = next;
}

static void tell(const struct round *round, const struct generation *published, struct regeneration *result)
{
	const struct store_faults *faults = &round->faults;

	result->number = published->number;
	result->digest = published->digest;
	result->machines = published->machine_count;
	result->sets = published->set_count;
	result->rulesets = round->product.ruleset_count;
	result->mended = faults->ruleset_count + faults->set_count;
	if (result->mended == 0)
		result->mended = round->mended;
	result->mended += round->links.count;
	result->clock = round->fleet.clock;
	result->next_edge = round->head.next_edge;
}

/* What was touched was whole when it was looked at: the next run need not read it again, if it is still whole at the
 * mark from which that one goes. What was damaged meanwhile is its to find, by the mark of before. */
static bool touch(struct round *round)
{
	struct resident seen = {.head = round->head,
	                        .seen = round->before != NULL ? round->before->seen : round->head.mark};
	struct arena *scratch = arena_new();
	bool whole = look_again(scratch, round->run, round->store, &seen) == NULL;

	if (whole)
		round_touch(round, &seen.head.mark);
	arena_free(scratch);
	return whole;
}

/* Nothing to do. */
static void stay(struct round *round, struct regeneration *result)
{
	const struct cache_head *head = &round->head;

	*result = (struct regeneration){
		.state = REGENERATED_UNCHANGED,
		.number = head->number,
		.digest = head->digest,
		.machines = head->machines,
		.rulesets = head->ruleset_count,
		.sets = head->set_names,
		.clock = round->news.clock,
		.next_edge = head->next_edge,
	};
	if (round->faults.touched && !touch(round))
		return;
	if (round->before != NULL && round->looked) {
		clock_gettime(CLOCK_BOOTTIME, &round->before->looked);
		round->before->seen = round->before->head.mark; /* nothing was touched since the look before */
	}
}

enum { MENDED_TOLD = 10 }; /* by name */

/* Who has it: the first of the names that have this digest. */
static struct str name_of(const struct entry *entries, size_t count, const struct digest *digest)
{
	for (size_t i = 0; i < count; i++)
		if (digest_eq(&entries[i].digest, digest))
			return entries[i].name;
	return STR("nobody any more");
}

static void tell_mended(struct round *round, const char *kind, const struct digest *digests, size_t count,
                        const struct entry *entries, size_t entry_count)
{
	struct error **warnings = &round->run->warnings;
	char hex[65];

	for (size_t i = 0; i < count && i < MENDED_TOLD; i++) {
		digest_hex(&digests[i], hex);
		error_collect(warnings,
		              error_new(ERROR_SURROUNDINGS,
		                        "the %s %.32s in the store (%.*s) was damaged or gone; it is whole again", kind,
		                        hex, STR_ARG(name_of(entries, entry_count, &digests[i]))));
	}
	if (count > MENDED_TOLD)
		error_collect(warnings,
		              error_new(ERROR_SURROUNDINGS, "and so were %zu more of its kind", count - MENDED_TOLD));
}

/* Without a look before, what was damaged or gone is found when it is written. */
void round_tell_mended(struct round *round)
{
	const struct store_faults *faults = &round->faults;
	const struct generation *next = &round->next;

	if (!round->looked && round->mended > 0)
		error_collect(&round->run->warnings,
		              error_new(ERROR_SURROUNDINGS,
		                        "%zu objects in the store were damaged or gone; they are whole again",
		                        round->mended));
	tell_mended(round, "ruleset", faults->rulesets, faults->ruleset_count, next->manifest, next->machine_count);
	tell_mended(round, "set file", faults->sets, faults->set_count, next->sets, next->set_count);
}

/* What the next run needs is packed and written, and what changed is counted, while the lists and the links, which are
 * one after the other, need no more than one processor. */
struct ending {
	struct round *round;
	struct regeneration *result;
	struct arena *arena; /* of what is packed */
	struct str fleet;
};

static struct error *pack(void *context)
{
	struct ending *ending = context;

	ending->fleet = fleet_pack(ending->arena, &ending->round->fleet);
	return NULL;
}

/* What can't be written now is tried again by round_cache(), and told there. */
static struct error *write_model(void *context)
{
	struct ending *ending = context;

	(void)!round_cache_model(ending->round, ending->fleet);
	ending->result->changed = round_changes(ending->round);
	return NULL;
}

/* What the store holds is right: publish it, unless it is what is published. */
static struct error *publish(struct round *round, bool stays, struct ending *ending)
{
	struct regeneration *result = ending->result;
	bool is_published;

	TRY(round_is_published(round, &is_published));
	if (is_published) {
		round->next.number = round->published.number;
		result->state = REGENERATED_UNCHANGED;
		return round_links(round, &round->next);
	}
	result->state = REGENERATED_PUBLISHED;
	if (!stays)
		return round_publish_beside(round, write_model, ending);
	TRY(round_publish(round, 0));
	result->changed = round_changes(round);
	return NULL;
}

/* What the next round needs to know. Where no link was laid, none can have changed since the mark of before, but by
 * others while this round was busy: then that mark stays, and the next round looks at all of them. */
static struct error *keep_head(struct round *round, bool laid)
{
	const struct timespec before = round->head.mark;
	bool known = round->has_head && !round->faults.links && !laid;

	TRY(round_head(round, &round->next));
	if (known && !store_links_alone(round->run->config.output, &before))
		round->head.mark = before;
	return NULL;
}

static struct error *finish(struct round *round, bool stays, struct ending *ending)
{
	round->mended = store_mended(round->store);
	if (!round->has_head && round->readable && round->published.number > 0)
		round->mended += store_restored(round->store, &round->published);
	TRY(publish(round, stays, ending));
	round_tell_mended(round);
	/* Before the mark: whoever removes old objects changes the folders of those that stay. Who stays does that when
	 * nobody waits for it. */
	if (ending->result->state == REGENERATED_PUBLISHED && !stays)
		collect_generations(round->run, round->store);
	TRY(keep_head(round, ending->result->state == REGENERATED_PUBLISHED));
	tell(round, &round->next, ending->result);
	if (!stays)
		round_cache(round, ending->fleet);
	return NULL;
}

static struct error *go_on(struct round *round, bool stays, struct regeneration *result)
{
	struct outlet outlet = round_outlet(round);
	struct ending ending = {.round = round, .result = result, .arena = arena_new()};
	struct error *error = round_load(round);

	if (error == NULL)
		error = round_make_all(round, &outlet, stays ? NULL : pack, &ending);
	if (error == NULL)
		error = round_guards(round);
	if (error == NULL && round->options->verify)
		error = round_prove(round, &round->next);
	if (error == NULL)
		error = finish(round, stays, &ending);
	if (round->prepared)
		cache_abandon(round->store);
	arena_free(ending.arena);
	return error;
}

static void employ(struct round *round)
{
	round->own_producer = round->before == NULL || round->before->producer == NULL;
	round->producer = round->own_producer ? producer_new() : round->before->producer;
}

static struct error *go(struct round *round, struct resident **resident, struct regeneration *result)
{
	struct run *run = round->run;

	*result = (struct regeneration){0};
	if (resident != NULL)
		employ(round);
	/* Where nothing was published yet, there is nothing to look at meanwhile; and without a database, no output
	 * folder is made. */
	if (run->db == NULL && store_current(run->config.output) == 0)
		TRY(run_connect(run));
	TRY(round_prepare(round));
	TRY(round_read_assertions(round));
	TRY(store_open(round->arena, run->config.output, &round->store));
	TRY(round_ask(round));
	if (!round_may_differ(round) && round_asserted(round)) {
		if (round->options->verify)
			TRY(round_prove_published(round));
		stay(round, result);
		db_rollback(run->db);
		return NULL;
	}
	TRY(go_on(round, resident != NULL, result));
	round_keep_asserted(round);
	if (resident != NULL)
		hand_over(round, resident);
	return NULL;
}

struct error *regenerate(struct run *run, const struct regenerate_options *options, struct resident **resident,
                         struct regeneration *result)
{
	struct round *round = round_begin(run, options, resident != NULL ? *resident : NULL);
	struct error *error = go(round, resident, result);

	if (error != NULL && run->db != NULL)
		db_rollback(run->db);
	result->seconds = round_seconds(round);
	round_end(round);
	return error;
}
