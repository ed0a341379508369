/* The reader of filter tables against the tools themselves, on both backends and for both families: what
 * iptables-restore and iptables-save make of a line reads as the line itself does, and what the one refuses the other
 * refuses. Lines at random, and the same with typing errors. FILTER_ROUNDS=N is so many times as much, FILTER_SEED=N
 * another beginning. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_text.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/process.h"
#include "random_rule.h"
#include "suite_main.h"

#define LINES 250  /* at once in one file */
#define DAMAGED 60 /* each in a file of its own */

static const char *const backends[] = {"nft", "legacy"};
static const char sets_text[] = "create four hash:net\nadd four 10.0.0.0/8\ncreate six hash:net family inet6\n";

static struct arena *arena;
static struct filter_sets sets;
static struct rng rng;

static void setup(void)
{
	struct filter_text file = {STR("sets"), str_of(sets_text)};
	const char *seed = getenv("FILTER_SEED");

	arena = arena_new();
	rng.state = seed != NULL ? strtoull(seed, NULL, 10) : 20261122;
	ck_assert_ptr_null(filter_sets_read(arena, &file, 1, false, &sets));
}

static void teardown(void)
{
	arena_free(arena);
	error_forget_all();
}

static unsigned rounds(void)
{
	const char *text = getenv("FILTER_ROUNDS");

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static struct str errors_text(const struct error *error)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR(""), error);
	return str_slice(buf_str(&buf), 0, 1000);
}

/* --- lines --- */

/* In these, %P is a port, %N a small number, %A an address, %L a length of its prefixes, %I an interface, %S a set, %X
 * which line it is. */
struct pieces {
	int protocol; /* they need it; 0: none; 4, 6: of that family alone */
	const char *const *texts;
};

