/* Sorting numbers of 4 and 16 bytes, and numbers with a place behind them: by counting, some bits at a time from the
 * lowest, passing over bits that are the same in all (most of an IPv6 address is). Few numbers are put in place one by
 * one. */
#include "produce_sort.h"

#include <string.h>

#define FEW 48
/* More bits at a time are fewer passes, and more places to count in: that pays where there are many numbers. */
#define MANY 4096
#define BITS_MOST 12

/* `size` is a constant where this is inlined: that of something that begins with 16 bytes, or of less that begins with
 * 4. */
static inline addr_bits load(const unsigned char *items, size_t at, size_t size)
{
	addr_bits wide;
	uint32_t narrow;

	if (size >= sizeof wide) {
		memcpy(&wide, items + at * size, sizeof wide);
		return wide;
	}
	memcpy(&narrow, items + at * size, sizeof narrow);
	return narrow;
}

static inline void sort_few(unsigned char *items, size_t count, size_t size)
{
	for (size_t i = 1; i < count; i++) {
		addr_bits item = load(items, i, size);
		unsigned char bytes[sizeof(struct placed)];
		size_t at = i;

		memcpy(bytes, items + i * size, size);
		for (; at > 0 && load(items, at - 1, size) > item; at--)
			memcpy(items + at * size, items + (at - 1) * size, size);
		memcpy(items + at * size, bytes, size);
	}
}

/* The bits in which some two differ; 0 also where they are in order already. */
static inline addr_bits differences(const unsigned char *items, size_t count, size_t size)
{
	addr_bits first = load(items, 0, size), last = first, found = 0;
	bool sorted = true;

	for (size_t i = 1; i < count; i++) {
		addr_bits item = load(items, i, size);

		found |= item ^ first;
		sorted &= item >= last;
		last = item;
	}
	return sorted ? 0 : found;
}

static inline size_t digit(const unsigned char *items, size_t at, size_t size, unsigned shift, size_t mask)
{
	return (size_t)(load(items, at, size) >> shift) & mask;
}

static inline void sort_by_digit(const unsigned char *items, unsigned char *to, size_t count, size_t size,
                                 unsigned shift, size_t mask)
{
	uint32_t place[(1 << BITS_MOST) + 1];

	memset(place, 0, (mask + 2) * sizeof *place);
	for (size_t i = 0; i < count; i++)
		place[digit(items, i, size, shift, mask) + 1]++;
	for (size_t i = 0; i < mask; i++)
		place[i + 1] += place[i];
	for (size_t i = 0; i < count; i++)
		memcpy(to + place[digit(items, i, size, shift, mask)]++ * size, items + i * size, size);
}

static unsigned lowest_bit(addr_bits bits)
{
	return (uint64_t)bits != 0 ? (unsigned)__builtin_ctzll((uint64_t)bits)
	                           : 64 + (unsigned)__builtin_ctzll((uint64_t)(bits >> 64));
}

static inline void *sort(void *items, void *room, size_t count, size_t size)
{
	unsigned bits = count < MANY ? 8 : BITS_MOST, shift;
	addr_bits left, mask = ((addr_bits)1 << bits) - 1;

	if (count < FEW) {
		sort_few(items, count, size);
		return items;
	}
	for (left = differences(items, count, size); left != 0; left &= ~(mask << shift)) {
		void *other = room;

		shift = lowest_bit(left);
		sort_by_digit(items, room, count, size, shift, (size_t)mask);
		room = items;
		items = other;
	}
	return items;
}

uint32_t *sort_numbers(uint32_t *items, uint32_t *room, size_t count)
{
	return sort(items, room, count, sizeof *items);
}

addr_bits *sort_addresses(addr_bits *items, addr_bits *room, size_t count)
{
	return sort(items, room, count, sizeof *items);
}

struct placed_number *sort_placed_numbers(struct placed_number *items, struct placed_number *room, size_t count)
{
	return sort(items, room, count, sizeof *items);
}

struct placed *sort_placed(struct placed *items, struct placed *room, size_t count)
{
	return sort(items, room, count, sizeof *items);
}
