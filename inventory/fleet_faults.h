/* Faults in data that was given: collected, so that one run shows all, up to a number that a person can take in.
 * Private to inventory/. */
#ifndef INVENTORY_FLEET_FAULTS_H
#define INVENTORY_FLEET_FAULTS_H

#include "fleetwall/error.h"

#define FAULTS_SHOWN 100

struct faults {
	struct error *chain;
	size_t shown, left_out;
};

/* Takes every error of `errors` (NULL is fine). */
void faults_add(struct faults *faults, struct error *errors);
/* How many there were, shown or not. */
size_t faults_count(const struct faults *faults);
/* The chain, sorted by place; its last error says how many more there were. NULL if there were none. */
struct error *faults_end(struct faults *faults) MUST_CHECK;

/* Where byte `at` of a text stands. `from` (at most `at`) is the beginning of a line whose number is `line`. A line
 * that is too long to be shown is left out. */
struct place place_in(struct str file, struct str text, size_t from, unsigned line, size_t at);

/* Gives errors that know a column within a piece of a file (rules) their place in the file: `piece` is where the piece
 * begins. */
struct error *error_in_piece(struct error *errors, struct place piece) MUST_CHECK;

/* The lines of a file as editors write it: a byte order mark at its beginning, and carriage returns at their ends, are
 * none of theirs. `place` is where the last line given begins, with its text. */
struct lines {
	struct place place;
	struct str rest;
};

struct lines lines_of(struct str file, struct str text);
bool lines_next(struct lines *lines);

#endif
