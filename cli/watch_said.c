/* Is it the same trouble again? What a guard refuses is refused at each change, with other counts each time; a log that
 * repeats it at each of them is not read. Other names, or another kind, are something new. */
#include "watch_said.h"

enum { REPEAT = 3600 }; /* seconds: how old counts may be */

static bool is_blank(char c)
{
	return c == ' ' || c == '\n';
}

/* Empty at the end. */
static struct str next_word(struct str *rest)
{
	size_t from = 0, to;

	while (from < rest->n && is_blank(rest->p[from]))
		from++;
	for (to = from; to < rest->n && !is_blank(rest->p[to]);)
		to++;
	struct str word = str_slice(*rest, from, to);

	*rest = str_slice(*rest, to, rest->n);
	return word;
}

/* Perhaps with a sign of the sentence behind it. */
static bool is_number(struct str word)
{
	size_t digits = 0;

	while (digits < word.n && word.p[digits] >= '0' && word.p[digits] <= '9')
		digits++;
	return digits > 0 && (digits == word.n || (digits + 1 == word.n && str_find(STR(",;:.)"), word.p[digits]) < 5));
}

/* Only a word that is a number as a whole counts as one: web-3 and 10.0.0.3 are names. */
static bool differ_in_numbers_alone(struct str a, struct str b)
{
	struct str left, right;

	do {
		left = next_word(&a);
		right = next_word(&b);
		if (!str_eq(left, right) && !(is_number(left) && is_number(right)))
			return false;
	} while (left.n > 0);
	return true;
}

bool said_before(struct said *said, struct str text, int64_t now)
{
	if (said->text.p != NULL && str_eq(said->text, text))
		return true;
	if (said->text.p != NULL && !said->exact && now - said->at < REPEAT &&
	    differ_in_numbers_alone(said->text, text))
		return true;
	said_forget(said);
	said->text = str_copy(said->arena, text);
	said->at = now;
	return false;
}

void said_forget(struct said *said)
{
	said->text = (struct str){NULL, 0};
	arena_reset(said->arena);
}
