/* Recognising lines. They are kept in the order in which they were learned, so a stretch of a file that was met before
 * is compared line by line with what lies side by side in memory. Where it ends, what stood behind its last line before
 * is tried; then the line is looked up by a hash of it, and read if it is new. Judges nothing. */
#include "guard_memo.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "guard_lines.h"

__extension__ typedef unsigned __int128 product;

static uint64_t load(const char *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n);
	return word;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	product both = (product)a * b;

	return (uint64_t)both ^ (uint64_t)(both >> 64);
}

/* Equal lines are compared byte by byte, so this need not be strong, but quick: 16 bytes at a time, of which the next
 * do not wait for the last. */
static uint64_t hash_line(struct str line)
{
	const uint64_t odd = 0x9e3779b97f4a7c15, other = 0xd1b54a32d192ed03;
	uint64_t hash = line.n * odd;
	size_t at = 0;

	for (; at + 16 <= line.n; at += 16)
		hash += mix(load(line.p + at, 8) ^ (odd + at), load(line.p + at + 8, 8) ^ (other - at));
	size_t left = line.n - at, half = left < 8 ? left : 8;

	hash += mix(load(line.p + at, half) ^ odd, load(line.p + at + half, left - half) ^ other);
	return mix(hash ^ odd, other);
}

/* A monitored machine's port does not matter: nothing is walked through. */
struct scope scope_of(const struct ruleset *ruleset, size_t file)
{
	bool monitored = ruleset->enforcement == ENFORCEMENT_MONITOR;

	return (struct scope){file, ruleset->mode, ruleset->enforcement, monitored ? 0 : ruleset->ssh_port};
}

/* --- keeping lines --- */

enum {
	WORD = sizeof(uint32_t),
	CACHE_LINE = 64,
	STRETCH = 8 * CACHE_LINE, /* some four lines, as long as most stretches are */
};

static size_t words_of_text(size_t n)
{
	return (sizeof(struct known_line) + n + 1 + WORD - 1) / WORD;
}

/* Where the next line is. */
static uint32_t line_behind(const struct memo *memo, uint32_t line)
{
	const struct known_line *known = memo_line(memo, line);

	return (uint32_t)(line + words_of_text(known->n) + (known->has_more ? sizeof(struct line_more) / WORD : 0));
}

static struct str text_of(const struct memo *memo, uint32_t line)
{
	const struct known_line *known = memo_line(memo, line);

	return (struct str){known->text, known->n};
}

/* Where the lines of a segment end, and where they end for now: no line is as long as this. */
static void put_end(const struct memo *memo)
{
	memo_line(memo, memo->end)->n = UINT32_MAX;
}

/* Room for a line, whatever it has, and for the end behind it. A line that no segment holds gets several that lie side
 * by side. */
static void make_room(struct memo *memo, size_t n)
{
	size_t need = words_of_text(n) + sizeof(struct line_more) / WORD + words_of_text(0);
	size_t used = memo->end % SEGMENT_WORDS, count = (need + SEGMENT_WORDS - 1) / SEGMENT_WORDS;

	if (memo->segments.count > 0 && used > 0 && used + need <= SEGMENT_WORDS)
		return;
	uint32_t *segment = ARENA_ARRAY(memo->arena, uint32_t, count * SEGMENT_WORDS);

	memo->end = (uint32_t)(memo->segments.count * SEGMENT_WORDS);
	for (size_t i = 0; i < count; i++)
		APPEND(memo->arena, &memo->segments, segment + i * SEGMENT_WORDS);
}

static uint32_t learn(struct memo *memo, struct str text)
{
	make_room(memo, text.n);
	uint32_t number = memo->end;
	struct known_line *line = memo_line(memo, number);

	for (size_t i = 0; i < FOLLOWERS; i++)
		line->follower[i] = LINE_NONE;
	line->n = (uint32_t)text.n;
	if (text.n > 0)
		memcpy(line->text, text.p, text.n);
	line->text[text.n] = '\n';
	line_read(memo, line);
	memo->count++;
	memo->end = line_behind(memo, number);
	put_end(memo);
	return number;
}

struct memo *memo_new(struct arena *arena, const struct scope *scope)
{
	struct memo *memo = ARENA_NEW(arena, struct memo);

	memo->arena = arena;
	memo->scope = *scope;
	memo->chains = names_new(arena);
	for (size_t i = 0; i < CHAINS_FIXED; i++)
		(void)chain_number(memo, str_of(chain_names[i]));
	(void)learn(memo, STR(""));
	return memo;
}

size_t memo_bytes(const struct memo *memo)
{
	return sizeof *memo + memo->segments.count * SEGMENT_WORDS * WORD +
	       memo->matches.capacity * sizeof *memo->matches.items + memo->slot_count * sizeof *memo->slots +
	       memo->declared_capacity * sizeof *memo->declared;
}

/* --- looking up --- */

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* A stretch is about to be compared from here on: what lies there is asked for at once, not piece by piece. */
static void expect_stretch(const struct memo *memo, uint32_t line)
{
	const char *start = (const char *)memo_line(memo, line);

	for (size_t i = 0; i < STRETCH; i += CACHE_LINE)
		__builtin_prefetch(start + i);
}

