/* Fleets of random rules, packet by packet: combinations of clauses that nobody thought of must mean to the kernel what
 * explain() says that they mean. Arguments are seeds to try; without one, the same few each time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "kernel.h"
#include "random_fleet.h"

#define SEEDS 8
#define MACHINES 8
#define PACKETS 2500 /* at most, a machine */

static void machine_against_kernel(struct trial *trial, const struct backend *backend, struct judge *judge,
                                   uint32_t machine, const struct str *interfaces, size_t interface_count,
                                   struct tally *tally)
{
	struct arena *arena = arena_new();
	const struct machine *own = &trial->fleet.machines[machine];
	const struct ruleset *ruleset = trial_ruleset(trial, own);
	struct addr address = own_address(own, FAMILY_4);
	struct probe_list list = {0};

	load_nothing(arena, backend);
	if (ruleset != NULL)
		load_ruleset(arena, backend, ruleset);
	judge_own(arena, &address, 1);
	probes_at_edges(arena, trial, machine, interface_count, PACKETS / 8, &list);
	list.count = probes_thin(list.items, list.count, PACKETS);
	compare(trial, judge, machine, interfaces, list.items, list.count, tally);
	arena_free(arena);
}

static int seed_against_kernel(const void *context)
{
	uint64_t seed = *(const uint64_t *)context;
	struct arena *arena = arena_new();
	struct rng rng = {seed};
	struct fleet fleet = random_fleet(arena, &rng, MACHINES);
	struct trial *trial = trial_of_fleet(arena, &fleet, trial_settings(arena));
	struct tally tally = {0};
	struct str *interfaces;
	size_t count = trial_interfaces(arena, &trial->fleet, &interfaces);
	struct judge *judge;
	struct backend backend = backend_of(arena, "");

	if (!backend_enter(&backend))
		return SKIPPED;
	judge = judge_new(arena, interfaces, count);
	load_sets(arena, &trial->output);
	for (size_t i = 0; i < trial->fleet.machine_count; i++)
		machine_against_kernel(trial, &backend, judge, (uint32_t)i, interfaces, count, &tally);
	tally_print(str_c(arena, str_format(arena, "seed %" PRIu64, seed)), &tally);
	judge_free(judge);
	arena_free(arena);
	return tally.differing == 0 && tally.tried > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? (size_t)argc - 1 : SEEDS;
	struct arena *arena = arena_new();
	uint64_t *seeds = ARENA_ARRAY(arena, uint64_t, count);
	const void **contexts = ARENA_ARRAY(arena, const void *, count);
	const char *missing = netns_missing_program();
	int code;

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	for (size_t i = 0; i < count; i++) {
		seeds[i] = argc > 1 ? strtoull(argv[i + 1], NULL, 10) : i + 1;
		contexts[i] = &seeds[i];
	}
	code = in_children(seed_against_kernel, contexts, count);
	arena_free(arena);
	return code;
}
