/* The pusher's way to the ledger: jobs that are done one after the other beside the loop, over a connection that comes
 * back when it was lost. While it is lost they wait; nothing that a machine said is forgotten. */
#ifndef PUSHER_DB_H
#define PUSHER_DB_H

#include <uv.h>

#include "fleetwall/push.h"

enum db_job_kind { JOB_CLAIM, JOB_OFFERED, JOB_CONFIRMED, JOB_FAILED, JOB_GIVE_BACK, JOB_RENEW, JOB_RESULT };

/* Belongs to the ledger's side from db_submit() until `done` is called, with the arena and all that it points to. */
struct db_job {
	enum db_job_kind kind;
	struct arena *arena; /* for what is answered */
	void (*done)(struct db_job *job); /* in the loop */
	void *context;
	struct db_job *next;

	uint64_t run;
	struct claim *claims; /* CLAIM: answered; RENEW: all of ours; otherwise one */
	size_t claim_count;
	unsigned lease; /* seconds; CLAIM, RENEW */
	size_t most;    /* CLAIM */
	struct str machine_id; /* CONFIRMED */
	struct digest script;
	enum failure failure;  /* FAILED */
	struct str message;
	unsigned again_in;

	struct error *error; /* the ledger could not be asked; nothing below is answered then */
	bool repeated;       /* the connection was lost meanwhile: it may have been done already */
	bool taken;          /* OFFERED, CONFIRMED, FAILED */
	bool run_stopped;    /* OFFERED: nothing is to be sent */
	bool *lost;          /* RENEW, by claim */
	struct push_run_info info; /* CLAIM, RESULT */
	unsigned wait;             /* CLAIM */
	struct probe *probes;      /* CLAIM: of the machines claimed */
	size_t probe_count;
	struct contact *sources; /* CLAIM: machines that are probed from, sorted by name */
	size_t source_count;
	struct machine_state *people; /* RESULT */
	size_t people_count;
};

struct pusher_db {
	struct str conninfo, name; /* "host:pid", of claims */
	uv_async_t wake;           /* of the loop */
	uv_mutex_t lock;
	uv_cond_t changed;
	/* under the lock */
	struct db_job *waiting, *finished;
	struct db_job **waiting_end, **finished_end;
	bool begun, stopped, hurried, lost;
	struct str trouble; /* why it is lost; in `arena` */
	/* of the ledger's side alone */
	struct arena *arena, *session;
	struct db *db;
	bool hopeless; /* it was lost for too long: every further job fails at once */
};

/* `on_wake` is called in the loop when jobs are finished or the connection was lost or came back. */
void pusher_db_init(struct pusher_db *ledger, uv_loop_t *loop, struct str conninfo, struct str name,
                    uv_async_cb on_wake, void *context);
void pusher_db_destroy(struct pusher_db *ledger); /* after the loop has closed `wake` */
/* The ledger's side: does jobs until it is told to stop. For parallel_both(). */
struct error *pusher_db_serve(void *ledger);
/* Is somebody serving? Waits a while for it. */
bool pusher_db_is_served(struct pusher_db *ledger);
void pusher_db_submit(struct pusher_db *ledger, struct db_job *job);
/* The jobs that are finished, in order; their done() is the caller's to call. *lost: how the connection is. */
struct db_job *pusher_db_finished(struct pusher_db *ledger, bool *lost, struct str *trouble);
/* A lost connection gets seconds instead of minutes to come back: nobody waits for more than what is to be written. */
void pusher_db_hurry(struct pusher_db *ledger);
/* When all jobs were done, serving ends. */
void pusher_db_stop(struct pusher_db *ledger);

#endif
