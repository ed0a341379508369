/* Errors are values: a function that can fail returns `struct error *`, NULL for success. A chain of errors holds all
 * that one run found. Each level adds what only it knows: "machine web-3: rule 17: port 70000 is out of range".
 * Errors live in memory of their own until error_forget_all(); nobody frees one. Secrets are never in a message. */
#ifndef FLEETWALL_ERROR_H
#define FLEETWALL_ERROR_H

#include "fleetwall/str.h"

#define MUST_CHECK __attribute__((warn_unused_result))

/* The kind decides the exit code (cli/, in one switch). */
enum error_kind {
	ERROR_USAGE,        /* the command line; 2 */
	ERROR_INPUT,        /* data that was given; 2 */
	ERROR_UNKNOWN,      /* a name that does not exist; 2 */
	ERROR_SURROUNDINGS, /* database, disk, network, memory, a missing program; 3 */
	ERROR_GUARD,        /* a guard stopped it; 4 */
};

/* Where in a file: line and column count from 1, 0 is "not known". `text` is the line itself, for the caret. */
struct place {
	struct str file;
	unsigned line, column;
	struct str text;
};

struct error {
	enum error_kind kind;
	struct str message; /* one sentence, no newline, no full stop at its end */
	struct str hint;    /* what to do; may be empty */
	struct place place;
	const void *like;   /* those with the same one are alike, but for what they name; NULL: unlike all others */
	size_t more;        /* so many like it are not in the chain any more (error_gather()) */
	struct error *next; /* the next of a chain */
};

struct error *error_new(enum error_kind kind, const char *format, ...) __attribute__((format(printf, 2, 3))) MUST_CHECK;
/* `doing: strerror(errno)`, of kind ERROR_SURROUNDINGS. */
struct error *error_errno(const char *format, ...) __attribute__((format(printf, 1, 2))) MUST_CHECK;

/* These change the first error of the chain and return the chain, so that calls nest. NULL stays NULL. */
struct error *error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3))) MUST_CHECK;
/* Fills in what the place of each error of the chain does not know yet (file, line, text). Copies the strings. */
struct error *error_at(struct error *error, struct place place) MUST_CHECK;
/* Puts "context: " before the message of each error of the chain. */
struct error *error_in(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3))) MUST_CHECK;

/* Appends `more` (NULL is fine) to the chain `*chain` (may hold NULL). Also collects warnings. */
void error_collect(struct error **chain, struct error *more);
/* For people: of those that are alike the chain keeps the first `most`; the last of them says how many more there are,
 * and `rest`, where they are. */
void error_gather(struct error *chain, size_t most, const char *rest);
size_t error_count(const struct error *chain);

/* "file:12:8: message\n    the line\n           ^\n    hint: …\n" for each of the chain, each preceded by `lead`
 * ("error: ", "warning: "), appended to `buf`. Control characters in data are shown as \xNN. */
struct buf;
void error_print(struct buf *buf, struct str lead, const struct error *chain);

/* Gives up the memory of all errors, of all threads; by the last one that is left. For the end of the program, and for
 * fuzzers and tests between rounds. */
void error_forget_all(void);

/* `TRY(call)`: returns the error of `call` from the function around it, if there is one. */
#define TRY(call)                                                                                                   \
	do {                                                                                                        \
		struct error *try_error_ = (call);                                                                  \
		if (try_error_ != NULL)                                                                             \
			return try_error_;                                                                          \
	} while (0)

#endif
