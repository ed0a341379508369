/* Sets of packets against brute force: random formulas over random sets, each asked about every packet that differs to
 * any of them; and what lives through garbage collections. valgrind-apart: brute force. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "random_packets.h"
#include "rounds.h"
#include "suite_main.h"

static struct arena *arena;

static void setup(void)
{
	arena = random_arena = arena_new();
	packets_begin();
	srandom(4711);
}

static void teardown(void)
{
	packets_end();
	arena_free(arena);
}

/* --- what is asked of each --- */

static void check_have(struct round *round, const struct sample *sample)
{
	bool one = has(round, sample), other = formula_has(&round->formulas[1], sample);

	must(packets_have(round->formulas[0].set, sample) == one);
	must(!packets_have(packets_none(), sample));
	must(packets_have(packets_all(), sample));
	round->any |= one;
	round->within &= !one || other;
	round->both &= one == other;
}

/* The same among those that are cared for, nothing where none are; and what may stand at the ends of an if. */
static void check_simpler(struct packets set, struct packets cared)
{
	struct packets simpler = packets_simpler(set, cared), none = packets_none(), all = packets_all();

	ck_assert(packets_eq(packets_and(simpler, cared), packets_and(set, cared)));
	ck_assert(packets_empty(packets_simpler(set, none)));
	ck_assert(packets_eq(packets_simpler(set, all), set));
	ck_assert(packets_empty(cared) || packets_eq(packets_simpler(cared, cared), all));
	ck_assert(packets_eq(packets_not(packets_if(set, all, cared)), packets_if(set, none, packets_not(cared))));
	ck_assert(packets_eq(packets_not(packets_if(set, cared, none)), packets_if(set, packets_not(cared), all)));
}

START_TEST(test_formulas)
{
	for (unsigned i = 0; i < rounds(44); i++) {
		size_t mark = packets_mark();
		struct round round;

		random_round(&round, i, 3);
		round.within = round.both = true;
		each_packet(&round, check_have);
		ck_assert_int_eq(packets_empty(round.formulas[0].set), !round.any);
		ck_assert_int_eq(packets_within(round.formulas[0].set, round.formulas[1].set), round.within);
		ck_assert_int_eq(packets_eq(round.formulas[0].set, round.formulas[1].set), round.both);
		check_simpler(round.formulas[0].set, round.formulas[1].set);
		packets_release(mark);
	}
}
END_TEST

/* Does some value of the field, or of all conditions, put it in; and do all? */
static void ask_values(struct round *round, const struct sample *sample, enum packet_field field)
{
	struct values values = round_values(round, field, sample->family);
	struct sample other = *sample;

	round->perhaps = false;
	round->surely = true;
	for (unsigned i = 0; i < values.count; i++) {
		set_value(&other, field, values.of[i]);
		round->perhaps |= has(round, &other);
		round->surely &= has(round, &other);
	}
}

static void check_left_out(struct round *round, const struct sample *sample)
{
	struct sample copy = *sample;
	struct str held[CONDITIONS];

	for (size_t i = 0; i < sample->condition_count; i++)
		held[i] = sample->conditions[i];
	for (unsigned i = 0; i < 3; i++)
		if (round->fields[i] != FIELD_COUNT && round->fields[i] != FIELD_FAMILY) {
			ask_values(round, sample, round->fields[i]);
			must(packets_have(round->projected[round->fields[i]], sample) == round->perhaps);
		}
	copy.conditions = held;
	ask_values(round, &copy, FIELD_COUNT);
	must(packets_have(round->put, &copy) == round->surely);
	must(packets_have(round->projected[FIELD_COUNT], &copy) == round->perhaps);
}

START_TEST(test_left_out)
{
	for (unsigned i = 0; i < rounds(22); i++) {
		size_t mark = packets_mark();
		struct round round;

		random_round(&round, i, 2);
		for (enum packet_field field = 0; field < FIELD_COUNT; field++)
			round.projected[field] = packets_any(round.formulas[0].set, field);
		round.projected[FIELD_COUNT] = packets_perhaps(round.formulas[0].set);
		round.put = packets_surely(round.formulas[0].set);
		each_packet(&round, check_left_out);
		packets_release(mark);
	}
}
END_TEST

/* The condition stands for the other formula, which may depend on it as well. */
static void check_put(struct round *round, const struct sample *sample)
{
	struct sample copy = *sample;
	struct str held[CONDITIONS];
	bool value = formula_has(&round->formulas[1], sample);

	copy.conditions = held;
	copy.condition_count = 0;
	for (unsigned i = 0; i < CONDITIONS; i++)
		if (i == 1 ? value : condition_holds(sample, conditions[i]))
			held[copy.condition_count++] = str_of(conditions[i]);
	must(packets_have(round->put, sample) == formula_has(&round->formulas[0], &copy));
}

