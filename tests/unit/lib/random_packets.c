/* Random formulas over random sets of packets, and every packet that matters to them. A formula is made twice: as a
 * set, and as what to ask a packet. */
#include "random_packets.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct arena *random_arena;
#define NAME_COUNT 7
void must(bool true_here)
{
	if (!true_here)
		ck_abort_msg("a packet is not where it belongs");
}

unsigned below(unsigned limit)
{
	return (unsigned)random() % limit;
}

/* --- atoms: what a rule may say, as a set and as a predicate --- */

const char *const conditions[CONDITIONS] = {"time", "limit: 3/minute", "a mark"};

static const char *const names[NAME_COUNT] = {"", "e", "eth", "eth0", "lo", "abcdefghijklmn", "abcdefghijklmno"};
addr_bits random_address(enum family family)
{
	addr_bits bits = (addr_bits)random() << 96 ^ (addr_bits)random() << 70 ^ (addr_bits)random() << 31 ^ below(4);

	return bits & family_last(family);
}

static struct range random_range(enum family family)
{
	addr_bits a = random_address(family), b = below(2) == 0 ? a + below(1000) : random_address(family);

	b &= family_last(family);
	return a <= b ? (struct range){a, b, family} : (struct range){b, a, family};
}

static struct range random_prefix(enum family family)
{
	struct prefix prefix = {{random_address(family), family}, below(family_width(family) + 1)};
	unsigned host = family_width(family) - prefix.length;

	prefix.addr.bits = host == 128 ? 0 : prefix.addr.bits >> host << host;
	return prefix_range(prefix);
}

static void random_addresses(struct atom *atom)
{
	enum family family = below(2) == 0 ? FAMILY_4 : FAMILY_6;

	atom->kind = (enum atom_kind)(ATOM_PREFIX + below(3));
	atom->range_count = atom->kind == ATOM_LIST ? below(4) : 1;
	for (unsigned i = 0; i < atom->range_count; i++)
		atom->ranges[i] = atom->kind == ATOM_PREFIX ? random_prefix(family) : random_range(family);
	if (atom->kind == ATOM_LIST) {
		struct addr_set set = addr_set_of(random_arena, family, atom->ranges, atom->range_count);

		atom->first = family;
		atom->range_count = (unsigned)set.count;
		for (unsigned i = 0; i < set.count; i++)
			atom->ranges[i] = set.ranges[i];
	}
}

unsigned most_of(enum packet_field field)
{
	static const unsigned most[] = {[FIELD_FAMILY] = 1,   [FIELD_STATE] = STATE_COUNT - 1,
	                                [FIELD_PROTOCOL] = 255, [FIELD_PORT] = 65535,
	                                [FIELD_SOURCE_PORT] = 65535, [FIELD_FLAGS] = 7,
	                                [FIELD_FRAGMENT] = 1};

	return most[field];
}

static struct atom random_atom(enum packet_field field)
{
	struct atom atom = {.kind = ATOM_NUMBERS, .field = field};

	if (field == FIELD_COUNT || below(8) == 0) {
		atom.kind = ATOM_CONDITION;
		atom.first = below(CONDITIONS);
	} else if (field == FIELD_SOURCE || field == FIELD_DESTINATION) {
		random_addresses(&atom);
	} else if (field == FIELD_IN || field == FIELD_OUT) {
		atom.kind = ATOM_NAME;
		atom.pattern = str_format(random_arena, "%s%s", names[below(NAME_COUNT)], below(2) == 0 ? "+" : "");
	} else if (field == FIELD_FLAGS) {
		atom.kind = ATOM_BITS;
		atom.first = below(8);
		atom.last = below(8);
	} else {
		atom.first = below(most_of(field) + 1);
		atom.last = below(2) == 0 ? atom.first : atom.first + below(most_of(field) - atom.first + 1);
	}
	return atom;
}

static struct packets atom_set(const struct atom *atom)
{
	struct addr_set list = {(enum family)atom->first, (struct range *)atom->ranges, atom->range_count};
	struct prefix prefix;

	switch (atom->kind) {
	case ATOM_NUMBERS:
		return packets_numbers(atom->field, atom->first, atom->last);
	case ATOM_BITS:
		return packets_bits(atom->field, atom->first, atom->last);
	case ATOM_NAME:
		return packets_interface(atom->field, atom->pattern);
	case ATOM_PREFIX:
		ck_assert(range_prefix(atom->ranges[0], &prefix));
		return packets_prefix(atom->field, prefix);
	case ATOM_RANGE:
		return packets_range(atom->field, atom->ranges[0]);
	case ATOM_LIST:
		return packets_addresses(atom->field, &list);
	case ATOM_CONDITION:
		break;
	}
	return packets_condition(str_of(conditions[atom->first]));
}

/* --- a packet as values, one for each field; each value stands for all that no atom tells from it --- */

