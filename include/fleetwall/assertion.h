/* The fleet's own policy in the rule language's words (SPEC §6, fleetwall-assertions(5)): one line of text -> struct
 * assertion. What an assertion means, and whether it holds, is fleetwall/policy.h's. No I/O, no clock. */
#ifndef FLEETWALL_ASSERTION_H
#define FLEETWALL_ASSERTION_H

#include "fleetwall/fleet.h"

enum assertion_kind {
	ASSERTION_NEVER,  /* no packet from the sources to the destinations passes */
	ASSERTION_ALWAYS, /* every one does */
	ASSERTION_ONLY,   /* none from anybody else does */
};

/* Sources or destinations. `any` of destinations is every machine with a ruleset; addresses and networks among
 * destinations are what machines send to, beside `any`. */
struct assertion_end {
	bool any;
	struct peer *peers; /* as they were written; never `self` */
	unsigned *columns;  /* where each stands */
	size_t count;
};

struct assertion {
	enum assertion_kind kind;
	struct assertion_end source, destination;
	struct what what;
	unsigned what_column;
	struct str interface; /* of `on`; empty: any but the loopback interface */
	struct str text;      /* the line as it was written, without its comment */
	struct str comment;
	struct place place;   /* its file, line, and the whole line */
};

struct assertions {
	struct assertion *items;
	size_t count, capacity;
};

/* Parses one line. Faults are ERROR_INPUT with column and text; several may be chained. `*said` is false for a line
 * that is empty or a comment. Names are not looked up. */
struct error *assertion_parse(struct arena *arena, struct str line, struct assertion *assertion, bool *said,
                              struct error **warnings) MUST_CHECK;
/* Adds those of a file to the list. `name` is shown in errors; all faults at once. The text must stay. */
struct error *assertions_read(struct arena *arena, struct str name, struct str text, struct assertions *assertions,
                              struct error **warnings) MUST_CHECK;
/* Does everything that they name exist? Each fault is ERROR_UNKNOWN with its place and the nearest name as a hint. */
struct error *assertions_check(struct arena *arena, const struct assertions *assertions,
                               const struct fleet *fleet) MUST_CHECK;

bool peer_is_address(const struct peer *peer); /* an address, prefix or range, or a network */
struct str assertion_kind_str(enum assertion_kind kind);

#endif
