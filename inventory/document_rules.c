/* A file of rule lines, as `import --rules ROLE FILE` takes it: one rule a line, empty lines and comments between. The
 * role is the caller's. */
#include "fleetwall/document.h"

#include "fleet_faults.h"
#include "fleet_fields.h"
#include "fleetwall/arena.h"

struct rules {
	struct role_rule *items;
	size_t count, capacity;
};

static struct error *read_line(struct arena *arena, struct place place, struct rules *rules, struct error **warnings)
{
	struct role_rule rule = {.enabled = true, .place = place};
	struct error *more = NULL;
	bool stored = false;

	TRY(error_in_piece(rule_line_check(place.text), place));
	TRY(error_in_piece(rule_parse(arena, place.text, &rule.rule, &stored, &more), place));
	error_collect(warnings, error_in_piece(more, place));
	if (!stored)
		return NULL;
	rule.text = rule_text(arena, &rule.rule);
	APPEND(arena, rules, rule);
	return NULL;
}

struct error *rules_read(struct arena *arena, struct str name, struct str text, struct role_rule **rules, size_t *count,
                         struct error **warnings)
{
	struct lines lines = lines_of(name, text);
	struct rules list = {0};
	struct faults faults = {0};

	while (lines_next(&lines))
		faults_add(&faults, read_line(arena, lines.place, &list, warnings));
	faults_add(&faults, role_rules_join(list.items, &list.count));
	*rules = list.items;
	*count = list.count;
	return faults_end(&faults);
}
