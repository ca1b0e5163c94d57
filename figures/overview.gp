eval figure(full, 6.6)
curves = results."/fashion/curves.tsv"
pixels = results."/fashion/classes-pixels.txt"
stats curves using (100 * $10) nooutput
set multiplot
set lmargin at screen 0.08
set rmargin at screen 0.98
set bmargin at screen 0.16
set tmargin at screen 0.97
set xlabel "epoch" offset 0, 0.4
set ylabel "test error, %" offset 0.7
set yrange [STATS_min - 1:STATS_max + 6]
unset key
plot curves using 1:(100 * ($10 - $11)):(100 * ($10 + $11)) with filledcurves linecolor rgb test_colour, \
    curves using 1:(100 * $10) with lines linewidth 2 linecolor rgb test_colour
set palette gray negative
set cbrange [0:255]
unset colorbox
unset tics
unset border
unset xlabel
unset ylabel
set xrange [-0.5:27.5]
set yrange [27.5:-0.5]
set size ratio 1
do for [k = 0:9] {
    set lmargin at screen 0.33 + 0.125 * (k % 5)
    set rmargin at screen 0.33 + 0.125 * (k % 5) + 0.115
    set tmargin at screen 0.97 - 0.25 * (k / 5)
    set bmargin at screen 0.97 - 0.25 * (k / 5) - 0.235
    plot pixels matrix index k with image pixels
}
unset multiplot
