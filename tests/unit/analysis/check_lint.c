/* Findings of every kind: a small fleet that has it, and neighbours that hardly differ and must be silent; ids that
 * stay as long as the finding does. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/digest.h"
#include "fleetwall/document.h"
#include "fleetwall/lint.h"
#include "fleetwall/packets.h"
#include "suite_main.h"

static struct arena *arena;
static struct fleet fleet;
static struct settings settings;
static struct lint_finding *findings;
static size_t count;

static void set_up(void)
{
	static struct prefix management = {{0xc0000280u, FAMILY_4}, 25}; /* 192.0.2.128/25 */

	arena = arena_new();
	settings = settings_default();
	settings.management = &management;
	settings.management_count = 1;
	packets_begin();
}

static void tear_down(void)
{
	packets_end();
	arena_free(arena);
	error_forget_all();
}

static void look(const char *document)
{
	struct lint_options options = {LINT_EXPIRING_DAYS};
	struct error *warnings = NULL;

	ck_assert_msg(document_read(arena, STR("lint"), str_of(document), &fleet, &warnings) == NULL, "%s", document);
	fleet.clock = 1767225600; /* 2026-01-01T00:00:00Z */
	count = lint(arena, resolve(arena, &fleet), &settings, &options, &findings);
}

static const struct lint_finding *found(enum lint_code code)
{
	for (size_t i = 0; i < count; i++)
		if (findings[i].code == code)
			return &findings[i];
	return NULL;
}

static bool holds(struct str text, const char *part)
{
	return strstr(str_c(arena, text), part) != NULL;
}

/* --- each kind, and its neighbours --- */

#define ROLES(text) "roles = ( " text " ); "
#define MACHINES(text) "machines = ( " text " );"
#define NETWORKS(text) "networks = ( " text " ); "
#define NETWORK(name, prefixes) "{ name = \"" name "\"; prefixes = [ " prefixes " ]; }"
#define MACHINE(name, address, roles) \
	"{ name = \"" name "\"; addresses = [ \"" address "\" ]; roles = [ " roles " ]; }"
#define DUAL(name, four, six, roles) \
	"{ name = \"" name "\"; addresses = [ \"" four "\", \"" six "\" ]; roles = [ " roles " ]; }"
#define LABELLED(name, label, roles)                                                                            \
	"{ name = \"" name "\"; addresses = ( { address = \"10.1.0.9\"; label = \"" label "\"; } ); roles = [ " roles \
	" ]; }"
#define ROLE(name, rules) "{ name = \"" name "\"; rules = [ " rules " ]; }"
#define DB1 MACHINE("db1", "10.0.0.1", "\"db\"")
#define APP1 MACHINE("app1", "10.1.0.1", "\"app\"")
#define APP2 MACHINE("app2", "10.1.0.2", "\"app\"")
#define WITH(rules) ROLES(ROLE("db", rules) ", " ROLE("app", "")) MACHINES(DB1 ", " APP1 ", " APP2)
#define BASE(base, rules) \
	ROLES("{ name = \"base\"; selector = { }; rules = [ " base " ]; }, " ROLE("db", rules) ", " ROLE("app", "")) \
	MACHINES(DB1 ", " APP1)
#define BOTH(rules) \
	ROLES(ROLE("db", rules)) MACHINES(DUAL("db1", "198.18.0.1", "fd00::1", "\"db\""))

struct sample_case {
	enum lint_code code;
	const char *document;
	const char *message, *evidence; /* parts of them; NULL: the finding is not there */
};

#define SILENT NULL, NULL

