/* Times what verify needs of the inventory's side, on a fleet that is a folder of CSV files: looking at it, the
 * positions of all machines, what should become of packets in each position with sets as names, and all sets'
 * addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/intent.h"

#define CLOCK 1767225600

static struct timespec lap_start;

static void lap(const char *station, size_t count)
{
	struct timespec end;
	struct rusage usage;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	getrusage(RUSAGE_SELF, &usage);
	printf("%-10s %9.2f ms %10zu %8.1f MiB peak\n", station,
	       (double)(end.tv_sec - lap_start.tv_sec) * 1e3 + (double)(end.tv_nsec - lap_start.tv_nsec) / 1e6, count,
	       (double)usage.ru_maxrss / 1024);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &lap_start);
}

static void must(struct arena *arena, struct error *error)
{
	struct buf buf = buf_new(arena);

	if (error == NULL)
		return;
	error_print(&buf, STR("error: "), error);
	fwrite(buf.p, 1, buf.n, stderr);
	exit(1);
}

static void load(struct arena *arena, const char *folder, struct fleet *fleet)
{
	struct csv_file *files;
	size_t count;
	struct error *warnings = NULL;

	must(arena, csv_folder_read(arena, str_of(folder), &files, &count, &warnings));
	must(arena, csv_read(arena, files, count, fleet, &warnings));
	fleet->clock = CLOCK;
}

struct seen {
	struct names *names;
	struct {
		struct str *items;
		size_t count, capacity;
	} sets;
	struct arena *arena;
};

static struct packets by_name(void *context, struct str set, enum family family, enum packet_field field)
{
	struct seen *seen = context;

	(void)family, (void)field;
	if (names_find(seen->names, set) == NAMES_NONE) {
		names_add(seen->names, set);
		APPEND(seen->arena, &seen->sets, set);
	}
	return packets_condition(set);
}

/* One machine of each position. */
static size_t positions(struct arena *arena, struct intent *intent, size_t machines, size_t *examples)
{
	struct names *texts = names_new(arena);
	size_t count = 0;

	for (size_t i = 0; i < machines; i++) {
		struct str text = intent_position(intent, i);

		if (text.n > 0 && names_keep(texts, text) == count)
			examples[count++] = i;
	}
	return count;
}

static void intents(struct intent *intent, const size_t *examples, size_t count, struct seen *seen)
{
	struct arena *pass = arena_new();

	for (size_t i = 0; i < count; i++) {
		size_t mark = packets_mark();

		intent_of(pass, intent, examples[i], FAMILY_4, by_name, seen);
		intent_of(pass, intent, examples[i], FAMILY_6, by_name, seen);
		packets_release(mark);
		arena_reset(pass);
	}
	arena_free(pass);
}

static size_t addresses(struct intent *intent, const struct seen *seen)
{
	size_t ranges = 0;

	for (size_t i = 0; i < seen->sets.count; i++)
		for (enum family family = FAMILY_4; family <= FAMILY_6; family += FAMILY_6 - FAMILY_4) {
			const struct addr_set *set = intent_set(intent, seen->sets.items[i], family);

			ranges += set == NULL ? 0 : set->count;
		}
	return ranges;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct seen seen = {.names = names_new(arena), .arena = arena};
	struct settings settings = settings_default();
	struct prefix management[] = {{{0x0a000000, FAMILY_4}, 24}};
	struct fleet fleet = {0};
	struct intent *intent;
	size_t *examples, count;

	if (argc != 2) {
		fputs("usage: intent FOLDER\n", stderr);
		return 2;
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &lap_start);
	load(arena, argv[1], &fleet);
	settings.management = management;
	settings.management_count = 1;
	lap("load", fleet.machine_count);
	intent = intent_new(arena, &fleet, &settings);
	lap("new", fleet.role_count);
	examples = ARENA_ARRAY(arena, size_t, fleet.machine_count);
	count = positions(arena, intent, fleet.machine_count, examples);
	lap("positions", count);
	packets_begin();
	intents(intent, examples, count, &seen);
	lap("packets", 2 * count);
	printf("%zu sets\n", seen.sets.count);
	lap("addresses", addresses(intent, &seen));
	packets_end();
	arena_free(arena);
	error_forget_all();
	return 0;
}
