/* list and show: what the inventory holds, object by object. */
#include <fnmatch.h>

#include "fleetwall/resolve.h"

#include "cli.h"

/* What list and show need to know of one kind of object. Indexes are those of the fleet. */
struct kind {
	const char *name;
	const char *const *columns;
	size_t column_count;
	size_t (*count)(const struct fleet *fleet);
	struct str (*name_at)(const struct fleet *fleet, size_t i);
	void (*row)(struct run *run, const struct resolved *resolved, size_t i);
};

/* The index of the object of this name; the lists are sorted. */
static bool find(const struct kind *kind, const struct fleet *fleet, struct str name, size_t *index)
{
	size_t low = 0, high = kind->count(fleet);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(kind->name_at(fleet, middle), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low;
	return low < kind->count(fleet) && str_eq(kind->name_at(fleet, low), name);
}

/* "there is no role \"x\"", with the nearest one. */
static struct error *unknown(struct arena *arena, const struct kind *kind, const struct fleet *fleet, struct str name)
{
	size_t count = kind->count(fleet);
	struct str *names = ARENA_ARRAY(arena, struct str, count), near;
	struct error *error = error_new(ERROR_UNKNOWN, "there is no %s \"%.*s\"", kind->name, STR_ARG(name));

	for (size_t i = 0; i < count; i++)
		names[i] = kind->name_at(fleet, i);
	near = str_nearest(name, names, count);
	if (near.n > 0)
		return error_hint(error, "did you mean %.*s?", STR_ARG(near));
	return error_hint(error, "fleetwall %s list shows those that there are", kind->name);
}

static struct error *list(struct run *run, const struct kind *kind)
{
	struct resolved *resolved;
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	resolved = resolve(run->arena, &fleet);
	writer_columns(run->writer, LAYOUT_TABLE, kind->columns, kind->column_count);
	for (size_t i = 0; i < kind->count(&fleet); i++)
		kind->row(run, resolved, i);
	return NULL;
}

/* All whose names the pattern matches; false when there are none. */
static bool show_matching(struct run *run, const struct kind *kind, const struct resolved *resolved, struct str pattern)
{
	const char *glob = str_c(run->arena, pattern);
	bool found = false;

	for (size_t i = 0; i < kind->count(resolved->fleet); i++) {
		if (fnmatch(glob, str_c(run->arena, kind->name_at(resolved->fleet, i)), 0) != 0)
			continue;
		kind->row(run, resolved, i);
		found = true;
	}
	return found;
}

static struct error *show(struct run *run, const struct kind *kind)
{
	struct error *errors = NULL;
	struct resolved *resolved;
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	resolved = resolve(run->arena, &fleet);
	writer_columns(run->writer, LAYOUT_RECORD, kind->columns, kind->column_count);
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);
		size_t index;

		if (find(kind, &fleet, name, &index))
			kind->row(run, resolved, index);
		else if (!show_matching(run, kind, resolved, name))
			error_collect(&errors, unknown(run->arena, kind, &fleet, name));
	}
	return errors;
}

/* The functions that a kind needs for a list of the fleet. */
#define KIND_LIST(kind, list, number)                                                                                  \
	static size_t kind##_count(const struct fleet *fleet)                                                          \
	{                                                                                                              \
		return fleet->number;                                                                                  \
	}                                                                                                              \
	static struct str kind##_name_at(const struct fleet *fleet, size_t i)                                          \
	{                                                                                                              \
		return fleet->list[i].name;                                                                            \
	}
KIND_LIST(machine, machines, machine_count)
KIND_LIST(role, roles, role_count)
KIND_LIST(network, networks, network_count)
KIND_LIST(service, services, service_count)

#define KIND(kind, named, columns, row)                                                             \
	{                                                                                           \
		named, columns, sizeof columns / sizeof *columns, kind##_count, kind##_name_at, row \
	}

/* --- machines --- */

