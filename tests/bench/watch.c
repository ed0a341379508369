/* How long a change takes from its commit to the published output under `fleetwall watch`, seen from outside: starts
 * the watcher, waits until it says that it is ready (sd_notify), commits one change after the other on a connection of
 * its own, and sees by inotify when `current` is renamed. The clock starts before COMMIT is sent, so what the database
 * needs for it counts too. Prints `kind TAB seconds` a change, at the end `peak TAB KiB`. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/db.h"

enum { READY_MS = 120000, PUBLISHED_MS = 120000, PAUSE_MS = 50 };

/* `chosen` is the machine that the change is about, `number` counts the changes. Each is one that shows: the machine
 * has a ruleset, the role or rule or network is one that somebody gets. */
static const char chosen_sql[] =
	"CREATE TEMP TABLE IF NOT EXISTS chosen (name text, number bigint); TRUNCATE chosen;"
	"INSERT INTO chosen SELECT name, %d FROM fleetwall.machine WHERE enabled AND enforcement = 'enforce'"
	" ORDER BY name OFFSET (%d * 7919) %% (SELECT count(*) / 2 FROM fleetwall.machine) LIMIT 1";

static const struct change {
	const char *kind, *sql;
} changes[] = {
	{"address", "UPDATE fleetwall.address AS a SET address = address + 16777216 FROM chosen"
	            " WHERE a.machine = chosen.name AND family(address) = 4 AND label = 'private'"},
	{"role assigned",
	 "INSERT INTO fleetwall.member SELECT r.name, chosen.name FROM fleetwall.role AS r, chosen"
	 " WHERE r.selector IS NULL AND r.machine IS NULL AND NOT EXISTS"
	 " (SELECT FROM fleetwall.member AS m WHERE m.role = r.name AND m.machine = chosen.name)"
	 " ORDER BY sha256(convert_to(r.name || number, 'UTF8')) LIMIT 1"},
	{"role unassigned",
	 "DELETE FROM fleetwall.member AS m USING chosen WHERE m.machine = chosen.name AND m.role ="
	 " (SELECT min(o.role) FROM fleetwall.member AS o JOIN fleetwall.role AS r ON r.name = o.role"
	 "  WHERE o.machine = chosen.name AND r.selector IS NULL)"},
	/* tier=front is a selector in every fleet */
	{"label", "UPDATE fleetwall.machine AS m SET labels = jsonb_set(labels, '{tier}',"
	          " CASE labels ->> 'tier' WHEN 'front' THEN '\"back\"' ELSE '\"front\"' END::jsonb)"
	          " WHERE m.name = (SELECT o.name FROM fleetwall.machine AS o, chosen WHERE o.name >= chosen.name"
	          " AND o.enabled AND o.enforcement = 'enforce' AND NOT EXISTS (SELECT FROM fleetwall.member AS x"
	          " JOIN fleetwall.role AS r ON r.name = x.role AND r.selector IS NOT NULL WHERE x.machine = o.name)"
	          " ORDER BY o.name LIMIT 1)"},
	{"disabled", "UPDATE fleetwall.machine AS m SET enabled = false FROM chosen WHERE m.name = chosen.name"},
	{"rule", "UPDATE fleetwall.rule SET enabled = NOT enabled WHERE key = (SELECT r.key FROM"
	         " (SELECT x.key, x.role, sha256(convert_to(x.text || number, 'UTF8')) AS die"
	         "  FROM fleetwall.rule AS x, chosen WHERE x.role <> 'default' ORDER BY die LIMIT 50) AS r"
	         " WHERE EXISTS (SELECT FROM fleetwall.member AS x JOIN fleetwall.machine AS m ON m.name = x.machine"
	         "  AND m.enabled AND m.enforcement = 'enforce' WHERE x.role = r.role) ORDER BY r.die LIMIT 1)"},
	{"network", "INSERT INTO fleetwall.network_prefix"
	            " SELECT r.network, set_masklen('198.18.0.0'::cidr + 256 * (SELECT count(*) FROM"
	            "  fleetwall.network_prefix AS o WHERE o.prefix << '198.18.0.0/15'), 24)"
	            " FROM (SELECT p.network, x.role, sha256(convert_to(x.text || number, 'UTF8')) AS die"
	            "  FROM fleetwall.rule_peer AS p, fleetwall.rule AS x, chosen"
	            "  WHERE p.network IS NOT NULL AND x.key = p.rule AND x.enabled ORDER BY die LIMIT 50) AS r"
	            " WHERE r.role = 'default' OR EXISTS (SELECT FROM fleetwall.member AS x"
	            "  JOIN fleetwall.machine AS m ON m.name = x.machine AND m.enabled AND m.enforcement = 'enforce'"
	            "  WHERE x.role = r.role) ORDER BY r.die LIMIT 1"},
};
enum { KINDS = sizeof changes / sizeof *changes };

struct watcher {
	pid_t pid;
	int words; /* what it says to systemd */
	int notes; /* inotify on the output folder */
};

static char socket_path[] = "/tmp/fleetwall-bench-XXXXXX/notify";

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(3);
}

static double now(void)
{
	struct timespec clock;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	return (double)clock.tv_sec + (double)clock.tv_nsec / 1e9;
}

static void must(struct error *error)
{
	if (error == NULL)
		return;
	struct arena *arena = arena_new();
	struct buf buf = buf_new(arena);
	error_print(&buf, STR("error: "), error);
	fwrite(buf.p, 1, buf.n, stderr);
	exit(3);
}

