/* Mustache: from text to a compiled template, after the official specification (comments, delimiters, interpolation,
 * inverted, partials, sections). Refuses lambdas' and inheritance's tags, names with blanks, and sections nested more
 * than 64 deep, which bounds the renderer's recursion. */
#include "mustache_nodes.h"

#include <assert.h>
#include <string.h>

#include "fleetwall/arena.h"

enum { SECTIONS_MAX = 64 };

struct compiler {
	struct arena *arena;
	struct str file, text;
	struct str open, close; /* the delimiters in force */
	size_t at;              /* what is before is compiled */
	size_t line_at;         /* where the line counted last begins */
	unsigned line;
	struct template *template;
	size_t sections[SECTIONS_MAX]; /* the nodes of those that are open */
	size_t depth;
	struct error *faults;
};

/* One tag, as found in the text: [from, to) with its delimiters. */
struct tag {
	size_t from, to;
	char sigil;      /* one of # ^ / > & { ! = or 0 for a plain variable */
	struct str name; /* trimmed */
	bool standalone;
	struct place place;
};

/* Tags come in the order of the text, so lines are counted once. */
static struct place place_at(struct compiler *c, size_t offset)
{
	for (size_t i = c->line_at; i < offset; i++)
		if (c->text.p[i] == '\n') {
			c->line++;
			c->line_at = i + 1;
		}
	struct str rest = str_slice(c->text, c->line_at, c->text.n);

	return (struct place){
		.file = c->file,
		.line = c->line,
		.column = (unsigned)(offset - c->line_at + 1),
		.text = str_slice(rest, 0, str_find(rest, '\n')),
	};
}

static void fault(struct compiler *c, struct place place, struct error *error)
{
	error_collect(&c->faults, error_at(error, place));
}

