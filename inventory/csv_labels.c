/* Reads labels and selectors of a CSV cell: a JSON object, or key=value separated by semicolons, with blanks around.
 * One of the two places where the inventory knows JSON text; the library's values end here. */
#include "csv_labels.h"

#include <jansson.h>
#include <string.h>

#include "fleet_fields.h"
#include "fleetwall/arena.h"

static struct error *json_fault(const json_error_t *fault)
{
	struct error *error =
		error_hint(error_new(ERROR_INPUT, "this is no JSON object: %s", SHOWN(str_of(fault->text))),
	                   "as in {\"env\":\"prod\"}");

	error->place.column = fault->position > 0 ? (unsigned)fault->position : 1;
	return error;
}

static struct error *member(struct arena *arena, const char *key, json_t *value, struct label *label)
{
	if (!json_is_string(value))
		return error_hint(error_new(ERROR_INPUT, "label \"%s\" is no string", SHOWN(str_of(key))),
		                  "write its value in quotes");
	label->key = str_copy(arena, str_of(key));
	label->value = str_copy(arena, (struct str){json_string_value(value), json_string_length(value)});
	return label_check(label);
}

static struct error *members(struct arena *arena, json_t *object, struct label **labels, size_t *count)
{
	struct error *errors = NULL;
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return error_hint(error_new(ERROR_INPUT, "labels are a JSON object"), "as in {\"env\":\"prod\"}");
	*labels = ARENA_ARRAY(arena, struct label, json_object_size(object));
	*count = 0;
	json_object_foreach(object, key, value)
		error_collect(&errors, member(arena, key, value, &(*labels)[(*count)++]));
	return errors;
}

static struct error *of_json(struct arena *arena, struct str cell, struct label **labels, size_t *count)
{
	struct error *errors;
	json_error_t fault;
	json_t *object = json_loadb(cell.p, cell.n, JSON_REJECT_DUPLICATES, &fault);

	if (object == NULL)
		return json_fault(&fault);
	errors = members(arena, object, labels, count);
	json_decref(object);
	return errors;
}

static struct error *of_pairs(struct arena *arena, struct str cell, struct label **labels, size_t *count)
{
	struct str rest = cell, part;
	struct error *errors = NULL;
	size_t parts = 1;

	for (size_t i = 0; i < cell.n; i++)
		parts += cell.p[i] == ';';
	*labels = ARENA_ARRAY(arena, struct label, parts);
	*count = 0;
	while (str_cut(&rest, ';', &part)) {
		part = str_trim(part);
		if (part.n > 0)
			error_collect(&errors, label_cut(part, &(*labels)[(*count)++]));
	}
	/* A selector without labels is everybody: nobody says that with blanks. */
	return errors == NULL && *count == 0 ? label_cut(cell, *labels) : errors;
}

struct error *csv_labels(struct arena *arena, struct str cell, struct label **labels, size_t *count)
{
	struct str trimmed = str_trim(cell);

	if (trimmed.n > 0 && strchr("{[\"", trimmed.p[0]) != NULL)
		TRY(of_json(arena, cell, labels, count));
	else
		TRY(of_pairs(arena, cell, labels, count));
	return labels_sort(*labels, count);
}
