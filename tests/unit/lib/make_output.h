/* From a document's text to rulesets and sets without a database, for golden files and kernel tests. A line of the
 * document that begins with "// golden:" sets what a database and a configuration would have given, in words like
 * clock=2026-03-01T12:00:00Z management=203.0.113.250,2001:db8:ffff::/48 ssh_port=22 log_rate=6 off=dhcp,loopback */
#ifndef TESTS_MAKE_OUTPUT_H
#define TESTS_MAKE_OUTPUT_H

#include "fleetwall/ruleset.h"

/* 2026-03-01T12:00:00Z */
#define MAKE_OUTPUT_CLOCK 1772366400

struct made {
	struct fleet fleet;
	struct settings settings;
	struct resolved *resolved;
	struct output output;
};

/* The built-in templates. */
struct templates *make_templates(struct arena *arena);
struct error *make_output(struct arena *arena, struct str name, struct str text, struct made *made) MUST_CHECK;

#endif