/* --- the watcher --- */

static void remove_socket(void)
{
	unlink(socket_path);
	*strrchr(socket_path, '/') = '\0';
	rmdir(socket_path);
}

static int listen_for_ready(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char *slash = strrchr(socket_path, '/');

	*slash = '\0';
	if (listener < 0 || mkdtemp(socket_path) == NULL)
		fail("a socket for the watcher's word");
	*slash = '/';
	atexit(remove_socket);
	memcpy(address.sun_path, socket_path, sizeof socket_path);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
		fail(socket_path);
	setenv("NOTIFY_SOCKET", socket_path, 1);
	return listener;
}

static void wait_until_ready(int listener)
{
	struct pollfd poll_for = {.fd = listener, .events = POLLIN};
	double until = now() + READY_MS / 1e3;
	char word[4096];

	while (now() < until) {
		if (poll(&poll_for, 1, 1000) <= 0)
			continue;
		ssize_t n = recv(listener, word, sizeof word - 1, 0);
		word[n > 0 ? n : 0] = '\0';
		if (strstr(word, "READY=1") != NULL)
			return;
	}
	fputs("the watcher does not say that it is ready\n", stderr);
	exit(3);
}

static pid_t watcher_pid;

/* Also when this program fails, and when it is interrupted: nobody is left behind. */
static void stop_watcher(void)
{
	if (watcher_pid > 0)
		kill(watcher_pid, SIGTERM);
}

static void interrupted(int signal)
{
	(void)signal;
	exit(130);
}

static struct watcher start_watcher(char **argv, const char *output)
{
	struct watcher watcher = {.words = listen_for_ready()};

	watcher.pid = fork();

	if (watcher.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (watcher.pid < 0)
		fail("fork");
	watcher_pid = watcher.pid;
	atexit(stop_watcher);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	wait_until_ready(watcher.words);
	watcher.notes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watcher.notes < 0 || inotify_add_watch(watcher.notes, output, IN_MOVED_TO) < 0)
		fail(output);
	return watcher;
}

/* --- one change --- */

/* Was `current` renamed into place, by what inotify has to say now? */
static bool flipped(int notes)
{
	_Alignas(struct inotify_event) char buffer[16384];
	bool found = false;
	ssize_t n;

	while ((n = read(notes, buffer, sizeof buffer)) > 0)
		for (char *p = buffer; p < buffer + n;) {
			const struct inotify_event *event = (const void *)p;
			found = found || (event->len > 0 && strcmp(event->name, "current") == 0);
			p += sizeof *event + event->len;
		}
	return found;
}

static void wait_for_flip(const struct watcher *watcher, double begun, int number, const char *kind)
{
	struct pollfd poll_for = {.fd = watcher->notes, .events = POLLIN};
	char word[4096];

	/* Nobody is kept waiting for us to read, as systemd would. */
	while (recv(watcher->words, word, sizeof word, MSG_DONTWAIT) > 0)
		;
	while (now() < begun + PUBLISHED_MS / 1e3) {
		poll(&poll_for, 1, 1000);
		if (flipped(watcher->notes))
			return;
	}
	fprintf(stderr, "change %d (%s) was not published within %d s\n", number, kind, PUBLISHED_MS / 1000);
	exit(1);
}

static void one_change(struct arena *arena, struct db *db, const struct watcher *watcher, int number)
{
	const struct change *change = &changes[number % KINDS];
	struct db_rows rows;

	must(db_run(db, str_format(arena, chosen_sql, number, number)));
	must(db_begin(db, DB_WRITE));
	must(db_query(arena, db,
	              str_format(arena, "WITH done AS (%s RETURNING 1) SELECT count(*) FROM done", change->sql), NULL,
	              0, &rows));
	if (str_is(db_cell(&rows, 0, 0), "0")) {
		fprintf(stderr, "change %d (%s) changes nothing\n", number, change->kind);
		exit(1);
	}
	usleep(PAUSE_MS * 1000);
	flipped(watcher->notes);
	double begun = now();
	must(db_commit(db));
	wait_for_flip(watcher, begun, number, change->kind);
	printf("%s\t%.6f\n", change->kind, now() - begun);
	arena_reset(arena);
}

static void end_watcher(struct watcher *watcher)
{
	struct rusage usage;
	int status;

	stop_watcher();
	if (wait4(watcher->pid, &status, 0, &usage) < 0)
		fail("the watcher");
	watcher_pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "the watcher ended with status %d\n", status);
		exit(1);
	}
	printf("peak\t%ld\n", usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	uint64_t first, count;

	if (argc < 6 || !str_number(str_of(argv[3]), 100000, &first) || !str_number(str_of(argv[4]), 100000, &count)) {
		fputs("usage: watch CONNINFO OUTPUT FIRST-CHANGE CHANGES COMMAND...\n", stderr);
		return 2;
	}
	struct arena *arena = arena_new(), *scratch = arena_new();
	struct watcher watcher = start_watcher(argv + 5, argv[2]);
	struct db *db;
	must(db_open(arena, str_of(argv[1]), &db));
	for (int i = (int)first; i < (int)(first + count); i++)
		one_change(scratch, db, &watcher, i);
	db_close(db);
	end_watcher(&watcher);
	arena_free(scratch);
	arena_free(arena);
	return 0;
}
