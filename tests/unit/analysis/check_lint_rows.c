/* What lint says of rows, over random fleets: counted again, each with each; and ids that are one finding's alone. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/lint.h"
#include "fleetwall/packets.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

#define CLOCK 1767225600 /* 2026-01-01T00:00:00Z */

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct resolved *resolved;
static struct lint_finding *findings;
static size_t count;

static void begin(uint64_t seed)
{
	struct settings settings = settings_default();
	struct lint_options options = {LINT_EXPIRING_DAYS};

	arena = arena_new();
	rng = (struct rng){seed};
	fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 30));
	fleet.clock = CLOCK;
	resolved = resolve(arena, &fleet);
	count = lint(arena, resolved, &settings, &options, &findings);
}

static void end(void)
{
	arena_free(arena);
	error_forget_all();
}

static size_t found(enum lint_code code)
{
	size_t many = 0;

	for (size_t i = 0; i < count; i++)
		many += findings[i].code == code;
	return many;
}

static bool has_address(const struct machine *machine, struct addr addr)
{
	for (size_t i = 0; i < machine->address_count; i++)
		if (addr_cmp(machine->addresses[i].addr, addr) == 0)
			return true;
	return false;
}

/* Addresses that a later machine has as well, and no earlier one. */
static size_t shared_addresses(void)
{
	size_t many = 0;

	for (size_t i = 0; i < fleet.machine_count; i++)
		for (size_t k = 0; k < fleet.machines[i].address_count; k++) {
			struct addr addr = fleet.machines[i].addresses[k].addr;
			bool before = false, behind = false;

			for (size_t m = 0; m < fleet.machine_count; m++) {
				before = before || (m < i && has_address(&fleet.machines[m], addr));
				behind = behind || (m > i && has_address(&fleet.machines[m], addr));
			}
			many += behind && !before;
		}
	return many;
}

static bool overlap(const struct network *a, const struct network *b)
{
	for (size_t i = 0; i < a->prefix_count; i++)
		for (size_t k = 0; k < b->prefix_count; k++) {
			struct range x = prefix_range(a->prefixes[i]), y = prefix_range(b->prefixes[k]);

			if (a->prefixes[i].length > 0 && b->prefixes[k].length > 0 && x.family == y.family &&
			    x.first <= y.last && y.first <= x.last)
				return true;
		}
	return false;
}

static size_t overlapping_networks(void)
{
	size_t many = 0;

	for (size_t i = 0; i < fleet.network_count; i++)
		for (size_t k = i + 1; k < fleet.network_count; k++)
			many += overlap(&fleet.networks[i], &fleet.networks[k]);
	return many;
}

/* A role that speaks of itself does not count. */
static bool is_named(enum peer_kind kind, struct str name)
{
	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t k = 0; k < fleet.roles[i].rule_count; k++) {
			const struct rule *rule = &fleet.roles[i].rules[k].rule;
			bool own = kind == PEER_ROLE && str_eq(fleet.roles[i].name, name);

			for (size_t m = 0; m < rule->peer_count && !own; m++)
				if (rule->peers[m].kind == kind && str_eq(rule->peers[m].name, name))
					return true;
		}
	return false;
}

static size_t unused_roles(void)
{
	size_t many = 0;

	for (size_t i = 0; i < fleet.role_count; i++)
		many += resolved->roles[i].member_count == 0 && machine_of_role(fleet.roles[i].name).n == 0 &&
		        !is_named(PEER_ROLE, fleet.roles[i].name);
	return many;
}

static size_t unused_networks(void)
{
	size_t many = 0;

	for (size_t i = 0; i < fleet.network_count; i++)
		many += !is_named(PEER_NETWORK, fleet.networks[i].name);
	return many;
}

static size_t ending(bool ended)
{
	int64_t soon = CLOCK + (int64_t)LINT_EXPIRING_DAYS * 24 * 3600;
	size_t many = 0;

	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t k = 0; k < fleet.roles[i].rule_count; k++) {
			const struct role_rule *held = &fleet.roles[i].rules[k];

			if (held->enabled && held->rule.until != TIME_NONE)
				many += ended ? held->rule.until <= CLOCK
				              : held->rule.until > CLOCK && held->rule.until <= soon;
		}
	return many;
}

static void same_rows(void)
{
	ck_assert_uint_eq(found(LINT_SHARED_ADDRESS), shared_addresses());
	ck_assert_uint_eq(found(LINT_OVERLAPPING_NETWORKS), overlapping_networks());
	ck_assert_uint_eq(found(LINT_UNUSED_ROLE), unused_roles());
	ck_assert_uint_eq(found(LINT_UNUSED_NETWORK), unused_networks());
	ck_assert_uint_eq(found(LINT_ENDED), ending(true));
	ck_assert_uint_eq(found(LINT_EXPIRES), ending(false));
}

START_TEST(rows_of_random_fleets)
{
	const uint64_t first = 14; /* has a shared address, as few have: five rounds are enough for both */
	size_t shared = 0, overlapping = 0;

	packets_begin();
	for (uint64_t seed = first; seed < first + rounds(100); seed++) {
		begin(seed * 31337);
		same_rows();
		shared += found(LINT_SHARED_ADDRESS);
		overlapping += found(LINT_OVERLAPPING_NETWORKS);
		end();
	}
	packets_end();
	ck_assert_uint_gt(shared, 0);
	ck_assert_uint_gt(overlapping, 0);
}
END_TEST

/* --- ids --- */

START_TEST(ids_are_unique)
{
	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(40); seed++) {
		begin(seed * 65537);
		for (size_t i = 0; i < count; i++)
			for (size_t k = i + 1; k < count; k++)
				ck_assert_msg(strcmp(findings[i].id, findings[k].id) != 0, "%.*s and %.*s",
				              STR_ARG(findings[i].message), STR_ARG(findings[k].message));
		end();
	}
	packets_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lint_rows");
	TCase *tcase = tcase_create("lint_rows");

	tcase_add_test(tcase, rows_of_random_fleets);
	tcase_add_test(tcase, ids_are_unique);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
