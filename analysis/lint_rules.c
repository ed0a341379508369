/* Rules by themselves: which count and what each speaks of, and those that can match nothing, speak of nobody, have
 * ended, end soon, or allow what leaves anyway. It compares no rule with another. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/intent.h"
#include "lint_parts.h"

enum { RULES_SHOWN = 3, TEXT_MOST = 80, DAY = 86400 };

/* --- what rules speak of --- */

static struct packets what_packets(const struct match_what *what)
{
	struct packets set = packets_all(), ports = packets_none();
	unsigned type = (unsigned)what->icmp_type << 8;

	if (what->protocol != 0)
		set = packets_number(FIELD_PROTOCOL, what->protocol);
	for (size_t i = 0; i < what->port_count; i++)
		ports = packets_or(ports, packets_numbers(FIELD_PORT, what->ports[i].first, what->ports[i].last));
	if (what->port_count > 0)
		set = packets_and(set, ports);
	if (what->icmp_type >= 0 && what->icmp_code >= 0)
		set = packets_and(set, packets_number(FIELD_PORT, type | (unsigned)what->icmp_code));
	else if (what->icmp_type >= 0)
		set = packets_and(set, packets_numbers(FIELD_PORT, type, type | UINT8_MAX));
	return set;
}

static struct packets head_of(struct linting *linting, const struct rule *rule, enum family family)
{
	struct packets set = packets_none();
	struct match_what *whats;
	size_t count = rule_whats(linting->scratch, linting->fleet, rule, family, &whats);

	for (size_t i = 0; i < count; i++)
		set = packets_or(set, what_packets(&whats[i]));
	set = packets_and(set, intent_compared(family));
	if (rule->interface.n > 0)
		set = packets_and(set, packets_interface(rule->direction == DIRECTION_IN ? FIELD_IN : FIELD_OUT,
		                                         rule->interface));
	return set;
}

struct addr_set lint_whole(enum family family)
{
	static struct range whole[FAMILIES];
	struct range *range = &whole[family == FAMILY_6];

	*range = (struct range){0, family_last(family), family};
	return (struct addr_set){family, range, 1};
}

bool lint_is_refusing(const struct lint_rule *rule)
{
	return rule->rule->action != ACTION_ALLOW;
}

struct addr_set lint_peer_set(struct linting *linting, const struct lint_rule *rule, const struct peer *peer,
                              enum family family)
{
	uint32_t number;

	if (peer->kind == PEER_LITERAL)
		return (struct addr_set){family, (struct range *)&peer->literal, peer->literal.family == family};
	number = peers_number(linting->peers, peer, rule->effective->role);
	return *peers_set(linting->peers, number, lint_is_refusing(rule), family);
}

/* Of one peer as it is: a role of everybody is not copied. */
struct addr_set lint_all_peers(struct linting *linting, const struct lint_rule *rule, enum family family)
{
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};

	if (rule->rule->peer_count == 1)
		return lint_peer_set(linting, rule, &rule->rule->peers[0], family);
	for (size_t i = 0; i < rule->rule->peer_count; i++) {
		struct addr_set set = lint_peer_set(linting, rule, &rule->rule->peers[i], family);

		for (size_t k = 0; k < set.count; k++)
			APPEND(linting->scratch, &ranges, set.ranges[k]);
	}
	return rule->rule->any ? lint_whole(family)
	                       : addr_set_of(linting->scratch, family, ranges.items, ranges.count);
}

struct str lint_rule_subject(struct linting *linting, const struct lint_rule *rule)
{
	return str_format(linting->scratch, "rule %s", rule->effective->id);
}

/* A long list of addresses is cut: the rule has its id. */
static struct str words_of(struct linting *linting, struct str text, struct str role)
{
	struct str shown = str_slice(text, 0, text.n > TEXT_MOST ? TEXT_MOST : text.n);

	return str_format(linting->scratch, "\"%.*s%s\" of role %.*s", STR_ARG(shown),
	                  shown.n < text.n ? "…" : "", STR_ARG(role));
}

