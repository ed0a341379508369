/* What the inventory says should become of packets at a machine: the stages of SPEC §2, one after the other, each
 * taking what the ones before left. It starts at the rows, and shares nothing with what makes rulesets. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "intent_parts.h"

struct intent *intent_new(struct arena *arena, const struct fleet *fleet, const struct settings *settings)
{
	struct intent *intent = ARENA_NEW(arena, struct intent);

	*intent = (struct intent){
		.arena = arena,
		.fleet = fleet,
		.settings = settings,
		.roles = ARENA_ARRAY(arena, struct meant_role, fleet->role_count),
		.held = ARENA_ARRAY(arena, struct number_list, fleet->machine_count),
		.role_names = names_new(arena),
		.set_names = names_new(arena),
		.positions = names_new(arena),
		.position_of = ARENA_ARRAY(arena, uint32_t, fleet->machine_count),
		.key = ARENA_NEW(arena, struct buf),
	};
	*intent->key = buf_new(arena);
	for (size_t i = 0; i < fleet->machine_count; i++)
		intent->position_of[i] = NAMES_NONE;
	for (size_t i = 0; i < fleet->role_count; i++)
		names_keep(intent->role_names, fleet->roles[i].name);
	members_find(intent);
	rules_find(intent);
	return intent;
}

const uint32_t *intent_members(const struct intent *intent, size_t role, size_t *count)
{
	*count = intent->roles[role].members.count;
	return intent->roles[role].members.items;
}

size_t intent_rules(struct arena *arena, const struct intent *intent, size_t machine, struct intent_rule **rules)
{
	const struct number_list *held = &intent->held[machine];
	struct {
		struct intent_rule *items;
		size_t count, capacity;
	} list = {0};

	for (size_t i = 0; i < held->count && has_ruleset(&intent->fleet->machines[machine]); i++) {
		const struct meant_role *role = &intent->roles[held->items[i]];

		for (size_t j = 0; j < role->rule_count; j++)
			APPEND(arena, &list,
			       ((struct intent_rule){&intent->fleet->roles[held->items[i]], role->rules[j].held}));
	}
	*rules = list.items;
	return list.count;
}

size_t intent_role_rules(struct arena *arena, const struct intent *intent, size_t role, struct intent_rule **rules)
{
	const struct meant_role *meant = &intent->roles[role];

	*rules = ARENA_ARRAY(arena, struct intent_rule, meant->rule_count);
	for (size_t i = 0; i < meant->rule_count; i++)
		(*rules)[i] = (struct intent_rule){&intent->fleet->roles[role], meant->rules[i].held};
	return meant->rule_count;
}

struct packets intent_compared(enum family family)
{
	return packets_and(packets_family(family), packets_number(FIELD_FRAGMENT, 0));
}

/* --- the stages --- */

struct passing {
	struct view view;
	size_t machine;
	struct arena *arena;
	struct packets left;    /* what no stage has decided yet */
	struct packets managed, passed, dropped, reset, rejected;
};

static struct packets take(struct passing *passing, struct packets match)
{
	struct packets taken = packets_and(passing->left, match);

	passing->left = packets_without(passing->left, match);
	return taken;
}

static void let(struct passing *passing, struct packets match)
{
	passing->passed = packets_or(passing->passed, take(passing, match));
}

/* What the machine's rules of that action speak of, in this direction. */
static struct packets rules_of(const struct passing *passing, enum action action)
{
	struct intent *intent = passing->view.intent;
	const struct number_list *held = &intent->held[passing->machine];
	struct packets *sets = ARENA_ARRAY(passing->arena, struct packets, held->count);

	for (size_t i = 0; i < held->count; i++)
		sets[i] = role_packets(passing->arena, &passing->view, &intent->roles[held->items[i]], action);
	return union_of(sets, held->count);
}

static void housekeep(struct passing *passing)
{
	const struct housekeeping *housekeeping =
		housekeeping_of(passing->view.intent, passing->view.family, passing->view.out);

	let(passing, housekeeping->before);
	passing->dropped = take(passing, housekeeping->drop);
	let(passing, housekeeping->behind);
}

static void manage(struct passing *passing)
{
	passing->managed = take(passing, management_of(passing->view.intent, passing->machine, passing->view.family,
	                                               passing->view.out));
}

static void refuse(struct passing *passing)
{
	struct packets tcp = packets_number(FIELD_PROTOCOL, PROTOCOL_TCP), refused;

	passing->dropped = packets_or(passing->dropped, take(passing, rules_of(passing, ACTION_DENY)));
	refused = take(passing, rules_of(passing, ACTION_REJECT));
	passing->reset = packets_and(refused, tcp);
	passing->rejected = packets_without(refused, tcp);
}

/* Where everything may leave, it makes no difference what rules let out. Else what is left either passes or is
 * dropped: said in as few steps as there can be, for these sets are the large ones. */
static void allow(struct passing *passing)
{
	struct packets rest = packets_or(passing->dropped, passing->left);

	if (passing->view.out && !egress_closed(passing->view.intent, passing->machine)) {
		let(passing, passing->left);
		return;
	}
	passing->passed = packets_if(passing->left, rules_of(passing, ACTION_ALLOW), passing->passed);
	passing->dropped = packets_without(rest, passing->passed);
}

/* --- what the modes make of it --- */

static bool is_ours_alone(const struct machine *machine)
{
	return machine->mode == MODE_EXCLUSIVE && machine->enforcement == ENFORCEMENT_ENFORCE;
}

static struct intended all_passes(enum family family)
{
	struct packets none = packets_none();

	return (struct intended){.accepted = none, .passed = intent_compared(family), .dropped = none, .reset = none,
	                         .rejected = none, .watched = none};
}

static struct intended intended_of(const struct passing *passing, const struct machine *machine)
{
	struct intended intended = all_passes(passing->view.family);

	if (passing->view.monitor) {
		intended.watched = packets_or(packets_or(passing->dropped, passing->reset), passing->rejected);
		return intended;
	}
	intended.dropped = passing->dropped;
	intended.reset = passing->reset;
	intended.rejected = passing->rejected;
	intended.accepted = passing->managed;
	intended.passed = passing->passed;
	if (is_ours_alone(machine)) {
		intended.accepted = packets_or(passing->managed, passing->passed);
		intended.passed = packets_none();
	}
	return intended;
}

/* In coexist and monitor management comes before everything, in any state; in exclusive behind housekeeping. */
static struct intended decide(struct arena *arena, const struct view *view, size_t number)
{
	const struct machine *machine = &view->intent->fleet->machines[number];
	struct packets none = packets_none();
	struct passing passing = {*view, number, arena, intent_compared(view->family), none, none, none, none, none};

	if (!is_ours_alone(machine))
		manage(&passing);
	housekeep(&passing);
	if (is_ours_alone(machine))
		manage(&passing);
	refuse(&passing);
	allow(&passing);
	return intended_of(&passing, machine);
}

struct intents intent_of(struct arena *arena, struct intent *intent, size_t number, enum family family,
                         intent_peer_seen *seen, void *context)
{
	const struct machine *machine = &intent->fleet->machines[number];
	struct view view = {intent, family, false, machine->enforcement == ENFORCEMENT_MONITOR, seen, context};
	struct intents intents = {all_passes(family), all_passes(family), false};

	if (!has_ruleset(machine))
		return intents;
	intents.in = decide(arena, &view, number);
	view.out = true;
	intents.out = decide(arena, &view, number);
	intents.forward_dropped = is_ours_alone(machine);
	return intents;
}
