/* What rows say by themselves: addresses that two machines have, or that rules of several roles write out; members that
 * have none, or none with the label that rules name; roles and networks that nobody uses; networks that overlap. No
 * packets. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/difference.h"
#include "lint_parts.h"

enum { NAMES_SHOWN = 5 };

/* An address, and who has it: a machine, or a role's rule that writes it. */
struct holding {
	struct addr addr;
	uint32_t holder;
};

struct holdings {
	struct holding *items;
	size_t count, capacity;
};

static int compare_holdings(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;
	int order = addr_cmp(x->addr, y->addr);

	if (order != 0)
		return order;
	return x->holder < y->holder ? -1 : x->holder > y->holder;
}

static void sort(struct holdings *holdings)
{
	if (holdings->count > 0)
		qsort(holdings->items, holdings->count, sizeof *holdings->items, compare_holdings);
}

static size_t same_from(const struct holdings *holdings, size_t at)
{
	size_t end = at + 1;

	while (end < holdings->count && addr_cmp(holdings->items[end].addr, holdings->items[at].addr) == 0)
		end++;
	return end;
}

static struct str address_subject(struct linting *linting, struct addr addr)
{
	return str_format(linting->scratch, "address %.*s", STR_ARG(addr_str(linting->scratch, addr)));
}

static struct holdings machine_addresses(struct linting *linting)
{
	struct holdings holdings = {0};

	for (uint32_t i = 0; i < linting->fleet->machine_count; i++)
		for (size_t k = 0; k < linting->fleet->machines[i].address_count; k++)
			APPEND(linting->scratch, &holdings,
			       ((struct holding){linting->fleet->machines[i].addresses[k].addr, i}));
	sort(&holdings);
	return holdings;
}

/* --- shared --- */

static struct str machine_names(struct linting *linting, const struct holding *holdings, size_t count, size_t most)
{
	struct buf buf = buf_new(linting->scratch);

	for (size_t i = 0; i < count && i < most; i++) {
		const struct machine *machine = &linting->fleet->machines[holdings[i].holder];

		buf_format(&buf, "%s%.*s%s", i > 0 ? ", " : "", STR_ARG(machine->name),
		           machine->enabled ? "" : " (disabled)");
	}
	if (count > most)
		buf_format(&buf, " and %zu more", count - most);
	return buf_str(&buf);
}

/* Whether they are enabled is no part of what it is. */
static struct str names_alone(struct linting *linting, const struct holding *holdings, size_t count)
{
	struct buf buf = buf_new(linting->scratch);

	for (size_t i = 0; i < count; i++)
		buf_format(&buf, "%.*s ", STR_ARG(linting->fleet->machines[holdings[i].holder].name));
	return buf_str(&buf);
}

static void check_shared(struct linting *linting, const struct holdings *addresses)
{
	for (size_t i = 0, end; i < addresses->count; i = end) {
		const struct holding *first = &addresses->items[i];

		end = same_from(addresses, i);
		if (end - i < 2)
			continue;
		lint_find(linting, LINT_SHARED_ADDRESS,
		          &(struct lint_words){
				  .subject = address_subject(linting, first->addr),
				  .detail = names_alone(linting, first, end - i),
				  .message = str_format(linting->scratch, "%zu machines have the address %.*s: who "
		                                        "speaks of one of them speaks of all", end - i,
		                                        STR_ARG(addr_str(linting->scratch, first->addr))),
				  .evidence = machine_names(linting, first, end - i, NAMES_SHOWN),
				  .advice = STR("nothing, if it floats between them or their sites are apart; "
		                                "otherwise take it from all but one"),
			  });
	}
}

/* --- written out in rules --- */

static struct holdings written_addresses(struct linting *linting)
{
	struct holdings holdings = {0};

	for (size_t i = 0; i < linting->first[linting->fleet->role_count]; i++) {
		const struct rule *rule = linting->rules[i].rule;

		for (size_t k = 0; k < rule->peer_count; k++) {
			struct range literal = rule->peers[k].literal;

			if (rule->peers[k].kind == PEER_LITERAL && literal.first == literal.last)
				APPEND(linting->scratch, &holdings,
				       ((struct holding){{literal.first, literal.family}, (uint32_t)i}));
		}
	}
	sort(&holdings);
	return holdings;
}

