/* The fixture of tests that need an arena and nothing else. */
#ifndef FLEETWALL_TESTS_ARENA_FIXTURE_H
#define FLEETWALL_TESTS_ARENA_FIXTURE_H

#include "fleetwall/arena.h"

/* Of the test that runs. */
extern struct arena *arena;

/* For tcase_add_checked_fixture(). What errors there were is forgotten with the arena. */
void arena_setup(void);
void arena_teardown(void);

#endif
