/* What a round knows before it makes anything: how bytes are made, what the round before left, what the database says
 * is new, and whether the store is as it was left. Decides whether there is anything to do at all. */
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleetwall/document.h"
#include "fleetwall/embedded.h"
#include "fleetwall/parallel.h"

#include "round.h"

/* Between two rounds in one process, seconds: a notice of a change is no reason to look at every file, and who waits
 * for a change need not wait for the look. Where changes leave no pause, they do after a while. */
enum { LOOK_EVERY = 2, LOOK_LATEST = 15 };
enum { LOOK_PAUSE = 150 }; /* milliseconds without a change */

/* --- templates --- */

struct file_list {
	struct template_file *items;
	size_t count, capacity;
};

static struct error *read_folder(struct round *round, struct str folder, struct file_list *files)
{
	struct arena *arena = round->arena;
	struct dirent *entry;
	DIR *dir = opendir(str_c(arena, folder));
	struct error *error = NULL;

	if (dir == NULL)
		return error_errno("templates %.*s", STR_ARG(folder));
	while (error == NULL && (entry = readdir(dir)) != NULL) {
		struct template_file file = {.name = str_copy(arena, str_of(entry->d_name))};

		if (!str_ends(file.name, STR(".mustache")) || entry->d_name[0] == '.')
			continue;
		error = file_read(arena, str_format(arena, "%.*s/%s", STR_ARG(folder), entry->d_name), &file.text);
		APPEND(arena, files, file);
	}
	closedir(dir);
	return error;
}

static bool has_template(const struct file_list *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (str_is(files->items[i].name, name))
			return true;
	return false;
}

static int file_order(const void *a, const void *b)
{
	return str_cmp(((const struct template_file *)a)->name, ((const struct template_file *)b)->name);
}

/* The administrator's templates, and the built-in ones that they do not replace; by name, so that no order of a folder
 * reaches the digest of them all. */
static struct error *read_templates(struct round *round, struct file_list *files)
{
	struct run *run = round->run;
	struct str folder = run_has(run, "templates") ? run_option(run, "templates") : run->config.templates;

	if (folder.n > 0)
		TRY(read_folder(round, folder, files));
	for (const struct embedded *file = embedded_templates; file->name != NULL; file++)
		if (!has_template(files, file->name))
			APPEND(round->arena, files,
			       ((struct template_file){str_of(file->name), {(const char *)file->data, file->size}}));
	qsort(files->items, files->count, sizeof *files->items, file_order);
	return NULL;
}

struct error *round_look(struct run *run, struct digest *digest)
{
	struct round round = {.run = run, .arena = run->arena};
	struct file_list files = {0};

	TRY(read_templates(&round, &files));
	*digest = rendition_of(STR(""), &run->config.settings, files.items, files.count, NULL, 1).base;
	return NULL;
}

static void warn_of_no_management(struct run *run)
{
	if (run->config.settings.management_count == 0)
		error_collect(&run->warnings, error_hint(error_new(ERROR_GUARD, "no management sources are configured"),
		                                         "in %.*s: management = [ \"ADDRESS\", … ];",
		                                         STR_ARG(run->config.path)));
}

struct error *round_prepare(struct round *round)
{
	struct run *run = round->run;
	struct templates *templates;
	struct file_list files = {0};
	unsigned workers = run->config.threads > 0 ? run->config.threads : parallel_workers();
	struct str program = str_format(round->arena, "fleetwall %s %s", FLEETWALL_VERSION, embedded_build);

	warn_of_no_management(run);
	TRY(read_templates(round, &files));
	TRY(templates_compile(round->arena, files.items, files.count, &templates));
	round->rendition =
		rendition_of(program, &run->config.settings, files.items, files.count, templates, workers);
	return NULL;
}

/* --- the round before --- */

static bool digest_is(const struct digest *digest, struct str hex)
{
	struct digest other;

	return digest_parse(hex, &other) && digest_eq(digest, &other);
}

/* Does the database know this generation? One that was set back, or made anew, does not. */
static struct error *ask_recorded_digest(struct round *round, uint64_t generation, const struct digest *digest,
                                         bool *recorded)
{
	struct str number = str_format(round->arena, "%llu", (unsigned long long)generation);
	struct db_rows rows;

	TRY(db_query(round->arena, round->run->db, db_sql("generation-digest"), &number, 1, &rows));
	*recorded = rows.count == 1 && digest_is(digest, db_cell(&rows, 0, 0));
	return NULL;
}