#define TEXTS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static const struct pieces heads[] = {
	{0, TEXTS("-s %A", "-s %A/%L", "! -s %A/%L", "--source %A", "--src %A/%L", "-s %A,%A/%L")},
	{0, TEXTS("-d %A", "! -d %A/%L", "--dst %A", "--destination %A/%L", "-d %A/0")},
	{0, TEXTS("-i %I", "! -i %I", "-i +", "--in-interface %I+")},
	{0, TEXTS("-o %I", "! -o %I+", "--out-interface %I")},
};
static const struct pieces bodies[] = {
	{6, TEXTS("-p tcp", "-p TCP -m tcp", "-p 6 --dport %P", "-p tcp -m tcp --sport %P --dport %P",
                  "-p tcp ! --dport %P:", "-p tcp --syn", "-p tcp ! --syn --dport %P",
                  "-p tcp --tcp-flags FIN,SYN,RST,ACK SYN", "-p tcp -m tcp --tcp-flags ALL NONE", "-p tcp --dpor http",
                  "-p tcp --source-port :%P", "-p tcp -m multiport --dports %P,%P,%P",
                  "-p tcp -m multiport ! --sports %P,1:1023", "-p tcp -m multiport --ports 22,%P",
                  "-p tcp --tcp-option %N", "-p tcp -m tcpmss --mss %N:%P")},
	{17,
         TEXTS("-p udp", "-p udp -m udp --sport 67 --dport 68", "-p 17 --dport=%P", "-p udp -m multiport --dports %P",
               "-p udplite -m multiport --dports %P", "-p sctp -m sctp --dport %P", "-p dccp --dport %P", "-p gre",
               "-p 2", "! -p 47", "-p esp -m esp --espspi %N:%P", "-p ah -m ah", "-p all", "-p 112")},
	{4, TEXTS("-p icmp", "-p icmp --icmp-type %N", "-p icmp -m icmp ! --icmp-type 3/%N", "-p 1 --icmp-type any",
                  "-p icmp --icmp-type ping", "-p icmp --icmp-type host-prohibited", "-f", "! -f", "-m ttl --ttl-lt %N",
                  "-m realm --realm %N")},
	{6, TEXTS("-p icmpv6", "-p icmpv6 --icmpv6-type %N", "-p 58 -m icmp6 ! --icmpv6-type 1/%N", "-m ah",
                  "-p ipv6-icmp --icmpv6-type neighbour-solicitation", "-m hl --hl-eq %N", "-m frag --fragfirst")},
	{0,
         TEXTS("-m conntrack --ctstate NEW", "-m conntrack ! --ctstate INVALID,NEW",
               "-m state --state ESTABLISHED,RELATED", "-m conntrack --ctstate DNAT,NEW",
               "-m conntrack --ctproto %N --ctorigsrc %A/%L --ctdir REPLY",
               "-m conntrack --ctorigdstport %P:65535 --ctstatus ASSURED,EXPECTED", "-m conntrack ! --ctexpire %N:%P")},
	{0, TEXTS("-m iprange --src-range %A-%A", "-m iprange ! --dst-range %A-%A", "-m set --match-set %S src",
                  "-m set ! --match-set %S dst", "-m set --match-set %S src --return-nomatch")},
	{0, TEXTS("-m comment --comment word", "-m comment --comment \"two words\"",
                  "-m comment --comment \"quote \\\" and \\\\ and '\"", "-m comment --comment -j")},
	{0,
         TEXTS("-m limit --limit %N/min", "-m limit --limit %N/second --limit-burst %N", "-m limit --limit %N%N%N/hour",
               "-m hashlimit --hashlimit-upto %N/min --hashlimit-name n%X --hashlimit-mode dstport,srcip",
               "-m hashlimit --hashlimit-above %N/sec --hashlimit-burst %N --hashlimit-name n%X",
               "-m hashlimit --hashlimit %N%N/hour --hashlimit-name n%X --hashlimit-htable-expire %N%N%N%N",
               "-m hashlimit --hashlimit-upto %N/sec --hashlimit-name n%X --hashlimit-srcmask 24")},
	{0, TEXTS("-m time --datestop 2030-01-0%N", "-m time --timestart 0%N:30 --timestop 1%N:00 --weekdays Mon,Fr",
                  "-m time --monthdays %N,1%N ! --weekdays Sat,Sun --kerneltz", "-m mark --mark %N",
                  "-m mark ! --mark 0x%N/0xff", "-m connmark --mark %N/%N", "-m pkttype --pkt-type multicast",
                  "-m recent --name list --rcheck --seconds %N%N --hitcount %N", "-m recent --set",
                  "-m connlimit --connlimit-above %N --connlimit-mask 24", "-m connlimit ! --connlimit-upto %N",
                  "-m statistic --mode random --probability 0.%N", "-m statistic --mode nth --every 1%N --packet %N",
                  "-m length --length %N:", "-m addrtype --dst-type LOCAL", "-m addrtype ! --src-type MULTICAST,LOCAL",
                  "-m dscp --dscp-class AF12", "-m tos --tos 0x1%N", "-m quota --quota %N%N%N",
                  "-m physdev --physdev-in %I ! --physdev-is-bridged", "-m mac --mac-source 0:1:2:AA:4:%N",
                  "-m string --algo bm --string word",
                  "-m connbytes --connbytes %N: --connbytes-dir both "
                  "--connbytes-mode bytes",
                  "-m helper --helper ftp", "-m cpu --cpu %N")},
};
static const struct pieces targets[] = {
	{0, TEXTS("-j ACCEPT", "-j DROP", "--jump RETURN", "-j other", "-g other", "", "-j REJECT", "-j LOG",
                  "-j LOG --log-prefix \"a b: \" --log-level info", "-j LOG --log-level 4 --log-ip-options --log-uid",
                  "-j NFLOG --nflog-group %N --nflog-prefix word", "-j MARK --set-mark %N", "-j MARK --or-mark %N",
                  "-j CONNMARK --save-mark", "-j SET --add-set %S src --exist", "-j NFQUEUE --queue-num %N")},
	{6, TEXTS("-p tcp -j REJECT --reject-with tcp-reset", "-p tcp -j REJECT --reject-with tcp")},
	{4, TEXTS("-j REJECT --reject-with icmp-host-prohibited", "-j REJECT --reject-with admin-prohib")},
	{6, TEXTS("-j REJECT --reject-with icmp6-adm-prohibited", "-j REJECT --reject-with no-route")},
};

