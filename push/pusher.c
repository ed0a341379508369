/* Working on a run: claims as many machines as there is room for, renews their leases, and ends when nothing is left
 * for anybody, when the run was stopped, or when we are told to. The ledger is asked beside the loop (pusher_db.c);
 * what is done with a machine is told in visit*.c. */
#include "pusher.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/parallel.h"

enum {
	RENEW_EVERY = LEASE_SECONDS * 1000 / 4,
	SHORTEST_WAIT = 50, /* milliseconds between two looks at a run in which nothing is due */
	LONGEST_WAIT = 2000, /* others may give back, or die, or halt */
};

/* --- telling --- */

/* Is it the last that is told of a visit? Then that machine runs no more. */
static bool ends_visit(enum push_event_kind kind)
{
	return kind == PUSH_CONFIRMED || kind == PUSH_UNCHANGED || kind == PUSH_RETRY || kind == PUSH_FAILED;
}

void pusher_tell(struct pusher *pusher, struct push_event event)
{
	const struct push_run_info *info = &pusher->info;

	event.run = info->number;
	event.generation = info->generation;
	event.wave = info->wave;
	event.waves = info->waves;
	event.total = info->waiting + info->claimed + info->confirmed + info->failed + info->skipped;
	event.done = info->confirmed + info->skipped;
	event.failed = info->failed;
	event.running = pusher->in_flight - ends_visit(event.kind);
	if (event.message.p == NULL)
		event.message = STR("");
	if (event.machine.p == NULL)
		event.machine = STR("");
	pusher->tell(pusher->context, &event);
}

static void tell_state(struct pusher *pusher)
{
	const struct push_run_info *info = &pusher->info;

	if (info->state == RUN_RUNNING && pusher->wave_told != info->wave + 1) {
		pusher->wave_told = info->wave + 1;
		pusher_tell(pusher, (struct push_event){.kind = PUSH_WAVE});
	}
	if ((info->state == RUN_STOPPED || info->state == RUN_SUPERSEDED) && !pusher->stop_told) {
		pusher->stop_told = true;
		pusher_tell(pusher, (struct push_event){.kind = PUSH_STOPPED, .message = info->reason});
	}
}

/* Its strings live as long as the pusher. */
static void take_info(struct pusher *pusher, const struct push_run_info *info)
{
	struct str reason = pusher->info.reason, who = pusher->info.who;

	pusher->info = *info;
	pusher->info.reason = str_eq(reason, info->reason) ? reason : str_copy(pusher->arena, info->reason);
	pusher->info.who = str_eq(who, info->who) ? who : str_copy(pusher->arena, info->who);
	tell_state(pusher);
}

/* --- jobs --- */

struct db_job *pusher_job(struct pusher *pusher, enum db_job_kind kind, void (*done)(struct db_job *), void *context)
{
	struct arena *arena = arena_new();
	struct db_job *job = ARENA_NEW(arena, struct db_job);

	*job = (struct db_job){.kind = kind, .arena = arena, .done = done, .context = context};
	job->run = pusher->info.number;
	job->lease = LEASE_SECONDS;
	return job;
}

void pusher_fail(struct pusher *pusher, struct error *error)
{
	if (pusher->errors == NULL)
		pusher->errors = error; /* the others say the same */
	pusher->ending = true;
}

static void tell_database(struct pusher *pusher, bool lost, struct str trouble)
{
	if (pusher->database_lost == lost)
		return;
	pusher->database_lost = lost;
	pusher_tell(pusher,
	            (struct push_event){.kind = PUSH_DATABASE, .message = lost ? trouble : STR("it answers again")});
}

static void on_wake(uv_async_t *wake)
{
	struct pusher *pusher = wake->data;
	struct str trouble;
	struct db_job *job, *next;
	bool lost;

	job = pusher_db_finished(&pusher->ledger, &lost, &trouble);
	tell_database(pusher, lost, trouble);
	for (; job != NULL; job = next) {
		next = job->next; /* done() takes the job's memory */
		job->done(job);
	}
	pusher_go_on(pusher);
}

/* --- leases --- */

static void on_renewed(struct db_job *job)
{
	struct pusher *pusher = job->context;
	struct visit *visit = pusher->visits, *next;

	pusher->renewing = false;
	if (job->error != NULL)
		pusher_fail(pusher, job->error);
	for (; visit != NULL && job->error == NULL; visit = next) {
		next = visit_next(visit);
		for (size_t i = 0; i < job->claim_count; i++)
			if (job->lost[i] && job->claims[i].fence == visit_claim(visit)->fence)
				visit_lose(visit);
	}
	arena_free(job->arena);
	pusher_go_on(pusher);
}

