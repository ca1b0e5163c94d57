eval figure(full, 4.6)
file = results."/../bench/bench.tsv" # contender, hidden, ..., seconds min, median, max, ratios
set multiplot layout 1, 2 margins 0.13, 0.94, 0.27, 0.87 spacing 0.16, 0
unset key
set ytics nomirror scale 0
set yrange [4.5:0.5]
set xrange [0:*]
set xlabel "seconds" offset 0, 0.4
set xtics 0.5 nomirror rangelimited
colour(name) = name eq "mlp" ? 0xD55E00 : 0x0072B2
do for [hidden in "100 512"] {
    rows = sprintf("< awk -F'\t' '$2 == %s && $1 != \"FANN\"' %s", hidden, file)
    set title hidden." hidden units"
    plot rows using ($5 / 2):($0 + 1):(0):5:($0 + 0.7):($0 + 1.3):(colour(strcol(1))):yticlabels(1) with boxxyerror fillstyle solid 0.75 noborder linecolor rgb variable, \
        rows using 4:($0 + 1):4:6 with xerrorbars pointtype -1 linewidth 0.8 linecolor rgb grey, \
        rows using 6:($0 + 1):(sprintf(" %.1f", $8)) with labels left font ",7.5" textcolor rgb grey
}
unset multiplot