static const char *one_of(const struct pieces *list)
{
	size_t count = 0;

	while (list->texts[count] != NULL)
		count++;
	return list->texts[rng_below(&rng, count)];
}

/* One that is there for the family. The lists of IPv6 follow those of IPv4. */
static const char *piece(const struct pieces *lists, size_t count, enum family family)
{
	while (true) {
		const struct pieces *list = &lists[rng_below(&rng, count)];
		bool six = list > lists && (list - 1)->protocol == 4;

		if ((list->protocol == 4 && family == FAMILY_6) || (six && family == FAMILY_4))
			continue;
		return one_of(list);
	}
}

static void add_address(struct buf *buf, enum family family)
{
	if (family == FAMILY_4)
		buf_format(buf, "10.%zu.%zu.%zu", rng_below(&rng, 3), rng_below(&rng, 256), rng_below(&rng, 4));
	else
		buf_format(buf, "2001:db8:%zx::%zx", rng_below(&rng, 3), rng_below(&rng, 65536));
}

static void fill_one(struct buf *buf, char what, enum family family, size_t number)
{
	switch (what) {
	case 'X':
		buf_format(buf, "%zu", number);
		return;
	case 'P':
		buf_format(buf, "%zu", 1024 + rng_below(&rng, 60000));
		return;
	case 'N':
		buf_format(buf, "%zu", 1 + rng_below(&rng, 7));
		return;
	case 'A':
		add_address(buf, family);
		return;
	case 'L':
		buf_format(buf, "%zu", rng_below(&rng, family_width(family)) + 1);
		return;
	case 'I':
		buf_format(buf, "eth%zu", rng_below(&rng, 3));
		return;
	default:
		buf_add(buf, family == FAMILY_4 ? STR("four") : STR("six"));
	}
}

static void fill(struct buf *buf, const char *text, enum family family, size_t number)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '%')
			fill_one(buf, *++p, family, number);
		else
			buf_char(buf, *p);
	}
	buf_char(buf, ' ');
}

static struct str random_line(enum family family, size_t number)
{
	struct buf buf = buf_new(arena);
	const char *target =
		rng_chance(&rng, 70) ? one_of(&targets[0]) : piece(targets, sizeof targets / sizeof *targets, family);
	bool tcp = strstr(target, "-p tcp") != NULL;

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		const char *head = one_of(&heads[i]);

		/* several addresses and a negated one don't go together */
		if (rng_chance(&rng, 20) && !(strchr(head, '!') != NULL && str_find(buf_str(&buf), ',') < buf.n))
			fill(&buf, head, family, number);
	}
	for (size_t i = 0, count = rng_below(&rng, 3), protocols = tcp; i < count; i++) {
		const char *body = piece(bodies, sizeof bodies / sizeof *bodies, family);

		if ((strstr(body, "-p ") != NULL || strstr(body, "-f") != NULL) && protocols++ > 0)
			continue;
		fill(&buf, body, family, number);
	}
	fill(&buf, target, family, number);
	return str_trim(buf_str(&buf));
}

/* --- what the tools make of it --- */

