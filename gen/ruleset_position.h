/* Private to gen/: what a ruleset depends on, and its rules files. Machines in the same position share one. */
#ifndef FLEETWALL_GEN_RULESET_POSITION_H
#define FLEETWALL_GEN_RULESET_POSITION_H

#include "fleetwall/buf.h"
#include "ruleset_blocks.h"

struct position {
	enum style style;
	bool closed; /* egress */
	unsigned ssh_port;
	const uint32_t *roles; /* those that have rules now, ascending */
	uint32_t role_count;
	uint32_t example;  /* the first machine by name that has it */
	uint32_t machines; /* how many have it */
};

/* What rendering needs besides the position: the same for all, and only read. */
struct rendering {
	const struct settings *settings;
	const struct templates *templates;
	/* Of a role, the family at family_index(), and a style; there for every role and style of a position that is
	 * rendered. */
	struct block *(*blocks)[2][STYLE_COUNT];
	struct rate log;            /* of the default stage and of monitors */
	struct str log_in, log_out; /* names of these limits */
	struct str monitor_mode, monitor_name;
	struct value management[2]; /* by family */
};

struct rendering rendering_new(struct arena *arena, const struct settings *settings, const struct templates *templates);

/* Renders one family into `out`. */
struct error *position_render(struct arena *scratch, const struct rendering *rendering, const struct position *position,
                              enum family family, struct buf *out) MUST_CHECK;

#endif
