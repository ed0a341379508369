/* From an assertion to questions: who is judged, inbound or outbound, and who the others are. Addresses send and get
 * without a say of their own; machines that are named by a role or by name have theirs. */
#include "fleetwall/arena.h"
#include "policy_parts.h"

/* One end of an assertion, of one kind. */
struct party {
	bool machines;             /* otherwise addresses */
	struct machines list;
	struct str label;
	struct set_list sets[POLICY_FAMILIES]; /* of addresses; of machines those with the label */
};
struct parties {
	struct party *items;
	size_t count, capacity;
};

bool machine_address(const struct machine *machine, struct str label, enum family family, size_t *place)
{
	for (; *place < machine->address_count; ++*place) {
		const struct machine_address *address = &machine->addresses[*place];

		if (address->addr.family == family && (label.n == 0 || str_eq(address->label, label)))
			return true;
	}
	return false;
}

/* --- sets of addresses --- */

static void add_set(struct judging *judging, struct set_list *list, struct addr_set set)
{
	struct addr_set *kept = ARENA_NEW(judging->scratch, struct addr_set);

	*kept = set;
	APPEND(judging->scratch, list, kept);
}

static void add_everybody(struct judging *judging, struct set_list sets[POLICY_FAMILIES])
{
	for (size_t family = 0; family < POLICY_FAMILIES; family++) {
		struct range all = {0, family_last(family_at(family)), family_at(family)};

		add_set(judging, &sets[family], addr_set_of(judging->scratch, all.family, &all, 1));
	}
}

/* As a peer of an allow rule. */
static void add_peer(struct judging *judging, struct set_list sets[POLICY_FAMILIES], const struct peer *peer)
{
	for (size_t family = 0; family < POLICY_FAMILIES; family++) {
		struct addr_set set = peer->kind == PEER_LITERAL
		                              ? addr_set_of(judging->scratch, family_at(family), &peer->literal, 1)
		                              : peer_addresses(judging->scratch, judging->resolved, peer, NULL, false,
		                                               family_at(family));

		if (set.count > 0)
			add_set(judging, &sets[family], set);
	}
}

static void add_addresses(struct judging *judging, const struct machines *machines, struct str label,
                          struct set_list sets[POLICY_FAMILIES])
{
	for (size_t family = 0; family < POLICY_FAMILIES; family++) {
		struct {
			struct range *items;
			size_t count, capacity;
		} ranges = {0};

		for (size_t i = 0; i < machines->count; i++) {
			const struct machine *machine = &judging->resolved->fleet->machines[machines->items[i]];
			size_t place = 0;

			for (; machine_address(machine, label, family_at(family), &place); place++) {
				struct addr addr = machine->addresses[place].addr;

				APPEND(judging->scratch, &ranges,
				       ((struct range){addr.bits, addr.bits, addr.family}));
			}
		}
		if (ranges.count > 0)
			add_set(judging, &sets[family],
			        addr_set_of(judging->scratch, family_at(family), ranges.items, ranges.count));
	}
}

static bool is_empty(const struct set_list sets[POLICY_FAMILIES])
{
	return sets[0].count + sets[1].count == 0;
}

/* --- machines --- */

static struct machines all_machines(struct judging *judging)
{
	struct machines list = {0};

	for (uint32_t i = 0; i < judging->resolved->fleet->machine_count; i++)
		APPEND(judging->scratch, &list, i);
	return list;
}

static struct machines peer_machines(struct judging *judging, const struct peer *peer)
{
	const struct fleet *fleet = judging->resolved->fleet;
	const struct machine *machine;
	const struct role *role;
	struct machines list = {0};

	if (peer->kind == PEER_ROLE && (role = fleet_role(fleet, peer->name)) != NULL) {
		const struct resolved_role *resolved = &judging->resolved->roles[role - fleet->roles];

		return (struct machines){.items = resolved->members, .count = resolved->member_count};
	}
	if (peer->kind == PEER_MACHINE && (machine = fleet_machine(fleet, peer->name)) != NULL)
		APPEND(judging->scratch, &list, (uint32_t)(machine - fleet->machines));
	return list;
}

static bool has_label(const struct machine *machine, struct str label)
{
	size_t four = 0, six = 0;

	return label.n == 0 || machine_address(machine, label, FAMILY_4, &four) ||
	       machine_address(machine, label, FAMILY_6, &six);
}

