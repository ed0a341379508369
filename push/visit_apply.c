/* Sending a machine what it shall have: the bundle, where it needs to be the whole of it or bring the script along, the
 * copy before it with scp, and what the machine answers. Nothing here decides whether it stays. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "visit.h"
#include "transport_parts.h"

enum { OUTPUT_LIMIT = 16384, TOKEN_BYTES = 16 };

#define CONNECTION STR("\"$SSH_CONNECTION\"")

/* --- the bundle --- */

/* One for all forms in which a visit may send: only one of them is applied. */
static struct error *make_token(struct visit *visit)
{
	unsigned char random[TOKEN_BYTES];
	struct buf buf = buf_new(visit->arena);

	if (visit->token.n > 0)
		return NULL;
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return error_errno("asking the kernel for chance");
	for (size_t i = 0; i < sizeof random; i++)
		buf_format(&buf, "%02x", random[i]);
	visit->token = buf_str(&buf);
	return NULL;
}

/* The run says what is pushed, and the store of this pusher has it or not. */
static struct error *find_position(struct visit *visit)
{
	const struct work_item *item = &visit->claim.item;
	struct pusher *pusher = visit->pusher;

	TRY(positions_find(pusher->now, item->machine, &visit->position));
	if (visit->position == NULL || !digest_eq(&visit->position->digest, &item->position))
		return error_new(ERROR_SURROUNDINGS,
		                 "generation %llu in %.*s has another ruleset for this machine than the run says",
		                 (unsigned long long)pusher->info.generation, STR_ARG(pusher->settings->output));
	return NULL;
}

static unsigned port_of(const struct visit *visit)
{
	return visit->claim.contact.ssh_port != 0 ? visit->claim.contact.ssh_port
	                                            : visit->pusher->settings->ssh_port;
}

static struct error *make_bundle(struct visit *visit)
{
	const struct push_settings *settings = visit->pusher->settings;
	const struct work_item *item = &visit->claim.item;
	struct bundle_request request = {
		.machine = item->machine,
		.machine_id = visit->claim.state.machine_id,
		.fence = visit->claim.fence,
		.now = visit->pusher->now,
		.deadline = settings->deadline,
		.ssh_port = port_of(visit),
		.management = settings->management,
		.management_count = settings->management_count,
		.adopt = item->adopt,
		.rollback = item->rollback,
		.cut = item->cut,
		.script = visit->with_script ? push_host_script() : STR(""),
	};

	TRY(find_position(visit));
	TRY(make_token(visit));
	if (!visit->whole)
		visit->before = before_hold(visit->pusher, &visit->claim.state);
	request.token = visit->token;
	request.before = visit->before != NULL ? visit->before->positions : NULL;
	return bundle_make(visit->arena, &request, &visit->bundle);
}

/* --- what it answers --- */

static bool runs_what_it_should(const struct visit *visit, const struct host_answer *answer, int status)
{
	return status == HOST_OK && (answer->kind == ANSWER_APPLIED || answer->kind == ANSWER_ALREADY) &&
	       digest_eq(&answer->position, &visit->claim.item.position);
}

static void warn_of_sessions(struct visit *visit, unsigned sessions)
{
	visit_warn(visit,
	           str_format(visit->arena,
	                      "%u open session%s unknown to conntrack will be cut where the new rules do not let "
	                      "%s in: enforcement = monitor would show that first, and refuse nothing",
	                      sessions, str_plural(sessions), sessions == 1 ? "it" : "them"));
}

static void note_answer(struct visit *visit, const struct host_answer *answer)
{
	static const struct digest none = {{0}};

	visit->machine_id = answer->machine_id;
	if (!digest_eq(&answer->script, &none))
		visit->script = answer->script;
	else if (visit->with_script)
		visit->script = push_host_digest();
	for (size_t i = 0; i < answer->warning_count; i++)
		visit_warn(visit, answer->warnings[i]);
	if (answer->sessions > 0 && (visit->claim.state.confirmed.generation == 0 || visit->claim.state.whole) &&
	    visit->position->mode != POSITION_MONITOR)
		warn_of_sessions(visit, answer->sessions);
}

static void on_good(struct visit *visit, const struct host_answer *answer)
{
	struct pusher *pusher = visit->pusher;

	note_answer(visit, answer);
	visit->already = answer->kind == ANSWER_ALREADY;
	if (visit->already) {
		visit_confirmed(visit);
		return;
	}
	visit->back_at = uv_now(&pusher->loop) + pusher->settings->deadline * 1000ull;
	visit_tell(visit, PUSH_APPLIED, FAILURE_UNREACHABLE, STR(""));
	visit_probe(visit);
}

/* Is it worth sending again at once, in another form? Each form is tried once. */
static bool wants_other_form(struct visit *visit, const struct host_answer *answer, int status)
{
	if (answer_lacks_script(answer, status) && !visit->with_script) {
		visit->with_script = true;
		return true;
	}
	if (status == HOST_BASE && answer->kind == ANSWER_ERROR && !visit->whole) {
		visit->whole = true;
		return true;
	}
	return false;
}

