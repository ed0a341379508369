/* The fleet as it will be: present, overlaid with what was given. A field that was given replaces the present one, one
 * that was not is left alone; a new object has the defaults of the tables for what was not given. With `prune`, what is
 * not named goes, if its owner is the one that the document has. */
#include "plan.h"

#include "fleetwall/arena.h"

struct planning {
	struct arena *arena;
	const struct fleet *present, *wanted;
	const struct import_options *options;
	struct fleet *target;
};

/* Does an object of this owner go because it is not named? */
static bool is_pruned(const struct planning *planning, struct str document)
{
	return planning->options->prune &&
	       (planning->options->every || str_eq(document, planning->wanted->owner));
}

/* Who owns an object that `wanted` names, once it has: an owner keeps it, and what nobody owns becomes the document's.
 */
static struct str owner_of(const struct planning *planning, struct str present, struct str wanted)
{
	if (planning->options->every)
		return wanted;
	return present.n > 0 ? present : planning->wanted->owner;
}

static void target_machine(const struct planning *planning, struct machine *target, const struct machine *present,
                           const struct machine *wanted)
{
	*target = present != NULL
	                  ? *present
	                  : (struct machine){.name = wanted->name, .referred = wanted->referred, .enabled = true};
	target->given = GIVEN_ALL;
	if (wanted == NULL)
		return;
	unsigned given = wanted->given;
	target->place = wanted->place;
	target->document = owner_of(planning, target->document, wanted->document);
	if (given & GIVEN_ADDRESSES) {
		target->addresses = wanted->addresses;
		target->address_count = wanted->address_count;
	}
	if (given & GIVEN_LABELS) {
		target->labels = wanted->labels;
		target->label_count = wanted->label_count;
	}
	if (given & GIVEN_MODE)
		target->mode = wanted->mode;
	if (given & GIVEN_ENFORCEMENT)
		target->enforcement = wanted->enforcement;
	if (given & GIVEN_ENABLED)
		target->enabled = wanted->enabled;
	if (given & GIVEN_SSH_PORT)
		target->ssh_port = wanted->ssh_port;
	if (given & GIVEN_SSH_HOST)
		target->ssh_host = wanted->ssh_host;
}

static void target_machines(struct planning *planning)
{
	struct fleet *target = planning->target;
	struct pairs pairs = PAIRS(planning->present, planning->wanted, machines, machine_count);
	const void *before, *after;
	target->machines = ARENA_ARRAY(planning->arena, struct machine, pairs.before_count + pairs.after_count);
	while (pairs_next(&pairs, &before, &after))
		if (after != NULL || !is_pruned(planning, ((const struct machine *)before)->document))
			target_machine(planning, &target->machines[target->machine_count++], before, after);
}

static void target_networks(struct planning *planning)
{
	struct fleet *target = planning->target;
	struct pairs pairs = PAIRS(planning->present, planning->wanted, networks, network_count);
	const void *before, *after;
	target->networks = ARENA_ARRAY(planning->arena, struct network, pairs.before_count + pairs.after_count);
	while (pairs_next(&pairs, &before, &after)) {
		const struct network *present = before, *wanted = after;
		if (wanted == NULL && !planning->options->keep_networks && is_pruned(planning, present->document))
			continue;
		struct network *network = &target->networks[target->network_count++];
		*network = present != NULL ? *present : (struct network){.name = wanted->name};
		network->given = GIVEN_ALL;
		if (wanted == NULL)
			continue;
		network->place = wanted->place;
		network->document = owner_of(planning, network->document, wanted->document);
		if (wanted->given & GIVEN_PREFIXES) {
			network->prefixes = wanted->prefixes;
			network->prefix_count = wanted->prefix_count;
		}
	}
}

static bool ports_same(const struct service *a, const struct service *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct service_port *left = &a->ports[i], *right = &b->ports[i];
		if (left->protocol != right->protocol || left->port_count != right->port_count)
			return false;
		for (size_t port = 0; port < left->port_count; port++)
			if (left->ports[port].first != right->ports[port].first ||
			    left->ports[port].last != right->ports[port].last)
				return false;
	}
	return true;
}

