/* Whole outputs put together by hand, for tests of what comes after the generator: rulesets, set files and machines
 * with the right digests. */
#ifndef TESTS_OUTPUT_BUILD_H
#define TESTS_OUTPUT_BUILD_H

#include "fleetwall/ruleset.h"

struct output_build {
	struct arena *arena;
	struct {
		struct ruleset **items;
		size_t count, capacity;
	} rulesets;
	struct {
		struct set_file *items;
		size_t count, capacity;
	} sets;
	struct {
		struct machine_ruleset *items;
		size_t count, capacity;
	} machines;
};

struct output_build output_build_new(struct arena *arena);
/* A ruleset of an exclusive, enforced machine with SSH on port 22. Change mode, enforcement and ssh_port in what it
 * returns. */
struct ruleset *output_build_ruleset(struct output_build *build, struct str v4, struct str v6, struct str sets_list);
void output_build_set(struct output_build *build, struct str name, struct str bytes);
void output_build_machine(struct output_build *build, struct str name, struct ruleset *ruleset);
/* Sorted as the generator's. */
struct output output_build_done(struct output_build *build);

#endif
