/* What each address adds to a tally: half of AES-128 of it, by OpenSSL's EVP, many blocks at a time. Like a digest it
 * cannot fail but for memory or a broken OpenSSL; both end the program here. Compares nothing. */
#include "produce_tally.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/arena.h"

enum { BLOCK = 16, SOME = 256 }; /* so many blocks in one call */

_Static_assert(sizeof(addr_bits) == BLOCK && sizeof(struct secret) == BLOCK, "blocks, and a key");

struct tallier {
	EVP_CIPHER_CTX *context;
};

static _Noreturn void give_up(void)
{
	fputs("fleetwall: OpenSSL can't compute AES\n", stderr);
	exit(3);
}

struct tallier *tallier_new(struct arena *arena, const struct secret *secret)
{
	struct tallier *tallier = ARENA_NEW(arena, struct tallier);

	tallier->context = EVP_CIPHER_CTX_new();
	if (tallier->context == NULL ||
	    EVP_EncryptInit_ex(tallier->context, EVP_aes_128_ecb(), NULL, secret->byte, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(tallier->context, 0) != 1)
		give_up();
	return tallier;
}

void tallier_free(struct tallier *tallier)
{
	EVP_CIPHER_CTX_free(tallier->context);
}

static void encrypt(struct tallier *tallier, addr_bits *blocks, size_t count)
{
	unsigned char *bytes = (unsigned char *)blocks;
	int size = (int)(count * BLOCK), written = 0;

	if (EVP_EncryptUpdate(tallier->context, bytes, &written, bytes, size) != 1 || written != size)
		give_up();
}

/* Tallies of the two families are never compared, so that a number may be the same block in both. */
void tallier_each(struct tallier *tallier, enum family family, const void *items, size_t count, uint64_t *each)
{
	addr_bits blocks[SOME];

	for (size_t at = 0, n; at < count; at += n) {
		n = count - at < SOME ? count - at : SOME;
		for (size_t i = 0; i < n; i++)
			blocks[i] = family == FAMILY_4 ? ((const uint32_t *)items)[at + i]
			                               : ((const addr_bits *)items)[at + i];
		encrypt(tallier, blocks, n);
		for (size_t i = 0; i < n; i++)
			each[at + i] = (uint64_t)blocks[i];
	}
}
