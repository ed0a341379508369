/* Addresses as text: what inet_ntop(3) would print, written faster, because sets have millions of them. */
#include <string.h>

#include "fleetwall/addr.h"

/* Each byte in decimal: its digits, and how many they are. */
struct octet {
	char digits[3];
	unsigned char count;
};

#define FIRST(n) (char)('0' + ((n) >= 100 ? (n) / 100 : (n) >= 10 ? (n) / 10 : (n)))
#define SECOND(n) (char)((n) >= 100 ? '0' + (n) / 10 % 10 : '0' + (n) % 10)
#define OCTET(n)                                                                                                    \
	{                                                                                                           \
		{FIRST(n), SECOND(n), (char)('0' + (n) % 10)}, 1 + ((n) >= 10) + ((n) >= 100)                       \
	}
#define OCTETS_4(n) OCTET(n), OCTET((n) + 1), OCTET((n) + 2), OCTET((n) + 3)
#define OCTETS_16(n) OCTETS_4(n), OCTETS_4((n) + 4), OCTETS_4((n) + 8), OCTETS_4((n) + 12)
#define OCTETS_64(n) OCTETS_16(n), OCTETS_16((n) + 16), OCTETS_16((n) + 32), OCTETS_16((n) + 48)

static const struct octet octets[256] = {OCTETS_64(0), OCTETS_64(64), OCTETS_64(128), OCTETS_64(192)};

static char *write_octet(char *to, unsigned value)
{
	memcpy(to, octets[value & 255].digits, 3);
	return to + octets[value & 255].count;
}

static char *write_4(char *to, uint32_t bits)
{
	to = write_octet(to, bits >> 24);
	*to++ = '.';
	to = write_octet(to, bits >> 16);
	*to++ = '.';
	to = write_octet(to, bits >> 8);
	*to++ = '.';
	return write_octet(to, bits);
}

/* Hexadecimal without zeros in front. */
static char *write_group(char *to, unsigned group)
{
	static const char digits[] = "0123456789abcdef";

	if (group >= 0x1000)
		*to++ = digits[group >> 12];
	if (group >= 0x100)
		*to++ = digits[group >> 8 & 15];
	if (group >= 0x10)
		*to++ = digits[group >> 4 & 15];
	*to++ = digits[group & 15];
	return to;
}

/* A run of groups that are zero: what `::` stands for. */
struct run {
	unsigned first, count;
};

/* The longest of two groups or more, the first of several. A bit of `zeros` stays set as long as a run of the length in
 * hand begins there. */
static struct run longest_zeros(const unsigned groups[8])
{
	unsigned zeros = 0, begins = 0, count = 0;

	for (unsigned i = 0; i < 8; i++)
		zeros |= (unsigned)(groups[i] == 0) << i;
	for (; zeros != 0; zeros &= zeros >> 1, count++)
		begins = zeros;
	return count < 2 ? (struct run){8, 0} : (struct run){(unsigned)__builtin_ctz(begins), count};
}

static char *write_groups(char *to, const unsigned groups[8], unsigned from, unsigned end)
{
	for (unsigned i = from; i < end; i++) {
		if (i > from)
			*to++ = ':';
		to = write_group(to, groups[i]);
	}
	return to;
}

/* ::1.2.3.4 and ::ffff:1.2.3.4: what stands for an address of the other family. */
static bool is_mixed(const unsigned groups[8], struct run zeros)
{
	return zeros.first == 0 && (zeros.count == 6 || (zeros.count == 5 && groups[5] == 0xffff));
}

static char *write_6(char *to, addr_bits bits)
{
	uint64_t high = (uint64_t)(bits >> 64), low = (uint64_t)bits;
	unsigned groups[8];

	for (unsigned i = 0; i < 4; i++) {
		groups[i] = (unsigned)(high >> (48 - 16 * i)) & 0xffff;
		groups[i + 4] = (unsigned)(low >> (48 - 16 * i)) & 0xffff;
	}
	struct run zeros = longest_zeros(groups);

	if (zeros.first == 8)
		return write_groups(to, groups, 0, 8);
	to = write_groups(to, groups, 0, zeros.first);
	*to++ = ':';
	*to++ = ':';
	if (!is_mixed(groups, zeros))
		return write_groups(to, groups, zeros.first + zeros.count, 8);
	if (zeros.count == 5) {
		to = write_group(to, groups[5]);
		*to++ = ':';
	}
	return write_4(to, (uint32_t)bits);
}

size_t addr_write(char *to, struct addr addr)
{
	char *end = addr.family == FAMILY_4 ? write_4(to, (uint32_t)addr.bits) : write_6(to, addr.bits);

	return (size_t)(end - to);
}
