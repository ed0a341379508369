/* Findings in words: a packet that shows the difference, chosen so that a person knows it when he sees it, what matters
 * of it, and what of the inventory decides. */
#include "fleetwall/buf.h"
#include "verifier.h"

#define FLAG_SYN 0x02
#define ECHO_4 8
#define ECHO_6 128
#define REASONS_MOST 5 /* rules by name */

struct str verify_kind_str(enum verify_kind kind)
{
	switch (kind) {
	case VERIFY_PACKET:
		return STR("packet");
	case VERIFY_SET:
		return STR("set");
	case VERIFY_UNREADABLE:
		return STR("unreadable");
	case VERIFY_CHAIN:
		return STR("chain");
	case VERIFY_MISSING:
		return STR("missing");
	}
	return STR("");
}

/* --- an ordinary packet --- */

/* Of the set, what is ordinary in one way, if there is some of it. */
static bool prefer(struct packets *set, struct packets ordinary)
{
	struct packets both = packets_and(*set, ordinary);

	if (packets_empty(both))
		return false;
	*set = both;
	return true;
}

static struct packets prefix_of(enum packet_field field, const char *text)
{
	struct prefix prefix = {0};

	(void)!prefix_parse(str_of(text), &prefix);
	return packets_prefix(field, prefix);
}

/* Of one host, that others may have. */
static struct packets unicast(enum packet_field field)
{
	struct packets odd = packets_or(prefix_of(field, "0.0.0.0/8"), prefix_of(field, "127.0.0.0/8"));
	struct packets six = packets_or(prefix_of(field, "2000::/3"), prefix_of(field, "fc00::/7"));

	odd = packets_or(odd, prefix_of(field, "224.0.0.0/3"));
	odd = packets_or(odd, prefix_of(field, "169.254.0.0/16"));
	return packets_or(packets_without(packets_family(FAMILY_4), odd), six);
}

static void prefer_protocol(struct packets *set)
{
	static const unsigned protocols[] = {PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP, PROTOCOL_ICMPV6};
	struct packets icmp = packets_or(packets_number(FIELD_PROTOCOL, PROTOCOL_ICMP),
	                                 packets_number(FIELD_PROTOCOL, PROTOCOL_ICMPV6));
	struct packets echo =
		packets_or(packets_number(FIELD_PORT, ECHO_4 << 8), packets_number(FIELD_PORT, ECHO_6 << 8));

	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (prefer(set, packets_number(FIELD_PROTOCOL, protocols[i])))
			break;
	prefer(set, packets_or(packets_not(packets_number(FIELD_PROTOCOL, PROTOCOL_TCP)),
	                       packets_number(FIELD_FLAGS, FLAG_SYN)));
	prefer(set, packets_or(packets_not(icmp), echo));
}

static void prefer_interfaces(struct packets *set, bool out)
{
	enum packet_field here = out ? FIELD_OUT : FIELD_IN, there = out ? FIELD_IN : FIELD_OUT;

	prefer(set, packets_interface(there, STR("")));
	if (!prefer(set, packets_interface(here, STR("eth0"))))
		prefer(set, packets_not(packets_interface(here, STR(""))));
}

/* Below every limit, and before every end. */
static void prefer_conditions(struct arena *arena, struct packets *set)
{
	struct str *names;
	size_t count = packets_conditions(arena, *set, &names);

	for (size_t i = 0; i < count; i++)
		prefer(set, packets_condition(names[i]));
}

/* Names are the diagrams', which may end before the finding is printed. */
static void keep_conditions(struct arena *arena, struct packets set, struct verify_finding *finding)
{
	struct sample *sample = &finding->packet;
	struct str *names, *kept = ARENA_ARRAY(arena, struct str, sample->condition_count);
	size_t count = packets_conditions(arena, set, &names);

	finding->untrue = ARENA_ARRAY(arena, struct str, count);
	for (size_t i = 0; i < count; i++)
		if (!str_among(names[i], sample->conditions, sample->condition_count))
			finding->untrue[finding->untrue_count++] = str_copy(arena, names[i]);
	for (size_t i = 0; i < sample->condition_count; i++)
		kept[i] = str_copy(arena, sample->conditions[i]);
	sample->conditions = kept;
}

bool find_ordinary(struct arena *arena, struct packets set, bool out, struct verify_finding *finding)
{
	prefer(&set, packets_state(STATE_NEW));
	prefer_conditions(arena, &set);
	prefer_protocol(&set);
	prefer_interfaces(&set, out);
	prefer(&set, unicast(FIELD_SOURCE));
	prefer(&set, unicast(FIELD_DESTINATION));
	prefer(&set, packets_numbers(FIELD_SOURCE_PORT, 1024, UINT16_MAX));
	prefer(&set, packets_numbers(FIELD_PORT, 1, UINT16_MAX));
	if (!packets_sample(arena, set, &finding->packet))
		return false;
	keep_conditions(arena, set, finding);
	return true;
}

/* --- in words --- */

static const char *state_name(enum packet_state state)
{
	switch (state) {
	case STATE_INVALID:
		return "invalid";
	case STATE_NEW:
		return "new";
	case STATE_ESTABLISHED:
		return "established";
	case STATE_RELATED:
		return "related";
	case STATE_UNTRACKED:
		return "untracked";
	case STATE_COUNT:
		break;
	}
	return "";
}

