/* The programs that load rules, and what they say, in a network namespace that is thrown away. What the kernel says is
 * its last word; --test would not do (it takes MASQUERADE in INPUT, and jumps to chains that do not exist). */
#include "guard_trial.h"

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

const char *const trial_load_sets[] = {"ipset", "-exist", "restore", NULL};
const char *const trial_load_rules[2][2] = {{"iptables-restore", NULL}, {"ip6tables-restore", NULL}};

/* The tools' own advice helps nobody here. */
static bool is_noise(struct str line)
{
	return line.n == 0 || str_starts(line, STR("Try `")) || str_starts(line, STR("Error occurred at line"));
}

/* "line 17: …" or "line 17 failed" in what iptables-restore says: 17; 0 where it names none. */
static unsigned line_of_message(struct str message)
{
	for (size_t i = 0; i < message.n; i++) {
		struct str rest = str_slice(message, i, message.n);
		uint64_t number;

		if (!str_starts(rest, STR("line ")) && !str_starts(rest, STR("line: ")))
			continue;
		rest = str_trim(str_slice(rest, 5, rest.n));
		size_t digits = 0;

		while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
			digits++;
		if (str_number(str_slice(rest, 0, digits), 1000000, &number))
			return (unsigned)number;
	}
	return 0;
}

/* Without the "line 17: " at its start: the number is one of a file that nobody sees, or it is shown as a place. */
static struct str without_line(struct str line)
{
	size_t colon = str_find(line, ':');

	if (!str_starts(line, STR("line ")) || line_of_message(str_slice(line, 0, colon)) == 0)
		return line;
	return str_trim(str_slice(line, colon + 1, line.n));
}

/* One line of what a tool wrote in several. */
static struct str flatten(struct arena *arena, struct str text)
{
	struct buf buf = buf_new(arena);
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		line = without_line(str_trim(line));
		if (is_noise(line))
			continue;
		if (buf.n > 0)
			buf_char(&buf, ' ');
		buf_add(&buf, line);
	}
	return buf.n > 0 ? buf_str(&buf) : STR("it says nothing");
}

void trial_read(struct trial *trial, const struct command *commands, const struct outcome *outcomes, size_t ran,
                struct trial_result *result)
{
	const struct outcome *last = &outcomes[ran - 1];

	if (!last->started) {
		trial->skipped = str_format(trial->arena, "%s is not installed", commands[ran - 1].argv[0]);
		return;
	}
	result->failed = last->status != 0;
	result->done = result->failed ? ran - 1 : ran;
	result->line = line_of_message(last->errors);
	result->message = flatten(trial->arena, last->errors.n > 0 ? last->errors : last->output);
}

struct error *trial_run(struct trial *trial, const struct command *commands, size_t count, struct trial_result *result)
{
	struct outcome *outcomes = ARENA_ARRAY(trial->arena, struct outcome, count);
	size_t ran = 0;
	bool permitted = false;

	*result = (struct trial_result){0};
	TRY(process_run_apart(trial->arena, commands, count, outcomes, &ran, &permitted));
	if (!permitted || ran == 0)
		trial->skipped = STR("no network namespace can be made here");
	else
		trial_read(trial, commands, outcomes, ran, result);
	return NULL;
}

/* A kernel that takes not even an empty table says nothing about rules. */
struct error *trial_probe(struct trial *trial, bool sets)
{
	struct str table = STR("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n");
	struct command commands[] = {
		{.argv = trial_load_rules[0], .input = table},
		{.argv = trial_load_rules[1], .input = table},
		{.argv = trial_load_sets, .input = STR("create fleetwall-probe hash:net\n")},
	};
	struct trial_result result;

	TRY(trial_run(trial, commands, sets ? 3 : 2, &result));
	if (result.failed)
		trial->skipped = str_format(trial->arena, "%s does not work in a namespace here: %.*s",
		                            commands[result.done].argv[0], STR_ARG(result.message));
	return NULL;
}
