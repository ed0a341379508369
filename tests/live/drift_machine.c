/* What a pusher does with the store, for scripts that are the machine:
 *     drift_machine publish OUT DOCUMENT                           the number of the new generation
 *     drift_machine bundle OUT NOW BEFORE|0 MACHINE FENCE TOKEN    on standard output
 *     drift_machine compare OUT GENERATION MACHINE                 what `fleetwall-host read` printed is standard input
 * A drift is printed as "KIND, FILE:NUMBER: LINE". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/push.h"
#include "make_output.h"
#include "store_rounds.h"

static struct arena *run;

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "drift_machine: %s\n", what);
	exit(2);
}

static void demand(const struct error *error)
{
	struct buf buf = buf_new(run);

	if (error == NULL)
		return;
	error_print(&buf, STR("error: "), error);
	give_up(str_c(run, buf_str(&buf)));
}

static uint64_t number_of(const char *text)
{
	uint64_t number;

	if (!str_number(str_of(text), UINT64_MAX, &number))
		give_up(text);
	return number;
}

static void write_out(struct str bytes)
{
	if (fwrite(bytes.p, 1, bytes.n, stdout) != bytes.n)
		give_up("standard output");
}

static void publish_document(const char *folder, const char *document)
{
	struct made *made = ARENA_NEW(run, struct made);
	struct store *store;
	struct str text;

	rounds.arena = run;
	rounds.workers = 1;
	rounds.kept = ROUNDS_KEPT_MOST;
	snprintf(rounds.out, sizeof rounds.out, "%s", folder);
	demand(file_read(run, str_of(document), &text));
	demand(make_output(run, str_of(document), text, made));
	demand(store_open(run, str_of(folder), &store));
	demand(rounds_publish_in(run, store, &made->output));
	store_close(store);
	printf("%" PRIu64 "\n", store_current(str_of(folder)));
}

static struct positions *open_at(const char *folder, uint64_t generation)
{
	struct positions *positions = NULL;

	if (generation > 0)
		demand(positions_open(run, str_of(folder), generation, &positions));
	return positions;
}

static void send_bundle(char **words)
{
	struct prefix management;
	struct bundle_request request = {
		.machine = str_of(words[3]),
		.fence = number_of(words[4]),
		.token = str_of(words[5]),
		.now = open_at(words[0], number_of(words[1])),
		.before = open_at(words[0], number_of(words[2])),
		.deadline = 60,
		.ssh_port = 22,
		.management = &management,
		.management_count = 1,
	};
	struct bundle *bundle;
	char bytes[4096];
	size_t got;

	(void)prefix_parse(STR("10.0.0.250"), &management);
	demand(bundle_make(run, &request, &bundle));
	do {
		demand(bundle_read(bundle, bytes, sizeof bytes, &got));
		write_out((struct str){bytes, got});
	} while (got > 0);
	bundle_close(bundle);
}

static struct str standard_input(void)
{
	struct buf buf = buf_new(run);
	char bytes[65536];
	size_t got;

	while ((got = fread(bytes, 1, sizeof bytes, stdin)) > 0)
		buf_add(&buf, (struct str){bytes, got});
	return buf_str(&buf);
}

static void compare(const char *folder, const char *generation, const char *machine)
{
	const struct position *position;
	struct drift *drifts;
	size_t count;

	demand(positions_find(open_at(folder, number_of(generation)), str_of(machine), &position));
	if (position == NULL)
		give_up(machine);
	demand(drift_compare(run, str_of(folder), position, standard_input(), &drifts, &count));
	for (size_t i = 0; i < count; i++)
		printf("%.*s, %.*s:%u: %.*s\n", STR_ARG(drift_kind_str(drifts[i].kind)), STR_ARG(drifts[i].file),
		       drifts[i].number, STR_ARG(drifts[i].line));
}

int main(int argc, char **argv)
{
	run = arena_new();
	if (argc == 4 && strcmp(argv[1], "publish") == 0)
		publish_document(argv[2], argv[3]);
	else if (argc == 8 && strcmp(argv[1], "bundle") == 0)
		send_bundle(argv + 2);
	else if (argc == 5 && strcmp(argv[1], "compare") == 0)
		compare(argv[2], argv[3], argv[4]);
	else
		give_up("publish, bundle or compare");
	arena_free(run);
	error_forget_all();
	return 0;
}
