/* The JSON of `aws ec2 describe-security-groups`, `describe-instances` and `describe-network-interfaces` becomes a
 * fleet (SPEC §4). Here: which things the files hold, each once, in the order of their ids, so that the order of the
 * files changes nothing. What things mean is said in aws_groups.c and the others. */
#include "aws.h"

#include <stdlib.h>

#include "fleetwall/arena.h"

/* --- pages --- */

static struct error *not_of_aws(struct str file, const char *what)
{
	struct error *error = error_new(ERROR_INPUT, "%s", what);

	error = error_hint(error, "files hold the JSON of aws ec2 describe-security-groups, describe-instances or "
	                          "describe-network-interfaces");
	return error_at(error, (struct place){.file = file});
}

/* The elements of page[key] that have an id. */
static void take_things(struct aws *aws, struct str file, const json_t *list, const char *key, const char *id_key,
                        struct aws_things *things)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct aws_thing thing = {.json = json_array_get(list, i), .file = file};
		struct str id = foreign_member(thing.json, id_key);

		if (!foreign_id_valid(id)) {
			foreign_left_out(&aws->foreign, file, "element %zu of %s: it has no valid %s", i, key, id_key);
			continue;
		}
		thing.id = str_copy(aws->foreign.arena, id);
		APPEND(aws->foreign.arena, things, thing);
	}
}

static void take_reservations(struct aws *aws, struct str file, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *instances = json_object_get(json_array_get(list, i), "Instances");

		if (json_is_array(instances))
			take_things(aws, file, instances, "Instances", "InstanceId", &aws->instances);
		else
			foreign_left_out(&aws->foreign, file,
			                 "element %zu of Reservations: it has no list of Instances", i);
	}
}

static const char *const page_keys[] = {"SecurityGroups", "Reservations", "NetworkInterfaces"};
#define PAGE_KEYS (sizeof page_keys / sizeof *page_keys)

/* Of a page, what is none of the lists: says whether there is more of it. */
static void pass_over(struct aws *aws, struct str file, const char *key, const json_t *value)
{
	struct str name = str_of(key);

	for (size_t i = 0; i < PAGE_KEYS; i++)
		if (str_is(name, page_keys[i]))
			return;
	if (str_is(name, "NextToken") && foreign_str(value).n > 0)
		foreign_left_out(&aws->foreign, file, "what follows: NextToken says that this is one page of several");
	else if (!str_is(name, "NextToken") && !str_is(name, "ResponseMetadata"))
		foreign_made_right(&aws->foreign, file, "%s is passed over: it is not read from here", SHOWN(name));
}

static void take_list(struct aws *aws, struct str file, const char *key, const json_t *list)
{
	if (str_is(str_of(key), "Reservations"))
		take_reservations(aws, file, list);
	else if (str_is(str_of(key), "SecurityGroups"))
		take_things(aws, file, list, key, "GroupId", &aws->groups);
	else
		take_things(aws, file, list, key, "NetworkInterfaceId", &aws->interfaces);
}

static struct error *take_page(struct aws *aws, struct str file, json_t *page)
{
	bool known = false;
	const char *key;
	json_t *value;

	for (size_t i = 0; i < PAGE_KEYS; i++) {
		const json_t *list = json_object_get(page, page_keys[i]);

		if (list == NULL)
			continue;
		known = true;
		if (!json_is_array(list))
			return not_of_aws(file, "what it has by the name of a list is no list");
		take_list(aws, file, page_keys[i], list);
	}
	if (!known)
		return not_of_aws(file, "there is neither SecurityGroups nor Reservations nor NetworkInterfaces in it");
	json_object_foreach(page, key, value)
		pass_over(aws, file, key, value);
	return NULL;
}

/* A value is a page, or a list of pages. */
static struct error *take_pages(struct aws *aws, const struct foreign_values *values)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < values->count; i++) {
		json_t *json = values->items[i].json;

