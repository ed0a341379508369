/* Rows of a position as people read them: those of both families that say the same are one, the widest come first. */
#include <stdlib.h>

#include "exposed_parts.h"
#include "fleetwall/buf.h"
#include "fleetwall/rule.h"

/* --- joining --- */

static bool same_openings(const struct raw_row *a, const struct raw_row *b)
{
	if (a->opening_count != b->opening_count || a->stage != b->stage)
		return false;
	for (size_t i = 0; i < a->opening_count; i++)
		if (a->openings[i]->rule.rule != b->openings[i]->rule.rule)
			return false;
	return true;
}

static bool same_sources(const struct raw_row *a, const struct raw_row *b)
{
	return a->sources == b->sources || (a->sources->whole && b->sources->whole);
}

/* What differs in addresses of the fleet's own alone was two rows so far. */
static void join_alike(struct raw_rows *raw)
{
	for (size_t i = 0; i < raw->count; i++)
		for (size_t k = i + 1; k < raw->count; k++) {
			struct raw_row *one = &raw->items[i], *other = &raw->items[k];

			if (one->joined || other->joined || one->family != other->family ||
			    !same_openings(one, other) || !same_sources(one, other))
				continue;
			one->what = packets_keep(packets_or(one->what, other->what));
			other->joined = true;
		}
}

/* Without what one family alone has. */
static struct packets common_what(struct packets what)
{
	what = packets_without(what, packets_number(FIELD_PROTOCOL, PROTOCOL_ICMP));
	what = packets_without(what, packets_number(FIELD_PROTOCOL, PROTOCOL_ICMPV6));
	return packets_any(what, FIELD_FAMILY);
}

/* The row of the other family that says the same; NULL: none does. */
static struct raw_row *twin_of(const struct raw_rows *raw, const struct raw_row *row)
{
	struct packets what = common_what(row->what);

	for (size_t i = 0; i < raw->count; i++) {
		struct raw_row *other = &raw->items[i];

		if (!other->joined && other->family > row->family && same_openings(row, other) &&
		    packets_eq(common_what(other->what), what))
			return other;
	}
	return NULL;
}

/* --- a row --- */

/* A row with what it is sorted by. */
struct ranked {
	struct exposure exposure;
	size_t whole;      /* families */
	addr_bits size[FAMILIES];
	size_t numbers;
};

static addr_bits size_of(const struct addr_set *set)
{
	addr_bits size = 0;

	for (size_t i = 0; i < set->count; i++)
		size += set->ranges[i].last - set->ranges[i].first + 1;
	return size;
}

static void set_rules(struct arena *arena, const struct raw_row *row, struct exposure *exposure)
{
	char id[RULE_ID_DIGITS + 1];

	exposure->rules = ARENA_ARRAY(arena, struct intent_rule, row->opening_count);
	exposure->ids = ARENA_ARRAY(arena, struct str, row->opening_count);
	exposure->roles = ARENA_ARRAY(arena, struct str, row->opening_count);
	exposure->rule_count = row->opening_count;
	for (size_t i = 0; i < row->opening_count; i++) {
		exposure->rules[i] = row->openings[i]->rule;
		rule_id(exposure->rules[i].role->name, exposure->rules[i].rule->text, id);
		exposure->ids[i] = str_copy(arena, str_of(id));
		if (i == 0 || exposure->rules[i].role != exposure->rules[i - 1].role)
			exposure->roles[exposure->role_count++] = exposure->rules[i].role->name;
	}
}

struct ranking {
	struct exposed *exposed;
	struct arena *scratch;
	const struct str *patterns;
	size_t pattern_count;
	struct interface_cells *cells; /* NULL: not asked for yet */
};

static struct ranked *rank(struct ranking *ranking, const struct raw_row *const *rows, size_t count)
{
	struct exposed *exposed = ranking->exposed;
	struct ranked *ranked = ARENA_NEW(exposed->arena, struct ranked);
	struct exposure *exposure = &ranked->exposure;
	struct word_list words = {0};

