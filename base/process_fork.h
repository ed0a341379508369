/* Between the files of the process module: a child that runs a function of ours instead of a program. */
#ifndef BASE_PROCESS_FORK_H
#define BASE_PROCESS_FORK_H

#include "fleetwall/process.h"

/* Forks; the child runs `work` and ends with what it returns, without the exit handlers of the parent. */
struct error *process_fork(int (*work)(void *context), void *context, pid_t *pid) MUST_CHECK;
/* Waits for it: the exit code, or 128 + signal. */
struct error *process_reap(pid_t pid, int *status) MUST_CHECK;

#endif
