/* role add, set, remove; rule add, set, remove. */
#include <jansson.h>

#include "fleetwall/resolve.h"

#include "edit.h"

/* {"env": "prod"}: the labels that a machine must have. */
static struct error *parse_selector(struct run *run, struct str text, struct role *role)
{
	json_error_t fault;
	json_t *object = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &fault), *value;
	struct error *error = NULL;
	const char *key;

	if (!json_is_object(object)) {
		json_decref(object);
		return error_hint(error_new(ERROR_INPUT, "--selector takes a JSON object, not \"%.*s\"", STR_ARG(text)),
		                  "for example {\"env\":\"prod\"}; {} is every machine");
	}
	role->selector = ARENA_ARRAY(run->arena, struct label, json_object_size(object));
	json_object_foreach(object, key, value) {
		struct str word = {json_string_value(value), json_string_length(value)};

		if (!json_is_string(value))
			error = error_new(ERROR_INPUT, "--selector: the value of \"%s\" is no string", key);
		role->selector[role->selector_count++] =
			(struct label){str_copy(run->arena, str_of(key)), str_copy(run->arena, word)};
	}
	json_decref(object);
	role->has_selector = true;
	return error;
}

static struct error *give(struct run *run, struct role *role)
{
	struct str egress = run_option(run, "egress"), selector = run_option(run, "selector");

	role->description = run_option(run, "description");
	role->owner = run_option(run, "owner");
	role->given |= (edit_gives(run, "description") ? GIVEN_DESCRIPTION : 0u) |
	               (edit_gives(run, "owner") ? GIVEN_OWNER : 0u) |
	               (edit_gives(run, "selector") ? GIVEN_SELECTOR : 0u) |
	               (edit_gives(run, "egress") ? GIVEN_EGRESS : 0u);
	if (egress.p != NULL && !egress_parse(egress, &role->egress))
		return error_new(ERROR_INPUT, "--egress is open or closed, not \"%.*s\"", STR_ARG(egress));
	return selector.p != NULL ? parse_selector(run, selector, role) : NULL;
}

static struct error *add_or_set(struct run *run, bool adding)
{
	struct str name = str_lower(run->arena, run->arguments[0]);
	struct edit edit;

	TRY(edit_begin(&edit, run));
	TRY(edit_must(fleet_role(&edit.present, name) != NULL, adding, "role", name));
	edit.wanted.roles = ARENA_NEW(run->arena, struct role);
	edit.wanted.role_count = 1;
	*edit.wanted.roles = (struct role){.name = name};
	TRY(give(run, edit.wanted.roles));
	return edit_end(&edit);
}

struct error *run_role_add(struct run *run)
{
	return add_or_set(run, true);
}

struct error *run_role_set(struct run *run)
{
	return add_or_set(run, false);
}

struct error *run_role_remove(struct run *run)
{
	struct error *errors = NULL;
	struct edit edit;
	size_t kept = 0;

	TRY(edit_begin(&edit, run));
	edit_all(&edit);
	for (size_t i = 0; i < run->argument_count; i++) {
		run->arguments[i] = str_lower(run->arena, run->arguments[i]);
		if (machine_of_role(run->arguments[i]).n > 0)
			error_collect(&errors, error_hint(error_new(ERROR_USAGE, "%.*s goes with its machine",
			                                            STR_ARG(run->arguments[i])),
			                                  "fleetwall rule remove takes its rules away"));
		else if (fleet_role(&edit.present, run->arguments[i]) == NULL)
			error_collect(&errors, unknown_role(run->arena, &edit.present, run->arguments[i]));
	}
	for (size_t i = 0; i < edit.present.role_count; i++)
		if (!edit_named(run, edit.present.roles[i].name))
			edit.wanted.roles[kept++] = edit.present.roles[i];
	edit.wanted.role_count = kept;
	return errors != NULL ? errors : edit_end(&edit);
}

/* --- rules --- */

struct rule_place {
	const struct role *role;
	size_t index;
};

static bool id_is(const struct role *role, const struct role_rule *held, struct str id)
{
	char own[RULE_ID_DIGITS + 1];

	rule_id(role->name, held->text, own);
	return str_is(id, own);
}

static bool rule_find(const struct fleet *fleet, struct str id, struct rule_place *place)
{
	for (size_t i = 0; i < fleet->role_count; i++) {
		for (size_t j = 0; j < fleet->roles[i].rule_count; j++) {
			*place = (struct rule_place){&fleet->roles[i], j};
			if (id_is(place->role, &place->role->rules[j], id))
				return true;
		}
	}
	return false;
}

/* since and until may stand in the rule or be options; both is one too many. */
static struct error *give_time(struct run *run, const char *option, int64_t *time)
{
	struct str value = run_option(run, option);

