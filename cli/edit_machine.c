/* machine add, set, remove; role assign, unassign; open. */
#include "fleetwall/resolve.h"

#include "edit.h"

static bool parse_address(struct arena *arena, struct str word, struct machine_address *address)
{
	size_t equals = str_find(word, '=');

	address->label = str_lower(arena, str_slice(word, equals + 1, word.n));
	return addr_parse(str_slice(word, 0, equals), &address->addr);
}

static struct error *give_addresses(struct run *run, struct machine *machine)
{
	struct str *values;
	size_t count = edit_values(run, "address", &values);
	struct error *errors = NULL;

	machine->given |= GIVEN_ADDRESSES;
	machine->addresses = ARENA_ARRAY(run->arena, struct machine_address, count);
	for (size_t i = 0; i < count; i++)
		if (!parse_address(run->arena, values[i], &machine->addresses[machine->address_count++]))
			error_collect(&errors,
			              error_hint(error_new(ERROR_INPUT, "\"%.*s\" is no address", STR_ARG(values[i])),
			                         "--address ADDRESS or ADDRESS=LABEL; names are not looked up"));
	return errors;
}

static struct error *give_labels(struct run *run, struct machine *machine)
{
	struct str *values;
	size_t count = edit_values(run, "label", &values);
	struct error *errors = NULL;

	machine->given |= GIVEN_LABELS;
	machine->labels = ARENA_ARRAY(run->arena, struct label, count);
	for (size_t i = 0; i < count; i++) {
		size_t equals = str_find(values[i], '=');

		if (equals == values[i].n)
			error_collect(&errors,
			              error_hint(error_new(ERROR_INPUT, "\"%.*s\" is no label", STR_ARG(values[i])),
			                         "--label KEY=VALUE"));
		machine->labels[machine->label_count++] =
			(struct label){str_slice(values[i], 0, equals), str_slice(values[i], equals + 1, values[i].n)};
	}
	return errors;
}

static struct error *give_ssh(struct run *run, struct machine *machine)
{
	machine->ssh_port = 0;
	TRY(run_number(run, "ssh-port", 1, 65535, &machine->ssh_port));
	machine->ssh_host = run_option(run, "ssh-host");
	machine->given |= (edit_gives(run, "ssh-port") ? GIVEN_SSH_PORT : 0u) |
	                  (edit_gives(run, "ssh-host") ? GIVEN_SSH_HOST : 0u);
	return NULL;
}

static struct error *give_state(struct run *run, struct machine *machine)
{
	struct str mode = run_option(run, "mode"), enforcement = run_option(run, "enforcement");

	if (mode.p != NULL && !mode_parse(mode, &machine->mode))
		return error_new(ERROR_INPUT, "--mode is exclusive or coexist, not \"%.*s\"", STR_ARG(mode));
	if (enforcement.p != NULL && !enforcement_parse(enforcement, &machine->enforcement))
		return error_new(ERROR_INPUT, "--enforcement is enforce, monitor or unmanaged, not \"%.*s\"",
		                 STR_ARG(enforcement));
	machine->given |= (edit_gives(run, "mode") ? GIVEN_MODE : 0u) |
	                  (edit_gives(run, "enforcement") ? GIVEN_ENFORCEMENT : 0u);
	return NULL;
}

/* What the options say of a machine. */
static struct error *give(struct run *run, struct machine *machine)
{
	struct error *errors = NULL;

	if (edit_gives(run, "address"))
		error_collect(&errors, give_addresses(run, machine));
	if (edit_gives(run, "label"))
		error_collect(&errors, give_labels(run, machine));
	if (edit_gives(run, "role")) {
		machine->given |= GIVEN_ROLES;
		machine->role_count = edit_values(run, "role", &machine->roles);
		for (size_t i = 0; i < machine->role_count; i++)
			machine->roles[i] = str_lower(run->arena, machine->roles[i]);
	}
	error_collect(&errors, give_ssh(run, machine));
	error_collect(&errors, give_state(run, machine));
	return errors;
}

/* The machines of these names as the options say. */
static struct error *want(struct edit *edit, const struct str *names, size_t count)
{
	struct machine *machines = ARENA_ARRAY(edit->run->arena, struct machine, count);

	for (size_t i = 0; i < count; i++) {
		machines[i] = (struct machine){.name = names[i], .enabled = true};
		TRY(give(edit->run, &machines[i]));
	}
	edit->wanted.machines = machines;
	edit->wanted.machine_count = count;
	return edit_end(edit);
}

struct error *run_machine_add(struct run *run)
{
	struct str name = str_lower(run->arena, run->arguments[0]);
	struct edit edit;

	TRY(edit_begin(&edit, run));
	TRY(edit_must(fleet_machine(&edit.present, name) != NULL, true, "machine", name));
	return want(&edit, &name, 1);
}

/* What one machine has for itself. */
static struct error *check_shared(struct run *run, size_t count)
{
	static const char *const own[] = {"address", "ssh-host"};

	for (size_t i = 0; i < 2; i++)
		if (count > 1 && run_has(run, own[i]))
			return error_hint(error_new(ERROR_USAGE, "--%s would be the same of %zu machines", own[i],
			                            count),
			                  "name one machine");
	return NULL;
}

struct error *run_machine_set(struct run *run)
{
	struct edit edit;
	struct str *names;
	size_t count;

	TRY(edit_begin(&edit, run));
	TRY(edit_machines(run, &edit.present, 0, &names, &count));
	TRY(check_shared(run, count));
	return want(&edit, names, count);
}

struct error *run_machine_remove(struct run *run)
{
	struct edit edit;
	struct str *names;
	size_t count, kept = 0, roles = 0;

