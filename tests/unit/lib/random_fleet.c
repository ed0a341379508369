/* Arbitrary valid fleets. Every name that a rule may draw exists before the first rule is made, so references always
 * hold. */
#include "random_fleet.h"

#include <assert.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct making {
	struct arena *arena;
	struct rng *rng;
	struct fleet fleet;
	struct rule_names names;
};

/* --- text --- */

static const char *const pieces[] = {
	"a",     "b c", "\"", "\\",   "\\n", "#", "//",    "/*",    "*/",         "@include",
	"{",     "}",   "(",  "]",    ";",   "=", ",",     "ä",     "漢",         "🔥",
	"\\x00", "'",   "--", "$(x)", "%s",  "`", "&amp;", "{{x}}", "x\xc2\xa0y",
};

struct str random_line(struct arena *arena, struct rng *rng)
{
	struct buf buf = buf_new(arena);
	size_t count = 1 + rng_below(rng, 6);

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && rng_chance(rng, 40))
			buf_char(&buf, ' ');
		buf_add(&buf, str_of(pieces[rng_below(rng, COUNT(pieces))]));
	}
	return buf_str(&buf);
}

static struct str maybe_line(struct making *making, unsigned percent)
{
	return rng_chance(making->rng, percent) ? random_line(making->arena, making->rng) : STR("");
}

/* --- labels --- */

static const char *const keys[] = {
	"env", "tier", "kubernetes.io/x", "a b", "\"", "true", "FALSE", "ä", "9lives", "Env", "_x", "*", "x-1",
	"a#b", "\\",
};
static const char *const values[] = {"prod", "test", "", "a=b", "\"", "\\", "ä", "x;y", "{}", "#"};

static void random_labels(struct making *making, struct label **labels, size_t *count)
{
	size_t wanted = rng_below(making->rng, 4), at = rng_below(making->rng, COUNT(keys));

	*labels = ARENA_ARRAY(making->arena, struct label, wanted);
	for (*count = 0; *count < wanted; (*count)++)
		(*labels)[*count] = (struct label){str_of(keys[(at + *count) % COUNT(keys)]),
		                                   str_of(values[rng_below(making->rng, COUNT(values))])};
}

/* --- names --- */

static struct str *names_like(struct making *making, const char *word, size_t count)
{
	struct str *names = ARENA_ARRAY(making->arena, struct str, count);

	for (size_t i = 0; i < count; i++)
		names[i] = str_format(making->arena, "%s%s%zu", word, rng_chance(making->rng, 50) ? "-" : "", i);
	return names;
}

static const struct str labels_of_addresses[] = {{"private", 7}, {"public", 6}, {"management", 10}, {"0", 1}};

static void make_names(struct making *making, size_t size)
{
	struct rule_names *names = &making->names;

	names->machine_count = size;
	names->role_count = 1 + size / 2;
	names->network_count = 1 + size / 4;
	names->service_count = 1 + size / 4;
	names->machines = names_like(making, "m.x", names->machine_count);
	names->roles = names_like(making, "role.", names->role_count);
	names->networks = names_like(making, "net", names->network_count);
	names->services = names_like(making, "service", names->service_count);
	names->labels = labels_of_addresses;
	names->label_count = COUNT(labels_of_addresses);
}

/* --- objects --- */

static struct addr random_addr(struct rng *rng)
{
	unsigned char bytes[16];
	enum family family = rng_chance(rng, 50) ? FAMILY_4 : FAMILY_6;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = rng_chance(rng, 30) ? 0 : (unsigned char)rng_next(rng);
	return addr_of_bytes(family, bytes);
}

static struct prefix random_prefix(struct rng *rng)
{
	struct addr addr = random_addr(rng);
	unsigned width = family_width(addr.family), length = (unsigned)rng_below(rng, width + 1);

	addr.bits = length == 0 ? 0 : addr.bits >> (width - length) << (width - length);
	return (struct prefix){addr, length};
}

static struct network random_network(struct making *making, struct str name)
{
	struct network network = {.name = name, .given = GIVEN_ALL, .prefix_count = rng_below(making->rng, 12)};

	network.prefixes = ARENA_ARRAY(making->arena, struct prefix, network.prefix_count);
	for (size_t i = 0; i < network.prefix_count; i++)
		network.prefixes[i] = random_prefix(making->rng);
	return network;
}

static struct service random_service(struct making *making, struct str name)
{
	static const uint8_t protocols[] = {PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_UDPLITE, PROTOCOL_SCTP, PROTOCOL_DCCP};
	struct service service = {.name = name, .given = GIVEN_ALL, .count = rng_below(making->rng, 4)};

	service.ports = ARENA_ARRAY(making->arena, struct service_port, service.count);
	for (size_t i = 0; i < service.count; i++) {
		struct service_port *port = &service.ports[i];

		port->protocol = protocols[rng_below(making->rng, COUNT(protocols))];
		port->port_count = 1 + rng_below(making->rng, 5);
		port->ports = ARENA_ARRAY(making->arena, struct port_range, port->port_count);
		for (size_t j = 0; j < port->port_count; j++) {
			uint16_t first = (uint16_t)rng_next(making->rng);

			port->ports[j] = (struct port_range){first, rng_chance(making->rng, 50) ? first : UINT16_MAX};
		}
	}
	return service;
}

/* A rule once; what a role says twice must be the same twice. */
static bool has_rule(const struct role *role, struct str text)
{
	for (size_t i = 0; i < role->rule_count; i++)
		if (str_eq(role->rules[i].text, text))
			return true;
	return false;
}

