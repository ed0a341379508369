/* The JSON of `ansible-inventory --list` becomes a fleet (SPEC §4): hosts become machines. Groups are
 * ansible_groups.c, variables ansible_variables.c. Runs nothing and fetches nothing: what a template or a vault would
 * have said is left out. */
#include "ansible.h"

#include <string.h>

#include "fleetwall/arena.h"

#define LABEL_NAME "ansible-name"

struct str ansible_id(struct arena *arena, struct str name)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		hash = (hash ^ (unsigned char)name.p[i]) * 16777619u;
	return str_format(arena, "%08x", (unsigned)hash);
}

uint32_t ansible_host_number(struct ansible *ansible, struct str name)
{
	uint32_t number = names_add(ansible->host_names, name);

	if (number == ansible->hosts.count)
		APPEND(ansible->foreign.arena, &ansible->hosts,
		       ((struct ansible_host){.original = names_get(ansible->host_names, number)}));
	return number;
}

static struct error *not_of_ansible(const struct ansible *ansible, const char *what)
{
	return error_at(error_hint(error_new(ERROR_INPUT, "%s", what),
	                           "the file holds the JSON of ansible-inventory --list"),
	                (struct place){.file = ansible->file});
}

/* The hosts that have variables; those that only groups name come with the groups. */
static void read_hosts(struct ansible *ansible, const json_t *document)
{
	json_t *hosts = json_object_get(json_object_get(document, "_meta"), "hostvars"), *value;
	const char *key;

	if (hosts != NULL && !json_is_object(hosts))
		foreign_left_out(&ansible->foreign, ansible->file, "the variables of hosts: hostvars is no object");
	json_object_foreach(hosts, key, value) {
		uint32_t number = ansible_host_number(ansible, str_of(key));

		ansible->hosts.items[number].variables = value;
	}
}

static void name_hosts(struct ansible *ansible)
{
	struct arena *arena = ansible->foreign.arena;
	size_t count = ansible->hosts.count;
	struct foreign_name *list = ARENA_ARRAY(arena, struct foreign_name, count);

	for (size_t i = 0; i < count; i++)
		list[i] = (struct foreign_name){.original = ansible->hosts.items[i].original,
		                                .id = ansible_id(arena, ansible->hosts.items[i].original)};
	foreign_names(arena, FOREIGN_MACHINE, list, count);
	for (size_t i = 0; i < count; i++)
		ansible->hosts.items[i].name = list[i].name;
}

/* A name that had to change is kept. */
static void keep_name(struct ansible *ansible, const struct ansible_host *host, struct machine *machine)
{
	struct label label = {STR(LABEL_NAME), host->original};

	if (str_eq(host->name, host->original))
		return;
	if (label_check(&label) != NULL) {
		foreign_left_out(&ansible->foreign, ansible->file, "host \"%s\": its name can't be kept as a label",
		                 SHOWN(host->original));
		return;
	}
	machine->given |= GIVEN_LABELS;
	machine->labels = ARENA_NEW(ansible->foreign.arena, struct label);
	machine->labels[machine->label_count++] = label;
}

static void make_machine(struct ansible *ansible, const struct ansible_host *host, struct machine *machine)
{
	*machine = (struct machine){.name = host->name,
	                            .given = GIVEN_ROLES,
	                            .place = {.file = ansible->file},
	                            .enabled = true};
	keep_name(ansible, host, machine);
	ansible_variables(ansible, host, machine);
}

/* Machines of hosts that have no name go. */
static void settle_machines(struct ansible *ansible, struct machine *machines)
{
	size_t kept = 0;

	for (size_t i = 0; i < ansible->hosts.count; i++) {
		if (machines[i].name.n > 0)
			machines[kept++] = machines[i];
		else
			foreign_left_out(&ansible->foreign, ansible->file,
			                 "host \"%s\": its name can't be told from that of another one",
			                 SHOWN(ansible->hosts.items[i].original));
	}
	ansible->fleet->machines = machines;
	ansible->fleet->machine_count = kept;
}

/* A name that was mistyped would be a variable that nobody has. */
static void note_unseen(struct ansible *ansible)
{
	for (size_t i = 0; i < ansible->variable_count; i++)
		if (!ansible->variable_seen[i])
			foreign_made_right(&ansible->foreign, ansible->file,
			                   "no host has the variable \"%s\", which is to hold addresses",
			                   SHOWN(ansible->variables[i]));
}

static struct error *make_fleet(struct ansible *ansible, const struct foreign_values *values)
{
	json_t *document = values->items[0].json;
	struct ansible_groups *groups;
	struct machine *machines;

	if (values->count > 1)
		return not_of_ansible(ansible, "the file holds several JSON values");
	if (json_object_get(document, "_meta") == NULL && json_object_get(document, "all") == NULL)
		return not_of_ansible(ansible, "there is neither _meta nor all in it");
	read_hosts(ansible, document);
	groups = ansible_read_groups(ansible, document);
	name_hosts(ansible);
	machines = ARENA_ARRAY(ansible->foreign.arena, struct machine, ansible->hosts.count);
	for (size_t i = 0; i < ansible->hosts.count; i++)
		make_machine(ansible, &ansible->hosts.items[i], &machines[i]);
	note_unseen(ansible);
	ansible_end_groups(ansible, groups, machines);
	settle_machines(ansible, machines);
	return fleet_normalize(ansible->foreign.arena, ansible->fleet);
}

struct error *ansible_read(struct arena *arena, const struct foreign_file *file, const struct str *variables,
                           size_t variable_count, struct fleet *fleet, struct foreign_notes *notes)
{
	struct ansible ansible = {.foreign = foreign_new(arena),
	                          .file = file->name,
	                          .variables = variables,
	                          .variable_seen = ARENA_ARRAY(arena, bool, variable_count),
	                          .variable_count = variable_count,
	                          .host_names = names_new(arena),
	                          .fleet = fleet};
	struct foreign_values values;
	struct error *error = foreign_read(arena, file, 1, &values);

	*fleet = (struct fleet){.clock = TIME_NONE};
	if (error == NULL)
		error = make_fleet(&ansible, &values);
	if (error != NULL)
		*fleet = (struct fleet){.clock = TIME_NONE};
	foreign_close(&values);
	*notes = foreign_end(&ansible.foreign);
	return error;
}
