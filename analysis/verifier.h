/* Between the files of verify: what a verifier keeps, a ruleset that was read back, and how a set is seen while one is
 * judged. */
#ifndef VERIFIER_H
#define VERIFIER_H

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "fleetwall/verify.h"

/* A set file. What the inventory wants of it, it says itself. */
struct known_set {
	struct filter_set set; /* with addresses where nobody needs them */
};

/* A set by its name: a condition for each field. "own NAME" is a file's, where that holds something else than the
 * inventory's. */
struct seen_set {
	struct str name;                     /* without "fw4-" */
	struct packets conditions[2];        /* source, destination; kept */
	bool made[2];
	const struct addr_set *addresses[2]; /* by family: what the file that is judged has */
};

struct verifier {
	struct arena *arena;
	const struct fleet *fleet;
	struct intent *intent;
	struct digest base; /* of the program and the settings */
	struct digester *digester;
	struct names *files; /* of known sets: name -> place in `known` */
	struct known_set *known;
	size_t known_count, known_capacity;
	struct names *seen_names; /* of sets that are seen: name -> place in `seen` */
	struct {
		struct seen_set *items;
		size_t count, capacity;
	} seen;
};

struct verify_text {
	struct str texts[2];
	struct filter *filters[2]; /* NULL: it can't be read, */
	struct error *faults[2];   /* and why */
	struct filter_sets sets;
	struct error *set_faults; /* of files that were given as they are */
	struct str *listed;       /* names in sets.list that are no set that is known */
	size_t listed_count;
	bool as_given; /* sets hold whatever they hold */
};

/* A part of all packets and the word for what becomes of it. */
struct fate {
	const char *word;
	struct packets wanted, got;
};
enum { FATES = 7 };

/* "fw4-" or "fw6-" and the rest, of a set's name; of one that is not ours all of it. */
struct str set_own_name(struct str name);
/* "mysql-0123456789ab.v4": false where that is no name of a set file. */
bool set_file_name(struct str file, struct str *name, enum family *family);

/* --- verify_quick.c --- */

/* False: who wants to know has to read all of it. Else the members that the file adds, all to one set, one behind the
 * other, are exactly those that are wanted; *frame is the file with the first of them alone, which is *first. */
bool quick_frame(struct arena *arena, struct str bytes, const struct addr_set *wanted, struct str *frame,
                 struct addr_set *first);

/* --- verify_names.c: sets as conditions --- */

filter_set_seen locals_see_file; /* context: struct local_view */
intent_peer_seen locals_see_wanted;
struct local_view {
	struct verifier *verifier;
	const struct verify_text *text;
};
/* What a set of the file holds. */
const struct addr_set *locals_addresses(const struct local_view *view, const struct filter_set *set);
/* With the addresses of those sets that it depends on in place of their names. */
struct packets locals_put(struct verifier *verifier, enum family family, struct packets set);

/* --- verify_say.c --- */

/* Makes one of these packets the finding's, an ordinary one where there is one. False: there is none. */
bool find_ordinary(struct arena *arena, struct packets set, bool out, struct verify_finding *finding);
/* "allow: role mysql: allow 3306/tcp". */
struct str reason_str(struct arena *arena, struct intent *intent, size_t machine, bool out,
                      const struct sample *packet);

#endif
