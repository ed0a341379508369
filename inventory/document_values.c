/* The values of a document: places and faults, groups by their tables, words, labels, rules. What all kinds of objects
 * share; the objects themselves are document_fleet.c. */
#include "document_values.h"

#include "fleet_fields.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* --- places and faults --- */

/* The offset in the document of byte `offset` of a string's value: escapes are longer than what they stand for. */
static size_t raw_offset(struct str text, const struct spot *spot, size_t offset)
{
	size_t at = spot->at + 1, end = spot->at + spot->n - 1;

	for (; offset > 0 && at < end; offset--) {
		char next = at + 1 < end ? text.p[at + 1] : '\0';

		if (text.p[at] != '\\')
			at++;
		else if (next == 'x' || next == 'X')
			at += 4;
		else
			at += str_find(STR("nrtfabv\\\""), next) < 9 ? 2 : 1;
	}
	return at < end ? at : end;
}

static struct place place_at(const struct reader *reader, const struct node *node, size_t at)
{
	const struct document *document = reader->document;
	size_t from = node->spot->line_start;

	return place_in(document->name, document->text, from, node->spot->line, at);
}

struct place node_place(const struct reader *reader, const struct node *node)
{
	return place_at(reader, node, node->spot->at);
}

struct place node_name_place(const struct reader *reader, const struct node *node)
{
	struct place place = node_place(reader, node);
	const struct spot *spot = node->spot;

	/* `name =` and its value may stand in different lines; the name is what counts. */
	if (spot->name_n > 0 && spot->name >= spot->line_start)
		place.column = (unsigned)(spot->name - spot->line_start) + 1;
	return place;
}

/* Errors whose columns, if they know one, count within the node's string. */
void node_fault(struct reader *reader, const struct node *node, struct error *errors)
{
	for (struct error *e = errors; e != NULL; e = e->next) {
		size_t offset = e->place.column > 0 ? e->place.column - 1 : 0;
		size_t at = node->spot->kind != SPOT_STRING ? node->spot->at :
		            raw_offset(reader->document->text, node->spot, offset);
		struct place place = place_at(reader, node, at);

		e->place = (struct place){.line = place.line, .column = place.column, .text = place.text};
	}
	faults_add(&reader->document->faults, error_at(errors, node_place(reader, node)));
}

static const char *kind_word(const struct node *node)
{
	switch (node->spot->kind) {
	case SPOT_STRING: return "a string";
	case SPOT_NUMBER: return "a number";
	case SPOT_BOOLEAN: return "true or false";
	case SPOT_GROUP: return "a group { … }";
	case SPOT_LIST: return "a list ( … )";
	case SPOT_ARRAY: return "an array [ … ]";
	}
	return "";
}

void node_wrong_kind(struct reader *reader, const struct node *node, const char *wanted, const char *example)
{
	struct error *error;

	if (node->name.n > 0)
		error = error_new(ERROR_INPUT, "%s is %s, not %s", SHOWN(node->name), wanted, kind_word(node));
	else
		error = error_new(ERROR_INPUT, "%s was expected, not %s", wanted, kind_word(node));
	faults_add(&reader->document->faults, error_at(error_hint(error, "%s", example), node_place(reader, node)));
}

bool node_is_string(struct reader *reader, const struct node *node, const char *example)
{
	if (node->spot->kind == SPOT_STRING)
		return true;
	node_wrong_kind(reader, node, "a string", example);
	return false;
}

bool node_is_list(struct reader *reader, const struct node *node, const char *example)
{
	if (node->spot->kind == SPOT_LIST || node->spot->kind == SPOT_ARRAY)
		return true;
	node_wrong_kind(reader, node, "a list", example);
	return false;
}

/* --- groups by their tables --- */

static const struct field *find_field(const struct field *fields, struct str name)
{
	for (; fields->name != NULL; fields++)
		if (str_is(name, fields->name))
			return fields;
	return NULL;
}

static void unknown_field(struct reader *reader, const struct field *fields, const struct node *node, const char *kind)
{
	struct str words[16];
	size_t count = 0;
	struct buf buf = buf_new(reader->arena);
	struct error *error = error_new(ERROR_INPUT, "unknown field \"%s\" of a %s", SHOWN(node->name), kind);

	for (; fields[count].name != NULL; count++) {
		words[count] = str_of(fields[count].name);
		buf_format(&buf, "%s%s", count > 0 ? ", " : "", fields[count].name);
	}
	error = error_hint(error, "a %s has: %.*s", kind, STR_ARG(buf_str(&buf)));
	error = hint_nearest(error, node->name, words, count);
	faults_add(&reader->document->faults, error_at(error, node_name_place(reader, node)));
}

/* Reads the fields of a group into `object`; the bits of those that are there. A group without its first field, the
 * name, gives a fault. */
unsigned node_group(struct reader *reader, const struct node *node, const struct field *fields, const char *kind,
                    void *object)
{
	unsigned given = 0;
	bool named = false;

	for (size_t i = 0; i < node->count; i++) {
		const struct node *child = &node->children[i];
		const struct field *field = find_field(fields, child->name);

		if (field == NULL) {
			unknown_field(reader, fields, child, kind);
			continue;
		}
		named = named || field == fields;
		given |= field->given;
		field->read(reader, child, object);
	}
	if (!named)
		faults_add(&reader->document->faults,
		           error_at(error_new(ERROR_INPUT, "this %s has no field \"%s\"", kind, fields->name),
		                    node_place(reader, node)));
	return given;
}

