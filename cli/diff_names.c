/* Names for what differs: machines, roles and networks for addresses, rules and peers for causes, roles for machines.
 * They come from the inventory as it is now; where it knows none, addresses and ids stand as they are. */
#include "diff.h"

#include <stdlib.h>

enum { SHOWN = 5, MOST_NAMED = 1000 };

/* --- prefixes --- */

struct texts {
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
};

static void add_prefix(void *context, struct prefix prefix)
{
	struct texts *texts = context;

	APPEND(texts->arena, texts, prefix_str(texts->arena, prefix));
}

size_t diff_prefixes(struct diff *diff, const struct difference_group *group, struct str **prefixes)
{
	struct texts texts = {.arena = diff->run->arena};

	for (size_t i = 0; i < 2; i++)
		addr_set_prefixes(&group->peers[i], add_prefix, &texts);
	*prefixes = texts.items;
	return texts.count;
}

/* --- whose addresses --- */

/* The only machine with that address; NULL: none, or several. */
static const struct machine *machine_of(const struct fleet *fleet, struct addr addr)
{
	const struct machine *found = NULL;

	for (size_t i = 0; i < fleet->machine_count; i++) {
		if (!machine_has_address(&fleet->machines[i], addr))
			continue;
		if (found != NULL)
			return NULL;
		found = &fleet->machines[i];
	}
	return found;
}

static bool is_exactly(struct diff *diff, const struct peer *peer, const struct difference_group *group)
{
	struct arena *scratch = arena_new();
	bool same = true;

	for (size_t i = 0; i < 2 && same; i++) {
		struct addr_set set = peer_addresses(scratch, diff->resolved, peer, NULL, false,
		                                     i == 0 ? FAMILY_4 : FAMILY_6);

		same = addr_set_eq(&set, &group->peers[i]);
	}
	arena_free(scratch);
	return same;
}

/* The role whose members, or the network, that has exactly these addresses, and more than one of them. */
static struct str whole_peer(struct diff *diff, const struct difference_group *group, const struct machine *first)
{
	const struct fleet *fleet = diff->fleet;

	for (size_t i = 0; i < fleet->network_count; i++) {
		const struct peer peer = {.kind = PEER_NETWORK, .name = fleet->networks[i].name};

		if (fleet->networks[i].prefix_count > 0 && is_exactly(diff, &peer, group))
			return str_format(diff->run->arena, "network:%.*s", STR_ARG(peer.name));
	}
	if (first == NULL)
		return STR("");
	const struct resolved_machine *has = &diff->resolved->machines[first - fleet->machines];

	for (size_t i = 0; i < has->role_count; i++) {
		const struct peer peer = {.kind = PEER_ROLE, .name = fleet->roles[has->roles[i]].name};

		if (diff->resolved->roles[has->roles[i]].member_count > 1 && is_exactly(diff, &peer, group))
			return str_format(diff->run->arena, "role:%.*s", STR_ARG(peer.name));
	}
	return STR("");
}

static size_t host_count(const struct difference_group *group)
{
	size_t count = 0;

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < group->peers[i].count; k++) {
			const struct range *range = &group->peers[i].ranges[k];

			if (range->last - range->first >= MOST_NAMED)
				return MOST_NAMED + 1;
			count += (size_t)(range->last - range->first) + 1;
		}
	return count;
}

/* All addresses, if each is one machine's, and there are few. */
static bool name_hosts(struct diff *diff, const struct difference_group *group, struct texts *texts)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < group->peers[i].count; k++) {
			const struct range *range = &group->peers[i].ranges[k];

			for (addr_bits bits = range->first;; bits++) {
				const struct machine *machine =
					machine_of(diff->fleet, (struct addr){bits, range->family});

				if (machine == NULL)
					return false;
				if (!str_among(machine->name, texts->items, texts->count))
					APPEND(texts->arena, texts, str_copy(texts->arena, machine->name));
				if (bits == range->last)
					break;
			}
		}
	return true;
}

static const struct machine *first_machine(struct diff *diff, const struct difference_group *group)
{
	const struct addr_set *set = &group->peers[group->peers[0].count == 0];

	return set->count == 0 ? NULL
	                       : machine_of(diff->fleet, (struct addr){set->ranges[0].first, set->family});
}

