# The style of every figure.  The Makefile sets `results`, the folder that a
# figure reads, and `output`, the file that it writes.

full = 13.6 # cm, the width of the text
wide = 17.0 # cm, with the margin
figure(width, height) = sprintf("set terminal pdfcairo enhanced color rounded font 'LM Sans 10,8.5' fontscale 0.75 linewidth 1 size %gcm, %gcm; set output '%s'", width, height, output)

# Okabe and Ito's colours, which colour-blind readers can tell apart.
blue = "#0072B2"
vermilion = "#D55E00"
green = "#009E73"
purple = "#CC79A7"
orange = "#E69F00"
sky = "#56B4E9"
grey = "#5F6670"
pale = "#C8CED4"
train_colour = blue
valid_colour = green
test_colour = vermilion

set border 3 linewidth 0.6 linecolor rgb grey
set tics nomirror scale 0.5 textcolor rgb "#303338"
set key noopaque samplen 1.6 spacing 1.15 width 0
set title offset 0, -0.5
set style fill transparent solid 0.18 noborder
set encoding utf8
set datafile commentschars '#'

# Probability of a class, or a weight: blue, white, orange.
set palette defined (0 "#7DB8DC", 0.5 "#FFFFFF", 1 "#F2B48A")

# The value of a key of an experiment.
result(experiment, key) = system(sprintf("awk -F'\t' '$1 == \"%s\" { print $2 }' '%s/%s/values.tsv'", key, results, experiment))
