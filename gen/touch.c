/* Which machines a change of the inventory touches: those whose rules, or the addresses that their rules speak of, are
 * not what they were. Found by names and roles, without making rulesets. Pure. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "fleetwall/resolve.h"

/* Both sides, and the names of what differs between them. */
struct touching {
	const struct resolved *before, *after;
	struct names *machines, *members, *networks,
		*services; /* addresses; roles by who is in them; prefixes; ports */
	struct names *roles;                                    /* whose members get something else */
};

static const struct resolved_role *role_of(const struct resolved *resolved, struct str name)
{
	const struct role *role = fleet_role(resolved->fleet, name);

	return role != NULL ? &resolved->roles[role - resolved->fleet->roles] : NULL;
}

static const struct resolved_machine *machine_of(const struct resolved *resolved, struct str name)
{
	const struct machine *machine = fleet_machine(resolved->fleet, name);

	return machine != NULL ? &resolved->machines[machine - resolved->fleet->machines] : NULL;
}

static bool addresses_same(const struct machine *a, const struct machine *b)
{
	bool same = a->enabled == b->enabled && a->address_count == b->address_count;

	for (size_t i = 0; same && i < a->address_count; i++)
		same = addr_cmp(a->addresses[i].addr, b->addresses[i].addr) == 0 &&
		       str_eq(a->addresses[i].label, b->addresses[i].label);
	return same;
}

/* Machines that are gone, new, or have other addresses. */
static void compare_machines(struct touching *touching)
{
	const struct resolved *sides[] = {touching->before, touching->after};

	for (size_t side = 0; side < 2; side++) {
		for (size_t i = 0; i < sides[side]->fleet->machine_count; i++) {
			const struct machine *machine = &sides[side]->fleet->machines[i];
			const struct machine *other = fleet_machine(sides[1 - side]->fleet, machine->name);

			if (other == NULL || !addresses_same(machine, other))
				names_add(touching->machines, machine->name);
		}
	}
}

static bool members_same(const struct touching *touching, const struct resolved_role *before,
                         const struct resolved_role *after)
{
	if (before == NULL || after == NULL || before->member_count != after->member_count)
		return false;
	for (size_t i = 0; i < before->member_count; i++) {
		struct str name = touching->before->fleet->machines[before->members[i]].name;

		if (!str_eq(name, touching->after->fleet->machines[after->members[i]].name) ||
		    names_find(touching->machines, name) != NAMES_NONE)
			return false;
	}
	return true;
}

static bool rules_same(const struct resolved_role *before, const struct resolved_role *after)
{
	if (before == NULL || after == NULL || before->rule_count != after->rule_count ||
	    before->role->egress != after->role->egress)
		return false;
	for (size_t i = 0; i < before->rule_count; i++)
		if (!str_eq(before->rules[i].held->text, after->rules[i].held->text))
			return false;
	return true;
}

static void compare_roles(struct touching *touching)
{
	const struct resolved *sides[] = {touching->before, touching->after};

	for (size_t side = 0; side < 2; side++) {
		for (size_t i = 0; i < sides[side]->fleet->role_count; i++) {
			struct str name = sides[side]->fleet->roles[i].name;
			const struct resolved_role *before = role_of(touching->before, name);
			const struct resolved_role *after = role_of(touching->after, name);

			if (!members_same(touching, before, after))
				names_add(touching->members, name);
			if (!rules_same(before, after))
				names_add(touching->roles, name);
		}
	}
}

static bool prefixes_same(const struct network *a, const struct network *b)
{
	bool same = a != NULL && b != NULL && a->prefix_count == b->prefix_count;

	for (size_t i = 0; same && i < a->prefix_count; i++)
		same = range_cmp(prefix_range(a->prefixes[i]), prefix_range(b->prefixes[i])) == 0;
	return same;
}

static bool ports_same(const struct service *a, const struct service *b)
{
	bool same = a != NULL && b != NULL && a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = a->ports[i].protocol == b->ports[i].protocol &&
		       a->ports[i].port_count == b->ports[i].port_count &&
		       memcmp(a->ports[i].ports, b->ports[i].ports,
		              a->ports[i].port_count * sizeof *a->ports[i].ports) == 0;
	return same;
}

