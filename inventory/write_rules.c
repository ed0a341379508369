/* Rules and their peers -> rows. A rule is its text within its role: one whose text stays keeps its row. The texts and
 * ids in the database are derived there, from these columns. */
#include "write.h"

#include <assert.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define RULE_COPY                                                                                              \
	"fleetwall.rule (key, role, action, direction, what, protocol, ports, service, icmp_name, icmp_type, " \
	"icmp_code, any_peer, interface, "                                                                     \
	"log, limit_count, limit_unit, since, until, enabled, ticket, owner, comment)"
#define PEER_COPY "fleetwall.rule_peer (rule, kind, first_address, last_address, machine, network, role, label)"

enum { RULE_CELLS = 22, PEER_CELLS = 8, UPDATE_CELLS = 5 };

static const struct str nothing = {0};

static bool held_same(const struct role_rule *a, const struct role_rule *b)
{
	return a->enabled == b->enabled && str_eq(a->ticket, b->ticket) && str_eq(a->owner, b->owner) &&
	       str_eq(a->rule.comment, b->rule.comment);
}

static void collect_rule(struct arena *arena, const struct role_rule *before, const struct role_rule *after,
                         struct str role, struct write_rows *rows)
{
	if (before == NULL) {
		APPEND(arena, rows, ((struct new_rule){role, after}));
	} else if (after == NULL) {
		APPEND(arena, &rows->rules_deleted, write_number(arena, before->key));
	} else if (!held_same(before, after)) {
		struct str cells[UPDATE_CELLS] = {
			write_number(arena, before->key), write_boolean(after->enabled),
			write_optional(after->ticket),    write_optional(after->owner),
			write_optional(after->rule.comment),
		};
		write_row(arena, &rows->rules_updated, cells, UPDATE_CELLS);
	}
}

void write_rules_collect(struct arena *arena, const struct role *before, const struct role *after,
                         struct write_rows *rows)
{
	size_t before_count = before == NULL ? 0 : before->rule_count,
	       after_count = after == NULL ? 0 : after->rule_count;
	size_t i = 0, j = 0;
	while (i < before_count || j < after_count) {
		int order = i == before_count  ? 1
		            : j == after_count ? -1
		                               : str_cmp(before->rules[i].text, after->rules[j].text);
		collect_rule(arena, order <= 0 ? &before->rules[i] : NULL, order >= 0 ? &after->rules[j] : NULL,
		             after == NULL ? before->name : after->name, rows);
		i += order <= 0;
		j += order >= 0;
	}
}

/* --- the columns of a rule --- */

static struct str action_str(enum action action)
{
	switch (action) {
	case ACTION_ALLOW: return STR("allow");
	case ACTION_DENY: return STR("deny");
	case ACTION_REJECT: return STR("reject");
	}
	return nothing;
}

static struct str what_str(const struct what *what)
{
	switch (what->kind) {
	case WHAT_ALL: return STR("all");
	case WHAT_PROTOCOL: return STR("protocol");
	case WHAT_PORTS: return STR("ports");
	case WHAT_SERVICE: return STR("service");
	case WHAT_ICMP: return what->icmp4 && what->icmp6 ? STR("icmp") : what->icmp4 ? STR("icmpv4") : STR("icmpv6");
	}
	return nothing;
}

static struct str limit_unit_str(enum limit_unit unit)
{
	switch (unit) {
	case LIMIT_NONE: return nothing;
	case LIMIT_SECOND: return STR("second");
	case LIMIT_MINUTE: return STR("minute");
	case LIMIT_HOUR: return STR("hour");
	case LIMIT_DAY: return STR("day");
	}
	return nothing;
}

static struct str time_str(struct arena *arena, int64_t time)
{
	if (time == TIME_NONE)
		return nothing;
	struct buf buf = buf_new(arena);
	time_print(&buf, time);
	return buf_str(&buf);
}

static struct str number_if(struct arena *arena, bool there, int64_t number)
{
	return there ? write_number(arena, number) : nothing;
}

