/* The configuration file (libconfig) and the defaults. Whatever is unknown or of the wrong type is refused, with its
 * place. */
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/document.h"

#include "cli.h"

struct reader {
	struct arena *arena;
	struct str file;
	struct config *config;
	struct error *errors;
};

enum setting_kind {
	SETTING_TEXT,
	SETTING_PATH,
	SETTING_NUMBER,
	SETTING_SWITCH,
	SETTING_PREFIXES,
	SETTING_USER,      /* a login name */
	SETTING_CHOICE,    /* the index of one of the words */
	SETTING_ARGUMENTS, /* a program's, each a string of its own */
	SETTING_PATHS,     /* one, or a list of them */
	SETTING_GROUP,
};

/* One setting: where it goes is an offset into struct config. */
struct setting_entry {
	const char *name;
	enum setting_kind kind;
	size_t offset;
	unsigned least, most; /* of a number */
	const struct setting_entry *group;
	const char *const *words;
};

#define AT(member) offsetof(struct config, member)

static const struct setting_entry housekeeping_settings[] = {
	{"loopback", SETTING_SWITCH, AT(settings.loopback), 0, 0, NULL, NULL},
	{"icmp_errors", SETTING_SWITCH, AT(settings.icmp_errors), 0, 0, NULL, NULL},
	{"established", SETTING_SWITCH, AT(settings.established), 0, 0, NULL, NULL},
	{"neighbour_discovery", SETTING_SWITCH, AT(settings.neighbour_discovery), 0, 0, NULL, NULL},
	{"drop_invalid", SETTING_SWITCH, AT(settings.drop_invalid), 0, 0, NULL, NULL},
	{"dhcp", SETTING_SWITCH, AT(settings.dhcp), 0, 0, NULL, NULL},
	{NULL, SETTING_TEXT, 0, 0, 0, NULL, NULL},
};

static const struct setting_entry guard_settings[] = {
	{"machines_fall", SETTING_NUMBER, AT(shares.machines_fall), 0, 100, NULL, NULL},
	{"members_fall", SETTING_NUMBER, AT(shares.members_fall), 0, 100, NULL, NULL},
	{"rules_change", SETTING_NUMBER, AT(shares.rules_change), 0, 100000, NULL, NULL},
	{NULL, SETTING_TEXT, 0, 0, 0, NULL, NULL},
};

static const char *const transports[] = {[TRANSPORT_SSH] = "ssh", [TRANSPORT_SCP] = "scp", NULL};
static const char *const nightly_pushes[] = {
	[NIGHTLY_PUSH_ON] = "on", [NIGHTLY_PUSH_APPROVED] = "approved", [NIGHTLY_PUSH_OFF] = "off", NULL};

static const struct setting_entry push_entries[] = {
	{"user", SETTING_USER, AT(push.user), 0, 0, NULL, NULL},
	{"parallel", SETTING_NUMBER, AT(push.parallel), 1, 1000, NULL, NULL},
	{"deadline", SETTING_NUMBER, AT(push.deadline), 10, 3600, NULL, NULL},
	{"connect_timeout", SETTING_NUMBER, AT(push.connect), 1, 600, NULL, NULL},
	{"step_timeout", SETTING_NUMBER, AT(push.step), 5, 3600, NULL, NULL},
	{"retries", SETTING_NUMBER, AT(push.retries), 0, 20, NULL, NULL},
	{"max_failures", SETTING_NUMBER, AT(push.max_failures), 0, 1000000, NULL, NULL},
	{"probe_timeout", SETTING_NUMBER, AT(push.probe_wait), 1, 60, NULL, NULL},
	{"drift_sample", SETTING_NUMBER, AT(drift_sample), 0, 100000, NULL, NULL},
	{"ssh_options", SETTING_ARGUMENTS, AT(push.ssh_options), 0, 0, NULL, NULL},
	{"apply", SETTING_ARGUMENTS, AT(push.apply), 1, 0, NULL, NULL},
	{"confirm", SETTING_ARGUMENTS, AT(push.confirm), 1, 0, NULL, NULL},
	{"copy", SETTING_ARGUMENTS, AT(push.copy), 1, 0, NULL, NULL},
	{"call", SETTING_ARGUMENTS, AT(push.call), 1, 0, NULL, NULL},
	{NULL, SETTING_TEXT, 0, 0, 0, NULL, NULL},
};

