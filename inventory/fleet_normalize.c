/* Puts a fleet in order: folds and checks names, sorts every list, joins what repeats, and names what is given twice
 * with different content. Looks up no reference, and reads no file. */
#include "fleetwall/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "fleet_faults.h"
#include "fleet_fields.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* --- lists of strings, addresses, rules --- */

static int address_order(const void *a, const void *b)
{
	const struct machine_address *x = a, *y = b;
	int order = addr_cmp(x->addr, y->addr);

	return order != 0 ? order : str_cmp(x->label, y->label);
}

static int prefix_order(const void *a, const void *b)
{
	return range_cmp(prefix_range(*(const struct prefix *)a), prefix_range(*(const struct prefix *)b));
}

static int rule_order(const void *a, const void *b)
{
	const struct role_rule *x = a, *y = b;
	int order = str_cmp(x->text, y->text);

	/* Where two say the same rule, the one that was written first is first, so that the second is the one at fault.
	 */
	if (order == 0)
		order = (x->place.line > y->place.line) - (x->place.line < y->place.line);
	return order != 0 ? order : (x->place.column > y->place.column) - (x->place.column < y->place.column);
}

static int service_port_order(const void *a, const void *b)
{
	const struct service_port *x = a, *y = b;

	return x->protocol - y->protocol;
}

static bool is_sorted(const void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
	const char *p = items;

	for (size_t i = 1; i < count; i++)
		if (order(p + (i - 1) * size, p + i * size) > 0)
			return false;
	return true;
}

/* Most lists come sorted. */
static void sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
	if (!is_sorted(items, count, size, order))
		qsort(items, count, size, order);
}

static size_t strings_join(struct str *strings, size_t count)
{
	size_t kept = 0;

	sort(strings, count, sizeof *strings, str_order);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !str_eq(strings[kept - 1], strings[i]))
			strings[kept++] = strings[i];
	return kept;
}

static struct error *addresses_join(struct machine *machine)
{
	struct machine_address *list = machine->addresses;
	struct error *errors = NULL;
	size_t kept = 0;

	sort(list, machine->address_count, sizeof *list, address_order);
	for (size_t i = 0; i < machine->address_count; i++) {
		if (kept == 0 || addr_cmp(list[kept - 1].addr, list[i].addr) != 0) {
			list[kept++] = list[i];
		} else if (!str_eq(list[kept - 1].label, list[i].label)) {
			struct arena *scratch = arena_new();

			error_collect(&errors,
			              error_new(ERROR_INPUT, "address %.*s is given twice, with different labels",
			                        STR_ARG(addr_str(scratch, list[i].addr))));
			arena_free(scratch);
		}
	}
	machine->address_count = kept;
	return errors;
}

static size_t prefixes_join(struct prefix *prefixes, size_t count)
{
	size_t kept = 0;

	sort(prefixes, count, sizeof *prefixes, prefix_order);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || prefix_order(&prefixes[kept - 1], &prefixes[i]) != 0)
			prefixes[kept++] = prefixes[i];
	return kept;
}

static bool role_rule_same(const struct role_rule *a, const struct role_rule *b)
{
	return str_eq(a->text, b->text) && str_eq(a->ticket, b->ticket) && str_eq(a->owner, b->owner) &&
	       str_eq(a->rule.comment, b->rule.comment) && a->enabled == b->enabled;
}

static struct error *first_at(struct error *error, struct place first)
{
	if (first.line == 0)
		return error;
	return error_hint(error, "it is given first in %.*s:%u", STR_ARG(first.file), first.line);
}

static struct error *rule_twice(const struct role_rule *first, const struct role_rule *second)
{
	struct error *error =
		error_new(ERROR_INPUT, "rule \"%s\" is given twice, with different ticket, owner, state or comment",
	                  SHOWN(second->text));

	return error_at(first_at(error, first->place), second->place);
}

struct error *role_rules_join(struct role_rule *list, size_t *count)
{
	struct error *errors = NULL;
	size_t kept = 0;

	sort(list, *count, sizeof *list, rule_order);
	for (size_t i = 0; i < *count; i++) {
		if (kept == 0 || !str_eq(list[kept - 1].text, list[i].text))
			list[kept++] = list[i];
		else if (!role_rule_same(&list[kept - 1], &list[i]))
			error_collect(&errors, rule_twice(&list[kept - 1], &list[i]));
	}
	*count = kept;
	return errors;
}

static size_t service_ports_join(struct arena *arena, struct service_port *list, size_t count)
{
	size_t kept = 0;

	sort(list, count, sizeof *list, service_port_order);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && list[kept - 1].protocol == list[i].protocol) {
			struct service_port *into = &list[kept - 1];
			struct port_range *both =
				ARENA_ARRAY(arena, struct port_range, into->port_count + list[i].port_count);

			memcpy(both, into->ports, into->port_count * sizeof *both);
			memcpy(both + into->port_count, list[i].ports, list[i].port_count * sizeof *both);
			into->ports = both;
			into->port_count += list[i].port_count;
		} else {
			list[kept++] = list[i];
		}
	}
	for (size_t i = 0; i < kept; i++)
		list[i].port_count = ports_normalize(list[i].ports, list[i].port_count);
	return kept;
}

