/* What the files of the private server share: where it lives, who it runs as, which programs it is made of. */
#ifndef DB_SERVER_HOME_H
#define DB_SERVER_HOME_H

#include <sys/types.h>

#include "fleetwall/db.h"
#include "fleetwall/process.h"

#define SERVER_PORT "5432" /* only a part of the socket's name */
#define SERVER_ROLE "fleetwall" /* the superuser, and the database */

struct home {
	struct str state;    /* absolute */
	struct str data;     /* STATE/pg */
	struct str log;      /* STATE/pg/server.log */
	struct str programs; /* the folder of initdb, pg_ctl and the like; empty: in PATH */
	const char *user;    /* whom the server runs as */
	uid_t uid;
	gid_t gid;
	bool root;           /* we are root, and the server is not */
};

/* --- server_home.c: folders, users, programs --- */

/* Looks at what is there and changes nothing. *exists: is there a data folder? */
struct error *home_find(struct arena *arena, struct str state, struct home *home, bool *exists) MUST_CHECK;
/* Makes STATE, and makes sure that the server's user can pass through to it. */
struct error *home_prepare(struct arena *arena, const struct home *home) MUST_CHECK;
/* Finds the programs for the data folder's version, or the newest ones. */
struct error *home_programs(struct arena *arena, struct home *home, bool exists) MUST_CHECK;
/* Waits for the lock of STATE. Close *fd to give it back; programs that we start don't inherit it. */
struct error *home_lock(struct arena *arena, const struct home *home, int *fd) MUST_CHECK;
/* Runs a program as the server's user. */
struct error *home_run(struct arena *arena, const struct home *home, const char *const *argv,
                       struct outcome *outcome) MUST_CHECK;
/* The path of one of PostgreSQL's programs. */
const char *home_program(struct arena *arena, const struct home *home, const char *name);

/* --- server_files.c: the small files around the data folder --- */

/* postmaster.pid. */
struct postmaster {
	pid_t pid;           /* 0: there is no such file, or nothing in it */
	struct str socket;   /* the folder of its socket */
	bool ready;          /* it says so */
};
struct postmaster postmaster_read(struct arena *arena, const struct home *home);
/* Is that process alive, and a server of this data folder? */
bool postmaster_alive(const struct home *home, const struct postmaster *postmaster);
/* Does a server answer there? */
bool postmaster_answers(struct str socket);

/* The folder that STATE records for the socket; empty if there is none. */
struct str socket_recorded(struct arena *arena, const struct home *home);
/* Is that folder there, private to the server's user, and not of another state folder, of which this one is a copy? */
bool socket_usable(const struct home *home, struct str folder);
/* Makes a folder for the socket: STATE/pg.run where that can be, else a new one. */
struct error *socket_make(struct arena *arena, const struct home *home, struct str *folder) MUST_CHECK;
struct error *socket_record(struct arena *arena, const struct home *home, struct str folder) MUST_CHECK;
/* Takes away what a dead server left there. STATE/pg.run stays, and its record: the next one is found at the same
 * place. Another folder goes. */
void socket_clear(struct arena *arena, const struct home *home);
/* Writes pg.conf, pg.hba and pg.ident. */
struct error *settings_write(struct arena *arena, const struct home *home, struct str socket) MUST_CHECK;
/* A libpq connection string for a database of the server. */
struct str server_conninfo(struct arena *arena, const struct home *home, struct str socket, const char *database);

/* Of what a program or a log says: the last line with a fatal error, without what stands before it; else the last line.
 */
struct str server_reason(struct str text);
/* The first `most` bytes of a file from `offset`; empty if it can't be read. */
struct str small_file(struct arena *arena, struct str path, off_t offset, size_t most);

/* --- server_make.c --- */

/* Makes the data folder: beside its place, renamed when it is complete. */
struct error *server_make(struct arena *arena, const struct home *home) MUST_CHECK;
/* Removes what a killed run left of it. */
void server_sweep(struct arena *arena, const struct home *home);

/* --- server_run.c --- */

/* Starts the server and waits until it takes connections at `socket`. */
struct error *server_run(struct arena *arena, const struct home *home, struct str socket) MUST_CHECK;
/* Ends it and waits. It must be alive. */
struct error *server_end(struct arena *arena, const struct home *home) MUST_CHECK;
/* Waits until a server that is alive says that it is ready, or is gone. */
struct postmaster server_await(struct arena *arena, const struct home *home);

#endif
