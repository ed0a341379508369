/* Rules from their columns and peers. Each is put into canonical form by the rule language itself, and its text
 * compared with the one that the database derived: where they differ, two readers of the same row would disagree about
 * what it lets in, so that nothing is loaded. */
#include "load.h"

#include <assert.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"

/* The columns of load-rule.sql and load-rule-peer.sql, in their order. */
enum rule_column {
	RULE_KEY, RULE_ROLE, RULE_ACTION, RULE_DIRECTION, RULE_WHAT, RULE_PROTOCOL, RULE_PORTS, RULE_SERVICE,
	RULE_ICMP_NAME, RULE_ICMP_TYPE, RULE_ICMP_CODE, RULE_ANY_PEER, RULE_INTERFACE, RULE_LOG, RULE_LIMIT_COUNT,
	RULE_LIMIT_UNIT, RULE_SINCE, RULE_UNTIL, RULE_ENABLED, RULE_TICKET, RULE_OWNER, RULE_COMMENT, RULE_TEXT,
	RULE_COLUMNS,
};
enum peer_column {
	PEER_RULE_KEY, PEER_KIND, PEER_FIRST, PEER_LAST, PEER_MACHINE_NAME, PEER_NETWORK_NAME, PEER_ROLE_NAME,
	PEER_LABEL, PEER_COLUMNS,
};

/* One rule of the table; its text is the stored one until it is checked. */
struct rule_row {
	uint32_t role;
	struct role_rule held;
};

struct rule_rows {
	struct loading *loading;
	struct rows rows;
	uint32_t role;
};

struct peer_row {
	uint32_t rule;
	struct peer peer;
};

struct peer_rows {
	struct loading *loading;
	const struct rows *rules;
	uint32_t rule; /* both come in the order of keys */
	struct rows rows;
};

/* The place of a word in a list; `count` if it is not there. */
static unsigned word_number(struct str word, const char *const *words, unsigned count)
{
	unsigned number = 0;
	while (number < count && !str_is(word, words[number]))
		number++;
	return number;
}

static bool read_action(struct str word, struct rule *rule)
{
	static const char *const words[] = {
		[ACTION_ALLOW] = "allow", [ACTION_DENY] = "deny", [ACTION_REJECT] = "reject"};
	unsigned number = word_number(word, words, 3);
	rule->action = (enum action)number;
	return number < 3;
}

static bool read_limit_unit(struct str word, struct rule *rule)
{
	static const char *const words[] = {"second", "minute", "hour", "day"};
	if (word.p == NULL)
		return true;
	unsigned number = word_number(word, words, 4);
	rule->limit_unit = (enum limit_unit)(LIMIT_SECOND + number);
	return number < 4;
}

static bool read_what_kind(struct str word, struct what *what)
{
	static const struct {
		const char *word;
		enum what_kind kind;
		bool icmp4, icmp6;
	} kinds[] = {
		{"all", WHAT_ALL, false, false},         {"protocol", WHAT_PROTOCOL, false, false},
		{"ports", WHAT_PORTS, false, false},     {"service", WHAT_SERVICE, false, false},
		{"icmp", WHAT_ICMP, true, true},         {"icmpv4", WHAT_ICMP, true, false},
		{"icmpv6", WHAT_ICMP, false, true},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!str_is(word, kinds[i].word))
			continue;
		what->kind = kinds[i].kind;
		what->icmp4 = kinds[i].icmp4;
		what->icmp6 = kinds[i].icmp6;
		return true;
	}
	return false;
}

static int64_t number_or(struct str field, int64_t otherwise)
{
	return field.p == NULL ? otherwise : db_int(field);
}

static struct error *read_what(struct arena *arena, const struct str *fields, struct what *what)
{
	if (!read_what_kind(fields[RULE_WHAT], what))
		return load_unreadable("rule");
	what->protocol = (uint8_t)number_or(fields[RULE_PROTOCOL], 0);
	what->service = load_text(arena, fields[RULE_SERVICE]);
	what->icmp_type = (uint8_t)number_or(fields[RULE_ICMP_TYPE], 0);
	what->icmp_code = (int)number_or(fields[RULE_ICMP_CODE], -1);
	if (fields[RULE_ICMP_TYPE].p != NULL)
		what->icmp_name = ICMP_NUMBER;
	else if (fields[RULE_ICMP_NAME].p != NULL && !icmp_name_parse(fields[RULE_ICMP_NAME], &what->icmp_name))
		return load_unreadable("rule");
	return load_ports(arena, fields[RULE_PORTS], &what->ports, &what->port_count);
}

