eval figure(wide, 2.5)
file = results."/fashion/units.txt"
stats file matrix using 3 nooutput
top = STATS_max > -STATS_min ? STATS_max : -STATS_min
set cbrange [-0.35 * top:0.35 * top]
unset colorbox
unset key
unset tics
set border 15 linewidth 0.5 linecolor rgb pale
set size ratio 1
set xrange [-0.5:27.5]
set yrange [27.5:-0.5]
set multiplot layout 1, 8 margins 0.003, 0.997, 0.03, 0.97 spacing 0.01, 0
do for [u = 0:7] {
    plot file matrix index u with image pixels
}
unset multiplot
