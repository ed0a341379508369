/* Matches that no packet shows: conditions, named by their parameters in one spelling, so that the same ones are the
 * same condition. Each option of a match that asks for things apart is a condition by itself, for then its ! is a plain
 * no. */
#include <stdlib.h>
#include <string.h>

#include "filter_match.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* --- options --- */

static void print_values(struct rule_state *rule, struct buf *buf, const struct given *given)
{
	for (unsigned i = 0; i < given->option->words; i++) {
		buf_char(buf, ' ');
		if (value_spell(buf, rule->reader->family, given->option, given->values[i].text))
			continue;
		RULE_FAULT(rule, &given->values[i], NULL, "\"%.*s\" is no value of --%s",
		           STR_ARG(given->values[i].text), given->option->name);
		return;
	}
}

/* "owner uid-owner 0", "mark 0x1": the name of an option that begins with its match's says both. */
void add_option_condition(struct rule_state *rule, const struct part *part, const struct given *given)
{
	struct buf buf = buf_new(rule->reader->arena);
	struct str option = str_of(given->option->name);
	struct match *match;

	if (!str_starts(option, part->name))
		buf_format(&buf, "%.*s ", STR_ARG(part->name));
	else if (str_is(part->name, "mark") && str_is(str_of(part->extension->name), "connmark"))
		buf_add(&buf, STR("conn"));
	buf_add(&buf, option);
	print_values(rule, &buf, given);
	match = add_match(rule, MATCH_CONDITION, given->negated, buf_str(&buf));
	match->steady = true;
}

struct str add_other_options(struct rule_state *rule, const struct part *part, const struct given *but, struct str text)
{
	struct buf buf = buf_new(rule->reader->arena);

	buf_add(&buf, text);
	for (size_t i = 0; i < part->extension->count; i++) {
		const struct given *given = part_option(part, part->extension->options[i].name);

		if (given == NULL || given == but)
			continue;
		buf_format(&buf, "%s %s", given->negated ? " !" : "", given->option->name);
		print_values(rule, &buf, given);
	}
	return buf_str(&buf);
}

void build_condition(struct rule_state *rule, struct part *part)
{
	struct match *match;

	if (part->text != NULL)
		match = add_match(rule, MATCH_CONDITION, false, buf_str(part->text));
	else
		match = add_match(rule, MATCH_CONDITION, false, add_other_options(rule, part, NULL, part->name));
	match->steady = part->extension != NULL && part->extension->steady;
}

void build_conditions(struct rule_state *rule, struct part *part)
{
	for (size_t i = 0; i < part->count; i++)
		add_option_condition(rule, part, &part->items[i]);
}

/* --- rates --- */

static bool read_rate(struct rule_state *rule, const struct given *given, enum rate_scale scale,
                      struct filter_rate *rate)
{
	if (!value_rate(given->values[0].text, rate))
		RULE_FAULT(rule, &given->values[0], "write N/second, N/minute, N/hour or N/day", "\"%.*s\" is no rate",
		           STR_ARG(given->values[0].text));
	else if (rate->count / rate->seconds > scale)
		RULE_FAULT(rule, &given->values[0], NULL, "a rate of more than %d in a second", scale);
	return !rule->fault;
}

static unsigned number_of(const struct part *part, const char *name, unsigned otherwise)
{
	const struct given *given = part_option(part, name);
	uint64_t number;

	return given != NULL && value_number(given->values[0].text, UINT32_MAX, &number) ? (unsigned)number : otherwise;
}

void build_limit(struct rule_state *rule, struct part *part)
{
	const struct given *given = part_option(part, "limit");
	struct filter_rate rate = {.count = 3, .seconds = 3600};

	if (given != NULL && !read_rate(rule, given, SCALE_LIMIT, &rate))
		return;
	rate.burst = number_of(part, "limit-burst", 5);
	if (rate.burst == 0 || rate.burst > 10000)
		RULE_FAULT(rule, part, NULL, "a burst is 1 to 10000");
	/* the kernel counts credits in 32 bits, 128 in a hundredth of a millisecond at most */
	add_match(rule, MATCH_CONDITION, false, filter_limit_name(rule->reader->arena, &rate));
}

static bool mode_fits(struct str mode)
{
	struct str part;

	while (str_cut(&mode, ',', &part))
		if (value_word("srcip,srcport,dstip,dstport", part) < 0)
			return false;
	return true;
}

