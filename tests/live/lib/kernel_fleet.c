/* From the text of a fleet to its rulesets, by the way that the program goes, without the database in between. Faults
 * end the test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/embedded.h"
#include "kernel.h"

static void must(struct arena *arena, struct error *error)
{
	struct buf text = buf_new(arena);

	if (error == NULL)
		return;
	error_print(&text, STR("error: "), error);
	die("%.*s", STR_ARG(buf_str(&text)));
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	if (prefix_parse(str_of(text), &prefix) != PREFIX_OK)
		die("bad prefix %s", text);
	return prefix;
}

struct settings trial_settings(struct arena *arena)
{
	struct settings settings = settings_default();

	settings.management = ARENA_ARRAY(arena, struct prefix, 3);
	settings.management[settings.management_count++] = prefix_of("192.0.2.200/29");
	settings.management[settings.management_count++] = prefix_of("198.51.100.250");
	settings.management[settings.management_count++] = prefix_of("2001:db8:6:ff::/64");
	return settings;
}

static struct templates *built_in_templates(struct arena *arena)
{
	struct {
		struct template_file *items;
		size_t count, capacity;
	} files = {0};
	struct templates *templates;

	for (const struct embedded *file = embedded_templates; file->name != NULL; file++)
		APPEND(arena, &files,
		       ((struct template_file){str_of(file->name), {(const char *)file->data, file->size}}));
	must(arena, templates_compile(arena, files.items, files.count, &templates));
	return templates;
}

static void trial_make(struct trial *trial)
{
	trial->resolved = resolve(trial->arena, &trial->fleet);
	must(trial->arena, rulesets_make(trial->arena, trial->resolved, &trial->settings,
	                                 built_in_templates(trial->arena), &trial->output));
	trial->explainer = explainer_new(trial->arena, trial->resolved, &trial->settings);
}

struct trial *trial_of_text(struct arena *arena, const char *name, struct str text, struct settings settings)
{
	struct trial *trial = ARENA_NEW(arena, struct trial);
	struct error *warnings = NULL;

	*trial = (struct trial){.arena = arena, .settings = settings};
	must(arena, document_read(arena, str_of(name), text, &trial->fleet, &warnings));
	trial->fleet.clock = time(NULL);
	trial_make(trial);
	return trial;
}

struct trial *trial_of_document(struct arena *arena, const char *path, struct settings settings)
{
	struct str text;

	must(arena, file_read(arena, str_of(path), &text));
	return trial_of_text(arena, path, text, settings);
}

struct trial *trial_of_csv(struct arena *arena, const char *folder, struct settings settings)
{
	struct trial *trial = ARENA_NEW(arena, struct trial);
	struct error *warnings = NULL;
	struct csv_file *files;
	size_t count;

	*trial = (struct trial){.arena = arena, .settings = settings};
	must(arena, csv_folder_read(arena, str_of(folder), &files, &count, &warnings));
	must(arena, csv_read(arena, files, count, &trial->fleet, &warnings));
	trial->fleet.clock = time(NULL);
	trial_make(trial);
	return trial;
}

struct trial *trial_of_fleet(struct arena *arena, const struct fleet *fleet, struct settings settings)
{
	struct trial *trial = ARENA_NEW(arena, struct trial);

	*trial = (struct trial){.arena = arena, .settings = settings, .fleet = *fleet};
	trial->fleet.clock = time(NULL);
	trial_make(trial);
	return trial;
}

static int by_name(const void *key, const void *element)
{
	return str_cmp(*(const struct str *)key, ((const struct machine_ruleset *)element)->machine->name);
}

const struct ruleset *trial_ruleset(const struct trial *trial, const struct machine *machine)
{
	const struct machine_ruleset *found =
		bsearch(&machine->name, trial->output.machines, trial->output.machine_count,
	                sizeof *trial->output.machines, by_name);

	return found != NULL ? found->ruleset : NULL;
}

const struct ruleset *trial_ruleset_of(const struct trial *trial, const char *machine)
{
	const struct machine *found = fleet_machine(&trial->fleet, str_of(machine));
	const struct ruleset *ruleset = found != NULL ? trial_ruleset(trial, found) : NULL;

	if (ruleset == NULL)
		die("machine %s has no ruleset", machine);
	return ruleset;
}

/* --- interfaces --- */

struct names_list {
	struct str *items;
	size_t count, capacity;
};

/* dev_valid_name() of the kernel takes no colon, and 15 bytes. */
static void add_interface(struct arena *arena, struct names_list *list, struct str name)
{
	if (name.n == 0 || name.n > 15 || str_find(name, ':') < name.n || str_is(name, "lo") || str_is(name, ".") ||
	    str_is(name, ".."))
		return;
	for (size_t i = 0; i < list->count; i++)
		if (str_eq(list->items[i], name))
			return;
	APPEND(arena, list, name);
}

size_t trial_interfaces(struct arena *arena, const struct fleet *fleet, struct str **interfaces)
{
	struct names_list list = {0};

	add_interface(arena, &list, STR("~none"));
	for (size_t i = 0; i < fleet->role_count; i++) {
		for (size_t j = 0; j < fleet->roles[i].rule_count; j++) {
			struct str name = fleet->roles[i].rules[j].rule.interface;
			if (name.n == 0)
				continue;
			if (name.p[name.n - 1] == '+')
				name.n--;
			add_interface(arena, &list, name);
			add_interface(arena, &list, str_format(arena, "%.*s7", STR_ARG(name)));
		}
	}
	*interfaces = list.items;
	return list.count;
}
