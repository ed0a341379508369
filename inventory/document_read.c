/* Reads a document: our lexer first, then libconfig, whose tree is copied into nodes that know their places and given
 * up at once. What the fields mean is document_fleet.c; this is the one file of the inventory that knows libconfig. */
#include "fleetwall/document.h"

#include <libconfig.h>

#include "document_nodes.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* Takes one spot after the other, in step with libconfig's tree. */
struct copy {
	struct arena *scratch;
	struct document *document;
	const struct spots *spots;
	size_t next;
	bool out_of_step;
};

static bool kind_agrees(const config_setting_t *setting, enum spot_kind kind)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP: return kind == SPOT_GROUP;
	case CONFIG_TYPE_LIST: return kind == SPOT_LIST;
	case CONFIG_TYPE_ARRAY: return kind == SPOT_ARRAY;
	case CONFIG_TYPE_STRING: return kind == SPOT_STRING;
	case CONFIG_TYPE_BOOL: return kind == SPOT_BOOLEAN;
	default: return kind == SPOT_NUMBER;
	}
}

/* Most strings have no escapes, and are the document's own bytes. */
static struct str string_value(const struct copy *copy, const struct spot *spot, const config_setting_t *setting)
{
	struct str raw = str_slice(copy->document->text, spot->at + 1, spot->at + spot->n - 1);

	if (str_find(raw, '\\') == raw.n)
		return raw;
	return str_copy(copy->document->arena, str_of(config_setting_get_string(setting)));
}

static void copy_children(struct copy *copy, const config_setting_t *setting, struct node *node);

static void copy_setting(struct copy *copy, const config_setting_t *setting, struct node *node)
{
	const struct spot *spot;

	if (copy->next == copy->spots->count || !kind_agrees(setting, copy->spots->items[copy->next].kind)) {
		copy->out_of_step = true;
		return;
	}
	spot = &copy->spots->items[copy->next++];
	*node = (struct node){.spot = spot,
	                      .name = str_slice(copy->document->text, spot->name, spot->name + spot->name_n)};
	if (spot->kind == SPOT_STRING)
		node->string = string_value(copy, spot, setting);
	else if (spot->kind == SPOT_BOOLEAN)
		node->boolean = config_setting_get_bool(setting) == CONFIG_TRUE;
	else if (spot->kind != SPOT_NUMBER)
		copy_children(copy, setting, node);
}

/* The lexer saw to it that the depth is small. */
static void copy_children(struct copy *copy, const config_setting_t *setting, struct node *node)
{
	int count = config_setting_length(setting);

	node->count = (size_t)count;
	node->children = ARENA_ARRAY(copy->scratch, struct node, node->count);
	for (int i = 0; i < count && !copy->out_of_step; i++)
		copy_setting(copy, config_setting_get_elem(setting, (unsigned)i), &node->children[i]);
}

/* Where line `line` begins; libconfig knows no columns. */
static struct place line_place(const struct document *document, unsigned line)
{
	struct str rest = document->text, part = {document->text.p, 0};

	for (unsigned i = 0; i < line && str_cut(&rest, '\n', &part); i++)
		;
	return (struct place){.file = document->name, .line = line, .text = str_slice(part, 0, 4096)};
}

static struct error *libconfig_fault(const struct document *document, const config_t *config)
{
	int line = config_error_line(config);
	const char *text = config_error_text(config);

	return error_at(error_new(ERROR_INPUT, "%s", text != NULL ? text : "can't be read"),
	                line_place(document, line > 0 ? (unsigned)line : 1));
}

static struct error *copy_tree(struct arena *scratch, struct document *document, const struct spots *spots,
                               const config_t *config, struct node *root)
{
	struct copy copy = {.scratch = scratch, .document = document, .spots = spots};

	*root = (struct node){0};
	copy_children(&copy, config_root_setting(config), root);
	if (copy.out_of_step || copy.next != spots->count)
		return error_at(
			error_hint(error_new(ERROR_INPUT, "a value that libconfig reads otherwise than it looks"),
		                   "numbers are decimal digits, names are letters, digits, `-` and `_`"),
			line_place(document, copy.next < spots->count ? spots->items[copy.next].line : 1));
	return NULL;
}

/* With a newline behind it: libconfig 1.5 knows no comment that ends with the file. */
static const char *for_libconfig(struct arena *scratch, struct str text)
{
	struct buf buf = buf_new(scratch);

	buf_reserve(&buf, text.n + 2);
	buf_add(&buf, text);
	buf_add(&buf, (struct str){"\n", 2});
	return buf_str(&buf).p;
}

/* The text through libconfig, and its tree as nodes. */
static struct error *parse(struct arena *scratch, struct document *document, const struct spots *spots,
                           struct node *root)
{
	struct error *error;
	config_t config;

	config_init(&config);
	if (config_read_string(&config, for_libconfig(scratch, document->text)) == CONFIG_TRUE)
		error = copy_tree(scratch, document, spots, &config, root);
	else
		error = libconfig_fault(document, &config);
	config_destroy(&config);
	return error;
}

static void read_with(struct arena *scratch, struct document *document, struct fleet *fleet)
{
	struct spots spots = {0};
	struct node root;

	document_lex(scratch, document->name, document->text, &spots, &document->faults);
	if (faults_count(&document->faults) > 0)
		return;
	faults_add(&document->faults, parse(scratch, document, &spots, &root));
	if (faults_count(&document->faults) == 0)
		document_fleet(document, &root, fleet);
}

struct error *document_form(struct str name, struct str text)
{
	struct arena *scratch = arena_new();
	struct faults faults = {0};
	struct spots spots = {0};

	document_lex(scratch, name, text, &spots, &faults);
	arena_free(scratch);
	return faults_end(&faults);
}

struct error *document_read(struct arena *arena, struct str name, struct str text, struct fleet *fleet,
                            struct error **warnings)
{
	struct document document = {.arena = arena, .name = name, .text = text, .warnings = warnings};
	struct arena *scratch = arena_new();

	*fleet = (struct fleet){.clock = TIME_NONE};
	if (str_starts(text, STR("\xef\xbb\xbf")))
		document.text = str_slice(text, 3, text.n);
	read_with(scratch, &document, fleet);
	arena_free(scratch);
	return faults_end(&document.faults);
}