	if (value.p == NULL)
		return NULL;
	if (*time != TIME_NONE)
		return error_new(ERROR_USAGE, "the rule has its own `%s`, and --%s was given", option, option);
	if (!time_parse(value, time))
		return error_hint(error_new(ERROR_INPUT, "--%s: \"%.*s\" is no time", option, STR_ARG(value)),
		                  "for example 2026-03-01T12:00:00Z");
	return NULL;
}

static struct error *new_rule(struct run *run, struct role_rule *held, bool *stored)
{
	*held = (struct role_rule){.enabled = !run_has(run, "disabled"),
	                           .ticket = run_option(run, "ticket"),
	                           .owner = run_option(run, "owner")};
	TRY(rule_parse(run->arena, edit_words(run, 1), &held->rule, stored, &run->warnings));
	TRY(give_time(run, "since", &held->rule.since));
	TRY(give_time(run, "until", &held->rule.until));
	TRY(rule_normalize(run->arena, &held->rule, stored));
	held->text = rule_text(run->arena, &held->rule);
	return NULL;
}

struct error *run_rule_add(struct run *run)
{
	struct str name = str_lower(run->arena, run->arguments[0]);
	struct str machine = machine_of_role(name);
	char id[RULE_ID_DIGITS + 1];
	struct edit edit;
	struct role *role;
	bool stored;

	TRY(edit_begin(&edit, run));
	if (machine.n > 0 && fleet_machine(&edit.present, machine) == NULL)
		return unknown_machine(run->arena, &edit.present, machine);
	if (machine.n == 0 && fleet_role(&edit.present, name) == NULL)
		return unknown_role(run->arena, &edit.present, name);
	role = edit.wanted.roles = ARENA_NEW(run->arena, struct role);
	edit.wanted.role_count = 1;
	*role = (struct role){.name = name, .given = GIVEN_RULES, .rules = ARENA_NEW(run->arena, struct role_rule)};
	TRY(new_rule(run, role->rules, &stored));
	role->rule_count = stored ? 1 : 0;
	edit.options.add_rules_to = name;
	if (!stored)
		writer_say(run->writer, "that is the default: a bare `deny all` is stored nowhere");
	if (stored) {
		rule_id(name, role->rules->text, id);
		edit.rule_id = str_copy(run->arena, str_of(id));
	}
	return edit_end(&edit);
}

/* The role of the rule as `wanted`, with a list of rules of its own; the same one when several rules are of one role.
 */
static struct role *wanted_role(struct edit *edit, const struct role *present)
{
	struct arena *arena = edit->run->arena;
	struct role *role;

	for (size_t i = 0; i < edit->wanted.role_count; i++)
		if (str_eq(edit->wanted.roles[i].name, present->name))
			return &edit->wanted.roles[i];
	role = &edit->wanted.roles[edit->wanted.role_count++];
	*role = (struct role){.name = present->name, .given = GIVEN_RULES, .rule_count = present->rule_count};
	role->rules = ARENA_ARRAY(arena, struct role_rule, present->rule_count);
	for (size_t i = 0; i < present->rule_count; i++)
		role->rules[i] = present->rules[i];
	return role;
}

/* Calls `change` with each rule that is named, in the role that will hold it. */
static struct error *each_rule(struct edit *edit, void (*change)(struct run *run, struct role *role, size_t rule))
{
	struct run *run = edit->run;
	struct error *errors = NULL;

	edit->wanted.roles = ARENA_ARRAY(run->arena, struct role, run->argument_count);
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str id = str_lower(run->arena, run->arguments[i]);
		struct rule_place place;

		if (!rule_find(&edit->present, id, &place)) {
			error_collect(&errors, unknown_rule(run->arguments[i]));
			continue;
		}
		struct role *role = wanted_role(edit, place.role);

		for (size_t j = 0; j < role->rule_count; j++)
			if (id_is(role, &role->rules[j], id)) {
				change(run, role, j);
				break;
			}
	}
	return errors;
}

static void drop(struct run *run, struct role *role, size_t rule)
{
	(void)run;
	role->rule_count--;
	for (size_t i = rule; i < role->rule_count; i++)
		role->rules[i] = role->rules[i + 1];
}

struct error *run_rule_remove(struct run *run)
{
	struct edit edit;

	TRY(edit_begin(&edit, run));
	TRY(each_rule(&edit, drop));
	return edit_end(&edit);
}

static void alter(struct run *run, struct role *role, size_t rule)
{
	struct role_rule *held = &role->rules[rule];

	if (edit_gives(run, "ticket"))
		held->ticket = run_option(run, "ticket");
	if (edit_gives(run, "owner"))
		held->owner = run_option(run, "owner");
	if (run_has(run, "disabled") || run_has(run, "enabled"))
		held->enabled = !run_has(run, "disabled");
}

struct error *run_rule_set(struct run *run)
{
	struct edit edit;

	if (run_has(run, "disabled") && run_has(run, "enabled"))
		return error_new(ERROR_USAGE, "--enabled and --disabled exclude each other");
	TRY(edit_begin(&edit, run));
	TRY(each_rule(&edit, alter));
	return edit_end(&edit);
}
