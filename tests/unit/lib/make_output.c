/* See make_output.h. */
#include "make_output.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/document.h"
#include "fleetwall/embedded.h"

#define DIRECTIVE "// golden:"

struct templates *make_templates(struct arena *arena)
{
	size_t count = 0;

	while (embedded_templates[count].name != NULL)
		count++;
	struct template_file *files = ARENA_ARRAY(arena, struct template_file, count);
	struct templates *templates = NULL;

	for (size_t i = 0; i < count; i++)
		files[i] =
			(struct template_file){{embedded_templates[i].name, strlen(embedded_templates[i].name)},
		                               {(const char *)embedded_templates[i].data, embedded_templates[i].size}};
	if (templates_compile(arena, files, count, &templates) != NULL)
		abort();
	return templates;
}

static void fault(const char *what, struct str value)
{
	__builtin_printf("%s: `%.*s`\n", what, STR_ARG(value));
	abort();
}

static int prefix_order(const void *a, const void *b)
{
	return range_cmp(prefix_range(*(const struct prefix *)a), prefix_range(*(const struct prefix *)b));
}

static void set_management(struct arena *arena, struct settings *settings, struct str list)
{
	struct str part;

	settings->management = ARENA_ARRAY(arena, struct prefix, list.n);
	while (str_cut(&list, ',', &part))
		if (prefix_parse(part, &settings->management[settings->management_count++]) != PREFIX_OK)
			fault("not a prefix", part);
	qsort(settings->management, settings->management_count, sizeof *settings->management, prefix_order);
}

static void switch_off(struct settings *settings, struct str list)
{
	const struct {
		struct str name;
		bool *setting;
	} known[] = {
		{STR("loopback"), &settings->loopback},
		{STR("icmp_errors"), &settings->icmp_errors},
		{STR("established"), &settings->established},
		{STR("neighbour_discovery"), &settings->neighbour_discovery},
		{STR("drop_invalid"), &settings->drop_invalid},
		{STR("dhcp"), &settings->dhcp},
	};
	struct str part;

	while (str_cut(&list, ',', &part)) {
		size_t i = 0;

		while (i < sizeof known / sizeof *known && !str_eq(known[i].name, part))
			i++;
		if (i == sizeof known / sizeof *known)
			fault("no such item of housekeeping", part);
		*known[i].setting = false;
	}
}

static void set(struct arena *arena, struct made *made, struct str key, struct str value)
{
	uint64_t number = 0;

	if (str_eq(key, STR("clock")) && time_parse(value, &made->fleet.clock))
		return;
	if (str_eq(key, STR("management")))
		set_management(arena, &made->settings, value);
	else if (str_eq(key, STR("off")))
		switch_off(&made->settings, value);
	else if (str_eq(key, STR("ssh_port")) && str_number(value, UINT16_MAX, &number))
		made->settings.ssh_port = (unsigned)number;
	else if (str_eq(key, STR("log_rate")) && str_number(value, UINT16_MAX, &number))
		made->settings.log_rate = (unsigned)number;
	else
		fault("not a directive", key);
}

static void read_directives(struct arena *arena, struct str text, struct made *made)
{
	struct str line, word;

	made->settings = settings_default();
	made->fleet.clock = MAKE_OUTPUT_CLOCK;
	while (str_cut(&text, '\n', &line)) {
		if (!str_eq(str_slice(line, 0, strlen(DIRECTIVE)), STR(DIRECTIVE)))
			continue;
		line = str_slice(line, strlen(DIRECTIVE), line.n);
		while (str_cut(&line, ' ', &word)) {
			struct str key;

			if (word.n > 0 && str_cut(&word, '=', &key))
				set(arena, made, key, word);
		}
	}
}

struct error *make_output(struct arena *arena, struct str name, struct str text, struct made *made)
{
	struct error *warnings = NULL;

	*made = (struct made){0};
	TRY(document_read(arena, name, text, &made->fleet, &warnings));
	TRY(fleet_check(arena, &made->fleet, NULL));
	read_directives(arena, text, made);
	made->resolved = resolve(arena, &made->fleet);
	return rulesets_make(arena, made->resolved, &made->settings, make_templates(arena), &made->output);
}
