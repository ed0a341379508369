/* Private to gen/: the text of a set file. */
#ifndef FLEETWALL_GEN_PRODUCE_SET_TEXT_H
#define FLEETWALL_GEN_PRODUCE_SET_TEXT_H

#include "fleetwall/addr.h"
#include "fleetwall/buf.h"

/* "add ", a name of at most 31 bytes, a blank: an address that follows has room for what is left. */
#define LEAD_ROOM 48
/* So many bytes behind the beginning of a line's address must be readable. */
#define SET_LINE_ROOM 48

struct set_text {
	struct buf *out;
	struct str ipset;
	enum family family;
	char room[LEAD_ROOM]; /* what each line that adds something begins with */
	size_t lead;          /* how long that is */
};

struct set_text set_text_new(struct buf *out, struct str ipset, enum family family);
/* `expected`: about how many lines there will be. */
void set_text_begin(struct set_text *text, size_t expected);
/* One of these. Sorted, perhaps repeated; written as the fewest prefixes. */
void set_text_numbers(struct set_text *text, const uint32_t *numbers, size_t count);
void set_text_addresses(struct set_text *text, const addr_bits *addresses, size_t count);
void set_text_ranges(struct set_text *text, const struct addr_set *ranges);
/* Or these, ascending, none touching the one before: an address that is printed already, with its newline, of at most
 * SET_LINE_ROOM bytes; and all addresses between two. */
void set_text_line(struct set_text *text, const char *address, size_t length);
void set_text_range(struct set_text *text, addr_bits first, addr_bits last);
void set_text_end(struct set_text *text);

#endif
