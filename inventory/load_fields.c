/* Fields of rows as PostgreSQL's send functions write them (network order): inet_send, multirange_send, jsonb_send,
 * timestamptz_send. Nothing is guessed: what does not have the form that the type has is an error. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"

struct error *load_unreadable(const char *type)
{
	return error_new(ERROR_SURROUNDINGS, "the database sent a value of type %s that can't be read", type);
}

struct str load_text(struct arena *arena, struct str field)
{
	return field.n == 0 ? STR("") : str_copy(arena, field);
}

struct str load_word(struct loading *loading, struct str field)
{
	if (field.n == 0)
		return STR("");
	uint32_t number = names_find(loading->words, field);
	if (number == NAMES_NONE)
		number = names_keep(loading->words, str_copy(loading->arena, field));
	return names_get(loading->words, number);
}

/* Family (2 or 3), prefix length, is it a cidr, number of bytes, the bytes. */
struct error *load_inet(struct str field, struct addr *addr, unsigned *length)
{
	const unsigned char *byte = (const unsigned char *)field.p;
	enum family family = field.n == 8 ? FAMILY_4 : FAMILY_6;
	if ((field.n != 8 && field.n != 20) || byte[3] != field.n - 4 || byte[1] > family_width(family))
		return load_unreadable("inet");
	*addr = addr_of_bytes(family, byte + 4);
	*length = byte[1];
	return NULL;
}

struct error *load_time(struct str field, int64_t *time)
{
	*time = TIME_NONE;
	if (field.p == NULL)
		return NULL;
	*time = db_seconds(field);
	return *time == INT64_MIN || *time == INT64_MAX ? load_unreadable("timestamptz") : NULL;
}

/* --- int4multirange: a count; then for each range its length, flags, and the bounds, each with its length --- */

struct reader {
	struct str rest;
	bool bad;
};

static int64_t read_number(struct reader *reader, size_t size)
{
	if (reader->rest.n < size) {
		reader->bad = true;
		return 0;
	}
	struct str field = str_slice(reader->rest, 0, size);
	reader->rest = str_slice(reader->rest, size, reader->rest.n);
	return size == 1 ? (unsigned char)field.p[0] : db_int(field);
}

/* The canonical form of a discrete range is [first, last + 1). */
static struct port_range read_port_range(struct reader *reader)
{
	enum { LOWER_INCLUDED = 2, LENGTHS = 17 };
	bool sizes = read_number(reader, 4) == LENGTHS && read_number(reader, 1) == LOWER_INCLUDED &&
	             read_number(reader, 4) == 4;
	int64_t first = read_number(reader, 4);
	sizes = sizes && read_number(reader, 4) == 4;
	int64_t end = read_number(reader, 4);
	if (!sizes || first < 0 || end <= first || end > 65536)
		reader->bad = true;
	return (struct port_range){(uint16_t)first, (uint16_t)(end - 1)};
}

struct error *load_ports(struct arena *arena, struct str field, struct port_range **ports, size_t *count)
{
	*ports = NULL;
	*count = 0;
	if (field.p == NULL)
		return NULL;
	struct reader reader = {.rest = field};
	int64_t ranges = read_number(&reader, 4);
	if (reader.bad || ranges < 0 || ranges > 65536)
		return load_unreadable("int4multirange");
	*ports = ARENA_ARRAY(arena, struct port_range, (size_t)ranges);
	for (; *count < (size_t)ranges && !reader.bad; (*count)++)
		(*ports)[*count] = read_port_range(&reader);
	return reader.bad || reader.rest.n > 0 ? load_unreadable("int4multirange") : NULL;
}

/* --- jsonb: a version byte, then text as jsonb_out writes it: {"key": "value", "key": "value"} --- */

static bool skip(struct str *rest, const char *text)
{
	struct str word = str_of(text);
	if (!str_starts(*rest, word))
		return false;
	*rest = str_slice(*rest, word.n, rest->n);
	return true;
}

/* Where the string's closing quote is. */
static size_t string_end(struct str rest)
{
	size_t i = 0;
	while (i < rest.n && rest.p[i] != '"')
		i += rest.p[i] == '\\' ? 2 : 1;
	return i;
}

/* jsonb_out escapes only the quote, the backslash and control characters; the latter no label has. */
static bool unescape(struct buf *buf, struct str escaped)
{
	for (size_t i = 0; i < escaped.n; i++) {
		if (escaped.p[i] == '\\' && escaped.p[++i] != '"' && escaped.p[i] != '\\')
			return false;
		buf_char(buf, escaped.p[i]);
	}
	return true;
}

static bool read_string(struct arena *arena, struct str *rest, struct str *string)
{
	if (!skip(rest, "\""))
		return false;
	size_t end = string_end(*rest);
	if (end >= rest->n)
		return false;
	struct str escaped = str_slice(*rest, 0, end);
	*rest = str_slice(*rest, end + 1, rest->n);
	if (str_find(escaped, '\\') == escaped.n) {
		*string = str_copy(arena, escaped);
		return true;
	}
	struct buf buf = buf_new(arena);
	bool good = unescape(&buf, escaped);
	*string = buf_str(&buf);
	return good;
}

static bool read_label(struct arena *arena, struct str *rest, struct label *label)
{
	return read_string(arena, rest, &label->key) && skip(rest, ": ") && read_string(arena, rest, &label->value);
}

static int label_order(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/* Each label has four quotes, and perhaps some within its strings. */
static size_t most_labels(struct str text)
{
	size_t quotes = 0;
	for (size_t i = 0; i < text.n; i++)
		quotes += text.p[i] == '"';
	return quotes / 4;
}

struct error *load_labels(struct arena *arena, struct str field, struct label **labels, size_t *count)
{
	*labels = NULL;
	*count = 0;
	if (field.n == 0)
		return NULL;
	struct str rest = str_slice(field, 1, field.n);
	size_t most = most_labels(rest);
	struct label *list = ARENA_ARRAY(arena, struct label, most);
	size_t n = 0;
	bool good = field.p[0] == 1 && skip(&rest, "{");
	while (good && !skip(&rest, "}")) {
		good = n < most && (n == 0 || skip(&rest, ", ")) && read_label(arena, &rest, &list[n]);
		n += good;
	}
	if (!good || rest.n > 0)
		return load_unreadable("jsonb");
	if (n > 1)
		qsort(list, n, sizeof *list, label_order);
	*labels = list;
	*count = n;
	return NULL;
}

/* Machines have few distinct sets of labels, or each has its own; then the first thousands are remembered for nothing.
 */
enum { MOST_LISTS = 4096 };

struct label_lists {
	struct names *texts; /* as the server sent them */
	struct {
		struct label *labels;
		size_t count;
	} of[MOST_LISTS]; /* by the number of the text */
};

struct error *load_label_list(struct loading *loading, struct str field, struct label **labels, size_t *count)
{
	if (loading->labels == NULL) {
		loading->labels = ARENA_NEW(loading->scratch, struct label_lists);
		loading->labels->texts = names_new(loading->scratch);
	}
	struct label_lists *lists = loading->labels;
	uint32_t number = names_find(lists->texts, field);
	if (number == NAMES_NONE) {
		TRY(load_labels(loading->arena, field, labels, count));
		if (names_count(lists->texts) == MOST_LISTS)
			return NULL;
		number = names_add(lists->texts, field);
		lists->of[number].labels = *labels;
		lists->of[number].count = *count;
	}
	*labels = lists->of[number].labels;
	*count = lists->of[number].count;
	return NULL;
}
