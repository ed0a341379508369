/* A change of the inventory by command. The command says what it wants as a small fleet with the fields that were
 * given, exactly as a document would; the same plan and the same writing carry it out. */
#ifndef EDIT_H
#define EDIT_H

#include "fleetwall/inventory.h"

#include "cli.h"

struct edit {
	struct run *run;
	struct fleet present; /* as the open transaction sees it; all other writers wait */
	struct fleet wanted;
	struct import_options options;
	struct str rule_id; /* of the rule that is added: then it alone goes to standard output, and what changed to
	                       standard error */
};

/* Opens a transaction that keeps other writers out, and loads. */
struct error *edit_begin(struct edit *edit, struct run *run) MUST_CHECK;
/* Plans, writes, commits, and says in one line what changed and how many machines that touches. */
struct error *edit_end(struct edit *edit) MUST_CHECK;

/* Of how many machines the rulesets may change by the plan. */
size_t edit_touches(struct run *run, const struct fleet *present, const struct plan *plan);

/* For removals: `wanted` is the whole present fleet, to take objects out of; what it lacks goes. */
void edit_all(struct edit *edit);

/* Was "--NAME" or "--no-NAME" given? */
bool edit_gives(const struct run *run, const char *name);
/* All values of an option that may be repeated, in order. */
size_t edit_values(const struct run *run, const char *name, struct str **values);
/* Is the name one of the arguments? */
bool edit_named(const struct run *run, struct str name);
/* The object is there already (`add`) or is not (`set`). */
struct error *edit_must(bool there, bool adding, const char *kind, struct str name) MUST_CHECK;

/* The arguments from `first` on, joined by blanks: a rule that the shell cut into words. */
struct str edit_words(const struct run *run, size_t first);

/* The present machines that the arguments from `first` on name: names or shell globs (* ? [ ]); sorted, unique. A glob
 * that matches nothing is ERROR_UNKNOWN, as a name that there is not. */
struct error *edit_machines(struct run *run, const struct fleet *fleet, size_t first, struct str **names,
                            size_t *count) MUST_CHECK;

#endif
