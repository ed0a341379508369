/* A process that stays: after any sequence of changes the producer gives what resolve() and produce() give; it takes
 * over what the step says is untouched, and nothing after an error or from another fleet.
 * valgrind-apart: many fleets. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/produce.h"
#include "fleet_change.h"
#include "make_output.h"
#include "random_fleet.h"
#include "resolve_update.h"
#include "rounds.h"
#include "suite_main.h"

static struct templates *templates;
static struct settings settings;

static void setup(void)
{
	templates = make_templates(arena);
	settings = settings_default();
}

/* --- fleets that follow each other --- */

static struct fleet fleet_of(uint64_t seed)
{
	struct rng rng = {seed};
	struct fleet fleet = random_fleet(arena, &rng, 10 + rng_below(&rng, 40));

	fleet.clock = MAKE_OUTPUT_CLOCK;
	return fleet;
}

static void *copy_array(const void *items, size_t count, size_t size)
{
	char *copy = arena_raw(arena, (count + 1) * size);

	if (count > 0)
		memcpy(copy, items, count * size);
	return copy;
}

#define COPY(list, count) ((list) = copy_array((list), (count), sizeof *(list)))

/* One that shares what hangs on its objects; roles stay the very same array now and then. */
static struct fleet follow(struct rng *rng, const struct fleet *before)
{
	struct fleet fleet = *before;

	COPY(fleet.machines, fleet.machine_count);
	COPY(fleet.roles, fleet.role_count);
	COPY(fleet.networks, fleet.network_count);
	COPY(fleet.services, fleet.service_count);
	fleet.clock += (int64_t)rng_below(rng, 100000);
	return fleet;
}

/* False where places moved. */
static bool step_of(const struct fleet *before, const struct fleet *after, struct fleet_step *step)
{
	uint32_t *machines = ARENA_ARRAY(arena, uint32_t, after->machine_count);

	*step = (struct fleet_step){before, machines, 0};
	if (before->machine_count != after->machine_count)
		return false;
	for (size_t i = 0; i < after->machine_count; i++) {
		if (!str_eq(before->machines[i].name, after->machines[i].name))
			return false;
		if (memcmp(&before->machines[i], &after->machines[i], sizeof *after->machines) != 0)
			machines[step->machine_count++] = (uint32_t)i;
	}
	return true;
}

#define SHARE(before, after, list, count)                                                                            \
	do {                                                                                                         \
		if ((before)->count == (after)->count &&                                                             \
		    memcmp((before)->list, (after)->list, (before)->count * sizeof *(before)->list) == 0)            \
			(after)->list = (before)->list;                                                              \
	} while (0)

/* As a load says it that found nothing in roles, networks or services. */
static void share(const struct fleet *before, struct fleet *after)
{
	SHARE(before, after, roles, role_count);
	SHARE(before, after, networks, network_count);
	SHARE(before, after, services, service_count);
}

/* --- what comes out --- */

struct seen {
	struct {
		struct digest *items;
		size_t count, capacity;
	} digests;
	bool refuse;
};

static struct error *take_set(void *context, unsigned worker, const struct set_file *set)
{
	struct seen *seen = context;

	(void)worker;
	APPEND(arena, &seen->digests, set->digest);
	return NULL;
}

static struct error *take_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	struct seen *seen = context;

	(void)worker;
	APPEND(arena, &seen->digests, ruleset->digest);
	return seen->refuse ? error_new(ERROR_SURROUNDINGS, "the disk is full") : NULL;
}

static bool was_seen(const struct seen *seen, const struct digest *digest)
{
	for (size_t i = 0; i < seen->digests.count; i++)
		if (digest_eq(&seen->digests.items[i], digest))
			return true;
	return false;
}

static void check_seen(const struct seen *seen, const struct product *product)
{
	for (size_t i = 0; i < product->machine_count; i++)
		ck_assert(was_seen(seen, &product->manifest[i].digest));
	for (size_t i = 0; i < product->set_count; i++)
		ck_assert(was_seen(seen, &product->sets[i].digest));
}

