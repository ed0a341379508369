/* What opens() found, in words. */
#include "fleetwall/buf.h"
#include "fleetwall/opens.h"

struct str opening_kind_str(enum opening_kind kind)
{
	switch (kind) {
	case OPENING_ENFORCEMENT:
		return STR("enforcement");
	case OPENING_MODE:
		return STR("mode");
	case OPENING_EGRESS:
		return STR("egress");
	case OPENING_MANAGEMENT:
		return STR("management");
	case OPENING_RULE:
		return STR("rule");
	case OPENING_REFUSAL:
		return STR("refusal");
	case OPENING_PEER:
		return STR("peer");
	case OPENING_REFUSED_PEER:
		return STR("refused-peer");
	case OPENING_SERVICE:
		return STR("service");
	case OPENING_REFUSED_SERVICE:
		return STR("refused-service");
	}
	return STR("");
}

static void print_names(struct buf *buf, const struct str *names, size_t shown, size_t count)
{
	for (size_t i = 0; i < shown; i++)
		buf_format(buf, "%s%.*s", i > 0 ? ", " : "", STR_ARG(names[i]));
	if (shown < count)
		buf_format(buf, ", … (%zu)", count);
}

/* "role:app stands for more: 10.0.0.7, as in role mysql: allow … (2 rules)" */
static void print_subject(struct buf *buf, const struct opening *opening, const char *kind, const char *says)
{
	buf_format(buf, "%s%.*s %s: ", kind, STR_ARG(opening->subject), says);
	print_names(buf, opening->items, opening->item_count, opening->item_total);
	buf_format(buf, "; in role %.*s: %.*s", STR_ARG(opening->role), STR_ARG(opening->rule));
	if (opening->rules > 1)
		buf_format(buf, " (and %zu more)", opening->rules - 1);
}

static void print_what(struct buf *buf, const struct opening *opening)
{
	switch (opening->kind) {
	case OPENING_ENFORCEMENT:
		buf_format(buf, "%.*s: nothing is refused any more", STR_ARG(opening->subject));
		return;
	case OPENING_MODE:
		buf_format(buf, "mode becomes %.*s", STR_ARG(opening->subject));
		return;
	case OPENING_EGRESS:
		buf_add(buf, STR("closed egress becomes open"));
		return;
	case OPENING_MANAGEMENT:
		buf_format(buf, "management sources get in on %.*s", STR_ARG(opening->subject));
		return;
	case OPENING_RULE:
		buf_format(buf, "role %.*s: %.*s", STR_ARG(opening->role), STR_ARG(opening->rule));
		return;
	case OPENING_REFUSAL:
		buf_format(buf, "role %.*s, gone: %.*s", STR_ARG(opening->role), STR_ARG(opening->rule));
		return;
	case OPENING_PEER:
		print_subject(buf, opening, "", "is more");
		return;
	case OPENING_REFUSED_PEER:
		print_subject(buf, opening, "", "is less");
		return;
	case OPENING_SERVICE:
		print_subject(buf, opening, "service ", "is more");
		return;
	case OPENING_REFUSED_SERVICE:
		print_subject(buf, opening, "service ", "is less");
		return;
	}
}

void opening_print(struct buf *buf, const struct opening *opening)
{
	print_what(buf, opening);
	buf_format(buf, "; on %zu machine%s: ", opening->machine_count, opening->machine_count == 1 ? "" : "s");
	print_names(buf, opening->machines, opening->machine_shown, opening->machine_count);
}