static const char *const machine_columns[] = {
	"name", "enabled", "mode", "enforcement", "addresses", "labels", "roles", "ssh_port", "ssh_host",
};

static struct cell address_cell(struct arena *arena, const struct machine *machine)
{
	struct str *items = ARENA_ARRAY(arena, struct str, machine->address_count);

	for (size_t i = 0; i < machine->address_count; i++) {
		struct buf buf = buf_new(arena);

		addr_print(&buf, machine->addresses[i].addr);
		if (machine->addresses[i].label.n > 0)
			buf_format(&buf, "=%.*s", STR_ARG(machine->addresses[i].label));
		items[i] = buf_str(&buf);
	}
	return cell_list(items, machine->address_count);
}

static struct cell label_cell(struct arena *arena, const struct label *labels, size_t count)
{
	struct str *items = ARENA_ARRAY(arena, struct str, count);

	for (size_t i = 0; i < count; i++)
		items[i] = str_format(arena, "%.*s=%.*s", STR_ARG(labels[i].key), STR_ARG(labels[i].value));
	return cell_list(items, count);
}

/* All roles of a machine: assigned, selected, and its own. */
static struct cell role_cell(struct arena *arena, const struct resolved *resolved, size_t machine)
{
	const struct resolved_machine *held = &resolved->machines[machine];
	struct str *items = ARENA_ARRAY(arena, struct str, held->role_count);

	for (size_t i = 0; i < held->role_count; i++)
		items[i] = resolved->fleet->roles[held->roles[i]].name;
	return cell_list(items, held->role_count);
}

static void machine_row(struct run *run, const struct resolved *resolved, size_t i)
{
	const struct machine *machine = &resolved->fleet->machines[i];

	writer_row(run->writer, (struct cell[]){
		cell_text(machine->name), cell_bool(machine->enabled), cell_text(mode_str(machine->mode)),
		cell_text(enforcement_str(machine->enforcement)), address_cell(run->arena, machine),
		label_cell(run->arena, machine->labels, machine->label_count), role_cell(run->arena, resolved, i),
		machine->ssh_port > 0 ? cell_number(machine->ssh_port) : cell_null(),
		cell_some(machine->ssh_host),
	});
}

static const struct kind machine_kind = KIND(machine, "machine", machine_columns, machine_row);

/* The machine of this address, or NULL. */
static const struct machine *machine_of_address(const struct fleet *fleet, struct addr addr)
{
	for (size_t i = 0; i < fleet->machine_count; i++)
		if (machine_has_address(&fleet->machines[i], addr))
			return &fleet->machines[i];
	return NULL;
}

/* An address is no name, but it says which machine was meant. */
struct error *unknown_machine(struct arena *arena, const struct fleet *fleet, struct str name)
{
	const struct machine *machine = NULL;
	struct addr addr;

	if (addr_parse(name, &addr))
		machine = machine_of_address(fleet, addr);
	if (machine != NULL)
		return error_hint(error_new(ERROR_UNKNOWN, "there is no machine \"%.*s\"", STR_ARG(name)),
		                  "that is an address of %.*s", STR_ARG(machine->name));
	return unknown(arena, &machine_kind, fleet, name);
}

static bool is_glob(struct str word)
{
	return str_find(word, '*') < word.n || str_find(word, '?') < word.n || str_find(word, '[') < word.n;
}

struct error *machines_match(struct arena *arena, const struct fleet *fleet, struct str word, bool *marked)
{
	struct str name = str_lower(arena, word);
	const char *pattern = str_c(arena, name);
	bool found = false;
	size_t place;

	if (find(&machine_kind, fleet, name, &place)) {
		marked[place] = true;
		return NULL;
	}
	if (!is_glob(name))
		return unknown_machine(arena, fleet, name);
	for (size_t i = 0; i < fleet->machine_count; i++)
		if (fnmatch(pattern, str_c(arena, fleet->machines[i].name), 0) == 0)
			marked[i] = found = true;
	return found ? NULL
	             : error_hint(error_new(ERROR_UNKNOWN, "no machine's name is like \"%.*s\"", STR_ARG(name)),
	                          "fleetwall machine list shows those that there are");
}