static const struct sample_case cases[] = {
	{LINT_COVERED, WITH("\"allow 3306/tcp from 10.0.0.0/8\", \"allow 3306/tcp from 10.1.0.0/16\""),
         "allow 3306/tcp from 10.1.0.0/16", "allow 3306/tcp from 10.0.0.0/8"},
	{LINT_COVERED, WITH("\"allow 80,443/tcp\", \"allow 80/tcp from 10.0.0.0/9\", \"allow 443/tcp from role:app\""),
         "lets nothing through", "allow 80,443/tcp"},
	{LINT_COVERED, WITH("\"allow 80/tcp\", \"allow 443/tcp\", \"allow 80,443/tcp from role:app\""),
         "allow 80,443/tcp from role:app", "\"allow 443/tcp\" of role db"},
	{LINT_COVERED, WITH("\"allow 22/tcp from role:app/private\", \"allow 22/tcp from role:app\""),
         "role:app/private", "\"allow 22/tcp from role:app\""},
	{LINT_COVERED, BASE("\"allow all from self\"", "\"allow 22/tcp from role:app\""), "allow 22/tcp", "base"},
	{LINT_COVERED, BASE("\"allow 22/tcp\"", "\"allow 22/tcp from role:app limit 5/minute\""), "limit", "base"},
	{LINT_COVERED, WITH("\"allow 22/tcp until 2027-01-01\", \"allow 22/tcp from 10.0.0.0/8 until 2026-06-01\""),
         "2026-06-01", "2027-01-01"},
	{LINT_COVERED, WITH("\"allow 3306/tcp from 10.0.0.0/8\", \"allow 3307/tcp from 10.1.0.0/16\""), SILENT},
	{LINT_COVERED, WITH("\"allow 3306/tcp from 10.1.0.0/16\", \"allow 3306/tcp from 10.1.0.0-10.2.0.0\""), "/16",
         "10.2.0.0"},
	{LINT_COVERED, WITH("\"allow 3306/tcp from 10.1.0.0-10.1.255.254\", \"allow 3306/tcp from 10.1.0.0/16\""),
         "254", "/16"},
	{LINT_COVERED, WITH("\"allow 22/tcp limit 5/minute\", \"allow 22/tcp from 10.0.0.0/8\""), SILENT},
	{LINT_COVERED, WITH("\"allow 22/tcp log\", \"allow 22/tcp from 10.0.0.0/8\""), SILENT},
	{LINT_COVERED, WITH("\"allow 22/tcp\", \"allow 22/tcp from 10.0.0.0/8 log\""), SILENT},
	{LINT_COVERED, WITH("\"allow 22/tcp until 2027-01-01\", \"allow 22/tcp from 10.0.0.0/8\""), SILENT},
	{LINT_COVERED, WITH("\"allow 22/tcp on eth0\", \"allow 22/tcp from 10.0.0.0/8\""), SILENT},
	{LINT_COVERED, WITH("\"allow 22/tcp since 2026-02-01\", \"allow 22/tcp from 10.0.0.0/8\""), SILENT},
	{LINT_COVERED, WITH("\"allow 22/tcp from 0.0.0.0/0\", \"allow 22/tcp\""), "0.0.0.0/0", "\"allow 22/tcp\""},
	{LINT_COVERED, WITH("\"allow 22/tcp to 10.0.0.0/8\", \"allow 22/tcp from 10.0.0.0/8\""), SILENT},
	{LINT_COVERED, WITH("\"allow 22/tcp from role:app/private\", \"allow 22/tcp from role:app/public\""), SILENT},
	{LINT_COVERED, WITH("\"allow icmpv4/3/1\", \"allow icmpv4/3/13 from 10.0.0.0/8\""), SILENT},
	{LINT_COVERED,
         WITH("\"allow 22/tcp from 10.0.0.0-10.0.0.10, 10.0.0.15-10.0.0.20\", "
              "\"allow 22/tcp from 10.0.0.11-10.0.0.14\", \"allow 22/tcp from 10.0.0.0-10.0.0.20 limit 9/hour\""),
         "limit 9/hour", "10.0.0.11-10.0.0.14"},
	{LINT_COVERED,
         ROLES("{ name = \"some\"; selector = { env = \"prod\"; }; rules = [ \"allow all from self\" ]; }, " ROLE(
		 "app", "\"allow 22/tcp from machine:m2\""))
                 MACHINES("{ name = \"m1\"; roles = [ \"app\" ]; labels = { env = \"prod\"; }; }, " MACHINE(
			 "m2", "10.0.0.2", "")),
         SILENT},
	/* Another role's rule counts only if every member has that role. */
	{LINT_COVERED,
         ROLES(ROLE("a", "\"allow 22/tcp\"") ", " ROLE("b", "\"allow 22/tcp from 10.0.0.0/8\""))
                 MACHINES(MACHINE("m1", "10.0.0.1", "\"a\", \"b\"")),
         "of role b", "of role a"},
	{LINT_COVERED,
         ROLES(ROLE("a", "\"allow 22/tcp\"") ", " ROLE("b", "\"allow 22/tcp from 10.0.0.0/8\""))
                 MACHINES(MACHINE("m1", "10.0.0.1", "\"a\", \"b\"") ", " MACHINE("m2", "10.0.0.2", "\"b\"")),
         SILENT},

	{LINT_COVERED_NOW, WITH("\"allow 22/tcp from role:app\", \"allow 22/tcp from 10.1.0.0/16\""), "role:app",
         "10.1.0.0/16"},
	{LINT_COVERED_NOW, WITH("\"allow 22/tcp from role:app\", \"allow 22/tcp from 10.1.0.0/31\""), SILENT},
	{LINT_COVERED_NOW, WITH("\"allow 22/tcp from role:app\", \"allow 22/tcp\""), SILENT},
	{LINT_COVERED_NOW,
         ROLES(ROLE("db", "\"allow 22/tcp from role:none\", \"allow 22/tcp from 10.0.0.0/8\"") ", " ROLE("none", ""))
                 MACHINES(DB1),
         SILENT},

	{LINT_DENIED, WITH("\"allow 22/tcp from 10.1.0.0/16\", \"deny tcp from 10.0.0.0/8\""), "of role db",
         "10.1.0.0 -> db1 22/tcp is refused by"},
	{LINT_DENIED, WITH("\"allow 22/tcp to 10.1.0.0/16\", \"reject 22/tcp to 10.0.0.0/8\""), SILENT},
	{LINT_DENIED, WITH("\"allow 22/tcp from 10.0.0.0/8\", \"deny tcp from 10.1.0.0/16\""), SILENT},
	{LINT_DENIED, WITH("\"allow 22/tcp from 10.1.0.0/16\", \"deny tcp from 10.0.0.0/8 until 2026-02-01\""), SILENT},
	{LINT_DENIED,
         ROLES(ROLE("a", "\"deny 22/tcp\"") ", " ROLE("b", "\"allow 22/tcp from 10.0.0.0/8\""))
                 MACHINES(MACHINE("m1", "10.0.0.1", "\"a\", \"b\"") ", " MACHINE("m2", "10.0.0.2", "\"b\"")),
         SILENT},

	{LINT_PARTLY_DENIED, WITH("\"allow 22/tcp from 10.0.0.0/8\", \"deny tcp from 10.1.0.0/16\""),
         "deny tcp from 10.1.0.0/16", "10.1.0.0 -> db1 22/tcp: this rule drops what \"allow 22/tcp"},
	{LINT_PARTLY_DENIED, WITH("\"allow 22/tcp from 10.0.0.0/8\", \"deny udp from 10.1.0.0/16\""), SILENT},
	{LINT_PARTLY_DENIED, WITH("\"allow 22/tcp from 10.0.0.0/8\", \"deny tcp from 11.0.0.0/8\""), SILENT},
	{LINT_PARTLY_DENIED, WITH("\"allow 22/tcp from 192.0.2.0/24\", \"deny 22/tcp from 192.0.2.128/25\""), SILENT},

	{LINT_CUT_ROLE, WITH("\"allow 22/tcp from role:app, 10.9.0.0/16\", \"reject tcp from 10.1.0.0/16\""),
         "refuses all of role:app", "10.1.0.1 -> db1 22/tcp: this rule rejects it"},
	{LINT_CUT_ROLE, WITH("\"allow 22/tcp from role:app, 10.9.0.0/16\", \"reject tcp from 10.1.0.1\""), SILENT},
	{LINT_CUT_ROLE, WITH("\"allow tcp from role:app, 10.9.0.0/16\", \"reject 22/tcp from 10.1.0.0/16\""), SILENT},

	{LINT_CUT_ROLE, WITH("\"allow 21,22/tcp from role:app, 10.9.0.0/16\", \"reject 21/tcp from 10.1.0.0/16\""),
         SILENT},

	{LINT_NO_MATCH, WITH("\"allow icmpv6 from 10.0.0.0/8\""), "has no effect", "different families"},
	{LINT_NO_MATCH, WITH("\"deny 3306/tcp on lo\""), "deny 3306/tcp on lo", "housekeeping"},
	{LINT_NO_MATCH, WITH("\"allow icmpv6/133\""), "has no effect", "housekeeping"},
	{LINT_NO_MATCH, WITH("\"allow icmp from 10.0.0.0/8\""), SILENT},
	{LINT_NO_MATCH, WITH("\"allow icmpv6 from 10.0.0.0/8, role:app\""), SILENT},
	{LINT_NO_MATCH, WITH("\"allow icmpv6/133 to 2001:db8::/32\""), "has no effect", "housekeeping"},

	{LINT_EMPTY_PEER, ROLES(ROLE("db", "\"allow 22/tcp from role:none\"") ", " ROLE("none", "")) MACHINES(DB1),
         "role:none stands for nobody", "role:none has no members"},
	{LINT_EMPTY_PEER, WITH("\"allow icmpv6 from role:app\""), "role:app",
         "no member of role:app has an IPv6 address"},
	{LINT_EMPTY_PEER, WITH("\"allow 22/tcp from role:app/private\""), "role:app/private", "has an address"},
	{LINT_EMPTY_PEER, NETWORKS(NETWORK("n", "")) WITH("\"deny 22/tcp from network:n\""), "network:n",
         "network:n has no prefix"},
	{LINT_EMPTY_PEER,
         ROLES(ROLE("db", "\"allow 22/tcp from machine:m\""))
                 MACHINES(DB1 ", { name = \"m\"; addresses = [ \"10.0.0.2\" ]; enabled = false; }"),
         "machine:m", "machine:m is disabled"},
	{LINT_EMPTY_PEER,
         ROLES(ROLE("db", "\"deny 22/tcp from machine:m\""))
                 MACHINES(DB1 ", { name = \"m\"; addresses = [ \"10.0.0.2\" ]; enabled = false; }"),
         SILENT},
	{LINT_EMPTY_PEER, WITH("\"allow 22/tcp from role:app\""), SILENT},

	{LINT_ENDED, WITH("\"allow 22/tcp until 2026-01-01\""), "has ended", "until 2026-01-01T00:00:00Z"},
	{LINT_ENDED, WITH("\"allow 22/tcp until 2026-01-01T00:00:01Z\""), SILENT},
	{LINT_EXPIRES, WITH("\"allow 22/tcp until 2026-01-15\""), "ends soon", "until 2026-01-15"},
	{LINT_EXPIRES, WITH("\"allow 22/tcp until 2026-01-15T00:00:01Z\", \"deny 9/tcp until 2026-01-01\""), SILENT},

	{LINT_OPEN_EGRESS, WITH("\"allow 53/udp to 10.0.0.53\""), "may leave anyway", "egress is closed"},
	{LINT_OPEN_EGRESS,
         ROLES("{ name = \"db\"; egress = \"closed\"; rules = [ \"allow 53/udp to 10.0.0.53\" ]; }") MACHINES(DB1),
         SILENT},
	{LINT_OPEN_EGRESS, WITH("\"deny 53/udp to 10.0.0.53\", \"allow 53/udp\""), SILENT},

	{LINT_DATABASE_OPEN, WITH("\"allow 3306/tcp\""), "port of a database (mysql)", "1.2.3.4 -> db1 3306/tcp"},
	{LINT_DATABASE_OPEN, WITH("\"allow 80,6379/tcp from ::/0\""), "redis", "2000::7 -> db1 6379/tcp"},
	{LINT_DATABASE_OPEN, NETWORKS(NETWORK("n", "\"0.0.0.0/0\"")) WITH("\"allow 5432/tcp from network:n\""),
         "postgresql", "1.2.3.4 -> db1 5432/tcp"},
	{LINT_DATABASE_OPEN, WITH("\"allow 3306/tcp from 203.0.113.0/24\""), SILENT},
	{LINT_DATABASE_OPEN, WITH("\"allow 1024-65535/tcp\""), SILENT},
	{LINT_DATABASE_OPEN, WITH("\"allow 3306/udp\""), SILENT},
	{LINT_DATABASE_OPEN, WITH("\"allow 3306/tcp\", \"deny 3306/tcp\""), SILENT},
	{LINT_DATABASE_OPEN, WITH("\"allow 3306/tcp\", \"deny all from 0.0.0.0-8.8.8.7, 192.0.0.0/8, 203.0.113.0/24\""),
         "opens the port", "8.8.8.8 -> db1 3306/tcp"},
	{LINT_DATABASE_OPEN, WITH("\"allow 3306/tcp from 0.0.0.0/0\", \"reject all from 0.0.0.0/1, 128.0.0.0/1\""),
         SILENT},
	{LINT_DATABASE_OPEN, WITH("\"allow 3306/tcp to 0.0.0.0/0\""), SILENT},
	{LINT_DATABASE_OPEN, ROLES(ROLE("db", "\"allow 3306/tcp\"") ", " ROLE("app", "")) MACHINES(APP1), SILENT},

	{LINT_ONE_FAMILY, BOTH("\"allow 443/tcp from 0.0.0.0/0\""), "open to everybody in IPv4, and closed in IPv6",
         "1.2.3.4 -> db1 443/tcp is let in, 2000::7 -> db1 443/tcp is not"},
	{LINT_ONE_FAMILY, BOTH("\"allow 443/tcp from ::/0\""), "open to everybody in IPv6", "is let in"},
	{LINT_ONE_FAMILY, WITH("\"allow 443/tcp from 0.0.0.0/0\""), SILENT},
	{LINT_ONE_FAMILY, BOTH("\"allow 443/tcp from 0.0.0.0/0\", \"allow tcp from 2001:db8::/32\""), SILENT},
	{LINT_ONE_FAMILY, BOTH("\"allow 443/tcp from 0.0.0.0/0\", \"allow 443/tcp from ::/0\""), SILENT},
	{LINT_ONE_FAMILY, BOTH("\"allow 443/tcp from 10.0.0.0/8\""), SILENT},
	{LINT_ONE_FAMILY, BOTH("\"allow 443/tcp from 0.0.0.0/0, role:db\""), SILENT},
	{LINT_ONE_FAMILY, BOTH("\"allow icmpv4 from 0.0.0.0/0\""), SILENT},
	{LINT_ONE_FAMILY, BOTH("\"allow 67/udp from 0.0.0.0/0\""), SILENT},
	{LINT_ONE_FAMILY,
         ROLES(ROLE("db", "\"allow 443/tcp from ::/0\"")) MACHINES(DUAL("db1", "10.0.0.1", "2a00::1", "\"db\"")),
         SILENT},
	{LINT_ONE_FAMILY,
         ROLES(ROLE("db", "\"allow 443/tcp from 0.0.0.0/0\"")) MACHINES(DUAL("db1", "10.0.0.1", "fe80::1", "\"db\"")),
         SILENT},

	{LINT_LITERAL_MACHINE,
         ROLES(ROLE("db", "\"allow 22/tcp from 10.1.0.1\"") ", " ROLE("app", "\"deny 80/tcp from 10.1.0.1, "
                                                                             "10.3.0.0/16\"")) MACHINES(DB1 ", " APP1),
         "10.1.0.1, which is app1", "of role app"},
	{LINT_LITERAL_MACHINE, WITH("\"allow 22/tcp from 10.1.0.1\", \"allow 80/tcp from 10.1.0.1\""), SILENT},
	{LINT_LITERAL_MACHINE,
         ROLES(ROLE("db", "\"allow 22/tcp from 10.1.0.0/31\"") ", " ROLE("app", "\"deny 80/tcp from 10.1.0.1\""))
                 MACHINES(DB1 ", " APP1),
         SILENT},
	{LINT_LITERAL_MACHINE,
         ROLES(ROLE("db", "\"allow 22/tcp from 10.1.0.1\"") ", " ROLE("app", "\"deny 80/tcp from 10.1.0.1\""))
                 MACHINES(DB1 ", " APP1 ", " MACHINE("twin", "10.1.0.1", "")),
         SILENT},

	{LINT_SHARED_ADDRESS, ROLES(ROLE("db", "")) MACHINES(DB1 ", " MACHINE("twin", "10.0.0.1", "")),
         "2 machines have the address 10.0.0.1", "db1, twin"},
	{LINT_SHARED_ADDRESS, WITH(""), SILENT},

	{LINT_NO_ADDRESS, BASE("\"allow all from self\"", ""), SILENT},
	{LINT_NO_ADDRESS,
         ROLES(ROLE("db", "\"allow 22/tcp from role:app\"") ", " ROLE("app", ""))
                 MACHINES(DB1 ", " APP1 ", { name = \"app9\"; roles = [ \"app\" ]; }"),
         "app9 has no address", "it has the role app"},
	{LINT_NO_ADDRESS,
         ROLES(ROLE("db", "\"allow 22/tcp from role:app\"") ", " ROLE("app", ""))
                 MACHINES(DB1 ", " APP1 ", { name = \"db9\"; roles = [ \"db\" ]; }"),
         SILENT},

	{LINT_NO_LABEL,
         ROLES(ROLE("db", "\"allow 22/tcp from role:app/private\"") ", " ROLE("app", ""))
                 MACHINES(DB1 ", " APP1 ", " LABELLED("app3", "private", "\"app\"")),
         "role:app/private do not speak of 1 of its members, whose address has no label", "does not speak of app1"},
	{LINT_NO_LABEL, /* of some it may be meant: each has what it has */
         ROLES(ROLE("db", "\"allow 22/tcp from role:app/private\"") ", " ROLE("app", ""))
                 MACHINES(DB1 ", " LABELLED("app4", "public", "\"app\"") ", " LABELLED("app3", "private", "\"app\"")),
         SILENT},
	{LINT_NO_LABEL, /* the peer stands for nobody */
         ROLES(ROLE("db", "\"allow 22/tcp from role:app/private\"") ", " ROLE("app", "")) MACHINES(DB1 ", " APP1),
         SILENT},
	{LINT_NO_LABEL,
         ROLES(ROLE("db", "\"allow 22/tcp from role:app\"") ", " ROLE("app", ""))
                 MACHINES(DB1 ", " APP1 ", " LABELLED("app3", "private", "\"app\"")),
         SILENT},
	{LINT_NO_LABEL, /* both */
         ROLES(ROLE("db", "\"allow 22/tcp from role:app/private\"") ", " ROLE("app", ""))
                 MACHINES(DB1 ", { name = \"app5\"; roles = [ \"app\" ]; addresses = ( \"10.1.0.7\", "
                              "{ address = \"10.1.0.6\"; label = \"private\"; } ); }"),
         SILENT},
	{LINT_NO_LABEL,
         ROLES(ROLE("db", "\"allow 22/tcp from role:app/private\"") ", " ROLE("app", ""))
                 MACHINES(DB1 ", { name = \"app1\"; addresses = [ \"10.1.0.1\" ]; roles = [ \"app\" ]; enabled = "
                              "false; }, " LABELLED("app3", "private", "\"app\"")),
         SILENT},

	{LINT_UNUSED_ROLE, ROLES(ROLE("old", "\"allow 22/tcp\"")), "nobody uses role old", "no members"},
	{LINT_UNUSED_ROLE, WITH("\"deny 22/tcp from role:app\""), SILENT},
	{LINT_UNUSED_ROLE, ROLES("{ name = \"every\"; selector = { }; }") MACHINES("{ name = \"m\"; }"), SILENT},
	{LINT_UNUSED_ROLE, ROLES(ROLE("old", "\"allow 22/tcp from role:old/private\"")), "nobody uses role old",
         "no rule of another role"},
	{LINT_EMPTY_PEER, ROLES(ROLE("old", "\"allow 22/tcp from role:old/private\"")), SILENT},
	{LINT_UNUSED_NETWORK, NETWORKS(NETWORK("n", "\"10.0.0.0/8\"")) WITH(""), "nobody uses network n", "no rule"},
	{LINT_UNUSED_NETWORK, NETWORKS(NETWORK("n", "\"10.0.0.0/8\"")) WITH("\"deny 9/tcp from network:n\""), SILENT},
	{LINT_OVERLAPPING_NETWORKS, NETWORKS(NETWORK("n", "\"10.0.0.0/8\"") ", " NETWORK("m", "\"10.2.0.0/16\"")),
         "all of network m lies in network n", "10.2.0.0/16 of m, 10.0.0.0/8 of n"},
	{LINT_OVERLAPPING_NETWORKS,
         NETWORKS(NETWORK("n", "\"10.0.0.0/8\", \"11.0.0.0/8\"") ", " NETWORK("m", "\"10.2.0.0/16\", \"12.0.0.0/8\"")),
         "have addresses in common", "m"},
	{LINT_OVERLAPPING_NETWORKS, NETWORKS(NETWORK("n", "\"10.0.0.0/8\"") ", " NETWORK("m", "\"10.0.0.0/8\"")),
         "are the same addresses", "m"},
	{LINT_OVERLAPPING_NETWORKS, NETWORKS(NETWORK("n", "\"10.0.0.0/8\"") ", " NETWORK("m", "\"11.2.0.0/16\"")),
         SILENT},
	{LINT_OVERLAPPING_NETWORKS, NETWORKS(NETWORK("n", "\"0.0.0.0/0\"") ", " NETWORK("m", "\"11.2.0.0/16\"")),
         SILENT},

	{LINT_NOT_ENFORCED, MACHINES("{ name = \"m\"; enforcement = \"monitor\"; }"), "watched only", "monitor"},
	{LINT_NOT_ENFORCED, MACHINES("{ name = \"m\"; enforcement = \"unmanaged\"; }"), "no ruleset", "unmanaged"},
	{LINT_NOT_ENFORCED, MACHINES("{ name = \"m\"; enforcement = \"unmanaged\"; enabled = false; }"), SILENT},
	{LINT_NO_HOST, MACHINES("{ name = \"m\"; }"), "nothing but its name", "no ssh_host, no addresses"},
	{LINT_NO_HOST, MACHINES("{ name = \"m\"; ssh_host = \"m.example.net\"; }"), SILENT},
	{LINT_NO_HOST, WITH(""), SILENT},
	{LINT_MANAGEMENT_FAMILY, MACHINES("{ name = \"m\"; addresses = [ \"2001:db8::1\" ]; }"), "over IPv6",
         "2001:db8::1"},
	{LINT_MANAGEMENT_FAMILY,
         MACHINES("{ name = \"m\"; addresses = [ \"2001:db8::1\" ]; ssh_host = \"m.example.net\"; }"), SILENT},
	{LINT_MANAGEMENT_FAMILY, MACHINES("{ name = \"m\"; addresses = [ \"2001:db8::1\", \"10.0.0.1\" ]; }"), SILENT},
	{LINT_MANAGEMENT_DENIED, WITH("\"deny tcp from 192.0.0.0/16\""), "speaks of management",
         "192.0.2.128 -> db1 22/tcp is let in"},
	{LINT_MANAGEMENT_DENIED, WITH("\"deny tcp from 192.0.2.0/25\""), SILENT},
	{LINT_MANAGEMENT_DENIED, WITH("\"deny 23/tcp from 192.0.0.0/16\""), SILENT},
};

