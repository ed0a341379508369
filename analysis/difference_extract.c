/* Which lines of two rules files matter to what differs between them: those that stand in one alone, or name a set that
 * changed, and those that packets of these may meet as well. A change of one rule leaves out nearly all of a ruleset,
 * and what is left is often the same for many. Where anything is not as our templates write it, nothing is left out. */
#include <string.h>

#include "difference_parts.h"
#include "fleetwall/buf.h"

enum { CHANGED_MOST = 64 };

/* One text: what stands before the rules, and the rules. */
struct side {
	struct str head;
	struct {
		uint32_t *items;
		size_t count, capacity;
	} lines;
};

struct look {
	struct comparison *comparison;
	struct difference *difference;
	uint64_t number;
	struct side sides[2];
};

static struct line *line_of(const struct look *look, uint32_t number)
{
	return &look->difference->lines.items[number];
}

static struct chain_mark *mark_of(struct look *look, uint32_t chain)
{
	struct difference *difference = look->difference;
	struct chain_mark *mark;

	while (difference->marks.count <= chain)
		APPEND(difference->arena, &difference->marks, (struct chain_mark){0});
	mark = &difference->marks.items[chain];
	if (mark->look != look->number)
		*mark = (struct chain_mark){.look = look->number};
	return mark;
}

/* --- reading --- */

static struct str first_line(struct str text)
{
	return str_slice(text, 0, str_find(text, '\n'));
}

static struct str behind(struct str text, struct str line)
{
	return str_slice(text, line.n + 1, text.n);
}

static void note_line(struct look *look, size_t side, uint32_t number)
{
	struct line *line = line_of(look, number);

	if (line->look != look->number) {
		line->look = look->number;
		line->counts[0] = line->counts[1] = 0;
		line->changed = line->kept = false;
	}
	line->counts[side]++;
	if (line->target != NAMES_NONE)
		mark_of(look, line->target)->entered = true;
	APPEND(look->comparison->arena, &look->sides[side].lines, number);
}

static bool read_side(struct look *look, size_t side, struct str text)
{
	struct str rest = text, line = first_line(rest);
	bool plain = true;

	while (rest.n > 0 && !str_starts(line, STR("-A ")) && !str_is(line, "COMMIT")) {
		rest = behind(rest, line);
		line = first_line(rest);
	}
	look->sides[side].head = str_slice(text, 0, text.n - rest.n);
	while (str_starts(line, STR("-A ")) && plain) {
		uint32_t number = lines_add(look->difference, line);

		plain = line_of(look, number)->plain;
		note_line(look, side, number);
		rest = behind(rest, line);
		line = first_line(rest);
	}
	return plain && str_is(str_trim(rest), "COMMIT");
}

/* ":fleetwall-0123456789ab - [0:0]" */
static bool is_own_chain(struct str line, struct str *name)
{
	size_t blank = str_find(line, ' ');

	*name = str_slice(line, 1, blank);
	return str_starts(line, STR(":")) && str_starts(str_slice(line, blank, line.n), STR(" - "));
}

/* The next line of a head that is no chain of our own. */
static struct str next_plain(struct str *head)
{
	struct str line, name;

	do {
		line = first_line(*head);
		*head = behind(*head, line);
	} while (head->n > 0 && is_own_chain(line, &name));
	return is_own_chain(line, &name) ? STR("") : line;
}

static bool same_heads(const struct look *look)
{
	struct str heads[2] = {look->sides[0].head, look->sides[1].head};

	while (heads[0].n > 0 || heads[1].n > 0)
		if (!str_eq(next_plain(&heads[0]), next_plain(&heads[1])))
			return false;
	return true;
}

/* --- what changed --- */

static bool in_both(const struct line *line)
{
	return line->counts[0] == line->counts[1];
}

/* Lines that both have must stand in the same order. */
static bool same_order(const struct look *look)
{
	const struct side *a = &look->sides[0], *b = &look->sides[1];
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a->lines.count && !in_both(line_of(look, a->lines.items[i])))
			i++;
		while (k < b->lines.count && !in_both(line_of(look, b->lines.items[k])))
			k++;
		if (i == a->lines.count || k == b->lines.count)
			return i == a->lines.count && k == b->lines.count;
		if (a->lines.items[i++] != b->lines.items[k++])
			return false;
	}
}

