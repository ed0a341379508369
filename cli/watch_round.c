/* What watch does when it is time: holds the lock and the connection, runs a round, reads the configuration again. Each
 * connection, each round and each configuration has memory of its own, so that nothing grows over days. Knows no loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "fleetwall/rule.h"

#include "watch.h"

enum { SOON = 60 }; /* seconds: watch asks at least once a minute anyhow */

/* --- the lock --- */

static struct error *is_taken(struct watch *watch)
{
	char text[32];
	ssize_t n = pread(watch->lock_fd, text, sizeof text, 0);
	struct str pid = str_trim((struct str){text, n > 0 ? (size_t)n : 0});

	return error_hint(error_new(ERROR_SURROUNDINGS, "fleetwall watch runs already for %.*s: process %.*s",
	                            STR_ARG(watch->run->config.output), STR_ARG(pid.n > 0 ? pid : STR("unknown"))),
	                  "there is one for an output folder");
}

/* The lock is the kernel's, and goes with the process, however it ends; the file stays and says nothing by itself. Not
 * the store's lock: generate works beside us. */
static struct error *take_lock(struct watch *watch)
{
	int taken;

	do
		taken = flock(watch->lock_fd, LOCK_EX | LOCK_NB);
	while (taken != 0 && errno == EINTR);
	if (taken != 0)
		return errno == EWOULDBLOCK ? is_taken(watch)
		                            : error_errno("locking %.*s", STR_ARG(watch->lock));
	if (ftruncate(watch->lock_fd, 0) != 0 || dprintf(watch->lock_fd, "%ld\n", (long)getpid()) < 0)
		return error_errno("writing %.*s", STR_ARG(watch->lock));
	return NULL;
}

struct error *watch_lock(struct watch *watch)
{
	struct run *run = watch->run;
	struct store *store;
	struct error *error;

	/* The store knows how its folder is made. */
	TRY(store_open(run->arena, run->config.output, &store));
	store_close(store);
	watch->lock = str_format(run->arena, "%.*s/.watch", STR_ARG(run->config.output));
	watch->lock_fd = open(str_c(run->arena, watch->lock), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (watch->lock_fd < 0)
		return error_errno("opening %.*s", STR_ARG(watch->lock));
	error = take_lock(watch);
	if (error != NULL)
		watch_unlock(watch);
	return error;
}

void watch_unlock(struct watch *watch)
{
	if (watch->lock_fd >= 0)
		(void)close(watch->lock_fd);
	watch->lock_fd = -1;
}

/* --- the connection --- */

static struct error *connect_in(struct arena *arena, struct run *run)
{
	struct arena *before = run->arena;
	struct error *error;

	run->arena = arena;
	error = run_connect(run);
	run->arena = before;
	return error != NULL ? error : db_listen(run->db, "fleetwall_change");
}

struct error *watch_connect(struct watch *watch)
{
	struct error *error;

	watch->connection = arena_new();
	error = connect_in(watch->connection, watch->run);
	if (error != NULL)
		watch_disconnect(watch);
	return error;
}

void watch_disconnect(struct watch *watch)
{
	db_close(watch->run->db);
	watch->run->db = NULL;
	arena_free(watch->connection);
	watch->connection = NULL;
}

/* --- a round --- */

/* It is the database's clock that decides; the fleet's is whole seconds of it, and never goes back. */
static struct error *ask_edge(struct run *run, const struct regeneration *result, uint64_t *edge)
{
	struct db_rows rows;
	struct str seconds;

	if (result->next_edge == TIME_NONE || result->next_edge - result->clock > SOON)
		return NULL;
	seconds = str_format(run->arena, "%lld", (long long)result->next_edge);
	TRY(db_query(run->arena, run->db, db_sql("time-until"), &seconds, 1, &rows));
	if (!str_number(db_cell(&rows, 0, 0), INT64_MAX, edge))
		return error_new(ERROR_SURROUNDINGS, "the database can't say how long it is until %.*s",
		                 STR_ARG(seconds));
	return NULL;
}

static struct error *work(struct watch *watch, uint64_t *edge)
{
	struct run *run = watch->run;
	const struct regenerate_options options = {.full = watch->full};
	struct regeneration result;
	struct error *unsaid;

	TRY(regenerate(run, &options, &watch->resident, &result));
	unsaid = say_outcome(watch, &result);
	watch->last = result;
	watch->full = false;
	watch->troubled = false;
	/* What was published is published, also where standard output does not take its line. */
	if (unsaid != NULL)
		say_trouble(watch, unsaid);
	return ask_edge(run, &result, edge);
}

struct error *watch_round(struct watch *watch, uint64_t *edge)
{
	struct run *run = watch->run;
	struct arena *before = run->arena;
	struct error *error;

	*edge = UINT64_MAX;
	run->arena = arena_new();
	error = work(watch, edge);
	arena_free(run->arena);
	run->arena = before;
	run->warnings = NULL;
	return error;
}

void watch_settle(struct watch *watch)
{
	/* A cache that can't be kept costs the next start some time, and nothing else. */
	say_warning(watch, resident_settle(watch->run, watch->resident));
}

/* --- old generations --- */

enum collecting_need watch_collect_need(struct watch *watch)
{
	uint64_t published;

	if (watch->run->db == NULL || watch->last.number == 0 || watch->troubled)
		return COLLECT_NOTHING;
	/* Others publish, too, and no round of ours may have seen that yet. */
	published = store_current(watch->run->config.output);
	return published > 0 ? collecting_need(&watch->collecting, watch->run, published) : COLLECT_NOTHING;
}

/* A connection that is lost is found out by the round that comes of it. */
void watch_collect(struct watch *watch)
{
	say_warning(watch, collect_portion(watch->run, watch->resident, &watch->collecting));
}

/* --- the configuration --- */

static struct error *read_again(struct watch *watch, struct arena *arena)
{
	struct run *run = watch->run;
	struct config config;

	TRY(config_of(arena, run->globals, &config));
	if (!str_eq(config.output, run->config.output))
		return error_hint(error_new(ERROR_INPUT, "the setting output became %.*s, and watch holds %.*s",
		                            STR_ARG(config.output), STR_ARG(run->config.output)),
		                  "start it anew for another output folder");
	run->config = config;
	return NULL;
}

bool watch_reread(struct watch *watch)
{
	struct arena *arena = arena_new();
	struct error *error = error_in(read_again(watch, arena), "the settings stay as they are");

	if (error != NULL) {
		arena_free(arena);
		say_trouble(watch, error);
		return false;
	}
	arena_free(watch->settings);
	watch->settings = arena;
	resident_free(watch->resident);
	watch->resident = NULL;
	return true;
}
