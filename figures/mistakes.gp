eval figure(wide, 5.4)
pixels = results."/fashion/mistakes-pixels.txt"
list = results."/fashion/mistakes.tsv"
classes = "T-shirt trouser pullover dress coat sandal shirt sneaker bag boot"
array label[18]
array said[18]
stats list using (label[int($0) + 1] = int($2), said[int($0) + 1] = int($3)) nooutput
set palette gray negative
set cbrange [0:255]
unset colorbox
unset key
unset tics
unset border
set size ratio 1
set xrange [-0.5:27.5]
set yrange [27.5:-0.5]
set multiplot layout 2, 9 margins 0.003, 0.997, 0.11, 0.99 spacing 0.012, 0.16
do for [i = 1:18] {
    set label 1 word(classes, label[i] + 1) at graph 0.5, -0.11 center font ",7.5"
    set label 2 word(classes, said[i] + 1) at graph 0.5, -0.27 center font ",7.5" textcolor rgb vermilion
    plot pixels matrix index i - 1 with image pixels
}
unset multiplot
