/* The table of commands: dispatch, options, help. */
#include <stddef.h>

#include "cli.h"

#define MANY SIZE_MAX
/* What a command answers people with. */
#define ROWS true
#define WORDS false

#define AT_OPTION {"at", "TIME", "as of then: 2026-03-01T12:00:00Z"}

static const struct option at_options[] = {AT_OPTION, {NULL, NULL, NULL}};

static const struct option history_options[] = {
	{"since", "TIME", "not before then"},
	{"by", "WHO", "by this database user, or this person"},
	{"limit", "N", "the latest N alone"},
	{"at", "TIME", "not after then"},
	{NULL, NULL, NULL},
};

static const struct option undo_options[] = {
	{"alone", NULL, "this one row, not all that was done with it"},
	{"ticket", "TICKET", "why, for the history"},
	{NULL, NULL, NULL},
};

static const struct option import_options[] = {
	{"csv", "DIR", "read the CSV files of a folder instead of a document"},
	{"rules", "ROLE", "FILE holds rule lines; they are added to ROLE"},
	{"dry-run", NULL, "show what would change; exit code 1 if there is something"},
	{"meaning", NULL, "with --dry-run: show what would open and close, as diff does, instead"},
	{"from", "KIND", "files of another system: aws, ansible, iptables-save (fleetwall-import(5))"},
	{"address-variable", "NAME", "with --from ansible: a variable that holds addresses; may be repeated"},
	{"prune", NULL, "also remove the objects that the source does not name"},
	{NULL, NULL, NULL},
};

static const struct option export_options[] = {
	AT_OPTION,
	{"owner", "NAME", "only what the document of this owner owns"},
	{NULL, NULL, NULL},
};

static const struct option generate_options[] = {
	{"dry-run", NULL, "show what would change or be mended; exit code 1 if there is something"},
	{"only", "MACHINE", "this machine, and those that are named as arguments, alone; the rest stays as published"},
	{"full", NULL, "from nothing: render everything, compare every object with its bytes, look at every link"},
	{"force", NULL, "publish although machines, members or rules changed by more than the guards allow"},
	{"templates", "DIR", "Mustache templates that replace those of the same name that are built in"},
	{"verify", NULL, "prove first that what is new says what the inventory says"},
	{"try-all", NULL,
         "load every new ruleset in a throw-away network namespace first, not only new forms of rules"},
	{NULL, NULL, NULL},
};

static const struct option verify_options[] = {
	{"against", "DIR", "the files rules.v4, rules.v6 and the set files of this folder, for the one machine named"},
	{NULL, NULL, NULL},
};

static const struct option generation_publish_options[] = {
	{"dry-run", NULL, "show what it would change and open; exit code 1 if it would change something"},
	{"force", NULL, "publish although machines, members or rules changed by more than the guards allow"},
	{"templates", "DIR", "Mustache templates that replace those of the same name that are built in"},
	{NULL, NULL, NULL},
};

static const struct option pin_options[] = {
	{"reason", "WORDS", "why; \"by hand\" if there is none"},
	{NULL, NULL, NULL},
};

#define ONLY_OPTION {"only", "WORD", "a machine, a shell pattern, or role:NAME; may be repeated, as arguments too"}

static const struct option push_options[] = {
	{"dry-run", NULL, "show what would be pushed, contact nobody; exit code 1 if there is something"},
	ONLY_OPTION,
	{"adopt", "MACHINE", "replace the rules that are there and not ours; may be repeated"},
	{"cut", NULL, "also end established connections that the new rules no longer let in"},
	{"parallel", "N", "machines at once, this time"},
	{"max-failures", "N", "a wave with more failures stops the run, this time"},
	{"resume", NULL, "go on with a push that was halted, stopped or killed"},
	{"halt", NULL, "stop everybody's pushes, until --resume or --unhalt"},
	{"unhalt", NULL, "let pushes run again, and begin none"},
	{"reason", "WORDS", "with --halt: why"},
	{NULL, NULL, NULL},
};

static const struct option status_options[] = {
	ONLY_OPTION,
	{"open", NULL, "those alone that do not have what is published"},
	{NULL, NULL, NULL},
};

static const struct option drift_options[] = {
	ONLY_OPTION,
	{"mend", NULL, "push again what differs"},
	{NULL, NULL, NULL},
};

