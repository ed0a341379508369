/* Private to gen/: the sets that rule lines name, each known once, and their files. */
#ifndef FLEETWALL_GEN_SETS_H
#define FLEETWALL_GEN_SETS_H

#include "fleetwall/error.h"
#include "fleetwall/resolve.h"
#include "fleetwall/ruleset.h"

struct sets;

struct sets *sets_new(struct arena *arena, const struct resolved *resolved);
/* The number of a peer's set in one family; counted from 0. Two peers whose names collide are an error. */
struct error *sets_peer(struct sets *sets, const struct role *role, const struct peer *peer, bool refusing,
                        enum family family, uint32_t *number) MUST_CHECK;
/* Likewise for all literals of a rule. */
struct error *sets_literals(struct sets *sets, const struct rule *rule, enum family family,
                            uint32_t *number) MUST_CHECK;
/* "fw4-mysql-0123456789ab"; "mysql-0123456789ab.v4". */
struct str sets_ipset(const struct sets *sets, uint32_t number);
struct str sets_file(const struct sets *sets, uint32_t number);
size_t sets_count(const struct sets *sets);
/* All of them with their contents, sorted by name. */
void sets_write(struct arena *arena, const struct sets *sets, struct set_file **files, size_t *count);

#endif
