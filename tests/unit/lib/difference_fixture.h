/* Two fleets in memory and what the generator makes of them, for tests of what a change opens and closes. */
#ifndef TESTS_DIFFERENCE_FIXTURE_H
#define TESTS_DIFFERENCE_FIXTURE_H

#include "fleetwall/arena.h"
#include "fleetwall/difference.h"
#include "fleetwall/explain.h"
#include "make_output.h"

struct difference_case {
	struct settings settings;
	struct fleet fleets[2]; /* before, after */
	struct resolved *resolved[2];
	struct output outputs[2];
};

/* Resolves and renders both. */
void difference_case_make(struct arena *arena, struct difference_case *change, const struct templates *templates);
/* The groups of one machine, which has a ruleset on both sides. */
size_t difference_of_machine(struct arena *arena, const struct difference_case *change, struct str machine,
                             struct difference_group **groups);
/* The same of several machines together, told once where it is the same; may_open as difference_careful() finds it. */
size_t difference_of_machines(struct arena *arena, const struct difference_case *change, const struct str *machines,
                              size_t machine_count, struct difference_group **groups, bool *may_open);
/* Do both sides do the same, in both families? */
bool difference_is_same(struct arena *arena, const struct difference_case *change, struct str machine);
/* Of two sides' texts, as filter_table() makes them, of IPv4; IPv6 has no rules. There are no sets. */
struct difference *difference_of_texts(struct arena *arena, struct str before, struct str after,
                                       struct difference_pair *pair);
/* A filter that refuses what comes in and is forwarded: `chains` are declared beside the built-in ones. */
struct str filter_table(struct arena *arena, const char *chains, const char *rules);
/* Is this an interface of that name or pattern? */
bool on_interface(struct str pattern, struct str name);

#endif
