/* produce(): what is known is not rendered again and is right nevertheless, whatever changed; the same with any number
 * of threads; sets before rulesets.
 * no-valgrind: random fleets by the hundred; all of it runs under the sanitizers. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/produce.h"
#include "fleet_change.h"
#include "make_output.h"
#include "produce_keys.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

static struct templates *templates;
static struct settings settings;
static struct secret secret;

static struct prefix management[] = {{{10, FAMILY_4}, 32}};

static void setup(void)
{
	templates = make_templates(arena);
	settings = settings_default();
	settings.management = management;
	settings.management_count = 1;
}

/* --- what comes out --- */

struct piece {
	struct digest digest;
	struct str name;
};

/* Digests of all that was let out, each checked against its bytes. */
struct taken {
	pthread_mutex_t lock;
	struct arena *arena;
	struct {
		struct piece *items;
		size_t count, capacity;
	} sets, rulesets;
	bool late_set;
	size_t refuse; /* after so many rulesets */
};

static struct error *take_set(void *context, unsigned worker, const struct set_file *set)
{
	struct taken *taken = context;
	struct digest digest = digest_of(set->bytes);
	struct piece piece = {set->digest, set->name};

	(void)worker;
	ck_assert(digest_eq(&digest, &set->digest));
	pthread_mutex_lock(&taken->lock);
	piece.name = str_copy(taken->arena, set->name);
	APPEND(taken->arena, &taken->sets, piece);
	taken->late_set |= taken->rulesets.count > 0;
	pthread_mutex_unlock(&taken->lock);
	return NULL;
}

static struct error *take_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	static const char *const names[] = {"rules.v4", "rules.v6", "sets.list"};
	struct taken *taken = context;
	const struct digest digests[] = {digest_of(ruleset->rules[0]), digest_of(ruleset->rules[1]),
	                                 digest_of(ruleset->sets_list)};
	struct digest digest = digest_of_sums(names, digests, 3);
	bool refused;

	(void)worker;
	ck_assert(digest_eq(&digest, &ruleset->digest));
	pthread_mutex_lock(&taken->lock);
	APPEND(taken->arena, &taken->rulesets, ((struct piece){ruleset->digest, {NULL, 0}}));
	refused = taken->refuse > 0 && taken->rulesets.count >= taken->refuse;
	pthread_mutex_unlock(&taken->lock);
	return refused ? error_new(ERROR_SURROUNDINGS, "the disk is full") : NULL;
}

static struct taken taken_new(void)
{
	return (struct taken){.lock = PTHREAD_MUTEX_INITIALIZER, .arena = arena};
}

static struct rendition rendition_with(unsigned workers)
{
	struct rendition rendition = rendition_of(STR("test"), &settings, NULL, 0, templates, workers);

	rendition.secret = secret;
	return rendition;
}

static struct product make_with(const struct fleet *fleet, unsigned workers, const struct knowledge *known,
                                struct taken *taken)
{
	const struct outlet outlet = {taken, take_set, take_ruleset};
	struct rendition rendition = rendition_with(workers);
	struct product product;

	none(produce(arena, resolve(arena, fleet), &rendition, known, &outlet, &product));
	ck_assert_uint_eq(taken->sets.count, product.rendered_sets);
	ck_assert_uint_eq(taken->rulesets.count, product.rendered_rulesets);
	ck_assert(!taken->late_set);
	return product;
}

static struct product make(const struct fleet *fleet, const struct knowledge *known, struct taken *taken)
{
	return make_with(fleet, 1, known, taken);
}

/* --- comparing --- */

static bool entries_same(const struct entry *a, size_t a_count, const struct entry *b, size_t b_count)
{
	bool same = a_count == b_count;

	for (size_t i = 0; same && i < a_count; i++)
		same = digest_eq(&a[i].digest, &b[i].digest) && str_eq(a[i].name, b[i].name);
	return same;
}

static bool products_same(const struct product *a, const struct product *b)
{
	return entries_same(a->manifest, a->machine_count, b->manifest, b->machine_count) &&
	       entries_same(a->sets, a->set_count, b->sets, b->set_count);
}

static bool known_same(const struct known *a, size_t a_count, const struct known *b, size_t b_count)
{
	return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof *a) == 0);
}