static struct error *read_rule(struct arena *arena, const struct str *fields, struct rule *rule)
{
	if (!read_action(fields[RULE_ACTION], rule) || !read_limit_unit(fields[RULE_LIMIT_UNIT], rule))
		return load_unreadable("rule");
	rule->direction = str_is(fields[RULE_DIRECTION], "to") ? DIRECTION_OUT : DIRECTION_IN;
	rule->any = db_bool(fields[RULE_ANY_PEER]);
	rule->interface = load_text(arena, fields[RULE_INTERFACE]);
	rule->log = db_bool(fields[RULE_LOG]);
	rule->limit = (unsigned)number_or(fields[RULE_LIMIT_COUNT], 0);
	rule->comment = load_text(arena, fields[RULE_COMMENT]);
	TRY(load_time(fields[RULE_SINCE], &rule->since));
	TRY(load_time(fields[RULE_UNTIL], &rule->until));
	return read_what(arena, fields, &rule->what);
}

static struct error *rule_row(void *context, const struct str *fields, size_t count)
{
	struct rule_rows *rules = context;
	struct loading *loading = rules->loading;
	struct arena *arena = loading->arena;
	assert(count == RULE_COLUMNS);
	struct role_rule held = {
		.key = db_int(fields[RULE_KEY]),
		.enabled = db_bool(fields[RULE_ENABLED]),
		.ticket = load_text(arena, fields[RULE_TICKET]),
		.owner = load_text(arena, fields[RULE_OWNER]),
		.text = load_text(arena, fields[RULE_TEXT]),
	};
	TRY(load_owner(loading, loading->roles, "role", fields[RULE_ROLE], &rules->role));
	TRY(error_in(read_rule(arena, fields, &held.rule), "rule %lld", (long long)held.key));
	*(struct rule_row *)rows_add(&rules->rows) = (struct rule_row){rules->role, held};
	return NULL;
}

/* --- peers --- */

static struct error *read_literal(const struct str *fields, struct range *range)
{
	struct addr first, last;
	unsigned length;
	TRY(load_inet(fields[PEER_FIRST], &first, &length));
	TRY(load_inet(fields[PEER_LAST], &last, &length));
	*range = (struct range){.first = first.bits, .last = last.bits, .family = first.family};
	return first.family == last.family && first.bits <= last.bits ? NULL : load_unreadable("rule_peer");
}

static struct error *read_peer(struct arena *arena, const struct str *fields, struct peer *peer)
{
	static const char *const kinds[] = {
		[PEER_LITERAL] = "literal", [PEER_SELF] = "self", [PEER_MACHINE] = "machine",
		[PEER_NETWORK] = "network", [PEER_ROLE] = "role",
	};
	unsigned kind = word_number(fields[PEER_KIND], kinds, sizeof kinds / sizeof *kinds);
	peer->kind = (enum peer_kind)kind;
	switch (peer->kind) {
	case PEER_LITERAL:
		return read_literal(fields, &peer->literal);
	case PEER_SELF:
		return NULL;
	case PEER_MACHINE:
		peer->name = load_text(arena, fields[PEER_MACHINE_NAME]);
		return NULL;
	case PEER_NETWORK:
		peer->name = load_text(arena, fields[PEER_NETWORK_NAME]);
		return NULL;
	case PEER_ROLE:
		peer->name = load_text(arena, fields[PEER_ROLE_NAME]);
		peer->label = load_text(arena, fields[PEER_LABEL]);
		return NULL;
	}
	return load_unreadable("rule_peer");
}

static int64_t key_of(const struct rows *rules, size_t i)
{
	return ((const struct rule_row *)rows_get(rules, i))->held.key;
}

static struct error *peer_row(void *context, const struct str *fields, size_t count)
{
	struct peer_rows *peers = context;
	assert(count == PEER_COLUMNS);
	int64_t key = db_int(fields[PEER_RULE_KEY]);
	while (peers->rule < peers->rules->count && key_of(peers->rules, peers->rule) < key)
		peers->rule++;
	if (peers->rule == peers->rules->count || key_of(peers->rules, peers->rule) != key)
		return error_new(ERROR_SURROUNDINGS, "the database holds peers of a rule %lld that does not exist",
		                 (long long)key);
	struct peer_row row = {.rule = peers->rule};
	TRY(error_in(read_peer(peers->loading->arena, fields, &row.peer), "rule %lld", (long long)key));
	*(struct peer_row *)rows_add(&peers->rows) = row;
	return NULL;
}