static bool names_changed_set(const struct comparison *comparison, const struct line *line)
{
	for (size_t i = 0; i < line->set_count; i++) {
		size_t number = sets_find(comparison, line->sets[i]);
		const struct both_sets *set = &comparison->sets[number];

		if (number == comparison->set_count || set->have[0] != set->have[1] || sets_differ(set))
			return true;
	}
	return false;
}

static bool mark_changed(struct look *look, struct line *line)
{
	if (line->changed)
		return false;
	line->changed = true;
	mark_of(look, line->chain)->changed = true;
	return true;
}

static bool leads_to_change(struct look *look, const struct line *line)
{
	return line->target != NAMES_NONE && mark_of(look, line->target)->changed;
}

/* Who changes a chain changes the lines that lead to it. */
static void find_changed(struct look *look)
{
	bool more = true;

	for (size_t pass = 0; more; pass++) {
		more = false;
		for (size_t side = 0; side < 2; side++)
			for (size_t i = 0; i < look->sides[side].lines.count; i++) {
				struct line *line = line_of(look, look->sides[side].lines.items[i]);

				if ((pass == 0 && (!in_both(line) || names_changed_set(look->comparison, line))) ||
				    leads_to_change(look, line))
					more |= mark_changed(look, line);
			}
	}
}

static bool collect_changed(struct look *look, struct extract *extract)
{
	struct comparison *comparison = look->comparison;

	extract->concerns = ARENA_ARRAY(comparison->arena, struct concern, CHANGED_MOST);
	for (size_t side = 0; side < 2; side++)
		for (size_t i = 0; i < look->sides[side].lines.count; i++) {
			uint32_t number = look->sides[side].lines.items[i];
			const struct line *line = line_of(look, number);

			if (!line->changed || mark_of(look, line->chain)->entered ||
			    (side == 1 && line->counts[0] > 0))
				continue;
			if (extract->count == CHANGED_MOST)
				return false;
			extract->concerns[extract->count++] =
				concern_of(comparison, number, in_both(line) && !leads_to_change(look, line));
		}
	return true;
}

/* --- what is kept --- */

static bool meets_changed(const struct look *look, const struct extract *extract, const struct line *line)
{
	for (size_t i = 0; i < extract->count; i++) {
		const struct line *changed = line_of(look, extract->concerns[i].line);

		if (line->chain != changed->chain)
			continue;
		/* A rule may be several lines: whether it came or went is said of all. */
		if (line->changed || (line->comment.n > 0 && str_eq(line->comment, changed->comment)) ||
		    concern_meets(look->comparison, &extract->concerns[i], line))
			return true;
	}
	return false;
}

static bool is_wanted(struct look *look, const struct extract *extract, const struct line *line)
{
	const struct chain_mark *mark = mark_of(look, line->chain);

	return mark->entered ? mark->kept : meets_changed(look, extract, line);
}

static void keep_lines(struct look *look, const struct extract *extract)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t side = 0; side < 2; side++)
			for (size_t i = 0; i < look->sides[side].lines.count; i++) {
				struct line *line = line_of(look, look->sides[side].lines.items[i]);

				if (line->kept || !is_wanted(look, extract, line))
					continue;
				line->kept = more = true;
				if (line->target != NAMES_NONE)
					mark_of(look, line->target)->kept = true;
			}
	}
}

static bool is_declared(struct look *look, struct str line)
{
	struct str name;
	uint32_t chain;

	if (!is_own_chain(line, &name))
		return true;
	chain = names_find(look->difference->chains, name);
	return chain == NAMES_NONE || !mark_of(look, chain)->entered || mark_of(look, chain)->kept;
}

static struct str kept_text(struct look *look, const struct side *side)
{
	struct buf buf = buf_new(look->comparison->arena);
	struct str head = side->head, line;

	for (; head.n > 0; head = behind(head, line)) {
		line = first_line(head);
		if (is_declared(look, line))
			buf_format(&buf, "%.*s\n", STR_ARG(line));
	}
	for (size_t i = 0; i < side->lines.count; i++)
		if (line_of(look, side->lines.items[i])->kept)
			buf_format(&buf, "%.*s\n", STR_ARG(line_of(look, side->lines.items[i])->text));
	buf_add(&buf, STR("COMMIT\n"));
	return buf_str(&buf);
}