static const struct option rollback_options[] = {
	{"dry-run", NULL, "show what would go back; exit code 1 if there is something"},
	{"no-freeze", NULL, "let the next push bring the present ruleset again"},
	{NULL, NULL, NULL},
};

static const struct option freeze_options[] = {
	{"reason", "WORDS", "why; whoever wonders why nothing is pushed will read it"},
	{NULL, NULL, NULL},
};

static const struct option query_machines_options[] = {
	{"role", "ROLE", "those that have this role"},
	{"opens", "WHAT", "those with a rule that lets it in: 3306/tcp; the rule says from whom"},
	{"from", "SOURCE", "with --opens: those that let it in from this address or machine"},
	{"rule", "ID", "those that get this rule"},
	AT_OPTION,
	{NULL, NULL, NULL},
};

static const struct option query_rules_options[] = {
	{"expiring", "DAYS", "rules that end within so many days"},
	{"unused", NULL, "rules that no machine gets"},
	AT_OPTION,
	{NULL, NULL, NULL},
};

static const struct option unused_options[] = {
	{"unused", NULL, "those that nobody uses"},
	AT_OPTION,
	{NULL, NULL, NULL},
};

static const struct option query_exposed_options[] = {
	{"role", "ROLE", "members of this role alone"},
	{"from", "PREFIX", "what this prefix or address reaches, instead of the internet"},
	AT_OPTION,
	{NULL, NULL, NULL},
};

static const struct option query_matrix_options[] = {
	{"from", "ROLE", "all that members of this role reach, whoever the rules name"},
	{"to", "ROLE", "what reaches members of this role"},
	{"role", "ROLE", "rows with this role at one of the ends"},
	AT_OPTION,
	{NULL, NULL, NULL},
};

static const struct option rule_list_options[] = {
	{"role", "ROLE", "those of this role"},
	AT_OPTION,
	{NULL, NULL, NULL},
};

static const struct option machine_options[] = {
	{"address", "A[=LABEL]", "an address; may be repeated"},
	{"label", "K=V", "a label; may be repeated"},
	{"role", "ROLE", "a role; may be repeated"},
	{"mode", "MODE", "exclusive or coexist"},
	{"enforcement", "E", "enforce, monitor or unmanaged"},
	{"ssh-port", "N", "the port of its SSH server"},
	{"ssh-host", "HOST", "what a push connects to"},
	{"no-address", NULL, "no addresses"},
	{"no-label", NULL, "no labels"},
	{"no-role", NULL, "no assigned roles"},
	{"no-mode", NULL, "exclusive"},
	{"no-enforcement", NULL, "enforce"},
	{"no-ssh-port", NULL, "the configured port"},
	{"no-ssh-host", NULL, "one of its addresses"},
	{"ticket", "TICKET", "why, for the history"},
	{NULL, NULL, NULL},
};

static const struct option role_options[] = {
	{"selector", "JSON", "machines with these labels are members: {\"env\":\"prod\"}"},
	{"egress", "open|closed", "closed: only what a rule allows may leave"},
	{"owner", "OWNER", "who answers for it"},
	{"description", "TEXT", "what it is for"},
	{"no-selector", NULL, "no machine is a member by its labels"},
	{"no-egress", NULL, "open"},
	{"no-owner", NULL, "no owner"},
	{"no-description", NULL, "no description"},
	{"ticket", "TICKET", "why, for the history"},
	{NULL, NULL, NULL},
};

static const struct option rule_add_options[] = {
	{"ticket", "TICKET", "why it is there"},
	{"owner", "OWNER", "who answers for it"},
	{"since", "TIME", "it counts from then on"},
	{"until", "TIME", "it counts until just before then"},
	{"disabled", NULL, "it does not count yet"},
	{NULL, NULL, NULL},
};

static const struct option rule_set_options[] = {
	{"ticket", "TICKET", "why it is there"},
	{"owner", "OWNER", "who answers for it"},
	{"enabled", NULL, "it counts"},
	{"disabled", NULL, "it does not count"},
	{"no-ticket", NULL, "no ticket"},
	{"no-owner", NULL, "no owner"},
	{NULL, NULL, NULL},
};

static const struct option open_options[] = {
	{"for", "TIME", "how long: 90s, 30m, 2h, 7d, 1w"},
	{"ticket", "TICKET", "why"},
	{"owner", "OWNER", "who answers for it"},
	{NULL, NULL, NULL},
};

