/* The store's fixture: see the header. */
#include "store_fixture.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/process.h"

char out[200];
static char home[100];

static void run_shell(const char *line)
{
	const char *const argv[] = {"sh", "-c", line, NULL};
	struct command command = {.argv = argv};
	struct outcome outcome;

	ck_assert_ptr_null(process_run(arena, &command, &outcome));
	ck_assert_msg(outcome.started && outcome.status == 0, "%s: %.*s%.*s", line, STR_ARG(outcome.output),
	              STR_ARG(outcome.errors));
}

void shell(const char *format, ...)
{
	char line[2000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	run_shell(line);
}

void store_setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(home, sizeof home, "%s/check_store-XXXXXX", base != NULL ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(out, sizeof out, "%s/out", home);
	arena_setup();
}

void store_teardown(void)
{
	shell("rm -rf '%s'", home);
	arena_teardown();
}

const char *at(const char *path)
{
	return str_c(arena, str_format(arena, "%s/%s", out, path));
}

struct str read_whole(const char *path)
{
	static char bytes[4096];
	int file = open(path, O_RDONLY);

	ck_assert_msg(file >= 0, "%s: %s", path, strerror(errno));
	ssize_t n = read(file, bytes, sizeof bytes);

	close(file);
	ck_assert_int_ge(n, 0);
	return str_copy(arena, (struct str){bytes, (size_t)n});
}

void expect_file(const char *path, const char *text)
{
	struct str bytes = read_whole(at(path));

	ck_assert_msg(str_is(bytes, text), "%s: %.*s", path, STR_ARG(bytes));
}

bool exists(const char *path)
{
	struct stat status;

	return lstat(at(path), &status) == 0;
}

ino_t inode(const char *path)
{
	struct stat status;

	ck_assert_msg(lstat(at(path), &status) == 0, "%s: %s", path, strerror(errno));
	return status.st_ino;
}

void expect_link(const char *path, const char *prefix)
{
	char target[200] = "";

	ck_assert_msg(readlink(at(path), target, sizeof target - 1) > 0, "%s", path);
	ck_assert_msg(str_starts(str_of(target), str_of(prefix)), "%s -> %s", path, target);
}

static struct str message_of(const struct error *error)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
	return error->message;
}

void expect_message(const struct error *error, const char *part)
{
	struct str message = message_of(error);

	ck_assert_msg(memmem(message.p, message.n, part, strlen(part)) != NULL, "%.*s", STR_ARG(message));
}

/* --- two outputs --- */

static struct role_size first_roles[] = {{{"machine:a", 9}, 1}, {{"web", 3}, 2}};
const struct summary first_summary = {
	.clock = 1760000000, .machines = 3, .rules = 7, .roles = first_roles, .role_count = 2};
const struct summary second_summary = {.clock = -1, .machines = 2, .rules = 4};

struct output first_output(void)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *shared = output_build_ruleset(&build, STR("four\n"), STR("six\n"), STR("web-0.v4\nweb-0.v6\n"));
	struct ruleset *own = output_build_ruleset(&build, STR("own4\n"), STR("own6\n"), STR(""));

	output_build_set(&build, STR("web-0.v6"), STR("create fw6-web-0\n"));
	output_build_set(&build, STR("web-0.v4"), STR("create fw4-web-0\n"));
	output_build_machine(&build, STR("c"), own);
	output_build_machine(&build, STR("a"), shared);
	output_build_machine(&build, STR("b"), shared);
	return output_build_done(&build);
}

struct output second_output(void)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *shared = output_build_ruleset(&build, STR("four\n"), STR("six\n"), STR("web-0.v4\nweb-0.v6\n"));
	struct ruleset *other = output_build_ruleset(&build, STR("new4\n"), STR("new6\n"), STR("db-1.v4\n"));

	output_build_set(&build, STR("web-0.v4"), STR("create fw4-web-0\nadd fw4-web-0 10.0.0.1\n"));
	output_build_set(&build, STR("db-1.v4"), STR("create fw4-db-1\n"));
	output_build_machine(&build, STR("a"), shared);
	output_build_machine(&build, STR("b"), other);
	return output_build_done(&build);
}

struct product product_of(struct arena *to, const struct output *output)
{
	struct product product = {.machine_count = output->machine_count,
	                          .set_count = output->set_count,
	                          .ruleset_count = output->ruleset_count};

	product.manifest = ARENA_ARRAY(to, struct entry, output->machine_count);
	product.sets = ARENA_ARRAY(to, struct entry, output->set_count);
	for (size_t i = 0; i < output->machine_count; i++)
		product.manifest[i] =
			(struct entry){output->machines[i].ruleset->digest, output->machines[i].machine->name};
	for (size_t i = 0; i < output->set_count; i++)
		product.sets[i] = (struct entry){output->sets[i].digest, output->sets[i].name};
	return product;
}

struct generation generation_for(struct arena *to, const struct output *output, const struct summary *summary)
{
	struct product product = product_of(to, output);
	struct generation generation;

	generation_of(to, &product, summary, &generation);
	return generation;
}

struct error *put_objects(struct store *store, const struct output *output)
{
	for (size_t i = 0; i < output->set_count; i++)
		TRY(store_put_set(store, &output->sets[i]));
	for (size_t i = 0; i < output->ruleset_count; i++)
		TRY(store_put_ruleset(store, output->rulesets[i]));
	return NULL;
}

/* Every other time by what is known of the links, as the generator does. */
static struct error *publish_links(struct arena *to, struct store *store, const struct generation *before,
                                   const struct generation *now)
{
	if (before->number > 0 && now->number % 2 == 0)
		return store_links_from(to, store, before, now);
	return store_links(to, store, now);
}

struct error *publish_in(struct arena *to, struct store *store, const struct output *output,
                         const struct summary *summary, uint64_t *number)
{
	struct generation before, now = generation_for(to, output, summary);

	*number = 0;
	TRY(generation_read(to, str_of(out), &before));
	TRY(put_objects(store, output));
	if (before.number > 0 && generation_same(&before, &now))
		return store_links(to, store, &before);
	TRY(store_next_number(store, before.number, &now.number));
	*number = now.number;
	TRY(store_publish(to, store, &now));
	return publish_links(to, store, &before, &now);
}

struct error *try_publish(const struct output *output, const struct summary *summary, uint64_t *number)
{
	struct store *store;

	*number = 0;
	TRY(store_open(arena, str_of(out), &store));
	struct error *error = publish_in(arena, store, output, summary, number);

	store_close(store);
	return error;
}

uint64_t publish(struct output output, const struct summary *summary)
{
	uint64_t number;

	none(try_publish(&output, summary, &number));
	return number;
}

struct generation published(void)
{
	struct generation generation;

	none(generation_read(arena, str_of(out), &generation));
	return generation;
}
