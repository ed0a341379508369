/* Reads what fleetwall-host prints: "key value" lines. Believes nothing that it can't read; what goes on to people is
 * made plain text here. */
#include "answer.h"

#include "fleetwall/arena.h"
#include "transport_parts.h"

enum { MOST_WARNINGS = 10, LONGEST_ID = 128 };

static bool is_identity(struct str word)
{
	if (word.n == 0 || word.n > LONGEST_ID || str_is(word, "-")) /* it has none */
		return false;
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
		      c == '_' || c == '.'))
			return false;
	}
	return true;
}

/* "POSITION GENERATION" */
static void read_decision(struct host_answer *answer, enum answer_kind kind, struct str value)
{
	struct digest position;
	uint64_t generation;
	struct str word;

	if (!str_cut(&value, ' ', &word) || !digest_parse(word, &position) ||
	    !str_number(value, INT64_MAX, &generation))
		return;
	answer->position = position;
	answer->generation = generation;
	if (answer->kind != ANSWER_ERROR)
		answer->kind = kind;
}

static void read_error(struct arena *arena, struct host_answer *answer, struct str value)
{
	struct str word;

	(void)str_cut(&value, ':', &word);
	answer->kind = ANSWER_ERROR;
	answer->word = call_plain(arena, word);
	answer->text = call_plain(arena, value);
}

static void read_warning(struct arena *arena, struct host_answer *answer, struct str value)
{
	if (answer->warnings == NULL)
		answer->warnings = ARENA_ARRAY(arena, struct str, MOST_WARNINGS);
	if (answer->warning_count < MOST_WARNINGS)
		answer->warnings[answer->warning_count++] = call_plain(arena, value);
}

static void read_line(struct arena *arena, struct host_answer *answer, struct str key, struct str value)
{
	uint64_t number;

	if (str_is(key, "applied"))
		read_decision(answer, ANSWER_APPLIED, value);
	else if (str_is(key, "already"))
		read_decision(answer, ANSWER_ALREADY, value);
	else if (str_is(key, "confirmed"))
		read_decision(answer, ANSWER_CONFIRMED, value);
	else if (str_is(key, "error"))
		read_error(arena, answer, value);
	else if (str_is(key, "warning"))
		read_warning(arena, answer, value);
	else if (str_is(key, "machine-id") && is_identity(value))
		answer->machine_id = str_copy(arena, value);
	else if (str_is(key, "script"))
		(void)digest_parse(value, &answer->script);
	else if (str_is(key, "sessions") && str_number(value, UINT32_MAX, &number))
		answer->sessions = (unsigned)number;
}

struct host_answer answer_of(struct arena *arena, struct str output)
{
	struct host_answer answer = {.machine_id = STR(""), .word = STR(""), .text = STR("")};
	struct str line, key;

	while (str_cut(&output, '\n', &line)) {
		line = str_trim(line);
		if (str_cut(&line, ' ', &key) && line.p != NULL)
			read_line(arena, &answer, key, str_trim(line));
	}
	return answer;
}

bool answer_lacks_script(const struct host_answer *answer, int status)
{
	if (status == HOST_SCRIPT)
		return true;
	return answer->kind == ANSWER_NONE &&
	       (status == HOST_BAD || status == SHELL_NOT_EXECUTABLE || status == SHELL_NOT_FOUND);
}
