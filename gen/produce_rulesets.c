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
	bool *renewed;    /* by role: its key differs from that of the call before */
	uint32_t *asked;  /* the positions whose keys are made */
	size_t asked_count;
	bool *unknown;    /* of those asked */
	uint32_t *wanted; /* the positions to render */
	size_t wanted_count;
	bool (*styles)[STYLE_COUNT]; /* by role: in which it is rendered */
	struct block_source source;
};

/* --- keys --- */

/* Room for keys of all positions; those that were made keep their places. */
static void make_room(struct production *production)
{
	struct keyring *keys = &production->keys;
	size_t count = production->positions.count, role_count = production->resolved->fleet->role_count;

	if (keys->roles == NULL) {
		keys->roles = ARENA_ARRAY(production->placed, struct digest, role_count);
		keys->has_role = ARENA_ARRAY(production->placed, bool, role_count);
	}
	if (count > keys->capacity) {
		size_t capacity = count + count / 4;
		struct known *made = arena_raw(production->placed, capacity * sizeof *made);
		bool *has_made = ARENA_ARRAY(production->placed, bool, capacity);

		if (keys->count > 0) {
			memcpy(made, keys->made, keys->count * sizeof *made);
			memcpy(has_made, keys->has_made, keys->count * sizeof *has_made);
		}
		keys->made = made;
		keys->has_made = has_made;
		keys->capacity = capacity;
	}
	keys->count = count;
}

static struct error *make_role_key(void *context, unsigned number, size_t role)
{
	const struct work *work = context;
	struct production *production = work->production;
	const struct memo *memo = production->memo;
	struct keyring *keys = &production->keys;
	struct worker *worker = &production->workers[number];

	if (!production->naming.roles_used[role] ||
	    (memo != NULL && keys->has_role[role] && !memo->rules[role] && !memo->services))
		return NULL;
	struct digest key = role_key(worker->scratch, worker->digester, production->resolved, (uint32_t)role);

	work->renewed[role] = !keys->has_role[role] || !digest_eq(&keys->roles[role], &key);
	keys->roles[role] = key;
	keys->has_role[role] = true;
	arena_reset(worker->scratch);
	return NULL;
}

/* A role that nobody had for a while is not kept up to date. */
static void forget_roles(const struct production *production)
{
	for (size_t i = 0; i < production->resolved->fleet->role_count; i++)
		production->keys.has_role[i] &= production->naming.roles_used[i];
}

/* Does what was made of it in the call before still hold? */
static bool still_holds(const struct work *work, size_t number)
{
	const struct production *production = work->production;
	const struct position *position = &production->positions.items[number];

	if (production->memo == NULL || !production->keys.has_made[number])
		return false;
	for (size_t i = 0; i < position->role_count; i++)
		if (work->renewed[position->roles[i]])
			return false;
	return true;
}

static void ask_positions(struct work *work)
{
	const struct production *production = work->production;
	bool *has_made = production->keys.has_made;

	for (size_t i = 0; i < production->positions.count; i++) {
		if (production->positions.items[i].machines == 0)
			has_made[i] = false;
		else if (!still_holds(work, i))
			work->asked[work->asked_count++] = (uint32_t)i;
	}
}

static void make_position_key(const struct work *work, struct worker *worker, size_t item)
{
	struct production *production = work->production;
	const struct knowledge *known = production->known;
	uint32_t position = work->asked[item];
	struct known *made = &production->keys.made[position];

	made->key = position_key(worker->digester, &production->rendition->base, &production->positions.items[position],
	                         production->keys.roles);
	work->unknown[item] =
		known == NULL || !known_find(known->rulesets, known->ruleset_count, &made->key, &made->value);
	production->keys.has_made[position] = true;
}

static struct error *make_position_keys(void *context, unsigned number, size_t item)
{
	const struct work *work = context;
	size_t end = (item + 1) * SOME;

	if (end > work->asked_count)
		end = work->asked_count;
	for (size_t i = item * SOME; i < end; i++)
		make_position_key(work, &work->production->workers[number], i);
	return NULL;
}

static struct error *find_unknown(struct work *work)
{
	struct production *production = work->production;
	size_t role_count = production->resolved->fleet->role_count, count = production->positions.count;
	unsigned workers = production->rendition->workers;

