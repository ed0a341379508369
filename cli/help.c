/* --help, made from the table of commands, so that it says what is there. */
#include <string.h>

#include "cli.h"
#include "wrap.h"

enum { LINE_MOST = 100, GAP = 2, COMMANDS_AT = 37, OPTIONS_AT = 23 };

static const char options_for_all[] =
	"  --config FILE        settings (default /etc/fleetwall/fleetwall.conf, or FLEETWALL_CONFIG)\n"
	"  --database CONNINFO  a libpq connection string (default: a private PostgreSQL in the state folder)\n"
	"  --state DIR          what fleetwall keeps for itself\n"
	"  --output DIR         where generate writes (default STATE/out)\n"
	"  --json               one JSON document on standard output\n";

static const char options_for_rows[] =
	"  --columns A,B        these columns alone, in this order\n"
	"  --no-headings        without their names\n"
	"  --csv                rows as CSV\n";

static const char exit_codes[] =
	"Exit codes: 0 done, or yes; 1 no, or there is something to do; 2 wrong usage or input;\n"
	"            3 the surroundings failed (database, disk, a missing program); 4 a guard stopped it\n";

/* `text` behind what stands in the line already, which takes `width` columns; further lines begin below it. */
static void add_text(struct buf *buf, const char *text, size_t width, size_t column)
{
	size_t at = width + GAP <= column ? column : width + GAP;

	if (at > column && at + text_columns(str_of(text)) > LINE_MOST) {
		buf_char(buf, '\n');
		width = 0;
		at = column;
	}
	buf_format(buf, "%*s", (int)(at - width), "");
	add_wrapped(buf, str_of(text), at, LINE_MOST, column);
	buf_char(buf, '\n');
}

static void end_paragraph(struct buf *buf, struct buf *paragraph)
{
	add_wrapped(buf, buf_str(paragraph), 0, LINE_MOST, 0);
	if (paragraph->n > 0)
		buf_char(buf, '\n');
	paragraph->n = 0;
}

/* Sentences in lines of ours; what is indented stays as it is. */
static void add_details(struct buf *buf, struct str text)
{
	struct buf paragraph = buf_new(buf->arena);
	struct str line;

	while (text.n > 0 && str_cut(&text, '\n', &line)) {
		if (line.n > 0 && line.p[0] != ' ') {
			buf_format(&paragraph, "%s%.*s", paragraph.n > 0 ? " " : "", STR_ARG(line));
			continue;
		}
		end_paragraph(buf, &paragraph);
		buf_format(buf, "%.*s\n", STR_ARG(line));
	}
	end_paragraph(buf, &paragraph);
}

static void list(struct buf *buf, struct str group)
{
	for (const struct command_entry *command = commands; command->name != NULL; command++) {
		struct str name = str_of(command->name);
		size_t start = buf->n;

		if (group.n > 0 && !str_eq(str_slice(name, 0, str_find(name, ' ')), group))
			continue;
		buf_format(buf, "  %s %s", command->name, command->arguments);
		add_text(buf, command->summary, text_columns(str_slice(buf_str(buf), start, buf->n)), COMMANDS_AT);
	}
}

static void add_common(struct buf *buf, bool rows)
{
	buf_format(buf, "%s%s  --help, --version\n", options_for_all, rows ? options_for_rows : "");
}

void help_program(struct buf *buf)
{
	buf_add(buf, STR("fleetwall: which machine lets what in, from an inventory to iptables\n\n"
	                 "usage: fleetwall [OPTION]… COMMAND …\n\ncommands (each takes --help):\n"));
	list(buf, (struct str){NULL, 0});
	buf_add(buf, STR("\noptions, anywhere before \"--\":\n"));
	add_common(buf, true);
	buf_format(buf, "\n%s", exit_codes);
}

void help_group(struct buf *buf, struct str group)
{
	buf_format(buf, "usage: fleetwall %.*s COMMAND …\n\ncommands (each takes --help):\n", STR_ARG(group));
	list(buf, group);
}

void help_command(struct buf *buf, const struct command_entry *command)
{
	buf_format(buf, "usage: fleetwall [OPTION]… %s%s%s\n\n%s.\n", command->name,
	           command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
	if (command->details != NULL) {
		buf_char(buf, '\n');
		add_details(buf, str_of(command->details));
	}
	if (command->options != NULL)
		buf_add(buf, STR("\noptions:\n"));
	for (const struct option *option = command->options; option != NULL && option->name != NULL; option++) {
		size_t start = buf->n;

		buf_format(buf, "  --%s%s%s", option->name, option->value != NULL ? " " : "",
		           option->value != NULL ? option->value : "");
		add_text(buf, option->help, buf->n - start, OPTIONS_AT);
	}
	if (is_group(str_of(command->name))) {
		buf_add(buf, STR("\ncommands (each takes --help):\n"));
		list(buf, str_of(command->name));
	}
	buf_format(buf, "\noptions for all commands%s:\n", command->rows ? " that answer with rows" : "");
	add_common(buf, command->rows);
}
