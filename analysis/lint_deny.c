/* Rules that refuse and rules that allow on the same machine: allow rules that are taken away wherever they count,
 * roles that are cut as a whole, and what else a deny or reject rule takes away. Temporary refusals are looked at as
 * what they are now, but make no lasting rule superfluous. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/difference.h"
#include "lint_parts.h"

static const char *takes(const struct lint_rule *refusing)
{
	return refusing->rule->action == ACTION_DENY ? "drops" : "rejects";
}

static enum stage stage_of(const struct lint_rule *refusing)
{
	return refusing->rule->action == ACTION_DENY ? STAGE_DENY : STAGE_REJECT;
}

/* --- which machines have which refusing roles --- */

static bool has_refusing(const struct linting *linting, uint32_t role)
{
	for (size_t i = linting->first[role]; i < linting->first[role + 1]; i++)
		if (lint_is_refusing(&linting->rules[i]))
			return true;
	return false;
}

struct kinds {
	struct refusing *items;
	size_t count, capacity;
};

/* The machine's list; a new one is kept. */
static uint32_t kind_number(struct linting *linting, struct kinds *kinds, struct names *lists,
                            const struct refusing *kind)
{
	struct str key = {(const char *)kind->roles, kind->count * sizeof *kind->roles};
	uint32_t number = names_add(lists, key);
	struct refusing kept;

	if (number < kinds->count)
		return number;
	kept = (struct refusing){ARENA_ARRAY(linting->scratch, uint32_t, kind->count), kind->count};
	for (size_t i = 0; i < kind->count; i++)
		kept.roles[i] = kind->roles[i];
	APPEND(linting->scratch, kinds, kept);
	return number;
}

static void find_kinds(struct linting *linting)
{
	struct names *lists = names_new(linting->scratch);
	bool *refuses = ARENA_ARRAY(linting->scratch, bool, linting->fleet->role_count);
	struct refusing kind = {ARENA_ARRAY(linting->scratch, uint32_t, linting->fleet->role_count), 0};
	struct kinds kinds = {0};

	for (uint32_t i = 0; i < linting->fleet->role_count; i++)
		refuses[i] = has_refusing(linting, i);
	linting->kind_of = ARENA_ARRAY(linting->scratch, uint32_t, linting->fleet->machine_count);
	for (size_t i = 0; i < linting->fleet->machine_count; i++) {
		const struct resolved_machine *machine = &linting->resolved->machines[i];

		kind.count = 0;
		for (size_t k = 0; k < machine->role_count; k++)
			if (refuses[machine->roles[k]])
				kind.roles[kind.count++] = machine->roles[k];
		linting->kind_of[i] = kind_number(linting, &kinds, lists, &kind);
	}
	linting->kinds = kinds.items;
}

/* --- taken away everywhere --- */

struct number_list {
	uint32_t *items;
	size_t count, capacity;
};

/* Of the role's machines with a ruleset, one of each kind; none where one of them refuses nothing. */
static struct number_list each_kind(struct linting *linting, uint32_t role)
{
	const struct resolved_role *resolved = &linting->resolved->roles[role];
	struct number_list machines = {0};
	size_t last = SIZE_MAX;

	for (size_t i = 0; i < resolved->member_count; i++) {
		uint32_t machine = resolved->members[i], kind = linting->kind_of[machine];
		bool known = kind == last;

		if (!machine_has_ruleset(&linting->fleet->machines[machine]))
			continue;
		if (linting->kinds[kind].count == 0)
			return (struct number_list){0};
		for (size_t k = 0; !known && k < machines.count; k++)
			known = linting->kind_of[machines.items[k]] == kind;
		if (!known)
			APPEND(linting->scratch, &machines, machine);
		last = kind;
	}
	return machines;
}

/* One that ends sooner leaves the allow rule its time. */
static bool lasts(const struct lint_rule *other, const struct lint_rule *rule)
{
	return other->rule->until == TIME_NONE ||
	       (rule->rule->until != TIME_NONE && other->rule->until >= rule->rule->until);
}

