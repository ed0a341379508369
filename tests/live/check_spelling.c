/* What is rendered comes back from iptables-save as it was written, on the nft and on the legacy backend, and sets hold
 * what their files say: for the golden fleets, for random ones, and for every rate that the language has. Everything is
 * loaded twice, because loading must not depend on what was there. Passed over are counters, comments of the tool, and
 * the names of protocols that we write as numbers. */
#include <check.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../gen/lines.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/process.h"
#include "make_output.h"
#include "random_rule.h"
#include "suite_main.h"

#define RANDOM_FLEETS 8
#define SHOWN 1500 /* bytes of a failure; libcheck takes 8 KiB at most */

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
	error_forget_all();
}

static void fail_with(const struct error *error)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR(""), error);
	ck_abort_msg("%.*s", STR_ARG(buf_str(&buf)));
}

/* --- the backends --- */

static const char *const backends[] = {"nft", "legacy"};

struct tools {
	const char *restore, *save;
};

static struct tools tools_of(const char *backend, enum family family)
{
	const char *prefix = family == FAMILY_4 ? "iptables" : "ip6tables";

	return (struct tools){str_c(arena, str_format(arena, "%s-%s-restore", prefix, backend)),
	                      str_c(arena, str_format(arena, "%s-%s-save", prefix, backend))};
}

/* Runs the commands in a namespace of their own; all must succeed. What each of them printed. */
static struct outcome *run_apart(const struct command *commands, size_t count, struct str about)
{
	struct outcome *outcomes = ARENA_ARRAY(arena, struct outcome, count);
	bool permitted;
	size_t ran = 0;
	struct error *error = process_run_apart(arena, commands, count, outcomes, &ran, &permitted);

	if (error != NULL)
		fail_with(error);
	ck_assert_msg(permitted, "no namespace");
	if (ran < count || outcomes[ran - 1].status != 0)
		ck_abort_msg("%.*s: `%s` failed: %.*s\n%.*s", STR_ARG(about), commands[ran - 1].argv[0],
		             STR_ARG(str_slice(outcomes[ran - 1].errors, 0, SHOWN)),
		             STR_ARG(str_slice(commands[ran - 1].input, 0, SHOWN)));
	return outcomes;
}

static struct command command_of(struct str input, const char *const *argv, size_t size)
{
	const char **copy = ARENA_ARRAY(arena, const char *, size / sizeof *argv);

	memcpy(copy, argv, size);
	return (struct command){.argv = copy, .input = input};
}

#define COMMAND(input, ...) \
	command_of((input), (const char *const[]){__VA_ARGS__, NULL}, sizeof((const char *const[]){__VA_ARGS__, NULL}))

struct commands {
	struct command *items;
	size_t count, capacity;
};

/* --- comparing --- */

/* "-p gre" is "-p 47" to us. */
static void add_line(struct buf *buf, struct str line)
{
	static const char *const kept[] = {"tcp", "udp", "udplite", "sctp", "icmp", "ipv6-icmp", "esp", "ah"};
	const char *text = str_c(arena, line), *at = strstr(text, " -p ");
	char name[64];
	const struct protoent *entry;

	if (at != NULL && sscanf(at, " -p %63s", name) == 1) {
		for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
			if (strcmp(name, kept[i]) == 0)
				at = NULL;
		entry = at != NULL ? getprotobyname(name) : NULL;
		if (entry != NULL) {
			buf_format(buf, "%.*s -p %d%s\n", (int)(at - text), text, entry->p_proto,
			           at + 4 + strlen(name));
			return;
		}
	}
	buf_add(buf, line);
	buf_char(buf, '\n');
}

/* Lines that are compared. `ours`: only what a file for coexistence speaks of. */
static struct str normalized(struct str text, bool ours)
{
	struct buf buf = buf_new(arena);
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (line.p[0] == ':') {
			struct str rest = line, chain, policy;

			str_cut(&rest, ' ', &chain);
			str_cut(&rest, ' ', &policy);
			if (ours && !str_eq(str_slice(chain, 0, 10), STR(":fleetwall")))
				continue;
			line = str_format(arena, "%.*s %.*s", STR_ARG(chain), STR_ARG(policy));
		}
		add_line(&buf, line);
	}
	return buf_str(&buf);
}

static void same_lines(struct str written, struct str saved, struct str about)
{
	struct str a, b;

	while (true) {
		bool more = str_cut(&written, '\n', &a), other = str_cut(&saved, '\n', &b);

		if (!more && !other)
			return;
		ck_assert_msg(more && other && str_eq(a, b), "%.*s\n  written: %.*s\n  saved:   %.*s", STR_ARG(about),
		              STR_ARG(str_slice(a, 0, SHOWN)), STR_ARG(str_slice(b, 0, SHOWN)));
	}
}

