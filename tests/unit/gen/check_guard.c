/* Guards that judge what is there: collapse at its exact thresholds, lock-outs with hostile templates. Frames, forms,
 * and that it does not matter who reads what, are in check_guards.c; the guard that asks the kernel is tested in
 * tests/live. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"
#include "guards.h"
#include "output_build.h"
#include "suite_main.h"

static struct guards *guards; /* of the last output that was judged */

static void teardown(void)
{
	if (guards != NULL)
		guards_free(guards);
	guards = NULL;
}

static bool has(struct str text, const char *part)
{
	return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* --- collapse --- */

static const struct guard_shares shares = {.machines_fall = 20, .members_fall = 50, .rules_change = 30};

static const struct {
	size_t before, now;
	const char *message; /* NULL: does not trip */
} machine_falls[] = {
	{100, 80, NULL},
	{100, 79, "the machines fell from 100 to 79, by 21 %"},
	{100, 300, NULL},
	{10, 8, NULL},
	{10, 7, "the machines fell from 10 to 7, by 30 %"},
	{10, 0, "the machines fell from 10 to 0, by 100 %"},
	{9, 0, NULL},
	{0, 5, NULL},
	{1001, 800, "the machines fell from 1001 to 800, by 20 %"}, /* 20.08 % */
	{1000, 800, NULL},
};

static void expect_machines(size_t i)
{
	struct summary before = {.machines = machine_falls[i].before}, now = {.machines = machine_falls[i].now};
	struct error *error = guard_collapse(&before, &now, &shares);

	if (machine_falls[i].message == NULL) {
		ck_assert_ptr_null(error);
		return;
	}
	ck_assert_ptr_nonnull(error);
	ck_assert_ptr_null(error->next);
	ck_assert_int_eq(error->kind, ERROR_GUARD);
	ck_assert_msg(str_is(error->message, machine_falls[i].message), "%.*s", STR_ARG(error->message));
	ck_assert(str_is(error->hint, "at most 20 % at once is expected (setting guard.machines_fall); if this is "
	                              "meant, say --force"));
}

START_TEST(test_machines)
{
	for (size_t i = 0; i < sizeof machine_falls / sizeof *machine_falls; i++)
		expect_machines(i);
}
END_TEST

static const struct {
	size_t before, now;
	const char *message;
} rule_changes[] = {
	{1000, 1300, NULL},
	{1000, 1301, "the rules of all machines grew from 1000 to 1301, by 30 %"},
	{1000, 700, NULL},
	{1000, 699, "the rules of all machines shrank from 1000 to 699, by 30 %"},
	{100, 199, NULL},
	{100, 200, "the rules of all machines grew from 100 to 200, by 100 %"},
	{150, 51, NULL},
	{150, 50, "the rules of all machines shrank from 150 to 50, by 67 %"},
	{9, 5000, NULL},
	{0, 5000, NULL},
	{10, 110, "the rules of all machines grew from 10 to 110, by 1000 %"},
};

static void expect_rules(size_t i)
{
	struct summary before = {.rules = rule_changes[i].before}, now = {.rules = rule_changes[i].now};
	struct error *error = guard_collapse(&before, &now, &shares);

	if (rule_changes[i].message == NULL) {
		ck_assert_ptr_null(error);
		return;
	}
	ck_assert_ptr_nonnull(error);
	ck_assert_ptr_null(error->next);
	ck_assert_msg(str_is(error->message, rule_changes[i].message), "%.*s", STR_ARG(error->message));
}

START_TEST(test_rules)
{
	for (size_t i = 0; i < sizeof rule_changes / sizeof *rule_changes; i++)
		expect_rules(i);
}
END_TEST

START_TEST(test_members)
{
	struct role_size first[] = {
		{STR("app"), 20}, {STR("db"), 10}, {STR("gone"), 12}, {STR("small"), 9}, {STR("web"), 20}};
	struct role_size then[] = {{STR("app"), 10}, {STR("db"), 4}, {STR("new"), 1}, {STR("web"), 0}};
	struct summary before = {.roles = first, .role_count = 5}, now = {.roles = then, .role_count = 4};
	struct error *error = guard_collapse(&before, &now, &shares);

	ck_assert_uint_eq(error_count(error), 3);
	ck_assert(str_is(error->message, "the members of role db fell from 10 to 4, by 60 %"));
	ck_assert(str_is(error->next->message, "the members of role gone fell from 12 to 0, by 100 %"));
	ck_assert(str_is(error->next->next->message, "the members of role web fell from 20 to 0, by 100 %"));
	ck_assert_ptr_null(guard_collapse(&before, &before, &shares));
}
END_TEST

/* Nothing was published before. */
START_TEST(test_first_generation)
{
	struct role_size roles[] = {{STR("app"), 2000}};
	struct summary before = {0}, now = {.machines = 5000, .rules = 100000, .roles = roles, .role_count = 1};

	ck_assert_ptr_null(guard_collapse(&before, &now, &shares));
}
END_TEST

/* --- all that read rulesets --- */

static void judge(const struct output *output, const struct settings *settings)
{
	if (guards != NULL)
		guards_free(guards);
	guards = guards_new(arena, settings, 1);
	for (size_t i = 0; i < output->ruleset_count; i++)
		guards_ruleset(guards, 0, output->rulesets[i]);
}

static struct error *lockouts_of(const struct output *output, const struct settings *settings)
{
	judge(output, settings);
	return findings_errors(&guards->workers[0].lockouts, "rules files that management would not get through");
}

/* --- lock-out --- */

#define HEAD "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define COEXIST "# iptables-restore --noflush\n*filter\n:fleetwall-input - [0:0]\n:fleetwall-output - [0:0]\n"
#define KEEPING                                                                                                 \
	"-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -m " \
	"conntrack --ctstate INVALID -j DROP\n"
#define MANAGEMENT "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n"
#define COEXIST_IN "-A fleetwall-input -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n"

static struct error *lockout(const char *v4, enum mode mode, enum enforcement enforcement, const char *management,
                             unsigned port)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *ruleset = output_build_ruleset(&build, str_of(v4), str_of(v4), STR(""));
	struct settings settings = {.management_count = 1};
	struct prefix source;

	ck_assert_int_eq(prefix_parse(str_of(management), &source), PREFIX_OK);
	settings.management = &source;
	ruleset->mode = mode;
	ruleset->enforcement = enforcement;
	ruleset->ssh_port = port;
	output_build_machine(&build, STR("web-1"), ruleset);
	struct output output = output_build_done(&build);

	return lockouts_of(&output, &settings);
}

