/* Sets of packets from what a rule says of a field: numbers, bits, names, prefixes, addresses. Each is built from its
 * last bit to its first, so that no node is made that is not part of it. It knows where the bits of a field are, and
 * nothing of how nodes are stored. */
#include <assert.h>

#include "packets_nodes.h"

const struct field_place field_places[FIELD_COUNT] = {
	[FIELD_FAMILY] = {VARIABLE_FAMILY, 1},
	[FIELD_STATE] = {VARIABLE_STATE, 3},
	[FIELD_PROTOCOL] = {VARIABLE_PROTOCOL, 8},
	[FIELD_PORT] = {VARIABLE_PORT, 16},
	[FIELD_SOURCE_PORT] = {VARIABLE_SOURCE_PORT, 16},
	[FIELD_FLAGS] = {VARIABLE_FLAGS, 8},
	[FIELD_FRAGMENT] = {VARIABLE_FRAGMENT, 1},
	[FIELD_IN] = {VARIABLE_IN, NAME_BYTES * 8},
	[FIELD_OUT] = {VARIABLE_OUT, NAME_BYTES * 8},
	[FIELD_SOURCE] = {VARIABLE_SOURCE, 128},
	[FIELD_DESTINATION] = {VARIABLE_DESTINATION, 128},
};

enum packet_field field_of(unsigned variable)
{
	enum packet_field field = 0;

	while (field < FIELD_COUNT && variable - field_places[field].variable >= field_places[field].width)
		field++;
	return field;
}

/* --- ranges --- */

/* Sorted, disjoint ranges of a number whose first bit is `variable`; `at` is the first that is not behind us. */
struct builder {
	const struct range *ranges;
	size_t count, at;
	unsigned variable;
};

/* The part of them from first to last, all numbers with the same bits before `bit`. Each range is passed once, and each
 * call that goes on makes at most one node. */
static int build(struct builder *builder, unsigned bit, addr_bits first, addr_bits last)
{
	addr_bits middle = first + (last - first) / 2;
	const struct range *range;
	int zero, one;

	while (builder->at < builder->count && builder->ranges[builder->at].last < first)
		builder->at++;
	if (builder->at == builder->count)
		return NODE_NONE;
	range = &builder->ranges[builder->at];
	if (range->first > last)
		return NODE_NONE;
	if (range->first <= first && range->last >= last)
		return NODE_ALL;
	zero = build(builder, bit + 1, first, middle);
	node_hold(zero);
	one = build(builder, bit + 1, middle + 1, last);
	node_drop(zero);
	return node_make(builder->variable + bit, zero, one);
}

static struct packets addresses(enum packet_field field, enum family family, const struct range *ranges, size_t count)
{
	struct builder builder = {.ranges = ranges, .count = count, .variable = field_places[field].variable};
	int node;

	assert(field == FIELD_SOURCE || field == FIELD_DESTINATION);
	node = build(&builder, 0, 0, family_last(family));
	return node_packets(family == FAMILY_4 ? node_make(VARIABLE_FAMILY, node, NODE_NONE)
	                                       : node_make(VARIABLE_FAMILY, NODE_NONE, node));
}

struct packets packets_addresses(enum packet_field field, const struct addr_set *set)
{
	return addresses(field, set->family, set->ranges, set->count);
}

struct packets packets_range(enum packet_field field, struct range range)
{
	return addresses(field, range.family, &range, 1);
}

struct packets packets_prefix(enum packet_field field, struct prefix prefix)
{
	return packets_range(field, prefix_range(prefix));
}

struct packets packets_numbers(enum packet_field field, unsigned first, unsigned last)
{
	struct field_place place = field_places[field];
	addr_bits most = ((addr_bits)1 << place.width) - 1;
	/* The values behind UNTRACKED are the same. */
	struct range range = {first, field == FIELD_STATE && last >= UNTRACKED_BIT ? most : last, FAMILY_4};
	struct builder builder = {.ranges = &range, .count = 1, .variable = place.variable};

	assert(place.width <= 16 && first <= last && last <= most);
	return node_packets(build(&builder, 0, 0, most));
}

struct packets packets_number(enum packet_field field, unsigned number)
{
	return packets_numbers(field, number, number);
}

struct packets packets_family(enum family family)
{
	return packets_number(FIELD_FAMILY, family == FAMILY_6);
}

struct packets packets_state(enum packet_state state)
{
	return packets_number(FIELD_STATE, state);
}

/* --- single bits --- */

static int literal(unsigned variable, bool value, int below)
{
	return value ? node_make(variable, NODE_NONE, below) : node_make(variable, below, NODE_NONE);
}

struct packets packets_bits(enum packet_field field, unsigned mask, unsigned value)
{
	struct field_place place = field_places[field];
	int node = NODE_ALL;

	assert(place.width <= 16 && field != FIELD_STATE);
	for (unsigned i = 0; i < place.width; i++)
		if (mask >> i & 1)
			node = literal(place.variable + place.width - 1 - i, value >> i & 1, node);
	return node_packets((value & ~mask) == 0 ? node : NODE_NONE);
}

/* A byte of a name, above the rest of it. */
static int name_byte(unsigned variable, unsigned char byte, int rest)
{
	for (unsigned i = 0; i < 8; i++)
		rest = literal(variable + 7 - i, byte >> i & 1, rest);
	return rest;
}

struct packets packets_interface(enum packet_field field, struct str pattern)
{
	unsigned variable = field_places[field].variable;
	bool begins = pattern.n > 0 && pattern.p[pattern.n - 1] == '+';
	size_t length = pattern.n - begins;
	int node = NODE_ALL;

	assert((field == FIELD_IN || field == FIELD_OUT) && length <= NAME_BYTES);
	if (!begins && length < NAME_BYTES)
		node = name_byte(variable + 8 * (unsigned)length, '\0', node);
	for (size_t i = length; i-- > 0;)
		node = name_byte(variable + 8 * (unsigned)i, (unsigned char)pattern.p[i], node);
	return node_packets(node);
}
