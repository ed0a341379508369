/* SHA-256, by OpenSSL's EVP. */
#ifndef FLEETWALL_DIGEST_H
#define FLEETWALL_DIGEST_H

#include "fleetwall/str.h"

struct digest {
	unsigned char byte[32];
};

struct digest digest_of(struct str data);
/* SHA-256 of what `sha256sum names[0] names[1] …` prints for files that have these digests: how rulesets and
 * generations are named. */
struct digest digest_of_sums(const char *const *names, const struct digest *digests, size_t count);
/* As memcmp() orders the bytes, which is as their hexadecimal digits are ordered. */
int digest_cmp(const struct digest *a, const struct digest *b);
/* Sorts and drops what repeats; how many are left. */
size_t digests_sort(struct digest *digests, size_t count);
/* Of sorted ones: where the first lies that is not below this one; `count`: there is none. */
size_t digests_place(const struct digest *sorted, size_t count, const struct digest *digest);
bool digests_have(const struct digest *sorted, size_t count, const struct digest *digest);

/* For many digests one after the other: OpenSSL's memory is used again. Not shared between threads. Lives in the arena,
 * and holds memory besides: who makes one frees it before the arena. */
struct digester;
struct digester *digester_new(struct arena *arena);
void digester_free(struct digester *digester); /* NULL is fine */
void digester_add(struct digester *digester, struct str piece);
/* Of all that was added since the last one. */
struct digest digester_end(struct digester *digester);
struct digest digester_of(struct digester *digester, struct str data);
/* As digest_of_sums(). */
struct digest digester_of_sums(struct digester *digester, const char *const *names, const struct digest *digests,
                               size_t count);

bool digest_eq(const struct digest *a, const struct digest *b);
/* 64 lower-case hexadecimal digits and a NUL. */
void digest_hex(const struct digest *digest, char hex[65]);
bool digest_parse(struct str hex, struct digest *digest);

#endif
