/* Sets that are put together from addresses printed before, against sets that are sorted and printed: the same bytes,
 * for any addresses and any part of them. valgrind-apart: many addresses. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "produce_ranks.h"
#include "produce_sort.h"
#include "suite_main.h"

static uint64_t state;

static uint64_t below(uint64_t limit)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % limit;
}

/* Close together, so that some repeat and many join; at the ends of the family, too. */
static addr_bits some_address(enum family family, uint64_t spread)
{
	addr_bits highest = family == FAMILY_4 ? UINT32_MAX : ~(addr_bits)0, near = below(spread);

	switch (below(4)) {
	case 0:
		return near;
	case 1:
		return highest - near;
	case 2:
		return family == FAMILY_4 ? 10u << 24 | near : (addr_bits)0xfd123456 << 96 | near;
	default:
		return family == FAMILY_4 ? 0x64400000u + near : (addr_bits)0xffff << 32 | near;
	}
}

struct addresses {
	enum family family;
	size_t count;
	void *items;
};

static addr_bits bits_at(const struct addresses *all, size_t i)
{
	return all->family == FAMILY_4 ? ((uint32_t *)all->items)[i] : ((addr_bits *)all->items)[i];
}

static void set_bits(const struct addresses *all, size_t i, addr_bits bits)
{
	if (all->family == FAMILY_4)
		((uint32_t *)all->items)[i] = (uint32_t)bits;
	else
		((addr_bits *)all->items)[i] = bits;
}

static struct addresses empty(enum family family, size_t most)
{
	return (struct addresses){family, 0, ARENA_ARRAY(arena, addr_bits, most + 1)};
}

static struct addresses some_addresses(enum family family, size_t count)
{
	struct addresses all = empty(family, count);
	uint64_t spread = 1 + below(3 * count + 1);

	for (; all.count < count; all.count++)
		set_bits(&all, all.count, some_address(family, spread));
	return all;
}

/* Which are in the set: places, in no order, some twice. */
static size_t some_places(const struct addresses *all, uint32_t *places)
{
	uint64_t share = 1 + below(8);
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		for (uint64_t times = below(share) == 0 ? 1 + below(2) : 0; times > 0; times--)
			places[count++] = (uint32_t)i;
	for (size_t i = count; i > 1; i--) {
		size_t other = below(i);
		uint32_t place = places[i - 1];

		places[i - 1] = places[other];
		places[other] = place;
	}
	return count;
}

static struct str sorted(const struct addresses *all, const uint32_t *places, size_t count)
{
	struct addresses chosen = empty(all->family, count);
	void *room = ARENA_ARRAY(arena, addr_bits, count + 1);
	struct buf out = buf_new(arena);
	struct set_text text = set_text_new(&out, STR("fw4-web-0123456789ab"), all->family);

	for (size_t i = 0; i < count; i++)
		set_bits(&chosen, i, bits_at(all, places[i]));
	set_text_begin(&text, count);
	if (all->family == FAMILY_4)
		set_text_numbers(&text, sort_numbers(chosen.items, room, count), count);
	else
		set_text_addresses(&text, sort_addresses(chosen.items, room, count), count);
	set_text_end(&text);
	return buf_str(&out);
}

static struct str put_together(const struct ranks *ranks, struct marks *marks, uint32_t *places, size_t count)
{
	struct buf out = buf_new(arena);
	struct set_text text = set_text_new(&out, STR("fw4-web-0123456789ab"), ranks->family);

	for (size_t i = 0; i < count; i++)
		places[i] = ranks->of[places[i]];
	set_text_begin(&text, 0);
	marks_add(marks, places, count);
	ranks_write(ranks, places, marks_take(marks, places), &text);
	set_text_end(&text);
	return buf_str(&out);
}

/* Several sets from the same memory, as a worker makes them, of both families. */
START_TEST(sets_are_the_same_bytes)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};
	struct marks marks = {0};

	state = (uint64_t)_i;
	for (int round = 0; round < 4; round++) {
		size_t most = _i % 4 == 0 ? 6000 : _i % 4 == 1 ? 3 : 200;
		struct addresses all = some_addresses(families[below(2)], below(most));
		struct ranks ranks = ranks_new(arena, all.family, all.items, all.count);
		uint32_t *places = ARENA_ARRAY(arena, uint32_t, 2 * all.count + 1);

		marks_fit(arena, &marks, all.count);
		for (int set = 0; set < 3; set++) {
			size_t count = some_places(&all, places);
			struct str expected = sorted(&all, places, count);
			struct str found = put_together(&ranks, &marks, places, count);

			ck_assert_uint_eq(found.n, expected.n);
			ck_assert_int_eq(memcmp(found.p, expected.p, found.n), 0);
		}
	}
}
END_TEST

static Suite *ranks_suite(void)
{
	Suite *suite = suite_create("produce_ranks");
	TCase *tcase = tcase_create("ranks");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, sets_are_the_same_bytes, 0, 80);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return suite_main(ranks_suite());
}
