/* opens(): machines and rules of two inventories side by side. Owns what counts as letting in more; what peers and
 * services stand for is compared in opens_subjects.c. It looks at no byte and no packet. */
#include "fleetwall/opens.h"

#include <stdlib.h>

#include "fleetwall/arena.h"
#include "opening.h"

/* --- the two sides --- */

static bool enforces(const struct machine *machine)
{
	return machine_has_ruleset(machine) && machine->enforcement == ENFORCEMENT_ENFORCE;
}

static struct side side_of(struct arena *scratch, const struct resolved *resolved)
{
	const struct fleet *fleet = resolved->fleet;
	struct side side = {
		.resolved = resolved,
		.other = ARENA_ARRAY(scratch, uint32_t, fleet->machine_count),
		.enforces = ARENA_ARRAY(scratch, bool, fleet->machine_count),
	};

	for (size_t i = 0; i < fleet->machine_count; i++) {
		side.other[i] = NAMES_NONE;
		side.enforces[i] = enforces(&fleet->machines[i]);
	}
	return side;
}

/* Both lists are sorted by name. */
static void pair_machines(struct side *before, struct side *after)
{
	const struct fleet *old = before->resolved->fleet, *fresh = after->resolved->fleet;
	size_t i = 0, k = 0;

	while (i < old->machine_count && k < fresh->machine_count) {
		int order = str_cmp(old->machines[i].name, fresh->machines[k].name);

		if (order == 0) {
			before->other[i] = (uint32_t)k;
			after->other[k] = (uint32_t)i;
		}
		i += order <= 0;
		k += order >= 0;
	}
}

struct opening *opening_add(struct comparison *comparison, enum opening_kind kind, const struct side *side,
                            const struct machine_list *machines)
{
	size_t shown = machines->count < OPENING_SHOWN ? machines->count : OPENING_SHOWN;
	struct opening opening = {
		.kind = kind,
		.subject = STR(""),
		.role = STR(""),
		.rule = STR(""),
		.machines = ARENA_ARRAY(comparison->arena, struct str, shown),
		.machine_shown = shown,
		.machine_count = machines->count,
	};

	if (machines->count == 0)
		return NULL;
	for (size_t i = 0; i < shown; i++)
		opening.machines[i] = side->resolved->fleet->machines[machines->items[i]].name;
	APPEND(comparison->arena, &comparison->openings, opening);
	return &comparison->openings.items[comparison->openings.count - 1];
}

/* --- machines --- */

/* Machines in groups by a word that is said of them; few words. */
struct groups {
	enum opening_kind kind;
	struct names *words;
	struct {
		struct machine_list *items;
		size_t count, capacity;
	} lists;
};

static struct groups groups_new(struct arena *scratch, enum opening_kind kind)
{
	return (struct groups){.kind = kind, .words = names_new(scratch)};
}

static void group_add(struct arena *scratch, struct groups *groups, struct str word, size_t machine)
{
	uint32_t number = names_add(groups->words, word);

	if (number == groups->lists.count)
		APPEND(scratch, &groups->lists, (struct machine_list){0});
	APPEND(scratch, &groups->lists.items[number], (uint32_t)machine);
}

static void groups_end(struct comparison *comparison, const struct groups *groups, const struct side *side)
{
	for (uint32_t i = 0; i < groups->lists.count; i++) {
		struct opening *opening = opening_add(comparison, groups->kind, side, &groups->lists.items[i]);

		opening->subject = str_copy(comparison->arena, names_get(groups->words, i));
	}
}

/* What became of a machine that refuses nothing any more. */
static struct str relaxed(const struct side *after, uint32_t machine)
{
	const struct machine *now;

	if (machine == NAMES_NONE)
		return STR("removed");
	now = &after->resolved->fleet->machines[machine];
	return now->enabled ? enforcement_str(now->enforcement) : STR("disabled");
}

static unsigned ssh_port(const struct comparison *comparison, const struct machine *machine)
{
	return machine->ssh_port != 0 ? machine->ssh_port : comparison->settings->ssh_port;
}

struct machine_groups {
	struct groups enforcement, mode, egress, management;
};

