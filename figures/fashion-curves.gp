eval figure(wide, 6.6)
file = results."/fashion/curves.tsv"
set multiplot layout 1, 2 margins 0.06, 0.995, 0.17, 0.96 spacing 0.085, 0
set xlabel "epoch" offset 0, 0.4
set yrange [0:*]
set key top right
do for [k = 0:1] { # error, then loss: columns 2, 4, ... of curves.tsv
    set ylabel (k ? "mean loss" : "error, %") offset 0.7
    f = k ? 1 : 100
    c = 2 + 2 * k
    plot file using 1:(f * (column(c) - column(c + 1))):(f * (column(c) + column(c + 1))) with filledcurves linecolor rgb train_colour notitle, \
        file using 1:(f * (column(c + 4) - column(c + 5))):(f * (column(c + 4) + column(c + 5))) with filledcurves linecolor rgb valid_colour notitle, \
        file using 1:(f * (column(c + 8) - column(c + 9))):(f * (column(c + 8) + column(c + 9))) with filledcurves linecolor rgb test_colour notitle, \
        file using 1:(f * column(c)) with lines linewidth 1.8 linecolor rgb train_colour title "train", \
        file using 1:(f * column(c + 4)) with lines linewidth 1.8 linecolor rgb valid_colour title "validation", \
        file using 1:(f * column(c + 8)) with lines linewidth 1.8 linecolor rgb test_colour title "test"
}
unset multiplot
