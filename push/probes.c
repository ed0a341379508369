/* What must, or must not, answer once a machine has its new ruleset and before that is confirmed: all of it is tried at
 * once, from here or from other machines. One that fails takes the ruleset back; one that its own machine can't try
 * yet, because nothing was pushed there, is told. */
#include "fleetwall/arena.h"
#include "visit.h"

enum { OUTPUT_LIMIT = 4096, CALL_EXTRA = 5 };

struct attempt {
	struct visit *visit;
	const struct probe *probe;
	struct call *call;
};

static void one_less(struct visit *visit)
{
	if (--visit->probes_open > 0)
		return;
	if (visit->lost)
		visit_end(visit);
	else if (visit->probe_failure.n > 0)
		visit_roll_back(visit);
	else
		visit_confirm(visit);
}

static void failed(struct attempt *attempt, const char *what, struct str why)
{
	struct visit *visit = attempt->visit;
	const struct probe *probe = attempt->probe;

	if (visit->probe_failure.n > 0)
		return;
	visit->probe_failure =
		str_format(visit->arena, "probe %.*s from %.*s: it %s%s%.*s", STR_ARG(probe->what),
	                   STR_ARG(probe->source.n > 0 ? probe->source : STR("here")), what, why.n > 0 ? ": " : "",
	                   STR_ARG(why));
}

static void judge(struct attempt *attempt, bool answered, struct str why)
{
	if (answered && !attempt->probe->open)
		failed(attempt, "answers, and must not", STR(""));
	else if (!answered && attempt->probe->open)
		failed(attempt, "does not answer", why);
	one_less(attempt->visit);
}

static void on_tried(void *context, bool answered, struct str why)
{
	judge(context, answered, why);
}

/* --- from another machine --- */

static void on_called(void *context, const struct call_result *result)
{
	struct attempt *attempt = context;
	struct visit *visit = attempt->visit;
	struct host_answer answer = answer_of(visit->arena, result->output);
	struct str message;

	if (result->status == HOST_OK || (result->status == HOST_NO && answer.kind == ANSWER_NONE)) {
		judge(attempt, result->status == HOST_OK, STR(""));
		return;
	}
	if (answer_lacks_script(&answer, result->status)) {
		visit_warn(visit, str_format(visit->arena,
		                                 "the probe %.*s was not tried: %.*s has no fleetwall-host of this "
		                                 "version yet",
		                                 STR_ARG(attempt->probe->what), STR_ARG(attempt->probe->source)));
	} else {
		(void)call_failure(visit->arena, visit->pusher->settings, STEP_CALL, result, &message);
		failed(attempt, "could not be tried", message);
	}
	one_less(visit);
}

static const struct contact *find_source(const struct visit *visit, struct str name)
{
	for (size_t i = 0; i < visit->source_count; i++)
		if (str_eq(visit->sources[i].machine, name))
			return &visit->sources[i];
	return NULL;
}

static void try_from(struct attempt *attempt, const struct contact *source, struct str port)
{
	struct visit *visit = attempt->visit;
	const struct push_settings *settings = visit->pusher->settings;
	struct str words[] = {STR("probe"), visit->claim.contact.host, port,
	                      str_format(visit->arena, "%u", settings->probe_wait)};
	struct call_request request = {
		.step = STEP_CALL,
		.target = visit_target(visit),
		.seconds = settings->connect + settings->probe_wait + CALL_EXTRA,
		.limit = OUTPUT_LIMIT,
		.done = on_called,
		.context = attempt,
	};
	struct error *error;

	request.target.name = source->machine;
	request.target.host = source->host;
	request.target.port = source->ssh_port != 0 ? source->ssh_port : settings->ssh_port;
	request.remote = remote_line(visit->arena, settings, false, words, 4);
	error = call_start(visit->arena, &visit->pusher->loop, settings, &request, &attempt->call);
	if (error == NULL)
		return;
	failed(attempt, "could not be tried", error->message);
	one_less(visit);
}

/* --- all of them --- */

static void begin(struct attempt *attempt)
{
	struct visit *visit = attempt->visit;
	const struct probe *probe = attempt->probe;
	const struct contact *source = find_source(visit, probe->source);
	struct str rest = probe->what, port = STR("");
	uint64_t number = 0;

	if (!str_cut(&rest, '/', &port) || !str_number(port, 65535, &number) || !str_is(rest, "tcp")) {
		failed(attempt, "can't be tried", STR("only PORT/tcp can"));
	} else if (probe->source.n == 0) {
		probe_tcp(visit->arena, &visit->pusher->loop, visit->claim.contact.host, (unsigned)number,
		          visit->pusher->settings->probe_wait, on_tried, attempt);
		return;
	} else if (source == NULL || !remote_word(visit->claim.contact.host)) {
		failed(attempt, "can't be tried", STR("that machine, or the host, is not known well enough"));
	} else {
		try_from(attempt, source, port);
		return;
	}
	one_less(visit);
}

void visit_probe(struct visit *visit)
{
	struct attempt *attempts = ARENA_ARRAY(visit->arena, struct attempt, visit->probe_count);
	size_t count = visit->probe_count;

	visit->probe_failure = STR("");
	visit->probes_open = count + 1; /* this function: the last one may end while others have not begun */
	for (size_t i = 0; i < count; i++) {
		attempts[i] = (struct attempt){.visit = visit, .probe = &visit->probes[i]};
		begin(&attempts[i]);
	}
	one_less(visit);
}
