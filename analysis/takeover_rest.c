/* Lines that the way of a packet to the machine, or from it, does not come by: what is forwarded, chains that nothing
 * leads to, other tables, the members of sets. And what is said of all lines in the end. */
#include "takeover.h"

/* --- forwarding --- */

static void mark_from(const struct filter *filter, uint32_t chain, bool *marks)
{
	if (marks[chain])
		return;
	marks[chain] = true;
	for (size_t i = 0; i < filter->chains[chain].rule_count; i++) {
		const struct filter_rule *rule = &filter->chains[chain].rules[i];

		if (rule->target == TARGET_JUMP || rule->target == TARGET_GOTO)
			mark_from(filter, rule->chain, marks);
	}
}

static void note_new(struct text *text, unsigned number, enum line_kind kind, struct str why)
{
	if (number > 0 && text->lines[number - 1].kind <= LINE_UNREACHED)
		text->lines[number - 1] = (struct line){kind, why};
}

static void note_chain(struct text *text, const struct filter_chain *chain, enum line_kind kind, struct str why)
{
	note_new(text, chain->line, kind, why);
	for (size_t i = 0; i < chain->rule_count; i++)
		note_new(text, chain->rules[i].line, kind, why);
}

/* An exclusive ruleset forwards nothing. */
static bool forwards_nothing(struct arena *arena, const struct host *host, const struct filter *filter,
                             const struct filter_chain *chain)
{
	const struct filter_view view = {.sets = &host->sets};
	size_t mark = packets_mark();
	struct outcomes outcomes = filter_run(arena, filter, &view, chain, intent_compared(filter->family));
	bool nothing = packets_empty(outcomes.accepted) && packets_empty(outcomes.unknown) &&
	               packets_empty(outcomes.reset) && packets_empty(outcomes.rejected);

	packets_release(mark);
	return nothing;
}

static void forward_lines(struct takeover *takeover, struct host *host, unsigned which)
{
	const struct filter *filter = host->filters[which];
	const struct filter_chain *forward = filter_chain(filter, STR("FORWARD"));
	bool *marks = ARENA_ARRAY(takeover->arena, bool, filter->chain_count), same;

	if (forward == NULL)
		return;
	same = host->coexists || forwards_nothing(takeover->arena, host, filter, forward);
	mark_from(filter, (uint32_t)(forward - filter->chains), marks);
	for (size_t i = 0; i < filter->chain_count; i++)
		if (marks[i])
			note_chain(host->rules[which], &filter->chains[i], same ? LINE_REPRESENTED : LINE_LEFT_OUT,
			           STR("it speaks of forwarded packets, which an exclusive ruleset drops"));
}

static void unreached_lines(struct host *host, unsigned which)
{
	const struct filter *filter = host->filters[which];
	struct text *text = host->rules[which];

	for (size_t i = 0; i < filter->chain_count; i++) {
		const struct filter_chain *chain = &filter->chains[i];

		if (chain->builtin)
			continue;
		if (chain->line > 0)
			line_note(text, chain->line, LINE_UNREACHED, STR(""));
		for (size_t k = 0; k < chain->rule_count; k++)
			line_note(text, chain->rules[k].line, LINE_UNREACHED, STR(""));
	}
}

/* --- other tables --- */

/* A table whose chains are empty and accept everything says nothing: ":PREROUTING ACCEPT [0:0]", ":MINE - [0:0]". */
static bool says_something(struct str line)
{
	struct str policy;

	if (line.p[0] != ':' || !str_cut(&line, ' ', &policy))
		return true;
	(void)str_cut(&line, ' ', &policy);
	return !str_is(policy, "ACCEPT") && !str_is(policy, "-");
}

static bool is_empty_line(struct str line)
{
	return line.n == 0 || line.p[0] == '#' || str_is(line, "COMMIT");
}

struct table {
	struct str name;
	size_t first; /* its first line, from 1 */
	bool says;
};

