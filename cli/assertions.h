/* The fleet's own policy, as `assert` and every round check it: files, what was found, and the change that brought it.
 */
#ifndef ASSERTIONS_H
#define ASSERTIONS_H

#include "fleetwall/digest.h"
#include "fleetwall/policy.h"

#include "cause.h"
#include "cli.h"

/* Reads the files. A file that does not exist is ERROR_UNKNOWN. *digest is of all texts. */
struct error *assertions_load(struct run *run, struct arena *arena, const struct str *paths, size_t count,
                              struct assertions *assertions, struct digest *digest) MUST_CHECK;

/* What could not be read, and with it the names that the other lines name and nobody has, where there is an inventory
 * to look into: one run shows all. run->db may be NULL; in no transaction. */
struct error *assertions_unread(struct run *run, struct arena *arena, struct error *errors,
                                const struct assertions *assertions) MUST_CHECK;

/* Of each violation the change since which it is one, shown by the inventories before and after that; of the first
 * ones. *causes has policy->count. At most so many looks at changes that may be it. In no transaction. */
struct error *assertions_causes(struct run *run, struct arena *arena, const struct resolved *resolved,
                                const struct policy *policy, unsigned looks, struct cause **causes) MUST_CHECK;

/* Loads, judges, and warns: ERROR_GUARD for each violation. In no transaction. */
struct error *assertions_hold(struct run *run, struct arena *arena, const struct resolved *resolved,
                              const struct assertions *assertions) MUST_CHECK;

#endif
