/* A fleet to be pushed to: see the header. */
#include "push_fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/buf.h"
#include "fleetwall/process.h"
#include "output_build.h"

struct push_settings push_settings;
struct push_tally push_told;
char push_home[200];
static struct prefix management;

static struct str path_of(const char *what)
{
	return str_format(arena, "%s/%s", push_home, what);
}

static struct hook fake_host(void)
{
	const char *top = getenv("TOP");
	struct hook hook = {.arguments = ARENA_ARRAY(arena, struct str, 4), .count = 4};

	hook.arguments[0] = STR("sh");
	hook.arguments[1] = str_format(arena, "%s/tests/live/lib/fake_host.sh", top != NULL ? top : ".");
	hook.arguments[2] = path_of("hosts");
	hook.arguments[3] = STR("%n");
	return hook;
}

void push_fleet_setup(void)
{
	struct hook hook;

	postgres_setup();
	strcpy(push_home, access("/dev/shm", W_OK) == 0 ? "/dev/shm/check_pusher-XXXXXX" : "/tmp/check_pusher-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(push_home));
	hook = fake_host();
	ck_assert_int_eq(prefix_parse(STR("127.0.0.1"), &management), PREFIX_OK);
	push_settings = (struct push_settings){
		.output = path_of("out"),
		.user = STR("root"),
		.apply = hook,
		.confirm = hook,
		.call = hook,
		.parallel = 8,
		.deadline = 10,
		.connect = 2,
		.step = 5,
		.retries = 1,
		.max_failures = 3,
		.probe_wait = 1,
		.ssh_port = 22,
		.management = &management,
		.management_count = 1,
	};
	push_told = (struct push_tally){.warnings = STR("")};
}

void push_fleet_teardown(void)
{
	const char *const argv[] = {"rm", "-rf", "--", push_home, NULL};
	struct outcome outcome;

	must(process_run(arena, &(struct command){.argv = argv}, &outcome));
	postgres_teardown();
}

/* --- generations --- */

static struct str rules(unsigned mark)
{
	return str_format(arena,
	                  "# iptables-restore\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
	                  "-A INPUT -i lo -m comment --comment %u -j ACCEPT\nCOMMIT\n",
	                  mark);
}

static struct str set_file(unsigned mark)
{
	const char *name = "fw4-app-0123456789ab";

	return str_format(arena,
	                  "create %s hash:net family inet maxelem 4294967295\ncreate %s.n hash:net family inet maxelem "
	                  "4294967295\nflush %s.n\nadd %s.n 10.0.0.%u\nswap %s %s.n\ndestroy %s.n\n",
	                  name, name, name, name, mark, name, name, name);
}

static struct output make_output(unsigned machines, unsigned mark, unsigned set_mark)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *plain = output_build_ruleset(&build, rules(mark), rules(mark), STR(""));
	struct ruleset *with_set =
		output_build_ruleset(&build, rules(mark), rules(mark), STR("app-0123456789ab.v4\n"));

	output_build_set(&build, STR("app-0123456789ab.v4"), set_file(set_mark));
	for (unsigned i = 0; i < machines; i++)
		output_build_machine(&build, str_format(arena, "m%03u", i), i % 2 == 0 ? plain : with_set);
	return output_build_done(&build);
}

static struct product product_of(const struct output *output)
{
	struct product product = {.machine_count = output->machine_count,
	                          .set_count = output->set_count,
	                          .ruleset_count = output->ruleset_count};

	product.manifest = ARENA_ARRAY(arena, struct entry, output->machine_count);
	product.sets = ARENA_ARRAY(arena, struct entry, output->set_count);
	for (size_t i = 0; i < output->machine_count; i++)
		product.manifest[i] =
			(struct entry){output->machines[i].ruleset->digest, output->machines[i].machine->name};
	for (size_t i = 0; i < output->set_count; i++)
		product.sets[i] = (struct entry){output->sets[i].digest, output->sets[i].name};
	return product;
}

static uint64_t publish(const struct output *output)
{
	static const struct summary summary = {.clock = 1};
	struct product product = product_of(output);
	struct generation generation;
	struct store *store;

	must(store_open(arena, push_settings.output, &store));
	for (size_t i = 0; i < output->set_count; i++)
		must(store_put_set(store, &output->sets[i]));
	for (size_t i = 0; i < output->ruleset_count; i++)
		must(store_put_ruleset(store, output->rulesets[i]));
	generation_of(arena, &product, &summary, &generation);
	must(store_next_number(store, 0, &generation.number));
	must(store_publish(arena, store, &generation));
	must(store_links(arena, store, &generation));
	store_close(store);
	return generation.number;
}

uint64_t push_fleet(unsigned machines, unsigned mark)
{
	return push_fleet_sets(machines, mark, mark);
}

