/* list and show: what the inventory holds, object by object. */
#include "fleetwall/resolve.h"

#include "cli.h"

static struct str none(struct str s)
{
	return s.n > 0 ? s : (struct str){NULL, 0};
}

/* "there is no role \"x\"", with the nearest one. `name_at` gives the spelling of each that there is. */
static struct error *unknown(struct arena *arena, const char *kind, struct str name, size_t count,
                             struct str (*name_at)(const struct fleet *fleet, size_t i), const struct fleet *fleet)
{
	struct str *names = ARENA_ARRAY(arena, struct str, count), near;
	struct error *error = error_new(ERROR_UNKNOWN, "there is no %s \"%.*s\"", kind, STR_ARG(name));

	for (size_t i = 0; i < count; i++)
		names[i] = name_at(fleet, i);
	near = str_nearest(name, names, count);
	if (near.n > 0)
		return error_hint(error, "did you mean %.*s?", STR_ARG(near));
	return error_hint(error, "fleetwall %s list shows those that there are", kind);
}

static struct str machine_name_at(const struct fleet *fleet, size_t i)
{
	return fleet->machines[i].name;
}

static struct str role_name_at(const struct fleet *fleet, size_t i)
{
	return fleet->roles[i].name;
}

static struct str network_name_at(const struct fleet *fleet, size_t i)
{
	return fleet->networks[i].name;
}

static struct str service_name_at(const struct fleet *fleet, size_t i)
{
	return fleet->services[i].name;
}

struct error *unknown_machine(struct arena *arena, const struct fleet *fleet, struct str name)
{
	return unknown(arena, "machine", name, fleet->machine_count, machine_name_at, fleet);
}

struct error *unknown_role(struct arena *arena, const struct fleet *fleet, struct str name)
{
	return unknown(arena, "role", name, fleet->role_count, role_name_at, fleet);
}

/* --- machines --- */

static const char *const machine_columns[] = {
	"name", "enabled", "mode", "enforcement", "addresses", "labels", "roles", "ssh_port", "ssh_host",
};
enum { MACHINE_COLUMNS = sizeof machine_columns / sizeof *machine_columns };

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
		machine->ssh_port > 0 ? cell_number(machine->ssh_port) : cell_text((struct str){NULL, 0}),
		cell_text(none(machine->ssh_host)),
	});
}

struct error *run_machine_list(struct run *run)
{
	struct fleet fleet;
	struct resolved *resolved;

	TRY(run_load(run, &fleet));
	resolved = resolve(run->arena, &fleet);
	writer_columns(run->writer, LAYOUT_TABLE, machine_columns, MACHINE_COLUMNS);
	for (size_t i = 0; i < fleet.machine_count; i++)
		machine_row(run, resolved, i);
	return NULL;
}

struct error *run_machine_show(struct run *run)
{
	struct fleet fleet;
	struct resolved *resolved;
	struct error *errors = NULL;

	TRY(run_load(run, &fleet));
	resolved = resolve(run->arena, &fleet);
	writer_columns(run->writer, LAYOUT_RECORD, machine_columns, MACHINE_COLUMNS);
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);
		const struct machine *machine = fleet_machine(&fleet, name);

		if (machine != NULL)
			machine_row(run, resolved, (size_t)(machine - fleet.machines));
		else
			error_collect(&errors, unknown_machine(run->arena, &fleet, name));
	}
	return errors;
}

/* --- roles --- */

static const char *const role_columns[] = {"name", "description", "owner", "selector", "egress", "members", "rules"};
static const char *const role_show_columns[] = {"name",   "description", "owner", "selector",
                                                "egress", "members",     "rules", "rule_ids"};

static struct cell selector_cell(struct arena *arena, const struct role *role)
{
	struct str everybody = STR("{}");

	if (!role->has_selector)
		return cell_text((struct str){NULL, 0});
	if (role->selector_count == 0)
		return cell_text(everybody);
	return label_cell(arena, role->selector, role->selector_count);
}

struct error *run_role_list(struct run *run)
{
	struct fleet fleet;
	struct resolved *resolved;

