/* Any bytes as a file of assertions: refused with places inside of it, or understood; what is understood is judged over
 * a small fleet, and its words mean what they are printed as. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/policy.h"
#include "policy_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void check_places(const struct error *errors)
{
	for (const struct error *e = errors; e != NULL; e = e->next) {
		demand(e->message.n > 0 && str_utf8_error(e->message) == e->message.n && !str_has_control(e->message));
		demand(str_utf8_error(e->hint) == e->hint.n && !str_has_control(e->hint));
		demand(e->place.column <= e->place.text.n + 1 || e->place.text.n == 0);
	}
}

static void print_end(struct buf *buf, const struct assertion_end *end)
{
	if (end->any)
		buf_add(buf, STR("any"));
	for (size_t i = 0; i < end->count; i++) {
		buf_add(buf, i > 0 || end->any ? STR(", ") : STR(""));
		peer_print(buf, &end->peers[i]);
	}
}

/* Printed and read again it is the same. */
static void check_printed(struct arena *arena, const struct assertion *assertion)
{
	struct buf texts[2] = {buf_new(arena), buf_new(arena)};
	struct assertion again = *assertion;
	bool said;

	for (size_t i = 0; i < 2; i++) {
		buf_format(&texts[i], "%.*s ", STR_ARG(assertion_kind_str(again.kind)));
		print_end(&texts[i], &again.source);
		buf_add(&texts[i], STR(" -> "));
		print_end(&texts[i], &again.destination);
		buf_char(&texts[i], ' ');
		what_print(&texts[i], &again.what);
		if (again.interface.n > 0)
			buf_format(&texts[i], " on %.*s", STR_ARG(again.interface));
		if (i == 0)
			demand(assertion_parse(arena, buf_str(&texts[0]), &again, &said, NULL) == NULL && said);
	}
	demand(str_eq(buf_str(&texts[0]), buf_str(&texts[1])));
}

static void judge(struct arena *arena, const struct assertions *list, uint64_t seed)
{
	struct settings settings = settings_default();
	struct rng rng = {seed};
	struct error *warnings = NULL;
	struct policy policy;
	struct fleet fleet;
	struct buf buf = buf_new(arena);

	demand(document_read(arena, STR("world"), policy_world(arena, &rng), &fleet, &warnings) == NULL);
	fleet.clock = 1767225600;
	if (assertions_check(arena, list, &fleet) != NULL)
		return;
	policy_judge(arena, resolve(arena, &fleet), &settings, list, &policy);
	demand(policy.note_count == list->count);
	for (size_t i = 0; i < policy.count; i++) {
		policy_packet_print(&buf, &policy.violations[i]);
		policy_reason_print(&buf, &policy.violations[i]);
		policy_machines_print(&buf, &fleet, &policy.violations[i]);
		demand(policy.violations[i].machine_count > 0 && policy.violations[i].machine_shown > 0);
	}
	check_places(policy_warnings(&policy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct str text = {(const char *)data, size};
	struct error *warnings = NULL, *error;
	struct buf buf = buf_new(arena);
	struct assertions list = {0};

	error = assertions_read(arena, STR("policy"), text, &list, &warnings);
	check_places(error);
	check_places(warnings);
	error_print(&buf, STR("error: "), error);
	for (size_t i = 0; i < list.count; i++)
		check_printed(arena, &list.items[i]);
	if (error == NULL && list.count <= 8)
		judge(arena, &list, size);
	arena_free(arena);
	error_forget_all();
	return 0;
}
