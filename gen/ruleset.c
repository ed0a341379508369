/* The whole result: machines grouped by position, each position rendered once, equal rulesets shared, and the sets that
 * they name. Pure. */
#include "fleetwall/ruleset.h"

#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "ruleset_position.h"
#include "sets.h"

#define NO_POSITION UINT32_MAX

/* A minute: more than anybody wants to read. All rates up to it are known to come back as they are spelled. */
#define LOG_RATE_MAX 1000

struct making {
	struct arena *arena, *scratch; /* scratch is reset for each machine */
	const struct resolved *resolved;
	const struct settings *settings;
	struct sets *sets;
	struct rendering rendering;
	struct names *keys; /* of positions; their numbers index `items` */
	struct ruleset **items;
	size_t count, capacity;
	uint32_t *of_machine; /* NO_POSITION: no ruleset */
};

/* Monitoring comes first: a monitored machine refuses nothing in either mode. */
static enum style style_of(const struct machine *machine)
{
	if (machine->enforcement == ENFORCEMENT_MONITOR)
		return STYLE_MONITOR;
	return machine->mode == MODE_COEXIST ? STYLE_COEXIST : STYLE_EXCLUSIVE;
}

/* `roles` has room for all of the machine's. */
static struct position position_of(const struct making *making, size_t machine, uint32_t *roles)
{
	const struct resolved_machine *own = &making->resolved->machines[machine];
	struct position position = {
		.style = style_of(own->machine),
		.closed = machine_egress_closed(making->resolved, machine),
		.ssh_port = own->machine->ssh_port != 0 ? own->machine->ssh_port : making->settings->ssh_port,
		.roles = roles,
	};

	for (size_t i = 0; i < own->role_count; i++)
		if (making->resolved->roles[own->roles[i]].rule_count > 0)
			roles[position.role_count++] = own->roles[i];
	return position;
}

/* Everything that a ruleset depends on, as bytes. */
static struct str position_key(struct arena *scratch, const struct position *position)
{
	struct buf buf = buf_new(scratch);

	buf_format(&buf, "%d %d %u", (int)position->style, (int)position->closed, position->ssh_port);
	buf_add(&buf, (struct str){(const char *)position->roles, position->role_count * sizeof *position->roles});
	return buf_str(&buf);
}

static struct str list_sets(struct arena *arena, struct arena *scratch, const struct sets *sets,
                            const struct set_numbers *used)
{
	struct str *files = ARENA_ARRAY(scratch, struct str, used->count);
	struct buf buf = buf_new(scratch);

	for (size_t i = 0; i < used->count; i++)
		files[i] = sets_file(sets, used->items[i]);
	if (used->count > 0)
		qsort(files, used->count, sizeof *files, str_order);
	for (size_t i = 0; i < used->count; i++) {
		if (i > 0 && str_eq(files[i], files[i - 1]))
			continue;
		buf_add(&buf, files[i]);
		buf_char(&buf, '\n');
	}
	return str_copy(arena, buf_str(&buf));
}

static void name_ruleset(struct ruleset *ruleset)
{
	static const char *const files[] = {"rules.v4", "rules.v6", "sets.list"};
	const struct digest digests[] = {digest_of(ruleset->rules[0]), digest_of(ruleset->rules[1]),
	                                 digest_of(ruleset->sets_list)};

	ruleset->digest = digest_of_sums(files, digests, 3);
}

static struct error *make_ruleset(struct making *making, const struct position *position, const struct machine *example,
                                  struct ruleset **ruleset)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};
	struct ruleset *made = ARENA_NEW(making->arena, struct ruleset);
	struct set_numbers used = {0};

	*made = (struct ruleset){
		.example = example,
		.mode = position->style == STYLE_EXCLUSIVE ? MODE_EXCLUSIVE : MODE_COEXIST,
		.enforcement = position->style == STYLE_MONITOR ? ENFORCEMENT_MONITOR : ENFORCEMENT_ENFORCE,
		.ssh_port = position->ssh_port,
	};
	for (size_t i = 0; i < 2; i++) {
		struct buf buf = buf_new(making->scratch);

		TRY(position_render(making->scratch, &making->rendering, position, families[i], &used, &buf));
		made->rules[i] = str_copy(making->arena, buf_str(&buf));
	}
	made->sets_list = list_sets(making->arena, making->scratch, making->sets, &used);
	name_ruleset(made);
	*ruleset = made;
	return NULL;
}

