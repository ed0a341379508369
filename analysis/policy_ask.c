/* Asks the classes of a question, packet by packet: which addresses of the others does a rule, or the default, treat
 * otherwise than the assertion says? What one class answers, all its machines answer, but for their own addresses and
 * families. */
#include <string.h>

#include "fleetwall/arena.h"
#include "policy_parts.h"

/* One reason that is looked for: a rule, or the default. */
struct reason {
	enum stage stage;
	struct weighed *rule; /* NULL: the default */
};

/* A class, one packet, and the rules that speak of it. */
struct asking {
	const struct question *question;
	const struct class *class;
	struct packet packet;
	size_t family;
	struct weighed_list rules[POLICY_ACTIONS];
	struct set_list sets[POLICY_ACTIONS];
	struct search search;   /* for the reason */
	struct str *interfaces; /* by which the senders may send */
	size_t interface_count;
};

static bool is_housekeeping(const struct judging *judging, const struct packet *packet, enum direction direction)
{
	const struct passage passage = {.explainer = judging->explainer, .direction = direction, .packet = *packet};

	return passage_is_housekeeping(&passage);
}

static bool rule_speaks_of(const struct judging *judging, const struct weighed *weighed, const struct packet *packet)
{
	const struct rule *rule = &weighed->effective->held->rule;

	return what_covers(judging->resolved->fleet, &rule->what, packet) &&
	       interface_covers(rule->interface, packet->interface);
}

static void add_sets(struct judging *judging, struct set_list *list, const struct set_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		APPEND(judging->scratch, list, more->items[i]);
}

static void gather(struct asking *asking)
{
	struct judging *judging = asking->question->judging;

	for (enum action action = ACTION_ALLOW; action <= ACTION_REJECT; action++) {
		const struct weighed_list *list = &asking->class->lists[action];

		asking->rules[action].count = asking->sets[action].count = 0;
		for (size_t i = 0; i < list->count; i++) {
			if (!rule_speaks_of(judging, list->items[i], &asking->packet))
				continue;
			APPEND(judging->scratch, &asking->rules[action], list->items[i]);
			add_sets(judging, &asking->sets[action],
			         rule_addresses(judging, list->items[i], asking->family));
		}
	}
}

/* --- what the senders' rulesets say --- */

static bool any_has(const struct set_list *sets, struct addr addr)
{
	for (size_t i = 0; i < sets->count; i++)
		if (addr_set_has(sets->items[i], addr))
			return true;
	return false;
}

static bool rules_have(struct judging *judging, const struct class *senders, enum action action,
                       const struct packet *packet, struct addr to)
{
	const struct weighed_list *list = &senders->lists[action];

	for (size_t i = 0; i < list->count; i++)
		if (rule_speaks_of(judging, list->items[i], packet) &&
		    any_has(rule_addresses(judging, list->items[i], to.family == FAMILY_6), to))
			return true;
	return false;
}

static bool lets_out(struct judging *judging, const struct class *senders, const struct packet *packet, struct addr to)
{
	if (is_housekeeping(judging, packet, DIRECTION_OUT))
		return true;
	if (rules_have(judging, senders, ACTION_DENY, packet, to) ||
	    rules_have(judging, senders, ACTION_REJECT, packet, to))
		return false;
	return !senders->closed || rules_have(judging, senders, ACTION_ALLOW, packet, to);
}

/* By some interface; where the assertion names one, by that. */
static bool senders_let(const struct asking *asking, struct addr to)
{
	const struct question *question = asking->question;
	struct packet packet = asking->packet;

	if (question->senders == NULL)
		return true;
	for (size_t i = 0; i < asking->interface_count; i++) {
		packet.interface = asking->interfaces[i];
		if (lets_out(question->judging, question->senders, &packet, to))
			return true;
	}
	return false;
}

/* --- one machine --- */

/* Can the machine be an end of such a packet; and with which address of its own? */
static bool takes_part(const struct asking *asking, const struct machine *machine, struct addr *own, bool *has_own)
{
	const struct question *question = asking->question;
	size_t place = 0;

	*has_own = false;
	while (machine_address(machine, question->label, family_at(asking->family), &place)) {
		*own = machine->addresses[place++].addr;
		*has_own = true;
		if (senders_let(asking, *own))
			return true;
	}
	return !*has_own && !question->between && question->label.n == 0;
}

