/* diff of two inventories that need not be in the database: before an import and after it. Rulesets of both are made in
 * memory, those that are the same once; what differs is told as ever. */
#include "diff.h"

struct making {
	struct diff *diff;
	struct outlet outlet;
	struct product products[2];
};

static struct error *make_side(struct making *making, size_t side, struct resolved *resolved)
{
	struct diff *diff = making->diff;
	const struct summary summary = {.clock = resolved->fleet->clock};

	TRY(produce(diff->arena, resolved, &diff->round->rendition,
	            side == 1 ? &making->products[0].knowledge : NULL, &making->outlet, &making->products[side]));
	generation_of(diff->arena, &making->products[side], &summary, &diff->generations[side]);
	return NULL;
}

static struct error *make_both(struct diff *diff, const struct fleet *before, const struct fleet *after)
{
	struct making making = {.diff = diff, .outlet = diff_outlet(diff)};
	struct resolved *resolved = resolve(diff->arena, after);

	TRY(round_prepare(diff->round));
	TRY(make_side(&making, 0, resolve(diff->arena, before)));
	TRY(make_side(&making, 1, resolved));
	diff->fleet = after;
	diff->resolved = resolved;
	TRY(diff_find(diff));
	diff_tell(diff);
	diff->run->no = diff_machine_count(diff) > 0;
	return NULL;
}

struct error *diff_fleets(struct run *run, const struct fleet *before, const struct fleet *after, struct str when)
{
	const struct regenerate_options options = {0};
	struct diff diff = {.run = run, .arena = arena_new(), .sides = {STR("now"), when}};
	struct error *error;

	diff.round = round_begin(run, &options, NULL);
	error = make_both(&diff, before, after);
	round_end(diff.round);
	diff_taken_free(&diff);
	arena_free(diff.arena);
	return error;
}
