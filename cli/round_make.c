/* What a round makes of the fleet: resolves, renders what is not known, and has the guards judge it. Nothing is
 * published here; objects that the store was given are taken back by it unless they are. */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/document.h"

#include "round.h"

/* --- making --- */

static void sum_up(struct round *round, struct summary *summary)
{
	const struct fleet *fleet = &round->fleet;

	*summary = (struct summary){
		.clock = fleet->clock,
		.machines = fleet->machine_count,
		.rules = round->product.rules,
		.role_count = fleet->role_count,
	};
	summary->roles = ARENA_ARRAY(round->last, struct role_size, summary->role_count);
	for (size_t i = 0; i < fleet->role_count; i++)
		summary->roles[i] = (struct role_size){fleet->roles[i].name, round->resolved->roles[i].member_count};
}

static struct error *take_set(void *context, unsigned worker, const struct set_file *set)
{
	struct round *round = context;

	(void)worker; /* the store has a lock of its own where it needs one */
	return round->store == NULL ? NULL : store_put_set(round->store, set);
}

static struct error *take_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	struct round *round = context;

	guards_ruleset(round->guards, worker, ruleset);
	return round->store == NULL ? NULL : store_put_ruleset(round->store, ruleset);
}

struct outlet round_outlet(struct round *round)
{
	return (struct outlet){.context = round, .set = take_set, .ruleset = take_ruleset};
}

/* In a process that stays, what a change did not touch is taken over from the round before. */
static struct error *produce_pieces(struct round *round, const struct outlet *outlet)
{
	const struct knowledge *known = round->has_known ? &round->known : NULL;
	const struct inventory_touched *touched = &round->touched;
	struct fleet_step step = {.machines = touched->machines, .machine_count = touched->machine_count};

	/* Without chance (a machine that has just started) keys are as good, but somebody could aim at them. */
	if (known == NULL)
		(void)!getrandom(&round->rendition.secret, sizeof round->rendition.secret, GRND_NONBLOCK);
	if (round->producer == NULL)
		return produce_fleet(round->last, round->arena, &round->fleet, &round->rendition, known, outlet,
		                     &round->product, &round->resolved);
	if (round->has_known)
		step.before = &round->before->fleet;
	return producer_make(round->producer, round->last, &round->fleet,
	                     round->has_known && !touched->machines_moved ? &step : NULL, &round->rendition, known,
	                     outlet, &round->product, &round->resolved);
}

/* Is what is published, and was read, as it was published? */
static bool is_whole(const struct round *round)
{
	return round->has_head && round->readable && round->published.number == round->head.number;
}

static struct error *name_it(void *context)
{
	generation_name(&((struct round *)context)->next);
	return NULL;
}

static struct error *write_early(void *context)
{
	const struct round *round = context;

	return store_prepare(round->store, &round->next);
}

/* SHA-256 over nine megabytes takes as long as to write them. Only where it is known that something differs. */
static struct error *name_and_write(struct round *round)
{
	const struct generation *next = &round->next;

	if (round->store == NULL || !is_whole(round) || (next->shared[0] && next->shared[1]))
		return name_it(round);
	return parallel_both(name_it, round, write_early, round);
}

static struct error *produce_all(struct round *round, const struct outlet *outlet)
{
	if (round->guards != NULL)
		guards_free(round->guards);
	round->guards = guards_new(round->arena, &round->run->config.settings, round->rendition.workers);
	return produce_pieces(round, outlet);
}

static void begin_next(struct round *round)
{
	struct summary summary;

	sum_up(round, &summary);
	generation_begin(round->arena, &round->product, &summary, is_whole(round) ? &round->published : NULL,
	                 &round->next);
}

struct error *round_make(struct round *round, const struct outlet *outlet)
{
	TRY(produce_all(round, outlet));
	begin_next(round);
	return name_it(round);
}

static struct error *finish_next(void *context)
{
	struct round *round = context;

	begin_next(round);
	return name_and_write(round);
}

struct error *round_make_all(struct round *round, const struct outlet *outlet, parallel_task *beside, void *context)
{
	TRY(produce_all(round, outlet));
	return beside == NULL ? finish_next(round) : parallel_both(finish_next, round, beside, context);
}

