/* From lines to forms. Kept: options, matches, targets, protocols, states, rates (whether a rate loads depends on its
 * number), how many ports and ranges a list has, the family and side of a set. Left out: addresses, names of chains and
 * sets, comments, port numbers, types, dates. */
#include "guard_forms.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "guard_lines.h"

enum value_form { FORM_KEPT, FORM_SHAPE, FORM_SET, FORM_CHAIN, FORM_TARGET };

static const struct {
	const char *option;
	enum value_form form;
} options[] = {
	{"-A", FORM_CHAIN},
	{"-j", FORM_TARGET},
	{"-g", FORM_TARGET},
	{"-p", FORM_KEPT},
	{"-m", FORM_KEPT},
	{"--ctstate", FORM_KEPT},
	{"--state", FORM_KEPT},
	{"--reject-with", FORM_KEPT},
	{"--tcp-flags", FORM_KEPT},
	{"--limit", FORM_KEPT},
	{"--limit-burst", FORM_KEPT},
	{"--hashlimit-upto", FORM_KEPT},
	{"--hashlimit-above", FORM_KEPT},
	{"--hashlimit-burst", FORM_KEPT},
	{"--hashlimit-mode", FORM_KEPT},
	{"--hashlimit-htable-expire", FORM_KEPT},
	{"--log-level", FORM_KEPT},
	{"--sport", FORM_SHAPE},
	{"--sports", FORM_SHAPE},
	{"--dport", FORM_SHAPE},
	{"--dports", FORM_SHAPE},
	{"--match-set", FORM_SET},
};

/* What of a value stays when its option is in no table: that it is there. */
static bool find_option(struct str word, enum value_form *form)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (str_is(word, options[i].option)) {
			*form = options[i].form;
			return true;
		}
	return false;
}

/* "80,443,1000:2000" is "#,#,#:#". */
static void add_shape(struct buf *buf, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		bool digit = value.p[i] >= '0' && value.p[i] <= '9',
		     before = i > 0 && value.p[i - 1] >= '0' && value.p[i - 1] <= '9';

		if (!digit)
			buf_char(buf, value.p[i]);
		else if (!before)
			buf_char(buf, '#');
	}
}

static bool is_builtin_chain(struct str name)
{
	return str_is(name, "INPUT") || str_is(name, "OUTPUT") || str_is(name, "FORWARD");
}

/* Chains have names of our own; whatever the file does not declare is a target of the kernel's. */
static bool is_own_chain(struct str rules, struct str name)
{
	struct str policy;

	return !str_is(name, "ACCEPT") && !str_is(name, "DROP") && !str_is(name, "RETURN") && !str_is(name, "LOG") &&
	       !str_is(name, "REJECT") && guard_declares(rules, name, &policy);
}

/* The family of a set stands in the beginning of its name. */
static void add_set(struct buf *buf, struct str name)
{
	buf_add(buf, str_slice(name, 0, 4));
	buf_char(buf, '*');
}

static void add_value(struct buf *buf, struct str rules, enum value_form form, struct str value)
{
	switch (form) {
	case FORM_KEPT:
		buf_add(buf, value);
		return;
	case FORM_SHAPE:
		add_shape(buf, value);
		return;
	case FORM_SET:
		add_set(buf, value);
		return;
	case FORM_CHAIN:
		buf_add(buf, is_builtin_chain(value) ? value : STR("*"));
		return;
	case FORM_TARGET:
		buf_add(buf, is_own_chain(rules, value) ? STR("*") : value);
		return;
	}
}

/* A set's side, and the second word of --tcp-flags, are no less than the first. */
static bool keeps_further(enum value_form form)
{
	return form == FORM_SET || form == FORM_KEPT;
}

struct str form_of(struct arena *arena, struct str rules, size_t file, struct str line)
{
	struct buf buf = buf_new(arena);
	struct words words;
	enum value_form form = FORM_KEPT;
	size_t values = 0; /* since the last option */
	bool known = true;

	buf_reserve(&buf, line.n + 8);
	buf_add(&buf, file == 0 ? STR("v4") : STR("v6"));
	words_of(line, &words);
	for (size_t i = 0; i < words.count; i++) {
		struct str word = words.word[i];
		bool option = !words.quoted[i] && word.n > 1 && word.p[0] == '-';

		buf_char(&buf, ' ');
		if (option || str_is(word, "!")) {
			buf_add(&buf, word);
			known = find_option(word, &form);
			values = 0;
			continue;
		}
		if (!known)
			buf_char(&buf, '*');
		else if (values++ == 0)
			add_value(&buf, rules, form, word);
		else
			buf_add(&buf, keeps_further(form) ? word : STR("*"));
	}
	return buf_str(&buf);
}

/* Lines that were met already, of one family. A large fleet has hundreds of megabytes of them, so they are not copied,
 * and hashed by words. */
struct line_set {
	struct str *slots;
	size_t count, capacity; /* a power of two, at least twice the count */
};

static uint64_t load_word(const char *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n);
	return word;
}

static uint64_t hash_line(struct str line)
{
	const uint64_t prime = 0x9e3779b97f4a7c15;
	uint64_t hash = line.n * prime;
	size_t at = 0;

	for (; at + 8 <= line.n; at += 8) {
		hash = (hash ^ load_word(line.p + at, 8)) * prime;
		hash ^= hash >> 32;
	}
	hash = (hash ^ load_word(line.p + at, line.n - at)) * prime;
	return hash ^ hash >> 29;
}

/* Where the line is, or where it belongs. */
static struct str *line_slot(const struct line_set *set, struct str line)
{
	size_t at = (size_t)hash_line(line) & (set->capacity - 1);

	while (set->slots[at].p != NULL && !str_eq(set->slots[at], line))
		at = (at + 1) & (set->capacity - 1);
	return &set->slots[at];
}

static void grow_lines(struct arena *arena, struct line_set *set)
{
	struct line_set grown = {.capacity = set->capacity == 0 ? 1024 : 2 * set->capacity, .count = set->count};

	grown.slots = ARENA_ARRAY(arena, struct str, grown.capacity);
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i].p != NULL)
			*line_slot(&grown, set->slots[i]) = set->slots[i];
	*set = grown;
}

/* False when it was there. The line must live as long as the set. */
static bool add_line(struct arena *arena, struct line_set *set, struct str line)
{
	if (2 * set->count >= set->capacity)
		grow_lines(arena, set);
	struct str *slot = line_slot(set, line);

	if (slot->p != NULL)
		return false;
	*slot = line;
	set->count++;
	return true;
}

struct met {
	struct line_set lines[2];
	struct names *forms;
};

/* Most lines are in many rulesets, so lines are asked before forms. */
static void meet(struct arena *arena, struct met *met, struct forms *forms, struct form form)
{
	uint32_t known = names_count(met->forms);

	if (!add_line(arena, &met->lines[form.file], form.line))
		return;
	form.text = form_of(arena, form.ruleset->rules[form.file], form.file, form.line);
	if (names_add(met->forms, form.text) == known)
		APPEND(arena, forms, form);
}

struct forms forms_of(struct arena *arena, const struct output *output)
{
	struct met met = {.forms = names_new(arena)};
	struct forms forms = {0};

	for (size_t i = 0; i < output->ruleset_count; i++)
		for (size_t file = 0; file < 2; file++) {
			struct form form = {.ruleset = output->rulesets[i], .file = file};
			struct str rest = form.ruleset->rules[file];

			while (guard_next_line(&rest, &form.number, &form.line))
				if (form.line.n > 0 && form.line.p[0] == '-')
					meet(arena, &met, &forms, form);
		}
	return forms;
}
