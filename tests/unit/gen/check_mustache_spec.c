/* Mustache: the official specification's own tests. They are not part of this repository; where they are not at hand,
 * this program says so. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/mustache.h"

#include "suite_main.h"

#define SPECIFICATION "../shared/mustache-spec"

static void escape_html(struct buf *buf, struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		switch (value.p[i]) {
		case '&':
			buf_add(buf, STR("&amp;"));
			break;
		case '"':
			buf_add(buf, STR("&quot;"));
			break;
		case '<':
			buf_add(buf, STR("&lt;"));
			break;
		case '>':
			buf_add(buf, STR("&gt;"));
			break;
		default:
			buf_char(buf, value.p[i]);
		}
}

static struct value value_of(const json_t *json);

static struct value list_of(const json_t *json)
{
	size_t count = json_array_size(json);
	struct value *items = ARENA_ARRAY(arena, struct value, count);

	for (size_t i = 0; i < count; i++)
		items[i] = value_of(json_array_get(json, i));
	return (struct value){.kind = VALUE_LIST, .items = items, .count = count};
}

static struct value object_of(json_t *json)
{
	struct member *members = ARENA_ARRAY(arena, struct member, json_object_size(json));
	size_t count = 0;
	const char *key;
	json_t *member;

	json_object_foreach(json, key, member) members[count++] =
		(struct member){.name = str_copy(arena, str_of(key)), .value = value_of(member)};
	return (struct value){.kind = VALUE_OBJECT, .members = members, .count = count};
}

static struct value string_of(struct str string)
{
	return (struct value){.kind = VALUE_STRING, .string = string};
}

static struct value value_of(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return object_of((json_t *)json);
	case JSON_ARRAY:
		return list_of(json);
	case JSON_STRING:
		return string_of(str_copy(arena, str_of(json_string_value(json))));
	case JSON_INTEGER:
		return string_of(str_format(arena, "%lld", (long long)json_integer_value(json)));
	case JSON_REAL:
		return string_of(str_format(arena, "%g", json_real_value(json)));
	case JSON_TRUE:
		return (struct value){.kind = VALUE_TRUE};
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return (struct value){.kind = VALUE_FALSE};
}

/* The partials of a test, compiled. */
struct partial {
	struct str name;
	struct template *template;
};
struct partials {
	struct partial *items;
	size_t count, capacity;
};

static const struct template *find_partial(void *context, struct str name)
{
	const struct partials *partials = context;

	for (size_t i = 0; i < partials->count; i++)
		if (str_eq(partials->items[i].name, name))
			return partials->items[i].template;
	return NULL;
}

static struct template *compiled(const char *text)
{
	struct template *template;
	struct error *error = template_compile(arena, STR("test.mustache"), str_of(text), &template);

	ck_assert_msg(error == NULL, "%s: %.*s", text, error == NULL ? 0 : STR_ARG(error->message));
	return template;
}

static void add_partial(struct partials *partials, const char *name, const char *text)
{
	struct partial partial = {.name = str_copy(arena, str_of(name)), .template = compiled(text)};

	APPEND(arena, partials, partial);
}

static struct error *render(const char *text, const struct value *value, struct partials *partials, struct str *result)
{
	struct template_setup how = {.partial = find_partial, .context = partials, .escape = escape_html};
	struct buf out = buf_new(arena);
	struct error *error = template_render(arena, compiled(text), value, &how, &out);

	*result = buf_str(&out);
	return error;
}

static void run_specified(json_t *test)
{
	struct partials partials = {0};
	struct value value = value_of(json_object_get(test, "data"));
	const char *name, *text = json_string_value(json_object_get(test, "template"));
	const char *expected = json_string_value(json_object_get(test, "expected"));
	json_t *partial;
	struct str result;

	json_object_foreach(json_object_get(test, "partials"), name, partial)
		add_partial(&partials, name, json_string_value(partial));
	struct error *error = render(text, &value, &partials, &result);

	ck_assert_msg(error == NULL && str_is(result, expected), "%s (%s)\ntemplate: %s\nexpected: %s\ngot:      %.*s",
	              json_string_value(json_object_get(test, "name")),
	              json_string_value(json_object_get(test, "desc")), text, expected, STR_ARG(result));
}

static const struct {
	const char *module;
	size_t tests; /* at least; a file that was cut short must not pass */
} modules[] = {{"comments", 12}, {"delimiters", 14}, {"interpolation", 42},
               {"inverted", 22}, {"partials", 12},   {"sections", 34}};

START_TEST(test_specification)
{
	char path[200];
	json_error_t fault;

	snprintf(path, sizeof path, SPECIFICATION "/%s.json", modules[_i].module);
	json_t *file = json_load_file(path, 0, &fault);

	ck_assert_msg(file != NULL, "%s:%d: %s", path, fault.line, fault.text);
	json_t *tests = json_object_get(file, "tests"), *test;
	size_t i;

	ck_assert_uint_ge(json_array_size(tests), modules[_i].tests);
	json_array_foreach(tests, i, test) run_specified(test);
	json_decref(file);
}
END_TEST

int main(void)
{
	if (access(SPECIFICATION, R_OK) != 0) {
		puts("the tests of the Mustache specification are not at hand (" SPECIFICATION ")");
		return 77;
	}
	Suite *suite = suite_create("mustache_spec");
	TCase *specification = tcase_create("specification");

	tcase_add_checked_fixture(specification, arena_setup, arena_teardown);
	tcase_add_loop_test(specification, test_specification, 0, sizeof modules / sizeof *modules);
	suite_add_tcase(suite, specification);

	return suite_main(suite);
}
