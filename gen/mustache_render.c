/* Mustache: a compiled template and a tree of values become text. Allocates nothing but what the output buffer needs:
 * contexts and indentations are linked frames on the C stack, whose depth is bounded here (partials) and by the
 * compiler (sections). */
#include <string.h>

#include "fleetwall/buf.h"
#include "mustache_nodes.h"

enum {
	PARTIALS_DEEP = 100,
	NODES_MAX = 4 * 1000 *
	            1000, /* in one rendering: what doubles at each level must end, too; 50,000 rules take 1 million */
};

/* The context stack, innermost first. */
struct frame {
	const struct value *value;
	const struct frame *outer;
};

/* What stands before each line of an indented partial; that of the partial around it comes first. */
struct indent {
	struct str text;
	const struct indent *outer;
};

struct renderer {
	const struct template_setup *setup;
	struct buf *out;
	size_t nodes;
};

/* Where a piece of template is rendered: how deep, in which context, behind which indentation. */
struct scope {
	const struct frame *top;
	const struct indent *indent;
	unsigned depth;
};

static const struct value *member_find(const struct value *object, struct str name)
{
	if (object->kind != VALUE_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->count; i++) {
		struct str candidate = object->members[i].name;

		/* The first byte saves most calls: names of one length seldom begin alike. */
		if (candidate.n == name.n && candidate.n > 0 && candidate.p[0] == name.p[0] &&
		    memcmp(candidate.p, name.p, name.n) == 0)
			return &object->members[i].value;
	}
	return NULL;
}

/* The first part is looked for through the stack, the rest only in what it gave. NULL: there is none. */
static const struct value *look_up(const struct node *node, const struct frame *top)
{
	const struct value *found = NULL;

	if (node->part_count == 0)
		return top->value;
	for (const struct frame *frame = top; frame != NULL && found == NULL; frame = frame->outer)
		found = member_find(frame->value, node->parts[0]);
	for (size_t i = 1; i < node->part_count && found != NULL; i++)
		found = member_find(found, node->parts[i]);
	return found;
}

static bool is_falsy(const struct value *value)
{
	if (value == NULL)
		return true;
	switch (value->kind) {
	case VALUE_FALSE:
		return true;
	case VALUE_STRING:
		return value->string.n == 0;
	case VALUE_LIST:
		return value->count == 0;
	case VALUE_TRUE:
	case VALUE_OBJECT:
		return false;
	}
	return true;
}

static void print_indent(struct buf *out, const struct indent *indent)
{
	if (indent == NULL)
		return;
	print_indent(out, indent->outer);
	buf_add(out, indent->text);
}

/* Text inside an indented partial: each line of the template gets the indentation, lines that come from values do not.
 */
static void print_indented(struct buf *out, const struct node *node, const struct indent *indent)
{
	struct str rest = node->text;

	if (node->line_start)
		print_indent(out, indent);
	while (rest.n > 0) {
		size_t line = str_find(rest, '\n');

		if (line < rest.n)
			line++;
		buf_add(out, str_slice(rest, 0, line));
		rest = str_slice(rest, line, rest.n);
		if (rest.n > 0)
			print_indent(out, indent);
	}
}

static void render_text(struct renderer *r, const struct node *node, const struct indent *indent)
{
	if (indent == NULL)
		buf_add(r->out, node->text);
	else
		print_indented(r->out, node, indent);
}

static void render_value(struct renderer *r, const struct node *node, const struct frame *top)
{
	const struct value *value = look_up(node, top);

	if (value == NULL || value->kind != VALUE_STRING)
		return;
	if (node->kind == NODE_RAW || r->setup->escape == NULL)
		buf_add(r->out, value->string);
	else
		r->setup->escape(r->out, value->string);
}

static struct error *render_nodes(struct renderer *r, const struct template *template, size_t from, size_t to,
                                  struct scope scope) MUST_CHECK;

static struct error *render_section(struct renderer *r, const struct template *template, size_t index,
                                    struct scope scope)
{
	const struct node *node = &template->items[index];
	const struct value *value = look_up(node, scope.top);
	struct frame frame = {.value = value, .outer = scope.top};
	struct scope inner = {.top = &frame, .indent = scope.indent, .depth = scope.depth};

	if (is_falsy(value))
		return NULL;
	if (value->kind != VALUE_LIST)
		return render_nodes(r, template, index + 1, node->end, inner);
	for (size_t i = 0; i < value->count; i++) {
		frame.value = &value->items[i];
		TRY(render_nodes(r, template, index + 1, node->end, inner));
	}
	return NULL;
}

static struct error *render_partial(struct renderer *r, const struct node *node, struct scope scope)
{
	const struct template *partial =
		r->setup->partial == NULL ? NULL : r->setup->partial(r->setup->context, node->name);
	struct indent indent = {.text = node->text, .outer = scope.indent};
	struct scope inner = {.top = scope.top, .depth = scope.depth + 1};

	if (partial == NULL)
		return NULL;
	if (inner.depth > PARTIALS_DEEP)
		return error_at(error_new(ERROR_INPUT, "partials nest more than %d deep", PARTIALS_DEEP), node->place);
	if (node->standalone)
		inner.indent = indent.text.n > 0 ? &indent : scope.indent;
	return render_nodes(r, partial, 0, partial->count, inner);
}

/* A section's body is rendered by render_section(), so it is passed over here. */
static struct error *render_nodes(struct renderer *r, const struct template *template, size_t from, size_t to,
                                  struct scope scope)
{
	for (size_t i = from; i < to;) {
		const struct node *node = &template->items[i];

		if (++r->nodes > NODES_MAX)
			return error_new(ERROR_INPUT,
			                 "templates that repeat each other: more than %d steps in one rendering",
			                 NODES_MAX);
		switch (node->kind) {
		case NODE_TEXT:
			render_text(r, node, scope.indent);
			break;
		case NODE_ESCAPED:
		case NODE_RAW:
			render_value(r, node, scope.top);
			break;
		case NODE_SECTION:
			TRY(render_section(r, template, i, scope));
			break;
		case NODE_INVERTED:
			if (is_falsy(look_up(node, scope.top)))
				TRY(render_nodes(r, template, i + 1, node->end, scope));
			break;
		case NODE_PARTIAL:
			TRY(render_partial(r, node, scope));
			break;
		}
		i = node->kind == NODE_SECTION || node->kind == NODE_INVERTED ? node->end : i + 1;
	}
	return NULL;
}

struct error *template_render(struct arena *scratch, const struct template *template, const struct value *value,
                              const struct template_setup *setup, struct buf *out)
{
	struct renderer r = {.setup = setup, .out = out};
	struct frame frame = {.value = value};

	(void)scratch; /* nothing needs it; the contract leaves room for it */
	return render_nodes(&r, template, 0, template->count, (struct scope){.top = &frame});
}
