/* Ansible's groups become roles: a host has the roles of the groups that it is in, and of all groups above them. `all`
 * and `ungrouped` are words of Ansible's for every host and for hosts in no other group, and become none. */
#include <stdlib.h>
#include <string.h>

#include "ansible.h"
#include "fleetwall/arena.h"

struct number_list {
	uint32_t *items;
	size_t count, capacity;
};

struct group {
	struct str original, role; /* role is empty: it is left out */
	struct number_list parents;
	uint32_t visited; /* one more than the host whose groups were last gathered through here */
};

struct ansible_groups {
	struct names *names;
	struct {
		struct group *items;
		size_t count, capacity;
	} groups;
	struct number_list *of_host; /* groups that name the host itself */
	size_t host_capacity;
};

static uint32_t group_number(struct ansible *ansible, struct ansible_groups *groups, struct str name)
{
	uint32_t number = names_add(groups->names, name);

	if (number == groups->groups.count)
		APPEND(ansible->foreign.arena, &groups->groups,
		       ((struct group){.original = names_get(groups->names, number)}));
	return number;
}

static struct number_list *groups_of_host(struct ansible *ansible, struct ansible_groups *groups, uint32_t host)
{
	while (host >= groups->host_capacity)
		groups->of_host = arena_grow(ansible->foreign.arena, groups->of_host, groups->host_capacity,
		                             &groups->host_capacity, sizeof *groups->of_host,
		                             _Alignof(struct number_list));
	return &groups->of_host[host];
}

static void bad_member(struct ansible *ansible, struct str group, const char *key, size_t i)
{
	foreign_left_out(&ansible->foreign, ansible->file, "group \"%s\": element %zu of %s is no name", SHOWN(group),
	                 i, key);
}

static void read_hosts(struct ansible *ansible, struct ansible_groups *groups, uint32_t number, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str name = foreign_str(json_array_get(list, i));
		uint32_t host;

		if (name.n == 0) {
			bad_member(ansible, groups->groups.items[number].original, "hosts", i);
			continue;
		}
		host = ansible_host_number(ansible, name);
		APPEND(ansible->foreign.arena, groups_of_host(ansible, groups, host), number);
	}
}

static void read_children(struct ansible *ansible, struct ansible_groups *groups, uint32_t number, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str name = foreign_str(json_array_get(list, i));
		uint32_t child;

		if (name.n == 0) {
			bad_member(ansible, groups->groups.items[number].original, "children", i);
			continue;
		}
		child = group_number(ansible, groups, name);
		APPEND(ansible->foreign.arena, &groups->groups.items[child].parents, number);
	}
}

/* Only `ansible-inventory --export` leaves variables with their groups: then the hosts don't have them. */
static void note_variables(struct ansible *ansible, struct str group, const json_t *variables)
{
	static const char *const ours[] = {"ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port"};
	bool said = false;

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		said = said || json_object_get(variables, ours[i]) != NULL;
	for (size_t i = 0; i < ansible->variable_count; i++)
		said = said || json_object_getn(variables, ansible->variables[i].p, ansible->variables[i].n) != NULL;
	if (said)
		foreign_left_out(&ansible->foreign, ansible->file,
		                 "group \"%s\": its variables; without --export, ansible-inventory gives them to hosts",
		                 SHOWN(group));
}

static bool is_list(const json_t *json)
{
	return json == NULL || json_is_null(json) || json_is_array(json);
}

/* An object; inventory scripts may give a plain list of hosts. */
static void read_group(struct ansible *ansible, struct ansible_groups *groups, const char *key, const json_t *value)
{
	uint32_t number = group_number(ansible, groups, str_of(key));
	const json_t *hosts = json_is_array(value) ? value : json_object_get(value, "hosts"),
		     *children = json_object_get(value, "children");

	if ((!json_is_object(value) && !json_is_array(value)) || !is_list(hosts) || !is_list(children))
		foreign_left_out(&ansible->foreign, ansible->file, "group \"%s\": it is not as Ansible writes groups",
		                 SHOWN(str_of(key)));
	read_hosts(ansible, groups, number, hosts);
	read_children(ansible, groups, number, children);
	note_variables(ansible, str_of(key), json_object_get(value, "vars"));
}

