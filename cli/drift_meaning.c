/* Drift by packets: rules that differ by their text are read, as is what the machine should have, and both are
 * compared. What does the same is only spelled otherwise; of the rest it is told what it opens and closes. What can't
 * be read, or judged, stays as it was found by text. */
#include <stdlib.h>

#include "fleetwall/difference.h"

#include "push.h"

static const struct str files[2] = {{"rules.v4", 8}, {"rules.v6", 8}};

/* A set of the machine that holds other members, as a set file. */
struct live {
	struct digest digest;
	struct str text;
};

struct meaning {
	struct arena *arena;
	struct str output;
	const struct position *position;
	struct str read; /* what the machine has */
	struct difference_pair pair;
	struct {
		struct live *items;
		size_t count, capacity;
	} lives;
};

/* --- rules --- */

static bool is_ours(struct str line)
{
	return str_starts(line, STR(":fleetwall")) || str_starts(line, STR("-A fleetwall")) ||
	       str_starts(line, STR("*")) || str_is(line, "COMMIT");
}

/* Beside others' chains only ours count. */
static struct str only_ours(struct arena *arena, struct str text)
{
	struct buf buf = buf_new(arena);
	struct str line;

	while (str_cut(&text, '\n', &line))
		if (is_ours(line))
			buf_format(&buf, "%.*s\n", STR_ARG(line));
	return buf_str(&buf);
}

/* A table that was never touched is not printed. */
static struct str empty_table(bool exclusive)
{
	return exclusive ? STR("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n")
	                 : STR("*filter\nCOMMIT\n");
}

static struct error *take_rules(struct meaning *meaning)
{
	bool exclusive = meaning->position->mode == POSITION_EXCLUSIVE;
	struct difference_pair *pair = &meaning->pair;
	struct str list;

	TRY(store_read_ruleset(meaning->arena, meaning->output, &meaning->position->ruleset, pair->rules[0], &list));
	for (size_t six = 0; six < 2; six++) {
		struct str *live = &pair->rules[1][six];

		*live = pair->rules[0][six];
		if (drift_section(meaning->arena, meaning->read, files[six], live) && !exclusive)
			*live = only_ours(meaning->arena, *live);
		if (str_trim(*live).n == 0)
			*live = empty_table(exclusive);
	}
	return NULL;
}

/* --- sets --- */

