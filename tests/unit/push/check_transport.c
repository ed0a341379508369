/* One call of a program: what is kept of what it prints, how it is ended, what it is fed, which arguments it gets, and
 * what its failures mean. Programs are small shell scripts in the place of ssh. valgrind-apart: it waits for deadlines.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "push_fixture.h"
#include "suite_main.h"
#include "transport_parts.h"

static struct push_settings settings;
static uv_loop_t loop;

static void setup(void)
{
	store_setup();
	settings = (struct push_settings){.user = STR("root"), .connect = 7, .ssh_port = 22};
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	(void)pipe_signal_ignore();
}

static void teardown(void)
{
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	store_teardown();
}

/* What came of a call, with copies of what was printed. */
struct outcome_of_call {
	struct call_result result;
	unsigned times;
};

static void on_done(void *context, const struct call_result *result)
{
	struct outcome_of_call *outcome = context;

	outcome->result = *result;
	outcome->result.output = str_copy(arena, result->output);
	outcome->result.errors = str_copy(arena, result->errors);
	outcome->times++;
}

static struct call_request request_for(struct outcome_of_call *outcome)
{
	return (struct call_request){
		.step = STEP_CALL,
		.target = {.name = STR("db1"), .host = STR("192.0.2.1"), .port = 22},
		.remote = STR("the line"),
		.seconds = 20,
		.limit = 1000,
		.done = on_done,
		.context = outcome,
	};
}

static struct hook hook_of(const char *const *words)
{
	struct hook hook = {.arguments = ARENA_ARRAY(arena, struct str, 10)};

	for (; words[hook.count] != NULL; hook.count++)
		hook.arguments[hook.count] = str_of(words[hook.count]);
	return hook;
}

#define HOOK(...) hook_of((const char *const[]){__VA_ARGS__, NULL})

static struct call_result run(const struct call_request *request, struct outcome_of_call *outcome)
{
	struct arena *own = arena_new();
	struct call *call;

	none(call_start(own, &loop, &settings, request, &call));
	ck_assert_uint_eq(outcome->times, 0);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(outcome->times, 1);
	if (outcome->result.unread.n > 0)
		outcome->result.unread = str_copy(arena, outcome->result.unread);
	arena_free(own);
	return outcome->result;
}

static struct call_result script_with(const char *script, unsigned seconds, struct bundle *input)
{
	struct outcome_of_call outcome = {0};
	struct call_request request = request_for(&outcome);

	settings.call = HOOK("sh", "-c", script);
	request.seconds = seconds;
	request.input = input;
	return run(&request, &outcome);
}

static struct call_result script(const char *text)
{
	return script_with(text, 20, NULL);
}

/* --- what it prints --- */

START_TEST(prints_and_ends)
{
	struct call_result result = script("echo out; echo err >&2; exit 7");

	ck_assert(result.started && !result.timed_out && !result.cut);
	ck_assert_int_eq(result.status, 7);
	ck_assert(str_is(result.output, "out\n"));
	ck_assert(str_is(result.errors, "err\n"));
	ck_assert_int_eq(script("kill -9 $$").status, 128 + SIGKILL);
	ck_assert_int_eq(script("read line").status, 1); /* there is nothing to read */
}
END_TEST