static const struct setting_entry all_settings[] = {
	{"database", SETTING_TEXT, AT(database), 0, 0, NULL, NULL},
	{"state", SETTING_PATH, AT(state), 0, 0, NULL, NULL},
	{"output", SETTING_PATH, AT(output), 0, 0, NULL, NULL},
	{"templates", SETTING_PATH, AT(templates), 0, 0, NULL, NULL},
	{"management", SETTING_PREFIXES, 0, 0, 0, NULL, NULL},
	{"ssh_port", SETTING_NUMBER, AT(settings.ssh_port), 1, 65535, NULL, NULL},
	{"log_rate", SETTING_NUMBER, AT(settings.log_rate), 0, 1000, NULL, NULL},
	{"threads", SETTING_NUMBER, AT(threads), 0, 16, NULL, NULL},
	{"keep_generations", SETTING_NUMBER, AT(keep_generations), 1, 1000000, NULL, NULL},
	{"keep_days", SETTING_NUMBER, AT(keep_days), 0, 100000, NULL, NULL},
	{"assertions", SETTING_PATHS, AT(assertions), 0, 0, NULL, NULL},
	{"housekeeping", SETTING_GROUP, 0, 0, 0, housekeeping_settings, NULL},
	{"guard", SETTING_GROUP, 0, 0, 0, guard_settings, NULL},
	{"transport", SETTING_CHOICE, AT(transport), 0, 0, NULL, transports},
	{"nightly_push", SETTING_CHOICE, AT(nightly_push), 0, 0, NULL, nightly_pushes},
	{"push", SETTING_GROUP, 0, 0, 0, push_entries, NULL},
	{NULL, SETTING_TEXT, 0, 0, 0, NULL, NULL},
};

static struct place place_of(const struct reader *reader, const config_setting_t *setting)
{
	return (struct place){.file = reader->file, .line = config_setting_source_line(setting)};
}

static void wrong(struct reader *reader, const config_setting_t *setting, struct error *error)
{
	error_collect(&reader->errors, error_at(error, place_of(reader, setting)));
}

/* "push.parallel". */
static const char *full_name(const struct reader *reader, const config_setting_t *setting)
{
	const config_setting_t *group = config_setting_parent(setting);
	const char *name = config_setting_name(setting);

	if (group == NULL || config_setting_is_root(group) || config_setting_name(group) == NULL)
		return name;
	return str_c(reader->arena, str_format(reader->arena, "%s.%s", config_setting_name(group), name));
}

static void wrong_type(struct reader *reader, const config_setting_t *setting, const char *wanted)
{
	wrong(reader, setting,
	      error_new(ERROR_INPUT, "setting %s must be %s", full_name(reader, setting), wanted));
}

static void read_text(struct reader *reader, const config_setting_t *setting, bool path, struct str *target)
{
	struct str text;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		wrong_type(reader, setting, "a string");
		return;
	}
	text = str_of(config_setting_get_string(setting));
	if (path && text.n > 0 && text.p[0] != '/')
		wrong(reader, setting,
		      error_hint(error_new(ERROR_INPUT, "setting %s must be an absolute path",
		                           config_setting_name(setting)),
		                 "cron and people start fleetwall in different folders"));
	else
		*target = str_copy(reader->arena, text);
}

/* It becomes an argument of ssh: nothing that could be an option, or more than a name. */
static void read_user(struct reader *reader, const config_setting_t *setting, struct str *target)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const char *text = config_setting_get_string(setting);

	if (text == NULL || text[0] == '\0' || text[0] == '-' || text[strspn(text, allowed)] != '\0')
		wrong_type(reader, setting, "a login name, as a string");
	else
		*target = str_copy(reader->arena, str_of(text));
}

static void read_number(struct reader *reader, const config_setting_t *setting, const struct setting_entry *entry,
                        unsigned *target)
{
	long long number;

	if (config_setting_type(setting) != CONFIG_TYPE_INT && config_setting_type(setting) != CONFIG_TYPE_INT64) {
		wrong_type(reader, setting,
		           str_c(reader->arena, str_format(reader->arena, "a number from %u to %u", entry->least,
		                                           entry->most)));
		return;
	}
	number = config_setting_get_int64(setting);
	if (number < entry->least || number > entry->most)
		wrong(reader, setting,
		      error_new(ERROR_INPUT, "setting %s must be from %u to %u", full_name(reader, setting),
		                entry->least, entry->most));
	else
		*target = (unsigned)number;
}

