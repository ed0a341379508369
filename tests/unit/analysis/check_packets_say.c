/* What a set of packets says, against brute force: its least packet, what it depends on, the values that occur.
 * valgrind-apart: brute force. */
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

static int compare_numbers(addr_bits a, addr_bits b)
{
	return (a > b) - (a < b);
}

/* In the order of the fields; conditions are not compared. */
static int compare_packets(const struct sample *a, const struct sample *b)
{
	int order = 0;

	for (enum packet_field field = 0; field <= FIELD_FRAGMENT && order == 0; field++)
		order = compare_numbers(number_of(a, field), number_of(b, field));
	if (order == 0)
		order = str_cmp(a->in, b->in);
	if (order == 0)
		order = str_cmp(a->out, b->out);
	if (order == 0 && a->condition_count + b->condition_count > 0)
		return 0;
	if (order == 0)
		order = compare_numbers(a->source.bits, b->source.bits);
	return order != 0 ? order : compare_numbers(a->destination.bits, b->destination.bits);
}

static void check_least(struct round *round, const struct sample *sample)
{
	if (has(round, sample))
		must(compare_packets(&round->least, sample) <= 0);
}

START_TEST(test_sample)
{
	for (unsigned i = 0; i < rounds(44); i++) {
		size_t mark = packets_mark();
		struct round round;

		random_round(&round, i, 3);
		ck_assert_int_eq(packets_sample(arena, round.formulas[0].set, &round.least),
		                 !packets_empty(round.formulas[0].set));
		if (!packets_empty(round.formulas[0].set)) {
			ck_assert(packets_have(round.formulas[0].set, &round.least));
			ck_assert(has(&round, &round.least));
			each_packet(&round, check_least);
		}
		packets_release(mark);
	}
}
END_TEST

static void note_any(struct round *round, const struct sample *sample)
{
	struct values values;
	struct sample other = *sample;

	if (round->depends)
		return;
	values = round_values(round, round->asked, sample->family);
	for (unsigned i = 0; i < values.count; i++) {
		set_value(&other, round->asked, values.of[i]);
		round->depends |= has(round, &other) != has(round, sample);
	}
}

START_TEST(test_depends)
{
	for (unsigned i = 0; i < rounds(44); i++) {
		size_t mark = packets_mark();
		struct round round;

		random_round(&round, i, 2);
		for (enum packet_field field = FIELD_STATE; field < FIELD_COUNT; field++) {
			round.asked = field;
			round.depends = false;
			each_packet(&round, note_any);
			ck_assert_int_eq(packets_depends(round.formulas[0].set, field), round.depends);
		}
		packets_release(mark);
	}
}
END_TEST

/* Which values of the field some packet of the set has, marked by their places among the values. */
static struct values seen_values;
static bool seen[64];
static enum family seen_family;

static void see(struct round *round, enum packet_field field, enum family family,
                void (*each)(struct round *round, const struct sample *sample))
{
	memset(seen, 0, sizeof seen);
	seen_values = round_values(round, field, family);
	seen_family = family;
	round->asked = field;
	each_packet(round, each);
}

static addr_bits value_in(const struct sample *sample, enum packet_field field)
{
	return field >= FIELD_SOURCE ? addr_of(sample, field).bits : number_of(sample, field);
}

static void note_seen(struct round *round, const struct sample *sample)
{
	if (!has(round, sample) || (round->asked >= FIELD_SOURCE && sample->family != seen_family))
		return;
	for (unsigned i = 0; i < seen_values.count; i++)
		seen[i] |= seen_values.of[i] == value_in(sample, round->asked);
}

static void check_addresses_of(struct round *round, enum packet_field field, enum family family)
{
	struct addr_set set = packets_addr_set(arena, round->formulas[0].set, field, family);
	struct addr_set same = addr_set_of(arena, family, set.ranges, set.count);

	see(round, field, family, note_seen);
	ck_assert(addr_set_eq(&set, &same));
	for (unsigned i = 0; i < seen_values.count; i++)
		ck_assert_int_eq(addr_set_has(&set, (struct addr){seen_values.of[i], family}), seen[i]);
}

static void check_numbers_of(struct round *round, enum packet_field field)
{
	struct numbers *numbers;
	size_t count = packets_number_set(arena, round->formulas[0].set, field, &numbers);

	see(round, field, FAMILY_4, note_seen);
	for (size_t i = 0; i < count; i++)
		must(numbers[i].first <= numbers[i].last &&
		     (i == 0 || numbers[i].first > numbers[i - 1].last + 1));
	for (unsigned i = 0; i < seen_values.count; i++) {
		bool in = false;

		for (size_t j = 0; j < count; j++)
			in |= numbers[j].first <= seen_values.of[i] && seen_values.of[i] <= numbers[j].last;
		ck_assert_int_eq(in, seen[i]);
	}
}

START_TEST(test_values)
{
	for (unsigned i = 0; i < rounds(44); i++) {
		size_t mark = packets_mark();
		struct round round;

		random_round(&round, i, 2);
		for (unsigned j = 0; j < 3; j++)
			if (round.fields[j] == FIELD_SOURCE || round.fields[j] == FIELD_DESTINATION) {
				check_addresses_of(&round, round.fields[j], FAMILY_4);
				check_addresses_of(&round, round.fields[j], FAMILY_6);
			} else if (round.fields[j] > FIELD_FAMILY && round.fields[j] < FIELD_IN) {
				check_numbers_of(&round, round.fields[j]);
			}
		packets_release(mark);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("packets");
	TCase *tcase = tcase_create("say");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_sample);
	tcase_add_test(tcase, test_depends);
	tcase_add_test(tcase, test_values);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
