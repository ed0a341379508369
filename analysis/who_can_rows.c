/* The answer of who_can() as rows for people: everybody; management; the roles, networks and machines that rules name
 * and that are let in as a whole; prefixes that rules name; and what is left of those that are let in in part, by
 * machine where it is one's. Rows say together what the sets say, and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "who_can_parts.h"

/* A row while it grows. */
struct sender {
	enum source_kind kind;
	struct str name;
	const struct peer *role; /* of a role: as a rule names it */
	struct addr_set whole[FAMILIES]; /* peers that are let in as a whole */
	struct {
		struct range *items; /* and these */
		size_t count, capacity;
	} ranges;
};

struct senders {
	struct inquiry *inquiry;
	struct names *keys; /* the number of a key is the place of its source */
	struct {
		struct sender *items;
		size_t count, capacity;
	} list;
};

static struct sender *sender_of(struct senders *senders, struct str key, enum source_kind kind, struct str name)
{
	uint32_t number = names_add(senders->keys, key);

	if (number == senders->list.count)
		APPEND(senders->inquiry->scratch, &senders->list,
		       ((struct sender){kind, name, .whole = {set_none(FAMILY_4), set_none(FAMILY_6)}}));
	return &senders->list.items[number];
}

/* --- peers that are let in as a whole --- */

/* `self` is its role, and of a machine's own role the machine. */
static struct peer spelled(const struct letting *letting, const struct peer *peer)
{
	struct str role = letting->rule->effective->role->name, own = machine_of_role(role);

	if (peer->kind != PEER_SELF)
		return *peer;
	return (struct peer){.kind = own.n > 0 ? PEER_MACHINE : PEER_ROLE, .name = own.n > 0 ? own : role};
}

static enum source_kind kind_of(enum peer_kind kind)
{
	switch (kind) {
	case PEER_ROLE:
	case PEER_SELF:
		return SOURCE_ROLE;
	case PEER_NETWORK:
		return SOURCE_NETWORK;
	case PEER_MACHINE:
		return SOURCE_MACHINE;
	case PEER_LITERAL:
		return SOURCE_PREFIXES;
	}
	return SOURCE_PREFIXES;
}

/* Whom the peer stands for, where the rule covers the packet and not everybody is let in anyway. */
static struct addr_set peer_sources(const struct senders *senders, const struct letting *letting, size_t peer,
                                    size_t family)
{
	const struct inquiry *inquiry = senders->inquiry;
	const struct peer *literal = &letting->rule->effective->held->rule.peers[peer];

	if (!letting->covers[family] || inquiry->open[family])
		return set_none(family_of(family));
	if (literal->kind == PEER_LITERAL)
		return addr_set_of(inquiry->arena, family_of(family), &literal->literal, 1);
	return *peers_set(inquiry->explainer->peers, letting->rule->peers[peer], false, family_of(family));
}

static void add_whole(struct senders *senders, const struct peer *peer, const struct addr_set *sets)
{
	struct buf text = buf_new(senders->inquiry->scratch);
	struct sender *sender;

	peer_print(&text, peer);
	sender = sender_of(senders, buf_str(&text), kind_of(peer->kind),
	                   peer->kind == PEER_LITERAL ? (struct str){NULL, 0} : buf_str(&text));
	sender->role = peer->kind == PEER_ROLE ? peer : NULL;
	for (size_t family = 0; family < FAMILIES; family++)
		sender->whole[family] = set_or(senders->inquiry->arena, &sender->whole[family], &sets[family]);
}

/* Those of the machine's addresses that the rule lets in. */
static void add_machine(struct senders *senders, const struct letting *letting, const struct machine *machine,
                        struct str label)
{
	struct inquiry *inquiry = senders->inquiry;
	struct str name = str_format(inquiry->scratch, "machine:%.*s", STR_ARG(machine->name));