static bool is_icmp(const struct sample *packet)
{
	return packet->protocol == (packet->family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

static bool has_ports(unsigned protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_UDPLITE ||
	       protocol == PROTOCOL_SCTP || protocol == PROTOCOL_DCCP;
}

/* As iptables spells them. */
static void say_flags(struct buf *buf, unsigned flags)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	const char *before = " flags ";

	if (flags == 0)
		buf_add(buf, STR(" without flags"));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((flags >> i & 1) != 0) {
			buf_format(buf, "%s%s", before, names[i]);
			before = ",";
		}
}

static void say_ports(struct buf *buf, const struct sample *packet)
{
	if (is_icmp(packet)) {
		buf_format(buf, " type %u code %u", packet->port >> 8, packet->port & 0xff);
		return;
	}
	if (!has_ports(packet->protocol))
		return;
	buf_format(buf, " port %u", packet->port);
	if (packet->needs[FIELD_SOURCE_PORT])
		buf_format(buf, " from port %u", packet->source_port);
	if (packet->protocol == PROTOCOL_TCP && packet->needs[FIELD_FLAGS])
		say_flags(buf, packet->flags);
}

static void say_conditions(struct buf *buf, const char *lead, const struct str *conditions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_format(buf, "%s%.*s", i == 0 ? lead : "; ", STR_ARG(conditions[i]));
}

struct str verify_packet_str(struct arena *arena, const struct verify_finding *finding)
{
	struct buf buf = buf_new(arena);
	const struct sample *packet = &finding->packet;
	struct str interface = finding->out ? packet->out : packet->in;

	buf_format(&buf, "%s ", state_name(packet->state));
	protocol_print(&buf, (uint8_t)packet->protocol);
	buf_char(&buf, ' ');
	addr_print(&buf, packet->source);
	buf_add(&buf, STR(" -> "));
	addr_print(&buf, packet->destination);
	say_ports(&buf, packet);
	/* The least of the names that no rule has is no word. */
	if (str_has_control(interface))
		interface = STR("another interface");
	if (interface.n > 0)
		buf_format(&buf, " %s %.*s", finding->out ? "out on" : "in on", STR_ARG(interface));
	say_conditions(&buf, ", while this holds: ", packet->conditions, packet->condition_count);
	say_conditions(&buf, ", while this does not: ", finding->untrue, finding->untrue_count);
	return buf_str(&buf);
}

struct str reason_str(struct arena *arena, struct intent *intent, size_t machine, bool out,
                      const struct sample *packet)
{
	struct intent_reason reason = intent_why(arena, intent, machine, out, packet);
	struct buf buf = buf_new(arena);

	buf_add(&buf, reason.stage);
	for (size_t i = 0; i < reason.count && i < REASONS_MOST; i++)
		buf_format(&buf, "%s role %.*s: %.*s", i == 0 ? ":" : ",", STR_ARG(reason.roles[i]->name),
		           STR_ARG(reason.rules[i]->text));
	if (reason.count > REASONS_MOST)
		buf_format(&buf, ", and %zu more", reason.count - REASONS_MOST);
	return buf_str(&buf);
}

/* --- a finding --- */

static void print_place(struct buf *buf, const struct verify_finding *finding)
{
	if (finding->machine.n > 0)
		buf_format(buf, "machine %.*s", STR_ARG(finding->machine));
	if (finding->machines > 1)
		buf_format(buf, " (and %zu more alike)", finding->machines - 1);
	if (finding->machine.n > 0 && finding->file.n > 0)
		buf_add(buf, STR(": "));
	buf_add(buf, finding->file);
	if (finding->line > 0)
		buf_format(buf, ":%u", finding->line);
}

static void print_packet(struct buf *buf, const struct verify_finding *finding)
{
	struct str packet = verify_packet_str(buf->arena, finding);

	buf_format(buf, ": in %.*s must be %.*s, and is %.*s\n", STR_ARG(finding->chain), STR_ARG(finding->wanted),
	           STR_ARG(finding->got));
	buf_format(buf, "    packet:    %.*s\n", STR_ARG(packet));
	buf_format(buf, "    inventory: %.*s\n", STR_ARG(finding->why));
	if (finding->line > 0)
		buf_format(buf, "    line:      %.*s\n", STR_ARG(finding->text));
	else
		buf_add(buf, STR("    line:      none; the end of the chain decides\n"));
}

void verify_print(struct buf *buf, const struct verify_finding *finding)
{
	print_place(buf, finding);
	if (finding->kind == VERIFY_PACKET) {
		print_packet(buf, finding);
		return;
	}
	buf_format(buf, ": %.*s\n", STR_ARG(finding->why));
	if (finding->text.n > 0)
		buf_format(buf, "    line:      %.*s\n", STR_ARG(finding->text));
}

struct error *verify_error(const struct verify_finding *finding)
{
	struct arena *scratch = arena_new();
	struct buf place = buf_new(scratch);
	struct str packet;
	struct error *error;

	print_place(&place, finding);
	if (finding->kind == VERIFY_PACKET) {
		packet = verify_packet_str(scratch, finding);
		error = error_hint(error_new(ERROR_GUARD, "%.*s: %.*s must be %.*s, and is %.*s", (int)place.n, place.p,
		                             STR_ARG(packet), STR_ARG(finding->wanted), STR_ARG(finding->got)),
		                   "of the inventory decides %.*s; of the file %.*s", STR_ARG(finding->why),
		                   STR_ARG(finding->line > 0 ? finding->text : STR("the end of the chain")));
	} else {
		error = error_new(ERROR_GUARD, "%.*s: %.*s", (int)place.n, place.p, STR_ARG(finding->why));
	}
	arena_free(scratch);
	return error;
}