/* Those that are enabled, and left out the others; `all`: everyone. */
static struct machines enabled_machines(struct judging *judging, const struct machines *machines)
{
	struct machines list = {0};

	for (size_t i = 0; i < machines->count; i++) {
		uint32_t number = machines->items[i];

		if (judging->resolved->fleet->machines[number].enabled)
			APPEND(judging->scratch, &list, number);
		else
			machine_left_out(judging, number);
	}
	return list;
}

static struct machines with_ruleset(struct judging *judging, const struct machines *machines, struct str label)
{
	struct machines list = {0};

	for (size_t i = 0; i < machines->count; i++) {
		uint32_t number = machines->items[i];

		if (judging->ruled[number] != RULED_NOT &&
		    (label.n == 0 || has_label(&judging->resolved->fleet->machines[number], label)))
			APPEND(judging->scratch, &list, number);
	}
	return list;
}

/* --- ends --- */

static void add_machines(struct judging *judging, struct parties *parties, struct machines list, struct str label)
{
	APPEND(judging->scratch, parties, ((struct party){.machines = true, .list = list, .label = label}));
}

/* Each role or machine is a party; all addresses together are one, which `any` makes everybody. */
static struct parties sources_of(struct judging *judging, const struct assertion_end *end)
{
	struct parties parties = {0};
	struct party addresses = {0};

	if (end->any)
		add_everybody(judging, addresses.sets);
	for (size_t i = 0; i < end->count && !end->any; i++)
		if (peer_is_address(&end->peers[i]))
			add_peer(judging, addresses.sets, &end->peers[i]);
		else
			add_machines(judging, &parties, peer_machines(judging, &end->peers[i]), end->peers[i].label);
	if (!is_empty(addresses.sets))
		APPEND(judging->scratch, &parties, addresses);
	return parties;
}

static struct parties destinations_of(struct judging *judging, const struct assertion_end *end)
{
	struct parties parties = {0};
	struct party addresses = {0};

	if (end->any)
		add_machines(judging, &parties, all_machines(judging), (struct str){NULL, 0});
	for (size_t i = 0; i < end->count; i++)
		if (peer_is_address(&end->peers[i]))
			add_peer(judging, addresses.sets, &end->peers[i]);
		else if (!end->any)
			add_machines(judging, &parties, peer_machines(judging, &end->peers[i]), end->peers[i].label);
	if (!is_empty(addresses.sets))
		APPEND(judging->scratch, &parties, addresses);
	return parties;
}

/* --- questions --- */

static struct question question_to(struct judging *judging, const struct assertion *assertion,
                                   enum direction direction, const struct party *party)
{
	return (struct question){
		.judging = judging,
		.assertion = assertion,
		.always = assertion->kind == ASSERTION_ALWAYS,
		.direction = direction,
		.judged = party->list,
		.label = party->label,
	};
}

const struct set_list *question_others(const struct question *question, size_t family)
{
	struct judging *judging = question->judging;
	struct others *others = question->others;
	struct arena *scratch = judging->scratch;

	if (others->machines != NULL) {
		judging->scratch = judging->lasting;
		add_addresses(judging, others->machines, others->label, others->sets);
		judging->scratch = scratch;
		others->machines = NULL;
	}
	return &others->sets[family];
}

static bool ask_addresses(struct judging *judging, const struct assertion *assertion, enum direction direction,
                          const struct party *party, const struct set_list sets[POLICY_FAMILIES])
{
	struct question question = question_to(judging, assertion, direction, party);
	struct others others = {.sets = {sets[0], sets[1]}};

	machines_judged(judging, &party->list);
	question.others = &others;
	question_ask(&question);
	return with_ruleset(judging, &party->list, party->label).count > 0;
}

/* --- between machines --- */

struct between {
	struct judging *judging;
	const struct assertion *assertion;
	struct party from, to;
};

static void ask_between(const struct between *between, const struct machines *senders, const struct class *class)
{
	struct question question =
		question_to(between->judging, between->assertion, DIRECTION_IN, &between->to);
	struct others others = {.machines = senders, .label = between->from.label};

	question.between = true;
	question.other_machines = *senders;
	question.senders = class;
	question.others = &others;
	question_ask(&question);
}

/* Open, and with no rule that refuses: it sends whatever is asked. */
static bool sends_all(const struct class *class)
{
	return !class->closed && class->lists[ACTION_DENY].count + class->lists[ACTION_REJECT].count == 0;
}

