/* Runs a command and says what it cost: appends one line `seconds TAB user+system seconds TAB peak KiB` to a file. The
 * peak is that of the command or of one of its children, whichever is larger. Ends as the command ended. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec clock;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	return (double)clock.tv_sec + (double)clock.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int append(const char *path, double wall, const struct rusage *usage)
{
	FILE *file = fopen(path, "a");

	if (file == NULL) {
		perror(path);
		return 3;
	}
	fprintf(file, "%.6f\t%.6f\t%ld\n", wall, seconds(usage->ru_utime) + seconds(usage->ru_stime),
	        usage->ru_maxrss);
	if (fclose(file) != 0) {
		perror(path);
		return 3;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;

	if (argc < 3) {
		fputs("usage: timed FILE COMMAND [ARGUMENT]...\n", stderr);
		return 2;
	}
	double begun = now();
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	while (child > 0 && wait4(child, &status, 0, &usage) < 0)
		if (errno != EINTR)
			child = -1;
	if (child < 0) {
		perror("timed");
		return 3;
	}
	double wall = now() - begun;
	if (!WIFEXITED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : append(argv[1], wall, &usage);
}
