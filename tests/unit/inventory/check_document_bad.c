/* Documents that are refused: each fault at its line and column, with what helps. What is hostile is refused by name,
 * in every field. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

#include "suite_main.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct error *faults_of(struct str text)
{
	struct error *warnings = NULL;
	struct fleet fleet;

	return document_read(arena, STR("doc"), text, &fleet, &warnings);
}

static bool holds(struct str s, const char *part)
{
	return memmem(s.p == NULL ? "" : s.p, s.n, part, strlen(part)) != NULL;
}

static void one_fault(struct str text, unsigned line, unsigned column, const char *message, const char *hint)
{
	struct error *error = faults_of(text);

	ck_assert_msg(error != NULL, "accepted: %.*s", STR_ARG(text));
	ck_assert_msg(error->next == NULL, "more than one:\n%s", printed(error));
	ck_assert_msg(holds(error->message, message), "not \"%s\":\n%s", message, printed(error));
	ck_assert_msg(holds(error->hint, hint), "no hint \"%s\":\n%s", hint, printed(error));
	ck_assert_msg(error->place.line == line && error->place.column == column, "not at %u:%u:\n%s", line, column,
	              printed(error));
	ck_assert(str_is(error->place.file, "doc"));
	ck_assert_int_eq(error->kind, ERROR_INPUT);
}

/* --- what libconfig would let through, and syntax --- */

static const struct fault {
	const char *text;
	unsigned line, column;
	const char *message, *hint;
} syntax[] = {
	{"roles = (\n { name = \"a\" \"b\"; } );", 2, 15, "two strings in a row", "comma"},
	{"roles = ( { name = \"a\"; rules = [ \"allow 22/tcp\"\n  \"allow 80/tcp\" ]; } );", 2, 3,
         "two strings in a row", "comma"},
	{"# hello\n@include \"other.conf\"\n", 2, 1, "@include is not allowed", "import the other file"},
	{"roles = ( ); @include \"x\"", 1, 14, "@include is not allowed", ""},
	{"roles = ( { name = \"a\\x00b\"; } );", 1, 22, "\\x00", ""},
	{"roles = ( { name = \"a\\X00b\"; } );", 1, 22, "\\x00", ""},
	{"roles = ( { name = \"a; } );\n", 1, 20, "the string that begins here does not end", "quote"},
	{"roles = ( );\n  /* no end", 2, 3, "the comment that begins here does not end", "*/"},
	{"roles = (\n  { name = \"a\"; },\n);", 3, 1, "syntax error at `)`", "no comma stands before the end"},
	{"roles = (\n  { name = \"a\"; }\n  { name = \"b\"; } );", 3, 3, "syntax error at `{`", "a comma"},
	{"roles = (\n  { name = \"a\"; \n", 2, 3, "the `{` here is never closed", "the name of a field or `}`"},
	{"roles = (\n", 1, 9, "the `(` here is never closed", ""},
	{"roles = ( { name \"a\"; } );", 1, 18, "syntax error at `\"a\"`", "`=`"},
	{"roles = ( { name = ; } );", 1, 20, "syntax error at `;`", "a value"},
	{"roles ( );", 1, 7, "syntax error at `(`", "`=`"},
	{"roles = ( } );", 1, 11, "syntax error at `}`", "a value or the end of the list"},
	{"roles =", 1, 8, "the file ends where a value was expected", ""},
	{"roles = ( );;", 1, 13, "syntax error at `;`", "the name of a setting"},
	{"roles = ( { name = \"a\"; rules = [ { rule = \"allow 22/tcp\"; } ]; } );", 1, 35, "holds plain values only",
         "( … )"},
	{"roles = ( { na.me = \"a\"; } );", 1, 15, "syntax error at `.`", "`=`"},
	{"roles = ( { name = \"a\";\n  owner = \"x\"; owner = \"y\"; } );", 2, 16, "field \"owner\" is given twice",
         "line 2"},
	{"roles = ( );\nroles = ( );", 2, 1, "field \"roles\" is given twice", "line 1"},
	{"roles = ((((((((((((((((((((((((((((((((( 1 )))))))))))))))))))))))))))))))));", 1, 41,
         "more than 32 brackets", ""},
	{"machines = ( { name = \"a\"; labels = [ \"x=y\", 1 ]; } );", 1, 0, "mismatched element type", ""},
};

