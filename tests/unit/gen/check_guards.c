/* The guards that read rulesets as they come: frames, forms of lines, and that findings depend neither on the order in
 * which rulesets come, nor on who reads them, nor on what was read before.
 * no-valgrind: random fleets by the hundred; all of it runs under the sanitizers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"
#include "fleetwall/parallel.h"
#include "guards.h"
#include "output_build.h"
#include "random_rule.h"
#include "suite_main.h"

#define HEAD "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"

static struct guards *guards; /* of the last output that was judged */
static const struct settings no_settings = {0};

static void begin(const struct settings *settings, unsigned workers)
{
	if (guards != NULL)
		guards_free(guards);
	guards = guards_new(arena, settings, workers);
}

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

static void judge(const struct output *output, const struct settings *settings)
{
	begin(settings, 1);
	for (size_t i = 0; i < output->ruleset_count; i++)
		guards_ruleset(guards, 0, output->rulesets[i]);
}

/* --- frames --- */

static struct error *frames(const char *v4, const char *v6)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *ruleset = output_build_ruleset(&build, str_of(v4), str_of(v6), STR(""));

	output_build_machine(&build, STR("web-1"), ruleset);
	struct output output = output_build_done(&build);

	judge(&output, &no_settings);
	return guards_findings(guards);
}

START_TEST(test_frames)
{
	static const char *const bad[] = {"",
	                                  HEAD,
	                                  "COMMIT\n",
	                                  HEAD "COMMIT\nCOMMIT\n",
	                                  HEAD "COMMIT\n-A INPUT -j ACCEPT\n",
	                                  "*nat\nCOMMIT\n",
	                                  HEAD "*filter\nCOMMIT\n",
	                                  "*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n"};

	ck_assert_ptr_null(frames("# a comment\n" HEAD "COMMIT\n", HEAD "COMMIT\n# one more\n"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct error *error = frames(HEAD "COMMIT\n", bad[i]);

		ck_assert_msg(error != NULL && error->kind == ERROR_GUARD && error->next == NULL, "%s", bad[i]);
		ck_assert(has(error->message, "machine web-1") && str_is(error->place.file, "web-1/rules.v6"));
	}
}
END_TEST

/* --- forms --- */

#define CHAINS "*filter\n:INPUT DROP [0:0]\n:fleetwall-0123456789ab - [0:0]\n"

static const struct {
	const char *line, *form;
} forms[] = {
	{"-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -m comment --comment \"web 0123456789ab\" -j ACCEPT",
         "v4 -A INPUT -s * -p tcp -m tcp --dport # -m comment --comment * -j ACCEPT"},
	{"-A INPUT -p tcp -m multiport --dports 80,443,8000:8100 -m set --match-set fw4-web-0123456789ab src -g "
         "fleetwall-0123456789ab",
         "v4 -A INPUT -p tcp -m multiport --dports #,#,#:# -m set --match-set fw4-* src -g *"},
	{"-A fleetwall-0123456789ab -j LOG --log-prefix \"fleetwall 0123456789ab: \"", "v4 -A * -j LOG --log-prefix *"},
	{"-A fleetwall-0123456789ab -p tcp -j REJECT --reject-with tcp-reset",
         "v4 -A * -p tcp -j REJECT --reject-with tcp-reset"},
	{"-A INPUT -j MASQUERADE", "v4 -A INPUT -j MASQUERADE"},
	{"-A INPUT -j fleetwall-none", "v4 -A INPUT -j fleetwall-none"},
	{"-A INPUT ! -i eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
         "v4 -A INPUT ! -i * -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"},
	{"-A INPUT -m hashlimit --hashlimit-upto 1/day --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name "
         "0123456789ab-0123 -j ACCEPT",
         "v4 -A INPUT -m hashlimit --hashlimit-upto 1/day --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name "
         "* -j ACCEPT"},
	{"-A INPUT -p icmp -m icmp --icmp-type 8/0 -m time --datestop 2026-03-01T12:00:00 -j ACCEPT",
         "v4 -A INPUT -p icmp -m icmp --icmp-type * -m time --datestop * -j ACCEPT"},
	{"-A INPUT -p tcp --tcp-flags FIN,SYN SYN -j ACCEPT", "v4 -A INPUT -p tcp --tcp-flags FIN,SYN SYN -j ACCEPT"},
	{"-A INPUT -m comment --comment \"-j\" -j ACCEPT", "v4 -A INPUT -m comment --comment * -j ACCEPT"},
};

static void expect_form(size_t i)
{
	struct str line = str_of(forms[i].line), ours = STR("fleetwall-0123456789ab");
	bool home = str_starts(line, STR("-A INPUT ")) || has(str_slice(line, 0, 3 + ours.n), ours.p);
	struct str form = form_of(arena, 0, line, home, str_ends(line, ours));

	ck_assert_msg(str_is(form, forms[i].form), "%.*s", STR_ARG(form));
}

START_TEST(test_form)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		expect_form(i);
}
END_TEST