static int entry_order(const void *a, const void *b)
{
	return str_cmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* "web-dc6e60f51867.v4" is fw4-web-dc6e60f51867. */
static struct str ipset_of(struct arena *arena, struct str file)
{
	return str_format(arena, "fw%c-%.*s", file.p[file.n - 1], STR_ARG(str_slice(file, 0, file.n - 3)));
}

static struct str set_text(struct arena *arena, struct str name, struct str members)
{
	struct buf buf = buf_new(arena);
	struct str line;

	buf_format(&buf, "create %.*s hash:net family %s\n", STR_ARG(name), name.p[2] == '6' ? "inet6" : "inet");
	while (str_cut(&members, '\n', &line))
		if (str_trim(line).n > 0)
			buf_format(&buf, "add %.*s %.*s\n", STR_ARG(name), STR_ARG(str_trim(line)));
	return buf_str(&buf);
}

/* Where the machine was asked for the members. */
static void take_live(struct meaning *meaning, struct entry *entry)
{
	struct arena *arena = meaning->arena;
	struct str name = ipset_of(arena, entry->name), members;
	struct live live;

	if (!drift_section(arena, meaning->read, name, &members))
		return;
	live.text = set_text(arena, name, members);
	live.digest = digest_of(live.text);
	entry->digest = live.digest;
	APPEND(arena, &meaning->lives, live);
}

static void take_sets(struct meaning *meaning)
{
	const struct position *position = meaning->position;
	struct difference_pair *pair = &meaning->pair;

	for (size_t side = 0; side < 2; side++) {
		struct entry *sets = ARENA_ARRAY(meaning->arena, struct entry, position->set_count);

		for (size_t i = 0; i < position->set_count; i++)
			sets[i] = position->sets[i];
		if (position->set_count > 1)
			qsort(sets, position->set_count, sizeof *sets, entry_order);
		pair->sets[side] = sets;
		pair->set_count[side] = position->set_count;
	}
}

static struct error *read_set(void *context, struct arena *arena, const struct digest *digest, struct str *bytes)
{
	const struct meaning *meaning = context;

	for (size_t i = 0; i < meaning->lives.count; i++)
		if (digest_eq(&meaning->lives.items[i].digest, digest)) {
			*bytes = meaning->lives.items[i].text;
			return NULL;
		}
	return store_read_set(arena, meaning->output, digest, bytes);
}

/* --- judging --- */

struct drifts {
	struct drift *items;
	size_t count, capacity;
};

/* "3306/tcp to 10.2.0.0/16, ::/0" */
static void add_group(struct arena *arena, struct drifts *drifts, const struct difference_group *group)
{
	struct drift drift = {.kind = group->change == DIFFERENCE_OPENS ? DRIFT_OPENS : DRIFT_CLOSES};

	drift.line = difference_group_str(arena, group);
	APPEND(arena, drifts, drift);
}

/* After the rules alone: with what the sets hold there. */
static void tell_packets(struct meaning *meaning, struct drifts *drifts)
{
	struct difference *difference = difference_new(meaning->arena, read_set, meaning);
	struct difference_group *groups;
	size_t count;

	for (size_t i = 0; i < meaning->pair.set_count[1]; i++)
		take_live(meaning, &meaning->pair.sets[1][i]);
	if (difference_add(meaning->arena, difference, &meaning->pair) != NULL)
		return;
	count = difference_groups(difference, &groups);
	for (size_t i = 0; i < count; i++)
		if (groups[i].change != DIFFERENCE_OTHER)
			add_group(meaning->arena, drifts, &groups[i]);
}

static bool is_of_rules(enum drift_kind kind)
{
	return kind == DRIFT_RULE_MISSING || kind == DRIFT_RULE_EXTRA || kind == DRIFT_RULE_ORDER ||
	       kind == DRIFT_POLICY || kind == DRIFT_CHAIN;
}

static bool is_spelling(const struct drift *drift, const bool same[2])
{
	return is_of_rules(drift->kind) &&
	       ((same[0] && str_eq(drift->file, files[0])) || (same[1] && str_eq(drift->file, files[1])));
}

/* Findings first, then what they come to, then what is none. */
static void sort_out(struct meaning *meaning, const struct drift *found, size_t count, const bool same[2],
                     struct drifts *drifts)
{
	struct arena *arena = meaning->arena;

	for (size_t i = 0; i < count; i++)
		if (!is_spelling(&found[i], same))
			APPEND(arena, drifts, found[i]);
	if (drifts->count > 0)
		tell_packets(meaning, drifts);
	for (size_t i = 0; i < count; i++)
		if (is_spelling(&found[i], same)) {
			APPEND(arena, drifts, found[i]);
			drifts->items[drifts->count - 1].kind = DRIFT_SPELLING;
		}
}

static bool has_packets(const struct drift *drifts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_of_rules(drifts[i].kind) || drifts[i].kind == DRIFT_MEMBER_MISSING ||
		    drifts[i].kind == DRIFT_MEMBER_EXTRA)
			return true;
	return false;
}

static struct error *judge(struct meaning *meaning, bool same[2])
{
	struct difference *difference = difference_new(meaning->arena, read_set, meaning);

	TRY(take_rules(meaning));
	take_sets(meaning);
	return difference_same(meaning->arena, difference, &meaning->pair, same);
}

void drift_judge(struct arena *arena, struct str output, const struct position *position, struct str read,
                 struct drift **found, size_t *count)
{
	struct meaning meaning = {.arena = arena, .output = output, .position = position, .read = read};
	struct drifts drifts = {0};
	bool same[2] = {false, false};

	if (!has_packets(*found, *count))
		return;
	packets_begin();
	packets_bound(PACKETS_WORK_MOST); /* past it, the findings as they are */
	if (judge(&meaning, same) == NULL) {
		sort_out(&meaning, *found, *count, same, &drifts);
		*found = drifts.items;
		*count = drifts.count;
	}
	packets_end();
}