static long peak_kilobytes(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* On both streams; what says why is at the end of standard error. */
START_TEST(a_gigabyte)
{
	long before = peak_kilobytes();
	const char *much = getenv("RUNNING_ON_VALGRIND") != NULL ? "1000000" : "300000000";
	const char *text = str_c(arena, str_format(arena,
	                                           "echo first; head -c %s /dev/zero; head -c %s /dev/zero >&2; echo "
	                                           "last >&2; exit 3",
	                                           much, much));
	struct call_result result = script(text);

	ck_assert_int_eq(result.status, 3);
	ck_assert(result.cut && result.output.n == 1000 && str_starts(result.output, STR("first\n")));
	ck_assert_uint_eq(result.errors.n, 16384);
	ck_assert(str_ends(result.errors, STR("last\n")));
	ck_assert_int_lt(peak_kilobytes() - before, 8192);
}
END_TEST

/* --- its end --- */

static void start(struct outcome_of_call *outcome, const char *text)
{
	struct call_request request = request_for(outcome);
	struct call *call;

	settings.call = HOOK("sh", "-c", text);
	request.seconds = 1;
	none(call_start(arena, &loop, &settings, &request, &call));
}

/* All at once, as each takes its time: one hangs, one does not listen to SIGTERM, one prints for ever, and one ends and
 * leaves a child behind that keeps the streams, which holds nobody up. */
START_TEST(ends_in_time)
{
	struct outcome_of_call hangs = {0}, deaf = {0}, prints = {0}, leaves = {0};
	uint64_t began = uv_hrtime();

	start(&hangs, "echo begun; sleep 60");
	start(&deaf, "trap '' TERM; echo begun; while :; do sleep 0.1; done");
	start(&prints, "exec yes");
	start(&leaves, "echo out; sleep 5 & exit 0");
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_lt((uv_hrtime() - began) / 1000000, 6000);
	ck_assert(hangs.result.timed_out && str_is(hangs.result.output, "begun\n"));
	ck_assert_int_eq(hangs.result.status, 128 + SIGTERM);
	ck_assert(deaf.result.timed_out && str_is(deaf.result.output, "begun\n"));
	ck_assert_int_eq(deaf.result.status, 128 + SIGKILL);
	ck_assert(prints.result.timed_out && prints.result.cut && prints.result.output.n == 1000);
	ck_assert(!leaves.result.timed_out && leaves.result.status == 0 && str_is(leaves.result.output, "out\n"));
}
END_TEST

/* The loop is busy for so long that a second child prints and ends meanwhile; its end is known before what it printed
 * is looked at, and by then the time for that is over. */
static void on_event(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	uv_sleep(900);
	uv_close((uv_handle_t *)poll, NULL);
}

START_TEST(is_read_by_a_busy_loop)
{
	struct outcome_of_call early = {0}, late = {0};
	uv_poll_t poll;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(uv_poll_init(&loop, &poll, ends[0]), 0);
	ck_assert_int_eq(uv_poll_start(&poll, UV_READABLE, on_event), 0);
	start(&early, "exit 0");
	start(&late, "sleep 0.5; echo out; exit 0");
	uv_sleep(200);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert(early.times == 1 && early.result.status == 0);
	ck_assert(late.times == 1 && late.result.status == 0 && str_is(late.result.output, "out\n"));
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

static void cancel(uv_timer_t *timer)
{
	call_cancel(timer->data);
	uv_close((uv_handle_t *)timer, NULL);
}

START_TEST(is_cancelled)
{
	struct outcome_of_call outcome = {0};
	struct call_request request = request_for(&outcome);
	struct call *call;
	uv_timer_t timer;

	settings.call = HOOK("sleep", "50");
	settings.call.count = 1;
	request.remote = STR("50");
	none(call_start(arena, &loop, &settings, &request, &call));
	ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
	timer.data = call;
	ck_assert_int_eq(uv_timer_start(&timer, cancel, 100, 0), 0);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(outcome.times, 1);
	ck_assert(outcome.result.cancelled && !outcome.result.timed_out);
	ck_assert_int_eq(outcome.result.status, 128 + SIGTERM);
}
END_TEST

START_TEST(is_not_there)
{
	struct outcome_of_call outcome = {0};
	struct call_request request = request_for(&outcome);
	struct call_result result;
	struct str message;

	settings.call = HOOK("/nonexistent/program", "x");
	result = run(&request, &outcome);
	ck_assert(!result.started && result.status == 127);
	ck_assert_int_eq(call_failure(arena, &settings, STEP_CALL, &result, &message), FAILURE_HOOK);
	ck_assert(
		str_is(message, "the hook /nonexistent/program could not be started: no such file or directory"));
}
END_TEST

/* --- what it is fed --- */

static struct bundle *large_bundle(size_t members, struct str *bytes)
{
	struct buf list = buf_new(arena);
	struct one_set set = {"app-1.v4", {NULL, 0}};
	struct bundle_request request = {.machine = STR("db1"), .token = STR("5b1e"), .ssh_port = 22};
	struct bundle *bundle;

	for (size_t i = 0; i < members; i++)
		buf_format(&list, "10.%zu.%zu.%zu\n", i >> 16 & 255, i >> 8 & 255, i & 255);
	set.members = buf_str(&list);
	request.now = positions_at(publish_one("x", &set, 1));
	none(bundle_make(arena, &request, &bundle));
	*bytes = bundle_bytes(bundle, 4096);
	none(bundle_make(arena, &request, &bundle));
	return bundle;
}

/* It reads slowly at first; nothing is lost, and nothing waits in memory. */
START_TEST(reads_a_lot)
{
	struct str bytes;
	struct bundle *bundle = large_bundle(60000, &bytes);
	struct digest digest = digest_of(bytes);
	struct call_result result;
	char hex[65];

	digest_hex(&digest, hex);
	result = script_with("sleep 0.3; sha256sum | cut -d' ' -f1", 20, bundle);
	ck_assert_int_eq(result.status, 0);
	ck_assert_msg(str_is(str_trim(result.output), hex), "%.*s", STR_ARG(result.output));
	ck_assert_uint_eq(result.sent, bytes.n);
	ck_assert_uint_gt(bytes.n, 1000000);
	bundle_close(bundle);
}
END_TEST

START_TEST(does_not_read)
{
	struct str bytes;
	struct bundle *bundle = large_bundle(60000, &bytes);
	struct call_result result = script_with("exec 0<&-; sleep 0.2; echo no; exit 4", 20, bundle);

	ck_assert_int_eq(result.status, 4);
	ck_assert(str_is(result.output, "no\n") && result.unread.n == 0);
	ck_assert_uint_lt(result.sent, bytes.n);
	bundle_close(bundle);
}
END_TEST

/* A file of the store that goes away meanwhile: the child gets no end of the input before it is ended. */
START_TEST(can_not_be_read)
{
	struct str bytes, message;
	struct bundle *bundle = large_bundle(60000, &bytes);
	struct call_result result;

	shell("rm -r '%s/store/sets'", out);
	result = script_with("cat >/dev/null; echo complete", 20, bundle);
	ck_assert(result.unread.n > 0 && !str_is(result.output, "complete\n"));
	ck_assert_int_eq(call_failure(arena, &settings, STEP_APPLY, &result, &message), FAILURE_DAMAGED);
	bundle_close(bundle);
}
END_TEST

/* --- its arguments --- */

static const char *joined(char **arguments)
{
	struct buf buf = buf_new(arena);

	for (; *arguments != NULL; arguments++)
		buf_format(&buf, "[%s]", *arguments);
	return str_c(arena, buf_str(&buf));
}

static const char *arguments_of(enum step step, struct target target)
{
	struct call_request request = {
		.step = step, .target = target, .remote = STR("the line"), .local = STR("/tmp/x")};
	char **arguments;

	none(call_arguments(arena, &settings, &request, &arguments));
	return joined(arguments);
}

static const struct target plain = {{"db1", 3}, {"192.0.2.1", 9}, 2222, 42, {"/store/ab", 9}};

START_TEST(hooks_are_filled_in)
{
	struct target hostile = plain;

	settings.confirm = HOOK("run", "%n", "%h:%p", "%u%%%g", "x%dx");
	ck_assert_str_eq(arguments_of(STEP_CONFIRM, plain),
	                 "[run][db1][192.0.2.1:2222][root%42][x/store/abx][the line]");
	settings.copy = HOOK("put");
	ck_assert_str_eq(arguments_of(STEP_COPY, plain), "[put][/tmp/x][the line]");
	hostile.directory = STR("/a %h $(id)`x`;'\"");
	ck_assert_str_eq(arguments_of(STEP_CONFIRM, hostile),
	                 "[run][db1][192.0.2.1:2222][root%42][x/a %h $(id)`x`;'\"x][the line]");
}
END_TEST

START_TEST(hooks_that_make_no_sense)
{
	static const char *const bad[] = {"%x", "50%", "%", "%%%"};
	struct call_request request = {.step = STEP_CALL, .target = plain, .remote = STR("x")};
	char **arguments;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		settings.call = HOOK("run", bad[i]);
		struct error *error = call_arguments(arena, &settings, &request, &arguments);

		ck_assert_msg(error != NULL && error->kind == ERROR_INPUT, "%s", bad[i]);
	}
}
END_TEST

START_TEST(hosts_that_are_none)
{
	static const char *const bad[] = {
		"-oProxyCommand=x", "", "a b", "a\nb", "root@x", "x/y", "$(id)", "a`b", "a;b"};
	struct call_request request = {.step = STEP_CALL, .target = plain, .remote = STR("x")};
	struct error *error;
	char **arguments;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		request.target = plain;
		request.target.host = str_of(bad[i]);
		error = call_arguments(arena, &settings, &request, &arguments);
		ck_assert_msg(error != NULL && error->kind == ERROR_INPUT, "%s", bad[i]);
	}
	request.target = plain;
	request.target.name = STR("-x");
	ck_assert_ptr_nonnull(call_arguments(arena, &settings, &request, &arguments));
	request.target.name = STR("db1");
	request.target.host = STR("fe80::1%eth0");
	none(call_arguments(arena, &settings, &request, &arguments));
}
END_TEST