/* The same of the one that the head speaks of, of which the news may tell. */
static struct error *is_recorded(struct round *round, bool *recorded)
{
	if (round->news.generation != round->head.number)
		return ask_recorded_digest(round, round->head.number, &round->head.digest, recorded);
	*recorded = digest_is(&round->head.digest, round->news.digest);
	return NULL;
}

static void find_head(struct round *round)
{
	if (round->options->full)
		return;
	if (round->before != NULL) {
		round->head = round->before->head;
		round->has_head = true;
	} else {
		round->has_head = cache_read_head(round->arena, round->run->config.output, &round->head);
	}
	/* Something else was published since, or bytes are made another way, or somebody was at the generation's files.
	 */
	if (round->has_head &&
	    (round->head.number != store_current(round->run->config.output) ||
	     !digest_eq(&round->head.base, &round->rendition.base) ||
	     !store_generation_whole(round->run->config.output, round->head.number, &round->head.mark)))
		round->has_head = false;
}

struct error *round_check_head(struct round *round)
{
	bool recorded = false;

	if (!round->has_head)
		return NULL;
	TRY(is_recorded(round, &recorded));
	round->has_head = recorded && str_eq(round->head.identity,
	                                     round_identity(round->arena, &round->news, round->news.seen));
	return NULL;
}

static struct error *ask_database(struct round *round)
{
	struct str since = round->has_head ? round->head.snapshot : STR("");

	if (round->run->db == NULL)
		TRY(run_connect(round->run));
	TRY(db_begin(round->run->db, DB_SNAPSHOT));
	TRY(inventory_news(round->arena, round->run->db, since, &round->news));
	return round_check_head(round);
}

static struct error *find_changes(struct round *round)
{
	const struct cache_head *head = &round->head;

	return inventory_find_changes(round->arena, round->run->db, head->snapshot, head->machines, &round->changes);
}

/* What was fetched lives as long as the round: it is for one that is the last of its process. */
static struct error *find_and_fetch(struct round *round)
{
	TRY(find_changes(round));
	return round->producer != NULL ? NULL : inventory_fetch_found(round->arena, round->run->db, round->changes);
}

/* What changed does not depend on what was, or on what the look finds: neither need be waited for. */
static struct error *ask_and_fetch(struct round *round)
{
	TRY(ask_database(round));
	if (!round->has_head || round->before != NULL || !round->news.changed)
		return NULL;
	atomic_store(&round->reading, true);
	return find_and_fetch(round);
}

static void read_before(struct round *round);
static void read_published(struct round *round);

/* What it takes to go on from what is published, where that is known to be necessary; by whoever has time. */
static void read_files(struct round *round)
{
	static void (*const pieces[])(struct round *) = {read_before, read_published};
	size_t i;

	while (atomic_load(&round->reading) &&
	       (i = atomic_fetch_add(&round->pieces_begun, 1)) < sizeof pieces / sizeof *pieces)
		pieces[i](round);
}

static const struct timespec *look_since(const struct round *round)
{
	return round->before != NULL ? &round->before->seen : &round->head.mark;
}

static struct error *look(struct round *round)
{
	const struct cache_head *head = &round->head;

	return store_look(round->looks, round->run->config.output, look_since(round), round->rendition.workers,
	                  head->rulesets, head->ruleset_count, head->sets, head->set_count, &round->faults);
}

struct looking {
	struct round *round;
	struct look *look;
	unsigned others; /* threads that do nothing else */
};

static struct error *look_on(void *context, unsigned worker, size_t item)
{
	const struct looking *looking = context;

	(void)item;
	store_look_on(looking->look, 1 + worker);
	read_files(looking->round);
	return NULL;
}

static struct error *look_meanwhile(void *context)
{
	const struct looking *looking = context;

	return parallel_each(looking->others, looking->others, look_on, context);
}

static struct error *ask_and_help(void *context)
{
	const struct looking *looking = context;

	TRY(ask_and_fetch(looking->round));
	store_look_on(looking->look, 0);
	read_files(looking->round);
	return NULL;
}

/* The database's process and this one take turns with one processor, and the others are for the look and for what is
 * read: where these had them all, each answer would wait for them. With the last answer they get this one as well. */
