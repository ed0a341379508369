/* Rows while they come: none is lost or moved, whatever their number, and each is put to its owner in the order in
 * which it came. valgrind-apart: every cut of every row. */
#include <check.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "load.h"
#include "random_rule.h"
#include "suite_main.h"

struct row {
	uint32_t owner, number;
};

START_TEST(rows_stay_where_they_are)
{
	static const size_t counts[] = {0, 1, 1023, 1024, 1025, 10000};
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct rows rows = rows_new(arena, sizeof(struct row));
		struct row *first = NULL;
		for (uint32_t i = 0; i < counts[c]; i++) {
			struct row *row = rows_add(&rows);
			*row = (struct row){i, i};
			first = i == 0 ? row : first;
		}
		ck_assert_uint_eq(rows.count, counts[c]);
		for (uint32_t i = 0; i < counts[c]; i++)
			if (((struct row *)rows_get(&rows, i))->number != i)
				ck_abort_msg("row %u of %zu", i, counts[c]);
		ck_assert(counts[c] == 0 || rows_get(&rows, 0) == first);
	}
}
END_TEST

/* Some owners have no rows, the first and the last among them. */
START_TEST(rows_are_put_to_their_owners)
{
	struct rng rng = {5};
	for (size_t round = 0; round < 50; round++) {
		struct rows rows = rows_new(arena, sizeof(struct row));
		size_t owners = 1 + rng_below(&rng, 40), count = rng_below(&rng, 2500);
		uint32_t *last = ARENA_ARRAY(arena, uint32_t, owners), seen = 0;
		for (uint32_t i = 0; i < count; i++)
			*(struct row *)rows_add(&rows) = (struct row){(uint32_t)rng_below(&rng, owners), i + 1};
		struct grouped grouped = load_group(arena, &rows, owners);
		uint32_t *places = ARENA_ARRAY(arena, uint32_t, count);
		for (uint32_t i = 0; i < count; i++)
			places[grouped.next[((struct row *)rows_get(&rows, i))->owner]++] = i;
		for (size_t owner = 0; owner < owners; owner++)
			for (uint32_t i = grouped.start[owner]; i < grouped.start[owner + 1]; i++, seen++) {
				const struct row *row = rows_get(&rows, places[i]);
				ck_assert(row->owner == owner && row->number > last[owner]);
				last[owner] = row->number;
			}
		ck_assert_uint_eq(seen, count);
	}
}
END_TEST

START_TEST(owners_are_found_in_any_order)
{
	struct loading loading = {.which = LOAD_PRESENT};
	struct names *names = names_new(arena);
	struct rng rng = {6};
	uint32_t owner = NAMES_NONE;
	ck_assert_ptr_nonnull(load_owner(&loading, names, "machine", STR("m0"), &owner));
	for (unsigned i = 0; i < 100; i++)
		names_add(names, str_format(arena, "m%u", i));
	owner = NAMES_NONE;
	for (size_t i = 0; i < 1000; i++) {
		uint32_t wanted = i < 200 ? (uint32_t)i / 2 : (uint32_t)rng_below(&rng, 100);
		ck_assert_ptr_null(load_owner(&loading, names, "machine", names_get(names, wanted), &owner));
		ck_assert_uint_eq(owner, wanted);
	}
	struct error *error = load_owner(&loading, names, "machine", STR("m100"), &owner);
	ck_assert(error != NULL && error->kind == ERROR_SURROUNDINGS && error->hint.n == 0);
	loading.which = LOAD_CHANGED;
	owner = NAMES_NONE;
	error = load_owner(&loading, names, "machine", STR("m100"), &owner);
	ck_assert(error != NULL && error->hint.n > 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load_rows");
	TCase *cases = tcase_create("load_rows");
	tcase_add_checked_fixture(cases, arena_setup, arena_teardown);
	tcase_add_test(cases, rows_stay_where_they_are);
	tcase_add_test(cases, rows_are_put_to_their_owners);
	tcase_add_test(cases, owners_are_found_in_any_order);
	suite_add_tcase(suite, cases);
	return suite_main(suite);
}
