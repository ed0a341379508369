/* Any bytes as a folder of CSV files, separated by 0x1e, in the order of `names`: refused with places inside of the
 * texts, or read; and a fleet that was read is in order, and can be written as a document that reads again. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"d/machines.csv",  "d/roles.csv",    "d/members.csv",  "d/rules.csv",
	"d/addresses.csv", "d/networks.csv", "d/services.csv",
};
#define FILES (sizeof names / sizeof *names)

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void check_places(struct arena *arena, const struct error *errors, struct str all)
{
	struct buf buf = buf_new(arena);

	for (const struct error *e = errors; e != NULL; e = e->next) {
		demand(str_utf8_error(e->message) == e->message.n && !str_has_control(e->message));
		demand(str_utf8_error(e->hint) == e->hint.n && !str_has_control(e->hint));
		demand(e->message.n > 0 && e->message.n < 1000);
		demand(e->place.line <= all.n + 1 && e->place.column <= all.n + 1 && e->place.text.n <= all.n);
	}
	demand(error_count(errors) <= 101);
	error_print(&buf, STR("error: "), errors);
	demand(str_utf8_error(buf_str(&buf)) == buf.n);
}

static void check_order(const struct fleet *fleet)
{
	for (size_t i = 1; i < fleet->machine_count; i++)
		demand(str_cmp(fleet->machines[i - 1].name, fleet->machines[i].name) < 0);
	for (size_t i = 1; i < fleet->role_count; i++)
		demand(str_cmp(fleet->roles[i - 1].name, fleet->roles[i].name) < 0);
	for (size_t i = 0; i < fleet->machine_count; i++) {
		const struct machine *machine = &fleet->machines[i];

		for (size_t j = 1; j < machine->address_count; j++)
			demand(addr_cmp(machine->addresses[j - 1].addr, machine->addresses[j].addr) < 0);
		for (size_t j = 1; j < machine->role_count; j++)
			demand(str_cmp(machine->roles[j - 1], machine->roles[j]) < 0);
	}
}

static void check_written(struct arena *arena, const struct fleet *fleet)
{
	struct buf buf = buf_new(arena);
	struct fleet read;
	struct error *warnings = NULL;

	document_write(&buf, fleet);
	demand(document_read(arena, STR("written"), buf_str(&buf), &read, &warnings) == NULL);
	demand(read.machine_count == fleet->machine_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct str rest = {(const char *)data, size}, all = rest, part;
	struct csv_file files[FILES];
	struct error *warnings = NULL, *errors;
	struct fleet fleet;
	size_t count = 0;

	for (size_t i = 0; i < FILES && str_cut(&rest, '\x1e', &part); i++)
		if (part.n > 0)
			files[count++] = (struct csv_file){str_of(names[i]), part};
	errors = csv_read(arena, files, count, &fleet, &warnings);
	check_places(arena, errors, all);
	check_places(arena, warnings, all);
	if (errors == NULL) {
		check_order(&fleet);
		check_places(arena, fleet_check(arena, &fleet, NULL), all);
		check_written(arena, &fleet);
	}
	arena_free(arena);
	error_forget_all();
	return 0;
}
