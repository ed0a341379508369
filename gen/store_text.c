/* The text of a generation's files: `manifest` and `sets`, which people and sha256sum read too, `summary`, and
 * `objects`, the digests without names, in bytes, for collecting. What is read is checked: format, order, names. Pure.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "store_disk.h"
#include "store_tree.h"

enum { HEX = 64, BEFORE_NAME = HEX + 2 };

/* --- entries: a hundred thousand lines, at the speed of copying --- */

#define DIGITS_AFTER(high)                                                                                          \
	high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9" high "a" high "b"  \
		high "c" high "d" high "e" high "f"
static const char digits[] = DIGITS_AFTER("0") DIGITS_AFTER("1") DIGITS_AFTER("2") DIGITS_AFTER("3") DIGITS_AFTER("4")
	DIGITS_AFTER("5") DIGITS_AFTER("6") DIGITS_AFTER("7") DIGITS_AFTER("8") DIGITS_AFTER("9") DIGITS_AFTER("a")
		DIGITS_AFTER("b") DIGITS_AFTER("c") DIGITS_AFTER("d") DIGITS_AFTER("e") DIGITS_AFTER("f");

static char *print_entry(char *to, const struct entry *entry)
{
	assert(disk_name_ok(entry->name));
	for (size_t i = 0; i < sizeof entry->digest.byte; i++)
		memcpy(to + 2 * i, digits + 2 * entry->digest.byte[i], 2);
	to += HEX;
	*to++ = ' ';
	*to++ = ' ';
	memcpy(to, entry->name.p, entry->name.n);
	to += entry->name.n;
	*to++ = '\n';
	return to;
}

struct str text_of_entries(struct arena *arena, const struct entry *entries, size_t count)
{
	size_t size = count * (BEFORE_NAME + 1);

	for (size_t i = 0; i < count; i++)
		size += entries[i].name.n;
	char *text = arena_raw(arena, size), *end = text;

	for (size_t i = 0; i < count; i++)
		end = print_entry(end, &entries[i]);
	return (struct str){text, size};
}

static size_t count_lines(struct str text)
{
	size_t count = 0;

	for (const char *at = text.p, *end = text.p + text.n; at < end; at++, count++) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			break;
	}
	return count;
}

static struct error *bad_line(const char *file, size_t line)
{
	return error_new(ERROR_SURROUNDINGS, "%s, line %zu: this is not what fleetwall wrote", file, line);
}

/* Cuts the next line, which must end with a newline. */
static bool cut_line(struct str *rest, struct str *line)
{
	const char *end = memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*line = (struct str){rest->p, (size_t)(end - rest->p)};
	*rest = (struct str){end + 1, rest->n - line->n - 1};
	return true;
}

