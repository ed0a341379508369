/* Has a machine what it confirmed? Its rules, its sets, what it loads at boot, and whether something still waits to be
 * confirmed. Says what differs, line by line; mends nothing. */
#include "drift_parts.h"
#include "fleetwall/arena.h"

enum { LINE_MOST = 4096 };

/* What a machine says goes to terminals and into documents: it is as long as a rule may be, and plain ASCII, as all is
 * that we write there ourselves. */
static struct str printable(struct arena *arena, struct str text)
{
	struct str kept = str_slice(text, 0, LINE_MOST);
	char *copy;
	size_t plain = 0;

	while (plain < kept.n && kept.p[plain] >= ' ' && kept.p[plain] < 0x7f)
		plain++;
	if (plain == kept.n)
		return kept;
	copy = arena_alloc(arena, kept.n);
	for (size_t i = 0; i < kept.n; i++)
		copy[i] = kept.p[i] >= ' ' && kept.p[i] < 0x7f ? kept.p[i] : '?';
	return (struct str){copy, kept.n};
}

void drift_add(struct arena *arena, struct drift_list *list, enum drift_kind kind, struct str file, struct str line,
               unsigned number)
{
	struct drift drift = {
		.kind = kind,
		.file = printable(arena, file),
		.line = printable(arena, line),
		.number = number,
	};

	APPEND(arena, list, drift);
}

struct str drift_kind_str(enum drift_kind kind)
{
	switch (kind) {
	case DRIFT_RULE_MISSING:
		return STR("rule missing");
	case DRIFT_RULE_EXTRA:
		return STR("rule extra");
	case DRIFT_RULE_ORDER:
		return STR("rule moved");
	case DRIFT_POLICY:
		return STR("policy");
	case DRIFT_CHAIN:
		return STR("chain");
	case DRIFT_JUMP:
		return STR("jump");
	case DRIFT_SET_MISSING:
		return STR("set missing");
	case DRIFT_SET_EXTRA:
		return STR("set extra");
	case DRIFT_MEMBER_MISSING:
		return STR("member missing");
	case DRIFT_MEMBER_EXTRA:
		return STR("member extra");
	case DRIFT_BOOT:
		return STR("boot");
	case DRIFT_PENDING:
		return STR("pending");
	case DRIFT_OTHER:
		return STR("other");
	case DRIFT_OPENS:
		return STR("opens");
	case DRIFT_CLOSES:
		return STR("closes");
	case DRIFT_SPELLING:
		return STR("spelled otherwise");
	}
	return STR("");
}

static bool is_digest(struct str text, const struct digest *digest)
{
	struct digest found;

	return digest_parse(text, &found) && digest_eq(&found, digest);
}

/* What the machine loads at boot is what it confirmed last: by its name, by its bytes, and at all. */
static void compare_boot(struct arena *arena, const struct position *position, const struct host_read *read,
                         struct drift_list *list)
{
	struct str found = host_status(read, "position"), hook = host_status(read, "boot");

	if (!is_digest(found, &position->digest))
		drift_add(arena, list, DRIFT_BOOT, STR("position"), found.n > 0 ? found : STR("nothing"), 0);
	else if (!is_digest(host_status(read, "ruleset"), &position->ruleset))
		drift_add(arena, list, DRIFT_BOOT, STR("ruleset"), STR("the files for boot were changed"), 0);
	if (hook.n == 0 || str_is(hook, "no"))
		drift_add(arena, list, DRIFT_BOOT, STR("boot"), STR("nothing loads it at boot"), 0);
}

static void compare_status(struct arena *arena, const struct position *position, const struct host_read *read,
                           struct drift_list *list)
{
	struct str pending = host_status(read, "pending");

	if (pending.n > 0)
		drift_add(arena, list, DRIFT_PENDING, STR("pending"), pending, 0);
	compare_boot(arena, position, read, list);
}

struct error *drift_compare(struct arena *arena, struct str output, const struct position *position, struct str text,
                            struct drift **drifts, size_t *count)
{
	static const struct str files[] = {{"rules.v4", 8}, {"rules.v6", 8}};
	struct drift_list list = {0};
	struct host_read read;
	struct str rules[DRIFT_FAMILIES], sets_list;

	*drifts = NULL;
	*count = 0;
	TRY(host_read_parse(arena, text, &read));
	TRY(store_read_ruleset(arena, output, &position->ruleset, rules, &sets_list));
	for (size_t i = 0; i < DRIFT_FAMILIES; i++) {
		const struct host_section *theirs = host_section(&read, files[i]);

		/* A kernel without IPv6 has no such section. */
		if (theirs != NULL)
			drift_rules(arena, position->mode, files[i], rules[i], theirs->text, &list);
	}
	TRY(drift_sets(arena, output, position, &read, &list));
	compare_status(arena, position, &read, &list);
	*drifts = list.items;
	*count = list.count;
	return NULL;
}
