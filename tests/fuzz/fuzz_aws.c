/* Any bytes as files of an AWS account, separated by 0x1e: refused, or read; what was read is a fleet in order that can
 * be written and read again, whose every role is closed outbound, and every note is a line that can be shown. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 4

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

/* Written, read, written again. */
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

static void check_closed(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->role_count; i++) {
		demand(fleet->roles[i].egress == EGRESS_CLOSED && (fleet->roles[i].given & GIVEN_EGRESS) != 0);
		for (size_t j = 0; j < fleet->roles[i].rule_count; j++)
			demand(fleet->roles[i].rules[j].rule.action == ACTION_ALLOW);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct str rest = {(const char *)data, size}, part;
	struct foreign_file files[FILES];
	struct foreign_notes notes;
	struct fleet fleet;
	size_t count = 0;

	while (count < FILES && str_cut(&rest, '\x1e', &part)) {
		files[count] = (struct foreign_file){str_format(arena, "%zu.json", count), part};
		count++;
	}
	if (aws_read(arena, files, count, &fleet, &notes) == NULL) {
		check_written(arena, &fleet);
		check_closed(&fleet);
	}
	check_notes(arena, notes.left_out);
	check_notes(arena, notes.made_right);
	arena_free(arena);
	error_forget_all();
	return 0;
}
