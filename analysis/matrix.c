/* The cells of the matrix: for each role, the peers that its rules let in, each with the rules that name it; sorted, so
 * that each peer is looked up once. */
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "matrix_parts.h"

#define LITERALS_SHOWN 3

struct cells {
	struct arena *arena;
	struct names *keys; /* the number of a key is the place of its cell */
	struct {
		struct cell *items;
		size_t count, capacity;
	} list;
};

/* --- peers --- */

static struct str literals_text(struct arena *arena, const struct rule *rule, size_t most)
{
	struct buf buf = buf_new(arena);
	size_t count = 0;

	for (size_t i = 0; i < rule->peer_count; i++) {
		if (rule->peers[i].kind != PEER_LITERAL || count++ >= most)
			continue;
		buf_add(&buf, count > 1 ? STR(", ") : STR(""));
		peer_print(&buf, &rule->peers[i]);
	}
	if (count > most)
		buf_format(&buf, " and %zu more", count - most);
	return buf_str(&buf);
}

/* `self` is its role, and of a machine's own role the machine. */
static struct peer spelled(const struct role *role, const struct peer *peer)
{
	struct str own = machine_of_role(role->name);

	if (peer->kind != PEER_SELF)
		return *peer;
	return (struct peer){.kind = own.n > 0 ? PEER_MACHINE : PEER_ROLE, .name = own.n > 0 ? own : role->name};
}

static int rank_of(enum peer_kind kind)
{
	switch (kind) {
	case PEER_ROLE:
	case PEER_SELF:
		return 1;
	case PEER_NETWORK:
		return 2;
	case PEER_MACHINE:
		return 3;
	case PEER_LITERAL:
		return 4;
	}
	return 4;
}

static bool has_rule(const struct cell *cell, const struct intent_rule *rule)
{
	return cell->count > 0 && cell->rules[cell->count - 1].rule == rule->rule;
}

static void add_to_cell(struct cells *cells, struct cell cell, const struct intent_rule *rule)
{
	struct str key = str_format(cells->arena, "%.*s\n%.*s", STR_ARG(cell.to->name), STR_ARG(cell.key));
	uint32_t number = names_add(cells->keys, key);
	struct cell *there;

	if (number == cells->list.count)
		APPEND(cells->arena, &cells->list, cell);
	there = &cells->list.items[number];
	if (has_rule(there, rule))
		return;
	there->rules = arena_grow(cells->arena, there->rules, there->count, &there->capacity, sizeof *there->rules,
	                          _Alignof(struct intent_rule));
	there->rules[there->count++] = *rule;
}

static void add_peer(struct cells *cells, const struct role *to, const struct intent_rule *rule,
                     const struct peer *named)
{
	struct cell cell = {.to = to, .peer = spelled(to, named), .rank = rank_of(named->kind)};
	struct buf text = buf_new(cells->arena);

	peer_print(&text, &cell.peer);
	cell.rank = rank_of(cell.peer.kind);
	cell.key = cell.from = buf_str(&text);
	if (named->kind == PEER_LITERAL) {
		cell.key = literals_text(cells->arena, &rule->rule->rule, SIZE_MAX);
		cell.from = literals_text(cells->arena, &rule->rule->rule, LITERALS_SHOWN);
	}
	add_to_cell(cells, cell, rule);
}

static void add_rule(struct cells *cells, const struct role *to, const struct intent_rule *rule)
{
	const struct rule *said = &rule->rule->rule;

	if (said->any)
		add_to_cell(cells, (struct cell){.key = STR("anyone"), .from = STR("anyone"), .anyone = true, .to = to},
		            rule);
	for (size_t i = 0; i < said->peer_count; i++)
		add_peer(cells, to, rule, &said->peers[i]);
}

/* --- which --- */

static bool is_role(const struct cell *cell, const struct role *role)
{
	return !cell->anyone && cell->peer.kind == PEER_ROLE && str_eq(cell->peer.name, role->name);
}

