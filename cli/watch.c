/* watch: stays, and publishes what a change in the database touches, at once. A loop (libuv) around one socket, two
 * timers and three signals; rounds run inside it, one after the other, so a signal finds none half done. What a round
 * does is told in watch_round.c, how rounds follow each other in watch_pace.c. */
#include <assert.h>
#include <signal.h>
#include <unistd.h>
#include <uv.h>

#include "sd_notify.h"
#include "watch.h"
#include "watch_pace.h"

/* Milliseconds. */
enum {
	SETTLE = 2500,       /* without a change: more than a moment's pause */
	COLLECT_PAUSE = 100, /* without a change, before old generations are collected */
	COLLECT_GAP = 10,    /* between two portions of that: others have a turn */
};

/* The connection as the loop knows it. libuv needs it until it has closed it, which is later than we do. */
struct ear {
	uv_poll_t poll;
	struct arena *arena;
};

struct watcher {
	struct watch watch;
	struct pace pace;
	struct sd_notify notify;
	uv_loop_t loop;
	uv_timer_t timer, watchdog;
	uv_signal_t terminate, interrupt, reload;
	struct ear *ear;  /* NULL: not connected */
	bool ready;       /* READY=1 was said, and no RELOADING=1 since */
	uint64_t round;   /* when the last one for a change ended */
	uint64_t collect; /* no portion of old generations is collected before */
	uint64_t settle;  /* when what is in memory alone is kept for the next start; 0: it is */
};

static uint64_t milliseconds(void)
{
	return uv_hrtime() / 1000000;
}

/* --- the connection --- */

static void on_readable(uv_poll_t *poll, int status, int events);

static struct error *call(struct watcher *watcher)
{
	struct arena *arena;

	TRY(watch_connect(&watcher->watch));
	arena = arena_new();
	watcher->ear = ARENA_NEW(arena, struct ear);
	watcher->ear->arena = arena;
	watcher->ear->poll.data = watcher;
	if (uv_poll_init(&watcher->loop, &watcher->ear->poll, db_socket(watcher->watch.run->db)) == 0 &&
	    uv_poll_start(&watcher->ear->poll, UV_READABLE, on_readable) == 0)
		return NULL;
	watcher->ear = NULL;
	arena_free(arena);
	watch_disconnect(&watcher->watch);
	return error_new(ERROR_SURROUNDINGS, "can't wait for the socket of the database");
}

static void on_ear_closed(uv_handle_t *handle)
{
	const struct watcher *watcher = handle->data;
	struct ear *ear = (struct ear *)(void *)handle;

	assert(watcher->ear != ear);
	arena_free(ear->arena);
}

/* The loop lets go of the socket before libpq closes it. */
static void hang_up(struct watcher *watcher)
{
	if (watcher->ear != NULL)
		uv_close((uv_handle_t *)&watcher->ear->poll, on_ear_closed);
	watcher->ear = NULL;
	watch_disconnect(&watcher->watch);
}

/* --- what came of it --- */

static void say_status(const struct watcher *watcher, const struct error *error)
{
	const struct regeneration *last = &watcher->watch.last;

	if (error == NULL)
		sd_notify_status(&watcher->notify, "generation %llu: %zu machine%s",
		                 (unsigned long long)last->number, last->machines, str_plural(last->machines));
	else if (last->number > 0)
		sd_notify_status(&watcher->notify, "generation %llu stands: %.*s",
		                 (unsigned long long)last->number, STR_ARG(error->message));
	else
		sd_notify_status(&watcher->notify, "%.*s", STR_ARG(error->message));
}

/* Ready is who has looked at everything, also where a guard, or the inventory, said no to publishing it: what is
 * needed then is a change, and we listen for one. */
static void say_ready(struct watcher *watcher)
{
	if (!watcher->ready)
		sd_notify_say(&watcher->notify, "READY=1");
	watcher->ready = true;
}

