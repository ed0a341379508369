/* All addresses of a family in order. Knows no machine and no set: only places, ranks and text. */
#include "produce_ranks.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "produce_sort.h"

/* --- ranks --- */

/* Addresses come in order, perhaps repeated. */
static inline void give_rank(struct ranks *ranks, addr_bits bits, uint32_t place)
{
	if (ranks->count == 0 || ranks->addresses[ranks->count - 1] != bits)
		ranks->addresses[ranks->count++] = bits;
	ranks->of[place] = (uint32_t)ranks->count - 1;
}

static void rank_numbers(struct arena *scratch, struct ranks *ranks, const uint32_t *items, size_t count)
{
	struct placed_number *placed = arena_raw(scratch, count * sizeof *placed), *sorted;

	for (size_t i = 0; i < count; i++)
		placed[i] = (struct placed_number){items[i], (uint32_t)i};
	sorted = sort_placed_numbers(placed, arena_raw(scratch, count * sizeof *placed), count);
	for (size_t i = 0; i < count; i++)
		give_rank(ranks, sorted[i].bits, sorted[i].place);
}

static void rank_addresses(struct arena *scratch, struct ranks *ranks, const addr_bits *items, size_t count)
{
	struct placed *placed = arena_raw(scratch, count * sizeof *placed), *sorted;

	for (size_t i = 0; i < count; i++)
		placed[i] = (struct placed){items[i], (uint32_t)i};
	sorted = sort_placed(placed, arena_raw(scratch, count * sizeof *placed), count);
	for (size_t i = 0; i < count; i++)
		give_rank(ranks, sorted[i].bits, sorted[i].place);
}

static void join(struct ranks *ranks)
{
	for (size_t i = 1; i < ranks->count; i++)
		ranks->joins[i - 1] = ranks->addresses[i] - ranks->addresses[i - 1] == 1;
}

/* A line is copied in pieces of a fixed size: what is behind the last one must be there. */
static void print(struct arena *arena, struct ranks *ranks)
{
	size_t most = ranks->family == FAMILY_4 ? sizeof "255.255.255.255" : ADDR_TEXT_MAX + 1;
	char *end = arena_raw(arena, ranks->count * most + SET_LINE_ROOM);

	ranks->texts = end;
	for (size_t i = 0; i < ranks->count; i++) {
		ranks->text[i] = (uint32_t)(end - ranks->texts);
		end += addr_write(end, (struct addr){ranks->addresses[i], ranks->family});
		*end++ = '\n';
	}
	ranks->text[ranks->count] = (uint32_t)(end - ranks->texts);
	memset(end, 0, SET_LINE_ROOM);
}

struct ranks ranks_new(struct arena *arena, enum family family, const void *items, size_t count)
{
	struct arena *scratch = arena_new();
	struct ranks ranks = {
		.family = family,
		.of = arena_raw(arena, count * sizeof *ranks.of),
		.addresses = arena_raw(arena, count * sizeof *ranks.addresses),
		.joins = ARENA_ARRAY(arena, bool, count),
		.text = arena_raw(arena, (count + 1) * sizeof *ranks.text),
	};

	if (family == FAMILY_4)
		rank_numbers(scratch, &ranks, items, count);
	else
		rank_addresses(scratch, &ranks, items, count);
	join(&ranks);
	print(arena, &ranks);
	arena_free(scratch);
	return ranks;
}

/* --- marks --- */

void marks_fit(struct arena *arena, struct marks *marks, size_t count)
{
	if (count <= marks->room)
		return;
	marks->words = ARENA_ARRAY(arena, uint64_t, count / 64 + 1);
	marks->filled = ARENA_ARRAY(arena, uint64_t, count / 64 / 64 + 1);
	marks->room = count;
}

void marks_add(struct marks *marks, const uint32_t *ranks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t word = ranks[i] / 64;

		marks->words[word] |= (uint64_t)1 << ranks[i] % 64;
		marks->filled[word / 64] |= (uint64_t)1 << word % 64;
	}
}

static size_t take_word(uint64_t word, uint32_t first, uint32_t *ranks)
{
	size_t count = 0;

	for (; word != 0; word &= word - 1)
		ranks[count++] = first + (uint32_t)__builtin_ctzll(word);
	return count;
}

size_t marks_take(struct marks *marks, uint32_t *ranks)
{
	size_t count = 0;

	for (size_t i = 0; marks->room > 0 && i < marks->room / 64 / 64 + 1; i++) {
		for (uint64_t filled = marks->filled[i]; filled != 0; filled &= filled - 1) {
			size_t word = i * 64 + (size_t)__builtin_ctzll(filled);

			count += take_word(marks->words[word], (uint32_t)(word * 64), ranks + count);
			marks->words[word] = 0;
		}
		marks->filled[i] = 0;
	}
	return count;
}

/* --- text --- */

/* The texts of a fleet do not fit into a processor's cache, and those of a small set lie far apart: so many are asked
 * for before they are needed. */
enum { AHEAD = 16 };

static inline const char *text_of(const struct ranks *ranks, uint32_t rank)
{
	return ranks->texts + ranks->text[rank];
}

void ranks_write(const struct ranks *ranks, const uint32_t *sorted, size_t count, struct set_text *text)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t first = sorted[i], last = first;

		if (i + AHEAD < count)
			__builtin_prefetch(text_of(ranks, sorted[i + AHEAD]));
		while (i + 1 < count && sorted[i + 1] == last + 1 && ranks->joins[last])
			last = sorted[++i];
		if (first == last)
			set_text_line(text, text_of(ranks, first), ranks->text[first + 1] - ranks->text[first]);
		else
			set_text_range(text, ranks->addresses[first], ranks->addresses[last]);
	}
}
