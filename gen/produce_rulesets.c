/* The rulesets of a product: one for each position. Finds the positions whose key is not known, renders what their
 * roles contribute, each once, and puts rulesets together from that. */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/parallel.h"
#include "produce_keys.h"
#include "produce_worker.h"

/* So many positions are one piece of work, where a single one is too small. */
#define SOME 64

struct work {
	struct production *production;
	struct digest *role_keys; /* by role; of used ones */
	struct known *made;       /* by position */
	bool *unknown;            /* by position */
	uint32_t *wanted;         /* the positions to render */
	size_t wanted_count;
	bool (*styles)[STYLE_COUNT]; /* by role: in which it is rendered */
	struct block_source source;
};

/* --- keys --- */

static struct error *make_role_key(void *context, unsigned number, size_t role)
{
	const struct work *work = context;
	struct worker *worker = &work->production->workers[number];

	if (work->production->roles_used[role])
		work->role_keys[role] =
			role_key(worker->scratch, worker->digester, work->production->resolved, (uint32_t)role);
	arena_reset(worker->scratch);
	return NULL;
}

static void make_position_key(struct work *work, struct worker *worker, size_t position)
{
	const struct production *production = work->production;
	const struct knowledge *known = production->known;
	struct known *made = &work->made[position];

	made->key = position_key(worker->digester, &production->rendition->base, &production->positions.items[position],
	                         work->role_keys);
	work->unknown[position] =
		known == NULL || !known_find(known->rulesets, known->ruleset_count, &made->key, &made->value);
}

static struct error *make_position_keys(void *context, unsigned number, size_t item)
{
	struct work *work = context;
	size_t end = (item + 1) * SOME;

	if (end > work->production->positions.count)
		end = work->production->positions.count;
	for (size_t i = item * SOME; i < end; i++)
		make_position_key(work, &work->production->workers[number], i);
	return NULL;
}

static struct error *find_unknown(struct work *work)
{
	const struct production *production = work->production;
	size_t role_count = production->resolved->fleet->role_count, count = production->positions.count;
	unsigned workers = production->rendition->workers;

	work->role_keys = ARENA_ARRAY(production->kept, struct digest, role_count);
	work->made = ARENA_ARRAY(production->kept, struct known, count);
	work->unknown = ARENA_ARRAY(production->kept, bool, count);
	work->wanted = ARENA_ARRAY(production->kept, uint32_t, count);
	TRY(parallel_each(workers, role_count, make_role_key, work));
	TRY(parallel_each(workers, (count + SOME - 1) / SOME, make_position_keys, work));
	for (size_t i = 0; i < count; i++)
		if (work->unknown[i])
			work->wanted[work->wanted_count++] = (uint32_t)i;
	return NULL;
}

/* --- blocks --- */

static void mark_styles(struct work *work)
{
	for (size_t i = 0; i < work->wanted_count; i++) {
		const struct position *position = &work->production->positions.items[work->wanted[i]];

		for (size_t k = 0; k < position->role_count; k++)
			work->styles[position->roles[k]][position->style] = true;
	}
}

static struct error *make_blocks(void *context, unsigned number, size_t role)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};
	const struct work *work = context;
	struct worker *worker = &work->production->workers[number];

	for (size_t style = 0; style < STYLE_COUNT; style++)
		for (size_t i = 0; i < 2 && work->styles[role][style]; i++) {
			struct block *block = ARENA_NEW(worker->kept, struct block);

			TRY(block_render(worker->kept, worker->scratch, &work->source, (uint32_t)role, families[i],
			                 (enum style)style, block));
			work->production->rendering.blocks[role][i][style] = block;
			arena_reset(worker->scratch);
		}
	return NULL;
}

static struct error *render_blocks(struct work *work)
{
	struct production *production = work->production;
	const struct rendition *rendition = production->rendition;
	size_t role_count = production->resolved->fleet->role_count;

	if (work->wanted_count == 0)
		return NULL;
	work->styles = arena_array(production->kept, role_count, sizeof *work->styles, _Alignof(bool));
	mark_styles(work);
	work->source = (struct block_source){production->resolved, rendition->settings, rendition->templates,
	                                     production->sets, production->ends};
	production->rendering = rendering_new(production->kept, rendition->settings, rendition->templates);
	production->rendering.blocks = arena_array(production->kept, role_count,
	                                           sizeof *production->rendering.blocks, _Alignof(struct block *));
	return parallel_each(rendition->workers, role_count, make_blocks, work);
}

/* --- rulesets --- */

/* The names of the position's sets, each once, in order: from a bit for each rank. */
static void list_sets(const struct production *production, struct worker *worker, const struct position *position,
                      struct buf *out)
{
	size_t words = sets_count(production->sets) / 64 + 1;
	uint64_t *bits = ARENA_ARRAY(worker->scratch, uint64_t, words);

