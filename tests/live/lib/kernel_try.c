/* Asks the kernel by the program's own means, as the guard would; says nothing itself. */
#include "kernel_try.h"

#include "fleetwall/arena.h"
#include "fleetwall/process.h"

bool can_try(void)
{
	const char *const argv[] = {"iptables-save", NULL};
	struct command commands[] = {{.argv = argv}};
	struct arena *pass = arena_new();
	struct outcome outcome;
	size_t ran;
	bool permitted = false;
	struct error *error = process_run_apart(pass, commands, 1, &outcome, &ran, &permitted);
	bool can = error == NULL && permitted && ran == 1 && outcome.started && process_exists("ipset");

	arena_free(pass);
	return can;
}
