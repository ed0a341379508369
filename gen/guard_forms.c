/* From lines to forms. Kept: options, matches, targets, protocols, states, rates (whether a rate loads depends on its
 * number), how many ports and ranges a list has, the family and side of a set. Left out: addresses, names of chains and
 * sets, comments, port numbers, types, dates. */
#include "guard_forms.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "guard_lines.h"

enum value_form { FORM_KEPT, FORM_SHAPE, FORM_SET, FORM_CHAIN, FORM_TARGET };

#define TEXT(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	} /* as STR(), where constants are asked for */

static const struct {
	struct str option;
	enum value_form form;
} options[] = {
	{TEXT("-A"), FORM_CHAIN},
	{TEXT("-j"), FORM_TARGET},
	{TEXT("-g"), FORM_TARGET},
	{TEXT("-p"), FORM_KEPT},
	{TEXT("-m"), FORM_KEPT},
	{TEXT("--ctstate"), FORM_KEPT},
	{TEXT("--state"), FORM_KEPT},
	{TEXT("--reject-with"), FORM_KEPT},
	{TEXT("--tcp-flags"), FORM_KEPT},
	{TEXT("--limit"), FORM_KEPT},
	{TEXT("--limit-burst"), FORM_KEPT},
	{TEXT("--hashlimit-upto"), FORM_KEPT},
	{TEXT("--hashlimit-above"), FORM_KEPT},
	{TEXT("--hashlimit-burst"), FORM_KEPT},
	{TEXT("--hashlimit-mode"), FORM_KEPT},
	{TEXT("--hashlimit-htable-expire"), FORM_KEPT},
	{TEXT("--log-level"), FORM_KEPT},
	{TEXT("--sport"), FORM_SHAPE},
	{TEXT("--sports"), FORM_SHAPE},
	{TEXT("--dport"), FORM_SHAPE},
	{TEXT("--dports"), FORM_SHAPE},
	{TEXT("--match-set"), FORM_SET},
};

/* What of a value stays when its option is in no table: that it is there. */
static bool find_option(struct str word, enum value_form *form)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (word.n == options[i].option.n && str_eq(word, options[i].option)) {
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

/* The family of a set stands in the beginning of its name. */
static void add_set(struct buf *buf, struct str name)
{
	buf_add(buf, str_slice(name, 0, 4));
	buf_char(buf, '*');
}

/* Which chains of the line its file declares. Chains have names of our own; a target that is not declared is one of the
 * kernel's, and a chain that is not declared must not be there. */
struct declarations {
	bool home, target;
};

static void add_value(struct buf *buf, struct declarations declared, enum value_form form, struct str value)
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
		buf_add(buf, guard_is_builtin_chain(value) || !declared.home ? value : STR("*"));
		return;
	case FORM_TARGET:
		buf_add(buf, guard_is_builtin_target(value) || !declared.target ? value : STR("*"));
		return;
	}
}

/* A set's side, and the second word of --tcp-flags, are no less than the first. */
static bool keeps_further(enum value_form form)
{
	return form == FORM_SET || form == FORM_KEPT;
}

struct str form_of(struct arena *arena, size_t file, struct str line, bool home_declared, bool target_declared)
{
	struct declarations declared = {home_declared, target_declared};
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
			add_value(&buf, declared, form, word);
		else
			buf_add(&buf, keeps_further(form) ? word : STR("*"));
	}
	return buf_str(&buf);
}
