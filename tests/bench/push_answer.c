/* In place of ssh and a machine, for the benchmark of pushing: takes a bundle, waits as a slow machine would until it
 * may go on, and says that it was applied; later, that it was confirmed. Keeps what a machine would in one file; loads
 * nothing. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct decision {
	char position[65];
	unsigned long long generation;
};

static int fault(const char *what)
{
	perror(what);
	return 3;
}

/* The two lines of the header that an answer repeats; the rest has to be taken, or the sender would not end. */
static void take(struct decision *decision)
{
	char line[4096];

	while (fgets(line, sizeof line, stdin) != NULL) {
		if (decision->position[0] == '\0')
			(void)!sscanf(line, "position %64[0-9a-f]", decision->position);
		if (decision->generation == 0)
			(void)!sscanf(line, "generation %llu", &decision->generation);
	}
}

/* Until there is such a file; not for ever. */
static void await(const char *path)
{
	const struct timespec pause = {.tv_nsec = 100000000};

	for (unsigned turns = 600; turns > 0 && access(path, F_OK) != 0; turns--)
		(void)nanosleep(&pause, NULL);
}

static int apply(const char *path, const char *go)
{
	struct decision decision = {"", 0};
	FILE *file;

	take(&decision);
	await(go);
	file = fopen(path, "w");
	if (file == NULL)
		return fault(path);
	fprintf(file, "%s %llu\n", decision.position, decision.generation);
	if (fclose(file) != 0)
		return fault(path);
	printf("applied %s %llu\n", decision.position, decision.generation);
	return 0;
}

static int confirm(const char *path)
{
	struct decision decision = {"", 0};
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return fault(path);
	if (fscanf(file, "%64[0-9a-f] %llu", decision.position, &decision.generation) != 2)
		return fault("what was applied");
	(void)fclose(file); /* it was read */
	printf("confirmed %s %llu\n", decision.position, decision.generation);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "apply") == 0)
		return apply(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "confirm") == 0)
		return confirm(argv[2]);
	fputs("usage: push_answer apply|confirm FILE GO LINE\n", stderr);
	return 2;
}