/* A built-in service is built-in as long as its ports are those that it came with; until then nobody owns it. */
static void target_service(const struct planning *planning, struct service *target, const struct service *present,
                           const struct service *wanted)
{
	*target = present != NULL ? *present : (struct service){.name = wanted->name};
	target->given = GIVEN_ALL;
	if (wanted == NULL)
		return;
	target->place = wanted->place;
	if (wanted->given & GIVEN_PORTS && !ports_same(target, wanted)) {
		target->ports = wanted->ports;
		target->count = wanted->count;
		target->builtin = false;
	}
	if (!target->builtin)
		target->document = owner_of(planning, target->document, wanted->document);
}

static void target_services(struct planning *planning)
{
	struct fleet *target = planning->target;
	struct pairs pairs = PAIRS(planning->present, planning->wanted, services, service_count);
	const void *before, *after;
	target->services = ARENA_ARRAY(planning->arena, struct service, pairs.before_count + pairs.after_count);
	while (pairs_next(&pairs, &before, &after)) {
		const struct service *present = before;
		if (after != NULL || present->builtin || planning->options->keep_services ||
		    !is_pruned(planning, present->document))
			target_service(planning, &target->services[target->service_count++], before, after);
	}
}

/* --- roles --- */

/* A rule whose text is there already takes over its row, and what was not given of it. */
static struct role_rule target_rule(const struct role_rule *present, const struct role_rule *wanted)
{
	struct role_rule rule = *wanted;
	rule.key = present == NULL ? 0 : present->key;
	rule.absent = 0;
	if (present != NULL && wanted->absent & GIVEN_TICKET)
		rule.ticket = present->ticket;
	if (present != NULL && wanted->absent & GIVEN_OWNER)
		rule.owner = present->owner;
	if (present != NULL && wanted->absent & GIVEN_ENABLED)
		rule.enabled = present->enabled;
	return rule;
}

/* Both lists are sorted by text. What `wanted` has replaces the rule of the same text and takes over its row; of the
 * rest, only with `add`, everything stays as it is. */
static void target_rules(struct arena *arena, struct role *target, const struct role *wanted, bool add)
{
	const struct role_rule *before = target->rules, *after = wanted->rules;
	size_t before_count = target->rule_count, after_count = wanted->rule_count;
	struct role_rule *rules = ARENA_ARRAY(arena, struct role_rule, before_count + after_count);
	size_t count = 0;
	while (before_count + after_count > 0) {
		int order = before_count == 0 ? 1 : after_count == 0 ? -1 : str_cmp(before->text, after->text);
		if (order <= 0 && add)
			rules[count++] = *before;
		else if (order >= 0)
			rules[count++] = target_rule(order == 0 ? before : NULL, after);
		if (order <= 0)
			before++, before_count--;
		if (order >= 0)
			after++, after_count--;
	}
	target->rules = rules;
	target->rule_count = count;
}

static void target_role(struct planning *planning, struct role *target, const struct role *present,
                        const struct role *wanted)
{
	*target = present != NULL ? *present : (struct role){.name = wanted->name, .referred = wanted->referred};
	target->given = GIVEN_ALL;
	if (wanted == NULL)
		return;
	unsigned given = wanted->given;
	target->place = wanted->place;
	if (machine_of_role(wanted->name).n == 0)
		target->document = owner_of(planning, target->document, wanted->document);
	if (given & GIVEN_DESCRIPTION)
		target->description = wanted->description;
	if (given & GIVEN_OWNER)
		target->owner = wanted->owner;
	if (given & GIVEN_EGRESS)
		target->egress = wanted->egress;
	if (given & GIVEN_SELECTOR) {
		target->has_selector = wanted->has_selector;
		target->selector = wanted->selector;
		target->selector_count = wanted->selector_count;
	}
	if (given & GIVEN_RULES)
		target_rules(planning->arena, target, wanted, str_eq(planning->options->add_rules_to, wanted->name));
}

/* A document that does not name a machine's own role leaves it alone, for it is mostly made by hand: it goes with its
 * machine. Where `wanted` is the whole inventory it goes as any other, which goes with `prune`. */
static bool role_stays(const struct planning *planning, const struct role *present)
{
	struct str machine = machine_of_role(present->name);
	if (machine.n > 0 && !planning->options->every)
		return fleet_machine(planning->target, machine) != NULL;
	return !is_pruned(planning, present->document) || planning->options->keep_roles;
}