/* --- fields that several kinds have --- */

struct str node_line(struct reader *reader, const struct node *node, const char *field)
{
	struct error *error;

	if (!node_is_string(reader, node, "write it in quotes"))
		return STR("");
	error = line_check(node->string, field);
	node_fault(reader, node, error);
	return error == NULL ? node->string : STR("");
}

/* The folded name, or empty after a fault. */
struct str node_checked(struct reader *reader, const struct node *node, struct str name, struct error *error)
{
	node_fault(reader, node, error);
	return error == NULL ? name : STR("");
}

struct str node_name(struct reader *reader, const struct node *node)
{
	return node_is_string(reader, node, "write the name in quotes") ? name_fold(reader->arena, node->string)
	                                                                : STR("");
}

bool node_boolean(struct reader *reader, const struct node *node, bool otherwise)
{
	if (node->spot->kind == SPOT_BOOLEAN)
		return node->boolean;
	node_wrong_kind(reader, node, "true or false", "write true or false without quotes");
	return otherwise;
}

void node_unknown_word(struct reader *reader, const struct node *node, const char *field, const struct str *words,
                       size_t count)
{
	struct error *error = error_new(ERROR_INPUT, "%s can't be \"%s\"", field, SHOWN(node->string));
	struct buf buf = buf_new(reader->arena);

	for (size_t i = 0; i < count; i++)
		buf_format(&buf, "%s%.*s", i > 0 ? ", " : "", STR_ARG(words[i]));
	error = error_hint(error, "it is one of: %.*s", STR_ARG(buf_str(&buf)));
	node_fault(reader, node, hint_nearest(error, node->string, words, count));
}

static bool label_of_group(struct reader *reader, const struct node *node, struct label *label)
{
	struct error *error;

	if (!node_is_string(reader, node, "write the value of a label in quotes"))
		return false;
	*label = (struct label){node->name, node->string};
	error = label_check(label);
	node_fault(reader, node, error);
	return error == NULL;
}

static bool label_of_string(struct reader *reader, const struct node *node, struct label *label)
{
	struct error *error;

	if (!node_is_string(reader, node, "write \"key=value\""))
		return false;
	error = label_cut(node->string, label);
	node_fault(reader, node, error);
	return error == NULL;
}

/* A group, or a list of "key=value". */
void node_labels(struct reader *reader, const struct node *node, struct label **labels, size_t *count)
{
	bool group = node->spot->kind == SPOT_GROUP;
	struct error *error;
	size_t kept = 0;

	if (!group && !node_is_list(reader, node, "write { env = \"prod\"; } or [ \"env=prod\" ]"))
		return;
	*labels = ARENA_ARRAY(reader->arena, struct label, node->count);
	for (size_t i = 0; i < node->count; i++)
		kept += group ? label_of_group(reader, &node->children[i], &(*labels)[kept]) :
		                label_of_string(reader, &node->children[i], &(*labels)[kept]);
	error = labels_sort(*labels, &kept);
	*count = error == NULL ? kept : 0;
	node_fault(reader, node, error);
}

/* --- rules --- */

static void read_rule_text(struct reader *reader, const struct node *node, void *object)
{
	struct role_rule *rule = object;
	struct error *errors, *warnings = NULL;
	bool stored = false;

	if (!node_is_string(reader, node, "write the rule in quotes"))
		return;
	rule->place = place_at(reader, node, node->spot->at + 1);
	errors = rule_line_check(node->string);
	if (errors == NULL)
		errors = rule_parse(reader->arena, node->string, &rule->rule, &stored, &warnings);
	for (struct error *e = warnings; e != NULL; e = e->next) {
		size_t column = e->place.column;
		struct place place = place_at(
			reader, node, raw_offset(reader->document->text, node->spot, column > 0 ? column - 1 : 0));

		e->place = (struct place){.line = place.line, .column = place.column};
	}
	error_collect(reader->document->warnings, error_at(warnings, rule->place));
	if (errors == NULL && stored)
		rule->text = rule_text(reader->arena, &rule->rule);
	node_fault(reader, node, errors);
}

static void read_rule_ticket(struct reader *reader, const struct node *node, void *object)
{
	((struct role_rule *)object)->ticket = node_line(reader, node, "ticket");
}

static void read_rule_owner(struct reader *reader, const struct node *node, void *object)
{
	((struct role_rule *)object)->owner = node_line(reader, node, "owner");
}

static void read_rule_enabled(struct reader *reader, const struct node *node, void *object)
{
	((struct role_rule *)object)->enabled = node_boolean(reader, node, true);
}

static const struct field rule_fields[] = {
	{"rule", 0, read_rule_text},
	{"ticket", 0, read_rule_ticket},
	{"owner", 0, read_rule_owner},
	{"enabled", 0, read_rule_enabled},
	{0},
};

void node_rules(struct reader *reader, const struct node *node, struct role *role)
{
	if (!node_is_list(reader, node, "write [ \"allow 22/tcp\" ]"))
		return;
	role->rules = ARENA_ARRAY(reader->arena, struct role_rule, node->count);
	for (size_t i = 0; i < node->count; i++) {
		const struct node *child = &node->children[i];
		struct role_rule rule = {.enabled = true};

		if (child->spot->kind == SPOT_GROUP)
			node_group(reader, child, rule_fields, "rule", &rule);
		else
			read_rule_text(reader, child, &rule);
		if (rule.text.n > 0)
			role->rules[role->rule_count++] = rule;
	}
}

