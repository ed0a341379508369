/* Jobs for the ledger, beside the loop: a queue to it, a queue back, and a connection that is opened anew, with growing
 * pauses, when it was lost. A database that hangs holds up nobody who talks to machines. Knows no job's meaning. */
#include "pusher_db.h"

#include "fleetwall/arena.h"
#include "pusher_jobs.h"

enum {
	SECOND = 1000,          /* milliseconds */
	FIRST_PAUSE = 200,      /* before the connection is tried again */
	LONGEST_PAUSE = 5000,
	PATIENCE = 300 * SECOND, /* for a database that is gone */
	HURRIED = 10 * SECOND,   /* the same when we were told to end: an outage that is over by then is none */
	TRIES = 3,               /* of what fails on a connection that stands */
	SERVED_WITHIN = 10,      /* seconds until somebody serves */
};

#define NANOSECONDS 1000000ull /* of a millisecond */

/* --- the loop's side --- */

void pusher_db_init(struct pusher_db *ledger, uv_loop_t *loop, struct str conninfo, struct str name,
                    uv_async_cb on_wake, void *context)
{
	*ledger = (struct pusher_db){.conninfo = conninfo, .name = name, .arena = arena_new()};
	ledger->waiting_end = &ledger->waiting;
	ledger->finished_end = &ledger->finished;
	(void)uv_mutex_init(&ledger->lock);
	(void)uv_cond_init(&ledger->changed);
	(void)uv_async_init(loop, &ledger->wake, on_wake);
	ledger->wake.data = context;
}

void pusher_db_destroy(struct pusher_db *ledger)
{
	uv_cond_destroy(&ledger->changed);
	uv_mutex_destroy(&ledger->lock);
	arena_free(ledger->arena);
}

bool pusher_db_is_served(struct pusher_db *ledger)
{
	uint64_t until = uv_hrtime() + SERVED_WITHIN * SECOND * NANOSECONDS;
	bool begun;

	uv_mutex_lock(&ledger->lock);
	while (!ledger->begun && uv_hrtime() < until)
		(void)uv_cond_timedwait(&ledger->changed, &ledger->lock, SECOND * NANOSECONDS);
	begun = ledger->begun;
	uv_mutex_unlock(&ledger->lock);
	return begun;
}

static void append(struct db_job ***end, struct db_job *job)
{
	job->next = NULL;
	**end = job;
	*end = &job->next;
}

void pusher_db_submit(struct pusher_db *ledger, struct db_job *job)
{
	uv_mutex_lock(&ledger->lock);
	append(&ledger->waiting_end, job);
	uv_cond_broadcast(&ledger->changed);
	uv_mutex_unlock(&ledger->lock);
}

struct db_job *pusher_db_finished(struct pusher_db *ledger, bool *lost, struct str *trouble)
{
	struct db_job *finished;

	uv_mutex_lock(&ledger->lock);
	finished = ledger->finished;
	ledger->finished = NULL;
	ledger->finished_end = &ledger->finished;
	*lost = ledger->lost;
	*trouble = ledger->trouble;
	uv_mutex_unlock(&ledger->lock);
	return finished;
}

static void set_flag(struct pusher_db *ledger, bool *flag)
{
	uv_mutex_lock(&ledger->lock);
	*flag = true;
	uv_cond_broadcast(&ledger->changed);
	uv_mutex_unlock(&ledger->lock);
}

void pusher_db_hurry(struct pusher_db *ledger)
{
	set_flag(ledger, &ledger->hurried);
}

void pusher_db_stop(struct pusher_db *ledger)
{
	set_flag(ledger, &ledger->stopped);
}

/* --- the ledger's side: the connection --- */

static void disconnect(struct pusher_db *ledger)
{
	db_close(ledger->db);
	ledger->db = NULL;
	arena_free(ledger->session);
	ledger->session = NULL;
}

static struct error *connect_again(struct pusher_db *ledger)
{
	struct error *error;

