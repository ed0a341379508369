/* A call from its start to its end: feeding the child as fast as it reads, keeping a bounded part of what it prints,
 * ending it when its time is over. Knows neither ssh nor bundles; done() comes when no handle is left. */
#include "transport.h"

#include <signal.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "transport_parts.h"

enum {
	PIECE = 4096,         /* bytes of input at a time; each machine in flight may hold one */
	ERRORS_LIMIT = 16384, /* bytes of standard error that are kept: the last ones */
	KILL_AFTER = 2000,    /* milliseconds from TERM to KILL, and from KILL to giving up */
	LINGER = 500,         /* milliseconds for what an ended child's own children may still print */
};

/* What a stream printed, at most `limit` bytes of it. */
struct kept {
	struct buf text;
	size_t limit;
	bool cut;
};

/* How far the end has come. */
enum ending { RUNNING, TERMINATED, KILLED, CLOSING };

struct call {
	struct call_request request;
	struct arena *arena;
	struct child child;
	uv_timer_t timer;
	uv_write_t write;
	struct kept output, errors;
	struct call_result result;
	enum ending ending;
	bool exited, looked, writing;
	unsigned handles; /* that are being closed */
	char *rest;       /* what the child did not take at once; made when it is needed first */
};

/* --- the end --- */

static void finish(struct call *call)
{
	call->result.output = buf_str(&call->output.text);
	call->result.errors = buf_str(&call->errors.text);
	call->result.cut = call->output.cut;
	call->request.done(call->request.context, &call->result);
}

static void on_closed(uv_handle_t *handle)
{
	struct call *call = handle->data;

	call->handles--;
	if (call->ending == CLOSING && call->handles == 0)
		finish(call);
}

static void close_handle(struct call *call, uv_handle_t *handle)
{
	if (uv_is_closing(handle))
		return;
	call->handles++;
	uv_close(handle, on_closed);
}

static void close_all(struct call *call)
{
	struct child *child = &call->child;

	if (call->ending == CLOSING)
		return;
	call->ending = CLOSING;
	if (child->has_in)
		close_handle(call, (uv_handle_t *)&child->in);
	close_handle(call, (uv_handle_t *)&child->out);
	close_handle(call, (uv_handle_t *)&child->err);
	close_handle(call, (uv_handle_t *)&child->process);
	close_handle(call, (uv_handle_t *)&call->timer);
}

static void on_time(uv_timer_t *timer);

static void after(struct call *call, unsigned milliseconds)
{
	(void)uv_timer_start(&call->timer, on_time, milliseconds, 0); /* fails only for a closing timer */
}

static void end_child(struct call *call)
{
	if (call->ending != RUNNING || call->exited)
		return;
	call->ending = TERMINATED;
	child_signal(&call->child, SIGTERM);
	after(call, KILL_AFTER);
}

static void on_time(uv_timer_t *timer)
{
	struct call *call = timer->data;

	if (call->exited && !call->looked) {
		call->looked = true; /* what it printed may wait longer than that for a busy loop: once more round */
		after(call, 1);
	} else if (call->exited || !call->result.started || call->ending == KILLED) {
		close_all(call);
	} else if (call->ending == TERMINATED) {
		call->ending = KILLED;
		child_signal(&call->child, SIGKILL);
		after(call, KILL_AFTER);
	} else {
		call->result.timed_out = true;
		end_child(call);
	}
}

static bool is_open(const uv_pipe_t *pipe)
{
	return !uv_is_closing((const uv_handle_t *)pipe);
}

static void on_exit(uv_process_t *process, int64_t status, int number)
{
	struct call *call = process->data;

	call->exited = true;
	call->result.status = number != 0 ? 128 + number : (int)status;
	if (call->ending == CLOSING)
		return;
	if (call->ending != RUNNING)
		child_signal(&call->child, SIGKILL); /* what it started, and did not take along */
	if (!is_open(&call->child.out) && !is_open(&call->child.err))
		close_all(call);
	else
		after(call, LINGER);
}

/* --- what it prints --- */

/* Of standard output the beginning is kept, of standard error the end, which says why. */
static void keep(struct kept *kept, struct str bytes, bool the_end)
{
	size_t room = kept->limit - kept->text.n;

	if (bytes.n <= room) {
		buf_add(&kept->text, bytes);
		return;
	}
	kept->cut = true;
	if (!the_end) {
		buf_add(&kept->text, str_slice(bytes, 0, room));
		return;
	}
	bytes = str_slice(bytes, bytes.n > kept->limit ? bytes.n - kept->limit : 0, bytes.n);
	room = kept->limit - bytes.n; /* for what was there before */
	if (room > kept->text.n)
		room = kept->text.n;
	if (room > 0)
		memmove(kept->text.p, kept->text.p + kept->text.n - room, room);
	kept->text.n = room;
	buf_add(&kept->text, bytes);
}