	make_room(production);
	forget_roles(production);
	work->renewed = ARENA_ARRAY(production->kept, bool, role_count);
	work->asked = ARENA_ARRAY(production->kept, uint32_t, count);
	TRY(parallel_each(workers, role_count, make_role_key, work));
	ask_positions(work);
	work->unknown = ARENA_ARRAY(production->kept, bool, work->asked_count);
	work->wanted = ARENA_ARRAY(production->kept, uint32_t, work->asked_count);
	TRY(parallel_each(workers, (work->asked_count + SOME - 1) / SOME, make_position_keys, work));
	for (size_t i = 0; i < work->asked_count; i++)
		if (work->unknown[i])
			work->wanted[work->wanted_count++] = work->asked[i];
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
	                                     production->naming.sets, production->naming.ends};
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
	const struct naming *naming = &production->naming;
	size_t words = sets_count(naming->sets) / 64 + 1;
	uint64_t *bits = ARENA_ARRAY(worker->scratch, uint64_t, words);

	for (size_t i = 0; i < position->role_count; i++) {
		const struct role_sets *sets = &naming->role_sets[position->roles[i]];

		for (size_t k = 0; k < sets->count; k++)
			bits[sets->ranks[k] / 64] |= (uint64_t)1 << sets->ranks[k] % 64;
	}
	for (size_t i = 0; i < words; i++)
		for (uint64_t left = bits[i]; left != 0; left &= left - 1) {
			uint32_t rank = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(left);

			buf_add(out, sets_get(naming->sets, naming->sorted[rank])->file);
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
	production->keys.made[work->wanted[item]].value = ruleset.digest;
	TRY(production->outlet->ruleset(production->outlet->context, number, &ruleset));
	arena_reset(worker->scratch);
	return NULL;
}

/* --- what came of it --- */

static struct error *list_machines(void *context)
{
	const struct production *production = context;
	const struct fleet *fleet = production->resolved->fleet;
	struct product *product = production->product;

	for (size_t i = 0; i < fleet->machine_count; i++) {
		uint32_t position = production->positions.of_machine[i];

		if (position != NO_POSITION)
			product->manifest[product->machine_count++] =
				(struct entry){production->keys.made[position].value, fleet->machines[i].name};
	}
	return NULL;
}

/* Of the positions that somebody is in. */
static struct known *list_made(struct arena *arena, const struct production *production, size_t *count)
{
	const struct positions *positions = &production->positions;
	struct known *made = arena_raw(arena, positions->count * sizeof *made);

	*count = 0;
	for (size_t i = 0; i < positions->count; i++)
		if (positions->items[i].machines > 0)
			made[(*count)++] = production->keys.made[i];
	return made;
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

static void list_rulesets(const struct production *production)
{
	struct product *product = production->product;
	struct arena *scratch = arena_new();
	size_t count;
	const struct known *made = list_made(scratch, production, &count);

	product->ruleset_count = count_distinct(scratch, made, count);
	product->knowledge.rulesets = arena_raw(production->arena, count * sizeof(struct known));
	product->knowledge.ruleset_count = count;
	known_sort(scratch, product->knowledge.rulesets, made, count);
	arena_free(scratch);
}

/* Positions are few, and have all roles whose rules count. */
static void count_rules(const struct production *production)
{
	const struct positions *positions = &production->positions;

	for (size_t i = 0; i < positions->count; i++) {
		const struct position *position = &positions->items[i];
		size_t rules = 0;

		for (size_t k = 0; k < position->role_count; k++)
			rules += production->resolved->roles[position->roles[k]].rule_count;
		production->product->rules += rules * position->machines;
	}
}

static struct error *count_up(void *context)
{
	const struct production *production = context;

	list_rulesets(production);
	count_rules(production);
	return NULL;
}

/* Of the two, one takes memory for the product. */
static struct error *list_all(struct production *production)
{
	struct product *product = production->product;
	size_t machine_count = production->resolved->fleet->machine_count;

	product->manifest = arena_raw(production->arena, machine_count * sizeof *product->manifest);
	if (production->rendition->workers > 1)
		return parallel_both(list_machines, production, count_up, production);
	TRY(list_machines(production));
	return count_up(production);
}

struct error *produce_rulesets(struct production *production)
{
	struct work work = {.production = production};

	TRY(find_unknown(&work));
	TRY(render_blocks(&work));
	TRY(parallel_each(production->rendition->workers, work.wanted_count, make_ruleset, &work));
	production->product->rendered_rulesets = work.wanted_count;
	return list_all(production);
}
