/* Work spread over threads, where a profile says that it pays. What the work does must not depend on who does it: the
 * result is the same with any number of workers. */
#ifndef FLEETWALL_PARALLEL_H
#define FLEETWALL_PARALLEL_H

#include "fleetwall/error.h"

enum { PARALLEL_MOST = 16 };

/* How many workers pay on this machine: the processors that this process may use, at most PARALLEL_MOST. */
unsigned parallel_workers(void);

/* One item. `worker` is below the number of workers and says whose scratch memory may be used; items are taken in
 * ascending order, some at a time. */
typedef struct error *parallel_item(void *context, unsigned worker, size_t item);

/* Does all items and returns when the last is done. After an error no further items are begun; the error returned is
 * that of the lowest item that failed, so it is the same however the work was spread. With one worker, or one item, no
 * thread is made. Errors may be made in workers. */
struct error *parallel_each(unsigned workers, size_t count, parallel_item *work, void *context) MUST_CHECK;

/* Two things at the same time: `aside` in a thread of its own, `here` in this one. Both run to their end; the errors of
 * both are returned, those of `here` first. */
typedef struct error *parallel_task(void *context);
struct error *parallel_both(parallel_task *here, void *here_context, parallel_task *aside,
                            void *aside_context) MUST_CHECK;

#endif
