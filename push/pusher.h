/* What the files of the pusher share: one run that is worked on, and the machines that are in flight. All of it is the
 * loop's; the ledger's side sees jobs only. */
#ifndef PUSHER_H
#define PUSHER_H

#include "answer.h"
#include "pusher_db.h"
#include "transport.h"

/* Seconds that a claim is ours for without being renewed: a pusher that was killed holds its machines up for so long.
 */
enum { LEASE_SECONDS = 15 };
enum { SIGNALS = 3 };

struct visit;

/* A generation whose bytes machines may have, opened when the first of them needs it. */
struct before {
	struct before *next;
	uint64_t number;
	struct arena *arena; /* NULL: not open */
	struct positions *positions;
	bool gone; /* its files can't be read any more */
	unsigned users;
	uint64_t used; /* when last; counts uses */
};

struct pusher {
	struct arena *arena; /* the caller's; what is made for each machine lies in the machine's own */
	const struct push_settings *settings;
	push_tell *tell;
	void *context;
	uv_loop_t loop;
	uv_timer_t claim_timer, lease_timer;
	uv_signal_t signals[SIGNALS];
	struct pusher_db ledger;
	struct positions *now; /* of the run's generation */
	struct before *befores;
	uint64_t uses;
	struct push_run_info info;
	unsigned parallel;
	struct visit *visits; /* in flight */
	size_t in_flight, working; /* those; those of them that somebody talks to or that wait for it */
	unsigned wave_told;        /* the last that was told, plus one */
	bool claiming, renewing, ending, interrupted, database_lost, stop_told;
	struct push_result *result;
	struct error *errors;
};

/* --- pusher.c --- */

/* Makes a job with memory of its own. */
struct db_job *pusher_job(struct pusher *pusher, enum db_job_kind kind, void (*done)(struct db_job *), void *context);
/* After anything that may have made room for more, or ended the run. */
void pusher_go_on(struct pusher *pusher);
/* The ledger can't be asked any more: what is in flight is brought to its end, nothing is begun. */
void pusher_fail(struct pusher *pusher, struct error *error);
/* Fills in the run's figures. */
void pusher_tell(struct pusher *pusher, struct push_event event);

/* --- pusher_before.c --- */

/* What the machine confirmed, if these bytes are still in the store and are what it has; NULL otherwise. Is held until
 * before_release(), which takes NULL. */
struct before *before_hold(struct pusher *pusher, const struct machine_state *state);
void before_release(struct before *before);
void before_close_all(struct pusher *pusher);

/* --- visit.c --- */

/* Begins with a machine that was claimed. Copies the claim, the probes of it among these, and their sources. */
void visit_begin(struct pusher *pusher, const struct claim *claim, const struct db_job *claimed);
/* The claim is somebody else's now: ends without a word. */
void visit_lose(struct visit *visit);
const struct claim *visit_claim(const struct visit *visit);
struct visit *visit_next(const struct visit *visit);
/* Is it still to be renewed? */
bool visit_is_ours(const struct visit *visit);
/* Ends its call the hard way, with the process about to end. */
void visit_abandon(struct visit *visit);

#endif