unsigned number_of(const struct sample *sample, enum packet_field field)
{
	const unsigned numbers[] = {[FIELD_FAMILY] = sample->family == FAMILY_6,
	                            [FIELD_STATE] = sample->state,
	                            [FIELD_PROTOCOL] = sample->protocol,
	                            [FIELD_PORT] = sample->port,
	                            [FIELD_SOURCE_PORT] = sample->source_port,
	                            [FIELD_FLAGS] = sample->flags,
	                            [FIELD_FRAGMENT] = sample->fragment};

	return numbers[field];
}

static void set_number(struct sample *sample, enum packet_field field, unsigned number)
{
	switch (field) {
	case FIELD_FAMILY:
		sample->family = number == 0 ? FAMILY_4 : FAMILY_6;
		sample->source.family = sample->destination.family = sample->family;
		return;
	case FIELD_STATE:
		sample->state = (enum packet_state)number;
		return;
	case FIELD_PROTOCOL:
		sample->protocol = number;
		return;
	case FIELD_PORT:
		sample->port = number;
		return;
	case FIELD_SOURCE_PORT:
		sample->source_port = number;
		return;
	case FIELD_FLAGS:
		sample->flags = number;
		return;
	case FIELD_FRAGMENT:
		sample->fragment = number == 1;
		return;
	default:
		ck_abort_msg("no number");
	}
}

struct addr addr_of(const struct sample *sample, enum packet_field field)
{
	return field == FIELD_SOURCE ? sample->source : sample->destination;
}

static bool name_is(struct str name, struct str pattern)
{
	if (str_ends(pattern, STR("+")))
		return str_starts(name, str_slice(pattern, 0, pattern.n - 1));
	return str_eq(name, pattern);
}

bool condition_holds(const struct sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->condition_count; i++)
		if (str_is(sample->conditions[i], name))
			return true;
	return false;
}

static bool atom_has(const struct atom *atom, const struct sample *sample)
{
	if (atom->kind == ATOM_CONDITION)
		return condition_holds(sample, conditions[atom->first]);
	if (atom->kind == ATOM_NAME)
		return name_is(atom->field == FIELD_IN ? sample->in : sample->out, atom->pattern);
	if (atom->kind == ATOM_BITS)
		return (sample->flags & atom->first) == atom->last;
	if (atom->kind == ATOM_NUMBERS)
		return number_of(sample, atom->field) >= atom->first && number_of(sample, atom->field) <= atom->last;
	for (unsigned i = 0; i < atom->range_count; i++) {
		struct addr addr = addr_of(sample, atom->field);

		if (atom->ranges[i].family == addr.family && atom->ranges[i].first <= addr.bits &&
		    addr.bits <= atom->ranges[i].last)
			return true;
	}
	return false;
}

/* --- formulas: a few operations, each of what is before it --- */

static struct formula random_formula(const enum packet_field *fields, unsigned field_count)
{
	struct formula formula = {0};
	struct packets sets[ATOMS + STEPS];

	for (unsigned i = 0; i < ATOMS; i++) {
		formula.atoms[i] = random_atom(fields[below(field_count)]);
		sets[i] = atom_set(&formula.atoms[i]);
	}
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned operation = formula.steps[i].operation = below(5);
		struct packets a = sets[formula.steps[i].a = below(ATOMS + i)];
		struct packets b = sets[formula.steps[i].b = below(ATOMS + i)];
		struct packets c = sets[formula.steps[i].c = below(ATOMS + i)];

		sets[ATOMS + i] = operation == 0   ? packets_and(a, b)
		                  : operation == 1 ? packets_or(a, b)
		                  : operation == 2 ? packets_without(a, b)
		                  : operation == 3 ? packets_not(a)
		                                   : packets_if(a, b, c);
	}
	formula.set = sets[ATOMS + STEPS - 1];
	return formula;
}

bool formula_has(const struct formula *formula, const struct sample *sample)
{
	bool has[ATOMS + STEPS];

	for (unsigned i = 0; i < ATOMS; i++)
		has[i] = atom_has(&formula->atoms[i], sample);
	for (unsigned i = 0; i < STEPS; i++) {
		bool a = has[formula->steps[i].a], b = has[formula->steps[i].b], c = has[formula->steps[i].c];

		switch (formula->steps[i].operation) {
		case 0:
			has[ATOMS + i] = a && b;
			break;
		case 1:
			has[ATOMS + i] = a || b;
			break;
		case 2:
			has[ATOMS + i] = a && !b;
			break;
		case 3:
			has[ATOMS + i] = !a;
			break;
		default:
			has[ATOMS + i] = a ? b : c;
		}
	}
	return has[ATOMS + STEPS - 1];
}

/* --- the values that matter --- */