static void end_table(struct takeover *takeover, struct text *text, const struct table *table, size_t last)
{
	struct str why = str_format(takeover->arena, "table %.*s: rules say nothing of it, and it is not touched",
	                            STR_ARG(table->name));

	if (table->name.n == 0)
		return;
	for (size_t i = table->first; i <= last; i++)
		if (text->lines[i - 1].kind == LINE_REPRESENTED && table->says)
			text->lines[i - 1] = (struct line){LINE_LEFT_OUT, why};
}

/* What is of the filter table and has left no trace (-N, -P, -F) is in what the chains came to be. */
static void other_lines(struct takeover *takeover, struct text *text)
{
	struct str rest = text->bytes, line;
	struct table table = {0};
	size_t number = 0;

	while (rest.p != NULL && str_cut(&rest, '\n', &line)) {
		number++;
		if (line.n > 0 && line.p[0] == '*') {
			struct str name = str_trim(str_slice(line, 1, line.n));

			end_table(takeover, text, &table, number - 1);
			table = (struct table){str_is(name, "filter") ? STR("") : name, number + 1, false};
			continue;
		}
		if (is_empty_line(line))
			continue;
		table.says = table.says || says_something(line);
		if (text->lines[number - 1].kind == LINE_NOTHING)
			line_note(text, (unsigned)number, LINE_REPRESENTED, STR(""));
	}
	end_table(takeover, text, &table, number);
}

/* --- sets --- */

static bool names_set(const struct filter_rule *rule, struct str set)
{
	for (size_t i = 0; i < rule->match_count; i++)
		if (str_eq(rule->matches[i].name, set) &&
		    (rule->matches[i].kind == MATCH_SET || rule->matches[i].kind == MATCH_CONDITION))
			return true;
	return false;
}

bool set_expires(const struct filter_sets *sets, struct str name)
{
	const struct filter_set *set = filter_set(sets, name);

	return set != NULL && set->expires;
}

/* What became of the lines that name it: one that is represented is enough. */
static enum line_kind kind_of_set(const struct host *host, struct str set)
{
	enum line_kind kind = LINE_UNREACHED;

	for (unsigned which = 0; which < 2; which++) {
		const struct filter *filter = host->filters[which];

		for (size_t i = 0; filter != NULL && i < filter->chain_count; i++)
			for (size_t k = 0; k < filter->chains[i].rule_count; k++) {
				const struct filter_rule *rule = &filter->chains[i].rules[k];
				enum line_kind here;

				if (!names_set(rule, set))
					continue;
				here = host->rules[which]->lines[rule->line - 1].kind;
				if (here == LINE_REPRESENTED || here == LINE_HOUSEKEEPING)
					return LINE_REPRESENTED;
				kind = here > kind ? here : kind;
			}
	}
	return kind;
}

static struct str set_of_line(struct str line)
{
	struct str word;

	for (unsigned i = 0; str_cut(&line, ' ', &word);) {
		if (word.n == 0 || str_is(word, "-exist") || str_is(word, "-!"))
			continue;
		if (++i == 2)
			return word;
	}
	return STR("");
}

static void set_lines(struct takeover *takeover, const struct host *host, struct text *text)
{
	struct str rest = text->bytes, line, name = STR("");
	enum line_kind kind = LINE_UNREACHED;
	struct str why = STR("");
	unsigned number = 0;

	while (rest.p != NULL && str_cut(&rest, '\n', &line)) {
		struct str set = set_of_line(line);

		number++;
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (number == 1 || !str_eq(set, name)) {
			name = set;
			kind = kind_of_set(host, name);
			why = str_format(takeover->arena, "set %.*s: %swhat is done with it is left out", STR_ARG(name),
			                 set_expires(&host->sets, name) ? SET_EXPIRES "; " : "");
		}
		line_note(text, number, kind, why);
	}
}

