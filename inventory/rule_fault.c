/* The faults of one line of the rule language: noted with their place, given hints, counted, so that a hostile line
 * can't fill the screen. Does not know what a fault is. */
#include <stdarg.h>
#include <stdio.h>

#include "rule_parser.h"

#define FAULTS_MAX 20    /* of one line */
#define MESSAGE_MAX 1024 /* bytes; words are cut by word_shown() long before */

bool parser_check(struct parser *p, size_t at, struct error *error)
{
	if (error == NULL)
		return true;
	p->last = NULL;
	if (p->fault_count > FAULTS_MAX)
		return false;
	if (++p->fault_count > FAULTS_MAX) {
		error = error_new(ERROR_INPUT, "more than %d faults in one line; from here on they are not shown",
		                  FAULTS_MAX);
		lex_end(p);
	} else {
		p->last = error;
	}
	error_collect(&p->faults, error_at(error, (struct place){.column = (unsigned)at + 1, .text = p->line}));
	return false;
}

bool parser_fault(struct parser *p, size_t at, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	return parser_check(p, at, error_new(ERROR_INPUT, "%s", message));
}

bool parser_hint(struct parser *p, const char *format, ...)
{
	char hint[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(hint, sizeof hint, format, arguments);
	va_end(arguments);
	if (p->last != NULL)
		p->last = error_hint(p->last, "%s", hint);
	return false;
}

bool parser_near(struct parser *p, struct str near)
{
	if (near.p != NULL)
		parser_hint(p, "did you mean %.*s?", STR_ARG(near));
	return near.p != NULL;
}

struct error *parser_faults(const struct parser *p)
{
	return p->faults;
}

bool parser_number(struct parser *p, struct str digits, size_t at, const char *noun, unsigned low, unsigned high,
                   unsigned *number)
{
	uint64_t value = 0;

	*number = 0;
	if (digits.n > 1 && digits.p[0] == '0' && word_digits(digits)) {
		parser_fault(p, at, "the %s \"%s\" has a leading zero", noun, word_shown(digits).text);
		return parser_hint(p, "write it without; some programs read such a number as octal");
	}
	if (digits.n == 0)
		parser_fault(p, at, "expected the %s", noun);
	else if (!word_digits(digits))
		parser_fault(p, at, "expected the %s, not \"%s\"", noun, word_shown(digits).text);
	else if (!str_number(digits, high, &value) || value < low)
		parser_fault(p, at, "the %s %s is out of range", noun, word_shown(digits).text);
	else {
		*number = (unsigned)value;
		return true;
	}
	return parser_hint(p, "it is a number from %u to %u", low, high);
}
