/* One datagram a message, to the socket that the service manager names. Linking libsystemd for this would cost every
 * start of the program some milliseconds. */
#include "sd_notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/str.h"

enum { MESSAGE_MOST = 2048 };

/* A path, or a name in the abstract namespace, which is written with "@" in place of its NUL. */
static bool address_of(const char *name, struct sockaddr_un *address, socklen_t *length)
{
	size_t n = name != NULL ? strlen(name) : 0;

	if (n < 2 || (name[0] != '/' && name[0] != '@') || n >= sizeof address->sun_path)
		return false;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, n);
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	else
		++*length; /* the NUL belongs to a path */
	return true;
}

/* The manager names the process that it waits for, where that is not just any of the service. */
static uint64_t watchdog_of(const char *interval, const char *pid)
{
	uint64_t microseconds = 0, process = 0;

	if (interval == NULL || !str_number(str_of(interval), INT64_MAX, &microseconds))
		return 0;
	if (pid != NULL && (!str_number(str_of(pid), INT32_MAX, &process) || process != (uint64_t)getpid()))
		return 0;
	return microseconds;
}

void sd_notify_open(struct sd_notify *notify)
{
	*notify = (struct sd_notify){.socket = -1};
	if (address_of(getenv("NOTIFY_SOCKET"), &notify->address, &notify->length))
		notify->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify->socket >= 0)
		notify->watchdog = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* A manager that does not listen must not hold up what it watches over. */
static void send_message(const struct sd_notify *notify, const char *message)
{
	if (notify->socket >= 0)
		(void)sendto(notify->socket, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
		             (const struct sockaddr *)&notify->address, notify->length);
}

void sd_notify_say(const struct sd_notify *notify, const char *format, ...)
{
	char message[MESSAGE_MOST];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	send_message(notify, message);
}

void sd_notify_status(const struct sd_notify *notify, const char *format, ...)
{
	char message[MESSAGE_MOST] = "STATUS=";
	size_t lead = strlen(message);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message + lead, sizeof message - lead, format, arguments);
	va_end(arguments);
	/* A newline would begin another assignment. */
	for (char *c = message; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	send_message(notify, message);
}

void sd_notify_close(struct sd_notify *notify)
{
	if (notify->socket >= 0)
		(void)close(notify->socket);
	notify->socket = -1;
}