struct error *run_machine_list(struct run *run)
{
	return list(run, &machine_kind);
}

struct error *run_machine_show(struct run *run)
{
	return show(run, &machine_kind);
}

/* --- roles --- */

static const char *const role_columns[] = {"name", "description", "owner", "selector", "egress", "members", "rules"};
static const char *const role_show_columns[] = {"name",   "description", "owner", "selector",
                                                "egress", "members",     "rules", "rule_ids"};

static struct cell selector_cell(struct arena *arena, const struct role *role)
{
	struct str everybody = STR("{}");

	if (!role->has_selector)
		return cell_null();
	if (role->selector_count == 0)
		return cell_text(everybody);
	return label_cell(arena, role->selector, role->selector_count);
}

static void role_row(struct run *run, const struct resolved *resolved, size_t index)
{
	const struct role *role = &resolved->fleet->roles[index];

	writer_row(run->writer, (struct cell[]){
		cell_text(role->name), cell_some(role->description), cell_some(role->owner),
		selector_cell(run->arena, role), cell_text(egress_str(role->egress)),
		cell_number((int64_t)resolved->roles[index].member_count), cell_number((int64_t)role->rule_count),
	});
}

static void role_record(struct run *run, const struct resolved *resolved, size_t index)
{
	const struct role *role = &resolved->fleet->roles[index];
	const struct resolved_role *held = &resolved->roles[index];
	struct str *members = ARENA_ARRAY(run->arena, struct str, held->member_count);
	struct str *rules = ARENA_ARRAY(run->arena, struct str, role->rule_count);
	struct str *ids = ARENA_ARRAY(run->arena, struct str, role->rule_count);

	for (size_t i = 0; i < held->member_count; i++)
		members[i] = resolved->fleet->machines[held->members[i]].name;
	for (size_t i = 0; i < role->rule_count; i++) {
		char id[RULE_ID_DIGITS + 1];

		rule_id(role->name, role->rules[i].text, id);
		ids[i] = str_copy(run->arena, str_of(id));
		rules[i] = role->rules[i].text;
	}
	writer_row(run->writer, (struct cell[]){
					cell_text(role->name),
					cell_some(role->description),
					cell_some(role->owner),
					selector_cell(run->arena, role),
					cell_text(egress_str(role->egress)),
					cell_list(members, held->member_count),
					cell_list(rules, role->rule_count),
					cell_list(ids, role->rule_count),
				});
}

static const struct kind role_kind = KIND(role, "role", role_columns, role_row);
static const struct kind role_record_kind = KIND(role, "role", role_show_columns, role_record);

struct error *unknown_role(struct arena *arena, const struct fleet *fleet, struct str name)
{
	return unknown(arena, &role_kind, fleet, name);
}

struct error *run_role_list(struct run *run)
{
	return list(run, &role_kind);
}

struct error *run_role_show(struct run *run)
{
	return show(run, &role_record_kind);
}

/* --- rules --- */

static const char *const rule_columns[] = {"role", "rule_id", "rule", "ticket", "owner", "enabled", "comment"};
enum { RULE_COLUMNS = sizeof rule_columns / sizeof *rule_columns };

static void rule_row(struct run *run, const struct role *role, const struct role_rule *held)
{
	char id[RULE_ID_DIGITS + 1];

	rule_id(role->name, held->text, id);
	writer_row(run->writer, (struct cell[]){
					cell_text(role->name),
					cell_text(str_copy(run->arena, str_of(id))),
					cell_text(held->text),
					cell_some(held->ticket),
					cell_some(held->owner),
					cell_bool(held->enabled),
					cell_some(held->rule.comment),
				});
}

