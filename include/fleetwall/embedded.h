/* Files of sql/ and templates/, and the scripts of push/, that were built into the program. */
#ifndef FLEETWALL_EMBEDDED_H
#define FLEETWALL_EMBEDDED_H

#include "fleetwall/str.h"

struct embedded {
	const char *name; /* the path below its folder: "migrations/0001-schema.sql", "fleetwall-host" */
	const unsigned char *data;
	size_t size;
};

/* Sorted by name; the entry with name NULL ends each. */
extern const struct embedded embedded_sql[];
extern const struct embedded embedded_templates[];
extern const struct embedded embedded_push[];

/* SHA-256 over the sources that the bytes of rulesets depend on: another build, another text. */
extern const char embedded_build[];

/* The file's text; {NULL, 0} if there is none of that name. */
struct str embedded_find(const struct embedded *files, struct str name);

#endif
