/* The guard that asks the kernel: what is refused and how it is told, what is learned, and that what was learned is not
 * asked again. Needs to be allowed to make network namespaces, and iptables and ipset. */
#include <check.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"
#include "fleetwall/process.h"
#include "output_build.h"
#include "kernel_try.h"
#include "suite_main.h"

enum { PROBES = 3 }; /* whether rules of both families, and sets, can be loaded at all */

static struct arena *arena;
static const struct settings settings = {0};
static struct guards *guards; /* that were asked last */
static char tools[100]; /* stand-ins for the programs, first in PATH */
static char *path;

/* iptables-restore as it is, but every run is counted. */
static void write_tool(const char *name)
{
	char file[200];

	snprintf(file, sizeof file, "%s/%s", tools, name);
	FILE *tool = fopen(file, "w");

	ck_assert_ptr_nonnull(tool);
	fprintf(tool,
	        "#!/bin/sh\ncase \"$*\" in *--version*) ;; *) echo %s >>%s/runs ;; esac\nPATH=%s:/usr/sbin:/sbin exec "
	        "%s \"$@\"\n",
	        name, tools, path, name);
	ck_assert_int_eq(fchmod(fileno(tool), 0755), 0);
	fclose(tool);
}

static void setup(void)
{
	char *with_tools;

	arena = arena_new();
	path = strdup(getenv("PATH"));
	strcpy(tools, "/tmp/check_guard-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tools));
	write_tool("iptables-restore");
	write_tool("ip6tables-restore");
	write_tool("ipset");
	with_tools = str_c(arena, str_format(arena, "%s:%s", tools, path));
	ck_assert_int_eq(setenv("PATH", with_tools, 1), 0);
}

static void teardown(void)
{
	const char *const argv[] = {"rm", "-rf", tools, NULL};
	struct command command = {.argv = argv};
	struct outcome outcome;

	setenv("PATH", path, 1);
	ck_assert_ptr_null(process_run(arena, &command, &outcome));
	free(path);
	if (guards != NULL)
		guards_free(guards);
	guards = NULL;
	arena_free(arena);
	error_forget_all();
}

/* How often the programs that load were run since the last time. */
static size_t runs(void)
{
	char file[200], line[100];
	size_t count = 0;

	snprintf(file, sizeof file, "%s/runs", tools);
	FILE *log = fopen(file, "r");

	if (log == NULL)
		return 0;
	while (fgets(line, sizeof line, log) != NULL)
		count++;
	fclose(log);
	ck_assert_int_eq(unlink(file), 0);
	return count;
}

static bool has(struct str text, const char *part)
{
	return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

#define SETS                                                                                    \
	"create fw4-web-0123456789ab hash:net family inet hashsize 1024 maxelem 4294967295\n"   \
	"create fw4-web-0123456789ab.n hash:net family inet hashsize 1024 maxelem 4294967295\n" \
	"flush fw4-web-0123456789ab.n\nadd fw4-web-0123456789ab.n 192.0.2.0/24\n"               \
	"swap fw4-web-0123456789ab.n fw4-web-0123456789ab\ndestroy fw4-web-0123456789ab.n\n"
#define FOUR                                                                                                         \
	"*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:fleetwall-0123456789ab - [0:0]\n"   \
	"-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"                  \
	"-A INPUT -p tcp -m tcp --dport 443 -m set --match-set fw4-web-0123456789ab src -m comment --comment \"web " \
	"0123456789ab\" -g "                                                                                         \
	"fleetwall-0123456789ab\n"                                                                                   \
	"-A fleetwall-0123456789ab -j LOG --log-prefix \"fleetwall 0123456789ab: \"\n-A fleetwall-0123456789ab -j "  \
	"ACCEPT\n"
#define SIX                                                                                                           \
	"*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -s 2001:db8::/32 -p tcp -m " \
	"tcp --dport 22 -j ACCEPT\n"
#define COEXIST                                                          \
	"*filter\n:fleetwall-input - [0:0]\n:fleetwall-output - [0:0]\n" \
	"-A fleetwall-input -p udp -j RETURN\n-A fleetwall-input -j DROP\n"
#define END "COMMIT\n"

/* web-1 has `four` and SIX; app-1 a ruleset of mode coexist. */
static struct output make(struct output_build *build, const char *four)
{
	*build = output_build_new(arena);
	output_build_set(build, STR("web-0123456789ab.v4"), STR(SETS));
	output_build_machine(build, STR("web-1"),
	                     output_build_ruleset(build, str_of(four), STR(SIX END), STR("web-0123456789ab.v4\n")));
	output_build_machine(build, STR("app-1"),
	                     output_build_ruleset(build, STR(COEXIST END), STR(COEXIST END), STR("")));
	return output_build_done(build);
}

static struct error *ask_kernel(const struct output *output, struct str known, struct str *learned, struct str *skipped)
{
	if (guards != NULL)
		guards_free(guards);
	guards = guards_new(arena, &settings, 1);
	for (size_t i = 0; i < output->ruleset_count; i++)
		guards_ruleset(guards, 0, output->rulesets[i]);
	return guards_kernel(guards, known, learned, skipped);
}

static struct error *ask(const char *four, struct str known, struct str *learned)
{
	struct output_build build;
	struct output output = make(&build, four);
	struct str skipped;
	struct error *error = ask_kernel(&output, known, learned, &skipped);

	ck_assert_msg(skipped.n == 0, "%.*s", STR_ARG(skipped));
	return error;
}

static void none(const struct error *error)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR(""), error);
	ck_assert_msg(error == NULL, "%.*s", STR_ARG(buf_str(&buf)));
}

