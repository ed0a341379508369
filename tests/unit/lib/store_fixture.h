/* A folder under TMPDIR for tests of the store, two outputs to publish in it, and ways to look at what is there. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <sys/types.h>

#include "arena_fixture.h"
#include "fleetwall/store.h"
#include "output_build.h"

extern char out[200]; /* the output folder; not there at first */
extern const struct summary first_summary, second_summary;

/* A checked fixture. */
void store_setup(void);
void store_teardown(void);

/* Runs a shell line, which must succeed. */
void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The path of something in the output folder. */
const char *at(const char *path);
struct str read_whole(const char *path);
void expect_file(const char *path, const char *text);
void expect_link(const char *path, const char *prefix);
bool exists(const char *path);
ino_t inode(const char *path);
/* An error of the surroundings, whose message has this part. */
void expect_message(const struct error *error, const char *part);

/* a and b share a ruleset, c has its own; two sets. */
struct output first_output(void);
/* a as before, with another content of web-0.v4; b needs a new set; c is gone, web-0.v6 too. */
struct output second_output(void);
struct product product_of(struct arena *to, const struct output *output);
/* Its number is 0 still. */
struct generation generation_for(struct arena *to, const struct output *output, const struct summary *summary);
struct error *put_objects(struct store *store, const struct output *output) MUST_CHECK;
/* What generate does, in a store that is open; every other time the links are laid by what they are known to say. */
struct error *publish_in(struct arena *to, struct store *store, const struct output *output,
                         const struct summary *summary, uint64_t *number) MUST_CHECK;
/* What generate does. Gives the number, or 0 when there was nothing to publish. */
struct error *try_publish(const struct output *output, const struct summary *summary, uint64_t *number) MUST_CHECK;
uint64_t publish(struct output output, const struct summary *summary);
struct generation published(void);

#endif
