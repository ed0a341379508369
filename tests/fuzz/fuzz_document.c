/* Any bytes as a document: refused with places inside of the text, or read; and what was read is written, read and
 * written again as the same bytes. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void check_places(struct arena *arena, const struct error *errors, struct str text)
{
	struct buf buf = buf_new(arena);
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	for (const struct error *e = errors; e != NULL; e = e->next) {
		demand(str_utf8_error(e->message) == e->message.n && !str_has_control(e->message));
		demand(str_utf8_error(e->hint) == e->hint.n && !str_has_control(e->hint));
		demand(e->message.n > 0 && e->message.n < 1000 && e->place.line <= lines);
		demand(e->place.column <= text.n + 1 && e->place.text.n <= text.n);
	}
	demand(error_count(errors) <= 101);
	error_print(&buf, STR("error: "), errors);
	demand(str_utf8_error(buf_str(&buf)) == buf.n);
}

static struct str check_written(struct arena *arena, const struct fleet *fleet)
{
	struct buf buf = buf_new(arena), again = buf_new(arena);
	struct fleet read;
	struct error *warnings = NULL;

	document_write(&buf, fleet);
	demand(document_read(arena, STR("written"), buf_str(&buf), &read, &warnings) == NULL);
	document_write(&again, &read);
	demand(str_eq(buf_str(&buf), buf_str(&again)));
	return buf_str(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct str text = {(const char *)data, size};
	struct error *warnings = NULL, *errors;
	struct role_rule *rules;
	struct fleet fleet;
	size_t count;

	errors = document_read(arena, STR("doc"), text, &fleet, &warnings);
	check_places(arena, errors, text);
	check_places(arena, warnings, text);
	if (errors == NULL) {
		check_places(arena, fleet_check(arena, &fleet, NULL), text);
		check_written(arena, &fleet);
	}
	check_places(arena, rules_read(arena, STR("rules"), text, &rules, &count, &warnings), text);
	arena_free(arena);
	error_forget_all();
	return 0;
}
