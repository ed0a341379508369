/* Changes of the history as causes: asking which of them touch something, and telling one. */
#ifndef CAUSE_H
#define CAUSE_H

#include "fleetwall/buf.h"
#include "fleetwall/db.h"

/* What changes are asked for: a line for each object, behind the number of what it takes part in. `text` is what the
 * queries assert-cause and diff-cause take. */
struct cause_wanted {
	struct buf text;
	size_t place;
};
/* kind: as the history calls it. more: of a member or a rule the second part of its name, or empty. */
void cause_want(struct cause_wanted *wanted, const char *kind, struct str name, struct str more);
extern const struct str cause_no_more;

struct cause {
	struct str number, at, who, os_user, ticket, operation, what; /* number empty: not known */
};
/* As programs get it: names, and their values, of which any may be empty. */
enum { CAUSE_FIELDS = 7 };
extern const char *const cause_fields[CAUSE_FIELDS];
void cause_values(const struct cause *cause, struct str values[CAUSE_FIELDS]);
/* Of a row of those queries, whose first column is the place. */
struct cause cause_of(const struct db_rows *rows, size_t row);
/* "change 17 by alice at 2026-03-01T12:00:00Z, ticket OPS-17: insert rule mysql 0123456789ab"; empty: not known. */
struct str cause_str(struct arena *arena, const struct cause *cause);

#endif