START_TEST(test_put)
{
	for (unsigned i = 0; i < rounds(66); i++) {
		size_t mark = packets_mark();
		struct round round;

		random_round(&round, i, 2);
		round.put = packets_put(round.formulas[0].set, str_of(conditions[1]), round.formulas[1].set);
		each_packet(&round, check_put);
		ck_assert(packets_eq(packets_put(round.put, STR("nobody named it"), packets_none()), round.put));
		packets_release(mark);
	}
}
END_TEST

/* --- what lives, and for how long --- */

static struct addr_set random_set(struct arena *scratch, enum family family, size_t count)
{
	struct range *ranges = ARENA_ARRAY(scratch, struct range, count);

	for (size_t i = 0; i < count; i++) {
		addr_bits bits = random_address(family);

		if (family == FAMILY_6) /* a network as there are */
			bits = (addr_bits)0x20010db8 << 96 | (addr_bits)below(300) << 64 | below(100000);
		ranges[i] = (struct range){bits, bits, family};
	}
	return addr_set_of(scratch, family, ranges, count);
}

/* More nodes than the table has, made and given up again and again: what is kept stays what it is. */
START_TEST(test_collections)
{
	struct round round;
	struct packets kept, held = packets_none();
	struct arena *scratch = arena_new();

	random_round(&round, 0, 3);
	kept = packets_keep(packets_interface(FIELD_IN, STR("eth0")));
	packets_hold(&held, packets_or(kept, packets_number(FIELD_PORT, 22)));
	for (unsigned i = 0; i < 20; i++) {
		size_t mark = packets_mark();
		struct addr_set some = random_set(scratch, FAMILY_4, 5000), more = random_set(scratch, FAMILY_4, 5000);
		struct packets a = packets_addresses(FIELD_SOURCE, &some);
		struct packets b = packets_addresses(FIELD_DESTINATION, &more);
		struct packets both = packets_release_but(mark, packets_and(a, packets_or(b, kept)));
		struct addr_set back = packets_addr_set(scratch, both, FIELD_SOURCE, FAMILY_4);

		ck_assert_uint_eq(packets_mark(), mark + 1);
		ck_assert(addr_set_eq(&back, &some));
		ck_assert(packets_within(packets_and(packets_addresses(FIELD_SOURCE, &some), kept), both));
		packets_release(mark);
		arena_reset(scratch);
	}
	each_packet(&round, check_have);
	ck_assert(packets_eq(held, packets_or(packets_interface(FIELD_IN, STR("eth0")),
	                                      packets_number(FIELD_PORT, 22))));
	packets_hold(&held, packets_none());
	arena_free(scratch);
}
END_TEST

START_TEST(test_many_addresses)
{
	struct addr_set sets[] = {random_set(arena, FAMILY_4, in_full(100000)),
	                          random_set(arena, FAMILY_6, in_full(100000))};

	for (size_t i = 0; i < 2; i++) {
		struct packets set = packets_addresses(FIELD_SOURCE, &sets[i]);
		struct addr_set back = packets_addr_set(arena, set, FIELD_SOURCE, sets[i].family);
		struct packets pieces = packets_none();

		ck_assert(addr_set_eq(&back, &sets[i]));
		ck_assert_uint_lt(packets_size(set), 300000);
		for (size_t k = 0; k < 100; k++)
			pieces = packets_or(pieces, packets_range(FIELD_SOURCE, sets[i].ranges[k * 7]));
		ck_assert(packets_within(pieces, set) && !packets_within(set, pieces));
	}
	ck_assert(packets_empty(packets_and(packets_addresses(FIELD_SOURCE, &sets[0]),
	                                    packets_addresses(FIELD_SOURCE, &sets[1]))));
}
END_TEST

