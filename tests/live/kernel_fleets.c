/* Real fleets and the questions that come with them: explain() must give each question's verdict, and so must the
 * kernel, for each machine with an address of that family. Besides, each distinct ruleset meets packets at the edges of
 * what its rules name. Fleets that are not there are skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/document.h"
#include "kernel.h"

#define FLEETS "../shared/fleets/"
#define EDGES 700 /* packets a ruleset, of those at its edges */
#define SHOWN 20

/* One line of queries.csv. */
struct question {
	struct str machine, peer, what;
	enum direction direction;
	bool allow;
	unsigned line;
	uint32_t number; /* of the machine */
	struct addr addr;
	struct packet_what packet;
};

struct questions {
	struct question *items;
	size_t count, capacity;
};

/* Questions that no packet can ask, by reason. */
struct left_out {
	size_t no_address, special, own, port_zero;
};

/* --- reading --- */

static struct question read_question(struct arena *arena, struct str line, unsigned number)
{
	struct str fields[6] = {0}, rest = line;
	size_t count = 0;

	while (count < 6 && str_cut(&rest, ',', &fields[count]))
		count++;
	if (count != 6 || (!str_is(fields[1], "in") && !str_is(fields[1], "out")))
		die("queries.csv:%u: not a question: %.*s", number, STR_ARG(line));
	return (struct question){
		.machine = fields[0],
		.peer = fields[2],
		.direction = str_is(fields[1], "in") ? DIRECTION_IN : DIRECTION_OUT,
		.what = fields[4].n > 0 ? str_format(arena, "%.*s/%.*s", STR_ARG(fields[4]), STR_ARG(fields[3]))
	                                : fields[3],
		.allow = str_is(fields[5], "allow"),
		.line = number,
	};
}

static struct questions read_questions(struct arena *arena, const char *path)
{
	struct questions questions = {0};
	struct str text, line;
	struct error *error = file_read(arena, str_of(path), &text);

	if (error != NULL)
		die("%.*s", STR_ARG(error->message));
	for (unsigned number = 1; str_cut(&text, '\n', &line); number++) {
		line = str_trim(line);
		if (number > 1 && line.n > 0)
			APPEND(arena, &questions, read_question(arena, line, number));
	}
	return questions;
}

/* --- explain() --- */

static bool explained(struct arena *arena, struct trial *trial, struct question *question)
{
	struct end machine, peer;
	struct verdict verdict;
	struct error *error = NULL;
	bool in = question->direction == DIRECTION_IN;

	error_collect(&error, end_parse(trial->explainer, question->machine, &machine));
	error_collect(&error, end_parse(trial->explainer, question->peer, &peer));
	error_collect(&error, packet_parse(trial->explainer, question->what, &question->packet));
	if (error == NULL)
		error = explain(arena, trial->explainer, in ? &peer : &machine, in ? &machine : &peer,
		                &question->packet, &verdict);
	if (error != NULL)
		die("line %u: %.*s", question->line, STR_ARG(error->message));
	question->number = machine.machine;
	question->addr = peer.addr;
	return verdict.allow == question->allow;
}

static size_t explain_all(struct trial *trial, const struct questions *questions)
{
	struct arena *scratch = arena_new();
	size_t wrong = 0;

	for (size_t i = 0; i < questions->count; i++) {
		struct question *question = &questions->items[i];
		if (!explained(scratch, trial, question) && wrong++ < SHOWN)
			fprintf(stderr, "DIFFERS: line %u: %.*s %s %.*s %.*s: explain does not say %s\n",
			        question->line, STR_ARG(question->machine),
			        question->direction == DIRECTION_IN ? "in" : "out", STR_ARG(question->peer),
			        STR_ARG(question->what), question->allow ? "allow" : "deny");
		arena_reset(scratch);
	}
	arena_free(scratch);
	return wrong;
}

/* --- the kernel --- */

static bool has_address(const struct machine *machine, struct addr addr, bool family_only)
{
	for (size_t i = 0; i < machine->address_count; i++)
		if (family_only ? machine->addresses[i].addr.family == addr.family
		                : addr_cmp(machine->addresses[i].addr, addr) == 0)
			return true;
	return false;
}

static bool can_ask(const struct machine *machine, const struct question *question, struct left_out *left_out)
{
	if (!has_address(machine, question->addr, true))
		left_out->no_address++;
	else if (address_excluded(question->addr) != NULL)
		left_out->special++;
	else if (has_address(machine, question->addr, false))
		left_out->own++;
	else if (question->direction == DIRECTION_OUT && question->packet.has_port && question->packet.port == 0)
		left_out->port_zero++;
	else
		return true;
	return false;
}

static struct probe probe_of(const struct machine *machine, const struct question *question)
{
	struct addr own = own_address(machine, question->addr.family);
	bool in = question->direction == DIRECTION_IN, four = question->addr.family == FAMILY_4;
	struct probe probe = {
		.direction = question->direction,
		.source = in ? question->addr : own,
		.destination = in ? own : question->addr,
		.protocol = question->packet.protocol,
		.port = question->packet.port,
	};

	if (question->packet.icmp)
		probe.protocol = four ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	if (!question->packet.has_port)
		(void)icmp_number(ICMP_ECHO_REQUEST, question->addr.family, &probe.icmp_type);
	return probe;
}