START_TEST(each_kind_and_its_neighbours)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct lint_finding *finding;

		look(cases[i].document);
		finding = found(cases[i].code);
		if (cases[i].message == NULL) {
			ck_assert_msg(finding == NULL, "%s: %.*s (%.*s)", cases[i].document, STR_ARG(finding->message),
			              STR_ARG(finding->evidence));
			continue;
		}
		ck_assert_msg(finding != NULL, "case %zu: no %.*s in %s", i, STR_ARG(lint_code_str(cases[i].code)),
		              cases[i].document);
		ck_assert_msg(holds(finding->message, cases[i].message) && holds(finding->evidence, cases[i].evidence),
		              "%s: %.*s (%.*s)", cases[i].document, STR_ARG(finding->message),
		              STR_ARG(finding->evidence));
		ck_assert_uint_gt(finding->advice.n, 0);
		ck_assert_uint_gt(finding->subject.n, 0);
	}
}
END_TEST

START_TEST(no_kind_is_without_a_case)
{
	bool there[LINT_CODES] = {[LINT_NO_MANAGEMENT] = true}; /* below */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		there[cases[i].code] = there[cases[i].code] || cases[i].message != NULL;
	for (size_t i = 0; i < LINT_CODES; i++)
		ck_assert_msg(there[i], "%.*s", STR_ARG(lint_code_str((enum lint_code)i)));
}
END_TEST