static void target_roles(struct planning *planning)
{
	struct fleet *target = planning->target;
	struct pairs pairs = PAIRS(planning->present, planning->wanted, roles, role_count);
	const void *before, *after;
	target->roles = ARENA_ARRAY(planning->arena, struct role, pairs.before_count + pairs.after_count);
	while (pairs_next(&pairs, &before, &after))
		if (after != NULL || role_stays(planning, before))
			target_role(planning, &target->roles[target->role_count++], before, after);
}

/* --- memberships --- */

/* Roles whose present members do not stay by themselves. */
struct settled {
	struct names *given; /* their members were given as a whole */
	struct names *gone;  /* they go */
	bool all;            /* the whole list of memberships was given, and what it does not name goes */
};

static struct settled settled_roles(struct planning *planning, struct arena *scratch)
{
	struct settled settled = {.given = names_new(scratch), .gone = names_new(scratch)};
	struct pairs pairs = PAIRS(planning->present, planning->wanted, roles, role_count);
	const void *before, *after;
	while (pairs_next(&pairs, &before, &after)) {
		const struct role *present = before, *wanted = after;
		bool given = wanted != NULL && wanted->given & GIVEN_MEMBERS;
		if (given)
			names_add(settled.given, wanted->name);
		else if (wanted == NULL && !role_stays(planning, present))
			names_add(settled.gone, present->name);
		settled.all = settled.all || (given && planning->options->prune);
	}
	return settled;
}

/* A membership is its machine's: what prunes spares those of machines that other documents own, so that a role that
 * they have is seen to be used (plan_check_removed). */
static bool is_spared(const struct planning *planning, const struct machine *machine)
{
	return machine->document.n > 0 && !is_pruned(planning, machine->document);
}

static bool is_left_out(const struct settled *settled, bool spared, struct str role)
{
	return names_find(settled->given, role) != NAMES_NONE ||
	       (!spared && (settled->all || names_find(settled->gone, role) != NAMES_NONE));
}

/* Leaves the settled roles out of the machine's list, which stays shared with the present machine if there are none. */
static void leave_out(struct arena *arena, const struct settled *settled, bool spared, struct machine *machine)
{
	size_t first = 0;
	while (first < machine->role_count && !is_left_out(settled, spared, machine->roles[first]))
		first++;
	if (first == machine->role_count)
		return;
	struct str *roles = ARENA_ARRAY(arena, struct str, machine->role_count);
	size_t count = 0;
	for (size_t i = 0; i < machine->role_count; i++)
		if (!is_left_out(settled, spared, machine->roles[i]))
			roles[count++] = machine->roles[i];
	machine->roles = roles;
	machine->role_count = count;
}

/* A membership that was there stays only if neither its role's members nor its machine's roles were given. */
static void target_members(struct planning *planning, struct arena *scratch)
{
	struct fleet *target = planning->target;
	struct settled settled = settled_roles(planning, scratch);
	bool nothing = !settled.all && names_count(settled.given) + names_count(settled.gone) == 0;
	for (size_t i = 0; i < target->machine_count; i++) {
		struct machine *machine = &target->machines[i];
		if (!nothing)
			leave_out(planning->arena, &settled, is_spared(planning, machine), machine);
	}
	struct pairs pairs = PAIRS(target, planning->wanted, machines, machine_count);
	const void *before, *after;
	for (size_t i = 0; pairs_next(&pairs, &before, &after); i++) {
		const struct machine *wanted = after;
		if (wanted == NULL || !(wanted->given & GIVEN_ROLES))
			continue;
		target->machines[i].roles = wanted->roles;
		target->machines[i].role_count = wanted->role_count;
	}
}

void plan_target(struct arena *arena, const struct fleet *present, const struct fleet *wanted,
                 const struct import_options *options, struct fleet *target)
{
	*target = (struct fleet){
		.sources = wanted->sources, .source_count = wanted->source_count, .clock = present->clock};
	struct planning planning = {
		.arena = arena, .present = present, .wanted = wanted, .options = options, .target = target};
	struct arena *scratch = arena_new();
	target_machines(&planning);
	target_networks(&planning);
	target_services(&planning);
	target_roles(&planning);
	target_members(&planning, scratch);
	arena_free(scratch);
}
