/* Sets of addresses of one family taken from each other; for the questions about who is let in. */
#ifndef ANALYSIS_ADDRESS_SETS_H
#define ANALYSIS_ADDRESS_SETS_H

#include "fleetwall/addr.h"

struct addr_set set_none(enum family family);
struct addr_set set_all(enum family family);
bool set_is_all(const struct addr_set *set);
struct addr_set set_or(struct arena *arena, const struct addr_set *a, const struct addr_set *b);
struct addr_set set_without(struct arena *arena, const struct addr_set *a, const struct addr_set *b);
bool set_within(const struct addr_set *inner, const struct addr_set *outer);
/* Have they an address in common? Quick where one of them is small. */
bool sets_meet(const struct addr_set *a, const struct addr_set *b);

#endif
