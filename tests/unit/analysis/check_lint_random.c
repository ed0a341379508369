/* Findings over random fleets. A rule that is said to have no effect is taken away, and what the intent says of every
 * packet at every machine must stay the same, for one of them and for all together; what is left has an effect for
 * packets of its own. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/explain.h"
#include "fleetwall/filter.h"
#include "fleetwall/intent.h"
#include "fleetwall/lint.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

#define CLOCK 1767225600 /* 2026-01-01T00:00:00Z */

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct settings settings;
static struct resolved *resolved;
static struct lint_finding *findings;
static size_t count;

static void begin(uint64_t seed)
{
	arena = arena_new();
	rng = (struct rng){seed};
	settings = settings_default();
}

static void end(void)
{
	arena_free(arena);
	error_forget_all();
}

static void look(void)
{
	struct lint_options options = {LINT_EXPIRING_DAYS};

	fleet.clock = CLOCK;
	resolved = resolve(arena, &fleet);
	count = lint(arena, resolved, &settings, &options, &findings);
}

/* --- small worlds, in which much is covered --- */

static const char *one_of(const char *const *words, size_t many)
{
	return words[rng_below(&rng, many)];
}

static void add_peer(struct buf *buf)
{
	static const char *const names[] = {"self", "role:a", "role:b", "role:b/private", "network:n", "network:m",
	                                    "machine:m1", "machine:m3", "0.0.0.0/0", "::/0", "role:every"};
	unsigned first = (unsigned)rng_below(&rng, 16);

	switch (rng_below(&rng, 5)) {
	case 0:
		buf_format(buf, "10.0.0.%u", first);
		return;
	case 1:
		buf_format(buf, "10.0.0.%u-10.0.0.%u", first, first + (unsigned)rng_below(&rng, 16));
		return;
	case 2:
		buf_format(buf, "fd00::%x-fd00::%x", first, first + (unsigned)rng_below(&rng, 16));
		return;
	default:
		buf_add(buf, str_of(one_of(names, sizeof names / sizeof *names)));
	}
}

static void add_clauses(struct buf *buf, bool allows)
{
	if (rng_chance(&rng, 15))
		buf_add(buf, rng_chance(&rng, 50) ? STR(" on eth+") : STR(" on eth0"));
	if (allows && rng_chance(&rng, 10))
		buf_add(buf, STR(" limit 5/minute"));
	if (rng_chance(&rng, 5))
		buf_add(buf, STR(" log"));
	if (rng_chance(&rng, 10))
		buf_add(buf, rng_chance(&rng, 50) ? STR(" until 2026-06-01") : STR(" until 2026-01-03"));
}

static void add_rule(struct buf *buf)
{
	static const char *const actions[] = {"allow", "allow", "allow", "deny", "reject"};
	static const char *const covered[] = {"all", "22/tcp", "80/tcp", "1-100/tcp", "22,80/tcp", "icmp", "icmpv6",
	                                      "tcp", "icmpv6/133", "80/tcp"};
	const char *action = one_of(actions, 5);

	buf_format(buf, "\"%s %s", action, one_of(covered, 10));
	for (size_t i = 0, many = rng_below(&rng, 6) == 0 ? 0 : 1 + rng_below(&rng, 3); i < many; i++) {
		buf_add(buf, i > 0 ? STR(", ") : STR(" "));
		if (i == 0)
			buf_add(buf, rng_chance(&rng, 80) ? STR("from ") : STR("to "));
		add_peer(buf);
	}
	add_clauses(buf, strcmp(action, "allow") == 0);
	buf_char(buf, '"');
}

static void add_role(struct buf *buf, const char *name, const char *fields)
{
	buf_format(buf, "{ name = \"%s\"; %s rules = [ ", name, fields);
	for (size_t i = 0, many = rng_below(&rng, 6); i < many; i++) {
		buf_add(buf, i > 0 ? STR(", ") : STR(""));
		add_rule(buf);
	}
	buf_add(buf, STR(" ]; }, "));
}