	for (size_t i = 0; machine->enabled && i < machine->address_count; i++) {
		const struct machine_address *address = &machine->addresses[i];
		struct range host = {address->addr.bits, address->addr.bits, address->addr.family};
		size_t family = address->addr.family == FAMILY_6;
		struct sender *sender;

		if (!letting->covers[family] || inquiry->open[family] ||
		    (label.n > 0 && !str_eq(address->label, label)) ||
		    !addr_set_has(&inquiry->let[family], address->addr))
			continue;
		sender = sender_of(senders, name, SOURCE_MACHINE, name);
		APPEND(inquiry->scratch, &sender->ranges, host);
	}
}

/* Of a peer that is let in in part: its machines. Networks and literals have none. */
static void add_part(struct senders *senders, const struct letting *letting, const struct peer *peer)
{
	const struct resolved *resolved = senders->inquiry->explainer->resolved;
	const struct machine *machine;
	const struct role *role;

	if (peer->kind == PEER_MACHINE && (machine = fleet_machine(resolved->fleet, peer->name)) != NULL)
		add_machine(senders, letting, machine, STR(""));
	if (peer->kind != PEER_ROLE || (role = fleet_role(resolved->fleet, peer->name)) == NULL)
		return;
	for (size_t i = 0; i < resolved->roles[role - resolved->fleet->roles].member_count; i++) {
		uint32_t member = resolved->roles[role - resolved->fleet->roles].members[i];

		add_machine(senders, letting, &resolved->fleet->machines[member], peer->label);
	}
}

static void add_peer(struct senders *senders, const struct letting *letting, size_t number)
{
	struct inquiry *inquiry = senders->inquiry;
	struct peer *peer = ARENA_NEW(inquiry->scratch, struct peer);
	struct addr_set sets[FAMILIES];
	bool whole = true;

	*peer = spelled(letting, &letting->rule->effective->held->rule.peers[number]);
	for (size_t family = 0; family < FAMILIES; family++) {
		sets[family] = peer_sources(senders, letting, number, family);
		whole = whole && (inquiry->open[family] || inquiry->plain ||
		                  set_within(&sets[family], &inquiry->let[family]));
	}
	if (sets[0].count + sets[1].count == 0)
		return;
	if (whole)
		add_whole(senders, peer, sets);
	else
		add_part(senders, letting, peer);
}

static void add_peers(struct senders *senders)
{
	struct inquiry *inquiry = senders->inquiry;

	for (size_t i = 0; i < inquiry->rules.count; i++) {
		const struct letting *letting = &inquiry->rules.items[i];

		for (size_t j = 0; j < letting->rule->effective->held->rule.peer_count; j++)
			add_peer(senders, letting, j);
	}
}

/* --- what is left --- */

struct pieces {
	struct arena *arena;
	struct prefix *items;
	size_t count, capacity;
};

static void add_piece(void *context, struct prefix prefix)
{
	struct pieces *pieces = context;

	APPEND(pieces->arena, pieces, prefix);
}

/* All the addresses of a source. */
static struct addr_set set_of(struct arena *arena, const struct sender *sender, size_t family)
{
	struct addr_set loose = addr_set_of(arena, family_of(family), sender->ranges.items, sender->ranges.count);

	return set_or(arena, &sender->whole[family], &loose);
}

/* Those that are let in, without management and the sources so far. Where it is plain there are none. */
static void find_left(const struct senders *senders, struct pieces *pieces)
{
	struct inquiry *inquiry = senders->inquiry;

	for (size_t family = 0; family < FAMILIES && !inquiry->plain; family++) {
		struct addr_set left;

		if (inquiry->open[family])
			continue;
		left = set_without(inquiry->scratch, &inquiry->let[family], &inquiry->managed[family]);
		for (size_t i = 0; i < senders->list.count && left.count > 0; i++) {
			struct addr_set set = set_of(inquiry->scratch, &senders->list.items[i], family);

			left = set_without(inquiry->scratch, &left, &set);
		}
		addr_set_prefixes(&left, add_piece, pieces);
	}
}

