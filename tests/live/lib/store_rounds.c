/* Rounds of publishing: see the header. */
#include "store_rounds.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/buf.h"
#include "fleetwall/parallel.h"
#include "fleetwall/process.h"

struct rounds rounds;

/* In memory where that can be had: what is tried here is the order of things, not the disk. */
static const char *base_folder(void)
{
	const char *base = getenv("TMPDIR");

	if (access("/dev/shm", W_OK | X_OK) == 0)
		return "/dev/shm";
	return base != NULL ? base : "/tmp";
}

void rounds_setup(void)
{
	snprintf(rounds.home, sizeof rounds.home, "%s/check_store_kill-XXXXXX", base_folder());
	ck_assert_ptr_nonnull(mkdtemp(rounds.home));
	snprintf(rounds.out, sizeof rounds.out, "%s/out", rounds.home);
	rounds.arena = arena_new();
	rounds.workers = 2;
	rounds.kept = ROUNDS_KEPT_MOST;
}

void rounds_run(const char *const *argv)
{
	struct command command = {.argv = argv};
	struct outcome outcome;

	ck_assert_ptr_null(process_run(rounds.arena, &command, &outcome));
	ck_assert_msg(outcome.started && outcome.status == 0, "%s: %.*s%.*s", argv[0], STR_ARG(outcome.output),
	              STR_ARG(outcome.errors));
}

void rounds_teardown(void)
{
	(void)umount2(rounds.home, MNT_DETACH);
	rounds_run((const char *const[]){"rm", "-rf", rounds.home, NULL});
	arena_free(rounds.arena);
	error_forget_all();
}

void rounds_none(const struct error *error)
{
	struct buf buf = buf_new(rounds.arena);

	error_print(&buf, STR(""), error);
	ck_assert_msg(error == NULL, "%.*s", STR_ARG(buf_str(&buf)));
}

/* --- outputs --- */

/* `machines` machines in half as many rulesets, each with a set of its own and one of a few shared ones. Every round
 * has other contents; each second set and each fifth machine come and go. */
struct output rounds_make(struct arena *to, unsigned round, unsigned machines)
{
	struct output_build build = output_build_new(to);
	struct ruleset *ruleset = NULL;

	for (unsigned i = 0; i < machines; i++) {
		if (i % 5 == round % 5)
			continue;
		struct str set = str_format(to, "set-%u-%u.v4", i / 2, i % 4 < 2 ? 0 : round % 3);

		if (ruleset == NULL || i % 2 == 0) {
			ruleset = output_build_ruleset(&build, str_format(to, "# round %u, machine %u\n", round, i),
			                               str_format(to, "# round %u\n", round % 2 * i),
			                               str_format(to, "%.*s\nshared.v6\n", STR_ARG(set)));
			output_build_set(&build, set, str_format(to, "create %u\nadd %u\n", i / 2, round));
		}
		output_build_machine(&build, str_format(to, "machine-%03u", i), ruleset);
	}
	output_build_set(&build, STR("shared.v6"), str_format(to, "create shared\nadd %u\n", round));
	return output_build_done(&build);
}

struct round {
	struct store *store;
	const struct output *output;
};

static struct error *put_set(void *context, unsigned worker, size_t item)
{
	const struct round *round = context;

	(void)worker;
	return store_put_set(round->store, &round->output->sets[item]);
}

static struct error *put_ruleset(void *context, unsigned worker, size_t item)
{
	const struct round *round = context;

	(void)worker;
	return store_put_ruleset(round->store, round->output->rulesets[item]);
}

static void make_generation(struct arena *to, const struct output *output, struct generation *generation)
{
	static const struct summary summary = {.clock = 1, .machines = 2, .rules = 3};
	struct product product = {.machine_count = output->machine_count, .set_count = output->set_count};

	product.manifest = ARENA_ARRAY(to, struct entry, output->machine_count);
	product.sets = ARENA_ARRAY(to, struct entry, output->set_count);
	for (size_t i = 0; i < output->machine_count; i++)
		product.manifest[i] =
			(struct entry){output->machines[i].ruleset->digest, output->machines[i].machine->name};
	for (size_t i = 0; i < output->set_count; i++)
		product.sets[i] = (struct entry){output->sets[i].digest, output->sets[i].name};
	generation_of(to, &product, &summary, generation);
}