/* The place of the first of that address, or the count. */
static size_t address_place(const struct holdings *holdings, struct addr addr)
{
	size_t from = 0, to = holdings->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (addr_cmp(holdings->items[middle].addr, addr) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < holdings->count && addr_cmp(holdings->items[from].addr, addr) == 0 ? from : holdings->count;
}

static void tell_written(struct linting *linting, const struct holding *written, size_t count, uint32_t number)
{
	const struct machine *machine = &linting->fleet->machines[number];
	struct lint_rule **rules = ARENA_ARRAY(linting->scratch, struct lint_rule *, count);
	struct buf more = buf_new(linting->scratch);

	for (size_t i = 0; i < count; i++)
		rules[i] = &linting->rules[written[i].holder];
	if (machine->address_count > 1)
		buf_format(&more, " (all of its %zu addresses)", machine->address_count);
	lint_find(linting, LINT_LITERAL_MACHINE,
	          &(struct lint_words){
			  .subject = address_subject(linting, written->addr),
			  .detail = machine->name,
			  .message = str_format(linting->scratch, "rules of several roles write out %.*s, which is "
	                                        "%.*s",
	                                        STR_ARG(addr_str(linting->scratch, written->addr)),
	                                        STR_ARG(machine->name)),
			  .evidence = lint_rules_words(linting, rules, count),
			  .advice = str_format(linting->scratch, "machine:%.*s%.*s, or a role that it has, follows "
	                                       "when the address changes",
	                                       STR_ARG(machine->name), STR_ARG(buf_str(&more))),
		  });
}

/* Rules are in the order of their roles: several, if the first and the last are of different ones. */
static void check_written(struct linting *linting, const struct holdings *addresses)
{
	struct holdings written = written_addresses(linting);

	for (size_t i = 0, end; i < written.count; i = end) {
		size_t place = address_place(addresses, written.items[i].addr);

		end = same_from(&written, i);
		if (place == addresses->count || same_from(addresses, place) - place > 1 ||
		    linting->rules[written.items[i].holder].role == linting->rules[written.items[end - 1].holder].role)
			continue;
		tell_written(linting, &written.items[i], end - i, addresses->items[place].holder);
	}
}

/* --- members without addresses --- */

/* By role: a rule that counts now and speaks of it; NULL: none does. */
static const struct lint_rule **speaking_rules(struct linting *linting)
{
	const struct lint_rule **speaking =
		ARENA_ARRAY(linting->scratch, const struct lint_rule *, linting->fleet->role_count);

	for (size_t i = 0; i < linting->first[linting->fleet->role_count]; i++) {
		const struct lint_rule *rule = &linting->rules[i];

		for (size_t k = 0; k < rule->rule->peer_count; k++) {
			const struct peer *peer = &rule->rule->peers[k];
			const struct role *role = NULL;

			if (peer->kind == PEER_ROLE)
				role = fleet_role(linting->fleet, peer->name);
			else if (peer->kind == PEER_SELF && linting->resolved->roles[rule->role].member_count > 1)
				role = rule->effective->role;
			if (role != NULL && speaking[role - linting->fleet->roles] == NULL)
				speaking[role - linting->fleet->roles] = rule;
		}
	}
	return speaking;
}

static void check_addresses(struct linting *linting, const struct lint_rule *const *speaking, uint32_t number)
{
	const struct machine *machine = &linting->fleet->machines[number];
	const struct resolved_machine *held = &linting->resolved->machines[number];
	size_t i = 0;

	while (i < held->role_count && speaking[held->roles[i]] == NULL)
		i++;
	if (machine->address_count > 0 || !machine->enabled || i == held->role_count)
		return;
	lint_find(linting, LINT_NO_ADDRESS,
	          &(struct lint_words){
			  .subject = str_format(linting->scratch, "machine:%.*s", STR_ARG(machine->name)),
			  .message = str_format(linting->scratch, "%.*s has no address, so rules that speak of its "
	                                        "roles do not speak of it", STR_ARG(machine->name)),
			  .evidence = str_format(linting->scratch, "it has the role %.*s, of which %.*s speaks",
	                                         STR_ARG(linting->fleet->roles[held->roles[i]].name),
	                                         STR_ARG(lint_rule_words(linting, speaking[held->roles[i]]))),
			  .advice = str_format(linting->scratch, "fleetwall machine set %.*s --address ADDRESS",
	                                       STR_ARG(machine->name)),
		  });
}

/* --- members whose addresses lack the label that rules name --- */

/* role:NAME/LABEL, and the first rule that counts now and speaks of it. */
struct labelled {
	uint32_t role;
	struct str label;
	const struct lint_rule *rule;
};

struct labelled_list {
	struct labelled *items;
	size_t count, capacity;
};

static int compare_labelled(const void *a, const void *b)
{
	const struct labelled *x = a, *y = b;
	int order = str_cmp(x->label, y->label);

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	if (order != 0)
		return order;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static struct labelled_list labelled_peers(struct linting *linting)
{
	struct labelled_list list = {0};

	for (size_t i = 0; i < linting->first[linting->fleet->role_count]; i++) {
		const struct lint_rule *rule = &linting->rules[i];

		for (size_t k = 0; k < rule->rule->peer_count; k++) {
			const struct peer *peer = &rule->rule->peers[k];
			const struct role *role = peer->kind == PEER_ROLE && peer->label.n > 0
			                                  ? fleet_role(linting->fleet, peer->name)
			                                  : NULL;

			if (role != NULL)
				APPEND(linting->scratch, &list,
				       ((struct labelled){(uint32_t)(role - linting->fleet->roles), peer->label,
				                          rule}));
		}
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof *list.items, compare_labelled);
	return list;
}

static bool has_label(const struct machine *machine, struct str label)
{
	for (size_t i = 0; i < machine->address_count; i++)
		if (str_eq(machine->addresses[i].label, label))
			return true;
	return false;
}

static void tell_label(struct linting *linting, const struct labelled *peer, const struct holdings *without)
{
	struct str role = linting->fleet->roles[peer->role].name;
	struct str names = machine_names(linting, without->items, without->count, NAMES_SHOWN);
	bool one = without->count == 1;

	lint_find(linting, LINT_NO_LABEL,
	          &(struct lint_words){
			  .subject = str_format(linting->scratch, "role:%.*s", STR_ARG(role)),
			  .detail = str_format(linting->scratch, "%.*s %.*s", STR_ARG(peer->label),
	                                       STR_ARG(names_alone(linting, without->items, without->count))),
			  .message = str_format(linting->scratch, "rules that speak of role:%.*s/%.*s do not speak of "
	                                        "%zu of its members, whose address%s no label",
	                                        STR_ARG(role), STR_ARG(peer->label), without->count,
	                                        one ? " has" : "es have"),
			  .evidence = str_format(linting->scratch, "%.*s does not speak of %.*s",
	                                         STR_ARG(lint_rule_words(linting, peer->rule)), STR_ARG(names)),
			  .advice = str_format(linting->scratch, "fleetwall machine set NAME --address ADDRESS=%.*s",
	                                       STR_ARG(peer->label)),
		  });
}

/* Where no member has the label, the peer is empty, which is told of the rule. */
static void check_label(struct linting *linting, const struct labelled *peer)
{
	const struct resolved_role *role = &linting->resolved->roles[peer->role];
	struct holdings without = {0};
	bool with = false;

	for (size_t i = 0; i < role->member_count; i++) {
		const struct machine *machine = &linting->fleet->machines[role->members[i]];

		if (!machine->enabled)
			continue;
		if (has_label(machine, peer->label))
			with = true;
		else if (has_label(machine, STR("")))
			APPEND(linting->scratch, &without, ((struct holding){.holder = role->members[i]}));
	}
	if (with && without.count > 0)
		tell_label(linting, peer, &without);
}

static void check_labels(struct linting *linting)
{
	struct labelled_list list = labelled_peers(linting);

	for (size_t i = 0; i < list.count; i++)
		if (i == 0 || list.items[i].role != list.items[i - 1].role ||
		    !str_eq(list.items[i].label, list.items[i - 1].label))
			check_label(linting, &list.items[i]);
}

/* --- unused --- */

struct used {
	bool *roles, *networks; /* as in the fleet: some rule speaks of it, whether it counts or not */
};

/* A role that speaks of itself alone is used by nobody. */
static void note_used(struct linting *linting, size_t number, const struct rule *rule, struct used *used)
{
	const struct fleet *fleet = linting->fleet;

	for (size_t i = 0; i < rule->peer_count; i++) {
		const struct role *role = NULL;
		const struct network *network = NULL;

		if (rule->peers[i].kind == PEER_ROLE)
			role = fleet_role(fleet, rule->peers[i].name);
		if (rule->peers[i].kind == PEER_NETWORK)
			network = fleet_network(fleet, rule->peers[i].name);
		if (role != NULL && role != &fleet->roles[number])
			used->roles[role - fleet->roles] = true;
		if (network != NULL)
			used->networks[network - fleet->networks] = true;
	}
}

static void check_role(struct linting *linting, uint32_t number, const struct used *used)
{
	struct str name = linting->fleet->roles[number].name;

	if (used->roles[number] || linting->resolved->roles[number].member_count > 0 || machine_of_role(name).n > 0)
		return;
	lint_find(linting, LINT_UNUSED_ROLE,
	          &(struct lint_words){
			  .subject = str_format(linting->scratch, "role:%.*s", STR_ARG(name)),
			  .message = str_format(linting->scratch, "nobody uses role %.*s", STR_ARG(name)),
			  .evidence = STR("no members, and no rule of another role speaks of it"),
			  .advice = str_format(linting->scratch, "fleetwall role remove %.*s", STR_ARG(name)),
		  });
}

static void check_network(struct linting *linting, size_t number, const struct used *used)
{
	struct str name = linting->fleet->networks[number].name;

	if (used->networks[number])
		return;
	lint_find(linting, LINT_UNUSED_NETWORK,
	          &(struct lint_words){
			  .subject = str_format(linting->scratch, "network:%.*s", STR_ARG(name)),
			  .message = str_format(linting->scratch, "nobody uses network %.*s", STR_ARG(name)),
			  .evidence = STR("no rule speaks of it"),
			  .advice = str_format(linting->scratch, "fleetwall network remove %.*s", STR_ARG(name)),
		  });
}

static void check_used(struct linting *linting)
{
	const struct fleet *fleet = linting->fleet;
	struct used used = {ARENA_ARRAY(linting->scratch, bool, fleet->role_count),
	                    ARENA_ARRAY(linting->scratch, bool, fleet->network_count)};

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].rule_count; k++)
			note_used(linting, i, &fleet->roles[i].rules[k].rule, &used);
	for (uint32_t i = 0; i < fleet->role_count; i++)
		check_role(linting, i, &used);
	for (size_t i = 0; i < fleet->network_count; i++)
		check_network(linting, i, &used);
}

