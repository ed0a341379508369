/* The proof that a takeover lets in no more than what runs, by another way than the one that chose the rules: the rows
 * as they will be, read by the intent, against the filter, evaluated as a whole. */
#include "fleetwall/names.h"
#include "takeover.h"
#include "verifier.h"

struct proof {
	struct takeover *takeover;
	struct host *host;
	const struct settings *settings;
	size_t machine; /* in the target, with the machines enforced */
	unsigned ssh_port;
	struct intent *intent;
	struct fleet *wanted;
	bool again;
};

/* As the machines will be once they are enforced, whatever they are now. */
static struct fleet enforced(const struct takeover *takeover, const struct fleet *target)
{
	struct fleet fleet = *target;

	fleet.machines = ARENA_ARRAY(takeover->arena, struct machine, fleet.machine_count);
	for (size_t i = 0; i < fleet.machine_count; i++)
		fleet.machines[i] = target->machines[i];
	for (size_t i = 0; i < takeover->host_count; i++) {
		const struct machine *found = fleet_machine(target, takeover->hosts[i].name);
		struct machine *machine = found != NULL ? &fleet.machines[found - target->machines] : NULL;

		if (machine == NULL)
			continue;
		machine->enabled = true;
		machine->mode = MODE_EXCLUSIVE;
		machine->enforcement = ENFORCEMENT_ENFORCE;
	}
	return fleet;
}

/* --- examples --- */

static bool is_rate(struct str condition)
{
	return str_starts(condition, STR("limit ")) || str_starts(condition, STR("hashlimit "));
}

/* None of these holds, but for rates. */
static struct packets none_holds(const struct str *names, size_t count)
{
	struct packets set = packets_all();

	for (size_t i = 0; i < count; i++)
		if (!is_rate(names[i]))
			set = packets_without(set, packets_condition(names[i]));
	return set;
}

/* Where there are hundreds of conditions, each can only be asked of few packets. */
static struct packets few_of(struct arena *arena, struct packets set)
{
	struct sample sample;

	if (!packets_sample(arena, set, &sample))
		return set;
	set = packets_and(set, packets_number(FIELD_PROTOCOL, sample.protocol));
	set = packets_and(set, packets_number(FIELD_PORT, sample.port));
	set = packets_and(set,
	                  packets_prefix(FIELD_SOURCE, (struct prefix){sample.source, family_width(sample.family)}));
	return packets_and(set, packets_prefix(FIELD_DESTINATION,
	                                       (struct prefix){sample.destination, family_width(sample.family)}));
}

/* Those packets of which least must be known: of which no condition holds, but that rates are kept. */
static struct packets plain_of(struct arena *arena, struct packets set)
{
	struct str *names;
	size_t count = packets_conditions(arena, set, &names);
	struct packets plain = packets_and(set, none_holds(names, count));

	if (!packets_empty(plain))
		return plain;
	set = few_of(arena, set);
	for (size_t i = 0; i < count; i++) {
		struct packets condition = packets_condition(names[i]);

		plain = is_rate(names[i]) ? packets_and(set, condition) : packets_without(set, condition);
		if (!packets_empty(plain))
			set = plain;
	}
	return set;
}

static struct packets preferred(struct packets set, enum packet_field field, const char *address)
{
	struct prefix prefix;
	struct packets both;

	if (prefix_parse(str_of(address), &prefix) != PREFIX_OK)
		return set;
	both = packets_and(set, packets_prefix(field, prefix));
	return packets_empty(both) ? set : both;
}

/* Between addresses of documentation, where these are in it. */
static bool find_plain(struct arena *arena, struct packets set, struct verify_finding *shown)
{
	static const enum packet_field fields[] = {FIELD_SOURCE, FIELD_DESTINATION};
	static const char *const addresses[][2] = {{"198.51.100.7", "2001:db8::7"}, {"192.0.2.1", "2001:db8::1"}};

	set = plain_of(arena, set);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < 2; k++)
			set = preferred(set, fields[i], addresses[i != shown->out][k]);
	return find_ordinary(arena, set, shown->out, shown);
}

/* --- wider --- */

static void take_out(struct role *role, struct str text)
{
	size_t kept = 0;

	for (size_t i = 0; i < role->rule_count; i++)
		if (!str_eq(role->rules[i].text, text))
			role->rules[kept++] = role->rules[i];
	role->rule_count = kept;
}

static struct role *wanted_role(struct proof *proof, struct str name)
{
	for (size_t i = 0; i < proof->wanted->role_count; i++)
		if (str_eq(proof->wanted->roles[i].name, name))
			return &proof->wanted->roles[i];
	return NULL;
}

