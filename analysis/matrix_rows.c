/* The rows of a cell: what passes between all pairs and what between some, in words; how many machines take part, and
 * through which rules. */
#include <stdlib.h>

#include "fleetwall/resolve.h"
#include "matrix_cell.h"
#include "what_words.h"

/* --- machines --- */

/* Who of them is spoken of by the set takes part. */
static void meet(struct crossing *crossing, struct matrix_end *end, const struct kind *kind, struct packets set,
                 bool depends, size_t f, bool out)
{
	struct addr_set among;

	if (depends)
		among = packets_addr_set(crossing->scratch, set, out ? FIELD_DESTINATION : FIELD_SOURCE, family_at(f));
	for (size_t i = 0; i < kind->standings.count; i++)
		standing_meet(end, kind->standings.items[i], family_at(f), depends ? &among : NULL);
}

/* Whom the receivers let in with what they may be sent; and the other way. */
static void meet_all(struct crossing *crossing, const struct meeting *meeting, struct packets what)
{
	struct packets in = packets_and(meeting->to->packets, packets_and(what, meeting->out));
	struct packets out = packets_and(meeting->from->packets, packets_and(what, meeting->in));

	if (packets_empty(packets_and(packets_and(meeting->in, meeting->out), what)))
		return;
	meet(crossing, crossing->from, meeting->from, in, meeting->to->depends, meeting->family, false);
	meet(crossing, crossing->to, meeting->to, out, meeting->from->depends, meeting->family, true);
}

/* --- rules --- */

static bool passes_through(struct crossing *crossing, size_t rule, struct packets what)
{
	for (size_t i = 0; i < crossing->meetings.count; i++)
		if (meeting_passes(crossing, &crossing->meetings.items[i], rule, what))
			return true;
	return false;
}

static void set_rules(struct crossing *crossing, struct packets what, struct matrix_row *row)
{
	struct arena *arena = crossing->matrix->arena;
	const struct cell *cell = crossing->cell;
	char id[RULE_ID_DIGITS + 1];

	row->ids = ARENA_ARRAY(arena, struct str, cell->count);
	for (size_t i = 0; i < cell->count; i++) {
		if (!passes_through(crossing, i, what))
			continue;
		rule_id(cell->to->name, cell->rules[i].rule->text, id);
		row->ids[row->rule_count++] = str_copy(arena, str_of(id));
	}
	if (row->rule_count > 0)
		qsort(row->ids, row->rule_count, sizeof *row->ids, str_order);
}

/* --- rows --- */

static struct packets protocol(uint8_t number)
{
	return packets_number(FIELD_PROTOCOL, number);
}

static void set_words(struct crossing *crossing, struct packets what, struct matrix_row *row)
{
	struct packets six = protocol(PROTOCOL_ICMPV6);
	struct arena *arena = crossing->matrix->arena;
	struct word_list words = {0};

	if (packets_eq(what, packets_all())) {
		what_words(arena, what, FAMILY_4, NULL, &words);
	} else {
		what_words(arena, packets_without(what, six), FAMILY_4, NULL, &words);
		what_words(arena, packets_and(what, six), FAMILY_6, NULL, &words);
	}
	what_words_end(arena, &words);
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
	for (size_t i = 0; i < crossing->meetings.count; i++)
		meet_all(crossing, &crossing->meetings.items[i], what);
	row.from_machines = count_met(crossing->scratch, crossing->from);
	row.to_machines = count_met(crossing->scratch, crossing->to);
	row.packets = packets_keep(what);
	APPEND(matrix->arena, &matrix->rows, row);
}

/* ICMP is of IPv4, ICMPv6 of IPv6: of the other family it need not be all. */
void matrix_rows(struct crossing *crossing)
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
