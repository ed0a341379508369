/* Sums that tell whether a file is as it was written, at the speed of memory: a digest of the cache would take as long
 * as to read it, and pack it, takes. Against accidents alone: whoever may choose the bytes may choose those of the
 * program too. */
#include "cache_sum.h"

#include <string.h>

#include "fleetwall/addr.h" /* whose integers have 128 bits */

/* Odd numbers without a pattern, so that zeros make no product zero. */
#define FIRST 0x9e3779b97f4a7c15u
#define SECOND 0xd6e8feb86659fd93u
#define THIRD 0xc2b2ae3d27d4eb4fu

/* Both halves of the product: each bit of what comes in reaches all bits. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	addr_bits product = (addr_bits)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t turn(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* Where one factor happens to be zero, the sums beside the product still know all that came. */
static uint64_t add_words(uint64_t lane, uint64_t a, uint64_t b)
{
	return turn(lane, 29) + mix(a ^ FIRST, b ^ lane) + a + turn(b, 17);
}

static void add_stripe(struct summing *summing, const char *stripe)
{
	uint64_t words[4];

	memcpy(words, stripe, sizeof words);
	summing->lanes[0] = add_words(summing->lanes[0], words[0], words[1]);
	summing->lanes[1] = add_words(summing->lanes[1], words[2], words[3]);
}

struct summing sum_begin(void)
{
	return (struct summing){.lanes = {SECOND, THIRD}};
}

static void fill_stripe(struct summing *summing, struct str *bytes)
{
	size_t n = SUM_STRIPE - summing->held;

	if (n > bytes->n)
		n = bytes->n;
	if (n > 0)
		memcpy(summing->stripe + summing->held, bytes->p, n);
	summing->held += n;
	*bytes = str_slice(*bytes, n, bytes->n);
}

void sum_add(struct summing *summing, struct str bytes)
{
	summing->length += bytes.n;
	if (summing->held > 0) {
		fill_stripe(summing, &bytes);
		if (summing->held < SUM_STRIPE)
			return;
		add_stripe(summing, summing->stripe);
		summing->held = 0;
	}
	for (; bytes.n >= SUM_STRIPE; bytes = str_slice(bytes, SUM_STRIPE, bytes.n))
		add_stripe(summing, bytes.p);
	fill_stripe(summing, &bytes);
}

/* What is not full is filled with zeros; the length tells them from those that were there. */
uint64_t sum_end(struct summing *summing)
{
	if (summing->held > 0) {
		memset(summing->stripe + summing->held, 0, SUM_STRIPE - summing->held);
		add_stripe(summing, summing->stripe);
		summing->held = 0;
	}
	return mix(mix(summing->lanes[0] ^ FIRST, summing->lanes[1] ^ THIRD), summing->length ^ SECOND);
}

uint64_t sum_of(struct str bytes)
{
	struct summing summing = sum_begin();

	sum_add(&summing, bytes);
	return sum_end(&summing);
}
