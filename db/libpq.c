/* Loads libpq, once, and finds its functions. Calls none of them. */
#include "libpq.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/* What the functions of the header are, for as long as PostgreSQL has been as new as we need. */
#define LIBPQ_FILE "libpq.so.5"

struct libpq pq;

/* POSIX says that a function's address fits, ISO C does not. */
static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof found);
	return found != NULL;
}

#define LIBPQ_FIND(name) &&find(library, "PQ" #name, &pq.name)

struct error *libpq_load(void)
{
	static bool loaded;
	void *library = loaded ? NULL : dlopen(LIBPQ_FILE, RTLD_LAZY | RTLD_LOCAL);

	loaded = loaded || (library != NULL LIBPQ_FUNCTIONS(LIBPQ_FIND));
	if (loaded)
		return NULL;
	return error_hint(error_new(ERROR_SURROUNDINGS, "PostgreSQL's library can't be loaded: %s", dlerror()),
	                  "on Debian: apt install libpq5");
}
