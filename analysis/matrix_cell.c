/* One cell of the matrix: what the rules of a role open to one peer, as sets of packets; without what some machines
 * refuse, and what some senders may not send; then what passes between all pairs, and what between some. */
#include <stdlib.h>

#include "fleetwall/difference.h"
#include "fleetwall/resolve.h"
#include "matrix_parts.h"
#include "what_words.h"

struct seen {
	struct names *keys;
	struct {
		struct packets *items;
		size_t count, capacity;
	} sets;
};

struct crossing {
	struct matrix *matrix;
	struct arena *scratch;
	const struct cell *cell;
	struct matrix_end *from, *to;
	struct seen seen[2][FAMILIES]; /* [destination]: sets cut to the other end */
	struct packets *opened[FAMILIES]; /* by rule of the cell */
	struct packets *in[FAMILIES];  /* by kind of `to`: what the rules let in */
	struct packets *out[FAMILIES]; /* by kind of `from`: what may be sent */
	struct packets all[FAMILIES], some[FAMILIES];
	bool pairs[FAMILIES]; /* are there addresses of the family at both ends? */
};

/* --- sets, cut to those that can be meant --- */

static struct packets see_cut(struct crossing *crossing, struct str name, enum family family, enum packet_field field,
                              const struct matrix_end *end, struct seen *seen)
{
	struct matrix *matrix = crossing->matrix;
	uint32_t number = names_find(seen->keys, name);
	const struct addr_set *all = &end->sets[family == FAMILY_6], *set;
	struct addr_set cut;

	if (number != NAMES_NONE)
		return seen->sets.items[number];
	set = intent_set(matrix->intent, name, family);
	cut = set == NULL ? set_none(family) : *set;
	if (set != NULL && !end->everybody)
		cut = addr_set_and(crossing->scratch, set, all);
	names_keep(seen->keys, name);
	APPEND(crossing->scratch, &seen->sets,
	       addr_set_eq(&cut, all) ? packets_family(family) : packets_addresses(field, &cut));
	return seen->sets.items[seen->sets.count - 1];
}

static struct packets see_source(void *context, struct str name, enum family family, enum packet_field field)
{
	struct crossing *crossing = context;

	return see_cut(crossing, name, family, field, crossing->from, &crossing->seen[0][family == FAMILY_6]);
}

static struct packets see_destination(void *context, struct str name, enum family family, enum packet_field field)
{
	struct crossing *crossing = context;

	return see_cut(crossing, name, family, field, crossing->to, &crossing->seen[1][family == FAMILY_6]);
}

/* --- ports of which all, or some --- */

/* Protocols and ports alone. */
static struct packets ports_of(struct packets set)
{
	static const enum packet_field others[] = {FIELD_FAMILY, FIELD_STATE, FIELD_SOURCE_PORT, FIELD_FLAGS,
	                                           FIELD_FRAGMENT, FIELD_IN, FIELD_OUT, FIELD_SOURCE,
	                                           FIELD_DESTINATION};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		set = packets_any(set, others[i]);
	return set;
}

/* The packets of these machines as one end, by any interface that leads elsewhere. Where it makes no difference who
 * they are, their addresses need not be sets of packets. */
static struct packets space_of(struct packets set, const struct standing *standing, enum family family, bool out)
{
	enum packet_field field = out ? FIELD_DESTINATION : FIELD_SOURCE;
	struct packets space = packets_without(intent_compared(family),
	                                       packets_interface(out ? FIELD_OUT : FIELD_IN, STR("lo")));

	if (packets_depends(set, field))
		space = packets_and(space, packets_addresses(field, &standing->sets[family == FAMILY_6]));
	return space;
}

/* The ports with which some packet, or every packet, of these machines is in the set. */
static struct packets some_of(struct packets set, const struct standing *standing, enum family family, bool out)
{
	return ports_of(packets_and(set, space_of(set, standing, family, out)));
}

static struct packets all_of(struct packets set, const struct standing *standing, enum family family, bool out)
{
	return packets_not(ports_of(packets_without(space_of(set, standing, family, out), set)));
}

/* --- in, out --- */

static struct packets opened_by(const struct crossing *crossing, size_t f)
{
	struct packets set = packets_none();

	for (size_t i = 0; i < crossing->cell->count; i++)
		set = packets_or(set, crossing->opened[f][i]);
	return set;
}

static void open_rules(struct crossing *crossing, size_t f)
{
	struct intent *intent = crossing->matrix->intent;

	crossing->opened[f] = ARENA_ARRAY(crossing->scratch, struct packets, crossing->cell->count);
	for (size_t i = 0; i < crossing->cell->count; i++) {
		struct packets set = intent_rule_packets(intent, &crossing->cell->rules[i], family_at(f), see_source,
		                                         crossing);

		crossing->opened[f][i] = packets_perhaps(set);
	}
}

