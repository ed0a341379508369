# The table, from bench.tsv (with median.awk before it): a line for each work, a pair of columns for each file system, and for the sizes that
# have targets whether they were reached. Nothing is rounded towards the target.

function thousands(n,   text, cut) {
	text = sprintf("%d", n)
	for (cut = length(text) - 3; cut > 0; cut -= 3)
		text = substr(text, 1, cut) "," substr(text, cut + 1)
	return text
}

function seconds(s) {
	if (s < 0) return "-"
	return s >= 100 ? thousands(s + 0.5) : sprintf(s >= 10 ? "%.1f" : s >= 1 ? "%.2f" : "%.3f", s)
}

function ratio(r, unit) {
	if (r < 0) return ""
	if (unit == "") return ""
	if (unit ~ /%/) return sprintf(r < 0.1 ? "%.1f" : "%.0f", r * 100) unit
	return (r >= 100 ? thousands(r + 0.5) : sprintf(r >= 10 ? "%.1f" : "%.2f", r)) unit
}

# line(label, per file system s[i] and r[i] with its unit, peak in KiB, target in words, limit for r; 0: none)
function line(label, unit, kib, target, limit,   i, text, worst) {
	text = sprintf("  %-42s", label)
	for (i = 1; i <= places; i++) {
		text = text sprintf(" %9s %-16s", s[i] == "" ? "" : seconds(s[i]), s[i] == "" || s[i] < 0 ? "" : ratio(r[i], unit))
		if (limit > 0 && s[i] != "" && s[i] >= 0 && r[i] > limit) worst = worst (worst == "" ? "" : ", ") name[i]
	}
	text = text sprintf(" %5s", kib > 0 ? sprintf("%.0f", kib / 1024) : "")
	if (target != "") {
		text = text "  " target ": " verdict(worst)
	}
	sub(/ +$/, "", text)
	print text
	delete s
	delete r
}

function verdict(missed) {
	wanted++
	if (missed != "") return "NOT MET (" missed ")"
	met++
	return "met"
}

# Sets s and r for a work, in terms of another value of each file system.
function fill(work, base,   i, b) {
	measured = 0
	for (i = 1; i <= places; i++) {
		s[i] = median(machines, kind, name[i], work)
		if (s[i] < 0) { s[i] = ""; continue }
		b = base == "floor" ? floor_of(machines, kind, name[i]) : median(machines, kind, name[i], base)
		r[i] = b > 0 ? s[i] / b : -1
		measured = 1
	}
	return measured
}

function peak_of(work,   i, most) {
	for (i = 1; i <= places; i++)
		if (peak[key_of(machines, kind, name[i], work)] > most) most = peak[key_of(machines, kind, name[i], work)]
	return most
}

function floor_lines(   i, any) {
	for (i = 1; i <= places; i++) {
		s[i] = floor_of(machines, kind, name[i])
		r[i] = -1
		any = any || s[i] >= 0
		if (s[i] < 0) s[i] = ""
	}
	if (!any) { delete s; delete r; return }
	line("floor: COPY, and writing the same", "")
	for (i = 1; i <= places; i++) { s[i] = median(machines, kind, name[i], "copy"); r[i] = -1; if (s[i] < 0) s[i] = "" }
	line("    of it COPY (FORMAT binary)", "")
	for (i = 1; i <= places; i++) {
		s[i] = floor_of(machines, kind, name[i])
		if (s[i] < 0) { s[i] = ""; continue }
		r[i] = (s[i] + median(machines, kind, name[i], "sync")) / s[i]
		s[i] *= r[i]
	}
	line("    with syncfs, as fleetwall does it", " x floor")
}

function generate_lines(   judged, limit, written, i) {
	judged = machines == 100000
	limit = kind == "kinds" ? 1.7 : 1.5
	if (fill("cold", "floor"))
		line("generate, nothing there yet", " x floor", peak_of("cold"), judged ? "<= " limit " x floor" : "", judged ? limit : 0)
	if (fill("change", "cold"))
		line("generate, 1 % of the machines changed", " % of cold", peak_of("change"),
		     judged && kind == "kinds" ? "<= 15 % of cold" : "", judged && kind == "kinds" ? 0.15 : 0)
	if (fill("nothing", "cold")) {
		for (i = 1; i <= places; i++)
			written = written || s[i] != "" && quantile(key_of(machines, kind, name[i], "written"), 1) != 0
		line("generate, nothing changed", " % of cold", peak_of("nothing"), judged ? "<= 2 % of cold" : "", judged ? 0.02 : 0)
		printf "  %-42s %s\n", "    written by it", (written ? "SOMETHING" : "no byte") (judged ? ": " verdict(written ? "something" : "") : "")
	}
}

