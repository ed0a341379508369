/* What the commands share: the run (configuration, arguments, database), the table of commands, and the writer of
 * answers. */
#ifndef CLI_H
#define CLI_H

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/db.h"
#include "fleetwall/error.h"
#include "fleetwall/fleet.h"
#include "fleetwall/guard.h"
#include "fleetwall/push.h"
#include "fleetwall/settings.h"

#include "writer.h"

/* How the bundle gets to a machine: on standard input, or copied first. */
enum transport { TRANSPORT_SSH, TRANSPORT_SCP };

/* What nightly does with a generation that it made: push it; push it if it opens nothing new or was approved; leave it.
 */
enum nightly_push { NIGHTLY_PUSH_ON, NIGHTLY_PUSH_APPROVED, NIGHTLY_PUSH_OFF };

/* Everything that the configuration file can say; each has a default. */
struct config {
	struct str path;      /* the file, or where it would be */
	struct str database;  /* libpq connection string; empty: the private server in `state` */
	struct str state;     /* folder */
	struct str output;    /* folder; STATE/out */
	struct str templates; /* folder; empty: the built-in ones */
	struct settings settings;
	struct guard_shares shares;
	unsigned threads;     /* for rendering and writing; 0: as many as there are processors */
	unsigned keep_generations, keep_days; /* see fleetwall/keep.h */
	struct push_settings push;
	unsigned transport;    /* enum transport */
	unsigned nightly_push; /* enum nightly_push */
	unsigned drift_sample; /* so many unchanged machines does nightly look at */
	struct hook assertions; /* files of the fleet's own policy; none: nothing is asserted */
};

/* Reads `path` into *config, which holds the defaults. All faults at once, with file and line. */
struct error *config_load(struct arena *arena, struct str path, struct config *config) MUST_CHECK;
/* The defaults, from who we are and the environment (HOME, XDG_STATE_HOME). */
struct error *config_default(struct arena *arena, struct config *config) MUST_CHECK;
/* The configuration of a call: defaults, then the file (--config, FLEETWALL_CONFIG, or the usual place, which may be
 * absent), then the command line. */
struct globals;
struct error *config_of(struct arena *arena, const struct globals *globals, struct config *config) MUST_CHECK;

struct option {
	const char *name;  /* without the dashes */
	const char *value; /* what it takes, for --help; NULL: a switch */
	const char *help;
};

/* An option that was given. */
struct given_option {
	const struct option *option;
	struct str value;
};

struct run;
typedef struct error *command_run(struct run *run);

/* One subcommand. This table is dispatch and help at once. */
struct command_entry {
	const char *name;      /* "machine list" */
	const char *arguments; /* for --help: "[MACHINE…]" */
	const char *summary;   /* one line */
	const char *details;   /* more, for its own --help; may be NULL */
	const struct option *options; /* ends with name NULL; may be NULL */
	size_t least, most;    /* how many arguments */
	command_run *run;
	bool rows;             /* people get rows, which --columns, --csv and --no-headings are about */
};

extern const struct command_entry commands[]; /* ends with name NULL */

/* One call of the program. */
struct run {
	struct arena *arena;
	const struct command_entry *command;
	struct str *arguments;
	size_t argument_count;
	struct given_option *options;
	size_t option_count;
	const struct globals *globals; /* what `config` was made with */
	struct config config;
	struct db *db;         /* after run_connect() */
	struct str conninfo;   /* what it was opened with */
	struct writer *writer;
	struct str input;      /* standard input, once it was read: a command that is tried again has it still */
	bool has_input;
	bool then;             /* the inventory that was loaded is one of --at */
	bool then_nothing;     /* and holds nothing */
	struct error *warnings;
	bool no;               /* the answer is no, or there is something to do: exit code 1 */
	bool incomplete;       /* some of the input could not be answered (it is among the warnings): exit code 2 */
};

/* Was the option given? Its value, or {NULL, 0}. */
bool run_has(const struct run *run, const char *option);
struct str run_option(const struct run *run, const char *option);
/* The option's value into `*number`, which stays as it is where the option was not given. */
struct error *run_number(const struct run *run, const char *option, unsigned least, unsigned most,
                         unsigned *number) MUST_CHECK;

