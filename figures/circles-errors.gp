eval figure(wide, 6.2)
set multiplot layout 1, 3 margins 0.065, 0.995, 0.185, 0.92 spacing 0.03, 0
bayes = result("circles-bayes", "error") + 0
set logscale x
set yrange [0:50]
set key at graph 0.97, 0.93
set format y "%g"
do for [e in "units decay stopping"] {
    file = sprintf("%s/circles-%s/errors.tsv", results, e)
    if (e eq "units") {
        set xlabel "hidden units" offset 0, 0.4
        set ylabel "error, %" offset 0.7
        set xrange [0.8:400]
        set title "more units →"
        set label 1 "best possible" at 390, bayes - 1.8 right textcolor rgb grey font ",7"
    }
    if (e eq "decay") {
        unset ylabel
        unset label 1
        set format y ""
        set xlabel "weight decay λ" offset 0, 0.4
        set format x "10^{%T}"
        set xrange [0.5:0.7e-5] reverse
        set title "less decay →"
    }
    if (e eq "stopping") {
        set xlabel "epochs" offset 0, 0.4
        set format x "%g"
        set xrange [0.8:6000] noreverse
        set title "more epochs →"
    }
    plot bayes with lines linewidth 0.8 dashtype 2 linecolor rgb grey notitle, \
        file using 1:($2 - $3):($2 + $3) skip 1 with filledcurves linecolor rgb train_colour notitle, \
        file using 1:($4 - $5):($4 + $5) skip 1 with filledcurves linecolor rgb valid_colour notitle, \
        file using 1:2 skip 1 with linespoints pointtype 7 pointsize 0.3 linewidth 1.6 linecolor rgb train_colour title "train", \
        file using 1:4 skip 1 with linespoints pointtype 7 pointsize 0.3 linewidth 1.6 linecolor rgb valid_colour title "validation"
    unset key
}
unset multiplot
