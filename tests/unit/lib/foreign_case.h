/* What tests of importers of foreign formats share: JSON in single quotes, and a fleet told in short lines. */
#ifndef TESTS_FOREIGN_CASE_H
#define TESTS_FOREIGN_CASE_H

#include "fleetwall/foreign.h"

/* ' becomes ", so that JSON can be read in a C string. */
struct str json_text(struct arena *arena, const char *text);
/* The rules of a role in the order of their texts, comments too, one a line; "(no role)". */
const char *role_rules(struct arena *arena, const struct fleet *fleet, const char *role);
/* "roles: a b\naddresses: 10.0.0.1=private 10.0.0.2\nlabels: k=v\n", and further lines for what else is given;
 * "(no machine)". */
const char *machine_lines(struct arena *arena, const struct fleet *fleet, const char *machine);
/* Messages without places, one a line. */
const char *messages(struct arena *arena, const struct error *chain);
/* The document that says the fleet, and both lists of notes: all that an import gives. */
const char *whole_import(struct arena *arena, const struct fleet *fleet, const struct foreign_notes *notes);
/* Is the fleet in order: sorted, unique, rules that can be written out and parsed again, references that exist? */
void check_fleet_whole(struct arena *arena, const struct fleet *fleet);

#endif
