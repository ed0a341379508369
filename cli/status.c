/* status: what every machine has, what it was offered, and what is wrong. Reads the ledger and what is published;
 * contacts no machine. */
#include "fleetwall/rule.h"

#include "push.h"

enum condition {
	CONDITION_CURRENT,   /* it confirmed what is published for it */
	CONDITION_BEHIND,    /* something else */
	CONDITION_NEVER,     /* nothing yet */
	CONDITION_FAILED,    /* the last attempt went wrong, and will not mend itself */
	CONDITION_FROZEN,
	CONDITION_UNMANAGED, /* nothing is published for it */
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
	case CONDITION_UNMANAGED:
		return "unmanaged";
	}
	return "";
}

static enum condition judge(const struct machine_state *state, const struct position *position)
{
	if (position == NULL)
		return CONDITION_UNMANAGED;
	if (state->frozen.n > 0)
		return CONDITION_FROZEN;
	if (state->needs_person)
		return CONDITION_FAILED;
	if (state->confirmed.generation == 0)
		return CONDITION_NEVER;
	return digest_eq(&state->confirmed.position, &position->digest) ? CONDITION_CURRENT : CONDITION_BEHIND;
}

/* Not what is published, and the last attempt to change that went wrong. */
static bool is_wrong(const struct machine_state *state, enum condition condition)
{
	bool lacks = condition == CONDITION_BEHIND || condition == CONDITION_NEVER;

	return state->needs_person || (lacks && state->error.n > 0);
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
                                          "before",   "failure",  "machine_id", "needs_person", "frozen"};
enum { COLUMNS = 8, ALL_COLUMNS = 15 };

static struct str why(struct run *run, const struct machine_state *state)
{
	return state->error.n + state->frozen.n > 0 ? push_trouble(run->arena, state) : STR("");
}

static void write_row(struct run *run, const struct machine_state *state, enum condition condition)
{
	const struct cell cells[ALL_COLUMNS] = {
		cell_text(state->machine),
		cell_text(str_of(condition_name(condition))),
		cell_positive(state->confirmed.generation),
		time_cell(run, state->confirmed.at),
		cell_positive(state->offered.generation),
		cell_number(state->attempts),
		time_cell(run, state->error_at),
		cell_some(why(run, state)),
		time_cell(run, state->offered.at),
		digest_cell(run, &state->confirmed),
		cell_positive(state->before.generation),
		cell_some(state->error_kind),
		cell_some(state->machine_id),
		cell_bool(state->needs_person),
		cell_some(state->frozen),
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
	TRY(positions_all(positions, &published->positions));
	published->manifest = positions_generation(positions)->manifest;
	published->count = positions_generation(positions)->machine_count;
	return NULL;
}

/* Both are in the order of names: the next one that is asked for comes later. */
static const struct position *position_of(struct published *published, struct str machine)
{
	size_t *at = &published->next;

	while (*at < published->count && str_cmp(published->manifest[*at].name, machine) < 0)
		++*at;
	return *at < published->count && str_eq(published->manifest[*at].name, machine) ? published->positions[*at]
	                                                                                  : NULL;
}

static struct error *list(struct run *run, const struct machine_state *states, size_t count)
{
	bool open = run_has(run, "open"), json = writer_is_json(run->writer);
	struct published published;

	TRY(read_published(run, &published));
	writer_columns(run->writer, LAYOUT_TABLE, json ? all_columns : columns, json ? ALL_COLUMNS : COLUMNS);
	for (size_t i = 0; i < count; i++) {
		enum condition condition = judge(&states[i], position_of(&published, states[i].machine));

		run->no = run->no || is_wrong(&states[i], condition);
		if (!open || (condition != CONDITION_CURRENT && condition != CONDITION_UNMANAGED))
			write_row(run, &states[i], condition);
	}
	return NULL;
}

struct error *run_status(struct run *run)
{
	const struct selection selection = push_words(run);
	struct machine_state *states;
	struct str *names;
	size_t count;

	TRY(run_connect(run));
	TRY(push_select(run->arena, run->db, &selection, &names, &count));
	TRY(ledger_machines(run->arena, run->db, names, count, &states, &count));
	TRY(say_halt(run));
	TRY(say_run(run));
	return list(run, states, count);
}