static void find_peer_names(struct diff *diff, const struct difference_group *group, struct texts *texts)
{
	struct str whole = whole_peer(diff, group, first_machine(diff, group));

	if (whole.n > 0)
		APPEND(texts->arena, texts, whole);
	else if (host_count(group) > SHOWN || !name_hosts(diff, group, texts))
		texts->count = 0;
}

static struct str peers_key(struct arena *arena, const struct difference_group *group)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < group->peers[i].count; k++) {
			const struct range *range = &group->peers[i].ranges[k];
			const addr_bits ends[2] = {range->first, range->last};

			buf_char(&buf, i == 0 ? '4' : '6');
			buf_add(&buf, (struct str){(const char *)ends, sizeof ends});
		}
	return buf_str(&buf);
}

/* Many groups have the same peers: they are named once. */
size_t diff_peer_names(struct diff *diff, const struct difference_group *group, struct str **names)
{
	struct texts texts = {.arena = diff->run->arena};
	struct arena *scratch;
	uint32_t place;

	*names = NULL;
	if (diff->fleet == NULL || (group->peers[0].count == 0 && group->peers[1].count == 0))
		return 0;
	if (diff->peers == NULL)
		diff->peers = names_new(diff->arena);
	scratch = arena_new();
	place = names_add(diff->peers, peers_key(scratch, group));
	arena_free(scratch);
	if (place == diff->named.count) {
		find_peer_names(diff, group, &texts);
		APPEND(diff->arena, &diff->named, ((struct diff_machines){texts.items, texts.count, texts.count}));
	}
	*names = diff->named.items[place].items;
	return diff->named.items[place].count;
}

static void print_few(struct buf *buf, const struct str *items, size_t count, const char *kind)
{
	for (size_t i = 0; i < count && i < SHOWN; i++)
		buf_format(buf, "%s%.*s", i > 0 ? ", " : "", STR_ARG(items[i]));
	if (count > SHOWN)
		buf_format(buf, ", … (%zu %s)", count, kind);
}

struct str diff_peers(struct diff *diff, const struct difference_group *group)
{
	struct buf buf = buf_new(diff->run->arena);
	struct str *prefixes, *names;
	size_t count, named;

	if (group->any[0] && group->any[1])
		return STR("any");
	if (group->any[0] && group->peers[1].count == 0)
		return STR("0.0.0.0/0");
	if (group->any[1] && group->peers[0].count == 0)
		return STR("::/0");
	count = diff_prefixes(diff, group, &prefixes);
	named = diff_peer_names(diff, group, &names);
	print_few(&buf, prefixes, count, "prefixes");
	if (named > 0) {
		buf_add(&buf, STR(" ("));
		print_few(&buf, names, named, "names");
		buf_char(&buf, ')');
	}
	return buf_str(&buf);
}

/* --- causes --- */

/* A rule's comment on a machine is "ROLE ID". */
static bool cut_comment(struct str comment, struct str *role, struct str *id)
{
	size_t blank = str_find(comment, ' ');

	*role = str_slice(comment, 0, blank);
	*id = str_slice(comment, blank + 1, comment.n);
	return blank < comment.n && id->n == RULE_ID_DIGITS;
}

static const struct role_rule *rule_of(const struct diff *diff, struct str role_name, struct str id)
{
	const struct role *role = diff->fleet != NULL ? fleet_role(diff->fleet, role_name) : NULL;
	char digits[RULE_ID_DIGITS + 1];

	for (size_t i = 0; role != NULL && i < role->rule_count; i++) {
		rule_id(role_name, role->rules[i].text, digits);
		if (str_is(id, digits))
			return &role->rules[i];
	}
	return NULL;
}

static struct str rule_words(struct diff *diff, struct str comment)
{
	struct arena *arena = diff->run->arena;
	const struct role_rule *rule;
	struct str role, id;

	if (!cut_comment(comment, &role, &id))
		return str_format(arena, "the rule \"%.*s\"", STR_ARG(comment));
	rule = rule_of(diff, role, id);
	if (rule == NULL)
		return str_format(arena, "rule %.*s of role %.*s", STR_ARG(id), STR_ARG(role));
	return str_format(arena, "%.*s of role %.*s", STR_ARG(rule->text), STR_ARG(role));
}

