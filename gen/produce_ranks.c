/* All addresses of a family in order. Knows no machine and no set: only places, ranks and text. */
#include "produce_ranks.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "produce_sort.h"

/* --- ranks --- */

static struct placed *in_order(struct arena *scratch, enum family family, const void *items, size_t count)
{
	struct placed *placed = arena_raw(scratch, count * sizeof *placed);

	for (size_t i = 0; i < count; i++)
		placed[i] = (struct placed){
			family == FAMILY_4 ? ((const uint32_t *)items)[i] : ((const addr_bits *)items)[i],
			(uint32_t)i,
		};
	return sort_placed(placed, arena_raw(scratch, count * sizeof *placed), count);
}

static void give_ranks(struct ranks *ranks, const struct placed *placed, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || placed[i].bits != placed[i - 1].bits)
			ranks->addresses[ranks->count++] = placed[i].bits;
		ranks->of[placed[i].place] = (uint32_t)ranks->count - 1;
	}
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

	give_ranks(&ranks, in_order(scratch, family, items, count), count);
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

/* Ranks whose addresses follow each other without a gap. */
struct stretch {
	uint32_t first, last;
	bool any;
};

static void write_stretch(const struct ranks *ranks, struct set_text *text, const struct stretch *stretch)
{
	uint32_t first = stretch->first, last = stretch->last;

	if (!stretch->any)
		return;
	if (first == last)
		set_text_line(text, ranks->texts + ranks->text[first], ranks->text[first + 1] - ranks->text[first]);
	else
		set_text_range(text, ranks->addresses[first], ranks->addresses[last]);
}

static void write_word(const struct ranks *ranks, struct set_text *text, struct stretch *stretch, uint64_t word,
                       uint32_t first)
{
	for (; word != 0; word &= word - 1) {
		uint32_t rank = first + (uint32_t)__builtin_ctzll(word);

		if (stretch->any && rank == stretch->last + 1 && ranks->joins[stretch->last]) {
			stretch->last = rank;
			continue;
		}
		write_stretch(ranks, text, stretch);
		*stretch = (struct stretch){rank, rank, true};
	}
}

void marks_write(struct marks *marks, const struct ranks *ranks, struct set_text *text)
{
	struct stretch stretch = {0};

	for (size_t i = 0; i < ranks->count / 64 / 64 + 1 && marks->room > 0; i++) {
		for (uint64_t filled = marks->filled[i]; filled != 0; filled &= filled - 1) {
			size_t word = i * 64 + (size_t)__builtin_ctzll(filled);

			write_word(ranks, text, &stretch, marks->words[word], (uint32_t)(word * 64));
			marks->words[word] = 0;
		}
		marks->filled[i] = 0;
	}
	write_stretch(ranks, text, &stretch);
}
