/* Random formulas over random sets of packets, each also as a predicate, and all the packets that tell them apart: for
 * brute force. One process at a time; what is random comes from random(3). */
#ifndef RANDOM_PACKETS_H
#define RANDOM_PACKETS_H

#include "fleetwall/arena.h"
#include "fleetwall/packets.h"

/* What a rule may say, as a set and as a predicate. */
enum atom_kind { ATOM_NUMBERS, ATOM_BITS, ATOM_NAME, ATOM_PREFIX, ATOM_RANGE, ATOM_LIST, ATOM_CONDITION };

struct atom {
	enum atom_kind kind;
	enum packet_field field;
	unsigned first, last; /* numbers; mask and value */
	struct str pattern;
	struct range ranges[3];
	unsigned range_count;
};

#define CONDITIONS 3
extern const char *const conditions[CONDITIONS];

/* A few operations, each of what is before it. */
#define STEPS 12
#define ATOMS 6

struct formula {
	struct atom atoms[ATOMS];
	struct {
		unsigned operation, a, b, c;
	} steps[STEPS];
	struct packets set;
};

/* One of each kind that no atom tells apart. */
struct values {
	addr_bits of[64];
	unsigned count;
};

/* Two formulas over the same fields, and what a test notes of them. */
struct round {
	enum packet_field fields[3]; /* ascending; FIELD_COUNT: conditions alone */
	struct formula formulas[2];
	struct sample sample;
	void (*each)(struct round *round, const struct sample *sample);
	enum packet_field asked;
	bool any, both, within, surely, perhaps;
	struct packets projected[FIELD_COUNT + 1];
	struct sample least;
	struct packets put;
	bool depends;
};

/* What is random lives here. */
extern struct arena *random_arena;

/* libcheck writes a line for each assertion: too slow for millions of them. */
void must(bool true_here);
unsigned below(unsigned limit);
addr_bits random_address(enum family family);

unsigned number_of(const struct sample *sample, enum packet_field field); /* of at most 16 bits */
unsigned most_of(enum packet_field field);
struct addr addr_of(const struct sample *sample, enum packet_field field);
bool condition_holds(const struct sample *sample, const char *name);
bool formula_has(const struct formula *formula, const struct sample *sample);
bool has(const struct round *round, const struct sample *sample); /* its first formula */

/* FIELD_COUNT: which conditions hold, as bits. */
void set_value(struct sample *sample, enum packet_field field, addr_bits value);
struct values round_values(const struct round *round, enum packet_field field, enum family family);

/* Formulas over `field_count` fields, of which the first is the `number`-th, and conditions. */
void random_round(struct round *round, unsigned number, unsigned field_count);
void each_packet(struct round *round, void (*each)(struct round *round, const struct sample *sample));

#endif
