/* Membership against its definition, for any number of workers, and for lists that machines share in memory.
 * valgrind-apart: large fleets. */
#include <check.h>
#include <stdlib.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "random_fleet.h"
#include "resolve_members.h"
#include "suite_main.h"

static bool is_member(const struct machine *machine, const struct role *role)
{
	struct str owner = machine_of_role(role->name);

	for (size_t i = 0; i < machine->role_count; i++)
		if (str_eq(machine->roles[i], role->name))
			return true;
	if (owner.n > 0)
		return str_eq(owner, machine->name);
	return role->has_selector &&
	       labels_contain(machine->labels, machine->label_count, role->selector, role->selector_count);
}

static struct resolved *members_with(const struct fleet *fleet, unsigned workers)
{
	struct resolved *resolved = ARENA_NEW(arena, struct resolved);

	resolved->fleet = fleet;
	resolved->roles = ARENA_ARRAY(arena, struct resolved_role, fleet->role_count);
	resolved->machines = ARENA_ARRAY(arena, struct resolved_machine, fleet->machine_count);
	resolve_members(arena, resolved, workers);
	return resolved;
}

static void check_roles(const struct fleet *fleet, const struct resolved *resolved)
{
	for (size_t i = 0; i < fleet->role_count; i++) {
		const struct resolved_role *role = &resolved->roles[i];
		size_t count = 0;

		for (size_t k = 0; k < fleet->machine_count; k++) {
			if (!is_member(&fleet->machines[k], &fleet->roles[i]))
				continue;
			ck_assert_uint_lt(count, role->member_count);
			ck_assert_uint_eq(role->members[count++], k);
		}
		ck_assert_uint_eq(count, role->member_count);
	}
}

static void check_machines(const struct fleet *fleet, const struct resolved *resolved)
{
	for (size_t i = 0; i < fleet->machine_count; i++) {
		const struct resolved_machine *machine = &resolved->machines[i];
		size_t count = 0;

		for (size_t k = 0; k < fleet->role_count; k++) {
			if (!is_member(&fleet->machines[i], &fleet->roles[k]))
				continue;
			ck_assert_uint_lt(count, machine->role_count);
			ck_assert_uint_eq(machine->roles[count++], k);
		}
		ck_assert_uint_eq(count, machine->role_count);
	}
}

/* As lists come from a packed fleet: one in memory for many machines; and names that are the roles' own strings. */
static void share_lists(struct rng *rng, struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->machine_count; i++) {
		struct machine *machine = &fleet->machines[i];
		const struct machine *other = &fleet->machines[rng_below(rng, fleet->machine_count)];

		machine->roles = other->roles;
		machine->role_count = other->role_count;
		machine->labels = other->labels;
		machine->label_count = other->label_count;
		for (size_t k = 0; k < machine->role_count; k++)
			machine->roles[k] = fleet_role(fleet, machine->roles[k])->name;
	}
}

START_TEST(members_by_definition)
{
	static const unsigned workers[] = {1, 2, 7, 16};
	struct rng rng = {(uint64_t)_i + 1};
	struct fleet fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 60));

	if (_i > 2 && getenv("RUNNING_ON_VALGRIND") != NULL) /* takes fifty times as long */
		return;

	if (_i % 2 == 1)
		share_lists(&rng, &fleet);
	for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
		const struct resolved *resolved = members_with(&fleet, workers[i]);

		check_roles(&fleet, resolved);
		check_machines(&fleet, resolved);
	}
}
END_TEST

/* More lists than are remembered. */
START_TEST(many_lists_are_no_fewer)
{
	static const struct str names[] = {{"a", 1}, {"b", 1}, {"c", 1}};
	const size_t count = getenv("RUNNING_ON_VALGRIND") != NULL ? 100 : 30000;
	struct role roles[] = {{.name = names[0]}, {.name = names[1]}, {.name = names[2]}};
	struct fleet fleet = {.roles = roles, .role_count = 3, .machine_count = count};
	const struct resolved *resolved;

	fleet.machines = ARENA_ARRAY(arena, struct machine, count);
	for (size_t i = 0; i < count; i++) {
		struct machine *machine = &fleet.machines[i];

		machine->roles = ARENA_ARRAY(arena, struct str, 2);
		machine->roles[0] = names[i % 3];
		machine->roles[1] = names[i % 2];
		machine->role_count = 2;
	}
	resolved = members_with(&fleet, 3);
	check_roles(&fleet, resolved);
	check_machines(&fleet, resolved);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("members");
	TCase *tcase = tcase_create("members");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, members_by_definition, 0, 20);
	tcase_add_test(tcase, many_lists_are_no_fewer);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