static void check_syntax(size_t i)
{
	one_fault(str_of(syntax[i].text), syntax[i].line, syntax[i].column, syntax[i].message, syntax[i].hint);
}

START_TEST(syntax_faults_have_places)
{
	for (size_t i = 0; i < COUNT(syntax); i++)
		check_syntax(i);
}
END_TEST

START_TEST(bytes_that_no_text_has)
{
	one_fault(STR("roles = (\n { name = \"a\0b\"; } );"), 2, 13, "a NUL byte", "plain text");
	one_fault(STR("# caf\xe9\nroles = ( );"), 1, 6, "not valid UTF-8 (byte 0xe9)", "UTF-8");
	one_fault(STR("roles = ( { name = \"a\"; owner = \"\xc0\xaf\"; } );"), 1, 34, "not valid UTF-8", "");
	one_fault(STR("\0"), 1, 1, "a NUL byte", "");
}
END_TEST

/* In comments and strings the same words mean nothing. */
START_TEST(comments_and_strings_are_not_looked_into)
{
	ck_assert_ptr_null(faults_of(
		STR("# @include \"x\" \\x00 \"a\" \"b\"\n// /* \n/* \" */ roles = ( { name = \"a\"; "
	            "description = \"@include # // /* a\\\"b \\\\\"; /* \"x\" \"y\" */ owner = \"\\\\x00\"; } );")));
}
END_TEST

/* --- fields --- */