struct ansible_groups *ansible_read_groups(struct ansible *ansible, json_t *document)
{
	struct ansible_groups *groups = ARENA_NEW(ansible->foreign.arena, struct ansible_groups);
	const char *key;
	json_t *value;

	groups->names = names_new(ansible->foreign.arena);
	json_object_foreach(document, key, value)
		if (strcmp(key, "_meta") != 0)
			read_group(ansible, groups, key, value);
	return groups;
}

/* --- roles --- */

static bool is_role(struct str name)
{
	return !str_is(name, "all") && !str_is(name, "ungrouped");
}

static void name_roles(struct ansible *ansible, struct ansible_groups *groups)
{
	struct arena *arena = ansible->foreign.arena;
	struct foreign_name *list = ARENA_ARRAY(arena, struct foreign_name, groups->groups.count);
	struct group **named = ARENA_ARRAY(arena, struct group *, groups->groups.count);
	size_t count = 0;

	for (size_t i = 0; i < groups->groups.count; i++) {
		struct group *group = &groups->groups.items[i];

		if (!is_role(group->original))
			continue;
		named[count] = group;
		list[count++] =
			(struct foreign_name){.original = group->original, .id = ansible_id(arena, group->original)};
	}
	foreign_names(arena, FOREIGN_ROLE, list, count);
	for (size_t i = 0; i < count; i++) {
		named[i]->role = list[i].name;
		if (list[i].name.n == 0)
			foreign_left_out(&ansible->foreign, ansible->file,
			                 "group \"%s\": its name can't be told from that of another one",
			                 SHOWN(list[i].original));
	}
}

static void make_roles(struct ansible *ansible, const struct ansible_groups *groups)
{
	struct fleet *fleet = ansible->fleet;

	fleet->roles = ARENA_ARRAY(ansible->foreign.arena, struct role, groups->groups.count);
	for (size_t i = 0; i < groups->groups.count; i++) {
		const struct group *group = &groups->groups.items[i];
		struct role role = {.name = group->role, .place = {.file = ansible->file}};

		if (role.name.n == 0)
			continue;
		if (!str_eq(group->role, group->original)) {
			role.given = GIVEN_DESCRIPTION;
			role.description = foreign_line(ansible->foreign.arena, group->original);
		}
		fleet->roles[fleet->role_count++] = role;
	}
}

/* The groups of a host and all above them, each once. Children may be in circles. */
static void gather(struct ansible *ansible, struct ansible_groups *groups, uint32_t host, struct number_list *gathered)
{
	struct arena *arena = ansible->foreign.arena;
	const struct number_list *own = groups_of_host(ansible, groups, host);

	gathered->count = 0;
	for (size_t i = 0; i < own->count; i++)
		APPEND(arena, gathered, own->items[i]);
	for (size_t i = 0; i < gathered->count; i++) {
		struct group *group = &groups->groups.items[gathered->items[i]];

		if (group->visited == host + 1) {
			gathered->items[i--] = gathered->items[--gathered->count];
			continue;
		}
		group->visited = host + 1;
		for (size_t j = 0; j < group->parents.count; j++)
			if (groups->groups.items[group->parents.items[j]].visited != host + 1)
				APPEND(arena, gathered, group->parents.items[j]);
	}
}

/* Without any groups the source says nothing of roles: what machines have is left to them. */
static bool has_groups(const struct ansible_groups *groups)
{
	for (size_t i = 0; i < groups->groups.count; i++)
		if (is_role(groups->groups.items[i].original))
			return true;
	return false;
}

void ansible_end_groups(struct ansible *ansible, struct ansible_groups *groups, struct machine *machines)
{
	struct number_list gathered = {0};
	bool said = has_groups(groups);

	name_roles(ansible, groups);
	make_roles(ansible, groups);
	for (uint32_t host = 0; host < ansible->hosts.count; host++) {
		struct machine *machine = &machines[host];

		if (!said)
			machine->given &= ~(unsigned)GIVEN_ROLES;
		gather(ansible, groups, host, &gathered);
		machine->roles = ARENA_ARRAY(ansible->foreign.arena, struct str, gathered.count);
		for (size_t i = 0; i < gathered.count; i++) {
			struct str role = groups->groups.items[gathered.items[i]].role;

			if (role.n > 0)
				machine->roles[machine->role_count++] = role;
		}
	}
}