/* The machines by what their outbound rules can say of the assertion. */
static struct classes senders_of(const struct between *between)
{
	struct question question =
		question_to(between->judging, between->assertion, DIRECTION_OUT, &between->from);

	question.always = true;
	between->judging->questions++;
	return classes_of(&question);
}

static void note_senders(const struct between *between, const struct classes *classes)
{
	for (size_t i = 0; i < classes->count; i++) {
		const struct class *class = &classes->items[i];
		const struct machines list = {.items = class->machines, .count = class->machine_count};

		if (!sends_all(class))
			machines_monitored(between->judging, &list);
	}
}

/* Those whose rulesets have no say, and those who have none. */
static struct machines free_senders(const struct between *between, const struct classes *classes)
{
	struct judging *judging = between->judging;
	struct machines list = {0};

	for (size_t i = 0; i < between->from.list.count; i++)
		if (judging->ruled[between->from.list.items[i]] == RULED_NOT)
			APPEND(judging->scratch, &list, between->from.list.items[i]);
	for (size_t i = 0; i < classes->count; i++)
		for (size_t j = 0; sends_all(&classes->items[i]) && j < classes->items[i].machine_count; j++)
			APPEND(judging->scratch, &list, classes->items[i].machines[j]);
	return list;
}

/* What nobody lets in, whoever sends it, need not be asked of each sender. */
static bool may_pass(const struct between *between)
{
	struct judging *judging = between->judging;

	judging->probing = true;
	judging->found = false;
	ask_between(between, &between->from.list, NULL);
	judging->probing = false;
	return judging->found;
}

static void ask_never(const struct between *between)
{
	struct classes classes;
	struct machines senders;

	if (!may_pass(between))
		return;
	classes = senders_of(between);
	senders = free_senders(between, &classes);
	note_senders(between, &classes);
	ask_between(between, &senders, NULL);
	for (size_t i = 0; i < classes.count; i++) {
		const struct class *class = &classes.items[i];

		senders = (struct machines){.items = class->machines, .count = class->machine_count};
		if (!sends_all(class))
			ask_between(between, &senders, class);
	}
}

/* --- machines that have no address of one family --- */

/* A bit for IPv4, one for IPv6. */
static unsigned families_of(const struct machine *machine, struct str label)
{
	size_t four = 0, six = 0;

	return (unsigned)machine_address(machine, label, FAMILY_4, &four) |
	       (unsigned)machine_address(machine, label, FAMILY_6, &six) << 1;
}

static void add_strangers(const struct between *between, uint32_t from, uint32_t to)
{
	struct judging *judging = between->judging;
	const struct fleet *fleet = judging->resolved->fleet;
	const struct policy_violation violation = {.assertion = between->assertion, .stage = STAGE_NO_ADDRESS};
	size_t place = violation_place(judging, &violation);

	if (violation_has(judging, place, to))
		return;
	if (judging->violations.items[place].machine_count == 0) {
		judging->violations.items[place].source = &fleet->machines[from];
		judging->violations.items[place].destination = &fleet->machines[to];
	}
	violation_add(judging, place, to);
}

/* Some sender of each mix of families, and a second one, should the first be the destination itself. */
static void ask_families(const struct between *between)
{
	const struct machine *machines = between->judging->resolved->fleet->machines;
	struct machines senders[4] = {0};

	for (size_t i = 0; i < between->from.list.count; i++) {
		uint32_t number = between->from.list.items[i];
		unsigned families = families_of(&machines[number], between->from.label);

		if (senders[families].count < 2 && has_label(&machines[number], between->from.label))
			APPEND(between->judging->scratch, &senders[families], number);
	}
	for (size_t i = 0; i < between->to.list.count; i++) {
		uint32_t number = between->to.list.items[i];
		unsigned families = families_of(&machines[number], between->to.label);

		for (unsigned mix = 0; mix < 4; mix++)
			for (size_t j = 0; (mix & families) == 0 && j < senders[mix].count; j++)
				if (senders[mix].items[j] != number)
					add_strangers(between, senders[mix].items[j], number);
	}
}

