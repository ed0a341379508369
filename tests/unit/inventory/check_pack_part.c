/* Parts of packed fleets: what comes is what the whole says of those that are meant, told here by looking at everybody;
 * and damaged bytes are never read beyond their end. valgrind-apart: many fleets. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"
#include "random_fleet.h"
#include "suite_main.h"

static struct rng rng_of(uint64_t stream)
{
	const char *given = getenv("FLEETWALL_SEED");

	return (struct rng){(given != NULL ? strtoull(given, NULL, 10) : 20260401) + (stream << 32)};
}

/* Under valgrind fewer do. */
static size_t rounds(void)
{
	return getenv("RUNNING_ON_VALGRIND") != NULL ? 6 : 70;
}

static struct fleet packed_fleet(struct rng *rng, size_t size, struct str *packed)
{
	struct fleet fleet = random_fleet(arena, rng, size), whole;

	fleet.clock = 7;
	*packed = fleet_pack(arena, &fleet);
	ck_assert(fleet_unpack(arena, *packed, &whole));
	return whole;
}

/* --- a question --- */

static struct name_list some_machines(struct rng *rng, const struct fleet *fleet, size_t most)
{
	struct name_list list = {NULL, 0};
	struct str *names = ARENA_ARRAY(arena, struct str, most);

	for (size_t i = rng_below(rng, most + 1); i > 0; i--)
		names[list.count++] = fleet->machine_count > 0 && !rng_chance(rng, 5)
		                              ? fleet->machines[rng_below(rng, fleet->machine_count)].name
		                              : STR("nobody.example");
	list.items = names;
	return list;
}

static struct name_list some_roles(struct rng *rng, const struct fleet *fleet, size_t most)
{
	struct name_list list = {NULL, 0};
	struct str *names = ARENA_ARRAY(arena, struct str, most);

	for (size_t i = rng_below(rng, most + 1); i > 0; i--)
		names[list.count++] = fleet->role_count > 0 && !rng_chance(rng, 5)
		                              ? fleet->roles[rng_below(rng, fleet->role_count)].name
		                              : STR("no-such-role");
	list.items = names;
	return list;
}

static struct around random_around(struct rng *rng, const struct fleet *fleet)
{
	struct around around = {.machines = some_machines(rng, fleet, 2), .others = some_machines(rng, fleet, 2)};
	struct addr *addresses = ARENA_ARRAY(arena, struct addr, 3);

	around.roles = some_roles(rng, fleet, 2);
	around.letting = rng_chance(rng, 15);
	around.addresses = addresses;
	for (size_t i = rng_below(rng, 3); i > 0 && fleet->machine_count > 0; i--) {
		const struct machine *machine = &fleet->machines[rng_below(rng, fleet->machine_count)];

		if (machine->address_count > 0)
			addresses[around.address_count++] =
				machine->addresses[rng_below(rng, machine->address_count)].addr;
	}
	return around;
}

/* --- what must come --- */

static bool is_among(struct name_list list, struct str name)
{
	for (size_t i = 0; i < list.count; i++)
		if (str_eq(list.items[i], name))
			return true;
	return false;
}

static bool has_role(const struct machine *machine, const struct role *role)
{
	return is_among((struct name_list){machine->roles, machine->role_count}, role->name) ||
	       str_eq(machine_of_role(role->name), machine->name) ||
	       (role->has_selector &&
	        labels_contain(machine->labels, machine->label_count, role->selector, role->selector_count));
}

static bool is_held(const struct fleet *fleet, const struct around *around, const struct role *role)
{
	for (size_t i = 0; i < around->machines.count; i++) {
		const struct machine *machine = fleet_machine(fleet, around->machines.items[i]);

		if (machine != NULL && has_role(machine, role))
			return true;
	}
	return around->letting;
}

static bool speaks_of(const struct role *role, struct str name)
{
	for (size_t i = 0; i < role->rule_count; i++)
		for (size_t k = 0; k < role->rules[i].rule.peer_count; k++)
			if (role->rules[i].rule.peers[k].kind == PEER_ROLE &&
			    str_eq(role->rules[i].rule.peers[k].name, name))
				return true;
	return false;
}

static bool role_comes(const struct fleet *fleet, const struct around *around, const struct role *role)
{
	if (is_held(fleet, around, role) || is_among(around->roles, role->name))
		return true;
	for (size_t i = 0; i < fleet->role_count; i++)
		if (is_held(fleet, around, &fleet->roles[i]) && speaks_of(&fleet->roles[i], role->name))
			return true;
	return false;
}

static bool has_address(const struct machine *machine, struct addr addr)
{
	for (size_t i = 0; i < machine->address_count; i++)
		if (addr_cmp(machine->addresses[i].addr, addr) == 0)
			return true;
	return false;
}

static bool is_near(const struct fleet *fleet, const struct around *around, const struct machine *machine)
{
	for (size_t i = 0; i < around->address_count; i++)
		if (has_address(machine, around->addresses[i]))
			return true;
	for (size_t i = 0; i < around->machines.count; i++) {
		const struct machine *asked = fleet_machine(fleet, around->machines.items[i]);

		for (size_t k = 0; asked != NULL && k < asked->address_count; k++)
			if (has_address(machine, asked->addresses[k].addr))
				return true;
	}
	return false;
}