/* The offset of `word` in the text from `from` on, or text.n. */
static size_t find_word(struct str text, size_t from, struct str word)
{
	if (text.n - from < word.n)
		return text.n;
	const char *found = memmem(text.p + from, text.n - from, word.p, word.n);

	return found == NULL ? text.n : (size_t)(found - text.p);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/* Is the line blank up to `at`? *start is where it begins then. */
static bool blank_before(struct str text, size_t at, size_t *start)
{
	while (at > 0 && is_blank(text.p[at - 1]))
		at--;
	*start = at;
	return at == 0 || text.p[at - 1] == '\n';
}

/* Is the rest of the line from `at` blank? *end is the start of the next one. */
static bool blank_after(struct str text, size_t at, size_t *end)
{
	while (at < text.n && is_blank(text.p[at]))
		at++;
	if (at + 1 < text.n && text.p[at] == '\r' && text.p[at + 1] == '\n')
		at++;
	*end = at < text.n ? at + 1 : at;
	return at == text.n || text.p[at] == '\n';
}

static bool starts_line(const struct compiler *c, size_t at)
{
	return at == 0 || c->text.p[at - 1] == '\n';
}

/* Text between tags. Where a tag that stays on its line begins it, an empty text comes before: indentation goes there
 * too. */
static void add_text(struct compiler *c, size_t from, size_t to, bool tag_follows)
{
	struct node node = {
		.kind = NODE_TEXT, .line_start = starts_line(c, from), .text = str_slice(c->text, from, to)};
	struct node start = {.kind = NODE_TEXT, .line_start = true, .text = STR("")};

	if (from < to)
		APPEND(c->arena, c->template, node);
	if (tag_follows && starts_line(c, to))
		APPEND(c->arena, c->template, start);
}

/* Splits `a.b.c`; false (and a fault) where that is no name. */
static bool split_name(struct compiler *c, const struct tag *tag, struct node *node)
{
	struct str rest = tag->name, part;
	size_t count = 1;

	node->name = tag->name;
	if (str_is(tag->name, "."))
		return true;
	for (size_t i = 0; i < tag->name.n; i++)
		count += tag->name.p[i] == '.';
	struct str *parts = ARENA_ARRAY(c->arena, struct str, count);

	for (size_t i = 0; str_cut(&rest, '.', &part); i++) {
		if (part.n == 0) {
			fault(c, tag->place,
			      error_new(ERROR_INPUT, "the name \"%.*s\" has an empty part", STR_ARG(tag->name)));
			return false;
		}
		parts[i] = part;
	}
	node->parts = parts;
	node->part_count = count;
	return true;
}

static bool name_ok(struct compiler *c, const struct tag *tag)
{
	if (tag->name.n == 0) {
		fault(c, tag->place, error_new(ERROR_INPUT, "the tag has no name"));
		return false;
	}
	for (size_t i = 0; i < tag->name.n; i++)
		if (is_space(tag->name.p[i])) {
			fault(c, tag->place,
			      error_new(ERROR_INPUT, "the name \"%.*s\" has a blank in it", STR_ARG(tag->name)));
			return false;
		}
	if (tag->sigil == 0 && (tag->name.p[0] == '<' || tag->name.p[0] == '$')) {
		fault(c, tag->place,
		      error_new(ERROR_INPUT, "the tag \"%.*s\" belongs to inheritance, which is not supported",
		                STR_ARG(tag->name)));
		return false;
	}
	return true;
}

static void add_variable(struct compiler *c, const struct tag *tag)
{
	struct node node = {.kind = tag->sigil == 0 ? NODE_ESCAPED : NODE_RAW, .place = tag->place};

	if (split_name(c, tag, &node))
		APPEND(c->arena, c->template, node);
}

static void add_partial(struct compiler *c, const struct tag *tag, struct str indentation)
{
	struct node node = {
		.kind = NODE_PARTIAL,
		.standalone = tag->standalone,
		.text = indentation,
		.name = tag->name,
		.place = tag->place,
	};
	APPEND(c->arena, c->template, node);
}

static void open_section(struct compiler *c, const struct tag *tag)
{
	struct node node = {.kind = tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED, .place = tag->place};

	if (c->depth == SECTIONS_MAX) {
		fault(c, tag->place, error_new(ERROR_INPUT, "sections nest more than %d deep", SECTIONS_MAX));
		c->at = c->text.n;
		c->depth = 0;
		return;
	}
	/* A section with a bad name is still a section: its end must not be a second fault. */
	(void)split_name(c, tag, &node);
	node.name = tag->name;
	c->sections[c->depth++] = c->template->count;
	APPEND(c->arena, c->template, node);
}

static void close_section(struct compiler *c, const struct tag *tag)
{
	if (c->depth == 0) {
		fault(c, tag->place,
		      error_new(ERROR_INPUT, "no section is open that \"%.*s\" could close", STR_ARG(tag->name)));
		return;
	}
	struct node *node = &c->template->items[c->sections[--c->depth]];

	node->end = c->template->count;
	if (!str_eq(node->name, tag->name))
		fault(c, tag->place,
		      error_hint(error_new(ERROR_INPUT, "the section \"%.*s\" is closed as \"%.*s\"",
		                           STR_ARG(node->name), STR_ARG(tag->name)),
		                 "the section was opened in line %u", node->place.line));
}

/* {{=<% %>=}} */
static void set_delimiters(struct compiler *c, const struct tag *tag)
{
	size_t first = 0, second = tag->name.n;

	while (first < tag->name.n && !is_space(tag->name.p[first]))
		first++;
	while (second > first && !is_space(tag->name.p[second - 1]))
		second--;
	struct str open = str_slice(tag->name, 0, first), close = str_slice(tag->name, second, tag->name.n);
	struct str between = str_trim(str_slice(tag->name, first, second));

	if (open.n == 0 || close.n == 0 || between.n != 0 || str_find(tag->name, '=') != tag->name.n) {
		fault(c, tag->place,
		      error_hint(error_new(ERROR_INPUT, "these are no two delimiters"), "write {{=<%% %%>=}}"));
		return;
	}
	c->open = open;
	c->close = close;
}

static void add_tag(struct compiler *c, const struct tag *tag, struct str indentation)
{
	if (tag->sigil == '!')
		return;
	if (tag->sigil == '=') {
		set_delimiters(c, tag);
		return;
	}
	if (!name_ok(c, tag))
		return;
	switch (tag->sigil) {
	case '#':
	case '^':
		open_section(c, tag);
		return;
	case '/':
		close_section(c, tag);
		return;
	case '>':
		add_partial(c, tag, indentation);
		return;
	default:
		add_variable(c, tag);
	}
}

/* The tag that opens at `from`. False, with a fault, when it never ends. */
static bool read_tag(struct compiler *c, size_t from, struct tag *tag)
{
	size_t body = from + c->open.n;
	size_t skipped = body;
	struct str close = c->close;

	*tag = (struct tag){.from = from, .place = place_at(c, from)};
	while (skipped < c->text.n && is_space(c->text.p[skipped]))
		skipped++;
	if (skipped < c->text.n && strchr("#^/>&{!=", c->text.p[skipped]) != NULL && c->text.p[skipped] != '\0') {
		tag->sigil = c->text.p[skipped];
		body = skipped + 1;
	}
	if (tag->sigil == '{')
		close = str_format(c->arena, "}%.*s", STR_ARG(c->close));
	else if (tag->sigil == '=')
		close = str_format(c->arena, "=%.*s", STR_ARG(c->close));
	size_t end = find_word(c->text, body, close);

	if (end == c->text.n) {
		fault(c, tag->place,
		      error_hint(error_new(ERROR_INPUT, "the tag is not closed"), "it ends with %.*s", STR_ARG(close)));
		return false;
	}
	tag->to = end + close.n;
	tag->name = str_trim(str_slice(c->text, body, end));
	return true;
}

/* A tag alone on its line takes the line with it, unless it prints a value. */
static void compile_tag(struct compiler *c, struct tag *tag)
{
	size_t start, end;
	size_t text_end = tag->from;
	bool may_stand_alone = tag->sigil != 0 && tag->sigil != '&' && tag->sigil != '{';
	bool before = blank_before(c->text, tag->from, &start), after = blank_after(c->text, tag->to, &end);

	tag->standalone = may_stand_alone && before && after;
	if (tag->standalone)
		text_end = start;
	add_text(c, c->at, text_end, !tag->standalone);
	c->at = tag->standalone ? end : tag->to;
	add_tag(c, tag, str_slice(c->text, text_end, tag->from));
}

static void compile(struct compiler *c)
{
	while (c->at < c->text.n) {
		struct tag tag;
		size_t from = find_word(c->text, c->at, c->open);

		if (from == c->text.n || !read_tag(c, from, &tag)) {
			add_text(c, c->at, c->text.n, false);
			break;
		}
		compile_tag(c, &tag);
	}
	while (c->depth > 0) {
		const struct node *node = &c->template->items[c->sections[--c->depth]];

		fault(c, node->place,
		      error_new(ERROR_INPUT, "the section \"%.*s\" is not closed", STR_ARG(node->name)));
	}
}

struct error *template_compile(struct arena *arena, struct str name, struct str text, struct template **template)
{
	struct compiler c = {
		.arena = arena,
		.file = str_copy(arena, name),
		.text = str_copy(arena, text), /* nodes are slices of it */
		.open = STR("{{"),
		.close = STR("}}"),
		.line = 1,
		.template = ARENA_NEW(arena, struct template),
	};
	compile(&c);
	*template = c.template;
	return c.faults;
}

void template_partials(const struct template *template,
                       void (*each)(void *context, struct str name, struct place place), void *context)
{
	assert(each != NULL);
	for (size_t i = 0; i < template->count; i++)
		if (template->items[i].kind == NODE_PARTIAL)
			each(context, template->items[i].name, template->items[i].place);
}
