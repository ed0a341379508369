/* Generations to be pushed: see the header. */
#include "push_fixture.h"

#include <check.h>
#include <stdlib.h>

#include "fleetwall/buf.h"

struct str set_file_of(struct arena *to, struct str name, struct str members)
{
	bool v6 = str_ends(name, STR(".v6"));
	struct str ipset = str_format(to, "fw%d-%.*s", v6 ? 6 : 4, STR_ARG(str_slice(name, 0, name.n - 3)));
	struct buf text = buf_new(to);
	struct str member;

	for (int i = 0; i < 2; i++)
		buf_format(&text, "create %.*s%s hash:net family %s maxelem 4294967295\n", STR_ARG(ipset),
		           i == 1 ? ".n" : "", v6 ? "inet6" : "inet");
	buf_format(&text, "flush %.*s.n\n", STR_ARG(ipset));
	while (members.n > 0 && str_cut(&members, '\n', &member))
		buf_format(&text, "add %.*s.n %.*s\n", STR_ARG(ipset), STR_ARG(member));
	buf_format(&text, "swap %.*s %.*s.n\ndestroy %.*s.n\n", STR_ARG(ipset), STR_ARG(ipset), STR_ARG(ipset));
	return buf_str(&text);
}

struct str many_members(struct arena *to, enum family family, size_t count)
{
	struct buf text = buf_new(to);
	addr_bits first = family == FAMILY_4 ? (addr_bits)10 << 24 : (addr_bits)0xfd << 120;

	for (size_t i = 0; i < count; i++) {
		addr_print(&text, (struct addr){first + 2 * i, family});
		buf_char(&text, '\n');
	}
	return buf_str(&text);
}

struct str rules_of(struct arena *to, enum position_mode mode, const char *mark)
{
	if (mode == POSITION_EXCLUSIVE)
		return str_format(to,
		                  "# iptables-restore\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
		                  ":OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -m comment --comment %s -j ACCEPT\nCOMMIT\n",
		                  mark);
	return str_format(to,
	                  "# iptables-restore --noflush; iptables -I INPUT 1 -j fleetwall-input; iptables -I OUTPUT 1 "
	                  "-j fleetwall-output\n*filter\n:fleetwall-input - [0:0]\n%s:fleetwall-output - [0:0]\n"
	                  "-A fleetwall-input -i lo -m comment --comment %s -j RETURN\nCOMMIT\n",
	                  mode == POSITION_MONITOR ? ":fleetwall-monitor - [0:0]\n" : "", mark);
}

uint64_t publish_one(const char *mark, const struct one_set *sets, size_t count)
{
	struct output_build build = output_build_new(arena);
	struct str rules = rules_of(arena, POSITION_EXCLUSIVE, mark);
	struct buf list = buf_new(arena);

	for (size_t i = 0; i < count; i++) {
		struct str name = str_of(sets[i].name);

		buf_format(&list, "%.*s\n", STR_ARG(name));
		output_build_set(&build, name, set_file_of(arena, name, sets[i].members));
	}
	output_build_machine(&build, STR("db1"), output_build_ruleset(&build, rules, rules, buf_str(&list)));
	return publish(output_build_done(&build), &first_summary);
}

struct positions *positions_at(uint64_t generation)
{
	struct positions *positions;

	none(positions_open(arena, str_of(out), generation, &positions));
	return positions;
}

struct str bundle_bytes(struct bundle *bundle, size_t step)
{
	size_t size = bundle_size(bundle), at = 0, got;
	char *bytes = arena_alloc(arena, size + step);

	do {
		ck_assert_uint_le(at, size);
		none(bundle_read(bundle, bytes + at, step, &got));
		at += got;
	} while (got > 0);
	ck_assert_uint_eq(at, size);
	bundle_close(bundle);
	return (struct str){bytes, size};
}