static bool machine_comes(const struct fleet *fleet, const struct around *around, const struct machine *machine)
{
	if (is_among(around->machines, machine->name) || is_among(around->others, machine->name) ||
	    is_near(fleet, around, machine))
		return true;
	for (size_t i = 0; i < around->roles.count; i++) {
		const struct role *role = fleet_role(fleet, around->roles.items[i]);

		if ((role != NULL && has_role(machine, role)) ||
		    str_eq(machine_of_role(around->roles.items[i]), machine->name))
			return true;
	}
	return false;
}

/* Those that come of the whole; memberships in roles that do not come are left out. */
static struct fleet expected(const struct fleet *whole, const struct around *around)
{
	struct fleet part = *whole;

	part.roles = ARENA_ARRAY(arena, struct role, whole->role_count);
	part.machines = ARENA_ARRAY(arena, struct machine, whole->machine_count);
	part.role_count = part.machine_count = 0;
	for (size_t i = 0; i < whole->role_count; i++)
		if (role_comes(whole, around, &whole->roles[i]))
			part.roles[part.role_count++] = whole->roles[i];
	for (size_t i = 0; i < whole->machine_count; i++) {
		struct machine machine = whole->machines[i];
		struct str *roles = ARENA_ARRAY(arena, struct str, machine.role_count);

		if (!machine_comes(whole, around, &whole->machines[i]))
			continue;
		machine.role_count = 0;
		for (size_t k = 0; k < whole->machines[i].role_count; k++)
			if (fleet_role(&part, whole->machines[i].roles[k]) != NULL)
				roles[machine.role_count++] = whole->machines[i].roles[k];
		machine.roles = roles;
		part.machines[part.machine_count++] = machine;
	}
	return part;
}

START_TEST(what_comes_is_what_is_meant)
{
	struct rng rng = rng_of(1);
	size_t machines = 0, all = 0;

	for (size_t round = 0; round < rounds(); round++) {
		struct str packed, difference;
		struct fleet whole = packed_fleet(&rng, 1 + rng_below(&rng, 40), &packed), part, wanted;

		for (size_t i = 0; i < 4; i++) {
			struct around around = random_around(&rng, &whole);

			ck_assert(fleet_unpack_around(arena, packed, &around, &part));
			wanted = expected(&whole, &around);
			difference = fleet_difference(arena, &wanted, &part);
			ck_assert_msg(difference.n == 0, "round %zu: %.*s", round, STR_ARG(difference));
			ck_assert_int_eq(part.clock, whole.clock);
			machines += part.machine_count;
			all += whole.machine_count;
		}
		arena_reset(arena);
	}
	ck_assert_uint_gt(machines, all / 10);
	ck_assert_uint_lt(machines, all * 9 / 10);
}
END_TEST

/* --- damage --- */

static void use(struct arena *scratch, const struct fleet *fleet)
{
	struct buf buf = buf_new(scratch);

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].rule_count; k++)
			rule_print(&buf, &fleet->roles[i].rules[k].rule);
	(void)fleet_pack(scratch, fleet);
}

START_TEST(damage_is_refused_or_harmless)
{
	struct rng rng = rng_of(2);
	struct str packed;
	struct fleet whole = packed_fleet(&rng, 6, &packed), part;
	size_t refused = 0;

	for (size_t at = 0; at + 4 <= packed.n; at++) {
		struct arena *scratch = arena_new();
		struct around around = random_around(&rng, &whole);
		char *bytes = arena_raw(scratch, packed.n);

		memcpy(bytes, packed.p, packed.n);
		bytes[at + rng_below(&rng, 4)] ^= (char)(1u << rng_below(&rng, 8));
		if (fleet_unpack_around(scratch, (struct str){bytes, packed.n}, &around, &part))
			use(scratch, &part);
		else
			refused++;
		arena_free(scratch);
	}
	ck_assert_uint_gt(refused, packed.n / 20);
	for (size_t n = 0; n < packed.n; n += 7) {
		struct around around = random_around(&rng, &whole);

		ck_assert(!fleet_unpack_around(arena, str_slice(packed, 0, n), &around, &part));
	}
}
END_TEST

/* No fleet has them, and there is room for each name once. */
START_TEST(names_that_come_twice_are_refused)
{
	struct machine machines[] = {{.name = STR("web1")}, {.name = STR("web1")}};
	struct role roles[] = {{.name = STR("web")}, {.name = STR("web")}};
	struct fleet fleet = {.machines = machines, .machine_count = 2}, part;
	struct around machine = {.machines = {&machines[0].name, 1}}, role = {.roles = {&roles[0].name, 1}};

	ck_assert(!fleet_unpack_around(arena, fleet_pack(arena, &fleet), &machine, &part));
	fleet = (struct fleet){.roles = roles, .role_count = 2};
	ck_assert(!fleet_unpack_around(arena, fleet_pack(arena, &fleet), &role, &part));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pack_part");
	TCase *part = tcase_create("pack_part");

	tcase_add_checked_fixture(part, arena_setup, arena_teardown);
	tcase_add_test(part, what_comes_is_what_is_meant);
	tcase_add_test(part, damage_is_refused_or_harmless);
	tcase_add_test(part, names_that_come_twice_are_refused);
	suite_add_tcase(suite, part);

	return suite_main(suite);
}
