/* Judging rulesets: what was read back and what the inventory says become sets of packets, and are compared fate by
 * fate, for each conntrack state. Sets are names at first (verify_names.c); their addresses are put in where names
 * alone do not decide. Reads no file, and knows nothing of how rulesets are rendered. */
#include "fleetwall/verify.h"

#include <stdlib.h>

#include "fleetwall/buf.h"
#include "verifier.h"

#define CHAIN_PREFIX STR("fleetwall")
#define CHAIN_MONITOR STR("fleetwall-monitor")

const char verify_claims[] =
	"of the filter table, every packet of both families in each conntrack state; limits and times are compared by "
	"their parameters, sets member by member";
const char verify_disclaims[] =
	"other tables and other people's chains, later fragments, what limits have counted, and what is logged";

/* --- a verifier --- */

static struct digest base_of(struct digester *digester, const struct settings *settings, struct str program)
{
	const bool switches[] = {settings->loopback,            settings->icmp_errors,  settings->established,
	                         settings->neighbour_discovery, settings->drop_invalid, settings->dhcp};
	const unsigned numbers[] = {settings->ssh_port, settings->log_rate};

	digester_add(digester, STR("fleetwall proof 1\n"));
	digester_add(digester, program);
	digester_add(digester, (struct str){(const char *)switches, sizeof switches});
	digester_add(digester, (struct str){(const char *)numbers, sizeof numbers});
	for (size_t i = 0; i < settings->management_count; i++) {
		const struct prefix *prefix = &settings->management[i];
		unsigned char bytes[18] = {(unsigned char)prefix->addr.family, (unsigned char)prefix->length};

		addr_to_bytes(prefix->addr, bytes + 2);
		digester_add(digester, (struct str){(const char *)bytes, sizeof bytes});
	}
	return digester_end(digester);
}

struct verifier *verifier_new(struct arena *arena, const struct fleet *fleet, const struct settings *settings,
                              struct str program)
{
	struct verifier *verifier = ARENA_NEW(arena, struct verifier);

	*verifier = (struct verifier){.arena = arena,
	                              .fleet = fleet,
	                              .intent = intent_new(arena, fleet, settings),
	                              .digester = digester_new(arena),
	                              .files = names_new(arena),
	                              .seen_names = names_new(arena)};
	verifier->base = base_of(verifier->digester, settings, program);
	return verifier;
}

void verifier_free(struct verifier *verifier)
{
	if (verifier != NULL)
		digester_free(verifier->digester);
}

struct intent *verifier_intent(struct verifier *verifier)
{
	return verifier->intent;
}

struct digest verify_ruleset_key(struct verifier *verifier, struct str position, const struct digest *ruleset)
{
	struct digester *digester = verifier->digester;

	digester_add(digester, STR("ruleset\n"));
	digester_add(digester, (struct str){(const char *)&verifier->base, sizeof verifier->base});
	digester_add(digester, (struct str){(const char *)ruleset, sizeof *ruleset});
	digester_add(digester, position);
	return digester_end(digester);
}

/* --- findings --- */

struct judging {
	struct arena *arena, *scratch;
	struct verifier *verifier;
	const struct verify_text *text;
	struct verify_findings *findings;
	size_t machine, machines;
	bool exclusive, today;
	bool names; /* it is asked whether names alone decide */
};

static struct verify_finding *find(struct judging *judging, enum verify_kind kind, struct str file)
{
	struct verify_finding finding = {.kind = kind,
	                                 .machine = judging->verifier->fleet->machines[judging->machine].name,
	                                 .machines = judging->machines,
	                                 .file = file};

	APPEND(judging->arena, judging->findings, finding);
	return &judging->findings->items[judging->findings->count - 1];
}

static struct str rules_file(enum family family)
{
	return family == FAMILY_4 ? STR("rules.v4") : STR("rules.v6");
}

static void find_faults(struct judging *judging, const struct error *faults, struct str file)
{
	for (; faults != NULL; faults = faults->next) {
		struct verify_finding *finding =
			find(judging, VERIFY_UNREADABLE, faults->place.file.n > 0 ? faults->place.file : file);

		finding->line = faults->place.line;
		finding->text = str_copy(judging->arena, faults->place.text);
		finding->file = str_copy(judging->arena, finding->file);
		finding->why = faults->hint.n > 0
		                       ? str_format(judging->arena, "%.*s; %.*s", STR_ARG(faults->message),
		                                    STR_ARG(faults->hint))
		                       : faults->message;
	}
}

/* --- sets.list --- */

static bool rule_names(const struct filter_rule *rule, struct str set)
{
	for (size_t i = 0; i < rule->match_count; i++)
		if (rule->matches[i].kind == MATCH_SET && str_eq(rule->matches[i].name, set))
			return true;
	return false;
}

