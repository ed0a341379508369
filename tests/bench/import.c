/* Times the way of a CSV folder into a database and back, station by station: wall clock and our own CPU. The database
 * must be there; it is initialized, and should be empty. Nothing is kept: the import is rolled back, unless --keep says
 * otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/inventory.h"

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

static struct moment before;

static void lap(const char *station, size_t count)
{
	struct moment after = now();
	printf("%-12s %8.3f s wall %8.3f s cpu %10zu\n", station, after.wall - before.wall, after.cpu - before.cpu,
	       count);
	fflush(stdout);
	before = now();
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

static size_t rows(const struct fleet *fleet)
{
	size_t count = fleet->machine_count + fleet->role_count;
	for (size_t i = 0; i < fleet->machine_count; i++)
		count += fleet->machines[i].address_count + fleet->machines[i].role_count;
	for (size_t i = 0; i < fleet->role_count; i++)
		count += fleet->roles[i].rule_count;
	return count;
}

static void read_folder(struct arena *arena, struct str folder, struct fleet *fleet)
{
	struct csv_file *files;
	size_t count;
	struct error *warnings = NULL;
	must(arena, csv_folder_read(arena, folder, &files, &count, &warnings));
	lap("read files", count);
	must(arena, csv_read(arena, files, count, fleet, &warnings));
	lap("csv_read", rows(fleet));
}

static void import(struct arena *arena, struct db *db, const struct fleet *wanted, bool keep)
{
	static const struct import_options options;
	struct fleet present;
	struct plan plan;
	must(arena, db_begin(db, DB_WRITE));
	must(arena, inventory_lock(db));
	must(arena, inventory_load(arena, db, &present));
	lap("load", rows(&present));
	must(arena, inventory_plan(arena, &present, wanted, &options, &plan));
	lap("plan", plan.count);
	must(arena, inventory_write(arena, db, &present, &plan));
	lap("write", plan.count);
	must(arena, inventory_load(arena, db, &present));
	lap("load", rows(&present));
	must(arena, inventory_plan(arena, &present, wanted, &options, &plan));
	lap("plan again", plan.count);
	must(arena, inventory_write(arena, db, &present, &plan));
	lap("write again", plan.count);
	if (keep)
		must(arena, db_commit(db));
	else
		db_rollback(db);
	lap(keep ? "commit" : "rollback", 0);
}

int main(int argc, char **argv)
{
	bool keep = argc == 4 && strcmp(argv[3], "--keep") == 0;
	if (argc != 3 && !keep) {
		fputs("usage: import CSV-FOLDER CONNINFO [--keep]\n", stderr);
		return 2;
	}
	struct arena *arena = arena_new();
	struct fleet wanted;
	struct db *db;
	size_t applied;
	struct str sql;
	before = now();
	must(arena, db_open(arena, str_of(argv[2]), &db));
	must(arena, db_init(arena, db, &applied, &sql));
	lap("init", applied);
	read_folder(arena, str_of(argv[1]), &wanted);
	import(arena, db, &wanted, keep);
	db_close(db);
	arena_free(arena);
	lap("free", 0);
	return 0;
}
