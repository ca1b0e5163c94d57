eval figure(wide, 6)
folder = results."/../bench"
file = folder."/ranks.tsv" # what, ranks, hidden, batch, examples, seconds, communication, ...
model(key) = 0.0 + system(sprintf("awk '$1 == \"%s\" { printf \"%%.12f\", $2 }' '%s/ranks-model.tsv'", key, folder))
fixed = model("compute_fixed")
each = model("compute_example")
latency = model("latency")
bandwidth = model("bandwidth")
# Seconds of an iteration: K examples, R ranks, n parameters.
work(K, R) = fixed + each * K / R
talk(n, R, a, B) = (3 * (R - 1) + 2 * log(R) / log(2)) * a + 8.0 * n * (R - 1) / R / B
n = 785.0 * 512 + 513 * 10
set multiplot layout 1, 2 margins 0.07, 0.98, 0.2, 0.89 spacing 0.1, 0
set logscale x 2
set xlabel "ranks" offset 0, 0.3
set key top right samplen 1.2
set title "an epoch here, seconds"
set xrange [0.8:5]
set yrange [0:2.8]
set xtics 1, 2, 4
rows(what) = sprintf("< awk -F'\t' '$1 == \"%s\"' %s", what, file)
plot 150 * work(400, x) title "computing for 400" with lines linewidth 1 dashtype 2 linecolor rgb grey, \
    rows("strong") using 2:6 title "400 examples in all" with linespoints pointtype 7 linecolor rgb orange, \
    rows("strong") using 2:7 title "communication" with linespoints pointtype 6 linecolor rgb orange, \
    rows("weak") using 2:6 title "100 for each rank" with linespoints pointtype 7 linecolor rgb blue, \
    rows("weak") using 2:7 notitle with linespoints pointtype 6 linecolor rgb blue
set title "examples a second, times one rank"
set xrange [1:256]
set yrange [0.1:256]
set xtics (1, 4, 16, 64, 256)
set logscale y
set ytics (0.1, 1, 10, 100)
set key at graph 0.02, 1.02 left top reverse Left spacing 0.95
gain(K, R, a, B) = work(K, 1) / (work(K, R) + talk(n, R, a, B))
together(K, R, a, B) = R * work(K, 1) / (work(K, 1) + talk(n, R, a, B))
set samples 400
plot x title "ideal" with lines linewidth 1 dashtype 2 linecolor rgb grey, \
    together(400, x, 0.9e-6, 10.3e9) title "InfiniBand" with lines linecolor rgb blue, \
    gain(400, x, 0.9e-6, 10.3e9) notitle with lines dashtype 3 linecolor rgb blue, \
    together(400, x, 1.93e-6, 4.65e9) title "Ethernet, 40 Gb/s" with lines linecolor rgb orange, \
    gain(400, x, 1.93e-6, 4.65e9) notitle with lines dashtype 3 linecolor rgb orange, \
    together(400, x, 25e-6, 0.116e9) title "Ethernet, 1 Gb/s" with lines linecolor rgb grey, \
    gain(400, x, 25e-6, 0.116e9) notitle with lines dashtype 3 linecolor rgb grey
unset multiplot
