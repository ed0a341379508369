/* Sets of cells as rules: for each interface that the filter names the addresses that belong together, for these the
 * protocols and ports. A set that is one rule gives one rule; what the language has no words for (all interfaces but
 * one, most protocols) is left out. */
#include "takeover.h"

enum { CLASSES_MOST = 64, PROTOCOLS_MOST = 32, PORTS_MOST = 65535, CODES_MOST = 255, TYPE_MOST = 254 };

struct cutting {
	struct arena *arena;
	const struct space *space;
	struct piece_list *pieces;
	struct str interface; /* of the pieces that come */
	struct packets wanted;
	struct packets within; /* cells that may be taken */
	enum packet_field peer;
};

static struct packets of_family(const struct cutting *cutting, struct packets cells)
{
	return packets_and(cells, packets_family(cutting->space->family));
}

/* Cells of which every address is in `set`. */
static struct packets for_all_peers(const struct cutting *cutting, struct packets addresses, struct packets set)
{
	return of_family(cutting, packets_not(packets_any(packets_without(addresses, set), cutting->peer)));
}

/* --- what --- */

struct whats {
	struct what *items;
	size_t count, capacity;
};

static void add_icmp(const struct cutting *cutting, struct whats *whats, int type, int code)
{
	bool v4 = cutting->space->family == FAMILY_4;
	struct what what = {.kind = WHAT_ICMP, .icmp4 = v4, .icmp6 = !v4, .icmp_name = ICMP_ANY, .icmp_code = code};

	if (type >= 0) {
		what.icmp_name = ICMP_NUMBER;
		what.icmp_type = (uint8_t)type;
	}
	APPEND(cutting->arena, whats, what);
}

static bool has_range(const struct numbers *numbers, size_t count, unsigned first, unsigned last)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i].first <= first && last <= numbers[i].last)
			return true;
	return false;
}

struct numbers_of {
	struct numbers *needed, *within;
	size_t needed_count, within_count;
};

/* One type of ICMP: whole where it may be whole, else its codes. */
static void cut_type(const struct cutting *cutting, struct whats *whats, const struct numbers_of *numbers,
                     unsigned type)
{
	if (has_range(numbers->within, numbers->within_count, type << 8, type << 8 | CODES_MOST)) {
		add_icmp(cutting, whats, (int)type, -1);
		return;
	}
	for (unsigned code = 0; code <= CODES_MOST; code++)
		if (has_range(numbers->needed, numbers->needed_count, type << 8 | code, type << 8 | code))
			add_icmp(cutting, whats, (int)type, (int)code);
}

static void cut_types(const struct cutting *cutting, struct whats *whats, const struct numbers_of *numbers)
{
	for (unsigned type = 0; type <= TYPE_MOST; type++) {
		bool some = false;

		for (size_t i = 0; i < numbers->needed_count && !some; i++)
			some = numbers->needed[i].first <= (type << 8 | CODES_MOST) &&
			       type << 8 <= numbers->needed[i].last;
		if (some)
			cut_type(cutting, whats, numbers, type);
	}
}

static void cut_ports(const struct cutting *cutting, struct whats *whats, const struct numbers_of *numbers,
                      uint8_t protocol)
{
	struct what what = {.kind = WHAT_PORTS, .protocol = protocol, .icmp_code = -1};

	what.ports = ARENA_ARRAY(cutting->arena, struct port_range, numbers->needed_count);
	for (size_t i = 0; i < numbers->needed_count; i++)
		what.ports[what.port_count++] =
			(struct port_range){(uint16_t)numbers->needed[i].first, (uint16_t)numbers->needed[i].last};
	APPEND(cutting->arena, whats, what);
}

static void cut_protocol(const struct cutting *cutting, struct whats *whats, struct packets needed,
                         struct packets within, uint8_t protocol)
{
	struct packets one = packets_number(FIELD_PROTOCOL, protocol);
	bool icmp = protocol == (cutting->space->family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
	bool other_icmp = !icmp && (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6);
	struct numbers_of numbers = {0};

	needed = packets_and(needed, one);
	within = packets_and(within, one);
	numbers.needed_count = packets_number_set(cutting->arena, needed, FIELD_PORT, &numbers.needed);
	numbers.within_count = packets_number_set(cutting->arena, within, FIELD_PORT, &numbers.within);
	if (protocol == 0 || other_icmp)
		return;
	if (has_range(numbers.within, numbers.within_count, 0, PORTS_MOST)) {
		if (icmp)
			add_icmp(cutting, whats, -1, -1);
		else
			APPEND(cutting->arena, whats,
			       ((struct what){.kind = WHAT_PROTOCOL, .protocol = protocol, .icmp_code = -1}));
	} else if (icmp) {
		cut_types(cutting, whats, &numbers);
	} else if (protocol_has_ports(protocol)) {
		cut_ports(cutting, whats, &numbers, protocol);
	}
}

/* What must be said of protocols and ports, and what may. */
static struct whats cut_whats(const struct cutting *cutting, struct packets needed, struct packets within)
{
	struct whats whats = {0};
	struct numbers *protocols;
	size_t ranges, count = 0;