/* Ours come before the administrator's: ssh takes the first. */
START_TEST(ssh_is_told)
{
	const char *told;

	settings.ssh_options = HOOK("-i", "/keys/%n", "-o", "BatchMode=no");
	told = arguments_of(STEP_APPLY, plain);
	ck_assert_ptr_eq(strstr(told, "[ssh][-o][BatchMode=yes][-o][ControlMaster=no][-o][ControlPath=none][-o]"
	                              "[HostKeyAlias=db1][-i][/keys/db1][-o][BatchMode=no][-o][ConnectTimeout=7]"),
	                 told);
	ck_assert_ptr_nonnull(strstr(told, "[-p][2222][-l][root][--][192.0.2.1][the line]"));
	ck_assert_ptr_nonnull(strstr(told, "[-o][ForwardAgent=no][-o][ForwardX11=no]"));
	ck_assert_ptr_null(strstr(told, "StrictHostKeyChecking"));
	ck_assert_ptr_null(strstr(told, "KnownHosts"));
}
END_TEST

START_TEST(scp_is_told)
{
	struct target six = plain;
	const char *told = arguments_of(STEP_COPY, plain);

	ck_assert_ptr_eq(strstr(told, "[scp][-o][BatchMode=yes][-o][ControlMaster=no]"), told);
	ck_assert_ptr_nonnull(strstr(told, "[-P][2222][--][/tmp/x][root@192.0.2.1:the line]"));
	six.host = STR("2001:db8::1");
	ck_assert_ptr_nonnull(strstr(arguments_of(STEP_COPY, six), "[root@[2001:db8::1]:the line]"));
}
END_TEST

