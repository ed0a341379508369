/* Private to gen/: short ways to write values for templates. */
#ifndef FLEETWALL_GEN_VALUES_H
#define FLEETWALL_GEN_VALUES_H

#include "fleetwall/mustache.h"

static inline struct value value_string(struct str string)
{
	return (struct value){.kind = VALUE_STRING, .string = string};
}

static inline struct value value_bool(bool truth)
{
	return (struct value){.kind = truth ? VALUE_TRUE : VALUE_FALSE};
}

static inline struct value value_list(const struct value *items, size_t count)
{
	return (struct value){.kind = VALUE_LIST, .items = items, .count = count};
}

static inline struct value value_object(const struct member *members, size_t count)
{
	return (struct value){.kind = VALUE_OBJECT, .members = members, .count = count};
}

#endif
