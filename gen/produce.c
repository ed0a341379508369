/* From what was resolved to a product: the stations in their order, and the memory that they share. Everything here is
 * arrays indexed by machine, role, position or set; bytes of pieces live in a worker's buffers until its outlet has
 * taken them. */
#include "fleetwall/produce.h"

#include "fleetwall/arena.h"
#include "fleetwall/parallel.h"
#include "produce_worker.h"

/* A minute: more than anybody wants to read. All rates up to it are known to come back as they are spelled. */
#define LOG_RATE_MAX 1000

static struct error *check_settings(const struct settings *settings)
{
	if (settings->log_rate > LOG_RATE_MAX)
		return error_new(ERROR_INPUT, "the rate of logs is %u a minute, and %d is the most", settings->log_rate,
		                 LOG_RATE_MAX);
	return NULL;
}

static void hire(struct production *production)
{
	production->workers = ARENA_ARRAY(production->kept, struct worker, production->rendition->workers);
	for (unsigned i = 0; i < production->rendition->workers; i++) {
		struct worker *worker = &production->workers[i];

		worker->scratch = arena_new();
		worker->kept = arena_new();
		worker->digester = digester_new(worker->kept);
		for (size_t k = 0; k < sizeof worker->text / sizeof *worker->text; k++)
			worker->text[k] = buf_new(worker->kept);
	}
}

static void dismiss(struct production *production)
{
	for (unsigned i = 0; i < production->rendition->workers; i++) {
		digester_free(production->workers[i].digester);
		arena_free(production->workers[i].scratch);
		arena_free(production->workers[i].kept);
	}
}

/* Both begin from what was resolved, and need nothing of each other. */
static struct error *find_names(void *context)
{
	struct production *production = context;

	production->positions =
		positions_find(production->kept, production->resolved, production->rendition->settings);
	return produce_names(production);
}

static struct error *call_roster(void *context)
{
	struct production *production = context;

	production->roster = roster_new(production->called, production->resolved->fleet);
	return NULL;
}

static struct error *find_both(struct production *production)
{
	if (production->rendition->workers > 1)
		return parallel_both(find_names, production, call_roster, production);
	TRY(call_roster(production));
	return find_names(production);
}

static struct error *run_stations(struct production *production)
{
	TRY(check_settings(production->rendition->settings));
	TRY(find_both(production));
	TRY(produce_sets(production));
	return produce_rulesets(production);
}

struct error *produce_again(struct arena *arena, const struct resolved *resolved, const struct rendition *rendition,
                            const struct knowledge *known, const struct outlet *outlet, const struct memo *memo,
                            struct arena *names, struct product *product, struct set_keys *left)
{
	struct production production = {
		.arena = arena,
		.kept = arena_new(),
		.called = arena_new(),
		.names = names,
		.memo = memo,
		.resolved = resolved,
		.rendition = rendition,
		.known = known,
		.outlet = outlet,
		.product = product,
	};
	struct error *error;

	*product = (struct product){0};
	hire(&production);
	error = run_stations(&production);
	dismiss(&production);
	arena_free(production.kept);
	arena_free(production.called);
	*left = (struct set_keys){production.sets, production.set_keys};
	return error;
}

struct error *produce(struct arena *arena, const struct resolved *resolved, const struct rendition *rendition,
                      const struct knowledge *known, const struct outlet *outlet, struct product *product)
{
	struct arena *names = arena_new();
	struct set_keys left;
	struct error *error =
		produce_again(arena, resolved, rendition, known, outlet, NULL, names, product, &left);

	arena_free(names);
	return error;
}
