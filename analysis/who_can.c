/* who_can(): the stages of SPEC §2 for one packet and all its sources at once. Which rules cover the packet is asked as
 * explain() asks it; whom they let in is sets of addresses, of which deny and reject take their part. It looks at no
 * rendered byte. */
#include "fleetwall/who_can.h"

#include "fleetwall/arena.h"
#include "who_can_parts.h"

/* --- whom a rule speaks of --- */

static struct addr_set rule_sources(struct inquiry *inquiry, const struct indexed_rule *indexed, enum family family)
{
	const struct rule *rule = &indexed->effective->held->rule;
	struct addr_set set;
	struct range *literals;
	size_t count;

	if (rule->any)
		return set_all(family);
	count = rule_literals(inquiry->scratch, rule, family, &literals);
	set = addr_set_of(inquiry->scratch, family, literals, count);
	for (size_t i = 0; i < rule->peer_count; i++)
		if (indexed->peers[i] != NAMES_NONE)
			set = set_or(inquiry->scratch, &set,
			             peers_set(inquiry->explainer->peers, indexed->peers[i],
			                       rule->action != ACTION_ALLOW, family));
	return set;
}

static bool covers(const struct inquiry *inquiry, const struct indexed_rule *indexed, size_t family)
{
	const struct rule *rule = &indexed->effective->held->rule;

	return what_covers(inquiry->explainer->resolved->fleet, &rule->what, &inquiry->packets[family]) &&
	       interface_covers(rule->interface, inquiry->packets[family].interface);
}

static const struct rule_list *role_rules(const struct inquiry *inquiry, size_t role, enum action action)
{
	const struct resolved_machine *machine = &inquiry->explainer->resolved->machines[inquiry->machine];

	return &explainer_role(inquiry->explainer, machine->roles[role])->lists[DIRECTION_IN][action];
}

/* All that deny and reject rules speak of. */
static struct addr_set refused_by(struct inquiry *inquiry, size_t family)
{
	static const enum action actions[] = {ACTION_DENY, ACTION_REJECT};
	const struct resolved_machine *machine = &inquiry->explainer->resolved->machines[inquiry->machine];
	struct addr_set refused = set_none(family_of(family));

	for (size_t i = 0; i < 2 * machine->role_count; i++) {
		const struct rule_list *list = role_rules(inquiry, i / 2, actions[i % 2]);

		for (size_t j = 0; j < list->count; j++) {
			struct addr_set set;

			if (!covers(inquiry, list->items[j], family))
				continue;
			set = rule_sources(inquiry, list->items[j], family_of(family));
			refused = set_or(inquiry->scratch, &refused, &set);
		}
	}
	return refused;
}

static void note_rule(struct inquiry *inquiry, const struct indexed_rule *indexed)
{
	struct letting letting = {.rule = indexed};

	for (size_t family = 0; family < FAMILIES; family++) {
		letting.covers[family] = covers(inquiry, indexed, family);
		letting.sets[family] = letting.covers[family] ? rule_sources(inquiry, indexed, family_of(family))
		                                              : set_none(family_of(family));
	}
	if (letting.covers[0] || letting.covers[1])
		APPEND(inquiry->scratch, &inquiry->rules, letting);
}

static void note_rules(struct inquiry *inquiry)
{
	const struct resolved_machine *machine = &inquiry->explainer->resolved->machines[inquiry->machine];

	for (size_t i = 0; i < machine->role_count; i++) {
		const struct rule_list *list = role_rules(inquiry, i, ACTION_ALLOW);

		for (size_t j = 0; j < list->count; j++)
			note_rule(inquiry, list->items[j]);
	}
}

/* --- the stages --- */

/* Is it one stage for all sources? No ruleset, monitor and housekeeping look at no address; so any will do to ask. */
static struct error *is_open(struct inquiry *inquiry, const struct packet_what *what, size_t family)
{
	const struct machine *machine = inquiry->explainer->resolved->machines[inquiry->machine].machine;
	struct end source = {.addr = {.family = family_of(family)}};
	struct end destination = {.is_machine = true, .machine = inquiry->machine};
	struct verdict verdict;

	TRY(explain(inquiry->scratch, inquiry->explainer, &source, &destination, what, &verdict));
	inquiry->stages[family] = verdict.stage;
	inquiry->open[family] = verdict.stage == STAGE_HOUSEKEEPING || verdict.stage == STAGE_NO_RULESET;
	if (!inquiry->open[family] && machine->enforcement == ENFORCEMENT_MONITOR) {
		inquiry->stages[family] = STAGE_MONITOR;
		inquiry->open[family] = true;
	}
	return NULL;
}

static struct addr_set managed_sources(struct inquiry *inquiry, size_t family)
{
	const struct settings *settings = inquiry->explainer->settings;
	const struct machine *machine = inquiry->explainer->resolved->machines[inquiry->machine].machine;
	const struct packet *packet = &inquiry->packets[family];
	unsigned port = machine->ssh_port != 0 ? machine->ssh_port : settings->ssh_port;
	struct range *ranges = ARENA_ARRAY(inquiry->scratch, struct range, settings->management_count);

	if (packet->protocol != PROTOCOL_TCP || !packet->has_port || packet->port != port)
		return set_none(family_of(family));
	for (size_t i = 0; i < settings->management_count; i++)
		ranges[i] = prefix_range(settings->management[i]);
	return addr_set_of(inquiry->scratch, family_of(family), ranges, settings->management_count);
}