		if (!json_is_array(json))
			error_collect(&errors, take_page(aws, values->items[i].file, json));
		else if (json_array_size(json) == 0)
			error_collect(&errors, not_of_aws(values->items[i].file, "the list is empty"));
		for (size_t j = 0; json_is_array(json) && j < json_array_size(json); j++) {
			struct error *error = take_page(aws, values->items[i].file, json_array_get(json, j));

			error_collect(&errors, error);
			if (error != NULL)
				break;
		}
	}
	return errors;
}

/* --- things --- */

/* Of the same id: by content, so that which one counts does not depend on the order of the files. */
static int thing_order(const void *a, const void *b)
{
	const struct aws_thing *x = a, *y = b;
	int order = str_cmp(x->id, y->id);

	if (order == 0 && !json_equal(x->json, y->json)) {
		char *left = json_dumps(x->json, JSON_SORT_KEYS | JSON_COMPACT);
		char *right = json_dumps(y->json, JSON_SORT_KEYS | JSON_COMPACT);

		order = str_cmp(str_of(left), str_of(right));
		free(left);
		free(right);
	}
	return order != 0 ? order : str_cmp(x->file, y->file);
}

static void sort_things(struct aws *aws, struct aws_things *things, const char *kind)
{
	size_t kept = 0;

	if (things->count > 1)
		qsort(things->items, things->count, sizeof *things->items, thing_order);
	for (size_t i = 0; i < things->count; i++) {
		const struct aws_thing *thing = &things->items[i];

		if (kept == 0 || !str_eq(things->items[kept - 1].id, thing->id))
			things->items[kept++] = *thing;
		else if (!json_equal(things->items[kept - 1].json, thing->json))
			foreign_left_out(&aws->foreign, thing->file,
			                 "%s %.*s: it is described twice, with different content; what %s says counts",
			                 kind, STR_ARG(thing->id), SHOWN(things->items[kept - 1].file));
	}
	things->count = kept;
}

struct str aws_role(const struct aws *aws, struct str group_id)
{
	uint32_t number = names_find(aws->group_ids, group_id);

	return number == NAMES_NONE ? STR("") : aws->roles[number];
}

const json_t *aws_list(struct aws *aws, const struct aws_thing *owner, const json_t *object, const char *key)
{
	const json_t *list = json_object_get(object, key);

	if (json_is_array(list))
		return json_array_size(list) > 0 ? list : NULL;
	if (list != NULL && !json_is_null(list))
		foreign_left_out(&aws->foreign, owner->file, "%s of %s: it is no list", key, SHOWN(owner->id));
	return NULL;
}

static struct error *make_fleet(struct aws *aws, const struct foreign_values *values)
{
	TRY(take_pages(aws, values));
	sort_things(aws, &aws->groups, "security group");
	sort_things(aws, &aws->instances, "instance");
	sort_things(aws, &aws->interfaces, "network interface");
	aws_name_roles(aws);
	aws_make_machines(aws);
	aws_make_roles(aws);
	if (aws->groupless > 0)
		foreign_left_out(&aws->foreign, STR(""),
		                 "no output of describe-security-groups was given: %zu machine%s without %s security "
		                 "groups",
		                 aws->groupless, aws->groupless == 1 ? " stays" : "s stay",
		                 aws->groupless == 1 ? "its" : "their");
	return fleet_normalize(aws->foreign.arena, aws->fleet);
}

struct error *aws_read(struct arena *arena, const struct foreign_file *files, size_t count, struct fleet *fleet,
                       struct foreign_notes *notes)
{
	struct aws aws = {.foreign = foreign_new(arena), .fleet = fleet};
	struct foreign_values values;
	struct error *error = foreign_read(arena, files, count, &values);

	*fleet = (struct fleet){.clock = TIME_NONE};
	if (error == NULL)
		error = make_fleet(&aws, &values);
	if (error != NULL)
		*fleet = (struct fleet){.clock = TIME_NONE};
	foreign_close(&values);
	*notes = foreign_end(&aws.foreign);
	return error;
}
