/* Who changed what between two generations, so that packets fare otherwise: the changes of the history that one of them
 * saw and the other did not, and that can be the cause of a group. One alone is the cause; of several all are told, and
 * which of them it was is not known. Where the inventories of both are not of the history, nothing is said. */
#include "diff.h"

#include "cause.h"

enum { GROUPS = 300, TOLD = 5, MACHINES = 5 };

struct asking {
	struct diff *diff;
	struct cause_wanted wanted;
};

static void ask_for_member(struct asking *asking, struct str role, struct str machine)
{
	cause_want(&asking->wanted, "member", role, machine);
	cause_want(&asking->wanted, "machine", machine, cause_no_more);
}

/* Its rule came or went; else the machines came to have the role, or no longer have it. */
static void ask_for_rule(struct asking *asking, const struct difference_group *group,
                         const struct diff_machines *machines, bool of_rule)
{
	size_t blank = str_find(group->rule, ' ');
	struct str role = str_slice(group->rule, 0, blank);

	if (of_rule) {
		cause_want(&asking->wanted, "rule", group->rule, cause_no_more);
		return;
	}
	cause_want(&asking->wanted, "role", role, cause_no_more);
	for (size_t i = 0; i < machines->count && i < MACHINES; i++)
		ask_for_member(asking, role, machines->items[i]);
}

/* Who came into the set, or left it, by what the set is of. */
static void ask_for_set(struct asking *asking, const struct difference_group *group)
{
	struct str peer = diff_set_peer(asking->diff, group), *names;
	size_t colon = str_find(peer, ':'), count = diff_peer_names(asking->diff, group, &names);
	struct str kind = str_slice(peer, 0, colon), name = str_slice(peer, colon + 1, peer.n);

	name = str_slice(name, 0, str_find(name, '/'));
	if (str_is(kind, "network"))
		cause_want(&asking->wanted, "prefix", name, cause_no_more);
	if (str_is(kind, "machine")) {
		cause_want(&asking->wanted, "address", name, cause_no_more);
		cause_want(&asking->wanted, "machine", name, cause_no_more);
	}
	if (!str_is(kind, "role"))
		return;
	cause_want(&asking->wanted, "role", name, cause_no_more);
	for (size_t i = 0; i < count && i < MACHINES; i++) {
		ask_for_member(asking, name, names[i]);
		cause_want(&asking->wanted, "address", names[i], cause_no_more);
	}
}

static void ask_for_egress(struct asking *asking, struct str name)
{
	const struct diff *diff = asking->diff;
	const struct machine *machine = fleet_machine(diff->fleet, name);

	cause_want(&asking->wanted, "member", STR("*"), name);
	if (machine == NULL)
		return;
	const struct resolved_machine *has = &diff->resolved->machines[machine - diff->fleet->machines];

	for (size_t i = 0; i < has->role_count; i++)
		cause_want(&asking->wanted, "role", diff->fleet->roles[has->roles[i]].name, cause_no_more);
}

static void ask_for_group(struct asking *asking, const struct difference_group *group, bool of_rule)
{
	const struct diff_machines machines = diff_group_machines(asking->diff, group);

	switch (group->cause) {
	case CAUSE_NONE:
		return;
	case CAUSE_RULE_CAME:
	case CAUSE_RULE_WENT:
		ask_for_rule(asking, group, &machines, of_rule);
		return;
	case CAUSE_SET_GREW:
	case CAUSE_SET_SHRANK:
		ask_for_set(asking, group);
		return;
	case CAUSE_ENFORCEMENT:
	case CAUSE_MODE:
		for (size_t i = 0; i < machines.count && i < MACHINES; i++)
			cause_want(&asking->wanted, "machine", machines.items[i], cause_no_more);
		return;
	case CAUSE_EGRESS:
		ask_for_egress(asking, machines.items[0]);
		return;
	}
}

/* --- the history --- */

/* Of what a generation was made from; `known`: now, or the database has it. */
static struct error *snapshot_of(struct diff *diff, size_t side, struct str *snapshot, bool *known)
{
	const struct generation *generation = &diff->generations[side];
	struct str parameters[2];
	struct db_rows rows;
	char hex[65];