static void read_switch(struct reader *reader, const config_setting_t *setting, bool *target)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		wrong_type(reader, setting, "true or false");
	else
		*target = config_setting_get_bool(setting) != 0;
}

static int prefix_order(const void *a, const void *b)
{
	return range_cmp(prefix_range(*(const struct prefix *)a), prefix_range(*(const struct prefix *)b));
}

static bool read_prefix(struct reader *reader, const config_setting_t *element, struct prefix *prefix)
{
	const char *text = config_setting_get_string(element);

	if (text == NULL) {
		wrong(reader, element,
		      error_new(ERROR_INPUT, "setting management holds addresses and prefixes as strings"));
		return false;
	}
	switch (prefix_parse(str_of(text), prefix)) {
	case PREFIX_OK:
		return true;
	case PREFIX_BAD:
		wrong(reader, element,
		      error_hint(error_new(ERROR_INPUT, "setting management: \"%s\" is no address and no prefix", text),
		                 "names are not looked up; write 192.0.2.10 or 2001:db8::/48"));
		return false;
	case PREFIX_HOST_BITS:
		wrong(reader, element,
		      error_hint(error_new(ERROR_INPUT, "setting management: \"%s\" has host bits set", text),
		                 "the prefix is %.*s", STR_ARG(prefix_str(reader->arena, *prefix))));
		return false;
	}
	return false;
}

static void read_prefixes(struct reader *reader, const config_setting_t *setting)
{
	struct settings *settings = &reader->config->settings;
	int count = config_setting_length(setting);
	struct prefix *list = ARENA_ARRAY(reader->arena, struct prefix, (size_t)count + 1);
	size_t used = 0, unique = 0;

	if (!config_setting_is_array(setting) && !config_setting_is_list(setting)) {
		wrong_type(reader, setting, "a list: [ \"192.0.2.10\", \"2001:db8::/48\" ]");
		return;
	}
	for (int i = 0; i < count; i++)
		if (read_prefix(reader, config_setting_get_elem(setting, (unsigned)i), &list[used]))
			used++;
	qsort(list, used, sizeof *list, prefix_order);
	for (size_t i = 0; i < used; i++)
		if (unique == 0 || prefix_order(&list[unique - 1], &list[i]) != 0)
			list[unique++] = list[i];
	settings->management = list;
	settings->management_count = unique;
}

static void read_choice(struct reader *reader, const config_setting_t *setting, const struct setting_entry *entry,
                        unsigned *target)
{
	const char *text = config_setting_get_string(setting);
	struct buf words = buf_new(reader->arena);

	for (unsigned i = 0; entry->words[i] != NULL; i++) {
		if (text != NULL && strcmp(text, entry->words[i]) == 0) {
			*target = i;
			return;
		}
		buf_format(&words, "%s\"%s\"",
		           i == 0                        ? ""
		           : entry->words[i + 1] != NULL ? ", "
		                                         : " or ",
		           entry->words[i]);
	}
	wrong_type(reader, setting, str_c(reader->arena, buf_str(&words)));
}

/* What is given to a program as it stands; an entry with `least` needs at least the program. */
static void read_arguments(struct reader *reader, const config_setting_t *setting, const struct setting_entry *entry,
                           struct hook *target)
{
	int count = config_setting_length(setting);
	struct hook hook = {.count = (size_t)count};

	if ((!config_setting_is_array(setting) && !config_setting_is_list(setting)) || (size_t)count < entry->least) {
		wrong_type(reader, setting, "a list of strings: [ \"program\", \"argument\" ]");
		return;
	}
	hook.arguments = ARENA_ARRAY(reader->arena, struct str, hook.count + 1);
	for (int i = 0; i < count; i++) {
		const char *text = config_setting_get_string_elem(setting, i);

		if (text == NULL) {
			wrong_type(reader, setting, "a list of strings: [ \"program\", \"argument\" ]");
			return;
		}
		hook.arguments[i] = str_copy(reader->arena, str_of(text));
	}
	if (entry->least > 0 && hook.arguments[0].n == 0) {
		wrong_type(reader, setting, "a list that begins with the program: [ \"program\", \"argument\" ]");
		return;
	}
	*target = hook;
}

