/* From the model to positions: which machines are members of which roles, and which rules count at the fleet's clock.
 * Owns membership (assigned, selected, a machine's own role), rule ids and the edges of since and until. Pure; what is
 * referred to and does not exist is passed over here, because fleet_check() and the database's foreign keys are the
 * places that refuse it. */
#include "fleetwall/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/digest.h"

struct membership {
	uint32_t machine, role;
};

struct memberships {
	struct membership *items;
	size_t count, capacity;
};

struct index_list {
	uint32_t *items;
	size_t count, capacity;
};

/* For each label that a selector names, the machines that have it, ascending: so a selector costs what its rarest label
 * costs. */
struct label_index {
	struct names *labels; /* "key=value"; a key holds no '=' */
	struct index_list *machines;
};

void rule_id(struct str role, struct str text, char id[RULE_ID_DIGITS + 1])
{
	struct str pieces[] = {role, {"", 1}, text};
	struct digest digest = digest_of_pieces(pieces, 3);
	char hex[65];

	digest_hex(&digest, hex);
	memcpy(id, hex, RULE_ID_DIGITS);
	id[RULE_ID_DIGITS] = '\0';
}

bool machine_has_ruleset(const struct machine *machine)
{
	return machine->enabled && machine->enforcement != ENFORCEMENT_UNMANAGED;
}

bool machine_egress_closed(const struct resolved *resolved, size_t machine)
{
	const struct resolved_machine *own = &resolved->machines[machine];

	for (size_t i = 0; i < own->role_count; i++)
		if (resolved->fleet->roles[own->roles[i]].egress == EGRESS_CLOSED)
			return true;
	return false;
}

static struct str label_text(struct arena *scratch, const struct label *label)
{
	struct buf buf = buf_new(scratch);

	buf_add(&buf, label->key);
	buf_char(&buf, '=');
	buf_add(&buf, label->value);
	return buf_str(&buf);
}

static void index_machine(struct arena *scratch, struct label_index *index, const struct machine *machine,
                          uint32_t number)
{
	for (size_t i = 0; i < machine->label_count; i++) {
		uint32_t label = names_find(index->labels, label_text(scratch, &machine->labels[i]));

		if (label != NAMES_NONE)
			APPEND(scratch, &index->machines[label], number);
	}
}

static struct label_index index_labels(struct arena *scratch, const struct fleet *fleet)
{
	struct label_index index = {.labels = names_new(scratch)};

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].selector_count; k++)
			names_add(index.labels, label_text(scratch, &fleet->roles[i].selector[k]));
	index.machines = ARENA_ARRAY(scratch, struct index_list, names_count(index.labels));
	if (names_count(index.labels) > 0)
		for (size_t i = 0; i < fleet->machine_count; i++)
			index_machine(scratch, &index, &fleet->machines[i], (uint32_t)i);
	return index;
}

/* The machines of the selector's rarest label. */
static const struct index_list *rarest(struct arena *scratch, const struct label_index *index, const struct role *role)
{
	const struct index_list *best = NULL;

	for (size_t i = 0; i < role->selector_count; i++) {
		uint32_t label = names_find(index->labels, label_text(scratch, &role->selector[i]));

		if (best == NULL || index->machines[label].count < best->count)
			best = &index->machines[label];
	}
	return best;
}

static void select_members(struct arena *scratch, const struct fleet *fleet, const struct label_index *index,
                           uint32_t role, struct memberships *all)
{
	const struct role *selecting = &fleet->roles[role];
	const struct index_list *some = rarest(scratch, index, selecting);
	size_t count = some != NULL ? some->count : fleet->machine_count;

	for (size_t i = 0; i < count; i++) {
		uint32_t number = some != NULL ? some->items[i] : (uint32_t)i;
		const struct machine *machine = &fleet->machines[number];

		if (labels_contain(machine->labels, machine->label_count, selecting->selector,
		                   selecting->selector_count))
			APPEND(scratch, all, ((struct membership){number, role}));
	}
}

static void assigned_members(struct arena *scratch, const struct fleet *fleet, struct memberships *all)
{
	for (size_t i = 0; i < fleet->machine_count; i++) {
		const struct machine *machine = &fleet->machines[i];

		for (size_t k = 0; k < machine->role_count; k++) {
			const struct role *role = fleet_role(fleet, machine->roles[k]);

			if (role != NULL)
				APPEND(scratch, all,
				       ((struct membership){(uint32_t)i, (uint32_t)(role - fleet->roles)}));
		}
	}
}

/* All memberships, in no order, some perhaps twice. */
static struct memberships collect_members(struct arena *scratch, const struct fleet *fleet)
{
	struct memberships all = {0};
	struct label_index index = index_labels(scratch, fleet);