/* One buffer for all: what is read is taken before the next read. */
static void on_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	static _Thread_local char bytes[65536];

	(void)handle;
	(void)wanted;
	*buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct call *call = stream->data;
	bool is_errors = stream == (uv_stream_t *)&call->child.err;

	if (size > 0)
		keep(is_errors ? &call->errors : &call->output, (struct str){buffer->base, (size_t)size}, is_errors);
	if (size >= 0)
		return;
	close_handle(call, (uv_handle_t *)stream);
	if (call->exited && !is_open(&call->child.out) && !is_open(&call->child.err))
		close_all(call);
}

/* --- what it reads --- */

static void feed(struct call *call);

static void on_written(uv_write_t *write, int status)
{
	struct call *call = write->data;

	call->writing = false;
	if (status == 0 && call->ending == RUNNING)
		feed(call);
	else if (call->child.has_in)
		close_handle(call, (uv_handle_t *)&call->child.in); /* it does not want more: its exit code says why */
}

/* What the child has no room for now waits in the call, and the loop sends it. False: nothing more can be sent. */
static bool send_later(struct call *call, struct str bytes)
{
	uv_buf_t buffer;

	if (call->rest == NULL)
		call->rest = arena_raw(call->arena, PIECE);
	memcpy(call->rest, bytes.p, bytes.n);
	buffer = uv_buf_init(call->rest, (unsigned)bytes.n);
	call->write.data = call;
	call->writing = uv_write(&call->write, (uv_stream_t *)&call->child.in, &buffer, 1, on_written) == 0;
	return call->writing;
}

static bool send_piece(struct call *call, struct str bytes)
{
	uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes.p, (unsigned)bytes.n);
	int taken = uv_try_write((uv_stream_t *)&call->child.in, &buffer, 1);

	if (taken < 0 && taken != UV_EAGAIN)
		return false;
	call->result.sent += bytes.n;
	bytes = str_slice(bytes, taken < 0 ? 0 : (size_t)taken, bytes.n);
	return bytes.n == 0 || send_later(call, bytes);
}

/* The child must not take half of the input for the whole; and what it did so far is undone by its own rules. */
static void give_up_input(struct call *call, const struct error *error)
{
	call->result.unread = str_copy(call->arena, error->message);
	end_child(call);
}

/* As much as it takes at once; then the loop says when there is room again. */
static void feed(struct call *call)
{
	char bytes[PIECE];

	while (!call->writing) {
		struct error *error;
		size_t got = 0;

		error = bundle_read(call->request.input, bytes, sizeof bytes, &got);
		if (error != NULL) {
			give_up_input(call, error);
			return;
		}
		if (got == 0 || !send_piece(call, (struct str){bytes, got})) {
			close_handle(call, (uv_handle_t *)&call->child.in);
			return;
		}
	}
}

/* --- the start --- */

static void begin(struct call *call, int failure)
{
	if (failure != 0) {
		keep(&call->errors, str_of(uv_strerror(failure)), true);
		after(call, 0); /* done() is called from the loop, always */
		return;
	}
	call->result.started = true;
	after(call, call->request.seconds * 1000);
	(void)uv_read_start((uv_stream_t *)&call->child.out, on_buffer, on_read);
	(void)uv_read_start((uv_stream_t *)&call->child.err, on_buffer, on_read);
	if (call->request.input != NULL)
		feed(call);
}

struct error *call_start(struct arena *arena, uv_loop_t *loop, const struct push_settings *settings,
                         const struct call_request *request, struct call **started)
{
	struct call *call = ARENA_NEW(arena, struct call);
	char **arguments;
	int failure;

	TRY(call_arguments(arena, settings, request, &arguments));
	call->request = *request;
	call->arena = arena;
	call->output = (struct kept){buf_new(arena), request->limit, false};
	call->errors = (struct kept){buf_new(arena), ERRORS_LIMIT, false};
	call->result.status = 127;
	call->result.unread = STR("");
	(void)uv_timer_init(loop, &call->timer); /* always 0 */
	call->timer.data = call;
	failure = child_start(&call->child, loop, arguments, call_environment(arena), request->input != NULL, on_exit,
	                      call);
	begin(call, failure);
	*started = call;
	return NULL;
}

void call_cancel(struct call *call)
{
	call->result.cancelled = true;
	end_child(call);
}
