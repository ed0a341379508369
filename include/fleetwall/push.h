/* Getting published rulesets onto machines: plan, waves, transport, confirmation, drift. SPEC §7. Knows the store and
 * the ledger, not the model. Nothing is printed here: what happens is told through `push_tell`. */
#ifndef FLEETWALL_PUSH_H
#define FLEETWALL_PUSH_H

#include "fleetwall/bundle.h"
#include "fleetwall/ledger.h"

/* A program that does a step in place of ours: an argument list, never a shell line; count 0: the built-in one. In each
 * argument %h host, %n name, %p port, %u user, %d the folder of the machine's ruleset in the store, %g generation, %% a
 * percent sign. For apply, confirm and call, what is to be run on the machine is appended as the last argument, a line
 * for its login shell, as ssh takes it. */
struct hook {
	struct str *arguments;
	size_t count;
};

struct push_settings {
	struct str output;
	struct str user;        /* "root"; others get `sudo -n` before what is run */
	bool scp;               /* transport = "scp": a copy step first */
	struct hook apply;      /* the bundle is its standard input */
	struct hook confirm;
	struct hook copy;       /* with scp; what is to be copied and where to are the last two arguments */
	struct hook call;       /* status, drift, rollback, probes */
	struct hook ssh_options; /* more arguments for our ssh and scp */
	unsigned parallel;      /* machines at once; 20 */
	unsigned deadline;      /* seconds until a machine goes back by itself; 60 */
	unsigned connect;       /* seconds for a connection; 10 */
	unsigned step;          /* seconds for a step on the machine; 120 */
	unsigned retries;       /* of what may go away by itself; 3 */
	unsigned max_failures;  /* of a wave; 3 */
	unsigned probe_wait;    /* seconds for a probe; 3 */
	unsigned ssh_port;      /* of machines that name none */
	const struct prefix *management;
	size_t management_count;
};

/* --- which machines, in which order --- */

struct selection {
	const struct str *words; /* names, globs (fnmatch), role:NAME; count 0: all */
	size_t count;
};
/* The machines of the inventory and the ledger that the words speak of, sorted by name, each once. ERROR_UNKNOWN for a
 * word that speaks of none, with the nearest name; all such words at once. In push/select.c. */
struct error *push_select(struct arena *arena, struct db *db, const struct selection *selection, struct str **names,
                          size_t *count) MUST_CHECK;

struct plan_item {
	struct work_item work;
	const struct position *position;
	struct machine_state state;
	struct contact contact;
	bool damaged; /* the store's bytes of its ruleset are: it fails without being contacted. `position` is NULL */
	bool first;   /* nothing was ever confirmed */
	bool enforce; /* exclusive or coexist, not monitor */
};
struct push_plan {
	uint64_t generation;
	struct digest digest;
	struct plan_item *items; /* by wave, then name */
	size_t count;
	unsigned waves;
	size_t damaged;              /* of the items */
	size_t unchanged, frozen;    /* left out */
	struct str *frozen_machines; /* that differ, and are frozen */
	struct str *unmanaged;       /* confirmed something once, and have no ruleset any more: nothing is done there */
	size_t unmanaged_count;
};
/* What a push of the published generation would do. Contacts nobody, writes nothing. */
struct error *push_plan(struct arena *arena, struct db *db, const struct push_settings *settings,
                        const struct selection *selection, struct positions **positions,
                        struct push_plan *plan) MUST_CHECK;

/* Gives each item its wave: first one machine for each role (the fewest that cover them, each role by a machine that
 * has as few others as may be), then a tenth, three tenths, and the rest. Pure; sorts the items. */
unsigned push_waves(struct arena *arena, struct plan_item *items, size_t count);

/* SPEC §7.0: management sources, unless all are in monitor. */
struct error *push_permitted(const struct push_settings *settings, const struct push_plan *plan) MUST_CHECK;

/* --- doing it --- */