/* Only what is on both sides matters: a network or service that comes or goes is in no rule that stays. */
static void compare_words(struct touching *touching)
{
	const struct fleet *before = touching->before->fleet, *after = touching->after->fleet;

	for (size_t i = 0; i < after->network_count; i++)
		if (!prefixes_same(fleet_network(before, after->networks[i].name), &after->networks[i]))
			names_add(touching->networks, after->networks[i].name);
	for (size_t i = 0; i < after->service_count; i++)
		if (!ports_same(fleet_service(before, after->services[i].name), &after->services[i]))
			names_add(touching->services, after->services[i].name);
}

static bool peer_differs(const struct touching *touching, const struct peer *peer, const struct role *role)
{
	switch (peer->kind) {
	case PEER_LITERAL: return false;
	case PEER_SELF: return names_find(touching->members, role->name) != NAMES_NONE;
	case PEER_MACHINE: return names_find(touching->machines, peer->name) != NAMES_NONE;
	case PEER_NETWORK: return names_find(touching->networks, peer->name) != NAMES_NONE;
	case PEER_ROLE: return names_find(touching->members, peer->name) != NAMES_NONE;
	}
	return true;
}

static bool rule_differs(const struct touching *touching, const struct effective_rule *effective)
{
	const struct rule *rule = &effective->held->rule;

	if (rule->what.kind == WHAT_SERVICE && names_find(touching->services, rule->what.service) != NAMES_NONE)
		return true;
	for (size_t i = 0; i < rule->peer_count; i++)
		if (peer_differs(touching, &rule->peers[i], effective->role))
			return true;
	return false;
}

/* Roles whose rules read as before, but speak of something else. */
static void follow_peers(struct touching *touching)
{
	for (size_t i = 0; i < touching->after->fleet->role_count; i++) {
		const struct resolved_role *role = &touching->after->roles[i];

		for (size_t j = 0; j < role->rule_count; j++)
			if (rule_differs(touching, &role->rules[j]))
				names_add(touching->roles, role->role->name);
	}
}

/* Does the role do anything to its members? */
static bool role_acts(const struct resolved *resolved, uint32_t role)
{
	return resolved->roles[role].rule_count > 0 || resolved->fleet->roles[role].egress == EGRESS_CLOSED;
}

/* The next role of the machine, from *i on, that does something; {NULL, 0} at the end. */
static struct str next_role(const struct resolved *resolved, const struct resolved_machine *machine, size_t *i)
{
	while (*i < machine->role_count && !role_acts(resolved, machine->roles[*i]))
		(*i)++;
	return *i < machine->role_count ? resolved->fleet->roles[machine->roles[(*i)++]].name : (struct str){NULL, 0};
}

static bool machine_touched(const struct touching *touching, const struct resolved_machine *before,
                            const struct resolved_machine *after)
{
	bool has_before = before != NULL && machine_has_ruleset(before->machine);
	bool has_after = after != NULL && machine_has_ruleset(after->machine);

	if (!has_before || !has_after)
		return has_before != has_after;
	if (before->machine->mode != after->machine->mode ||
	    before->machine->enforcement != after->machine->enforcement ||
	    before->machine->ssh_port != after->machine->ssh_port)
		return true;
	for (size_t i = 0, j = 0;;) {
		struct str old = next_role(touching->before, before, &i), new = next_role(touching->after, after, &j);

		if (old.p == NULL && new.p == NULL)
			return false;
		if (!str_eq(old, new) || names_find(touching->roles, new) != NAMES_NONE)
			return true;
	}
}

static size_t count_machines(const struct touching *touching)
{
	size_t count = 0;

	for (size_t i = 0; i < touching->after->fleet->machine_count; i++) {
		const struct resolved_machine *after = &touching->after->machines[i];

		count += machine_touched(touching, machine_of(touching->before, after->machine->name), after);
	}
	for (size_t i = 0; i < touching->before->fleet->machine_count; i++) {
		const struct resolved_machine *before = &touching->before->machines[i];

		if (fleet_machine(touching->after->fleet, before->machine->name) == NULL)
			count += machine_touched(touching, before, NULL);
	}
	return count;
}

size_t machines_touched(const struct resolved *before, const struct resolved *after)
{
	struct arena *scratch = arena_new();
	struct touching touching = {.before = before,
	                            .after = after,
	                            .machines = names_new(scratch),
	                            .members = names_new(scratch),
	                            .networks = names_new(scratch),
	                            .services = names_new(scratch),
	                            .roles = names_new(scratch)};
	size_t count;

	compare_machines(&touching);
	compare_roles(&touching);
	compare_words(&touching);
	follow_peers(&touching);
	count = count_machines(&touching);
	arena_free(scratch);
	return count;
}
