/* See fleet_change.h. Only the fleet's four own arrays are written to: whatever hangs on their objects is copied
 * before, so that a fleet that shares it stays as it is. */
#include "fleet_change.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "random_fleet.h"

#define PICK(rng, list, count) ((count) > 0 ? &(list)[rng_below((rng), (count))] : NULL)

/* A copy of an array with room for one more. */
static void *copy_array(struct arena *arena, const void *items, size_t count, size_t size)
{
	char *copy = arena_array(arena, count + 1, size, _Alignof(max_align_t));

	if (count > 0)
		memcpy(copy, items, count * size);
	return copy;
}

#define COPY(arena, list, count) ((list) = copy_array((arena), (list), (count), sizeof *(list)))

/* Takes one out. */
static void take_out(void *items, size_t *count, size_t size, size_t at)
{
	char *bytes = items;

	memmove(bytes + at * size, bytes + (at + 1) * size, (*count - at - 1) * size);
	(*count)--;
}

static struct machine *some_machine(struct rng *rng, struct fleet *fleet)
{
	return PICK(rng, fleet->machines, fleet->machine_count);
}

static struct role *some_role(struct rng *rng, struct fleet *fleet)
{
	return PICK(rng, fleet->roles, fleet->role_count);
}

/* In a copy of its role's rules. */
static struct role_rule *some_rule(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	for (int i = 0; i < 50; i++) {
		struct role *role = some_role(rng, fleet);

		if (role == NULL || role->rule_count == 0)
			continue;
		COPY(arena, role->rules, role->rule_count);
		return PICK(rng, role->rules, role->rule_count);
	}
	return NULL;
}

/* --- machines --- */

static bool toggle_enabled(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);

	(void)arena;
	machine->enabled = !machine->enabled;
	return true;
}

static bool toggle_mode(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);

	(void)arena;
	machine->mode = machine->mode == MODE_EXCLUSIVE ? MODE_COEXIST : MODE_EXCLUSIVE;
	return true;
}

static bool turn_enforcement(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);

	(void)arena;
	machine->enforcement = (enum enforcement)((machine->enforcement + 1 + rng_below(rng, 2)) % 3);
	return true;
}

static bool move_ssh_port(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);

	(void)arena;
	machine->ssh_port = machine->ssh_port == 0 ? 2222 : machine->ssh_port % 65535 + 1;
	return true;
}

static bool move_ssh_host(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	(void)arena;
	some_machine(rng, fleet)->ssh_host = STR("elsewhere.example.net");
	return true;
}

/* Has a selector a label like this one? */
static bool is_asked_for(const struct fleet *fleet, const struct label *label)
{
	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].selector_count; k++)
			if (str_eq(fleet->roles[i].selector[k].key, label->key) &&
			    str_eq(fleet->roles[i].selector[k].value, label->value))
				return true;
	return false;
}

/* A label that somebody selects by, if chance finds one: the machine, and *at. Its labels may be written to. */
static struct machine *label_asked_for(struct arena *arena, struct rng *rng, struct fleet *fleet, size_t *at)
{
	for (int i = 0; i < 50; i++) {
		struct machine *machine = some_machine(rng, fleet);

		*at = machine->label_count > 0 ? rng_below(rng, machine->label_count) : 0;
		if (machine->label_count == 0 || (i < 49 && !is_asked_for(fleet, &machine->labels[*at])))
			continue;
		COPY(arena, machine->labels, machine->label_count);
		return machine;
	}
	return NULL;
}

static bool change_label(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	size_t at;
	struct machine *machine = label_asked_for(arena, rng, fleet, &at);

	if (machine != NULL)
		machine->labels[at].value = machine->labels[at].value.n > 0 ? STR("") : STR("prod");
	return machine != NULL;
}

static bool drop_label(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	size_t at;
	struct machine *machine = label_asked_for(arena, rng, fleet, &at);

	if (machine != NULL)
		take_out(machine->labels, &machine->label_count, sizeof *machine->labels, at);
	return machine != NULL;
}

/* The labels of a selector, so that the machine is selected. */
static bool give_labels(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);
	const struct role *role = some_role(rng, fleet);

	if (role->selector_count == 0)
		return false;
	machine->label_count = role->selector_count;
	machine->labels = copy_array(arena, role->selector, role->selector_count, sizeof *role->selector);
	return true;
}

