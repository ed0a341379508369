/* Addresses that no rule of a cell tells apart are one: a class, for which its first address stands. So what is asked
 * of packets costs what the rules say, however many members a role has. It asks for no packets. */
#include "matrix_parts.h"

/* --- who tells apart --- */

static void add_tellers(struct arena *arena, const struct matrix *matrix, struct tellers *tellers,
                        const struct intent_rule *rule)
{
	for (size_t f = 0; f < FAMILIES; f++) {
		const struct addr_set **sets;
		size_t count = intent_rule_sets(arena, matrix->intent, rule, family_at(f), &sets);

		for (size_t i = 0; i < count; i++)
			APPEND(arena, &tellers[f], sets[i]);
	}
}

static void add_role(struct arena *arena, const struct matrix *matrix, struct tellers *tellers, uint32_t role, bool out)
{
	struct intent_rule *rules;
	size_t count = intent_role_rules(arena, matrix->intent, role, &rules);

	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules[i].rule->rule;

		if ((rule->direction == DIRECTION_OUT) == out && (out || rule->action != ACTION_ALLOW))
			add_tellers(arena, matrix, tellers, &rules[i]);
	}
}

/* Each set once: rules of many roles speak of the same. */
static void unite(struct arena *arena, struct tellers *tellers)
{
	struct names *known = names_new(arena);
	size_t count = 0;

	for (size_t i = 0; i < tellers->count; i++) {
		struct str key = {(const char *)&tellers->items[i], sizeof tellers->items[i]};

		if (names_add(known, key) == count)
			tellers->items[count++] = tellers->items[i];
	}
	tellers->count = count;
}

void end_tells(struct arena *arena, struct matrix *matrix, struct matrix_end *end, bool out)
{
	bool *asked = ARENA_ARRAY(arena, bool, matrix->fleet->role_count);

	for (size_t i = 0; i < end->count; i++) {
		const struct key *key = &matrix->keys.lists[out].items[end->items[i].key];

		for (size_t k = 0; k < key->count; k++) {
			if (!asked[key->roles[k]])
				add_role(arena, matrix, end->tellers, key->roles[k], out);
			asked[key->roles[k]] = true;
		}
	}
	for (size_t f = 0; f < FAMILIES; f++)
		unite(arena, &end->tellers[f]);
}

/* --- classes --- */

/* A class while sets are gone through; `moved` is where those of it go that the set at hand has. */
struct part {
	uint32_t standing, moved;
	size_t turn;   /* of which `moved` speaks */
};

struct parting {
	struct arena *arena;
	const struct holder *holders;
	size_t count, turn;
	uint32_t *of;  /* by holder: its class */
	struct {
		struct part *items;
		size_t count, capacity;
	} parts;
};

static void move(struct parting *parting, size_t holder)
{
	uint32_t old = parting->of[holder];

	if (parting->parts.items[old].turn != parting->turn) {
		struct part fresh = {.standing = parting->parts.items[old].standing};

		parting->parts.items[old].turn = parting->turn;
		parting->parts.items[old].moved = (uint32_t)parting->parts.count;
		APPEND(parting->arena, &parting->parts, fresh);
	}
	parting->of[holder] = parting->parts.items[old].moved;
}

/* The first holder whose address is not below. */
static size_t first_from(const struct parting *parting, addr_bits bits)
{
	size_t low = 0, high = parting->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (parting->holders[middle].bits < bits)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first range from `at` on that does not end below: mostly it is near. */
static size_t range_from(const struct addr_set *set, size_t at, addr_bits bits)
{
	size_t step = 1, high;

	while (at + step < set->count && set->ranges[at + step].last < bits) {
		at += step;
		step *= 2;
	}
	high = at + step < set->count ? at + step : set->count;
	while (at < high) {
		size_t middle = at + (high - at) / 2;

		if (set->ranges[middle].last < bits)
			at = middle + 1;
		else
			high = middle;
	}
	return at;
}

static void part_by_most(struct parting *parting, const struct addr_set *set)
{
	size_t at = 0;

	for (size_t i = 0; i < parting->count; i++) {
		at = range_from(set, at, parting->holders[i].bits);
		if (at == set->count)
			return;
		if (set->ranges[at].first <= parting->holders[i].bits)
			move(parting, i);
	}
}

static void part_by_few(struct parting *parting, const struct addr_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t k = first_from(parting, set->ranges[i].first);
		     k < parting->count && parting->holders[k].bits <= set->ranges[i].last; k++)
			move(parting, k);
}

/* Looks up the fewer in the more. */
static void part_by(struct parting *parting, const struct addr_set *set)
{
	parting->turn++;
	if (set->count > parting->count)
		part_by_most(parting, set);
	else
		part_by_few(parting, set);
}