/* What earlier runs left first, as they left it, and some of it in another turn. */
static struct error *collect_in_turns(struct store *store)
{
	struct collector *collector = collector_new();
	struct collected collected = {false, false};
	struct error *error = NULL;

	for (unsigned i = 0; i < ROUNDS_TURNS && error == NULL && !collected.done; i++)
		error = store_collect_some(store, collector, 0, &collected);
	collector_free(collector);
	return error;
}

/* All generations but the last ones go. */
static struct error *collect(struct arena *to, struct store *store)
{
	struct generation_info *all;
	uint64_t keep[ROUNDS_KEPT_MOST];
	size_t count, removed;

	if (rounds.in_turns)
		TRY(collect_in_turns(store));
	TRY(store_generations(to, str_of(rounds.out), &all, &count));
	if (count <= rounds.kept)
		return NULL;
	for (size_t i = 0; i < rounds.kept; i++)
		keep[i] = all[count - rounds.kept + i].number;
	return rounds.in_turns ? store_retire(store, keep, rounds.kept, &removed)
	                       : store_collect(to, store, keep, rounds.kept, &removed);
}

/* As generate does it. */
struct error *rounds_publish_in(struct arena *to, struct store *store, const struct output *output)
{
	struct round round = {store, output};
	struct generation before, now;

	TRY(generation_read(to, str_of(rounds.out), &before));
	make_generation(to, output, &now);
	TRY(parallel_each(rounds.workers, output->set_count, put_set, &round));
	TRY(parallel_each(rounds.workers, output->ruleset_count, put_ruleset, &round));
	if (before.number > 0 && generation_same(&before, &now)) {
		TRY(store_links(to, store, &before));
		return collect(to, store);
	}
	TRY(store_next_number(store, before.number, &now.number));
	TRY(store_publish(to, store, &now));
	TRY(store_links(to, store, &now));
	return collect(to, store);
}

struct error *rounds_publish(unsigned round, unsigned machines)
{
	struct arena *pass = arena_new();
	struct store *store = NULL;
	struct output output = rounds_make(pass, round, machines);
	struct error *error = store_open(pass, str_of(rounds.out), &store);

	if (error == NULL)
		error = rounds_publish_in(pass, store, &output);
	store_close(store);
	arena_free(pass);
	return error;
}

/* --- what must hold at any moment --- */

static void check_ruleset(const struct digest *digest, bool linked)
{
	struct str rules[2], list, line;
	char path[400];
	struct stat status;

	rounds_none(store_read_ruleset(rounds.arena, str_of(rounds.out), digest, rules, &list));
	while (linked && str_cut(&list, '\n', &line))
		if (line.n > 0) {
			snprintf(path, sizeof path, "%s/sets/%.*s", rounds.out, STR_ARG(line));
			ck_assert_msg(stat(path, &status) == 0, "a ruleset that is linked needs %.*s", STR_ARG(line));
		}
}

static void check_set(const struct digest *digest, bool linked)
{
	struct str bytes;

	(void)linked;
	rounds_none(store_read_set(rounds.arena, str_of(rounds.out), digest, &bytes));
}

/* The digest of what a link leads to. */
static struct digest linked_file(const char *link, const char *name)
{
	char path[900], bytes[1 << 16];

	snprintf(path, sizeof path, "%s%s", link, name);
	FILE *file = fopen(path, "re");

	ck_assert_msg(file != NULL, "%s", path);
	size_t n = fread(bytes, 1, sizeof bytes, file);

	ck_assert_msg(n < sizeof bytes, "%s", path);
	fclose(file);
	return digest_of((struct str){bytes, n});
}

