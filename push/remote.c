/* The line that a machine's login shell runs: constant text, and words that are ours or hexadecimal. Whatever shell it
 * is (sh, csh, fish), the line means the same. */
#include <assert.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "transport_parts.h"

#define HOST_SCRIPT "/var/lib/fleetwall-host/fleetwall-host"
/* sudo would drop the variable, so the login shell puts it in its place. */
#define CONNECTION "\"$SSH_CONNECTION\""

bool remote_word(struct str word)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-";

	for (size_t i = 0; i < word.n; i++)
		if (memchr(allowed, word.p[i], sizeof allowed - 1) == NULL)
			return false;
	return word.n > 0;
}

struct str remote_file(struct arena *arena, struct str token)
{
	return str_format(arena, ".fleetwall-bundle-%.*s", STR_ARG(token));
}

static void add_word(struct buf *line, struct str word)
{
	assert(str_is(word, CONNECTION) || remote_word(word));
	buf_char(line, ' ');
	buf_add(line, word);
}

/* An argument of sh -c: the text has no single quote, exclamation mark or bare end of a line, which csh would not
 * take; but for the comments at its head, which stay here. */
static void add_bootstrap(struct buf *line)
{
	struct str text = push_host_bootstrap(), comment;

	while (str_starts(text, STR("#")))
		(void)str_cut(&text, '\n', &comment);
	text = str_trim(text);
	assert(str_find(text, '\'') == text.n && str_find(text, '!') == text.n);
	buf_add(line, STR("-c '"));
	buf_add(line, text);
	buf_add(line, STR("' bootstrap"));
}

struct str remote_line(struct arena *arena, const struct push_settings *settings, bool bootstrap,
                       const struct str *words, size_t count)
{
	struct buf line = buf_new(arena);

	assert(count > 0 && (!bootstrap || str_is(words[0], "apply")));
	buf_add(&line, STR("exec "));
	if (!str_is(settings->user, "root"))
		buf_add(&line, STR("sudo -n "));
	buf_add(&line, STR("/bin/sh "));
	if (bootstrap)
		add_bootstrap(&line);
	else
		buf_add(&line, STR(HOST_SCRIPT));
	for (size_t i = bootstrap; i < count; i++)
		add_word(&line, words[i]);
	return buf_str(&line);
}
