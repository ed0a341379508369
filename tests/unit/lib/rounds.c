/* How often a property is tried, by where it is tried. */
#include "rounds.h"

#include <stdbool.h>
#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif

static size_t part_of(size_t wanted, size_t under_valgrind)
{
	const char *share = getenv("SHARE");
	size_t part = share != NULL ? strtoul(share, NULL, 10) : 1;

	if (getenv("RUNNING_ON_VALGRIND") != NULL)
		part = under_valgrind;
	return part > 1 ? 1 + wanted / part : wanted;
}

size_t rounds(size_t wanted)
{
	return part_of(wanted, 20);
}

size_t in_full(size_t wanted)
{
	bool sanitized = __has_feature(address_sanitizer);

	return sanitized || getenv("RUNNING_ON_VALGRIND") != NULL ? part_of(wanted, 50) : wanted;
}
