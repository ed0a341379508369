/* Recognising lines by their fingerprints; a line that is new is read. What is known of a line lies where it is looked
 * up, and is asked for before it is needed: between two rulesets the caches are full of other things, and waiting for
 * memory would cost more than all the rest. Judges nothing. */
#include "guard_memo.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "guard_lines.h"

__extension__ typedef unsigned __int128 product;

enum { AHEAD = 12 }; /* so many lines are asked for at once */

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

/* A monitored machine's port does not matter: nothing is walked through. */
struct scope scope_of(const struct ruleset *ruleset, size_t file)
{
	bool monitored = ruleset->enforcement == ENFORCEMENT_MONITOR;

	return (struct scope){file, ruleset->mode, ruleset->enforcement, monitored ? 0 : ruleset->ssh_port};
}

struct memo *memo_new(struct arena *arena, const struct scope *scope, const struct secrets *secrets)
{
	struct memo *memo = ARENA_NEW(arena, struct memo);

	memo->arena = arena;
	memo->scope = *scope;
	memo->secrets = *secrets;
	memo->chains = names_new(arena);
	for (size_t i = 0; i < CHAINS_FIXED; i++)
		(void)chain_number(memo, str_of(chain_names[i]));
	return memo;
}

size_t memo_bytes(const struct memo *memo)
{
	return sizeof *memo + memo->capacity * sizeof *memo->lines + memo->more.capacity * sizeof *memo->more.items +
	       memo->matches.capacity * sizeof *memo->matches.items + memo->declared_capacity * sizeof *memo->declared;
}

/* --- looking up --- */

/* Where the look for a line begins: the upper half of the sum is part of it. */
static size_t home_of(const struct memo *memo, const struct fingerprint *print)
{
	uint64_t hash = (print->first ^ print->second) * PLACE;

	return (size_t)(hash >> 32) & (memo->capacity - 1);
}

/* Where the line is, or where it belongs. */
static uint32_t find_line(const struct memo *memo, const struct fingerprint *print)
{
	size_t at = home_of(memo, print);

	while (memo->lines[at].kind != LINE_NONE && !same_print(&memo->lines[at].print, print))
		at = (at + 1) & (memo->capacity - 1);
	return (uint32_t)at;
}

/* For so many more lines, and a quarter stays free. */
static void make_room(struct memo *memo, size_t more)
{
	struct known_line *old = memo->lines;
	size_t old_capacity = memo->capacity;

	if (4 * (memo->count + more) <= 3 * memo->capacity)
		return;
	if (memo->capacity == 0)
		memo->capacity = 256;
	while (4 * (memo->count + more) > 3 * memo->capacity)
		memo->capacity *= 2;
	memo->lines = ARENA_ARRAY(memo->arena, struct known_line, memo->capacity);
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].kind != LINE_NONE)
			memo->lines[find_line(memo, &old[i].print)] = old[i];
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

static void begin_scan(struct memo *memo, const struct ruleset *ruleset, struct scan *scan)
{
	scan->memo = memo;
	scan->ruleset = ruleset;
	scan->file = memo->scope.file;
	scan->prints.count = scan->lines.count = scan->starts.count = scan->loud.count = 0;
	scan->walks[WALK_IN].count = scan->walks[WALK_OUT].count = 0;
	scan->tables = scan->commits = scan->odd = 0;
	memo->scan++;
}

static void print_lines(struct arena *arena, struct scan *scan)
{
	struct str rules = scan->ruleset->rules[scan->file];

	for (size_t at = 0; at < rules.n;) {
		const char *start = rules.p + at, *end = memchr(start, '\n', rules.n - at);
		size_t n = end != NULL ? (size_t)(end - start) : rules.n - at;

		APPEND(arena, &scan->prints, print_of(&scan->memo->secrets, (struct str){start, n}));
		numbers_add(arena, &scan->starts, (uint32_t)at);
		at += n + 1;
	}
}

static void learn(struct scan *scan, size_t place, struct known_line *line)
{
	line->print = scan->prints.items[place];
	line_read(scan->memo, line, scan_text(scan, place));
	scan->memo->count++;
}

void memo_scan(struct arena *arena, struct memo *memo, const struct ruleset *ruleset, struct scan *scan)
{
	begin_scan(memo, ruleset, scan);
	print_lines(arena, scan);
	make_room(memo, scan->prints.count);
	for (size_t i = 0; i < scan->prints.count; i++) {
		if (i + AHEAD < scan->prints.count)
			__builtin_prefetch(&memo->lines[home_of(memo, &scan->prints.items[i + AHEAD])]);
		uint32_t number = find_line(memo, &scan->prints.items[i]);
		struct known_line *line = memo_line(memo, number);

		if (line->kind == LINE_NONE)
			learn(scan, i, line);
		if (!line->quiet)
			hear(arena, scan, line);
		numbers_add(arena, &scan->lines, number);
	}
}

struct str scan_text(const struct scan *scan, size_t i)
{
	struct str rules = scan->ruleset->rules[scan->file];
	struct str rest = str_slice(rules, scan->starts.items[i], rules.n);

	return str_slice(rest, 0, str_find(rest, '\n'));
}