static void begin(struct parting *parting, const struct matrix_end *whole, size_t f)
{
	parting->holders = whole->holders[f].items;
	parting->count = whole->holders[f].count;
	parting->of = ARENA_ARRAY(parting->arena, uint32_t, parting->count);
	for (size_t i = 0; i < whole->count; i++)
		APPEND(parting->arena, &parting->parts, (struct part){.standing = (uint32_t)i});
	for (size_t i = 0; i < parting->count; i++)
		parting->of[i] = parting->holders[i].standing;
}

/* Of all parts those that have anybody. */
static void set_classes(struct parting *parting, struct matrix_end *end, size_t f)
{
	uint32_t *classes = ARENA_ARRAY(parting->arena, uint32_t, parting->parts.count);

	for (size_t i = 0; i < parting->count; i++) {
		uint32_t *class = &classes[parting->of[i]]; /* plus one */
		struct alike alike = {.bits = parting->holders[i].bits, .standing = parting->holders[i].standing};

		if (*class == 0) {
			APPEND(parting->arena, &end->alike[f], alike);
			*class = (uint32_t)end->alike[f].count;
		}
		parting->of[i] = *class - 1;
	}
	end->alike[f].of = parting->of;
}

/* Those who stand for the classes: of each standing, and all together. */
static void set_sets(struct arena *arena, struct matrix_end *end, size_t f)
{
	size_t count = end->alike[f].count, *next = ARENA_ARRAY(arena, size_t, end->count + 1), at = 0;
	struct range *ranges = ARENA_ARRAY(arena, struct range, count);

	for (size_t i = 0; i < count; i++)
		next[end->alike[f].items[i].standing + 1]++;
	for (size_t i = 0; i < end->count; i++)
		next[i + 1] += next[i];
	for (size_t i = 0; i < count; i++) {
		addr_bits bits = end->alike[f].items[i].bits;

		ranges[next[end->alike[f].items[i].standing]++] = (struct range){bits, bits, family_at(f)};
	}
	for (size_t i = 0; i < end->count; at = next[i++])
		end->items[i].sets[f] = addr_set_of(arena, family_at(f), ranges + at, next[i] - at);
	end->sets[f] = addr_set_of(arena, family_at(f), ranges, count);
}

struct matrix_end *end_seen(struct arena *arena, const struct matrix *matrix, const struct matrix_end *whole,
                            const struct matrix_end *peer, const struct cell *rules)
{
	struct matrix_end *end = end_new(arena);
	struct tellers tellers[FAMILIES] = {{0}};

	end->whole = whole;
	end->has_machines = true;
	for (size_t i = 0; i < whole->count; i++)
		APPEND(arena, end, (struct standing){.key = whole->items[i].key});
	for (size_t i = 0; rules != NULL && i < rules->count; i++)
		add_tellers(arena, matrix, tellers, &rules->rules[i]);
	for (size_t f = 0; f < FAMILIES; f++) {
		struct parting parting = {.arena = arena};

		begin(&parting, whole, f);
		for (size_t i = 0; i < tellers[f].count; i++)
			part_by(&parting, tellers[f].items[i]);
		for (size_t i = 0; i < peer->tellers[f].count; i++)
			part_by(&parting, peer->tellers[f].items[i]);
		set_classes(&parting, end, f);
		set_sets(arena, end, f);
	}
	return end;
}

/* --- who takes part --- */

void standing_meet(struct matrix_end *end, const struct standing *standing, enum family family,
                   const struct addr_set *among)
{
	size_t f = family == FAMILY_6, number = (size_t)(standing - end->items);

	for (size_t i = 0; i < end->alike[f].count; i++) {
		struct alike *alike = &end->alike[f].items[i];

		alike->met |= alike->standing == number &&
		              (among == NULL || addr_set_has(among, (struct addr){alike->bits, family}));
	}
}

static size_t count_family(bool *met, struct matrix_end *end, size_t f)
{
	size_t count = 0;

	for (size_t i = 0; i < end->whole->holders[f].count; i++) {
		uint32_t machine = end->whole->holders[f].items[i].machine;

		if (!end->alike[f].items[end->alike[f].of[i]].met)
			continue;
		count += !met[machine];
		met[machine] = true;
	}
	for (size_t i = 0; i < end->alike[f].count; i++)
		end->alike[f].items[i].met = false;
	return count;
}

size_t count_met(struct arena *scratch, struct matrix_end *end)
{
	bool *met;

	if (end->whole == NULL)
		return 0;
	met = ARENA_ARRAY(scratch, bool, end->whole->machine_count);
	return count_family(met, end, 0) + count_family(met, end, 1);
}
