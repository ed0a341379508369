/* Addresses, prefixes and ranges: text to number and back, and a range as the fewest prefixes. Both families are the
 * same arithmetic on 128 bits; only width and spelling differ. Looks no name up, and takes no lenient spelling. */
#include "fleetwall/addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

unsigned family_width(enum family family)
{
	return family == FAMILY_4 ? 32 : 128;
}

/* The number whose lowest `bits` bits are set. */
static addr_bits low_bits(unsigned bits)
{
	return bits >= 128 ? ~(addr_bits)0 : ((addr_bits)1 << bits) - 1;
}

addr_bits family_last(enum family family)
{
	return low_bits(family_width(family));
}

struct addr addr_of_bytes(enum family family, const unsigned char *bytes)
{
	struct addr addr = {.family = family};

	for (unsigned i = 0; i < family_width(family) / 8; i++)
		addr.bits = addr.bits << 8 | bytes[i];
	return addr;
}

void addr_to_bytes(struct addr addr, unsigned char *bytes)
{
	for (unsigned i = family_width(addr.family) / 8; i-- > 0; addr.bits >>= 8)
		bytes[i] = (unsigned char)(addr.bits & 0xff);
}

/* inet_pton(3) is as strict as we need: four decimal parts without leading zeros, RFC 4291 §2.2, no zone. */
bool addr_parse(struct str s, struct addr *addr)
{
	enum family family = str_find(s, ':') < s.n ? FAMILY_6 : FAMILY_4;
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (s.n == 0 || s.n >= sizeof text || str_find(s, '\0') < s.n)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(family == FAMILY_4 ? AF_INET : AF_INET6, text, bytes) != 1)
		return false;
	*addr = addr_of_bytes(family, bytes);
	return true;
}

void addr_print(struct buf *buf, struct addr addr)
{
	buf_reserve(buf, ADDR_TEXT_MAX);
	buf->n += addr_write(buf->p + buf->n, addr);
}

struct str addr_str(struct arena *arena, struct addr addr)
{
	struct buf buf = buf_new(arena);

	addr_print(&buf, addr);
	return buf_str(&buf);
}

static int bits_cmp(addr_bits a, addr_bits b)
{
	return (a > b) - (a < b);
}

int addr_cmp(struct addr a, struct addr b)
{
	return a.family != b.family ? (int)a.family - (int)b.family : bits_cmp(a.bits, b.bits);
}

enum prefix_fault prefix_parse(struct str s, struct prefix *prefix)
{
	size_t slash = str_find(s, '/');
	struct str digits = str_slice(s, slash + 1, s.n);
	addr_bits host;
	uint64_t length;

	if (!addr_parse(str_slice(s, 0, slash), &prefix->addr))
		return PREFIX_BAD;
	prefix->length = family_width(prefix->addr.family);
	if (slash == s.n)
		return PREFIX_OK;
	if (!str_number(digits, prefix->length, &length) || (digits.n > 1 && digits.p[0] == '0'))
		return PREFIX_BAD;
	host = low_bits(prefix->length - (unsigned)length) & prefix->addr.bits;
	prefix->length = (unsigned)length;
	prefix->addr.bits ^= host;
	return host == 0 ? PREFIX_OK : PREFIX_HOST_BITS;
}

void prefix_print(struct buf *buf, struct prefix prefix)
{
	addr_print(buf, prefix.addr);
	if (prefix.length == family_width(prefix.addr.family))
		return;
	buf_char(buf, '/');
	buf_number(buf, prefix.length);
}

struct str prefix_str(struct arena *arena, struct prefix prefix)
{
	struct buf buf = buf_new(arena);

	prefix_print(&buf, prefix);
	return buf_str(&buf);
}

struct range prefix_range(struct prefix prefix)
{
	addr_bits host = low_bits(family_width(prefix.addr.family) - prefix.length);

	return (struct range){prefix.addr.bits, prefix.addr.bits | host, prefix.addr.family};
}

bool range_prefix(struct range range, struct prefix *prefix)
{
	bool more = true;

	range_cut(&range, &more, prefix);
	return !more;
}

bool range_covers(struct range outer, struct range inner)
{
	return outer.family == inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

int range_cmp(struct range a, struct range b)
{
	if (a.family != b.family)
		return (int)a.family - (int)b.family;
	return a.first != b.first ? bits_cmp(a.first, b.first) : bits_cmp(a.last, b.last);
}

bool range_cut(struct range *range, bool *more, struct prefix *prefix)
{
	unsigned width = family_width(range->family), host = 0;
	addr_bits end;

	if (!*more)
		return false;
	while (host < width && (range->first & low_bits(host + 1)) == 0 &&
	       (range->first | low_bits(host + 1)) <= range->last)
		host++;
	*prefix = (struct prefix){{range->first, range->family}, width - host};
	end = range->first | low_bits(host);
	*more = end < range->last;
	if (*more)
		range->first = end + 1;
	return true;
}
