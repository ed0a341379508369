/* Conditions of matches that hosts seldom have: what iptables(8) takes for granted is written out, so that a line and
 * what iptables-save prints of it are one condition. And which options need or shut out each other. */
#include <string.h>

#include "filter_match.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* --- what must be there, and what can't --- */

static size_t given_of(const struct part *part, const char *list)
{
	struct str rest = str_of(list), name;
	size_t count = 0;

	while (str_cut(&rest, ',', &name))
		for (size_t i = 0; i < part->count; i++)
			count += str_is(name, part->items[i].option->name);
	return count;
}

static void check_value(struct rule_state *rule, const struct given *given)
{
	struct buf buf = buf_new(rule->reader->arena);
	struct str text = given->values[0].text;

	if (given->option->words != 1 || given->option->kind == VALUE_TEXT)
		return;
	/* those have words of their own for what is wrong */
	if (given->option->kind == VALUE_PORTS || given->option->kind == VALUE_RATE)
		return;
	if (!value_spell(&buf, rule->reader->family, given->option, text))
		RULE_FAULT(rule, &given->values[0], NULL, "\"%.*s\" is no value of --%s", STR_ARG(text),
		           given->option->name);
}

bool options_fit(struct rule_state *rule, const struct part *part)
{
	const struct extension *extension = part->extension;
	struct str rest = str_of(extension->needs != NULL ? extension->needs : ""), name;

	while (extension->needs != NULL && str_cut(&rest, ',', &name))
		if (given_of(part, str_c(rule->reader->arena, name)) == 0)
			RULE_FAULT(rule, part, NULL, "%.*s needs --%.*s", STR_ARG(part->name), STR_ARG(name));
	for (size_t i = 0; i < part->count && !rule->fault; i++)
		check_value(rule, &part->items[i]);
	if (extension->one_of != NULL && given_of(part, extension->one_of) != 1)
		RULE_FAULT(rule, part, NULL, "%.*s needs one of --%s", STR_ARG(part->name), extension->one_of);
	return !rule->fault;
}

/* --- what goes without saying --- */

static const struct option *option_named(const struct part *part, const char *name)
{
	for (size_t i = 0; i < part->extension->count; i++)
		if (strcmp(part->extension->options[i].name, name) == 0)
			return &part->extension->options[i];
	return NULL;
}

/* As if it had been written. */
static void imply(struct rule_state *rule, struct part *part, const char *name, struct str value)
{
	struct given given = {.option = option_named(part, name), .values = {{.text = value}}};

	if (part_option(part, name) == NULL)
		APPEND(rule->reader->line_arena, part, given);
}

