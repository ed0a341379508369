/* The guards that read what was rendered, as one pass over each file: its lines are recognised once, then judged by
 * each guard. Every worker has its own memory, memos and findings; what they found is put in order at the end, so that
 * it does not matter who read what. */
#include "guards.h"

#include <sys/random.h>

#include "fleetwall/arena.h"
#include "guard_judge.h"

enum { CACHE_LINE = 64 };
/* What the memos of all workers may take, and what each gets at least. Beyond it they are begun anew: a fleet in which
 * no two machines share a line must not be kept in memory. */
#define MEMO_BYTES_MAX ((size_t)96 << 20)
#define MEMO_BYTES_MIN ((size_t)12 << 20)

/* Where there is no chance to be had, what was always there must do. */
static struct secrets make_secrets(void)
{
	struct secrets secrets = {{0xd1b54a32d192ed03, 0x8cb92ba72f3d8dd7, 0xaef17502108ef2d9}};

	(void)!getrandom(&secrets, sizeof secrets, GRND_NONBLOCK);
	return secrets;
}

struct guards *guards_new(struct arena *arena, const struct settings *settings, unsigned workers)
{
	struct guards *guards = ARENA_NEW(arena, struct guards);

	guards->arena = arena;
	guards->settings = settings;
	guards->count = workers;
	guards->secrets = make_secrets();
	guards->workers = arena_array(arena, workers, sizeof *guards->workers, CACHE_LINE);
	for (unsigned i = 0; i < workers; i++) {
		struct guard_worker *worker = &guards->workers[i];

		worker->kept = arena_new();
		worker->lines = arena_new();
		worker->scratch = arena_new();
		worker->forms = forms_new(worker->kept);
	}
	return guards;
}

void guards_free(struct guards *guards)
{
	for (unsigned i = 0; i < guards->count; i++) {
		arena_free(guards->workers[i].kept);
		arena_free(guards->workers[i].lines);
		arena_free(guards->workers[i].scratch);
	}
}

static bool same_scope(const struct scope *a, const struct scope *b)
{
	return a->file == b->file && a->mode == b->mode && a->enforcement == b->enforcement && a->port == b->port;
}

static struct memo *memo_of(const struct guards *guards, struct guard_worker *worker, const struct ruleset *ruleset,
                            size_t file)
{
	struct scope scope = scope_of(ruleset, file);

	for (struct memo **link = &worker->memos; *link != NULL; link = &(*link)->next) {
		struct memo *memo = *link;

		if (!same_scope(&memo->scope, &scope))
			continue;
		*link = memo->next; /* to the front: the next ruleset is likely to be of its kind */
		memo->next = worker->memos;
		return worker->memos = memo;
	}
	struct memo *memo = memo_new(worker->lines, &scope, &guards->secrets);

	memo->next = worker->memos;
	return worker->memos = memo;
}

static void forget_too_much(struct guard_worker *worker, size_t share)
{
	size_t bytes = 0;

	for (const struct memo *memo = worker->memos; memo != NULL; memo = memo->next)
		bytes += memo_bytes(memo);
	if (bytes <= MEMO_BYTES_MIN || bytes <= share)
		return;
	arena_reset(worker->lines);
	worker->memos = NULL;
}

static void judge_file(struct guards *guards, struct guard_worker *worker, const struct ruleset *ruleset, size_t file)
{
	struct judge_room room = {worker->kept, worker->scratch};
	struct scan *scan = &worker->scan;

	memo_scan(worker->kept, memo_of(guards, worker, ruleset, file), ruleset, scan);
	judge_frame(&room, scan, &worker->frames);
	judge_lockout(&room, guards->settings, scan, &worker->lockouts);
	forms_meet(worker->scratch, worker->forms, scan);
}

void guards_ruleset(struct guards *guards, unsigned worker, const struct ruleset *ruleset)
{
	struct guard_worker *mine = &guards->workers[worker];

	forget_too_much(mine, MEMO_BYTES_MAX / guards->count);
	forms_begin(mine->forms, ruleset);
	for (size_t file = 0; file < 2; file++)
		judge_file(guards, mine, ruleset, file);
	arena_reset(mine->scratch);
}

struct error *guards_findings(struct guards *guards)
{
	struct findings frames = {0}, lockouts = {0};
	struct error *errors;

	for (unsigned i = 0; i < guards->count; i++) {
		findings_merge(&frames, &guards->workers[i].frames);
		findings_merge(&lockouts, &guards->workers[i].lockouts);
	}
	errors = findings_errors(&frames, "rules files that are not whole");
	error_collect(&errors, findings_errors(&lockouts, "rules files that management would not get through"));
	return errors;
}
