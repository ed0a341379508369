/* Packed fleets: what was packed comes back, the same fleet gives the same bytes, what does not count is not there, and
 * bytes that were damaged are never read beyond their end. valgrind-apart: many fleets. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

static struct rng rng_of(uint64_t stream)
{
	const char *given = getenv("FLEETWALL_SEED");

	return (struct rng){(given != NULL ? strtoull(given, NULL, 10) : 20260401) + (stream << 32)};
}

/* At another place, of just this size, so that a byte too far is seen. */
static struct str moved(struct arena *to, struct str bytes)
{
	char *copy = arena_raw(to, bytes.n);

	memcpy(copy, bytes.p, bytes.n);
	return (struct str){copy, bytes.n};
}

/* Takes away what rulesets do not depend on. */
static void strip(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->machine_count; i++)
		fleet->machines[i].ssh_host = STR("");
	for (size_t i = 0; i < fleet->role_count; i++) {
		struct role *role = &fleet->roles[i];

		role->description = role->owner = STR("");
		for (size_t k = 0; k < role->rule_count; k++)
			role->rules[k].ticket = role->rules[k].owner = STR("");
	}
}

static struct fleet fleet_of(struct rng *rng, size_t size)
{
	struct fleet fleet = random_fleet(arena, rng, size);

	fleet.clock = (int64_t)rng_next(rng);
	return fleet;
}

/* What fleet_difference() leaves to others. */
static void expect_loaded(const struct fleet *fleet)
{
	ck_assert(fleet->source_count == 0 && fleet->owner.n == 0);
	for (size_t i = 0; i < fleet->machine_count; i++)
		ck_assert(fleet->machines[i].given == (unsigned)GIVEN_ALL && !fleet->machines[i].referred &&
		          fleet->machines[i].document.n == 0);
	for (size_t i = 0; i < fleet->role_count; i++)
		ck_assert(fleet->roles[i].given == (unsigned)GIVEN_ALL && fleet->roles[i].document.n == 0);
	for (size_t i = 0; i < fleet->network_count; i++)
		ck_assert(fleet->networks[i].given == (unsigned)GIVEN_ALL && fleet->networks[i].document.n == 0);
	for (size_t i = 0; i < fleet->service_count; i++)
		ck_assert(fleet->services[i].given == (unsigned)GIVEN_ALL && fleet->services[i].document.n == 0);
}

static void expect_same(const struct fleet *a, const struct fleet *b)
{
	struct str difference = fleet_difference(arena, a, b);

	ck_assert_msg(difference.n == 0, "%.*s", STR_ARG(difference));
	ck_assert_int_eq(a->clock, b->clock);
	ck_assert_uint_eq(a->role_count, b->role_count);
	for (size_t i = 0; i < a->service_count; i++)
		ck_assert_int_eq(a->services[i].builtin, b->services[i].builtin);
}

START_TEST(what_was_packed_comes_back)
{
	struct rng rng = rng_of(1);

	for (size_t round = 0; round < in_full(150); round++) {
		struct fleet fleet = fleet_of(&rng, 1 + rng_below(&rng, round % 15 == 0 ? 400 : 20)), back;

		fleet.services[0].builtin = rng_chance(&rng, 50);
		struct str packed = fleet_pack(arena, &fleet);

		ck_assert(fleet_unpack(arena, packed, &back));
		strip(&fleet);
		expect_same(&fleet, &back);
		expect_loaded(&back);
		ck_assert(str_eq(fleet_pack(arena, &fleet), packed));
		ck_assert(str_eq(fleet_pack(arena, &back), packed));
		arena_reset(arena);
	}
}
END_TEST

/* The same fleet made twice lies at other places; and memory that an arena hands out again is not clean. */
START_TEST(the_same_fleet_gives_the_same_bytes)
{
	for (uint64_t round = 0; round < in_full(38); round++) {
		struct arena *used = arena_new();
		struct rng rng = rng_of(100 + round), again = rng;
		struct fleet fleet = fleet_of(&rng, 60);
		struct str packed = fleet_pack(arena, &fleet);

		memset(arena_raw(used, 2000000), 0xa5, 2000000);
		arena_reset(used);
		fleet = fleet_of(&again, 60);
		ck_assert(str_eq(fleet_pack(used, &fleet), packed));
		arena_free(used);
		arena_reset(arena);
	}
}
END_TEST