/* "FORM MACHINE NUMBER LINE" of each, in order. */
static struct str forms_text(void)
{
	struct forms **workers = ARENA_ARRAY(arena, struct forms *, guards->count);
	struct buf text = buf_new(arena);

	for (unsigned i = 0; i < guards->count; i++)
		workers[i] = guards->workers[i].forms;
	struct form_list list = forms_merge(arena, workers, guards->count);

	for (size_t i = 0; i < list.count; i++) {
		const struct form *form = list.items[i];

		buf_format(&text, "%.*s | %.*s %u: %.*s\n", STR_ARG(form->text), STR_ARG(form->source->machine),
		           form->number, STR_ARG(form_line(form)));
	}
	return buf_str(&text);
}

START_TEST(test_forms)
{
	struct output_build build = output_build_new(arena);

	output_build_machine(&build, STR("b"),
	                     output_build_ruleset(&build,
	                                          STR(CHAINS "-A INPUT -s 10.0.0.1 -j ACCEPT\n-A INPUT -s 10.0.0.2 -j "
	                                                     "ACCEPT\nCOMMIT\n"),
	                                          STR(CHAINS "-A INPUT -s ::1 -j ACCEPT\nCOMMIT\n"), STR("")));
	output_build_machine(&build, STR("a"),
	                     output_build_ruleset(&build,
	                                          STR(CHAINS "-A INPUT -s 10.0.0.3 -j DROP\n-A INPUT -s 10.0.0.1 -j "
	                                                     "ACCEPT\nCOMMIT\n"),
	                                          STR(""), STR("")));
	struct output output = output_build_done(&build);

	judge(&output, &no_settings);
	ck_assert_msg(str_is(forms_text(), "v4 -A INPUT -s * -j DROP | a 4: -A INPUT -s 10.0.0.3 -j DROP\n"
	                                   "v4 -A INPUT -s * -j ACCEPT | a 5: -A INPUT -s 10.0.0.1 -j ACCEPT\n"
	                                   "v6 -A INPUT -s * -j ACCEPT | b 4: -A INPUT -s ::1 -j ACCEPT\n"),
	              "%.*s", STR_ARG(forms_text()));
}
END_TEST

/* The same line is another form where its chains are not declared: the kernel must be asked about it. */
START_TEST(test_declared)
{
	struct output_build build = output_build_new(arena);
	const char *line = "-A extra -j more\n";

	for (size_t i = 0; i < 8; i++)
		output_build_machine(&build, str_format(arena, "m%zu", i),
		                     output_build_ruleset(&build,
		                                          str_format(arena, "# %zu\n*filter\n%s%s%s", i & 4,
		                                                     i & 1 ? ":extra - [0:0]\n" : "",
		                                                     i & 2 ? ":more - [0:0]\n" : "", line),
		                                          STR(""), STR("")));
	struct output output = output_build_done(&build);

	judge(&output, &no_settings);
	ck_assert_msg(str_is(forms_text(), "v4 -A extra -j more | m0 3: -A extra -j more\n"
	                                   "v4 -A * -j more | m1 4: -A extra -j more\n"
	                                   "v4 -A extra -j * | m2 4: -A extra -j more\n"
	                                   "v4 -A * -j * | m3 5: -A extra -j more\n"),
	              "%.*s", STR_ARG(forms_text()));
}
END_TEST