static int line_order(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The entries that a set file or `ipset save` adds, sorted; the second set's as the first's. */
static struct str entries(struct str text)
{
	struct {
		struct str *items;
		size_t count, capacity;
	} list = {0};
	struct buf buf = buf_new(arena);
	struct str line, word, set;

	while (str_cut(&text, '\n', &line)) {
		struct str rest = line;

		if (!str_cut(&rest, ' ', &word) || !str_cut(&rest, ' ', &set))
			continue;
		if (set.n > 2 && str_eq(str_slice(set, set.n - 2, set.n), STR(".n")))
			set.n -= 2;
		if (str_eq(word, STR("add")))
			APPEND(arena, &list, str_format(arena, "%.*s %.*s", STR_ARG(set), STR_ARG(rest)));
	}
	if (list.count > 0)
		qsort(list.items, list.count, sizeof *list.items, line_order);
	for (size_t i = 0; i < list.count; i++) {
		buf_add(&buf, list.items[i]);
		buf_char(&buf, '\n');
	}
	return buf_str(&buf);
}

/* --- loading --- */

/* The bytes of all sets. */
static struct str sets_of(const struct output *output)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < output->set_count; i++)
		buf_add(&buf, output->sets[i].bytes);
	return buf_str(&buf);
}

/* One thing that is loaded, by both families on both backends: each in a table of its own. */
#define TABLES 4

struct load {
	struct str rules[2];
	const struct str *written; /* what the tables hold then; NULL: nobody looks */
	struct str about;
};

struct loads {
	struct load *items;
	size_t count, capacity;
};

/* A file for coexistence speaks of its own chains only. */
static bool beside(const struct load *load)
{
	return strstr(str_c(arena, load->rules[0]), "\n:INPUT") == NULL;
}

static void add_load(const struct load *load, size_t table, struct commands *commands)
{
	struct tools tools = tools_of(backends[table / 2], table % 2 == 0 ? FAMILY_4 : FAMILY_6);

	APPEND(arena, commands, COMMAND(load->rules[table % 2], tools.restore, beside(load) ? "--noflush" : NULL));
	if (load->written != NULL)
		APPEND(arena, commands, COMMAND(STR(""), tools.save, "-t", "filter"));
}

/* All in one namespace, as making one takes longer than loading most of it. What is loaded comes back as what is
 * written. */
static void check_rules(struct str sets, const struct loads *loads)
{
	struct commands commands = {0};
	const struct outcome *outcome;

	APPEND(arena, &commands, COMMAND(sets, "ipset", "-exist", "restore"));
	for (size_t i = 0; i < loads->count * TABLES; i++)
		add_load(&loads->items[i / TABLES], i % TABLES, &commands);
	outcome = run_apart(commands.items, commands.count, loads->items[0].about) + 1;
	for (size_t i = 0; i < loads->count * TABLES; i++, outcome++) {
		const struct load *load = &loads->items[i / TABLES];
		size_t table = i % TABLES;

		if (load->written == NULL)
			continue;
		outcome++; /* of saving */
		same_lines(normalized(load->written[table % 2], false), normalized(outcome->output, beside(load)),
		           str_format(arena, "%.*s, IPv%d, %s", STR_ARG(load->about), table % 2 == 0 ? 4 : 6,
		                      backends[table / 2]));
	}
}

/* Sets alone: loaded twice, in place of what was there, with a second set left by a killed run. */
static void check_sets(const struct output *output)
{
	struct buf left = buf_new(arena);
	struct str sets = sets_of(output);

	for (size_t i = 0; i < output->set_count; i++) {
		struct str name = output->sets[i].name, stem = str_slice(name, 0, name.n - 3);
		bool v6 = name.p[name.n - 1] == '6';

		buf_format(&left, "create fw%d-%.*s.n hash:net family %s maxelem 4294967295\nadd fw%d-%.*s.n %s\n",
		           v6 ? 6 : 4, STR_ARG(stem), v6 ? "inet6" : "inet", v6 ? 6 : 4, STR_ARG(stem),
		           v6 ? "2001:db8:dead::1" : "192.0.2.123");
	}
	struct command load = COMMAND(sets, "ipset", "-exist", "restore"), save = COMMAND(STR(""), "ipset", "save");
	struct command commands[] = {COMMAND(buf_str(&left), "ipset", "restore"), load, save, load, save};
	struct outcome *outcomes = run_apart(commands, 5, STR("sets"));

	for (size_t i = 2; i < 5; i += 2) {
		ck_assert_ptr_null(strstr(str_c(arena, outcomes[i].output), ".n "));
		same_lines(entries(sets), entries(outcomes[i].output), STR("entries of sets"));
	}
}