/* The peer that has this set, of the rule's: the end of a set's name is a digest of the peer. */
struct str diff_set_peer(struct diff *diff, const struct difference_group *group)
{
	struct str comment = group->rule, set = group->set;
	struct arena *arena = diff->run->arena;
	const struct role_rule *rule;
	struct str role, id;

	rule = cut_comment(comment, &role, &id) ? rule_of(diff, role, id) : NULL;
	for (size_t i = 0; rule != NULL && i < rule->rule.peer_count; i++) {
		struct peer peer = rule->rule.peers[i];
		struct buf buf = buf_new(arena);

		if (peer.kind == PEER_SELF)
			peer = (struct peer){.kind = PEER_ROLE, .name = role};
		peer_print(&buf, &peer);
		if (str_eq(set, set_name(diff->arena, rule->rule.action != ACTION_ALLOW, peer.name, buf_str(&buf))))
			return buf_str(&buf);
	}
	return str_format(arena, "the set %.*s", STR_ARG(set));
}

/* Who came or went is who the difference is about. */
static struct str who_words(struct diff *diff, const struct difference_group *group)
{
	struct str *texts;
	size_t count = diff_peer_names(diff, group, &texts);
	struct buf buf = buf_new(diff->run->arena);

	if (count == 0)
		count = diff_prefixes(diff, group, &texts);
	print_few(&buf, texts, count, "prefixes");
	return buf_str(&buf);
}

struct str diff_cause(struct diff *diff, const struct difference_group *group)
{
	struct arena *arena = diff->run->arena;

	switch (group->cause) {
	case CAUSE_NONE:
		return STR("");
	case CAUSE_RULE_CAME:
		return str_format(arena, "%.*s is new", STR_ARG(rule_words(diff, group->rule)));
	case CAUSE_RULE_WENT:
		return str_format(arena, "%.*s is gone", STR_ARG(rule_words(diff, group->rule)));
	case CAUSE_SET_GREW:
		return str_format(arena, "%.*s grew by %.*s", STR_ARG(diff_set_peer(diff, group)),
		                  STR_ARG(who_words(diff, group)));
	case CAUSE_SET_SHRANK:
		return str_format(arena, "%.*s lost %.*s", STR_ARG(diff_set_peer(diff, group)),
		                  STR_ARG(who_words(diff, group)));
	case CAUSE_ENFORCEMENT:
		return group->change == DIFFERENCE_OPENS ? STR("only watched now (monitor)") : STR("enforced now");
	case CAUSE_MODE:
		return group->change == DIFFERENCE_OPENS ? STR("mode becomes coexist") : STR("mode becomes exclusive");
	case CAUSE_EGRESS:
		return group->change == DIFFERENCE_OPENS ? STR("egress becomes open") : STR("egress becomes closed");
	}
	return STR("");
}

/* --- roles of machines --- */

static bool is_among(const struct diff_machines *machines, struct str name)
{
	return bsearch(&name, machines->items, machines->count, sizeof name, str_order) != NULL;
}

static bool are_members(const struct diff *diff, const struct resolved_role *role,
                        const struct diff_machines *machines)
{
	size_t count = 0;

	for (size_t i = 0; i < role->member_count; i++) {
		const struct machine *machine = &diff->fleet->machines[role->members[i]];

		if (!machine_has_ruleset(machine))
			continue;
		if (!is_among(machines, machine->name))
			return false;
		count++;
	}
	return count == machines->count;
}

size_t diff_roles(struct diff *diff, const struct diff_machines *machines, struct str **roles)
{
	struct texts texts = {.arena = diff->run->arena};
	const struct machine *first = diff->fleet != NULL && machines->count > 0
	                                      ? fleet_machine(diff->fleet, machines->items[0])
	                                      : NULL;

	*roles = NULL;
	if (first == NULL)
		return 0;
	const struct resolved_machine *has = &diff->resolved->machines[first - diff->fleet->machines];

	for (size_t i = 0; i < has->role_count; i++) {
		const struct resolved_role *role = &diff->resolved->roles[has->roles[i]];

		if (machine_of_role(role->role->name).n == 0 && are_members(diff, role, machines))
			APPEND(texts.arena, &texts, str_copy(texts.arena, role->role->name));
	}
	*roles = texts.items;
	return texts.count;
}
