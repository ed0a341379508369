/* What is said of assertions over one fleet: the packet, the reason, the machines; edges of ports, of management, of
 * interfaces, of egress, of who is left out. */
#include <check.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/policy.h"
#include "suite_main.h"

static const char document[] =
	"networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\" ]; } );"
	"roles = ( { name = \"app\"; rules = [ \"allow 80/tcp on eth+\", \"allow 81/tcp on eth0\" ]; },"
	" { name = \"closed\"; egress = \"closed\"; rules = [ \"allow 1-3000,3900/tcp to role:mysql\","
	"   \"allow 53/udp to 192.0.2.53\" ]; },"
	" { name = \"gone\"; },"
	" { name = \"mysql\"; rules = [ \"allow 3306-3307/tcp from role:app, network:office\","
	"   \"allow 2999-4000/tcp from role:closed\", \"deny 5000/tcp from role:gone\", \"allow 5000/tcp\","
	"   \"reject 6000/tcp from 10.0.0.9\", \"allow 6000/tcp\", \"allow 22/tcp from 192.0.2.10\" ]; },"
	" { name = \"void\"; } );"
	"machines = ( { name = \"app1\"; addresses = [ \"10.0.1.1\" ]; roles = [ \"app\" ]; },"
	" { name = \"app2\"; addresses = [ \"fd00::12\" ]; roles = [ \"app\" ]; },"
	" { name = \"closed1\"; addresses = [ \"10.0.3.1\" ]; roles = [ \"closed\" ]; },"
	" { name = \"db1\"; addresses = [ \"10.0.2.1\" ]; roles = [ \"mysql\" ]; },"
	" { name = \"db2\"; addresses = [ \"10.0.2.2\" ]; roles = [ \"mysql\" ]; enforcement = \"monitor\"; },"
	" { name = \"db3\"; addresses = [ \"10.0.2.3\" ]; roles = [ \"mysql\" ]; enforcement = \"unmanaged\"; },"
	" { name = \"old1\"; addresses = [ \"10.0.0.8\" ]; roles = [ \"gone\" ]; enabled = false; } );";

#define ON_DBS "; on 2 machines: db1, db2"

/* Without ids of rules, which say nothing to a reader. */
static const struct {
	const char *assertion, *said; /* all violations, one a line; "holds" */
} cases[] = {
	{"never 203.0.113.0/24 -> role:mysql 3308/tcp", "holds"},
	{"never 203.0.113.0/24 -> role:mysql 3307-3400/tcp",
	 "203.0.113.7 -> db1 3307/tcp passes: it is let in by rule of role mysql: allow 3306-3307/tcp from "
	 "network:office, role:app" ON_DBS},
	{"always 203.0.113.0/24 -> role:mysql 3306-3307/tcp", "holds"},
	/* The port behind the last of a rule is another packet. */
	{"always 203.0.113.0/24 -> role:mysql 3306-3308/tcp",
	 "203.0.113.7 -> db1 3308/tcp does not pass: no rule lets it in" ON_DBS},
	{"only role:app, network:office, role:closed -> role:mysql 2000-4999/tcp", "holds"},
	{"only network:office -> role:mysql 3307/tcp",
	 "10.0.3.1 (closed1) -> db1 3307/tcp passes: it is let in by rule of role mysql: allow 2999-4000/tcp from "
	 "role:closed" ON_DBS "\n"
	 "10.0.1.1 (app1) -> db1 3307/tcp passes: it is let in by rule of role mysql: allow 3306-3307/tcp from "
	 "network:office, role:app" ON_DBS},
	/* What the source does not let out does not pass; its ports divide what the destination takes as one. */
	{"never role:closed -> role:mysql 3001-3899/tcp", "holds"},
	{"never role:closed -> role:mysql 3001-4000/tcp",
	 "closed1 (10.0.3.1) -> db1 (10.0.2.1) 3900/tcp passes: it is let in by rule of role mysql: allow "
	 "2999-4000/tcp from role:closed" ON_DBS},
	{"never role:closed -> role:mysql 2900-4000/tcp",
	 "closed1 (10.0.3.1) -> db1 (10.0.2.1) 2999/tcp passes: it is let in by rule of role mysql: allow "
	 "2999-4000/tcp from role:closed" ON_DBS},
	{"always role:closed -> role:mysql 3000-3001/tcp",
	 "closed1 (10.0.3.1) -> db1 (10.0.2.1) 3001/tcp does not pass: the source's egress is closed, and no rule "
	 "lets it out; on 1 machine: closed1"},
	/* Peers of deny rules count those who are disabled, of allow rules not. */
	{"never 10.0.0.8 -> role:mysql 5000/tcp", "holds"},
	{"never role:gone -> role:mysql 5000/tcp", "holds"},
	{"only role:gone -> role:void all", "holds"},
	{"always 10.0.0.8 -> role:mysql 5000/tcp",
	 "10.0.0.8 (old1) -> db1 5000/tcp does not pass: it is refused by rule of role mysql: deny 5000/tcp from "
	 "role:gone" ON_DBS},
	{"always role:gone -> role:mysql 5000/tcp", "holds"},
	{"always 10.0.0.0/28 -> role:mysql 6000/tcp",
	 "10.0.0.9 -> db1 6000/tcp does not pass: it is refused by rule of role mysql: reject 6000/tcp from "
	 "10.0.0.9" ON_DBS},
	/* Management is let in on the SSH port, whatever rules say, and on no other. */
	{"never 192.0.2.10 -> role:mysql 22/tcp", "holds"},
	{"always 192.0.2.10-192.0.2.11 -> role:app 22/tcp", "holds"},
	{"always 192.0.2.10 -> role:app 22-23/tcp",
	 "192.0.2.10 -> app1 23/tcp does not pass: no rule lets it in; on 2 machines: app1, app2"},
	{"never 192.0.2.11 -> role:mysql 22/tcp", "holds"},
	/* Interfaces. */
	{"always any -> machine:app1 80/tcp",
	 "203.0.113.7 -> app1 80/tcp does not pass: no rule lets it in; on 1 machine: app1"},
	{"always any -> machine:app1 80/tcp on eth+", "holds"},
	{"always any -> machine:app1 81/tcp on eth+",
	 "203.0.113.7 -> app1 81/tcp on eth1 does not pass: no rule lets it in; on 1 machine: app1"},
	{"never 192.0.2.1 -> machine:app1 80/tcp",
	 "192.0.2.1 -> app1 80/tcp on eth0 passes: it is let in by rule of role app: allow 80/tcp on eth+; on 1 "
	 "machine: app1"},
	{"never any -> machine:app1 80/tcp on wan0", "holds"},
	{"never any -> machine:app1 all on lo", "holds"},
	/* To addresses. */
	{"never role:closed -> 0.0.0.0/0, ::/0 3001/tcp", "holds"},
	{"never role:closed -> 192.0.2.0/24 53/udp",
	 "closed1 -> 192.0.2.53 53/udp passes: it is let out by rule of role closed: allow 53/udp to 192.0.2.53; on 1 "
	 "machine: closed1"},
	{"only role:closed, role:app -> 192.0.2.53 53/udp",
	 "db1 -> 192.0.2.53 53/udp passes: the source's egress is open, and no rule refuses it" ON_DBS},
	/* Families. */
	{"always machine:app1 -> machine:app2 icmpv6/133",
	 "app1 -> app2 can't pass: they have no addresses of one family; on 1 machine: app2"},
	{"always role:app -> machine:app2 icmpv6/133",
	 "app1 -> app2 can't pass: they have no addresses of one family; on 1 machine: app2"},
	{"never any -> role:mysql icmpv6/133", "holds"},
};

