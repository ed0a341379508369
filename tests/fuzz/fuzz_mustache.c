/* Any bytes as a template and, behind the first 0x1e, a partial of it: refused with places inside of the text, or
 * rendered the same way twice; and what has no tag at all is rendered as it is. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/mustache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

#define TEXT(literal)                                                            \
	{                                                                        \
		.kind = VALUE_STRING, .string = { literal, sizeof(literal) - 1 } \
	}
#define NAME(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

/* Lists have one item: what doubles, doubles for ever. */
static const struct value item[] = {TEXT("item")};
static const struct member inner[] = {{NAME("a"), {.kind = VALUE_FALSE}}, {NAME("c"), TEXT("inner")}};
static const struct member members[] = {
	{NAME("a"), {.kind = VALUE_OBJECT, .members = inner, .count = 2}},
	{NAME("b"), TEXT("two\n\"lines\"")},
	{NAME("l"), {.kind = VALUE_LIST, .items = item, .count = 1}},
	{NAME("n"), {.kind = VALUE_LIST}},
	{NAME("t"), {.kind = VALUE_TRUE}},
};
static const struct value root = {.kind = VALUE_OBJECT, .members = members, .count = 5};

static const struct template *only_partial(void *context, struct str name)
{
	return str_is(name, "p") ? context : NULL;
}

static void escape(struct buf *buf, struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		buf_char(buf, value.p[i] == '"' ? '\'' : value.p[i]);
}

static struct template *compile(struct arena *arena, struct str text)
{
	struct template *template;
	struct error *error = template_compile(arena, STR("fuzz"), text, &template);

	for (const struct error *e = error; e != NULL; e = e->next) {
		demand(e->kind == ERROR_INPUT && e->message.n > 0);
		demand(e->place.line >= 1 && e->place.line <= text.n + 1 && e->place.column >= 1 &&
		       e->place.column <= text.n + 1);
		demand(e->place.text.n <= text.n);
	}
	return error == NULL ? template : NULL;
}

static struct error *render(struct arena *arena, const struct template *template, struct template *partial,
                            struct str *result)
{
	struct template_setup setup = {.partial = only_partial, .context = partial, .escape = escape};
	struct buf out = buf_new(arena);
	struct error *error = template_render(arena, template, &root, &setup, &out);

	*result = buf_str(&out);
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = {(const char *)data, size}, first, second;
	struct arena *arena = arena_new();
	struct template *template, *partial;
	struct str one, two;

	first = str_slice(all, 0, str_find(all, '\x1e'));
	second = str_slice(all, first.n + 1, all.n);
	template = compile(arena, first);
	partial = compile(arena, second);
	if (template != NULL) {
		struct error *error = render(arena, template, partial, &one);

		demand((error == NULL) == (render(arena, template, partial, &two) == NULL));
		demand(error != NULL || str_eq(one, two));
		demand(memmem(first.p, first.n, "{{", 2) != NULL || first.n == 0 || str_eq(one, first));
	}
	arena_free(arena);
	error_forget_all();
	return 0;
}
