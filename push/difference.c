/* How a set file differs from the one before: lines that go and lines that come, in one pass over both. Members stand
 * in the order of their addresses; were they not, the difference would be longer and still right. No I/O. */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/bundle.h"

/* A set file (SPEC §5): three lines, members, two lines. */
struct set_text {
	struct str head, members, tail;
	struct str lead; /* of each line of a member: "add fw4-web-0.n " */
};

enum { HEAD_LINES = 3, TAIL_LINES = 2 };

/* Where line number `count` ends, or 0. */
static size_t end_of_line(struct str text, size_t count)
{
	size_t at = 0;

	while (count-- > 0) {
		size_t end = str_find(str_slice(text, at, text.n), '\n');

		if (at + end >= text.n)
			return 0;
		at += end + 1;
	}
	return at;
}

/* Where the last `count` lines begin, or text.n if there are not so many whole ones. */
static size_t begin_of_tail(struct str text, size_t count)
{
	size_t at = text.n;

	if (at == 0 || text.p[at - 1] != '\n')
		return text.n;
	while (count-- > 0) {
		if (at == 0)
			return text.n;
		for (at--; at > 0 && text.p[at - 1] != '\n'; at--)
			;
	}
	return at;
}

static bool set_text_of(struct arena *arena, struct str text, struct set_text *set)
{
	size_t head = end_of_line(text, HEAD_LINES), tail = begin_of_tail(text, TAIL_LINES);
	size_t flush = end_of_line(text, HEAD_LINES - 1);

	if (head == 0 || tail == text.n || tail < head)
		return false;
	set->head = str_slice(text, 0, head);
	set->members = str_slice(text, head, tail);
	set->tail = str_slice(text, tail, text.n);
	if (!str_starts(str_slice(text, flush, head), STR("flush ")))
		return false;
	set->lead = str_format(arena, "add %.*s ", STR_ARG(str_slice(text, flush + 6, head - 1)));
	return true;
}

/* One side of the pass. */
struct side {
	struct str lead, rest; /* `rest` begins with `line` */
	struct str line;       /* without the newline */
	struct prefix prefix;
	bool parsed, odd; /* odd: not a line of a member */
};

static void look(struct side *side)
{
	side->line = str_slice(side->rest, 0, str_find(side->rest, '\n'));
	side->parsed = false;
	side->odd = side->odd || (side->rest.n > 0 && !str_starts(side->line, side->lead));
}

static void step(struct side *side)
{
	side->rest = str_slice(side->rest, side->line.n + 1, side->rest.n);
	look(side);
}

static struct str member_of(const struct side *side)
{
	return str_slice(side->line, side->lead.n, side->line.n);
}

static void parse(struct side *side)
{
	if (!side->parsed && prefix_parse(member_of(side), &side->prefix) == PREFIX_BAD)
		side->odd = true;
	side->parsed = true;
}

/* Whose line comes first? Only asked where they are not the same. */
static int order_of(struct side *old, struct side *new)
{
	int order;

	if (old->rest.n == 0)
		return 1;
	if (new->rest.n == 0)
		return -1;
	parse(old);
	parse(new);
	if (old->odd || new->odd)
		return 0;
	order = addr_cmp(old->prefix.addr, new->prefix.addr);
	return order != 0 ? order : -1; /* another length: the old one goes, the new one comes */
}

/* The one pass. It ends early where the lines get longer than what they save. */
static bool differ(struct side *old, struct side *new, struct buf *lines, size_t most, size_t *count)
{
	size_t number = HEAD_LINES; /* of the last old line that is behind us */

	look(old);
	look(new);
	while (!old->odd && !new->odd && lines->n < most && (old->rest.n > 0 || new->rest.n > 0)) {
		int order = old->rest.n > 0 && str_eq(old->line, new->line) ? 0 : order_of(old, new);

		if (old->odd || new->odd)
			break;
		if (order > 0) {
			buf_format(lines, "+%zu %.*s\n", number, STR_ARG(member_of(new)));
			step(new);
		} else {
			number++;
			if (order < 0)
				buf_format(lines, "-%zu\n", number);
			else
				step(new);
			step(old);
		}
		*count += order != 0;
	}
	return !old->odd && !new->odd && lines->n < most;
}

bool set_difference(struct str before, struct str after, struct buf *lines, size_t *count)
{
	struct set_text old, new;
	size_t begin = lines->n;

	*count = 0;
	if (!set_text_of(lines->arena, before, &old) || !set_text_of(lines->arena, after, &new) ||
	    !str_eq(old.head, new.head) || !str_eq(old.tail, new.tail))
		return false;
	struct side from = {.lead = old.lead, .rest = old.members}, to = {.lead = new.lead, .rest = new.members};

	if (differ(&from, &to, lines, begin + after.n, count))
		return true;
	lines->n = begin;
	return false;
}
