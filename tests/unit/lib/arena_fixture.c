/* An arena for each test, which goes with it. */
#include "arena_fixture.h"

#include <check.h>

#include "fleetwall/buf.h"

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

const char *printed(const struct error *errors)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR(""), errors);
	return str_c(arena, buf_str(&buf));
}

/* libcheck takes 8 KiB at most. */
void none(const struct error *error)
{
	ck_assert_msg(error == NULL, "%.1500s", printed(error));
}
