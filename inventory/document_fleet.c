/* The objects of a document: nodes become machines, roles, networks and services (SPEC §4). Every field of every kind
 * stands in a table; what is in no table is refused. Reads no file and looks up no reference. */
#include "fleetwall/document.h"

#include "document_values.h"
#include "fleet_fields.h"
#include "fleetwall/arena.h"

/* An address of a list is compared with those before it; of longer lists fleet_normalize() finds what is given twice,
 * by sorting. */
#define COMPARED_ADDRESSES 1000

/* --- machines --- */

/* A machine's own rules are a role beside it. */
struct machine_reading {
	struct machine machine;
	struct role own;
	bool has_rules;
};

static void read_machine_name(struct reader *reader, const struct node *node, void *object)
{
	struct machine *machine = &((struct machine_reading *)object)->machine;
	struct str name = node_name(reader, node);

	if (node->spot->kind == SPOT_STRING)
		machine->name = node_checked(reader, node, name, machine_name_check(name));
}

static void read_address_text(struct reader *reader, const struct node *node, void *object)
{
	struct machine_address *address = object;

	if (!node_is_string(reader, node, "write \"10.0.0.5\""))
		return;
	if (!addr_parse(node->string, &address->addr))
		node_fault(
			reader, node,
			error_hint(error_new(ERROR_INPUT, "\"%s\" is no IPv4 or IPv6 address", SHOWN(node->string)),
		                   "one host address, without prefix length; names are not looked up"));
}

static void read_address_label(struct reader *reader, const struct node *node, void *object)
{
	struct str label = node_name(reader, node);

	if (label.n > 0)
		((struct machine_address *)object)->label =
			node_checked(reader, node, label, name_check(label, "address label"));
}

static const struct field address_fields[] = {
	{"address", 0, read_address_text},
	{"label", 0, read_address_label},
	{0},
};

/* The same address again with another label is a fault, and its place is known here. */
static bool is_given_otherwise(struct reader *reader, const struct node *node, const struct machine *machine,
                               const struct machine_address *address)
{
	size_t count = machine->address_count < COMPARED_ADDRESSES ? machine->address_count : COMPARED_ADDRESSES;

	for (size_t i = 0; i < count; i++) {
		if (addr_cmp(machine->addresses[i].addr, address->addr) != 0 ||
		    str_eq(machine->addresses[i].label, address->label))
			continue;
		node_fault(reader, node, error_new(ERROR_INPUT, "address %.*s is given twice, with different labels",
		                              STR_ARG(addr_str(reader->arena, address->addr))));
		return true;
	}
	return false;
}

static void read_addresses(struct reader *reader, const struct node *node, void *object)
{
	struct machine *machine = &((struct machine_reading *)object)->machine;

	if (!node_is_list(reader, node, "write [ \"10.0.0.5\" ]"))
		return;
	machine->addresses = ARENA_ARRAY(reader->arena, struct machine_address, node->count);
	for (size_t i = 0; i < node->count; i++) {
		const struct node *child = &node->children[i];
		struct machine_address address = {0};

		if (child->spot->kind == SPOT_GROUP)
			node_group(reader, child, address_fields, "address", &address);
		else
			read_address_text(reader, child, &address);
		if (address.addr.family != 0 && !is_given_otherwise(reader, child, machine, &address))
			machine->addresses[machine->address_count++] = address;
	}
}

static void read_machine_roles(struct reader *reader, const struct node *node, void *object)
{
	struct machine *machine = &((struct machine_reading *)object)->machine;

	if (!node_is_list(reader, node, "write [ \"mysql\" ]"))
		return;
	machine->roles = ARENA_ARRAY(reader->arena, struct str, node->count);
	for (size_t i = 0; i < node->count; i++) {
		const struct node *child = &node->children[i];
		struct str role = node_name(reader, child);

		if (child->spot->kind != SPOT_STRING)
			continue;
		role = node_checked(reader, child, role, name_check(role, "role"));
		if (role.n > 0)
			machine->roles[machine->role_count++] = role;
	}
}

static void read_machine_labels(struct reader *reader, const struct node *node, void *object)
{
	struct machine *machine = &((struct machine_reading *)object)->machine;

	node_labels(reader, node, &machine->labels, &machine->label_count);
}

