/* The permissions of a security group become allow rules. A permission that has no exact form here is left out whole,
 * or without the peers that have none; a rule that lost all its peers is none. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define RULE_BYTES 60000 /* of peers in one rule, so that it can be written out as one line */

struct described_peer {
	struct peer peer;
	struct str description;
	size_t place; /* among the peers of its permission */
};

/* One permission on its way. */
struct permission {
	struct aws *aws;
	const struct aws_thing *group;
	json_t *json;
	enum direction direction;
	struct str label; /* for notes: "security group sg-1, inbound tcp 22" */
	struct what what;
	struct {
		struct described_peer *items;
		size_t count, capacity;
	} peers;
};

struct rule_list {
	struct role_rule *items;
	size_t count, capacity;
};

/* "security group sg-1, inbound tcp 22-80", for every note about the permission. */
static struct str permission_label(const struct permission *permission)
{
	struct arena *arena = permission->aws->foreign.arena;

	return str_format(arena, "security group %.*s, %s %.*s", STR_ARG(permission->group->id),
	                  permission->direction == DIRECTION_IN ? "inbound" : "outbound",
	                  STR_ARG(aws_what_said(arena, permission->json)));
}

/* --- peers --- */

__attribute__((format(printf, 2, 3))) static void leave_out(struct permission *permission, const char *format, ...)
{
	char text[1000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	foreign_left_out(&permission->aws->foreign, permission->group->file, "%.*s: %s", STR_ARG(permission->label),
	                 text);
}

static void make_right(struct permission *permission, const char *what)
{
	foreign_made_right(&permission->aws->foreign, permission->group->file, "%.*s: %s", STR_ARG(permission->label),
	                   what);
}

static void add_peer(struct permission *permission, struct peer peer, const json_t *json)
{
	struct arena *arena = permission->aws->foreign.arena;
	struct described_peer described = {peer, foreign_line(arena, foreign_member(json, "Description")),
	                                   permission->peers.count};

	APPEND(arena, &permission->peers, described);
}

/* ip6tables never sees these as protocols: they are extension headers of IPv6. */
static bool is_v4_alone(const struct what *what)
{
	return what->kind == WHAT_PROTOCOL && (what->protocol == 43 || what->protocol == 44 || what->protocol == 60);
}

static void read_prefix(struct permission *permission, const json_t *json, const char *key, enum family family)
{
	struct str text = foreign_member(json, key);
	struct prefix prefix;
	enum prefix_fault fault = text.n == 0 ? PREFIX_BAD : prefix_parse(text, &prefix);
	struct peer peer = {.kind = PEER_LITERAL};

	if (fault == PREFIX_BAD || prefix.addr.family != family) {
		leave_out(permission, "\"%s\" is no %s prefix", SHOWN(text), family == FAMILY_4 ? "IPv4" : "IPv6");
		return;
	}
	if (family == FAMILY_6 && is_v4_alone(&permission->what)) {
		leave_out(permission, "%s: on IPv6 this protocol is an extension header, which no rule matches",
		          SHOWN(text));
		return;
	}
	if (fault == PREFIX_HOST_BITS)
		foreign_made_right(&permission->aws->foreign, permission->group->file,
		                   "%.*s: prefix \"%s\" has host bits set; they are cleared",
		                   STR_ARG(permission->label), SHOWN(text));
	peer.literal = prefix_range(prefix);
	add_peer(permission, peer, json);
}

static void read_prefixes(struct permission *permission, const char *list_key, const char *key, enum family family)
{
	const json_t *list = aws_list(permission->aws, permission->group, permission->json, list_key);

	for (size_t i = 0; i < json_array_size(list); i++)
		read_prefix(permission, json_array_get(list, i), key, family);
}

/* A group stands for what its members' interfaces have themselves: private IPv4 addresses and IPv6 ones, never the
 * public IPv4 addresses that AWS translates. */
static void read_pair(struct permission *permission, const json_t *json)
{
	struct str id = foreign_member(json, "GroupId"), status = foreign_member(json, "PeeringStatus"),
		   role = aws_role(permission->aws, id);

	if (id.n == 0)
		leave_out(permission, "it names a group by \"%s\", and not by an id",
		          SHOWN(foreign_member(json, "GroupName")));
	else if (status.n > 0 && !str_is(status, "active"))
		leave_out(permission, "security group %s is over a peering connection that is \"%s\"", SHOWN(id),
		          SHOWN(status));
	else if (role.n == 0)
		leave_out(permission, "security group %s (of account %s) is not in these files", SHOWN(id),
		          SHOWN(foreign_member(json, "UserId")));
	else
		add_peer(permission, (struct peer){.kind = PEER_ROLE, .name = role, .label = STR("private")}, json);
}

static void read_pairs(struct permission *permission)
{
	const json_t *list = aws_list(permission->aws, permission->group, permission->json, "UserIdGroupPairs");
	size_t before = permission->peers.count;

	for (size_t i = 0; i < json_array_size(list); i++)
		read_pair(permission, json_array_get(list, i));
	if (permission->peers.count > before && is_v4_alone(&permission->what))
		leave_out(permission,
		          "IPv6 addresses of the groups: on IPv6 this protocol is an extension header, which "
		          "no rule matches");
}

static void read_prefix_lists(struct permission *permission)
{
	const json_t *list = aws_list(permission->aws, permission->group, permission->json, "PrefixListIds");

	for (size_t i = 0; i < json_array_size(list); i++)
		leave_out(permission, "the addresses of prefix list %s are not in these files",
		          SHOWN(foreign_member(json_array_get(list, i), "PrefixListId")));
}

/* What is not known might be a further condition. */
static bool knows_all(struct permission *permission)
{
	static const char *const known[] = {"IpProtocol", "FromPort",      "ToPort", "IpRanges",
	                                    "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"};
	bool all = true;
	const char *key;
	json_t *value;

	json_object_foreach(permission->json, key, value) {
		bool here = json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);

		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			here = here || str_is(str_of(key), known[i]);
		if (!here)
			leave_out(permission, "it has the field \"%s\", which is not known here", SHOWN(str_of(key)));
		all = all && here;
	}
	return all;
}

