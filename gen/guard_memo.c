/* Recognising lines, by their fingerprints: first what was learned behind the line before, then what stood behind it
 * before, then any; a line that is new is read. What a fleet's lines are stays small enough for a processor's caches,
 * and that is what this costs: a quarter of a SHA-256 over the same bytes. Judges nothing. */
#include "guard_memo.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "guard_lines.h"

__extension__ typedef unsigned __int128 product;

#define PLACE UINT64_C(0x9e3779b97f4a7c15) /* odd, and without a pattern */

static uint64_t load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

/* The sum of products of what was read and what nobody knows, 16 bytes at a time, of which the next do not wait for the
 * last (after NH of RFC 4418, UMAC; the place is part of each). Two lines have the same sum once in 2^64. */
static struct fingerprint print_of(const struct secrets *secrets, struct str line)
{
	uint64_t one = secrets->word[0], two = secrets->word[1];
	product sum = line.n;
	char last[16] = {0};
	size_t at = 0;

	for (; at + 16 <= line.n; at += 16, one += PLACE, two -= PLACE)
		sum += (product)(load(line.p + at) ^ one) * (load(line.p + at + 8) ^ two);
	if (line.n >= 16) {
		/* The last 16 bytes, some of them for the second time. */
		one += secrets->word[2];
		sum += (product)(load(line.p + line.n - 16) ^ one) * (load(line.p + line.n - 8) ^ two);
	} else {
		memcpy(last, line.p, line.n);
		sum += (product)(load(last) ^ one) * (load(last + 8) ^ two);
	}
	return (struct fingerprint){(uint64_t)sum, (uint64_t)(sum >> 64)};
}

static bool same_print(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->first == b->first && a->second == b->second;
}

/* A monitored machine's port does not matter: nothing is walked through. */
struct scope scope_of(const struct ruleset *ruleset, size_t file)
{
	bool monitored = ruleset->enforcement == ENFORCEMENT_MONITOR;

	return (struct scope){file, ruleset->mode, ruleset->enforcement, monitored ? 0 : ruleset->ssh_port};
}

/* --- keeping lines --- */

static uint32_t learn(struct memo *memo, const struct fingerprint *print, struct str text)
{
	struct known_line line = {.print = *print};

	for (size_t i = 0; i < FOLLOWERS; i++)
		line.follower[i] = LINE_NONE;
	line_read(memo, &line, text);
	APPEND(memo->arena, &memo->lines, line);
	return (uint32_t)memo->lines.count - 1;
}

struct memo *memo_new(struct arena *arena, const struct scope *scope, const struct secrets *secrets)
{
	struct memo *memo = ARENA_NEW(arena, struct memo);
	struct fingerprint none = {0};

	memo->arena = arena;
	memo->scope = *scope;
	memo->secrets = *secrets;
	memo->chains = names_new(arena);
	for (size_t i = 0; i < CHAINS_FIXED; i++)
		(void)chain_number(memo, str_of(chain_names[i]));
	(void)learn(memo, &none, STR(""));
	return memo;
}

size_t memo_bytes(const struct memo *memo)
{
	return sizeof *memo + memo->lines.capacity * sizeof *memo->lines.items +
	       memo->more.capacity * sizeof *memo->more.items + memo->matches.capacity * sizeof *memo->matches.items +
	       memo->slot_count * sizeof *memo->slots + memo->declared_capacity * sizeof *memo->declared;
}

/* --- looking up --- */

/* Spreads what the sum has in its upper half. */
static uint64_t hash_of(const struct fingerprint *print)
{
	uint64_t hash = (print->first ^ print->second) * PLACE;

	return hash ^ hash >> 32;
}

/* Where the line is, or where it belongs. */
static struct slot *slot_of(const struct memo *memo, const struct fingerprint *print, uint32_t tag)
{
	for (size_t at = (size_t)hash_of(print);; at++) {
		struct slot *slot = &memo->slots[at & (memo->slot_count - 1)];

		if (slot->line == LINE_NONE ||
		    (slot->tag == tag && same_print(&memo_line(memo, slot->line)->print, print)))
			return slot;
	}
}

