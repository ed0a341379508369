/* Reading one line of a rules file for the guard against lock-outs: may it match an SSH packet, must it, and what does
 * it do then? Knows the few options that it needs, in their exact spelling; all others are doubts, and what could hide
 * a target makes the whole line one that may refuse. */
#include "guard_match.h"

#include <string.h>

#include "guard_lines.h"

enum option_kind {
	OPTION_CHAIN,
	OPTION_SOURCE,
	OPTION_DESTINATION,
	OPTION_PROTOCOL,
	OPTION_MATCH,
	OPTION_SPORT,
	OPTION_DPORT,
	OPTION_STATE,
	OPTION_JUMP,
	OPTION_NARROWS,   /* one value; who knows what it leaves out */
	OPTION_INTERFACE, /* narrows; whatever stands behind it is its value, as an interface may have any name */
	OPTION_HARMLESS,  /* one value, and no say in what matches */
};

#define TEXT(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	} /* as STR(), where constants are asked for */

static const struct option {
	struct str name;
	enum option_kind kind;
} options[] = {
	{TEXT("-A"), OPTION_CHAIN},
	{TEXT("-s"), OPTION_SOURCE},
	{TEXT("-d"), OPTION_DESTINATION},
	{TEXT("-p"), OPTION_PROTOCOL},
	{TEXT("-m"), OPTION_MATCH},
	{TEXT("-i"), OPTION_INTERFACE},
	{TEXT("-o"), OPTION_INTERFACE},
	{TEXT("--sport"), OPTION_SPORT},
	{TEXT("--sports"), OPTION_SPORT},
	{TEXT("--dport"), OPTION_DPORT},
	{TEXT("--dports"), OPTION_DPORT},
	{TEXT("--ctstate"), OPTION_STATE},
	{TEXT("--state"), OPTION_STATE},
	{TEXT("-j"), OPTION_JUMP},
	{TEXT("-g"), OPTION_JUMP},
	{TEXT("--comment"), OPTION_HARMLESS},
	{TEXT("--log-prefix"), OPTION_HARMLESS},
	{TEXT("--log-level"), OPTION_HARMLESS},
	{TEXT("--nflog-prefix"), OPTION_HARMLESS},
	{TEXT("--nflog-group"), OPTION_HARMLESS},
	{TEXT("--reject-with"), OPTION_HARMLESS},
};

enum {
	PORT_LAST = 65535,
	PORT_EPHEMERAL = 1024, /* a client's port is never below */
};

struct reader {
	const struct ssh_packet *packet;
	struct line_match *match;
	bool odd;
};

/* Options can be abbreviated and glued to their value (getopt(3)), so any word that could hide -j or -g is odd. */
static bool may_hide_target(struct str word)
{
	if (word.n < 2 || word.p[0] != '-')
		return false;
	return word.p[1] != '-' || (word.n > 2 && (word.p[2] == 'j' || word.p[2] == 'g'));
}

static const struct option *option_find(struct str word)
{
	if (word.n == 0 || word.p[0] != '-')
		return NULL;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (word.n == options[i].name.n && str_eq(word, options[i].name))
			return &options[i];
	return NULL;
}

static void doubt(struct reader *r)
{
	r->match->must = 0;
}

static void excludes(struct reader *r)
{
	r->match->may = r->match->must = 0;
}

static void read_address(struct reader *r, struct str value, bool negated, bool peers)
{
	struct prefix prefix;

	/* 10.0.0.1/8 is what the kernel makes of it, 10.0.0.0/8. */
	if (!peers || prefix_parse(value, &prefix) == PREFIX_BAD || prefix.addr.family != r->packet->family) {
		doubt(r);
		return;
	}
	if (r->match->has_range)
		r->odd = true;
	r->match->has_range = true;
	r->match->outside = negated;
	r->match->range = prefix_range(prefix);
}