START_TEST(management_sources)
{
	settings.management_count = 0;
	look(WITH(""));
	ck_assert_ptr_nonnull(found(LINT_NO_MANAGEMENT));
	ck_assert_ptr_null(found(LINT_MANAGEMENT_FAMILY));
	look(MACHINES("{ name = \"m\"; enforcement = \"monitor\"; }"));
	ck_assert_ptr_null(found(LINT_NO_MANAGEMENT));
	settings.management_count = 1;
	look(WITH(""));
	ck_assert_ptr_null(found(LINT_NO_MANAGEMENT));
}
END_TEST

START_TEST(two_of_the_same_are_not_both_to_go)
{
	size_t covered = 0;

	look(ROLES(ROLE("a", "\"allow 22/tcp\"") ", " ROLE("b", "\"allow 22/tcp\""))
	     MACHINES(MACHINE("m1", "10.0.0.1", "\"a\", \"b\"")));
	for (size_t i = 0; i < count; i++)
		covered += findings[i].code == LINT_COVERED;
	ck_assert_uint_eq(covered, 1);
}
END_TEST

START_TEST(nothing_where_nothing_is)
{
	look(WITH("\"allow 3306/tcp from role:app\", \"deny 3306/tcp from 10.7.0.0/16\""));
	ck_assert_uint_eq(count, 0);
	look("");
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* --- ids --- */

static char *id_of(enum lint_code code)
{
	ck_assert_ptr_nonnull(found(code));
	return str_c(arena, str_of(found(code)->id));
}

START_TEST(ids_are_as_documented)
{
	static const char text[] = "unused-network\0network:n\0";
	char hex[65];
	struct digest digest = digest_of((struct str){text, sizeof text - 1});

	digest_hex(&digest, hex);
	look(NETWORKS(NETWORK("n", "\"10.0.0.0/8\"")));
	hex[LINT_ID_DIGITS] = '\0';
	ck_assert_str_eq(id_of(LINT_UNUSED_NETWORK), hex);
}
END_TEST

START_TEST(ids_stay)
{
	const char *covered, *shared;

	look(WITH("\"allow 3306/tcp from 10.0.0.0/8\", \"allow 3306/tcp from 10.1.0.0/16\""));
	covered = id_of(LINT_COVERED);
	look(WITH("\"allow 3306/tcp\", \"allow 3306/tcp from 10.1.0.0/16\", \"allow 22/tcp\""));
	ck_assert_str_eq(id_of(LINT_COVERED), covered);
	look(WITH("\"allow 3306/tcp from 10.0.0.0/8\", \"allow 3306/tcp from 10.1.0.0/17\""));
	ck_assert_str_ne(id_of(LINT_COVERED), covered);

	look(ROLES(ROLE("db", "")) MACHINES(DB1 ", " MACHINE("twin", "10.0.0.1", "")));
	shared = id_of(LINT_SHARED_ADDRESS);
	look(ROLES(ROLE("db", "")) MACHINES(DB1 ", " MACHINE("twin", "10.0.0.1", "\"db\"") ", "
	     MACHINE("x", "10.0.0.2", "")));
	ck_assert_str_eq(id_of(LINT_SHARED_ADDRESS), shared);
	look(ROLES(ROLE("db", "")) MACHINES(DB1 ", " MACHINE("twin", "10.0.0.1", "") ", "
	     MACHINE("x", "10.0.0.1", "")));
	ck_assert_str_ne(id_of(LINT_SHARED_ADDRESS), shared);
}
END_TEST

START_TEST(severity_comes_first)
{
	look(WITH("\"allow 3306/tcp\", \"allow 3306/tcp from 10.1.0.0/16\", \"allow 22/tcp until 2026-01-02\""));
	ck_assert_uint_eq(count, 3);
	ck_assert_int_eq(findings[0].code, LINT_DATABASE_OPEN);
	ck_assert_int_eq(findings[1].code, LINT_COVERED);
	ck_assert_int_eq(findings[2].code, LINT_EXPIRES);
}
END_TEST

START_TEST(words)
{
	for (size_t i = 0; i < LINT_CODES; i++) {
		enum lint_code code = LINT_CODES;
		enum lint_severity severity;

		ck_assert(lint_code_parse(lint_code_str((enum lint_code)i), &code));
		ck_assert_int_eq(code, (enum lint_code)i);
		ck_assert(lint_severity_parse(lint_severity_str(lint_code_severity(code)), &severity));
		ck_assert_int_eq(severity, lint_code_severity(code));
	}
	ck_assert(!lint_code_parse(STR("nonsense"), &(enum lint_code){0}));
	ck_assert(!lint_severity_parse(STR("fatal"), &(enum lint_severity){0}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lint");
	TCase *tcase = tcase_create("lint");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, each_kind_and_its_neighbours);
	tcase_add_test(tcase, no_kind_is_without_a_case);
	tcase_add_test(tcase, management_sources);
	tcase_add_test(tcase, two_of_the_same_are_not_both_to_go);
	tcase_add_test(tcase, nothing_where_nothing_is);
	tcase_add_test(tcase, ids_are_as_documented);
	tcase_add_test(tcase, ids_stay);
	tcase_add_test(tcase, severity_comes_first);
	tcase_add_test(tcase, words);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