static void on_bad(struct visit *visit, const struct host_answer *answer, const struct call_result *result)
{
	bool may_pass = false;
	struct str message;
	enum failure failure;

	if (answer->kind == ANSWER_ERROR)
		failure = host_failure(visit->arena, answer, result->status, &message, &may_pass);
	else
		failure = call_failure(visit->arena, visit->pusher->settings, STEP_APPLY, result, &message);
	if (failure == FAILURE_HOOK && result->status == HOST_OK)
		message = STR("fleetwall-host ended well, but did not say that it applied what was sent");
	visit_fail(visit, failure, message, may_pass);
}

static void on_applied(void *context, const struct call_result *result)
{
	struct visit *visit = context;
	struct host_answer answer = answer_of(visit->arena, result->output);

	visit->call = NULL;
	visit->bytes += result->sent;
	visit_close_bundle(visit);
	if (visit->lost)
		visit_end(visit);
	else if (runs_what_it_should(visit, &answer, result->status))
		on_good(visit, &answer);
	else if (result->unread.n == 0 && wants_other_form(visit, &answer, result->status))
		visit_offer(visit, visit_apply);
	else
		on_bad(visit, &answer, result);
}

/* --- sending it --- */

static void send_bundle(struct visit *visit)
{
	const struct push_settings *settings = visit->pusher->settings;
	struct digest digest = push_host_digest();
	struct str words[4] = {STR("apply"), STR(""), CONNECTION, STR("")};
	char hex[65];

	digest_hex(&digest, hex);
	words[1] = str_of(hex);
	if (settings->scp)
		words[3] = remote_file(visit->arena, visit->token);
	(void)visit_call(visit, &(struct call_request){
					    .step = STEP_APPLY,
					    .target = visit_target(visit),
					    .remote = remote_line(visit->arena, settings, visit->with_script, words,
	                                                          settings->scp ? 4 : 3),
					    .input = settings->scp ? NULL : visit->bundle,
					    .seconds = settings->connect + settings->step,
					    .limit = OUTPUT_LIMIT,
					    .done = on_applied,
					    .context = visit,
				    });
}

/* --- with scp: a copy first --- */

static struct error *write_all(int descriptor, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(descriptor, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_errno("writing the copy of a bundle");
		bytes += written;
		size -= (size_t)written;
	}
	return NULL;
}

static struct error *write_bundle(struct bundle *bundle, int descriptor)
{
	char bytes[16384];
	size_t got;

	do {
		TRY(bundle_read(bundle, bytes, sizeof bytes, &got));
		TRY(write_all(descriptor, bytes, got));
	} while (got > 0);
	return NULL;
}

/* For our eyes only, and not longer than the copy takes. */
static struct error *make_file(struct visit *visit)
{
	const char *folder = getenv("TMPDIR");
	char *path = str_c(visit->arena,
	                   str_format(visit->arena, "%s/fleetwall-push-XXXXXX",
	                              folder != NULL && folder[0] == '/' ? folder : "/tmp"));
	int descriptor = mkostemp(path, O_CLOEXEC);
	struct error *error;

	if (descriptor < 0)
		return error_errno("making %s", path);
	visit->file = str_of(path);
	error = write_bundle(visit->bundle, descriptor);
	if (close(descriptor) != 0 && error == NULL)
		error = error_errno("writing %s", path);
	return error;
}

static void on_copied(void *context, const struct call_result *result)
{
	struct visit *visit = context;
	struct str message;
	enum failure failure;

	visit->call = NULL;
	if (visit->lost) {
		visit_end(visit);
	} else if (result->started && result->status == 0) {
		visit->bytes += bundle_size(visit->bundle);
		visit_offer(visit, send_bundle);
	} else {
		failure = call_failure(visit->arena, visit->pusher->settings, STEP_COPY, result, &message);
		visit_fail(visit, failure, message, false);
	}
}

static void copy_bundle(struct visit *visit)
{
	const struct push_settings *settings = visit->pusher->settings;
	struct error *error = make_file(visit);

	if (error != NULL) {
		visit_fail(visit, FAILURE_DAMAGED, error->message, false);
		return;
	}
	(void)visit_call(visit, &(struct call_request){
					    .step = STEP_COPY,
					    .target = visit_target(visit),
					    .remote = remote_file(visit->arena, visit->token),
					    .local = visit->file,
					    .seconds = settings->connect + settings->step,
					    .limit = OUTPUT_LIMIT,
					    .done = on_copied,
					    .context = visit,
				    });
}

/* What is wrong, and what to do about it. */
static void fail_damaged(struct visit *visit, const struct error *error)
{
	struct str message = str_format(visit->arena, "%.*s%s%.*s", STR_ARG(error->message),
	                                error->hint.n > 0 ? "; " : "", STR_ARG(error->hint));

	visit_fail(visit, FAILURE_DAMAGED, call_plain(visit->arena, message), false);
}

void visit_apply(struct visit *visit)
{
	struct error *error = make_bundle(visit);

	if (error != NULL)
		fail_damaged(visit, error);
	else if (visit->pusher->settings->scp)
		copy_bundle(visit);
	else
		send_bundle(visit);
}
