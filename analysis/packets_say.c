/* What a set of packets says: one packet of it, whether a packet is in it, the addresses and numbers that occur, the
 * conditions that it depends on. It walks diagrams and changes none. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "packets_nodes.h"

/* A packet as the bits of its fields; those of the addresses follow those of the names. */
#define FIELD_BITS (VARIABLE_CONDITION + 2 * 128)

struct bits {
	bool of[FIELD_BITS];
};

static bool is_condition(unsigned variable)
{
	return field_of(variable) == FIELD_COUNT;
}

static size_t bit_place(unsigned variable)
{
	return variable < VARIABLE_CONDITION ? variable : variable - CONDITIONS_ABOVE;
}

static addr_bits bits_number(const struct bits *bits, unsigned variable, unsigned width)
{
	const bool *of = &bits->of[bit_place(variable)];
	addr_bits number = 0;

	for (unsigned i = 0; i < width; i++)
		number = number << 1 | of[i];
	return number;
}

static void set_bits(struct bits *bits, unsigned variable, unsigned width, addr_bits number)
{
	bool *of = &bits->of[bit_place(variable)];

	for (unsigned i = width; i-- > 0; number >>= 1)
		of[i] = number & 1;
}

/* --- one packet --- */

static unsigned field_number(const struct bits *bits, enum packet_field field)
{
	return (unsigned)bits_number(bits, field_places[field].variable, field_places[field].width);
}

static struct str field_name(struct arena *arena, const struct bits *bits, enum packet_field field)
{
	char *name = arena_alloc(arena, NAME_BYTES);
	size_t length = 0;

	for (; length < NAME_BYTES; length++) {
		name[length] = (char)bits_number(bits, field_places[field].variable + 8 * (unsigned)length, 8);
		if (name[length] == '\0')
			break;
	}
	return (struct str){name, length};
}

static struct addr field_addr(const struct bits *bits, enum packet_field field, enum family family)
{
	return (struct addr){bits_number(bits, field_places[field].variable, family_width(family)), family};
}

static void say_fields(struct arena *arena, const struct bits *bits, struct sample *sample)
{
	unsigned state = field_number(bits, FIELD_STATE);

	sample->family = field_number(bits, FIELD_FAMILY) == 0 ? FAMILY_4 : FAMILY_6;
	sample->state = state >= UNTRACKED_BIT ? STATE_UNTRACKED : (enum packet_state)state;
	sample->protocol = field_number(bits, FIELD_PROTOCOL);
	sample->port = field_number(bits, FIELD_PORT);
	sample->source_port = field_number(bits, FIELD_SOURCE_PORT);
	sample->flags = field_number(bits, FIELD_FLAGS);
	sample->fragment = field_number(bits, FIELD_FRAGMENT) == 1;
	sample->in = field_name(arena, bits, FIELD_IN);
	sample->out = field_name(arena, bits, FIELD_OUT);
	sample->source = field_addr(bits, FIELD_SOURCE, sample->family);
	sample->destination = field_addr(bits, FIELD_DESTINATION, sample->family);
}

static void add_condition(struct arena *arena, struct sample *sample, size_t *capacity, struct str name)
{
	sample->conditions = arena_grow(arena, sample->conditions, sample->condition_count, capacity,
	                                sizeof *sample->conditions, _Alignof(struct str));
	sample->conditions[sample->condition_count++] = name;
}

/* Low wherever that leads to a packet: the least, in the order of the variables. */
bool packets_sample(struct arena *arena, struct packets set, struct sample *sample)
{
	struct bits bits = {0};
	size_t capacity = 0;
	int node = set.node;

	*sample = (struct sample){0};
	if (node == NODE_NONE)
		return false;
	while (node != NODE_ALL) {
		unsigned variable = node_variable(node);
		bool high = node_low(node) == NODE_NONE;

		if (!is_condition(variable)) {
			sample->needs[field_of(variable)] = true;
			bits.of[bit_place(variable)] = high;
		} else if (high) {
			add_condition(arena, sample, &capacity, condition_name(variable));
		}
		node = high ? node_high(node) : node_low(node);
	}
	say_fields(arena, &bits, sample);
	return true;
}

static void set_name(struct bits *bits, enum packet_field field, struct str name)
{
	assert(name.n <= NAME_BYTES);
	for (unsigned i = 0; i < name.n; i++)
		set_bits(bits, field_places[field].variable + 8 * i, 8, (unsigned char)name.p[i]);
}

static void set_field(struct bits *bits, enum packet_field field, addr_bits number)
{
	set_bits(bits, field_places[field].variable, field_places[field].width, number);
}

