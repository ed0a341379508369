/* Whether rules can be tried here: whoever can't has nothing to test. */
#ifndef FLEETWALL_TESTS_KERNEL_TRY_H
#define FLEETWALL_TESTS_KERNEL_TRY_H

#include <stdbool.h>

/* A network namespace can be made, iptables works in it, and ipset is there. */
bool can_try(void);

#endif
