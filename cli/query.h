/* Questions as of another time: the same rows as the queries give of the present, from the model. */
#ifndef QUERY_H
#define QUERY_H

#include "fleetwall/resolve.h"

#include "cli.h"

/* Each writes rows alone; the columns were set. `resolved` is as of --at. */
struct error *roles_then(struct run *run, const struct resolved *resolved) MUST_CHECK;
struct error *networks_then(struct run *run, const struct resolved *resolved) MUST_CHECK;
struct error *rules_then(struct run *run, const struct resolved *resolved, uint64_t days, bool unused) MUST_CHECK;
struct error *rule_machines_then(struct run *run, const struct resolved *resolved, struct str id) MUST_CHECK;

#endif