/* Where the line is, or where it belongs. */
static struct slot *slot_of(const struct memo *memo, uint64_t hash, struct str text)
{
	for (size_t at = (size_t)hash;; at++) {
		struct slot *slot = &memo->slots[at & (memo->slot_count - 1)];

		if (slot->line == LINE_NONE)
			return slot;
		if (slot->tag != tag_of(hash))
			continue;
		expect_stretch(memo, slot->line);
		if (str_eq(text_of(memo, slot->line), text))
			return slot;
	}
}

static void grow_slots(struct memo *memo)
{
	struct slot *old = memo->slots;
	size_t old_count = memo->slot_count;

	memo->slot_count = old_count == 0 ? 1024 : 2 * old_count;
	memo->slots = ARENA_ARRAY(memo->arena, struct slot, memo->slot_count);
	memset(memo->slots, 0xff, memo->slot_count * sizeof *memo->slots);
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].line == LINE_NONE)
			continue;
		struct str text = text_of(memo, old[i].line);

		*slot_of(memo, hash_line(text), text) = old[i];
	}
}

static uint32_t look_up(struct memo *memo, uint64_t hash, struct str text)
{
	if (2 * memo->count >= memo->slot_count)
		grow_slots(memo);
	struct slot *slot = slot_of(memo, hash, text);

	if (slot->line == LINE_NONE)
		*slot = (struct slot){tag_of(hash), learn(memo, text)};
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

static void hear(struct arena *arena, struct scan *scan, struct known_line *line)
{
	uint32_t place = (uint32_t)scan->lines.count;
	const struct line_more *more = line_more(line);

	numbers_add(arena, &scan->loud, place);
	if (line->walk != WALK_NONE)
		numbers_add(arena, &scan->walks[line->walk], place);
	scan->tables += line->kind == LINE_FILTER || line->kind == LINE_TABLE;
	scan->commits += line->kind == LINE_COMMIT;
	scan->odd += line->kind == LINE_ODD || line->kind == LINE_TABLE;
	if (line->kind == LINE_CHAIN && more != NULL)
		scan->memo->declared[more->home] = (struct declared){scan->memo->scan, line->accepts};
}

static void keep_line(struct arena *arena, struct scan *scan, uint32_t number)
{
	struct known_line *line = memo_line(scan->memo, number);

	if (!line->quiet)
		hear(arena, scan, line);
	numbers_add(arena, &scan->lines, number);
}

/* The lines that were learned behind `line`, as long as they stand in `rest`, too. The last of them. */
static uint32_t take_stretch(struct arena *arena, struct scan *scan, uint32_t line, struct str *rest)
{
	const struct memo *memo = scan->memo;

	for (;;) {
		uint32_t next = line_behind(memo, line);
		const struct known_line *known = memo_line(memo, next);

		if (rest->n <= known->n || memcmp(rest->p, known->text, known->n + 1) != 0)
			return line;
		keep_line(arena, scan, next);
		rest->p += known->n + 1;
		rest->n -= known->n + 1;
		line = next;
	}
}

/* What stands behind the line `last`: one of those that stood there before, or any. */
static uint32_t find_next(struct memo *memo, uint32_t last, struct str text)
{
	uint64_t hash = hash_line(text);
	const struct known_line *before = memo_line(memo, last);

	for (size_t i = 0; i < FOLLOWERS; i++)
		if (before->follower[i] != LINE_NONE && before->tag[i] == tag_of(hash)) {
			expect_stretch(memo, before->follower[i]);
			if (str_eq(text_of(memo, before->follower[i]), text))
				return before->follower[i];
		}
	uint32_t found = look_up(memo, hash, text);
	struct known_line *learns = memo_line(memo, last);

	for (size_t i = FOLLOWERS - 1; i > 0; i--) {
		learns->follower[i] = learns->follower[i - 1];
		learns->tag[i] = learns->tag[i - 1];
	}
	learns->follower[0] = found;
	learns->tag[0] = tag_of(hash);
	return found;
}

void memo_scan(struct arena *arena, struct memo *memo, const struct ruleset *ruleset, struct scan *scan)
{
	struct str rest = ruleset->rules[memo->scope.file];
	uint32_t last = 0;

	scan->memo = memo;
	scan->ruleset = ruleset;
	scan->file = memo->scope.file;
	scan->lines.count = scan->loud.count = scan->walks[WALK_IN].count = scan->walks[WALK_OUT].count = 0;
	scan->tables = scan->commits = scan->odd = 0;
	memo->scan++;
	while (rest.n > 0) {
		last = take_stretch(arena, scan, last, &rest);
		if (rest.n == 0)
			break;
		struct str text = str_slice(rest, 0, str_find(rest, '\n'));

		last = find_next(memo, last, text);
		keep_line(arena, scan, last);
		rest = str_slice(rest, text.n + 1, rest.n);
	}
}