static bool entries_same(const struct entry *a, size_t a_count, const struct entry *b, size_t b_count)
{
	bool same = a_count == b_count;

	for (size_t i = 0; same && i < a_count; i++)
		same = digest_eq(&a[i].digest, &b[i].digest) && str_eq(a[i].name, b[i].name);
	return same;
}

static bool products_same(const struct product *a, const struct product *b)
{
	const struct knowledge *x = &a->knowledge, *y = &b->knowledge;

	return entries_same(a->manifest, a->machine_count, b->manifest, b->machine_count) &&
	       entries_same(a->sets, a->set_count, b->sets, b->set_count) && a->rules == b->rules &&
	       a->ruleset_count == b->ruleset_count && x->set_count == y->set_count &&
	       x->ruleset_count == y->ruleset_count &&
	       memcmp(x->sets, y->sets, x->set_count * sizeof *x->sets) == 0 &&
	       memcmp(x->rulesets, y->rulesets, x->ruleset_count * sizeof *x->rulesets) == 0;
}

static struct rendition rendition(void)
{
	return rendition_of(STR("test"), &settings, NULL, 0, templates, 1);
}

static size_t rules_of(const struct resolved *resolved)
{
	size_t rules = 0;

	for (size_t i = 0; i < resolved->fleet->machine_count; i++)
		for (size_t k = 0; k < resolved->machines[i].role_count; k++)
			if (machine_has_ruleset(resolved->machines[i].machine))
				rules += resolved->roles[resolved->machines[i].roles[k]].rule_count;
	return rules;
}

static struct product from_nothing(const struct fleet *fleet)
{
	struct seen seen = {.refuse = false};
	const struct outlet outlet = {&seen, take_set, take_ruleset};
	const struct rendition way = rendition();
	const struct resolved *resolved = resolve(arena, fleet);
	struct product product;

	ck_assert_ptr_null(produce(arena, resolved, &way, NULL, &outlet, &product));
	ck_assert_uint_eq(product.rules, rules_of(resolved));
	return product;
}

static struct error *try_make(struct producer *producer, const struct fleet *fleet, const struct fleet_step *step,
                              const struct product *before, struct seen *seen, struct product *product)
{
	const struct outlet outlet = {seen, take_set, take_ruleset};
	const struct rendition way = rendition();
	struct resolved *resolved;

	return producer_make(producer, arena, fleet, step, &way, before != NULL ? &before->knowledge : NULL, &outlet,
	                     product, &resolved);
}

static struct product make(struct producer *producer, const struct fleet *fleet, const struct fleet_step *step,
                           const struct product *before, struct seen *seen)
{
	struct product product;

	ck_assert_ptr_null(try_make(producer, fleet, step, before, seen, &product));
	return product;
}

/* --- what was resolved --- */

static void check_resolved(const struct resolved *a, const struct resolved *b)
{
	for (size_t i = 0; i < a->fleet->role_count; i++) {
		const struct resolved_role *x = &a->roles[i], *y = &b->roles[i];

		ck_assert_ptr_eq(x->role, y->role);
		ck_assert_uint_eq(x->member_count, y->member_count);
		ck_assert(x->member_count == 0 ||
		          memcmp(x->members, y->members, x->member_count * sizeof *x->members) == 0);
		ck_assert_uint_eq(x->rule_count, y->rule_count);
		for (size_t k = 0; k < x->rule_count; k++) {
			ck_assert_ptr_eq(x->rules[k].held, y->rules[k].held);
			ck_assert_ptr_eq(x->rules[k].role, y->rules[k].role);
			ck_assert_str_eq(x->rules[k].id, y->rules[k].id);
		}
	}
	for (size_t i = 0; i < a->fleet->machine_count; i++) {
		const struct resolved_machine *x = &a->machines[i], *y = &b->machines[i];

		ck_assert_ptr_eq(x->machine, y->machine);
		ck_assert_uint_eq(x->role_count, y->role_count);
		ck_assert(x->role_count == 0 || memcmp(x->roles, y->roles, x->role_count * sizeof *x->roles) == 0);
	}
}