static void add_machine(struct buf *buf, unsigned number)
{
	static const char *const roles[] = {"", "\"a\"", "\"b\"", "\"a\", \"c\"", "\"a\", \"b\", \"c\""};

	buf_format(buf, "{ name = \"m%u\"; addresses = ( { address = \"10.0.0.%u\"; label = \"private\"; },"
	           " { address = \"fd00::%x\"; } ); roles = [ %s ]; enabled = %s; mode = \"%s\";"
	           " enforcement = \"%s\"; }",
	           number, (unsigned)rng_below(&rng, 16), (unsigned)rng_below(&rng, 16), one_of(roles, 5),
	           rng_chance(&rng, 85) ? "true" : "false", rng_chance(&rng, 80) ? "exclusive" : "coexist",
	           rng_chance(&rng, 85) ? "enforce" : rng_chance(&rng, 50) ? "monitor" : "unmanaged");
}

static void make_small(void)
{
	static struct prefix management = {{0x0a000008u, FAMILY_4}, 30};
	struct buf buf = buf_new(arena);
	struct error *warnings = NULL;

	buf_add(&buf, STR("networks = ( { name = \"n\"; prefixes = [ \"10.0.0.4/30\", \"fd00::8/125\" ]; },"
	                  " { name = \"m\"; prefixes = [ \"10.0.0.0/28\" ]; } ); roles = ( "));
	add_role(&buf, "a", "");
	add_role(&buf, "b", "");
	add_role(&buf, "c", "egress = \"closed\";");
	add_role(&buf, "every", "selector = { };");
	buf_add(&buf, STR("{ name = \"nobody\"; } ); machines = ( "));
	for (unsigned i = 0; i < 4; i++) {
		buf_add(&buf, i > 0 ? STR(", ") : STR(""));
		add_machine(&buf, i);
	}
	buf_add(&buf, STR(" );"));
	ck_assert_msg(document_read(arena, STR("small"), buf_str(&buf), &fleet, &warnings) == NULL, "%.*s",
	              STR_ARG(buf_str(&buf)));
	settings.management = &management;
	settings.management_count = rng_below(&rng, 2);
}

/* --- what the intent says of all packets at all machines --- */

enum { SETS = 12 };

static void note(const struct intended *intended, struct packets *sets)
{
	sets[0] = intended->accepted;
	sets[1] = intended->passed;
	sets[2] = intended->dropped;
	sets[3] = packets_or(intended->reset, intended->rejected);
	sets[4] = intended->watched;
}

/* By machine and family; marks are the caller's. */
static struct packets *all_intents(void)
{
	struct packets *sets = ARENA_ARRAY(arena, struct packets, fleet.machine_count * 2 * SETS);
	struct intent *intent = intent_new(arena, &fleet, &settings);

	for (size_t i = 0; i < fleet.machine_count; i++)
		for (size_t family = 0; family < 2; family++) {
			struct packets *here = &sets[(i * 2 + family) * SETS];
			struct intents intents =
				intent_of(arena, intent, i, family == 0 ? FAMILY_4 : FAMILY_6, NULL, NULL);

			note(&intents.in, here);
			note(&intents.out, here + SETS / 2);
		}
	return sets;
}

/* The ends that rules of small worlds have: whoever has ended late has not ended before whoever ends early. */
static const int64_t ends[] = {CLOCK + 2 * 86400, CLOCK + 151 * 86400};
enum { ENDS = sizeof ends / sizeof *ends };

static struct packets after(struct packets set, size_t ended)
{
	for (size_t i = 0; i < ENDS; i++)
		set = packets_put(set, filter_until_name(arena, ends[i] - 1),
		                  i < ended ? packets_none() : packets_all());
	return set;
}

static bool same_at_all_times(struct packets a, struct packets b)
{
	for (size_t ended = 0; ended <= ENDS; ended++)
		if (!packets_eq(after(a, ended), after(b, ended)))
			return false;
	return true;
}

static bool same_intents(const struct packets *a, const struct packets *b)
{
	for (size_t i = 0; i < fleet.machine_count * 2 * SETS; i++)
		if (!packets_eq(a[i], b[i]) && !same_at_all_times(a[i], b[i]))
			return false;
	return true;
}

/* The rule that a finding is about. */
static struct role_rule *rule_of(const struct lint_finding *finding, struct str *role)
{
	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t k = 0; k < fleet.roles[i].rule_count; k++) {
			char id[RULE_ID_DIGITS + 1];

			rule_id(fleet.roles[i].name, fleet.roles[i].rules[k].text, id);
			*role = fleet.roles[i].name;
			if (str_ends(finding->subject, str_of(id)))
				return &fleet.roles[i].rules[k];
		}
	ck_abort_msg("no rule is %.*s", STR_ARG(finding->subject));
	return NULL;
}

