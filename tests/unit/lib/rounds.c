/* How often a property is tried, by where it is tried. */
#include "rounds.h"

#include <stdlib.h>

size_t rounds(size_t wanted)
{
	const char *share = getenv("SHARE");
	size_t part = getenv("RUNNING_ON_VALGRIND") != NULL ? 20 : share != NULL ? strtoul(share, NULL, 10) : 1;

	return part > 1 ? 1 + wanted / part : wanted;
}
