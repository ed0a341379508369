/* Who is in which role: each label that a selector asks for has a list of the machines that carry it; a role's
 * members are those that are in the lists of all its labels, with those that were assigned it. It looks at nothing
 * but rows. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "intent_parts.h"

struct finding {
	struct intent *intent;
	struct arena *scratch;
	struct names *labels;        /* "key=value": no key has a "=" */
	struct number_list *bearers; /* by label: machines that carry it, ascending */
	struct number_list *assigned; /* by role */
	struct number_list everyone;
};

static struct str label_text(struct buf *buf, const struct label *label)
{
	buf->n = 0;
	buf_add(buf, label->key);
	buf_char(buf, '=');
	buf_add(buf, label->value);
	return buf_str(buf);
}

static void note_selectors(struct finding *finding)
{
	const struct fleet *fleet = finding->intent->fleet;
	struct buf buf = buf_new(finding->scratch);

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t j = 0; j < fleet->roles[i].selector_count; j++)
			names_add(finding->labels, label_text(&buf, &fleet->roles[i].selector[j]));
	finding->bearers = ARENA_ARRAY(finding->scratch, struct number_list, names_count(finding->labels));
}

static void note_machine(struct finding *finding, struct buf *buf, uint32_t number)
{
	const struct machine *machine = &finding->intent->fleet->machines[number];

	for (size_t i = 0; i < machine->label_count; i++) {
		uint32_t label = names_find(finding->labels, label_text(buf, &machine->labels[i]));

		if (label != NAMES_NONE)
			APPEND(finding->scratch, &finding->bearers[label], number);
	}
	for (size_t i = 0; i < machine->role_count; i++) {
		uint32_t role = names_find(finding->intent->role_names, machine->roles[i]);

		if (role != NAMES_NONE)
			APPEND(finding->scratch, &finding->assigned[role], number);
	}
	finding->everyone.items[number] = number;
}

static void note_machines(struct finding *finding)
{
	const struct fleet *fleet = finding->intent->fleet;
	struct buf buf = buf_new(finding->scratch);

	finding->assigned = ARENA_ARRAY(finding->scratch, struct number_list, fleet->role_count);
	finding->everyone.items = ARENA_ARRAY(finding->scratch, uint32_t, fleet->machine_count);
	finding->everyone.count = fleet->machine_count;
	for (size_t i = 0; i < fleet->machine_count; i++)
		note_machine(finding, &buf, (uint32_t)i);
}

/* What is in both, or in either; all three are ascending. */
static struct number_list both(struct arena *arena, const struct number_list *a, const struct number_list *b)
{
	struct number_list list = {.items = ARENA_ARRAY(arena, uint32_t, a->count < b->count ? a->count : b->count)};

	for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
		if (a->items[i] == b->items[j])
			list.items[list.count++] = a->items[i];
		if (a->items[i] <= b->items[j])
			i++;
		else
			j++;
	}
	return list;
}

static struct number_list either(struct arena *arena, const struct number_list *a, const struct number_list *b)
{
	struct number_list list = {.items = ARENA_ARRAY(arena, uint32_t, a->count + b->count)};
	size_t i = 0, j = 0;

	while (i < a->count || j < b->count) {
		bool from_a = j == b->count || (i < a->count && a->items[i] <= b->items[j]);
		uint32_t next = from_a ? a->items[i++] : b->items[j++];

		if (list.count == 0 || list.items[list.count - 1] != next)
			list.items[list.count++] = next;
	}
	return list;
}

static struct number_list selected(struct finding *finding, const struct role *role)
{
	struct buf buf = buf_new(finding->scratch);
	struct number_list list = finding->everyone;

	if (!role->has_selector)
		return (struct number_list){0};
	for (size_t i = 0; i < role->selector_count; i++) {
		uint32_t label = names_find(finding->labels, label_text(&buf, &role->selector[i]));

		list = i == 0 ? finding->bearers[label] : both(finding->scratch, &list, &finding->bearers[label]);
	}
	return list;
}

/* Of a machine's own role that machine, and nobody else. */
static struct number_list members_of(struct finding *finding, uint32_t number)
{
	struct intent *intent = finding->intent;
	const struct role *role = &intent->fleet->roles[number];
	struct str own = machine_of_role(role->name);
	const struct machine *machine;
	struct number_list list = {0};

	if (own.n == 0) {
		list = selected(finding, role);
		return either(intent->arena, &list, &finding->assigned[number]);
	}
	machine = fleet_machine(intent->fleet, own);
	if (machine != NULL)
		APPEND(intent->arena, &list, (uint32_t)(machine - intent->fleet->machines));
	return list;
}

static void hand_out(struct intent *intent)
{
	const struct fleet *fleet = intent->fleet;

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t j = 0; j < intent->roles[i].members.count; j++)
			intent->held[intent->roles[i].members.items[j]].capacity++;
	for (size_t i = 0; i < fleet->machine_count; i++)
		intent->held[i].items = ARENA_ARRAY(intent->arena, uint32_t, intent->held[i].capacity);
	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t j = 0; j < intent->roles[i].members.count; j++) {
			struct number_list *held = &intent->held[intent->roles[i].members.items[j]];

			held->items[held->count++] = (uint32_t)i;
		}
}

void members_find(struct intent *intent)
{
	struct arena *scratch = arena_new();
	struct finding finding = {.intent = intent, .scratch = scratch, .labels = names_new(scratch)};

	note_selectors(&finding);
	note_machines(&finding);
	for (size_t i = 0; i < intent->fleet->role_count; i++)
		intent->roles[i].members = members_of(&finding, (uint32_t)i);
	hand_out(intent);
	arena_free(scratch);
}
