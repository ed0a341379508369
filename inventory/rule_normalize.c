/* Puts a struct rule into canonical form: sorts, joins, drops, folds; and checks what the language asks of it, so that
 * a rule made by hand is as good as a parsed one. Never widens a rule, and looks no name up. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "rule_parser.h"

/* --- what --- */

static struct error *check_ports(const struct what *what)
{
	if (!protocol_has_ports(what->protocol))
		return error_new(ERROR_INPUT, "protocol number %u has no ports", what->protocol);
	if (what->port_count == 0)
		return error_new(ERROR_INPUT, "a rule about ports needs at least one");
	for (size_t i = 0; i < what->port_count; i++)
		if (what->ports[i].first > what->ports[i].last)
			return error_new(ERROR_INPUT, "the port range %u-%u ends before it begins",
			                 what->ports[i].first, what->ports[i].last);
	return NULL;
}

static struct error *check_icmp(const struct what *what)
{
	if (!what->icmp4 && !what->icmp6)
		return error_new(ERROR_INPUT, "a rule about icmp needs a family");
	if (what->icmp_name == ICMP_NUMBER && what->icmp_type == 255)
		return error_new(ERROR_INPUT, "the icmp type 255 is not possible: the kernel reads it as every type");
	if (what->icmp_code < -1 || what->icmp_code > 255)
		return error_new(ERROR_INPUT, "the icmp code %d is out of range", what->icmp_code);
	if (what->icmp_code >= 0 && what->icmp_name == ICMP_ANY)
		return error_new(ERROR_INPUT, "the icmp code %d has no type before it", what->icmp_code);
	return NULL;
}

static struct error *check_what(const struct what *what)
{
	switch (what->kind) {
	case WHAT_ALL:
		return NULL;
	case WHAT_PROTOCOL:
		if (what->protocol == 0)
			return error_new(ERROR_INPUT,
			                 "protocol 0 is not possible: the kernel reads it as every protocol");
		return NULL;
	case WHAT_PORTS:
		return check_ports(what);
	case WHAT_SERVICE:
		return service_name_check(what->service);
	case WHAT_ICMP:
		return check_icmp(what);
	}
	return error_new(ERROR_INPUT, "a rule speaks of nothing that the language knows");
}

static int port_order(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return x->first != y->first ? (int)x->first - (int)y->first : (int)x->last - (int)y->last;
}

size_t ports_normalize(struct port_range *ports, size_t count)
{
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(ports, count, sizeof *ports, port_order);
	for (size_t i = 1; i < count; i++) {
		if ((unsigned)ports[i].first > ports[kept].last + 1u)
			ports[++kept] = ports[i];
		else if (ports[i].last > ports[kept].last)
			ports[kept].last = ports[i].last;
	}
	return kept + 1;
}

/* Under icmpv4 or icmpv6 a number that has a name is that name. */
static void name_icmp_type(struct what *what)
{
	enum family family = what->icmp4 ? FAMILY_4 : FAMILY_6;
	uint8_t type;

	if (what->icmp_name != ICMP_NUMBER || (what->icmp4 && what->icmp6))
		return;
	for (int name = ICMP_ECHO_REQUEST; name <= ICMP_PARAMETER_PROBLEM; name++)
		if (icmp_number((enum icmp_name)name, family, &type) && type == what->icmp_type)
			what->icmp_name = (enum icmp_name)name;
}

/* Only the members that its kind uses are kept, so that two equal ones are equal member by member. The ports are
 * copied: an array may be shared. */
struct error *rule_what_normalize(struct arena *arena, struct what *what)
{
	struct what clean = {.kind = what->kind, .icmp_name = ICMP_ANY, .icmp_code = -1};