	*snapshot = (struct str){NULL, 0};
	*known = side == 1 && generation->number == 0;
	if (*known)
		return NULL;
	digest_hex(&generation->digest, hex);
	parameters[0] = str_format(diff->arena, "%llu", (unsigned long long)generation->number);
	parameters[1] = str_of(hex);
	TRY(db_query(diff->arena, diff->run->db, db_sql("generation-snapshot"), parameters, 2, &rows));
	if (rows.count > 0)
		*snapshot = db_cell(&rows, 0, 0);
	*known = snapshot->n > 0;
	return NULL;
}

static void note(struct diff *diff, const struct db_rows *rows)
{
	struct arena *arena = diff->run->arena;

	for (size_t i = 0; i < rows->count; i++) {
		struct diff_changes *changes;
		uint64_t place = 0, all = 0;

		if (!str_number(db_cell(rows, i, 0), GROUPS - 1, &place) ||
		    !str_number(db_cell(rows, i, 8), UINT32_MAX, &all))
			continue;
		changes = &diff->changes[place];
		changes->all = (size_t)all;
		APPEND(arena, changes, cause_of(rows, i));
	}
}

static struct error *ask(struct diff *diff, struct str parameters[4], bool of_rule)
{
	struct asking asking = {.diff = diff, .wanted = {buf_new(diff->arena), 0}};
	struct db_rows rows;

	for (; asking.wanted.place < diff->group_count && asking.wanted.place < GROUPS; asking.wanted.place++)
		if (diff->changes[asking.wanted.place].count == 0)
			ask_for_group(&asking, &diff->groups[asking.wanted.place], of_rule);
	if (asking.wanted.text.n == 0)
		return NULL;
	parameters[0] = buf_str(&asking.wanted.text);
	TRY(db_query(diff->run->arena, diff->run->db, db_sql("diff-cause"), parameters, 4, &rows));
	note(diff, &rows);
	return NULL;
}

struct error *diff_find_changes(struct diff *diff)
{
	struct str parameters[4] = {{NULL, 0}, {NULL, 0}, {NULL, 0}, str_format(diff->arena, "%d", TOLD)};
	bool known[2];

	diff->changes = ARENA_ARRAY(diff->run->arena, struct diff_changes, diff->group_count);
	if (diff->run->db == NULL || diff->fleet == NULL)
		return NULL;
	for (size_t side = 0; side < 2; side++)
		TRY(snapshot_of(diff, side, &parameters[1 + side], &known[side]));
	if (!known[0] || !known[1])
		return NULL;
	TRY(ask(diff, parameters, true));
	return ask(diff, parameters, false);
}

/* --- in words, and for programs --- */

static const struct diff_changes *changes_of(const struct diff *diff, const struct difference_group *group)
{
	static const struct diff_changes none;

	return diff->changes != NULL ? &diff->changes[group - diff->groups] : &none;
}

struct str diff_changes_words(struct diff *diff, const struct difference_group *group)
{
	const struct diff_changes *changes = changes_of(diff, group);
	struct arena *arena = diff->run->arena;

	if (changes->count == 0)
		return STR("");
	if (changes->all == 1)
		return cause_str(arena, &changes->items[0]);
	return str_format(arena, "%zu changes, the latest: %.*s", changes->all,
	                  STR_ARG(cause_str(arena, &changes->items[0])));
}

struct cell diff_changes_cell(struct diff *diff, const struct difference_group *group)
{
	const struct diff_changes *changes = changes_of(diff, group);
	struct cell *cells = ARENA_ARRAY(diff->run->arena, struct cell, changes->count * CAUSE_FIELDS);

	for (size_t i = 0; i < changes->count; i++) {
		struct str values[CAUSE_FIELDS];

		cause_values(&changes->items[i], values);
		for (size_t k = 0; k < CAUSE_FIELDS; k++)
			cells[i * CAUSE_FIELDS + k] = cell_some(values[k]);
	}
	return cell_rows(diff->run->arena, cause_fields, CAUSE_FIELDS, cells, changes->count);
}