struct str lint_rule_words(struct linting *linting, const struct lint_rule *rule)
{
	return words_of(linting, rule->effective->held->text, rule->effective->role->name);
}

struct str lint_rules_words(struct linting *linting, struct lint_rule *const *rules, size_t count)
{
	struct buf buf = buf_new(linting->scratch);

	for (size_t i = 0; i < count && i < RULES_SHOWN; i++) {
		buf_add(&buf, i > 0 ? STR(", ") : STR(""));
		buf_add(&buf, lint_rule_words(linting, rules[i]));
		buf_format(&buf, " (%s)", rules[i]->effective->id);
	}
	if (count > RULES_SHOWN)
		buf_format(&buf, " and %zu more", count - RULES_SHOWN);
	return buf_str(&buf);
}

/* --- all of them --- */

/* What housekeeping leaves to rules: what becomes of packets at a machine that has none. */
static void find_left(struct linting *linting)
{
	struct str name = STR("x");
	struct machine machine = {.name = name, .enabled = true, .roles = &name, .role_count = 1};
	struct role role = {.name = name, .egress = EGRESS_CLOSED};
	struct fleet fleet = {.machines = &machine, .machine_count = 1, .roles = &role, .role_count = 1};
	struct settings settings = *linting->settings;
	struct intent *intent;

	settings.management_count = 0;
	intent = intent_new(linting->scratch, &fleet, &settings);
	for (size_t i = 0; i < FAMILIES; i++) {
		struct intents intents = intent_of(linting->scratch, intent, 0, family_of(i), NULL, NULL);

		linting->left[i][0] = intents.in.dropped;
		if (settings.drop_invalid)
			linting->left[i][0] = packets_without(intents.in.dropped, packets_state(STATE_INVALID));
		linting->left[i][1] = intents.out.dropped;
	}
}

void lint_rules_collect(struct linting *linting)
{
	const struct resolved *resolved = linting->resolved;
	size_t count = 0;

	for (size_t i = 0; i < linting->fleet->role_count; i++)
		count += resolved->roles[i].rule_count;
	linting->rules = ARENA_ARRAY(linting->scratch, struct lint_rule, count);
	linting->first = ARENA_ARRAY(linting->scratch, size_t, linting->fleet->role_count + 1);
	count = 0;
	for (uint32_t i = 0; i < linting->fleet->role_count; i++) {
		linting->first[i] = count;
		for (size_t k = 0; k < resolved->roles[i].rule_count; k++) {
			struct lint_rule *rule = &linting->rules[count++];

			rule->effective = &resolved->roles[i].rules[k];
			rule->rule = &rule->effective->held->rule;
			rule->role = i;
			for (size_t family = 0; family < FAMILIES; family++)
				rule->heads[family] = head_of(linting, rule->rule, family_of(family));
		}
	}
	linting->first[linting->fleet->role_count] = count;
	find_left(linting);
}

/* --- rules that match nothing --- */

/* By its kinds of peers: whoever they stand for. */
static bool has_peers_of(const struct rule *rule, enum family family)
{
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind != PEER_LITERAL || rule->peers[i].literal.family == family)
			return true;
	return rule->any;
}

static bool is_left(struct linting *linting, const struct lint_rule *rule, size_t family)
{
	size_t mark = packets_mark();
	bool out = rule->rule->direction == DIRECTION_OUT;
	bool is = !packets_empty(packets_and(rule->heads[family], linting->left[family][out]));

	packets_release(mark);
	return is && has_peers_of(rule->rule, family_of(family));
}

static bool speaks(const struct lint_rule *rule, size_t family)
{
	return !packets_empty(rule->heads[family]) && has_peers_of(rule->rule, family_of(family));
}