static void read_mode(struct reader *reader, const struct node *node, void *object)
{
	struct machine *machine = &((struct machine_reading *)object)->machine;
	const struct str words[] = {mode_str(MODE_EXCLUSIVE), mode_str(MODE_COEXIST)};

	if (node_is_string(reader, node, "write \"exclusive\" or \"coexist\"") &&
	    !mode_parse(node->string, &machine->mode))
		node_unknown_word(reader, node, "mode", words, 2);
}

static void read_enforcement(struct reader *reader, const struct node *node, void *object)
{
	struct machine *machine = &((struct machine_reading *)object)->machine;
	const struct str words[] = {enforcement_str(ENFORCEMENT_ENFORCE), enforcement_str(ENFORCEMENT_MONITOR),
	                            enforcement_str(ENFORCEMENT_UNMANAGED)};

	if (node_is_string(reader, node, "write \"enforce\", \"monitor\" or \"unmanaged\"") &&
	    !enforcement_parse(node->string, &machine->enforcement))
		node_unknown_word(reader, node, "enforcement", words, 3);
}

static void read_enabled(struct reader *reader, const struct node *node, void *object)
{
	((struct machine_reading *)object)->machine.enabled = node_boolean(reader, node, true);
}

/* By its digits as written: libconfig reads 010 as eight. */
static void read_ssh_port(struct reader *reader, const struct node *node, void *object)
{
	struct str digits = str_slice(reader->document->text, node->spot->at, node->spot->at + node->spot->n);
	uint64_t port;

	if (node->spot->kind != SPOT_NUMBER)
		node_wrong_kind(reader, node, "a number", "write it without quotes; 0 is the configured port");
	else if (!str_number(digits, 65535, &port) || (digits.n > 1 && digits.p[0] == '0'))
		node_fault(reader, node,
		           error_hint(error_new(ERROR_INPUT, "ssh_port %s is out of range", SHOWN(digits)),
		                      "a port is 1 to 65535, in decimal; 0 is the configured port"));
	else
		((struct machine_reading *)object)->machine.ssh_port = (unsigned)port;
}

static void read_ssh_host(struct reader *reader, const struct node *node, void *object)
{
	struct machine *machine = &((struct machine_reading *)object)->machine;

	if (node_is_string(reader, node, "write it in quotes"))
		machine->ssh_host = node_checked(reader, node, node->string, ssh_host_check(node->string));
}

static void read_machine_rules(struct reader *reader, const struct node *node, void *object)
{
	struct machine_reading *reading = object;

	reading->has_rules = true;
	reading->own.place = node_name_place(reader, node);
	node_rules(reader, node, &reading->own);
}

static const struct field machine_fields[] = {
	{"name", 0, read_machine_name},
	{"addresses", GIVEN_ADDRESSES, read_addresses},
	{"roles", GIVEN_ROLES, read_machine_roles},
	{"labels", GIVEN_LABELS, read_machine_labels},
	{"mode", GIVEN_MODE, read_mode},
	{"enforcement", GIVEN_ENFORCEMENT, read_enforcement},
	{"enabled", GIVEN_ENABLED, read_enabled},
	{"ssh_port", GIVEN_SSH_PORT, read_ssh_port},
	{"ssh_host", GIVEN_SSH_HOST, read_ssh_host},
	{"rules", 0, read_machine_rules},
	{0},
};

static void read_machine(struct reader *reader, const struct node *node)
{
	struct machine_reading reading = {.machine = {.place = node_place(reader, node), .enabled = true}};

	reading.machine.given = node_group(reader, node, machine_fields, "machine", &reading);
	if (reading.machine.name.n == 0)
		return;
	APPEND(reader->arena, &reader->machines, reading.machine);
	if (!reading.has_rules)
		return;
	reading.own.name = machine_role_name(reader->arena, reading.machine.name);
	reading.own.given = GIVEN_RULES;
	APPEND(reader->arena, &reader->roles, reading.own);
}

/* --- roles --- */

static void read_role_name(struct reader *reader, const struct node *node, void *object)
{
	struct str name = node_name(reader, node);

	if (node->spot->kind == SPOT_STRING)
		((struct role *)object)->name = node_checked(reader, node, name, role_name_check(name));
}

