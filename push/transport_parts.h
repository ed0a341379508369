/* What the files of the transport share: the argument list of a call, and the child with its streams. */
#ifndef TRANSPORT_PARTS_H
#define TRANSPORT_PARTS_H

#include "fleetwall/buf.h"

#include "transport.h"

/* --- transport_hook.c --- */

/* The argument list of the program that does this step, NULL at its end. ERROR_INPUT where a hook's % makes no sense,
 * or a host or name could be taken for something else. */
struct error *call_arguments(struct arena *arena, const struct push_settings *settings,
                             const struct call_request *request, char ***arguments) MUST_CHECK;
/* The hook of the step, or NULL: the built-in program does it. */
const struct hook *call_hook(const struct push_settings *settings, enum step step);
/* Ours, with LC_ALL=C, so that the words of ssh are those that we know */
char **call_environment(struct arena *arena);

/* --- transport_failure.c --- */

/* One line of it, without control characters and bad UTF-8, cut where it is long. */
struct str call_plain(struct arena *arena, struct str text);

/* --- transport_spawn.c --- */

struct child {
	uv_process_t process;
	uv_pipe_t in, out, err;
	bool has_in, has_process;
};
/* Starts it in a session of its own: signals of our terminal don't reach it, and it can be ended with all that it
 * started. The handles are the loop's from now on, also where it returns a libuv error, and their data is `context`. */
int child_start(struct child *child, uv_loop_t *loop, char **arguments, char **environment, bool with_input,
                uv_exit_cb on_exit, void *context);
void child_signal(struct child *child, int number);

#endif
