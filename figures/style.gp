# The style of every figure.  The Makefile sets `results`, the folder that a
# figure reads, and `output`, the file that it writes.

full = 13.6 # cm, the width of the text
wide = 17.0 # cm, with the margin
figure(width, height) = sprintf("set terminal pdfcairo enhanced color rounded font 'LM Sans 10,8.5' fontscale 0.75 linewidth 1 size %gcm, %gcm; set output '%s'", width, height, output)

load "generated/src/look.gp" # colours and lines, as in mlp plot

# The value of a key of an experiment.
result(experiment, key) = system(sprintf("awk -F'\t' '$1 == \"%s\" { print $2 }' '%s/%s/values.tsv'", key, results, experiment))
