/* Sorting numbers of 4 and 16 bytes: by counting, byte by byte from the lowest, passing over bytes that are the same in
 * all (most of an IPv6 address is). Few numbers are put in place one by one. */
#include "produce_sort.h"

#include <string.h>

#define FEW 48

/* `size` is a constant where this is inlined: 4 or 16. */
static inline addr_bits load(const unsigned char *items, size_t at, size_t size)
{
	addr_bits wide;
	uint32_t narrow;

	if (size == sizeof wide) {
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
		unsigned char bytes[16];
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

static inline void sort_by_byte(const unsigned char *items, unsigned char *to, size_t count, size_t size,
                                unsigned shift)
{
	size_t place[257] = {0};

	for (size_t i = 0; i < count; i++)
		place[(load(items, i, size) >> shift & 255) + 1]++;
	for (size_t i = 0; i < 255; i++)
		place[i + 1] += place[i];
	for (size_t i = 0; i < count; i++)
		memcpy(to + place[load(items, i, size) >> shift & 255]++ * size, items + i * size, size);
}

static inline void *sort(void *items, void *room, size_t count, size_t size)
{
	addr_bits left;

	if (count < FEW) {
		sort_few(items, count, size);
		return items;
	}
	left = differences(items, count, size);
	for (unsigned shift = 0; left != 0; shift += 8, left >>= 8) {
		void *other = room;

		if ((left & 255) == 0)
			continue;
		sort_by_byte(items, room, count, size, shift);
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