static void grow_slots(struct memo *memo)
{
	memo->slot_count = memo->slot_count == 0 ? 1024 : 2 * memo->slot_count;
	memo->slots = ARENA_ARRAY(memo->arena, struct slot, memo->slot_count);
	memset(memo->slots, 0xff, memo->slot_count * sizeof *memo->slots);
	for (uint32_t i = 1; i < memo->lines.count; i++) {
		const struct fingerprint *print = &memo_line(memo, i)->print;
		uint32_t tag = (uint32_t)print->first;

		*slot_of(memo, print, tag) = (struct slot){tag, i};
	}
}

static uint32_t look_up(struct memo *memo, const struct fingerprint *print, struct str text)
{
	if (2 * memo->lines.count >= memo->slot_count)
		grow_slots(memo);
	uint32_t tag = (uint32_t)print->first;
	struct slot *slot = slot_of(memo, print, tag);

	if (slot->line == LINE_NONE)
		*slot = (struct slot){tag, learn(memo, print, text)};
	return slot->line;
}

/* --- recognising --- */

void numbers_add(struct arena *arena, struct numbers *numbers, uint32_t number)
{
	if (numbers->count == numbers->capacity)
		numbers->items = arena_grow(arena, numbers->items, numbers->count, &numbers->capacity,
		                            sizeof *numbers->items, _Alignof(uint32_t));
	numbers->items[numbers->count++] = number;
}

static void hear(struct arena *arena, struct scan *scan, const struct known_line *line)
{
	uint32_t place = (uint32_t)scan->lines.count;
	const struct line_more *more = memo_more(scan->memo, line);

	numbers_add(arena, &scan->loud, place);
	if (line->walk != WALK_NONE)
		numbers_add(arena, &scan->walks[line->walk], place);
	scan->tables += line->kind == LINE_FILTER || line->kind == LINE_TABLE;
	scan->commits += line->kind == LINE_COMMIT;
	scan->odd += line->kind == LINE_ODD || line->kind == LINE_TABLE;
	if (line->kind == LINE_CHAIN && more != NULL)
		scan->memo->declared[more->home] = (struct declared){scan->memo->scan, line->accepts};
}

/* What stands behind the line `last`: what was learned behind it, what stood there before, or any. */
static uint32_t find_next(struct memo *memo, uint32_t last, struct str text)
{
	struct fingerprint print = print_of(&memo->secrets, text);

	if (last + 1 < memo->lines.count && same_print(&memo_line(memo, last + 1)->print, &print))
		return last + 1;
	for (size_t i = 0; i < FOLLOWERS; i++) {
		uint32_t follower = memo_line(memo, last)->follower[i];

		if (follower != LINE_NONE && same_print(&memo_line(memo, follower)->print, &print))
			return follower;
	}
	uint32_t found = look_up(memo, &print, text);
	struct known_line *before = memo_line(memo, last);

	for (size_t i = FOLLOWERS - 1; i > 0; i--)
		before->follower[i] = before->follower[i - 1];
	before->follower[0] = found;
	return found;
}

static void begin_scan(struct memo *memo, const struct ruleset *ruleset, struct scan *scan)
{
	scan->memo = memo;
	scan->ruleset = ruleset;
	scan->file = memo->scope.file;
	scan->lines.count = scan->starts.count = scan->loud.count = 0;
	scan->walks[WALK_IN].count = scan->walks[WALK_OUT].count = 0;
	scan->tables = scan->commits = scan->odd = 0;
	memo->scan++;
}

void memo_scan(struct arena *arena, struct memo *memo, const struct ruleset *ruleset, struct scan *scan)
{
	struct str rules = ruleset->rules[memo->scope.file];
	uint32_t line = 0;

	begin_scan(memo, ruleset, scan);
	for (size_t at = 0; at < rules.n;) {
		const char *start = rules.p + at, *end = memchr(start, '\n', rules.n - at);
		size_t n = end != NULL ? (size_t)(end - start) : rules.n - at;

		line = find_next(memo, line, (struct str){start, n});
		if (!memo_line(memo, line)->quiet)
			hear(arena, scan, memo_line(memo, line));
		numbers_add(arena, &scan->lines, line);
		numbers_add(arena, &scan->starts, (uint32_t)at);
		at += n + 1;
	}
}

struct str scan_text(const struct scan *scan, size_t i)
{
	struct str rules = scan->ruleset->rules[scan->file];
	struct str rest = str_slice(rules, scan->starts.items[i], rules.n);

	return str_slice(rest, 0, str_find(rest, '\n'));
}