static struct packets refused_at(struct crossing *crossing, const struct standing *standing, size_t f)
{
	return standing->key == 0 ? packets_none()
	                          : intent_refused(crossing->scratch, crossing->matrix->intent, standing->sample,
	                                           family_at(f), false, see_source, crossing);
}

/* What rules let out where nothing else may leave. */
static struct packets let_out_by_rules(struct crossing *crossing, const struct standing *standing, size_t f)
{
	struct intent *intent = crossing->matrix->intent;
	struct packets set = packets_none();
	struct intent_rule *rules;
	size_t count = intent_rules(crossing->scratch, intent, standing->sample, &rules);

	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules[i].rule->rule;

		if (rule->action == ACTION_ALLOW && rule->direction == DIRECTION_OUT)
			set = packets_or(set, intent_rule_packets(intent, &rules[i], family_at(f), see_destination,
			                                          crossing));
	}
	return packets_perhaps(set);
}

static struct packets sent_by(struct crossing *crossing, const struct standing *standing, size_t f)
{
	struct matrix *matrix = crossing->matrix;
	struct packets all = intent_compared(family_at(f));

	if (standing->key == 0)
		return all;
	if (matrix->keys.closed[standing->sample])
		all = let_out_by_rules(crossing, standing, f);
	return packets_without(all, intent_refused(crossing->scratch, matrix->intent, standing->sample, family_at(f),
	                                           true, see_destination, crossing));
}

/* --- pairs --- */

/* Senders of one kind to machines of another. What the one lets in does not depend on who is reached, nor what the
 * other lets out on who sends: so all of both is all pairs. */
static void cross(struct crossing *crossing, size_t f, size_t i, size_t k)
{
	const struct standing *from = &crossing->from->items[i], *to = &crossing->to->items[k];
	struct packets in = crossing->in[f][k], out = crossing->out[f][i];
	enum family family = family_at(f);
	struct packets all, some;

	if (from->sets[f].count == 0 || to->sets[f].count == 0)
		return;
	crossing->pairs[f] = true;
	all = packets_and(all_of(in, from, family, false), all_of(out, to, family, true));
	some = packets_and(some_of(in, from, family, false), some_of(out, to, family, true));
	crossing->all[f] = packets_and(crossing->all[f], all);
	crossing->some[f] = packets_or(crossing->some[f], some);
}

static void cross_family(struct crossing *crossing, size_t f)
{
	struct packets opened;

	crossing->all[f] = packets_all();
	crossing->some[f] = packets_none();
	crossing->in[f] = ARENA_ARRAY(crossing->scratch, struct packets, crossing->to->count);
	crossing->out[f] = ARENA_ARRAY(crossing->scratch, struct packets, crossing->from->count);
	if (crossing->from->sets[f].count == 0 || crossing->to->sets[f].count == 0)
		return;
	open_rules(crossing, f);
	opened = opened_by(crossing, f);
	for (size_t k = 0; k < crossing->to->count; k++)
		crossing->in[f][k] =
			packets_without(opened, refused_at(crossing, &crossing->to->items[k], f));
	for (size_t i = 0; i < crossing->from->count; i++)
		crossing->out[f][i] = sent_by(crossing, &crossing->from->items[i], f);
	for (size_t i = 0; i < crossing->from->count; i++)
		for (size_t k = 0; k < crossing->to->count; k++)
			cross(crossing, f, i, k);
}

/* --- rows --- */

static size_t count_met(const struct matrix_end *end)
{
	size_t count = 0;

	for (size_t i = 0; i < end->count; i++)
		for (size_t k = 0; k < end->items[i].machines.count; k++) {
			count += end->items[i].met[k];
			end->items[i].met[k] = false;
		}
	return count;
}

/* Who of these is spoken of by the set: those of the machines take part. */
static void meet(struct crossing *crossing, struct matrix_end *end, struct standing *standing, struct packets set,
                 size_t f, bool out)
{
	enum packet_field field = out ? FIELD_DESTINATION : FIELD_SOURCE;
	enum family family = family_at(f);
	struct addr_set among;

	set = packets_and(set, packets_without(packets_family(family),
	                                       packets_interface(out ? FIELD_OUT : FIELD_IN, STR("lo"))));
	if (packets_empty(set) || standing->machines.count == 0)
		return;
	if (!packets_depends(set, field)) {
		standing_meet(crossing->matrix, end, standing, family, NULL);
		return;
	}
	among = packets_addr_set(crossing->scratch, set, field, family);
	standing_meet(crossing->matrix, end, standing, family, &among);
}

static void meet_pair(struct crossing *crossing, struct packets what, size_t f, size_t i, size_t k)
{
	struct standing *from = &crossing->from->items[i], *to = &crossing->to->items[k];
	struct packets in = crossing->in[f][k], out = crossing->out[f][i];
	enum family family = family_at(f);
	struct packets sent, let;

	if (from->sets[f].count == 0 || to->sets[f].count == 0)
		return;
	sent = packets_and(what, some_of(out, to, family, true));
	let = packets_and(what, some_of(in, from, family, false));
	if (packets_empty(packets_and(sent, let)))
		return;
	meet(crossing, crossing->from, from, packets_and(in, sent), f, false);
	meet(crossing, crossing->to, to, packets_and(out, let), f, true);
}

