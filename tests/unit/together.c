/* The unit tests of a folder in one program: runs the one by whose name it is called; called by its own, those that are
 * named, one after the other, for valgrind, whose start costs more than most of them. TOGETHER is the list of them, by
 * the Makefile: X(check_addr) X(check_arena) … */
#include <stdio.h>
#include <string.h>

#define X(name) int main_of_##name(void);
TOGETHER
#undef X

#define X(name) {#name, main_of_##name},
static const struct {
	const char *name;
	int (*run)(void);
} tests[] = {TOGETHER};
#undef X

static int run(const char *name)
{
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		if (strcmp(tests[i].name, name) == 0)
			return tests[i].run();
	fprintf(stderr, "%s: no such test\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash != NULL ? slash + 1 : argv[0];
	int failed = 0;

	if (strncmp(name, "together-", strlen("together-")) != 0)
		return run(name);
	for (int i = 1; i < argc; i++)
		failed |= run(argv[i]);
	return failed != 0;
}