	TRY(check_what(what));
	if (what->kind == WHAT_PROTOCOL && (what->protocol == PROTOCOL_ICMP || what->protocol == PROTOCOL_ICMPV6)) {
		clean.kind = WHAT_ICMP;
		clean.icmp4 = what->protocol == PROTOCOL_ICMP;
		clean.icmp6 = !clean.icmp4;
	} else if (what->kind == WHAT_PROTOCOL) {
		clean.protocol = what->protocol;
	} else if (what->kind == WHAT_PORTS) {
		clean.protocol = what->protocol;
		clean.ports = ARENA_ARRAY(arena, struct port_range, what->port_count);
		memcpy(clean.ports, what->ports, what->port_count * sizeof *clean.ports);
		clean.port_count = ports_normalize(clean.ports, what->port_count);
	} else if (what->kind == WHAT_SERVICE) {
		clean.service = str_lower(arena, what->service);
	} else if (what->kind == WHAT_ICMP) {
		clean.icmp4 = what->icmp4;
		clean.icmp6 = what->icmp6;
		clean.icmp_name = what->icmp_name;
		clean.icmp_type = what->icmp_type;
		clean.icmp_code = what->icmp_code;
		name_icmp_type(&clean);
		if (clean.icmp_name != ICMP_NUMBER)
			clean.icmp_type = 0;
	}
	*what = clean;
	return NULL;
}

/* --- peers --- */

static struct error *check_literal(struct range range)
{
	if (range.family != FAMILY_4 && range.family != FAMILY_6)
		return error_new(ERROR_INPUT, "an address is neither of IPv4 nor of IPv6");
	if (range.first > range.last || range.last > family_last(range.family))
		return error_new(ERROR_INPUT, "an address range ends before it begins, or outside of its family");
	return NULL;
}

/* Folds the names, and leaves nothing in members that the kind does not use. */
static struct error *clean_peer(struct arena *arena, struct peer *peer)
{
	struct peer clean = {.kind = peer->kind};

	switch (peer->kind) {
	case PEER_LITERAL:
		TRY(check_literal(peer->literal));
		clean.literal = peer->literal;
		break;
	case PEER_SELF:
		break;
	case PEER_MACHINE:
		clean.name = str_lower(arena, peer->name);
		TRY(machine_name_check(clean.name));
		break;
	case PEER_NETWORK:
		clean.name = str_lower(arena, peer->name);
		TRY(name_check(clean.name, "network"));
		break;
	case PEER_ROLE:
		clean.name = str_lower(arena, peer->name);
		TRY(name_check(clean.name, "role"));
		if (peer->label.n > 0) {
			clean.label = str_lower(arena, peer->label);
			TRY(name_check(clean.label, "address label"));
		}
		break;
	}
	*peer = clean;
	return NULL;
}

static int bits_order(addr_bits a, addr_bits b)
{
	return (a > b) - (a < b);
}

/* Canonical order; but of two literals with the same first address the longer comes first, so that what it contains
 * follows it. */
static int peer_order(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;
	int order;

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	if (x->kind == PEER_LITERAL) {
		if (x->literal.family != y->literal.family)
			return (int)x->literal.family - (int)y->literal.family;
		order = bits_order(x->literal.first, y->literal.first);
		return order != 0 ? order : bits_order(y->literal.last, x->literal.last);
	}
	order = str_cmp(x->name, y->name);
	return order != 0 ? order : str_cmp(x->label, y->label);
}

/* In that order, a literal that lies in another lies in the last one kept: kept ones grow in both ends. */
static bool repeats(const struct peer *kept, const struct peer *peer)
{
	if (kept->kind == PEER_LITERAL && peer->kind == PEER_LITERAL)
		return range_covers(kept->literal, peer->literal);
	return peer_order(kept, peer) == 0;
}

static size_t drop_repeats(struct peer *peers, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !repeats(&peers[kept - 1], &peers[i]))
			peers[kept++] = peers[i];
	return kept;
}

/* Do the literals hold /0 of both families? Then it is the only literal of its family. */
static bool is_everyone(const struct peer *peers, size_t count)
{
	unsigned whole = 0;

	for (size_t i = 0; i < count && peers[i].kind == PEER_LITERAL; i++)
		whole += peers[i].literal.first == 0 && peers[i].literal.last == family_last(peers[i].literal.family);
	return whole == 2;
}

static struct error *normalize_peers(struct arena *arena, struct rule *rule)
{
	struct peer *peers;

	if (!rule->any && rule->peer_count == 0)
		return error_hint(error_new(ERROR_INPUT, "a rule with no peers would match nobody"),
		                  "leave it out, or disable it");
	peers = ARENA_ARRAY(arena, struct peer, rule->peer_count);
	for (size_t i = 0; i < rule->peer_count; i++) {
		peers[i] = rule->peers[i];
		TRY(clean_peer(arena, &peers[i]));
	}
	if (rule->peer_count > 1)
		qsort(peers, rule->peer_count, sizeof *peers, peer_order);
	rule->peer_count = drop_repeats(peers, rule->peer_count);
	rule->any = rule->any || is_everyone(peers, rule->peer_count);
	rule->peers = rule->any ? NULL : peers;
	if (rule->any)
		rule->peer_count = 0;
	return NULL;
}