static bool knowledge_same(const struct knowledge *a, const struct knowledge *b)
{
	return known_same(a->rulesets, a->ruleset_count, b->rulesets, b->ruleset_count) &&
	       known_same(a->sets, a->set_count, b->sets, b->set_count) &&
	       memcmp(&a->secret, &b->secret, sizeof a->secret) == 0;
}

static bool was_taken(const struct piece *pieces, size_t count, const struct digest *digest)
{
	for (size_t i = 0; i < count; i++)
		if (digest_eq(&pieces[i].digest, digest))
			return true;
	return false;
}

static void check_complete(const struct product *product, const struct taken *before, const struct taken *now)
{
	for (size_t i = 0; i < product->machine_count; i++)
		ck_assert(was_taken(before->rulesets.items, before->rulesets.count, &product->manifest[i].digest) ||
		          was_taken(now->rulesets.items, now->rulesets.count, &product->manifest[i].digest));
	for (size_t i = 0; i < product->set_count; i++)
		ck_assert(was_taken(before->sets.items, before->sets.count, &product->sets[i].digest) ||
		          was_taken(now->sets.items, now->sets.count, &product->sets[i].digest));
}

/* --- what is known --- */

static struct fleet fleet_of(uint64_t seed)
{
	struct rng rng = {seed};
	struct fleet fleet = random_fleet(arena, &rng, 3 + rng_below(&rng, 20));

	fleet.clock = MAKE_OUTPUT_CLOCK;
	return fleet;
}

/* Makes a fleet, changes one thing, and makes it again with what is known: the same as from nothing. Did the product
 * change? */
static bool check_change(const struct fleet_change *change, uint64_t seed)
{
	struct rng rng = {seed};
	struct taken first = taken_new(), again = taken_new(), whole = taken_new();
	struct fleet fleet = fleet_of(seed);
	struct product before = make(&fleet, NULL, &first), after, full;

	if (!change->make(arena, &rng, &fleet))
		return false;
	after = make(&fleet, &before.knowledge, &again);
	full = make(&fleet, NULL, &whole);
	ck_assert_msg(products_same(&after, &full), "seed %lu: %s: another product", (unsigned long)seed, change->name);
	ck_assert_msg(knowledge_same(&after.knowledge, &full.knowledge), "seed %lu: %s: other knowledge",
	              (unsigned long)seed, change->name);
	ck_assert_uint_eq(after.ruleset_count, full.ruleset_count);
	check_complete(&after, &first, &again);
	if (change->silent)
		ck_assert_uint_eq(again.sets.count + again.rulesets.count, 0);
	return !products_same(&before, &full);
}

/* Each kind of change must have been seen to matter, or this says nothing. */
START_TEST(what_is_known_is_right_whatever_changed)
{
	const struct fleet_change *change = &fleet_changes[_i];
	bool must_matter = !change->silent && getenv("RUNNING_ON_VALGRIND") == NULL;
	size_t mattered = 0;

	for (uint64_t seed = 1; seed <= in_full(12) || (must_matter && mattered == 0 && seed <= 1000); seed++) {
		mattered += check_change(change, seed * 1000 + (uint64_t)_i);
		arena_reset(arena);
		templates = make_templates(arena);
	}
	if (change->silent)
		ck_assert_uint_eq(mattered, 0);
	else if (must_matter)
		ck_assert_msg(mattered > 0, "%s: never made a difference", change->name);
}
END_TEST

START_TEST(nothing_changed_renders_nothing)
{
	for (uint64_t seed = 1; seed <= in_full(10); seed++) {
		struct taken first = taken_new(), again = taken_new();
		struct fleet fleet = fleet_of(seed), same = fleet_of(seed);
		struct product before = make(&fleet, NULL, &first), after = make(&same, &before.knowledge, &again);

		ck_assert_uint_eq(after.rendered_sets + after.rendered_rulesets, 0);
		ck_assert(products_same(&before, &after));
		ck_assert(knowledge_same(&before.knowledge, &after.knowledge));
	}
}
END_TEST

