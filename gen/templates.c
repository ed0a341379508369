/* The templates of rules files: compiled once, checked for what is missing, rendered with values escaped for
 * iptables-restore. Refuses a folder that lacks a template that the program or another template names. */
#include "templates.h"

#include <assert.h>

#include "fleetwall/arena.h"

#define SUFFIX ".mustache"

struct named {
	struct str name; /* without the suffix */
	struct template *template;
};

struct templates {
	struct named *items;
	size_t count;
	const struct template *asked[TEMPLATE_COUNT];
};

static const char *const asked_names[TEMPLATE_COUNT] = {
	[TEMPLATE_EXCLUSIVE] = "exclusive", [TEMPLATE_COEXIST] = "coexist",     [TEMPLATE_MONITOR] = "monitor",
	[TEMPLATE_RULE] = "rule",           [TEMPLATE_LOG_CHAIN] = "log-chain",
};

static const struct template *find(void *context, struct str name)
{
	const struct templates *templates = context;

	for (size_t i = 0; i < templates->count; i++)
		if (str_eq(templates->items[i].name, name))
			return templates->items[i].template;
	return NULL;
}

/* Inside double quotes iptables-restore reads a backslash as "the next character as it is"; it knows no escape for a
 * newline, so none may come here. */
static void escape(struct buf *buf, struct str value)
{
	size_t begun = 0;

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		assert(c != '\n' && c != '\0');
		if (c != '"' && c != '\\')
			continue;
		buf_add(buf, str_slice(value, begun, i));
		buf_char(buf, '\\');
		begun = i;
	}
	buf_add(buf, str_slice(value, begun, value.n));
}

/* --- compiling --- */

struct partial_check {
	struct templates *templates;
	struct error *faults;
};

static void check_partial(void *context, struct str name, struct place place)
{
	struct partial_check *check = context;

	if (find(check->templates, name) == NULL)
		error_collect(&check->faults,
		              error_at(error_new(ERROR_INPUT, "there is no template `%.*s" SUFFIX "`", STR_ARG(name)),
		                       place));
}

static bool template_stem(struct str file, struct str *stem)
{
	size_t suffix = sizeof SUFFIX - 1;

	if (file.n <= suffix || !str_eq(str_slice(file, file.n - suffix, file.n), STR(SUFFIX)))
		return false;
	*stem = str_slice(file, 0, file.n - suffix);
	return true;
}

static struct error *compile_all(struct arena *arena, const struct template_file *files, size_t count,
                                 struct templates *templates)
{
	struct error *faults = NULL;
	struct str stem;

	templates->items = ARENA_ARRAY(arena, struct named, count);
	for (size_t i = 0; i < count; i++) {
		struct template *template = NULL;

		if (!template_stem(files[i].name, &stem))
			continue;
		error_collect(&faults, template_compile(arena, files[i].name, files[i].text, &template));
		templates->items[templates->count++] = (struct named){str_copy(arena, stem), template};
	}
	return faults;
}

struct error *templates_compile(struct arena *arena, const struct template_file *files, size_t count,
                                struct templates **templates)
{
	struct templates *made = ARENA_NEW(arena, struct templates);
	struct partial_check check = {made, NULL};

	TRY(compile_all(arena, files, count, made));
	for (size_t i = 0; i < made->count; i++)
		template_partials(made->items[i].template, check_partial, &check);
	for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
		made->asked[i] = find(made, (struct str){asked_names[i], __builtin_strlen(asked_names[i])});
		if (made->asked[i] == NULL)
			error_collect(&check.faults,
			              error_new(ERROR_INPUT, "there is no template `%s" SUFFIX "`", asked_names[i]));
	}
	*templates = made;
	return check.faults;
}

struct error *templates_render(struct arena *scratch, const struct templates *templates, enum template_name name,
                               const struct value *value, struct buf *out)
{
	const struct template_setup setup = {
		.partial = find, .context = (void *)(uintptr_t)templates, .escape = escape};

	return template_render(scratch, templates->asked[name], value, &setup, out);
}
