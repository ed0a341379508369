/* The words of a line, cut as iptables-restore(8) cuts it: a quotation mark that closes ends the word, a backslash
 * counts only between quotation marks. It knows nothing of what words mean. */
#include "filter_read.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where a word without quotation marks ends: most are none but a slice of the line. */
static size_t plain_end(struct str text, size_t at)
{
	while (at < text.n && !is_blank(text.p[at]) && text.p[at] != '"')
		at++;
	return at;
}

/* A word with quotation marks in it: `at` goes behind it. False if the last one stays open. */
static bool quoted_word(struct reader *reader, struct str text, size_t *at, struct word *word)
{
	struct buf buf = buf_new(reader->arena);
	bool open = false;

	for (; *at < text.n; ++*at) {
		char c = text.p[*at];

		if (!open && is_blank(c))
			break;
		if (c == '"') {
			word->quoted = true;
			open = !open;
			if (open)
				continue;
			++*at;
			break;
		}
		if (open && c == '\\' && !reader->no_escapes && ++*at == text.n)
			break;
		buf_char(&buf, text.p[*at]);
	}
	word->text = buf_str(&buf);
	return !open;
}

static bool word_read(struct reader *reader, struct str text, size_t offset, size_t *at, struct word *word)
{
	size_t from = *at, end = plain_end(text, from);

	*word = (struct word){.column = (unsigned)(offset + from) + 1, .text = str_slice(text, from, end)};
	if (end < text.n && text.p[end] == '"') {
		if (!quoted_word(reader, text, at, word)) {
			reader_fault(reader, word->column, "close it before the end of the line",
			             "a quotation mark is not closed");
			return false;
		}
	} else {
		*at = end;
	}
	if (word->text.n > WORD_BYTES_MAX)
		reader_fault(reader, word->column, NULL, "a word of more than %d bytes", WORD_BYTES_MAX);
	return word->text.n <= WORD_BYTES_MAX;
}

bool words_read(struct reader *reader, struct str text, size_t offset, struct words *words)
{
	words->count = 0;
	for (size_t at = 0; at < text.n;) {
		if (is_blank(text.p[at])) {
			at++;
			continue;
		}
		if (words->count == WORDS_MAX) {
			reader_fault(reader, (unsigned)(offset + at) + 1, NULL, "more than %d words", WORDS_MAX);
			return false;
		}
		if (!word_read(reader, text, offset, &at, &words->items[words->count]))
			return false;
		words->count++;
	}
	return true;
}