static bool has_no_effect(enum lint_code code)
{
	return code == LINT_COVERED || code == LINT_COVERED_NOW || code == LINT_DENIED || code == LINT_NO_MATCH ||
	       code == LINT_OPEN_EGRESS || code == LINT_ENDED;
}

static size_t take_each(const struct packets *before)
{
	size_t taken = 0;

	for (size_t i = 0; i < count; i++) {
		struct role_rule *held;
		struct str role;
		size_t mark = packets_mark();

		if (!has_no_effect(findings[i].code))
			continue;
		held = rule_of(&findings[i], &role);
		held->enabled = false;
		ck_assert_msg(same_intents(before, all_intents()), "%.*s %.*s: %.*s", STR_ARG(role),
		              STR_ARG(findings[i].message), STR_ARG(findings[i].evidence));
		held->enabled = true;
		packets_release(mark);
		taken++;
	}
	return taken;
}

static void take_all(const struct packets *before)
{
	struct str role;

	for (size_t i = 0; i < count; i++)
		if (has_no_effect(findings[i].code))
			rule_of(&findings[i], &role)->enabled = false;
	ck_assert_msg(same_intents(before, all_intents()), "all that have no effect together have one");
	for (size_t i = 0; i < count; i++)
		if (has_no_effect(findings[i].code))
			rule_of(&findings[i], &role)->enabled = true;
}

/* Of every feature; without ends, of which there are too many to go through. */
static void make_any(void)
{
	fleet = random_fleet(arena, &rng, 1 + rng_below(&rng, 6));
	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t k = 0; k < fleet.roles[i].rule_count; k++)
			fleet.roles[i].rules[k].rule.until = TIME_NONE;
}

START_TEST(what_has_no_effect_may_go)
{
	size_t taken = 0;

	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(40); seed++) {
		size_t mark = packets_mark();
		const struct packets *before;

		begin(seed * 7919);
		if (seed % 4 == 0)
			make_any();
		else
			make_small();
		look();
		before = all_intents();
		taken += take_each(before);
		take_all(before);
		end();
		packets_release(mark);
	}
	packets_end();
	ck_assert_uint_gt(taken, 0);
}
END_TEST

/* --- nothing that could go is left --- */

/* Without housekeeping rules alone decide: a rule that others cover, in a role that has them all, changes nothing. */
static void nothing_kept(void)
{
	settings.loopback = settings.icmp_errors = settings.established = false;
	settings.neighbour_discovery = settings.drop_invalid = settings.dhcp = false;
	settings.management_count = 0;
}

static bool is_told(const struct role *role, const struct role_rule *held)
{
	char id[RULE_ID_DIGITS + 1];

	rule_id(role->name, held->text, id);
	for (size_t i = 0; i < count; i++)
		if (has_no_effect(findings[i].code) && str_ends(findings[i].subject, str_of(id)))
			return true;
	return false;
}

static bool may_cover(const struct rule *other, const struct rule *rule)
{
	return other->action == ACTION_ALLOW && other->direction == rule->direction && !other->log &&
	       other->limit_unit == LIMIT_NONE &&
	       (other->until == TIME_NONE || (rule->until != TIME_NONE && other->until >= rule->until));
}

static bool has_role(uint32_t machine, uint32_t role)
{
	for (size_t i = 0; i < resolved->machines[machine].role_count; i++)
		if (resolved->machines[machine].roles[i] == role)
			return true;
	return false;
}

static bool all_have(uint32_t role, uint32_t other)
{
	const struct resolved_role *members = &resolved->roles[role];

	for (size_t i = 0; i < members->member_count; i++)
		if (!has_role(members->members[i], other))
			return false;
	return members->member_count > 0 || role == other;
}

/* A machine by itself, with the rule and all that may cover it. `self` is written out; without ends, which are
 * conditions of their own. */
struct trial {
	struct role role;
	struct role_rule *rules;
	size_t count;
};

static void add_to(struct trial *trial, const struct role *role, const struct role_rule *held)
{
	struct role_rule *copy = &trial->rules[trial->count++];

	*copy = *held;
	copy->rule.until = TIME_NONE;
	copy->rule.limit_unit = LIMIT_NONE;
	copy->rule.peers = ARENA_ARRAY(arena, struct peer, held->rule.peer_count);
	for (size_t i = 0; i < held->rule.peer_count; i++) {
		copy->rule.peers[i] = held->rule.peers[i];
		if (held->rule.peers[i].kind == PEER_SELF)
			copy->rule.peers[i] = (struct peer){.kind = PEER_ROLE, .name = role->name};
	}
}

