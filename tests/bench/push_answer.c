/* In place of ssh and a machine, for the benchmark of pushing: takes a bundle, waits as a slow machine would, and says
 * that it was applied; later, that it was confirmed. Keeps what a machine would in one file; loads nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int apply(const char *path, unsigned seconds)
{
	struct decision decision = {"", 0};
	FILE *file;

	take(&decision);
	sleep(seconds);
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
		return apply(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	if (argc == 5 && strcmp(argv[1], "confirm") == 0)
		return confirm(argv[2]);
	fputs("usage: push_answer apply|confirm FILE SECONDS LINE\n", stderr);
	return 2;
}