	ranges = packets_number_set(cutting->arena, needed, FIELD_PROTOCOL, &protocols);
	for (size_t i = 0; i < ranges; i++)
		count += protocols[i].last - protocols[i].first + 1;
	if (count > 1 && packets_eq(within, packets_family(cutting->space->family))) {
		APPEND(cutting->arena, &whats, ((struct what){.kind = WHAT_ALL, .icmp_code = -1}));
		return whats;
	}
	for (size_t i = 0; i < ranges && count <= PROTOCOLS_MOST; i++)
		for (unsigned k = protocols[i].first; k <= protocols[i].last; k++)
			cut_protocol(cutting, &whats, needed, within, (uint8_t)k);
	return whats;
}

/* --- what packets a what is --- */

static struct packets icmp_cells(const struct what *what)
{
	unsigned first = (unsigned)what->icmp_type << 8 | (what->icmp_code < 0 ? 0 : (unsigned)what->icmp_code);
	unsigned last = (unsigned)what->icmp_type << 8 | (what->icmp_code < 0 ? CODES_MOST : (unsigned)what->icmp_code);
	struct packets set = packets_number(FIELD_PROTOCOL, what->icmp4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);

	return what->icmp_name == ICMP_ANY ? set : packets_and(set, packets_numbers(FIELD_PORT, first, last));
}

static struct packets what_cells(const struct what *what)
{
	struct packets set = packets_none();

	if (what->kind == WHAT_ALL)
		return packets_all();
	if (what->kind == WHAT_ICMP)
		return icmp_cells(what);
	if (what->kind == WHAT_PROTOCOL)
		return packets_number(FIELD_PROTOCOL, what->protocol);
	for (size_t i = 0; i < what->port_count; i++)
		set = packets_or(set, packets_numbers(FIELD_PORT, what->ports[i].first, what->ports[i].last));
	return packets_and(set, packets_number(FIELD_PROTOCOL, what->protocol));
}

/* --- addresses that belong together --- */

static struct packets add_pieces(struct cutting *cutting, struct packets needed, struct packets within, bool any,
                                 struct packets addresses)
{
	struct whats whats = cut_whats(cutting, needed, within);
	struct packets said = packets_none(), head = of_family(cutting, addresses);

	if (cutting->interface.n > 0)
		head = packets_and(head,
		                   packets_interface(cutting->space->out ? FIELD_OUT : FIELD_IN, cutting->interface));
	for (size_t i = 0; i < whats.count; i++) {
		struct piece piece = {.family = cutting->space->family,
		                      .out = cutting->space->out,
		                      .what = whats.items[i],
		                      .interface = cutting->interface,
		                      .any = any};

		if (!any)
			piece.peers = packets_addr_set(cutting->arena, addresses, cutting->peer, piece.family);
		packets_hold(&piece.cells, packets_and(head, what_cells(&piece.what)));
		said = packets_or(said, piece.cells);
		APPEND(cutting->arena, cutting->pieces, piece);
	}
	return said;
}

/* Cells that are said of some interface, of those that may be said. */
static struct packets wanted_of(const struct cutting *cutting, struct packets within)
{
	enum packet_field field = cutting->space->out ? FIELD_OUT : FIELD_IN;

	return packets_and(packets_any(cutting->wanted, field), within);
}

/* The addresses of one protocol and port of the set. */
static struct packets addresses_of_one(struct packets set, struct packets left)
{
	struct arena *scratch = arena_new();
	struct sample sample;

