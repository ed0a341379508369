# C source without comments and without what stands between quotes, the same number of lines. Knows line ends inside comments;
# include lines stay whole, as their names stand in quotes. With -v where=1 each line begins with FILE:LINE:, for many files at once.
function say(line) {
	print (where ? FILENAME ":" FNR ":" : "") line
}
FNR == 1 {
	inside = 0
}
{
	if (!inside && $0 ~ /^[ \t]*#[ \t]*include/) {
		say($0)
		next
	}
	# Most lines have nothing to take out, or are within a comment as a whole.
	if (inside ? !index($0, "*/") : !/["'\/]/) {
		say(inside ? "" : $0)
		next
	}
	out = ""
	quote = ""
	n = length($0)
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1)
		two = substr($0, i, 2)
		if (inside) {
			if (two == "*/") {
				inside = 0
				i++
			}
		} else if (quote != "") {
			if (c == "\\")
				i++
			else if (c == quote) {
				quote = ""
				out = out c
			}
		} else if (two == "/*") {
			inside = 1
			out = out " "
			i++
		} else if (two == "//") {
			break
		} else {
			if (c == "\"" || c == "'")
				quote = c
			out = out c
		}
	}
	say(out)
}