static enum source_kind kind_of_name(struct str name)
{
	return name.n == 0                             ? SOURCE_PREFIXES
	       : str_starts(name, STR("network:")) ? SOURCE_NETWORK
	                                           : SOURCE_MACHINE;
}

/* Under its name, or with the others that have none. */
static void add_left(struct senders *senders, struct prefix prefix, struct str name)
{
	struct sender *sender = sender_of(senders, name, kind_of_name(name), name);

	APPEND(senders->inquiry->scratch, &sender->ranges, prefix_range(prefix));
}

/* A literal is one range. */
static struct range literal_of(const struct sender *sender)
{
	return sender->whole[sender->whole[0].count == 0].ranges[0];
}

/* Literals that are one prefix come behind the pieces. */
static uint32_t *single_literals(const struct senders *senders, struct pieces *pieces)
{
	uint32_t *places = ARENA_ARRAY(pieces->arena, uint32_t, senders->list.count);
	size_t count = 0;

	for (size_t i = 0; i < senders->list.count; i++) {
		const struct sender *sender = &senders->list.items[i];
		struct prefix prefix;

		if (sender->name.n > 0 || !range_prefix(literal_of(sender), &prefix))
			continue;
		APPEND(pieces->arena, pieces, prefix);
		places[count++] = (uint32_t)i;
	}
	return places;
}

static void forget(struct sender *sender)
{
	for (size_t family = 0; family < FAMILIES; family++)
		sender->whole[family].count = 0;
}

/* A literal that is what a network or machine is becomes a part of that one's row, and its own is empty. */
static struct error *name_left(struct senders *senders, prefix_names *names, void *context)
{
	struct pieces pieces = {.arena = senders->inquiry->scratch};
	uint32_t *literals;
	struct str *found;
	size_t left;

	find_left(senders, &pieces);
	left = pieces.count;
	literals = single_literals(senders, &pieces);
	if (pieces.count == 0)
		return NULL;
	found = ARENA_ARRAY(pieces.arena, struct str, pieces.count);
	TRY(names(context, senders->inquiry->arena, pieces.items, pieces.count, found));
	for (size_t i = 0; i < pieces.count; i++) {
		if (i >= left && found[i].n == 0)
			continue;
		if (i >= left)
			forget(&senders->list.items[literals[i - left]]);
		add_left(senders, pieces.items[i], found[i]);
	}
	return NULL;
}

/* --- rows --- */