/* --- whoever comes first --- */

static const char *const chains[] = {"INPUT", "INPUT", "INPUT", "OUTPUT", "extra", "more"};
static const char *const ours[] = {"fleetwall-input",  "fleetwall-input", "fleetwall-input",
                                   "fleetwall-output", "extra",           "more"};
static const char *const rests[] = {
	" -i lo -j ACCEPT",
	" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
	" -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT",
	" -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT",
	" -s 192.0.2.0/25 -p tcp -m tcp --dport 2222 -j ACCEPT",
	" -p tcp -m tcp --dport 22 -j ACCEPT",
	" -j ACCEPT",
	" -p tcp -m tcp --dport 80 -j ACCEPT",
	" -p udp -j DROP",
	" -p tcp -m tcp --sport 22 -j RETURN",
	" -s 192.0.2.128/25 -j DROP",
	" -p tcp -m tcp --dport 443 -j extra",
	" -p tcp -j more",
	" -m comment --comment \"a b\" -j LOG --log-prefix \"x: \"",
};

#define ANY_OF(rng, list) (list)[rng_below((rng), sizeof(list) / sizeof *(list))]

/* Mostly right; now and then a frame that is not, or a line that nobody knows. */
static struct str random_file(struct rng *rng, enum mode mode, size_t number)
{
	struct buf text = buf_new(arena);
	size_t lines = rng_below(rng, 12);

	buf_format(&text, "# %zu\n%s", number, rng_chance(rng, 97) ? "*filter\n" : "*nat\n");
	if (mode == MODE_COEXIST)
		buf_add(&text, STR(":fleetwall-input - [0:0]\n:fleetwall-output - [0:0]\n"));
	else
		buf_format(&text, ":INPUT %s [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT %s [0:0]\n",
		           rng_chance(rng, 60) ? "DROP" : "ACCEPT", rng_chance(rng, 30) ? "DROP" : "ACCEPT");
	buf_format(&text, "%s%s", rng_chance(rng, 70) ? ":extra - [0:0]\n" : "",
	           rng_chance(rng, 70) ? ":more - [0:0]\n" : "");
	for (size_t i = 0; i < lines; i++) {
		const char *chain = mode == MODE_COEXIST ? ANY_OF(rng, ours) : ANY_OF(rng, chains);

		buf_format(&text, "-A %s%s\n", chain, ANY_OF(rng, rests));
	}
	buf_format(&text, "%s%s", rng_chance(rng, 98) ? "" : "-I INPUT -j DROP\n",
	           rng_chance(rng, 97) ? "COMMIT\n" : "");
	return buf_str(&text);
}

enum { RULESETS = 400 };

static void random_rulesets(uint64_t seed, struct ruleset *rulesets, struct machine *machines)
{
	static const enum mode modes[] = {MODE_EXCLUSIVE, MODE_COEXIST};
	struct rng rng = {seed};

	for (size_t i = 0; i < RULESETS; i++) {
		bool monitored = rng_chance(&rng, 20);
		enum mode mode = monitored ? MODE_COEXIST : ANY_OF(&rng, modes);

		machines[i].name = str_format(arena, "m%03zu", (i * 7919) % 1000);
		rulesets[i] = (struct ruleset){
			.rules = {random_file(&rng, mode, i), random_file(&rng, mode, i)},
			.sets_list = STR(""),
			.example = &machines[i],
			.machines = 1 + rng_below(&rng, 3),
			.mode = mode,
			.enforcement = monitored ? ENFORCEMENT_MONITOR : ENFORCEMENT_ENFORCE,
			.ssh_port = rng_chance(&rng, 80) ? 22 : 2222,
		};
	}
}