static void tell_no_match(struct linting *linting, struct lint_rule *rule)
{
	bool before = speaks(rule, 0) || speaks(rule, 1);
	struct lint_words words = {
		.subject = lint_rule_subject(linting, rule),
		.message = str_format(linting->scratch, "%.*s has no effect", STR_ARG(lint_rule_words(linting, rule))),
		.evidence = before ? STR("housekeeping decides about all of its packets before any rule")
		                   : STR("no packet has both what it names and an address of its peers: they are of "
		                         "different families, or it names no port at all"),
		.advice = str_format(linting->scratch, "mend it, or fleetwall rule remove %s", rule->effective->id),
	};

	rule->moot = true;
	lint_find(linting, LINT_NO_MATCH, &words);
}

/* --- peers that stand for nobody --- */

static bool is_somebody(struct linting *linting, const struct lint_rule *rule, const struct peer *peer)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (!packets_empty(rule->heads[i]) && lint_peer_set(linting, rule, peer, family_of(i)).count > 0)
			return true;
	return false;
}

/* "", "IPv4 ", "IPv6 ": what the rule asks for. */
static const char *family_words(const struct lint_rule *rule)
{
	if (packets_empty(rule->heads[0]))
		return "IPv6 ";
	return packets_empty(rule->heads[1]) ? "IPv4 " : "";
}

static struct str why_nobody(struct linting *linting, const struct lint_rule *rule, struct str name,
                             const struct resolved_role *role)
{
	size_t enabled = 0;

	for (size_t i = 0; i < role->member_count; i++)
		enabled += linting->fleet->machines[role->members[i]].enabled;
	if (role->member_count == 0)
		return str_format(linting->scratch, "%.*s has no members", STR_ARG(name));
	if (enabled == 0 && !lint_is_refusing(rule))
		return str_format(linting->scratch, "no member of %.*s is enabled", STR_ARG(name));
	return str_format(linting->scratch, "no member of %.*s has an %saddress", STR_ARG(name), family_words(rule));
}

static struct str nobody_words(struct linting *linting, const struct lint_rule *rule, const struct peer *peer)
{
	struct buf text = buf_new(linting->scratch);
	const struct machine *machine;
	const struct role *role = rule->effective->role;

	peer_print(&text, peer);
	if (peer->kind == PEER_NETWORK)
		return str_format(linting->scratch, "%.*s has no %sprefix", STR_ARG(buf_str(&text)),
		                  family_words(rule));
	if (peer->kind == PEER_MACHINE) {
		machine = fleet_machine(linting->fleet, peer->name);
		if (machine != NULL && !machine->enabled && !lint_is_refusing(rule))
			return str_format(linting->scratch, "%.*s is disabled", STR_ARG(buf_str(&text)));
		return str_format(linting->scratch, "%.*s has no %saddress", STR_ARG(buf_str(&text)),
		                  family_words(rule));
	}
	if (peer->kind == PEER_ROLE)
		role = fleet_role(linting->fleet, peer->name);
	if (role == NULL)
		return str_format(linting->scratch, "there is no %.*s", STR_ARG(buf_str(&text)));
	return why_nobody(linting, rule, buf_str(&text), &linting->resolved->roles[role - linting->fleet->roles]);
}

static void tell_nobody(struct linting *linting, const struct lint_rule *rule, const struct peer *peer)
{
	struct buf text = buf_new(linting->scratch);

	peer_print(&text, peer);
	lint_find(linting, LINT_EMPTY_PEER,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, rule),
			  .detail = buf_str(&text),
			  .message = str_format(linting->scratch, "in %.*s %.*s stands for nobody",
	                                        STR_ARG(lint_rule_words(linting, rule)), STR_ARG(buf_str(&text))),
			  .evidence = nobody_words(linting, rule, peer),
			  .advice = STR("give it members or addresses, or take it out of the rule"),
		  });
}

static bool is_own(const struct lint_rule *rule, const struct peer *peer)
{
	return peer->kind == PEER_SELF ||
	       (peer->kind == PEER_ROLE && str_eq(peer->name, rule->effective->role->name));
}