/* Every set that the rules name is in the list of those that are loaded before them, and was rendered. */
static void sets_are_there(const struct output *output, const struct ruleset *ruleset, struct str rules)
{
	static const char option[] = "--match-set fw";
	const char *list = str_c(arena, str_format(arena, "\n%.*s", STR_ARG(ruleset->sets_list))), *sets;
	const char *at = str_c(arena, rules);
	char family, stem[64];

	sets = str_c(arena, sets_of(output));
	while ((at = strstr(at, option)) != NULL) {
		at += sizeof option - 1;
		ck_assert_int_eq(sscanf(at, "%c-%63s", &family, stem), 2);
		ck_assert_ptr_nonnull(strstr(list, str_c(arena, str_format(arena, "\n%s.v%c\n", stem, family))));
		ck_assert_ptr_nonnull(
			strstr(sets, str_c(arena, str_format(arena, "create fw%c-%s ", family, stem))));
	}
}

/* Twice: over what the ruleset before left, of which a file for coexistence would say nothing; and over itself. */
static void add_ruleset(struct loads *loads, const struct ruleset *ruleset)
{
	struct load load = {.about = ruleset->example->name}, again;

	for (int family = 0; family < 2; family++)
		load.rules[family] = ruleset->rules[family];
	again = load;
	again.written = ruleset->rules;
	for (int family = 0; family < 2 && beside(&again); family++)
		load.rules[family] =
			str_format(arena, "*filter\n-F\n-X\nCOMMIT\n%.*s", STR_ARG(ruleset->rules[family]));
	APPEND(arena, loads, load);
	APPEND(arena, loads, again);
}

static void check_output(const struct output *output)
{
	struct loads loads = {0};

	check_sets(output);
	for (size_t i = 0; i < output->ruleset_count; i++) {
		for (int family = 0; family < 2; family++)
			sets_are_there(output, output->rulesets[i], output->rulesets[i]->rules[family]);
		add_ruleset(&loads, output->rulesets[i]);
	}
	if (loads.count > 0)
		check_rules(sets_of(output), &loads);
}

static void check_document(struct str name, struct str text)
{
	struct made made;
	struct error *error = make_output(arena, name, text, &made);

	if (error != NULL)
		fail_with(error);
	check_output(&made.output);
}

static const char *const documents[] = {"tests/golden/seed.conf", "tests/golden/plain.conf",
                                        "tests/golden/management.conf", "tests/fleets/every.conf"};

START_TEST(golden_fleets)
{
	struct str path = {documents[_i], strlen(documents[_i])}, text;
	struct error *error = file_read(arena, path, &text);

	if (error != NULL)
		fail_with(error);
	check_document(path, text);
}
END_TEST

/* --- random fleets --- */

static void add_names(struct buf *buf, const char *list, const struct str *names, size_t count, const char *rest)
{
	buf_format(buf, "%s = ( ", list);
	for (size_t i = 0; i < count; i++)
		buf_format(buf, "%s{ name = \"%.*s\"; %s }", i > 0 ? ",\n" : "", STR_ARG(names[i]), rest);
	buf_add(buf, STR(" );\n"));
}

/* The rules of a random role, as a document lists them. */
static void add_rules(struct buf *buf, struct rng *rng)
{
	size_t count = 1 + rng_below(rng, 40), written = 0;

	buf_add(buf, STR("rules = [ "));
	for (size_t i = 0; i < count; i++) {
		struct rule rule = random_rule(arena, rng, &rule_names_odd);
		bool stored;

		ck_assert_ptr_null(rule_normalize(arena, &rule, &stored));
		if (stored)
			buf_format(buf, "%s\"%.*s\"", written++ > 0 ? ",\n" : "", STR_ARG(rule_text(arena, &rule)));
	}
	buf_add(buf, STR(" ]; "));
}

static struct str random_document(struct rng *rng)
{
	const struct rule_names *names = &rule_names_odd;
	struct buf buf = buf_new(arena);

