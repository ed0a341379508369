/* A service manager's ear for scripts: `notified SOCKET` listens there and prints what it is told, a message a line,
 * until it is ended, or forgotten for two minutes. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char message[8192];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) {
		fputs("notified SOCKET\n", stderr);
		return 2;
	}
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		perror(argv[1]);
		return 3;
	}
	alarm(120);
	while ((n = recv(fd, message, sizeof message, 0)) >= 0) {
		printf("%.*s\n", (int)n, message);
		fflush(stdout);
	}
	return 3;
}
