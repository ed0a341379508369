/* SHA-256 by OpenSSL's EVP: the one file that knows it. What is digested, and why, is for others to say.
 * A digest cannot fail but for memory or a broken OpenSSL; both end the program here, as memory does everywhere. */
#include "fleetwall/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"

/* Does not return: no caller could go on without the digest, and a wrong one must never be written. */
static _Noreturn void give_up(void)
{
	fputs("fleetwall: OpenSSL can't compute SHA-256\n", stderr);
	exit(3);
}

struct digester {
	EVP_MD_CTX *context;
};

static EVP_MD_CTX *begin(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		give_up();
	return context;
}

struct digester *digester_new(struct arena *arena)
{
	struct digester *digester = ARENA_NEW(arena, struct digester);

	digester->context = begin();
	return digester;
}

void digester_free(struct digester *digester)
{
	if (digester != NULL)
		EVP_MD_CTX_free(digester->context);
}

void digester_add(struct digester *digester, struct str piece)
{
	if (piece.n > 0 && EVP_DigestUpdate(digester->context, piece.p, piece.n) != 1)
		give_up();
}

/* Beginning again without naming the algorithm keeps the one that was found: looking it up costs more than digesting a
 * kilobyte, and takes locks that all threads share. */
struct digest digester_end(struct digester *digester)
{
	struct digest digest;

	if (EVP_DigestFinal_ex(digester->context, digest.byte, NULL) != 1 ||
	    EVP_DigestInit_ex(digester->context, NULL, NULL) != 1)
		give_up();
	return digest;
}

struct digest digester_of(struct digester *digester, struct str data)
{
	digester_add(digester, data);
	return digester_end(digester);
}

struct digest digester_of_sums(struct digester *digester, const char *const *names, const struct digest *digests,
                               size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char hex[65];

		digest_hex(&digests[i], hex);
		digester_add(digester, str_of(hex));
		digester_add(digester, STR("  "));
		digester_add(digester, str_of(names[i]));
		digester_add(digester, STR("\n"));
	}
	return digester_end(digester);
}

struct digest digest_of(struct str data)
{
	struct digester digester = {begin()};
	struct digest digest = digester_of(&digester, data);

	EVP_MD_CTX_free(digester.context);
	return digest;
}

struct digest digest_of_sums(const char *const *names, const struct digest *digests, size_t count)
{
	struct digester digester = {begin()};
	struct digest digest = digester_of_sums(&digester, names, digests, count);

	EVP_MD_CTX_free(digester.context);
	return digest;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

void digest_hex(const struct digest *digest, char hex[65])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof digest->byte; i++) {
		hex[2 * i] = digits[digest->byte[i] >> 4];
		hex[2 * i + 1] = digits[digest->byte[i] & 15];
	}
	hex[64] = '\0';
}

/* Lower case only: that is what sha256sum prints, and a second spelling would be a second name. */
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse(struct str hex, struct digest *digest)
{
	if (hex.n != 2 * sizeof digest->byte)
		return false;
	for (size_t i = 0; i < sizeof digest->byte; i++) {
		int high = digit_value(hex.p[2 * i]), low = digit_value(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest->byte[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
