/* Runs a fuzzer's function over every file of a folder: the corpus, with what was found, in any build, without
 * libFuzzer. Each input lies alone in memory of its own size, so that the sanitizers see whoever reads beyond it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	size_t size;
	uint8_t *data;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		fail(path);
	size = (size_t)status.st_size;
	data = malloc(size);
	if ((data == NULL && size > 0) || fread(data, 1, size, file) != size)
		fail(path);
	fclose(file);
	/* Of a crash the last line says where it was. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static unsigned replay_all(const char *folder)
{
	DIR *open = opendir(folder);
	const struct dirent *entry;
	unsigned count = 0;
	char path[4096];

	if (open == NULL)
		fail(folder);
	while ((entry = readdir(open)) != NULL)
		if (entry->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
			replay(path);
			count++;
		}
	closedir(open);
	return count;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 2 ? replay_all(argv[1]) : 0;

	if (count == 0) {
		fputs("replay: no inputs\n", stderr);
		return EXIT_FAILURE;
	}
	printf("%u inputs\n", count);
	return EXIT_SUCCESS;
}
