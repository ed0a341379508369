/* Published generations for tests of what is pushed: sets by their members, machines by their sets, and bundles as
 * bytes. Goes with store_fixture.h, whose arena and folder it uses. */
#ifndef TESTS_PUSH_FIXTURE_H
#define TESTS_PUSH_FIXTURE_H

#include "fleetwall/bundle.h"
#include "store_fixture.h"

/* A set file as generate writes it: NAME is "web-0.v4", members one a line, each with a newline. */
struct str set_file_of(struct arena *to, struct str name, struct str members);
/* Members 10.0.0.0 and so on, or fd00::, by twos so that none touch. */
struct str many_members(struct arena *to, enum family family, size_t count);

/* Rules files of each mode, which are not the same for two marks. */
struct str rules_of(struct arena *to, enum position_mode mode, const char *mark);

/* A generation with one machine, db1, in mode exclusive, whose sets.list names these sets. */
struct one_set {
	const char *name;
	struct str members;
};
uint64_t publish_one(const char *mark, const struct one_set *sets, size_t count);

struct positions *positions_at(uint64_t generation);

/* Everything that the bundle gives, read by so many bytes at a time; closed. Fails unless it is bundle_size() long. */
struct str bundle_bytes(struct bundle *bundle, size_t step);

#endif