/* Copies, as a machine may end before the ledger has looked at its claim. */
static void on_lease_time(uv_timer_t *timer)
{
	struct pusher *pusher = timer->data;
	struct db_job *job;

	if (pusher->renewing || pusher->in_flight == 0 || pusher->errors != NULL)
		return;
	job = pusher_job(pusher, JOB_RENEW, on_renewed, pusher);
	job->claims = ARENA_ARRAY(job->arena, struct claim, pusher->in_flight);
	for (const struct visit *at = pusher->visits; at != NULL; at = visit_next(at)) {
		const struct claim *claim = visit_claim(at);
		struct claim *copy = &job->claims[job->claim_count];

		if (!visit_is_ours(at))
			continue;
		*copy = (struct claim){.run = claim->run, .fence = claim->fence, .attempt = claim->attempt};
		copy->item.machine = str_copy(job->arena, claim->item.machine);
		job->claim_count++;
	}
	pusher->renewing = true;
	pusher_db_submit(&pusher->ledger, job);
}

/* --- claims --- */

static void on_claim_time(uv_timer_t *timer)
{
	pusher_go_on(timer->data);
}

static void look_again(struct pusher *pusher, unsigned wait)
{
	if (wait < SHORTEST_WAIT)
		wait = SHORTEST_WAIT;
	if (wait > LONGEST_WAIT)
		wait = LONGEST_WAIT;
	(void)uv_timer_start(&pusher->claim_timer, on_claim_time, wait, 0);
}

/* Our own lease may have ended while the ledger could not be asked, and nobody else came. */
static void lose_former(struct pusher *pusher, const struct claim *claim)
{
	struct visit *visit = pusher->visits, *next;

	for (; visit != NULL; visit = next) {
		next = visit_next(visit);
		if (visit_is_ours(visit) && str_eq(visit_claim(visit)->item.machine, claim->item.machine))
			visit_lose(visit);
	}
}

static void on_claimed(struct db_job *job)
{
	struct pusher *pusher = job->context;

	pusher->claiming = false;
	if (job->error != NULL) {
		pusher_fail(pusher, job->error);
	} else {
		take_info(pusher, &job->info);
		for (size_t i = 0; i < job->claim_count; i++) {
			lose_former(pusher, &job->claims[i]);
			visit_begin(pusher, &job->claims[i], job);
		}
		if (job->claim_count == 0 && job->info.state == RUN_RUNNING)
			look_again(pusher, job->wait);
	}
	arena_free(job->arena);
	pusher_go_on(pusher);
}

static bool may_claim(const struct pusher *pusher)
{
	return !pusher->ending && !pusher->claiming && pusher->info.state == RUN_RUNNING &&
	       pusher->working < pusher->parallel &&
	       !uv_is_active((const uv_handle_t *)&pusher->claim_timer);
}

static void claim_more(struct pusher *pusher)
{
	struct db_job *job = pusher_job(pusher, JOB_CLAIM, on_claimed, pusher);

	pusher->claiming = true;
	job->most = pusher->parallel - pusher->working;
	pusher_db_submit(&pusher->ledger, job);
}

/* --- the end --- */

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_all(struct pusher *pusher)
{
	pusher_db_stop(&pusher->ledger);
	close_handle((uv_handle_t *)&pusher->ledger.wake);
	close_handle((uv_handle_t *)&pusher->claim_timer);
	close_handle((uv_handle_t *)&pusher->lease_timer);
	for (size_t i = 0; i < SIGNALS; i++)
		close_handle((uv_handle_t *)&pusher->signals[i]);
}

/* The job's memory stays: it is what we return. */
static void on_result(struct db_job *job)
{
	struct pusher *pusher = job->context;
	struct push_result *result = pusher->result;

	if (job->error != NULL) {
		pusher_fail(pusher, job->error);
	} else {
		take_info(pusher, &job->info);
		result->people = job->people;
		result->people_count = job->people_count;
	}
	pusher_tell(pusher, (struct push_event){.kind = PUSH_DONE});
	close_all(pusher);
}

static void ask_for_result(struct pusher *pusher)
{
	struct db_job *job = ARENA_NEW(pusher->arena, struct db_job);

	*job = (struct db_job){.kind = JOB_RESULT, .arena = pusher->arena, .done = on_result, .context = pusher};
	job->run = pusher->info.number;
	pusher->claiming = true; /* nothing more is begun */
	pusher_db_submit(&pusher->ledger, job);
}

static bool is_over(const struct pusher *pusher)
{
	return (pusher->ending || pusher->info.state != RUN_RUNNING) && pusher->in_flight == 0 && !pusher->claiming &&
	       !pusher->renewing;
}

void pusher_go_on(struct pusher *pusher)
{
	if (uv_is_closing((uv_handle_t *)&pusher->ledger.wake))
		return;
	if (!is_over(pusher)) {
		if (may_claim(pusher))
			claim_more(pusher);
	} else if (pusher->errors != NULL) {
		close_all(pusher);
	} else {
		ask_for_result(pusher);
	}
}

/* The first one lets what was begun come to its end; the second ends us now. What is applied and not confirmed goes
 * back by itself, and the ledger knows what was offered. */
static void on_signal(uv_signal_t *handle, int number)
{
	struct pusher *pusher = handle->data;

	if (pusher->interrupted) {
		for (struct visit *at = pusher->visits; at != NULL; at = visit_next(at))
			visit_abandon(at);
		(void)signal(number, SIG_DFL);
		(void)raise(number);
	}
	pusher->interrupted = true;
	pusher->ending = true;
	pusher_db_hurry(&pusher->ledger);
	pusher_go_on(pusher);
}

