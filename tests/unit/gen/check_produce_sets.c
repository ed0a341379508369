/* Set files against what peers mean, spelled out slowly; and sorting against the C library's. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/ruleset.h"
#include "make_output.h"
#include "produce_sort.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

static struct settings settings;

static void setup(void)
{
	settings = settings_default();
}

/* --- what a set holds --- */

struct expected {
	struct buf buf;
	struct str ipset;
};

static void expect_prefix(void *context, struct prefix prefix)
{
	struct expected *expected = context;

	if (prefix.length == 0) {
		const char *halves = prefix.addr.family == FAMILY_4 ? "0.0.0.0/1 128.0.0.0/1" : "::/1 8000::/1";
		struct str list = str_of(halves), half;

		while (str_cut(&list, ' ', &half))
			buf_format(&expected->buf, "add %.*s.n %.*s\n", STR_ARG(expected->ipset), STR_ARG(half));
		return;
	}
	buf_format(&expected->buf, "add %.*s.n ", STR_ARG(expected->ipset));
	prefix_print(&expected->buf, prefix);
	buf_char(&expected->buf, '\n');
}

static struct str expected_bytes(struct str stem, const struct addr_set *set)
{
	int version = set->family == FAMILY_4 ? 4 : 6;
	const char *family = set->family == FAMILY_4 ? "inet" : "inet6";
	struct str ipset = str_format(arena, "fw%d-%.*s", version, STR_ARG(stem));
	struct expected expected = {buf_new(arena), ipset};

	buf_format(&expected.buf,
	           "create %.*s hash:net family %s maxelem 4294967295\n"
	           "create %.*s.n hash:net family %s maxelem 4294967295\n"
	           "flush %.*s.n\n",
	           STR_ARG(ipset), family, STR_ARG(ipset), family, STR_ARG(ipset));
	addr_set_prefixes(set, expect_prefix, &expected);
	buf_format(&expected.buf, "swap %.*s %.*s.n\ndestroy %.*s.n\n", STR_ARG(ipset), STR_ARG(ipset), STR_ARG(ipset));
	return buf_str(&expected.buf);
}

static const struct set_file *find_set(const struct output *output, struct str stem, enum family family)
{
	struct str file = str_format(arena, "%.*s.v%d", STR_ARG(stem), family == FAMILY_4 ? 4 : 6);

	for (size_t i = 0; i < output->set_count; i++)
		if (str_eq(output->sets[i].name, file))
			return &output->sets[i];
	return NULL;
}

static size_t check_set(const struct output *output, struct str stem, const struct addr_set *set)
{
	const struct set_file *file = find_set(output, stem, set->family);
	struct str bytes = expected_bytes(stem, set);

	if (file == NULL)
		return 0;
	ck_assert_msg(str_eq(file->bytes, bytes), "%.*s:\n%.*s\nis not\n%.*s", STR_ARG(file->name),
	              STR_ARG(file->bytes), STR_ARG(bytes));
	return 1;
}

static struct str text_of(const struct peer *peer, const struct role *role, struct str *name)
{
	struct buf buf = buf_new(arena);
	struct str owner = machine_of_role(role->name);

	*name = peer->name;
	if (peer->kind != PEER_SELF) {
		peer_print(&buf, peer);
		return buf_str(&buf);
	}
	*name = owner.n > 0 ? owner : role->name;
	return owner.n > 0 ? role->name : str_format(arena, "role:%.*s", STR_ARG(role->name));
}

static size_t check_peer(const struct resolved *resolved, const struct output *output,
                         const struct effective_rule *rule, const struct peer *peer)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};
	bool refusing = rule->held->rule.action != ACTION_ALLOW;
	struct str name, text = text_of(peer, rule->role, &name);
	struct str stem = set_name(arena, refusing, name, text);
	size_t checked = 0;

	for (size_t i = 0; i < 2; i++) {
		struct addr_set set = peer_addresses(arena, resolved, peer, rule->role, refusing, families[i]);

		checked += check_set(output, stem, &set);
	}
	return checked;
}

/* All literals of a rule are one set a family. */
static size_t check_literals(const struct output *output, const struct rule *rule)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};
	struct buf text = buf_new(arena);
	size_t checked = 0;

	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind == PEER_LITERAL) {
			buf_add(&text, text.n > 0 ? STR(", ") : STR(""));
			peer_print(&text, &rule->peers[i]);
		}
	for (size_t i = 0; text.n > 0 && i < 2; i++) {
		struct range *ranges;
		size_t count = rule_literals(arena, rule, families[i], &ranges);
		struct addr_set set = addr_set_of(arena, families[i], ranges, count);

		checked += check_set(output,
		                     set_name(arena, rule->action != ACTION_ALLOW, STR("list"), buf_str(&text)), &set);
	}
	return checked;
}

static size_t check_role(const struct resolved *resolved, const struct output *output, const struct resolved_role *role)
{
	size_t checked = 0;

	for (size_t i = 0; i < role->rule_count; i++) {
		const struct rule *rule = &role->rules[i].held->rule;

		checked += check_literals(output, rule);
		for (size_t k = 0; k < rule->peer_count; k++)
			if (rule->peers[k].kind != PEER_LITERAL)
				checked += check_peer(resolved, output, &role->rules[i], &rule->peers[k]);
	}
	return checked;
}

