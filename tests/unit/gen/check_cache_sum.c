/* Sums of cached bytes: any change is seen, and how the bytes came makes no difference.
 * valgrind-apart: each length with each cut. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cache_sum.h"
#include "suite_main.h"

enum { BYTES = 300 };

static void fill(char *bytes, unsigned seed)
{
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (char)rand_r(&seed);
}

static struct str first(const char *bytes, size_t n)
{
	return (struct str){bytes, n};
}

START_TEST(pieces_make_no_difference)
{
	char bytes[BYTES];

	fill(bytes, 1);
	for (size_t n = 0; n <= BYTES; n++)
		for (size_t cut = 0; cut <= n; cut += 7) {
			struct summing summing = sum_begin();

			sum_add(&summing, first(bytes, cut / 2));
			sum_add(&summing, str_slice(first(bytes, n), cut / 2, cut));
			sum_add(&summing, str_slice(first(bytes, n), cut, n));
			ck_assert_uint_eq(sum_end(&summing), sum_of(first(bytes, n)));
		}
}
END_TEST

/* In bytes of chance, and in those where products are zero: of zeros, and of the constants themselves. */
static void fill_any(char *bytes, int kind)
{
	static const uint64_t constants[] = {0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u, 0xc2b2ae3d27d4eb4fu};

	fill(bytes, (unsigned)kind);
	if (kind == 0)
		memset(bytes, 0, BYTES);
	for (size_t i = 0; kind >= 1 && kind <= 3 && i + 8 <= BYTES; i += 8)
		memcpy(bytes + i, &constants[kind - 1], 8);
}

START_TEST(each_bit_counts)
{
	char bytes[BYTES];

	fill_any(bytes, _i);
	uint64_t sum = sum_of(first(bytes, BYTES));

	for (size_t i = 0; i < BYTES; i++)
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] = (char)(bytes[i] ^ 1 << bit);
			ck_assert_uint_ne(sum_of(first(bytes, BYTES)), sum);
			bytes[i] = (char)(bytes[i] ^ 1 << bit);
		}
}
END_TEST

START_TEST(lengths_count)
{
	char bytes[BYTES];
	uint64_t sums[BYTES + 1];

	fill_any(bytes, _i);
	for (size_t n = 0; n <= BYTES; n++) {
		sums[n] = sum_of(first(bytes, n));
		for (size_t before = 0; before < n; before++)
			ck_assert_uint_ne(sums[before], sums[n]);
	}
}
END_TEST

START_TEST(exchanged_words_are_seen)
{
	char bytes[BYTES], other[BYTES];

	fill(bytes, 5);
	for (size_t i = 0; i + 16 <= BYTES; i += 8) {
		memcpy(other, bytes, BYTES);
		memcpy(other + i, bytes + i + 8, 8);
		memcpy(other + i + 8, bytes + i, 8);
		ck_assert_uint_ne(sum_of(first(other, BYTES)), sum_of(first(bytes, BYTES)));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_sum");
	TCase *tcase = tcase_create("cache_sum");

	tcase_add_test(tcase, pieces_make_no_difference);
	tcase_add_loop_test(tcase, each_bit_counts, 0, 8);
	tcase_add_loop_test(tcase, lengths_count, 0, 8);
	tcase_add_test(tcase, exchanged_words_are_seen);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
