/* The addresses of the internet, by what the special-purpose registries of IANA leave of all addresses. It knows no
 * fleet. */
#include "address_sets.h"
#include "fleetwall/arena.h"
#include "fleetwall/exposed.h"

#define PREFIX4(a, b, c, d, length) {{(addr_bits)(a) << 24 | (b) << 16 | (c) << 8 | (d), FAMILY_4}, length}
#define PREFIX6(high, length) {{(addr_bits)(high) << 64, FAMILY_6}, length}

/* iana-ipv4-special-registry; multicast is RFC 5771. Where it calls a part of a prefix reachable after all (the two
 * anycast addresses of 192.0.0.0/24), nobody sends from there. */
static const struct prefix special4[] = {
	PREFIX4(0, 0, 0, 0, 8),       PREFIX4(10, 0, 0, 0, 8),      PREFIX4(100, 64, 0, 0, 10),
	PREFIX4(127, 0, 0, 0, 8),     PREFIX4(169, 254, 0, 0, 16),  PREFIX4(172, 16, 0, 0, 12),
	PREFIX4(192, 0, 0, 0, 24),    PREFIX4(192, 0, 2, 0, 24),    PREFIX4(192, 168, 0, 0, 16),
	PREFIX4(198, 18, 0, 0, 15),   PREFIX4(198, 51, 100, 0, 24), PREFIX4(203, 0, 113, 0, 24),
	PREFIX4(224, 0, 0, 0, 4),     PREFIX4(240, 0, 0, 0, 4),
};

/* Of the addresses that are given out at all (RFC 4291 §2.4), iana-ipv6-special-registry. 6to4 and Teredo stay: hosts
 * of the internet send from there. */
static const struct prefix global6 = PREFIX6(UINT64_C(0x2000) << 48, 3);
static const struct prefix special6[] = {
	PREFIX6(UINT64_C(0x2001000200000000), 48), /* benchmarking */
	PREFIX6(UINT64_C(0x2001001000000000), 28), /* ORCHID */
	PREFIX6(UINT64_C(0x20010db800000000), 32), /* documentation */
	PREFIX6(UINT64_C(0x3fff000000000000), 20), /* documentation */
};

static struct addr_set set_of(struct arena *arena, const struct prefix *prefixes, size_t count)
{
	struct range *ranges = ARENA_ARRAY(arena, struct range, count);

	for (size_t i = 0; i < count; i++)
		ranges[i] = prefix_range(prefixes[i]);
	return addr_set_of(arena, prefixes[0].addr.family, ranges, count);
}

struct addr_set internet_addresses(struct arena *arena, enum family family)
{
	bool six = family == FAMILY_6;
	struct addr_set all = six ? set_of(arena, &global6, 1) : set_all(FAMILY_4);
	struct addr_set special = six ? set_of(arena, special6, sizeof special6 / sizeof *special6)
	                              : set_of(arena, special4, sizeof special4 / sizeof *special4);

	return set_without(arena, &all, &special);
}