/* --- all of it --- */

static bool extract_family(struct look *look, const struct difference_pair *pair, size_t six, struct extract *extract)
{
	for (size_t side = 0; side < 2; side++)
		if (!read_side(look, side, pair->rules[side][six]))
			return false;
	if (!same_heads(look) || !same_order(look))
		return false;
	find_changed(look);
	if (!collect_changed(look, extract))
		return false;
	keep_lines(look, extract);
	for (size_t side = 0; side < 2; side++)
		extract->text[side] = kept_text(look, &look->sides[side]);
	return true;
}

void extract_lines(struct comparison *comparison, const struct difference_pair *pair)
{
	for (size_t six = 0; six < 2; six++) {
		struct extract *extract = &comparison->extracts[six];
		struct look look = {.comparison = comparison,
		                    .difference = comparison->difference,
		                    .number = ++comparison->difference->looks};

		if (!extract_family(&look, pair, six, extract))
			*extract = (struct extract){.text = {pair->rules[0][six], pair->rules[1][six]},
			                            .whole = true};
	}
}

/* --- what it is good for --- */

static void print_sets(struct buf *buf, const struct comparison *comparison, struct str text)
{
	const struct difference *difference = comparison->difference;

	for (struct str line; text.n > 0; text = behind(text, line)) {
		uint32_t number;

		line = first_line(text);
		number = names_find(difference->line_names, line);
		for (size_t i = 0; number != NAMES_NONE && i < difference->lines.items[number].set_count; i++) {
			size_t place = sets_find(comparison, difference->lines.items[number].sets[i]);
			const struct both_sets *set = &comparison->sets[place];

			if (place < comparison->set_count)
				buf_add(buf, (struct str){(const char *)set->digest, sizeof set->digest});
		}
	}
}

struct str extract_key(struct comparison *comparison)
{
	struct buf buf = buf_new(comparison->arena);

	for (size_t six = 0; six < 2; six++) {
		const struct extract *extract = &comparison->extracts[six];

		if (extract->whole)
			return STR("");
		for (size_t side = 0; side < 2; side++) {
			buf_add(&buf, extract->text[side]);
			print_sets(&buf, comparison, extract->text[side]);
		}
	}
	return buf_str(&buf);
}

static bool is_into(const struct comparison *comparison, const struct concern *concern, struct str chain)
{
	const struct difference *difference = comparison->difference;

	return str_eq(names_get(difference->chains, difference->lines.items[concern->line].chain), chain);
}

static struct packets concerned(const struct comparison *comparison, const struct concern *concern)
{
	static const enum packet_field fields[2] = {FIELD_SOURCE, FIELD_DESTINATION};
	struct packets all = lines_packets(&comparison->difference->lines.items[concern->line]);

	for (size_t end = 0; end < 2; end++)
		if (concern->has_end[end])
			all = packets_and(all, packets_addresses(fields[end], &concern->ends[end]));
	return all;
}

struct packets extract_packets(const struct comparison *comparison, enum family family, struct str chain)
{
	const struct extract *extract = &comparison->extracts[family == FAMILY_6];
	struct packets all = packets_none();

	if (extract->whole)
		return packets_all();
	for (size_t i = 0; i < extract->count; i++)
		if (is_into(comparison, &extract->concerns[i], chain))
			all = packets_or(all, concerned(comparison, &extract->concerns[i]));
	return all;
}

const struct addr_set *extract_peers(struct comparison *comparison, enum family family, struct str chain, size_t end)
{
	const struct extract *extract = &comparison->extracts[family == FAMILY_6];
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};
	struct addr_set *all = ARENA_NEW(comparison->arena, struct addr_set);

	if (extract->whole)
		return NULL;
	for (size_t i = 0; i < extract->count; i++) {
		const struct concern *concern = &extract->concerns[i];

		if (!is_into(comparison, concern, chain))
			continue;
		if (!concern->has_end[end])
			return NULL;
		for (size_t k = 0; k < concern->ends[end].count; k++)
			APPEND(comparison->arena, &ranges, concern->ends[end].ranges[k]);
	}
	*all = addr_set_of(comparison->arena, family, ranges.items, ranges.count);
	return all;
}
