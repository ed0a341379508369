/* Any bytes as a line of the rule language: refused with a place inside of the line, or understood; and what is
 * understood is printed, parsed and normalized to itself. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "random_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void check_places(const struct error *error, struct str line)
{
	for (const struct error *e = error; e != NULL; e = e->next) {
		demand(e->kind == ERROR_INPUT && e->message.n > 0 && e->message.n < 1000);
		demand(str_utf8_error(e->message) == e->message.n && !str_has_control(e->message));
		demand(str_utf8_error(e->hint) == e->hint.n && !str_has_control(e->hint));
		demand(e->place.column <= line.n + 1 && str_starts(line, e->place.text));
	}
	demand(error_count(error) <= 30);
}

static void check_fixed(struct arena *arena, const struct rule *rule)
{
	struct str text = rule_text(arena, rule);
	struct rule parsed, normal = *rule;
	bool stored;

	demand(rule_parse(arena, text, &parsed, &stored, NULL) == NULL && stored);
	parsed.comment = rule->comment;
	demand(rule_same(rule, &parsed) && str_eq(rule_text(arena, &parsed), text));
	demand(rule_normalize(arena, &normal, &stored) == NULL && stored && rule_same(rule, &normal));
}

/* With its comment behind it, as documents have it. */
static void check_comment(struct arena *arena, const struct rule *rule)
{
	struct buf buf = buf_new(arena);
	struct rule parsed;
	bool stored;

	rule_print(&buf, rule);
	buf_add(&buf, STR(" # "));
	buf_add(&buf, rule->comment);
	demand(rule_parse(arena, buf_str(&buf), &parsed, &stored, NULL) == NULL && stored && rule_same(rule, &parsed));
}

static void check_parts(struct arena *arena, struct str text)
{
	struct port_range *ports;
	struct what what, again;
	struct buf buf = buf_new(arena);
	uint8_t protocol;
	int64_t time;
	size_t count;

	check_places(what_parse(arena, text, &what), text);
	if (what_parse(arena, text, &what) == NULL) {
		what_print(&buf, &what);
		demand(what_parse(arena, buf_str(&buf), &again) == NULL && again.kind == what.kind);
	}
	check_places(ports_parse(arena, text, &protocol, &ports, &count), text);
	buf.n = 0;
	if (time_parse(text, &time)) {
		int64_t read;

		time_print(&buf, time);
		demand(time_parse(buf_str(&buf), &read) && read == time);
	}
	check_places(name_check(text, "role"), text);
	check_places(machine_name_check(text), text);
	check_places(service_name_check(text), text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct str line = {(const char *)data, size};
	struct error *warnings = NULL, *error;
	struct buf buf = buf_new(arena);
	struct rule rule;
	bool stored;

	error = rule_parse(arena, line, &rule, &stored, &warnings);
	check_places(error, line);
	check_places(warnings, line);
	error_print(&buf, STR("error: "), error);
	if (error == NULL && stored) {
		check_fixed(arena, &rule);
		check_comment(arena, &rule);
	}
	check_parts(arena, line);
	arena_free(arena);
	error_forget_all();
	return 0;
}
