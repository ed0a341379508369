/* Outputs by hand: see the header. */
#include "output_build.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"

struct output_build output_build_new(struct arena *arena)
{
	return (struct output_build){.arena = arena};
}

struct ruleset *output_build_ruleset(struct output_build *build, struct str v4, struct str v6, struct str sets_list)
{
	static const char *const names[] = {"rules.v4", "rules.v6", "sets.list"};
	struct digest digests[] = {digest_of(v4), digest_of(v6), digest_of(sets_list)};
	struct ruleset *ruleset = ARENA_NEW(build->arena, struct ruleset);

	*ruleset = (struct ruleset){
		.rules = {v4, v6},
		.sets_list = sets_list,
		.digest = digest_of_sums(names, digests, 3),
		.mode = MODE_EXCLUSIVE,
		.enforcement = ENFORCEMENT_ENFORCE,
		.ssh_port = 22,
	};
	APPEND(build->arena, &build->rulesets, ruleset);
	return ruleset;
}

void output_build_set(struct output_build *build, struct str name, struct str bytes)
{
	struct set_file set = {.name = name, .bytes = bytes, .digest = digest_of(bytes)};

	APPEND(build->arena, &build->sets, set);
}

void output_build_machine(struct output_build *build, struct str name, struct ruleset *ruleset)
{
	struct machine *machine = ARENA_NEW(build->arena, struct machine);
	struct machine_ruleset entry = {.machine = machine, .ruleset = ruleset};

	machine->name = name;
	machine->enabled = true;
	if (ruleset->example == NULL || str_cmp(name, ruleset->example->name) < 0)
		ruleset->example = machine;
	ruleset->machines++;
	APPEND(build->arena, &build->machines, entry);
}

static int ruleset_order(const void *a, const void *b)
{
	const struct ruleset *const *left = a, *const *right = b;

	return memcmp((*left)->digest.byte, (*right)->digest.byte, sizeof(struct digest));
}

static int set_order(const void *a, const void *b)
{
	return str_cmp(((const struct set_file *)a)->name, ((const struct set_file *)b)->name);
}

static int machine_order(const void *a, const void *b)
{
	return str_cmp(((const struct machine_ruleset *)a)->machine->name,
	               ((const struct machine_ruleset *)b)->machine->name);
}

static void sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
	if (count > 1)
		qsort(items, count, size, order);
}

struct output output_build_done(struct output_build *build)
{
	sort(build->rulesets.items, build->rulesets.count, sizeof *build->rulesets.items, ruleset_order);
	sort(build->sets.items, build->sets.count, sizeof *build->sets.items, set_order);
	sort(build->machines.items, build->machines.count, sizeof *build->machines.items, machine_order);
	return (struct output){
		.rulesets = build->rulesets.items,
		.ruleset_count = build->rulesets.count,
		.sets = build->sets.items,
		.set_count = build->sets.count,
		.machines = build->machines.items,
		.machine_count = build->machines.count,
	};
}