static size_t kinds_of_change(void)
{
	size_t kinds = 0;

	while (fleet_changes[kinds].name != NULL)
		kinds++;
	return kinds;
}

/* Some changes at once. */
static struct fleet change(struct rng *rng, const struct fleet *before)
{
	struct fleet fleet = follow(rng, before);

	for (size_t i = rng_below(rng, 4); i > 0; i--)
		(void)fleet_changes[rng_below(rng, kinds_of_change())].make(arena, rng, &fleet);
	share(before, &fleet);
	return fleet;
}

START_TEST(an_update_is_what_resolve_says)
{
	struct rng rng = {(uint64_t)_i + 1};
	struct fleet fleet = fleet_of((uint64_t)_i);
	struct resolved *resolved = resolve(arena, &fleet);
	struct fleet *kept = &fleet;
	size_t updates = 0;

	for (size_t i = 0; i < in_full(100) && kept->machine_count > 2 && kept->role_count > 2; i++) {
		struct fleet *next = ARENA_NEW(arena, struct fleet);
		struct fleet_step step;
		bool *changed;

		*next = change(&rng, kept);
		changed = ARENA_ARRAY(arena, bool, next->role_count);
		if (step_of(kept, next, &step) && roles_select_alike(kept, next)) {
			resolve_update(arena, resolved, next, step.machines, step.machine_count,
			               ARENA_ARRAY(arena, bool, next->machine_count), changed,
			               ARENA_ARRAY(arena, bool, next->role_count));
			check_resolved(resolved, resolve(arena, next));
			updates++;
		} else {
			resolved = resolve(arena, next);
		}
		kept = next;
	}
	ck_assert_uint_ge(updates, in_full(100) / 10);
}
END_TEST

/* --- the producer --- */

START_TEST(after_any_changes_the_same)
{
	struct rng rng = {(uint64_t)_i + 1};
	struct producer *producer = producer_new();
	struct seen seen = {.refuse = false};
	struct fleet *fleet = ARENA_NEW(arena, struct fleet);
	struct product last;

	*fleet = fleet_of((uint64_t)_i);
	last = make(producer, fleet, NULL, NULL, &seen);
	for (size_t i = 0; i < in_full(40) && fleet->machine_count > 2 && fleet->role_count > 2; i++) {
		struct fleet *next = ARENA_NEW(arena, struct fleet);
		struct fleet_step step;
		struct product whole;
		bool stays;

		*next = change(&rng, fleet);
		stays = step_of(fleet, next, &step);
		last = make(producer, next, stays ? &step : NULL, &last, &seen);
		whole = from_nothing(next);
		ck_assert(products_same(&last, &whole));
		check_seen(&seen, &last);
		fleet = next;
	}
	producer_free(producer);
}
END_TEST

/* A fleet in which every machine is in the set of some rule, and one whose machines have other addresses. */
static const char crowd[] =
	"roles = ( { name = \"all\"; selector = { }; rules = [ \"allow 1/tcp from self\", \"allow 2/tcp "
	"from machine:m1\" ]; } );"
	"machines = ( { name = \"m1\"; addresses = [ \"10.0.0.1\" ]; },"
	" { name = \"m2\"; addresses = [ \"10.0.0.2\" ]; }, { name = \"m3\"; }, { name = \"m4\"; },"
	" { name = \"m5\"; }, { name = \"m6\"; }, { name = \"m7\"; }, { name = \"m8\"; } );";

static struct fleet crowd_with(const struct fleet *before, const char *address)
{
	struct fleet fleet = *before;

	COPY(fleet.machines, fleet.machine_count);
	COPY(fleet.machines[0].addresses, 1);
	ck_assert(addr_parse(str_of(address), &fleet.machines[0].addresses[0].addr));
	return fleet;
}

struct crowd {
	struct made made;
	struct producer *producer;
	struct seen seen;
	struct product first;
};

static struct crowd crowd_new(void)
{
	struct crowd it = {.producer = producer_new()};