static bool denied_at(struct linting *linting, struct lint_rule *rule, uint32_t machine, struct lint_rule ***used,
                      size_t *used_count)
{
	const struct refusing *kind = &linting->kinds[linting->kind_of[machine]];
	struct lint_rule **others;
	size_t room = 0, count = 0;

	for (size_t i = 0; i < kind->count; i++)
		room += linting->first[kind->roles[i] + 1] - linting->first[kind->roles[i]];
	others = ARENA_ARRAY(linting->scratch, struct lint_rule *, room);
	for (size_t i = 0; i < kind->count; i++)
		for (size_t k = linting->first[kind->roles[i]]; k < linting->first[kind->roles[i] + 1]; k++) {
			struct lint_rule *other = &linting->rules[k];

			if (lint_is_refusing(other) && other->rule->direction == rule->rule->direction &&
			    lasts(other, rule))
				others[count++] = other;
		}
	return lint_covered(linting, rule, others, count, COVER_BY_ADDRESS, used, used_count);
}

static bool show_denied(struct linting *linting, struct lint_rule *rule, struct lint_rule *by, uint32_t machine,
                        struct str *text)
{
	struct shown shown = {linting, machine, rule->rule->direction == DIRECTION_OUT, stage_of(by), by};

	for (size_t family = 0; family < FAMILIES; family++) {
		struct addr_set whole = lint_whole(family_of(family));

		if (rule->rule->any && lint_show(&shown, rule->heads[family], &whole, text))
			return true;
		for (size_t i = 0; i < rule->rule->peer_count; i++) {
			struct addr_set set =
				lint_peer_set(linting, rule, &rule->rule->peers[i], family_of(family));

			if (set.count > 0 && lint_show(&shown, rule->heads[family], &set, text))
				return true;
		}
	}
	return false;
}

static void tell_denied(struct linting *linting, struct lint_rule *rule, uint32_t machine,
                        struct lint_rule *const *used, size_t count)
{
	struct str packet = STR("");
	bool shown = false;

	for (size_t i = 0; i < count && !shown; i++)
		shown = show_denied(linting, rule, used[i], machine, &packet);
	rule->moot = true;
	lint_find(linting, LINT_DENIED,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, rule),
			  .message = str_format(linting->scratch, "%.*s lets nothing through: on each of its machines "
	                                        "all of it is refused", STR_ARG(lint_rule_words(linting, rule))),
			  .evidence = str_format(linting->scratch, "%.*s%sby %.*s", STR_ARG(packet),
	                                         shown ? " is refused " : "",
	                                         STR_ARG(lint_rules_words(linting, used, count))),
			  .advice = str_format(linting->scratch, "fleetwall rule remove %s, or narrow what refuses it",
	                                       rule->effective->id),
		  });
}

static void check_denied(struct linting *linting, struct lint_rule *rule, const struct number_list *machines)
{
	struct lint_rule **used = NULL;
	size_t used_count = 0;

	if (rule->moot || lint_is_refusing(rule) || machines->count == 0)
		return;
	for (size_t i = machines->count; i-- > 0;)
		if (!denied_at(linting, rule, machines->items[i], &used, &used_count))
			return;
	tell_denied(linting, rule, machines->items[0], used, used_count);
}

void lint_denied_check(struct linting *linting)
{
	find_kinds(linting);
	for (uint32_t role = 0; role < linting->fleet->role_count; role++) {
		struct number_list machines = {0};

		if (linting->first[role + 1] > linting->first[role])
			machines = each_kind(linting, role);
		for (size_t i = linting->first[role]; i < linting->first[role + 1]; i++)
			check_denied(linting, &linting->rules[i], &machines);
	}
}

/* --- a refusing role and an allowing one on the same machine --- */

struct meeting {
	uint32_t refusing, allowing, machine;
};

struct looking {
	struct linting *linting;
	bool *told; /* by rule: of this refusing one it was told what it takes away */
	struct addr_set *refused[FAMILIES]; /* by rule: all that a refusing one speaks of; family 0: not asked yet */
	const struct lint_rule *refusing;
	uint32_t machine;
};