/* "rule 0123456789ab of role" -> "rule of role". */
static struct str without_id(struct arena *arena, struct str text)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < text.n; i++) {
		buf_char(&buf, text.p[i]);
		if (str_ends(str_slice(text, 0, i + 1), STR(" by rule ")))
			i += RULE_ID_DIGITS + 1;
	}
	return buf_str(&buf);
}

static struct str said(struct arena *arena, const struct fleet *fleet, const struct policy *policy)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < policy->count; i++) {
		buf_add(&buf, i > 0 ? STR("\n") : STR(""));
		policy_packet_print(&buf, &policy->violations[i]);
		buf_char(&buf, ' ');
		policy_reason_print(&buf, &policy->violations[i]);
		buf_add(&buf, STR("; "));
		policy_machines_print(&buf, fleet, &policy->violations[i]);
	}
	return policy->count > 0 ? without_id(arena, buf_str(&buf)) : STR("holds");
}

static void judge(struct arena *arena, struct str text, struct fleet *fleet, struct policy *policy)
{
	static struct prefix management[] = {{{0xc000020au, FAMILY_4}, 31}};
	struct settings *settings = arena_alloc(arena, sizeof *settings);
	struct assertions *list = ARENA_NEW(arena, struct assertions);
	struct error *warnings = NULL;

	*settings = settings_default();
	settings->management = management;
	settings->management_count = 1;
	ck_assert_ptr_null(document_read(arena, STR("fleet"), str_of(document), fleet, &warnings));
	fleet->clock = 1767225600;
	ck_assert_ptr_null(assertions_read(arena, STR("policy"), text, list, &warnings));
	ck_assert_ptr_null(assertions_check(arena, list, fleet));
	policy_judge(arena, resolve(arena, fleet), settings, list, policy);
}

START_TEST(what_is_said)
{
	struct arena *arena = arena_new();
	struct policy policy;
	struct fleet fleet;
	struct str got;

	judge(arena, str_of(cases[_i].assertion), &fleet, &policy);
	got = said(arena, &fleet, &policy);
	ck_assert_msg(str_is(got, cases[_i].said), "%s:\n%.*s\n", cases[_i].assertion, STR_ARG(got));
	arena_free(arena);
	error_forget_all();
}
END_TEST

START_TEST(who_was_looked_at)
{
	struct arena *arena = arena_new();
	struct policy policy;
	struct fleet fleet;

	judge(arena, STR("never any -> role:mysql 1/tcp\nnever any -> role:void 1/tcp\nnever role:void -> any 1/tcp\n"
	                 "never any -> role:gone 1/tcp\nonly role:void -> machine:db1 1/tcp\n"),
	      &fleet, &policy);
	ck_assert_uint_eq(policy.count, 0);
	ck_assert_uint_eq(policy.notes[0].judged, 2);
	ck_assert_uint_eq(policy.notes[0].left_out, 1);
	ck_assert_uint_eq(policy.notes[0].monitored, 1);
	ck_assert(!policy.notes[0].vacuous);
	ck_assert(policy.notes[1].vacuous);
	ck_assert(policy.notes[2].vacuous);
	ck_assert(policy.notes[3].vacuous);
	ck_assert_uint_eq(policy.notes[3].left_out, 1);
	ck_assert(!policy.notes[4].vacuous);
	ck_assert_uint_eq(policy.left_out, 2);
	ck_assert_uint_eq(policy.monitored, 1);
	ck_assert_uint_eq(error_count(policy_warnings(&policy)), 4);
	arena_free(arena);
	error_forget_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy_cases");
	TCase *tcase = tcase_create("policy_cases");

	tcase_add_loop_test(tcase, what_is_said, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tcase, who_was_looked_at);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