/* In a namespace of its own, with the sets: for each text what is saved then, or what was said. */
static struct str *tools_say(const char *backend, enum family family, const struct str *texts, size_t count)
{
	struct command *commands = ARENA_ARRAY(arena, struct command, count + 1);
	struct outcome *outcomes = ARENA_ARRAY(arena, struct outcome, count + 1);
	struct str *said = ARENA_ARRAY(arena, struct str, count);
	static const char *const ipset[] = {"ipset", "restore", NULL};
	const char *tool = family == FAMILY_4 ? "iptables" : "ip6tables";
	const char **shell = ARENA_ARRAY(arena, const char *, 4);
	bool permitted;
	size_t ran;

	shell[0] = "sh";
	shell[1] = "-c";
	shell[2] = str_c(arena,
	                 str_format(arena,
	                            "said=$(%s-%s-restore 2>&1) && exec %s-%s-save -t filter; echo \"refused: $said\"",
	                            tool, backend, tool, backend));
	commands[0] = (struct command){.argv = ipset, .input = str_of(sets_text)};
	for (size_t i = 0; i < count; i++)
		commands[i + 1] = (struct command){.argv = shell, .input = texts[i]};
	ck_assert_ptr_null(process_run_apart(arena, commands, count + 1, outcomes, &ran, &permitted));
	ck_assert_msg(permitted && ran == count + 1, "%zu ran: %.*s", ran,
	              STR_ARG(outcomes[ran > 0 ? ran - 1 : 0].errors));
	for (size_t i = 0; i < count; i++)
		said[i] = outcomes[i + 1].output;
	return said;
}

static struct error *read_text(enum family family, struct str text, struct filter **filter)
{
	return filter_read(arena, family, STR("rules"), text, &sets, filter);
}

static struct str file_of(struct str line)
{
	return str_format(arena, "*filter\n:other - [0:0]\n:c - [0:0]\n-A c %.*s\nCOMMIT\n", STR_ARG(line));
}

/* The tool prints chains that the text does not declare, and in an order of its own. */
static struct str chain_text(const struct filter *filter, struct str name)
{
	const struct filter_chain *chain = filter_chain(filter, name);
	struct buf buf = buf_new(arena);

	for (size_t i = 0; chain != NULL && i < chain->rule_count; i++)
		buf_format(&buf, "%.*s\n", STR_ARG(filter_rule_text(arena, filter, &chain->rules[i])));
	return buf_str(&buf);
}

static void same_reading(const char *backend, enum family family, struct str line, const struct filter *filter,
                         struct str chain, const struct filter *saved)
{
	struct str ours = chain_text(filter, chain), theirs = chain_text(saved, chain);

	ck_assert_msg(str_eq(ours, theirs), "%s, IPv%d: %.*s\n  read:  %.*s\n  saved: %.*s", backend, family,
	              STR_ARG(line), STR_ARG(ours), STR_ARG(theirs));
}

/* --- many good lines at once --- */

static void many_lines(enum family family)
{
	struct buf text = buf_new(arena);
	struct str lines[LINES], whole;
	struct filter *filter, *saved;
	struct error *error;

	buf_add(&text, STR("*filter\n:other - [0:0]\n"));
	for (size_t i = 0; i < LINES; i++)
		buf_format(&text, ":c%zu - [0:0]\n", i);
	for (size_t i = 0; i < LINES; i++) {
		lines[i] = random_line(family, i);
		buf_format(&text, "-A c%zu %.*s\n", i, STR_ARG(lines[i]));
	}
	buf_add(&text, STR("COMMIT\n"));
	whole = buf_str(&text);
	error = read_text(family, whole, &filter);
	ck_assert_msg(error == NULL, "IPv%d: %.*s", family, STR_ARG(errors_text(error)));
	for (size_t b = 0; b < 2; b++) {
		struct str said = *tools_say(backends[b], family, &whole, 1);

		ck_assert_msg(!str_starts(said, STR("refused")), "%s, IPv%d: %.*s", backends[b], family,
		              STR_ARG(str_slice(said, 0, 500)));
		error = read_text(family, said, &saved);
		ck_assert_msg(error == NULL, "%s, IPv%d: %.*s", backends[b], family, STR_ARG(errors_text(error)));
		for (size_t i = 0; i < LINES; i++)
			same_reading(backends[b], family, lines[i], filter, str_format(arena, "c%zu", i), saved);
	}
}