static void round_failed(struct watcher *watcher, const struct error *error, uint64_t began)
{
	struct watch *watch = &watcher->watch;
	bool lost = watch->run->db == NULL || db_is_lost(watch->run->db);

	say_trouble(watch, error);
	say_status(watcher, error);
	if (lost)
		hang_up(watcher);
	if (lost || error->kind == ERROR_SURROUNDINGS) {
		pace_failed(&watcher->pace, milliseconds(), (unsigned)uv_hrtime());
		return;
	}
	/* The same inventory would be refused again. The minute's round still asks: a rule may end, or somebody may
	 * have used --force. */
	say_ready(watcher);
	pace_done(&watcher->pace, began, milliseconds(), PACE_NEVER);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until there is something to do that no change should wait for. */
static uint64_t pause_work(const struct watcher *watcher)
{
	uint64_t now = milliseconds(), look = resident_look_due(watcher->watch.resident);

	if (watcher->settle == 0)
		return look;
	return least(look, watcher->settle > now ? watcher->settle - now : 0);
}

static void round_done(struct watcher *watcher, uint64_t edge, uint64_t began)
{
	say_status(watcher, NULL);
	say_ready(watcher);
	if (watcher->watch.last.state == REGENERATED_PUBLISHED)
		watcher->settle = milliseconds() + SETTLE;
	pace_done(&watcher->pace, began, milliseconds(), least(edge, pause_work(watcher)));
}

/* Takes what the socket has, and what libpq took from it while it read other answers. */
static struct error *hear(struct watcher *watcher)
{
	size_t count;
	struct error *error = db_notices(watcher->watch.run->db, &count);

	watcher->pace.wanted |= count > 0;
	return error;
}

/* --- rounds --- */

static struct error *go_round(struct watcher *watcher, uint64_t *edge)
{
	if (watcher->watch.run->db == NULL)
		TRY(call(watcher));
	/* What is heard by now is in the snapshot that the round is about to take. */
	TRY(hear(watcher));
	pace_begin(&watcher->pace);
	TRY(watch_round(&watcher->watch, edge));
	return hear(watcher);
}

static void do_round(struct watcher *watcher)
{
	uint64_t began = milliseconds(), edge = PACE_NEVER;
	bool quiet = !watcher->pace.wanted;
	struct error *error = go_round(watcher, &edge);

	if (error != NULL)
		round_failed(watcher, error, began);
	else
		round_done(watcher, edge, began);
	if (error == NULL && quiet && watcher->settle <= milliseconds()) {
		watch_settle(&watcher->watch);
		watcher->settle = 0;
	}
	if (!quiet)
		watcher->round = milliseconds();
	/* Everything that was wrong has been said, and nothing points to it. */
	error_forget_all();
}

/* --- old generations --- */

/* Milliseconds until a portion of them is collected. */
static uint64_t collect_wait(struct watcher *watcher, uint64_t now)
{
	enum collecting_need need = watch_collect_need(&watcher->watch);
	uint64_t from = watcher->collect;

	if (need == COLLECT_NOTHING || (need == COLLECT_IN_PAUSE && watcher->pace.wanted))
		return PACE_NEVER;
	if (need == COLLECT_IN_PAUSE && from < watcher->round + COLLECT_PAUSE)
		from = watcher->round + COLLECT_PAUSE;
	return from > now ? from - now : 0;
}

/* What is heard meanwhile, libpq may have taken from the socket. */
static void collect_some(struct watcher *watcher)
{
	struct error *error;

	watch_collect(&watcher->watch);
	watcher->collect = milliseconds() + COLLECT_GAP;
	error = hear(watcher);
	if (error != NULL)
		round_failed(watcher, error, milliseconds());
	error_forget_all();
}

static void on_time(uv_timer_t *timer);

/* A round if it is time for one, something for those that nobody needs any more, and the timer for the next. */
static void go_on(struct watcher *watcher)
{
	uint64_t wait;

	if (pace_wait(&watcher->pace, milliseconds()) == 0)
		do_round(watcher);
	if (collect_wait(watcher, milliseconds()) == 0)
		collect_some(watcher);
	wait = least(pace_wait(&watcher->pace, milliseconds()), collect_wait(watcher, milliseconds()));
	/* The loop's idea of now is as old as its last turn. A timer of 0 would leave signals no turn. */
	uv_update_time(&watcher->loop);
	uv_timer_start(&watcher->timer, on_time, wait > 0 ? wait : 1, 0);
}

static void on_time(uv_timer_t *timer)
{
	go_on(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watcher *watcher = poll->data;
	struct error *error = hear(watcher);

	(void)status; /* libpq finds out for itself */
	(void)events;
	if (error != NULL)
		round_failed(watcher, error, milliseconds());
	go_on(watcher);
}

/* --- signals and the watchdog --- */

static void on_end(uv_signal_t *signal, int number)
{
	struct watcher *watcher = signal->data;

	(void)number;
	sd_notify_say(&watcher->notify, "STOPPING=1");
	uv_stop(&watcher->loop);
}

static void on_reload(uv_signal_t *signal, int number)
{
	struct watcher *watcher = signal->data;

	(void)number;
	sd_notify_say(&watcher->notify, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(uv_hrtime() / 1000));
	watcher->ready = false;
	if (watch_reread(&watcher->watch))
		hang_up(watcher);
	watcher->watch.full = true;
	pace_hurry(&watcher->pace);
	go_on(watcher);
}

static void on_watchdog(uv_timer_t *timer)
{
	const struct watcher *watcher = timer->data;

	sd_notify_say(&watcher->notify, "WATCHDOG=1");
}

/* --- the loop --- */

static void open_signal(struct watcher *watcher, uv_signal_t *signal, int number, uv_signal_cb callback)
{
	uv_signal_init(&watcher->loop, signal);
	signal->data = watcher;
	uv_signal_start(signal, callback, number);
}

static struct error *open_loop(struct watcher *watcher)
{
	uint64_t watchdog = watcher->notify.watchdog / 1000 / 2;

	if (uv_loop_init(&watcher->loop) != 0)
		return error_new(ERROR_SURROUNDINGS, "can't make an event loop");
	uv_timer_init(&watcher->loop, &watcher->timer);
	uv_timer_init(&watcher->loop, &watcher->watchdog);
	watcher->timer.data = watcher->watchdog.data = watcher;
	open_signal(watcher, &watcher->terminate, SIGTERM, on_end);
	open_signal(watcher, &watcher->interrupt, SIGINT, on_end);
	/* On a terminal it says that this has gone. */
	open_signal(watcher, &watcher->reload, SIGHUP, isatty(STDIN_FILENO) ? on_end : on_reload);
	if (watchdog > 0)
		uv_timer_start(&watcher->watchdog, on_watchdog, watchdog, watchdog);
	return NULL;
}

static void close_loop(struct watcher *watcher)
{
	int closed;

	hang_up(watcher);
	uv_close((uv_handle_t *)&watcher->timer, NULL);
	uv_close((uv_handle_t *)&watcher->watchdog, NULL);
	uv_close((uv_handle_t *)&watcher->terminate, NULL);
	uv_close((uv_handle_t *)&watcher->interrupt, NULL);
	uv_close((uv_handle_t *)&watcher->reload, NULL);
	uv_run(&watcher->loop, UV_RUN_DEFAULT);
	closed = uv_loop_close(&watcher->loop);
	assert(closed == 0);
	(void)closed;
}

/* A first connection that fails ends the command: something is wrong with how it was called, and whoever started it is
 * still looking. From then on it stays. */
static struct error *stay(struct watcher *watcher)
{
	TRY(call(watcher));
	TRY(watch_lock(&watcher->watch));
	pace_hurry(&watcher->pace);
	go_on(watcher);
	uv_run(&watcher->loop, UV_RUN_DEFAULT);
	watch_settle(&watcher->watch);
	return NULL;
}

static struct error *in_loop(struct watcher *watcher)
{
	struct error *error;

	TRY(open_loop(watcher));
	error = stay(watcher);
	close_loop(watcher);
	collecting_end(&watcher->watch.collecting);
	resident_free(watcher->watch.resident);
	arena_free(watcher->watch.settings);
	return error;
}

struct error *run_watch(struct run *run)
{
	struct watcher *watcher = ARENA_NEW(run->arena, struct watcher);
	struct error *error;

	watcher->watch.run = run;
	watcher->watch.lock_fd = -1;
	writer_by_lines(run->writer);
	sd_notify_open(&watcher->notify);
	say_open(&watcher->watch);
	error = in_loop(watcher);
	watch_unlock(&watcher->watch);
	say_close(&watcher->watch);
	sd_notify_close(&watcher->notify);
	return error;
}
