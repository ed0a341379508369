/* The JSON text of foreign files becomes the library's values: several in one file, too. And the notes that an importer
 * leaves on its way. Knows nothing of what the values mean. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet_faults.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "foreign.h"

#define NOTE_MAX 2000
#define LINE_MAX_CHARACTERS 1000
#define INTEGER_EXACT 9007199254740992.0 /* up to here a double holds every integer */

struct foreign foreign_new(struct arena *arena)
{
	return (struct foreign){.arena = arena};
}

/* An empty list's end is its head; the struct is copied until the first note, so the head is looked up then. */
static void note(struct error **head, struct error ***end, struct error *error, struct str file, const char *format)
{
	error = error_at(error, (struct place){.file = file});
	error->like = format;
	if (*head == NULL)
		*end = head;
	**end = error;
	*end = &error->next;
}

void foreign_left_out(struct foreign *foreign, struct str file, const char *format, ...)
{
	char text[NOTE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	note(&foreign->left_out, &foreign->left_out_end, error_new(ERROR_INPUT, "left out: %s", text), file,
	     format);
}

void foreign_made_right(struct foreign *foreign, struct str file, const char *format, ...)
{
	char text[NOTE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	note(&foreign->made_right, &foreign->made_right_end, error_new(ERROR_INPUT, "%s", text), file, format);
}

static int note_order(const void *a, const void *b)
{
	const struct error *x = *(struct error *const *)a, *y = *(struct error *const *)b;
	int order = str_cmp(x->place.file, y->place.file);

	return order != 0 ? order : str_cmp(x->message, y->message);
}

/* By file, then by what they begin with: the id. What is said twice is said once. */
static struct error *sort_notes(struct arena *arena, struct error *chain)
{
	size_t count = error_count(chain);
	struct error **list = ARENA_ARRAY(arena, struct error *, count), *sorted = NULL, **end = &sorted;

	for (size_t i = 0; i < count; i++, chain = chain->next)
		list[i] = chain;
	if (count > 1)
		qsort(list, count, sizeof *list, note_order);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && note_order(&list[i - 1], &list[i]) == 0)
			continue;
		*end = list[i];
		end = &list[i]->next;
	}
	*end = NULL;
	return sorted;
}

struct foreign_notes foreign_end(const struct foreign *foreign)
{
	return (struct foreign_notes){sort_notes(foreign->arena, foreign->left_out),
	                              sort_notes(foreign->arena, foreign->made_right)};
}

/* --- JSON --- */

static struct error *json_fault(const struct foreign_file *file, size_t offset, const json_error_t *fault)
{
	size_t at = offset + (fault->position > 0 ? (size_t)fault->position - 1 : 0);
	struct error *error = error_new(ERROR_INPUT, "this is no JSON: %s", SHOWN(str_of(fault->text)));

	if (str_starts(file->text, STR("\xff\xfe")) || str_starts(file->text, STR("\xfe\xff")))
		error = error_hint(error, "the file is UTF-16; save it as UTF-8");
	return error_at(error, place_in(file->name, file->text, 0, 1, at < file->text.n ? at : file->text.n));
}

/* Somebody's variables may hold numbers that fit nowhere: then all numbers are read as floating-point ones. */
static json_t *load_value(struct str text, json_error_t *fault)
{
	size_t flags = JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL;
	json_t *json = json_loadb(text.p, text.n, flags, fault);

	if (json == NULL && json_error_code(fault) == json_error_numeric_overflow)
		json = json_loadb(text.p, text.n, flags | JSON_DECODE_INT_AS_REAL, fault);
	return json;
}

static struct error *read_file(struct arena *arena, const struct foreign_file *file, struct foreign_values *values)
{
	struct str text = file->text;
	size_t offset = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0, before = values->count;

	while (str_trim(str_slice(text, offset, text.n)).n > 0) {
		json_error_t fault;
		json_t *json = load_value(str_slice(text, offset, text.n), &fault);

		if (json == NULL)
			return json_fault(file, offset, &fault);
		APPEND(arena, values, ((struct foreign_value){json, file->name}));
		offset += (size_t)fault.position;
	}
	if (values->count == before)
		return error_at(error_new(ERROR_INPUT, "the file holds no JSON"), (struct place){.file = file->name});
	return NULL;
}

struct error *foreign_read(struct arena *arena, const struct foreign_file *files, size_t count,
                           struct foreign_values *values)
{
	struct faults faults = {0};

	*values = (struct foreign_values){0};
	for (size_t i = 0; i < count; i++)
		faults_add(&faults, read_file(arena, &files[i], values));
	return faults_end(&faults);
}

void foreign_close(struct foreign_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		json_decref(values->items[i].json);
	values->count = 0;
}

struct str foreign_str(const json_t *json)
{
	if (!json_is_string(json))
		return (struct str){NULL, 0};
	return (struct str){json_string_value(json), json_string_length(json)};
}

bool foreign_integer(const json_t *json, int64_t *number)
{
	double real = json_real_value(json);

	*number = json_is_integer(json) ? (int64_t)json_integer_value(json) : 0;
	if (!json_is_real(json) || real < -INTEGER_EXACT || real > INTEGER_EXACT)
		return json_is_integer(json);
	*number = (int64_t)real;
	return (double)*number == real;
}

struct str foreign_member(const json_t *object, const char *key)
{
	return foreign_str(json_object_get(object, key));
}

struct str foreign_line(struct arena *arena, struct str s)
{
	struct buf buf = buf_new(arena);
	size_t characters = 0;

	s = str_slice(s, 0, str_utf8_error(s));
	for (size_t i = 0; i < s.n; i++) {
		characters += ((unsigned char)s.p[i] & 0xc0) != 0x80;
		if (characters > LINE_MAX_CHARACTERS)
			break;
		buf_char(&buf, (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? ' ' : s.p[i]);
	}
	return str_trim(buf_str(&buf));
}