/* --- one object --- */

/* What a single field's check says of columns counts within the field; the place is that of the object, or of the rule.
 */
static struct error *of_object(struct error *errors, struct place place)
{
	for (struct error *e = errors; e != NULL; e = e->next)
		if (e->place.line == 0)
			e->place.column = 0;
	return error_at(errors, place);
}

static struct error *labels_in_order(struct label *labels, size_t *count)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < *count; i++)
		error_collect(&errors, label_check(&labels[i]));
	error_collect(&errors, labels_sort(labels, count));
	return errors;
}

static struct error *machine_in_order(struct arena *arena, struct machine *machine)
{
	struct error *errors;

	machine->name = name_fold(arena, machine->name);
	errors = machine_name_check(machine->name);
	error_collect(&errors, labels_in_order(machine->labels, &machine->label_count));
	for (size_t i = 0; i < machine->address_count; i++) {
		struct str *label = &machine->addresses[i].label;

		*label = name_fold(arena, *label);
		if (label->n > 0)
			error_collect(&errors, name_check(*label, "address label"));
	}
	error_collect(&errors, addresses_join(machine));
	for (size_t i = 0; i < machine->role_count; i++) {
		machine->roles[i] = name_fold(arena, machine->roles[i]);
		error_collect(&errors, name_check(machine->roles[i], "role"));
	}
	machine->role_count = strings_join(machine->roles, machine->role_count);
	error_collect(&errors, ssh_host_check(machine->ssh_host));
	if (machine->ssh_port > 65535)
		error_collect(&errors, error_new(ERROR_INPUT, "ssh_port %u is out of range", machine->ssh_port));
	return of_object(errors, machine->place);
}

static struct error *role_in_order(struct arena *arena, struct role *role)
{
	struct error *errors;

	role->name = name_fold(arena, role->name);
	errors = role_name_check(role->name);
	error_collect(&errors, labels_in_order(role->selector, &role->selector_count));
	if (role->has_selector && machine_of_role(role->name).n > 0)
		error_collect(&errors,
		              error_new(ERROR_INPUT, "role %s can have no selector: its only member is that machine",
		                        SHOWN(role->name)));
	error_collect(&errors, line_check(role->description, "description"));
	error_collect(&errors, line_check(role->owner, "owner"));
	for (size_t i = 0; i < role->rule_count; i++) {
		struct role_rule *rule = &role->rules[i];
		struct error *of_rule = line_check(rule->ticket, "ticket");

		error_collect(&of_rule, line_check(rule->owner, "owner"));
		error_collect(&errors, of_object(of_rule, rule->place));
		if (rule->text.n == 0)
			rule->text = rule_text(arena, &rule->rule);
	}
	error_collect(&errors, role_rules_join(role->rules, &role->rule_count));
	return of_object(errors, role->place);
}

static struct error *network_in_order(struct arena *arena, struct network *network)
{
	network->name = name_fold(arena, network->name);
	network->prefix_count = prefixes_join(network->prefixes, network->prefix_count);
	return of_object(name_check(network->name, "network"), network->place);
}

static struct error *service_in_order(struct arena *arena, struct service *service)
{
	service->name = name_fold(arena, service->name);
	service->count = service_ports_join(arena, service->ports, service->count);
	return of_object(service_name_check(service->name), service->place);
}

/* --- the same object twice --- */

static bool machine_same(const struct machine *a, const struct machine *b)
{
	if (a->given != b->given || a->referred != b->referred || a->enabled != b->enabled || a->mode != b->mode ||
	    a->enforcement != b->enforcement || a->ssh_port != b->ssh_port || !str_eq(a->ssh_host, b->ssh_host) ||
	    a->address_count != b->address_count || a->role_count != b->role_count)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (address_order(&a->addresses[i], &b->addresses[i]) != 0)
			return false;
	for (size_t i = 0; i < a->role_count; i++)
		if (!str_eq(a->roles[i], b->roles[i]))
			return false;
	return labels_same(a->labels, a->label_count, b->labels, b->label_count);
}

static bool role_same(const struct role *a, const struct role *b)
{
	if (a->given != b->given || a->referred != b->referred || !str_eq(a->description, b->description) ||
	    !str_eq(a->owner, b->owner) || a->has_selector != b->has_selector || a->egress != b->egress ||
	    a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->rule_count; i++)
		if (!role_rule_same(&a->rules[i], &b->rules[i]))
			return false;
	return labels_same(a->selector, a->selector_count, b->selector, b->selector_count);
}

static bool network_same(const struct network *a, const struct network *b)
{
	if (a->given != b->given || a->prefix_count != b->prefix_count)
		return false;
	for (size_t i = 0; i < a->prefix_count; i++)
		if (prefix_order(&a->prefixes[i], &b->prefixes[i]) != 0)
			return false;
	return true;
}

static bool service_port_same(const struct service_port *a, const struct service_port *b)
{
	return a->protocol == b->protocol && a->port_count == b->port_count &&
	       memcmp(a->ports, b->ports, a->port_count * sizeof *a->ports) == 0;
}