static const struct option ticket_options[] = {
	{"ticket", "TICKET", "why, for the history"},
	{NULL, NULL, NULL},
};

static const char history_details[] = "OBJECT is a name, an address, the id of a rule, or all that stands under WHAT: "
                                      "\"machine db1\". --json has the rows as they\n"
				      "were and became.";

static const char undo_details[] = "CHANGE is a number that history shows. What was done together, by one command or "
                                   "one import, is taken back together. Refused\n"
				   "when one of its rows was changed again since, or when what it made is used by now.";

static const char set_details[] = "A field that an option names becomes what the options say of it, as in a document; "
                                  "other fields are left alone.";

static const char set_machine_details[] =
	"A field that an option names becomes what the options say of it, as in a document; other fields are left "
	"alone.\n"
	"A machine may be given as a shell pattern: \"web*\"; quote it, so that the shell leaves it alone.";

static const char glob_details[] =
	"A machine may be given as a shell pattern: \"web*\"; quote it, so that the shell leaves it alone.";

static const char import_details[] = "FILE is a document (fleetwall-document(5)); \"-\" is standard input. It is one "
                                     "transaction: all of it, or nothing\n"
				     "and every error at once. A field that is given makes the object equal to it; a "
                                     "field that is absent is left alone.";

static const char generate_details[] =
	"Reads one snapshot of the inventory, makes one ruleset for each position that "
	"machines are in, and publishes them as a new\n"
	"generation (fleetwall-output(5)). Does only what changed since the last run, and "
	"writes nothing where nothing did; --full does all.\n"
	"Guards stop it (exit code 4) before anything is published: a management source that "
	"would be locked out, a collapse of the\n"
	"inventory, assertions that do not hold (fleetwall-assertions(5)), rules that the kernel "
	"refuses.";

static const char watch_details[] =
	"Publishes everything first, then waits for changes. A line on standard output tells "
	"each generation; --json makes it an\n"
	"object. What goes wrong is said once; what is published stays, and watch goes on. "
	"One for an output folder.\n"
	"SIGTERM and SIGINT end it between two rounds; SIGHUP has it read the configuration "
	"again.";

static const char publish_details[] =
	"Rules that have ended since do not come back, and those that have begun are there. The inventory stays as it "
	"is, so the next\n"
	"generate publishes what it says. What the generation opens and closes, compared with the one that is "
	"published, is shown.";

static const char push_details[] =
	"Pushes what is published to the machines that have not confirmed it: first one machine of each role, then a "
	"growing share.\n"
	"Each goes back by itself unless a second connection confirms it in time. A push that was killed goes on with "
	"--resume;\n"
	"several at once share the work.";

static const char selection_details[] =
	"WORD is a machine, a shell pattern in quotes (\"web*\"), or role:NAME; without one, all machines.";

static const char words_details[] = "WORD is a machine, a shell pattern in quotes (\"web*\"), or role:NAME.";

static const char rollback_details[] = "Back to the ruleset that was confirmed before the present one. Machines that "
                                       "went back are frozen, so that\n"
				       "the next push leaves them there: machine unfreeze lets it go on.";

static const char forget_details[] = "For machines that were installed anew: what they confirmed and who they were "
                                     "(their machine-id)\n"
				     "is forgotten, and the next push is their first. Nobody is contacted.";
static const char probe_details[] =
	"After the ruleset is applied and before it is confirmed, the port is tried, from where fleetwall runs or from "
	"a machine; what\n"
	"is not as said rolls the machine back. PORT/tcp alone.";

static const char verify_details[] = "Reads back what is published, and proves that it says what the inventory says "
                                     "now: the filter table, for every\n"
				     "packet in each conntrack state; set files member by member; limits and times by "
                                     "their parameters.\n"
				     "Where it does not: a packet that shows it, the line that decides, and what of "
                                     "the inventory wants\n"
				     "something else; exit code 1.";

static const char diff_details[] = "Between the generations A and B; A and what the inventory says now; or, "
                                   "without both, the last one and now.\n"
				   "Says what the change opens and closes, exact to the packet for new connections, on "
                                   "which machines, why, and by whose change;\n"
				   "exit code 1 if any machine's ruleset differs, or a set that it names.";

