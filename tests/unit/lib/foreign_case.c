/* See foreign_case.h. */
#include "foreign_case.h"

#include <check.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

struct str json_text(struct arena *arena, const char *text)
{
	char *copy = str_c(arena, str_of(text));

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	return str_of(copy);
}

const char *role_rules(struct arena *arena, const struct fleet *fleet, const char *name)
{
	const struct role *role = fleet_role(fleet, str_of(name));
	struct buf buf = buf_new(arena);

	if (role == NULL)
		return "(no role)";
	for (size_t i = 0; i < role->rule_count; i++) {
		struct str comment = role->rules[i].rule.comment;

		buf_format(&buf, "%.*s%s%.*s\n", STR_ARG(role->rules[i].text), comment.n > 0 ? " # " : "",
		           STR_ARG(comment));
	}
	return str_c(arena, buf_str(&buf));
}

static void add_machine(struct buf *buf, const struct machine *machine)
{
	buf_add(buf, STR("roles:"));
	for (size_t i = 0; i < machine->role_count; i++)
		buf_format(buf, " %.*s", STR_ARG(machine->roles[i]));
	buf_add(buf, STR("\naddresses:"));
	for (size_t i = 0; i < machine->address_count; i++) {
		struct str label = machine->addresses[i].label;

		buf_char(buf, ' ');
		addr_print(buf, machine->addresses[i].addr);
		buf_format(buf, "%s%.*s", label.n > 0 ? "=" : "", STR_ARG(label));
	}
	buf_char(buf, '\n');
	if (machine->given & GIVEN_LABELS)
		buf_add(buf, STR("labels:"));
	for (size_t i = 0; i < machine->label_count; i++)
		buf_format(buf, " %.*s=%.*s", STR_ARG(machine->labels[i].key), STR_ARG(machine->labels[i].value));
	if (machine->given & GIVEN_LABELS)
		buf_char(buf, '\n');
	if (machine->given & GIVEN_ENFORCEMENT)
		buf_format(buf, "%.*s\n", STR_ARG(enforcement_str(machine->enforcement)));
	if (machine->given & GIVEN_SSH_HOST && machine->ssh_host.n > 0)
		buf_format(buf, "ssh_host: %.*s\n", STR_ARG(machine->ssh_host));
	if (machine->given & GIVEN_SSH_PORT)
		buf_format(buf, "ssh_port: %u\n", machine->ssh_port);
}

const char *machine_lines(struct arena *arena, const struct fleet *fleet, const char *name)
{
	const struct machine *machine = fleet_machine(fleet, str_of(name));
	struct buf buf = buf_new(arena);

	if (machine == NULL)
		return "(no machine)";
	add_machine(&buf, machine);
	return str_c(arena, buf_str(&buf));
}

const char *messages(struct arena *arena, const struct error *chain)
{
	struct buf buf = buf_new(arena);

	for (; chain != NULL; chain = chain->next)
		buf_format(&buf, "%.*s\n", STR_ARG(chain->message));
	return str_c(arena, buf_str(&buf));
}

const char *whole_import(struct arena *arena, const struct fleet *fleet, const struct foreign_notes *notes)
{
	struct buf buf = buf_new(arena);

	document_write(&buf, fleet);
	error_print(&buf, STR("left out: "), notes->left_out);
	error_print(&buf, STR("made right: "), notes->made_right);
	return str_c(arena, buf_str(&buf));
}

void check_fleet_whole(struct arena *arena, const struct fleet *fleet)
{
	struct buf buf = buf_new(arena), again = buf_new(arena);
	struct error *warnings = NULL, *error = fleet_check(arena, fleet, NULL);
	struct fleet read;

	ck_assert_msg(error == NULL, "%s", messages(arena, error));
	document_write(&buf, fleet);
	error = document_read(arena, STR("written"), buf_str(&buf), &read, &warnings);
	ck_assert_msg(error == NULL, "%s", messages(arena, error));
	document_write(&again, &read);
	ck_assert_msg(str_eq(buf_str(&buf), buf_str(&again)), "the document reads otherwise");
}
