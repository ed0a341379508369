/* One call of a program that speaks to one machine: ssh, scp, or a hook. libuv's loop, no shell, bounded output,
 * a deadline, and a word for what went wrong. Owns no database and knows nothing of bundles but their bytes. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <uv.h>

#include "fleetwall/push.h"

enum step { STEP_COPY, STEP_APPLY, STEP_CONFIRM, STEP_CALL };

struct target {
	struct str name, host;
	unsigned port;
	uint64_t generation;
	struct str directory; /* for %d; may be empty */
};

struct call_result {
	bool started;   /* the program could be run at all; else `errors` says why */
	bool timed_out;
	bool cancelled; /* by call_cancel() */
	bool cut;       /* it printed more than was kept */
	int status;     /* exit code, or 128 + signal */
	struct str output,
		errors; /* bounded: the beginning of the one, the end of the other; valid during the callback */
	size_t sent;    /* bytes of standard input */
	struct str unread; /* why the input could not be read to its end (then it was not sent); empty: it could */
};
typedef void call_done(void *context, const struct call_result *result);

/* What it points to must live until done() returns. */
struct call_request {
	enum step step;
	struct target target;
	struct str remote;     /* the line for the machine's login shell; for STEP_COPY the remote path */
	struct str local;      /* STEP_COPY: the local file */
	struct bundle *input;  /* standard input; NULL: /dev/null. Not closed here */
	unsigned seconds;      /* until it is killed */
	size_t limit;          /* bytes of output to keep */
	call_done *done;       /* always called once, from the loop, unless call_start() returns an error */
	void *context;
};

struct call;
/* A new connection each: with our ssh, ControlMaster=no and ControlPath=none, BatchMode, HostKeyAlias is the name. The
 * process has to ignore SIGPIPE (pipe_signal_ignore()). The call is in `arena`, which may go as soon as done() was
 * called. */
struct error *call_start(struct arena *arena, uv_loop_t *loop, const struct push_settings *settings,
                         const struct call_request *request, struct call **call) MUST_CHECK;
/* Ends it now; done() is still called. */
void call_cancel(struct call *call);
/* What a failed call of ssh means, from its exit code and what it printed (OpenSSH's words): unreachable, host-key,
 * auth, hook. `message` is one line for people. */
enum failure call_failure(struct arena *arena, const struct push_settings *settings, enum step step,
                          const struct call_result *result, struct str *message);

/* Where a file is copied to for an apply with this token: below the home folder of the login user, which is there at
 * the first push as well, and belongs to nobody else. */
struct str remote_file(struct arena *arena, struct str token);

/* The line that runs fleetwall-host with these words on the machine: `exec … fleetwall-host apply …`, with sudo where
 * the user is not root. The bootstrap form, for an apply whose bundle begins with the script, is another (embedded from
 * push/bootstrap.sh). */
struct str remote_line(struct arena *arena, const struct push_settings *settings, bool bootstrap,
                       const struct str *words, size_t count);
/* push/bootstrap.sh: what `sh -c` runs there. It goes between single quotes, and has none. Arguments as of apply. */
struct str push_host_bootstrap(void);

/* Is it one of [A-Za-z0-9._:/-]+, so that it may be a word of such a line? */
bool remote_word(struct str word);

/* For the time of a loop: a program that does not read its input is no reason to end. */
struct pipe_signal {
	void (*before)(int);
};
struct pipe_signal pipe_signal_ignore(void);
void pipe_signal_restore(struct pipe_signal signal);

/* Each call needs a few descriptors. Raises the soft limit as far as it may be; how many calls at once fit, at most
 * `wanted`, at least one. */
unsigned calls_that_fit(unsigned wanted);

#endif
