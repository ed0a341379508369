/* Packets as evidence: one of a set, chosen so that a person knows it when he sees it, and told only if explain() says
 * of it what the finding says. It finds nothing by itself. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "lint_parts.h"

enum { RANGES_MOST = 1000 }; /* of many addresses the first are enough to find one */

/* --- an ordinary packet --- */

static void prefer(struct packets *set, struct packets ordinary)
{
	struct packets both = packets_and(*set, ordinary);

	if (!packets_empty(both))
		*set = both;
}

static struct packets prefix_of(enum packet_field field, const char *text)
{
	struct prefix prefix = {0};

	(void)!prefix_parse(str_of(text), &prefix);
	return packets_prefix(field, prefix);
}

static void prefer_address(struct packets *set, enum packet_field field, enum family family)
{
	/* Of documentation first; where the internet is asked for, which has none, one that everybody knows, or nobody
	 * has. */
	static const char *const four[] = {"203.0.113.7", "198.51.100.7", "192.0.2.7", "1.2.3.4", "8.8.8.8"};
	struct packets odd = packets_or(prefix_of(field, "0.0.0.0/8"), prefix_of(field, "127.0.0.0/8"));

	if (family == FAMILY_6) {
		prefer(set, packets_or(prefix_of(field, "2000::/3"), prefix_of(field, "fc00::/7")));
		prefer(set, prefix_of(field, "2001:db8::7"));
		prefer(set, prefix_of(field, "2000::7"));
		return;
	}
	prefer(set, packets_without(packets_family(FAMILY_4), packets_or(odd, prefix_of(field, "224.0.0.0/3"))));
	for (size_t i = 0; i < sizeof four / sizeof *four; i++)
		prefer(set, prefix_of(field, four[i]));
}

static void prefer_ordinary(struct packets *set, enum family family, bool out)
{
	uint8_t echo;

	prefer(set, packets_number(FIELD_PROTOCOL, PROTOCOL_TCP));
	prefer(set, packets_number(FIELD_PROTOCOL, PROTOCOL_UDP));
	if (icmp_number(ICMP_ECHO_REQUEST, family, &echo))
		prefer(set, packets_and(packets_number(FIELD_PROTOCOL,
		                                       family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6),
		                        packets_number(FIELD_PORT, (unsigned)echo << 8)));
	prefer(set, packets_interface(out ? FIELD_OUT : FIELD_IN, STR("")));
	prefer(set, packets_numbers(FIELD_PORT, 1, UINT16_MAX));
	prefer_address(set, out ? FIELD_DESTINATION : FIELD_SOURCE, family);
}

/* --- in the words of a question --- */

static struct packet_what what_of(const struct sample *packet, bool out)
{
	bool icmp = packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6;
	struct packet_what what = {
		.protocol = (uint8_t)packet->protocol,
		.icmp_name = icmp ? ICMP_NUMBER : ICMP_ANY,
		.icmp_type = (uint8_t)(packet->port >> 8),
		.icmp_code = icmp ? (int)(packet->port & UINT8_MAX) : -1,
		.interface = out ? packet->out : packet->in,
	};

	what.has_port = protocol_has_ports(what.protocol);
	what.port = what.has_port ? (uint16_t)packet->port : 0;
	return what;
}

/* Of a type that has a name, the name: it is the one that rules and explain say. */
static enum icmp_name name_of(enum family family, uint8_t type)
{
	static const enum icmp_name names[] = {ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY, ICMP_DESTINATION_UNREACHABLE,
	                                       ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM};
	uint8_t number;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (icmp_number(names[i], family, &number) && number == type)
			return names[i];
	return ICMP_NUMBER;
}

static void print_what(struct buf *buf, const struct sample *packet, const struct packet_what *what)
{
	struct port_range port = {what->port, what->port};
	struct what words = {.kind = WHAT_PROTOCOL, .protocol = what->protocol, .icmp_code = -1};

	if (what->has_port) {
		words.kind = WHAT_PORTS;
		words.ports = &port;
		words.port_count = 1;
	} else if (what->icmp_name == ICMP_NUMBER) {
		words.kind = WHAT_ICMP;
		words.icmp4 = what->protocol == PROTOCOL_ICMP;
		words.icmp6 = !words.icmp4;
		words.icmp_name = name_of(packet->family, what->icmp_type);
		words.icmp_type = what->icmp_type;
		words.icmp_code = what->icmp_code == 0 ? -1 : what->icmp_code;
	}
	what_print(buf, &words);
	if (what->interface.n > 0)
		buf_format(buf, " on %.*s", STR_ARG(what->interface));
}

static struct str text_of(const struct shown *shown, const struct sample *packet, const struct packet_what *what)
{
	struct buf buf = buf_new(shown->linting->scratch);
	struct str name = shown->linting->fleet->machines[shown->machine].name;

