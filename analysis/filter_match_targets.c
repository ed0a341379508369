/* The targets that are known, with their options, and their text. What passes a packet on has no say in its verdict; a
 * target whose verdict nobody knows here is one of its own kind. */
#include <string.h>

#include "filter_match.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define OPTION(name_)                                           \
	{                                                       \
		.name = (name_), .kind = VALUE_TEXT, .words = 1 \
	}
#define PLAIN(name_)            \
	{                       \
		.name = (name_) \
	}
#define PAIR(name_)                         \
	{                                   \
		.name = (name_), .words = 2 \
	}
#define NUMBER(name_, max_)                                                      \
	{                                                                        \
		.name = (name_), .kind = VALUE_NUMBER, .words = 1, .max = (max_) \
	}
#define MARK(name_)                                             \
	{                                                       \
		.name = (name_), .kind = VALUE_MARK, .words = 1 \
	}

static const struct option reject[] = {OPTION("reject-with")};
static const struct option log_[] = {
	OPTION("log-prefix"),    OPTION("log-level"), PLAIN("log-tcp-sequence"), PLAIN("log-tcp-options"),
	PLAIN("log-ip-options"), PLAIN("log-uid"),    PLAIN("log-macdecode"),
};
static const struct option nflog[] = {
	OPTION("nflog-prefix"),           NUMBER("nflog-group", UINT16_MAX),     NUMBER("nflog-range", UINT32_MAX),
	NUMBER("nflog-size", UINT32_MAX), NUMBER("nflog-threshold", UINT16_MAX),
};
static const struct option ulog[] = {
	OPTION("ulog-prefix"),
	NUMBER("ulog-nlgroup", 32),
	NUMBER("ulog-cprange", UINT32_MAX),
	NUMBER("ulog-qthreshold", 50),
};
static const struct option mark[] = {
	MARK("set-xmark"), MARK("set-mark"), MARK("and-mark"), MARK("or-mark"), MARK("xor-mark"),
};
static const struct option connmark[] = {
	MARK("set-xmark"),          MARK("set-mark"),   MARK("and-mark"),      MARK("or-mark"),
	MARK("xor-mark"),           PLAIN("save-mark"), PLAIN("restore-mark"), OPTION("left-shift-mark"),
	OPTION("right-shift-mark"), MARK("nfmask"),     MARK("ctmask"),        MARK("mask"),
};
static const struct option set[] = {
	PAIR("add-set"),   PAIR("del-set"),   PAIR("map-set"),    PLAIN("exist"), NUMBER("timeout", UINT32_MAX),
	PLAIN("map-mark"), PLAIN("map-prio"), PLAIN("map-queue"),
};
static const struct option tcpmss[] = {NUMBER("set-mss", UINT16_MAX), PLAIN("clamp-mss-to-pmtu")};
static const struct option classify[] = {OPTION("set-class")};
static const struct option audit[] = {OPTION("type")};
static const struct option idletimer[] = {NUMBER("timeout", UINT32_MAX), OPTION("label"), PLAIN("alarm")};
static const struct option led[] = {OPTION("led-trigger-id"), OPTION("led-delay"), PLAIN("led-always-blink")};
static const struct option rateest[] = {
	OPTION("rateest-name"),
	OPTION("rateest-interval"),
	OPTION("rateest-ewmalog"),
};
static const struct option tee[] = {{.name = "gateway", .kind = VALUE_HOST, .words = 1}, OPTION("oif")};
static const struct option nfqueue[] = {
	NUMBER("queue-num", UINT16_MAX),
	OPTION("queue-balance"),
	PLAIN("queue-bypass"),
	PLAIN("queue-cpu-fanout"),
};
static const struct option synproxy[] = {
	PLAIN("sack-perm"), PLAIN("timestamp"), NUMBER("wscale", 14), NUMBER("mss", UINT16_MAX), PLAIN("ecn"),
};

#define OPTIONS(list_) .options = (list_), .count = sizeof(list_) / sizeof *(list_)
#define NOT_HERE(name_)                                                                                       \
	{                                                                                                     \
		.name = (name_), .families = BOTH, .target = TARGET_UNKNOWN, .open = true, .hooks = HOOKS_ALL \
	}
#define FOREIGN(name_)                                                                    \
	{                                                                                 \
		.name = (name_), .families = BOTH, .target = TARGET_UNKNOWN, .open = true \
	}

