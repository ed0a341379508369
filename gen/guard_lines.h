/* Lines of a rendered rules file as words, for the guards alone: both read what was rendered, and trust no template. */
#ifndef FLEETWALL_GEN_GUARD_LINES_H
#define FLEETWALL_GEN_GUARD_LINES_H

#include "fleetwall/error.h"

enum { WORDS_MAX = 255 }; /* as many as iptables-restore(8) takes */

struct words {
	struct str word[WORDS_MAX];
	bool quoted[WORDS_MAX];
	size_t count;
	bool odd; /* quotes inside a word, or too many words: whoever reads it must not be sure of anything */
};

/* Quotes around a whole word are taken off; what is escaped in it stays so. */
void words_of(struct str line, struct words *words);

/* The next line of a file, without its newline; false when there is none. *number counts from 1. */
bool guard_next_line(struct str *rest, unsigned *number, struct str *line);
/* Does the file declare this chain (":NAME …")? */
bool guard_declares(struct str file, struct str chain);

/* Of the filter table: they are there whether declared or not. */
bool guard_is_builtin_chain(struct str name);
/* Targets that are never the name of a chain. */
bool guard_is_builtin_target(struct str name);

/* "rules.v4" or "rules.v6". */
struct str guard_file_name(size_t file);
/* "machine web-1", or "machine web-1 and 41 more": who has a ruleset. `machines` counts all of them. */
struct str guard_who(struct arena *arena, struct str machine, size_t machines);
/* A finding about a line of a machine's file, with its place. */
struct error *guard_place(struct error *error, struct str machine, size_t file, unsigned number,
                          struct str line) MUST_CHECK;

#endif
