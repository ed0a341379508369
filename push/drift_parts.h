/* Private to drift: what a machine has, taken apart; rules as canonical text; the order of two lists. */
#ifndef DRIFT_PARTS_H
#define DRIFT_PARTS_H

#include "fleetwall/names.h"
#include "fleetwall/push.h"

enum { DRIFT_FAMILIES = 2 };

/* What is found, in the order in which it is told. */
struct drift_list {
	struct drift *items;
	size_t count, capacity;
};
void drift_add(struct arena *arena, struct drift_list *list, enum drift_kind kind, struct str file, struct str line,
               unsigned number);

/* --- the output of `fleetwall-host read` (drift_read.c) --- */

struct host_section {
	struct str name, text; /* "rules.v4"; "fw4-…", by `read-set` */
};
struct host_read {
	struct str status; /* the lines before the first section */
	struct {
		struct host_section *items;
		size_t count, capacity;
	} sections;
};
/* ERROR_INPUT where it is not all there: what was cut off must not look as if it were missing on the machine. */
struct error *host_read_parse(struct arena *arena, struct str text, struct host_read *read) MUST_CHECK;
/* The first of that name; NULL if there is none. */
const struct host_section *host_section(const struct host_read *read, struct str name);
/* What stands behind the key in the status; empty if it is not there, or is `-`. */
struct str host_status(const struct host_read *read, const char *key);
/* The next line, without its newline; false at the end. */
bool drift_line(struct str *rest, struct str *line);

/* --- rules (drift_words.c, drift_table.c) --- */

/* A line `-A CHAIN …`, without counters, in one spelling: words with a newline behind each. False where it is none. */
struct canonical {
	struct str chain, text;
	struct str target; /* of -j or -g; may be empty */
};
bool drift_canonical(struct arena *arena, struct str line, struct canonical *canonical);
/* "gre" is 47; as /etc/protocols says it on the systems that there are. False for what is no known name. */
bool drift_protocol(struct str name, uint8_t *number);

struct table_chain {
	uint32_t chain;
	struct str policy; /* "-" for a chain of one's own */
	struct str line;   /* without counters */
	unsigned number;
};
struct table_rule {
	uint32_t chain, text; /* by the numbers of their names */
	struct str target, line;
	unsigned number;
};
struct table {
	struct {
		struct table_chain *items;
		size_t count, capacity;
	} chains;
	struct {
		struct table_rule *items; /* by chain, then as they stand */
		size_t count, capacity;
	} rules;
	struct {
		struct str *items; /* lines that are neither */
		size_t count, capacity;
	} odd;
};
/* Names are shared by the tables that are compared. */
struct table_names {
	struct names *chains, *texts;
};
void drift_table(struct arena *arena, const struct table_names *names, struct str text, struct table *table);
/* The rules of a chain. */
struct table_rule *table_rules(const struct table *table, uint32_t chain, size_t *count);
/* NULL if it is not declared. */
const struct table_chain *table_chain(const struct table *table, uint32_t chain);

/* Which of these stay where they are, at most: a longest common subsequence. Both arrays are zeroed. */
void drift_common(struct arena *arena, const struct table_rule *ours, size_t our_count,
                  const struct table_rule *theirs, size_t their_count, bool *ours_stay, bool *theirs_stay);

/* --- parts of the comparison --- */

void drift_rules(struct arena *arena, enum position_mode mode, struct str file, struct str ours, struct str theirs,
                 struct drift_list *list);
struct error *drift_sets(struct arena *arena, struct str output, const struct position *position,
                         const struct host_read *read, struct drift_list *list) MUST_CHECK;

#endif
