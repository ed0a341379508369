/* The fleet that uses every clause and every line of the contract, packet by packet: what the kernel does with a packet
 * must be what explain() says of it, on either backend of iptables. One half of each machine's packets is tried on one,
 * the other half on the other, and all of them on each with KERNEL_EVERY_ALL=1. An argument is the infix of the one
 * backend to try ("-nft", "-legacy"), which tries all. */
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "kernel.h"

#define RANDOM 400

/* The fleet under certain settings, on one backend. */
struct case_of {
	const char *name, *infix;
	struct settings settings;
	const char *const *machines; /* NULL: all of them */
	bool all;                    /* of a machine's packets, or this half of them */
	uint32_t half;
};

/* Where housekeeping makes a difference. */
static const char *const kept_house[] = {"all1",  "bare1",    "both1",   "closed1", "coexist3",
                                         "icmp1", "monitor3", "v6only1", NULL};

/* By a multiplicative hash, for those on either side of an edge follow each other. */
static size_t probes_take(struct probe *probes, size_t count, const struct case_of *tried)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (tried->all || ((uint32_t)i * UINT32_C(2654435761)) >> 31 == tried->half)
			probes[kept++] = probes[i];
	return kept;
}

static void machine_against_kernel(const struct case_of *tried, struct trial *trial, const struct backend *backend,
                                   struct judge *judge, uint32_t machine, const struct str *interfaces,
                                   size_t interface_count, struct tally *tally)
{
	struct arena *arena = arena_new();
	const struct machine *own = &trial->fleet.machines[machine];
	const struct ruleset *ruleset = trial_ruleset(trial, own);
	struct addr addrs[] = {own_address(own, FAMILY_4)};
	struct probe_list list = {0};

	load_nothing(arena, backend);
	if (ruleset != NULL)
		load_ruleset(arena, backend, ruleset);
	judge_own(arena, addrs, 1);
	probes_at_edges(arena, trial, machine, interface_count, RANDOM, &list);
	list.count = probes_take(list.items, list.count, tried);
	compare(trial, judge, machine, interfaces, list.items, list.count, tally);
	arena_free(arena);
}

static bool is_tried(const struct case_of *tried, struct str machine)
{
	if (tried->machines == NULL)
		return true;
	for (const char *const *name = tried->machines; *name != NULL; name++)
		if (str_is(machine, *name))
			return true;
	return false;
}

/* One fleet in a namespace of its own. */
static int fleet_against_kernel(const void *context)
{
	const struct case_of *tried = context;
	struct arena *arena = arena_new();
	struct backend backend = backend_of(arena, tried->infix);
	struct trial *trial = trial_of_document(arena, "tests/fleets/every.conf", tried->settings);
	struct tally tally = {0};
	struct str *interfaces;
	size_t count = trial_interfaces(arena, &trial->fleet, &interfaces);
	struct judge *judge;

	if (!backend_enter(&backend))
		return SKIPPED;
	judge = judge_new(arena, interfaces, count);
	load_sets(arena, &trial->output);
	for (size_t i = 0; i < trial->fleet.machine_count; i++)
		if (is_tried(tried, trial->fleet.machines[i].name))
			machine_against_kernel(tried, trial, &backend, judge, (uint32_t)i, interfaces, count, &tally);
	tally_print(tried->name, &tally);
	judge_free(judge);
	arena_free(arena);
	return tally.differing == 0 && tally.tried > 0 ? 0 : 1;
}

static void describe_cases(struct arena *arena, const char *infix, bool all, uint32_t half, struct case_of cases[2])
{
	cases[0] = (struct case_of){.infix = infix, .settings = trial_settings(arena), .all = all, .half = half};
	cases[1] = cases[0];
	cases[0].name = str_c(arena, str_format(arena, "iptables%s, defaults", infix));
	cases[1].name = str_c(arena, str_format(arena, "iptables%s, no housekeeping", infix));
	cases[1].settings.icmp_errors = cases[1].settings.neighbour_discovery = cases[1].settings.drop_invalid = false;
	cases[1].settings.dhcp = cases[1].settings.loopback = false;
	cases[1].machines = kept_house;
}

int main(int argc, char **argv)
{
	static const char *const backends[] = {"-nft", "-legacy"};
	struct arena *arena = arena_new();
	struct case_of cases[4];
	const void *contexts[4] = {&cases[0], &cases[2], &cases[1], &cases[3]};
	const char *missing = netns_missing_program();
	bool all = argc > 1 || getenv("KERNEL_EVERY_ALL") != NULL;
	int code;

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	for (int i = 0; i < 2; i++)
		describe_cases(arena, argc > 1 ? argv[1] : backends[i], all, (uint32_t)i, &cases[2 * i]);
	if (argc > 1)
		contexts[1] = &cases[1];
	code = in_children(fleet_against_kernel, contexts, argc > 1 ? 2 : 4);
	arena_free(arena);
	return code;
}