/* --- clauses --- */

struct error *rule_check_limit(const struct rule *rule)
{
	if (rule->limit_unit == LIMIT_NONE)
		return NULL;
	if (rule->action != ACTION_ALLOW)
		return error_hint(
			error_new(ERROR_INPUT, "limit does not go with %s", word_of(word_actions, (int)rule->action)),
			"above its rate a rule does not match, so a limited deny would let floods in; limit an allow "
		        "rule instead");
	if (rule->limit < 1 || rule->limit > 1000)
		return error_hint(error_new(ERROR_INPUT, "the limit %u is out of range", rule->limit),
		                  "it is a number from 1 to 1000");
	return NULL;
}

struct error *rule_check_times(const struct rule *rule)
{
	if ((rule->since != TIME_NONE && !time_valid(rule->since)) ||
	    (rule->until != TIME_NONE && !time_valid(rule->until)))
		return error_new(ERROR_INPUT, "a time lies outside of the years 0001 to 9999");
	if (rule->since != TIME_NONE && rule->until != TIME_NONE && rule->until <= rule->since)
		return error_hint(
			error_new(ERROR_INPUT, "the rule ends before it begins: until must be later than since"),
			"it counts from since until just before until");
	return NULL;
}

struct error *rule_check_comment(const struct rule *rule)
{
	struct str comment = rule->comment;
	size_t characters = 0;

	if (str_utf8_error(comment) < comment.n || str_has_control(comment))
		return error_new(ERROR_INPUT, "a comment is one line of UTF-8 without control characters");
	for (size_t i = 0; i < comment.n; i++)
		characters += ((unsigned char)comment.p[i] & 0xc0) != 0x80;
	if (characters > COMMENT_LENGTH_MAX)
		return error_new(ERROR_INPUT, "the comment is %zu characters long; at most %d are kept", characters,
		                 COMMENT_LENGTH_MAX);
	return NULL;
}

static struct error *check_clauses(const struct rule *rule)
{
	if ((unsigned)rule->action > ACTION_REJECT || (unsigned)rule->direction > DIRECTION_OUT ||
	    (unsigned)rule->limit_unit > LIMIT_DAY)
		return error_new(ERROR_INPUT,
		                 "a rule has an action, a direction or a unit that the language does not know");
	if (rule->interface.n > 0 && !interface_valid(rule->interface))
		return error_new(ERROR_INPUT, "\"%s\" is no name of an interface", word_shown(rule->interface).text);
	TRY(rule_check_limit(rule));
	TRY(rule_check_times(rule));
	return rule_check_comment(rule);
}

/* What is printed must be a line that can be parsed again. */
static struct error *check_length(struct arena *arena, const struct rule *rule)
{
	size_t n;

	if (rule->peer_count + rule->what.port_count < 200) /* with so few no rule comes near */
		return NULL;
	n = rule_text(arena, rule).n + rule->comment.n + 3;
	if (n <= RULE_LENGTH_MAX)
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "the rule is %zu bytes long when it is written out; it may have %d", n,
	                            RULE_LENGTH_MAX),
	                  "put long lists of addresses into a network, and name it: from network:NAME");
}

static bool states_the_default(const struct rule *rule)
{
	return rule->action == ACTION_DENY && rule->what.kind == WHAT_ALL && rule->any &&
	       rule->direction == DIRECTION_IN && rule->interface.n == 0 && !rule->log && rule->since == TIME_NONE &&
	       rule->until == TIME_NONE;
}

struct error *rule_normalize(struct arena *arena, struct rule *rule, bool *stored)
{
	TRY(check_clauses(rule));
	TRY(rule_what_normalize(arena, &rule->what));
	TRY(normalize_peers(arena, rule));
	if (rule->limit_unit == LIMIT_NONE)
		rule->limit = 0;
	TRY(check_length(arena, rule));
	*stored = !states_the_default(rule);
	return NULL;
}
