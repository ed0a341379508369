/* One cell of the matrix: what the rules of a role open to one peer, as sets of packets; without what some machines
 * refuse, and what some senders may not send; then what passes between all pairs, and what between some. */
#include "fleetwall/difference.h"
#include "matrix_cell.h"

/* --- sets, cut to one end --- */

struct sight {
	struct crossing *crossing;
	struct matrix_end *end; /* whose addresses the field has */
	enum packet_field field;
};

/* The slot of that key; *fresh: nothing was put there yet. */
static struct packets *slot_of(struct matrix_end *end, struct str key, bool *fresh)
{
	uint32_t number = names_add(end->seen.keys, key);

	*fresh = number == end->seen.sets.count;
	if (*fresh)
		APPEND(end->arena, &end->seen.sets, packets_none());
	return &end->seen.sets.items[number];
}

/* Where all of the end are in the set it need not be told who they are. */
static struct packets see(void *context, struct str name, enum family family, enum packet_field field)
{
	struct sight *sight = context;
	struct matrix_end *end = sight->end;
	struct arena *scratch = sight->crossing->scratch;
	const struct addr_set *all = &end->sets[family == FAMILY_6], *set;
	struct addr_set cut = set_none(family);
	bool fresh;
	struct packets *slot =
		slot_of(end, str_format(scratch, "set %d %.*s", (int)family, STR_ARG(name)), &fresh);

	if (!fresh)
		return *slot;
	set = intent_set(sight->crossing->matrix->intent, name, family);
	if (set != NULL)
		cut = end->everybody ? *set : addr_set_and(scratch, set, all);
	packets_hold(slot, addr_set_eq(&cut, all) ? packets_family(family) : packets_addresses(field, &cut));
	return *slot;
}

/* What a role's rules of that action speak of, as far as this end is concerned. */
static struct packets role_says(struct sight *sight, uint32_t role, enum action action, size_t f, bool out)
{
	struct crossing *crossing = sight->crossing;
	struct str key = str_format(crossing->scratch, "role %u %d %zu", role, (int)action, f);
	struct packets set, *slot;
	bool fresh;

	slot = slot_of(sight->end, key, &fresh);
	if (!fresh)
		return *slot;
	set = intent_role_packets(crossing->scratch, crossing->matrix->intent, role, action, family_at(f), out, see,
	                          sight);
	slot = slot_of(sight->end, key, &fresh);
	packets_hold(slot, packets_perhaps(set));
	return *slot;
}

static struct packets roles_say(struct sight *sight, const struct key *key, enum action action, size_t f, bool out)
{
	struct packets set = packets_none();

	for (size_t i = 0; i < key->count; i++)
		set = packets_or(set, role_says(sight, key->roles[i], action, f, out));
	return set;
}

static struct packets refused_by(struct sight *sight, const struct key *key, size_t f, bool out)
{
	return packets_or(roles_say(sight, key, ACTION_DENY, f, out), roles_say(sight, key, ACTION_REJECT, f, out));
}

/* --- kinds of machines --- */

static struct packets lo(bool out)
{
	return packets_interface(out ? FIELD_OUT : FIELD_IN, STR("lo"));
}

static bool depends_on_peers(struct packets set, bool out)
{
	return packets_depends(set, out ? FIELD_DESTINATION : FIELD_SOURCE);
}

static void add_standing(struct crossing *crossing, struct kind_list *kinds, struct standing *standing,
                         struct packets packets, bool out)
{
	struct kind *kind;
	size_t i = 0;

	while (i < kinds->count && !packets_eq(kinds->items[i].packets, packets))
		i++;
	if (i == kinds->count)
		APPEND(crossing->scratch, kinds,
		       ((struct kind){.packets = packets, .depends = depends_on_peers(packets, out)}));
	kind = &kinds->items[i];
	APPEND(crossing->scratch, &kind->standings, standing);
}

/* By what of the opened packets they let in. */
static void find_in_kinds(struct crossing *crossing, size_t f, struct packets opened)
{
	struct sight sight = {crossing, crossing->from, FIELD_SOURCE};

	for (size_t i = 0; i < crossing->to->count; i++) {
		struct standing *standing = &crossing->to->items[i];
		const struct key *key = &crossing->matrix->keys.lists[0].items[standing->key];

		if (standing->sets[f].count > 0)
			add_standing(crossing, &crossing->in[f], standing,
			             packets_without(opened, refused_by(&sight, key, f, false)), false);
	}
}

/* By what they may send to the members of the role. */
static void find_out_kinds(struct crossing *crossing, size_t f)
{
	struct sight sight = {crossing, crossing->to, FIELD_DESTINATION};

	for (size_t i = 0; i < crossing->from->count; i++) {
		struct standing *standing = &crossing->from->items[i];
		const struct key *key = &crossing->matrix->keys.lists[1].items[standing->key];
		struct packets sent = intent_compared(family_at(f));

		if (standing->sets[f].count == 0)
			continue;
		sent = packets_without(sent, lo(true));
		if (key->closed)
			sent = packets_and(sent, roles_say(&sight, key, ACTION_ALLOW, f, true));
		add_standing(crossing, &crossing->out[f], standing,
		             packets_without(sent, refused_by(&sight, key, f, true)), true);
	}
}

