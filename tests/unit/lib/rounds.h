/* How often a property is tried. */
#ifndef FLEETWALL_TESTS_ROUNDS_H
#define FLEETWALL_TESTS_ROUNDS_H

#include <stddef.h>

/* As often as wanted; a twentieth of it under valgrind, and where SHARE is set (tests/run, for the sanitizers in make
 * check) that part of it. At least once. */
size_t rounds(size_t wanted);

/* The same for what is rare, and for how large something is made to see that it takes no time: all of it
 * whatever SHARE says, but under valgrind (a fiftieth) and with the sanitizers (the part that SHARE says). */
size_t in_full(size_t wanted);

#endif