static bool passes_through(struct crossing *crossing, struct packets what, size_t rule, size_t f)
{
	for (size_t i = 0; i < crossing->from->count; i++)
		for (size_t k = 0; k < crossing->to->count; k++) {
			const struct standing *from = &crossing->from->items[i], *to = &crossing->to->items[k];
			struct packets in = packets_and(crossing->in[f][k], crossing->opened[f][rule]);

			if (from->sets[f].count == 0 || to->sets[f].count == 0)
				continue;
			in = packets_and(some_of(in, from, family_at(f), false),
			                 some_of(crossing->out[f][i], to, family_at(f), true));
			if (!packets_empty(packets_and(in, what)))
				return true;
		}
	return false;
}

static void set_rules(struct crossing *crossing, struct packets what, struct matrix_row *row)
{
	struct arena *arena = crossing->matrix->arena;
	const struct cell *cell = crossing->cell;
	char id[RULE_ID_DIGITS + 1];

	row->ids = ARENA_ARRAY(arena, struct str, cell->count);
	for (size_t i = 0; i < cell->count; i++) {
		bool passes = (crossing->pairs[0] && passes_through(crossing, what, i, 0)) ||
		              (crossing->pairs[1] && passes_through(crossing, what, i, 1));

		if (!passes)
			continue;
		rule_id(cell->to->name, cell->rules[i].rule->text, id);
		row->ids[row->rule_count++] = str_copy(arena, str_of(id));
	}
	if (row->rule_count > 0)
		qsort(row->ids, row->rule_count, sizeof *row->ids, str_order);
}

static struct packets protocol(uint8_t number)
{
	return packets_number(FIELD_PROTOCOL, number);
}

static void set_words(struct crossing *crossing, struct packets what, struct matrix_row *row)
{
	struct packets six = protocol(PROTOCOL_ICMPV6);
	struct word_list words = {0};

	if (packets_eq(what, packets_all())) {
		what_words(crossing->matrix->arena, what, FAMILY_4, NULL, &words);
	} else {
		what_words(crossing->matrix->arena, packets_without(what, six), FAMILY_4, NULL, &words);
		what_words(crossing->matrix->arena, packets_and(what, six), FAMILY_6, NULL, &words);
	}
	what_words_end(crossing->matrix->arena, &words);
	row->what = words.items;
	row->what_count = words.count;
}

static void add_row(struct crossing *crossing, struct packets what, bool all)
{
	struct matrix *matrix = crossing->matrix;
	const struct cell *cell = crossing->cell;
	struct matrix_row row = {.from = cell->from, .to = cell->to, .all = all,
	                         .has_machines = crossing->from->has_machines};

	if (packets_empty(what))
		return;
	if (!cell->anyone && cell->peer.kind == PEER_ROLE)
		row.from_role = fleet_role(matrix->fleet, cell->peer.name);
	set_words(crossing, what, &row);
	set_rules(crossing, what, &row);
	for (size_t f = 0; f < FAMILIES; f++)
		for (size_t i = 0; i < crossing->from->count && crossing->pairs[f]; i++)
			for (size_t k = 0; k < crossing->to->count; k++)
				meet_pair(crossing, what, f, i, k);
	row.from_machines = count_met(crossing->from);
	row.to_machines = count_met(crossing->to);
	row.packets = packets_keep(what);
	APPEND(matrix->arena, &matrix->rows, row);
}

/* ICMP is of IPv4, ICMPv6 of IPv6: of the other family it need not be all. */
static void add_rows(struct crossing *crossing)
{
	struct packets all[FAMILIES] = {packets_or(crossing->all[0], protocol(PROTOCOL_ICMPV6)),
	                                packets_or(crossing->all[1], protocol(PROTOCOL_ICMP))};
	struct packets some = packets_or(crossing->some[0], crossing->some[1]), both;

	for (size_t f = 0; f < FAMILIES; f++)
		if (!crossing->pairs[f])
			all[f] = packets_all();
	both = packets_and(packets_and(all[0], all[1]), some);
	add_row(crossing, both, true);
	add_row(crossing, packets_without(some, both), false);
}

void matrix_cell(struct matrix *matrix, const struct cell *cell, struct matrix_end *from, struct matrix_end *to)
{
	struct crossing crossing = {
		.matrix = matrix, .scratch = arena_new(), .cell = cell, .from = from, .to = to};
	size_t mark = packets_mark();

	for (size_t f = 0; f < FAMILIES; f++)
		crossing.seen[0][f].keys = names_new(crossing.scratch),
		crossing.seen[1][f].keys = names_new(crossing.scratch);
	cross_family(&crossing, 0);
	cross_family(&crossing, 1);
	add_rows(&crossing);
	packets_release(mark);
	arena_free(crossing.scratch);
}
