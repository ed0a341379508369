/* Which allow rules could go without a change: what they let through, others let through as well, on every machine
 * that gets them. Rules are products of a head (what, interface) and peers: heads are cut along the heads of others as
 * sets of packets, addresses as sorted ranges, so that a role of 100,000 members never becomes a diagram. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "lint_parts.h"

/* A question that branches more often than this is not answered: then the rule is not covered. */
enum { STEPS_MOST = 20000, PROBES = 8 };

struct covering {
	struct linting *linting;
	struct arena *pass;
	const struct lint_rule *rule;
	struct lint_rule *const *others;
	size_t count;
	bool *used;
	enum cover_by by;
	size_t family;
	unsigned steps;
};

/* What is left of one peer: of a peer by name, all or nothing. */
struct rest {
	const struct peer *peer; /* NULL: addresses */
	struct addr_set set;
};

/* --- addresses --- */

/* Where the first range lies, from `at` on, that does not end before `first`. */
static size_t range_at(const struct addr_set *set, size_t at, addr_bits first)
{
	size_t end = set->count;

	while (at < end) {
		size_t middle = at + (end - at) / 2;

		if (set->ranges[middle].last < first)
			at = middle + 1;
		else
			end = middle;
	}
	return at;
}

static bool meet(const struct addr_set *a, const struct addr_set *b)
{
	const struct addr_set *few = a->count < b->count ? a : b, *many = few == a ? b : a;

	for (size_t i = 0, k = 0; i < few->count; i++) {
		k = range_at(many, k, few->ranges[i].first);
		if (k < many->count && many->ranges[k].first <= few->ranges[i].last)
			return true;
	}
	return false;
}

/* Ranges of a set do not touch: each lies in one of the other set, or does not. */
bool lint_set_within(const struct addr_set *inner, const struct addr_set *outer)
{
	for (size_t i = 0, at = 0; i < inner->count; i++) {
		at = range_at(outer, at, inner->ranges[i].first);
		if (at == outer->count || !range_covers(outer->ranges[at], inner->ranges[i]))
			return false;
	}
	return true;
}

struct ranges {
	struct range *items;
	size_t count, capacity;
};

static void cut_range(struct arena *arena, struct ranges *rest, struct range range, const struct addr_set *set,
                      size_t at)
{
	for (; at < set->count && set->ranges[at].first <= range.last; at++) {
		if (set->ranges[at].first > range.first)
			APPEND(arena, rest,
			       ((struct range){range.first, set->ranges[at].first - 1, range.family}));
		if (set->ranges[at].last >= range.last)
			return;
		range.first = set->ranges[at].last + 1;
	}
	APPEND(arena, rest, range);
}

/* `a` without `b`, in as many steps as `a` has ranges. */
static struct addr_set minus(struct arena *arena, const struct addr_set *a, const struct addr_set *b)
{
	struct ranges rest = {0};

	if (!meet(a, b))
		return *a;
	for (size_t i = 0, at = 0; i < a->count; i++) {
		at = range_at(b, at, a->ranges[i].first);
		cut_range(arena, &rest, a->ranges[i], b, at);
	}
	return (struct addr_set){a->family, rest.items, rest.count};
}

/* --- peers by name --- */

/* `self` is its role; a machine's own role is the machine. */
static struct peer spelled(const struct lint_rule *rule, const struct peer *peer)
{
	struct str name = peer->kind == PEER_SELF ? rule->effective->role->name : peer->name;
	struct str own = machine_of_role(name);

	if (peer->kind != PEER_SELF && peer->kind != PEER_ROLE)
		return *peer;
	if (own.n > 0 && peer->label.n == 0)
		return (struct peer){.kind = PEER_MACHINE, .name = own};
	return (struct peer){.kind = PEER_ROLE, .name = name, .label = peer->label};
}

static bool is_everybody(const struct fleet *fleet, const struct peer *peer)
{
	const struct role *role = peer->kind == PEER_ROLE && peer->label.n == 0 ? fleet_role(fleet, peer->name) : NULL;

	return role != NULL && role->has_selector && role->selector_count == 0;
}

