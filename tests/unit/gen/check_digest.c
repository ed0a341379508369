/* Digests: the published vectors of SHA-256 (FIPS 180-4's examples), pieces, and the text form. */
#include <check.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/digest.h"

#include "suite_main.h"

static const struct {
	const char *data, *hex;
} vectors[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(test_vectors)
{
	struct digest digest = digest_of(str_of(vectors[_i].data)), parsed;
	char hex[65];

	digest_hex(&digest, hex);
	ck_assert_str_eq(hex, vectors[_i].hex);
	ck_assert(digest_parse(str_of(hex), &parsed));
	ck_assert(digest_eq(&digest, &parsed));
}
END_TEST

START_TEST(test_pieces)
{
	struct str pieces[] = {STR("a"), STR(""), STR("bc")};
	struct arena *arena = arena_new();
	struct digester *digester = digester_new(arena);
	struct digest whole = digest_of(STR("abc")), empty = digest_of(STR("")), pieced, none;

	for (size_t i = 0; i < 3; i++)
		digester_add(digester, pieces[i]);
	pieced = digester_end(digester);
	none = digester_end(digester);
	ck_assert(digest_eq(&whole, &pieced));
	ck_assert(digest_eq(&none, &empty));
	ck_assert(!digest_eq(&whole, &empty));
	digester_free(digester);
	arena_free(arena);
}
END_TEST

static struct digest digest_with(unsigned char last)
{
	return (struct digest){.byte = {[31] = last}};
}

START_TEST(test_place)
{
	struct digest sorted[] = {digest_with(2), digest_with(4), digest_with(6)};

	for (unsigned char i = 0; i < 8; i++) {
		struct digest digest = digest_with(i);

		ck_assert_uint_eq(digests_place(sorted, 3, &digest), i <= 2 ? 0 : i <= 4 ? 1 : i <= 6 ? 2 : 3);
		ck_assert(digests_have(sorted, 3, &digest) == (i == 2 || i == 4 || i == 6));
		ck_assert(!digests_have(NULL, 0, &digest));
	}
}
END_TEST

START_TEST(test_parse)
{
	struct digest digest;
	char hex[66];

	memset(hex, 'a', sizeof hex);
	ck_assert(digest_parse((struct str){hex, 64}, &digest));
	ck_assert(!digest_parse((struct str){hex, 63}, &digest));
	ck_assert(!digest_parse((struct str){hex, 65}, &digest));
	hex[63] = 'g';
	ck_assert(!digest_parse((struct str){hex, 64}, &digest));
	hex[63] = 'A';
	ck_assert(!digest_parse((struct str){hex, 64}, &digest));
}
END_TEST

/* Of `sha256sum a b | sha256sum`, where a is empty and b is "abc". */
START_TEST(test_sums)
{
	const char *names[] = {"a", "b"};
	struct digest digests[] = {digest_of(STR("")), digest_of(STR("abc"))};
	struct digest sums = digest_of_sums(names, digests, 2);
	char hex[65];

	digest_hex(&sums, hex);
	ck_assert_str_eq(hex, "bf6e2103d6cbead28abb7d3fec372bc25d03a35b1647e83e090248eb08d0adae");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digest");
	TCase *digest = tcase_create("digest");

	tcase_add_loop_test(digest, test_vectors, 0, sizeof vectors / sizeof *vectors);
	tcase_add_test(digest, test_pieces);
	tcase_add_test(digest, test_place);
	tcase_add_test(digest, test_parse);
	tcase_add_test(digest, test_sums);
	suite_add_tcase(suite, digest);

	return suite_main(suite);
}