static struct digest linked_ruleset(const char *link)
{
	static const char *const files[] = {"rules.v4", "rules.v6", "sets.list"};
	const struct digest digests[] = {linked_file(link, "/rules.v4"), linked_file(link, "/rules.v6"),
	                                 linked_file(link, "/sets.list")};

	return digest_of_sums(files, digests, 3);
}

static struct digest linked_set(const char *link)
{
	return linked_file(link, "");
}

enum { NAME = 32 }; /* digits of the digest that name an object */

/* Every link leads to an object that is what its name says. */
static size_t check_links(const char *folder, struct digest (*read)(const char *link),
                          void (*check)(const struct digest *digest, bool linked))
{
	char path[300], link[600], target[200], hex[65];
	size_t count = 0;

	snprintf(path, sizeof path, "%s/%s", rounds.out, folder);
	DIR *links = opendir(path);

	for (const struct dirent *entry; links != NULL && (entry = readdir(links)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(link, sizeof link, "%s/%s", path, entry->d_name);
		ssize_t n = readlink(link, target, sizeof target);
		struct digest digest = read(link);

		digest_hex(&digest, hex);
		ck_assert_msg(n > NAME && memcmp(target + n - NAME, hex, NAME) == 0, "%s", link);
		check(&digest, true);
		count++;
	}
	if (links != NULL)
		closedir(links);
	return count;
}

struct generation rounds_check_published(void)
{
	struct generation generation;

	rounds_none(generation_read(rounds.arena, str_of(rounds.out), &generation));
	for (size_t i = 0; i < generation.machine_count; i++)
		check_ruleset(&generation.manifest[i].digest, false);
	for (size_t i = 0; i < generation.set_count; i++)
		check_set(&generation.sets[i].digest, false);
	check_links("machines", linked_ruleset, check_ruleset);
	check_links("sets", linked_set, check_set);
	return generation;
}

static size_t found_files;

static int count_file(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)path;
	(void)status;
	(void)walk;
	found_files += flag == FTW_F;
	return 0;
}

size_t rounds_count_files(const char *folder)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", rounds.out, folder);
	found_files = 0;
	ck_assert_int_eq(nftw(path, count_file, 16, FTW_PHYS), 0);
	return found_files;
}

static size_t count_distinct(const struct entry *entries, size_t count)
{
	struct digest *digests;

	return entries_digests(rounds.arena, entries, count, &digests);
}

/* A run that ended well leaves nothing to mend, and nothing that no generation names. */
static void check_mended(const struct generation *generation)
{
	struct generation_info *all;
	size_t count, rulesets, sets;

	ck_assert_uint_eq(check_links("machines", linked_ruleset, check_ruleset), generation->machine_count);
	ck_assert_uint_eq(check_links("sets", linked_set, check_set), generation->set_count);
	ck_assert_uint_eq(rounds_count_files("store/new"), 0);
	rounds_none(store_generations(rounds.arena, str_of(rounds.out), &all, &count));
	if (count > 1)
		return;
	rulesets = count_distinct(generation->manifest, generation->machine_count);
	sets = count_distinct(generation->sets, generation->set_count);
	ck_assert_uint_eq(rounds_count_files("store"), 3 * rulesets + sets);
}

/* By other eyes than ours. */
void rounds_check_with_sha256sum(void)
{
	static const char rest[] = "cd \"$0\" && sed 's#  #  sets/#' current/sets | sha256sum -c --strict --quiet && "
				   "while read -r digest name; do test \"$(cd machines/$name && sha256sum rules.v4 "
				   "rules.v6 sets.list | sha256sum)\" = "
				   "\"$digest  -\" || exit 1; done <current/manifest";

	rounds_run((const char *const[]){"sh", "-c", rest, rounds.out, NULL});
}

void rounds_mend(unsigned round, unsigned machines)
{
	rounds_none(rounds_publish(round, machines));
	struct generation generation = rounds_check_published();

	check_mended(&generation);
}