/* The secret goes with what is known, and no byte depends on it. */
START_TEST(secrets_do_not_matter)
{
	size_t unknown = 0;

	for (uint64_t seed = 1; seed <= in_full(10); seed++) {
		struct fleet fleet = fleet_of(seed);
		struct taken taken[4] = {taken_new(), taken_new(), taken_new(), taken_new()};
		struct product first = make(&fleet, NULL, &taken[0]), other, again, strange;

		secret.byte[seed % sizeof secret.byte] ^= (unsigned char)seed;
		other = make(&fleet, NULL, &taken[1]);
		again = make(&fleet, &first.knowledge, &taken[2]);
		ck_assert_uint_eq(again.rendered_sets, 0);
		ck_assert(knowledge_same(&first.knowledge, &again.knowledge));
		first.knowledge.secret = secret;
		strange = make(&fleet, &first.knowledge, &taken[3]);
		unknown += strange.rendered_sets;
		ck_assert(knowledge_same(&strange.knowledge, &other.knowledge));
		ck_assert(products_same(&first, &other) && products_same(&first, &strange));
	}
	ck_assert_uint_gt(unknown, 0);
}
END_TEST

/* Many changes one after the other, each run with the knowledge of the one before. */
START_TEST(knowledge_lasts)
{
	size_t kinds = 0;
	struct rng rng = {77};
	struct fleet fleet = fleet_of(77);
	struct taken seen = taken_new();
	struct product last = make(&fleet, NULL, &seen);

	while (fleet_changes[kinds].name != NULL)
		kinds++;
	for (int i = 0; i < (int)in_full(80); i++) {
		struct taken now = taken_new(), whole = taken_new();
		struct product after, full;

		if (fleet.machine_count < 3 || fleet.role_count < 3)
			break;
		(void)fleet_changes[rng_below(&rng, kinds)].make(arena, &rng, &fleet);
		after = make(&fleet, &last.knowledge, &now);
		full = make(&fleet, NULL, &whole);
		ck_assert(products_same(&after, &full));
		ck_assert(knowledge_same(&after.knowledge, &full.knowledge));
		check_complete(&after, &seen, &now);
		for (size_t k = 0; k < now.sets.count; k++)
			APPEND(arena, &seen.sets, now.sets.items[k]);
		for (size_t k = 0; k < now.rulesets.count; k++)
			APPEND(arena, &seen.rulesets, now.rulesets.items[k]);
		last = after;
	}
}
END_TEST

/* --- finding and sorting keys --- */

/* Evenly spread as digests are, or all in one corner, as nobody makes them. */
static struct digest some_key(struct rng *rng, bool crowded)
{
	struct digest key = {{0}};

	for (size_t i = crowded ? 7 : 0; i < sizeof key.byte; i++)
		key.byte[i] = (unsigned char)(rng_next(rng) & (crowded && i < 10 ? 3 : 255));
	return key;
}

static bool find_slowly(const struct known *items, size_t count, const struct digest *key, struct digest *value)
{
	for (size_t i = 0; i < count; i++)
		if (digest_eq(&items[i].key, key)) {
			*value = items[i].value;
			return true;
		}
	return false;
}

START_TEST(keys_are_found_where_they_are)
{
	struct rng rng = {(uint64_t)_i + 1};
	size_t count = (size_t)_i < 20 ? (size_t)_i : (size_t)_i * 29;
	bool crowded = _i % 3 == 0;
	struct known *items = ARENA_ARRAY(arena, struct known, count),
		     *sorted = ARENA_ARRAY(arena, struct known, count);

	for (size_t i = 0; i < count; i++)
		items[i] = (struct known){some_key(&rng, crowded), some_key(&rng, false)};
	known_sort(arena, sorted, items, count);
	for (size_t i = 1; i < count; i++)
		ck_assert_int_le(memcmp(&sorted[i - 1].key, &sorted[i].key, sizeof sorted->key), 0);
	for (size_t i = 0; i < count * 2; i++) {
		struct digest key = i < count ? items[i].key : some_key(&rng, crowded), found = {{0}}, value = {{0}};

		ck_assert_int_eq(known_find(sorted, count, &key, &found), find_slowly(items, count, &key, &value));
		ck_assert(digest_eq(&found, &value));
	}
}
END_TEST

/* --- the product --- */

static void check_sorted(const struct product *product)
{
	for (size_t i = 1; i < product->machine_count; i++)
		ck_assert_int_lt(str_cmp(product->manifest[i - 1].name, product->manifest[i].name), 0);
	for (size_t i = 1; i < product->set_count; i++)
		ck_assert_int_lt(str_cmp(product->sets[i - 1].name, product->sets[i].name), 0);
	for (size_t i = 1; i < product->knowledge.ruleset_count; i++)
		ck_assert_int_lt(memcmp(&product->knowledge.rulesets[i - 1].key, &product->knowledge.rulesets[i].key,
		                        sizeof(struct digest)),
		                 0);
	for (size_t i = 1; i < product->knowledge.set_count; i++)
		ck_assert_int_lt(memcmp(&product->knowledge.sets[i - 1].key, &product->knowledge.sets[i].key,
		                        sizeof(struct digest)),
		                 0);
}

