/* Private to gen/: the sets that rules name, each known once: what it is called, and whose addresses it holds. What
 * they hold, and the bytes of their files, are for produce_sets.c. */
#ifndef FLEETWALL_GEN_SETS_H
#define FLEETWALL_GEN_SETS_H

#include "fleetwall/error.h"
#include "fleetwall/resolve.h"
#include "fleetwall/ruleset.h"

#define NO_SET UINT32_MAX

struct set {
	enum family family;
	bool refusing;           /* a peer of deny and reject rules: disabled machines count */
	const struct peer *peer; /* NULL: the literals of `rule` */
	const struct role *role; /* that `self` means */
	const struct rule *rule;
	struct str text;  /* canonical text of the peer, `self` written as its role: with family and `refusing`, what
	                     the set is */
	struct str ipset; /* "fw4-mysql-0123456789ab" */
	struct str file;  /* "mysql-0123456789ab.v4" */
};

struct sets;

/* `digester` is used whenever a set is put. */
struct sets *sets_new(struct arena *arena, struct digester *digester);
/* The numbers of a peer's sets, one for each family that is wanted, given now if they had none; counted from 0. Two
 * peers whose names collide are an error. */
struct error *sets_peer(struct sets *sets, const struct role *role, const struct peer *peer, bool refusing,
                        const bool families[2], uint32_t numbers[2]) MUST_CHECK;
/* Likewise for all literals of a rule. */
struct error *sets_literals(struct sets *sets, const struct rule *rule, const bool families[2],
                            uint32_t numbers[2]) MUST_CHECK;
/* The number of a set like this one, of other `sets`, which may stand for another fleet: NO_SET if there is none. */
uint32_t sets_like(const struct sets *sets, const struct set *set);
/* Valid until the next set is put. */
const struct set *sets_get(const struct sets *sets, uint32_t number);
size_t sets_count(const struct sets *sets);
/* The numbers of all sets in the order of their files' names. */
uint32_t *sets_sorted(struct arena *arena, const struct sets *sets);

#endif
