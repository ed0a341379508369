/* Threads for work that divides: a fixed number of workers that take items in order. The one place that makes threads.
 * Knows nothing of what the work is; whoever shares memory between items sees to it that nobody writes there. */
#include "fleetwall/parallel.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

unsigned parallel_workers(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return count < 1 ? 1 : count > PARALLEL_MOST ? PARALLEL_MOST : (unsigned)count;
}

/* Items of one call, as its workers share them. */
struct sharing {
	parallel_item *work;
	void *context;
	size_t count;
	atomic_size_t next;
	atomic_bool failed; /* nobody begins anything more */
	pthread_mutex_t lock;
	size_t failed_item; /* the lowest, under the lock */
	struct error *error;
};

struct worker {
	struct sharing *sharing;
	unsigned number;
	pthread_t thread;
};

static void note(struct sharing *sharing, size_t item, struct error *error)
{
	pthread_mutex_lock(&sharing->lock);
	if (sharing->error == NULL || item < sharing->failed_item) {
		sharing->error = error;
		sharing->failed_item = item;
	}
	pthread_mutex_unlock(&sharing->lock);
	atomic_store(&sharing->failed, true);
}

/* Items are taken in order, so when one fails, all below it were begun and come to their end: the lowest one that fails
 * is the same however they were spread. */
static void *take(void *argument)
{
	const struct worker *worker = argument;
	struct sharing *sharing = worker->sharing;

	while (!atomic_load(&sharing->failed)) {
		size_t item = atomic_fetch_add(&sharing->next, 1);

		if (item >= sharing->count)
			break;
		struct error *error = sharing->work(sharing->context, worker->number, item);

		if (error != NULL)
			note(sharing, item, error);
	}
	return NULL;
}

/* Signals are the business of the thread that was there first. */
static bool start(pthread_t *thread, void *(*body)(void *), void *argument)
{
	sigset_t all, before;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	bool started = pthread_create(thread, NULL, body, argument) == 0;

	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct error *parallel_each(unsigned workers, size_t count, parallel_item *work, void *context)
{
	struct sharing sharing = {.work = work, .context = context, .count = count};
	struct worker all[PARALLEL_MOST];
	unsigned started = 1;

	assert(workers > 0);
	pthread_mutex_init(&sharing.lock, NULL);
	if (workers > PARALLEL_MOST)
		workers = PARALLEL_MOST;
	if (workers > count)
		workers = count > 0 ? (unsigned)count : 1;
	for (unsigned i = 0; i < workers; i++)
		all[i] = (struct worker){.sharing = &sharing, .number = i};
	/* Where a thread can't be made, the others do its share. */
	while (started < workers && start(&all[started].thread, take, &all[started]))
		started++;
	(void)take(&all[0]);
	for (unsigned i = 1; i < started; i++)
		(void)pthread_join(all[i].thread, NULL);
	pthread_mutex_destroy(&sharing.lock);
	return sharing.error;
}

struct aside {
	parallel_task *task;
	void *context;
	struct error *error;
};

static void *run_aside(void *argument)
{
	struct aside *aside = argument;

	aside->error = aside->task(aside->context);
	return NULL;
}

struct error *parallel_both(parallel_task *here, void *here_context, parallel_task *aside, void *aside_context)
{
	struct aside other = {.task = aside, .context = aside_context};
	pthread_t thread;
	bool started = start(&thread, run_aside, &other);
	struct error *errors = here(here_context);

	if (started)
		(void)pthread_join(thread, NULL);
	else
		(void)run_aside(&other);
	error_collect(&errors, other.error);
	return errors;
}