	if (ranking->cells == NULL)
		ranking->cells = interface_cells(ranking->scratch, ranking->patterns, ranking->pattern_count);
	exposure->stage = rows[0]->stage;
	set_rules(exposed->arena, rows[0], exposure);
	for (size_t f = 0; f < FAMILIES; f++) {
		exposure->packets[f] = packets_none();
	}
	for (size_t i = 0; i < count; i++) {
		const struct addr_set *from = &rows[i]->sources->set;
		size_t f = rows[i]->family;

		exposure->packets[f] = rows[i]->what;
		ranked->whole += rows[i]->sources->whole;
		ranked->size[f] = exposed->thin != NULL ? thin_size(exposed->thin, from) : size_of(from);
		what_words(exposed->arena, rows[i]->what, family_at(f), ranking->cells, &words);
	}
	what_words_end(exposed->arena, &words);
	ranked->numbers = words.numbers;
	exposure->what = words.items;
	exposure->what_count = words.count;
	exposed_name(exposed, ranking->scratch, rows, count, exposure);
	return ranked;
}

/* Rows that say the same are made once, whatever positions they are in. Sources that stand for others are known by the
 * rules that let them in. */
static struct str key_of(const struct ranking *ranking, const struct raw_row *const *rows, size_t count)
{
	struct buf buf = buf_new(ranking->scratch);

	for (size_t i = 0; i < count; i++) {
		buf_format(&buf, "%zu %d %d %p ", rows[i]->family, (int)rows[i]->stage, rows[i]->what.node,
		           ranking->exposed->thin != NULL ? NULL : (const void *)rows[i]->sources);
		for (size_t k = 0; k < rows[i]->opening_count; k++)
			buf_format(&buf, "%p ", (const void *)rows[i]->openings[k]->rule.rule);
	}
	for (size_t i = 0; i < ranking->pattern_count; i++)
		buf_format(&buf, "%.*s ", STR_ARG(ranking->patterns[i]));
	return buf_str(&buf);
}

/* Other sources that stand for some are of this position alone. */
static bool is_shared(const struct exposed *exposed, const struct raw_row *const *rows, size_t count)
{
	bool plain = true;

	for (size_t i = 0; i < count; i++)
		plain &= rows[i]->plain;
	return plain || exposed->thin == NULL;
}

static const struct ranked *ranked_of(struct ranking *ranking, const struct raw_row *const *rows, size_t count)
{
	struct exposed *exposed = ranking->exposed;
	uint32_t number;

	if (!is_shared(exposed, rows, count))
		return rank(ranking, rows, count);
	number = names_add(exposed->row_keys, key_of(ranking, rows, count));

	if (number == exposed->rows.count) {
		struct ranked *ranked = rank(ranking, rows, count);

		APPEND(exposed->arena, &exposed->rows, ranked);
	}
	return exposed->rows.items[number];
}

/* The larger number first. */
#define WIDER(a, b) (((a) < (b)) - ((a) > (b)))

static int ranked_order(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;
	const struct exposure *one = &left->exposure, *other = &right->exposure;
	int order = WIDER(left->whole, right->whole);

	order = order != 0 ? order : WIDER(left->size[0], right->size[0]);
	order = order != 0 ? order : WIDER(left->size[1], right->size[1]);
	order = order != 0 ? order : WIDER(left->numbers, right->numbers);
	order = order != 0 ? order : str_cmp(one->what[0], other->what[0]);
	for (size_t i = 0; order == 0 && i < one->rule_count && i < other->rule_count; i++)
		order = str_cmp(one->ids[i], other->ids[i]);
	return order != 0 ? order : WIDER(one->rule_count, other->rule_count);
}

const struct exposures *exposed_rows(struct exposed *exposed, struct arena *scratch, struct raw_rows *raw,
                                     const struct str *patterns, size_t pattern_count)
{
	struct ranking ranking = {exposed, scratch, patterns, pattern_count, NULL};
	struct exposures *answer = ARENA_NEW(exposed->arena, struct exposures);
	struct {
		struct ranked *items;
		size_t count, capacity;
	} list = {0};

	join_alike(raw);
	for (size_t i = 0; i < raw->count; i++) {
		struct raw_row *row = &raw->items[i], *twin;

		if (row->joined)
			continue;
		twin = twin_of(raw, row);
		if (twin != NULL)
			twin->joined = true;
		APPEND(scratch, &list,
		       *ranked_of(&ranking, (const struct raw_row *[]){row, twin}, twin == NULL ? 1 : 2));
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof *list.items, ranked_order);
	answer->items = ARENA_ARRAY(exposed->arena, struct exposure, list.count);
	answer->count = list.count;
	for (size_t i = 0; i < list.count; i++)
		answer->items[i] = list.items[i].exposure;
	return answer;
}
