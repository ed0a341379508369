/* Small worlds for assertions: a few machines with addresses that rules name, or nearly so; rules both ways. */
#include "policy_world.h"

#include "fleetwall/buf.h"

const char *policy_word(struct rng *rng, const char *const *words, size_t count)
{
	return words[rng_below(rng, count)];
}
#define ONE_OF(words) policy_word(rng, (words), sizeof(words) / sizeof *(words))

void policy_literal(struct rng *rng, struct buf *buf)
{
	unsigned first = (unsigned)rng_below(rng, 12), last = first + (unsigned)rng_below(rng, 6);

	if (rng_chance(rng, 50))
		buf_format(buf, "10.0.0.%u", first);
	else if (rng_chance(rng, 50))
		buf_format(buf, "10.0.0.%u-10.0.0.%u", first, last);
	else
		buf_format(buf, "fd00::%x-fd00::%x", first, last);
}

static void add_peer(struct rng *rng, struct buf *buf, bool self)
{
	static const char *const names[] = {"role:a", "role:b", "role:b/private", "role:d", "network:n", "machine:m1",
	                                    "machine:m3", "0.0.0.0/0", "::/0", "any", "self"};

	if (rng_chance(rng, 40))
		policy_literal(rng, buf);
	else
		buf_add(buf, str_of(policy_word(rng, names, self ? 11 : 10)));
}

void policy_peer(struct rng *rng, struct buf *buf)
{
	add_peer(rng, buf, false);
}

static void add_rule(struct rng *rng, struct buf *buf)
{
	static const char *const actions[] = {"allow", "allow", "allow", "deny", "reject"};
	static const char *const covered[] = {"all", "22/tcp", "80/tcp", "10-80/tcp", "53/udp", "icmp", "icmpv6/130",
	                                      "icmpv4/3/1", "tcp", "esp", "ssh", "igmp", "1-1023/tcp"};
	static const char *const interfaces[] = {"eth+", "eth0", "eth1", "lo", "et+"};

	buf_format(buf, "\"%s %s", ONE_OF(actions), ONE_OF(covered));
	for (size_t i = 0, count = rng_below(rng, 4); i < count; i++) {
		buf_add(buf, i > 0 ? STR(", ") : rng_chance(rng, 60) ? STR(" from ") : STR(" to "));
		add_peer(rng, buf, true);
	}
	if (rng_chance(rng, 12))
		buf_format(buf, " on %s", ONE_OF(interfaces));
	buf_char(buf, '"');
}

static void add_role(struct rng *rng, struct buf *buf, const char *name, const char *more)
{
	buf_format(buf, "{ name = \"%s\"; %s egress = \"%s\"; rules = [ ", name, more,
	           rng_chance(rng, 25) ? "closed" : "open");
	for (size_t i = 0, count = rng_below(rng, 5); i < count; i++) {
		buf_add(buf, i > 0 ? STR(", ") : STR(""));
		add_rule(rng, buf);
	}
	buf_add(buf, STR(" ]; }"));
}

static void add_machine(struct rng *rng, struct buf *buf, unsigned number)
{
	static const char *const roles[] = {"", "\"a\"", "\"b\"", "\"a\", \"c\"", "\"a\", \"b\"", "\"d\""};
	unsigned four = (unsigned)rng_below(rng, 12), six = (unsigned)rng_below(rng, 12);
	size_t mix = rng_below(rng, 8);

	buf_format(buf, "{ name = \"m%u\"; addresses = ( ", number);
	if (mix != 0)
		buf_format(buf, "{ address = \"10.0.0.%u\"; label = \"private\"; }", four);
	if (mix > 2)
		buf_format(buf, ", { address = \"fd00::%x\"; }", six);
	if (mix == 4)
		buf_format(buf, ", { address = \"10.0.0.%u\"; }", four + 1);
	buf_format(buf, " ); roles = [ %s ]; labels = { env = \"%s\"; }; enabled = %s; ssh_port = %s;"
	           " enforcement = \"%s\"; }", ONE_OF(roles), rng_chance(rng, 50) ? "prod" : "test",
	           rng_chance(rng, 85) ? "true" : "false", rng_chance(rng, 80) ? "22" : "80",
	           rng_chance(rng, 80) ? "enforce" : rng_chance(rng, 50) ? "monitor" : "unmanaged");
}

struct str policy_world(struct arena *arena, struct rng *rng)
{
	struct buf buf = buf_new(arena);

	buf_add(&buf, STR("services = ( { name = \"ssh\"; ports = [ \"22/tcp\" ]; } );"
	                  "networks = ( { name = \"n\"; prefixes = [ \"10.0.0.4/30\", \"fd00::8/125\" ]; },"
	                  " { name = \"void\"; prefixes = [ ]; } ); roles = ( "));
	add_role(rng, &buf, "a", "");
	buf_add(&buf, STR(", "));
	add_role(rng, &buf, "b", "");
	buf_add(&buf, STR(", "));
	add_role(rng, &buf, "c", "selector = { env = \"prod\"; };");
	buf_add(&buf, STR(", { name = \"empty\"; }, { name = \"d\"; } ); machines = ( "));
	for (unsigned i = 0; i < POLICY_WORLD_MACHINES; i++) {
		buf_add(&buf, i > 0 ? STR(", ") : STR(""));
		add_machine(rng, &buf, i);
	}
	buf_add(&buf, STR(" );"));
	return buf_str(&buf);
}
