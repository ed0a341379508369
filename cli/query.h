/* What the files of queries share: questions as of another time, the same rows as the queries give of the present, from
 * the model; and long lists. */
#ifndef QUERY_H
#define QUERY_H

#include "fleetwall/resolve.h"

#include "cli.h"

/* Each writes rows alone; the columns were set. `resolved` is as of --at. */
struct error *roles_then(struct run *run, const struct resolved *resolved) MUST_CHECK;
struct error *networks_then(struct run *run, const struct resolved *resolved) MUST_CHECK;
struct error *rules_then(struct run *run, const struct resolved *resolved, uint64_t days, bool unused) MUST_CHECK;
struct error *rule_machines_then(struct run *run, const struct resolved *resolved, struct str id) MUST_CHECK;

/* A list of which a person reads the first ones, and how many more there are; programs get all. */
enum {
	SHOWN_MOST = 24,
	SHOWN_BESIDE_NAME = 6, /* of what the row has a name for */
};
size_t count_shown(const struct run *run, size_t count, size_t most);
/* The rest of `items` need not be there: as many as count_shown() says of `count`. */
struct cell cell_shown(struct run *run, const struct str *items, size_t count, size_t most);

#endif