/* A rule of ours goes; one of another role the machine has is none of ours. */
static void blame(struct proof *proof, bool out, struct packets wider)
{
	struct arena *arena = proof->takeover->arena;
	struct str own = proof->host->role.name;
	struct verify_finding shown = {.out = out};
	struct intent_reason reason;
	struct str text;

	if (!find_plain(arena, wider, &shown))
		return;
	reason = intent_why(arena, proof->intent, proof->machine, out, &shown.packet);
	text = verify_packet_str(arena, &shown);
	for (size_t i = 0; i < reason.count; i++) {
		struct role *role = str_eq(reason.roles[i]->name, own) ? wanted_role(proof, own) : NULL;

		if (role == NULL)
			continue;
		remark(proof->takeover, (struct place){0},
		       "%.*s: left out: %.*s, which would let in more than runs: %.*s", STR_ARG(proof->host->name),
		       STR_ARG(reason.rules[i]->text), STR_ARG(text));
		take_out(role, reason.rules[i]->text);
		proof->again = true;
	}
	if (reason.count > 0 && !proof->again)
		text = str_format(arena, "%.*s, by role %.*s", STR_ARG(text), STR_ARG(reason.roles[0]->name));
	if (!proof->again)
		APPEND(arena, &proof->host->wider, text);
}

/* --- one way --- */

static void compare(struct proof *proof, unsigned which, bool out, struct packets let_in)
{
	struct arena *arena = proof->takeover->arena;
	const struct filter *filter = proof->host->filters[which];
	const struct filter_chain *chain = filter_chain(filter, out ? STR("OUTPUT") : STR("INPUT"));
	const struct filter_view view = {.sets = &proof->host->sets};
	struct space space = space_of(arena, filter, proof->settings, proof->ssh_port, out);
	struct packets compared = packets_without(space.opening, space.kept), runs = packets_none(), narrower;
	struct verify_finding shown = {.out = out};
	const struct filter_rule *last = NULL;

	if (chain != NULL)
		runs = filter_accepts(filter, &view, chain, &last);
	else if (out)
		runs = compared;
	else
		proof->host->proved = false; /* nobody says what runs */
	blame(proof, out, packets_without(packets_and(let_in, compared), runs));
	narrower = packets_without(packets_and(runs, compared), let_in);
	reach(proof->takeover, proof->host->rules[which], last);
	if (packets_spent() || proof->again || packets_empty(narrower))
		return;
	proof->host->proved = false;
	if (find_plain(arena, narrower, &shown))
		APPEND(arena, &proof->host->narrower, verify_packet_str(arena, &shown));
}

/* Thousands of rules may name a set of thousands: it is made into packets once. */
struct made_set {
	struct packets of[2]; /* as source, as destination; held */
};

struct made_sets {
	struct arena *arena;
	struct intent *intent;
	struct names *names;
	struct made_set *items; /* as the names */
	size_t count, capacity;
};

static struct packets made_once(void *context, struct str set, enum family family, enum packet_field field)
{
	struct made_sets *made = context;
	const struct addr_set *addresses;
	uint32_t number = names_add(made->names, set);
	struct packets *slot;

	if (number == made->count)
		APPEND(made->arena, made, ((struct made_set){0}));
	slot = &made->items[number].of[field == FIELD_DESTINATION];
	if (packets_empty(*slot)) {
		addresses = intent_set(made->intent, set, family);
		packets_hold(slot, addresses != NULL ? packets_addresses(field, addresses) : packets_none());
	}
	return *slot;
}

static struct intents intents_of(const struct proof *proof, enum family family)
{
	struct arena *scratch = arena_new();
	struct made_sets made = {.arena = scratch, .intent = proof->intent, .names = names_new(scratch)};
	struct intents intents =
		intent_of(proof->takeover->arena, proof->intent, proof->machine, family, made_once, &made);

	for (size_t i = 0; i < made.count; i++)
		for (unsigned k = 0; k < 2; k++)
			packets_hold(&made.items[i].of[k], packets_none());
	arena_free(scratch);
	return intents;
}

static void prove_host(struct proof *proof)
{
	struct host *host = proof->host;

	host->narrower.count = host->wider.count = 0;
	host->proved = true;
	for (unsigned which = 0; which < 2; which++) {
		size_t mark = packets_mark();
		struct intents intents;

		if (host->filters[which] == NULL)
			continue;
		intents = intents_of(proof, which == 1 ? FAMILY_6 : FAMILY_4);
		reach(proof->takeover, host->rules[which], NULL);
		compare(proof, which, false, intents.in.accepted);
		compare(proof, which, true, intents.out.accepted);
		packets_release(mark);
	}
	host->proved = host->proved && host->wider.count == 0;
}

struct error *takeover_prove(struct takeover *takeover, const struct fleet *target, const struct settings *settings,
                             struct fleet *wanted, bool *again)
{
	struct fleet fleet = enforced(takeover, target);
	struct intent *intent = intent_new(takeover->arena, &fleet, settings);

	*again = false;
	for (size_t i = 0; i < takeover->host_count; i++) {
		struct proof proof = {.takeover = takeover,
		                      .host = &takeover->hosts[i],
		                      .settings = settings,
		                      .intent = intent,
		                      .wanted = wanted};
		const struct machine *machine = fleet_machine(&fleet, proof.host->name);

		if (machine == NULL)
			return error_new(ERROR_INPUT, "machine %.*s is not in the fleet", STR_ARG(proof.host->name));
		proof.machine = (size_t)(machine - fleet.machines);
		proof.ssh_port = machine->ssh_port;
		packets_bound(takeover->bound);
		prove_host(&proof);
		TRY(reached_bound(takeover, proof.host->name));
		*again = *again || proof.again;
	}
	return NULL;
}