	TRY(edit_begin(&edit, run));
	TRY(edit_machines(run, &edit.present, 0, &names, &count));
	edit_all(&edit);
	for (size_t i = 0; i < edit.present.machine_count; i++)
		if (!str_among(edit.present.machines[i].name, names, count))
			edit.wanted.machines[kept++] = edit.present.machines[i];
	for (size_t i = 0; i < edit.present.role_count; i++)
		if (!str_among(machine_of_role(edit.present.roles[i].name), names, count))
			edit.wanted.roles[roles++] = edit.present.roles[i];
	edit.wanted.machine_count = kept;
	edit.wanted.role_count = roles;
	return edit_end(&edit);
}

/* --- memberships --- */

/* The machine's roles, with or without this one. */
static struct machine with_role(struct arena *arena, const struct machine *present, struct str role, bool assign)
{
	struct machine machine = {.name = present->name, .given = GIVEN_ROLES};

	machine.roles = ARENA_ARRAY(arena, struct str, present->role_count + 1);
	for (size_t i = 0; i < present->role_count; i++)
		if (!str_eq(present->roles[i], role))
			machine.roles[machine.role_count++] = present->roles[i];
	if (assign)
		machine.roles[machine.role_count++] = role;
	return machine;
}

static struct error *assign(struct run *run, bool assigned)
{
	struct str role = str_lower(run->arena, run->arguments[0]), *names;
	struct edit edit;
	size_t count;

	TRY(edit_begin(&edit, run));
	if (fleet_role(&edit.present, role) == NULL)
		return unknown_role(run->arena, &edit.present, role);
	TRY(edit_machines(run, &edit.present, 1, &names, &count));
	edit.wanted.machines = ARENA_ARRAY(run->arena, struct machine, count);
	edit.wanted.machine_count = count;
	for (size_t i = 0; i < count; i++)
		edit.wanted.machines[i] = with_role(run->arena, fleet_machine(&edit.present, names[i]), role, assigned);
	return edit_end(&edit);
}

struct error *run_role_assign(struct run *run)
{
	return assign(run, true);
}

struct error *run_role_unassign(struct run *run)
{
	return assign(run, false);
}

/* --- a rule for one machine that ends by itself --- */

enum { OPEN_DAYS = 366 }; /* at most */

/* "90s", "30m", "2h", "7d", "1w": seconds. */
static bool parse_duration(struct str s, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t number;

	if (s.n < 2 || !str_number(str_slice(s, 0, s.n - 1), 1000000, &number) || number == 0)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (units[i].unit == s.p[s.n - 1]) {
			*seconds = (int64_t)number * units[i].seconds;
			return true;
		}
	}
	return false;
}

static struct error *open_rule(struct run *run, const struct fleet *present, int64_t seconds, struct role_rule *held)
{
	bool stored;

	*held = (struct role_rule){
		.enabled = true, .ticket = run_option(run, "ticket"), .owner = run_option(run, "owner")};
	TRY(rule_parse(run->arena, edit_words(run, 1), &held->rule, &stored, &run->warnings));
	if (!stored || held->rule.action != ACTION_ALLOW)
		return error_hint(error_new(ERROR_INPUT, "only an allow rule opens something"),
		                  "fleetwall rule add machine:%.*s adds another", STR_ARG(run->arguments[0]));
	if (held->rule.until != TIME_NONE)
		return error_hint(error_new(ERROR_USAGE, "the rule ends by --for"), "leave its `until` out");
	held->rule.until = present->clock + seconds;
	TRY(rule_normalize(run->arena, &held->rule, &stored));
	held->text = rule_text(run->arena, &held->rule);
	return NULL;
}

/* Not for longer than a slip of the finger may leave open. */
static struct error *read_duration(struct run *run, int64_t *seconds)
{
	static const char units[] = "--for 2h; s, m, h, d and w are seconds to weeks";
	struct str given = run_option(run, "for");

	if (given.p == NULL)
		return error_hint(error_new(ERROR_USAGE, "for how long?"), "%s", units);
	if (!parse_duration(given, seconds))
		return error_hint(error_new(ERROR_USAGE, "--for %.*s: that is no time", STR_ARG(given)), "%s", units);
	if (*seconds <= OPEN_DAYS * 86400)
		return NULL;
	return error_hint(error_new(ERROR_USAGE, "--for %.*s: at most %d days", STR_ARG(given), OPEN_DAYS),
	                  "fleetwall rule add machine:%.*s ... until TIME opens for longer",
	                  STR_ARG(run->arguments[0]));
}

struct error *run_open(struct run *run)
{
	struct str name = str_lower(run->arena, run->arguments[0]);
	char id[RULE_ID_DIGITS + 1];
	struct edit edit;
	int64_t seconds = 0;

	TRY(read_duration(run, &seconds));
	if (run_option(run, "ticket").n == 0)
		return error_hint(error_new(ERROR_USAGE, "what is it for?"), "--ticket TICKET");
	TRY(edit_begin(&edit, run));
	if (fleet_machine(&edit.present, name) == NULL)
		return unknown_machine(run->arena, &edit.present, name);
	edit.wanted.roles = ARENA_NEW(run->arena, struct role);
	edit.wanted.role_count = 1;
	*edit.wanted.roles =
		(struct role){.name = machine_role_name(run->arena, name), .given = GIVEN_RULES, .rule_count = 1};
	edit.wanted.roles->rules = ARENA_NEW(run->arena, struct role_rule);
	TRY(open_rule(run, &edit.present, seconds, edit.wanted.roles->rules));
	edit.options.add_rules_to = edit.wanted.roles->name;
	rule_id(edit.wanted.roles->name, edit.wanted.roles->rules->text, id);
	edit.rule_id = str_copy(run->arena, str_of(id));
	return edit_end(&edit);
}