static const struct fault fields[] = {
	{"rules = ( );", 1, 1, "unknown setting \"rules\"", "did you mean \"roles\"?"},
	{"role = ( );", 1, 1, "unknown setting \"role\"", "did you mean \"roles\"?"},
	{"frobnicate = 1;", 1, 1, "unknown setting \"frobnicate\"", "networks, services, roles and machines"},
	{"roles = { };", 1, 9, "roles is a list, not a group", "( {"},
	{"roles = \"a\";", 1, 9, "roles is a list, not a string", ""},
	{"roles = ( \"a\" );", 1, 11, "a group was expected, not a string", ""},
	{"roles = ( { } );", 1, 11, "this role has no field \"name\"", ""},
	{"roles = ( {\n  egres = \"open\"; name = \"a\"; } );", 2, 3, "unknown field \"egres\" of a role",
         "did you mean \"egress\"?"},
	{"roles = ( { name = \"a\"; zzzzzz = 1; } );", 1, 25, "unknown field \"zzzzzz\" of a role",
         "name, description, owner"},
	{"roles = ( { name = 5; } );", 1, 20, "name is a string, not a number", ""},
	{"roles = ( { name = \"a b\"; } );", 1, 21, "", ""},
	{"roles = ( { name = \"\"; } );", 1, 21, "", ""},
	{"roles = ( { name = \"a\"; egress = \"close\"; } );", 1, 35, "egress can't be \"close\"",
         "did you mean \"closed\"?"},
	{"roles = ( { name = \"a\"; egress = true; } );", 1, 34, "egress is a string, not true or false", ""},
	{"roles = ( { name = \"a\"; owner = 1; } );", 1, 33, "owner is a string, not a number", ""},
	{"roles = ( { name = \"a\"; selector = \"all\"; } );", 1, 37, "this is no selector", "\"none\" none"},
	{"roles = ( { name = \"a\"; selector = [ ]; } );", 1, 36, "this is no selector", "every machine"},
	{"roles = ( { name = \"a\"; selector = { env = 1; }; } );", 1, 44, "env is a string, not a number", "quotes"},
	{"roles = ( { name = \"a\"; selector = [ \"env\" ]; } );", 1, 39, "\"env\" is no label", "key=value"},
	{"roles = ( { name = \"a\"; selector = [ \"=x\" ]; } );", 1, 39, "a label has no key", ""},
	{"roles = ( { name = \"a\"; selector = [ \"a=x\", \"a=y\" ]; } );", 1, 36, "label \"a\" is given twice", ""},
	{"roles = ( { name = \"a\"; rules = \"allow 22/tcp\"; } );", 1, 33, "rules is a list, not a string", ""},
	{"roles = ( { name = \"a\"; rules = ( 5 ); } );", 1, 35, "a string was expected, not a number", ""},
	{"roles = ( { name = \"a\"; rules = ( { ticket = \"x\"; } ); } );", 1, 35, "this rule has no field \"rule\"",
         ""},
	{"roles = ( { name = \"a\"; rules = ( { rule = \"allow 22/tcp\"; tiket = \"x\"; } ); } );", 1, 60,
         "unknown field \"tiket\" of a rule", "\"ticket\""},
	{"roles = ( { name = \"a\"; rules = ( { rule = \"allow 22/tcp\"; enabled = 1; } ); } );", 1, 70,
         "enabled is true or false, not a number", ""},
	{"roles = ( { name = \"a\"; rules = ( \"allow 22/tcp\",\n{ rule = \"allow 22/TCP\"; ticket = \"x\"; } ); } );",
         2, 11, "rule \"allow 22/tcp\" is given twice", "doc:1"},
	{"roles = ( { name = \"a\"; rules = [ \"allow 22/tcp # a\", \"allow 22/tcp # b\" ]; } );", 1, 56,
         "is given twice", "doc:1"},
	{"roles = ( { name = \"machine:m\"; rules = [ ]; } );", 1, 11, "own rules are not given among the roles",
         "field `rules`"},
	{"roles = ( { name = \"machine:m\"; selector = { }; } );", 1, 11, "can have no selector", ""},
	{"roles = ( { name = \"a\"; owner = \"x\"; },\n  { name = \"A\"; owner = \"y\"; } );", 2, 3,
         "role a is given twice", "doc:1"},
	{"machines = ( { name = \"m\"; },\n\n { name = \"m\"; mode = \"coexist\"; } );", 3, 2,
         "machine m is given twice", "doc:1"},
	{"networks = ( { name = \"n\"; },\n { name = \"n\"; prefixes = [ ]; } );", 2, 2, "network n is given twice",
         "doc:1"},
	{"services = ( { name = \"s\"; ports = [ \"1/tcp\" ]; },\n { name = \"s\"; ports = [ \"1/udp\" ]; } );", 2, 2,
         "service s is given twice", "doc:1"},
	{"machines = ( { name = \"m\"; adresses = [ ]; } );", 1, 28, "unknown field \"adresses\" of a machine",
         "\"addresses\""},
	{"machines = ( { name = \"m\"; addresses = [ \"10.0.0.0/8\" ]; } );", 1, 43,
         "\"10.0.0.0/8\" is no IPv4 or IPv6 address", "without prefix length"},
	{"machines = ( { name = \"m\"; addresses = [ \"localhost\" ]; } );", 1, 43, "is no IPv4 or IPv6 address",
         "not looked up"},
	{"machines = ( { name = \"m\"; addresses = ( { label = \"x\"; } ); } );", 1, 42,
         "this address has no field \"address\"", ""},
	{"machines = ( { name = \"m\"; addresses = ( { address = \"::1\"; label = \"a b\"; } ); } );", 1, 70,
         "address label", ""},
	{"machines = ( { name = \"m\"; addresses = ( \"::1\", { address = \"0::1\"; label = \"x\"; } ); } );", 1, 49,
         "address ::1 is given twice", ""},
	{"machines = ( { name = \"m\"; roles = \"a\"; } );", 1, 36, "roles is a list, not a string", ""},
	{"machines = ( { name = \"m\"; roles = [ \"machine:m\" ]; } );", 1, 0, "role", ""},
	{"machines = ( { name = \"m\"; mode = \"exlusive\"; } );", 1, 36, "mode can't be \"exlusive\"",
         "did you mean \"exclusive\"?"},
	{"machines = ( { name = \"m\"; enforcement = \"off\"; } );", 1, 43, "enforcement can't be \"off\"",
         "enforce, monitor, unmanaged"},
	{"machines = ( { name = \"m\"; enabled = \"true\"; } );", 1, 38, "enabled is true or false, not a string",
         "without quotes"},
	{"machines = ( { name = \"m\"; ssh_port = \"22\"; } );", 1, 39, "ssh_port is a number, not a string", ""},
	{"machines = ( { name = \"m\"; ssh_port = 65536; } );", 1, 39, "ssh_port 65536 is out of range", "1 to 65535"},
	{"machines = ( { name = \"m\"; ssh_port = -1; } );", 1, 39, "ssh_port -1 is out of range", ""},
	{"machines = ( { name = \"m\"; ssh_port = 022; } );", 1, 39, "ssh_port 022 is out of range", "decimal"},
	{"machines = ( { name = \"m\"; ssh_port = 0x100000016; } );", 1, 39, "ssh_port 0x100000016 is out of range",
         ""},
	{"machines = ( { name = \"m\"; ssh_port = 2.2e1; } );", 1, 39, "out of range", ""},
	{"machines = ( { name = \"m\"; ssh_host = \"-oProxyCommand=x\"; } );", 1, 40, "ssh_host \"-oProxyCommand=x\"",
         "does not begin with `-`"},
	{"machines = ( { name = \"m\"; ssh_host = \"a b\"; } );", 1, 41, "ssh_host \"a b\"", ""},
	{"machines = ( { name = \"10.0.0.1\"; } );", 1, 24, "", ""},
	{"machines = ( { name = \"a_b\"; } );", 1, 0, "", ""},
	{"networks = ( { name = \"n\"; prefixes = [ \"10.0.0.1/8\" ]; } );", 1, 42,
         "prefix \"10.0.0.1/8\" has host bits set", "10.0.0.0/8"},
	{"networks = ( { name = \"n\"; prefixes = [ \"10.0.0.0/33\" ]; } );", 1, 42, "is no address or prefix", ""},
	{"networks = ( { name = \"n\"; prefix = [ ]; } );", 1, 28, "unknown field \"prefix\" of a network",
         "\"prefixes\""},
	{"services = ( { name = \"s\"; ports = [ \"80\" ]; } );", 1, 0, "", ""},
	{"services = ( { name = \"tcp\"; ports = [ \"80/tcp\" ]; } );", 1, 24, "", ""},
};