	buf_add(&buf, STR("// golden: management=0.0.0.0/0,10.9.8.7,fd00:9::/32\n"));
	add_names(&buf, "networks", names->networks, names->network_count,
	          "prefixes = [ \"10.0.0.0/8\", \"0.0.0.0/0\", \"2001:db8::/32\" ];");
	add_names(&buf, "services", names->services, names->service_count,
	          "ports = [ \"0,5-6,8-10/tcp\", \"0-65535/udp\", \"7/udplite\", \"9-11/dccp\" ];");
	buf_add(&buf, STR("roles = ( "));
	for (size_t i = 0; i < names->role_count; i++) {
		buf_format(&buf, "%s{ name = \"%.*s\"; egress = \"%s\"; ", i > 0 ? ",\n" : "", STR_ARG(names->roles[i]),
		           rng_chance(rng, 20) ? "closed" : "open");
		add_rules(&buf, rng);
		buf_char(&buf, '}');
	}
	buf_add(&buf, STR(" );\nmachines = ( "));
	for (size_t i = 0; i < names->machine_count; i++) {
		buf_format(&buf,
		           "%s{ name = \"%.*s\"; addresses = [ \"10.7.0.%zu\", \"fd00:7::%zu\" ]; mode = \"%s\"; "
		           "enforcement = \"%s\"; roles = [ ",
		           i > 0 ? ",\n" : "", STR_ARG(names->machines[i]), i, i, i % 3 == 1 ? "coexist" : "exclusive",
		           i % 3 == 2 ? "monitor" : "enforce");
		for (size_t k = 0, written = 0; k < names->role_count; k++)
			if (rng_chance(rng, 40))
				buf_format(&buf, "%s\"%.*s\"", written++ > 0 ? ", " : "", STR_ARG(names->roles[k]));
		buf_add(&buf, STR(" ]; }"));
	}
	buf_add(&buf, STR(" );\n"));
	return buf_str(&buf);
}

START_TEST(random_fleets)
{
	struct rng rng = {20260301 + (uint64_t)_i};

	check_document(str_format(arena, "random fleet %d", _i), random_document(&rng));
}
END_TEST

/* --- rates --- */

#define EMPTY_TABLE "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"

static void add_rate(struct buf *buf, struct str number, const struct rate *rate, struct str name)
{
	buf_format(buf,
	           "-A INPUT -m hashlimit --hashlimit-upto %.*s --hashlimit-burst %u --hashlimit-mode srcip "
	           "--hashlimit-name %.*s",
	           STR_ARG(number), rate->burst, STR_ARG(name));
	if (rate->expire.n > 0 && str_eq(number, rate->number))
		buf_format(buf, " --hashlimit-htable-expire %.*s", STR_ARG(rate->expire));
	buf_add(buf, STR(" -j ACCEPT\n"));
}

/* Every rate of one unit in one table, loaded as the rule says it, and as we spell it: both come back as we spell it.
 */
START_TEST(every_rate)
{
	static const char *const words[] = {
		[LIMIT_SECOND] = "second", [LIMIT_MINUTE] = "minute", [LIMIT_HOUR] = "hour", [LIMIT_DAY] = "day"};
	struct buf said = buf_new(arena), spelled = buf_new(arena);

	buf_add(&said, STR(EMPTY_TABLE));
	buf_add(&spelled, STR(EMPTY_TABLE));
	for (unsigned limit = 1; limit <= 1000; limit++) {
		struct rate rate = rate_spell(arena, limit, (enum limit_unit)_i);
		struct str name = rate_name(arena, str_format(arena, "%u-%d", limit, _i), &rate, STR("srcip"));

		add_rate(&said, str_format(arena, "%u/%s", limit, words[_i]), &rate, name);
		add_rate(&spelled, rate.number, &rate, name);
	}
	buf_add(&said, STR("COMMIT\n"));
	buf_add(&spelled, STR("COMMIT\n"));
	const struct str written[2] = {buf_str(&spelled), buf_str(&spelled)};
	struct load loads[] = {
		{{buf_str(&said), buf_str(&said)}, written, STR("rates as said")},
		{{written[0], written[1]}, written, STR("rates as spelled")},
	};

	check_rules(STR(""), &(struct loads){.items = loads, .count = 2});
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("spelling");
	TCase *tcase = tcase_create("spelling");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, golden_fleets, 0, sizeof documents / sizeof *documents);
	tcase_add_loop_test(tcase, random_fleets, 0, RANDOM_FLEETS);
	tcase_add_loop_test(tcase, every_rate, LIMIT_SECOND, LIMIT_DAY + 1);
	suite_add_tcase(s, tcase);
	return s;
}

/* Why this can't run here; NULL if it can. */
static const char *obstacle(void)
{
	static const char *const needed[] = {"ipset", "iptables-nft-restore", "ip6tables-nft-restore",
	                                     "iptables-legacy-restore", "ip6tables-legacy-restore"};
	const char *const argv[] = {"true", NULL};
	const struct command command = {.argv = argv};
	struct outcome outcome;
	bool permitted = false;
	size_t ran;

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!process_exists(needed[i]))
			return "iptables (both backends) and ipset are needed";
	setup();
	struct error *error = process_run_apart(arena, &command, 1, &outcome, &ran, &permitted);
	teardown();
	return error != NULL || !permitted ? "network namespaces can't be made here" : NULL;
}

int main(void)
{
	const char *reason = obstacle();

	if (reason != NULL) {
		puts(reason);
		return 77;
	}
	return suite_main(suite());
}
