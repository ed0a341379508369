/* The defaults of what the administrator chooses. */
#include "fleetwall/settings.h"

struct settings settings_default(void)
{
	return (struct settings){
		.ssh_port = 22,
		.loopback = true,
		.icmp_errors = true,
		.established = true,
		.neighbour_discovery = true,
		.drop_invalid = true,
		.dhcp = true,
		.log_rate = 6,
	};
}