/* Opens the database: the configured one, or the private one, started if need be. The schema must be there. */
struct error *run_connect(struct run *run) MUST_CHECK;
/* The same for `init`: makes the private one, and does not look for a schema. */
struct error *run_connect_bare(struct run *run) MUST_CHECK;
/* Connects, and loads the inventory from one snapshot: the present one, or as of --at. */
struct error *run_load(struct run *run, struct fleet *fleet) MUST_CHECK;

/* Connects, and loads of the present inventory what a question about few machines needs (see inventory_load_around());
 * then the snapshot stays open, and the caller commits. `*whole`: all of it came, and nothing is open: with --at, and
 * where one of the machines does not exist, so that the nearest name can be told. */
struct around;
struct error *run_load_around(struct run *run, const struct around *around, struct fleet *fleet,
                              bool *whole) MUST_CHECK;
/* Are the machines there of whose rules is asked? */
bool around_is_in(const struct around *around, const struct fleet *fleet);

/* All of standard input. */
struct error *run_input(struct run *run, struct str *text) MUST_CHECK;
/* A file that was named: "-" is standard input, and then *name is what messages call it. */
struct error *run_file(struct run *run, struct str *name, struct str *text) MUST_CHECK;

/* Parses argv into run->command, arguments and options. `*global` takes --config and the like. */
struct globals {
	struct str config, database, state, output;
	struct style style;
	bool json, help, version;
};
struct error *arguments_parse(struct run *run, struct globals *globals, int argc, char **argv) MUST_CHECK;

/* A question about a number alone is one about a protocol, as it says; most often a port was meant: warns of that. */
void warn_of_packet(struct run *run, struct str what);

/* ERROR_UNKNOWN with the nearest name. */
struct error *unknown_machine(struct arena *arena, const struct fleet *fleet, struct str name) MUST_CHECK;
struct error *unknown_role(struct arena *arena, const struct fleet *fleet, struct str name) MUST_CHECK;
struct error *unknown_network(struct arena *arena, const struct fleet *fleet, struct str name) MUST_CHECK;
struct error *unknown_rule(struct str id) MUST_CHECK; /* without a near one */

/* Marks the machines that a word names, by their places: a name, or a shell pattern (* ? [ ]). ERROR_UNKNOWN if there
 * is none. */
struct error *machines_match(struct arena *arena, const struct fleet *fleet, struct str word, bool *marked) MUST_CHECK;

/* The text of --help: of the program (command NULL, or a group such as "machine"), or of one command. */
void help_program(struct buf *buf);
void help_command(struct buf *buf, const struct command_entry *command);
void help_group(struct buf *buf, struct str group);
bool is_group(struct str word);

command_run run_init, run_database_start, run_database_stop, run_database_status, run_database_dump;
command_run run_import, run_export, run_generate, run_watch, run_nightly, run_explain;
command_run run_generation_list, run_generation_publish, run_generation_pin, run_generation_unpin;
command_run run_machine_list, run_machine_show, run_machine_enable, run_machine_disable;
command_run run_role_list, run_role_show, run_rule_list, run_rule_show;
command_run run_network_list, run_network_show, run_service_list, run_service_show;
command_run run_machine_add, run_machine_set, run_machine_remove, run_role_assign, run_role_unassign, run_open;
command_run run_role_add, run_role_set, run_role_remove, run_rule_add, run_rule_set, run_rule_remove;
command_run run_network_add, run_network_set, run_network_remove;
command_run run_service_add, run_service_set, run_service_remove;
command_run run_history, run_undo, run_sql;
command_run run_diff, run_push, run_status, run_drift, run_rollback, run_approve;
command_run run_machine_freeze, run_machine_unfreeze, run_machine_forget;
command_run run_probe_add, run_probe_remove, run_probe_list;
command_run run_verify, run_who_can, run_assert;
command_run run_lint, run_lint_accept, run_lint_accepted, run_lint_withdraw;
command_run run_query_rules, run_query_machines, run_query_roles, run_query_networks;
command_run run_query_exposed, run_query_matrix;

#endif
