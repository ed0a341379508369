/* What the sources of a row are called: anyone, with exceptions; the roles, networks and machines that its rules name,
 * where all of theirs who were asked about may; prefixes for the rest. */
#include <stdlib.h>

#include "exposed_parts.h"

#include "fleetwall/buf.h"
#include "fleetwall/difference.h"

/* Who of a family may: nobody; a part; all but exceptions; all. */
enum extent { EXTENT_NONE, EXTENT_PART, EXTENT_BUT, EXTENT_WHOLE };

struct texts {
	struct arena *arena;
	const struct addr_set *own;
	struct str *items;
	size_t count, capacity;
};

struct naming {
	struct exposed *exposed;
	struct arena *scratch;
	const struct raw_row *rows[FAMILIES]; /* NULL: nobody of that family */
	enum extent extents[FAMILIES];
	struct addr_set named[FAMILIES];      /* whom names stand for */
	struct texts sources, except;
};

static void add_text(struct texts *texts, struct str text)
{
	if (!str_among(text, texts->items, texts->count))
		APPEND(texts->arena, texts, text);
}

/* But of the fleet's own addresses alone. */
static void add_prefix(void *context, struct prefix prefix)
{
	struct texts *texts = context;
	struct range range = prefix_range(prefix);
	struct addr_set set = {range.family, &range, 1};

	if (!set_within(&set, texts->own))
		APPEND(texts->arena, texts, prefix_str(texts->arena, prefix));
}

static void add_prefixes(const struct naming *naming, struct texts *texts, const struct addr_set *set)
{
	struct addr_set whole = exposed_whole(naming->exposed, naming->scratch, set);

	texts->own = &naming->exposed->own[set->family == FAMILY_6];
	addr_set_prefixes(&whole, add_prefix, texts);
}

/* --- everybody --- */

static enum extent extent_of(const struct raw_row *row)
{
	if (row == NULL || row->sources->whole)
		return row == NULL ? EXTENT_NONE : EXTENT_WHOLE;
	for (size_t i = 0; i < row->opening_count; i++)
		if (row->openings[i]->any[row->family])
			return EXTENT_BUT;
	return EXTENT_PART;
}

static void name_everybody(struct naming *naming)
{
	static const struct str names[] = {{"0.0.0.0/0", 9}, {"::/0", 4}};
	const struct exposed *exposed = naming->exposed;
	bool all[FAMILIES];

	for (size_t f = 0; f < FAMILIES; f++) {
		struct addr_set missing;

		all[f] = naming->extents[f] >= EXTENT_BUT;
		if (naming->extents[f] != EXTENT_BUT)
			continue;
		missing = set_without(naming->scratch, &exposed->universe[f], &naming->rows[f]->sources->set);
		add_prefixes(naming, &naming->except, &missing);
	}
	if (all[0] && all[1])
		add_text(&naming->sources, STR("anyone"));
	else if (exposed->from == NULL && (all[0] || all[1]))
		add_text(&naming->sources, names[all[1]]);
	else if (all[0] || all[1])
		add_prefixes(naming, &naming->sources, &exposed->universe[all[1]]);
}

/* --- peers by name --- */

/* Of a large role mostly few were asked about: all of its addresses are not kept, unless each position asks again. */
static struct addr_set cut_set(struct exposed *exposed, const struct peer *peer, const struct role *role, size_t f)
{
	struct arena *scratch = arena_new();
	struct addr_set set =
		exposed->thin != NULL
			? *peers_set(exposed->peers, peers_number(exposed->peers, peer, role), false, family_at(f))
			: peer_addresses(scratch, exposed->resolved, peer, role, false, family_at(f));

	set = addr_set_and(exposed->pass, &set, &exposed->universe[f]);
	if (set.count > 0)
		set = addr_set_without(exposed->pass, &set, &exposed->own[f]);
	arena_free(scratch);
	return set;
}

/* Whom the peer stands for, as far as it was asked. */
static const struct cut_peer *cut_of(struct exposed *exposed, const struct peer *peer, const struct role *role)
{
	uint32_t number = peers_number(exposed->peers, peer, role);
	struct cut_peer *cut;

	while (exposed->cut.count <= number)
		APPEND(exposed->pass, &exposed->cut, (struct cut_peer){0});
	cut = &exposed->cut.items[number];
	for (size_t f = 0; f < FAMILIES && !cut->known; f++)
		cut->sets[f] = cut_set(exposed, peer, role, f);
	cut->known = true;
	return cut;
}

static bool may_as_a_whole(const struct naming *naming, const struct cut_peer *cut)
{
	bool partly = false;

	for (size_t f = 0; f < FAMILIES; f++) {
		if (cut->sets[f].count == 0)
			continue;
		if (naming->rows[f] == NULL || !set_within(&cut->sets[f], &naming->rows[f]->sources->set))
			return false;
		partly |= naming->extents[f] == EXTENT_PART;
	}
	return partly;
}

/* `self` is its role. */
static struct str spelled(struct arena *arena, const struct peer *peer, const struct role *role)
{
	struct buf buf = buf_new(arena);
	struct str own = machine_of_role(role->name);

	if (peer->kind != PEER_SELF)
		peer_print(&buf, peer);
	else if (own.n > 0)
		buf_add(&buf, role->name);
	else
		buf_format(&buf, "role:%.*s", STR_ARG(role->name));
	return buf_str(&buf);
}

static void name_peer(struct naming *naming, const struct peer *peer, const struct role *role)
{
	const struct cut_peer *cut;

	if (peer->kind == PEER_LITERAL)
		return;
	cut = cut_of(naming->exposed, peer, role);
	if (!may_as_a_whole(naming, cut))
		return;
	add_text(&naming->sources, spelled(naming->exposed->arena, peer, role));
	for (size_t f = 0; f < FAMILIES; f++)
		naming->named[f] = set_or(naming->scratch, &naming->named[f], &cut->sets[f]);
}

static void name_peers(struct naming *naming, const struct raw_row *row)
{
	size_t first = naming->sources.count;

	for (size_t i = 0; i < row->opening_count; i++) {
		const struct intent_rule *rule = &row->openings[i]->rule;

		for (size_t k = 0; k < rule->rule->rule.peer_count; k++)
			name_peer(naming, &rule->rule->rule.peers[k], rule->role);
	}
	if (naming->sources.count > first)
		qsort(naming->sources.items + first, naming->sources.count - first, sizeof(struct str), str_order);
}

static void name_rest(struct naming *naming)
{
	for (size_t f = 0; f < FAMILIES; f++) {
		struct addr_set rest;

		if (naming->extents[f] != EXTENT_PART)
			continue;
		rest = set_without(naming->scratch, &naming->rows[f]->sources->set, &naming->named[f]);
		add_prefixes(naming, &naming->sources, &rest);
	}
}

void exposed_name(struct exposed *exposed, struct arena *scratch, const struct raw_row *const *rows, size_t count,
                  struct exposure *exposure)
{
	struct naming naming = {.exposed = exposed, .scratch = scratch};

	naming.sources.arena = naming.except.arena = exposed->arena;
	for (size_t i = 0; i < count; i++)
		naming.rows[rows[i]->family] = rows[i];
	for (size_t f = 0; f < FAMILIES; f++) {
		naming.extents[f] = extent_of(naming.rows[f]);
		naming.named[f] = set_none(family_at(f));
	}
	name_everybody(&naming);
	name_peers(&naming, rows[0]);
	name_rest(&naming);
	exposure->sources = naming.sources.items;
	exposure->source_count = naming.sources.count;
	exposure->except = naming.except.items;
	exposure->except_count = naming.except.count;
}