static void read_description(struct reader *reader, const struct node *node, void *object)
{
	((struct role *)object)->description = node_line(reader, node, "description");
}

static void read_owner(struct reader *reader, const struct node *node, void *object)
{
	((struct role *)object)->owner = node_line(reader, node, "owner");
}

/* `{ }` is every machine, "none" is none. An empty list could be meant as either, so it is neither. */
static void read_selector(struct reader *reader, const struct node *node, void *object)
{
	static const char hint[] =
		"{ } selects every machine, { env = \"prod\"; } those with that label, \"none\" none";
	struct role *role = object;

	if (node->spot->kind == SPOT_STRING && str_is(node->string, "none"))
		return;
	if (node->spot->kind == SPOT_STRING ||
	    ((node->spot->kind == SPOT_LIST || node->spot->kind == SPOT_ARRAY) && node->count == 0)) {
		node_fault(reader, node, error_hint(error_new(ERROR_INPUT, "this is no selector"), "%s", hint));
		return;
	}
	role->has_selector = true;
	node_labels(reader, node, &role->selector, &role->selector_count);
}

static void read_egress(struct reader *reader, const struct node *node, void *object)
{
	const struct str words[] = {egress_str(EGRESS_OPEN), egress_str(EGRESS_CLOSED)};

	if (node_is_string(reader, node, "write \"open\" or \"closed\"") &&
	    !egress_parse(node->string, &((struct role *)object)->egress))
		node_unknown_word(reader, node, "egress", words, 2);
}

static void read_role_rules(struct reader *reader, const struct node *node, void *object)
{
	node_rules(reader, node, object);
}

static const struct field role_fields[] = {
	{"name", 0, read_role_name},
	{"description", GIVEN_DESCRIPTION, read_description},
	{"owner", GIVEN_OWNER, read_owner},
	{"selector", GIVEN_SELECTOR, read_selector},
	{"egress", GIVEN_EGRESS, read_egress},
	{"rules", GIVEN_RULES, read_role_rules},
	{0},
};

/* A machine's own role is mostly its machine's field `rules`; among the roles it has the fields that are left. */
static void check_machine_role(struct reader *reader, const struct node *node, const struct role *role)
{
	if (machine_of_role(role->name).n > 0 && (role->given & GIVEN_RULES))
		node_fault(reader, node,
		           error_hint(error_new(ERROR_INPUT, "a machine's own rules are not given among the roles"),
		                      "they are the field `rules` of the machine"));
}

static void read_role(struct reader *reader, const struct node *node)
{
	struct role role = {.place = node_place(reader, node)};

	role.given = node_group(reader, node, role_fields, "role", &role);
	if (role.name.n == 0)
		return;
	check_machine_role(reader, node, &role);
	APPEND(reader->arena, &reader->roles, role);
}

/* --- networks --- */

static void read_network_name(struct reader *reader, const struct node *node, void *object)
{
	struct str name = node_name(reader, node);

	if (node->spot->kind == SPOT_STRING)
		((struct network *)object)->name = node_checked(reader, node, name, name_check(name, "network"));
}

static void read_prefixes(struct reader *reader, const struct node *node, void *object)
{
	struct network *network = object;

	if (!node_is_list(reader, node, "write [ \"10.0.0.0/8\" ]"))
		return;
	network->prefixes = ARENA_ARRAY(reader->arena, struct prefix, node->count);
	for (size_t i = 0; i < node->count; i++) {
		const struct node *child = &node->children[i];
		struct prefix *prefix = &network->prefixes[network->prefix_count];
		enum prefix_fault bad;

		if (!node_is_string(reader, child, "write \"10.0.0.0/8\""))
			continue;
		bad = prefix_parse(child->string, prefix);
		node_fault(reader, child, prefix_fault_error(bad, child->string, *prefix));
		network->prefix_count += bad == PREFIX_OK;
	}
}

static const struct field network_fields[] = {
	{"name", 0, read_network_name},
	{"prefixes", GIVEN_PREFIXES, read_prefixes},
	{0},
};

static void read_network(struct reader *reader, const struct node *node)
{
	struct network network = {.place = node_place(reader, node)};

	network.given = node_group(reader, node, network_fields, "network", &network);
	if (network.name.n > 0)
		APPEND(reader->arena, &reader->networks, network);
}

/* --- services --- */