static void random_rules(struct making *making, struct role *role)
{
	size_t count = rng_below(making->rng, 7);

	role->rules = ARENA_ARRAY(making->arena, struct role_rule, count);
	for (size_t i = 0; i < count; i++) {
		struct role_rule rule = {.rule = random_rule(making->arena, making->rng, &making->names),
		                         .enabled = rng_chance(making->rng, 80)};
		bool stored;
		struct error *error = rule_normalize(making->arena, &rule.rule, &stored);

		assert(error == NULL);
		(void)error;
		rule.rule.comment = maybe_line(making, 30);
		rule.ticket = maybe_line(making, 30);
		rule.owner = maybe_line(making, 20);
		rule.text = rule_text(making->arena, &rule.rule);
		if (stored && !has_rule(role, rule.text))
			role->rules[role->rule_count++] = rule;
	}
}

static struct role random_role(struct making *making, struct str name)
{
	struct role role = {.name = name, .given = GIVEN_ALL};
	bool own = machine_of_role(name).n > 0;

	role.description = maybe_line(making, own ? 10 : 50);
	role.owner = maybe_line(making, own ? 10 : 30);
	role.egress = rng_chance(making->rng, 20) ? EGRESS_CLOSED : EGRESS_OPEN;
	role.has_selector = !own && rng_chance(making->rng, 50);
	if (role.has_selector)
		random_labels(making, &role.selector, &role.selector_count);
	random_rules(making, &role);
	return role;
}

static void random_addresses(struct making *making, struct machine *machine)
{
	machine->address_count = rng_below(making->rng, 5);
	machine->addresses = ARENA_ARRAY(making->arena, struct machine_address, machine->address_count);
	for (size_t i = 0; i < machine->address_count; i++) {
		machine->addresses[i].addr = random_addr(making->rng);
		if (rng_chance(making->rng, 40))
			machine->addresses[i].label =
				labels_of_addresses[rng_below(making->rng, COUNT(labels_of_addresses))];
	}
}

static struct machine random_machine(struct making *making, struct str name)
{
	static const char *const hosts[] = {"", "", "jump.example.net", "2001:db8::1", "HOST_1"};
	struct rng *rng = making->rng;
	struct machine machine = {.name = name, .given = GIVEN_ALL, .enabled = rng_chance(rng, 80)};

	machine.mode = rng_chance(rng, 30) ? MODE_COEXIST : MODE_EXCLUSIVE;
	machine.enforcement = rng_chance(rng, 70)   ? ENFORCEMENT_ENFORCE
	                      : rng_chance(rng, 50) ? ENFORCEMENT_MONITOR
	                                            : ENFORCEMENT_UNMANAGED;
	machine.ssh_port = rng_chance(rng, 70) ? 0 : 1 + (unsigned)rng_below(rng, 65535);
	machine.ssh_host = str_of(hosts[rng_below(rng, COUNT(hosts))]);
	random_labels(making, &machine.labels, &machine.label_count);
	random_addresses(making, &machine);
	machine.role_count = rng_below(rng, 9);
	machine.roles = ARENA_ARRAY(making->arena, struct str, machine.role_count);
	for (size_t i = 0; i < machine.role_count; i++)
		machine.roles[i] = making->names.roles[rng_below(rng, making->names.role_count)];
	return machine;
}

/* Some machines have rules of their own. */
static void make_roles(struct making *making)
{
	const struct rule_names *names = &making->names;
	struct fleet *fleet = &making->fleet;

	fleet->roles = ARENA_ARRAY(making->arena, struct role, names->role_count + names->machine_count);
	for (size_t i = 0; i < names->role_count; i++)
		fleet->roles[fleet->role_count++] = random_role(making, names->roles[i]);
	for (size_t i = 0; i < names->machine_count; i++)
		if (rng_chance(making->rng, 20))
			fleet->roles[fleet->role_count++] =
				random_role(making, machine_role_name(making->arena, names->machines[i]));
}

static void make_objects(struct making *making)
{
	const struct rule_names *names = &making->names;
	struct fleet *fleet = &making->fleet;

	fleet->machines = ARENA_ARRAY(making->arena, struct machine, names->machine_count);
	for (size_t i = 0; i < names->machine_count; i++)
		fleet->machines[fleet->machine_count++] = random_machine(making, names->machines[i]);
	fleet->networks = ARENA_ARRAY(making->arena, struct network, names->network_count);
	for (size_t i = 0; i < names->network_count; i++)
		fleet->networks[fleet->network_count++] = random_network(making, names->networks[i]);
	fleet->services = ARENA_ARRAY(making->arena, struct service, names->service_count);
	for (size_t i = 0; i < names->service_count; i++)
		fleet->services[fleet->service_count++] = random_service(making, names->services[i]);
	make_roles(making);
}

/* The same address with two labels is no valid machine; chance would have it one day. */
static void drop_double_addresses(struct machine *machine)
{
	size_t kept = 0;

	for (size_t i = 0; i < machine->address_count; i++) {
		size_t same = 0;

		while (same < kept && addr_cmp(machine->addresses[same].addr, machine->addresses[i].addr) != 0)
			same++;
		if (same == kept)
			machine->addresses[kept++] = machine->addresses[i];
	}
	machine->address_count = kept;
}

struct fleet random_fleet(struct arena *arena, struct rng *rng, size_t size)
{
	struct making making = {.arena = arena, .rng = rng, .fleet = {.clock = TIME_NONE}};
	struct error *error;

	make_names(&making, size > 0 ? size : 1);
	make_objects(&making);
	for (size_t i = 0; i < making.fleet.machine_count; i++)
		drop_double_addresses(&making.fleet.machines[i]);
	error = fleet_normalize(arena, &making.fleet);
	assert(error == NULL);
	(void)error;
	return making.fleet;
}