void lines_rest(struct takeover *takeover, struct host *host)
{
	for (unsigned which = 0; which < 2; which++) {
		if (host->filters[which] == NULL)
			continue;
		forward_lines(takeover, host, which);
		unreached_lines(host, which);
		other_lines(takeover, host->rules[which]);
	}
	for (size_t i = 0; i < host->text_count; i++)
		if (host->texts[i].kind == TEXT_SETS)
			set_lines(takeover, host, &host->texts[i]);
}

/* --- said --- */

static struct takeover_counts counts_of(const struct host *host)
{
	struct takeover_counts counts = {0};

	for (size_t i = 0; i < host->text_count; i++)
		for (size_t k = 0; k < host->texts[i].line_count; k++) {
			enum line_kind kind = host->texts[i].lines[k].kind;

			counts.lines += kind != LINE_NOTHING;
			counts.represented += kind == LINE_REPRESENTED;
			counts.housekeeping += kind == LINE_HOUSEKEEPING;
			counts.unreached += kind == LINE_UNREACHED;
			counts.left_out += kind == LINE_LEFT_OUT;
		}
	return counts;
}

size_t takeover_summaries(const struct takeover *takeover, struct takeover_summary **summaries)
{
	*summaries = ARENA_ARRAY(takeover->arena, struct takeover_summary, takeover->host_count);
	for (size_t i = 0; i < takeover->host_count; i++) {
		const struct host *host = &takeover->hosts[i];

		(*summaries)[i] = (struct takeover_summary){
			.machine = host->name,
			.counts = counts_of(host),
			.rules = host->rule_count,
			.shared = host->shared ? host->role.name : STR(""),
			.proved = host->proved,
			.narrower = host->narrower.items,
			.narrower_count = host->narrower.count,
			.wider = host->wider.items,
			.wider_count = host->wider.count,
		};
	}
	return takeover->host_count;
}

/* The last line of the stretch that begins at `first` (from 0) and was left out for one reason. */
static size_t stretch_end(const struct text *text, size_t first)
{
	size_t last = first;

	for (size_t i = first + 1; i < text->line_count; i++) {
		if (text->lines[i].kind == LINE_NOTHING)
			continue;
		if (text->lines[i].kind != LINE_LEFT_OUT || !str_eq(text->lines[i].why, text->lines[first].why))
			break;
		last = i;
	}
	return last;
}

static struct str line_text(const struct text *text, size_t number)
{
	struct str rest = text->bytes, line = STR("");

	for (size_t i = 0; i <= number; i++)
		if (!str_cut(&rest, '\n', &line))
			break;
	return line;
}

static struct error *left_out(const struct text *text, size_t first, size_t last)
{
	struct place place = {.file = text->name, .line = (unsigned)first + 1};
	struct str why = text->lines[first].why;
	size_t count = 0;

	for (size_t i = first; i <= last; i++)
		count += text->lines[i].kind == LINE_LEFT_OUT;
	if (count > 1)
		return error_at(error_new(ERROR_INPUT, "left out, with what follows up to line %zu (%zu lines): %.*s",
		                          last + 1, count, STR_ARG(why)),
		                place);
	place.text = str_slice(line_text(text, first), 0, 500);
	return error_at(error_new(ERROR_INPUT, "left out: %.*s", STR_ARG(why)), place);
}

struct error *takeover_left_out(const struct takeover *takeover)
{
	struct error *chain = NULL, **end = &chain;

	for (size_t h = 0; h < takeover->host_count; h++)
		for (size_t t = 0; t < takeover->hosts[h].text_count; t++) {
			const struct text *text = &takeover->hosts[h].texts[t];

			for (size_t i = 0; i < text->line_count; i++) {
				size_t last = i;

				if (text->lines[i].kind != LINE_LEFT_OUT)
					continue;
				last = stretch_end(text, i);
				*end = left_out(text, i, last);
				end = &(*end)->next;
				i = last;
			}
		}
	return chain;
}

struct error *takeover_remarks(const struct takeover *takeover)
{
	return takeover->remarks;
}
