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
	bool started;   /* the program could be run at all */
	bool timed_out;
	bool cut;       /* it printed more than was kept */
	int status;     /* exit code, or 128 + signal */
	struct str output, errors; /* bounded; valid during the callback */
	size_t sent;    /* bytes of standard input */
};
typedef void call_done(void *context, const struct call_result *result);

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
/* A new connection each: with our ssh, ControlMaster=no and ControlPath=none, BatchMode, HostKeyAlias is the name. */
struct error *call_start(struct arena *arena, uv_loop_t *loop, const struct push_settings *settings,
                         const struct call_request *request, struct call **call) MUST_CHECK;
/* Ends it now; done() is still called. */
void call_cancel(struct call *call);
/* What a failed call of ssh means, from its exit code and what it printed (OpenSSH's words): unreachable, host-key,
 * auth, hook. `message` is one line for people. */
enum failure call_failure(struct arena *arena, const struct push_settings *settings, enum step step,
                          const struct call_result *result, struct str *message);

/* The line that runs fleetwall-host with these words on the machine: `exec … fleetwall-host apply …`, with sudo where
 * the user is not root. The bootstrap form, for an apply whose bundle begins with the script, is another (embedded from
 * push/bootstrap.sh). */
struct str remote_line(struct arena *arena, const struct push_settings *settings, bool bootstrap,
                       const struct str *words, size_t count);

#endif
