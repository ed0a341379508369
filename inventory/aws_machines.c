/* Instances, and network interfaces that belong to none of them, become machines: their names, labels, and which
 * interfaces are theirs. An interface without an instance (a load balancer's, a database's) is no host of ours; it is a
 * machine that is not managed, so that the rules that speak of its groups still speak of it. */
#include <stdlib.h>

#include "aws.h"
#include "fleetwall/arena.h"

#define LABEL_ID "aws-id"
#define LABEL_VPC "aws-vpc"
#define LABEL_DESCRIPTION "aws-description"
#define LABEL_BYTES 255

/* A machine to be. */
struct host {
	const struct aws_thing *thing;
	const json_t *instance; /* NULL: the thing is an interface */
	struct aws_records records;
};
struct hosts {
	struct host *items;
	size_t count, capacity;
};

/* Instances have Tags, interfaces have a TagSet. */
static const json_t *tags_of(const struct host *host)
{
	return json_object_get(host->thing->json, host->instance != NULL ? "Tags" : "TagSet");
}

static struct str name_tag(const struct host *host)
{
	const json_t *tags = tags_of(host);

	for (size_t i = 0; i < json_array_size(tags); i++)
		if (str_is(foreign_member(json_array_get(tags, i), "Key"), "Name"))
			return str_trim(foreign_member(json_array_get(tags, i), "Value"));
	return (struct str){NULL, 0};
}

/* --- whose interface --- */

/* Both lists are sorted by id. */
static struct host *host_of(struct hosts *hosts, struct str instance)
{
	size_t from = 0, to = hosts->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = str_cmp(hosts->items[middle].thing->id, instance);

		if (order == 0)
			return &hosts->items[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

static bool is_gone(const struct aws_thing *instance)
{
	struct str state = foreign_member(json_object_get(instance->json, "State"), "Name");

	return str_is(state, "terminated") || str_is(state, "shutting-down");
}

/* Those that the instance itself lists. */
static void list_records(struct aws *aws, struct host *host)
{
	const json_t *list = aws_list(aws, host->thing, host->instance, "NetworkInterfaces");

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *json = json_array_get(list, i);
		struct str id = foreign_member(json, "NetworkInterfaceId");

		APPEND(aws->foreign.arena, &host->records, ((struct aws_thing){id, json, host->thing->file}));
	}
}

static struct hosts instances(struct aws *aws)
{
	struct hosts hosts = {0};

