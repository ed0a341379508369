/* Groups machines by what their rulesets can say to a question: of all their rules only those count that speak of its
 * packets and, where the question asks who may pass, let somebody pass of whom it asks. Most fleets then fall into very
 * few classes, and a fleet that keeps to its policy into none. */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "policy_parts.h"

struct grouping {
	const struct question *question;
	struct weighed_role **roles; /* by role: those of its rules that matter; NULL: not asked yet */
	uint32_t *class_of;          /* by position; NAMES_NONE: not known yet */
	struct names *keys;
	struct buf key;
	struct classes classes;
	uint32_t *of_machine;        /* by place in question->judged: its class */
};

#define NO_CLASS (NAMES_NONE - 1) /* nothing can be found there */

/* May it let somebody pass of whom is asked? Where all must pass, and where rules refuse, each counts. */
static bool lets_others(const struct question *question, struct weighed *weighed)
{
	addr_bits first;

	return question_meets(question, weighed, 0, &first) || question_meets(question, weighed, 1, &first);
}

static bool matters(const struct question *question, struct weighed *weighed, enum action action)
{
	const struct rule *rule = &weighed->effective->held->rule;

	if (!whats_meet(question->judging, &question->assertion->what, &rule->what))
		return false;
	return question->always || action != ACTION_ALLOW || lets_others(question, weighed);
}

static const struct weighed_role *role_of(struct grouping *grouping, uint32_t number)
{
	const struct question *question = grouping->question;
	struct judging *judging = question->judging;
	const struct weighed_role *all;
	struct weighed_role *role = grouping->roles[number];

	if (role != NULL)
		return role;
	role = grouping->roles[number] = ARENA_NEW(judging->scratch, struct weighed_role);
	all = weighed_role(judging, number);
	for (enum action action = ACTION_ALLOW; action <= ACTION_REJECT; action++) {
		const struct weighed_list *list = &all->lists[question->direction][action];

		for (size_t i = 0; i < list->count; i++)
			if (matters(question, list->items[i], action))
				APPEND(judging->scratch, &role->lists[question->direction][action], list->items[i]);
	}
	return role;
}

static bool is_closed(const struct question *question, uint32_t machine)
{
	return question->direction == DIRECTION_OUT && machine_egress_closed(question->judging->resolved, machine);
}

static void add_number(struct buf *buf, uint32_t number)
{
	buf_add(buf, (struct str){(const char *)&number, sizeof number});
}

/* True where there is something to find. */
static bool write_key(struct grouping *grouping, uint32_t number)
{
	const struct question *question = grouping->question;
	const struct resolved_machine *machine = &question->judging->resolved->machines[number];
	bool closed = is_closed(question, number), open = question->direction == DIRECTION_OUT && !closed;
	bool lets = open || question->always;
	unsigned port = question->direction == DIRECTION_IN ? machine_ssh_port(question->judging, number) : 0;

	grouping->key.n = 0;
	add_number(&grouping->key, closed);
	add_number(&grouping->key, port);
	for (size_t i = 0; i < machine->role_count; i++) {
		const struct weighed_list *lists = role_of(grouping, machine->roles[i])->lists[question->direction];

		lets |= lists[ACTION_ALLOW].count > 0;
		if (lists[ACTION_ALLOW].count + lists[ACTION_DENY].count + lists[ACTION_REJECT].count > 0)
			add_number(&grouping->key, machine->roles[i]);
	}
	return lets;
}

static void fill_class(struct grouping *grouping, struct class *class, uint32_t number)
{
	const struct question *question = grouping->question;
	const struct resolved_machine *machine = &question->judging->resolved->machines[number];

	*class = (struct class){.direction = question->direction, .closed = is_closed(question, number),
	                        .ssh_port = machine_ssh_port(question->judging, number)};
	for (size_t i = 0; i < machine->role_count; i++)
		for (enum action action = ACTION_ALLOW; action <= ACTION_REJECT; action++) {
			const struct weighed_list *list =
				&role_of(grouping, machine->roles[i])->lists[question->direction][action];

			for (size_t j = 0; j < list->count; j++)
				APPEND(question->judging->scratch, &class->lists[action], list->items[j]);
		}
}

/* The class of the machine's position. */
static uint32_t class_of(struct grouping *grouping, uint32_t number)
{
	struct arena *scratch = grouping->question->judging->scratch;
	uint32_t *known = &grouping->class_of[grouping->question->judging->position_of[number]];

	if (*known != NAMES_NONE)
		return *known;
	if (!write_key(grouping, number))
		return *known = NO_CLASS;
	*known = names_add(grouping->keys, buf_str(&grouping->key));
	if (*known == grouping->classes.count) {
		APPEND(scratch, &grouping->classes, (struct class){0});
		fill_class(grouping, &grouping->classes.items[*known], number);
	}
	return *known;
}

static void hand_out(struct grouping *grouping)
{
	const struct machines *judged = &grouping->question->judged;
	struct class *classes = grouping->classes.items;

	for (size_t i = 0; i < grouping->classes.count; i++)
		classes[i].machines = ARENA_ARRAY(grouping->question->judging->scratch, uint32_t,
		                                  classes[i].machine_count);
	for (size_t i = 0; i < grouping->classes.count; i++)
		classes[i].machine_count = 0;
	for (size_t i = 0; i < judged->count; i++)
		if (grouping->of_machine[i] != NO_CLASS) {
			struct class *class = &classes[grouping->of_machine[i]];

			class->machines[class->machine_count++] = judged->items[i];
		}
}

struct classes classes_of(const struct question *question)
{
	struct judging *judging = question->judging;
	struct arena *scratch = judging->scratch;
	struct grouping grouping = {
		.question = question,
		.roles = ARENA_ARRAY(scratch, struct weighed_role *, judging->resolved->fleet->role_count),
		.class_of = ARENA_ARRAY(scratch, uint32_t, judging->position_count),
		.keys = names_new(scratch),
		.key = buf_new(scratch),
		.of_machine = ARENA_ARRAY(scratch, uint32_t, question->judged.count),
	};

	memset(grouping.class_of, 0xff, judging->position_count * sizeof *grouping.class_of);
	for (size_t i = 0; i < question->judged.count; i++) {
		uint32_t number = question->judged.items[i];

		grouping.of_machine[i] = NO_CLASS;
		if (judging->ruled[number] == RULED_NOT)
			continue;
		grouping.of_machine[i] = class_of(&grouping, number);
		if (grouping.of_machine[i] != NO_CLASS)
			grouping.classes.items[grouping.of_machine[i]].machine_count++;
	}
	hand_out(&grouping);
	return grouping.classes;
}