/* Is whoever `inner` stands for among those of `outer`? */
static bool names_cover(const struct fleet *fleet, const struct peer *outer, const struct peer *inner)
{
	if (is_everybody(fleet, outer))
		return inner->kind == PEER_ROLE || inner->kind == PEER_MACHINE;
	return outer->kind == inner->kind && str_eq(outer->name, inner->name) &&
	       (outer->label.n == 0 || str_eq(outer->label, inner->label));
}

/* --- one after the other --- */

static bool rest_empty(const struct rest *rest)
{
	return rest->peer == NULL && rest->set.count == 0;
}

static struct rest rest_without_name(const struct covering *covering, const struct rest *rest,
                                     const struct lint_rule *other)
{
	struct peer inner = spelled(covering->rule, rest->peer);

	for (size_t i = 0; i < other->rule->peer_count; i++) {
		struct peer outer = other->rule->peers[i];

		if (outer.kind == PEER_LITERAL)
			continue;
		outer = spelled(other, &outer);
		if (names_cover(covering->linting->fleet, &outer, &inner))
			return (struct rest){0};
	}
	return *rest;
}

static struct rest rest_without(const struct covering *covering, const struct rest *rest,
                                const struct lint_rule *other)
{
	struct rest left = *rest;

	if (other->rule->any)
		return (struct rest){0};
	if (rest->peer != NULL) {
		enum family family = family_of(covering->family);

		for (size_t i = 0; i < other->rule->peer_count; i++) {
			struct addr_set whole = lint_whole(family);
			struct addr_set set = lint_peer_set(covering->linting, other, &other->rule->peers[i], family);

			if (other->rule->peers[i].kind == PEER_LITERAL && addr_set_eq(&set, &whole))
				return (struct rest){0};
		}
		return rest_without_name(covering, rest, other);
	}
	for (size_t i = 0; i < other->rule->peer_count && left.set.count > 0; i++) {
		const struct peer *peer = &other->rule->peers[i];
		struct addr_set set;

		if (covering->by == COVER_BY_NAME && peer->kind != PEER_LITERAL)
			continue;
		set = lint_peer_set(covering->linting, other, peer, family_of(covering->family));
		left.set = minus(covering->pass, &left.set, &set);
	}
	return left;
}

/* Did it take something? */
static bool is_less(const struct rest *now, const struct rest *before)
{
	return now->peer != before->peer || (now->peer == NULL && now->set.ranges != before->set.ranges) ||
	       (now->peer == NULL && now->set.count != before->set.count);
}

/* Do the others from `at` on take all of head times rest? */
static bool within(struct covering *covering, struct packets head, struct rest rest, size_t at)
{
	struct packets both = packets_none();
	struct rest less = rest;

	if (packets_empty(head) || rest_empty(&rest))
		return true;
	if (covering->steps++ == STEPS_MOST)
		return false;
	for (; at < covering->count; at++) {
		both = packets_and(head, covering->others[at]->heads[covering->family]);
		if (packets_empty(both))
			continue;
		less = rest_without(covering, &rest, covering->others[at]);
		if (is_less(&less, &rest))
			break;
	}
	if (at == covering->count)
		return false;
	covering->used[at] = true;
	return within(covering, both, less, at + 1) &&
	       within(covering, packets_without(head, both), rest, at + 1);
}

/* Has one of the others this address, for some of the packets? */
static bool has_address(const struct covering *covering, struct addr addr)
{
	for (size_t i = 0; i < covering->count; i++) {
		const struct lint_rule *other = covering->others[i];

		if (packets_empty(packets_and(other->heads[covering->family], covering->rule->heads[covering->family])))
			continue;
		for (size_t k = 0; k < other->rule->peer_count; k++) {
			struct addr_set set =
				lint_peer_set(covering->linting, other, &other->rule->peers[k], addr.family);

			if (addr_set_has(&set, addr))
				return true;
		}
		if (other->rule->any)
			return true;
	}
	return false;
}