enum push_event_kind {
	PUSH_STARTED,   /* the run: counts are filled in */
	PUSH_CLAIMED,   /* a machine's turn */
	PUSH_APPLIED,   /* it runs the new ruleset, and waits to be confirmed */
	PUSH_CONFIRMED,
	PUSH_UNCHANGED, /* it had it already */
	PUSH_RETRY,     /* did not work; again later */
	PUSH_FAILED,
	PUSH_WARNING,   /* what a person should know; `message` */
	PUSH_WAVE,      /* a wave has begun */
	PUSH_DATABASE,  /* lost, or back; `message` */
	PUSH_STOPPED,   /* the run: failures, halt, superseded */
	PUSH_DONE,
};
struct push_event {
	enum push_event_kind kind;
	uint64_t run, generation;
	struct str machine;
	enum failure failure;
	struct str message;  /* of a failure: what, and what to do */
	unsigned attempt;
	unsigned wave, waves;
	size_t total, done, failed, running; /* of the run as far as this pusher knows */
	unsigned milliseconds; /* that the machine took */
	size_t bytes;          /* that were sent */
};
typedef void push_tell(void *context, const struct push_event *event);

struct push_result {
	struct push_run_info run;
	struct machine_state *people; /* machines of the run that need a person, or were not confirmed; by name */
	size_t people_count;
	bool interrupted; /* SIGINT, SIGTERM: claims were given back */
};
/* Works on the open run until there is nothing left to do for anybody, or it is stopped. Several processes may do so at
 * once. `conninfo` is for connections of its own: a lost one comes back. */
struct error *push_work(struct arena *arena, struct str conninfo, const struct push_settings *settings, uint64_t run,
                        push_tell *tell, void *context, struct push_result *result) MUST_CHECK;

/* --- asking machines --- */

struct answer {
	struct str machine;
	bool answered;
	bool cut;             /* not answered, as the answer is longer than `limit` */
	enum failure failure; /* if not */
	struct str message;   /* why, or what it said first, or what it said is wrong; plain text */
	struct str output;    /* what fleetwall-host printed */
	int status;        /* its exit code */
};
/* Runs `fleetwall-host WORDS…` there. Words are ours or were checked by fleetwall-host's own rules:
 * [A-Za-z0-9._:/-]+ (asserted). */
struct host_question {
	const struct contact *contact;
	const struct str *words;
	size_t word_count;
};
/* Asks all of these, `parallel` at once. `limit` bytes of the output of each are kept. */
struct error *push_ask(struct arena *arena, const struct push_settings *settings, const struct host_question *questions,
                       size_t count, size_t limit, struct answer *answers) MUST_CHECK;

/* --- drift --- */

enum drift_kind {
	DRIFT_RULE_MISSING,
	DRIFT_RULE_EXTRA,
	DRIFT_RULE_ORDER,
	DRIFT_POLICY,
	DRIFT_CHAIN,
	DRIFT_JUMP,
	DRIFT_SET_MISSING,
	DRIFT_SET_EXTRA,
	DRIFT_MEMBER_MISSING,
	DRIFT_MEMBER_EXTRA,
	DRIFT_BOOT,
	DRIFT_PENDING,
	DRIFT_OTHER,
	/* Not by drift_compare(), but where what it found was judged by packets: */
	DRIFT_OPENS,
	DRIFT_CLOSES,
	DRIFT_SPELLING, /* a line in other words that does the same: nothing is wrong */
};
struct drift {
	enum drift_kind kind;
	struct str file;   /* rules.v4, rules.v6, or the file of the set: "app-0123456789ab.v4" */
	struct str line;   /* of the side that has it */
	unsigned number;   /* of the line in our file; 0: it is not in it */
};
struct str drift_kind_str(enum drift_kind kind);
/* What a machine has (the output of `fleetwall-host read`) against what its position says. Pure but for the store.
 * Counters, the order of sets, and foreign chains and rules in coexist mode are no drift. */
struct error *drift_compare(struct arena *arena, struct str output, const struct position *position, struct str read,
                            struct drift **drifts, size_t *count) MUST_CHECK;

/* Of what a machine has, the section of that name: "rules.v4", the members of a set; false: there is none. */
bool drift_section(struct arena *arena, struct str read, struct str name, struct str *text);

/* fleetwall-host, built in, and its digest. */
struct str push_host_script(void);
struct digest push_host_digest(void);

#endif