/* Column 0: any, where the place within the string is the rule language's own. */
static void check_field(size_t i)
{
	const struct fault *fault = &fields[i];
	struct error *error = faults_of(str_of(fault->text));
	unsigned column = fault->column;

	ck_assert_msg(error != NULL, "accepted: %s", fault->text);
	if (column == 0)
		column = error->place.column;
	one_fault(str_of(fault->text), fault->line, column, fault->message, fault->hint);
}

START_TEST(faults_of_fields_have_places)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		check_field(i);
}
END_TEST

/* --- rules --- */

START_TEST(a_rule_fault_points_into_the_rule)
{
	struct error *error =
		faults_of(STR("roles = (\n  { name = \"a\";\n    rules = [ \"allow 22/tcp from 10.0.0.1/8\" ]; } );"));

	ck_assert_ptr_nonnull(error);
	ck_assert_uint_eq(error->place.line, 3);
	ck_assert_uint_eq(error->place.column, 34);
	ck_assert(str_is(error->place.text, "    rules = [ \"allow 22/tcp from 10.0.0.1/8\" ]; } );"));
	ck_assert(holds(error->hint, "10.0.0.0/8"));
}
END_TEST

/* Escapes are longer in the file than in the rule. */
START_TEST(columns_count_escapes)
{
	struct error *error =
		faults_of(STR("roles = ( { name = \"a\"; rules = [ \"al\\x6cow 22/tc\\x70 from 10.0.0.1/8\" ]; } );"));

	ck_assert_ptr_nonnull(error);
	ck_assert_uint_eq(error->place.column, 36 + 18 + 6);
}
END_TEST

START_TEST(all_faults_are_shown_in_order)
{
	struct error *error = faults_of(STR(
		"machines = (\n"
		"  { name = \"a b\"; mode = \"x\"; },\n"
		"  { name = \"m\"; addresses = [ \"1\", \"2\" ]; } );\n"
		"roles = ( { name = \"r\"; rules = [ \"allow\", \"deny\" ]; what = 1; } );\n"));
	static const unsigned lines[] = {2, 2, 3, 3, 4, 4, 4};
	size_t i = 0;

	for (const struct error *e = error; e != NULL; e = e->next, i++)
		ck_assert_msg(i < 7 && e->place.line == lines[i], "%s", printed(error));
	ck_assert_uint_eq(i, 7);
}
END_TEST

