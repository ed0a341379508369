/* The keys of pieces. What is left out here goes stale in production, so each function lists what the bytes depend on,
 * and tests/unit/gen/check_produce.c changes every field of a fleet and compares with a full run. Numbers are written
 * with a fixed width and strings with their length, so that no two inputs read alike. */
#include "produce_keys.h"

#include <endian.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

static void put_number(struct buf *buf, uint64_t number)
{
	buf_add(buf, (struct str){(const char *)&number, sizeof number});
}

static void put_str(struct buf *buf, struct str s)
{
	put_number(buf, s.n);
	buf_add(buf, s);
}

static void put_prefix(struct buf *buf, struct prefix prefix)
{
	put_number(buf, (uint64_t)prefix.addr.family);
	put_number(buf, (uint64_t)(prefix.addr.bits >> 64));
	put_number(buf, (uint64_t)prefix.addr.bits);
	put_number(buf, prefix.length);
}

/* Every setting, whether or not a template of today asks for it. */
static void put_settings(struct buf *buf, const struct settings *settings)
{
	put_number(buf, settings->management_count);
	for (size_t i = 0; i < settings->management_count; i++)
		put_prefix(buf, settings->management[i]);
	put_number(buf, settings->ssh_port);
	put_number(buf, settings->loopback);
	put_number(buf, settings->icmp_errors);
	put_number(buf, settings->established);
	put_number(buf, settings->neighbour_discovery);
	put_number(buf, settings->drop_invalid);
	put_number(buf, settings->dhcp);
	put_number(buf, settings->log_rate);
}

/* What all bytes depend on, besides the fleet: the program's code, the settings, the templates. */
struct rendition rendition_of(struct str program, const struct settings *settings, const struct template_file *files,
                              size_t file_count, const struct templates *templates, unsigned workers)
{
	struct rendition rendition = {.settings = settings, .templates = templates, .workers = workers};
	struct arena *scratch = arena_new();
	struct buf buf = buf_new(scratch);

	put_str(&buf, program);
	put_settings(&buf, settings);
	put_number(&buf, file_count);
	for (size_t i = 0; i < file_count; i++) {
		put_str(&buf, files[i].name);
		put_str(&buf, files[i].text);
	}
	rendition.base = digest_of(buf_str(&buf));
	arena_free(scratch);
	return rendition;
}

static void put_service(struct buf *buf, const struct fleet *fleet, struct str name)
{
	const struct service *service = fleet_service(fleet, name);

	put_number(buf, service != NULL ? service->count + 1 : 0);
	for (size_t i = 0; service != NULL && i < service->count; i++) {
		const struct service_port *port = &service->ports[i];

		put_number(buf, port->protocol);
		put_number(buf, port->port_count);
		for (size_t k = 0; k < port->port_count; k++)
			put_number(buf, (uint64_t)port->ports[k].first << 16 | port->ports[k].last);
	}
}

/* The lines of a role's rules depend on
 * - the role's name: it stands in comments, in the ids of rules (and so in names of chains and limits), and in the
 * names of the sets of `self`;
 * - which of its rules count now, and the canonical text of each: everything that a rule says but its comment, which is
 *   printed nowhere, like ticket and owner. Names of sets, of chains and limits follow from these texts; what is in the
 *   sets does not matter here;
 * - the ports of the services that they name;
 * - the style, the family and the settings, which are not the role's: see position_key() and rendition_of().
 * Closed egress is the position's. */
struct digest role_key(struct arena *scratch, struct digester *digester, const struct resolved *resolved, uint32_t role)
{
	const struct resolved_role *own = &resolved->roles[role];
	struct buf buf = buf_new(scratch);

	put_str(&buf, own->role->name);
	put_number(&buf, own->rule_count);
	for (size_t i = 0; i < own->rule_count; i++) {
		const struct role_rule *held = own->rules[i].held;

		put_str(&buf, held->text);
		if (held->rule.what.kind == WHAT_SERVICE)
			put_service(&buf, resolved->fleet, held->rule.what.service);
	}
	return digester_of(digester, buf_str(&buf));
}

/* A ruleset depends on
 * - how it is laid out: the style (mode and enforcement), whether egress is closed, the SSH port that management gets
 * in by (the machine's, or the configured one);
 * - its roles with rules that count, in their order, which is that of their names. Roles without are in no line;
 * - the base.
 * Not on the machine's name, labels or addresses: no line names them. */
