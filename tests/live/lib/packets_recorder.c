/* The recorder's sets, emptied and read by nf_tables' netlink messages (linux/netfilter/nf_tables.h): `nft list` would
 * take as long to write and to read tens of thousands of numbers as the kernel takes for the packets. Knows nothing of
 * packets but their numbers. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packets.h"

#define ROOM 65536
#define TABLE "judge"

/* Messages that are sent together. */
struct request {
	union {
		struct nlmsghdr head; /* for its alignment */
		char bytes[4096];
	};
	size_t n;
};

static size_t aligned(size_t n)
{
	return (n + NLA_ALIGNTO - 1) / NLA_ALIGNTO * NLA_ALIGNTO;
}

static struct nlmsghdr *begin(struct request *request, unsigned type, unsigned flags, unsigned family,
                              unsigned resource)
{
	struct nlmsghdr *head = (struct nlmsghdr *)(void *)(request->bytes + request->n);
	struct nfgenmsg *general = NLMSG_DATA(head);

	if (request->n + 256 > sizeof request->bytes)
		die("too much for one request to the kernel");
	*head = (struct nlmsghdr){.nlmsg_len = NLMSG_LENGTH(sizeof *general),
	                          .nlmsg_type = (uint16_t)type,
	                          .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
	*general = (struct nfgenmsg){.nfgen_family = (uint8_t)family, .res_id = htons((uint16_t)resource)};
	request->n += head->nlmsg_len;
	return head;
}

static void add_text(struct request *request, struct nlmsghdr *head, unsigned type, const char *text)
{
	struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + strlen(text) + 1), .nla_type = (uint16_t)type};
	char *at = request->bytes + request->n;
	size_t size = aligned(attribute.nla_len);

	memset(at, 0, size);
	memcpy(at, &attribute, sizeof attribute);
	memcpy(at + NLA_HDRLEN, text, strlen(text));
	head->nlmsg_len += (uint32_t)size;
	request->n += size;
}

static void add_set(struct request *request, unsigned message, unsigned flags, const char *set)
{
	struct nlmsghdr *head = begin(request, NFNL_SUBSYS_NFTABLES << 8 | message, flags, NFPROTO_INET, 0);

	add_text(request, head, NFTA_SET_ELEM_LIST_TABLE, TABLE);
	add_text(request, head, NFTA_SET_ELEM_LIST_SET, set);
}

static int ask(const struct request *request)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0 || send(fd, request->bytes, request->n, 0) != (ssize_t)request->n)
		die("asking the recorder: %s", strerror(errno));
	return fd;
}

static void check_error(const struct nlmsghdr *head)
{
	const struct nlmsgerr *error = NLMSG_DATA(head);

	if (head->nlmsg_type == NLMSG_ERROR && error->error != 0)
		die("the recorder: %s", strerror(-error->error));
}

void recorder_clear(const char *const *sets, size_t count)
{
	_Alignas(struct nlmsghdr) char answer[ROOM];
	struct request request = {.n = 0};
	const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)answer;
	ssize_t n;
	int fd;

	begin(&request, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	for (size_t i = 0; i < count; i++)
		add_set(&request, NFT_MSG_DELSETELEM, i + 1 == count ? NLM_F_ACK : 0, sets[i]);
	begin(&request, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	fd = ask(&request);
	n = recv(fd, answer, sizeof answer, 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || head->nlmsg_type != NLMSG_ERROR)
		die("the recorder does not say that it is empty");
	check_error(head);
	close(fd);
}

/* The attribute of that type among those in `n` bytes; their length is `*size`. */
static const char *find(const char *at, size_t n, unsigned type, size_t *size)
{
	const char *end = at + n;
	struct nlattr attribute;

	for (; end - at >= NLA_HDRLEN; at += aligned(attribute.nla_len)) {
		memcpy(&attribute, at, sizeof attribute);
		if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > end - at)
			break;
		if ((attribute.nla_type & NLA_TYPE_MASK) == type) {
			*size = attribute.nla_len - (size_t)NLA_HDRLEN;
			return at + NLA_HDRLEN;
		}
	}
	return NULL;
}

/* An element's key is a number as it stands in a packet. */
static bool key_of(const char *element, size_t n, uint32_t *number)
{
	const char *key = find(element, n, NFTA_SET_ELEM_KEY, &n);

	if (key != NULL)
		key = find(key, n, NFTA_DATA_VALUE, &n);
	if (key == NULL || n > sizeof *number)
		return false;
	*number = 0;
	for (size_t i = 0; i < n; i++)
		*number = *number << 8 | (unsigned char)key[i];
	return true;
}

static void read_elements(const struct nlmsghdr *head, void (*found)(void *context, uint32_t number), void *context)
{
	const char *attributes = (const char *)NLMSG_DATA(head) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	size_t n = 0, size;
	const char *list = find(attributes, head->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg)),
	                        NFTA_SET_ELEM_LIST_ELEMENTS, &n);
	const char *end = list + n, *element;
	uint32_t number;

	while (list < end && (element = find(list, (size_t)(end - list), NFTA_LIST_ELEM, &size)) != NULL) {
		if (!key_of(element, size, &number))
			die("an element of the recorder has no number");
		found(context, number);
		list = element + aligned(size);
	}
}

/* One datagram of an answer in many; false at its end. */
static bool read_messages(const char *answer, size_t n, void (*found)(void *context, uint32_t number), void *context)
{
	for (const struct nlmsghdr *head = (const void *)answer; NLMSG_OK(head, n); head = NLMSG_NEXT(head, n)) {
		check_error(head);
		if (head->nlmsg_type == NLMSG_DONE)
			return false;
		if (head->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
			read_elements(head, found, context);
	}
	return true;
}

void recorder_read(const char *set, void (*found)(void *context, uint32_t number), void *context)
{
	_Alignas(struct nlmsghdr) char answer[ROOM];
	struct request request = {.n = 0};
	bool more = true;
	int fd;

	add_set(&request, NFT_MSG_GETSETELEM, NLM_F_DUMP, set);
	fd = ask(&request);
	while (more) {
		ssize_t n = recv(fd, answer, sizeof answer, 0);

		if (n <= 0)
			die("reading the recorder: %s", strerror(errno));
		more = read_messages(answer, (size_t)n, found, context);
	}
	close(fd);
}