static size_t distinct_rulesets(const struct product *product)
{
	size_t count = 0;

	for (size_t i = 0; i < product->machine_count; i++) {
		size_t first = 0;

		while (!digest_eq(&product->manifest[first].digest, &product->manifest[i].digest))
			first++;
		count += first == i;
	}
	return count;
}

START_TEST(a_product_is_sorted_and_counted)
{
	for (uint64_t seed = 1; seed <= in_full(10); seed++) {
		struct taken taken = taken_new();
		struct fleet fleet = fleet_of(seed);
		struct product product = make(&fleet, NULL, &taken);

		check_sorted(&product);
		ck_assert_uint_eq(product.ruleset_count, distinct_rulesets(&product));
	}
}
END_TEST

/* What a ruleset names in its lines is what it lists, and what the product has. */
static void check_names(const struct output *output, const struct ruleset *ruleset)
{
	struct buf lines = buf_new(arena);

	buf_add(&lines, ruleset->rules[0]);
	buf_add(&lines, ruleset->rules[1]);
	buf_char(&lines, '\0');
	for (size_t i = 0; i < output->set_count; i++) {
		struct str file = output->sets[i].name, stem = str_slice(file, 0, file.n - 3);
		struct str named = str_format(arena, " --match-set fw%c-%.*s ", file.p[file.n - 1], STR_ARG(stem));
		struct str listed = str_format(arena, "%.*s\n", STR_ARG(file));

		ck_assert_int_eq(memmem(lines.p, lines.n, named.p, named.n) != NULL,
		                 memmem(ruleset->sets_list.p, ruleset->sets_list.n, listed.p, listed.n) != NULL);
	}
}

START_TEST(sets_that_are_named_are_listed)
{
	for (uint64_t seed = 1; seed <= in_full(10); seed++) {
		struct fleet fleet = fleet_of(seed);
		struct output output;

		none(rulesets_make(arena, resolve(arena, &fleet), &settings, templates, &output));
		for (size_t i = 0; i < output.ruleset_count; i++)
			check_names(&output, output.rulesets[i]);
	}
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same)
{
	static const unsigned workers[] = {2, 7, 16};

	for (uint64_t seed = 1; seed <= in_full(10); seed++) {
		struct taken one = taken_new();
		struct fleet fleet = fleet_of(seed);
		struct product alone = make_with(&fleet, 1, NULL, &one);

		for (size_t i = 0; i < 3; i++) {
			struct taken many = taken_new();
			struct product product = make_with(&fleet, workers[i], NULL, &many);

			ck_assert(products_same(&alone, &product));
			ck_assert(knowledge_same(&alone.knowledge, &product.knowledge));
			check_complete(&product, &many, &many);
		}
	}
}
END_TEST

START_TEST(an_error_of_the_outlet_ends_the_work)
{
	struct fleet fleet = fleet_of(5);

	for (unsigned workers = 1; workers <= 3; workers++) {
		struct taken taken = taken_new();
		const struct outlet outlet = {&taken, take_set, take_ruleset};
		struct rendition rendition = rendition_with(workers);
		struct product product;
		struct error *error;

		taken.refuse = 1;
		error = produce(arena, resolve(arena, &fleet), &rendition, NULL, &outlet, &product);
		ck_assert_ptr_nonnull(error);
		ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
		ck_assert_uint_le(taken.rulesets.count, workers);
	}
}
END_TEST

/* --- renditions --- */

static struct digest base_of(const char *program, const struct template_file *files, size_t count)
{
	return rendition_of(str_of(program), &settings, files, count, templates, 1).base;
}

static void check_other(struct digest before, const char *what)
{
	struct digest now = base_of("a", NULL, 0);

	ck_assert_msg(!digest_eq(&before, &now), "%s does not count", what);
}

