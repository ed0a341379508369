# What table.awk and curves.awk share: reading bench.tsv, medians. A line is machines, shape, file system, work, seconds, KiB, done, of; what was
# done for a part of the machines is scaled to all of them.
BEGIN { FS = "\t" }
/^#/ { heading[++headings] = substr($0, 3); next }
{
	key = $1 SUBSEP $2 SUBSEP $3 SUBSEP $4
	value[key, ++count[key]] = $7 != "" ? $5 * $8 / $7 : $5
	if ($6 + 0 > peak[key]) peak[key] = $6 + 0
	if ($7 != "") { part[$1, $4] = $7; whole[$1, $4] = $8 }
	if (!(($1, $2) in seen)) { seen[$1, $2]; size[++fleets] = $1; shape[fleets] = $2 }
	if (!($3 in place)) { place[$3]; name[++places] = $3 }
}

function key_of(machines, kind, where, work) {
	return machines SUBSEP kind SUBSEP where SUBSEP work
}

# The value below which so much of the measurements lies (nearest rank, rounded up).
function quantile(key, share,   i, j, n, sorted, swap, rank) {
	n = count[key]
	for (i = 1; i <= n; i++)
		sorted[i] = value[key, i]
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && sorted[j - 1] > sorted[j]; j--) {
			swap = sorted[j]
			sorted[j] = sorted[j - 1]
			sorted[j - 1] = swap
		}
	rank = int(share * n)
	if (rank < share * n)
		rank++
	return n > 0 ? sorted[rank > 0 ? rank : 1] : -1
}

# In seconds; -1 where it was not measured.
function median(machines, kind, where, work) {
	return quantile(key_of(machines, kind, where, work), 0.5)
}

# COPY of the tables, and writing the same files, folders and links.
function floor_of(machines, kind, where,   copy, write) {
	copy = median(machines, kind, where, "copy")
	write = median(machines, kind, where, "write")
	return copy < 0 || write < 0 ? -1 : copy + write
}
