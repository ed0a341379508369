/* A set file (SPEC §5): a second set is filled and swapped in, so that the live one is never half full. A killed run
 * may have left the second one, hence the flush. Addresses come sorted, so prefixes are found in one pass. */
#include "produce_set_text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Part of what a live set is, so one constant: a set of another maxelem could not be created over it. */
#define MAXELEM "4294967295"

/* A line that adds a prefix: its lead, an address, a length, a newline. */
#define LINE_MAX(text) ((text)->lead + ADDR_TEXT_MAX + 5)
_Static_assert(SET_LINE_ROOM <= ADDR_TEXT_MAX + 5 && SET_LINE_ROOM > ADDR_TEXT_MAX, "a line that is copied has room");
/* Most addresses, with their newline, are no longer. */
#define SET_LINE_FIRST 32
/* Most lines are shorter. */
#define LINE_USUAL(text) ((text)->lead + ((text)->family == FAMILY_4 ? 16 : 32))

struct set_text set_text_new(struct buf *out, struct str ipset, enum family family)
{
	struct set_text text = {.out = out, .ipset = ipset, .family = family};
	int length = snprintf(text.room, sizeof text.room, "add %.*s.n ", STR_ARG(ipset));

	assert(length > 0 && (size_t)length < sizeof text.room);
	text.lead = (size_t)length;
	return text;
}

void set_text_begin(struct set_text *text, size_t expected)
{
	const char *name = text->family == FAMILY_4 ? "inet" : "inet6";
	struct buf *out = text->out;

	buf_reserve(out, expected * LINE_USUAL(text) + 512);
	buf_format(out, "create %.*s hash:net family %s maxelem " MAXELEM "\n", STR_ARG(text->ipset), name);
	buf_format(out, "create %.*s.n hash:net family %s maxelem " MAXELEM "\n", STR_ARG(text->ipset), name);
	buf_format(out, "flush %.*s.n\n", STR_ARG(text->ipset));
}

void set_text_end(struct set_text *text)
{
	buf_format(text->out, "swap %.*s %.*s.n\n", STR_ARG(text->ipset), STR_ARG(text->ipset));
	buf_format(text->out, "destroy %.*s.n\n", STR_ARG(text->ipset));
}

/* Gives where the address goes. */
static inline char *begin_lead(struct set_text *text)
{
	struct buf *out = text->out;
	char *to;

	if (out->capacity - out->n < LINE_MAX(text))
		buf_reserve(out, LINE_MAX(text));
	to = out->p + out->n;
	memcpy(to, text->room, LEAD_ROOM); /* of a fixed size, which takes no call; what is too much is written over */
	return to + text->lead;
}

static char *begin_line(struct set_text *text, addr_bits bits)
{
	char *to = begin_lead(text);

	return to + addr_write(to, (struct addr){bits, text->family});
}

static void end_line(struct set_text *text, char *to)
{
	*to++ = '\n';
	text->out->n = (size_t)(to - text->out->p);
}

static void add_host(struct set_text *text, addr_bits bits)
{
	end_line(text, begin_line(text, bits));
}

static void add_length(struct set_text *text, addr_bits bits, unsigned length)
{
	char *to = begin_line(text, bits);

	*to++ = '/';
	if (length >= 100)
		*to++ = '1';
	if (length >= 10)
		*to++ = (char)('0' + length / 10 % 10);
	*to++ = (char)('0' + length % 10);
	end_line(text, to);
}

static void add_prefix(void *context, struct prefix prefix)
{
	struct set_text *text = context;
	unsigned width = family_width(text->family);

	if (prefix.length == width) {
		add_host(text, prefix.addr.bits);
	} else if (prefix.length == 0) { /* hash:net holds no /0 */
		add_length(text, 0, 1);
		add_length(text, (addr_bits)1 << (width - 1), 1);
	} else {
		add_length(text, prefix.addr.bits, prefix.length);
	}
}

void set_text_line(struct set_text *text, const char *address, size_t length)
{
	char *to = begin_lead(text);

	memcpy(to, address, SET_LINE_FIRST);
	if (length > SET_LINE_FIRST)
		memcpy(to + SET_LINE_FIRST, address + SET_LINE_FIRST, SET_LINE_ROOM - SET_LINE_FIRST);
	text->out->n += text->lead + length;
}

void set_text_range(struct set_text *text, addr_bits first, addr_bits last)
{
	struct range range = {first, last, text->family};
	struct prefix prefix;
	bool more = true;

	if (first == last) {
		add_host(text, first);
		return;
	}
	while (range_cut(&range, &more, &prefix))
		add_prefix(text, prefix);
}

void set_text_numbers(struct set_text *text, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0, next; i < count; i = next) {
		uint32_t last = numbers[i];

		for (next = i + 1; next < count && numbers[next] - last <= 1; next++)
			last = numbers[next];
		set_text_range(text, numbers[i], last);
	}
}

void set_text_addresses(struct set_text *text, const addr_bits *addresses, size_t count)
{
	for (size_t i = 0, next; i < count; i = next) {
		addr_bits last = addresses[i];

		for (next = i + 1; next < count && addresses[next] - last <= 1; next++)
			last = addresses[next];
		set_text_range(text, addresses[i], last);
	}
}

void set_text_ranges(struct set_text *text, const struct addr_set *ranges)
{
	addr_set_prefixes(ranges, add_prefix, text);
}
