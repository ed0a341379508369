/* Documents (libconfig syntax), CSV folders and lists of rules: text <-> struct fleet. No database. SPEC §4. */
#ifndef FLEETWALL_DOCUMENT_H
#define FLEETWALL_DOCUMENT_H

#include "fleetwall/fleet.h"

/* Reads one document. `name` is shown in errors. All faults at once, with file, line and column where libconfig knows them.
 * Refused although libconfig takes it: NUL and \x00, invalid UTF-8, adjacent strings, @include, unknown fields, fields given twice. The fleet is
 * normalized (fleet_normalize) and `given` is set. */
struct error *document_read(struct arena *arena, struct str name, struct str text, struct fleet *fleet, struct error **warnings) MUST_CHECK;

/* The canonical document of a fleet: sorted, stable; reading it gives the same fleet. Built-in services that were not changed are left out. */
void document_write(struct buf *buf, const struct fleet *fleet);

/* One file of a CSV folder. Files that a folder may have: machines addresses roles members networks services rules, each ".csv". */
struct csv_file {
	struct str name; /* the path, for errors; its last part tells what it is */
	struct str text;
};
/* RFC 4180 with LF or CRLF, quotes doubled; UTF-8, a BOM is passed over. Only machines.csv is required. */
struct error *csv_read(struct arena *arena, const struct csv_file *files, size_t count, struct fleet *fleet,
                       struct error **warnings) MUST_CHECK;

/* A file of rule lines ("import --rules ROLE FILE"): empty lines and comments are fine. Gives role_rules with their places. */
struct error *rules_read(struct arena *arena, struct str name, struct str text, struct role_rule **rules, size_t *count,
                         struct error **warnings) MUST_CHECK;

/* Whole files into memory (with a NUL check left to the readers); at most 1 GiB. */
struct error *file_read(struct arena *arena, struct str path, struct str *text) MUST_CHECK;

#endif