/* Parameters that fleetwall never writes, behind those that it does. The name is none of them. */
static void add_rare(struct rule_state *rule, const struct part *part, struct buf *buf)
{
	static const struct {
		const char *option, *name;
		unsigned usual;
	} rare[] = {
		{"hashlimit-srcmask", "srcmask", 0},
		{"hashlimit-dstmask", "dstmask", 0},
		{"hashlimit-htable-size", "htable-size", 0},
		{"hashlimit-htable-max", "htable-max", 0},
		{"hashlimit-htable-gcinterval", "gcinterval", 1000},
		{"hashlimit-rate-interval", "rate-interval", 1},
	};
	unsigned width = family_width(rule->reader->family);

	for (size_t i = 0; i < sizeof rare / sizeof *rare; i++) {
		unsigned usual = i < 2 ? width : rare[i].usual, number = number_of(part, rare[i].option, usual);

		if (i < 2 && number > width)
			RULE_FAULT(rule, part, NULL, "a mask of more than %u bits", width);
		if (number != usual)
			buf_format(buf, " %s %u", rare[i].name, number);
	}
	if (part_option(part, "hashlimit-rate-match") != NULL)
		buf_add(buf, STR(" rate-match"));
}

/* "10kb/s" and the like: bytes, not packets. */
static bool is_bytes(struct str text)
{
	struct str before = str_slice(text, 0, str_find(text, '/'));

	return before.n > 1 && (before.p[before.n - 1] | 32) == 'b';
}

/* What the kernel counts of a bucket in 64 bits, 250 times a second, must not run over. */
static bool bucket_fits(const struct filter_rate *rate, unsigned burst)
{
	uint64_t period = rate_period(SCALE_HASHLIMIT, rate->count, rate->seconds);
	uint64_t credits = UINT64_C(250) << 39, seconds = period * burst / SCALE_HASHLIMIT;
	uint64_t one = period / SCALE_HASHLIMIT * credits;

	return seconds <= UINT64_MAX / credits || seconds * credits >= one;
}

static unsigned burst_of(struct rule_state *rule, const struct part *part, const struct filter_rate *rate)
{
	const struct given *given = part_option(part, "hashlimit-burst");
	uint64_t burst = 5;

	if (given != NULL && (!value_number(given->values[0].text, 1000000, &burst) || burst == 0))
		RULE_FAULT(rule, &given->values[0], NULL, "a burst is 1 to 1000000");
	else if (!bucket_fits(rate, (unsigned)burst))
		RULE_FAULT(rule, part, "a smaller --hashlimit-burst", "more than the kernel can count at this rate");
	return (unsigned)burst;
}

void build_hashlimit(struct rule_state *rule, struct part *part)
{
	const struct given *upto = part_option(part, "hashlimit-upto"), *above = part_option(part, "hashlimit-above");
	const struct given *given = upto != NULL ? upto : above, *mode = part_option(part, "hashlimit-mode");
	const struct given *name = part_option(part, "hashlimit-name");
	struct buf buf = buf_new(rule->reader->arena);
	struct filter_rate rate = {.burst = 5};

	if (given == NULL || (upto != NULL && above != NULL))
		RULE_FAULT(rule, part, NULL, "hashlimit needs one of --hashlimit-upto and --hashlimit-above");
	else if (name == NULL || name->values[0].text.n == 0 ||
	         str_find(name->values[0].text, '/') < name->values[0].text.n)
		RULE_FAULT(rule, part, NULL, "hashlimit needs a --hashlimit-name, without a slash");
	else if (mode != NULL && !mode_fits(mode->values[0].text))
		RULE_FAULT(rule, &mode->values[0], "srcip, dstip, srcport, dstport", "\"%.*s\" is no mode of hashlimit",
		           STR_ARG(mode->values[0].text));
	if (rule->fault)
		return;
	if (is_bytes(given->values[0].text)) {
		build_condition(rule, part);
		return;
	}
	if (!read_rate(rule, given, SCALE_HASHLIMIT, &rate))
		return;
	rate.above = above != NULL;
	rate.burst = burst_of(rule, part, &rate);
	rate.expire = number_of(part, "hashlimit-htable-expire", 0);
	rate.mode = mode != NULL ? mode->values[0].text : STR("");
	buf_add(&buf, filter_hashlimit_name(rule->reader->arena, &rate));
	add_rare(rule, part, &buf);
	add_match(rule, MATCH_CONDITION, false, buf_str(&buf))->bucket =
		str_copy(rule->reader->arena, name->values[0].text);
}

/* --- times --- */

/* "Mon" or "Mo". */
static int weekday(const char *names, struct str word)
{
	for (int i = 0; i < 7 && word.n >= 2; i++)
		if (strncasecmp(names + 4 * i, word.p, word.n < 3 ? 2 : 3) == 0)
			return i;
	return -1;
}

