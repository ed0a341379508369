# How the picture of the curves looks; curves.awk writes what is drawn.
set terminal svg size 860,480 background rgb "white" font "sans-serif,14"
set logscale xy
set xlabel "machines"
set format x "%.0f"
set format y "%g"
set grid xtics ytics lc rgb "#dddddd" lt 1
set key outside right center Left reverse samplen 2 spacing 1.3
set xrange [800:*]
set border 3
set tics nomirror
