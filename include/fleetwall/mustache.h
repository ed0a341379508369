/* Mustache, after the official specification: variables, sections, inverted sections, comments, partials, delimiters.
 * No lambdas, no inheritance. Values are escaped by the caller's function, unless the triple mustache or & is used.
 * Pure. */
#ifndef FLEETWALL_MUSTACHE_H
#define FLEETWALL_MUSTACHE_H

#include "fleetwall/error.h"

enum value_kind { VALUE_FALSE, VALUE_TRUE, VALUE_STRING, VALUE_LIST, VALUE_OBJECT };

struct member;

/* What a template is filled with: a tree. An empty string is falsy in a section, like false and an empty list. */
struct value {
	enum value_kind kind;
	struct str string;
	const struct value *items;    /* VALUE_LIST */
	const struct member *members; /* VALUE_OBJECT */
	size_t count;
};

struct member {
	struct str name;
	struct value value;
};

struct template;

/* Faults (unclosed section, unclosed tag, …) are ERROR_INPUT with file, line, column. `name` is the file's. */
struct error *template_compile(struct arena *arena, struct str name, struct str text,
                               struct template **template) MUST_CHECK;

/* Partials are looked up by name (without ".mustache"); NULL: there is none, which renders as nothing (as the
 * specification says). */
typedef const struct template *template_partial(void *context, struct str name);
typedef void template_escape(struct buf *buf, struct str value);

struct template_setup {
	template_partial *partial; /* may be NULL */
	void *context;
	template_escape *escape; /* NULL: nothing is escaped */
};
/* Partials that nest more than 100 deep are ERROR_INPUT, and templates that would take for ever (4 million steps). */
struct error *template_render(struct arena *scratch, const struct template *template, const struct value *value,
                              const struct template_setup *setup, struct buf *out) MUST_CHECK;

/* Does some {{> partial}} of it name this? For checks of a folder of templates: calls `each` with every partial's name.
 */
void template_partials(const struct template *template,
                       void (*each)(void *context, struct str name, struct place place), void *context);

#endif