# Both must stay below 1 GiB.
function proof_lines(   judged, i) {
	judged = machines == 100000 && kind == "kinds"
	if (fill("verify", "cold")) {
		for (i = 1; i <= places; i++) r[i] = s[i] == "" ? -1 : s[i]
		line("verify, everything", "", peak_of("verify"), judged ? "< 30 s" : "", judged ? 30 : 0)
	}
	if (fill("proof", "cold")) {
		for (i = 1; i <= places; i++) r[i] = s[i] == "" ? -1 : s[i]
		line("proof of what 1 % changed, and its load", "", peak_of("proof"), judged ? "< 1 s" : "", judged ? 1 : 0)
	}
}

function watch_lines(   i, judged) {
	judged = machines == 100000
	if (!fill("watch", "cold")) { delete s; delete r; return }
	for (i = 1; i <= places; i++) r[i] = s[i]
	line("watch, one change: commit to current", "", peak_of("watching"), judged ? "<= 0.050 s" : "", judged ? 0.05 : 0)
	for (i = 1; i <= places; i++) { s[i] = quantile(key_of(machines, kind, name[i], "watch"), 0.99); r[i] = s[i]; if (s[i] < 0) s[i] = "" }
	line("    99th percentile", "", 0, judged ? "<= 0.200 s" : "", judged ? 0.2 : 0)
}

# The limit is for each work; those that are above it are named.
function memory_line(   list, label, limit, text, missed, most, i, n) {
	limit = machines == 100000 ? 400 * 1024 : 3.5 * 1048576
	n = split("cold change nothing watching import proof", list, " ")
	split("cold,1 % changed,nothing changed,watch,import,proof of 1 %", label, ",")
	for (i = 1; i <= n && machines >= 100000; i++) {
		most = peak_of(list[i])
		if (most == 0) continue
		text = text (text == "" ? "" : ", ") label[i] " " sprintf("%.0f", most / 1024)
		if (most > limit) missed = missed (missed == "" ? "" : ", ") label[i]
	}
	if (text != "")
		printf "  peak memory, MiB: %s  <= %s: %s\n", text, machines == 100000 ? "400 MiB" : "3.5 GiB", verdict(missed)
}

function peer_lines(   list, label, i, n) {
	n = split("jinja2 ferm capirca", list, " ")
	label["jinja2"] = "Jinja2"; label["ferm"] = "ferm"; label["capirca"] = "Capirca"
	for (i = 1; i <= n; i++)
		if (fill(list[i], "cold") && ++others)
			line(label[list[i]] (part[machines, list[i]] != whole[machines, list[i]] ? \
				sprintf(" (%d machines done, scaled to all)", part[machines, list[i]]) : ""), " x cold", peak_of(list[i]))
}

function fact(work) {
	return median(machines, kind, name[1], work)
}

function million_line(   i, small, worst, text) {
	for (i = 1; i <= places; i++) {
		small = median(100000, "kinds", name[i], "cold")
		if (small <= 0 || median(1000000, "kinds", name[i], "cold") < 0) continue
		s[i] = median(1000000, "kinds", name[i], "cold")
		r[i] = s[i] / small
		text = 1
	}
	if (text) line("against 100,000 machines", " times", 0, "<= 12 times", 12)
}

END {
	for (i = 1; i <= headings; i++) print heading[i]
	print "Medians, in seconds; the peak of memory in MiB. x floor, % of cold: of the same file system in the same run."
	for (f = 1; f <= fleets; f++) {
		machines = size[f]
		kind = shape[f]
		printf "\n%-44s", thousands(machines) " machines, " kind
		for (i = 1; i <= places; i++) printf " %9s %-16s", name[i], ""
		printf " %5s  %s\n", "peak", "to reach"
		if (fact("rulesets") > 0)
			printf "  %s rows; %s rulesets, %s sets, %s links, %s MiB\n", thousands(fact("rows")), thousands(fact("rulesets")),
				thousands(fact("sets")), thousands(fact("links")), thousands(fact("bytes") / 1048576)
		floor_lines()
		generate_lines()
		proof_lines()
		watch_lines()
		if (fill("import", "load")) line("import --csv", " x \\copy", peak_of("import"), machines == 100000 && kind == "kinds" && r[1] > 0 ? "<= 3 x \\copy" : "", 3)
		if (fill("load", "load")) line("    \\copy of its rows, same constraints", "")
		delete s; delete r
		peer_lines()
		delete s; delete r
		memory_line()
		if (machines == 1000000) million_line()
	}
	print ""
	if (others) {
		print "Others do the whole fleet anew each time, x cold is against ours. Jinja2: reads JSON in which each match is ready; rules of both families, not"
		print "what sets hold. ferm: a process a machine; the same. Capirca: a policy a machine; what sets hold is written into each. None of them: the"
		print "database, modes coexist and monitor, set names that stay, guards, generations, something to load sets in one step."
	}
	if (wanted) printf "%d of %d targets met.\n", met, wanted
}
