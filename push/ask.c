/* Questions to many machines, some at once. Each answers, or there is a reason why not; nothing is tried again,
 * and nothing is kept but the answers. */
#include "answer.h"
#include "fleetwall/arena.h"
#include "transport_parts.h"

struct asking {
	struct arena *arena;
	const struct push_settings *settings;
	const struct host_question *questions;
	struct answer *answers;
	size_t count, next, limit;
	unsigned running, parallel;
	uv_loop_t loop;
};

struct asked {
	struct asking *asking;
	struct answer *answer;
	struct arena *arena; /* of the call */
};

static void ask_more(struct asking *asking);

/* What fleetwall-host says counts, also if it says no; ssh's own failures don't. */
static void take_answer(struct asked *asked, const struct call_result *result)
{
	struct arena *arena = asked->asking->arena;
	struct answer *answer = asked->answer;
	struct host_answer said = answer_of(asked->arena, result->output);

	answer->output = result->cut ? STR("") : str_copy(arena, result->output);
	answer->status = result->status;
	answer->answered = result->started && !result->timed_out && !result->cut &&
	                   (result->status <= HOST_NO || said.kind == ANSWER_ERROR);
	answer->message = said.kind == ANSWER_ERROR
	                          ? str_format(arena, "%.*s: %.*s", STR_ARG(said.word), STR_ARG(said.text))
	                          : call_plain(arena, str_slice(result->output, 0, str_find(result->output, '\n')));
	if (answer->answered)
		return;
	if (result->cut) {
		answer->cut = true;
		answer->failure = FAILURE_HOOK;
		answer->message = STR("the answer is longer than it can be");
	} else if (answer_lacks_script(&said, result->status)) {
		answer->failure = FAILURE_REFUSED;
		answer->message = STR("it has no fleetwall-host: nothing was pushed to it, or it was installed anew; "
		                      "then: fleetwall machine forget, and push");
	} else {
		answer->failure =
			call_failure(arena, asked->asking->settings, STEP_CALL, result, &answer->message);
	}
}

static void on_answered(void *context, const struct call_result *result)
{
	struct asked *asked = context;
	struct asking *asking = asked->asking;

	take_answer(asked, result);
	arena_free(asked->arena);
	asking->running--;
	ask_more(asking);
}

static void ask(struct asking *asking, size_t at)
{
	const struct push_settings *settings = asking->settings;
	const struct host_question *question = &asking->questions[at];
	const struct contact *contact = question->contact;
	struct arena *arena = arena_new();
	struct asked *asked = ARENA_NEW(arena, struct asked);
	struct call_request request = {
		.step = STEP_CALL,
		.target = {.name = contact->machine,
	                   .host = contact->host,
	                   .port = contact->ssh_port != 0 ? contact->ssh_port : settings->ssh_port},
		.remote = remote_line(arena, settings, false, question->words, question->word_count),
		.seconds = settings->connect + settings->step,
		.limit = asking->limit,
		.done = on_answered,
		.context = asked,
	};
	struct error *error;
	struct call *call;

	*asked = (struct asked){asking, &asking->answers[at], arena};
	asking->answers[at] = (struct answer){.machine = contact->machine, .message = STR(""), .output = STR("")};
	error = call_start(arena, &asking->loop, settings, &request, &call);
	asking->running += error == NULL;
	if (error == NULL)
		return;
	asked->answer->failure = FAILURE_HOOK;
	asked->answer->message = error->message;
	arena_free(arena);
}

static void ask_more(struct asking *asking)
{
	while (asking->running < asking->parallel && asking->next < asking->count)
		ask(asking, asking->next++);
}

struct error *push_ask(struct arena *arena, const struct push_settings *settings, const struct host_question *questions,
                       size_t count, size_t limit, struct answer *answers)
{
	struct asking asking = {
		.arena = arena,
		.settings = settings,
		.questions = questions,
		.answers = answers,
		.count = count,
		.limit = limit,
		.parallel = calls_that_fit(settings->parallel > 0 ? settings->parallel : 1),
	};
	struct pipe_signal before;

	if (uv_loop_init(&asking.loop) != 0)
		return error_new(ERROR_SURROUNDINGS, "can't make a loop");
	before = pipe_signal_ignore();
	ask_more(&asking);
	(void)uv_run(&asking.loop, UV_RUN_DEFAULT);
	pipe_signal_restore(before);
	(void)uv_loop_close(&asking.loop); /* nothing is open: every call has ended */
	return NULL;
}
