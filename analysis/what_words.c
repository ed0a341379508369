/* What a set of packets says of protocols, ports and interfaces, in words: protocols with the same ports share one,
 * interfaces with the same protocols and ports as well. It looks at no addresses. */
#include "what_words.h"

#include "difference_parts.h"
#include "fleetwall/buf.h"

#define LO STR("lo")
#define NUMBERS 65536

/* --- interfaces --- */

struct cell {
	struct str pattern; /* "+": every name */
	size_t parent;      /* of the first, itself */
	struct packets packets;
};

struct interface_cells {
	struct cell *items;
	size_t count;
};

static struct str literal_of(struct str pattern)
{
	return str_ends(pattern, STR("+")) ? str_slice(pattern, 0, pattern.n - 1) : pattern;
}

static bool pattern_covers(struct str outer, struct str inner)
{
	return str_ends(outer, STR("+")) && str_starts(literal_of(inner), literal_of(outer));
}

/* Those that cover others come first: a pattern before the names that it stands for. */
static bool comes_before(struct str a, struct str b)
{
	size_t length[] = {literal_of(a).n, literal_of(b).n};

	if (length[0] != length[1])
		return length[0] < length[1];
	return a.n != b.n ? a.n > b.n : str_cmp(a, b) < 0;
}

static bool has_pattern(const struct interface_cells *cells, struct str pattern)
{
	for (size_t i = 0; i < cells->count; i++)
		if (str_eq(cells->items[i].pattern, pattern))
			return true;
	return false;
}

static void add_cell(struct interface_cells *cells, struct str pattern)
{
	size_t place = cells->count;

	if (str_eq(pattern, LO) || has_pattern(cells, pattern))
		return;
	for (; place > 0 && comes_before(pattern, cells->items[place - 1].pattern); place--)
		cells->items[place] = cells->items[place - 1];
	cells->items[place] = (struct cell){.pattern = pattern};
	cells->count++;
}

static void find_packets(struct interface_cells *cells)
{
	for (size_t i = 0; i < cells->count; i++) {
		struct cell *cell = &cells->items[i];

		cell->packets = packets_without(packets_interface(FIELD_IN, cell->pattern),
		                                packets_interface(FIELD_IN, LO));
		for (size_t k = 0; k < i; k++)
			if (pattern_covers(cells->items[k].pattern, cell->pattern))
				cell->parent = k;
	}
	for (size_t i = cells->count; i-- > 1;)
		for (size_t k = i; k-- > 0;)
			if (pattern_covers(cells->items[k].pattern, cells->items[i].pattern))
				cells->items[k].packets =
					packets_without(cells->items[k].packets,
				                        packets_interface(FIELD_IN, cells->items[i].pattern));
	for (size_t i = 0; i < cells->count; i++)
		packets_keep(cells->items[i].packets);
}

struct interface_cells *interface_cells(struct arena *arena, const struct str *patterns, size_t count)
{
	struct interface_cells *cells = ARENA_NEW(arena, struct interface_cells);

	cells->items = ARENA_ARRAY(arena, struct cell, count + 1);
	add_cell(cells, STR("+"));
	for (size_t i = 0; i < count; i++)
		add_cell(cells, patterns[i]);
	find_packets(cells);
	return cells;
}

/* --- protocols and ports --- */

static void add_word(struct arena *arena, struct word_list *words, struct str word)
{
	if (!str_among(word, words->items, words->count))
		APPEND(arena, words, word);
}

/* Protocols that have the same ports. */
struct class {
	struct packets ports;
	struct numbers *protocols;
	size_t count, all;
};

struct class_list {
	struct class *items;
	size_t count, capacity;
};

static void note_protocol(struct arena *arena, struct class_list *classes, struct packets shape, unsigned protocol)
{
	struct packets ports = packets_any(packets_and(shape, packets_number(FIELD_PROTOCOL, protocol)),
	                                   FIELD_PROTOCOL);
	struct class *class;
	size_t i = 0;

	while (i < classes->count && !packets_eq(classes->items[i].ports, ports))
		i++;
	if (i == classes->count)
		APPEND(arena, classes, ((struct class){ports, ARENA_ARRAY(arena, struct numbers, 256), 0, 0}));
	class = &classes->items[i];
	if (class->count > 0 && class->protocols[class->count - 1].last + 1 == protocol)
		class->protocols[class->count - 1].last = protocol;
	else
		class->protocols[class->count++] = (struct numbers){protocol, protocol};
	class->all++;
}

static void say_protocols(struct arena *arena, const struct class *class, struct numbers *protocols, size_t count,
                          enum family family, struct str behind, struct word_list *words)
{
	struct difference_group group = {.protocols = protocols, .protocol_count = count};
	struct buf buf = buf_new(arena);

	group.port_count = packets_number_set(arena, class->ports, FIELD_PORT, &group.ports);
	words_what(arena, family, &group);
	buf_add(&buf, group.what);
	buf_add(&buf, behind);
	add_word(arena, words, buf_str(&buf));
}

static size_t count_numbers(struct arena *arena, const struct class *class)
{
	struct numbers *ports;
	size_t count = packets_number_set(arena, class->ports, FIELD_PORT, &ports), all = 0;

	for (size_t i = 0; i < count; i++)
		all += ports[i].last - ports[i].first + 1;
	return all;
}

