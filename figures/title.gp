# A large panel of circles-units for the title page.
eval figure(wide, 11)
experiment = "circles-units"
regions = results."/circles-units/regions-300.tsv"
training = results."/circles-units/training.tsv"
unset surface
set contour base
set cntrparam levels discrete 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9
set table $levels
splot regions using 1:2:5 skip 1
unset table
set cntrparam levels discrete 0.5
set table $boundary
splot regions using 1:2:5 skip 1
unset table
unset contour
set surface
unset key
unset colorbox
unset tics
unset border
set cbrange [0:1]
set xrange [-3.49:3.49]
set yrange [-2.26:2.26]
set margins 0, 0, 0, 0
plot regions using 1:2:5 skip 1 with image, \
    $levels using 1:2 with lines linewidth 0.4 linecolor rgb "white", \
    $boundary using 1:2 with lines linewidth 2 linecolor rgb "#303338", \
    training using 1:2 with points pointtype 7 pointsize 1.0 linecolor rgb "white", \
    training using 1:($3 == 0 ? $2 : 1/0) with points pointtype 7 pointsize 0.8 linecolor rgb "#005282", \
    training using 1:($3 == 1 ? $2 : 1/0) with points pointtype 7 pointsize 0.8 linecolor rgb "#A64400"