/* Close together, so that neighbours become prefixes and machines share addresses. */
static void crowd(struct rng *rng, struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < fleet->machines[i].address_count; k++)
			fleet->machines[i].addresses[k].addr.bits = 0x0a000000 + rng_below(rng, 64);
}

START_TEST(sets_hold_what_peers_mean)
{
	size_t checked = 0;

	for (uint64_t seed = 1; seed <= in_full(60); seed++) {
		struct rng rng = {seed};
		struct fleet fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 60));
		struct resolved *resolved;
		struct output output;

		fleet.clock = MAKE_OUTPUT_CLOCK;
		if (seed % 2 == 0)
			crowd(&rng, &fleet);
		resolved = resolve(arena, &fleet);
		ck_assert_ptr_null(rulesets_make(arena, resolved, &settings, make_templates(arena), &output));
		for (size_t i = 0; i < fleet.role_count; i++)
			checked += check_role(resolved, &output, &resolved->roles[i]);
		arena_reset(arena);
	}
	ck_assert_uint_gt(checked, in_full(60) * 10);
}
END_TEST

/* --- sorting --- */

static int number_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int bits_order(const void *a, const void *b)
{
	addr_bits x = *(const addr_bits *)a, y = *(const addr_bits *)b;

	return (x > y) - (x < y);
}

/* Around the sizes at which the way of sorting changes: 48 and 4096. */
static size_t some_size(int i)
{
	return i < 60 ? (size_t)i : i < 66 ? (size_t)i * 17 : (size_t)i * 100;
}

/* Of few bits and of many, so that some bytes are the same in all, and numbers repeat. */
static addr_bits some_mask(struct rng *rng)
{
	addr_bits mask = (addr_bits)rng_next(rng) << 64 | rng_next(rng);

	return rng_chance(rng, 50) ? mask : mask & ((addr_bits)0xff00ff << rng_below(rng, 100));
}

START_TEST(numbers_are_sorted)
{
	struct rng rng = {(uint64_t)_i + 1};
	size_t count = some_size(_i);
	uint32_t mask = (uint32_t)some_mask(&rng);
	uint32_t *items = ARENA_ARRAY(arena, uint32_t, count), *room = ARENA_ARRAY(arena, uint32_t, count),
		 *copy = ARENA_ARRAY(arena, uint32_t, count), *sorted;

	for (size_t i = 0; i < count; i++)
		copy[i] = items[i] = (uint32_t)rng_next(&rng) & mask;
	qsort(copy, count, sizeof *copy, number_order);
	sorted = sort_numbers(items, room, count);
	ck_assert_int_eq(memcmp(sorted, copy, count * sizeof *copy), 0);
}
END_TEST

START_TEST(addresses_are_sorted)
{
	struct rng rng = {(uint64_t)_i + 1};
	size_t count = some_size(_i);
	addr_bits mask = some_mask(&rng);
	addr_bits *items = arena_raw(arena, count * sizeof *items), *room = arena_raw(arena, count * sizeof *items),
		  *copy = arena_raw(arena, count * sizeof *items), *sorted;

	for (size_t i = 0; i < count; i++)
		copy[i] = items[i] = ((addr_bits)rng_next(&rng) << 64 | rng_next(&rng)) & mask;
	qsort(copy, count, sizeof *copy, bits_order);
	sorted = sort_addresses(items, room, count);
	ck_assert_int_eq(memcmp(sorted, copy, count * sizeof *copy), 0);
}
END_TEST

/* Those of the same number stay in their order. */
START_TEST(places_go_with_their_numbers)
{
	struct rng rng = {(uint64_t)_i + 1};
	size_t count = some_size(_i);
	uint32_t mask = (uint32_t)some_mask(&rng), *numbers = ARENA_ARRAY(arena, uint32_t, count);
	struct placed_number *items = ARENA_ARRAY(arena, struct placed_number, count),
			     *room = ARENA_ARRAY(arena, struct placed_number, count), *sorted;
	bool *seen = ARENA_ARRAY(arena, bool, count);

	for (size_t i = 0; i < count; i++) {
		numbers[i] = (uint32_t)rng_next(&rng) & mask;
		items[i] = (struct placed_number){numbers[i], (uint32_t)i};
	}
	sorted = sort_placed_numbers(items, room, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert(!seen[sorted[i].place] && sorted[i].bits == numbers[sorted[i].place]);
		seen[sorted[i].place] = true;
		if (i > 0)
			ck_assert(sorted[i - 1].bits < sorted[i].bits ||
			          (sorted[i - 1].bits == sorted[i].bits && sorted[i - 1].place < sorted[i].place));
	}
}
END_TEST

static Suite *sets_suite(void)
{
	Suite *suite = suite_create("produce_sets");
	TCase *tcase = tcase_create("sets");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, sets_hold_what_peers_mean);
	tcase_add_loop_test(tcase, numbers_are_sorted, 0, 70);
	tcase_add_loop_test(tcase, addresses_are_sorted, 0, 70);
	tcase_add_loop_test(tcase, places_go_with_their_numbers, 0, 70);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return suite_main(sets_suite());
}
