/* One machine in flight: from the claim to what is written of it, and the memory of it. Its steps are told in
 * visit_apply.c and visit_confirm.c. Writes nothing but through the ledger's jobs. */
#include "visit.h"

#include <sys/random.h>
#include <unistd.h>

#include "fleetwall/arena.h"

enum {
	FIRST_WAIT = 1000,    /* milliseconds until what failed is tried again */
	LONGEST_WAIT = 60000,
};

void visit_tell(struct visit *visit, enum push_event_kind kind, enum failure failure, struct str message)
{
	struct pusher *pusher = visit->pusher;

	pusher_tell(pusher, (struct push_event){
				    .kind = kind,
				    .machine = visit->claim.item.machine,
				    .failure = failure,
				    .message = message,
				    .attempt = visit->claim.attempt,
				    .milliseconds = (unsigned)(uv_now(&pusher->loop) - visit->began),
				    .bytes = visit->bytes,
			    });
}

void visit_warn(struct visit *visit, struct str message)
{
	visit_tell(visit, PUSH_WARNING, FAILURE_UNREACHABLE, message);
}

/* --- the end --- */

static void not_working(struct visit *visit)
{
	visit->pusher->working -= visit->working;
	visit->working = false;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct visit *visit = handle->data;
	struct pusher *pusher = visit->pusher;

	arena_free(visit->arena);
	pusher->in_flight--;
	(void)uv_timer_stop(&pusher->claim_timer); /* the wave may have ended, or the run */
	pusher_go_on(pusher);
}

void visit_close_bundle(struct visit *visit)
{
	bundle_close(visit->bundle);
	visit->bundle = NULL;
	before_release(visit->before);
	visit->before = NULL;
	if (visit->file.n > 0)
		(void)unlink(visit->file.p); /* with a NUL: made by mkostemp() */
	visit->file = STR("");
}

void visit_end(struct visit *visit)
{
	struct pusher *pusher = visit->pusher;

	visit_close_bundle(visit);
	not_working(visit);
	if (visit->previous != NULL)
		visit->previous->next = visit->next;
	else
		pusher->visits = visit->next;
	if (visit->next != NULL)
		visit->next->previous = visit->previous;
	uv_close((uv_handle_t *)&visit->timer, on_timer_closed);
}

/* --- what is written of it --- */

static struct db_job *result_job(struct visit *visit, enum db_job_kind kind, void (*done)(struct db_job *))
{
	struct db_job *job = pusher_job(visit->pusher, kind, done, visit);

	job->claims = &visit->claim;
	job->claim_count = 1;
	not_working(visit);
	return job;
}

/* Takes the job's memory along; false where nothing is to be told: the claim is somebody else's, or the ledger is gone.
 */
static bool was_written(struct db_job *job)
{
	struct visit *visit = job->context;
	bool written = !visit->lost && (job->taken || job->repeated);

	if (job->error != NULL)
		pusher_fail(visit->pusher, job->error);
	written = written && job->error == NULL;
	arena_free(job->arena);
	return written;
}

/* Until the ledger says how the run is: one less is claimed. */
static void count_one(struct visit *visit, size_t *where)
{
	struct push_run_info *info = &visit->pusher->info;

	info->claimed -= info->claimed > 0;
	++*where;
}

static void on_confirmed_written(struct db_job *job)
{
	struct visit *visit = job->context;

	if (was_written(job)) {
		count_one(visit, &visit->pusher->info.confirmed);
		visit_tell(visit, visit->already ? PUSH_UNCHANGED : PUSH_CONFIRMED, FAILURE_UNREACHABLE, STR(""));
	}
	visit_end(visit);
}

void visit_confirmed(struct visit *visit)
{
	struct db_job *job = result_job(visit, JOB_CONFIRMED, on_confirmed_written);

	job->machine_id = visit->machine_id;
	job->script = visit->script;
	pusher_db_submit(&visit->pusher->ledger, job);
}

/* Doubles with each attempt; half of it by chance, so that a thousand machines behind one link do not come together. */
static unsigned again_in(unsigned attempt)
{
	unsigned wait = FIRST_WAIT, chance = 0;

	while (--attempt > 0 && wait < LONGEST_WAIT)
		wait *= 2;
	if (wait > LONGEST_WAIT)
		wait = LONGEST_WAIT;
	(void)!getrandom(&chance, sizeof chance, GRND_NONBLOCK); /* without, all come together */
	return wait / 2 + chance % wait;
}

static void on_failure_written(struct db_job *job)
{
	struct visit *visit = job->context;
	enum failure failure = job->failure;
	struct str message = str_copy(visit->arena, job->message);
	bool again = job->again_in > 0;

	if (was_written(job)) {
		if (!again)
			count_one(visit, &visit->pusher->info.failed);
		visit_tell(visit, again ? PUSH_RETRY : PUSH_FAILED, failure, message);
	}
	visit_end(visit);
}

/* What was not reached may be next time; of the rest, the machine says whether trying again may help. */
void visit_fail(struct visit *visit, enum failure failure, struct str message, bool may_pass)
{
	const struct push_settings *settings = visit->pusher->settings;
	struct db_job *job;

	if (visit->lost) {
		visit_end(visit);
		return;
	}
	job = result_job(visit, JOB_FAILED, on_failure_written);
	job->failure = failure;
	job->message = str_copy(job->arena, message);
	if ((may_pass || failure == FAILURE_UNREACHABLE) && visit->claim.attempt <= settings->retries)
		job->again_in = again_in(visit->claim.attempt);
	pusher_db_submit(&visit->pusher->ledger, job);
}

static void on_given_back(struct db_job *job)
{
	struct visit *visit = job->context;

	(void)was_written(job);
	visit_end(visit);
}