struct error *run_rule_list(struct run *run)
{
	struct str wanted = run_option(run, "role");
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	wanted = wanted.p != NULL ? str_lower(run->arena, wanted) : wanted;
	if (wanted.p != NULL && fleet_role(&fleet, wanted) == NULL)
		return unknown_role(run->arena, &fleet, wanted);
	writer_columns(run->writer, LAYOUT_TABLE, rule_columns, RULE_COLUMNS);
	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t j = 0; j < fleet.roles[i].rule_count; j++)
			if (wanted.p == NULL || str_eq(wanted, fleet.roles[i].name))
				rule_row(run, &fleet.roles[i], &fleet.roles[i].rules[j]);
	return NULL;
}

/* The rule of this id; its role in *role. */
static const struct role_rule *rule_find(const struct fleet *fleet, struct str id, const struct role **role)
{
	for (size_t i = 0; i < fleet->role_count; i++) {
		for (size_t j = 0; j < fleet->roles[i].rule_count; j++) {
			char own[RULE_ID_DIGITS + 1];

			rule_id(fleet->roles[i].name, fleet->roles[i].rules[j].text, own);
			*role = &fleet->roles[i];
			if (str_is(id, own))
				return &fleet->roles[i].rules[j];
		}
	}
	return NULL;
}

struct error *unknown_rule(struct str id)
{
	return error_hint(error_new(ERROR_UNKNOWN, "there is no rule %.*s", STR_ARG(id)),
	                  "fleetwall rule list shows the ids");
}

struct error *run_rule_show(struct run *run)
{
	struct error *errors = NULL;
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	writer_columns(run->writer, LAYOUT_RECORD, rule_columns, RULE_COLUMNS);
	for (size_t i = 0; i < run->argument_count; i++) {
		const struct role *role;
		const struct role_rule *held = rule_find(&fleet, str_lower(run->arena, run->arguments[i]), &role);

		if (held != NULL)
			rule_row(run, role, held);
		else
			error_collect(&errors, unknown_rule(run->arguments[i]));
	}
	return errors;
}

/* --- networks and services --- */

static const char *const network_columns[] = {"name", "prefixes"};
static const char *const service_columns[] = {"name", "ports", "builtin"};

static void network_row(struct run *run, const struct resolved *resolved, size_t index)
{
	const struct network *network = &resolved->fleet->networks[index];
	struct str *items = ARENA_ARRAY(run->arena, struct str, network->prefix_count);

	for (size_t i = 0; i < network->prefix_count; i++)
		items[i] = prefix_str(run->arena, network->prefixes[i]);
	writer_row(run->writer, (struct cell[]){cell_text(network->name), cell_list(items, network->prefix_count)});
}

static void service_row(struct run *run, const struct resolved *resolved, size_t index)
{
	const struct service *service = &resolved->fleet->services[index];
	struct str *items = ARENA_ARRAY(run->arena, struct str, service->count);

	for (size_t i = 0; i < service->count; i++) {
		struct buf buf = buf_new(run->arena);

		ports_print(&buf, service->ports[i].ports, service->ports[i].port_count);
		buf_char(&buf, '/');
		protocol_print(&buf, service->ports[i].protocol);
		items[i] = buf_str(&buf);
	}
	writer_row(run->writer, (struct cell[]){cell_text(service->name), cell_list(items, service->count),
	                                        cell_bool(service->builtin)});
}

static const struct kind network_kind = KIND(network, "network", network_columns, network_row);

struct error *unknown_network(struct arena *arena, const struct fleet *fleet, struct str name)
{
	return unknown(arena, &network_kind, fleet, name);
}
static const struct kind service_kind = KIND(service, "service", service_columns, service_row);

struct error *run_network_list(struct run *run)
{
	return list(run, &network_kind);
}

struct error *run_network_show(struct run *run)
{
	return show(run, &network_kind);
}

struct error *run_service_list(struct run *run)
{
	return list(run, &service_kind);
}

struct error *run_service_show(struct run *run)
{
	return show(run, &service_kind);
}
