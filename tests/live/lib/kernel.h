/* A fleet, made into rulesets, held against the kernel: what explain() says of a packet must be what happens to it. */
#ifndef FLEETWALL_TESTS_KERNEL_H
#define FLEETWALL_TESTS_KERNEL_H

#include "fleetwall/explain.h"
#include "fleetwall/ruleset.h"
#include "packets.h"

/* --- kernel_fleet.c: a fleet from its text to rulesets, with no database --- */

struct trial {
	struct arena *arena;
	struct fleet fleet;
	struct settings settings;
	struct resolved *resolved;
	struct output output;
	struct explainer *explainer;
};

/* The settings of the tests: the defaults, and management sources of both families. */
struct settings trial_settings(struct arena *arena);
/* The clock is now. Faults end the test. */
struct trial *trial_of_document(struct arena *arena, const char *path, struct settings settings);
struct trial *trial_of_csv(struct arena *arena, const char *folder, struct settings settings);
struct trial *trial_of_text(struct arena *arena, const char *name, struct str text, struct settings settings);
struct trial *trial_of_fleet(struct arena *arena, const struct fleet *fleet, struct settings settings);
/* The machine's ruleset; NULL when it has none. */
const struct ruleset *trial_ruleset(const struct trial *trial, const struct machine *machine);
/* The same by name, which must be that of a machine with a ruleset. */
const struct ruleset *trial_ruleset_of(const struct trial *trial, const char *machine);
/* Every name of an interface that the kernel can have, for each `on` of the fleet, with near misses; the first is one
 * that no rule can name. */
size_t trial_interfaces(struct arena *arena, const struct fleet *fleet, struct str **interfaces);

/* --- kernel_load.c: into the namespace that we are in --- */

/* The programs of one backend; "" is the system's default, else "-nft" or "-legacy". */
struct backend {
	const char *restore[2], *iptables[2];
};
struct backend backend_of(struct arena *arena, const char *infix);
/* Moves this process into a namespace of its own; false, and a line that says why, where that can't be or the backend
 * does not work. */
bool backend_enter(const struct backend *backend);
void load_sets(struct arena *arena, const struct output *output);
/* Empties the filter tables. */
void load_nothing(struct arena *arena, const struct backend *backend);
/* In place of what the filter tables hold; a coexist file as its first line says, beside nothing. */
void load_ruleset(struct arena *arena, const struct backend *backend, const struct ruleset *ruleset);

/* --- kernel_probes.c: packets at the edges --- */

struct probe_list {
	struct probe *items;
	size_t count, capacity;
};

/* Packets in and out of one machine at the edges of everything that its rules name: first - 1, first, last, last + 1 of
 * each prefix, range of ports and kind of ICMP, members and those who are not, disabled ones too, over each interface
 * where a rule names one. Then `random` more a direction and family, combined at random from all of these; the same
 * ones in each run. */
void probes_at_edges(struct arena *arena, const struct trial *trial, uint32_t machine, size_t interface_count,
                     size_t random, struct probe_list *list);
/* Evenly fewer, at most so many; the new count. */
size_t probes_thin(struct probe *probes, size_t count, size_t most);
/* The machine's first address of the family that packets can have, or one to stand in where it has none. */
struct addr own_address(const struct machine *machine, enum family family);

/* --- kernel_compare.c --- */

struct tally {
	size_t tried, allowed, denied, refused, invalid, unseen, differing;
};
/* Sends the machine's probes and asks explain() about each; says of the first few that differ how. A packet that the
 * kernel would not carry at all is counted in `unseen`; one between ordinary addresses may not be among them. Of
 * packets that a rule with a limit lets in, only the first a source is sent. */
void compare(struct trial *trial, struct judge *judge, uint32_t machine, const struct str *interfaces,
             struct probe *probes, size_t count, struct tally *tally);
/* Why no packet can come from or go to this address in a test; NULL if it can. */
const char *address_excluded(struct addr addr);
void tally_print(const char *name, const struct tally *tally);

#endif
