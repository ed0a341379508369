/* Small fleets as documents, drawn from a seed. */
#include "small_world.h"

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct drawing {
	struct rng *rng;
	struct buf buf;
	const char *four, *six;
};

static const char *one_of(struct drawing *drawing, const char *const *words, size_t count)
{
	return words[rng_below(drawing->rng, count)];
}

static void add_peer(struct drawing *drawing)
{
	static const char *const names[] = {"self", "role:a", "role:b", "role:b/private", "network:n", "network:m",
	                                    "machine:m1", "machine:m3", "0.0.0.0/0", "::/0"};
	unsigned first = (unsigned)rng_below(drawing->rng, 16);
	unsigned last = first + (unsigned)rng_below(drawing->rng, 16);
	struct buf *buf = &drawing->buf;

	switch (rng_below(drawing->rng, 5)) {
	case 0:
		buf_format(buf, "%s%u", drawing->four, first);
		return;
	case 1:
		buf_format(buf, "%s%u-%s%u", drawing->four, first, drawing->four, last);
		return;
	case 2:
		buf_format(buf, "%s%x-%s%x", drawing->six, first, drawing->six, last);
		return;
	default:
		buf_add(buf, str_of(one_of(drawing, names, sizeof names / sizeof *names)));
	}
}

static void add_rule(struct drawing *drawing)
{
	static const char *const actions[] = {"allow", "allow", "allow", "deny", "reject"};
	static const char *const covered[] = {"all", "22/tcp", "80/tcp", "1-100/tcp", "53/udp", "icmp", "icmpv6",
	                                      "tcp", "esp", "80/tcp"};
	static const char *const interfaces[] = {" on eth+\"", " on eth0\"", " on wg1\""};
	const char *way = rng_chance(drawing->rng, 20) ? " to " : " from ";

	buf_format(&drawing->buf, "\"%s %s", one_of(drawing, actions, 5), one_of(drawing, covered, 10));
	for (size_t i = 0, count = rng_below(drawing->rng, 8) == 0 ? 0 : 1 + rng_below(drawing->rng, 3); i < count;
	     i++) {
		buf_add(&drawing->buf, i == 0 ? str_of(way) : STR(", "));
		add_peer(drawing);
	}
	buf_add(&drawing->buf, rng_chance(drawing->rng, 15) ? str_of(one_of(drawing, interfaces, 3)) : STR("\""));
}

static void add_role(struct drawing *drawing, const char *name, const char *selector)
{
	buf_format(&drawing->buf, "{ name = \"%s\"; %s egress = \"%s\"; rules = [ ", name, selector,
	           rng_chance(drawing->rng, 20) ? "closed" : "open");
	for (size_t i = 0, count = rng_below(drawing->rng, 5); i < count; i++) {
		buf_add(&drawing->buf, i > 0 ? STR(", ") : STR(""));
		add_rule(drawing);
	}
	buf_add(&drawing->buf, STR(" ]; }"));
}

static void add_machine(struct drawing *drawing, unsigned number)
{
	static const char *const roles[] = {"", "\"a\"", "\"b\"", "\"a\", \"c\"", "\"a\", \"b\", \"c\""};
	struct rng *rng = drawing->rng;
	unsigned four = (unsigned)rng_below(rng, 16), six = (unsigned)rng_below(rng, 16);

	buf_format(&drawing->buf, "{ name = \"m%u\"; addresses = ( { address = \"%s%u\"; label = \"private\"; },"
	           " { address = \"%s%x\"; } ); roles = [ %s ]; labels = { env = \"%s\"; }; enabled = %s;"
	           " mode = \"%s\"; enforcement = \"%s\"; }", number, drawing->four, four, drawing->six, six,
	           one_of(drawing, roles, 5), rng_chance(rng, 50) ? "prod" : "test",
	           rng_chance(rng, 85) ? "true" : "false", rng_chance(rng, 80) ? "exclusive" : "coexist",
	           rng_chance(rng, 85) ? "enforce" : rng_chance(rng, 50) ? "monitor" : "unmanaged");
}

struct str small_world(struct arena *arena, struct rng *rng, const char *four, const char *six)
{
	struct drawing drawing = {rng, buf_new(arena), four, six};

	buf_format(&drawing.buf, "networks = ( { name = \"n\"; prefixes = [ \"%s4/30\", \"%s8/125\" ]; },"
	           " { name = \"m\"; prefixes = [ \"%s0/28\" ]; } ); roles = ( ", four, six, four);
	add_role(&drawing, "a", "");
	buf_add(&drawing.buf, STR(", "));
	add_role(&drawing, "b", "");
	buf_add(&drawing.buf, STR(", "));
	add_role(&drawing, "c", "selector = { env = \"prod\"; };");
	buf_add(&drawing.buf, STR(" ); machines = ( "));
	for (unsigned i = 0; i < 6; i++) {
		buf_add(&drawing.buf, i > 0 ? STR(", ") : STR(""));
		add_machine(&drawing, i);
	}
	buf_add(&drawing.buf, STR(" );"));
	return buf_str(&drawing.buf);
}