static const struct extension targets[] = {
	{"ACCEPT", .families = BOTH, .target = TARGET_ACCEPT},
	{"DROP", .families = BOTH, .target = TARGET_DROP},
	{"RETURN", .families = BOTH, .target = TARGET_RETURN},
	{"REJECT", .families = BOTH, .target = TARGET_REJECT, OPTIONS(reject)},
	{"LOG", .families = BOTH, .target = TARGET_PASS, OPTIONS(log_)},
	{"NFLOG", .families = BOTH, .target = TARGET_PASS, OPTIONS(nflog)},
	{"ULOG", .families = ONLY_4, .target = TARGET_PASS, OPTIONS(ulog)},
	{"MARK", .families = BOTH, .target = TARGET_PASS, .one_of = "set-xmark,set-mark,and-mark,or-mark,xor-mark",
         OPTIONS(mark)},
	{"CONNMARK", .families = BOTH, .target = TARGET_PASS,
         .one_of = "set-xmark,set-mark,and-mark,or-mark,xor-mark,save-mark,restore-mark", OPTIONS(connmark)},
	{"SET", .families = BOTH, .target = TARGET_PASS, OPTIONS(set)},
	{"TCPMSS", .families = BOTH, .target = TARGET_PASS, .protocol = 6, .hooks = HOOK_INPUT,
         .one_of = "set-mss,clamp-mss-to-pmtu", OPTIONS(tcpmss)},
	{"CLASSIFY", .families = BOTH, .target = TARGET_PASS, .hooks = HOOK_INPUT, OPTIONS(classify)},
	{"AUDIT", .families = BOTH, .target = TARGET_PASS, OPTIONS(audit)},
	{"IDLETIMER", .families = BOTH, .target = TARGET_PASS, OPTIONS(idletimer)},
	{"LED", .families = BOTH, .target = TARGET_PASS, OPTIONS(led)},
	{"RATEEST", .families = BOTH, .target = TARGET_PASS, OPTIONS(rateest)},
	{"TEE", .families = BOTH, .target = TARGET_PASS, OPTIONS(tee)},
	{"TRACE", .families = BOTH, .target = TARGET_PASS},
	/* a program in user space decides, or an answer is made up */
	{"QUEUE", .families = BOTH, .target = TARGET_UNKNOWN},
	{"NFQUEUE", .families = BOTH, .target = TARGET_UNKNOWN, OPTIONS(nfqueue)},
	{"SYNPROXY", .families = BOTH, .target = TARGET_UNKNOWN, .protocol = 6, .hooks = HOOK_OUTPUT,
         OPTIONS(synproxy)},
	/* of other collections of extensions: TARPIT, … */
	FOREIGN("TARPIT"),
	FOREIGN("DELUDE"),
	FOREIGN("CHAOS"),
	FOREIGN("ACCOUNT"),
	FOREIGN("ECHO"),
	FOREIGN("STEAL"),
	FOREIGN("IPMARK"),
	FOREIGN("LOGMARK"),
	FOREIGN("PROTO"),
	FOREIGN("SYSRQ"),
	FOREIGN("DHCPMAC"),
	FOREIGN("HMARK"),
	FOREIGN("FLOWOFFLOAD"),
	FOREIGN("NDPI"),
	FOREIGN("RTPENGINE"),
	FOREIGN("MEDIAPROXY"),
	FOREIGN("MIRROR"),
	FOREIGN("CLUSTERIP"),
	FOREIGN("XOR"),
	/* of other tables */
	NOT_HERE("SNAT"),
	NOT_HERE("DNAT"),
	NOT_HERE("MASQUERADE"),
	NOT_HERE("REDIRECT"),
	NOT_HERE("NETMAP"),
	NOT_HERE("TPROXY"),
	NOT_HERE("NOTRACK"),
	NOT_HERE("CT"),
	NOT_HERE("TOS"),
	NOT_HERE("DSCP"),
	NOT_HERE("TTL"),
	NOT_HERE("HL"),
	NOT_HERE("ECN"),
	NOT_HERE("CHECKSUM"),
	NOT_HERE("TCPOPTSTRIP"),
	NOT_HERE("SAME"),
	NOT_HERE("DNPT"),
	NOT_HERE("SNPT"),
	NOT_HERE("RAWSNAT"),
	NOT_HERE("RAWDNAT"),
	NOT_HERE("SECMARK"),
	NOT_HERE("CONNSECMARK"),
};

const struct extension *extension_target(struct str name, enum family family)
{
	unsigned bit = family == FAMILY_4 ? ONLY_4 : ONLY_6;

	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
		if ((targets[i].families & bit) != 0 && name.n > 0 && targets[i].name[0] == name.p[0] &&
		    str_is(name, targets[i].name))
			return &targets[i];
	return NULL;
}

/* --- the text of a target --- */

struct answer {
	const char *name, *other;
};