START_TEST(saved_lines_read_the_same)
{
	for (unsigned i = 0; i < rounds(); i++) {
		many_lines(FAMILY_4);
		many_lines(FAMILY_6);
	}
}
END_TEST

/* --- lines with typing errors --- */

/* What the reader takes on purpose, though today's tools on this machine do not: spellings of old, and extensions that
 * are not here. */
static bool taken_on_purpose(struct str line, struct str said)
{
	const char *text = str_c(arena, said);
	struct str rest = line, word, before = STR("");

	if (strstr(text, "Couldn't load match") != NULL || strstr(text, "missing kernel module") != NULL)
		return true;
	while (str_cut(&rest, ' ', &word)) {
		if (str_is(word, "!") && str_starts(before, STR("-")))
			return true;
		before = word;
	}
	return false;
}

/* What the tools take and the reader does not: see its header. */
static bool refused_on_purpose(const struct error *error)
{
	const char *message = str_c(arena, error->message);

	return strstr(message, "quotation mark") != NULL || strstr(message, "is no day") != NULL ||
	       strstr(message, "is no time") != NULL || strstr(message, "is no rate") != NULL ||
	       strstr(message, "no list of src") != NULL || strstr(message, "no value of --ctorigsrc") != NULL ||
	       strstr(message, "nobody knows the protocol") != NULL || strstr(message, "is no IPv") != NULL ||
	       strstr(message, "\"-") != NULL || str_starts(error->message, STR("! before"));
}

/* Then a tool prints its help, changes nothing, and is content. */
static bool asks_for_help(struct str line)
{
	struct str word;

	while (str_cut(&line, ' ', &word))
		if (str_is(word, "-h") || str_is(word, "-V") || str_starts(word, STR("--h")) ||
		    str_starts(word, STR("--ver")))
			return true;
	return false;
}

static void damaged_lines(enum family family)
{
	struct str lines[DAMAGED], texts[DAMAGED], *said[2];

	for (size_t i = 0; i < DAMAGED; i++) {
		lines[i] = random_damage(arena, &rng, random_line(family, i));
		texts[i] = file_of(lines[i]);
	}
	for (size_t b = 0; b < 2; b++)
		said[b] = tools_say(backends[b], family, texts, DAMAGED);
	for (size_t i = 0; i < DAMAGED; i++) {
		struct filter *filter, *saved;
		struct error *error = read_text(family, texts[i], &filter);
		unsigned refused = 0;

		for (size_t b = 0; b < 2; b++) {
			if (str_starts(said[b][i], STR("refused"))) {
				refused++;
				continue;
			}
			if (error != NULL)
				continue;
			ck_assert_ptr_null(read_text(family, said[b][i], &saved));
			same_reading(backends[b], family, lines[i], filter, STR("c"), saved);
		}
		ck_assert_msg(error != NULL || refused < 2 || taken_on_purpose(lines[i], said[0][i]),
		              "IPv%d: taken, but: %.*s\n  %.*s", family, STR_ARG(lines[i]),
		              STR_ARG(str_slice(said[0][i], 0, 300)));
		ck_assert_msg(error == NULL || refused > 0 || asks_for_help(lines[i]) || refused_on_purpose(error),
		              "IPv%d: %.*s", family, STR_ARG(errors_text(error)));
	}
}

START_TEST(what_the_tools_refuse_is_refused)
{
	for (unsigned i = 0; i < rounds(); i++) {
		damaged_lines(FAMILY_4);
		damaged_lines(FAMILY_6);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_spelling");
	TCase *tests = tcase_create("lines");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60 * rounds());
	tcase_add_test(tests, saved_lines_read_the_same);
	tcase_add_test(tests, what_the_tools_refuse_is_refused);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