	assigned_members(scratch, fleet, &all);
	for (size_t i = 0; i < fleet->role_count; i++) {
		const struct role *role = &fleet->roles[i];
		struct str owner = machine_of_role(role->name);
		const struct machine *machine = owner.n > 0 ? fleet_machine(fleet, owner) : NULL;

		if (machine != NULL)
			APPEND(scratch, &all,
			       ((struct membership){(uint32_t)(machine - fleet->machines), (uint32_t)i}));
		else if (owner.n == 0 && role->has_selector)
			select_members(scratch, fleet, &index, (uint32_t)i, &all);
	}
	return all;
}

static int index_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static size_t sort_unique(uint32_t *list, size_t count)
{
	size_t kept = 0;

	qsort(list, count, sizeof *list, index_order);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	return kept;
}

static void give_roles(struct arena *arena, struct resolved *resolved, const struct memberships *all)
{
	size_t machine_count = resolved->fleet->machine_count;
	uint32_t *room = ARENA_ARRAY(arena, uint32_t, all->count);

	for (size_t i = 0; i < all->count; i++)
		resolved->machines[all->items[i].machine].role_count++;
	for (size_t i = 0; i < machine_count; i++) {
		resolved->machines[i].roles = room;
		room += resolved->machines[i].role_count;
		resolved->machines[i].role_count = 0;
	}
	for (size_t i = 0; i < all->count; i++) {
		struct resolved_machine *machine = &resolved->machines[all->items[i].machine];

		machine->roles[machine->role_count++] = all->items[i].role;
	}
	for (size_t i = 0; i < machine_count; i++)
		resolved->machines[i].role_count =
			sort_unique(resolved->machines[i].roles, resolved->machines[i].role_count);
}

/* The other way round; machines come in ascending order, so members do. */
static void give_members(struct arena *arena, struct resolved *resolved)
{
	const struct fleet *fleet = resolved->fleet;

	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < resolved->machines[i].role_count; k++)
			resolved->roles[resolved->machines[i].roles[k]].member_count++;
	for (size_t i = 0; i < fleet->role_count; i++) {
		resolved->roles[i].members = ARENA_ARRAY(arena, uint32_t, resolved->roles[i].member_count);
		resolved->roles[i].member_count = 0;
	}
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < resolved->machines[i].role_count; k++) {
			struct resolved_role *role = &resolved->roles[resolved->machines[i].roles[k]];

			role->members[role->member_count++] = (uint32_t)i;
		}
}

/* From `since` until just before `until`. No `since` is the least number, so only `until` needs a question. */
static bool counts(const struct role_rule *held, int64_t clock)
{
	return held->enabled && held->rule.since <= clock &&
	       (held->rule.until == TIME_NONE || clock < held->rule.until);
}

static void give_rules(struct arena *arena, struct resolved_role *resolved, const struct role *role, int64_t clock)
{
	resolved->role = role;
	resolved->rules = ARENA_ARRAY(arena, struct effective_rule, role->rule_count);
	for (size_t i = 0; i < role->rule_count; i++)
		if (counts(&role->rules[i], clock)) {
			struct effective_rule *rule = &resolved->rules[resolved->rule_count++];

			*rule = (struct effective_rule){.role = role, .held = &role->rules[i]};
			rule_id(role->name, rule->held->text, rule->id);
		}
}

struct resolved *resolve(struct arena *arena, const struct fleet *fleet)
{
	struct resolved *resolved = ARENA_NEW(arena, struct resolved);
	struct arena *scratch = arena_new();
	struct memberships all = collect_members(scratch, fleet);

	resolved->fleet = fleet;
	resolved->roles = ARENA_ARRAY(arena, struct resolved_role, fleet->role_count);
	resolved->machines = ARENA_ARRAY(arena, struct resolved_machine, fleet->machine_count);
	for (size_t i = 0; i < fleet->machine_count; i++)
		resolved->machines[i].machine = &fleet->machines[i];
	give_roles(arena, resolved, &all);
	give_members(arena, resolved);
	for (size_t i = 0; i < fleet->role_count; i++)
		give_rules(arena, &resolved->roles[i], &fleet->roles[i], fleet->clock);
	arena_free(scratch);
	return resolved;
}

/* When a rule begins or ends to count next, seen from the clock; TIME_NONE: never again. */
static int64_t rule_edge(const struct role_rule *held, int64_t clock)
{
	const struct rule *rule = &held->rule;
	bool ends = rule->until != TIME_NONE;

	if (!held->enabled || (ends && (rule->until <= clock || rule->until <= rule->since)))
		return TIME_NONE;
	if (rule->since > clock)
		return rule->since;
	return rule->until; /* TIME_NONE where it has no end */
}

int64_t fleet_next_edge(const struct fleet *fleet)
{
	int64_t next = TIME_NONE;

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].rule_count; k++) {
			int64_t edge = rule_edge(&fleet->roles[i].rules[k], fleet->clock);

			if (edge != TIME_NONE && (next == TIME_NONE || edge < next))
				next = edge;
		}
	return next;
}