static void read_service_name(struct reader *reader, const struct node *node, void *object)
{
	struct str name = node_name(reader, node);

	if (node->spot->kind == SPOT_STRING)
		((struct service *)object)->name = node_checked(reader, node, name, service_name_check(name));
}

static void read_ports(struct reader *reader, const struct node *node, void *object)
{
	struct service *service = object;

	if (!node_is_list(reader, node, "write [ \"9200/tcp\" ]"))
		return;
	service->ports = ARENA_ARRAY(reader->arena, struct service_port, node->count);
	for (size_t i = 0; i < node->count; i++) {
		const struct node *child = &node->children[i];
		struct service_port *port = &service->ports[service->count];
		struct error *error;

		if (!node_is_string(reader, child, "write \"9200/tcp\""))
			continue;
		error = ports_parse(reader->arena, child->string, &port->protocol, &port->ports, &port->port_count);
		node_fault(reader, child, error);
		service->count += error == NULL;
	}
}

static const struct field service_fields[] = {
	{"name", 0, read_service_name},
	{"ports", GIVEN_PORTS, read_ports},
	{0},
};

static void read_service(struct reader *reader, const struct node *node)
{
	struct service service = {.place = node_place(reader, node)};

	service.given = node_group(reader, node, service_fields, "service", &service);
	if (service.name.n > 0)
		APPEND(reader->arena, &reader->services, service);
}

/* --- the whole --- */

/* Whose document it is; without it, nothing belongs to the document. */
static void read_document_owner(struct reader *reader, const struct node *node)
{
	struct str name = node_name(reader, node);

	if (node->spot->kind == SPOT_STRING)
		reader->owner = node_checked(reader, node, name, name_check(name, "owner"));
}

static void read_objects(struct reader *reader, const struct node *node,
                         void (*read)(struct reader *reader, const struct node *node))
{
	if (!node_is_list(reader, node, "write ( { name = \"…\"; }, … )"))
		return;
	for (size_t i = 0; i < node->count; i++) {
		if (node->children[i].spot->kind == SPOT_GROUP)
			read(reader, &node->children[i]);
		else
			node_wrong_kind(reader, &node->children[i], "a group", "write { name = \"…\"; }");
	}
}

/* What a document has: lists of objects, read one by one, and its owner. */
static const struct setting {
	const char *name;
	bool is_list;
	void (*read)(struct reader *reader, const struct node *node);
} settings[] = {
	{"owner", false, read_document_owner},
	{"networks", true, read_network},
	{"services", true, read_service},
	{"roles", true, read_role},
	{"machines", true, read_machine},
};

#define SETTINGS (sizeof settings / sizeof *settings)

static void read_setting(struct reader *reader, const struct node *node)
{
	struct str words[SETTINGS];
	struct error *error;

	for (size_t i = 0; i < SETTINGS; i++) {
		words[i] = str_of(settings[i].name);
		if (!str_eq(node->name, words[i]))
			continue;
		if (settings[i].is_list)
			read_objects(reader, node, settings[i].read);
		else
			settings[i].read(reader, node);
		return;
	}
	error = error_hint(error_new(ERROR_INPUT, "unknown setting \"%s\"", SHOWN(node->name)),
	                   "a document has networks, services, roles and machines, and an owner");
	faults_add(&reader->document->faults,
	           error_at(hint_nearest(error, node->name, words, SETTINGS), node_name_place(reader, node)));
}

void document_fleet(struct document *document, const struct node *root, struct fleet *fleet)
{
	struct reader reader = {.document = document, .arena = document->arena};

	for (size_t i = 0; i < root->count; i++)
		read_setting(&reader, &root->children[i]);
	fleet->owner = reader.owner;
	fleet->machines = reader.machines.items;
	fleet->machine_count = reader.machines.count;
	fleet->roles = reader.roles.items;
	fleet->role_count = reader.roles.count;
	fleet->networks = reader.networks.items;
	fleet->network_count = reader.networks.count;
	fleet->services = reader.services.items;
	fleet->service_count = reader.services.count;
	fleet->sources = ARENA_NEW(document->arena, struct source);
	*fleet->sources = (struct source){document->name, document->text};
	fleet->source_count = 1;
	faults_add(&document->faults, fleet_normalize(document->arena, fleet));
}
