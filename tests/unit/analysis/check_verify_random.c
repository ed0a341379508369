/* What the generator makes of random fleets, with random settings, is proved: each ruleset, and each set. Two ways from
 * the same rows that share no code but the rule language's; where they differ, one of them is wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/verify.h"
#include "make_output.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

#define MANAGEMENT 3

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct settings settings;
static struct output output;

static struct prefix random_prefix(void)
{
	struct addr addr = {.family = rng_chance(&rng, 50) ? FAMILY_4 : FAMILY_6};
	unsigned width = family_width(addr.family), length = (unsigned)rng_below(&rng, width + 1);

	addr.bits = ((addr_bits)rng_next(&rng) << 64 | rng_next(&rng)) & family_last(addr.family);
	addr.bits = length == 0 ? 0 : addr.bits >> (width - length) << (width - length);
	return (struct prefix){addr, length};
}

static int prefix_order(const void *a, const void *b)
{
	return range_cmp(prefix_range(*(const struct prefix *)a), prefix_range(*(const struct prefix *)b));
}

static void random_settings(void)
{
	static struct prefix management[MANAGEMENT];

	settings = (struct settings){
		.management = management,
		.management_count = rng_below(&rng, MANAGEMENT + 1),
		.ssh_port = 1 + (unsigned)rng_below(&rng, 65535),
		.loopback = rng_chance(&rng, 70),
		.icmp_errors = rng_chance(&rng, 70),
		.established = rng_chance(&rng, 70),
		.neighbour_discovery = rng_chance(&rng, 70),
		.drop_invalid = rng_chance(&rng, 70),
		.dhcp = rng_chance(&rng, 70),
		.log_rate = rng_chance(&rng, 20) ? 0 : 1 + (unsigned)rng_below(&rng, 1000),
	};
	for (size_t i = 0; i < settings.management_count; i++)
		management[i] = random_prefix();
	qsort(management, settings.management_count, sizeof *management, prefix_order);
}

static void new_output(uint64_t seed, const struct templates *templates)
{
	struct error *error;

	rng = (struct rng){seed};
	fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 12));
	fleet.clock = 1500000000 + (int64_t)rng_below(&rng, 700000000);
	random_settings();
	error = rulesets_make(arena, resolve(arena, &fleet), &settings, templates, &output);
	ck_assert_ptr_null(error);
}

static void nothing_found(const struct verify_findings *findings, uint64_t seed)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < findings->count; i++)
		verify_print(&buf, &findings->items[i]);
	ck_assert_msg(findings->count == 0, "seed %llu:\n%.*s", (unsigned long long)seed, STR_ARG(buf_str(&buf)));
}

static void prove_sets(struct verifier *verifier, struct verify_findings *findings)
{
	for (size_t i = 0; i < output.set_count; i++) {
		struct verify_set set;

		verify_set_begin(arena, verifier, output.sets[i].name, &set);
		ck_assert_ptr_nonnull(set.wanted);
		verify_set_read(arena, &set, output.sets[i].bytes);
		verify_set_end(arena, verifier, &set, findings);
	}
}

static void prove_rulesets(struct verifier *verifier, struct verify_findings *findings)
{
	size_t proved = 0;

	for (size_t i = 0; i < output.machine_count; i++) {
		const struct ruleset *ruleset = output.machines[i].ruleset;
		struct verify_files files = {.rules = {ruleset->rules[0], ruleset->rules[1]},
		                             .sets_list = ruleset->sets_list};
		struct verify_text *text = verify_read(arena, verifier, &files);
		size_t machine = (size_t)(output.machines[i].machine - fleet.machines);

		proved += verify_ruleset(arena, arena, verifier, machine, 1, text, findings) == VERIFY_PROVED;
	}
	ck_assert_msg(findings->count > 0 || proved == output.machine_count, "%zu of %zu are proved", proved,
	              output.machine_count);
}

/* Those that are to have a ruleset, and no others. */
static void same_machines(struct intent *intent)
{
	size_t k = 0;

	for (size_t i = 0; i < fleet.machine_count; i++) {
		bool has = k < output.machine_count && output.machines[k].machine == &fleet.machines[i];

		ck_assert_int_eq(has, intent_position(intent, i).n > 0);
		k += has;
	}
	ck_assert_uint_eq(k, output.machine_count);
}

START_TEST(what_is_generated_is_meant)
{
	struct arena *kept = arena_new();
	struct templates *templates = make_templates(kept);

	packets_begin();
	for (uint64_t i = 0; i < rounds(40); i++) {
		uint64_t seed = i * 4 + (uint64_t)_i;
		size_t mark = packets_mark();
		struct verify_findings findings = {0};
		struct verifier *verifier;

		arena = arena_new();
		new_output(seed, templates);
		verifier = verifier_new(arena, &fleet, &settings, STR("test"));
		same_machines(verifier_intent(verifier));
		prove_sets(verifier, &findings);
		prove_rulesets(verifier, &findings);
		nothing_found(&findings, seed);
		verifier_free(verifier);
		arena_free(arena);
		packets_release(mark);
	}
	packets_end();
	arena_free(kept);
	error_forget_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verify_random");
	TCase *tcase = tcase_create("random");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, what_is_generated_is_meant, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
