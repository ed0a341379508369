/* Tests of the private server: each has a STATE of its own, below one folder of the program that is swept when it ends.
 */
#ifndef FLEETWALL_TESTS_PRIVATE_H
#define FLEETWALL_TESTS_PRIVATE_H

#include <limits.h>
#include <sys/types.h>

#include "fleetwall/process.h"
#include "postgres.h"

extern char folder[PATH_MAX]; /* the test's */
extern struct str state;      /* FOLDER/a/state, which does not exist at first */

/* Adds a test case whose tests begin with nothing, or with a data folder that was made before. */
void add_making(Suite *suite, const TTest *const *tests, size_t count);
void add_running(Suite *suite, const TTest *const *tests, size_t count);
int private_main(Suite *suite);

/* Starts the server, which must succeed. */
struct server started(void);
/* The same, and uses it; for children. */
void start_in_child(void);
enum server_state state_now(void);
/* Sets `db` to a connection to it. */
void connected(const struct server *found);
/* It failed, by the fault of the surroundings, with a message that holds `part`. */
void fails(struct error *error, const char *part);

struct outcome private_run(const char *const *argv);
#define RUN(...) private_run((const char *const[]){__VA_ARGS__, NULL})
bool holds(struct str text, const char *part);
/* Says that this test could not be made here. */
void unable(const char *why);
/* STATE/name */
const char *path(const char *name);
void pause_for(long milliseconds);
/* Is the process no more, or only the entry that its parent did not take yet? */
bool gone(long pid);
void kill_hard(long pid);
/* Runs `work` in so many processes at once; all must succeed. */
void in_each_child(size_t count, void (*work)(void));

#endif
