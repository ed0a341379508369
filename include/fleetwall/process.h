/* Starting programs. This is the one place that does; an argument list is all a program is given, never a shell line.
 */
#ifndef FLEETWALL_PROCESS_H
#define FLEETWALL_PROCESS_H

#include <sys/types.h>

#include "fleetwall/error.h"

struct command {
	/* argv[0] is looked up in PATH, then in /usr/local/sbin, /usr/sbin, /sbin (cron's PATH lacks them). NULL ends
	 * it. */
	const char *const *argv;
	struct str input; /* its standard input; empty is /dev/null */
	uid_t uid;        /* with `as_user`: run as this user, with its groups, from "/" */
	gid_t gid;
	const char *as_user; /* NULL: as we are */
	bool detached;       /* in a session of its own, so that our terminal's signals do not reach it */
};

struct outcome {
	bool started;      /* false: the program was not found, or could not be executed */
	int status;        /* exit code, or 128 + signal */
	struct str output; /* standard output, cut at 1 MiB */
	struct str errors; /* standard error, cut at 64 KiB */
};

/* Runs it and waits. Only failures of our own (fork, pipe) are errors; a program that fails is an outcome. The
 * environment is ours, with LC_ALL=C. */
struct error *process_run(struct arena *arena, const struct command *command, struct outcome *outcome) MUST_CHECK;

/* Runs the commands one after the other in one network namespace made for them and thrown away afterwards (with a user
 * namespace around it when we are not root), until one fails. `*ran` counts those that were run; outcomes[*ran - 1] is
 * the last.
 * `*permitted` is false where this process may not make a namespace: nothing was run then. */
struct error *process_run_apart(struct arena *arena, const struct command *commands, size_t count,
                                struct outcome *outcomes, size_t *ran, bool *permitted) MUST_CHECK;

/* Does something in `workers` processes at once, each in a network namespace of its own as above. What work number
 * `worker` puts into `answer` is answers[worker] here; of an error, the first message comes back. `work` runs in a copy
 * of this process: what it changes is lost, and it must use only what was there before, and process_run(). Forks, so no
 * other thread should run. *permitted as above: then nothing was done. */
struct buf;
typedef struct error *process_work(struct arena *arena, void *context, unsigned worker, struct buf *answer);
struct error *process_apart_each(struct arena *arena, unsigned workers, process_work *work, void *context,
                                 struct str *answers, bool *permitted) MUST_CHECK;

/* Which program this is (same look-up): its file behind all links, size, and time of change. Another version has
 * another identity. Empty if there is none. */
struct str process_identity(struct arena *arena, const char *program);

/* Is there such a program (same look-up)? */
bool process_exists(const char *program);

/* Replaces this process by the program (same look-up); returns only if it can't. */
struct error *process_become(const char *const *argv) MUST_CHECK;

#endif