static int address_order(const void *a, const void *b)
{
	return addr_cmp(((const struct machine_address *)a)->addr, ((const struct machine_address *)b)->addr);
}

static bool has_address(const struct machine *machine, struct addr addr)
{
	for (size_t i = 0; i < machine->address_count; i++)
		if (addr_cmp(machine->addresses[i].addr, addr) == 0)
			return true;
	return false;
}

static void sort_addresses_of(struct machine *machine)
{
	qsort(machine->addresses, machine->address_count, sizeof *machine->addresses, address_order);
}

static bool add_address(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	static const struct str labels[] = {{"", 0}, {"private", 7}, {"public", 6}};
	struct machine *machine = some_machine(rng, fleet);
	struct machine_address address = {.addr.family = rng_chance(rng, 50) ? FAMILY_4 : FAMILY_6};

	address.addr.bits = rng_next(rng) & 0xffffffff;
	address.label = labels[rng_below(rng, 3)];
	if (has_address(machine, address.addr))
		return false;
	COPY(arena, machine->addresses, machine->address_count);
	machine->addresses[machine->address_count++] = address;
	sort_addresses_of(machine);
	return true;
}

static bool move_address(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);
	struct machine_address *address;
	struct addr moved;

	COPY(arena, machine->addresses, machine->address_count);
	address = PICK(rng, machine->addresses, machine->address_count);
	if (address == NULL)
		return false;
	moved = address->addr;
	moved.bits ^= 1;
	if (has_address(machine, moved))
		return false;
	address->addr = moved;
	sort_addresses_of(machine);
	return true;
}

static bool change_address_label(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);
	struct machine_address *address;

	COPY(arena, machine->addresses, machine->address_count);
	address = PICK(rng, machine->addresses, machine->address_count);
	if (address == NULL)
		return false;
	address->label = address->label.n > 0 ? STR("") : STR("private");
	return true;
}

static bool drop_address(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);

	if (machine->address_count == 0)
		return false;
	COPY(arena, machine->addresses, machine->address_count);
	take_out(machine->addresses, &machine->address_count, sizeof *machine->addresses,
	         rng_below(rng, machine->address_count));
	return true;
}

/* In or out of a role. */
static bool toggle_membership(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine *machine = some_machine(rng, fleet);
	const struct role *role = some_role(rng, fleet);
	size_t at = 0;

	if (machine_of_role(role->name).n > 0)
		return false;
	COPY(arena, machine->roles, machine->role_count);
	while (at < machine->role_count && str_cmp(machine->roles[at], role->name) < 0)
		at++;
	if (at < machine->role_count && str_eq(machine->roles[at], role->name)) {
		take_out(machine->roles, &machine->role_count, sizeof *machine->roles, at);
		return true;
	}
	memmove(machine->roles + at + 1, machine->roles + at, (machine->role_count - at) * sizeof *machine->roles);
	machine->roles[at] = role->name;
	machine->role_count++;
	return true;
}

static bool remove_machine(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	COPY(arena, fleet->machines, fleet->machine_count);
	take_out(fleet->machines, &fleet->machine_count, sizeof *fleet->machines,
	         rng_below(rng, fleet->machine_count));
	return true;
}

/* Like another one, with another name, before all. */
static bool add_machine(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct machine machine = *some_machine(rng, fleet);

	machine.name = STR("a-new-one");
	COPY(arena, fleet->machines, fleet->machine_count);
	memmove(fleet->machines + 1, fleet->machines, fleet->machine_count * sizeof *fleet->machines);
	fleet->machines[0] = machine;
	fleet->machine_count++;
	return true;
}

/* --- roles --- */

static bool toggle_egress(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);

	(void)arena;
	role->egress = role->egress == EGRESS_OPEN ? EGRESS_CLOSED : EGRESS_OPEN;
	return true;
}

static bool toggle_selector(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);

	(void)arena;
	if (machine_of_role(role->name).n > 0)
		return false;
	role->has_selector = !role->has_selector;
	role->selector_count = 0; /* everybody */
	return true;
}

static bool widen_selector(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);

	if (role->selector_count == 0)
		return false;
	COPY(arena, role->selector, role->selector_count);
	take_out(role->selector, &role->selector_count, sizeof *role->selector, rng_below(rng, role->selector_count));
	return true;
}