static bool is_asked(const struct matrix_asked *asked, const struct cell *cell)
{
	return asked->either == NULL || cell->to == asked->either || is_role(cell, asked->either) ||
	       (cell->peer.kind == PEER_MACHINE &&
	        str_eq(cell->peer.name, machine_of_role(asked->either->name)));
}

static bool is_asked_of(const struct matrix_asked *asked, const struct role *to)
{
	if (asked->to != NULL)
		return to == asked->to;
	return machine_of_role(to->name).n == 0 || to == asked->either;
}

/* Every rule of the role, whoever it names, for the members of one. */
static void add_all(struct cells *cells, const struct role *from, const struct role *to,
                    const struct intent_rule *rule)
{
	struct peer self = {.kind = PEER_SELF}, peer = spelled(from, &self);
	struct cell cell = {.to = to, .peer = peer, .rank = rank_of(peer.kind)};
	struct buf text = buf_new(cells->arena);

	peer_print(&text, &peer);
	cell.key = cell.from = buf_str(&text);
	add_to_cell(cells, cell, rule);
}

static void find_cells(struct cells *cells, const struct matrix *matrix, const struct matrix_asked *asked)
{
	for (size_t i = 0; i < matrix->fleet->role_count; i++) {
		const struct role *to = &matrix->fleet->roles[i];
		struct intent_rule *rules;
		size_t count;

		if (!is_asked_of(asked, to))
			continue;
		count = intent_role_rules(cells->arena, matrix->intent, i, &rules);
		for (size_t k = 0; k < count; k++) {
			const struct rule *rule = &rules[k].rule->rule;

			if (rule->action != ACTION_ALLOW || rule->direction != DIRECTION_IN)
				continue;
			if (asked->from != NULL)
				add_all(cells, asked->from, to, &rules[k]);
			else
				add_rule(cells, to, &rules[k]);
		}
	}
}

/* Those of one peer beside each other. */
static int cell_order(const void *a, const void *b)
{
	const struct cell *left = a, *right = b;
	int order = (left->rank > right->rank) - (left->rank < right->rank);

	order = order != 0 ? order : str_cmp(left->key, right->key);
	return order != 0 ? order : str_cmp(left->to->name, right->to->name);
}

static void ask_cells(struct matrix *matrix, const struct cells *cells, const struct matrix_asked *asked)
{
	struct arena *arena = arena_new(), *scratch = arena_new();
	const struct cell *last = NULL;
	struct matrix_end *from = NULL;

	for (size_t i = 0; i < cells->list.count; i++) {
		const struct cell *cell = &cells->list.items[i];

		if (!is_asked(asked, cell))
			continue;
		if (last == NULL || last->rank != cell->rank || !str_eq(last->key, cell->key)) {
			end_forget(from);
			arena_reset(arena);
			from = end_of_peer(arena, matrix, cell);
		}
		last = cell;
		arena_reset(scratch);
		matrix_cell(scratch, matrix, cell, from, end_of_members(matrix, cell->to));
	}
	end_forget(from);
	arena_free(scratch);
	arena_free(arena);
}

size_t matrix(struct arena *arena, struct intent *intent, const struct fleet *fleet, const struct matrix_asked *asked,
              struct matrix_row **rows)
{
	struct matrix whole = {.arena = arena, .intent = intent, .fleet = fleet};
	struct cells cells = {.arena = arena, .keys = names_new(arena)};

	whole.members = ARENA_ARRAY(arena, struct matrix_end *, fleet->role_count);
	keys_find(&whole);
	find_cells(&cells, &whole, asked);
	if (cells.list.count > 0)
		qsort(cells.list.items, cells.list.count, sizeof *cells.list.items, cell_order);
	ask_cells(&whole, &cells, asked);
	*rows = whole.rows.items;
	return whole.rows.count;
}