static const struct answer answers_4[] = {
	{"icmp-net-unreachable", "net-unreach"},
	{"icmp-host-unreachable", "host-unreach"},
	{"icmp-proto-unreachable", "proto-unreach"},
	{"icmp-port-unreachable", "port-unreach"},
	{"icmp-net-prohibited", "net-prohib"},
	{"icmp-host-prohibited", "host-prohib"},
	{"tcp-reset", "tcp-rst"},
	{"icmp-admin-prohibited", "admin-prohib"},
};
static const struct answer answers_6[] = {
	{"icmp6-no-route", "no-route"},
	{"icmp6-adm-prohibited", "adm-prohibited"},
	{"icmp6-addr-unreachable", "addr-unreach"},
	{"icmp6-port-unreachable", "port-unreach"},
	{"tcp-reset", "tcp-reset"},
	{"icmp6-policy-fail", "policy-fail"},
	{"icmp6-reject-route", "reject-route"},
};

/* The first that begins with the text, in any case, as iptables takes it. */
static const char *answer_of(const struct answer *answers, size_t count, struct str text)
{
	for (size_t i = 0; i < count; i++)
		if (strncasecmp(answers[i].name, text.p, text.n) == 0 ||
		    strncasecmp(answers[i].other, text.p, text.n) == 0)
			return answers[i].name;
	return NULL;
}

static struct str reject_text(struct rule_state *rule, const struct part *part)
{
	const struct given *given = part_option(part, "reject-with");
	bool v4 = rule->reader->family == FAMILY_4;
	const char *answer = v4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";

	if (given != NULL)
		answer = v4 ? answer_of(answers_4, sizeof answers_4 / sizeof *answers_4, given->values[0].text)
		            : answer_of(answers_6, sizeof answers_6 / sizeof *answers_6, given->values[0].text);
	if (answer == NULL) {
		RULE_FAULT(rule, &given->values[0], NULL, "IPv%d has no answer \"%.*s\"", rule->reader->family,
		           STR_ARG(given->values[0].text));
		return STR("");
	}
	if (strcmp(answer, "tcp-reset") == 0 && rule->protocol != 6)
		RULE_FAULT(rule, &given->values[0], "add -p tcp", "tcp-reset is for tcp alone");
	return str_format(rule->reader->arena, "REJECT --reject-with %s", answer);
}

static int level_of(struct str text)
{
	static const char *const levels = "emerg,alert,crit,error,warning,notice,info,debug";
	uint64_t number;

	if (value_number(text, 7, &number))
		return (int)number;
	if (str_is(text, "panic"))
		return 0;
	return value_word(levels, text);
}

static void print_value(struct buf *buf, struct str text)
{
	bool plain = text.n > 0;

	for (size_t i = 0; i < text.n && plain; i++)
		plain = text.p[i] > ' ' && text.p[i] != '"' && text.p[i] != '\\' && text.p[i] != '\'';
	buf_add(buf, plain ? STR(" ") : STR(" \""));
	for (size_t i = 0; i < text.n; i++) {
		if (!plain && (text.p[i] == '"' || text.p[i] == '\\'))
			buf_char(buf, '\\');
		buf_char(buf, text.p[i]);
	}
	if (!plain)
		buf_char(buf, '"');
}

/* What the kernel keeps of a prefix. */
static void print_prefix(struct rule_state *rule, struct buf *buf, const struct given *given, size_t max)
{
	if (given->values[0].text.n == 0)
		RULE_FAULT(rule, &given->at, "leave the option out", "an empty prefix");
	buf_format(buf, " --%s", given->option->name);
	print_value(buf, str_slice(given->values[0].text, 0, max));
}

/* Every way to change a mark is one: bits of the mask are cleared, then those of the value turned. */
static void print_mark(struct rule_state *rule, struct buf *buf, const struct given *given)
{
	const char *name = given->option->name;
	struct str text = given->values[0].text;
	size_t slash = str_find(text, '/');
	uint64_t value, mask = UINT32_MAX;

	if (!value_number(str_slice(text, 0, slash), UINT32_MAX, &value) ||
	    (slash < text.n && !value_number(str_slice(text, slash + 1, text.n), UINT32_MAX, &mask))) {
		RULE_FAULT(rule, &given->values[0], "write VALUE or VALUE/MASK", "\"%.*s\" is no mark", STR_ARG(text));
		return;
	}
	if (strcmp(name, "mask") == 0) {
		buf_format(buf, " --nfmask 0x%x --ctmask 0x%x", (unsigned)value, (unsigned)value);
		return;
	}
	if (strcmp(name, "set-mark") == 0) {
		mask |= rule->target->count > 0 && str_is(rule->target->name, "MARK") ? value : 0;
	} else if (strcmp(name, "and-mark") == 0) {
		mask = ~value & UINT32_MAX;
		value = 0;
	} else if (strcmp(name, "or-mark") == 0) {
		mask = value;
	} else if (strcmp(name, "xor-mark") == 0) {
		mask = 0;
	}
	buf_format(buf, " --set-xmark 0x%x/0x%x", (unsigned)value, (unsigned)mask);
}