static void set_fields(struct bits *bits, const struct sample *sample)
{
	unsigned width = family_width(sample->family);

	set_field(bits, FIELD_FAMILY, sample->family == FAMILY_6);
	set_field(bits, FIELD_STATE, sample->state);
	set_field(bits, FIELD_PROTOCOL, sample->protocol);
	set_field(bits, FIELD_PORT, sample->port);
	set_field(bits, FIELD_SOURCE_PORT, sample->source_port);
	set_field(bits, FIELD_FLAGS, sample->flags);
	set_field(bits, FIELD_FRAGMENT, sample->fragment);
	set_name(bits, FIELD_IN, sample->in);
	set_name(bits, FIELD_OUT, sample->out);
	set_bits(bits, VARIABLE_SOURCE, width, sample->source.bits);
	set_bits(bits, VARIABLE_DESTINATION, width, sample->destination.bits);
}

bool packets_have(struct packets set, const struct sample *sample)
{
	struct bits bits = {0};
	int node = set.node;

	set_fields(&bits, sample);
	while (node > NODE_ALL) {
		unsigned variable = node_variable(node);
		bool high = is_condition(variable)
		                    ? str_among(condition_name(variable), sample->conditions, sample->condition_count)
		                    : bits.of[bit_place(variable)];

		node = high ? node_high(node) : node_low(node);
	}
	return node == NODE_ALL;
}

/* --- all the values of a field --- */

struct collector {
	struct arena *arena;
	struct range *items;
	size_t count, capacity;
	enum family family;
	unsigned variable, width;
};

/* They come in order; one that touches the last makes it longer. */
static void collect_range(struct collector *collector, addr_bits first, addr_bits last)
{
	struct range range = {first, last, collector->family};

	if (collector->count > 0 && collector->items[collector->count - 1].last + 1 == first)
		collector->items[collector->count - 1].last = last;
	else
		APPEND(collector->arena, collector, range);
}

/* `value` has the bits before `bit`. */
static void collect(struct collector *collector, int node, unsigned bit, addr_bits value)
{
	bool here;

	if (node == NODE_NONE)
		return;
	if (node == NODE_ALL) {
		addr_bits rest = collector->width - bit == 128
		                         ? ~(addr_bits)0
		                         : ((addr_bits)1 << (collector->width - bit)) - 1;
		value = bit == 0 ? 0 : value << (collector->width - bit);
		collect_range(collector, value, value | rest);
		return;
	}
	here = node_variable(node) == collector->variable + bit;
	collect(collector, here ? node_low(node) : node, bit + 1, value << 1);
	collect(collector, here ? node_high(node) : node, bit + 1, value << 1 | 1);
}

static void collect_field(struct collector *collector, struct packets set, enum packet_field field)
{
	size_t mark = packets_mark();

	collector->variable = field_places[field].variable;
	collect(collector, node_only(set.node, field), 0, 0);
	packets_release(mark);
}

struct addr_set packets_addr_set(struct arena *arena, struct packets set, enum packet_field field, enum family family)
{
	struct collector collector = {.arena = arena, .family = family, .width = family_width(family)};
	size_t mark = packets_mark();

	assert(field == FIELD_SOURCE || field == FIELD_DESTINATION);
	collect_field(&collector, packets_and(set, packets_family(family)), field);
	packets_release(mark);
	return (struct addr_set){family, collector.items, collector.count};
}

size_t packets_number_set(struct arena *arena, struct packets set, enum packet_field field, struct numbers **numbers)
{
	struct collector collector = {.arena = arena, .family = FAMILY_4, .width = field_places[field].width};

	assert(collector.width <= 16);
	collect_field(&collector, set, field);
	*numbers = ARENA_ARRAY(arena, struct numbers, collector.count);
	for (size_t i = 0; i < collector.count; i++)
		(*numbers)[i] = (struct numbers){(unsigned)collector.items[i].first, (unsigned)collector.items[i].last};
	if (field == FIELD_STATE && collector.count > 0 && (*numbers)[collector.count - 1].last > STATE_UNTRACKED)
		(*numbers)[collector.count - 1].last = STATE_UNTRACKED;
	return collector.count;
}

/* --- what it depends on --- */

size_t packets_conditions(struct arena *arena, struct packets set, struct str **names)
{
	struct arena *scratch = arena_new();
	const bool *variables = node_variables(scratch, set.node);
	struct sample found = {0};
	size_t capacity = 0;

	for (unsigned i = 0; i < node_variable_count(); i++)
		if (variables[i] && is_condition(i))
			add_condition(arena, &found, &capacity, condition_name(i));
	arena_free(scratch);
	*names = found.conditions;
	if (found.condition_count > 0)
		qsort(found.conditions, found.condition_count, sizeof *found.conditions, str_order);
	return found.condition_count;
}

bool packets_depends(struct packets set, enum packet_field field)
{
	struct arena *scratch = arena_new();
	const bool *variables = node_variables(scratch, set.node);
	bool depends = false;

	for (unsigned i = 0; i < node_variable_count(); i++)
		depends |= variables[i] && field_of(i) == field;
	arena_free(scratch);
	return depends;
}
