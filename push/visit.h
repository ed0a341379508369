/* What the files about one machine in flight share. At any time one thing is awaited of it: a job of the ledger, a
 * call, its timer, or its probes. */
#ifndef VISIT_H
#define VISIT_H

#include "pusher.h"

struct visit {
	struct visit *next, *previous;
	struct pusher *pusher;
	struct arena *arena; /* its own: all that is made for it */
	struct claim claim;
	const struct position *position;
	struct before *before; /* held while there is a bundle */
	struct bundle *bundle;
	struct call *call; /* that is awaited */
	void (*send)(struct visit *visit); /* what is done when the ledger has it that it is sent */
	uv_timer_t timer;
	struct str token;
	struct str file;      /* with scp: the local copy; empty: none */
	struct str machine_id; /* as it said; empty: it did not */
	struct digest script;  /* of the fleetwall-host that it has; all zero: not known */
	uint64_t began;        /* milliseconds of the loop */
	uint64_t back_at;      /* when it goes back by itself */
	unsigned pause;        /* milliseconds until confirming is tried again */
	struct str trouble;    /* why it had to be tried again; empty: it had not */
	size_t bytes;
	bool whole, with_script; /* what is sent */
	bool working;            /* counts as one that is worked on */
	bool lost;               /* the claim is somebody else's */
	bool already;            /* it had all of it */

	struct probe *probes;
	size_t probe_count, probes_open;
	struct contact *sources; /* sorted by name */
	size_t source_count;
	struct str probe_failure; /* of the first that failed, or else could not be tried; empty: none */
	bool probe_failed;        /* it was tried */
};

/* --- visit.c --- */

/* Reports it to the ledger, and then it ends. `may_pass`: trying again may help. The message is one line. */
void visit_fail(struct visit *visit, enum failure failure, struct str message, bool may_pass);
void visit_confirmed(struct visit *visit);
/* Tells the ledger that it is sent something now, and then sends it; gives the claim back where the run was stopped. */
void visit_offer(struct visit *visit, void (*send)(struct visit *visit));
/* The claim goes back as it came. */
void visit_give_back(struct visit *visit);
void visit_end(struct visit *visit);
void visit_warn(struct visit *visit, struct str message);
void visit_tell(struct visit *visit, enum push_event_kind kind, enum failure failure, struct str message);
/* Memory of files and of what is held for a bundle. */
void visit_close_bundle(struct visit *visit);

/* --- visit_apply.c --- */

void visit_apply(struct visit *visit);

/* --- visit_confirm.c --- */

/* A call of this machine, or of another one by its contact. False: it failed, and was reported. */
bool visit_call(struct visit *visit, const struct call_request *request);
struct target visit_target(const struct visit *visit);
/* Over a new connection, until it is done or the machine has gone back. */
void visit_confirm(struct visit *visit);
/* Takes it back at once, for this reason. */
void visit_roll_back(struct visit *visit);
/* What fleetwall-host's own words mean. */
enum failure host_failure(struct arena *arena, const struct host_answer *answer, int status, struct str *message,
                          bool *may_pass);

/* --- probes.c --- */

/* Tries all probes of the machine; then it is confirmed, or taken back. */
void visit_probe(struct visit *visit);

/* --- probe_tcp.c --- */

/* `answered`: a connection was made; else `why` says why not. Valid during the call. */
typedef void probe_done(void *context, bool answered, struct str why);
/* A TCP connection from here. done() is called once, from the loop, when nothing of it is left. */
void probe_tcp(struct arena *arena, uv_loop_t *loop, struct str host, unsigned port, unsigned seconds, probe_done *done,
               void *context);

#endif