void build_recent(struct rule_state *rule, struct part *part)
{
	const struct given *name = part_option(part, "name");
	bool v4 = rule->reader->family == FAMILY_4;

	if (part_option(part, "reap") != NULL && part_option(part, "seconds") == NULL)
		RULE_FAULT(rule, part, NULL, "--reap needs --seconds");
	if (name != NULL && str_find(name->values[0].text, '/') < name->values[0].text.n)
		RULE_FAULT(rule, &name->values[0], NULL, "a list has no slash in its name");
	imply(rule, part, "name", STR("DEFAULT"));
	imply(rule, part, "mask", v4 ? STR("255.255.255.255") : STR("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	if (part_option(part, "rdest") == NULL)
		imply(rule, part, "rsource", STR(""));
	if (!rule->fault)
		build_condition(rule, part);
}

/* `! --connlimit-above` is --connlimit-upto. */
void build_connlimit(struct rule_state *rule, struct part *part)
{
	const char *widths[] = {"32", "128"};

	for (size_t i = 0; i < part->count; i++) {
		struct given *given = &part->items[i];

		if (!given->negated)
			continue;
		given->negated = false;
		given->option =
			option_named(part, strcmp(given->option->name, "connlimit-upto") == 0 ? "connlimit-above"
		                                                                              : "connlimit-upto");
	}
	imply(rule, part, "connlimit-mask", str_of(widths[rule->reader->family == FAMILY_6]));
	if (part_option(part, "connlimit-daddr") == NULL)
		imply(rule, part, "connlimit-saddr", STR(""));
	build_condition(rule, part);
}

void build_string(struct rule_state *rule, struct part *part)
{
	imply(rule, part, "from", STR("0"));
	imply(rule, part, "to", STR("65535"));
	build_condition(rule, part);
}

void build_statistic(struct rule_state *rule, struct part *part)
{
	const struct given *mode = part_option(part, "mode"), *every = part_option(part, "every");
	const struct given *packet = part_option(part, "packet");
	uint64_t n, p;

	if (str_is(mode->values[0].text, "random")) {
		if (part_option(part, "probability") == NULL || every != NULL || packet != NULL)
			RULE_FAULT(rule, part, NULL, "mode random needs --probability alone");
	} else if (!str_is(mode->values[0].text, "nth")) {
		RULE_FAULT(rule, &mode->values[0], "random, nth", "no mode of statistic");
	} else if (every == NULL || packet == NULL || !value_number(every->values[0].text, UINT32_MAX, &n) ||
	           !value_number(packet->values[0].text, UINT32_MAX, &p) || p >= n) {
		RULE_FAULT(rule, part, NULL, "mode nth needs --every N, and --packet below N");
	}
	if (!rule->fault)
		build_condition(rule, part);
}

/* --- one option, spelled in more than one way --- */

static void add_spelled(struct rule_state *rule, const struct given *given, struct str text)
{
	add_match(rule, MATCH_CONDITION, given->negated, text)->steady = true;
}

void build_pkttype(struct rule_state *rule, struct part *part)
{
	static const char *const list = "unicast,broadcast,multicast,host";
	static const char *const names[] = {"unicast", "broadcast", "multicast", "unicast"};
	const struct given *given = &part->items[0];
	int place = value_word(list, given->values[0].text);

	if (place < 0 && !str_is(given->values[0].text, "otherhost"))
		RULE_FAULT(rule, &given->values[0], "unicast, broadcast, multicast, otherhost", "no type of packets");
	else
		add_spelled(rule, given,
		            str_format(rule->reader->arena, "pkttype %s", place < 0 ? "otherhost" : names[place]));
}

void build_tos(struct rule_state *rule, struct part *part)
{
	static const char *const list =
		"Normal-Service,Minimize-Cost,Maximize-Reliability,Maximize-Throughput,Minimize-Delay";
	static const unsigned values[] = {0, 2, 4, 8, 16};
	const struct given *given = &part->items[0];
	struct str text = given->values[0].text;
	size_t slash = str_find(text, '/');
	int place = value_word(list, text);
	uint64_t value, mask = 255;

	if (place >= 0) {
		value = values[place];
		mask = 0x3f;
	} else if (!value_number(str_slice(text, 0, slash), 255, &value) ||
	           (slash < text.n && !value_number(str_slice(text, slash + 1, text.n), 255, &mask))) {
		RULE_FAULT(rule, &given->values[0], "write VALUE/MASK", "\"%.*s\" is no type of service",
		           STR_ARG(text));
		return;
	}
	add_spelled(rule, given, str_format(rule->reader->arena, "tos 0x%02x/0x%02x", (unsigned)value, (unsigned)mask));
}

/* "EF", "BE", "CS1", "AF11"; -1: none of them. */
static int dscp_class(struct str text)
{
	int first, second;

	if (value_word("EF", text) == 0)
		return 46;
	if (value_word("BE", text) == 0)
		return 0;
	if (text.n < 3 || text.n > 4)
		return -1;
	first = text.p[2] - '0';
	second = text.n == 4 ? text.p[3] - '0' : 0;
	if (text.n == 3 && value_word("CS", str_slice(text, 0, 2)) == 0 && first >= 0 && first <= 7)
		return first * 8;
	if (text.n == 4 && value_word("AF", str_slice(text, 0, 2)) == 0 && first >= 1 && first <= 4 && second >= 1 &&
	    second <= 3)
		return first * 8 + second * 2;
	return -1;
}

void build_dscp(struct rule_state *rule, struct part *part)
{
	const struct given *given = &part->items[0];
	int value = dscp_class(given->values[0].text);
	uint64_t number;

	if (strcmp(given->option->name, "dscp") == 0)
		value = value_number(given->values[0].text, 63, &number) ? (int)number : -1;
	if (value < 0)
		RULE_FAULT(rule, &given->values[0], NULL, "\"%.*s\" is no class of service",
		           STR_ARG(given->values[0].text));
	else
		add_spelled(rule, given, str_format(rule->reader->arena, "dscp %d", value));
}

/* --- what hangs on more than its options --- */

void build_ecn(struct rule_state *rule, struct part *part)
{
	bool tcp = part_option(part, "ecn-tcp-cwr") != NULL || part_option(part, "ecn-tcp-ece") != NULL;

	if (tcp && (rule->protocol != 6 || rule->protocol_negated))
		RULE_FAULT(rule, part, "add -p tcp", "this is for tcp alone");
	else
		build_conditions(rule, part);
}

void build_policy(struct rule_state *rule, struct part *part)
{
	bool in = str_is(part_option(part, "dir")->values[0].text, "in");

	not_in(rule, in ? HOOK_OUTPUT : HOOK_INPUT, in ? "--dir in" : "--dir out");
	build_condition(rule, part);
}
