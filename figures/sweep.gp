eval figure(full, 7.2)
file = results."/best/sweep.tsv" # hidden, rate, l1, l2, error, loss
best = result("best", "valid_error") + 0
se = result("best", "standard_error") + 0
stats file using (100 * $5) nooutput
set multiplot layout 1, 3 margins 0.085, 0.985, 0.33, 0.97 spacing 0.025, 0
unset key
set yrange [STATS_min - 0.6:STATS_max + 0.2]
set ylabel "validation error, %" offset 0.7
set object 1 rectangle from graph 0, first best - se to graph 1, first best + se behind fillcolor rgb pale fillstyle solid 0.35 noborder
set logscale x
set xlabel "hidden units" offset 0, -0.2
set xrange [24:1400]
set xtics (32, 64, 128, 256, 512, 1024) rotate by 45 right
sorted(condition, columns) = sprintf("< awk -F'\\t' '%s' %s | sort -g -k%d", condition, file, columns)
plot sorted("$2 == 0.2 && $3 == 0 && $4 == 2e-4", 1) using 1:(100 * $5) with linespoints pointtype 7 pointsize 0.5 linewidth 1.6 linecolor rgb blue
unset ylabel
set format y ""
set xlabel "rate at the start" offset 0, -0.2
set xrange [0.016:0.26]
set xtics (0.02, 0.05, 0.1, 0.2) rotate by 45 right
plot sorted("$1 == 256 && $3 == 0 && $4 == 2e-4", 2) using 2:(100 * $5) with linespoints pointtype 7 pointsize 0.5 linewidth 1.6 linecolor rgb vermilion
unset logscale x
set xlabel "λ_{11};  λ_{12} = λ_{22}" offset 0, -0.2
set xrange [-0.5:6.5]
row(l1, l2) = l1 == 0 ? (l2 == 0 ? 0 : l2 < 1e-4 ? 1 : l2 < 5e-4 ? 2 : 3) : (l2 > 0 ? 6 : l1 < 2e-5 ? 4 : 5)
set xtics ("0; 0" 0, "0; 5·10^{-5}" 1, "0; 2·10^{-4}" 2, "0; 10^{-3}" 3, "10^{-5}; 0" 4, "5·10^{-5}; 0" 5, "10^{-5}; 10^{-4}" 6) rotate by 45 right font ",7"
plot sorted("$1 == 256 && $2 == 0.2", 4) using (row($3, $4)):(100 * $5) with points pointtype 7 pointsize 0.6 linecolor rgb green
unset multiplot