static const char explain_details[] = "SOURCE and DESTINATION are machines or addresses; WHAT is 3306/tcp, "
                                      "icmp/echo-request, esp, … and may be followed by\n"
				      "\"on INTERFACE\". Tells the verdict, the stage that decided and the rules that "
                                      "matched in it; exit code 1 when denied.\n"
				      "With \"-\", reads such lines from standard input and answers each with "
                                      "tab-separated fields: verdict, source,\n"
				      "destination, what, stage, rule ids or \"-\".";

static const char assert_details[] =
	"FILE has an assertion a line, in the words of rules: never any -> role:mysql 3306/tcp, "
	"always role:bastion ->\n"
	"any 22/tcp, only role:app, network:office -> role:mysql 3306/tcp; without one, those of "
	"the setting\n"
	"assertions, which generate keeps to. Exit code 1 when one does not hold. "
	"fleetwall-assertions(5) says more.";
static const char who_can_details[] = "WHAT as in explain: 3306/tcp, icmp/echo-request, esp, …, and \"on INTERFACE\" "
                                      "behind it. Roles, networks and machines are named\n"
				      "where they are let in as a whole, then prefixes, and the rules through which "
                                      "they come; exit code 1 when nobody is let in.";

static const struct option lint_options[] = {
	{"severity", "S", "error, warning or notice: those that are at least so grave"},
	{"code", "CODE", "those of this kind: fleetwall-lint(7) lists them"},
	{"expiring", "DAYS", "rules that end within so many days are told (default 14)"},
	{"all", NULL, "those that were accepted as well"},
	{NULL, NULL, NULL},
};

static const struct option lint_accept_options[] = {
	{"reason", "WORDS", "why it is right as it is"},
	{"until", "TIME", "until then; for good, without it"},
	{NULL, NULL, NULL},
};

static const char lint_details[] = "What rules and rows hardly mean, each with a packet or rows that show it. Exit "
                                   "code 1 if there is a finding\n"
				   "that nobody accepted. fleetwall-lint(7) says what is found, and when.";

static const char exposed_details[] = "The internet is every globally routable address, less those of the fleet's own "
                                      "machines. A row is ports that the same\n"
				      "sources reach through the same rules; the widest first. Deny and reject are "
                                      "taken away; housekeeping is left out.";

static const char matrix_details[] = "A row is what passes from a peer to the members of a role, through the rules of "
                                     "that role which name the peer. The\n"
				     "extent is \"all\" where it passes from every address to every address on every "
                                     "interface, else \"some\".";

