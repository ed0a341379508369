/* An arena for each test, which goes with it. */
#include "arena_fixture.h"

#include "fleetwall/error.h"

struct arena *arena;

void arena_setup(void)
{
	arena = arena_new();
}

void arena_teardown(void)
{
	arena_free(arena);
	error_forget_all();
}
