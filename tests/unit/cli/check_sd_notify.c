/* What a service manager hears: a datagram a message, by path or by a name in the abstract namespace; nothing where
 * nobody listens, and nothing from programs that we start. */
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sd_notify.h"
#include "suite_main.h"

static char folder[] = "/tmp/fleetwall-unit-XXXXXX";
static char path[sizeof folder + 16];
static struct sd_notify notify;
static int manager;

/* As a manager does: `shown` is how it names its socket in the environment. */
static void listen_at(const char *shown)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(shown));

	memcpy(address.sun_path, shown, strlen(shown));
	if (shown[0] == '@')
		address.sun_path[0] = '\0';
	else
		length++;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, length), 0);
	setenv("NOTIFY_SOCKET", shown, 1);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	manager = -1;
}

static void teardown(void)
{
	sd_notify_close(&notify);
	if (manager >= 0)
		close(manager);
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static void hears(const char *wanted)
{
	char message[4096] = "";
	ssize_t n = recv(manager, message, sizeof message - 1, 0);

	ck_assert_int_eq(n, (ssize_t)strlen(wanted));
	ck_assert_str_eq(message, wanted);
}

START_TEST(by_path)
{
	listen_at(path);
	sd_notify_open(&notify);
	sd_notify_say(&notify, "RELOADING=1\nMONOTONIC_USEC=%d", 7);
	sd_notify_say(&notify, "READY=1");
	hears("RELOADING=1\nMONOTONIC_USEC=7");
	hears("READY=1");
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}
END_TEST

START_TEST(by_abstract_name)
{
	char name[64];

	snprintf(name, sizeof name, "@fleetwall-check-%ld", (long)getpid());
	listen_at(name);
	sd_notify_open(&notify);
	sd_notify_say(&notify, "READY=1");
	hears("READY=1");
}
END_TEST

START_TEST(a_status_is_one_assignment)
{
	char text[5000];

	listen_at(path);
	sd_notify_open(&notify);
	sd_notify_status(&notify, "generation %d\nMAINPID=1\x7f", 3);
	hears("STATUS=generation 3 MAINPID=1 ");
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	sd_notify_status(&notify, "%s", text);
	ck_assert_int_gt(recv(manager, text, sizeof text, 0), 1000);
}
END_TEST

START_TEST(nobody_listens)
{
	static const char *const wrong[] = {"", "@", "/", "relative", "/nonexistent/socket", "vsock:2:1"};
	char longer[200];

	sd_notify_open(&notify);
	ck_assert_int_eq(notify.socket, -1);
	sd_notify_say(&notify, "READY=1");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		setenv("NOTIFY_SOCKET", wrong[i], 1);
		sd_notify_open(&notify);
		sd_notify_say(&notify, "READY=1");
		sd_notify_close(&notify);
	}
	memset(longer, '/', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	setenv("NOTIFY_SOCKET", longer, 1);
	sd_notify_open(&notify);
	ck_assert_int_eq(notify.socket, -1);
}
END_TEST

static uint64_t watchdog_with(const char *interval, const char *pid)
{
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", interval, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
	sd_notify_open(&notify);
	sd_notify_close(&notify);
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
	return notify.watchdog;
}

START_TEST(the_watchdog)
{
	char pid[32];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	ck_assert_uint_eq(watchdog_with("30000000", NULL), 30000000);
	ck_assert_uint_eq(watchdog_with("30000000", pid), 30000000);
	ck_assert_uint_eq(watchdog_with("30000000", "1"), 0);
	ck_assert_uint_eq(watchdog_with("soon", NULL), 0);
	ck_assert_uint_eq(watchdog_with("-1", NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sd_notify");
	TCase *tests = tcase_create("sd_notify");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, by_path);
	tcase_add_test(tests, by_abstract_name);
	tcase_add_test(tests, a_status_is_one_assignment);
	tcase_add_test(tests, nobody_listens);
	tcase_add_test(tests, the_watchdog);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