static const struct addr_set *refused_by(const struct looking *looking, size_t family)
{
	struct addr_set *set = &looking->refused[family][looking->refusing - looking->linting->rules];

	if (set->family == 0)
		*set = lint_all_peers(looking->linting, looking->refusing, family_of(family));
	return set;
}

/* Of one family: the peer's addresses are all refused, for all that the rule allows; *some: it has any. */
static bool is_cut(const struct looking *looking, const struct lint_rule *rule, const struct peer *peer, size_t family,
                   bool *some)
{
	struct addr_set theirs = lint_peer_set(looking->linting, rule, peer, family_of(family));

	if (packets_empty(rule->heads[family]) || theirs.count == 0)
		return true;
	*some = true;
	return packets_within(rule->heads[family], looking->refusing->heads[family]) &&
	       lint_set_within(&theirs, refused_by(looking, family));
}

static void tell_cut(const struct looking *looking, const struct lint_rule *rule, const struct peer *peer)
{
	struct linting *linting = looking->linting;
	const struct lint_rule *by = looking->refusing;
	struct shown shown = {linting, looking->machine, rule->rule->direction == DIRECTION_OUT, stage_of(by), by};
	struct buf name = buf_new(linting->scratch);
	struct str packet;
	bool found = false;

	peer_print(&name, peer);
	for (size_t family = 0; family < FAMILIES && !found; family++) {
		struct addr_set set = lint_peer_set(linting, rule, peer, family_of(family));

		found = set.count > 0 && lint_show(&shown, rule->heads[family], &set, &packet);
	}
	if (!found)
		return;
	looking->told[by - linting->rules] = true;
	lint_find(linting, LINT_CUT_ROLE,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, by),
			  .detail = str_format(linting->scratch, "%.*s %s", STR_ARG(buf_str(&name)),
	                                       rule->effective->id),
			  .message = str_format(linting->scratch, "%.*s refuses all of %.*s, which %.*s (%s) allows",
	                                        STR_ARG(lint_rule_words(linting, by)), STR_ARG(buf_str(&name)),
	                                        STR_ARG(lint_rule_words(linting, rule)), rule->effective->id),
			  .evidence = str_format(linting->scratch, "%.*s: this rule %s it", STR_ARG(packet), takes(by)),
			  .advice = STR("narrow the one that refuses, or take the role out of the one that allows"),
		  });
}

static void check_cut(const struct looking *looking, const struct lint_rule *rule)
{
	for (size_t i = 0; i < rule->rule->peer_count; i++) {
		const struct peer *peer = &rule->rule->peers[i];
		bool some = false, cut = true;

		if (peer->kind != PEER_ROLE && peer->kind != PEER_SELF)
			continue;
		for (size_t family = 0; cut && family < FAMILIES; family++)
			cut = is_cut(looking, rule, peer, family, &some);
		if (cut && some)
			tell_cut(looking, rule, peer);
	}
}

/* Of these addresses, some that are refused as well. */
static bool show_some(const struct looking *looking, struct packets heads, const struct addr_set *allowed, bool out,
                      struct str *packet)
{
	struct shown shown = {looking->linting, looking->machine, out, stage_of(looking->refusing), looking->refusing};
	struct arena *pass = arena_new();
	struct addr_set both = addr_set_and(pass, refused_by(looking, allowed->family == FAMILY_6), allowed);
	bool is = both.count > 0 && lint_show(&shown, heads, &both, packet);

	arena_free(pass);
	return is;
}

static bool show_family(const struct looking *looking, const struct lint_rule *rule, size_t family, struct str *packet)
{
	struct packets heads = packets_and(rule->heads[family], looking->refusing->heads[family]);
	struct addr_set allowed = lint_whole(family_of(family));
	bool out = rule->rule->direction == DIRECTION_OUT;

	if (packets_empty(heads))
		return false;
	if (rule->rule->any)
		return show_some(looking, heads, &allowed, out, packet);
	for (size_t i = 0; i < rule->rule->peer_count; i++) {
		allowed = lint_peer_set(looking->linting, rule, &rule->rule->peers[i], family_of(family));
		if (show_some(looking, heads, &allowed, out, packet))
			return true;
	}
	return false;
}

