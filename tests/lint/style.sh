#!/bin/sh
# How a file looks: tabs, 120 columns, at most 600 lines, an opening comment, functions of at most 110 lines, nothing left to do; and that
# what a manual page shows as it is stays within 80 columns.
# LINT_ROOT is another tree to look at. Prints each fault; exit 1 if there is one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "${LINT_ROOT:-$here/../..}" || exit 3

folders=
for folder in include base db inventory gen analysis push cli tests; do
	[ ! -d "$folder" ] || folders="$folders $folder"
done
# shellcheck disable=SC2086 # a list of words
find $folders -name '*.[ch]' | LC_ALL=C sort | xargs -r awk '
	function fault(line, what) { printf "%s:%d: %s\n", FILENAME, line, what; faults++ }
	# Columns with tabs every 8, and a byte that continues a character of UTF-8 counting nothing.
	function columns(text,   i, c, at) {
		if (text !~ /\t/ && length(text) <= 120)
			return length(text)
		for (i = 1; i <= length(text); i++) {
			c = substr(text, i, 1)
			if (c == "\t")
				at += 8 - at % 8
			else if (c < "\200" || c >= "\300")
				at++
		}
		return at
	}
	function end_of_file() {
		if (last != "" && lines > 600)
			printf "%s: %d lines are more than 600\n", last, lines
		faults += last != "" && lines > 600
	}
	FNR == 1 {
		end_of_file()
		last = FILENAME
		comment = 0
		if ($0 !~ /^\/\*/)
			fault(1, "the file does not open with a comment that says what it owns")
	}
	{
		lines = FNR
		if (columns($0) > 120)
			fault(FNR, "longer than 120 columns")
		if ($0 ~ /[ \t]$/)
			fault(FNR, "blanks at the end of the line")
		if ($0 ~ /\r/)
			fault(FNR, "a carriage return")
		# A line that goes on with a declaration may be aligned by blanks; one that begins a statement may not.
		if (!comment && ended && $0 ~ /^ +[^ ]/)
			fault(FNR, "indented with blanks")
		if (!comment)
			ended = $0 ~ /[;{}]$/
		if ($0 ~ /(TODO|FIXME|XXX:)/)
			fault(FNR, "something is left to do")
		rest = $0
		gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", rest)
		if (comment ? rest ~ /\*\// : 0)
			comment = 0
		else if (!comment && rest ~ /\/\*/ && rest !~ /"[^"]*\/\*[^"]*"/)
			comment = 1
		if ($0 == "{")
			start = FNR
		if ($0 == "}" && start > 0) {
			if (FNR - start + 1 > 110)
				fault(start, "a function of " (FNR - start + 1) " lines: more than 110")
			start = 0
		}
	}
	END { end_of_file(); exit faults > 0 }
'
code=$?

# A display begins at column 5, with an offset at column 11.
find packaging/man -name '*.[1-8]' 2>/dev/null | LC_ALL=C sort | xargs -r awk '
	/^\.Ed/ { most = 0 }
	most > 0 {
		text = $0
		gsub(/\\&/, "", text)
		gsub(/\\[e-]|\\\(../, "x", text)
		if (length(text) > most) {
			printf "%s:%d: shown in more than 80 columns\n", FILENAME, FNR
			faults++
		}
	}
	/^\.Bd -(literal|unfilled)/ { most = /-offset/ ? 69 : 75 }
	END { exit faults > 0 }
' || exit 1
exit $code
