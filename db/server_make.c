/* Making the private server's data folder. It is built beside its place and renamed when it is complete, so that a
 * killed initdb leaves nothing that looks like a database. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "server_home.h"

#define UNFINISHED "pg.new."

/* What is left over, so that a failure is told all the same; each was made by mkdtemp below. */
static void remove_tree(struct arena *arena, struct str path)
{
	const char *argv[] = {"rm", "-rf", "--one-file-system", "--", str_c(arena, path), NULL};
	struct command command = {.argv = argv};
	struct outcome outcome;
	struct error *ignored = process_run(arena, &command, &outcome);

	(void)ignored;
}

void server_sweep(struct arena *arena, const struct home *home)
{
	DIR *folder = opendir(home->state.p);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (str_starts(str_of(entry->d_name), STR(UNFINISHED)))
			remove_tree(arena, str_format(arena, "%.*s/%s", STR_ARG(home->state), entry->d_name));
	if (folder != NULL)
		closedir(folder);
}

static struct error *initdb(struct arena *arena, const struct home *home, const char *folder)
{
	const char *argv[] = {home_program(arena, home, "initdb"),
	                      "--pgdata",
	                      folder,
	                      "--username",
	                      SERVER_ROLE,
	                      "--encoding",
	                      "UTF8",
	                      "--locale",
	                      "C",
	                      "--auth",
	                      "peer",
	                      "--data-checksums",
	                      NULL};
	struct outcome outcome;

	TRY(home_run(arena, home, argv, &outcome));
	if (outcome.started && outcome.status == 0)
		return NULL;
	return error_new(ERROR_SURROUNDINGS, "initdb failed: %.*s", STR_ARG(server_reason(outcome.errors)));
}

/* The rename must not be lost in a crash while files that speak of it are kept. */
static struct error *put_in_place(struct arena *arena, const struct home *home, const char *folder)
{
	int fd;

	if (rename(folder, str_c(arena, home->data)) != 0)
		return error_errno("renaming %s to %.*s", folder, STR_ARG(home->data));
	fd = open(home->state.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return NULL;
}

struct error *server_make(struct arena *arena, const struct home *home)
{
	char *folder = str_c(arena, str_format(arena, "%.*s/" UNFINISHED "XXXXXX", STR_ARG(home->state)));
	struct error *error = NULL;

	if (mkdtemp(folder) == NULL)
		return error_errno("making %s", folder);
	if (home->root && lchown(folder, home->uid, home->gid) != 0)
		error = error_errno("giving %s to user %s", folder, home->user);
	if (error == NULL)
		error = initdb(arena, home, folder);
	if (error == NULL)
		error = put_in_place(arena, home, folder);
	if (error != NULL)
		remove_tree(arena, str_of(folder));
	return error_in(error, "making the private database");
}
