/* The checks of single fields: free text, labels, names to connect to. They say by name what is wrong and why; they
 * know no file and no place. */
#include "fleet_fields.h"

#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define LINE_MAX_CHARACTERS 1000
#define LABEL_MAX_BYTES 255
#define SSH_HOST_MAX 253

struct str name_fold(struct arena *arena, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return str_lower(arena, s);
	return s;
}

bool boolean_parse(struct str s, bool *boolean)
{
	*boolean = word_is(s, "true");
	return *boolean || word_is(s, "false");
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static struct error *at_byte(struct error *error, size_t offset)
{
	error->place.column = (unsigned)offset + 1;
	return error;
}

/* Errors know the column within `s`. */
static struct error *bytes_check(struct str s, const char *field, bool tabs)
{
	size_t bad = str_utf8_error(s);

	for (size_t i = 0; i < s.n; i++)
		if (is_control(s.p[i]) && !(tabs && s.p[i] == '\t'))
			return at_byte(error_hint(error_new(ERROR_INPUT, "%s holds a control character (byte 0x%02x)",
			                                    field, (unsigned char)s.p[i]),
			                          "it must be one line of plain text"),
			               i);
	if (bad < s.n)
		return at_byte(error_hint(error_new(ERROR_INPUT, "%s is not valid UTF-8 (byte 0x%02x)", field,
		                                    (unsigned char)s.p[bad]), "save the text as UTF-8"), bad);
	return NULL;
}

/* Of valid UTF-8. */
static size_t characters(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return count;
}

struct error *line_check(struct str s, const char *field)
{
	TRY(bytes_check(s, field, false));
	if (characters(s) > LINE_MAX_CHARACTERS)
		return error_hint(error_new(ERROR_INPUT, "%s is longer than %d characters", field, LINE_MAX_CHARACTERS),
		                  "it has %zu", characters(s));
	return NULL;
}

struct error *rule_line_check(struct str line)
{
	size_t hash = str_find(line, '#');
	struct str comment = str_trim(str_slice(line, hash + 1, line.n));

	TRY(bytes_check(line, "rule", true));
	return hash < line.n ? line_check(comment, "the rule's comment") : NULL;
}

static struct error *label_part_check(struct str s, const char *field)
{
	TRY(bytes_check(s, field, false));
	if (s.n > LABEL_MAX_BYTES)
		return error_new(ERROR_INPUT, "%s is longer than %d bytes", field, LABEL_MAX_BYTES);
	return NULL;
}

struct error *label_check(const struct label *label)
{
	if (label->key.n == 0)
		return error_new(ERROR_INPUT, "a label has no key");
	TRY(label_part_check(label->key, "label key"));
	if (str_find(label->key, '=') < label->key.n)
		return error_new(ERROR_INPUT, "label key \"%s\" holds `=`", SHOWN(label->key));
	return error_in(label_part_check(label->value, "value"), "label \"%s\"", SHOWN(label->key));
}

static bool ssh_host_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == ':' || (c == '-' && !first);
}

struct error *ssh_host_check(struct str s)
{
	if (s.n > SSH_HOST_MAX)
		return error_new(ERROR_INPUT, "ssh_host is longer than %d bytes", SSH_HOST_MAX);
	for (size_t i = 0; i < s.n; i++)
		if (!ssh_host_byte(s.p[i], i == 0))
			return at_byte(error_hint(error_new(ERROR_INPUT,
			                                    "ssh_host \"%s\" holds a character that no host name or "
			                                    "address has",
			                                    SHOWN(s)),
			                          "letters, digits, `.`, `-`, `_` and `:`; it does not begin with `-`"),
			               i);
	return NULL;
}

struct error *role_name_check(struct str name)
{
	struct str machine = machine_of_role(name);

	return str_starts(name, STR("machine:")) ? machine_name_check(machine) : name_check(name, "role");
}

struct error *prefix_fault_error(enum prefix_fault fault, struct str text, struct prefix prefix)
{
	struct arena *scratch;
	struct error *error;

	if (fault == PREFIX_OK)
		return NULL;
	if (fault == PREFIX_BAD)
		return error_hint(error_new(ERROR_INPUT, "\"%s\" is no address or prefix", SHOWN(text)),
		                  "as in 10.0.0.0/8 or 2001:db8::/32");
	scratch = arena_new();
	error = error_hint(error_new(ERROR_INPUT, "prefix \"%s\" has host bits set", SHOWN(text)),
	                   "the prefix is %.*s", STR_ARG(prefix_str(scratch, prefix)));
	arena_free(scratch);
	return error;
}

static int label_order(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	int order = str_cmp(x->key, y->key);

	return order != 0 ? order : str_cmp(x->value, y->value);
}

struct error *labels_sort(struct label *labels, size_t *count)
{
	size_t kept = 0;

	if (*count > 1)
		qsort(labels, *count, sizeof *labels, label_order);
	for (size_t i = 0; i < *count; i++) {
		if (kept > 0 && str_eq(labels[kept - 1].key, labels[i].key)) {
			if (!str_eq(labels[kept - 1].value, labels[i].value))
				return error_new(ERROR_INPUT, "label \"%s\" is given twice, with different values",
				                 SHOWN(labels[i].key));
			continue;
		}
		labels[kept++] = labels[i];
	}
	*count = kept;
	return NULL;
}

struct error *label_cut(struct str s, struct label *label)
{
	size_t equals = str_find(s, '=');

	if (equals == s.n)
		return error_hint(error_new(ERROR_INPUT, "\"%s\" is no label", SHOWN(s)),
		                  "labels are written key=value");
	*label = (struct label){str_slice(s, 0, equals), str_slice(s, equals + 1, s.n)};
	return label_check(label);
}

struct error *hint_nearest(struct error *error, struct str word, const struct str *words, size_t count)
{
	struct str nearest = str_nearest(word, words, count);

	return nearest.n > 0 ? error_hint(error, "did you mean \"%.*s\"?", STR_ARG(nearest)) : error;
}

bool labels_same(const struct label *a, size_t a_count, const struct label *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (!str_eq(a[i].key, b[i].key) || !str_eq(a[i].value, b[i].value))
			return false;
	return true;
}