START_TEST(every_setting_counts)
{
	settings.management_count = 0;
	struct prefix sources[] = {{{10, FAMILY_4}, 32}, {{10, FAMILY_6}, 128}};
	struct digest before = base_of("a", NULL, 0);

#define CHECK_SETTING(change, restore)                                                                              \
	do {                                                                                                        \
		change;                                                                                             \
		check_other(before, #change);                                                                       \
		restore;                                                                                            \
	} while (0)
	CHECK_SETTING(settings.ssh_port++, settings.ssh_port--);
	CHECK_SETTING(settings.loopback = false, settings.loopback = true);
	CHECK_SETTING(settings.icmp_errors = false, settings.icmp_errors = true);
	CHECK_SETTING(settings.established = false, settings.established = true);
	CHECK_SETTING(settings.neighbour_discovery = false, settings.neighbour_discovery = true);
	CHECK_SETTING(settings.drop_invalid = false, settings.drop_invalid = true);
	CHECK_SETTING(settings.dhcp = false, settings.dhcp = true);
	CHECK_SETTING(settings.log_rate = 0, settings.log_rate = 6);
	settings.management = sources;
	CHECK_SETTING(settings.management_count = 1, settings.management_count = 0);
	CHECK_SETTING(settings.management_count = 2, settings.management_count = 0);
	settings.management_count = 2;
	before = base_of("a", NULL, 0);
	CHECK_SETTING(sources[0].length = 31, sources[0].length = 32);
	CHECK_SETTING(sources[0].addr.bits = 11, sources[0].addr.bits = 10);
	CHECK_SETTING(sources[0].addr.family = FAMILY_6, sources[0].addr.family = FAMILY_4);
	CHECK_SETTING(sources[1].addr.bits |= (addr_bits)1 << 100, sources[1].addr.bits = 10);
	struct digest restored = base_of("a", NULL, 0);

	ck_assert(digest_eq(&before, &restored));
}
END_TEST

START_TEST(program_and_templates_count)
{
	const struct template_file none_yet[] = {{STR("a"), STR("bc")}}, moved[] = {{STR("ab"), STR("c")}},
				   two[] = {{STR("a"), STR("bc")}, {STR(""), STR("")}};
	const struct digest bases[] = {base_of("a", NULL, 0), base_of("b", NULL, 0), base_of("a", none_yet, 1),
	                               base_of("a", moved, 1), base_of("a", two, 2)};

	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert(!digest_eq(&bases[i], &bases[k]));
}
END_TEST

/* Another base: nothing is known. */
START_TEST(what_another_rendition_knew_is_not_taken)
{
	struct fleet fleet = fleet_of(9);
	struct taken first = taken_new(), again = taken_new();
	struct product before = make(&fleet, NULL, &first), after;

	settings.dhcp = false;
	after = make(&fleet, &before.knowledge, &again);
	ck_assert_uint_eq(after.rendered_sets, after.set_count);
	ck_assert_uint_eq(after.rendered_rulesets, after.knowledge.ruleset_count);
	ck_assert(!products_same(&before, &after));
}
END_TEST

static Suite *produce_suite(void)
{
	Suite *suite = suite_create("produce");
	TCase *known = tcase_create("known"), *product = tcase_create("product"), *base = tcase_create("base");
	int kinds = 0;

	while (fleet_changes[kinds].name != NULL)
		kinds++;
	tcase_set_timeout(known, 60);
	tcase_add_checked_fixture(known, arena_setup, arena_teardown);
	tcase_add_checked_fixture(known, setup, NULL);
	tcase_add_checked_fixture(product, arena_setup, arena_teardown);
	tcase_add_checked_fixture(product, setup, NULL);
	tcase_add_checked_fixture(base, arena_setup, arena_teardown);
	tcase_add_checked_fixture(base, setup, NULL);
	tcase_add_loop_test(known, what_is_known_is_right_whatever_changed, 0, kinds);
	tcase_add_test(known, nothing_changed_renders_nothing);
	tcase_add_test(known, secrets_do_not_matter);
	tcase_add_test(known, knowledge_lasts);
	tcase_add_loop_test(known, keys_are_found_where_they_are, 0, 36);
	tcase_add_test(product, a_product_is_sorted_and_counted);
	tcase_add_test(product, sets_that_are_named_are_listed);
	tcase_add_test(product, any_number_of_threads_gives_the_same);
	tcase_add_test(product, an_error_of_the_outlet_ends_the_work);
	tcase_add_test(base, every_setting_counts);
	tcase_add_test(base, program_and_templates_count);
	tcase_add_test(base, what_another_rendition_knew_is_not_taken);
	suite_add_tcase(suite, known);
	suite_add_tcase(suite, product);
	suite_add_tcase(suite, base);
	return suite;
}

int main(void)
{
	return suite_main(produce_suite());
}