	if (ledger->db != NULL)
		return NULL;
	ledger->session = arena_new();
	error = db_open(ledger->session, ledger->conninfo, &ledger->db);
	if (error != NULL)
		disconnect(ledger);
	return error;
}

/* Tells the loop how the connection is. */
static void tell(struct pusher_db *ledger, bool lost, struct str trouble)
{
	uv_mutex_lock(&ledger->lock);
	if (ledger->lost != lost) {
		ledger->lost = lost;
		if (lost)
			ledger->trouble = str_copy(ledger->arena, trouble);
		(void)uv_async_send(&ledger->wake);
	}
	uv_mutex_unlock(&ledger->lock);
}

/* Waits; true when we may go on trying. */
static bool pause_for(struct pusher_db *ledger, unsigned milliseconds, uint64_t lost_since)
{
	uint64_t gone, now = uv_hrtime(), until = now + milliseconds * NANOSECONDS;
	bool hurried;

	uv_mutex_lock(&ledger->lock);
	for (; now < until; now = uv_hrtime())
		(void)uv_cond_timedwait(&ledger->changed, &ledger->lock, until - now);
	hurried = ledger->hurried;
	uv_mutex_unlock(&ledger->lock);
	gone = (uv_hrtime() - lost_since) / NANOSECONDS;
	return gone < (hurried ? HURRIED : PATIENCE);
}

/* --- the ledger's side: jobs --- */

/* Once. What failed half way is rolled back; what was committed without our hearing of it is in the ledger. */
static struct error *try_once(struct pusher_db *ledger, struct db_job *job, bool *was_lost)
{
	struct error *error = connect_again(ledger);

	*was_lost = error != NULL;
	if (error != NULL)
		return error;
	error = pusher_job_do(ledger->db, ledger->name, job);
	if (error == NULL)
		return NULL;
	if (db_is_lost(ledger->db)) {
		job->repeated = true;
		*was_lost = true;
		disconnect(ledger);
	} else {
		db_rollback(ledger->db);
	}
	return error;
}

static unsigned longer(unsigned pause)
{
	return pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
}

static struct error *do_job(struct pusher_db *ledger, struct db_job *job)
{
	uint64_t lost_since = uv_hrtime();
	unsigned pause = FIRST_PAUSE, tries = 0;
	bool was_lost, go_on = true;
	struct error *error = NULL;

	if (ledger->hopeless)
		return error_new(ERROR_SURROUNDINGS, "the database is gone");
	while (go_on) {
		error = try_once(ledger, job, &was_lost);
		tell(ledger, was_lost, error != NULL ? error->message : STR(""));
		if (error == NULL || (!was_lost && ++tries == TRIES))
			return error;
		go_on = pause_for(ledger, pause, lost_since);
		pause = longer(pause);
	}
	ledger->hopeless = true;
	return error;
}

/* The next job, or NULL when there will be none. */
static struct db_job *next_job(struct pusher_db *ledger)
{
	struct db_job *job;

	uv_mutex_lock(&ledger->lock);
	ledger->begun = true;
	uv_cond_broadcast(&ledger->changed);
	while (ledger->waiting == NULL && !ledger->stopped)
		uv_cond_wait(&ledger->changed, &ledger->lock);
	job = ledger->waiting;
	if (job != NULL) {
		ledger->waiting = job->next;
		if (ledger->waiting == NULL)
			ledger->waiting_end = &ledger->waiting;
	}
	uv_mutex_unlock(&ledger->lock);
	return job;
}

/* Woken under the lock: who takes the job knows that we have done with the loop. */
static void finish(struct pusher_db *ledger, struct db_job *job)
{
	uv_mutex_lock(&ledger->lock);
	append(&ledger->finished_end, job);
	(void)uv_async_send(&ledger->wake);
	uv_mutex_unlock(&ledger->lock);
}

struct error *pusher_db_serve(void *context)
{
	struct pusher_db *ledger = context;
	struct db_job *job;

	while ((job = next_job(ledger)) != NULL) {
		job->error = do_job(ledger, job);
		finish(ledger, job);
	}
	disconnect(ledger);
	return NULL;
}
