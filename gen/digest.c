/* SHA-256 by OpenSSL's EVP: the one file that knows it. What is digested, and why, is for others to say.
 * A digest cannot fail but for memory or a broken OpenSSL; both end the program here, as memory does everywhere. */
#include "fleetwall/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does not return: no caller could go on without the digest, and a wrong one must never be written. */
static _Noreturn void give_up(void)
{
	fputs("fleetwall: OpenSSL can't compute SHA-256\n", stderr);
	exit(3);
}

static EVP_MD_CTX *begin(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		give_up();
	return context;
}

static void add(EVP_MD_CTX *context, struct str piece)
{
	if (piece.n > 0 && EVP_DigestUpdate(context, piece.p, piece.n) != 1)
		give_up();
}

static struct digest finish(EVP_MD_CTX *context)
{
	struct digest digest;

	if (EVP_DigestFinal_ex(context, digest.byte, NULL) != 1)
		give_up();
	EVP_MD_CTX_free(context);
	return digest;
}

struct digest digest_of(struct str data)
{
	return digest_of_pieces(&data, 1);
}

struct digest digest_of_pieces(const struct str *pieces, size_t count)
{
	EVP_MD_CTX *context = begin();

	for (size_t i = 0; i < count; i++)
		add(context, pieces[i]);
	return finish(context);
}

struct digest digest_of_sums(const char *const *names, const struct digest *digests, size_t count)
{
	EVP_MD_CTX *context = begin();

	for (size_t i = 0; i < count; i++) {
		char hex[65];

		digest_hex(&digests[i], hex);
		add(context, str_of(hex));
		add(context, STR("  "));
		add(context, str_of(names[i]));
		add(context, STR("\n"));
	}
	return finish(context);
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