START_TEST(a_flood_of_faults_is_counted)
{
	struct buf buf = buf_new(arena);
	struct error *error;

	buf_add(&buf, STR("networks = ( { name = \"n\"; prefixes = [\n"));
	for (int i = 0; i < 250; i++)
		buf_format(&buf, "\"x%d\",\n", i);
	buf_add(&buf, STR("\"y\" ]; } );"));
	error = faults_of(buf_str(&buf));
	ck_assert_uint_eq(error_count(error), 101);
	while (error->next != NULL)
		error = error->next;
	ck_assert(holds(error->message, "151 more faults"));
}
END_TEST

/* --- hostile values, in every field that takes text --- */

static const char *const hostile[] = {
	"a\\nb", "\\x0a", "a\\rb", "a\\x1b[2J", "a\\x7f", "\\xff", "\\xc0\\x80", "\\xed\\xa0\\x80", "\\x01", "\\t",
};
/* Of names alone: harmless in free text. */
static const char *const hostile_names[] = {
	"a\\\"b", "a;b", "../a", "-o",       "--",           "a b", "a/b",    "a'b", "$(x)", "`x`",   "a|b",
	"a\\\\b", ".",   "",     "\xc3\xa4", "\xe2\x80\xae", "a%s", "a\\x00", "a,b", "a*",   "{{a}}",
};
static const struct place_for {
	const char *before, *behind;
	const char *field;
	bool name;
} places[] = {
	{"machines = ( { name = \"", "\"; } );", "machine", true},
	{"roles = ( { name = \"", "\"; } );", "role", true},
	{"networks = ( { name = \"", "\"; } );", "network", true},
	{"services = ( { name = \"", "\"; } );", "service", true},
	{"machines = ( { name = \"m\"; roles = [ \"", "\" ]; } );", "role", true},
	{"machines = ( { name = \"m\"; addresses = [ \"", "\" ]; } );", "address", true},
	{"machines = ( { name = \"m\"; mode = \"", "\"; } );", "mode", true},
	{"machines = ( { name = \"m\"; enforcement = \"", "\"; } );", "enforcement", true},
	{"roles = ( { name = \"r\"; egress = \"", "\"; } );", "egress", true},
	{"networks = ( { name = \"n\"; prefixes = [ \"", "\" ]; } );", "", true},
	{"services = ( { name = \"s\"; ports = [ \"", "\" ]; } );", "", true},
	{"roles = ( { name = \"r\"; rules = [ \"allow 22/tcp from role:", "\" ]; } );", "", false},
	{"machines = ( { name = \"m\"; ssh_host = \"x", "\"; } );", "ssh_host", false},
	{"machines = ( { name = \"m\"; labels = { a = \"", "\"; }; } );", "label", false},
	{"machines = ( { name = \"m\"; labels = [ \"", "=x\" ]; } );", "label", false},
	{"roles = ( { name = \"r\"; selector = { a = \"", "\"; }; } );", "label", false},
	{"roles = ( { name = \"r\"; description = \"", "\"; } );", "description", false},
	{"roles = ( { name = \"r\"; owner = \"", "\"; } );", "owner", false},
	{"roles = ( { name = \"r\"; rules = ( { rule = \"allow 22/tcp\"; ticket = \"", "\"; } ); } );", "ticket",
         false},
	{"roles = ( { name = \"r\"; rules = ( { rule = \"allow 22/tcp\"; owner = \"", "\"; } ); } );", "owner", false},
	{"roles = ( { name = \"r\"; rules = [ \"allow 22/tcp # ", "\" ]; } );", "comment", false},
};

static void refused(const struct place_for *place, const char *value)
{
	struct str text = str_format(arena, "%s%s%s", place->before, value, place->behind);
	struct error *error = faults_of(text);

	ck_assert_msg(error != NULL, "accepted: %.*s", STR_ARG(text));
	ck_assert_uint_eq(error->place.line, 1);
	ck_assert_uint_ge(error->place.column, strlen(place->before));
	ck_assert_msg(holds(error->message, place->field) || holds(error->message, "\\x00"), "%s does not name %s",
	              printed(error), place->field);
}

/* A tab is a blank of the rule language; a comment is trimmed. */
static bool is_blank_in_a_rule(const struct place_for *place, const char *value)
{
	return strcmp(value, "\\t") == 0 && strstr(place->before, "rules = [") != NULL;
}

