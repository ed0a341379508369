/* The fixture of tests that need an arena, and what they say of errors. */
#ifndef FLEETWALL_TESTS_ARENA_FIXTURE_H
#define FLEETWALL_TESTS_ARENA_FIXTURE_H

#include "fleetwall/arena.h"
#include "fleetwall/error.h"

/* Of the test that runs. */
extern struct arena *arena;

/* For tcase_add_checked_fixture(). What errors there were is forgotten with the arena. */
void arena_setup(void);
void arena_teardown(void);

/* Errors as error_print() has them, without a lead. */
const char *printed(const struct error *errors);
/* No error, or its text fails the test. */
void none(const struct error *error);

#endif
