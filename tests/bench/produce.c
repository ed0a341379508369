/* Times the way from a database's rows to the bytes of sets and rulesets, station by station, with nothing behind it:
 * what is rendered is counted and dropped. Then the same again with everything known, as a run that follows has it, and
 * as a process that stays does it. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/embedded.h"
#include "fleetwall/inventory.h"
#include "fleetwall/parallel.h"
#include "fleetwall/produce.h"

struct moment {
	double wall, cpu;
};

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static struct moment now(void)
{
	struct timespec clock;
	struct rusage usage;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	getrusage(RUSAGE_SELF, &usage);
	return (struct moment){(double)clock.tv_sec + (double)clock.tv_nsec / 1e9,
	                       seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

static void lap(const char *station, const struct moment *from, size_t count)
{
	struct moment after = now();
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%-16s %8.2f ms wall %8.2f ms cpu %10zu %8.1f MiB peak\n", station, (after.wall - from->wall) * 1e3,
	       (after.cpu - from->cpu) * 1e3, count, (double)usage.ru_maxrss / 1024);
	fflush(stdout);
}

static void must(struct arena *arena, struct error *error)
{
	if (error == NULL)
		return;
	struct buf buf = buf_new(arena);

	error_print(&buf, STR("error: "), error);
	fwrite(buf.p, 1, buf.n, stderr);
	exit(1);
}

/* What came out of produce(), and when the last set did. */
struct sink {
	atomic_size_t sets, rulesets;
	struct moment last_set[PARALLEL_MOST];
};

static struct error *take_set(void *context, unsigned worker, const struct set_file *set)
{
	struct sink *sink = context;

	atomic_fetch_add(&sink->sets, set->bytes.n);
	if (set->bytes.n > 100000) /* asking for the time costs more than a small set */
		sink->last_set[worker] = now();
	return NULL;
}

static struct error *take_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	struct sink *sink = context;

	(void)worker;
	atomic_fetch_add(&sink->rulesets, ruleset->rules[0].n + ruleset->rules[1].n + ruleset->sets_list.n);
	return NULL;
}

static struct templates *compile(struct arena *arena)
{
	size_t count = 0;

	while (embedded_templates[count].name != NULL)
		count++;
	struct template_file *files = ARENA_ARRAY(arena, struct template_file, count);
	struct templates *templates = NULL;

	for (size_t i = 0; i < count; i++)
		files[i] = (struct template_file){
			str_of(embedded_templates[i].name),
			{(const char *)embedded_templates[i].data, embedded_templates[i].size}};
	must(arena, templates_compile(arena, files, count, &templates));
	return templates;
}

static void load(struct arena *arena, const char *conninfo, struct fleet *fleet)
{
	struct moment from = now();
	struct db *db;

	must(arena, db_open(arena, str_of(conninfo), &db));
	must(arena, db_begin(db, DB_SNAPSHOT));
	must(arena, inventory_load(arena, db, fleet));
	db_rollback(db);
	db_close(db);
	lap("load", &from, fleet->machine_count);
}

static void report(const struct sink *sink, const struct product *product)
{
	printf("  %zu sets, %zu rendered, %.1f MB; %zu rulesets, %zu rendered, %.1f MB\n", product->set_count,
	       product->rendered_sets, (double)sink->sets / 1e6, product->ruleset_count, product->rendered_rulesets,
	       (double)sink->rulesets / 1e6);
}

/* One run; its knowledge is for the next. */
static struct knowledge run(struct arena *arena, const struct fleet *fleet, const struct rendition *rendition,
                            const struct knowledge *known)
{
	struct sink sink = {0};
	const struct outlet outlet = {&sink, take_set, take_ruleset};
	struct product product;
	struct moment from = now();
	struct resolved *resolved = resolve(arena, fleet);

	lap("resolve", &from, fleet->role_count);
	from = now();
	must(arena, produce(arena, resolved, rendition, known, &outlet, &product));
	lap(known == NULL ? "produce, cold" : "produce, known", &from, product.machine_count);
	for (unsigned i = 0; i < rendition->workers && i < PARALLEL_MOST; i++)
		if (sink.last_set[i].wall > 0)
			printf("  worker %u: sets until %.2f ms\n", i, (sink.last_set[i].wall - from.wall) * 1e3);
	report(&sink, &product);
	return product.knowledge;
}

/* What a process that stays does when one machine moves to another mode, and back. */
static void stay(struct arena *arena, struct fleet *fleet, const struct rendition *rendition,
                 const struct knowledge *known)
{
	struct producer *producer = producer_new();
	struct machine *machines = ARENA_ARRAY(arena, struct machine, fleet->machine_count);
	const uint32_t middle = (uint32_t)fleet->machine_count / 2;
	struct fleet fleets[] = {*fleet, *fleet};

	memcpy(machines, fleet->machines, fleet->machine_count * sizeof *machines);
	machines[middle].mode = machines[middle].mode == MODE_EXCLUSIVE ? MODE_COEXIST : MODE_EXCLUSIVE;
	fleets[1].machines = machines;
	for (int i = 0; i < 12; i++) {
		const struct fleet_step step = {&fleets[(i + 1) % 2], &middle, 1};
		struct sink sink = {0};
		const struct outlet outlet = {&sink, take_set, take_ruleset};
		struct product product;
		struct resolved *resolved;
		struct moment from = now();

		must(arena, producer_make(producer, arena, &fleets[i % 2], i > 0 ? &step : NULL, rendition, known,
		                          &outlet, &product, &resolved));
		lap(i == 0 ? "stay, first" : "stay, one moved", &from, product.rendered_rulesets);
	}
	producer_free(producer);
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct settings settings = settings_default();
	struct rendition rendition = {.settings = &settings};
	struct knowledge known;
	struct fleet fleet;
	long workers = argc > 2 ? strtol(argv[2], NULL, 10) : parallel_workers();
	long again = argc > 3 ? strtol(argv[3], NULL, 10) : 3;

	if (argc < 2 || argc > 4 || workers < 1 || workers > PARALLEL_MOST) {
		fprintf(stderr, "usage: produce CONNINFO [WORKERS, up to %d [TIMES AGAIN]]\n", PARALLEL_MOST);
		return 2;
	}
	rendition.workers = (unsigned)workers;
	rendition.templates = compile(arena);
	load(arena, argv[1], &fleet);
	known = run(arena, &fleet, &rendition, NULL);
	for (long i = 0; i < again; i++)
		(void)run(arena, &fleet, &rendition, &known);
	if (fleet.machine_count > 0)
		stay(arena, &fleet, &rendition, &known);
	arena_free(arena);
	return 0;
}
