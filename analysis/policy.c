/* Judges assertions one by one, and keeps what was found: a violation for each reason, with the machines that it is
 * true of. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "policy_parts.h"

enum { SEEN_JUDGED = 1, SEEN_LEFT_OUT = 2, SEEN_MONITORED = 4 };

/* --- violations --- */

size_t violation_place(struct judging *judging, const struct policy_violation *violation)
{
	struct {
		const struct effective_rule *rule;
		uintptr_t stage, out;
	} key = {violation->rule, violation->stage, violation->out};
	uint32_t number;

	if (judging->probing)
		return SIZE_MAX;
	number = names_add(judging->reasons, (struct str){(const char *)&key, sizeof key});
	if (judging->first + number == judging->violations.count) {
		size_t bytes = judging->resolved->fleet->machine_count / 8 + 1;

		APPEND(judging->arena, &judging->violations, *violation);
		APPEND(judging->arena, &judging->counted, arena_alloc(judging->lasting, bytes));
	}
	return judging->first + number;
}

bool violation_has(const struct judging *judging, size_t place, uint32_t machine)
{
	return place != SIZE_MAX && (judging->counted.items[place][machine / 8] >> machine % 8 & 1) != 0;
}

void violation_add(struct judging *judging, size_t place, uint32_t machine)
{
	judging->counted.items[place][machine / 8] |= (unsigned char)(1u << machine % 8);
	judging->violations.items[place].machine_count++;
}

/* --- who was looked at --- */

void machine_left_out(struct judging *judging, uint32_t machine)
{
	judging->seen[machine] |= SEEN_LEFT_OUT;
}

void machines_monitored(struct judging *judging, const struct machines *machines)
{
	for (size_t i = 0; i < machines->count; i++)
		if (judging->ruled[machines->items[i]] == RULED_MONITORED)
			judging->seen[machines->items[i]] |= SEEN_MONITORED;
}

void machines_judged(struct judging *judging, const struct machines *machines)
{
	for (size_t i = 0; i < machines->count; i++)
		judging->seen[machines->items[i]] |=
			judging->ruled[machines->items[i]] != RULED_NOT ? SEEN_JUDGED : SEEN_LEFT_OUT;
	machines_monitored(judging, machines);
}

static void count_seen(const struct judging *judging, struct policy_note *note)
{
	for (size_t i = 0; i < judging->resolved->fleet->machine_count; i++) {
		judging->ever[i] |= judging->seen[i];
		note->judged += (judging->seen[i] & SEEN_JUDGED) != 0;
		note->left_out += (judging->seen[i] & SEEN_LEFT_OUT) != 0;
		note->monitored += (judging->seen[i] & SEEN_MONITORED) != 0;
	}
}

/* --- one assertion --- */

static int violation_order(const void *a, const void *b)
{
	const struct policy_violation *left = a, *right = b;
	int order;

	if ((left->rule != NULL) != (right->rule != NULL))
		return left->rule != NULL ? -1 : 1;
	if (left->rule != NULL) {
		order = str_cmp(left->rule->role->name, right->rule->role->name);
		return order != 0 ? order : str_cmp(left->rule->held->text, right->rule->held->text);
	}
	return left->stage != right->stage ? (int)left->stage - (int)right->stage : left->out - right->out;
}

/* A place that was given and then not used is given up. */
static void settle(struct judging *judging)
{
	size_t kept = judging->first, machines = judging->resolved->fleet->machine_count;

	for (size_t i = judging->first; i < judging->violations.count; i++) {
		struct policy_violation violation = judging->violations.items[i];

		if (violation.machine_count == 0)
			continue;
		violation.machines = ARENA_ARRAY(judging->arena, uint32_t, POLICY_SHOWN);
		for (uint32_t j = 0; violation.machine_shown < POLICY_SHOWN && j < machines; j++)
			if (violation_has(judging, i, j))
				violation.machines[violation.machine_shown++] = j;
		judging->violations.items[kept++] = violation;
	}
	judging->violations.count = judging->counted.count = kept;
	if (kept > judging->first)
		qsort(judging->violations.items + judging->first, kept - judging->first,
		      sizeof *judging->violations.items, violation_order);
}

static void judge_one(struct judging *judging, const struct assertion *assertion, struct policy_note *note)
{
	*note = (struct policy_note){.assertion = assertion};
	judging->lasting = judging->scratch = arena_new();
	judging->reasons = names_new(judging->lasting);
	judging->first = judging->violations.count;
	memset(judging->seen, 0, judging->resolved->fleet->machine_count);
	note->vacuous = !assertion_judge(judging, assertion);
	count_seen(judging, note);
	settle(judging);
	arena_free(judging->lasting);
}

static void find_ruled(struct judging *judging)
{
	const struct fleet *fleet = judging->resolved->fleet;

	judging->ruled = arena_alloc(judging->arena, fleet->machine_count);
	for (size_t i = 0; i < fleet->machine_count; i++)
		if (machine_has_ruleset(&fleet->machines[i]))
			judging->ruled[i] = fleet->machines[i].enforcement == ENFORCEMENT_MONITOR ? RULED_MONITORED
			                                                                          : RULED_ENFORCED;
}

static void find_managed(struct judging *judging)
{
	const struct settings *settings = judging->settings;
	struct range *ranges = ARENA_ARRAY(judging->arena, struct range, settings->management_count);

	for (size_t i = 0; i < settings->management_count; i++)
		ranges[i] = prefix_range(settings->management[i]);
	for (size_t family = 0; family < POLICY_FAMILIES; family++) {
		struct addr_set *set = ARENA_NEW(judging->arena, struct addr_set);

		*set = addr_set_of(judging->arena, family_at(family), ranges, settings->management_count);
		APPEND(judging->arena, &judging->managed[family], set);
	}
}

void policy_judge(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                  const struct assertions *assertions, struct policy *policy)
{
	struct judging judging = {
		.arena = arena,
		.explainer = explainer_new(arena, resolved, settings),
		.resolved = resolved,
		.settings = settings,
		.roles = ARENA_ARRAY(arena, struct weighed_role *, resolved->fleet->role_count),
		.seen = arena_alloc(arena, resolved->fleet->machine_count),
		.ever = arena_alloc(arena, resolved->fleet->machine_count),
	};

	find_ruled(&judging);
	policy_positions(&judging);
	find_managed(&judging);
	*policy = (struct policy){.notes = ARENA_ARRAY(arena, struct policy_note, assertions->count),
	                          .note_count = assertions->count};
	for (size_t i = 0; i < assertions->count; i++)
		judge_one(&judging, &assertions->items[i], &policy->notes[i]);
	for (size_t i = 0; i < resolved->fleet->machine_count; i++) {
		policy->left_out += (judging.ever[i] & SEEN_LEFT_OUT) != 0;
		policy->monitored += (judging.ever[i] & SEEN_MONITORED) != 0;
	}
	policy->violations = judging.violations.items;
	policy->count = judging.violations.count;
}
