/* Between the files of the packet sets: which variable of the diagrams stands for what, and their nodes. Node 0 is no
 * packet, node 1 every packet. A node that no set on the stack needs is lost at the next garbage collection, which may
 * come whenever a node is made: so hold one while making another. */
#ifndef PACKETS_NODES_H
#define PACKETS_NODES_H

#include "fleetwall/packets.h"

#define NODE_NONE 0
#define NODE_ALL 1

/* The longest interface name has 15 bytes. A name ends at its first NUL, and what follows is of no matter. So is the
 * rest of the state behind the bit that says UNTRACKED. Every value of the bits is a packet this way: no set has to say
 * which of them can be, and equal sets have the same diagram. */
#define NAME_BYTES 15
#define UNTRACKED_BIT 4

/* The order of the variables from the top. What few rules speak of and whole sets of packets have in common (of a SYN:
 * no other flags, a source port) comes before what most rules tell apart, so that these sets share all that is below;
 * an interface has rules of its own, often a chain, and what comes by another need not be looked at, so it does too;
 * conditions are above the addresses, of which there are most, but for those that find no room there, and those that
 * packets_conditions_last() puts behind. */
enum {
	VARIABLE_FAMILY,
	VARIABLE_STATE = VARIABLE_FAMILY + 1,
	VARIABLE_SOURCE_PORT = VARIABLE_STATE + 3,
	VARIABLE_FLAGS = VARIABLE_SOURCE_PORT + 16,
	VARIABLE_FRAGMENT = VARIABLE_FLAGS + 8,
	VARIABLE_IN = VARIABLE_FRAGMENT + 1,
	VARIABLE_OUT = VARIABLE_IN + NAME_BYTES * 8,
	VARIABLE_PROTOCOL = VARIABLE_OUT + NAME_BYTES * 8,
	VARIABLE_PORT = VARIABLE_PROTOCOL + 8,
	VARIABLE_CONDITION = VARIABLE_PORT + 16,
	CONDITIONS_ABOVE = 4096,
	VARIABLE_SOURCE = VARIABLE_CONDITION + CONDITIONS_ABOVE,
	VARIABLE_DESTINATION = VARIABLE_SOURCE + 128,
	VARIABLE_CONDITION_BELOW = VARIABLE_DESTINATION + 128,
};

struct field_place {
	unsigned variable, width;
};
extern const struct field_place field_places[FIELD_COUNT];
/* The field of a variable; FIELD_COUNT: a condition. */
enum packet_field field_of(unsigned variable);

/* `low` where the variable is 0, `high` where it is 1; both are below it. */
int node_make(unsigned variable, int low, int high);
void node_hold(int node);
void node_drop(int node);
/* Puts it on the stack: it lives until the release of a mark. */
struct packets node_packets(int node);

/* Of nodes above 1. */
unsigned node_variable(int node);
int node_low(int node);
int node_high(int node);

/* With every field but this one left out, and every condition. On the stack. */
int node_only(int node, enum packet_field field);
/* Which variables it depends on: one answer for each of node_variable_count(). */
bool *node_variables(struct arena *arena, int node);
unsigned node_variable_count(void);

struct str condition_name(unsigned variable);

#endif
