/* --help, made from the table of commands, so that it says what is there. */
#include <string.h>

#include "cli.h"

static const char options_for_all[] =
	"  --config FILE        settings (default /etc/fleetwall/fleetwall.conf, or FLEETWALL_CONFIG)\n"
	"  --database CONNINFO  a libpq connection string (default: a private PostgreSQL in the state folder)\n"
	"  --state DIR          what fleetwall keeps for itself\n"
	"  --output DIR         where generate writes (default STATE/out)\n"
	"  --json               one JSON document on standard output\n"
	"  --columns A,B        these columns alone, in this order; --no-headings\n"
	"  --csv                lists as CSV\n"
	"  --help, --version\n";

static const char exit_codes[] =
	"Exit codes: 0 done, or yes; 1 no, or there is something to do; 2 wrong usage or input;\n"
	"            3 the surroundings failed (database, disk, a missing program); 4 a guard stopped it\n";

static void list(struct buf *buf, struct str group)
{
	for (const struct command_entry *command = commands; command->name != NULL; command++) {
		struct str name = str_of(command->name);
		size_t width;

		if (group.n > 0 && !str_eq(str_slice(name, 0, str_find(name, ' ')), group))
			continue;
		buf_format(buf, "  %s %s", command->name, command->arguments);
		/* Arguments hold an ellipsis of three bytes and one column. */
		width = strlen(command->name) + 1 + strlen(command->arguments) -
		        (strstr(command->arguments, "…") != NULL ? 2 : 0);
		buf_format(buf, "%*s%s\n", width < 34 ? (int)(35 - width) : 2, "", command->summary);
	}
}

void help_program(struct buf *buf)
{
	buf_add(buf, STR("fleetwall: which machine lets what in, from an inventory to iptables\n\n"
	                 "usage: fleetwall [OPTION]… COMMAND …\n\ncommands (each takes --help):\n"));
	list(buf, (struct str){NULL, 0});
	buf_format(buf, "\noptions, anywhere before \"--\":\n%s\n%s", options_for_all, exit_codes);
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
	if (command->details != NULL)
		buf_format(buf, "\n%s\n", command->details);
	if (command->options != NULL)
		buf_add(buf, STR("\noptions:\n"));
	for (const struct option *option = command->options; option != NULL && option->name != NULL; option++) {
		int width = (int)(strlen(option->name) + (option->value != NULL ? strlen(option->value) + 1 : 0));

		buf_format(buf, "  --%s%s%s%*s%s\n", option->name, option->value != NULL ? " " : "",
		           option->value != NULL ? option->value : "", width < 18 ? 19 - width : 2, "", option->help);
	}
	if (is_group(str_of(command->name))) {
		buf_add(buf, STR("\ncommands (each takes --help):\n"));
		list(buf, str_of(command->name));
	}
	buf_format(buf, "\noptions for all commands:\n%s", options_for_all);
}