static bool service_same(const struct service *a, const struct service *b)
{
	if (a->given != b->given || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!service_port_same(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

/* The two halves of a machine's own role stand in two places of a document: rules with the machine, the rest among the
 * roles. */
static bool machine_role_join(struct role *a, const struct role *b)
{
	unsigned rules = GIVEN_RULES;
	struct role half = *b;

	if (machine_of_role(a->name).n == 0 || (a->given & b->given) != 0)
		return false;
	if ((b->given & rules) == 0) {
		half = *a;
		*a = *b;
	}
	a->rules = half.rules;
	a->rule_count = half.rule_count;
	a->given |= half.given;
	return true;
}

static struct error *twice(const char *kind, struct str name, struct place second, struct place first)
{
	struct error *error =
		error_new(ERROR_INPUT, "%s %s is given twice, with different content", kind, SHOWN(name));

	return error_at(first_at(error, first), second);
}

/* --- the whole --- */

/* By name; what was written first is first, so that the second is the one at fault. Every kind has name, given and
 * place in front. */
struct head {
	struct str name;
	unsigned given;
	struct place place;
};

_Static_assert(offsetof(struct machine, place) == offsetof(struct head, place) &&
                       offsetof(struct role, place) == offsetof(struct head, place) &&
                       offsetof(struct network, place) == offsetof(struct head, place) &&
                       offsetof(struct service, place) == offsetof(struct head, place),
               "the kinds begin alike");

static int head_order(const void *a, const void *b)
{
	const struct head *x = a, *y = b;
	int order = str_cmp(x->name, y->name);

	if (order == 0)
		order = (x->place.line > y->place.line) - (x->place.line < y->place.line);
	return order != 0 ? order : (x->place.column > y->place.column) - (x->place.column < y->place.column);
}

static void machines_in_order(struct arena *arena, struct fleet *fleet, struct faults *faults)
{
	struct machine *list = fleet->machines;
	size_t kept = 0;

	for (size_t i = 0; i < fleet->machine_count; i++)
		faults_add(faults, machine_in_order(arena, &list[i]));
	sort(list, fleet->machine_count, sizeof *list, head_order);
	for (size_t i = 0; i < fleet->machine_count; i++) {
		if (kept == 0 || !str_eq(list[kept - 1].name, list[i].name))
			list[kept++] = list[i];
		else if (!machine_same(&list[kept - 1], &list[i]))
			faults_add(faults, twice("machine", list[i].name, list[i].place, list[kept - 1].place));
	}
	fleet->machine_count = kept;
}

static void roles_in_order(struct arena *arena, struct fleet *fleet, struct faults *faults)
{
	struct role *list = fleet->roles;
	size_t kept = 0;

	for (size_t i = 0; i < fleet->role_count; i++)
		faults_add(faults, role_in_order(arena, &list[i]));
	sort(list, fleet->role_count, sizeof *list, head_order);
	for (size_t i = 0; i < fleet->role_count; i++) {
		if (kept == 0 || !str_eq(list[kept - 1].name, list[i].name))
			list[kept++] = list[i];
		else if (!role_same(&list[kept - 1], &list[i]) && !machine_role_join(&list[kept - 1], &list[i]))
			faults_add(faults, twice("role", list[i].name, list[i].place, list[kept - 1].place));
	}
	fleet->role_count = kept;
}

static void networks_in_order(struct arena *arena, struct fleet *fleet, struct faults *faults)
{
	struct network *list = fleet->networks;
	size_t kept = 0;

	for (size_t i = 0; i < fleet->network_count; i++)
		faults_add(faults, network_in_order(arena, &list[i]));
	sort(list, fleet->network_count, sizeof *list, head_order);
	for (size_t i = 0; i < fleet->network_count; i++) {
		if (kept == 0 || !str_eq(list[kept - 1].name, list[i].name))
			list[kept++] = list[i];
		else if (!network_same(&list[kept - 1], &list[i]))
			faults_add(faults, twice("network", list[i].name, list[i].place, list[kept - 1].place));
	}
	fleet->network_count = kept;
}

static void services_in_order(struct arena *arena, struct fleet *fleet, struct faults *faults)
{
	struct service *list = fleet->services;
	size_t kept = 0;

	for (size_t i = 0; i < fleet->service_count; i++)
		faults_add(faults, service_in_order(arena, &list[i]));
	sort(list, fleet->service_count, sizeof *list, head_order);
	for (size_t i = 0; i < fleet->service_count; i++) {
		if (kept == 0 || !str_eq(list[kept - 1].name, list[i].name))
			list[kept++] = list[i];
		else if (!service_same(&list[kept - 1], &list[i]))
			faults_add(faults, twice("service", list[i].name, list[i].place, list[kept - 1].place));
	}
	fleet->service_count = kept;
}

struct error *fleet_normalize(struct arena *arena, struct fleet *fleet)
{
	struct faults faults = {0};

	networks_in_order(arena, fleet, &faults);
	services_in_order(arena, fleet, &faults);
	roles_in_order(arena, fleet, &faults);
	machines_in_order(arena, fleet, &faults);
	return faults_end(&faults);
}