static void print_days(struct rule_state *rule, struct buf *buf, const struct given *given, const char *names)
{
	struct str rest = given->values[0].text, part;
	uint32_t days = 0, last = names == NULL ? 31 : 7;
	char before = ' ';

	while (str_cut(&rest, ',', &part)) {
		uint64_t day;
		int place = names != NULL ? weekday(names, part) : -1;

		if (place < 0 && (!str_number(part, last, &day) || day == 0)) {
			RULE_FAULT(rule, &given->values[0], NULL, "\"%.*s\" is no day", STR_ARG(part));
			return;
		}
		days |= UINT32_C(1) << (place < 0 ? (int)day : place + 1);
	}
	buf_format(buf, " %s", given->option->name);
	for (uint32_t i = 1; i <= last; i++) {
		if ((days >> i & 1) == given->negated)
			continue;
		if (names == NULL)
			buf_format(buf, "%c%u", before, i);
		else
			buf_format(buf, "%c%.3s", before, names + (i - 1) * 4);
		before = ',';
	}
}

static bool read_date(struct rule_state *rule, const struct given *given, int64_t *seconds)
{
	if (given == NULL)
		return false;
	if (!value_time(given->values[0].text, seconds))
		RULE_FAULT(rule, &given->values[0], "write YYYY-MM-DDThh:mm:ss, up to 2038-01-19T03:14:07",
		           "\"%.*s\" is no time that the kernel knows", STR_ARG(given->values[0].text));
	return !rule->fault;
}

static unsigned read_daytime(struct rule_state *rule, const struct given *given, unsigned otherwise)
{
	unsigned seconds = otherwise;

	if (given != NULL && !value_daytime(given->values[0].text, &seconds))
		RULE_FAULT(rule, &given->values[0], "write hh:mm or hh:mm:ss", "\"%.*s\" is no time of day",
		           STR_ARG(given->values[0].text));
	return seconds;
}

static void print_daytimes(struct buf *buf, unsigned from, unsigned to)
{
	buf_format(buf, " daily %02u:%02u:%02u-%02u:%02u:%02u", from / 3600, from / 60 % 60, from % 60, to / 3600,
	           to / 60 % 60, to % 60);
}

void build_time(struct rule_state *rule, struct part *part)
{
	struct buf buf = buf_new(rule->reader->arena);
	const struct given *weekdays = part_option(part, "weekdays"), *monthdays = part_option(part, "monthdays");
	unsigned from = read_daytime(rule, part_option(part, "timestart"), 0);
	unsigned to = read_daytime(rule, part_option(part, "timestop"), 86399);
	int64_t date;

	buf_add(&buf, STR("time"));
	if (read_date(rule, part_option(part, "datestart"), &date) && date > 0) {
		buf_add(&buf, STR(" from "));
		time_print_utc(&buf, date);
	}
	if (read_date(rule, part_option(part, "datestop"), &date) && date < INT32_MAX) {
		buf_add(&buf, STR(" until "));
		time_print_utc(&buf, date);
	}
	if (from != 0 || to != 86399)
		print_daytimes(&buf, from, to);
	if (monthdays != NULL)
		print_days(rule, &buf, monthdays, NULL);
	if (weekdays != NULL)
		print_days(rule, &buf, weekdays, "Mon,Tue,Wed,Thu,Fri,Sat,Sun");
	if (part_option(part, "contiguous") != NULL)
		buf_add(&buf, STR(" contiguous"));
	if (part_option(part, "kerneltz") != NULL)
		buf_add(&buf, STR(" kerneltz"));
	if (!rule->fault && buf.n > strlen("time")) /* else it is always that time */
		add_match(rule, MATCH_CONDITION, false, buf_str(&buf))->steady = true;
}

/* --- any match --- */

/* A match of a protocol must be asked for by -p, and not by `! -p`. */
static bool protocol_fits(struct rule_state *rule, const struct part *part)
{
	static const int with_ports[] = {6, 17, 136, 132, 33};
	int wanted = part->extension->protocol;

	if (wanted == 0)
		return true;
	if (!rule->protocol_given || rule->protocol_negated)
		return false;
	if (wanted > 0)
		return rule->protocol == wanted;
	for (size_t i = 0; i < sizeof with_ports / sizeof *with_ports; i++)
		if (rule->protocol == with_ports[i])
			return true;
	return false;
}

void part_build(struct rule_state *rule, struct part *part)
{
	const struct extension *extension = part->extension;

	if (extension == NULL) {
		build_condition(rule, part);
		return;
	}
	if (part->count == 0 && !extension->bare)
		RULE_FAULT(rule, part, NULL, "%.*s needs options", STR_ARG(part->name));
	else if (!protocol_fits(rule, part))
		RULE_FAULT(rule, part, "put -p with the protocol before it, without !", "%.*s needs its protocol",
		           STR_ARG(part->name));
	if (extension->hooks == HOOKS_ALL)
		RULE_FAULT(rule, part, NULL, "%.*s is for other tables", STR_ARG(part->name));
	if (rule->fault || !options_fit(rule, part))
		return;
	if (extension->hooks != 0)
		not_in(rule, extension->hooks, extension->name);
	if (extension->build != NULL)
		extension->build(rule, part);
	else if (extension->apart)
		build_conditions(rule, part);
	else
		build_condition(rule, part);
}
