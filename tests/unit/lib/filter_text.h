/* What was read of a filter table, as text with every field of every match: for tables of tests, and for comparing. */
#ifndef FLEETWALL_TESTS_FILTER_TEXT_H
#define FLEETWALL_TESTS_FILTER_TEXT_H

#include "fleetwall/filter.h"

/* "source 10.0.0.0-10.255.255.255; protocol 6; !dport 22,80-90; state 0x2; if limit 1/sec burst 5 -> ACCEPT # comment".
 * Conditions that are steady: "always if". A jump: "jump CHAIN". */
struct str filter_rule_text(struct arena *arena, const struct filter *filter, const struct filter_rule *rule);
/* Chains with their policies and rules, a line each. The lines' numbers are left out. */
struct str filter_text(struct arena *arena, const struct filter *filter);
/* "10.0.0.1-10.0.0.3 10.0.0.9", of a set that is modelled. */
struct str filter_set_text(struct arena *arena, const struct filter_set *set);

#endif
