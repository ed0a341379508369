/* Private to gen/: what a ruleset depends on. Machines in the same position share one. */
#ifndef FLEETWALL_GEN_RULESET_POSITION_H
#define FLEETWALL_GEN_RULESET_POSITION_H

#include "fleetwall/buf.h"
#include "ruleset_blocks.h"

struct position {
	enum style style;
	bool closed; /* egress */
	unsigned ssh_port;
	const uint32_t *roles; /* those that have rules now, ascending */
	size_t role_count;
};

/* What rendering needs besides the position: the same for all. */
struct rendering {
	const struct resolved *resolved;
	const struct settings *settings;
	const struct templates *templates;
	struct blocks *blocks;
	struct rate log;            /* of the default stage and of monitors */
	struct str log_in, log_out; /* names of these limits */
	struct str monitor_mode, monitor_name;
	struct value management[2]; /* by family */
};

struct rendering rendering_new(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                               const struct templates *templates, struct blocks *blocks);

/* Renders one family into `out`; the numbers of the sets that it names are appended to `used`, perhaps repeatedly. */
struct error *position_render(struct arena *scratch, const struct rendering *rendering, const struct position *position,
                              enum family family, struct set_numbers *used, struct buf *out) MUST_CHECK;

#endif
