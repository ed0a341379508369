/* IPv4 and IPv6 addresses, prefixes, ranges, and exact sets of them. Text forms are those of RFC 4291 §2.2 in and RFC
 * 5952 out, as inet_ntop(3), iptables-save(8) and PostgreSQL's inet spell them (so ::1.2.3.4 and ::ffff:1.2.3.4 are
 * mixed). */
#ifndef FLEETWALL_ADDR_H
#define FLEETWALL_ADDR_H

#include "fleetwall/str.h"

struct buf;

__extension__ typedef unsigned __int128 addr_bits;

enum family { FAMILY_4 = 4, FAMILY_6 = 6 };

/* `bits` is the address as a number, its last bit the lowest; IPv4 uses the low 32. */
struct addr {
	addr_bits bits;
	enum family family;
};

struct prefix {
	struct addr addr; /* host bits are zero */
	unsigned length;
};

/* Both ends included, of one family, first <= last. */
struct range {
	addr_bits first, last;
	enum family family;
};

unsigned family_width(enum family family); /* 32 or 128 */
addr_bits family_last(enum family family); /* the highest address */

/* No name is ever looked up; no zone (%eth0), no octal, no short forms (10.1). */
bool addr_parse(struct str s, struct addr *addr);
/* The 4 or 16 bytes in network order. */
struct addr addr_of_bytes(enum family family, const unsigned char *bytes);
void addr_to_bytes(struct addr addr, unsigned char *bytes);
void addr_print(struct buf *buf, struct addr addr);
/* Writes the text, without a NUL, where there is room for ADDR_TEXT_MAX bytes; its length. */
#define ADDR_TEXT_MAX 45
size_t addr_write(char *to, struct addr addr);
struct str addr_str(struct arena *arena, struct addr addr);
/* IPv4 before IPv6, then by number. */
int addr_cmp(struct addr a, struct addr b);

enum prefix_fault { PREFIX_OK, PREFIX_BAD, PREFIX_HOST_BITS };
/* "10.0.0.0/8", or a bare address (its full length). With PREFIX_HOST_BITS *prefix is the right one, for the hint. */
enum prefix_fault prefix_parse(struct str s, struct prefix *prefix);
/* A host's length is omitted. */
void prefix_print(struct buf *buf, struct prefix prefix);
struct str prefix_str(struct arena *arena, struct prefix prefix);
struct range prefix_range(struct prefix prefix);

/* Is the range exactly one prefix? */
bool range_prefix(struct range range, struct prefix *prefix);
bool range_covers(struct range outer, struct range inner);
/* IPv4 before IPv6, then by first address, then last. */
int range_cmp(struct range a, struct range b);
/* Cuts the largest prefix off the front: *prefix is it, *range what is left. False when nothing was left. Use:
 *     while (range_cut(&range, &more, &prefix)) …   with `bool more = true` at first. */
bool range_cut(struct range *range, bool *more, struct prefix *prefix);

/* An exact set of addresses of one family: ranges sorted, disjoint, not touching. */
struct addr_set {
	enum family family;
	struct range *ranges;
	size_t count;
};

/* From any ranges (those of the other family are passed over); they are not changed. */
struct addr_set addr_set_of(struct arena *arena, enum family family, const struct range *ranges, size_t count);
/* The first of the ranges that does not end before the address; set->count: they all do. */
size_t addr_set_place(const struct addr_set *set, addr_bits bits);
bool addr_set_has(const struct addr_set *set, struct addr addr);
bool addr_set_eq(const struct addr_set *a, const struct addr_set *b);
/* Calls `each` with every prefix of the fewest that make up the set, in order. */
void addr_set_prefixes(const struct addr_set *set, void (*each)(void *context, struct prefix prefix), void *context);

#endif
