/* The generations that machines confirmed, for what differs between then and now. A few are kept open; those that
 * nobody uses are closed when others are needed. Reads the store alone. */
#include "fleetwall/arena.h"
#include "pusher.h"

enum { OPEN_MOST = 3 };

static struct before *find(struct pusher *pusher, uint64_t number)
{
	struct before *before;

	for (before = pusher->befores; before != NULL; before = before->next)
		if (before->number == number)
			return before;
	before = ARENA_NEW(pusher->arena, struct before);
	*before = (struct before){.next = pusher->befores, .number = number};
	pusher->befores = before;
	return before;
}

static void close_one(struct before *before)
{
	arena_free(before->arena);
	before->arena = NULL;
	before->positions = NULL;
}

/* Closes the one that was used longest ago, where there are too many. */
static void make_room(struct pusher *pusher)
{
	struct before *oldest = NULL;
	unsigned open = 0;

	for (struct before *at = pusher->befores; at != NULL; at = at->next) {
		open += at->arena != NULL;
		if (at->arena != NULL && at->users == 0 && (oldest == NULL || at->used < oldest->used))
			oldest = at;
	}
	if (open >= OPEN_MOST && oldest != NULL)
		close_one(oldest);
}

static void open_one(struct pusher *pusher, struct before *before)
{
	struct error *error;

	if (before->arena != NULL || before->gone)
		return;
	make_room(pusher);
	before->arena = arena_new();
	error = positions_open(before->arena, pusher->settings->output, before->number, &before->positions);
	before->gone = error != NULL;
	if (before->gone)
		close_one(before);
}

struct before *before_hold(struct pusher *pusher, const struct machine_state *state)
{
	const struct position *position = NULL;
	struct error *error = NULL;
	struct before *before;

	if (state->confirmed.generation == 0)
		return NULL;
	before = find(pusher, state->confirmed.generation);
	open_one(pusher, before);
	if (before->positions == NULL)
		return NULL;
	error = positions_find(before->positions, state->machine, &position);
	if (error != NULL || position == NULL || !digest_eq(&position->digest, &state->confirmed.position))
		return NULL;
	before->users++;
	before->used = ++pusher->uses;
	return before;
}

void before_release(struct before *before)
{
	if (before != NULL)
		before->users--;
}

void before_close_all(struct pusher *pusher)
{
	for (struct before *at = pusher->befores; at != NULL; at = at->next)
		close_one(at);
}
