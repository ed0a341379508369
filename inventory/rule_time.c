/* Points in time of the rule language: ISO 8601 <-> seconds since 1970, in the proleptic Gregorian calendar, years 0001
 * to 9999, whole seconds. Knows no time zone but UTC and offsets, and no clock. */
#include "fleetwall/buf.h"
#include "rule_parser.h"

#define DAY_SECONDS ((int64_t)86400)
#define TIME_FIRST ((int64_t)-62135596800) /* 0001-01-01T00:00:00Z */
#define TIME_LAST ((int64_t)253402300799)  /* 9999-12-31T23:59:59Z */

/* Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	return month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

/* Cuts `digits` decimal digits off the front. */
static bool cut_number(struct str *s, size_t digits, int64_t low, int64_t high, int64_t *number)
{
	uint64_t value;

	if (s->n < digits || !str_number(str_slice(*s, 0, digits), 9999, &value) || (int64_t)value < low ||
	    (int64_t)value > high)
		return false;
	*number = (int64_t)value;
	*s = str_slice(*s, digits, s->n);
	return true;
}

static bool cut_char(struct str *s, const char *characters)
{
	for (; *characters != '\0'; characters++) {
		if (s->n == 0 || s->p[0] != *characters)
			continue;
		*s = str_slice(*s, 1, s->n);
		return true;
	}
	return false;
}

static bool cut_date(struct str *s, int64_t *days)
{
	int64_t year, month, day;

	if (!cut_number(s, 4, 1, 9999, &year) || !cut_char(s, "-") || !cut_number(s, 2, 1, 12, &month) ||
	    !cut_char(s, "-") || !cut_number(s, 2, 1, days_in_month(year, month), &day))
		return false;
	*days = days_of(year, month, day);
	return true;
}

/* What ISO 8601 allows behind seconds, as far as it says nothing: ".000". */
static bool cut_zeros(struct str *s)
{
	if (!cut_char(s, ".,"))
		return true;
	if (!cut_char(s, "0"))
		return false;
	while (cut_char(s, "0"))
		;
	return true;
}

/* "HH:MM" or "HH:MM:SS". A leap second is not known, as in POSIX. */
static bool cut_clock(struct str *s, int64_t *seconds)
{
	int64_t hour, minute, second = 0;

	if (!cut_number(s, 2, 0, 23, &hour) || !cut_char(s, ":") || !cut_number(s, 2, 0, 59, &minute))
		return false;
	if (cut_char(s, ":") && (!cut_number(s, 2, 0, 59, &second) || !cut_zeros(s)))
		return false;
	*seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* "Z", "+HH:MM", "+HHMM", "+HH", the same with "-", or nothing. */
static bool cut_zone(struct str *s, int64_t *offset)
{
	bool west = s->n > 0 && s->p[0] == '-';
	int64_t hour, minute = 0;

	*offset = 0;
	if (s->n == 0 || cut_char(s, "Zz"))
		return true;
	if (!cut_char(s, "+-") || !cut_number(s, 2, 0, 23, &hour))
		return false;
	if (s->n > 0) {
		cut_char(s, ":");
		if (!cut_number(s, 2, 0, 59, &minute))
			return false;
	}
	*offset = (hour * 3600 + minute * 60) * (west ? -1 : 1);
	return true;
}

bool time_parse(struct str s, int64_t *time)
{
	int64_t days, seconds = 0, offset, result;

	if (!cut_date(&s, &days))
		return false;
	if (cut_char(&s, "Tt ") && !cut_clock(&s, &seconds))
		return false;
	if (!cut_zone(&s, &offset) || s.n > 0)
		return false;
	result = days * DAY_SECONDS + seconds - offset;
	if (result < TIME_FIRST || result > TIME_LAST)
		return false;
	*time = result;
	return true;
}

bool time_valid(int64_t time)
{
	return time >= TIME_FIRST && time <= TIME_LAST;
}

/* The inverse of days_of(), for days of the years 0001 to 9999. */
static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t rest = days + 719468; /* since 0000-03-01 */
	int64_t era = rest / 146097, in_era = rest % 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;

	*day = in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

void time_print(struct buf *buf, int64_t time)
{
	int64_t year, month, day;

	if (!time_valid(time)) { /* a loaded infinity: seen in messages only */
		buf_add(buf, time > 0 ? STR("infinity") : STR("-infinity"));
		return;
	}
	int64_t days = time >= 0 ? time / DAY_SECONDS : -((DAY_SECONDS - 1 - time) / DAY_SECONDS);
	int seconds = (int)(time - days * DAY_SECONDS);

	date_of(days, &year, &month, &day);
	buf_format(buf, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month, (int)day, seconds / 3600,
	           seconds / 60 % 60, seconds % 60);
}
