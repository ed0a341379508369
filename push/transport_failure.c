/* What a call that failed means, by OpenSSH's own words: whether to try again, and what a person should do. Reads only
 * what was printed; knows no machine. */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "transport_parts.h"

enum {
	LONGEST = 300,    /* bytes of a line that are shown */
	SSH_FAILED = 255, /* ssh's own exit code */
};

struct meaning {
	const char *words; /* in a line of standard error */
	enum failure failure;
	const char *what_to_do; /* may be empty */
};

/* In this order: what is said of keys and logins comes with lines about closed connections. */
static const struct meaning meanings[] = {
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", FAILURE_HOST_KEY,
         "the host key is another one than known_hosts has: a new machine, or somebody in between; compare it, then "
         "replace it there"},
	{"Host key verification failed", FAILURE_HOST_KEY,
         "no host key is known under this name: add it to known_hosts"},
	{"host key is known for", FAILURE_HOST_KEY, "add the host key to known_hosts under this name"},
	{"has changed and you have requested", FAILURE_HOST_KEY,
         "compare the host key, then replace it in known_hosts"},
	{"REVOKED HOST KEY", FAILURE_HOST_KEY, "the host key was revoked: look at the machine"},
	{"Permission denied (", FAILURE_AUTH, "put the pusher's key into authorized_keys of the machine"},
	{"Too many authentication failures", FAILURE_AUTH, "name the key: ssh_options = [ \"-i\", FILE ]"},
	{"sudo: ", FAILURE_AUTH, "the login user needs sudo without a password"},
	{"Could not resolve hostname", FAILURE_UNREACHABLE, "set ssh_host or an address of the machine"},
	{"Connection refused", FAILURE_UNREACHABLE, "no sshd answers there: is it running, and is ssh_port right?"},
	{"Connection timed out", FAILURE_UNREACHABLE, "the machine is down, or a filter is in between"},
	{"Operation timed out", FAILURE_UNREACHABLE, "the machine is down, or a filter is in between"},
	{"No route to host", FAILURE_UNREACHABLE, "the machine is down, or a filter refuses"},
	{"Network is unreachable", FAILURE_UNREACHABLE, "there is no way to that address from here"},
	{"not responding", FAILURE_UNREACHABLE, "the connection was lost on the way"},
	{"Connection closed", FAILURE_UNREACHABLE, "sshd closed the connection: its log says why"},
	{"Connection reset", FAILURE_UNREACHABLE, "the connection was reset on the way"},
	{"closed by remote host", FAILURE_UNREACHABLE, "sshd closed the connection: its log says why"},
	{"Broken pipe", FAILURE_UNREACHABLE, "the connection was lost on the way"},
	{"Connection to", FAILURE_UNREACHABLE, ""},
	{"lost connection", FAILURE_UNREACHABLE, ""},
	{"kex_exchange_identification", FAILURE_UNREACHABLE, "what answers there is no sshd, or a busy one"},
	{"ssh_dispatch_run_fatal", FAILURE_UNREACHABLE, "the connection broke on the way"},
	{"banner exchange", FAILURE_UNREACHABLE, "what answers there is no sshd, or a busy one"},
};

/* Also a byte of U+0080 to U+009F: some terminals take these for the beginning of a sequence. Of valid UTF-8. */
static bool is_control(struct str text, size_t at)
{
	unsigned char c = (unsigned char)text.p[at];
	bool leads = c == 0xc2 && at + 1 < text.n, follows = at > 0 && (unsigned char)text.p[at - 1] == 0xc2;

	return c < ' ' || c == 0x7f || (leads && (unsigned char)text.p[at + 1] < 0xa0) || (follows && c < 0xa0);
}

/* What a machine or a hook prints goes to terminals and into the database: one line of plain text. */
struct str call_plain(struct arena *arena, struct str text)
{
	struct buf buf = buf_new(arena);
	size_t bad;

	text = str_trim(text);
	for (bad = str_utf8_error(text); text.n > 0; bad = str_utf8_error(text)) {
		for (size_t i = 0; i < bad && buf.n < LONGEST; i++)
			buf_char(&buf, is_control(text, i) ? ' ' : text.p[i]);
		if (bad == text.n || buf.n >= LONGEST)
			break;
		buf_char(&buf, '?');
		text = str_slice(text, bad + 1, text.n);
	}
	while (buf.n > 0 && str_utf8_error(buf_str(&buf)) != buf.n)
		buf.n--; /* a character that was cut */
	return buf_str(&buf);
}

static bool has_words(struct str line, const char *words)
{
	return line.n > 0 && memmem(line.p, line.n, words, strlen(words)) != NULL;
}

static bool find_line(struct str text, const char *words, struct str *line)
{
	while (str_cut(&text, '\n', line))
		if (has_words(*line, words))
			return true;
	return false;
}

static struct str last_line(struct str text)
{
	struct str line, last = STR("");

	while (str_cut(&text, '\n', &line))
		if (str_trim(line).n > 0)
			last = line;
	return last;
}

static const char *program_of(struct arena *arena, const struct push_settings *settings, enum step step)
{
	const struct hook *hook = call_hook(settings, step);

	if (hook != NULL)
		return str_c(arena, str_format(arena, "the hook %.*s", STR_ARG(hook->arguments[0])));
	return step == STEP_COPY ? "scp" : "ssh";
}

/* Things that have nothing to do with what was printed. */
static bool plain_failure(struct arena *arena, const char *program, const struct call_result *result,
                          enum failure *failure, struct str *message)
{
	*failure = FAILURE_UNREACHABLE;
	if (!result->started) {
		*failure = FAILURE_HOOK;
		*message = str_format(arena, "%s could not be started: %.*s", program,
		                      STR_ARG(call_plain(arena, result->errors)));
	} else if (result->unread.n > 0) {
		*failure = FAILURE_DAMAGED;
		*message = call_plain(arena, result->unread);
	} else if (result->timed_out) {
		*message = str_format(arena, "%s did not end in time: the machine hangs, or the connection", program);
	} else if (result->cancelled) {
		*message = str_format(arena, "%s was ended by us", program);
	} else {
		return false;
	}
	return true;
}

static enum failure unknown_failure(struct arena *arena, const char *program, const struct call_result *result,
                                    struct str *message)
{
	struct str line = call_plain(arena, last_line(result->errors));

	if (line.n == 0)
		line = call_plain(arena, last_line(result->output));
	*message = str_format(arena, "%s ended with exit code %d%s%.*s", program, result->status,
	                      line.n > 0 ? ": " : "", STR_ARG(line));
	return line.n == 0 && result->status == SSH_FAILED ? FAILURE_UNREACHABLE : FAILURE_HOOK;
}

/* ssh's own words, but not its frames of @. */
static struct str told(struct arena *arena, struct str line, const char *what_to_do)
{
	line = call_plain(arena, line);
	if (line.n == 0 || line.p[0] == '@')
		return str_of(what_to_do);
	return str_format(arena, "%.*s%s%s", STR_ARG(line), what_to_do[0] != '\0' ? "; " : "", what_to_do);
}

enum failure call_failure(struct arena *arena, const struct push_settings *settings, enum step step,
                          const struct call_result *result, struct str *message)
{
	const char *program = program_of(arena, settings, step);
	enum failure failure;
	struct str line;

	if (plain_failure(arena, program, result, &failure, message))
		return failure;
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		const struct meaning *meaning = &meanings[i];

		if (!find_line(result->errors, meaning->words, &line))
			continue;
		*message = told(arena, line, meaning->what_to_do);
		return meaning->failure;
	}
	return unknown_failure(arena, program, result, message);
}