static bool filter_names(const struct filter *filter, struct str set)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			if (rule_names(&filter->chains[i].rules[k], set))
				return true;
	return false;
}

/* What rules need and the list lacks, the reader finds. */
static void judge_list(struct judging *judging)
{
	const struct verify_text *text = judging->text;

	for (size_t i = 0; i < text->listed_count; i++)
		find(judging, VERIFY_SET, STR("sets.list"))->why = str_format(
			judging->arena, "it names \"%.*s\", which is no set file of this generation",
			STR_ARG(text->listed[i]));
	for (size_t i = 0; i < text->sets.count && !text->as_given; i++) {
		const struct filter_set *set = &text->sets.sets[i];
		const struct filter *filter = text->filters[set->family == FAMILY_6];

		if (filter != NULL && !filter_names(filter, set->name))
			find(judging, VERIFY_SET, STR("sets.list"))->why =
				str_format(judging->arena, "it names the file of the set %.*s, which no rule uses",
			                   STR_ARG(set->name));
	}
}

/* --- packets --- */

struct way {
	struct judging *judging;
	const struct filter *filter;
	bool out;
	const struct filter_chain *chain;
	struct fate fates[FATES];
};

/* Of a packet, whether it is in a set is a matter of looking. */
struct sample_view {
	struct local_view local;
	const struct sample *sample;
};

static struct packets see_sample(void *context, const struct filter_set *set, enum packet_field field)
{
	const struct sample_view *view = context;
	const struct sample *sample = view->sample;
	struct addr addr = field == FIELD_SOURCE ? sample->source : sample->destination;

	return addr_set_has(locals_addresses(&view->local, set), addr) ? packets_family(set->family) : packets_none();
}

static void find_packet(struct way *way, const char *wanted, const char *got, struct packets set)
{
	struct judging *judging = way->judging;
	struct verify_finding packet = {.out = way->out}, *finding;
	struct sample_view seen = {{judging->verifier, judging->text}, &packet.packet};
	const struct filter_view view = {&judging->text->sets, see_sample, &seen};
	const struct filter_rule *rule;

	if (!find_ordinary(judging->arena, set, way->out, &packet))
		return;
	rule = filter_decider(way->filter, &view, way->chain, &packet.packet);
	finding = find(judging, VERIFY_PACKET, rules_file(way->filter->family));
	finding->chain = str_copy(judging->arena, way->chain->name);
	finding->out = way->out;
	finding->packet = packet.packet;
	finding->untrue = packet.untrue;
	finding->untrue_count = packet.untrue_count;
	finding->wanted = str_of(wanted);
	finding->got = str_of(got);
	finding->why = reason_str(judging->arena, judging->verifier->intent, judging->machine, way->out,
	                          &packet.packet);
	if (rule != NULL) {
		finding->line = rule->line;
		finding->text = str_copy(judging->arena, rule->text);
	}
}

static bool fates_differ(const struct fate *fates)
{
	for (size_t i = 0; i < FATES; i++)
		if (!packets_eq(fates[i].wanted, fates[i].got))
			return true;
	return false;
}

/* Both are parts of the same whole: so each packet that differs is wanted in one and got in another. */
static void judge_fates(struct way *way)
{
	struct judging *judging = way->judging;
	const struct fate *fates = way->fates;

	if (!fates_differ(fates))
		return;
	judging->today = true;
	for (size_t i = 0; i < FATES && !judging->names; i++)
		for (size_t k = 0; k < FATES; k++) {
			struct packets set = i == k ? packets_none() : packets_and(fates[i].wanted, fates[k].got);

			if (!packets_empty(set))
				find_packet(way, fates[i].word, fates[k].word,
				            locals_put(judging->verifier, way->filter->family, set));
		}
}

static void fill_fates(struct way *way, const struct intended *wanted, const struct outcomes *got)
{
	const struct filter_chain *monitor = filter_chain(way->filter, CHAIN_MONITOR);
	struct packets watched = packets_none();

	if (monitor != NULL)
		watched = packets_and(got->returned, got->reached[monitor - way->filter->chains]);
	const struct fate fates[FATES] = {
		{"accepted", wanted->accepted, got->accepted},
		{"handed on to the chains of others", packets_without(wanted->passed, wanted->watched),
	         packets_without(got->returned, watched)},
		{"handed on, and logged as what would be refused", wanted->watched, watched},
		{"dropped", wanted->dropped, got->dropped},
		{"rejected with tcp-reset", wanted->reset, got->reset},
		{"rejected", wanted->rejected, got->rejected},
		{"left to a target that nobody knows", packets_none(), got->unknown},
	};

	for (size_t i = 0; i < FATES; i++)
		way->fates[i] = fates[i];
}