static void print_option(struct rule_state *rule, struct buf *buf, const struct given *given)
{
	const struct option *option = given->option;
	struct buf value = buf_new(rule->reader->arena);
	int level;

	if (strcmp(option->name, "log-prefix") == 0) {
		print_prefix(rule, buf, given, 29);
		return;
	}
	if (strcmp(option->name, "nflog-prefix") == 0) {
		print_prefix(rule, buf, given, 63);
		return;
	}
	if (option->kind == VALUE_MARK && strcmp(option->name, "nfmask") != 0 && strcmp(option->name, "ctmask") != 0) {
		print_mark(rule, buf, given);
		return;
	}
	if (strcmp(option->name, "log-level") == 0) {
		if ((level = level_of(given->values[0].text)) < 0)
			RULE_FAULT(rule, &given->values[0], NULL, "no log level");
		else if (level != 4)
			buf_format(buf, " --log-level %d", level);
		return;
	}
	buf_format(buf, " --%s", option->name);
	for (unsigned i = 0; i < option->words; i++) {
		value.n = 0;
		if (!value_spell(&value, rule->reader->family, option, given->values[i].text))
			RULE_FAULT(rule, &given->values[i], NULL, "\"%.*s\" is no value of --%s",
			           STR_ARG(given->values[i].text), option->name);
		print_value(buf, buf_str(&value));
	}
}

/* The sets of a target must be there as those of a match. */
static void check_sets(struct rule_state *rule, const struct part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		const struct given *given = &part->items[i];

		if (given->option->words != 2)
			continue;
		if (set_dimensions(given->values[1].text) == 0)
			RULE_FAULT(rule, &given->values[1], NULL, "\"%.*s\" is no list of src and dst",
			           STR_ARG(given->values[1].text));
		else if (rule->reader->sets != NULL && filter_set(rule->reader->sets, given->values[0].text) == NULL)
			RULE_FAULT(rule, &given->values[0], NULL, "there is no set %.*s",
			           STR_ARG(given->values[0].text));
	}
}

static void note_changes(struct rule_state *rule, const struct part *part)
{
	struct reader *reader = rule->reader;

	reader->changes_mark |= str_is(part->name, "MARK") || part_option(part, "restore-mark") != NULL ||
	                        part_option(part, "map-mark") != NULL;
	reader->changes_connmark |= str_is(part->name, "CONNMARK") && part_option(part, "restore-mark") == NULL;
	for (size_t i = 0; i < part->count && str_is(part->name, "SET"); i++)
		if (part->items[i].option->words == 2)
			APPEND(reader->arena, &reader->changed_sets, part->items[i].values[0].text);
}

static bool moves_mark(const struct part *part)
{
	return part_option(part, "save-mark") != NULL || part_option(part, "restore-mark") != NULL;
}

static void check_place(struct rule_state *rule, const struct part *part)
{
	const struct extension *target = part->extension;

	if (target->hooks == HOOKS_ALL)
		RULE_FAULT(rule, part, NULL, "%.*s is for other tables", STR_ARG(part->name));
	else if (target->protocol > 0 && rule->protocol != target->protocol)
		RULE_FAULT(rule, part, NULL, "%.*s needs -p tcp", STR_ARG(part->name));
	if (target->hooks != 0)
		not_in(rule, target->hooks, target->name);
}

struct str target_text(struct rule_state *rule, const struct part *part)
{
	const struct extension *target = part->extension;
	struct buf buf = buf_new(rule->reader->arena);

	check_place(rule, part);
	if (target->target == TARGET_REJECT)
		return reject_text(rule, part);
	if (part->text != NULL)
		return buf_str(part->text);
	if (!options_fit(rule, part))
		return STR("");
	buf_add(&buf, part->name);
	for (size_t i = 0; i < target->count; i++) {
		const struct given *given = part_option(part, target->options[i].name);

		if (given != NULL)
			print_option(rule, &buf, given);
	}
	if (moves_mark(part) && part_option(part, "mask") == NULL && part_option(part, "nfmask") == NULL)
		buf_add(&buf, STR(" --nfmask 0xffffffff --ctmask 0xffffffff"));
	check_sets(rule, part);
	note_changes(rule, part);
	return buf_str(&buf);
}
