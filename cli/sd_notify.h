/* How we are, for the service manager that started us: the protocol of sd_notify(3), which that page describes for
 * programs that speak it themselves. Without a manager nothing is said; what does not arrive is no error. */
#ifndef SD_NOTIFY_H
#define SD_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct sd_notify {
	int socket; /* -1: nobody wants to know */
	struct sockaddr_un address;
	socklen_t length;
	uint64_t watchdog; /* WATCHDOG=1 must come within so many microseconds; 0: nobody waits for it */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: programs that we start
 * (PostgreSQL is one that would) must not speak for us. */
void sd_notify_open(struct sd_notify *notify);
/* Assignments such as READY=1, with newlines between them. */
void sd_notify_say(const struct sd_notify *notify, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* STATUS=, in words for people: control characters become blanks. */
void sd_notify_status(const struct sd_notify *notify, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sd_notify_close(struct sd_notify *notify);

#endif
