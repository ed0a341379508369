/* What the files of watch share. watch.c knows when (the loop), watch_round.c what (connection, rounds, configuration),
 * watch_say.c which words. */
#ifndef WATCH_H
#define WATCH_H

#include "generation.h"
#include "regenerate.h"
#include "watch_said.h"

struct watch {
	struct run *run;
	struct str lock;             /* OUT/.watch */
	int lock_fd;
	struct arena *connection;    /* what run->db lives in; NULL: not connected */
	struct arena *settings;      /* of a configuration that was read again; NULL: that of the start */
	struct resident *resident;
	struct regeneration last;    /* the last good round; number 0: there was none */
	bool full;                   /* the next round compares everything */
	bool troubled;               /* something went wrong since the last good round */
	struct said trouble, warning;
	struct collecting collecting; /* of old generations */
};

/* --- watch_round.c --- */

/* One watch for an output folder: takes its lock, or says who has it. The folder is made if need be. */
struct error *watch_lock(struct watch *watch) MUST_CHECK;
void watch_unlock(struct watch *watch);

/* Opens the database, the private one is started if need be, and listens: before anything is looked at. */
struct error *watch_connect(struct watch *watch) MUST_CHECK;
void watch_disconnect(struct watch *watch);

/* One round, and its outcome said. *edge: milliseconds until a rule begins or ends to count, UINT64_MAX if that is not
 * soon. An error is not said yet. */
struct error *watch_round(struct watch *watch, uint64_t *edge) MUST_CHECK;
/* For quiet moments: keeps for the next start what is in memory alone, gives memory back. */
void watch_settle(struct watch *watch);
/* Is there something to collect, and may it wait for a pause? Then some of it, in a few milliseconds. */
enum collecting_need watch_collect_need(struct watch *watch);
void watch_collect(struct watch *watch);
/* Reads the configuration again. True: it is taken over, and everything begins anew with it, the connection too, which
 * the caller gives up. False: what is wrong with it was said, and all stays as it is. */
bool watch_reread(struct watch *watch);

/* --- watch_say.c --- */

void say_open(struct watch *watch);
void say_close(struct watch *watch);
/* A line for a generation that was published, for the first round, for one after trouble, and for one that mended. */
struct error *say_outcome(struct watch *watch, const struct regeneration *result) MUST_CHECK;
void say_trouble(struct watch *watch, const struct error *error);
void say_warning(struct watch *watch, const struct error *warning);

#endif
