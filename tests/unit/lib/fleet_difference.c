/* Compares fleets by what a document can say, and names the first thing that differs. */
#include "random_fleet.h"

#include "fleetwall/arena.h"

static const char *labels_differ(const struct label *a, size_t a_count, const struct label *b, size_t b_count,
                                 const char *what)
{
	if (a_count != b_count)
		return what;
	return labels_contain(a, a_count, b, b_count) ? NULL : what;
}

static bool rules_same(const struct role *a, const struct role *b)
{
	if (a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->rule_count; i++) {
		const struct role_rule *x = &a->rules[i], *y = &b->rules[i];

		if (!rule_same(&x->rule, &y->rule) || !str_eq(x->rule.comment, y->rule.comment) ||
		    !str_eq(x->text, y->text) || !str_eq(x->ticket, y->ticket) || !str_eq(x->owner, y->owner) ||
		    x->enabled != y->enabled)
			return false;
	}
	return true;
}

static const char *role_differs(const struct role *a, const struct role *b)
{
	if (!str_eq(a->description, b->description))
		return "description";
	if (!str_eq(a->owner, b->owner))
		return "owner";
	if (a->egress != b->egress)
		return "egress";
	if (a->has_selector != b->has_selector)
		return "selector";
	if (!rules_same(a, b))
		return "rules";
	return labels_differ(a->selector, a->selector_count, b->selector, b->selector_count, "selector");
}

static bool addresses_same(const struct machine *a, const struct machine *b)
{
	if (a->address_count != b->address_count)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (addr_cmp(a->addresses[i].addr, b->addresses[i].addr) != 0 ||
		    !str_eq(a->addresses[i].label, b->addresses[i].label))
			return false;
	return true;
}

static bool roles_same(const struct machine *a, const struct machine *b)
{
	if (a->role_count != b->role_count)
		return false;
	for (size_t i = 0; i < a->role_count; i++)
		if (!str_eq(a->roles[i], b->roles[i]))
			return false;
	return true;
}

static const char *machine_differs(const struct machine *a, const struct machine *b)
{
	if (a->enabled != b->enabled)
		return "enabled";
	if (a->mode != b->mode)
		return "mode";
	if (a->enforcement != b->enforcement)
		return "enforcement";
	if (a->ssh_port != b->ssh_port)
		return "ssh_port";
	if (!str_eq(a->ssh_host, b->ssh_host))
		return "ssh_host";
	if (!addresses_same(a, b))
		return "addresses";
	if (!roles_same(a, b))
		return "roles";
	return labels_differ(a->labels, a->label_count, b->labels, b->label_count, "labels");
}

static const char *network_differs(const struct network *a, const struct network *b)
{
	if (a->prefix_count != b->prefix_count)
		return "prefixes";
	for (size_t i = 0; i < a->prefix_count; i++)
		if (range_cmp(prefix_range(a->prefixes[i]), prefix_range(b->prefixes[i])) != 0)
			return "prefixes";
	return NULL;
}

static const char *service_differs(const struct service *a, const struct service *b)
{
	if (a->count != b->count)
		return "ports";
	for (size_t i = 0; i < a->count; i++) {
		const struct service_port *x = &a->ports[i], *y = &b->ports[i];

		if (x->protocol != y->protocol || x->port_count != y->port_count)
			return "ports";
		for (size_t j = 0; j < x->port_count; j++)
			if (x->ports[j].first != y->ports[j].first || x->ports[j].last != y->ports[j].last)
				return "ports";
	}
	return NULL;
}

static struct str say(struct arena *arena, const char *kind, struct str name, const char *what)
{
	return str_format(arena, "%s %.*s: %s", kind, STR_ARG(name), what);
}

static struct str lists_differ(struct arena *arena, const struct fleet *a, const struct fleet *b)
{
	const char *what;

	for (size_t i = 0; i < a->machine_count; i++) {
		const struct machine *other = fleet_machine(b, a->machines[i].name);

		what = other == NULL ? "not there" : machine_differs(&a->machines[i], other);
		if (what != NULL)
			return say(arena, "machine", a->machines[i].name, what);
	}
	for (size_t i = 0; i < a->network_count; i++) {
		const struct network *other = fleet_network(b, a->networks[i].name);

		what = other == NULL ? "not there" : network_differs(&a->networks[i], other);
		if (what != NULL)
			return say(arena, "network", a->networks[i].name, what);
	}
	for (size_t i = 0; i < a->service_count; i++) {
		const struct service *other = fleet_service(b, a->services[i].name);

		what = other == NULL ? "not there" : service_differs(&a->services[i], other);
		if (what != NULL)
			return say(arena, "service", a->services[i].name, what);
	}
	return STR("");
}

static bool says_nothing(const struct role *role)
{
	return machine_of_role(role->name).n > 0 && role->rule_count == 0 && role->egress == EGRESS_OPEN &&
	       role->description.n == 0 && role->owner.n == 0;
}

static struct str roles_differ(struct arena *arena, const struct fleet *a, const struct fleet *b)
{
	for (size_t i = 0; i < a->role_count; i++) {
		const struct role *role = &a->roles[i], *other = fleet_role(b, role->name);
		const char *what = NULL;

		if (other == NULL)
			what = says_nothing(role) ? NULL : "not there";
		else
			what = role_differs(role, other);
		if (what != NULL)
			return say(arena, "role", role->name, what);
	}
	return STR("");
}

struct str fleet_difference(struct arena *arena, const struct fleet *a, const struct fleet *b)
{
	struct str difference;

	if (a->machine_count != b->machine_count || a->network_count != b->network_count ||
	    a->service_count != b->service_count)
		return STR("the number of objects");
	difference = lists_differ(arena, a, b);
	if (difference.n == 0)
		difference = roles_differ(arena, a, b);
	return difference.n == 0 ? roles_differ(arena, b, a) : difference;
}
