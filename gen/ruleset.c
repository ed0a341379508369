/* A whole result in memory: what produce() lets out is copied, and equal rulesets of several positions become one. */
#include "fleetwall/ruleset.h"

#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/produce.h"

struct collecting {
	struct arena *arena;
	struct {
		struct ruleset **items;
		size_t count, capacity;
	} rulesets;
	struct {
		struct set_file *items;
		size_t count, capacity;
	} sets;
};

static struct error *collect_set(void *context, unsigned worker, const struct set_file *set)
{
	struct collecting *collecting = context;
	struct set_file copy = {str_copy(collecting->arena, set->name), str_copy(collecting->arena, set->bytes),
	                        set->digest};

	(void)worker; /* there is one */
	APPEND(collecting->arena, &collecting->sets, copy);
	return NULL;
}

static struct error *collect_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	struct collecting *collecting = context;
	struct ruleset *copy = ARENA_NEW(collecting->arena, struct ruleset);

	(void)worker;
	*copy = *ruleset;
	copy->rules[0] = str_copy(collecting->arena, ruleset->rules[0]);
	copy->rules[1] = str_copy(collecting->arena, ruleset->rules[1]);
	copy->sets_list = str_copy(collecting->arena, ruleset->sets_list);
	APPEND(collecting->arena, &collecting->rulesets, copy);
	return NULL;
}

static int set_order(const void *a, const void *b)
{
	return str_cmp(((const struct set_file *)a)->name, ((const struct set_file *)b)->name);
}

static int digest_order(const struct digest *a, const struct digest *b)
{
	return str_cmp((struct str){(const char *)a->byte, sizeof a->byte},
	               (struct str){(const char *)b->byte, sizeof b->byte});
}

static int ruleset_order(const void *a, const void *b)
{
	const struct ruleset *x = *(struct ruleset *const *)a, *y = *(struct ruleset *const *)b;
	int order = digest_order(&x->digest, &y->digest);

	return order != 0 ? order : str_cmp(x->example->name, y->example->name);
}

/* Positions may differ and say the same (an SSH port without management sources): the one whose example comes first
 * stays. */
static size_t join_rulesets(struct ruleset **rulesets, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(rulesets, count, sizeof *rulesets, ruleset_order);
	for (size_t i = 0; i < count; i++)
		if (kept > 0 && digest_eq(&rulesets[kept - 1]->digest, &rulesets[i]->digest))
			rulesets[kept - 1]->machines += rulesets[i]->machines;
		else
			rulesets[kept++] = rulesets[i];
	return kept;
}

static const struct ruleset *ruleset_with(const struct output *output, const struct digest *digest)
{
	size_t low = 0, high = output->ruleset_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (digest_order(&output->rulesets[middle]->digest, digest) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return output->rulesets[low];
}

/* The manifest is sorted by name, and so is the fleet. */
static void give_machines(struct arena *arena, const struct fleet *fleet, const struct product *product,
                          struct output *output)
{
	output->machines = ARENA_ARRAY(arena, struct machine_ruleset, product->machine_count);
	for (size_t i = 0; output->machine_count < product->machine_count; i++)
		if (machine_has_ruleset(&fleet->machines[i])) {
			output->machines[output->machine_count] = (struct machine_ruleset){
				&fleet->machines[i],
				ruleset_with(output, &product->manifest[output->machine_count].digest)};
			output->machine_count++;
		}
}

struct error *rulesets_make(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                            const struct templates *templates, struct output *output)
{
	struct collecting collecting = {.arena = arena};
	const struct rendition rendition = {.settings = settings, .templates = templates, .workers = 1};
	const struct outlet outlet = {&collecting, collect_set, collect_ruleset};
	struct product product;

	*output = (struct output){0};
	TRY(produce(arena, resolved, &rendition, NULL, &outlet, &product));
	if (collecting.sets.count > 0)
		qsort(collecting.sets.items, collecting.sets.count, sizeof *collecting.sets.items, set_order);
	output->sets = collecting.sets.items;
	output->set_count = collecting.sets.count;
	output->rulesets = collecting.rulesets.items;
	output->ruleset_count = join_rulesets(collecting.rulesets.items, collecting.rulesets.count);
	give_machines(arena, resolved->fleet, &product, output);
	return NULL;
}