static int by_id(const void *a, const void *b)
{
	const struct effective_rule *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

/* A rule is in one role, and a role holds it once: no id comes twice. */
static void find_rules(const struct inquiry *inquiry, struct let_in *row)
{
	row->rules = ARENA_ARRAY(inquiry->arena, const struct effective_rule *, inquiry->rules.count);
	for (size_t i = 0; row->stage == STAGE_ALLOW && i < inquiry->rules.count; i++) {
		const struct letting *letting = &inquiry->rules.items[i];

		if (sets_meet(&letting->sets[0], &row->sets[0]) || sets_meet(&letting->sets[1], &row->sets[1]))
			row->rules[row->rule_count++] = letting->rule->effective;
	}
	qsort(row->rules, row->rule_count, sizeof *row->rules, by_id);
}

/* A role is let in as a whole: of each family either all of the addresses that its peer stands for, or none. */
static bool has_address(const struct machine *machine, struct str label, const struct let_in *row)
{
	for (size_t i = 0; i < machine->address_count; i++) {
		const struct machine_address *address = &machine->addresses[i];

		if ((label.n == 0 || str_eq(address->label, label)) &&
		    row->sets[address->addr.family == FAMILY_6].count > 0)
			return true;
	}
	return false;
}

static size_t count_members(const struct inquiry *inquiry, const struct peer *peer, const struct let_in *row)
{
	const struct resolved *resolved = inquiry->explainer->resolved;
	const struct role *role = fleet_role(resolved->fleet, peer->name);
	const struct resolved_role *members = &resolved->roles[role - resolved->fleet->roles];
	size_t count = 0;

	for (size_t i = 0; i < members->member_count; i++) {
		const struct machine *machine = &resolved->fleet->machines[members->members[i]];

		count += machine->enabled && has_address(machine, peer->label, row);
	}
	return count;
}

struct rows {
	struct arena *arena;
	struct let_in *items;
	size_t count, capacity;
};

static void count_piece(void *context, struct prefix prefix)
{
	size_t *count = context;

	(void)prefix;
	++*count;
}

static void add_row(struct rows *rows, const struct inquiry *inquiry, struct let_in row)
{
	for (size_t family = 0; family < FAMILIES; family++)
		addr_set_prefixes(&row.sets[family], count_piece, &row.prefix_count);
	find_rules(inquiry, &row);
	APPEND(rows->arena, rows, row);
}

static void add_anyone(struct rows *rows, const struct inquiry *inquiry)
{
	bool alike = inquiry->open[0] && inquiry->open[1] && inquiry->stages[0] == inquiry->stages[1];

	for (size_t family = 0; family < FAMILIES; family++) {
		struct let_in row = {SOURCE_ANYONE, .name = STR("anyone"), .stage = inquiry->stages[family]};

		if (!inquiry->open[family] || (alike && family > 0))
			continue;
		for (size_t i = 0; i < FAMILIES; i++)
			row.sets[i] = alike || i == family ? set_all(family_of(i)) : set_none(family_of(i));
		add_row(rows, inquiry, row);
	}
}

static void add_management(struct rows *rows, const struct inquiry *inquiry)
{
	struct let_in row = {SOURCE_MANAGEMENT, .name = STR("management"), .stage = STAGE_MANAGEMENT};

	for (size_t family = 0; family < FAMILIES; family++)
		row.sets[family] = addr_set_of(inquiry->arena, family_of(family), inquiry->managed[family].ranges,
		                               inquiry->open[family] ? 0 : inquiry->managed[family].count);
	if (row.sets[0].count + row.sets[1].count > 0)
		add_row(rows, inquiry, row);
}

static void add_sources(struct rows *rows, const struct senders *senders)
{
	const struct inquiry *inquiry = senders->inquiry;

	for (size_t i = 0; i < senders->list.count; i++) {
		const struct sender *sender = &senders->list.items[i];
		struct let_in row = {sender->kind, .stage = STAGE_ALLOW};

		for (size_t family = 0; family < FAMILIES; family++)
			row.sets[family] = set_of(inquiry->arena, sender, family);
		if (row.sets[0].count + row.sets[1].count == 0)
			continue;
		if (sender->name.n > 0)
			row.name = str_copy(inquiry->arena, sender->name);
		row.machines = sender->role != NULL ? count_members(inquiry, sender->role, &row) : 0;
		add_row(rows, inquiry, row);
	}
}

static int set_order(const struct addr_set *a, const struct addr_set *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		int order = range_cmp(a->ranges[i], b->ranges[i]);

		if (order != 0)
			return order;
	}
	return (b->count > 0) - (a->count > 0);
}

static int row_order(const void *a, const void *b)
{
	const struct let_in *left = a, *right = b;
	int order = (left->kind > right->kind) - (left->kind < right->kind);

	order = order != 0 ? order : str_cmp(left->name, right->name);
	order = order != 0 ? order : set_order(&left->sets[0], &right->sets[0]);
	return order != 0 ? order : set_order(&left->sets[1], &right->sets[1]);
}

struct error *name_sources(struct inquiry *inquiry, prefix_names *names, void *context, struct who_can *answer)
{
	struct senders senders = {.inquiry = inquiry, .keys = names_new(inquiry->scratch)};
	struct rows rows = {.arena = inquiry->arena};

	add_peers(&senders);
	TRY(name_left(&senders, names, context));
	add_anyone(&rows, inquiry);
	add_management(&rows, inquiry);
	add_sources(&rows, &senders);
	if (rows.count > 0)
		qsort(rows.items, rows.count, sizeof *rows.items, row_order);
	*answer = (struct who_can){rows.items, rows.count};
	return NULL;
}