static void compare_machine(struct comparison *comparison, struct machine_groups *groups, size_t old, size_t fresh)
{
	const struct side *before = &comparison->before, *after = &comparison->after;
	const struct machine *was = &before->resolved->fleet->machines[old];
	const struct machine *is = &after->resolved->fleet->machines[fresh];
	struct arena *scratch = comparison->scratch;
	unsigned port = ssh_port(comparison, is);

	if (was->mode != is->mode)
		group_add(scratch, &groups->mode, mode_str(is->mode), fresh);
	if (machine_egress_closed(before->resolved, old) && !machine_egress_closed(after->resolved, fresh))
		group_add(scratch, &groups->egress, STR("open"), fresh);
	if (comparison->settings->management_count > 0 && ssh_port(comparison, was) != port)
		group_add(scratch, &groups->management, str_format(scratch, "%u/tcp", port), fresh);
}

static void compare_machines(struct comparison *comparison)
{
	const struct side *before = &comparison->before, *after = &comparison->after;
	struct arena *scratch = comparison->scratch;
	struct machine_groups groups = {
		groups_new(scratch, OPENING_ENFORCEMENT),
		groups_new(scratch, OPENING_MODE),
		groups_new(scratch, OPENING_EGRESS),
		groups_new(scratch, OPENING_MANAGEMENT),
	};

	for (size_t i = 0; i < before->resolved->fleet->machine_count; i++) {
		uint32_t fresh = before->other[i];

		if (!before->enforces[i])
			continue;
		if (fresh == NAMES_NONE || !after->enforces[fresh])
			group_add(scratch, &groups.enforcement, relaxed(after, fresh), i);
		else
			compare_machine(comparison, &groups, i, fresh);
	}
	groups_end(comparison, &groups.enforcement, before);
	groups_end(comparison, &groups.mode, after);
	groups_end(comparison, &groups.egress, after);
	groups_end(comparison, &groups.management, after);
}

/* --- roles and their rules --- */

/* A role on both sides; NULL where it is not. Its machines, as far as they enforce: */
struct role_pair {
	const struct resolved_role *before, *after;
	struct machine_list have;   /* after */
	struct machine_list gained; /* of these, those that did not have it, or did not enforce then */
	struct machine_list had;    /* before; those that enforce both times */
	struct machine_list lost;   /* of these, those that do not have it any more */
};

/* The members of a role on one side, and who they are on the other. */
struct members {
	const struct resolved_role *role, *there; /* NULL: there is no such role */
	const struct side *side, *other;
	bool both; /* only those that enforce on the other side, too */
};

/* Members that enforce: all, those that are no members on the other side, or do not enforce there, and the rest. Places
 * ascend on both sides alike, so one pass does. */
static void split(struct arena *scratch, const struct members *members, struct machine_list *all,
                  struct machine_list *alone, struct machine_list *same)
{
	const struct resolved_role *there = members->there;
	size_t k = 0;

	for (size_t i = 0; members->role != NULL && i < members->role->member_count; i++) {
		uint32_t machine = members->role->members[i], other = members->side->other[machine];
		bool enforced = other != NAMES_NONE && members->other->enforces[other];

		if (!members->side->enforces[machine] || (members->both && !enforced))
			continue;
		APPEND(scratch, all, machine);
		while (enforced && there != NULL && k < there->member_count && there->members[k] < other)
			k++;
		if (enforced && there != NULL && k < there->member_count && there->members[k] == other)
			APPEND(scratch, same, machine);
		else
			APPEND(scratch, alone, machine);
	}
}

static bool allows(const struct effective_rule *rule)
{
	return rule->held->rule.action == ACTION_ALLOW;
}

static void add_rule(struct comparison *comparison, const struct effective_rule *rule,
                     const struct machine_list *machines)
{
	bool allow = allows(rule);
	struct opening *opening = opening_add(comparison, allow ? OPENING_RULE : OPENING_REFUSAL,
	                                      allow ? &comparison->after : &comparison->before, machines);

	if (opening == NULL)
		return;
	opening->role = rule->role->name;
	opening->rule = rule->held->text;
	opening->rules = 1;
}

