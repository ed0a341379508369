/* From what was resolved to what a generation lists: each machine's ruleset and each set file, by digest. Machines in
 * the same position share a ruleset, rendered once; a set is made once per peer and family. What is known already, by
 * everything that it depends on, is not rendered again: that is all there is to an incremental run, and why it gives
 * the same bytes as a full one. Pure: no I/O but what the outlet does, no clock, no environment. SPEC §2, §5. */
#ifndef FLEETWALL_PRODUCE_H
#define FLEETWALL_PRODUCE_H

#include "fleetwall/digest.h"
#include "fleetwall/resolve.h"
#include "fleetwall/ruleset.h"
#include "fleetwall/settings.h"

/* One name of a manifest (a machine and its ruleset) or of `sets` (a set file and its content). */
struct entry {
	struct digest digest;
	struct str name;
};

/* A piece that was made before: `key` is SHA-256 over all that its bytes depend on, `value` the digest of the bytes. */
struct known {
	struct digest key, value;
};

/* What nobody has seen: a set's key tells its addresses by a sum that is made with it (gen/produce_tally.h). */
struct secret {
	unsigned char byte[16];
};

/* Sorted by key, keys unique. */
struct knowledge {
	struct known *rulesets, *sets;
	size_t ruleset_count, set_count;
	struct secret secret; /* that keys of sets are made with, and those that follow */
};

/* The distinct values, sorted: which objects there are. */
size_t known_values(struct arena *arena, const struct known *known, size_t count, struct digest **digests);

/* How bytes are made, besides from the fleet. `base` is part of every key: two ways of rendering that could give other
 * bytes have different ones. */
struct rendition {
	const struct settings *settings;
	const struct templates *templates;
	struct digest base;
	unsigned workers; /* threads, at least 1 */
	struct secret secret; /* for who begins without knowledge: by chance; no bytes depend on it */
};

/* `program` names the build of the program (its code is part of what bytes depend on); `files` are those that
 * `templates` was compiled from. */
struct rendition rendition_of(struct str program, const struct settings *settings, const struct template_file *files,
                              size_t file_count, const struct templates *templates, unsigned workers);

/* Takes each piece that was rendered, all sets before the first ruleset. Called from several threads at once, `worker`
 * < rendition.workers; what is pointed to is valid during the call only. The same digest may come twice. An error ends
 * the work. */
struct outlet {
	void *context;
	struct error *(*set)(void *context, unsigned worker, const struct set_file *set);
	struct error *(*ruleset)(void *context, unsigned worker, const struct ruleset *ruleset);
};

struct product {
	struct entry *manifest; /* sorted by name; machines that have a ruleset */
	size_t machine_count;
	struct entry *sets;     /* sorted by name; those that a ruleset names */
	size_t set_count;
	struct knowledge knowledge; /* of everything in this product and of nothing else */
	size_t ruleset_count;       /* distinct ones */
	size_t rules;               /* that machines get: the sum over machines */
	size_t rendered_rulesets, rendered_sets; /* what was not known */
};

/* `known` may be NULL: everything is rendered. Strings of the product are the fleet's, or in `arena`. */
struct error *produce(struct arena *arena, const struct resolved *resolved, const struct rendition *rendition,
                      const struct knowledge *known, const struct outlet *outlet, struct product *product) MUST_CHECK;
/* resolve() and produce(): addresses are put in order while roles are resolved, in `resolving`. After an error
 * *resolved may be as it was. */
struct error *produce_fleet(struct arena *arena, struct arena *resolving, const struct fleet *fleet,
                            const struct rendition *rendition, const struct knowledge *known,
                            const struct outlet *outlet, struct product *product,
                            struct resolved **resolved) MUST_CHECK;

/* For a process that stays: resolves and produces again and again, and takes over from the call before what a change
 * did not touch: who is a member of what, and what sets hold. The product is the one that resolve() and produce() give.
 */
struct producer;
struct producer *producer_new(void);
void producer_free(struct producer *producer); /* NULL is fine */

/* In what way a fleet differs from the one before, whose memory it shares and which still lies there: machines and
 * roles have the places that they had, and of the machines none but these differ. Roles may differ in anything but
 * their names, networks and services in everything. */
struct fleet_step {
	const struct fleet *before;
	const uint32_t *machines; /* ascending */
	size_t machine_count;
};

/* `known` is what the last product's knowledge is, or the part of it that is still there, or NULL. `step` may be NULL:
 * nothing is taken over. Nor is it where `step->before` is not the fleet of the last call that gave
 * no error, or where too much differs. *resolved is valid until the next call, and until the fleet goes. */
struct error *producer_make(struct producer *producer, struct arena *arena, const struct fleet *fleet,
                            const struct fleet_step *step, const struct rendition *rendition,
                            const struct knowledge *known, const struct outlet *outlet, struct product *product,
                            struct resolved **resolved) MUST_CHECK;

#endif