static size_t judge_questions(struct judge *judge, const struct machine *machine, const struct question *questions,
                              size_t count, struct left_out *left_out, size_t *asked)
{
	struct arena *arena = arena_new();
	struct probe *probes = ARENA_ARRAY(arena, struct probe, count);
	const struct question **behind = ARENA_ARRAY(arena, const struct question *, count);
	size_t kept = 0, wrong = 0;

	for (size_t i = 0; i < count; i++) {
		if (!can_ask(machine, &questions[i], left_out))
			continue;
		behind[kept] = &questions[i];
		probes[kept++] = probe_of(machine, &questions[i]);
	}
	judge_probes(judge, probes, kept);
	for (size_t i = 0; i < kept; i++)
		if ((!probes[i].seen || probes[i].passed != behind[i]->allow) && wrong++ < SHOWN)
			fprintf(stderr, "DIFFERS: line %u: %.*s %.*s: the kernel %s\n", behind[i]->line,
			        STR_ARG(behind[i]->machine), STR_ARG(behind[i]->what),
			        !probes[i].seen    ? "did not carry it"
			        : probes[i].passed ? "let it through"
			                           : "stopped it");
	*asked += kept;
	arena_free(arena);
	return wrong;
}

static void try_edges(struct trial *trial, struct judge *judge, uint32_t machine, const struct str *interfaces,
                      size_t interface_count, struct tally *tally)
{
	struct arena *arena = arena_new();
	struct probe_list list = {0};

	probes_at_edges(arena, trial, machine, interface_count, EDGES / 8, &list);
	list.count = probes_thin(list.items, list.count, EDGES);
	compare(trial, judge, machine, interfaces, list.items, list.count, tally);
	arena_free(arena);
}

/* Machines in the order of their rulesets, so that each ruleset is loaded once. */
static int by_ruleset(const void *a, const void *b)
{
	const struct machine_ruleset *left = a, *right = b;
	int order = memcmp(left->ruleset->digest.byte, right->ruleset->digest.byte, sizeof left->ruleset->digest.byte);

	return order != 0 ? order : str_cmp(left->machine->name, right->machine->name);
}

static int by_machine(const void *a, const void *b)
{
	const struct question *left = a, *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return left->line < right->line ? -1 : 1;
}

struct span {
	size_t first, count;
};

/* The questions of a machine, which are sorted by it. */
static struct span questions_of(const struct questions *questions, uint32_t machine)
{
	struct span span = {0};

	while (span.first < questions->count && questions->items[span.first].number < machine)
		span.first++;
	while (span.first + span.count < questions->count &&
	       questions->items[span.first + span.count].number == machine)
		span.count++;
	return span;
}

static size_t fleet_against_kernel(struct arena *arena, struct trial *trial, const struct backend *backend,
                                   const struct questions *questions, const char *name)
{
	struct left_out left_out = {0};
	struct tally tally = {0};
	struct str *interfaces;
	size_t interface_count = trial_interfaces(arena, &trial->fleet, &interfaces), wrong = 0, asked = 0;
	struct judge *judge = judge_new(arena, interfaces, interface_count);
	const struct ruleset *loaded = NULL;

	load_sets(arena, &trial->output);
	qsort(questions->items, questions->count, sizeof *questions->items, by_machine);
	qsort(trial->output.machines, trial->output.machine_count, sizeof *trial->output.machines, by_ruleset);
	for (size_t i = 0; i < trial->output.machine_count; i++) {
		const struct machine_ruleset *own = &trial->output.machines[i];
		uint32_t number = (uint32_t)(own->machine - trial->fleet.machines);
		struct span span = questions_of(questions, number);
		if (own->ruleset != loaded) {
			load_ruleset(arena, backend, own->ruleset);
			loaded = own->ruleset;
			try_edges(trial, judge, number, interfaces, interface_count, &tally);
		}
		wrong += judge_questions(judge, own->machine, questions->items + span.first, span.count, &left_out,
		                         &asked);
	}
	printf("%s: %zu questions asked of the kernel in %zu rulesets of %zu machines, %zu differ; left out: %zu no "
	       "address of the family, "
	       "%zu unspecified, loopback or multicast, %zu the machine's own, %zu outbound port 0\n",
	       name, asked, trial->output.ruleset_count, trial->output.machine_count, wrong, left_out.no_address,
	       left_out.special, left_out.own, left_out.port_zero);
	tally_print(name, &tally);
	judge_free(judge);
	if (asked + left_out.no_address + left_out.special + left_out.own + left_out.port_zero != questions->count)
		die("%s: not every question was asked or left out", name);
	return wrong + tally.differing;
}

/* --- a fleet --- */

static int try_fleet(const void *context)
{
	const char *name = context;
	struct arena *arena = arena_new();
	const char *folder = str_c(arena, str_format(arena, FLEETS "%s", name));
	const char *asked = str_c(arena, str_format(arena, "%s/queries.csv", folder));
	struct backend backend = backend_of(arena, "");
	struct trial *trial;
	struct questions questions;
	size_t wrong;
	bool entered;

	if (access(asked, R_OK) != 0) {
		printf("SKIP %s: %s is not there\n", name, asked);
		return SKIPPED;
	}
	trial = trial_of_csv(arena, folder, settings_default());
	questions = read_questions(arena, asked);
	wrong = explain_all(trial, &questions);
	printf("%s: %zu questions explained, %zu differ\n", name, questions.count, wrong);
	entered = backend_enter(&backend);
	if (entered)
		wrong += fleet_against_kernel(arena, trial, &backend, &questions, name);
	wrong += questions.count == 0;
	arena_free(arena);
	return wrong > 0 ? 1 : entered ? 0 : SKIPPED;
}

int main(void)
{
	static const void *const fleets[] = {"opendev", "fedora-infra"};
	const char *missing = netns_missing_program();

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	return in_children(try_fleet, fleets, 2);
}
