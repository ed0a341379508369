/* The two ends of a TCP connection, for the demo: one listens on ports inside the machine's namespace, the other knocks
 * from a chosen source address. Says what a client sees: an answer, a refusal, or silence. Knows nothing of fleetwall.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE 700 /* milliseconds; what is dropped never answers, what is let in does at once */

static int usage(void)
{
	fputs("usage: knock listen PORT... | knock SOURCE DESTINATION PORT\n", stderr);
	return 2;
}

static int fail(const char *doing)
{
	fprintf(stderr, "knock: %s: %s\n", doing, strerror(errno));
	return 3;
}

/* Fills in the address of either family; its length, or 0 if it is none. */
static socklen_t address(const char *text, unsigned port, struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof *to);
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		return sizeof *four;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
		return 0;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)port);
	return sizeof *six;
}

/* One socket takes both families. The kernel completes the connections; nobody needs to accept them. */
static int listen_on(unsigned port)
{
	struct sockaddr_storage any;
	socklen_t length = address("::", port, &any);
	int fd = socket(AF_INET6, SOCK_STREAM, 0), no = 0, yes = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
	    bind(fd, (struct sockaddr *)&any, length) != 0 || listen(fd, 64) != 0)
		return -1;
	return fd;
}

static int run_listen(int count, char **ports)
{
	for (int i = 0; i < count; i++)
		if (listen_on((unsigned)atoi(ports[i])) < 0)
			return fail(ports[i]);
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

/* What came of a connection that was begun: 0, or errno; ETIMEDOUT when nothing came. */
static int outcome(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof error;

	if (poll(&wait, 1, PATIENCE) == 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static int run_knock(const char *source, const char *destination, unsigned port)
{
	struct sockaddr_storage from, to;
	socklen_t from_length = address(source, 0, &from), to_length = address(destination, port, &to);
	int fd, error;

	if (from_length == 0 || to_length == 0 || from.ss_family != to.ss_family)
		return usage();
	fd = socket(from.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, from_length) != 0)
		return fail(source);
	error = connect(fd, (struct sockaddr *)&to, to_length) == 0 ? 0 : errno;
	if (error == EINPROGRESS)
		error = outcome(fd);
	close(fd);
	errno = error;
	if (error != 0 && error != ECONNREFUSED && error != ETIMEDOUT)
		return fail(destination);
	puts(error == 0 ? "let in" : error == ECONNREFUSED ? "refused" : "dropped");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "listen") == 0)
		return run_listen(argc - 2, argv + 2);
	if (argc == 4)
		return run_knock(argv[1], argv[2], (unsigned)atoi(argv[3]));
	return usage();
}