static void check_hostile(const struct place_for *place)
{
	for (size_t i = 0; i < COUNT(hostile); i++) {
		if (is_blank_in_a_rule(place, hostile[i]))
			continue;
		if (strstr(place->before, "rules = [") == NULL)
			refused(place, hostile[i]);
		else
			ck_assert_msg(faults_of(str_format(arena, "%s%s%s", place->before, hostile[i],
			                                   place->behind)) != NULL,
			              "%s", hostile[i]);
	}
	for (size_t i = 0; place->name && i < COUNT(hostile_names); i++) {
		if (hostile_names[i][0] != '\0' || place->field[0] != 'm')
			refused(place, hostile_names[i]);
	}
}

START_TEST(hostile_values_are_refused_in_every_field)
{
	for (size_t i = 0; i < COUNT(places); i++)
		check_hostile(&places[i]);
}
END_TEST

static const char *repeated(const char *piece, size_t times)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < times; i++)
		buf_add(&buf, str_of(piece));
	return str_c(arena, buf_str(&buf));
}

static struct error *with(const char *before, const char *value, const char *behind)
{
	return faults_of(str_format(arena, "%s%s%s", before, value, behind));
}

START_TEST(lengths_have_limits)
{
	static const char *const lines[][2] = {
		{"roles = ( { name = \"r\"; description = \"", "\"; } );"},
		{"roles = ( { name = \"r\"; owner = \"", "\"; } );"},
		{"roles = ( { name = \"r\"; rules = ( { rule = \"allow 22/tcp\"; ticket = \"", "\"; } ); } );"},
		{"roles = ( { name = \"r\"; rules = [ \"allow 22/tcp # ", "\" ]; } );"},
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		ck_assert_ptr_null(with(lines[i][0], repeated("ä", 1000), lines[i][1]));
		ck_assert_ptr_nonnull(with(lines[i][0], repeated("ä", 1001), lines[i][1]));
	}
	ck_assert_ptr_null(with("roles = ( { name = \"", repeated("a", 100), "\"; } );"));
	ck_assert_ptr_nonnull(with("roles = ( { name = \"", repeated("a", 101), "\"; } );"));
	ck_assert_ptr_null(with("machines = ( { name = \"m\"; labels = [ \"a=", repeated("b", 255), "\" ]; } );"));
	ck_assert_ptr_nonnull(with("machines = ( { name = \"m\"; labels = [ \"a=", repeated("b", 256), "\" ]; } );"));
	ck_assert_ptr_null(with("machines = ( { name = \"m\"; labels = [ \"", repeated("b", 255), "=\" ]; } );"));
	ck_assert_ptr_nonnull(with("machines = ( { name = \"m\"; labels = [ \"", repeated("b", 256), "=\" ]; } );"));
	ck_assert_ptr_null(with("machines = ( { name = \"m\"; ssh_host = \"", repeated("b", 253), "\"; } );"));
	ck_assert_ptr_nonnull(with("machines = ( { name = \"m\"; ssh_host = \"", repeated("b", 254), "\"; } );"));
	ck_assert_ptr_null(with("machines = ( { name = \"", repeated("b.", 126), "b\"; } );"));
	ck_assert_ptr_nonnull(with("machines = ( { name = \"", repeated("b.", 126), "bb\"; } );"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document_bad");
	TCase *text = tcase_create("text"), *values = tcase_create("fields"), *hostiles = tcase_create("hostile");

	tcase_add_checked_fixture(text, arena_setup, arena_teardown);
	tcase_add_test(text, syntax_faults_have_places);
	tcase_add_test(text, bytes_that_no_text_has);
	tcase_add_test(text, comments_and_strings_are_not_looked_into);
	tcase_add_checked_fixture(values, arena_setup, arena_teardown);
	tcase_add_test(values, faults_of_fields_have_places);
	tcase_add_test(values, a_rule_fault_points_into_the_rule);
	tcase_add_test(values, columns_count_escapes);
	tcase_add_test(values, all_faults_are_shown_in_order);
	tcase_add_test(values, a_flood_of_faults_is_counted);
	tcase_add_checked_fixture(hostiles, arena_setup, arena_teardown);
	tcase_add_test(hostiles, hostile_values_are_refused_in_every_field);
	tcase_add_test(hostiles, lengths_have_limits);
	suite_add_tcase(suite, text);
	suite_add_tcase(suite, values);
	suite_add_tcase(suite, hostiles);
	return suite_main(suite);
}