/* Most questions are answered by a few addresses: many need not be cut then. */
static bool may_be_within(const struct covering *covering, const struct rest *rest)
{
	size_t step = rest->set.count / PROBES + 1;

	for (size_t i = 0; rest->peer == NULL && i < rest->set.count; i += step)
		if (!has_address(covering, (struct addr){rest->set.ranges[i].first, rest->set.family}))
			return false;
	return true;
}

static bool rest_within(struct covering *covering, struct rest rest)
{
	if (!may_be_within(covering, &rest))
		return false;
	return within(covering, covering->rule->heads[covering->family], rest, 0);
}

/* A peer that stands for nobody is let in by nobody: it will stand for somebody one day. */
static bool peer_within(struct covering *covering, const struct peer *peer)
{
	enum family family = family_of(covering->family);
	struct addr_set set = lint_peer_set(covering->linting, covering->rule, peer, family);

	if (peer->kind == PEER_LITERAL)
		return rest_within(covering, (struct rest){NULL, set});
	if (rest_within(covering, (struct rest){.peer = peer}))
		return true;
	return covering->by == COVER_BY_ADDRESS && rest_within(covering, (struct rest){NULL, set});
}

static bool family_within(struct covering *covering)
{
	const struct rule *rule = covering->rule->rule;

	if (packets_empty(covering->rule->heads[covering->family]))
		return true;
	if (rule->any)
		return rest_within(covering, (struct rest){NULL, lint_whole(family_of(covering->family))});
	for (size_t i = 0; i < rule->peer_count; i++)
		if (!peer_within(covering, &rule->peers[i]))
			return false;
	return true;
}

static bool both_within(struct covering *covering)
{
	size_t mark = packets_mark();
	bool is = true;

	for (covering->family = 0; is && covering->family < FAMILIES; covering->family++)
		is = family_within(covering);
	packets_release(mark);
	return is;
}

static bool has_nobody(struct linting *linting, const struct lint_rule *rule)
{
	for (size_t i = 0; i < rule->rule->peer_count; i++)
		if (lint_peer_set(linting, rule, &rule->rule->peers[i], FAMILY_4).count == 0 &&
		    lint_peer_set(linting, rule, &rule->rule->peers[i], FAMILY_6).count == 0)
			return true;
	return false;
}

/* First each by itself, so that few are told where one is enough. */
static bool covered_by(struct covering *covering, struct lint_rule ***used, size_t *used_count)
{
	struct lint_rule *const *others = covering->others;
	size_t count = covering->count;

	*used = ARENA_ARRAY(covering->linting->scratch, struct lint_rule *, count);
	*used_count = 0;
	covering->count = 1;
	for (size_t i = 0; i < count; i++) {
		covering->others = &others[i];
		if (both_within(covering)) {
			(*used)[(*used_count)++] = others[i];
			return true;
		}
	}
	covering->others = others;
	covering->count = count;
	covering->used = ARENA_ARRAY(covering->pass, bool, count);
	if (count < 2 || !both_within(covering))
		return false;
	for (size_t i = 0; i < count; i++)
		if (covering->used[i])
			(*used)[(*used_count)++] = others[i];
	return *used_count > 0;
}

bool lint_covered(struct linting *linting, struct lint_rule *rule, struct lint_rule *const *others, size_t count,
                  enum cover_by by, struct lint_rule ***used, size_t *used_count)
{
	struct arena *pass = arena_new();
	bool one = false, is;
	struct covering covering = {
		.linting = linting, .pass = pass, .rule = rule, .others = others, .count = count, .used = &one,
		.by = by,
	};

	is = count > 0 && (by == COVER_BY_NAME || !has_nobody(linting, rule)) &&
	     covered_by(&covering, used, used_count);
	arena_free(pass);
	return is;
}

/* --- rules of one role, and of those that all its members have --- */

struct numbers_list {
	uint32_t *items;
	size_t count;
};

/* Ascending; of a role without members itself alone. */
static struct numbers_list common_roles(struct linting *linting, uint32_t role)
{
	const struct resolved_role *resolved = &linting->resolved->roles[role];
	struct numbers_list list = {ARENA_NEW(linting->scratch, uint32_t), 1};

