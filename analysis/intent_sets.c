/* Whom peers stand for: the sets that rules need, each by the name that SPEC §5 gives it, and its addresses, from rows
 * alone. What two rules call alike is one set; its addresses are found when somebody asks, and once. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "intent_parts.h"

#define NAME_MOST 12   /* characters of the peer's name */
#define DIGEST_DIGITS 12

/* --- names --- */

/* "at most 12 characters of the peer's name, -, and 12 digits of SHA-256 over allow or deny, NUL, canonical peer
 * text" (SPEC §5) */
static struct str spell_name(struct arena *arena, bool refusing, struct str name, struct str text)
{
	struct buf buf = buf_new(arena);
	struct digest digest;
	char hex[65];

	buf_add(&buf, refusing ? STR("deny") : STR("allow"));
	buf_char(&buf, '\0');
	buf_add(&buf, text);
	digest = digest_of(buf_str(&buf));
	digest_hex(&digest, hex);
	return str_format(arena, "%.*s-%.*s", STR_ARG(str_slice(name, 0, NAME_MOST)), DIGEST_DIGITS, hex);
}

/* `self` is written as its role; that of a machine's own role is the machine. */
static struct peer spelled_out(const struct role *role, const struct peer *peer)
{
	struct str own = machine_of_role(role->name);

	if (peer->kind != PEER_SELF)
		return *peer;
	if (own.n > 0)
		return (struct peer){.kind = PEER_MACHINE, .name = own};
	return (struct peer){.kind = PEER_ROLE, .name = role->name};
}

static struct str literals_text(struct arena *arena, const struct rule *rule)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < rule->peer_count; i++) {
		if (rule->peers[i].kind != PEER_LITERAL)
			continue;
		if (buf.n > 0)
			buf_add(&buf, STR(", "));
		peer_print(&buf, &rule->peers[i]);
	}
	return buf_str(&buf);
}

static struct str name_of(struct arena *arena, const struct meant_set *set)
{
	struct buf buf = buf_new(arena);

	if (set->peer.kind == PEER_LITERAL)
		return spell_name(arena, set->refusing, STR("list"), literals_text(arena, set->rule));
	peer_print(&buf, &set->peer);
	return spell_name(arena, set->refusing, set->peer.name, buf_str(&buf));
}

uint32_t set_number(struct intent *intent, struct arena *scratch, const struct role *role, const struct rule *rule,
                    const struct peer *peer)
{
	struct meant_set set = {
		.peer = spelled_out(role, peer), .rule = rule, .refusing = rule->action != ACTION_ALLOW};
	uint32_t number = names_add(intent->set_names, name_of(scratch, &set));
	if (number == intent->sets.count) {
		set.name = names_get(intent->set_names, number);
		APPEND(intent->arena, &intent->sets, set);
	}
	return number;
}

/* --- addresses --- */

/* Goes through what a set stands for twice: first it only counts. */
struct gathering {
	enum family family;
	struct range *ranges;
	size_t count;
};

static void gather(struct gathering *gathering, struct range range)
{
	if (range.family != gathering->family)
		return;
	if (gathering->ranges != NULL)
		gathering->ranges[gathering->count] = range;
	gathering->count++;
}

/* A disabled machine is no peer of a rule that allows. `label` empty: all its addresses. */
static void gather_machine(struct gathering *gathering, const struct machine *machine, bool refusing, struct str label)
{
	if (!machine->enabled && !refusing)
		return;
	for (size_t i = 0; i < machine->address_count; i++) {
		const struct machine_address *address = &machine->addresses[i];

		if (label.n == 0 || str_eq(address->label, label))
			gather(gathering,
			       (struct range){address->addr.bits, address->addr.bits, address->addr.family});
	}
}

/* NULL: it is no role's. */
static const struct number_list *members_of(const struct intent *intent, const struct meant_set *set)
{
	uint32_t role =
		set->peer.kind == PEER_ROLE ? names_find(intent->role_names, set->peer.name) : NAMES_NONE;

	return role == NAMES_NONE ? NULL : &intent->roles[role].members;
}

static void gather_role(struct gathering *gathering, const struct intent *intent, const struct meant_set *set)
{
	const struct number_list *members = members_of(intent, set);

	for (size_t i = 0; members != NULL && i < members->count; i++)
		gather_machine(gathering, &intent->fleet->machines[members->items[i]], set->refusing, set->peer.label);
}

static void gather_network(struct gathering *gathering, const struct network *network)
{
	for (size_t i = 0; network != NULL && i < network->prefix_count; i++)
		gather(gathering, prefix_range(network->prefixes[i]));
}

static void gather_set(struct gathering *gathering, const struct intent *intent, const struct meant_set *set)
{
	const struct machine *machine;

	switch (set->peer.kind) {
	case PEER_LITERAL:
		for (size_t i = 0; i < set->rule->peer_count; i++)
			if (set->rule->peers[i].kind == PEER_LITERAL)
				gather(gathering, set->rule->peers[i].literal);
		break;
	case PEER_MACHINE:
		machine = fleet_machine(intent->fleet, set->peer.name);
		if (machine != NULL)
			gather_machine(gathering, machine, set->refusing, STR(""));
		break;
	case PEER_NETWORK:
		gather_network(gathering, fleet_network(intent->fleet, set->peer.name));
		break;
	case PEER_ROLE:
		gather_role(gathering, intent, set);
		break;
	case PEER_SELF:
		break;
	}
}

static struct addr_set gathered_set(struct arena *arena, struct arena *scratch, const struct intent *intent,
                                    const struct meant_set *set, enum family family)
{
	struct gathering gathering = {.family = family};

	gather_set(&gathering, intent, set);
	gathering.ranges = ARENA_ARRAY(scratch, struct range, gathering.count);
	gathering.count = 0;
	gather_set(&gathering, intent, set);
	return addr_set_of(arena, family, gathering.ranges, gathering.count);
}

static struct addr_set *find_addresses(struct arena *arena, const struct intent *intent, const struct meant_set *set,
                                       enum family family)
{
	const struct number_list *members = members_of(intent, set);
	struct addr_set *addresses = ARENA_NEW(arena, struct addr_set);
	struct arena *scratch = arena_new();

	*addresses = intent->hurried && members != NULL
	                     ? ranked_set(arena, scratch, intent, set, members, family)
	                     : gathered_set(arena, scratch, intent, set, family);
	arena_free(scratch);
	return addresses;
}

const struct addr_set *set_addresses(struct intent *intent, uint32_t number, enum family family)
{
	struct meant_set *set = &intent->sets.items[number];
	struct addr_set **addresses = &set->addresses[family_index(family)];

	if (*addresses == NULL)
		*addresses = find_addresses(intent->arena, intent, set, family);
	return *addresses;
}

static uint32_t needed_set(const struct intent *intent, struct str name, enum family family)
{
	uint32_t number = names_find(intent->set_names, name);

	return number != NAMES_NONE && intent->sets.items[number].needed[family_index(family)] ? number : NAMES_NONE;
}

const struct addr_set *intent_set(struct intent *intent, struct str name, enum family family)
{
	uint32_t number = needed_set(intent, name, family);

	return number != NAMES_NONE ? set_addresses(intent, number, family) : NULL;
}

const struct addr_set *intent_set_into(struct arena *arena, const struct intent *intent, struct str name,
                                       enum family family)
{
	uint32_t number = needed_set(intent, name, family);

	return number != NAMES_NONE ? find_addresses(arena, intent, &intent->sets.items[number], family) : NULL;
}