const struct command_entry commands[] = {
	{"init", "", "make or upgrade the database", NULL, NULL, 0, 0, run_init, WORDS},
	{"import", "FILE…", "take over a document, CSV files, rule lines, or another system's files", import_details,
         import_options, 0, MANY, run_import, WORDS},
	{"export", "", "write the inventory as a document", NULL, export_options, 0, 0, run_export, WORDS},
	{"generate", "[--only MACHINE…]", "make and publish the rulesets", generate_details, generate_options, 0, MANY,
         run_generate, WORDS},
	{"watch", "", "stay, and publish what a change in the inventory touches, at once", watch_details, NULL, 0, 0,
         run_watch, WORDS},
	{"nightly", "", "generate, prove, push, look for drift, report: for cron; quiet when nothing happened", NULL,
         NULL, 0, 0, run_nightly, WORDS},
	{"generation list", "", "the generations that are there, and who needs them", NULL, NULL, 0, 0,
         run_generation_list, ROWS},
	{"generation publish", "N", "publish an old generation again, under a new number", publish_details,
         generation_publish_options, 1, 1, run_generation_publish, WORDS},
	{"generation pin", "N", "keep a generation, however old it gets", NULL, pin_options, 1, 1, run_generation_pin,
         WORDS},
	{"generation unpin", "N", "let a generation go when its time comes", NULL, pin_options, 1, 1,
         run_generation_unpin, WORDS},
	{"diff", "[A [B]]", "what opens and closes between two generations, or one and now", diff_details, NULL, 0, 2,
         run_diff, WORDS},
	{"push", "[WORD…]", "bring what is published to the machines", push_details, push_options, 0, MANY, run_push,
         ROWS},
	{"status", "[WORD…]", "what machines have, and what is wrong", selection_details, status_options, 0, MANY,
         run_status, ROWS},
	{"drift", "[WORD…]", "what machines have that is not what they confirmed; exit code 1 if any",
         selection_details, drift_options, 0, MANY, run_drift, ROWS},
	{"rollback", "WORD…", "back to what machines confirmed before", rollback_details, rollback_options, 1, MANY,
         run_rollback, ROWS},
	{"approve", "N", "let nightly push a generation that opens something", NULL, NULL, 1, 1, run_approve, WORDS},
	{"probe add", "MACHINE PORT/tcp open|closed [from MACHINE]", "what must answer after a push, and what must not",
         probe_details, NULL, 3, 5, run_probe_add, WORDS},
	{"probe remove", "MACHINE PORT/tcp open|closed [from MACHINE]", "a probe less", NULL, NULL, 3, 5,
         run_probe_remove, WORDS},
	{"probe list", "[WORD…]", "all probes, or those of machines", selection_details, NULL, 0, MANY, run_probe_list,
         ROWS},
	{"explain", "SOURCE DESTINATION WHAT", "what happens to a packet, and why", explain_details, at_options, 1, 5,
         run_explain, WORDS},
	{"who-can", "MACHINE WHAT", "every source that a machine lets in", who_can_details, at_options, 2, 4,
         run_who_can, ROWS},
	{"verify", "[MACHINE…]", "prove that rulesets say what the inventory says", verify_details, verify_options, 0,
         MANY, run_verify, WORDS},
	{"lint accept", "ID…", "say that findings are right as they are, and why", NULL, lint_accept_options, 1, MANY,
         run_lint_accept, WORDS},
	{"lint accepted", "", "the findings that were accepted, why and until when", NULL, NULL, 0, 0,
         run_lint_accepted, ROWS},
	{"lint withdraw", "ID…", "let accepted findings be told again", NULL, NULL, 1, MANY, run_lint_withdraw, WORDS},
	{"lint", "", "rules and rows that hardly say what is meant", lint_details, lint_options, 0, 0, run_lint, ROWS},
	{"assert", "[FILE…]", "whether the inventory keeps to the fleet's own policy", assert_details, at_options, 0,
         MANY, run_assert, WORDS},
	{"query rules", "[MACHINE]", "the rules that a machine gets now; rules that end, or that nobody gets", NULL,
         query_rules_options, 0, 1, run_query_rules, ROWS},
	{"query machines", "", "machines, by role, by what they open, or by rule", NULL, query_machines_options, 0, 0,
         run_query_machines, ROWS},
	{"query roles", "[ROLE]", "who has a role, and which roles speak of it", NULL, unused_options, 0, 1,
         run_query_roles, ROWS},
	{"query networks", "[NETWORK]", "networks, and which roles speak of them", NULL, unused_options, 0, 1,
         run_query_networks, ROWS},
	{"query exposed", "[MACHINE…]", "what the internet reaches, per machine and port, and through which rule",
         exposed_details, query_exposed_options, 0, MANY, run_query_exposed, ROWS},
	{"query matrix", "", "who reaches whom, role by role", matrix_details, query_matrix_options, 0, 0,
         run_query_matrix, ROWS},
	{"query changes", "[OBJECT]", "the same as history", history_details, history_options, 0, 2, run_history, ROWS},
	{"history", "[OBJECT]", "what changed, when, by whom; the latest first", history_details, history_options, 0, 2,
         run_history, ROWS},
	{"undo", "CHANGE", "take a change back", undo_details, undo_options, 1, 1, run_undo, WORDS},
	{"machine list", "", "all machines", NULL, at_options, 0, 0, run_machine_list, ROWS},
	{"machine show", "MACHINE…", "all about machines", NULL, at_options, 1, MANY, run_machine_show, ROWS},
	{"machine enable", "MACHINE…", "let machines take part again", glob_details, ticket_options, 1, MANY,
         run_machine_enable, WORDS},
	{"machine disable", "MACHINE…", "no ruleset for machines, and no allow rule speaks of them", glob_details,
         ticket_options, 1, MANY, run_machine_disable, WORDS},
	{"machine freeze", "WORD…", "push nothing to machines for now", words_details, freeze_options, 1, MANY,
         run_machine_freeze, WORDS},
	{"machine unfreeze", "WORD…", "let machines be pushed again", words_details, NULL, 1, MANY,
         run_machine_unfreeze, WORDS},
	{"machine forget", "WORD…", "forget what machines had that were installed anew", forget_details, NULL, 1, MANY,
         run_machine_forget, WORDS},
	{"machine add", "NAME", "a new machine", NULL, machine_options, 1, 1, run_machine_add, WORDS},
	{"machine set", "MACHINE…", "change machines", set_machine_details, machine_options, 1, MANY, run_machine_set,
         WORDS},
	{"machine remove", "MACHINE…", "remove machines, with their own rules", glob_details, ticket_options, 1, MANY,
         run_machine_remove, WORDS},
	{"open", "MACHINE RULE", "a rule for one machine that ends by itself", NULL, open_options, 2, MANY, run_open,
         WORDS},
	{"role add", "NAME", "a new role", NULL, role_options, 1, 1, run_role_add, WORDS},
	{"role set", "NAME", "change a role", set_details, role_options, 1, 1, run_role_set, WORDS},
	{"role remove", "ROLE…", "remove roles that nothing uses", NULL, ticket_options, 1, MANY, run_role_remove,
         WORDS},
	{"role assign", "ROLE MACHINE…", "give machines a role", glob_details, ticket_options, 2, MANY, run_role_assign,
         WORDS},
	{"role unassign", "ROLE MACHINE…", "take a role from machines", glob_details, ticket_options, 2, MANY,
         run_role_unassign, WORDS},
	{"role list", "", "all roles", NULL, at_options, 0, 0, run_role_list, ROWS},
	{"role show", "ROLE…", "all about roles: rules, members", NULL, at_options, 1, MANY, run_role_show, ROWS},
	{"rule add", "ROLE RULE…", "a new rule of a role; prints its id", NULL, rule_add_options, 2, MANY, run_rule_add,
         WORDS},
	{"rule set", "ID…", "change what is known of rules, or whether they count", NULL, rule_set_options, 1, MANY,
         run_rule_set, WORDS},
	{"rule remove", "ID…", "remove rules", NULL, ticket_options, 1, MANY, run_rule_remove, WORDS},
	{"rule list", "", "all rules, or those of a role", NULL, rule_list_options, 0, 0, run_rule_list, ROWS},
	{"rule show", "ID…", "all about rules", NULL, at_options, 1, MANY, run_rule_show, ROWS},
	{"network add", "NAME PREFIX…", "a new network", NULL, ticket_options, 1, MANY, run_network_add, WORDS},
	{"network set", "NAME PREFIX…", "other prefixes for a network", NULL, ticket_options, 1, MANY, run_network_set,
         WORDS},
	{"network remove", "NETWORK…", "remove networks that nothing uses", NULL, ticket_options, 1, MANY,
         run_network_remove, WORDS},
	{"network list", "", "all networks", NULL, at_options, 0, 0, run_network_list, ROWS},
	{"network show", "NETWORK…", "the prefixes of networks", NULL, at_options, 1, MANY, run_network_show, ROWS},
	{"service add", "NAME PORTS/PROTOCOL…", "a new service", NULL, ticket_options, 2, MANY, run_service_add, WORDS},
	{"service set", "NAME PORTS/PROTOCOL…", "other ports for a service", NULL, ticket_options, 2, MANY,
         run_service_set, WORDS},
	{"service remove", "SERVICE…", "remove services that nothing uses", NULL, ticket_options, 1, MANY,
         run_service_remove, WORDS},
	{"service list", "", "all services", NULL, at_options, 0, 0, run_service_list, ROWS},
	{"service show", "SERVICE…", "the ports of services", NULL, at_options, 1, MANY, run_service_show, ROWS},
	{"sql", "[-- ARGUMENT…]", "psql on the inventory", NULL, NULL, 0, MANY, run_sql, WORDS},
	{"database start", "", "start the private PostgreSQL", NULL, NULL, 0, 0, run_database_start, WORDS},
	{"database stop", "", "stop the private PostgreSQL", NULL, NULL, 0, 0, run_database_stop, WORDS},
	{"database status", "", "where the private PostgreSQL is, and whether it runs", NULL, NULL, 0, 0,
         run_database_status, ROWS},
	{"database dump", "FILE", "the private PostgreSQL as SQL in FILE", NULL, NULL, 1, 1, run_database_dump, WORDS},
	{NULL, NULL, NULL, NULL, NULL, 0, 0, NULL, WORDS},
};