static void read_protocol(struct reader *r, struct str value, bool negated)
{
	static const char *const others[] = {"udp",  "udplite", "icmp", "icmpv6", "ipv6-icmp",
	                                     "sctp", "dccp",    "esp",  "ah",     "gre"};
	uint64_t number = 256;
	bool other = false;

	if (str_is(value, "tcp") || (str_number(value, 255, &number) && number == 6) || number == 0 ||
	    str_is(value, "all")) {
		if (negated)
			excludes(r);
		return;
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		other = other || str_is(value, others[i]);
	if (!other && number == 256)
		doubt(r);
	else if (!negated)
		excludes(r);
}

static bool port_number(struct str s, unsigned absent, unsigned *port)
{
	uint64_t number = absent;

	if (s.n > 0 && !str_number(s, PORT_LAST, &number))
		return false;
	*port = (unsigned)number;
	return true;
}

/* Does the list (`22`, `22:80`, `22,80:90`) touch first–last? False as an answer of its own where it can't be read. */
static bool ports_touch(struct str list, unsigned first, unsigned last, bool *touch)
{
	struct str part;

	*touch = false;
	while (str_cut(&list, ',', &part)) {
		size_t colon = str_find(part, ':');
		struct str low = str_slice(part, 0, colon);
		struct str high = colon < part.n ? str_slice(part, colon + 1, part.n) : low;
		unsigned from, to;

		if (part.n == 0 || !port_number(low, 0, &from) || !port_number(high, PORT_LAST, &to))
			return false;
		*touch = *touch || (from <= last && first <= to);
	}
	return true;
}

/* The machine's own port is known; of the other end's, that it is not one of the first. */
static void read_ports(struct reader *r, struct str value, bool negated, bool own)
{
	unsigned first = own ? r->packet->port : PORT_EPHEMERAL, last = own ? r->packet->port : PORT_LAST;
	bool touch;

	if (!ports_touch(value, first, last, &touch) || (!own && (touch || negated)))
		doubt(r);
	else if (touch == negated)
		excludes(r);
}

static void read_states(struct reader *r, struct str value, bool negated)
{
	unsigned states = 0;
	struct str part;

	while (str_cut(&value, ',', &part)) {
		if (str_is(part, "NEW"))
			states |= PACKET_NEW;
		else if (str_is(part, "ESTABLISHED"))
			states |= PACKET_ESTABLISHED;
		else if (!str_is(part, "RELATED") && !str_is(part, "INVALID") && !str_is(part, "UNTRACKED")) {
			doubt(r);
			return;
		}
	}
	if (negated)
		states = ~states;
	r->match->may &= states;
	r->match->must &= states;
}

static void read_match(struct reader *r, struct str value)
{
	static const char *const known[] = {"tcp",   "udp",     "multiport", "conntrack",
	                                    "state", "comment", "icmp",      "icmp6"};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_is(value, known[i]))
			return;
	doubt(r);
	if (str_is(value, "hashlimit"))
		r->match->drops_when_full = true;
}

static void read_target(struct reader *r, struct str value)
{
	if (r->match->target.n > 0)
		r->odd = true;
	r->match->target = value;
	if (str_is(value, "ACCEPT"))
		r->match->effect = LINE_ACCEPTS;
	else if (str_is(value, "RETURN"))
		r->match->effect = LINE_RETURNS;
	else if (!str_is(value, "LOG") && !str_is(value, "NFLOG"))
		r->match->effect = LINE_REFUSES;
}

static void read_option(struct reader *r, enum option_kind kind, struct str value, bool negated)
{
	bool out = r->packet->outbound;

	switch (kind) {
	case OPTION_SOURCE:
	case OPTION_DESTINATION:
		read_address(r, value, negated, (kind == OPTION_DESTINATION) == out);
		return;
	case OPTION_PROTOCOL:
		read_protocol(r, value, negated);
		return;
	case OPTION_SPORT:
	case OPTION_DPORT:
		read_ports(r, value, negated, (kind == OPTION_SPORT) == out);
		return;
	case OPTION_STATE:
		read_states(r, value, negated);
		return;
	case OPTION_MATCH:
		read_match(r, value);
		return;
	case OPTION_JUMP:
		read_target(r, value);
		return;
	case OPTION_NARROWS:
	case OPTION_INTERFACE:
		doubt(r);
		return;
	case OPTION_CHAIN:
	case OPTION_HARMLESS:
		return;
	}
}

static void read_words(struct reader *r, const struct words *words)
{
	bool negated = false;

	for (size_t i = 0; i < words->count; i++) {
		struct str word = words->word[i];
		const struct option *option = option_find(word);

		if (str_is(word, "!")) {
			negated = true;
			continue;
		}
		if (option == NULL) {
			r->odd = r->odd || may_hide_target(word);
			doubt(r);
		} else if (i + 1 == words->count ||
		           (option->kind != OPTION_INTERFACE &&
		            (str_is(words->word[i + 1], "!") || may_hide_target(words->word[i + 1]))))
			r->odd = true; /* what we take for its value may be an option, and this one a value */
		else
			read_option(r, option->kind, words->word[++i], negated);
		negated = false;
	}
}

void line_match_read(struct str line, const struct ssh_packet *packet, struct line_match *match)
{
	struct reader r = {.packet = packet, .match = match};
	struct words words;

	*match = (struct line_match){.effect = LINE_GOES_ON, .may = ~0u, .must = ~0u};
	words_of(line, &words);
	r.odd = words.odd;
	read_words(&r, &words);
	if (r.odd)
		*match = (struct line_match){.effect = LINE_REFUSES, .target = match->target, .may = ~0u, .odd = true};
}