/* Each ruleset must let all pass by itself. */
static void ask_always(const struct between *between)
{
	struct question question =
		question_to(between->judging, between->assertion, DIRECTION_OUT, &between->from);
	struct others others = {.machines = &between->to.list, .label = between->to.label};
	struct classes classes = senders_of(between);

	note_senders(between, &classes);
	question.between = true;
	question.other_machines = between->to.list;
	question.others = &others;
	question_ask(&question);
	ask_between(between, &between->from.list, NULL);
	ask_families(between);
}

static bool ask_machines(struct judging *judging, const struct assertion *assertion, const struct party *from,
                         const struct party *to)
{
	struct between between = {judging, assertion, *from, *to};

	machines_judged(judging, &to->list);
	if (assertion->kind == ASSERTION_ALWAYS)
		between.from.list = enabled_machines(judging, &from->list);
	between.to.list = with_ruleset(judging, &to->list, to->label);
	if (between.from.list.count == 0 || between.to.list.count == 0)
		return false;
	if (assertion->kind == ASSERTION_ALWAYS)
		ask_always(&between);
	else
		ask_never(&between);
	return true;
}

/* --- kinds --- */

/* To addresses, from machines: the parser lets nothing else through, and `any` is every machine. */
static bool ask_sent(struct judging *judging, const struct assertion *assertion, const struct party *from,
                     const struct party *to)
{
	struct party senders = *from;

	if (!from->machines)
		senders = (struct party){.machines = true, .list = all_machines(judging)};
	return ask_addresses(judging, assertion, DIRECTION_OUT, &senders, to->sets);
}

static bool ask_parties(struct judging *judging, const struct assertion *assertion, const struct party *from,
                        const struct party *to)
{
	if (!to->machines)
		return ask_sent(judging, assertion, from, to);
	if (from->machines)
		return ask_machines(judging, assertion, from, to);
	return ask_addresses(judging, assertion, DIRECTION_IN, to, from->sets);
}

static bool judge_each(struct judging *judging, const struct assertion *assertion)
{
	struct parties from = sources_of(judging, &assertion->source);
	struct parties to = destinations_of(judging, &assertion->destination);
	bool speaks = false;

	for (size_t i = 0; i < from.count; i++)
		for (size_t j = 0; j < to.count; j++)
			speaks |= ask_parties(judging, assertion, &from.items[i], &to.items[j]);
	return speaks;
}

/* Every machine that is not among the senders. */
static struct machines outsiders(struct judging *judging, const struct assertion_end *source)
{
	const struct fleet *fleet = judging->resolved->fleet;
	bool *inside = ARENA_ARRAY(judging->scratch, bool, fleet->machine_count);
	struct machines list = {0};

	for (size_t i = 0; i < source->count; i++) {
		struct machines named = peer_machines(judging, &source->peers[i]);

		for (size_t j = 0; j < named.count; j++)
			if (has_label(&fleet->machines[named.items[j]], source->peers[i].label))
				inside[named.items[j]] = true;
	}
	for (uint32_t i = 0; i < fleet->machine_count && !source->any; i++)
		if (!inside[i])
			APPEND(judging->scratch, &list, i);
	return list;
}

static bool judge_only(struct judging *judging, const struct assertion *assertion)
{
	struct parties to = destinations_of(judging, &assertion->destination);
	struct set_list inside[POLICY_FAMILIES] = {0};
	bool speaks = false;

	if (assertion->source.any)
		add_everybody(judging, inside);
	for (size_t i = 0; i < assertion->source.count; i++)
		add_peer(judging, inside, &assertion->source.peers[i]);
	for (size_t i = 0; i < to.count; i++) {
		struct question question;
		struct others others = {.sets = {inside[0], inside[1]}};
		struct party senders = {.machines = true};

		if (!to.items[i].machines) {
			senders.list = outsiders(judging, &assertion->source);
			ask_addresses(judging, assertion, DIRECTION_OUT, &senders, to.items[i].sets);
			speaks = true;
			continue;
		}
		machines_judged(judging, &to.items[i].list);
		question = question_to(judging, assertion, DIRECTION_IN, &to.items[i]);
		question.others = &others;
		question.outside = true;
		question_ask(&question);
		speaks |= with_ruleset(judging, &to.items[i].list, to.items[i].label).count > 0;
	}
	return speaks;
}

bool assertion_judge(struct judging *judging, const struct assertion *assertion)
{
	return assertion->kind == ASSERTION_ONLY ? judge_only(judging, assertion) : judge_each(judging, assertion);
}