/* --- the beginning --- */

/* The run, and that what it pushes is what the database knows by that number. */
static struct error *look_at_run(struct pusher *pusher, struct db *db, uint64_t run)
{
	struct arena *arena = pusher->arena;
	const struct generation *generation;
	struct db_rows rows;
	struct digest known;
	struct str number;

	TRY(ledger_run(arena, db, run, &pusher->info));
	number = str_format(arena, "%llu", (unsigned long long)pusher->info.generation);
	TRY(db_query(arena, db, db_sql("generation-digest"), &number, 1, &rows));
	TRY(positions_open(arena, pusher->settings->output, pusher->info.generation, &pusher->now));
	generation = positions_generation(pusher->now);
	if (rows.count == 1 && digest_parse(db_cell(&rows, 0, 0), &known) && digest_eq(&known, &generation->digest))
		return NULL;
	return error_hint(error_new(ERROR_GUARD,
	                            "generation %.*s in %.*s is not the one that the database knows: it is not pushed",
	                            STR_ARG(number), STR_ARG(pusher->settings->output)),
	                  "fleetwall generate, then push again");
}

static struct error *look_first(struct pusher *pusher, struct str conninfo, uint64_t run)
{
	struct arena *session = arena_new();
	struct error *error;
	struct db *db = NULL;

	error = db_open(session, conninfo, &db);
	if (error == NULL)
		error = look_at_run(pusher, db, run);
	db_close(db);
	arena_free(session);
	return error;
}

static struct str our_name(struct arena *arena)
{
	char host[256] = "";

	if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
		strcpy(host, "localhost");
	return str_format(arena, "%s:%ld", host, (long)getpid());
}

/* Those that whoever started us did not want to reach us (nohup) don't. */
static void watch_signals(struct pusher *pusher)
{
	static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < SIGNALS; i++) {
		struct sigaction now;

		(void)uv_signal_init(&pusher->loop, &pusher->signals[i]);
		pusher->signals[i].data = pusher;
		if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)uv_signal_start(&pusher->signals[i], on_signal, numbers[i]);
	}
}

static void set_up(struct pusher *pusher)
{
	unsigned wanted = pusher->settings->parallel > 0 ? pusher->settings->parallel : 1;

	(void)uv_timer_init(&pusher->loop, &pusher->claim_timer);
	(void)uv_timer_init(&pusher->loop, &pusher->lease_timer);
	pusher->claim_timer.data = pusher->lease_timer.data = pusher;
	(void)uv_timer_start(&pusher->lease_timer, on_lease_time, RENEW_EVERY, RENEW_EVERY);
	watch_signals(pusher);
	pusher->parallel = calls_that_fit(wanted);
	pusher_tell(pusher, (struct push_event){.kind = PUSH_STARTED});
	if (pusher->parallel < wanted)
		pusher_tell(pusher, (struct push_event){
					    .kind = PUSH_WARNING,
					    .message = str_format(pusher->arena,
		                                                  "only %u machine%s at once: more files may not be "
		                                                  "open (ulimit -n)",
		                                                  pusher->parallel,
		                                                  str_plural(pusher->parallel)),
				    });
}

/* The loop's side. */
static struct error *work(void *context)
{
	struct pusher *pusher = context;

	set_up(pusher);
	if (pusher_db_is_served(&pusher->ledger)) {
		pusher_go_on(pusher);
	} else {
		pusher_fail(pusher, error_new(ERROR_SURROUNDINGS, "can't make a thread for the database"));
		close_all(pusher);
	}
	(void)uv_run(&pusher->loop, UV_RUN_DEFAULT);
	return pusher->errors;
}

static struct error *run_loop(struct pusher *pusher, struct str conninfo)
{
	struct pipe_signal before = pipe_signal_ignore();
	struct error *errors;

	pusher_db_init(&pusher->ledger, &pusher->loop, conninfo, our_name(pusher->arena), on_wake, pusher);
	errors = parallel_both(work, pusher, pusher_db_serve, &pusher->ledger);
	pusher_db_destroy(&pusher->ledger);
	pipe_signal_restore(before);
	return errors;
}

struct error *push_work(struct arena *arena, struct str conninfo, const struct push_settings *settings, uint64_t run,
                        push_tell *tell, void *context, struct push_result *result)
{
	struct pusher *pusher = ARENA_NEW(arena, struct pusher);
	struct error *errors;

	*pusher = (struct pusher){
		.arena = arena, .settings = settings, .tell = tell, .context = context, .result = result};
	*result = (struct push_result){0};
	TRY(look_first(pusher, conninfo, run));
	if (uv_loop_init(&pusher->loop) != 0)
		return error_new(ERROR_SURROUNDINGS, "can't make a loop");
	errors = run_loop(pusher, conninfo);
	before_close_all(pusher);
	(void)uv_loop_close(&pusher->loop); /* everything was closed, or the loop would still run */
	result->run = pusher->info;
	result->interrupted = pusher->interrupted;
	return errors;
}
