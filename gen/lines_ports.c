/* Ports into as few multiport matches as they need. A match has 15 slots and a range takes two, so a match holds at
 * most seven ranges, and then one single port. A range of two ports may stand as two singles: it costs the same slots
 * and fills odd ones. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "lines.h"

/* What is still to be handed out: ranges of three ports and more, and ranges of one or two. */
struct supply {
	struct port_range *wide, *narrow;
	size_t wide_count, narrow_count;
};

static unsigned port_slots(struct port_range range)
{
	return range.first == range.last ? 1 : 2;
}

static struct supply sort_out(struct arena *arena, const struct port_range *ports, size_t count)
{
	struct supply supply = {ARENA_ARRAY(arena, struct port_range, count),
	                        ARENA_ARRAY(arena, struct port_range, count), 0, 0};

	for (size_t i = 0; i < count; i++)
		if (ports[i].last - ports[i].first >= 2)
			supply.wide[supply.wide_count++] = ports[i];
		else
			supply.narrow[supply.narrow_count++] = ports[i];
	return supply;
}

static int range_order(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Wide ranges first, because they can't use the odd slot; then narrow ones, the last of them split if only one slot is
 * left. */
static struct port_chunk fill_chunk(struct arena *arena, struct supply *supply)
{
	struct port_chunk chunk = {ARENA_ARRAY(arena, struct port_range, MULTIPORT_SLOTS), 0};
	unsigned left = MULTIPORT_SLOTS;

	for (; supply->wide_count > 0 && left >= 2; left -= 2, supply->wide_count--)
		chunk.ports[chunk.count++] = *supply->wide++;
	while (supply->narrow_count > 0 && left > 0) {
		struct port_range *next = supply->narrow;
		unsigned slots = port_slots(*next);

		if (slots > left) {
			chunk.ports[chunk.count++] = (struct port_range){next->first, next->first};
			next->first = next->last;
			break;
		}
		chunk.ports[chunk.count++] = *next;
		left -= slots;
		supply->narrow++;
		supply->narrow_count--;
	}
	qsort(chunk.ports, chunk.count, sizeof *chunk.ports, range_order);
	return chunk;
}

size_t ports_chunk(struct arena *arena, const struct port_range *ports, size_t count, struct port_chunk **chunks)
{
	struct supply supply = sort_out(arena, ports, count);
	size_t made = 0;

	*chunks = ARENA_ARRAY(arena, struct port_chunk,
	                      count / 7 + 1); /* every chunk but the last takes seven ranges or more */
	while (supply.wide_count > 0 || supply.narrow_count > 0)
		(*chunks)[made++] = fill_chunk(arena, &supply);
	return made;
}

struct str ports_spell(struct arena *arena, const struct port_range *ports, size_t count)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(&buf, ',');
		buf_number(&buf, ports[i].first);
		if (ports[i].last != ports[i].first) {
			buf_char(&buf, ':');
			buf_number(&buf, ports[i].last);
		}
	}
	return buf_str(&buf);
}