static struct error *ask_while_looking(struct round *round)
{
	const struct cache_head *head = &round->head;
	unsigned workers = round->rendition.workers < PARALLEL_MOST ? round->rendition.workers : PARALLEL_MOST;
	struct looking looking = {.round = round, .others = workers > 1 ? workers - 1 : 1};

	TRY(store_look_begin(round->looks, round->run->config.output, look_since(round), head->rulesets,
	                     head->ruleset_count, head->sets, head->set_count, &looking.look));
	struct error *error = parallel_both(ask_and_help, &looking, look_meanwhile, &looking);

	store_look_end(looking.look, &round->faults);
	return error;
}

/* Seconds since the last one. */
static int64_t look_age(const struct resident *resident)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)(now.tv_sec - resident->looked.tv_sec);
}

uint64_t resident_look_due(const struct resident *resident)
{
	int64_t age;

	if (resident == NULL || memcmp(&resident->seen, &resident->head.mark, sizeof resident->seen) == 0)
		return UINT64_MAX;
	age = look_age(resident);
	return age >= LOOK_EVERY ? LOOK_PAUSE : (uint64_t)(LOOK_EVERY - age) * 1000;
}

static struct error *ask_and_look(struct round *round)
{
	const struct resident *before = round->before;

	round->looks = arena_new();
	round->looked = round->has_head && (before == NULL || look_age(before) >= LOOK_LATEST);
	if (round->looked)
		return ask_while_looking(round);
	TRY(ask_database(round));
	round->looked = round->has_head && !round->news.changed && look_age(before) >= LOOK_EVERY;
	return round->looked ? look(round) : NULL;
}

struct error *round_ask(struct round *round)
{
	find_head(round);
	TRY(ask_and_look(round));
	/* Links are looked at by every round, because each goes by what the one before left of them. */
	if (round->has_head)
		round->faults.links = !store_links_alone(round->run->config.output, &round->head.mark);
	return NULL;
}

/* Did a rule begin or end to count since? */
static bool has_passed(const struct round *round)
{
	return round->head.next_edge != TIME_NONE && round->news.clock >= round->head.next_edge;
}

bool round_may_differ(const struct round *round)
{
	return !round->has_head || round->news.changed || has_passed(round) ||
	       round->faults.ruleset_count > 0 || round->faults.set_count > 0 || round->faults.links;
}

/* --- loading --- */

static void read_before(struct round *round)
{
	struct str packed;
	struct resident *before = resident_new();

	if (cache_read_model(before->fleets, round->run->config.output, &round->head, &packed,
	                     &before->knowledge) &&
	    fleet_unpack(before->fleets, packed, &before->fleet)) {
		round->before = before;
		round->own_before = true;
	} else {
		resident_free(before);
		round->has_head = false;
	}
}

static size_t without(const struct known *known, size_t count, const struct digest *gone, size_t gone_count,
                      struct known *kept)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (!digests_have(gone, gone_count, &known[i].value))
			kept[n++] = known[i];
	return n;
}

/* What is damaged is not known: it is rendered again. */
static void know(struct round *round)
{
	const struct knowledge *before = &round->before->knowledge;
	const struct store_faults *faults = &round->faults;

	round->known = *before;
	round->has_known = true;
	if (faults->ruleset_count == 0 && faults->set_count == 0)
		return;
	round->known.rulesets = ARENA_ARRAY(round->arena, struct known, before->ruleset_count);
	round->known.ruleset_count = without(before->rulesets, before->ruleset_count, faults->rulesets,
	                                     faults->ruleset_count, round->known.rulesets);
	round->known.sets = ARENA_ARRAY(round->arena, struct known, before->set_count);
	round->known.set_count =
		without(before->sets, before->set_count, faults->sets, faults->set_count, round->known.sets);
}

/* Where the list of machines may go: what it lay in two rounds ago; NULL: in place of the one that was read. */
static struct arena *free_list(const struct round *round)
{
	struct resident *before = round->before;

	if (round->own_before && round->producer == NULL)
		return NULL;
	arena_free(before->lists[1]);
	return before->lists[1] = arena_new();
}

static struct error *load_found(struct round *round)
{
	struct db *db = round->run->db;

	if (!round->has_head)
		return inventory_load(round->next_resident->fleets, db, &round->fleet);
	if (round->changes != NULL)
		return inventory_load_found(round->before->fleets, free_list(round), db, round->changes,
		                            &round->before->fleet, &round->fleet, &round->touched);
	round->fleet = round->before->fleet;
	round->fleet.clock = round->news.clock;
	return NULL;
}