	for (size_t i = 0; i < position->role_count; i++) {
		const struct role_sets *sets = &production->role_sets[position->roles[i]];

		for (size_t k = 0; k < sets->count; k++)
			bits[sets->ranks[k] / 64] |= (uint64_t)1 << sets->ranks[k] % 64;
	}
	for (size_t i = 0; i < words; i++)
		for (uint64_t left = bits[i]; left != 0; left &= left - 1) {
			uint32_t rank = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(left);

			buf_add(out, sets_get(production->sets, production->sorted[rank])->file);
			buf_char(out, '\n');
		}
}

static struct error *render(const struct production *production, struct worker *worker, const struct position *position,
                            struct ruleset *ruleset)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};
	static const char *const files[] = {"rules.v4", "rules.v6", "sets.list"};
	struct digest digests[3];

	for (size_t i = 0; i < 3; i++)
		worker->text[i].n = 0;
	for (size_t i = 0; i < 2; i++) {
		TRY(position_render(worker->scratch, &production->rendering, position, families[i], &worker->text[i]));
		ruleset->rules[i] = buf_str(&worker->text[i]);
	}
	list_sets(production, worker, position, &worker->text[2]);
	ruleset->sets_list = buf_str(&worker->text[2]);
	for (size_t i = 0; i < 3; i++)
		digests[i] = digester_of(worker->digester, buf_str(&worker->text[i]));
	ruleset->digest = digester_of_sums(worker->digester, files, digests, 3);
	return NULL;
}

static struct error *make_ruleset(void *context, unsigned number, size_t item)
{
	const struct work *work = context;
	const struct production *production = work->production;
	struct worker *worker = &production->workers[number];
	const struct position *position = &production->positions.items[work->wanted[item]];
	struct ruleset ruleset = {
		.example = &production->resolved->fleet->machines[position->example],
		.mode = position->style == STYLE_EXCLUSIVE ? MODE_EXCLUSIVE : MODE_COEXIST,
		.enforcement = position->style == STYLE_MONITOR ? ENFORCEMENT_MONITOR : ENFORCEMENT_ENFORCE,
		.ssh_port = position->ssh_port,
		.machines = position->machines,
	};

	TRY(error_in(render(production, worker, position, &ruleset), "machine %.*s", STR_ARG(ruleset.example->name)));
	work->made[work->wanted[item]].value = ruleset.digest;
	TRY(production->outlet->ruleset(production->outlet->context, number, &ruleset));
	arena_reset(worker->scratch);
	return NULL;
}

/* --- what came of it --- */

static void list_machines(const struct work *work)
{
	const struct production *production = work->production;
	const struct fleet *fleet = production->resolved->fleet;
	struct product *product = production->product;

	product->manifest = arena_raw(production->arena, fleet->machine_count * sizeof *product->manifest);
	for (size_t i = 0; i < fleet->machine_count; i++) {
		uint32_t position = production->positions.of_machine[i];

		if (position != NO_POSITION)
			product->manifest[product->machine_count++] =
				(struct entry){work->made[position].value, fleet->machines[i].name};
	}
}

/* Positions may differ and say the same: an SSH port without management sources. */
static size_t count_distinct(struct arena *scratch, const struct known *made, size_t count)
{
	struct known *values = arena_raw(scratch, count * sizeof *values), *sorted;
	size_t distinct = 0;

	for (size_t i = 0; i < count; i++)
		values[i] = (struct known){.key = made[i].value};
	sorted = arena_raw(scratch, count * sizeof *sorted);
	known_sort(scratch, sorted, values, count);
	for (size_t i = 0; i < count; i++)
		distinct += i == 0 || !digest_eq(&sorted[i].key, &sorted[i - 1].key);
	return distinct;
}

static void list_rulesets(const struct work *work)
{
	const struct production *production = work->production;
	struct product *product = production->product;
	struct arena *scratch = arena_new();
	size_t count = production->positions.count;

	product->ruleset_count = count_distinct(scratch, work->made, count);
	product->knowledge.rulesets = arena_raw(production->arena, count * sizeof(struct known));
	product->knowledge.ruleset_count = count;
	arena_reset(scratch);
	known_sort(scratch, product->knowledge.rulesets, work->made, count);
	arena_free(scratch);
}

struct error *produce_rulesets(struct production *production)
{
	struct work work = {.production = production};

	TRY(find_unknown(&work));
	TRY(render_blocks(&work));
	TRY(parallel_each(production->rendition->workers, work.wanted_count, make_ruleset, &work));
	list_machines(&work);
	list_rulesets(&work);
	production->product->rendered_rulesets = work.wanted_count;
	return NULL;
}
