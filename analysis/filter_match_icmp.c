/* Names of ICMP types and codes, as iptables(8) and ip6tables(8) know them; any beginning of a name that is of one
 * alone stands for it. */
#include <string.h>

#include "filter_match.h"

struct icmp_name {
	const char *name;
	unsigned char type, first, last; /* codes */
};

static const struct icmp_name names_4[] = {
	{"any", 255, 0, 255},
	{"echo-reply", 0, 0, 255},
	{"pong", 0, 0, 255},
	{"destination-unreachable", 3, 0, 255},
	{"network-unreachable", 3, 0, 0},
	{"host-unreachable", 3, 1, 1},
	{"protocol-unreachable", 3, 2, 2},
	{"port-unreachable", 3, 3, 3},
	{"fragmentation-needed", 3, 4, 4},
	{"source-route-failed", 3, 5, 5},
	{"network-unknown", 3, 6, 6},
	{"host-unknown", 3, 7, 7},
	{"network-prohibited", 3, 9, 9},
	{"host-prohibited", 3, 10, 10},
	{"TOS-network-unreachable", 3, 11, 11},
	{"TOS-host-unreachable", 3, 12, 12},
	{"communication-prohibited", 3, 13, 13},
	{"host-precedence-violation", 3, 14, 14},
	{"precedence-cutoff", 3, 15, 15},
	{"source-quench", 4, 0, 255},
	{"redirect", 5, 0, 255},
	{"network-redirect", 5, 0, 0},
	{"host-redirect", 5, 1, 1},
	{"TOS-network-redirect", 5, 2, 2},
	{"TOS-host-redirect", 5, 3, 3},
	{"echo-request", 8, 0, 255},
	{"ping", 8, 0, 255},
	{"router-advertisement", 9, 0, 255},
	{"router-solicitation", 10, 0, 255},
	{"time-exceeded", 11, 0, 255},
	{"ttl-exceeded", 11, 0, 255},
	{"ttl-zero-during-transit", 11, 0, 0},
	{"ttl-zero-during-reassembly", 11, 1, 1},
	{"parameter-problem", 12, 0, 255},
	{"ip-header-bad", 12, 0, 0},
	{"required-option-missing", 12, 1, 1},
	{"timestamp-request", 13, 0, 255},
	{"timestamp-reply", 14, 0, 255},
	{"address-mask-request", 17, 0, 255},
	{"address-mask-reply", 18, 0, 255},
};

static const struct icmp_name names_6[] = {
	{"destination-unreachable", 1, 0, 255},
	{"no-route", 1, 0, 0},
	{"communication-prohibited", 1, 1, 1},
	{"beyond-scope", 1, 2, 2},
	{"address-unreachable", 1, 3, 3},
	{"port-unreachable", 1, 4, 4},
	{"failed-policy", 1, 5, 5},
	{"reject-route", 1, 6, 6},
	{"packet-too-big", 2, 0, 255},
	{"time-exceeded", 3, 0, 255},
	{"ttl-exceeded", 3, 0, 255},
	{"ttl-zero-during-transit", 3, 0, 0},
	{"ttl-zero-during-reassembly", 3, 1, 1},
	{"parameter-problem", 4, 0, 255},
	{"bad-header", 4, 0, 0},
	{"unknown-header-type", 4, 1, 1},
	{"unknown-option", 4, 2, 2},
	{"echo-request", 128, 0, 255},
	{"ping", 128, 0, 255},
	{"echo-reply", 129, 0, 255},
	{"pong", 129, 0, 255},
	{"router-solicitation", 133, 0, 255},
	{"router-advertisement", 134, 0, 255},
	{"neighbour-solicitation", 135, 0, 255},
	{"neighbor-solicitation", 135, 0, 255},
	{"neighbour-advertisement", 136, 0, 255},
	{"neighbor-advertisement", 136, 0, 255},
	{"redirect", 137, 0, 255},
};

static const char *name_read(const struct icmp_name *names, size_t count, struct str text,
                             const struct icmp_name **found)
{
	*found = NULL;
	for (size_t i = 0; i < count; i++) {
		if (text.n == 0 || strncasecmp(names[i].name, text.p, text.n) != 0)
			continue;
		if (*found != NULL)
			return "is short for more than one type of ICMP";
		*found = &names[i];
	}
	return *found == NULL ? "is no type of ICMP" : NULL;
}

static const char *numbers_read(struct str text, struct icmp_name *icmp)
{
	size_t slash = str_find(text, '/');
	uint64_t type, code;

	if (!value_number(str_slice(text, 0, slash), 255, &type))
		return "is no type of ICMP";
	*icmp = (struct icmp_name){.type = (unsigned char)type, .first = 0, .last = 255};
	if (slash == text.n)
		return NULL;
	if (!value_number(str_slice(text, slash + 1, text.n), 255, &code))
		return "has no code of ICMP behind the slash";
	icmp->first = icmp->last = (unsigned char)code;
	return NULL;
}

const char *icmp_read(enum family family, struct str text, struct numbers *numbers)
{
	const struct icmp_name *found;
	struct icmp_name icmp;
	const char *wrong;

	if (text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9') {
		wrong = numbers_read(text, &icmp);
	} else {
		wrong = family == FAMILY_4 ? name_read(names_4, sizeof names_4 / sizeof *names_4, text, &found)
		                           : name_read(names_6, sizeof names_6 / sizeof *names_6, text, &found);
		if (wrong == NULL)
			icmp = *found;
	}
	if (wrong != NULL)
		return wrong;
	*numbers = (struct numbers){(unsigned)icmp.type << 8 | icmp.first, (unsigned)icmp.type << 8 | icmp.last};
	if (family == FAMILY_4 && icmp.type == 255) /* to the kernel: any */
		*numbers = (struct numbers){0, UINT16_MAX};
	return NULL;
}
