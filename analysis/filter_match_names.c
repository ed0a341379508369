/* Names of conditions that are compared by their parameters: rates and times, each in one spelling whatever the line
 * spells. Rates are what the kernel makes of them, a period in fixed point: what differs by less is the same. */
#include <time.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "filter_match.h"

/* From the largest: in this order iptables-save tries them. */
static const struct {
	const char *name;
	unsigned seconds;
} units[] = {{"day", 24 * 60 * 60}, {"hour", 60 * 60}, {"min", 60}, {"sec", 1}};

#define UNITS (sizeof units / sizeof *units)

uint64_t rate_period(enum rate_scale scale, uint64_t count, unsigned seconds)
{
	return scale * (uint64_t)seconds / count;
}

/* The smallest unit in which the period is a number of packets, near enough for the tool. */
void rate_print(struct buf *buf, enum rate_scale scale, uint64_t period)
{
	size_t i = 1;

	for (; i < UNITS; i++) {
		uint64_t unit = scale * (uint64_t)units[i].seconds;

		if (period > unit || unit / period < unit % period)
			break;
	}
	buf_format(buf, "%llu/%s", (unsigned long long)(scale * (uint64_t)units[i - 1].seconds / period),
	           units[i - 1].name);
}

static void print_rate(struct buf *buf, enum rate_scale scale, const struct filter_rate *rate)
{
	uint64_t period = rate_period(scale, rate->count, rate->seconds);

	rate_print(buf, scale, period > 0 ? period : 1);
	buf_format(buf, " burst %u", rate->burst);
}

struct str filter_limit_name(struct arena *arena, const struct filter_rate *rate)
{
	struct buf buf = buf_new(arena);

	buf_add(&buf, STR("limit "));
	print_rate(&buf, SCALE_LIMIT, rate);
	return buf_str(&buf);
}

static bool mode_has(struct str mode, const char *word)
{
	struct str part;

	while (str_cut(&mode, ',', &part))
		if (str_is(part, word))
			return true;
	return false;
}

static void mode_print(struct buf *buf, struct str mode)
{
	static const char *const words[] = {"srcip", "srcport", "dstip", "dstport"};
	char before = ' ';

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!mode_has(mode, words[i]))
			continue;
		buf_format(buf, "%c%s", before, words[i]);
		before = ',';
	}
}

struct str filter_hashlimit_name(struct arena *arena, const struct filter_rate *rate)
{
	struct buf buf = buf_new(arena);

	buf_format(&buf, "hashlimit %s ", rate->above ? "above" : "upto");
	print_rate(&buf, SCALE_HASHLIMIT, rate);
	mode_print(&buf, rate->mode);
	buf_format(&buf, " expire %u", rate->expire > 0 ? rate->expire : rate->seconds * 1000);
	return buf_str(&buf);
}

void time_print_utc(struct buf *buf, int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm tm = {0};

	gmtime_r(&at, &tm);
	buf_format(buf, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	           tm.tm_min, tm.tm_sec);
}

/* The last second of the kernel's range is what stands there when no end was given. */
struct str filter_until_name(struct arena *arena, int64_t last)
{
	struct buf buf = buf_new(arena);

	if (last >= INT32_MAX)
		return STR("time");
	buf_add(&buf, STR("time until "));
	time_print_utc(&buf, last);
	return buf_str(&buf);
}