	if (shown->out) {
		buf_format(&buf, "%.*s -> ", STR_ARG(name));
		addr_print(&buf, packet->destination);
	} else {
		addr_print(&buf, packet->source);
		buf_format(&buf, " -> %.*s", STR_ARG(name));
	}
	buf_char(&buf, ' ');
	print_what(&buf, packet, what);
	return buf_str(&buf);
}

/* --- is it so? --- */

static bool is_by(const struct verdict *verdict, const struct lint_rule *rule)
{
	for (size_t i = 0; i < verdict->rule_count; i++)
		if (verdict->rules[i] == rule->effective)
			return true;
	return false;
}

static bool explain_says(const struct shown *shown, const struct sample *packet, const struct packet_what *what)
{
	struct end machine = {.is_machine = true, .machine = shown->machine};
	struct end other = {.addr = shown->out ? packet->destination : packet->source};
	struct verdict verdict;
	struct error *error = explain(shown->linting->scratch, shown->linting->explainer,
	                              shown->out ? &machine : &other, shown->out ? &other : &machine, what, &verdict);

	return error == NULL && verdict.stage == shown->stage && (shown->by == NULL || is_by(&verdict, shown->by));
}

unsigned lint_ssh_port(const struct linting *linting, const struct machine *machine)
{
	return machine->ssh_port != 0 ? machine->ssh_port : linting->settings->ssh_port;
}

/* What management lets in, to look elsewhere or there alone. */
static struct packets management(const struct shown *shown)
{
	const struct settings *settings = shown->linting->settings;
	unsigned port = lint_ssh_port(shown->linting, &shown->linting->fleet->machines[shown->machine]);
	struct packets tcp = packets_number(FIELD_PROTOCOL, PROTOCOL_TCP), others = packets_none();

	for (size_t i = 0; i < settings->management_count; i++)
		others = packets_or(others, packets_prefix(shown->out ? FIELD_DESTINATION : FIELD_SOURCE,
		                                           settings->management[i]));
	tcp = packets_and(tcp, packets_number(shown->out ? FIELD_SOURCE_PORT : FIELD_PORT, port));
	return packets_and(tcp, others);
}

/* What comes before the stage: deny before reject, both before allow. */
static bool comes_before(const struct lint_rule *rule, const struct shown *shown)
{
	if (!lint_is_refusing(rule) || (rule->rule->direction == DIRECTION_OUT) != shown->out)
		return false;
	return shown->stage == STAGE_ALLOW || (shown->stage == STAGE_REJECT && rule->rule->action == ACTION_DENY);
}

static struct packets refused_before(const struct shown *shown, enum family family)
{
	struct linting *linting = shown->linting;
	const struct refusing *kind = &linting->kinds[linting->kind_of[shown->machine]];
	enum packet_field field = shown->out ? FIELD_DESTINATION : FIELD_SOURCE;
	struct packets all = packets_none();

	for (size_t i = 0; i < kind->count; i++)
		for (size_t k = linting->first[kind->roles[i]]; k < linting->first[kind->roles[i] + 1]; k++) {
			struct addr_set peers;

			if (!comes_before(&linting->rules[k], shown))
				continue;
			peers = lint_all_peers(linting, &linting->rules[k], family);
			all = packets_or(all, packets_and(linting->rules[k].heads[family == FAMILY_6],
			                                  packets_addresses(field, &peers)));
		}
	return all;
}

static struct packets candidates(const struct shown *shown, struct packets heads, const struct addr_set *others)
{
	struct addr_set few = *others;
	struct packets set = packets_and(heads, shown->linting->left[others->family == FAMILY_6][shown->out]);

	if (few.count > RANGES_MOST)
		few.count = RANGES_MOST;
	set = packets_and(set, packets_state(STATE_NEW));
	set = packets_and(set, packets_addresses(shown->out ? FIELD_DESTINATION : FIELD_SOURCE, &few));
	if (shown->stage == STAGE_MANAGEMENT)
		return packets_and(set, management(shown));
	if (shown->stage == STAGE_ALLOW || shown->stage == STAGE_REJECT)
		set = packets_without(set, refused_before(shown, others->family));
	return packets_without(set, management(shown));
}

bool lint_show(const struct shown *shown, struct packets heads, const struct addr_set *others, struct str *text)
{
	size_t mark = packets_mark();
	struct packets set = candidates(shown, heads, others);
	struct packet_what what;
	struct sample packet;
	bool found;

	prefer_ordinary(&set, others->family, shown->out);
	found = packets_sample(shown->linting->scratch, set, &packet);
	packets_release(mark);
	if (!found)
		return false;
	what = what_of(&packet, shown->out);
	if (!explain_says(shown, &packet, &what))
		return false;
	*text = text_of(shown, &packet, &what);
	return true;
}
