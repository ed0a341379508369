/* What is missing where the default denied: the roles whose rules would let the packet pass, and which rules cover a
 * packet at all. */
#include "explainer.h"
#include "fleetwall/arena.h"

/* Which of the two machines it is that denied: the source's say comes first. */
static bool source_denied(struct arena *arena, struct explainer *explainer, const struct end *source,
                          const struct packet_what *what, const struct verdict *verdict)
{
	struct end destination = {.is_machine = false, .addr = verdict->destination};
	struct verdict alone;

	if (!source->is_machine || !verdict->has_destination)
		return false;
	return explain(arena, explainer, source, &destination, what, &alone) == NULL && !alone.allow;
}

static bool has_role(const struct resolved_machine *machine, uint32_t role)
{
	for (size_t i = 0; i < machine->role_count; i++)
		if (machine->roles[i] == role)
			return true;
	return false;
}

struct remedies {
	const struct effective_rule **items;
	size_t count, capacity;
};

/* Roles come sorted by name, and their rules by text. */
static void collect(const struct passage *passage, struct remedies *remedies)
{
	const struct resolved *resolved = passage->explainer->resolved;

	for (uint32_t role = 0; role < resolved->fleet->role_count; role++) {
		const struct rule_list *list;

		if (machine_of_role(resolved->fleet->roles[role].name).n > 0 ||
		    has_role(&resolved->machines[passage->machine], role))
			continue;
		list = &explainer_role(passage->explainer, role)->lists[passage->direction][ACTION_ALLOW];
		for (size_t i = 0; i < list->count; i++)
			if (passage_matches(passage, list->items[i]))
				APPEND(passage->arena, remedies, list->items[i]->effective);
	}
}

size_t explain_remedies(struct arena *arena, struct explainer *explainer, const struct end *source,
                        const struct end *destination, const struct packet_what *what, const struct verdict *verdict,
                        const struct effective_rule ***rules)
{
	bool out = source_denied(arena, explainer, source, what, verdict);
	struct passage passage = {
		.arena = arena,
		.explainer = explainer,
		.machine = out ? source->machine : destination->machine,
		.direction = out ? DIRECTION_OUT : DIRECTION_IN,
		.other = out ? verdict->destination : verdict->source,
	};
	struct remedies remedies = {0};

	passage.packet = packet_of(what, passage.other.family);
	if (!verdict->allow && verdict->stage == STAGE_DEFAULT && (out ? source->is_machine : destination->is_machine))
		collect(&passage, &remedies);
	*rules = remedies.items;
	return remedies.count;
}

bool rule_covers(const struct fleet *fleet, const struct rule *rule, const struct packet_what *what)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};

	for (size_t i = 0; i < 2; i++) {
		struct packet packet = packet_of(what, families[i]);

		if (rule_speaks(rule, families[i]) && what_covers(fleet, &rule->what, &packet))
			return true;
	}
	return false;
}