/* Every field that counts, changed by itself. */
START_TEST(what_differs_gives_other_bytes)
{
	struct label labels[] = {{STR("env"), STR("prod")}, {STR("site"), STR("a")}};
	struct machine_address address = {.addr = {.bits = 1, .family = FAMILY_4}, .label = STR("")};
	struct str roles[] = {STR("db"), STR("web")};
	struct machine machine = {.name = STR("m"), .enabled = true, .labels = labels, .label_count = 1,
	                          .addresses = &address, .address_count = 1, .roles = roles, .role_count = 1};
	struct fleet fleet = {.machines = &machine, .machine_count = 1, .clock = 7};
	struct str first = fleet_pack(arena, &fleet);

#define DIFFERS(change, back)                                                                                       \
	do {                                                                                                        \
		change;                                                                                             \
		ck_assert(!str_eq(fleet_pack(arena, &fleet), first));                                               \
		back;                                                                                               \
		ck_assert(str_eq(fleet_pack(arena, &fleet), first));                                                \
	} while (0)
	DIFFERS(fleet.clock = 8, fleet.clock = 7);
	DIFFERS(fleet.machine_count = 0, fleet.machine_count = 1);
	DIFFERS(machine.name = STR("n"), machine.name = STR("m"));
	DIFFERS(machine.enabled = false, machine.enabled = true);
	DIFFERS(machine.mode = MODE_COEXIST, machine.mode = MODE_EXCLUSIVE);
	DIFFERS(machine.enforcement = ENFORCEMENT_UNMANAGED, machine.enforcement = ENFORCEMENT_ENFORCE);
	DIFFERS(machine.ssh_port = 65535, machine.ssh_port = 0);
	DIFFERS(machine.label_count = 2, machine.label_count = 1);
	DIFFERS(labels[0].value = STR(""), labels[0].value = STR("prod"));
	DIFFERS(machine.address_count = 0, machine.address_count = 1);
	DIFFERS(address.addr.family = FAMILY_6, address.addr.family = FAMILY_4);
	DIFFERS(address.label = STR("public"), address.label = STR(""));
	DIFFERS(machine.role_count = 2, machine.role_count = 1);
	DIFFERS(machine.roles = roles + 1, machine.roles = roles);
#undef DIFFERS
}
END_TEST

static struct machine large_machine(size_t number)
{
	struct machine machine = {
		.name = str_format(arena, "m%05zu", number),
		.labels = ARENA_ARRAY(arena, struct label, 3),
		.label_count = 3,
		.addresses = ARENA_ARRAY(arena, struct machine_address, number % 4),
		.address_count = number % 4,
		.roles = ARENA_ARRAY(arena, struct str, 5),
		.role_count = 5,
	};

	for (size_t i = 0; i < 3; i++)
		machine.labels[i] = (struct label){str_format(arena, "key-%zu", i), STR("a long value")};
	for (size_t i = 0; i < 5; i++)
		machine.roles[i] = str_format(arena, "a-role-of-many-machines-%zu", i);
	for (size_t i = 0; i < machine.address_count; i++)
		machine.addresses[i] = (struct machine_address){
			.addr = {.bits = number * 4 + i, .family = i % 2 == 0 ? FAMILY_4 : FAMILY_6},
			.label = STR("public"),
		};
	return machine;
}

/* Lists and words that repeat are there once. So many machines are unpacked by several threads. */
START_TEST(what_repeats_is_there_once)
{
	enum { MACHINES = 20000, BYTES_OF_MACHINE = 24 + 6, BYTES_OF_ADDRESSES = (8 + 8 + 20 + 8 + 20 + 8) / 4 };
	struct fleet fleet = {.machines = ARENA_ARRAY(arena, struct machine, MACHINES), .machine_count = MACHINES};

	for (size_t i = 0; i < MACHINES; i++)
		fleet.machines[i] = large_machine(i);
	struct str packed = fleet_pack(arena, &fleet);
	struct fleet back;

	ck_assert_uint_lt(packed.n, MACHINES * (BYTES_OF_MACHINE + BYTES_OF_ADDRESSES) + 500);
	ck_assert(fleet_unpack(arena, packed, &back));
	expect_same(&fleet, &back);
	ck_assert(str_eq(fleet_pack(arena, &back), packed));
	ck_assert_ptr_eq(back.machines[0].roles, back.machines[MACHINES - 1].roles);
	((char *)(uintptr_t)packed.p)[packed.n / 2] ^= 64;
	(void)fleet_unpack(arena, packed, &back);
	ck_assert(!fleet_unpack(arena, str_slice(packed, 0, packed.n - 1), &back));
}
END_TEST