	*list.items = role;
	if (resolved->member_count == 0)
		return list;
	list.count = linting->resolved->machines[resolved->members[0]].role_count;
	list.items = ARENA_ARRAY(linting->scratch, uint32_t, list.count);
	for (size_t i = 0; i < list.count; i++)
		list.items[i] = linting->resolved->machines[resolved->members[0]].roles[i];
	for (size_t i = 1; i < resolved->member_count && list.count > 1; i++) {
		const struct resolved_machine *machine = &linting->resolved->machines[resolved->members[i]];
		size_t kept = 0;

		for (size_t k = 0, m = 0; k < list.count; k++) {
			while (m < machine->role_count && machine->roles[m] < list.items[k])
				m++;
			if (m < machine->role_count && machine->roles[m] == list.items[k])
				list.items[kept++] = list.items[k];
		}
		list.count = kept;
	}
	return list;
}

/* A limit has tokens of its own, and a log is wanted: such rules are not the same as others that let the same in. One
 * that ends is none for what lasts longer. */
static bool may_cover(const struct lint_rule *other, const struct lint_rule *rule)
{
	return other != rule && !other->moot && other->rule->action == ACTION_ALLOW &&
	       other->rule->direction == rule->rule->direction && !other->rule->log &&
	       other->rule->limit_unit == LIMIT_NONE &&
	       (other->rule->until == TIME_NONE ||
	        (rule->rule->until != TIME_NONE && other->rule->until >= rule->rule->until));
}

static void tell_covered(struct linting *linting, struct lint_rule *rule, enum cover_by by,
                         struct lint_rule *const *used, size_t count)
{
	bool now = by == COVER_BY_ADDRESS;

	rule->moot = true;
	lint_find(linting, now ? LINT_COVERED_NOW : LINT_COVERED,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, rule),
			  .message = str_format(linting->scratch, "%.*s lets nothing through that others do not%s",
	                                        STR_ARG(lint_rule_words(linting, rule)),
	                                        now ? ", with the addresses that its peers have now" : ""),
			  .evidence = str_format(linting->scratch, "on each of its machines there is %.*s",
	                                         STR_ARG(lint_rules_words(linting, used, count))),
			  .advice = str_format(linting->scratch, "fleetwall rule remove %s%s", rule->effective->id,
	                                       now ? ", if it is not meant for addresses to come; or narrow the "
	                                             "others" : ", or narrow the others"),
		  });
}

static void check_rule(struct linting *linting, const struct numbers_list *roles, struct lint_rule *rule,
                       enum cover_by by)
{
	struct lint_rule **others, **used;
	size_t room = 0, count = 0, used_count;

	if (rule->moot || lint_is_refusing(rule) || rule->rule->log)
		return;
	for (size_t i = 0; i < roles->count; i++)
		room += linting->first[roles->items[i] + 1] - linting->first[roles->items[i]];
	others = ARENA_ARRAY(linting->scratch, struct lint_rule *, room);
	for (size_t i = 0; i < roles->count; i++)
		for (size_t k = linting->first[roles->items[i]]; k < linting->first[roles->items[i] + 1]; k++)
			if (may_cover(&linting->rules[k], rule))
				others[count++] = &linting->rules[k];
	if (lint_covered(linting, rule, others, count, by, &used, &used_count))
		tell_covered(linting, rule, by, used, used_count);
}

/* From the last to the first, and none is covered by one that was told before: so all that are told may go together,
 * and of two that say the same the first stays. */
static void check_all(struct linting *linting, const struct numbers_list *roles, enum cover_by by)
{
	for (size_t role = linting->fleet->role_count; role-- > 0;)
		for (size_t i = linting->first[role + 1]; i-- > linting->first[role];)
			check_rule(linting, &roles[role], &linting->rules[i], by);
}

void lint_cover_check(struct linting *linting)
{
	struct numbers_list *roles =
		ARENA_ARRAY(linting->scratch, struct numbers_list, linting->fleet->role_count);

	for (uint32_t i = 0; i < linting->fleet->role_count; i++)
		if (linting->first[i + 1] > linting->first[i])
			roles[i] = common_roles(linting, i);
	check_all(linting, roles, COVER_BY_NAME);
	check_all(linting, roles, COVER_BY_ADDRESS);
}