/* --- the kernel --- */

static struct str forms_path(const struct round *round)
{
	return str_format(round->arena, "%.*s/kernel-forms", STR_ARG(round->run->config.state));
}

/* What the kernel took before is a cache: when it can't be kept, the next run asks again. */
static void keep_forms(struct round *round, struct str forms)
{
	struct arena *arena = round->arena;
	struct str path = forms_path(round), fresh = str_format(arena, "%.*s.%ld", STR_ARG(path), (long)getpid());
	FILE *file;
	bool good;

	if (mkdir(str_c(arena, round->run->config.state), 0755) != 0 && errno != EEXIST)
		return;
	file = fopen(str_c(arena, fresh), "wxe");
	if (file == NULL)
		return;
	good = fwrite(forms.p, 1, forms.n, file) == forms.n;
	good &= fclose(file) == 0;
	if (!good || rename(str_c(arena, fresh), str_c(arena, path)) != 0)
		unlink(str_c(arena, fresh));
}

static void was_skipped(struct run *run, struct str why)
{
	error_collect(&run->warnings,
	              error_hint(error_new(ERROR_GUARD, "the kernel was not asked: %.*s", STR_ARG(why)),
	                         "the rules were not loaded for real before publishing"));
}

static struct error *ask_kernel(struct round *round)
{
	struct str known = {NULL, 0}, learned = {NULL, 0}, skipped = {NULL, 0};

	/* It is a cache: what can't be read is asked again. */
	if (file_read(round->arena, forms_path(round), &known) != NULL)
		known = (struct str){NULL, 0};
	TRY(guards_kernel(round->guards, known, &learned, &skipped));
	if (skipped.n > 0)
		was_skipped(round->run, skipped);
	else if (!str_eq(known, learned))
		keep_forms(round, learned);
	return NULL;
}

/* The rulesets that are published only now. */
static size_t new_rulesets(struct round *round, struct digest **fresh)
{
	struct digest *before, *now;
	const struct generation *published = &round->published, *next = &round->next;
	size_t before_count =
		entries_digests(round->arena, published->manifest, published->machine_count, &before);
	size_t now_count = entries_digests(round->arena, next->manifest, next->machine_count, &now), count = 0;

	for (size_t i = 0, k = 0; i < now_count; i++) {
		while (k < before_count && digest_cmp(&before[k], &now[i]) < 0)
			k++;
		if (k == before_count || !digest_eq(&before[k], &now[i]))
			now[count++] = now[i];
	}
	*fresh = now;
	return count;
}

static struct error *try_all(struct round *round)
{
	struct digest *fresh;
	size_t count = new_rulesets(round, &fresh);
	struct str skipped = {NULL, 0};

	TRY(guard_try_all(round->arena, round->run->config.output, &round->next, fresh, count,
	                  round->rendition.workers, &skipped));
	if (skipped.n > 0)
		was_skipped(round->run, skipped);
	return NULL;
}

/* --- all guards --- */

/* All that is left to compare with. */
static struct error *guard_recorded(const struct round *round)
{
	unsigned share = round->run->config.shares.machines_fall;
	size_t now = round->next.machine_count, before = round->recorded;

	if (before < 10 || now * 100 >= before * (100 - (share < 100 ? share : 100)))
		return NULL;
	return error_hint(error_new(ERROR_GUARD,
	                            "machines with a ruleset fell from %zu to %zu since the last generation", before,
	                            now),
	                  "if that is right: fleetwall generate --force");
}

struct error *round_guards(struct round *round)
{
	struct run *run = round->run;
	struct error *errors = NULL;

	/* Where nothing would be published, there is nothing to stop. */
	if (round->published.number > 0 && !round->options->force &&
	    !(round->readable && generation_same(&round->published, &round->next)))
		error_collect(&errors, guard_collapse(&round->published.summary, &round->next.summary,
		                                      &run->config.shares));
	if (!round->options->force)
		error_collect(&errors, guard_recorded(round));
	error_collect(&errors, guards_findings(round->guards));
	error_collect(&errors, ask_kernel(round));
	error_collect(&errors, round_assert(round));
	if (errors == NULL && round->options->try_all)
		error_collect(&errors, try_all(round));
	return errors;
}