/* --- networks that overlap --- */

struct part {
	struct prefix prefix;
	uint32_t network;
};

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int order = addr_cmp(x->prefix.addr, y->prefix.addr);

	if (order != 0)
		return order;
	if (x->prefix.length != y->prefix.length)
		return x->prefix.length < y->prefix.length ? -1 : 1;
	return x->network < y->network ? -1 : x->network > y->network;
}

static struct addr_set network_set(struct arena *arena, const struct network *network, enum family family)
{
	struct range *ranges = ARENA_ARRAY(arena, struct range, network->prefix_count);

	for (size_t i = 0; i < network->prefix_count; i++)
		ranges[i] = prefix_range(network->prefixes[i]);
	return addr_set_of(arena, family, ranges, network->prefix_count);
}

static bool lies_in(const struct network *inner, const struct network *outer)
{
	struct arena *pass = arena_new();
	bool is = true;

	for (size_t i = 0; i < FAMILIES && is; i++) {
		struct addr_set a = network_set(pass, inner, family_of(i)), b = network_set(pass, outer, family_of(i));

		is = addr_set_without(pass, &a, &b).count == 0;
	}
	arena_free(pass);
	return is;
}

static struct str overlap_words(struct linting *linting, const struct network *a, const struct network *b)
{
	bool in = lies_in(a, b), around = lies_in(b, a);

