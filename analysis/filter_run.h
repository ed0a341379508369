/* Between the files that make a filter's model into sets of packets: the rules of one run, each with the set that it
 * matches, made when it is first needed. */
#ifndef FILTER_RUN_H
#define FILTER_RUN_H

#include "fleetwall/filter.h"

struct rule_set {
	struct packets set; /* held from when it is known */
	bool known;
	struct str *names;  /* of its conditions, one a match; NULL: their texts */
};

struct run_rules {
	const struct filter *filter;
	const struct filter_view *view;
	struct rule_set **sets; /* by chain and rule */
	struct packets *addresses[2]; /* by set of the view, where it is known: as source, as destination; held */
	const struct filter_rule *last; /* asked for before the bound on packets was passed */
};

struct run_rules run_rules_new(struct arena *arena, const struct filter *filter, const struct filter_view *view);
/* The packets that a rule matches: valid until the end of the run. */
struct packets run_rule(struct run_rules *rules, uint32_t chain, size_t rule);
void run_rules_end(struct run_rules *rules);

#endif
