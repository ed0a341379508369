/* Interned names: each distinct string has one number, counted from 0 in order of arrival, so equality is one
 * comparison and an array indexed by it is a map. Numbers never decide an order of output: sort by spelling. */
#ifndef FLEETWALL_NAMES_H
#define FLEETWALL_NAMES_H

#include "fleetwall/str.h"

#define NAMES_NONE UINT32_MAX

struct names;

struct names *names_new(struct arena *arena);
/* The number of `s`, given now if it had none. The string is copied into the arena. */
uint32_t names_add(struct names *names, struct str s);
/* The same without a copy: `s` itself must live as long as the names. */
uint32_t names_keep(struct names *names, struct str s);
/* The number of `s`, or NAMES_NONE. */
uint32_t names_find(const struct names *names, struct str s);
struct str names_get(const struct names *names, uint32_t number);
uint32_t names_count(const struct names *names);

#endif