uint64_t push_fleet_sets(unsigned machines, unsigned mark, unsigned set_mark)
{
	struct output output = make_output(machines, mark, set_mark);
	uint64_t number = publish(&output);
	struct generation generation;
	char hex[65];

	must(generation_read(arena, push_settings.output, &generation));
	digest_hex(&generation.digest, hex);
	sql(str_c(arena,
	          str_format(arena,
	                     "INSERT INTO fleetwall.machine (name) SELECT 'm' || lpad(i::text, 3, '0') FROM "
	                     "generate_series(0, %d) AS i ON CONFLICT DO NOTHING;"
	                     "INSERT INTO fleetwall.generation (number, digest, clock, machines) VALUES (%llu, "
	                     "decode('%s', 'hex'), now(), %u)",
	                     (int)machines - 1, (unsigned long long)number, hex, machines)));
	return number;
}

/* --- pushes --- */

static void on_event(void *context, const struct push_event *event)
{
	(void)context;
	push_told.kinds[event->kind]++;
	if (getenv("PUSH_TELL") != NULL)
		fprintf(stderr, "%ld: event %d %.*s: %.*s %.*s\n", (long)getpid(), event->kind, STR_ARG(event->machine),
		        STR_ARG(failure_str(event->failure)), STR_ARG(event->message));
	if (event->kind == PUSH_WARNING)
		push_told.warnings =
			str_format(arena, "%.*s%.*s\n", STR_ARG(push_told.warnings), STR_ARG(event->message));
	if (event->kind != PUSH_FAILED && event->kind != PUSH_RETRY)
		return;
	push_told.failures[event->failure]++;
	push_told.last_failed = *event;
	push_told.last_failed.message = str_copy(arena, event->message);
	push_told.last_failed.machine = str_copy(arena, event->machine);
}

struct push_plan push_planned(void)
{
	struct selection everything = {NULL, 0};
	struct positions *positions;
	struct push_plan plan;

	must(push_plan(arena, db, &push_settings, &everything, &positions, &plan));
	return plan;
}

uint64_t push_started(const struct push_plan *plan)
{
	struct work_item *items = ARENA_ARRAY(arena, struct work_item, plan->count);
	uint64_t run;

	for (size_t i = 0; i < plan->count; i++) {
		items[i] = plan->items[i].work;
		items[i].wave = 0; /* waves are tested elsewhere */
	}
	must(ledger_start(arena, db, plan->generation, &plan->digest, push_settings.max_failures, items, plan->count,
	                  &run));
	return run;
}

struct error *push_work_on(uint64_t run, struct push_result *result)
{
	return push_work(arena, conninfo, &push_settings, run, on_event, NULL, result);
}

struct push_result push_worked(uint64_t run)
{
	struct push_result result;

	must(push_work_on(run, &result));
	return result;
}

struct push_result push_done_all(void)
{
	struct push_plan plan = push_planned();

	return push_worked(push_started(&plan));
}

/* --- machines --- */

static const char *file_of(unsigned machine, const char *file)
{
	return str_c(arena, str_format(arena, "%s/hosts/m%03u/%s", push_home, machine, file));
}

void host_has(unsigned machine, const char *file, const char *text)
{
	FILE *stream;

	(void)mkdir(str_c(arena, path_of("hosts")), 0755);
	(void)mkdir(file_of(machine, ""), 0755);
	stream = fopen(file_of(machine, file), "w");
	ck_assert_ptr_nonnull(stream);
	fputs(text, stream);
	fclose(stream);
}

const char *host_text(unsigned machine, const char *file)
{
	static char text[8192];
	FILE *stream = fopen(file_of(machine, file), "r");
	size_t size;

	if (stream == NULL)
		return "";
	size = fread(text, 1, sizeof text - 1, stream);
	text[size] = '\0';
	fclose(stream);
	return text;
}

unsigned host_lines(unsigned machine, const char *file, const char *start)
{
	struct str rest = str_copy(arena, str_of(host_text(machine, file))), line;
	unsigned count = 0;

	while (str_cut(&rest, '\n', &line))
		count += str_starts(line, str_of(start));
	return count;
}

void host_is_done(unsigned machine)
{
	struct str name = str_format(arena, "m%03u", machine);
	const struct position *position;
	struct machine_state *states;
	struct positions *positions;
	size_t count;
	char hex[65];

	must(positions_open(arena, push_settings.output, store_current(push_settings.output), &positions));
	must(positions_find(positions, name, &position));
	digest_hex(&position->digest, hex);
	ck_assert_msg(str_is(str_trim(str_of(host_text(machine, "confirmed"))), hex), "m%03u", machine);
	must(ledger_machines(arena, db, &name, 1, &states, &count));
	ck_assert_uint_eq(count, 1);
	ck_assert(digest_eq(&states->confirmed.position, &position->digest) && states->error.n == 0);
}

void hosts_are_done(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		host_is_done(i);
}