static void rule_row(struct arena *arena, struct str key, const struct new_rule *new, struct rows *rows)
{
	const struct role_rule *held = new->rule;
	const struct rule *rule = &held->rule;
	const struct what *what = &rule->what;
	bool icmp = what->kind == WHAT_ICMP, ports = what->kind == WHAT_PORTS;
	struct str cells[RULE_CELLS] = {
		key,
		new->role,
		action_str(rule->action),
		rule->direction == DIRECTION_OUT ? STR("to") : STR("from"),
		what_str(what),
		number_if(arena, ports || what->kind == WHAT_PROTOCOL, what->protocol),
		ports ? write_ports(arena, what->ports, what->port_count) : nothing,
		what->kind == WHAT_SERVICE ? what->service : nothing,
		icmp ? write_optional(icmp_name_str(what->icmp_name)) : nothing,
		number_if(arena, icmp && what->icmp_name == ICMP_NUMBER, what->icmp_type),
		number_if(arena, icmp && what->icmp_code >= 0, what->icmp_code),
		write_boolean(rule->any),
		write_optional(rule->interface),
		write_boolean(rule->log),
		number_if(arena, rule->limit_unit != LIMIT_NONE, rule->limit),
		limit_unit_str(rule->limit_unit),
		time_str(arena, rule->since),
		time_str(arena, rule->until),
		write_boolean(held->enabled),
		write_optional(held->ticket),
		write_optional(held->owner),
		write_optional(rule->comment),
	};
	write_row(arena, rows, cells, RULE_CELLS);
}

static struct str peer_kind_str(enum peer_kind kind)
{
	switch (kind) {
	case PEER_LITERAL: return STR("literal");
	case PEER_SELF: return STR("self");
	case PEER_MACHINE: return STR("machine");
	case PEER_NETWORK: return STR("network");
	case PEER_ROLE: return STR("role");
	}
	return nothing;
}

static void peer_row(struct arena *arena, struct str key, const struct peer *peer, struct rows *rows)
{
	bool literal = peer->kind == PEER_LITERAL;
	const struct range *range = &peer->literal;
	struct str cells[PEER_CELLS] = {
		key,
		peer_kind_str(peer->kind),
		literal ? write_address(arena, range->family, range->first) : nothing,
		literal ? write_address(arena, range->family, range->last) : nothing,
		peer->kind == PEER_MACHINE ? peer->name : nothing,
		peer->kind == PEER_NETWORK ? peer->name : nothing,
		peer->kind == PEER_ROLE ? peer->name : nothing,
		peer->kind == PEER_ROLE ? write_optional(peer->label) : nothing,
	};
	write_row(arena, rows, cells, PEER_CELLS);
}

/* --- writing --- */

struct error *write_rules_delete(struct arena *arena, struct db *db, const struct write_rows *rows)
{
	return write_arrays(arena, db, "delete-rule", &rows->rules_deleted, 1);
}

static struct error *insert_rules(struct arena *arena, struct db *db, const struct write_rows *rows)
{
	struct db_rows keys;
	struct str count = write_number(arena, (int64_t)rows->count);
	struct rows rules = {0}, peers = {0};
	if (rows->count == 0)
		return NULL;
	TRY(db_query(arena, db, db_sql("rule-keys"), &count, 1, &keys));
	assert(keys.count == rows->count);
	for (size_t i = 0; i < rows->count; i++) {
		struct str key = db_cell(&keys, i, 0);
		const struct rule *rule = &rows->items[i].rule->rule;
		rule_row(arena, key, &rows->items[i], &rules);
		for (size_t peer = 0; peer < rule->peer_count; peer++)
			peer_row(arena, key, &rule->peers[peer], &peers);
	}
	TRY(write_copy(db, RULE_COPY, &rules, RULE_CELLS));
	return write_copy(db, PEER_COPY, &peers, PEER_CELLS);
}

struct error *write_rules(struct arena *arena, struct db *db, const struct write_rows *rows)
{
	TRY(write_arrays(arena, db, "update-rule", &rows->rules_updated, UPDATE_CELLS));
	return insert_rules(arena, db, rows);
}
