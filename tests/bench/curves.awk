# The curves of bench.tsv (with median.awk before it) for gnuplot, behind curves.gp: kinds, on the first file system; others
# where they were measured, which is tmpfs if there is one. The most expensive first, as the key stands.
function curve(title, work, look,   f, s, data) {
	for (f = 1; f <= fleets; f++) {
		if (shape[f] != "kinds") continue
		s = work == "floor" ? floor_of(size[f], "kinds", name[1]) : median(size[f], "kinds", name[1], work)
		if (s <= 0 && places > 1) s = median(size[f], "kinds", name[2], work)
		if (s > 0) data = data size[f] " " s "\n"
	}
	if (data == "") return
	curves++
	printf "$c%d << END\n%sEND\n", curves, data
	plot = plot (plot == "" ? "plot " : ", ") sprintf("$c%d using 1:2 with linespoints pt 7 ps 0.6 lw 2 %s title \"%s\"", curves, look, title)
}

END {
	curve("Capirca (scaled)", "capirca", "dt 2 lc rgb '#9467bd'")
	curve("ferm, no sets (scaled)", "ferm", "dt 2 lc rgb '#d62728'")
	curve("Jinja2, no sets", "jinja2", "lc rgb '#ff7f0e'")
	curve("generate, cold", "cold", "lc rgb '#0b3d91'")
	curve("floor: COPY, writing", "floor", "lc rgb '#999999'")
	curve("generate, 1 % changed", "change", "lc rgb '#1f77b4'")
	curve("watch, one change", "watch", "lc rgb '#17a2b8'")
	curve("generate, nothing changed", "nothing", "lc rgb '#2ca02c'")
	printf "set ylabel \"seconds, on %s%s\"\n", name[1], (places > 1 ? " (others: " name[2] ")" : "")
	if (plot != "") print plot
}
