/* status: what every machine has, what it was offered, and what is wrong. Reads the ledger and what is published;
 * contacts no machine. */
#include "fleetwall/rule.h"

#include "kept.h"
#include "push.h"

enum condition {
	CONDITION_CURRENT,   /* it confirmed what is published for it */
	CONDITION_BEHIND,    /* something else */
	CONDITION_NEVER,     /* nothing yet */
	CONDITION_FAILED,    /* the last attempt went wrong, and will not mend itself */
	CONDITION_FROZEN,
	CONDITION_DRIFTED,   /* it was seen to have something else than it confirmed */
	CONDITION_UNPUBLISHED, /* nothing is published for it, though it is to have a ruleset */
	CONDITION_UNMANAGED, /* it is to have none: unmanaged, disabled, or not in the inventory */
};

static const char *condition_name(enum condition condition)
{
	switch (condition) {
	case CONDITION_CURRENT:
		return "current";
	case CONDITION_BEHIND:
		return "behind";
	case CONDITION_NEVER:
		return "never pushed";
	case CONDITION_FAILED:
		return "failed";
	case CONDITION_FROZEN:
		return "frozen";
	case CONDITION_DRIFTED:
		return "drifted";
	case CONDITION_UNPUBLISHED:
		return "not published";
	case CONDITION_UNMANAGED:
		return "unmanaged";
	}
	return "";
}

static enum condition judge(const struct machine_state *state, bool published, const struct position *position)
{
	if (!published)
		return state->managed ? CONDITION_UNPUBLISHED : CONDITION_UNMANAGED;
	if (state->frozen.n > 0)
		return CONDITION_FROZEN;
	if (state->needs_person)
		return CONDITION_FAILED;
	if (state->confirmed.generation == 0)
		return CONDITION_NEVER;
	if (state->drift.n > 0)
		return CONDITION_DRIFTED;
	/* One whose published ruleset is damaged has something else, for all that can be told. */
	return position != NULL && digest_eq(&state->confirmed.position, &position->digest) ? CONDITION_CURRENT
	                                                                                    : CONDITION_BEHIND;
}

static bool needs_person(const struct machine_state *state)
{
	return state->needs_person || state->drift.n > 0;
}

/* Not what is published, and the last attempt to change that went wrong; or not what it confirmed. */
static bool is_wrong(const struct machine_state *state, enum condition condition)
{
	bool lacks = condition == CONDITION_BEHIND || condition == CONDITION_NEVER;

	return needs_person(state) || (lacks && state->error.n > 0);
}

/* --- rows --- */

static struct cell time_cell(struct run *run, int64_t at)
{
	struct buf text = buf_new(run->arena);

	if (at == 0)
		return cell_null();
	time_print(&text, at);
	return cell_text(buf_str(&text));
}

static struct cell digest_cell(struct run *run, const struct held *held)
{
	char hex[65];

	if (held->generation == 0)
		return cell_null();
	digest_hex(&held->ruleset, hex);
	return cell_text(str_copy(run->arena, str_of(hex)));
}

static const char *const columns[] = {"machine",  "state",    "confirmed", "confirmed_at", "offered",
                                      "attempts", "error_at", "why"};
static const char *const all_columns[] = {"machine",  "state",    "confirmed", "confirmed_at", "offered",
                                          "attempts", "error_at", "why",       "offered_at",   "ruleset",
                                          "before",   "failure",  "machine_id", "needs_person", "frozen",
                                          "drift",    "drifted_at"};
enum { COLUMNS = 8, ALL_COLUMNS = 17 };

static struct str drift_words(struct run *run, const struct machine_state *state)
{
	struct buf words = buf_new(run->arena);

	buf_add(&words, STR("seen at "));
	time_print(&words, state->drift_at);
	buf_add(&words, str_format(run->arena, ": %.*s", STR_ARG(state->drift)));
	if (state->frozen.n == 0)
		buf_add(&words, str_format(run->arena, "; fleetwall drift --mend %.*s", STR_ARG(state->machine)));
	return buf_str(&words);
}

/* What keeps nightly from it, as far as the ledger knows: whether it opens anything is only known once it looked. */
static struct error *held_back(struct run *run, struct str *words)
{
	uint64_t current = store_current(run->config.output);
	bool approved = true;

	*words = STR("");
	if (run->config.nightly_push != NIGHTLY_PUSH_APPROVED || current == 0)
		return NULL;
	TRY(ledger_approved(run->arena, run->db, current, &approved));
	if (!approved)
		*words = str_format(run->arena, "if it opens something, nightly waits for: fleetwall approve %llu",
		                    (unsigned long long)current);
	return NULL;
}

static struct str why(struct run *run, const struct machine_state *state, struct str held)
{
	struct str trouble = held, drift;

