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

/* --- what stays --- */

struct production *production_new(void)
{
	struct arena *kept = arena_new();
	struct production *production = ARENA_NEW(kept, struct production);

	production->kept = kept;
	production->placed = arena_new();
	production->called = arena_new();
	return production;
}

void production_free(struct production *production)
{
	if (production == NULL)
		return;
	arena_free(production->placed);
	arena_free(production->called);
	arena_free(production->naming.arena);
	arena_free(production->kept);
}

bool production_is_stale(const struct production *production)
{
	enum { FEW = 1000 };

	return production->positions.left > production->positions.count / 4 + FEW;
}

static void begin_anew(struct arena **arena)
{
	arena_free(*arena);
	*arena = arena_new();
}

/* --- the stations --- */

static struct error *find_names(void *context)
{
	struct production *production = context;
	const struct memo *memo = production->memo;
	const struct settings *settings = production->rendition->settings;

	if (production->resolved == NULL)
		production->resolved = *production->unresolved = resolve(production->resolving, production->fleet);
	if (memo != NULL) {
		positions_update(&production->positions, production->resolved, settings, memo->machines,
		                 memo->machine_count);
	} else {
		begin_anew(&production->placed);
		production->keys = (struct keyring){0};
		production->positions = machine_positions(production->placed, production->resolved, settings);
	}
	return produce_names(production);
}

/* What is known was made with this one. */
static const struct secret *secret_of(const struct production *production)
{
	return production->known != NULL ? &production->known->secret : &production->rendition->secret;
}

static struct error *call_roster(void *context)
{
	struct production *production = context;

	begin_anew(&production->called);
	production->roster = roster_new(production->called, production->fleet, secret_of(production));
	if (production->memo == NULL) /* a small step makes few sets */
		roster_rank(production->called, &production->roster, production->fleet->machine_count);
	return NULL;
}

/* Neither needs anything of the other: one goes by roles, the other by addresses. */
static struct error *find_both(struct production *production)
{
	const struct memo *memo = production->memo;

	if (memo != NULL && roster_update(&production->roster, production->fleet, memo->machines,
	                                  memo->machine_count))
		return find_names(production);
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

struct error *production_make(struct production *production, struct arena *arena, const struct resolved *resolved,
                              const struct rendition *rendition, const struct knowledge *known,
                              const struct outlet *outlet, const struct memo *memo, struct product *product)
{
	struct arena *call = arena_new(), *own = production->kept;
	struct error *error;

	production->arena = arena;
	production->kept = call;
	production->memo = memo;
	if (resolved != NULL)
		production->fleet = resolved->fleet;
	production->resolved = resolved;
	production->rendition = rendition;
	production->known = known;
	production->outlet = outlet;
	production->product = product;
	production->before = (struct naming){0};
	production->rendering = (struct rendering){0};
	*product = (struct product){0};
	hire(production);
	product->knowledge.secret = *secret_of(production);
	error = run_stations(production);
	dismiss(production);
	arena_free(production->before.arena);
	arena_free(call);
	production->kept = own;
	return error;
}

struct error *produce(struct arena *arena, const struct resolved *resolved, const struct rendition *rendition,
                      const struct knowledge *known, const struct outlet *outlet, struct product *product)
{
	struct production *production = production_new();
	struct error *error =
		production_make(production, arena, resolved, rendition, known, outlet, NULL, product);

	production_free(production);
	return error;
}

struct error *produce_fleet(struct arena *arena, struct arena *resolving, const struct fleet *fleet,
                            const struct rendition *rendition, const struct knowledge *known,
                            const struct outlet *outlet, struct product *product, struct resolved **resolved)
{
	struct production *production = production_new();

	production->fleet = fleet;
	production->resolving = resolving;
	production->unresolved = resolved;
	struct error *error = production_make(production, arena, NULL, rendition, known, outlet, NULL, product);

	production_free(production);
	return error;
}