	for (size_t i = 0; i < aws->instances.count; i++) {
		const struct aws_thing *thing = &aws->instances.items[i];
		struct host host = {.thing = thing, .instance = thing->json};

		if (is_gone(thing)) {
			foreign_left_out(&aws->foreign, thing->file, "instance %.*s: it is %s", STR_ARG(thing->id),
			                 SHOWN(foreign_member(json_object_get(thing->json, "State"), "Name")));
			continue;
		}
		list_records(aws, &host);
		APPEND(aws->foreign.arena, &hosts, host);
	}
	return hosts;
}

/* Gives interfaces to the instances that they are attached to. The others become hosts behind them. */
static void add_interfaces(struct aws *aws, struct hosts *hosts)
{
	struct hosts alone = {0};

	for (size_t i = 0; i < aws->interfaces.count; i++) {
		const struct aws_thing *thing = &aws->interfaces.items[i];
		const json_t *attachment = json_object_get(thing->json, "Attachment");
		struct host *host = host_of(hosts, foreign_member(attachment, "InstanceId")), own = {.thing = thing};

		if (host != NULL) {
			APPEND(aws->foreign.arena, &host->records, *thing);
			continue;
		}
		APPEND(aws->foreign.arena, &own.records, *thing);
		APPEND(aws->foreign.arena, &alone, own);
	}
	for (size_t i = 0; i < alone.count; i++)
		APPEND(aws->foreign.arena, hosts, alone.items[i]);
}

/* --- labels --- */

static bool has_label(const struct machine *machine, struct str key)
{
	for (size_t i = 0; i < machine->label_count; i++)
		if (str_eq(machine->labels[i].key, key))
			return true;
	return false;
}

static void add_label(struct aws *aws, const struct host *host, struct machine *machine, struct label label)
{
	struct error *fault = label_check(&label);

	if (fault == NULL && has_label(machine, label.key))
		fault = error_new(ERROR_INPUT, "there is a label of this key already");
	if (fault != NULL) {
		foreign_left_out(&aws->foreign, host->thing->file, "tag \"%s\" of %.*s: %.*s", SHOWN(label.key),
		                 STR_ARG(host->thing->id), STR_ARG(fault->message));
		return;
	}
	label.key = str_copy(aws->foreign.arena, label.key);
	label.value = str_copy(aws->foreign.arena, label.value);
	machine->labels[machine->label_count++] = label;
}

static void add_labels(struct aws *aws, const struct host *host, struct machine *machine)
{
	const json_t *tags = tags_of(host), *json = host->thing->json;
	struct str vpc = foreign_member(json, "VpcId"), text = foreign_member(json, "Description");

	machine->labels = ARENA_ARRAY(aws->foreign.arena, struct label, json_array_size(tags) + 3);
	add_label(aws, host, machine, (struct label){STR(LABEL_ID), host->thing->id});
	if (vpc.n > 0)
		add_label(aws, host, machine, (struct label){STR(LABEL_VPC), vpc});
	text = str_slice(foreign_line(aws->foreign.arena, text), 0, LABEL_BYTES);
	if (host->instance == NULL && text.n > 0)
		add_label(aws, host, machine,
		          (struct label){STR(LABEL_DESCRIPTION), str_slice(text, 0, str_utf8_error(text))});
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);

		add_label(aws, host, machine,
		          (struct label){foreign_member(tag, "Key"), foreign_member(tag, "Value")});
	}
}

/* --- machines --- */

static void make_machine(struct aws *aws, const struct host *host, struct str name)
{
	struct machine *machine = &aws->fleet->machines[aws->fleet->machine_count++];
	bool complete;

	*machine = (struct machine){.name = name,
	                            .given = GIVEN_ADDRESSES | GIVEN_ROLES | GIVEN_LABELS,
	                            .place = {.file = host->thing->file},
	                            .enabled = true};
	if (host->instance == NULL) {
		machine->given |= GIVEN_ENFORCEMENT;
		machine->enforcement = ENFORCEMENT_UNMANAGED;
	}
	add_labels(aws, host, machine);
	aws_addresses(aws, host->thing, host->instance, &host->records, machine);
	complete = aws_memberships(aws, host->thing, host->instance, &host->records, machine);
	aws->groupless += !complete && aws->groups.count == 0;
	if (host->instance != NULL && machine->role_count == 0 && !complete) {
		aws->closed_role_used = true;
		machine->roles = ARENA_NEW(aws->foreign.arena, struct str);
		machine->roles[machine->role_count++] = aws->closed_role;
	}
}

void aws_make_machines(struct aws *aws)
{
	struct arena *arena = aws->foreign.arena;
	struct hosts hosts = instances(aws);
	struct foreign_name *names;

	add_interfaces(aws, &hosts);
	names = ARENA_ARRAY(arena, struct foreign_name, hosts.count);
	for (size_t i = 0; i < hosts.count; i++)
		names[i] = (struct foreign_name){.original = name_tag(&hosts.items[i]), .id = hosts.items[i].thing->id};
	foreign_names(arena, FOREIGN_MACHINE, names, hosts.count);
	aws->fleet->machines = ARENA_ARRAY(arena, struct machine, hosts.count);
	for (size_t i = 0; i < hosts.count; i++) {
		if (names[i].name.n > 0)
			make_machine(aws, &hosts.items[i], names[i].name);
		else
			foreign_left_out(&aws->foreign, hosts.items[i].thing->file,
			                 "%.*s: its name can't be told from that of another machine",
			                 STR_ARG(names[i].id));
	}
}