	ck_assert_ptr_null(make_output(arena, STR("crowd.conf"), str_of(crowd), &it.made));
	it.first = make(it.producer, &it.made.fleet, NULL, NULL, &it.seen);
	return it;
}

/* Or it would do everything anew, and the tests above would say nothing. */
START_TEST(a_step_is_believed)
{
	static const uint32_t first[] = {0};
	struct crowd it = crowd_new();
	struct fleet moved = crowd_with(&it.made.fleet, "10.0.0.9");
	const struct fleet_step nothing = {&it.made.fleet, first, 0}, right = {&it.made.fleet, first, 1};
	struct product product, whole = from_nothing(&moved);

	product = make(it.producer, &moved, &nothing, &it.first, &it.seen);
	ck_assert(products_same(&product, &it.first));
	ck_assert(!products_same(&product, &whole));
	producer_free(it.producer);
	it = crowd_new();
	moved = crowd_with(&it.made.fleet, "10.0.0.9");
	product = make(it.producer, &moved, &right, &it.first, &it.seen);
	ck_assert(products_same(&product, &whole));
	producer_free(it.producer);
}
END_TEST

START_TEST(a_step_from_elsewhere_is_not_believed)
{
	static const uint32_t first[] = {0};
	struct crowd it = crowd_new();
	struct fleet other = crowd_with(&it.made.fleet, "10.0.0.8"), moved = crowd_with(&other, "10.0.0.9");
	const struct fleet_step step = {&other, first, 0};
	struct product product = make(it.producer, &moved, &step, &it.first, &it.seen), whole = from_nothing(&moved);

	ck_assert(products_same(&product, &whole));
	producer_free(it.producer);
}
END_TEST

/* What was half done is not gone on from: not by a step from the fleet that failed, nor from the one before. */
START_TEST(after_an_error_nothing_is_taken_over)
{
	static const uint32_t first[] = {0};

	for (int from_failed = 0; from_failed < 2; from_failed++) {
		struct crowd it = crowd_new();
		struct fleet failed = crowd_with(&it.made.fleet, "10.0.0.8"), next = crowd_with(&failed, "10.0.0.9");
		const struct fleet_step to_failed = {&it.made.fleet, first, 1};
		const struct fleet_step step = {from_failed ? &failed : &it.made.fleet, first, 0};
		struct product product, whole = from_nothing(&next);

		it.seen.refuse = true;
		ck_assert_ptr_nonnull(try_make(it.producer, &failed, &to_failed, NULL, &it.seen, &product));
		it.seen.refuse = false;
		product = make(it.producer, &next, &step, &it.first, &it.seen);
		ck_assert(products_same(&product, &whole));
		producer_free(it.producer);
	}
}
END_TEST

/* m1 alone has role a alone; others may have it with b. */
static const char lonely[] =
	"roles = ( { name = \"a\"; rules = [ \"allow 1/tcp\", \"allow 2/tcp from role:b\" ]; },"
	" { name = \"b\"; rules = [ \"allow 3/tcp\" ]; } );"
	"machines = ( { name = \"m1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"a\" ]; },"
	" { name = \"m2\"; addresses = [ \"10.0.0.2\" ]; roles = [ \"b\" ]; },"
	" { name = \"m3\"; addresses = [ \"10.0.0.3\" ]; roles = [ \"b\" ]; }, { name = \"m4\"; },"
	" { name = \"m5\"; }, { name = \"m6\"; }, { name = \"m7\"; }, { name = \"m8\"; } );";
static const char shared[] =
	"roles = ( { name = \"a\"; rules = [ \"allow 1/tcp\", \"allow 2/tcp from role:b\" ]; },"
	" { name = \"b\"; rules = [ \"allow 3/tcp\" ]; } );"
	"machines = ( { name = \"m1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"a\" ]; },"
	" { name = \"m2\"; addresses = [ \"10.0.0.2\" ]; roles = [ \"a\", \"b\" ]; },"
	" { name = \"m3\"; addresses = [ \"10.0.0.3\" ]; roles = [ \"b\" ]; }, { name = \"m4\"; },"
	" { name = \"m5\"; }, { name = \"m6\"; }, { name = \"m7\"; }, { name = \"m8\"; } );";