START_TEST(test_learns)
{
	struct str learned, again, more;

	none(ask(FOUR END, STR(""), &learned));
	ck_assert_uint_eq(runs(), PROBES + 3); /* sets, v4, v6: once for all forms */
	ck_assert(has(learned, "\nv4 -A INPUT -p tcp -m tcp --dport # -m set --match-set fw4-* src -m comment "
	                       "--comment * -g *\n"));
	ck_assert(has(learned, "\nv6 -A * -j DROP\n") && has(learned, "iptables"));
	/* Nothing new: nothing is loaded, and the file stays. */
	none(ask(FOUR END, learned, &again));
	ck_assert_uint_eq(runs(), 0);
	ck_assert(str_eq(learned, again));
	/* Other values, the same form. */
	none(ask(FOUR "-A INPUT -p tcp -m tcp --dport 80 -m set --match-set fw4-web-0123456789ab src -m comment "
	              "--comment \"a b\" -j ACCEPT\n" END,
	         again, &more));
	ck_assert_uint_eq(runs(), PROBES + 2); /* -j ACCEPT was new: sets and v4 */
	ck_assert(more.n > again.n && has(more, "\nv6 -A * -j DROP\n"));
	none(ask(FOUR "-A INPUT -p tcp -m tcp --dport 81 -m set --match-set fw4-web-0123456789ab src -m comment "
	              "--comment \"c d\" -j ACCEPT\n" END,
	         more, &again));
	ck_assert_uint_eq(runs(), 0);
}
END_TEST

/* What another kernel, or another iptables, took counts for nothing: both are in the first line. */
START_TEST(test_other_kernel)
{
	struct str learned, again, line, rest;

	none(ask(FOUR END, STR(""), &learned));
	(void)runs();
	rest = learned;
	ck_assert(str_cut(&rest, '\n', &line));
	none(ask(FOUR END, str_format(arena, "x%.*s", STR_ARG(learned)), &again));
	ck_assert_uint_eq(runs(), PROBES + 3);
	ck_assert(str_eq(learned, again));
	write_tool("ip6tables-restore"); /* as an upgrade does: the same name, another time of change */
	none(ask(FOUR END, learned, &again));
	ck_assert_uint_eq(runs(), PROBES + 3);
	ck_assert(!str_starts(again, line) && str_ends(again, rest));
}
END_TEST