/* Of a role without members no machine gets the rule: then it is no finding that it speaks of itself. */
static void check_peers(struct linting *linting, const struct lint_rule *rule)
{
	for (size_t i = 0; i < rule->rule->peer_count; i++) {
		const struct peer *peer = &rule->rule->peers[i];

		if (peer->kind == PEER_LITERAL ||
		    (is_own(rule, peer) && linting->resolved->roles[rule->role].member_count == 0))
			continue;
		if (!is_somebody(linting, rule, peer))
			tell_nobody(linting, rule, peer);
	}
}

/* --- what leaves anyway --- */

static bool all_open(const struct linting *linting, const struct resolved_role *role)
{
	bool some = false;

	for (size_t i = 0; i < role->member_count; i++) {
		uint32_t machine = role->members[i];

		if (!machine_has_ruleset(&linting->fleet->machines[machine]))
			continue;
		if (machine_egress_closed(linting->resolved, machine))
			return false;
		some = true;
	}
	return some;
}

/* With `log` it says at least what leaves. */
static void check_egress(struct linting *linting, struct lint_rule *rule, bool open)
{
	if (!open || rule->rule->direction != DIRECTION_OUT || lint_is_refusing(rule) || rule->rule->log)
		return;
	rule->moot = true;
	lint_find(linting, LINT_OPEN_EGRESS,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, rule),
			  .message = str_format(linting->scratch, "%.*s allows what may leave anyway",
	                                        STR_ARG(lint_rule_words(linting, rule))),
			  .evidence = str_format(linting->scratch, "no machine with role %.*s has a role whose egress "
	                                         "is closed", STR_ARG(rule->effective->role->name)),
			  .advice = str_format(linting->scratch, "close it (role set %.*s --egress closed), or "
	                                       "fleetwall rule remove %s",
	                                       STR_ARG(rule->effective->role->name), rule->effective->id),
		  });
}

/* --- time --- */

static void tell_time(struct linting *linting, enum lint_code code, const struct role *role,
                      const struct role_rule *held, const char *what)
{
	struct buf until = buf_new(linting->scratch);
	char id[RULE_ID_DIGITS + 1];

	rule_id(role->name, held->text, id);
	time_print(&until, held->rule.until);
	lint_find(linting, code,
	          &(struct lint_words){
			  .subject = str_format(linting->scratch, "rule %s", id),
			  .message = str_format(linting->scratch, "%.*s %s",
	                                        STR_ARG(words_of(linting, held->text, role->name)), what),
			  .evidence = str_format(linting->scratch, "until %.*s", STR_ARG(buf_str(&until))),
			  .advice = code == LINT_EXPIRES
	                                    ? STR("add it again with a later end, if it is still needed")
	                                    : str_format(linting->scratch, "fleetwall rule remove %s", id),
		  });
}

static void check_time(struct linting *linting, const struct role *role, const struct role_rule *held)
{
	int64_t until = held->rule.until, clock = linting->fleet->clock;

	if (!held->enabled || until == TIME_NONE)
		return;
	if (until <= clock)
		tell_time(linting, LINT_ENDED, role, held, "has ended");
	else if (until <= clock + (int64_t)linting->options->expiring_days * DAY)
		tell_time(linting, LINT_EXPIRES, role, held, "ends soon");
}

static void check_role(struct linting *linting, uint32_t number)
{
	const struct role *role = &linting->fleet->roles[number];
	bool open = all_open(linting, &linting->resolved->roles[number]);

	for (size_t i = 0; i < role->rule_count; i++)
		check_time(linting, role, &role->rules[i]);
	for (size_t i = linting->first[number]; i < linting->first[number + 1]; i++) {
		struct lint_rule *rule = &linting->rules[i];

		if (!is_left(linting, rule, 0) && !is_left(linting, rule, 1)) {
			tell_no_match(linting, rule);
			continue;
		}
		check_egress(linting, rule, open);
		check_peers(linting, rule);
	}
}

void lint_rules_check(struct linting *linting)
{
	for (uint32_t i = 0; i < linting->fleet->role_count; i++)
		check_role(linting, i);
}