/* Ports are of one protocol in the rule language: then each has a word of its own. */
static void say_class(struct arena *arena, const struct class *class, enum family family, struct str behind,
                      struct word_list *words)
{
	size_t ports = count_numbers(arena, class);

	words->numbers += ports * class->all;
	if (ports == NUMBERS) {
		say_protocols(arena, class, class->protocols, class->count, family, behind, words);
		return;
	}
	for (size_t i = 0; i < class->count; i++)
		for (unsigned k = class->protocols[i].first; k <= class->protocols[i].last; k++) {
			struct numbers *one = ARENA_NEW(arena, struct numbers);

			*one = (struct numbers){k, k};
			say_protocols(arena, class, one, 1, family, behind, words);
		}
}

/* Protocol and port, and nothing else. */
static struct packets shape_of(struct packets set)
{
	static const enum packet_field others[] = {FIELD_FAMILY, FIELD_STATE, FIELD_SOURCE_PORT, FIELD_FLAGS,
	                                           FIELD_FRAGMENT, FIELD_IN, FIELD_OUT, FIELD_SOURCE,
	                                           FIELD_DESTINATION};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		set = packets_any(set, others[i]);
	return set;
}

static void say_shape(struct arena *arena, struct packets shape, enum family family, struct str behind,
                      struct word_list *words)
{
	struct class_list classes = {0};
	struct numbers *protocols;
	size_t count = packets_number_set(arena, shape, FIELD_PROTOCOL, &protocols);

	for (size_t i = 0; i < count; i++)
		for (unsigned k = protocols[i].first; k <= protocols[i].last; k++)
			note_protocol(arena, &classes, shape, k);
	for (size_t i = 0; i < classes.count; i++)
		say_class(arena, &classes.items[i], family, behind, words);
}

/* --- both --- */

struct parts {
	const struct interface_cells *cells;
	struct packets *shapes; /* by cell */
	bool *said;
};

/* The cell that begins a run of cells with the same shape, each within the next. */
static size_t top_of(const struct parts *parts, size_t cell)
{
	size_t parent = parts->cells->items[cell].parent;

	while (cell != parent && packets_eq(parts->shapes[parent], parts->shapes[cell])) {
		cell = parent;
		parent = parts->cells->items[cell].parent;
	}
	return cell;
}

static void say_top(struct buf *buf, const struct parts *parts, size_t top)
{
	const struct cell *cells = parts->cells->items;
	size_t but = 0;

	buf_add(buf, top == 0 ? STR("any") : cells[top].pattern);
	for (size_t i = top + 1; i < parts->cells->count; i++) {
		if (packets_eq(parts->shapes[i], parts->shapes[top]) || top_of(parts, cells[i].parent) != top)
			continue;
		buf_add(buf, but++ > 0 ? STR(", ") : STR(" but "));
		buf_add(buf, cells[i].pattern);
	}
}

/* " on eth0, wg+": where packets of that shape come in. Empty: anywhere. */
static struct str say_interfaces(struct arena *arena, const struct parts *parts, struct packets shape)
{
	struct buf buf = buf_new(arena);
	bool everywhere = true;

	for (size_t i = 0; i < parts->cells->count; i++) {
		if (!packets_eq(parts->shapes[i], shape)) {
			everywhere = false;
			continue;
		}
		parts->said[i] = true;
		if (top_of(parts, i) != i)
			continue;
		buf_add(&buf, buf.n > 0 ? STR(", ") : STR(" on "));
		say_top(&buf, parts, i);
	}
	return everywhere ? STR("") : buf_str(&buf);
}

void what_words(struct arena *arena, struct packets set, enum family family, const struct interface_cells *cells,
                struct word_list *words)
{
	size_t mark = packets_mark();
	struct parts parts = {.cells = cells};

	if (cells == NULL) {
		say_shape(arena, shape_of(set), family, STR(""), words);
		packets_release(mark);
		return;
	}
	parts.shapes = ARENA_ARRAY(arena, struct packets, cells->count);
	parts.said = ARENA_ARRAY(arena, bool, cells->count);
	for (size_t i = 0; i < cells->count; i++)
		parts.shapes[i] = shape_of(packets_and(set, cells->items[i].packets));
	for (size_t i = 0; i < cells->count; i++)
		if (!packets_empty(parts.shapes[i]) && !parts.said[i])
			say_shape(arena, parts.shapes[i], family, say_interfaces(arena, &parts, parts.shapes[i]),
			          words);
	packets_release(mark);
}

void what_words_end(struct arena *arena, struct word_list *words)
{
	size_t kept = 0;

	for (size_t i = 0; i < words->count; i++) {
		struct str *word = &words->items[i], rest = str_slice(*word, 6, word->n);

		if (!str_starts(*word, STR("icmpv4")))
			continue;
		for (size_t k = 0; k < words->count; k++) {
			struct str *other = &words->items[k];

			if (!str_starts(*other, STR("icmpv6")) || !str_eq(str_slice(*other, 6, other->n), rest))
				continue;
			*word = str_format(arena, "icmp%.*s", STR_ARG(rest));
			other->n = 0;
			break;
		}
	}
	for (size_t i = 0; i < words->count; i++)
		if (words->items[i].n > 0)
			words->items[kept++] = words->items[i];
	words->count = kept;
}
