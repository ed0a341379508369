/* What the importers of foreign formats share: notes, JSON of files, names made valid. Private to inventory/. */
#ifndef INVENTORY_FOREIGN_H
#define INVENTORY_FOREIGN_H

#include <jansson.h>

#include "fleet_fields.h"
#include "fleetwall/foreign.h"

/* One import: where its result lives, and what it has to say. A list's end is known, so that a hundred thousand notes
 * take no longer than they must. */
struct foreign {
	struct arena *arena;
	struct error *left_out, **left_out_end;
	struct error *made_right, **made_right_end;
};

struct foreign foreign_new(struct arena *arena);
/* `file` may be empty. */
void foreign_left_out(struct foreign *foreign, struct str file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void foreign_made_right(struct foreign *foreign, struct str file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct foreign_notes foreign_end(const struct foreign *foreign);

/* --- JSON --- */

/* The JSON values of files, one behind the other. They are the library's: foreign_close() gives them up, whatever
 * foreign_read() said. */
struct foreign_value {
	json_t *json;
	struct str file;
};
struct foreign_values {
	struct foreign_value *items;
	size_t count, capacity;
};
/* Strings may hold NUL; a byte order mark is passed over; a name twice in one object is a fault. */
struct error *foreign_read(struct arena *arena, const struct foreign_file *files, size_t count,
                           struct foreign_values *values) MUST_CHECK;
void foreign_close(struct foreign_values *values);

/* The string's bytes, which are the library's; {NULL, 0} if it is none. */
struct str foreign_str(const json_t *json);
/* The same of an object's member. */
struct str foreign_member(const json_t *object, const char *key);

/* A number without a fraction. */
bool foreign_integer(const json_t *json, int64_t *number);

/* One line of at most 1000 characters: control characters become blanks, what is longer is cut. */
struct str foreign_line(struct arena *arena, struct str s);

/* --- names --- */

enum foreign_kind { FOREIGN_ROLE, FOREIGN_MACHINE };
#define FOREIGN_ID_MAX 48

struct foreign_name {
	struct str original; /* what the source calls it; may be empty */
	struct str id;       /* what tells it from the others; foreign_id_valid() */
	struct str name;     /* answer: valid, unlike all others; empty: there is none */
};
/* Folds, puts `-` for what is not possible, cuts. Names that came out alike, or had to be cut, get `-` and their id. A
 * thing that has no name gets its id. The answer does not depend on the order of the list. */
void foreign_names(struct arena *arena, enum foreign_kind kind, struct foreign_name *list, size_t count);
/* 1 to FOREIGN_ID_MAX of [A-Za-z0-9._-], beginning with a letter or digit. */
bool foreign_id_valid(struct str id);

#endif