static void read_paths(struct reader *reader, const config_setting_t *setting, struct hook *target)
{
	bool list = config_setting_is_array(setting) || config_setting_is_list(setting);
	struct hook paths = {.count = list ? (size_t)config_setting_length(setting) : 1};

	paths.arguments = ARENA_ARRAY(reader->arena, struct str, paths.count + 1);
	for (size_t i = 0; i < paths.count; i++) {
		const char *text = list ? config_setting_get_string_elem(setting, (int)i)
		                        : config_setting_get_string(setting);

		if (text == NULL || text[0] != '/') {
			wrong_type(reader, setting, "an absolute path, or a list of them");
			return;
		}
		paths.arguments[i] = str_copy(reader->arena, str_of(text));
	}
	*target = paths;
}

static void read_group(struct reader *reader, const config_setting_t *group, const struct setting_entry *entries);

static void read_setting(struct reader *reader, const config_setting_t *setting, const struct setting_entry *entry)
{
	char *target = (char *)reader->config + entry->offset;

	switch (entry->kind) {
	case SETTING_TEXT:
	case SETTING_PATH:
		read_text(reader, setting, entry->kind == SETTING_PATH, (struct str *)(void *)target);
		return;
	case SETTING_NUMBER:
		read_number(reader, setting, entry, (unsigned *)(void *)target);
		return;
	case SETTING_SWITCH:
		read_switch(reader, setting, (bool *)target);
		return;
	case SETTING_PREFIXES:
		read_prefixes(reader, setting);
		return;
	case SETTING_USER:
		read_user(reader, setting, (struct str *)(void *)target);
		return;
	case SETTING_CHOICE:
		read_choice(reader, setting, entry, (unsigned *)(void *)target);
		return;
	case SETTING_ARGUMENTS:
		read_arguments(reader, setting, entry, (struct hook *)(void *)target);
		return;
	case SETTING_PATHS:
		read_paths(reader, setting, (struct hook *)(void *)target);
		return;
	case SETTING_GROUP:
		if (config_setting_is_group(setting))
			read_group(reader, setting, entry->group);
		else
			wrong_type(reader, setting, "a group: { … }");
		return;
	}
}

/* Where there is a setting of this name, with what it may be; nothing if there is none. */
static struct str other_place(const struct reader *reader, struct str name)
{
	for (const struct setting_entry *group = all_settings; group->name != NULL; group++) {
		if (str_is(name, group->name))
			return str_format(reader->arena, "%s, in no group", group->name);
		for (const struct setting_entry *entry = group->group; entry != NULL && entry->name != NULL; entry++) {
			struct str range = STR("");

			if (!str_is(name, entry->name))
				continue;
			if (entry->kind == SETTING_NUMBER)
				range = str_format(reader->arena, ", a number from %u to %u", entry->least,
				                   entry->most);
			return str_format(reader->arena, "%s.%s%.*s: %s = { %s = ... }", group->name, entry->name,
			                  STR_ARG(range), group->name, entry->name);
		}
	}
	return STR("");
}

static void unknown(struct reader *reader, const config_setting_t *setting, const struct setting_entry *entries)
{
	struct str names[32], near;
	size_t count = 0;
	struct error *error = error_new(ERROR_INPUT, "there is no setting %s", full_name(reader, setting));
	struct str elsewhere = STR("");

	for (; entries->name != NULL; entries++)
		names[count++] = str_of(entries->name);
	near = str_nearest(str_of(config_setting_name(setting)), names, count);
	elsewhere = other_place(reader, str_of(config_setting_name(setting)));
	if (elsewhere.n > 0)
		error = error_hint(error, "it is %.*s", STR_ARG(elsewhere));
	else if (near.n > 0)
		error = error_hint(error, "did you mean %.*s?", STR_ARG(near));
	wrong(reader, setting, error);
}

