/* Ports into multiport matches: exactly the same ports, at most 15 slots each, and never one match more than is needed.
 */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/rule.h"
#include "lines.h"
#include "random_rule.h"
#include "rounds.h"
#include "suite_main.h"

static unsigned slots_of(const struct port_chunk *chunk)
{
	unsigned slots = 0;

	for (size_t i = 0; i < chunk->count; i++)
		slots += chunk->ports[i].first == chunk->ports[i].last ? 1 : 2;
	return slots;
}

/* One bit a port; a port that is said twice fails. */
static void mark(bool *ports, const struct port_range *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (unsigned port = list[i].first; port <= list[i].last; port++) {
			ck_assert_msg(!ports[port], "port %u twice", port);
			ports[port] = true;
		}
}

static size_t check_chunks(const struct port_range *ports, size_t count)
{
	bool *wanted = ARENA_ARRAY(arena, bool, 65536), *said = ARENA_ARRAY(arena, bool, 65536);
	struct port_chunk *chunks;
	size_t made = ports_chunk(arena, ports, count, &chunks);

	mark(wanted, ports, count);
	for (size_t i = 0; i < made; i++) {
		ck_assert_uint_gt(chunks[i].count, 0);
		ck_assert_uint_le(slots_of(&chunks[i]), MULTIPORT_SLOTS);
		for (size_t k = 1; k < chunks[i].count; k++)
			ck_assert_uint_lt(chunks[i].ports[k - 1].last, chunks[i].ports[k].first);
		mark(said, chunks[i].ports, chunks[i].count);
	}
	ck_assert_int_eq(memcmp(wanted, said, 65536), 0);
	return made;
}

/* The fewest matches that hold so many ranges of three ports and more, ranges of two, and single ports: every way to
 * fill one match is tried, and a range of two may be cut in two. Independent of how ports_chunk() goes about it. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
enum { SMALL = __has_feature(address_sanitizer) ? 9 : 12 }; /* some fifteen times slower there */
static unsigned char fewest[SMALL + 1][SMALL + 1][2 * SMALL + SMALL + 1];

static unsigned least(unsigned wide, unsigned pairs, unsigned singles)
{
	unsigned best = 255;

	if (wide == 0 && pairs == 0 && singles == 0)
		return 0;
	if (fewest[wide][pairs][singles] > 0)
		return fewest[wide][pairs][singles];
	for (unsigned w = 0; w <= wide && 2 * w <= MULTIPORT_SLOTS; w++)
		for (unsigned p = 0; p <= pairs && 2 * (w + p) <= MULTIPORT_SLOTS; p++)
			for (unsigned cut = 0; cut <= pairs - p && cut <= 1; cut++) {
				unsigned left = MULTIPORT_SLOTS - 2 * (w + p);
				unsigned s;

				if (cut > left)
					continue;
				s = left - cut < singles ? left - cut : singles;
				if (w + p + s + cut == 0)
					continue;
				unsigned rest = least(wide - w, pairs - p - cut, singles - s + cut);

				best = rest + 1 < best ? rest + 1 : best;
			}
	fewest[wide][pairs][singles] = (unsigned char)best;
	return best;
}

static struct port_range *list_of(unsigned wide, unsigned pairs, unsigned singles, struct rng *rng, size_t *count)
{
	struct port_range *list = ARENA_ARRAY(arena, struct port_range, wide + pairs + singles);
	unsigned at = (unsigned)rng_below(rng, 100);

	*count = 0;
	while (wide + pairs + singles > 0) {
		unsigned pick = (unsigned)rng_below(rng, wide + pairs + singles), length;

		if (pick < wide)
			wide--, length = 3 + (unsigned)rng_below(rng, 50);
		else if (pick < wide + pairs)
			pairs--, length = 2;
		else
			singles--, length = 1;
		list[(*count)++] = (struct port_range){(uint16_t)at, (uint16_t)(at + length - 1)};
		at += length + 1 + (unsigned)rng_below(rng, 100);
	}
	return list;
}

START_TEST(never_one_more_than_needed)
{
	struct rng rng = {(uint64_t)_i};

	for (unsigned pairs = 0; pairs <= SMALL; pairs++)
		for (unsigned singles = 0; singles <= SMALL; singles++) {
			size_t count;
			struct port_range *list = list_of((unsigned)_i, pairs, singles, &rng, &count);

			if (count == 0)
				continue;
			size_t made = check_chunks(list, count);

			ck_assert_msg(made == least((unsigned)_i, pairs, singles),
			              "%d wide, %u pairs, %u singles: %zu matches, not %u", _i, pairs, singles, made,
			              least((unsigned)_i, pairs, singles));
			arena_reset(arena);
		}
}
END_TEST

/* Long lists, by the two bounds that can't be beaten: slots, and seven wide ranges a match. */
START_TEST(long_lists)
{
	struct rng rng = {1000 + (uint64_t)_i};
	unsigned wide = (unsigned)rng_below(&rng, 100), pairs = (unsigned)rng_below(&rng, 100),
		 singles = (unsigned)rng_below(&rng, 100);
	size_t count, by_slots, by_wide;
	struct port_range *list = list_of(wide, pairs, singles, &rng, &count);

	if (count == 0)
		return;
	by_slots = (2 * wide + 2 * pairs + singles + MULTIPORT_SLOTS - 1) / MULTIPORT_SLOTS;
	by_wide = (wide + 6) / 7;
	ck_assert_uint_eq(check_chunks(list, count), by_slots > by_wide ? by_slots : by_wide);
}
END_TEST

START_TEST(edges)
{
	const struct port_range all[] = {{0, 0}, {2, 3}, {5, 5}, {65533, 65535}};

	ck_assert_uint_eq(check_chunks(all, 4), 1);
	ck_assert_uint_eq(check_chunks(&all[3], 1), 1);
	ck_assert(str_eq(ports_spell(arena, all, 4), STR("0,2:3,5,65533:65535")));
	ck_assert(str_eq(ports_spell(arena, all, 1), STR("0")));
}
END_TEST

/* Every second port: 32768 of them, the most that there can be. */
START_TEST(the_longest_list)
{
	struct port_range *list = ARENA_ARRAY(arena, struct port_range, 32768);

	for (unsigned i = 0; i < 32768; i++)
		list[i] = (struct port_range){(uint16_t)(2 * i), (uint16_t)(2 * i)};
	ck_assert_uint_eq(check_chunks(list, 32768), (32768 + 14) / 15);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ports");
	TCase *tcase = tcase_create("ports");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, never_one_more_than_needed, 0, SMALL + 1);
	tcase_add_loop_test(tcase, long_lists, 0, (int)in_full(100));
	tcase_add_test(tcase, edges);
	tcase_add_test(tcase, the_longest_list);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