START_TEST(words_of_ssh_are_ours)
{
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	ck_assert(str_is(script("echo $LC_ALL").output, "C\n"));
}
END_TEST

START_TEST(descriptors_are_enough)
{
	struct rlimit limit = {64 + 100, 64 + 100};

	ck_assert_uint_eq(calls_that_fit(10), 10);
	if (getenv("RUNNING_ON_VALGRIND") != NULL)
		return; /* it has some of its own */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(calls_that_fit(1000), 20);
	limit.rlim_cur = 70;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(calls_that_fit(20), 20);
}
END_TEST

/* --- the line --- */

START_TEST(lines_for_the_machine)
{
	struct str words[] = {STR("apply"), STR("00ff"), STR("\"$SSH_CONNECTION\"")}, line;

	ck_assert(str_is(remote_line(arena, &settings, false, words, 3),
	                 "exec /bin/sh /var/lib/fleetwall-host/fleetwall-host apply 00ff \"$SSH_CONNECTION\""));
	settings.user = STR("deploy");
	ck_assert(str_is(remote_line(arena, &settings, false, words, 1),
	                 "exec sudo -n /bin/sh /var/lib/fleetwall-host/fleetwall-host apply"));
	line = remote_line(arena, &settings, true, words, 3);
	ck_assert(str_starts(line, STR("exec sudo -n /bin/sh -c '")));
	ck_assert(str_ends(line, STR("' bootstrap 00ff \"$SSH_CONNECTION\"")));
}
END_TEST

START_TEST(words_of_a_line)
{
	ck_assert(remote_word(STR("fe80::1")) && remote_word(STR("10.0.0.0/8")) && remote_word(STR("fw4-app")));
	ck_assert(!remote_word(STR("")) && !remote_word(STR("a b")) && !remote_word(STR("$x")) &&
	          !remote_word(STR("a;b")) && !remote_word(STR("a\nb")));
}
END_TEST

/* --- what failures mean --- */

struct saying {
	const char *errors;
	int status;
	enum failure failure;
};
static const struct saying sayings[] = {
	{"ssh: connect to host 192.0.2.1 port 22: Connection refused\r\n", 255, FAILURE_UNREACHABLE},
	{"ssh: connect to host 192.0.2.1 port 22: Connection timed out\r\n", 255, FAILURE_UNREACHABLE},
	{"ssh: connect to host 192.0.2.1 port 22: No route to host\r\n", 255, FAILURE_UNREACHABLE},
	{"ssh: connect to host 2001:db8::1 port 22: Network is unreachable\r\n", 255, FAILURE_UNREACHABLE},
	{"ssh: Could not resolve hostname nowhere.example: Name or service not known\r\n", 255, FAILURE_UNREACHABLE},
	{"Connection timed out during banner exchange\r\nConnection to 192.0.2.1 port 22 timed out\r\n", 255,
         FAILURE_UNREACHABLE},
	{"kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 192.0.2.1 port 22\r\n",
         255, FAILURE_UNREACHABLE},
	{"Timeout, server 192.0.2.1 not responding.\r\n", 255, FAILURE_UNREACHABLE},
	{"client_loop: send disconnect: Broken pipe\r\n", 255, FAILURE_UNREACHABLE},
	{"Connection to 192.0.2.1 closed by remote host.\r\n", 255, FAILURE_UNREACHABLE},
	{"@@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@@@@@@@@\r\nHost key for "
         "db1 has "
         "changed and you have requested strict checking.\r\nHost key verification failed.\r\n",
         255, FAILURE_HOST_KEY},
	{"No ED25519 host key is known for db1 and you have requested strict checking.\r\nHost key verification "
         "failed.\r\n",
         255, FAILURE_HOST_KEY},
	{"root@192.0.2.1: Permission denied (publickey).\r\n", 255, FAILURE_AUTH},
	{"Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures\r\nDisconnected from "
         "192.0.2.1 "
         "port 22\r\n",
         255, FAILURE_AUTH},
	{"sudo: a password is required\n", 1, FAILURE_AUTH},
	{"command-line: line 0: Bad configuration option: nonsense\r\n", 255, FAILURE_HOOK},
	{"ssh_dispatch_run_fatal: Connection to 192.0.2.1 port 22: Connection corrupted\r\n", 255, FAILURE_UNREACHABLE},
	{"", 255, FAILURE_UNREACHABLE},
	{"", 254, FAILURE_HOOK},
};

