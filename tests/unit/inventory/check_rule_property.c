/* Properties of the rule language over generated rules: what is printed is parsed to the same rule, however it was
 * spelled; damaged lines are refused or understood, never anything else. */
#include <check.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "random_rule.h"
#include "rounds.h"
#include "suite_main.h"

/* FLEETWALL_SEED and FLEETWALL_ROUNDS try other rules, and more of them. */
static uint64_t wanted(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given != NULL ? strtoull(given, NULL, 10) : otherwise;
}

static int tries(void)
{
	return (int)wanted("FLEETWALL_ROUNDS", in_full(1500));
}

static struct rng rng_of(uint64_t stream)
{
	return (struct rng){wanted("FLEETWALL_SEED", 20260301) + (stream << 32)};
}

/* A canonical rule behaves: printed, parsed, printed is the same, and normalizing it changes nothing. */
static void check_fixed(struct arena *arena, const struct rule *rule, bool stored)
{
	struct str text = rule_text(arena, rule);
	struct rule parsed, normal = *rule;
	struct error *error;
	bool again;

	error = rule_parse(arena, text, &parsed, &again, NULL);
	ck_assert_msg(error == NULL, "\"%.*s\" is refused: %.*s", STR_ARG(text), STR_ARG(error->message));
	parsed.comment = rule->comment;
	ck_assert_msg(rule_same(rule, &parsed), "\"%.*s\" is another rule when it is parsed", STR_ARG(text));
	ck_assert_msg(str_eq(rule_text(arena, &parsed), text), "\"%.*s\" is printed otherwise", STR_ARG(text));
	ck_assert_int_eq(stored, again);
	ck_assert_ptr_null(rule_normalize(arena, &normal, &again));
	ck_assert_msg(rule_same(rule, &normal), "\"%.*s\" changes when it is normalized again", STR_ARG(text));
	ck_assert_int_eq(stored, again);
}

START_TEST(printed_rules_are_parsed_to_themselves)
{
	struct arena *arena = arena_new();
	struct rng rng = rng_of(1);

	for (int i = 0; i < tries(); i++) {
		struct rule rule = random_rule(arena, &rng, &rule_names_odd);
		struct error *error;
		bool stored;

		error = rule_normalize(arena, &rule, &stored);
		ck_assert_msg(error == NULL, "round %d: %.*s", i, STR_ARG(error->message));
		check_fixed(arena, &rule, stored);
		arena_reset(arena);
	}
	arena_free(arena);
}
END_TEST

START_TEST(every_spelling_is_the_same_rule)
{
	struct arena *arena = arena_new();
	struct rng rng = rng_of(2);

	for (int i = 0; i < tries(); i++) {
		struct rule rule = random_rule(arena, &rng, &rule_names_odd), parsed;
		struct str line = random_spelling(arena, &rng, &rule);
		struct error *error = rule_parse(arena, line, &parsed, &(bool){false}, NULL);
		bool stored;

		ck_assert_msg(error == NULL, "\"%.*s\" is refused: %.*s", STR_ARG(line), STR_ARG(error->message));
		ck_assert_ptr_null(rule_normalize(arena, &rule, &stored));
		ck_assert_msg(rule_same(&rule, &parsed), "\"%.*s\" is understood as \"%.*s\"", STR_ARG(line),
		              STR_ARG(rule_text(arena, &parsed)));
		arena_reset(arena);
	}
	arena_free(arena);
}
END_TEST

/* The rule's array belongs to the caller: normalizing a copy must leave the first alone. */
START_TEST(normalizing_leaves_shared_arrays_alone)
{
	struct arena *arena = arena_new();
	struct rng rng = rng_of(3);

	for (int i = 0; i < tries(); i++) {
		struct rule rule = random_rule(arena, &rng, &rule_names_odd), before = rule, copy = rule;

		before.peers = ARENA_ARRAY(arena, struct peer, rule.peer_count);
		for (size_t j = 0; j < rule.peer_count; j++)
			before.peers[j] = rule.peers[j];
		before.what.ports = ARENA_ARRAY(arena, struct port_range, rule.what.port_count);
		for (size_t j = 0; j < rule.what.port_count; j++)
			before.what.ports[j] = rule.what.ports[j];
		ck_assert_ptr_null(rule_normalize(arena, &copy, &(bool){false}));
		ck_assert(rule_same(&rule, &before));
		arena_reset(arena);
	}
	arena_free(arena);
}
END_TEST

static void check_refusal(const struct error *error, struct str line)
{
	struct arena *arena = arena_new();
	struct buf buf = buf_new(arena);

	for (const struct error *e = error; e != NULL; e = e->next) {
		ck_assert_int_eq(e->kind, ERROR_INPUT);
		ck_assert_uint_gt(e->message.n, 0);
		ck_assert_uint_lt(e->message.n, 600);
		ck_assert(!str_has_control(e->message) && str_utf8_error(e->message) == e->message.n);
		ck_assert(!str_has_control(e->hint) && str_utf8_error(e->hint) == e->hint.n);
		ck_assert_uint_ge(e->place.column, 1);
		ck_assert_uint_le(e->place.column, line.n + 1);
		ck_assert(str_starts(line, e->place.text));
	}
	ck_assert_uint_le(error_count(error), 30);
	error_print(&buf, STR("error: "), error);
	ck_assert_uint_gt(buf_str(&buf).n, 0);
	arena_free(arena);
	error_forget_all();
}

START_TEST(damaged_lines_are_refused_or_understood)
{
	struct arena *arena = arena_new();
	struct rng rng = rng_of(4);
	int refused = 0;

	for (int i = 0; i < tries(); i++) {
		struct rule rule = random_rule(arena, &rng, &rule_names_odd), parsed;
		struct str line = random_damage(arena, &rng, random_spelling(arena, &rng, &rule));
		struct error *warnings = NULL, *error;
		bool stored;

		error = rule_parse(arena, line, &parsed, &stored, &warnings);
		if (error != NULL)
			check_refusal(error, line);
		else if (stored || parsed.any)
			check_fixed(arena, &parsed, stored);
		refused += error != NULL;
		arena_reset(arena);
	}
	/* Damage must be damage, mostly, and not always. */
	ck_assert_int_gt(refused, tries() / 3);
	ck_assert_int_lt(refused, tries());
	arena_free(arena);
}
END_TEST

/* Names of the generator are at the edges of what is allowed, not beyond. */
START_TEST(odd_names_are_valid)
{
	const struct rule_names *names = &rule_names_odd;

	for (size_t i = 0; i < names->role_count; i++)
		ck_assert_ptr_null(name_check(names->roles[i], "role"));
	for (size_t i = 0; i < names->machine_count; i++)
		ck_assert_ptr_null(machine_name_check(names->machines[i]));
	for (size_t i = 0; i < names->network_count; i++)
		ck_assert_ptr_null(name_check(names->networks[i], "network"));
	for (size_t i = 0; i < names->service_count; i++)
		ck_assert_ptr_null(service_name_check(names->services[i]));
	for (size_t i = 0; i < names->label_count; i++)
		ck_assert_ptr_null(name_check(names->labels[i], "address label"));
	ck_assert_uint_eq(names->machines[names->machine_count - 1].n, 253);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule_property");
	TCase *tcase = tcase_create("rule_property");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, odd_names_are_valid);
	tcase_add_test(tcase, printed_rules_are_parsed_to_themselves);
	tcase_add_test(tcase, every_spelling_is_the_same_rule);
	tcase_add_test(tcase, normalizing_leaves_shared_arrays_alone);
	tcase_add_test(tcase, damaged_lines_are_refused_or_understood);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