static struct error *load(void *context)
{
	struct round *round = context;

	if (round->has_head && round->before == NULL)
		read_before(round);
	if (round->has_head && round->news.changed && round->changes == NULL)
		TRY(find_changes(round));
	return load_found(round);
}

/* --- what is published --- */

/* Counts are in a file of their own. Generations share files of lists, so that all may be damaged at once. */
static void read_counts(struct round *round, uint64_t newest)
{
	struct generation *published = &round->published;
	uint64_t current = store_current(round->run->config.output), number = current > 0 ? current : newest;
	struct summary summary;

	if (number == 0 ||
	    generation_read_summary(round->last, round->run->config.output, number, &summary) != NULL)
		return;
	published->summary = summary;
	if (published->number == 0)
		published->number = number;
}

/* Where no file tells any more, the database does: how many machines there were. */
static void ask_recorded(struct round *round)
{
	struct db_rows rows;
	uint64_t machines;

	if (db_query(round->arena, round->run->db, db_sql("generation-machines"), NULL, 0, &rows) == NULL &&
	    rows.count == 1 && str_number(db_cell(&rows, 0, 0), SIZE_MAX / 100, &machines))
		round->recorded = (size_t)machines;
}

/* The newest generation that can still be read: the guards compare with something, even when the published one was
 * damaged. */
static void read_older(struct round *round, struct error *damage)
{
	struct generation_info *all;
	size_t count;
	struct error *error = store_generations(round->arena, round->run->config.output, &all, &count);
	bool found = false;

	round->readable = false;
	for (size_t i = error == NULL ? count : 0; i > 0 && !found; i--)
		found = generation_read_number(round->arena, round->run->config.output, all[i - 1].number,
		                               &round->published) == NULL;
	if (!found)
		round->published = (struct generation){0};
	read_counts(round, error == NULL && count > 0 ? all[count - 1].number : 0);
	if (round->published.number == 0)
		ask_recorded(round);
	error_collect(&round->run->warnings, error_hint(damage, "everything is written anew, as another generation"));
}

static struct error *is_gone(struct round *round)
{
	struct generation_info *all;
	size_t count;
	struct error *error = store_generations(round->last, round->run->config.output, &all, &count);

	/* An output folder that is not there yet has none. */
	if (error != NULL || count == 0)
		return NULL;
	return error_new(ERROR_SURROUNDINGS, "output folder %.*s: the link current is gone",
	                 STR_ARG(round->run->config.output));
}

/* Memory of its own: it is read while the fleet is loaded. */
static void read_published(struct round *round)
{
	round->damage = generation_read(round->last, round->run->config.output, &round->published);
	if (round->damage == NULL && round->published.number == 0)
		round->damage = is_gone(round);
}

struct error *round_is_published(struct round *round, bool *is)
{
	const struct generation *published = &round->published;

	*is = round->readable && published->number > 0 && generation_same(published, &round->next);
	/* Of the one that the head speaks of, the database was asked before. */
	if (!*is || round->has_head)
		return NULL;
	TRY(ask_recorded_digest(round, published->number, &published->digest, is));
	if (!*is)
		error_collect(&round->run->warnings,
		              error_hint(error_new(ERROR_SURROUNDINGS,
		                                   "the database does not know generation %llu, which is published",
		                                   (unsigned long long)published->number),
		                         "it is never pushed; what it says gets a number that the database knows"));
	return NULL;
}

void round_read_published(struct round *round)
{
	round->readable = true;
	read_published(round);
	if (round->damage != NULL)
		read_older(round, round->damage);
}

static struct error *read_beside(void *context)
{
	read_published(context);
	return NULL;
}

/* A round after another one knows what is published. Otherwise that and the fleet come from different places, and are
 * read at the same time, if they were not while the store was looked at. */
struct error *round_load(struct round *round)
{
	round->readable = true;
	if (round->before != NULL && !round->own_before && round->has_head) {
		round->published = round->before->published;
		TRY(load(round));
	} else if (atomic_load(&round->reading)) {
		TRY(load_found(round));
	} else {
		TRY(parallel_both(load, round, read_beside, round));
	}
	if (round->has_head)
		know(round);
	TRY(db_commit(round->run->db));
	if (round->damage != NULL)
		read_older(round, round->damage);
	return NULL;
}