START_TEST(sayings_of_ssh)
{
	const struct saying *saying = &sayings[_i];
	struct call_result result = {.started = true, .status = saying->status, .output = STR("")};
	struct str message;

	result.errors = str_of(saying->errors);
	ck_assert_int_eq(call_failure(arena, &settings, STEP_APPLY, &result, &message), saying->failure);
	ck_assert_uint_gt(message.n, 0);
	ck_assert(!str_has_control(message) && message.p[0] != '@');
}
END_TEST

START_TEST(other_failures)
{
	struct call_result result = {.started = true, .timed_out = true, .output = STR(""), .errors = STR("")};
	struct str message;

	ck_assert_int_eq(call_failure(arena, &settings, STEP_APPLY, &result, &message), FAILURE_UNREACHABLE);
	result = (struct call_result){
		.started = true, .status = 9, .output = STR("x\n\033[31mred\xff\n"), .errors = STR("")};
	settings.apply = HOOK("mine");
	ck_assert_int_eq(call_failure(arena, &settings, STEP_APPLY, &result, &message), FAILURE_HOOK);
	ck_assert(str_is(message, "the hook mine ended with exit code 9:  [31mred?"));
}
END_TEST

START_TEST(lines_are_made_plain)
{
	struct buf buf = buf_new(arena);

	for (int i = 0; i < 400; i++)
		buf_add(&buf, STR("\xc3\xa4"));
	ck_assert_uint_eq(str_utf8_error(call_plain(arena, buf_str(&buf))), 300);
	ck_assert(str_is(call_plain(arena, STR(" a\tb\n")), "a b"));
	ck_assert(str_is(call_plain(arena, STR("\xff")), "?"));
	/* U+009B begins a sequence on some terminals; U+00E9 and U+00A0 do not. */
	ck_assert(str_is(call_plain(arena, STR("a\xc2\x9b" "31m")), "a  31m"));
	ck_assert(str_is(call_plain(arena, STR("\xc3\xa9\xc2\xa0z\x1b[0m")), "\xc3\xa9\xc2\xa0z [0m"));
	ck_assert(str_is(call_plain(arena, STR("")), ""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transport");
	TCase *tests = tcase_create("transport");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, prints_and_ends);
	tcase_add_test(tests, a_gigabyte);
	tcase_add_test(tests, ends_in_time);
	tcase_add_test(tests, is_read_by_a_busy_loop);
	tcase_add_test(tests, is_cancelled);
	tcase_add_test(tests, is_not_there);
	tcase_add_test(tests, reads_a_lot);
	tcase_add_test(tests, does_not_read);
	tcase_add_test(tests, can_not_be_read);
	tcase_add_test(tests, hooks_are_filled_in);
	tcase_add_test(tests, hooks_that_make_no_sense);
	tcase_add_test(tests, hosts_that_are_none);
	tcase_add_test(tests, ssh_is_told);
	tcase_add_test(tests, scp_is_told);
	tcase_add_test(tests, words_of_ssh_are_ours);
	tcase_add_test(tests, descriptors_are_enough);
	tcase_add_test(tests, lines_for_the_machine);
	tcase_add_test(tests, words_of_a_line);
	tcase_add_loop_test(tests, sayings_of_ssh, 0, sizeof sayings / sizeof *sayings);
	tcase_add_test(tests, other_failures);
	tcase_add_test(tests, lines_are_made_plain);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