	if (packets_sample(scratch, left, &sample)) {
		set = packets_and(set, packets_number(FIELD_PROTOCOL, sample.protocol));
		set = packets_and(set, packets_number(FIELD_PORT, sample.port));
	}
	arena_free(scratch);
	return packets_any(packets_any(set, FIELD_PROTOCOL), FIELD_PORT);
}

/* `left` are cells that must be said, `within` those that may, both of no interface. An address that is let through in
 * any case (a management source) is no reason to name it: it may not be let through for ever. */
static void cut(struct cutting *cutting, struct packets left, struct packets within)
{
	struct packets every = packets_family(cutting->space->family);
	struct packets open = for_all_peers(cutting, every, within);
	struct packets needed = packets_and(packets_any(left, cutting->peer), open);
	struct packets wanted = wanted_of(cutting, within);

	if (!packets_empty(needed))
		(void)add_pieces(cutting, needed, open, true, every);
	left = packets_without(left, needed);
	for (unsigned i = 0; i < CLASSES_MOST && !packets_empty(left); i++) {
		struct packets addresses = of_family(cutting, addresses_of_one(wanted, left));
		struct packets may = for_all_peers(cutting, addresses, within), same;

		/* what has these and no others; with those that may have more, where that makes a whole */
		same = packets_without(
			may, packets_any(packets_without(packets_and(left, within), addresses), cutting->peer));
		same = packets_and(same, packets_any(packets_and(left, addresses), cutting->peer));
		(void)add_pieces(cutting, same, may, false, addresses);
		left = packets_without(left, packets_and(same, addresses));
	}
}

/* --- interfaces --- */

/* Cells, without the interface, that are in `set` for all interfaces of the pattern. */
static struct packets for_all_interfaces(const struct cutting *cutting, struct str pattern, struct packets set)
{
	enum packet_field field = cutting->space->out ? FIELD_OUT : FIELD_IN;
	struct packets names = pattern.n > 0 ? packets_interface(field, pattern) : packets_all();

	if (pattern.n == 0 && packets_eq(packets_any(cutting->wanted, field), cutting->wanted))
		return packets_or(cutting->wanted, cutting->space->free_everywhere);
	return of_family(cutting, packets_not(packets_any(packets_without(of_family(cutting, names), set), field)));
}

static struct packets cut_interface(struct cutting *cutting, struct str pattern, struct packets left)
{
	enum packet_field field = cutting->space->out ? FIELD_OUT : FIELD_IN;
	struct packets here = pattern.n > 0 ? packets_and(left, packets_interface(field, pattern)) : left;
	struct packets within, taken;

	if (packets_empty(here))
		return left;
	within = for_all_interfaces(cutting, pattern, cutting->within);
	taken = packets_and(here, within);
	cutting->interface = pattern;
	if (!packets_empty(taken))
		cut(cutting, packets_any(taken, field), within);
	return packets_without(left, taken);
}

/* Then all interfaces together have none of it. */
static bool within_pattern(const struct space *space, struct packets set, struct str pattern)
{
	return packets_within(set, packets_interface(space->out ? FIELD_OUT : FIELD_IN, pattern));
}

/* The interface that all of it has, where the line does not say so: in a chain, packets may come by one alone. */
static struct str only_interface(const struct space *space, const struct patterns *patterns, struct packets set)
{
	struct arena *scratch = arena_new();
	struct str found = STR("");
	struct sample sample;

	if (patterns->count > 0 && packets_sample(scratch, set, &sample))
		found = space->out ? sample.out : sample.in;
	for (size_t i = 0; i < patterns->count; i++)
		if (str_eq(patterns->items[i], found)) {
			arena_free(scratch);
			return within_pattern(space, set, patterns->items[i]) ? patterns->items[i] : STR("");
		}
	arena_free(scratch);
	return STR("");
}

void cells_pieces(struct arena *arena, const struct space *space, const struct patterns *patterns,
                  struct packets wanted, struct piece_list *pieces)
{
	struct str own;
	struct cutting cutting = {.arena = arena,
	                          .space = space,
	                          .pieces = pieces,
	                          .peer = space->out ? FIELD_DESTINATION : FIELD_SOURCE,
	                          .wanted = wanted,
	                          .within = packets_or(wanted, space->free)};
	struct packets left = packets_without(wanted, space->free);

	own = patterns->own.n > 0 ? patterns->own : only_interface(space, patterns, left);
	if (own.n == 0 || !within_pattern(space, left, own))
		left = cut_interface(&cutting, STR(""), left);
	if (own.n > 0 && !packets_empty(left))
		left = cut_interface(&cutting, own, left);
	for (size_t i = 0; i < patterns->count && !packets_empty(left); i++)
		left = cut_interface(&cutting, patterns->items[i], left);
}