static const struct {
	const char *lines; /* behind FOUR; the last of them is refused */
	unsigned line;
	const char *message;
} refused[] = {
	/* --test takes this one */
	{"-A INPUT -j MASQUERADE\n", 11, ""},
	{"-A INPUT -s 10.0.0.1 -j ACCEPT\n-A fleetwall-0123456789ab -j MASQUERADE\n", 12, ""},
	{"-A INPUT -m nosuch -j ACCEPT\n", 11, "nosuch"},
	{"-A INPUT -j fleetwall-none\n", 11, "fleetwall-none"},
	{"-A INPUT -m set --match-set fw4-none-0123456789ab src -j ACCEPT\n", 11, "fw4-none-0123456789ab"},
	{"-A INPUT -m set --match-set fw6-web-0123456789ab src -j ACCEPT\n", 11, "fw6-web-0123456789ab"},
	{"-A INPUT -p udp -j REJECT --reject-with tcp-reset\n", 11, ""},
	{"-A INPUT -p 300 -j ACCEPT\n", 11, "300"},
	{"-A INPUT -m hashlimit --hashlimit-upto 1/day --hashlimit-burst 10000 --hashlimit-mode srcip --hashlimit-name "
         "x -j ACCEPT\n",
         11, ""},
};

START_TEST(test_refused)
{
	const char *four = str_c(arena, str_format(arena, "%s%s%s", FOUR, refused[_i].lines, END));
	struct str learned;
	struct error *error = ask(four, STR("known\n"), &learned);

	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_GUARD);
	ck_assert_ptr_null(error->next);
	ck_assert_msg(has(error->message, "machine web-1: the kernel does not take this line: ") &&
	                      has(error->message, refused[_i].message),
	              "%.*s", STR_ARG(error->message));
	ck_assert(str_find(error->message, '\n') == error->message.n);
	ck_assert_msg(error->place.line == refused[_i].line, "line %u", error->place.line);
	ck_assert(str_is(error->place.file, "web-1/rules.v4") && error->hint.n > 0);
	ck_assert_msg(has(str_of(refused[_i].lines), str_c(arena, error->place.text)), "%.*s",
	              STR_ARG(error->place.text));
	ck_assert(str_is(learned, "known\n"));
}
END_TEST

/* All of them are told, not the first alone. */
START_TEST(test_two_refused)
{
	struct str learned;
	struct error *error =
		ask(FOUR "-A INPUT -m nosuch -j ACCEPT\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -j MASQUERADE\n" END,
	            STR(""), &learned);

	ck_assert_uint_eq(error_count(error), 2);
	ck_assert_uint_eq(error->place.line, 11);
	ck_assert_uint_eq(error->next->place.line, 13);
}
END_TEST

/* Our own namespace's tables are left alone. */
START_TEST(test_elsewhere)
{
	const char *const argv[] = {"iptables-save", NULL};
	struct command command = {.argv = argv};
	struct outcome before, after;
	struct str learned;

	ck_assert_ptr_null(process_run(arena, &command, &before));
	none(ask(FOUR END, STR(""), &learned));
	ck_assert_ptr_null(process_run(arena, &command, &after));
	ck_assert(!has(after.output, "fleetwall-0123456789ab") && before.status == after.status);
}
END_TEST

/* The machine's own programs, for this process; what is first in PATH stays. */
static bool hide_program(const char *file)
{
	static char target[PATH_MAX];

	return realpath(file, target) == NULL || mount("/dev/null", target, NULL, MS_BIND, NULL) == 0;
}

