/* What may be a name: of roles, networks, address labels, services and machines. The schema's domains accept exactly
 * the same; here the fault is told in words. */
#include "rule_words.h"

#define NAME_MAX_LENGTH 100
#define HOST_MAX_LENGTH 253
#define HOST_LABEL_MAX_LENGTH 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static struct error *refuse_length(struct str name, const char *kind, size_t most)
{
	if (name.n == 0)
		return error_new(ERROR_INPUT, "the %s name is empty", kind);
	return error_new(ERROR_INPUT, "the %s name is %zu bytes long; at most %zu are possible", kind, name.n, most);
}

struct error *name_check(struct str name, const char *kind)
{
	if (name.n == 0 || name.n > NAME_MAX_LENGTH)
		return refuse_length(name, kind, NAME_MAX_LENGTH);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (is_digit(c) || is_lower(c) || is_upper(c) || (i > 0 && (c == '.' || c == '_' || c == '-')))
			continue;
		return error_hint(error_new(ERROR_INPUT, "\"%s\" is not a valid %s name", word_shown(name).text, kind),
		                  "letters, digits, \".\", \"_\" and \"-\", the first a letter or digit; at most 100");
	}
	return NULL;
}

/* Four parts of digits, whether or not they are octets: whoever reads it takes it for an address. */
static bool like_ipv4(struct str name)
{
	struct str rest = name, part;
	unsigned count = 0;

	while (str_cut(&rest, '.', &part)) {
		if (!word_digits(part))
			return false;
		count++;
	}
	return count == 4;
}

static bool host_label_valid(struct str label)
{
	if (label.n == 0 || label.n > HOST_LABEL_MAX_LENGTH || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!is_lower(label.p[i]) && !is_digit(label.p[i]) && label.p[i] != '-')
			return false;
	return true;
}

struct error *machine_name_check(struct str name)
{
	struct str rest = name, label;

	if (name.n == 0 || name.n > HOST_MAX_LENGTH)
		return refuse_length(name, "machine", HOST_MAX_LENGTH);
	while (str_cut(&rest, '.', &label))
		if (!host_label_valid(label))
			return error_hint(
				error_new(ERROR_INPUT, "\"%s\" is not a valid machine name", word_shown(name).text),
				"a DNS host name in lower case: parts of 1 to 63 letters, digits and \"-\", separated "
			        "by \".\"");
	if (like_ipv4(name))
		return error_hint(error_new(ERROR_INPUT,
		                            "\"%s\" is not a valid machine name: it reads as an IPv4 address",
		                            word_shown(name).text),
		                  "name the machine, and give it this address");
	return NULL;
}

struct error *service_name_check(struct str name)
{
	TRY(name_check(name, "service"));
	if (is_digit(name.p[0]))
		return error_hint(error_new(ERROR_INPUT, "\"%s\" is not a valid service name", word_shown(name).text),
		                  "it begins with a letter");
	if (word_reserved(name))
		return error_hint(error_new(ERROR_INPUT,
		                            "\"%s\" is not a valid service name: it is a word of the rule language",
		                            word_shown(name).text),
		                  "choose another name");
	return NULL;
}