/* A machine is no other end of itself: from `first`, which is its own, to one that is not. */
static bool find_other(const struct asking *asking, const struct machine *machine, addr_bits first, addr_bits *found)
{
	struct search search = asking->search;
	struct arena *scratch = asking->question->judging->scratch;
	struct range *ranges = ARENA_ARRAY(scratch, struct range, machine->address_count);
	struct addr_set own;
	const struct addr_set *items[] = {&own};
	const struct set_list list = {.items = items, .count = 1};

	for (size_t i = 0; i < machine->address_count; i++) {
		struct addr addr = machine->addresses[i].addr;

		ranges[i] = (struct range){addr.bits, addr.bits, addr.family};
	}
	own = addr_set_of(scratch, search.family, ranges, machine->address_count);
	search_add(&search, &list, true);
	return search_next(&search, first, found);
}

/* An address that people take for an example, where it is one. */
static addr_bits likely(const struct asking *asking, const struct machine *machine, addr_bits found)
{
	static const addr_bits documented[] = {0xcb007107, (addr_bits)0x20010db8 << 96 | 7};

	const addr_bits tries[] = {documented[asking->family], found + 1};

	for (size_t i = 0; i < 2 && !asking->question->between; i++)
		if (tries[i] <= family_last(asking->search.family) && search_has(&asking->search, tries[i]) &&
		    !machine_has_address(machine, (struct addr){tries[i], asking->search.family}))
			return tries[i];
	return found;
}

/* Of the others who has the address: one of those that are asked about, else (for the reader) anybody. */
static const struct machine *owner_of(const struct question *question, struct addr addr)
{
	const struct fleet *fleet = question->judging->resolved->fleet;
	size_t count = question->between ? question->other_machines.count : fleet->machine_count;

	for (size_t i = 0; i < count; i++) {
		const struct machine *machine =
			&fleet->machines[question->between ? question->other_machines.items[i] : i];

		if (machine_has_address(machine, addr))
			return machine;
	}
	return NULL;
}

static void fill_example(const struct asking *asking, const struct machine *machine, const struct addr *own,
                         addr_bits other, struct policy_violation *violation)
{
	const struct question *question = asking->question;
	struct addr addr = {other, asking->search.family};
	const struct machine *owner = owner_of(question, addr);
	bool out = question->direction == DIRECTION_OUT;

	*(out ? &violation->source : &violation->destination) = machine;
	if (question->between)
		*(out ? &violation->destination : &violation->source) = owner;
	else
		violation->known = owner;
	violation->from = out && own != NULL ? *own : addr;
	violation->to = !out && own != NULL ? *own : addr;
	violation->has_from = !out || own != NULL;
	violation->has_to = out || own != NULL;
	violation->what = packet_str(question->judging->arena, &asking->packet);
}

/* --- one reason --- */

static void ask_machine(const struct asking *asking, size_t place, uint32_t number, addr_bits first)
{
	struct judging *judging = asking->question->judging;
	const struct machine *machine = judging->resolved->machines[number].machine;
	struct policy_violation *violation;
	struct addr own = {0};
	addr_bits found = first;
	bool has_own;

	if (violation_has(judging, place, number) || !takes_part(asking, machine, &own, &has_own))
		return;
	if (machine_has_address(machine, (struct addr){first, asking->search.family}) &&
	    !find_other(asking, machine, first, &found))
		return;
	judging->found = true;
	if (judging->probing)
		return;
	violation = &judging->violations.items[place];
	if (violation->machine_count == 0)
		fill_example(asking, machine, has_own ? &own : NULL, likely(asking, machine, found), violation);
	violation_add(judging, place, number);
}

/* `from`: none is before it. */
static void ask_reason(struct asking *asking, const struct reason *reason, addr_bits from)
{
	const struct question *question = asking->question;
	struct judging *judging = question->judging;
	const struct policy_violation violation = {
		.assertion = question->assertion,
		.out = question->direction == DIRECTION_OUT,
		.stage = reason->stage,
		.rule = reason->rule != NULL ? reason->rule->effective : NULL,
	};
	addr_bits first;
	size_t place;

	if (!search_next(&asking->search, from, &first))
		return;
	place = violation_place(judging, &violation);
	for (size_t i = 0; i < asking->class->machine_count && !(judging->probing && judging->found); i++)
		ask_machine(asking, place, asking->class->machines[i], first);
}