START_TEST(test_no_iptables)
{
	static const char *const missing[] = {"iptables-restore", "ip6tables-restore"};
	struct output_build build;
	struct output output = make(&build, FOUR END);
	struct str learned, skipped;
	char file[200];

	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    !hide_program("/usr/sbin/iptables-restore") || !hide_program("/usr/sbin/ip6tables-restore")) {
		fputs("no program can be hidden here\n", stderr);
		return;
	}
	snprintf(file, sizeof file, "%s/%s", tools, missing[_i]);
	ck_assert_int_eq(unlink(file), 0);
	none(ask_kernel(&output, STR("known\n"), &learned, &skipped));
	ck_assert_msg(str_eq(skipped, str_format(arena, "%s is not installed", missing[_i])), "%.*s",
	              STR_ARG(skipped));
	ck_assert(str_is(learned, "known\n"));
	ck_assert_uint_eq(runs(), 0);
}
END_TEST

/* A host whose kernel has no sets, say: that is no fault of the rules. */
START_TEST(test_cannot_load)
{
	static const char *const broken[] = {"iptables-restore", "ip6tables-restore", "ipset"};
	struct output_build build;
	struct output output = make(&build, FOUR END);
	struct str learned, skipped;
	char file[200];

	snprintf(file, sizeof file, "%s/%s", tools, broken[_i]);
	FILE *tool = fopen(file, "w");

	ck_assert_ptr_nonnull(tool);
	fputs("#!/bin/sh\ncase \"$*\" in *--version*) echo v1 ;; *) echo 'no such module' >&2; exit 1 ;; esac\n", tool);
	fclose(tool);
	none(ask_kernel(&output, STR("known\n"), &learned, &skipped));
	ck_assert_msg(
		str_eq(skipped, str_format(arena, "%s does not work in a namespace here: no such module", broken[_i])),
		"%.*s", STR_ARG(skipped));
	ck_assert(str_is(learned, "known\n"));
}
END_TEST

/* As an ordinary user, in a user namespace; where that is not permitted, it is skipped, and says so. */
START_TEST(test_as_user)
{
	struct output_build build;
	struct output output = make(&build, FOUR END);
	struct str learned, skipped;

	bool root = geteuid() == 0;

	if (root) {
		ck_assert_int_eq(chmod(tools, 0777), 0);
		ck_assert_int_eq(setresgid(65534, 65534, 0), 0);
		ck_assert_int_eq(setresuid(65534, 65534, 0), 0);
		ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0); /* or /proc/self is not ours to write */
	}
	none(ask_kernel(&output, STR(""), &learned, &skipped));
	if (root)
		ck_assert(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0);
	if (skipped.n > 0)
		fprintf(stderr, "an ordinary user: %.*s\n", STR_ARG(skipped));
	if (skipped.n > 0)
		ck_assert_msg(str_is(skipped, "no network namespace can be made here") && learned.n == 0, "%.*s",
		              STR_ARG(skipped));
	else
		ck_assert(has(learned, "\nv4 -A INPUT -i * -j ACCEPT\n"));
}
END_TEST

int main(void)
{
	if (!can_try()) {
		puts("no network namespace can be made here, or iptables or ipset is missing");
		return 77;
	}
	Suite *suite = suite_create("guard_kernel");
	TCase *kernel = tcase_create("kernel"), *user = tcase_create("user");

	tcase_add_checked_fixture(kernel, setup, teardown);
	tcase_set_timeout(kernel, 60);
	tcase_add_test(kernel, test_learns);
	tcase_add_test(kernel, test_other_kernel);
	tcase_add_loop_test(kernel, test_refused, 0, sizeof refused / sizeof *refused);
	tcase_add_test(kernel, test_two_refused);
	tcase_add_test(kernel, test_elsewhere);
	tcase_add_loop_test(kernel, test_no_iptables, 0, 2);
	tcase_add_loop_test(kernel, test_cannot_load, 0, 3);
	suite_add_tcase(suite, kernel);
	tcase_add_checked_fixture(user, setup, teardown);
	tcase_set_timeout(user, 60);
	tcase_add_test(user, test_as_user);
	suite_add_tcase(suite, user);

	return suite_main(suite);
}