static void read_group(struct reader *reader, const config_setting_t *group, const struct setting_entry *entries)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const struct setting_entry *entry = entries;

		while (entry->name != NULL && strcmp(entry->name, config_setting_name(setting)) != 0)
			entry++;
		if (entry->name != NULL)
			read_setting(reader, setting, entry);
		else
			unknown(reader, setting, entries);
	}
}

/* libconfig knows the line, and our lexer of documents what is wrong with it. */
static struct error *misspelled(struct str path, struct str text, const config_t *parsed)
{
	struct error *error = document_form(path, text);

	if (error != NULL)
		return error;
	return error_at(error_new(ERROR_INPUT, "%s", config_error_text(parsed)),
	                (struct place){.file = path, .line = (unsigned)config_error_line(parsed)});
}

struct error *config_load(struct arena *arena, struct str path, struct config *config)
{
	struct reader reader = {.arena = arena, .file = path, .config = config};
	struct str text;
	config_t parsed;

	TRY(file_text(arena, path, &text));
	config_init(&parsed);
	if (config_read_string(&parsed, str_c(arena, text)) == CONFIG_TRUE)
		read_group(&reader, config_root_setting(&parsed), all_settings);
	else
		reader.errors = misspelled(path, text, &parsed);
	config_destroy(&parsed);
	return reader.errors;
}

/* STATE: /var/lib/fleetwall for root, by the XDG base directory specification for others. */
struct error *config_default(struct arena *arena, struct config *config)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	*config = (struct config){
		.settings = settings_default(),
		.shares = {.machines_fall = 30, .members_fall = 50, .rules_change = 50},
		.keep_generations = 50,
		.keep_days = 90,
		.push = {.user = STR("root"),
	                 .parallel = 20,
	                 .deadline = 60,
	                 .connect = 10,
	                 .step = 120,
	                 .retries = 3,
	                 .max_failures = 3,
	                 .probe_wait = 3},
		.drift_sample = 10,
	};
	if (geteuid() == 0)
		config->state = STR("/var/lib/fleetwall");
	else if (xdg != NULL && xdg[0] == '/')
		config->state = str_format(arena, "%s/fleetwall", xdg);
	else if (home != NULL && home[0] == '/')
		config->state = str_format(arena, "%s/.local/state/fleetwall", home);
	else
		return error_hint(error_new(ERROR_SURROUNDINGS, "there is no HOME to keep the state in"),
		                  "give --state DIR");
	return NULL;
}

/* What a push needs and other settings say. */
static void push_from_the_rest(struct config *config)
{
	config->push.output = config->output;
	config->push.scp = config->transport == TRANSPORT_SCP;
	config->push.ssh_port = config->settings.ssh_port;
	config->push.management = config->settings.management;
	config->push.management_count = config->settings.management_count;
}

/* A file that can't be read: who wants it? */
static struct error *named_by(struct error *error, const char *by)
{
	if (error == NULL || error->place.file.n > 0)
		return error;
	error = error_in(error, "the configuration");
	return by == NULL || error->hint.n > 0 ? error : error_hint(error, "%s", by);
}

struct error *config_of(struct arena *arena, const struct globals *globals, struct config *config)
{
	static const char usual[] = "/etc/fleetwall/fleetwall.conf";
	const char *named = getenv("FLEETWALL_CONFIG"), *by = globals->config.p != NULL ? "--config names it" : NULL;
	struct str path = globals->config;

	TRY(config_default(arena, config));
	if (path.p == NULL && named != NULL && named[0] != '\0') {
		path = str_of(named);
		by = "FLEETWALL_CONFIG names it";
	}
	if (path.p == NULL && access(usual, F_OK) == 0)
		path = str_of(usual);
	if (path.p != NULL)
		TRY(named_by(config_load(arena, path, config), by));
	config->path = path.p != NULL ? path : str_of(usual);
	if (globals->database.p != NULL)
		config->database = globals->database;
	if (globals->state.p != NULL)
		config->state = globals->state;
	if (globals->output.p != NULL)
		config->output = globals->output;
	if (config->state.n == 0)
		return error_hint(error_new(ERROR_INPUT, "the setting state is empty"),
		                  "name a folder, or leave it out");
	if (config->output.n == 0)
		config->output = str_format(arena, "%.*s/out", STR_ARG(config->state));
	push_from_the_rest(config);
	return NULL;
}