/* What the guards are given is gone when they return. */
static void give(unsigned worker, const struct ruleset *ruleset)
{
	struct ruleset passing = *ruleset;
	char *bytes[2];

	for (size_t file = 0; file < 2; file++) {
		size_t n = ruleset->rules[file].n;

		bytes[file] = malloc(n + 1);
		ck_assert_ptr_nonnull(bytes[file]);
		memcpy(bytes[file], ruleset->rules[file].p, n);
		passing.rules[file].p = bytes[file];
	}
	guards_ruleset(guards, worker, &passing);
	for (size_t file = 0; file < 2; file++) {
		memset(bytes[file], '!', ruleset->rules[file].n);
		free(bytes[file]);
	}
}

static struct str answer(void)
{
	struct buf text = buf_new(arena);

	error_print(&text, STR(""), guards_findings(guards));
	buf_add(&text, forms_text());
	return buf_str(&text);
}

static struct settings with_management(struct prefix sources[2])
{
	ck_assert_int_eq(prefix_parse(STR("192.0.2.0/24"), &sources[0]), PREFIX_OK);
	ck_assert_int_eq(prefix_parse(STR("2001:db8::/32"), &sources[1]), PREFIX_OK);
	return (struct settings){.management = sources, .management_count = 2};
}

static void shuffle(struct rng *rng, struct ruleset *rulesets)
{
	for (size_t i = RULESETS - 1; i > 0; i--) {
		size_t j = rng_below(rng, i + 1);
		struct ruleset other = rulesets[i];

		rulesets[i] = rulesets[j];
		rulesets[j] = other;
	}
}

static struct error *give_item(void *context, unsigned worker, size_t item)
{
	const struct ruleset *rulesets = context;

	give(worker, &rulesets[item]);
	return NULL;
}

START_TEST(test_order)
{
	struct ruleset *rulesets = ARENA_ARRAY(arena, struct ruleset, RULESETS);
	struct machine *machines = ARENA_ARRAY(arena, struct machine, RULESETS);
	struct prefix sources[2];
	struct settings settings = with_management(sources);
	struct rng rng = {(uint64_t)_i + 100};
	struct str first = {NULL, 0};

	random_rulesets((uint64_t)_i + 1, rulesets, machines);
	for (unsigned workers = 1; workers <= 4; workers++) {
		begin(&settings, workers);
		ck_assert_ptr_null(parallel_each(workers, RULESETS, give_item, rulesets));
		if (workers == 1)
			first = answer();
		ck_assert_msg(str_eq(answer(), first), "%u workers: %.*s\nnot %.*s", workers, STR_ARG(answer()),
		              STR_ARG(first));
		shuffle(&rng, rulesets);
	}
	ck_assert(has(first, "more rules files that management") && has(first, "v6 -A * "));
}
END_TEST

/* One that has read many files says of each what one that has read none says. */
START_TEST(test_remembers)
{
	struct ruleset *rulesets = ARENA_ARRAY(arena, struct ruleset, RULESETS);
	struct machine *machines = ARENA_ARRAY(arena, struct machine, RULESETS);
	struct prefix sources[2];
	struct settings settings = with_management(sources);
	struct guards *old = guards_new(arena, &settings, 1);
	size_t good = 0, bad = 0;

	random_rulesets((uint64_t)_i + 50, rulesets, machines);
	for (size_t i = 0; i < RULESETS; i++) {
		struct guard_worker *worker = &old->workers[0];
		size_t frames = worker->frames.found, lockouts = worker->lockouts.found;

		guards_ruleset(old, 0, &rulesets[i]);
		begin(&settings, 1);
		guards_ruleset(guards, 0, &rulesets[i]);
		frames = worker->frames.found - frames;
		lockouts = worker->lockouts.found - lockouts;
		ck_assert_uint_eq(guards->workers[0].frames.found, frames);
		ck_assert_msg(guards->workers[0].lockouts.found == lockouts, "%.*s", STR_ARG(rulesets[i].rules[0]));
		good += lockouts == 0;
		bad += lockouts > 0;
	}
	guards_free(old);
	ck_assert(good > 20 && bad > 20);
}
END_TEST

