/* After the apply: confirming over a new connection, again and again until the machine has gone back by itself; or
 * taking it back at once. What fleetwall-host's refusals mean is here as well. */
#include "fleetwall/arena.h"
#include "visit.h"
#include "transport_parts.h"

enum {
	OUTPUT_LIMIT = 16384,
	FIRST_PAUSE = 500, /* milliseconds until confirming is tried again; doubles */
	LONGEST_PAUSE = 4000,
	LAST_CHANCE = 2000, /* milliseconds before it goes back: too late for another try */
	CONFIRM_SECONDS = 15, /* besides the connection */
};

/* --- calls --- */

struct target visit_target(const struct visit *visit)
{
	const struct pusher *pusher = visit->pusher;
	const struct contact *contact = &visit->claim.contact;

	return (struct target){
		.name = visit->claim.item.machine,
		.host = contact->host,
		.port = contact->ssh_port != 0 ? contact->ssh_port : pusher->settings->ssh_port,
		.generation = pusher->info.generation,
		.directory = store_ruleset_path(visit->arena, pusher->settings->output, &visit->claim.item.ruleset,
	                                        STR("")),
	};
}

bool visit_call(struct visit *visit, const struct call_request *request)
{
	struct pusher *pusher = visit->pusher;
	struct error *error =
		call_start(visit->arena, &pusher->loop, pusher->settings, request, &visit->call);

	if (error == NULL)
		return true;
	visit_close_bundle(visit);
	visit_fail(visit, FAILURE_HOOK, call_plain(visit->arena, error->message), false);
	return false;
}

static void call_host(struct visit *visit, enum step step, const struct str *words, size_t count, call_done *done)
{
	const struct push_settings *settings = visit->pusher->settings;

	(void)visit_call(visit, &(struct call_request){
					    .step = step,
					    .target = visit_target(visit),
					    .remote = remote_line(visit->arena, settings, false, words, count),
					    .seconds = settings->connect + CONFIRM_SECONDS,
					    .limit = OUTPUT_LIMIT,
					    .done = done,
					    .context = visit,
				    });
}

/* --- what its words mean --- */

enum failure host_failure(struct arena *arena, const struct host_answer *answer, int status, struct str *message,
                          bool *may_pass)
{
	*message = answer->text.n > 0 ? answer->text : answer->word;
	*may_pass = str_is(answer->word, "lock") || str_is(answer->word, "bundle");
	if (str_is(answer->word, "fence"))
		return FAILURE_FENCE;
	switch (status) {
	case HOST_BAD:
		return FAILURE_BUNDLE;
	case HOST_REFUSED:
	case HOST_BASE:
	case HOST_SCRIPT:
		return FAILURE_REFUSED;
	case HOST_UNDONE:
		return FAILURE_APPLY;
	case HOST_NOT_UNDONE:
		return FAILURE_UNDO;
	case HOST_LATE:
		return FAILURE_ROLLED_BACK;
	default:
		*message = str_format(arena, "%.*s (exit code %d)", STR_ARG(*message), status);
		return FAILURE_HOOK;
	}
}

/* --- confirming --- */

static void on_confirmed(void *context, const struct call_result *result);

void visit_confirm(struct visit *visit)
{
	struct str words[] = {STR("confirm"), visit->token};

	call_host(visit, STEP_CONFIRM, words, 2, on_confirmed);
}

static void on_pause(uv_timer_t *timer)
{
	struct visit *visit = timer->data;

	if (visit->lost)
		visit_end(visit);
	else
		visit_confirm(visit);
}

static void on_gone_back(uv_timer_t *timer)
{
	struct visit *visit = timer->data;

	visit_fail(visit, FAILURE_ROLLED_BACK,
	           str_format(visit->arena,
	                      "it was applied and could not be confirmed within %u seconds, so it went back: %.*s",
	                      visit->pusher->settings->deadline, STR_ARG(visit->trouble)),
	           false);
}

/* As long as the machine waits for it, the last time shortly before it does not any more. One that was confirmed, and
 * whose answer was lost, says so again. */
static void confirm_again(struct visit *visit, struct str why)
{
	uint64_t now = uv_now(&visit->pusher->loop), left = visit->back_at > now ? visit->back_at - now : 0;

	visit->trouble = why;
	visit->pause = visit->pause == 0 ? FIRST_PAUSE : visit->pause * 2;
	if (visit->pause > LONGEST_PAUSE)
		visit->pause = LONGEST_PAUSE;
	if (left <= LAST_CHANCE)
		(void)uv_timer_start(&visit->timer, on_gone_back, left, 0);
	else
		(void)uv_timer_start(&visit->timer, on_pause,
		                     visit->pause < left - LAST_CHANCE / 2 ? visit->pause : left - LAST_CHANCE / 2, 0);
}

static void on_refused(struct visit *visit, const struct host_answer *answer, int status)
{
	bool may_pass;
	struct str message;
	enum failure failure = host_failure(visit->arena, answer, status, &message, &may_pass);

	if (failure == FAILURE_ROLLED_BACK && visit->trouble.n > 0)
		message = str_format(visit->arena, "%.*s; before that: %.*s", STR_ARG(message),
		                     STR_ARG(visit->trouble));
	if (may_pass || str_is(answer->word, "disk")) /* it may be written again before it goes back */
		confirm_again(visit, message);
	else
		visit_fail(visit, failure, message, false);
}

static void on_confirmed(void *context, const struct call_result *result)
{
	struct visit *visit = context;
	struct host_answer answer = answer_of(visit->arena, result->output);
	struct str message;

	visit->call = NULL;
	if (visit->lost) {
		visit_end(visit);
	} else if (result->status == HOST_OK && answer.kind == ANSWER_CONFIRMED &&
	           digest_eq(&answer.position, &visit->claim.item.position)) {
		visit_confirmed(visit);
	} else if (answer.kind == ANSWER_ERROR) {
		on_refused(visit, &answer, result->status);
	} else {
		(void)call_failure(visit->arena, visit->pusher->settings, STEP_CONFIRM, result, &message);
		confirm_again(visit, message);
	}
}

/* --- taking it back --- */

static void on_rolled_back(void *context, const struct call_result *result)
{
	struct visit *visit = context;

	visit->call = NULL;
	visit_fail(visit, visit->probe_failed ? FAILURE_PROBE : FAILURE_UNREACHABLE,
	             str_format(visit->arena, "%.*s; %s", STR_ARG(visit->probe_failure),
	                        result->status == HOST_OK ? "it was taken back"
	                                                  : "it goes back by itself, as it could not be told to"),
	             false);
}

void visit_roll_back(struct visit *visit)
{
	struct str words[] = {STR("rollback"), visit->token};

	call_host(visit, STEP_CALL, words, 2, on_rolled_back);
}
