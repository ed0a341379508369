/* Waves: every role has a canary, no canary is without need, shares grow, and the order in which machines came makes no
 * difference. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/push.h"
#include "random_rule.h"
#include "suite_main.h"

struct who {
	const char *machine, *roles; /* by blanks */
};

static struct plan_item item_of(const char *machine, const char *roles)
{
	struct plan_item item = {.work.machine = str_of(machine), .contact.machine = str_of(machine)};
	struct str rest = str_of(roles), role;

	item.contact.roles = ARENA_ARRAY(arena, struct str, 40);
	while (rest.n > 0 && str_cut(&rest, ' ', &role))
		item.contact.roles[item.contact.role_count++] = role;
	return item;
}

static const char *canary_names(const struct plan_item *items, size_t count)
{
	struct str names = STR("");

	for (size_t i = 0; i < count && items[i].work.wave == 0; i++)
		names = str_format(arena, "%.*s%s%.*s", STR_ARG(names), i == 0 ? "" : " ",
		                   STR_ARG(items[i].work.machine));
	return str_c(arena, names);
}

static const struct {
	struct who given[6];
	const char *canaries;
	unsigned waves;
} cases[] = {
	{{{"a", "web"}}, "a", 1},
	{{{"a", ""}}, "a", 1},
	{{{"b", ""}, {"a", ""}}, "a", 2},
	{{{"b", "web"}, {"a", "web"}, {"c", "web"}}, "a", 3},
	/* the fewest */
	{{{"a", "web"}, {"b", "db"}, {"c", "db web"}}, "c", 3},
	{{{"a", "all web"}, {"b", "all db"}, {"c", "all"}}, "a b", 2},
	/* of two that would do, the one with fewer others */
	{{{"a", "db web x"}, {"b", "db web"}, {"c", "x"}, {"d", "x db"}}, "a", 3},
	{{{"a", "web machine:a"}, {"b", "web"}, {"c", "machine:c"}}, "a", 3},
	/* chosen first, and not needed in the end */
	{{{"m", "1 2 3 4"}, {"n", "1 2 5"}, {"o", "3 4 6"}}, "n o", 2},
};

START_TEST(test_cases)
{
	struct plan_item items[6];
	size_t count = 0;
	unsigned waves;

	for (; count < 6 && cases[_i].given[count].machine != NULL; count++)
		items[count] = item_of(cases[_i].given[count].machine, cases[_i].given[count].roles);
	waves = push_waves(arena, items, count);
	ck_assert_str_eq(canary_names(items, count), cases[_i].canaries);
	ck_assert_uint_eq(waves, cases[_i].waves);
}
END_TEST

START_TEST(test_none)
{
	ck_assert_uint_eq(push_waves(arena, NULL, 0), 0);
}
END_TEST

/* --- many --- */

enum { ROLES = 30 };

static struct plan_item *fleet(struct rng *rng, size_t count)
{
	struct plan_item *items = ARENA_ARRAY(arena, struct plan_item, count);

	for (size_t i = 0; i < count; i++) {
		struct str roles = STR("default");

		for (size_t more = rng_below(rng, 5); more > 0; more--)
			roles = str_format(arena, "%.*s role%zu", STR_ARG(roles), rng_below(rng, ROLES));
		items[i] = item_of(str_c(arena, str_format(arena, "m%05zu", i)), str_c(arena, roles));
	}
	return items;
}

static void shuffle(struct rng *rng, struct plan_item *items, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = rng_below(rng, i);
		struct plan_item swapped = items[i - 1];

		items[i - 1] = items[other];
		items[other] = swapped;
	}
}

static bool has_role(const struct plan_item *item, struct str role)
{
	for (size_t i = 0; i < item->contact.role_count; i++)
		if (str_eq(item->contact.roles[i], role))
			return true;
	return false;
}

/* How many canaries have it; `without` does not count. */
static size_t canaries_of(const struct plan_item *items, size_t count, struct str role, size_t without)
{
	size_t found = 0;

	for (size_t i = 0; i < count && items[i].work.wave == 0; i++)
		found += i != without && has_role(&items[i], role);
	return found;
}

static bool is_needed(const struct plan_item *items, size_t count, size_t canary)
{
	for (size_t r = 0; r < items[canary].contact.role_count; r++)
		if (canaries_of(items, count, items[canary].contact.roles[r], canary) == 0)
			return true;
	return false;
}

START_TEST(test_many)
{
	struct rng rng = {11 + (uint64_t)_i};
	size_t count = 50 + rng_below(&rng, 500), in[4] = {0};
	struct plan_item *items = fleet(&rng, count);
	unsigned waves = push_waves(arena, items, count);

	ck_assert_uint_eq(waves, 4);
	for (size_t i = 0; i < count; i++) {
		in[items[i].work.wave]++;
		ck_assert(i == 0 || items[i - 1].work.wave <= items[i].work.wave);
		ck_assert(i == 0 || items[i - 1].work.wave < items[i].work.wave ||
		          str_cmp(items[i - 1].work.machine, items[i].work.machine) < 0);
		for (size_t r = 0; r < items[i].contact.role_count; r++)
			ck_assert_uint_gt(canaries_of(items, count, items[i].contact.roles[r], count), 0);
	}
	ck_assert_uint_le(in[0], ROLES);
	for (size_t i = 0; i < in[0]; i++)
		ck_assert(is_needed(items, count, i));
	size_t rest = count - in[0];

	ck_assert_uint_eq(in[1], (rest + 9) / 10);
	ck_assert(in[2] >= rest * 3 / 10 && in[2] <= rest * 3 / 10 + 3);
}
END_TEST

START_TEST(test_order)
{
	struct rng rng = {5};
	size_t count = 300;
	struct plan_item *items = fleet(&rng, count), *others = ARENA_ARRAY(arena, struct plan_item, count);

	memcpy(others, items, count * sizeof *items);
	shuffle(&rng, others, count);
	ck_assert_uint_eq(push_waves(arena, items, count), push_waves(arena, others, count));
	for (size_t i = 0; i < count; i++) {
		ck_assert(str_eq(items[i].work.machine, others[i].work.machine));
		ck_assert_uint_eq(items[i].work.wave, others[i].work.wave);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("waves");
	TCase *tcase = tcase_create("waves");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, test_cases, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tcase, test_none);
	tcase_add_loop_test(tcase, test_many, 0, 5);
	tcase_add_test(tcase, test_order);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
