/* Private to push/: what a bundle's header says of the store's files, looked at once for each of them, and differences
 * of sets, made once for all machines that need the same. Everything lives as long as the positions. */
#ifndef POSITIONS_H
#define POSITIONS_H

#include "fleetwall/bundle.h"

/* A file of the store, of which every line ends. */
struct file_facts {
	struct digest digest; /* of its bytes */
	uint64_t size;
	size_t lines;
};

enum { RULESET_FILES = 3 };
extern const struct str ruleset_files[RULESET_FILES]; /* rules.v4, rules.v6, sets.list */

struct held_position {
	struct position position;
	bool is_complete; /* what follows, and the sets of the position, are known */
	struct file_facts files[RULESET_FILES];
};

struct str positions_output(const struct positions *positions);
/* As positions_find(), complete. */
struct error *positions_held(struct positions *positions, struct str machine,
                             const struct held_position **held) MUST_CHECK;
/* Of a set file that the generation names; read and checked the first time. */
struct error *positions_set(struct positions *positions, const struct digest *set,
                            const struct file_facts **facts) MUST_CHECK;

/* The lines of a bundle that make the file `from`, of the store in `before`, the file `to` of this one. */
struct set_change {
	struct str lines;
	size_t count;
};
/* NULL where the whole is sent: because it is shorter, or `from` is not there any more, or so many large differences
 * are held already that memory is for others. */
const struct set_change *positions_change(struct positions *positions, const struct positions *before,
                                          const struct digest *from, const struct digest *to);

#endif