/* --- rules --- */

/* So that one description's peers stand together, in their order. */
static int description_order(const void *a, const void *b)
{
	const struct described_peer *x = a, *y = b;
	int order = str_cmp(x->description, y->description);

	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

/* At most; as it is written in a rule. */
static size_t peer_bytes(const struct peer *peer)
{
	return peer->kind == PEER_ROLE ? sizeof "role:/private, " + peer->name.n
	                               : 2 * sizeof "ffff:ffff:ffff:ffff:" + 24;
}

static void emit_rule(struct permission *permission, struct rule_list *rules, struct peer *peers, size_t count,
                      struct str comment)
{
	struct arena *arena = permission->aws->foreign.arena;
	struct rule rule = {.action = ACTION_ALLOW, .direction = permission->direction, .what = permission->what,
	                    .peers = peers, .peer_count = count, .since = TIME_NONE, .until = TIME_NONE,
	                    .comment = comment};
	bool stored;
	struct error *error = rule_normalize(arena, &rule, &stored);

	if (error != NULL) {
		leave_out(permission, "%.*s", STR_ARG(error->message));
		return;
	}
	APPEND(arena, rules,
	       ((struct role_rule){.rule = rule, .text = rule_text(arena, &rule), .enabled = true,
	                           .place = {.file = permission->group->file}}));
}

/* One rule, or several where one could not be written out as a line. */
static void emit_peers(struct permission *permission, struct rule_list *rules, const struct described_peer *described,
                       size_t count, struct str comment)
{
	struct peer *peers = ARENA_ARRAY(permission->aws->foreign.arena, struct peer, count);
	size_t from = 0, bytes = 0;

	for (size_t i = 0; i < count; i++) {
		peers[i] = described[i].peer;
		bytes += peer_bytes(&peers[i]);
		if (i + 1 < count && bytes + 200 < RULE_BYTES)
			continue;
		emit_rule(permission, rules, peers + from, i + 1 - from, comment);
		from = i + 1;
		bytes = 0;
	}
}

/* One rule a permission; where its peers are described differently, one for each description. */
static void emit(struct permission *permission, struct rule_list *rules)
{
	struct described_peer *peers = permission->peers.items;
	size_t count = permission->peers.count, first = 0, from = 0;

	qsort(peers, count, sizeof *peers, description_order);
	while (first < count && peers[first].description.n == 0)
		first++;
	if (first == count || str_eq(peers[first].description, peers[count - 1].description)) {
		emit_peers(permission, rules, peers, count, peers[count - 1].description);
		return;
	}
	for (size_t i = 1; i <= count; i++) {
		if (i < count && str_eq(peers[i].description, peers[from].description))
			continue;
		emit_peers(permission, rules, peers + from, i - from, peers[from].description);
		from = i;
	}
}

static bool names_nobody(const json_t *permission)
{
	static const char *const keys[] = {"IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"};
	size_t peers = 0;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		peers += json_array_size(json_object_get(permission, keys[i]));
	return peers == 0;
}

static void read_permission(struct permission *permission, struct rule_list *rules)
{
	const char *fault;
	bool range_ignored;

	permission->label = permission_label(permission);
	if (!knows_all(permission))
		return;
	fault = aws_what(permission->aws->foreign.arena, permission->json, &permission->what, &range_ignored);
	if (fault != NULL) {
		leave_out(permission, "%s", fault);
		return;
	}
	if (range_ignored)
		make_right(permission, "AWS passes over the port range of this protocol, so the rule has none");
	if (names_nobody(permission->json))
		make_right(permission, "it names nobody, so there is no rule");
	read_prefixes(permission, "IpRanges", "CidrIp", FAMILY_4);
	read_prefixes(permission, "Ipv6Ranges", "CidrIpv6", FAMILY_6);
	read_pairs(permission);
	read_prefix_lists(permission);
	if (permission->peers.count > 0)
		emit(permission, rules);
}

static void read_permissions(struct aws *aws, const struct aws_thing *group, const char *key, enum direction direction,
                             struct rule_list *rules)
{
	const json_t *list = aws_list(aws, group, group->json, key);

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct permission permission = {
			.aws = aws, .group = group, .json = json_array_get(list, i), .direction = direction};

		if (json_is_object(permission.json))
			read_permission(&permission, rules);
		else
			foreign_left_out(&aws->foreign, group->file,
			                 "security group %.*s: element %zu of %s is no object", STR_ARG(group->id), i,
			                 key);
	}
}