static struct outcomes run(struct judging *judging, const struct filter *filter, const struct filter_chain *chain)
{
	struct local_view local = {judging->verifier, judging->text};
	const struct filter_view view = {&judging->text->sets, locals_see_file, &local};

	return filter_run(judging->scratch, filter, &view, chain, intent_compared(filter->family));
}

static const struct filter_chain *chain_of(struct judging *judging, const struct filter *filter, struct str name)
{
	const struct filter_chain *chain = filter_chain(filter, name);

	if (chain == NULL)
		find(judging, VERIFY_CHAIN, rules_file(filter->family))->why =
			str_format(judging->arena, "it does not declare the chain %.*s", STR_ARG(name));
	return chain;
}

static void judge_way(struct judging *judging, const struct filter *filter, bool out, const struct intended *wanted)
{
	static const struct str chains[2][2] = {{{"fleetwall-input", 15}, {"fleetwall-output", 16}},
	                                        {{"INPUT", 5}, {"OUTPUT", 6}}};
	struct way way = {.judging = judging, .filter = filter, .out = out};
	struct outcomes got;

	way.chain = chain_of(judging, filter, chains[judging->exclusive][out]);
	if (way.chain == NULL)
		return;
	got = run(judging, filter, way.chain);
	fill_fates(&way, wanted, &got);
	judge_fates(&way);
}

static void judge_forward(struct judging *judging, const struct filter *filter)
{
	struct way way = {.judging = judging, .filter = filter};
	struct packets all = intent_compared(filter->family);
	struct outcomes got;

	way.chain = chain_of(judging, filter, STR("FORWARD"));
	if (way.chain == NULL)
		return;
	got = run(judging, filter, way.chain);
	fill_fates(&way, &(struct intended){.dropped = all}, &got);
	judge_fates(&way);
}

/* A file that is loaded beside others' chains must not speak of them: a declaration alone sets their policy. */
static void judge_chains(struct judging *judging, const struct filter *filter)
{
	for (size_t i = 0; i < filter->chain_count && !judging->exclusive; i++) {
		const struct filter_chain *chain = &filter->chains[i];

		if (str_starts(chain->name, CHAIN_PREFIX))
			continue;
		struct verify_finding *finding = find(judging, VERIFY_CHAIN, rules_file(filter->family));

		finding->line = chain->line;
		finding->why = str_format(judging->arena, "the chain %.*s is not ours in this mode",
		                          STR_ARG(chain->name));
	}
}

static void judge_family(struct judging *judging, enum family family)
{
	struct verifier *verifier = judging->verifier;
	const struct verify_text *text = judging->text;
	const struct filter *filter = text->filters[family == FAMILY_6];
	struct intents wanted;
	size_t mark;

	if (filter == NULL) {
		find_faults(judging, text->faults[family == FAMILY_6], rules_file(family));
		return;
	}
	mark = packets_mark();
	judge_chains(judging, filter);
	wanted = intent_of(judging->scratch, verifier->intent, judging->machine, family, locals_see_wanted, verifier);
	judge_way(judging, filter, false, &wanted.in);
	judge_way(judging, filter, true, &wanted.out);
	if (wanted.forward_dropped)
		judge_forward(judging, filter);
	packets_release(mark);
}

static void judge(struct judging *judging)
{
	const struct machine *about = &judging->verifier->fleet->machines[judging->machine];

	judging->exclusive = about->mode == MODE_EXCLUSIVE && about->enforcement == ENFORCEMENT_ENFORCE;
	find_faults(judging, judging->text->set_faults, STR("sets.list"));
	judge_list(judging);
	judge_family(judging, FAMILY_4);
	judge_family(judging, FAMILY_6);
}

enum verify_verdict verify_ruleset(struct arena *arena, struct arena *scratch, struct verifier *verifier,
                                   size_t machine, size_t machines, const struct verify_text *text,
                                   struct verify_findings *findings)
{
	struct judging judging = {
		.arena = arena,
		.scratch = scratch,
		.verifier = verifier,
		.text = text,
		.findings = findings,
		.machine = machine,
		.machines = machines,
	};
	size_t before = findings->count;

	judge(&judging);
	if (findings->count > before)
		return VERIFY_REFUTED;
	return judging.today ? VERIFY_PROVED_TODAY : VERIFY_PROVED;
}

bool verify_by_names(struct arena *scratch, struct verifier *verifier, size_t machine, const struct verify_text *text)
{
	struct verify_findings findings = {0};
	struct judging judging = {
		.arena = scratch,
		.scratch = scratch,
		.verifier = verifier,
		.text = text,
		.findings = &findings,
		.machine = machine,
		.names = true,
	};

	judge(&judging);
	return findings.count == 0 && !judging.today;
}