	if (in && around)
		return str_format(linting->scratch, "networks %.*s and %.*s are the same addresses", STR_ARG(a->name),
		                  STR_ARG(b->name));
	if (in || around)
		return str_format(linting->scratch, "all of network %.*s lies in network %.*s",
		                  STR_ARG(in ? a->name : b->name), STR_ARG(in ? b->name : a->name));
	return str_format(linting->scratch, "networks %.*s and %.*s have addresses in common", STR_ARG(a->name),
	                  STR_ARG(b->name));
}

static void tell_overlap(struct linting *linting, const struct part *outer, const struct part *inner)
{
	const struct network *a = &linting->fleet->networks[outer->network];
	const struct network *b = &linting->fleet->networks[inner->network];
	bool ordered = outer->network < inner->network;
	struct buf evidence = buf_new(linting->scratch);

	prefix_print(&evidence, inner->prefix);
	buf_format(&evidence, " of %.*s, ", STR_ARG(b->name));
	prefix_print(&evidence, outer->prefix);
	buf_format(&evidence, " of %.*s", STR_ARG(a->name));
	lint_find(linting, LINT_OVERLAPPING_NETWORKS,
	          &(struct lint_words){
			  .subject = str_format(linting->scratch, "network:%.*s, network:%.*s",
	                                        STR_ARG(ordered ? a->name : b->name),
	                                        STR_ARG(ordered ? b->name : a->name)),
			  .message = overlap_words(linting, ordered ? a : b, ordered ? b : a),
			  .evidence = buf_str(&evidence),
			  .advice = STR("nothing, if one is meant as a part of the other"),
		  });
}

