/* Private to gen/: compiled templates, and rendering one of them. */
#ifndef FLEETWALL_GEN_TEMPLATES_H
#define FLEETWALL_GEN_TEMPLATES_H

#include "fleetwall/buf.h"
#include "fleetwall/ruleset.h"

/* Those that the program asks for by name; the others are partials of these. */
enum template_name {
	TEMPLATE_EXCLUSIVE,
	TEMPLATE_COEXIST,
	TEMPLATE_MONITOR,
	TEMPLATE_RULE,
	TEMPLATE_LOG_CHAIN,
	TEMPLATE_COUNT
};

struct error *templates_render(struct arena *scratch, const struct templates *templates, enum template_name name,
                               const struct value *value, struct buf *out) MUST_CHECK;

#endif