static struct error *load_peers(struct loading *loading, struct rows *rules)
{
	struct peer_rows peers = {loading, rules, 0, rows_new(loading->rows, sizeof(struct peer_row))};
	TRY(load_copy(loading, "load-rule-peer", peer_row, &peers));
	struct grouped by_rule = load_group(loading->rows, &peers.rows, rules->count);
	struct peer *all = ARENA_ARRAY(loading->arena, struct peer, peers.rows.count);
	for (size_t i = 0; i < peers.rows.count; i++) {
		const struct peer_row *row = rows_get(&peers.rows, i);
		all[by_rule.next[row->rule]++] = row->peer;
	}
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &((struct rule_row *)rows_get(rules, i))->held.rule;
		rule->peers = all + by_rule.start[i];
		rule->peer_count = by_rule.start[i + 1] - by_rule.start[i];
	}
	return NULL;
}

/* --- canonical form --- */

/* The rule in canonical form, if that says the same as the text that the database keeps. */
static struct error *check_rule(struct arena *arena, struct role_rule *held)
{
	bool stored;
	TRY(rule_normalize(arena, &held->rule, &stored));
	struct str text = rule_text(arena, &held->rule);
	if (!stored)
		return error_new(ERROR_SURROUNDINGS, "'%.*s' states the default and can't be a rule", STR_ARG(text));
	if (!str_eq(text, held->text))
		return error_hint(error_new(ERROR_SURROUNDINGS, "its columns say '%.*s', its text says '%.*s'",
		                            STR_ARG(text), STR_ARG(held->text)),
		                  "delete the rule and add it again");
	held->text = text;
	return NULL;
}

static struct error *check_rules(struct loading *loading, const struct rows *rules)
{
	struct error *errors = NULL;
	for (size_t i = 0; i < rules->count; i++) {
		struct rule_row *row = rows_get(rules, i);
		struct error *error = check_rule(loading->arena, &row->held);
		if (error != NULL)
			error_collect(&errors, error_in(error, "role %.*s: rule %lld of the database",
			                                STR_ARG(loading->fleet->roles[row->role].name),
			                                (long long)row->held.key));
	}
	return errors;
}

static int text_order(const void *a, const void *b)
{
	return str_cmp(((const struct role_rule *)a)->text, ((const struct role_rule *)b)->text);
}

static void give_to_roles(struct loading *loading, const struct rows *rules)
{
	struct fleet *fleet = loading->fleet;
	struct grouped by_role = load_group(loading->rows, rules, fleet->role_count);
	struct role_rule *all = ARENA_ARRAY(loading->arena, struct role_rule, rules->count);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule_row *row = rows_get(rules, i);
		all[by_role.next[row->role]++] = row->held;
	}
	for (size_t i = 0; i < fleet->role_count; i++) {
		struct role *role = &fleet->roles[i];
		role->rules = all + by_role.start[i];
		role->rule_count = by_role.start[i + 1] - by_role.start[i];
		qsort(role->rules, role->rule_count, sizeof *all, text_order);
	}
	arena_reset(loading->rows);
}

/* The history keeps the text of a rule, not its columns. */
static struct error *text_row(void *context, const struct str *fields, size_t count)
{
	struct rule_rows *rules = context;
	struct loading *loading = rules->loading;
	struct error *warnings = NULL;
	bool stored;
	assert(count == 6);
	struct role_rule held = {
		.enabled = db_bool(fields[2]),
		.ticket = load_text(loading->arena, fields[3]),
		.owner = load_text(loading->arena, fields[4]),
	};
	TRY(load_owner(loading, loading->roles, "role", fields[0], &rules->role));
	TRY(error_in(rule_parse(loading->arena, str_copy(loading->arena, fields[1]), &held.rule, &stored, &warnings),
	             "the history of role %.*s", STR_ARG(fields[0])));
	held.rule.comment = load_text(loading->arena, fields[5]);
	held.text = rule_text(loading->arena, &held.rule);
	*(struct rule_row *)rows_add(&rules->rows) = (struct rule_row){rules->role, held};
	return NULL;
}

struct error *load_rules(struct loading *loading)
{
	struct rule_rows rules = {loading, rows_new(loading->rows, sizeof(struct rule_row)), NAMES_NONE};
	if (loading->which == LOAD_BEFORE) {
		TRY(load_copy(loading, "load-rule", text_row, &rules));
	} else {
		TRY(load_copy(loading, "load-rule", rule_row, &rules));
		TRY(load_peers(loading, &rules.rows));
		TRY(check_rules(loading, &rules.rows));
	}
	give_to_roles(loading, &rules.rows);
	return NULL;
}