/* The others, but those whom management lets in. */
static void begin_search(struct asking *asking)
{
	const struct question *question = asking->question;
	const struct packet *packet = &asking->packet;

	asking->search = (struct search){.family = family_at(asking->family)};
	search_add(&asking->search, question_others(question, asking->family), question->outside);
	if (question->direction == DIRECTION_IN && packet->protocol == PROTOCOL_TCP && packet->has_port &&
	    packet->port == asking->class->ssh_port)
		search_add(&asking->search, &question->judging->managed[asking->family], true);
}

bool question_meets(const struct question *question, struct weighed *weighed, size_t family, addr_bits *first)
{
	struct judging *judging = question->judging;

	for (size_t i = 0; i < POLICY_FAMILIES && weighed->asked != judging->questions; i++) {
		struct search search = {.family = family_at(i)};

		search_add(&search, question_others(question, i), question->outside);
		search_add(&search, rule_addresses(judging, weighed, i), false);
		weighed->meets[i] = search_next(&search, 0, &weighed->first[i]);
	}
	weighed->asked = judging->questions;
	*first = weighed->first[family];
	return weighed->meets[family];
}

static void ask_rules(struct asking *asking, enum action action, enum stage stage)
{
	for (size_t i = 0; i < asking->rules[action].count; i++) {
		struct weighed *rule = asking->rules[action].items[i];
		const struct reason reason = {stage, rule};
		addr_bits first;

		if (!question_meets(asking->question, rule, asking->family, &first))
			continue;
		begin_search(asking);
		search_add(&asking->search, rule_addresses(asking->question->judging, rule, asking->family), false);
		if (action != ACTION_DENY)
			search_add(&asking->search, &asking->sets[ACTION_DENY], true);
		if (action == ACTION_ALLOW)
			search_add(&asking->search, &asking->sets[ACTION_REJECT], true);
		ask_reason(asking, &reason, first);
	}
}

/* What no rule refuses, nor lets pass where the default refuses. */
static void ask_default(struct asking *asking, bool without_allowed)
{
	const struct reason reason = {STAGE_DEFAULT, NULL};

	begin_search(asking);
	search_add(&asking->search, &asking->sets[ACTION_DENY], true);
	search_add(&asking->search, &asking->sets[ACTION_REJECT], true);
	if (without_allowed)
		search_add(&asking->search, &asking->sets[ACTION_ALLOW], true);
	ask_reason(asking, &reason, 0);
}

static void ask_packet(struct asking *asking)
{
	const struct question *question = asking->question;
	bool open = question->direction == DIRECTION_OUT && !asking->class->closed;

	if (is_housekeeping(question->judging, &asking->packet, question->direction))
		return;
	gather(asking);
	if (question->always) {
		ask_rules(asking, ACTION_DENY, STAGE_DENY);
		ask_rules(asking, ACTION_REJECT, STAGE_REJECT);
		if (!open)
			ask_default(asking, true);
	} else if (open) {
		ask_default(asking, false);
	} else {
		ask_rules(asking, ACTION_ALLOW, STAGE_ALLOW);
	}
}

static void ask_class(const struct question *question, const struct class *class)
{
	struct asking asking = {.question = question, .class = class};

	if (question->senders != NULL)
		asking.interfaces = interfaces_for(question, question->senders, &asking.interface_count);
	for (asking.family = 0; asking.family < POLICY_FAMILIES; asking.family++) {
		struct packets_list packets =
			packets_for(question, class, question->senders, family_at(asking.family));

		for (size_t i = 0; i < packets.count; i++) {
			asking.packet = packets.items[i];
			ask_packet(&asking);
		}
	}
}

/* What classes and packets are made of is gone afterwards. */
void question_ask(const struct question *question)
{
	struct judging *judging = question->judging;
	struct arena *outer = judging->scratch, *kept = arena_new(), *pass = arena_new();
	struct classes classes;

	judging->questions++;
	judging->scratch = kept;
	classes = classes_of(question);
	judging->scratch = pass;
	for (size_t i = 0; i < classes.count && !(judging->probing && judging->found); i++) {
		ask_class(question, &classes.items[i]);
		arena_reset(pass);
	}
	arena_free(pass);
	arena_free(kept);
	judging->scratch = outer;
}