static const struct addr_set *addresses_of(struct crossing *crossing, struct kind *kind, size_t f)
{
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};

	if (kind->standings.count == 1)
		return &kind->standings.items[0]->sets[f];
	if (kind->addresses == NULL) {
		for (size_t i = 0; i < kind->standings.count; i++)
			for (size_t k = 0; k < kind->standings.items[i]->sets[f].count; k++)
				APPEND(crossing->scratch, &ranges, kind->standings.items[i]->sets[f].ranges[k]);
		kind->addresses = ARENA_NEW(crossing->scratch, struct addr_set);
		*kind->addresses = addr_set_of(crossing->scratch, family_at(f), ranges.items, ranges.count);
	}
	return kind->addresses;
}

/* --- ports of which all, or some --- */

/* Protocols and ports alone. */
static struct packets ports_of(struct packets set)
{
	static const enum packet_field others[] = {FIELD_DESTINATION, FIELD_SOURCE, FIELD_OUT, FIELD_IN,
	                                           FIELD_FRAGMENT, FIELD_FAMILY};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		set = packets_any(set, others[i]);
	return set;
}

/* Packets of these peers, by any interface that leads elsewhere. Where it makes no difference who they are, their
 * addresses need not be sets of packets. */
static struct packets space_of(struct crossing *crossing, const struct kind *kind, struct kind *peers, size_t f,
                               bool out)
{
	struct packets space = packets_without(intent_compared(family_at(f)), lo(out));

	return kind->depends ? packets_and(space, packets_addresses(out ? FIELD_DESTINATION : FIELD_SOURCE,
	                                                            addresses_of(crossing, peers, f)))
	                     : space;
}

struct ports {
	struct packets all, some;
};

static struct ports ports_for(struct crossing *crossing, const struct kind *kind, struct kind *peers, size_t f,
                              bool out)
{
	struct packets space = space_of(crossing, kind, peers, f, out);

	return (struct ports){packets_not(ports_of(packets_without(space, kind->packets))),
	                      ports_of(packets_and(space, kind->packets))};
}

/* --- pairs --- */

/* Senders of one kind to machines of another. What the one lets in does not depend on who is reached, nor what the
 * other lets out on who sends: so all of both is all pairs. */
static void cross(struct crossing *crossing, size_t f, struct kind *from, struct kind *to)
{
	struct ports in = ports_for(crossing, to, from, f, false), out = ports_for(crossing, from, to, f, true);
	struct meeting meeting = {.family = f, .from = from, .to = to, .in = in.some, .out = out.some};

	crossing->pairs[f] = true;
	crossing->all[f] = packets_and(crossing->all[f], packets_and(in.all, out.all));
	crossing->some[f] = packets_or(crossing->some[f], packets_and(in.some, out.some));
	APPEND(crossing->scratch, &crossing->meetings, meeting);
}

static struct packets open_rules(struct crossing *crossing, size_t f)
{
	struct sight sight = {crossing, crossing->from, FIELD_SOURCE};
	struct packets all = packets_none();
	size_t count = crossing->cell->count;

	crossing->opened[f] = ARENA_ARRAY(crossing->scratch, struct packets, count);
	for (size_t i = 0; i < count; i++) {
		struct packets set = intent_rule_packets(crossing->matrix->intent, &crossing->cell->rules[i],
		                                         family_at(f), see, &sight);

		set = packets_and(packets_perhaps(set), intent_compared(family_at(f)));
		crossing->opened[f][i] = packets_without(set, lo(false));
		all = packets_or(all, crossing->opened[f][i]);
	}
	return all;
}

static void cross_family(struct crossing *crossing, size_t f)
{
	crossing->all[f] = packets_all();
	crossing->some[f] = packets_none();
	if (crossing->from->sets[f].count == 0 || crossing->to->sets[f].count == 0)
		return;
	find_in_kinds(crossing, f, open_rules(crossing, f));
	find_out_kinds(crossing, f);
	for (size_t i = 0; i < crossing->out[f].count; i++)
		for (size_t k = 0; k < crossing->in[f].count; k++)
			cross(crossing, f, &crossing->out[f].items[i], &crossing->in[f].items[k]);
}

/* Through this rule? */
bool meeting_passes(struct crossing *crossing, const struct meeting *meeting, size_t rule, struct packets what)
{
	struct packets opened = crossing->opened[meeting->family][rule];
	struct kind through = {.packets = packets_and(meeting->to->packets, opened)};
	struct packets passing;

	if (packets_empty(packets_and(packets_and(meeting->in, meeting->out), what)) ||
	    packets_empty(through.packets))
		return false;
	through.depends = depends_on_peers(through.packets, false);
	passing = ports_for(crossing, &through, meeting->from, meeting->family, false).some;
	return !packets_empty(packets_and(packets_and(passing, meeting->out), what));
}

void matrix_cell(struct arena *scratch, struct matrix *matrix, const struct cell *cell, struct matrix_end *from,
                 struct matrix_end *to)
{
	struct crossing crossing = {.matrix = matrix, .scratch = scratch, .cell = cell, .from = from};
	size_t mark = packets_mark();

	if (from->has_machines)
		crossing.from = end_seen(scratch, matrix, from, to, cell);
	crossing.to = end_seen(scratch, matrix, to, from, NULL);
	cross_family(&crossing, 0);
	cross_family(&crossing, 1);
	matrix_rows(&crossing);
	packets_release(mark);
	if (from->has_machines)
		end_forget(crossing.from);
	end_forget(crossing.to);
}