/* Of the management source 192.0.2.0/24 and port 22. `line`: the one that is to blame, 0 for none, -1: gets in. */
static const struct {
	const char *rules;
	enum mode mode;
	int line;
} rulesets[] = {
	/* as it should be */
	{HEAD KEEPING MANAGEMENT "-A INPUT -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n", MODE_EXCLUSIVE, -1},
	{COEXIST COEXIST_IN "-A fleetwall-input -j DROP\nCOMMIT\n", MODE_COEXIST, -1},
	{HEAD KEEPING "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n", MODE_EXCLUSIVE, -1},
	{HEAD "-A INPUT -j ACCEPT\nCOMMIT\n", MODE_EXCLUSIVE, -1},
	/* no line, or one that lets in too few */
	{HEAD KEEPING "COMMIT\n", MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/25 -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n", MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 2222 -j ACCEPT\nCOMMIT\n", MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -p udp -m udp --dport 22 -j ACCEPT\nCOMMIT\n", MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT ! -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n", MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n", MODE_EXCLUSIVE,
         0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -d 10.0.0.1 -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -m limit --limit 1/sec -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -p tcp -m tcp --dport 22 -m set --match-set fw4-x src -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --sport 1024:65535 --dport 22 -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD KEEPING
         "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD KEEPING
         "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, -1},
	{HEAD KEEPING
         "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -m conntrack ! --ctstate NEW -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j RETURN\nCOMMIT\n", MODE_EXCLUSIVE, 8},
	{HEAD KEEPING "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j LOG\nCOMMIT\n", MODE_EXCLUSIVE, 0},
	{COEXIST "-A fleetwall-input -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j RETURN\nCOMMIT\n", MODE_COEXIST, 5},
	{COEXIST "COMMIT\n", MODE_COEXIST, 0},
	{COEXIST "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n", MODE_COEXIST, 0},
	/* several lines together */
	{HEAD "-A INPUT -s 192.0.2.0/25 -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -s 192.0.2.128/25 -p tcp -m "
              "multiport --dports 80,20:25 -j ACCEPT\n"
              "COMMIT\n",
         MODE_EXCLUSIVE, -1},
	{HEAD "-A INPUT -s 192.0.2.0/25 -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -s 192.0.2.0/25 -j DROP\n"
              "-A INPUT -s 192.0.2.128/26 -j ACCEPT\n-A INPUT -s 192.0.2.192/26 -j ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, -1},
	{HEAD "-A INPUT -s 192.0.2.64/26 -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -s 192.0.2.0/25 -j "
              "DROP\n" MANAGEMENT "COMMIT\n",
         MODE_EXCLUSIVE, 6},
	/* lines before that can't refuse it */
	{HEAD "-A INPUT -s 198.51.100.0/24 -j DROP\n-A INPUT -p udp -j DROP\n-A INPUT -p 17 -j DROP\n-A INPUT ! -p tcp "
              "-j DROP\n"
              "-A INPUT -p tcp -m tcp --dport 23 -j DROP\n-A INPUT -p tcp -m multiport --dports 25,80:90 -j REJECT "
              "--reject-with tcp-reset\n"
              "-A INPUT ! -s 192.0.2.0/23 -j DROP\n-A INPUT -p tcp -m tcp ! --dport 22 -j DROP\n-A INPUT -p tcp -m tcp "
              "--sport 25 -j DROP\n"
              "-A INPUT -m conntrack --ctstate INVALID,UNTRACKED -j DROP\n-A INPUT -m comment --comment \"a b\" -j LOG "
              "--log-prefix \"x -y \"\n" MANAGEMENT "COMMIT\n",
         MODE_EXCLUSIVE, -1},
	/* lines before that may */
	{HEAD "-A INPUT -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -s 192.0.2.7 -j REJECT\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -s 192.0.0.0/16 -p tcp -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT ! -s 192.0.2.0/25 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -p tcp -m tcp --dport 1:1024 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -p tcp -m multiport --dports 80,22 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -p tcp -m tcp ! --dport 80 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -p tcp -m tcp --sport 1024: -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -p tcp -m tcp --dport ssh -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m conntrack --ctstate NEW,INVALID -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m conntrack ! --ctstate INVALID -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m conntrack --ctstate DNAT -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m conntrack --ctstate ESTABLISHED -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -i eth1 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m set --match-set fw4-bad src -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m geoip --source-country XX -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD ":extra - [0:0]\n-A INPUT -j extra\n" MANAGEMENT "-A extra -j RETURN\nCOMMIT\n", MODE_EXCLUSIVE, 6},
	{HEAD ":extra - [0:0]\n-A INPUT -g extra\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 6},
	{HEAD "-A INPUT -j QUEUE\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -j TARPIT\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 1 --hashlimit-mode srcip "
              "--hashlimit-name x -j LOG\n" MANAGEMENT "COMMIT\n",
         MODE_EXCLUSIVE, 5},
	/* targets in hiding */
	{HEAD "-A INPUT -jDROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT --jump DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT --jump=DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT --ju DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT --goto extra\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT \"-j\" DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -\"j\" DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m string --algo bm --string -p -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m string --algo bm --string --comment -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -m comment --comment \"-j ACCEPT\" -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -j DROP -m comment --comment \"x\\\" -j ACCEPT\"\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -s 10.0.0.0/8 -s 192.0.2.0/24 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -s 10.0.0.0/8,192.0.2.0/24 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -s ! 10.0.0.0/8 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -p 0 -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A INPUT -p unheard -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	/* lines of which nobody knows what they do */
	{HEAD MANAGEMENT "-I INPUT -j DROP\nCOMMIT\n", MODE_EXCLUSIVE, 6},
	{HEAD MANAGEMENT "-P INPUT DROP\nCOMMIT\n", MODE_EXCLUSIVE, 6},
	{HEAD MANAGEMENT "-F INPUT\nCOMMIT\n", MODE_EXCLUSIVE, 6},
	{HEAD MANAGEMENT "--insert INPUT -j DROP\nCOMMIT\n", MODE_EXCLUSIVE, 6},
	{HEAD " -A INPUT -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "[0:0] -A INPUT -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{HEAD "-A \"INPUT\" -j DROP\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 5},
	{"*raw\n:PREROUTING DROP [0:0]\nCOMMIT\n" HEAD MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 1},
	{HEAD MANAGEMENT "COMMIT\n*filter\nCOMMIT\n", MODE_EXCLUSIVE, 7},
	/* answers */
	{"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n" MANAGEMENT "COMMIT\n", MODE_EXCLUSIVE, 0},
	{"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j "
         "ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, -1},
	{"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n-A OUTPUT -d 192.0.2.0/24 -p tcp -m tcp --sport 22 -j "
         "ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, -1},
	{"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n-A OUTPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j "
         "ACCEPT\nCOMMIT\n",
         MODE_EXCLUSIVE, 0},
	{HEAD MANAGEMENT "-A OUTPUT -d 192.0.2.8/29 -j REJECT\nCOMMIT\n", MODE_EXCLUSIVE, 6},
	{HEAD MANAGEMENT "-A OUTPUT -p tcp -m tcp --dport 25 -j REJECT\nCOMMIT\n", MODE_EXCLUSIVE, -1},
	{HEAD MANAGEMENT "-A OUTPUT -m conntrack --ctstate NEW -j DROP\nCOMMIT\n", MODE_EXCLUSIVE, -1},
	{COEXIST COEXIST_IN "-A fleetwall-output -d 192.0.2.0/24 -j RETURN\n-A fleetwall-output -j DROP\nCOMMIT\n",
         MODE_COEXIST, -1},
	{COEXIST COEXIST_IN "-A fleetwall-output -j DROP\nCOMMIT\n", MODE_COEXIST, 6},
};

static void expect_lockout(size_t i)
{
	struct error *error = lockout(rulesets[i].rules, rulesets[i].mode, ENFORCEMENT_ENFORCE, "192.0.2.0/24", 22);

	if (rulesets[i].line < 0) {
		ck_assert_msg(error == NULL, "%s: %.*s", rulesets[i].rules,
		              error == NULL ? 0 : STR_ARG(error->message));
		return;
	}
	ck_assert_msg(error != NULL, "%s", rulesets[i].rules);
	ck_assert_int_eq(error->kind, ERROR_GUARD);
	ck_assert_ptr_null(error->next);
	ck_assert_msg(has(error->message,
	                  "machine web-1: rules.v4 would not let the management source 192.0.2.0/24 in on port 22: "),
	              "%.*s", STR_ARG(error->message));
	ck_assert_msg((int)error->place.line == rulesets[i].line, "line %u of %s", error->place.line,
	              rulesets[i].rules);
	if (rulesets[i].line > 0)
		ck_assert(str_is(error->place.file, "web-1/rules.v4") && error->place.text.n > 0);
}

START_TEST(test_lockout)
{
	for (size_t i = 0; i < sizeof rulesets / sizeof *rulesets; i++)
		expect_lockout(i);
}
END_TEST

/* Only the file of the source's family is asked; the port is the machine's. */
START_TEST(test_family_and_port)
{
	const char *six = HEAD "-A INPUT -s 2001:db8::/32 -p tcp -m tcp --dport 2222 -j ACCEPT\nCOMMIT\n";
	struct error *error;

	ck_assert_ptr_null(lockout(six, MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE, "2001:db8:1::/48", 2222));
	error = lockout(six, MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE, "2001:db8:1::/48", 22);
	ck_assert(error != NULL &&
	          has(error->message, "rules.v6 would not let the management source 2001:db8:1::/48 in on port 22"));
	error = lockout(six, MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE, "192.0.2.0/24", 2222);
	ck_assert(error != NULL && has(error->message, "rules.v4 would not let"));
	error = lockout(six, MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE, "::/0", 2222);
	ck_assert(error != NULL && has(error->message, "::/0"));
}
END_TEST

START_TEST(test_no_management)
{
	struct output_build build = output_build_new(arena);
	struct settings settings = {0};

	output_build_machine(&build, STR("web-1"),
	                     output_build_ruleset(&build, STR(HEAD "COMMIT\n"), STR(HEAD "COMMIT\n"), STR("")));
	struct output output = output_build_done(&build);

	ck_assert_ptr_null(lockouts_of(&output, &settings));
}
END_TEST

static const struct {
	const char *rules;
	unsigned line; /* 0: fine */
} monitors[] = {
	{COEXIST
         "-A fleetwall-input -p tcp -m comment --comment \"web 0123\" -j LOG --log-prefix \"fleetwall monitor: \"\n"
         "-A fleetwall-input -j RETURN\n-A fleetwall-input -g fleetwall-output\n-A fleetwall-input\nCOMMIT\n",
         0},
	{COEXIST "-A fleetwall-input -s 10.0.0.0/8 -p udp -j DROP\nCOMMIT\n", 5},
	{COEXIST "-A fleetwall-output -j REJECT\nCOMMIT\n", 5},
	{COEXIST "-A fleetwall-output -j other\nCOMMIT\n", 5},
	{COEXIST "-I INPUT -j DROP\nCOMMIT\n", 5},
	{COEXIST "-A fleetwall-output -jDROP\nCOMMIT\n", 5},
	{"*filter\n:INPUT DROP [0:0]\nCOMMIT\n", 2},
	{"*filter\n:INPUT - [0:0]\nCOMMIT\n", 0},
	{"*nat\nCOMMIT\n", 1},
};

static void expect_monitor(size_t i)
{
	struct error *error = lockout(monitors[i].rules, MODE_COEXIST, ENFORCEMENT_MONITOR, "192.0.2.0/24", 22);

	if (monitors[i].line == 0) {
		ck_assert_msg(error == NULL, "%s", monitors[i].rules);
		return;
	}
	ck_assert_uint_eq(error_count(error), 2); /* both files are the same here */
	ck_assert(has(error->message, "machine web-1 is only monitored, but this line may refuse packets"));
	ck_assert_uint_eq(error->place.line, monitors[i].line);
	ck_assert(str_is(error->next->place.file, "web-1/rules.v6"));
}

START_TEST(test_monitor)
{
	for (size_t i = 0; i < sizeof monitors / sizeof *monitors; i++)
		expect_monitor(i);
}
END_TEST

/* A bad template spoils every ruleset: the first are told, the rest are counted. */
START_TEST(test_many)
{
	struct output_build build = output_build_new(arena);
	struct prefix source;
	struct settings settings = {.management = &source, .management_count = 1};

	ck_assert_int_eq(prefix_parse(STR("192.0.2.0/24"), &source), PREFIX_OK);
	for (size_t i = 0; i < 30; i++) {
		struct ruleset *ruleset =
			output_build_ruleset(&build, str_format(arena, "# %zu\n" HEAD "COMMIT\n", i), STR(""), STR(""));

		output_build_machine(&build, str_format(arena, "m%02zu", i), ruleset);
		output_build_machine(&build, str_format(arena, "n%02zu", i), ruleset);
	}
	struct output output = output_build_done(&build);
	struct error *error = lockouts_of(&output, &settings);

	ck_assert_uint_eq(error_count(error), 11);
	for (size_t i = 0; i < 10; i++, error = error->next)
		ck_assert_msg(
			has(error->message,
		            str_c(arena, str_format(arena, "machine m%02zu and 1 more: rules.v4 would not let", i))),
			"%.*s", STR_ARG(error->message));
	while (error->next != NULL)
		error = error->next;
	ck_assert(has(error->message, "and 20 more rules files"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard");
	TCase *guard = tcase_create("guard");

	tcase_add_checked_fixture(guard, arena_setup, arena_teardown);
	tcase_add_checked_fixture(guard, NULL, teardown);
	tcase_add_test(guard, test_machines);
	tcase_add_test(guard, test_rules);
	tcase_add_test(guard, test_members);
	tcase_add_test(guard, test_first_generation);
	tcase_add_test(guard, test_lockout);
	tcase_add_test(guard, test_family_and_port);
	tcase_add_test(guard, test_no_management);
	tcase_add_test(guard, test_monitor);
	tcase_add_test(guard, test_many);
	suite_add_tcase(suite, guard);

	return suite_main(suite);
}
