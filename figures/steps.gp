eval figure(full, 6)
file = results."/steps/errors.tsv"
set logscale xy
set format "10^{%T}"
set xlabel "step" offset 0, 0.4
set ylabel "largest relative error"
set xrange [0.5e-9:5e-2]
set key outside right center
set rmargin 26
set object 1 rectangle from 1e-6, graph 0 to 1e-4, graph 1 behind fillcolor rgb pale fillstyle solid 0.35 noborder
set style data linespoints
plot file using 1:2 skip 1 pointtype 7 pointsize 0.4 linewidth 1.6 linecolor rgb vermilion title "forward, error O(ε)", \
    file using 1:3 skip 1 pointtype 7 pointsize 0.4 linewidth 1.6 linecolor rgb blue title "central, O(ε^2)", \
    file using 1:4 skip 1 pointtype 7 pointsize 0.4 linewidth 1.6 linecolor rgb green title "five-point, O(ε^4)"