static bool changes_nothing(struct trial *trial)
{
	struct str name = STR("zz-trial");
	struct machine *machines = ARENA_ARRAY(arena, struct machine, fleet.machine_count + 1);
	struct role *roles = ARENA_ARRAY(arena, struct role, fleet.role_count + 1);
	struct fleet with = fleet;
	struct packets sets[2][2] = {{{0}}};

	memcpy(machines, fleet.machines, fleet.machine_count * sizeof *machines);
	memcpy(roles, fleet.roles, fleet.role_count * sizeof *roles);
	for (size_t i = 0; i < fleet.role_count; i++)
		roles[i].rule_count = 0;
	machines[fleet.machine_count] =
		(struct machine){.name = name, .enabled = true, .roles = &name, .role_count = 1};
	roles[fleet.role_count] = (struct role){
		.name = name, .egress = EGRESS_CLOSED, .rules = trial->rules, .rule_count = trial->count};
	with.machines = machines;
	with.roles = roles;
	with.machine_count++;
	with.role_count++;
	for (size_t i = 0; i < 2; i++) {
		struct intent *intent;

		trial->rules[0].enabled = i == 0;
		intent = intent_new(arena, &with, &settings);
		for (size_t family = 0; family < 2; family++) {
			struct intents intents = intent_of(arena, intent, fleet.machine_count,
			                                   family == 0 ? FAMILY_4 : FAMILY_6, NULL, NULL);

			sets[i][family] = trial->rules[0].rule.direction == DIRECTION_IN ? intents.in.accepted
			                                                                 : intents.out.accepted;
		}
	}
	return packets_eq(sets[0][0], sets[1][0]) && packets_eq(sets[0][1], sets[1][1]);
}

/* Where a peer stands for nobody, that is told instead. That a role without members
 * speaks of itself is no finding. */
static bool has_nobody(uint32_t number, const struct role_rule *held)
{
	char id[RULE_ID_DIGITS + 1];

	for (size_t i = 0; i < held->rule.peer_count; i++) {
		const struct peer *peer = &held->rule.peers[i];

		if (resolved->roles[number].member_count == 0 &&
		    (peer->kind == PEER_SELF || str_eq(peer->name, fleet.roles[number].name)))
			return true;
	}
	rule_id(fleet.roles[number].name, held->text, id);
	for (size_t i = 0; i < count; i++)
		if (findings[i].code == LINT_EMPTY_PEER && str_ends(findings[i].subject, str_of(id)))
			return true;
	return false;
}

static bool is_covered(uint32_t number, const struct role_rule *held)
{
	struct trial trial = {.rules = ARENA_ARRAY(arena, struct role_rule, 100)};

	add_to(&trial, &fleet.roles[number], held);
	for (uint32_t i = 0; i < fleet.role_count; i++)
		for (size_t k = 0; k < fleet.roles[i].rule_count && all_have(number, i); k++) {
			const struct role_rule *other = &fleet.roles[i].rules[k];

			if (other != held && may_cover(&other->rule, &held->rule) && !is_told(&fleet.roles[i], other))
				add_to(&trial, &fleet.roles[i], other);
		}
	return changes_nothing(&trial);
}

static void add_refusing(struct trial *trial, uint32_t machine, const struct role_rule *held)
{
	for (size_t i = 0; i < resolved->machines[machine].role_count; i++) {
		const struct role *role = &fleet.roles[resolved->machines[machine].roles[i]];

		for (size_t k = 0; k < role->rule_count; k++) {
			const struct rule *other = &role->rules[k].rule;

			if (other->action != ACTION_ALLOW && other->direction == held->rule.direction &&
			    (other->until == TIME_NONE ||
			     (held->rule.until != TIME_NONE && other->until >= held->rule.until)))
				add_to(trial, role, &role->rules[k]);
		}
	}
}