static bool rename_owner(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);

	role->owner = random_line(arena, rng);
	role->description = random_line(arena, rng);
	return true;
}

static int name_order(const void *a, const void *b)
{
	return str_cmp(((const struct role *)a)->name, ((const struct role *)b)->name);
}

/* Its members stay; peers that name it are left with a role that is not there. */
static bool rename_role(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);
	struct str old = role->name;

	if (machine_of_role(old).n > 0)
		return false;
	role->name = str_format(arena, "%.*s-anew", STR_ARG(old));
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < fleet->machines[i].role_count; k++)
			if (str_eq(fleet->machines[i].roles[k], old)) {
				COPY(arena, fleet->machines[i].roles, fleet->machines[i].role_count);
				fleet->machines[i].roles[k] = role->name;
				qsort(fleet->machines[i].roles, fleet->machines[i].role_count,
				      sizeof(struct str), str_order);
			}
	qsort(fleet->roles, fleet->role_count, sizeof *fleet->roles, name_order);
	return true;
}

static bool remove_role(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	COPY(arena, fleet->roles, fleet->role_count);
	take_out(fleet->roles, &fleet->role_count, sizeof *fleet->roles, rng_below(rng, fleet->role_count));
	return true;
}

/* --- rules --- */

static bool toggle_rule(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role_rule *rule = some_rule(arena, rng, fleet);

	if (rule != NULL)
		rule->enabled = !rule->enabled;
	return rule != NULL;
}

static bool comment_rule(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role_rule *rule = some_rule(arena, rng, fleet);

	if (rule == NULL)
		return false;
	rule->rule.comment = random_line(arena, rng);
	rule->ticket = random_line(arena, rng);
	rule->owner = random_line(arena, rng);
	return true;
}

static bool drop_rule(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);

	if (role->rule_count == 0)
		return false;
	COPY(arena, role->rules, role->rule_count);
	take_out(role->rules, &role->rule_count, sizeof *role->rules, rng_below(rng, role->rule_count));
	return true;
}

static int rule_order(const void *a, const void *b)
{
	return str_cmp(((const struct role_rule *)a)->text, ((const struct role_rule *)b)->text);
}

static void add_canonical(struct arena *arena, struct role *role, const struct role_rule *rule)
{
	COPY(arena, role->rules, role->rule_count);
	role->rules[role->rule_count++] = *rule;
	qsort(role->rules, role->rule_count, sizeof *role->rules, rule_order);
}

static bool has_text(const struct role *role, struct str text)
{
	for (size_t i = 0; i < role->rule_count; i++)
		if (str_eq(role->rules[i].text, text))
			return true;
	return false;
}

/* One that another role has: another peer for `self`, the same for the rest. */
static bool add_rule(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);
	const struct role_rule *rule = some_rule(arena, rng, fleet);

	if (rule == NULL || has_text(role, rule->text))
		return false;
	add_canonical(arena, role, rule);
	return true;
}

/* Another word in a rule: whichever of its clauses. */
static bool change_rule(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct role *role = some_role(rng, fleet);
	struct role_rule changed;
	struct error *error;
	bool stored;

	if (role->rule_count == 0)
		return false;
	COPY(arena, role->rules, role->rule_count);
	size_t at = rng_below(rng, role->rule_count);

	changed = role->rules[at];
	switch (rng_below(rng, 5)) {
	case 0:
		changed.rule.log = !changed.rule.log;
		break;
	case 1:
		changed.rule.action = (enum action)((changed.rule.action + 1) % 3);
		changed.rule.limit_unit = LIMIT_NONE;
		changed.rule.limit = 0;
		break;
	case 2:
		changed.rule.direction = changed.rule.direction == DIRECTION_IN ? DIRECTION_OUT : DIRECTION_IN;
		break;
	case 3:
		changed.rule.interface = changed.rule.interface.n > 0 ? STR("") : STR("eth7");
		break;
	default:
		changed.rule.until = 1900000000 + (int64_t)rng_below(rng, 1000);
		changed.rule.since = TIME_NONE;
	}
	error = rule_normalize(arena, &changed.rule, &stored);
	if (error != NULL || !stored)
		return false;
	changed.text = rule_text(arena, &changed.rule);
	if (has_text(role, changed.text))
		return false;
	take_out(role->rules, &role->rule_count, sizeof *role->rules, at);
	add_canonical(arena, role, &changed);
	return true;
}