START_TEST(test_many_conditions)
{
	size_t count = 5000; /* more than there is room for above the addresses */
	struct packets all = packets_all(), some = packets_none();
	struct packets *each = ARENA_ARRAY(arena, struct packets, count);
	struct str *found;

	for (size_t i = 0; i < count; i++) {
		each[i] = packets_condition(str_format(arena, "number %05zu", i));
		if (i % 1000 == 0)
			some = packets_or(some, packets_and(each[i], packets_number(FIELD_PORT, (unsigned)i)));
	}
	/* From the lowest up, so that none is made again for those below it. */
	for (size_t i = count; i-- > 0;) {
		size_t mark = packets_mark();

		all = packets_release_but(mark, packets_and(each[i], all));
	}
	ck_assert_uint_eq(packets_conditions(arena, all, &found), count);
	for (size_t i = 0; i < count; i++)
		ck_assert(str_eq(found[i], str_format(arena, "number %05zu", i)));
	ck_assert_uint_eq(packets_conditions(arena, some, &found), 5);
	ck_assert(packets_empty(packets_surely(some)));
	ck_assert_uint_eq(packets_number_set(arena, some, FIELD_PORT, &(struct numbers *){NULL}), 5);
	ck_assert(packets_eq(packets_perhaps(all), packets_all()));
	ck_assert(packets_within(packets_put(some, STR("number 04000"), packets_all()),
	                         packets_or(some, packets_number(FIELD_PORT, 4000))));
	ck_assert(packets_eq(packets_any(packets_and(all, packets_number(FIELD_PORT, 1)), FIELD_PORT), all));
	ck_assert(packets_eq(packets_only(packets_and(packets_number(FIELD_PORT, 1), packets_state(STATE_NEW)),
	                                  1U << FIELD_STATE),
	                     packets_state(STATE_NEW)));
	ck_assert(packets_eq(packets_only(packets_and(packets_number(FIELD_PORT, 1), packets_condition(STR("c"))),
	                                  1U << FIELD_PORT),
	                     packets_number(FIELD_PORT, 1)));
}
END_TEST

/* Begun again after its end, everything is new. */
START_TEST(test_again)
{
	struct str *found;

	for (unsigned i = 0; i < 3; i++) {
		struct packets one = packets_condition(STR("one"));

		packets_begin();
		ck_assert(packets_eq(one, packets_condition(STR("one"))));
		ck_assert_uint_eq(packets_conditions(arena, packets_perhaps(one), &found), 0);
		packets_end();
		packets_end();
		packets_begin();
		ck_assert_uint_eq(packets_mark(), 0);
	}
}
END_TEST

/* How many addresses are joined before the bound is passed. */
static unsigned joined(void)
{
	struct packets sum = {0};
	unsigned count = 0;

	while (!packets_spent() && count < 10000) {
		struct addr addr = {(addr_bits)(count++ * 2654435761U), FAMILY_4};

		packets_hold(&sum, packets_or(sum, packets_prefix(FIELD_SOURCE, (struct prefix){addr, 32})));
	}
	packets_hold(&sum, packets_none());
	return count;
}

static unsigned joined_within(uint64_t bound)
{
	packets_end();
	packets_begin();
	packets_bound(bound);
	return joined();
}

START_TEST(test_bound)
{
	unsigned few = joined_within(20000), more;

	ck_assert(packets_spent());
	ck_assert(packets_empty(packets_all()) == false);
	ck_assert(packets_empty(packets_not(packets_none())));
	ck_assert(packets_empty(packets_number(FIELD_PORT, 22)));
	ck_assert(!packets_within(packets_none(), packets_all()));
	ck_assert_uint_gt(few, 100);
	ck_assert_uint_eq(joined_within(20000), few);
	more = joined_within(40000);
	ck_assert_uint_gt(more, few + few / 2);
	ck_assert_uint_eq(joined_within(0), 10000);
	ck_assert(!packets_spent());
	packets_bound(10);
	packets_work(10);
	ck_assert(!packets_spent());
	packets_work(1);
	ck_assert(packets_spent());
	packets_end();
	packets_begin();
	ck_assert(!packets_spent());
}
END_TEST

int bdd_setmaxnodenum(int nodes); /* of the library; no other test needs it */

/* As many nodes as there may be pass the bound, too: the program goes on, and all of it is as before afterwards. */
START_TEST(test_full)
{
	packets_end();
	packets_begin();
	bdd_setmaxnodenum(150000);
	packets_bound(UINT64_MAX);
	ck_assert_uint_lt(joined(), 10000);
	ck_assert(packets_spent());
	ck_assert_uint_gt(joined_within(40000), 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("packets");
	TCase *tcase = tcase_create("formulas");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_formulas);
	tcase_add_test(tcase, test_left_out);
	tcase_add_test(tcase, test_put);
	tcase_add_test(tcase, test_collections);
	tcase_add_test(tcase, test_many_addresses);
	tcase_add_test(tcase, test_many_conditions);
	tcase_add_test(tcase, test_again);
	tcase_add_test(tcase, test_bound);
	tcase_add_test(tcase, test_full);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
