/* Any bytes as the output of ansible-inventory: refused, or read; what was read is a fleet in order that can be written
 * and read again, and every note is a line that can be shown. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void check_notes(struct arena *arena, const struct error *notes)
{
	struct buf buf = buf_new(arena);

	for (const struct error *e = notes; e != NULL; e = e->next) {
		demand(str_utf8_error(e->message) == e->message.n && !str_has_control(e->message));
		demand(e->message.n > 0 && e->message.n < 3000);
	}
	error_print(&buf, STR("warning: "), notes);
	demand(str_utf8_error(buf_str(&buf)) == buf.n);
}

static void check_written(struct arena *arena, const struct fleet *fleet)
{
	struct buf first = buf_new(arena), second = buf_new(arena);
	struct error *warnings = NULL;
	struct fleet read;

	demand(fleet_check(arena, fleet, NULL) == NULL);
	document_write(&first, fleet);
	demand(document_read(arena, STR("written"), buf_str(&first), &read, &warnings) == NULL);
	document_write(&second, &read);
	demand(str_eq(buf_str(&first), buf_str(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str variables[] = {{"ip4", 3}, {"ip6", 3}};
	struct arena *arena = arena_new();
	struct foreign_file file = {STR("list.json"), {(const char *)data, size}};
	struct foreign_notes notes;
	struct fleet fleet;

	if (ansible_read(arena, &file, variables, 2, &fleet, &notes) == NULL)
		check_written(arena, &fleet);
	check_notes(arena, notes.left_out);
	check_notes(arena, notes.made_right);
	arena_free(arena);
	error_forget_all();
	return 0;
}