	TRY(run_load(run, &fleet));
	resolved = resolve(run->arena, &fleet);
	writer_columns(run->writer, LAYOUT_TABLE, role_columns, 7);
	for (size_t i = 0; i < fleet.role_count; i++) {
		const struct role *role = &fleet.roles[i];

		writer_row(run->writer, (struct cell[]){
						cell_text(role->name),
						cell_text(none(role->description)),
						cell_text(none(role->owner)),
						selector_cell(run->arena, role),
						cell_text(egress_str(role->egress)),
						cell_number((int64_t)resolved->roles[i].member_count),
						cell_number((int64_t)role->rule_count),
					});
	}
	return NULL;
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
					cell_text(none(role->description)),
					cell_text(none(role->owner)),
					selector_cell(run->arena, role),
					cell_text(egress_str(role->egress)),
					cell_list(members, held->member_count),
					cell_list(rules, role->rule_count),
					cell_list(ids, role->rule_count),
				});
}

struct error *run_role_show(struct run *run)
{
	struct fleet fleet;
	struct resolved *resolved;
	struct error *errors = NULL;

	TRY(run_load(run, &fleet));
	resolved = resolve(run->arena, &fleet);
	writer_columns(run->writer, LAYOUT_RECORD, role_show_columns, 8);
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);
		const struct role *role = fleet_role(&fleet, name);

		if (role != NULL)
			role_record(run, resolved, (size_t)(role - fleet.roles));
		else
			error_collect(&errors, unknown_role(run->arena, &fleet, name));
	}
	return errors;
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
					cell_text(none(held->ticket)),
					cell_text(none(held->owner)),
					cell_bool(held->enabled),
					cell_text(none(held->rule.comment)),
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
			error_collect(&errors, error_hint(error_new(ERROR_UNKNOWN, "there is no rule %.*s",
			                                            STR_ARG(run->arguments[i])),
			                                  "fleetwall rule list shows the ids"));
	}
	return errors;
}

/* --- networks and services --- */

static const char *const network_columns[] = {"name", "prefixes"};
static const char *const service_columns[] = {"name", "ports", "builtin"};

static void network_row(struct run *run, const struct network *network)
{
	struct str *items = ARENA_ARRAY(run->arena, struct str, network->prefix_count);

	for (size_t i = 0; i < network->prefix_count; i++) {
		struct buf buf = buf_new(run->arena);

		prefix_print(&buf, network->prefixes[i]);
		items[i] = buf_str(&buf);
	}
	writer_row(run->writer, (struct cell[]){cell_text(network->name), cell_list(items, network->prefix_count)});
}

static void service_row(struct run *run, const struct service *service)
{
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

struct error *run_network_list(struct run *run)
{
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	writer_columns(run->writer, LAYOUT_TABLE, network_columns, 2);
	for (size_t i = 0; i < fleet.network_count; i++)
		network_row(run, &fleet.networks[i]);
	return NULL;
}

struct error *run_network_show(struct run *run)
{
	struct error *errors = NULL;
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	writer_columns(run->writer, LAYOUT_RECORD, network_columns, 2);
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);
		const struct network *network = fleet_network(&fleet, name);

		if (network != NULL)
			network_row(run, network);
		else
			error_collect(&errors, unknown(run->arena, "network", name, fleet.network_count,
			                               network_name_at, &fleet));
	}
	return errors;
}

struct error *run_service_list(struct run *run)
{
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	writer_columns(run->writer, LAYOUT_TABLE, service_columns, 3);
	for (size_t i = 0; i < fleet.service_count; i++)
		service_row(run, &fleet.services[i]);
	return NULL;
}

struct error *run_service_show(struct run *run)
{
	struct error *errors = NULL;
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	writer_columns(run->writer, LAYOUT_RECORD, service_columns, 3);
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);
		const struct service *service = fleet_service(&fleet, name);

		if (service != NULL)
			service_row(run, service);
		else
			error_collect(&errors, unknown(run->arena, "service", name, fleet.service_count,
			                               service_name_at, &fleet));
	}
	return errors;
}