/* On each machine that gets it, and there is one. */
static bool is_denied(uint32_t number, const struct role_rule *held)
{
	bool some = false;

	for (size_t i = 0; i < resolved->roles[number].member_count; i++) {
		struct trial trial = {.rules = ARENA_ARRAY(arena, struct role_rule, 100)};
		uint32_t machine = resolved->roles[number].members[i];

		if (!machine_has_ruleset(&fleet.machines[machine]))
			continue;
		add_to(&trial, &fleet.roles[number], held);
		add_refusing(&trial, machine, held);
		if (!changes_nothing(&trial))
			return false;
		some = true;
	}
	return some;
}

START_TEST(nothing_that_is_covered_is_left)
{
	size_t looked = 0;

	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(40); seed++) {
		size_t mark = packets_mark();

		begin(seed * 104729);
		make_small();
		nothing_kept();
		look();
		for (uint32_t i = 0; i < fleet.role_count; i++)
			for (size_t k = 0; k < fleet.roles[i].rule_count; k++) {
				const struct role_rule *held = &fleet.roles[i].rules[k];

				if (held->rule.action != ACTION_ALLOW || held->rule.log ||
				    is_told(&fleet.roles[i], held) || has_nobody(i, held))
					continue;
				looked++;
				ck_assert_msg(!is_denied(i, held), "seed %llu: %.*s of %.*s is denied",
				              (unsigned long long)seed, STR_ARG(held->text),
				              STR_ARG(fleet.roles[i].name));
				ck_assert_msg(!is_covered(i, held), "seed %llu: %.*s of %.*s is covered",
				              (unsigned long long)seed, STR_ARG(held->text),
				              STR_ARG(fleet.roles[i].name));
			}
		end();
		packets_release(mark);
	}
	packets_end();
	ck_assert_uint_gt(looked, 0);
}
END_TEST

/* --- packets that are told --- */

/* "203.0.113.7 -> db1 3306/tcp", asked of explain(). */
static bool is_allowed(struct str text)
{
	struct explainer *explainer = explainer_new(arena, resolved, &settings);
	struct end source, destination;
	struct packet_what what;
	struct verdict verdict;
	size_t arrow = str_find(text, '>'), blank;

	ck_assert_msg(arrow < text.n, "%.*s", STR_ARG(text));
	ck_assert_ptr_null(end_parse(explainer, str_trim(str_slice(text, 0, arrow - 1)), &source));
	text = str_slice(text, arrow + 2, text.n);
	blank = str_find(text, ' ');
	ck_assert_ptr_null(end_parse(explainer, str_slice(text, 0, blank), &destination));
	ck_assert_ptr_null(packet_parse(explainer, str_slice(text, blank + 1, text.n), &what));
	ck_assert_ptr_null(explain(arena, explainer, &source, &destination, &what, &verdict));
	return verdict.allow;
}

/* The packet that the text begins with, up to these words. */
static struct str before(struct str text, const char *words)
{
	const char *end = strstr(str_c(arena, text), words);

	ck_assert_msg(end != NULL, "no \"%s\" in %.*s", words, STR_ARG(text));
	return str_copy(arena, str_slice(text, 0, strlen(str_c(arena, text)) - strlen(end)));
}

static size_t packet_is_so(const struct lint_finding *finding)
{
	struct str text = finding->evidence;

	if (finding->code == LINT_DATABASE_OPEN)
		ck_assert(is_allowed(text));
	else if (finding->code == LINT_MANAGEMENT_DENIED)
		ck_assert(is_allowed(before(text, " is let in")));
	else if (finding->code == LINT_PARTLY_DENIED || finding->code == LINT_CUT_ROLE)
		ck_assert(!is_allowed(before(text, ": this rule")));
	else if (finding->code == LINT_DENIED && !str_starts(text, STR("by ")))
		ck_assert(!is_allowed(before(text, " is refused")));
	else if (finding->code == LINT_ONE_FAMILY)
		ck_assert(is_allowed(before(text, " is let in")));
	else
		return 0;
	return 1;
}

START_TEST(packets_are_as_told)
{
	size_t asked = 0;

	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(60); seed++) {
		begin(seed * 15485863);
		if (seed % 2 == 0)
			make_any();
		else
			make_small();
		look();
		for (size_t i = 0; i < count; i++)
			asked += packet_is_so(&findings[i]);
		end();
	}
	packets_end();
	ck_assert_uint_gt(asked, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lint_random");
	TCase *tcase = tcase_create("lint_random");

	tcase_add_test(tcase, what_has_no_effect_may_go);
	tcase_add_test(tcase, nothing_that_is_covered_is_left);
	tcase_add_test(tcase, packets_are_as_told);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
