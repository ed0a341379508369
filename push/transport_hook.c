/* Argument lists: our ssh and scp, and the hooks of the configuration with their % filled in. Runs nothing. Nothing
 * here weakens ssh: host keys are checked, under the machine's name, as the administrator's own configuration says. */
#include <string.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "transport_parts.h"

enum { ALIVE_SECONDS = 5 }; /* a connection that does not answer three of these is gone */

struct arguments {
	char **items;
	size_t count, capacity;
};

static void add(struct arena *arena, struct arguments *arguments, struct str argument)
{
	APPEND(arena, arguments, str_c(arena, argument));
}

/* Nothing that ssh, scp or a hook could take for an option, a user, a path or two words. */
static bool is_plain(struct str word)
{
	if (word.n == 0 || word.p[0] == '-' || word.n > 1024)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if ((unsigned char)word.p[i] <= ' ' || word.p[i] == 0x7f ||
		    strchr("@/'\"`$\\;&|<>(){}*?!#~,", word.p[i]))
			return false;
	return true;
}

static struct error *check_target(const struct push_settings *settings, const struct target *target)
{
	if (!is_plain(target->host))
		return error_hint(error_new(ERROR_INPUT, "the host \"%.*s\" is no address and no host name",
		                            STR_ARG(target->host)),
		                  "fleetwall machine set %.*s --ssh-host HOST", STR_ARG(target->name));
	if (!is_plain(target->name))
		return error_new(ERROR_INPUT, "the name \"%.*s\" is no host name", STR_ARG(target->name));
	if (!is_plain(settings->user))
		return error_hint(error_new(ERROR_INPUT, "\"%.*s\" is no user", STR_ARG(settings->user)),
		                  "the setting is push.user");
	return NULL;
}

/* --- hooks --- */

static void add_value(struct buf *buf, const struct push_settings *settings, const struct target *target, char what)
{
	switch (what) {
	case 'h':
		buf_add(buf, target->host);
		break;
	case 'n':
		buf_add(buf, target->name);
		break;
	case 'p':
		buf_number(buf, target->port);
		break;
	case 'u':
		buf_add(buf, settings->user);
		break;
	case 'd':
		buf_add(buf, target->directory);
		break;
	case 'g':
		buf_number(buf, target->generation);
		break;
	default:
		buf_char(buf, '%');
		break;
	}
}

/* What was filled in is never looked at again: a name that has a % in it stays what it is. */
static struct error *fill_in(struct arena *arena, const struct push_settings *settings, const struct target *target,
                             struct str argument, struct str *filled)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < argument.n; i++) {
		if (argument.p[i] != '%') {
			buf_char(&buf, argument.p[i]);
			continue;
		}
		if (++i == argument.n || argument.p[i] == '\0' || strchr("hnpudg%", argument.p[i]) == NULL)
			return error_hint(error_new(ERROR_INPUT,
			                            "a hook's argument \"%.*s\" has a %% that means nothing",
			                            STR_ARG(argument)),
			                  "%%h host, %%n name, %%p port, %%u user, %%d folder, %%g generation, %%%% a "
			                  "percent sign");
		add_value(&buf, settings, target, argument.p[i]);
	}
	*filled = buf_str(&buf);
	return NULL;
}

const struct hook *call_hook(const struct push_settings *settings, enum step step)
{
	const struct hook *hook = NULL;

	switch (step) {
	case STEP_COPY:
		hook = &settings->copy;
		break;
	case STEP_APPLY:
		hook = &settings->apply;
		break;
	case STEP_CONFIRM:
		hook = &settings->confirm;
		break;
	case STEP_CALL:
		hook = &settings->call;
		break;
	}
	return hook->count > 0 ? hook : NULL;
}

static struct error *add_hook(struct arena *arena, const struct push_settings *settings,
                              const struct call_request *request, const struct hook *hook, struct arguments *arguments)
{
	for (size_t i = 0; i < hook->count; i++) {
		struct str filled = STR("");

		TRY(fill_in(arena, settings, &request->target, hook->arguments[i], &filled));
		add(arena, arguments, filled);
	}
	if (request->step == STEP_COPY)
		add(arena, arguments, request->local);
	add(arena, arguments, request->remote);
	return NULL;
}