static struct error *place_machine(struct making *making, size_t number)
{
	const struct machine *machine = making->resolved->machines[number].machine;
	uint32_t *roles = ARENA_ARRAY(making->scratch, uint32_t, making->resolved->machines[number].role_count);
	struct position position = position_of(making, number, roles);
	uint32_t key = names_add(making->keys, position_key(making->scratch, &position));
	struct ruleset *ruleset = NULL;

	making->of_machine[number] = key;
	if (key < making->count)
		return NULL;
	TRY(error_in(make_ruleset(making, &position, machine, &ruleset), "machine %.*s", STR_ARG(machine->name)));
	APPEND(making->arena, making, ruleset);
	return NULL;
}

static struct error *place_machines(struct making *making)
{
	for (size_t i = 0; i < making->resolved->fleet->machine_count; i++) {
		making->of_machine[i] = NO_POSITION;
		if (!machine_has_ruleset(making->resolved->machines[i].machine))
			continue;
		TRY(place_machine(making, i));
		arena_reset(making->scratch);
	}
	return NULL;
}

/* --- sharing --- */

static int ruleset_order(const void *a, const void *b)
{
	const struct ruleset *x = **(struct ruleset * *const *)a, *y = **(struct ruleset * *const *)b;
	int order = str_cmp((struct str){(const char *)x->digest.byte, sizeof x->digest.byte},
	                    (struct str){(const char *)y->digest.byte, sizeof y->digest.byte});

	return order != 0 ? order : str_cmp(x->example->name, y->example->name);
}

/* Positions may differ and say the same (an SSH port without management sources): these share the ruleset whose example
 * comes first. `items` stay in the order of keys; what is sorted are their places. */
static void share(struct making *making, struct output *output)
{
	struct ruleset ***sorted = ARENA_ARRAY(making->scratch, struct ruleset **, making->count);

	for (size_t i = 0; i < making->count; i++)
		sorted[i] = &making->items[i];
	qsort(sorted, making->count, sizeof *sorted, ruleset_order);
	output->rulesets = ARENA_ARRAY(making->arena, struct ruleset *, making->count);
	for (size_t i = 0; i < making->count; i++) {
		if (i > 0 && digest_eq(&(*sorted[i])->digest, &(*sorted[i - 1])->digest))
			*sorted[i] = *sorted[i - 1];
		else
			output->rulesets[output->ruleset_count++] = *sorted[i];
	}
}

static void give_rulesets(struct making *making, struct output *output)
{
	const struct fleet *fleet = making->resolved->fleet;

	output->machines = ARENA_ARRAY(making->arena, struct machine_ruleset, fleet->machine_count);
	for (size_t i = 0; i < fleet->machine_count; i++)
		if (making->of_machine[i] != NO_POSITION)
			output->machines[output->machine_count++] =
				(struct machine_ruleset){&fleet->machines[i], making->items[making->of_machine[i]]};
}

struct error *rulesets_make(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                            const struct templates *templates, struct output *output)
{
	struct making making = {.arena = arena, .scratch = arena_new(), .resolved = resolved, .settings = settings};
	struct arena *kept = arena_new(); /* what lives as long as the making: blocks, keys */
	struct error *error = NULL;

	*output = (struct output){0};
	if (settings->log_rate > LOG_RATE_MAX)
		error = error_new(ERROR_INPUT, "the rate of logs is %u a minute, and %d is the most",
		                  settings->log_rate, LOG_RATE_MAX);
	making.sets = sets_new(kept, resolved);
	making.rendering = rendering_new(kept, resolved, settings, templates,
	                                 blocks_new(kept, resolved, settings, templates, making.sets));
	making.keys = names_new(kept);
	making.of_machine = ARENA_ARRAY(kept, uint32_t, resolved->fleet->machine_count);
	if (error == NULL)
		error = place_machines(&making);
	if (error == NULL) {
		share(&making, output);
		give_rulesets(&making, output);
		sets_write(arena, making.sets, &output->sets, &output->set_count);
	}
	arena_free(making.scratch);
	arena_free(kept);
	return error;
}