struct parts {
	struct part *items;
	size_t count, capacity;
};

/* Whoever is everybody overlaps with everybody: a /0 is no finding. */
static struct parts all_parts(struct linting *linting)
{
	struct parts parts = {0};

	for (uint32_t i = 0; i < linting->fleet->network_count; i++) {
		const struct network *network = &linting->fleet->networks[i];

		for (size_t k = 0; k < network->prefix_count; k++)
			if (network->prefixes[k].length > 0)
				APPEND(linting->scratch, &parts, ((struct part){network->prefixes[k], i}));
	}
	if (parts.count > 0)
		qsort(parts.items, parts.count, sizeof *parts.items, compare_parts);
	return parts;
}

/* Prefixes lie in each other or apart: in order, those that the next one lies in are a stack. */
static void check_overlaps(struct linting *linting)
{
	struct parts parts = all_parts(linting), open = {0};
	struct names *known = names_new(linting->scratch);

	for (size_t i = 0; i < parts.count; i++) {
		const struct part *part = &parts.items[i];

		while (open.count > 0 && !range_covers(prefix_range(open.items[open.count - 1].prefix),
		                                       prefix_range(part->prefix)))
			open.count--;
		for (size_t k = 0; k < open.count; k++) {
			uint32_t a = open.items[k].network, b = part->network;
			uint32_t key[] = {a < b ? a : b, a < b ? b : a};
			uint32_t before = names_count(known);

			if (a != b && names_add(known, (struct str){(const char *)key, sizeof key}) == before)
				tell_overlap(linting, &open.items[k], part);
		}
		APPEND(linting->scratch, &open, *part);
	}
}

void lint_rows_check(struct linting *linting)
{
	struct holdings addresses = machine_addresses(linting);
	const struct lint_rule **speaking = speaking_rules(linting);

	check_shared(linting, &addresses);
	check_written(linting, &addresses);
	for (uint32_t i = 0; i < linting->fleet->machine_count; i++)
		check_addresses(linting, speaking, i);
	check_labels(linting);
	check_used(linting);
	check_overlaps(linting);
}