static int rule_order(const void *a, const void *b)
{
	const struct role_rule *x = a, *y = b;
	int order = str_cmp(x->text, y->text);

	return order != 0 ? order : str_cmp(x->rule.comment, y->rule.comment);
}

/* What several permissions say in the same words is one rule; its comment is theirs. */
static size_t join_rules(struct arena *arena, struct role_rule *rules, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct str *comment = kept > 0 ? &rules[kept - 1].rule.comment : NULL, more = rules[i].rule.comment;

		if (kept == 0 || !str_eq(rules[kept - 1].text, rules[i].text))
			rules[kept++] = rules[i];
		else if (comment->n == 0)
			*comment = more;
		else if (!str_eq(more, rules[i - 1].rule.comment) && comment->n < 1000)
			*comment = foreign_line(arena,
			                        str_format(arena, "%.*s; %.*s", STR_ARG(*comment), STR_ARG(more)));
	}
	return kept;
}

void aws_make_rules(struct aws *aws, size_t group, struct role *role)
{
	const struct aws_thing *thing = &aws->groups.items[group];
	struct rule_list rules = {0};

	read_permissions(aws, thing, "IpPermissions", DIRECTION_IN, &rules);
	read_permissions(aws, thing, "IpPermissionsEgress", DIRECTION_OUT, &rules);
	if (rules.count > 1)
		qsort(rules.items, rules.count, sizeof *rules.items, rule_order);
	role->rules = rules.items;
	role->rule_count = join_rules(aws->foreign.arena, rules.items, rules.count);
}
