/* From what was resolved to bytes: rulesets (rules.v4, rules.v6, sets.list), shared by machines in the same position,
 * and set files. Pure: no I/O, no clock, no environment. SPEC §2, §5. */
#ifndef FLEETWALL_RULESET_H
#define FLEETWALL_RULESET_H

#include "fleetwall/digest.h"
#include "fleetwall/mustache.h"
#include "fleetwall/resolve.h"
#include "fleetwall/settings.h"

struct ruleset {
	struct str rules[2];           /* rules.v4, rules.v6 */
	struct str sets_list;          /* names of set files, one a line, sorted */
	struct digest digest;          /* SHA-256 of what `sha256sum rules.v4 rules.v6 sets.list` prints */
	const struct machine *example; /* the first machine by name that has it, for messages */
	enum mode mode;                /* how it is loaded: coexist for monitors, whatever their mode */
	enum enforcement enforcement;
	unsigned ssh_port;
	size_t machines; /* how many have it */
};

struct set_file {
	struct str name; /* "mysql-0123456789ab.v4" */
	struct str bytes;
	struct digest digest; /* SHA-256 of the bytes */
};

struct machine_ruleset {
	const struct machine *machine;
	const struct ruleset *ruleset;
};

/* A whole result in memory: for small fleets, and for whoever looks at bytes. The generator does not keep them, see
 * fleetwall/produce.h. */
struct output {
	struct ruleset **rulesets; /* distinct, sorted by digest */
	size_t ruleset_count;
	struct set_file *sets; /* sorted by name; those that a ruleset names */
	size_t set_count;
	struct machine_ruleset *machines; /* sorted by name; those that have a ruleset */
	size_t machine_count;
};

/* Compiled templates. templates/exclusive.mustache says which values there are. */
struct templates;
/* `files`: name -> text, as embedded_templates; a name that does not end in ".mustache" is passed over. A file that a
 * folder of the administrator's does not have comes from the built-in ones: that is for the caller to do. Faults are
 * ERROR_INPUT with file and line; that a template is missing which the program or another one names is among them. */
struct template_file {
	struct str name, text;
};
struct error *templates_compile(struct arena *arena, const struct template_file *files, size_t count,
                                struct templates **templates) MUST_CHECK;

/* Everything at once, through produce(). */
struct error *rulesets_make(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                            const struct templates *templates, struct output *output) MUST_CHECK;

/* The names of a peer's set: SET, without "fw4-" or ".v4". `text` is the canonical peer text (self as its role), `name`
 * what the first 12 characters are taken from. */
struct str set_name(struct arena *arena, bool refusing, struct str name, struct str text);

#endif