	if (state->error.n + state->frozen.n > 0)
		trouble = push_trouble(run->arena, state);
	if (state->drift.n == 0)
		return trouble;
	drift = drift_words(run, state);
	return str_format(run->arena, "%.*s%s%.*s", STR_ARG(trouble), trouble.n > 0 ? "; " : "", STR_ARG(drift));
}

static void write_row(struct run *run, const struct machine_state *state, enum condition condition, struct str held)
{
	bool waits = condition == CONDITION_BEHIND || condition == CONDITION_NEVER;
	const struct cell cells[ALL_COLUMNS] = {
		cell_text(state->machine),
		cell_text(str_of(condition_name(condition))),
		cell_positive(state->confirmed.generation),
		time_cell(run, state->confirmed.at),
		cell_positive(state->offered.generation),
		cell_number(state->attempts),
		time_cell(run, state->error_at),
		cell_some(why(run, state, waits ? held : STR(""))),
		time_cell(run, state->offered.at),
		digest_cell(run, &state->confirmed),
		cell_positive(state->before.generation),
		cell_some(state->error_kind),
		cell_some(state->machine_id),
		cell_bool(needs_person(state)),
		cell_some(state->frozen),
		cell_some(state->drift),
		time_cell(run, state->drift_at),
	};

	writer_row(run->writer, cells);
}

/* --- what goes before and after the rows --- */

static struct error *say_halt(struct run *run)
{
	struct str reason, who;
	struct buf when = buf_new(run->arena);
	int64_t at;

	TRY(ledger_halted(run->arena, run->db, &reason, &who, &at));
	if (reason.n == 0)
		return NULL;
	time_print(&when, at);
	error_collect(&run->warnings, error_hint(error_new(ERROR_GUARD, "pushing is halted since %.*s, by %.*s: %.*s",
	                                                   (int)when.n, when.p, STR_ARG(who), STR_ARG(reason)),
	                                         "fleetwall push --resume goes on"));
	return NULL;
}

static struct error *say_run(struct run *run)
{
	struct push_run_info info;

	TRY(ledger_open_run(run->arena, run->db, &info));
	if (info.number > 0)
		writer_say(run->writer,
		           "push %llu of generation %llu %s%.*s%s: wave %u of %u; %zu confirmed, %zu failed, %zu "
		           "running, %zu waiting",
		           (unsigned long long)info.number, (unsigned long long)info.generation,
		           info.state == RUN_STOPPED ? "was stopped (" : "is open", STR_ARG(info.reason),
		           info.state == RUN_STOPPED ? ")" : "",
		           info.wave + 1, info.waves, info.confirmed, info.failed, info.claimed, info.waiting);
	return NULL;
}

/* What is published, by machine; nothing where nothing is. */
struct published {
	const struct entry *manifest;
	const struct position **positions;
	size_t count, next;
};

static struct error *read_published(struct run *run, struct published *published)
{
	uint64_t current = store_current(run->config.output);
	struct positions *positions;

	*published = (struct published){0};
	if (current == 0)
		return NULL;
	TRY(positions_open(run->arena, run->config.output, current, &positions));
	published->positions = positions_all(positions);
	published->manifest = positions_generation(positions)->manifest;
	published->count = positions_generation(positions)->machine_count;
	return NULL;
}

/* Both are in the order of names: the next one that is asked for comes later. False: nothing is published for it. *of
 * NULL: it is damaged. */
static bool position_of(struct published *published, struct str machine, const struct position **of)
{
	size_t *at = &published->next;

	while (*at < published->count && str_cmp(published->manifest[*at].name, machine) < 0)
		++*at;
	if (*at == published->count || !str_eq(published->manifest[*at].name, machine))
		return false;
	*of = published->positions[*at];
	return true;
}

static struct error *list(struct run *run, const struct machine_state *states, size_t count)
{
	bool open = run_has(run, "open"), json = writer_is_json(run->writer);
	struct published published;
	struct str held;

	TRY(read_published(run, &published));
	TRY(held_back(run, &held));
	writer_columns(run->writer, LAYOUT_TABLE, json ? all_columns : columns, json ? ALL_COLUMNS : COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const struct position *position = NULL;
		bool known = position_of(&published, states[i].machine, &position);
		enum condition condition = judge(&states[i], known, position);

		run->no = run->no || is_wrong(&states[i], condition);
		if (!open || (condition != CONDITION_CURRENT && condition != CONDITION_UNMANAGED))
			write_row(run, &states[i], condition, held);
	}
	return NULL;
}

struct error *run_status(struct run *run)
{
	struct machine_state *states;
	size_t count;

	TRY(push_states(run, &states, &count));
	TRY(say_halt(run));
	TRY(say_run(run));
	TRY(kept_warn_of_changes(run));
	return list(run, states, count);
}
