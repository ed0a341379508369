/* Starting a child of the loop: its streams, its session, its end. The second and last place that starts programs (the
 * other is base/process); through libuv, with an argument list, never a shell. */
#include <signal.h>
#include <sys/resource.h>

#include "transport_parts.h"

enum {
	DESCRIPTORS_EACH = 5,  /* three streams, and the ends that are the child's for a moment */
	DESCRIPTORS_OURS = 64, /* the database, the store, the loop, our own streams */
};

static void open_pipe(uv_loop_t *loop, uv_pipe_t *pipe, void *context)
{
	(void)uv_pipe_init(loop, pipe, 0); /* always 0 on Unix */
	pipe->data = context;
}

static uv_stdio_container_t stdio(uv_pipe_t *pipe, uv_stdio_flags flags)
{
	return (uv_stdio_container_t){.flags = UV_CREATE_PIPE | flags, .data.stream = (uv_stream_t *)pipe};
}

int child_start(struct child *child, uv_loop_t *loop, char **arguments, char **environment, bool with_input,
                uv_exit_cb on_exit, void *context)
{
	uv_stdio_container_t streams[3];
	uv_process_options_t options = {
		.exit_cb = on_exit,
		.file = arguments[0],
		.args = arguments,
		.env = environment,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = streams,
	};

	open_pipe(loop, &child->out, context);
	open_pipe(loop, &child->err, context);
	child->has_in = with_input;
	streams[0] = (uv_stdio_container_t){.flags = UV_IGNORE}; /* /dev/null */
	if (with_input) {
		open_pipe(loop, &child->in, context);
		streams[0] = stdio(&child->in, UV_READABLE_PIPE);
	}
	streams[1] = stdio(&child->out, UV_WRITABLE_PIPE);
	streams[2] = stdio(&child->err, UV_WRITABLE_PIPE);
	child->has_process = true;
	child->process.data = context;
	return uv_spawn(loop, &child->process, &options);
}

void child_signal(struct child *child, int number)
{
	/* The group is there as long as the child was not waited for. */
	if (child->process.pid > 0)
		(void)kill(-child->process.pid, number);
}

struct pipe_signal pipe_signal_ignore(void)
{
	return (struct pipe_signal){signal(SIGPIPE, SIG_IGN)};
}

void pipe_signal_restore(struct pipe_signal before)
{
	if (before.before != SIG_ERR)
		(void)signal(SIGPIPE, before.before);
}

unsigned calls_that_fit(unsigned wanted)
{
	rlim_t need = (rlim_t)wanted * DESCRIPTORS_EACH + DESCRIPTORS_OURS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return wanted;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	if (limit.rlim_cur >= need)
		return wanted;
	return limit.rlim_cur > DESCRIPTORS_OURS + DESCRIPTORS_EACH
	             ? (unsigned)((limit.rlim_cur - DESCRIPTORS_OURS) / DESCRIPTORS_EACH)
	             : 1;
}