/* --- ours --- */

static void add_option(struct arena *arena, struct arguments *arguments, struct str option)
{
	add(arena, arguments, STR("-o"));
	add(arena, arguments, option);
}

/* ssh takes the first that it is given of each option: so the administrator's can't undo what safety rests on, and may
 * change the rest. */
static struct error *add_options(struct arena *arena, const struct push_settings *settings,
                                 const struct call_request *request, struct arguments *arguments)
{
	add_option(arena, arguments, STR("BatchMode=yes"));
	add_option(arena, arguments, STR("ControlMaster=no"));
	add_option(arena, arguments, STR("ControlPath=none"));
	add_option(arena, arguments, str_format(arena, "HostKeyAlias=%.*s", STR_ARG(request->target.name)));
	for (size_t i = 0; i < settings->ssh_options.count; i++) {
		struct str filled = STR("");

		TRY(fill_in(arena, settings, &request->target, settings->ssh_options.arguments[i], &filled));
		add(arena, arguments, filled);
	}
	add_option(arena, arguments, str_format(arena, "ConnectTimeout=%u", settings->connect));
	add_option(arena, arguments, str_format(arena, "ServerAliveInterval=%d", ALIVE_SECONDS));
	add_option(arena, arguments, STR("ServerAliveCountMax=3"));
	add_option(arena, arguments, STR("ClearAllForwardings=yes"));
	add_option(arena, arguments, STR("ForwardAgent=no")); /* no machine may borrow the pusher's keys */
	add_option(arena, arguments, STR("ForwardX11=no"));
	add_option(arena, arguments, STR("LogLevel=INFO")); /* without its words we know no reason */
	return NULL;
}

static struct error *add_ssh(struct arena *arena, const struct push_settings *settings,
                             const struct call_request *request, struct arguments *arguments)
{
	add(arena, arguments, STR("ssh"));
	TRY(add_options(arena, settings, request, arguments));
	add(arena, arguments, STR("-T"));
	add(arena, arguments, STR("-p"));
	add(arena, arguments, str_format(arena, "%u", request->target.port));
	add(arena, arguments, STR("-l"));
	add(arena, arguments, settings->user);
	add(arena, arguments, STR("--"));
	add(arena, arguments, request->target.host);
	add(arena, arguments, request->remote);
	return NULL;
}

static struct error *add_scp(struct arena *arena, const struct push_settings *settings,
                             const struct call_request *request, struct arguments *arguments)
{
	bool colon = str_find(request->target.host, ':') < request->target.host.n;

	add(arena, arguments, STR("scp"));
	TRY(add_options(arena, settings, request, arguments));
	add(arena, arguments, STR("-q"));
	add(arena, arguments, STR("-P"));
	add(arena, arguments, str_format(arena, "%u", request->target.port));
	add(arena, arguments, STR("--"));
	add(arena, arguments, request->local);
	add(arena, arguments, str_format(arena, colon ? "%.*s@[%.*s]:%.*s" : "%.*s@%.*s:%.*s", STR_ARG(settings->user),
	                                 STR_ARG(request->target.host), STR_ARG(request->remote)));
	return NULL;
}

struct error *call_arguments(struct arena *arena, const struct push_settings *settings,
                             const struct call_request *request, char ***arguments)
{
	const struct hook *hook = call_hook(settings, request->step);
	struct arguments list = {NULL, 0, 0};

	TRY(check_target(settings, &request->target));
	if (hook != NULL)
		TRY(add_hook(arena, settings, request, hook, &list));
	else if (request->step == STEP_COPY)
		TRY(add_scp(arena, settings, request, &list));
	else
		TRY(add_ssh(arena, settings, request, &list));
	APPEND(arena, &list, NULL);
	*arguments = list.items;
	return NULL;
}

char **call_environment(struct arena *arena)
{
	static char locale[] = "LC_ALL=C";
	struct arguments list = {NULL, 0, 0};

	for (char **at = environ; at != NULL && *at != NULL; at++)
		if (!str_starts(str_of(*at), STR("LC_ALL=")))
			APPEND(arena, &list, *at);
	APPEND(arena, &list, locale);
	APPEND(arena, &list, NULL);
	return list.items;
}