/* Where no two machines share a line, lines are forgotten, and findings are not. */
START_TEST(test_forgets)
{
	enum { FILES = 180, LINES = 500 };
	struct buf text = buf_new(arena);
	struct machine machine = {.name = STR("m")};
	struct ruleset ruleset = {.example = &machine, .machines = 1, .ssh_port = 22};

	begin(&no_settings, 16);
	for (size_t i = 0; i < FILES; i++) {
		text.n = 0;
		buf_add(&text, STR(HEAD));
		for (size_t line = 0; line < LINES; line++)
			buf_format(&text, "-A INPUT -p tcp -m comment --comment \"%zu %zu\" -j ACCEPT\n", i, line);
		buf_add(&text, i == 0 ? STR("-A INPUT -j QUEUE\n") : STR("COMMIT\n"));
		ruleset.rules[0] = ruleset.rules[1] = buf_str(&text);
		machine.name = str_format(arena, "m%03zu", i);
		guards_ruleset(guards, 0, &ruleset);
	}
	ck_assert_uint_lt(arena_size(guards->workers[0].lines), (size_t)64 << 20);
	ck_assert_uint_eq(error_count(guards_findings(guards)), 2);
	ck_assert_msg(str_is(forms_text(),
	                     "v4 -A INPUT -p tcp -m comment --comment * -j ACCEPT | m000 5: -A INPUT -p tcp -m comment "
	                     "--comment \"0 0\" -j ACCEPT\n"
	                     "v4 -A INPUT -j QUEUE | m000 505: -A INPUT -j QUEUE\n"
	                     "v6 -A INPUT -p tcp -m comment --comment * -j ACCEPT | m000 5: -A INPUT -p tcp -m comment "
	                     "--comment \"0 0\" -j ACCEPT\n"
	                     "v6 -A INPUT -j QUEUE | m000 505: -A INPUT -j QUEUE\n"),
	              "%.*s", STR_ARG(forms_text()));
}
END_TEST

/* A line may be longer than what lines are usually kept in, and the last may lack its newline. */
START_TEST(test_long_lines)
{
	struct buf text = buf_new(arena);
	struct output_build build = output_build_new(arena);

	buf_add(&text, STR(HEAD));
	for (size_t i = 0; i < 3; i++) {
		buf_add(&text, STR("-A INPUT -m comment --comment \""));
		for (size_t n = 0; n < 65500 + 200 * i; n++)
			buf_char(&text, (char)('a' + (n + i) % 26));
		buf_add(&text, STR("\" -j ACCEPT\n"));
	}
	buf_add(&text, STR("COMMIT"));
	for (unsigned i = 0; i < 3; i++)
		output_build_machine(
			&build, str_format(arena, "m%u", i),
			output_build_ruleset(&build, buf_str(&text), buf_str(&text), str_format(arena, "%u", i)));
	struct output output = output_build_done(&build);

	judge(&output, &no_settings);
	ck_assert_ptr_null(guards_findings(guards));
	ck_assert(str_starts(forms_text(), STR("v4 -A INPUT -m comment --comment * -j ACCEPT | m0 5: ")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guards");
	TCase *all = tcase_create("guards");

	tcase_add_checked_fixture(all, arena_setup, arena_teardown);
	tcase_add_checked_fixture(all, NULL, teardown);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, test_frames);
	tcase_add_test(all, test_form);
	tcase_add_test(all, test_forms);
	tcase_add_test(all, test_declared);
	tcase_add_loop_test(all, test_order, 0, 3);
	tcase_add_loop_test(all, test_remembers, 0, 3);
	tcase_add_test(all, test_forgets);
	tcase_add_test(all, test_long_lines);
	suite_add_tcase(suite, all);

	return suite_main(suite);
}