static void check_taken(const struct looking *looking, const struct lint_rule *rule)
{
	struct linting *linting = looking->linting;
	const struct lint_rule *by = looking->refusing;
	size_t mark = packets_mark();
	struct str packet;
	bool found = show_family(looking, rule, 0, &packet) || show_family(looking, rule, 1, &packet);

	packets_release(mark);
	if (!found)
		return;
	looking->told[by - linting->rules] = true;
	lint_find(linting, LINT_PARTLY_DENIED,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, by),
			  .message = str_format(linting->scratch, "%.*s takes away some of what is allowed",
	                                        STR_ARG(lint_rule_words(linting, by))),
			  .evidence = str_format(linting->scratch, "%.*s: this rule %s what %.*s (%s) allows",
	                                         STR_ARG(packet), takes(by), STR_ARG(lint_rule_words(linting, rule)),
	                                         rule->effective->id),
			  .advice = STR("nothing, if that is what it is for"),
		  });
}

/* --- all that meet --- */

struct meetings {
	struct meeting *items;
	size_t count, capacity;
	struct names *known;
};

static void note_meeting(struct linting *linting, struct meetings *meetings, struct meeting meeting)
{
	uint32_t key[] = {meeting.refusing, meeting.allowing};

	if (names_add(meetings->known, (struct str){(const char *)key, sizeof key}) == meetings->count)
		APPEND(linting->scratch, meetings, meeting);
}

/* On machines that refuse: one that is watched, or not managed, refuses nothing. */
static struct meetings find_meetings(struct linting *linting)
{
	struct meetings meetings = {.known = names_new(linting->scratch)};

	for (uint32_t i = 0; i < linting->fleet->machine_count; i++) {
		const struct machine *machine = &linting->fleet->machines[i];
		const struct resolved_machine *held = &linting->resolved->machines[i];
		const struct refusing *kind = &linting->kinds[linting->kind_of[i]];

		if (!machine->enabled || machine->enforcement != ENFORCEMENT_ENFORCE)
			continue;
		for (size_t k = 0; k < kind->count; k++)
			for (size_t m = 0; m < held->role_count; m++)
				if (linting->first[held->roles[m] + 1] > linting->first[held->roles[m]])
					note_meeting(linting, &meetings,
					             (struct meeting){kind->roles[k], held->roles[m], i});
	}
	return meetings;
}

static void each_pair(struct looking *looking, const struct meeting *meeting,
                      void (*check)(const struct looking *looking, const struct lint_rule *rule), bool again)
{
	struct linting *linting = looking->linting;

	for (size_t i = linting->first[meeting->refusing]; i < linting->first[meeting->refusing + 1]; i++) {
		looking->refusing = &linting->rules[i];
		looking->machine = meeting->machine;
		if (!lint_is_refusing(looking->refusing) || looking->refusing->moot)
			continue;
		for (size_t k = linting->first[meeting->allowing]; k < linting->first[meeting->allowing + 1]; k++) {
			const struct lint_rule *rule = &linting->rules[k];

			if (!lint_is_refusing(rule) && !rule->moot &&
			    rule->rule->direction == looking->refusing->rule->direction &&
			    (again || !looking->told[i]))
				check(looking, rule);
		}
	}
}

void lint_deny_check(struct linting *linting)
{
	struct meetings meetings = find_meetings(linting);
	struct looking looking = {
		.linting = linting,
	};
	size_t rules = linting->first[linting->fleet->role_count];

	looking.told = ARENA_ARRAY(linting->scratch, bool, rules);
	for (size_t i = 0; i < FAMILIES; i++)
		looking.refused[i] = ARENA_ARRAY(linting->scratch, struct addr_set, rules);

	for (size_t i = 0; i < meetings.count; i++)
		each_pair(&looking, &meetings.items[i], check_cut, true);
	for (size_t i = 0; i < meetings.count; i++)
		each_pair(&looking, &meetings.items[i], check_taken, false);
}
