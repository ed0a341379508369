/* What a host's variables say of it: its addresses, and where ssh finds it. A variable that is a template, encrypted or
 * no address says nothing that could be known here: it is left out, with a note. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ansible.h"
#include "fleetwall/arena.h"

struct address_list {
	struct machine_address *items;
	size_t count, capacity;
};

struct reading {
	struct ansible *ansible;
	const struct ansible_host *host;
	struct address_list addresses;
};

__attribute__((format(printf, 3, 4))) static void leave_out(const struct reading *reading, struct str variable,
                                                            const char *format, ...)
{
	va_list arguments;
	char text[1000];

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	foreign_left_out(&reading->ansible->foreign, reading->ansible->file, "host \"%s\": %s: %s",
	                 SHOWN(reading->host->original), SHOWN(variable), text);
}

static json_t *variable(const struct ansible_host *host, struct str name)
{
	json_t *value = json_object_getn(host->variables, name.p, name.n);

	return json_is_null(value) ? NULL : value;
}

/* A string as Ansible writes it: plain, or marked as not to be templated. {NULL, 0}: there is none, or it can't be
 * read, which is noted. */
static struct str text_of(const struct reading *reading, struct str name, const json_t *value)
{
	struct str text = foreign_str(value), unsafe = foreign_member(value, "__ansible_unsafe");

	if (value == NULL || text.p != NULL)
		return str_trim(text);
	if (unsafe.p != NULL)
		return str_trim(unsafe);
	if (json_object_get(value, "__ansible_vault") != NULL)
		leave_out(reading, name, "it is encrypted");
	else
		leave_out(reading, name, "it is no string");
	return (struct str){NULL, 0};
}

static bool is_template(struct str s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '{' && (s.p[i + 1] == '{' || s.p[i + 1] == '%'))
			return true;
	return false;
}

/* --- addresses --- */

/* An address; as interfaces have them, with the length of their network, too. */
static bool parse_address(struct str text, struct addr *addr)
{
	size_t slash = str_find(text, '/');
	uint64_t length;

	if (!addr_parse(str_slice(text, 0, slash), addr))
		return false;
	return slash == text.n ||
	       str_number(str_slice(text, slash + 1, text.n), family_width(addr->family), &length);
}

static void add_address(struct reading *reading, struct addr addr)
{
	APPEND(reading->ansible->foreign.arena, &reading->addresses, ((struct machine_address){.addr = addr}));
}

static void read_address(struct reading *reading, struct str name, const json_t *value)
{
	struct str text = text_of(reading, name, value);
	struct addr addr;

	if (text.n == 0)
		return;
	if (parse_address(text, &addr))
		add_address(reading, addr);
	else
		leave_out(reading, name, is_template(text) ? "\"%s\" is a template" : "\"%s\" is no address",
		          SHOWN(text));
}

static void read_addresses(struct reading *reading, size_t number)
{
	struct str name = reading->ansible->variables[number];
	const json_t *value = variable(reading->host, name);

	reading->ansible->variable_seen[number] |= value != NULL;
	if (!json_is_array(value))
		read_address(reading, name, value);
	for (size_t i = 0; i < json_array_size(value); i++)
		read_address(reading, name, json_array_get(value, i));
}

/* --- where ssh finds it --- */

/* The older spelling counts where the newer one is absent. */
static struct str present(const struct ansible_host *host, struct str name, struct str older)
{
	return variable(host, name) == NULL && variable(host, older) != NULL ? older : name;
}

/* What ssh is told: a name that is not the machine's own, and an address that is not its only one. */
static void settle_ssh_host(struct reading *reading, struct str name, struct str text, struct machine *machine)
{
	struct addr addr;

	if (text.n == 0 || str_eq(str_lower(reading->ansible->foreign.arena, text), machine->name))
		return;
	if (addr_parse(text, &addr) && machine->address_count == 1 && addr_cmp(machine->addresses[0].addr, addr) == 0)
		return;
	if (is_template(text))
		leave_out(reading, name, "\"%s\" is a template", SHOWN(text));
	else if (ssh_host_check(text) != NULL)
		leave_out(reading, name, "\"%s\" is no name of a host", SHOWN(text));
	else
		machine->ssh_host = str_copy(reading->ansible->foreign.arena, text);
}

static void read_port(struct reading *reading, struct machine *machine)
{
	struct str name = present(reading->host, STR("ansible_port"), STR("ansible_ssh_port")), text;
	const json_t *value = variable(reading->host, name);
	int64_t number;

	if (value == NULL)
		return;
	if (!foreign_integer(value, &number)) {
		uint64_t said = 0;

		text = text_of(reading, name, value);
		if (text.n == 0)
			return;
		number = str_number(text, 65535, &said) ? (int64_t)said : 0;
	}
	if (number < 1 || number > 65535) {
		leave_out(reading, name, "it is no port");
		return;
	}
	machine->given |= GIVEN_SSH_PORT;
	machine->ssh_port = (unsigned)number;
}

static int address_order(const void *a, const void *b)
{
	const struct machine_address *x = a, *y = b;

	return addr_cmp(x->addr, y->addr);
}

static void settle_addresses(struct reading *reading, struct machine *machine)
{
	struct machine_address *list = reading->addresses.items;
	size_t kept = 0;

	if (reading->addresses.count > 1)
		qsort(list, reading->addresses.count, sizeof *list, address_order);
	for (size_t i = 0; i < reading->addresses.count; i++)
		if (kept == 0 || addr_cmp(list[kept - 1].addr, list[i].addr) != 0)
			list[kept++] = list[i];
	machine->addresses = list;
	machine->address_count = kept;
}

/* Where Ansible finds a host that has no ansible_host: by its own name. What no variable says is left alone. */
void ansible_variables(struct ansible *ansible, const struct ansible_host *host, struct machine *machine)
{
	struct reading reading = {.ansible = ansible, .host = host};
	struct str name = present(host, STR("ansible_host"), STR("ansible_ssh_host")), connects;
	struct addr addr;

	if (host->variables != NULL && !json_is_object(host->variables))
		foreign_left_out(&ansible->foreign, ansible->file, "host \"%s\": its variables are no object",
		                 SHOWN(host->original));
	for (size_t i = 0; i < ansible->variable_count; i++)
		read_addresses(&reading, i);
	connects = text_of(&reading, name, variable(host, name));
	if (connects.n == 0 && variable(host, name) == NULL)
		connects = host->original;
	if (reading.addresses.count == 0 && addr_parse(connects, &addr))
		add_address(&reading, addr);
	settle_addresses(&reading, machine);
	settle_ssh_host(&reading, name, connects, machine);
	if (machine->address_count > 0)
		machine->given |= GIVEN_ADDRESSES;
	if (variable(host, name) != NULL || machine->ssh_host.n > 0)
		machine->given |= GIVEN_SSH_HOST;
	read_port(&reading, machine);
}