/* A rule that both sides have. */
static void compare_rule(struct comparison *comparison, const struct role_pair *pair, const struct effective_rule *rule)
{
	uint32_t before = (uint32_t)(pair->before - comparison->before.resolved->roles);
	uint32_t after = (uint32_t)(pair->after - comparison->after.resolved->roles);

	add_rule(comparison, rule, allows(rule) ? &pair->gained : &pair->lost);
	if (comparison->kept[after].count > 0)
		subjects_note(comparison, rule, before, after);
}

static void compare_rules(struct comparison *comparison, const struct role_pair *pair)
{
	size_t old_count = pair->before != NULL ? pair->before->rule_count : 0;
	size_t fresh_count = pair->after != NULL ? pair->after->rule_count : 0;
	size_t i = 0, k = 0;

	while (i < old_count || k < fresh_count) {
		const struct effective_rule *old = i < old_count ? &pair->before->rules[i] : NULL;
		const struct effective_rule *fresh = k < fresh_count ? &pair->after->rules[k] : NULL;
		int order = old == NULL ? 1 : fresh == NULL ? -1 : str_cmp(old->held->text, fresh->held->text);

		if (order == 0)
			compare_rule(comparison, pair, fresh);
		else if (order > 0 && allows(fresh))
			add_rule(comparison, fresh, &pair->have);
		else if (order < 0 && !allows(old))
			add_rule(comparison, old, &pair->had);
		i += order <= 0;
		k += order >= 0;
	}
}

static void compare_role(struct comparison *comparison, const struct resolved_role *before,
                         const struct resolved_role *after)
{
	const struct members fresh = {after, before, &comparison->after, &comparison->before, false};
	const struct members old = {before, after, &comparison->before, &comparison->after, true};
	struct role_pair pair = {.before = before, .after = after};
	struct machine_list kept = {0}, kept_before = {0};

	split(comparison->scratch, &fresh, &pair.have, &pair.gained, &kept);
	split(comparison->scratch, &old, &pair.had, &pair.lost, &kept_before);
	if (after != NULL)
		comparison->kept[after - comparison->after.resolved->roles] = kept;
	compare_rules(comparison, &pair);
}

static void compare_roles(struct comparison *comparison)
{
	const struct resolved *before = comparison->before.resolved, *after = comparison->after.resolved;
	size_t i = 0, k = 0;

	while (i < before->fleet->role_count || k < after->fleet->role_count) {
		int order = i == before->fleet->role_count  ? 1
		            : k == after->fleet->role_count ? -1
		                                            : str_cmp(before->fleet->roles[i].name,
		                                                      after->fleet->roles[k].name);

		compare_role(comparison, order <= 0 ? &before->roles[i] : NULL, order >= 0 ? &after->roles[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

/* --- the answer --- */

static int opening_order(const void *a, const void *b)
{
	const struct opening *left = a, *right = b;
	int order = (left->kind > right->kind) - (left->kind < right->kind);

	order = order != 0 ? order : str_cmp(left->subject, right->subject);
	order = order != 0 ? order : str_cmp(left->role, right->role);
	return order != 0 ? order : str_cmp(left->rule, right->rule);
}

size_t opens(struct arena *arena, const struct resolved *before, const struct resolved *after,
             const struct settings *settings, struct opening **openings)
{
	struct arena *scratch = arena_new(), *pass = arena_new();
	struct comparison comparison = {
		.arena = arena,
		.scratch = scratch,
		.pass = pass,
		.before = side_of(scratch, before),
		.after = side_of(scratch, after),
		.settings = settings,
		.kept = ARENA_ARRAY(scratch, struct machine_list, after->fleet->role_count),
		.names = names_new(scratch),
	};

	pair_machines(&comparison.before, &comparison.after);
	compare_machines(&comparison);
	compare_roles(&comparison);
	subjects_compare(&comparison);
	if (comparison.openings.count > 0)
		qsort(comparison.openings.items, comparison.openings.count, sizeof *comparison.openings.items,
		      opening_order);
	arena_free(pass);
	arena_free(scratch);
	*openings = comparison.openings.items;
	return comparison.openings.count;
}
