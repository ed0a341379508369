/* What addresses add to tallies: the same however many are asked for at once, and nothing that adds up by accident. */
#include <check.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "produce_tally.h"
#include "suite_main.h"

static const struct secret some_secret = {"0123456789abcde"}; /* and a NUL */

static uint64_t one(const struct secret *secret, enum family family, addr_bits address)
{
	struct tallier *tallier = tallier_new(arena, secret);
	uint32_t number = (uint32_t)address;
	uint64_t adds = 0;

	tallier_each(tallier, family, family == FAMILY_4 ? (void *)&number : &address, 1, &adds);
	tallier_free(tallier);
	return adds;
}

/* So many, and then the first of them again, whatever pieces they are worked on in. */
START_TEST(each_adds_what_it_adds_alone)
{
	enum { MANY = 700 };
	const enum family family = _i == 0 ? FAMILY_4 : FAMILY_6;
	struct tallier *tallier = tallier_new(arena, &some_secret);
	uint32_t numbers[MANY];
	addr_bits bits[MANY];
	uint64_t adds[MANY];

	for (uint32_t i = 0; i < MANY; i++) {
		numbers[i] = 10u << 24 | i;
		bits[i] = (addr_bits)0xfd << 120 | i;
	}
	for (int round = 0; round < 2; round++)
		for (size_t count = 0; count <= MANY; count += 100) {
			tallier_each(tallier, family, family == FAMILY_4 ? (void *)numbers : bits, count, adds);
			for (size_t i = 0; i < count; i += 33)
				ck_assert(adds[i] == one(&some_secret, family,
				                         family == FAMILY_4 ? numbers[i] : bits[i]));
		}
	tallier_free(tallier);
}
END_TEST

/* A sum of the addresses themselves would be the same. */
START_TEST(sums_of_neighbours_differ)
{
	for (uint32_t i = 0; i < 1000; i += 4) {
		uint64_t adds[4];

		for (uint32_t k = 0; k < 4; k++)
			adds[k] = one(&some_secret, FAMILY_4, i + k);
		ck_assert(adds[0] + adds[3] != adds[1] + adds[2]);
		ck_assert((adds[0] ^ adds[3]) != (adds[1] ^ adds[2]));
		ck_assert(adds[0] != 0 && adds[0] != adds[1]);
	}
}
END_TEST

START_TEST(another_secret_adds_something_else)
{
	struct secret other = some_secret;

	for (size_t i = 0; i < sizeof other.byte; i++) {
		other.byte[i] ^= 1;
		ck_assert(one(&some_secret, FAMILY_6, 1) != one(&other, FAMILY_6, 1));
		other.byte[i] ^= 1;
	}
}
END_TEST

static Suite *tally_suite(void)
{
	Suite *suite = suite_create("produce_tally");
	TCase *tcase = tcase_create("tally");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, each_adds_what_it_adds_alone, 0, 2);
	tcase_add_test(tcase, sums_of_neighbours_differ);
	tcase_add_test(tcase, another_secret_adds_something_else);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return suite_main(tally_suite());
}
