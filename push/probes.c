/* What must, or must not, answer once a machine has its new ruleset and before that is confirmed: all of it is tried at
 * once, from here or from other machines. One that fails takes the ruleset back, and so does one that could not be
 * tried, which may do next time; one that its own machine can't try yet, because nothing was pushed there, is told. */
#include "fleetwall/arena.h"
#include "visit.h"

enum { OUTPUT_LIMIT = 4096, CALL_EXTRA = 5 };

struct attempt {
	struct visit *visit;
	const struct probe *probe;
	struct call *call;
	const struct contact *source; /* NULL: from here */
	struct str port;
	uv_getaddrinfo_t resolve;
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

/* The first that failed is told; before that, the first that could not be tried. */
static void failed(struct attempt *attempt, bool tried, const char *what, struct str why)
{
	struct visit *visit = attempt->visit;
	const struct probe *probe = attempt->probe;

	if (visit->probe_failure.n > 0 && (visit->probe_failed || !tried))
		return;
	visit->probe_failed = tried;
	visit->probe_failure =
		str_format(visit->arena, "probe %.*s from %.*s: it %s%s%.*s", STR_ARG(probe->what),
	                   STR_ARG(probe->source.n > 0 ? probe->source : STR("here")), what, why.n > 0 ? ": " : "",
	                   STR_ARG(why));
}

static void judge(struct attempt *attempt, bool answered, struct str why)
{
	if (answered && !attempt->probe->open)
		failed(attempt, true, "answers, and must not", STR(""));
	else if (!answered && attempt->probe->open)
		failed(attempt, true, "does not answer", why);
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
		failed(attempt, false, "could not be tried", message);
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

static void not_tried(struct attempt *attempt, struct str why)
{
	failed(attempt, false, "could not be tried", why);
	one_less(attempt->visit);
}

/* fleetwall-host takes addresses alone. */
static void try_from_source(struct attempt *attempt, struct str address)
{
	struct visit *visit = attempt->visit;
	const struct push_settings *settings = visit->pusher->settings;
	const struct contact *source = attempt->source;
	struct str words[] = {STR("probe"), address, attempt->port,
	                      str_format(visit->arena, "%u", settings->probe_wait)};
	struct call_request request = {
		.step = STEP_CALL,
		.target = visit_target(visit),
		.remote = remote_line(visit->arena, settings, false, words, 4),
		.seconds = settings->connect + settings->probe_wait + CALL_EXTRA,
		.limit = OUTPUT_LIMIT,
		.done = on_called,
		.context = attempt,
	};
	struct error *error;

	request.target.name = source->machine;
	request.target.host = source->host;
	request.target.port = source->ssh_port != 0 ? source->ssh_port : settings->ssh_port;
	error = call_start(visit->arena, &visit->pusher->loop, settings, &request, &attempt->call);
	if (error != NULL)
		not_tried(attempt, error->message);
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *found)
{
	struct attempt *attempt = resolve->data;
	char address[INET6_ADDRSTRLEN] = "";

	if (status == 0)
		status = getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL, 0,
		                     NI_NUMERICHOST);
	uv_freeaddrinfo(found);
	if (status == 0 && remote_word(str_of(address)))
		try_from_source(attempt, str_copy(attempt->visit->arena, str_of(address)));
	else
		not_tried(attempt, STR("the machine's host can't be looked up"));
}

static void try_from(struct attempt *attempt)
{
	struct visit *visit = attempt->visit;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const char *host = str_c(visit->arena, visit->claim.contact.host);
	struct in6_addr six;
	struct in_addr four;

	if (uv_inet_pton(AF_INET, host, &four) == 0 || uv_inet_pton(AF_INET6, host, &six) == 0) {
		try_from_source(attempt, visit->claim.contact.host);
		return;
	}
	attempt->resolve.data = attempt;
	if (uv_getaddrinfo(&visit->pusher->loop, &attempt->resolve, on_resolved, host, NULL, &hints) != 0)
		not_tried(attempt, STR("the machine's host can't be looked up"));
}

/* --- all of them --- */

static void begin(struct attempt *attempt)
{
	struct visit *visit = attempt->visit;
	const struct probe *probe = attempt->probe;
	struct str rest = probe->what;
	uint64_t port = 0;

	(void)str_cut(&rest, '/', &attempt->port);
	attempt->source = find_source(visit, probe->source);
	if (!str_number(attempt->port, 65535, &port) || !str_is(rest, "tcp"))
		not_tried(attempt, STR("only PORT/tcp can be"));
	else if (probe->source.n == 0)
		probe_tcp(visit->arena, &visit->pusher->loop, visit->claim.contact.host, (unsigned)port,
		          visit->pusher->settings->probe_wait, on_tried, attempt);
	else if (attempt->source == NULL)
		not_tried(attempt, STR("that machine is not in the inventory"));
	else
		try_from(attempt);
}

void visit_probe(struct visit *visit)
{
	struct attempt *attempts = ARENA_ARRAY(visit->arena, struct attempt, visit->probe_count);
	size_t count = visit->probe_count;

	visit->probe_failure = STR("");
	visit->probe_failed = false;
	visit->probes_open = count + 1; /* this function: the last one may end while others have not begun */
	for (size_t i = 0; i < count; i++) {
		attempts[i] = (struct attempt){.visit = visit, .probe = &visit->probes[i]};
		begin(&attempts[i]);
	}
	one_less(visit);
}
