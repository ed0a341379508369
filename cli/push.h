/* What the commands around push share: which machines the words mean, doing a run, telling it. */
#ifndef CLI_PUSH_H
#define CLI_PUSH_H

#include "fleetwall/push.h"

#include "cli.h"

/* The arguments, and what --only names. */
struct selection push_words(struct run *run);
/* The machines that they mean, and what the ledger has of each. Connects. */
struct error *push_machines(struct run *run, struct str **names, size_t *count) MUST_CHECK;
struct error *push_states(struct run *run, struct machine_state **states, size_t *count) MUST_CHECK;

/* --- telling (push_say.c) --- */

enum say_how { SAY_LINES, SAY_TERMINAL, SAY_NOTHING };

struct push_say {
	struct run *run;
	enum say_how how;
	struct arena *scratch;
	struct push_event last; /* of those that count; its strings are not kept */
	size_t before;          /* machines that were done with when it went on */
	uint64_t began, drawn;  /* milliseconds, monotonic */
	struct error *error;    /* of writing */
};
/* A line per event, one line that moves on a terminal, JSON lines under --json; with `quiet` nothing. */
void push_say_open(struct push_say *say, struct run *run, bool quiet);
push_tell push_say_event; /* its context is the struct push_say */
struct error *push_say_close(struct push_say *say) MUST_CHECK;
/* Why a machine needs a person, in one line. */
struct str push_trouble(struct arena *arena, const struct machine_state *state);
/* The machines that need a person, each with why, and what the run came to. */
struct error *push_summary(struct run *run, const struct push_result *result) MUST_CHECK;

/* --- doing (push.c) --- */

struct push_order {
	struct selection selection;
	const struct str *adopt; /* machines whose foreign rules may be replaced */
	size_t adopt_count;
	bool cut;
};
struct push_report {
	bool started; /* false: there was nothing to push */
	size_t unchanged, frozen, unmanaged;
	struct push_result result;
};
/* What a push of what is published would do, with what there is to warn of. run->db is connected. */
struct error *push_order_plan(struct run *run, const struct push_order *order, struct push_plan *plan) MUST_CHECK;
/* Starts a run, or joins one, and works on it. What is pushed is what was planned, whatever was published since. */
struct error *push_plan_do(struct run *run, const struct push_plan *plan, bool quiet,
                           struct push_report *report) MUST_CHECK;
/* Works on a run that is there. */
struct error *push_run_do(struct run *run, uint64_t number, bool quiet, struct push_result *result) MUST_CHECK;

/* Sets run->no for what is left to a person. */
void push_judge(struct run *run, const struct push_result *result);

/* --- looking (drift_look.c) --- */

/* What was found by text, judged by packets (drift_meaning.c): in place of *drifts findings, with what they open and
 * close, and behind them what is only spelled otherwise. As it was, where that can't be judged. */
void drift_judge(struct arena *arena, struct str output, const struct position *position, struct str read,
                 struct drift **drifts, size_t *count);

struct drift_report {
	size_t asked, drifted, silent; /* silent: did not answer */
	size_t judged;                 /* by packets */
	struct str *names;             /* those that drifted */
	size_t name_count;
	struct str *reasons;           /* "web: unreachable: …", of those that are silent */
	struct error *unnoted;         /* why the ledger does not know of it; NULL: it does */
};
/* Asks these machines what they have, compares it with what they confirmed, writes a row for each difference, and notes
 * in the ledger what was found. `rows` false: only counts and names. */
struct error *drift_look(struct run *run, const struct str *names, size_t count, bool rows,
                         struct drift_report *report) MUST_CHECK;

#endif