/* So many addresses, or all of them and more. */
static addr_bits size_of(const struct addr_set *set, addr_bits size)
{
	for (size_t i = 0; i < set->count; i++) {
		addr_bits more = set->ranges[i].last - set->ranges[i].first;

		if (more >= family_last(set->family) - size)
			return family_last(set->family);
		size += more + 1;
	}
	return size;
}

/* Is nothing refused, and so little let in that it is not everybody? Then each rule lets in all it speaks of, and what
 * they let in together need not be put together: of large roles, that is what takes the time. */
static bool is_plain(const struct inquiry *inquiry, const struct addr_set *refused, size_t family)
{
	addr_bits size = 0, all = family_last(family_of(family));

	for (size_t i = 0; i < inquiry->rules.count && size < all; i++)
		size = size_of(&inquiry->rules.items[i].sets[family], size);
	return refused->count == 0 && size < all;
}

static void find_let_in(struct inquiry *inquiry, const struct addr_set *refused, size_t family)
{
	struct arena *scratch = inquiry->scratch;
	struct addr_set let = set_none(family_of(family));

	for (size_t i = 0; i < inquiry->rules.count; i++)
		let = set_or(scratch, &let, &inquiry->rules.items[i].sets[family]);
	let = set_without(scratch, &let, refused);
	inquiry->let[family] = set_or(scratch, &let, &inquiry->managed[family]);
	inquiry->open[family] = set_is_all(&let);
}

/* Plain are both families, or none: what a peer has in one decides about its name for both. */
static void let_in(struct inquiry *inquiry)
{
	struct addr_set refused[FAMILIES];
	bool asked[FAMILIES];

	inquiry->plain = true;
	for (size_t family = 0; family < FAMILIES; family++) {
		asked[family] = !inquiry->open[family];
		if (!asked[family])
			continue;
		refused[family] = refused_by(inquiry, family);
		inquiry->managed[family] = managed_sources(inquiry, family);
		inquiry->stages[family] = STAGE_ALLOW;
		inquiry->plain = inquiry->plain && is_plain(inquiry, &refused[family], family);
	}
	for (size_t family = 0; family < FAMILIES; family++)
		if (asked[family] && !inquiry->plain)
			find_let_in(inquiry, &refused[family], family);
}

static struct error *ask(struct inquiry *inquiry, const struct packet_what *what)
{
	for (size_t family = 0; family < FAMILIES; family++) {
		inquiry->packets[family] = packet_of(what, family_of(family));
		inquiry->managed[family] = set_none(family_of(family));
		inquiry->let[family] = set_all(family_of(family));
		TRY(is_open(inquiry, what, family));
	}
	note_rules(inquiry);
	let_in(inquiry);
	return NULL;
}

struct error *who_can(struct arena *arena, struct explainer *explainer, uint32_t machine,
                      const struct packet_what *what, prefix_names *names, void *context, struct who_can *answer)
{
	struct inquiry inquiry = {
		.arena = arena, .scratch = arena_new(), .explainer = explainer, .machine = machine};
	struct error *error = ask(&inquiry, what);

	if (error == NULL)
		error = name_sources(&inquiry, names, context, answer);
	arena_free(inquiry.scratch);
	return error;
}

/* --- what it takes --- */

struct needing {
	struct arena *arena;
	struct names *roles, *machines;
};

static void note_needs(struct needing *needing, const struct indexed_rule *indexed)
{
	const struct rule *rule = &indexed->effective->held->rule;

	for (size_t i = 0; i < rule->peer_count; i++) {
		if (rule->peers[i].kind == PEER_ROLE)
			names_add(needing->roles, rule->peers[i].name);
		else if (rule->peers[i].kind == PEER_SELF)
			names_add(needing->roles, indexed->effective->role->name);
		else if (rule->peers[i].kind == PEER_MACHINE)
			names_add(needing->machines, rule->peers[i].name);
	}
}

static struct str *names_list(struct arena *arena, const struct names *names, size_t *count)
{
	struct str *list = ARENA_ARRAY(arena, struct str, names_count(names));

	*count = names_count(names);
	for (uint32_t i = 0; i < *count; i++)
		list[i] = names_get(names, i);
	return list;
}

struct who_can_needs who_can_needs(struct arena *arena, struct explainer *explainer, uint32_t machine,
                                   const struct packet_what *what)
{
	struct inquiry inquiry = {.explainer = explainer, .machine = machine};
	struct needing needing = {arena, names_new(arena), names_new(arena)};
	struct who_can_needs needs;

	for (size_t family = 0; family < FAMILIES; family++)
		inquiry.packets[family] = packet_of(what, family_of(family));
	for (size_t i = 0; i < explainer->resolved->machines[machine].role_count; i++)
		for (enum action action = ACTION_ALLOW; action <= ACTION_REJECT; action++) {
			const struct rule_list *list = role_rules(&inquiry, i, action);

			for (size_t j = 0; j < list->count; j++)
				if (covers(&inquiry, list->items[j], 0) || covers(&inquiry, list->items[j], 1))
					note_needs(&needing, list->items[j]);
		}
	needs.roles = names_list(arena, needing.roles, &needs.role_count);
	needs.machines = names_list(arena, needing.machines, &needs.machine_count);
	return needs;
}