START_TEST(an_empty_fleet_is_one)
{
	struct fleet fleet = {.clock = TIME_NONE}, back;
	struct str packed = fleet_pack(arena, &fleet);

	ck_assert(fleet_unpack(arena, packed, &back));
	ck_assert(back.machine_count == 0 && back.role_count == 0);
	ck_assert(back.network_count == 0 && back.service_count == 0);
	ck_assert_int_eq(back.clock, TIME_NONE);
}
END_TEST

/* --- damage --- */

START_TEST(short_or_long_is_refused)
{
	struct rng rng = rng_of(2);
	struct fleet fleet = fleet_of(&rng, 8), back;
	struct str packed = fleet_pack(arena, &fleet);

	for (size_t n = 0; n < packed.n; n++) {
		struct arena *exact = arena_new();

		ck_assert(!fleet_unpack(exact, moved(exact, str_slice(packed, 0, n)), &back));
		arena_free(exact);
	}
	struct str longer = STR("x");
	struct buf buf = buf_new(arena);

	buf_add(&buf, packed);
	buf_add(&buf, longer);
	ck_assert(!fleet_unpack(arena, moved(arena, buf_str(&buf)), &back));
	buf = buf_new(arena);
	buf_add(&buf, longer);
	buf_add(&buf, packed);
	struct str odd = moved(arena, buf_str(&buf));

	ck_assert(!fleet_unpack(arena, str_slice(odd, 1, odd.n), &back));
}
END_TEST

/* Goes over all that the fleet says, so that a number or place that is wrong is used. */
static void use(struct arena *scratch, const struct fleet *fleet)
{
	struct buf buf = buf_new(scratch);

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].rule_count; k++)
			rule_print(&buf, &fleet->roles[i].rules[k].rule);
	(void)fleet_pack(scratch, fleet);
}

/* Each unit of the block by itself, made larger, smaller, huge, or swapped with its neighbour. */
START_TEST(damage_is_refused_or_harmless)
{
	struct rng rng = rng_of(3);
	struct fleet fleet = fleet_of(&rng, 5), back;
	struct str packed = fleet_pack(arena, &fleet);
	size_t refused = 0;

	for (size_t at = 0; at + 4 <= packed.n; at++) {
		struct arena *scratch = arena_new();
		char *bytes = arena_raw(scratch, packed.n);
		uint32_t unit;

		memcpy(bytes, packed.p, packed.n);
		memcpy(&unit, bytes + at, sizeof unit);
		switch (rng_below(&rng, 5)) {
		case 0: unit++; break;
		case 1: unit--; break;
		case 2: unit = UINT32_MAX; break;
		case 3: unit ^= (uint32_t)1 << rng_below(&rng, 32); break;
		default: unit = unit << 16 | unit >> 16; break;
		}
		memcpy(bytes + at, &unit, sizeof unit);
		if (fleet_unpack(scratch, (struct str){bytes, packed.n}, &back))
			use(scratch, &back);
		else
			refused++;
		arena_free(scratch);
	}
	ck_assert_uint_gt(refused, packed.n / 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pack");
	TCase *pack = tcase_create("pack");

	tcase_add_checked_fixture(pack, arena_setup, arena_teardown);
	tcase_add_test(pack, what_was_packed_comes_back);
	tcase_add_test(pack, the_same_fleet_gives_the_same_bytes);
	tcase_add_test(pack, what_differs_gives_other_bytes);
	tcase_add_test(pack, what_repeats_is_there_once);
	tcase_add_test(pack, an_empty_fleet_is_one);
	tcase_add_test(pack, short_or_long_is_refused);
	tcase_add_test(pack, damage_is_refused_or_harmless);
	suite_add_tcase(suite, pack);

	return suite_main(suite);
}
