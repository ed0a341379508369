/* Documents (libconfig syntax), CSV folders and lists of rules: text <-> struct fleet. No database. SPEC §4.
 * What the readers give refers to the texts that they were given: keep those as long as the fleet. At most 100 faults
 * are shown, the rest is counted. */
#ifndef FLEETWALL_DOCUMENT_H
#define FLEETWALL_DOCUMENT_H

#include "fleetwall/file.h"
#include "fleetwall/fleet.h"

/* What is wrong with the form of a text that libconfig does not take: with line, column and a hint. NULL: nothing that
 * could be told. */
struct error *document_form(struct str name, struct str text) MUST_CHECK;

/* Reads one document. `name` is shown in errors. All faults at once, with file, line and column where libconfig knows
 * them. Refused although libconfig takes it: NUL and \x00, invalid UTF-8, adjacent strings, @include, unknown fields,
 * fields given twice. fleet->owner is the document's. The fleet is normalized (fleet_normalize) and `given` is set. */
struct error *document_read(struct arena *arena, struct str name, struct str text, struct fleet *fleet,
                            struct error **warnings) MUST_CHECK;

/* The canonical document of a normalized fleet: sorted, stable; reading it gives the same fleet. It says every field
 * that `given` names, so that importing it makes the objects equal to it. Built-in services that were not changed are
 * left out, and own rules of a machine that has none; the owner is the fleet's, not the objects'. What only CSV can say
 * (GIVEN_MEMBERS, `referred`) is not in it.
 */
void document_write(struct buf *buf, const struct fleet *fleet);

/* The part of a loaded fleet that the document of this owner owns, which then is the part's owner. It may refer to what
 * is not in it. An owner who owns nothing is ERROR_UNKNOWN. */
struct error *document_part(struct arena *arena, const struct fleet *fleet, struct str owner,
                            struct fleet *part) MUST_CHECK;

/* One file of a CSV folder. Files that a folder may have: machines addresses roles members networks services rules,
 * each ".csv". */
struct csv_file {
	struct str name; /* the path, for errors; its last part tells what it is */
	struct str text;
};
/* Reads those of the seven files that the folder has. A file whose name is nearly one of theirs is a warning; others
 * are passed over. */
struct error *csv_folder_read(struct arena *arena, struct str folder, struct csv_file **files, size_t *count,
                              struct error **warnings) MUST_CHECK;
/* RFC 4180 with LF or CRLF, quotes doubled; UTF-8, a BOM is passed over. Only machines.csv is required. */
struct error *csv_read(struct arena *arena, const struct csv_file *files, size_t count, struct fleet *fleet,
                       struct error **warnings) MUST_CHECK;

/* A file of rule lines ("import --rules ROLE FILE"): empty lines and comments are fine. Gives role_rules with their
 * places. */
struct error *rules_read(struct arena *arena, struct str name, struct str text, struct role_rule **rules, size_t *count,
                         struct error **warnings) MUST_CHECK;

#endif
