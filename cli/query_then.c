/* query roles, networks, rules and machines --rule as of another time. What the views answer of the present is counted
 * here from the model. */
#include "query.h"

/* The roles with a rule that speaks of this peer, in order. `self` is a peer of its own role. */
static struct cell users_of(struct arena *arena, const struct fleet *fleet, enum peer_kind kind, struct str name,
                            size_t *count)
{
	struct {
		struct str *items;
		size_t count, capacity;
	} users = {0};

	for (size_t i = 0; i < fleet->role_count; i++) {
		const struct role *role = &fleet->roles[i];
		bool speaks = false;

		for (size_t j = 0; !speaks && j < role->rule_count; j++) {
			const struct rule *rule = &role->rules[j].rule;

			for (size_t k = 0; !speaks && k < rule->peer_count; k++)
				speaks = (rule->peers[k].kind == kind && str_eq(rule->peers[k].name, name)) ||
				         (kind == PEER_ROLE && rule->peers[k].kind == PEER_SELF &&
				          str_eq(role->name, name));
		}
		if (speaks)
			APPEND(arena, &users, role->name);
	}
	*count = users.count;
	return cell_list(users.items, users.count);
}

static struct str asked_name(const struct run *run)
{
	return run->argument_count > 0 ? str_lower(run->arena, run->arguments[0]) : (struct str){NULL, 0};
}

struct error *roles_then(struct run *run, const struct resolved *resolved)
{
	const struct fleet *fleet = resolved->fleet;
	struct str name = asked_name(run);

	if (name.p != NULL && fleet_role(fleet, name) == NULL)
		return unknown_role(run->arena, fleet, name);
	for (size_t i = 0; i < fleet->role_count; i++) {
		const struct role *role = &fleet->roles[i];
		size_t members = resolved->roles[i].member_count, users;
		struct cell used_by = users_of(run->arena, fleet, PEER_ROLE, role->name, &users);
		bool idle = members == 0 || (role->rule_count == 0 && role->egress == EGRESS_OPEN);

		if ((name.p != NULL && !str_eq(name, role->name)) || (run_has(run, "unused") && (users > 0 || !idle)))
			continue;
		writer_row(run->writer, (struct cell[]){cell_text(role->name), cell_number((int64_t)members),
		                                        cell_number((int64_t)role->rule_count),
		                                        cell_text(egress_str(role->egress)), used_by});
	}
	return NULL;
}

static struct cell prefixes_of(struct arena *arena, const struct network *network)
{
	struct str *items = ARENA_ARRAY(arena, struct str, network->prefix_count);

	for (size_t i = 0; i < network->prefix_count; i++)
		items[i] = prefix_str(arena, network->prefixes[i]);
	return cell_list(items, network->prefix_count);
}

struct error *networks_then(struct run *run, const struct resolved *resolved)
{
	const struct fleet *fleet = resolved->fleet;
	struct str name = asked_name(run);

	if (name.p != NULL && fleet_network(fleet, name) == NULL)
		return unknown_network(run->arena, fleet, name);
	for (size_t i = 0; i < fleet->network_count; i++) {
		const struct network *network = &fleet->networks[i];
		size_t users;
		struct cell used_by = users_of(run->arena, fleet, PEER_NETWORK, network->name, &users);

		if ((name.p == NULL || str_eq(name, network->name)) && !(run_has(run, "unused") && users > 0))
			writer_row(run->writer, (struct cell[]){cell_text(network->name),
			                                        prefixes_of(run->arena, network), used_by});
	}
	return NULL;
}

static void write_role_rule(struct run *run, const struct resolved_role *role, const struct role_rule *held)
{
	struct buf until = buf_new(run->arena);
	char id[RULE_ID_DIGITS + 1];

	if (held->rule.until != TIME_NONE)
		time_print(&until, held->rule.until);
	rule_id(role->role->name, held->text, id);
	writer_row(run->writer, (struct cell[]){
					cell_text(role->role->name),
					cell_text(str_copy(run->arena, str_of(id))),
					cell_text(held->text),
					cell_some(buf_str(&until)),
					cell_some(held->ticket),
					cell_some(held->owner),
					cell_number((int64_t)role->member_count),
				});
}

static bool has_managed_member(const struct resolved *resolved, const struct resolved_role *role)
{
	for (size_t i = 0; i < role->member_count; i++)
		if (machine_has_ruleset(&resolved->fleet->machines[role->members[i]]))
			return true;
	return false;
}

struct error *rules_then(struct run *run, const struct resolved *resolved, uint64_t days, bool unused)
{
	int64_t now = resolved->fleet->clock;

	for (size_t i = 0; i < resolved->fleet->role_count; i++) {
		const struct resolved_role *role = &resolved->roles[i];
		bool managed = has_managed_member(resolved, role);

		for (size_t j = 0; j < role->role->rule_count; j++) {
			const struct role_rule *held = &role->role->rules[j];
			int64_t until = held->rule.until;
			bool ended = until != TIME_NONE && until <= now;
			bool ends =
				held->enabled && until != TIME_NONE && !ended && until - now <= (int64_t)days * 86400;

			if (unused ? !managed || !held->enabled || ended : ends)
				write_role_rule(run, role, held);
		}
	}
	return NULL;
}

struct error *rule_machines_then(struct run *run, const struct resolved *resolved, struct str id)
{
	for (size_t i = 0; i < resolved->fleet->machine_count; i++) {
		const struct resolved_machine *machine = &resolved->machines[i];

		for (size_t j = 0; machine_has_ruleset(machine->machine) && j < machine->role_count; j++) {
			const struct resolved_role *role = &resolved->roles[machine->roles[j]];

			for (size_t k = 0; k < role->rule_count; k++)
				if (str_is(id, role->rules[k].id))
					writer_row(run->writer,
					           (struct cell[]){cell_text(machine->machine->name),
					                           cell_text(role->role->name), cell_text(id),
					                           cell_text(role->rules[k].held->text)});
		}
	}
	return NULL;
}
