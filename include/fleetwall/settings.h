/* What the administrator chose, as far as rulesets depend on it. Configuration fills it in; nothing in gen/ reads a
 * file. */
#ifndef FLEETWALL_SETTINGS_H
#define FLEETWALL_SETTINGS_H

#include "fleetwall/addr.h"

struct settings {
	struct prefix *management; /* sorted by range_cmp, unique */
	size_t management_count;
	unsigned ssh_port; /* for machines that name none */
	/* Housekeeping (SPEC §2.1), all true by default. */
	bool loopback, icmp_errors, established, neighbour_discovery, drop_invalid, dhcp;
	/* The log of the default stage: at most `log_rate` lines a minute for each source and port, up to 1000; 0: no
	 * log. Rules with `log` and monitors log at the same rate, and at the default one where it is 0. */
	unsigned log_rate;
};

/* The defaults: no management sources, port 22, everything on, 6 a minute. */
struct settings settings_default(void);

#endif
