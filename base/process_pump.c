/* The poll loop between us and one child. A grandchild that keeps the streams open (a daemon) does not hold us: the
 * loop ends when the child itself has ended and nothing more is there to read. Starts and reaps nothing. */
#include "process_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/buf.h"

#define OUTPUT_MAX ((size_t)1 << 20)
#define ERRORS_MAX ((size_t)64 << 10)
#define WITHOUT_PIDFD 50 /* milliseconds between two looks at the child, where the kernel has no pidfd */

struct stream {
	int fd; /* -1: ended */
	struct buf text;
	size_t max;
};

static bool would_wait(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Reads what is there; what is beyond the limit is read and dropped, so that the child never waits. */
static int drain(struct stream *stream)
{
	char bytes[16384];

	while (stream->fd >= 0) {
		ssize_t n = read(stream->fd, bytes, sizeof bytes);
		size_t room = stream->max - stream->text.n;

		if (n < 0)
			return would_wait() ? 0 : -1;
		if (n == 0)
			stream->fd = -1;
		else
			buf_add(&stream->text, (struct str){bytes, (size_t)n < room ? (size_t)n : room});
	}
	return 0;
}

static int feed(int *in, struct str *input)
{
	while (*in >= 0) {
		ssize_t n = input->n == 0 ? 0 : write(*in, input->p, input->n);

		if (n < 0 && errno != EPIPE)
			return would_wait() ? 0 : -1;
		if (n > 0)
			*input = str_slice(*input, (size_t)n, input->n);
		if (n <= 0 || input->n == 0) {
			close(*in);
			*in = -1;
		}
	}
	return 0;
}

static int without_waiting(int fd)
{
	return fd < 0 ? 0 : fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Has it ended? It is left to be reaped. */
static bool has_ended(pid_t child)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child;
}

/* One turn: waits until something can be done, then does it. 1 when all is over. */
static int turn(pid_t child, int pidfd, int *in, struct stream *out, struct stream *err, struct str *input)
{
	struct pollfd waits[4] = {
		{.fd = out->fd, .events = POLLIN},
		{.fd = err->fd, .events = POLLIN},
		{.fd = *in, .events = POLLOUT},
		{.fd = pidfd, .events = POLLIN},
	};
	bool ended;

	if (poll(waits, 4, pidfd < 0 ? WITHOUT_PIDFD : -1) < 0)
		return errno == EINTR ? 0 : -1;
	ended = has_ended(child); /* before reading: what it wrote is in the pipes by now */
	if (drain(out) != 0 || drain(err) != 0 || feed(in, input) != 0)
		return -1;
	return ended || (out->fd < 0 && err->fd < 0 && *in < 0);
}

int pump(struct arena *arena, pid_t child, int *in, int out, int err, struct str input, struct outcome *outcome)
{
	struct stream output = {out, buf_new(arena), OUTPUT_MAX}, errors = {err, buf_new(arena), ERRORS_MAX};
	int pidfd = pidfd_open(child, 0), done;

	done = without_waiting(*in) | without_waiting(out) | without_waiting(err);
	while (done == 0)
		done = turn(child, pidfd, in, &output, &errors, &input);
	if (pidfd >= 0)
		close(pidfd);
	outcome->output = buf_str(&output.text);
	outcome->errors = buf_str(&errors.text);
	return done < 0 ? -1 : 0;
}
