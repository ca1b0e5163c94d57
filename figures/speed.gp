eval figure(wide, 5.8)
sizes = results."/speed/sizes.tsv"     # columns of `mlp time`
batches = results."/speed/batches.tsv"
threads = result("speed", "threads") + 0
peak = result("speed", "peak") + 0
flops(h) = 60000.0 * (4.0 * 784 * h + 6.0 * h * 10) / 1e9
set multiplot layout 1, 3 margins 0.065, 0.99, 0.22, 0.96 spacing 0.07, 0
set logscale xy
set xlabel "hidden units"
set ylabel "seconds" offset 1
set xrange [26:640]
set xtics (32, 64, 128, 256, 512) rotate by 45 right
set key bottom right
pick(t) = sprintf("< awk '$4 == %d' %s", t, sizes)
plot pick(1) using 2:7 with linespoints pointtype 7 pointsize 0.4 linewidth 1.6 linecolor rgb blue title "1 thread", \
    pick(threads) using 2:7 with linespoints pointtype 7 pointsize 0.4 linewidth 1.6 linecolor rgb vermilion title sprintf("%d threads", threads), \
    flops(x) / peak with lines dashtype 2 linewidth 1 linecolor rgb grey title "at the peak"
unset logscale y
unset key
set ylabel "fraction of the peak, %" offset 1
set yrange [0:100]
plot pick(threads) using 2:(100 * $10 / peak) with linespoints pointtype 7 pointsize 0.4 linewidth 1.6 linecolor rgb vermilion
set xtics (10, 20, 50, 100, 200, 500, 1000) rotate by 45 right
set xlabel "examples in a minibatch"
set ylabel "seconds" offset 1
set xrange [8:1250]
set yrange [0:*]
plot batches using 3:7 with linespoints pointtype 7 pointsize 0.4 linewidth 1.6 linecolor rgb green
unset multiplot
