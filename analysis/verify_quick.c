/* Large set files, read quickly: nearly all of one are lines that add a member to the same set. Where these name
 * exactly the wanted addresses in ascending order, only what stands around them needs the reader, with one of them
 * for all. What looks otherwise in any way is left to the reader as a whole. Judges nothing: it says "the same", or
 * nothing. */
#include "fleetwall/buf.h"
#include "verifier.h"

#define ADD STR("add ")
#define MAXELEM STR("maxelem ")

/* A file in three: what stands before the members, their lines, and what stands behind them. */
struct parts {
	struct str before, members, behind;
	struct str start; /* "add NAME ", as each of these lines begins */
};

static struct str first_line(struct str text)
{
	return str_slice(text, 0, str_find(text, '\n') + 1);
}

/* "add NAME ", of a line that has something behind it. */
static struct str start_of(struct str line)
{
	size_t name = str_find(str_slice(line, ADD.n, line.n), ' ');

	return str_slice(line, 0, ADD.n + name + 1);
}

static bool cut(struct str bytes, struct parts *parts)
{
	struct str rest = bytes, line = first_line(rest);

	while (rest.n > 0 && !str_starts(line, ADD)) {
		rest = str_slice(rest, line.n, rest.n);
		line = first_line(rest);
	}
	if (rest.n == 0)
		return false;
	parts->before = str_slice(bytes, 0, bytes.n - rest.n);
	parts->start = start_of(line);
	parts->members = rest;
	while (str_starts(rest, parts->start)) {
		size_t end = str_find(rest, '\n');

		rest = str_slice(rest, end + (end < rest.n), rest.n);
	}
	parts->members = str_slice(parts->members, 0, parts->members.n - rest.n);
	parts->behind = rest;
	return true;
}

/* What stands around the members must do nothing to single ones. */
static bool is_plain(struct str rest)
{
	static const char *const commands[] = {"create ", "flush ", "swap ", "destroy "};

	while (rest.n > 0) {
		struct str line = first_line(rest);
		bool known = false;

		for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
			known = known || str_starts(line, str_of(commands[i]));
		if (!known)
			return false;
		rest = str_slice(rest, line.n, rest.n);
	}
	return true;
}

/* Which address must come next. */
struct expecting {
	const struct addr_set *wanted;
	size_t range;
	addr_bits next;
};

static bool expects(struct expecting *expecting, struct range member)
{
	const struct addr_set *wanted = expecting->wanted;
	const struct range *range = &wanted->ranges[expecting->range];

	if (expecting->range == wanted->count || member.family != wanted->family ||
	    member.first != expecting->next || member.last > range->last)
		return false;
	if (member.last < range->last) {
		expecting->next = member.last + 1;
		return true;
	}
	if (++expecting->range < wanted->count)
		expecting->next = wanted->ranges[expecting->range].first;
	return true;
}

static bool members_are(const struct parts *parts, const struct addr_set *wanted, size_t *count)
{
	struct expecting expecting = {wanted, 0, wanted->count > 0 ? wanted->ranges[0].first : 0};
	struct str rest = parts->members;

	for (*count = 0; rest.n > 0; ++*count) {
		size_t end = str_find(rest, '\n');
		struct prefix prefix;

		if (end == rest.n || prefix_parse(str_slice(rest, parts->start.n, end), &prefix) != PREFIX_OK ||
		    !expects(&expecting, prefix_range(prefix)))
			return false;
		rest = str_slice(rest, end + 1, rest.n);
	}
	return expecting.range == wanted->count;
}

/* Is there room for so many, wherever the frame speaks of room? */
static bool has_room(struct str frame, size_t count)
{
	for (size_t i = 0; i + MAXELEM.n <= frame.n; i++) {
		struct str rest = str_slice(frame, i, frame.n);
		uint64_t most;

		if (!str_starts(rest, MAXELEM))
			continue;
		rest = str_slice(rest, MAXELEM.n, rest.n);
		rest = str_slice(rest, 0, str_find(first_line(rest), '\n'));
		rest = str_slice(rest, 0, str_find(rest, ' '));
		if (!str_number(rest, UINT32_MAX, &most) || most < count)
			return false;
	}
	return true;
}

bool quick_frame(struct arena *arena, struct str bytes, const struct addr_set *wanted, struct str *frame,
                 struct addr_set *first)
{
	struct buf buf = buf_new(arena);
	struct parts parts;
	struct prefix prefix;
	struct range *range;
	struct str line;
	size_t count;

	if (!cut(bytes, &parts) || !is_plain(parts.before) || !is_plain(parts.behind) ||
	    !members_are(&parts, wanted, &count))
		return false;
	line = first_line(parts.members);
	buf_add(&buf, parts.before);
	buf_add(&buf, line);
	buf_add(&buf, parts.behind);
	*frame = buf_str(&buf);
	(void)!prefix_parse(str_slice(line, parts.start.n, line.n - 1), &prefix);
	range = ARENA_NEW(arena, struct range);
	*range = prefix_range(prefix);
	*first = (struct addr_set){wanted->family, range, 1};
	return has_room(parts.before, count) && has_room(parts.behind, count);
}