/* What a hexadecimal digit stands for, plus one; 0 is none. */
static const unsigned char digit_values[256] = {
	['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool parse_digest(const char *hex, struct digest *digest)
{
	unsigned bad = 0;

	for (size_t i = 0; i < sizeof digest->byte; i++) {
		unsigned high = digit_values[(unsigned char)hex[2 * i]] - 1u;
		unsigned low = digit_values[(unsigned char)hex[2 * i + 1]] - 1u;

		bad |= high | low;
		digest->byte[i] = (unsigned char)(high << 4 | low);
	}
	return bad < 16;
}

static bool parse_entry(struct str line, struct entry *entry)
{
	if (line.n <= BEFORE_NAME || line.p[HEX] != ' ' || line.p[HEX + 1] != ' ')
		return false;
	entry->name = (struct str){line.p + BEFORE_NAME, line.n - BEFORE_NAME};
	return parse_digest(line.p, &entry->digest) && disk_name_ok(entry->name);
}

struct error *text_read_entries(struct arena *arena, const char *file, struct str text, struct entry **entries,
                                size_t *count)
{
	struct entry *parsed = ARENA_ARRAY(arena, struct entry, count_lines(text));
	size_t n = 0;
	struct str line;

	for (; text.n > 0; n++) {
		if (!cut_line(&text, &line) || !parse_entry(line, &parsed[n]) ||
		    (n > 0 && str_cmp(parsed[n - 1].name, parsed[n].name) >= 0))
			return bad_line(file, n + 1);
	}
	*entries = parsed;
	*count = n;
	return NULL;
}

/* --- the summary: lines in byte order, as every list that we write --- */

struct str text_of_summary(struct arena *arena, const struct summary *summary, const struct summary_rest *rest)
{
	struct buf buf = buf_new(arena);
	char hex[65];

	buf_format(&buf, "clock %" PRId64 "\n", summary->clock);
	buf_format(&buf, "counts %zu %zu %zu %zu\n", rest->machines, rest->sets, rest->objects[OBJECT_RULESET],
	           rest->objects[OBJECT_SET]);
	digest_hex(&rest->digest, hex);
	buf_format(&buf, "digest %s\n", hex);
	digest_hex(&rest->list, hex);
	buf_format(&buf, "list %s\n", hex);
	buf_format(&buf, "machines %zu\n", summary->machines);
	for (size_t i = 0; i < summary->role_count; i++)
		buf_format(&buf, "role %.*s %zu\n", STR_ARG(summary->roles[i].role), summary->roles[i].members);
	buf_format(&buf, "rules %zu\n", summary->rules);
	return buf_str(&buf);
}

/* A summary while it is read. */
struct reading {
	struct summary *summary;
	struct summary_rest *rest;
	unsigned seen;
};

static bool parse_clock(struct str s, int64_t *clock)
{
	bool negative = str_starts(s, STR("-"));
	uint64_t number;

	if (!str_number(negative ? str_slice(s, 1, s.n) : s, (uint64_t)INT64_MAX + negative, &number))
		return false;
	*clock = negative ? (int64_t)(0 - number) : (int64_t)number;
	return true;
}

static bool parse_size(struct str s, size_t *size)
{
	uint64_t number;

	if (!str_number(s, SIZE_MAX, &number))
		return false;
	*size = (size_t)number;
	return true;
}

static bool read_clock(struct reading *reading, struct str value)
{
	return parse_clock(value, &reading->summary->clock);
}

static bool read_digest(struct reading *reading, struct str value)
{
	return digest_parse(value, &reading->rest->digest);
}

static bool read_list(struct reading *reading, struct str value)
{
	return digest_parse(value, &reading->rest->list);
}

static bool read_machines(struct reading *reading, struct str value)
{
	return parse_size(value, &reading->summary->machines);
}

static bool read_counts(struct reading *reading, struct str value)
{
	struct summary_rest *rest = reading->rest;
	size_t *const counts[] = {&rest->machines, &rest->sets, &rest->objects[OBJECT_RULESET],
	                          &rest->objects[OBJECT_SET]};
	struct str part;

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (!str_cut(&value, ' ', &part) || !parse_size(part, counts[i]))
			return false;
	return value.p == NULL;
}

static bool read_role(struct reading *reading, struct str value)
{
	struct summary *summary = reading->summary;
	struct role_size *role = &summary->roles[summary->role_count];
	size_t blank = str_find(value, ' ');

	role->role = str_slice(value, 0, blank);
	if (blank == 0 || blank == value.n || !parse_size(str_slice(value, blank + 1, value.n), &role->members))
		return false;
	return summary->role_count++ == 0 || str_cmp(role[-1].role, role->role) < 0;
}

static bool read_rules(struct reading *reading, struct str value)
{
	return parse_size(value, &reading->summary->rules);
}

/* Each kind of line is there once, but those of roles, of which there may be thousands; they are the last but one, so
 * that a list of generations need not read them. Counts and list came later than the others: both are there, or none.
 */
enum { CLOCK, COUNTS_LINE, DIGEST, LIST, MACHINES, ROLE, RULES, LINE_KINDS };
enum { LATER = 1 << COUNTS_LINE | 1 << LIST, HEAD = 1 << CLOCK | 1 << DIGEST | 1 << MACHINES };
static const struct {
	const char *key;
	bool (*read)(struct reading *reading, struct str value);
} lines[LINE_KINDS] = {
	[CLOCK] = {"clock", read_clock}, [COUNTS_LINE] = {"counts", read_counts}, [DIGEST] = {"digest", read_digest},
	[LIST] = {"list", read_list},    [MACHINES] = {"machines", read_machines}, [ROLE] = {"role", read_role},
	[RULES] = {"rules", read_rules},
};

static bool read_line(struct reading *reading, struct str line)
{
	size_t blank = str_find(line, ' '), kind = 0;

	while (kind < LINE_KINDS && !str_is(str_slice(line, 0, blank), lines[kind].key))
		kind++;
	if (kind == LINE_KINDS || (kind != ROLE && (reading->seen & 1u << kind) != 0))
		return false;
	reading->seen |= 1u << kind;
	return lines[kind].read(reading, str_slice(line, blank + 1, line.n));
}

static struct error *check_seen(const struct reading *reading, unsigned needed)
{
	unsigned later = reading->seen & LATER;

	reading->rest->counted = later == LATER;
	if ((reading->seen & needed) != needed || (later != 0 && later != LATER))
		return error_new(ERROR_SURROUNDINGS, "summary: lines are missing");
	return NULL;
}

struct error *text_read_summary(struct arena *arena, struct str text, struct summary *summary,
                                struct summary_rest *rest)
{
	struct reading reading = {.summary = summary, .rest = rest};
	struct str line;

	*summary = (struct summary){.roles = ARENA_ARRAY(arena, struct role_size, count_lines(text))};
	*rest = (struct summary_rest){0};
	for (size_t n = 1; text.n > 0; n++)
		if (!cut_line(&text, &line) || !read_line(&reading, line))
			return bad_line("summary", n);
	return check_seen(&reading, HEAD | 1 << RULES);
}

struct error *text_read_summary_head(struct str text, int64_t *clock, struct summary_rest *rest)
{
	struct summary summary = {0};
	struct reading reading = {.summary = &summary, .rest = rest};
	struct str line;

	*rest = (struct summary_rest){0};
	for (size_t n = 1; !str_starts(text, STR("r")); n++)
		if (!cut_line(&text, &line) || !read_line(&reading, line))
			return bad_line("summary", n);
	*clock = summary.clock;
	return check_seen(&reading, HEAD);
}

/* --- objects --- */

enum { COUNTS = OBJECT_KINDS * 8 };

struct str text_of_objects(struct arena *arena, const struct object_list *list)
{
	size_t size = COUNTS;

	for (size_t kind = 0; kind < OBJECT_KINDS; kind++)
		size += list->count[kind] * sizeof(struct digest);
	unsigned char *text = arena_array(arena, size, 1, 1), *to = text + COUNTS;

	for (size_t kind = 0; kind < OBJECT_KINDS; kind++) {
		size_t bytes = list->count[kind] * sizeof(struct digest);

		for (size_t i = 0; i < 8; i++)
			text[8 * kind + i] = (unsigned char)((uint64_t)list->count[kind] >> (56 - 8 * i));
		if (bytes > 0)
			memcpy(to, list->digests[kind], bytes);
		to += bytes;
	}
	return (struct str){(const char *)text, size};
}

bool text_read_objects(struct str text, struct object_list *list)
{
	const unsigned char *bytes = (const unsigned char *)text.p;
	size_t at = COUNTS;

	if (text.n < COUNTS)
		return false;
	for (size_t kind = 0; kind < OBJECT_KINDS; kind++) {
		uint64_t count = 0;

		for (size_t i = 0; i < 8; i++)
			count = count << 8 | bytes[8 * kind + i];
		if (count > (text.n - at) / sizeof(struct digest))
			return false;
		list->count[kind] = (size_t)count;
		list->digests[kind] = (const struct digest *)(text.p + at);
		at += (size_t)count * sizeof(struct digest);
	}
	return at == text.n;
}
