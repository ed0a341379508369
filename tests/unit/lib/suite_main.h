/* What main() of a test program returns. */
#ifndef FLEETWALL_TESTS_SUITE_MAIN_H
#define FLEETWALL_TESTS_SUITE_MAIN_H

#include <check.h>

/* Runs the suite, as the environment of libcheck says. */
int suite_main(Suite *suite);

#endif