void visit_give_back(struct visit *visit)
{
	pusher_db_submit(&visit->pusher->ledger, result_job(visit, JOB_GIVE_BACK, on_given_back));
}

/* --- the beginning --- */

/* Whoever stopped the run since it was claimed stops this as well: nothing is on its way to the machine yet. */
static void on_offered(struct db_job *job)
{
	struct visit *visit = job->context;
	struct pusher *pusher = visit->pusher;
	bool ours = !visit->lost && job->error == NULL && job->taken, stopped = job->run_stopped;

	if (job->error != NULL)
		pusher_fail(pusher, job->error);
	arena_free(job->arena);
	if (ours && !pusher->ending && !stopped) {
		visit->send(visit);
		return;
	}
	visit_close_bundle(visit);
	if (ours)
		visit_give_back(visit);
	else
		visit_end(visit);
}

void visit_offer(struct visit *visit, void (*send)(struct visit *visit))
{
	struct db_job *job = pusher_job(visit->pusher, JOB_OFFERED, on_offered, visit);

	visit->send = send;
	job->claims = &visit->claim;
	job->claim_count = 1;
	pusher_db_submit(&visit->pusher->ledger, job);
}

/* What is needed of it later; the ledger's memory goes. */
static void copy_claim(struct visit *visit, const struct claim *claim)
{
	struct arena *arena = visit->arena;
	struct claim *ours = &visit->claim;

	*ours = *claim;
	ours->item.machine = str_copy(arena, claim->item.machine);
	ours->state.machine = ours->item.machine;
	ours->state.machine_id = str_copy(arena, claim->state.machine_id);
	ours->state.error = ours->state.error_kind = ours->state.frozen = ours->state.frozen_by = STR("");
	ours->item.freeze = STR("");
	ours->state.drift = claim->state.drift.n > 0 ? STR("?") : STR(""); /* that it has, not what */
	ours->contact.machine = ours->item.machine;
	ours->contact.host = str_copy(arena, claim->contact.host);
	ours->contact.roles = NULL;
	ours->contact.role_count = 0;
	visit->script = claim->state.script;
}

/* So much as there is of this machine: others were claimed with it, and each visit keeps its own. */
static size_t count_probes(const struct visit *visit, const struct db_job *claimed)
{
	size_t count = 0;

	for (size_t i = 0; i < claimed->probe_count; i++)
		count += str_eq(claimed->probes[i].machine, visit->claim.item.machine);
	return count;
}

static bool is_source(const struct visit *visit, struct str machine)
{
	for (size_t i = 0; i < visit->probe_count; i++)
		if (str_eq(visit->probes[i].source, machine))
			return true;
	return false;
}

/* A probe has one source at most. */
static void copy_sources(struct visit *visit, const struct db_job *claimed)
{
	visit->sources = ARENA_ARRAY(visit->arena, struct contact, visit->probe_count);
	for (size_t i = 0; i < claimed->source_count && visit->source_count < visit->probe_count; i++) {
		const struct contact *source = &claimed->sources[i];

		if (is_source(visit, source->machine))
			visit->sources[visit->source_count++] = (struct contact){
				.machine = str_copy(visit->arena, source->machine),
				.host = str_copy(visit->arena, source->host),
				.ssh_port = source->ssh_port,
				.enabled = source->enabled,
			};
	}
}

static void copy_probes(struct visit *visit, const struct db_job *claimed)
{
	visit->probes = ARENA_ARRAY(visit->arena, struct probe, count_probes(visit, claimed));
	for (size_t i = 0; i < claimed->probe_count; i++) {
		struct probe probe = claimed->probes[i];

		if (!str_eq(probe.machine, visit->claim.item.machine))
			continue;
		probe.machine = visit->claim.item.machine;
		probe.what = str_copy(visit->arena, probe.what);
		probe.source = str_copy(visit->arena, probe.source);
		visit->probes[visit->probe_count++] = probe;
	}
	copy_sources(visit, claimed);
}

static void add_to_flight(struct pusher *pusher, struct visit *visit)
{
	visit->next = pusher->visits;
	if (visit->next != NULL)
		visit->next->previous = visit;
	pusher->visits = visit;
	pusher->in_flight++;
	pusher->working++;
	visit->working = true;
	(void)uv_timer_init(&pusher->loop, &visit->timer); /* always 0 */
	visit->timer.data = visit;
}

void visit_begin(struct pusher *pusher, const struct claim *claim, const struct db_job *claimed)
{
	struct arena *arena = arena_new();
	struct visit *visit = ARENA_NEW(arena, struct visit);
	struct digest script = push_host_digest();

	*visit = (struct visit){.pusher = pusher, .arena = arena, .began = uv_now(&pusher->loop)};
	visit->token = visit->file = visit->machine_id = visit->probe_failure = visit->trouble = STR("");
	copy_claim(visit, claim);
	copy_probes(visit, claimed);
	visit->with_script = !digest_eq(&visit->script, &script);
	visit->whole = claim->state.whole || claim->state.drift.n > 0;
	add_to_flight(pusher, visit);
	visit_tell(visit, PUSH_CLAIMED, FAILURE_UNREACHABLE, STR(""));
	visit_offer(visit, visit_apply);
}

/* --- seen from outside --- */

const struct claim *visit_claim(const struct visit *visit)
{
	return &visit->claim;
}

struct visit *visit_next(const struct visit *visit)
{
	return visit->next;
}

bool visit_is_ours(const struct visit *visit)
{
	return !visit->lost;
}

/* What is awaited comes all the same, and ends it. */
void visit_lose(struct visit *visit)
{
	visit->lost = true;
	if (visit->call != NULL)
		call_cancel(visit->call);
}

void visit_abandon(struct visit *visit)
{
	if (visit->call != NULL)
		call_cancel(visit->call);
}