static struct fleet *without_role(const struct fleet *before)
{
	struct fleet *fleet = ARENA_NEW(arena, struct fleet);

	*fleet = *before;
	COPY(fleet->machines, fleet->machine_count);
	fleet->machines[0].role_count = 0;
	return fleet;
}

static struct fleet *without_rule(const struct fleet *before)
{
	struct fleet *fleet = ARENA_NEW(arena, struct fleet);

	*fleet = *before;
	COPY(fleet->roles, fleet->role_count);
	COPY(fleet->roles[0].rules, fleet->roles[0].rule_count);
	fleet->roles[0].rules[1].enabled = false;
	return fleet;
}

static struct fleet *with_role(const struct fleet *before)
{
	struct fleet *fleet = ARENA_NEW(arena, struct fleet);

	*fleet = *before;
	COPY(fleet->machines, fleet->machine_count);
	fleet->machines[0].role_count = 1;
	return fleet;
}

/* What nobody had for a while is not what it was when somebody had it. */
START_TEST(what_comes_back_is_made_anew)
{
	static const uint32_t first[] = {0};
	struct made made;
	struct producer *producer = producer_new();
	struct seen seen = {.refuse = false};
	struct product last, whole;

	ck_assert_ptr_null(make_output(arena, STR("lonely.conf"), str_of(_i == 0 ? lonely : shared), &made));
	const struct fleet *fleet = &made.fleet;

	last = make(producer, fleet, NULL, NULL, &seen);
	const struct fleet *left = without_role(fleet);

	last = make(producer, left, &(struct fleet_step){fleet, first, 1}, &last, &seen);
	const struct fleet *changed = without_rule(left);

	last = make(producer, changed, &(struct fleet_step){left, first, 0}, &last, &seen);
	const struct fleet *back = with_role(changed);

	last = make(producer, back, &(struct fleet_step){changed, first, 1}, &last, &seen);
	whole = from_nothing(back);
	ck_assert(products_same(&last, &whole));
	producer_free(producer);
}
END_TEST

/* What the store lost is asked for again by taking it out of what is known. */
START_TEST(what_is_not_known_any_more_is_rendered)
{
	struct crowd it = crowd_new();
	const struct fleet_step step = {&it.made.fleet, NULL, 0};
	struct seen again = {.refuse = false};
	struct product product;

	it.first.knowledge.set_count = 0;
	it.first.knowledge.ruleset_count = 0;
	product = make(it.producer, &it.made.fleet, &step, &it.first, &again);
	ck_assert_uint_eq(product.rendered_sets, product.set_count);
	ck_assert_uint_eq(product.rendered_rulesets, product.knowledge.ruleset_count);
	check_seen(&again, &product);
	producer_free(it.producer);
}
END_TEST

START_TEST(another_rendition_takes_nothing_over)
{
	struct crowd it = crowd_new();
	const struct fleet_step step = {&it.made.fleet, NULL, 0};
	struct product product, whole;

	settings.dhcp = false;
	product = make(it.producer, &it.made.fleet, &step, &it.first, &it.seen);
	whole = from_nothing(&it.made.fleet);
	ck_assert(products_same(&product, &whole));
	producer_free(it.producer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("producer");
	TCase *tcase = tcase_create("producer");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, an_update_is_what_resolve_says, 0, 10);
	tcase_add_loop_test(tcase, after_any_changes_the_same, 0, 10);
	tcase_add_test(tcase, a_step_is_believed);
	tcase_add_test(tcase, a_step_from_elsewhere_is_not_believed);
	tcase_add_test(tcase, after_an_error_nothing_is_taken_over);
	tcase_add_loop_test(tcase, what_comes_back_is_made_anew, 0, 2);
	tcase_add_test(tcase, what_is_not_known_any_more_is_rendered);
	tcase_add_test(tcase, another_rendition_takes_nothing_over);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