struct digest position_key(struct digester *digester, const struct digest *base, const struct position *position,
                           const struct digest *roles)
{
	const uint64_t head[] = {(uint64_t)position->style, position->closed, position->ssh_port,
	                         position->role_count};

	digester_add(digester, (struct str){(const char *)base, sizeof *base});
	digester_add(digester, STR("ruleset"));
	digester_add(digester, (struct str){(const char *)head, sizeof head});
	for (size_t i = 0; i < position->role_count; i++)
		digester_add(digester, (struct str){(const char *)&roles[position->roles[i]], sizeof *roles});
	return digester_end(digester);
}

/* A set file depends on
 * - the set's name, which follows from family, allow or deny, and the canonical text of the peer;
 * - what it holds: the ranges of literals and networks; of the addresses of machines their tally, before they are
 *   sorted and joined;
 * - the base (of which only the program's code matters). */
struct digest set_key(struct digester *digester, const struct digest *base, const struct set *set, struct str contents)
{
	const uint64_t head[] = {(uint64_t)set->family, set->refusing, set->text.n, contents.n};

	digester_add(digester, (struct str){(const char *)base, sizeof *base});
	digester_add(digester, STR("set"));
	digester_add(digester, (struct str){(const char *)head, sizeof head});
	digester_add(digester, set->text);
	digester_add(digester, contents);
	return digester_end(digester);
}

/* --- knowledge --- */

static int key_order(const struct digest *a, const struct digest *b)
{
	return memcmp(a->byte, b->byte, sizeof a->byte);
}

/* The first bytes of a key as a number, in the same order. */
static uint64_t head_of(const struct digest *key)
{
	uint64_t head;

	memcpy(&head, key->byte, sizeof head);
	return be64toh(head);
}

/* Between which two places the first key whose head is not below `head` lies. Keys are spread evenly, so the head says
 * about where; from there the steps double. */
static void bracket(const struct known *items, size_t count, uint64_t head, size_t *low, size_t *high)
{
	size_t at = (size_t)(((addr_bits)head * count) >> 64), step = 8;

	if (head_of(&items[at].key) < head) {
		for (; at + step < count && head_of(&items[at + step].key) < head; step *= 2)
			at += step;
		*low = at + 1;
		*high = at + step < count ? at + step : count;
		return;
	}
	for (; at > step && head_of(&items[at - step].key) >= head; step *= 2)
		at -= step;
	*low = at > step ? at - step + 1 : 0;
	*high = at;
}

bool known_find(const struct known *items, size_t count, const struct digest *key, struct digest *value)
{
	uint64_t head = head_of(key);
	size_t low, high;

	if (count == 0)
		return false;
	bracket(items, count, head, &low, &high);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (head_of(&items[middle].key) < head)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && head_of(&items[low].key) == head; low++)
		if (digest_eq(&items[low].key, key)) {
			*value = items[low].value;
			return true;
		}
	return false;
}

/* The first bits of a key, as many as there are buckets. */
static size_t bucket_of(const struct known *item, unsigned bits)
{
	return ((size_t)item->key.byte[0] << 16 | (size_t)item->key.byte[1] << 8 | item->key.byte[2]) >> (24 - bits);
}

static void insert(struct known *sorted, size_t at)
{
	struct known item = sorted[at];

	for (; at > 0 && key_order(&sorted[at - 1].key, &item.key) > 0; at--)
		sorted[at] = sorted[at - 1];
	sorted[at] = item;
}

/* Digests are spread evenly: by their first bits into about as many buckets as there are keys, and hardly anything is
 * left to do. */
void known_sort(struct arena *scratch, struct known *sorted, const struct known *items, size_t count)
{
	unsigned bits = 0;
	size_t *place;

	while (bits < 20 && (size_t)1 << bits < count)
		bits++;
	place = ARENA_ARRAY(scratch, size_t, ((size_t)1 << bits) + 1);
	for (size_t i = 0; i < count; i++)
		place[bucket_of(&items[i], bits) + 1]++;
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		place[i + 1] += place[i];
	for (size_t i = 0; i < count; i++)
		sorted[place[bucket_of(&items[i], bits)]++] = items[i];
	for (size_t i = 1; i < count; i++)
		insert(sorted, i);
}