/* --- networks, services, time --- */

static bool drop_prefix(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct network *network = PICK(rng, fleet->networks, fleet->network_count);

	if (network == NULL || network->prefix_count == 0)
		return false;
	COPY(arena, network->prefixes, network->prefix_count);
	take_out(network->prefixes, &network->prefix_count, sizeof *network->prefixes,
	         rng_below(rng, network->prefix_count));
	return true;
}

static bool remove_network(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	if (fleet->network_count == 0)
		return false;
	COPY(arena, fleet->networks, fleet->network_count);
	take_out(fleet->networks, &fleet->network_count, sizeof *fleet->networks,
	         rng_below(rng, fleet->network_count));
	return true;
}

static bool change_service(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct service *service = PICK(rng, fleet->services, fleet->service_count);

	if (service == NULL || service->count == 0)
		return false;
	COPY(arena, service->ports, service->count);
	struct service_port *port = PICK(rng, service->ports, service->count);

	COPY(arena, port->ports, port->port_count);
	if (port->port_count > 1)
		port->port_count--;
	else
		port->ports[0] = (struct port_range){port->ports[0].first / 2, port->ports[0].first / 2};
	return true;
}

static bool drop_service_port(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct service *service = PICK(rng, fleet->services, fleet->service_count);

	if (service == NULL || service->count == 0)
		return false;
	COPY(arena, service->ports, service->count);
	take_out(service->ports, &service->count, sizeof *service->ports, rng_below(rng, service->count));
	return true;
}

/* Its last protocol becomes one that no other is. */
static bool change_protocol(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	struct service *service = PICK(rng, fleet->services, fleet->service_count);

	if (service == NULL || service->count == 0 || service->ports[service->count - 1].protocol > 250)
		return false;
	COPY(arena, service->ports, service->count);
	service->ports[service->count - 1].protocol = PROTOCOL_UDPLITE + 1;
	return true;
}

/* To where some rule begins or ends. */
static bool pass_time(struct arena *arena, struct rng *rng, struct fleet *fleet)
{
	for (int i = 0; i < 50; i++) {
		const struct role_rule *rule = some_rule(arena, rng, fleet);

		if (rule != NULL && rule->rule.until != TIME_NONE) {
			fleet->clock = rule->rule.until;
			return true;
		}
		if (rule != NULL && rule->rule.since != TIME_NONE) {
			fleet->clock = rule->rule.since;
			return true;
		}
	}
	return false;
}

const struct fleet_change fleet_changes[] = {
	{"a machine is enabled or disabled", toggle_enabled, false},
	{"a machine changes its mode", toggle_mode, false},
	{"a machine changes its enforcement", turn_enforcement, false},
	{"a machine moves its SSH port", move_ssh_port, false},
	{"a machine is reached by another host name", move_ssh_host, true},
	{"a label changes", change_label, false},
	{"a label goes", drop_label, false},
	{"a machine gets a selector's labels", give_labels, false},
	{"an address comes", add_address, false},
	{"an address moves", move_address, false},
	{"an address changes its label", change_address_label, false},
	{"an address goes", drop_address, false},
	{"a machine joins or leaves a role", toggle_membership, false},
	{"a machine goes", remove_machine, false},
	{"a machine comes", add_machine, false},
	{"egress opens or closes", toggle_egress, false},
	{"a selector comes or goes", toggle_selector, false},
	{"a selector widens", widen_selector, false},
	{"a role is described anew", rename_owner, true},
	{"a role is renamed", rename_role, false},
	{"a role goes", remove_role, false},
	{"a rule is enabled or disabled", toggle_rule, false},
	{"a rule is commented", comment_rule, true},
	{"a rule goes", drop_rule, false},
	{"a rule comes", add_rule, false},
	{"a rule changes", change_rule, false},
	{"a prefix goes", drop_prefix, false},
	{"a network goes", remove_network, false},
	{"a service's ports change", change_service, false},
	{"a service loses a protocol", drop_service_port, false},
	{"a service changes a protocol", change_protocol, false},
	{"time passes", pass_time, false},
	{NULL, NULL, false},
};