static void add_value(struct values *values, addr_bits value)
{
	for (unsigned i = 0; i < values->count; i++)
		if (values->of[i] == value)
			return;
	must(values->count < 64);
	values->of[values->count++] = value;
}

/* The first number, the last, and both sides of each end: every class of numbers that no atom tells apart has one. */
static void add_edges(struct values *values, addr_bits first, addr_bits last, addr_bits most)
{
	add_value(values, 0);
	add_value(values, most);
	add_value(values, first);
	add_value(values, last);
	add_value(values, first == 0 ? 0 : first - 1);
	add_value(values, last == most ? most : last + 1);
}

static struct values values_of(const struct formula *formula, enum packet_field field, enum family family)
{
	struct values values = {0};

	add_value(&values, 0);
	if (field == FIELD_FAMILY || field == FIELD_STATE || field == FIELD_FLAGS || field == FIELD_FRAGMENT)
		for (unsigned i = 0; i <= most_of(field); i++)
			add_value(&values, i);
	if (field == FIELD_IN || field == FIELD_OUT)
		for (unsigned i = 0; i < 2 * NAME_COUNT - 1; i++) /* a name of 16 bytes there is not */
			add_value(&values, i);
	if (field == FIELD_COUNT)
		for (unsigned i = 0; i < 1 << CONDITIONS; i++)
			add_value(&values, i);
	for (unsigned i = 0; i < ATOMS; i++) {
		const struct atom *atom = &formula->atoms[i];

		if (atom->field != field)
			continue;
		if (atom->kind == ATOM_NUMBERS)
			add_edges(&values, atom->first, atom->last, most_of(field));
		for (unsigned j = 0; j < atom->range_count; j++)
			if (atom->ranges[j].family == family)
				add_edges(&values, atom->ranges[j].first, atom->ranges[j].last, family_last(family));
	}
	return values;
}

/* Each name, and each with a letter more. */
static struct str name_value(unsigned value)
{
	static const char *const more[NAME_COUNT] = {"x",   "ex",  "ethx", "eth0x",
	                                             "lox", "abcdefghijklmnx", "abcdefghijklmnox"};

	return str_of(value < NAME_COUNT ? names[value] : more[value - NAME_COUNT]);
}

void set_value(struct sample *sample, enum packet_field field, addr_bits value)
{
	static struct str holding[CONDITIONS];

	if (field == FIELD_COUNT) {
		sample->conditions = holding;
		sample->condition_count = 0;
		for (unsigned i = 0; i < CONDITIONS; i++)
			if (value >> i & 1)
				holding[sample->condition_count++] = str_of(conditions[i]);
	} else if (field == FIELD_IN || field == FIELD_OUT) {
		*(field == FIELD_IN ? &sample->in : &sample->out) = name_value((unsigned)value);
	} else if (field == FIELD_SOURCE || field == FIELD_DESTINATION) {
		(field == FIELD_SOURCE ? &sample->source : &sample->destination)->bits = value;
	} else {
		set_number(sample, field, (unsigned)value);
	}
}

/* --- every packet that matters --- */

bool has(const struct round *round, const struct sample *sample)
{
	return formula_has(&round->formulas[0], sample);
}

struct values round_values(const struct round *round, enum packet_field field, enum family family)
{
	struct values values = values_of(&round->formulas[0], field, family);
	struct values more = values_of(&round->formulas[1], field, family);

	for (unsigned i = 0; i < more.count; i++)
		add_value(&values, more.of[i]);
	return values;
}

static void each_from(struct round *round, unsigned place)
{
	enum packet_field field = place < 3 ? round->fields[place] : FIELD_COUNT;
	struct values values;

	if (place > 3) {
		round->each(round, &round->sample);
		return;
	}
	if (place < 3 && (field == FIELD_COUNT || field == FIELD_FAMILY)) {
		each_from(round, place + 1);
		return;
	}
	values = round_values(round, field, round->sample.family);
	for (unsigned i = 0; i < values.count; i++) {
		set_value(&round->sample, field, values.of[i]);
		each_from(round, place + 1);
	}
}

void each_packet(struct round *round, void (*each)(struct round *round, const struct sample *sample))
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};

	round->each = each;
	for (unsigned i = 0; i < 2; i++) {
		round->sample = (struct sample){.family = families[i],
		                                .source.family = families[i],
		                                .destination.family = families[i]};
		each_from(round, 0);
	}
}

void random_round(struct round *round, unsigned number, unsigned field_count)
{
	enum packet_field first = (enum packet_field)(number % FIELD_COUNT), last = FIELD_COUNT;

	memset(round, 0, sizeof *round);
	round->fields[0] = first;
	for (unsigned i = 1; i < 3; i++) {
		first = first + 1 + (enum packet_field)below(3);
		round->fields[i] = first < last && i < field_count ? first : last;
	}
	for (unsigned i = 0; i < 2; i++)
		round->formulas[i] = random_formula(round->fields, field_count);
}
